"""Réglages d'une source d'import."""

from django import forms
from django.core.exceptions import ValidationError
from django.utils.translation import gettext as _g
from django.utils.translation import gettext_lazy as _

from factures.imports.lecteurs import FORMATS
from factures.models import Correspondance, SourceImport
from factures.sources.dossier import morceaux
from factures.sources.imap import hote_admis
from factures.sources.lecture import ErreurSource

COMMUNS = "societe nom genre motif format correspondance appliquer_seul fraicheur_heures actif".split()
DOSSIER = ["dossier"]
IMAP = "imap_hote imap_port imap_tls imap_utilisateur mot_de_passe imap_dossier expediteurs".split()


class SocieteChoix(forms.ModelChoiceField):
    def label_from_instance(self, societe):
        return societe.raison_sociale


class SourceForm(forms.ModelForm):
    """societes : celles que la personne administre. Un secret laissé vide ne change pas."""

    societe = SocieteChoix(queryset=None, label=_("Société"))
    format = forms.ChoiceField(label=_("Format"), required=False)
    mot_de_passe = forms.CharField(
        label=_("Mot de passe"),
        required=False,
        max_length=200,
        strip=False,
        widget=forms.PasswordInput(attrs={"autocomplete": "new-password"}),
    )

    class Meta:
        model = SourceImport
        fields = [*COMMUNS, *DOSSIER, *[nom for nom in IMAP if nom != "mot_de_passe"]]
        widgets = {"expediteurs": forms.Textarea(attrs={"rows": 3})}
        help_texts = {
            "motif": _("Par exemple *.csv ou fec*.txt ; plusieurs séparés par un point-virgule."),
            "fraicheur_heures": _("Au-delà, les relances automatiques de la société s’arrêtent. Vide : non attendue."),
            "appliquer_seul": _("Sinon chaque fichier attend une personne à l’écran Imports."),
            "dossier": _("Depuis le dossier surveillé du serveur, sans « .. »."),
            "expediteurs": _("Une adresse par ligne, ou @domaine. Vide : tous. Un expéditeur se contrefait : ce tri ne "
                             "prouve rien."),
        }  # fmt: skip

    def __init__(self, *args, societes, **kwargs):
        super().__init__(*args, **kwargs)
        self.fields["societe"].queryset = societes.order_by("raison_sociale")
        self.fields["format"].choices = [("", _("reconnu au contenu")), *((f, f) for f in FORMATS)]
        self.fields["correspondance"].queryset = Correspondance.objects.filter(societe__in=societes)
        for nom in IMAP:
            self.fields[nom].required = False
        if self.instance.pk:
            self.fields["societe"].disabled = True
            self.fields["mot_de_passe"].help_text = _("Laissez vide pour garder celui qui est enregistré.")

    def communs(self):
        return [self[nom] for nom in COMMUNS]

    def du_dossier(self):
        return [self[nom] for nom in DOSSIER]

    def de_la_boite(self):
        return [self[nom] for nom in IMAP]

    def clean_dossier(self):
        try:
            return "/".join(morceaux(self.cleaned_data["dossier"].strip()))
        except ErreurSource as refus:
            raise ValidationError(str(refus)) from refus

    def _sans_commande(self, nom):
        valeur = self.cleaned_data[nom]
        if any(c < " " or c == "\x7f" for c in valeur):
            raise ValidationError(_g("Un caractère invisible s’est glissé ici : ressaisissez."))
        return valeur

    def clean_imap_utilisateur(self):
        valeur = self._sans_commande("imap_utilisateur")
        if " " in valeur:
            raise ValidationError(_g("L’utilisateur ne contient pas d’espace."))
        return valeur

    def clean_mot_de_passe(self):
        return self._sans_commande("mot_de_passe")

    def clean(self):
        lus = super().clean()
        correspondance = lus.get("correspondance")
        if correspondance and correspondance.societe_id != getattr(lus.get("societe"), "pk", None):
            self.add_error("correspondance", _g("Cette correspondance est celle d’une autre société."))
        if lus.get("genre") == SourceImport.Genre.IMAP:
            self._controler_la_boite(lus)
        lus["imap_dossier"] = lus.get("imap_dossier") or "INBOX"
        if lus.get("imap_port") is None:
            lus["imap_port"] = 993
        return lus

    def _controler_la_boite(self, lus):
        if not hote_admis(lus.get("imap_hote") or ""):
            self.add_error("imap_hote", _g("Le nom du serveur seul, par exemple imap.exemple.fr."))
        if lus.get("imap_port") is not None and not 1 <= lus["imap_port"] <= 65_535:
            self.add_error("imap_port", _g("Un port va de 1 à 65535."))
        if not lus.get("imap_utilisateur"):
            self.add_error("imap_utilisateur", _g("Donnez l’utilisateur de la boîte."))
        # Un hôte changé ne doit pas recevoir le mot de passe de l'autre.
        ailleurs = self.instance.pk and "imap_hote" in self.changed_data
        if not lus.get("mot_de_passe") and (ailleurs or not self.initial_secret):
            self.add_error("mot_de_passe", _g("Saisissez le mot de passe de cette boîte."))

    @property
    def initial_secret(self) -> bool:
        return bool(self.instance.pk and self.instance.imap_secret)

    def _post_clean(self):
        super()._post_clean()
        if secret := self.cleaned_data.get("mot_de_passe"):
            self.instance.imap_secret = secret
