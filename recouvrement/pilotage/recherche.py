"""Recherche globale : client, facture, encaissement, dossier ; par nom, numéro, montant ou SIREN."""

import re
from dataclasses import dataclass, field

from django.core.exceptions import ValidationError
from django.db.models import Q
from django.utils.translation import gettext as _

from clients.models import Client
from contentieux.models import DossierContentieux
from factures.models import Encaissement, Facture
from recouvrement.commun.formats import jour, somme
from recouvrement.commun.forms import MontantField

MINIMUM = 2  # une lettre ramènerait tout
MONTANT = re.compile(r"^[\d\s\u00a0\u202f]{1,13}([.,]\d{1,2})?\s*€?$")


@dataclass(frozen=True)
class Trouvaille:
    """`route`, `cle` : l'adresse, que la vue résout ; `detail` : ce qui distingue deux homonymes."""

    libelle: str
    detail: str
    route: str
    cle: object
    cote: str = ""


@dataclass
class Groupe:
    titre: str
    icone: str
    trouvailles: list[Trouvaille] = field(default_factory=list)
    suite: bool = False  # il y en a d'autres


def chercher(user, texte: str, *, par_groupe: int) -> list[Groupe]:
    """Groupes non vides, dans l'ordre de l'écran ; une requête par groupe, quel que soit le nombre de lignes."""
    texte = " ".join(texte.split())
    if len(texte) < MINIMUM:
        return []
    montant = _montant(texte)
    groupes = [
        _groupe(_("Clients"), "users", _clients(user, texte), _client, par_groupe),
        _groupe(_("Factures"), "file-invoice", _factures(user, texte, montant), _facture, par_groupe),
        _groupe(_("Encaissements"), "building-bank", _encaissements(user, texte, montant), _encaissement, par_groupe),
        _groupe(_("Contentieux"), "gavel", _dossiers(user, texte), _dossier, par_groupe),
    ]
    return [groupe for groupe in groupes if groupe.trouvailles]


def _montant(texte: str):
    """Le montant saisi, ou None : un SIREN ou un numéro de pièce n'en est pas un."""
    if not MONTANT.match(texte):
        return None
    try:
        return MontantField().clean(texte)
    except ValidationError:
        return None


def _groupe(titre, icone, lignes, ecrire, par_groupe) -> Groupe:
    trouvees = list(lignes[: par_groupe + 1])
    return Groupe(titre, icone, [ecrire(ligne) for ligne in trouvees[:par_groupe]], len(trouvees) > par_groupe)


def _clients(user, texte):
    serre = texte.replace(" ", "")
    criteres = Q(raison_sociale__icontains=texte) | Q(code__istartswith=texte)
    if serre.isdigit() and len(serre) >= 3:
        criteres |= Q(siren__startswith=serre) | Q(siret=serre)
    if "@" in texte:
        criteres |= Q(courriel__iexact=texte) | Q(contacts__courriel__iexact=texte)
    trouves = Client.objects.visibles_pour(user).filter(criteres)
    return (trouves.distinct() if "@" in texte else trouves).order_by("raison_sociale", "pk")


def _client(client) -> Trouvaille:
    details = [client.code, client.ville, client.siren]
    return Trouvaille(client.raison_sociale, " · ".join(filter(None, details)), "clients:fiche", client.pk)


def _factures(user, texte, montant):
    criteres = Q(numero__icontains=texte) | Q(commande=texte)
    if montant is not None:
        criteres |= Q(montant_ttc=montant)
    trouvees = Facture.objects.visibles_pour(user).filter(criteres).select_related("client")
    return trouvees.order_by("-date_emission", "-pk")


def _facture(facture) -> Trouvaille:
    detail = f"{facture.client.raison_sociale} · {jour(facture.date_emission)}"
    cote = somme(facture.montant_ttc, facture.devise)
    return Trouvaille(facture.numero, detail, "factures:fiche", facture.pk, cote)


def _encaissements(user, texte, montant):
    criteres = Q(reference__icontains=texte) | Q(libelle__icontains=texte)
    if montant is not None:
        criteres |= Q(montant=montant)
    trouves = Encaissement.objects.visibles_pour(user).filter(criteres).select_related("client")
    return trouves.order_by("-date", "-pk")


def _encaissement(encaissement) -> Trouvaille:
    detail = f"{encaissement.client.raison_sociale} · {jour(encaissement.date)}"
    cote = somme(encaissement.montant, encaissement.devise)
    return Trouvaille(encaissement.reference, detail, "clients:fiche", encaissement.client_id, cote)


def _dossiers(user, texte):
    criteres = Q(reference__icontains=texte) | Q(client__raison_sociale__icontains=texte)
    return DossierContentieux.objects.visibles_pour(user).filter(criteres).select_related("client")


def _dossier(dossier) -> Trouvaille:
    detail = f"{dossier.client.raison_sociale} · {dossier.get_statut_display()}"
    return Trouvaille(dossier.reference, detail, "contentieux:dossier", dossier.pk)
