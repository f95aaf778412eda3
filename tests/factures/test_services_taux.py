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
AU = date(2027, 7, 2)


def ajouter(semestre="2027-S1", **champs):
    services.ajouter_semestre(semestre, acteur=None, **{"au": AU, "source": "Banque de France, 04/01/2027"} | champs)


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
        {"refi": Decimal("20.01"), "effet_bce": date(2026, 12, 16), "confirme": True},
        {"refi": Decimal("26.50"), "effet_bce": date(2026, 12, 16)},
        {"particuliers": Decimal("20.01"), "autres": Decimal("2.80"), "confirme": True},
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


def test_plus_de_deux_points_d_ecart_se_confirme():
    ecart = {"refi": Decimal("5.20"), "effet_bce": date(2026, 12, 16)}
    with pytest.raises(ValidationError, match="deux points"):
        ajouter(**ecart)
    ajouter(**ecart, confirme=True)
    assert services.bareme().refi_du_semestre("2027-S1") == Decimal("5.20")


def corriger(semestre="2027-S1", **champs):
    return services.corriger_semestre(
        semestre,
        acteur=None,
        **{"au": AU, "source": "Banque de France, 05/01/2027", "motif": "chiffres inversés"} | champs,
    )


def test_un_semestre_mal_releve_se_corrige_avec_son_motif_au_journal():
    ajouter(refi=Decimal("2.90"), effet_bce=date(2026, 12, 16), particuliers=Decimal("6.90"), autres=Decimal("2.80"))
    juste = {"refi": Decimal("2.09"), "particuliers": Decimal("6.90"), "autres": Decimal("2.08")}
    assert [corriger(**juste), corriger(**juste)] == [True, False]
    assert services.bareme().refi_du_semestre("2027-S1") == Decimal("2.09")
    assert services.bareme().taux_legal("2027-S1") == Decimal("2.08")
    maillon = Maillon.objects.get(action="taux.corrige")
    assert maillon.detail.texte == "2027-S1 : chiffres inversés"
    assert (maillon.detail.donnees["refi"], maillon.detail.donnees["autres"]) == (["2.90", "2.09"], ["2.80", "2.08"])


def test_une_correction_ne_touche_pas_une_decision_dont_un_autre_semestre_depend():
    for semestre in ("2027-S1", "2027-S2"):
        ajouter(semestre, refi=Decimal("2.65"))
    with pytest.raises(ValidationError, match="date d'effet"):
        corriger("2027-S2", refi=Decimal("2.90"))
    assert corriger("2027-S2", refi=Decimal("2.90"), effet_bce=date(2027, 6, 10))
    bareme = services.bareme()
    assert [bareme.refi_du_semestre(s) for s in ("2027-S1", "2027-S2")] == [Decimal("2.65"), Decimal("2.90")]


@pytest.mark.parametrize("champs", [{"motif": " "}, {"semestre": "2028-S1"}, {"source": ""}])
def test_une_correction_sans_motif_ou_d_un_semestre_inconnu_se_refuse(champs):
    ajouter(refi=Decimal("2.65"))
    with pytest.raises(ValidationError):
        corriger(**{"refi": Decimal("2.65")} | champs)


def test_le_taux_de_la_bce_ne_se_releve_pas_avant_le_premier_jour_du_semestre():
    """Le taux « en vigueur au 1er janvier » n'existe pas en décembre (C. com., art. L441-10)."""
    with pytest.raises(ValidationError, match="n'existe pas encore"):
        ajouter(refi=Decimal("2.65"), au=date(2026, 12, 31))
    assert not SemestreConnu.objects.filter(semestre="2027-S1").exists()
    ajouter(refi=Decimal("2.65"), au=date(2027, 1, 1))


def test_le_taux_legal_se_releve_des_le_dernier_mois_du_semestre_d_avant():
    legal = {"particuliers": Decimal("6.90"), "autres": Decimal("2.80")}
    with pytest.raises(ValidationError, match="pas encore publié"):
        ajouter(au=date(2026, 11, 30), **legal)
    ajouter(au=date(2026, 12, 1), **legal)
    assert TauxLegal.objects.filter(semestre="2027-S1").exists()
