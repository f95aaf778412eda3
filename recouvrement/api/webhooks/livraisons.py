"""La boîte d'envoi : lire le journal, en faire des livraisons, les remettre dans l'ordre, reprendre, abandonner.

Le journal est écrit dans la transaction du geste : ce qui est validé y est, dans l'ordre, et rien d'autre. Une
livraison peut être refaite (mort après la réponse), jamais perdue ; son identifiant ne change pas. Un récepteur tombé
retient les suivantes, dans l'ordre ; un événement qu'il refuse (4xx) repasse seul plus tard.
"""

import logging
import random
import time
from datetime import datetime, timedelta

from django.conf import settings
from django.core.mail import EmailMessage
from django.db import transaction
from django.db.models import Count, Max, Q
from django.utils import timezone
from django.utils.translation import gettext as _
from django.utils.translation import override

from recouvrement.api.models import AbonnementWebhook, Livraison
from recouvrement.commun.courriel import EnvoiIncertain, EnvoiRefuse, remettre
from recouvrement.comptes.models import Role, Utilisateur
from recouvrement.journal.models import Maillon

from .evenements import actions_de, traduire
from .remise import Issue
from .remise import remettre as poster

log = logging.getLogger(__name__)
S = Livraison.Statut
PAGE = 500  # maillons lus à la fois
SUITE = 200  # livraisons d'un abonné dans une même tâche
BUDGET = 45  # secondes d'une même tâche


# --- Lire le journal -------------------------------------------------------------------------------


def lire_le_journal() -> int:
    """Traduit en livraisons ce que chaque abonné actif n'a pas encore lu ; renvoie combien sont nées."""
    nees = 0
    for pk in AbonnementWebhook.objects.filter(actif=True).order_by("pk").values_list("pk", flat=True):
        nees += lire_pour(pk)
    return nees


def lire_pour(abonnement_id: int) -> int:
    """Livraisons nées pour cet abonné. Rejouée ou tuée, aucune ne manque ni ne double (rang lu, clé unique)."""
    nees = 0
    while True:
        with transaction.atomic():
            abonnement = (
                AbonnementWebhook.objects.select_for_update(no_key=True, of=("self",)).select_related("societe")
                .filter(pk=abonnement_id, actif=True).first()
            )  # fmt: skip
            if abonnement is None:
                return nees
            # Le journal s'écrit sous verrou : un rang visible suppose tous ceux d'avant. Lu d'abord, il borne la page.
            dernier = Maillon.objects.aggregate(n=Max("rang"))["n"] or 0
            page = list(
                Maillon.objects.filter(
                    societe=abonnement.societe_id, rang__gt=abonnement.rang_lu, rang__lte=dernier,
                    action__in=actions_de(abonnement.evenements),
                ).select_related("detail").order_by("rang")[:PAGE]
            )  # fmt: skip
            nees += _creer(abonnement, page)
            pleine = len(page) == PAGE
            lu = page[-1].rang if pleine else max(dernier, abonnement.rang_lu)
            AbonnementWebhook.objects.filter(pk=abonnement.pk).update(rang_lu=lu)
        if not pleine:
            return nees


def _creer(abonnement: AbonnementWebhook, page: list[Maillon]) -> int:
    evenements = traduire(page)
    deja = set(abonnement.livraisons.filter(cle__in=[e.cle for e in evenements]).values_list("cle", flat=True))
    maintenant = timezone.now()
    nouvelles = [
        Livraison(
            abonnement=abonnement, identifiant=e.identifiant(abonnement.pk), cle=e.cle, evenement=e.type,
            corps=e.corps(abonnement.pk, abonnement.societe), prochaine_le=maintenant,
        )
        for e in evenements if e.cle not in deja
    ]  # fmt: skip
    Livraison.objects.bulk_create(nouvelles, ignore_conflicts=True)
    return len(nouvelles)


# --- Livrer ----------------------------------------------------------------------------------------


def abonnes_a_servir(moment: datetime) -> list[int]:
    """Abonnés actifs qui ont une livraison due, ou en vol depuis plus que le bail."""
    perdues = Q(livraisons__statut=S.EN_COURS, livraisons__prise_le__lt=_limite(moment))
    dues = Q(livraisons__statut=S.A_LIVRER, livraisons__prochaine_le__lte=moment)
    actifs = AbonnementWebhook.objects.filter(dues | perdues, actif=True)
    return list(actifs.order_by("pk").values_list("pk", flat=True).distinct())


def _limite(moment: datetime) -> datetime:
    return moment - timedelta(seconds=settings.BAIL_WEBHOOK_SECONDES)


def livrer(abonnement_id: int) -> int:
    """Remet à un abonné ce qui lui est dû, dans l'ordre ; renvoie combien de tentatives."""
    debut, n = time.monotonic(), 0
    while n < SUITE and time.monotonic() - debut < BUDGET:
        livraison = prendre(abonnement_id)
        if livraison is None:
            return n
        tenter(livraison)
        n += 1
    return n


def prendre(abonnement_id: int) -> Livraison | None:
    """La prochaine livraison à tenter, prise sous bail. None : rien de dû, déjà servi, ou récepteur en panne.

    La prise compte la tentative : un processus tué pendant l'envoi ne reprend pas sans fin.
    """
    with transaction.atomic():
        abonnement = AbonnementWebhook.objects.select_for_update(no_key=True).filter(pk=abonnement_id).first()
        if abonnement is None or not abonnement.actif:
            return None
        moment = timezone.now()
        en_vol = abonnement.livraisons.filter(statut=S.EN_COURS)
        en_vol.filter(prise_le__lt=_limite(moment)).update(statut=S.A_LIVRER, prochaine_le=moment)
        if en_vol.exists():
            return None
        attendent = abonnement.livraisons.filter(statut=S.A_LIVRER)
        tombe = Q(reponse=None) | Q(reponse__gte=500) | Q(reponse__in=(408, 425, 429))
        if attendent.filter(tombe, tentatives__gt=0, prochaine_le__gt=moment).exists():
            return None  # le récepteur est tombé : tout attend sa prochaine tentative
        livraison = attendent.filter(prochaine_le__lte=moment).order_by("pk").first()
        if livraison is None:
            return None
        livraison.statut, livraison.prise_le = S.EN_COURS, moment
        livraison.tentatives += 1
        livraison.save(update_fields=["statut", "prise_le", "tentatives"])
    livraison.abonnement = abonnement
    return livraison


def tenter(livraison: Livraison) -> Issue:
    """Une tentative, et ce qu'elle décide. La livraison est prise ; rien ne s'écrit si le bail est passé à un autre."""
    abonnement = livraison.abonnement
    if not abonnement.secret:
        issue = Issue(None, _("La clé de signature ne se déchiffre plus : renouvelez-la."))
    else:
        issue = poster(
            abonnement.url, secret=abonnement.secret, corps=livraison.corps, identifiant=str(livraison.identifiant),
            evenement=livraison.evenement, instant=int(time.time()),
        )  # fmt: skip
    maintenant = timezone.now()
    champs = {"reponse": issue.statut, "erreur": issue.erreur[:250]}
    if issue.livree:
        champs |= {"statut": S.LIVREE, "livree_le": maintenant, "prochaine_le": None}
    elif livraison.tentatives > len(settings.WEBHOOKS_REPRISES):
        champs |= {"statut": S.ABANDONNEE, "prochaine_le": None}
    else:
        champs |= {"statut": S.A_LIVRER, "prochaine_le": maintenant + delai(livraison.tentatives)}
    mienne = Livraison.objects.filter(pk=livraison.pk, statut=S.EN_COURS, prise_le=livraison.prise_le)
    if mienne.update(**champs) and champs["statut"] == S.ABANDONNEE:
        _abandonner(livraison, issue, maintenant)
    return issue


def delai(tentatives: int) -> timedelta:
    """Attente après la n-ième tentative : d'une minute à un jour, avec un cinquième de gigue."""
    base = settings.WEBHOOKS_REPRISES[min(tentatives, len(settings.WEBHOOKS_REPRISES)) - 1]
    return timedelta(seconds=base * random.uniform(0.8, 1.2))


def _abandonner(livraison: Livraison, issue: Issue, moment: datetime) -> None:
    """Douze essais sans succès. Récepteur tombé : l'abonnement s'arrête, la suite attend. Sinon on passe outre."""
    abonnement = livraison.abonnement
    if issue.panne:
        AbonnementWebhook.objects.filter(pk=abonnement.pk).update(actif=False)
        suite = _("L'abonnement est arrêté. Rien n'est perdu : réactivé, il recevra ce qui attend, dans l'ordre.")
    else:
        recentes = abonnement.livraisons.filter(statut=S.ABANDONNEE, prise_le__gt=moment - timedelta(days=1))
        if recentes.exclude(pk=livraison.pk).exists():
            return  # déjà dit aujourd'hui
        suite = _("Les autres événements continuent ; celui-ci se rejoue à l'écran.")
    with override(settings.LANGUAGE_CODE):
        objet = _("%(societe)s : le webhook « %(nom)s » ne répond pas")
        corps = _(
            "Une livraison (%(evenement)s) est abandonnée après %(n)d essais : %(erreur)s\n\n%(suite)s\n\n%(url)s"
        )
        mots = {
            "societe": abonnement.societe, "nom": abonnement.nom, "evenement": livraison.evenement,
            "n": livraison.tentatives, "erreur": issue.erreur, "suite": suite,
            "url": f"{settings.SITE_URL}/administration/webhooks/{abonnement.pk}/",
        }  # fmt: skip
        message = EmailMessage(objet % mots, corps % mots, to=_administrateurs(abonnement),
                               headers={"Auto-Submitted": "auto-generated"})  # fmt: skip
    if not message.to:
        return
    try:
        remettre(message)
    except (EnvoiRefuse, EnvoiIncertain) as erreur:  # l'écran le dit de toute façon
        log.warning("avis de webhook non remis : %s", erreur)


def _administrateurs(abonnement: AbonnementWebhook) -> list[str]:
    personnes = Utilisateur.objects.filter(
        affectations__societe=abonnement.societe_id, affectations__role=Role.ADMINISTRATEUR, is_active=True
    )
    return sorted(set(personnes.values_list("courriel", flat=True)))


def comptes(abonnements) -> dict[int, dict[str, int]]:
    """{abonnement: {statut: nombre}}, en une requête."""
    lus: dict[int, dict[str, int]] = {}
    compte = Livraison.objects.filter(abonnement__in=abonnements).values_list("abonnement", "statut")
    for pk, statut, n in compte.annotate(n=Count("pk")).order_by():
        lus.setdefault(pk, {})[statut] = n
    return lus
