"""Préférences d'une personne, ses absences, et celles d'un autre pour qui l'administre."""

from django.core.exceptions import ValidationError
from django.shortcuts import get_object_or_404
from django.urls import reverse
from django.utils.translation import gettext as _
from django.views.decorators.http import require_http_methods, require_POST

from recouvrement.commun.horloge import aujourd_hui
from recouvrement.commun.vues import fait, rediriger, rendre

from .. import absences
from ..droits import MATRICE, Droit, exige
from ..formulaires_preferences import AbsenceForm, AlerteForm, RecapForm
from ..models import Absence, Affectation, Utilisateur
from .administration import equipe

# Qui voit toute une société y règle ses seuils.
ROLES_ALERTES = [role.value for role, droits in MATRICE.items() if {Droit.TOUT_VOIR, Droit.AGIR} <= droits]


def _alertes(user):
    return list(
        Affectation.objects.filter(utilisateur=user, role__in=ROLES_ALERTES)
        .select_related("societe")
        .order_by("societe__raison_sociale")
    )


@require_http_methods(["GET", "HEAD", "POST"])
@exige(Droit.VOIR)
def preferences(request):
    """Récapitulatif du matin, seuils d'alerte, absences : un seul enregistrement pour les deux premiers."""
    alertes = _alertes(request.user)
    donnees = request.POST or None
    recap = RecapForm(donnees, instance=request.user, prefix="recap")
    formulaires = [(a, AlerteForm(donnees, instance=a, prefix=f"alerte{a.pk}")) for a in alertes]
    if request.method == "POST" and all([recap.is_valid(), *(f.is_valid() for _a, f in formulaires)]):
        request.user.save(update_fields=["recap_quotidien"])
        for _affectation, formulaire in formulaires:
            formulaire.save()
        fait(request, _("Préférences enregistrées."))
        return rediriger(request, reverse("comptes:preferences"))
    fautif = bool(recap.errors or any(f.errors for _a, f in formulaires))
    return _page_preferences(request, recap=recap, alertes=formulaires, status=422 if fautif else 200)


def _page_preferences(request, *, recap=None, alertes=None, form=None, status=200):
    personne, au = request.user, aujourd_hui()
    if alertes is None:
        alertes = [(a, AlerteForm(instance=a, prefix=f"alerte{a.pk}")) for a in _alertes(personne)]
    contexte = {
        "recap": recap or RecapForm(instance=personne, prefix="recap"),
        "alertes": alertes,
        "remplacements": absences.remplacements_de(personne, au=au),
        "url_poser": reverse("comptes:absence_poser"),
        **_absences(personne, au=au, form=form),
    }
    return rendre(request, "comptes/preferences.html", "comptes/preferences.html", contexte, status=status)


def _absences(personne: Utilisateur, *, au, form=None) -> dict:
    remplacants = absences.remplacants_possibles(personne)
    return {
        "personne": personne,
        "absences": absences.absences_a_venir(personne, au=au),
        "absence_form": form or AbsenceForm(remplacants=remplacants, initial={"du": au}),
    }


def _poser(request, personne: Utilisateur) -> AbsenceForm | None:
    """None : posée. Sinon le formulaire, avec ce qui s'y oppose."""
    form = AbsenceForm(request.POST, remplacants=absences.remplacants_possibles(personne))
    if not form.is_valid():
        return form
    try:
        posee = absences.poser_absence(personne, **form.cleaned_data, acteur=request.user, le=aujourd_hui())
    except ValidationError as refus:
        for champ, textes in refus.message_dict.items():
            form.add_error(champ, textes)
        return form
    fait(
        request, _("Absence notée : %(nom)s tient le portefeuille.") % {"nom": posee.remplacant},
        annuler=reverse("comptes:absence_annuler", args=[posee.pk]),
    )  # fmt: skip
    return None


@require_POST
@exige(Droit.AGIR)
def absence_poser(request):
    """Sa propre absence."""
    form = _poser(request, request.user)
    if form is None:
        return rediriger(request, reverse("comptes:preferences"))
    return _page_preferences(request, form=form, status=422)


@require_http_methods(["GET", "HEAD", "POST"])
@exige(Droit.ADMINISTRER)
def absences_de(request, pk: int):
    """Administration : l'absence d'une personne de l'équipe."""
    personne = get_object_or_404(equipe(request), pk=pk)
    form = _poser(request, personne) if request.method == "POST" else None
    url = reverse("comptes:absences_de", args=[pk])
    if request.method == "POST" and form is None:
        return rediriger(request, url)
    contexte = {
        **_absences(personne, au=aujourd_hui(), form=form),
        "url_poser": url,
        "fil": [
            (_("Administration"), reverse("comptes:administration")),
            (personne.nom, reverse("comptes:utilisateur", args=[pk])),
        ],
    }
    statut = 422 if form is not None else 200
    return rendre(request, "comptes/absences.html", "comptes/absences.html", contexte, status=statut)


@require_POST
@exige(Droit.AGIR)
def absence_annuler(request, pk: int):
    """La sienne, ou celle d'une personne que l'on administre ; toute autre est introuvable."""
    administres = equipe(request).values("pk")
    permises = Absence.objects.filter(utilisateur=request.user) | Absence.objects.filter(utilisateur__in=administres)
    absence = get_object_or_404(permises.select_related("utilisateur", "remplacant"), pk=pk)
    if absences.annuler_absence(absence, acteur=request.user):
        fait(request, _("Absence annulée : le portefeuille revient à %(nom)s.") % {"nom": absence.utilisateur})
    if absence.utilisateur_id == request.user.pk:
        return rediriger(request, reverse("comptes:preferences"))
    return rediriger(request, reverse("comptes:absences_de", args=[absence.utilisateur_id]))
