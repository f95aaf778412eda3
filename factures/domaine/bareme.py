"""Barème des taux d'intérêt de retard, par semestre civil : pur, immuable, jamais extrapolé.

Tous les taux sont en pour cent (12.40 = 12,40 %). Un semestre s'écrit `2026-S2`.
"""

from collections.abc import Iterable
from datetime import date
from decimal import Decimal

MAJORATION_ENTREPRISE = Decimal(10)  # points ; C. com., art. L441-10, II
MAJORATION_PUBLIC = Decimal(8)  # points ; CCP, art. R2192-31
MAJORATION_JUGEMENT = Decimal(5)  # points ; CMF, art. L313-3
MULTIPLE_PLANCHER = 3  # taux stipulé ≥ 3 × le taux légal ; C. com., art. L441-10, II


class TauxManquant(LookupError):
    """Un taux absent du barème : le calcul est refusé, le semestre est nommé."""

    def __init__(self, semestre: str, quoi: str = "taux"):
        self.semestre = semestre
        annee, rang = semestre.split("-S")
        nom = f"{'1er' if rang == '1' else '2e'} semestre {annee}"
        super().__init__(f"{quoi} absent du barème pour le {nom} ({semestre}) : calcul refusé, taux à relever.")


def semestre(jour: date) -> str:
    """Semestre civil d'un jour : `2026-S1` du 1er janvier au 30 juin, `2026-S2` ensuite."""
    return f"{jour.year:04d}-S{1 if jour.month <= 6 else 2}"


def bornes(sem: str) -> tuple[date, date]:
    """Premier et dernier jours d'un semestre. Lève ValueError si `sem` n'a pas la forme AAAA-S1 ou AAAA-S2."""
    annee, _, rang = sem.partition("-S")
    if rang not in ("1", "2") or len(annee) != 4 or not annee.isdecimal():
        raise ValueError(f"semestre illisible : {sem!r} (attendu : 2026-S1 ou 2026-S2)")
    an = int(annee)
    return (date(an, 1, 1), date(an, 6, 30)) if rang == "1" else (date(an, 7, 1), date(an, 12, 31))


def fin_de_semestre(jour: date) -> date:
    """Dernier jour du semestre de `jour`."""
    return date(jour.year, 6, 30) if jour.month <= 6 else date(jour.year, 12, 31)


class Bareme:
    """Taux connus, et eux seuls.

    refi : (date d'effet, taux des opérations principales de refinancement de la BCE), toute l'histoire.
    legal : (semestre, taux de l'intérêt légal « autres cas » : le créancier est un professionnel).
    semestres : (semestre, taux BCE relevé au premier jour). C'est un fait donné, non déduit : une
        décision de septembre ne dit pas le taux du 1er janvier suivant.

    Immuable, comparé par identité : le même objet sert de clé de mémoire. Lève ValueError si une clé
    est en double, un taux négatif, un semestre illisible, ou si l'histoire dément un semestre relevé.
    """

    __slots__ = ("refi", "_legal", "_semestres")

    def __init__(
        self,
        refi: Iterable[tuple[date, Decimal]],
        legal: Iterable[tuple[str, Decimal]],
        semestres: Iterable[tuple[str, Decimal]],
    ):
        poser = super().__setattr__
        poser("refi", tuple(_table(refi, "date d'effet").items()))
        poser("_legal", _table(legal, "taux légal du semestre"))
        poser("_semestres", _table(semestres, "semestre"))
        for sem in (*self._legal, *self._semestres):
            bornes(sem)
        for sem, releve in self._semestres.items():
            histoire = self._lire(bornes(sem)[0])
            if histoire != releve:
                raise ValueError(f"{sem} : taux BCE relevé {releve}, mais {histoire} dans l'histoire des décisions")

    def __setattr__(self, nom, valeur):
        raise AttributeError("un barème ne change pas : en construire un autre")

    def _lire(self, jour: date) -> Decimal | None:
        return next((taux for effet, taux in reversed(self.refi) if effet <= jour), None)

    @property
    def semestres_connus(self) -> tuple[str, ...]:
        """Semestres dont le taux BCE du premier jour a été relevé, dans l'ordre."""
        return tuple(self._semestres)

    @property
    def valable_jusqu_au(self) -> str:
        """Dernier semestre connu, vide pour un barème vide."""
        return max(self._semestres, default="")

    def refi_au(self, jour: date) -> Decimal:
        """Taux de la BCE en vigueur le jour dit. Lève TauxManquant hors des semestres connus."""
        self.refi_du_semestre(semestre(jour))
        return self._lire(jour)

    def refi_du_semestre(self, sem: str) -> Decimal:
        """Taux de la BCE au premier jour du semestre : une variation en cours de semestre est sans effet."""
        return _trouver(self._semestres, sem, "taux de la BCE")

    def taux_defaut_entreprise(self, sem: str) -> Decimal:
        """BCE + 10 points, à défaut de clause ; le plancher ne le relève pas. C. com., art. L441-10, II."""
        return self.refi_du_semestre(sem) + MAJORATION_ENTREPRISE

    def taux_public(self, sem: str) -> Decimal:
        """BCE + 8 points : débiteur public. CCP, art. R2192-31."""
        return self.refi_du_semestre(sem) + MAJORATION_PUBLIC

    def taux_legal(self, sem: str) -> Decimal:
        """Intérêt légal « autres cas » : créancier professionnel. CMF, art. L313-2 et D313-1-A."""
        return _trouver(self._legal, sem, "taux de l'intérêt légal")

    def taux_legal_majore(self, sem: str) -> Decimal:
        """Intérêt légal + 5 points, deux mois après que la décision est exécutoire. CMF, art. L313-3."""
        return self.taux_legal(sem) + MAJORATION_JUGEMENT

    def plancher(self, sem: str) -> Decimal:
        """Minimum du taux stipulé entre professionnels : 3 × le taux légal. C. com., art. L441-10, II."""
        return MULTIPLE_PLANCHER * self.taux_legal(sem)


def _table(lignes, quoi: str) -> dict:
    """Lignes triées et sans double, taux positifs ou nuls (le taux de la BCE a valu zéro)."""
    table = {}
    for cle, taux in sorted(lignes):
        if cle in table:
            raise ValueError(f"{quoi} en double dans le barème : {cle}")
        if taux < 0:
            raise ValueError(f"taux négatif dans le barème : {cle}")
        table[cle] = taux
    return table


def _trouver(table: dict, sem: str, quoi: str) -> Decimal:
    try:
        return table[sem]
    except KeyError:
        bornes(sem)
        raise TauxManquant(sem, quoi) from None
