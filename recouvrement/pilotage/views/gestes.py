"""Gestes de Ma journée : faire, reporter, confier, rendre une tâche ; mettre un client de côté ; lire une mention."""

from urllib.parse import urlencode, urlsplit

from django.contrib import messages
from django.core.exceptions import ValidationError
from django.http import QueryDict
from django.shortcuts import get_object_or_404
from django.urls import reverse
from django.utils.translation import gettext as _
from django.views.decorators.http import require_POST

from clients import partages, reports
from clients.models import Client, Partage, Report
from recouvrement.commun import formats
from recouvrement.commun.horloge import aujourd_hui
from recouvrement.commun.vues import fait, rediriger, rendre
from recouvrement.comptes.droits import Droit, exige, verifier_droit
from relances.models import Tache
from relances.services.confier import confier_tache, rendre_tache
from relances.services.taches import reporter_tache, terminer_tache

from ..forms import ConfierForm, ReportForm, RetourForm


def _tache(request, pk: int) -> Tache:
    tache = get_object_or_404(Tache.objects.visibles_pour(request.user).select_related("societe", "client"), pk=pk)
    verifier_droit(request.user, Droit.AGIR, tache.societe_id)
    return tache


def _client(request, pk: int) -> Client:
    client = get_object_or_404(Client.objects.visibles_pour(request.user).select_related("societe"), pk=pk)
    verifier_droit(request.user, Droit.AGIR, client.societe_id)
    return client


def _retour(request, client_id: int):
    """D'où l'on vient : la fiche, la suite des clients, ou Ma journée."""
    form = RetourForm(request.POST)
    ou = form.cleaned_data["retour"] if form.is_valid() else ""
    if ou == "fiche":
        return rediriger(request, reverse("clients:fiche", args=[client_id]))
    if ou == "suite":
        return rediriger(request, f"{reverse('pilotage:suivant')}?apres={client_id}")
    return rediriger(request, reverse("pilotage:ma_journee") + _onglet(request))


def _onglet(request) -> str:
    """L'onglet de Ma journée d'où vient le geste (`?q=`, `?de=`), d'après la page qui l'a envoyé ; "" ailleurs."""
    page = urlsplit(request.headers.get("Referer", ""))
    if page.netloc != request.get_host() or page.path != reverse("pilotage:ma_journee"):
        return ""
    ici = QueryDict(page.query)
    gardes = urlencode({cle: ici[cle] for cle in ("q", "de") if ici.get(cle)})
    return f"?{gardes}" if gardes else ""


def _refuser(form, erreur: ValidationError) -> None:
    for champ, textes in erreur.message_dict.items():
        form.add_error(champ, textes)


def _refus(request, titre: str, sous_titre: str, url: str, bouton: str, form):
    """La saisie revient avec ses erreurs (422)."""
    contexte = {"titre": titre, "sous_titre": sous_titre, "url": url, "bouton": bouton, "form": form}
    return rendre(request, "pilotage/saisie.html", "pilotage/_saisie.html", contexte, status=422)


@require_POST
@exige(Droit.AGIR)
def tache_faite(request, pk: int):
    tache = _tache(request, pk)
    if terminer_tache(tache, issue=_("fait"), acteur=request.user):
        fait(request, _("« %(titre)s » : c'est fait.") % {"titre": tache.titre})
    return _retour(request, tache.client_id)


@require_POST
@exige(Droit.AGIR)
def tache_reporter(request, pk: int):
    """Report motivé d'une tâche ; refusé, la saisie revient (422)."""
    tache = _tache(request, pk)
    form = ReportForm(request.POST)
    if form.is_valid():
        try:
            reporter_tache(tache, **form.cleaned_data, acteur=request.user, le=aujourd_hui())
        except ValidationError as erreur:
            _refuser(form, erreur)
        else:
            fait(request, _("Reporté au %(jour)s.") % {"jour": formats.jour(form.cleaned_data["au"])})
            return _retour(request, tache.client_id)
    url = reverse("pilotage:tache_reporter", args=[pk])
    return _refus(request, _("Reporter une tâche"), tache.titre, url, _("Reporter"), form)


@require_POST
@exige(Droit.AGIR)
def tache_confier(request, pk: int):
    """Passer la main à un collègue, avec un mot."""
    tache = _tache(request, pk)
    form = ConfierForm(request.POST, collegues=partages.collegues(tache.client, sauf=request.user, droit=Droit.AGIR))
    if form.is_valid():
        a = form.cleaned_data["a"]
        try:
            confiee = confier_tache(tache, **form.cleaned_data, acteur=request.user, au=aujourd_hui())
        except ValidationError as erreur:
            _refuser(form, erreur)
        else:
            if confiee:
                annuler = reverse("pilotage:tache_rendre", args=[pk])
                dit = _("« %(titre)s » est dans la journée de %(nom)s.") % {"titre": tache.titre, "nom": a}
                fait(request, dit, annuler=annuler)
            else:
                messages.info(request, _("Cette tâche est déjà faite, ou déjà confiée à %(nom)s.") % {"nom": a})
            return _retour(request, tache.client_id)
    url = reverse("pilotage:tache_confier", args=[pk])
    return _refus(request, _("Confier une tâche"), tache.titre, url, _("Confier"), form)


@require_POST
@exige(Droit.AGIR)
def tache_rendre(request, pk: int):
    """Le collègue la rend, ou qui l'a confiée la reprend."""
    tache = _tache(request, pk)
    if rendre_tache(tache, acteur=request.user, au=aujourd_hui()):
        fait(request, _("« %(titre)s » revient à qui suit le client.") % {"titre": tache.titre})
    else:
        messages.info(request, _("Cette tâche n'est confiée à personne."))
    return _retour(request, 0 if not Client.objects.visibles_pour(request.user).filter(
        pk=tache.client_id).exists() else tache.client_id)  # fmt: skip


@require_POST
@exige(Droit.AGIR)
def client_reporter(request, pk: int):
    """Met tout le client de côté jusqu'à un jour ; dix secondes pour défaire."""
    client = _client(request, pk)
    form = ReportForm(request.POST)
    if form.is_valid():
        jour, motif = form.cleaned_data["au"], form.cleaned_data["motif"]
        try:
            report = reports.mettre_de_cote(client, jusqu_au=jour, motif=motif, acteur=request.user, le=aujourd_hui())
        except ValidationError as erreur:
            _refuser(form, erreur)
        else:
            dit = _("%(client)s revient le %(jour)s.") % {"client": client, "jour": formats.jour(jour)}
            fait(request, dit, annuler=reverse("pilotage:report_annuler", args=[report.pk]))
            return _retour(request, client.pk)
    url = reverse("pilotage:client_reporter", args=[pk])
    return _refus(request, _("Mettre un client de côté"), client.raison_sociale, url, _("Reporter"), form)


@require_POST
@exige(Droit.AGIR)
def report_annuler(request, pk: int):
    """Le client reprend sa place."""
    visibles = Report.objects.visibles_pour(request.user).select_related("client__societe")
    report = get_object_or_404(visibles, pk=pk)
    verifier_droit(request.user, Droit.AGIR, report.client.societe_id)
    if reports.reprendre(report, acteur=request.user):
        fait(request, _("%(client)s reprend sa place dans la journée.") % {"client": report.client})
    return _retour(request, report.client_id)


@require_POST
@exige(Droit.VOIR)
def mention_lue(request, pk: int):
    """La mention quitte ma journée ; celle d'un autre est introuvable."""
    miennes = Partage.objects.filter(utilisateur=request.user, genre=Partage.Genre.MENTION)
    mention = get_object_or_404(miennes, pk=pk)
    if partages.lire(mention):
        fait(request, _("Note lue."))
    return _retour(request, mention.client_id)
