"""Prescription d'une créance : calcul pur (Code civil, art. 2219 et suivants ; textes propres à chaque nature).

Deux dates, jamais une seule : `origine`, la limite prudente que rien ne prolonge, et `possible`, celle
qui vaudrait si chaque interruption relevée était reconnue. L'outil calcule ; une personne qualifie.
Ni la mise en demeure ni la requête en injonction n'interrompent (Com. 18/05/2022 n° 20-23.204 ;
1re civ. 09/09/2020) ; la signification de l'ordonnance, si.
"""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from datetime import date, timedelta
from enum import StrEnum

from .delais import Duree, Unite, ajouter_mois

ALERTES_MOIS = (6, 3)  # exigence 37
BUTOIR = Duree(20, Unite.ANNEES)  # C. civ., art. 2232


class Depart(StrEnum):
    """Ce qui fait partir le délai."""

    EXECUTION = "execution"  # livraison ou achèvement, jamais la facture (Com. 26/02/2020 n° 18-25.036)
    EXIGIBILITE = "exigibilite"
    ANNEE_SUIVANTE = "annee_suivante"  # 1er janvier qui suit l'exécution (loi 68-1250, art. 1)
    TITRE = "titre"


class PrescriptionIndeterminee(LookupError):
    """Aucune durée ne se déduit de la table pour cette nature."""


@dataclass(frozen=True, slots=True)
class NatureCreance:
    """Une ligne de la table : durée, point de départ, texte."""

    code: str
    libelle: str
    duree: Duree | None
    depart: Depart | None
    texte: str
    point_de_depart: str
    confiance: str
    forclusion: bool = False


def lire_table(lignes: Iterable[Mapping[str, str]]) -> dict[str, NatureCreance]:
    """Table des natures par code, dans l'ordre du fichier. Lève ValueError sur un code en double."""
    table: dict[str, NatureCreance] = {}
    for ligne in lignes:
        code, unite = ligne["code"], ligne["unite"]
        if code in table:
            raise ValueError(f"nature de créance en double : {code}")
        chiffree = ligne["duree"].isdecimal()
        table[code] = NatureCreance(
            code=code,
            libelle=ligne["type_creance"],
            duree=Duree(int(ligne["duree"]), Unite(unite.split(" ")[0])) if chiffree else None,
            depart=Depart(ligne["depart"]) if ligne["depart"] else None,
            texte=ligne["texte"],
            point_de_depart=ligne["point_de_depart"],
            confiance=ligne["confiance"],
            forclusion="forclusion" in unite,
        )
    return table


class Acte(StrEnum):
    """Faits qu'une équipe tient pour interruptifs, ou croit l'être."""

    RECONNAISSANCE = "reconnaissance"
    PAIEMENT_PARTIEL = "paiement_partiel"
    SIGNIFICATION = "signification"
    DEMANDE_EN_JUSTICE = "demande_en_justice"
    MESURE_CONSERVATOIRE = "mesure_conservatoire"
    EXECUTION_FORCEE = "execution_forcee"
    DECLARATION = "declaration_de_creance"
    RECLAMATION = "reclamation_ecrite"
    MISE_EN_DEMEURE = "mise_en_demeure"
    REQUETE = "requete_injonction"


TEXTES = {
    Acte.RECONNAISSANCE: "C. civ., art. 2240",
    Acte.PAIEMENT_PARTIEL: "C. civ., art. 2240 : peut valoir reconnaissance, s'il est non équivoque",
    Acte.SIGNIFICATION: "C. civ., art. 2241 ; 1re civ. 10/07/1990",
    Acte.DEMANDE_EN_JUSTICE: "C. civ., art. 2241 et 2242 ; non avenue si elle est rejetée ou abandonnée (art. 2243)",
    Acte.MESURE_CONSERVATOIRE: "C. civ., art. 2244",
    Acte.EXECUTION_FORCEE: "C. civ., art. 2244",
    Acte.DECLARATION: "C. com., art. L622-25-1 : jusqu'à la clôture de la procédure",
    Acte.RECLAMATION: "Loi 68-1250, art. 2 : débiteur public seulement",
    Acte.MISE_EN_DEMEURE: "Com. 18/05/2022 n° 20-23.204 : n'interrompt pas",
    Acte.REQUETE: "1re civ. 09/09/2020 : n'interrompt pas, la signification de l'ordonnance si",
}
# Une forclusion ne cède pas à la reconnaissance du débiteur (C. civ., art. 2220).
PAR_LE_DEBITEUR = frozenset({Acte.RECONNAISSANCE, Acte.PAIEMENT_PARTIEL})
ECRITS = frozenset({Acte.RECLAMATION, Acte.MISE_EN_DEMEURE})
# Natures où un écrit du créancier interrompt : loi 68-1250, art. 2 ; C. assur., art. L114-2 (recommandé).
ECRIT_INTERRUPTIF = frozenset({"public", "assurance"})


@dataclass(frozen=True, slots=True)
class Interruption:
    jour: date
    acte: Acte
    piece: str = ""  # ce qui la prouve
    cle: int | None = None  # l'acte relevé par une personne, que l'écran sait montrer et annuler


@dataclass(frozen=True, slots=True)
class Etape:
    """Effet d'un acte sur la date possible."""

    jour: date
    acte: str
    interrompt: bool
    limite: date  # date possible après cet acte
    texte: str
    piece: str = ""
    cle: int | None = None


@dataclass(frozen=True, slots=True)
class Prescription:
    nature: NatureCreance
    depart: date
    origine: date
    possible: date
    etapes: tuple[Etape, ...]
    avertissements: tuple[str, ...] = ()

    def alerte(self, au: date) -> int | None:
        """Mois d'alerte atteint par la date d'origine : 6, 3, 0 si elle est passée, None si rien ne presse."""
        return alerte(self.origine, au)


def alerte(origine: date, au: date) -> int | None:
    """6, 3, 0 si la date est passée, None si rien ne presse (exigence 37)."""
    if au > origine:
        return 0
    return min((mois for mois in ALERTES_MOIS if au >= ajouter_mois(origine, -mois)), default=None)


def date_origine(nature: NatureCreance, depart: date) -> date:
    """La limite prudente, que rien ne prolonge. Lève PrescriptionIndeterminee sans durée dans la table."""
    if nature.duree is None or nature.depart is None:
        raise PrescriptionIndeterminee(f"« {nature.libelle} » : durée à déterminer ({nature.texte}).")
    return _terme(nature, depart)


def depart_au_plus_tard(nature: NatureCreance, au: date) -> date:
    """Dernier départ dont la date d'origine est déjà en alerte au jour dit : de quoi trier un grand livre."""
    horizon = ajouter_mois(au, max(ALERTES_MOIS))
    if nature.depart is Depart.ANNEE_SUIVANTE:
        return date(horizon.year - nature.duree.nombre, 12, 31)
    mois = nature.duree.nombre * (1 if nature.duree.unite is Unite.MOIS else 12)
    # Un mois court ramène le quantième : trois jours de marge, la date exacte est refaite pièce par pièce.
    return ajouter_mois(horizon, -mois) + timedelta(3)


def calculer(
    nature: NatureCreance,
    depart: date,
    interruptions: Iterable[Interruption] = (),
    *,
    avertissements: Iterable[str] = (),
) -> Prescription:
    """Dates d'une créance née le jour `depart` : exécution, échéance ou titre selon la nature.

    Le jour de départ ne compte pas, le délai est acquis à la fin du dernier (C. civ., art. 2228, 2229). Un
    acte postérieur à la date possible ne la ressuscite pas. Lève PrescriptionIndeterminee si la table
    ne donne pas de durée.
    """
    origine = possible = date_origine(nature, depart)
    butoir = BUTOIR.apres(depart)
    etapes = [Etape(depart, "depart", False, origine, nature.texte)]
    for fait in sorted(interruptions, key=lambda i: i.jour):
        interrompt = _interrompt(nature, fait.acte) and depart < fait.jour <= possible
        if interrompt:
            # Même durée à nouveau (C. civ., art. 2231) ; le butoir borne la seule reconnaissance (art. 2232).
            suivante = _terme(nature, fait.jour)
            if fait.acte in PAR_LE_DEBITEUR:
                suivante = min(suivante, butoir)
            possible = max(possible, suivante)
        texte = TEXTES[fait.acte]
        if fait.jour > possible:
            texte += " ; postérieur à la date limite"
        elif fait.acte is Acte.MISE_EN_DEMEURE and interrompt:
            texte = TEXTES[Acte.RECLAMATION] if nature.code == "public" else "C. assur., art. L114-2 : recommandé"
        etapes.append(Etape(fait.jour, fait.acte.value, interrompt, possible, texte, fait.piece, fait.cle))
    return Prescription(nature, depart, origine, possible, tuple(etapes), tuple(avertissements))


def point_de_depart(
    nature: NatureCreance,
    *,
    execution: date | None,
    emission: date,
    exigibilite: date,
    titre: date | None = None,
) -> tuple[date, tuple[str, ...]]:
    """(jour de départ, avertissements) d'une facture, selon ce que l'on sait d'elle.

    Sans date d'exécution, la date d'émission en tient lieu et l'avertissement le dit ; sans date de titre, l'émission
    aussi, plus ancienne que lui, donc prudente.
    """
    if nature.depart is Depart.EXIGIBILITE:
        return exigibilite, ()
    if nature.depart is Depart.TITRE:
        if titre is not None:
            return titre, ()
        return emission, (
            "Date du titre inconnue : le calcul part de l'émission de la facture, alors que le délai part du titre.",
        )
    if execution is not None:
        return execution, ()
    return emission, (
        "Date d'exécution inconnue : le calcul part de l'émission de la facture, alors que le délai part de la "
        "livraison ou de l'achèvement, souvent antérieurs.",
    )


def _terme(nature: NatureCreance, depart: date) -> date:
    if nature.depart is Depart.ANNEE_SUIVANTE:
        return date(depart.year + nature.duree.nombre, 12, 31)
    return nature.duree.apres(depart)


def _interrompt(nature: NatureCreance, acte: Acte) -> bool:
    if acte is Acte.REQUETE:
        return False
    if acte is Acte.RECLAMATION:
        return nature.code == "public"
    if acte in ECRITS:
        return nature.code in ECRIT_INTERRUPTIF
    return not (nature.forclusion and acte in PAR_LE_DEBITEUR)
