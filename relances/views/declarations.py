"""Ce que les clients déclarent sur leur page : la liste, la déclaration et ses suites en un geste."""

from django import forms
from django.contrib import messages
from django.core.exceptions import ValidationError
from django.db.models import Count
from django.shortcuts import get_object_or_404
from django.urls import reverse
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy, ngettext
from django.views.decorators.http import require_POST, require_safe

from clients.models import Client
from recouvrement.commun import formats
from recouvrement.commun.forms import JourField
from recouvrement.commun.horloge import aujourd_hui
from recouvrement.commun.vues import Liste, adresse, entier, fait, onglets, rediriger, rendre, valeur_parmi
from recouvrement.comptes.courante import restreindre
from recouvrement.comptes.droits import Droit, exige, peut, verifier_droit
from relances.models import Declaration
from relances.services import declarations_portail_suites as suites
from relances.services.declarations_portail_mots import precision, resume

S, G = Declaration.Statut, Declaration.Genre
VUES = {
    "a_traiter": gettext_lazy("À traiter"), "acceptee": gettext_lazy("Prises en compte"),
    "ecartee": gettext_lazy("Écartées"),
}  # fmt: skip
TRIS = {"date": ["faite_le"], "client": ["client__raison_sociale"], "montant": ["montant"]}
SIGNES = {
    G.PAYE: "circle-check", G.CONTESTE: "hand-stop", G.PROMET: "calendar", G.DELAI: "calendar-due",
    G.CARTE: "credit-card",
}  # fmt: skip
TONS = {S.A_TRAITER: "att", S.ACCEPTEE: "bon", S.ECARTEE: "vide"}
# Le bouton dit ce qui en naît.
ACCEPTER = {
    G.PAYE: gettext_lazy("Attendre ce paiement"), G.CONTESTE: gettext_lazy("Ouvrir le litige"),
    G.PROMET: gettext_lazy("Noter la promesse"), G.DELAI: gettext_lazy("Préparer l'échéancier à signer"),
    G.CARTE: gettext_lazy("Prendre en compte"),
}  # fmt: skip
FAITS = {
    G.PAYE: gettext_lazy("Le paiement est attendu : une tâche vous le rappelle."),
    G.CONTESTE: gettext_lazy("Litige ouvert : seule la part contestée est retenue."),
    G.PROMET: gettext_lazy("Promesse notée."),
    G.DELAI: gettext_lazy("Échéancier préparé : le client le signe sur sa page."),
    G.CARTE: gettext_lazy("Paiement par carte pris en compte."),
}  # fmt: skip


class SuiteForm(forms.Form):
    """Le mot au client, et la date de réponse d'un litige."""

    mot = forms.CharField(
        label=gettext_lazy("Mot au client"), max_length=2000, required=False, widget=forms.Textarea(attrs={"rows": 3})
    )
    a_traiter_le = JourField(label=gettext_lazy("Réponse promise le"), required=False)


def _visibles(request):
    return restreindre(request, Declaration.objects.visibles_pour(request.user), "client__societe")


@require_safe
@exige(Droit.VOIR)
def liste(request):
    """Les déclarations par suite donnée ; `?client=` n'en garde qu'un."""
    visibles = _visibles(request)
    client = None
    if (pk := entier(request.GET.get("client"))) is not None:
        client = get_object_or_404(Client.objects.visibles_pour(request.user), pk=pk)
        visibles = visibles.filter(client=client)
    comptes = dict(visibles.order_by().values_list("statut").annotate(n=Count("pk")))
    vue = valeur_parmi(request, "v", VUES)
    lignes = visibles.filter(statut=vue).select_related("client", "decidee_par").prefetch_related("echeances__facture")
    page = Liste(request, lignes, tris=TRIS, defaut="date" if vue == S.A_TRAITER else "-date")
    contexte = {
        "liste": page,
        "lignes": [_ligne(d) for d in page],
        "onglets": onglets(request, "v", [(v, str(nom), comptes.get(v, 0)) for v, nom in VUES.items()]),
        "vue": vue,
        "filtre": client,
        "annonce": ngettext("%(n)s déclaration", "%(n)s déclarations", page.total) % {"n": formats.nombre(page.total)},
    }
    return rendre(request, "relances/declarations.html", "relances/_declarations.html", contexte)


def _ligne(d: Declaration) -> dict:
    return {
        "d": d, "resume": resume(d), "precision": precision(d), "signe": SIGNES[d.genre], "ton": TONS[d.statut],
        "pieces": ", ".join(sorted({e.facture.numero for e in d.echeances.all()})),
    }  # fmt: skip


def _declaration(request, pk: int) -> Declaration:
    lues = Declaration.objects.visibles_pour(request.user).select_related(
        "client__societe", "client__gestionnaire", "lien__courrier", "lien__message", "decidee_par", "accord",
        "promesse", "litige",
    )  # fmt: skip
    return get_object_or_404(lues, pk=pk)


@require_safe
@exige(Droit.VOIR)
def fiche(request, pk: int):
    """Une déclaration : ce que c'est, d'où elle vient, ses fichiers, ce qu'on peut en faire."""
    return _montrer(request, _declaration(request, pk))


def _montrer(request, d: Declaration, form: SuiteForm | None = None, *, status: int = 200):
    au = aujourd_hui()
    depart = {"a_traiter_le": suites.reponse_attendue(d, au=au)} if d.genre == G.CONTESTE else {}
    documents = [(x, adresse("clients:document", d.client_id, x.pk)) for x in d.documents.all()]
    ne = d.litige_id or d.promesse_id or d.accord_id
    contexte = {
        **_ligne(d),
        "form": form or SuiteForm(initial=depart),
        "pieces_visees": d.echeances.select_related("facture").order_by("date_echeance", "pk"),
        "documents": documents,
        "accepter": ACCEPTER[d.genre],
        "peut_agir": peut(request.user, Droit.AGIR, d.client.societe_id) and d.statut == S.A_TRAITER,
        "peut_remettre": d.statut != S.A_TRAITER and not ne and d.genre != G.CARTE
        and peut(request.user, Droit.AGIR, d.client.societe_id),
        "source": _source(d),
        "fil": [(_("Déclarations"), reverse("relances:declarations")), (str(d.client), _fiche_client(d))],
    }  # fmt: skip
    return rendre(request, "relances/declaration.html", "relances/_declaration.html", contexte, status=status)


def _fiche_client(d: Declaration) -> str:
    return reverse("clients:fiche", args=[d.client_id])


def _source(d: Declaration) -> str:
    """D'où vient le lien : le courrier ou le message qui le portait, ou donné à la main."""
    if d.lien.courrier:
        return _("lien du courrier %(reference)s") % {"reference": d.lien.courrier.reference or d.lien.courrier_id}
    if d.lien.message:
        return _("lien du message « %(objet)s »") % {"objet": d.lien.message.objet}
    return _("lien donné le %(jour)s") % {"jour": formats.jour(d.lien.cree_le)}


@require_POST
@exige(Droit.AGIR)
def accepter(request, pk: int):
    """Litige, promesse, échéancier ou vérification : la déclaration devient ce qu'elle dit."""
    return _decider(
        request, pk, lambda d, c: suites.accepter(
            d, au=aujourd_hui(), acteur=request.user, mot=c["mot"], a_traiter_le=c["a_traiter_le"]
        ), dire=lambda d: str(FAITS[d.genre]),
    )  # fmt: skip


@require_POST
@exige(Droit.AGIR)
def ecarter(request, pk: int):
    """Rien n'en vient ; le client lit pourquoi."""
    return _decider(
        request, pk, lambda d, c: suites.ecarter(d, mot=c["mot"], acteur=request.user),
        dire=lambda d: _("Écartée : votre mot part dans dix secondes."),
    )  # fmt: skip


def _decider(request, pk: int, geste, *, dire):
    d = _declaration(request, pk)
    verifier_droit(request.user, Droit.AGIR, d.client.societe_id)
    form = SuiteForm(request.POST)
    if d.statut != S.A_TRAITER:
        messages.info(request, _("Déjà décidée : %(suite)s.") % {"suite": d.get_statut_display().lower()})
        return rediriger(request, reverse("relances:declaration", args=[pk]))
    if form.is_valid():
        try:
            d = geste(d, form.cleaned_data)
        except ValidationError as erreur:
            for phrase in erreur.messages:
                form.add_error("mot" if "mot" in getattr(erreur, "error_dict", {}) else None, phrase)
        else:
            defaire = (
                ""
                if d.litige_id or d.promesse_id or d.accord_id
                else reverse("relances:declaration_remettre", args=[pk])
            )
            fait(request, dire(d), annuler=defaire)
            return rediriger(request, reverse("relances:declaration", args=[pk]))
    return _montrer(request, d, form, status=422)


@require_POST
@exige(Droit.AGIR)
def remettre(request, pk: int):
    """Défait : la déclaration redevient à traiter, le mot qui n'est pas parti ne part pas."""
    d = _declaration(request, pk)
    verifier_droit(request.user, Droit.AGIR, d.client.societe_id)
    if suites.remettre_a_traiter(d, au=aujourd_hui(), acteur=request.user):
        fait(request, _("Remise à traiter."))
    else:
        messages.info(request, _("Cette décision ne se défait plus d'ici."))
    return rediriger(request, reverse("relances:declaration", args=[pk]))
