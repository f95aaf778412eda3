"""Balance âgée : tranches, passé reconstruit, crédits à part, périmètre (exigences.md § 2.1, exigence 40)."""

import random
from datetime import date, timedelta
from decimal import Decimal

import pytest
from django.contrib.auth.models import AnonymousUser

from clients.models import Client
from factures import balance
from factures.models import Avoir, Echeance, Encaissement, Imputation
from tests.clients.factories import ClientFactory
from tests.comptes.factories import SocieteFactory, UtilisateurFactory

from .factories import AvoirFactory, EcheanceFactory, EncaissementFactory, FactureFactory, ImputationFactory

pytestmark = pytest.mark.django_db
AU = date(2026, 10, 31)
TOUS = Client.objects.all


def jours(n):
    return AU - timedelta(days=n)


def euros(ligne):
    return [int(m) for m in ligne.montants]


@pytest.mark.parametrize(
    ("retard", "rang"), [(-1, 0), (0, 0), (1, 1), (30, 1), (31, 2), (60, 2), (61, 3), (90, 3), (91, 4), (400, 4)]
)
def test_l_echeance_du_jour_n_est_pas_en_retard_et_chaque_tranche_a_ses_bornes(retard, rang):
    EcheanceFactory(echue_le=jours(retard), date_facture=jours(500))

    (ligne,) = balance.balance_agee(TOUS(), au=AU)

    attendu = [0] * 5
    attendu[rang] = 1000
    assert ligne.tranches == attendu
    assert balance.tranche(jours(retard), AU) == rang
    assert (ligne.echu, ligne.encours) == (1000 if rang else 0, 1000)


def test_le_passe_se_reconstruit_par_les_imputations_et_non_par_le_solde_du_jour():
    echeance = EcheanceFactory(echue_le=date(2026, 9, 30))
    ImputationFactory(echeance=echeance, montant=400, date=date(2026, 10, 10))
    ImputationFactory(echeance=echeance, montant=600, date=date(2026, 10, 20))

    def encours(jour):
        return [ligne.encours for ligne in balance.balance_agee(TOUS(), au=jour)]

    assert encours(date(2026, 8, 30)) == []  # pas encore facturée
    assert encours(date(2026, 8, 31)) == encours(date(2026, 10, 9)) == [1000]
    assert encours(date(2026, 10, 10)) == encours(date(2026, 10, 19)) == [600]
    assert encours(date(2026, 10, 20)) == []


def test_un_credit_non_affecte_parait_en_negatif_dans_a_imputer_jamais_dans_une_tranche():
    """Exigence 4 et § 2.1 : encaissement et avoir."""
    echeance = EcheanceFactory(echue_le=jours(10))
    EncaissementFactory(client=echeance.client, montant=300, date=jours(5))
    AvoirFactory(client=echeance.client, montant=50, date_emission=jours(4))

    (ligne,) = balance.balance_agee(TOUS(), au=AU)
    (avant,) = balance.balance_agee(TOUS(), au=jours(6))

    assert euros(ligne) == [0, 1000, 0, 0, 0, -350, 650]
    assert euros(avant) == [0, 1000, 0, 0, 0, 0, 1000]


def test_un_credit_affecte_depuis_etait_a_imputer_le_jour_dit():
    echeance = EcheanceFactory(echue_le=jours(10))
    paiement = EncaissementFactory(client=echeance.client, montant=1000, date=jours(8))
    avoir = AvoirFactory(client=echeance.client, montant=100, date_emission=jours(8))
    ImputationFactory(echeance=echeance, encaissement=paiement, montant=900, date=jours(2))
    ImputationFactory(echeance=echeance, avoir=avoir, montant=100, date=jours(1))

    (ligne,) = balance.balance_agee(TOUS(), au=AU)
    assert euros(ligne) == [0, 0, 0, 0, 0, -100, -100]
    (veille,) = balance.balance_agee(TOUS(), au=jours(3))
    assert euros(veille) == [0, 1000, 0, 0, 0, -1100, -100]


def test_deux_devises_ne_s_additionnent_jamais():
    """Exigence 6."""
    client = ClientFactory()
    EcheanceFactory(client=client, echue_le=jours(10))
    EcheanceFactory(client=client, echue_le=jours(10), montant=70, devise="USD")

    lignes = balance.balance_agee(TOUS(), au=AU)

    assert [(ligne.devise, ligne.encours) for ligne in lignes] == [("EUR", 1000), ("USD", 70)]
    assert [ligne.encours for ligne in balance.balance_agee(TOUS(), au=AU, devise="USD")] == [70]
    assert balance.total(lignes, "USD").encours == 70
    assert balance.total(lignes, "CHF").encours == 0
    assert {d: c.solde for d, c in balance.controler(TOUS(), au=AU).items()} == {"EUR": 1000, "USD": 70}


def test_un_gestionnaire_ne_voit_que_son_portefeuille_et_un_responsable_sa_societe():
    """Exigence 39."""
    societe = SocieteFactory()
    gestionnaire = UtilisateurFactory(societe=societe)
    responsable = UtilisateurFactory(societe=societe, role="responsable")
    EcheanceFactory(client=ClientFactory(societe=societe, gestionnaire=gestionnaire), montant=10)
    EcheanceFactory(client=ClientFactory(societe=societe), montant=20)
    EcheanceFactory(montant=40)  # autre société

    def encours(user):
        lignes = balance.balance_agee(Client.objects.visibles_pour(user), au=AU)
        return balance.total(lignes, "EUR").encours

    assert (encours(gestionnaire), encours(responsable)) == (10, 30)
    assert encours(UtilisateurFactory(role=None)) == encours(AnonymousUser()) == 0


@pytest.mark.parametrize(
    ("par", "attendu"),
    [
        ("client", [("A", "Alpha", 100), ("B", "Bêta", 20), ("C", "Gamma", 3)]),
        ("gestionnaire", [("claire@x.example", "Claire", 120), ("", "Sans gestionnaire", 3)]),
        ("societe", [("une", "Une SAS", 103), ("deux", "Zwei SAS", 20)]),
        ("segment", [("btp", "btp", 23), ("", "Sans segment", 100)]),
    ],
)
def test_chaque_regroupement_retrouve_le_meme_total(par, attendu, django_assert_max_num_queries):
    une, deux = (
        SocieteFactory(code="une", raison_sociale="Une SAS"),
        SocieteFactory(code="deux", raison_sociale="Zwei SAS"),
    )
    claire = UtilisateurFactory(societe=une, nom="Claire", courriel="claire@x.example")
    for societe, code, nom, qui, segment, montant in [
        (une, "A", "Alpha", claire, "", 100),
        (deux, "B", "Bêta", claire, "btp", 20),
        (une, "C", "Gamma", None, "btp", 3),
    ]:
        client = ClientFactory(societe=societe, code=code, raison_sociale=nom, gestionnaire=qui, segment=segment)
        EcheanceFactory(client=client, montant=montant)

    with django_assert_max_num_queries(2):
        lignes = balance.regrouper(balance.balance_agee(TOUS(), au=AU), par)

    assert [(ligne.code, ligne.nom, ligne.encours) for ligne in lignes] == attendu
    assert balance.total(lignes, "EUR").encours == 123
    assert balance.total(lignes, "EUR").clients == 3


def test_un_regroupement_inconnu_se_refuse():
    with pytest.raises(ValueError, match="couleur"):
        balance.regrouper([], "couleur")


@pytest.mark.parametrize("nombre", [1, 20])
def test_une_seule_requete_quel_que_soit_le_nombre_de_lignes(nombre, django_assert_num_queries):
    societe = SocieteFactory()
    for _ in range(nombre):
        EcheanceFactory(societe=societe)
    with django_assert_num_queries(1):
        assert len(balance.balance_agee(TOUS(), au=AU)) == nombre
    with django_assert_num_queries(1):
        balance.controler(TOUS(), au=AU)


def test_le_controle_denonce_une_imputation_anterieure_a_sa_facture():
    """Le règlement du 1er, posé par erreur à sa date sur une facture du 20, manquerait à l'encours du 10."""
    echeance = EcheanceFactory(echue_le=date(2026, 11, 19), date_facture=date(2026, 10, 20))
    ImputationFactory(echeance=echeance, montant=400, date=date(2026, 10, 1))

    lignes = balance.balance_agee(TOUS(), au=date(2026, 10, 10))

    assert balance.total(lignes, "EUR").encours == 0
    assert balance.controler(TOUS(), au=date(2026, 10, 10))["EUR"].solde == -400


def grand_livre_au_hasard(graine):
    """Trois clients, deux devises, factures, règlements et avoirs posés en une ou plusieurs fois."""
    alea = random.Random(graine)
    societe = SocieteFactory()
    for client in [ClientFactory(societe=societe, segment=s) for s in ("x", "y", "")]:
        for _ in range(8):
            emise = date(2026, 1, 1) + timedelta(days=alea.randrange(300))
            devise = alea.choice(["EUR", "EUR", "USD"])
            facture = FactureFactory(client=client, date_emission=emise, devise=devise)
            reste = alea.randrange(1, 100_000)
            echeance = EcheanceFactory(
                facture=facture, montant=Decimal(reste).scaleb(-2), echue_le=emise + timedelta(days=alea.randrange(90))
            )
            for _ in range(alea.randrange(3)):
                pose = alea.randrange(1, reste + 1)
                recu = date(2026, 1, 1) + timedelta(days=alea.randrange(330))
                fabrique, champ = alea.choice([(EncaissementFactory, "date"), (AvoirFactory, "date_emission")])
                source = fabrique(
                    client=client,
                    devise=devise,
                    montant=Decimal(pose + alea.choice([0, 0, 500])).scaleb(-2),
                    **{champ: recu},
                )
                ImputationFactory(
                    echeance=echeance,
                    montant=Decimal(pose).scaleb(-2),
                    date=max(emise, recu) + timedelta(days=alea.randrange(20)),
                    **{"encaissement" if champ == "date" else "avoir": source},
                )
                reste -= pose
                if not reste:
                    break


def oracle(au):
    """Mêmes tranches, pièce par pièce, en Python."""
    attendu = {}

    def ajouter(piece, rang, montant):
        if montant:
            ligne = attendu.setdefault((piece.client_id, piece.devise), [Decimal(0)] * 6)
            ligne[rang] += montant

    imputations = list(Imputation.objects.filter(date__lte=au))
    for e in Echeance.objects.filter(date_facture__lte=au):
        impute = sum((i.montant for i in imputations if i.echeance_id == e.pk), Decimal(0))
        ajouter(e, balance.tranche(e.date_echeance, au), e.montant - impute)
    for modele, jour, cle in [(Encaissement, "date", "encaissement_id"), (Avoir, "date_emission", "avoir_id")]:
        for credit in modele.objects.filter(**{f"{jour}__lte": au}):
            impute = sum((i.montant for i in imputations if getattr(i, cle) == credit.pk), Decimal(0))
            ajouter(credit, 5, impute - credit.montant)
    return attendu


@pytest.mark.parametrize("graine", range(4))
def test_la_balance_egale_au_centime_la_liste_des_pieces_a_toute_date(graine):
    """Exigence 40 : tranches, détail et grand livre se recoupent."""
    grand_livre_au_hasard(graine)
    for au in [date(2026, 1, 15), *(date(2026, mois, 28) for mois in (3, 6, 9, 12))]:
        lignes = balance.balance_agee(TOUS(), au=au)

        assert {(ligne.cle, ligne.devise): [*ligne.tranches, ligne.a_imputer] for ligne in lignes} == oracle(au)

        ouvertes = list(balance.echeances_ouvertes(TOUS(), au=au))
        controles = balance.controler(TOUS(), au=au)
        for devise in {ligne.devise for ligne in lignes}:
            total = balance.total(lignes, devise)
            assert total.encours == sum(total.tranches) + total.a_imputer == controles[devise].solde
            pieces = [e for e in ouvertes if e.devise == devise]
            assert sum(e.reste_au for e in pieces) == total.brut
            assert len(pieces) == controles[devise].pieces
            credits = [c for qs in balance.credits_ouverts(TOUS(), au=au) for c in qs if c.devise == devise]
            assert -sum(c.reste_au for c in credits) == total.a_imputer
