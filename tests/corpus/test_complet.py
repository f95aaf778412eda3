"""Aucun fichier du corpus n'est sauté : chacun est revendiqué par le module de sa famille."""

from importlib import import_module
from pathlib import Path

CATEGORIES = (
    "fec", "factures-electroniques", "banque", "exports-compta", "sirene-bodacc", "historiques-encaissements",
    "courriels",
)  # fmt: skip


def test_aucun_fichier_du_corpus_n_est_saute(corpus):
    modules = sorted(p.stem for p in Path(__file__).parent.glob("test_*.py") if p.stem != "test_complet")
    revendiques = set()
    for nom in modules:
        revendiques |= set(import_module(f"tests.corpus.{nom}").FICHIERS)
    presents = {str(p.relative_to(corpus)) for c in CATEGORIES for p in (corpus / c).rglob("*") if p.is_file()}
    assert presents - revendiques == set()
    assert revendiques - presents == set()
