"""Ce qui franchit les seuils d'un responsable, société par société ; ce qui dure ne se redit pas.

Les seuils en argent se lisent dans chaque devise, sans conversion ; le plafond d'encours est en euros.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import date, timedelta
from decimal import Decimal

from django.db.models import F, Min, Sum

from clients.models import Client
from factures.models import Avoir, Echeance, Encaissement
from recouvrement.commun.champs import ChampMontant
from recouvrement.comptes.droits import MATRICE, Droit
from recouvrement.comptes.models import Affectation, Utilisateur

ROLES = [role.value for role, droits in MATRICE.items() if {Droit.TOUT_VOIR, Droit.AGIR} <= droits]
ECHU, RETARD, PLAFOND = "echu", "retard", "plafond"
RESTE = Sum(F("montant") - F("impute"), output_field=ChampMontant())


@dataclass(frozen=True)
class Alerte:
    """Un seuil franchi par un client. mesure : montant, ou jours de retard ; seuil : celui de la personne."""

    genre: str
    client: Client
    mesure: Decimal | int
    seuil: Decimal | int
    devise: str = "EUR"


def franchies(personne: Utilisateur, *, au: date) -> dict[int, list[Alerte]]:
    """{client: alertes} qui durent au jour `au`, dans les sociétés où la personne dirige. Six requêtes par société."""
    resultat: dict[int, list[Alerte]] = {}
    affectations = Affectation.objects.filter(utilisateur=personne, role__in=ROLES).select_related("societe")
    for affectation in affectations.order_by("societe_id"):
        trouvees = [*_echus(affectation, au), *_retards(affectation, au), *_plafonds(affectation)]
        clients = Client.objects.select_related("gestionnaire", "societe").in_bulk({pk for pk, *_reste in trouvees})
        for pk, genre, mesure, seuil, devise in trouvees:
            resultat.setdefault(pk, []).append(Alerte(genre, clients[pk], mesure, seuil, devise))
    return resultat


def _ouvertes(affectation: Affectation):
    return Echeance.objects.ouvertes().filter(societe=affectation.societe_id).order_by()


def _echus(affectation: Affectation, au: date):
    seuil = affectation.alerte_echu
    if seuil is None:
        return
    echues = _ouvertes(affectation).echues(au).values("client", "devise").annotate(reste=RESTE)
    for pk, devise, reste in echues.values_list("client", "devise", "reste"):
        if reste > seuil:
            yield pk, ECHU, reste, seuil, devise


def _retards(affectation: Affectation, au: date):
    seuil = affectation.alerte_retard_jours
    if seuil is None:
        return
    vieilles = _ouvertes(affectation).filter(date_echeance__lt=au - timedelta(days=seuil))
    for pk, ancienne in vieilles.values("client").annotate(a=Min("date_echeance")).values_list("client", "a"):
        yield pk, RETARD, (au - ancienne).days, seuil, ""


def _plafonds(affectation: Affectation):
    """Encours en euros, net des crédits non affectés, contre le plafond du client."""
    if not affectation.alerte_plafond:
        return
    plafonnes = Client.objects.filter(societe=affectation.societe_id, plafond__isnull=False)
    plafonds = dict(plafonnes.values_list("pk", "plafond"))
    if not plafonds:
        return
    encours: dict[int, Decimal] = {}
    for modele, signe in ((Echeance, 1), (Encaissement, -1), (Avoir, -1)):
        ouverts = modele.objects.filter(
            societe=affectation.societe_id, devise="EUR", client__in=plafonnes.values("pk"), impute__lt=F("montant")
        )
        for pk, reste in ouverts.order_by().values("client").annotate(r=RESTE).values_list("client", "r"):
            encours[pk] = encours.get(pk, Decimal(0)) + signe * reste
    for pk, total in encours.items():
        if total > plafonds[pk]:
            yield pk, PLAFOND, total, plafonds[pk], "EUR"


def neuves(toutes: Mapping[int, list[Alerte]], sues: Mapping[str, list[str]]) -> list[Alerte]:
    """Celles que la personne ne sait pas encore, la plus grosse d'abord dans chaque genre."""
    inedites = [a for pk, ici in toutes.items() for a in ici if a.genre not in sues.get(str(pk), [])]
    rang = (PLAFOND, ECHU, RETARD)
    return sorted(inedites, key=lambda a: (rang.index(a.genre), -a.mesure, a.client.raison_sociale, a.client.pk))
