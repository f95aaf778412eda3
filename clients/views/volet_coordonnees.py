"""Volets de ce qui joint le client : ne pas l'appeler, sa nouvelle adresse après un retour du courrier."""

from django import forms
from django.core.exceptions import ValidationError
from django.db import transaction
from django.urls import reverse
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy, ngettext

from clients import services
from clients.models import Client
from recouvrement.commun import formats
from recouvrement.commun.forms import ChoixField
from recouvrement.comptes.droits import Droit, peut
from recouvrement.journal.services import consigner
from relances.models import Courrier, Tache
from relances.services import gestes, sans_appel

from .volets import Issue, Volet, valeur


class NePasAppelerForm(forms.Form):
    motif = forms.CharField(
        label=gettext_lazy("Motif"), max_length=200,
        help_text=gettext_lazy("Il se lit à la place du numéro, et au journal."),
    )  # fmt: skip


class NePasAppeler(Volet):
    nom, titre, signe = "ne-pas-appeler", gettext_lazy("Ne pas appeler"), "phone-off"
    bouton = gettext_lazy("Ne plus appeler ce client")
    avec_effets = True

    @property
    def gabarit(self) -> str:
        return "clients/volets/suspendre.html"  # les champs du formulaire, l'un sous l'autre

    def formulaire(self, data=None):
        return NePasAppelerForm(data, initial={"motif": self.client.ne_pas_appeler_motif})

    def effets(self, form):
        n = self.client.taches.filter(genre=Tache.Genre.APPEL, faite_le=None).count()
        phrases = [_("L'échelle saute ses paliers d'appel et passe au suivant, à son jour ; elle le dit.")]
        if n:
            closes = ngettext("%(n)d tâche d'appel est close.", "%(n)d tâches d'appel sont closes.", n)
            phrases.append(closes % {"n": n})
        phrases.append(_("Les lettres et courriels continuent. Un appel que le client passe se note toujours."))
        return phrases

    def enregistrer(self, form):
        sans_appel.ne_pas_appeler(self.client, motif=form.cleaned_data["motif"], au=self.au, acteur=self.fiche.user)
        return Issue(_("Ce client ne sera plus appelé."), reverse("clients:appels_permettre", args=[self.client.pk]))


class NouvelleAdresseForm(forms.ModelForm):
    version = forms.IntegerField(widget=forms.HiddenInput)
    remettre = ChoixField(
        label=gettext_lazy("Courriers revenus à refaire partir"), queryset=Courrier.objects.none(), required=False,
        widget=forms.CheckboxSelectMultiple,
    )  # fmt: skip

    class Meta:
        model = Client
        fields = ["adresse", "complement", "code_postal", "ville", "pays"]

    def __init__(self, *args, revenus, **kwargs):
        super().__init__(*args, **kwargs)
        self.fields["version"].initial = self.instance.version
        for nom in ("adresse", "code_postal", "ville"):
            self.fields[nom].required = True
        self.fields["remettre"].queryset = revenus
        self.fields["remettre"].label_from_instance = _un_courrier
        if not revenus.exists():
            del self.fields["remettre"]
        else:
            self.fields["remettre"].initial = list(revenus.values_list("pk", flat=True))

    def _post_clean(self):
        """Le service valide l'instance relue sous verrou ; celle de l'écran ne se touche pas."""


def _un_courrier(c: Courrier) -> str:
    revenu = _("revenu le %(jour)s") % {"jour": formats.jour(c.retour_le)} if c.retour_le else _("en erreur")
    nom = c.reference or c.get_nature_display()
    return f"{nom}, {formats.somme(c.total, c.devise)}, {revenu}"


class NouvelleAdresse(Volet):
    """D'un trait : l'adresse écrite, l'erreur levée, les lettres revenues remises à envoyer."""

    nom, titre, signe = "nouvelle-adresse", gettext_lazy("Nouvelle adresse postale"), "map-pin"
    bouton = gettext_lazy("Enregistrer l'adresse")
    avec_effets = True

    @property
    def gabarit(self) -> str:
        return "clients/volets/nouvelle_adresse.html"

    @property
    def revenus(self):
        papier = self.client.courriers.filter(statut=Courrier.Statut.EN_ERREUR, canal__in=("lettre", "recommande"))
        if not peut(self.fiche.user, Droit.ENVOYER, self.client.societe_id):
            papier = papier.none()
        return papier.order_by("-pk")

    def formulaire(self, data=None):
        return NouvelleAdresseForm(data, instance=self.client, revenus=self.revenus)

    def effets(self, form):
        phrases = []
        if self.client.adresse_invalide_le:
            phrases.append(
                _("L'adresse en erreur depuis le %(jour)s est remplacée : les lettres repartent.")
                % {"jour": formats.jour(self.client.adresse_invalide_le)}
            )
        if "remettre" in form.fields:
            n = len(valeur(form, "remettre") or [])
            if n:
                remis = ngettext("%(n)d courrier repart, relu d'abord.", "%(n)d courriers repartent, relus d'abord.", n)
                phrases.append(remis % {"n": n})
        return phrases

    def enregistrer(self, form):
        donnees = form.cleaned_data
        champs = {nom: donnees[nom] for nom in ("adresse", "complement", "code_postal", "ville", "pays")}
        avant = [getattr(self.client, nom) for nom in ("adresse", "code_postal", "ville")]
        if self.client.adresse_invalide_le and avant == [champs["adresse"], champs["code_postal"], champs["ville"]]:
            raise ValidationError({"adresse": _("C'est l'adresse d'où le courrier est revenu : écrivez la nouvelle.")})
        remis, refus = 0, []
        with transaction.atomic():
            en_erreur = self.client.adresse_invalide_le
            services.modifier_client(self.client, version=donnees["version"], champs=champs, acteur=self.fiche.user)
            for courrier in donnees.get("remettre") or ():
                try:
                    gestes.remettre_a_envoyer(courrier, par=self.fiche.user, au=self.au)
                    remis += 1
                except gestes.Refus as raison:
                    refus.append(f"{courrier.reference or courrier.get_nature_display()} : {raison}")
            if en_erreur:
                self._clore_les_taches()
                consigner(
                    "client.nouvelle_adresse", societe=self.client.societe, acteur=self.fiche.user,
                    objet=self.client, client=self.client, texte=f"{champs['code_postal']} {champs['ville']}",
                    donnees={"remis": remis},
                )  # fmt: skip
        texte = _("Adresse enregistrée.")
        if remis:
            texte += " " + ngettext("%(n)d courrier repart.", "%(n)d courriers repartent.", remis) % {"n": remis}
        return Issue(" ".join([texte, *refus]))

    def _clore_les_taches(self) -> None:
        """Celles qui demandaient de trouver cette adresse : leur raison a disparu."""
        taches = self.client.taches.filter(faite_le=None, cle__startswith="npai:")
        for tache in taches:
            from relances.services.taches import terminer_tache

            terminer_tache(tache, issue=_("nouvelle adresse"), acteur=self.fiche.user)
