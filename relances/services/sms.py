"""Les SMS : à qui, quand, combien ; remis une fois, ou rendus au canal suivant du plan avec la raison (exigence 21)."""

from collections import Counter, defaultdict
from collections.abc import Iterable
from datetime import date, datetime

from django.conf import settings
from django.db import IntegrityError, transaction
from django.utils import timezone
from django.utils.translation import gettext as _

from clients.models import Client, Contact, OppositionSms
from recouvrement.commun import sms as canal
from recouvrement.commun.formats import instant
from recouvrement.commun.horloge import maintenant
from recouvrement.comptes.models import Societe
from recouvrement.journal.services import consigner
from relances.domaine.natures import Canal
from relances.domaine.sms import en_gsm7
from relances.domaine.sms_regles import avec_mention, mobile, moment_permis
from relances.models import Courrier, Message, ReglageSms, Tache

from .taches import creer_tache

SOURCES = ("stop", "personne", "fournisseur", "refus")  # refus : le fournisseur ne connaît pas ce numéro
PARTIS = (Courrier.Statut.ENVOYE, Courrier.Statut.EN_COURS, Courrier.Statut.INCERTAIN)
TENTATIVES_MAX = 8


def reglage(societe_id: int) -> ReglageSms | None:
    """Le réglage de la société, s'il est actif."""
    return ReglageSms.objects.filter(societe=societe_id, actif=True).first()


# --- À qui ----------------------------------------------------------------------------------------


def numeros(clients: Iterable[Client]) -> dict[int, str]:
    """{client: mobile E.164} : le contact qui reçoit les relances, à défaut le téléphone du compte. Une requête."""
    clients = list(clients)
    trouves: dict[int, str] = {}
    contacts = Contact.objects.filter(client__in=[c.pk for c in clients], recoit_relances=True).exclude(telephone="")
    for client, telephone in contacts.order_by("pk").values_list("client", "telephone"):
        if numero := mobile(telephone):
            trouves.setdefault(client, numero)
    for c in clients:
        if c.pk not in trouves and (numero := mobile(c.telephone)):
            trouves[c.pk] = numero
    return trouves


def joignables(societe: Societe, clients: Iterable[Client], *, au: date) -> set[int]:
    """Clients à qui un SMS peut partir ce mois : société active, mobile, pas d'opposition, plafond non atteint.

    Une requête quand la société n'envoie pas de SMS, quatre de plus sinon.
    """
    regle = reglage(societe.pk)
    if regle is None:
        return set()
    par_client = numeros(clients)
    opposes = set(OppositionSms.objects.en_vigueur().filter(societe=societe).values_list("numero", flat=True))
    partis = compter(par_client, au)
    return {c for c, numero in par_client.items() if numero not in opposes and partis[c] < regle.par_mois_max}


def compter(clients: Iterable[int], au: date, *, sauf_courrier: int | None = None, sauf_message: int | None = None):
    """{client: SMS du mois civil de `au`}, sort inconnu compris ; les codes demandés par le client n'y comptent pas."""
    debut = datetime(au.year, au.month, 1, tzinfo=timezone.get_current_timezone())
    clients = list(clients)
    courriers = Courrier.objects.filter(
        client__in=clients, canal=Canal.SMS.value, statut__in=PARTIS, pris_le__gte=debut
    ).exclude(pk=sauf_courrier)
    messages = (
        Message.objects.filter(client__in=clients, support=Message.Support.SMS, pris_le__gte=debut)
        .filter(statut__in=(Message.Statut.ENVOYE, Message.Statut.EN_COURS, Message.Statut.INCERTAIN))
        .exclude(genre=Message.Genre.CODE)
        .exclude(pk=sauf_message)
    )
    compte = Counter(courriers.values_list("client", flat=True))
    compte.update(messages.values_list("client", flat=True))
    return defaultdict(int, compte)


def pourquoi_pas(client: Client, numero: str, regle: ReglageSms | None, partis: int) -> str:
    """Pourquoi ce SMS ne partira pas ; vide : il peut."""
    if regle is None:
        return _("les SMS de cette société ne sont pas activés")
    if not numero:
        return _("aucun mobile français sur la fiche")
    if OppositionSms.objects.en_vigueur().filter(societe=client.societe_id, numero=numero).exists():
        return _("le %(numero)s ne veut plus de SMS") % {"numero": numero}
    if partis >= regle.par_mois_max:
        return _("%(n)s SMS ce mois-ci : c'est le maximum réglé") % {"n": partis}
    return ""


# --- Quand ----------------------------------------------------------------------------------------


def prochain_moment(societe: Societe, regle: ReglageSms, moment: datetime) -> datetime:
    """Le premier instant permis, à l'heure de Paris, jours ouvrés de la société."""
    from .faits import ouvreur

    return moment_permis(timezone.localtime(moment), regle.debut, regle.fin, ouvreur(societe))


def attend(courrier: Courrier) -> bool:
    """Hors des heures permises, un SMS à envoyer attend, et le dit ; vrai s'il attend."""
    regle = reglage(courrier.societe_id)
    if courrier.canal != Canal.SMS or regle is None:
        return False
    moment = maintenant()
    permis = prochain_moment(courrier.societe, regle, moment)
    if permis <= moment:
        return False
    phrase = _("SMS hors des heures permises : il part le %(quand)s") % {"quand": instant(permis)}
    Courrier.objects.filter(pk=courrier.pk, statut=Courrier.Statut.A_ENVOYER).exclude(erreur=phrase).update(
        erreur=phrase[:400]
    )
    return True


# --- Remettre -------------------------------------------------------------------------------------


def refus_du_courrier(courrier: Courrier, *, au: date) -> str:
    """Ce qui interdit ce SMS à l'instant de l'envoyer ; vide : il part à `courrier.destinataire`."""
    partis = compter([courrier.client_id], au, sauf_courrier=courrier.pk)[courrier.client_id]
    return pourquoi_pas(courrier.client, courrier.destinataire, reglage(courrier.societe_id), partis)


def remettre(societe: Societe, numero: str, texte: str, reference: str) -> canal.RemiseSms:
    """Remet le SMS ; une opposition ou un numéro refusé par le fournisseur s'inscrit. Lève SmsRefuse, SmsIncertain."""
    regle = reglage(societe.pk)
    texte = avec_mention(en_gsm7(texte), settings.SMS_MENTION)
    try:
        return canal.fournisseur().envoyer(numero, texte, reference, expediteur=regle.expediteur if regle else "")
    except (canal.SmsIncertain, canal.SmsRefuse) as issue:
        if getattr(issue, "oppose", False) or getattr(issue, "numero", False):
            s_opposer(societe, numero, source="fournisseur" if issue.oppose else "refus")
        raise
    except Exception as erreur:  # adaptateur d'un tiers : on ne sait pas ce qu'il a fait
        raise canal.SmsIncertain(f"fournisseur de SMS : {type(erreur).__name__} {erreur}"[:380]) from erreur


def expedier_message_sms(message: Message, *, poser) -> str:
    """Un SMS hors de l'échelle, déjà pris ; `poser(message, statut, …)` écrit son sort. Renvoie le statut."""
    S = Message.Statut
    moment, numero = maintenant(), mobile(message.destinataire)
    regle = reglage(message.societe_id)
    code = message.genre == Message.Genre.CODE  # demandé à l'instant par le débiteur : ni heure ni plafond
    partis = 0 if code else compter([message.client_id], moment.date(), sauf_message=message.pk)[message.client_id]
    if refus := pourquoi_pas(message.client, numero, regle, partis):
        return _rendre(message, refus, poser, au=moment.date())
    permis = moment if code else prochain_moment(message.societe, regle, moment)
    if permis > moment:
        attente = timezone.now() + (permis - moment)
        phrase = _("SMS hors des heures permises : il part le %(quand)s") % {"quand": instant(permis)}
        return poser(message, S.A_ENVOYER, erreur=phrase, pas_avant=attente, tentatives=0)
    reference = f"sms-{message.jeton}"
    en_vol = Message.objects.filter(pk=message.pk, statut=S.EN_COURS, tentatives=message.tentatives)
    if not en_vol.update(message_id=reference):  # dernière barrière : la prise est-elle encore mienne ?
        return Message.objects.values_list("statut", flat=True).get(pk=message.pk)
    try:
        remise = remettre(message.societe, numero, message.texte, reference)
    except canal.SmsRefuse as refus:
        if refus.passager and message.tentatives < TENTATIVES_MAX:
            return poser(message, S.A_ENVOYER, erreur=str(refus), message_id="")
        return _rendre(message, str(refus), poser, au=moment.date())
    except canal.SmsIncertain as doute:
        return poser(message, S.INCERTAIN, erreur=str(doute))
    return poser(
        message, S.ENVOYE, envoye_le=timezone.now(), reponse=remise.reponse[:250], message_id=remise.identifiant[:250]
    )


def _rendre(message: Message, motif: str, poser, *, au: date) -> str:
    """Rien n'est parti : le message le dit, une tâche le donne à une personne."""
    with transaction.atomic():
        statut = poser(message, Message.Statut.EN_ERREUR, erreur=motif)
        if statut == Message.Statut.EN_ERREUR:
            titre = _("Prévenir autrement : un SMS n'est pas parti")
            creer_tache(
                message.client, genre=Tache.Genre.AUTRE, titre=titre, due_le=au, cle=f"sms:{message.pk}", raison=motif
            )
    return statut


# --- S'opposer ------------------------------------------------------------------------------------


@transaction.atomic
def s_opposer(societe: Societe, numero: str, *, source: str, acteur=None, client: Client | None = None) -> bool:
    """Plus de SMS à ce numéro pour cette société ; faux s'il l'était déjà, ou si ce n'est pas un mobile."""
    e164 = mobile(numero)
    if not e164 or OppositionSms.objects.en_vigueur().filter(societe=societe, numero=e164).exists():
        return False
    try:
        with transaction.atomic():
            posee = OppositionSms.objects.create(
                societe=societe, numero=e164, le=timezone.now(), source=source, auteur=acteur
            )
    except IntegrityError:  # deux STOP à la fois
        return False
    consigner(
        "sms.opposition", societe=societe, acteur=acteur, objet=posee, client=client, texte=e164,
        donnees={"source": source},
    )  # fmt: skip
    return True


@transaction.atomic
def lever_opposition(societe: Societe, numero: str, *, acteur, client: Client | None = None) -> bool:
    """La personne accepte de nouveau ; faux s'il n'y avait pas d'opposition."""
    en_vigueur = OppositionSms.objects.select_for_update(no_key=True).filter(
        societe=societe, numero=mobile(numero), levee_le=None
    )
    posee = en_vigueur.first()
    if posee is None:
        return False
    posee.levee_le = timezone.now()
    posee.save(update_fields=["levee_le"])
    consigner("sms.opposition_levee", societe=societe, acteur=acteur, objet=posee, client=client, texte=posee.numero)
    return True


def mobiles_du_client(client: Client) -> list[tuple[str, str, OppositionSms | None]]:
    """(numéro, de qui, opposition en vigueur) de chaque mobile de la fiche, sans doublon."""
    lignes = [(mobile(client.telephone), str(client))]
    lignes += [(mobile(c.telephone), c.nom) for c in client.contacts.all()]
    noms = {}
    for numero, nom in lignes:
        if numero:
            noms.setdefault(numero, nom)
    poses = OppositionSms.objects.en_vigueur().filter(societe=client.societe_id, numero__in=noms)
    opposes = {o.numero: o for o in poses}
    return [(numero, nom, opposes.get(numero)) for numero, nom in noms.items()]


# --- Régler ---------------------------------------------------------------------------------------

SUIVIS = ("actif", "expediteur", "debut", "fin", "par_mois_max")


@transaction.atomic
def enregistrer_reglage(regle: ReglageSms, *, acteur) -> ReglageSms:
    """Écrit le réglage, consigné champ par champ. Lève ValidationError."""
    avant = ReglageSms.objects.select_for_update(no_key=True).filter(societe=regle.societe).first()
    if avant:
        regle.pk = avant.pk
    changes = [nom for nom in SUIVIS if avant is None or getattr(avant, nom) != getattr(regle, nom)]
    if not changes:
        return regle
    regle.full_clean()
    regle.save()
    consigner(
        "reglage_sms.modifie", societe=regle.societe, acteur=acteur, objet=regle, texte=str(regle),
        donnees={"champs": {n: str(getattr(regle, n)) for n in changes}},
    )  # fmt: skip
    return regle
