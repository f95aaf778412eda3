"""Annonces BODACC gardées : ce qu'elles disent, et la fiche où une personne le note."""

from django.utils.translation import gettext_lazy, ngettext
from django.views.decorators.http import require_safe

from clients.domaine.registres import Portee
from clients.models import AnnonceBodacc, Client
from recouvrement.commun import formats
from recouvrement.commun.vues import Liste, onglets, rendre, texte, valeur_parmi
from recouvrement.comptes.courante import restreindre
from recouvrement.comptes.droits import Droit, exige

VUES = {
    "clients": gettext_lazy("De vos clients"),
    "ouvertures": gettext_lazy("Ouvertures"),
    "toutes": gettext_lazy("Toutes"),
}
PORTEES = {
    Portee.OUVERTURE: (gettext_lazy("Ouverture"), "mal"),
    Portee.CONVERSION: (gettext_lazy("Conversion"), "att"),
    Portee.EXTENSION: (gettext_lazy("Extension"), "att"),
    Portee.PLAN: (gettext_lazy("Plan arrêté"), "info"),
    Portee.CLOTURE: (gettext_lazy("Clôture"), "info"),
    Portee.ANNULATION: (gettext_lazy("Annulation"), "att"),
    Portee.AUTRE: (gettext_lazy("À lire"), ""),
}
TRIS = {"parution": ["parution_le"], "jugement": ["jugement_le"], "nom": ["nom"]}


@require_safe
@exige(Droit.VOIR)
def liste(request):
    """Celles dont un client porte le SIREN, les ouvertures, ou toutes."""
    visibles = restreindre(request, AnnonceBodacc.objects.visibles_pour(request.user))
    clients = restreindre(request, Client.objects.visibles_pour(request.user))
    vue = valeur_parmi(request, "vue", VUES)
    if vue == "clients":
        visibles = visibles.filter(siren__in=clients.exclude(siren="").values("siren"))
    elif vue == "ouvertures":
        visibles = visibles.filter(texte__portee=str(Portee.OUVERTURE))
    q = texte(request, "q", 60)
    if q:
        visibles = visibles.filter(nom__icontains=q) | visibles.filter(siren=q.replace(" ", ""))
    page = Liste(request, visibles.select_related("societe"), tris=TRIS, defaut="-parution")
    par_siren: dict[tuple[int, str], list[Client]] = {}
    for client in clients.filter(siren__in={a.siren for a in page}).order_by("raison_sociale", "pk"):
        par_siren.setdefault((client.societe_id, client.siren), []).append(client)
    contexte = {
        "liste": page,
        "lignes": [_ligne(a, par_siren.get((a.societe_id, a.siren), [])) for a in page],
        "vues": onglets(request, "vue", list(VUES.items())),
        "filtree": bool(q),
        "annonce": ngettext("%(n)s annonce", "%(n)s annonces", page.total) % {"n": formats.nombre(page.total)},
    }
    return rendre(request, "clients/annonces.html", "clients/_annonces.html", contexte)


def _ligne(annonce: AnnonceBodacc, clients: list[Client]) -> dict:
    dite = annonce.texte.get("portee", "")
    libelle, ton = PORTEES.get(dite, PORTEES[Portee.AUTRE])
    arretes = [c for c in clients if c.jugement_ouverture_le]
    return {
        "a": annonce,
        "portee": libelle,
        "ton": ton,
        "clients": clients[:5],
        "notee": bool(arretes),
        # Ce qu'une personne peut encore noter : la clôture d'une procédure ouverte, un jugement qui n'est pas noté.
        "a_noter": clients[0] if clients and (
            (dite in (Portee.CLOTURE, Portee.PLAN) and any(c.procedure_ouverte for c in arretes))
            or (dite in (Portee.CONVERSION, Portee.EXTENSION) and not arretes)
            or (dite == Portee.ANNULATION and arretes)
        ) else None,
    }  # fmt: skip
