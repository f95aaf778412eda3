"""Ce qu'un jeton permet : une portée par ressource et par sens, jamais plus que le rôle de la personne."""

from collections.abc import Iterable
from enum import StrEnum

from django.utils.translation import gettext_lazy as _

from recouvrement.comptes.droits import Droit, peut


class Portee(StrEnum):
    CLIENTS_LIRE = "clients:lire"
    CLIENTS_ECRIRE = "clients:ecrire"
    FACTURES_LIRE = "factures:lire"
    ENCAISSEMENTS_LIRE = "encaissements:lire"
    ENCAISSEMENTS_ECRIRE = "encaissements:ecrire"
    BANQUE_LIRE = "banque:lire"
    IMPORTS_LIRE = "imports:lire"
    IMPORTS_ECRIRE = "imports:ecrire"
    RELANCES_LIRE = "relances:lire"
    POURQUOI_LIRE = "pourquoi:lire"
    BALANCE_LIRE = "balance:lire"
    DECOMPTES_LIRE = "decomptes:lire"
    BLOCAGES_LIRE = "blocages:lire"


P = Portee
# Le droit que la personne doit avoir elle-même, et ce que la case dit à qui la coche.
PORTEES = {
    P.CLIENTS_LIRE: (Droit.VOIR, _("lire les fiches des clients et leurs contacts")),
    P.CLIENTS_ECRIRE: (Droit.AGIR, _("créer et modifier des clients et des contacts")),
    P.FACTURES_LIRE: (Droit.VOIR, _("lire les factures et leurs échéances")),
    P.ENCAISSEMENTS_LIRE: (Droit.VOIR, _("lire les encaissements et leurs affectations")),
    P.ENCAISSEMENTS_ECRIRE: (Droit.AGIR, _("saisir un encaissement et l’affecter")),
    P.BANQUE_LIRE: (Droit.VOIR, _("lire les mouvements des relevés bancaires")),
    P.IMPORTS_LIRE: (Droit.IMPORTER, _("lire les imports et leurs comptes rendus")),
    P.IMPORTS_ECRIRE: (Droit.IMPORTER, _("déposer un fichier, appliquer ou abandonner un import")),
    P.RELANCES_LIRE: (Droit.VOIR, _("lire les courriers, leur texte et leur PDF")),
    P.POURQUOI_LIRE: (Droit.VOIR, _("lire pourquoi une pièce est relancée ou retenue")),
    P.BALANCE_LIRE: (Droit.VOIR, _("lire la balance âgée à toute date")),
    P.DECOMPTES_LIRE: (Droit.VOIR, _("lire le décompte d’un client")),
    P.BLOCAGES_LIRE: (Droit.VOIR, _("lire les blocages de commandes")),
}


def droit_de(portee: Portee) -> Droit:
    return PORTEES[portee][0]


def hors_du_role(portees: Iterable[str], utilisateur, societe) -> list[str]:
    """Portées que le rôle de la personne dans cette société ne permet pas."""
    return [p for p in portees if not peut(utilisateur, droit_de(Portee(p)), societe)]
