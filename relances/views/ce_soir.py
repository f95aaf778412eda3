"""« Ce soir » : ce qui part, par quel canal ; ce qui ne part pas, et pourquoi."""

from itertools import groupby

from django.db.models import Count
from django.http import Http404, HttpResponse
from django.shortcuts import render
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy
from django.views.decorators.http import require_safe

from clients.models import Client
from factures.models import Echeance
from recouvrement.commun.apercu import image_de_page
from recouvrement.commun.horloge import aujourd_hui, maintenant
from recouvrement.commun.pdf import PdfIndisponible
from recouvrement.commun.vues import Liste, onglets, rendre, valeur_parmi
from recouvrement.comptes.courante import restreindre, societe_courante, societes_visibles
from recouvrement.comptes.droits import Droit, exige, peut
from relances.domaine.echelle import Motif
from relances.models import Courrier, NatureChoix
from relances.models.echelles import CanalChoix
from relances.rendu import lettres
from relances.services import ce_soir as service
from relances.services.preparation import preparer

S = Courrier.Statut
MONTRES = 300  # au-delà, l'écran dit combien il en reste : personne ne relit mille lettres à la main

ETATS = {
    "valider": (S.A_VALIDER,),
    "poster": (S.A_POSTER,),
    "retours": (S.POSTE,),
    "envoye": (S.ENVOYE, S.POSTE, S.A_ENVOYER, S.EN_COURS),
    "erreur": (S.EN_ERREUR,),
    "inconnu": (S.INCERTAIN,),
}

LIBELLES = {
    Motif.SANS_PLAN: gettext_lazy("Aucun plan publié pour ce type de débiteur"),
    Motif.CONTENTIEUX: gettext_lazy("En contentieux : hors de l'échelle"),
    Motif.PROCEDURE: gettext_lazy("Procédure collective : aucune relance"),
    Motif.SURENDETTEMENT: gettext_lazy("Surendettement recevable : aucune relance"),
    Motif.SUSPENDUE: gettext_lazy("Relances suspendues"),
    Motif.PRELEVEMENT: gettext_lazy("Prélèvement en cours"),
    Motif.PROMESSE: gettext_lazy("Promesse de paiement en cours"),
    Motif.LITIGE: gettext_lazy("En litige"),
    Motif.A_QUALIFIER: gettext_lazy("Type de débiteur à qualifier"),
    Motif.SEUIL_PIECE: gettext_lazy("Pièce sous le seuil"),
    Motif.SEUIL_ENVOI: gettext_lazy("Envoi sous le seuil"),
    Motif.MAX_AMIABLES: gettext_lazy("Relances amiables épuisées : à décider"),
    Motif.DEJA_CE_JOUR: gettext_lazy("Déjà relancée aujourd'hui"),
    Motif.EN_ATTENTE_ENVOI: gettext_lazy("Le courrier précédent n'est pas encore parti"),
    Motif.DELAI_CONTACT: gettext_lazy("Contact trop récent"),
    Motif.JOUR_NON_OUVRE: gettext_lazy("Jour non ouvré"),
    Motif.CREDIT_NON_AFFECTE: gettext_lazy("Règlement reçu à affecter"),
    Motif.COUVERTE: gettext_lazy("Couverte par un crédit"),
    Motif.FORMALISATION_ABSENTE: gettext_lazy("Formalisation pas encore envoyée"),
    Motif.SANS_ADRESSE: gettext_lazy("Aucune adresse utilisable"),
    Motif.SOCIETE_INCOMPLETE: gettext_lazy("Mentions de la société à compléter"),
    Motif.ATTENTE: gettext_lazy("Pas encore due"),
    Motif.TERMINEE: gettext_lazy("Échelle terminée"),
    Motif.RELANCEE: gettext_lazy("Relancée"),
}
CANAUX = dict(CanalChoix.choices)
ICONES_CANAL = {
    "courriel": "mail", "lettre": "mailbox", "recommande": "certificate", "appel": "phone", "sms": "message",
    "tache": "checklist",
}  # fmt: skip


def _societe(request):
    """La société de l'écran : celle choisie, sinon la première visible."""
    societe = societe_courante(request)
    visibles = societes_visibles(request)
    return societe or (visibles[0] if visibles else None)


def _clients_visibles(request, societe) -> list[int] | None:
    """None : toute la société ; sinon les clients du portefeuille."""
    if peut(request.user, Droit.TOUT_VOIR, societe):
        return None
    visibles = Client.objects.visibles_pour(request.user).filter(societe=societe)
    return list(visibles.values_list("pk", flat=True))


@require_safe
@exige(Droit.VOIR)
def ce_soir(request):
    """Onglets : partira, retenu, à valider, à poster, envoyé, en erreur, sort inconnu."""
    societe = _societe(request)
    vue = valeur_parmi(request, "v", ["ce-soir", "retenu", *ETATS])
    courriers = restreindre(request, Courrier.objects.visibles_pour(request.user))
    contexte = {
        "societe": societe,
        "vue": vue,
        "peut_envoyer": peut(request.user, Droit.ENVOYER),
        "vues": _onglets(request, courriers),
        "annonce": "",
    }
    if vue in ETATS:
        contexte |= _liste_de_courriers(request, courriers, vue)
    elif societe:
        contexte |= _projet(request, societe, vue)
    return rendre(request, "relances/ce_soir.html", "relances/_ce_soir.html", contexte)


def _onglets(request, courriers):
    comptes = dict(courriers.order_by().values_list("statut").annotate(n=Count("pk")))

    def n(vue):
        return sum(comptes.get(s, 0) for s in ETATS[vue])

    return onglets(
        request,
        "v",
        [
            ("ce-soir", _("Ce soir")),
            ("retenu", _("Retenu")),
            ("valider", _("À valider"), n("valider")),
            ("poster", _("À imprimer et poster"), n("poster")),
            ("retours", _("Retours d'avis")),
            ("envoye", _("Envoyé")),
            ("erreur", _("En erreur"), n("erreur")),
            ("inconnu", _("Sort inconnu"), n("inconnu")),
        ],
    )


def _projet(request, societe, vue: str) -> dict:
    au = service.prochain_passage(societe, maintenant())
    projet = service.projeter(societe, au=au, clients=_clients_visibles(request, societe))
    retenues = [d for ds in projet.retenues.values() for d in ds]
    clients = {v.client for v in projet.envois} | {c for c, _d in retenues}
    noms = Client.objects.in_bulk(list(clients))
    contexte = {
        "au": au,
        "manques": societe.manques(),
        "nombre_envois": len(projet.envois),
        "nombre_retenus": len({c for c, _d in retenues}),
        "totaux": _totaux(projet.envois),
        "caches": max(len(projet.envois) - MONTRES, 0),
        "annonce": _("%(n)s envois prévus") % {"n": len(projet.envois)},
    }
    if vue == "ce-soir":
        contexte["groupes"] = [
            {
                "nature": nature,
                "totaux": _totaux(envois),
                "envois": [
                    {"envoi": v, "client": noms[v.client], "canal": CANAUX[v.canal], "icone": ICONES_CANAL[v.canal]}
                    for v in envois
                ],
            }
            for nature, groupe in groupby(projet.envois[:MONTRES], key=lambda v: v.palier.nature)
            for envois in [list(groupe)]
        ]
        return contexte
    pieces = Echeance.objects.select_related("facture").in_bulk([d.echeance.id for _c, d in retenues[:2000]])
    contexte["retenus"] = [
        {
            "motif": motif,
            "libelle": LIBELLES[motif],
            "nombre": len(decisions),
            "lignes": [
                {"client": noms[c], "decision": d, "piece": pieces.get(d.echeance.id)} for c, d in decisions[:100]
            ],
            "caches": max(len(decisions) - 100, 0),
        }
        for motif, decisions in sorted(projet.retenues.items(), key=lambda x: -len(x[1]))
    ]
    return contexte


def _totaux(envois) -> list[tuple]:
    """[(montant, devise)], une ligne par devise : jamais additionnées."""
    totaux: dict = {}
    for v in envois:
        totaux[v.devise] = totaux.get(v.devise, 0) + v.total
    return [(montant, devise) for devise, montant in sorted(totaux.items())]


def _liste_de_courriers(request, courriers, vue: str) -> dict:
    courriers = courriers.filter(statut__in=ETATS[vue]).select_related("client", "societe", "passage")
    if vue == "retours":
        courriers = courriers.filter(retour="")
    nature = request.GET.get("nature", "")
    if nature.isdecimal():
        courriers = courriers.filter(nature=nature)
    if q := request.GET.get("q", "").strip():
        courriers = courriers.filter(client__raison_sociale__icontains=q)
    liste = Liste(
        request,
        courriers,
        tris={
            "palier": ["nature", "pk"],
            "client": ["client__raison_sociale"],
            "total": ["total"],
            "date": ["arrete_au", "pk"],
        },
        defaut="-palier" if vue == "valider" else "-date",
    )
    return {
        "liste": liste,
        "natures": [(str(v), nom) for v, nom in NatureChoix.choices if v],
        "icones": ICONES_CANAL,
        "au": aujourd_hui(),
        "annonce": _("%(n)s courriers") % {"n": liste.total},
    }


def _projete(request, client: int, palier: int, devise: str):
    """Le courrier projeté d'un client visible ; 404 sinon, ou si rien n'est dû ce soir."""
    cible = Client.objects.visibles_pour(request.user).select_related("societe").filter(pk=client).first()
    if cible is None:
        raise Http404
    au = service.prochain_passage(cible.societe, maintenant())
    projet = service.projeter(cible.societe, au=au, clients=[client])
    envoi = next((v for v in projet.envois if v.palier.id == palier and v.devise == devise), None)
    if envoi is None:
        raise Http404
    courrier, echeances = service.courrier_projete(cible.societe, envoi, au=au)
    return courrier, echeances, envoi, au


@require_safe
@exige(Droit.VOIR)
def apercu(request, client: int, palier: int, devise: str):
    """Volet : ce que dira la lettre de ce soir, et ses contrôles."""
    courrier, echeances, envoi, au = _projete(request, client, palier, devise)
    preparation = preparer(courrier, au=au, echeances=echeances)
    return render(
        request,
        "relances/_apercu.html",
        {"courrier": courrier, "preparation": preparation, "envoi": envoi, "au": au, "lettre": preparation.lettre,
         "papier": envoi.canal in ("lettre", "recommande") and not preparation.manques,
         "canal": CANAUX[envoi.canal]},
    )  # fmt: skip


@require_safe
@exige(Droit.VOIR)
def image(request, client: int, palier: int, devise: str, page: int):
    courrier, echeances, _envoi, au = _projete(request, client, palier, devise)
    preparation = preparer(courrier, au=au, echeances=echeances)
    if preparation.manques:
        raise Http404
    return page_en_image(lambda: lettres.rendre_pdf(preparation.lettre), page)


def page_en_image(rendre_pdf, page: int) -> HttpResponse:
    try:
        png = image_de_page(rendre_pdf(), page)
    except PdfIndisponible as raison:
        return HttpResponse(str(raison), status=503, content_type="text/plain; charset=utf-8")
    if png is None:
        raise Http404
    return HttpResponse(png, content_type="image/png", headers={"Cache-Control": "private, max-age=60"})
