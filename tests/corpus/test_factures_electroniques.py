"""Chaque facture électronique du corpus : lue comme attendu au centime, écrite une fois, rejouée sans effet.

Les attendus (`factures_attendues.csv`) sont recopiés du relevé indépendant qui accompagne le corpus. Vide : non dit,
donc non comparé, sauf pour les listes.
"""

import csv
from datetime import UTC, date, datetime
from decimal import Decimal
from pathlib import Path

import pytest
from django.db.models import F, Sum

from factures.imports.appliquer import importer
from factures.models import Avoir, CopieFacture, Echeance, Facture
from recouvrement.pilotage.verification import tout_verifier
from tests.comptes.factories import SocieteFactory

DOSSIER = "factures-electroniques"
with (Path(__file__).parent / "factures_attendues.csv").open(encoding="utf-8", newline="") as flux:
    ATTENDUS = {ligne.pop("fichier"): ligne for ligne in csv.DictReader(flux, delimiter=";")}
FICHIERS = {f"{DOSSIER}/{nom}" for nom in ATTENDUS}
LISTES = ("ventilation", "anterieures", "pieces_jointes")
FNFE, CORPUS_DE, EN = (
    "lunatech-labs+lunatech-pa-electronic-invoices", "ZUGFeRD+corpus", "ConnectingEurope+eInvoicing-EN16931"
)  # fmt: skip
MOMENT, AU = datetime(2026, 11, 22, 9, tzinfo=UTC), date(2026, 11, 22)
pytestmark = pytest.mark.django_db


def prendre(corpus, societe, nom):
    return importer(corpus / DOSSIER / nom, societe, moment=MOMENT, au=AU)


def vendeuse(siren: str = ""):
    return SocieteFactory(siren=siren, numero_tva="", iban="", raison_sociale="Vendeuse d'essai")


def lus(faits: dict, attendus: dict) -> dict:
    """Les faits lus, à la mesure de ce que le relevé en dit (textes coupés, listes jointes)."""
    valeurs = {}
    for nom, attendu in attendus.items():
        valeur = faits.get(nom, "")
        if nom in LISTES:
            valeur = " / ".join(valeur)
        elif nom == "profil":
            valeur = valeur if valeur.endswith(attendu) else valeur
            valeur = attendu if valeur.endswith(attendu) else valeur
        elif nom == "termes":
            valeur = valeur[:90].strip()
        valeurs[nom] = valeur
    return valeurs


@pytest.mark.parametrize("nom", sorted(ATTENDUS))
def test_chaque_facture_du_corpus_est_lue_ecrite_une_fois_et_rejouee_sans_effet(corpus, table, settings, tmp_path, nom):
    settings.DEPOT = tmp_path
    attendus = {k: v.strip() for k, v in ATTENDUS[nom].items() if v or k in LISTES}
    siren = (attendus.get("vendeur_id", "")[:9]) if nom.startswith((FNFE, CORPUS_DE)) else ""
    societe = vendeuse(siren if siren.isdigit() else "")

    rendu = prendre(corpus, societe, nom)
    assert not rendu.refus and not rendu.rejets, (rendu.refus, rendu.rejets)

    avoir = attendus["type"] == "381" or Decimal(attendus["net"]) < 0
    du = abs(Decimal(attendus["net"])) * (-1 if avoir else 1)
    obtenus = lus(rendu.faits, attendus) | {
        "créés": f"{rendu.crees['factures']} facture, {rendu.crees['avoirs']} avoir",
        "encours": rendu.encours.get(attendus["devise"]),
    }
    compte = "0 facture, 1 avoir" if avoir else "1 facture, 0 avoir"
    table.noter(f"{DOSSIER}/{nom}", attendus | {"créés": compte, "encours": du}, obtenus)
    facture = Facture.objects.filter(societe=societe).first()
    if facture:
        dues = facture.echeances.aggregate(s=Sum("montant"))["s"]
        assert dues == facture.montant_ttc - facture.acompte + facture.arrondi == Decimal(attendus["net"])
        assert facture.montant_ttc == Decimal(attendus["ttc"])
        assert facture.type_document == attendus["type"] and facture.affacturee is (attendus["type"] == "393")
        assert facture.copies.count() == nom.endswith(".pdf")

    rejeu = prendre(corpus, societe, nom)
    assert not rejeu.refus and not rejeu.rejets and not any(rejeu.crees.values()) and not rejeu.modifies
    assert rejeu.encours == rendu.encours
    assert [c.detail for c in tout_verifier() if not c.ok] == []


@pytest.mark.parametrize(
    ("siren", "noms", "reste", "copies"),
    [
        (
            "100000009",
            [f"{FNFE}/UC1_F202500003_00-INV_20250701{fin}" for fin in ("_UBL.xml", "_CII.xml", ".pdf")],
            "12000.00",
            1,
        ),
        (
            "999999998",
            [f"{CORPUS_DE}/{x}.pdf" for x in (
                "Facture_FR_BASICWL", "Facture_FR_EN16931", "sample_inofficial_20190125_atgp_factur-x_v_1_0"
            )],
            "470.15",
            3,
        ),
        (
            "123456782",
            [f"{FNFE}/Facture_F20260031-LE_FOURNISSEUR-POUR-LE_CLIENT_{x}.pdf" for x in ("EN_16931", "EXTENDED")],
            "107.82",
            2,
        ),
        ("", [f"{EN}/CII_example1.xml", f"{EN}/ubl-tc434-example1.xml"], "250.33", 0),
    ],
)  # fmt: skip
def test_la_meme_facture_en_plusieurs_syntaxes_est_une_creance(corpus, settings, tmp_path, siren, noms, reste, copies):
    settings.DEPOT = tmp_path
    societe = vendeuse(siren)
    rendus = [prendre(corpus, societe, nom) for nom in noms]
    assert [r.refus or r.rejets for r in rendus] == [[]] * len(noms)
    assert [r.crees["factures"] for r in rendus] == [1] + [0] * (len(noms) - 1)
    assert [r.inchanges["factures"] for r in rendus][1:] == [1] * (len(noms) - 1)
    ouvertes = Echeance.objects.filter(societe=societe).aggregate(s=Sum(F("montant") - F("impute")))
    assert ouvertes["s"] == Decimal(reste)
    assert CopieFacture.objects.filter(facture__societe=societe).count() == copies


def test_l_avoir_est_le_meme_en_381_et_en_380_negatif_et_se_pose_sur_sa_facture(corpus, settings, tmp_path):
    settings.DEPOT = tmp_path
    societe = vendeuse("999999998")
    for nom in ("Facture_FR_BASICWL", "Avoir_FR_type381_BASIC", "Avoir_FR_type380_EN16931"):
        rendu = prendre(corpus, societe, f"{CORPUS_DE}/{nom}.pdf")
        assert not rendu.refus and not rendu.rejets
    avoir = Avoir.objects.get(societe=societe)
    assert avoir.montant == avoir.impute == Decimal("233.47")
    assert avoir.facture_origine.numero == "FA-2017-0010"
    assert rendu.encours == {"EUR": Decimal("236.68")}


def test_un_numero_repris_une_autre_annee_est_une_autre_piece(corpus):
    """471102 : une facture de 2013, un trop-perçu de 2018."""
    societe = vendeuse()
    prendre(corpus, societe, "akretion+factur-x/zugferd-comfort.xml")
    rendu = prendre(corpus, societe, f"{CORPUS_DE}/EN16931_Einfach_negativePaymentDue.cii.xml")
    assert not rendu.refus and not rendu.rejets
    assert (Facture.objects.get().date_emission.year, Avoir.objects.get().date_emission.year) == (2013, 2018)


def test_le_meme_numero_d_un_autre_montant_est_refuse_en_disant_les_deux(corpus):
    societe = vendeuse()
    prendre(corpus, societe, f"{EN}/CII_example4.xml")
    rendu = prendre(corpus, societe, f"{EN}/ubl-tc434-example5.xml")
    assert not rendu.ecrit and len(rendu.rejets) == 1
    # L'acheteur n'y porte pas le même identifiant : le nom exact fait retrouver le compte.
    assert "4675,00" in rendu.rejets[0].motif and "2337,50" in rendu.rejets[0].motif


def test_toutes_les_factures_d_un_vendeur_en_une_archive(corpus, settings, tmp_path):
    import io
    import zipfile

    settings.DEPOT = tmp_path
    tampon = io.BytesIO()
    with zipfile.ZipFile(tampon, "w") as archive:
        for chemin in sorted((corpus / DOSSIER / FNFE).glob("*F2026*.pdf")):
            archive.write(chemin, chemin.name)
    societe = vendeuse("123456782")
    rendu = importer(tampon.getvalue(), societe, moment=MOMENT, au=AU, nom="envoi.zip")
    assert not rendu.refus and not rendu.rejets and rendu.format == "efactures"
    assert rendu.faits == {"documents": 7, "factures": 6, "avoirs": 1, "doubles": 1}
    assert rendu.encours == {"EUR": Decimal("104.90") + 108 + 100 + 90 + 100 + Decimal("107.82") - 100}
