"""L'anglais est complet : pas une chaîne d'écran sans traduction, pas une variable perdue."""

import re
import shutil
from pathlib import Path

import pytest
from django.conf import settings
from django.core.management import call_command
from django.utils import translation

from recouvrement.commun.catalogues import ecrire_mo, lire_po

RACINE = Path(__file__).resolve().parent.parent
CATALOGUE = RACINE / "locale" / "en" / "LC_MESSAGES" / "django.po"
VARIABLE = re.compile(r"%\(\w+\)[sd]|(?<!\w)%[sd](?!\w)|\{\w*\}|</?\w+")


def identifiants(texte: str) -> set[str]:
    """Clés de toutes les entrées vivantes d'un catalogue, traduites ou non."""
    remplies = re.sub(r'^(msgstr(?:\[\d\])?) ""$(?!\n")', r'\1 "x"', texte, flags=re.M)
    return set(lire_po(re.sub(r"^#, .*fuzzy.*\n", "", remplies, flags=re.M)))


def hors_textes(dossier: str, noms: list[str]) -> list[str]:
    """Ce qui ne porte aucune chaîne d'écran : tout sauf les .py, .html, .txt et les dossiers."""
    return [nom for nom in noms if Path(nom).suffix not in (".py", ".html", ".txt") and not Path(dossier, nom).is_dir()]


def test_chaque_entree_du_catalogue_est_traduite():
    texte = CATALOGUE.read_text(encoding="utf-8")
    assert sorted(identifiants(texte) - set(lire_po(texte)))[:20] == []


def test_une_traduction_garde_les_variables_et_les_balises():
    pertes = {}
    traductions = lire_po(CATALOGUE.read_text(encoding="utf-8"))
    traductions.pop("")  # l'en-tête
    for cle, valeur in traductions.items():
        sources = cle.rpartition("\4")[2].split("\0")
        for source, traduit in zip(sources, valeur.split("\0"), strict=True):
            if sorted(VARIABLE.findall(source)) != sorted(VARIABLE.findall(traduit)):
                pertes[source] = traduit
    assert pertes == {}


def test_le_catalogue_compile_est_celui_du_texte():
    attendu = ecrire_mo(lire_po(CATALOGUE.read_text(encoding="utf-8")))
    assert CATALOGUE.with_suffix(".mo").read_bytes() == attendu


@pytest.mark.skipif(not shutil.which("xgettext"), reason="gettext absent : le relevé des chaînes est impossible")
def test_aucune_chaine_du_code_ne_manque_au_catalogue(tmp_path, monkeypatch):
    # Dans une copie : makemessages pose des fichiers à côté de chaque gabarit.
    for dossier in ("recouvrement", "clients", "factures", "relances", "contentieux", "templates"):
        shutil.copytree(RACINE / dossier, tmp_path / dossier, ignore=hors_textes)
    copie = tmp_path / "locale" / "en" / "LC_MESSAGES" / "django.po"
    copie.parent.mkdir(parents=True)
    monkeypatch.chdir(tmp_path)
    monkeypatch.setattr(settings, "LOCALE_PATHS", [])
    call_command("makemessages", locale=["en"], no_location=True, no_wrap=True, verbosity=0)
    manquantes = identifiants(copie.read_text("utf-8")) - identifiants(CATALOGUE.read_text("utf-8"))
    assert sorted(manquantes) == []


def test_l_ecran_parle_anglais_a_qui_le_demande(client, db):
    client.post("/preferences/langue", {"langue": "en"})
    contenu = client.get("/compte/login/").content.decode()
    assert '<html lang="en"' in contenu
    assert "Sign in" in contenu
    with translation.override("en"):
        assert translation.gettext("Balance âgée") == "Aged balance"
