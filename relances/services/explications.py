"""Pourquoi, ou pourquoi pas, une pièce et un jour : l'histoire des verdicts pour hier, la décision pour aujourd'hui."""

from collections.abc import Iterable
from dataclasses import dataclass
from datetime import date, datetime

from django.db.models import Min, Q
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
    return expliquer_toutes([echeance], jour, moment=moment)[echeance.pk]


def expliquer_toutes(echeances: Iterable[Echeance], jour: date, *, moment: datetime) -> dict[int, Explication]:
    """{échéance: verdict} de pièces d'une même société ; le nombre de requêtes ne dépend pas de leur nombre.

    Lève ValueError pour un jour à venir.
    """
    aujourd_hui = moment.date()
    if jour > aujourd_hui:
        raise ValueError(f"jour à venir : {jour}")
    dites, a_juger = {}, []
    for e in echeances:
        if jour < e.date_facture:
            dites[e.pk] = Explication(jour, PAS_ECHUE, _("facturée le %(jour)s") % {"jour": dit(e.date_facture)})
        elif e.soldee_le and e.soldee_le <= jour:
            dites[e.pk] = Explication(jour, SOLDEE, _("soldée le %(jour)s") % {"jour": dit(e.soldee_le)})
        else:
            a_juger.append(e)
    if not a_juger:
        return dites
    return dites | (_rejuger(a_juger, jour, moment) if jour == aujourd_hui else _d_alors(a_juger, jour))


def _rejuger(echeances: list[Echeance], jour: date, moment: datetime) -> dict[int, Explication]:
    """La décision du moment ; une pièce déjà relancée ce jour garde le verdict du passage."""
    societe = echeances[0].societe
    passage = ouvreur(societe)(jour)  # un jour sans passage, la décision du prochain, comme « Ce soir »
    clients = sorted({e.client_id for e in echeances})
    lots = decider_societe(societe, au=passage, clients=clients, toutes=True, moment=moment)
    resultats = [resultat for lot in lots for _f, _p, resultat in lot]
    decisions = {d.echeance.id: d for r in resultats for d in r.decisions}
    modes = {x.echeance.id: v.mode for r in resultats for v in r.envois for x in v.decisions}
    dites, deja = {}, []
    for e in echeances:
        d = decisions.get(e.pk)
        if d is None:
            dites[e.pk] = _pas_echue(e, jour)
        elif d.motif is Motif.DEJA_CE_JOUR:
            deja.append(e)
        else:
            dites[e.pk] = Explication(
                jour, d.motif.value, motifs.phrase(d, modes.get(e.pk)),
                nature=d.palier.nature.value if d.palier else 0, du=jour, prochaine=d.prochaine, rejugee=True,
            )  # fmt: skip
    return dites | (_d_alors(deja, jour) if deja else {})


def _pas_echue(echeance: Echeance, jour: date) -> Explication:
    return Explication(jour, PAS_ECHUE, _("échéance le %(jour)s") % {"jour": dit(echeance.date_echeance)})


def _d_alors(echeances: list[Echeance], jour: date) -> dict[int, Explication]:
    passages = Passage.objects.filter(societe=echeances[0].societe_id).exclude(genre=Passage.Genre.MANUEL)
    suspendu = passages.filter(au=jour, statut=Passage.Statut.SUSPENDU).first()
    if suspendu:
        dite = Explication(jour, Motif.DONNEES_PERIMEES.value, suspendu.motif, du=jour, au=jour)
        return {e.pk: dite for e in echeances}
    fait_foi = passages.filter(au__lte=jour, statut=Passage.Statut.TERMINE).order_by("-au").values_list("au", flat=True)
    passage = fait_foi.first()
    verdicts = {}
    en_vigueur = Verdict.objects.filter(Q(au=None) | Q(au__gte=jour), echeance__in=echeances, du__lte=jour)
    for v in en_vigueur.order_by("du", "pk"):
        verdicts[v.echeance_id] = v  # le plus récent reste
    dites = {}
    for pk, v in verdicts.items():
        libelle = motifs.libelle(v.code)
        phrase = f"{libelle} : {v.detail}" if v.detail else libelle
        dites[pk] = Explication(
            jour, v.code, phrase, nature=v.nature, du=v.du, au=v.au, prochaine=v.prochaine, passage=passage
        )
    return dites | _pas_jugees([e for e in echeances if e.pk not in dites], jour)


def _pas_jugees(echeances: list[Echeance], jour: date) -> dict[int, Explication]:
    """Aucun intervalle ce jour-là : pas encore échue, ou hors de l'histoire connue ; on ne devine pas."""
    dites = {e.pk: _pas_echue(e, jour) for e in echeances if jour <= e.date_echeance}
    restent = [e.pk for e in echeances if e.pk not in dites]
    premiers = {}
    if restent:
        suivants = Verdict.objects.filter(echeance__in=restent, du__gt=jour).order_by("echeance")
        premiers = dict(suivants.values_list("echeance").annotate(premier=Min("du")))
    for pk in restent:
        phrase = _("on ne sait pas : aucun passage ne l'a jugée")
        if premier := premiers.get(pk):
            phrase = _("on ne sait pas : aucun passage ne l'a jugée ce jour-là, le suivant est du %(jour)s")
            phrase %= {"jour": dit(premier)}
        dites[pk] = Explication(jour, INCONNU, phrase, connue=False)
    return dites
