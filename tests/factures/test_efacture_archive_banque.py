"""Une archive de relevés, telle qu'EBICS la livre, n'est pas une archive de factures : le refus dit quoi faire."""

import io
import zipfile

from factures.imports.fichier import examiner_fichier
from factures.imports.lecteurs import lire_seul
from tests.factures.releves_essai import camt


def test_une_archive_de_releves_dit_de_les_deposer_seuls():
    tampon = io.BytesIO()
    with zipfile.ZipFile(tampon, "w") as archive:
        archive.writestr("releve.xml", camt([]))
    lot = lire_seul(examiner_fichier(tampon.getvalue(), "C53.zip"))
    assert list(lot.elements) == [] and "message bancaire" in lot.rejets[0].motif
