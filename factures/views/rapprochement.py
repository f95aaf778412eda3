"""Rapprochement : à qui est cet argent ? La file, les propositions et leurs raisons, le compte du client."""

from dataclasses import dataclass
from decimal import Decimal

from django.db.models import F, Q
from django.urls import reverse
from django.utils.translation import gettext_lazy, ngettext
from django.views.decorators.http import require_safe

from clients.models import Client
from factures.balance import balance_agee
from factures.forms_rapprochement import AffecterMouvementForm, EcarterForm
from factures.models import Avoir, CompteBancaire, Echeance, MouvementBancaire, SuggestionRapprochement
from factures.services.rapprochement import perimees, reglage, sens_a_rapprocher
from recouvrement.commun import formats
from recouvrement.commun.champs import en_euros
from recouvrement.commun.horloge import aujourd_hui
from recouvrement.commun.vues import Liste, entier, onglets, parametres, rendre, texte, valeur_parmi
from recouvrement.comptes.courante import restreindre, societe_courante
from recouvrement.comptes.droits import Droit, exige, peut

from . import rapprochement_phrases as mots

VUES = {
    "a_rapprocher": gettext_lazy("À rapprocher"),
    "rapproche": gettext_lazy("Rapprochés"),
    "ignore": gettext_lazy("Écartés"),
}
CONFIANCES = {
    "sures": (gettext_lazy("certaines (98 % et plus)"), Q(confiance__gte=98)),
    "probables": (gettext_lazy("probables (60 à 97 %)"), Q(confiance__gte=60, confiance__lt=98)),
    "douteuses": (gettext_lazy("douteuses (sous 60 %)"), Q(confiance__gt=0, confiance__lt=60)),
    "aucune": (gettext_lazy("aucune proposition"), Q(confiance=0)),
}
PAR_PAGE = 30
PIECES_MAX = 60


@dataclass
class Proposition:
    """Une suggestion prête à dire ; `masquee` : son client est d'un autre portefeuille."""

    suggestion: SuggestionRapprochement
    client: Client | None
    masquee: bool
    raisons: list
    url: str = ""
    prise: bool = False

    @property
    def genre(self) -> str:
        return next((g for g in ("deja", "rejet") if g in self.suggestion.parts), "affecter")

    @property
    def parts(self) -> dict:
        p = self.suggestion.parts
        return {
            "echeances": {int(k): en_euros(v) for k, v in p.get("echeances", {}).items()},
            "avoirs": {int(k): en_euros(v) for k, v in p.get("avoirs", {}).items()},
            "ecart": en_euros(p.get("ecart", 0)),
            "nature_ecart": p.get("nature_ecart", ""),
        }


def mouvements_visibles(request):
    return restreindre(request, MouvementBancaire.objects.visibles_pour(request.user)).filter(sens_a_rapprocher())


def _file(request):
    vue = valeur_parmi(request, "etat", VUES)
    lignes = mouvements_visibles(request).filter(statut=vue).select_related("compte", "societe")
    if (compte := entier(request.GET.get("compte"))) is not None:
        lignes = lignes.filter(compte=compte)
    if (confiance := request.GET.get("confiance")) in CONFIANCES and vue == "a_rapprocher":
        lignes = lignes.filter(CONFIANCES[confiance][1])
    if q := texte(request, "q", 60):
        lignes = lignes.filter(Q(libelle__icontains=q) | Q(contrepartie__icontains=q) | Q(reference__icontains=q))
    ordre = ("-confiance", "-date", "-pk") if vue == "a_rapprocher" else ("-traite_le", "-date", "-pk")
    return vue, lignes.order_by(*ordre)


@require_safe
@exige(Droit.VOIR)
def rapprochement(request):
    return ecran(request)


def ecran(request, *, choisi: MouvementBancaire | None = None, form=None, status: int = 200):
    """La file et le mouvement choisi ; `form` : une affectation refusée, à remontrer."""
    vue, lignes = _file(request)
    liste = Liste(request, lignes, par_page=PAR_PAGE)
    page = list(liste)
    demande = entier(request.GET.get("v"), maximum=2**62)
    if choisi is None and demande is not None:
        choisi = mouvements_visibles(request).select_related("compte", "societe").filter(pk=demande).first()
    if choisi is None and page and not request.GET.get("v"):
        choisi = page[0]
    comptes = restreindre(request, CompteBancaire.objects.visibles_pour(request.user))
    attente = mouvements_visibles(request).filter(statut="a_rapprocher")
    societe = choisi.societe if choisi else societe_courante(request)
    seuil = reglage(societe).seuil_automatique if societe else 98
    contexte = {
        "liste": liste,
        "vue": vue,
        "vues": onglets(request, "etat", list(VUES.items())),
        "mouvements": [(m, parametres(request, v=m.pk, s=None, c=None, page=request.GET.get("page"))) for m in page],
        "comptes": [(str(c.pk), str(c)) for c in comptes],
        "confiances": [(cle, libelle) for cle, (libelle, _q) in CONFIANCES.items()],
        "choisi": choisi,
        "introuvable": bool(request.GET.get("v")) and choisi is None,
        "refusee": form is not None,
        "annonce": ngettext("%(n)s mouvement", "%(n)s mouvements", liste.total) % {"n": formats.nombre(liste.total)},
        "certains": attente.filter(confiance__gte=seuil, montant__gt=0).count(),
        "filtre": bool(request.GET.get("q") or request.GET.get("compte") or request.GET.get("confiance")),
        "peut_agir": peut(request.user, Droit.AGIR),
        "peut_regler": peut(request.user, Droit.ADMINISTRER),
        "url_file": reverse("factures:rapprochement"),
    }
    if choisi:
        contexte |= _mouvement(request, choisi, page, form)
    return rendre(request, "factures/rapprochement.html", "factures/_rapprochement.html", contexte, status=status)


def _suivant(request, choisi, page) -> str:
    """Adresse de la file sur le mouvement d'après."""
    cles = [m.pk for m in page]
    rang = cles.index(choisi.pk) if choisi.pk in cles else -1
    apres = cles[rang + 1] if rang + 1 < len(cles) else next((pk for pk in cles if pk != choisi.pk), None)
    return parametres(request, v=apres, s=None, c=None, client=None, page=request.GET.get("page"))


def _mouvement(request, m: MouvementBancaire, page, form) -> dict:
    agir = peut(request.user, Droit.AGIR, m.societe_id)
    visibles = Client.objects.visibles_pour(request.user).filter(societe=m.societe_id)
    propositions = _propositions(request, m, visibles)
    cherche = _client_cherche(request, visibles)
    contexte = {
        "propositions": propositions,
        "peut_traiter": agir and m.statut == "a_rapprocher",
        "peut_defaire": agir and (m.statut != "a_rapprocher" or bool(m.reparti)),
        "encaissements": _encaissements(m, visibles),
        "reste": m.montant - m.reparti,
        "suivant": _suivant(request, m, page),
        "ecarter": EcarterForm(),
        "cherche": cherche,
        "cherche_texte": texte(request, "client", 220),
        "url_suggestions": reverse("factures:encaissement_clients"),
        "url_sans_recherche": parametres(request, v=m.pk, client=None, c=None),
        "prise": None, "form": form, "client": None, "ligne": None, "parts": {}, "au": aujourd_hui(),
    }  # fmt: skip
    prise = None
    if cherche is None:
        voulue = entier(request.GET.get("s"))
        ouvertes = [p for p in propositions if not p.masquee]
        prise = next((p for p in ouvertes if p.suggestion.rang == voulue), ouvertes[0] if ouvertes else None)
    if prise:
        prise.prise = True
        contexte["prise"] = prise
    client = form.client if form else cherche or (prise.client if prise else None)
    contexte["client"] = client
    if client is None:
        return contexte
    contexte["ligne"] = next(
        iter(balance_agee(Client.objects.filter(pk=client.pk), au=contexte["au"], devise=m.devise)), None
    )
    if m.montant > 0 and m.statut == "a_rapprocher" and (not prise or prise.genre == "affecter" or form):
        parts = prise.parts if prise and not form else {}
        contexte["form"] = form or formulaire(m, client, parts=parts)
    return contexte


def _propositions(request, m: MouvementBancaire, visibles) -> list[Proposition]:
    if m.statut != "a_rapprocher":
        return []
    lues = list(m.suggestions.select_related("client").order_by("rang"))
    mortes = perimees(lues)
    vus = set(visibles.filter(pk__in=[s.client_id for s in lues if s.client_id]).values_list("pk", flat=True))
    return [
        Proposition(
            s, s.client if s.client_id in vus else None, s.client_id not in vus, mots.phrases(s.raisons, m.devise),
            parametres(request, v=m.pk, s=s.rang, c=None, client=None),
        )
        for s in lues if s.pk not in mortes
    ]  # fmt: skip


def _client_cherche(request, visibles) -> Client | None:
    """Le client d'un autre choix : « code – nom » saisi, ou sa clé."""
    if (pk := entier(request.GET.get("c"))) is not None:
        return visibles.filter(pk=pk).first()
    if saisi := texte(request, "client", 220):
        return visibles.filter(code=saisi.split(" – ")[0].strip()).first()
    return None


def pieces(m: MouvementBancaire, client: Client, connues=()) -> tuple[list[Echeance], list[Avoir]]:
    """Échéances et avoirs ouverts de ce client dans la devise du mouvement ; celles de la suggestion d'abord."""
    ouvertes = Echeance.objects.ouvertes().filter(societe=m.societe_id, client=client, devise=m.devise)
    lues = list(ouvertes.select_related("facture").order_by("date_echeance", "pk")[:PIECES_MAX])
    manquantes = set(connues) - {e.pk for e in lues}
    if manquantes:
        lues += list(ouvertes.filter(pk__in=manquantes).select_related("facture"))
    lues.sort(key=lambda e: e.pk not in connues)
    avoirs = Avoir.objects.filter(societe=m.societe_id, client=client, devise=m.devise, impute__lt=F("montant"))
    return lues, list(avoirs.order_by("date_emission", "pk")[:PIECES_MAX])


def formulaire(m: MouvementBancaire, client: Client, donnees=None, *, parts=None) -> AffecterMouvementForm:
    connues = (parts or {}).get("echeances", ())
    if donnees is not None:  # une pièce postée hors des plus anciennes est encore à relire
        connues = [pk for cle in donnees if cle[:1] == "e" and (pk := entier(cle[1:], maximum=2**62)) is not None]
    echeances, avoirs = pieces(m, client, connues)
    return AffecterMouvementForm(donnees, mouvement=m, client=client, echeances=echeances, avoirs=avoirs, parts=parts)


def _encaissements(m: MouvementBancaire, visibles) -> list[dict]:
    """Ce que ce mouvement est devenu ; le client d'un autre portefeuille reste masqué."""
    if not m.reparti and not m.rejet_de_id:
        return []
    siens = list(m.encaissements.select_related("client").order_by("pk"))
    if m.rejet_de_id:
        siens.append(m.rejet_de)
    vus = set(visibles.filter(pk__in=[e.client_id for e in siens]).values_list("pk", flat=True))
    return [{"encaissement": e, "client": e.client if e.client_id in vus else None} for e in siens]


def total_certain(suggestions) -> dict[str, Decimal]:
    """{devise: somme} des mouvements de ces suggestions."""
    totaux: dict[str, Decimal] = {}
    for s in suggestions:
        m = s.mouvement
        totaux[m.devise] = totaux.get(m.devise, Decimal(0)) + m.montant - m.reparti
    return totaux
