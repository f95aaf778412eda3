"""Saisies des gestes : pièces dont on parle, suite d'un litige, échange, perte, étape unique."""

from datetime import timedelta

from django import forms
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy

from clients.models import Document
from factures.models import EchangeLitige, Echeance, Litige
from recouvrement.commun.forms import CleField, JourField, MontantField

from .formulaires import AvecPieces, PiecesField, nommer, nommer_litige

DEJA_CLOS = gettext_lazy("Ce litige vient d'être clos par quelqu'un d'autre : rien n'est enregistré.")
PLUS_OUVERTE = gettext_lazy("Cette pièce vient d'être soldée, ou n'est plus à proposer : choisissez-en une autre.")


class PiecesForm(AvecPieces, forms.Form):
    """Les pièces dont on a parlé ; cochée d'avance : celle de l'adresse, sinon les échues réclamées."""

    pieces = PiecesField()

    def __init__(self, *args, pieces: list[Echeance], au, cochee: int | None = None, **kwargs):
        voulues = [e.pk for e in pieces if e.pk == cochee] or [
            e.pk for e in pieces if e.date_echeance < au and e.reclame and not e.en_contentieux
        ]
        kwargs["initial"] = {"pieces": voulues} | (kwargs.get("initial") or {})
        super().__init__(*args, use_required_attribute=False, **kwargs)
        self.poser_pieces(pieces)


class SuiteLitigeForm(forms.Form):
    FONDE, PARTIE, NON_FONDE, CLORE, PROLONGER = "fonde", "partie", "non_fonde", "clore", "prolonger"
    litige = forms.ModelChoiceField(
        queryset=Litige.objects.none(), label=gettext_lazy("Litige"), empty_label=None,
        error_messages={"invalid_choice": DEJA_CLOS},
    )  # fmt: skip
    suite = forms.ChoiceField(
        label=gettext_lazy("Issue"),
        choices=[
            (FONDE, gettext_lazy("Fondé : un avoir est attendu")),
            (PARTIE, gettext_lazy("Fondé en partie")),
            (NON_FONDE, gettext_lazy("Non fondé")),
            (CLORE, gettext_lazy("Réglé autrement")),
            (PROLONGER, gettext_lazy("Prolonger")),
        ],
        widget=forms.RadioSelect,
    )
    montant_reconnu = MontantField(label=gettext_lazy("Part reconnue"), required=False)
    issue = forms.CharField(
        label=gettext_lazy("Comment il s'est réglé, ou pourquoi il dure"),
        max_length=200,
        help_text=gettext_lazy("Par exemple : porte voilée, bon de livraison signé, réclamation retirée."),
    )
    a_traiter_le = JourField(label=gettext_lazy("Réponse ou avoir attendu le"), required=False)

    def __init__(self, *args, pieces: list[Echeance], au, **kwargs):
        kwargs["initial"] = {"a_traiter_le": au + timedelta(days=15)} | kwargs.get("initial", {})
        super().__init__(*args, use_required_attribute=False, **kwargs)
        ouverts = [e for e in pieces if e.litige]
        champ = self.fields["litige"]
        champ.queryset = Litige.objects.ouverts().filter(pk__in=[e.litige.pk for e in ouverts])
        champ.choices = [(e.litige.pk, nommer_litige(e)) for e in ouverts]

    def clean(self):
        donnees = super().clean()
        suite = donnees.get("suite")
        if suite in (self.PROLONGER, self.FONDE, self.PARTIE) and not donnees.get("a_traiter_le"):
            self.add_error("a_traiter_le", _("Dites jusqu'à quand."))
        if suite == self.PARTIE and not donnees.get("montant_reconnu"):
            self.add_error("montant_reconnu", _("Dites quelle part est reconnue."))
        return donnees


class EchangeForm(forms.Form):
    sens = forms.ChoiceField(
        label=gettext_lazy("Sens"),
        choices=EchangeLitige.Sens.choices,
        initial=EchangeLitige.Sens.RECU,
        widget=forms.RadioSelect,
    )
    le = JourField(label=gettext_lazy("Le"))
    texte = forms.CharField(
        label=gettext_lazy("Ce qui s'est dit"), max_length=4000, widget=forms.Textarea(attrs={"rows": 4})
    )
    document = forms.ModelChoiceField(
        queryset=Document.objects.none(),
        label=gettext_lazy("Document du client"),
        required=False,
        empty_label=gettext_lazy("Aucun"),
    )
    fichier = forms.FileField(
        label=gettext_lazy("Ou un fichier à joindre"),
        required=False,
        max_length=255,
        help_text=gettext_lazy("PDF, PNG ou JPEG, 15 Mo au plus."),
    )
    cle = CleField()

    def __init__(self, *args, documents, au, **kwargs):
        super().__init__(*args, use_required_attribute=False, **kwargs)
        self.fields["document"].queryset = documents


class PerteForm(forms.Form):
    """Un reste dû et sa raison ; un responsable décide."""

    echeance = forms.ModelChoiceField(
        queryset=Echeance.objects.none(), label=gettext_lazy("Pièce"), error_messages={"invalid_choice": PLUS_OUVERTE}
    )
    montant = MontantField(label=gettext_lazy("Montant proposé en perte"))
    motif = forms.CharField(
        label=gettext_lazy("Pourquoi elle ne sera pas payée"),
        max_length=250,
        help_text=gettext_lazy("Par exemple : liquidation clôturée pour insuffisance d'actif, poursuites vaines."),
    )

    def __init__(self, *args, pieces: list[Echeance], **kwargs):
        super().__init__(*args, use_required_attribute=False, **kwargs)
        champ = self.fields["echeance"]
        champ.queryset = Echeance.objects.ouvertes().filter(pk__in=[e.pk for e in pieces])
        champ.choices = [("", _("Choisir une pièce"))] + [(e.pk, nommer(e)) for e in pieces]


class EtapeForm(forms.Form):
    """Un palier choisi pour une pièce, une seule fois."""

    echeance = forms.ModelChoiceField(
        queryset=Echeance.objects.none(), label=gettext_lazy("Pièce"), error_messages={"invalid_choice": PLUS_OUVERTE}
    )
    palier = forms.TypedChoiceField(label=gettext_lazy("Étape"), coerce=int)

    def __init__(self, *args, pieces: list[Echeance], paliers: list[tuple[int, str]], **kwargs):
        super().__init__(*args, use_required_attribute=False, **kwargs)
        champ = self.fields["echeance"]
        champ.queryset = Echeance.objects.ouvertes().filter(pk__in=[e.pk for e in pieces])
        champ.choices = [("", _("Choisir une pièce"))] + [(e.pk, nommer(e)) for e in pieces]
        self.fields["palier"].choices = [("", _("Choisir une étape")), *paliers]
