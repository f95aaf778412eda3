"""Ce qu'un modèle ne peut pas dire, à l'enregistrement comme à l'envoi : le langage, puis le droit."""

import re
from collections.abc import Mapping
from dataclasses import replace

from django.utils.translation import gettext as _

from relances.domaine.natures import Canal
from relances.domaine.sms import PAR_MORCEAU, UN_SEUL, mesurer
from relances.domaine.texte_ferme import (
    GRAS_MAX,
    LIGNES_MAX,
    LONGUEUR_MAX,
    MODELE_MAX,
    Faute,
    fautes,
    remplacer,
)

from . import courriels, lettres, messages, variables
from .constats import MODELE, Manque
from .contexte import Lettre, TypeDebiteur
from .controles_textes import controler_la_lettre, manques_de_la_lettre, manques_du_texte
from .insertions import COURRIEL, LETTRE, SMS
from .livres import LIBELLES, Genre, lisible
from .moteur import VariableInconnue
from .mots import elements_manquants

OBJET_MAX = 250  # caractères d'un objet de courriel, une fois rempli
SMS_MAX = 2  # messages facturés pour un seul rappel
_VIDE = re.compile(r"\n\s*\n+")


def propre(nom: str, texte: str) -> str:
    """Un paragraphe tient d'un bloc, l'objet d'une ligne : les lignes vides en séparent deux."""
    texte = texte.replace("\r\n", "\n").replace("\r", "\n").strip()
    return " ".join(texte.split()) if nom in ("objet", "message") else _VIDE.sub("\n", texte)


def retouches(genre: Genre, textes: Mapping[str, str]) -> dict[str, str]:
    """Les seuls paragraphes qui diffèrent du texte livré : un texte laissé tel quel suit le livré."""
    livres = genre.paragraphes()
    propres = {nom: propre(nom, texte) for nom, texte in textes.items()}
    return {
        nom: texte for nom, texte in propres.items() if texte and lisible(texte) != propre(nom, livres.get(nom, ""))
    }


def refus(genre: Genre, textes: Mapping[str, str]) -> dict[str, list[str]]:
    """{paragraphe: phrases} de ce qui empêche d'enregistrer ; vide si tout est recevable."""
    livres = genre.paragraphes()
    connus = [i.nom for i in genre.insertions()]
    trouves = {nom: [_phrase(f) for f in fautes(texte, connus)[:5]] for nom, texte in textes.items()}
    for nom in textes.keys() - livres.keys():
        trouves[nom] = [_("Ce modèle n'a pas de paragraphe « %(nom)s ».") % {"nom": nom[:40]}]
    total = sum(map(len, {**livres, **textes}.values()))
    if total > MODELE_MAX:
        phrase = _("%(total)s caractères en tout : un modèle en compte %(max)s au plus.")
        trouves[max(textes, key=lambda nom: len(textes[nom]))].append(phrase % {"total": total, "max": MODELE_MAX})
    return {nom: phrases for nom, phrases in trouves.items() if phrases}


def _phrase(f: Faute) -> str:
    ou = {"extrait": f.extrait[:60], "propose": f.propose,
          "max": {"lignes": LIGNES_MAX, "grasses": GRAS_MAX}.get(f.code, LONGUEUR_MAX)}  # fmt: skip
    phrases = {
        "longueur": _("%(extrait)s caractères : un paragraphe en compte %(max)s au plus."),
        "caractere": _("Un signe invisible s'est glissé dans le texte (%(extrait)s) : effacez-le."),
        "lignes": _("%(extrait)s lignes : un paragraphe en compte %(max)s au plus."),
        "grasses": _("%(extrait)s passages en gras : un paragraphe en compte %(max)s au plus."),
        "diacritiques": _("Trop d'accents empilés sur une lettre (%(extrait)s) : effacez-les."),
        "code": _("« %(extrait)s » partirait tel quel. Pour une valeur du courrier, cliquez son nom dans la liste."),
        "html": _("« %(extrait)s » n'est pas du texte. Pour mettre en gras, écrivez **entre deux étoiles**."),
        "adresse": _("« %(extrait)s » est un lien ou une image : retirez-le. Les moyens de paiement se posent seuls."),
        "crochets": _("« %(extrait)s » : il manque un crochet. Une valeur s'écrit [[nom]]."),
        "gras": _("Un gras commence par ** et ne se termine pas : ajoutez ** à la fin."),
        "inconnue": _("« %(extrait)s » n'est pas une valeur de ce courrier : choisissez-en une dans la liste."),
    }  # fmt: skip
    phrase = phrases[f.code] % ou
    return f"{phrase} " + _("Vouliez-vous dire « [[%(propose)s]] » ?") % ou if f.propose else phrase


def manques(lettre: Lettre, support: str) -> list[Manque]:
    """Ce que le texte d'un modèle a perdu ou ne doit pas dire, une fois rempli pour cette lettre.

    Exigences 23 (sept parties), 24 (un consommateur n'entend parler ni de 40 € ni de pénalités) et 25 (mots de la mise
    en demeure).
    """
    lettre = replace(lettre, textes={})
    try:
        trouves = [*_vides(lettre, support), *_du_droit(lettre, support)]
    except VariableInconnue as inconnue:
        phrase = _("Le modèle insère « %(nom)s », qui n'existe pas : le corriger") % {"nom": inconnue.nom}
        return [Manque("variable_inconnue", phrase, MODELE)]
    return list(dict.fromkeys(trouves))


def _vides(lettre: Lettre, support: str) -> list[Manque]:
    """Une insertion sans valeur, un paragraphe sans texte : la phrase ne se lirait pas."""
    valeurs = variables.d_une_lettre(lettre, support=support)["valeurs"]
    blancs = [
        nom
        for nom, texte in lettre.modeles.get(support, {}).items()
        if not remplacer(texte, valeurs.__getitem__, gras="").strip()
    ]
    trouves = [
        Manque("insertion_vide", _("Le modèle insère « %(nom)s », que ce courrier n'a pas") % {"nom": nom}, MODELE)
        for nom in valeurs.vides
    ]
    return trouves or [
        Manque("paragraphe_vide", _("Le paragraphe « %(nom)s » serait vide") % {"nom": libelle(nom)}, MODELE)
        for nom in blancs
    ]


def _du_droit(lettre: Lettre, support: str) -> list[Manque]:
    if support == COURRIEL:
        lettre = replace(lettre, canal=Canal.COURRIEL)
        courriel = courriels.rendre(lettre)
        return [*_objet(courriel.objet), *manques_du_texte(lettre, courriel, modifie=False)]
    if support == LETTRE:
        absents = elements_manquants(lettres.texte_integral(lettre))
        sept = [
            Manque("element_manquant", _("Le texte n'a plus : %(quoi)s") % {"quoi": partie}, MODELE)
            for partie in absents
        ]
        return [*sept, *manques_de_la_lettre(lettre)]
    return _du_sms(lettre)


def _objet(objet: str) -> list[Manque]:
    if len(objet) <= OBJET_MAX:
        return []
    phrase = _("Objet de %(n)s caractères : %(max)s au plus") % {"n": len(objet), "max": OBJET_MAX}
    return [Manque("objet_long", phrase, MODELE)]


def _du_sms(lettre: Lettre) -> list[Manque]:
    texte = messages.rendre(lettre)
    longueur = mesurer(texte)
    trouves = controler_la_lettre(lettre, texte, SMS, livre=messages.rendre(replace(lettre, modeles={})))
    if longueur.hors:
        phrase = _("Un SMS n'écrit pas : %(signes)s") % {"signes": " ".join(longueur.hors[:10])}
        trouves.append(Manque("sms_alphabet", phrase, MODELE))
    if longueur.messages > SMS_MAX:
        phrase = _("%(n)s SMS pour un seul rappel : %(max)s au plus, de %(seul)s caractères puis %(suite)s") % {
            "n": longueur.messages, "max": SMS_MAX, "seul": UN_SEUL, "suite": PAR_MORCEAU,
        }  # fmt: skip
        trouves.append(Manque("sms_longueur", phrase, MODELE))
    if lettre.type_debiteur is TypeDebiteur.PARTICULIER and re.search(r"\d+,\d{2} EUR", texte):
        phrase = _("Aucune somme dans un SMS à un particulier : un tiers peut lire l'écran")
        trouves.append(Manque("sms_somme", phrase, MODELE))
    return trouves


def libelle(nom: str) -> str:
    return str(LIBELLES.get(nom, nom))
