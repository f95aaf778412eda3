from django.apps import AppConfig
from django.db.models.signals import post_save
from django.utils.translation import gettext_lazy as _

from factures.signaux import echeances_deplacees, encaissement_rejete, jugements_publies, lot_a_defaire, types_changes


class RelancesConfig(AppConfig):
    name = "relances"
    verbose_name = _("Relances")

    def ready(self):
        # Une société naît par un import ou par l'écran : dans tous les cas elle a ses trois plans.
        post_save.connect(_installer, sender="comptes.Societe", dispatch_uid="relances.installer_plans")
        echeances_deplacees.connect(_rejuger, dispatch_uid="relances.rejuger_deplacees")
        encaissement_rejete.connect(_prevenir_du_rejet, dispatch_uid="relances.encaissement_rejete")
        jugements_publies.connect(_declarer, dispatch_uid="relances.declarer")
        types_changes.connect(_refuser_les_types, dispatch_uid="relances.refuser_types")
        lot_a_defaire.connect(_repondre_a_l_annulation, dispatch_uid="relances.lot_a_defaire")


def _installer(sender, instance, created, raw=False, **kwargs):
    from relances.services.plans import installer_plans

    if created and not raw:
        installer_plans(instance)


def _rejuger(sender, echeances, au, **kwargs):
    """Fondé sur l'ancienne date, le verdict dormait peut-être jusqu'après la nouvelle."""
    from relances.services.niveaux import clore_verdicts

    clore_verdicts(echeances, au=au)


def _refuser_les_types(sender, clients, **kwargs):
    """L'import suit la règle de l'écran : pas d'autre droit sous une lettre chiffrée qui attend de partir."""
    from relances.services.qualification import changements_refuses

    return changements_refuses(clients)


def _repondre_a_l_annulation(sender, lot, de, effacer, **kwargs):
    from relances.services.annulations import repondre

    return repondre(de, effacer=effacer)


def _prevenir_du_rejet(sender, encaissement, motif, frais, au, **kwargs):
    """Un paiement revenu impayé se dit le jour même à qui suit le client."""
    from relances.services.taches import prevenir_du_rejet

    prevenir_du_rejet(encaissement, motif=motif, frais=frais, au=au)


def _declarer(sender, comptes, nouveaux, au, acteur, **kwargs):
    """Un jugement publié clôt ce qui réclamait, et ouvre la déclaration de créance."""
    from relances.services.declarations import ouvrir_declarations

    ouvrir_declarations(comptes, nouveaux=nouveaux, au=au, acteur=acteur)
