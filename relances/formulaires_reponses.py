"""Saisies de l'écran des réponses et de son réglage."""

from django import forms
from django.core.exceptions import ValidationError
from django.core.validators import validate_email
from django.utils.translation import gettext as _g
from django.utils.translation import gettext_lazy as _

from clients.models import Client
from recouvrement.commun.boite_imap import hote_admis
from relances.models import ReglageReponses


class RepondreForm(forms.Form):
    objet = forms.CharField(label=_("Objet"), max_length=250)
    texte = forms.CharField(
        label=_("Votre réponse"), max_length=20_000, widget=forms.Textarea(attrs={"rows": 8}),
        help_text=_("Texte seul. Elle part dix secondes plus tard : vous pouvez vous raviser."),
    )  # fmt: skip

    def clean_objet(self):
        return " ".join(self.cleaned_data["objet"].split())


class RattacherForm(forms.Form):
    """clients : ceux que la personne voit, dans la société du courriel."""

    code = forms.CharField(label=_("Code du client"), max_length=40)

    def __init__(self, *args, clients, **kwargs):
        super().__init__(*args, **kwargs)
        self.clients = clients

    def clean_code(self):
        trouves = list(self.clients.filter(code__iexact=self.cleaned_data["code"].strip())[:2])
        if not trouves:
            raise ValidationError(_g("Aucun client visible n’a ce code."))
        if len(trouves) > 1:
            raise ValidationError(_g("Plusieurs sociétés ont ce code : choisissez la vôtre en haut."))
        self.cleaned_data["client"] = trouves[0]
        return self.cleaned_data["code"]


class RemettreForm(forms.Form):
    destinataire = forms.CharField(label=_("Envoyer à"), max_length=254, validators=[validate_email])


class RattacherAuForm(forms.Form):
    """Un client proposé, choisi d'un geste."""

    client = forms.ModelChoiceField(queryset=Client.objects.none())

    def __init__(self, *args, clients, **kwargs):
        super().__init__(*args, **kwargs)
        self.fields["client"].queryset = clients


RETOUR = ["adresse", "retient_jours"]
BOITE = ["actif", "imap_hote", "imap_port", "imap_tls", "imap_utilisateur", "mot_de_passe", "imap_dossier"]


class ReglageForm(forms.ModelForm):
    """Où les réponses reviennent, et la boîte qui les lit. Un secret laissé vide ne change pas."""

    mot_de_passe = forms.CharField(
        label=_("Mot de passe"), required=False, max_length=200, strip=False,
        widget=forms.PasswordInput(attrs={"autocomplete": "new-password"}),
    )  # fmt: skip

    class Meta:
        model = ReglageReponses
        fields = [*RETOUR, *[nom for nom in BOITE if nom != "mot_de_passe"]]
        help_texts = {
            "adresse": _("« reponses@exemple.fr » : chaque envoi y ajoute son propre repère après un « + », que votre "
                         "serveur doit admettre. Vide : les réponses vont au gestionnaire du client."),
            "retient_jours": _("Une réponse d’une personne arrête les relances de ce client jusqu’à lecture, et jamais "
                               "au-delà. Zéro : elle n’arrête rien."),
        }  # fmt: skip

    def __init__(self, *args, **kwargs):
        super().__init__(*args, **kwargs)
        for nom in ("imap_hote", "imap_utilisateur", "imap_dossier", "imap_port"):
            self.fields[nom].required = False
        if self.instance.imap_secret:
            self.fields["mot_de_passe"].help_text = _("Laissez vide pour garder celui qui est enregistré.")

    def du_retour(self):
        return [self[nom] for nom in RETOUR]

    def de_la_boite(self):
        return [self[nom] for nom in BOITE]

    def clean_adresse(self):
        adresse = self.cleaned_data["adresse"].strip().lower()
        if "+" in adresse.partition("@")[0]:
            raise ValidationError(_g("Sans « + » : c’est nous qui l’ajoutons, avec le repère de chaque envoi."))
        if len(adresse.partition("@")[0]) > 64 - 33:
            raise ValidationError(_g("Trop longue : avant le « @ », 31 caractères au plus, le repère s’y ajoute."))
        ailleurs = ReglageReponses.objects.filter(adresse__iexact=adresse).exclude(pk=self.instance.pk)
        if adresse and ailleurs.exists():
            raise ValidationError(_g("Une autre société reçoit ses réponses à cette adresse : donnez-lui la sienne."))
        return adresse

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
        lus["imap_dossier"] = lus.get("imap_dossier") or "INBOX"
        if lus.get("imap_port") is None:
            lus["imap_port"] = 993
        if not 1 <= lus["imap_port"] <= 65_535:
            self.add_error("imap_port", _g("Un port va de 1 à 65535."))
        if lus.get("actif") or lus.get("imap_hote"):
            self._controler_la_boite(lus)
        return lus

    def _controler_la_boite(self, lus):
        if not hote_admis(lus.get("imap_hote") or ""):
            self.add_error("imap_hote", _g("Le nom du serveur seul, par exemple imap.exemple.fr."))
        if not lus.get("imap_utilisateur"):
            self.add_error("imap_utilisateur", _g("Donnez l’utilisateur de la boîte."))
        # Un hôte changé ne doit pas recevoir le mot de passe de l'autre.
        ailleurs = self.instance.pk and "imap_hote" in self.changed_data
        if not lus.get("mot_de_passe") and (ailleurs or not self.instance.imap_secret):
            self.add_error("mot_de_passe", _g("Saisissez le mot de passe de cette boîte."))

    def _post_clean(self):
        super()._post_clean()
        if secret := self.cleaned_data.get("mot_de_passe"):
            self.instance.imap_secret = secret
