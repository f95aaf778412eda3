"""Formulaires des modèles : un champ par paragraphe, et l'échange de fichiers."""

import json

from django import forms
from django.utils.translation import gettext_lazy as _

from recouvrement.commun.domaine.textes_recus import texte_fautif
from relances.rendu import controles_modele
from relances.rendu.livres import LANGUES, Genre

PREFIXE = "p_"
TAILLE_IMPORT = 200 * 1024
COURTS = ("objet", "appel", "paiement")


class TextesForm(forms.Form):
    """Les paragraphes d'un modèle ; chaque refus du langage se lit sous le sien."""

    attendu = forms.CharField(required=False, max_length=40, widget=forms.HiddenInput)

    def __init__(self, *args, genre: Genre, **kwargs):
        super().__init__(*args, **kwargs)
        self.genre = genre
        for nom, livre in genre.paragraphes().items():
            lignes = 2 if nom in COURTS else min(max(len(livre) // 70 + 1, 3), 9)
            self.fields[PREFIXE + nom] = forms.CharField(
                label=controles_modele.libelle(nom),
                required=False,
                strip=False,
                widget=forms.Textarea(attrs={"rows": lignes, "data-inserable": "", "spellcheck": "true"}),
            )
        self.fields["note"] = forms.CharField(label=_("Ce qui change"), max_length=250, required=False)

    def clean(self):
        propres = super().clean()
        for nom, phrases in controles_modele.refus(self.genre, self.textes()).items():
            for phrase in phrases:
                self.add_error(PREFIXE + nom if PREFIXE + nom in self.fields else None, phrase)
        return propres

    def textes(self) -> dict[str, str]:
        """{paragraphe: texte saisi}, remis d'un bloc."""
        return {
            nom: controles_modele.propre(nom, self.cleaned_data.get(PREFIXE + nom, ""))
            for nom in self.genre.paragraphes()
        }

    def paragraphes(self):
        return [self[PREFIXE + nom] for nom in self.genre.paragraphes()]


class CopierForm(forms.Form):
    nom = forms.CharField(label=_("Nom"), max_length=80)
    code = forms.SlugField(
        label=_("Code"), max_length=40, help_text=_("Celui qu'un palier nomme pour l'employer : ferme, etranger…")
    )
    langue = forms.ChoiceField(label=_("Langue"), choices=())

    def __init__(self, *args, langues=LANGUES, **kwargs):
        super().__init__(*args, **kwargs)
        noms = {"fr": _("Français"), "en": _("Anglais")}
        self.fields["langue"].choices = [(x, noms[x]) for x in langues]


class ImporterModeleForm(forms.Form):
    fichier = forms.FileField(label=_("Modèle exporté (JSON)"))

    def clean_fichier(self):
        """Le contenu lu ; rien d'autre que du JSON en UTF-8, sans clé répétée."""
        fichier = self.cleaned_data["fichier"]
        if fichier.size > TAILLE_IMPORT:
            raise forms.ValidationError(_("Fichier trop gros : un modèle tient en 200 Ko."))
        try:
            lu = json.loads(fichier.read().decode("utf-8"), object_pairs_hook=_sans_doublon)
        except (ValueError, RecursionError):
            raise forms.ValidationError(_("Ce fichier n'est pas du JSON lisible.")) from None
        if fautif := texte_fautif(lu, plusieurs_lignes="paragraphes"):
            raise forms.ValidationError(_("Caractère interdit dans %(texte)s."), params={"texte": fautif})
        return lu


def _sans_doublon(paires):
    lues = dict(paires)
    if len(lues) != len(paires):
        raise ValueError("clé répétée")
    return lues
