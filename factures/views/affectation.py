"""Affecter un encaissement ou un avoir : propositions, montants par pièce, écart, et de quoi défaire."""

from decimal import Decimal

from django.core.exceptions import ValidationError
from django.http import Http404
from django.shortcuts import render
from django.urls import reverse
from django.utils.translation import gettext as _
from django.views.decorators.http import require_POST, require_safe

from clients.models import Client
from factures.balance import balance_agee
from factures.forms import AffectationForm
from factures.models import Avoir, Echeance, Encaissement
from factures.propositions import AUCUNE, proposer
from factures.services import desimputer, imputer, imputer_avoir
from recouvrement.commun import formats
from recouvrement.commun.horloge import aujourd_hui
from recouvrement.commun.vues import fait, parametres, rediriger, rendre
from recouvrement.comptes.droits import Droit, exige, peut, verifier_droit

MODELES = {"encaissement": Encaissement, "avoir": Avoir}
PIECES_MAX = 100  # les plus anciennes d'abord ; au-delà, l'affectation se fait en plusieurs fois


def source_visible(request, cle: str) -> Encaissement | Avoir | None:
    """« encaissement-12 » ou « avoir-3 » de l'adresse, si la personne le voit."""
    genre, _tiret, pk = cle.partition("-")
    if genre not in MODELES or not pk.isdecimal() or len(pk) > 18:
        return None
    visibles = MODELES[genre].objects.visibles_pour(request.user)
    return visibles.select_related("client__gestionnaire", "societe").filter(pk=int(pk)).first()


def _source(request, genre: str, pk: int):
    source = source_visible(request, f"{genre}-{pk}")
    if source is None:
        raise Http404
    verifier_droit(request.user, Droit.AGIR, source.societe_id)
    return source


def _ouvertes(source) -> list[Echeance]:
    pieces = Echeance.objects.ouvertes().filter(
        societe=source.societe_id, client=source.client_id, devise=source.devise
    )
    return list(pieces.select_related("facture").order_by("date_echeance", "pk")[:PIECES_MAX])


def contexte_affectation(request, source, form: AffectationForm | None = None) -> dict:
    """Le centre et la droite de l'écran pour ce mouvement. `form` : une saisie refusée, à remontrer."""
    au = aujourd_hui()
    jour = source.date if isinstance(source, Encaissement) else source.date_emission
    genre = source._meta.model_name
    reste = source.montant - source.impute
    echeances = _ouvertes(source) if reste else []
    texte = f"{source.reference} {source.libelle}" if genre == "encaissement" else source.numero
    propositions = proposer(reste, texte, echeances, au=jour)
    demandee = request.GET.get("p", "")
    choisie = next((p for p in propositions if p.cle == demandee), propositions[0] if propositions else None)
    if demandee == AUCUNE:
        choisie = None
    if form is None:
        form = AffectationForm(source=source, echeances=echeances, parts=choisie.parts if choisie else {})
    peut_agir = peut(request.user, Droit.AGIR, source.societe_id)
    ligne = next(iter(balance_agee(Client.objects.filter(pk=source.client_id), au=au, devise=source.devise)), None)
    return {
        "source": source,
        "genre": genre,
        "jour": jour,
        "au": au,
        "reste": reste,
        "form": form,
        "ecart": ecart_de(form),
        "propositions": [
            (p, parametres(request, v=f"{genre}-{source.pk}", p=p.cle), p is choisie) for p in propositions
        ],
        "url_garder": parametres(request, v=f"{genre}-{source.pk}", p=AUCUNE),
        "garde": demandee == AUCUNE,
        "affectations": _affectations(source),
        "ligne": ligne,
        "peut_affecter": bool(reste) and peut_agir,
        "peut_defaire": peut_agir,
        "url_affecter": reverse("factures:affecter", args=[genre, source.pk]),
        "url_ecart": reverse("factures:ecart", args=[genre, source.pk]),
        "tronquee": len(echeances) == PIECES_MAX,
    }


def ecart_de(form: AffectationForm) -> dict:
    """Total affecté et ce qui resterait à imputer (négatif : trop affecté)."""
    total = form.total
    return {"total": total, "reste": form.reste - total, "devise": form.source.devise}


def _affectations(source) -> list[dict]:
    """Ce qui est déjà posé, et l'adresse pour le défaire s'il vient d'une saisie."""
    genre = source._meta.model_name
    lignes = []
    for i in source.imputations.select_related("echeance__facture").order_by("date", "pk"):
        origine, _deux_points, suite = i.cle_source.partition(":")
        cle = suite.rpartition(":")[0] if origine == "saisie" else ""
        url = reverse("factures:desaffecter", args=[genre, source.pk, cle]) if cle else ""
        lignes.append({"imputation": i, "echeance": i.echeance, "url": url})
    return lignes


@require_POST
@exige(Droit.AGIR)
def affecter(request, genre: str, pk: int):
    """Pose les montants saisis ; refusée, la saisie revient avec ses erreurs (422)."""
    source = _source(request, genre, pk)
    form = AffectationForm(request.POST, source=source, echeances=_ouvertes(source))
    if form.is_valid():
        poser = imputer if isinstance(source, Encaissement) else imputer_avoir
        cle = form.cleaned_data["cle"]
        try:
            imputations = poser(
                source, form.parts(), au=aujourd_hui(), cle=cle, acteur=request.user, vu=form.cleaned_data["vu"]
            )
        except ValidationError as erreur:
            form.add_error(None, erreur.messages)
        else:
            total = sum((i.montant for i in imputations), Decimal(0))
            texte = _("%(montant)s affectés.") % {"montant": formats.somme(total, source.devise)}
            fait(request, texte, annuler=reverse("factures:desaffecter", args=[genre, pk, cle]))
            return rediriger(request, _suivant(source))
    contexte = contexte_affectation(request, source, form) | {"choisi": source}
    return rendre(request, "factures/affectation.html", "factures/_affectation.html", contexte, status=422)


def _suivant(source) -> str:
    """La file, sur son premier mouvement : l'affecté en est sorti s'il ne lui reste rien."""
    filtre = "?f=avoirs" if isinstance(source, Avoir) else ""
    return f"{reverse('factures:encaissements')}{filtre}"


@require_safe
@exige(Droit.AGIR)
def ecart(request, genre: str, pk: int):
    """L'écart d'après la saisie en cours ; n'écrit rien."""
    source = _source(request, genre, pk)
    form = AffectationForm(request.GET, source=source, echeances=_ouvertes(source))
    return render(request, "factures/_ecart.html", {"ecart": ecart_de(form), "reste": form.reste, "source": source})


@require_POST
@exige(Droit.AGIR)
def desaffecter(request, genre: str, pk: int, cle: str):
    """Défait l'affectation posée par un formulaire."""
    source = _source(request, genre, pk)
    rendu = desimputer(source, cle=cle, acteur=request.user)
    if rendu:
        fait(request, _("%(montant)s de nouveau à affecter.") % {"montant": formats.somme(rendu, source.devise)})
    return rediriger(request, f"{reverse('factures:encaissements')}?v={genre}-{pk}")
