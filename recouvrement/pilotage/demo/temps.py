"""Le temps rejoué : jours comptés depuis le prochain passage, horloge tenue au passé le temps d'une histoire."""

from contextlib import contextmanager
from dataclasses import dataclass
from datetime import UTC, date, datetime, time, timedelta

from django.utils import timezone

from factures.domaine.calendrier import ajouter_jours_ouvres, jour_ouvre_suivant

UN_JOUR = timedelta(days=1)


@dataclass(frozen=True)
class Jours:
    """Les jours de la démonstration, tous relatifs à `au`, le jour où on la charge.

    soir : jour du prochain passage. veille : dernier jour ouvré avant `au`, où s'arrête l'histoire.
    """

    au: date

    @property
    def soir(self) -> date:
        return jour_ouvre_suivant(self.au)

    @property
    def veille(self) -> date:
        return ajouter_jours_ouvres(self.au, -1)

    def j(self, n: int) -> date:
        """n jours calendaires avant le prochain passage (après, si n est négatif)."""
        return self.soir - timedelta(days=n)

    def o(self, n: int) -> date:
        """Dernier jour ouvré égal ou antérieur à `j(n)`, jamais après la veille."""
        return min(ajouter_jours_ouvres(self.j(n) + UN_JOUR, -1), self.veille)

    def pour(self, jour: date, delai: int) -> date:
        """Échéance dont le palier à `delai` jours tombe ce jour-là."""
        return jour - timedelta(days=delai)

    def ouvres(self, du: date) -> list[date]:
        """Jours ouvrés de `du` à la veille compris."""
        jours, jour = [], jour_ouvre_suivant(du)
        while jour <= self.veille:
            jours.append(jour)
            jour = jour_ouvre_suivant(jour + UN_JOUR)
        return jours


class Horloge:
    """Ce que répond `timezone.now()` pendant l'histoire : le moment posé, puis une seconde de plus par lecture.

    Les horodatages automatiques, le journal et les envois portent ainsi leur date passée, dans l'ordre.
    """

    def __init__(self):
        self.moment: datetime | None = None

    def poser(self, jour: date, heure: int, minute: int = 0) -> datetime:
        """Avance au jour et à l'heure dits (Europe/Paris) ; ne recule jamais."""
        voulu = timezone.make_aware(datetime.combine(jour, time(heure, minute)), timezone.get_default_timezone())
        self.moment = max(voulu, self.moment or voulu)
        return self.moment

    def __call__(self) -> datetime:
        self.moment += timedelta(seconds=1)
        return self.moment.astimezone(UTC)


@contextmanager
def horloge_rejouee():
    """Remplace l'horloge de Django dans ce processus ; réservé au chargement de la démonstration."""
    reelle, horloge = timezone.now, Horloge()
    timezone.now = horloge
    try:
        yield horloge
    finally:
        timezone.now = reelle
