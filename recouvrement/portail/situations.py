"""« Une autre situation ? » : ce que ce client peut dire aujourd'hui, ce qu'il a déjà dit, ce qu'il a à signer."""

from django.utils.translation import gettext as _

from relances.models import Declaration
from relances.services.declarations_portail import fermeture
from relances.services.declarations_portail_accords import a_signer

from .acces import Acces
from .paiement import fournisseur

DERNIERES = 5


def situations(acces: Acces) -> dict:
    """Variables du bloc ; requêtes en nombre fixe. `raison_fermee` : rien ne se déclare, et où s'adresser."""
    r = acces.reglage
    raison = fermeture(acces.client) if r.declarations or r.echeanciers else ""
    choix = []
    if not raison and r.declarations:
        choix += [
            ("paye", "circle-check", _("J’ai déjà payé"), _("Dites quand et comment, joignez la preuve.")),
            ("promet", "calendar", _("Je paierai le…"), _("Dites quand : c’est noté, nous attendons.")),
            ("conteste", "hand-stop", _("Je conteste"), _("Tout ou partie d’une facture, avec vos raisons.")),
        ]
    if not raison and r.echeanciers:
        choix.append(("delai", "calendar-due", _("J’ai besoin de temps"), _("Proposez de payer en plusieurs fois.")))
    dites = Declaration.objects.filter(client=acces.client)[:DERNIERES]
    return {
        "choix": [(acces.url("declarer", genre), signe, titre, texte) for genre, signe, titre, texte in choix],
        "raison_fermee": raison,
        "dites": [(acces.url("recu", d.pk), d, _dire(d)) for d in dites],
        "accords_a_signer": [(acces.url("accord", a.pk), a) for a in a_signer(acces.lien, au=acces.au)],
        "url_carte": acces.url("carte") if not raison and r.carte and fournisseur(r) else "",
    }


def _dire(d: Declaration) -> str:
    """Où en est une déclaration, dans les mots du client."""
    if d.statut == Declaration.Statut.A_TRAITER:
        return _("à l’examen")
    if d.statut == Declaration.Statut.ECARTEE:
        return _("nous vous avons répondu")
    return _("pris en compte")
