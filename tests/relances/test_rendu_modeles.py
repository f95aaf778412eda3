"""Les textes livrés s'écrivent dans le langage fermé, et rien ne change pour qui ne les touche pas."""

import json
from dataclasses import replace
from datetime import date
from decimal import Decimal
from pathlib import Path

import pytest
from django.template import TemplateSyntaxError

from relances.domaine.natures import Canal, Nature
from relances.domaine.texte_ferme import cle, fautes
from relances.rendu import courriels, exemple, insertions, lettres, livres, moteur, variables
from relances.rendu.contexte import Contestation, Contrat, Gestionnaire, Marche

from . import exemples_rendu as ex

LIVRES = json.loads((Path(__file__).parent / "courriels_livres.json").read_text(encoding="utf-8"))
CLIENTS = {"entreprise": ex.HOTELIERE, "administration": ex.COMMUNE, "particulier": ex.KERDRAON, "anglais": ex.HALLAM}
VARIANTES = {
    "nu": {},
    "plein": {
        "credits": (ex.avoir(),),
        "contestations": (
            Contestation(facture="X", numero="FA-X", recue_le=date(2026, 10, 1), montant=Decimal("12.50")),
        ),
        "marche": Marche(
            numero="2026-014", engagement="EJ-2026-00317", code_service="FINANCES", delai_jours=30, collectivite=True,
            aucune_suspension=True,
        ),
    },
    "sans": {
        "rappels": (), "contestations": None, "contrat": Contrat(), "marche": Marche(),
        "gestionnaire": Gestionnaire(nom="O'Brien <i>"),
    },
}  # fmt: skip


@pytest.mark.parametrize("cas", LIVRES)
def test_un_courriel_livre_non_personnalise_ne_change_pas_d_un_octet(cas):
    """Textes relevés avant le langage fermé : singulier, pluriel, avec et sans rappel, crédit, contestation."""
    client, nature, nombre, variante = cas.split("-")
    lettre = ex.lettre(Nature(int(nature)), nombre=int(nombre), destinataire=CLIENTS[client],
                       canal=Canal.COURRIEL, **VARIANTES[variante])  # fmt: skip
    rendu = courriels.rendre(lettre)
    assert [rendu.objet, rendu.texte] == LIVRES[cas]


def test_un_paragraphe_livre_n_a_ni_balise_ni_variable_de_gabarit():
    for corps in ("{{ total }}", "{% if x %}a{% endif %}"):
        with pytest.raises(TemplateSyntaxError, match="demande"):
            moteur.moteur_courriels().from_string("{% paragraphe demande %}" + corps + "{% finparagraphe %}")


def modele(support, **textes):
    return {"modeles": {support: textes}}


def test_le_texte_d_un_modele_remplace_le_paragraphe_et_lui_seul():
    """Exigence 28 : le ton change, les blocs de l'application restent."""
    lettre = ex.lettre(Nature.RAPPEL_COURTOIS, nombre=2, canal=Canal.COURRIEL)
    change = replace(lettre, **modele("courriel", demande="Pourriez-vous régler **[[total à payer]]** ?"))
    avant, apres = courriels.rendre(lettre), courriels.rendre(change)
    total = courriels.rendre(lettre).objet.split(", ")[1].split(" à régler")[0]
    assert f"Pourriez-vous régler {total}\u202f?" in apres.texte  # gras ôté, espace fine posée
    ligne = next(x for x in avant.texte.splitlines() if "Un oubli arrive" in x)
    assert avant.texte.replace(ligne, f"Pourriez-vous régler {total}\u202f?") == apres.texte


def test_une_lettre_garde_ses_blocs_et_echappe_ce_qu_on_y_ecrit():
    lettre = ex.lettre(Nature.FORMALISATION, nombre=2, **modele("lettre", demande="Réglez **a & b** [[jour limite]]"))
    html = lettres.rendre_html(lettre)
    assert "Réglez <b>a &amp; b</b> mercredi\u00a02\u00a0décembre\u00a02026" in html
    assert "Indemnité forfaitaire" in html and "IBAN" in html  # blocs intacts


def test_le_nom_d_un_client_n_est_jamais_interprete():
    piege = replace(ex.HOTELIERE, raison_sociale="[[total à payer]] **X** {{ 7 }} <img src=x>")
    textes = {"demande": "Cher [[nom du client]], payez."}
    html = lettres.rendre_html(ex.lettre(destinataire=piege, **modele("lettre", **textes)))
    assert "Cher [[total à payer]] **X** {{ 7 }} &lt;img src=x&gt;, payez." in html
    courriel = courriels.rendre(ex.lettre(destinataire=piege, canal=Canal.COURRIEL, **modele("courriel", **textes)))
    assert "Cher [[total à payer]] **X** {{ 7 }} <img src=x>, payez." in courriel.texte


def test_une_insertion_hors_de_la_liste_arrete_le_rendu_en_se_nommant():
    lettre = ex.lettre(canal=Canal.COURRIEL, **modele("courriel", demande="[[client.objects]]"))
    with pytest.raises(moteur.VariableInconnue, match=r"client\.objects"):
        courriels.rendre(lettre)


def test_une_penalite_ne_s_insere_pas_dans_un_texte_a_un_consommateur():
    """Exigence 24 : la variable n'existe pas pour lui."""
    proposees = {
        client: {i.nom for i in insertions.proposees(nature=Nature.FORMALISATION, type_debiteur=client.type,
                                                      support="lettre", langue="fr")}
        for client in (ex.HOTELIERE, ex.KERDRAON)
    }  # fmt: skip
    interdites = {"pénalités", "indemnités", "pénalités par jour", "pénalités par jour au taux actuel"}
    assert interdites <= proposees[ex.HOTELIERE]
    assert not interdites & proposees[ex.KERDRAON]
    assert fautes("[[indemnités]]", proposees[ex.KERDRAON])[0].code == "inconnue"


def test_un_meme_nom_n_a_qu_un_sens_dans_un_modele():
    for nature in (1, 2, 4, 5):
        for type_ in insertions.TypeDebiteur:
            for support in ("lettre", "courriel", "sms"):
                for langue in ("fr", "en"):
                    noms = [cle(i.nom) for i in insertions.proposees(nature=Nature(nature), type_debiteur=type_,
                                                                     support=support, langue=langue)]  # fmt: skip
                    assert len(noms) == len(set(noms)), (nature, type_, support, langue)


@pytest.mark.parametrize("genre", livres.catalogue(), ids=lambda g: "-".join(str(x) for x in g))
def test_chaque_insertion_proposee_se_calcule_et_se_tient(genre):
    """La liste fermée n'a ni variable disparue, ni valeur vide là où la phrase en attend une."""
    for nombre in (1, 3):
        lettre = exemple.lettre(genre, ex.EMETTEUR, au=ex.ARRETE, limite=date(2026, 12, 2), bareme=ex.BAREME,
                                nombre=nombre, gestionnaire=ex.GESTIONNAIRE)  # fmt: skip
        valeurs = variables.d_une_lettre(lettre, support=genre.support)["valeurs"]
        for insertion in genre.insertions():
            assert "{" not in valeurs[cle(insertion.nom)]
        vides = set(valeurs.vides)
        assert vides <= ({"nos rappels"} if genre.nature <= Nature.RAPPEL_COURTOIS else set())
