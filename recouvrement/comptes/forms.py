"""Saisies des comptes : préférences d'une personne, utilisateurs et rôles, sociétés."""

from datetime import date

from django import forms
from django.utils.translation import gettext_lazy as _

from recouvrement.commun import fichiers
from recouvrement.commun.domaine import identifiants
from recouvrement.commun.domaine.pays import verifier_pays
from recouvrement.commun.forms import JourField

from .models import Langue, Role, Societe, Utilisateur


class ThemeForm(forms.ModelForm):
    class Meta:
        model = Utilisateur
        fields = ["theme"]


class LangueForm(forms.Form):
    langue = forms.ChoiceField(choices=Langue.choices)


class SocieteCouranteForm(forms.Form):
    """Choix du rail ; vide = toutes les sociétés de la personne."""

    societe = forms.ChoiceField(required=False)

    def __init__(self, *args, societes, **kwargs):
        super().__init__(*args, **kwargs)
        self.fields["societe"].choices = [("", ""), *((s.code, s.code) for s in societes)]


class UtilisateurForm(forms.ModelForm):
    """Identité, et un rôle par société que l'administrateur administre.

    `identite=False` : la personne appartient aussi à d'autres sociétés, ses coordonnées ne se changent pas d'ici.
    """

    class Meta:
        model = Utilisateur
        fields = ["nom", "courriel", "telephone", "langue", "is_active"]
        help_texts = {"is_active": _("Décochez pour fermer l’accès ; ce qui a été fait reste signé de son nom.")}

    def __init__(self, *args, societes, identite=True, **kwargs):
        super().__init__(*args, **kwargs)
        self.societes = list(societes)
        roles = dict(self.instance.affectations.values_list("societe_id", "role")) if self.instance.pk else {}
        if not identite:
            for champ in self.fields.values():
                champ.disabled = True
        for societe in self.societes:
            self.fields[f"role_{societe.pk}"] = forms.ChoiceField(
                label=societe.raison_sociale,
                choices=[("", _("aucun accès")), *Role.choices],
                required=False,
                initial=roles.get(societe.pk, ""),
            )

    def champs_identite(self):
        return [self[nom] for nom in self._meta.fields]

    def champs_roles(self):
        return [self[f"role_{societe.pk}"] for societe in self.societes]

    def clean_courriel(self):
        courriel = self.cleaned_data["courriel"].lower()
        if Utilisateur.objects.filter(courriel__iexact=courriel).exclude(pk=self.instance.pk).exists():
            raise forms.ValidationError(_("Cette adresse a déjà un compte."))
        return courriel

    def roles(self) -> dict[Societe, str]:
        return {societe: self.cleaned_data[f"role_{societe.pk}"] for societe in self.societes}

    def clean(self):
        donnees = super().clean()
        if self.instance.pk is None and not self.errors and not any(self.roles().values()):
            raise forms.ValidationError(_("Donnez un rôle dans une société au moins."))
        return donnees


class PortefeuilleForm(forms.Form):
    """Confier les clients d'une personne, dans une société, à une autre."""

    societe = forms.ModelChoiceField(Societe.objects.none(), label=_("Société"))
    a = forms.ModelChoiceField(Utilisateur.objects.none(), label=_("Confier à"))

    def __init__(self, *args, societes, equipe, **kwargs):
        super().__init__(*args, **kwargs)
        self.fields["societe"].queryset = societes
        self.fields["a"].queryset = equipe


def _verifie(controle):
    """clean_… d'un identifiant facultatif, par une règle du domaine."""

    def clean(valeur: str) -> str:
        try:
            return controle(valeur) if valeur else ""
        except identifiants.IdentifiantInvalide as refus:
            raise forms.ValidationError(str(refus)) from refus

    return clean


GROUPES_SOCIETE = (
    (_("Identité"), "code raison_sociale nom_court forme capital siren rcs_ville numero_tva"),
    (_("Coordonnées"), "adresse complement code_postal ville pays telephone courriel mediateur"),
    (_("Banque"), "iban bic"),
    (
        _("Signature des lettres"),
        "signataire_nom signataire_fonction representant representant_fonction ville_signature",
    ),
    (
        _("Passage du soir et freins"),
        "relances_actives heure_passage region_feries alimentee_par_import fraicheur_heures delai_entre_contacts "
        "max_amiables seuil_credit_non_affecte",
    ),
    (_("Blocage des commandes"), "blocage_retard_jours blocage_plafond"),
)


class SocieteForm(forms.ModelForm):
    """Une société créancière : ses mentions d'en-tête, sa banque, ses signataires, sa nuit."""

    class Meta:
        model = Societe
        fields = " ".join(noms for _titre, noms in GROUPES_SOCIETE).split()
        widgets = {"heure_passage": forms.TimeInput(attrs={"type": "time"}, format="%H:%M")}
        help_texts = {
            "code": _("Sert aux imports et aux adresses ; ne change plus ensuite."),
            "rcs_ville": _("R123-237 du code de commerce : la ville du greffe figure sur chaque lettre."),
            "mediateur": _("Obligatoire face à un consommateur (L616-1 du code de la consommation)."),
            "heure_passage": _("La nuit décide, une fois par jour ouvré, à partir de cette heure."),
            "fraicheur_heures": _("De 1 à 240 heures. Au-delà, rien ne part : le passage s’arrête et vous prévient."),
            "max_amiables": _("De 1 à 6. Ensuite une personne tranche : mise en demeure, ou abandon."),
            "delai_entre_contacts": _(
                "De 0 à 60 jours. Un client déjà contacté attend ce temps avant le courrier suivant."
            ),
            "blocage_retard_jours": _("Vide : le retard ne bloque pas. Une pièce en litige ne bloque jamais."),
            "representant": _("La personne qui représente la société en justice."),
        }

    def __init__(self, *args, **kwargs):
        super().__init__(*args, **kwargs)
        if self.instance.pk:
            self.fields["code"].disabled = True

    def groupes(self):
        return [(titre, [self[nom] for nom in noms.split()]) for titre, noms in GROUPES_SOCIETE]

    def clean_siren(self):
        return _verifie(identifiants.verifier_siren)(self.cleaned_data["siren"])

    def clean_pays(self):
        return _verifie(verifier_pays)(self.cleaned_data["pays"])

    def clean_iban(self):
        return _verifie(identifiants.verifier_iban)(self.cleaned_data["iban"])

    def clean_bic(self):
        return _verifie(identifiants.verifier_bic)(self.cleaned_data["bic"])

    def clean_numero_tva(self):
        return _verifie(identifiants.verifier_tva)(self.cleaned_data["numero_tva"])

    def clean(self):
        donnees = super().clean()
        if donnees.get("relances_actives") and not self.errors and (manques := Societe(**donnees).manques()):
            texte = _("Complétez d’abord : %(manques)s.") % {"manques": ", ".join(manques)}
            self.add_error("relances_actives", texte)
        return donnees


class LogoForm(forms.Form):
    """Image d'en-tête, reconnue à son contenu ; vide : retirer le logo."""

    TAILLE = 300 * 1024  # octets : elle est incorporée à chaque lettre

    image = forms.FileField(label=_("Logo (PNG ou JPEG, 300 Ko au plus)"), required=False)

    def clean_image(self):
        fichier = self.cleaned_data["image"]
        if not fichier:
            return None
        if fichier.size > self.TAILLE:
            raise forms.ValidationError(_("Ce logo dépasse 300 Ko : réduisez-le, il est joint à chaque lettre."))
        octets = fichier.read()
        lu = fichiers.identifier(octets)
        if not lu.mime.startswith("image/"):
            raise forms.ValidationError(_("Le logo doit être une image PNG ou JPEG."))
        return octets, lu.suffixe


class TauxForm(forms.Form):
    """Le semestre suivant : taux BCE du premier jour, taux légal de l'arrêté, ou les deux."""

    refi = forms.DecimalField(
        label=_("Taux BCE au premier jour (%)"),
        help_text=_("Opérations principales de refinancement."),
        min_value=0,
        max_value=20,
        max_digits=5,
        decimal_places=2,
        required=False,
        localize=True,
    )
    effet_bce = JourField(
        label=_("Date d’effet de la décision"),
        help_text=_("Seulement si ce taux n’est plus celui de la dernière décision connue."),
        depuis=date(1999, 1, 1),
        required=False,
    )
    autres = forms.DecimalField(
        label=_("Intérêt légal, créancier professionnel (%)"),
        min_value=0,
        max_value=20,
        max_digits=5,
        decimal_places=2,
        required=False,
        localize=True,
    )
    particuliers = forms.DecimalField(
        label=_("Intérêt légal, créancier particulier (%)"),
        min_value=0,
        max_value=20,
        max_digits=5,
        decimal_places=2,
        required=False,
        localize=True,
    )
    source = forms.CharField(
        label=_("Source"), help_text=_("Arrêté, page et date : qui relira doit pouvoir vérifier."), max_length=250
    )
    confirme = forms.BooleanField(
        label=_("Je confirme l’écart avec le dernier taux relevé"),
        help_text=_("Demandé au-delà de deux points d’écart."),
        required=False,
    )


class CorrectionTauxForm(TauxForm):
    """Un semestre mal relevé : les taux justes, leur source, et pourquoi."""

    motif = forms.CharField(
        label=_("Pourquoi corriger"), help_text=_("Il se lit au journal, avec l’ancien taux."), max_length=200
    )
