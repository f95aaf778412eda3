"""Volets d'action de la fiche : une saisie, ce qu'elle fera, son enregistrement.

Chaque volet est une classe : `formulaire` (vide ou rempli), `effets` (phrases, avant d'enregistrer) et
`enregistrer` (appelle les services, rend la phrase du toast et l'adresse qui défait). Ceux qui touchent
les pièces sont dans `volets_pieces`, les autres dans leur fichier, leur liste dans `registre`.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import date, datetime, time, timedelta
from functools import cached_property

from django.core.exceptions import ValidationError
from django.db import transaction
from django.db.models import Q
from django.http import Http404
from django.urls import reverse
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy, ngettext

from clients import services
from clients.forms import ClientForm, ContactForm, JugementForm, SuiteJugementForm, SuspensionForm
from clients.models import Client
from contentieux.domaine.delais import ajouter_mois
from factures.compte import Credit, credits_ouverts, pieces_ouvertes, poser_retenues
from factures.domaine.echeances import ConditionsIllisibles, lire_conditions
from factures.models import Echeance
from recouvrement.commun import formats
from recouvrement.commun.vues import entier
from recouvrement.comptes.droits import Droit, peut, roles_avec
from recouvrement.comptes.models import Utilisateur
from relances import motifs
from relances.models import Courrier, Tache
from relances.services import taches
from relances.services.ce_soir import prochain_passage
from relances.services.qualification import effets_du_type, verifier_changement_de_type

from .etapes import Etapes, Prevision

DECLARATION_MOIS = 2  # R622-24 C. com. : deux mois de la publication ; sans elle, prudence : du jugement


@dataclass(frozen=True)
class Issue:
    """Ce qu'un enregistrement rend : la phrase du toast, l'adresse (POST) qui défait, et où aller sinon la fiche."""

    texte: str
    annuler: str = ""
    vers: str = ""


class Fiche:
    """Ce que les volets et les onglets lisent du client, une fois par requête."""

    def __init__(self, client: Client, *, au: date, user):
        self.client, self.au, self.user = client, au, user
        self.region = client.societe.region_feries

    @cached_property
    def pieces(self) -> list[Echeance]:
        return poser_retenues(pieces_ouvertes(self.client), au=self.au)

    @cached_property
    def echues(self) -> list[Echeance]:
        return [e for e in self.pieces if e.date_echeance < self.au]

    @cached_property
    def credits(self) -> list[Credit]:
        return credits_ouverts(self.client)

    @cached_property
    def prevision(self) -> Prevision:
        """Jugée au prochain passage, comme « Ce soir » : la fiche ne dit pas autre chose les jours sans passage."""
        passage = prochain_passage(self.client.societe, datetime.combine(self.au, time.min))
        return Prevision(self.client, au=passage, pieces=self.pieces)

    @cached_property
    def etapes(self) -> Etapes:
        return self.prevision.juger()

    @cached_property
    def contacts(self):
        return self.client.contacts.all()

    @property
    def equipe(self):
        """Qui agit dans la société du client."""
        return Utilisateur.objects.filter(
            Q(affectations__role__in=roles_avec(Droit.AGIR)),
            affectations__societe=self.client.societe_id,
            is_active=True,
        ).distinct()

    @property
    def pilote(self) -> bool:
        """Agit sur toute la société : peut changer le portefeuille, le plafond et les conditions."""
        societe = self.client.societe_id
        return peut(self.user, Droit.AGIR, societe) and peut(self.user, Droit.TOUT_VOIR, societe)


class Volet:
    """Un volet ; `params` : la chaîne d'adresse, pour une cible (`?contact=12`)."""

    nom = ""
    titre: str = ""
    signe = "pencil"
    touche = ""
    bouton: str = gettext_lazy("Enregistrer")
    avec_effets = False
    params_effet = "not csrfmiddlewaretoken"  # champs que « Ce que cela fera » relit
    fichiers = None  # ceux du formulaire, que le geste y pose

    def __init__(self, fiche: Fiche, params: Mapping[str, str]):
        self.fiche, self.params = fiche, params
        self.client, self.au = fiche.client, fiche.au

    @property
    def gabarit(self) -> str:
        return f"clients/volets/{self.nom}.html"

    @property
    def url(self) -> str:
        return reverse("clients:geste", args=[self.client.pk, self.nom])

    @property
    def url_effet(self) -> str:
        return reverse("clients:effet", args=[self.client.pk, self.nom])

    def formulaire(self, data=None):
        raise NotImplementedError

    def effets(self, form) -> list[str]:
        """Phrases de « Ce que cela fera » ; le formulaire peut être incomplet."""
        return []

    def enregistrer(self, form) -> Issue:
        raise NotImplementedError

    def contexte(self, form) -> dict:
        """Variables propres au gabarit du volet."""
        return {}


class Suspendre(Volet):
    nom, titre, signe, touche = "suspendre", gettext_lazy("Suspendre les relances"), "player-pause", "s"
    bouton = gettext_lazy("Suspendre les relances")
    avec_effets = True

    def formulaire(self, data=None):
        return SuspensionForm(data, initial={"au": self.au + timedelta(days=14)})

    def effets(self, form):
        fin = valeur(form, "au")
        if not fin or fin < self.au:
            return []
        n = len(self.fiche.echues)
        phrases = [
            ngettext(
                "%(n)d pièce échue est retenue jusqu'au %(jour)s.",
                "%(n)d pièces échues sont retenues jusqu'au %(jour)s.",
                n,
            )
            % {"n": n, "jour": formats.jour_long(fin)}
        ]
        etapes = self.fiche.etapes
        if etapes.le and etapes.le <= fin:
            phrases.append(attend(etapes))
        en_attente = self.client.courriers.filter(
            statut__in=[Courrier.Statut.A_VALIDER, Courrier.Statut.A_ENVOYER]
        ).count()
        if en_attente:
            phrases.append(
                ngettext(
                    "%(n)d courrier préparé ne partira pas pendant ce temps.",
                    "%(n)d courriers préparés ne partiront pas pendant ce temps.",
                    en_attente,
                )
                % {"n": en_attente}
            )
        reprise = self.fiche.prevision.ouvre(fin + timedelta(days=1))
        phrases.append(_("Tout reprend seul le %(jour)s.") % {"jour": formats.jour_long(reprise)})
        return phrases

    def enregistrer(self, form):
        d = form.cleaned_data
        suspension = services.suspendre(self.client, motif=d["motif"], du=self.au, au=d["au"], acteur=self.fiche.user)
        return Issue(
            _("Relances suspendues jusqu'au %(jour)s.") % {"jour": formats.jour(suspension.au)},
            reverse("clients:lever", args=[self.client.pk, suspension.pk]),
        )


class Contact(Volet):
    """Ajoute un contact, ou modifie celui de `?contact=`."""

    nom, signe = "contact", "users"
    bouton = gettext_lazy("Enregistrer le contact")

    @cached_property
    def cible(self):
        pk = self.params.get("contact", "")
        if not pk:
            return None
        contact = self.client.contacts.filter(pk=entier(pk)).first()
        if contact is None:
            raise Http404
        return contact

    @property
    def titre(self):
        return _("Modifier le contact") if self.cible else _("Ajouter un contact")

    @property
    def url(self):
        return f"{super().url}?contact={self.cible.pk}" if self.cible else super().url

    def formulaire(self, data=None):
        return ContactForm(data, instance=self.cible)

    def enregistrer(self, form):
        champs = form.cleaned_data
        if self.cible:
            services.modifier_contact(self.cible, champs=champs, acteur=self.fiche.user)
            return Issue(_("Contact modifié."))
        services.ajouter_contact(self.client, champs=champs, acteur=self.fiche.user)
        return Issue(_("Contact ajouté."))


class Modifier(Volet):
    nom, titre, signe = "modifier", gettext_lazy("Modifier la fiche"), "pencil"
    bouton = gettext_lazy("Enregistrer la fiche")
    avec_effets = True
    params_effet = "type"

    def formulaire(self, data=None):
        return ClientForm(data, instance=self.client, pilote=self.fiche.pilote, gestionnaires=self.fiche.equipe)

    def effets(self, form):
        return effets_du_type(self.client, valeur(form, "type") or self.client.type)

    @transaction.atomic
    def enregistrer(self, form):
        version, champs = form.cleaned_data["version"], form.valeurs()
        verifier_changement_de_type(self.client, champs.get("type", self.client.type))
        if champs.get("conditions", self.client.conditions) != self.client.conditions:
            try:
                champs["conditions"] = lire_conditions(champs["conditions"]).code
            except ConditionsIllisibles as erreur:
                raise ValidationError({"conditions": str(erreur)}) from erreur
        services.modifier_client(self.client, version=version, champs=champs, acteur=self.fiche.user)
        return Issue(_("Fiche enregistrée."))


class Jugement(Volet):
    """Procédure collective : noter le jugement, puis sa clôture, ou retirer celui noté à tort."""

    nom, titre, signe = "jugement", gettext_lazy("Procédure collective"), "gavel"
    avec_effets = True

    @property
    def bouton(self):
        return _("Enregistrer") if self.client.jugement_ouverture_le else _("Arrêter les relances")

    def formulaire(self, data=None):
        if self.client.jugement_ouverture_le:
            return SuiteJugementForm(data)
        return JugementForm(data, initial={"le": self.au})

    def effets(self, form):
        if self.client.jugement_ouverture_le:
            suite = valeur(form, "suite")
            if not suite:
                return []
            if suite == SuiteJugementForm.ERREUR:
                return [
                    _("Le jugement est effacé : le client reprend sa place dans l'échelle dès le prochain passage.")
                ]
            return [
                _("Les intérêts restent arrêtés à la veille du jugement (C. com., art. L622-28)."),
                _("Les créances nées avant le jugement restent hors relance ; celles nées depuis la reprennent."),
            ]
        butoir = self._butoir(valeur(form, "le"), valeur(form, "publie_le"))
        phrases = [_("Toutes les relances s'arrêtent aujourd'hui ; les appels et décisions en attente sont clos.")]
        if autres := services.comptes_du_debiteur(self.client)[1:]:
            phrases.append(_("Même SIREN : les comptes %(codes)s s'arrêtent aussi.") % {"codes": _codes(autres)})
        if butoir:
            phrases.append(_("Une tâche « Déclarer la créance » est ouverte, au plus tard le %(jour)s.") % {
                "jour": formats.jour_long(butoir)
            })  # fmt: skip
        return phrases

    def _butoir(self, le: date | None, publie_le: date | None) -> date | None:
        depart = publie_le or le
        return ajouter_mois(depart, DECLARATION_MOIS) if depart else None

    def enregistrer(self, form):
        donnees, acteur = form.cleaned_data, self.fiche.user
        if self.client.jugement_ouverture_le:
            return self._conclure(donnees, acteur)
        services.signaler_jugement(self.client, **donnees, au=self.au, acteur=acteur)
        comptes = services.comptes_du_debiteur(self.client)
        for compte in comptes:
            taches.clore_pour_jugement(compte, acteur=acteur)
        butoir = self._butoir(donnees["le"], donnees["publie_le"])
        origine = (
            _("publication au BODACC du %(jour)s") % {"jour": formats.jour(donnees["publie_le"])}
            if donnees["publie_le"]
            else _("jugement du %(jour)s ; date de publication à confirmer") % {"jour": formats.jour(donnees["le"])}
        )
        taches.creer_tache(
            self.client,
            genre=Tache.Genre.DECLARER,
            titre=_("Déclarer la créance avant le %(jour)s") % {"jour": formats.jour(butoir)},
            due_le=butoir,
            cle="declarer",
            raison=origine + (_(" ; même SIREN : %(codes)s") % {"codes": _codes(comptes[1:])} if comptes[1:] else ""),
        )
        return Issue(_("Relances arrêtées ; créance à déclarer avant le %(jour)s.") % {"jour": formats.jour(butoir)})

    def _conclure(self, donnees: dict, acteur) -> Issue:
        if donnees["suite"] == SuiteJugementForm.ERREUR:
            services.retirer_jugement(self.client, motif=donnees["motif"], acteur=acteur)
            return Issue(_("Jugement retiré : les relances reprennent au prochain passage."))
        services.cloturer_procedure(self.client, le=donnees["le"], issue=donnees["issue"], au=self.au, acteur=acteur)
        return Issue(_("Procédure close : seules les créances nées depuis le jugement se relancent."))


def _codes(comptes: list[Client]) -> str:
    return ", ".join(c.code for c in comptes)


def valeur(form, nom: str):
    """Valeur lue d'un champ : nettoyée si elle est valide, sinon celle de départ ; None si elle est fausse."""
    if form.is_bound:
        form.is_valid()
        return form.cleaned_data.get(nom)
    depart = form.get_initial_for_field(form.fields[nom], nom)
    return depart


def attend(etapes: Etapes) -> str:
    """L'étape prévue n'aura pas lieu à sa date."""
    return _("L'étape prévue le %(jour)s (%(etape)s) attend.") % {
        "etape": motifs.nom_palier(etapes.nature).lower(),
        "jour": formats.jour_long(etapes.le),
    }


def reporter(form, erreur: ValidationError) -> None:
    """Pose une erreur de service sur les champs du formulaire ; un champ inconnu devient général."""
    if not hasattr(erreur, "error_dict"):
        form.add_error(None, erreur)
        return
    for champ, messages in erreur.message_dict.items():
        form.add_error(champ if champ in form.fields else None, messages)
