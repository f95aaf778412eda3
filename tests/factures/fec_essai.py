"""Fabrique des FEC d'essai, équilibrés par construction."""

from datetime import date, timedelta
from decimal import Decimal

from factures.domaine.fec_lignes import Nature
from factures.imports.fichier import examiner_fichier
from factures.imports.lecteurs import lire_seul
from factures.imports.lot import AvoirLu, ClientLu, EncaissementLu, FactureLue, ImputationLue, LotLu

ENTETE = (
    "JournalCode JournalLib EcritureNum EcritureDate CompteNum CompteLib CompAuxNum CompAuxLib PieceRef PieceDate "
    "EcritureLib Debit Credit EcritureLet DateLet ValidDate Montantdevise Idevise"
).split()
CONTREPARTIES = {
    Nature.VENTE: "706000", Nature.TRESORERIE: "512000", Nature.A_NOUVEAU: "890000", Nature.CHARGE: "658000",
    Nature.AUTRE: "467000",
}  # fmt: skip


class Fec:
    """Une écriture par appel : une ligne client et sa contrepartie."""

    def __init__(self):
        self.lignes: list[list[str]] = []
        self.numero = 0

    def ecriture(self, lignes, *, journal="OD", libelle="Divers", num=None, quand="20250115"):
        """lignes : (compte, auxiliaire, pièce, débit signé, lettrage[, date de pièce]) ; débit négatif = crédit."""
        self.numero += 1
        for compte, auxiliaire, piece, montant, lettrage, *reste in lignes:
            piece_date, *fin = reste or [quand]
            montant = Decimal(montant)
            debit, credit = (montant, Decimal(0)) if montant > 0 else (Decimal(0), -montant)
            self.lignes.append(
                [journal, libelle, num or str(self.numero), quand, compte, "Compte " + compte, auxiliaire,
                 f"Client {auxiliaire}" if auxiliaire else "", piece, piece_date, f"Libellé {piece}",
                 euros(debit), euros(credit), lettrage, fin[0] if fin else (quand if lettrage else ""), quand, "", ""]
            )  # fmt: skip
        return self

    def vente(self, client, piece, montant, lettrage="", quand="20250115", compte="411000", **options):
        return self._simple("VE", "Ventes", "706000", client, piece, montant, lettrage, quand, compte, **options)

    def avoir(self, client, piece, montant, lettrage="", quand="20250120", **options):
        return self._simple(
            "VE", "Ventes", "706000", client, piece, f"-{montant}", lettrage, quand, "411000", **options
        )

    def reglement(self, client, montant, lettrage="", quand="20250210", piece="VIR", compte="411000", **options):
        return self._simple("BQ", "Banque", "512000", client, piece, f"-{montant}", lettrage, quand, compte, **options)

    def a_nouveau(self, client, piece, montant, lettrage="", quand="20250101", **options):
        return self._simple("AN", "À-nouveaux", "890000", client, piece, montant, lettrage, quand, "411000", **options)

    def _simple(
        self, journal, libelle, contrepartie, client, piece, montant, lettrage, quand, compte, let="", num=None
    ):
        oppose = montant[1:] if montant.startswith("-") else f"-{montant}"
        return self.ecriture(
            [
                (compte, client, piece, montant, lettrage, quand, *([let] if let else [])),
                (contrepartie, "", piece, oppose, ""),
            ],
            journal=journal, libelle=libelle, quand=quand, num=num,
        )  # fmt: skip

    def texte(self, separateur="\t", fin="\r\n", entete=ENTETE) -> str:
        return fin.join(separateur.join(x) for x in [entete, *self.lignes]) + fin

    def lire(self, encodage="utf-8", nom="123456789FEC20251231.txt", **options) -> LotLu:
        return lire_octets(self.texte(**options).encode(encodage), nom)


def euros(valeur) -> str:
    return f"{Decimal(valeur):.2f}".replace(".", ",")


def trente_jours(_client: str, emission: date) -> date:
    return emission + timedelta(30)


def lire_octets(octets: bytes, nom: str = "", format: str = "", **options) -> LotLu:
    """Lit tout et garde les éléments en liste."""
    lot = lire_seul(examiner_fichier(octets, nom), format, echeance_de=trente_jours, **options)
    lot.elements = list(lot.elements)
    return lot


def par_type(lot: LotLu):
    """(clients, factures, avoirs, encaissements, imputations)."""
    types = (ClientLu, FactureLue, AvoirLu, EncaissementLu, ImputationLue)
    return tuple([e for e in lot.elements if type(e) is t] for t in types)


def restes(lot: LotLu) -> dict[str, Decimal]:
    """{numéro ou référence: reste}, débits positifs et crédits négatifs, soldés omis."""
    _, factures, avoirs, encaissements, imputations = par_type(lot)
    noms, reste = {}, {}
    for f in factures:
        noms[f.cle_echeance], reste[f.cle_echeance] = f.numero, f.montant_ttc
    for a in avoirs:
        noms[a.cle_source], reste[a.cle_source] = a.numero, -a.montant
    for e in encaissements:
        noms[e.cle_source], reste[e.cle_source] = e.reference, -e.montant
    for i in imputations:
        reste[i.cle_echeance] = reste.get(i.cle_echeance, Decimal(0)) - i.montant
        reste[i.cle_encaissement or i.cle_avoir] += i.montant
    return {noms.get(cle, cle): valeur for cle, valeur in reste.items() if valeur}


def soldes_reconstitues(lot: LotLu) -> dict[str, Decimal]:
    """Σ restes dus − Σ crédits libres, par client : ce qui doit égaler la comptabilité."""
    _, factures, avoirs, encaissements, imputations = par_type(lot)
    soldes: dict[str, Decimal] = {}
    for f in factures:
        soldes[f.code_client] = soldes.get(f.code_client, Decimal(0)) + f.montant_ttc
    for credit in (*avoirs, *encaissements):
        soldes[credit.code_client] = soldes.get(credit.code_client, Decimal(0)) - credit.montant
    return soldes
