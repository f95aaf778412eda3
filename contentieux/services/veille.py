"""Une tâche pour tout délai qui approche : procédure à quinze jours, prescription à six puis trois mois."""

from collections import defaultdict
from collections.abc import Iterator
from datetime import date, timedelta

from django.db import transaction
from django.utils import timezone
from django.utils.translation import gettext as _
from django.utils.translation import ngettext

from clients.models import Client
from contentieux.domaine.procedure import RoleDelai
from contentieux.models import DossierContentieux
from factures.models import Facture
from recouvrement.commun.formats import jour as ecrire_jour
from recouvrement.comptes.models import Societe
from relances.models import Tache
from relances.services.taches import creer_tache

from .prescriptions import Approche, approchent
from .suivi import delais

PREAVIS = timedelta(days=15)
CLE_PRESCRIPTION = "prescription-"
CLIENTS_PAR_LOT = 500


def veiller(societe: Societe, *, au: date) -> list[Tache]:
    """Ouvre ou rafraîchit les tâches de la société, dossiers puis prescriptions ; rejouable sans doublon.

    Une tâche faite n'est pas rouverte : sa clé porte la date ou l'alerte, une échéance nouvelle en ouvre une autre.
    """
    en_cours = DossierContentieux.objects.en_cours().filter(societe=societe).select_related("client", "societe")
    taches = []
    for dossier in en_cours.prefetch_related("lignes", "etapes"):
        for cle, titre, raison in _delais(dossier, au):
            if not Tache.objects.filter(client=dossier.client, cle=cle, faite_le__isnull=False).exists():
                taches.append(
                    creer_tache(
                        dossier.client, genre=Tache.Genre.AUTRE, titre=f"{dossier.reference} : {titre}", due_le=au,
                        cle=cle, raison=raison,
                    )
                )  # fmt: skip
    return taches + veiller_prescriptions(societe, au=au)


def _delais(dossier: DossierContentieux, au: date) -> Iterator[tuple[str, str, str]]:
    """(clé, titre, raison) : un délai à tenir s'annonce quinze jours avant ; une attente, le lendemain de sa fin."""
    for d in delais(dossier, au=au, etapes=dossier.etapes.all()):
        if d.role is RoleDelai.TENIR and d.limite - PREAVIS <= au:
            raison = _("au plus tard le %(j)s (%(t)s)")
        elif d.role is RoleDelai.ATTENDRE and d.limite < au:
            raison = _("possible depuis le lendemain du %(j)s (%(t)s)")
        else:
            continue
        quand = {"j": ecrire_jour(d.limite), "t": d.texte}
        yield f"contentieux:{dossier.pk}:{d.evenement}:{d.limite}", d.faire, raison % quand


def veiller_prescriptions(societe: Societe, *, au: date) -> list[Tache]:
    """Une tâche par client et par seuil (6 mois, 3 mois, date passée), pour toutes les factures ouvertes (exigence 37).

    La clé porte la date d'origine la plus lointaine du seuil : une tâche faite ne revient que si une facture de plus y
    entre. Une tâche dont plus aucune facture n'est à ce seuil se ferme. Un lot de clients à la fois : ni la mémoire ni
    une transaction ne portent toutes les alertes de la société.
    """
    suivies = Tache.objects.filter(societe=societe, cle__startswith=CLE_PRESCRIPTION, faite_le=None)
    taches, clients = [], list(Client.objects.filter(societe=societe).order_by("pk").values_list("pk", flat=True))
    for debut in range(0, len(clients), CLIENTS_PAR_LOT):
        lot = clients[debut : debut + CLIENTS_PAR_LOT]
        bornes = {"client__gte": lot[0], "client__lte": lot[-1]}
        par_client: dict[int, dict[int, list[Approche]]] = defaultdict(lambda: defaultdict(list))
        for a in approchent(Facture.objects.filter(societe=societe, **bornes), au=au):
            par_client[a.client][a.alerte].append(a)
        concernes = {*par_client, *suivies.filter(**bornes).values_list("client", flat=True)}
        if concernes:
            taches += _mettre_a_jour(societe, sorted(concernes), par_client, au)
    return taches


@transaction.atomic
def _mettre_a_jour(societe: Societe, clients: list[int], par_client, au: date) -> list[Tache]:
    list(
        Client.objects.select_for_update(no_key=True, of=("self",))
        .filter(pk__in=clients)
        .order_by("pk")
        .values_list("pk")
    )
    ouvertes, faites = {}, set()
    for tache in Tache.objects.filter(client__in=clients, cle__startswith=CLE_PRESCRIPTION):
        if tache.faite_le is None:
            ouvertes[tache.client_id, _seuil(tache.cle)] = tache
        else:
            faites.add((tache.client_id, tache.cle))
    neuves, changees = [], []
    for client in clients:
        for seuil, factures in par_client.get(client, {}).items():
            cle = f"{CLE_PRESCRIPTION}{seuil}:{max(a.origine for a in factures)}"
            titre, raison = _dire(seuil, sorted(factures, key=lambda a: (a.origine, a.facture)))
            tache = ouvertes.pop((client, seuil), None)
            if tache is not None:
                if (tache.cle, tache.titre, tache.raison) != (cle, titre, raison):
                    tache.cle, tache.titre, tache.raison = cle, titre, raison
                    changees.append(tache)
            elif (client, cle) not in faites:
                neuves.append(Tache(societe=societe, client_id=client, genre=Tache.Genre.AUTRE, titre=titre,
                                    raison=raison, due_le=au, cle=cle))  # fmt: skip
    perimees = [t.pk for t in ouvertes.values()]
    if perimees:
        Tache.objects.filter(pk__in=perimees, faite_le=None).update(
            faite_le=timezone.now(), issue=_("plus aucune facture à ce seuil")
        )
    Tache.objects.bulk_create(neuves)
    Tache.objects.bulk_update(changees, ["cle", "titre", "raison"])
    return neuves + changees


def _seuil(cle: str) -> int:
    return int(cle.removeprefix(CLE_PRESCRIPTION).partition(":")[0])


def _dire(seuil: int, factures: list[Approche]) -> tuple[str, str]:
    """(titre, raison) : la plus pressée nommée, les autres comptées."""
    premiere, n = factures[0], len(factures)
    if seuil:
        titre = ngettext(
            "Prescription : %(n)d facture à moins de %(m)d mois",
            "Prescription : %(n)d factures à moins de %(m)d mois", n,
        ) % {"n": n, "m": seuil}  # fmt: skip
    else:
        titre = ngettext(
            "Prescription : date d'origine passée pour %(n)d facture",
            "Prescription : date d'origine passée pour %(n)d factures", n,
        ) % {"n": n}  # fmt: skip
    raison = _("%(f)s : %(j)s, à faire relire avant d'agir") % {
        "f": premiere.numero, "j": ecrire_jour(premiere.origine),
    }  # fmt: skip
    return titre, raison[:250]
