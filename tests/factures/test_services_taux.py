"""Taux relevés : avec leur source, jamais extrapolés ni contredits."""

from datetime import date
from decimal import Decimal

import pytest
from django.core.exceptions import ValidationError

from factures import services
from factures.domaine.bareme import TauxManquant
from factures.donnees import bareme_livre
from factures.models import SemestreConnu, TauxBCE, TauxLegal
from recouvrement.journal.models import Maillon

pytestmark = pytest.mark.django_db


def ajouter(semestre="2027-S1", **champs):
    services.ajouter_semestre(semestre, acteur=None, **{"source": "Banque de France, 04/01/2027"} | champs)


def test_le_bareme_de_la_base_est_celui_qui_est_livre():
    base, livre = services.bareme(), bareme_livre()
    assert base.semestres_connus == livre.semestres_connus
    assert base.refi == livre.refi
    for semestre in ("2023-S2", "2026-S2"):
        assert base.taux_defaut_entreprise(semestre) == livre.taux_defaut_entreprise(semestre)
        assert base.taux_legal(semestre) == livre.taux_legal(semestre)


def test_le_bareme_reste_le_meme_objet_tant_que_les_taux_ne_changent_pas():
    avant = services.bareme()
    assert services.bareme() is avant
    ajouter(refi=Decimal("2.65"))
    assert services.bareme() is not avant


def test_un_semestre_ajoute_leve_le_refus_de_calcul_et_se_lit_au_journal():
    with pytest.raises(TauxManquant):
        services.bareme().taux_defaut_entreprise("2027-S1")
    ajouter(refi=Decimal("2.65"))
    ajouter(refi=Decimal("2.65"))  # double clic
    ajouter(particuliers=Decimal("6.90"), autres=Decimal("2.80"))
    assert services.bareme().taux_defaut_entreprise("2027-S1") == Decimal("12.65")
    assert services.bareme().plancher("2027-S1") == Decimal("8.40")
    assert list(Maillon.objects.values_list("action", flat=True)) == ["taux.ajoute"] * 2


def test_un_taux_que_l_histoire_dement_demande_la_date_de_la_decision():
    with pytest.raises(ValidationError, match="date d'effet"):
        ajouter(refi=Decimal("2.90"))
    assert not SemestreConnu.objects.filter(semestre="2027-S1").exists()
    ajouter(refi=Decimal("2.90"), effet_bce=date(2026, 12, 16))
    assert TauxBCE.objects.get(date_effet=date(2026, 12, 16)).taux == Decimal("2.90")
    assert services.bareme().taux_public("2027-S1") == Decimal("10.90")


@pytest.mark.parametrize(
    "champs",
    [
        {},
        {"refi": Decimal("2.65"), "source": " "},
        {"refi": Decimal("-1")},
        {"autres": Decimal("2.80")},
        {"refi": Decimal("2.65"), "effet_bce": date(2027, 1, 2)},
        {"refi": Decimal("2.65"), "semestre": "2027-S3"},
        {"refi": Decimal("9.99"), "semestre": "2026-S2"},
    ],
)
def test_un_taux_douteux_se_refuse_sans_rien_ecrire(champs):
    avant = (TauxBCE.objects.count(), TauxLegal.objects.count(), SemestreConnu.objects.count())
    with pytest.raises(ValidationError):
        ajouter(**champs)
    assert (TauxBCE.objects.count(), TauxLegal.objects.count(), SemestreConnu.objects.count()) == avant
