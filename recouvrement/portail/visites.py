"""Une visite est une visite : les antivirus et les messageries ouvrent les liens. Elle ne prouve rien."""

from datetime import timedelta

from recouvrement.commun.horloge import maintenant
from relances.models import VisitePortail

from .acces import Acces

QUART_D_HEURE = timedelta(minutes=15)
Genre = VisitePortail.Genre


def noter(acces: Acces, genre: str, detail: str = "") -> None:
    """Une ligne par quart d'heure, adresse, genre et détail ; un aperçu de l'équipe n'en laisse aucune."""
    if acces.apercu:
        return
    moment, ip = maintenant(), acces.adresse_ip or None
    memes = VisitePortail.objects.filter(lien=acces.lien, genre=genre, detail=detail[:120], adresse_ip=ip)
    if not memes.filter(le__gt=moment - QUART_D_HEURE).exists():
        VisitePortail.objects.create(
            lien=acces.lien, genre=genre, detail=detail[:120], le=moment, adresse_ip=ip, agent=acces.agent
        )
