"""Noter, et prévenir un collègue : cocher son nom, ou l'écrire dans le texte (« @Prénom Nom »)."""

from django import forms
from django.core.exceptions import ValidationError
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy, ngettext

from clients import partages
from clients.forms import NoteForm
from clients.models import Partage
from recouvrement.commun import formats
from recouvrement.commun.forms import ChoixField
from recouvrement.commun.vues import entier
from recouvrement.comptes.models import Utilisateur

from .volets import Issue, Volet


class NoterForm(NoteForm):
    """`collegues` : qui peut être prévenu. `repond_a` : la mention à laquelle cette note répond, parmi les miennes."""

    prevenir = ChoixField(
        Utilisateur.objects.none(), label=gettext_lazy("Prévenir"), required=False, widget=forms.CheckboxSelectMultiple,
        help_text=gettext_lazy("Ou écrivez @Prénom Nom dans la note. La fiche leur est ouverte trente jours."),
    )  # fmt: skip
    repond_a = forms.ModelChoiceField(Partage.objects.none(), required=False, widget=forms.HiddenInput)

    def __init__(self, *args, collegues, mentions, **kwargs):
        super().__init__(*args, **kwargs)
        self.fields["prevenir"].queryset = collegues
        self.fields["repond_a"].queryset = mentions
        self.fields["texte"].widget.attrs["autofocus"] = "autofocus"


class Noter(Volet):
    nom, titre, signe, touche = "noter", gettext_lazy("Noter"), "note", "n"
    bouton = gettext_lazy("Enregistrer la note")
    avec_effets = True

    def formulaire(self, data=None):
        mentions = self.client.partages.filter(utilisateur=self.fiche.user, genre=Partage.Genre.MENTION)
        initial = {}
        pk = entier(self.params.get("repond_a"))
        if data is None and pk and (mention := mentions.select_related("ouvert_par").filter(pk=pk).first()):
            initial = {"texte": f"@{mention.ouvert_par.nom} ", "repond_a": mention.pk}
        equipe = partages.collegues(self.client, sauf=self.fiche.user)
        return NoterForm(data, initial=initial, collegues=equipe, mentions=mentions)

    def effets(self, form):
        """Qui sera prévenu, et ce que le texte nomme sans que personne ne réponde à ce nom."""
        if not form.is_bound:
            return []
        form.is_valid()
        texte = form.cleaned_data.get("texte", "")
        coches = list(form.cleaned_data.get("prevenir") or [])
        permis = list(form.fields["prevenir"].queryset)
        _reconnus, _doubles, inconnus = partages.mentionnes(texte, permis)
        phrases = [
            _("« @%(nom)s » n'est personne de la société : cochez qui prévenir.") % {"nom": nom} for nom in inconnus
        ]
        try:
            tous = partages.a_prevenir(self.client, texte, coches, acteur=self.fiche.user)
        except ValidationError as refus:
            return [*phrases, *refus.messages]
        if tous:
            noms = ", ".join(str(x) for x in tous)
            fin = formats.jour(self.au + partages.DUREE_MENTION)
            phrases.append(
                ngettext(
                    "%(noms)s lira cette note dans sa journée ; la fiche lui est ouverte jusqu'au %(jour)s.",
                    "%(noms)s liront cette note dans leur journée ; la fiche leur est ouverte jusqu'au %(jour)s.",
                    len(tous),
                )
                % {"noms": noms, "jour": fin}
            )
        return phrases

    def enregistrer(self, form):
        d = form.cleaned_data
        _note, tous = partages.noter_et_prevenir(
            self.client, texte=d["texte"], acteur=self.fiche.user, au=self.au, prevenir=list(d["prevenir"]),
            repond_a=d["repond_a"], cle=d["cle"],
        )  # fmt: skip
        if tous:
            return Issue(_("Note enregistrée ; prévenus : %(noms)s.") % {"noms": ", ".join(str(x) for x in tous)})
        return Issue(_("Note enregistrée."))
