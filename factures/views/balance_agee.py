"""Balance âgée : qui doit combien, depuis quand, à telle date ; jusqu'à la pièce."""

from dataclasses import dataclass
from datetime import date
from decimal import Decimal

from django.contrib import messages
from django.db.models import Q
from django.http import Http404, HttpResponse
from django.shortcuts import render
from django.urls import reverse
from django.utils import timezone
from django.utils.functional import cached_property
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy, ngettext
from django.views.decorators.http import require_safe

from clients.models import Client
from factures import exports
from factures.balance import Groupe, Ligne
from factures.balance import balance_agee as lire
from factures.models import Litige
from recouvrement.commun import formats
from recouvrement.commun.pdf import PdfIndisponible
from recouvrement.commun.vues import Liste, parametres, rediriger, rendre, texte, valeur_parmi
from recouvrement.comptes.courante import societe_courante, societes_visibles
from recouvrement.comptes.droits import Droit, exige

from .parametres import clients_visibles, du_gestionnaire, gestionnaires, jour_demande, jour_illisible, segments

PAR = [
    ("gestionnaire", gettext_lazy("gestionnaire, client")),
    ("client", gettext_lazy("client")),
    ("societe", gettext_lazy("société, client")),
    ("segment", gettext_lazy("segment, client")),
]
LIGNES_PAR_PAGE = 200
TRIS = {
    "nom": lambda ligne: ligne.nom.casefold(),
    "non_echu": lambda ligne: ligne.centimes[0],
    "j1": lambda ligne: ligne.centimes[1],
    "j31": lambda ligne: ligne.centimes[2],
    "j61": lambda ligne: ligne.centimes[3],
    "j91": lambda ligne: ligne.centimes[4],
    "echu": lambda ligne: sum(ligne.centimes[1:5]),
    "credits": lambda ligne: ligne.centimes[5],
    "encours": lambda ligne: sum(ligne.centimes),
}
NOMS_DES_TRANCHES = [
    gettext_lazy("Non échu"), gettext_lazy("1–30 jours"), gettext_lazy("31–60 jours"), gettext_lazy("61–90 jours"),
    gettext_lazy("Plus de 90 jours"),
]  # fmt: skip
TYPES = {
    "xlsx": "application/vnd.openxmlformats-officedocument.spreadsheetml.sheet",
    "csv": "text/csv; charset=utf-8",
    "pdf": "application/pdf",
}


class Demande:
    """Ce que l'adresse demande : périmètre, date, regroupement, devise ; partagé par l'écran et ses exports."""

    def __init__(self, request):
        self.request = request
        self.au: date = jour_demande(request)
        self.par: str = valeur_parmi(request, "par", [valeur for valeur, _libelle in PAR])
        self.visibles = clients_visibles(request)
        self.gestionnaires = gestionnaires(self.visibles)
        self.segments = segments(self.visibles)
        clients = du_gestionnaire(self.visibles, request.GET.get("gestionnaire", ""))
        segment = texte(request, "segment")
        self.clients = clients.filter(segment=segment) if segment else clients

    def etat(self, **options) -> exports.Etat:
        return exports.etablir(
            self.clients, au=self.au, par=self.par, societe=self.nom_societe, filtres=self.filtres, **options
        )

    @cached_property
    def nom_societe(self) -> str:
        societe = societe_courante(self.request)
        if societe:
            return societe.raison_sociale
        return ", ".join(s.raison_sociale for s in societes_visibles(self.request))

    @property
    def filtres(self) -> list[str]:
        """Les filtres en clair, pour le papier et les fichiers."""
        phrases = []
        noms = dict(self.gestionnaires)
        if (demande := self.request.GET.get("gestionnaire", "")) in noms:
            phrases.append(_("Gestionnaire : %(nom)s") % {"nom": noms[demande]})
        if segment := texte(self.request, "segment"):
            phrases.append(_("Segment : %(nom)s") % {"nom": segment})
        if devise := self.request.GET.get("devise", ""):
            phrases.append(_("Devise : %(devise)s") % {"devise": devise})
        return phrases


@dataclass
class Rangee:
    """Une ligne de client à l'écran ; `groupe` n'est donné qu'à la première de son groupe."""

    ligne: Ligne
    groupe: Ligne | None
    ouverte: bool
    pieces: list
    url: str
    plafond: Decimal

    @property
    def segments(self):
        return [(f"a{rang}", montant) for rang, montant in enumerate(self.ligne.tranches)]


@require_safe
@exige(Droit.VOIR)
def balance_agee(request):
    """Écran : chiffres par tranche, bande, puis le tableau, une devise à la fois."""
    demande = Demande(request)
    etat = demande.etat()
    devises = sorted(etat.devises, key=lambda d: (d != "EUR", d))
    devise = request.GET.get("devise", "")
    if devise not in devises:
        devise = devises[0] if devises else "EUR"
    somme = next((t for t in etat.totaux if t.devise == devise), None)
    liste, rangees = _rangees(request, etat, devise)
    autres = [(autre, parametres(request, devise=autre)) for autre in devises if autre != devise]
    contexte = {
        "au": demande.au,
        "date_illisible": jour_illisible(request),
        "par": demande.par,
        "choix_par": [c for c in PAR if c[0] != "societe" or len(societes_visibles(request)) > 1],
        "gestionnaires": demande.gestionnaires,
        "segments": demande.segments,
        "devises": [(d, d) for d in devises],
        "devise": devise,
        "autres_devises": autres,
        "total": somme,
        "nombre": ngettext("%(n)s client", "%(n)s clients", somme.clients if somme else 0)
        % {"n": formats.nombre(somme.clients if somme else 0)},
        "tranches": _tranches(somme),
        "segments_total": [(f"a{rang}", montant) for rang, montant in enumerate(somme.tranches)] if somme else [],
        "part_echue": somme.echu * 100 / somme.brut if somme and somme.brut else None,
        "resume": _resume(etat, somme, demande.au),
        "liste": liste,
        "rangees": rangees,
        "societe": demande.nom_societe,
        "filtres": demande.filtres,
        "exports": [
            (format, f"{reverse('factures:balance_export', args=[format])}{parametres(request)}") for format in TYPES
        ],
    }
    return rendre(request, "factures/balance_agee.html", "factures/_balance.html", contexte)


def _rangees(request, etat: exports.Etat, devise: str) -> tuple[Liste, list[Rangee]]:
    """La page demandée, triée dans chaque groupe ; le détail des lignes ouvertes."""
    demande = request.GET.get("tri", "")
    tri = demande if demande.removeprefix("-") in TRIS else "nom"
    groupes = [g for g in etat.groupes if g.total.devise == devise] or [
        Groupe(None, [ligne for ligne in etat.lignes if ligne.devise == devise])
    ]
    cle = TRIS[tri.removeprefix("-")]
    plates = [
        (groupe.total, ligne)
        for groupe in groupes
        for ligne in sorted(groupe.lignes, key=cle, reverse=tri.startswith("-"))
    ]
    liste = Liste(request, plates, par_page=LIGNES_PAR_PAGE)
    liste.tris, liste.tri = dict.fromkeys(TRIS), tri
    ouvertes = {int(v) for v in request.GET.getlist("ouvert") if v.isdecimal() and len(v) < 18}
    plafond = max((ligne.brut for _groupe, ligne in plates), default=Decimal(0))
    page = list(liste)
    vues = {ligne.cle for _groupe, ligne in page} & ouvertes
    detail = _detail(Client.objects.filter(pk__in=vues), etat.au) if vues else {}
    rangees, courant = [], None
    for groupe, ligne in page:
        nouveau = groupe if groupe is not courant else None
        courant = groupe
        ouverte = ligne.cle in ouvertes
        rangees.append(
            Rangee(
                ligne, nouveau, ouverte, detail.get((ligne.cle, devise), []), _bascule(request, ligne, ouverte), plafond
            )
        )
    return liste, rangees


def _bascule(request, ligne: Ligne, ouverte: bool) -> str:
    """Adresse de l'écran où cette ligne est dépliée, ou repliée."""
    autres = [v for v in request.GET.getlist("ouvert") if v != str(ligne.cle)]
    choisies = autres if ouverte else [*autres, str(ligne.cle)]
    return parametres(request, ouvert=choisies, page=request.GET.get("page"))


def _detail(clients, au: date) -> dict:
    """Pièces de ces clients, chacune avec sa part contestée ce jour-là."""
    detail = exports.detailler(clients, au=au)
    contestes = dict(
        Litige.objects.filter(echeance__client__in=clients, ouvert_le__lte=au)
        .filter(Q(clos_le=None) | Q(clos_le__gt=au))
        .values_list("echeance", "montant_conteste")
    )
    return {
        cle: [(piece, contestes.get(piece.objet.pk) if piece.rang < 5 else None) for piece in pieces]
        for cle, pieces in detail.items()
    }


def _tranches(somme: Ligne | None) -> list[tuple[int, str, Decimal, Decimal | None]]:
    """[(rang, nom, montant, part du brut en %)]."""
    if somme is None:
        return []
    return [
        (rang, nom, montant, montant * 100 / somme.brut if somme.brut else None)
        for rang, (nom, montant) in enumerate(zip(NOMS_DES_TRANCHES, somme.tranches, strict=True))
    ]


def _resume(etat: exports.Etat, somme: Ligne | None, au: date) -> str:
    """Le sous-titre : la date, et la preuve que la balance égale le grand livre."""
    texte = _("Comptes clients reconstitués au %(jour)s, TTC") % {"jour": formats.jour(au)}
    if somme is None:
        return texte
    pieces = etat.controles[somme.devise].pieces
    preuve = ngettext(
        "recoupée avec %(n)s pièce ouverte, écart %(ecart)s",
        "recoupée avec %(n)s pièces ouvertes, écart %(ecart)s",
        pieces,
    ) % {"n": formats.nombre(pieces), "ecart": formats.somme(etat.ecart(somme), somme.devise)}
    return f"{texte} · {preuve}"


@require_safe
@exige(Droit.VOIR)
def ligne(request, client: int, devise: str):
    """Une ligne de client, dépliée ou repliée, à la place de l'autre (htmx)."""
    au = jour_demande(request)
    perimetre = clients_visibles(request).filter(pk=client)
    trouvee = next(iter(lire(perimetre, au=au, devise=devise.upper())), None)
    if trouvee is None:
        raise Http404
    ouverte = str(client) in request.GET.getlist("ouvert")
    pieces = _detail(perimetre, au).get((client, trouvee.devise), []) if ouverte else []
    try:
        plafond = Decimal(request.GET.get("plafond", "0"))
    except ArithmeticError:
        plafond = Decimal(0)
    ecran = reverse("factures:balance_agee")
    rangee = Rangee(trouvee, None, ouverte, pieces, _bascule(request, trouvee, ouverte), plafond)
    reponse = render(request, "factures/_balance_client.html", {"r": rangee, "au": au})
    copie = request.GET.copy()
    copie.pop("plafond", None)
    reponse["HX-Push-Url"] = f"{ecran}?{copie.urlencode()}"
    return reponse


@require_safe
@exige(Droit.EXPORTER)
def export(request, format: str):
    """Le même état, avec les mêmes filtres, en fichier."""
    if format not in TYPES:
        raise Http404
    etat = Demande(request).etat(
        devise=request.GET.get("devise") or None, pieces_max=exports.PIECES_PDF_MAX if format == "pdf" else 0
    )
    try:
        if format == "csv":  # la marque d'ordre fait lire l'UTF-8 aux tableurs
            contenu = ("\ufeff" + "".join(exports.csv_balance(etat.lignes))).encode()
        elif format == "xlsx":
            contenu = exports.xlsx_balance(etat)
        else:
            contenu = exports.pdf_balance(etat, edite_le=timezone.localtime())
    except (exports.TropDeLignes, PdfIndisponible) as refus:
        messages.error(request, str(refus))
        return rediriger(request, f"{reverse('factures:balance_agee')}{parametres(request)}")
    nom = exports.nom_de_fichier(etat, format)
    return HttpResponse(contenu, TYPES[format], headers={"Content-Disposition": f'attachment; filename="{nom}"'})
