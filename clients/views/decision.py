"""« Mise en demeure ou abandon ? » : les deux gestes, ce que chacun fera, et le motif qui reste."""

from datetime import date, timedelta

from django import forms
from django.contrib import messages
from django.shortcuts import get_object_or_404, render
from django.urls import reverse
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy, ngettext
from django.views.decorators.http import require_http_methods, require_POST

from clients.models import Client
from factures.models import Echeance
from recouvrement.commun.forms import JourField
from recouvrement.commun.horloge import aujourd_hui
from recouvrement.commun.vues import fait, rediriger
from recouvrement.comptes.droits import Droit, exige, peut, verifier_droit
from relances.models import Tache
from relances.models.echelles import CanalChoix
from relances.services import decisions, gestes

DEMEURE, ABANDON = "demeure", "abandon"
DEJA = gettext_lazy("Cette décision est déjà prise.")


class DemeureForm(forms.Form):
    motif = forms.CharField(
        label=gettext_lazy("Pourquoi mettre en demeure"), max_length=150,
        help_text=gettext_lazy("Il reste au dossier, avec la lettre."),
    )  # fmt: skip


class AbandonForm(forms.Form):
    motif = forms.CharField(label=gettext_lazy("Pourquoi abandonner"), max_length=150)
    jusqu_au = JourField(
        label=gettext_lazy("Jusqu'au"),
        required=False,
        help_text=gettext_lazy("Un an au plus. Vide : pour toujours, à passer en perte."),
    )


@require_http_methods(["GET", "HEAD", "POST"])
@exige(Droit.AGIR)
def decision(request, pk: int, tache: int):
    """GET : les pièces et ce que chaque geste ferait. POST `choix=demeure|abandon`."""
    visibles = Tache.objects.visibles_pour(request.user).select_related("client__societe", "societe")
    ouverte = get_object_or_404(visibles, pk=tache, client=pk, genre=Tache.Genre.DECISION)
    verifier_droit(request.user, Droit.AGIR, ouverte.societe_id)
    au, retour = aujourd_hui(), reverse("clients:fiche", args=[pk])
    choix = request.POST.get("choix", "")
    formulaires = {
        DEMEURE: DemeureForm(request.POST if choix == DEMEURE else None, prefix=DEMEURE),
        ABANDON: AbandonForm(
            request.POST if choix == ABANDON else None, prefix=ABANDON, initial={"jusqu_au": au + timedelta(days=90)}
        ),
    }
    form = formulaires.get(choix)
    if form is not None and form.is_valid():
        try:
            return rediriger(request, _trancher(request, ouverte, choix, form.cleaned_data, au=au))
        except gestes.Refus as raison:
            form.add_error(None, str(raison))
    if ouverte.faite_le:
        messages.info(request, DEJA)
        return rediriger(request, retour)
    pieces = decisions.pieces_a_trancher(ouverte.client, au=au)
    contexte = {
        "client": ouverte.client,
        "tache": ouverte,
        "au": au,
        "pieces": pieces,
        "peut_envoyer": peut(request.user, Droit.ENVOYER, ouverte.societe_id),
        **_apercu(ouverte.client, pieces, au),
        "form_demeure": formulaires[DEMEURE],
        "form_abandon": formulaires[ABANDON],
    }
    return render(request, "clients/decision.html", contexte, status=422 if request.method == "POST" else 200)


@require_POST
@exige(Droit.AGIR)
def trancher(request, pk: int):
    """Ouvre la décision sans attendre que la nuit la demande ; redire rend la même."""
    client = get_object_or_404(Client.objects.visibles_pour(request.user).select_related("societe"), pk=pk)
    verifier_droit(request.user, Droit.AGIR, client.societe_id)
    try:
        tache = decisions.ouvrir_decision(client, au=aujourd_hui())
    except gestes.Refus as raison:
        messages.info(request, str(raison))
        return rediriger(request, reverse("clients:fiche", args=[pk]))
    return rediriger(request, reverse("clients:decision", args=[pk, tache.pk]))


def _apercu(client: Client, pieces: list[Echeance], au: date) -> dict:
    """Ce qui se préparerait, ou pourquoi rien ne peut l'être ; n'écrit rien."""
    canaux, ids = dict(CanalChoix.choices), [e.pk for e in pieces]
    try:
        resultats = gestes.proposer_maintenant(client, au=au, derogation=_("à motiver"), pieces=ids)
    except gestes.Refus as raison:
        return {"envois": [], "refus": str(raison)}
    return {"envois": [(v, canaux[v.canal]) for _f, _p, r in resultats for v in r.envois], "refus": ""}


def _trancher(request, tache: Tache, choix: str, donnees: dict, *, au: date) -> str:
    """Appelle le service, dit ce qui est fait (ou l'était déjà), rend l'adresse où aller."""
    fiche = reverse("clients:fiche", args=[tache.client_id])
    if choix == DEMEURE:
        verifier_droit(request.user, Droit.ENVOYER, tache.societe_id)
        courriers = decisions.lancer_mise_en_demeure(tache, motif=donnees["motif"], par=request.user, au=au)
        if courriers:
            fait(request, _("Mise en demeure préparée : relisez-la, puis validez."))
            return reverse("relances:courrier", args=[courriers[0].pk])
    elif exclusions := decisions.abandonner(tache, **donnees, par=request.user, au=au):
        n = len(exclusions)
        fait(request, ngettext("%(n)d pièce ne se relance plus.", "%(n)d pièces ne se relancent plus.", n) % {"n": n})
        return f"{fiche}?o=compte"
    messages.info(request, DEJA)
    return fiche
