"""Les suites d'un courriel reçu, catégorie par catégorie, chacune dans la transaction qui l'écrit.

Un rejet n'a d'effet que s'il cite un de nos envois : son identifiant ou son jeton. Sans cela n'importe qui rendrait
injoignable l'adresse d'un autre ; une personne le lit alors, et le confirme.
"""

from datetime import date, timedelta

from django.db import transaction
from django.utils import timezone
from django.utils.translation import gettext as _
from django.utils.translation import gettext_noop

from clients.models import Client
from clients.services import signaler_rebond
from recouvrement.commun import formats
from recouvrement.journal.services import consigner
from relances.domaine.condamnation import FENETRE, adresse_condamnee
from relances.domaine.reponses import Categorie, Classement, MessageLu
from relances.models import Courrier, Message, MessageRecu, ReglageReponses, Tache

from . import gestes
from .envoi import constater_envoi
from .rattachements import Rattachement
from .taches import creer_tache

S = MessageRecu.Statut
RETIENT_JOURS = 7  # société sans réglage
REJETS = (Categorie.REJET, Categorie.REJET_PASSAGER)
A_CONFIRMER = (*REJETS, Categorie.PLAINTE, Categorie.OPPOSITION)  # sans preuve, une personne les confirme
PARTIS = (Courrier.Statut.ENVOYE, Courrier.Statut.INCERTAIN)
CLE = "reponse"  # une tâche ouverte par client, quel que soit le nombre de réponses à lire
TITRES = {
    Categorie.REPONSE: gettext_noop("Lire la réponse du client"),
    Categorie.OPPOSITION: gettext_noop("Ne veut plus de courriels : lire et convenir d'une autre voie"),
}
A_VERIFIER = gettext_noop("Un rejet de courriel à vérifier")
RAISONS = {
    Categorie.PLAINTE: gettext_noop("signalé indésirable par le destinataire"),
    Categorie.OPPOSITION: gettext_noop("ne veut plus de courriels"),
}


class PasEncore(Exception):
    """L'envoi en cause part en ce moment : à reprendre dans un instant, quand son sort sera écrit."""


def tirer(recu: MessageRecu, lien: Rattachement, classement: Classement, lu: MessageLu, *, au: date) -> None:
    """Applique la suite de la catégorie ; l'appelant tient la transaction. Lève PasEncore."""
    categorie = classement.categorie
    echoue = any(s.action == "failed" for s in lu.rapport.sorts) if lu.rapport else False
    if categorie is Categorie.REJET and classement.adresse_en_cause:
        _rejet(recu, lien, lu.origine_destinataires, au=au)
    elif categorie in REJETS:  # passager, ou le message refusé (indésirable, trop gros) : l'adresse, elle, est bonne
        perdu = echoue or categorie is Categorie.REJET
        _rejet_passager(recu, lien, lu.origine_destinataires, echoue=perdu, au=au)
    elif categorie in (Categorie.PLAINTE, Categorie.OPPOSITION):
        _plus_de_courriels(recu, lien, categorie, au=au)
    elif categorie is Categorie.REMIS:
        remis(lien, recu.recu_le, au=au)
        _poser(recu, statut=S.CONSTATE)
    elif categorie is Categorie.ABSENCE:
        if recu.client_id:  # dite, ne retient rien
            _poser(recu, statut=S.CONSTATE)
    elif categorie is Categorie.REPONSE and recu.client_id:
        retenir(recu, au=au)
        ouvrir_la_tache(recu, au=au)


def _poser(recu: MessageRecu, **champs) -> None:
    for nom, valeur in champs.items():
        setattr(recu, nom, valeur)
    recu.save(update_fields=list(champs))


def motif_de(recu: MessageRecu) -> str:
    """« 5.1.1, boîte inconnue » : ce que la fiche dira de l'adresse."""
    return " ".join(x for x in (recu.code, recu.diagnostic or recu.raison) if x)[:200] or _("rejet")


# --- Réponse d'une personne ---------------------------------------------------------------------


def retenir(recu: MessageRecu, *, au: date) -> None:
    """L'échelle du client attend la lecture, au plus les jours réglés pour sa société."""
    if recu.categorie != Categorie.REPONSE:
        return
    regle = ReglageReponses.objects.filter(societe=recu.societe_id).values_list("retient_jours", flat=True).first()
    jours = RETIENT_JOURS if regle is None else regle
    if jours:
        _poser(recu, retient_jusqu_au=au + timedelta(days=jours - 1))


def ouvrir_la_tache(recu: MessageRecu, *, au: date) -> None:
    """« Lire la réponse », une par client."""
    raison = _("reçu le %(jour)s de %(de)s : %(objet)s") % {
        "jour": formats.jour(recu.recu_le), "de": recu.de_nom or recu.de, "objet": recu.objet,
    }  # fmt: skip
    titre = TITRES.get(Categorie(recu.categorie), A_VERIFIER if recu.categorie in A_CONFIRMER else TITRES["reponse"])
    creer_tache(recu.client, genre=Tache.Genre.REPONSE, titre=_(titre), due_le=au, cle=CLE, raison=raison[:250])


def clore_la_tache(recu: MessageRecu, *, acteur, client: Client | None = None) -> None:
    """La dernière réponse lue clôt la tâche du client."""
    pk = client.pk if client else recu.client_id
    if pk is None or MessageRecu.objects.a_lire().filter(client=pk).exclude(pk=recu.pk).exists():
        return
    Tache.objects.filter(client=pk, cle=CLE, faite_le=None).update(
        faite_le=timezone.now(), faite_par=acteur, issue=_("lue")
    )


# --- Rejets -------------------------------------------------------------------------------------


def _rejet(recu: MessageRecu, lien: Rattachement, destinataires: tuple[str, ...], *, au: date) -> None:
    if lien.envoi is None:
        if recu.client_id:
            ouvrir_la_tache(recu, au=au)
        return
    if _vise_un_ancien_envoi(lien, destinataires):
        condamner(lien.client, recu.adresse_fautive, motif=motif_de(recu), au=au)
    else:
        echec(lien, motif=motif_de(recu), au=au)
    _poser(recu, statut=S.CONSTATE)


def _rejet_passager(
    recu: MessageRecu, lien: Rattachement, destinataires: tuple[str, ...], *, echoue: bool, au: date
) -> None:
    """Compté ; l'envoi que le serveur a abandonné est en erreur, l'adresse n'est condamnée qu'au troisième jour."""
    if lien.envoi is None:
        if recu.client_id:
            ouvrir_la_tache(recu, au=au)
        return
    adresse = recu.adresse_fautive or lien.envoi.destinataire
    _poser(recu, statut=S.CONSTATE, adresse_fautive=adresse)
    comptes = MessageRecu.objects.filter(
        client=lien.client, categorie__in=REJETS, adresse_fautive__iexact=adresse, statut=S.CONSTATE,
        recu_le__date__gt=au - FENETRE,
    )  # fmt: skip
    jours = {timezone.localdate(quand) for quand in comptes.values_list("recu_le", flat=True)}
    condamnee = adresse_condamnee(jours, au=max([au, *jours]))
    ancien = _vise_un_ancien_envoi(lien, destinataires)
    if echoue and not ancien:
        echec(lien, motif=motif_de(recu), au=au, bannir=condamnee)
    elif condamnee:
        condamner(lien.client, adresse, motif=motif_de(recu), au=au)


def _vise_un_ancien_envoi(lien: Rattachement, destinataires: tuple[str, ...]) -> bool:
    """Le rapport dit à qui le message allait : une adresse corrigée depuis n'est pas celle de l'envoi d'aujourd'hui."""
    connus = {d.lower() for d in destinataires if d}
    return bool(connus) and lien.envoi.destinataire.lower() not in connus


def echec(lien: Rattachement, *, motif: str, au: date, bannir: bool = True) -> None:
    """L'envoi n'est pas arrivé : en erreur, niveau rendu (exigence 22), adresse condamnée, tâche. Lève PasEncore."""
    if lien.courrier:
        courrier = Courrier.objects.select_for_update(no_key=True, of=("self",)).get(pk=lien.courrier.pk)
        if courrier.statut == Courrier.Statut.EN_COURS:
            raise PasEncore(courrier.reference)
        if courrier.statut in PARTIS:
            gestes.constater_rebond(courrier, motif=motif, au=au, bannir=bannir)
        elif bannir:
            condamner(lien.client, courrier.destinataire, motif=motif, au=au)
        return
    message = Message.objects.select_for_update(no_key=True, of=("self",)).get(pk=lien.message.pk)
    if message.statut == Message.Statut.EN_COURS:
        raise PasEncore(str(message))
    if message.statut in (Message.Statut.ENVOYE, Message.Statut.INCERTAIN):
        Message.objects.filter(pk=message.pk).update(
            statut=Message.Statut.EN_ERREUR, erreur=f"rebond : {motif}"[:400], updated_at=timezone.now()
        )
        consigner(
            "message.rebond",
            societe=message.societe,
            objet=message,
            client=message.client_id,
            texte=f"Rebond : {motif}",
        )
    if bannir:
        condamner(lien.client, message.destinataire, motif=motif, au=au)
    elif message.statut in (Message.Statut.ENVOYE, Message.Statut.INCERTAIN):
        _tache_adresse(lien.client, message.destinataire, motif=motif, au=au)


def condamner(client: Client, adresse: str, *, motif: str, au: date, acteur=None) -> bool:
    """L'adresse ne reçoit plus rien, une tâche demande la bonne ; faux si elle n'est pas, ou plus, celle du client."""
    if not adresse or not signaler_rebond(client, courriel=adresse, le=au, motif=motif[:200], acteur=acteur):
        return False
    _tache_adresse(client, adresse, motif=motif, au=au)
    return True


def _tache_adresse(client: Client, adresse: str, *, motif: str, au: date) -> None:
    creer_tache(
        client, genre=Tache.Genre.SANS_ADRESSE, titre=_("Corriger l'adresse"), due_le=au,
        cle=f"adresse:{adresse}"[:80], raison=f"{adresse} : {motif}"[:250],
    )  # fmt: skip


def _plus_de_courriels(recu: MessageRecu, lien: Rattachement, categorie: Categorie, *, au: date) -> None:
    """Une plainte ou une opposition éteint l'adresse ; le client, lui, se relance par une autre voie.

    Sans preuve qu'elle répond à un de nos envois, une personne la lit : un expéditeur se contrefait.
    """
    if lien.client is None:
        return
    if lien.envoi is None:
        if not recu.adresse_fautive and categorie is Categorie.OPPOSITION:
            _poser(recu, adresse_fautive=recu.de)
        ouvrir_la_tache(recu, au=au)
        return
    adresses = {recu.adresse_fautive, recu.de if categorie is Categorie.OPPOSITION else "", lien.envoi.destinataire}
    for adresse in sorted(adresses - {""}):
        condamner(lien.client, adresse, motif=_(RAISONS[categorie]), au=au)
    if categorie is Categorie.PLAINTE:
        _poser(recu, statut=S.CONSTATE)
    else:
        ouvrir_la_tache(recu, au=au)


# --- Remis --------------------------------------------------------------------------------------


@transaction.atomic
def remis(lien: Rattachement, quand, *, au: date) -> None:
    """Noté sur l'envoi ; un sort inconnu que le serveur dit remis est parti, c'est prouvé."""
    phrase = f"remis le {formats.instant(quand)}"[:250]
    if lien.courrier:
        courrier = Courrier.objects.select_for_update(no_key=True, of=("self",)).get(pk=lien.courrier.pk)
        if courrier.statut == Courrier.Statut.INCERTAIN:
            constater_envoi(lien.courrier, au=au, reponse=phrase, message_id=courrier.message_id)
        elif courrier.statut == Courrier.Statut.ENVOYE:
            Courrier.objects.filter(pk=courrier.pk).update(reponse=phrase)
    elif lien.message:
        partis = Message.objects.filter(pk=lien.message.pk)
        partis.filter(statut=Message.Statut.ENVOYE).update(reponse=phrase)
        partis.filter(statut=Message.Statut.INCERTAIN).update(
            statut=Message.Statut.ENVOYE, envoye_le=quand, reponse=phrase, erreur=""
        )
