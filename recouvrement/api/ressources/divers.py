"""Le jeton lui-même, les blocages de commandes, les mouvements de banque."""

from ninja import Query, Router
from pydantic import Field

from clients.models import BlocageCommandes
from factures.models import MouvementBancaire
from factures.models.banque import NatureMouvement

from ..contrat import operation
from ..curseur import paginer
from ..formes import (
    Cle,
    ClientCourt,
    Devise,
    Jour,
    JourLu,
    Montant,
    Page,
    Personne,
    Societe,
    Sortie,
    client_court,
    facultatif,
    jour,
    parmi,
    personne,
    somme,
)
from ..perimetre import visibles
from ..portees import Portee, hors_du_role

router = Router(tags=["Jeton, banque et blocages"])


class MoiSortie(Sortie):
    jeton: str = Field(description="Nom donné au jeton.")
    societe: Societe
    personne: Personne
    portees: list[parmi([p.value for p in Portee])] = Field(description="Celles du jeton que le rôle permet.")
    expire_le: Jour


@operation(
    router, "GET", "moi", nom="moi", portee=None, reponse=MoiSortie,
    exemple={
        "jeton": "Logiciel de facturation", "societe": {"code": "MERCIER", "raison_sociale": "Ateliers Mercier"},
        "personne": {"id": 2, "nom": "Claire Bonnet", "courriel": "claire.bonnet@mercier.example"},
        "portees": ["clients:lire", "factures:lire"], "expire_le": "2027-11-20",
    },
)  # fmt: skip
def moi(request):
    """Lire ce que ce jeton permet"""
    jeton = request.jeton
    trop = hors_du_role(jeton.portees, jeton.utilisateur, jeton.societe)
    return {
        "jeton": jeton.nom,
        "societe": {"code": jeton.societe.code, "raison_sociale": jeton.societe.raison_sociale},
        "personne": personne(jeton.utilisateur),
        "portees": [p for p in jeton.portees if p not in trop],
        "expire_le": jour(jeton.expire_le),
    }


class FiltresBlocages(Page):
    client: Cle = facultatif("Clé du client.")
    en_cours: bool = facultatif("true : bloqués ; false : levés.")


class BlocageSortie(Sortie):
    id: int
    client: ClientCourt
    siren: str
    motif: parmi(BlocageCommandes.Motif.values)
    detail: str
    pose_le: Jour
    leve_le: Jour | None
    leve_motif: str
    leve_jusqu_au: Jour | None


class BlocagesSortie(Sortie):
    donnees: list[BlocageSortie]
    curseur_suivant: str | None


@operation(
    router, "GET", "blocages", nom="blocages", portee=Portee.BLOCAGES_LIRE, reponse=BlocagesSortie,
    filtres=FiltresBlocages,
    exemple={
        "donnees": [{
            "id": 4, "client": {"id": 12, "code": "C000123", "raison_sociale": "Menuiserie Delorme"},
            "siren": "552100554", "motif": "retard", "detail": "50 jours de retard", "pose_le": "2026-11-20",
            "leve_le": None, "leve_motif": "", "leve_jusqu_au": None,
        }],
        "curseur_suivant": None,
    },
)  # fmt: skip
def blocages(request, filtres: Query[FiltresBlocages]):
    """Lister les blocages de commandes"""
    lignes = visibles(request, BlocageCommandes, "client__societe").select_related("client")
    if filtres.client is not None:
        lignes = lignes.filter(client=filtres.client)
    if filtres.en_cours is not None:
        lignes = lignes.filter(leve_le__isnull=filtres.en_cours)
    return paginer(lignes, filtres, liste="blocages", montrer=_blocage)


def _blocage(b: BlocageCommandes) -> dict:
    return {
        "id": b.pk,
        "client": client_court(b.client),
        "siren": b.client.siren,
        "motif": b.motif,
        "detail": b.detail,
        "pose_le": jour(b.pose_le),
        "leve_le": jour(b.leve_le),
        "leve_motif": b.leve_motif,
        "leve_jusqu_au": jour(b.leve_jusqu_au),
    }


class FiltresMouvements(Page):
    statut: parmi(MouvementBancaire.Statut.values) = facultatif("Ce qu'on en a fait.")
    depuis: JourLu = facultatif("Opérations de ce jour-là ou d'après.")
    jusqu_au: JourLu = facultatif("Opérations de ce jour-là ou d'avant.")


class MouvementSortie(Sortie):
    id: int
    compte: str
    date: Jour
    date_valeur: Jour | None
    montant: Montant = Field(description="Signé : positif au crédit.")
    devise: Devise
    nature: parmi(NatureMouvement.values)
    libelle: str
    reference: str
    contrepartie: str
    statut: parmi(MouvementBancaire.Statut.values)
    reparti: Montant


class MouvementsSortie(Sortie):
    donnees: list[MouvementSortie]
    curseur_suivant: str | None


@operation(
    router, "GET", "mouvements", nom="mouvements", portee=Portee.BANQUE_LIRE, reponse=MouvementsSortie,
    filtres=FiltresMouvements,
    exemple={
        "donnees": [{
            "id": 8, "compte": "Compte courant", "date": "2026-11-18", "date_valeur": "2026-11-18",
            "montant": "500.00", "devise": "EUR", "nature": "virement", "libelle": "VIR DELORME F2026-00118",
            "reference": "F2026-00118", "contrepartie": "MENUISERIE DELORME", "statut": "rapproche",
            "reparti": "500.00",
        }],
        "curseur_suivant": None,
    },
)  # fmt: skip
def mouvements(request, filtres: Query[FiltresMouvements]):
    """Lister les mouvements bancaires"""
    criteres = {"statut": filtres.statut, "date__gte": filtres.depuis, "date__lte": filtres.jusqu_au}
    lignes = visibles(request, MouvementBancaire).select_related("compte")
    lignes = lignes.filter(**{nom: valeur for nom, valeur in criteres.items() if valeur is not None})
    return paginer(lignes, filtres, liste="mouvements", montrer=_mouvement)


def _mouvement(m: MouvementBancaire) -> dict:
    noms = ("devise", "nature", "libelle", "reference", "contrepartie", "statut")
    return {nom: getattr(m, nom) for nom in noms} | {
        "id": m.pk,
        "compte": str(m.compte),
        "date": jour(m.date),
        "date_valeur": jour(m.date_valeur),
        "montant": somme(m.montant),
        "reparti": somme(m.reparti),
    }
