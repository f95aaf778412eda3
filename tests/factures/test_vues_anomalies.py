"""Ce qui dépasse le maximum légal se voit : fiches de la facture et du client, sans rien bloquer (droit.md § 2)."""

from datetime import date

import pytest
from django.urls import reverse

from factures.models import Echeance, Facture
from recouvrement.comptes.models import Role
from tests.clients.factories import ClientFactory
from tests.comptes.factories import UtilisateurFactory
from tests.factures.factories import EcheanceFactory

pytestmark = pytest.mark.django_db


def page(client, facture):
    client.force_login(UtilisateurFactory(societe=facture.societe, role=Role.LECTEUR))
    return client.get(reverse("factures:fiche", args=[facture.pk])).content.decode()


def facture_datee(emission, echeance, **client):
    e = EcheanceFactory(client=ClientFactory(**client), echue_le=echeance)
    Facture.objects.filter(pk=e.facture_id).update(date_emission=emission)
    Echeance.objects.filter(pk=e.pk).update(date_facture=emission)
    return Facture.objects.get(pk=e.facture_id)


@pytest.mark.parametrize(
    ("emission", "echeance", "mot"),
    [
        (date(2026, 1, 16), date(2026, 3, 18), "le maximum légal est le 17/03/2026"),
        (date(2026, 3, 18), date(2026, 3, 1), "Échéance antérieure à la facture"),
        (date(2199, 1, 1), date(2199, 1, 31), "Facture datée de l&#x27;avenir"),
    ],
)
def test_la_fiche_de_la_facture_avertit_sans_bloquer(client, emission, echeance, mot):
    assert mot in page(client, facture_datee(emission, echeance))


def test_une_facture_conforme_ne_dit_rien_et_mene_a_sa_prescription(client):
    facture = facture_datee(date(2026, 1, 16), date(2026, 3, 17))
    texte = page(client, facture)
    assert "maximum légal est" not in texte
    assert reverse("contentieux:prescription", args=[facture.pk]) in texte
    assert reverse("contentieux:prescription_resume", args=[facture.pk]) in texte


@pytest.mark.parametrize(
    ("type_debiteur", "conditions", "dit"),
    [("entreprise", "30FDM10", True), ("entreprise", "60J", False), ("particulier", "90J", False)],
)
def test_la_fiche_du_client_dit_des_conditions_au_dela_du_maximum(client, type_debiteur, conditions, dit):
    debiteur = ClientFactory(type=type_debiteur, conditions=conditions)
    client.force_login(UtilisateurFactory(societe=debiteur.societe, role=Role.LECTEUR))
    texte = client.get(reverse("clients:fiche", args=[debiteur.pk]), {"o": "conditions"}).content.decode()
    assert ("peut dépasser le maximum légal" in texte) is dit
