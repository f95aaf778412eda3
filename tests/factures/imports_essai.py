"""Importer un texte dans une société d'essai, et lire ce qui en reste."""

from datetime import UTC, date, datetime
from decimal import Decimal

from django.db.models import F, Sum

from factures.imports.appliquer import importer
from factures.models import Avoir, Echeance, Encaissement
from recouvrement.pilotage.verification import tout_verifier
from tests.factures.fec_essai import Fec

AU = date(2026, 3, 10)
MOMENT = datetime(2026, 3, 10, 9, tzinfo=UTC)
CLIENTS = "code_client;raison_sociale;conditions;siren;courriel;type;adresse;gestionnaire;taux_penalites\n"
FACTURES = (
    "numero;code_client;date_facture;date_echeance;montant_ht;montant_tva;montant_ttc;devise;type;numero_origine\n"
)
ENCAISSEMENTS = "reference;code_client;date;montant;mode;facture\n"
F1 = "F1;C1;2026-01-05;2026-02-04;100;20;120;;;\n"
F2 = "F2;C1;2026-01-06;2026-02-05;;;80;;;\n"


def prendre(societe, texte, **options):
    octets = texte if isinstance(texte, bytes) else texte.encode()
    return importer(octets, societe, moment=MOMENT, au=AU, **options)


def defauts_de_soldes():
    """Contrôles de `verifier` en échec : les soldes égalent les imputations."""
    return [c for c in tout_verifier() if not c.ok]


def restes(societe) -> dict[str, Decimal]:
    ouvertes = Echeance.objects.filter(societe=societe).ouvertes().with_reste_du()
    return dict(ouvertes.values_list("facture__numero", "reste_du_calcule"))


def rejets(rendu):
    return [(r.ligne, r.champ, r.motif) for r in rendu.rejets]


def fec_de_base() -> Fec:
    return (
        Fec()
        .vente("C1", "F1", "100", "A", quand="20250110")
        .reglement("C1", "100", "A", quand="20250220")
        .vente("C1", "F2", "60", quand="20250301")
        .vente("C2", "F3", "40", quand="20250302")
    )


def prendre_fec(societe, fec: Fec, **options):
    return prendre(societe, fec.texte(), nom="732829320FEC20251231.txt", **options)


def encours_par_client(societe):
    lignes = {}
    for e in (
        Echeance.objects.filter(societe=societe).values("client__code").annotate(s=Sum(F("montant") - F("impute")))
    ):
        lignes[e["client__code"]] = e["s"]
    for modele in (Encaissement, Avoir):
        for c in (
            modele.objects.filter(societe=societe).values("client__code").annotate(s=Sum(F("montant") - F("impute")))
        ):
            lignes[c["client__code"]] = lignes.get(c["client__code"], 0) - c["s"]
    return {code: s for code, s in lignes.items() if s}
