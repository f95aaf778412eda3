"""Absences : d'un jour à l'autre, un collègue tient le portefeuille d'une personne, à son propre nom.

Un remplaçant agit là où l'absent agit, il est là tout le temps de l'absence, et une personne absente n'en remplace
aucune : ni chaîne, ni boucle, jamais un portefeuille que personne ne tient.
"""

from datetime import date, timedelta

from django.core.exceptions import ValidationError
from django.db import transaction
from django.db.models import QuerySet
from django.utils import timezone
from django.utils.translation import gettext as _

from recouvrement.commun import formats
from recouvrement.journal.services import consigner

from .droits import Droit, roles_avec, societes_pour
from .models import Absence, Societe, Utilisateur

DUREE_MAX = timedelta(days=366)  # au-delà, le portefeuille change de mains (clients.portefeuilles)


def absence_de(personne: Utilisateur, *, au: date) -> Absence | None:
    """Celle qui court ce jour, s'il y en a une."""
    return personne.absences.en_cours(au).select_related("remplacant").first()


def remplacements_de(personne: Utilisateur, *, au: date) -> list[Absence]:
    """Les absences que cette personne couvre ce jour."""
    en_cours = personne.remplacements.en_cours(au).filter(utilisateur__is_active=True)
    return list(en_cours.select_related("utilisateur").order_by("au", "pk"))


def absences_a_venir(personne: Utilisateur, *, au: date) -> list[Absence]:
    """En cours ou à venir, la plus proche d'abord."""
    vivantes = personne.absences.filter(annulee_le=None, au__gte=au).select_related("remplacant", "auteur")
    return list(vivantes.order_by("du", "pk"))


def remplacants_possibles(personne: Utilisateur) -> QuerySet:
    """Qui agit dans une au moins des sociétés où cette personne agit ; le service exige ensuite toutes."""
    ou = societes_pour(personne, Droit.AGIR).values("pk")
    return (
        Utilisateur.objects.filter(
            is_active=True, affectations__societe__in=ou, affectations__role__in=roles_avec(Droit.AGIR)
        )
        .exclude(pk=personne.pk)
        .distinct()
        .order_by("nom", "pk")
    )


def _croise(absences: QuerySet, du: date, au: date) -> Absence | None:
    return absences.filter(annulee_le=None, du__lte=au, au__gte=du).select_related("utilisateur", "remplacant").first()


def _dates(absence: Absence) -> dict[str, str]:
    return {"du": formats.jour(absence.du), "au": formats.jour(absence.au)}


@transaction.atomic
def poser_absence(
    personne: Utilisateur, *, remplacant: Utilisateur, du: date, au: date, acteur: Utilisateur, le: date,
    motif: str = "",
) -> Absence:  # fmt: skip
    """Note une absence du jour `du` au jour `au` compris. `le` : jour du geste.

    La redire la rend. Lève ValidationError : dates en désordre, passées ou de plus d'un an ; remplaçant absent, sans
    rôle qui agit dans une société de l'absent, ou soi-même ; absence qui en croise une autre ; personne qui remplace
    elle-même un collègue ces jours-là.
    """
    if au < du:
        raise ValidationError({"au": _("La fin ne peut pas précéder le début.")})
    if au < le:
        raise ValidationError({"au": _("Cette absence est déjà finie.")})
    if au - du > DUREE_MAX:
        raise ValidationError({"au": _("Un an au plus : au-delà, confiez le portefeuille.")})
    if remplacant == personne:
        raise ValidationError({"remplacant": _("Choisissez quelqu'un d'autre que la personne absente.")})
    # Deux absences qui se croiseraient se posent l'une après l'autre ; l'ordre des clés évite l'étreinte.
    list(Utilisateur.objects.filter(pk__in=[personne.pk, remplacant.pk]).order_by("pk").select_for_update(no_key=True))
    identique = personne.absences.filter(annulee_le=None, remplacant=remplacant, du=du, au=au).first()
    if identique:
        return identique
    _verifier_remplacant(personne, remplacant)
    if deja := _croise(personne.absences, du, au):
        texte = _("Une absence est déjà notée du %(du)s au %(au)s, avec %(nom)s : annulez-la d'abord.")
        raise ValidationError({"du": texte % {**_dates(deja), "nom": deja.remplacant}})
    if absent := _croise(remplacant.absences, du, au):
        texte = _("%(nom)s est absent du %(du)s au %(au)s.")
        raise ValidationError({"remplacant": texte % {**_dates(absent), "nom": remplacant}})
    if tenu := _croise(personne.remplacements, du, au):
        texte = _("%(qui)s remplace %(nom)s du %(du)s au %(au)s : changez d'abord ce remplacement.")
        raise ValidationError({"du": texte % {**_dates(tenu), "qui": personne, "nom": tenu.utilisateur}})
    absence = Absence.objects.create(
        utilisateur=personne, remplacant=remplacant, du=du, au=au, motif=motif.strip()[:120], auteur=acteur
    )
    _consigner("absence.notee", absence, acteur)
    return absence


def _verifier_remplacant(personne: Utilisateur, remplacant: Utilisateur) -> None:
    """Il agit partout où l'absent agit : sinon une part du portefeuille resterait sans personne."""
    siennes = societes_pour(personne, Droit.AGIR)
    if not siennes.exists():
        raise ValidationError({"remplacant": _("Cette personne ne suit aucun client : rien à remplacer.")})
    manque = list(siennes.exclude(pk__in=societes_pour(remplacant, Droit.AGIR).values("pk")))
    if manque:
        raise ValidationError(
            {
                "remplacant": _("%(nom)s ne peut pas agir chez %(societes)s.")
                % {"nom": remplacant, "societes": ", ".join(s.raison_sociale for s in manque)}
            }
        )


@transaction.atomic
def annuler_absence(absence: Absence, *, acteur: Utilisateur) -> bool:
    """La personne est là : son portefeuille lui revient tout de suite. Faux si c'était déjà annulé."""
    if not Absence.objects.filter(pk=absence.pk, annulee_le=None).update(annulee_le=timezone.now()):
        return False
    _consigner("absence.annulee", absence, acteur)
    return True


def _consigner(action: str, absence: Absence, acteur: Utilisateur) -> None:
    """Un maillon par société où l'absent agit."""
    texte = _("%(qui)s, du %(du)s au %(au)s, remplacé par %(nom)s") % {
        "qui": absence.utilisateur, "nom": absence.remplacant, **_dates(absence)
    }  # fmt: skip
    donnees = {"utilisateur": absence.utilisateur_id, "remplacant": absence.remplacant_id, "du": absence.du,
               "au": absence.au}  # fmt: skip
    for societe in Societe.objects.filter(pk__in=societes_pour(absence.utilisateur, Droit.AGIR).values("pk")):
        consigner(action, societe=societe, acteur=acteur, objet=absence, texte=texte, donnees=donnees)
