"""Ce que le débiteur saisit : borné, et relu par le service. Le montant à payer par carte n'est dans aucun champ."""

from datetime import date, timedelta

from django import forms
from django.core.exceptions import ValidationError
from django.utils.translation import gettext_lazy as _

from factures.models import Litige
from factures.models.grand_livre import Mode
from recouvrement.commun.forms import CleField, JourField, MontantField
from recouvrement.commun.vues import entier
from relances.services.declarations_portail import CATEGORIES

PIECES_MAX = 300
MOYENS = (Mode.VIREMENT, Mode.CHEQUE, Mode.CARTE, Mode.PRELEVEMENT, Mode.ESPECES, Mode.AUTRE)


class PiecesField(forms.MultipleChoiceField):
    """Clés de pièces de ce client ; tout autre identifiant est un choix qui n'existe pas."""

    def to_python(self, value):
        cles = super().to_python(value)
        if len(cles) > PIECES_MAX:
            raise ValidationError(_("Choisissez moins de factures à la fois."))
        return cles

    def valid_value(self, value):
        return entier(str(value)) in self.permises

    def clean(self, value):
        return [entier(cle) for cle in super().clean(value)]

    permises: frozenset[int] = frozenset()


def cochees_d_abord(pieces: list, au: date) -> list:
    """Les échues, à défaut toutes ; d'une seule devise, celle de la plus ancienne."""
    choisies = [p for p in pieces if p.date_echeance < au] or pieces
    return [p for p in choisies if p.devise == choisies[0].devise]


class _Declaration(forms.Form):
    """pieces : celles que la page offre, `pk`, `reste_du` ; `choisies` d'avance : les échues."""

    pieces = PiecesField(label=_("Factures concernées"), error_messages={"required": _("Cochez au moins une facture.")})
    nom = forms.CharField(label=_("Votre nom"), max_length=120, required=False)
    texte = forms.CharField(label=_("Votre message"), max_length=2000, required=False, widget=forms.Textarea)
    cle = CleField(required=True, min_length=8)

    def __init__(self, data=None, *, pieces, au: date, **kwargs):
        super().__init__(data, **kwargs)
        self.offertes, self.au = list(pieces), au
        self.fields["pieces"].permises = frozenset(p.pk for p in self.offertes)
        self.fields["texte"].widget.attrs["rows"] = 3
        for field in self.fields.values():
            liste = isinstance(field.widget, forms.Select)
            field.widget.attrs["class"] = "form-select" if liste else "form-control"
        self.fields["nom"].widget.attrs["autocomplete"] = "name"

    @property
    def cochees(self) -> set[int]:
        """Les cases cochées : ce qui a été envoyé, sinon celles de `cochees_d_abord`."""
        if self.is_bound:
            return {entier(cle) for cle in self.data.getlist("pieces")}
        return {p.pk for p in cochees_d_abord(self.offertes, self.au)}


class PayeForm(_Declaration):
    montant = MontantField(label=_("Montant payé"), min_value=None)
    le = JourField(label=_("Payé le"), avance=timedelta(days=366))
    moyen = forms.ChoiceField(label=_("Par"), choices=[(m.value, m.label) for m in MOYENS])


class ContesteForm(_Declaration):
    categorie = forms.ChoiceField(
        label=_("Motif"), choices=[("", _("Choisissez"))] + [(c, Litige.Categorie(c).label) for c in CATEGORIES]
    )
    montant = MontantField(label=_("Part contestée"), required=False, min_value=None)

    def __init__(self, *args, **kwargs):
        super().__init__(*args, **kwargs)
        self.fields["texte"].required = True
        self.fields["texte"].label = _("Ce que vous contestez")

    @property
    def cochees(self) -> set[int]:
        return super().cochees if self.is_bound or len(self.offertes) == 1 else set()


class PrometForm(_Declaration):
    montant = MontantField(label=_("Montant que vous paierez"), min_value=None)
    le = JourField(label=_("Le"), avance=timedelta(days=2 * 366))


class DelaiForm(_Declaration):
    premiere = JourField(label=_("Premier versement"))
    nombre = forms.TypedChoiceField(
        label=_("En combien de fois ?"), coerce=int, choices=[(n, str(n)) for n in range(2, 7)],
        error_messages={"required": _("Choisissez en combien de fois.")},
    )  # fmt: skip


FORMULAIRES = {"paye": PayeForm, "conteste": ContesteForm, "promet": PrometForm, "delai": DelaiForm}


class CodeForm(forms.Form):
    adresse = forms.CharField(label=_("Recevoir le code à"), max_length=30)


class SignerForm(forms.Form):
    code = forms.CharField(label=_("Code reçu"), max_length=12)
    nom = forms.CharField(label=_("Votre nom"), max_length=120)
    qualite = forms.CharField(label=_("Votre qualité"), max_length=120)
    lu = forms.BooleanField(
        label=_("J’ai lu l’accord et je l’accepte."), required=False,
    )  # fmt: skip
