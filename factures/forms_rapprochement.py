"""Saisies du rapprochement : affecter un mouvement, l'écarter, régler ce que la société permet."""

import re
from decimal import Decimal

from django import forms
from django.core.exceptions import ValidationError
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy

from clients.models import Client
from recouvrement.commun import formats
from recouvrement.commun.forms import MontantField

from .models import Avoir, Echeance, MouvementBancaire, ReglageRapprochement, RegleRapprochement
from .models.grand_livre import NatureAvoir
from .services.rapprochement_gestes import Affectation

ZERO = Decimal("0.00")
PIECE = re.compile(r"[ea][0-9]{1,18}")  # nom d'un champ de saisie : échéance ou avoir, et sa clé
ECARTS = [(n.value, n.label) for n in (NatureAvoir.ECART, NatureAvoir.FRAIS, NatureAvoir.ESCOMPTE)]


class AffecterMouvementForm(forms.Form):
    """Ce qu'un client reçoit d'un mouvement : un montant par pièce ouverte et par avoir, puis l'écart accepté.

    mouvement, client : visibles de la personne ; echeances, avoirs : ouverts chez lui, dans la devise du mouvement.
    """

    montant = MontantField(label=gettext_lazy("Part de ce client"), min_value=Decimal("0.01"))
    ecart = MontantField(label=gettext_lazy("Écart accepté"), required=False)
    nature_ecart = forms.ChoiceField(label=gettext_lazy("Cet écart est"), choices=ECARTS, required=False)
    payeur = forms.CharField(
        label=gettext_lazy("Payé par un tiers"),
        max_length=140,
        required=False,
        help_text=gettext_lazy("Nom de qui a payé à la place du client ; son compte sera reconnu la prochaine fois."),
    )

    def __init__(self, *args, mouvement: MouvementBancaire, client: Client, echeances, avoirs, parts=None, **kwargs):
        super().__init__(*args, **kwargs)
        self.mouvement, self.client = mouvement, client
        self.echeances: list[Echeance] = list(echeances)
        self.avoirs: list[Avoir] = list(avoirs)
        parts = parts or {}
        self.reste = mouvement.montant - mouvement.reparti
        self.fields["montant"].initial = self.reste
        self.fields["ecart"].initial = parts.get("ecart") or None
        self.fields["nature_ecart"].initial = parts.get("nature_ecart") or "ecart"
        for e in self.echeances:
            self._champ(f"e{e.pk}", e.facture.numero, parts.get("echeances", {}).get(e.pk))
        for a in self.avoirs:
            a.reste = a.montant - a.impute
            self._champ(f"a{a.pk}", a.numero, parts.get("avoirs", {}).get(a.pk))

    def _champ(self, nom: str, piece: str, initial) -> None:
        self.fields[nom] = MontantField(label=_("Affecté à %(piece)s") % {"piece": piece}, required=False)
        self.fields[nom].initial = initial

    @property
    def lignes(self):
        return [(e, self[f"e{e.pk}"]) for e in self.echeances]

    @property
    def lignes_avoirs(self):
        return [(a, self[f"a{a.pk}"]) for a in self.avoirs]

    @property
    def bilan(self) -> dict:
        """Ce que la saisie affiche : posé en tout, payé par le mouvement, reste à imputer."""
        lire = (lambda nom: self.cleaned_data.get(nom)) if self.is_bound else (lambda nom: self.fields[nom].initial)
        if self.is_bound:
            self.is_valid()
        pose = sum((lire(f"e{e.pk}") or ZERO for e in self.echeances), ZERO)
        credits = sum((lire(f"a{a.pk}") or ZERO for a in self.avoirs), ZERO) + (lire("ecart") or ZERO)
        montant = lire("montant") or ZERO
        return {"pose": pose, "credits": credits, "paye": pose - credits, "reste": montant - (pose - credits)}

    def affectation(self) -> Affectation:
        d = self.cleaned_data
        return Affectation(
            self.client, d["montant"],
            {e.pk: m for e in self.echeances if (m := d.get(f"e{e.pk}"))},
            {a.pk: m for a in self.avoirs if (m := d.get(f"a{a.pk}"))},
            d.get("ecart") or ZERO, d.get("nature_ecart") or "ecart", d.get("payeur", ""),
        )  # fmt: skip

    def clean(self):
        super().clean()
        for objets, prefixe in ((self.echeances, "e"), (self.avoirs, "a")):
            for o in objets:
                if (self.cleaned_data.get(f"{prefixe}{o.pk}") or ZERO) > o.montant - o.impute:
                    reste = formats.somme(o.montant - o.impute, o.devise)
                    self.add_error(f"{prefixe}{o.pk}", _("Il n'y reste que %(reste)s.") % {"reste": reste})
        bilan = self.bilan_saisi()
        if bilan["paye"] < 0:
            raise ValidationError(_("Les avoirs et l'écart dépassent ce que les pièces reçoivent."))
        if bilan["reste"] < 0:
            depasse = formats.somme(-bilan["reste"], self.mouvement.devise)
            raise ValidationError(_("Les pièces reçoivent %(trop)s de trop pour cette part.") % {"trop": depasse})
        if (self.cleaned_data.get("montant") or ZERO) > self.reste:
            reste = formats.somme(self.reste, self.mouvement.devise)
            self.add_error("montant", _("Il ne reste que %(reste)s sur ce mouvement.") % {"reste": reste})
        return self.cleaned_data

    def bilan_saisi(self) -> dict:
        d = self.cleaned_data
        pose = sum((d.get(f"e{e.pk}") or ZERO for e in self.echeances), ZERO)
        credits = sum((d.get(f"a{a.pk}") or ZERO for a in self.avoirs), ZERO) + (d.get("ecart") or ZERO)
        return {"paye": pose - credits, "reste": (d.get("montant") or ZERO) - (pose - credits)}


def affectation_saisie(client: Client, donnees) -> Affectation | None:
    """Ce qu'un formulaire dit, sans relire les pièces : de quoi reconnaître un double envoi. None si illisible."""
    champ = MontantField(required=False)
    try:
        lus = {cle: champ.clean(valeur) for cle, valeur in donnees.items() if PIECE.fullmatch(cle)}
        montant, ecart = champ.clean(donnees.get("montant", "")), champ.clean(donnees.get("ecart", ""))
    except ValidationError:
        return None
    parts, avoirs = ({int(c[1:]): m for c, m in lus.items() if m and c[0] == genre} for genre in "ea")
    return Affectation(client, montant or ZERO, parts, avoirs, ecart or ZERO)


class EcarterForm(forms.Form):
    motif = forms.CharField(label=gettext_lazy("Pourquoi"), max_length=200)


class ReglageForm(forms.ModelForm):
    """Ce que la société permet au rapprochement."""

    class Meta:
        model = ReglageRapprochement
        fields = ("automatique", "seuil_automatique", "ecart_tolere", "frais_toleres")
        help_texts = {
            "automatique": gettext_lazy("Sans quoi une personne accepte chaque proposition."),
            "seuil_automatique": gettext_lazy("À 98 %, deux propositions sur cent au plus se trompent."),
            "ecart_tolere": gettext_lazy("Des centimes manquants, soldés par un écart de règlement."),
            "frais_toleres": gettext_lazy("Retenus par les banques sur un virement étranger ; zéro : jamais."),
        }

    ecart_tolere = MontantField(label=gettext_lazy("Écart de règlement toléré"), max_value=Decimal(10))
    frais_toleres = MontantField(label=gettext_lazy("Frais bancaires tolérés"), max_value=Decimal(100))
    seuil_automatique = forms.IntegerField(label=gettext_lazy("Certitude exigée (%)"), min_value=80, max_value=99)


class RegleForm(forms.ModelForm):
    """« Ce libellé, toujours ceci » ; le client se désigne par son code."""

    code_client = forms.CharField(label=gettext_lazy("Client (code)"), max_length=220, required=False)

    class Meta:
        model = RegleRapprochement
        fields = ("nom", "contient", "action")

    def __init__(self, *args, societe, **kwargs):
        super().__init__(*args, **kwargs)
        self.instance.societe = societe

    def clean_contient(self):
        texte = self.cleaned_data["contient"].strip()
        if sum(c.isalnum() for c in texte) < 4:
            raise ValidationError(_("Quatre lettres ou chiffres au moins : une règle trop courte écarterait tout."))
        return texte

    def clean(self):
        super().clean()
        d, code = self.cleaned_data, self.cleaned_data.get("code_client", "").split(" – ")[0].strip()
        self.instance.client = None
        if d.get("action") == RegleRapprochement.Action.CLIENT:
            self.instance.client = Client.objects.filter(societe=self.instance.societe, code=code).first()
            if self.instance.client is None:
                self.add_error("code_client", _("Aucun client de cette société n'a ce code."))
        if RegleRapprochement.objects.filter(societe=self.instance.societe, nom=d.get("nom", "")).exists():
            self.add_error("nom", _("Une règle porte déjà ce nom."))
        return d
