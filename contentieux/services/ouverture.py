"""Ouvrir un dossier : une décision humaine, dans les conditions de la loi et de la maison (exigence 35)."""

from collections.abc import Iterable
from dataclasses import dataclass, field
from datetime import date

from django.core.exceptions import ValidationError
from django.db import transaction
from django.db.models import Max
from django.db.models.functions import Coalesce
from django.utils import timezone
from django.utils.translation import gettext as _

from clients.models import Client, Suspension, TypeDebiteur
from contentieux.domaine.tribunaux import Juridiction, proposer
from contentieux.donnees import ressorts_tae
from contentieux.models import DossierContentieux, DossierEcheance
from factures.models import Echeance, Echeancier, Exclusion, Litige, Promesse
from factures.services.procedures import posterieures
from recouvrement.commun.formats import jour as ecrire_jour
from recouvrement.comptes.models import Societe
from recouvrement.journal.services import consigner
from relances.domaine.freins import (
    FE_APPROUVEE_EN_PARTIE,
    FE_ARRETENT,
    FE_ENCAISSEE,
    FE_PAIEMENT_TRANSMIS,
    FE_RETIENNENT,
)
from relances.domaine.natures import Nature
from relances.models import Courrier, Relance, Tache
from relances.services.receptions import fin_du_delai

from .pieces import poser_les_pieces
from .prescriptions import PARTIS, jour_du_courrier


@dataclass
class Candidate:
    """Une échéance ouverte du client et ce qui s'oppose à son entrée au dossier."""

    echeance: Echeance
    refus: list[str] = field(default_factory=list)  # rien ne les lève
    derogeables: list[str] = field(default_factory=list)  # une dérogation motivée les lève


Voie = DossierContentieux.Voie


def voie_de(client: Client) -> str:
    """La seule voie ouverte à ce débiteur."""
    return Voie.MANDATEMENT if client.type == TypeDebiteur.ADMINISTRATION else Voie.INJONCTION


@dataclass(frozen=True)
class Examen:
    """Ce que l'on peut porter au contentieux pour un client, et pourquoi pas le reste."""

    client: Client
    refus: tuple[str, ...]
    derogeables: tuple[str, ...]
    candidates: tuple[Candidate, ...]
    juridiction: Juridiction

    @property
    def possible(self) -> bool:
        return not self.refus and any(not c.refus for c in self.candidates)


def juridiction_proposee(client: Client, *, au: date) -> Juridiction:
    """Juridiction du lieu où demeure le débiteur, à relire par une personne."""
    return proposer(
        type_debiteur=client.type,
        forme=client.forme,
        code_postal=client.code_postal,
        ville=client.ville,
        pays=client.pays,
        ressorts=ressorts_tae(),
        au=au,
    )


def examiner(
    client: Client, *, au: date, echeances: Iterable[int] | None = None, voie: str = Voie.INJONCTION
) -> Examen:
    """Conditions d'ouverture, en un nombre fixe de requêtes. `echeances` : identifiants, sinon toutes les ouvertes."""
    refus, derogeables = _conditions_du_client(client, au=au, voie=voie)
    lues = Echeance.objects.filter(client=client).select_related("facture", "client")
    lues = lues.ouvertes() if echeances is None else lues.filter(pk__in=list(echeances))
    candidates = [Candidate(e) for e in lues.order_by("date_echeance", "pk")]
    _juger(candidates, au=au, voie=voie)
    return Examen(client, refus, derogeables, tuple(candidates), juridiction_proposee(client, au=au))


def _conditions_du_client(client: Client, *, au: date, voie: str) -> tuple[tuple[str, ...], tuple[str, ...]]:
    refus, derogeables = [], []
    if client.type == TypeDebiteur.A_QUALIFIER:
        refus.append(_("Le type du client est à qualifier : la juridiction et la procédure en dépendent."))
    if client.type == TypeDebiteur.ADMINISTRATION and voie == Voie.INJONCTION:
        refus.append(
            _("Une personne publique ne se poursuit pas par injonction de payer : mandatement d'office d'une "
              "collectivité (CGCT, art. L1612-16) ou référé-provision, seul contre l'État (CJA, art. R541-1).")
        )  # fmt: skip
    if client.type != TypeDebiteur.ADMINISTRATION and voie == Voie.MANDATEMENT:
        refus.append(_("Le mandatement d'office n'atteint que les personnes publiques (CGCT, art. L1612-16)."))
    if client.jugement_ouverture_le and client.jugement_ouverture_le <= au and client.procedure_ouverte:
        refus.append(
            _("Procédure collective ouverte le %(jour)s : les poursuites sont arrêtées (C. com., art. L622-21), "
              "la créance se déclare.") % {"jour": ecrire_jour(client.jugement_ouverture_le)}
        )  # fmt: skip
    if client.surendettement:
        refus.append(_("Surendettement recevable : les poursuites sont suspendues (C. conso., art. L722-2)."))
    suspension = Suspension.objects.en_cours(au).filter(client=client).order_by("-au").first()
    if suspension:
        derogeables.append(
            _("Relances suspendues jusqu'au %(jour)s : %(motif)s.")
            % {"jour": ecrire_jour(suspension.au), "motif": suspension.motif}
        )
    return tuple(refus), tuple(derogeables)


def _juger(candidates: list[Candidate], *, au: date, voie: str) -> None:
    ids = [c.echeance.pk for c in candidates]
    # Un litige sur une échéance conteste la facture : l'autre échéance n'en devient pas certaine.
    factures = {c.echeance.facture_id for c in candidates}
    ouverts = Litige.objects.ouverts().filter(echeance__facture__in=factures)
    litiges = set(ouverts.values_list("echeance__facture", flat=True))
    prises = dict(
        DossierEcheance.objects.filter(echeance__in=ids, active=True).values_list("echeance", "dossier__reference")
    )
    promises = dict(Promesse.objects.en_attente().filter(echeances__in=ids).values_list("echeances", "date_promise"))
    exclues = dict(Exclusion.objects.en_cours(au).filter(echeance__in=ids).order_by("au").values_list("echeance", "au"))
    accords, ruptures = _echeanciers(ids, au=au)
    closes = {c.echeance.pk for c in candidates if c.echeance.client.procedure_cloturee_le}
    anterieures = closes - posterieures(closes) if closes else set()
    au_prefet = voie == Voie.MANDATEMENT
    # Une dette publique se réclame par écrit, sans mise en demeure de droit privé (droit.md § 3).
    reclamees = _reclamees(ids) if au_prefet else {}
    demeures = {} if au_prefet else _mises_en_demeure(ids)
    for c in candidates:
        e = c.echeance
        if e.reste_du <= 0:
            c.refus.append(_("déjà soldée"))
        if e.date_echeance >= au:
            c.refus.append(_("pas encore échue"))
        if e.facture_id in litiges:
            c.refus.append(
                _("litige ouvert : une dépense sérieusement contestée ne se mandate pas d'office") if au_prefet
                else _("litige ouvert : une créance contestée ne va pas en injonction")
            )  # fmt: skip
        if e.pk in prises:
            c.refus.append(_("déjà au dossier %(reference)s") % {"reference": prises[e.pk]})
        if e.pk in accords:
            c.refus.append(accords[e.pk])
        if e.pk in anterieures:
            c.refus.append(_("née avant le jugement d'ouverture : elle ne se poursuit plus (C. com., art. L622-21)"))
        if _preleve(e):
            c.refus.append(_("réglée par prélèvement : constatez d'abord son rejet"))
        _juger_le_statut(c)
        if e.pk in exclues:
            c.derogeables.append(_("exclue des relances jusqu'au %(jour)s") % {"jour": ecrire_jour(exclues[e.pk])})
        if e.pk in promises:
            c.derogeables.append(_("promesse en cours pour le %(jour)s") % {"jour": ecrire_jour(promises[e.pk])})
        courrier = demeures.get(e.pk)
        derniere = reclamees.get(e.pk) if au_prefet else courrier and jour_du_courrier(courrier)
        rompu_le = ruptures.get(e.pk)
        if rompu_le and (derniere is None or derniere <= rompu_le):
            c.refus.append(
                _("échéancier rompu le %(jour)s : la déchéance du terme attend une mise en demeure postérieure "
                  "(1re civ., 22/06/2017)") % {"jour": ecrire_jour(rompu_le)}
            )  # fmt: skip
        if au_prefet:
            if e.pk not in reclamees:
                c.derogeables.append(_("aucune demande de paiement écrite"))
        elif courrier is None:
            c.derogeables.append(_("aucune mise en demeure envoyée"))
        elif courrier.retour == Courrier.Retour.NPAI:
            c.derogeables.append(_("mise en demeure revenue « inconnu à l'adresse » : son effet est incertain"))
        elif (fin := fin_du_delai(courrier)) and fin >= au:
            limite = {"jour": ecrire_jour(fin)}
            c.derogeables.append(
                _("le délai de la mise en demeure court jusqu'au %(jour)s") % limite if fin == courrier.date_limite
                else _("mise en demeure reçue trop tard : délai raisonnable jusqu'au %(jour)s") % limite
            )  # fmt: skip


def _preleve(e: Echeance) -> bool:
    return (e.prelevement or e.client.prelevement) and not e.prelevement_rejete


def _juger_le_statut(c: Candidate) -> None:
    """Ce que la plateforme dit de la facture (droit.md § 12) : une créance refusée ou contestée n'est pas certaine."""
    code = c.echeance.facture.statut_fe
    if code in FE_ARRETENT:
        c.refus.append(_("facture refusée ou rejetée sur la plateforme (statut %(code)s)") % {"code": code})
    elif code in FE_RETIENNENT:
        c.refus.append(_("facture en litige ou suspendue sur la plateforme (statut %(code)s)") % {"code": code})
    elif code == FE_APPROUVEE_EN_PARTIE:
        c.derogeables.append(_("facture approuvée en partie sur la plateforme (statut 206)"))
    elif code in (FE_PAIEMENT_TRANSMIS, FE_ENCAISSEE):
        c.derogeables.append(_("paiement annoncé sur la plateforme (statut %(code)s)") % {"code": code})


def _echeanciers(ids: list[int], *, au: date) -> tuple[dict[int, str], dict[int, date]]:
    """({échéance: pourquoi son accord de paiement l'écarte}, {échéance: jour d'une rupture qui déchoit du terme}).

    Un terme accordé ne s'exige pas (C. civ., art. 1305-2) : en cours, une personne annule d'abord l'accord, avec un
    motif ; rompu sans clause de déchéance, le solde attend son dernier terme (art. 1305-4) ; rompu avec clause, une
    mise en demeure postérieure à la rupture (1re civ., 22/06/2017).
    """
    vivants = (
        Echeancier.objects.filter(echeances__in=ids)
        .filter(statut__in=(Echeancier.Statut.EN_COURS, Echeancier.Statut.ROMPU))
        .annotate(dernier=Max("mensualites__due_le"), rupture=Coalesce("conclu_le", "accepte_le"))
        .order_by("-statut", "dernier")
    )
    raisons, ruptures = {}, {}
    champs = ("echeances", "statut", "accepte_le", "dernier", "clause_decheance", "rupture")
    for echeance, statut, accepte_le, dernier, clause, rupture in vivants.values_list(*champs):
        if statut == Echeancier.Statut.EN_COURS:
            raisons[echeance] = _("échéancier du %(jour)s en cours : annulez-le d'abord, avec un motif") % {
                "jour": ecrire_jour(accepte_le)
            }
        elif dernier and dernier >= au and clause:
            ruptures[echeance] = max(rupture, ruptures.get(echeance, rupture))
        elif dernier and dernier >= au:
            raisons[echeance] = _("échéancier rompu sans clause de déchéance : le solde s'exige après le %(jour)s") % {
                "jour": ecrire_jour(dernier)
            }
    return raisons, ruptures


def _reclamees(ids: list[int]) -> dict[int, date]:
    """{échéance: jour du dernier courrier qui l'a réclamée, réellement parti}."""
    envoyees = Relance.objects.filter(
        echeance__in=ids, nature__gt=Nature.AVANT_ECHEANCE, statut=Relance.Statut.ENVOYEE, courrier__statut__in=PARTIS
    ).select_related("courrier")
    jours: dict[int, date] = {}
    for r in envoyees:
        jour = jour_du_courrier(r.courrier)
        if jour:
            jours[r.echeance_id] = max(jour, jours.get(r.echeance_id, jour))
    return jours


def _mises_en_demeure(ids: list[int]) -> dict[int, Courrier]:
    """Dernière mise en demeure réellement partie, par échéance."""
    envoyees = (
        Relance.objects.filter(
            echeance__in=ids,
            nature=Nature.MISE_EN_DEMEURE,
            statut=Relance.Statut.ENVOYEE,
            courrier__statut__in=PARTIS,
        )
        .select_related("courrier")
        .order_by("pk")
    )
    return {r.echeance_id: r.courrier for r in envoyees}


@transaction.atomic
def ouvrir_dossier(
    client: Client,
    echeances: Iterable[int],
    *,
    par,
    au: date,
    motif: str,
    derogation: str = "",
    voie: str = Voie.INJONCTION,
) -> DossierContentieux:
    """Ouvre un dossier sur ces échéances (identifiants) : elles quittent l'échelle, restent dans l'encours.

    voie : contre une personne publique, le mandatement d'office seul ; l'injonction y est refusée.

    Lève ValidationError, par champ : motif vide, client ou échéance inadmissible, devises mêlées, condition
    manquante sans dérogation motivée. Rien n'est écrit dans ce cas.
    """
    ids = sorted(set(echeances))
    # La société d'abord : un seul dossier se numérote à la fois, donc ni trou ni doublon.
    societe = Societe.objects.select_for_update(no_key=True).get(pk=client.societe_id)
    client = Client.objects.select_for_update(no_key=True, of=("self",)).select_related("societe").get(pk=client.pk)
    list(Echeance.objects.select_for_update(no_key=True, of=("self",)).filter(pk__in=ids).order_by("pk"))
    if not motif.strip():
        raise ValidationError({"motif": _("Dites pourquoi ce dossier passe au contentieux.")})
    if not ids:
        raise ValidationError({"echeances": _("Choisissez au moins une échéance.")})
    examen = examiner(client, au=au, echeances=ids, voie=voie)
    retenues = [c.echeance for c in examen.candidates]
    _verifier(examen, ids, derogation)
    dossier = DossierContentieux.objects.create(
        societe=societe,
        client=client,
        voie=voie,
        reference=_reference(societe, au.year),
        devise=retenues[0].devise,
        ouvert_le=au,
        ouvert_par=par,
        motif=motif.strip()[:250],
        derogation=derogation.strip()[:250],
        arrete_au=au,
        juridiction=examen.juridiction.genre if examen.juridiction.injonction_possible else "",
        tribunal=examen.juridiction.nom if examen.juridiction.complete else "",
    )
    DossierEcheance.objects.bulk_create(
        DossierEcheance(dossier=dossier, echeance=e, reste_du_a_l_ouverture=e.reste_du) for e in retenues
    )
    Echeance.objects.filter(pk__in=ids).update(en_contentieux=True)
    poser_les_pieces(dossier)
    Tache.objects.filter(client=client, genre=Tache.Genre.CONTENTIEUX, faite_le=None).update(
        faite_le=timezone.now(), faite_par=par, issue=_("dossier %(r)s ouvert") % {"r": dossier.reference}
    )
    consigner(
        "contentieux.ouvert",
        societe=societe,
        acteur=par,
        objet=dossier,
        client=client,
        texte=_("Dossier %(reference)s ouvert : %(motif)s") % {"reference": dossier.reference, "motif": dossier.motif},
        donnees={
            "echeances": ids,
            "principal": sum(e.reste_du for e in retenues),
            "derogation": dossier.derogation,
        },
    )
    return dossier


def _verifier(examen: Examen, ids: list[int], derogation: str) -> None:
    """Lève ValidationError avec toutes les raisons à la fois."""
    if len(examen.candidates) != len(ids):
        raise ValidationError({"echeances": _("Une échéance choisie n'est pas à ce client.")})
    erreurs = list(examen.refus)
    for c in examen.candidates:
        erreurs += [f"{c.echeance.facture.numero} : {raison}." for raison in c.refus]
    if len({c.echeance.devise for c in examen.candidates}) > 1:
        erreurs.append(_("Un dossier ne mêle pas deux devises : ouvrez-en un par devise."))
    if erreurs:
        raise ValidationError({"echeances": erreurs})
    if derogation.strip():
        return
    manquantes = list(examen.derogeables)
    for c in examen.candidates:
        manquantes += [f"{c.echeance.facture.numero} : {raison}." for raison in c.derogeables]
    if manquantes:
        raise ValidationError({"derogation": [*manquantes, _("Motivez une dérogation pour passer outre.")]})


def _reference(societe: Societe, annee: int) -> str:
    """CX-AAAA-NNN, continue par société et par année ; l'appelant tient le verrou de la société."""
    debut = f"CX-{annee}-"
    prises = DossierContentieux.objects.filter(societe=societe, reference__startswith=debut)
    rangs = (int(r.removeprefix(debut)) for r in prises.values_list("reference", flat=True))
    return f"{debut}{max(rangs, default=0) + 1:03d}"
