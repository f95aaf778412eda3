"""Lire un libellé de banque : numéros de facture cités, mots qui nomment le payeur. Pur."""

import re
import unicodedata
from collections.abc import Iterable
from functools import lru_cache

LONGUEUR = 700  # caractères lus d'un libellé
COLLES = 4  # fragments voisins réunis : « F 2026 - 00012 »
FORMES = frozenset(
    "SARL SAS SASU EURL SA SCOP SNC SCI SCA SCM SELARL SELAS EARL GAEC GIE EI EIRL GMBH AG KG LTD LIMITED LLC LLP PLC "
    "INC CORP SPRL SRL BV NV SPA SL ETS ETABLISSEMENT ETABLISSEMENTS STE SOCIETE ENTREPRISE CIE COMPAGNIE GROUPE "
    "MONSIEUR MADAME MADEMOISELLE MR MME MLLE".split()
)
BRUIT = frozenset(
    "VIR VIRT VIREMENT VIREMENTS SEPA SCT INST INSTANT INSTANTANE RECU RECUS RECEIVED EMIS EMETTEUR DONNEUR ORDRE "
    "DE DU DES LA LE LES ET EN AU AUX POUR PAR SUR FAVEUR BENEF BENEFICIAIRE MOTIF LIBELLE REF REFERENCE REFS FACT "
    "FACTURE FACTURES FACS FAC NUM NO NR PAIEMENT PAYMENT PMT REGLEMENT REGLT RGLT RGT TRANSFERT TRANSFER FROM TO THE "
    "OF AND INVOICE INV PRLV PRELEVEMENT REM REMISE CHQ CHEQUE CHEQUES CB CARTE NOTPROVIDED NOTPROVIDE EUR EURO EUROS "
    "ID IBAN BIC RF ACPTE ACOMPTE SOLDE AVANCE COMMANDE CDE CLIENT WEB NPY RCUR END2END".split()
)
_SEPARES = re.compile(r"[A-Z0-9]+")
_CHIFFRES = re.compile(r"\d+")


def plier(texte: str) -> str:
    """Majuscules sans accent ; « Œ » devient « OE »."""
    texte = texte[:LONGUEUR].replace("œ", "oe").replace("Œ", "OE").replace("ß", "ss")
    return "".join(c for c in unicodedata.normalize("NFKD", texte) if not unicodedata.combining(c)).upper()


def fragments(texte: str) -> list[str]:
    return _SEPARES.findall(plier(texte))


def sans_zeros(fragment: str) -> str:
    """« F0012 » → « F12 » : des zéros de tête ne distinguent pas deux numéros."""
    return _CHIFFRES.sub(lambda m: m[0].lstrip("0") or "0", fragment)


def _formes(morceaux: Iterable[str]) -> set[str]:
    """Un numéro collé, sans zéros, puis sans ce qui précède son premier chiffre."""
    morceaux = list(morceaux)
    entiers = {"".join(morceaux), "".join(map(sans_zeros, morceaux))}
    return entiers | {e.lstrip("ABCDEFGHIJKLMNOPQRSTUVWXYZ") for e in entiers}


def est_forte(cle: str) -> bool:
    """Assez longue pour n'être pas là par hasard : quatre signes dont une lettre et deux chiffres, ou six chiffres."""
    if cle.isdigit():
        return len(cle) >= 6
    return len(cle) >= 4 and sum(c.isdigit() for c in cle) >= 2


def cles_du_numero(numero: str) -> tuple[set[str], str]:
    """(clés fortes, suite de chiffres finale) d'un numéro de facture ; la suite est vide sous quatre chiffres."""
    morceaux = fragments(numero)
    fin = re.search(r"\d+$", morceaux[-1]) if morceaux else None
    suite = fin[0].lstrip("0") if fin else ""
    return {c for c in _formes(morceaux) if est_forte(c)}, suite if len(suite) >= 3 else ""


def cles_du_texte(morceaux: list[str]) -> tuple[set[str], set[str]]:
    """(clés que le texte pourrait citer, nombres isolés) d'après ses fragments."""
    cles: set[str] = set()
    for debut in range(len(morceaux)):
        for fin in range(debut + 1, min(debut + COLLES, len(morceaux)) + 1):
            cles |= _formes(morceaux[debut:fin])
    return {c for c in cles if est_forte(c)}, {m.lstrip("0") for m in morceaux if m.isdigit() and len(m) < 12}


def cles_collees(morceaux: list[str], longueurs: Iterable[int]) -> set[str]:
    """Ce qu'un long fragment contient, sans couper une suite de chiffres : « FACTF20260001234 »."""
    cles = set()
    for m in morceaux:
        if len(m) < 8:
            continue
        for debut in range(len(m)):
            if debut and m[debut].isdigit() and m[debut - 1].isdigit():
                continue
            for n in longueurs:
                fin = debut + n
                if fin <= len(m) and not (fin < len(m) and m[fin].isdigit() and m[fin - 1].isdigit()):
                    cles.add(m[debut:fin])
    return {c for c in cles if est_forte(c)}


@lru_cache(maxsize=200_000)
def mots_du_nom(nom: str) -> tuple[str, ...]:
    """Mots qui distinguent un nom, sans forme juridique ni bruit de banque, chacun une fois."""
    mots = [m for m in fragments(nom) if m not in FORMES and m not in BRUIT and (len(m) > 1 or m.isdigit())]
    return tuple(dict.fromkeys(mots)) or tuple(dict.fromkeys(fragments(nom)))
