"""Remettre un recommandé à un prestataire, ou choisir la voie électronique (CPCEpost, art. L100)."""

from datetime import date

from django.db import transaction
from django.utils import timezone
from django.utils.translation import gettext as _

from recouvrement.commun.pdf import PdfIndisponible
from relances import avis
from relances.domaine import retours
from relances.domaine.natures import Canal
from relances.domaine.statuts import TransitionInterdite
from relances.models import Courrier
from relances.recommandes import DepotRefuse, Fournisseur, PliARemettre, Suivi

from .etats import Refus, consigner_geste, sortir_du_lot, verrouiller
from .jointes import pli_complet
from .postes import consigner_presentation, consigner_retour, poster
from .preparation import figer, preparer

S = Courrier.Statut
PRISE = "remise en cours"  # dans `reponse` : l'appel est parti, sa réponse n'est pas revenue


def refus_electronique(courrier: Courrier, *, au: date, fournisseur: Fournisseur) -> str:
    """Pourquoi ce recommandé ne part pas par voie électronique ; vide : il peut."""
    if courrier.canal != Canal.RECOMMANDE:
        return _("Seul un recommandé part en recommandé électronique.")
    if not fournisseur.electronique:
        return _("Le prestataire réglé n'est pas qualifié pour le recommandé électronique.")
    client = courrier.client
    code = retours.refus_de_l_electronique(
        client.type, accord_le=client.lre_acceptee_le, courriel=client.courriel_utilisable, au=au
    )
    return str(avis.REFUS_LRE[code]) if code else ""


def choisir_la_voie(courrier: Courrier, *, electronique: bool, par, au: date, fournisseur: Fournisseur) -> None:
    """Électronique ou papier, avant le dépôt. Lève Refus si la loi ne l'admet pas ; le papier l'est toujours.

    L'en-tête imprimé nomme la voie : la lettre déjà produite est refaite au jour `au`, sommes et délai compris. Lève
    Refus aussi si elle ne peut pas l'être.
    """
    with transaction.atomic():
        courrier = verrouiller(courrier)
        if courrier.statut != S.A_POSTER:
            raise TransitionInterdite(_("La voie se choisit avant le dépôt."))
        if electronique and (refus := refus_electronique(courrier, au=au, fournisseur=fournisseur)):
            raise Refus(refus)
        if electronique:
            sortir_du_lot(courrier.pk, "parti en recommandé électronique", par=par)
        change = courrier.electronique != electronique
        Courrier.objects.filter(pk=courrier.pk).update(electronique=electronique, updated_at=timezone.now())
        courrier.electronique = electronique
        if change and courrier.pdf_chemin:
            _refaire(courrier, au=au)
        texte = "Recommandé électronique choisi" if electronique else "Recommandé papier choisi"
        consigner_geste("courrier.voie", courrier, par, texte)


def _refaire(courrier: Courrier, *, au: date) -> None:
    preparation = preparer(courrier, au=au)
    if preparation.manques:
        raise Refus(" ; ".join(m.phrase for m in preparation.manques))
    try:
        figer(courrier, preparation, au=au)
    except PdfIndisponible as raison:
        raise Refus(str(raison)) from raison


def remettre(courrier: Courrier, *, par, au: date, fournisseur: Fournisseur) -> None:
    """Dépose le pli chez le prestataire, au plus une fois : une remise interrompue attend une personne.

    Lève Refus : remise déjà tentée, refusée par le prestataire, ou voie électronique non admise.
    """
    with transaction.atomic():
        courrier = verrouiller(courrier)
        if courrier.statut != S.A_POSTER or courrier.canal != Canal.RECOMMANDE:
            raise TransitionInterdite(_("Seul un recommandé à poster se remet à un prestataire."))
        if courrier.electronique and (refus := refus_electronique(courrier, au=au, fournisseur=fournisseur)):
            raise Refus(refus)
        if courrier.reponse == PRISE:
            raise Refus(_("Une remise a déjà été tentée : vérifiez chez le prestataire, puis saisissez le numéro."))
        Courrier.objects.filter(pk=courrier.pk).update(reponse=PRISE)
    try:
        suivi = fournisseur.deposer(_pli(courrier))
    except DepotRefuse as raison:
        Courrier.objects.filter(pk=courrier.pk).update(reponse=str(raison)[:250])
        raise Refus(str(raison)) from raison
    poster(
        courrier, par=par, au=au, depose_le=suivi.depose_le or au, numero_suivi=suivi.numero,
        derogation=f"numéro donné par {fournisseur.code}",
    )  # fmt: skip
    Courrier.objects.filter(pk=courrier.pk).update(reponse=f"remis par {fournisseur.code}")


def _pli(courrier: Courrier) -> PliARemettre:
    client, societe = courrier.client, courrier.societe
    return PliARemettre(
        reference=courrier.reference,
        expediteur=societe.raison_sociale,
        destinataire=client.raison_sociale,
        adresse=f"{client.adresse}\n{client.code_postal} {client.ville}".strip(),
        courriel=client.courriel_utilisable,
        pdf=pli_complet(courrier),
        electronique=courrier.electronique,
    )


def relever(courrier: Courrier, *, au: date, fournisseur: Fournisseur, par=None) -> bool:
    """Demande au prestataire où en est le pli et l'écrit ; vrai si quelque chose a bougé."""
    connu = Suivi(courrier.numero_suivi, courrier.depose_le, courrier.presente_le, courrier.retour, courrier.retour_le)
    lu = fournisseur.statut(connu)
    if lu == connu or courrier.retour:
        return False
    if lu.retour:
        consigner_retour(
            courrier, par=par, au=au, retour=lu.retour, retour_le=lu.retour_le or au, presente_le=lu.presente_le
        )
    elif lu.presente_le:
        consigner_presentation(courrier, presente_le=lu.presente_le, par=par, au=au)
    return True
