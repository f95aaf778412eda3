"""Payer par carte : ce qu'on demande se calcule ici, se signe ici, et ne se lit jamais du navigateur."""

import hashlib
import logging
from decimal import Decimal

from django.conf import settings
from django.http import HttpResponse
from django.shortcuts import render
from django.utils.translation import gettext as _
from django.views.decorators.csrf import csrf_exempt
from django.views.decorators.http import require_http_methods, require_POST

from recouvrement.commun.formats import somme
from recouvrement.commun.horloge import maintenant
from recouvrement.commun.vues import entier
from recouvrement.portail import acces as porte
from recouvrement.portail import limitation, visites
from recouvrement.portail.acces import Acces, par_lien
from recouvrement.portail.paiement import NotificationRefusee, PaiementImpossible, fournisseur
from recouvrement.portail.paiement.essai import Essai
from recouvrement.portail.paiement.interface import CENTIMES, PIECES_MAX, ecrire_reference, lire_reference
from recouvrement.portail.paiement.reception import recevoir
from recouvrement.portail.releve import Piece, relever
from relances.models import ReglagePortail
from relances.services.declarations_portail_suites import pieces_payees_par_carte

log = logging.getLogger(__name__)
NOTIFICATION_MAX = 256 * 1024  # octets


def payables(acces: Acces) -> list[Piece]:
    """Pièces que la carte peut payer : payables par virement, dans une devise à centimes, pas déjà payées par carte."""
    releve = relever(acces.client, au=acces.au)
    if releve.ferme:
        return []
    en_route = pieces_payees_par_carte(acces.client)
    return [
        p
        for compte in releve.comptes
        if compte.devise in CENTIMES
        for p in compte.pieces
        if p.payable and p.echeance.reclame > 0 and p.echeance.pk not in en_route
    ]


@par_lien
@require_http_methods(["GET", "HEAD", "POST"])
def carte(request, acces):
    """Choisir les factures, puis partir vers la page du prestataire : un lien, jamais un montant saisi."""
    prestataire = fournisseur(acces.reglage)
    if prestataire is None:
        return porte.introuvable(request)
    pieces = payables(acces)
    contexte = {
        "acces": acces,
        "pieces": pieces,
        "faute": "",
        "cochees": _cochees(request, acces, pieces),
    }
    if request.method != "POST":
        return render(request, "portail/paiement.html", contexte)
    if acces.apercu:
        return porte.introuvable(request)
    choisies = [p for p in pieces if p.echeance.pk in contexte["cochees"]][:PIECES_MAX]
    devises = {p.echeance.devise for p in choisies}
    if len(devises) != 1:
        contexte["faute"] = _("Cochez au moins une facture, d'une même devise.")
        return render(request, "portail/paiement.html", contexte, status=422)
    montant, devise = sum((p.echeance.reclame for p in choisies), Decimal("0.00")), devises.pop()
    cles = [p.echeance.pk for p in choisies]
    try:
        depart = prestataire.creer_session(
            montant, devise, ecrire_reference(acces.lien, montant, devise, cles),
            settings.SITE_URL.rstrip("/") + acces.url_page, libelle=acces.client.code,
            cle=_cle_de_session(acces, montant, devise, cles),
        )  # fmt: skip
    except PaiementImpossible as erreur:
        contexte["faute"] = str(erreur)
        return render(request, "portail/paiement.html", contexte, status=502)
    visites.noter(acces, visites.Genre.PAIEMENT, somme(montant, devise))
    contexte |= {"depart": depart, "montant": montant, "devise": devise, "choisies": choisies}
    return render(request, "portail/paiement_depart.html", contexte)


def _cochees(request, acces: Acces, pieces: list[Piece]) -> set[int]:
    if request.method == "POST":
        return {entier(cle) for cle in request.POST.getlist("pieces")[:300]}
    return {p.echeance.pk for p in pieces if p.a_regler} or {p.echeance.pk for p in pieces}


def _cle_de_session(acces: Acces, montant: Decimal, devise: str, cles: list[int]) -> str:
    """Deux clics de suite ouvrent la même session : mêmes pièces, même montant, même heure."""
    heure = int(maintenant().timestamp()) // 3600
    return hashlib.sha256(f"{acces.lien.pk}:{montant}:{devise}:{cles}:{heure}".encode()).hexdigest()


@par_lien
@require_http_methods(["GET", "HEAD", "POST"])
def essai(request, acces):
    """La page du prestataire d'essai : aucun argent ; « payer » envoie la notification qu'un vrai enverrait."""
    prestataire = fournisseur(acces.reglage)
    lus = request.POST if request.method == "POST" else request.GET
    commande = lire_reference(lus.get("reference", "")[:600])
    if not isinstance(prestataire, Essai) or commande is None or commande.lien.pk != acces.lien.pk or acces.apercu:
        return porte.introuvable(request)
    if request.method == "POST":
        moment = maintenant()
        corps, entetes = prestataire.notification(
            commande.montant, commande.devise, lus["reference"], cle=_cle_de_commande(lus["reference"]), moment=moment
        )
        recevoir(acces.reglage, corps, entetes, moment=moment)
        return HttpResponse(status=303, headers={"Location": acces.url_page})
    contexte = {"acces": acces, "commande": commande, "reference": lus["reference"], "cle": lus.get("cle", "")[:40]}
    return render(request, "portail/paiement_essai.html", contexte)


def _cle_de_commande(reference: str) -> str:
    """Une commande ne se paie qu'une fois : une clé venue du navigateur en aurait écrit autant qu'il veut."""
    return hashlib.sha256(reference.encode()).hexdigest()[:40]


@csrf_exempt
@require_POST
def notification(request, societe: int):
    """Ce que le prestataire annonce : signé par lui, daté, écrit une fois. Publique : la signature est la seule clé."""
    if not limitation.permis(request, "paiement"):
        return _dire("trop d'essais", 429)
    reglage = ReglagePortail.objects.select_related("societe").filter(societe=societe).exclude(carte="").first()
    taille = entier(request.META.get("CONTENT_LENGTH")) or 0
    if reglage is None or not 0 < taille <= NOTIFICATION_MAX:
        limitation.rate(request, "paiement")
        return _dire("inconnu" if reglage is None else "corps absent ou trop gros", 404 if reglage is None else 413)
    try:
        declaration, neuve = recevoir(reglage, request.body, request.headers, moment=maintenant())
    except NotificationRefusee as refus:
        limitation.rate(request, "paiement")
        log.warning("notification de paiement refusée (société %s) : %s", societe, refus)
        return _dire("refusée", 400)
    return _dire("ignorée" if declaration is None else "reçue" if neuve else "déjà reçue", 200)


def _dire(texte: str, statut: int) -> HttpResponse:
    reponse = HttpResponse(texte, content_type="text/plain; charset=utf-8", status=statut)
    reponse["Cache-Control"] = "no-store"
    return reponse


notification.droit, notification.garde = None, "notification"
