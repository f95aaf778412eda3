"""L'aperçu d'un envoi de ce soir : son texte exact, ses contrôles, sa première page. Rien n'est écrit."""

from dataclasses import dataclass
from datetime import date

from django.http import Http404, HttpResponse
from django.shortcuts import render
from django.utils.translation import gettext as _
from django.views.decorators.http import require_safe

from clients.models import Client
from factures.models import Echeance
from recouvrement.commun import formats
from recouvrement.commun.apercu import image_de_page
from recouvrement.commun.horloge import maintenant
from recouvrement.commun.pdf import PdfIndisponible
from recouvrement.commun.vues import entier
from recouvrement.comptes.droits import Droit, exige, peut
from relances import motifs
from relances.domaine.echelle import Envoi
from relances.domaine.natures import ModePalier
from relances.models import Courrier, NatureChoix
from relances.rendu import lettres
from relances.services import ce_soir as service
from relances.services.preparation import Preparation, a_un_pdf, preparer

from . import raisons
from .raisons import Raison


@dataclass
class Apercu:
    """Ce que montre le volet d'un envoi prévu."""

    courrier: Courrier
    envoi: Envoi
    preparation: Preparation
    au: date
    cle: str
    echeances: list[Echeance]
    peut_agir: bool
    manques: list[Raison]

    @property
    def client(self):
        return self.courrier.client

    @property
    def est_une_tache(self) -> bool:
        return self.envoi.mode is ModePalier.TACHE

    @property
    def papier(self) -> bool:
        return a_un_pdf(self.courrier) and not self.est_une_tache and not self.preparation.manques

    @property
    def raisons(self) -> list[Raison]:
        c, premiere = self.courrier, Raison("calendar-event", "doux", self._quand())
        if self.est_une_tache:
            return [premiere]
        controles = raisons.de_la_lettre(
            self.preparation, depuis=self.au, delai=c.palier.delai_reponse, region=c.societe.region_feries
        )
        return [premiere, raisons.du_total(self.preparation.lettre), *controles]

    def _quand(self) -> str:
        jour = formats.jour_long(self.au)
        if self.est_une_tache:
            return _("Crée une tâche dans Ma journée le %(jour)s.") % {"jour": jour}
        if self.envoi.mode is ModePalier.A_VALIDER:
            pourquoi = motifs.raison_de_valider(self.envoi.motif)
            return _("Préparé le %(jour)s, puis attend une personne : %(pourquoi)s.") % {
                "jour": jour,
                "pourquoi": pourquoi,
            }
        return _("Part seul le %(jour)s, à l'heure du passage.") % {"jour": jour}

    @property
    def annonce(self) -> str:
        return f"{self.client}, {NatureChoix(self.courrier.nature).label}"


def cle(client: int, palier: int, devise: str) -> str:
    """La ligne choisie, telle que l'adresse la porte."""
    return f"{client}-{palier}-{devise}"


def depuis_la_cle(request, texte: str) -> Apercu | None:
    """L'aperçu de `?lettre=12-3-EUR` ; None si rien de tel ne part ce soir."""
    client, _tiret, reste = texte.partition("-")
    palier, _tiret, devise = reste.partition("-")
    client, palier = entier(client), entier(palier)
    if client is None or palier is None or not devise:
        return None
    try:
        return _apercu(request, client, palier, devise)
    except Http404:
        return None


def _apercu(request, client: int, palier: int, devise: str) -> Apercu:
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
    preparation = preparer(courrier, au=au, echeances=echeances)
    tache = envoi.mode is ModePalier.TACHE
    return Apercu(
        courrier, envoi, preparation, au, cle(client, palier, devise), echeances,
        peut_agir=peut(request.user, Droit.AGIR, cible.societe_id),
        manques=[] if tache else raisons.manques(courrier, preparation, request.user),
    )  # fmt: skip


@require_safe
@exige(Droit.VOIR)
def apercu(request, client: int, palier: int, devise: str):
    return render(request, "relances/_apercu.html", {"f": _apercu(request, client, palier, devise)})


def _pdf(vu: Apercu) -> bytes:
    if not vu.papier:
        raise Http404
    return lettres.rendre_pdf(vu.preparation.lettre)


@require_safe
@exige(Droit.VOIR)
def image(request, client: int, palier: int, devise: str, page: int):
    vu = _apercu(request, client, palier, devise)
    return page_en_image(lambda: _pdf(vu), page)


@require_safe
@exige(Droit.VOIR)
def pdf(request, client: int, palier: int, devise: str):
    vu = _apercu(request, client, palier, devise)
    try:
        octets = _pdf(vu)
    except PdfIndisponible as raison:
        return HttpResponse(str(raison), status=503, content_type="text/plain; charset=utf-8")
    nom = f"apercu-{vu.client.code}.pdf"
    return HttpResponse(
        octets, content_type="application/pdf", headers={"Content-Disposition": f'inline; filename="{nom}"'}
    )


def page_en_image(rendre_pdf, page: int) -> HttpResponse:
    try:
        png = image_de_page(rendre_pdf(), page)
    except PdfIndisponible as raison:
        return HttpResponse(str(raison), status=503, content_type="text/plain; charset=utf-8")
    if png is None:
        raise Http404
    return HttpResponse(png, content_type="image/png", headers={"Cache-Control": "private, max-age=60"})
