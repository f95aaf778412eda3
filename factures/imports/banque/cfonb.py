"""Relevé de compte CFONB : 120 caractères (01, 04, 05, 07) et restitution d'impayés 240 caractères (31, 34, 39).

Source : CFONB, « Relevé de compte sur support informatique », juillet 2004, et ses compléments de 2007. Un CFONB n'a
ni signe ni séparateur lisible : son solde est la seule preuve d'une lecture juste, il est donc exigé.
"""

import re
from collections.abc import Iterator
from datetime import date
from decimal import Decimal
from functools import lru_cache

from factures.domaine.banque_codes import NATURE_CFONB, REJET, motif_iso
from factures.domaine.banque_textes import compacter, iban_valide, montant_surcharge

from ..fichier import Fichier, Genre
from ..lecteurs import ContexteLecture
from ..lot import LotLu, MouvementLu, ReleveLu
from ..texte import FichierRefuse
from .commun import CODE, NOM, Carnet, borne, debut, libelle, lot_banque, reference

LIGNE, LIGNE_240 = 120, 240
REGARDEES = 20
COMPLEMENTS_MAX = 200  # par mouvement : au-delà, le fichier ment
_120 = re.compile(r"0[1457][0-9 ]{5}.{9}[A-Z ]{3}[0-9 ]")
_240 = re.compile(r"3[149][0-9]{6}")
COMPLET = "Demandez à la banque le fichier complet, tel qu'elle l'envoie."
LISIBLE = "Redemandez le fichier à la banque sans le retoucher : un caractère déplacé fausse toute la ligne."


def reconnait(fichier: Fichier) -> dict[str, int]:
    if fichier.genre is not Genre.TEXTE:
        return {}
    lignes = [ligne for ligne in debut(fichier).lstrip("ï»¿").splitlines() if ligne.strip()][:REGARDEES]
    if not lignes:
        return {}
    premiere = lignes[0]
    if _240.match(premiere) and all(_240.match(ligne) for ligne in lignes[:-1]):
        return {"cfonb240": 95 if any(len(ligne.rstrip()) > LIGNE for ligne in lignes) else 60}
    if not _120.match(premiere) or len(premiere.rstrip()) < 40:
        return {}
    bonnes = sum(ligne[:2] in ("01", "04", "05", "07") for ligne in lignes)
    return {"cfonb120": 90 if bonnes >= len(lignes) - 1 else 60}


def lire(fichier: Fichier, contexte: ContexteLecture) -> LotLu:
    """Lève FichierRefuse si rien n'y est un relevé ; le reste se dit par des rejets qui nomment la ligne."""
    lot = lot_banque(contexte.format, contexte, fichier.texte.encodage)
    trouve = reconnait(fichier)
    if contexte.format == "cfonb120" and "cfonb240" in trouve:
        raise FichierRefuse("Ce fichier est un CFONB240 (impayés restitués), pas un relevé CFONB120.")
    if contexte.format == "cfonb240" and "cfonb120" in trouve:
        raise FichierRefuse("Ce fichier est un relevé CFONB120, pas un CFONB240.")
    lecture = _Lecture240 if contexte.format == "cfonb240" else _Lecture120
    lot.elements = lecture(lot, fichier).elements()
    return lot


def _enregistrements(fichier: Fichier, taille: int) -> Iterator[tuple[int, str]]:
    """(ligne, enregistrement complété de blancs) : blancs de fin perdus, lignes vides, blocs sans fin de ligne."""
    for numero, ligne in enumerate(fichier.texte.lignes(), start=1):
        ligne = ligne.rstrip("\x1a \t\r\x00")
        if not ligne:
            continue
        if len(ligne) <= taille:
            yield numero, ligne.ljust(taille)
        else:  # des enregistrements bout à bout, ou une ligne trop longue que la suite refusera
            for place in range(0, len(ligne), taille):
                yield numero, ligne[place : place + taille].ljust(taille)


@lru_cache(maxsize=4096)
def jour_cfonb(texte: str) -> date:
    """JJMMAA. Lève ValueError."""
    if not (texte.isascii() and texte.isdigit() and len(texte) == 6):
        raise ValueError(f"« {texte.strip()} » n'est pas une date JJMMAA")
    annee = int(texte[4:])
    try:
        return date(annee + (1900 if annee >= 80 else 2000), int(texte[2:4]), int(texte[:2]))
    except ValueError:
        raise ValueError(f"« {texte} » n'existe pas au calendrier") from None


class _Lecture120:
    def __init__(self, lot, fichier: Fichier):
        self.lot, self.fichier = lot, fichier
        self.carnet = Carnet(lot, exige_equilibre=True)
        self.complements = 0
        self.operation: MouvementLu | None = None
        self.details: list[tuple[str, str]] = []
        self.fragment = self.annonce = False  # relevé sans 01 ; au moins un 01 ou 07 vu

    def elements(self) -> Iterator[ReleveLu | MouvementLu]:
        lectures = {"01": self._01, "04": self._04, "05": self._05, "07": self._07}
        numero = 0
        for numero, e in _enregistrements(self.fichier, LIGNE):
            self.lot.lignes += 1
            lecture = lectures.get(e[:2])
            if lecture is None:
                self.carnet.refuser(
                    numero, "code d'enregistrement", f"« {e[:2]} » n'est pas 01, 04, 05 ou 07.", LISIBLE
                )
                continue
            yield from lecture(numero, e)
        yield from self._rendre()
        if self.carnet.releve:
            if self.fragment and not self.annonce:
                self.carnet.avertir("Ni ancien ni nouveau solde : rien ne prouve que le fichier est complet.")
            else:
                self.carnet.refuser(numero, "solde", "Le dernier relevé n'a pas de nouveau solde (07).", COMPLET)
            yield self.carnet.fermer(numero)
        self.carnet.conclure(complements=self.complements)
        if not self.carnet.n:
            rejets, self.lot.rejets = self.lot.rejets, []
            raise FichierRefuse("Aucun relevé dans ce fichier : ni ancien solde (01), ni mouvement (04).", rejets)

    def _rendre(self) -> Iterator[MouvementLu]:
        """Le mouvement en attente, une fois ses compléments lus."""
        mouvement, self.operation = self.operation, None
        if mouvement:
            completer(mouvement, self.details)
            yield mouvement

    def _montant(self, numero: int, e: str, champ: str) -> Decimal | None:
        try:
            return montant_surcharge(e[90:104], int(e[19]) if e[19].isdecimal() else 2)
        except ValueError as erreur:
            self.carnet.refuser(numero, champ, f"{erreur}.", LISIBLE)
            return None

    def _jour(self, numero: int, texte: str, champ: str) -> date | None:
        try:
            return jour_cfonb(texte)
        except ValueError as erreur:
            self.carnet.refuser(numero, champ, f"{erreur}.", LISIBLE)
            return None

    def _ouvrir(self, numero: int, e: str) -> None:
        banque, guichet, compte = e[2:7].strip(), e[11:16].strip(), e[21:32].strip()
        devise = e[16:19].strip() or "EUR"
        self.carnet.ouvrir(numero, compacter(banque + guichet + compte) or "?", devise)

    def _01(self, numero: int, e: str) -> Iterator:
        yield from self._rendre()
        self.annonce = True
        if self.carnet.releve:
            manque = "n'a pas d'ancien solde (01)" if self.fragment else "n'a pas de nouveau solde (07)"
            self.carnet.refuser(numero, "solde", f"Le relevé qui précède cette ligne {manque}.", COMPLET)
            yield self.carnet.fermer(numero)
        self.fragment = False
        self._ouvrir(numero, e)
        releve = self.carnet.releve
        releve.du = self._jour(numero, e[34:40], "date de l'ancien solde")
        releve.solde_ouverture = self._montant(numero, e, "ancien solde")

    def _04(self, numero: int, e: str) -> Iterator:
        yield from self._rendre()
        self.details = []
        if not self.carnet.releve:
            self.fragment = True
            self._ouvrir(numero, e)
            if self.annonce:
                self.carnet.refuser(
                    numero, "solde", "Mouvement hors d'un relevé : l'ancien solde (01) manque.", COMPLET
                )
        releve = self.carnet.releve
        montant = self._montant(numero, e, "montant")
        jour = self._jour(numero, e[34:40], "date d'opération")
        if montant is None or jour is None:
            return
        devise = e[16:19].strip() or releve.devise
        if devise != releve.devise:
            self.carnet.refuser(numero, "devise", f"Mouvement en {devise} dans un relevé en {releve.devise}.", LISIBLE)
            return
        if not montant:
            self.carnet.nuls += 1
            return
        try:
            valeur = jour_cfonb(e[42:48])
        except ValueError:
            valeur = None  # facultative : des banques la laissent à zéro
        code, motif = e[32:34].strip(), e[40:42].strip()
        self.operation = self.carnet.noter(
            MouvementLu(
                numero, releve.cle_source, releve.compte, jour, montant, devise, borne(e[48:79], 31), valeur,
                reference=reference(e[104:120]), nature=NATURE_CFONB.get(code, "autre"), code=code[:CODE],
                motif_rejet=f"motif {motif}" if motif.strip("0") else "",
            )
        )  # fmt: skip
        if self.operation.motif_rejet and self.operation.nature == "autre":
            self.operation.nature = REJET

    def _05(self, numero: int, e: str) -> Iterator:
        if not self.operation:
            self.carnet.refuser(
                numero, "complément", "Complément (05) sans mouvement (04) auquel le rattacher.", COMPLET
            )
            return
        self.complements += 1
        if len(self.details) < COMPLEMENTS_MAX:
            self.details.append((e[45:48], e[48:118]))
        yield from ()

    def _07(self, numero: int, e: str) -> Iterator:
        yield from self._rendre()
        self.annonce = True
        releve = self.carnet.releve
        if not releve:
            self.carnet.refuser(numero, "solde", "Nouveau solde (07) sans ancien solde (01).", COMPLET)
            return
        if self.fragment:
            self.carnet.refuser(numero, "solde", "Le relevé n'a pas d'ancien solde (01).", COMPLET)
        compte = compacter(e[21:32])
        if not releve.compte.endswith(compte):
            self.carnet.refuser(
                numero, "compte", f"Le nouveau solde est celui du compte {compte}, le relevé, de {releve.compte}.",
                COMPLET,
            )  # fmt: skip
        elif not releve.compte.startswith(e[2:7].strip()):
            self.carnet.avertir(
                f"Compte {releve.compte} : le nouveau solde porte un autre code banque ({e[2:7].strip()})."
            )
        yield self.carnet.fermer(
            numero,
            au=self._jour(numero, e[34:40], "date du nouveau solde"),
            solde_cloture=self._montant(numero, e, "nouveau solde"),
        )
        self.fragment = False


def completer(m: MouvementLu, details: list[tuple[str, str]]) -> None:
    """Ce que les compléments 05 ajoutent : libellés, parties, références, motif de retour, montant d'origine."""
    if not details:
        return
    libelles, parties = [m.libelle], {}
    for qualifiant, texte in details:
        match qualifiant:
            case "LIB" | "LCC" | "LC2" | "LCS" | "LEM":
                libelles.append(texte)
            case "NPY" | "NBE" | "NPO" | "NBU" | "CPY" | "CBE" | "IPY" | "IBE":
                parties.setdefault(qualifiant, texte.strip())
            case "RCN":
                m.reference = reference(texte[:35]) or m.reference
                libelles.append(texte[35:])
            case "REF":
                m.reference = m.reference or reference(texte[:35])
            case "RET":
                m.motif_rejet = motif_iso(texte[:4].strip(), borne(texte[4:], 100)) or m.motif_rejet
                m.nature = REJET
            case "MMO":
                libelles.append(_montant_origine(texte))
    m.libelle = libelle(*libelles)
    autre, son_compte, final = ("NPY", "CPY", "NPO") if m.montant > 0 else ("NBE", "CBE", "NBU")
    noms = [parties.get(cle, "") for cle in (autre, final, "NPY", "NBE")]
    m.contrepartie = next((borne(nom, NOM) for nom in noms if nom), "")
    for cle in (son_compte, "CPY", "CBE", "IPY", "IBE"):
        iban = compacter(parties.get(cle, "").split(" ")[0])
        if iban_valide(iban):
            m.contrepartie_iban = iban
            break


def _montant_origine(texte: str) -> str:
    """MMO : devise, nombre de décimales, montant sur quatorze positions, tel qu'il fut donné à l'étranger."""
    devise, decimales, chiffres = texte[:3], texte[3:4], texte[4:18].strip()
    if not (decimales.isdecimal() and chiffres.isascii() and chiffres.isdigit()):
        return ""
    entier = Decimal(int(chiffres)).scaleb(-int(decimales))
    return f"montant d'origine {entier:f} {devise}"


class _Lecture240:
    """Impayés et rejets restitués : chaque 34 est une opération rendue, le 39 en porte le total."""

    def __init__(self, lot, fichier: Fichier):
        self.lot, self.fichier = lot, fichier
        self.carnet = Carnet(lot, exige_equilibre=True)

    def elements(self) -> Iterator[ReleveLu | MouvementLu]:
        carnet, total, numero = self.carnet, 0, 0
        for numero, e in _enregistrements(self.fichier, LIGNE_240):
            self.lot.lignes += 1
            if e[:2] == "31":
                if carnet.releve:
                    carnet.refuser(numero, "total", "La remise qui précède n'a pas de total (39).", COMPLET)
                    yield carnet.fermer(numero)
                total = 0
                carnet.ouvrir(numero, compacter(e[21:42]) or "?", "EUR", numero=e[2:8].strip())
            elif e[:2] == "34":
                if not carnet.releve:
                    carnet.refuser(numero, "en-tête", "Opération (34) sans en-tête (31).", COMPLET)
                elif mouvement := self._34(numero, e):
                    total -= int(mouvement.montant * 100)
                    yield mouvement
            elif e[:2] == "39":
                if not carnet.releve:
                    carnet.refuser(numero, "total", "Total (39) sans en-tête (31).", COMPLET)
                    continue
                annonce = e[228:240].strip()
                if not (annonce.isascii() and annonce.isdigit()) or int(annonce) != total:
                    carnet.refuser(
                        numero, "total", f"Le total annoncé ({annonce or 'absent'}) n'est pas celui des opérations "
                        f"({total}), en centimes.", COMPLET,
                    )  # fmt: skip
                yield carnet.fermer(numero)
            else:
                carnet.refuser(numero, "code d'enregistrement", f"« {e[:2]} » n'est pas 31, 34 ou 39.", LISIBLE)
        if carnet.releve:
            carnet.refuser(numero, "total", "La dernière remise n'a pas de total (39).", COMPLET)
            yield carnet.fermer(numero)
        if not carnet.n:
            raise FichierRefuse("Le fichier ne contient aucune remise CFONB240 (31).", self.lot.rejets)
        carnet.avertir("CFONB240 : opérations restituées, lues comme des rejets ; le relevé de compte les porte aussi.")
        carnet.conclure(enregistrements=self.lot.lignes)

    def _34(self, numero: int, e: str) -> MouvementLu | None:
        chiffres = e[228:240].strip()
        if not (chiffres.isascii() and chiffres.isdigit()):
            self.carnet.refuser(numero, "montant", f"« {chiffres} » n'est pas un montant en centimes.", LISIBLE)
            return None
        try:
            jour = jour_cfonb(e[10:16])
        except ValueError as erreur:
            self.carnet.refuser(numero, "date de règlement", f"{erreur}.", LISIBLE)
            return None
        if not int(chiffres):
            self.carnet.nuls += 1
            return None
        releve = self.carnet.releve
        return self.carnet.noter(
            MouvementLu(
                numero, releve.cle_source, releve.compte, jour, -Decimal(int(chiffres)).scaleb(-2), "EUR",
                libelle(e[42:66], e[128:216]), reference=reference(e[122:128]), contrepartie=borne(e[42:66], NOM),
                nature=REJET, code=e[8:10].strip(),
            )
        )  # fmt: skip
