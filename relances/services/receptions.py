"""Depuis quel jour un recommandé est tenu pour reçu : la seule lecture de `Courrier` qui le dise.

Fait courir les intérêts d'un consommateur (droit.md § 17) et le délai raisonnable de tout débiteur. Écrans,
décompte, lettres et dossiers passent par ici.
"""

from collections.abc import Iterable
from datetime import date, timedelta

from relances.domaine import retours
from relances.domaine.controle import DELAI_COURT
from relances.domaine.natures import Nature
from relances.models import Courrier, Relance


def issue_de(courrier: Courrier) -> retours.Issue | None:
    return retours.issue(courrier.retour, electronique=courrier.electronique)


def date_de_reception(courrier: Courrier) -> date | None:
    """La remise, à défaut la première présentation ; None tant que rien ne le prouve, ou NPAI."""
    if courrier.depose_le is None:
        return None
    return retours.date_de_reception(issue_de(courrier), remis_le=courrier.retour_le, presente_le=courrier.presente_le)


def fin_du_delai(courrier: Courrier) -> date | None:
    """Dernier jour laissé par une mise en demeure : sa date limite, ou huit jours depuis sa remise si c'est plus tard.

    Reçue après sa date limite, elle n'a laissé aucun délai raisonnable (C. civ., art. 1231). None : sans date limite.
    """
    recue = date_de_reception(courrier)
    if courrier.date_limite is None or recue is None:
        return courrier.date_limite
    return max(courrier.date_limite, recue + timedelta(DELAI_COURT))


def mises_en_demeure_recues(echeances: Iterable[int], *, au: date) -> dict[int, date]:
    """{échéance: jour où sa première mise en demeure fut reçue, `au` au plus tard} ; absente : pas reçue."""
    parties = Relance.objects.filter(
        echeance__in=set(echeances), nature=Nature.MISE_EN_DEMEURE, statut__in=Relance.PARTIES
    ).select_related("courrier")
    recues: dict[int, date] = {}
    for relance in parties:
        recue = date_de_reception(relance.courrier)
        if recue and recue <= au:
            recues[relance.echeance_id] = min(recue, recues.get(relance.echeance_id, recue))
    return recues
