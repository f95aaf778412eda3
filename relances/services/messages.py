"""Les messages hors de l'échelle : écrits d'abord, expédiés ensuite, une fois ; dix secondes pour se raviser.

Mêmes garanties qu'un courrier (`envoi`) : la ligne se prend par mise à jour conditionnelle, l'identifiant s'écrit
avant la remise, un processus tué laisse un sort inconnu qu'une personne tranche.
"""

import logging
from collections.abc import Iterable
from datetime import datetime, timedelta

from django.conf import settings
from django.core.mail import EmailMessage
from django.db import IntegrityError, transaction
from django.utils import timezone

from clients.models import Client
from recouvrement.commun import depot
from recouvrement.commun.courriel import EnvoiIncertain, EnvoiRefuse, remettre
from recouvrement.commun.reveil import reveiller
from recouvrement.journal.services import consigner
from relances.models import Message

from .adresses import adresse_de_reponse, expediteur, identifiant

log = logging.getLogger(__name__)
S = Message.Statut
DELAI_ANNULATION = timedelta(seconds=10)
TENTATIVES_MAX = 8


def ecrire(
    client: Client,
    *,
    genre: str,
    cle: str,
    destinataire: str,
    objet: str,
    texte: str,
    acteur=None,
    jointes: Iterable[dict] = (),
    langue: str = "",
    delai: timedelta = DELAI_ANNULATION,
    support: str = "courriel",
    **liens,
) -> Message:
    """Écrit un message à envoyer ; la même `cle` pour ce client rend celui qui existe (double clic, deux onglets).

    jointes : dicts {nom, chemin, empreinte, type}, déjà rangés. liens : promesse, litige, accord, repond_a.
    delai : temps laissé pour l'annuler (zéro pour un code demandé par le débiteur).
    """
    existant = Message.objects.filter(client=client, cle=cle).exclude(statut=S.ANNULE).first()
    if existant:
        return existant
    try:
        with transaction.atomic():
            message = Message.objects.create(
                societe_id=client.societe_id, client=client, genre=genre, cle=cle, destinataire=destinataire,
                objet=objet[:250], texte=texte, jointes=list(jointes), langue=langue or client.langue, auteur=acteur,
                pas_avant=timezone.now() + delai, support=support, **liens,
            )  # fmt: skip
            consigner(
                "message.ecrit", societe=client.societe, acteur=acteur, objet=message, client=client,
                texte=message.objet, donnees={"genre": genre, "destinataire": destinataire},
            )  # fmt: skip
            transaction.on_commit(lambda: _reveiller(message.pk, delai))
    except IntegrityError:
        return Message.objects.exclude(statut=S.ANNULE).get(client=client, cle=cle)
    return message


def _reveiller(message_id: int, delai: timedelta) -> None:
    """Le courtier ne fait que réveiller : absent, le tic fera le même travail."""
    from relances.tasks import envoyer_message

    if not reveiller(envoyer_message, message_id, countdown=delai.total_seconds() + 1):
        log.info("message %s : il partira au prochain tic", message_id)


@transaction.atomic
def annuler_message(message: Message, *, acteur) -> bool:
    """Se raviser avant le départ ; faux s'il est déjà pris."""
    if not Message.objects.filter(pk=message.pk, statut=S.A_ENVOYER).update(statut=S.ANNULE):
        return False
    consigner(
        "message.annule", societe=message.societe, acteur=acteur, objet=message, client=message.client_id,
        texte=message.objet,
    )  # fmt: skip
    return True


def a_expedier(moment: datetime):
    return Message.objects.filter(statut=S.A_ENVOYER, pas_avant__lte=moment)


def expedier(message_id: int, *, moment: datetime) -> str:
    """Prend et remet un message dû ; renvoie son statut. Ne lève pas : une panne s'écrit sur le message."""
    message = Message.objects.select_related("societe", "client__gestionnaire", "accord").get(pk=message_id)
    dus = Message.objects.filter(pk=message_id, statut=S.A_ENVOYER, tentatives=message.tentatives)
    if message.pas_avant > moment or not dus.update(
        statut=S.EN_COURS, pris_le=timezone.now(), tentatives=message.tentatives + 1, message_id=""
    ):
        return Message.objects.values_list("statut", flat=True).get(pk=message_id)
    message.tentatives += 1
    if message.support == Message.Support.SMS:
        from .sms import expedier_message_sms

        return expedier_message_sms(message, poser=_poser)
    if perime := _perime(message):
        return _poser(message, S.EN_ERREUR, erreur=perime)
    try:
        courriel = composer(message)
    except Exception as erreur:  # dépôt, fichier altéré : rien n'est parti
        log.exception("message %s : préparation impossible", message_id)
        return _poser(message, S.EN_ERREUR, erreur=f"préparation impossible : {type(erreur).__name__} {erreur}")
    if not _ma_prise(message).update(message_id=courriel.extra_headers["Message-ID"]):
        return Message.objects.values_list("statut", flat=True).get(pk=message_id)
    try:
        remise = remettre(courriel)
    except EnvoiRefuse as refus:
        if refus.passager and message.tentatives < TENTATIVES_MAX:
            plus_tard = timezone.now() + timedelta(seconds=settings.TIC_SECONDES)
            return _poser(message, S.A_ENVOYER, erreur=str(refus), pas_avant=plus_tard)
        return _poser(message, S.EN_ERREUR, erreur=str(refus))
    except EnvoiIncertain as doute:
        return _poser(message, S.INCERTAIN, erreur=str(doute))
    return _poser(
        message, S.ENVOYE, envoye_le=timezone.now(), reponse=remise.reponse[:250], message_id=remise.message_id[:250]
    )


def _perime(message: Message) -> str:
    """Pourquoi ce qui réclame ne doit plus partir, relu juste avant la remise (exigence 19) ; "" : il part.

    C. com., L622-21 ; C. consom., L722-5 : un jugement ou une recevabilité survenus depuis l'écriture l'arrêtent.
    """
    if message.genre != Message.Genre.MENSUALITE:
        return ""
    client, accord = message.client, message.accord
    if client.jugement_ouverture_le or client.surendettement:
        return "procédure collective ou surendettement : rien ne se réclame"
    if accord and accord.statut not in ("signe", "rompu"):
        return "l'accord n'est plus en cours"
    return ""


def _ma_prise(message: Message):
    return Message.objects.filter(pk=message.pk, statut=S.EN_COURS, tentatives=message.tentatives)


def _poser(message: Message, statut: str, *, erreur: str = "", **champs) -> str:
    if _ma_prise(message).update(statut=statut, erreur=erreur[:400], updated_at=timezone.now(), **champs):
        return statut
    return Message.objects.values_list("statut", flat=True).get(pk=message.pk)


def composer(message: Message) -> EmailMessage:
    """Le courriel, texte seul : ni HTML, ni pixel. Un code de signature ne s'y écrit qu'ici : la base ne l'a pas."""
    texte = message.texte
    if message.genre == Message.Genre.CODE:
        from .signatures import code_a_ecrire

        texte = code_a_ecrire(message)
    courriel = EmailMessage(
        subject=message.objet, body=texte, from_email=expediteur(message.societe), to=[message.destinataire],
        reply_to=[adresse_de_reponse(message.societe, message.jeton, message.client.gestionnaire)],
        headers={"Message-ID": identifiant(message.jeton), "Auto-Submitted": "auto-generated"},
    )  # fmt: skip
    if message.genre == Message.Genre.REPONSE:  # écrit par une personne : ce n'est pas un automate qui parle
        courriel.extra_headers.pop("Auto-Submitted")
        if message.repond_a and message.repond_a.cle_source.startswith("<"):
            courriel.extra_headers["In-Reply-To"] = message.repond_a.cle_source.partition(" ")[0]
    for jointe in message.jointes:
        octets = depot.lire(jointe["chemin"], jointe["empreinte"])
        courriel.attach(jointe["nom"], octets, jointe.get("type", "application/pdf"))
    return courriel


def reprendre_les_messages_interrompus() -> int:
    """Restés « en cours » au-delà du bail : remise commencée, sort inconnu ; sinon, remis à envoyer."""
    limite = timezone.now() - timedelta(seconds=settings.BAIL_ENVOI_SECONDES)
    interrompus = Message.objects.filter(statut=S.EN_COURS, pris_le__lt=limite)
    interrompus.filter(message_id="", tentatives__lt=TENTATIVES_MAX).update(statut=S.A_ENVOYER)
    return interrompus.update(statut=S.INCERTAIN, erreur="interrompu pendant l'envoi : vérifier auprès du fournisseur")


@transaction.atomic
def trancher_message(message: Message, *, parti: bool, acteur) -> bool:
    """Sort inconnu : la personne a vérifié auprès du fournisseur. Faux s'il n'est plus incertain."""
    champs = {"statut": S.ENVOYE, "envoye_le": timezone.now()} if parti else {"statut": S.A_ENVOYER, "message_id": ""}
    if not Message.objects.filter(pk=message.pk, statut=S.INCERTAIN).update(erreur="", **champs):
        return False
    consigner(
        "message.tranche", societe=message.societe, acteur=acteur, objet=message, client=message.client_id,
        texte="Envoi constaté" if parti else "Non parti : remis à envoyer",
    )  # fmt: skip
    return True
