"""Le dépôt : par empreinte, vérifié à l'écriture et à la lecture, jamais ailleurs que dans settings.DEPOT."""

import hashlib
import io
from pathlib import Path

import pytest

from recouvrement.commun import depot


@pytest.fixture(autouse=True)
def racine(settings, tmp_path):
    settings.DEPOT = tmp_path / "depot"
    return settings.DEPOT


def fichiers(racine: Path) -> list[Path]:
    return [p for p in racine.rglob("*") if p.is_file()]


def test_un_fichier_range_se_relit_octet_pour_octet(racine):
    """Exigence 27."""
    chemin, empreinte = depot.ranger(b"%PDF-1.7 corps", ".pdf")

    assert empreinte == hashlib.sha256(b"%PDF-1.7 corps").hexdigest()
    assert chemin == f"{empreinte[:2]}/{empreinte[2:4]}/{empreinte}.pdf"
    assert depot.lire(chemin, empreinte) == b"%PDF-1.7 corps"
    with depot.ouvrir(chemin) as flux:
        assert flux.read() == b"%PDF-1.7 corps"
    assert fichiers(racine) == [racine / chemin], "aucun fichier provisoire ne reste"


def test_deux_contenus_egaux_n_occupent_qu_une_place(racine):
    assert depot.ranger(b"x", ".pdf") == depot.ranger(b"x", ".pdf")
    assert len(fichiers(racine)) == 1


def test_un_contenu_altere_ne_se_lit_pas(racine):
    chemin, empreinte = depot.ranger(b"cent euros", ".pdf")
    (racine / chemin).chmod(0o640)
    (racine / chemin).write_bytes(b"mille euros")

    with pytest.raises(depot.FichierAltere):
        depot.lire(chemin, empreinte)
    assert "altéré" in depot.verifier(chemin, empreinte)

    depot.ranger(b"cent euros", ".pdf")  # le même contenu, revenu, répare la place
    assert depot.lire(chemin, empreinte) == b"cent euros"
    assert depot.verifier(chemin, empreinte) == ""


def test_un_fichier_disparu_se_dit_absent(racine):
    chemin, empreinte = depot.ranger(b"x", ".pdf")
    (racine / chemin).unlink()

    with pytest.raises(depot.FichierAbsent):
        depot.lire(chemin, empreinte)
    assert "absent" in depot.verifier(chemin, empreinte)


@pytest.mark.parametrize(
    "chemin",
    ["", "../secret.pdf", "/etc/passwd", "ab/cd/../../../etc/passwd", "ab/cd/" + "0" * 64 + ".pdf", "00/00/" + "0" * 64,
     "00/00/" + "0" * 64 + ".pdf\n", "00/00/" + "0" * 64 + ".pdf/../x.pdf"],
)  # fmt: skip
def test_un_chemin_que_le_depot_n_a_pas_fabrique_est_refuse(chemin):
    with pytest.raises(depot.ErreurDepot):
        depot.ouvrir(chemin)


@pytest.mark.parametrize("suffixe", ["", "pdf", ".PDF", "./x", ".pdf/..", ".tropdelettres"])
def test_un_suffixe_douteux_est_refuse(suffixe):
    with pytest.raises(ValueError, match="suffixe"):
        depot.ranger(b"x", suffixe)


def test_une_ecriture_interrompue_ne_laisse_rien(racine):
    class Coupe(io.RawIOBase):
        def read(self, _taille=-1):
            raise OSError("le câble est parti")

    with pytest.raises(OSError, match="câble"):
        depot.ranger_flux(Coupe(), ".csv")
    assert fichiers(racine) == []


def test_un_gros_flux_se_range_par_blocs():
    chemin, empreinte, taille = depot.ranger_flux(io.BytesIO(b"a" * (depot.BLOC + 1)), ".csv")

    assert taille == depot.BLOC + 1
    assert depot.verifier(chemin, empreinte) == ""
