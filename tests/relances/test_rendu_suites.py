"""Textes de suite livrés (promesse, contestation, paiement) : rendus stricts, deux langues, sans mot interdit."""

from dataclasses import replace
from datetime import date
from decimal import Decimal

import pytest

from relances.domaine.natures import Canal, Nature
from relances.rendu import controles, interdits, moteur, variables
from relances.rendu.filtres import Somme
from relances.rendu.moteur import Objet

from . import exemples_rendu as ex

RESTE = Somme(Decimal("4830.62"))


def contexte(client, reste, nombre) -> dict:
    """Ce que l'envoi devra fournir, en plus de ce que disent toutes les relances."""
    lettre = ex.lettre(Nature.RAPPEL_COURTOIS, destinataire=client, canal=Canal.COURRIEL)
    une, jour = "la facture FA-2026-0412", date(2026, 12, 3)
    return variables.d_une_lettre(lettre) | {
        "promesse": Objet("promesse", {
            "montant": Somme(Decimal("5245.31")), "date": jour, "recue_le": date(2026, 11, 19), "moyen": "virement",
            "factures": "FA-2026-0412", "nombre": nombre, "reste_apres": reste,
        }),
        "litige": Objet("litige", {
            "reference": "LIT-2026-057", "recu_le": date(2026, 11, 18), "factures": "FA-2026-0486", "nombre": nombre,
            "motif": "deux vantaux livrés rayés", "montant_conteste": Somme(Decimal("317.30")), "repondre_le": jour,
            "part_non_contestee": reste, "responsable": "Paul Guérin", "pieces_demandees": "photographies",
        }),
        "encaissement": Objet("encaissement", {
            "montant": Somme(Decimal("10075.93")), "date": date(2026, 11, 19), "moyen": "virement", "factures": une,
            "reste": reste, "echu": reste,
        }),
        "renvoi": Objet("renvoi", {"factures": "FA-2026-0412", "nombre": nombre, "reprise_le": jour}),
        "accord": Objet("accord", {
            "reference": "AC-2026-014", "genre": "échéancier", "montant": Somme(Decimal("4800.00")), "expire_le": jour,
        }),
        "mensualite": Objet("mensualite", {
            "accord": "AC-2026-014", "due": date(2026, 11, 18), "manque": Somme(Decimal("1200.00")), "avant": jour,
            "clause": True, "factures": "FA-2026-0412",
        }),
    }  # fmt: skip


def contexte_du_renvoi(client) -> dict:
    """Une facture renvoyée : ses lignes n'ont que ce que la facture porte."""
    ligne = {
        "numero": "FA-2026-0412", "date_emission": date(2026, 10, 3), "date_echeance": date(2026, 11, 3),
        "reste_du": RESTE,
    }  # fmt: skip
    return contexte(client, RESTE, 1) | {"lignes": (Objet("ligne", ligne),)}


@pytest.mark.parametrize("reste", [RESTE, Somme(Decimal("0.00"))], ids=["reste", "rien"])
@pytest.mark.parametrize("nombre", [1, 3])
@pytest.mark.parametrize("langue", ["fr", "en"])
@pytest.mark.parametrize("client", [ex.HOTELIERE, ex.KERDRAON, ex.COMMUNE], ids=lambda c: c.code)
@pytest.mark.parametrize("suite", ["promesse", "contestation", "paiement"])
def test_chaque_suite_se_rend_sans_variable_inconnue_ni_mot_interdit(suite, client, langue, nombre, reste):
    client = replace(client, langue=langue)
    valeurs = contexte(client, reste, nombre)
    dossier = f"{'anglais/' if langue == 'en' else ''}suites/{suite}"
    textes = [
        moteur.appliquer(moteur.moteur_courriels(), f"{dossier}/{partie}.txt", valeurs) for partie in ("objet", "corps")
    ]
    complet = "\n".join(textes)
    hotes = interdits.hotes_connus(ex.lettre(destinataire=client))
    assert controles.controler_texte(complet, client.type, hotes=hotes) == []
    assert ("4 830,62" in complet.replace("\u202f", " ").replace("\u00a0", " ") or "4,830.62" in complet) == bool(reste)


@pytest.mark.parametrize("langue", ["fr", "en"])
def test_l_accuse_d_un_particulier_nomme_le_mediateur_et_lui_seul(langue):
    """C. conso., art. L612-1 et L616-1."""
    dits = []
    for client in (ex.KERDRAON, ex.HOTELIERE):
        valeurs = contexte(replace(client, langue=langue), RESTE, 1)
        dossier = f"{'anglais/' if langue == 'en' else ''}suites/contestation"
        dits.append(
            "mediation-conso.example" in moteur.appliquer(moteur.moteur_courriels(), f"{dossier}/corps.txt", valeurs)
        )
    assert dits == [True, False]
