"""Clients et contacts : lire, créer, modifier. La saisie est celle de l'écran : mêmes formulaires, mêmes services."""

from django.core.exceptions import ValidationError
from django.db import transaction
from django.db.models import Q
from django.utils.translation import gettext as _
from ninja import Query, Router
from pydantic import Field

from clients import services
from clients.creation import creer_client
from clients.forms import ClientForm, ContactForm
from clients.models import (
    CasDelai,
    Client,
    Contact,
    IssueProcedure,
    RegleImputation,
    Regroupement,
    RoleContact,
    TypeDebiteur,
)
from factures.domaine.echeances import ConditionsIllisibles, lire_conditions
from recouvrement.comptes.droits import Droit, peut, roles_avec
from recouvrement.comptes.models import Langue, Utilisateur
from relances.services.qualification import verifier_changement_de_type

from ..acces import JSON
from ..contrat import operation
from ..curseur import paginer
from ..formes import (
    Cle,
    Entree,
    Instant,
    InstantLu,
    Jour,
    JourLu,
    Montant,
    MontantLu,
    Page,
    Personne,
    Sortie,
    Texte,
    facultatif,
    instant,
    jour,
    parmi,
    personne,
    somme,
)
from ..perimetre import trouver, visibles
from ..portees import Portee
from ..problemes import champs_de, saisie

router = Router(tags=["Clients"])


class FiltresClients(Page):
    code: Texte = facultatif("Code exact.", max_length=40)
    siren: Texte = facultatif("SIREN exact, neuf chiffres.", max_length=9)
    q: Texte = facultatif("Texte contenu dans le nom ou le code.", max_length=80)
    type: parmi(TypeDebiteur.values) = facultatif("Type de débiteur.")
    gestionnaire: Cle = facultatif("Clé de la personne qui suit le client.")
    segment: Texte = facultatif("Segment exact.", max_length=40)
    modifie_depuis: InstantLu = facultatif("Modifiés à partir de cet instant.")


class ClientSortie(Sortie):
    id: int
    code: str
    raison_sociale: str
    type: parmi(TypeDebiteur.values)
    forme: str
    siren: str
    siret: str
    numero_tva: str
    civilite: str
    adresse: str
    complement: str
    code_postal: str
    ville: str
    pays: str
    courriel: str
    courriel_en_erreur_depuis: Jour | None
    adresse_en_erreur_depuis: Jour | None
    telephone: str
    langue: parmi(Langue.values)
    gestionnaire: Personne | None
    segment: str
    plafond: Montant | None
    conditions: str = Field(description="Délai de paiement : 30J, 45FDM, 60J…")
    lecture_fdm: parmi(["A", "B"])
    cas_delai: parmi(["", *CasDelai.values])
    taux_penalites: Montant | None = Field(description="Pour cent par an, deux décimales.")
    imputation: parmi(RegleImputation.values)
    delai_entre_contacts: int | None
    regroupement: parmi(["", *Regroupement.values])
    surendettement: bool
    prelevement: bool
    lre_acceptee_le: Jour | None
    objet_contrat: str
    mention_loi_en: str
    jugement_ouverture_le: Jour | None
    procedure_cloturee_le: Jour | None
    procedure_issue: parmi(["", *IssueProcedure.values])
    version: int = Field(description="À renvoyer pour modifier.")
    cree_le: Instant
    modifie_le: Instant


class ClientsSortie(Sortie):
    donnees: list[ClientSortie]
    curseur_suivant: str | None


class ContactSortie(Sortie):
    id: int
    nom: str
    fonction: str
    role: parmi(RoleContact.values)
    courriel: str
    telephone: str
    recoit_relances: bool
    invalide_le: Jour | None


class ClientDetail(ClientSortie):
    contacts: list[ContactSortie]


class ContactsSortie(Sortie):
    donnees: list[ContactSortie]
    curseur_suivant: str | None


class ChampsDuClient(Entree):
    type: parmi(TypeDebiteur.values) = facultatif("Type de débiteur.")
    forme: Texte = facultatif("Forme juridique.", max_length=60)
    siren: Texte = facultatif("SIREN.", max_length=20)
    siret: Texte = facultatif("SIRET.", max_length=24)
    numero_tva: Texte = facultatif("Numéro de TVA.", max_length=30)
    civilite: Texte = facultatif("Formule d'appel.", max_length=40)
    adresse: Texte = facultatif("Adresse.", max_length=120)
    complement: Texte = facultatif("Complément.", max_length=120)
    code_postal: Texte = facultatif("Code postal.", max_length=12)
    ville: Texte = facultatif("Ville.", max_length=80)
    pays: Texte = facultatif("Pays, deux lettres.", min_length=2, max_length=2)
    courriel: Texte = facultatif("Adresse de courriel.", max_length=254)
    telephone: Texte = facultatif("Téléphone.", max_length=40)
    langue: parmi(Langue.values) = facultatif("Langue des courriers.")
    gestionnaire: Cle | None = facultatif("Clé de la personne qui suit le client.")
    segment: Texte = facultatif("Segment.", max_length=40)
    plafond: MontantLu | None = facultatif("Plafond d'encours.")
    conditions: Texte = facultatif("Délai de paiement : 30J, 45FDM…", min_length=1, max_length=20)
    lecture_fdm: parmi(["A", "B"]) = facultatif("Lecture de « fin de mois ».")
    cas_delai: parmi(["", *CasDelai.values]) = facultatif("Secteur ou acheteur ; vide : droit commun.")
    taux_penalites: MontantLu | None = facultatif("Taux stipulé, pour cent.")
    imputation: parmi(RegleImputation.values) = facultatif("Imputation des paiements.")
    delai_entre_contacts: int | None = facultatif("Jours, de 0 à 60.", ge=0, le=60)
    regroupement: parmi(["", *Regroupement.values]) = facultatif("Regroupement des lettres.")
    surendettement: bool = facultatif("Surendettement recevable.")
    prelevement: bool = facultatif("Réglé par prélèvement.")
    lre_acceptee_le: JourLu | None = facultatif("Recommandé électronique accepté le.")
    objet_contrat: Texte = facultatif("Objet du contrat.", max_length=200)
    mention_loi_en: Texte = facultatif("Clause de droit français acceptée.", max_length=2000)


class ClientModification(ChampsDuClient):
    """Seuls les champs envoyés changent. Un gestionnaire ne modifie que l'identité, l'adresse et la langue."""

    version: int = Field(ge=1, le=2**31 - 1, description="Celle lue ; si la fiche a changé depuis : 409.", examples=[4])
    raison_sociale: Texte = facultatif("Raison sociale.", max_length=160, min_length=1)


class ClientCreation(ChampsDuClient):
    """Un gestionnaire suit lui-même le client qu'il crée ; les conditions se règlent avec le rôle de responsable."""

    code: Texte = Field(min_length=1, max_length=40, examples=["C000123"])
    raison_sociale: Texte = Field(min_length=1, max_length=160, examples=["Menuiserie Delorme"])


class ContactCreation(Entree):
    nom: Texte = Field(min_length=1, max_length=80, examples=["Agathe Delorme"])
    role: parmi(RoleContact.values) = facultatif("Rôle.")
    fonction: Texte = facultatif("Fonction.", max_length=80)
    courriel: Texte = facultatif("Adresse de courriel.", max_length=254)
    telephone: Texte = facultatif("Téléphone.", max_length=40)
    recoit_relances: bool = facultatif("Reçoit les relances.")


TELS_QUELS = (
    "code raison_sociale type forme siren siret numero_tva civilite adresse complement code_postal ville pays courriel "
    "telephone langue segment conditions lecture_fdm cas_delai imputation delai_entre_contacts regroupement "
    "surendettement prelevement objet_contrat mention_loi_en procedure_issue version"
).split()


def montrer(c: Client) -> dict:
    return {nom: getattr(c, nom) for nom in TELS_QUELS} | {
        "id": c.pk,
        "courriel_en_erreur_depuis": jour(c.courriel_invalide_le),
        "adresse_en_erreur_depuis": jour(c.adresse_invalide_le),
        "gestionnaire": personne(c.gestionnaire),
        "plafond": somme(c.plafond),
        "taux_penalites": somme(c.taux_penalites),
        "lre_acceptee_le": jour(c.lre_acceptee_le),
        "jugement_ouverture_le": jour(c.jugement_ouverture_le),
        "procedure_cloturee_le": jour(c.procedure_cloturee_le),
        "cree_le": instant(c.created_at),
        "modifie_le": instant(c.updated_at),
    }


def montrer_contact(c: Contact) -> dict:
    noms = ("nom", "fonction", "role", "courriel", "telephone", "recoit_relances")
    return {nom: getattr(c, nom) for nom in noms} | {"id": c.pk, "invalide_le": jour(c.invalide_le)}


def detail(c: Client) -> dict:
    return montrer(c) | {"contacts": [montrer_contact(x) for x in c.contacts.all()]}


CONTACT = {
    "id": 3, "nom": "Agathe Delorme", "fonction": "gérante", "role": "direction",
    "courriel": "agathe@delorme.example", "telephone": "", "recoit_relances": True, "invalide_le": None,
}  # fmt: skip
EXEMPLE = {
    "id": 12, "code": "C000123", "raison_sociale": "Menuiserie Delorme", "type": "entreprise", "forme": "SARL",
    "siren": "552100554", "siret": "", "numero_tva": "", "civilite": "", "adresse": "8 rue de la République",
    "complement": "", "code_postal": "69003", "ville": "Lyon", "pays": "FR", "courriel": "compta@delorme.example",
    "courriel_en_erreur_depuis": None, "adresse_en_erreur_depuis": None, "telephone": "04 72 00 00 00",
    "langue": "fr", "gestionnaire": None, "segment": "PME", "plafond": "15000.00", "conditions": "30J",
    "lecture_fdm": "A", "cas_delai": "", "taux_penalites": "12.00", "imputation": "interets",
    "delai_entre_contacts": None, "regroupement": "", "surendettement": False, "prelevement": False,
    "lre_acceptee_le": None, "objet_contrat": "", "mention_loi_en": "", "jugement_ouverture_le": None,
    "procedure_cloturee_le": None, "procedure_issue": "", "version": 4, "cree_le": "2026-01-05T09:12:00+01:00",
    "modifie_le": "2026-11-20T10:00:00+01:00",
}  # fmt: skip


@operation(
    router, "GET", "clients", nom="clients", portee=Portee.CLIENTS_LIRE, reponse=ClientsSortie, filtres=FiltresClients,
    exemple={"donnees": [EXEMPLE], "curseur_suivant": None},
)  # fmt: skip
def clients(request, filtres: Query[FiltresClients]):
    """Lister les clients"""
    lignes = visibles(request, Client).select_related("gestionnaire")
    exacts = {nom: getattr(filtres, nom) for nom in ("code", "siren", "type", "gestionnaire", "segment")}
    lignes = lignes.filter(**{nom: valeur for nom, valeur in exacts.items() if valeur is not None})
    if filtres.q:
        lignes = lignes.filter(Q(raison_sociale__icontains=filtres.q) | Q(code__icontains=filtres.q))
    if filtres.modifie_depuis:
        lignes = lignes.filter(updated_at__gte=filtres.modifie_depuis)
    return paginer(lignes, filtres, liste="clients", montrer=montrer)


@operation(
    router, "GET", "clients/{id}", nom="client", portee=Portee.CLIENTS_LIRE, reponse=ClientDetail,
    exemple=EXEMPLE | {"contacts": [CONTACT]},
)  # fmt: skip
def client(request, id: Cle):
    """Lire un client et ses contacts"""
    return detail(trouver(visibles(request, Client).select_related("gestionnaire"), id))


@operation(
    router, "POST", "clients", nom="client_creer", portee=Portee.CLIENTS_ECRIRE, reponse=ClientDetail, statut=201,
    corps=JSON, exemple=EXEMPLE | {"contacts": []},
    exemple_corps={"code": "C000123", "raison_sociale": "Menuiserie Delorme", "type": "entreprise"},
)  # fmt: skip
def client_creer(request, corps: ClientCreation):
    """Créer un client"""
    jeton = request.jeton
    donnes = corps.model_dump(exclude_unset=True)
    code = donnes.pop("code")
    champs = _valeurs(request, Client(societe=jeton.societe, code=code), donnes)
    if not _pilote(jeton):
        champs["gestionnaire"] = jeton.utilisateur
    nouveau = creer_client(jeton.societe, code=code, champs=champs, acteur=jeton.utilisateur)
    return detail(nouveau)


@operation(
    router, "PATCH", "clients/{id}", nom="client_modifier", portee=Portee.CLIENTS_ECRIRE, reponse=ClientDetail,
    corps=JSON, erreurs=(409,), exemple=EXEMPLE | {"contacts": [CONTACT]},
    exemple_corps={"version": 4, "adresse": "8 rue de la République", "code_postal": "69003", "ville": "Lyon"},
)  # fmt: skip
def client_modifier(request, id: Cle, corps: ClientModification):
    """Modifier un client"""
    fiche = trouver(visibles(request, Client).select_related("societe"), id)
    donnes = corps.model_dump(exclude_unset=True)
    version = donnes.pop("version")
    champs = _valeurs(request, fiche, donnes)
    with transaction.atomic():
        verifier_changement_de_type(fiche, champs.get("type", fiche.type))
        services.modifier_client(fiche, version=version, champs=champs, acteur=request.jeton.utilisateur)
    return detail(trouver(visibles(request, Client).select_related("gestionnaire"), id))


def _pilote(jeton) -> bool:
    """Comme à l'écran : qui agit sur toute la société règle le portefeuille, le plafond et les conditions."""
    personne, societe = jeton.utilisateur, jeton.societe_id
    return peut(personne, Droit.AGIR, societe) and peut(personne, Droit.TOUT_VOIR, societe)


def _valeurs(request, fiche: Client, donnes: dict) -> dict:
    """Les champs envoyés, lus par le formulaire de l'écran. Lève un 422 : valeur fausse, ou champ hors du rôle."""
    jeton = request.jeton
    equipe = Utilisateur.objects.filter(
        affectations__role__in=roles_avec(Droit.AGIR), affectations__societe=jeton.societe_id, is_active=True
    ).distinct()
    options = {"instance": fiche, "pilote": _pilote(jeton), "gestionnaires": equipe}
    vierge = ClientForm(**options)
    depart = {nom: vierge.get_initial_for_field(champ, nom) for nom, champ in vierge.fields.items()}
    form = ClientForm(depart | {nom: v for nom, v in donnes.items() if nom in vierge.fields}, **options)
    fautes = [
        (nom, _("Ce champ ne se règle pas avec le rôle de cette personne.")) for nom in donnes if nom not in form.fields
    ]
    if not form.is_valid():
        fautes += [faute for faute in champs_de(ValidationError(form.errors.as_data())) if faute[0] in ("", *donnes)]
    if fautes:
        raise saisie(fautes)
    champs = {nom: form.cleaned_data[nom] for nom in donnes if nom in form.cleaned_data}
    if "conditions" in champs and champs["conditions"] != fiche.conditions:
        try:
            champs["conditions"] = lire_conditions(champs["conditions"]).code
        except ConditionsIllisibles as erreur:
            raise saisie([("conditions", str(erreur))]) from erreur
    return champs


@operation(
    router, "GET", "clients/{id}/contacts", nom="contacts", portee=Portee.CLIENTS_LIRE, reponse=ContactsSortie,
    filtres=Page, exemple={"donnees": [CONTACT], "curseur_suivant": None},
)  # fmt: skip
def contacts(request, id: Cle, filtres: Query[Page]):
    """Lister les contacts d'un client"""
    siens = trouver(visibles(request, Client), id).contacts.all()
    return paginer(siens, filtres, liste=f"contacts-{id}", montrer=montrer_contact)


@operation(
    router, "POST", "clients/{id}/contacts", nom="contact_creer", portee=Portee.CLIENTS_ECRIRE, reponse=ContactSortie,
    statut=201, corps=JSON, exemple=CONTACT,
    exemple_corps={"nom": "Agathe Delorme", "role": "direction", "courriel": "agathe@delorme.example"},
)  # fmt: skip
def contact_creer(request, id: Cle, corps: ContactCreation):
    """Ajouter un contact à un client"""
    fiche = trouver(visibles(request, Client).select_related("societe"), id)
    form = ContactForm(corps.model_dump(exclude_unset=True))
    if not form.is_valid():
        raise saisie(champs_de(ValidationError(form.errors.as_data())))
    return montrer_contact(services.ajouter_contact(fiche, champs=form.cleaned_data, acteur=request.jeton.utilisateur))
