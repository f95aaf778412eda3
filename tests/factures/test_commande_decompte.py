"""manage.py decompte : fichiers écrits, refus dits avec leur code (produit.md § 7)."""

from datetime import date
from io import StringIO

import pytest
from django.core.management import CommandError, call_command

from tests.clients.factories import ClientFactory
from tests.comptes.factories import SocieteFactory
from tests.factures.factories import EcheanceFactory

pytestmark = pytest.mark.django_db


def commander(*arguments):
    sortie = StringIO()
    call_command("decompte", *arguments, stdout=sortie)
    return sortie.getvalue()


def test_la_commande_ecrit_pdf_et_classeur(tmp_path, time_machine):
    time_machine.move_to("2026-11-20T10:00:00+01:00")
    e = EcheanceFactory(echue_le=date(2026, 1, 31))
    pdf, xlsx = tmp_path / "d.pdf", tmp_path / "d.xlsx"
    texte = commander(e.facture.numero, "--au", "2026-11-20", "--pdf", str(pdf), "--xlsx", str(xlsx))
    assert pdf.read_bytes().startswith(b"%PDF") and xlsx.read_bytes().startswith(b"PK")
    assert "Total : " in texte


@pytest.mark.parametrize(
    ("arguments", "code", "dit"),
    [
        (["INCONNUE", "--au", "2026-11-20"], 1, "facture inconnue : INCONNUE"),
        (["{numero}", "--au", "2027-02-01"], 1, "1er semestre 2027"),
        (["{numero}", "--au", "2026-01-15"], 1, "rien d'échu au 15/01/2026"),
        (["{numero}", "--au", "2026-11-20", "--societe", "ailleurs"], 2, "société inconnue : ailleurs"),
        (["{numero}", "--au", "hier"], None, "AAAA-MM-JJ"),
    ],
)
def test_la_commande_refuse_en_disant_pourquoi(arguments, code, dit):
    """Contrat : 1 refusé, 2 usage ; un semestre absent est nommé, jamais extrapolé."""
    e = EcheanceFactory(echue_le=date(2026, 1, 31))
    with pytest.raises(CommandError, match=dit) as refus:
        commander(*[a.format(numero=e.facture.numero) for a in arguments])
    if code is not None:
        assert refus.value.returncode == code


def test_un_decompte_ne_melange_ni_deux_clients_ni_deux_devises_ni_deux_societes():
    societe = SocieteFactory()
    une, autre = (EcheanceFactory(client=ClientFactory(societe=societe), echue_le=date(2026, 1, 31)) for _ in "ab")
    with pytest.raises(CommandError, match="plusieurs clients"):
        commander(une.facture.numero, autre.facture.numero, "--au", "2026-11-20")
    dollars = EcheanceFactory(client=une.client, echue_le=date(2026, 1, 31), devise="USD")
    with pytest.raises(CommandError, match="une devise"):
        commander(une.facture.numero, dollars.facture.numero, "--au", "2026-11-20")
    SocieteFactory()
    with pytest.raises(CommandError, match="plusieurs sociétés"):
        commander(une.facture.numero, "--au", "2026-11-20")
