"""Insertion en bloc : mêmes lignes que l'ORM, clés réservées, contraintes tenues."""

from datetime import UTC, date, datetime
from decimal import Decimal

import pytest
from django.db import IntegrityError, transaction

from factures.models import Echeance, Lot
from recouvrement.commun.bloc import inserer, modifier, reserver
from relances.models import Courrier, Verdict
from tests.factures.factories import EcheanceFactory

pytestmark = pytest.mark.django_db
COLONNES = ("facture_id", "cle_source", "date_echeance", "montant", "prelevement")


def poser(modele: Echeance, *lignes):
    inserer(
        Echeance, COLONNES, lignes,
        societe_id=modele.societe_id, client_id=modele.client_id, date_facture=modele.date_facture,
    )  # fmt: skip


def test_une_ligne_inseree_en_bloc_se_relit_comme_une_autre():
    """Montants exacts, dates, booléens, et valeurs par défaut des champs que l'on ne nomme pas."""
    modele = EcheanceFactory()
    poser(modele, (modele.facture_id, "a;b\tc\\", date(2026, 2, 28), Decimal("0.01"), True))
    lue = Echeance.objects.get(cle_source="a;b\tc\\")
    assert (lue.date_echeance, lue.montant, lue.prelevement) == (date(2026, 2, 28), Decimal("0.01"), True)
    assert (lue.impute, lue.niveau, lue.soldee_le, lue.devise) == (0, 0, None, "EUR")


def test_les_contraintes_de_la_base_jouent():
    modele = EcheanceFactory()
    for montant, cle in ((Decimal("-1.00"), "neuve"), (Decimal("1.00"), modele.cle_source)):
        with pytest.raises(IntegrityError), transaction.atomic():
            poser(modele, (modele.facture_id, cle, date(2026, 2, 28), montant, False))
    assert Echeance.objects.count() == 1


def test_une_cle_reservee_n_est_a_personne_d_autre():
    modele = EcheanceFactory()
    cles = reserver(Echeance, 3)
    assert len(set(cles)) == 3 and reserver(Echeance, 0) == []
    lignes = [(cle, f"x{cle}") for cle in cles]
    inserer(
        Echeance, ("id", "cle_source"), lignes, societe_id=modele.societe_id, client_id=modele.client_id,
        facture_id=modele.facture_id, date_facture=modele.date_facture, date_echeance=modele.date_echeance,
        montant=Decimal("5.00"),
    )  # fmt: skip
    suivante = EcheanceFactory(facture=modele.facture)
    assert suivante.pk not in cles
    assert set(Echeance.objects.filter(id__parmi=cles).values_list("cle_source", flat=True)) == {c for _i, c in lignes}


def test_un_champ_unique_se_nomme():
    modele = EcheanceFactory()
    with pytest.raises(ValueError, match="jeton"):
        inserer(Courrier, ("client_id",), [(modele.client_id,)])


def test_parmi_traverse_une_relation_et_accepte_le_vide():
    echeance = EcheanceFactory()
    Verdict.objects.create(echeance=echeance, du=date(2026, 2, 10), code="attente")
    assert Verdict.objects.filter(echeance__id__parmi=[echeance.pk, 999_999]).count() == 1
    assert not Verdict.objects.filter(id__parmi=[]).exists()


def test_modifier_pose_chaque_valeur_sur_sa_ligne_et_laisse_les_autres():
    """Montant, date, vide, clé étrangère, booléen et JSON : ce que l'ORM relit, sans toucher aux voisines."""
    une, deux, voisine = EcheanceFactory(), EcheanceFactory(), EcheanceFactory()
    lignes = [
        (une.pk, Decimal("0.01"), date(2026, 2, 27), True, deux.client_id, "é;\t'\""),
        (deux.pk, Decimal("12.50"), date(2024, 2, 29), False, deux.client_id, ""),
        (-1, Decimal("1.00"), date(2026, 1, 1), False, deux.client_id, ""),
    ]
    champs = ["montant", "date_facture", "prelevement", "client_id", "cle_source"]
    assert modifier(Echeance, champs, lignes) == 2 and modifier(Echeance, champs, []) == 0
    lues = Echeance.objects.in_bulk()
    assert [tuple(getattr(lues[x], c) for c in champs) for x in (une.pk, deux.pk)] == [x[1:] for x in lignes[:2]]
    assert lues[voisine.pk].montant == voisine.montant and lues[voisine.pk].cle_source == voisine.cle_source
    lot = Lot.objects.create(societe=une.societe, fichier="a", format="fec", empreinte="x" * 64)
    vu = datetime(2026, 2, 3, 4, 5, tzinfo=UTC)
    for corrections, le in (({"a": [1, "é"]}, vu), ({}, None)):
        modifier(Lot, ["corrections", "applique_le"], [(lot.pk, corrections, le)])
        lot.refresh_from_db()
        assert (lot.corrections, lot.applique_le) == (corrections, le)
