"""Gestes du rapprochement : accepter, écarter, défaire, recalculer ; tous les certains d'un coup, après aperçu."""

from django.contrib import messages
from django.core.exceptions import PermissionDenied, ValidationError
from django.shortcuts import get_object_or_404, render
from django.urls import reverse
from django.utils.translation import gettext as _
from django.utils.translation import ngettext
from django.views.decorators.http import require_http_methods, require_POST

from clients.models import Client
from factures.forms_rapprochement import EcarterForm, affectation_saisie
from factures.models import MouvementBancaire, SuggestionRapprochement
from factures.services.rapprochement import perimees, suggerer
from factures.services.rapprochement_certains import accepter_les_certains, accepter_suggestion, certains
from factures.services.rapprochement_gestes import accepter, defaire, deja_fait, ignorer
from recouvrement.commun import formats
from recouvrement.commun.horloge import aujourd_hui
from recouvrement.commun.vues import entier, fait, rediriger
from recouvrement.comptes.courante import societe_courante
from recouvrement.comptes.droits import Droit, exige, societes_pour, verifier_droit

from . import rapprochement_phrases as mots
from .rapprochement import ecran, formulaire, total_certain


def _mouvement(request, pk: int) -> MouvementBancaire:
    visibles = MouvementBancaire.objects.visibles_pour(request.user).select_related("societe", "compte")
    m = get_object_or_404(visibles, pk=pk)
    verifier_droit(request.user, Droit.AGIR, m.societe_id)
    return m


def _clients(request, societe_id: int):
    return Client.objects.visibles_pour(request.user).filter(societe=societe_id)


def _suite(request, m: MouvementBancaire) -> str:
    """La file telle qu'elle était, sur le mouvement suivant s'il est dit."""
    suite = request.POST.get("suite", "")
    return reverse("factures:rapprochement") + (suite if suite.startswith("?") and len(suite) < 2_000 else "")


@require_POST
@exige(Droit.AGIR)
def accepter_mouvement(request, pk: int):
    """Fait ce qui est proposé (« déjà enregistré », rejet) ou ce qui est saisi ; refusée, la saisie revient (422)."""
    m = _mouvement(request, pk)
    clients = _clients(request, m.societe_id)
    if (cle := entier(request.POST.get("suggestion"), maximum=2**62)) is not None:
        return _accepter_telle_quelle(request, m, cle, clients)
    if (client := entier(request.POST.get("client"), maximum=2**62)) is None:
        messages.error(request, _("Choisissez d'abord un client."))
        return rediriger(request, f"{reverse('factures:rapprochement')}?v={m.pk}")
    client = get_object_or_404(clients, pk=client)
    if m.reparti and (saisie := affectation_saisie(client, request.POST)):
        try:
            if deja_fait(m, [saisie]):  # double clic, second onglet : une fois suffit
                return rediriger(request, _suite(request, m))
        except ValidationError as refus:
            messages.error(request, " ".join(refus.messages))
            return rediriger(request, f"{reverse('factures:rapprochement')}?v={m.pk}")
    form = formulaire(m, client, request.POST)
    if form.is_valid():
        try:
            accepter(m, [form.affectation()], au=aujourd_hui(), acteur=request.user)
        except ValidationError as refus:
            form.add_error(None, refus.messages)
        else:
            montant = formats.somme(form.cleaned_data["montant"], m.devise)
            texte = _("%(montant)s affectés à %(client)s.") % {"montant": montant, "client": client}
            fait(request, texte, annuler=reverse("factures:rapprochement_defaire", args=[m.pk]))
            return rediriger(request, _suite(request, m))
    return ecran(request, choisi=m, form=form, status=422)


def _accepter_telle_quelle(request, m: MouvementBancaire, cle: int, clients):
    s = SuggestionRapprochement.objects.filter(pk=cle, mouvement=m).select_related("mouvement", "client").first()
    if s is None or perimees([s]):
        messages.info(request, _("Cette proposition n'est plus à jour : mouvement traité, ou pièces payées."))
        return rediriger(request, f"{reverse('factures:rapprochement')}?v={m.pk}")
    get_object_or_404(clients, pk=s.client_id)
    try:
        accepter_suggestion(s, au=aujourd_hui(), acteur=request.user)
    except ValidationError as refus:
        messages.error(request, " ".join(refus.messages))
        return rediriger(request, f"{reverse('factures:rapprochement')}?v={m.pk}")
    texte = (
        _("Rejet constaté : ses factures sont de nouveau dues.") if "rejet" in s.parts else _("Mouvement rapproché.")
    )
    fait(request, texte, annuler=reverse("factures:rapprochement_defaire", args=[m.pk]))
    return rediriger(request, _suite(request, m))


@require_POST
@exige(Droit.AGIR)
def ecarter(request, pk: int):
    m = _mouvement(request, pk)
    form = EcarterForm(request.POST)
    try:
        ignorer(m, motif=form.cleaned_data["motif"] if form.is_valid() else "", acteur=request.user)
    except ValidationError as refus:
        messages.error(request, " ".join(refus.messages))
        return rediriger(request, f"{reverse('factures:rapprochement')}?v={m.pk}")
    fait(request, _("Mouvement écarté."), annuler=reverse("factures:rapprochement_defaire", args=[m.pk]))
    return rediriger(request, _suite(request, m))


@require_POST
@exige(Droit.AGIR)
def defaire_mouvement(request, pk: int):
    m = _mouvement(request, pk)
    siens = {e.client_id for e in m.encaissements.all()} | ({m.rejet_de.client_id} if m.rejet_de_id else set())
    if len(siens) != _clients(request, m.societe_id).filter(pk__in=siens).count():
        raise PermissionDenied(_("Une part de ce mouvement est à un client d'un autre portefeuille."))
    try:
        if defaire(m, au=aujourd_hui(), acteur=request.user):
            suggerer(m.societe, mouvements=[m.pk])
            fait(request, _("Mouvement de nouveau à rapprocher."))
    except ValidationError as refus:
        messages.error(request, " ".join(refus.messages))
    return rediriger(request, f"{reverse('factures:rapprochement')}?v={m.pk}")


@require_POST
@exige(Droit.AGIR)
def recalculer(request):
    """Refait les propositions de ce qui attend, d'après les pièces ouvertes de maintenant."""
    lus = sum(suggerer(societe) for societe in _societes(request))
    texte = ngettext("%(n)s mouvement relu.", "%(n)s mouvements relus.", lus) % {"n": formats.nombre(lus)}
    fait(request, texte)
    return rediriger(request, reverse("factures:rapprochement"))


def _societes(request) -> list:
    """La société courante, ou toutes celles où la personne agit."""
    agies = societes_pour(request.user, Droit.AGIR)
    courante = societe_courante(request)
    return list(agies.filter(pk=courante.pk) if courante else agies)


@require_http_methods(["GET", "HEAD", "POST"])
@exige(Droit.AGIR)
def les_certains(request):
    """Aperçu de ce qui est certain, cases cochées ; puis tout ce qui reste coché se rapproche."""
    societes = _societes(request)
    if request.method == "POST":
        choisies = [pk for lu in request.POST.getlist("m")[:1_000] if (pk := entier(lu, maximum=2**62)) is not None]
        faits, refus = 0, []
        for societe in societes:
            n, dits = accepter_les_certains(
                societe, au=aujourd_hui(), acteur=request.user, choisies=choisies,
                clients=Client.objects.visibles_pour(request.user),
            )  # fmt: skip
            faits, refus = faits + n, refus + dits
        if faits:
            texte = ngettext("%(n)s mouvement rapproché.", "%(n)s mouvements rapprochés.", faits)
            fait(request, texte % {"n": formats.nombre(faits)})
        for dit in refus[:5]:
            messages.error(request, dit)
        return rediriger(request, reverse("factures:rapprochement"))
    visibles = Client.objects.visibles_pour(request.user)
    suggestions = [s for societe in societes for s in certains(societe, visibles)]
    contexte = {
        "lignes": [(s, mots.phrases(s.raisons, s.mouvement.devise)) for s in suggestions],
        "totaux": " + ".join(formats.somme(total, devise) for devise, total in total_certain(suggestions).items()),
        "url_file": reverse("factures:rapprochement"),
    }
    return render(request, "factures/rapprochement_certains.html", contexte)
