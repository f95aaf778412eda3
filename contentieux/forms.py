"""Saisies du contentieux ; chacune connaît son dossier, le jour, et la pièce visée s'il y en a une."""

from datetime import date, timedelta

from django import forms
from django.utils.translation import gettext as _g
from django.utils.translation import gettext_lazy as _

from contentieux import services
from contentieux.donnees import natures
from contentieux.models import DossierContentieux, Interruption, Piece
from contentieux.services.prescriptions import nature_de
from recouvrement.commun.fichiers import TAILLE_MAX
from recouvrement.commun.forms import JourField, MontantField
from recouvrement.commun.vues import entier


class OuvertureForm(forms.Form):
    """Ce que l'on porte au contentieux pour un client, d'après son examen."""

    echeances = forms.TypedMultipleChoiceField(
        label=_("Échéances"),
        coerce=int,
        widget=forms.CheckboxSelectMultiple,
        error_messages={"required": _("Choisissez au moins une échéance.")},
    )
    motif = forms.CharField(
        label=_("Motif"),
        max_length=250,
        help_text=_("Pourquoi la voie amiable s'arrête ici. Il se lit au journal."),
    )
    derogation = forms.CharField(
        label=_("Dérogation motivée"),
        max_length=250,
        required=False,
        help_text=_("Seulement pour passer outre une condition signalée."),
    )

    def __init__(self, *args, examen, **kwargs):
        super().__init__(*args, **kwargs)
        self.fields["echeances"].choices = [(c.echeance.pk, c.echeance.facture.numero) for c in examen.candidates]

    @property
    def cochees(self) -> set[int]:
        """Cases à montrer cochées : la saisie, sinon celles qui n'ont besoin d'aucune dérogation."""
        return {pk for v in self["echeances"].value() or () if (pk := entier(str(v))) is not None}


class DossierForm(forms.Form):
    """Base : le dossier, le jour, et la pièce quand le geste en vise une."""

    def __init__(self, *args, dossier: DossierContentieux, au, piece: Piece | None = None, **kwargs):
        self.dossier, self.au, self.piece = dossier, au, piece
        super().__init__(*args, **{"initial": self.valeurs_de_depart(), **kwargs})

    def valeurs_de_depart(self) -> dict:
        return {nom: getattr(self.dossier, nom) for nom in self.base_fields if hasattr(self.dossier, nom)}


class AucuneSaisieForm(DossierForm):
    """Un geste qui n'est qu'un bouton."""


class MentionsForm(DossierForm):
    """Ce que la requête imprime et que la base ne sait pas. `vu` : l'état affiché ; changé depuis, rien ne s'écrit."""

    vu = forms.CharField(widget=forms.HiddenInput)
    debiteur_representant = forms.CharField(
        label=_("Représentant du débiteur"), max_length=120, required=False, help_text=_("« Agathe Delorme, gérante »")
    )
    debiteur_rcs = forms.CharField(label=_("Ville du RCS"), max_length=60, required=False)
    debiteur_capital = forms.CharField(label=_("Capital"), max_length=40, required=False)
    expose = forms.CharField(
        label=_("Exposé des faits"),
        required=False,
        max_length=8000,
        widget=forms.Textarea,
        help_text=_("Avec renvois aux pièces. Le premier jet vient de la base : relisez-le."),
    )
    contestations = forms.CharField(
        label=_("Contestations connues"),
        required=False,
        max_length=4000,
        widget=forms.Textarea,
        help_text=_("Vide : « aucune contestation n'a été reçue », si le journal n'en connaît pas."),
    )
    pouvoir = forms.CharField(
        label=_("Signataire ayant reçu pouvoir"),
        max_length=200,
        required=False,
        help_text=_("Vide : le représentant légal signe."),
    )
    renvoi = forms.CharField(label=_("Juridiction en cas d'opposition"), max_length=160, required=False)

    def valeurs_de_depart(self):
        valeurs = super().valeurs_de_depart()
        valeurs["expose"] = valeurs["expose"] or services.proposer_expose(self.dossier)
        return valeurs | {"vu": etat_affiche(self.dossier)}


class JuridictionForm(DossierForm):
    vu = forms.CharField(widget=forms.HiddenInput)
    juridiction = forms.ChoiceField(label=_("Juridiction"), choices=DossierContentieux.Juridiction.choices)
    tribunal = forms.CharField(label=_("Tribunal"), max_length=160, help_text=_("« tribunal de commerce de Bernay »"))
    tribunal_adresse = forms.CharField(
        label=_("Adresse du greffe"), max_length=250, required=False, widget=forms.Textarea
    )
    competence_relue = forms.BooleanField(
        label=_("J'ai relu la compétence : le débiteur demeure dans ce ressort (CPC, art. 1406)"), required=False
    )

    def valeurs_de_depart(self):
        valeurs = super().valeurs_de_depart()
        if not valeurs["tribunal"]:
            proposee = services.juridiction_proposee(self.dossier.client, au=self.au)
            valeurs |= {"juridiction": proposee.genre.value, "tribunal": proposee.nom}
        return valeurs | {"vu": etat_affiche(self.dossier)}


class PrefectureForm(DossierForm):
    """À qui demander le mandatement d'office, pour quel marché, et le délai laissé à l'ordonnateur."""

    vu = forms.CharField(widget=forms.HiddenInput)
    tribunal = forms.CharField(label=_("Préfecture"), max_length=160, help_text=_("« Préfecture du Rhône »"))
    tribunal_adresse = forms.CharField(
        label=_("Adresse de la préfecture"), max_length=250, required=False, widget=forms.Textarea
    )
    marche = forms.CharField(
        label=_("Marché ou commande"), max_length=160, required=False, help_text=_("« marché 2026-14 du 3 mars 2026 »")
    )
    delai_ordonnateur_mois = forms.TypedChoiceField(
        label=_("Délai laissé à l'ordonnateur"),
        choices=[(1, _("un mois")), (2, _("deux mois"))],
        coerce=int,
        help_text=_("Un mois ; deux peuvent valoir pour une forte dépense (CGCT, art. L1612-16, à vérifier)."),
    )
    competence_relue = forms.BooleanField(
        label=_("J'ai relu : collectivité ou établissement public local, dans le ressort de ce préfet"), required=False
    )

    def valeurs_de_depart(self):
        return super().valeurs_de_depart() | {"vu": etat_affiche(self.dossier)}


def etat_affiche(dossier: DossierContentieux) -> str:
    return dossier.updated_at.isoformat()


class DecompteForm(DossierForm):
    arrete_au = JourField(label=_("Arrêté au"))

    def valeurs_de_depart(self):
        return {"arrete_au": self.au}


ANCIENNE_PIECE = date(1950, 1, 1)  # un bail ou un contrat-cadre peut précéder de loin la créance


class FichierForm(DossierForm):
    fichier = forms.FileField(
        label=_("Fichier"),
        help_text=_("PDF, PNG ou JPEG, 15 Mo au plus."),
        widget=forms.FileInput(attrs={"accept": "application/pdf,image/png,image/jpeg"}),
    )

    def clean_fichier(self):
        fichier = self.cleaned_data["fichier"]
        if fichier.size > TAILLE_MAX:
            raise forms.ValidationError(_g("Le fichier dépasse %(max)d Mo.") % {"max": TAILLE_MAX // 1024 // 1024})
        return fichier


class JoindreForm(FichierForm):
    jour = JourField(label=_("Date de la pièce"), required=False, depuis=ANCIENNE_PIECE)

    def valeurs_de_depart(self):
        return {"jour": self.piece.date}


class AjoutForm(FichierForm):
    designation = forms.CharField(
        label=_("Désignation"), max_length=200, help_text=_("Telle que le juge la lira au bordereau.")
    )
    genre = forms.ChoiceField(
        label=_("Genre"), choices=[c for c in Piece.Genre.choices if c[0] != Piece.Genre.DECOMPTE], initial="autre"
    )
    jour = JourField(label=_("Date de la pièce"), required=False, depuis=ANCIENNE_PIECE)
    field_order = ["designation", "genre", "jour", "fichier"]

    def valeurs_de_depart(self):
        return {"genre": Piece.Genre.AUTRE}


class DispenseForm(DossierForm):
    motif = forms.CharField(label=_("Pourquoi s'en passer"), max_length=200)


class NumeroForm(DossierForm):
    vers = forms.IntegerField(label=_("Nouveau numéro"), min_value=1, max_value=999)

    def valeurs_de_depart(self):
        return {"vers": self.piece.numero}


class EtapeForm(DossierForm):
    evenement = forms.ChoiceField(label=_("Ce qui a eu lieu"), widget=forms.RadioSelect)
    le = JourField(label=_("Le"))
    a_personne = forms.NullBooleanField(
        label=_("Acte remis à la personne"),
        required=False,
        widget=forms.Select(choices=[("", _("non précisé")), ("true", _("oui")), ("false", _("non"))]),
        help_text=_("Pour une signification : à défaut, une opposition tardive reste possible (CPC, art. 1416)."),
    )
    note = forms.CharField(label=_("Précision"), max_length=250, required=False)

    def __init__(self, *args, **kwargs):
        super().__init__(*args, **kwargs)
        possibles = services.etapes_possibles(self.dossier, au=self.au)
        self.fields["evenement"].choices = [(t.evenement, t.libelle) for t in possibles]
        if "signification" not in {t.evenement for t in possibles}:
            del self.fields["a_personne"]

    def valeurs_de_depart(self):
        return {"le": self.au}


class MotifForm(DossierForm):
    motif = forms.CharField(label=_("Motif"), max_length=200)


class FraisForm(DossierForm):
    libelle = forms.CharField(label=_("Libellé"), max_length=120)
    montant = MontantField(label=_("Montant"))
    le = JourField(label=_("Le"))
    recuperable = forms.BooleanField(label=_("Récupérable sur le débiteur"), required=False)
    a_confirmer = forms.BooleanField(
        label=_("Tarif à confirmer"), required=False, help_text=_("Les frais de greffe varient selon les sources.")
    )

    def valeurs_de_depart(self):
        return {"le": self.au}


class InterruptionForm(DossierForm):
    acte = forms.ChoiceField(label=_("Acte"), choices=Interruption.Acte.choices)
    jour = JourField(label=_("Le"))
    piece = forms.ModelChoiceField(
        label=_("Pièce qui le prouve"), queryset=Piece.objects.none(), required=False, empty_label=_("aucune")
    )

    def __init__(self, *args, **kwargs):
        super().__init__(*args, **kwargs)
        self.fields["piece"].queryset = self.dossier.pieces.exclude(chemin="")

    def valeurs_de_depart(self):
        return {"jour": self.au}


class ExecutionForm(DossierForm):
    facture = forms.ChoiceField(label=_("Facture"))
    le = JourField(label=_("Livrée ou exécutée le"), help_text=_("La prescription part de ce jour."))

    def __init__(self, *args, **kwargs):
        super().__init__(*args, **kwargs)
        lignes = self.dossier.lignes.select_related("echeance__facture").order_by("echeance__date_facture", "pk")
        factures = {str(ligne.echeance.facture_id): ligne.echeance.facture for ligne in lignes}
        self.factures = factures
        self.fields["facture"].choices = [(pk, f.numero) for pk, f in factures.items()]

    def valeurs_de_depart(self):
        return {}


class NatureForm(DossierForm):
    nature_creance = forms.ChoiceField(label=_("Nature de la créance"), required=False)

    def __init__(self, *args, **kwargs):
        super().__init__(*args, **kwargs)
        table = natures()
        deduite = table[nature_de(self.dossier.client)].libelle
        self.fields["nature_creance"].choices = [
            ("", _g("D'après le client : %(n)s") % {"n": deduite}),
            *((n.code, f"{n.libelle} ({n.duree})") for n in table.values() if n.duree and n.depart),
        ]


class ClotureForm(DossierForm):
    issue = forms.CharField(label=_("Comment le dossier se termine"), max_length=200)
    le = JourField(label=_("Clos le"))
    reprendre_les_relances = forms.BooleanField(
        label=_("Rendre aux relances ce qui reste dû"),
        required=False,
        help_text=_("Sinon les pièces restent hors de l'échelle, dans l'encours."),
    )

    def valeurs_de_depart(self):
        return {"le": self.au}


class ActeForm(forms.Form):
    """Un acte interruptif d'une facture et ce qui le prouve."""

    acte = forms.ChoiceField(label=_("Acte"), choices=Interruption.Acte.choices)
    jour = JourField(label=_("Le"), avance=timedelta(0))
    preuve = forms.FileField(
        label=_("Preuve"),
        required=False,
        help_text=_("PDF, PNG ou JPEG, 15 Mo au plus."),
        widget=forms.FileInput(attrs={"accept": "application/pdf,image/png,image/jpeg"}),
    )
    note = forms.CharField(
        label=_("Note"), max_length=200, required=False, help_text=_("À défaut de fichier : où se trouve la preuve.")
    )

    def __init__(self, *args, facture, au, **kwargs):
        super().__init__(*args, **{"initial": {"jour": au}, "prefix": "acte", **kwargs})

    def clean_preuve(self):
        fichier = self.cleaned_data["preuve"]
        if fichier and fichier.size > TAILLE_MAX:
            raise forms.ValidationError(_g("Le fichier dépasse %(max)d Mo.") % {"max": TAILLE_MAX // 1024 // 1024})
        return fichier


class CreanceForm(forms.Form):
    """Ce qui fixe la durée et le départ de la prescription d'une facture."""

    nature = forms.ChoiceField(
        label=_("Nature de la créance"), required=False, help_text=_("Elle fixe la durée de prescription.")
    )
    execution = JourField(
        label=_("Livrée ou exécutée le"),
        required=False,
        avance=timedelta(0),
        help_text=_("La prescription part de ce jour, non de la facture."),
    )
    titre = JourField(
        label=_("Titre exécutoire du"),
        required=False,
        avance=timedelta(0),
        help_text=_("Celle d'un titre exécutoire part du jour où il est rendu."),
    )

    def __init__(self, *args, facture, au, **kwargs):
        depart = {"nature": facture.nature_creance, "execution": facture.date_execution, "titre": facture.titre_le}
        super().__init__(*args, **{"initial": depart, "prefix": "creance", **kwargs})
        table = natures()
        deduite = table[nature_de(facture.client)].libelle
        self.fields["nature"].choices = [
            ("", _g("D'après le client : %(n)s") % {"n": deduite}),
            *((n.code, f"{n.libelle} ({n.duree})") for n in table.values() if n.duree and n.depart),
        ]
