"""Saisies d'un accord, une par genre ; les mensualités se proposent, puis se retouchent."""

from datetime import timedelta
from decimal import Decimal

from django import forms
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy, ngettext

from factures.domaine.accords import MENSUALITES_MAX, Genre, repartir
from factures.domaine.mensualites import Terme, mois_apres
from factures.models import Echeance, Penalites
from recouvrement.commun.forms import CleField, JourField, MontantField

from .formulaires import AvecPieces, PiecesField

ZERO = Decimal("0.00")
UN_AN = timedelta(days=400)
PENALITES = [("", gettext_lazy("selon le réglage de la société")), *Penalites.choices]


class AccordForm(AvecPieces, forms.Form):
    """Les pièces, et une rédaction libre ; chaque genre ajoute ses termes."""

    genre = Genre.ECHEANCIER
    pieces = PiecesField(required=False)
    toutes = forms.BooleanField(label=gettext_lazy("Toutes les pièces ouvertes"), required=False)
    redaction = forms.CharField(
        label=gettext_lazy("Conditions particulières"), required=False, max_length=1500,
        help_text=gettext_lazy("Imprimées telles quelles sur l'accord."), widget=forms.Textarea(attrs={"rows": 2}),
    )  # fmt: skip

    def __init__(self, *args, pieces: list[Echeance], au, client, reglage, **kwargs):
        self.devise = pieces[0].devise if pieces else "EUR"
        self.au, self.client, self.reglage = au, client, reglage
        echues = [e.pk for e in pieces if e.devise == self.devise and e.date_echeance < au]
        kwargs["initial"] = {"pieces": echues} | self.depart() | kwargs.get("initial", {})
        super().__init__(*args, use_required_attribute=False, **kwargs)
        self.poser_pieces(pieces)
        if "pieces" not in self.data and "toutes" not in self.data and self.is_bound:
            self.data = self.data.copy()
            self.data.setlist("pieces", [])

    def depart(self) -> dict:
        return {}

    def montant_de(self, e: Echeance) -> Decimal:
        """Un accord prend la pièce entière, part contestée comprise."""
        return e.reste_du

    def choisies(self) -> list[Echeance]:
        if self.is_bound and getattr(self, "cleaned_data", {}).get("toutes"):
            return self.ouvertes
        return super().choisies()

    @property
    def total(self) -> Decimal:
        return sum((e.reste_du for e in self.choisies()), ZERO)

    def clean(self):
        donnees = super().clean()
        if not donnees.get("toutes") and not donnees.get("pieces"):
            self.add_error("pieces", _("Choisissez au moins une pièce."))
        elif len({e.devise for e in self.choisies()}) > 1:
            self.add_error("pieces", _("Un accord ne réunit pas deux devises : passez-en un par devise."))
        return donnees

    def proposition(self) -> list[dict]:
        return []

    def termes(self, mensualites: list[Terme]) -> dict:
        """Ce que `lire_termes` attend."""
        garde = {k: v for k, v in self.cleaned_data.items() if k not in ("pieces", "toutes", "nombre", "premiere")}
        return garde | {"mensualites": mensualites}


class _Etale(AccordForm):
    nombre = forms.IntegerField(label=gettext_lazy("Nombre de mensualités"), min_value=2, max_value=MENSUALITES_MAX)
    premiere = JourField(label=gettext_lazy("Première mensualité le"), avance=UN_AN)

    def depart(self) -> dict:
        return {"nombre": min(3, self.reglage.mensualites_max), "premiere": mois_apres(self.au, 1)}

    def clean(self):
        donnees = super().clean()
        if donnees.get("nombre") and self.choisies() and self.total * 100 < donnees["nombre"]:
            self.add_error("nombre", _("Chaque mensualité vaut au moins un centime."))
        return donnees

    def proposition(self) -> list[dict]:
        d = self.cleaned_data
        return [t._asdict() for t in repartir(self.total, d["nombre"], d["premiere"])]


class EcheancierForm(_Etale):
    capacite = MontantField(
        label=gettext_lazy("Ce que le client peut verser par mois"), required=False, min_value=Decimal("0.01")
    )
    clause_decheance = forms.BooleanField(
        label=gettext_lazy("Clause de déchéance du terme"), required=False,
        help_text=gettext_lazy(
            "Manquée, une mensualité se met en demeure ; sans paiement sous huit jours, le solde devient exigible."
        ),
    )  # fmt: skip
    penalites = forms.ChoiceField(label=gettext_lazy("Pénalités de retard"), choices=PENALITES, required=False)

    def depart(self) -> dict:
        return super().depart() | {"clause_decheance": self.reglage.clause_decheance}


class RemiseForm(AccordForm):
    genre = Genre.REMISE
    remise = MontantField(label=gettext_lazy("Part abandonnée"), min_value=Decimal("0.01"))
    payer_avant = JourField(label=gettext_lazy("À payer au plus tard le"), avance=UN_AN)
    penalites = forms.ChoiceField(label=gettext_lazy("Pénalités et indemnité"), choices=PENALITES, required=False)

    def depart(self) -> dict:
        return {"payer_avant": self.au + timedelta(days=10)}


class EscompteForm(RemiseForm):
    genre = Genre.ESCOMPTE

    def __init__(self, *args, **kwargs):
        super().__init__(*args, **kwargs)
        self.fields["remise"].label = _("Escompte")
        if self.client.escompte_taux:
            self.fields["remise"].help_text = _("Convenu avec ce client : %(taux)s %% sous %(jours)s jours.") % {
                "taux": str(self.client.escompte_taux.normalize()).replace(".", ","),
                "jours": self.client.escompte_jours or 0,
            }


class CompensationForm(AccordForm):
    genre = Genre.COMPENSATION
    creance_reference = forms.CharField(label=gettext_lazy("Créance opposée : sa référence"), max_length=80)
    creance_montant = MontantField(label=gettext_lazy("Son montant"), min_value=Decimal("0.01"))
    creance_exigible_le = JourField(label=gettext_lazy("Exigible depuis le"))
    certaine = forms.BooleanField(
        label=gettext_lazy("Nous devons cette somme : elle est certaine, liquide et exigible"), required=False,
        help_text=gettext_lazy("C. civ., art. 1347-1."),
    )  # fmt: skip
    connexite = forms.CharField(
        label=gettext_lazy("Ce qui lie les deux créances"), max_length=300, required=False,
        help_text=gettext_lazy("En procédure collective, seules des créances connexes se compensent."),
    )  # fmt: skip


class NovationForm(_Etale):
    genre = Genre.NOVATION
    obligation = forms.CharField(
        label=gettext_lazy("La dette nouvelle, en une phrase"), max_length=600, required=False,
        widget=forms.Textarea(attrs={"rows": 2}),
    )  # fmt: skip
    intention = forms.BooleanField(
        label=gettext_lazy("Les deux parties veulent éteindre l'ancienne dette"), required=False,
        help_text=gettext_lazy("La novation ne se présume pas (C. civ., art. 1330)."),
    )  # fmt: skip
    suretes = forms.CharField(label=gettext_lazy("Garanties réservées"), max_length=300, required=False)

    def __init__(self, *args, **kwargs):
        super().__init__(*args, **kwargs)
        self.fields["nombre"].min_value = 1
        self.fields["nombre"].validators = [v for v in self.fields["nombre"].validators if v.code != "min_value"]

    def proposition(self) -> list[dict]:
        d = self.cleaned_data
        if d["nombre"] <= 1:
            return [Terme(d["premiere"], self.total)._asdict()]
        return super().proposition()


FORMULAIRES = {f.genre.value: f for f in (EcheancierForm, RemiseForm, EscompteForm, CompensationForm, NovationForm)}


class MensualiteForm(forms.Form):
    due_le = JourField(label=gettext_lazy("Le"), avance=timedelta(days=3 * 366))
    montant = MontantField(label=gettext_lazy("Montant"), min_value=Decimal("0.01"))


Mensualites = forms.formset_factory(
    MensualiteForm, extra=0, absolute_max=MENSUALITES_MAX, max_num=MENSUALITES_MAX, validate_max=True
)


class CleForm(forms.Form):
    """Le formulaire renvoyé deux fois n'écrit qu'un accord."""

    cle = CleField()


class SignatureForm(forms.Form):
    """L'exemplaire signé, numérisé : qui a signé, quand, et le fichier."""

    nom = forms.CharField(label=gettext_lazy("Signé par"), max_length=120)
    qualite = forms.CharField(label=gettext_lazy("En qualité de"), max_length=120, required=False)
    le = JourField(label=gettext_lazy("Signé le"))
    exemplaire = forms.FileField(label=gettext_lazy("Exemplaire signé (PDF ou image)"))


class SommationForm(forms.Form):
    rang = forms.IntegerField(min_value=1, max_value=MENSUALITES_MAX, widget=forms.HiddenInput)
    le = JourField(label=gettext_lazy("Mise en demeure envoyée le"))


def resume_des_bornes(reglage, somme) -> str:
    """Les bornes de la société en une phrase, pour qui saisit."""
    phrase = ngettext(
        "La société accorde %(n)d mensualité au plus, de %(minimum)s au moins, la première sous %(premiere)s jours, "
        "le tout en %(duree)s jours.",
        "La société accorde %(n)d mensualités au plus, de %(minimum)s au moins, la première sous %(premiere)s jours, "
        "le tout en %(duree)s jours.",
        reglage.mensualites_max,
    ) % {
        "n": reglage.mensualites_max, "minimum": somme(reglage.mensualite_min, "EUR"),
        "premiere": reglage.premiere_sous_jours, "duree": reglage.duree_max_jours,
    }  # fmt: skip
    if reglage.montant_max is not None:
        phrase += " " + _("Au-delà de %(montant)s, un responsable l'accepte.") % {
            "montant": somme(reglage.montant_max, "EUR")
        }
    return phrase
