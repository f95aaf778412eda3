"""Encaisser, imputer, contester : jamais au-delà, jamais deux fois, chaque geste au journal."""

from datetime import date, timedelta
from decimal import Decimal

import pytest
from django.core.exceptions import ValidationError
from django.db.models import Sum

from factures import services
from factures.models import Echeance, Encaissement, Imputation, Litige
from recouvrement.journal.models import Maillon
from recouvrement.journal.services import verifier_chaine
from tests.clients.factories import ClientFactory
from tests.comptes.factories import UtilisateurFactory

from .factories import AvoirFactory, EcheanceFactory, EncaissementFactory, ImputationFactory

pytestmark = pytest.mark.django_db
AU = date(2026, 11, 20)


@pytest.fixture
def acteur():
    return UtilisateurFactory()


def actions():
    return list(Maillon.objects.order_by("rang").values_list("action", flat=True))


def soldes_justes():
    """Ce que `verifier` re-prouve : les sommes dénormalisées égalent les imputations."""
    for piece in [*Echeance.objects.all(), *Encaissement.objects.all()]:
        assert piece.impute == (piece.imputations.aggregate(s=Sum("montant"))["s"] or 0)
    return True


# --- Encaisser -------------------------------------------------------------------------------------


def encaisser(client, acteur, **champs):
    base = {"montant": Decimal("500.00"), "recu_le": AU, "au": AU, "cle": "k1"}
    return services.enregistrer_encaissement(client, acteur=acteur, **base | champs)


def test_un_double_clic_n_enregistre_qu_un_encaissement_et_un_maillon(acteur):
    client = ClientFactory()
    premier, second = encaisser(client, acteur), encaisser(client, acteur)
    assert premier == second
    assert Encaissement.objects.get().non_affecte == 500
    assert actions() == ["encaissement.saisi"]


def test_une_cle_deja_servie_pour_un_autre_montant_se_refuse(acteur):
    client = ClientFactory()
    encaisser(client, acteur)
    with pytest.raises(ValidationError, match="déjà servi"):
        encaisser(client, acteur, montant=Decimal(600))
    assert Encaissement.objects.count() == 1


@pytest.mark.parametrize(
    "champs", [{"montant": Decimal(0)}, {"montant": Decimal(-5)}, {"recu_le": AU + timedelta(days=1)}, {"mode": "troc"}]
)
def test_un_encaissement_impossible_se_refuse_sans_rien_ecrire(acteur, champs):
    with pytest.raises(ValidationError):
        encaisser(ClientFactory(), acteur, **champs)
    assert not Encaissement.objects.exists()
    assert actions() == []


# --- Imputer ---------------------------------------------------------------------------------------


def test_un_encaissement_se_pose_sur_plusieurs_echeances_et_tient_tous_les_soldes(acteur):
    a, client = (e := EcheanceFactory(montant=300)), e.client
    b = EcheanceFactory(client=client, montant=700)
    encaissement = EncaissementFactory(client=client, montant=500, date=AU)

    services.imputer(encaissement, [(a, Decimal(300)), (b.pk, Decimal(150))], au=AU, cle="k", acteur=acteur)

    for objet in (a, b, encaissement):
        objet.refresh_from_db()
    assert (a.reste_du, a.soldee_le, b.reste_du, b.soldee_le, encaissement.non_affecte) == (0, AU, 550, None, 50)
    assert soldes_justes()
    assert actions() == ["encaissement.impute"]
    assert verifier_chaine().defauts == []


def test_un_avoir_s_impute_comme_un_encaissement(acteur):
    echeance = EcheanceFactory(montant=300)
    avoir = AvoirFactory(client=echeance.client, montant=200)
    services.imputer_avoir(avoir, [(echeance, Decimal(200))], au=AU, cle="k", acteur=acteur)
    avoir.refresh_from_db()
    echeance.refresh_from_db()
    assert (avoir.impute, echeance.reste_du, Imputation.objects.get().avoir) == (200, 100, avoir)
    assert actions() == ["avoir.impute"]


def test_une_imputation_n_est_jamais_datee_d_avant_son_reglement_ni_d_avant_sa_facture(acteur):
    facturee_plus_tard = EcheanceFactory(echue_le=AU + timedelta(days=60))  # facture à AU + 30
    encaissement = EncaissementFactory(client=facturee_plus_tard.client, montant=100, date=AU)
    services.imputer(encaissement, [(facturee_plus_tard, Decimal(100))], au=AU, cle="k", acteur=acteur)
    assert Imputation.objects.get().date == facturee_plus_tard.date_facture


def test_soldee_le_est_le_jour_de_la_derniere_imputation(acteur):
    echeance = EcheanceFactory(montant=300)
    ImputationFactory(echeance=echeance, montant=100, date=AU + timedelta(days=3))
    encaissement = EncaissementFactory(client=echeance.client, montant=200, date=AU)
    services.imputer(encaissement, [(echeance, Decimal(200))], au=AU, cle="k", acteur=acteur)
    echeance.refresh_from_db()
    assert echeance.soldee_le == AU + timedelta(days=3)


def test_rejouer_le_formulaire_ne_pose_rien_de_plus(acteur):
    echeance = EcheanceFactory(montant=300)
    encaissement = EncaissementFactory(client=echeance.client, montant=500, date=AU)
    for _ in range(2):
        services.imputer(encaissement, [(echeance, Decimal(100))], au=AU, cle="k", acteur=acteur)
    assert Imputation.objects.count() == 1
    assert actions() == ["encaissement.impute"]


def test_un_second_onglet_perime_ne_pose_rien(acteur):
    echeance = EcheanceFactory(montant=300)
    encaissement = EncaissementFactory(client=echeance.client, montant=500, date=AU)
    part = [(echeance, Decimal(100))]
    services.imputer(encaissement, part, au=AU, cle="onglet 1", acteur=acteur, vu=Decimal(0))
    with pytest.raises(ValidationError, match="entre-temps"):
        services.imputer(encaissement, part, au=AU, cle="onglet 2", acteur=acteur, vu=Decimal(0))
    assert Imputation.objects.count() == 1


@pytest.mark.parametrize(
    ("montants", "message"),
    [
        ([400, 200], "il ne reste que 500,00"),  # plus que l'encaissement
        ([301, 0], "il n'y reste que 300,00"),  # plus que la pièce
        ([-1, 100], "négative"),
        ([0, 0], "au moins un montant"),
    ],
)
def test_rien_ne_s_impute_au_dela_ni_a_moitie(acteur, montants, message):
    a, client = (e := EcheanceFactory(montant=300)), e.client
    b = EcheanceFactory(client=client, montant=300)
    encaissement = EncaissementFactory(client=client, montant=500, date=AU)
    parts = list(zip((a, b), map(Decimal, montants), strict=True))
    with pytest.raises(ValidationError) as refus:
        services.imputer(encaissement, parts, au=AU, cle="k", acteur=acteur)
    assert message in refus.value.messages[0].replace("\xa0", " ")
    assert not Imputation.objects.exists()
    assert soldes_justes()
    assert actions() == []


def test_une_piece_d_un_autre_client_ou_d_une_autre_devise_se_refuse(acteur):
    echeance = EcheanceFactory()
    ailleurs = EncaissementFactory(montant=100, date=AU)
    en_dollars = EncaissementFactory(client=echeance.client, montant=100, date=AU, devise="USD")
    for source in (ailleurs, en_dollars):
        with pytest.raises(ValidationError, match="pas une pièce de ce compte"):
            services.imputer(source, [(echeance, Decimal(10))], au=AU, cle="k", acteur=acteur)
    with pytest.raises(ValidationError, match="n'existe plus"):
        services.imputer(ailleurs, [(0, Decimal(10))], au=AU, cle="k", acteur=acteur)


def test_payee_en_entier_une_piece_n_est_plus_en_litige(acteur):
    """Exigence 33."""
    payee = EcheanceFactory(montant=300, en_litige=100)
    entamee = EcheanceFactory(client=payee.client, montant=300, en_litige=100)
    encaissement = EncaissementFactory(client=payee.client, montant=400, date=AU)
    parts = [(payee, Decimal(300)), (entamee, Decimal(100))]
    services.imputer(encaissement, parts, au=AU, cle="k", acteur=acteur)
    assert (payee.litiges.get().clos_le, entamee.litiges.get().clos_le) == (AU, None)


def test_defaire_une_affectation_rend_les_soldes_une_seule_fois(acteur):
    echeance = EcheanceFactory(montant=300)
    encaissement = EncaissementFactory(client=echeance.client, montant=500, date=AU)
    services.imputer(encaissement, [(echeance, Decimal(300))], au=AU, cle="k", acteur=acteur)

    rendus = [services.desimputer(encaissement, au=AU, cle="k", acteur=acteur) for _ in range(2)]

    echeance.refresh_from_db()
    assert rendus == [300, 0]
    assert (echeance.reste_du, echeance.soldee_le) == (300, None)
    assert soldes_justes()
    assert actions() == ["encaissement.impute", "encaissement.desimpute"]


def test_une_affectation_defaite_rouvre_le_litige_que_le_solde_avait_clos(acteur):
    """Exigence 33 : la part contestée redevient hors des lettres ; ce qu'une personne a clos le reste."""
    payee, regle_a_la_main = [EcheanceFactory(montant=300, en_litige=100) for _ in range(2)]
    services.clore_litige(regle_a_la_main.litiges.get(), issue="Avoir refusé", au=AU, acteur=acteur)
    for echeance in (payee, regle_a_la_main):
        encaissement = EncaissementFactory(client=echeance.client, montant=300, date=AU)
        services.imputer(encaissement, [(echeance, Decimal(300))], au=AU, cle="k", acteur=acteur)
        services.desimputer(encaissement, au=AU, cle="k", acteur=acteur)
    assert (payee.litiges.get().clos_le, payee.litiges.get().issue) == (None, "")
    assert regle_a_la_main.litiges.get().clos_le == AU
    assert actions()[-1] == "encaissement.desimpute" and actions().count("litige.rouvert") == 1


def test_seul_le_dernier_litige_d_une_piece_se_rouvre(acteur):
    echeance = EcheanceFactory(montant=300)
    for montant in (100, 50):
        services.ouvrir_litige(
            echeance, montant=Decimal(montant), categorie="prix", a_traiter_le=AU, au=AU, acteur=acteur
        )
        Litige.objects.filter(clos_le=None).update(clos_le=AU, issue=Litige.SOLDEE)
    assert [x.montant_conteste for x in services.rouvrir_litiges([echeance.pk], acteur=acteur)] == [50]
    assert services.rouvrir_litiges([echeance.pk], acteur=acteur) == []


def test_une_imputation_importee_ne_se_defait_pas(acteur):
    echeance = EcheanceFactory(soldee=True)
    encaissement = Encaissement.objects.get()
    assert services.desimputer(encaissement, au=AU, cle="", acteur=acteur) == 0
    echeance.refresh_from_db()
    assert echeance.reste_du == 0


# --- Contester ---------------------------------------------------------------------------------------


def contester(echeance, acteur, **champs):
    base = {"montant": Decimal(120), "categorie": "prix", "a_traiter_le": AU + timedelta(days=15), "au": AU}
    return services.ouvrir_litige(echeance, acteur=acteur, **base | champs)


def test_un_litige_porte_sa_part_contestee_et_se_clot_une_fois(acteur):
    """Exigence 33."""
    echeance = EcheanceFactory(montant=300)
    litige = contester(echeance, acteur, responsable=acteur)
    assert contester(echeance, acteur) == litige  # double clic
    assert (litige.montant_conteste, litige.ouvert_le, litige.responsable) == (120, AU, acteur)
    clos = [services.clore_litige(litige, issue="Avoir émis", au=AU, acteur=acteur) for _ in range(2)]
    assert clos == [True, False]
    assert Litige.objects.ouverts().count() == 0
    assert actions() == ["litige.ouvert", "litige.clos"]


@pytest.mark.parametrize(
    "champs",
    [
        {"montant": Decimal(0)},
        {"montant": Decimal("300.01")},
        {"a_traiter_le": AU - timedelta(days=1)},
        {"a_traiter_le": AU + timedelta(days=367)},
        {"categorie": "humeur"},
    ],
)
def test_un_litige_impossible_se_refuse(acteur, champs):
    with pytest.raises(ValidationError):
        contester(EcheanceFactory(montant=300), acteur, **champs)
    assert not Litige.objects.exists()


def test_un_seul_litige_ouvert_par_piece_et_jamais_clos_sans_issue(acteur):
    echeance = EcheanceFactory(montant=300)
    litige = contester(echeance, acteur)
    with pytest.raises(ValidationError, match="déjà ouvert"):
        contester(echeance, acteur, montant=Decimal(50))
    with pytest.raises(ValidationError):
        services.clore_litige(litige, issue="  ", au=AU, acteur=acteur)


def test_un_litige_ne_se_prolonge_pas_de_plus_d_un_an(acteur):
    litige = contester(EcheanceFactory(montant=300), acteur)
    prolonger = {"motif": "expertise", "au": AU, "acteur": acteur}
    with pytest.raises(ValidationError, match="dans l'année"):
        services.prolonger_litige(litige, a_traiter_le=AU + timedelta(days=367), **prolonger)
    assert services.prolonger_litige(litige, a_traiter_le=AU + timedelta(days=366), **prolonger)


# --- Décider d'un litige ---------------------------------------------------------------------------


def reconnaitre(litige, acteur, montant, **champs):
    base = {"motif": "porte voilée", "a_traiter_le": AU + timedelta(days=20), "au": AU}
    return services.reconnaitre_litige(litige, montant=Decimal(montant), acteur=acteur, **base | champs)


def test_exigence_33_fonde_le_litige_attend_son_avoir_qui_le_clot(acteur):
    echeance = EcheanceFactory(montant=300, echue_le=AU - timedelta(40))
    litige = contester(echeance, acteur, montant=Decimal(120))
    assert [reconnaitre(litige, acteur, 120) for _ in range(2)] == [True, False]  # double clic
    litige.refresh_from_db()
    assert (litige.decision, litige.montant_conteste, litige.clos_le) == (Litige.Decision.FONDE, 120, None)

    petit, grand = [AvoirFactory(client=echeance.client, montant=m, date_emission=AU) for m in (50, 70)]
    services.imputer_avoir(petit, [(echeance, Decimal(50))], au=AU, cle="a", acteur=acteur)
    litige.refresh_from_db()
    assert litige.clos_le is None
    services.imputer_avoir(grand, [(echeance, Decimal(70))], au=AU, cle="b", acteur=acteur)
    litige.refresh_from_db()
    assert (litige.clos_le, litige.issue) == (AU, Litige.AVOIR_RECU)

    services.desimputer(grand, au=AU, cle="b", acteur=acteur)
    litige.refresh_from_db()
    assert (litige.clos_le, litige.issue) == (None, "")


def test_exigence_33_fonde_en_partie_le_reste_est_de_nouveau_reclame(acteur):
    litige = contester(EcheanceFactory(montant=300), acteur, montant=Decimal(120))
    for montant in (0, Decimal("120.01"), -5):
        with pytest.raises(ValidationError, match="part reconnue"):
            reconnaitre(litige, acteur, montant)
    with pytest.raises(ValidationError, match="fondée"):
        reconnaitre(litige, acteur, 10, motif=" ")
    assert reconnaitre(litige, acteur, 40)
    litige.refresh_from_db()
    assert (litige.decision, litige.montant_conteste) == (Litige.Decision.PARTIE, 40)


def test_exigence_33_non_fonde_la_piece_rentre(acteur):
    litige = contester(EcheanceFactory(montant=300), acteur, montant=Decimal(120))
    assert services.clore_litige(litige, issue="Bon signé", au=AU, acteur=acteur, decision="non_fonde")
    litige.refresh_from_db()
    assert (litige.decision, litige.decide_le, litige.clos_le) == ("non_fonde", AU, AU)


def test_un_avoir_importe_clot_le_litige_la_nuit_suivante(acteur):
    """Un import pose ses imputations sans passer par les gestes."""
    echeances = [EcheanceFactory(montant=300, echue_le=AU - timedelta(40)) for _ in range(2)]
    litiges = [contester(e, acteur, montant=Decimal(120)) for e in echeances]
    for litige in litiges:
        reconnaitre(litige, acteur, 120)
    avoir = AvoirFactory(client=echeances[0].client, montant=120, date_emission=AU)
    ImputationFactory(echeance=echeances[0], avoir=avoir, montant=120, date=AU)

    assert services.conclure_litiges(Litige.objects.all(), au=AU) == [litiges[0]]
    assert services.conclure_litiges(Litige.objects.all(), au=AU) == []
