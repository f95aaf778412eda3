"""Maximum légal d'un délai de paiement, par secteur et par acheteur : une table, son texte, sa confiance. Pur.

C. com., art. L441-10 à L441-12 entre professionnels ; CCP, art. R2192-10 et R2192-11 pour un acheteur public.
Un consommateur n'a pas de maximum. Le dépasser se signale, rien ne se bloque : une personne corrige le contrat.
"""

from calendar import monthrange
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import date, timedelta
from enum import StrEnum


class Cas(StrEnum):
    """Ce qui fixe le maximum."""

    DROIT_COMMUN = "droit_commun"
    SILENCE = "silence"
    PERIODIQUE = "periodique"
    TRANSPORT = "transport"
    PERISSABLE = "perissable"
    PERISSABLE_PERIODIQUE = "perissable_periodique"
    VIANDE = "viande"
    ALCOOL = "alcool"
    VIN = "vin"
    EXPORT = "export"
    PUBLIC = "public"
    PUBLIC_SANTE = "public_sante"
    ENTREPRISE_PUBLIQUE = "entreprise_publique"


class Depart(StrEnum):
    """Ce dont part le délai."""

    EMISSION = "emission"
    EXECUTION = "execution"  # livraison, ou réception de la marchandise
    DEMANDE = "demande"  # réception de la demande de paiement, ou service fait s'il est postérieur


@dataclass(frozen=True, slots=True)
class Regle:
    """Une ligne de la table. fin : « mois » ou « decade » quand le délai court de la fin de la période."""

    cas: Cas
    libelle: str
    jours: int
    depart: Depart
    texte: str
    confiance: str  # S sourcé, C connaissance, V à vérifier
    fin: str = ""
    ou_fin_de_mois: int = 0  # délai fin de mois permis à la place, dans ses deux lectures


L = "C. com., art. "
TABLE = {
    regle.cas: regle
    for regle in (
        Regle(Cas.DROIT_COMMUN, "convention entre professionnels", 60, Depart.EMISSION, f"{L}L441-10, I", "S",
              ou_fin_de_mois=45),
        Regle(Cas.SILENCE, "silence du contrat", 30, Depart.EXECUTION, f"{L}L441-10, I, al. 1", "S"),
        Regle(Cas.PERIODIQUE, "facture périodique", 45, Depart.EMISSION, f"{L}L441-10, I, al. 4", "S"),
        Regle(Cas.TRANSPORT, "transport, location de véhicules, commission", 30, Depart.EMISSION, f"{L}L441-11, II, 5°",
              "C"),
        Regle(Cas.PERISSABLE, "denrées périssables et surgelées", 30, Depart.EXECUTION, f"{L}L441-11, II, 1°", "S"),
        Regle(Cas.PERISSABLE_PERIODIQUE, "denrées périssables, facture périodique", 30, Depart.EXECUTION,
              f"{L}L441-11, II, 1°", "S", fin="decade"),
        Regle(Cas.VIANDE, "bétail sur pied, viandes fraîches", 20, Depart.EXECUTION, f"{L}L441-11, II, 2°", "S"),
        Regle(Cas.ALCOOL, "alcools soumis aux droits de consommation", 30, Depart.EXECUTION, f"{L}L441-11, II, 3°", "S",
              fin="mois"),
        Regle(Cas.VIN, "raisins, moûts et vins", 60, Depart.EMISSION, f"{L}L441-11, II, 4°", "S", ou_fin_de_mois=45),
        Regle(Cas.EXPORT, "achats en franchise livrés hors de l'Union", 90, Depart.EMISSION, f"{L}L441-12", "C"),
        Regle(Cas.PUBLIC, "État, collectivités et leurs établissements", 30, Depart.DEMANDE, "CCP, art. R2192-10", "S"),
        Regle(Cas.PUBLIC_SANTE, "établissements publics de santé, service de santé des armées", 50, Depart.DEMANDE,
              "CCP, art. R2192-11", "S"),
        Regle(Cas.ENTREPRISE_PUBLIQUE, "entreprises publiques", 60, Depart.DEMANDE, "CCP, art. R2192-11", "S"),
    )
}  # fmt: skip


PUBLICS = (Cas.PUBLIC, Cas.PUBLIC_SANTE, Cas.ENTREPRISE_PUBLIQUE)


def cas_de(debiteur: str, choisi: str = "") -> Cas | None:
    """Le cas choisi s'il est de ce type de débiteur, sinon le plus large du sien ; None : aucun maximum.

    D'un acheteur public qu'on ne sait pas ranger, le plus long des trois délais : au-delà, aucun ne l'a.
    """
    if debiteur == "entreprise":
        return Cas(choisi) if choisi and choisi not in PUBLICS else Cas.DROIT_COMMUN
    if debiteur == "administration":
        return Cas(choisi) if choisi in PUBLICS else Cas.ENTREPRISE_PUBLIQUE
    return None


@dataclass(frozen=True, slots=True)
class Maximum:
    """Dernier jour permis, et ce qu'il suppose quand une date n'est pas connue."""

    regle: Regle
    jour: date
    suppositions: tuple[str, ...] = ()


def maximum(
    cas: Cas,
    emission: date,
    *,
    execution: date | None = None,
    reception: date | None = None,
    fin_de_mois: bool = False,
) -> Maximum:
    """Dernier jour que la loi permet.

    fin_de_mois : le contrat stipule un délai fin de mois (45 jours, C. com., art. L441-10, I, al. 3). Sans la date
    d'où part le délai, l'émission en tient lieu et cela se dit.
    """
    regle = TABLE[Cas(cas)]
    suppositions = []
    depart = emission
    if regle.depart is Depart.EXECUTION:
        depart = execution or emission
        if execution is None:
            suppositions.append("Date d'exécution inconnue : le maximum part de l'émission de la facture.")
    elif regle.depart is Depart.DEMANDE:
        depart = max(reception or emission, execution or emission)
        if reception is None:
            suppositions.append("Réception de la demande de paiement inconnue : le maximum part de l'émission.")
    if regle.fin:
        depart = fin_de_mois_de(depart) if regle.fin == "mois" else fin_de_decade_de(depart)
    jour = depart + timedelta(regle.jours)
    if fin_de_mois and regle.ou_fin_de_mois:
        jour = max(jour, *_deux_lectures(emission, regle.ou_fin_de_mois))
    return Maximum(regle, jour, tuple(suppositions))


def _deux_lectures(emission: date, jours: int) -> Iterator[date]:
    """Les deux lectures de « N jours fin de mois » sont admises : la plus tardive borne."""
    yield fin_de_mois_de(emission + timedelta(jours))
    yield fin_de_mois_de(emission) + timedelta(jours)


def fin_de_mois_de(jour: date) -> date:
    return jour.replace(day=monthrange(jour.year, jour.month)[1])


def fin_de_decade_de(jour: date) -> date:
    """10, 20 ou dernier jour du mois."""
    return jour.replace(day=10 if jour.day <= 10 else 20) if jour.day <= 20 else fin_de_mois_de(jour)


def anomalies(
    emission: date,
    echeance: date,
    *,
    debiteur: str,
    conditions: str = "",
    choisi: str = "",
    execution: date | None = None,
    reception: date | None = None,
    au: date | None = None,
) -> tuple[str, ...]:
    """Ce qu'une échéance a d'anormal, en phrases : des avertissements, jamais un blocage.

    debiteur : `entreprise`, `administration`, `particulier` ou autre ; conditions : celles du client, qui disent si
    « fin de mois » est stipulé ; choisi : le secteur ou l'acheteur que dit sa fiche, vide au droit commun ; au : le
    jour, pour une facture datée de l'avenir.
    """
    phrases = []
    if au is not None and emission > au:
        phrases.append("Facture datée de l'avenir : vérifiez sa date.")
    if echeance < emission:
        return (*phrases, "Échéance antérieure à la facture : vérifiez les deux dates.")
    cas = cas_de(debiteur, choisi)
    if cas is None:
        return tuple(phrases)
    fin = "FDM" in conditions.upper().replace(" ", "") or "MOIS" in conditions.upper()
    borne = maximum(cas, emission, execution=execution, reception=reception, fin_de_mois=fin)
    if echeance > borne.jour:
        debut = f"Échéance à {(echeance - emission).days} jours de la facture"
        fin_permise = f"le {borne.jour:%d/%m/%Y} ({borne.regle.texte})"
        if cas not in PUBLICS:
            phrases.append(f"{debut} : le maximum légal est {fin_permise}. Amende possible (C. com., art. L441-16).")
        elif choisi == cas:
            phrases.append(f"{debut} : le délai de cet acheteur public finit {fin_permise}.")
        else:
            phrases.append(f"{debut} : le plus long délai d'un acheteur public finit {fin_permise}.")
        if choisi == cas:
            phrases.extend(borne.suppositions)
    return tuple(phrases)
