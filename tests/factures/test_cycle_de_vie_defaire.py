"""Défaire un import de statuts, d'annonces ou de corrections : tout revient, rien ne reste."""

import json
from datetime import date
from decimal import Decimal

import pytest

from clients.models import AnnonceBodacc, CorrectionProposee
from factures.models import Facture, Litige, Lot, StatutRecu
from factures.services.annulation import defaire
from recouvrement.comptes.models import Role
from relances.models import Tache
from tests.clients.factories import ClientFactory
from tests.comptes.factories import UtilisateurFactory
from tests.factures.factories import EcheanceFactory, FactureFactory
from tests.factures.imports_essai import AU, MOMENT, prendre
from tests.factures.test_bodacc import SIREN, annonce, octets
from tests.factures.test_sirene import recherche

pytestmark = pytest.mark.django_db


def reculer(societe):
    acteur = UtilisateurFactory(role=Role.ADMINISTRATEUR, societe=societe)
    return defaire(Lot.objects.get(societe=societe), acteur=acteur, moment=MOMENT, au=AU)


def test_un_import_de_statuts_se_defait():
    facture = FactureFactory(numero="F1", date_emission=date(2026, 1, 5), montant_ttc=Decimal(100))
    EcheanceFactory(facture=facture, montant=100)
    texte = "numero;statut;date;montant\nF1;207;2026-01-20;30\n"
    prendre(facture.societe, texte, format="statuts-fe")
    assert Litige.objects.exists() and reculer(facture.societe)
    assert not StatutRecu.objects.exists() and not Litige.objects.exists()
    assert Facture.objects.values_list("statut_fe", "statut_fe_le").get() == ("", None)
    assert prendre(facture.societe, texte, format="statuts-fe").crees["statuts"] == 1


def test_un_import_d_annonces_se_defait():
    client = ClientFactory(siren=SIREN)
    prendre(client.societe, octets(annonce()))
    assert Tache.objects.exists() and reculer(client.societe)
    client.refresh_from_db()
    assert client.jugement_ouverture_le is None and not AnnonceBodacc.objects.exists()


def test_un_import_de_registre_se_defait():
    client = ClientFactory(siren="732829320", raison_sociale="Ancien")
    prendre(client.societe, json.dumps({"results": [recherche()]}))
    assert CorrectionProposee.objects.exists() and reculer(client.societe)
    assert not CorrectionProposee.objects.exists()
