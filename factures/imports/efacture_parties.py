"""Vendeur et acheteur d'une facture électronique : identifiants classés par schéma, adresse de fiche."""

import re
from collections.abc import Iterable

from factures.domaine.efacture import Partie, serrer
from recouvrement.commun.domaine.identifiants import est_siren, est_siret

SIREN, SIRET, TVA = "0002", "0009", "9957"  # schémas ISO 6523 (et 9957 : TVA française)
_TVA_FR = re.compile(r"FR[0-9A-Z]{2}([0-9]{9})")
_COURRIEL = re.compile(r"[^@\s,;<>\"]{1,64}@[^@\s,;<>\"]+\.[^@\s,;<>\".]{2,}")


def partie(
    *,
    nom: str,
    legal: tuple[str, str],
    identifiants: Iterable[tuple[str, str]],
    tva: str,
    adresse: Iterable[str] = (),
    code_postal: str = "",
    ville: str = "",
    pays: str = "",
    courriel: str = "",
    telephone: str = "",
) -> Partie:
    """legal et identifiants : (schéma, valeur). Sans schéma, un numéro français à clé juste est un SIREN.

    Un SIRET donné pour un SIREN (schéma 0002, quatorze chiffres) se lit comme tel.
    """
    pays = pays.upper()[:2]
    tva = serrer(tva)[:20]
    siren = siret = ""
    for schema, valeur in (legal, *identifiants):
        chiffres = re.sub(r"\s", "", valeur)
        if not (chiffres.isascii() and chiffres.isdigit()):
            continue
        sure = schema in (SIREN, SIRET)
        if len(chiffres) == 14 and (sure or (not schema and pays == "FR" and est_siret(chiffres))):
            siret = siret or chiffres
            siren = siren or chiffres[:9]
        elif len(chiffres) == 9 and (sure or (not schema and pays == "FR" and est_siren(chiffres))):
            siren = siren or chiffres
    if not siren and (lu := _TVA_FR.fullmatch(tva)):
        siren = lu[1]
    lignes = [x for x in adresse if x]
    return Partie(
        nom=nom[:160],
        identifiant=legal[1][:60],
        siren=siren,
        siret=siret if siret.startswith(siren) else "",
        tva=tva,
        adresse=(lignes[0] if lignes else "")[:120],
        complement=" – ".join(lignes[1:])[:120],
        code_postal=code_postal[:12],
        ville=ville[:80],
        pays=pays if pays.isalpha() and len(pays) == 2 else "",
        courriel=courriel if _COURRIEL.fullmatch(courriel) and len(courriel) <= 254 and ".." not in courriel else "",
        telephone=telephone[:40],
    )
