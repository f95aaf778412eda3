"""La règle du blocage de commandes, bornes comprises (exigence 38)."""

from datetime import date, timedelta
from decimal import Decimal

import pytest

from clients.domaine.blocage import Cause, Faits, Regle, causes

AU = date(2026, 11, 20)


@pytest.mark.parametrize(
    ("retard", "seuil", "bloque"), [(30, 30, False), (31, 30, True), (0, 1, False), (400, None, False)]
)
def test_le_retard_bloque_au_dela_du_seuil(retard, seuil, bloque):
    faits = Faits(plus_ancienne=AU - timedelta(days=retard))
    assert (Cause.RETARD in causes(faits, Regle(seuil), au=AU)) is bloque


@pytest.mark.parametrize(("encours", "bloque"), [("1000.00", False), ("1000.01", True)])
def test_le_plafond_bloque_au_dela_pas_au_plafond(encours, bloque):
    faits = Faits(encours=Decimal(encours), plafond=Decimal("1000.00"))
    trouvees = causes(faits, Regle(plafond=True), au=AU)
    assert trouvees == ({Cause.PLAFOND: Decimal("0.01")} if bloque else {})
    assert causes(faits, Regle(plafond=False), au=AU) == {}


def test_sans_plafond_ni_retard_rien_ne_bloque():
    assert causes(Faits(encours=Decimal("9e9")), Regle(1, True), au=AU) == {}


@pytest.mark.parametrize(("jusqu_au", "bloque"), [(AU, False), (AU - timedelta(days=1), True)])
def test_une_levee_tient_jusqu_au_jour_dit_compris(jusqu_au, bloque):
    faits = Faits(plus_ancienne=AU - timedelta(days=90), leve_jusqu_au=jusqu_au)
    assert bool(causes(faits, Regle(30), au=AU)) is bloque
