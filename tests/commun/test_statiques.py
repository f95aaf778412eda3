"""Fichiers repris : empreintes publiées, aucune adresse tierce, aucun script ni style en ligne."""

import hashlib
import re
from pathlib import Path

import pytest

RACINE = Path(__file__).resolve().parents[2]
STATIQUES = RACINE / "recouvrement" / "static"
GABARITS = RACINE / "templates"
# Les lettres, les accords et les courriels sont rendus hors du navigateur : la CSP ne les concerne pas.
HORS_NAVIGATEUR = {"lettres", "courriels", "actes", "accords"}
ECRANS = [g for g in GABARITS.rglob("*.html") if not HORS_NAVIGATEUR & set(g.relative_to(GABARITS).parts)]
ECRANS.sort()


def test_les_empreintes_publiees_sont_celles_des_fichiers():
    table = (STATIQUES / "licences" / "LISEZMOI.md").read_text(encoding="utf-8")
    publiees = dict(re.findall(r"^\| `([^`]+)` .*`([0-9a-f]{64})` \|$", table, flags=re.M))
    calculees = {nom: hashlib.sha256((STATIQUES / nom).read_bytes()).hexdigest() for nom in publiees}
    assert len(publiees) == 4
    assert calculees == publiees


@pytest.mark.parametrize("nom", ["tabler.min.css", "recouvrement.css"])
def test_les_feuilles_ne_chargent_rien_d_ailleurs(nom):
    adresses = re.findall(r"url\(\s*['\"]?([^'\")]{1,80})", (STATIQUES / nom).read_text(encoding="utf-8"))
    assert [a for a in adresses if not a.startswith(("data:", "#", "polices/"))] == []


@pytest.mark.parametrize("gabarit", ECRANS, ids=lambda g: str(g.relative_to(GABARITS)))
def test_un_ecran_n_a_ni_style_ni_script_en_ligne(gabarit):
    texte = gabarit.read_text(encoding="utf-8")
    assert re.findall(r"<[^>]*\sstyle\s*=", texte) == []
    assert re.findall(r"<[^>]*\son[a-z]+\s*=", texte) == []
    assert re.findall(r"<style[\s>]|javascript:|https?://", texte) == []
    assert [b for b in re.findall(r"<script[^>]*>", texte) if "src=" not in b and "application/json" not in b] == []


def test_chaque_icone_nommee_existe_dans_le_sprite():
    connues = set(re.findall(r'<symbol id="([^"]+)"', (STATIQUES / "icones.svg").read_text(encoding="utf-8")))
    balise = re.compile(r'{%-?\s*(?:icone|raison)\s+"([^"]+)"|\b(?:signe|icone_nom)="([^"]+)"')
    nommees = {a or b for g in ECRANS for a, b in balise.findall(g.read_text(encoding="utf-8"))}
    assert nommees - connues == set()


def test_le_script_de_la_maison_reste_court():
    lignes = (STATIQUES / "recouvrement.js").read_text(encoding="utf-8").count("\n")
    assert lignes < 300
