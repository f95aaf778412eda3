"""Un plan en JSON : schéma versionné, lu sans rien exécuter, refusé en nommant la faute. Pur."""

import json
import re
from collections.abc import Collection
from decimal import Decimal, InvalidOperation
from typing import NamedTuple

from recouvrement.commun.domaine.textes_recus import texte_fautif

from .controle import DELAI_MAX, DELAI_MIN, REPONSE_MAX, modes_permis
from .natures import Canal, ModePalier, Nature, Reference

FORMAT, SCHEMA = "recouvrement/plan", 1
TAILLE_MAX = 64 * 1024  # octets ; un plan de vingt paliers en pèse six mille
PALIERS_MAX = 20
MONTANT_MAX = Decimal("999999999.99")
NATURES = {n.name.lower(): n for n in Nature if n}
TYPES = ("entreprise", "administration", "particulier")
CODE = re.compile(r"[-a-zA-Z0-9_]{0,40}")
CLES = {"format", "schema", "nom", "type_debiteur", "regroupement", "seuil_piece", "seuil_envoi", "plafond_envoi",
        "paliers"}  # fmt: skip
CLES_PALIER = {"rang", "nature", "reference", "delai", "canaux", "mode", "delai_reponse", "modele",
               "role_destinataire"}  # fmt: skip
FACULTATIVES = {"modele", "role_destinataire"}


class FichierRefuse(ValueError):
    """code : la faute ; ou : l'endroit du fichier (« paliers[2].delai ») ; valeur : ce qui s'y lit, tronqué."""

    def __init__(self, code: str, ou: str = "", valeur: object = ""):
        lu = str(valeur)[:60]
        self.code, self.ou, self.valeur = code, ou, lu if lu.isprintable() else ascii(lu)
        super().__init__(f"{code} {ou} {self.valeur}".strip())


class PalierLu(NamedTuple):
    nature: Nature
    reference: Reference
    delai: int
    canaux: tuple[Canal, ...]
    mode: ModePalier
    delai_reponse: int
    modele: str
    role_destinataire: str


class PlanLu(NamedTuple):
    nom: str
    type_debiteur: str
    regroupement: str
    seuil_piece: Decimal
    seuil_envoi: Decimal
    plafond_envoi: Decimal | None
    paliers: tuple[PalierLu, ...]


def ecrire(plan: PlanLu) -> str:
    """Le texte JSON du plan, lisible, clés dans un ordre fixe."""
    objet = {
        "format": FORMAT,
        "schema": SCHEMA,
        "nom": plan.nom,
        "type_debiteur": plan.type_debiteur,
        "regroupement": plan.regroupement,
        "seuil_piece": f"{plan.seuil_piece:.2f}",
        "seuil_envoi": f"{plan.seuil_envoi:.2f}",
        "plafond_envoi": None if plan.plafond_envoi is None else f"{plan.plafond_envoi:.2f}",
        "paliers": [
            {
                "rang": rang,
                "nature": p.nature.name.lower(),
                "reference": p.reference.value,
                "delai": p.delai,
                "canaux": [c.value for c in p.canaux],
                "mode": p.mode.value,
                "delai_reponse": p.delai_reponse,
                "modele": p.modele,
                "role_destinataire": p.role_destinataire,
            }
            for rang, p in enumerate(plan.paliers, 1)
        ],
    }
    return json.dumps(objet, ensure_ascii=False, indent=2) + "\n"


def lire(octets: bytes, *, regroupements: Collection[str], roles: Collection[str]) -> PlanLu:
    """Le plan d'un fichier. Lève FichierRefuse, jamais autre chose, quel que soit le contenu."""
    if len(octets) > TAILLE_MAX:
        raise FichierRefuse("trop_gros", valeur=len(octets))
    objet = _json(octets)
    _cles(objet, CLES, set(), "")
    if objet["format"] != FORMAT:
        raise FichierRefuse("format", "format", objet["format"])
    if objet["schema"] != SCHEMA or isinstance(objet["schema"], bool):
        raise FichierRefuse("schema", "schema", objet["schema"])
    return PlanLu(
        nom=_nom(objet["nom"]),
        type_debiteur=_parmi(objet["type_debiteur"], TYPES, "type_debiteur"),
        regroupement=_parmi(objet["regroupement"], regroupements, "regroupement"),
        seuil_piece=_montant(objet["seuil_piece"], "seuil_piece"),
        seuil_envoi=_montant(objet["seuil_envoi"], "seuil_envoi"),
        plafond_envoi=(None if objet["plafond_envoi"] is None else _montant(objet["plafond_envoi"], "plafond_envoi")),
        paliers=_paliers(objet["paliers"], roles),
    )


def _json(octets: bytes) -> dict:
    def refuser(texte):
        raise FichierRefuse("nombre", valeur=texte)

    def entier(texte):
        return int(texte) if len(texte) <= 9 else refuser(texte)

    def sans_double(paires):
        objet = dict(paires)
        if len(objet) < len(paires):
            noms = [nom for nom, _valeur in paires]
            raise FichierRefuse("cle_double", valeur=next(n for n in noms if noms.count(n) > 1))
        return objet

    try:
        lu = json.loads(
            octets.decode("utf-8-sig"),
            parse_float=refuser,
            parse_constant=refuser,
            parse_int=entier,
            object_pairs_hook=sans_double,
        )
    except UnicodeDecodeError as faute:
        raise FichierRefuse("encodage") from faute
    except RecursionError as faute:
        raise FichierRefuse("profond") from faute
    except json.JSONDecodeError as faute:
        raise FichierRefuse("json", f"{faute.lineno}:{faute.colno}") from faute
    if not isinstance(lu, dict):
        raise FichierRefuse("type", "", type(lu).__name__)
    if fautif := texte_fautif(lu):
        raise FichierRefuse("texte", valeur=fautif)
    return lu


def _cles(objet: object, attendues: set[str], facultatives: set[str], ou: str) -> None:
    if not isinstance(objet, dict):
        raise FichierRefuse("type", ou, type(objet).__name__)
    inconnues = sorted(objet.keys() - attendues)
    if inconnues:
        raise FichierRefuse("cle_inconnue", ou, inconnues[0])
    manquantes = sorted(attendues - facultatives - objet.keys())
    if manquantes:
        raise FichierRefuse("cle_manquante", ou, manquantes[0])


def _texte(valeur: object, ou: str, maximum: int) -> str:
    if not isinstance(valeur, str):
        raise FichierRefuse("type", ou, type(valeur).__name__)
    if len(valeur) > maximum:
        raise FichierRefuse("trop_long", ou, len(valeur))
    return valeur


def _nom(valeur: object) -> str:
    nom = " ".join(_texte(valeur, "nom", 80).split())
    if not nom or not nom.isprintable():
        raise FichierRefuse("nom", "nom")
    return nom


def _parmi(valeur: object, permises: Collection[str], ou: str) -> str:
    texte = _texte(valeur, ou, 40)
    if texte not in permises:
        raise FichierRefuse("inconnu", ou, texte)
    return texte


def _montant(valeur: object, ou: str) -> Decimal:
    texte = _texte(valeur, ou, 20)
    try:
        montant = Decimal(texte)
    except InvalidOperation as faute:
        raise FichierRefuse("montant", ou, texte) from faute
    if not montant.is_finite() or not 0 <= montant <= MONTANT_MAX or montant.as_tuple().exponent < -2:
        raise FichierRefuse("montant", ou, texte)
    return montant.quantize(Decimal("0.01"))


def _entier(valeur: object, minimum: int, maximum: int, ou: str) -> int:
    if not isinstance(valeur, int) or isinstance(valeur, bool):
        raise FichierRefuse("type", ou, type(valeur).__name__)
    if not minimum <= valeur <= maximum:
        raise FichierRefuse("borne", ou, valeur)
    return valeur


def _paliers(valeur: object, roles: Collection[str]) -> tuple[PalierLu, ...]:
    if not isinstance(valeur, list):
        raise FichierRefuse("type", "paliers", type(valeur).__name__)
    if not 1 <= len(valeur) <= PALIERS_MAX:
        raise FichierRefuse("borne", "paliers", len(valeur))
    lus = {}
    for n, objet in enumerate(valeur):
        ou = f"paliers[{n}]"
        _cles(objet, CLES_PALIER, FACULTATIVES, ou)
        rang = _entier(objet["rang"], 1, 999, f"{ou}.rang")
        if rang in lus:
            raise FichierRefuse("rang_double", f"{ou}.rang", rang)
        lus[rang] = _palier(objet, ou, roles)
    return tuple(lus[rang] for rang in sorted(lus))


def _palier(objet: dict, ou: str, roles: Collection[str]) -> PalierLu:
    nature = NATURES[_parmi(objet["nature"], NATURES, f"{ou}.nature")]
    delai = _entier(objet["delai"], DELAI_MIN, DELAI_MAX, f"{ou}.delai")
    if delai < 0 and nature is not Nature.AVANT_ECHEANCE:
        raise FichierRefuse("delai_negatif", f"{ou}.delai", delai)
    mode = ModePalier(_parmi(objet["mode"], list(ModePalier), f"{ou}.mode"))
    if mode not in modes_permis(nature):
        raise FichierRefuse("mode_interdit", f"{ou}.mode", mode.value)
    canaux = objet["canaux"]
    if not isinstance(canaux, list):
        raise FichierRefuse("type", f"{ou}.canaux", type(canaux).__name__)
    if not 1 <= len(canaux) <= len(Canal):
        raise FichierRefuse("borne", f"{ou}.canaux", len(canaux))
    modele = _texte(objet.get("modele", ""), f"{ou}.modele", 40)
    if not CODE.fullmatch(modele):
        raise FichierRefuse("inconnu", f"{ou}.modele", modele)
    return PalierLu(
        nature=nature,
        reference=Reference(_parmi(objet["reference"], list(Reference), f"{ou}.reference")),
        delai=delai,
        canaux=tuple(Canal(_parmi(c, list(Canal), f"{ou}.canaux")) for c in canaux),
        mode=mode,
        delai_reponse=_entier(objet["delai_reponse"], 1, REPONSE_MAX, f"{ou}.delai_reponse"),
        modele=modele,
        role_destinataire=_parmi(objet.get("role_destinataire", ""), ("", *roles), f"{ou}.role_destinataire"),
    )
