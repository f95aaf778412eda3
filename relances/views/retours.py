"""Après le dépôt : présentation, preuve, retours à la chaîne, correction, voie électronique, prestataire."""

from django.contrib import messages
from django.http import Http404, HttpResponse
from django.urls import reverse
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy, ngettext
from django.views.decorators.http import require_http_methods, require_POST

from recouvrement.commun import depot
from recouvrement.commun.horloge import aujourd_hui
from recouvrement.commun.vues import fait, rediriger, rendre
from recouvrement.comptes.courante import restreindre
from recouvrement.comptes.droits import Droit, exige, verifier_droit
from relances import avis
from relances.domaine import retours, suivis
from relances.domaine.natures import Canal
from relances.domaine.statuts import TransitionInterdite
from relances.formulaires_postes import (
    AvisForm,
    CorrectionForm,
    CorrigerSuiviForm,
    PresentationForm,
    PreuveForm,
    RetourALaChaineForm,
)
from relances.models import Courrier
from relances.recommandes import fournisseur
from relances.services import postes, remises
from relances.services import suivis as numeros
from relances.services.etats import Refus
from relances.services.receptions import issue_de

from .courriers import du_perimetre, geste, refuser, retour_a
from .listes import RETOURS

S = Courrier.Statut
TROP_TOT = gettext_lazy(
    "Non réclamé moins de quinze jours après sa présentation : La Poste garde un pli quinze jours. Vérifiez les dates."
)
DERNIERS = 10  # retours montrés sous la saisie à la chaîne
TYPES = {"pdf": "application/pdf", "png": "image/png", "jpg": "image/jpeg"}


@require_http_methods(["GET", "HEAD", "POST"])
@exige(Droit.ENVOYER)
def chaine(request):
    """Une enveloppe après l'autre : on choisit l'issue, on scanne, Entrée ; l'issue reste pour la suivante."""
    jour = aujourd_hui()
    visibles = restreindre(request, Courrier.objects.visibles_pour(request.user)).filter(canal=Canal.RECOMMANDE)
    initial = {"retour_le": jour, "retour": Courrier.Retour.DISTRIBUE}
    form = RetourALaChaineForm(request.POST or None, initial=initial)
    statut, dit = 200, ""
    if request.method == "POST":
        dit = _rendre_un(request, form, visibles, jour) if form.is_valid() else ""
        if dit:
            fait(request, dit)
            garde = {nom: form.cleaned_data[nom] for nom in ("retour", "retour_le", "presente_le")}
            form = RetourALaChaineForm(initial=garde)
        else:
            statut = 422
    rendus = visibles.exclude(retour="").select_related("client").order_by("-updated_at", "-pk")[:DERNIERS]
    contexte = {
        "form": form,
        "derniers": [_ligne(c) for c in rendus],
        "attendus": visibles.filter(statut=S.POSTE, retour="").count(),
        "effets": [(r.label, avis.EFFETS[retours.Issue(r.value)]) for r in Courrier.Retour],
        "annonce": dit,
        "fil": [(_("Retours d'avis"), retour_a("retours"))],
    }
    return rendre(request, "relances/retours.html", "relances/_retours.html", contexte, status=statut)


def _rendre_un(request, form, visibles, jour) -> str:
    """Écrit le retour du numéro scanné ; renvoie ce qui est fait, ou "" avec la faute sur le champ."""
    d = form.cleaned_data
    lu = suivis.lire(d["numero"])
    trouves = list(visibles.filter(numero_suivi=lu.numero).select_related("client", "societe")[:2]) if lu.numero else []
    if len(trouves) != 1:
        faute = (
            _("Plusieurs sociétés ont ce numéro : choisissez la vôtre en haut.")
            if trouves
            else _("%(numero)s n'est le numéro d'aucun recommandé.")
        )
        form.add_error("numero", faute % {"numero": suivis.lisible(lu.numero)})
        return ""
    courrier = trouves[0]
    verifier_droit(request.user, Droit.ENVOYER, courrier.societe_id)
    champs = {nom: d[nom] for nom in ("retour", "retour_le", "presente_le")}
    try:
        postes.consigner_retour(courrier, par=request.user, au=jour, **champs)
        prevenir(request, champs)
    except (Refus, TransitionInterdite) as raison:
        form.add_error("numero", f"{courrier.client} : {raison}")
        return ""
    noms = {"client": courrier.client, "retour": Courrier.Retour(d["retour"]).label.lower()}
    return _("%(client)s : %(retour)s.") % noms


def prevenir(request, saisi: dict) -> None:
    """Un pli « non réclamé » revenu trop tôt : la date ou l'issue est sans doute fausse."""
    dates = {nom: saisi.get(nom) for nom in ("presente_le", "retour_le")}
    if retours.rendu_trop_tot(saisi["retour"], **dates):
        messages.warning(request, TROP_TOT)


def prevenir_du_delai(request, courriers, depose_le) -> None:
    """Une lettre déposée bien après sa date donne moins de temps que ce qu'elle imprime."""
    if n := len(postes.dates_avant(courriers, depose_le=depose_le)):
        texte = ngettext(
            "%(n)s lettre déposée plus de deux jours ouvrés après sa date : sa date limite est raccourcie.",
            "%(n)s lettres déposées plus de deux jours ouvrés après leur date : leur date limite est raccourcie.",
            n,
        )
        messages.warning(request, texte % {"n": n})


def _ligne(c: Courrier) -> dict:
    return {
        "c": c,
        "numero": suivis.lisible(c.numero_suivi),
        "ton": avis.TONS_RETOUR[c.retour],
        "retour": RETOURS.get(c.retour, ""),
        "effet": avis.EFFETS[issue_de(c)],
    }


@require_POST
@exige(Droit.ENVOYER)
def presenter(request, pk: int):
    courrier = du_perimetre(request, pk)
    form = PresentationForm(request.POST)
    if not form.is_valid():
        return refuser(request, courrier, "presentation", form)
    return geste(
        request,
        courrier,
        lambda: postes.consigner_presentation(courrier, par=request.user, au=aujourd_hui(), **form.cleaned_data),
        _("Présentation enregistrée."),
        vers=reverse("relances:courrier", args=[pk]),
    )


@require_http_methods(["GET", "HEAD", "POST"])
@exige(Droit.VOIR)
def preuve(request, pk: int):
    """La preuve de dépôt, telle que jointe ; POST la joint, ou en joint une meilleure."""
    courrier = du_perimetre(request, pk)
    if request.method == "POST":
        verifier_droit(request.user, Droit.ENVOYER, courrier.societe_id)
        form = PreuveForm(request.POST, request.FILES)
        if not form.is_valid():
            return refuser(request, courrier, "preuve", form)
        fichier = form.cleaned_data["preuve"]
        return geste(
            request,
            courrier,
            lambda: postes.joindre(courrier, champ="depot", fichier=fichier, par=request.user),
            _("Preuve de dépôt jointe."),
            vers=reverse("relances:courrier", args=[pk]),
        )
    return fichier_joint(courrier.depot_chemin, courrier.depot_empreinte)


def fichier_joint(chemin: str, empreinte: str) -> HttpResponse:
    """Un scan rangé par empreinte. Lève Http404 s'il n'y en a pas ou s'il ne se relit pas."""
    try:
        octets = depot.lire(chemin, empreinte)
    except depot.ErreurDepot as raison:
        raise Http404(str(raison)) from raison
    return HttpResponse(octets, content_type=TYPES[chemin.rpartition(".")[2]])


@require_http_methods(["GET", "HEAD", "POST"])
@exige(Droit.VOIR)
def scan(request, pk: int):
    """Le scan de l'avis de réception, tel que joint ; POST le joint après coup."""
    courrier = du_perimetre(request, pk)
    if request.method == "POST":
        verifier_droit(request.user, Droit.ENVOYER, courrier.societe_id)
        form = AvisForm(request.POST, request.FILES)
        if not form.is_valid():
            return refuser(request, courrier, "avis", form)
        fichier = form.cleaned_data["scan"]
        return geste(
            request,
            courrier,
            lambda: postes.joindre(courrier, champ="avis", fichier=fichier, par=request.user),
            _("Avis joint."),
            vers=reverse("relances:courrier", args=[pk]),
        )
    return fichier_joint(courrier.avis_chemin, courrier.avis_empreinte)


@require_POST
@exige(Droit.ENVOYER)
def corriger(request, pk: int):
    """Un retour mal saisi se remplace, avec son motif ; l'ancien reste au journal."""
    courrier = du_perimetre(request, pk)
    form = CorrectionForm(request.POST, request.FILES, electronique=courrier.electronique)
    if not form.is_valid():
        return refuser(request, courrier, "correction", form)
    return geste(
        request,
        courrier,
        lambda: postes.corriger_retour(courrier, par=request.user, au=aujourd_hui(), **form.cleaned_data),
        _("Retour d'avis corrigé ; l'ancien reste au journal."),
        vers=reverse("relances:courrier", args=[pk]),
    )


@require_POST
@exige(Droit.ENVOYER)
def corriger_suivi(request, pk: int):
    """Un numéro faux se remplace après le dépôt, avec son motif ; l'ancien reste au journal."""
    courrier = du_perimetre(request, pk)
    form = CorrigerSuiviForm(request.POST)
    if not form.is_valid():
        return refuser(request, courrier, "suivi", form)
    dits = {nom: form.cleaned_data[nom] for nom in ("numero", "motif")}
    return geste(
        request,
        courrier,
        lambda: numeros.corriger(courrier, par=request.user, derogation=form.derogation, **dits),
        _("Numéro de suivi corrigé ; l'ancien reste au journal."),
        vers=reverse("relances:courrier", args=[pk]),
    )


@require_POST
@exige(Droit.ENVOYER)
def reclamer(request, pk: int):
    """Un avis qui tarde : une tâche demande de le réclamer à La Poste."""
    courrier = du_perimetre(request, pk)
    verifier_droit(request.user, Droit.ENVOYER, courrier.societe_id)
    if postes.reclamer(courrier, par=request.user, au=aujourd_hui()):
        fait(request, _("Tâche créée : réclamer l'avis à La Poste."))
    else:
        messages.error(request, _("Cet avis est déjà réclamé, ou n'est pas en retard."))
    return rediriger(request, retour_a("retours"))


@require_POST
@exige(Droit.ENVOYER)
def voie(request, pk: int):
    """Papier, ou électronique là où la loi l'admet."""
    courrier = du_perimetre(request, pk)
    electronique = request.POST.get("voie") == "electronique"
    options = {"electronique": electronique, "par": request.user, "au": aujourd_hui(), "fournisseur": fournisseur()}
    phrase = _("Il partira en recommandé électronique.") if electronique else _("Il partira sur papier.")
    return geste(
        request,
        courrier,
        lambda: remises.choisir_la_voie(courrier, **options),
        phrase,
        vers=reverse("relances:courrier", args=[pk]),
    )


@require_POST
@exige(Droit.ENVOYER)
def remettre(request, pk: int):
    """Le prestataire réglé prend le pli en charge, au plus une fois."""
    courrier = du_perimetre(request, pk)
    return geste(
        request,
        courrier,
        lambda: remises.remettre(courrier, par=request.user, au=aujourd_hui(), fournisseur=fournisseur()),
        _("Pli remis au prestataire."),
        vers=reverse("relances:courrier", args=[pk]),
    )


@require_POST
@exige(Droit.ENVOYER)
def relever(request, pk: int):
    """Demande au prestataire où en est le pli."""
    courrier = du_perimetre(request, pk)
    return geste(
        request,
        courrier,
        lambda: remises.relever(courrier, par=request.user, au=aujourd_hui(), fournisseur=fournisseur()),
        _("Suivi relevé."),
        vers=reverse("relances:courrier", args=[pk]),
    )
