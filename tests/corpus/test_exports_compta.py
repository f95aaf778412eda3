"""Exports tabulés dont l'en-tête est fautif et les clients désignés par leur nom : leurs soldes sont ceux attendus."""

import csv
from decimal import Decimal

import pytest
from django.db.models import Count, Sum

from factures.models import Encaissement, Facture
from tests.comptes.factories import SocieteFactory
from tests.factures.imports_essai import encours_par_client, prendre

DOSSIER = "exports-compta/EuniceKwamboMvula+lettrage-paiements-b2b"
FACTURES, PAIEMENTS, BALANCE = (f"{DOSSIER}/{nom}.csv" for nom in ("factures", "paiements", "balance_client"))
FICHIERS = {FACTURES, PAIEMENTS, BALANCE}


def _prendre(societe, chemin):
    """Comme à l'écran : l'assistant propose, la personne ne fait qu'ajouter la date que le fichier n'a pas."""
    refuse = prendre(societe, chemin.read_bytes(), nom=chemin.name)
    propose = refuse.a_correspondre["proposition"]
    options = {**propose["options"], "date_defaut": "2026-01-01"}
    return prendre(
        societe, chemin.read_bytes(), nom=chemin.name, corrections={"tableau": {**propose, "options": options}}
    )


def _par_nom(modele, montant):
    sommes = modele.objects.values("client__raison_sociale").annotate(t=Sum(montant)).order_by("client__raison_sociale")
    return {x["client__raison_sociale"].removeprefix("Entreprise "): x["t"] for x in sommes}


@pytest.mark.django_db
def test_les_soldes_sont_ceux_de_l_oracle(corpus, table):
    societe = SocieteFactory()
    rendu = _prendre(societe, corpus / FACTURES)
    assert rendu.rejets == []
    sommes = _par_nom(Facture, "montant_ttc")
    lu = Facture.objects.aggregate(n=Count("pk"), c=Count("client", distinct=True), t=Sum("montant_ttc"))
    alpha = list(Facture.objects.filter(client__raison_sociale="Entreprise Alpha").order_by("numero"))
    table.noter(
        FACTURES,
        {
            "factures": 4,
            "clients": 3,
            "total": Decimal("5000.00"),
            "par_client": {"Alpha": Decimal("1500.00"), "Beta": Decimal("2000.00"), "Gamma": Decimal("1500.00")},
            "alpha": ["F001", "F002"],
        },
        {
            "factures": lu["n"],
            "clients": lu["c"],
            "total": lu["t"],
            "par_client": sommes,
            "alpha": [f.numero for f in alpha],
        },
    )
    rendu = _prendre(societe, corpus / PAIEMENTS)
    assert rendu.rejets == []
    table.noter(
        PAIEMENTS,
        {
            "paiements": 4,
            "total": Decimal("4200.00"),
            "par_client": {"Alpha": Decimal("1200.00"), "Beta": Decimal("1500.00"), "Gamma": Decimal("1500.00")},
            "imputations": 0,
        },
        {
            "paiements": Encaissement.objects.count(),
            "total": rendu.faits["total_encaissements"],
            "par_client": _par_nom(Encaissement, "montant"),
            "imputations": rendu.crees["imputations"],
        },
    )
    soldes = encours_par_client(societe)
    with open(corpus / BALANCE, encoding="utf-8") as flux:
        oracle = {x["client_nom"]: Decimal(x["solde_restant"]) for x in csv.DictReader(flux)}
    noms = {"Entreprise Alpha": "ENTREPRISE-ALPHA", "Entreprise Beta": "ENTREPRISE-BETA"}
    assert oracle == {nom: soldes.get(noms.get(nom, ""), Decimal(0)) for nom in oracle}
    table.noter(
        BALANCE,
        {"Alpha": Decimal("300.00"), "Beta": Decimal("500.00"), "Gamma": Decimal("0.00"), "total": Decimal("800.00")},
        {
            "Alpha": soldes.get("ENTREPRISE-ALPHA", Decimal(0)),
            "Beta": soldes.get("ENTREPRISE-BETA", Decimal(0)),
            "Gamma": soldes.get("ENTREPRISE-GAMMA", Decimal(0)),
            "total": sum(soldes.values()),
        },
    )
