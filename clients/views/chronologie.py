"""La chronologie d'un client : ce qui fut envoyé, dit, reçu et décidé, fondu en un fil, lu par pages.

Chaque source (`chronologie_echanges`, `chronologie_compte`, `chronologie_gestes`) dit son queryset, le champ qui date
et comment un objet se lit. Une page prend de chacune ce qui précède le curseur : le nombre de requêtes ne dépend ni
de la page, ni du nombre de faits, et rien ne se perd ni ne se répète si un fait arrive entre deux pages.
"""

from collections.abc import Callable, Iterable
from dataclasses import dataclass, field
from datetime import date, datetime, time
from itertools import chain

from django.db.models import Q, QuerySet
from django.utils import timezone
from django.utils.dateparse import parse_datetime

from clients.models import Client
from recouvrement.commun import formats

PAR_PAGE = 25
GENRES = ("tout", "envois", "recus", "appels", "notes", "argent", "suivi")


@dataclass
class Fait:
    """Un fait. `code`, `pk` : sa source et son objet, qui départagent deux faits du même instant.

    cite : texte cité, replié. pieces : (libellé, adresse) de fichiers. pourquoi : question et causes, repliées.
    """

    quand: datetime | date
    titre: str
    texte: str = ""
    preuve: str = ""
    signe: str = "info-circle"
    ton: str = ""
    url: str = ""
    cite: str = ""
    pieces: list[tuple[str, str]] = field(default_factory=list)
    question: str = ""
    pourquoi: list = field(default_factory=list)
    code: str = ""
    pk: int = 0

    @property
    def cle(self) -> tuple:
        """Ordre : le jour, puis l'heure ; un fait sans heure se lit après ceux du même jour."""
        if isinstance(self.quand, datetime):
            local = timezone.localtime(self.quand)
            return local.date(), 1, local.time(), self.code, self.pk
        return self.quand, 0, time(), self.code, self.pk

    @property
    def moment(self) -> str:
        if isinstance(self.quand, datetime):
            return f"{formats.jour(self.quand)} · {timezone.localtime(self.quand):%H:%M}"
        return formats.jour(self.quand)


@dataclass(frozen=True)
class Source:
    """lire(client) : ses objets. champ : celui qui date, un instant si `heure`, sinon un jour. dire(objets) : faits."""

    code: str
    genre: str
    champ: str
    heure: bool
    lire: Callable[[Client], QuerySet]
    dire: Callable[[list], Iterable[Fait]]

    def page(self, client: Client, curseur: "Curseur | None", n: int) -> list[Fait]:
        lignes = self.lire(client).filter(**{f"{self.champ}__isnull": False})
        if curseur:
            lignes = lignes.filter(curseur.apres(self))
        objets = list(lignes.order_by(f"-{self.champ}", "-pk")[:n])
        faits = []
        for objet, fait in zip(objets, self.dire(objets), strict=True):
            fait.code, fait.pk = self.code, objet.pk
            faits.append(fait)
        return faits


@dataclass(frozen=True)
class Curseur:
    """Le dernier fait montré : la page suivante vient après lui. quand : instant, ou jour pour un fait sans heure."""

    quand: datetime | date
    code: str
    pk: int

    @classmethod
    def lire(cls, texte: str) -> "Curseur | None":
        """« 2026-11-20T09:00:00+00:00~note~12 » ; None s'il ne se lit pas, et la lecture reprend au début."""
        quand, _, reste = texte.partition("~")
        code, _, pk = reste.partition("~")
        if not pk.isdecimal() or len(pk) > 18 or len(quand) > 40:
            return None
        try:
            lu = parse_datetime(quand) if "T" in quand else date.fromisoformat(quand)
        except ValueError:
            return None
        if lu is None or (isinstance(lu, datetime) and timezone.is_naive(lu)) or not 1900 < lu.year < 2200:
            return None
        return cls(lu, code, int(pk))

    def __str__(self):
        return f"{self.quand.isoformat()}~{self.code}~{self.pk}"

    def apres(self, source: Source) -> Q:
        """Ce qui, dans cette source, se lit plus bas que le curseur ; même ordre que `Fait.cle`."""
        champ, heure_ici = source.champ, isinstance(self.quand, datetime)
        if source.heure and not heure_ici:  # tout fait daté à l'heure du même jour est déjà plus haut
            minuit = timezone.make_aware(datetime.combine(self.quand, time()))
            return Q(**{f"{champ}__lt": minuit})
        if not source.heure and heure_ici:  # un fait sans heure du même jour est plus bas
            return Q(**{f"{champ}__lte": timezone.localtime(self.quand).date()})
        plus_bas = Q(**{f"{champ}__lt": self.quand})
        if source.code < self.code:
            return plus_bas | Q(**{champ: self.quand})
        if source.code == self.code:
            return plus_bas | Q(**{champ: self.quand, "pk__lt": self.pk})
        return plus_bas


def sources(genre: str = "tout") -> list[Source]:
    """Celles du genre, toutes par défaut ; l'ordre ne compte pas."""
    from . import chronologie_compte, chronologie_echanges, chronologie_gestes

    toutes = chain(chronologie_echanges.SOURCES, chronologie_compte.SOURCES, chronologie_gestes.SOURCES)
    return [s for s in toutes if genre in ("tout", s.genre)]


def chronologie(client: Client, *, apres: Curseur | None = None, genre: str = "tout") -> tuple[list[Fait], str]:
    """(faits de la page, curseur de la suivante ou vide), du plus récent au plus ancien."""
    n = PAR_PAGE + 1
    lus = chain.from_iterable(source.page(client, apres, n) for source in sources(genre))
    faits = sorted(lus, key=lambda f: f.cle, reverse=True)
    page = faits[:PAR_PAGE]
    suite = str(Curseur(page[-1].quand, page[-1].code, page[-1].pk)) if len(faits) > PAR_PAGE else ""
    return page, suite


def compter(client: Client) -> int:
    """Nombre de faits, pour l'onglet : une requête."""
    cles = [
        s.lire(client).filter(**{f"{s.champ}__isnull": False}).order_by().values_list("pk").distinct()
        for s in sources()
    ]
    premiere, *autres = cles
    return premiere.union(*autres, all=True).count()
