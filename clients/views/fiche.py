"""La fiche d'un client : où il en est, ce qui va se passer, ce qu'il faut dire."""

from datetime import timedelta
from decimal import Decimal

from django.http import Http404
from django.shortcuts import get_object_or_404
from django.utils.translation import gettext as _
from django.views.decorators.http import require_safe

from clients.forms import LeveeBlocageForm
from clients.models import Client, SousPlancher, TypeDebiteur
from contentieux.domaine.delais import ajouter_mois
from contentieux.models import DossierContentieux
from contentieux.services.declaration import MOIS_POUR_DECLARER
from factures.compte import comptes, repartitions
from factures.domaine.bareme import MULTIPLE_PLANCHER
from factures.domaine.echeances import conditions_excessives
from factures.domaine.maximums import cas_de
from factures.domaine.mensualites import Etat
from factures.models import Accord, Echeancier, TauxLegal
from factures.services.echeanciers import suivis
from recouvrement.commun import formats
from recouvrement.commun.horloge import aujourd_hui, maintenant
from recouvrement.commun.vues import Liste, adresse, onglets, rendre, texte, valeur_parmi, veut_fragment
from recouvrement.comptes.droits import Droit, exige, peut
from relances.models import Courrier, Tache, VersionEchelle

from . import chronologie, documents
from .comportement import comportement
from .en_cours import ce_qui_court
from .etapes import etat
from .pourquoi import pourquoi
from .registre import VOLETS
from .volets import Fiche

ONGLETS = ("compte", "chronologie", "contacts", "documents", "conditions", "pourquoi")
ZERO = Decimal("0.00")
PAR_PAGE = 50
ACCORDS = 5
TONS_ACCORD = {Echeancier.Statut.EN_COURS: "info", Echeancier.Statut.TENU: "bon", Echeancier.Statut.ROMPU: "mal"}
TONS_ECRIT = {
    Accord.Statut.A_APPROUVER: "att", Accord.Statut.PROPOSE: "info", Accord.Statut.SIGNE: "info",
    Accord.Statut.EXECUTE: "bon", Accord.Statut.CADUC: "mal", Accord.Statut.ROMPU: "mal",
}  # fmt: skip
A_FAIRE_PARTIR = (
    Courrier.Statut.A_VALIDER, Courrier.Statut.A_POSTER, Courrier.Statut.EN_ERREUR, Courrier.Statut.INCERTAIN,
)  # fmt: skip
DOSSIER_CLOS = DossierContentieux.Statut.CLOS


def client_visible(request, pk: int) -> Client:
    """Le client, ou 404 s'il est d'un autre portefeuille ou d'une autre société."""
    visibles = Client.objects.visibles_pour(request.user).select_related("societe", "gestionnaire")
    return get_object_or_404(visibles, pk=pk)


@require_safe
@exige(Droit.VOIR)
def fiche(request, pk: int):
    """Page entière ; pour htmx, le seul onglet ou le seul volet, selon la cible."""
    client = client_visible(request, pk)
    return rendre_fiche(request, Fiche(client, au=aujourd_hui(), user=request.user))


def rendre_fiche(request, f: Fiche, *, volet=None, form=None, status: int = 200, conflit=None):
    """Rend la fiche ; `volet` et `form` : une saisie refusée, rendue à sa place."""
    peut_agir = peut(request.user, Droit.AGIR, f.client.societe_id)
    nom = volet.nom if volet else request.GET.get("volet", "")
    if volet is None and peut_agir and nom in VOLETS:
        volet = VOLETS[nom](f, request.GET)
    if volet is not None and form is None:
        form = volet.formulaire()
    contexte = {
        "client": f.client,
        "au": f.au,
        "peut_agir": peut_agir,
        "peut_envoyer": peut(request.user, Droit.ENVOYER, f.client.societe_id),
        "volet": volet,
        "form": form,
        "conflit": conflit,
        "suite": request.GET.get("suite", ""),
        "filtre_ecrit": "",
    }
    cible = request.htmx.target if veut_fragment(request) else ""
    if cible == "volet":
        return rendre(request, "", "clients/_volet.html", contexte | _volet(f, volet, form), status=status)
    o = valeur_parmi(request, "o", ONGLETS)
    contexte |= {"o": o} | _onglet(request, f, o)
    if cible in ("liste", "onglet"):
        contexte["vues"] = _onglets(request, f)
        return rendre(request, "", "clients/_onglet.html", contexte, status=status)
    contexte |= _tete(f) | _volet(f, volet, form) | {"cours": ce_qui_court(request, f), "edite_le": maintenant()}
    contexte["vues"] = _onglets(request, f)
    return rendre(request, "clients/fiche.html", "clients/fiche.html", contexte, status=status)


def _onglets(request, f: Fiche):
    return onglets(
        request,
        "o",
        [
            ("compte", _("Compte"), len(f.pieces) + len(f.credits)),
            ("chronologie", _("Chronologie"), chronologie.compter(f.client)),
            ("contacts", _("Contacts"), len(f.contacts)),
            ("documents", _("Documents"), f.client.documents.gardes().count()),
            ("conditions", _("Conditions")),
            ("pourquoi", _("Pourquoi, pourquoi pas")),
        ],
    )


def _tete(f: Fiche) -> dict:
    client = f.client
    lignes = comptes(client, au=f.au, pieces=f.pieces)
    principal = lignes[0]
    return {
        "comptes": lignes,
        "principal": principal,
        "autres": lignes[1:],
        "plafond": _plafond(client, lignes),
        "habitudes": comportement(client, au=f.au, devise=principal.devise),
        "etapes": f.etapes,
        "credits": f.credits,
        "niveau": max((e.niveau for e in f.pieces), default=0),
        "suspensions": list(client.suspensions.en_cours(f.au).select_related("auteur").order_by("-au")),
        "blocage": client.blocages.en_cours().select_related("auteur").first(),
        "levee": LeveeBlocageForm(initial={"jusqu_au": f.au + timedelta(days=15)}),
        "peut_debloquer": peut(f.user, Droit.LEVER_FREIN, client.societe_id),
        "dossiers": list(client.dossiers.exclude(statut=DOSSIER_CLOS)),
        "declaration": _declaration(f) if client.procedure_ouverte else None,
        "en_attente": list(client.courriers.filter(statut__in=A_FAIRE_PARTIR).order_by("-nature", "pk")[:3]),
    }


def _plafond(client: Client, lignes: list) -> dict | None:
    """L'encours en euros sur le plafond, qui est en euros ; le dépassement est dit. Zéro en est un : rien à crédit."""
    euros = next((c for c in lignes if c.devise == "EUR"), None)
    if client.plafond is None or euros is None:
        return None
    encours = euros.ligne.encours
    return {
        "montant": client.plafond,
        "encours": encours,
        "segments": euros.segments,
        "pourcent": encours * 100 / client.plafond if client.plafond else None,
        "depasse": max(encours - client.plafond, ZERO),
        "reste": max(client.plafond - encours, ZERO),
    }


def _declaration(f: Fiche) -> dict:
    """Procédure ouverte : ce qui se fait, c'est déclarer, dans les deux mois (C. com., art. R622-24)."""
    tache = f.client.taches.filter(genre=Tache.Genre.DECLARER).order_by("-pk").first()
    limite = tache.butoir if tache else None
    limite = limite or ajouter_mois(f.client.jugement_ouverture_le, MOIS_POUR_DECLARER)
    permis = peut(f.user, Droit.CONTENTIEUX, f.client.societe_id)
    return {
        "limite": limite,
        "passee": limite < f.au,
        "faite": bool(tache and tache.faite_le),
        "url": adresse("contentieux:declaration", f.client.pk) if permis else "",
    }


def _volet(f: Fiche, volet, form) -> dict:
    if volet is None:
        return {
            "effets": [],
            "gestes": [(v.nom, v.signe, v.titre, v.touche) for v in VOLETS.values() if v.touche],
            "taches": list(f.client.taches.filter(faite_le=None).order_by("due_le", "pk")[:20]),
            "contacts": list(f.contacts)[:6],  # lus entiers : l'onglet les compte
        }
    return {"effets": volet.effets(form) if volet.avec_effets else [], **volet.contexte(form)}


def _onglet(request, f: Fiche, o: str) -> dict:
    return {
        "compte": _compte,
        "chronologie": _chronologie,
        "contacts": _contacts,
        "documents": _documents,
        "conditions": _conditions,
        "pourquoi": pourquoi,
    }[o](request, f)


def _compte(request, f: Fiche) -> dict:
    """Pièces ouvertes de la page, leur état ; crédits et solde par devise sur la dernière page."""
    lignes = Liste(request, f.pieces, par_page=PAR_PAGE)
    for piece in lignes:
        piece.etat, piece.ton_etat = etat(piece, f.etapes.par_piece.get(piece.pk), au=f.au, passage=f.prevision.au)
    derniere = not lignes.page.has_next()
    return {
        "liste": lignes,
        "credits_montres": f.credits if derniere else [],
        "soldes": comptes(f.client, au=f.au, pieces=f.pieces) if derniere else [],
        "repartitions": sorted(repartitions(f.pieces, f.credits).values(), key=lambda r: (r.devise != "EUR", r.devise)),
        "exclues": [e for e in f.pieces if e.exclusion] if derniere else [],
        "accords": _accords(f) if derniere else [],
        "ecrits": _ecrits(f) if derniere else [],
    }


def _ecrits(f: Fiche) -> list[Accord]:
    """Les derniers accords écrits du client. Une requête."""
    ecrits = list(f.client.accords.all()[:ACCORDS])
    for x in ecrits:
        x.ton = TONS_ECRIT.get(x.statut, "")
    return ecrits


def _accords(f: Fiche) -> list[Echeancier]:
    """Les derniers échéanciers du client, et où en est chacun. Quatre requêtes au plus."""
    accords = list(f.client.echeanciers.select_related("client__societe")[:ACCORDS])
    releves = suivis([x for x in accords if x.statut == Echeancier.Statut.EN_COURS], au=f.au)
    for x in accords:
        x.ton, lignes = TONS_ACCORD.get(x.statut, ""), releves.get(x.pk, [])
        payees = sum(s.etat is Etat.PAYEE for s in lignes)
        suivante = next((s for s in lignes if s.etat is not Etat.PAYEE), None)
        x.ou_il_en_est = x.motif
        if suivante:
            x.ou_il_en_est = _("mensualités payées : %(n)s sur %(total)s ; la suivante : %(manque)s le %(jour)s") % {
                "n": payees, "total": len(lignes), "manque": formats.somme(suivante.manque, x.devise),
                "jour": formats.jour_long(suivante.due_le),
            }  # fmt: skip
    return accords


def _chronologie(request, f: Fiche) -> dict:
    genre = valeur_parmi(request, "genre", chronologie.GENRES)
    apres = chronologie.Curseur.lire(texte(request, "page", 120))
    faits, suite = chronologie.chronologie(f.client, apres=apres, genre=genre)
    noms = (_("tout"), _("envoyé"), _("reçu"), _("appels"), _("notes"), _("argent"), _("suivi"))
    genres = list(zip(chronologie.GENRES, noms, strict=True))
    filtre = dict(genres)[genre]
    return {
        "faits": faits,
        "genres": genres,
        "filtre_ecrit": "" if genre == "tout" else _("Seulement : %(quoi)s.") % {"quoi": filtre},
        "au_milieu": apres is not None,
        "suivante": suite,
    }


def _contacts(request, f: Fiche) -> dict:
    return {"contacts_tous": list(f.contacts)}


def _documents(request, f: Fiche) -> dict:
    return documents.contexte(request, f.client, peut_agir=peut(f.user, Droit.AGIR, f.client.societe_id))


def _conditions(request, f: Fiche) -> dict:
    plan = f.prevision.plan
    cas = cas_de(f.client.type, f.client.cas_delai)
    exces = cas and conditions_excessives(f.client.conditions, f.client.lecture_fdm, aujourd_hui().year, cas)
    return {
        "plan": _nom_du_plan(f) if plan else "",
        "pilote": f.pilote,
        "exces": exces,
        "clause_basse": _clause_basse(f.client),
        "plancher_choix": SousPlancher.choices[1:],
        "retour": request.get_full_path(),
    }


def _clause_basse(client: Client) -> bool:
    """Le taux stipulé est passé sous trois fois le taux légal dans l'un des six derniers semestres relevés."""
    if client.type != TypeDebiteur.ENTREPRISE or client.taux_penalites is None:
        return False
    derniers = TauxLegal.objects.order_by("-semestre")[:6]
    return any(client.taux_penalites < MULTIPLE_PLANCHER * t.autres for t in derniers)


def _nom_du_plan(f: Fiche) -> str:
    version = VersionEchelle.objects.select_related("echelle").filter(pk=f.prevision.plan.version).first()
    return str(version) if version else ""


def volet_demande(f: Fiche, nom: str, params):
    """La classe du volet, ou 404."""
    if nom not in VOLETS:
        raise Http404
    return VOLETS[nom](f, params)
