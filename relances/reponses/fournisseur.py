"""Ce que le fournisseur de courriel annonce (Anymail) : remis, rejeté, plainte, réponse reçue.

La requête ne fait que ranger et réveiller ; la tâche décide, autant de fois que l'annonce se répète. Ouvertures et
clics se jettent ici, sans trace : aucun suivi.
"""

import hashlib
from collections.abc import Mapping
from datetime import date, datetime

from anymail.signals import inbound, tracking
from django.dispatch import receiver
from django.utils import timezone
from kombu.exceptions import OperationalError

from recouvrement.commun import depot
from recouvrement.commun.reveil import reveiller
from relances.domaine.reponses import Categorie, MessageLu, Rapport, SortDeclare, categorie_d_evenement
from relances.models import MessageRecu
from relances.services.effets_reponses import PasEncore, remis
from relances.services.rattachements import Rattachement, envoi
from relances.services.reponses import cle_de, recevoir, recevoir_illisible

from .lecture import CourrielIllisible, lire

__all__ = ["PasEncore", "constater", "recevoir_range"]
ORIGINE = MessageRecu.Origine.FOURNISSEUR
JETES = frozenset({"opened", "clicked", "queued", "sent", "subscribed", "inbound_failed", "unknown", ""})
ECHECS = frozenset({"bounced", "rejected", "failed"})
TEXTES = ("event_type", "event_id", "message_id", "recipient", "reject_reason", "description", "mta_response")
TEXTE_MAX = 500
# Dur ou mou, selon le fournisseur.
BRUTS = ("event", "Type", "type", "bounceType", "BounceType", "hard_bounce", "error")


@receiver(tracking, dispatch_uid="relances.evenement")
def _evenement(sender, event, esp_name, **_reste):
    """Réduit l'annonce à ce qui sert, et la confie à une tâche ; ce qui suit le lecteur ne s'écrit nulle part."""
    from relances.tasks import constater_evenement

    if str(event.event_type or "") in JETES:
        return
    evenement = {nom: str(getattr(event, nom, None) or "")[:TEXTE_MAX] for nom in TEXTES}
    quand = event.timestamp if isinstance(event.timestamp, datetime) else None
    brut = event.esp_event if isinstance(event.esp_event, Mapping) else {}
    brut = {nom: brut[nom] for nom in BRUTS if isinstance(brut.get(nom), (bool, str))}
    brut = {nom: x if isinstance(x, bool) else x[:TEXTE_MAX] for nom, x in brut.items()}
    evenement |= {"fournisseur": str(esp_name)[:40], "quand": quand.isoformat() if quand else "", "brut": brut}
    _confier(constater_evenement, evenement)


@receiver(inbound, dispatch_uid="relances.courriel_recu")
def _courriel_recu(sender, event, esp_name, **_reste):
    """Range le courriel tel que reçu, puis réveille : une requête de fournisseur ne dure pas."""
    from relances.tasks import recevoir_courriel

    chemin, empreinte = depot.ranger(event.message.as_bytes(), ".eml")
    _confier(recevoir_courriel, chemin, empreinte)


def _confier(tache, *arguments) -> None:
    """Lève OperationalError sans courtier : rien n'est écrit en base, le fournisseur doit recommencer (503)."""
    if not reveiller(tache, *arguments):
        raise OperationalError("courtier absent")


def recevoir_range(chemin: str, empreinte: str, *, au: date) -> MessageRecu:
    """Reçoit un courriel déjà au dépôt. Lève PasEncore ; rejoué, il n'écrit rien."""
    octets = depot.lire(chemin, empreinte)
    try:
        lu = lire(octets)
    except CourrielIllisible as raison:
        return recevoir_illisible(octets, origine=ORIGINE, raison=str(raison))
    return recevoir(lu, origine=ORIGINE, cle_source=cle_de(lu, octets), brut=octets, au=au)


def cle_d_evenement(e: Mapping[str, str]) -> str:
    """La même annonce, répétée ou rejouée, a la même clé ; 160 caractères au plus."""
    quoi = e["event_id"] or f"{e['message_id']} {e['recipient']} {e['quand']}"
    somme = hashlib.sha256(f"{e['event_type']} {quoi}".encode("utf-8", "replace")).hexdigest()
    return f"{e['fournisseur']}:{somme}"


def constater(e: Mapping, *, au: date, dernier: bool = False) -> MessageRecu | None:
    """Écrit ce que l'annonce dit de l'envoi. None : rien à écrire (remis, inconnu).

    Lève PasEncore si l'envoi n'est pas encore écrit ; dernier : l'annonce se range alors sans lui, à trier.
    """
    classement = categorie_d_evenement(
        e["event_type"], reject_reason=e["reject_reason"], code="", description=e["description"] or e["mta_response"],
        recipient=e["recipient"], brut=e.get("brut"),
    )  # fmt: skip
    if classement is None:
        return None
    trouve = envoi([e["message_id"].strip("<> ").partition("@")[0]], [e["message_id"], f"<{e['message_id']}>"])
    if trouve is None and not dernier:
        raise PasEncore(e["message_id"])
    quand = datetime.fromisoformat(e["quand"]) if e["quand"] else timezone.now()
    if classement.categorie is Categorie.REMIS:  # noté sur l'envoi, sans ligne de plus
        if trouve:
            champ = "courrier" if trouve._meta.model_name == "courrier" else "message"
            remis(Rattachement(**{champ: trouve}), quand, au=au)
        return None
    action = "failed" if e["event_type"] in ECHECS else "delayed" if e["event_type"] == "deferred" else ""
    sort = SortDeclare(e["recipient"].lower(), action, classement.code, classement.diagnostic)
    lu = MessageLu(
        message_id="", objet=classement.raison, date=quand if timezone.is_aware(quand) else None,
        rapport=Rapport("dsn", (sort,)), texte=e["mta_response"] or e["description"],
        origine_message_id=f"<{trouve.jeton}@>" if trouve else "",
        origine_destinataires=(e["recipient"].lower(),) if e["recipient"] else (),
    )  # fmt: skip
    return recevoir(lu, origine=ORIGINE, cle_source=cle_d_evenement(e), classement=classement, au=au)
