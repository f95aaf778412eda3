"""Les textes d'une relance : ce qu'ils ne doivent pas dire, et ce qu'une réécriture leur a fait perdre.

Livré, de la société, ou réécrit par une personne, tout texte passe par `controler_texte` : l'éditeur de modèles, la
validation, l'envoi et l'impression posent la même question.
"""

from collections.abc import Iterable, Iterator, Sequence
from dataclasses import replace
from decimal import Decimal

from django.utils.translation import gettext as _

from relances.domaine.natures import Canal, Nature

from . import courriels, gabarits, interdits, lettres, relecture, sommes
from .constats import MODELE, Manque
from .contexte import Lettre, TypeDebiteur
from .courriels import Courriel
from .mots import elements_manquants, met_en_demeure


def controler_texte(
    texte: str,
    type_debiteur: TypeDebiteur,
    *,
    support: str = interdits.COURRIEL,
    sommes: Iterable[Decimal] = (),
    hotes: Sequence[str] = (),
    modele: bool = False,
) -> list[Manque]:
    """Ce qu'un texte ne doit pas dire, règle par règle ; vide s'il peut partir.

    sommes, hotes : ce que la lettre peut citer (`interdits.sommes_de`, `interdits.hotes_connus`). modele : texte à
    variables, pas encore rempli ; les accolades y sont permises, l'éditeur vérifie lui-même ses variables.
    """
    trouves = []
    for interdit, mot in interdits.trouver(texte, TypeDebiteur(type_debiteur), support=support, sommes=sommes):
        phrase = _("Le texte ne doit pas dire « %(mot)s » : %(pourquoi)s (%(source)s)") % {
            "mot": mot,
            "pourquoi": interdit.pourquoi,
            "source": interdit.source,
        }
        trouves.append(Manque(interdit.code, phrase, MODELE))
    if genre := interdits.balise(texte):
        phrase = {
            "image": _(
                "Ni image ni pixel : suivre l'ouverture demande un accord préalable (CNIL, délibération 2026-042)"
            ),
            "balise": _("Du texte seulement : aucune balise HTML dans une relance"),
        }[genre]
        trouves.append(Manque(genre, phrase, MODELE))
    if not modele and interdits.reste_de_gabarit(texte):
        trouves.append(Manque("gabarit", _("Le texte garde du code de gabarit : le débiteur le lirait"), MODELE))
    for hote in interdits.liens_inconnus(texte, hotes):
        phrase = _("Lien inconnu dans le texte : %(hote)s n'est ni la maison ni le médiateur") % {"hote": hote}
        trouves.append(Manque("lien_inconnu", phrase, MODELE))
    return trouves


def controler_la_lettre(lettre: Lettre, texte: str, support: str, *, livre: str = "") -> list[Manque]:
    """`controler_texte` pour cette lettre, et aucune somme qui n'y est pas. livre : le texte du modèle livré."""
    permises, hotes = interdits.sommes_de(lettre), interdits.hotes_connus(lettre)
    ecrit = interdits.sans_donnees(texte, lettre)
    trouves = controler_texte(ecrit, lettre.type_debiteur, support=support, sommes=permises, hotes=hotes)
    for somme in sommes.absentes(lettre, texte, livre):
        phrase = _("Le texte cite %(quoi)s, somme qui n'est pas dans la lettre : elle seule dit ce qui est réclamé") % {
            "quoi": somme
        }
        trouves.append(Manque("somme_absente", phrase, MODELE))
    return trouves


def _nue(lettre: Lettre) -> Lettre:
    """La même, sans rien de réécrit : ni le texte d'une personne, ni le modèle de la société."""
    return replace(lettre, textes={}, modeles={})


def manques_de_la_lettre(lettre: Lettre) -> Iterator[Manque]:
    """Les paragraphes d'une lettre, et ce que leur réécriture aurait perdu (exigences 23, 25 et 29)."""
    connus = lettres.paragraphes(lettre)
    complet = "Objet : " + "\n\n".join(connus.values())
    livre = "\n\n".join(lettres.paragraphes(_nue(lettre)).values()) if lettre.textes or lettre.modeles else complet
    yield from controler_la_lettre(lettre, complet, interdits.LETTRE, livre=livre)
    if lettre.nature == Nature.MISE_EN_DEMEURE and not met_en_demeure(complet):
        yield Manque("mention", _("Le texte ne met plus en demeure : en garder les mots"), MODELE)
    if lettre.nature == Nature.MISE_EN_DEMEURE and not relecture.dit_la_date_limite(lettre, complet):
        yield Manque("date_absente", _("La mise en demeure ne dit plus sa date limite : la remettre"), MODELE)
    if lettre.nature == Nature.MISE_EN_DEMEURE and not relecture.dit_le_total(lettre, complet):
        yield Manque("total_absent", _("La mise en demeure ne dit plus la somme réclamée : la remettre"), MODELE)
    if not lettre.textes:
        return
    for nom in lettre.textes:
        if nom not in connus:
            yield Manque("paragraphe", _("Paragraphe inconnu du modèle : %(nom)s") % {"nom": nom}, MODELE)
    modele = lettres.paragraphes(replace(lettre, textes={}))
    for nom, texte in lettre.textes.items():
        yield from _perimes(lettre, modele.get(nom, ""), texte)


def _perimes(lettre: Lettre, modele: str, texte: str) -> Iterator[Manque]:
    for attendu in relecture.perimes(lettre, modele, texte):
        phrase = _("Le texte réécrit ne cite plus %(quoi)s : le reprendre") % {"quoi": attendu}
        yield Manque("texte_perime", phrase, MODELE)
    for numero in relecture.absentes(lettre, texte):
        phrase = _("Le texte réécrit cite %(quoi)s, qui n'est pas dans la lettre : le reprendre") % {"quoi": numero}
        yield Manque("facture_absente", phrase, MODELE)


def manques_du_texte(lettre: Lettre, courriel: Courriel, *, modifie: bool = True) -> list[Manque]:
    """Ce qu'un courriel a perdu, ou ne doit pas dire (exigences 23 et 29).

    modifie : une personne l'a réécrit ; ses sommes, sa date et ses factures peuvent avoir vieilli.
    """
    trouves = [
        Manque("element_manquant", _("Le texte n'a plus : %(quoi)s") % {"quoi": partie}, MODELE)
        for partie in elements_manquants(courriel.integral)
    ]
    livre = ""
    if gabarits.courriel_existe(lettre):
        livre = courriels.rendre(replace(_nue(lettre), canal=Canal.COURRIEL)).integral
    trouves += controler_la_lettre(lettre, courriel.integral, interdits.COURRIEL, livre=livre)
    if modifie:
        modele = Courriel(objet="", texte="")
        if gabarits.courriel_existe(lettre):
            modele = courriels.rendre(replace(lettre, canal=Canal.COURRIEL, textes={}))
        trouves += _perimes(lettre, modele.objet, courriel.objet)
        trouves += _perimes(lettre, modele.texte, courriel.texte)
    return list(dict.fromkeys(trouves))
