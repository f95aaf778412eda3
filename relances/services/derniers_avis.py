"""Le projet de dernier avis d'une mise en demeure postée ; recalculé à chaque demande, rien n'est écrit."""

from dataclasses import replace
from datetime import date

from django.utils.translation import gettext as _

from relances.domaine.natures import Nature
from relances.models import Courrier
from relances.rendu import dernier_avis as rendu

from .etats import Refus
from .preparation import composer
from .receptions import fin_du_delai
from .verification import manques_en_base


def projet(courrier: Courrier, *, au: date) -> bytes:
    """PDF à relire et signer. Lève Refus avec tout ce qui manque, PdfIndisponible sans Pango."""
    if courrier.nature != Nature.MISE_EN_DEMEURE:
        raise Refus(_("Un dernier avis suit une mise en demeure."))
    relances = courrier.relances.filter(statut="envoyee").select_related("echeance__facture")
    dues = [r.echeance for r in relances.order_by("echeance__date_echeance", "echeance_id") if r.echeance.reste_du > 0]
    if not dues:
        raise Refus(_("Plus rien n'est dû de cette mise en demeure."))
    # Une nouvelle lettre : ni le numéro de la première, ni son lien, ne sont les siens.
    lettre = composer(courrier, au=au, echeances=dues)
    lettre = replace(lettre, numero_recommande="", paiement=replace(lettre.paiement, lien="", code=""))
    avis = rendu.DernierAvis(
        lettre=lettre,
        deposee_le=courrier.depose_le,
        date_limite=courrier.date_limite,
        fin_du_delai=fin_du_delai(courrier),
        numero=courrier.numero_suivi,
        retour=courrier.retour,
        retour_le=courrier.retour_le,
    )
    manques = rendu.manques(avis) + manques_en_base(courrier, lettre, [e.pk for e in dues], au=au)
    if manques:
        raise Refus(" ; ".join(dict.fromkeys(m.phrase for m in manques)))
    return rendu.rendre_pdf(avis)
