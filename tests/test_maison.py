"""La maison tient debout : flèches entre modules, migrations, dépôt sans adresse ni trace de machine."""

import ast
import os
import re
import subprocess
import sys
from pathlib import Path

import pytest
from django.core.management import call_command

RACINE = Path(__file__).resolve().parent.parent
HORS_DEPOT = {
    ".git",
    ".venv",
    "var",
    "__pycache__",
    ".pytest_cache",
    ".ruff_cache",
    ".hypothesis",
    ".import_linter_cache",
}
TEXTES = {".py", ".toml", ".md", ".html", ".txt", ".lock", ".in", ".yml", ".css", ".js", ".po", ".sh", ".json", ".csv"}


def fichiers_du_depot() -> list[Path]:
    """Tous les fichiers de texte du dépôt, que git soit installé ou non."""
    trouves = []
    for dossier, sous_dossiers, noms in os.walk(RACINE):
        sous_dossiers[:] = [nom for nom in sous_dossiers if nom not in HORS_DEPOT and not nom.endswith("_cache")]
        chemins = (Path(dossier, nom) for nom in noms)
        trouves += [chemin for chemin in chemins if chemin.suffix in TEXTES or chemin.name in ("Dockerfile", "run")]
    return trouves


def contient(chemin: Path, motif: str) -> bool:
    return re.search(motif, chemin.read_text(encoding="utf-8", errors="replace")) is not None


def test_les_imports_suivent_les_fleches(tmp_path):
    commande = [sys.executable, "-c", "from importlinter.cli import lint_imports_command as c; c()", "--no-logo"]
    fini = subprocess.run([*commande, "--cache-dir", tmp_path], cwd=RACINE, capture_output=True, text=True)
    assert fini.returncode == 0, fini.stdout + fini.stderr


def appels_de_float(source: str) -> list[int]:
    """Lignes qui appellent float() : l'argent est un Decimal, arrondi une fois, à la règle."""
    return [
        noeud.lineno
        for noeud in ast.walk(ast.parse(source))
        if isinstance(noeud, ast.Call) and isinstance(noeud.func, ast.Name) and noeud.func.id == "float"
    ]


def test_le_detecteur_de_flottants_les_voit():
    assert appels_de_float("a = Decimal('0.5')\nb = float('1')") == [2]


def test_aucun_flottant_dans_les_regles():
    regles = [chemin for chemin in fichiers_du_depot() if "domaine" in chemin.parts and chemin.suffix == ".py"]
    assert regles
    fautes = {str(chemin.relative_to(RACINE)): appels_de_float(chemin.read_text(encoding="utf-8")) for chemin in regles}
    assert {chemin: lignes for chemin, lignes in fautes.items() if lignes} == {}


def test_les_verrous_ne_portent_aucune_adresse():
    verrous = sorted((RACINE / "requirements").glob("*.lock"))
    assert {verrou.stem for verrou in verrous} == {"prod", "dev", "outils"}
    assert [verrou.name for verrou in verrous if contient(verrou, r"://|--index|--find-links")] == []


@pytest.mark.parametrize("nom", ["prod", "dev", "outils"])
def test_chaque_paquet_verrouille_a_une_empreinte(nom):
    texte = (RACINE / "requirements" / f"{nom}.lock").read_text()
    paquets = re.findall(r"^[a-z0-9].*?(?=^[a-z0-9]|\Z)", texte, flags=re.M | re.S)
    assert paquets
    assert [paquet.split()[0] for paquet in paquets if "--hash=sha256:" not in paquet] == []


def test_le_depot_ne_nomme_pas_la_machine_qui_l_a_vu_naitre():
    motif = r"/wo" r"rk/|\.\./sha" r"red"
    fautifs = {str(chemin.relative_to(RACINE)) for chemin in fichiers_du_depot() if contient(chemin, motif)}
    assert fautifs - {".ci/run"} == set()


@pytest.mark.django_db
def test_les_migrations_sont_a_jour():
    call_command("makemigrations", check=True, dry_run=True, verbosity=1)


def test_les_migrations_portent_un_nom():
    migrations = RACINE.glob("*/migrations/0*.py"), RACINE.glob("recouvrement/*/migrations/0*.py")
    noms = [chemin.stem for groupe in migrations for chemin in groupe]
    assert noms
    assert [nom for nom in noms if re.search(r"_auto_\d{8}", nom)] == []


def test_aucun_decimal_nu_ajoute_a_un_montant_en_base():
    """Piège du champ d'argent : `update(impute=F("impute") + Decimal(5))` ajouterait cinq centimes, sans erreur."""
    nus = r"""F\(["'](impute|montant\w*)["']\) ?[+-] ?(Decimal|\d)"""
    fautifs = [f for f in fichiers_du_depot() if f.suffix == ".py" and f != Path(__file__) and contient(f, nus)]
    assert not fautifs


def test_chaque_champ_a_choix_multiple_est_celui_de_la_maison():
    """`ChoixField` refuse une clé qui déborde la base ; celui de Django tomberait sous SQLite."""
    nus = r"(?:forms\.)ModelMultipleChoiceField"
    fautifs = {str(f.relative_to(RACINE)) for f in fichiers_du_depot() if f.suffix == ".py" and contient(f, nus)}
    assert fautifs - {"tests/test_maison.py"} == {"recouvrement/commun/forms.py"}


def test_aucun_verrou_ne_ferme_les_cles_etrangeres():
    """Le journal cite la société (FOR KEY SHARE) sous son verrou consultatif : un FOR UPDATE s'y étreindrait."""
    pleins = r"select_for_update\((?!no_key=True)"
    fautifs = {str(f.relative_to(RACINE)) for f in fichiers_du_depot() if f.suffix == ".py" and contient(f, pleins)}
    assert fautifs - {"tests/test_maison.py"} == set()


def lectures_nues(source: str) -> list[int]:
    """Lignes où un texte libre de l'adresse se rogne à la main : `texte()` retire aussi ce que la base refuse."""
    return [
        n for n, ligne in enumerate(source.splitlines(), 1) if re.search(r"GET\.get\([^)]*\)\.(strip|split)\(", ligne)
    ]


def test_tout_texte_libre_de_l_adresse_passe_par_texte():
    assert lectures_nues('q = request.GET.get("q", "").strip()') == [1]
    vues = [f for f in fichiers_du_depot() if "views" in f.parts and f.suffix == ".py"]
    assert vues
    fautes = {str(f.relative_to(RACINE)): lectures_nues(f.read_text(encoding="utf-8")) for f in vues}
    assert {f: lignes for f, lignes in fautes.items() if lignes} == {}
