"""Imports : déposer un fichier, lire ce qu'il changerait, l'appliquer ou l'abandonner."""

from typing import Any

from django.db import transaction
from django.utils.translation import gettext as _
from ninja import File, Query, Router
from ninja.files import UploadedFile
from pydantic import Field

from factures.formulaires_import import DepotForm
from factures.imports import depots
from factures.models import Lot
from factures.tasks import apercevoir_lot, appliquer_lot
from recouvrement.commun import reveil
from recouvrement.comptes.models import Societe

from ..acces import JSON, MULTIPART
from ..contrat import operation
from ..curseur import paginer
from ..formes import Cle, Entree, Instant, Page, Sortie, facultatif, instant, parmi
from ..perimetre import trouver, visibles
from ..portees import Portee
from ..problemes import Probleme, saisie

router = Router(tags=["Imports"])
REJETS_MONTRES = 500


class FiltresImports(Page):
    statut: parmi(Lot.Statut.values) = facultatif("État de l'import.")


class ImportSortie(Sortie):
    id: int
    fichier: str
    empreinte: str = Field(description="SHA-256 du fichier.")
    taille: int
    format: str = Field(description="Vide tant que le fichier n'est pas reconnu.")
    statut: parmi(Lot.Statut.values)
    avancement: int = Field(ge=0, le=100)
    depose_le: Instant
    applique_le: Instant | None


class ImportsSortie(Sortie):
    donnees: list[ImportSortie]
    curseur_suivant: str | None


class RejetSortie(Sortie):
    ligne: int | None
    champ: str
    motif: str
    conseil: str


class CompteRendu(Sortie):
    lignes: int
    crees: dict[str, int]
    modifies: dict[str, int]
    inchanges: dict[str, int]
    rejets: list[RejetSortie] = Field(description=f"Les {REJETS_MONTRES} premiers.")
    rejets_en_tout: int
    avertissements: list[str]
    refus: str = Field(description="Pourquoi le fichier entier est refusé ; vide sinon.")


class ImportDetail(ImportSortie):
    compte_rendu: CompteRendu


class Application(Entree):
    partiel: bool = Field(False, description="Écrire les lignes saines d'un fichier qui a des rejets.")


EXEMPLE = {
    "id": 5, "fichier": "factures-novembre.csv", "empreinte": "9f" * 32, "taille": 48211, "format": "factures",
    "statut": "apercu", "avancement": 100, "depose_le": "2026-11-20T10:00:00+01:00", "applique_le": None,
}  # fmt: skip
DETAIL = EXEMPLE | {
    "compte_rendu": {
        "lignes": 412, "crees": {"factures": 120}, "modifies": {}, "inchanges": {"factures": 291},
        "rejets": [{"ligne": 37, "champ": "montant", "motif": "« 12,3x » n’est pas un montant.",
                    "conseil": "Corrigez la cellule."}],
        "rejets_en_tout": 1, "avertissements": [], "refus": "",
    },
}  # fmt: skip


def montrer(lot: Lot) -> dict:
    return {
        "id": lot.pk,
        "fichier": lot.fichier,
        "empreinte": lot.empreinte,
        "taille": lot.taille,
        "format": lot.format,
        "statut": lot.statut,
        "avancement": min(lot.avancement, 100),
        "depose_le": instant(lot.created_at),
        "applique_le": instant(lot.applique_le),
    }


def detail(lot: Lot) -> dict:
    rendu: dict[str, Any] = lot.compte_rendu or {}
    rejets = rendu.get("rejets", [])
    return montrer(lot) | {
        "compte_rendu": {
            "lignes": rendu.get("lignes") or 0,
            "crees": rendu.get("crees") or {},
            "modifies": rendu.get("modifies") or {},
            "inchanges": rendu.get("inchanges") or {},
            "rejets": [
                {
                    "ligne": r.get("ligne"),
                    "champ": r.get("champ") or "",
                    "motif": r.get("constat") or r.get("motif") or "",
                    "conseil": r.get("conseil") or "",
                }
                for r in rejets[:REJETS_MONTRES]
            ],
            "rejets_en_tout": len(rejets) + (rendu.get("rejets_non_detailles") or 0),
            "avertissements": [str(texte) for texte in rendu.get("avertissements") or []],
            "refus": rendu.get("refus") or "",
        }
    }


def reveiller(tache, lot: Lot) -> None:
    """Une fois la transaction écrite ; si le courtier ne répond pas, le lot attend et son statut le dit."""
    transaction.on_commit(lambda: reveil.reveiller(tache, lot.pk))


@operation(
    router, "GET", "imports", nom="imports", portee=Portee.IMPORTS_LIRE, reponse=ImportsSortie, filtres=FiltresImports,
    exemple={"donnees": [EXEMPLE], "curseur_suivant": None},
)  # fmt: skip
def imports(request, filtres: Query[FiltresImports]):
    """Lister les imports"""
    lignes = visibles(request, Lot).defer("compte_rendu", "corrections")
    if filtres.statut is not None:
        lignes = lignes.filter(statut=filtres.statut)
    return paginer(lignes, filtres, liste="imports", montrer=montrer)


@operation(
    router, "GET", "imports/{id}", nom="import", portee=Portee.IMPORTS_LIRE, reponse=ImportDetail, exemple=DETAIL
)
def import_(request, id: Cle):
    """Lire l'état et le compte rendu d'un import"""
    return detail(trouver(visibles(request, Lot), id))


@operation(
    router, "POST", "imports", nom="import_deposer", portee=Portee.IMPORTS_ECRIRE, reponse=ImportDetail, statut=201,
    corps=MULTIPART, exemple=EXEMPLE | {"statut": "depose", "avancement": 0, "format": ""} | {
        "compte_rendu": {"lignes": 0, "crees": {}, "modifies": {}, "inchanges": {}, "rejets": [], "rejets_en_tout": 0,
                         "avertissements": [], "refus": ""},
    },
)  # fmt: skip
def import_deposer(request, fichier: File[UploadedFile]):
    """Déposer un fichier

    Le format est reconnu à son contenu. L'aperçu se prépare ensuite : relisez l'import jusqu'au statut `apercu`.
    """
    jeton = request.jeton
    societes = Societe.objects.filter(pk=jeton.societe_id)
    form = DepotForm({"societe": jeton.societe_id}, {"fichier": fichier}, societes=societes)
    if not form.is_valid():
        fautes = [(nom, e) for nom, liste in form.errors.items() for e in liste]
        raise saisie(fautes)
    lot = depots.deposer(fichier, fichier.name, jeton.societe, auteur=jeton.utilisateur, origine=Lot.Origine.API)
    reveiller(apercevoir_lot, lot)
    return detail(lot)


@operation(
    router, "POST", "imports/{id}/appliquer", nom="import_appliquer", portee=Portee.IMPORTS_ECRIRE,
    reponse=ImportDetail, statut=202, corps=JSON, exemple=DETAIL | {"statut": "en_cours"},
    exemple_corps={"partiel": False},
)  # fmt: skip
def import_appliquer(request, id: Cle, corps: Application):
    """Appliquer un import à l'aperçu

    Un fichier qui a des rejets ne s'applique qu'en partie, et s'il s'y prête ; sinon corrigez-le.
    """
    lot = trouver(visibles(request, Lot), id)
    if lot.statut != Lot.Statut.APERCU:
        raise _etat(lot)
    if lot.compte_rendu.get("rejets") and not corps.partiel:
        raise saisie([("partiel", _("Ce fichier a des rejets : corrigez-le, ou demandez ses seules lignes saines."))])
    if not depots.demander(lot, partiel=corps.partiel):
        raise _etat(lot)
    reveiller(appliquer_lot, lot)
    return detail(trouver(visibles(request, Lot), id))


@operation(
    router, "POST", "imports/{id}/abandonner", nom="import_abandonner", portee=Portee.IMPORTS_ECRIRE,
    reponse=ImportDetail, exemple=DETAIL | {"statut": "refuse"},
)  # fmt: skip
def import_abandonner(request, id: Cle):
    """Abandonner un import sans rien écrire"""
    lot = trouver(visibles(request, Lot), id)
    qui = request.jeton.utilisateur
    if not depots.abandonner(lot, motif=_("Abandonné par %(qui)s, rien n'est écrit.") % {"qui": qui}):
        raise _etat(lot)
    return detail(trouver(visibles(request, Lot), id))


def _etat(lot: Lot) -> Probleme:
    lot.refresh_from_db(fields=["statut"])
    detail = _("Cet import est à l’état « %(statut)s » : cela ne se peut plus, ou pas encore.")
    return Probleme(409, "etat-refuse", detail % {"statut": lot.get_statut_display()})
