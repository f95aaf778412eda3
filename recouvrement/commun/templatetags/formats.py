"""Filtres d'écriture des nombres et des dates : `{% load formats %}`."""

from django import template

from recouvrement.commun import formats
from recouvrement.commun.domaine import ecriture

register = template.Library()

register.filter("montant", formats.montant)
register.filter("nombre", formats.nombre)
register.filter("pourcent", formats.pourcent)
register.filter("jour", formats.jour)
register.filter("jour_court", formats.jour_court)
register.filter("jour_long", formats.jour_long)
register.filter("instant", formats.instant)
register.filter("retard", formats.retard)
register.filter("initiales", formats.initiales)
register.filter("siren", ecriture.siren)


@register.filter
def minuscule(texte):
    """« Recommandé AR » → « recommandé AR » : la première lettre seule, les sigles restent."""
    return str(texte)[:1].lower() + str(texte)[1:]


@register.filter
def somme(valeur, devise="EUR"):
    """`{{ total|somme }}` ou `{{ total|somme:courrier.devise }}` : montant avec sa devise."""
    return formats.somme(valeur, devise)


@register.filter
def montant_plein(valeur):
    """Comme `montant`, mais zéro s'écrit 0,00 : pour une somme qu'on affirme nulle."""
    return formats.montant(valeur, zero=formats.nombre(0, 2))


@register.filter
def brut(valeur):
    """Decimal à point, pour un attribut lu par le script : `data-montant="{{ reste|brut }}"`."""
    return "" if valeur is None else str(valeur)


@register.filter
def taux(valeur):
    """Taux en pour cent, deux décimales, sans le signe : une colonne de taux ; vide si inconnu."""
    return "" if valeur is None else formats.nombre(valeur, 2)
