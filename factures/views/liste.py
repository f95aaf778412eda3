"""Factures : chaque échéance avec son reste dû et son palier ; triée, filtrée et paginée par la base."""

from django.db.models import Count, F, Q, Sum
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy, ngettext
from django.views.decorators.http import require_safe

from factures.models import Echeance, Litige
from recouvrement.commun import formats
from recouvrement.commun.horloge import aujourd_hui
from recouvrement.commun.tableaux import Colonne
from recouvrement.commun.vues import Liste, onglets, rendre, texte, valeur_parmi
from recouvrement.comptes.courante import restreindre, societes_visibles
from recouvrement.comptes.droits import Droit, exige
from recouvrement.comptes.exports import demande, exporter
from relances.models import NatureChoix

from .parametres import clients_visibles, du_gestionnaire, gestionnaires

VUES = {
    "ouvertes": gettext_lazy("Ouvertes"),
    "retard": gettext_lazy("En retard"),
    "litige": gettext_lazy("En litige"),
    "soldees": gettext_lazy("Soldées"),
    "toutes": gettext_lazy("Toutes"),
}
TRIS = {
    "facture": ["facture__numero"],
    "client": ["client__raison_sociale", "date_echeance"],
    "emise": ["date_facture"],
    "echeance": ["date_echeance"],
    "montant": ["montant"],
    "reste": ["reste_du_calcule"],
    "palier": ["niveau", "date_echeance"],
}


@require_safe
@exige(Droit.VOIR)
def liste(request):
    au = aujourd_hui()
    toutes = restreindre(request, Echeance.objects.visibles_pour(request.user))
    filtrees = _filtrer(request, toutes)
    vue = valeur_parmi(request, "v", VUES)
    en_litige = Q(pk__in=Litige.objects.ouverts().values("echeance"))
    ouvertes = filtrees.ouvertes()
    choisies = {
        "ouvertes": ouvertes,
        "retard": ouvertes.echues(au),
        "litige": ouvertes.filter(en_litige),
        "soldees": filtrees.filter(impute=F("montant")),
        "toutes": filtrees,
    }[vue]
    # Count("client"), jamais nul : l'index de l'ouvert suffit. Les litiges, peu nombreux, se comptent de leur côté.
    comptes = ouvertes.order_by().aggregate(
        ouvertes=Count("client"), retard=Count("client", filter=Q(date_echeance__lt=au))
    )
    comptes["litige"] = ouvertes.filter(en_litige).count()
    sommes = list(
        choisies.order_by()
        .values("devise")
        .annotate(n=Count("client"), reste=Sum(F("montant") - F("impute")))
        .order_by("devise")
    )
    lignes = Liste(
        request,
        choisies.with_reste_du().with_en_litige().select_related("facture", "client"),
        tris=TRIS,
        defaut="-emise" if vue in ("soldees", "toutes") else "echeance",
    )
    if demande(request):
        return exporter(
            request, lignes.lignes.select_related("client__societe", "facture"), _colonnes(au), nom=_("factures")
        )
    nombre = sum(s["n"] for s in sommes)
    annonce = ngettext("%(n)s échéance", "%(n)s échéances", nombre) % {"n": formats.nombre(nombre)}
    visibles = clients_visibles(request)
    contexte = {
        "au": au,
        "liste": lignes,
        "vues": onglets(request, "v", [(v, libelle, comptes.get(v)) for v, libelle in VUES.items()]),
        "annonce": annonce,
        "resume": " · ".join(
            [annonce, *(f"{formats.somme(s['reste'], s['devise'])} {_('restant dus')}" for s in sommes)]
        ),
        "gestionnaires": gestionnaires(visibles),
        "paliers": [(str(n), libelle) for n, libelle in NatureChoix.choices],
        "devises": [(d, d) for d in _devises(toutes)],
        "plusieurs_societes": len(societes_visibles(request)) > 1,
        "filtree": any(request.GET.get(cle) for cle in ("q", "gestionnaire", "palier", "devise")),
    }
    return rendre(request, "factures/liste.html", "factures/_liste.html", contexte)


def _colonnes(au) -> list[Colonne]:
    paliers = dict(NatureChoix.choices)
    return [
        Colonne(_("Société"), lambda e: e.client.societe.code),
        Colonne(_("Code client"), lambda e: e.client.code),
        Colonne(_("Client"), lambda e: e.client.raison_sociale),
        Colonne(_("Facture"), lambda e: e.facture.numero),
        Colonne(_("Commande"), lambda e: e.facture.commande),
        Colonne(_("Émise le"), lambda e: e.date_facture),
        Colonne(_("Échéance"), lambda e: e.date_echeance),
        Colonne(_("Jours de retard"), lambda e: max((au - e.date_echeance).days, 0) if e.reste_du else 0),
        Colonne(_("Devise"), lambda e: e.devise),
        Colonne(_("Montant"), lambda e: e.montant),
        Colonne(_("Reste dû"), lambda e: e.reste_du),
        Colonne(_("Soldée le"), lambda e: e.soldee_le),
        Colonne(_("Palier"), lambda e: paliers.get(e.niveau, "")),
        Colonne(_("En litige"), lambda e: _("oui") if e.a_un_litige else ""),
        Colonne(_("Contentieux"), lambda e: _("oui") if e.en_contentieux else ""),
    ]


def _filtrer(request, echeances):
    q = texte(request, "q", 60)
    if q:
        echeances = echeances.filter(
            Q(facture__numero__icontains=q)
            | Q(facture__commande__icontains=q)
            | Q(client__raison_sociale__icontains=q)
            | Q(client__code__iexact=q)
        )
    palier = request.GET.get("palier", "")
    if palier in {str(n) for n in NatureChoix.values}:
        echeances = echeances.filter(niveau=int(palier))
    if devise := texte(request, "devise", 3):
        echeances = echeances.filter(devise=devise)
    return du_gestionnaire(echeances, request.GET.get("gestionnaire", ""), "client__gestionnaire")


def _devises(echeances) -> list[str]:
    """Devises des pièces ouvertes, l'euro d'abord ; une seule ne se filtre pas."""
    trouvees = set(echeances.ouvertes().order_by().values_list("devise", flat=True).distinct())
    return sorted(trouvees, key=lambda d: (d != "EUR", d)) if len(trouvees) > 1 else []
