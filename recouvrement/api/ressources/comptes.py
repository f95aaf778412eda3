"""Chiffres d'ensemble : balance âgée à toute date, décompte d'un client."""

from django.utils.translation import gettext as _
from ninja import Query, Router
from pydantic import Field

from clients.models import Client
from factures.balance import Ligne, balance_agee, regrouper, total
from recouvrement.commun.horloge import aujourd_hui
from relances.services.decomptes import etablir

from .. import curseur
from ..contrat import operation
from ..formes import (
    CLE_MAX,
    Cle,
    ClientCourt,
    Devise,
    Entree,
    Jour,
    JourLu,
    Montant,
    Page,
    Sortie,
    Texte,
    client_court,
    facultatif,
    jour,
    parmi,
    somme,
)
from ..perimetre import trouver, visibles
from ..portees import Portee
from ..problemes import saisie

router = Router(tags=["Comptes"])
NOMS = ("non_echu", "j1_30", "j31_60", "j61_90", "j91_plus", "a_imputer", "encours")
FACTURES_MAX = 500


class FiltresBalance(Page):
    au: JourLu = facultatif("Au soir de ce jour ; aujourd'hui à défaut.")
    par: parmi(["client", "gestionnaire", "segment"]) = Field("client", description="Regroupement des lignes.")
    devise: Devise = facultatif("Une seule devise.")
    gestionnaire: Cle = facultatif("Clients suivis par cette personne.")
    segment: Texte = facultatif("Clients de ce segment.", max_length=40)


class MontantsBalance(Sortie):
    devise: Devise
    clients: int = Field(description="Clients réunis dans la ligne.")
    non_echu: Montant
    j1_30: Montant
    j31_60: Montant
    j61_90: Montant
    j91_plus: Montant
    a_imputer: Montant = Field(description="Crédits non affectés, négatifs : jamais déduits d'une tranche.")
    encours: Montant


class LigneBalance(MontantsBalance):
    cle: int | str | None = Field(description="Clé du client ou du gestionnaire, nom du segment ; null : aucun.")
    code: str
    nom: str


class BalanceSortie(Sortie):
    au: Jour
    totaux: list[MontantsBalance] = Field(description="Un par devise, de toute la balance : jamais deux additionnées.")
    donnees: list[LigneBalance]
    curseur_suivant: str | None


SOMMES = {
    "devise": "EUR", "clients": 1, "non_echu": "0.00", "j1_30": "0.00", "j31_60": "700.00", "j61_90": "0.00",
    "j91_plus": "0.00", "a_imputer": "-500.00", "encours": "200.00",
}  # fmt: skip
LIGNE = SOMMES | {"cle": 12, "code": "C000123", "nom": "Menuiserie Delorme"}


def _sommes(ligne: Ligne) -> dict:
    montants = dict(zip(NOMS, map(somme, ligne.montants), strict=True))
    return montants | {"devise": ligne.devise, "clients": ligne.clients}


def _rang(ligne: Ligne) -> list[str]:
    """Ordre fixe : ce qui n'a pas de nom en dernier, puis le nom, la clé, la devise."""
    return ["1" if ligne.cle in (None, "") else "0", ligne.code or ligne.nom, str(ligne.cle), ligne.devise]


@operation(
    router, "GET", "balance", nom="balance", portee=Portee.BALANCE_LIRE, reponse=BalanceSortie, filtres=FiltresBalance,
    exemple={"au": "2026-11-20", "totaux": [SOMMES], "donnees": [LIGNE], "curseur_suivant": None},
)  # fmt: skip
def balance(request, filtres: Query[FiltresBalance]):
    """Lire la balance âgée à une date"""
    au = filtres.au or aujourd_hui()
    clients = visibles(request, Client)
    if filtres.gestionnaire is not None:
        clients = clients.filter(gestionnaire=filtres.gestionnaire)
    if filtres.segment is not None:
        clients = clients.filter(segment=filtres.segment)
    par_client = balance_agee(clients, au=au, devise=filtres.devise)
    lignes = sorted(regrouper(par_client, filtres.par), key=_rang)
    liste = f"balance-{filtres.par}"
    apres = curseur.lire(liste, filtres.curseur)
    suivantes = [ligne for ligne in lignes if apres is None or _rang(ligne) > apres]
    page = suivantes[: filtres.limite]
    return {
        "au": jour(au),
        "totaux": [_sommes(total(par_client, devise)) for devise in sorted({x.devise for x in par_client})],
        "donnees": [_sommes(x) | {"cle": None if x.cle == "" else x.cle, "code": x.code, "nom": x.nom} for x in page],
        "curseur_suivant": curseur.ecrire(liste, _rang(page[-1])) if len(suivantes) > len(page) else None,
    }


# --- Décompte -------------------------------------------------------------------------------------------


class FiltresDecompte(Entree):
    au: JourLu = facultatif("Arrêté à ce jour ; aujourd'hui à défaut.")
    factures: str = facultatif(
        "Clés de factures séparées par des virgules ; à défaut, tout ce qui était dû.",
        pattern=r"^[0-9]{1,18}(,[0-9]{1,18})*$", max_length=1500, examples=["41,42"],
    )  # fmt: skip
    reglees: bool = Field(False, description="Avec les factures réglées dont des intérêts ou les 40 € restent dus.")


class LigneDecompte(Sortie):
    echeance: int
    facture: int
    numero: str
    date_echeance: Jour
    reste_en_compte: Montant
    conteste: Montant
    principal: Montant | None
    interets: Montant | None
    indemnite: Montant | None
    total: Montant | None
    refus: str = Field(description="Pourquoi rien n'est chiffré ; vide sinon.")


class DecompteDevise(Sortie):
    devise: Devise
    calculable: bool
    refus: str
    taux_a_choisir: bool = Field(description="La clause est sous le minimum légal et personne n'a choisi son taux.")
    principal: Montant | None
    interets: Montant | None
    indemnites: Montant | None = Field(description="40 € par facture, en euros.")
    credits_deduits: Montant | None
    total: Montant | None
    par_jour: Montant | None = Field(description="Intérêts d'un jour de plus.")
    lignes: list[LigneDecompte]


class DecompteSortie(Sortie):
    client: ClientCourt
    au: Jour
    devises: list[DecompteDevise]


DECOMPTE = {
    "client": {"id": 12, "code": "C000123", "raison_sociale": "Menuiserie Delorme"},
    "au": "2026-11-20",
    "devises": [{
        "devise": "EUR", "calculable": True, "refus": "", "taux_a_choisir": False, "principal": "700.00",
        "interets": "11.99", "indemnites": "40.00", "credits_deduits": "0.00", "total": "751.99", "par_jour": "0.24",
        "lignes": [{
            "echeance": 77, "facture": 41, "numero": "F2026-00118", "date_echeance": "2026-10-01",
            "reste_en_compte": "700.00", "conteste": "0.00", "principal": "700.00", "interets": "11.99",
            "indemnite": "40.00", "total": "751.99", "refus": "",
        }],
    }],
}  # fmt: skip


@operation(
    router, "GET", "clients/{id}/decompte", nom="client_decompte", portee=Portee.DECOMPTES_LIRE,
    reponse=DecompteSortie, filtres=FiltresDecompte, exemple=DECOMPTE,
)  # fmt: skip
def client_decompte(request, id: Cle, filtres: Query[FiltresDecompte]):
    """Lire le décompte d'un client

    Celui de l'écran et des lettres : principal, intérêts et indemnités, une devise à la fois. Ce qui ne se calcule pas
    (taux à relever, débiteur à qualifier) vaut null et dit pourquoi.
    """
    client = trouver(visibles(request, Client).select_related("societe", "gestionnaire"), id)
    au = filtres.au or aujourd_hui()
    factures = None
    if filtres.factures is not None:
        factures = sorted({int(cle) for cle in filtres.factures.split(",")})
        if len(factures) > FACTURES_MAX or factures[-1] > CLE_MAX:
            raise saisie([("factures", _("Cinq cents factures au plus."))])
    decomptes = etablir(client, au=au, factures=factures, reglees=filtres.reglees and factures is None)
    return {"client": client_court(client), "au": jour(au), "devises": [_decompte(d) for d in decomptes]}


def _decompte(d) -> dict:
    noms = ("principal", "interets", "indemnites", "credits_deduits", "total", "par_jour")
    montants = {nom: somme(getattr(d, nom)) if d.calculable else None for nom in noms}
    return montants | {
        "devise": d.devise,
        "calculable": d.calculable,
        "refus": str(d.refus),
        "taux_a_choisir": bool(d.a_choisir),
        "lignes": [
            {
                "echeance": x.echeance.pk,
                "facture": x.echeance.facture_id,
                "numero": x.echeance.facture.numero,
                "date_echeance": jour(x.echeance.date_echeance),
                "reste_en_compte": somme(x.reste),
                "conteste": somme(x.conteste),
                "principal": somme(x.calcul and x.calcul.principal_restant),
                "interets": somme(x.calcul and x.calcul.interets_restants),
                "indemnite": somme(x.calcul and x.calcul.indemnite_restante),
                "total": somme(x.calcul and x.calcul.total),
                "refus": str(x.refus),
            }
            for x in d.lignes
        ],
    }
