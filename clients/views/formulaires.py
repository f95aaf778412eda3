"""Saisies de la fiche qui touchent les pièces : appel, promesse, litige, encaissement, affectation."""

import secrets
from datetime import timedelta
from decimal import Decimal

from django import forms
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy

from clients.models import Contact
from factures.models import Echeance, Litige
from factures.models.grand_livre import Mode
from recouvrement.commun import formats
from recouvrement.commun.forms import ChoixField, CleField, JourField, MontantField
from relances.domaine.appels import Issue, MotifRetard
from relances.services.taches import ISSUES, MOTIFS

MONTREES = 40  # pièces cochables dans un volet ; au-delà, l'écran Encaissements
ZERO = Decimal("0.00")


def _cle() -> str:
    return secrets.token_urlsafe(12)


class PiecesField(ChoixField):
    """Échéances ouvertes du client, cochées dans le gabarit avec leur montant."""

    def __init__(self, **kwargs):
        super().__init__(queryset=Echeance.objects.none(), label=gettext_lazy("Pièces"), **kwargs)
        self.error_messages["invalid_choice"] = gettext_lazy(
            "Une de ces pièces vient d'être soldée : elle n'est plus cochée, relisez avant d'enregistrer."
        )


class AvecPieces:
    """Pose les pièces ouvertes dans `pieces`, et les rend au gabarit avec leur coche."""

    def poser_pieces(self, pieces: list[Echeance]):
        self.ouvertes = pieces
        self.fields["pieces"].queryset = Echeance.objects.ouvertes().filter(pk__in=[e.pk for e in pieces])

    def montant_de(self, e: Echeance) -> Decimal:
        """Ce que la ligne montre : la part non contestée."""
        return e.reclame

    def lignes(self) -> list[tuple[Echeance, bool, Decimal]]:
        cochees = {str(v) for v in (self["pieces"].value() or [])}
        return [(e, str(e.pk) in cochees, self.montant_de(e)) for e in self.ouvertes[:MONTREES]]

    @property
    def non_montrees(self) -> int:
        return max(len(self.ouvertes) - MONTREES, 0)

    def choisies(self) -> list[Echeance]:
        """Pièces valides parmi celles cochées, dans l'ordre des échéances ; avant ou après validation."""
        donnees = getattr(self, "cleaned_data", {})
        if "pieces" in donnees:
            retenues = {e.pk for e in donnees["pieces"]}
            return [e for e in self.ouvertes if e.pk in retenues]
        return [e for e, cochee, _montant in self.lignes() if cochee]


class PromesseForm(AvecPieces, forms.Form):
    montant = MontantField(label=gettext_lazy("Montant promis"))
    date_promise = JourField(label=gettext_lazy("Pour le"))
    moyen = forms.ChoiceField(label=gettext_lazy("Moyen"), choices=Mode.choices)
    pieces = PiecesField()
    confirmer = forms.BooleanField(label=gettext_lazy("Confirmer par courriel"), required=False)
    # La dernière promesse du client quand le formulaire s'est ouvert : une autre, notée depuis, se dit.
    version = forms.IntegerField(widget=forms.HiddenInput, required=False, min_value=0, max_value=2**63 - 1)

    def __init__(self, *args, pieces: list[Echeance], au, vers: str = "", **kwargs):
        devise = pieces[0].devise if pieces else "EUR"
        proposees = [e for e in pieces if e.devise == devise and e.date_echeance < au and e.conteste < e.reste_du]
        kwargs.setdefault("initial", {})
        kwargs["initial"] = {
            "montant": sum((e.reste_du - e.conteste for e in proposees), ZERO) or None,
            "date_promise": au + timedelta(days=7),
            "moyen": Mode.VIREMENT,
            "pieces": [e.pk for e in proposees],
            "confirmer": bool(vers),
        } | kwargs["initial"]
        super().__init__(*args, use_required_attribute=False, **kwargs)
        self.poser_pieces(pieces)
        if vers:
            self.fields["confirmer"].help_text = _("À %(adresse)s, dans dix secondes.") % {"adresse": vers}
        else:
            self.fields["confirmer"].help_text = _("Aucune adresse utilisable : rien ne partira.")


class LitigeForm(forms.Form):
    echeance = forms.ModelChoiceField(
        queryset=Echeance.objects.none(),
        label=gettext_lazy("Pièce contestée"),
        error_messages={
            "invalid_choice": gettext_lazy("Cette pièce vient d'être soldée ou contestée par quelqu'un d'autre.")
        },
    )
    montant = MontantField(label=gettext_lazy("Part contestée"))
    categorie = forms.ChoiceField(label=gettext_lazy("Sur quoi"), choices=Litige.Categorie.choices)
    a_traiter_le = JourField(label=gettext_lazy("Réponse attendue le"))
    responsable = forms.ModelChoiceField(queryset=None, label=gettext_lazy("Responsable"), required=False)
    description = forms.CharField(
        label=gettext_lazy("Ce que dit le client"),
        required=False,
        max_length=2000,
        widget=forms.Textarea(attrs={"rows": 3}),
    )

    def __init__(self, *args, pieces: list[Echeance], equipe, au, **kwargs):
        kwargs["initial"] = {"a_traiter_le": au + timedelta(days=15)} | kwargs.get("initial", {})
        super().__init__(*args, use_required_attribute=False, **kwargs)
        libres = [e for e in pieces if not e.litige]
        champ = self.fields["echeance"]
        champ.queryset = Echeance.objects.filter(pk__in=[e.pk for e in libres])
        champ.choices = [("", _("Choisir une pièce"))] + [(e.pk, nommer(e)) for e in libres]
        self.fields["responsable"].queryset = equipe


class ExclusionForm(forms.Form):
    """Une pièce, un motif, une fin : à la fin, elle rentre seule (exigence 17)."""

    echeance = forms.ModelChoiceField(queryset=Echeance.objects.none(), label=gettext_lazy("Pièce à exclure"))
    motif = forms.CharField(
        label=gettext_lazy("Motif"),
        max_length=200,
        help_text=gettext_lazy("Il se lit à côté de la pièce, et au journal."),
    )
    au = JourField(
        label=gettext_lazy("Jusqu'au"), help_text=gettext_lazy("Compris. La pièce rentre seule le lendemain.")
    )

    def __init__(self, *args, pieces: list[Echeance], au, **kwargs):
        kwargs["initial"] = {"au": au + timedelta(days=14)} | kwargs.get("initial", {})
        super().__init__(*args, **kwargs)
        libres = [e for e in pieces if not e.en_contentieux]
        champ = self.fields["echeance"]
        champ.queryset = Echeance.objects.filter(pk__in=[e.pk for e in libres])
        champ.choices = [("", _("Choisir une pièce"))] + [(e.pk, nommer(e)) for e in libres]


class AffectationForm(AvecPieces, forms.Form):
    """Où poser une somme : selon la règle, sur des pièces choisies, ou plus tard."""

    REGLE, CHOISIES, PLUS_TARD = "regle", "choisies", "plus_tard"
    repartition = forms.ChoiceField(
        label=gettext_lazy("Affecter"),
        choices=[
            (REGLE, gettext_lazy("Aux plus anciennes")),
            (CHOISIES, gettext_lazy("Aux pièces cochées")),
            (PLUS_TARD, gettext_lazy("Plus tard")),
        ],
        initial=REGLE,
        widget=forms.RadioSelect,
    )
    pieces = PiecesField(required=False)
    cle = forms.CharField(widget=forms.HiddenInput, max_length=40)

    def __init__(self, *args, pieces: list[Echeance], **kwargs):
        kwargs["initial"] = {"cle": _cle()} | kwargs.get("initial", {})
        super().__init__(*args, use_required_attribute=False, **kwargs)
        self.poser_pieces(pieces)

    def clean(self):
        donnees = super().clean()
        if donnees.get("repartition") == self.CHOISIES and not donnees.get("pieces"):
            self.add_error("pieces", _("Cochez au moins une pièce."))
        return donnees


class EncaissementForm(AffectationForm):
    montant = MontantField(label=gettext_lazy("Montant reçu"))
    recu_le = JourField(label=gettext_lazy("Reçu le"))
    mode = forms.ChoiceField(label=gettext_lazy("Moyen"), choices=Mode.choices)
    devise = forms.ChoiceField(label=gettext_lazy("Devise"))
    reference = forms.CharField(label=gettext_lazy("Référence"), required=False, max_length=80)

    def __init__(self, *args, pieces: list[Echeance], devises: list[str], au, **kwargs):
        kwargs["initial"] = {"recu_le": au, "devise": devises[0]} | kwargs.get("initial", {})
        super().__init__(*args, pieces=pieces, **kwargs)
        self.fields["devise"].choices = [(d, d) for d in devises]


class AffecterForm(AffectationForm):
    """Affecte un crédit déjà reçu ; `vu` : ce qui en était affecté à l'affichage."""

    credit = forms.ChoiceField(label=gettext_lazy("Somme à affecter"))
    vu = MontantField(widget=forms.HiddenInput, required=False)

    def __init__(self, *args, pieces: list[Echeance], credits: list, **kwargs):
        super().__init__(*args, pieces=pieces, **kwargs)
        self.credits = {c.cle: c for c in credits}
        self.fields["credit"].choices = [(cle, nommer_credit(c)) for cle, c in self.credits.items()]
        self.fields["repartition"].choices = self.fields["repartition"].choices[:2]


class AppelForm(forms.Form):
    issue = forms.ChoiceField(
        label=gettext_lazy("Issue de l'appel"),
        choices=[(issue.value, ISSUES[issue]) for issue in Issue],
        widget=forms.RadioSelect,
    )
    contact = forms.ModelChoiceField(
        queryset=Contact.objects.none(),
        label=gettext_lazy("Interlocuteur"),
        required=False,
        empty_label=gettext_lazy("Standard, ou personne"),
    )
    commentaire = forms.CharField(
        label=gettext_lazy("Ce qui s'est dit"),
        required=False,
        max_length=1000,
        widget=forms.Textarea(attrs={"rows": 2}),
    )
    motif = forms.ChoiceField(
        label=gettext_lazy("Motif du retard"),
        required=False,
        choices=[("", gettext_lazy("non dit")), *((m.value, MOTIFS[m]) for m in MotifRetard)],
    )
    suite_le = JourField(
        label=gettext_lazy("Suite le"),
        required=False,
        help_text=gettext_lazy("Vide : la date proposée ci-dessous."),
    )
    cle = CleField()

    def __init__(self, *args, contacts, **kwargs):
        super().__init__(*args, use_required_attribute=False, **kwargs)
        self.fields["contact"].queryset = contacts
        self.fields["issue"].choices = [(valeur, _(libelle)) for valeur, libelle in self.fields["issue"].choices]
        motifs = self.fields["motif"].choices
        self.fields["motif"].choices = [(valeur, _(str(libelle))) for valeur, libelle in motifs]


def nommer(e: Echeance) -> str:
    return f"{e.facture.numero} · {formats.jour(e.date_echeance)} · {formats.somme(e.reste_du, e.devise)}"


def nommer_litige(e: Echeance) -> str:
    conteste = formats.somme(e.litige.montant_conteste, e.devise)
    return f"{e.facture.numero} · {e.litige.get_categorie_display()} · {conteste}"


def nommer_credit(c) -> str:
    return f"{c.nom} · {formats.jour(c.date)} · {formats.somme(c.reste, c.devise)}"
