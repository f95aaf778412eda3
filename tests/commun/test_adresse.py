"""Adresse postale NF Z10-011 : six lignes de 38 caractères, rien de perdu en silence."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from recouvrement.commun.domaine.adresse import LARGEUR, adresse_postale, translitterer


def adresse(nom="Rivoire Distribution", **reste):
    return adresse_postale(nom, **{"voie": "118 cours Bayard", "code_postal": "69286", "ville": "Lyon", **reste})


def test_une_adresse_complete_tient_sur_six_lignes_en_capitales_sans_accent():
    obtenue = adresse(
        service="Direction financière",
        complement="Immeuble « Le Confluent »",
        lieu_dit="CS 40217",
        ville="Lyon cedex 02",
    )
    assert obtenue.lignes == (
        "RIVOIRE DISTRIBUTION",
        "DIRECTION FINANCIERE",
        "IMMEUBLE LE CONFLUENT",
        "118 COURS BAYARD",
        "CS 40217",
        "69286 LYON CEDEX 02",
    )
    assert obtenue.manques == ()
    assert obtenue.texte.count("\n") == 5


def test_les_lignes_vides_et_le_service_redit_disparaissent():
    assert adresse(service="Rivoire Distribution").lignes == (
        "RIVOIRE DISTRIBUTION",
        "118 COURS BAYARD",
        "69286 LYON",
    )


@pytest.mark.parametrize(
    ("voie", "lignes"),
    [
        ("12, rue du Port", ["12 RUE DU PORT"]),
        ("12 bis, rue de l’Église", ["12 BIS RUE DE L EGLISE"]),
        ("ZA de Kerbois, 6 rue des Ébénistes", ["ZA DE KERBOIS", "6 RUE DES EBENISTES"]),
        ("6 rue des Ébénistes, BP 12", ["6 RUE DES EBENISTES", "BP 12"]),
        ("Le Bourg", ["LE BOURG"]),
        ("Tour A\n3 place du Marché\nBP 7", ["TOUR A", "3 PLACE DU MARCHE", "BP 7"]),
    ],
)
def test_la_partie_numerotee_fait_la_ligne_de_voie(voie, lignes):
    assert list(adresse(voie=voie).lignes[1:-1]) == lignes


def test_une_ligne_trop_longue_est_abregee_avant_d_etre_reportee():
    obtenue = adresse(
        "Société par actions simplifiée des Établissements Durand et Fils",
        voie="12 bis avenue du Maréchal de Lattre de Tassigny prolongée",
        ville="Saint-Remy-en-Bouzemont-Saint-Genest",
    )
    assert obtenue.lignes == (
        "SAS DES ETABLISSEMENTS DURAND ET FILS",
        "12 BIS AV DU MAL DE LATTRE DE TASSIGNY",
        "PROLONGEE",
        "69286 ST REMY EN BOUZEMONT ST GENEST",
    )
    assert obtenue.manques == ()


def test_une_zone_passe_au_lieu_dit_quand_le_haut_de_l_adresse_est_plein():
    obtenue = adresse(service="S" * 30, complement="C" * 30, voie="ZA de Kerbois et des Quatre Chemins, 6 rue X")
    assert obtenue.lignes[3:5] == ("6 RUE X", "ZA DE KERBOIS ET DES QUATRE CHEMINS")
    assert obtenue.manques == ()


def test_ce_qui_ne_tient_pas_est_nomme():
    obtenue = adresse("N " * 38, service="Service " * 6, complement="Bâtiment B")
    assert len(obtenue.lignes) == 5
    assert any("non imprimé" in m and "SERVICE" in m for m in obtenue.manques)
    [manque] = adresse("X" * 39).manques
    assert manque == f"ligne de plus de 38 caractères : {'X' * 39}"


@pytest.mark.parametrize(
    ("champs", "manque"),
    [
        ({"nom": " "}, "nom du destinataire absent"),
        ({"voie": ""}, "voie absente"),
        ({"ville": "-"}, "ville absente"),
        ({"code_postal": ""}, "code postal absent"),
        ({"code_postal": "6928"}, "code postal à 5 chiffres attendu : 6928"),
        ({"pays": "ZZ"}, "pays inconnu : ZZ"),
        ({"nom": "Общество SARL"}, "caractères sans équivalent latin : ОБЩЕСТВО"),
    ],
)
def test_un_manque_se_dit(champs, manque):
    assert adresse(**champs).manques == (manque,)


def test_un_pli_pour_l_etranger_porte_le_pays_en_derniere_ligne():
    obtenue = adresse(
        "Hallam & Reeve Ltd", voie="Unit 7 Kirkgate Works", code_postal="LS99 9ZZ", ville="Leeds", pays="GB"
    )
    assert obtenue.lignes[-3:] == ("UNIT 7 KIRKGATE WORKS", "LEEDS LS99 9ZZ", "ROYAUME UNI")
    assert obtenue.lignes[0] == "HALLAM & REEVE LTD"
    assert adresse(code_postal="10117", ville="Berlin", pays="de").lignes[-2:] == ("10117 BERLIN", "ALLEMAGNE")
    assert adresse(code_postal="", ville="Dubaï", pays="Émirats arabes unis").lignes[-1] == "EMIRATS ARABES UNIS"


def test_l_outre_mer_est_une_adresse_francaise():
    assert adresse(code_postal="97400", ville="Saint-Denis", pays="RE").lignes[-1] == "97400 SAINT DENIS"


def test_la_translitteration_garde_les_ligatures_et_les_lettres_barrees():
    assert translitterer("Œuvre Straße Łódź Ærø d’Évian n²") == "OEuvre Strasse Lodz AEro d'Evian n2"


MOTS = st.lists(st.sampled_from("DUPONT RUE 12 GRANDEMAISON LE B QUATREMARE".split()), max_size=12).map(" ".join)


@given(MOTS, MOTS, MOTS, MOTS, MOTS, st.sampled_from(["FR", "BE", "GB"]))
def test_les_bornes_tiennent_toujours_et_un_mot_perdu_est_un_manque(nom, service, complement, voie, ville, pays):
    obtenue = adresse_postale(
        nom, voie=voie, code_postal="75001", ville=ville, service=service, complement=complement, pays=pays
    )
    etranger = pays != "FR"
    assert len(obtenue.lignes) <= 6 + etranger
    assert all(0 < len(ligne) <= LARGEUR for ligne in obtenue.lignes)
    assert all(c.isupper() or c.isdigit() or c == " " for ligne in obtenue.lignes[-3:] for c in ligne)
    if not obtenue.manques:
        imprimes = obtenue.texte.split()
        assert set(f"{nom} {service} {complement} {voie} {ville}".split()) <= set(imprimes)
