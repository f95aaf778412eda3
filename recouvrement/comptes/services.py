"""Écritures sur les comptes : personnes, rôles, sociétés. Chacune laisse un maillon au journal."""

from django.core.exceptions import ValidationError
from django.db import transaction
from django.utils.translation import gettext as _

from recouvrement.commun import depot
from recouvrement.journal.services import consigner

from .models import Affectation, Role, Societe, Utilisateur


@transaction.atomic
def enregistrer_utilisateur(utilisateur: Utilisateur, *, roles: dict[Societe, str], acteur: Utilisateur) -> Utilisateur:
    """Crée ou met à jour une personne et ses rôles dans les sociétés données (rôle vide : aucun).

    Les rôles dans d'autres sociétés ne bougent pas. Lève ValidationError si une société perdait son dernier
    administrateur actif.
    """
    if not utilisateur.password:
        utilisateur.set_unusable_password()  # la personne choisit le sien par le lien d'invitation
    avant = {}
    if utilisateur.pk:
        avant = dict(Affectation.objects.filter(utilisateur=utilisateur.pk).values_list("societe_id", "role"))
    touchees = Societe.objects.filter(pk__in=[*avant, *(societe.pk for societe in roles)])
    list(touchees.order_by("pk").select_for_update(no_key=True))  # deux administrateurs ne se retirent pas l'un l'autre
    gouvernees = list(_gouvernees(touchees))
    utilisateur.save()
    for societe, role in roles.items():
        if role:
            Affectation.objects.update_or_create(utilisateur=utilisateur, societe=societe, defaults={"role": role})
        else:
            Affectation.objects.filter(utilisateur=utilisateur, societe=societe).delete()
        if avant.get(societe.pk, "") != role:
            consigner(
                "utilisateur.role",
                societe=societe,
                acteur=acteur,
                objet=utilisateur,
                texte=_("%(qui)s : %(role)s")
                % {"qui": utilisateur, "role": Role(role).label if role else _("aucun rôle")},
                donnees={"avant": avant.get(societe.pk, ""), "apres": role},
            )
    restantes = set(_gouvernees(touchees))
    for societe in gouvernees:
        if societe not in restantes:
            raise ValidationError(
                _("%(societe)s n’aurait plus d’administrateur : nommez-en un autre d’abord.") % {"societe": societe}
            )
    return utilisateur


def _gouvernees(societes):
    """Celles de ces sociétés qui ont un administrateur actif."""
    actifs = {"affectations__role": Role.ADMINISTRATEUR, "affectations__utilisateur__is_active": True}
    return societes.filter(**actifs).distinct()


@transaction.atomic
def enregistrer_societe(societe: Societe, *, acteur: Utilisateur, modifies: list[str]) -> Societe:
    """Crée ou met à jour une société ; qui la crée l'administre. `modifies` : noms des champs changés."""
    nouvelle = societe.pk is None
    societe.save()
    if nouvelle:
        Affectation.objects.create(utilisateur=acteur, societe=societe, role=Role.ADMINISTRATEUR)
    if nouvelle or modifies:
        libelles = [str(Societe._meta.get_field(nom).verbose_name) for nom in modifies]
        consigner(
            "societe.creee" if nouvelle else "societe.modifiee",
            societe=societe,
            acteur=acteur,
            objet=societe,
            texte=", ".join(libelles),
            donnees={nom: str(getattr(societe, nom)) for nom in modifies},
        )
    return societe


@transaction.atomic
def changer_logo(societe: Societe, image: tuple[bytes, str] | None, *, acteur: Utilisateur) -> None:
    """Range l'image (octets, suffixe) par empreinte, ou retire le logo."""
    societe.logo = depot.ranger(*image)[0] if image else ""
    societe.save(update_fields=["logo"])
    texte = _("Logo changé") if image else _("Logo retiré")
    consigner("societe.logo", societe=societe, acteur=acteur, objet=societe, texte=texte)
