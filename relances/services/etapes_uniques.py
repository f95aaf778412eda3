"""Une étape choisie pour une pièce, une seule fois, hors de son tour ; mêmes freins, mêmes contrôles (issue 5)."""

from datetime import date

from django.db import IntegrityError, transaction
from django.utils.translation import gettext as _

from clients.models import Client
from factures.models import Echeance
from relances import motifs
from relances.domaine.natures import Nature
from relances.models import Courrier, Relance

from .etats import Refus
from .etats import consigner_geste as _consigner
from .gestes import _passage_manuel, proposer_maintenant
from .niveaux import recalculer_niveaux
from .nuit import enregistrer
from .plans import plans_publies

# Une mise en demeure sans attendre a son écran et son motif ; le contentieux, son dossier.
CHOISISSABLES = (Nature.AVANT_ECHEANCE, Nature.RAPPEL_COURTOIS, Nature.APPEL, Nature.FORMALISATION)


def paliers_possibles(client: Client) -> list[tuple[int, str]]:
    """(nature, nom) des étapes du plan de ce client qu'une personne peut demander pour une pièce."""
    plan = plans_publies(client.societe).pour(client.pk, client.type)
    natures = sorted({p.nature for p in plan.paliers}) if plan else []
    return [(int(n), motifs.nom_palier(n)) for n in natures if n in CHOISISSABLES]


@transaction.atomic
def relancer_une_fois(client: Client, echeance: Echeance, nature: Nature, *, par, au: date) -> Courrier:
    """Prépare ce palier pour cette seule pièce, à relire et valider ; le niveau ne régresse pas.

    Lève Refus : étape déjà faite ou en route pour cette pièce, absente du plan, ou retenue par un frein.
    """
    nature = Nature(nature)
    if nature not in CHOISISSABLES:
        raise Refus(_("Cette étape ne se demande pas ainsi."))
    Client.objects.select_for_update(no_key=True).get(pk=client.pk)
    vivantes = Relance.objects.filter(echeance=echeance, statut__in=Relance.VIVANTES)
    if vivantes.filter(nature=nature).exists():
        raise Refus(_("Cette étape est déjà faite ou en route pour cette pièce : une étape unique ne se refait pas."))
    if vivantes.filter(statut=Relance.Statut.DECIDEE).exists():
        raise Refus(_("Un courrier attend déjà de partir pour cette pièce : validez-le ou retenez-le d'abord."))
    resultats = proposer_maintenant(client, au=au, pieces=[echeance.pk], unique=nature)
    try:
        cles = enregistrer(_passage_manuel(client.societe, au=au, par=par), resultats, societe=client.societe)
    except IntegrityError:
        raise Refus(_("Cette étape vient d'être demandée pour cette pièce.")) from None
    recalculer_niveaux([echeance.pk], au=au)
    courrier = Courrier.objects.select_related("societe").get(pk=cles[0])
    texte = f"{courrier.get_nature_display()} demandée une fois, hors de son tour : {echeance.facture}"
    _consigner("courrier.demande", courrier, par, texte, unique=True)
    return courrier
