"""Le récapitulatif du matin : une personne, un jour, un courriel au plus ; rien à dire, rien n'est envoyé.

La ligne `Recap` se prend d'abord (unique par personne et par jour), l'identifiant s'écrit avant la remise : un
processus tué laisse un sort inconnu, jamais rejoué. Texte seul, sans suivi.
"""

import logging
import secrets
from datetime import date, datetime, time, timedelta

from django.conf import settings
from django.core.mail import EmailMessage
from django.db import IntegrityError, transaction
from django.utils import timezone, translation

from clients.models import Client
from factures.domaine.calendrier import est_ouvre
from recouvrement.commun.courriel import EnvoiIncertain, EnvoiRefuse, remettre
from recouvrement.comptes.models import Absence, Recap, Utilisateur
from relances.services.adresses import identifiant
from relances.services.confier import refermer_les_affaires_finies

from . import alertes, journee, recap_texte

log = logging.getLogger(__name__)
S = Recap.Statut
DES, JUSQU_A = time(7), time(18)  # au-delà, la journée est faite : mieux vaut se taire


def dus(moment: datetime) -> list[int]:
    """Personnes à qui dire leur journée, à l'heure locale `moment` : de 7 h à 18 h un jour ouvré, une fois.

    Ni qui l'a coupé, ni un absent (son remplaçant l'a dans le sien), ni qui n'a de rôle nulle part.
    """
    jour = moment.date()
    if not (DES <= moment.time() < JUSQU_A and est_ouvre(jour)):
        return []
    faits = Recap.objects.filter(jour=jour).exclude(statut=S.EN_ERREUR, message_id="").values("utilisateur")
    absents = Absence.objects.en_cours(jour).values("utilisateur")
    personnes = Utilisateur.objects.filter(is_active=True, recap_quotidien=True, affectations__isnull=False)
    restent = personnes.exclude(pk__in=faits).exclude(pk__in=absents)
    return list(restent.distinct().order_by("pk").values_list("pk", flat=True))


def chaque_matin(moment: datetime) -> list[int]:
    """Ce que le tic fait avant d'écrire : affaires finies refermées, envois interrompus dits. Rend les dus."""
    refermer_les_affaires_finies(au=moment.date())
    reprendre_les_interrompus()
    return dus(moment)


def envoyer(utilisateur_id: int, *, au: date) -> str:
    """Prend, compose et remet le récapitulatif du jour ; rend son statut. Ne lève pas pour un courriel refusé."""
    recap = _prendre(utilisateur_id, au)
    if recap is None:
        return Recap.objects.values_list("statut", flat=True).get(utilisateur=utilisateur_id, jour=au)
    personne = recap.utilisateur
    try:
        with translation.override(personne.langue):
            courriel = _composer(recap, personne, au=au)
    except Exception as erreur:  # rien n'est parti : le tic suivant réessaiera
        log.exception("récapitulatif de %s : composition impossible", utilisateur_id)
        return _poser(recap, S.EN_ERREUR, erreur=f"{type(erreur).__name__} {erreur}")
    if courriel is None:
        return _poser(recap, S.RIEN)
    cle = courriel.extra_headers["Message-ID"]
    if not Recap.objects.filter(pk=recap.pk, statut=S.EN_COURS).update(message_id=cle, alertes=recap.alertes):
        return Recap.objects.values_list("statut", flat=True).get(pk=recap.pk)
    try:
        remise = remettre(courriel)
    except EnvoiRefuse as refus:
        # Passager : l'identifiant vidé dit au tic que rien n'est parti et qu'il peut réessayer.
        return _poser(recap, S.EN_ERREUR, erreur=str(refus), message_id="" if refus.passager else cle)
    except EnvoiIncertain as doute:
        return _poser(recap, S.INCERTAIN, erreur=str(doute))
    return _poser(recap, S.ENVOYE, message_id=remise.message_id[:250])


def _prendre(utilisateur_id: int, au: date) -> Recap | None:
    """La ligne du jour, à nous seuls ; None si un autre l'a prise ou si elle est faite."""
    try:
        with transaction.atomic():
            recap = Recap.objects.create(utilisateur_id=utilisateur_id, jour=au, statut=S.EN_COURS)
    except IntegrityError:
        reprises = Recap.objects.filter(utilisateur=utilisateur_id, jour=au, statut=S.EN_ERREUR, message_id="")
        if not reprises.update(statut=S.EN_COURS, erreur="", created_at=timezone.now()):
            return None
        recap = Recap.objects.get(utilisateur=utilisateur_id, jour=au)
    return Recap.objects.select_related("utilisateur").get(pk=recap.pk)


def _composer(recap: Recap, personne: Utilisateur, *, au: date) -> EmailMessage | None:
    """Le courriel, ou None s'il n'y a rien à dire ; pose sur `recap` les alertes qui durent."""
    visibles = Client.objects.visibles_pour(personne)
    clients, _de = journee.perimetre(visibles, personne, "moi")
    lignes = journee.lignes(clients, au=au, user=personne, visibles=visibles)
    toutes = alertes.franchies(personne, au=au)
    recap.alertes = {str(pk): [a.genre for a in ici] for pk, ici in toutes.items()}
    neuves = alertes.neuves(toutes, _dernieres_alertes(recap))
    if not lignes and not neuves:
        Recap.objects.filter(pk=recap.pk, statut=S.EN_COURS).update(alertes=recap.alertes)
        return None
    objet, corps = recap_texte.ecrire(personne, lignes=lignes, alertes=neuves, au=au)
    return EmailMessage(
        subject=objet, body=corps, from_email=settings.DEFAULT_FROM_EMAIL, to=[personne.courriel],
        headers={"Message-ID": identifiant(secrets.token_urlsafe(18)), "Auto-Submitted": "auto-generated"},
    )  # fmt: skip


def _dernieres_alertes(recap: Recap) -> dict:
    """Ce que la personne sait déjà : les alertes du dernier récapitulatif qui lui est parvenu."""
    su = Recap.objects.filter(utilisateur=recap.utilisateur_id, jour__lt=recap.jour, statut__in=(S.ENVOYE, S.RIEN))
    return su.order_by("-jour").values_list("alertes", flat=True).first() or {}


def _poser(recap: Recap, statut: str, *, erreur: str = "", **champs) -> str:
    if Recap.objects.filter(pk=recap.pk, statut=S.EN_COURS).update(statut=statut, erreur=erreur[:250], **champs):
        return statut
    return Recap.objects.values_list("statut", flat=True).get(pk=recap.pk)


def reprendre_les_interrompus() -> int:
    """Restés « en cours » au-delà du bail : remise commencée, sort inconnu ; sinon, à refaire."""
    limite = timezone.now() - timedelta(seconds=settings.BAIL_ENVOI_SECONDES)
    interrompus = Recap.objects.filter(statut=S.EN_COURS, created_at__lt=limite)
    a_refaire = interrompus.filter(message_id="").update(statut=S.EN_ERREUR, erreur="interrompu avant la remise")
    return a_refaire + interrompus.update(statut=S.INCERTAIN, erreur="interrompu pendant la remise")
