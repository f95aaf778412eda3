"""Relances : ce qui part ou est parti, son texte, son PDF ; et pourquoi une pièce est relancée, ou retenue."""

from django.http import HttpResponse
from django.utils.translation import gettext as _
from ninja import Query, Router
from pydantic import Field

from clients.models import Client
from factures.models import Echeance
from recouvrement.commun.depot import ErreurDepot
from recouvrement.commun.horloge import aujourd_hui, maintenant
from recouvrement.commun.pdf import PdfIndisponible
from relances.domaine.natures import Canal, Nature
from relances.models import Courrier
from relances.services import gestes
from relances.services.explications import expliquer_toutes
from relances.services.faits import ouvreur
from relances.services.preparation import a_un_pdf

from ..contrat import operation
from ..curseur import paginer
from ..formes import (
    Cle,
    ClientCourt,
    Devise,
    Entree,
    Instant,
    InstantLu,
    Jour,
    JourLu,
    Montant,
    Page,
    Sortie,
    client_court,
    facultatif,
    instant,
    jour,
    parmi,
    somme,
)
from ..perimetre import trouver, visibles
from ..portees import Portee
from ..problemes import Probleme, introuvable, saisie

router = Router(tags=["Relances"])
NATURES = [nature.name.lower() for nature in Nature]


class FiltresRelances(Page):
    client: Cle = facultatif("Clé du client.")
    statut: parmi(Courrier.Statut.values) = facultatif("État du courrier.")
    palier: parmi(NATURES[1:]) = facultatif("Palier.")
    decide_depuis: JourLu = facultatif("Décidés ce jour-là ou après.")
    decide_jusqu_au: JourLu = facultatif("Décidés ce jour-là ou avant.")
    modifie_depuis: InstantLu = facultatif("Modifiés à partir de cet instant.")


class RelanceSortie(Sortie):
    id: int
    client: ClientCourt
    reference: str
    palier: parmi(NATURES)
    canal: parmi([canal.value for canal in Canal])
    langue: str
    statut: parmi(Courrier.Statut.values)
    devise: Devise
    pieces: int
    principal: Montant
    penalites: Montant
    indemnites: Montant
    credits: Montant
    total: Montant
    arrete_au: Jour | None
    date_limite: Jour | None
    decide_le: Jour
    envoye_le: Instant | None
    numero_suivi: str
    depose_le: Jour | None
    retour: parmi(["", *Courrier.Retour.values])
    retour_le: Jour | None
    pdf: bool = Field(description="Vrai : le PDF conservé se lit à `/relances/{id}/pdf`.")
    modifie_le: Instant


class RelancesSortie(Sortie):
    donnees: list[RelanceSortie]
    curseur_suivant: str | None


class PieceRelancee(Sortie):
    echeance: int
    facture: int
    numero: str
    date_echeance: Jour
    reste_du: Montant
    statut: str


class RelanceDetail(RelanceSortie):
    destinataire: str
    objet: str
    texte: str
    motif: str = Field(description="Pourquoi une personne doit valider ; vide si rien ne l'exige.")
    pieces_relancees: list[PieceRelancee]


EXEMPLE = {
    "id": 31, "client": {"id": 12, "code": "C000123", "raison_sociale": "Menuiserie Delorme"},
    "reference": "REL-2026-0031", "palier": "rappel_courtois", "canal": "courriel", "langue": "fr", "statut": "envoye",
    "devise": "EUR", "pieces": 1, "principal": "700.00", "penalites": "0.00", "indemnites": "0.00", "credits": "0.00",
    "total": "700.00", "arrete_au": "2026-11-20", "date_limite": "2026-11-28", "decide_le": "2026-11-19",
    "envoye_le": "2026-11-20T08:05:00+01:00", "numero_suivi": "", "depose_le": None, "retour": "", "retour_le": None,
    "pdf": True, "modifie_le": "2026-11-20T08:05:00+01:00",
}  # fmt: skip
DETAIL = EXEMPLE | {
    "destinataire": "compta@delorme.example", "objet": "Facture F2026-00118 échue", "texte": "Bonjour…", "motif": "",
    "pieces_relancees": [{"echeance": 77, "facture": 41, "numero": "F2026-00118", "date_echeance": "2026-10-01",
                          "reste_du": "700.00", "statut": "envoyee"}],
}  # fmt: skip


def montrer(c: Courrier) -> dict:
    noms = ("reference", "canal", "langue", "statut", "devise", "pieces", "numero_suivi", "retour")
    sommes = ("principal", "penalites", "indemnites", "credits", "total")
    return (
        {nom: getattr(c, nom) for nom in noms}
        | {nom: somme(getattr(c, nom)) for nom in sommes}
        | {
            "id": c.pk,
            "client": client_court(c.client),
            "palier": Nature(c.nature).name.lower(),
            "arrete_au": jour(c.arrete_au),
            "date_limite": jour(c.date_limite),
            "decide_le": jour(c.passage.au),
            "envoye_le": instant(c.envoye_le),
            "depose_le": jour(c.depose_le),
            "retour_le": jour(c.retour_le),
            "pdf": bool(c.pdf_chemin),
            "modifie_le": instant(c.updated_at),
        }
    )


def lire(request):
    return visibles(request, Courrier).select_related("client", "passage")


@operation(
    router, "GET", "relances", nom="relances", portee=Portee.RELANCES_LIRE, reponse=RelancesSortie,
    filtres=FiltresRelances, exemple={"donnees": [EXEMPLE], "curseur_suivant": None},
)  # fmt: skip
def relances(request, filtres: Query[FiltresRelances]):
    """Lister les courriers de relance"""
    criteres = {
        "client": filtres.client,
        "statut": filtres.statut,
        "nature": filtres.palier and Nature[filtres.palier.upper()].value,
        "passage__au__gte": filtres.decide_depuis,
        "passage__au__lte": filtres.decide_jusqu_au,
        "updated_at__gte": filtres.modifie_depuis,
    }
    lignes = lire(request).filter(**{nom: valeur for nom, valeur in criteres.items() if valeur is not None})
    return paginer(lignes.defer("texte"), filtres, liste="relances", montrer=montrer)


@operation(router, "GET", "relances/{id}", nom="relance", portee=Portee.RELANCES_LIRE, reponse=RelanceDetail,
           exemple=DETAIL)  # fmt: skip
def relance(request, id: Cle):
    """Lire un courrier, son texte et ses pièces"""
    c = trouver(lire(request), id)
    pieces = c.relances.select_related("echeance__facture").order_by("echeance__date_echeance", "pk")
    return montrer(c) | {
        "destinataire": c.destinataire,
        "objet": c.objet,
        "texte": c.texte,
        "motif": c.motif,
        "pieces_relancees": [
            {
                "echeance": r.echeance_id,
                "facture": r.echeance.facture_id,
                "numero": r.echeance.facture.numero,
                "date_echeance": jour(r.echeance.date_echeance),
                "reste_du": somme(r.reste_du),
                "statut": r.statut,
            }
            for r in pieces
        ],
    }


@operation(
    router, "GET", "relances/{id}/pdf", nom="relance_pdf", portee=Portee.RELANCES_LIRE, reponse=None,
    media="application/pdf", erreurs=(503,),
)  # fmt: skip
def relance_pdf(request, id: Cle):
    """Lire le PDF d'un courrier

    Celui qui est parti, octet pour octet ; avant l'envoi, celui qui partirait, dont le nom finit par « -apercu ».
    """
    courrier = trouver(visibles(request, Courrier).select_related("societe", "client", "palier__version__echelle"), id)
    if not a_un_pdf(courrier):
        raise introuvable()
    try:
        octets, conserve = gestes.apercu_pdf(courrier, au=ouvreur(courrier.societe)(aujourd_hui()))
    except gestes.Refus as absente:
        raise introuvable() from absente
    except (PdfIndisponible, ErreurDepot) as raison:
        raise Probleme(503, "indisponible", _("Ce PDF ne se lit pas pour le moment.")) from raison
    nom = f"courrier-{courrier.pk}{'' if conserve else '-apercu'}.pdf"
    return HttpResponse(
        octets, content_type="application/pdf", headers={"Content-Disposition": f'attachment; filename="{nom}"'}
    )


# --- Pourquoi, ou pourquoi pas --------------------------------------------------------------------------


class FiltresJour(Entree):
    le: JourLu = facultatif("Jour de la question ; aujourd'hui à défaut, jamais l'avenir.")


class FiltresPourquoi(Page):
    le: JourLu = facultatif("Jour de la question ; aujourd'hui à défaut, jamais l'avenir.")


class ExplicationSortie(Sortie):
    echeance: int
    facture: int
    numero: str
    date_echeance: Jour
    reste_du: Montant
    devise: Devise
    le: Jour
    code: str = Field(description="Verdict : relancee, suspendue, litige, pas_echue, soldee, inconnu…")
    phrase: str
    connue: bool = Field(description="Faux : personne n'a jugé la pièce ce jour-là, et la phrase le dit.")
    palier: parmi(NATURES)
    du: Jour | None
    au: Jour | None
    prochaine: Jour | None
    passage: Jour | None = Field(description="Passage qui fait foi.")
    rejugee: bool = Field(description="Décidé à l'instant, comme « Ce soir » le fera.")


class ExplicationsSortie(Sortie):
    donnees: list[ExplicationSortie]
    curseur_suivant: str | None


EXPLICATION = {
    "echeance": 77, "facture": 41, "numero": "F2026-00118", "date_echeance": "2026-10-01", "reste_du": "700.00",
    "devise": "EUR", "le": "2026-11-20", "code": "suspendue", "phrase": "Suspendue : accord en discussion",
    "connue": True, "palier": "aucune", "du": "2026-11-20", "au": None, "prochaine": "2026-12-01", "passage": None,
    "rejugee": True,
}  # fmt: skip


def _jour_de(filtres) -> tuple:
    """(jour, instant présent). Lève un 422 pour un jour à venir : « Ce soir » répond à cette question-là."""
    moment = maintenant()
    le = filtres.le or moment.date()
    if le > moment.date():
        raise saisie([("le", _("Ce jour est à venir."))])
    return le, moment


def _expliquee(e: Echeance, x) -> dict:
    return {
        "echeance": e.pk,
        "facture": e.facture_id,
        "numero": e.facture.numero,
        "date_echeance": jour(e.date_echeance),
        "reste_du": somme(e.reste_du),
        "devise": e.devise,
        "le": jour(x.jour),
        "code": x.code,
        "phrase": str(x.phrase),
        "connue": x.connue,
        "palier": Nature(x.nature).name.lower(),
        "du": jour(x.du),
        "au": jour(x.au),
        "prochaine": jour(x.prochaine),
        "passage": jour(x.passage),
        "rejugee": x.rejugee,
    }


@operation(
    router, "GET", "echeances/{id}/pourquoi", nom="echeance_pourquoi", portee=Portee.POURQUOI_LIRE,
    reponse=ExplicationSortie, filtres=FiltresJour, exemple=EXPLICATION,
)  # fmt: skip
def echeance_pourquoi(request, id: Cle, filtres: Query[FiltresJour]):
    """Pourquoi cette échéance est relancée, ou ne l'est pas"""
    le, moment = _jour_de(filtres)
    e = trouver(visibles(request, Echeance).select_related("facture", "societe"), id)
    return _expliquee(e, expliquer_toutes([e], le, moment=moment)[e.pk])


@operation(
    router, "GET", "clients/{id}/pourquoi", nom="client_pourquoi", portee=Portee.POURQUOI_LIRE,
    reponse=ExplicationsSortie, filtres=FiltresPourquoi, exemple={"donnees": [EXPLICATION], "curseur_suivant": None},
)  # fmt: skip
def client_pourquoi(request, id: Cle, filtres: Query[FiltresPourquoi]):
    """Pourquoi chaque pièce ouverte d'un client est relancée, ou ne l'est pas"""
    le, moment = _jour_de(filtres)
    client = trouver(visibles(request, Client), id)
    ouvertes = Echeance.objects.filter(client=client).ouvertes_au(le).select_related("facture", "societe")
    page = paginer(ouvertes, filtres, liste=f"pourquoi-{id}", montrer=lambda e: e)
    dites = expliquer_toutes(page["donnees"], le, moment=moment)
    return page | {"donnees": [_expliquee(e, dites[e.pk]) for e in page["donnees"]]}
