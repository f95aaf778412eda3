"""Les courriers par état : à valider, à poster, retours d'avis, envoyés, en erreur, sort inconnu."""

from dataclasses import dataclass
from datetime import date

from django.conf import settings
from django.db.models import Count, Min, Q, Sum
from django.urls import reverse
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy, ngettext

from clients.models import Client, Contact
from factures.domaine.calendrier import METROPOLE, ajouter_jours_ouvres
from recouvrement.commun import formats
from recouvrement.commun.horloge import aujourd_hui
from recouvrement.commun.tableaux import Colonne
from recouvrement.commun.vues import Liste, entier, onglets, rendre, texte
from recouvrement.comptes.courante import restreindre
from recouvrement.comptes.droits import Droit, peut, societes_pour
from recouvrement.comptes.exports import demande, exporter
from relances import avis
from relances.domaine.natures import Canal
from relances.formulaires_postes import DepotsForm
from relances.models import Courrier, NatureChoix
from relances.services import postes

from .fiches import Fiche, courrier_visible
from .raisons import sommes

S = Courrier.Statut
ETATS = {
    "valider": (S.A_VALIDER,),
    "poster": (S.A_POSTER,),
    "retours": (S.POSTE,),
    "envoye": (S.ENVOYE, S.POSTE, S.A_ENVOYER, S.EN_COURS),
    "erreur": (S.EN_ERREUR,),
    "inconnu": (S.INCERTAIN,),
}
EN_FILE = (S.A_ENVOYER, S.EN_COURS)
PAPIER = (Canal.LETTRE, Canal.RECOMMANDE)
ICONES_CANAL = {
    "courriel": "mail", "lettre": "mailbox", "recommande": "certificate", "appel": "phone", "sms": "message",
    "tache": "checklist",
}  # fmt: skip
GENRES = {
    "courriel": gettext_lazy("courriel|courriels"),
    "lettre": gettext_lazy("lettre|lettres"),
    "recommande": gettext_lazy("recommandé AR|recommandés AR"),
    "sms": gettext_lazy("SMS|SMS"),
}  # fmt: skip  — singulier et pluriel, que le script accorde au nombre coché
RETOURS = {
    "distribue": gettext_lazy("distribué"), "non_reclame": gettext_lazy("non réclamé"),
    "refuse": gettext_lazy("refusé"), "npai": gettext_lazy("NPAI"),
}  # fmt: skip
A_LA_FOIS = 300  # lettres relues, imprimées ou postées d'un geste
DEMANDE = "demandé par une personne"  # motif qu'écrit services.gestes
TRIS = {
    "palier": ["nature", "total"],
    "client": ["client__raison_sociale"],
    "total": ["total"],
    "date": ["arrete_au"],
    "parti": ["envoye_le"],
    "depot": ["depose_le"],
}
DEFAUTS = {"valider": "-palier", "poster": "client", "retours": "depot", "envoye": "-parti"}


def onglet_de(courrier: Courrier) -> tuple[str, str]:
    """(état, adresse de l'onglet où le courrier se trouve), pour le fil de sa page."""
    vue = next((v for v, statuts in ETATS.items() if courrier.statut in statuts), "")
    if courrier.statut in EN_FILE and courrier.canal in PAPIER:
        vue = "poster"
    return courrier.get_statut_display(), f"{reverse('relances:ce_soir')}?v={vue}" if vue else ""


def vues(request, partira: int | None = None, retenus: int | None = None):
    """Les onglets de l'écran ; les deux premiers ne se comptent qu'une fois l'essai à blanc fait."""
    courriers = restreindre(request, Courrier.objects.visibles_pour(request.user))
    comptes = dict(courriers.order_by().values_list("statut").annotate(n=Count("pk")))

    def n(vue):
        return sum(comptes.get(s, 0) for s in ETATS[vue])

    a_poster = n("poster") + en_preparation(courriers).count()

    propre = request.GET.copy()
    for cle in ("lettre", "motif", "nature", "q", "tri", "calcul", "retard"):
        propre.pop(cle, None)  # un filtre d'onglet ne suit pas dans l'autre
    request = _AvecAdresse(propre)
    return onglets(
        request,
        "v",
        [
            ("ce-soir", _("Partira"), partira),
            ("retenu", _("Retenu"), retenus),
            ("valider", _("À valider"), n("valider")),
            ("poster", _("À imprimer et poster"), a_poster),
            ("retours", _("Retours d'avis")),
            ("envoye", _("Envoyé")),
            ("erreur", _("En erreur"), n("erreur")),
            ("inconnu", _("Sort inconnu"), n("inconnu")),
        ],
    )


@dataclass
class _AvecAdresse:
    GET: object


def natures() -> list[tuple[str, str]]:
    return [(str(v), nom) for v, nom in NatureChoix.choices if v]


def contacts(clients) -> dict[int, Contact]:
    """Par client, le contact qui reçoit les relances."""
    trouves = Contact.objects.filter(client__in=clients, recoit_relances=True, invalide_le=None).order_by("-pk")
    return {c.client_id: c for c in trouves}


def destinataire(client: Client, canal: str, contacts: dict[int, Contact]) -> str:
    """À qui, en une ligne : adresse de courriel, ville ou téléphone selon le canal."""
    contact = contacts.get(client.pk)
    if canal == Canal.COURRIEL:
        return (contact and contact.courriel) or client.courriel_utilisable
    if canal in (Canal.LETTRE, Canal.RECOMMANDE):
        return f"{client.code_postal} {client.ville}".strip()
    telephone = (contact and contact.telephone) or client.telephone
    return " · ".join(x for x in (contact.nom if contact else "", telephone) if x)


def en_preparation(courriers):
    """Lettres validées que le worker n'a pas encore composées : elles seront à imprimer, elles ne sont pas parties."""
    return courriers.filter(statut__in=EN_FILE, canal__in=PAPIER)


def a_l_etat(request, vue: str):
    """Courriers visibles d'un onglet, filtres de l'adresse compris."""
    courriers = restreindre(request, Courrier.objects.visibles_pour(request.user)).filter(statut__in=ETATS[vue])
    if vue == "envoye":
        courriers = courriers.exclude(statut__in=EN_FILE, canal__in=PAPIER)
    if vue == "retours":
        courriers = courriers.filter(retour="", canal=Canal.RECOMMANDE)
        if request.GET.get("retard"):
            courriers = courriers.filter(depose_le__lt=depots_en_retard(aujourd_hui()))
    nature = entier(request.GET.get("nature"))
    if nature is not None:
        courriers = courriers.filter(nature=nature)
    if q := texte(request, "q"):
        courriers = courriers.filter(
            Q(client__raison_sociale__icontains=q) | Q(reference__icontains=q) | Q(numero_suivi__icontains=q)
        )
    return courriers


def depots_en_retard(au: date) -> date:
    """Un avis déposé avant ce jour devrait être rentré ; jours fériés de métropole."""
    return ajouter_jours_ouvres(au, -settings.RETOUR_AVIS_JOURS)


def rendre_liste(request, vue: str, *, depots: DepotsForm | None = None, status: int = 200):
    """L'écran d'un onglet ; depots : une saisie de dépôts refusée, à remontrer telle quelle."""
    au = aujourd_hui()
    courriers = a_l_etat(request, vue)
    liste = Liste(
        request,
        courriers.select_related("client", "societe", "palier__version", "valide_par", "lot_postal"),
        tris=TRIS,
        defaut=DEFAUTS.get(vue, "-date"),
        par_page=A_LA_FOIS if vue in ("valider", "poster") else 50,
    )
    if demande(request):
        return exporter(request, liste.lignes, _colonnes(), nom=_("courriers"))
    page = list(liste)
    if vue == "poster" and depots is None:
        depots = DepotsForm(courriers=page, initial={"depose_le": postes.depot_propose(au, METROPOLE)})
    lettre = entier(request.GET.get("lettre"))
    choisi = courrier_visible(request, lettre) if lettre is not None else None
    # Un droit par société : la liste n'en cherche pas un par ligne.
    responsables = set(societes_pour(request.user, Droit.VALIDER_PLAFOND).values_list("pk", flat=True))
    vus = contacts({c.client_id for c in page})
    en_cours = []
    if vue == "poster":
        siens = restreindre(request, Courrier.objects.visibles_pour(request.user))
        en_cours = list(en_preparation(siens).select_related("client").order_by("pk")[:A_LA_FOIS])
    contexte = {
        "vue": vue,
        "en_preparation": en_cours,
        "vues": vues(request),
        "liste": liste,
        "lignes": [_ligne(c, vus, lettre, responsables, au, depots) for c in page],
        "groupes_par_nature": _groupes(courriers) if vue == "valider" and liste.cle == "palier" else {},
        "natures": natures(),
        "depots": depots,
        "retard_seul": bool(request.GET.get("retard")),
        "sous_titre": sous_titre(courriers, vue, au),
        "peut_envoyer": peut(request.user, Droit.ENVOYER),
        "page": request.GET.get("page", ""),
        "volet": Fiche(request, choisi, vue=vue) if choisi else None,
        "gabarit_volet": "relances/_courrier.html",
        "annonce": ngettext("%(n)s courrier", "%(n)s courriers", liste.total) % {"n": liste.total},
    }
    return rendre(request, "relances/ce_soir.html", "relances/_ce_soir.html", contexte, status=status)


def _colonnes() -> list[Colonne]:
    return [
        Colonne(_("Société"), lambda c: c.societe.code),
        Colonne(_("Code client"), lambda c: c.client.code),
        Colonne(_("Client"), lambda c: c.client.raison_sociale),
        Colonne(_("Référence"), lambda c: c.reference),
        Colonne(_("Palier"), lambda c: c.get_nature_display()),
        Colonne(_("Canal"), lambda c: c.get_canal_display()),
        Colonne(_("État"), lambda c: c.get_statut_display()),
        Colonne(_("Destinataire"), lambda c: c.destinataire),
        Colonne(_("Arrêté au"), lambda c: c.arrete_au),
        Colonne(_("Devise"), lambda c: c.devise),
        Colonne(_("Total"), lambda c: c.total),
        Colonne(_("Parti le"), lambda c: c.envoye_le),
        Colonne(_("Déposé le"), lambda c: c.depose_le),
        Colonne(_("Numéro de suivi"), lambda c: c.numero_suivi),
        Colonne(_("Retour"), lambda c: str(RETOURS.get(c.retour, ""))),
    ]


def _ligne(c: Courrier, contacts, lettre: str, responsables: set[int], au, depots) -> dict:
    plafond = c.palier.version.plafond_envoi
    au_dela = plafond is not None and c.total > plafond
    return {
        "c": c,
        "choisie": str(c.pk) == lettre,
        "icone": ICONES_CANAL[c.canal],
        "genre": GENRES.get(c.canal, c.get_canal_display()),
        "destinataire": c.destinataire or destinataire(c.client, c.canal, contacts),
        "retour": RETOURS.get(c.retour, ""),
        "ton_retour": avis.TONS_RETOUR.get(c.retour, ""),
        "demande": c.motif == DEMANDE,
        "plafond": au_dela,
        "reserve": au_dela and c.societe_id not in responsables,
        "attend": (au - c.depose_le).days if c.depose_le else 0,
        "longtemps": (depuis := postes.en_retard_depuis(c)) is not None and au >= depuis,
        "numero": depots.numero(c.pk) if depots else None,
        "refus": depots.refus.get(c.pk, "") if depots else "",
    }


def _groupes(courriers) -> dict[int, dict]:
    """Par palier : nombre et totaux de tous les courriers filtrés, pas de la seule page."""
    groupes: dict[int, dict] = {}
    comptes = courriers.order_by().values_list("nature", "devise").annotate(n=Count("pk"), t=Sum("total"))
    for nature, devise, n, total in comptes:
        groupe = groupes.setdefault(nature, {"nombre": 0, "totaux": []})
        groupe["nombre"] += n
        groupe["totaux"].append((devise, total))
    return groupes


def sous_titre(courriers, vue: str, au) -> str:
    """La réponse de l'onglet, en une ligne."""
    chiffres = courriers.order_by().values_list("devise").annotate(
        n=Count("pk"), t=Sum("total"), recommandes=Count("pk", filter=Q(canal=Canal.RECOMMANDE)),
        file=Count("pk", filter=Q(statut__in=(S.A_ENVOYER, S.EN_COURS))), ancien=Min("depose_le"),
    )  # fmt: skip
    lignes = list(chiffres)
    n = sum(x[1] for x in lignes)
    if not n:
        return _("Rien dans cet état")
    totaux = {x[0]: x[2] for x in lignes}
    recommandes, file = sum(x[3] for x in lignes), sum(x[4] for x in lignes)
    noms = {"n": formats.nombre(n), "total": sommes(totaux), "r": recommandes, "file": file}
    if vue == "valider":
        return (
            ngettext(
                "%(n)s courrier attend une personne · %(total)s",
                "%(n)s courriers attendent une personne · %(total)s",
                n,
            )
            % noms
        )
    if vue == "poster":
        plis = ngettext("%(n)s pli à poster", "%(n)s plis à poster", n) % noms
        return plis + (_(", dont %(r)s en recommandé") % noms if recommandes else "") + f" · {noms['total']}"
    if vue == "retours":
        ancien = min(x[5] for x in lignes if x[5])
        texte = ngettext("%(n)s recommandé sans retour d'avis", "%(n)s recommandés sans retour d'avis", n) % noms
        return texte + _(" · le plus ancien déposé le %(jour)s") % {"jour": formats.jour(ancien)}
    if vue == "envoye":
        texte = ngettext("%(n)s courrier", "%(n)s courriers", n) % noms
        return texte + (_(", dont %(file)s en file d'attente") % noms if file else "") + f" · {noms['total']}"
    if vue == "erreur":
        return (
            ngettext(
                "%(n)s envoi en erreur : son palier n'est pas franchi · %(total)s",
                "%(n)s envois en erreur : leur palier n'est pas franchi · %(total)s",
                n,
            )
            % noms
        )
    return (
        ngettext(
            "%(n)s envoi au sort inconnu : vérifiez, puis tranchez · %(total)s",
            "%(n)s envois au sort inconnu : vérifiez, puis tranchez · %(total)s",
            n,
        )
        % noms
    )
