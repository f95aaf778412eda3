"""Une tâche pour tout délai qui approche : procédure à quinze jours, prescription à six puis trois mois."""

from collections.abc import Iterator
from datetime import date, timedelta

from django.utils.translation import gettext as _

from contentieux.domaine.procedure import RoleDelai
from contentieux.models import DossierContentieux
from recouvrement.commun.formats import jour as ecrire_jour
from recouvrement.comptes.models import Societe
from relances.models import Tache
from relances.services.taches import creer_tache

from .prescriptions import du_dossier
from .suivi import delais

PREAVIS = timedelta(days=15)


def veiller(societe: Societe, *, au: date) -> list[Tache]:
    """Ouvre ou rafraîchit les tâches des dossiers en cours de la société ; rejouable sans doublon.

    Une tâche faite n'est pas rouverte : sa clé porte la date ou l'alerte, une échéance nouvelle en ouvre une autre.
    """
    en_cours = DossierContentieux.objects.en_cours().filter(societe=societe).select_related("client", "societe")
    taches = []
    for dossier in en_cours.prefetch_related("lignes", "etapes"):
        for cle, titre, raison in (*_delais(dossier, au), *_prescriptions(dossier, au)):
            if not Tache.objects.filter(client=dossier.client, cle=cle, faite_le__isnull=False).exists():
                taches.append(
                    creer_tache(
                        dossier.client, genre=Tache.Genre.AUTRE, titre=f"{dossier.reference} : {titre}", due_le=au,
                        cle=cle, raison=raison,
                    )
                )  # fmt: skip
    return taches


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


def _prescriptions(dossier: DossierContentieux, au: date) -> Iterator[tuple[str, str, str]]:
    """Exigence 37 : la date d'origine commande, la date possible ne rassure pas."""
    if dossier.signifiee_le:
        return  # la signification est relevée ; la fiche montre les deux dates
    for p in du_dossier(dossier, au=au):
        if p.alerte is not None:
            titre = _("prescription de %(f)s") % {"f": p.facture.numero}
            quand = {"j": ecrire_jour(p.prescription.origine), "t": p.prescription.nature.texte}
            yield f"prescription:{p.facture.pk}:{p.alerte}", titre, _("date d'origine : %(j)s (%(t)s)") % quand
