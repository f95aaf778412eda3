"""Gestes sur l'argent reçu : saisir, affecter, défaire ; l'écart se lit pendant la saisie."""

from decimal import Decimal

from django.core.exceptions import ValidationError
from django.http import Http404, HttpResponse
from django.shortcuts import render
from django.urls import reverse
from django.utils.html import format_html_join
from django.utils.translation import gettext as _
from django.views.decorators.http import require_http_methods, require_POST, require_safe

from clients.models import Client
from factures.forms import AffectationForm, EncaissementForm, clients_proposes
from factures.models import Avoir, Echeance, Encaissement
from factures.services import desimputer, enregistrer_encaissement, imputer, imputer_avoir
from recouvrement.commun import formats
from recouvrement.commun.horloge import aujourd_hui
from recouvrement.commun.vues import fait, rediriger, texte
from recouvrement.comptes.droits import Droit, exige, societes_pour, verifier_droit
from relances.services.dues import mises_en_demeure

from .affectation import accessoires_de, ecart_de, pieces_ouvertes, source_visible
from .encaissements import ecran
from .parametres import clients_visibles


def _source(request, genre: str, pk: int):
    source = source_visible(request, f"{genre}-{pk}")
    if source is None:
        raise Http404
    verifier_droit(request.user, Droit.AGIR, source.societe_id)
    return source


@require_POST
@exige(Droit.AGIR)
def affecter(request, genre: str, pk: int):
    """Pose les montants saisis ; refusée, la saisie revient avec ses erreurs (422)."""
    source = _source(request, genre, pk)
    dus = accessoires_de(source)
    form = AffectationForm(request.POST, source=source, echeances=pieces_ouvertes(source), accessoires=dus)
    if form.is_valid():
        poser, plus = imputer_avoir, {}
        if isinstance(source, Encaissement):
            ids = [a.facture.pk for a in dus]
            visees = Echeance.objects.filter(facture__in=ids) if ids else ()
            poser = imputer
            plus = {
                "accessoires": form.parts_accessoires(),
                "mises_en_demeure": mises_en_demeure(source.client, visees, au=aujourd_hui()),
            }
        cle = form.cleaned_data["cle"]
        try:
            imputations = poser(
                source, form.parts(), au=aujourd_hui(), cle=cle, acteur=request.user, vu=form.cleaned_data["vu"],
                designees=form.designees_par_le_debiteur(), **plus,
            )  # fmt: skip
        except ValidationError as erreur:
            form.add_error(None, erreur.messages)
        else:
            total = sum((i.montant for i in imputations), Decimal(0))
            texte = _("%(montant)s affectés.") % {"montant": formats.somme(total, source.devise)}
            fait(request, texte, annuler=reverse("factures:desaffecter", args=[genre, pk, cle]))
            return rediriger(request, _suivant(source))
    return ecran(request, source, form=form, status=422)


def _suivant(source) -> str:
    """La file, sur son premier mouvement : l'affecté en est sorti s'il ne lui reste rien."""
    filtre = "?f=avoirs" if isinstance(source, Avoir) else ""
    return f"{reverse('factures:encaissements')}{filtre}"


@require_safe
@exige(Droit.AGIR)
def ecart(request, genre: str, pk: int):
    """L'écart d'après la saisie en cours ; n'écrit rien."""
    source = _source(request, genre, pk)
    dus = accessoires_de(source)
    form = AffectationForm(request.GET, source=source, echeances=pieces_ouvertes(source), accessoires=dus)
    return render(request, "factures/_ecart.html", {"ecart": ecart_de(form), "reste": form.reste, "source": source})


@require_POST
@exige(Droit.AGIR)
def desaffecter(request, genre: str, pk: int, cle: str):
    """Défait l'affectation posée par un formulaire."""
    source = _source(request, genre, pk)
    rendu = desimputer(source, au=aujourd_hui(), cle=cle, acteur=request.user)
    if rendu:
        fait(request, _("%(montant)s de nouveau à affecter.") % {"montant": formats.somme(rendu, source.devise)})
    return rediriger(request, f"{reverse('factures:encaissements')}?v={genre}-{pk}")


# --- Saisir -------------------------------------------------------------------------------------


def _agissables(request):
    """Clients pour qui la personne peut saisir."""
    return clients_visibles(request).filter(societe__in=societes_pour(request.user, Droit.AGIR))


@require_http_methods(["GET", "HEAD", "POST"])
@exige(Droit.AGIR)
def nouveau(request):
    """Saisir un encaissement, puis l'affecter."""
    au = aujourd_hui()
    clients = _agissables(request)
    if request.method == "POST":
        form = EncaissementForm(request.POST, clients=clients, au=au)
        if form.is_valid():
            donnees = form.cleaned_data
            client: Client = donnees["client"]
            verifier_droit(request.user, Droit.AGIR, client.societe_id)
            try:
                encaissement = enregistrer_encaissement(client, au=au, acteur=request.user, **_champs(donnees))
            except ValidationError as erreur:
                form.add_error(None, erreur.messages)
            else:
                return rediriger(request, f"{reverse('factures:encaissements')}?v=encaissement-{encaissement.pk}")
        return _saisie(request, form, status=422)
    depart = {}
    if (demande := request.GET.get("client", "")).isdecimal() and len(demande) < 18:
        client = clients.filter(pk=int(demande)).first()
        depart = {"client": f"{client.code} – {client.raison_sociale}"} if client else {}
    form = EncaissementForm(initial=depart, clients=clients, au=au)
    return _saisie(request, form)


def _saisie(request, form, status=200):
    contexte = {"form": form, "url_suggestions": reverse("factures:encaissement_clients")}
    return render(request, "factures/encaissement_nouveau.html", contexte, status=status)


def _champs(donnees: dict) -> dict:
    return {nom: donnees[nom] for nom in ("montant", "devise", "recu_le", "mode", "reference", "libelle", "cle")}


@require_safe
@exige(Droit.AGIR)
def suggestions(request):
    """Clients dont le nom ou le code répond à la frappe, en options de liste."""
    trouves = clients_proposes(_agissables(request), texte(request, "client", 60))
    options = format_html_join("", '<option value="{} – {}">', ((c.code, c.raison_sociale) for c in trouves))
    return HttpResponse(options)
