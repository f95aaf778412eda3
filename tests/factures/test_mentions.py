"""Mentions obligatoires : dues à leur date, constatées sur les données, jamais jugées."""

from dataclasses import replace
from datetime import date, timedelta

import pytest

from factures.domaine.mentions import MENTIONS, PAR_CODE, mentions_absentes
from factures.imports import efacture_cii, efacture_ubl
from factures.imports.efacture_xml import analyser
from factures.views.efacture import MENTIONS as LIBELLES

from .efacture_essai import NOTES, cii, ubl

JOUR = date(2026, 10, 1)


def document(**champs):
    return efacture_cii.lire(analyser(cii(emission=JOUR.isoformat(), **champs)))


def absentes(jour=JOUR, **champs):
    return mentions_absentes(document(**champs), jour)


def test_chaque_mention_a_son_libelle_sa_source_et_son_entree_en_vigueur():
    assert set(LIBELLES) == set(PAR_CODE) and len(PAR_CODE) == len(MENTIONS)
    assert all(m.source and m.libelle and m.depuis for m in MENTIONS)


def test_une_facture_complete_ne_manque_que_de_la_tva_du_vendeur():
    assert absentes() == ("tva_vendeur",)


@pytest.mark.parametrize(("sujet", "code"), [("PMD", "penalites"), ("PMT", "indemnite"), ("AAB", "escompte")])
def test_une_note_absente_est_nommee(sujet, code):
    assert code in absentes(notes={k: v for k, v in NOTES.items() if k != sujet})


@pytest.mark.parametrize(
    "texte",
    [
        "Tout retard entraîne des pénalités. Indemnité forfaitaire de 40 €. Escompte : néant.",
        "Late payment interest applies; compensation of 40 EUR; no discount.",
    ],
)
def test_une_mention_en_clair_dans_les_conditions_vaut(texte):
    lues = absentes(notes={}, termes=texte)
    assert not {"penalites", "indemnite", "escompte"} & set(lues)


@pytest.mark.parametrize("code", ["siren_acheteur", "categorie", "indemnite"])
def test_une_mention_n_est_due_que_depuis_son_entree_en_vigueur(code):
    depuis = PAR_CODE[code].depuis
    nu = replace(document(notes={}, cadre="x"), acheteur=replace(document().acheteur, siren="", siret=""))
    assert code in mentions_absentes(nu, depuis)
    assert code not in mentions_absentes(nu, depuis - timedelta(days=1))


def test_la_livraison_n_est_due_que_pour_des_biens_et_en_2027():
    biens, services = document(cadre="B1"), document(cadre="S1")
    assert "livraison" in mentions_absentes(biens, date(2027, 9, 1))
    assert "livraison" not in mentions_absentes(biens, date(2027, 8, 31))
    assert "livraison" not in mentions_absentes(services, date(2027, 9, 1))


def test_un_particulier_ou_un_vendeur_etranger_n_y_sont_pas_tenus():
    sans_identifiant = document(acheteur_siren="", notes={})
    assert not {"penalites", "indemnite", "escompte", "siren_acheteur"} & set(mentions_absentes(sans_identifiant, JOUR))
    etranger = replace(document(), vendeur=replace(document().vendeur, siren="", pays="DE"))
    assert mentions_absentes(etranger, JOUR) is None


def test_l_ubl_porte_ses_notes_sous_un_code():
    lu = efacture_ubl.lire(analyser(ubl()))
    assert dict(lu.notes) == NOTES and not {"penalites", "indemnite", "escompte"} & set(mentions_absentes(lu, JOUR))
