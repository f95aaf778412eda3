"""À quel envoi, quel client, quelle société un courriel reçu appartient. Lit, n'écrit rien.

Du plus sûr au moins sûr : jeton de l'adresse de réponse, identifiant cité, message d'origine d'un rapport, adresse
connue. Seuls les trois premiers prouvent que l'on répond à un envoi de la maison.
"""

from collections.abc import Iterable
from dataclasses import dataclass

from django.db.models import Exists, OuterRef, Q

from clients.models import Client, Contact
from recouvrement.comptes.models import Societe
from relances.domaine.reponses import MessageLu
from relances.models import Courrier, Message, ReglageReponses

from .adresses import jeton_de

REFERENCES_MAX = 50  # un fil de courriels en cite peu ; un en-tête fabriqué, des milliers


@dataclass
class Rattachement:
    """preuve : « jeton », « identifiant », « origine », « adresse », ou vide (à trier par une personne)."""

    societe: Societe | None = None
    client: Client | None = None
    courrier: Courrier | None = None
    message: Message | None = None
    preuve: str = ""

    @property
    def envoi(self) -> Courrier | Message | None:
        return self.courrier or self.message


def rattacher(lu: MessageLu, *, societe: Societe | None = None, adresse_fautive: str = "") -> Rattachement:
    """Trouve l'envoi et le client. societe : celle de la boîte lue ; None : un fournisseur, on la cherche."""
    jetons = [jeton_de(a) for a in lu.destinataires]
    citees = (lu.en_reponse_a, *reversed(lu.references[-REFERENCES_MAX:]))
    origines = [jeton_de(a) for a in lu.origine_reponse_a]
    for preuve, cles, identifiants in (
        ("jeton", jetons, ()),
        ("identifiant", map(_jeton_d_identifiant, citees), citees),
        ("origine", [*origines, _jeton_d_identifiant(lu.origine_message_id)], (lu.origine_message_id,)),
    ):
        if trouve := envoi(cles, identifiants):
            return _de_l_envoi(trouve, preuve)
    societe = societe or societe_de(lu.destinataires)
    clients = _clients_de((adresse_fautive, *lu.origine_destinataires) if adresse_fautive else (lu.de,), societe)
    if len(clients) == 1:
        return Rattachement(clients[0].societe, clients[0], preuve="adresse")
    return Rattachement(societe)


def _de_l_envoi(trouve: Courrier | Message, preuve: str) -> Rattachement:
    champ = "courrier" if isinstance(trouve, Courrier) else "message"
    return Rattachement(trouve.societe, trouve.client, preuve=preuve, **{champ: trouve})


def _jeton_d_identifiant(identifiant: str) -> str:
    """« <jeton@domaine> » → jeton."""
    return identifiant.strip("<> ").partition("@")[0]


def envoi(jetons: Iterable[str], identifiants: Iterable[str] = ()) -> Courrier | Message | None:
    """Le premier courrier, ou le premier message, que l'un de ces jetons ou identifiants désigne."""
    cles = [x for x in dict.fromkeys(jetons) if x and len(x) <= 40 and "\x00" not in x]
    ids = [x for x in dict.fromkeys(identifiants) if x and len(x) <= 250 and "\x00" not in x]
    if not cles and not ids:
        return None
    filtre = Q(jeton__in=cles + [c.lower() for c in cles]) | Q(message_id__in=ids)
    for modele in (Courrier, Message):
        trouves = modele.objects.filter(filtre).select_related("societe", "client__gestionnaire", "client__societe")
        if trouve := trouves.order_by("pk").first():
            return trouve
    return None


def societe_de(destinataires: Iterable[str]) -> Societe | None:
    """La société dont l'adresse des réponses figure parmi ces destinataires ; ou la seule qui existe."""
    adresses = {a.lower() for a in destinataires}
    adresses |= {f"{a.partition('@')[0].partition('+')[0]}@{a.partition('@')[2]}" for a in adresses}
    reglages = ReglageReponses.objects.exclude(adresse="").select_related("societe")
    trouvees = [r.societe for r in reglages if r.adresse.lower() in adresses]
    if len(trouvees) == 1:
        return trouvees[0]
    seules = list(Societe.objects.all()[:2])
    return seules[0] if len(seules) == 1 else None


def _clients_de(adresses: Iterable[str], societe: Societe | None) -> list[Client]:
    """Deux clients au plus qui ont l'une de ces adresses, la leur ou celle d'un contact."""
    connues = Q()
    contact = Q()
    for adresse in [a for a in dict.fromkeys(adresses) if a and "\x00" not in a][:5]:
        connues |= Q(courriel__iexact=adresse)
        contact |= Q(courriel__iexact=adresse)
    if not connues:
        return []
    connues |= Q(Exists(Contact.objects.filter(contact, client=OuterRef("pk"))))
    clients = Client.objects.filter(connues, **({"societe": societe} if societe else {}))
    return list(clients.select_related("societe", "gestionnaire").order_by("pk")[:2])


def de_la_maison(lu: MessageLu, adresses: Iterable[str]) -> bool:
    """Vrai si la maison l'a écrit : un de nos identifiants, une de nos adresses, ou notre marque de boucle."""
    if lu.message_id and envoi([_jeton_d_identifiant(lu.message_id)], [lu.message_id]):
        return True
    notres = {a.lower() for a in adresses if a}
    boucle = lu.entetes.get("x-loop", "").lower()
    return lu.de.lower() in notres or any(a in boucle for a in notres)
