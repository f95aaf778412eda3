"""Gestes, fichiers et ouverture d'un dossier : un POST, un service, un retour sur la fiche."""

from tempfile import SpooledTemporaryFile

from django.contrib import messages
from django.core.exceptions import ValidationError
from django.http import FileResponse, Http404, HttpResponse
from django.shortcuts import get_object_or_404
from django.urls import reverse
from django.utils.text import slugify
from django.utils.translation import gettext as _
from django.views.decorators.http import require_http_methods, require_POST, require_safe

from clients.models import Client
from contentieux import services
from contentieux.forms import OuvertureForm
from recouvrement.commun import depot
from recouvrement.commun.formats import somme
from recouvrement.commun.horloge import aujourd_hui
from recouvrement.commun.pdf import PdfIndisponible
from recouvrement.commun.vues import fait, rediriger, rendre
from recouvrement.comptes.droits import Droit, exige, verifier_droit
from relances.services.decomptes import etablir, reglees_au_principal

from .fiche import Vue, dossier_visible, geste_demande, rendre_fiche

EN_MEMOIRE = 8 * 1024 * 1024  # octets ; au-delà, le zip passe sur le disque


@require_POST
@exige(Droit.CONTENTIEUX)
def geste(request, societe: str, reference: str, geste: str):
    """Joue un geste ; refusé, son volet revient avec la saisie et ses erreurs (422)."""
    dossier = dossier_visible(request, societe, reference)
    verifier_droit(request.user, Droit.CONTENTIEUX, dossier.societe_id)
    vue = Vue(request, dossier, au=aujourd_hui())
    demande, piece = geste_demande(vue, geste, request.GET.get("piece", ""))
    form = demande.forme(request.POST, request.FILES, dossier=dossier, au=vue.au, piece=piece)
    if form.is_valid():
        try:
            phrase = demande.jouer(dossier, form, request.user, vue.au)
        except ValidationError as refus:
            reporter(form, refus)
        except PdfIndisponible as panne:
            form.add_error(None, str(panne))
        else:
            fait(request, phrase)
            url = dossier.get_absolute_url()
            return rediriger(request, f"{url}?o={demande.onglet}" if demande.onglet else url)
    return rendre_fiche(request, vue, nom=geste, form=form, piece=piece, status=422)


def reporter(form, refus: ValidationError) -> None:
    """Les refus du service, à leur champ quand le formulaire l'a."""
    if hasattr(refus, "error_dict"):
        for champ, erreurs in refus.message_dict.items():
            form.add_error(champ if champ in form.fields else None, erreurs)
    else:
        form.add_error(None, refus.messages)


@require_http_methods(["GET", "HEAD", "POST"])
@exige(Droit.CONTENTIEUX)
def ouvrir(request, pk: int):
    """Ce que l'on peut porter au contentieux pour ce client, et la décision d'ouvrir."""
    clients = Client.objects.visibles_pour(request.user).select_related("societe")
    client = get_object_or_404(clients, pk=pk)
    verifier_droit(request.user, Droit.CONTENTIEUX, client.societe_id)
    au = aujourd_hui()
    voie = services.voie_de(client)
    examen = services.examiner(client, au=au, voie=voie)
    admises = [c.echeance.pk for c in examen.candidates if not c.refus and not c.derogeables]
    form = OuvertureForm(request.POST or None, examen=examen, initial={"echeances": admises})
    if request.method == "POST" and form.is_valid():
        try:
            dossier = services.ouvrir_dossier(client, form.cleaned_data.pop("echeances"), par=request.user, au=au,
                                              voie=voie, **form.cleaned_data)  # fmt: skip
        except ValidationError as refus:
            reporter(form, refus)
        else:
            fait(request, _("Dossier %(r)s ouvert.") % {"r": dossier.reference})
            return rediriger(request, dossier.get_absolute_url())
    status = 422 if form.errors else 200
    contexte = {
        "client": client, "examen": examen, "form": form, "au": au, "mandatement": voie == "mandatement",
        "reglees": _reglees(client, au),
    }  # fmt: skip
    return rendre(request, "contentieux/ouvrir.html", "contentieux/ouvrir.html", contexte, status=status)


def _reglees(client: Client, au) -> list[tuple[int, str]]:
    """(échéances, accessoires restants) des pièces réglées au principal, par devise : le dossier ne les prend pas."""
    lignes = [(reglees_au_principal(d), d.devise) for d in etablir(client, au=au, reglees=True, avec_credits=False)]
    return [(len(xs), somme(sum(x.calcul.total for x in xs), devise)) for xs, devise in lignes if xs]


@require_safe
@exige(Droit.CONTENTIEUX)
def declaration(request, pk: int):
    """Le projet de déclaration de créance, recalculé à chaque demande."""
    clients = Client.objects.visibles_pour(request.user).select_related("societe", "gestionnaire")
    client = get_object_or_404(clients, pk=pk)
    verifier_droit(request.user, Droit.CONTENTIEUX, client.societe_id)
    devises = set(client.echeances.order_by().values_list("devise", flat=True))
    devise = request.GET.get("devise", "EUR")
    try:
        octets = services.projet_de_declaration(client, au=aujourd_hui(), devise=devise if devise in devises else "EUR")
    except (ValidationError, PdfIndisponible) as refus:
        texte = " ".join(refus.messages) if isinstance(refus, ValidationError) else str(refus)
        messages.error(request, texte)
        return rediriger(request, reverse("contentieux:ouvrir", args=[client.pk]))
    return _inline(octets, f"{slugify(client.code)}-declaration-projet.pdf", "application/pdf")


# --- Fichiers ------------------------------------------------------------------------------------


@require_safe
@exige(Droit.VOIR)
def piece(request, societe: str, reference: str, piece: int):
    """Le fichier d'une pièce, vérifié à la lecture."""
    dossier = dossier_visible(request, societe, reference)
    trouvee = next((p for p in dossier.pieces.all() if p.pk == piece and p.chemin), None)
    if trouvee is None:
        raise Http404
    nom = f"{dossier.reference}-{trouvee.numero:02d}-{slugify(trouvee.designation)[:60]}"
    return _fichier(request, dossier, trouvee.chemin, trouvee.empreinte, nom, trouvee.type_mime)


@require_safe
@exige(Droit.VOIR)
def requete(request, societe: str, reference: str):
    """Le dernier projet de requête produit."""
    dossier = dossier_visible(request, societe, reference)
    if not dossier.requete_chemin:
        raise Http404
    nom = f"{dossier.reference}-requete-projet"
    return _fichier(request, dossier, dossier.requete_chemin, dossier.requete_empreinte, nom, "application/pdf")


@require_safe
@exige(Droit.EXPORTER)
def decompte(request, societe: str, reference: str):
    """Le décompte arrêté, en PDF, recalculé à chaque demande."""
    dossier = dossier_visible(request, societe, reference)
    verifier_droit(request.user, Droit.EXPORTER, dossier.societe_id)
    compte = services.compter(dossier)
    try:
        if not compte.calculable:
            raise ValidationError(services.refus_du_calcul(compte))
        octets = services.rendre_decompte(dossier, au=aujourd_hui())
    except (ValidationError, PdfIndisponible) as refus:
        return _refuser(request, dossier, refus)
    return _inline(octets, f"{dossier.reference}-decompte.pdf", "application/pdf")


@require_safe
@exige(Droit.EXPORTER)
def archive(request, societe: str, reference: str):
    """Le dossier entier en un zip (exigence 35)."""
    dossier = dossier_visible(request, societe, reference)
    verifier_droit(request.user, Droit.EXPORTER, dossier.societe_id)
    sortie = SpooledTemporaryFile(max_size=EN_MEMOIRE)  # noqa: SIM115 - FileResponse le ferme
    try:
        services.archiver(dossier, sortie, au=aujourd_hui())
    except ValidationError as refus:
        sortie.close()
        return _refuser(request, dossier, refus)
    return FileResponse(sortie, as_attachment=True, filename=f"{dossier.reference}.zip", content_type="application/zip")


def _fichier(request, dossier, chemin: str, empreinte: str, nom: str, mime: str):
    try:
        octets = depot.lire(chemin, empreinte)
    except depot.ErreurDepot as panne:
        return _refuser(request, dossier, panne)
    return _inline(octets, f"{nom}.{chemin.rpartition('.')[2]}", mime)


def _inline(octets: bytes, nom: str, mime: str) -> HttpResponse:
    type_ = f"{mime}; charset=utf-8" if mime.startswith("text/") else mime
    return HttpResponse(octets, content_type=type_, headers={"Content-Disposition": f'inline; filename="{nom}"'})


def _refuser(request, dossier, raison) -> HttpResponse:
    """Retour à la fiche avec la raison : jamais un fichier faux."""
    texte = " ".join(raison.messages) if isinstance(raison, ValidationError) else str(raison)
    messages.error(request, texte)
    return rediriger(request, dossier.get_absolute_url())
