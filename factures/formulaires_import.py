"""Dépôt d'un fichier et choix d'application."""

import re

from django import forms
from django.conf import settings
from django.core.exceptions import ValidationError
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy

from factures.imports.fichier import examiner_fichier
from factures.imports.lecteurs import FORMATS, reconnaitre
from factures.imports.texte import FichierRefuse


class SocieteChoix(forms.ModelChoiceField):
    def label_from_instance(self, societe):
        return societe.raison_sociale


ACCEPTES = (
    ".csv,.txt,.tsv,.xlsx,.ods,.xml,.pdf,.zip,.json,.ofx,.qfx,.sta,.mt940,.940,.cfonb,.dat,.asc,.fec,"
    "text/csv,text/plain,text/xml,application/pdf"
)
FICHIERS_MAX = 50


class Fichiers(forms.ClearableFileInput):
    allow_multiple_selected = True


class FichiersField(forms.FileField):
    """Un ou plusieurs fichiers ; `clean` en rend la liste."""

    widget = Fichiers(attrs={"accept": ACCEPTES, "multiple": True})

    def clean(self, data, initial=None):
        donnees = data if isinstance(data, list | tuple) else [data]
        return [super(FichiersField, self).clean(d, initial) for d in donnees or [None]]


def _format(fichier) -> str:
    """Reconnu au contenu ; vide s'il ne l'est pas, la lecture le dira. Rend le flux à son début."""
    try:
        contenu = fichier.temporary_file_path() if hasattr(fichier, "temporary_file_path") else fichier.read()
        return reconnaitre(examiner_fichier(contenu, fichier.name))
    except FichierRefuse:
        return ""
    finally:
        fichier.seek(0)


def _exercice(nom: str) -> str:
    """La date de clôture que porte le nom d'un FEC, sinon rien."""
    lu = re.search(r"(?:19|20)\d{6}", nom)
    return lu[0] if lu else ""


class DepotForm(forms.Form):
    """societes : celles où la personne importe ; une seule ne se demande pas."""

    societe = SocieteChoix(queryset=None, label=gettext_lazy("Société"), empty_label=None)
    fichier = FichiersField(label=gettext_lazy("Fichiers"), max_length=250)

    def __init__(self, *args, societes, courante=None, **kwargs):
        super().__init__(*args, **kwargs)
        champ = self.fields["societe"]
        champ.queryset = societes.order_by("raison_sociale")
        choix = list(champ.queryset[:2])
        if len(choix) == 1:
            champ.widget = forms.HiddenInput()
            champ.initial = choix[0]
        elif courante:
            champ.initial = courante

    def clean_fichier(self):
        fichiers = self.cleaned_data["fichier"]
        if len(fichiers) > FICHIERS_MAX:
            raise ValidationError(_("%(max)d fichiers au plus en une fois.") % {"max": FICHIERS_MAX})
        if any(fichier.size > settings.TAILLE_MAX_IMPORT for fichier in fichiers):
            raise ValidationError(
                _("Le fichier dépasse %(max)d Mo : découpez l’export.")
                % {"max": settings.TAILLE_MAX_IMPORT // 1024 // 1024}
            )
        return fichiers

    def dans_l_ordre(self) -> list[tuple]:
        """[(fichier, format)] : fiches, pièces, règlements, banque… ; à format égal, l'ordre des noms (exercices).

        Le format ne se reconnaît ici que pour ranger plusieurs fichiers ; seul, il se reconnaît à la lecture.
        """
        fichiers = self.cleaned_data["fichier"]
        if len(fichiers) == 1:
            return [(fichiers[0], "")]
        rangs = {format: rang for rang, format in enumerate(FORMATS)}
        reconnus = [(fichier, _format(fichier)) for fichier in fichiers]
        return sorted(reconnus, key=lambda x: (rangs.get(x[1], len(rangs)), _exercice(x[0].name), x[0].name))


class ApplicationForm(forms.Form):
    partiel = forms.BooleanField(required=False)
