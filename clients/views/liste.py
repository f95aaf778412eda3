"""Clients : qui doit quoi, depuis quand, où en est la relance."""

from decimal import Decimal

from django.db.models import Q
from django.utils.translation import gettext as _
from django.views.decorators.http import require_safe

from clients.models import Client, TypeDebiteur
from recouvrement.commun import formats
from recouvrement.commun.horloge import aujourd_hui
from recouvrement.commun.tableaux import Colonne
from recouvrement.commun.vues import Liste, entier, onglets, rendre, texte, valeur_parmi
from recouvrement.comptes.courante import restreindre
from recouvrement.comptes.droits import Droit, exige
from recouvrement.comptes.exports import demande, exporter
from recouvrement.comptes.models import Utilisateur
from relances.models import NatureChoix

from .lectures import apercus, avec_litige, devises_de, en_retard, with_cle

TRIS = {
    "nom": ["raison_sociale"],
    "code": ["code"],
    "gestionnaire": ["gestionnaire__nom", "raison_sociale"],
    "echu": ["echu"],
    "encours": ["encours"],
    "retard": ["ancienne"],
    "palier": ["niveau_max"],
}
CLES = {"echu": "echu", "encours": "encours", "retard": "ancienne", "palier": "niveau_max"}
ETATS = ("tous", "retard", "litige", "suspendus", "procedure")


@require_safe
@exige(Droit.VOIR)
def liste(request):
    """Page entière, ou le bloc de liste pour htmx."""
    au = aujourd_hui()
    perimetre = restreindre(request, Client.objects.visibles_pour(request.user))
    devises = devises_de(perimetre)
    devise = valeur_parmi(request, "devise", devises)
    clients = _filtrer(request, perimetre.with_est_suspendu(au), au=au, devise=devise)
    tri = request.GET.get("tri", "").removeprefix("-")
    tri = tri if tri in TRIS else "echu"
    if tri in CLES:
        clients = with_cle(clients, CLES[tri], au=au, devise=devise)
    lignes = Liste(request, clients.select_related("gestionnaire", "societe"), tris=TRIS, defaut="-echu")
    if demande(request):
        return exporter(request, lignes.lignes, _colonnes(), nom=_("clients"), completer=lambda p: _apercevoir(p, au))
    _apercevoir(lignes, au)
    etats = onglets(
        request,
        "etat",
        [
            ("tous", _("Tous")),
            ("retard", _("En retard")),
            ("litige", _("En litige")),
            ("suspendus", _("Suspendus")),
            ("procedure", _("Procédure collective")),
        ],
    )
    contexte = {
        "liste": lignes,
        "etats": etats,
        "au": au,
        "devise": devise,
        "devises": [(d, d) for d in devises],
        "types": TypeDebiteur.choices,
        "paliers": [(str(valeur), libelle) for valeur, libelle in NatureChoix.choices],
        "gestionnaires": _gestionnaires(perimetre),
        "plusieurs_societes": len({client.societe_id for client in lignes}) > 1,
        "annonce": _("%(n)s clients") % {"n": formats.nombre(lignes.total)},
    }
    return rendre(request, "clients/liste.html", "clients/_liste.html", contexte)


def _apercevoir(clients, au) -> None:
    vues = apercus([client.pk for client in clients], au=au)
    for client in clients:
        client.vue = vues[client.pk]


def _colonnes() -> list[Colonne]:
    """Une ligne par client ; les sommes en euros ont leur colonne, les autres devises se lisent en texte à part."""

    def en_euros(nom: str):
        return lambda c: sum((getattr(x, nom) for x in c.vue.lignes if x.devise == "EUR"), Decimal("0.00"))

    def autres(c) -> str:
        return " ; ".join(formats.somme(x.encours, x.devise) for x in c.vue.lignes if x.devise != "EUR")

    paliers = dict(NatureChoix.choices)
    return [
        Colonne(_("Société"), lambda c: c.societe.code),
        Colonne(_("Code"), lambda c: c.code),
        Colonne(_("Client"), lambda c: c.raison_sociale),
        Colonne(_("Type"), lambda c: c.get_type_display()),
        Colonne("SIREN", lambda c: c.siren),
        Colonne(_("Ville"), lambda c: c.ville),
        Colonne(_("Courriel"), lambda c: c.courriel),
        Colonne(_("Téléphone"), lambda c: c.telephone),
        Colonne(_("Suivi par"), lambda c: c.gestionnaire and c.gestionnaire.nom),
        Colonne(_("Échéance la plus ancienne"), lambda c: c.vue.plus_ancienne),
        Colonne(_("Palier"), lambda c: paliers.get(c.vue.niveau, "") if c.vue.lignes else ""),
        Colonne(_("Échu (EUR)"), en_euros("echu")),
        Colonne(_("Encours (EUR)"), en_euros("encours")),
        Colonne(_("Encours en autres devises"), autres),
    ]


def _filtrer(request, clients, *, au, devise):
    """Chaque filtre vient de l'adresse ; une valeur inconnue ne filtre rien."""
    q = texte(request, "q")
    if q:
        serre = q.replace(" ", "")
        clients = clients.filter(
            Q(raison_sociale__icontains=q)
            | Q(code__icontains=q)
            | Q(ville__icontains=q)
            | Q(siren=serre)
            | Q(siret=serre)
            | Q(courriel__icontains=q)
        )
    if (genre := request.GET.get("type")) in TypeDebiteur.values:
        clients = clients.filter(type=genre)
    gestionnaire = request.GET.get("gestionnaire", "")
    if gestionnaire == "aucun":
        clients = clients.filter(gestionnaire=None)
    elif (pk := entier(gestionnaire)) is not None:
        clients = clients.filter(gestionnaire=pk)
    if (palier := entier(request.GET.get("palier"))) in NatureChoix.values:
        clients = with_cle(clients, "niveau_max", au=au, devise=devise).filter(niveau_max=palier)
    etat = valeur_parmi(request, "etat", ETATS)
    if etat == "retard":
        clients = clients.filter(en_retard(au))
    elif etat == "litige":
        clients = clients.filter(avec_litige())
    elif etat == "suspendus":
        clients = clients.filter(est_suspendu=True)
    elif etat == "procedure":
        clients = clients.filter(Q(jugement_ouverture_le__isnull=False) | Q(surendettement=True))
    return clients


def _gestionnaires(clients) -> list[tuple[str, str]]:
    """Qui suit au moins un client de ce périmètre, puis « sans gestionnaire »."""
    suivis = Utilisateur.objects.filter(portefeuille__in=clients.values("pk")).distinct().values_list("pk", "nom")
    return [*((str(pk), nom) for pk, nom in suivis.order_by("nom")), ("aucun", _("sans gestionnaire"))]
