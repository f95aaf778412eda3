"""Promesses : pause, tenue, partielle, rompue à la date + 2 jours ouvrés (exigence 31)."""

from datetime import date, timedelta
from decimal import Decimal

import pytest
from django.core.exceptions import ValidationError

from factures import services
from factures.domaine.calendrier import jour_ouvre_suivant
from factures.models import Promesse
from recouvrement.journal.models import Maillon
from relances.services.faits import fin_de_promesse
from tests.clients.factories import ClientFactory
from tests.comptes.factories import UtilisateurFactory

from .factories import AvoirFactory, EcheanceFactory, EncaissementFactory, ImputationFactory, PromesseFactory

pytestmark = pytest.mark.django_db
VENDREDI = date(2026, 11, 20)
LIMITE = date(2026, 11, 24)  # vendredi + 2 jours ouvrés
Statut = Promesse.Statut


def payer(echeance, montant, recu_le, affecte_le=None):
    encaissement = EncaissementFactory(client=echeance.client, montant=montant, date=recu_le)
    ImputationFactory(echeance=echeance, encaissement=encaissement, montant=montant, date=affecte_le or recu_le)


def evaluer(promesse, au):
    services.evaluer_promesses(promesse.client.societe, au=au)
    promesse.refresh_from_db()
    return promesse.statut


def test_la_tolerance_saute_le_week_end_et_les_feries():
    assert services.limite_promesse(VENDREDI) == LIMITE
    assert services.limite_promesse(date(2026, 12, 24)) == date(2026, 12, 29)  # Noël est un vendredi
    assert services.limite_promesse(date(2026, 12, 24), "alsace") == date(2026, 12, 29)


@pytest.mark.parametrize(
    ("paye", "recu_le", "au", "attendu"),
    [
        (0, VENDREDI, LIMITE, Statut.EN_ATTENTE),
        (0, VENDREDI, LIMITE + timedelta(days=1), Statut.ROMPUE),
        (400, VENDREDI, LIMITE, Statut.EN_ATTENTE),
        (400, VENDREDI, LIMITE + timedelta(days=1), Statut.PARTIELLE),
        (1000, VENDREDI - timedelta(days=3), VENDREDI - timedelta(days=3), Statut.TENUE),  # avant l'heure
        (1000, LIMITE, LIMITE, Statut.TENUE),
        (1000, LIMITE, LIMITE + timedelta(days=5), Statut.TENUE),  # nuits manquées
        (1000, LIMITE + timedelta(days=1), LIMITE + timedelta(days=5), Statut.ROMPUE),  # payé trop tard
    ],
)
def test_une_promesse_se_conclut_seule_d_apres_ce_qui_est_recu_a_temps(paye, recu_le, au, attendu):
    echeance = EcheanceFactory(montant=1000)
    promesse = PromesseFactory(echeances=[echeance], date_promise=VENDREDI)
    if paye:
        payer(echeance, paye, recu_le)
    assert evaluer(promesse, au) == attendu
    assert promesse.conclue_le == (None if attendu == Statut.EN_ATTENTE else au)


def test_l_argent_recu_a_temps_et_affecte_plus_tard_tient_la_promesse():
    echeance = EcheanceFactory()
    promesse = PromesseFactory(echeances=[echeance], date_promise=VENDREDI)
    payer(echeance, 1000, recu_le=VENDREDI, affecte_le=LIMITE + timedelta(days=1))
    assert evaluer(promesse, LIMITE + timedelta(days=1)) == Statut.TENUE


def test_ce_qui_etait_paye_avant_la_promesse_ne_la_tient_pas():
    echeance = EcheanceFactory(reste=600)  # 400 déjà payés
    promesse = PromesseFactory(echeances=[echeance], date_promise=VENDREDI, montant=300)
    assert promesse.du_a_la_promesse == 600
    assert evaluer(promesse, LIMITE + timedelta(days=1)) == Statut.ROMPUE


def test_une_promesse_sur_plusieurs_pieces_additionne_et_un_avoir_compte():
    a, b = (e := EcheanceFactory(montant=300)), EcheanceFactory(client=e.client, montant=700)
    promesse = PromesseFactory(echeances=[a, b], date_promise=VENDREDI)
    payer(a, 300, VENDREDI)
    payer(b, 500, VENDREDI)
    avoir = AvoirFactory(client=b.client, montant=200, date_emission=VENDREDI)
    assert evaluer(promesse, VENDREDI) == Statut.EN_ATTENTE
    ImputationFactory(echeance=b, avoir=avoir, montant=200, date=VENDREDI)
    assert evaluer(promesse, VENDREDI) == Statut.TENUE


def test_evaluer_deux_fois_ne_conclut_qu_une_fois_et_ne_touche_pas_la_voisine():
    promesse = PromesseFactory(date_promise=VENDREDI)
    voisine = PromesseFactory(date_promise=VENDREDI)  # autre société
    rendues = [services.evaluer_promesses(promesse.client.societe, au=LIMITE + timedelta(days=1)) for _ in range(2)]
    assert rendues == [[promesse], []]
    assert rendues[0][0].statut == Statut.ROMPUE
    voisine.refresh_from_db()
    assert voisine.statut == Statut.EN_ATTENTE
    assert list(Maillon.objects.values_list("action", flat=True)) == ["promesse.rompue"]


def test_evaluer_ne_fait_pas_plus_de_requetes_pour_vingt_promesses_en_attente(django_assert_max_num_queries):
    client = ClientFactory()
    for _ in range(20):
        PromesseFactory(echeances=[EcheanceFactory(client=client)], date_promise=VENDREDI)
    with django_assert_max_num_queries(3):
        services.evaluer_promesses(client.societe, au=VENDREDI)


# --- Promettre -----------------------------------------------------------------------------------------


def promettre(echeances, acteur, **champs):
    base = {"montant": Decimal(1000), "date_promise": VENDREDI, "au": VENDREDI - timedelta(days=7)}
    return services.promettre(echeances[0].client, echeances, acteur=acteur, **base | champs)


def test_une_promesse_retient_ses_pieces_et_leur_du():
    acteur, echeance = UtilisateurFactory(), EcheanceFactory(reste=1000, montant=1500)
    promesse = promettre([echeance], acteur)
    assert promettre([echeance], acteur) == promesse  # double clic
    assert (promesse.du_a_la_promesse, list(promesse.echeances.all())) == (1000, [echeance])
    assert list(Maillon.objects.values_list("action", flat=True)) == ["promesse.faite"]


@pytest.mark.parametrize(
    ("report_le", "paye", "statut"),
    [
        (VENDREDI, 0, Statut.ANNULEE),  # convenu au plus tard le jour promis
        (VENDREDI + timedelta(days=1), 0, Statut.ROMPUE),  # après, même dans la tolérance
        (VENDREDI + timedelta(days=1), 100, Statut.PARTIELLE),
    ],
)
def test_un_report_remplace_l_ancienne_promesse(report_le, paye, statut):
    """exigences.md § 2.9 : un report compte l'ancienne comme rompue sauf accord avant la date."""
    acteur, echeance = UtilisateurFactory(), EcheanceFactory()
    ancienne = promettre([echeance], acteur)
    if paye:
        payer(echeance, paye, VENDREDI)
    nouvelle = promettre(
        [echeance], acteur, montant=Decimal(900), au=report_le, date_promise=report_le + timedelta(days=10)
    )
    ancienne.refresh_from_db()
    assert (ancienne.statut, nouvelle.statut) == (statut, Statut.EN_ATTENTE)


@pytest.mark.parametrize(
    ("garde", "au", "statut"),
    [
        (0, LIMITE, Statut.EN_ATTENTE),
        (0, LIMITE + timedelta(days=1), Statut.ROMPUE),
        (400, LIMITE + timedelta(days=1), Statut.PARTIELLE),
        (1000, LIMITE + timedelta(days=1), Statut.TENUE),  # tenue par un autre règlement
    ],
)
def test_une_affectation_defaite_rejuge_la_promesse_qu_elle_tenait(garde, au, statut):
    acteur, echeance = UtilisateurFactory(), EcheanceFactory(montant=1500)
    promesse = PromesseFactory(echeances=[echeance], date_promise=VENDREDI, montant=1000)
    if garde:
        payer(echeance, garde, VENDREDI)
    encaissement = EncaissementFactory(client=echeance.client, montant=1500 - garde, date=VENDREDI)
    services.imputer(encaissement, [(echeance, Decimal(1500 - garde))], au=VENDREDI, cle="k", acteur=acteur)
    assert evaluer(promesse, VENDREDI) == Statut.TENUE
    services.desimputer(encaissement, au=au, cle="k", acteur=acteur)
    promesse.refresh_from_db()
    conclue = {Statut.EN_ATTENTE: None, Statut.TENUE: VENDREDI}.get(statut, au)
    assert (promesse.statut, promesse.conclue_le) == (statut, conclue)


def test_une_promesse_partielle_remplacee_par_un_report_ne_revient_pas_en_attente():
    acteur, echeance = UtilisateurFactory(), EcheanceFactory()
    ancienne = promettre([echeance], acteur)
    encaissement = EncaissementFactory(client=echeance.client, montant=100, date=VENDREDI)
    services.imputer(encaissement, [(echeance, Decimal(100))], au=VENDREDI, cle="k", acteur=acteur)
    samedi = VENDREDI + timedelta(days=1)
    promettre([echeance], acteur, montant=Decimal(900), au=samedi, date_promise=samedi + timedelta(days=10))
    services.desimputer(encaissement, au=samedi, cle="k", acteur=acteur)
    ancienne.refresh_from_db()
    assert ancienne.statut == Statut.ROMPUE


def test_une_promesse_annulee_l_est_une_fois():
    promesse = PromesseFactory(date_promise=VENDREDI)
    annulees = [services.annuler_promesse(promesse, au=VENDREDI, acteur=None) for _ in range(2)]
    assert annulees == [True, False]


@pytest.mark.parametrize(
    "champs",
    [{"montant": Decimal(0)}, {"montant": Decimal("1000.01")}, {"date_promise": VENDREDI - timedelta(days=8)}],
)
def test_une_promesse_impossible_se_refuse(champs):
    with pytest.raises(ValidationError):
        promettre([EcheanceFactory()], UtilisateurFactory(), **champs)
    assert not Promesse.objects.exists()


def test_une_promesse_ne_porte_que_sur_des_pieces_ouvertes_du_client_dans_une_devise():
    echeance, acteur = EcheanceFactory(), UtilisateurFactory()
    client = echeance.client
    for autre in (
        EcheanceFactory(),
        EcheanceFactory(client=client, soldee=True),
        EcheanceFactory(client=client, devise="USD"),
    ):
        with pytest.raises(ValidationError):
            services.promettre(
                client, [echeance, autre], montant=Decimal(10), date_promise=VENDREDI, au=VENDREDI, acteur=acteur
            )
    with pytest.raises(ValidationError):
        services.promettre(client, [], montant=Decimal(10), date_promise=VENDREDI, au=VENDREDI, acteur=acteur)


def test_exigence_31_une_promesse_porte_sur_quatre_vingt_dix_jours_au_plus():
    echeance = EcheanceFactory(montant=1000)
    voulue = {"montant": Decimal(500), "au": VENDREDI, "acteur": UtilisateurFactory()}
    with pytest.raises(ValidationError, match="90 jours au plus"):
        services.promettre(echeance.client, [echeance], date_promise=VENDREDI + timedelta(91), **voulue)
    assert services.promettre(echeance.client, [echeance], date_promise=VENDREDI + timedelta(90), **voulue)


def test_une_promesse_au_bout_du_calendrier_n_arrete_ni_la_nuit_ni_la_fiche():
    promesse = PromesseFactory(echeances=[EcheanceFactory()], date_promise=date.max)
    assert evaluer(promesse, LIMITE) == Statut.EN_ATTENTE
    assert services.limite_promesse(date.max) > LIMITE
    assert fin_de_promesse(date.max, jour_ouvre_suivant) > LIMITE
