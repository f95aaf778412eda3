"""OFX 1 (SGML, balises non fermées) et OFX 2 (XML) : un même découpage en balises, en flux, sans lignes.

L'encodage annoncé ment souvent (USASCII, CHARSET:1252 sur de l'UTF-8) : UTF-8 s'il se décode d'un bout à l'autre,
Windows 1252 sinon. Une date vaut le jour que la banque écrit, quel que soit son fuseau. Source : OFX 1.0.3 et 2.3.
"""

import codecs
import html
import re
from collections.abc import Iterator
from datetime import date
from decimal import Decimal

from factures.domaine.banque_codes import AUTRE, nature_libelle, nature_ofx
from factures.domaine.banque_textes import compacter, iban_valide, montant_pointe, normaliser

from ..fichier import Fichier, Genre
from ..lecteurs import ContexteLecture
from ..lot import LotLu, MouvementLu, ReleveLu
from ..nombres import Illisible, jour, montant
from ..texte import FichierRefuse
from .commun import CODE, NOM, Carnet, borne, debut, libelle, lot_banque, montant_plausible, reference

BLOC = 256 * 1024
MORCEAU_MAX = 1024 * 1024  # octets entre deux balises
VALEUR_MAX = 2_000
FITID_SUIVIS = 200_000
COMPTES = {"BANKACCTFROM", "CCACCTFROM"}
RELEVES = {"STMTRS", "CCSTMTRS"}


def reconnait(fichier: Fichier) -> dict[str, int]:
    if fichier.genre not in (Genre.TEXTE, Genre.XML):
        return {}
    tete = debut(fichier).upper().replace("\0", "")
    if "<OFX>" in tete or "OFXHEADER" in tete[:600]:
        return {"ofx": 100}
    return {}


def lire(fichier: Fichier, contexte: ContexteLecture) -> LotLu:
    lot = lot_banque("ofx", contexte, _encodage(fichier))
    lot.elements = _Lecture(lot, fichier).elements()
    return lot


def _encodage(fichier: Fichier) -> str:
    if fichier.tete[:2] in (b"\xff\xfe", b"\xfe\xff"):
        return "utf-16"
    decodeur = codecs.getincrementaldecoder("utf-8-sig")()
    try:
        with fichier.ouvrir() as flux:
            while bloc := flux.read(BLOC):
                decodeur.decode(bloc)
            decodeur.decode(b"", final=True)
    except UnicodeDecodeError:
        return "cp1252"
    return "utf-8"


def _morceaux(fichier: Fichier, encodage: str) -> Iterator[tuple[int, str]]:
    """(ligne, ce qui va d'un « < » au suivant, sans lui) ; l'en-tête d'avant la première balise est laissé."""
    decodeur = codecs.getincrementaldecoder("utf-8-sig" if encodage == "utf-8" else encodage)("replace")
    reste, ligne, lus = "", 1, 0
    with fichier.ouvrir() as flux:
        while True:
            bloc = flux.read(BLOC)
            lus += len(bloc)
            if fichier.suivi:
                fichier.suivi(lus)
            reste += decodeur.decode(bloc, final=not bloc)
            morceaux = reste.split("<")
            reste = morceaux.pop()
            for morceau in morceaux:
                yield ligne, morceau
                ligne += morceau.count("\n")
            if not bloc:
                yield ligne, reste
                return
            if len(reste) > MORCEAU_MAX:
                raise FichierRefuse("Ce n'est pas un OFX lisible : un mégaoctet sans une balise.")


class _Lecture:
    def __init__(self, lot, fichier: Fichier):
        self.lot, self.fichier = lot, fichier
        self.carnet = Carnet(lot, exige_equilibre=False)
        self.chemin: str = ""  # agrégat qui compte : BANKACCTFROM, LEDGERBAL, STMTTRN…
        self.dedans: dict[str, str] | None = None  # champs de la transaction ouverte
        self.ligne_tx = 0
        self.entete: dict[str, str] = {}
        self.dans_releve = self.ouvert = False
        self.attente: list[MouvementLu] = []
        self.fitid: set[int] = set()
        self.doubles = self.illisibles = 0

    def elements(self) -> Iterator[ReleveLu | MouvementLu]:
        feuille, ligne, vu = "", 0, False
        for ligne, morceau in _morceaux(self.fichier, self.lot.encodage):
            if not vu:  # avant la première balise : l'en-tête OFX 1
                vu = True
                continue
            if morceau.startswith("!"):
                if morceau[:9].upper() in ("!DOCTYPE ", "!ENTITY %") or morceau[:7].upper() == "!ENTITY":
                    raise FichierRefuse(
                        "Le fichier contient une DTD ou des entités : refusé, un OFX n'en porte jamais."
                    )
                if morceau.startswith("![CDATA[") and feuille:
                    self._valeur(feuille, morceau[8:].partition("]]>")[0])
                continue
            balise, ferme, valeur = morceau.partition(">")
            if not ferme or morceau.startswith("?"):
                continue
            balise = balise.strip().upper()
            if balise.startswith("/"):
                yield from self._fermer(balise[1:].strip(), ligne)
                feuille = ""
                continue
            nom = balise.split()[0].rstrip("/") if balise else ""
            yield from self._ouvrir(nom, ligne)
            feuille = nom
            if propre := valeur.strip():
                self._valeur(nom, html.unescape(propre[:VALEUR_MAX]))
        yield from self._fin_releve(ligne)
        if not self.carnet.n:
            raise FichierRefuse("Le fichier OFX ne contient aucun relevé (STMTRS ou CCSTMTRS).")
        if self.doubles:
            self.carnet.avertir(f"{self.doubles} opérations portent un identifiant (FITID) déjà vu dans ce fichier.")
        self.carnet.conclure(fitid_en_double=self.doubles, montants_illisibles=self.illisibles)

    # --- Balises -----------------------------------------------------------------------------

    def _ouvrir(self, nom: str, ligne: int) -> Iterator[ReleveLu | MouvementLu]:
        if nom in RELEVES:
            yield from self._fin_releve(ligne)
            self.dans_releve, self.entete, self.ligne_releve = True, {"genre": nom}, ligne
        elif nom == "STMTTRN":
            yield from self._transaction()
            self.dedans, self.ligne_tx, self.chemin = {}, ligne, nom
        elif (
            nom
            in ("LEDGERBAL", "AVAILBAL", "BANKACCTTO", "CCACCTTO", "PAYEE", "CURRENCY", "ORIGCURRENCY", "BANKTRANLIST")
            or nom in COMPTES
        ):
            self.chemin = nom

    def _fermer(self, nom: str, ligne: int) -> Iterator[ReleveLu | MouvementLu]:
        if nom == "STMTTRN":
            yield from self._transaction()
            self.chemin = ""
        elif nom in RELEVES:
            yield from self._fin_releve(ligne)
        elif nom == self.chemin:
            self.chemin = "STMTTRN" if self.dedans is not None else ""

    def _valeur(self, nom: str, valeur: str) -> None:
        if self.dedans is not None:
            prefixe = (
                f"{self.chemin}."
                if self.chemin in ("BANKACCTTO", "CCACCTTO", "PAYEE", "CURRENCY", "ORIGCURRENCY")
                else ""
            )
            self.dedans.setdefault(prefixe + nom, valeur)
        elif self.dans_releve:
            if self.chemin in COMPTES or self.chemin in ("LEDGERBAL", "AVAILBAL"):
                nom = f"{'COMPTE' if self.chemin in COMPTES else self.chemin}.{nom}"
            self.entete.setdefault(nom, valeur)

    # --- Relevé ------------------------------------------------------------------------------

    def _commencer(self) -> None:
        if self.ouvert:
            return
        self.ouvert = True
        e = self.entete.get
        numero = compacter(e("COMPTE.ACCTID", ""))
        iban = numero if iban_valide(numero) else ""
        compte = iban or compacter(e("COMPTE.BANKID", "") + e("COMPTE.BRANCHID", "") + numero)
        devise = (e("CURDEF", "") or "EUR").strip().upper()[:3]
        self.carnet.ouvrir(self.ligne_releve, compte or "?", devise, iban=iban)

    def _fin_releve(self, ligne: int) -> Iterator[ReleveLu | MouvementLu]:
        if not self.dans_releve:
            return
        yield from self._transaction()
        self._commencer()
        solde = self.entete.get("LEDGERBAL.BALAMT", "")
        try:
            cloture = _montant(solde) if solde.strip() else None
        except Illisible as erreur:
            self.carnet.refuser(ligne, "solde (BALAMT)", erreur.constat, erreur.conseil)
            cloture = None
        yield self.carnet.fermer(
            ligne, du=_jour(self.entete.get("DTSTART", "")), solde_cloture=cloture,
            au=_jour(self.entete.get("DTEND", "")) or _jour(self.entete.get("LEDGERBAL.DTASOF", "")),
        )  # fmt: skip
        self.dans_releve = self.ouvert = False
        self.chemin = ""

    # --- Opération ---------------------------------------------------------------------------

    def _transaction(self) -> Iterator[MouvementLu]:
        champs, self.dedans = self.dedans, None
        if champs is None:
            return
        if not self.dans_releve:  # un STMTTRN hors de tout STMTRS : lu quand même, dans un compte inconnu
            self.dans_releve, self.entete, self.ligne_releve = True, {}, self.ligne_tx
        self._commencer()
        self.lot.lignes += 1
        releve = self.carnet.releve
        try:
            valeur = _montant(champs.get("TRNAMT", ""))
        except Illisible as erreur:
            self.illisibles += 1
            self.carnet.refuser(self.ligne_tx, "montant (TRNAMT)", erreur.constat, erreur.conseil)
            return
        le = _jour(champs.get("DTPOSTED", ""))
        if le is None:
            self.carnet.refuser(
                self.ligne_tx, "date (DTPOSTED)", f"« {champs.get('DTPOSTED', '')[:30]} » n'est pas une date OFX.",
                "Redemandez l'export à la banque.",
            )  # fmt: skip
            return
        if not valeur:
            self.carnet.nuls += 1
            return
        fitid = borne(champs.get("FITID", ""), 140)
        if fitid and len(self.fitid) < FITID_SUIVIS:
            empreinte = hash((releve.compte, fitid))
            self.doubles += empreinte in self.fitid
            self.fitid.add(empreinte)
        yield self.carnet.noter(self._mouvement(releve, champs, le, valeur, fitid))

    def _mouvement(self, releve, champs, le: date, valeur: Decimal, fitid: str) -> MouvementLu:
        texte = libelle(champs.get("NAME"), champs.get("PAYEE.NAME"), champs.get("MEMO"))
        autre = next((champs[c] for c in ("BANKACCTTO.ACCTID", "CCACCTTO.ACCTID") if c in champs), "")
        iban = compacter(autre)
        nature = nature_ofx(champs.get("TRNTYPE", "").strip())
        devine = nature_libelle(normaliser(texte) + " ")
        if nature == AUTRE or devine == "rejet":
            nature = devine
        if origine := champs.get("ORIGCURRENCY.CURSYM", ""):
            texte = libelle(texte, f"montant d'origine en {origine.strip()[:3]}")
        cheque = champs.get("CHECKNUM", "") if nature == "cheque" else ""
        return MouvementLu(
            self.ligne_tx, releve.cle_source, releve.compte, le, valeur, releve.devise, texte,
            _jour(champs.get("DTAVAIL", "")), reference=reference(champs.get("REFNUM") or cheque),
            contrepartie=borne(champs.get("PAYEE.NAME"), NOM), contrepartie_iban=iban if iban_valide(iban) else "",
            nature=nature, code=borne(champs.get("TRNTYPE"), CODE), cle_banque=fitid,
        )  # fmt: skip


_POINTE = re.compile(r"[+-]?[0-9]+\.[0-9]+")


def _montant(texte: str) -> Decimal:
    """Le point est décimal en OFX ; la virgule et les blancs des exports français se lisent aussi. Lève Illisible."""
    propre = texte.strip()
    if _POINTE.fullmatch(propre) and propre.isascii():
        try:
            valeur = montant_pointe(propre)
        except ValueError as erreur:
            raise Illisible(f"{erreur}.", "Redemandez l'export à la banque.") from None
    else:
        valeur = montant(propre)
    if not montant_plausible(valeur):
        raise Illisible(f"« {propre[:30]} » dépasse tout montant plausible.")
    return valeur


def _jour(texte: str) -> date | None:
    """AAAAMMJJ[HHMMSS[.XXX]][[fuseau]] : le jour écrit. None si illisible."""
    propre = texte.strip()
    try:
        return jour(propre[:8]) if propre[:8].isdecimal() else jour(propre) if propre else None
    except Illisible:
        return None
