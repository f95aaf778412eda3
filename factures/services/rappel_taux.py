"""Rappeler à l'administrateur un semestre dont les taux ne sont pas relevés : un bandeau, et un seul courriel."""

import logging
from datetime import date, timedelta

from django.conf import settings
from django.core.mail import EmailMessage
from django.db import transaction
from django.utils.translation import gettext as _
from django.utils.translation import override

from recouvrement.commun.courriel import EnvoiIncertain, EnvoiRefuse, remettre
from recouvrement.commun.formats import jour as ecrire_jour
from recouvrement.comptes.models import Role, Utilisateur
from recouvrement.journal.models import Maillon
from recouvrement.journal.services import consigner

from ..domaine.bareme import Bareme, TauxManquant, bornes, fin_de_semestre, semestre
from .taux import bareme

log = logging.getLogger(__name__)
DES_LE = 15  # du dernier mois du semestre : l'arrêté suivant est attendu fin juin et fin décembre


def manque_au_semestre(calculs: Bareme, sem: str) -> str:
    """Ce qui manque à ce semestre pour calculer, en une phrase ; vide si rien."""
    try:
        calculs.refi_du_semestre(sem)
        calculs.taux_legal(sem)
    except TauxManquant as absence:
        return str(absence)
    return ""


def semestre_a_relever(calculs: Bareme, au: date) -> str:
    """Semestre en cours s'il est incomplet, sinon le prochain dès le 15 de son dernier mois ; vide sinon."""
    if manque_au_semestre(calculs, semestre(au)):
        return semestre(au)
    fin = fin_de_semestre(au)
    suivant = semestre(fin + timedelta(1))
    if au >= fin.replace(day=DES_LE) and manque_au_semestre(calculs, suivant):
        return suivant
    return ""


def phrase_de_rappel(au: date) -> str:
    """Le bandeau de l'administration ; vide si tout est relevé."""
    calculs = bareme()
    sem = semestre_a_relever(calculs, au)
    if not sem:
        return ""
    debut = bornes(sem)[0]
    if debut <= au:
        return _("Taux du %(s)s à relever : les calculs de ce semestre sont arrêtés.") % {"s": sem}
    return _("Taux du %(s)s à relever : il commence le %(j)s, et les calculs s'arrêteront ce jour-là.") % {
        "s": sem, "j": ecrire_jour(debut),
    }  # fmt: skip


def rappeler(*, au: date) -> bool:
    """Envoie le courriel du semestre à relever, une seule fois par semestre. Faux s'il n'y a rien à envoyer.

    Le maillon du journal tient lieu de verrou et de preuve. Refusé par le serveur : rien n'est écrit, le lendemain
    réessaie. Un envoi incertain n'est pas rejoué : le bandeau reste.
    """
    sem = semestre_a_relever(bareme(), au)
    if not sem or _rappels(sem).exists():
        return False
    with transaction.atomic():
        administrateurs = Utilisateur.objects.filter(is_active=True, affectations__role=Role.ADMINISTRATEUR)
        adresses = sorted(set(administrateurs.values_list("courriel", flat=True)))
        if not adresses:
            return False
        maillon = consigner("taux.rappel", texte=sem, donnees={"semestre": sem, "destinataires": len(adresses)})
        if _rappels(sem).filter(rang__lt=maillon.rang).exists():  # un autre processus vient de le faire
            transaction.set_rollback(True)
            return False
        with override(settings.LANGUAGE_CODE):
            message = EmailMessage(
                subject=_("Taux du %(s)s à relever") % {"s": sem},
                body=_("%(phrase)s\n\nÉcran Administration, Taux ; ou la commande « manage.py taux ajouter ».")
                % {"phrase": phrase_de_rappel(au)},
                bcc=adresses,
                headers={"Auto-Submitted": "auto-generated"},
            )
        try:
            remettre(message)
        except EnvoiRefuse as erreur:
            log.warning("rappel des taux non remis : %s", erreur)
            transaction.set_rollback(True)
            return False
        except EnvoiIncertain as erreur:
            log.warning("rappel des taux peut-être parti : %s", erreur)
    return True


def _rappels(sem: str):
    return Maillon.objects.filter(action="taux.rappel", detail__donnees__semestre=sem)
