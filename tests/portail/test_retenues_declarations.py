"""Ce qu'une déclaration retient de l'échelle : le compte, ou la seule part contestée, et jamais sans fin."""

from datetime import timedelta
from decimal import Decimal

import pytest

from relances.models import Passage, Verdict
from relances.services import declarations_portail_suites as suites
from relances.services import nuit, quotidien
from relances.services.plans import installer_plans
from relances.services.retenues_reponses import fin_de_retenue, parts_contestees
from tests.factures.factories import EncaissementFactory

from .declarants import AU, MOMENT, monde
from .test_declarations import contester, payer, promettre

pytestmark = pytest.mark.django_db


@pytest.fixture
def m():
    monde_ = monde()
    installer_plans(monde_.societe)
    return monde_


def test_une_declaration_a_traiter_ou_crue_retient_le_compte_jusqu_a_sa_date(m):
    d = payer(m)
    fin = d.retient_jusqu_au
    assert fin_de_retenue([m.client.pk], AU) == {m.client.pk: fin}
    suites.accepter(d, au=AU, acteur=m.claire)
    assert fin_de_retenue([m.client.pk], fin) == {m.client.pk: fin}
    assert fin_de_retenue([m.client.pk], fin + timedelta(days=1)) == {}


def test_ecartee_ou_conclue_elle_ne_retient_plus(m):
    suites.ecarter(payer(m), mot="Rien reçu.", acteur=m.claire)
    assert fin_de_retenue([m.client.pk], AU) == {}
    payer(m, cle="b")
    EncaissementFactory(client=m.client, montant=1000, date=AU)
    suites.conclure_declarations(m.societe, au=AU)
    assert fin_de_retenue([m.client.pk], AU) == {}


def test_exigence_33_une_contestation_ne_retient_que_sa_part_et_sept_jours(m):
    contester(m)
    assert fin_de_retenue([m.client.pk], AU) == {}
    assert parts_contestees([m.client.pk], AU) == {m.pieces[0].pk: Decimal(300)}
    assert parts_contestees([m.client.pk], AU + timedelta(days=8)) == {}


def test_plusieurs_pieces_contestees_le_sont_en_entier(m):
    contester(m, pieces=[p.pk for p in m.pieces[:2]], montant=None)
    assert parts_contestees([m.client.pk], AU) == {m.pieces[0].pk: Decimal(1000), m.pieces[1].pk: Decimal(600)}


def test_la_nuit_retient_la_piece_entierement_contestee_et_relance_le_reste(m):
    contester(m, montant=Decimal(1000))
    passage = nuit.ouvrir_passage(m.societe, au=AU, genre=Passage.Genre.AUTOMATIQUE)
    quotidien.derouler(passage, m.societe, au=AU)
    codes = dict(Verdict.objects.filter(au=None).values_list("echeance", "code"))
    assert codes[m.pieces[0].pk] == "litige" and codes[m.pieces[1].pk] != "litige"


def test_une_promesse_a_examiner_retient_le_compte_une_promesse_notee_ses_pieces(m):
    promettre(m)
    assert fin_de_retenue([m.client.pk], AU) == {}  # la promesse elle-même met ses pièces en pause
    promettre(m, cle="b", moment=MOMENT, pour_le=AU + timedelta(days=12))
    assert fin_de_retenue([m.client.pk], AU) == {m.client.pk: AU + timedelta(days=7)}
