"""Prescription : celles qui approchent, et l'histoire de chaque facture avec ses preuves (exigence 37)."""

from collections import Counter
from dataclasses import dataclass

from django.core.exceptions import ValidationError
from django.db.models import Q
from django.http import Http404, HttpResponse
from django.shortcuts import get_object_or_404, render
from django.urls import reverse
from django.utils.translation import gettext as _
from django.utils.translation import ngettext
from django.views.decorators.http import require_POST, require_safe

from clients.models import Client, TypeDebiteur
from contentieux import forms, services
from contentieux.domaine.prescription import PrescriptionIndeterminee
from contentieux.models import DossierContentieux, Interruption
from factures.models import Facture
from recouvrement.commun import depot
from recouvrement.commun.formats import jour as ecrire_jour
from recouvrement.commun.formats import nombre
from recouvrement.commun.horloge import aujourd_hui
from recouvrement.commun.vues import Liste, entier, fait, onglets, rediriger, rendre, texte, valeur_parmi
from recouvrement.comptes.courante import restreindre
from recouvrement.comptes.droits import Droit, exige, peut, verifier_droit
from recouvrement.comptes.models import Utilisateur

from .actions import reporter
from .fiche import ACTES

SEUILS = {"tous": None, "6-mois": 6, "3-mois": 3, "passees": 0}


# --- Celles qui approchent -----------------------------------------------------------------------
@require_safe
@exige(Droit.VOIR)
def approches(request):
    """Factures ouvertes à moins de six mois de leur date d'origine, la plus pressée d'abord."""
    au = aujourd_hui()
    factures = restreindre(request, Facture.objects.visibles_pour(request.user))
    if q := texte(request, "q"):
        factures = factures.filter(Q(numero__icontains=q) | Q(client__raison_sociale__icontains=q))
    if (type_debiteur := request.GET.get("type")) in TypeDebiteur.values:
        factures = factures.filter(client__type=type_debiteur)
    if (gestionnaire := entier(request.GET.get("gestionnaire"))) is not None:
        factures = factures.filter(client__gestionnaire=gestionnaire)
    seuil = SEUILS[valeur_parmi(request, "seuil", SEUILS)]
    comptes, gardees = Counter(), []
    for a in services.approchent(factures, au=au):  # en flux : de chacune, seul son rang reste
        comptes[a.alerte] += 1
        if seuil is None or a.alerte == seuil:
            gardees.append((a.origine, a.facture))
    gardees.sort()
    liste = Liste(request, gardees)
    choisies = Facture.objects.filter(pk__in=[pk for _origine, pk in liste]).select_related("client__gestionnaire")
    lues = {p.facture.pk: p for p in services.pour_factures(choisies, au=au)}
    contexte = {
        "liste": liste,
        "lignes": [lues[pk] for _origine, pk in liste],
        "seuils": onglets(request, "seuil", [
            (cle, nom, comptes.total() if SEUILS[cle] is None else comptes[SEUILS[cle]]) for cle, nom in _noms()
        ]),
        "types": TypeDebiteur.choices,
        "gestionnaires": _gestionnaires(request),
        "au": au,
        "annonce": _("%(n)s factures") % {"n": nombre(len(gardees))},
        "resume": ngettext(
            "%(n)s facture ouverte en alerte au %(j)s", "%(n)s factures ouvertes en alerte au %(j)s", comptes.total()
        ) % {"n": nombre(comptes.total()), "j": ecrire_jour(au)},
    }  # fmt: skip
    return rendre(request, "contentieux/prescriptions.html", "contentieux/_prescriptions.html", contexte)


def _gestionnaires(request) -> list[tuple[str, str]]:
    clients = restreindre(request, Client.objects.visibles_pour(request.user))
    suivis = Utilisateur.objects.filter(portefeuille__in=clients).order_by("nom").distinct()
    return [(str(pk), nom) for pk, nom in suivis.values_list("pk", "nom")]


def _noms():
    return (
        ("tous", _("Toutes")),
        ("6-mois", _("Moins de 6 mois")),
        ("3-mois", _("Moins de 3 mois")),
        ("passees", _("Date passée")),
    )


# --- Une facture ---------------------------------------------------------------------------------
@dataclass(frozen=True)
class Ligne:
    """Une étape et, si une personne l'a relevée, l'acte qui la porte."""

    nom: str
    etape: object
    acte: Interruption | None


def facture_visible(request, pk: int) -> Facture:
    factures = Facture.objects.visibles_pour(request.user).select_related("client__gestionnaire", "societe")
    return get_object_or_404(factures, pk=pk)


@require_safe
@exige(Droit.VOIR)
def facture(request, pk: int):
    """Écran « Prescription » d'une facture : dates, étapes, actes et preuves."""
    return _page(request, facture_visible(request, pk))


@require_safe
@exige(Droit.VOIR)
def resume(request, pk: int):
    """La date d'origine en une ligne, pour la fiche de la facture."""
    return render(request, "contentieux/_prescription_resume.html", _lue(facture_visible(request, pk)))


def _lue(facture: Facture) -> dict:
    """{« p » : la prescription} ou {« refus » : pourquoi la table ne la donne pas}."""
    try:
        return {"facture": facture, "p": services.de_la_facture(facture, au=aujourd_hui()), "refus": ""}
    except PrescriptionIndeterminee as refus:
        return {"facture": facture, "p": None, "refus": str(refus)}


def _page(request, facture: Facture, *, acte=None, nature=None, annuler=None, status: int = 200):
    au, lue = aujourd_hui(), _lue(facture)
    releves = {i.pk: i for i in facture.interruptions.select_related("auteur")}
    noms = {**{cle: _(nom) for cle, nom in ACTES.items()}, **dict(Interruption.Acte.choices)}
    etapes = lue["p"].prescription.etapes if lue["p"] else ()
    contexte = lue | {
        "client": facture.client,
        "au": au,
        "lignes": [Ligne(noms[e.acte], e, releves.get(e.cle)) for e in etapes],
        "annules": [i for i in releves.values() if i.annulee_le],
        "dossiers": DossierContentieux.objects.visibles_pour(request.user)
        .filter(lignes__echeance__facture=facture).select_related("societe").distinct(),
        "peut_agir": peut(request.user, Droit.CONTENTIEUX, facture.societe_id),
        "form_acte": acte or forms.ActeForm(facture=facture, au=au),
        "form_nature": nature or forms.CreanceForm(facture=facture, au=au),
        "annuler": annuler,
    }  # fmt: skip
    return rendre(request, "contentieux/prescription.html", "contentieux/prescription.html", contexte, status=status)


@require_POST
@exige(Droit.CONTENTIEUX)
def relever(request, pk: int):
    """Enregistre un acte et sa preuve."""
    facture = facture_visible(request, pk)
    verifier_droit(request.user, Droit.CONTENTIEUX, facture.societe_id)
    au = aujourd_hui()
    form = forms.ActeForm(request.POST, request.FILES, facture=facture, au=au)
    if form.is_valid():
        lu = form.cleaned_data
        recu = lu["preuve"]
        try:
            services.relever_acte(
                facture, acte=lu["acte"], jour=lu["jour"], note=lu["note"], preuve=recu.read() if recu else b"",
                nom=recu.name if recu else "", par=request.user, au=au,
            )  # fmt: skip
        except ValidationError as refus:
            reporter(form, refus)
        else:
            fait(request, _("Acte relevé : la date possible est recalculée, la date d'origine ne change pas."))
            return rediriger(request, reverse("contentieux:prescription", args=[facture.pk]))
    return _page(request, facture, acte=form, status=422)


@require_POST
@exige(Droit.CONTENTIEUX)
def qualifier(request, pk: int):
    """Nature de la créance et date d'exécution."""
    facture = facture_visible(request, pk)
    verifier_droit(request.user, Droit.CONTENTIEUX, facture.societe_id)
    au = aujourd_hui()
    form = forms.CreanceForm(request.POST, facture=facture, au=au)
    if form.is_valid():
        try:
            services.qualifier_creance(facture, par=request.user, au=au, **form.cleaned_data)
        except ValidationError as refus:
            reporter(form, refus)
        else:
            fait(request, _("Nature et date d'exécution enregistrées."))
            return rediriger(request, reverse("contentieux:prescription", args=[facture.pk]))
    return _page(request, facture, nature=form, status=422)


@require_POST
@exige(Droit.CONTENTIEUX)
def annuler(request, pk: int, acte: int):
    """Annule un acte relevé par erreur, avec son motif."""
    facture = facture_visible(request, pk)
    verifier_droit(request.user, Droit.CONTENTIEUX, facture.societe_id)
    releve = get_object_or_404(facture.interruptions.all(), pk=acte)
    try:
        annule = services.annuler_acte(releve, motif=request.POST.get("motif", ""), par=request.user)
    except ValidationError as refus:
        return _page(request, facture, annuler={"acte": releve.pk, "erreurs": refus.messages}, status=422)
    fait(request, _("Acte annulé ; il reste au journal.") if annule else _("Cet acte était déjà annulé."))
    return rediriger(request, reverse("contentieux:prescription", args=[facture.pk]))


@require_safe
@exige(Droit.VOIR)
def preuve(request, pk: int, acte: int):
    """La preuve telle que rangée, vérifiée à la lecture."""
    facture = facture_visible(request, pk)
    releve = get_object_or_404(facture.interruptions.exclude(preuve_chemin=""), pk=acte)
    try:
        octets = depot.lire(releve.preuve_chemin, releve.preuve_empreinte)
    except depot.ErreurDepot as panne:
        raise Http404(str(panne)) from panne
    suffixe = releve.preuve_chemin.rpartition(".")[2]
    mime = {"pdf": "application/pdf", "png": "image/png", "jpg": "image/jpeg"}[suffixe]
    nom = f"{facture.pk}-preuve-{releve.pk}.{suffixe}"
    return HttpResponse(octets, content_type=mime, headers={"Content-Disposition": f'inline; filename="{nom}"'})
