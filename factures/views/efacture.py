"""Ce que dit le document électronique d'une facture, et à quel compte l'imputer quand plusieurs répondent."""

from django import forms
from django.shortcuts import get_object_or_404
from django.urls import reverse
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy
from django.views.decorators.http import require_POST

from clients.models import Client
from factures.domaine.mentions import PAR_CODE
from factures.imports import depots
from factures.models import Facture, Lot
from factures.tasks import apercevoir_lot
from recouvrement.commun.vues import fait, rediriger
from recouvrement.comptes.droits import Droit, exige, verifier_droit

from .imports import lots_visibles, reveiller

TYPES = {
    "380": gettext_lazy("Facture"), "384": gettext_lazy("Facture rectificative"),
    "386": gettext_lazy("Facture d’acompte"), "389": gettext_lazy("Autofacture"),
    "393": gettext_lazy("Facture affacturée"), "326": gettext_lazy("Facture partielle"),
    "875": gettext_lazy("Facture partielle de travaux"), "876": gettext_lazy("Facture partielle définitive de travaux"),
    "877": gettext_lazy("Facture définitive de travaux"),
}  # fmt: skip
MENTIONS = {
    "penalites": gettext_lazy("Taux des pénalités de retard"),
    "indemnite": gettext_lazy("Indemnité forfaitaire de 40 € pour frais de recouvrement"),
    "escompte": gettext_lazy("Conditions d’escompte, ou son absence"),
    "reglement": gettext_lazy("Date à laquelle le règlement doit intervenir"),
    "siren_vendeur": gettext_lazy("SIREN du vendeur"),
    "tva_vendeur": gettext_lazy("Numéro de TVA du vendeur"),
    "tva_acheteur": gettext_lazy("Numéro de TVA de l’acheteur"),
    "adresse_vendeur": gettext_lazy("Adresse du vendeur"),
    "adresse_acheteur": gettext_lazy("Adresse de l’acheteur"),
    "lignes": gettext_lazy("Désignation et quantité de ce qui est vendu"),
    "ventilation": gettext_lazy("Total hors taxe et TVA par taux"),
    "siren_acheteur": gettext_lazy("SIREN du client"),
    "categorie": gettext_lazy("Catégorie de l’opération : biens, services ou les deux"),
    "livraison": gettext_lazy("Adresse de livraison des biens, si elle diffère"),
}


def contexte(facture: Facture) -> dict:
    """`document` : ce que la fiche montre, None si la facture n'est venue d'aucun document électronique."""
    if not facture.type_document and facture.mentions_absentes is None:
        return {"document": None}
    absentes = [(MENTIONS[code], PAR_CODE[code].source) for code in facture.mentions_absentes or () if code in PAR_CODE]
    return {
        "document": {
            "type": TYPES.get(facture.type_document, _("Document")),
            "code": facture.type_document,
            "net": facture.montant_ttc - facture.acompte + facture.arrondi,
            "ajuste": bool(facture.acompte or facture.arrondi),
            "controle": facture.mentions_absentes is not None,
            "absentes": absentes,
        }
    }


class ClientForm(forms.Form):
    """cle : l'acheteur du document ; code : le compte choisi, parmi ceux de la société."""

    cle = forms.CharField(max_length=160)
    code = forms.CharField(max_length=40)

    def __init__(self, *args, lot: Lot, **kwargs):
        super().__init__(*args, **kwargs)
        self.lot = lot

    def clean(self):
        valeurs = super().clean()
        a_choisir = self.lot.compte_rendu.get("faits", {}).get("clients_a_choisir", {})
        if valeurs.get("cle") not in a_choisir:
            raise forms.ValidationError(_("Ce choix n’est plus à faire."))
        if not Client.objects.filter(societe=self.lot.societe_id, code=valeurs.get("code", "")).exists():
            raise forms.ValidationError(_("Ce compte n’existe pas dans cette société."))
        return valeurs


@require_POST
@exige(Droit.IMPORTER)
def choisir_client(request, pk: int):
    """Dit à quel compte va l'acheteur d'un document, et relit le fichier."""
    lot = get_object_or_404(lots_visibles(request), pk=pk)
    verifier_droit(request.user, Droit.IMPORTER, lot.societe_id)
    form = ClientForm(request.POST, lot=lot)
    if form.is_valid():
        clients = {**lot.corrections.get("clients", {}), form.cleaned_data["cle"]: form.cleaned_data["code"]}
        if depots.relire(lot, corrections={**lot.corrections, "clients": clients}):
            reveiller(apercevoir_lot, lot)
            fait(request, _("Compte choisi, le fichier se relit."))
    return rediriger(request, reverse("factures:import", args=[pk]))
