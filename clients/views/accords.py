"""Les accords écrits : la liste, la fiche de l'un d'eux, et ce qui le fait avancer jusqu'à la signature."""

from decimal import Decimal

from django.contrib import messages
from django.core.exceptions import ValidationError
from django.db.models import Count, Q
from django.http import Http404, HttpResponse
from django.shortcuts import get_object_or_404, render
from django.urls import reverse
from django.utils.translation import gettext as _
from django.views.decorators.http import require_POST, require_safe

from clients.documents import ajouter_document
from clients.forms import MotifForm
from factures.domaine.mensualites import Etat
from factures.models import Accord
from factures.services.accords import de_l_accord
from factures.services.echeanciers import suivis
from recouvrement.commun import depot
from recouvrement.commun.horloge import aujourd_hui
from recouvrement.commun.pdf import PdfIndisponible
from recouvrement.commun.vues import Liste, fait, onglets, rediriger, rendre, valeur_parmi
from recouvrement.comptes.droits import Droit, exige, peut, verifier_droit
from relances.models import Message
from relances.services import accords, accords_pdf
from relances.services.accords_envoi import envoyer_a_signer
from relances.services.accords_nuit import noter_sommation
from relances.services.messages import annuler_message

from .accords_formulaires import SignatureForm, SommationForm
from .echeanciers import PUCES
from .fiche import TONS_ECRIT
from .volets import reporter

S = Accord.Statut
ZERO = Decimal("0.00")
ONGLETS = {
    "a_approuver": (S.A_APPROUVER,), "a_signer": (S.PROPOSE,), "en_cours": (S.SIGNE,),
    "conclus": (S.EXECUTE, S.CADUC, S.ROMPU, S.REFUSE, S.ANNULE),
}  # fmt: skip
TRIS = {
    "client": ("client__raison_sociale",), "montant": ("montant",), "propose": ("propose_le",),
    "limite": ("expire_le",),
}  # fmt: skip


@require_safe
@exige(Droit.VOIR)
def liste(request):
    """Les accords de son périmètre, par état. Quatre requêtes."""
    visibles = Accord.objects.visibles_pour(request.user)
    comptes = visibles.order_by().aggregate(**{nom: Count("pk", Q(statut__in=s)) for nom, s in ONGLETS.items()})
    etat = valeur_parmi(request, "etat", ONGLETS)
    noms = (_("À approuver"), _("À signer"), _("En cours"), _("Conclus"))
    lignes = visibles.filter(statut__in=ONGLETS[etat]).select_related("client", "auteur")
    contexte = {
        "liste": Liste(request, lignes, tris=TRIS, defaut="limite" if etat != "conclus" else "-propose"),
        "etats": onglets(request, "etat", [(v, n, comptes[v]) for v, n in zip(ONGLETS, noms, strict=True)]),
        "etat": etat,
        "administre": peut(request.user, Droit.ADMINISTRER),
    }  # fmt: skip
    for ligne in contexte["liste"]:
        ligne.ton = TONS_ECRIT.get(ligne.statut, "")
    return rendre(request, "clients/accords.html", "clients/_accords.html", contexte)


def _accord(request, pk: int, accord: int, droit: Droit | None = None) -> Accord:
    visibles = Accord.objects.visibles_pour(request.user).select_related(
        "client__societe", "client__gestionnaire", "auteur", "approuve_par", "echeancier", "exemplaire",
        "facture_nouvelle",
    )  # fmt: skip
    lu = get_object_or_404(visibles, pk=accord, client=pk)
    if droit:
        verifier_droit(request.user, droit, lu.client.societe_id)
    return lu


@require_safe
@exige(Droit.VOIR)
def accord(request, pk: int, accord: int):
    """Où en est l'accord, ce qu'il dit, et ce qui reste à faire."""
    return _montrer(request, _accord(request, pk, accord))


def _montrer(request, x: Accord, *, signature=None, motif=None, status: int = 200):
    au, societe = aujourd_hui(), x.client.societe_id
    agit, decide = peut(request.user, Droit.AGIR, societe), peut(request.user, Droit.LEVER_FREIN, societe)
    lignes = suivis([x.echeancier], au=au)[x.echeancier_id] if x.echeancier else []
    sommations = x.termes.get("sommations", {})
    a_sommer = next((r for r, s in enumerate(lignes, 1) if s.etat is Etat.MANQUEE and str(r) not in sommations), None)
    contexte = {
        "client": x.client, "accord": x, "ton": TONS_ECRIT.get(x.statut, ""), "termes": de_l_accord(x), "au": au,
        "pieces": x.echeances.select_related("facture").order_by("date_echeance", "pk"),
        "suivis": [(s, *PUCES[s.etat]) for s in lignes], "net": x.montant - x.remise,
        "envois": list(Message.objects.filter(accord=x).order_by("pk")), "avoirs": list(x.avoirs.all()),
        "signature": signature or SignatureForm(initial={"le": au}), "form": motif or MotifForm(),
        "sommation": SommationForm(initial={"rang": a_sommer, "le": au}) if a_sommer and x.statut == S.SIGNE else None,
        "peut_agir": agit, "decide": decide and x.statut == S.A_APPROUVER and x.auteur_id != request.user.pk,
        "refusable": x.statut == S.PROPOSE and agit,
        "annulable": agit and x.statut in Accord.EN_COURS, "perime": x.expire_le < au,
    }  # fmt: skip
    return render(request, "clients/accord.html", contexte, status=status)


def _vers(request, x: Accord):
    return rediriger(request, reverse("clients:accord", args=[x.client_id, x.pk]))


def _dire(request, erreur: ValidationError) -> None:
    messages.error(request, " ".join(erreur.messages))


@require_safe
@exige(Droit.VOIR)
def pdf(request, pk: int, accord: int):
    """Le fichier figé, vérifié ; un accord qui attend son approbation se lit en projet."""
    x = _accord(request, pk, accord)
    try:
        octets = depot.lire(x.pdf_chemin, x.pdf_empreinte) if x.pdf_empreinte else accords_pdf.apercevoir(x)
    except PdfIndisponible as erreur:
        return HttpResponse(str(erreur), status=503, content_type="text/plain; charset=utf-8")
    except depot.ErreurDepot as erreur:
        raise Http404(str(erreur)) from erreur
    return _fichier(octets, f"accord-{x.reference}.pdf", "application/pdf")


@require_safe
@exige(Droit.VOIR)
def exemplaire(request, pk: int, accord: int):
    x = _accord(request, pk, accord)
    if x.exemplaire is None:
        raise Http404
    try:
        octets = depot.lire(x.exemplaire.chemin, x.exemplaire.empreinte)
    except depot.ErreurDepot as erreur:
        raise Http404(str(erreur)) from erreur
    suffixe = x.exemplaire.chemin.rpartition(".")[2]
    return _fichier(octets, f"{x.reference}-signe.{suffixe}", x.exemplaire.type_mime)


def _fichier(octets: bytes, nom: str, mime: str) -> HttpResponse:
    entetes = {"Content-Disposition": f'attachment; filename="{nom}"', "X-Content-Type-Options": "nosniff"}
    return HttpResponse(octets, content_type=mime, headers=entetes)


@require_POST
@exige(Droit.LEVER_FREIN)
def approuver(request, pk: int, accord: int):
    x = _accord(request, pk, accord, Droit.LEVER_FREIN)
    try:
        if accords.approuver(x, acteur=request.user, au=aujourd_hui()):
            fait(request, _("Accord approuvé : il est à signer."))
        else:
            messages.info(request, _("Cet accord n'attendait plus d'approbation."))
    except ValidationError as erreur:
        _dire(request, erreur)
    return _vers(request, x)


@require_POST
@exige(Droit.AGIR)
def refuser(request, pk: int, accord: int):
    return _clore(request, pk, accord, accords.refuser, _("Accord refusé."))


@require_POST
@exige(Droit.AGIR)
def annuler(request, pk: int, accord: int):
    return _clore(request, pk, accord, accords.annuler, _("Accord annulé : ses pièces rentrent à leur niveau."))


def _clore(request, pk: int, accord: int, geste, dit: str):
    x = _accord(request, pk, accord, Droit.AGIR)
    form = MotifForm(request.POST)
    if not form.is_valid():
        return _montrer(request, x, motif=form, status=422)
    try:
        if geste(x, motif=form.cleaned_data["motif"], acteur=request.user, au=aujourd_hui()):
            fait(request, dit)
        else:
            messages.info(request, _("Cet accord avait déjà changé d'état : rien n'est écrit."))
    except ValidationError as erreur:
        _dire(request, erreur)
    return _vers(request, x)


@require_POST
@exige(Droit.ENVOYER)
def envoyer(request, pk: int, accord: int):
    """Le courriel part dix secondes plus tard ; d'ici là, il se défait."""
    x = _accord(request, pk, accord, Droit.ENVOYER)
    try:
        message = envoyer_a_signer(x, au=aujourd_hui(), acteur=request.user)
    except ValidationError as erreur:
        _dire(request, erreur)
    except PdfIndisponible as erreur:
        messages.error(request, str(erreur))
    else:
        defaire = reverse("clients:accord_envoi_annuler", args=[x.client_id, x.pk, message.pk])
        fait(request, _("Accord envoyé à %(adresse)s.") % {"adresse": message.destinataire}, annuler=defaire)
    return _vers(request, x)


@require_POST
@exige(Droit.ENVOYER)
def envoi_annuler(request, pk: int, accord: int, message: int):
    x = _accord(request, pk, accord, Droit.ENVOYER)
    envoi = get_object_or_404(Message.objects.select_related("societe"), pk=message, accord=x)
    if annuler_message(envoi, acteur=request.user):
        fait(request, _("Envoi annulé."))
    else:
        messages.info(request, _("Trop tard : le courriel est parti."))
    return _vers(request, x)


@require_POST
@exige(Droit.AGIR)
def signer(request, pk: int, accord: int):
    """L'exemplaire papier signé : le fichier est gardé, même si la signature se refuse."""
    x = _accord(request, pk, accord, Droit.AGIR)
    form = SignatureForm(request.POST, request.FILES)
    if form.is_valid():
        d, fichier = form.cleaned_data, form.cleaned_data["exemplaire"]
        try:
            document, _neuf = ajouter_document(
                x.client, octets=fichier.read(), nom=fichier.name, acteur=request.user,
                titre=_("Accord %(accord)s signé") % {"accord": x.reference},
            )  # fmt: skip
            accords.signer(
                x, signature=Accord.Signature.PAPIER, nom=d["nom"], qualite=d["qualite"], le=d["le"], au=aujourd_hui(),
                acteur=request.user, exemplaire=document,
            )  # fmt: skip
        except ValidationError as erreur:
            reporter(form, erreur)
        else:
            fait(request, _("Signature enregistrée : l'accord prend effet."))
            return _vers(request, x)
    return _montrer(request, x, signature=form, status=422)


@require_POST
@exige(Droit.AGIR)
def sommer(request, pk: int, accord: int):
    """Une mise en demeure partie par lettre, limitée à la mensualité."""
    x = _accord(request, pk, accord, Droit.AGIR)
    form = SommationForm(request.POST)
    if form.is_valid():
        try:
            noter_sommation(x, **form.cleaned_data, au=aujourd_hui(), acteur=request.user)
            fait(request, _("Mise en demeure notée."))
        except ValidationError as erreur:
            _dire(request, erreur)
    else:
        messages.error(request, _("Dites le jour où elle est partie."))
    return _vers(request, x)
