"""Appels, reports et tâches : la suite se crée seule (exigence 30)."""

from datetime import date, timedelta

import pytest
from django.core.exceptions import ValidationError

from recouvrement.journal.models import Maillon
from relances.domaine.appels import Issue, jour_de_suite
from relances.models import Tache
from relances.services import taches
from tests.clients.factories import ClientFactory, ContactFactory
from tests.comptes.factories import UtilisateurFactory
from tests.factures.factories import EcheanceFactory, ImputationFactory, PromesseFactory

VENDREDI = date(2026, 11, 20)


@pytest.mark.parametrize(
    ("issue", "attendu"),
    [
        (Issue.INJOIGNABLE, date(2026, 11, 23)),
        (Issue.MESSAGE, date(2026, 11, 24)),
        (Issue.EN_VALIDATION, date(2026, 11, 27)),
        (Issue.PAIEMENT_PARTI, date(2026, 11, 27)),
        (Issue.NON_RECUE, VENDREDI),
        (Issue.PROMESSE, None),
        (Issue.LITIGE, None),
        (Issue.AUTRE, None),
    ],
)
def test_exigence_30_chaque_issue_a_sa_suite_en_jours_ouvres(issue, attendu):
    assert jour_de_suite(issue, au=VENDREDI, region="metropole") == attendu


def test_toutes_les_issues_ont_un_libelle():
    assert set(taches.ISSUES) == set(Issue)


@pytest.fixture
def client_(db):
    return ClientFactory()


@pytest.fixture
def acteur(client_):
    return UtilisateurFactory(societe=client_.societe)


def ouvrir(client, genre=Tache.Genre.APPEL, cle="appel:2:EUR", le=VENDREDI) -> Tache:
    return taches.creer_tache(client, genre=genre, titre="Appeler", due_le=le, cle=cle)


def test_exigence_30_un_appel_clot_les_taches_d_appel_et_cree_la_suite(client_, acteur):
    appel = ouvrir(client_)
    rompue = ouvrir(client_, Tache.Genre.PROMESSE_ROMPUE, "promesse:1")
    autre = ouvrir(client_, Tache.Genre.DECISION, "max_amiables")
    voisin = ouvrir(ClientFactory(societe=client_.societe))
    contact = ContactFactory(client=client_, nom="Nadia Ferrand")

    closes = taches.consigner_appel(
        client_, issue=Issue.MESSAGE, au=VENDREDI, acteur=acteur, contact=contact, commentaire="à la secrétaire"
    )

    assert closes == 2
    for tache in (appel, rompue, autre, voisin):
        tache.refresh_from_db()
    assert (appel.faite_par, appel.issue, rompue.faite_par) == (acteur, "Message laissé", acteur)
    assert (autre.faite_le, voisin.faite_le) == (None, None)
    suite = Tache.objects.get(client=client_, cle="rappel", faite_le=None)
    assert (suite.genre, suite.due_le) == (Tache.Genre.APPEL, date(2026, 11, 24))
    detail = Maillon.objects.get(action="appel.consigne", client_id=client_.pk).detail
    assert detail.texte == "à la secrétaire"
    assert (detail.donnees["issue"], detail.donnees["contact"]) == ("message", "Nadia Ferrand")


def test_la_personne_choisit_le_jour_de_la_suite(client_, acteur):
    taches.consigner_appel(
        client_, issue=Issue.AUTRE, au=VENDREDI, acteur=acteur, commentaire="rappeler", suite_le=date(2026, 12, 1)
    )

    assert Tache.objects.get(client=client_).due_le == date(2026, 12, 1)


def test_deux_messages_de_suite_ne_laissent_qu_un_rappel(client_, acteur):
    for jour in (VENDREDI, VENDREDI + timedelta(3)):
        taches.consigner_appel(client_, issue=Issue.MESSAGE, au=jour, acteur=acteur)

    assert Tache.objects.get(client=client_, faite_le=None).due_le == date(2026, 11, 25)


def test_facture_non_recue_demande_de_la_renvoyer_aujourd_hui(client_, acteur):
    taches.consigner_appel(client_, issue=Issue.NON_RECUE, au=VENDREDI, acteur=acteur)

    tache = Tache.objects.get(client=client_)
    assert (tache.genre, tache.due_le, tache.cle) == (Tache.Genre.AUTRE, VENDREDI, "renvoyer_facture")


def test_une_issue_autre_se_dit_en_une_phrase(client_, acteur):
    with pytest.raises(ValidationError) as refus:
        taches.consigner_appel(client_, issue=Issue.AUTRE, au=VENDREDI, acteur=acteur)
    assert list(refus.value.message_dict) == ["commentaire"]


def test_une_tache_se_termine_une_seule_fois(client_, acteur):
    tache = ouvrir(client_)

    assert [taches.terminer_tache(tache, issue="fait", acteur=acteur) for _ in range(2)] == [True, False]
    assert Maillon.objects.filter(action="tache.faite").count() == 1


def test_un_report_porte_sa_raison_et_un_jour_a_venir(client_, acteur):
    tache = ouvrir(client_)

    assert taches.reporter_tache(tache, au=VENDREDI + timedelta(3), motif="congés", acteur=acteur, le=VENDREDI)
    tache.refresh_from_db()
    assert (tache.due_le, tache.raison) == (date(2026, 11, 23), "congés")
    for jour, motif in ((VENDREDI, "congés"), (VENDREDI + timedelta(1), " ")):
        with pytest.raises(ValidationError):
            taches.reporter_tache(tache, au=jour, motif=motif, acteur=acteur, le=VENDREDI)


def test_un_report_dure_90_jours_au_plus_et_ne_depasse_jamais_la_date_butoir(client_, acteur):
    def reporter(tache, jours):
        return taches.reporter_tache(
            Tache.objects.get(pk=tache.pk), au=VENDREDI + timedelta(jours), motif="congés", acteur=acteur, le=VENDREDI
        )

    libre = ouvrir(client_)
    declarer = taches.creer_tache(
        client_, genre=Tache.Genre.DECLARER, titre="Déclarer", due_le=VENDREDI + timedelta(45), cle="declarer"
    )
    for tache, jours, refus in ((libre, 91, "90 jours"), (declarer, 46, "ne se reporte pas")):
        with pytest.raises(ValidationError, match=refus):
            reporter(tache, jours)
    assert reporter(libre, 90)
    assert reporter(declarer, 20)
    assert reporter(declarer, 45)  # avancée, elle peut revenir jusqu'au butoir, pas au-delà
    with pytest.raises(ValidationError):
        reporter(declarer, 46)


def test_exigence_36_un_jugement_clot_ce_qui_reclamerait(client_, acteur):
    ouvrir(client_)
    ouvrir(client_, Tache.Genre.CONTENTIEUX, "contentieux:5:EUR")
    declarer = ouvrir(client_, Tache.Genre.DECLARER, "declarer")

    assert taches.clore_pour_jugement(client_, acteur=acteur) == 2
    assert list(Tache.objects.filter(faite_le=None)) == [declarer]


@pytest.mark.parametrize(("paye", "mot"), [(0, "rompue"), (400, "en partie")])
def test_exigence_31_une_promesse_manquee_laisse_une_tache_et_une_seule(client_, paye, mot):
    echeance = EcheanceFactory(client=client_, echue_le=date(2026, 10, 1))
    promesse = PromesseFactory(echeances=[echeance], date_promise=date(2026, 11, 16), faite_le=date(2026, 11, 9))
    if paye:
        ImputationFactory(echeance=echeance, montant=paye, date=date(2026, 11, 16))

    for jour in (VENDREDI, VENDREDI + timedelta(3)):
        taches.conclure_promesses(client_.societe, au=jour)

    tache = Tache.objects.get(client=client_)
    assert (tache.genre, tache.cle, tache.due_le) == (Tache.Genre.PROMESSE_ROMPUE, f"promesse:{promesse.pk}", VENDREDI)
    assert mot in tache.titre
    assert "1 000,00 €" in tache.titre.replace("\u00a0", " ")


def test_exigence_31_la_tache_faite_ne_revient_pas(client_, acteur):
    echeance = EcheanceFactory(client=client_, echue_le=date(2026, 10, 1))
    PromesseFactory(echeances=[echeance], date_promise=date(2026, 11, 16), faite_le=date(2026, 11, 9))
    taches.conclure_promesses(client_.societe, au=VENDREDI)
    taches.consigner_appel(client_, issue=Issue.AUTRE, au=VENDREDI, acteur=acteur, commentaire="paie demain")

    taches.conclure_promesses(client_.societe, au=VENDREDI + timedelta(3))

    assert not Tache.objects.filter(client=client_, faite_le=None).exists()


def test_exigence_31_une_promesse_tenue_ne_demande_rien(client_):
    echeance = EcheanceFactory(client=client_, echue_le=date(2026, 10, 1))
    PromesseFactory(echeances=[echeance], date_promise=date(2026, 11, 16), faite_le=date(2026, 11, 9))
    ImputationFactory(echeance=echeance, date=date(2026, 11, 17))

    taches.conclure_promesses(client_.societe, au=VENDREDI)

    assert not Tache.objects.exists()
