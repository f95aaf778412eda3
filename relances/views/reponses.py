"""Écran « Réponses » : ce que les clients ont écrit, ce que les serveurs ont rejeté, et les suites en un geste."""

from django.contrib import messages
from django.core.exceptions import ValidationError
from django.db.models import Count, Q
from django.shortcuts import get_object_or_404
from django.urls import reverse
from django.utils.translation import gettext as _
from django.utils.translation import ngettext
from django.views.decorators.http import require_POST, require_safe

from clients.models import Client
from recouvrement.commun import formats
from recouvrement.commun.horloge import aujourd_hui
from recouvrement.commun.vues import Liste, entier, fait, onglets, rediriger, rendre, texte, valeur_parmi
from recouvrement.comptes.courante import restreindre
from recouvrement.comptes.droits import Droit, exige, peut, verifier_droit
from relances.formulaires_reponses import RattacherAuForm, RattacherForm, RemettreForm, RepondreForm
from relances.models import Message, MessageRecu
from relances.services import messages as sortants
from relances.services import reponses as service
from relances.services import sorts
from relances.services.effets_reponses import A_CONFIRMER

C, S = MessageRecu.Categorie, MessageRecu.Statut
REJETS = (C.REJET, C.REJET_PASSAGER, C.PLAINTE)
VUES = ("a_lire", "trier", "rejets", "toutes", "messages")
TONS = {
    C.REPONSE: "info", C.ABSENCE: "vide", C.REJET: "mal", C.REJET_PASSAGER: "att", C.PLAINTE: "mal",
    C.OPPOSITION: "att", C.REMIS: "bon", C.AUTRE: "",
}  # fmt: skip
COURANTS = frozenset(
    "gmail.com hotmail.com hotmail.fr outlook.com outlook.fr orange.fr wanadoo.fr free.fr sfr.fr laposte.net yahoo.com "
    "yahoo.fr icloud.com live.fr".split()
)
PROPOSES = 5


def _visibles(request):
    return restreindre(request, MessageRecu.objects.visibles_pour(request.user))


def _messages(request):
    """Nos messages hors de l'échelle qu'une personne doit voir : sort inconnu, en erreur."""
    visibles = Message.objects.visibles_pour(request.user).filter(statut__in=sorts.A_VOIR)
    return restreindre(request, visibles)


def _filtre(vue: str) -> Q:
    return {
        "a_lire": Q(statut=S.A_LIRE),
        "trier": Q(statut=S.A_LIRE, client=None),
        "rejets": Q(categorie__in=REJETS),
        "toutes": Q(),
    }[vue]


def adresse_de(vue: str = "a_lire", choix: int | None = None) -> str:
    return f"{reverse('relances:reponses')}?v={vue}{f'&choix={choix}' if choix else ''}"


@require_safe
@exige(Droit.VOIR)
def reponses(request):
    """La liste à gauche, le courriel choisi à droite ; tout l'état est dans l'adresse."""
    return _page(request)


@require_safe
@exige(Droit.VOIR)
def recu(request, pk: int):
    """Un courriel reçu, ouvert dans sa liste : où mènent Ma journée et la chronologie."""
    trouve = get_object_or_404(MessageRecu.objects.visibles_pour(request.user), pk=pk)
    return rediriger(request, adresse_de("a_lire" if trouve.statut == S.A_LIRE else "toutes", pk))


@require_safe
@exige(Droit.VOIR)
def envoye(request, pk: int):
    """Un de nos messages : à reprendre dans sa liste, sinon dans la chronologie de son client."""
    trouve = get_object_or_404(Message.objects.visibles_pour(request.user), pk=pk)
    if trouve.statut in sorts.A_VOIR:
        return rediriger(request, adresse_de("messages", pk))
    return rediriger(request, f"{reverse('clients:fiche', args=[trouve.client_id])}?o=chronologie")


def _page(request, *, choisi: MessageRecu | None = None, formulaires: dict | None = None, status: int = 200):
    vue = valeur_parmi(request, "v", VUES)
    recus, envois = _visibles(request), _messages(request)
    comptes = recus.aggregate(
        a_lire=Count("pk", filter=_filtre("a_lire")), trier=Count("pk", filter=_filtre("trier"))
    )  # fmt: skip
    vues = onglets(
        request, "v",
        [("a_lire", _("À lire"), comptes["a_lire"]), ("trier", _("À trier"), comptes["trier"]),
         ("rejets", _("Rejets")), ("toutes", _("Tout")), ("messages", _("Nos messages"), envois.count())],
    )  # fmt: skip
    liste = Liste(request, envois.select_related("client", "societe") if vue == "messages" else _lignes(request, vue))
    pk = entier(request.GET.get("choix"))
    message = None
    if vue == "messages":
        choisi, message = None, envois.select_related("client", "societe").filter(pk=pk).first() if pk else None
    elif choisi is None and pk:
        choisi = _complet(recus).filter(pk=pk).first()
    contexte = {
        "vue": vue, "vues": vues, "liste": liste, "lignes": list(liste), "tons": TONS, "choisi": choisi,
        "message": message, "volet": _volet(request, choisi, formulaires or {}) if choisi else None,
        "form_remettre": (formulaires or {}).get("remettre")
        or RemettreForm(initial={"destinataire": message.client.courriel_utilisable if message else ""}),
        "envoie": peut(request.user, Droit.ENVOYER), "categories": C.choices, "filtre": _filtree(request),
        "annonce": ngettext("%(n)s message", "%(n)s messages", liste.total) % {"n": formats.nombre(liste.total)},
        "sous_titre": _sous_titre(comptes),
    }  # fmt: skip
    return rendre(request, "relances/reponses.html", "relances/_reponses.html", contexte, status=status)


def _sous_titre(comptes: dict) -> str:
    if not comptes["a_lire"]:
        return _("Tout est lu : aucune réponse ne retient de relance.")
    phrase = ngettext("%(n)s courriel à lire", "%(n)s courriels à lire", comptes["a_lire"])
    return phrase % {"n": formats.nombre(comptes["a_lire"])}


def _lignes(request, vue: str):
    lignes = _visibles(request).filter(_filtre(vue)).select_related("client")
    if (categorie := request.GET.get("categorie", "")) in C.values:
        lignes = lignes.filter(categorie=categorie)
    if (client := entier(request.GET.get("client"))) is not None:
        lignes = lignes.filter(client=client)
    if q := texte(request, "q"):
        lignes = lignes.filter(
            Q(client__raison_sociale__icontains=q) | Q(objet__icontains=q) | Q(de__icontains=q) | Q(de_nom__icontains=q)
        )
    return lignes


def _filtree(request) -> bool:
    return any(request.GET.get(nom) for nom in ("q", "categorie", "client"))


def _complet(recus):
    return recus.select_related("client__societe", "societe", "courrier", "message", "lu_par").prefetch_related(
        "documents"
    )


def _volet(request, recu: MessageRecu, formulaires: dict) -> dict:
    agit = peut(request.user, Droit.AGIR, recu.societe_id) if recu.societe_id else peut(request.user, Droit.AGIR)
    repond = peut(request.user, Droit.ENVOYER, recu.societe_id) and service.peut_recevoir_une_reponse(recu)
    objet = recu.objet if recu.objet.lower().startswith("re:") else f"Re: {recu.objet}"
    seules = list(recu.courrier.relances.values_list("echeance", flat=True)[:2]) if recu.courrier else []
    return {
        "agit": agit,
        "repond": repond,
        "rattachable": agit and not recu.courrier_id and not recu.message_id and recu.statut in (S.A_LIRE, S.LU),
        "rejet_a_confirmer": agit and recu.statut == S.A_LIRE and recu.categorie in A_CONFIRMER and recu.client_id
        and bool(recu.adresse_fautive),
        "form_repondre": formulaires.get("repondre") or RepondreForm(initial={"objet": objet[:250]}),
        "form_rattacher": formulaires.get("rattacher") or RattacherForm(clients=Client.objects.none()),
        "proposes": _proposes(request, recu) if agit and recu.client_id is None else [],
        "piece": seules[0] if len(seules) == 1 else "",
        "ton": TONS[C(recu.categorie)],
    }  # fmt: skip


def _clients(request, recu: MessageRecu):
    clients = restreindre(request, Client.objects.visibles_pour(request.user))
    return clients.filter(societe=recu.societe_id) if recu.societe_id else clients


def _proposes(request, recu: MessageRecu) -> list[Client]:
    """Clients dont une adresse est du même domaine, quelques-uns : une aide, jamais un rattachement d'office."""
    domaine = recu.de.rpartition("@")[2].lower()
    if not domaine or domaine in COURANTS:
        return []
    memes = Q(courriel__iendswith=f"@{domaine}") | Q(contacts__courriel__iendswith=f"@{domaine}")
    return list(_clients(request, recu).filter(memes).distinct().order_by("raison_sociale")[:PROPOSES])


# --- Gestes -------------------------------------------------------------------------------------


def _recu(request, pk: int, droit: Droit) -> MessageRecu:
    recu = get_object_or_404(_complet(MessageRecu.objects.visibles_pour(request.user)), pk=pk)
    if recu.societe_id:
        verifier_droit(request.user, droit, recu.societe_id)
    return recu


def _deja(request) -> None:
    messages.error(request, _("Ce courriel a déjà reçu une suite : la liste est à jour."))


@require_POST
@exige(Droit.AGIR)
def lire(request, pk: int):
    recu = _recu(request, pk, Droit.AGIR)
    if service.lire(recu, acteur=request.user):
        fait(request, _("Réponse lue : elle ne retient plus les relances."), annuler=_annuler(pk))
    else:
        _deja(request)
    return rediriger(request, adresse_de())


@require_POST
@exige(Droit.AGIR)
def ecarter(request, pk: int):
    recu = _recu(request, pk, Droit.AGIR)
    if service.ecarter(recu, acteur=request.user):
        fait(request, _("Courriel écarté : il reste dans « Tout »."), annuler=_annuler(pk))
    else:
        _deja(request)
    return rediriger(request, adresse_de())


def _annuler(pk: int) -> str:
    return reverse("relances:reponse_relire", args=[pk])


@require_POST
@exige(Droit.AGIR)
def relire(request, pk: int):
    """Défait « lu » et « écarté »."""
    recu = _recu(request, pk, Droit.AGIR)
    if service.remettre_a_lire(recu, acteur=request.user, au=aujourd_hui()):
        fait(request, _("Courriel de nouveau à lire."))
    else:
        _deja(request)
    return rediriger(request, adresse_de(choix=pk))


@require_POST
@exige(Droit.ENVOYER)
def repondre(request, pk: int):
    recu = _recu(request, pk, Droit.ENVOYER)
    form = RepondreForm(request.POST)
    if not form.is_valid():
        return _page(request, choisi=recu, formulaires={"repondre": form}, status=422)
    try:
        message = service.repondre(recu, acteur=request.user, **form.cleaned_data)
    except ValidationError as refus:
        form.add_error(None, refus.messages)
        return _page(request, choisi=recu, formulaires={"repondre": form}, status=422)
    fait(
        request, _("Réponse écrite à %(a)s : elle part dans dix secondes.") % {"a": message.destinataire},
        annuler=reverse("relances:message_annuler", args=[message.pk]),
    )  # fmt: skip
    return rediriger(request, adresse_de())


@require_POST
@exige(Droit.AGIR)
def rattacher(request, pk: int):
    recu = _recu(request, pk, Droit.AGIR)
    clients = _clients(request, recu)
    propose = RattacherAuForm(request.POST, clients=clients)
    if "client" in request.POST and propose.is_valid():
        client = propose.cleaned_data["client"]
    else:
        form = RattacherForm(request.POST, clients=clients)
        if not form.is_valid():
            return _page(request, choisi=recu, formulaires={"rattacher": form}, status=422)
        client = form.cleaned_data["client"]
    verifier_droit(request.user, Droit.AGIR, client.societe_id)
    if service.rattacher_a(recu, client, acteur=request.user, au=aujourd_hui()):
        fait(request, _("Courriel rattaché à %(client)s.") % {"client": client})
    else:
        _deja(request)
    return rediriger(request, adresse_de("toutes", pk))


@require_POST
@exige(Droit.AGIR)
def confirmer_rejet(request, pk: int):
    recu = _recu(request, pk, Droit.AGIR)
    if service.confirmer_le_rejet(recu, acteur=request.user, au=aujourd_hui()):
        fait(request, _("%(a)s ne recevra plus de courriels.") % {"a": recu.adresse_fautive})
    else:
        _deja(request)
    return rediriger(request, adresse_de())


# --- Nos messages restés en route ---------------------------------------------------------------


def _message(request, pk: int) -> Message:
    message = get_object_or_404(Message.objects.visibles_pour(request.user).select_related("client", "societe"), pk=pk)
    verifier_droit(request.user, Droit.ENVOYER, message.societe_id)
    return message


@require_POST
@exige(Droit.ENVOYER)
def annuler_message(request, pk: int):
    """Se raviser dans les dix secondes ; un message en erreur s'abandonne de même."""
    message = _message(request, pk)
    if sortants.annuler_message(message, acteur=request.user) or sorts.abandonner_message(message, acteur=request.user):
        fait(request, _("Message annulé : il ne partira pas."))
    else:
        messages.error(request, _("Trop tard : ce message est déjà parti."))
    return rediriger(request, adresse_de("messages"))


@require_POST
@exige(Droit.ENVOYER)
def trancher_message(request, pk: int):
    message = _message(request, pk)
    sort = request.POST.get("parti")
    if sort not in ("oui", "non"):
        messages.error(request, _("Dites s’il est parti ou non."))
    elif sortants.trancher_message(message, parti=sort == "oui", acteur=request.user):
        fait(request, _("Tranché : parti.") if sort == "oui" else _("Tranché : il repart."))
    else:
        messages.error(request, _("Son sort est déjà tranché."))
    return rediriger(request, adresse_de("messages"))


@require_POST
@exige(Droit.ENVOYER)
def remettre_message(request, pk: int):
    message, form = _message(request, pk), RemettreForm(request.POST)
    if form.is_valid():
        try:
            remis = sorts.remettre_message(message, acteur=request.user, **form.cleaned_data)
        except ValidationError as refus:
            form.add_error(None, refus.messages)
        else:
            if remis:
                dit = _("Le message repart à %(a)s dans dix secondes.") % {"a": form.cleaned_data["destinataire"]}
                fait(request, dit, annuler=reverse("relances:message_annuler", args=[pk]))
            else:
                messages.error(request, _("Ce message n’est plus en erreur."))
            return rediriger(request, adresse_de("messages"))
    for faute in (f for fautes in form.errors.values() for f in fautes):
        messages.error(request, faute)
    return rediriger(request, adresse_de("messages", pk))
