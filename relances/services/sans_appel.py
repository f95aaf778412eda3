"""« Ne pas appeler » : le drapeau d'un client, les tâches d'appel qu'il clôt, l'échelle qui saute ce palier."""

from datetime import date

from django.core.exceptions import ValidationError
from django.db import transaction
from django.db.models import F
from django.utils import timezone
from django.utils.translation import gettext as _

from clients.models import Client
from factures.models import Echeance
from recouvrement.journal.models import Maillon
from recouvrement.journal.services import consigner
from relances.models import Tache

from .niveaux import clore_verdicts


def _verrouille(client: Client) -> Client:
    return Client.objects.select_for_update(no_key=True, of=("self",)).select_related("societe").get(pk=client.pk)


@transaction.atomic
def ne_pas_appeler(client: Client, *, motif: str, au: date, acteur) -> int:
    """Pose le drapeau au jour `au` et clôt les tâches d'appel ouvertes ; renvoie leur nombre.

    Déjà posé, seul le motif change. Lève ValidationError sans motif.
    """
    motif = motif.strip()
    if not motif:
        raise ValidationError({"motif": _("Dites pourquoi : la raison se lit à la place du numéro.")})
    client = _verrouille(client)
    if (client.ne_pas_appeler_motif, client.ne_pas_appeler_le is not None) == (motif, True):
        return 0
    taches = list(client.taches.filter(genre=Tache.Genre.APPEL, faite_le=None).values_list("pk", flat=True))
    Tache.objects.filter(pk__in=taches).update(
        faite_le=timezone.now(), faite_par=acteur, issue=_("Ne pas appeler : %(motif)s") % {"motif": motif[:180]}
    )
    depuis = client.ne_pas_appeler_le or au
    Client.objects.filter(pk=client.pk).update(
        ne_pas_appeler_le=depuis, ne_pas_appeler_motif=motif[:200], version=F("version") + 1
    )
    _rejuger(client, au=au)
    consigner(
        "client.ne_pas_appeler", societe=client.societe, acteur=acteur, objet=client, client=client, texte=motif,
        donnees={"taches": taches},
    )  # fmt: skip
    return len(taches)


@transaction.atomic
def permettre_les_appels(client: Client, *, au: date, acteur) -> bool:
    """Lève le drapeau ; faux s'il ne l'était pas. Levé le jour même, les tâches qu'il avait closes se rouvrent."""
    client = _verrouille(client)
    if client.ne_pas_appeler_le is None:
        return False
    rouvertes = _rouvrir(client) if client.ne_pas_appeler_le == au else 0
    Client.objects.filter(pk=client.pk).update(
        ne_pas_appeler_le=None, ne_pas_appeler_motif="", version=F("version") + 1
    )
    _rejuger(client, au=au)
    consigner(
        "client.appels_permis", societe=client.societe, acteur=acteur, objet=client, client=client,
        donnees={"taches": rouvertes},
    )  # fmt: skip
    return True


def _rouvrir(client: Client) -> int:
    """Les tâches closes par la dernière pose, sauf si une autre de même clé s'est ouverte depuis."""
    poses = Maillon.objects.filter(client_id=client.pk, action="client.ne_pas_appeler").select_related("detail")
    dernier = poses.order_by("-rang").first()
    closes = dernier.detail.donnees.get("taches", []) if dernier else []
    ouvertes = client.taches.filter(faite_le=None).values("cle")
    return client.taches.filter(pk__in=closes).exclude(cle__in=ouvertes).update(faite_le=None, faite_par=None, issue="")


def _rejuger(client: Client, *, au: date) -> None:
    """Une pièce qui attendait son appel, ou la suite, ne dort plus : la prochaine nuit la rejuge."""
    ouvertes = Echeance.objects.ouvertes().filter(societe=client.societe_id, client=client)
    clore_verdicts(ouvertes.values_list("pk", flat=True), au=au)
