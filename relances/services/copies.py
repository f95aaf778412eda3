"""Une copie de facture partie avec un courrier ne se retire plus : elle prouve ce que le client a reçu."""

from django.core.exceptions import ValidationError
from django.db import transaction
from django.utils.translation import gettext as _

from factures.models import CopieFacture, Facture
from factures.services import copies
from relances.models import Courrier


def jointes_a(facture: Facture) -> dict[str, str]:
    """{empreinte: référence du courrier} des copies de cette facture jointes à un courrier. Une requête."""
    courriers = Courrier.objects.filter(relances__echeance__facture=facture).exclude(jointes=[]).distinct()
    return {jointe["empreinte"]: str(courrier) for courrier in courriers for jointe in courrier.jointes}


@transaction.atomic
def retirer(copie: CopieFacture, *, acteur) -> bool:
    """Retire la copie ; faux si elle l'était déjà. Lève ValidationError si un courrier l'a jointe."""
    Facture.objects.select_for_update(no_key=True).get(pk=copie.facture_id)
    if courrier := jointes_a(copie.facture).get(copie.empreinte):
        raise ValidationError(
            _("Cette copie est partie avec %(courrier)s : elle reste au dossier.") % {"courrier": courrier}
        )
    return copies.retirer(copie, acteur=acteur)
