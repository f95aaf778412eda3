"""Écritures sur un client : chacune relit sous verrou, écrit, puis consigne un maillon.

Le jour arrive en argument ; les instants (journal, levée) viennent de l'horloge. Une règle violée lève
`django.core.exceptions.ValidationError`, par champ quand il y en a un : l'écran la montre à sa place.
"""

from dataclasses import dataclass, field
from datetime import date, datetime, timedelta

from django.core.exceptions import ValidationError
from django.db import transaction
from django.db.models import F
from django.utils import timezone
from django.utils.translation import gettext as _

from recouvrement.commun.domaine.identifiants import (
    IdentifiantInvalide,
    siren_du_siret,
    verifier_siren,
    verifier_siret,
    verifier_tva,
)
from recouvrement.commun.domaine.pays import verifier_pays
from recouvrement.journal.models import Maillon
from recouvrement.journal.services import consigner, deja_consigne

from .models import Client, Contact, Note, Suspension, TypeDebiteur
from .procedures import aligner, cloturer_procedure, comptes_du_debiteur, retirer_jugement, signaler_jugement

__all__ = [
    "aligner",
    "cloturer_procedure",
    "comptes_du_debiteur",
    "retirer_jugement",
    "signaler_jugement",
]  # réexportées

DUREE_MAX_SUSPENSION = timedelta(days=366)  # décision de maison : au-delà, ce n'est plus une exclusion datée
CHAMPS_INTERDITS = {"id", "societe", "code", "version", "created_at", "updated_at", "courriel_invalide_le",
                    "jugement_ouverture_le", "procedure_cloturee_le", "procedure_issue"}  # fmt: skip


@dataclass
class ConflitEdition(Exception):
    """Le client a changé depuis l'ouverture du formulaire : rien n'est écrit."""

    version: int
    par: str = ""
    le: datetime | None = None
    champs: list[str] = field(default_factory=list)

    def __str__(self):
        if not self.par:
            return _("Ce client a été modifié entre-temps.")
        return _("%(par)s a modifié ce client entre-temps.") % {"par": self.par}


def _client_verrouille(client) -> Client:
    verrouilles = Client.objects.select_for_update(no_key=True, of=("self",)).select_related("societe")
    return verrouilles.get(pk=getattr(client, "pk", client))


# --- Suspendre ---------------------------------------------------------------------------------


@transaction.atomic
def suspendre(client: Client, *, motif: str, du: date, au: date, acteur) -> Suspension:
    """Retient toutes les relances du client du jour `du` au jour `au` compris (exigence 17).

    Rejouer la même demande rend la suspension déjà posée. Lève ValidationError : motif vide, fin avant le
    début, durée de plus d'un an.
    """
    motif = motif.strip()
    if not motif:
        raise ValidationError({"motif": _("Dites pourquoi : la raison se lit à côté de chaque pièce retenue.")})
    if au < du:
        raise ValidationError({"au": _("La fin ne peut pas précéder le début.")})
    if au - du > DUREE_MAX_SUSPENSION:
        raise ValidationError({"au": _("Une suspension dure un an au plus ; elle se renouvelle.")})
    client = _client_verrouille(client)
    identique = client.suspensions.filter(motif=motif, du=du, au=au, levee_le=None).first()
    if identique:
        return identique
    suspension = Suspension.objects.create(client=client, motif=motif, du=du, au=au, auteur=acteur)
    consigner(
        "client.suspendu",
        societe=client.societe,
        acteur=acteur,
        objet=suspension,
        client=client,
        texte=motif,
        donnees={"du": du, "au": au},
    )
    return suspension


@transaction.atomic
def lever_suspension(suspension: Suspension, *, acteur) -> bool:
    """Met fin à une suspension ; faux si elle l'était déjà (double clic)."""
    suspension = (
        Suspension.objects.select_for_update(no_key=True, of=("self",))
        .select_related("client__societe")
        .get(pk=suspension.pk)
    )
    if suspension.levee_le:
        return False
    suspension.levee_le = timezone.now()
    suspension.save(update_fields=["levee_le"])
    consigner(
        "client.suspension_levee",
        societe=suspension.client.societe,
        acteur=acteur,
        objet=suspension,
        client=suspension.client,
        texte=suspension.motif,
        donnees={"du": suspension.du, "au": suspension.au},
    )
    return True


# --- Noter -------------------------------------------------------------------------------------


@transaction.atomic
def noter(client: Client, *, texte: str, acteur, cle: str = "") -> Note:
    """Ajoute une note. Le journal porte qu'elle existe ; son texte vit dans `Note`, rectifiable.

    cle : celle du formulaire ; la rejouer (double clic) rend la note déjà écrite.
    """
    texte = texte.strip()
    if not texte:
        raise ValidationError({"texte": _("Écrivez la note.")})
    client = _client_verrouille(client)
    if deja := deja_consigne("client.note", client=client, cle=cle):
        return Note.objects.get(pk=deja.objet_id)
    note = Note.objects.create(client=client, texte=texte, auteur=acteur)
    consigner(
        "client.note", societe=client.societe, acteur=acteur, objet=note, client=client,
        donnees={"cle": cle} if cle else None,
    )  # fmt: skip
    return note


# --- Modifier ----------------------------------------------------------------------------------


def _derniere_modification(client: Client) -> ConflitEdition:
    """Qui a écrit la version courante, et quels champs, d'après le journal."""
    maillon = (
        Maillon.objects.filter(client_id=client.pk, action="client.modifie")
        .select_related("acteur", "detail")
        .order_by("-rang")
        .first()
    )
    if maillon is None:
        return ConflitEdition(client.version)
    avant_apres = maillon.detail.donnees.get("champs", {})
    return ConflitEdition(
        client.version, par=str(maillon.acteur or ""), le=maillon.quand, champs=[_libelle(nom) for nom in avant_apres]
    )


def _libelle(nom: str) -> str:
    return str(Client._meta.get_field(nom).verbose_name)


def _normaliser_identifiants(client: Client) -> None:
    """Formes serrées, clés contrôlées. Le numéro de TVA d'un autre pays n'a pas de contrôle ici."""
    erreurs = {}

    def controler(nom, verifier):
        if valeur := getattr(client, nom):
            try:
                setattr(client, nom, verifier(valeur))
            except IdentifiantInvalide as erreur:
                erreurs[nom] = str(erreur)

    controler("siren", verifier_siren)
    controler("siret", verifier_siret)
    controler("pays", verifier_pays)
    if client.pays == "FR":
        controler("numero_tva", verifier_tva)
    if not erreurs and client.siren and client.siret and siren_du_siret(client.siret) != client.siren:
        erreurs["siret"] = _("Ce SIRET n'est pas celui d'un établissement du SIREN %(siren)s.") % {
            "siren": client.siren
        }
    if erreurs:
        raise ValidationError(erreurs)


def _lisible(valeur):
    return valeur.pk if hasattr(valeur, "pk") else valeur


@transaction.atomic
def modifier_client(client: Client, *, version: int, champs: dict, acteur) -> Client:
    """Écrit les champs changés si personne n'a écrit depuis `version`, et avance la version.

    Lève ConflitEdition (formulaire périmé) ou ValidationError (par champ). Sans changement, n'écrit rien.
    """
    interdits = CHAMPS_INTERDITS & set(champs)
    if interdits:
        raise ValueError(f"champs tenus par un autre service : {sorted(interdits)}")
    client = _client_verrouille(client)
    if client.version != version:
        raise _derniere_modification(client)
    avant = {nom: getattr(client, nom) for nom in champs}
    for nom, valeur in champs.items():
        setattr(client, nom, valeur)
    # L'adresse refusée par un serveur n'est plus celle-là.
    if "courriel" in champs and champs["courriel"] != avant["courriel"]:
        client.courriel_invalide_le = None
    if any(champs.get(nom, avant.get(nom)) != avant.get(nom) for nom in ("adresse", "code_postal", "ville")):
        client.adresse_invalide_le = None  # ni celle d'où le pli est revenu
    _normaliser_identifiants(client)
    if client.type == TypeDebiteur.PARTICULIER and client.taux_penalites is not None:
        raise ValidationError({"taux_penalites": _("Jamais de taux de professionnel pour un consommateur.")})
    client.full_clean(validate_unique=False)
    changes = {
        nom: [_lisible(ancien), _lisible(getattr(client, nom))]
        for nom, ancien in avant.items()
        if ancien != getattr(client, nom)
    }
    if not changes:
        return client
    client.version += 1
    client.save()
    consigner(
        "client.modifie",
        societe=client.societe,
        acteur=acteur,
        objet=client,
        client=client,
        texte=", ".join(_libelle(nom) for nom in changes),
        donnees={"version": client.version, "champs": changes},
    )
    if "siren" in changes and aligner(client.societe, acteur=acteur):
        client.refresh_from_db()
    return client


# --- Contacts ----------------------------------------------------------------------------------


@transaction.atomic
def ajouter_contact(client: Client, *, champs: dict, acteur) -> Contact:
    contact = Contact(client=client, **champs)
    contact.full_clean()
    contact.save()
    consigner("contact.ajoute", societe=client.societe, acteur=acteur, objet=contact, client=client, texte=contact.nom)
    return contact


@transaction.atomic
def modifier_contact(contact: Contact, *, champs: dict, acteur) -> Contact:
    """Écrit les champs changés ; une adresse nouvelle n'hérite pas du rebond de l'ancienne."""
    contact = (
        Contact.objects.select_for_update(no_key=True, of=("self",))
        .select_related("client__societe")
        .get(pk=contact.pk)
    )
    changes = [nom for nom, valeur in champs.items() if getattr(contact, nom) != valeur]
    if not changes:
        return contact
    for nom in changes:
        setattr(contact, nom, champs[nom])
    if "courriel" in changes:
        contact.invalide_le, contact.invalide_motif = None, ""
    contact.full_clean()
    contact.save()
    consigner(
        "contact.modifie",
        societe=contact.client.societe,
        acteur=acteur,
        objet=contact,
        client=contact.client,
        texte=contact.nom,
        donnees={"champs": changes},
    )
    return contact


# --- Adresses en erreur ------------------------------------------------------------------------


@transaction.atomic
def signaler_rebond(client: Client, *, courriel: str, le: date, motif: str, acteur=None) -> int:
    """Marque l'adresse inutilisable sur le compte et chez ses contacts (exigences 21 et 22).

    Renvoie le nombre de fiches marquées ; 0 si l'adresse l'était déjà ou n'est plus celle du client : le
    rebond d'une ancienne adresse ne condamne pas la nouvelle.
    """
    marques = Client.objects.filter(pk=client.pk, courriel__iexact=courriel, courriel_invalide_le=None).update(
        courriel_invalide_le=le, version=F("version") + 1
    )
    marques += Contact.objects.filter(client=client, courriel__iexact=courriel, invalide_le=None).update(
        invalide_le=le, invalide_motif=motif[:200]
    )
    if marques:
        consigner(
            "client.adresse_en_erreur",
            societe=client.societe,
            acteur=acteur,
            objet=client,
            client=client,
            texte=f"{courriel} : {motif}",
            donnees={"courriel": courriel},
        )
    return marques


@transaction.atomic
def rehabiliter_adresse(client: Client, *, courriel: str, acteur) -> int:
    """La personne a vérifié : l'adresse sert de nouveau. Renvoie le nombre de fiches rétablies."""
    compte = Client.objects.filter(pk=client.pk, courriel__iexact=courriel).exclude(courriel_invalide_le=None)
    retablies = compte.update(courriel_invalide_le=None, version=F("version") + 1)
    retablies += (
        Contact.objects.filter(client=client, courriel__iexact=courriel)
        .exclude(invalide_le=None)
        .update(invalide_le=None, invalide_motif="")
    )
    if retablies:
        consigner(
            "client.adresse_retablie",
            societe=client.societe,
            acteur=acteur,
            objet=client,
            client=client,
            texte=courriel,
        )
    return retablies
