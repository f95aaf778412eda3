"""Volets d'un litige : l'ouvrir, tenir son fil, le décider, le prolonger (exigence 33)."""

from decimal import Decimal

from django.core.exceptions import ValidationError
from django.db import transaction
from django.http import Http404
from django.utils.functional import cached_property
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy

from clients.documents import ajouter_document
from clients.models import Client
from clients.partages import confier
from factures.models import Litige as ModeleLitige
from factures.services import clore_litige, ouvrir_litige, prolonger_litige, reconnaitre_litige
from factures.services.echanges import noter_echange
from recouvrement.commun import formats
from recouvrement.commun.vues import entier
from relances import motifs

from .etapes import retoucher_echeances
from .formulaires import LitigeForm
from .formulaires_gestes import EchangeForm, SuiteLitigeForm
from .volets import Issue, Volet, valeur

ZERO = Decimal("0.00")
FIL_MAX = 200  # échanges montrés ; au-delà, la chronologie


class Litige(Volet):
    nom, titre, signe, touche = "litige", gettext_lazy("Ouvrir un litige"), "scale", "l"
    bouton = gettext_lazy("Ouvrir le litige")
    avec_effets = True
    prefixe = None

    def formulaire(self, data=None):
        depart = {"responsable": self.client.gestionnaire_id}
        if (piece := entier(self.params.get("piece"))) is not None:
            depart["echeance"] = piece
        return LitigeForm(
            data, pieces=self.fiche.pieces, equipe=self.fiche.equipe, au=self.au, prefix=self.prefixe, initial=depart
        )

    def effets(self, form):
        choisie, montant = valeur(form, "echeance"), valeur(form, "montant")
        pk = getattr(choisie, "pk", choisie)
        piece = next((e for e in self.fiche.pieces if e.pk == pk), None)
        if not piece or not montant or montant > piece.reste_du:
            return []
        numero, reste = piece.facture.numero, piece.reste_du - montant
        phrases = [
            _("%(montant)s ne sont plus réclamés sur %(piece)s.")
            % {"montant": formats.somme(montant, piece.devise), "piece": numero}
        ]
        if reste:
            phrases.append(
                _("Les %(reste)s restants suivent l'échelle, sauf la mise en demeure.")
                % {"reste": formats.somme(reste, piece.devise)}
            )
        if jour := valeur(form, "a_traiter_le"):
            phrases.append(_("Le litige revient dans Ma journée le %(jour)s.") % {"jour": formats.jour_long(jour)})
        return phrases

    @transaction.atomic
    def enregistrer(self, form):
        donnees = form.cleaned_data
        ouvrir_litige(
            donnees["echeance"],
            montant=donnees["montant"],
            categorie=donnees["categorie"],
            a_traiter_le=donnees["a_traiter_le"],
            description=donnees["description"],
            responsable=donnees["responsable"],
            au=self.au,
            acteur=self.fiche.user,
        )
        phrase = _("Litige ouvert sur %(piece)s.") % {"piece": donnees["echeance"].facture}
        return Issue(f"{phrase} {self._ouvrir_au_responsable(donnees)}".strip())

    def _ouvrir_au_responsable(self, donnees: dict) -> str:
        """Qui traite le litige sans suivre ce client trouve sa fiche, et le litige dans sa journée."""
        responsable = donnees["responsable"]
        if responsable is None or Client.objects.visibles_pour(responsable).filter(pk=self.client.pk).exists():
            return ""
        motif = _("Litige sur %(piece)s") % {"piece": donnees["echeance"].facture}
        confier(self.client, a=responsable, motif=motif, acteur=self.fiche.user, au=self.au)
        return _("La fiche s'ouvre à %(nom)s, qui le traite.") % {"nom": responsable}


class _AvecFil(Volet):
    """Le litige de `?litige=`, ouvert ou clos, et tout ce qui s'en est dit."""

    @cached_property
    def litige(self) -> ModeleLitige | None:
        lus = ModeleLitige.objects.filter(echeance__client=self.client).select_related(
            "echeance__facture", "responsable", "auteur"
        )
        demande = entier(self.params.get("litige"))
        if demande is not None:
            return lus.filter(pk=demande).first()
        return lus.ouverts().first()

    def contexte(self, form):
        litige = self.litige
        echanges = list(litige.echanges.select_related("auteur", "document")[:FIL_MAX]) if litige else []
        return {"litige": litige, "echanges": echanges}


class SuiteLitige(_AvecFil):
    nom, titre, signe = "clore", gettext_lazy("Litige"), "scale"
    bouton = gettext_lazy("Enregistrer la suite du litige")
    avec_effets = True

    def formulaire(self, data=None):
        demande = entier(self.params.get("litige"))
        depart = {} if demande is None else {"litige": demande}
        return SuiteLitigeForm(data, pieces=self.fiche.pieces, au=self.au, initial=depart)

    def effets(self, form):
        choisi = valeur(form, "litige")
        pk = int(getattr(choisi, "pk", choisi) or 0)
        piece = next((e for e in self.fiche.pieces if e.litige and (not pk or e.litige.pk == pk)), None)
        if not piece:
            return []
        suite, jour = valeur(form, "suite"), valeur(form, "a_traiter_le")
        revient = _("Le litige revient dans Ma journée le %(jour)s.")
        if suite == SuiteLitigeForm.PROLONGER:
            return [revient % {"jour": formats.jour_long(jour)}] if jour else []
        if suite in (SuiteLitigeForm.FONDE, SuiteLitigeForm.PARTIE):
            reconnu = piece.conteste if suite == SuiteLitigeForm.FONDE else valeur(form, "montant_reconnu")
            if not reconnu or reconnu > piece.conteste:
                return []
            phrases = [
                _("%(montant)s attendent un avoir et ne sont plus réclamés sur %(piece)s : posé, il clôt le litige.")
                % {"montant": formats.somme(reconnu, piece.devise), "piece": piece.facture.numero}
            ]
            if rendu := piece.conteste - reconnu:
                phrases.append(
                    _("%(montant)s sont de nouveau réclamés sur %(piece)s.")
                    % {"montant": formats.somme(rendu, piece.devise), "piece": piece.facture.numero}
                )
            return [*phrases, revient % {"jour": formats.jour_long(jour)}] if jour else phrases
        decision = self.fiche.prevision.juger(retoucher_echeances([piece.pk], conteste=ZERO)).par_piece.get(piece.pk)
        phrases = [
            _("%(montant)s sont de nouveau réclamés sur %(piece)s.")
            % {"montant": formats.somme(piece.conteste, piece.devise), "piece": piece.facture.numero}
        ]
        if decision:
            phrases.append(_("Suite : %(phrase)s.") % {"phrase": motifs.phrase(decision)})
        return phrases

    def enregistrer(self, form):
        d, acteur = form.cleaned_data, self.fiche.user
        litige, suite = d["litige"], d["suite"]
        if suite == SuiteLitigeForm.PROLONGER:
            prolonger_litige(litige, a_traiter_le=d["a_traiter_le"], motif=d["issue"], au=self.au, acteur=acteur)
            return Issue(_("Litige prolongé jusqu'au %(jour)s.") % {"jour": formats.jour(d["a_traiter_le"])})
        if suite in (SuiteLitigeForm.FONDE, SuiteLitigeForm.PARTIE):
            montant = litige.montant_conteste if suite == SuiteLitigeForm.FONDE else d["montant_reconnu"]
            reconnaitre_litige(
                litige, montant=montant, motif=d["issue"], a_traiter_le=d["a_traiter_le"], au=self.au, acteur=acteur
            )
            return Issue(_("Réclamation reconnue : la part contestée attend son avoir."))
        decision = ModeleLitige.Decision.NON_FONDE if suite == SuiteLitigeForm.NON_FONDE else ""
        clore_litige(litige, issue=d["issue"], au=self.au, acteur=acteur, decision=decision)
        return Issue(_("Litige clos : la pièce rentre dans l'échelle."))


class Echange(_AvecFil):
    """Ce que le client a dit, ce qu'on lui a répondu, ou une note entre soi ; jamais réécrit."""

    nom, titre, signe = "echange", gettext_lazy("Échange sur le litige"), "message"
    bouton = gettext_lazy("Ajouter au fil")

    @property
    def url(self):
        return f"{super().url}?litige={self.litige.pk}" if self.litige else super().url

    def formulaire(self, data=None):
        if self.litige is None:
            raise Http404
        return EchangeForm(
            data, self.fichiers, documents=self.client.documents.gardes(), au=self.au, initial={"le": self.au}
        )

    @transaction.atomic
    def enregistrer(self, form):
        d = form.cleaned_data
        document = d["document"]
        if d["fichier"]:
            try:
                document, _neuf = ajouter_document(
                    self.client, octets=d["fichier"].read(), nom=d["fichier"].name, acteur=self.fiche.user
                )
            except ValidationError as refus:
                raise ValidationError({"fichier": refus.messages}) from refus
        noter_echange(
            self.litige, sens=d["sens"], le=d["le"], texte=d["texte"], document=document, au=self.au, cle=d["cle"],
            acteur=self.fiche.user,
        )  # fmt: skip
        return Issue(_("Échange ajouté au fil du litige."))
