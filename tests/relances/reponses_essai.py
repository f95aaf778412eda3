"""Courriels lus tout faits pour les essais des réponses : une réponse, un rejet, une absence."""

from datetime import date

from relances.domaine.reponses import Categorie, Classement, MessageLu, Rapport, SortDeclare
from relances.models import Courrier, Passage
from relances.services import adresses, envoi, nuit
from relances.services.reponses import recevoir
from tests.factures.factories import EcheanceFactory

MARDI = date(2026, 2, 10)


def passer(societe, au=MARDI):
    passage = nuit.ouvrir_passage(societe, au=au, genre=Passage.Genre.REJOUE)
    return nuit.relancer(societe, au=au, passage=passage)


def envoye(au=MARDI, **champs) -> Courrier:
    """Un rappel réellement parti par courriel le jour dit."""
    from datetime import timedelta

    echeance = EcheanceFactory(echue_le=au - timedelta(days=9), **champs)
    passer(echeance.societe, au)
    courrier = Courrier.objects.filter(client=echeance.client).get()
    assert envoi.envoyer(courrier.pk, au=au) == Courrier.Statut.ENVOYE
    courrier.refresh_from_db()
    return courrier


def reponse(envoi_=None, *, identifiant="<r1@client.example>", de="compta@ailleurs.example", **champs) -> MessageLu:
    """Une personne répond ; envoi_ : à quoi, par son identifiant."""
    cite = adresses.identifiant(envoi_.jeton) if envoi_ else ""
    base = {"message_id": identifiant, "de": de, "objet": "Re: votre rappel", "texte": "Nous payons vendredi."}
    return MessageLu(**base | {"en_reponse_a": cite} | champs)


def rejet(envoi_, *, identifiant="<d1@mx.example>", action="failed", code="5.1.1", **champs) -> MessageLu:
    adresse = envoi_.destinataire
    return MessageLu(
        **{"message_id": identifiant, "de": "mailer-daemon@mx.example", "objet": "Undelivered",
           "rapport": Rapport("dsn", (SortDeclare(adresse, action, code, "user unknown"),)),
           "origine_message_id": adresses.identifiant(envoi_.jeton)} | champs
    )  # fmt: skip


def juge(categorie: str, adresse="", **champs) -> Classement:
    champs = {"adresse_en_cause": categorie == "rejet"} | champs
    return Classement(Categorie(categorie), "essai", adresse_fautive=adresse, **champs)


def recu(lu: MessageLu, categorie="reponse", *, au=MARDI, adresse="", **champs):
    """Reçu par la boîte, jugé comme dit."""
    origine = champs.pop("origine", "imap")
    jugement = juge(categorie, adresse, **champs.pop("jugement", {}))
    return recevoir(lu, origine=origine, cle_source=lu.message_id, classement=jugement, au=au, **champs)
