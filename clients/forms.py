"""Saisies qui ne touchent que le client ; celles qui touchent ses pièces sont avec les écrans."""

from datetime import timedelta

from django import forms
from django.core.exceptions import ValidationError
from django.utils.translation import gettext_lazy as _

from recouvrement.commun.forms import CleField, JourField, MontantField

from .models import CAS_PUBLICS, CasDelai, Client, Contact, IssueProcedure, RoleContact, TypeDebiteur


class NoteForm(forms.Form):
    texte = forms.CharField(label=_("Texte de la note"), max_length=4000, widget=forms.Textarea(attrs={"rows": 5}))
    cle = CleField()


class FichiersInput(forms.ClearableFileInput):
    allow_multiple_selected = True


class FichiersField(forms.FileField):
    """Un ou plusieurs fichiers ; le service juge leur contenu."""

    A_LA_FOIS = 20
    widget = FichiersInput(attrs={"accept": "application/pdf,image/png,image/jpeg,.pdf,.png,.jpg,.jpeg",
                                  "multiple": True})  # fmt: skip

    def clean(self, data, initial=None):
        fichiers = data if isinstance(data, (list, tuple)) else [data]
        if len(fichiers) > self.A_LA_FOIS:
            raise ValidationError(_("%(max)d fichiers au plus à la fois.") % {"max": self.A_LA_FOIS})
        return [super(FichiersField, self).clean(fichier, initial) for fichier in fichiers or [None]]


class DocumentsForm(forms.Form):
    fichiers = FichiersField(
        label=_("Fichiers à joindre"), max_length=255, allow_empty_file=True,
        help_text=_("PDF, PNG ou JPEG, 15 Mo chacun, vingt à la fois au plus."),
    )  # fmt: skip
    titre = forms.CharField(label=_("Titre"), max_length=160, required=False)


class SuspensionForm(forms.Form):
    """Motif et fin sont obligatoires : à la fin, les pièces rentrent seules (exigence 17)."""

    motif = forms.CharField(
        label=_("Motif"), max_length=200, help_text=_("Il se lit à côté de chaque pièce retenue, et au journal.")
    )
    au = JourField(label=_("Jusqu'au"), help_text=_("Compris. Les relances reprennent seules le lendemain."))


class BlocageForm(forms.Form):
    """Ce qu'on arrête, et pourquoi ; la mesure se lit devant le motif, à l'écran et dans l'export (exigence 38)."""

    COMMANDES, LIVRAISON, RETENTION = "commandes", "livraison", "retention"
    MESURES = [
        (COMMANDES, _("Bloquer les nouvelles commandes")),
        (LIVRAISON, _("Suspendre les livraisons")),
        (RETENTION, _("Retenir ce que nous détenons")),
    ]
    mesure = forms.ChoiceField(label=_("Mesure"), choices=MESURES, initial=COMMANDES, required=False)
    motif = forms.CharField(label=_("Motif"), max_length=200, help_text=_("Les commerciaux le liront avec le blocage."))


class LeveeBlocageForm(forms.Form):
    """Un responsable lève le blocage pour un temps (exigence 38)."""

    motif = forms.CharField(label=_("Motif"), max_length=200)
    jusqu_au = JourField(label=_("Jusqu'au"), help_text=_("Compris. Ensuite la règle juge de nouveau."))


class JugementForm(forms.Form):
    le = JourField(label=_("Jugement d'ouverture du"), help_text=_("La date du jugement, pas celle du BODACC."))
    publie_le = JourField(
        label=_("Publié au BODACC le"),
        required=False,
        help_text=_("La créance se déclare dans les deux mois de la publication (R622-24 C. com.)."),
    )


class SuiteJugementForm(forms.Form):
    """Procédure close, ou jugement noté par erreur : ce n'est pas la même chose pour les intérêts."""

    CLOSE, ERREUR = "close", "erreur"
    suite = forms.ChoiceField(
        label=_("Que s'est-il passé ?"),
        choices=[("", _("Choisir")), (CLOSE, _("La procédure est close")), (ERREUR, _("Jugement noté par erreur"))],
    )
    le = JourField(label=_("Close le"), required=False)
    issue = forms.ChoiceField(
        label=_("Comment elle s'est terminée"), choices=[("", _("Choisir")), *IssueProcedure.choices], required=False
    )
    motif = forms.CharField(label=_("Si c'est une erreur, laquelle"), max_length=200, required=False)

    def clean(self):
        lus = super().clean()
        exiges = {self.CLOSE: ("le", "issue"), self.ERREUR: ("motif",)}.get(lus.get("suite"), ())
        for nom in exiges:
            if not lus.get(nom) and nom not in self.errors:
                self.add_error(nom, _("Ce champ est nécessaire."))
        return lus


class ContactForm(forms.ModelForm):
    class Meta:
        model = Contact
        fields = ["nom", "role", "fonction", "courriel", "telephone", "recoit_relances", "ne_pas_appeler"]

    def __init__(self, *args, **kwargs):
        super().__init__(*args, **kwargs)
        self.fields["role"].required = False

    def clean_role(self):
        return self.cleaned_data["role"] or RoleContact.AUTRE


class ClientForm(forms.ModelForm):
    """Fiche modifiable. `version` : celle affichée ; le service refuse un formulaire périmé.

    pilote : la personne règle aussi le portefeuille, le plafond et l'échelle de ce client.
    """

    version = forms.IntegerField(widget=forms.HiddenInput)
    plafond = MontantField(label=_("Plafond d'encours"), required=False)
    lre_acceptee_le = JourField(
        label=_("Recommandé électronique accepté le"),
        required=False,
        avance=timedelta(0),
        help_text=_("Un particulier, ou qui n'est pas professionnel, doit l'avoir accepté d'abord (CPCE, art. L100)."),
    )

    COORDONNEES = (
        "raison_sociale", "type", "forme", "siren", "siret", "numero_tva", "civilite", "adresse", "complement",
        "code_postal", "ville", "pays", "courriel", "telephone", "langue",
    )  # fmt: skip
    CONDITIONS = (
        "gestionnaire", "segment", "plafond", "conditions", "lecture_fdm", "cas_delai", "taux_penalites", "imputation",
        "delai_entre_contacts", "regroupement", "surendettement", "prelevement", "lre_acceptee_le", "objet_contrat",
        "mention_loi_en",
    )  # fmt: skip

    class Meta:
        model = Client
        fields = [
            "raison_sociale", "type", "forme", "siren", "siret", "numero_tva", "civilite", "adresse", "complement",
            "code_postal", "ville", "pays", "courriel", "telephone", "langue", "gestionnaire", "segment", "plafond",
            "conditions", "lecture_fdm", "cas_delai", "taux_penalites", "imputation", "delai_entre_contacts",
            "regroupement", "surendettement", "prelevement", "lre_acceptee_le", "objet_contrat", "mention_loi_en",
        ]  # fmt: skip
        help_texts = {
            "cas_delai": _("Vide : droit commun, 60 jours ou 45 fin de mois. Un dépassement avertit sans bloquer."),
            "delai_entre_contacts": _("En jours, de 0 à 60. Vide : le réglage de la société."),
            "objet_contrat": _("Cité dans la mise en demeure : « la fourniture de mobilier d'agencement »."),
            "mention_loi_en": _(
                "Client étranger : la clause de droit français et son acceptation. Sans elle, formalisation et mise en "
                "demeure restent bloquées."
            ),
        }

    def __init__(self, *args, pilote: bool, gestionnaires, **kwargs):
        super().__init__(*args, **kwargs)
        # « 732 829 320 » se saisit avec ses espaces ; le service les retire.
        for nom, longueur in (("siren", 20), ("siret", 24), ("numero_tva", 30)):
            self.fields[nom] = forms.CharField(label=self.fields[nom].label, required=False, max_length=longueur)
        self.fields["gestionnaire"].queryset = gestionnaires
        self.fields["version"].initial = self.instance.version
        publics = [(c.value, c.label) for c in CAS_PUBLICS]
        self.fields["cas_delai"].choices = [
            ("", _("Droit commun")),
            (_("Entreprise"), [c for c in CasDelai.choices if c not in publics]),
            (_("Administration"), publics),
        ]
        if not pilote:
            for nom in self.CONDITIONS:
                del self.fields[nom]

    # Préfixées : dans un gabarit, `form.conditions` serait le champ de ce nom.
    def champs_coordonnees(self):
        return [self[nom] for nom in self.COORDONNEES if nom in self.fields]

    def champs_conditions(self):
        return [self[nom] for nom in self.CONDITIONS if nom in self.fields]

    def clean(self):
        champs = super().clean()
        cas, type_ = champs.get("cas_delai"), champs.get("type")
        permis = {TypeDebiteur.ADMINISTRATION: True, TypeDebiteur.ENTREPRISE: False}.get(type_)
        if cas and type_ and (cas in CAS_PUBLICS) is not permis:
            self.add_error("cas_delai", _("Ce cas ne vaut pas pour ce type de débiteur : laissez vide, ou changez-le."))
        return champs

    def _post_clean(self):
        """Le service valide l'instance relue sous verrou ; celle de l'écran ne se touche pas."""

    def valeurs(self) -> dict:
        """Champs à écrire, sans la version."""
        return {nom: valeur for nom, valeur in self.cleaned_data.items() if nom != "version"}


class MotifForm(forms.Form):
    motif = forms.CharField(label=_("Motif"), max_length=200, help_text=_("Il reste au dossier."))


class RetourForm(forms.Form):
    """D'où vient le geste : la fiche de la facture, ou celle du client."""

    retour = forms.ChoiceField(choices=[("facture", ""), ("client", "")], required=False)


class CourrielForm(forms.Form):
    courriel = forms.EmailField()
