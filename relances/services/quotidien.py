"""Le passage automatique du jour : quand il est dû, ce qui le suspend, qui en est prévenu."""

import logging
from datetime import date, datetime

from django.conf import settings
from django.core.mail import EmailMessage
from django.utils import timezone

from factures.models import Litige
from factures.services import conclure_litiges
from recouvrement.commun.courriel import EnvoiIncertain, EnvoiRefuse, remettre
from recouvrement.comptes.models import Role, Societe, Utilisateur
from recouvrement.journal.services import consigner
from relances.models import Courrier, Passage

from .accords import conclure_accords
from .declarations_portail_suites import conclure_declarations
from .echeanciers import conclure_echeanciers
from .faits import donnees_perimees, ouvreur, raison_perimees
from .nuit import INTERROMPU, Bilan, LotDejaEnCours, ouvrir_passage, relancer
from .relecture import rafraichir_lettre
from .taches import conclure_promesses

log = logging.getLogger(__name__)
P = Passage.Statut


def societes_dues(moment: datetime) -> list[Societe]:
    """Sociétés actives dont l'heure est passée aujourd'hui, jour ouvré, sans passage terminé.

    moment : heure locale d'Europe/Paris. Un passage interrompu (bail expiré) ou suspendu pour des données
    entre-temps arrivées est dû de nouveau.
    """
    au = moment.date()
    faits = {
        p.societe_id: p
        for p in Passage.objects.filter(au=au, genre=Passage.Genre.AUTOMATIQUE, societe__relances_actives=True)
    }
    dues = []
    for societe in Societe.objects.filter(relances_actives=True, heure_passage__lte=moment.time()):
        if ouvreur(societe)(au) != au:
            continue
        passage = faits.get(societe.pk)
        interrompu = passage and passage.statut == P.OUVERT and passage.bail_jusqu_au < timezone.now()
        interrompu = interrompu or (passage and passage.statut == P.EN_ECHEC and passage.motif == INTERROMPU)
        rafraichi = passage and passage.statut == P.SUSPENDU and not donnees_perimees(societe, moment)
        if passage is None or interrompu or rafraichi:
            dues.append(societe)
    return dues


def passer(societe: Societe, *, au: date, moment: datetime) -> Bilan | None:
    """Ouvre et déroule le passage automatique du jour. None : déjà fait, en cours, ou suspendu."""
    try:
        passage = ouvrir_passage(societe, au=au, genre=Passage.Genre.AUTOMATIQUE)
    except LotDejaEnCours as raison:
        log.info("%s : %s", societe.code, raison)
        return None
    if raison := raison_perimees(societe, moment):
        suspendre(passage, societe, raison)
        return None
    return derouler(passage, societe, au=au)


def derouler(passage: Passage, societe: Societe, *, au: date) -> Bilan:
    """Conclut promesses, échéanciers et accords du jour `au`, puis décide : la nuit et la commande passent par ici.

    Un rejeu du passé ne touche pas aux lettres qui attendent d'être postées aujourd'hui.
    """
    conclure_promesses(societe, au=au)
    conclure_litiges(Litige.objects.filter(echeance__societe=societe), au=au)
    conclure_echeanciers(societe, au=au)
    conclure_declarations(societe, au=au)
    conclure_accords(societe, au=au, envoyer=passage.genre == Passage.Genre.AUTOMATIQUE)
    if passage.genre == Passage.Genre.AUTOMATIQUE:
        rafraichir_lettres(societe, au=au)
    return relancer(societe, au=au, passage=passage)


def rafraichir_lettres(societe: Societe, *, au: date) -> None:
    """Ce qui attend d'être posté se relit chaque nuit : payé, contesté ou vieilli, il s'annule ou se refait."""
    for courrier in Courrier.objects.filter(societe=societe, statut=Courrier.Statut.A_POSTER):
        rafraichir_lettre(courrier, au=au)


def suspendre(passage: Passage, societe: Societe, raison: str) -> None:
    """Le lot se termine « suspendu : données périmées » et prévient les administrateurs (exigence 1)."""
    motif = f"suspendu : données périmées ({raison})"[:250]
    Passage.objects.filter(pk=passage.pk, statut=P.OUVERT).update(
        statut=P.SUSPENDU, motif=motif, clos_le=timezone.now()
    )
    consigner("passage.suspendu", societe=societe, objet=passage, texte=motif)
    adresses = list(
        Utilisateur.objects.filter(
            affectations__societe=societe, affectations__role=Role.ADMINISTRATEUR, is_active=True
        ).values_list("courriel", flat=True)
    )
    if not adresses:
        return
    message = EmailMessage(
        subject=f"{societe} : aucune relance ce soir, données périmées",
        body=(
            f"Le passage du {passage.au:%d/%m/%Y} est suspendu : {motif}.\n\n"
            f"Importez le grand livre à jour ({settings.SITE_URL}/imports/) : le passage reprendra seul."
        ),
        to=adresses,
        headers={"Auto-Submitted": "auto-generated"},
    )
    try:
        remettre(message)
    except (EnvoiRefuse, EnvoiIncertain) as erreur:
        # La suspension reste à l'écran ; un avis non parti ne doit pas rouvrir la nuit.
        log.warning("avis de données périmées non remis : %s", erreur)
