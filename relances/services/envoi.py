"""Expédier un courrier : pris avant d'être envoyé, relu juste avant, jamais deux fois.

À envoyer → en cours (une seule prise, par mise à jour conditionnelle) → envoyé, à poster, en erreur ou
incertain. Un processus tué laisse le courrier « en cours » : passé le bail, il devient incertain et une
personne tranche. Rien ne le rejoue seul.
"""

import logging
from dataclasses import dataclass, field
from datetime import date, timedelta

from django.conf import settings
from django.core.mail import EmailMessage
from django.db import transaction
from django.utils import timezone

from clients.services import signaler_rebond
from recouvrement.commun import depot
from recouvrement.commun.courriel import EnvoiIncertain, EnvoiRefuse, remettre
from recouvrement.commun.sms import SmsIncertain, SmsRefuse
from recouvrement.journal.services import consigner
from relances.domaine.natures import Canal
from relances.models import Courrier, Passage, Relance, Tache

from . import sms
from .adresses import adresse_de_reponse, expediteur, identifiant
from .faits import donnees_perimees, ouvreur
from .niveaux import recalculer_niveaux
from .preparation import figer, preparer
from .relecture import relire
from .taches import creer_tache

log = logging.getLogger(__name__)
S = Courrier.Statut
TENTATIVES_MAX = 8


@dataclass
class BilanEnvoi:
    envoyes: int = 0
    incertains: int = 0
    erreurs: list[str] = field(default_factory=list)


def prendre(courrier: Courrier) -> bool:
    """Prend la ligne ; faux si un autre l'a déjà (double clic, deux workers).

    `tentatives` sert de jeton de prise : un processus endormi dont la prise a été reprise n'écrit plus rien.
    """
    prises = Courrier.objects.filter(pk=courrier.pk, statut=S.A_ENVOYER, tentatives=courrier.tentatives).update(
        statut=S.EN_COURS, pris_le=timezone.now(), tentatives=courrier.tentatives + 1, message_id=""
    )
    courrier.tentatives += prises
    return bool(prises)


def _ma_prise(courrier: Courrier):
    return Courrier.objects.filter(pk=courrier.pk, statut=S.EN_COURS, tentatives=courrier.tentatives)


def _statut(courrier: Courrier) -> str:
    return Courrier.objects.values_list("statut", flat=True).get(pk=courrier.pk)


def envoyer(courrier_id: int, *, au: date) -> str:
    """Relit, prépare et remet un courrier pris. Renvoie son nouveau statut.

    Ne fait rien un jour non ouvré (exigence 15) ; ne lève pas : toute panne est écrite sur le courrier.
    """
    liens = ("societe__reglage_portail", "client__gestionnaire", "palier__version", "passage")
    courrier = Courrier.objects.select_related(*liens).get(pk=courrier_id)
    if ouvreur(courrier.societe)(au) != au or _attend_des_donnees(courrier) or sms.attend(courrier):
        return courrier.statut
    if not prendre(courrier):
        return _statut(courrier)
    try:
        with transaction.atomic():
            lue = relire(courrier, au=au)
        if not lue.garde:
            return _poser(courrier, S.ANNULE, erreur=f"au moment de l'envoi : {lue.raison}")
        preparation = preparer(courrier, au=au)
        if preparation.manques:
            return bloquer(courrier, preparation.manques)
        figer(courrier, preparation, au=au)
    except Exception as erreur:  # rendu, disque, gabarit : rien n'est parti, on le dit et on garde le niveau
        log.exception("courrier %s : préparation impossible", courrier_id)
        return _en_erreur(courrier, f"préparation impossible : {type(erreur).__name__} {erreur}", au=au)
    if courrier.canal in (Canal.LETTRE, Canal.RECOMMANDE):
        return _poser(courrier, S.A_POSTER)
    if courrier.canal == Canal.SMS:
        return _remettre_sms(courrier, au=au)
    if not courrier.destinataire:
        return _en_erreur(courrier, "aucune adresse de courriel utilisable", au=au)
    return _remettre(courrier, au=au)


def _attend_des_donnees(courrier: Courrier) -> bool:
    """Exigence 1 : rien d'automatique ne part sur un grand livre périmé ; ce qu'une personne a validé, si."""
    automatique = courrier.passage.genre == Passage.Genre.AUTOMATIQUE and courrier.valide_par_id is None
    return automatique and donnees_perimees(courrier.societe, timezone.now())


def _remettre(courrier: Courrier, *, au: date) -> str:
    message = composer_message(courrier)
    # Dernière barrière : la prise est-elle encore mienne ? Un identifiant écrit veut dire « remise commencée ».
    if not _ma_prise(courrier).update(message_id=message.extra_headers["Message-ID"]):
        return _statut(courrier)
    try:
        remise = remettre(message)
    except EnvoiRefuse as refus:
        if refus.passager and courrier.tentatives < TENTATIVES_MAX - 1:
            return _poser(courrier, S.A_ENVOYER, erreur=str(refus)[:400])
        statut = _en_erreur(courrier, str(refus), au=au)
        if refus.adresse and statut == S.EN_ERREUR:
            bannir_adresse(courrier, motif=str(refus), au=au)
        return statut
    except EnvoiIncertain as doute:
        return _poser(courrier, S.INCERTAIN, erreur=str(doute)[:400])
    constater_envoi(courrier, au=au, reponse=remise.reponse, message_id=remise.message_id)
    return S.ENVOYE


def _remettre_sms(courrier: Courrier, *, au: date) -> str:
    """Mêmes garanties qu'un courriel ; impossible, la relance retombe en erreur et le plan prend le canal suivant."""
    if refus := sms.refus_du_courrier(courrier, au=au):
        return _en_erreur(courrier, f"SMS : {refus}", au=au)
    reference = f"sms-{courrier.jeton}"
    if not _ma_prise(courrier).update(message_id=reference):
        return _statut(courrier)
    try:
        remise = sms.remettre(courrier.societe, courrier.destinataire, courrier.texte, reference)
    except SmsRefuse as refus:
        if refus.passager and courrier.tentatives < TENTATIVES_MAX - 1:
            return _poser(courrier, S.A_ENVOYER, erreur=str(refus))
        return _en_erreur(courrier, f"SMS : {refus}", au=au)
    except SmsIncertain as doute:
        return _poser(courrier, S.INCERTAIN, erreur=str(doute))
    constater_envoi(courrier, au=au, reponse=remise.reponse, message_id=remise.identifiant)
    return S.ENVOYE


def composer_message(courrier: Courrier) -> EmailMessage:
    """Le courriel, son identifiant stable et sa lettre jointe. Ni HTML, ni pixel."""
    message = EmailMessage(
        subject=courrier.objet,
        body=courrier.texte,
        from_email=expediteur(courrier.societe),
        to=[courrier.destinataire],
        reply_to=[adresse_de_reponse(courrier.societe, courrier.jeton, courrier.client.gestionnaire)],
        headers={"Message-ID": identifiant(courrier.jeton), "Auto-Submitted": "auto-generated"},
    )
    if courrier.pdf_chemin:
        octets = depot.lire(courrier.pdf_chemin, courrier.pdf_empreinte)
        message.attach(f"{courrier.reference}.pdf", octets, "application/pdf")
    for copie in courrier.jointes:
        message.attach(copie["nom"], depot.lire(copie["chemin"], copie["empreinte"]), "application/pdf")
    return message


def constater_envoi(courrier: Courrier, *, au: date, reponse: str, message_id: str = "") -> None:
    """Le message est parti : y compris s'il avait été montré incertain entre-temps."""
    with transaction.atomic():
        Courrier.objects.filter(pk=courrier.pk, statut__in=(S.EN_COURS, S.INCERTAIN)).update(
            statut=S.ENVOYE, envoye_le=timezone.now(), reponse=reponse[:250], erreur="",
            message_id=message_id[:250],
        )  # fmt: skip
        constater_relances(courrier, au=au)


def constater_relances(courrier: Courrier, *, au: date) -> None:
    """Les relances du courrier sont faites ; le palier suivant se compte de ce jour."""
    from factures.models import Echeance

    relances = Relance.objects.filter(courrier=courrier, statut=Relance.Statut.DECIDEE)
    ids = list(relances.values_list("echeance", flat=True))
    relances.update(statut=Relance.Statut.ENVOYEE)
    Echeance.objects.filter(pk__in=ids, niveau_rang=courrier.palier.rang).update(niveau_le=au)
    consigner(
        "relance.envoyee", societe=courrier.societe, objet=courrier, client=courrier.client_id,
        texte=courrier.reference,
        donnees={"le": au, "canal": courrier.canal, "nature": courrier.nature, "echeances": sorted(ids)},
    )  # fmt: skip


def bloquer(courrier: Courrier, manques: list) -> str:
    """Le contrôle juridique refuse : rien ne part, la liste des manques attend une personne."""
    _ma_prise(courrier).update(
        statut=S.A_VALIDER,
        motif="bloqué par le contrôle : à compléter",
        manques=[{"code": m.code, "phrase": m.phrase, "ou_corriger": m.ou_corriger} for m in manques],
    )
    return S.A_VALIDER


def _poser(courrier: Courrier, statut: str, *, erreur: str = "") -> str:
    return statut if _ma_prise(courrier).update(statut=statut, erreur=erreur[:400]) else _statut(courrier)


def _en_erreur(courrier: Courrier, motif: str, *, au: date) -> str:
    """Rien n'est parti : le niveau n'avance pas (exigence 22)."""
    with transaction.atomic():
        if not _ma_prise(courrier).update(statut=S.EN_ERREUR, erreur=motif[:400]):
            return _statut(courrier)
        mettre_en_erreur(courrier, au=au)
    return S.EN_ERREUR


def bannir_adresse(courrier: Courrier, *, motif: str, au: date, par=None) -> None:
    """Adresse refusée pour de bon : elle ne sert plus, une tâche demande la bonne (exigences 21 et 22)."""
    signaler_rebond(courrier.client, courriel=courrier.destinataire, le=au, motif=motif[:200], acteur=par)
    creer_tache(
        courrier.client,
        genre=Tache.Genre.SANS_ADRESSE,
        titre="Corriger l'adresse",
        due_le=au,
        cle=f"adresse:{courrier.destinataire}"[:80],
        raison=motif[:250],
    )


def mettre_en_erreur(courrier: Courrier, *, au: date) -> None:
    relances = courrier.relances.filter(statut__in=Relance.ATTEINTES)
    ids = list(relances.values_list("echeance", flat=True))
    relances.update(statut=Relance.Statut.EN_ERREUR)
    recalculer_niveaux(ids, au=au)


def reprendre_les_interrompus() -> int:
    """Envois restés « en cours » au-delà du bail (processus tué). Renvoie le nombre d'incertains.

    Remise commencée : sort inconnu, montré à une personne, jamais rejoué. Remise pas commencée (aucun
    identifiant écrit, ou une lettre) : rien n'a quitté la machine, le courrier se remet à envoyer, dans la
    limite des tentatives, car un rendu qui tue son processus ne doit pas tourner en rond.
    """
    limite = timezone.now() - timedelta(seconds=settings.BAIL_ENVOI_SECONDES)
    interrompus = Courrier.objects.filter(statut=S.EN_COURS, pris_le__lt=limite)
    interrompus.filter(message_id="", tentatives__lt=TENTATIVES_MAX).update(
        statut=S.A_ENVOYER, erreur="interrompu avant la remise : remis à envoyer"
    )
    return interrompus.update(statut=S.INCERTAIN, erreur="interrompu pendant l'envoi : vérifier auprès du fournisseur")


def envoyer_tout(*, au: date) -> BilanEnvoi:
    """Expédie ce qui attend, dans ce processus (commande `envoyer`)."""
    bilan = BilanEnvoi(incertains=reprendre_les_interrompus())
    for pk in list(Courrier.objects.a_envoyer().order_by("pk").values_list("pk", flat=True)):
        statut = envoyer(pk, au=au)
        if statut in (S.ENVOYE, S.A_POSTER):
            bilan.envoyes += 1
        elif statut == S.INCERTAIN:
            bilan.incertains += 1
        elif statut in (S.EN_ERREUR, S.A_VALIDER):
            courrier = Courrier.objects.get(pk=pk)
            phrase = courrier.erreur or " ; ".join(m["phrase"] for m in courrier.manques)
            bilan.erreurs.append(f"{courrier} : {phrase}")
    return bilan
