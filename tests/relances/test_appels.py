"""L'issue d'un appel fait sa suite (exigence 30), la facture non reçue repart (34), la promesse se confirme (31)."""

from datetime import date, timedelta
from decimal import Decimal

import pytest
from django.core.exceptions import ValidationError
from django.utils import timezone

from clients.services import ConflitEdition
from clients.views.volet_appel import AVEC_PIECES
from factures.models import CopieFacture, Exclusion, Promesse
from factures.services.copies import deposer
from recouvrement.commun import depot, pdf
from recouvrement.journal.models import Maillon
from relances.domaine.appels import SUITES, Effet, Issue
from relances.models import Courrier, Message, Passage, Tache
from relances.services import confirmations, messages, nuit, renvois, taches
from relances.services.appels import conclure_appel
from relances.services.quotidien import derouler
from tests.clients.factories import ClientFactory, ContactFactory
from tests.comptes.factories import UtilisateurFactory
from tests.factures.factories import (
    EcheanceFactory,
    EncaissementFactory,
    ExclusionFactory,
    ImputationFactory,
    LitigeFactory,
)

pytestmark = pytest.mark.django_db
MARDI = date(2026, 2, 10)
CINQ_JOURS = date(2026, 2, 17)  # cinq jours ouvrés après
S = Message.Statut


@pytest.fixture(autouse=True)
def range_ici(settings, tmp_path, time_machine):
    settings.DEPOT = tmp_path / "depot"
    time_machine.move_to("2026-02-10 10:00 +0100", tick=False)


@pytest.fixture
def debiteur():
    return ClientFactory(raison_sociale="Menuiserie Kerdraon", code="CL-7")


@pytest.fixture
def acteur(debiteur):
    return UtilisateurFactory(societe=debiteur.societe)


@pytest.fixture
def piece(debiteur):
    return EcheanceFactory(client=debiteur, echue_le=MARDI - timedelta(days=20), montant=Decimal("1200.50"))


def tenir_copie(facture) -> CopieFacture:
    html = '<!doctype html><html lang="fr"><title>F</title><body><p>Facture</p></body></html>'
    octets = pdf.rendre(html, pdf.POLICES.parents[2] / "templates/relances/lettres/lettre.css")
    return deposer(facture, octets=octets, nom="f.pdf", acteur=UtilisateurFactory())[0]


def appeler(debiteur, acteur, issue, pieces=(), **plus):
    return conclure_appel(debiteur, issue=issue, au=MARDI, acteur=acteur, pieces=list(pieces), **plus)


def lisible(texte: str) -> str:
    return texte.replace("\u00a0", " ").replace("\u202f", " ")


# --- La table entière -----------------------------------------------------------------------------

TABLE = {  # issue : (effet, tâche ouverte, pièces retenues, courriel écrit)
    Issue.PROMESSE: (Effet.PROMESSE, "", False, False),
    Issue.PAIEMENT_PARTI: (Effet.RETENUE, "verifier_paiement", True, False),
    Issue.NON_RECUE: (Effet.RENVOI, "", True, True),
    Issue.EN_VALIDATION: (Effet.TACHE, "rappel", False, False),
    Issue.LITIGE: (Effet.LITIGE, "", False, False),
    Issue.MESSAGE: (Effet.TACHE, "rappel", False, False),
    Issue.INJOIGNABLE: (Effet.TACHE, "rappel", False, False),
    Issue.AUTRE: (Effet.RIEN, "", False, False),
}


def test_exigence_30_la_table_des_suites_est_complete():
    """Exigence 30 : chaque issue codée a sa suite, dite une fois."""
    assert set(TABLE) == set(Issue) == set(SUITES)
    assert {i: SUITES[i].effet for i in Issue} == {i: effet for i, (effet, *_reste) in TABLE.items()}
    assert sorted(AVEC_PIECES) == ["non_recue", "paiement_parti"]


@pytest.mark.parametrize("issue", list(Issue))
def test_exigence_30_chaque_issue_fait_sa_suite_et_clot_la_tache_d_appel(debiteur, acteur, piece, issue):
    _effet, tache, retenue, ecrit = TABLE[issue]
    tenir_copie(piece.facture)
    ouverte = taches.creer_tache(debiteur, genre=Tache.Genre.APPEL, titre="Appeler", due_le=MARDI, cle="appel")

    appeler(debiteur, acteur, issue, [piece], commentaire="parlé à la comptable", motif="oubli")

    ouverte.refresh_from_db()
    assert ouverte.faite_le
    assert list(debiteur.taches.filter(faite_le=None).values_list("cle", flat=True)) == ([tache] if tache else [])
    assert Exclusion.objects.en_cours(MARDI).filter(echeance=piece).exists() is retenue
    assert debiteur.messages.exists() is ecrit
    piece.refresh_from_db()
    assert piece.niveau == 0, "aucune issue n'avance le niveau"
    detail = Maillon.objects.get(action="appel.consigne").detail
    assert (detail.donnees["issue"], detail.donnees["motif"], detail.texte) == (issue, "oubli", "parlé à la comptable")


@pytest.mark.parametrize("issue", [Issue.NON_RECUE, Issue.PAIEMENT_PARTI])
def test_sans_piece_on_ne_sait_pas_ce_qui_attend(debiteur, acteur, piece, issue):
    with pytest.raises(ValidationError, match="Cochez les pièces"):
        appeler(debiteur, acteur, issue)
    assert not Maillon.objects.exists()


def test_le_double_clic_d_un_appel_ne_renvoie_qu_une_facture(debiteur, acteur, piece):
    tenir_copie(piece.facture)
    dites = [appeler(debiteur, acteur, Issue.NON_RECUE, [piece], cle="k") for _ in range(2)]
    assert dites[0] and dites[1] == ""
    assert (Message.objects.count(), Exclusion.objects.count()) == (1, 1)
    assert Maillon.objects.filter(action="appel.consigne").count() == 1


def test_exigence_30_un_paiement_parti_attend_cinq_jours_puis_l_echelle_reprend(debiteur, acteur, piece):
    appeler(debiteur, acteur, Issue.PAIEMENT_PARTI, [piece])
    exclusion = Exclusion.objects.get()
    assert (exclusion.au, exclusion.auteur) == (CINQ_JOURS, acteur)
    assert "arrivée à vérifier" in exclusion.motif
    assert Tache.objects.get(cle="verifier_paiement").due_le == CINQ_JOURS
    assert not partie(debiteur, CINQ_JOURS)
    assert partie(debiteur, CINQ_JOURS + timedelta(days=1))


def partie(client, le) -> bool:
    passage = nuit.ouvrir_passage(client.societe, au=le, genre=Passage.Genre.REJOUE)
    nuit.relancer(client.societe, au=le, passage=passage)
    return Courrier.objects.filter(client=client).exists()


# --- Facture non reçue -----------------------------------------------------------------------------


def test_exigence_34_la_facture_repart_avec_sa_copie_et_un_delai_sans_avancer_le_niveau(
    debiteur, acteur, piece, mailoutbox
):
    """Exigence 34 : « facture non reçue » la renvoie sur-le-champ et redonne un délai court."""
    copie = tenir_copie(piece.facture)
    renvoi = renvois.renvoyer(debiteur, [piece], au=MARDI, acteur=acteur)
    message = renvoi.message
    assert (message.genre, message.destinataire, message.statut) == ("facture", debiteur.courriel, S.A_ENVOYER)
    texte = lisible(message.texte)
    assert piece.facture.numero in texte and "1 200,50 €" in texte and "mercredi 18 février 2026" in texte
    assert not any(mot in texte for mot in ("pénalité", "40 €", "demeure", "retard"))

    messages.expedier(message.pk, moment=timezone.now() + timedelta(seconds=11))
    (parti,) = mailoutbox
    ((nom, octets, mime),) = parti.attachments
    assert (octets, mime) == (depot.lire(copie.chemin, copie.empreinte), "application/pdf")
    assert nom.endswith(".pdf") and not partie(debiteur, CINQ_JOURS)
    assert partie(debiteur, date(2026, 2, 18))
    piece.refresh_from_db()
    assert piece.niveau == Courrier.objects.get().nature, "elle repart à l'étape due"


def test_exigence_34_le_double_clic_et_les_deux_onglets_ne_renvoient_qu_une_fois(debiteur, acteur, piece):
    tenir_copie(piece.facture)
    ids = {renvois.renvoyer(debiteur, [piece], au=MARDI, acteur=acteur).message.pk for _ in range(3)}
    assert len(ids) == 1 and Message.objects.count() == 1
    assert Maillon.objects.filter(action="facture.renvoyee").count() == 1


def test_exigence_34_sans_copie_cela_se_dit_et_une_tache_s_ouvre(debiteur, acteur, piece):
    autre = EcheanceFactory(client=debiteur, echue_le=MARDI - timedelta(days=3))
    tenir_copie(autre.facture)
    renvoi = renvois.renvoyer(debiteur, [piece, autre], au=MARDI, acteur=acteur)
    assert (renvoi.manquantes, len(renvoi.message.jointes)) == ([piece.facture.numero], 1)
    assert piece.facture.numero not in renvoi.message.texte
    tache = Tache.objects.get(faite_le=None)
    assert tache.cle == "renvoyer_facture" and piece.facture.numero in tache.raison
    assert piece.facture.numero in renvois.dire(renvoi)
    assert Exclusion.objects.count() == 2, "les deux attendent"


def test_exigence_34_sans_adresse_rien_ne_part_et_la_tache_le_dit(debiteur, acteur, piece):
    type(debiteur).objects.filter(pk=debiteur.pk).update(courriel="")
    tenir_copie(piece.facture)
    renvoi = renvois.renvoyer(debiteur, [piece], au=MARDI, acteur=acteur)
    assert (renvoi.message, renvoi.sans_adresse) == (None, True)
    assert "adresse" in Tache.objects.get().raison and "Aucune adresse" in renvois.dire(renvoi)


def test_un_renvoi_se_defait_dans_les_dix_secondes_puis_se_refait(debiteur, acteur, piece):
    tenir_copie(piece.facture)
    premier = renvois.renvoyer(debiteur, [piece], au=MARDI, acteur=acteur).message
    assert renvois.defaire_renvoi(premier, acteur=acteur) == (True, False)
    assert not Exclusion.objects.en_cours(MARDI).exists()
    second = renvois.renvoyer(debiteur, [piece], au=MARDI, acteur=acteur).message
    assert second != premier
    messages.expedier(second.pk, moment=timezone.now() + timedelta(seconds=11))
    assert renvois.defaire_renvoi(second, acteur=acteur) == (False, True)
    assert Exclusion.objects.en_cours(MARDI).exists(), "parti, le délai promis au client tient"


def test_une_exclusion_plus_longue_n_est_pas_raccourcie(debiteur, acteur, piece):
    longue = ExclusionFactory(echeance=piece, du=MARDI, au=MARDI + timedelta(days=60))
    renvois.renvoyer(debiteur, [piece], au=MARDI, acteur=acteur)
    assert list(Exclusion.objects.en_cours(MARDI)) == [longue]


def test_la_piece_d_un_autre_client_ne_se_renvoie_pas(debiteur, acteur):
    with pytest.raises(ValidationError, match="au moins une pièce"):
        renvois.renvoyer(debiteur, [EcheanceFactory()], au=MARDI, acteur=acteur)


@pytest.mark.parametrize("trait", [{}, {"particulier": True}, {"administration": True}, {"langue": "en"}])
def test_le_renvoi_s_ecrit_pour_chaque_debiteur_et_chaque_langue(acteur, trait):
    client = ClientFactory(**trait)
    piece = EcheanceFactory(client=client, echue_le=MARDI - timedelta(days=5))
    tenir_copie(piece.facture)
    message = renvois.renvoyer(client, [piece], au=MARDI, acteur=acteur).message
    assert ("attached" in message.texte) == (client.langue == "en")


# --- La promesse confirmée -----------------------------------------------------------------------


def promettre(debiteur, acteur, pieces, **champs):
    base = {"montant": Decimal(1000), "date_promise": date(2026, 2, 20), "moyen": "virement", "au": MARDI}
    return confirmations.promettre_et_confirmer(debiteur, pieces, acteur=acteur, **base | champs)


def test_exigence_31_de_la_promesse_confirmee_a_la_rupture_a_travers_les_jours(debiteur, acteur, piece, mailoutbox):
    """Exigence 31 : pause, confirmation écrite, puis rompue seule à J + 2 jours ouvrés : tâche, reprise."""
    comptable = ContactFactory(client=debiteur, role="comptabilite", recoit_relances=False)
    promesse, message = promettre(debiteur, acteur, [piece])
    assert (message.destinataire, message.promesse, message.auteur) == (comptable.courriel, promesse, acteur)
    messages.expedier(message.pk, moment=timezone.now())
    assert mailoutbox == [], "dix secondes pour se raviser"
    messages.expedier(message.pk, moment=timezone.now() + timedelta(seconds=11))
    texte = lisible(mailoutbox[0].body)
    assert "1 000,00 €" in texte and "vendredi 20 février 2026" in texte and piece.facture.numero in texte
    assert "Après ce règlement, il restera 200,50 €" in texte
    assert not any(mot in texte for mot in ("pénalité", "40 €", "mise en demeure", "palier"))

    limite = date(2026, 2, 24)
    for jour in (date(2026, 2, 12), date(2026, 2, 20), limite):
        passer(debiteur, jour)
        promesse.refresh_from_db()
        assert (promesse.statut, Courrier.objects.count()) == (Promesse.Statut.EN_ATTENTE, 0)
    passer(debiteur, limite + timedelta(days=1))
    promesse.refresh_from_db()
    assert promesse.statut == Promesse.Statut.ROMPUE
    assert Tache.objects.get(cle=f"promesse:{promesse.pk}").genre == Tache.Genre.PROMESSE_ROMPUE
    assert Courrier.objects.count() == 1, "reprise à l'étape due"


def passer(client, jour):
    derouler(nuit.ouvrir_passage(client.societe, au=jour, genre=Passage.Genre.REJOUE), client.societe, au=jour)


@pytest.mark.parametrize(("paye", "attendu"), [(1000, "tenue"), (400, "partielle")])
def test_exigence_31_tenue_ou_partielle_seule(debiteur, acteur, piece, paye, attendu):
    promesse, _message = promettre(debiteur, acteur, [piece])
    virement = EncaissementFactory(client=debiteur, montant=paye, date=date(2026, 2, 19))
    ImputationFactory(echeance=piece, encaissement=virement, montant=paye, date=date(2026, 2, 19))
    passer(debiteur, date(2026, 2, 25))
    promesse.refresh_from_db()
    assert promesse.statut == attendu
    assert Tache.objects.filter(cle=f"promesse:{promesse.pk}").exists() == (attendu == "partielle")


def test_exigence_31_un_report_avant_la_date_n_est_pas_une_rupture(debiteur, acteur, piece):
    """exigences.md § 2.9 : l'ancienne est annulée, sa confirmation pas encore partie aussi."""
    premiere, ancien = promettre(debiteur, acteur, [piece])
    seconde, nouveau = promettre(debiteur, acteur, [piece], date_promise=date(2026, 2, 27))
    premiere.refresh_from_db(), ancien.refresh_from_db()
    assert (premiere.statut, ancien.statut) == (Promesse.Statut.ANNULEE, S.ANNULE)
    assert (seconde.statut, nouveau.statut) == (Promesse.Statut.EN_ATTENTE, S.A_ENVOYER)


def test_annuler_la_promesse_annule_sa_confirmation_tant_qu_elle_attend(debiteur, acteur, piece):
    promesse, message = promettre(debiteur, acteur, [piece])
    assert confirmations.defaire_promesse(promesse, au=MARDI, acteur=acteur) == (True, "annulee")
    assert confirmations.defaire_promesse(promesse, au=MARDI, acteur=acteur) == (False, "")
    message.refresh_from_db()
    assert message.statut == S.ANNULE

    promesse, message = promettre(debiteur, acteur, [piece])
    messages.expedier(message.pk, moment=timezone.now() + timedelta(seconds=11))
    assert confirmations.defaire_promesse(promesse, au=MARDI, acteur=acteur) == (True, "partie")


def test_sans_adresse_ou_sans_coche_rien_ne_s_ecrit(debiteur, acteur, piece):
    assert promettre(debiteur, acteur, [piece], confirmer=False)[1] is None
    type(debiteur).objects.filter(pk=debiteur.pk).update(courriel_invalide_le=timezone.now())
    debiteur.refresh_from_db()
    message = promettre(debiteur, acteur, [piece], date_promise=date(2026, 2, 26))[1]
    assert message is None and "Aucune adresse" in confirmations.dire(message, demandee=True)


def test_le_double_clic_ne_confirme_qu_une_fois(debiteur, acteur, piece):
    messages_ecrits = {promettre(debiteur, acteur, [piece])[1].pk for _ in range(3)}
    assert len(messages_ecrits) == 1 and Promesse.objects.count() == 1


def test_une_promesse_notee_entre_temps_par_un_collegue_se_dit_sans_rien_ecrire(debiteur, acteur, piece):
    collegue = UtilisateurFactory(societe=debiteur.societe, nom="Paul Vidal")
    promettre(debiteur, collegue, [piece], montant=Decimal(500))
    with pytest.raises(ConflitEdition) as conflit:
        promettre(debiteur, acteur, [piece], vue=0)
    assert "Paul Vidal" in str(conflit.value) and "500,00" in lisible(conflit.value.champs[0])
    assert Promesse.objects.count() == 1
    promettre(debiteur, acteur, [piece], vue=conflit.value.version)
    assert Promesse.objects.en_attente().get().montant == 1000


@pytest.mark.parametrize("trait", [{}, {"particulier": True}, {"administration": True}, {"langue": "en"}])
def test_la_confirmation_s_ecrit_pour_chaque_debiteur_et_chaque_langue(acteur, trait):
    client = ClientFactory(**trait)
    piece = EcheanceFactory(client=client, echue_le=MARDI - timedelta(days=5))
    LitigeFactory(echeance=EcheanceFactory(client=client, echue_le=MARDI - timedelta(days=5), montant=900))
    _promesse, message = promettre(client, acteur, [piece])
    assert ("Amount" in message.texte) == (client.langue == "en") == ("commitment" in message.objet)
    assert "restera" not in message.texte, "la part contestée n'est pas réclamée"
