"""La boîte où reviennent les réponses d'une société : relevée à heures fixes, chaque message marqué, aucun effacé.

Tuée au milieu, la lecture reprend : un message rangé se reconnaît à sa clé, un message pas marqué se relit. Le bail est
`lue_le` : deux workers ne lisent pas la même boîte. Une panne se dit une fois à l'administrateur, son retour aussi.
"""

import logging
from dataclasses import dataclass, field
from datetime import date, datetime, timedelta

from django.conf import settings
from django.core.mail import EmailMessage
from django.db.models import Q
from django.utils import timezone
from django.utils.translation import gettext as _
from django.utils.translation import override

from recouvrement.commun.boite_imap import Acces, BoiteImap, ErreurBoite
from recouvrement.commun.courriel import EnvoiIncertain, EnvoiRefuse, remettre
from recouvrement.comptes.models import Role, Utilisateur
from relances.models import MessageRecu, ReglageReponses
from relances.services.effets_reponses import PasEncore
from relances.services.reponses import cle_de, recevoir, recevoir_illisible

from .lecture import CourrielIllisible, lire

log = logging.getLogger(__name__)
COURRIEL_MAX = 30 * 1024 * 1024  # octets ; au-delà la plupart des serveurs refusent déjà


class Boite(BoiteImap):
    mot_cle = "RecouvrementReponse"

    @property
    def taille_max(self) -> int:
        return COURRIEL_MAX


@dataclass
class Releve:
    """Ce qu'une lecture a fait ; regard : seulement regardé, rien de rangé ni de marqué."""

    recus: int = 0
    illisibles: int = 0
    remis_a_plus_tard: int = 0
    erreur: str = ""
    attendent: list[tuple[str, str]] = field(default_factory=list)  # (de, objet) d'un essai


def acces(reglage: ReglageReponses) -> Acces:
    return Acces(
        reglage.imap_hote, reglage.imap_port, reglage.imap_tls, reglage.imap_utilisateur, reglage.imap_secret,
        reglage.imap_dossier,
    )  # fmt: skip


def a_relever(moment: datetime) -> list[int]:
    """Boîtes actives dont le bail est échu."""
    return list(_libres(moment).order_by("lue_le", "pk").values_list("pk", flat=True))


def _libres(moment: datetime):
    limite = moment - timedelta(seconds=settings.SOURCES_SECONDES / 2)
    return ReglageReponses.objects.filter(Q(lue_le=None) | Q(lue_le__lt=limite), actif=True).exclude(imap_hote="")


def relever(reglage_id: int, *, moment: datetime, au: date, forcer: bool = False) -> Releve | None:
    """Lit la boîte et range ce qu'elle a de neuf. None : inactive, ou un autre s'en charge. Ne lève pas."""
    prises = ReglageReponses.objects.filter(actif=True) if forcer else _libres(moment)
    if not prises.filter(pk=reglage_id).update(lue_le=moment):
        return None
    reglage = ReglageReponses.objects.select_related("societe").get(pk=reglage_id)
    releve = Releve()
    try:
        with Boite(acces(reglage)) as boite:
            _tout_lire(boite, reglage, releve, au=au)
    except ErreurBoite as erreur:
        releve.erreur = str(erreur)[:250]
    except Exception as erreur:  # un défaut de lecture ne prive pas les autres boîtes, et se dit
        log.exception("boîte des réponses %s illisible", reglage_id)
        releve.erreur = f"{type(erreur).__name__} : {erreur}"[:250]
    _dire(reglage, releve.erreur, moment=moment)
    return releve


def _tout_lire(boite: Boite, reglage: ReglageReponses, releve: Releve, *, au: date) -> None:
    uids = boite.uids()
    tailles = boite.tailles(uids) if uids else {}
    for uid in uids:
        if tailles.get(uid, 0) > boite.taille_max:
            raison = _("plus de %(max)d Mo : il reste dans la boîte") % {"max": COURRIEL_MAX // 1024 // 1024}
            cle = f"gros:{reglage.pk}:{boite.validite}:{uid}"
            recevoir_illisible(b"", origine="imap", raison=raison, societe=reglage.societe, cle_source=cle)
            releve.illisibles += 1
        elif octets := boite.octets(uid):
            try:
                _un(octets, reglage, releve, au=au)
            except PasEncore:  # l'envoi en cause part en ce moment : pas marqué, la lecture suivante le reprend
                releve.remis_a_plus_tard += 1
                continue
        else:
            continue  # effacé entre-temps
        boite.marquer(uid)


def _un(octets: bytes, reglage: ReglageReponses, releve: Releve, *, au: date) -> None:
    try:
        lu = lire(octets)
    except CourrielIllisible as raison:
        recevoir_illisible(octets, origine="imap", raison=str(raison), societe=reglage.societe)
        releve.illisibles += 1
        return
    origine = MessageRecu.Origine.IMAP
    recevoir(lu, origine=origine, cle_source=cle_de(lu, octets), societe=reglage.societe, brut=octets, au=au)
    releve.recus += 1


def essayer(reglage: ReglageReponses, *, montres: int = 10) -> Releve:
    """Entre dans la boîte et montre ce qui attend ; rien n'est rangé ni marqué."""
    releve = Releve()
    try:
        with Boite(acces(reglage)) as boite:
            uids = boite.uids()
            releve.recus = len(uids)
            tailles = boite.tailles(uids[:montres]) if uids else {}
            for uid in uids[:montres]:
                if tailles.get(uid, 0) > boite.taille_max:
                    releve.illisibles += 1
                elif octets := boite.octets(uid):
                    try:
                        lu = lire(octets)
                    except CourrielIllisible:
                        releve.illisibles += 1
                    else:
                        releve.attendent.append((lu.de, lu.objet))
    except ErreurBoite as erreur:
        releve.erreur = str(erreur)
    return releve


def _dire(reglage: ReglageReponses, erreur: str, *, moment: datetime) -> None:
    """Écrit l'état, et un courriel par panne, un au rétablissement : `erreur_le` dit qu'on a prévenu."""
    champs = {"erreur": erreur, "lue_le": timezone.now()}
    change = ReglageReponses.objects.filter(pk=reglage.pk, erreur_le__isnull=bool(erreur))
    prevenu = bool(change.update(erreur_le=moment if erreur else None, **champs))
    if not prevenu:
        ReglageReponses.objects.filter(pk=reglage.pk).update(**champs)
        return
    with override(settings.LANGUAGE_CODE):
        if erreur:
            objet = _("%(societe)s : la boîte des réponses ne se lit plus")
            corps = _(
                "%(erreur)s\n\nLes réponses et les rejets attendent dans la boîte. Écran Administration : %(url)s"
            )
        else:
            objet = _("%(societe)s : la boîte des réponses se lit de nouveau")
            corps = _("La dernière lecture s'est bien passée.\n\n%(url)s")
        mots = {
            "societe": reglage.societe, "erreur": erreur,
            "url": f"{settings.SITE_URL}/administration/reponses/{reglage.societe_id}/",
        }  # fmt: skip
        if not _ecrire(reglage, objet % mots, corps % mots):  # refusé : on redira à la prochaine lecture
            ReglageReponses.objects.filter(pk=reglage.pk).update(erreur_le=None if erreur else moment)


def _ecrire(reglage: ReglageReponses, objet: str, corps: str) -> bool:
    """Aux administrateurs de la société ; faux si rien n'est parti, c'est certain."""
    administrateurs = Utilisateur.objects.filter(
        affectations__societe=reglage.societe_id, affectations__role=Role.ADMINISTRATEUR, is_active=True
    )
    adresses = sorted(set(administrateurs.values_list("courriel", flat=True)))
    if not adresses:
        return True
    try:
        remettre(EmailMessage(objet, corps, to=adresses, headers={"Auto-Submitted": "auto-generated"}))
    except EnvoiRefuse as refus:
        log.warning("avis de boîte non remis : %s", refus)
        return False
    except EnvoiIncertain as doute:
        log.warning("avis de boîte peut-être parti : %s", doute)
    return True
