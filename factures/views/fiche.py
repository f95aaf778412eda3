"""Une facture : ses échéances, ce qui a été posé dessus, ce que la nuit en pense, et son décompte."""

from decimal import Decimal

from django.shortcuts import get_object_or_404
from django.urls import reverse
from django.utils.translation import gettext as _
from django.views.decorators.http import require_safe

from factures.compte import poser_retenues
from factures.domaine.maximums import anomalies
from factures.models import Facture, Imputation, Litige
from recouvrement.commun import formats
from recouvrement.commun.horloge import aujourd_hui
from recouvrement.commun.vues import rendre
from recouvrement.comptes.droits import Droit, exige, peut
from relances import motifs
from relances.domaine.echelle import Motif
from relances.models import Courrier, Relance, Verdict
from relances.services.decomptes import etablir

from . import copies, efacture, statuts_fe
from .comptabilite import DouteuxForm
from .decompte import RenonciationForm, VueDecompte
from .parametres import jour_demande

ZERO = Decimal("0.00")


@require_safe
@exige(Droit.VOIR)
def fiche(request, pk: int):
    facture = get_object_or_404(
        Facture.objects.visibles_pour(request.user).select_related("client__gestionnaire", "societe"), pk=pk
    )
    au = jour_demande(request)
    client = facture.client
    echeances = list(facture.echeances.with_en_litige().order_by("date_echeance", "pk"))
    ids = [e.pk for e in echeances]
    verdicts = {v.echeance_id: v for v in Verdict.objects.courants().filter(echeance__in=ids)}
    litiges = {
        x.echeance_id: x for x in Litige.objects.ouverts().filter(echeance__in=ids).select_related("responsable")
    }
    for e in echeances:
        verdict = verdicts.get(e.pk)
        e.litige = litiges.get(e.pk)
        e.verdict = (motifs.libelle(verdict.code), verdict.detail, verdict.prochaine) if verdict else None
        e.preleve = e.reste_du and (e.prelevement or client.prelevement) and not e.prelevement_rejete
        e.verdict_dit_par_le_litige = bool(e.litige and verdict and verdict.code == Motif.LITIGE)
    poser_retenues(echeances, au=aujourd_hui())
    decomptes = etablir(client, au=au, factures=[facture.pk], avec_credits=False)
    reste = sum((e.reste_du for e in echeances), ZERO)
    plus_ancienne = min((e.date_echeance for e in echeances if e.reste_du), default=None)
    contexte = {
        "facture": facture,
        "client": client,
        "anomalies": _anomalies(facture, echeances),
        "au": au,
        "echeances": echeances,
        "reste": reste,
        "regle": sum((e.impute for e in echeances), ZERO),
        "aujourd_hui": aujourd_hui(),
        "plus_ancienne": plus_ancienne,
        "ton_retard": "t-mal" if plus_ancienne and plus_ancienne < aujourd_hui() else "",
        "imputations": Imputation.objects.filter(echeance__in=ids)
        .select_related("echeance", "encaissement", "avoir")
        .order_by("date", "pk"),
        "douteux": facture.douteux.en_cours().first(),
        "form_douteux": DouteuxForm(initial={"le": aujourd_hui()}),
        "peut_douter": peut(request.user, Droit.CONTENTIEUX, facture.societe_id) and bool(reste),
        "promesses": client.promesses.en_attente().filter(echeances__in=ids).distinct(),
        "courriers": Courrier.objects.filter(relances__echeance__in=ids, relances__statut__in=Relance.ATTEINTES)
        .distinct()
        .order_by("-pk"),
        "v": VueDecompte(decomptes[0], deplies=None) if decomptes else None,
        "renonciation": facture.renonciations.en_vigueur().select_related("auteur").first(),
        "renonciation_form": RenonciationForm(facture=facture),
        "retour": reverse("factures:fiche", args=[facture.pk]),
        "peut_agir": peut(request.user, Droit.AGIR, facture.societe_id),
        "resume": _resume(facture),
        **copies.contexte(request, facture),
        **statuts_fe.contexte(request, facture, echeances),
        **efacture.contexte(facture),
    }
    return rendre(request, "factures/fiche.html", "factures/_decompte.html", contexte)


def _anomalies(facture: Facture, echeances) -> list[str]:
    """Dates impossibles ou au-delà du maximum légal : des avertissements, jamais un blocage (droit.md § 2)."""
    client = facture.client
    phrases = (
        anomalies(
            facture.date_emission, e.date_echeance, debiteur=client.type, conditions=client.conditions,
            choisi=client.cas_delai, execution=facture.date_execution, au=aujourd_hui(),
        )
        for e in echeances
    )  # fmt: skip
    return list(dict.fromkeys(phrase for lot in phrases for phrase in lot))


def _resume(facture: Facture) -> str:
    morceaux = [facture.client.raison_sociale, _("émise le %(jour)s") % {"jour": formats.jour(facture.date_emission)}]
    if facture.date_execution:
        morceaux.append(_("exécutée le %(jour)s") % {"jour": formats.jour(facture.date_execution)})
    if facture.commande:
        morceaux.append(_("commande %(numero)s") % {"numero": facture.commande})
    return " · ".join(morceaux)
