"""L'envoi : une seule prise, relecture juste avant, issues honnêtes."""

from datetime import date, timedelta

import pytest
from django.utils import timezone

from recouvrement.commun import depot
from relances.domaine.natures import Nature
from relances.models import Courrier, Passage, Relance
from relances.services import envoi, gestes, nuit
from relances.services.preparation import preparer
from tests.clients.factories import ClientFactory
from tests.comptes.factories import UtilisateurFactory
from tests.factures.factories import EcheanceFactory, ImputationFactory, LitigeFactory, PromesseFactory
from tests.outils.smtp import Mode

pytestmark = pytest.mark.django_db
MARDI = date(2026, 2, 10)
S = Courrier.Statut


@pytest.fixture(autouse=True)
def smtp(settings, smtp_pair, tmp_path):
    settings.EMAIL_BACKEND = "django.core.mail.backends.smtp.EmailBackend"
    settings.EMAIL_HOST, settings.EMAIL_PORT, settings.EMAIL_TIMEOUT = "127.0.0.1", smtp_pair.port, 2
    settings.DEPOT = tmp_path / "depot"
    return smtp_pair


def passer(societe, au=MARDI):
    passage = nuit.ouvrir_passage(societe, au=au, genre=Passage.Genre.REJOUE)
    return nuit.relancer(societe, au=au, passage=passage)


def un_courrier(*, niveau=None, **champs) -> Courrier:
    """Courrier décidé pour une pièce échue depuis trente jours ; niveau : palier déjà atteint."""
    echeance = EcheanceFactory(echue_le=MARDI - timedelta(days=60), **champs)
    if niveau is not None:
        rang = {Nature.APPEL: 2, Nature.FORMALISATION: 3}[niveau]
        version = echeance.client.societe.echelles.get(type_debiteur=echeance.client.type).versions.get()
        type(echeance).objects.filter(pk=echeance.pk).update(
            niveau=niveau, niveau_rang=rang, niveau_version=version.pk, niveau_le=MARDI - timedelta(days=20)
        )
    passer(echeance.societe)
    return Courrier.objects.get()


def test_un_courriel_part_une_fois_et_sa_relance_est_faite(smtp):
    courrier = un_courrier()
    assert envoi.envoyer(courrier.pk, au=MARDI) == S.ENVOYE
    assert envoi.envoyer(courrier.pk, au=MARDI) == S.ENVOYE
    assert len(smtp.messages) == 1
    courrier.refresh_from_db()
    assert courrier.destinataire == courrier.client.courriel
    assert courrier.texte and courrier.objet and courrier.message_id
    assert Relance.objects.get().statut == Relance.Statut.ENVOYEE


def test_la_formalisation_chiffre_penalites_et_quarante_euros_et_joint_sa_lettre(smtp):
    """Exigences 24 et 27 : 60 jours à 12,15 % ou 12,40 % selon le semestre, 40 € une fois par facture."""
    courrier = un_courrier(niveau=Nature.APPEL)
    assert envoi.envoyer(courrier.pk, au=MARDI) == S.ENVOYE
    courrier.refresh_from_db()
    # Échéance 12/12/2025 : 19 jours en 2025-S2 et 41 en 2026-S1, tous deux à 12,15 %.
    assert (str(courrier.penalites), str(courrier.indemnites), str(courrier.total)) == ("19.97", "40.00", "1059.97")
    pdf = depot.lire(courrier.pdf_chemin, courrier.pdf_empreinte)
    assert pdf.startswith(b"%PDF-") and courrier.pdf_pages >= 1
    assert "1\u00a0059,97" in courrier.texte


def test_un_particulier_ne_recoit_jamais_quarante_euros(smtp):
    courrier = un_courrier(niveau=Nature.APPEL, client=ClientFactory(particulier=True))
    assert envoi.envoyer(courrier.pk, au=MARDI) == S.ENVOYE
    courrier.refresh_from_db()
    assert (courrier.total, courrier.penalites, courrier.indemnites) == (1000, 0, 0)
    assert "L. 441-10" not in courrier.texte and "pénalité" not in courrier.texte.lower()


@pytest.mark.parametrize("geste", ["solder", "litige", "promesse", "contentieux"])
def test_relu_juste_avant_l_envoi(smtp, geste):
    """Exigence 19 : payée, contestée ou promise entre-temps, la pièce sort de la lettre."""
    courrier = un_courrier()
    echeance = courrier.relances.get().echeance
    match geste:
        case "solder":
            ImputationFactory(echeance=echeance)
        case "litige":
            LitigeFactory(echeance=echeance)
        case "promesse":
            PromesseFactory(echeances=[echeance], date_promise=MARDI + timedelta(days=3))
        case "contentieux":
            type(echeance).objects.update(en_contentieux=True)
    assert envoi.envoyer(courrier.pk, au=MARDI) == S.ANNULE
    assert not smtp.messages
    echeance.refresh_from_db()
    assert echeance.niveau == Nature.AUCUNE
    assert Relance.objects.get().statut == Relance.Statut.ANNULEE


def test_une_piece_payee_sort_et_les_autres_partent(smtp):
    client = ClientFactory()
    payee = EcheanceFactory(client=client, echue_le=MARDI - timedelta(days=9))
    due = EcheanceFactory(client=client, echue_le=MARDI - timedelta(days=9), montant=300)
    passer(client.societe)
    ImputationFactory(echeance=payee)
    courrier = Courrier.objects.get()
    assert envoi.envoyer(courrier.pk, au=MARDI) == S.ENVOYE
    courrier.refresh_from_db()
    assert (courrier.principal, courrier.pieces) == (300, 1)
    assert due.facture.numero in courrier.texte and payee.facture.numero not in courrier.texte


def test_rien_ne_part_un_samedi(smtp):
    """Exigence 15."""
    courrier = un_courrier()
    assert envoi.envoyer(courrier.pk, au=date(2026, 2, 14)) == S.A_ENVOYER
    assert not smtp.messages


def test_adresse_refusee_erreur_et_niveau_rendu(smtp):
    """Exigence 22."""
    smtp.mode = Mode.REFUSE_DESTINATAIRE
    courrier = un_courrier()
    assert envoi.envoyer(courrier.pk, au=MARDI) == S.EN_ERREUR
    echeance = courrier.relances.get().echeance
    assert (echeance.niveau, Relance.objects.get().statut) == (0, Relance.Statut.EN_ERREUR)


def test_serveur_injoignable_on_reessaiera(smtp, settings):
    courrier = un_courrier()
    smtp.fermer()
    assert envoi.envoyer(courrier.pk, au=MARDI) == S.A_ENVOYER
    courrier.refresh_from_db()
    assert "injoignable" in courrier.erreur
    smtp.ouvrir()
    assert envoi.envoyer(courrier.pk, au=MARDI) == S.ENVOYE
    assert len(smtp.messages) == 1


@pytest.mark.parametrize("mode", [Mode.MEURT_APRES, Mode.BLOQUE])
def test_connexion_perdue_pendant_la_remise_sort_inconnu(smtp, mode):
    smtp.mode = mode
    courrier = un_courrier()
    assert envoi.envoyer(courrier.pk, au=MARDI) == S.INCERTAIN


def test_un_processus_tue_pendant_la_remise_est_montre_jamais_rejoue(settings):
    courrier = un_courrier()
    ancien = timezone.now() - timedelta(seconds=settings.BAIL_ENVOI_SECONDES + 1)
    Courrier.objects.update(statut=S.EN_COURS, pris_le=ancien, message_id="<commence@x>", tentatives=1)
    assert envoi.reprendre_les_interrompus() == 1
    courrier.refresh_from_db()
    assert courrier.statut == S.INCERTAIN


def test_un_processus_tue_avant_la_remise_est_repris_et_le_revenant_n_envoie_pas(settings, smtp):
    courrier = un_courrier()
    assert envoi.prendre(courrier)
    Courrier.objects.update(pris_le=timezone.now() - timedelta(seconds=settings.BAIL_ENVOI_SECONDES + 1))
    assert envoi.reprendre_les_interrompus() == 0
    assert envoi.envoyer(courrier.pk, au=MARDI) == S.ENVOYE
    courrier.objet, courrier.texte, courrier.destinataire = "x", "x", "a@client.example"
    envoi._remettre(courrier, au=MARDI)  # l'endormi se réveille
    assert len(smtp.messages) == 1


def test_un_endormi_n_envoie_pas_pendant_qu_un_autre_tient_la_prise(settings, smtp):
    """`tentatives` est le jeton de prise : « en cours » ne suffit pas, il faut que ce soit la mienne."""
    endormi = un_courrier()
    assert envoi.prendre(endormi)
    Courrier.objects.update(pris_le=timezone.now() - timedelta(seconds=settings.BAIL_ENVOI_SECONDES + 1))
    envoi.reprendre_les_interrompus()
    assert envoi.prendre(Courrier.objects.get())
    endormi.objet, endormi.texte, endormi.destinataire = "x", "x", "a@client.example"
    assert envoi._remettre(endormi, au=MARDI) == S.EN_COURS
    assert not smtp.messages


def test_societe_sans_iban_bloque_avec_la_liste_des_manques():
    """Exigence 25."""
    courrier = un_courrier()
    type(courrier.societe).objects.update(iban="")
    assert envoi.envoyer(courrier.pk, au=MARDI) == S.A_VALIDER
    courrier.refresh_from_db()
    assert any("IBAN" in m["phrase"] for m in courrier.manques)


def test_la_mise_en_demeure_attend_une_personne_puis_se_poste():
    """Exigences 25 et 26."""
    courrier = un_courrier(niveau=Nature.FORMALISATION)
    assert (courrier.statut, courrier.canal) == (S.A_VALIDER, "recommande")
    par = UtilisateurFactory(societe=courrier.societe)
    gestes.valider(courrier, par=par, au=MARDI)
    assert envoi.envoyer(courrier.pk, au=MARDI) == S.A_POSTER
    courrier.refresh_from_db()
    assert courrier.date_limite and courrier.pdf_chemin
    with pytest.raises(gestes.Refus, match="suivi"):
        gestes.poster(courrier, par=par, depose_le=MARDI)
    gestes.poster(courrier, par=par, depose_le=MARDI, numero_suivi="2c 123 456 7890 1")
    courrier.refresh_from_db()
    assert (courrier.statut, courrier.numero_suivi) == (S.POSTE, "2C12345678901")
    gestes.consigner_retour(courrier, par=par, retour=Courrier.Retour.NPAI, retour_le=MARDI + timedelta(days=9))
    courrier.refresh_from_db()
    assert courrier.statut == S.EN_ERREUR


def test_valider_deux_fois_ne_fait_rien_la_seconde():
    courrier = un_courrier(niveau=Nature.FORMALISATION)
    par = UtilisateurFactory(societe=courrier.societe)
    gestes.valider(courrier, par=par, au=MARDI)
    with pytest.raises(gestes.TransitionInterdite):
        gestes.valider(courrier, par=par, au=MARDI)


def test_texte_modifie_part_tel_quel(smtp):
    """Exigence 29."""
    courrier = un_courrier()
    preparation = preparer(courrier, au=MARDI)
    texte = preparation.texte + "\nAu plaisir de vous lire."
    gestes.modifier_texte(courrier, objet="Rappel à vous", texte=texte, par=UtilisateurFactory(), au=MARDI)
    assert envoi.envoyer(courrier.pk, au=MARDI) == S.ENVOYE
    courrier.refresh_from_db()
    assert (courrier.objet, courrier.texte) == ("Rappel à vous", texte)


def test_relancer_maintenant_prepare_un_courrier_a_valider():
    echeance = EcheanceFactory(echue_le=MARDI - timedelta(days=2))
    par = UtilisateurFactory(societe=echeance.societe)
    (courrier,) = gestes.relancer_maintenant(echeance.client, par=par, au=MARDI)
    assert (courrier.statut, courrier.nature) == (S.A_VALIDER, Nature.RAPPEL_COURTOIS)
    with pytest.raises(gestes.Refus, match="Rien ne peut partir"):
        gestes.relancer_maintenant(echeance.client, par=par, au=MARDI)
