"""Relever une source : ranger ses fichiers nouveaux, en faire l'aperçu, les appliquer s'il est permis et sans rejet.

Le reste attend une personne à l'écran Imports. Une panne ou un retard se dit une fois par courriel, puis le retour à la
normale. Le bail est `lue_le` : deux workers ne lisent pas la même source, et un arrivage n'a qu'un lot (contrainte).
"""

import logging
from collections.abc import Iterable
from dataclasses import dataclass
from datetime import date, datetime, timedelta
from pathlib import Path

from django.conf import settings
from django.core.mail import EmailMessage
from django.db import IntegrityError, transaction
from django.db.models import Q
from django.utils import timezone
from django.utils.translation import gettext as _
from django.utils.translation import override

from factures.imports import depots
from factures.imports.fichier import examiner_fichier
from factures.imports.lecteurs import FORMATS, reconnaitre
from factures.imports.texte import FichierRefuse
from factures.models import Lot, SourceImport
from factures.sources.lecture import Arrivage, ErreurSource, Regard, ouvrir
from recouvrement.commun import formats
from recouvrement.commun.courriel import EnvoiIncertain, EnvoiRefuse, remettre
from recouvrement.comptes.models import Role, Societe, Utilisateur
from recouvrement.journal.services import consigner

log = logging.getLogger(__name__)
Statut = Lot.Statut
ORIGINES = {SourceImport.Genre.DOSSIER: Lot.Origine.DOSSIER, SourceImport.Genre.IMAP: Lot.Origine.COURRIEL}
INACHEVES = (Statut.DEPOSE, Statut.EN_LECTURE, Statut.EN_COURS)
ATTENDENT = (Statut.A_CORRESPONDRE, Statut.APERCU)


@dataclass
class Releve:
    """Ce qu'une lecture a fait : lots créés, appliqués, laissés à une personne, refusés."""

    deposes: int = 0
    appliques: int = 0
    en_attente: int = 0
    refuses: int = 0
    erreur: str = ""


# --- Relever -------------------------------------------------------------------------------------


def a_relever(moment: datetime) -> list[int]:
    """Sources actives dont le bail est échu."""
    return list(_libres(moment).order_by("lue_le", "pk").values_list("pk", flat=True))


def _libres(moment: datetime):
    limite = moment - timedelta(seconds=settings.SOURCES_SECONDES / 2)
    return SourceImport.objects.filter(Q(lue_le=None) | Q(lue_le__lt=limite), actif=True)


def relever(source_id: int, *, moment: datetime, au: date, forcer: bool = False) -> Releve | None:
    """Lit une source et importe ce qu'elle a de nouveau. None : inactive, ou un autre s'en charge.

    moment : instant de la lecture. forcer : à la demande d'une personne, sans attendre le bail. Ne lève pas : une panne
    s'écrit sur la source.
    """
    prises = SourceImport.objects.filter(actif=True) if forcer else _libres(moment)
    if not prises.filter(pk=source_id).update(lue_le=moment):
        return None
    source = SourceImport.objects.select_related("societe").get(pk=source_id)
    releve = Releve()
    try:
        deposes = _deposer_tout(source, releve)
    except ErreurSource as erreur:
        releve.erreur = str(erreur)[:250]
    except Exception as erreur:  # un défaut de lecture ne prive pas les autres sources, et se dit
        log.exception("source %s illisible", source_id)
        releve.erreur = f"{type(erreur).__name__} : {erreur}"[:250]
    else:
        log.info("source %s : %d fichiers", source_id, len(deposes))
    for lot_id in _dans_l_ordre(source):
        SourceImport.objects.filter(pk=source_id).update(lue_le=timezone.now())  # le bail dure autant que le travail
        _traiter(lot_id, source, releve, au=au)
    SourceImport.objects.filter(pk=source_id).update(
        erreur=releve.erreur, erreur_le=moment if releve.erreur else None, lue_le=timezone.now()
    )
    source.refresh_from_db()
    prevenir(source, moment=moment)
    return releve


def _deposer_tout(source: SourceImport, releve: Releve) -> list[int]:
    deposes = []

    def deja(cle: str) -> bool:
        return Lot.objects.filter(source=source, cle_externe=cle[:250]).exists()

    with ouvrir(source) as lecteur:
        for arrivage in lecteur.arrivages(deja):
            lot = _deposer(source, arrivage)
            if lot is not None:
                deposes.append(lot.pk)
                releve.deposes += 1
                releve.refuses += bool(arrivage.refus)
            arrivage.ranger(not arrivage.refus)
    return deposes


def _deposer(source: SourceImport, arrivage: Arrivage) -> Lot | None:
    """Le lot de cet arrivage, ou None s'il existe déjà."""
    marques = {"origine": ORIGINES[source.genre], "source": source, "cle_externe": arrivage.cle[:250]}
    try:
        with transaction.atomic():
            if arrivage.refus or arrivage.contenu is None:
                return Lot.objects.create(
                    societe=source.societe, fichier=arrivage.nom, taille=arrivage.taille, statut=Statut.REFUSE,
                    compte_rendu={"fichier": arrivage.nom, "refus": arrivage.refus}, **marques,
                )  # fmt: skip
            lot = depots.deposer(arrivage.contenu, arrivage.nom, source.societe, auteur=None, format=source.format)
            Lot.objects.filter(pk=lot.pk).update(correspondance=source.correspondance_id, **marques)
            return lot
    except IntegrityError:
        return None


def _dans_l_ordre(source: SourceImport) -> list[int]:
    """Lots à mener au bout, dans l'ordre où plusieurs fichiers s'importent : fiches, pièces, règlements, banque."""
    lots = Lot.objects.filter(source=source, statut__in=INACHEVES).order_by("pk")
    rangs = [(_rang(lot), lot.pk) for lot in lots]
    return [pk for _rang_lu, pk in sorted(rangs)]


def _rang(lot: Lot) -> int:
    try:
        format = lot.format or reconnaitre(examiner_fichier(Path(settings.DEPOT) / lot.chemin, lot.fichier))
        return FORMATS.index(format)
    except (FichierRefuse, ValueError):
        return len(FORMATS)  # l'aperçu dira pourquoi
    except Exception:  # un lecteur en défaut : l'aperçu le consignera de même
        log.exception("import %s : format illisible", lot.pk)
        return len(FORMATS)


def _traiter(lot_id: int, source: SourceImport, releve: Releve, *, au: date) -> None:
    """Aperçu, puis application si la source le permet et que rien n'est rejeté."""
    try:
        depots.apercevoir(lot_id, moment=timezone.now(), au=au)
        lot = Lot.objects.get(pk=lot_id)
        if lot.statut == Statut.APERCU and source.appliquer_seul and _sans_rejet(lot):
            depots.demander(lot, partiel=False)
            lot.statut = Statut.EN_COURS
        if lot.statut == Statut.EN_COURS:
            depots.appliquer(lot_id, moment=timezone.now(), au=au)
    except Exception:  # déjà écrit sur le lot, et journalisé : le fichier suivant ne doit pas en pâtir
        log.exception("import %s de la source %s interrompu", lot_id, source.pk)
    statut = Lot.objects.values_list("statut", flat=True).get(pk=lot_id)
    releve.appliques += statut == Statut.APPLIQUE
    releve.refuses += statut == Statut.REFUSE
    releve.en_attente += statut in ATTENDENT


def _sans_rejet(lot: Lot) -> bool:
    rendu = lot.compte_rendu or {}
    return not (rendu.get("rejets") or rendu.get("rejets_non_detailles") or rendu.get("refus"))


def essayer(source: SourceImport) -> Regard:
    """Ce que la prochaine lecture prendrait, sans rien importer, déplacer ni marquer. Ne lève pas."""
    try:
        with ouvrir(source) as lecteur:
            return Regard(lecteur.regarder())
    except ErreurSource as erreur:
        return Regard(erreur=str(erreur))


# --- Fraîcheur et pannes --------------------------------------------------------------------------


def en_retard(source: SourceImport, moment: datetime) -> bool:
    """Rien d'appliqué depuis le délai réglé ; une source neuve a ce délai pour recevoir son premier fichier."""
    if not source.actif or source.fraicheur_heures is None:
        return False
    return (source.recue_le or source.created_at) < moment - timedelta(hours=source.fraicheur_heures)


def sources_en_retard(societe: Societe, moment: datetime) -> list[SourceImport]:
    """Sources attendues de la société que leur délai a dépassées : elles retiennent la nuit (exigence 1)."""
    attendues = SourceImport.objects.filter(societe=societe, actif=True, fraicheur_heures__isnull=False)
    return [source for source in attendues if en_retard(source, moment)]


def phrase_de_retard(sources: Iterable[SourceImport]) -> str:
    """« source « Banque » : rien d'appliqué depuis 48 h » ; plusieurs à la suite."""
    return ", ".join(
        _("source « %(nom)s » : rien d'appliqué depuis plus de %(n)d h") % {"nom": s.nom, "n": s.fraicheur_heures}
        for s in sources
    )


def surveiller(moment: datetime) -> None:
    """Prévient des retards et des retours à la normale, même si la lecture d'une source ne passe plus."""
    for source in SourceImport.objects.filter(actif=True).select_related("societe"):
        prevenir(source, moment=moment)


def prevenir(source: SourceImport, *, moment: datetime) -> bool:
    """Un courriel par panne, un au rétablissement ; vrai s'il en part un. Refusé par le serveur, il sera retenté."""
    retard = phrase_de_retard([source]) if en_retard(source, moment) else ""
    raison = source.erreur or retard
    if bool(raison) == bool(source.alerte_le):
        return False
    vers = moment if raison else None
    meme = SourceImport.objects.filter(pk=source.pk, alerte_le=source.alerte_le)
    if not meme.update(alerte_le=vers):
        return False  # un autre s'en charge
    with override(settings.LANGUAGE_CODE):
        if raison:
            objet = _("%(societe)s : la source « %(nom)s » ne répond pas")
            corps = _(
                "%(raison)s\n\nTant qu'une source attendue est en retard, les relances automatiques de la société sont "
                "suspendues. Écran Administration, Sources : %(url)s"
            )
        else:
            objet = _("%(societe)s : la source « %(nom)s » est rétablie")
            corps = _("La dernière lecture, le %(quand)s, s'est bien passée.\n\n%(url)s")
        mots = {
            "societe": source.societe, "nom": source.nom, "raison": raison, "quand": formats.instant(source.lue_le),
            "url": f"{settings.SITE_URL}/administration/sources/{source.pk}/",
        }  # fmt: skip
        partie = _ecrire(source.societe, objet % mots, corps % mots)
    if not partie:
        SourceImport.objects.filter(pk=source.pk, alerte_le=vers).update(alerte_le=source.alerte_le)
    source.alerte_le = vers if partie else source.alerte_le
    return partie


def _ecrire(societe: Societe, objet: str, corps: str) -> bool:
    """Aux administrateurs de la société ; faux si rien n'est parti, c'est certain."""
    administrateurs = Utilisateur.objects.filter(
        affectations__societe=societe, affectations__role=Role.ADMINISTRATEUR, is_active=True
    )
    adresses = sorted(set(administrateurs.values_list("courriel", flat=True)))
    if not adresses:
        return True
    try:
        remettre(EmailMessage(objet, corps, to=adresses, headers={"Auto-Submitted": "auto-generated"}))
    except EnvoiRefuse as refus:
        log.warning("avis de source non remis : %s", refus)
        return False
    except EnvoiIncertain as doute:
        log.warning("avis de source peut-être parti : %s", doute)
    return True


# --- Régler ---------------------------------------------------------------------------------------

TUS = {"imap_secret"}


@transaction.atomic
def enregistrer_source(source: SourceImport, *, acteur) -> SourceImport:
    """Écrit les réglages d'une source, consignés champ par champ ; le secret n'y paraît jamais.

    Une source réglée à neuf oublie sa dernière erreur. Lève ValidationError.
    """
    nouvelle = source.pk is None
    avant = None if nouvelle else SourceImport.objects.select_for_update(no_key=True).get(pk=source.pk)
    source.full_clean()
    champs = [f for f in source._meta.concrete_fields if f.editable and not f.auto_created]
    changes = [f.name for f in champs if avant is None or getattr(avant, f.attname) != getattr(source, f.attname)]
    if changes:
        source.erreur, source.erreur_le = "", None
    source.save()
    if changes:
        consigner(
            "source.creee" if nouvelle else "source.modifiee", societe=source.societe, acteur=acteur, objet=source,
            texte=source.nom,
            donnees={"champs": {n: "…" if n in TUS else str(getattr(source, n)) for n in changes}},
        )  # fmt: skip
    return source


def en_attente_d_une_personne(societes) -> int:
    """Fichiers arrivés seuls qui attendent un choix à l'écran Imports."""
    return Lot.objects.filter(societe__in=societes, source__isnull=False, statut__in=ATTENDENT).count()
