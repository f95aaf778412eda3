"""La documentation dit vrai : fichiers, fonctions, commandes, options, statuts et liens qu'elle nomme existent."""

import argparse
import ast
import csv
import os
import re
from functools import cache
from pathlib import Path

import pytest
from django.core.management import get_commands, load_command_class

from contentieux.domaine.procedure import Etat
from recouvrement.commun.catalogues import lire_po
from relances.domaine.echelle import Motif
from relances.domaine.statuts import TRANSITIONS

RACINE = Path(__file__).resolve().parent.parent
HORS_DEPOT = {".git", ".venv", "var", "__pycache__"}
SUFFIXES = "py|md|html|css|js|txt|csv|toml|yml|png|lock|in|po|svg"
DOCS = sorted([RACINE / "README.md", RACINE / "CHANGELOG.md", *(RACINE / "docs").rglob("*.md")])
GENERALES = {"help", "version", "verbosity", "settings", "pythonpath", "traceback", "no-color", "force-color"}

parametre_doc = pytest.mark.parametrize("doc", DOCS, ids=lambda chemin: chemin.name)


def lire(chemin: Path) -> str:
    return chemin.read_text(encoding="utf-8")


def sans_blocs(texte: str) -> str:
    return re.sub(r"^```.*?^```", "", texte, flags=re.M | re.S)


def entre_accents(texte: str) -> list[str]:
    """Ce qui est écrit en code dans une ligne de texte."""
    return re.findall(r"`([^`\n]+)`", sans_blocs(texte))


@cache
def fichiers() -> frozenset[str]:
    """Chemins du dépôt, dossiers compris (« docs/ »), relatifs à sa racine."""
    trouves = set()
    for dossier, sous_dossiers, noms in os.walk(RACINE):
        sous_dossiers[:] = [nom for nom in sous_dossiers if nom not in HORS_DEPOT and not nom.endswith("_cache")]
        ici = Path(dossier).relative_to(RACINE)
        trouves |= {f"{ici / nom}/" for nom in sous_dossiers} | {str(ici / nom) for nom in noms}
    return frozenset(trouves)


def existe(chemin: str, doc: Path) -> bool:
    """Depuis la racine, depuis le document, ou seul de son nom ; « * » pour plusieurs."""
    if "*" in chemin:
        return any(RACINE.glob(chemin))
    ici = (doc.parent / chemin).resolve()
    return chemin in fichiers() or ici.exists() or any(nom.endswith(f"/{chemin}") for nom in fichiers())


@cache
def noms_du_code() -> dict[str, set[str]]:
    """{nom de module court: noms définis}, et sous « » tous les noms : fonctions, classes, champs, constantes."""
    noms: dict[str, set[str]] = {"": set()}
    for chemin in fichiers():
        if not chemin.endswith(".py") or chemin.startswith("tests/"):
            continue
        definis = set()
        for noeud in ast.walk(ast.parse(lire(RACINE / chemin))):
            if isinstance(noeud, ast.FunctionDef | ast.AsyncFunctionDef | ast.ClassDef):
                definis.add(noeud.name)
            elif isinstance(noeud, ast.Assign | ast.AnnAssign):
                cibles = noeud.targets if isinstance(noeud, ast.Assign) else [noeud.target]
                definis |= {getattr(cible, "id", getattr(cible, "attr", "")) for cible in cibles}
            elif isinstance(noeud, ast.ImportFrom) and chemin.endswith("__init__.py"):
                definis |= {alias.asname or alias.name for alias in noeud.names}
            elif isinstance(noeud, ast.keyword) and noeud.arg == "name" and isinstance(noeud.value, ast.Constant):
                definis.add(str(noeud.value.value))  # contraintes des modèles
        module = chemin.removesuffix(".py").removesuffix("/__init__")
        noms.setdefault(module.rpartition("/")[2], set()).update(definis)
        noms[module.replace("/", ".")] = definis
        noms[""] |= definis
    return noms


def defini(appel: str) -> bool:
    """« gestes.valider », « Plan.suivant », « calculer(plancher=…) » : le dernier nom existe là où le premier dit."""
    *avant, nom = appel.partition("(")[0].split(".")
    noms = noms_du_code()
    if not avant:
        return nom in noms[""]
    module = ".".join(avant)
    if module in noms:
        return nom in noms[module]
    return avant[-1] in noms[""] and nom in noms[""]


@cache
def essais() -> frozenset[str]:
    trouves = set()
    for chemin in fichiers():
        if chemin.startswith("tests/") and chemin.endswith(".py"):
            trouves |= set(re.findall(r"def (test_\w+)", lire(RACINE / chemin)))
    return frozenset(trouves)


def tableaux(texte: str) -> list[list[dict[str, str]]]:
    """Tableaux d'un document, une ligne par dictionnaire d'en-tête."""
    resultat = []
    for bloc in re.findall(r"(?:^\|.*\|\n?)+", sans_blocs(texte), flags=re.M):
        lignes = [[case.strip() for case in ligne.strip().strip("|").split("|")] for ligne in bloc.splitlines()]
        resultat.append([dict(zip(lignes[0], ligne, strict=False)) for ligne in lignes[2:]])
    return resultat


def section(texte: str, titre: str) -> str:
    """Du titre au titre de même rang suivant."""
    trouvee = re.search(rf"^(#+) {re.escape(titre)}\s*$(.*?)(?=^#{{1,2}} |\Z)", texte, flags=re.M | re.S)
    assert trouvee, titre
    return trouvee[2]


def ancre(titre: str) -> str:
    return re.sub(r"[^\w\- ]", "", titre.strip().lower()).replace(" ", "-")


# --- Fichiers et liens ------------------------------------------------------------------------------


@parametre_doc
def test_chaque_fichier_nomme_existe(doc):
    nommes = [nom for nom in entre_accents(lire(doc)) if re.fullmatch(rf"[\w./*-]+(?:\.(?:{SUFFIXES})|/)", nom)]
    absents = [nom for nom in nommes if not nom.startswith(("/", "var/", ".", "APP/")) and not existe(nom, doc)]
    assert [nom for nom in absents if nom not in VENUS_DE_LA_PERSONNE] == []


# Fichiers que la personne crée ou reçoit, et dossiers du volume de données.
VENUS_DE_LA_PERSONNE = {
    "factures.csv", "encaissements.csv", "journaux/", "depot/", "courriels/", "courtier/", "X.html", "_X.html",
}  # fmt: skip


@parametre_doc
def test_chaque_lien_mene_quelque_part(doc):
    morts = []
    for cible in re.findall(r"\]\(([^)\s]+)\)", sans_blocs(lire(doc))):
        if re.match(r"https?://|mailto:", cible):
            continue
        chemin, _diese, titre = cible.partition("#")
        vise = (doc.parent / chemin).resolve() if chemin else doc
        titres = re.findall(r"^#+ (.+)$", lire(vise), flags=re.M) if vise.suffix == ".md" and vise.exists() else []
        if not vise.exists() or (titre and titre not in map(ancre, titres)):
            morts.append(cible)
    assert morts == []


@parametre_doc
def test_chaque_document_se_trouve_depuis_le_readme_ou_un_autre(doc):
    if doc.name in ("README.md", "CHANGELOG.md") or doc.parent.name == "decisions":
        return  # les décisions se lisent par leur dossier
    autres = [lire(autre) for autre in DOCS if autre != doc]
    assert any(doc.name in texte for texte in autres), f"aucun document ne mène à {doc.name}"


def test_le_readme_ne_nomme_aucun_registre():
    motif = (
        r"pypi|npmjs|crates\.io|docker\.io|ghcr\.io|quay\.io|hub\.docker|anaconda|rubygems|proxy\.golang|debian\.org"
    )
    assert re.findall(motif, lire(RACINE / "README.md"), flags=re.I) == []


# --- Fonctions et essais ----------------------------------------------------------------------------


@parametre_doc
def test_chaque_fonction_de_tableau_existe(doc):
    absentes = []
    for tableau in tableaux(lire(doc)):
        for ligne in tableau:
            for nom in entre_accents(ligne.get("Fonction", "")):
                if nom.endswith("…"):  # une famille : `verifier_…`
                    debut = nom.rstrip("…").rpartition(".")[2]
                    connu = any(defini_.startswith(debut) for defini_ in noms_du_code()[""])
                else:
                    connu = defini(nom)
                absentes += [] if connu else [nom]
    assert absentes == []


@parametre_doc
def test_chaque_essai_cite_existe(doc):
    absents = []
    for nom in entre_accents(lire(doc)):
        if re.fullmatch(r"test_\w+", nom):
            absents += [] if nom in essais() else [nom]
        elif re.fullmatch(r"test_\w+…", nom):
            absents += [] if any(essai.startswith(nom.rstrip("…")) for essai in essais()) else [nom]
    assert absents == []


def test_les_regles_de_l_echelle_nomment_tous_les_motifs_dans_leur_table():
    nommes = {nom for tableau in tableaux(lire(RACINE / "docs" / "regles.md")) for ligne in tableau
              for nom in entre_accents(ligne.get("Motif", ""))}  # fmt: skip
    assert nommes == {motif.value for motif in Motif} - {Motif.RELANCEE.value}


# --- Statuts ----------------------------------------------------------------------------------------


def transitions(titre: str) -> set[tuple[str, str]]:
    texte = section(lire(RACINE / "docs" / "statuts.md"), titre)
    couples = set()
    for tableau in tableaux(texte):
        for ligne in tableau:
            de, vers = (entre_accents(ligne.get(nom, "")) for nom in ("De", "Vers"))
            couples |= {(a, b) for a in de for b in vers}
    return couples


def test_les_statuts_d_un_courrier_sont_ceux_de_la_table():
    assert transitions("Transitions") == {(de, vers) for de, suites in TRANSITIONS.items() for vers in suites}


def test_les_etapes_d_un_dossier_sont_celles_des_deux_tables():
    """Injonction, et mandatement d'office contre une administration."""
    lignes = []
    for nom in ("procedure_injonction", "procedure_mandatement"):
        with (RACINE / "contentieux" / "donnees" / f"{nom}.csv").open(encoding="utf-8", newline="") as fichier:
            lignes += csv.DictReader(fichier, delimiter=";")
    attendues = {(Etat[x["etat"]].value, Etat[x["etat_suivant"]].value) for x in lignes}
    assert transitions("Dossier contentieux") == {(de, vers) for de, vers in attendues if de != vers}


# --- Commandes --------------------------------------------------------------------------------------


def commandes_nommees(texte: str) -> set[str]:
    return set(re.findall(r"manage\.py ([a-z_]+)", texte))


@parametre_doc
def test_chaque_commande_nommee_existe(doc):
    assert commandes_nommees(lire(doc)) - set(get_commands()) == set()


def options_de(commande: str) -> set[str]:
    """Options propres à une commande et à ses gestes, sans celles de Django."""
    analyseur = load_command_class(get_commands()[commande], commande).create_parser("manage.py", commande)
    gestes = [a.choices.values() for a in analyseur._actions if isinstance(a, argparse._SubParsersAction)]
    noms = {
        option.removeprefix("--")
        for partie in (analyseur, *(geste for choix in gestes for geste in choix))
        for action in partie._actions
        if not isinstance(action, argparse._HelpAction)
        for option in action.option_strings
        if option.startswith("--")
    }
    return noms - GENERALES - {"skip-checks"}


def commandes_documentees() -> list[str]:
    texte = lire(RACINE / "docs" / "ligne-de-commande.md")
    return re.findall(r"^## `([a-z_]+)`", texte, flags=re.M)


def test_chaque_commande_du_contrat_livree_a_son_chapitre():
    """Celles de nos applications, y compris les deux qui installent."""
    miennes = {"clients", "factures", "relances", "contentieux", "recouvrement.comptes", "recouvrement.pilotage"}
    livrees = {nom for nom, application in get_commands().items() if application in miennes}
    assert set(commandes_documentees()) == livrees


@pytest.mark.parametrize("commande", commandes_documentees())
def test_les_options_documentees_sont_celles_de_la_commande(commande):
    texte = section(lire(RACINE / "docs" / "ligne-de-commande.md"), f"`{commande}`")
    assert set(re.findall(r"`--([a-z-]+)", texte)) == options_de(commande)


# --- Le guide parle comme l'écran --------------------------------------------------------------------


def simplifier(texte: str) -> str:
    """Sans casse, ni forme d'apostrophe ou d'espace : ce que l'œil lit."""
    return re.sub(r"\s+", " ", texte.replace("’", "'").replace("\xa0", " ")).strip().lower()


@cache
def mots_de_l_ecran() -> frozenset[str]:
    """Textes traduisibles du français : le catalogue anglais les a tous, `test_traductions.py` y veille."""
    cles = lire_po(lire(RACINE / "locale" / "en" / "LC_MESSAGES" / "django.po"))
    return frozenset(simplifier(texte) for cle in cles for texte in cle.rpartition("\4")[2].split("\0"))


def test_les_mots_en_gras_du_guide_sont_ceux_de_l_ecran():
    gras = re.findall(r"\*\*(.+?)\*\*", sans_blocs(lire(RACINE / "docs" / "guide.md")))
    assert gras
    assert [mot for mot in gras if simplifier(mot) not in mots_de_l_ecran() and mot != "en gras"] == []
