"""Le statut de la facture électronique sur sa fiche : ce qu'il fait à la relance, et le geste qui le note."""

from datetime import date
from decimal import Decimal

from django import forms
from django.contrib import messages
from django.core.exceptions import ValidationError
from django.shortcuts import get_object_or_404
from django.urls import reverse
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy
from django.views.decorators.http import require_POST

from factures.domaine.statuts_fe import CONTESTENT, Effet, effet
from factures.donnees import statuts_fe
from factures.models import Echeance, Facture, StatutRecu
from factures.services.statuts_fe import TROIS_CHIFFRES, Suite, nommer, noter_statut
from factures.services.statuts_fe_212 import EMIS, a_produire
from recouvrement.commun.forms import JourField
from recouvrement.commun.horloge import aujourd_hui
from recouvrement.commun.vues import fait, rediriger
from recouvrement.comptes.droits import Droit, exige, peut, verifier_droit

RECUS = 50
DEBUT = date(1950, 1, 1)
TONS = {Effet.ARRETE: "mal", Effet.RETIENT: "att", Effet.A_VERIFIER: "att", Effet.INFORMATION: ""}


class StatutForm(forms.Form):
    """Le code se choisit dans la liste ou se tape ; celui que la liste ignore se note aussi."""

    code = forms.CharField(
        label=gettext_lazy("Statut"),
        max_length=3,
        error_messages=dict.fromkeys(("required", "max_length"), TROIS_CHIFFRES),
        widget=forms.TextInput(
            attrs={"list": "statuts-fe", "inputmode": "numeric", "pattern": "[0-9]{3}", "autocomplete": "off"}
        ),
    )
    le = JourField(
        label=gettext_lazy("Donné le"),
        error_messages=dict.fromkeys(
            ("required", "invalid"), gettext_lazy("Dites quel jour la plateforme a donné ce statut.")
        ),
    )

    def __init__(self, *args, facture: Facture, au: date, **kwargs):
        super().__init__(*args, initial={"le": au}, auto_id="statut-%s", **kwargs)
        self.fields["le"].widget.attrs |= {"min": facture.date_emission.isoformat(), "max": au.isoformat()}


def _phrase(de: Effet) -> str:
    return {
        Effet.ARRETE: _("Arrête la relance : la facture est à remplacer par une rectificative ou un avoir."),
        Effet.RETIENT: _("Retient la relance : répondez au client, puis notez le statut suivant."),
        Effet.A_VERIFIER: _("À vérifier : retient la relance tant qu'un litige ou un paiement ne le confirme pas."),
        Effet.INFORMATION: _("Information : ne change rien à la relance."),
    }[de]


def contexte(request, facture: Facture, echeances: list[Echeance]) -> dict:
    """echeances : celles de la facture, leur `litige` ouvert déjà lu."""
    statut = None
    if facture.statut_fe:
        de = effet(facture.statut_fe)
        libres = [e for e in echeances if e.reste_du and not e.litige]
        statut = {
            "nom": nommer(facture.statut_fe),
            "le": facture.statut_fe_le,
            "phrase": _phrase(de),
            "ton": TONS[de],
            "a_contester": libres[0] if libres and facture.statut_fe in CONTESTENT else None,
        }
    agir = peut(request.user, Droit.AGIR, facture.societe_id)
    recus = StatutRecu.objects.filter(facture=facture).select_related("decidee_par").order_by("-le", "-pk")[:RECUS]
    declare = facture.tva_encaissements and facture.numero_reel
    return {
        "statut_fe": statut,
        "statuts_recus": [(s, nommer(s.code), s.motif_code == EMIS) for s in recus],
        "encaisse_a_dire": sum(
            (x.montant for x in a_produire(Facture.objects.filter(pk=facture.pk), du=DEBUT, au=aujourd_hui())),
            Decimal("0.00"),
        )
        if declare
        else Decimal("0.00"),
        "declare_encaissements": declare,
        "peut_exporter_statuts": peut(request.user, Droit.EXPORTER, facture.societe_id),
        "statuts_fe": statuts_fe() if agir else {},
        "statut_form": StatutForm(facture=facture, au=aujourd_hui()) if agir else None,
    }


@require_POST
@exige(Droit.AGIR)
def noter(request, pk: int):
    facture = get_object_or_404(Facture.objects.visibles_pour(request.user).select_related("societe"), pk=pk)
    verifier_droit(request.user, Droit.AGIR, facture.societe_id)
    au = aujourd_hui()
    form = StatutForm(request.POST, facture=facture, au=au)
    try:
        if not form.is_valid():
            raise ValidationError([erreur for liste in form.errors.values() for erreur in liste])
        suite = noter_statut(facture, **form.cleaned_data, au=au, acteur=request.user)
    except ValidationError as refus:
        messages.error(request, " ".join(refus.messages))
    else:
        nom = {"statut": nommer(form.cleaned_data["code"])}
        if suite is Suite.NOTE:
            fait(request, _("Statut noté : %(statut)s.") % nom)
        elif suite is Suite.ANCIEN:
            messages.info(request, _("Un statut plus récent est déjà noté : « %(statut)s » reste au journal.") % nom)
        else:
            messages.info(request, _("Ce statut était déjà noté."))
    return rediriger(request, f"{reverse('factures:fiche', args=[pk])}#statut-fe")
