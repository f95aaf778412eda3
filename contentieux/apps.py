from django.apps import AppConfig
from django.utils.translation import gettext_lazy as _

from factures.signaux import lot_a_defaire


class ContentieuxConfig(AppConfig):
    name = "contentieux"
    verbose_name = _("Contentieux")

    def ready(self):
        lot_a_defaire.connect(_repondre_a_l_annulation, dispatch_uid="contentieux.lot_a_defaire")


def _repondre_a_l_annulation(sender, de, **kwargs):
    from contentieux.services.annulations import repondre

    return repondre(de)
