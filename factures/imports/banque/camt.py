"""CAMT.053, versions 001.02 à 001.13, tout espace de noms : un relevé ISO 20022 lu en flux, élément par élément.

camt.052 (situation du jour) et camt.054 (avis) sont reconnus pour être refusés : ce ne sont pas des relevés, et leurs
opérations reviennent dans le relevé. Source : ISO 20022, Bank-to-Customer Cash Management, MDR camt.053.
"""

import re
from collections.abc import Iterator
from datetime import date

from lxml import etree

from factures.domaine.banque_textes import compacter, montant_pointe

from ..fichier import Fichier, Genre
from ..lecteurs import ContexteLecture
from ..lot import LotLu, MouvementLu, ReleveLu
from ..texte import FichierRefuse
from .camt_ecriture import Entree, lire_entree
from .camt_xml import SansDtd, enfant, fils, nom_local, texte_de
from .commun import Carnet, borne, debut, lot_banque, plausible

AUTRES = {
    "BkToCstmrAcctRpt": "une situation de compte en cours de journée (camt.052)",
    "BkToCstmrDbtCdtNtfctn": "un avis d'opérations (camt.054)",
    "CstmrPmtStsRpt": "un état de remise (pain.002)",
    "CstmrCdtTrfInitn": "un ordre de virement (pain.001)",
    "CstmrDrctDbtInitn": "un ordre de prélèvement (pain.008)",
}
_RACINE = re.compile(
    r"<(?:[\w.-]+:)?(BkToCstmrStmt|BkToCstmrAcctRpt|BkToCstmrDbtCdtNtfctn|CstmrPmtStsRpt|Cstmr\w+Initn)\b"
)
_NOM = re.compile(r"camt\.05([2-4])\.001\.(\d\d)")
IGNORES = {"PDNG": "en attente", "INFO": "pour information", "FUTR": "à venir"}


def _tete(fichier: Fichier) -> str:
    brut = fichier.tete
    return brut.decode("utf-16", "ignore") if brut[:2] in (b"\xff\xfe", b"\xfe\xff") else debut(fichier)


def reconnait(fichier: Fichier) -> dict[str, int]:
    """Lève FichierRefuse pour un message bancaire qui n'est pas un relevé."""
    if fichier.genre is not Genre.XML:
        return {}
    tete = _tete(fichier)
    racine = _RACINE.search(tete)
    if racine and racine[1] in AUTRES:
        raise FichierRefuse(
            f"Ce fichier est {AUTRES[racine[1]]}, pas un relevé : demandez à la banque le camt.053 du compte."
        )
    if racine:
        return {"camt053": 100}
    nom = _NOM.search(tete)
    return {"camt053": 70} if nom and nom[1] == "3" else {}


def lire(fichier: Fichier, contexte: ContexteLecture) -> LotLu:
    """Lève FichierRefuse : XML mal formé, DTD, message qui n'est pas un relevé."""
    reconnait(fichier)
    lot = lot_banque("camt053", contexte, "xml")
    lot.elements = _Lecture(lot, fichier).elements()
    return lot


class _Lecture:
    def __init__(self, lot, fichier: Fichier):
        self.lot, self.fichier = lot, fichier
        self.carnet = Carnet(lot, exige_equilibre=False)
        self.entete: dict | None = None
        self.ignorees: dict[str, int] = {}
        self.transactions = self.groupees = 0
        self.version = ""

    def elements(self) -> Iterator[ReleveLu | MouvementLu]:
        with self.fichier.ouvrir() as flux:
            garde = SansDtd(flux, self.fichier)
            try:
                yield from self._parcourir(garde)
            except etree.XMLSyntaxError as erreur:
                ligne = erreur.lineno or 0
                raise FichierRefuse(
                    f"Le XML est mal formé à la ligne {ligne} : il est coupé ou abîmé, redemandez-le à la banque."
                ) from erreur
            except (UnicodeError, LookupError) as erreur:
                raise FichierRefuse("Le XML n'est pas dans l'encodage qu'il annonce : redemandez-le.") from erreur
        if not self.carnet.n:
            raise FichierRefuse("Le fichier ne contient aucun relevé (élément Stmt) : ce n'est pas un CAMT.053.")
        for statut, n in sorted(self.ignorees.items()):
            sens = IGNORES.get(statut, statut)
            self.carnet.avertir(f"{n} écritures {sens} ({statut}) laissées de côté : elles ne sont pas au solde.")
        if self.groupees:
            self.carnet.avertir(f"{self.groupees} écritures groupées détaillées en opérations.")
        self.carnet.conclure(ecritures=self.lot.lignes, transactions=self.transactions, version=self.version)

    def _parcourir(self, flux) -> Iterator[ReleveLu | MouvementLu]:
        contexte = etree.iterparse(
            flux, events=("start", "end"), tag=("{*}Document", "{*}Stmt", "{*}Rpt", "{*}Ntfctn", "{*}Ntry"),
            remove_comments=True, remove_pis=True, resolve_entities=False, no_network=True, load_dtd=False,
            huge_tree=False,
        )  # fmt: skip
        stmt = None
        for evenement, element in contexte:
            nom = nom_local(element)
            if evenement == "start":
                if element.getroottree().docinfo.doctype:
                    raise FichierRefuse("Le XML contient une DTD : refusé, un relevé n'en porte jamais.")
                if nom in ("Rpt", "Ntfctn"):
                    raise FichierRefuse("Ce fichier n'est pas un relevé (camt.053) : demandez à la banque le camt.053.")
                if nom == "Document":
                    if lu := _NOM.search(element.nsmap.get(element.prefix) or ""):
                        self.version = f"camt.05{lu[1]}.001.{lu[2]}"
                elif nom == "Stmt" and stmt is None:
                    stmt, self.entete = element, None
                continue
            if stmt is None:
                continue
            if nom == "Ntry" and element.getparent() is stmt:
                self._ouvrir(stmt)
                yield from self._ecriture(element)
                element.clear()
                parent = element.getparent()
                while element.getprevious() is not None and nom_local(element.getprevious()) == "Ntry":
                    del parent[parent.index(element) - 1]
            elif nom == "Stmt" and element is stmt:
                self._ouvrir(stmt)
                yield self._fermer(stmt)
                stmt = None
                parent = element.getparent()
                element.clear()
                if parent is not None:
                    while element.getprevious() is not None:
                        del parent[0]

    # --- Relevé ------------------------------------------------------------------------------

    def _ouvrir(self, stmt) -> None:
        if self.carnet.releve is not None:
            return
        compte = fils(stmt, "Acct", "Id")
        iban = compacter(texte_de(compte, "IBAN"))[:34]
        autre = compacter(texte_de(compte, "Othr", "Id"))
        soldes = list(self._soldes(stmt))
        devise = texte_de(stmt, "Acct", "Ccy") or next((s[2] for s in soldes), "") or "EUR"
        periode = fils(stmt, "FrToDt")
        self.carnet.ouvrir(
            stmt.sourceline or 0, iban or autre or "?", devise[:3], iban=iban,
            numero=borne(texte_de(stmt, "ElctrncSeqNb") or texte_de(stmt, "LglSeqNb") or texte_de(stmt, "Id"), 60),
            du=_jour_ou_rien(texte_de(periode, "FrDtTm") or texte_de(periode, "FrDt")),
            au=_jour_ou_rien(texte_de(periode, "ToDtTm") or texte_de(periode, "ToDt")),
        )  # fmt: skip

    def _soldes(self, stmt) -> Iterator[tuple]:
        """(type, montant signé, devise, jour) de chaque Bal lisible."""
        for solde in stmt:
            if nom_local(solde) != "Bal":
                continue
            genre = texte_de(solde, "Tp", "CdOrPrtry", "Cd") or texte_de(solde, "Tp", "CdOrPrtry", "Prtry")
            montant = enfant(solde, "Amt")
            if montant is None:
                continue
            try:
                valeur = montant_pointe(montant.text or "")
            except ValueError as erreur:
                self.carnet.refuser(
                    solde.sourceline or 0, f"solde {genre}", f"{erreur}.", "Redemandez le fichier à la banque."
                )
                continue
            if texte_de(solde, "CdtDbtInd") == "DBIT":
                valeur = -valeur
            sous = texte_de(solde, "Tp", "SubTp", "Cd")
            yield genre, valeur, (montant.get("Ccy") or "")[:3], _jour_ou_rien(texte_de(solde, "Dt")), sous

    def _fermer(self, stmt) -> ReleveLu:
        """Ouverture : OPBD, sinon PRCD. Clôture : CLBD. Dans la devise du compte ; les autres soldes se disent."""
        releve = self.carnet.releve
        ouverture = cloture = None
        tous = []
        for genre, valeur, devise, jour, sous in self._soldes(stmt):
            tous.append(f"{genre} {valeur:.2f} {devise}")
            meme = not devise or devise == releve.devise
            if meme and genre == "OPBD" and sous != "ITBD" and (ouverture is None or ouverture[0] != "OPBD"):
                ouverture = (genre, valeur, jour)
            elif meme and genre == "OPBD" and ouverture is None:
                ouverture = (genre, valeur, jour)
            elif meme and genre == "PRCD" and ouverture is None:
                ouverture = (genre, valeur, jour)
            elif meme and genre == "CLBD":
                cloture = (genre, valeur, jour)
        if len(tous) > 1 and len({t[-3:] for t in tous}) > 1:
            self.carnet.avertir(
                f"Relevé {releve.numero or releve.compte} : soldes en plusieurs devises, seuls comptent ceux en "
                f"{releve.devise}."
            )
        self.lot.faits.setdefault("soldes_lus", [])
        if len(self.lot.faits["soldes_lus"]) < 200:
            self.lot.faits["soldes_lus"] += tous[:10]
        # La date du CLBD fait foi sur la période demandée : un relevé de janvier peut s'arrêter au 23.
        return self.carnet.fermer(
            releve.ligne,
            solde_ouverture=ouverture[1] if ouverture else None,
            solde_cloture=cloture[1] if cloture else None,
            du=releve.du or (ouverture[2] if ouverture else None),
            au=(cloture[2] if cloture and cloture[2] else None) or releve.au,
        )

    # --- Écriture ----------------------------------------------------------------------------

    def _ecriture(self, ntry) -> Iterator[MouvementLu]:
        self.lot.lignes += 1
        releve, ligne = self.carnet.releve, ntry.sourceline or 0
        statut = texte_de(ntry, "Sts", "Cd") or texte_de(ntry, "Sts")
        if statut and statut != "BOOK":
            self.ignorees[statut[:10]] = self.ignorees.get(statut[:10], 0) + 1
            return
        try:
            entree: Entree = lire_entree(ntry, releve.devise)
        except ValueError as erreur:
            champ, _, constat = str(erreur).partition("|")
            self.carnet.refuser(
                ligne, champ, f"Écriture {self.lot.lignes} : {constat}.", "Redemandez le fichier à la banque."
            )
            return
        if entree.devise != releve.devise:
            if self.carnet.sommes or self.lot.lignes > 1:
                self.carnet.refuser(
                    ligne, "devise", f"Écriture {self.lot.lignes} en {entree.devise}, compte en {releve.devise}.",
                    "Un compte n'a qu'une devise : redemandez le fichier.",
                )  # fmt: skip
                return
            releve.devise = entree.devise  # aucun solde ni Ccy ne la donnait mieux que la première écriture
        self.transactions += entree.transactions
        if entree.avertissement:
            self.carnet.avertir(f"Ligne {ligne} : {entree.avertissement}")
        self.groupees += len(entree.parts) > 1
        for part in entree.parts:
            if not part.montant:
                self.carnet.nuls += 1
                continue
            if part.contrepartie_iban == releve.compte:
                part.contrepartie_iban = ""
            part.ligne, part.releve, part.compte, part.devise = ligne, releve.cle_source, releve.compte, entree.devise
            yield self.carnet.noter(part)


def _jour_ou_rien(texte: str) -> date | None:
    try:
        jour = date.fromisoformat(texte.strip()[:10])
    except ValueError:
        return None
    return jour if plausible(jour) else None
