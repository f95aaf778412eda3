"""Identifiants d'entreprise et de banque : normaliser, contrôler, dire ce qui ne va pas. Pur.

Chaque `verifier_…` renvoie la forme serrée (sans espace, en capitales) ou lève IdentifiantInvalide.
"""

from collections.abc import Callable

from stdnum import bic as _bic
from stdnum import iban as _iban
from stdnum import luhn as _luhn
from stdnum.exceptions import InvalidChecksum, InvalidLength, ValidationError
from stdnum.fr import siren as _siren
from stdnum.fr import siret as _siret
from stdnum.fr import tva as _tva

SIREN_LA_POSTE = "356000000"


class IdentifiantInvalide(ValueError):
    """Message en français, à montrer tel quel."""


def _controler(valeur: str, nom: str, attendu: str, valider: Callable[[str], str]) -> str:
    try:
        return valider(valeur)
    except InvalidLength:
        raise IdentifiantInvalide(f"{nom} « {valeur} » : {attendu}.") from None
    except InvalidChecksum:
        raise IdentifiantInvalide(f"{nom} « {valeur} » : clé de contrôle fausse.") from None
    except ValidationError:
        raise IdentifiantInvalide(f"{nom} « {valeur} » : forme incorrecte, {attendu}.") from None


def verifier_siren(valeur: str) -> str:
    """Neuf chiffres, clé de Luhn."""
    return _controler(valeur, "SIREN", "9 chiffres attendus", _siren.validate)


def verifier_siret(valeur: str) -> str:
    """Quatorze chiffres, clé de Luhn ; La Poste : Luhn, ou somme des chiffres multiple de cinq."""
    serre = _siret.compact(valeur)
    if serre.startswith(SIREN_LA_POSTE) and len(serre) == 14 and _luhn.is_valid(serre):
        return serre
    return _controler(valeur, "SIRET", "14 chiffres attendus", _siret.validate)


def verifier_tva(valeur: str) -> str:
    """Numéro de TVA français : `FR`, clé de deux caractères, SIREN ; le préfixe est exigé, un autre pays refusé."""
    if not valeur.strip().upper().startswith("FR"):
        raise IdentifiantInvalide(f"Numéro de TVA « {valeur} » : FR, clé et SIREN attendus.")
    return "FR" + _controler(valeur, "Numéro de TVA", "FR, clé et SIREN attendus", _tva.validate)


def verifier_iban(valeur: str) -> str:
    """IBAN de tout pays : structure du pays et reste 1 modulo 97."""
    return _controler(valeur, "IBAN", "code de pays, clé et compte attendus", _iban.validate)


def verifier_bic(valeur: str) -> str:
    """BIC de 8 ou 11 caractères."""
    return _controler(valeur, "BIC", "8 ou 11 caractères attendus", _bic.validate)


def tva_du_siren(siren: str) -> str:
    """Numéro de TVA français d'un SIREN : clé = (12 + 3 × (SIREN mod 97)) mod 97."""
    siren = verifier_siren(siren)
    return f"FR{(12 + 3 * (int(siren) % 97)) % 97:02d}{siren}"


def siren_du_siret(siret: str) -> str:
    """Les neuf premiers chiffres d'un SIRET valide."""
    return verifier_siret(siret)[:9]


def _est(verifier: Callable[[str], str]) -> Callable[[str], bool]:
    def est_valide(valeur: str) -> bool:
        try:
            return bool(verifier(valeur))
        except IdentifiantInvalide:
            return False

    est_valide.__doc__ = f"Vrai si `{verifier.__name__}` accepte la valeur."
    return est_valide


est_siren = _est(verifier_siren)
est_siret = _est(verifier_siret)
est_tva = _est(verifier_tva)
est_iban = _est(verifier_iban)
est_bic = _est(verifier_bic)
