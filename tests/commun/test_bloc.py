"""Insertion en bloc : mêmes lignes que l'ORM, clés réservées, contraintes tenues."""

from datetime import date
from decimal import Decimal

import pytest
from django.db import IntegrityError, transaction

from factures.models import Echeance
from recouvrement.commun.bloc import inserer, reserver
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
