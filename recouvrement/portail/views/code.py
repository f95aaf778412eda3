"""Le code court d'une lettre : sans effet sans le numéro de client, réponses uniformes."""

from django import forms
from django.http import HttpResponseRedirect
from django.shortcuts import render
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy
from django.views.decorators.http import require_http_methods

from recouvrement.commun.horloge import aujourd_hui
from recouvrement.portail import acces as porte
from recouvrement.portail import limitation
from recouvrement.portail.acces import publique
from relances.services import liens


class CodeForm(forms.Form):
    code = forms.CharField(label=gettext_lazy("Code de la lettre"), max_length=20)
    numero = forms.CharField(label=gettext_lazy("Votre numéro de client"), max_length=60)


@publique
@require_http_methods(["GET", "HEAD", "POST"])
def saisir(request):
    """Un code et un numéro justes mènent à la page ; tout le reste répond la même chose."""
    langue = porte.langue_demandee(request, "fr")
    formulaire = CodeForm(request.POST if request.method == "POST" else None)
    if request.method != "POST":
        return render(request, "portail/code.html", {"form": formulaire, "langue": langue})
    if not limitation.permis(request, "code"):
        return porte.trop_d_essais(request)
    lien = None
    if formulaire.is_valid():
        lien = liens.reconnaitre_code(formulaire.cleaned_data["code"], formulaire.cleaned_data["numero"])
    if lien and not lien.revoque_le and lien.expire_le >= aujourd_hui() and liens.reglage_ouvert(lien.client.societe):
        reponse = HttpResponseRedirect(liens.adresse_relative(lien))
        reponse.status_code = 303
        return reponse
    limitation.rate(request, "code")
    if not formulaire.errors:
        formulaire.add_error(None, _("Ce code et ce numéro ne vont pas ensemble, ou le code n’est plus valable."))
    return render(request, "portail/code.html", {"form": formulaire, "langue": langue}, status=422)
