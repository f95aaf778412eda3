"""Comparer deux réglages d'un plan sur le grand livre d'aujourd'hui : volet, page, CSV."""

import csv
from collections.abc import Iterator
from hashlib import sha256
from io import StringIO

from django.core import signing
from django.http import Http404, StreamingHttpResponse
from django.utils.translation import gettext as _
from django.views.decorators.http import require_safe

from clients.models import Client
from factures.exports import inoffensif
from factures.models import Echeance
from recouvrement.commun import formats
from recouvrement.commun.horloge import maintenant
from recouvrement.commun.vues import rendre, valeur_parmi, veut_fragment
from recouvrement.comptes.droits import Droit, exige, peut
from relances import motifs
from relances.domaine.natures import ModePalier
from relances.models import Echelle, VersionEchelle
from relances.models.echelles import CanalChoix
from relances.services import plans
from relances.services.ce_soir import prochain_passage
from relances.services.comparaison import Changement, Ecart, Essai, Etape, poursuivre, preparer

from .plans import echelle_visible, form_palier

V = VersionEchelle.Statut
SECONDES = 2.0  # au-delà, l'écran montre où il en est et demande la suite
LIGNES = 100  # pièces d'une page
SEL = "relances.comparaison"


def _version(echelle: Echelle, texte: str) -> VersionEchelle | None:
    return next((v for v in echelle.versions.all() if str(v.numero) == texte), None)


def _versions(request, echelle: Echelle) -> tuple[VersionEchelle | None, VersionEchelle]:
    """(avant, après) de l'adresse ; à défaut ce qui est publié et le brouillon. 404 sans brouillon ni choix."""
    apres = _version(echelle, request.GET.get("apres", ""))
    apres = apres or next((v for v in echelle.versions.all() if v.statut == V.BROUILLON), None)
    if apres is None:
        raise Http404
    return _version(echelle, request.GET.get("avant", "")), apres


def _portefeuille(request, echelle: Echelle):
    """Clients que la personne suit ; None : toute la société (exigence 39)."""
    if peut(request.user, Droit.TOUT_VOIR, echelle.societe_id):
        return None
    return Client.objects.visibles_pour(request.user).filter(societe=echelle.societe_id).values("pk")


def _saisie(request, version: VersionEchelle) -> tuple[list, bool]:
    """(paliers en cours de saisie, fautive) ; rien n'est enregistré."""
    saisis, fautive = [], False
    if version.statut == V.BROUILLON:
        for p in version.paliers.all():
            if f"p{p.pk}-delai" in request.GET:
                form = form_palier(p, request.GET)
                if not form.is_valid():
                    fautive = True
                elif form.has_changed():
                    saisis.append(plans.regle(form.save(commit=False)))
    return saisis, fautive


def _essai(request, echelle: Echelle) -> tuple[Essai, dict]:
    """L'essai demandé par l'adresse, et ce que l'écran en dit ; l'essai est None si la saisie est fautive."""
    avant, apres = _versions(request, echelle)
    saisis, fautive = _saisie(request, apres)
    defaut = apres.reprise if apres.statut == V.BROUILLON else "toutes"
    reprise = valeur_parmi(request, "reprise", [defaut, "nouvelles", "toutes"])
    essai = None if fautive else preparer(
        apres, au=prochain_passage(echelle.societe, maintenant()), avant=avant, reprise=reprise,
        clients=_portefeuille(request, echelle), paliers=saisis,
    )  # fmt: skip
    return essai, {
        "echelle": echelle, "avant": avant, "apres": apres, "saisie": bool(saisis), "reprise": reprise,
        "publiee": next((v for v in echelle.versions.all() if v.statut == V.PUBLIEE), None),
    }  # fmt: skip


@require_safe
@exige(Droit.PLANS)
def comparaison(request, pk: int):
    """Volet « Si publié », saisie en cours comprise, ou page entière avec chaque pièce ; n'écrit rien."""
    echelle = echelle_visible(request, pk)
    essai, contexte = _essai(request, echelle)
    contexte |= {"ecart": None, "suite": "", "lignes": [], "exemples": [], "ce_soir": []}
    if essai:
        entiere = not veut_fragment(request)
        sel = _sel(request, essai)
        ecart = poursuivre(essai, _reprendre(request, sel), secondes=SECONDES, lignes=LIGNES if entiere else 0)
        cites = ecart.noms()
        contexte |= {
            "ecart": ecart,
            "exemples": [] if entiere else [_exemple(cites[c], a, b) for c, a, b in ecart.exemples],
            "ce_soir": [cites[c] for c in ecart.ce_soir],
            "suite": "" if ecart.fini else signing.dumps(ecart.en_dict(), salt=sel, compress=True),
            "lignes": _lignes(ecart.lignes),
        }
    contexte["peut_exporter"] = peut(request.user, Droit.EXPORTER, echelle.societe_id)
    contexte["versions"] = sorted(echelle.versions.all(), key=lambda v: -v.numero)
    return rendre(request, "relances/comparaison.html", "relances/_ecart.html", contexte)


def _exemple(client: Client, avant: Etape, apres: Etape) -> dict:
    """Un client du volet : deux jours, ou deux canaux si seul le canal change."""
    memes = avant[:2] == apres[:2]
    mots = [_canal(e) if memes else formats.jour_court(e.le) if e.le else _("rien") for e in (avant, apres)]
    return {"client": client, "nature": apres.nature or avant.nature, "avant": mots[0], "apres": mots[1]}


def _canal(e: Etape) -> str:
    qui = motifs.qui_agit(ModePalier(e.mode)) if e.mode else ""
    return ", ".join(filter(None, (str(CanalChoix(e.canal).label) if e.canal else "", qui)))


def _sel(request, essai: Essai) -> str:
    """Une suite ne vaut que pour cette personne, ce plan, ces deux réglages et ce jour : sinon, tout recommence."""
    reglages = (request.user.pk, essai.echelle.pk, essai.au, essai.plans, essai.avant, essai.apres)
    return f"{SEL}:{sha256(repr(reglages).encode()).hexdigest()}"


def _reprendre(request, sel: str) -> Ecart | None:
    """L'écart où la page précédente s'est arrêtée ; une adresse altérée, ou d'un autre essai, repart du début."""
    try:
        return Ecart.depuis(signing.loads(request.GET["suite"], salt=sel, max_age=3600))
    except (KeyError, signing.BadSignature):
        return None


def _lignes(changements: list[Changement]) -> list["Ligne"]:
    """Clients et pièces nommés en deux requêtes, quel que soit leur nombre."""
    clients = Client.objects.in_bulk({c.client for c in changements})
    pieces = Echeance.objects.select_related("facture").in_bulk([c.avant.echeance.id for c in changements])
    return [Ligne(c, clients[c.client], pieces[c.avant.echeance.id]) for c in changements]


class Ligne:
    """Une pièce traitée autrement, prête à lire."""

    def __init__(self, c: Changement, client: Client, piece: Echeance):
        self.client, self.piece = client, piece
        self.avant, self.apres = c.etape_avant, c.etape_apres
        cotes = ((c.avant, self.avant), (c.apres, self.apres))
        self.motif_avant, self.motif_apres = (
            motifs.phrase(d, ModePalier(e.mode) if e.mode else None) for d, e in cotes
        )
        main = self.avant.mode != self.apres.mode  # même lettre le même jour : seule change la main qui l'envoie
        self.mots_avant, self.mots_apres = (_mots(d, e, main=main) for d, e in cotes)


def _mots(decision, etape, *, main: bool) -> str:
    """« Mise en demeure le 20/11, recommandé AR », ou « rien » ; main : dire aussi qui agit."""
    if etape.le is None:
        return _("rien")
    nom = motifs.avec_canal(etape.nature, (etape.canal,) if etape.canal else ())
    mots = _("%(quoi)s le %(jour)s") % {"quoi": nom, "jour": formats.jour(etape.le)}
    return f"{mots}, {motifs.qui_agit(ModePalier(etape.mode))}" if main and etape.mode else mots


@require_safe
@exige(Droit.EXPORTER)
def export(request, pk: int):
    """Chaque pièce traitée autrement, en CSV, au fil du calcul : la mémoire ne dépend pas du grand livre."""
    echelle = echelle_visible(request, pk)
    essai, contexte = _essai(request, echelle)
    if essai is None:
        raise Http404
    reponse = StreamingHttpResponse(_csv(essai), content_type="text/csv; charset=utf-8")
    avant = contexte["avant"] or contexte["publiee"]
    bornes = f"v{avant.numero}-v{contexte['apres'].numero}" if avant else f"v{contexte['apres'].numero}"
    reponse["Content-Disposition"] = f'attachment; filename="{echelle.code}-{bornes}-{essai.au:%Y-%m-%d}.csv"'
    return reponse


ENTETE = ("code", "client", "piece", "echeance", "reste_du", "devise", "palier_avant", "jour_avant", "motif_avant",
          "palier_apres", "jour_apres", "motif_apres")  # fmt: skip


def _csv(essai: Essai) -> Iterator[str]:
    tampon = StringIO()
    ecrire = csv.writer(tampon, delimiter=";", lineterminator="\n").writerow
    ecrire(ENTETE)
    ecart = None
    while ecart is None or not ecart.fini:
        ecart = poursuivre(essai, ecart, lignes=1)
        for ligne, c in zip(_lignes(ecart.lignes), ecart.lignes, strict=True):
            ecrire(_rangee(ligne, c))
        yield tampon.getvalue()
        tampon.seek(0)
        tampon.truncate()


def _rangee(x: Ligne, c: Changement) -> list[str]:
    e = c.avant.echeance
    faits = (x.client.code, x.client.raison_sociale, x.piece.facture.numero)

    def cote(etape, motif):
        nom = motifs.nom_palier(etape.nature) if etape.nature else ""
        return [nom, etape.le.isoformat() if etape.le else "", inoffensif(motif)]

    return [
        *map(inoffensif, faits), e.date_echeance.isoformat(), f"{e.reste_du:.2f}", e.devise,
        *cote(x.avant, x.motif_avant), *cote(x.apres, x.motif_apres),
    ]  # fmt: skip
