"""Procédure collective d'un débiteur : le jugement, sa clôture, l'erreur de saisie.

Un débiteur est une personne : ce qui est noté sur un compte vaut pour tous ceux de même SIREN dans la société. Le
surendettement, lui, est par personne physique : rien ne s'en propage.
"""

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import date

from django.core.exceptions import ValidationError
from django.db import transaction
from django.utils.translation import gettext as _

from recouvrement.comptes.models import Societe
from recouvrement.journal.models import Maillon
from recouvrement.journal.services import consigner

from .models import AnnonceBodacc, Client, IssueProcedure


def comptes_du_debiteur(client: Client) -> list[Client]:
    """Ce compte, puis ceux de même SIREN dans la même société, par clé ; sans SIREN, lui seul."""
    autres = Client.objects.none()
    if client.siren:
        autres = Client.objects.filter(societe=client.societe_id, siren=client.siren).exclude(pk=client.pk)
    return [client, *autres.order_by("pk")]


def _verrouiller(client: Client) -> list[Client]:
    cles = [c.pk for c in comptes_du_debiteur(Client.objects.get(pk=client.pk))]
    verrou = Client.objects.select_for_update(no_key=True, of=("self",)).select_related("societe")
    return list(verrou.filter(pk__in=cles).order_by("pk"))


def _ecrire(comptes: list[Client], action: str, *, acteur, donnees: dict, texte: str = "", **champs) -> bool:
    """Écrit ces champs sur chaque compte qui ne les a pas déjà, un maillon par compte ; faux si rien n'a changé."""
    changes = [c for c in comptes if any(getattr(c, nom) != valeur for nom, valeur in champs.items())]
    for compte in changes:
        for nom, valeur in champs.items():
            setattr(compte, nom, valeur)
        compte.version += 1
        compte.save(update_fields=[*champs, "version", "updated_at"])
        consigner(
            action, societe=compte.societe, acteur=acteur, objet=compte, client=compte, texte=texte, donnees=donnees
        )
    return bool(changes)


@transaction.atomic
def signaler_jugement(client: Client, *, le: date, acteur, au: date, publie_le: date | None = None) -> bool:
    """Jugement d'ouverture : les relances du débiteur s'arrêtent dès ce jour (L622-21 C. com., exigence 36).

    `au` : jour de la saisie ; `publie_le` : publication au BODACC. Faux si ce jugement était déjà connu de tous ses
    comptes. Un autre jour remplace celui qui était noté : une procédure nouvelle n'est pas close. Lève
    ValidationError : une date à venir, ou une publication d'avant le jugement.
    """
    if le > au:
        raise ValidationError({"le": _("Un jugement à venir n'arrête encore rien.")})
    if publie_le and publie_le > au:
        raise ValidationError({"publie_le": _("Une publication à venir ne fait encore courir aucun délai.")})
    if publie_le and publie_le < le:
        raise ValidationError({"publie_le": _("La publication ne peut pas précéder le jugement.")})
    comptes = [c for c in _verrouiller(client) if c.jugement_ouverture_le != le]
    return _ecrire(
        comptes, "client.jugement", acteur=acteur, donnees={"le": le},
        jugement_ouverture_le=le, procedure_cloturee_le=None, procedure_issue="",
    )  # fmt: skip


@transaction.atomic
def cloturer_procedure(client: Client, *, le: date, issue: str, acteur, au: date) -> bool:
    """La procédure est close : le jugement reste, et avec lui l'arrêt des intérêts (C. com., art. L622-28).

    Les créances nées avant le jugement restent hors relance : plan ou insuffisance d'actif, une personne décide. Celles
    nées depuis reprennent l'échelle. Faux si cette clôture était déjà notée. Lève ValidationError : aucun jugement,
    clôture à venir ou d'avant le jugement, issue inconnue.
    """
    comptes = [c for c in _verrouiller(client) if c.jugement_ouverture_le]
    jugement = next((c.jugement_ouverture_le for c in comptes if c.pk == client.pk), None)
    if jugement is None:
        raise ValidationError(_("Aucun jugement n'est noté : il n'y a rien à clore."))
    if le > au:
        raise ValidationError({"le": _("Une clôture à venir ne rend encore rien.")})
    if le < jugement:
        raise ValidationError({"le": _("La clôture ne peut pas précéder le jugement.")})
    if issue not in IssueProcedure.values:
        raise ValidationError({"issue": _("Dites comment la procédure s'est terminée.")})
    return _ecrire(
        [c for c in comptes if c.jugement_ouverture_le == jugement], "client.procedure_close", acteur=acteur,
        donnees={"le": le, "issue": issue, "jugement": jugement}, texte=str(IssueProcedure(issue).label),
        procedure_cloturee_le=le, procedure_issue=issue,
    )  # fmt: skip


@transaction.atomic
def retirer_jugement(client: Client, *, motif: str, acteur) -> bool:
    """Jugement noté par erreur (un homonyme) : tout est effacé, le motif se lit au journal.

    Une procédure terminée se clôt, elle ne se retire pas. Faux si aucun jugement n'était noté.
    """
    if not motif.strip():
        raise ValidationError({"motif": _("Dites pourquoi les relances reprennent.")})
    comptes = _verrouiller(client)
    ancien = next(c.jugement_ouverture_le for c in comptes if c.pk == client.pk)
    if ancien is None:
        return False
    return _ecrire(
        [c for c in comptes if c.jugement_ouverture_le == ancien], "client.jugement_retire", acteur=acteur,
        texte=motif.strip(), donnees={"le": ancien},
        jugement_ouverture_le=None, procedure_cloturee_le=None, procedure_issue="",
    )  # fmt: skip


def _jugements_publies(societe: Societe | int) -> dict[str, dict]:
    """Ouvertures gardées dont un compte sans jugement porte le SIREN ; ni annulées depuis, ni retirées d'un compte."""
    attendent = Client.objects.filter(societe=societe, jugement_ouverture_le=None).exclude(siren="")
    publiees = AnnonceBodacc.objects.filter(societe=societe, siren__in=attendent.values("siren"))
    lues = publiees.filter(texte__portee__in=("ouverture", "annulation")).order_by("jugement_le", "parution_le")
    notes: dict[str, dict] = {}
    for siren, portee, le in lues.values_list("siren", "texte__portee", "jugement_le"):
        if portee == "annulation":
            notes.pop(siren, None)
        elif le:
            notes[siren] = {"jugement_ouverture_le": le, "procedure_cloturee_le": None, "procedure_issue": ""}
    if notes:  # une personne l'a retiré d'un compte : elle sait qu'il n'est pas de ce débiteur
        retires = Maillon.objects.filter(societe=societe, action="client.jugement_retire").values("client_id")
        for siren in Client.objects.filter(societe=societe, pk__in=retires, siren__in=notes).values_list(
            "siren", flat=True
        ):
            notes.pop(siren, None)
    return notes


def jugements_connus(societe: Societe | int) -> dict[str, dict]:
    """{SIREN: champs de la procédure} : celle d'un autre compte, ou celle d'une annonce BODACC gardée sans client."""
    notes = {
        siren: {"jugement_ouverture_le": le, "procedure_cloturee_le": close, "procedure_issue": issue}
        for siren, le, close, issue in Client.objects.filter(societe=societe, jugement_ouverture_le__isnull=False)
        .exclude(siren="")
        .order_by("jugement_ouverture_le")
        .values_list("siren", "jugement_ouverture_le", "procedure_cloturee_le", "procedure_issue")
    }
    return _jugements_publies(societe) | notes


@transaction.atomic
def aligner(societe: Societe, *, acteur) -> int:
    """Un compte créé, ou numéroté, après le jugement de son débiteur le reçoit ; rend le nombre de comptes arrêtés."""
    notes = jugements_connus(societe)
    verrou = Client.objects.select_for_update(no_key=True, of=("self",)).select_related("societe")
    arrives = list(verrou.filter(societe=societe, siren__in=notes, jugement_ouverture_le=None).order_by("pk"))
    for compte in arrives:
        champs = notes[compte.siren]
        donnees = {"le": champs["jugement_ouverture_le"]}
        _ecrire([compte], "client.jugement", acteur=acteur, texte=_("même SIREN"), donnees=donnees, **champs)
    return len(arrives)


@dataclass
class Annonces:
    """Ce que des jugements publiés ont fait : comptes arrêtés, déjà notés, ou notés sous une autre date."""

    arretes: list[Client] = field(default_factory=list)
    deja: list[Client] = field(default_factory=list)
    divergents: list[Client] = field(default_factory=list)
    avant: dict[int, tuple[date | None, date | None, str]] = field(default_factory=dict)


@transaction.atomic
def noter_jugements(societe: Societe, jugements: Mapping[str, date], *, acteur) -> Annonces:
    """Jugements d'ouverture par SIREN, tels que publiés : chaque compte de ces débiteurs s'arrête à l'instant.

    Un jugement déjà noté, d'une procédure encore ouverte, n'est jamais remplacé : le compte est rendu « divergent ».
    Une procédure close avant le nouveau jugement ne l'est plus : c'en est une autre. Un maillon par compte arrêté.
    """
    verrou = Client.objects.select_for_update(no_key=True, of=("self",)).select_related("societe")
    bilan = Annonces()
    for compte in verrou.filter(societe=societe, siren__in=list(jugements)).order_by("pk"):
        le, connu = jugements[compte.siren], compte.jugement_ouverture_le
        if connu == le:
            bilan.deja.append(compte)
        elif connu is None or (compte.procedure_cloturee_le and compte.procedure_cloturee_le <= le):
            bilan.avant[compte.pk] = (connu, compte.procedure_cloturee_le, compte.procedure_issue)
            bilan.arretes.append(compte)
        else:
            bilan.divergents.append(compte)
    for compte in bilan.arretes:
        le = jugements[compte.siren]
        _ecrire(
            [compte], "client.jugement", acteur=acteur, donnees={"le": le, "origine": "BODACC"}, texte="BODACC",
            jugement_ouverture_le=le, procedure_cloturee_le=None, procedure_issue="",
        )  # fmt: skip
    return bilan
