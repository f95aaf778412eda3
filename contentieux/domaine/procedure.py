"""Procédure d'injonction de payer (CPC, art. 1405 à 1425) : machine à états pure, lue dans sa table.

Deux régimes selon la date de l'ordonnance (décret 2026-96, art. 9) : les lignes de la table disent lequel. Une
étape hors de la table, trop tôt ou trop tard, est refusée avec le texte qui l'explique. La machine ne
qualifie rien : elle enregistre ce qu'une personne lui dit, et calcule les dates qui en découlent.
"""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from datetime import date, timedelta
from decimal import Decimal
from enum import StrEnum

from factures.domaine.calendrier import METROPOLE

from .delais import Duree


class Etat(StrEnum):
    """Où en est la procédure ; les valeurs sont celles de `DossierContentieux.Statut`."""

    CREANCE_EXIGIBLE = "en_preparation"
    REQUETE_DEPOSEE = "requete_deposee"
    REJETEE = "rejetee"
    CADUQUE = "caduque"
    ORDONNANCE_RENDUE = "ordonnance"
    NON_AVENUE = "non_avenue"
    SIGNIFIEE = "signifiee"
    OPPOSITION = "opposition"
    INSTANCE_AU_FOND = "instance"
    JUGEMENT = "jugement"
    EXECUTOIRE = "executoire"
    SAISIE = "saisie"
    # Débiteur public : mandatement d'office, jamais d'injonction (CGCT, art. L1612-16).
    MANDATEMENT_DEMANDE = "mandatement_demande"
    ORDONNATEUR_REQUIS = "ordonnateur_requis"
    MANDATEE = "mandatee"


class Juge(StrEnum):
    COMMERCE = "TC"  # tribunal de commerce ou des activités économiques
    JUDICIAIRE = "TJ"


class RoleDelai(StrEnum):
    """À qui le délai s'impose."""

    TENIR = "tenir"  # nous : jamais reporté
    ATTENDRE = "attendre"  # nous : agir après, reporté au jour ouvrable
    EXPIRATION = "expiration"  # constat qu'un délai à tenir est passé
    ADVERSE = "adverse"
    GREFFE = "greffe"


class EtapeRefusee(ValueError):
    """L'étape n'est pas permise ici et maintenant ; le message dit pourquoi et ce qui l'est."""


@dataclass(frozen=True, slots=True)
class Situation:
    """Ce que l'on sait du dossier. `dates` : jour du dernier événement de chaque nom."""

    au: date
    juge: Juge = Juge.COMMERCE
    montant: Decimal = Decimal(0)  # demande en principal
    dates: Mapping[str, date] = field(default_factory=dict)
    a_personne: bool | None = None  # l'ordonnance a été signifiée à personne
    region: str = METROPOLE
    distance_mois: int = 0  # CPC, art. 643

    @property
    def ordonnance(self) -> date:
        """Date qui choisit le régime ; aujourd'hui tant que l'ordonnance n'est pas rendue."""
        return self.dates.get("ordonnance", self.au)


@dataclass(frozen=True, slots=True)
class Transition:
    """Une ligne de la table."""

    de: Etat
    evenement: str
    libelle: str
    faire: str
    vers: Etat
    duree: Duree | None
    depart: str
    role: RoleDelai | None
    texte: str
    effet: str
    ordonnance: str  # « avant 2026-09-01 », « depuis 2026-09-01 » ou vide
    juge: Juge | None
    seuil: str  # « >10000 », « <=10000 » ou vide
    hors_personne: bool

    @classmethod
    def lire(cls, ligne: Mapping[str, str]) -> "Transition":
        """Lève ValueError ou KeyError sur une ligne mal formée : une table fausse arrête le démarrage."""
        transition = cls(
            de=Etat[ligne["etat"]],
            evenement=ligne["evenement"],
            libelle=ligne["libelle"],
            faire=ligne["faire"],
            vers=Etat[ligne["etat_suivant"]],
            duree=Duree.lire(ligne["delai"]) if ligne["delai"] else None,
            depart=ligne["depart"],
            role=RoleDelai(ligne["role"]) if ligne["role"] else None,
            texte=ligne["texte"],
            effet=ligne["effet"],
            ordonnance=ligne["ordonnance"],
            juge=Juge(ligne["juge"]) if ligne["juge"] else None,
            seuil=ligne["seuil"],
            hors_personne=ligne["signification"] == "hors_personne",
        )
        if len({bool(transition.duree), bool(transition.depart), bool(transition.role)}) != 1:
            raise ValueError(f"{transition.evenement} : un délai, son départ et son rôle vont ensemble")
        if transition.role in (RoleDelai.TENIR, RoleDelai.ATTENDRE) and not transition.faire:
            raise ValueError(f"{transition.evenement} : un délai à tenir ou à attendre dit quoi faire")
        return transition

    def vaut(self, situation: Situation) -> bool:
        """Vrai si le régime, le juge, le montant et la signification du dossier sont ceux de la ligne."""
        if self.ordonnance:
            sens, jour = self.ordonnance.split(" ")
            if (situation.ordonnance < date.fromisoformat(jour)) != (sens == "avant"):
                return False
        if self.seuil:
            au_dela = situation.montant > Decimal(self.seuil.lstrip("<>="))
            if au_dela != self.seuil.startswith(">"):
                return False
        if self.hors_personne and situation.a_personne:
            return False
        return self.juge in (None, situation.juge)

    def limite(self, situation: Situation) -> date | None:
        """Dernier jour du délai : brut s'il faut le tenir, reporté et allongé s'il faut l'attendre."""
        depart = situation.dates.get(self.depart)
        if self.duree is None or depart is None:
            return None
        if self.role is RoleDelai.TENIR:
            return self.duree.apres(depart)
        distance = situation.distance_mois if self.role in (RoleDelai.ATTENDRE, RoleDelai.ADVERSE) else 0
        return self.duree.attente_apres(depart, region=situation.region, distance_mois=distance)


@dataclass(frozen=True, slots=True)
class Delai:
    """Un délai qui court : ce qu'il attend, son dernier jour, à qui il s'impose et ce qu'il coûte."""

    evenement: str
    libelle: str  # l'événement, une fois qu'il a eu lieu
    faire: str  # le geste, s'il est à nous
    limite: date
    role: RoleDelai
    duree: Duree
    depuis: date
    texte: str
    effet: str


class Procedure:
    """La table entière ; lève ValueError si deux lignes se contredisent."""

    def __init__(self, lignes: Iterable[Mapping[str, str]]):
        self.transitions = tuple(Transition.lire(ligne) for ligne in lignes)
        self.libelles = {t.evenement: t.libelle for t in self.transitions}
        vues = set()
        for t in self.transitions:
            cle = (t.de, t.evenement, t.ordonnance, t.juge, t.seuil)
            if cle in vues:
                raise ValueError(f"transition en double : {t.de.name} / {t.evenement}")
            vues.add(cle)

    def permises(self, etat: Etat, situation: Situation) -> tuple[Transition, ...]:
        """Étapes qui peuvent suivre, dans l'ordre de la table."""
        return tuple(t for t in self.transitions if t.de is etat and t.vaut(situation))

    def delais(self, etat: Etat, situation: Situation) -> tuple[Delai, ...]:
        """Délais en cours dans cet état, le plus proche d'abord ; un délai tenu n'y est plus."""
        en_cours = []
        for t in self.permises(etat, situation):
            limite = t.limite(situation)
            if limite is None or t.role is RoleDelai.EXPIRATION:
                continue
            depuis = situation.dates[t.depart]
            fait = situation.dates.get(t.evenement)
            if fait is None or fait < depuis:
                en_cours.append(
                    Delai(t.evenement, t.libelle, t.faire, limite, t.role, t.duree, depuis, t.texte, t.effet)
                )
        return tuple(sorted(en_cours, key=lambda d: d.limite))

    def avancer(self, etat: Etat, evenement: str, le: date, situation: Situation) -> Transition:
        """La ligne que suit cet événement. Lève EtapeRefusee : saut, date incohérente, trop tôt, trop tard."""
        permises = self.permises(etat, situation)
        transition = next((t for t in permises if t.evenement == evenement), None)
        if transition is None:
            suites = ", ".join(f"« {t.libelle} »" for t in permises) or "aucune étape"
            nom = self.libelles.get(evenement, evenement)
            raise EtapeRefusee(f"« {nom} » ne peut pas suivre l'état actuel ; il peut suivre : {suites}.")
        if le > situation.au:
            raise EtapeRefusee(f"Le {le:%d/%m/%Y} n'est pas encore venu : une étape s'enregistre quand elle a eu lieu.")
        derniere = max(situation.dates.values(), default=None)
        if derniere is not None and le < derniere:
            raise EtapeRefusee(f"Le {le:%d/%m/%Y} précède l'étape du {derniere:%d/%m/%Y}, déjà enregistrée.")
        self._verifier_delai(transition, le, situation)
        return transition

    def _verifier_delai(self, t: Transition, le: date, situation: Situation) -> None:
        if t.role not in (RoleDelai.TENIR, RoleDelai.ATTENDRE, RoleDelai.EXPIRATION):
            return
        depart = situation.dates.get(t.depart)
        if depart is None:
            raise EtapeRefusee(f"Enregistrez d'abord « {self.libelles[t.depart]} » : le délai en part.")
        if t.role is RoleDelai.EXPIRATION:
            self._verifier_non_fait(t, depart, situation)
        # On ne refuse qu'au-delà du report légal : le dernier jour ouvrable est encore à temps (CPC, art. 642).
        distance = situation.distance_mois if t.role is RoleDelai.ATTENDRE else 0
        limite = t.duree.attente_apres(depart, region=situation.region, distance_mois=distance)
        if t.role is RoleDelai.TENIR and le > limite:
            raise EtapeRefusee(
                f"Le délai de {t.duree} a expiré le {limite:%d/%m/%Y} ({t.texte}) : {t.effet or 'étape impossible'}."
            )
        if t.role is not RoleDelai.TENIR and le <= limite:
            raise EtapeRefusee(
                f"Pas avant le {limite + timedelta(1):%d/%m/%Y} : {t.duree} depuis le {depart:%d/%m/%Y} ({t.texte})."
            )

    def _verifier_non_fait(self, t: Transition, depart: date, situation: Situation) -> None:
        """Un délai que l'on a tenu n'expire pas."""
        for autre in self.permises(t.de, situation):
            fait = situation.dates.get(autre.evenement)
            if autre.role is RoleDelai.TENIR and autre.depart == t.depart and fait is not None and fait >= depart:
                raise EtapeRefusee(f"« {autre.libelle} » le {fait:%d/%m/%Y} : le délai a été tenu.")
