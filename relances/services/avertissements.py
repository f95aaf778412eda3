"""Avant de relancer à la main : un délai donné qui court encore, un contact trop récent. On prévient ; on n'empêche
que la mise en demeure dont le débiteur a encore le temps de se passer."""

from collections.abc import Iterable
from datetime import date, timedelta

from django.utils import timezone
from django.utils.translation import gettext as _

from clients.models import Client
from recouvrement.commun import formats
from recouvrement.journal.models import Maillon
from relances.models import Courrier, Relance

from .etats import Refus

PARTIS = (Courrier.Statut.ENVOYE, Courrier.Statut.POSTE)


def delais_courants(client: Client, pieces: Iterable[int], *, au: date) -> list[Courrier]:
    """Lettres parties qui laissent encore au client jusqu'à leur date limite pour ces pièces.

    Un recommandé électronique refusé ou non réclamé n'a pas été lu : il se double sans attendre.
    """
    return list(
        client.courriers.filter(
            statut__in=PARTIS,
            date_limite__gte=au,
            relances__echeance__in=list(pieces),
            relances__statut__in=Relance.VIVANTES,
        )
        .exclude(electronique=True, retour__in=(Courrier.Retour.REFUSE, Courrier.Retour.NON_RECLAME))
        .distinct()
        .order_by("-date_limite", "-pk")
    )


def avertir(client: Client, pieces: Iterable[int], *, au: date) -> list[str]:
    """Phrases à lire avant de relancer ces pièces ; vide : rien à redire. Trois requêtes."""
    phrases = [
        _("%(courrier)s du %(jour)s : le client a jusqu'au %(limite)s pour répondre, ce délai court encore.")
        % {
            "courrier": courrier.get_nature_display(),
            "jour": formats.jour(courrier.depose_le or courrier.arrete_au),
            "limite": formats.jour_long(courrier.date_limite),
        }
        for courrier in delais_courants(client, pieces, au=au)
    ]
    delai = client.societe.delai_entre_contacts if client.delai_entre_contacts is None else client.delai_entre_contacts
    dernier = _dernier_contact(client)
    if dernier and au < dernier[0] + timedelta(days=delai):
        phrases.append(
            _("%(contact)s le %(jour)s : le délai entre deux contacts de ce client est de %(n)s jours.")
            % {"contact": dernier[1], "jour": formats.jour(dernier[0]), "n": delai}
        )
    return phrases


def _dernier_contact(client: Client) -> tuple[date, str] | None:
    """(jour, ce que c'était) du dernier courrier parti ou appel consigné."""
    contacts = []
    courrier = client.courriers.filter(statut__in=PARTIS).exclude(envoye_le=None).order_by("-envoye_le").first()
    if courrier:
        jour = courrier.depose_le or timezone.localtime(courrier.envoye_le).date()
        contacts.append((jour, courrier.get_nature_display()))
    appel = Maillon.objects.filter(client_id=client.pk, action="appel.consigne").order_by("-rang").first()
    if appel:
        contacts.append((timezone.localtime(appel.quand).date(), _("Appel")))
    return max(contacts, default=None)


def verifier_demeure(client: Client, pieces: Iterable[int], *, au: date) -> None:
    """Lève Refus si une lettre laisse encore au client le temps de payer : il n'est pas en demeure avant ce jour."""
    if courants := delais_courants(client, pieces, au=au):
        raise Refus(
            _("Pas de mise en demeure avant le %(jour)s : %(courrier)s laisse au client jusqu'à ce jour pour payer.")
            % {
                "jour": formats.jour_long(courants[0].date_limite),
                "courrier": courants[0].get_nature_display().lower(),
            }
        )
