"""Quel palier ce soir, et pourquoi ou pourquoi pas : décision pure, sans base ni horloge.

L'essai à blanc, l'écran « Ce soir » et la vraie nuit appellent ces fonctions. Tous les montants sont des
Decimal dans la devise de la pièce ; toutes les dates sont des jours d'Europe/Paris.
"""

from datetime import date, timedelta

from .faits import (
    ZERO,
    ClientFaits,
    Decision,
    EcheanceFaits,
    Envoi,
    PalierRegle,
    Plan,
    Reglages,
    Resultat,
)
from .freins import (
    UN_JOUR,
    Ouvre,
    credit_retient,
    credits_libres,
    examiner_la_piece,
    freins_de_la_piece,
    freins_du_compte,
    procedure_collective,
    retenir,
    sous_le_seuil_d_envoi,
    trier_les_leves,
)
from .natures import AMIABLES, Canal, ModePalier, Nature, Reference
from .verdicts import TEMPORELS, Motif

__all__ = [
    "TEMPORELS", "ClientFaits", "Decision", "EcheanceFaits", "Envoi", "Motif", "PalierRegle", "Plan", "Reglages",
    "Resultat", "credit_retient", "credits_libres", "decider", "freins_de_la_piece", "jour_du", "juger",
]  # fmt: skip

DEPUIS_LA_FACTURE = "échéance antérieure à la facture : le délai court de la facture"
FREIN_LEVE = "frein levé par une personne"
SANS_APPEL = "appel sauté : ne pas appeler"


def jour_du(palier: PalierRegle, e: EcheanceFaits) -> date:
    """Premier jour où le palier est dû, avant tout frein."""
    if palier.reference is Reference.FACTURE:
        depart = e.date_facture
    elif palier.reference is Reference.PRECEDENT:
        depart = e.atteint_le or e.depart
    else:
        depart = e.depart
    return depart + timedelta(days=palier.delai)


def sauter_l_appel(
    palier: PalierRegle | None, du: date, e: EcheanceFaits, plan: Plan
) -> tuple[PalierRegle | None, date]:
    """(palier suivant, son premier jour) pour un client qu'on n'appelle pas ; None : l'appel était le dernier.

    La suite garde son jour : un délai compté du palier précédent court du jour où l'appel aurait eu lieu.
    """
    while palier is not None and palier.nature is Nature.APPEL:
        suite = plan.suivant(palier.nature, palier.rang, plan.version)
        if suite is not None:
            apres = du + timedelta(days=suite.delai)
            du = max(jour_du(suite, e), apres) if suite.reference is Reference.PRECEDENT else jour_du(suite, e)
        palier = suite
    return palier, du


def juger(
    e: EcheanceFaits, client: ClientFaits, plan: Plan | None, *, au: date, reglages: Reglages, ouvre: Ouvre
) -> Decision:
    """Verdict d'une échéance seule ; les freins du compte viennent dans `decider`.

    ouvre(jour) -> jour ouvré égal ou suivant. L'ordre des tests est celui de la gravité : ce qui
    arrête pour toujours, puis le calendrier, puis ce qui retient pour un temps.
    """

    def non(motif, detail="", prochaine=None, palier=None):
        return Decision(e, motif, detail, prochaine, palier)

    if e.en_contentieux:
        return non(Motif.CONTENTIEUX)
    if client.jugement and reglages.freins and (procedure := procedure_collective(e, client, au=au)):
        return non(Motif.PROCEDURE, procedure)
    if client.surendettement and reglages.freins:
        return non(Motif.SURENDETTEMENT)
    if e.date_facture > au:
        return non(Motif.FUTURE, f"facture datée du {e.date_facture:%d/%m/%Y}", ouvre(e.date_facture))
    if plan is None:
        return non(Motif.SANS_PLAN)
    if plan.anciens:
        plan = plan.pour(e)
    palier = plan.suivant(e.nature, e.rang, e.version)
    if palier is None:
        return non(Motif.TERMINEE)
    du = jour_du(palier, e)
    if palier.nature is Nature.AVANT_ECHEANCE and au > e.date_echeance:
        # Le rappel avant échéance n'a plus de sens : on passe au palier d'après, le même soir.
        suite = plan.suivant(palier.nature, palier.rang, plan.version)
        if suite is None:
            return non(Motif.TERMINEE)
        palier, du = suite, jour_du(suite, e)
    detail = DEPUIS_LA_FACTURE if e.date_echeance < e.date_facture else ""
    if client.sans_appel and palier.nature is Nature.APPEL and reglages.freins:
        palier, du = sauter_l_appel(palier, du, e, plan)
        if palier is None:
            return non(Motif.TERMINEE, SANS_APPEL)
        detail = f"{detail} ; {SANS_APPEL}" if detail else SANS_APPEL
    if palier.nature is not Nature.AVANT_ECHEANCE:
        du = max(du, e.depart + UN_JOUR)  # jamais de relance de ce qui n'est pas échu
    if au < du:
        return non(Motif.ATTENTE, detail, ouvre(du) if reglages.freins else du, palier)
    if not reglages.freins:
        return Decision(e, Motif.RELANCEE, "", None, palier, e.reste_du)

    if e.atteint_le == au:
        return non(Motif.DEJA_CE_JOUR, "une étape par échéance et par nuit", ouvre(au + UN_JOUR), palier)
    if e.envoi_en_attente:
        return non(Motif.EN_ATTENTE_ENVOI, "le courrier du palier précédent n'est pas encore parti", None, palier)
    frein, leves = examiner_la_piece(e, client, palier, au=au, ouvre=ouvre)
    if frein:
        return frein
    if client.type == "a_qualifier" and palier.nature >= Nature.FORMALISATION:
        return non(Motif.A_QUALIFIER, "type de débiteur inconnu : aucune pénalité ne peut être réclamée", None, palier)
    if palier.nature is Nature.MISE_EN_DEMEURE and (e.nature < Nature.FORMALISATION or e.formalisation_manquante):
        if not reglages.derogation:
            return non(Motif.FORMALISATION_ABSENTE, "la formalisation n'a pas été envoyée", None, palier)
        detail = "sans formalisation, par dérogation motivée"  # reste sur la relance de cette pièce
    if palier.nature in AMIABLES and e.amiables >= reglages.max_amiables:
        if Motif.MAX_AMIABLES not in e.leves:
            return non(Motif.MAX_AMIABLES, f"{e.amiables} relances amiables déjà faites", None, palier)
        leves += (Motif.MAX_AMIABLES,)
    # Tout est contesté, et le frein du litige ne se lève pas : la part libre est alors positive ici.
    reclame = e.reste_du - e.conteste
    if reclame < plan.seuil_piece:
        if Motif.SEUIL_PIECE not in e.leves:
            return non(Motif.SEUIL_PIECE, f"moins de {plan.seuil_piece}", None, palier)
        leves += (Motif.SEUIL_PIECE,)
    return Decision(e, Motif.RELANCEE, detail, None, palier, reclame, leves)


def decider(client: ClientFaits, plan: Plan | None, *, au: date, reglages: Reglages, ouvre: Ouvre) -> Resultat:
    """Toutes les décisions d'un client au jour `au`, et les envois qui en découlent."""
    verdicts = [juger(e, client, plan, au=au, reglages=reglages, ouvre=ouvre) for e in client.echeances]
    if plan is None:
        return Resultat(verdicts, [])
    retenus = [d for d in verdicts if d.motif is not Motif.RELANCEE]
    partants = [d for d in verdicts if d.motif is Motif.RELANCEE]
    envois: list[Envoi] = []
    if partants and reglages.freins:
        partants, freines = freins_du_compte(client, partants, au=au, reglages=reglages, ouvre=ouvre)
        retenus += freines
    groupes = _regrouper(partants, client.regroupement or plan.regroupement)
    disponible = credits_libres(client, {d.echeance.id for d in partants}) if reglages.freins else {}
    # Un crédit ne se déduit qu'une fois : d'abord de l'envoi le plus grave qui part.
    for groupe in sorted(groupes, key=lambda g: _gravite(g[0].palier), reverse=True):
        envoi, refuses = _envoi(client, plan.pour(groupe[0].echeance), groupe, disponible, reglages=reglages)
        retenus += refuses
        if envoi:
            envois.append(envoi)
    if envois and reglages.freins:
        envois, reportes = _un_seul_contact(client, envois, au=au, ouvre=ouvre)
        retenus += reportes
        envois = [_a_valider_si_leve(v) for v in envois]
    return Resultat([*retenus, *(d for v in envois for d in v.decisions)], envois)


def _gravite(palier: PalierRegle) -> tuple[int, int, int]:
    """Ordonne deux paliers, même de deux versions d'un plan : la nature d'abord, le rang ne vaut que dans la sienne."""
    return palier.nature, palier.rang, palier.version


def _regrouper(partants: list[Decision], mode: str) -> list[list[Decision]]:
    """Un groupe = un courrier. Jamais deux devises ensemble (exigence 6) ; quatre modes (exigence 9).

    Jamais non plus deux versions d'un plan : elles n'ont ni les mêmes délais, ni les mêmes seuils.
    """
    if mode in ("plus_haut", "plus_ancienne") and partants:
        partants = _aligner(partants, mode)
    groupes: dict[tuple, list[Decision]] = {}
    for d in partants:
        cle = (d.echeance.devise, d.palier.version, d.palier.rang) + ((d.echeance.id,) if mode == "piece" else ())
        groupes.setdefault(cle, []).append(d)
    return list(groupes.values())


def _aligner(partants: list[Decision], mode: str) -> list[Decision]:
    """Porte les pièces du compte au palier du plus haut, ou à celui de la plus ancienne, version par version.

    Une pièce ne redescend jamais, et n'entre dans une mise en demeure (ou au-delà) que par son propre
    rang : la formalisation doit lui avoir été envoyée (exigence 10).
    """
    cibles: dict[int, Decision] = {}
    for d in partants:
        cible = cibles.setdefault(d.palier.version, d)
        if mode == "plus_haut":
            mieux = d.palier.rang > cible.palier.rang
        else:
            mieux = (d.echeance.date_echeance, d.echeance.id) < (cible.echeance.date_echeance, cible.echeance.id)
        if mieux:
            cibles[d.palier.version] = d

    def porter(d):
        cible = cibles[d.palier.version].palier
        if cible.rang <= d.palier.rang or cible.nature >= Nature.MISE_EN_DEMEURE:
            return d
        return d._replace(palier=cible)

    return [porter(d) for d in partants]


def _envoi(client: ClientFaits, plan: Plan, groupe: list[Decision], disponible: dict, *, reglages: Reglages):
    """Compose l'envoi d'un groupe, ou dit pourquoi il ne part pas.

    Seule une lettre qui part consomme le crédit `disponible` : ni un envoi retenu ni une tâche ne déduisent rien.
    """
    palier, devise = groupe[0].palier, groupe[0].echeance.devise
    principal = sum((d.reclame for d in groupe), ZERO)
    credits = disponible.get(devise, ZERO)
    if reglages.freins:
        if principal - credits <= 0:
            return None, retenir(groupe, Motif.COUVERTE, f"{credits} {devise} de crédits couvrent le dû")
        groupe, tenues = sous_le_seuil_d_envoi(groupe, principal - credits, plan)
        if not groupe:
            return None, tenues
    canal = next((c for c in palier.canaux if c in client.canaux or c is Canal.TACHE), None)
    if canal is None:
        if reglages.freins:
            return None, _sans_adresse(client, palier, groupe)
        canal = palier.canaux[0]
    mode, motif = palier.mode, ""
    if palier.mode is ModePalier.A_VALIDER:
        motif = "ce palier se valide"
    if plan.plafond_envoi is not None and principal - credits > plan.plafond_envoi:
        mode, motif = ModePalier.A_VALIDER, f"au-dessus du plafond de {plan.plafond_envoi} : un responsable valide"
    if canal in (Canal.APPEL, Canal.TACHE):
        mode, motif = ModePalier.TACHE, ""
    elif credits:
        disponible[devise] = max(credits - principal, ZERO)
    return Envoi(client.id, palier, devise, canal, mode, motif, tuple(groupe), principal, credits, client.langue), []


def _a_valider_si_leve(envoi: Envoi) -> Envoi:
    """Ce qui part parce qu'une personne a levé un frein se relit, et chaque pièce dit lequel."""
    if not any(d.leves for d in envoi.decisions):
        return envoi
    decisions = tuple(_dire_les_levees(d) if d.leves else d for d in envoi.decisions)
    if envoi.mode is ModePalier.AUTOMATIQUE:
        envoi = envoi._replace(mode=ModePalier.A_VALIDER, motif=FREIN_LEVE)
    return envoi._replace(decisions=decisions)


def _dire_les_levees(d: Decision) -> Decision:
    leves = f"{FREIN_LEVE} : {', '.join(m.value for m in d.leves)}"
    return d._replace(detail=f"{d.detail} ; {leves}" if d.detail else leves)


def _sans_adresse(client: ClientFaits, palier: PalierRegle, groupe: list[Decision]) -> list[Decision]:
    """Rien où écrire : l'adresse est en erreur (laquelle, depuis quand), ou il n'y en a pas."""
    erreurs = [(canal, le) for canal, le in client.canaux_en_erreur if canal in palier.canaux]
    if erreurs:
        detail = ", ".join(f"{canal.value} en erreur depuis le {le:%d/%m/%Y}" for canal, le in erreurs)
        return retenir(groupe, Motif.ADRESSE_EN_ERREUR, detail)
    return retenir(groupe, Motif.SANS_ADRESSE, "ni adresse ni numéro utilisable pour ce palier")


def _un_seul_contact(client: ClientFaits, envois: list[Envoi], *, au: date, ouvre: Ouvre):
    """Le délai minimal vaut aussi dans la nuit : le palier le plus grave part, les autres sont reportés.

    Une lettre par pièce, si c'est le regroupement choisi, n'en fait partir plusieurs qu'à ce même palier.
    """
    if len({_gravite(v.palier) for v in envois}) < 2 or not client.delai_entre_contacts:
        return envois, []
    premier = max(_gravite(v.palier) for v in envois)
    gardes, reportes = [], []
    for v in envois:
        if _gravite(v.palier) == premier:
            gardes.append(v)
            continue
        libres, tenues = trier_les_leves(v.decisions, Motif.DELAI_CONTACT)
        if libres:
            gardes.append(v._replace(decisions=(*libres, *tenues)))
        else:
            reportes += tenues
    prochaine = ouvre(au + timedelta(days=client.delai_entre_contacts))
    return gardes, retenir(reportes, Motif.DELAI_CONTACT, "un palier plus élevé part le même soir", prochaine)
