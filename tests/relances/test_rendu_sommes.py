"""Aucune somme d'ailleurs dans une relance : ni texte réécrit, ni modèle de la société (exigences 19, 24 et 29)."""

from dataclasses import replace
from datetime import date
from decimal import Decimal

import pytest

from relances.domaine.natures import Canal, Nature
from relances.rendu import controles, controles_modele, courriels, interdits, lettres, sommes

from . import exemples_rendu as ex

RAPPEL, FORMALISATION, MED = Nature.RAPPEL_COURTOIS, Nature.FORMALISATION, Nature.MISE_EN_DEMEURE


def due(numero="FA-2026-0412", *, chiffree=False):
    ligne = ex.ligne(numero, date(2026, 10, 1), Decimal("1046.79"))
    return ligne if chiffree else replace(ligne, segments=(), indemnite=Decimal("0.00"))


def lettre(nature=RAPPEL, *, client=ex.KERDRAON, langue="fr", **autres):
    champs = {"lignes": (due(chiffree=nature != RAPPEL),), "destinataire": replace(client, langue=langue)}
    return ex.lettre(nature, **champs | autres)


@pytest.mark.parametrize(
    ("texte", "dites"),
    [
        ("Le coût de la présente relance, 12,00 €, est à votre charge.", ["12,00 €"]),
        ("Vous devez aussi 250,00 € au titre d'un dédommagement.", ["250,00 €"]),
        ("Ajoutez 12 euros, ou EUR 13, ou 14.00 EUR, ou 15€50.", ["12 euros", "eur 13", "14.00 eur", "15€50"]),
        ("Ajoutez 16 euros et 5 centimes.", ["16 euros et 5 centimes"]),
        ("Le montant de 1 046,80 est dû.", ["1 046,80"]),
        ("Soit 2 k€, ou 3 millions d'euros, ou 100 $.", ["2 k€", "3 millions d'euros", "100 $"]),
        ("Ajoutez douze euros.", ["douze euros"]),
        ("Ajoutez deux cent cinquante euros.", ["deux cent cinquante euros"]),
        ("Une indemnité de 40 € et **40,00 €**.", ["40 €", "40,00 €"]),
    ],
)
def test_une_somme_d_ailleurs_se_voit_quelle_que_soit_son_ecriture(texte, dites):
    assert sommes.absentes(lettre(), texte) == dites


@pytest.mark.parametrize(
    "texte",
    [
        "Il reste 1 046,79 €, soit 1\u202f046,79\u00a0EUR, 1.046,79 €, 1046,79 euros ou 1046 euros et 79 centimes.",
        "La somme de mille quarante-six euros et soixante-dix-neuf centimes.",
        "La facture FA-2026-0412 du 01/09/2026, n° 1046, échue le 1er octobre 2026, il y a 50 jours.",
        "Virement sur FR76 9999 9044 1000 0218 7654 326, tél. 02 61 91 00 14 ou 02.61.91.00.14.",
        "Au taux de 2,75 % l'an, 12,40 points de plus, pour 3,50 m² et 12,50 heures ; réponse sous 8 jours.",
        "SAS au capital de 120 000 €, à régler en euros.",
        "Rien d'autre : 0,00 € de frais.",
    ],
)
def test_une_somme_de_la_lettre_s_ecrit_comme_on_veut(texte):
    assert sommes.absentes(lettre(), texte) == []


def test_en_anglais_la_somme_se_lit_avec_son_point():
    anglaise = lettre(client=ex.HALLAM, langue="en")
    bonnes = (
        "Please pay €1,046.79, EUR 1,046.79, 1,046.79 or one thousand and forty-six euros, see FA-2026-0412, v. 2.1."
    )
    assert sommes.absentes(anglaise, bonnes) == []
    assert sommes.absentes(anglaise, "Plus €12.00, and 1,046.80, and twelve euros.") == [
        "€12.00", "1,046.80", "twelve euros",
    ]  # fmt: skip


def test_quarante_euros_se_citent_a_un_professionnel_jamais_a_un_consommateur():
    texte = "Nos conditions prévoient une indemnité de 40 €."
    assert sommes.absentes(lettre(client=ex.HOTELIERE), texte) == []
    assert sommes.absentes(lettre(), texte) == ["40 €"]


def test_une_reference_de_la_lettre_n_est_pas_une_somme():
    assert sommes.absentes(lettre(lignes=(due("2026.12,50"),)), "La facture 2026.12,50 reste due.") == []


@pytest.mark.parametrize("client", [ex.HOTELIERE, ex.COMMUNE, ex.KERDRAON, ex.HALLAM], ids=lambda c: c.code)
@pytest.mark.parametrize("nature", [RAPPEL, FORMALISATION, MED])
@pytest.mark.parametrize("nombre", [1, 6])
def test_un_texte_livre_ne_dit_que_les_sommes_de_sa_lettre(nature, client, nombre):
    """Sans l'aide du texte livré : les lignes, les totaux, les intérêts et les indemnités suffisent à le lire."""
    credits = (ex.avoir("100.00"),)
    une = ex.lettre(nature, nombre=nombre, destinataire=client, credits=credits)
    if (nature, client) != (MED, ex.COMMUNE):
        assert sommes.absentes(une, "\n".join(lettres.paragraphes(une).values())) == []
    if nature != MED:
        assert sommes.absentes(une, courriels.rendre(replace(une, canal=Canal.COURRIEL)).integral) == []


def glisser(texte: str, ajout: str) -> str:
    return texte.replace("\n\n", f"\n\n{ajout}\n\n", 1)


def test_un_courriel_une_lettre_ou_un_modele_ou_l_on_glisse_une_somme_ne_part_pas():
    """Le juriste : « 12,00 € à votre charge », « 250,00 € au titre d'un dédommagement » passaient."""
    ajout = "Vous devez aussi 250,00 € de plus."
    une = lettre(client=ex.HOTELIERE, canal=Canal.COURRIEL)
    ecrit = courriels.rendre(une)
    for modifie in (True, False):
        glisse = courriels.Courriel(ecrit.objet, glisser(ecrit.texte, ajout))
        (manque,) = controles.manques_du_texte(une, glisse, modifie=modifie)
        assert manque.code == "somme_absente" and "250,00" in manque.phrase
    papier = lettre(FORMALISATION, client=ex.HOTELIERE, canal=Canal.LETTRE)
    assert controles.manques(papier) == []
    reecrit = replace(papier, textes={"suites": ajout})
    assert [m.code for m in controles.manques(reecrit)] == ["somme_absente"]
    modele = replace(papier, modeles={"lettre": {"suites": ajout}})
    assert "somme_absente" in [m.code for m in controles_modele._du_droit(modele, "lettre")]


CONSOMMATEUR = [
    ("Le coût de la présente relance, 12,00 €, est à votre charge.", "frais"),
    ("Le coût de la présente relance (12.50 €) est à votre charge.", "frais"),
    ("Ces frais vous seront facturés.", "frais"),
    ("250,00 € au titre d'un dédommagement", "frais"),
    ("des dommages et intérêts", "frais"),
    ("The cost of this reminder will be charged to you.", "frais"),
]
TOUS = [
    ("Votre nom sera affiché dans notre magasin.", "tiers"),
    ("Nous afficherons votre nom.", "tiers"),
    ("Your name will be displayed in our shop.", "tiers"),
    ("Nous bloquerons votre compte bancaire.", "saisie"),
    ("Votre compte bancaire pourra être bloqué.", "saisie"),
    ("We will freeze your bank account.", "saisie"),
    ("Vos biens pourront être vendus aux enchères.", "saisie"),
    ("Your goods may be sold at auction.", "saisie"),
    ("Vous serez fiché à la Banque de France.", "fichage"),
    ("Nous vous signalerons à la Banque de France.", "fichage"),
    ("Le contentieux sera automatique.", "suite_automatique"),
    ("La saisine du tribunal est automatique.", "suite_automatique"),
    ("Le délai de 8 jours prévu par la loi court.", "delai_legal"),
    ("within the 8 days prescribed by law", "delai_legal"),
    ("Dernière sommation avant poursuites", "imitation"),
    ("Nous informerons vos clients et la presse.", "tiers"),
    ("Nous demanderons l'ouverture de votre redressement judiciaire.", "suite_certaine"),
    ("Sachez que nous savons où vous habitez.", "menace_penale"),
]
PERMIS = [
    "Aucuns frais ne vous seront facturés.",
    "Ces frais ne sont pas à votre charge.",
    "Sans aucun dédommagement de notre part.",
    "Le coût de la pose, prévu au devis, est à votre charge.",
    "Votre dossier affiche un solde de zéro.",
    "Votre fiche client est à jour.",
    "Votre compte client est bloqué.",
    "Le passage au contentieux n'est jamais automatique.",
    "Le délai de paiement de 30 jours prévu par la loi est passé.",
    "Facture de la vente aux enchères du 3 mars.",
    "Nous informerons notre service client ; dites-nous où vous livrer.",
]


@pytest.mark.parametrize(("texte", "code"), [*CONSOMMATEUR, *TOUS])
def test_les_menaces_et_les_frais_qui_passaient_sont_refuses(texte, code):
    """droit.md § 4 et § 6 ; CPCEx, art. L111-8."""
    for debiteur in ("particulier", "a_qualifier"):
        assert code in [m.code for m in controles.controler_texte(texte, debiteur)]
    if (texte, code) in TOUS:
        assert code in [m.code for m in controles.controler_texte(texte, "entreprise")]


@pytest.mark.parametrize("texte", PERMIS)
def test_une_tournure_voisine_se_dit(texte):
    assert list(interdits.trouver(texte, "particulier")) == []
