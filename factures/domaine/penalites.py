"""Intérêts de retard et indemnité forfaitaire : calcul pur, ni base de données ni horloge.

Trois droits, pas trois tons :
- entreprise : BCE + 10 par semestre, ou taux stipulé (C. com., art. L441-10, II) ;
- administration : BCE + 8, figé au semestre du premier jour d'intérêts (CCP, art. R2192-31) ;
- particulier : taux légal « autres cas » par semestre, depuis la mise en demeure seulement
  (C. civ., art. 1231-6 et 1344-1), et jamais d'indemnité.

Montants en euros (Decimal au centime), taux en pour cent. Les intérêts courent du lendemain du
départ au dernier jour inclus, arrondis au centime, demi supérieur, une fois par segment. Un segment =
un semestre à principal constant (taux par défaut ou légal), ou toute la période à principal constant
(taux stipulé ou public). Conventions et articles : docs/regles.md.
"""

from collections.abc import Iterable
from dataclasses import dataclass
from datetime import date
from decimal import Decimal
from enum import StrEnum
from typing import NamedTuple

from .bareme import Bareme, TauxManquant, semestre
from .decoupage import (
    BASE_EXACTE,
    BASE_FIXE,
    CENT,
    UN_JOUR,
    Debiteur,
    DebiteurAQualifier,
    Tranche,
    depart_des_interets,
    qualifier,
    semestres,
    tranches,
)

__all__ = [
    "BASE_EXACTE",
    "BASE_FIXE",
    "INDEMNITE_FORFAITAIRE",
    "Avertissement",
    "Calcul",
    "Debiteur",
    "DebiteurAQualifier",
    "Paiement",
    "PaiementImpute",
    "RegleImputation",
    "Segment",
    "TauxManquant",
    "calculer",
    "depart_des_interets",
    "indemnite_forfaitaire",
    "interets_courus",
    "qualifier",
]

INDEMNITE_FORFAITAIRE = Decimal("40.00")  # par facture en retard ; C. com., art. D441-5 ; CCP, art. D2192-35
ZERO = Decimal("0.00")


class RegleImputation(StrEnum):
    """Ce qu'un paiement partiel éteint d'abord : les intérêts (C. civ., art. 1343-1), ou le principal par accord."""

    INTERETS = "interets"
    PRINCIPAL = "principal"


class Paiement(NamedTuple):
    """Un encaissement ; `jour` est celui où le compte du créancier est crédité.

    accessoires : versé pour les intérêts et l'indemnité, il n'éteint du principal que ce que des intérêts, imputés
    d'abord, en avaient laissé. cle : ce que l'appelant veut retrouver dans `PaiementImpute`.
    """

    jour: date
    montant: Decimal
    accessoires: bool = False
    cle: object = None


class Avertissement(NamedTuple):
    """Un point que le calcul signale sans le trancher ; `code` est stable, `texte` est en français."""

    code: str
    texte: str


@dataclass(frozen=True, slots=True)
class Segment:
    """Intérêts d'une période à principal et taux constants, bornes incluses."""

    du: date
    au: date
    jours: int
    principal: Decimal
    taux: Decimal
    interets: Decimal

    @property
    def semestre(self) -> str:
        """Semestre du premier jour du segment."""
        return semestre(self.du)


@dataclass(frozen=True, slots=True)
class PaiementImpute:
    """Ce qu'un paiement a éteint, et le principal qui restait après lui."""

    jour: date
    montant: Decimal
    sur_interets: Decimal
    sur_principal: Decimal
    sur_indemnite: Decimal
    trop_percu: Decimal
    principal_restant: Decimal
    accessoires: bool = False
    cle: object = None


@dataclass(frozen=True, slots=True)
class Calcul:
    """Compte d'une échéance au jour dit. `interets` : courus en tout ; `total` : ce qui reste dû en tout."""

    segments: tuple[Segment, ...]
    paiements: tuple[PaiementImpute, ...]
    interets: Decimal
    interets_restants: Decimal
    indemnite: Decimal
    principal_restant: Decimal
    total: Decimal
    trop_percu: Decimal
    avertissements: tuple[Avertissement, ...]
    indemnite_restante: Decimal = ZERO
    accessoires_en_trop: tuple[Paiement, ...] = ()  # versés pour des accessoires que cette échéance ne doit pas


def calculer(
    montant: Decimal,
    echeance: date,
    *,
    au: date,
    debiteur: str,
    bareme: Bareme,
    taux_stipule: Decimal | None = None,
    plancher: bool = False,
    mise_en_demeure: date | None = None,
    paiements: Iterable[tuple[date, Decimal]] = (),
    imputation: str = RegleImputation.INTERETS,
    base: int = BASE_FIXE,
    jugement_ouverture: date | None = None,
    majoration_depuis: date | None = None,
    avec_indemnite: bool = True,
    defaut: bool = False,
    sans_interets: bool = False,
) -> Calcul:
    """Compte complet d'une échéance arrêté au jour `au` inclus.

    montant : TTC dû à l'échéance, avoirs déduits (un avoir réduit le principal dès l'origine).
    echeance : date de règlement ; pour un débiteur public, dernier jour du délai de paiement.
    debiteur : `entreprise`, `administration` ou `particulier` ; tout autre lève DebiteurAQualifier.
    taux_stipule : entreprise seulement ; sous le plancher (3 × taux légal), il est appliqué et signalé,
        ou, dans chaque semestre où il est trop bas, relevé au plancher si `plancher`, écarté pour le taux à
        défaut de clause si `defaut`.
    mise_en_demeure : particulier ; jour de réception, ou de première présentation.
    paiements : (jour, montant) dans un ordre quelconque ; ceux d'après `au` sont laissés de côté. Ils
        éteignent intérêts puis principal (C. civ., art. 1343-1), ou l'inverse ; l'indemnité en dernier.
    jugement_ouverture : procédure collective ; les intérêts s'arrêtent la veille (C. com., art. L622-28)
        et une échéance de ce jour ou d'après ne porte pas d'indemnité.
    majoration_depuis : fin des deux mois qui suivent la décision exécutoire ; du lendemain, le taux légal
        majoré de 5 points remplace tout autre (CMF, art. L313-3), et une échéance de ce jour ou d'après
        ne porte pas d'indemnité.
    avec_indemnite : faux si une autre échéance de la même facture la porte déjà, ou si le créancier y renonce.
    sans_interets : le créancier renonce aux intérêts ; aucun ne court, les paiements éteignent le principal.

    Lève TauxManquant si un semestre à compter manque au barème, ValueError pour un montant négatif ou à
    plus de deux décimales, un paiement nul ou négatif, un taux négatif, une base autre que 365 ou 366.
    """
    debiteur, imputation = qualifier(debiteur), RegleImputation(imputation)
    _controler(montant, taux_stipule, base)
    # Le même jour, ce qui est versé pour les accessoires les éteint avant que le principal n'impute ses intérêts.
    tous = sorted((Paiement(*p) for p in paiements), key=lambda p: (p.jour, not p.accessoires))
    for paiement in tous:
        _controler_montant(paiement.montant)
        if not paiement.montant:
            raise ValueError("paiement nul")
    retenus = [p for p in tous if p.jour <= au]

    depart = None
    if not sans_interets:
        depart = depart_des_interets(debiteur, echeance, mise_en_demeure, majoration_depuis)
    fin = au if jugement_ouverture is None else min(au, jugement_ouverture - UN_JOUR)
    paye_a_terme = sum((p.montant for p in retenus if p.jour <= echeance and not p.accessoires), ZERO)
    indemnite = ZERO
    if avec_indemnite and au > echeance and paye_a_terme < montant:
        indemnite = indemnite_forfaitaire(debiteur, echeance, jugement_ouverture, majoration_depuis)
    compte = _Compte(montant, indemnite, imputation)
    regime = (bareme, debiteur, depart, taux_stipule, majoration_depuis, base)
    soldee_le = _derouler(compte, retenus, fin, regime, (plancher, defaut))

    avertissements = []
    if not sans_interets:
        choix = "plancher" if plancher else "defaut" if defaut else ""
        avertissements += _avertir(bareme, debiteur, depart, soldee_le or fin, taux_stipule, choix, majoration_depuis)
    if len(retenus) < len(tous):
        avertissements.append(
            Avertissement("paiement_posterieur", "Un paiement postérieur à la date d'arrêté n'est pas compté.")
        )
    if compte.trop_percu:
        avertissements.append(Avertissement("trop_percu", f"Trop-perçu de {_texte(compte.trop_percu)} €."))
    return Calcul(
        segments=tuple(compte.segments),
        paiements=tuple(compte.paiements),
        interets=compte.interets,
        interets_restants=compte.interets_restants,
        indemnite=indemnite,
        principal_restant=compte.principal,
        total=compte.principal + compte.interets_restants + compte.indemnite_restante,
        trop_percu=compte.trop_percu,
        avertissements=tuple(avertissements),
        indemnite_restante=compte.indemnite_restante,
        accessoires_en_trop=tuple(compte.accessoires_en_trop),
    )


def interets_courus(
    principal: Decimal,
    echeance: date,
    *,
    au: date,
    debiteur: str,
    bareme: Bareme,
    taux_stipule: Decimal | None = None,
    plancher: bool = False,
    mise_en_demeure: date | None = None,
    jugement_ouverture: date | None = None,
    base: int = BASE_FIXE,
) -> Decimal:
    """Intérêts d'un principal resté constant : le chemin rapide de la nuit, égal à `calculer(...).interets`.

    Mêmes règles et mêmes erreurs ; le découpage est mémorisé par (échéance, arrêté). Avec des paiements
    postérieurs à l'échéance, prendre `calculer`.
    """
    debiteur = qualifier(debiteur)
    _controler(principal, taux_stipule, base)
    depart = depart_des_interets(debiteur, echeance, mise_en_demeure)
    fin = au if jugement_ouverture is None else min(au, jugement_ouverture - UN_JOUR)
    if not principal or depart is None or fin <= depart:
        return ZERO
    decoupage = tranches(bareme, debiteur, depart, taux_stipule, None, base, depart, fin, plancher)
    return sum((tranche.interets(principal) for tranche in decoupage), ZERO)


def indemnite_forfaitaire(
    debiteur: Debiteur, echeance: date, jugement_ouverture: date | None = None, majoration_depuis: date | None = None
) -> Decimal:
    """40 € pour une facture payée en retard par un professionnel, zéro pour un consommateur.

    Zéro aussi pour une échéance tombant le jour d'un jugement ou après : la procédure interdit alors de
    payer à l'échéance (C. com., art. L441-10, II et D441-5). Une fois par facture : à l'appelant d'y veiller.
    """
    jugements = [jour for jour in (jugement_ouverture, majoration_depuis) if jour is not None]
    if debiteur is Debiteur.PARTICULIER or any(echeance >= jour for jour in jugements):
        return ZERO
    return INDEMNITE_FORFAITAIRE


class _Compte:
    """État d'une échéance pendant le calcul : ce qui court, ce qui s'éteint."""

    def __init__(self, principal: Decimal, indemnite: Decimal, imputation: RegleImputation):
        self.principal = principal.quantize(CENT)
        self.interets = self.interets_restants = self.trop_percu = ZERO
        self.indemnite_restante = indemnite
        self.imputation = imputation
        self.segments: list[Segment] = []
        self.paiements: list[PaiementImpute] = []
        self.ecart = ZERO  # principal que des intérêts imputés d'abord ont laissé dû, soldé en compte
        self.accessoires_en_trop: list[Paiement] = []

    def courir(self, decoupage: Iterable[Tranche]):
        for t in decoupage:
            interets = t.interets(self.principal)
            self.segments.append(Segment(t.du, t.au, t.jours, self.principal, t.taux, interets))
            self.interets += interets
            self.interets_restants += interets

    def imputer_accessoires(self, paiement: Paiement):
        """Intérêts, puis le principal qu'ils avaient laissé, puis l'indemnité ; ce qui dépasse n'éteint rien."""
        reste = paiement.montant.quantize(CENT)
        parts = []
        for du in (self.interets_restants, min(self.ecart, self.principal), self.indemnite_restante):
            parts.append(min(reste, du))
            reste -= parts[-1]
        sur_interets, sur_principal, sur_indemnite = parts
        self.interets_restants -= sur_interets
        self.principal -= sur_principal
        self.ecart -= sur_principal
        self.indemnite_restante -= sur_indemnite
        if reste:
            self.accessoires_en_trop.append(paiement._replace(montant=reste))
        if verse := sum(parts, ZERO):
            self.paiements.append(
                PaiementImpute(paiement.jour, verse, *parts, ZERO, self.principal, accessoires=True, cle=paiement.cle)
            )

    def imputer(self, paiement: Paiement):
        if paiement.accessoires:
            self.imputer_accessoires(paiement)
            return
        reste = paiement.montant.quantize(CENT)
        sur_interets = sur_principal = ZERO
        postes = ("interets", "principal") if self.imputation is RegleImputation.INTERETS else ("principal", "interets")
        for poste in postes:
            if poste == "interets":
                sur_interets = min(reste, self.interets_restants)
                reste -= sur_interets
            else:
                sur_principal = min(reste, self.principal)
                reste -= sur_principal
        sur_indemnite = min(reste, self.indemnite_restante)
        reste -= sur_indemnite
        self.interets_restants -= sur_interets
        self.principal -= sur_principal
        self.indemnite_restante -= sur_indemnite
        self.trop_percu += reste
        self.ecart += sur_interets
        parts = (sur_interets, sur_principal, sur_indemnite, reste)
        self.paiements.append(PaiementImpute(paiement.jour, paiement.montant, *parts, self.principal, cle=paiement.cle))


def _derouler(compte, paiements, fin, regime, sous_plancher) -> date | None:
    """Fait courir les intérêts d'un paiement à l'autre ; renvoie le jour où le principal s'est éteint, s'il l'est."""
    curseur, soldee_le = regime[2], None
    for paiement in (*paiements, None):
        borne = fin if paiement is None else min(paiement.jour, fin)
        if curseur is not None and borne > curseur and compte.principal:
            compte.courir(tranches(*regime, curseur, borne, *sous_plancher))
            curseur = borne
        if paiement is not None:
            compte.imputer(paiement)
        if not compte.principal and soldee_le is None:
            soldee_le = borne
    return soldee_le


def _avertir(bareme, debiteur, depart, fin, taux_stipule, choix, majoration_depuis) -> Iterable[Avertissement]:
    """Ce que le calcul a fait ou n'a pas pu vérifier, et qu'une personne doit savoir."""
    if debiteur is Debiteur.PARTICULIER and depart is None:
        yield Avertissement(
            "sans_mise_en_demeure", "Aucune mise en demeure : aucun intérêt ne court (C. civ., 1344-1)."
        )
    if taux_stipule is None:
        return
    if debiteur is not Debiteur.ENTREPRISE:
        yield Avertissement("stipule_ignore", "Le taux stipulé ne s'applique qu'entre professionnels : il est ignoré.")
        return
    if majoration_depuis is not None:
        fin = min(fin, majoration_depuis)
    sous, inconnus = [], []
    for sem in semestres(depart, fin):
        try:
            if taux_stipule < bareme.plancher(sem):
                sous.append(f"{sem} : {_texte(bareme.plancher(sem))} %")
        except TauxManquant:
            inconnus.append(sem)
    if sous:
        debut = f"Taux stipulé de {_texte(taux_stipule)} % sous le plancher de 3 × le taux légal ({', '.join(sous)})"
        if choix == "plancher":
            yield Avertissement("stipule_releve", f"{debut} : relevé au plancher, aucun texte ne l'impose.")
        elif choix == "defaut":
            yield Avertissement("stipule_ecarte", f"{debut} : BCE + 10 points à la place, aucun texte ne l'impose.")
        else:
            yield Avertissement(
                "stipule_sous_plancher", f"{debut} : clause illicite, taux de remplacement non tranché, à décider."
            )
    if inconnus:
        yield Avertissement(
            "plancher_inconnu", f"Plancher du taux stipulé non vérifiable, taux légal inconnu : {', '.join(inconnus)}."
        )


def _controler(montant: Decimal, taux_stipule: Decimal | None, base: int):
    _controler_montant(montant)
    if taux_stipule is not None and taux_stipule < 0:
        raise ValueError(f"taux stipulé négatif : {taux_stipule}")
    if base not in (BASE_FIXE, BASE_EXACTE):
        raise ValueError(f"base de calcul inconnue : {base} (365 ou 366)")


def _controler_montant(montant: Decimal):
    if montant < 0:
        raise ValueError(f"montant négatif : {montant}")
    if montant != montant.quantize(CENT):
        raise ValueError(f"montant à plus de deux décimales : {montant}")


def _texte(nombre: Decimal) -> str:
    return f"{nombre:.2f}".replace(".", ",")
