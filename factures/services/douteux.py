"""Passer une facture en douteux, ou l'en reprendre : la personne décide et dit l'événement (CGI, art. 39-1-5°)."""

from datetime import date
from decimal import Decimal

from django.core.exceptions import ValidationError
from django.db import IntegrityError, transaction
from django.utils.translation import gettext as _

from recouvrement.journal.services import consigner

from ..models import Douteux, Facture


def passer(facture: Facture, *, le: date, taux: Decimal, motif: str, au: date, acteur) -> Douteux:
    """416 pour le TTC dû ce jour-là, et la dépréciation de `taux` pour cent du HT. Déjà douteuse : rend l'existant.

    Lève ValidationError : motif vide, jour à venir ou d'avant la facture, facture soldée.
    """
    motif = motif.strip()
    if not motif:
        raise ValidationError({"motif": _("Dites l'événement : un simple retard ne rend pas la perte probable.")})
    if le > au:
        raise ValidationError({"le": _("Une créance ne devient pas douteuse un jour à venir.")})
    if le < facture.date_emission:
        raise ValidationError({"le": _("La facture n'existait pas ce jour-là.")})
    if not facture.echeances.ouvertes().exists():
        raise ValidationError(_("%(piece)s est soldée : rien n'en est douteux.") % {"piece": facture})
    try:
        with transaction.atomic():
            douteux = Douteux.objects.create(facture=facture, passe_le=le, taux=taux, motif=motif[:250], auteur=acteur)
            consigner(
                "facture.douteuse", societe=facture.societe, acteur=acteur, objet=douteux, client=facture.client_id,
                texte=f"{facture} : {motif}", donnees={"le": le, "taux": taux},
            )  # fmt: skip
    except IntegrityError:
        deja = Douteux.objects.en_cours().filter(facture=facture).first()
        if deja is None:
            raise
        return deja
    return douteux


@transaction.atomic
def reprendre(douteux: Douteux, *, le: date, au: date, acteur) -> bool:
    """La créance n'est plus douteuse ; faux si elle était déjà reprise. Lève ValidationError : jour impossible."""
    if not douteux.passe_le <= le <= au:
        raise ValidationError({"le": _("La reprise suit le passage en douteux, et ne se date pas à venir.")})
    if not Douteux.objects.filter(pk=douteux.pk, repris_le=None).update(repris_le=le):
        return False
    facture = Facture.objects.select_related("societe").get(pk=douteux.facture_id)
    consigner(
        "facture.reprise_douteux", societe=facture.societe, acteur=acteur, objet=douteux, client=facture.client_id,
        texte=f"{facture}", donnees={"le": le},
    )  # fmt: skip
    return True
