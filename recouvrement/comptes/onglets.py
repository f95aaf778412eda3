"""Les onglets de l'administration, communs à toutes ses pages ; une route absente ne se montre pas."""

from django.utils.translation import gettext as _

from recouvrement.commun.vues import Onglet, adresse


def onglets_administration(courant: str) -> list[Onglet]:
    pages = [
        ("comptes:administration", _("Utilisateurs")),
        ("comptes:societes", _("Sociétés")),
        ("comptes:taux", _("Taux")),
        ("factures:sources", _("Sources")),
        ("relances:reglages_reponses", _("Réponses")),
        ("relances:reglages_sms", _("SMS")),
        ("page_client:reglages", _("Page du client")),
        ("api:jetons", _("Accès API")),
        ("webhooks:liste", _("Webhooks")),
    ]
    return [Onglet(libelle, url, route == courant) for route, libelle in pages if (url := adresse(route))]
