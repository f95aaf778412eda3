"""Réglage de la page du client ; une clé secrète s'écrit et ne se relit pas."""

from django import forms
from django.utils.translation import gettext_lazy as _

from relances.models import ReglagePortail
from relances.services.reglages_portail import SECRETS

DUREE_MAX = 730


def _secret(libelle) -> forms.CharField:
    champ = forms.PasswordInput(render_value=False, attrs={"autocomplete": "new-password", "spellcheck": "false"})
    return forms.CharField(label=libelle, required=False, max_length=200, widget=champ, strip=True)


class ReglagePortailForm(forms.ModelForm):
    carte_secret = _secret(_("clé secrète"))
    carte_signature = _secret(_("clé des notifications"))

    class Meta:
        model = ReglagePortail
        fields = [
            "actif", "duree_jours", "contact_donnees", "declarations", "echeanciers", "accord_immediat", "carte",
            "carte_secret", "carte_signature",
        ]  # fmt: skip
        help_texts = {
            "actif": _("Chaque rappel porte alors le lien de la page ; la refermer coupe les liens déjà donnés."),
            "duree_jours": _("Passé ce temps, le lien ne montre plus que vos coordonnées."),
            "contact_donnees": _("Montré au client sous « Vos données » ; à défaut, le courriel de la société."),
            "declarations": _("Rien ne s’écrit au compte : une personne décide, l’argent se constate à la banque."),
            "echeanciers": _("Dans les bornes des accords de la société."),
            "accord_immediat": _("Sinon, une personne examine chaque proposition."),
            "carte": _("Le client part sur la page du prestataire ; aucun numéro de carte ne passe ici."),
        }

    def __init__(self, *args, **kwargs):
        super().__init__(*args, **kwargs)
        self.fields["duree_jours"].min_value = 1
        self.fields["duree_jours"].widget.attrs |= {"min": 1, "max": DUREE_MAX, "inputmode": "numeric"}
        self._avant = {nom: getattr(self.instance, nom) for nom in SECRETS}
        for nom in SECRETS:
            if self._avant[nom]:
                self.fields[nom].help_text = _("Enregistrée ; laissez vide pour la garder.")

    def clean_duree_jours(self):
        duree = self.cleaned_data["duree_jours"]
        if not 1 <= duree <= DUREE_MAX:
            raise forms.ValidationError(_("Entre 1 et %(max)d jours.") % {"max": DUREE_MAX})
        return duree

    def clean(self):
        lus = super().clean()
        carte = lus.get("carte", "")
        for nom in SECRETS:
            lus[nom] = (lus.get(nom) or self._avant[nom]) if carte else ""
            if carte == ReglagePortail.Carte.STRIPE and not lus[nom] and nom not in self.errors:
                self.add_error(nom, _("Nécessaire au paiement par carte."))
        return lus

    def _post_clean(self):
        """Un champ absent de l'envoi laisserait l'ancienne clé : sans carte, elle s'efface vraiment."""
        super()._post_clean()
        for nom in SECRETS:
            setattr(self.instance, nom, self.cleaned_data.get(nom, self._avant[nom]))

    def _champs(self, *noms):
        return [self[nom] for nom in noms]

    @property
    def de_la_page(self):
        return self._champs("actif", "duree_jours", "contact_donnees")

    @property
    def du_permis(self):
        return self._champs("declarations", "echeanciers", "accord_immediat")

    @property
    def de_la_carte(self):
        return self._champs("carte", "carte_secret", "carte_signature")
