"""Volet « Promesse de paiement » : ce qu'elle met en pause, ce qu'elle remplace, à qui elle se confirme."""

from django.urls import reverse
from django.utils.functional import cached_property
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy, ngettext

from factures.services import limite_promesse
from recouvrement.commun import formats
from relances.services import confirmations

from .etapes import retoucher_echeances
from .formulaires import PromesseForm
from .volets import Issue, Volet, attend, valeur


class Promesse(Volet):
    nom, titre, signe, touche = "promesse", gettext_lazy("Promesse de paiement"), "clipboard-check", "p"
    bouton = gettext_lazy("Enregistrer la promesse")
    avec_effets = True
    prefixe = None

    @cached_property
    def vers(self):
        """À qui la confirmation partirait."""
        return confirmations.a_qui(self.client)

    def formulaire(self, data=None):
        derniere = self.client.promesses.order_by("-pk").values_list("pk", flat=True).first() or 0
        return PromesseForm(
            data, pieces=self.fiche.pieces, au=self.au, prefix=self.prefixe, vers=self.vers.adresse,
            initial={"version": derniere},
        )  # fmt: skip

    def effets(self, form):
        jour, montant = valeur(form, "date_promise"), valeur(form, "montant")
        pieces = form.choisies()
        if not jour or not pieces or jour < self.au:
            return []
        limite = limite_promesse(jour, self.fiche.region)
        n = len(pieces)
        phrases = [
            ngettext(
                "%(n)d pièce se met en pause jusqu'au contrôle du %(jour)s.",
                "%(n)d pièces se mettent en pause jusqu'au contrôle du %(jour)s.",
                n,
            )
            % {"n": n, "jour": formats.jour_long(limite)}
        ]
        avant = self.fiche.etapes
        apres = self.fiche.prevision.juger(retoucher_echeances([e.pk for e in pieces], promesse_jusqu_au=limite))
        if avant.le and avant.le <= limite and (avant.le, avant.nature) != (apres.le, apres.nature):
            phrases.append(attend(avant))
        remplacees = {e.promesse.pk: e.promesse for e in pieces if e.promesse and e.promesse.statut == "en_attente"}
        for ancienne in remplacees.values():
            phrases.append(
                _("Elle remplace la promesse de %(montant)s pour le %(jour)s.")
                % {
                    "montant": formats.somme(ancienne.montant, pieces[0].devise),
                    "jour": formats.jour(ancienne.date_promise),
                }
            )
        if montant:
            phrases.append(
                _("Sans %(montant)s reçus à cette date, elle est rompue : la relance reprend et une tâche vous attend.")
                % {"montant": formats.somme(montant, pieces[0].devise)}
            )
        if valeur(form, "confirmer"):
            phrases.append(self._confirmation())
        return phrases

    def _confirmation(self) -> str:
        if not self.vers.adresse:
            return _("Aucune adresse utilisable : elle ne sera pas confirmée par écrit.")
        contact = self.vers.contact
        return _("Elle se confirme par écrit à %(qui)s.") % {
            "qui": f"{contact.nom}, {self.vers.adresse}" if contact else self.vers.adresse
        }

    def enregistrer(self, form):
        donnees = form.cleaned_data
        promesse, message = confirmations.promettre_et_confirmer(
            self.client,
            form.choisies(),
            montant=donnees["montant"],
            date_promise=donnees["date_promise"],
            moyen=donnees["moyen"],
            au=self.au,
            acteur=self.fiche.user,
            confirmer=donnees["confirmer"],
            vue=donnees["version"],
        )
        phrase = _("Promesse enregistrée pour le %(jour)s.") % {"jour": formats.jour(promesse.date_promise)}
        suite = confirmations.dire(message, demandee=donnees["confirmer"], promesse=promesse)
        return Issue(
            f"{phrase} {suite}".strip(), reverse("clients:promesse_annuler", args=[self.client.pk, promesse.pk])
        )
