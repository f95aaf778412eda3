"""Une facture : ses échéances, ce qui a été posé dessus, ce que la nuit en pense, et son décompte."""

from dataclasses import dataclass
from datetime import date
from decimal import Decimal

from django.shortcuts import get_object_or_404
from django.utils.translation import gettext as _
from django.views.decorators.http import require_safe

from clients.models import TypeDebiteur
from factures.decompte import Decompte, decompter
from factures.domaine.bareme import Bareme, semestre
from factures.domaine.penalites import Segment
from factures.models import Facture, Imputation, Litige
from factures.services import bareme as bareme_en_base
from recouvrement.commun import formats
from recouvrement.commun.horloge import aujourd_hui
from recouvrement.commun.vues import rendre
from recouvrement.comptes.droits import Droit, exige, peut
from relances import motifs
from relances.domaine.echelle import Motif
from relances.domaine.natures import Nature
from relances.models import Courrier, Relance, Verdict

from .parametres import jour_demande

ZERO = Decimal("0.00")
ARTICLES = {
    TypeDebiteur.ENTREPRISE: "C. com., art. L441-10, II",
    TypeDebiteur.ADMINISTRATION: "CCP, art. R2192-31",
    TypeDebiteur.PARTICULIER: "C. civ., art. 1231-6",
}
ARTICLES_INDEMNITE = {
    TypeDebiteur.ENTREPRISE: "C. com., art. D441-5",
    TypeDebiteur.ADMINISTRATION: "CCP, art. D2192-35",
}


@dataclass
class Compte:
    """Ce que le décompte additionne pour la facture ; rien si une échéance n'a pas pu être comptée."""

    principal: Decimal = ZERO
    interets: Decimal = ZERO
    indemnite: Decimal = ZERO
    total: Decimal = ZERO


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
        e.verdict_dit_par_le_litige = bool(e.litige and verdict and verdict.code == Motif.LITIGE)
    bareme = bareme_en_base()
    decomptes = decompter(echeances, client, au=au, bareme=bareme, mises_en_demeure=_mises_en_demeure(client, ids))
    reste = sum((e.reste_du for e in echeances), ZERO)
    plus_ancienne = min((e.date_echeance for e in echeances if e.reste_du), default=None)
    contexte = {
        "facture": facture,
        "client": client,
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
        "promesses": client.promesses.en_attente().filter(echeances__in=ids).distinct(),
        "courriers": Courrier.objects.filter(relances__echeance__in=ids, relances__statut__in=Relance.VIVANTES)
        .distinct()
        .order_by("-pk"),
        "decomptes": [_montrer(d, client, bareme) for d in decomptes],
        "compte": _additionner(decomptes),
        "manquants": sorted({d.semestre_absent for d in decomptes if d.semestre_absent}),
        "refus": next((d.refus for d in decomptes if d.refus), ""),
        "article": ARTICLES.get(client.type, ""),
        "article_indemnite": ARTICLES_INDEMNITE.get(client.type, ""),
        "peut_agir": peut(request.user, Droit.AGIR, facture.societe_id),
        "resume": _resume(facture),
    }
    return rendre(request, "factures/fiche.html", "factures/_decompte.html", contexte)


def _resume(facture: Facture) -> str:
    morceaux = [facture.client.raison_sociale, _("émise le %(jour)s") % {"jour": formats.jour(facture.date_emission)}]
    if facture.date_execution:
        morceaux.append(_("exécutée le %(jour)s") % {"jour": formats.jour(facture.date_execution)})
    if facture.commande:
        morceaux.append(_("commande %(numero)s") % {"numero": facture.commande})
    return " · ".join(morceaux)


def _mises_en_demeure(client, ids) -> dict[int, date]:
    """{échéance: première présentation du recommandé}, qui fait courir les intérêts d'un particulier."""
    if client.type != TypeDebiteur.PARTICULIER:
        return {}
    parties = (
        Relance.objects.filter(echeance__in=ids, nature=Nature.MISE_EN_DEMEURE, statut=Relance.Statut.ENVOYEE)
        .filter(courrier__presente_le__isnull=False)
        .order_by("-courrier__presente_le")
    )
    return dict(parties.values_list("echeance", "courrier__presente_le"))


def _additionner(decomptes: list[Decompte]) -> Compte | None:
    if any(d.calcul is None for d in decomptes):
        return None
    compte = Compte()
    for d in decomptes:
        compte.principal += d.calcul.principal_restant
        compte.interets += d.calcul.interets_restants
        compte.indemnite += d.calcul.indemnite
        compte.total += d.calcul.total
    return compte


def _montrer(d: Decompte, client, bareme: Bareme) -> dict:
    """Un décompte et, pour chaque segment, d'où vient son taux et comment le refaire."""
    lignes = []
    for genre, objet in d.lignes:
        if genre == "segment":
            lignes.append({"genre": genre, "s": objet, "source": _source(objet, d, client, bareme)})
        else:
            lignes.append({"genre": genre, "p": objet})
    return {"d": d, "echeance": d.echeance, "lignes": lignes}


def _source(s: Segment, d: Decompte, client, bareme: Bareme) -> str:
    """« BCE 2,40 au 01/07/2026 + 10 » : de quoi retrouver le taux dans la table."""
    if client.type == TypeDebiteur.PARTICULIER:
        return _("intérêt légal, %(semestre)s") % {"semestre": s.semestre}
    if client.type == TypeDebiteur.ENTREPRISE and client.taux_penalites is not None:
        return _("taux stipulé au contrat")
    fige = client.type == TypeDebiteur.ADMINISTRATION
    sem = semestre(d.calcul.segments[0].du) if fige else s.semestre
    annee, rang = sem.split("-S")
    premier = date(int(annee), 1 if rang == "1" else 7, 1)
    texte = _("BCE %(refi)s au %(jour)s + %(points)s") % {
        "refi": formats.nombre(bareme.refi_du_semestre(sem), 2),
        "jour": formats.jour(premier),
        "points": 8 if fige else 10,
    }
    return _("%(source)s, figé") % {"source": texte} if fige else texte
