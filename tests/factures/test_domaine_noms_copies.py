"""Le nom d'un fichier désigne sa facture, ou rien."""

import pytest

from factures.domaine.noms_copies import Ambigu, reconnaitre

NUMEROS = ["FA-2026-0012", "FA-2026-00123", "2026-0012", "77", "AV/0099", "2026"]


@pytest.mark.parametrize(
    ("nom", "attendu"),
    [
        ("FA-2026-0012.pdf", "FA-2026-0012"),
        ("fa20260012.PDF", "FA-2026-0012"),
        ("Facture FA_2026_0012 - copie (1).pdf", "FA-2026-0012"),
        ("C:\\scans\\FA 2026 00123.pdf", "FA-2026-00123"),  # le plus long, pas son préfixe
        ("2026-0012.pdf", "2026-0012"),
        ("av-0099 signée.pdf", "AV/0099"),
        ("77.pdf", "77"),  # court : le nom entier
        ("page 77 sur 80.pdf", None),
        ("FA-2026-001.pdf", "2026"),
        ("scan.pdf", None),
        (".pdf", None),
        ("", None),
    ],
)
def test_le_numero_se_lit_sans_ses_separateurs(nom, attendu):
    assert reconnaitre(nom, NUMEROS) == attendu


def test_deux_factures_a_egalite_ne_se_tranchent_pas():
    with pytest.raises(Ambigu) as doute:
        reconnaitre("F2026-0001 et F2026-0002.pdf", ["F2026-0001", "F2026-0002"])
    assert doute.value.numeros == ["F2026-0001", "F2026-0002"]


def test_deux_numeros_qui_ne_different_que_par_leurs_separateurs_sont_ambigus():
    with pytest.raises(Ambigu):
        reconnaitre("FA20260012.pdf", ["FA-2026-0012", "FA/2026/0012"])
