"""Volet « Renvoyer la facture » : la copie repart, les pièces attendent quelques jours, le niveau ne bouge pas."""

from django.urls import reverse
from django.utils.functional import cached_property
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy

from factures.models import CopieFacture
from recouvrement.commun import formats
from recouvrement.commun.vues import entier
from relances.services import confirmations, renvois

from .formulaires_gestes import PiecesForm
from .volets import Issue, Volet


class Renvoyer(Volet):
    nom, titre, signe = "renvoyer", gettext_lazy("Renvoyer la facture"), "send"
    bouton = gettext_lazy("Renvoyer la facture")
    avec_effets = True
    prefixe = None

    @cached_property
    def vers(self):
        return confirmations.a_qui(self.client)

    def formulaire(self, data=None):
        piece = entier(self.params.get("piece"))
        return PiecesForm(data, pieces=self.fiche.pieces, au=self.au, prefix=self.prefixe, cochee=piece)

    def effets(self, form):
        pieces = form.choisies()
        if not pieces:
            return []
        avec = set(
            CopieFacture.objects.filter(facture__in={e.facture_id for e in pieces}).values_list("facture", flat=True)
        )
        absentes = list(dict.fromkeys(e.facture.numero for e in pieces if e.facture_id not in avec))
        phrases = []
        if not self.vers.adresse:
            phrases.append(_("Aucune adresse utilisable : une tâche demandera de la renvoyer."))
        elif avec:
            phrases.append(_("La copie part par courriel à %(adresse)s.") % {"adresse": self.vers.adresse})
        if absentes:
            phrases.append(
                _("Aucune copie rangée pour %(pieces)s : une tâche demandera de la renvoyer.")
                % {"pieces": ", ".join(absentes)}
            )
        fin = renvois.fin_du_delai(self.au, renvois.DELAI_APRES_RENVOI, self.fiche.region)
        return [*phrases, _("Ces pièces attendent jusqu'au %(jour)s ; le palier ne bouge pas.") % {
            "jour": formats.jour_long(fin)
        }]  # fmt: skip

    def enregistrer(self, form):
        renvoi = renvois.renvoyer(self.client, form.choisies(), au=self.au, acteur=self.fiche.user)
        annuler = ""
        if renvoi.message:
            annuler = reverse("clients:renvoi_annuler", args=[self.client.pk, renvoi.message.pk])
        return Issue(renvois.dire(renvoi), annuler)
