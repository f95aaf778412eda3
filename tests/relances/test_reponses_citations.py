"""Ce qui est écrit, ce qui est cité, la signature : formes françaises et étrangères, hasard, temps borné."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from relances.domaine.citations import couper

ECRIT = "Bonjour,\nLe virement est parti ce matin."
CITE = "Bonjour,\nVotre facture est échue."

ANNONCES = [
    "Le lun. 12 janv. 2026 à 10:02, ACME <a@acme.example> a écrit :",
    "Le lun. 12 janv. 2026 à 10:02, ACME Recouvrement\n<a@acme.example> a écrit :",
    "Le 12/01/2026 à 10:02, ACME a écrit :",
    "Le 12 janvier 2026 10:02:11 GMT+01:00, ACME <a@acme.example> a écrit\xa0:",
    "On Mon, Jan 12, 2026 at 10:02 AM ACME <a@acme.example> wrote:",
    "Am 12.01.2026 um 10:02 schrieb ACME <a@acme.example>:",
    "El lun, 12 ene 2026 a las 10:02, ACME (<a@acme.example>) escribió:",
    "Il giorno lun 12 gen 2026 alle ore 10:02 ACME <a@acme.example> ha scritto:",
    "-------- Message d'origine --------\nDe : ACME <a@acme.example>\nDate : 12/01/2026",
    "-------- Message d’origine --------\nDe : ACME <a@acme.example>",
    "-----Original Message-----\nFrom: ACME",
    "---------- Forwarded message ---------\nDe : ACME",
    "________________________________\nDe : ACME <a@acme.example>\nEnvoyé : lundi 12 janvier"
    " 2026 10:02\nÀ : X\nObjet : Y",
    "De : ACME <a@acme.example>\nEnvoyé : lundi 12 janvier 2026 10:02\nÀ : X\nObjet : Y",
    "*De :* ACME <a@acme.example>\n*Envoyé :* lundi\n*À :* X",
    "From: ACME <a@acme.example>\nSent: Monday\nTo: X\nSubject: Y",
    "Von: ACME <a@acme.example>\nGesendet: Montag\nAn: X\nBetreff: Y",
    "Début du message réexpédié :\n\nDe: ACME",
]


@pytest.mark.parametrize("annonce", ANNONCES)
@pytest.mark.parametrize("chevrons", [True, False])
def test_l_annonce_d_une_citation_se_reconnait(annonce, chevrons):
    cite = "\n".join("> " + x for x in CITE.split("\n")) if chevrons else CITE
    coupe = couper(f"{ECRIT}\n\n{annonce}\n\n{cite}\n")
    assert coupe.ecrit == ECRIT
    assert coupe.cite.startswith(annonce.split("\n")[0].strip()) and coupe.cite.endswith(cite.split("\n")[-1])


@pytest.mark.parametrize(
    "signature",
    [
        "-- \nMarie Martin\nComptable",
        "Envoyé de mon iPhone",
        "Envoyé depuis mon mobile Orange",
        "Sent from my BlackBerry",
        "Télécharger Outlook pour Android",
        "Obtenir Outlook pour iOS",
        "Envoyé à l'aide de ProtonMail",
    ],
)
def test_la_signature_se_range_a_part(signature):
    coupe = couper(f"{ECRIT}\n\n{signature}\n\nLe 12/01/2026 à 10:02, ACME a écrit :\n> Payez.")
    assert (coupe.ecrit, coupe.signature) == (ECRIT, "\n".join(x.rstrip() for x in signature.split("\n")))


def test_une_reponse_entremelee_reste_entiere():
    texte = "Le 12/01/2026 à 10:02, ACME a écrit :\n> Quand payez-vous ?\n\nDemain.\n\n> Combien ?\n\nTout.\n"
    assert couper(texte).ecrit == texte.strip() and not couper(texte).cite


@pytest.mark.parametrize(
    "texte",
    [
        "Le 12 mars, votre collègue m'a écrit : payez.",
        "Je confirme :\n- facture 12\n- facture 13",
        "De : rien, il n'y a pas de quoi.",
        "Votre associé a écrit :\nje ne paierai pas.",
        "a\n-----\nb",
    ],
)
def test_une_phrase_de_la_personne_n_est_pas_une_citation(texte):
    assert couper(texte).ecrit == texte and not couper(texte).cite


def test_un_texte_vide_ou_tout_cite_ne_fait_rien_tomber():
    assert couper("") == ("", "", "")
    assert couper("> a\n> b") == ("", "> a\n> b", "")


LIGNES = st.sampled_from(
    [
        "> x",
        "-- ",
        "Le 12/01/2026 à 10:00, J a écrit :",
        "De : a@b.fr",
        "Envoyé : x",
        "",
        "ok",
        "__",
        "À : y",
        "-------- Message d'origine --------",
        "Envoyé de mon iPhone",
        "________________________________",
        "\u202e:",
        "*De :*",
    ]
)


@given(st.one_of(st.text(max_size=2000), st.lists(LIGNES, max_size=60).map("\n".join)))
def test_aucun_mot_ne_se_perd(texte):
    assert sorted(" ".join(couper(texte)).split()) == sorted(texte.split())


@pytest.mark.parametrize(
    "morceau",
    [
        "a",
        "\n",
        "Le 1 ",
        "> x\n",
        "Le 12/01/2026 à 10:00, J a écrit :\n> x\nok\n",
        "De : a@b\n",
        "--\n",
        "- - ",
        "é",
        "Le 1 a ecrit ",
        "_ _\n",
        "On 1:00 wrote wrote:\n",
        ":",
        "*",
        "\u0301",
    ],
)
def test_un_million_de_caracteres_se_coupe(morceau):
    """Aucune durée affirmée ici : un motif quadratique ne finirait pas."""
    couper(morceau * (1_000_000 // len(morceau)))
