"""Compile les traductions (.po → .mo) sans gettext, absent d'une Debian nue.

Format binaire : manuel de GNU gettext, « The Format of GNU MO Files ».
"""

import ast
import os
import struct
import sys
from pathlib import Path

NOMBRE_MAGIQUE = 0x950412DE
CHAMPS = ("msgctxt", "msgid_plural", "msgid", "msgstr")


def lire_po(texte: str) -> dict[str, str]:
    """Traductions utiles d'un catalogue : ni vides, ni floues (`fuzzy`), ni périmées (`#~`).

    Clé : contexte + \\4 + msgid (+ \\0 + msgid_plural) ; valeur : formes jointes par \\0.
    Lève ValueError, avec le numéro de ligne, si le fichier est mal formé.
    """
    traductions: dict[str, str] = {}
    entree: dict[str, str] = {}
    floue, champ = False, ""

    def clore() -> None:
        formes = [entree[nom] for nom in sorted(entree) if nom.startswith("msgstr")]
        if "msgid" in entree and formes and all(formes) and not floue:
            pluriel = f"\0{entree['msgid_plural']}" if "msgid_plural" in entree else ""
            contexte = f"{entree['msgctxt']}\4" if "msgctxt" in entree else ""
            traductions[f"{contexte}{entree['msgid']}{pluriel}"] = "\0".join(formes)
        entree.clear()

    for numero, brute in enumerate(texte.splitlines(), start=1):
        ligne = brute.strip()
        if ligne.startswith("#") or not ligne:
            if champ:
                clore()
                floue, champ = False, ""
            floue = floue or (ligne.startswith("#,") and "fuzzy" in ligne)
            continue
        mot, _, reste = ligne.partition(" ")
        if mot.partition("[")[0] in CHAMPS:
            if champ.startswith("msgstr") and not mot.startswith("msgstr"):
                clore()
                floue = False
            champ, ligne = mot, reste.strip()
            entree[champ] = ""
        if not champ or len(ligne) < 2 or ligne[0] != '"' or ligne[-1] != '"':
            raise ValueError(f"ligne {numero} : catalogue mal formé")
        entree[champ] += ast.literal_eval(ligne)
    clore()
    return traductions


def ecrire_mo(traductions: dict[str, str]) -> bytes:
    """Catalogue binaire, clés triées comme l'exige le format."""
    paires = sorted((cle.encode(), valeur.encode()) for cle, valeur in traductions.items())
    depart_cles, depart_valeurs = 28, 28 + 8 * len(paires)
    position = 28 + 16 * len(paires)
    tables, corps = [b"", b""], b""
    for rang in (0, 1):
        for paire in paires:
            tables[rang] += struct.pack("<II", len(paire[rang]), position + len(corps))
            corps += paire[rang] + b"\0"
    entete = struct.pack("<7I", NOMBRE_MAGIQUE, 0, len(paires), depart_cles, depart_valeurs, 0, position)
    return entete + tables[0] + tables[1] + corps


def compiler(*dossiers: Path) -> list[Path]:
    """Écrit chaque .mo plus vieux que son .po (ou absent) ; renvoie les .mo écrits."""
    ecrits = []
    for dossier in dossiers:
        for source in sorted(Path(dossier).glob("*/LC_MESSAGES/*.po")):
            cible = source.with_suffix(".mo")
            if cible.exists() and cible.stat().st_mtime_ns >= source.stat().st_mtime_ns:
                continue
            provisoire = cible.with_name(f"{cible.name}.{os.getpid()}.tmp")
            provisoire.write_bytes(ecrire_mo(lire_po(source.read_text(encoding="utf-8"))))
            provisoire.replace(cible)
            ecrits.append(cible)
    return ecrits


if __name__ == "__main__":
    for ecrit in compiler(*map(Path, sys.argv[1:])):
        print(ecrit)
