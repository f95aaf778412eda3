"""Administration : les sociétés créancières, et les taux communs à toutes."""

from datetime import date, timedelta

from django.core.exceptions import ValidationError
from django.shortcuts import get_object_or_404, render
from django.urls import reverse
from django.utils.translation import gettext as _
from django.views.decorators.http import require_http_methods, require_safe

from factures.domaine.bareme import Bareme, bornes, semestre
from factures.models import SemestreConnu, TauxBCE, TauxLegal
from factures.services import (
    ajouter_semestre,
    bareme,
    corriger_semestre,
    manque_au_semestre,
    phrase_de_rappel,
)
from recouvrement.commun.horloge import aujourd_hui
from recouvrement.commun.vues import fait, rediriger
from relances.services.plans import installer_plans

from ..droits import Droit, exige
from ..forms import CorrectionTauxForm, SocieteForm, TauxForm
from ..onglets import onglets_administration
from ..services import enregistrer_societe
from .administration import administrees


@require_safe
@exige(Droit.ADMINISTRER)
def societes(request):
    """Écran « Sociétés » : ce qui manque à chacune, et quand sa nuit passe."""
    contexte = {
        "societes": administrees(request),
        "onglets": onglets_administration("comptes:societes"),
        "rappel_taux": phrase_de_rappel(aujourd_hui()),
    }
    return render(request, "comptes/societes.html", contexte)


@require_http_methods(["GET", "HEAD", "POST"])
@exige(Droit.ADMINISTRER)
def societe(request, pk: int | None = None):
    """Fiche d'une société, ou société nouvelle : elle reçoit les plans de relance livrés."""
    instance = get_object_or_404(administrees(request), pk=pk) if pk else None
    formulaire = SocieteForm(request.POST or None, instance=instance)
    if request.method == "POST" and formulaire.is_valid():
        enregistree = enregistrer_societe(
            formulaire.save(commit=False), acteur=request.user, modifies=formulaire.changed_data
        )
        if instance is None:
            installer_plans(enregistree)
        fait(request, _("%(societe)s : modifications enregistrées.") % {"societe": enregistree})
        return rediriger(request, reverse("comptes:societes"))
    contexte = {
        "formulaire": formulaire,
        "societe": instance,
        # Les manques de ce qui est enregistré, non de la saisie en cours.
        "manques": instance._meta.model.objects.get(pk=pk).manques() if instance else [],
        "fil": [(_("Administration"), reverse("comptes:administration")), (_("Sociétés"), reverse("comptes:societes"))],
    }
    return render(request, "comptes/societe.html", contexte, status=422 if formulaire.errors else 200)


@require_http_methods(["GET", "HEAD", "POST"])
@exige(Droit.ADMINISTRER)
def taux(request):
    """Écran « Taux » : chaque semestre relevé avec sa source, le suivant à compléter, ou un à corriger."""
    calculs, au = bareme(), aujourd_hui()
    lignes = _lignes(calculs)
    releve = next((ligne for ligne in lignes if ligne["semestre"] == request.GET.get("corriger")), None)
    prochain = releve["semestre"] if releve else _a_relever(calculs, au)
    if releve:
        depart = {"refi": releve["refi"], "autres": releve["legal"], "particuliers": releve["particuliers"]}
        formulaire = CorrectionTauxForm(request.POST or None, initial=depart)
    else:
        formulaire = TauxForm(request.POST or None)
    if request.method == "POST" and formulaire.is_valid():
        ecrire = corriger_semestre if releve else ajouter_semestre
        dire = _("Taux du semestre %(semestre)s enregistrés.")
        if releve:
            dire = _("Taux du semestre %(semestre)s corrigés.")
        try:
            ecrire(prochain, acteur=request.user, au=au, **formulaire.cleaned_data)
        except ValidationError as refus:
            formulaire.add_error(None, refus)
        else:
            fait(request, dire % {"semestre": prochain})
            return rediriger(request, reverse("comptes:taux"))
    contexte = {
        "onglets": onglets_administration("comptes:taux"),
        "formulaire": formulaire,
        "prochain": prochain,
        "prochain_debut": bornes(prochain)[0],
        "lignes": lignes,
        "corrige": bool(releve),
        "derniere_bce": TauxBCE.objects.first(),
        "rappel_taux": phrase_de_rappel(au),
    }
    return render(request, "comptes/taux.html", contexte, status=422 if formulaire.errors else 200)


def _a_relever(calculs: Bareme, jour: date) -> str:
    """Premier semestre incomplet à partir de celui du jour."""
    sem = semestre(jour)
    while not manque_au_semestre(calculs, sem):
        sem = semestre(bornes(sem)[1] + timedelta(days=1))
    return sem


def _lignes(calculs: Bareme) -> list[dict]:
    """Un semestre par ligne, le plus récent d'abord ; un taux absent reste vide."""
    legaux = {t.semestre: t for t in TauxLegal.objects.all()}
    connus = {s.semestre: s for s in SemestreConnu.objects.all()}
    return [
        {
            "semestre": sem,
            "refi": connus[sem].refi if sem in connus else None,
            "entreprise": calculs.taux_defaut_entreprise(sem) if sem in connus else None,
            "public": calculs.taux_public(sem) if sem in connus else None,
            "legal": legaux[sem].autres if sem in legaux else None,
            "particuliers": legaux[sem].particuliers if sem in legaux else None,
            "plancher": calculs.plancher(sem) if sem in legaux else None,
            "sources": [t.source for t in (connus.get(sem), legaux.get(sem)) if t],
        }
        for sem in sorted(connus.keys() | legaux.keys(), reverse=True)
    ]
