"""Factures : ce qui a été facturé, ce qui en reste dû, échéance par échéance."""

from django.db.models import F, OuterRef, Prefetch, Q, Subquery, Sum
from ninja import Query, Router
from pydantic import Field

from factures.models import Echeance, Facture, Litige
from recouvrement.commun.horloge import aujourd_hui
from relances.domaine.natures import Nature

from ..contrat import operation
from ..curseur import paginer
from ..formes import (
    Cle,
    ClientCourt,
    Devise,
    Instant,
    InstantLu,
    Jour,
    JourLu,
    Montant,
    Page,
    Sortie,
    Texte,
    client_court,
    facultatif,
    instant,
    jour,
    parmi,
    somme,
)
from ..perimetre import trouver, visibles
from ..portees import Portee

router = Router(tags=["Factures"])
PALIERS = [nature.name.lower() for nature in Nature]


class FiltresFactures(Page):
    client: Cle = facultatif("Clé du client.")
    numero: Texte = facultatif("Numéro exact.", max_length=60)
    ouverte: bool = facultatif("true : il reste quelque chose à payer.")
    emise_depuis: JourLu = facultatif("Émises ce jour-là ou après.")
    emise_jusqu_au: JourLu = facultatif("Émises ce jour-là ou avant.")
    modifie_depuis: InstantLu = facultatif("Modifiées à partir de cet instant.")


class FactureSortie(Sortie):
    id: int
    client: ClientCourt
    numero: str
    numero_connu: bool = Field(description="Faux : l'écriture comptable n'en disait pas.")
    emise_le: Jour
    devise: Devise
    montant_ht: Montant | None
    montant_tva: Montant | None
    montant_ttc: Montant
    reste_du: Montant = Field(description="Somme des restes dus de ses échéances.")
    statut: parmi(["ouverte", "soldee", "sans_echeance"])
    commande: str
    type_document: str
    statut_fe: str = Field(description="Dernier statut de la facture électronique, vide s'il n'y en a pas.")
    statut_fe_le: Jour | None
    modifie_le: Instant


class FacturesSortie(Sortie):
    donnees: list[FactureSortie]
    curseur_suivant: str | None


class LitigeSortie(Sortie):
    montant_conteste: Montant
    categorie: parmi(Litige.Categorie.values)
    ouvert_le: Jour
    a_traiter_le: Jour


class EcheanceSortie(Sortie):
    id: int
    date_echeance: Jour
    montant: Montant
    affecte: Montant
    reste_du: Montant
    statut: parmi(["a_echoir", "echue", "soldee"])
    soldee_le: Jour | None
    palier: parmi(PALIERS) = Field(description="Palier de relance atteint.")
    palier_le: Jour | None
    prelevement: bool
    en_contentieux: bool
    litige: LitigeSortie | None


class FactureDetail(FactureSortie):
    echeances: list[EcheanceSortie]


EXEMPLE = {
    "id": 41, "client": {"id": 12, "code": "C000123", "raison_sociale": "Menuiserie Delorme"}, "numero": "F2026-00118",
    "numero_connu": True, "emise_le": "2026-09-01", "devise": "EUR", "montant_ht": "1000.00", "montant_tva": "200.00",
    "montant_ttc": "1200.00", "reste_du": "700.00", "statut": "ouverte", "commande": "BC-88", "type_document": "",
    "statut_fe": "", "statut_fe_le": None, "modifie_le": "2026-11-20T10:00:00+01:00",
}  # fmt: skip
ECHEANCE = {
    "id": 77, "date_echeance": "2026-10-01", "montant": "1200.00", "affecte": "500.00", "reste_du": "700.00",
    "statut": "echue", "soldee_le": None, "palier": "rappel_courtois", "palier_le": "2026-10-09", "prelevement": False,
    "en_contentieux": False, "litige": None,
}  # fmt: skip


def lire(request):
    """Factures du périmètre, avec leur `reste` ; le client joint."""
    restes = Echeance.objects.filter(facture=OuterRef("pk")).order_by().values("facture")
    reste = restes.annotate(s=Sum(F("montant") - F("impute"))).values("s")
    montant = Echeance._meta.get_field("montant")
    lues = visibles(request, Facture).select_related("client")
    return lues.annotate(reste=Subquery(reste, output_field=montant))


def montrer(f: Facture) -> dict:
    statut = "sans_echeance" if f.reste is None else "ouverte" if f.reste else "soldee"
    return {
        "id": f.pk,
        "client": client_court(f.client),
        "numero": f.numero,
        "numero_connu": f.numero_reel,
        "emise_le": jour(f.date_emission),
        "devise": f.devise,
        "montant_ht": somme(f.montant_ht),
        "montant_tva": somme(f.montant_tva),
        "montant_ttc": somme(f.montant_ttc),
        "reste_du": somme(f.reste or 0),
        "statut": statut,
        "commande": f.commande,
        "type_document": f.type_document,
        "statut_fe": f.statut_fe,
        "statut_fe_le": jour(f.statut_fe_le),
        "modifie_le": instant(f.updated_at),
    }


def montrer_echeance(e: Echeance, au) -> dict:
    litige = next(iter(e.litiges_ouverts), None)
    statut = "soldee" if not e.reste_du else "echue" if e.date_echeance < au else "a_echoir"
    return {
        "id": e.pk,
        "date_echeance": jour(e.date_echeance),
        "montant": somme(e.montant),
        "affecte": somme(e.impute),
        "reste_du": somme(e.reste_du),
        "statut": statut,
        "soldee_le": jour(e.soldee_le),
        "palier": Nature(e.niveau).name.lower(),
        "palier_le": jour(e.niveau_le),
        "prelevement": e.prelevement,
        "en_contentieux": e.en_contentieux,
        "litige": litige
        and {
            "montant_conteste": somme(litige.montant_conteste),
            "categorie": litige.categorie,
            "ouvert_le": jour(litige.ouvert_le),
            "a_traiter_le": jour(litige.a_traiter_le),
        },
    }


@operation(
    router, "GET", "factures", nom="factures", portee=Portee.FACTURES_LIRE, reponse=FacturesSortie,
    filtres=FiltresFactures, exemple={"donnees": [EXEMPLE], "curseur_suivant": None},
)  # fmt: skip
def factures(request, filtres: Query[FiltresFactures]):
    """Lister les factures"""
    criteres = {
        "client": filtres.client,
        "numero": filtres.numero,
        "date_emission__gte": filtres.emise_depuis,
        "date_emission__lte": filtres.emise_jusqu_au,
        "updated_at__gte": filtres.modifie_depuis,
    }
    lignes = lire(request).filter(**{nom: valeur for nom, valeur in criteres.items() if valeur is not None})
    if filtres.ouverte is not None:
        ouvertes = Q(pk__in=Echeance.objects.ouvertes().filter(societe=request.jeton.societe_id).values("facture"))
        lignes = lignes.filter(ouvertes if filtres.ouverte else ~ouvertes)
    return paginer(lignes, filtres, liste="factures", montrer=montrer)


@operation(
    router, "GET", "factures/{id}", nom="facture", portee=Portee.FACTURES_LIRE, reponse=FactureDetail,
    exemple=EXEMPLE | {"echeances": [ECHEANCE]},
)  # fmt: skip
def facture(request, id: Cle):
    """Lire une facture et ses échéances"""
    trouvee = trouver(lire(request), id)
    litiges = Prefetch("litiges", Litige.objects.ouverts(), "litiges_ouverts")
    au = aujourd_hui()
    echeances = trouvee.echeances.prefetch_related(litiges).order_by("date_echeance", "pk")
    return montrer(trouvee) | {"echeances": [montrer_echeance(e, au) for e in echeances]}
