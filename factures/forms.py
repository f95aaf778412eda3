"""Saisies de l'argent reçu."""

import uuid
from decimal import Decimal

from django import forms
from django.core.exceptions import ValidationError
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy

from clients.models import Client
from recouvrement.commun import formats
from recouvrement.commun.forms import JourField, MontantField

from .models.grand_livre import Mode

ZERO = Decimal("0.00")


def nouvelle_cle() -> str:
    return uuid.uuid4().hex


class EncaissementForm(forms.Form):
    """Un règlement reçu. Le client se désigne par son code, ou « code – nom » tel que la liste le propose.

    clients : le périmètre où la personne peut agir.
    """

    cle = forms.CharField(max_length=40, widget=forms.HiddenInput)
    client = forms.CharField(label=gettext_lazy("Client"), max_length=220)
    montant = MontantField(label=gettext_lazy("Montant"), min_value=Decimal("0.01"))
    devise = forms.CharField(label=gettext_lazy("Devise"), min_length=3, max_length=3, initial="EUR")
    recu_le = JourField(label=gettext_lazy("Reçu le"))
    mode = forms.ChoiceField(label=gettext_lazy("Mode"), choices=Mode.choices, initial=Mode.VIREMENT)
    reference = forms.CharField(label=gettext_lazy("Référence"), max_length=80, required=False)
    libelle = forms.CharField(
        label=gettext_lazy("Libellé"),
        max_length=200,
        required=False,
        help_text=gettext_lazy("Tel que la banque l'écrit : un numéro de facture cité guide l'affectation."),
    )

    def __init__(self, *args, clients, au, **kwargs):
        super().__init__(*args, **kwargs)
        self.clients, self.au = clients, au
        self.fields["cle"].initial = nouvelle_cle
        self.fields["recu_le"].initial = au

    def clean_devise(self):
        devise = self.cleaned_data["devise"].upper()
        if not devise.isalpha() or not devise.isascii():
            raise ValidationError(_("Trois lettres, comme EUR ou USD."))
        return devise

    def clean_recu_le(self):
        if self.cleaned_data["recu_le"] > self.au:
            raise ValidationError(_("La date de réception ne peut pas être à venir."))
        return self.cleaned_data["recu_le"]

    def clean_client(self):
        """L'instance. Un code porté par deux sociétés demande d'en choisir une d'abord."""
        saisi = self.cleaned_data["client"].strip()
        code = saisi.split(" – ")[0].strip()
        trouves = list(self.clients.filter(code__iexact=code).select_related("societe")[:2])
        if not trouves:
            trouves = list(self.clients.filter(raison_sociale__iexact=saisi).select_related("societe")[:2])
        if not trouves:
            raise ValidationError(_("Aucun client de votre portefeuille n'a ce code ni ce nom."))
        if len(trouves) > 1:
            raise ValidationError(_("Plusieurs clients répondent : choisissez d'abord la société, ou tapez le code."))
        return trouves[0]


class AffectationForm(forms.Form):
    """Un montant par échéance ouverte. `vu` : part déjà affectée lors de l'affichage, contre un second onglet."""

    cle = forms.CharField(max_length=40, widget=forms.HiddenInput)
    vu = forms.DecimalField(max_digits=15, decimal_places=2, widget=forms.HiddenInput)
    designees = forms.CharField(max_length=2000, required=False, widget=forms.HiddenInput)

    def __init__(self, data=None, *, source, echeances, parts=None, designees=(), accessoires=(), verses=None):
        initial = {"cle": nouvelle_cle(), "vu": source.impute, "designees": ",".join(map(str, designees))}
        super().__init__(data, initial=initial)
        self.source, self.echeances, self.accessoires = source, echeances, list(accessoires)
        self.reste = source.montant - source.impute
        for e in echeances:
            self.fields[f"e{e.pk}"] = MontantField(
                label=_("Affecté à %(piece)s") % {"piece": e.facture}, required=False, initial=(parts or {}).get(e.pk)
            )
            self.fields[f"e{e.pk}"].widget.attrs["class"] = "num saisie"
        for a in self.accessoires:
            self.fields[f"a{a.facture.pk}"] = MontantField(
                label=_("Affecté aux accessoires de %(piece)s") % {"piece": a.facture}, required=False,
                initial=(verses or {}).get(a.facture.pk),
            )  # fmt: skip
            self.fields[f"a{a.facture.pk}"].widget.attrs["class"] = "num saisie"

    @property
    def lignes(self) -> list[tuple]:
        """[(échéance, champ lié)]."""
        return [(e, self[f"e{e.pk}"]) for e in self.echeances]

    @property
    def lignes_accessoires(self) -> list[tuple]:
        """[(accessoires dus, champ lié)]."""
        return [(a, self[f"a{a.facture.pk}"]) for a in self.accessoires]

    def parts_accessoires(self) -> list[tuple[int, Decimal]]:
        """[(facture, montant)]."""
        return [
            (a.facture.pk, montant) for a in self.accessoires if (montant := self.cleaned_data.get(f"a{a.facture.pk}"))
        ]

    def parts(self) -> list[tuple[int, Decimal]]:
        return [(e.pk, montant) for e in self.echeances if (montant := self.cleaned_data.get(f"e{e.pk}"))]

    def designees_par_le_debiteur(self) -> list[int]:
        """Échéances de ce compte que la saisie dit désignées par le débiteur et qui reçoivent une part."""
        dites = self.cleaned_data.get("designees", "").split(",")
        return [pk for pk, _montant in self.parts() if str(pk) in dites]

    @property
    def total(self) -> Decimal:
        """Somme des montants lisibles, même refusés : l'écart se voit pendant la saisie."""
        if self.is_bound:
            self.is_valid()
            return self.saisi
        return sum((c.initial or ZERO for nom, c in self.fields.items() if nom[0] in "ea"), ZERO)

    def clean(self):
        super().clean()
        self.saisi = sum((montant for _cle, montant in [*self.parts(), *self.parts_accessoires()]), ZERO)
        for e in self.echeances:
            montant = self.cleaned_data.get(f"e{e.pk}")
            if montant and montant > e.reste_du:
                reste = formats.somme(e.reste_du, e.devise)
                self.add_error(f"e{e.pk}", _("Il n'y reste que %(reste)s à payer.") % {"reste": reste})
        for a in self.accessoires:
            if (self.cleaned_data.get(f"a{a.facture.pk}") or ZERO) > a.montant:
                du = formats.somme(a.montant, self.source.devise)
                self.add_error(f"a{a.facture.pk}", _("Il n'en est dû que %(du)s.") % {"du": du})
        return self.cleaned_data


def clients_proposes(clients, q: str) -> list[Client]:
    """Vingt clients au plus dont le code ou le nom commence par la saisie, puis la contient."""
    q = q.strip()[:60]
    if len(q) < 2:
        return []
    debut = clients.filter(raison_sociale__istartswith=q) | clients.filter(code__istartswith=q)
    trouves = list(debut.order_by("raison_sociale")[:20])
    if len(trouves) < 20:
        dedans = clients.filter(raison_sociale__icontains=q).exclude(pk__in=[c.pk for c in trouves])
        trouves += dedans.order_by("raison_sociale")[: 20 - len(trouves)]
    return trouves
