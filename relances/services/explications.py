"""Pourquoi, ou pourquoi pas, une pièce et un jour : l'histoire des verdicts pour hier, la décision pour aujourd'hui."""

from dataclasses import dataclass
from datetime import date, datetime

from django.db.models import Q
from django.utils.translation import gettext as _

from factures.models import Echeance
from recouvrement.commun.formats import jour as dit
from relances import motifs
from relances.domaine.echelle import Motif
from relances.models import Passage, Verdict

from .faits import ouvreur
from .nuit import decider_societe

PAS_ECHUE, SOLDEE, INCONNU = "pas_echue", "soldee", "inconnu"


@dataclass(frozen=True)
class Explication:
    """Le verdict d'un jour. connue faux : personne n'a jugé la pièce ce jour-là, et `phrase` le dit.

    code : un `Motif`, ou pas_echue, soldee, inconnu. du, au : l'intervalle du verdict (au vide : encore vrai).
    passage : dernier passage terminé ce jour-là ou avant, celui qui fait foi ; rejugee : décidé à l'instant.
    """

    jour: date
    code: str
    phrase: str
    connue: bool = True
    nature: int = 0
    du: date | None = None
    au: date | None = None
    prochaine: date | None = None
    passage: date | None = None
    rejugee: bool = False


def expliquer(echeance: Echeance, jour: date, *, moment: datetime) -> Explication:
    """Le verdict de la pièce au jour dit. moment : maintenant, heure de Paris.

    Lève ValueError pour un jour à venir : l'essai à blanc (`ce_soir`) répond à cette question-là.
    """
    aujourd_hui = moment.date()
    if jour > aujourd_hui:
        raise ValueError(f"jour à venir : {jour}")
    if jour < echeance.date_facture:
        return Explication(jour, PAS_ECHUE, _("facturée le %(jour)s") % {"jour": dit(echeance.date_facture)})
    if echeance.soldee_le and echeance.soldee_le <= jour:
        return Explication(jour, SOLDEE, _("soldée le %(jour)s") % {"jour": dit(echeance.soldee_le)})
    if jour == aujourd_hui:
        return _rejuger(echeance, jour, moment)
    return _d_alors(echeance, jour)


def _rejuger(echeance: Echeance, jour: date, moment: datetime) -> Explication:
    """La décision du moment ; une pièce déjà relancée ce jour garde le verdict du passage."""
    passage = ouvreur(echeance.societe)(jour)  # un jour sans passage, la décision du prochain, comme « Ce soir »
    lots = decider_societe(echeance.societe, au=passage, clients=[echeance.client_id], toutes=True, moment=moment)
    resultats = [resultat for lot in lots for _f, _p, resultat in lot]
    d = next((d for r in resultats for d in r.decisions if d.echeance.id == echeance.pk), None)
    mode = next(
        (v.mode for r in resultats for v in r.envois for x in v.decisions if x.echeance.id == echeance.pk), None
    )
    if d is None:
        return _pas_echue(echeance, jour)
    if d.motif is Motif.DEJA_CE_JOUR:
        return _d_alors(echeance, jour)
    return Explication(
        jour, d.motif.value, motifs.phrase(d, mode), nature=d.palier.nature.value if d.palier else 0, du=jour,
        prochaine=d.prochaine, rejugee=True,
    )  # fmt: skip


def _pas_echue(echeance: Echeance, jour: date) -> Explication:
    return Explication(jour, PAS_ECHUE, _("échéance le %(jour)s") % {"jour": dit(echeance.date_echeance)})


def _d_alors(echeance: Echeance, jour: date) -> Explication:
    passages = Passage.objects.filter(societe=echeance.societe_id).exclude(genre=Passage.Genre.MANUEL)
    suspendu = passages.filter(au=jour, statut=Passage.Statut.SUSPENDU).first()
    if suspendu:
        return Explication(jour, Motif.DONNEES_PERIMEES.value, suspendu.motif, du=jour, au=jour)
    fait_foi = passages.filter(au__lte=jour, statut=Passage.Statut.TERMINE).order_by("-au").values_list("au", flat=True)
    verdict = (
        Verdict.objects.filter(Q(au=None) | Q(au__gte=jour), echeance=echeance, du__lte=jour).order_by("-du").first()
    )
    if verdict is None:
        return _pas_jugee(echeance, jour)
    libelle = motifs.libelle(verdict.code)
    return Explication(
        jour, verdict.code, f"{libelle} : {verdict.detail}" if verdict.detail else libelle, nature=verdict.nature,
        du=verdict.du, au=verdict.au, prochaine=verdict.prochaine, passage=fait_foi.first(),
    )  # fmt: skip


def _pas_jugee(echeance: Echeance, jour: date) -> Explication:
    """Aucun intervalle ce jour-là : pas encore échue, ou hors de l'histoire connue ; on ne devine pas."""
    if jour <= echeance.date_echeance:
        return _pas_echue(echeance, jour)
    premier = Verdict.objects.filter(echeance=echeance, du__gt=jour).order_by("du").values_list("du", flat=True).first()
    if premier:
        phrase = _("on ne sait pas : aucun passage ne l'a jugée ce jour-là, le suivant est du %(jour)s")
        return Explication(jour, INCONNU, phrase % {"jour": dit(premier)}, connue=False)
    return Explication(jour, INCONNU, _("on ne sait pas : aucun passage ne l'a jugée"), connue=False)
