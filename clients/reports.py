"""Mettre un client de côté dans Ma journée jusqu'à un jour, avec sa raison ; rien ne s'arrête pour autant.

Ce n'est pas une suspension : l'échelle continue. Un délai légal ou un envoi au sort inconnu reste montré.
"""

from datetime import date, timedelta

from django.core.exceptions import ValidationError
from django.db import transaction
from django.utils import timezone
from django.utils.translation import gettext as _

from recouvrement.commun import formats
from recouvrement.journal.services import consigner

from .models import Client, Report

REPORT_MAX = timedelta(days=90)  # au-delà, le client est oublié plutôt que reporté


@transaction.atomic
def mettre_de_cote(client: Client, *, jusqu_au: date, motif: str, acteur, le: date) -> Report:
    """Cache le client de la journée jusqu'au jour `jusqu_au`, où il revient. `le` : jour du geste.

    Redire le même report le rend ; un autre le remplace. Lève ValidationError : jour passé, à plus de 90 jours, motif
    vide.
    """
    motif = motif.strip()[:200]
    if jusqu_au <= le:
        raise ValidationError({"au": _("Reportez à un jour à venir.")})
    if jusqu_au > le + REPORT_MAX:
        raise ValidationError({"au": _("Un report dure 90 jours au plus.")})
    if not motif:
        raise ValidationError({"motif": _("Dites pourquoi cela peut attendre.")})
    client = Client.objects.select_for_update(no_key=True, of=("self",)).select_related("societe").get(pk=client.pk)
    ancien = Report.objects.filter(client=client, annule_le=None).first()
    if ancien and (ancien.jusqu_au, ancien.motif) == (jusqu_au, motif):
        return ancien
    if ancien:  # échu ou remplacé : la base n'en veut qu'un de vivant
        Report.objects.filter(pk=ancien.pk).update(annule_le=timezone.now())
    report = Report.objects.create(client=client, auteur=acteur, motif=motif, du=le, jusqu_au=jusqu_au)
    consigner(
        "client.mis_de_cote", societe=client.societe, acteur=acteur, objet=report, client=client, texte=motif,
        donnees={"jusqu_au": jusqu_au},
    )  # fmt: skip
    return report


@transaction.atomic
def reprendre(report: Report, *, acteur) -> bool:
    """Défait un report ; faux s'il l'était déjà."""
    if not Report.objects.filter(pk=report.pk, annule_le=None).update(annule_le=timezone.now()):
        return False
    consigner(
        "client.repris", societe=report.client.societe, acteur=acteur, objet=report, client=report.client,
        texte=_("prévu le %(jour)s : %(motif)s") % {"jour": formats.jour(report.jusqu_au), "motif": report.motif},
    )  # fmt: skip
    return True
