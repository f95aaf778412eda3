"""L'historique IBM, lu par la seule correspondance de ses colonnes : clients, factures, règlements et litiges."""

from datetime import date
from decimal import Decimal

import pytest
from django.db.models import Count, F, Min, Sum

from clients.models import Client
from factures.models import Echeance, Encaissement, Facture, Imputation, Litige
from tests.comptes.factories import SocieteFactory
from tests.factures.imports_essai import defauts_de_soldes, prendre

IBM = "historiques-encaissements/pthiagu2+DataMining/WA_Fn-UseC_-Accounts-Receivable.csv"
FICHIERS = {IBM}
ARRETE = date(2013, 6, 30)


@pytest.mark.django_db
def test_l_historique_ibm_entre_au_centime(corpus, table):
    societe = SocieteFactory()
    octets = (corpus / IBM).read_bytes()
    rendu = prendre(societe, octets, nom="WA_Fn-UseC_-Accounts-Receivable.csv")
    assert (rendu.refus, rendu.rejets) == ("", [])
    table.noter(
        IBM,
        {
            "factures": 2466,
            "clients": 100,
            "pays": 5,
            "total": Decimal("147703.18"),
            "en_retard": (877, Decimal("53960.78")),
            "en_litige": (561, Decimal("36746.12")),
            "jours_de_reglement": "26.44",
            "jours_de_retard": ("3.44", 45),
            "terme": [30],
            "periode": [date(2012, 1, 3), date(2013, 12, 2)],
            "dernier_reglement": date(2014, 1, 9),
            "ouvertes_au_30_06_2013": (84, Decimal("5119.85"), 52),
            "dont_echues": (12, Decimal("835.56")),
            "plus_mauvais": ("2621-XCLEH", "19.60", 15),
            "premier_client": ("1080-NDGAE", Decimal("2646.81")),
            "premier_numero": "0000611365",
            "litiges_ouverts": 0,
        },
        _lu(societe, rendu),
    )
    assert defauts_de_soldes() == []
    avant = _etat()
    prendre(societe, octets, nom="encore.csv")
    assert _etat() == avant


def _etat():
    return [
        list(modele.objects.order_by("pk").values())
        for modele in (Client, Facture, Echeance, Encaissement, Imputation, Litige)
    ]


def _lu(societe, rendu) -> dict:
    echeances = list(
        Echeance.objects.filter(societe=societe)
        .annotate(code=F("client__code"), regle=F("imputations__date"), emise=F("facture__date_emission"))
        .values("code", "montant", "regle", "emise", "date_echeance", "soldee_le")
    )
    retards = {}
    for e in echeances:
        retards.setdefault(e["code"], []).append(max((e["regle"] - e["date_echeance"]).days, 0))
    tardives = [e for e in echeances if e["regle"] > e["date_echeance"]]
    ouvertes = Echeance.objects.filter(societe=societe).ouvertes_au(ARRETE)
    echues = ouvertes.filter(date_echeance__lt=ARRETE)
    pire = max(retards, key=lambda code: sum(retards[code]) / len(retards[code]))
    premier = Facture.objects.values("client__code").annotate(t=Sum("montant_ttc")).order_by("-t")[0]
    tous = [r for liste in retards.values() for r in liste]
    pays = next(a for a in rendu.avertissements if "countryCode" in a)
    return {
        "factures": Facture.objects.count(),
        "clients": Client.objects.count(),
        "pays": pays.count("«") - 1,
        "total": Facture.objects.aggregate(t=Sum("montant_ttc"))["t"],
        "en_retard": (len(tardives), sum(e["montant"] for e in tardives)),
        "en_litige": tuple(Litige.objects.aggregate(n=Count("pk"), t=Sum("echeance__montant")).values()),
        "jours_de_reglement": f"{sum((e['regle'] - e['emise']).days for e in echeances) / len(echeances):.2f}",
        "jours_de_retard": (f"{sum(tous) / len(tous):.2f}", max(tous)),
        "terme": sorted({(e["date_echeance"] - e["emise"]).days for e in echeances}),
        "periode": [min(e["emise"] for e in echeances), max(e["emise"] for e in echeances)],
        "dernier_reglement": max(e["regle"] for e in echeances),
        "ouvertes_au_30_06_2013": (
            ouvertes.count(), ouvertes.aggregate(t=Sum("montant"))["t"], ouvertes.values("client").distinct().count(),
        ),
        "dont_echues": (echues.count(), echues.aggregate(t=Sum("montant"))["t"]),
        "plus_mauvais": (pire, f"{sum(retards[pire]) / len(retards[pire]):.2f}", len(retards[pire])),
        "premier_client": (premier["client__code"], premier["t"]),
        "premier_numero": Facture.objects.aggregate(n=Min("numero"))["n"],
        "litiges_ouverts": Litige.objects.ouverts().count(),
    }  # fmt: skip
