"""La chance qu'agir serve : chaque part compte, se borne et se dit ; ce que la base en sait."""

from datetime import date, datetime, time, timedelta
from decimal import Decimal

import pytest
from django.utils import timezone
from hypothesis import given
from hypothesis import strategies as st

from factures.models import Promesse
from recouvrement.pilotage.domaine.priorite import DE_LA_MAISON, Chance, Genre, Habitudes, Part, chance, valeur
from recouvrement.pilotage.habitudes import habitudes
from recouvrement.pilotage.presentation import ONGLETS, SIGNES, phrase_de_chance
from relances.domaine.appels import Issue
from relances.services.taches import consigner_appel
from tests.clients.factories import ClientFactory
from tests.comptes.factories import UtilisateurFactory
from tests.contentieux.factories import DossierFactory
from tests.factures.factories import EcheanceFactory, EncaissementFactory, ImputationFactory, PromesseFactory

AU = date(2026, 11, 20)


@pytest.mark.parametrize(
    ("h", "attendu"),
    [
        (Habitudes(), 50),
        (Habitudes(retard=10), 70),
        (Habitudes(retard=30), 60),
        (Habitudes(retard=60), 50),
        (Habitudes(retard=61), 40),
        (Habitudes(retard=-4), 70),
        (Habitudes(tenues=1, conclues=1), 56),
        (Habitudes(tenues=0, conclues=1), 43),
        (Habitudes(tenues=8, conclues=8), 66),
        (Habitudes(tenues=0, conclues=8), 34),
        (Habitudes(injoignable=1), 40),
        (Habitudes(injoignable=3), 20),
        (Habitudes(injoignable=9), 20),
        (Habitudes(promesse_court=True), 30),
        (Habitudes(a_ecrit=True), 65),
        (Habitudes(retard=90, injoignable=3, promesse_court=True, conclues=9), 5),
        (Habitudes(retard=2, tenues=20, conclues=20, a_ecrit=True), 95),
        (Habitudes(retard=2, suspendu=True), 15),
        (Habitudes(retard=2, contentieux=True, suspendu=True), 10),
        (Habitudes(retard=2, procedure=True, contentieux=True), 5),
    ],
)
def test_chaque_habitude_pese_son_poids(h, attendu):
    assert chance(h).pourcent == attendu


def test_un_delai_de_procedure_passe_avant_toute_habitude():
    assert chance(Habitudes(procedure=True), butoir=True) == Chance(100, (Part.BUTOIR,))


@pytest.mark.parametrize("genre", sorted(DE_LA_MAISON))
def test_ce_qui_ne_depend_que_de_nous_ne_regarde_pas_le_client(genre):
    assert chance(Habitudes(injoignable=3, contentieux=True), genre=genre).pourcent == 80


@given(
    st.builds(
        Habitudes, retard=st.none() | st.integers(-400, 4000), tenues=st.integers(0, 50), conclues=st.integers(50, 99),
        injoignable=st.integers(0, 99), promesse_court=st.booleans(), a_ecrit=st.booleans(), suspendu=st.booleans(),
        contentieux=st.booleans(), procedure=st.booleans(),
    )
)  # fmt: skip
def test_la_chance_reste_bornee_et_se_dit_toujours(h):
    c = chance(h)
    assert 5 <= c.pourcent <= 95
    assert c.parts
    assert phrase_de_chance(c, h, echu=Decimal(10), retard=3).startswith("chance ")


@given(st.integers(0, 60), st.integers(0, 60))
def test_une_promesse_tenue_de_plus_ne_baisse_jamais_la_chance(tenues, rompues):
    avant = chance(Habitudes(tenues=tenues, conclues=tenues + rompues)).pourcent
    assert (
        tenues + rompues == 0 or chance(Habitudes(tenues=tenues + 1, conclues=tenues + rompues + 1)).pourcent >= avant
    )


def test_la_valeur_multiplie_montant_age_et_chance():
    assert valeur(Decimal(900), 30, 50) == Decimal(900)
    assert valeur(Decimal(900), 0, 10) == Decimal(90)


def test_tout_genre_a_son_signe_et_un_onglet():
    assert set(SIGNES) == set(Genre)
    assert set().union(*(genres for _cle, _nom, genres in ONGLETS)) == set(Genre)


def test_la_phrase_dit_le_chiffre_et_ses_raisons():
    h = Habitudes(retard=12, tenues=2, conclues=3, injoignable=2)
    phrase = phrase_de_chance(chance(h), h, echu=Decimal(900), retard=53).replace("\u00a0", " ").replace("\u202f", " ")
    assert phrase == (
        "chance 44 % : 2 appels de suite sans réponse, 2 promesses tenues sur 3, "
        "paie d'ordinaire 12 jours après l'échéance · âge × 2,8"
    )


# --- Ce que la base en sait -----------------------------------------------------------------------------


def lues(client, **suite) -> Habitudes:
    return habitudes([client], au=AU, **suite)[client.pk]


def test_rien_de_connu(db):
    assert lues(ClientFactory()) == Habitudes()


def test_le_retard_se_pese_par_les_montants_sur_un_an(db):
    client = ClientFactory()
    for montant, retard, recu in ((300, 10, 30), (100, 50, 60), (5000, 200, 400)):
        jour = AU - timedelta(recu)
        piece = EcheanceFactory(client=client, echue_le=jour - timedelta(retard), montant=montant)
        recu = EncaissementFactory(client=client, montant=montant, date=jour)
        ImputationFactory(echeance=piece, encaissement=recu, montant=montant)
    assert lues(client).retard == 20


def test_les_promesses_conclues_se_comptent_et_celle_qui_court_se_sait(db):
    client = ClientFactory()
    piece = EcheanceFactory(client=client, echue_le=AU - timedelta(90), montant=1000)
    for statut, conclue in ((Promesse.Statut.TENUE, 10), (Promesse.Statut.ROMPUE, 20), (Promesse.Statut.ROMPUE, 400)):
        jour = AU - timedelta(conclue)
        PromesseFactory(echeances=[piece], date_promise=jour, faite_le=jour, statut=statut, conclue_le=jour)
    assert (lues(client).tenues, lues(client).conclues, lues(client).promesse_court) == (1, 2, False)
    PromesseFactory(echeances=[piece], date_promise=AU)
    assert lues(client).promesse_court


def test_seuls_les_appels_d_affilee_sans_reponse_comptent(db, monkeypatch):
    monkeypatch.setattr(timezone, "now", lambda: timezone.make_aware(datetime.combine(AU, time(9))))
    client = ClientFactory()
    acteur = UtilisateurFactory(societe=client.societe)
    for issue in (Issue.INJOIGNABLE, Issue.MESSAGE, Issue.INJOIGNABLE, Issue.INJOIGNABLE):
        consigner_appel(client, issue=issue, au=AU, acteur=acteur)
    assert lues(client).injoignable == 2


def test_procedure_surendettement_suspension_et_contentieux(db):
    client = ClientFactory(surendettement=True)
    assert lues(client, suspendus={client.pk}).procedure
    assert lues(client, suspendus={client.pk}).suspendu
    dossier = DossierFactory()
    assert lues(dossier.client).contentieux
