"""Renoncer aux accessoires d'une facture : une décision au cas par cas, motivée, tracée, qui s'annule (droit.md § 9).

Une clause générale d'exclusion serait contraire à l'ordre public (C. com., art. L441-10, II) : rien ici ne renonce
pour tout un compte.
"""

from datetime import date
from decimal import Decimal

from django.core.exceptions import ValidationError
from django.db import transaction
from django.utils import timezone
from django.utils.translation import gettext as _

from clients.models import TypeDebiteur
from recouvrement.commun.formats import somme
from recouvrement.comptes.droits import Droit, peut
from recouvrement.journal.services import consigner

from .. import decompte
from ..models import Facture, Renonciation
from .taux import bareme

Portee = Renonciation.Portee


@transaction.atomic
def renoncer(facture: Facture, *, portee: str, motif: str, le: date, acteur) -> Renonciation:
    """Renonce aux pénalités de la facture, à ses 40 €, ou aux deux, à compter du jour `le`.

    Redire la même décision (double clic) rend celle qui est prise. Lève ValidationError : motif vide, portée
    inconnue, débiteur qui n'en doit pas, autre renonciation en vigueur, à annuler d'abord, ou somme qui demande un
    responsable (au-delà du seuil de la société).
    """
    motif = motif.strip()
    if not motif:
        raise ValidationError({"motif": _("Dites pourquoi : la renonciation se relit des années plus tard.")})
    if portee not in Renonciation.Portee.values:
        raise ValidationError({"portee": _("Choisissez ce à quoi l'on renonce.")})
    facture = (
        Facture.objects.select_for_update(no_key=True, of=("self",))
        .select_related("client__societe")
        .get(pk=facture.pk)
    )
    if facture.client.type == TypeDebiteur.PARTICULIER and portee != Renonciation.Portee.PENALITES:
        raise ValidationError({"portee": _("Un consommateur ne doit aucune indemnité : il n'y a rien à abandonner.")})
    prise = facture.renonciations.en_vigueur().first()
    if prise is not None:
        if (prise.portee, prise.motif) == (portee, motif):
            return prise
        raise ValidationError(_("Une renonciation est déjà en vigueur sur cette facture : annulez-la d'abord."))
    _exiger_un_responsable(facture, portee, au=le, acteur=acteur)
    renonciation = Renonciation(facture=facture, portee=portee, motif=motif, le=le, auteur=acteur)
    renonciation.full_clean(validate_unique=False, validate_constraints=False)
    renonciation.save(force_insert=True)
    consigner(
        "facture.renonciation",
        societe=facture.client.societe,
        acteur=acteur,
        objet=facture,
        client=facture.client,
        texte=f"{facture} : {renonciation.get_portee_display()} – {motif}",
        donnees={"renonciation": renonciation.pk, "portee": portee, "motif": motif, "le": le},
    )
    return renonciation


def accessoires(facture: Facture, portee: str, *, au: date) -> Decimal:
    """Ce que la facture doit de cette portée au jour dit, dans sa devise ; zéro si rien ne s'en calcule encore."""
    lignes = decompte.calculer(facture.client, facture.echeances.select_related("facture"), au=au, bareme=bareme())
    calculs = [x.calcul for x in lignes if x.calcul]
    interets = sum((c.interets_restants for c in calculs), Decimal(0))
    indemnite = sum((c.indemnite for c in calculs), Decimal(0))
    sommes = {Portee.PENALITES: interets, Portee.INDEMNITE: indemnite, Portee.TOUT: interets + indemnite}
    return sommes[Portee(portee)]


def _exiger_un_responsable(facture: Facture, portee: str, *, au: date, acteur) -> None:
    societe = facture.client.societe
    seuil = societe.seuil_deux_personnes
    if seuil is None or peut(acteur, Droit.VALIDER_PLAFOND, societe):
        return
    montant = accessoires(facture, portee, au=au)
    if montant > seuil:
        raise ValidationError(
            _("%(somme)s d'accessoires : au-delà de %(seuil)s, un responsable doit y renoncer.")
            % {"somme": somme(montant, facture.devise), "seuil": somme(seuil, "EUR")}
        )


@transaction.atomic
def annuler_renonciation(renonciation: Renonciation, *, acteur) -> bool:
    """Y revient : les accessoires sont de nouveau réclamés ; faux si c'était déjà fait (double clic).

    Une renonciation acceptée par le débiteur ne se reprend pas sans lui : à la personne d'en juger.
    """
    renonciation = (
        Renonciation.objects.select_for_update(no_key=True, of=("self",))
        .select_related("facture__client__societe")
        .get(pk=renonciation.pk)
    )
    if renonciation.annulee_le:
        return False
    renonciation.annulee_le = timezone.now()
    renonciation.save(update_fields=["annulee_le"])
    facture = renonciation.facture
    consigner(
        "facture.renonciation_annulee",
        societe=facture.client.societe,
        acteur=acteur,
        objet=facture,
        client=facture.client,
        texte=f"{facture} : {renonciation.get_portee_display()}",
        donnees={"renonciation": renonciation.pk, "portee": renonciation.portee},
    )
    return True
