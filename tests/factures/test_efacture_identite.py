"""La même facture, venue autrement ou en archive : une créance, et de quoi la défaire."""

import io
import zipfile
from decimal import Decimal

import pytest
from django.db import connection
from django.test.utils import CaptureQueriesContext

from factures.models import CopieFacture, Facture
from factures.services.annulation import defaire
from recouvrement.commun import depot
from tests.comptes.factories import SocieteFactory

from .efacture_essai import ACHETEUR, cii, facturx_pdf, ubl
from .imports_essai import AU, CLIENTS, F1, FACTURES, MOMENT, defauts_de_soldes, prendre, restes

pytestmark = pytest.mark.django_db


@pytest.fixture
def societe(settings, tmp_path):
    settings.DEPOT = tmp_path
    return SocieteFactory()


def prise(societe, octets, **options):
    rendu = prendre(societe, octets, **options)
    assert not rendu.refus and not rendu.rejets, (rendu.refus, rendu.rejets)
    return rendu


def dit(rendu, *morceaux) -> bool:
    return any(all(m in texte for m in morceaux) for texte in rendu.avertissements)


# --- La même, venue autrement ----------------------------------------------------------------


def test_trois_syntaxes_une_creance_et_le_pdf_de_la_derniere(societe):
    prise(societe, cii())
    for octets in (ubl(), facturx_pdf()):
        rendu = prise(societe, octets)
        assert rendu.inchanges["factures"] == 1 and not rendu.crees["factures"]
    copie = CopieFacture.objects.get()
    assert copie.pages == 1 and depot.lire(copie.chemin, copie.empreinte).startswith(b"%PDF")
    prise(societe, facturx_pdf(cii()))
    assert restes(societe) == {"F-100": Decimal("120.00")} and defauts_de_soldes() == []


def test_l_essai_ne_garde_pas_de_pdf(societe, tmp_path):
    prise(societe, facturx_pdf(), essai=True)
    assert not CopieFacture.objects.exists() and not list(tmp_path.rglob("*.pdf"))


def test_la_facture_venue_par_csv_recoit_son_document(societe):
    prendre(societe, CLIENTS + f"C1;Garage Le Bihan;30J;{ACHETEUR};;;;;\n")
    prendre(societe, FACTURES + F1.replace("F1;", "F-100;", 1))
    rendu = prise(societe, facturx_pdf(cii(emission="2026-01-05")))
    f = Facture.objects.get()
    assert rendu.inchanges["factures"] == 1 and f.cle_source.startswith("CSV:")
    assert f.type_document == "380" and f.copies.count() == 1
    rejeu = prise(societe, FACTURES + F1.replace("F1;", "F-100;", 1))
    assert rejeu.inchanges["factures"] == 1 and defauts_de_soldes() == []


def test_un_autre_montant_est_rejete_en_disant_les_deux(societe):
    prendre(societe, CLIENTS + f"C1;Garage Le Bihan;30J;{ACHETEUR};;;;;\n")
    prendre(societe, FACTURES + F1.replace("F1;", "F-100;", 1))
    rendu = prendre(societe, cii(emission="2026-01-05", acompte="20.00", net="100.00"))
    assert "120,00 dus" in rendu.rejets[0].motif and "100,00" in rendu.rejets[0].motif
    assert Facture.objects.get().type_document == ""


def test_le_meme_numero_d_un_autre_client_est_rejete(societe):
    prise(societe, cii())
    rendu = prendre(societe, cii(acheteur="Autre", acheteur_siren="552100554"))
    assert "autre client" in rendu.rejets[0].motif


def test_un_numero_repris_une_autre_annee_se_note_avec_elle(societe):
    prise(societe, cii(emission="2024-01-31", echeance="2024-03-02"))
    rendu = prise(societe, cii(net="60.00", ttc="60.00", ht="50.00", tva="10.00"))
    assert restes(societe) == {"F-100": Decimal("120.00"), "F-100 (2026)": Decimal("60.00")}
    assert dit(rendu, "se note « F-100 (2026) »")
    rejeu = prise(societe, cii(net="60.00", ttc="60.00", ht="50.00", tva="10.00"))
    assert rejeu.inchanges["factures"] == 1 and Facture.objects.count() == 2


def test_un_import_se_defait_et_rend_la_facture_telle_qu_elle_etait(societe):
    prendre(societe, CLIENTS + f"C1;Garage Le Bihan;30J;{ACHETEUR};;;;;\n")
    prendre(societe, FACTURES + F1.replace("F1;", "F-100;", 1))
    avant = Facture.objects.values().get()
    del avant["updated_at"]
    prise(societe, facturx_pdf(cii(emission="2026-01-05", notes={})))
    assert Facture.objects.get().mentions_absentes
    lot = societe.lots.order_by("-pk").first()
    assert defaire(lot, acteur=None, moment=MOMENT, au=AU)
    apres = Facture.objects.values().get()
    assert {k: v for k, v in apres.items() if k != "updated_at"} == {
        k: v for k, v in avant.items() if k != "updated_at"
    }
    assert not CopieFacture.objects.exists()


# --- Archives --------------------------------------------------------------------------------


def archive(**membres: bytes) -> bytes:
    tampon = io.BytesIO()
    with zipfile.ZipFile(tampon, "w", zipfile.ZIP_DEFLATED) as z:
        for nom, contenu in membres.items():
            z.writestr(nom.replace("__", "."), contenu)
    return tampon.getvalue()


def test_une_archive_est_un_lot_ou_la_meme_facture_ne_compte_qu_une_fois(societe):
    octets = archive(a__xml=cii("F-1"), b__xml=ubl("F-1"), c__pdf=facturx_pdf(cii("F-1")), d__xml=cii("F-2"))
    rendu = prise(societe, octets, nom="envoi.zip")
    assert rendu.format == "efactures" and rendu.crees["factures"] == 2 and rendu.lignes == 4
    assert rendu.faits == {"documents": 2, "factures": 2, "avoirs": 0, "doubles": 2}
    assert CopieFacture.objects.get().facture.numero == "F-1"
    rejeu = prise(societe, octets, nom="envoi.zip")
    assert not any(rejeu.crees.values()) and rejeu.inchanges["factures"] == 2


def test_une_archive_se_prend_toute_ou_pas_du_tout_et_nomme_le_membre(societe):
    rendu = prendre(societe, archive(bon__xml=cii("F-1"), mauvais__xml=cii("F-2", type_="999")), nom="envoi.zip")
    assert not rendu.ecrit and not Facture.objects.exists()
    assert [(r.ligne, r.champ) for r in rendu.rejets] == [(2, "mauvais.xml")]


def test_le_nombre_de_requetes_ne_depend_pas_du_nombre_de_documents(societe):
    def compter(n: int, depart: int) -> int:
        membres = {
            f"f{i}__xml": cii(f"F-{i}", acheteur=f"Client {i}", acheteur_siren="") for i in range(depart, depart + n)
        }
        with CaptureQueriesContext(connection) as requetes:
            prise(societe, archive(**membres), nom="envoi.zip")
        return len(requetes)

    compter(1, 0)
    assert compter(2, 10) == compter(20, 100)
