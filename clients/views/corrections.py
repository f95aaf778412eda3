"""Corrections proposées par les registres : avant et après côte à côte, décidées une à une ou en masse."""

from django.contrib import messages
from django.core.exceptions import ValidationError
from django.shortcuts import render
from django.urls import reverse
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy, ngettext
from django.views.decorators.http import require_POST, require_safe

from clients import corrections as services
from clients.models import CorrectionProposee
from clients.services import ConflitEdition
from recouvrement.commun import formats
from recouvrement.commun.horloge import aujourd_hui
from recouvrement.commun.vues import Liste, entier, fait, onglets, rediriger, rendre, valeur_parmi
from recouvrement.comptes.courante import restreindre
from recouvrement.comptes.droits import Droit, exige, peut, verifier_droit

ETATS = {"a-decider": gettext_lazy("À décider"), "decidees": gettext_lazy("Décidées")}
TRIS = {"client": ["client__raison_sociale", "client", "champ"], "quand": ["created_at"]}
MASSE_MAX = 100  # ce qu'une page montre : au-delà, personne n'a relu
S = CorrectionProposee.Statut
TONS = {S.ACCEPTEE: "bon", S.REFUSEE: "", S.PROPOSEE: "att"}


def _lignes(corrections) -> list[dict]:
    """De quoi comparer : lignes d'avant et d'après, empreinte, fiche changée depuis."""
    return [
        {
            "c": c,
            "champ": services.nom_du_champ(c.champ),
            "avant": services.lignes(c.champ, c.avant),
            "apres": services.lignes(c.champ, c.apres),
            "vue": services.empreinte(c),
            "perimee": c.statut == S.PROPOSEE and c.champ != services.CESSATION
            and services.valeur_de(c.client, c.champ)[:250] not in (c.avant, c.apres),
            "ton": TONS[c.statut],
        }
        for c in corrections
    ]  # fmt: skip


@require_safe
@exige(Droit.VOIR)
def liste(request):
    visibles = restreindre(request, CorrectionProposee.objects.visibles_pour(request.user), "client__societe")
    etat = valeur_parmi(request, "etat", ETATS)
    lignes = visibles.a_decider() if etat == "a-decider" else visibles.exclude(statut=S.PROPOSEE)
    page = Liste(
        request,
        lignes.select_related("client__societe", "decidee_par"),
        tris=TRIS,
        defaut="client" if etat == "a-decider" else "-quand",
    )
    contexte = {
        "liste": page,
        "lignes": _lignes(page),
        "etats": onglets(request, "etat", list(ETATS.items())),
        "a_decider": etat == "a-decider",
        "peut_agir": etat == "a-decider" and peut(request.user, Droit.AGIR),
        "annonce": ngettext("%(n)s correction", "%(n)s corrections", page.total) % {"n": formats.nombre(page.total)},
    }
    return rendre(request, "clients/corrections.html", "clients/_corrections.html", contexte)


@require_POST
@exige(Droit.AGIR)
def decider(request):
    """`geste` : « accepter » ou « refuser ». Une ligne se décide tout de suite ; plusieurs se relisent d'abord."""
    seule, _sep, geste = request.POST.get("une", "").partition("-")
    cles = [seule] if seule else request.POST.getlist("choix")[:MASSE_MAX]
    geste = geste or request.POST.get("geste", "")
    retour = reverse("clients:corrections")
    choisies = list(
        CorrectionProposee.objects.visibles_pour(request.user)
        .filter(pk__in=[pk for pk in map(entier, cles) if pk])
        .select_related("client__societe")
        .order_by("client__raison_sociale", "client", "champ", "pk")
    )
    if geste not in ("accepter", "refuser") or not choisies:
        messages.error(request, _("Cochez au moins une correction, puis acceptez ou refusez."))
        return rediriger(request, retour)
    for correction in choisies:
        verifier_droit(request.user, Droit.AGIR, correction.client.societe_id)
    if len(choisies) > 1 and "confirme" not in request.POST:
        en_attente = [c for c in choisies if c.statut == S.PROPOSEE]
        contexte = {"lignes": _lignes(en_attente), "geste": geste, "accepte": geste == "accepter", "n": len(en_attente)}
        return render(request, "clients/corrections_apercu.html", contexte)
    _appliquer(request, choisies, accepter=geste == "accepter")
    return rediriger(request, retour)


def _appliquer(request, choisies, *, accepter: bool) -> None:
    """Chaque correction dans sa transaction : une fiche qui refuse n'arrête pas les autres."""
    faites, perimees, refus, au = 0, [], [], aujourd_hui()
    for correction in choisies:
        try:
            if accepter:
                vue = request.POST.get(f"vue-{correction.pk}", "")
                faites += services.accepter(correction, vue=vue, au=au, acteur=request.user)
            else:
                faites += services.refuser(correction, acteur=request.user)
        except services.Perimee:
            perimees.append(correction)
        except (ValidationError, ConflitEdition) as erreur:
            phrases = erreur.messages if isinstance(erreur, ValidationError) else [str(erreur)]
            refus.append(f"{correction.client} : {' '.join(phrases)}")
    if faites and accepter:
        fait(request, ngettext("%(n)s fiche corrigée.", "%(n)s corrections portées.", faites) % {"n": faites})
    elif faites:
        phrase = ngettext(
            "Refusée : elle ne se reproposera pas.", "%(n)s refusées : elles ne se reproposeront pas.", faites
        )
        fait(request, phrase % {"n": faites})
    if perimees:
        services.redire(perimees)
        messages.warning(
            request,
            ngettext(
                "La fiche de %(noms)s a changé depuis : relisez la proposition mise à jour.",
                "Les fiches de %(noms)s ont changé depuis : relisez les propositions mises à jour.",
                len(perimees),
            )
            % {"noms": ", ".join(sorted({str(c.client) for c in perimees})[:5])},
        )
    for phrase in refus[:5]:
        messages.error(request, phrase)
    if not (faites or perimees or refus):
        messages.info(request, _("C'était déjà décidé."))
