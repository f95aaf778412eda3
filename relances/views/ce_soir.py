"""« Ce soir » : ce qui part, par quel canal ; ce qui ne part pas, et pourquoi."""

from collections import defaultdict
from dataclasses import dataclass, field, replace
from decimal import Decimal
from itertools import groupby

from django.utils.translation import gettext as _
from django.utils.translation import ngettext
from django.views.decorators.http import require_safe

from clients.models import Client
from factures.models import Echeance
from recouvrement.commun import formats
from recouvrement.commun.horloge import maintenant
from recouvrement.commun.vues import Liste, entier, parametres, rendre, texte, valeur_parmi, veut_fragment
from recouvrement.comptes.courante import societe_courante, societes_visibles
from recouvrement.comptes.droits import Droit, exige, peut
from relances import motifs
from relances.domaine.echelle import Motif
from relances.domaine.natures import Canal
from relances.models.echelles import CanalChoix
from relances.services import ce_soir as service
from relances.services.quotidien import donnees_perimees

from . import apercus, listes
from .raisons import enumerer, sommes

PAR_PAGE = 100
PAR_MOTIF = 12  # pièces montrées d'un motif avant « Voir les … »
CANAUX = dict(CanalChoix.choices)
SIGNES = {
    Motif.LITIGE: "hand-stop", Motif.PROMESSE: "calendar-due", Motif.SUSPENDUE: "player-pause",
    Motif.CONTENTIEUX: "gavel", Motif.PROCEDURE: "ban", Motif.SURENDETTEMENT: "ban",
    Motif.CREDIT_NON_AFFECTE: "building-bank", Motif.COUVERTE: "wallet", Motif.PRELEVEMENT: "credit-card",
    Motif.SANS_ADRESSE: "map-pin", Motif.A_QUALIFIER: "zoom-question", Motif.SOCIETE_INCOMPLETE: "building",
    Motif.MAX_AMIABLES: "scale", Motif.FORMALISATION_ABSENTE: "file-text", Motif.SANS_PLAN: "stairs-up",
    Motif.EN_ATTENTE_ENVOI: "send", Motif.JOUR_NON_OUVRE: "calendar", Motif.EXCLUE: "player-pause",
    Motif.ECHEANCIER: "calendar-due", Motif.TERME_NON_ECHU: "calendar-due", Motif.FE_ARRETEE: "ban",
    Motif.FE_RETENUE: "hand-stop", Motif.FE_A_VERIFIER: "zoom-question", Motif.ADRESSE_EN_ERREUR: "map-pin",
    Motif.DONNEES_PERIMEES: "ban", Motif.FUTURE: "calendar", Motif.AFFACTUREE: "building-bank",
    Motif.REPONSE: "message",
}  # fmt: skip


@dataclass
class Ensemble:
    """L'essai à blanc de toutes les sociétés de l'écran."""

    soirs: list[service.Soir]
    envois: list[service.Prevu] = field(init=False)
    retenues: list[service.Retenues] = field(init=False)

    def __post_init__(self):
        self.envois = sorted(
            (v for s in self.soirs for v in s.envois), key=lambda v: (-v.palier.nature, -v.total, v.client)
        )
        par_motif: dict[Motif, list] = defaultdict(list)
        for soir in self.soirs:
            for r in soir.retenues:
                par_motif[r.motif].append(r)
        self.retenues = sorted((_fondre(rs) for rs in par_motif.values()), key=lambda r: (-r.pieces, r.motif))

    @property
    def clients_retenus(self) -> int:
        return len(frozenset().union(*(r.clients for r in self.retenues)))


def _fondre(retenues: list[service.Retenues]) -> service.Retenues:
    """Le même motif dans plusieurs sociétés."""
    premiere, *suivantes = retenues
    for r in suivantes:
        totaux = dict(premiere.totaux)
        for devise, montant in r.totaux.items():
            totaux[devise] = totaux.get(devise, Decimal(0)) + montant
        premiere = replace(
            premiere,
            pieces=premiere.pieces + r.pieces,
            clients=premiere.clients | r.clients,
            totaux=totaux,
            lignes=sorted(premiere.lignes + r.lignes, key=lambda x: -x[1].echeance.reste_du),
        )
    return premiere


@require_safe
@exige(Droit.VOIR)
def ce_soir(request):
    """Onglets : partira, retenu, puis les courriers par état."""
    vue = valeur_parmi(request, "v", ["ce-soir", "retenu", *listes.ETATS])
    if vue in listes.ETATS:
        return listes.rendre_liste(request, vue)
    societes = [societe_courante(request)] if societe_courante(request) else societes_visibles(request)
    contexte = {
        "vue": vue, "societes": societes, "page": request.GET.get("page", ""), "volet": None, "gabarit_volet": "",
        "annonce": "", "groupes": [], "sections": [], "liste": None, "attente": False, "bandeaux": [], "sous_titre": "",
        "calcule_le": None, "fraicheur": None, "filtrable": False, "natures": [], "motif_seul": "",
    }  # fmt: skip
    moment = maintenant()
    if not veut_fragment(request) and "calcul" not in request.GET:
        contexte["attente"] = any(
            service.est_long(s, moment=moment, perimetre=perimetre(request, s)[1]) for s in societes
        )
    if contexte["attente"]:
        return _rendre(request, contexte)
    recalculer = request.headers.get("X-Recalculer") == "1"
    ensemble = Ensemble([_soir(request, s, moment, recalculer) for s in societes])
    contexte |= {
        "sous_titre": _sous_titre(societes, ensemble),
        "bandeaux": [_etat(s, moment, request.user) for s in societes],
        "calcule_le": moment if not ensemble.soirs else min(s.calcule_le for s in ensemble.soirs),
        "fraicheur": min((s.dernier_import_le for s in societes if _alimentee(s)), default=None),
    }
    contexte |= _partira(request, ensemble) if vue == "ce-soir" else _retenu(request, ensemble)
    return _rendre(request, contexte, ensemble)


def _rendre(request, contexte: dict, ensemble: Ensemble | None = None):
    comptes = (len(ensemble.envois), ensemble.clients_retenus) if ensemble else (None, None)
    contexte["vues"] = listes.vues(request, *comptes)
    return rendre(request, "relances/ce_soir.html", "relances/_ce_soir.html", contexte)


def perimetre(request, societe) -> tuple[list[int] | None, str]:
    """(clients visibles, nom de ce périmètre) ; None : toute la société."""
    if peut(request.user, Droit.TOUT_VOIR, societe):
        return None, ""
    visibles = Client.objects.visibles_pour(request.user).filter(societe=societe)
    return list(visibles.values_list("pk", flat=True)), f"u{request.user.pk}"


def _soir(request, societe, moment, recalculer: bool) -> service.Soir:
    clients, nom = perimetre(request, societe)
    return service.soir(societe, moment=moment, clients=clients, perimetre=nom, recalculer=recalculer)


def _alimentee(societe) -> bool:
    return societe.alimentee_par_import and societe.dernier_import_le is not None


def _etat(societe, moment, user) -> dict:
    """Ce qui empêchera le passage de cette société."""
    return {
        "societe": societe,
        "manques": societe.manques(),
        "coupe": not societe.relances_actives,
        "perimees": societe.relances_actives and donnees_perimees(societe, moment),
        "administre": peut(user, Droit.ADMINISTRER, societe),
    }


def _sous_titre(societes, ensemble: Ensemble) -> str:
    heures = {s.pk: s.heure_passage for s in societes if s.relances_actives}
    passages = sorted({(s.au, heures[s.societe]) for s in ensemble.soirs if s.societe in heures})
    if passages:
        quand = enumerer(
            _("%(jour)s à %(heure)s") % {"jour": formats.jour_long(au), "heure": f"{heure:%H:%M}"}
            for au, heure in passages
        )
        debut = ngettext("Passage du %(quand)s", "Passages du %(quand)s", len(passages)) % {"quand": quand}
    else:
        debut = _("Aucun passage réglé")
    totaux: dict[str, Decimal] = {}
    for v in ensemble.envois:
        totaux[v.devise] = totaux.get(v.devise, Decimal(0)) + v.total
    n, r = len(ensemble.envois), ensemble.clients_retenus
    envois, retenus = _("aucun envoi prévu"), _("aucun client retenu")
    if n:
        envois = _compte(ensemble.envois)
        envois = _("%(envois)s pour %(total)s") % {"envois": envois, "total": sommes(totaux)}
    if r:
        retenus = ngettext("%(n)s client retenu", "%(n)s clients retenus", r) % {"n": formats.nombre(r)}
    return " · ".join([debut, envois, retenus])


def _compte(prevus: list[service.Prevu]) -> str:
    """Un appel ou une décision n'est pas un envoi : ils se comptent à part."""
    taches = sum(v.canal in (Canal.APPEL, Canal.TACHE) for v in prevus)
    n = len(prevus) - taches
    envois = ngettext("%(n)s envoi prévu", "%(n)s envois prévus", n) % {"n": formats.nombre(n)}
    if not taches:
        return envois
    texte = ngettext("%(n)s appel ou tâche", "%(n)s appels ou tâches", taches) % {"n": formats.nombre(taches)}
    return f"{envois}, {texte}" if n else texte


# --- Partira -----------------------------------------------------------------------------------------


def _partira(request, ensemble: Ensemble) -> dict:
    envois = _filtrer(request, ensemble.envois)
    liste = Liste(request, envois, par_page=PAR_PAGE)
    page = list(liste)
    noms = Client.objects.select_related("societe").in_bulk([v.client for v in page])
    contacts = listes.contacts({v.client for v in page})
    choisie = request.GET.get("lettre", "")
    volet = apercus.depuis_la_cle(request, choisie) if choisie else None
    return {
        "liste": liste,
        "filtrable": len(ensemble.envois) > PAR_PAGE // 4,
        "natures": listes.natures(),
        "groupes": [
            {"nature": nature, "envois": [_ligne(v, noms, contacts, choisie) for v in groupe]}
            | _groupe([v for v in envois if v.palier.nature == nature])
            for nature, groupe in groupby(page, key=lambda v: v.palier.nature)
        ],
        "volet": volet,
        "gabarit_volet": "relances/_apercu.html",
        "annonce": _compte(envois),
    }


def _filtrer(request, envois: list[service.Prevu]) -> list[service.Prevu]:
    nature = entier(request.GET.get("nature"))
    if nature is not None:
        envois = [v for v in envois if v.palier.nature == nature]
    if q := texte(request, "q"):
        trouves = Client.objects.visibles_pour(request.user).filter(raison_sociale__icontains=q)
        ids = set(trouves.values_list("pk", flat=True))
        envois = [v for v in envois if v.client in ids]
    return envois


def _groupe(envois: list[service.Prevu]) -> dict:
    totaux: dict[str, Decimal] = {}
    for v in envois:
        totaux[v.devise] = totaux.get(v.devise, Decimal(0)) + v.total
    return {"nombre": len(envois), "totaux": sorted(totaux.items())}


def _ligne(v: service.Prevu, noms, contacts, choisie: str) -> dict:
    client = noms[v.client]
    cle = apercus.cle(v.client, v.palier.id, v.devise)
    return {
        "envoi": v,
        "client": client,
        "cle": cle,
        "choisie": cle == choisie,
        "canal": CANAUX[v.canal],
        "icone": listes.ICONES_CANAL[v.canal],
        "destinataire": listes.destinataire(client, v.canal, contacts),
    }


# --- Retenu ------------------------------------------------------------------------------------------


def _retenu(request, ensemble: Ensemble) -> dict:
    """Groupes par motif : ce qu'une personne doit trancher, ce qui reprend à une date, ce qui est arrêté."""
    seul = request.GET.get("motif", "")
    retenues = [r for r in ensemble.retenues if not seul or r.motif == seul]
    liste = Liste(request, retenues[0].lignes, par_page=PAR_PAGE) if seul and retenues else None
    montrees = {r.motif: list(liste) if liste else r.lignes[:PAR_MOTIF] for r in retenues}
    decisions = [x for lignes in montrees.values() for x in lignes]
    noms = Client.objects.select_related("societe").in_bulk({c for c, _d in decisions})
    pieces = Echeance.objects.select_related("facture").in_bulk([d.echeance.id for _c, d in decisions])
    groupes = [
        {
            "motif": r.motif.value,
            "libelle": motifs.LIBELLES[r.motif],
            "signe": SIGNES.get(r.motif, "clock"),
            "section": 0 if r.motif in motifs.A_TRANCHER else 2 if r.motif in motifs.ARRETES else 1,
            "pieces": r.pieces,
            "clients": len(r.clients),
            "totaux": sorted(r.totaux.items()),
            "reste": 0 if liste else r.pieces - len(montrees[r.motif]),
            "url": parametres(request, motif=r.motif.value),
            "lignes": [
                {"client": noms[c], "d": d, "piece": pieces[d.echeance.id], "phrase": motifs.phrase(d)}
                for c, d in montrees[r.motif]
                if d.echeance.id in pieces
            ],
        }
        for r in retenues
    ]
    titres = (_("À trancher par une personne"), _("Reprend à une date"), _("Arrêté : ne reprend pas seul"))
    sections = [(titre, [g for g in groupes if g["section"] == rang]) for rang, titre in enumerate(titres)]
    return {
        "sections": [(titre, gs) for titre, gs in sections if gs],
        "liste": liste,
        "peut_agir": peut(request.user, Droit.AGIR),
        "peut_envoyer": peut(request.user, Droit.ENVOYER),
        "motif_seul": groupes[0]["libelle"] if seul and groupes else "",
        "annonce": ngettext("%(n)s pièce retenue", "%(n)s pièces retenues", sum(r.pieces for r in retenues))
        % {"n": sum(r.pieces for r in retenues)},
    }
