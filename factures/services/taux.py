"""Taux relevés par une personne : ajoutés avec leur source, jamais corrigés en silence ni extrapolés."""

from datetime import date
from decimal import Decimal

from django.core.exceptions import ValidationError
from django.db import transaction
from django.utils.translation import gettext as _

from recouvrement.journal.services import consigner

from ..domaine.bareme import Bareme, bornes
from ..models import SemestreConnu, TauxBCE, TauxLegal

_dernier: tuple[tuple, Bareme] | None = None


def bareme() -> Bareme:
    """Barème de la base. Tant que les tables ne changent pas, toujours le même objet : il sert de clé de mémoire."""
    global _dernier
    lignes = (
        tuple(TauxBCE.objects.order_by("date_effet").values_list("date_effet", "taux")),
        tuple(TauxLegal.objects.order_by("semestre").values_list("semestre", "autres")),
        tuple(SemestreConnu.objects.order_by("semestre").values_list("semestre", "refi")),
    )
    if _dernier is None or _dernier[0] != lignes:
        _dernier = (lignes, Bareme(*lignes))
    return _dernier[1]


@transaction.atomic
def ajouter_semestre(
    semestre: str,
    *,
    source: str,
    acteur,
    refi: Decimal | None = None,
    effet_bce: date | None = None,
    particuliers: Decimal | None = None,
    autres: Decimal | None = None,
) -> None:
    """Ajoute les taux d'un semestre : celui de la BCE au premier jour, le taux légal, ou les deux.

    refi : opérations principales de refinancement, en pour cent, au 1er janvier ou au 1er juillet.
    effet_bce : date d'effet de la décision, quand ce taux n'est pas encore dans l'histoire.
    Redire un taux connu ne change rien. Lève ValidationError : semestre illisible, source absente, taux déjà
    relevé autrement, ou contredit par l'histoire des décisions.
    """
    try:
        premier_jour, _dernier_jour = bornes(semestre)
    except ValueError:
        raise ValidationError({"semestre": _("Écrivez le semestre comme 2027-S1 ou 2027-S2.")}) from None
    source = source.strip()
    if not source:
        raise ValidationError({"source": _("Dites où ce taux a été lu : arrêté, page et date.")})
    if refi is None and autres is None:
        raise ValidationError(_("Indiquez le taux de la BCE, le taux légal, ou les deux."))
    if (particuliers is None) != (autres is None):
        raise ValidationError(_("Un arrêté fixe les deux taux légaux : indiquez-les ensemble."))
    if any(taux is not None and taux < 0 for taux in (refi, particuliers, autres)):
        raise ValidationError(_("Un taux ne peut pas être négatif."))
    ajoutes = {}
    if refi is not None:
        if effet_bce is not None:
            if effet_bce > premier_jour:
                raise ValidationError({"effet_bce": _("Cette décision prend effet après le premier jour du semestre.")})
            ajoutes |= _poser(TauxBCE, {"date_effet": effet_bce}, {"taux": refi}, source)
        ajoutes |= _poser(SemestreConnu, {"semestre": semestre}, {"refi": refi}, source)
    if autres is not None:
        ajoutes |= _poser(TauxLegal, {"semestre": semestre}, {"particuliers": particuliers, "autres": autres}, source)
    try:
        bareme()
    except ValueError as erreur:
        raise ValidationError(
            _("Ce taux contredit l'histoire des décisions de la BCE : %(detail)s. Indiquez la date d'effet.")
            % {"detail": erreur}
        ) from erreur
    if ajoutes:
        consigner(
            "taux.ajoute", acteur=acteur, texte=f"{semestre} : {source}", donnees={"semestre": semestre, **ajoutes}
        )


def _poser(modele, cle: dict, valeurs: dict, source: str) -> dict:
    """Crée la ligne ; vide si elle y est déjà avec les mêmes valeurs."""
    ligne, creee = modele.objects.get_or_create(**cle, defaults={**valeurs, "source": source[:250]})
    if creee:
        return {modele.__name__: {nom: str(valeur) for nom, valeur in valeurs.items()}}
    if any(getattr(ligne, nom) != valeur for nom, valeur in valeurs.items()):
        raise ValidationError(_("%(ligne)s est déjà relevé avec une autre valeur.") % {"ligne": ligne})
    return {}
