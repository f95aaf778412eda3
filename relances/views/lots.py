"""Lots postaux : les préparer, les imprimer, numéroter leurs plis à la douchette, les déposer."""

from itertools import groupby

from django.conf import settings
from django.contrib import messages
from django.db.models import Count, Q
from django.http import Http404, HttpResponse
from django.shortcuts import get_object_or_404
from django.urls import reverse
from django.utils.translation import gettext as _
from django.utils.translation import ngettext
from django.views.decorators.http import require_POST, require_safe

from recouvrement.commun import depot, formats
from recouvrement.commun.horloge import aujourd_hui
from recouvrement.commun.pdf import PdfIndisponible
from recouvrement.commun.reveil import reveiller
from recouvrement.commun.vues import Liste, fait, rediriger, rendre
from recouvrement.comptes.courante import restreindre
from recouvrement.comptes.droits import Droit, exige, peut, verifier_droit
from relances import avis
from relances.domaine import suivis as formes
from relances.domaine.natures import Canal
from relances.domaine.statuts import TransitionInterdite
from relances.forms import ChoixForm
from relances.formulaires_postes import DeposerLotForm, NumeroForm, NumerosForm, SortirForm
from relances.models import Courrier, LotPostal
from relances.services import lots, postes, suivis
from relances.services.etats import Refus
from relances.tasks import composer_lot

from .courriers import retour_a
from .retours import prevenir_du_delai

S = Courrier.Statut
TONS = {LotPostal.Statut.PRET: "bon", LotPostal.Statut.EN_ERREUR: "mal"}
TRIS = {"lot": ["created_at", "numero"], "plis": ["n_plis"], "societe": ["societe__raison_sociale"]}


def _visibles(request):
    visibles = restreindre(request, LotPostal.objects.visibles_pour(request.user))
    return visibles.select_related("societe", "auteur")


def du_perimetre(request, pk: int) -> LotPostal:
    """Le lot, ou 404 si une seule de ses lettres n'est pas visible de la personne : on y agit sur toutes."""
    return get_object_or_404(LotPostal.objects.entiers_pour(request.user).select_related("societe", "auteur"), pk=pk)


def adresse(lot: LotPostal) -> str:
    return reverse("relances:lot", args=[lot.pk])


@require_safe
@exige(Droit.VOIR)
def liste(request):
    """Les lots, du plus récent au plus ancien, et ce qu'il en reste à poster."""
    dedans = Q(plis__sorti_le=None)
    attendus = Q(plis__courrier__statut=S.POSTE, plis__courrier__canal=Canal.RECOMMANDE, plis__courrier__retour="")
    comptes = _visibles(request).annotate(
        n_plis=Count("plis", filter=dedans),
        n_a_poster=Count("plis", filter=dedans & Q(plis__courrier__statut=S.A_POSTER)),
        n_attendus=Count("plis", filter=dedans & attendus),
    )
    lignes = Liste(request, comptes, tris=TRIS, defaut="-lot", par_page=25)
    contexte = {
        "liste": lignes,
        "lots": [(lot, TONS.get(lot.statut, "info")) for lot in lignes],
        "annonce": ngettext("%(n)s lot", "%(n)s lots", lignes.total) % {"n": formats.nombre(lignes.total)},
    }
    return rendre(request, "relances/lots.html", "relances/_lots.html", contexte)


@require_POST
@exige(Droit.ENVOYER)
def creer(request):
    """La sélection, ou tout ce qui est à poster, devient un lot par société."""
    visibles = restreindre(request, Courrier.objects.visibles_pour(request.user)).filter(statut=S.A_POSTER)
    if request.POST.get("tout"):
        choisis = lots.disponibles(visibles).order_by("client__raison_sociale", "pk")
    else:
        form = ChoixForm(request.POST, courriers=visibles)
        choisis = form.cleaned_data["choix"] if form.is_valid() else visibles.none()
    couples = list(choisis.order_by("societe", "client__raison_sociale", "pk").select_related("societe"))
    if not couples:
        messages.error(request, _("Choisissez au moins une lettre à mettre en lot."))
        return rediriger(request, retour_a("poster"))
    faits = []
    for societe, courriers in groupby(couples, key=lambda c: c.societe):
        verifier_droit(request.user, Droit.ENVOYER, societe.pk)
        demandes = [c.pk for c in courriers][: None if not request.POST.get("tout") else lots.PLIS_MAX]
        try:
            lot = lots.creer(societe, demandes, par=request.user)
        except Refus as raison:
            messages.error(request, str(raison))
            continue
        pris = lot.courriers.count()
        if pris < len(demandes):
            autres = {"n": len(demandes) - pris}
            messages.warning(request, _("%(n)s lettre(s) étaient déjà dans un lot, ou plus à poster.") % autres)
        _composer(lot, pris)
        faits.append(lot)
    if not faits:
        return rediriger(request, retour_a("poster"))
    return rediriger(request, adresse(faits[0]) if len(faits) == 1 else reverse("relances:lots"))


def _composer(lot: LotPostal, plis: int) -> None:
    """Un petit lot se fait sur place ; un gros attend le worker, ou se fait sur place si le courtier est muet."""
    if plis <= settings.LOT_SUR_PLACE or not reveiller(composer_lot, lot.pk):
        lots.composer(lot.pk, au=aujourd_hui())


@require_safe
@exige(Droit.VOIR)
def fiche(request, pk: int):
    """Un lot : sa progression, puis chaque pli, les numéros, le dépôt ; ceux d'un autre portefeuille se comptent."""
    visibles = LotPostal.objects.visibles_pour(request.user).select_related("societe", "auteur")
    return rendre_fiche(request, get_object_or_404(visibles, pk=pk))


def rendre_fiche(request, lot: LotPostal, *, status: int = 200, **formulaires):
    plis = list(lots.presents(lot))
    a_poster = [p for p in plis if p.courrier.statut == S.A_POSTER]
    a_numeroter = [p for p in a_poster if p.courrier.canal == Canal.RECOMMANDE]
    sans_numero = [p for p in a_numeroter if not p.courrier.numero_suivi]
    vus = set(Courrier.objects.visibles_pour(request.user).filter(plis__lot=lot).values_list("pk", flat=True))
    entier = LotPostal.objects.entiers_pour(request.user).filter(pk=lot.pk).exists()
    sortis = lot.plis.filter(sorti_le__isnull=False, courrier__in=vus).select_related("courrier__client", "sorti_par")
    depot_le = postes.depot_propose(aujourd_hui(), lot.societe.region_feries)
    contexte = {
        "lot": lot,
        "ton": TONS.get(lot.statut, "info"),
        "en_attente": lot.statut == LotPostal.Statut.EN_PREPARATION,
        "pret": lot.statut == LotPostal.Statut.PRET,
        "plis": [_ligne(p) | {"visible": p.courrier_id in vus} for p in plis],
        "entier": entier,
        "vieilles": len(postes.dates_avant([p.courrier for p in a_poster], depose_le=depot_le)),
        "n": len(plis),
        "sortis": list(sortis),
        "a_poster": a_poster,
        "a_numeroter": len(a_numeroter),
        "numerotes": len(a_numeroter) - len(sans_numero),
        "suivant": sans_numero[0] if sans_numero else None,
        "recommandes": any(p.courrier.canal == Canal.RECOMMANDE for p in plis),
        "peut_envoyer": entier and peut(request.user, Droit.ENVOYER, lot.societe_id),
        "form_numero": formulaires.get("numero") or NumeroForm(),
        "form_numeros": formulaires.get("numeros") or NumerosForm(),
        "form_depot": formulaires.get("depot") or DeposerLotForm(initial={"depose_le": depot_le}),
        "form_sortir": formulaires.get("sortir") or SortirForm(auto_id=False),
        "sortir_de": formulaires.get("sortir_de", 0),
        "apercu": formulaires.get("apercu", []),
        "fautes": sum(bool(x.faute) for x in formulaires.get("apercu", [])),
        "annonce": formulaires.get("annonce", ""),
        "fil": [(_("À imprimer et poster"), retour_a("poster")), (_("Lots postaux"), reverse("relances:lots"))],
    }
    return rendre(request, "relances/lot.html", "relances/_lot.html", contexte, status=status)


def _ligne(pli) -> dict:
    c = pli.courrier
    if c.retour:
        etat, ton = c.get_retour_display(), avis.TONS_RETOUR[c.retour]
    elif c.statut == S.POSTE:
        etat, ton = _("Déposé le %(jour)s") % {"jour": formats.jour(c.depose_le)}, "bon"
    elif c.canal == Canal.RECOMMANDE and not c.numero_suivi:
        etat, ton = _("Sans numéro"), "att"
    else:
        etat, ton = _("À déposer"), "info"
    return {
        "pli": pli,
        "c": c,
        "numero": formes.lisible(c.numero_suivi),
        "etat": etat,
        "ton": ton,
        "sortable": c.statut == S.A_POSTER,
    }


@require_POST
@exige(Droit.ENVOYER)
def reprendre(request, pk: int):
    """Compose ici un lot en erreur, ou que le worker n'a pas pris."""
    lot = du_perimetre(request, pk)
    verifier_droit(request.user, Droit.ENVOYER, lot.societe_id)
    if lots.reprendre(lot) and lots.composer(lot.pk, au=aujourd_hui()):
        fait(request, _("Lot prêt à imprimer."))
    return rediriger(request, adresse(lot))


def _pdf(octets: bytes, nom: str) -> HttpResponse:
    return HttpResponse(
        octets, content_type="application/pdf", headers={"Content-Disposition": f'attachment; filename="{nom}"'}
    )


@require_safe
@exige(Droit.VOIR)
def pdf(request, pk: int):
    """Le lot tel qu'imprimé la première fois, octet pour octet."""
    lot = du_perimetre(request, pk)
    if not lot.pdf_chemin:
        raise Http404
    try:
        octets = depot.lire(lot.pdf_chemin, lot.pdf_empreinte)
    except depot.ErreurDepot as raison:
        messages.error(request, str(raison))
        return rediriger(request, adresse(lot))
    return _pdf(octets, f"lot-{lot.numero}.pdf")


@require_safe
@exige(Droit.VOIR)
def bordereau(request, pk: int):
    """Le bordereau du jour, avec les numéros saisis depuis l'impression."""
    lot = du_perimetre(request, pk)
    try:
        octets = lots.bordereau_pdf(lot, au=aujourd_hui())
    except Refus as raison:
        messages.error(request, str(raison))
        return rediriger(request, adresse(lot))
    except PdfIndisponible as raison:
        return HttpResponse(str(raison), status=503, content_type="text/plain; charset=utf-8")
    return _pdf(octets, f"bordereau-lot-{lot.numero}.pdf")


@require_POST
@exige(Droit.ENVOYER)
def scanner(request, pk: int):
    """Un numéro de plus, pour le pli suivant ; la page revient, prête pour le prochain."""
    lot = du_perimetre(request, pk)
    verifier_droit(request.user, Droit.ENVOYER, lot.societe_id)
    form = NumeroForm(request.POST)
    if not form.is_valid():
        return rendre_fiche(request, lot, numero=form, status=422)
    try:
        ligne = suivis.scanner(lot, form.cleaned_data["numero"], par=request.user, derogation=form.derogation)
    except Refus as raison:
        form.add_error("numero", str(raison))
        return rendre_fiche(request, lot, numero=form, status=422, annonce=str(raison))
    noms = {"numero": ligne.lisible, "rang": ligne.pli.rang, "client": ligne.pli.courrier.client}
    phrase = _("Pli %(rang)s, %(client)s : %(numero)s.") % noms
    if ligne.alerte:
        messages.warning(request, f"{phrase} {ligne.alerte.capitalize()}.")
    else:
        fait(request, phrase)
    if request.htmx:
        return rendre_fiche(request, lot, annonce=phrase)
    return rediriger(request, adresse(lot))


@require_POST
@exige(Droit.ENVOYER)
def numeros(request, pk: int):
    """Un collage : d'abord ce qu'il écrirait, puis, confirmé, tout ou rien."""
    lot = du_perimetre(request, pk)
    verifier_droit(request.user, Droit.ENVOYER, lot.societe_id)
    form = NumerosForm(request.POST)
    if not form.is_valid():
        return rendre_fiche(request, lot, numeros=form, status=422)
    texte = form.cleaned_data["numeros"]
    try:
        if "appliquer" not in request.POST:
            lu = suivis.apercu(lot, texte, par=request.user, derogation=form.derogation)
            return rendre_fiche(request, lot, numeros=form, apercu=lu)
        n = suivis.appliquer(lot, texte, par=request.user, derogation=form.derogation)
    except Refus as raison:
        form.add_error("numeros", str(raison))
        return rendre_fiche(request, lot, numeros=form, status=422)
    fait(request, ngettext("%(n)s numéro enregistré.", "%(n)s numéros enregistrés.", n) % {"n": n})
    return rediriger(request, adresse(lot))


@require_POST
@exige(Droit.ENVOYER)
def deposer(request, pk: int):
    """Tout le lot est déposé ce jour-là, avec sa preuve, ou rien ne l'est."""
    lot = du_perimetre(request, pk)
    verifier_droit(request.user, Droit.ENVOYER, lot.societe_id)
    form = DeposerLotForm(request.POST, request.FILES)
    if not form.is_valid():
        return rendre_fiche(request, lot, depot=form, status=422)
    a_poster = list(lot.courriers.filter(statut=S.A_POSTER).select_related("societe"))
    try:
        n = lots.deposer(lot, par=request.user, au=aujourd_hui(), **form.cleaned_data)
    except (Refus, TransitionInterdite) as raison:
        form.add_error(None, str(raison))
        return rendre_fiche(request, lot, depot=form, status=422)
    prevenir_du_delai(request, a_poster, form.cleaned_data["depose_le"])
    fait(request, ngettext("%(n)s dépôt enregistré.", "%(n)s dépôts enregistrés.", n) % {"n": n})
    return rediriger(request, adresse(lot))


@require_POST
@exige(Droit.ENVOYER)
def refaire(request, pk: int):
    """Les lettres qui ont vieilli sortent du lot et se refont à la date du jour."""
    lot = du_perimetre(request, pk)
    verifier_droit(request.user, Droit.ENVOYER, lot.societe_id)
    try:
        n = lots.refaire(lot, par=request.user, au=aujourd_hui())
    except (Refus, TransitionInterdite) as raison:
        messages.error(request, str(raison))
    else:
        texte = ngettext(
            "%(n)s lettre se refait à la date du jour : mettez-la dans un nouveau lot.",
            "%(n)s lettres se refont à la date du jour : mettez-les dans un nouveau lot.", n,
        )  # fmt: skip
        fait(request, texte % {"n": n})
    return rediriger(request, adresse(lot))


@require_POST
@exige(Droit.ENVOYER)
def retirer(request, pk: int, courrier: int):
    """Un pli sort du lot, avec son motif ; le fichier imprimé, lui, ne change pas."""
    lot = du_perimetre(request, pk)
    verifier_droit(request.user, Droit.ENVOYER, lot.societe_id)
    pli = get_object_or_404(Courrier.objects.visibles_pour(request.user), pk=courrier, plis__lot=lot)
    form = SortirForm(request.POST, auto_id=False)
    if not form.is_valid():
        return rendre_fiche(request, lot, sortir=form, sortir_de=pli.pk, status=422)
    try:
        lots.retirer_pli(lot, pli, motif=form.cleaned_data["motif"], par=request.user)
    except Refus as raison:
        messages.error(request, str(raison))
    else:
        fait(request, _("Pli sorti du lot : il peut rejoindre un autre."))
    return rediriger(request, adresse(lot))
