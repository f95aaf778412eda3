"""Jetons d'accès : créer, révoquer, reconnaître. Le secret n'existe qu'au moment où il est créé.

Un jeton s'écrit `rcv_<préfixe>_<secret>` : le préfixe désigne la ligne, le secret (32 octets tirés au hasard) la
prouve. La base n'en garde que le SHA-256 : sur un secret de 256 bits, un hachage lent n'ajouterait rien.
"""

import hashlib
import secrets
from collections.abc import Iterable
from datetime import date, datetime, timedelta

from django.core.exceptions import ValidationError
from django.db import IntegrityError, transaction
from django.db.models import Q
from django.utils.translation import gettext as _

from recouvrement.comptes.models import Societe, Utilisateur
from recouvrement.journal.services import consigner

from .models import JetonApi
from .portees import Portee, hors_du_role

MARQUE = "rcv"
DUREE_MAX = timedelta(days=365)
USAGE_PRECISION = timedelta(minutes=1)
PERSONNE = "0" * 64  # comparée quand le préfixe n'existe pas : le temps de réponse ne dit rien


class JetonRefuse(Exception):
    """Le jeton n'ouvre rien ; `code` : absent, inconnu, expire, revoque ou ferme."""

    def __init__(self, code: str):
        self.code = code
        super().__init__(code)


def empreinte(secret: str) -> str:
    return hashlib.sha256(secret.encode()).hexdigest()


@transaction.atomic
def creer_jeton(
    societe: Societe,
    *,
    utilisateur: Utilisateur,
    nom: str,
    portees: Iterable[str],
    expire_le: date,
    au: date,
    acteur: Utilisateur,
) -> tuple[JetonApi, str]:
    """(jeton, texte à donner au programme, montré cette fois seulement).

    Lève ValidationError : expiration passée ou au-delà d'un an, portée inconnue, au-delà du rôle de la personne, ou
    nom déjà porté par un jeton en service.
    """
    portees = sorted(set(portees))
    if not portees or not set(portees) <= set(Portee):
        raise ValidationError({"portees": _("Cochez au moins un droit de la liste.")})
    if not au < expire_le <= au + DUREE_MAX:
        raise ValidationError({"expire_le": _("Un jeton expire demain au plus tôt, dans un an au plus tard.")})
    if trop := hors_du_role(portees, utilisateur, societe):
        refus = _("Le rôle de %(qui)s ne permet pas : %(droits)s.")
        raise ValidationError({"portees": refus % {"qui": utilisateur, "droits": ", ".join(trop)}})
    secret = secrets.token_hex(32)
    jeton = JetonApi(
        societe=societe, utilisateur=utilisateur, nom=nom.strip(), prefixe=secrets.token_hex(5),
        empreinte=empreinte(secret), portees=portees, expire_le=expire_le, cree_par=acteur,
    )  # fmt: skip
    try:
        with transaction.atomic():
            jeton.save(force_insert=True)
    except IntegrityError:
        raise ValidationError({"nom": _("Un jeton en service porte déjà ce nom.")}) from None
    consigner(
        "jeton.cree",
        societe=societe,
        acteur=acteur,
        objet=jeton,
        texte=_("%(nom)s, au nom de %(qui)s") % {"nom": jeton.nom, "qui": utilisateur},
        donnees={"utilisateur": utilisateur.pk, "portees": portees, "expire_le": expire_le},
    )
    return jeton, f"{MARQUE}_{jeton.prefixe}_{secret}"


@transaction.atomic
def revoquer_jeton(jeton: JetonApi, *, moment: datetime, acteur: Utilisateur) -> bool:
    """Ferme le jeton tout de suite ; faux s'il l'était déjà."""
    if not JetonApi.objects.filter(pk=jeton.pk, revoque_le=None).update(revoque_le=moment):
        return False
    consigner("jeton.revoque", societe=jeton.societe, acteur=acteur, objet=jeton, texte=jeton.nom)
    return True


def reconnaitre(entete: str, *, moment: datetime, au: date) -> JetonApi:
    """Le jeton de l'en-tête `Authorization`, sa personne et sa société. Lève JetonRefuse."""
    schema, _espace, texte = entete.strip().partition(" ")
    marque, _tiret, reste = texte.strip().partition("_")
    prefixe, _tiret, secret = reste.partition("_")
    if schema.lower() != "bearer" or not prefixe or not secret or marque != MARQUE or len(texte) > 200:
        raise JetonRefuse("absent" if not entete.strip() else "inconnu")
    trouve = None
    if prefixe.isascii() and prefixe.isalnum() and len(prefixe) <= 12:
        trouve = JetonApi.objects.select_related("utilisateur", "societe").filter(prefixe=prefixe).first()
    bon = secrets.compare_digest(empreinte(secret), trouve.empreinte if trouve else PERSONNE)
    if trouve is None or not bon:
        raise JetonRefuse("inconnu")
    if trouve.revoque_le:
        raise JetonRefuse("revoque")
    if au > trouve.expire_le:
        raise JetonRefuse("expire")
    if not trouve.utilisateur.is_active:
        raise JetonRefuse("ferme")
    _noter_usage(trouve, moment)
    return trouve


def _noter_usage(jeton: JetonApi, moment: datetime) -> None:
    """Dernier usage, à la minute près : une écriture par minute et par jeton, quel que soit le trafic."""
    ancien = moment - USAGE_PRECISION
    if jeton.dernier_usage_le is None or jeton.dernier_usage_le < ancien:
        perime = Q(dernier_usage_le=None) | Q(dernier_usage_le__lt=ancien)
        JetonApi.objects.filter(perime, pk=jeton.pk).update(dernier_usage_le=moment)
