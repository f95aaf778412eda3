"""Une adresse aux nombres démesurés ne casse aucun écran des relances."""

import pytest
from django.urls import reverse

from recouvrement.comptes.models import Role
from tests.comptes.factories import UtilisateurFactory

GEANT = "9" * 40


@pytest.mark.django_db
@pytest.mark.parametrize("vue", ["ce-soir", "valider", "poster", "envoye"])
@pytest.mark.parametrize("parametre", ["nature", "lettre"])
@pytest.mark.parametrize("valeur", [GEANT, f"{GEANT}-{GEANT}-EUR", "١٢", "-1"])
def test_un_entier_geant_ne_casse_pas_l_ecran(client, vue, parametre, valeur):
    client.force_login(UtilisateurFactory(role=Role.RESPONSABLE))
    reponse = client.get(reverse("relances:ce_soir"), {"v": vue, parametre: valeur})
    assert reponse.status_code == 200
