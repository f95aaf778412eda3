"""Taux relevés par une personne : ajoutés avec leur source, jamais corrigés en silence ni extrapolés."""

from datetime import date, timedelta
from decimal import Decimal

from django.core.exceptions import ValidationError
from django.db import transaction
from django.utils.translation import gettext as _

from recouvrement.commun.formats import jour_long, pourcent
from recouvrement.journal.services import consigner

from ..domaine.bareme import Bareme, bornes
from ..models import SemestreConnu, TauxBCE, TauxLegal

TAUX_MAX = Decimal(20)  # pour cent ; au-delà, une virgule est tombée
ECART_A_CONFIRMER = Decimal(2)  # points

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
    au: date,
    refi: Decimal | None = None,
    effet_bce: date | None = None,
    particuliers: Decimal | None = None,
    autres: Decimal | None = None,
    confirme: bool = False,
) -> None:
    """Ajoute les taux d'un semestre : celui de la BCE au premier jour, le taux légal, ou les deux.

    refi : opérations principales de refinancement, en pour cent, au 1er janvier ou au 1er juillet.
    au : jour de la saisie ; un taux qui n'existe pas encore ne se relève pas.
    effet_bce : date d'effet de la décision, quand ce taux n'est pas encore dans l'histoire.
    confirme : la personne a vu un écart de plus de deux points avec le dernier taux relevé.
    Redire un taux connu ne change rien. Lève ValidationError : semestre illisible, source absente, taux hors
    de 0 à 20 %, écart non confirmé, taux déjà relevé autrement, ou contredit par l'histoire des décisions.
    """
    source = source.strip()
    premier_jour = _controler(semestre, source, refi, particuliers, autres, confirme, au)
    ajoutes = {}
    if refi is not None:
        ajoutes |= _decider(effet_bce, premier_jour, refi, source)
        ajoutes |= _poser(SemestreConnu, {"semestre": semestre}, {"refi": refi}, source)
    if autres is not None:
        ajoutes |= _poser(TauxLegal, {"semestre": semestre}, {"particuliers": particuliers, "autres": autres}, source)
    _verifier_histoire()
    if ajoutes:
        consigner(
            "taux.ajoute", acteur=acteur, texte=f"{semestre} : {source}", donnees={"semestre": semestre, **ajoutes}
        )


@transaction.atomic
def corriger_semestre(
    semestre: str,
    *,
    motif: str,
    source: str,
    acteur,
    au: date,
    refi: Decimal | None = None,
    effet_bce: date | None = None,
    particuliers: Decimal | None = None,
    autres: Decimal | None = None,
    confirme: bool = False,
) -> bool:
    """Remplace les taux mal relevés d'un semestre ; l'ancien et le motif se lisent au journal. Faux si rien ne change.

    La décision de la BCE suit si ce semestre est le seul à en dépendre ; sinon `effet_bce` date la bonne.
    Lève ValidationError comme `ajouter_semestre`, et sans motif ou pour un taux jamais relevé.
    """
    motif, source = motif.strip(), source.strip()
    if not motif:
        raise ValidationError({"motif": _("Dites pourquoi ce taux est corrigé.")})
    premier_jour = _controler(semestre, source, refi, particuliers, autres, confirme, au)
    changes = {}
    if refi is not None:
        changes |= _remplacer(SemestreConnu, semestre, {"refi": refi}, source)
        if effet_bce is not None:
            changes |= _decider(effet_bce, premier_jour, refi, source)
        elif changes:
            en_vigueur = TauxBCE.objects.filter(date_effet__lte=premier_jour).order_by("-date_effet").first()
            autres_jours = (bornes(s)[0] for s in _semestres_releves() if s != semestre)
            suivante = TauxBCE.objects.filter(date_effet__gt=premier_jour).order_by("date_effet").first()
            fin = suivante.date_effet if suivante else date.max
            if en_vigueur and not any(en_vigueur.date_effet <= jour < fin for jour in autres_jours):
                en_vigueur.taux, en_vigueur.source = refi, source[:250]
                en_vigueur.save(update_fields=["taux", "source"])
    if autres is not None:
        changes |= _remplacer(TauxLegal, semestre, {"particuliers": particuliers, "autres": autres}, source)
    _verifier_histoire()
    if changes:
        consigner(
            "taux.corrige",
            acteur=acteur,
            texte=f"{semestre} : {motif}",
            donnees={"semestre": semestre, "source": source, **changes},
        )
    return bool(changes)


def _semestres_releves() -> list[str]:
    return list(SemestreConnu.objects.values_list("semestre", flat=True))


def _controler(semestre: str, source: str, refi, particuliers, autres, confirme: bool, au: date) -> date:
    """Premier jour du semestre si la saisie se tient."""
    try:
        premier_jour, _dernier_jour = bornes(semestre)
    except ValueError:
        raise ValidationError({"semestre": _("Écrivez le semestre comme 2027-S1 ou 2027-S2.")}) from None
    if not source:
        raise ValidationError({"source": _("Dites où ce taux a été lu : arrêté, page et date.")})
    if refi is None and autres is None:
        raise ValidationError(_("Indiquez le taux de la BCE, le taux légal, ou les deux."))
    _controler_jour(premier_jour, refi, autres, au)
    if (particuliers is None) != (autres is None):
        raise ValidationError(_("Un arrêté fixe les deux taux légaux : indiquez-les ensemble."))
    saisis = {"refi": refi, "particuliers": particuliers, "autres": autres}
    saisis = {nom: taux for nom, taux in saisis.items() if taux is not None}
    hors = {nom: _("Un taux va de 0 à 20 %.") for nom, taux in saisis.items() if not 0 <= taux <= TAUX_MAX}
    if hors:
        raise ValidationError(hors)
    avant = {}
    for modele in (SemestreConnu, TauxLegal):
        if precedent := modele.objects.filter(semestre__lt=semestre).order_by("-semestre").first():
            avant |= {nom: getattr(precedent, nom) for nom in saisis if hasattr(precedent, nom)}
    ecarts = [avant[nom] for nom in saisis if nom in avant and abs(saisis[nom] - avant[nom]) > ECART_A_CONFIRMER]
    if ecarts and not confirme:
        raise ValidationError(
            {
                "confirme": _(
                    "Plus de deux points d'écart avec le dernier taux relevé (%(avant)s) : relisez la source, "
                    "puis confirmez."
                )
                % {"avant": ", ".join(pourcent(taux, 2) for taux in ecarts)}
            }
        )
    return premier_jour


def _controler_jour(premier_jour: date, refi, autres, au: date) -> None:
    """Le taux de la BCE « en vigueur au premier jour » n'existe pas avant ce jour (C. com., art. L441-10) ; le taux
    légal est fixé par arrêté, publié en fin de semestre : le dernier mois le permet (C. mon. fin., art. L313-2)."""
    if refi is not None and au < premier_jour:
        raise ValidationError(
            {
                "refi": _("Le taux de la BCE en vigueur le %(jour)s n'existe pas encore : relevez-le ce jour-là.")
                % {"jour": jour_long(premier_jour)}
            }
        )
    dernier_mois = (premier_jour - timedelta(days=1)).replace(day=1)
    if autres is not None and au < dernier_mois:
        raise ValidationError(
            {
                "autres": _(
                    "Le taux légal de ce semestre n'est pas encore publié : l'arrêté paraît à partir du %(jour)s."
                )
                % {"jour": jour_long(dernier_mois)}
            }
        )


def _decider(effet_bce: date | None, premier_jour: date, refi: Decimal, source: str) -> dict:
    """Ajoute la décision de la BCE à l'histoire, si sa date est donnée."""
    if effet_bce is None:
        return {}
    if effet_bce > premier_jour:
        raise ValidationError({"effet_bce": _("Cette décision prend effet après le premier jour du semestre.")})
    return _poser(TauxBCE, {"date_effet": effet_bce}, {"taux": refi}, source)


def _verifier_histoire() -> None:
    try:
        bareme()
    except ValueError as erreur:
        raise ValidationError(
            _("Ce taux contredit l'histoire des décisions de la BCE : %(detail)s. Indiquez la date d'effet.")
            % {"detail": erreur}
        ) from erreur


def _remplacer(modele, semestre: str, valeurs: dict, source: str) -> dict:
    """Écrit les nouvelles valeurs ; rend [ancienne, nouvelle] de ce qui change."""
    ligne = modele.objects.select_for_update(no_key=True).filter(semestre=semestre).first()
    if ligne is None:
        raise ValidationError(_("%(semestre)s n'a pas encore ce taux : complétez-le.") % {"semestre": semestre})
    changes = {nom: [str(getattr(ligne, nom)), str(v)] for nom, v in valeurs.items() if getattr(ligne, nom) != v}
    for nom in changes:
        setattr(ligne, nom, valeurs[nom])
    if changes:
        ligne.source = source[:250]
        ligne.save()
    return changes


def _poser(modele, cle: dict, valeurs: dict, source: str) -> dict:
    """Crée la ligne ; vide si elle y est déjà avec les mêmes valeurs."""
    ligne, creee = modele.objects.get_or_create(**cle, defaults={**valeurs, "source": source[:250]})
    if creee:
        return {modele.__name__: {nom: str(valeur) for nom, valeur in valeurs.items()}}
    if any(getattr(ligne, nom) != valeur for nom, valeur in valeurs.items()):
        raise ValidationError(_("%(ligne)s est déjà relevé avec une autre valeur.") % {"ligne": ligne})
    return {}
