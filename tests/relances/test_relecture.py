"""Un courrier décidé se relit à chaque étape ; ce qu'un audit a montré possible ne l'est plus."""

from datetime import date, datetime, timedelta
from decimal import Decimal
from zoneinfo import ZoneInfo

import pytest

from factures.models import Echeance
from relances.domaine import echelle
from relances.domaine.natures import Nature
from relances.models import Courrier, Passage, Relance, Tache, Verdict, VersionEchelle
from relances.services import envoi, gestes, nuit, quotidien
from relances.services.preparation import composer
from relances.services.relecture import rafraichir_lettre
from tests.clients.factories import ClientFactory
from tests.comptes.factories import SocieteFactory, UtilisateurFactory
from tests.factures.factories import (
    AvoirFactory,
    EcheanceFactory,
    EncaissementFactory,
    ImputationFactory,
    LitigeFactory,
)
from tests.outils.smtp import Mode

pytestmark = pytest.mark.django_db
MARDI = date(2026, 2, 10)
S = Courrier.Statut


@pytest.fixture(autouse=True)
def smtp(settings, smtp_pair, tmp_path):
    settings.EMAIL_BACKEND = "django.core.mail.backends.smtp.EmailBackend"
    settings.EMAIL_HOST, settings.EMAIL_PORT, settings.EMAIL_TIMEOUT = "127.0.0.1", smtp_pair.port, 5
    settings.DEPOT = tmp_path / "depot"
    return smtp_pair


def passer(societe, au=MARDI, **options):
    passage = nuit.ouvrir_passage(societe, au=au, genre=Passage.Genre.REJOUE)
    return nuit.relancer(societe, au=au, passage=passage, **options)


def a_poster(**champs):
    """Mise en demeure validée et rendue, à poster."""
    echeance = EcheanceFactory(echue_le=MARDI - timedelta(days=60), **champs)
    version = VersionEchelle.objects.get(echelle__societe=echeance.societe, echelle__code="entreprise")
    Echeance.objects.filter(pk=echeance.pk).update(
        niveau=4, niveau_rang=3, niveau_version=version.pk, niveau_le=MARDI - timedelta(days=20)
    )
    passer(echeance.societe)
    courrier = Courrier.objects.get(relances__echeance=echeance)
    gestes.valider(courrier, par=UtilisateurFactory(societe=echeance.societe), au=MARDI)
    assert envoi.envoyer(courrier.pk, au=MARDI) == S.A_POSTER
    courrier.refresh_from_db()
    return courrier, echeance


def test_une_lettre_payee_depuis_ne_s_imprime_plus():
    courrier, echeance = a_poster()
    assert rafraichir_lettre(courrier, au=MARDI)
    ImputationFactory(echeance=echeance)
    assert not rafraichir_lettre(courrier, au=MARDI)
    courrier.refresh_from_db()
    assert courrier.statut == S.ANNULE


def test_une_lettre_vieillie_se_refait_et_la_nuit_s_en_charge():
    courrier, _echeance = a_poster()
    quotidien.rafraichir_lettres(courrier.societe, au=MARDI + timedelta(days=6))
    courrier.refresh_from_db()
    assert courrier.statut == S.A_ENVOYER
    assert envoi.envoyer(courrier.pk, au=MARDI + timedelta(days=6)) == S.A_POSTER
    courrier.refresh_from_db()
    assert courrier.arrete_au == MARDI + timedelta(days=6)


@pytest.mark.parametrize("jour", [MARDI - timedelta(days=1), MARDI + timedelta(days=2)])
def test_un_depot_impossible_est_refuse(jour):
    courrier, _echeance = a_poster()
    with pytest.raises(gestes.Refus, match="dépôt"):
        gestes.poster(courrier, par=None, depose_le=jour, numero_suivi="2C12345678901", au=MARDI)


def test_valider_dit_ce_qui_est_sorti_au_lieu_de_valider():
    client = ClientFactory()
    payee = EcheanceFactory(client=client, echue_le=MARDI - timedelta(days=9))
    EcheanceFactory(client=client, echue_le=MARDI - timedelta(days=9), montant=300)
    (courrier,) = gestes.relancer_maintenant(client, par=None, au=MARDI)
    ImputationFactory(echeance=payee)
    par = UtilisateurFactory(societe=client.societe)
    with pytest.raises(gestes.Refus, match="relisez-le"):
        gestes.valider(courrier, par=par, au=MARDI)
    courrier.refresh_from_db()
    assert courrier.statut == S.A_VALIDER
    gestes.valider(courrier, par=par, au=MARDI)
    courrier.refresh_from_db()
    assert courrier.statut == S.A_ENVOYER


def test_la_mise_en_demeure_ne_part_pas_si_la_formalisation_est_revenue():
    """Exigence 10."""
    echeance = EcheanceFactory(echue_le=MARDI - timedelta(days=60))
    Echeance.objects.update(niveau=3, niveau_rang=2, niveau_version=version_de(echeance), niveau_le=MARDI)
    passer(echeance.societe, MARDI + timedelta(days=7))
    formalisation = Courrier.objects.get(nature=Nature.FORMALISATION)
    assert envoi.envoyer(formalisation.pk, au=MARDI + timedelta(days=7)) == S.ENVOYE
    plus_tard = MARDI + timedelta(days=23)
    passer(echeance.societe, plus_tard)
    demeure = Courrier.objects.get(nature=Nature.MISE_EN_DEMEURE)
    gestes.constater_rebond(formalisation, motif="550", au=plus_tard)
    with pytest.raises(gestes.Refus, match="formalisation"):
        gestes.valider(demeure, par=UtilisateurFactory(societe=echeance.societe), au=plus_tard)
    demeure.refresh_from_db()
    assert demeure.statut == S.ANNULE


def version_de(echeance) -> int:
    return VersionEchelle.objects.get(echelle__societe=echeance.societe, echelle__code="entreprise").pk


def test_un_reglement_recu_et_non_affecte_arrete_le_courrier(smtp):
    """Exigence 2, relue à l'envoi."""
    echeance = EcheanceFactory(echue_le=MARDI - timedelta(days=9))
    passer(echeance.societe)
    EncaissementFactory(client=echeance.client, montant=990)
    assert envoi.envoyer(Courrier.objects.get().pk, au=MARDI) == S.ANNULE
    assert not smtp.messages


def test_sous_le_seuil_au_moment_de_l_envoi(smtp):
    echeance = EcheanceFactory(echue_le=MARDI - timedelta(days=9))
    VersionEchelle.objects.update(seuil_piece=Decimal(50))
    passer(echeance.societe)
    ImputationFactory(echeance=echeance, montant=Decimal("999.99"), date=MARDI)
    assert envoi.envoyer(Courrier.objects.get().pk, au=MARDI) == S.ANNULE


def test_rien_d_automatique_ne_part_sur_des_donnees_perimees(smtp, time_machine):
    """Exigence 1, relue à l'envoi ; ce qu'une personne a validé part."""
    time_machine.move_to("2026-02-10 19:00 +0100", tick=False)
    societe = SocieteFactory(alimentee_par_import=True)
    EcheanceFactory(societe=societe, echue_le=MARDI - timedelta(days=9))
    passage = nuit.ouvrir_passage(societe, au=MARDI, genre=Passage.Genre.AUTOMATIQUE)
    nuit.relancer(societe, au=MARDI, passage=passage)
    courrier = Courrier.objects.get()
    assert envoi.envoyer(courrier.pk, au=MARDI) == S.A_ENVOYER
    societe.dernier_import_le = datetime(2026, 2, 10, 12, tzinfo=ZoneInfo("Europe/Paris"))
    societe.save()
    assert envoi.envoyer(courrier.pk, au=MARDI) == S.ENVOYE


def test_par_piece_le_credit_ne_se_deduit_que_d_une_lettre(smtp):
    """Deux lettres la même nuit, 300 € de crédit : 1 700 € réclamés en tout, ni 1 400 ni 2 000."""
    client = ClientFactory(regroupement="piece")
    for _ in range(2):
        EcheanceFactory(client=client, echue_le=MARDI - timedelta(days=9))
    AvoirFactory(client=client, montant=300)
    passer(client.societe)
    assert sorted(Courrier.objects.values_list("total", flat=True)) == [700, 1000]
    for pk in Courrier.objects.values_list("pk", flat=True):
        assert envoi.envoyer(pk, au=MARDI) == S.ENVOYE
    assert sorted(Courrier.objects.values_list("total", flat=True)) == [700, 1000]


def test_le_credit_deja_deduit_d_un_courrier_en_vigueur_ne_l_est_pas_d_un_autre(smtp):
    client = ClientFactory(delai_entre_contacts=0)
    EcheanceFactory(client=client, echue_le=MARDI - timedelta(days=5))  # onze jours lundi : pas encore l'appel
    AvoirFactory(client=client, montant=300)
    passer(client.societe)
    assert envoi.envoyer(Courrier.objects.get().pk, au=MARDI) == S.ENVOYE
    EcheanceFactory(client=client, echue_le=MARDI - timedelta(days=1), montant=2000)
    lundi = MARDI + timedelta(days=6)
    passer(client.societe, lundi)
    second = Courrier.objects.get(arrete_au=lundi)
    assert (second.credits, second.total) == (0, 2000)
    assert envoi.envoyer(second.pk, au=lundi) == S.ENVOYE
    second.refresh_from_db()
    assert (second.credits, second.total) == (0, 2000), "la lettre composée déduit ce que la nuit a décidé"


def test_un_550_bannit_l_adresse_et_laisse_une_tache(smtp):
    """Exigences 21 et 22 : la nuit suivante se replie sur la lettre."""
    smtp.mode = Mode.REFUSE_DESTINATAIRE
    echeance = EcheanceFactory(echue_le=MARDI - timedelta(days=9))
    passer(echeance.societe)
    assert envoi.envoyer(Courrier.objects.get().pk, au=MARDI) == S.EN_ERREUR
    assert Tache.objects.get().genre == Tache.Genre.SANS_ADRESSE
    passer(echeance.societe, MARDI + timedelta(days=1))
    assert Courrier.objects.exclude(statut=S.EN_ERREUR).get().canal == "lettre"


def test_un_npai_ne_se_reecrit_pas_a_la_meme_adresse():
    courrier, echeance = a_poster(client=ClientFactory(courriel=""))
    gestes.poster(courrier, par=None, depose_le=MARDI, numero_suivi="2C12345678901")
    gestes.consigner_retour(courrier, par=None, retour="npai", retour_le=MARDI + timedelta(days=3))
    assert passer(echeance.societe, MARDI + timedelta(days=6)).retenues == {"adresse_en_erreur": 1}


def test_remettre_apres_un_npai_oublie_l_ancien_recommande_et_refuse_un_doublon():
    courrier, echeance = a_poster()
    gestes.poster(courrier, par=None, depose_le=MARDI, numero_suivi="2C12345678901")
    gestes.consigner_retour(courrier, par=None, retour="npai", retour_le=MARDI + timedelta(days=3))
    gestes.remettre_a_envoyer(courrier, par=None, au=MARDI + timedelta(days=6))
    courrier.refresh_from_db()
    assert (courrier.numero_suivi, courrier.retour, courrier.depose_le) == ("", "", None)

    relance = Relance.objects.get()
    autre = Courrier.objects.get()
    autre.pk, autre.jeton, autre._state.adding = None, "autre", True
    autre.statut, autre.numero_suivi = S.EN_ERREUR, ""
    autre.save()
    relance.pk, relance.courrier, relance.statut = None, autre, Relance.Statut.EN_ERREUR
    relance.save(force_insert=True)
    with pytest.raises(gestes.Refus, match="plus récente"):
        gestes.remettre_a_envoyer(autre, par=None, au=MARDI + timedelta(days=6))


def test_un_client_malade_n_arrete_pas_la_nuit(monkeypatch):
    malade = EcheanceFactory(echue_le=MARDI - timedelta(days=9))
    sain = EcheanceFactory(societe=malade.societe, echue_le=MARDI - timedelta(days=9))
    vrai = echelle.decider

    def decider(client, *args, **options):
        if client.id == malade.client_id:
            raise ValueError("donnée impossible")
        return vrai(client, *args, **options)

    monkeypatch.setattr(echelle, "decider", decider)
    bilan = passer(malade.societe)
    assert Courrier.objects.get().client == sain.client
    assert len(bilan.erreurs) == 1 and "donnée impossible" in bilan.erreurs[0]
    assert Passage.objects.get().statut == Passage.Statut.TERMINE


def test_rejouer_le_passe_ne_recrit_pas_un_verdict_posterieur():
    echeance = EcheanceFactory(echue_le=MARDI - timedelta(days=9))
    passer(echeance.societe)
    avant = list(Verdict.objects.values())
    passer(echeance.societe, MARDI - timedelta(days=1))
    assert list(Verdict.objects.values()) == avant


def test_le_frein_du_credit_se_calcule_sur_tout_l_echu(smtp):
    """Exigence 2 : une grosse pièce qui dort compte dans l'échu, la nuit comme à l'écran."""
    client = ClientFactory(delai_entre_contacts=0)
    EcheanceFactory(client=client, echue_le=MARDI - timedelta(days=6), montant=10_000)
    passer(client.societe)
    assert envoi.envoyer(Courrier.objects.get().pk, au=MARDI) == S.ENVOYE
    passer(client.societe, MARDI + timedelta(days=1))  # la grosse pièce dort jusqu'à l'appel
    EcheanceFactory(client=client, echue_le=MARDI - timedelta(days=4), montant=500)
    EncaissementFactory(client=client, montant=300)
    assert passer(client.societe, MARDI + timedelta(days=2)).decidees == 1


def test_un_courrier_en_erreur_sans_lettre_n_en_invente_pas_une():
    echeance = EcheanceFactory(echue_le=MARDI - timedelta(days=60))
    Echeance.objects.update(niveau=3, niveau_rang=2, niveau_version=version_de(echeance), niveau_le=MARDI)
    passer(echeance.societe, MARDI + timedelta(days=7))
    Courrier.objects.update(statut=S.EN_ERREUR)
    with pytest.raises(gestes.Refus, match="Aucune lettre"):
        gestes.apercu_pdf(Courrier.objects.get(), au=MARDI)


def test_une_autre_echeance_contestee_de_la_facture_interdit_d_ecrire_aucune_contestation():
    courrier, echeance = a_poster()
    lettre = composer(courrier, au=MARDI)
    assert lettre.contestations == ()
    autre = EcheanceFactory(facture=echeance.facture, echue_le=MARDI - timedelta(days=2), montant=100)
    LitigeFactory(echeance=autre)
    assert composer(courrier, au=MARDI).contestations is None
