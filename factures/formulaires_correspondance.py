"""Le formulaire de l'assistant : un champ de la maison, une colonne du fichier."""

import re
from pathlib import PurePath

from django import forms
from django.core.exceptions import ValidationError
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy

from factures.domaine import correspondance as domaine
from factures.imports.champs import devise as lire_devise
from factures.imports.nombres import Illisible
from factures.models import Correspondance
from recouvrement.commun.forms import JourField

LIBELLES = {
    "code_client": gettext_lazy("Code du client"),
    "nom_client": gettext_lazy("Nom du client"),
    "numero": gettext_lazy("Numéro de facture"),
    "date_facture": gettext_lazy("Date de facture"),
    "date_echeance": gettext_lazy("Échéance"),
    "montant": gettext_lazy("Montant TTC"),
    "reste": gettext_lazy("Reste dû"),
    "debit": gettext_lazy("Débit"),
    "credit": gettext_lazy("Crédit"),
    "sens": gettext_lazy("Sens (D ou C)"),
    "montant_ht": gettext_lazy("Montant HT"),
    "montant_tva": gettext_lazy("TVA"),
    "devise": gettext_lazy("Devise"),
    "type": gettext_lazy("Type de pièce (facture, avoir)"),
    "commande": gettext_lazy("Commande"),
    "numero_origine": gettext_lazy("Facture d’origine d’un avoir"),
    "date_execution": gettext_lazy("Date de livraison"),
    "litige": gettext_lazy("En litige (oui ou non)"),
    "motif_litige": gettext_lazy("Motif du litige"),
    "date_reglement": gettext_lazy("Date de règlement"),
    "montant_regle": gettext_lazy("Montant réglé"),
    "reference": gettext_lazy("Référence du règlement"),
    "facture_reglee": gettext_lazy("Facture réglée"),
    "mode": gettext_lazy("Mode de règlement"),
    "libelle": gettext_lazy("Libellé"),
    "conditions": gettext_lazy("Conditions de paiement"),
    "siren": gettext_lazy("SIREN"),
    "siret": gettext_lazy("SIRET"),
    "numero_tva": gettext_lazy("Numéro de TVA"),
    "type_client": gettext_lazy("Type de client"),
    "forme": gettext_lazy("Forme juridique"),
    "civilite": gettext_lazy("Civilité"),
    "adresse": gettext_lazy("Adresse"),
    "complement": gettext_lazy("Complément d’adresse"),
    "code_postal": gettext_lazy("Code postal"),
    "ville": gettext_lazy("Ville"),
    "pays": gettext_lazy("Pays"),
    "courriel": gettext_lazy("Courriel"),
    "telephone": gettext_lazy("Téléphone"),
    "langue": gettext_lazy("Langue"),
    "plafond": gettext_lazy("Plafond d’encours"),
    "gestionnaire": gettext_lazy("Gestionnaire (courriel)"),
    "segment": gettext_lazy("Segment"),
    "date_arrete": gettext_lazy("Date d’arrêté de la balance"),
}
GENRES = [(valeur, libelle) for valeur, libelle in Correspondance.Genre.choices if valeur in domaine.GENRES]
DATES = [
    ("jma", gettext_lazy("Jour, mois, année (31/12/2026)")),
    ("mja", gettext_lazy("Mois, jour, année (12/31/2026)")),
    ("serial", gettext_lazy("Numéro de jour du tableur (46387)")),
]
DECIMALES = [
    ("auto", gettext_lazy("Selon chaque montant")),
    (",", gettext_lazy("Virgule (1.234,56)")),
    (".", gettext_lazy("Point (1,234.56)")),
]
EXEMPLES = 3


def libelle(champ: str) -> str:
    """Nom d'un champ à l'écran, tranches comprises."""
    if (bornes := domaine.bornes(champ)) is None:
        return str(LIBELLES.get(champ, champ))
    de, a = bornes
    if de is None:
        return _("Non échu")
    if a is None:
        return _("%(de)d jours de retard et plus") % {"de": de}
    return _("De %(de)d à %(a)d jours de retard") % {"de": de, "a": a}


def groupe_manquant(groupe: tuple[str, ...]) -> str:
    """« Code du client ou Nom du client »."""
    if groupe == ("tranche:",):
        return _("les tranches de retard")
    return _(" ou ").join(libelle(champ) for champ in groupe)


class CorrespondanceForm(forms.Form):
    """apercu : `Lot.compte_rendu["a_correspondre"]` ; proposition : {"genre", "colonnes", "raisons", "options"}."""

    genre = forms.ChoiceField(label=gettext_lazy("Ce que contient le fichier"), choices=GENRES)
    genre_avant = forms.CharField(widget=forms.HiddenInput, required=False)
    dates = forms.ChoiceField(label=gettext_lazy("Dates"), choices=DATES, required=False)
    decimale = forms.ChoiceField(label=gettext_lazy("Décimales"), choices=DECIMALES, required=False)
    devise = forms.CharField(
        label=gettext_lazy("Devise à défaut"),
        max_length=3,
        required=False,
        widget=forms.TextInput(attrs={"autocomplete": "off", "spellcheck": "false"}),
    )
    date_defaut = JourField(label=gettext_lazy("Date à défaut"), required=False)
    inverser = forms.BooleanField(label=gettext_lazy("Signes inversés : un négatif est dû"), required=False)
    creer_clients = forms.BooleanField(label=gettext_lazy("Créer les clients encore inconnus"), required=False)
    complet = forms.BooleanField(
        label=gettext_lazy("Cet export est complet : ce qui n’y est plus est réglé"), required=False
    )
    retenir = forms.BooleanField(label=gettext_lazy("Retenir pour les fichiers de même en-tête"), required=False)
    nom = forms.CharField(label=gettext_lazy("Nom de cette correspondance"), max_length=80, required=False)

    def __init__(self, data=None, *, apercu: dict, proposition: dict, societe, fichier: str = ""):
        self.apercu, self.proposition, self.societe = apercu, proposition, societe
        self.colonnes_du_fichier = list(apercu["colonnes"])
        self.retenues = list(
            Correspondance.objects.filter(societe=societe).order_by("-updated_at").values_list("nom", "signature")
        )
        super().__init__(data, initial=self._initial(proposition, fichier))
        self.champs = domaine.champs(proposition["genre"], self.colonnes_du_fichier)
        exemples = self._exemples()
        choix = [("", "–"), *((c, c) for c in self.colonnes_du_fichier)]
        for champ in self.champs:
            nom = nom_html(champ)
            retenue = proposition["colonnes"].get(champ, "")
            self.fields[nom] = forms.ChoiceField(
                label=libelle(champ), choices=choix, required=False, initial=retenue,
            )  # fmt: skip
        self.exemples = exemples
        if proposition["genre"] == domaine.BALANCE:
            self.fields["date_defaut"].label = LIBELLES["date_arrete"]

    def _initial(self, proposition: dict, fichier: str) -> dict:
        options = proposition["options"]
        nom = next((nom for nom, s in self.retenues if s == self.apercu["signature"]), "") or nom_propose(fichier)
        return {
            "genre": proposition["genre"], "genre_avant": proposition["genre"], "devise": options.get("devise", "EUR"),
            "dates": options.get("dates", "jma"), "decimale": options.get("decimale", "auto"),
            "date_defaut": options.get("date_defaut"), "inverser": options.get("inverser", False),
            "creer_clients": options.get("creer_clients", True), "retenir": True, "nom": nom,
            "complet": options.get("complet", False),
        }  # fmt: skip

    def _exemples(self) -> dict[str, str]:
        from factures.imports.tableur import decoder
        from factures.imports.tableur_valeurs import en_texte

        vues: dict[str, list[str]] = {c: [] for c in self.colonnes_du_fichier}
        for _ligne, cellules in self.apercu["lignes"]:
            for colonne, c in zip(self.colonnes_du_fichier, cellules, strict=False):
                texte = en_texte(decoder(c))[:30]
                if texte and len(vues[colonne]) < EXEMPLES and texte not in vues[colonne]:
                    vues[colonne].append(texte)
        return {colonne: ", ".join(textes) for colonne, textes in vues.items()}

    # --- Ce qui est choisi, valide ou non ---

    def lignes(self):
        """(champ lié, obligatoire, exemples, raison) de chaque champ de la maison."""
        requis = {c for groupe in domaine.OBLIGATOIRES[self.proposition["genre"]] for c in groupe}
        choisies = self.choix()["colonnes"]
        for champ in self.champs:
            colonne = choisies.get(champ, "")
            raison = self.proposition.get("raisons", {}).get(champ, "")
            if colonne != self.proposition["colonnes"].get(champ):
                raison = ""
            obligatoire = champ in requis or champ.startswith("tranche:")
            yield self[nom_html(champ)], obligatoire, self.exemples.get(colonne, ""), raison

    @property
    def est_une_photo(self) -> bool:
        return self.proposition["genre"] in (domaine.POSTES, domaine.BALANCE)

    def choix(self) -> dict:
        """{"genre", "colonnes", "options"} tels que choisis ; ce qui n'est pas valide est laissé de côté."""
        if self.is_bound:
            self.is_valid()
            lu = self.cleaned_data
        else:
            lu = {nom: self.get_initial_for_field(champ, nom) for nom, champ in self.fields.items()}
        colonnes = {champ: c for champ in self.champs if (c := lu.get(nom_html(champ)))}
        jour = lu.get("date_defaut")
        options = {
            "dates": lu.get("dates") or "jma",
            "decimale": lu.get("decimale") or "auto",
            "devise": lu.get("devise") or "EUR",
            "inverser": bool(lu.get("inverser")),
            "creer_clients": bool(lu.get("creer_clients")),
        }
        if self.est_une_photo:
            options["complet"] = bool(lu.get("complet"))
        if jour:
            options["date_defaut"] = jour if isinstance(jour, str) else jour.isoformat()
        if self.apercu.get("feuille"):
            options["feuille"] = self.apercu["feuille"]
        return {"genre": self.proposition["genre"], "colonnes": colonnes, "options": options}

    def manquants(self) -> list[str]:
        choix = self.choix()
        return [groupe_manquant(g) for g in domaine.manquants(choix["genre"], choix["colonnes"], choix["options"])]

    # --- Contrôles ---

    def clean_devise(self):
        try:
            return lire_devise(self.cleaned_data["devise"]) if self.cleaned_data["devise"] else "EUR"
        except Illisible as erreur:
            raise ValidationError(_("Une devise s’écrit en trois lettres : EUR, USD.")) from erreur

    def clean(self):
        lu = super().clean()
        prises: dict[str, str] = {}
        for champ in self.champs:
            colonne = lu.get(nom_html(champ))
            if colonne and colonne in prises:
                autre = libelle(prises[colonne])
                self.add_error(
                    nom_html(champ),
                    _("« %(colonne)s » est déjà prise pour %(champ)s.") % {"colonne": colonne, "champ": autre},
                )
            elif colonne:
                prises[colonne] = champ
        nom, signature = lu.get("nom", ""), self.apercu["signature"]
        if lu.get("retenir") and not nom:
            self.add_error("nom", _("Donnez un nom pour la retenir."))
        elif lu.get("retenir") and any(nom == n and s != signature for n, s in self.retenues):
            self.add_error("nom", _("Ce nom est celui d’un autre en-tête : choisissez-en un autre."))
        return lu


def nom_html(champ: str) -> str:
    return "c_" + champ.replace(":", "-")


def nom_propose(fichier: str) -> str:
    """« Balance_2026-03.xlsx » → « Balance »."""
    mots = re.sub(r"[\W\d_]+", " ", PurePath(fichier).stem).strip()
    return (mots or _("Tableau"))[:80]
