"""Champs communs : une date saisie est plausible, un choix existe, aucun ne laisse passer un NUL."""

from datetime import date, timedelta

import pytest
from django.core.exceptions import ValidationError

from recouvrement.commun import forms
from recouvrement.commun.forms import ChoixField, CleField, JourField, MontantField
from tests.clients.factories import ClientFactory

AU = date(2026, 11, 20)


@pytest.fixture(autouse=True)
def jour_fige(monkeypatch):
    monkeypatch.setattr(forms, "aujourd_hui", lambda: AU)


@pytest.mark.parametrize("saisie", ["2000-01-01", "20/11/2026", "2031-11-20", ""])
def test_une_date_plausible_passe(saisie):
    JourField(required=False).clean(saisie)


@pytest.mark.parametrize("saisie", ["0001-01-01", "1950-01-01", "1999-12-31", "2099-01-01", "9999-12-31"])
def test_une_date_hors_de_vue_se_refuse(saisie):
    with pytest.raises(ValidationError, match="trop (ancienne|lointaine)"):
        JourField().clean(saisie)


def test_les_bornes_d_une_date_se_reglent():
    assert JourField(depuis=date(1950, 1, 1)).clean("1950-01-01") == date(1950, 1, 1)
    with pytest.raises(ValidationError, match="21/11/2026"):
        JourField(avance=timedelta(days=1)).clean("2026-11-22")


@pytest.mark.django_db
@pytest.mark.parametrize("cle", [str(2**63), "9" * 10_000, "-1", "x", "\x00", "\ud800"])
def test_un_choix_hors_des_entiers_de_la_base_se_refuse(cle):
    client = ClientFactory()
    champ = ChoixField(queryset=type(client).objects.all())
    assert list(champ.clean([str(client.pk)])) == [client]
    with pytest.raises(ValidationError, match="Sélectionnez un choix valide"):
        champ.clean([str(client.pk), cle])


@pytest.mark.parametrize("champ", [MontantField(), JourField(), CleField()])
def test_un_champ_maison_refuse_le_nul(champ):
    with pytest.raises(ValidationError):
        champ.clean("1\x00")
