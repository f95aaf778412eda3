from django.apps import AppConfig
from django.db.models.signals import post_save
from django.utils.translation import gettext_lazy as _


class RelancesConfig(AppConfig):
    name = "relances"
    verbose_name = _("Relances")

    def ready(self):
        # Une société naît par un import ou par l'écran : dans tous les cas elle a ses trois plans.
        post_save.connect(_installer, sender="comptes.Societe", dispatch_uid="relances.installer_plans")


def _installer(sender, instance, created, raw=False, **kwargs):
    from relances.services.plans import installer_plans

    if created and not raw:
        installer_plans(instance)
