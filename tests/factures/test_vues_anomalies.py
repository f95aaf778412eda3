"""Ce qui dépasse le maximum légal se voit : fiches de la facture et du client, sans rien bloquer (droit.md § 2)."""

from datetime import date

import pytest
from django.urls import reverse

from clients.models import CAS_PUBLICS, CasDelai
from factures.domaine.maximums import PUBLICS, Cas
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


@pytest.mark.parametrize(
    ("type_debiteur", "cas", "echeance", "dit"),
    [
        ("entreprise", "", date(2026, 3, 17), ""),
        ("entreprise", "transport", date(2026, 2, 15), ""),
        ("entreprise", "transport", date(2026, 2, 16), "le maximum légal est le 15/02/2026 (C. com., art. L441-11"),
        ("entreprise", "viande", date(2026, 2, 6), "exécution inconnue"),
        ("entreprise", "public", date(2026, 3, 17), ""),  # d'un acheteur public : sans effet pour une entreprise
        ("administration", "", date(2026, 3, 17), ""),
        ("administration", "public", date(2026, 2, 16), "cet acheteur public finit le 15/02/2026 (CCP, art. R2192-10)"),
        ("administration", "public_sante", date(2026, 3, 7), ""),
        ("administration", "public_sante", date(2026, 3, 8), "le 07/03/2026"),
        ("administration", "transport", date(2026, 3, 17), ""),
    ],
)
def test_le_secteur_du_client_fixe_son_maximum(client, type_debiteur, cas, echeance, dit):
    """C. com., art. L441-11 ; CCP, art. R2192-10 et R2192-11 : l'onglet Conditions le choisit."""
    facture = facture_datee(date(2026, 1, 16), echeance, type=type_debiteur, cas_delai=cas)
    texte = page(client, facture)
    assert ("jours de la facture" in texte) is bool(dit)
    assert dit in texte.replace("&#x27;", "'")


def test_chaque_cas_de_la_fiche_client_est_dans_la_table_des_maximums():
    assert {*CasDelai.values, Cas.DROIT_COMMUN} == set(Cas)
    assert set(CAS_PUBLICS) == set(PUBLICS)


@pytest.mark.parametrize(
    ("type_debiteur", "cas", "admis"),
    [
        ("entreprise", "transport", True), ("administration", "public_sante", True), ("entreprise", "public", False),
        ("administration", "vin", False), ("particulier", "transport", False), ("particulier", "", True),
    ],
)  # fmt: skip
def test_le_cas_se_choisit_avec_le_type_qui_le_porte(client, type_debiteur, cas, admis):
    debiteur = ClientFactory(type=type_debiteur)
    client.force_login(UtilisateurFactory(societe=debiteur.societe, role=Role.RESPONSABLE))
    saisie = {nom: getattr(debiteur, nom) for nom in ("raison_sociale", "type", "pays", "langue", "conditions")}
    saisie |= {"lecture_fdm": "A", "imputation": "interets", "version": debiteur.version, "cas_delai": cas}
    reponse = client.post(reverse("clients:geste", args=[debiteur.pk, "modifier"]), saisie)
    assert (reponse.status_code == 422) is not admis
    debiteur.refresh_from_db()
    assert debiteur.cas_delai == (cas if admis else "")
    if admis and cas:
        texte = client.get(reverse("clients:fiche", args=[debiteur.pk]), {"o": "conditions"}).content.decode()
        assert debiteur.get_cas_delai_display() in texte
