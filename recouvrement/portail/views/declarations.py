"""« J'ai payé », « je conteste », « je paierai le », « j'ai besoin de temps » : un formulaire, un service, un reçu."""

from datetime import timedelta

from django.core.exceptions import ValidationError
from django.http import HttpResponse
from django.shortcuts import render
from django.utils.translation import gettext as _
from django.views.decorators.http import require_http_methods, require_safe

from factures.models import Echeance
from factures.services import accords as bornes
from recouvrement.commun.forms import JourField
from recouvrement.commun.horloge import maintenant
from recouvrement.commun.vues import entier
from recouvrement.portail import acces as porte
from recouvrement.portail.acces import Acces, par_lien
from recouvrement.portail.forms import FORMULAIRES, cochees_d_abord
from relances.models import Declaration
from relances.services import declarations_portail as services
from relances.services.declarations_portail_accords import demander_du_temps, offrir

CORPS_MAX = services.OCTETS_MAX + 1024 * 1024  # les fichiers et ce qui les entoure
PREMIERE_DANS = 25  # jours proposés avant le premier versement


def permis(acces: Acces, genre: str) -> bool:
    return genre in FORMULAIRES and (acces.reglage.echeanciers if genre == "delai" else acces.reglage.declarations)


@par_lien
@require_http_methods(["GET", "HEAD", "POST"])
def declarer(request, acces, genre):
    """Le formulaire d'une situation, et son envoi : la même clé n'écrit qu'une fois."""
    if not permis(acces, genre):
        return porte.introuvable(request)
    pieces = services.pieces_declarables(acces.client)
    if raison := services.fermeture(acces.client, pieces):
        return _rendre(request, acces, "fermee", {"raison": raison})
    if genre in ("delai", "promet"):
        pieces = [p for p in pieces if not p.plan]
    if genre in ("delai", "conteste"):
        pieces = [p for p in pieces if not p.contestee]
    if not pieces:
        return _rendre(request, acces, "fermee", {"raison": _("Aucune de vos factures ne s'y prête aujourd'hui.")})
    if request.method == "POST":
        return _recevoir(request, acces, genre, pieces)
    form = FORMULAIRES[genre](pieces=pieces, au=acces.au, initial=_initial(genre, pieces, acces))
    return _montrer(request, acces, genre, form)


def _initial(genre: str, pieces: list[Echeance], acces: Acces) -> dict:
    """Ce qui est échu, sans la part contestée : la personne le corrige."""
    du = sum(p.reclame for p in cochees_d_abord(pieces, acces.au)) or None
    return {"montant": du if genre in ("paye", "promet") else None, "le": acces.au if genre == "paye" else None}


def _recevoir(request, acces: Acces, genre: str, pieces: list[Echeance]) -> HttpResponse:
    # Avant de lire le corps : Django le garderait tout entier sur le disque.
    if acces.apercu or (entier(request.META.get("CONTENT_LENGTH")) or 0) > CORPS_MAX:
        form = FORMULAIRES[genre](pieces=pieces, au=acces.au)
        return _montrer(request, acces, genre, form, status=413, faute=_("Les fichiers dépassent 30 Mo en tout."))
    form = FORMULAIRES[genre](request.POST, pieces=pieces, au=acces.au)
    if form.is_valid():
        try:
            declaration = _enregistrer(request, acces, genre, form.cleaned_data)
        except ValidationError as erreur:
            _reporter(form, erreur)
        else:
            vers = acces.url("recu", declaration.pk)
            if declaration.accord_id:
                vers = acces.url("accord", declaration.accord_id)
            return HttpResponse(status=303, headers={"Location": vers})
    return _montrer(request, acces, genre, form, status=422)


def _reporter(form, erreur: ValidationError) -> None:
    """Chaque refus du service sur son champ ; ceux que le formulaire n'a pas vont en tête."""
    fautes = erreur.message_dict if hasattr(erreur, "error_dict") else {None: erreur.messages}
    for champ, phrases in fautes.items():
        for phrase in phrases:
            form.add_error(champ if champ in form.fields else None, phrase)


def _enregistrer(request, acces: Acces, genre: str, d: dict) -> Declaration:
    fichiers = request.FILES.getlist("fichiers")[: services.FICHIERS_MAX + 1]
    if sum(f.size for f in fichiers) > services.OCTETS_MAX:
        raise ValidationError(_("Les fichiers dépassent 30 Mo en tout."))
    depot = services.Depot(
        cle=d["cle"], nom=d["nom"], texte=d["texte"], adresse_ip=acces.adresse_ip or None, agent=acces.agent,
        fichiers=[(f.read(), f.name) for f in fichiers],
    )  # fmt: skip
    commun = {"pieces": d["pieces"], "moment": maintenant()}
    if genre == "paye":
        return services.declarer_paiement(
            acces.lien, depot, montant=d["montant"], le=d["le"], moyen=d["moyen"], **commun
        )
    if genre == "conteste":
        return services.contester(acces.lien, depot, categorie=d["categorie"], montant=d["montant"], **commun)
    if genre == "promet":
        return services.promettre_de_payer(acces.lien, depot, montant=d["montant"], pour_le=d["le"], **commun)
    return demander_du_temps(
        acces.lien, depot, reglage=acces.reglage, nombre=d["nombre"], premiere=d["premiere"], **commun
    )


def _montrer(request, acces: Acces, genre: str, form, *, status: int = 200, faute: str = "") -> HttpResponse:
    contexte = {"genre": genre, "form": form, "faute": faute, "action": acces.url("declarer", genre)}
    if genre == "delai":
        contexte |= _plans(request, acces, form)
    return _rendre(request, acces, genre, contexte, status=status)


def _plans(request, acces: Acces, form) -> dict:
    """Les versements proposés pour les pièces et la date choisies ; l'adresse les porte, pour les revoir."""
    lus = request.POST if request.method == "POST" else request.GET
    cles = {entier(cle) for cle in lus.getlist("pieces")} or form.cochees
    choisies = [p for p in form.offertes if p.pk in cles] or form.offertes
    choisies = [p for p in choisies if p.devise == choisies[0].devise]
    delai = min(bornes.reglage(acces.societe).premiere_sous_jours, PREMIERE_DANS)
    premiere = acces.au + timedelta(days=delai)
    try:
        premiere = JourField(avance=timedelta(days=90)).clean(lus.get("premiere")) or premiere
    except ValidationError:
        pass
    plans = offrir(acces.client, choisies, reglage=acces.reglage, premiere=premiere, au=acces.au)
    return {
        "plans": plans, "premiere": premiere, "choisies": choisies, "cles": {p.pk for p in choisies},
        "total": sum(p.reste_du for p in choisies), "devise": choisies[0].devise,
        "immediat": any(p["accorde"] for p in plans), "url_revoir": acces.url("declarer", "delai"),
    }  # fmt: skip


def _rendre(request, acces: Acces, nom: str, contexte: dict, *, status: int = 200) -> HttpResponse:
    gabarit = "delai" if nom == "delai" else f"declaration_{nom}"
    return render(request, f"portail/{gabarit}.html", {"acces": acces} | contexte, status=status)


@par_lien
@require_safe
def recu(request, acces, pk):
    """Ce que le client a déclaré, tel que c'est enregistré, et ce qui en vient."""
    siennes = Declaration.objects.filter(client=acces.client)
    declaration = siennes.filter(pk=pk).select_related("accord").prefetch_related("echeances__facture").first()
    if declaration is None:
        return porte.introuvable(request)
    pieces = sorted({e.facture.numero for e in declaration.echeances.all()})
    url_accord = acces.url("accord", declaration.accord_id) if declaration.accord_id else ""
    contexte = {"declaration": declaration, "pieces": pieces, "url_accord": url_accord}
    return _rendre(request, acces, "recu", contexte)
