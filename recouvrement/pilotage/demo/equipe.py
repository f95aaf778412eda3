"""Ce qu'une journée apporte : réponse, absence, déclarations, accord à signer, mention, perte à décider.

Après l'histoire, la veille au soir : tout attend la personne qui ouvre Ma journée le lendemain.
"""

from collections.abc import Iterator
from datetime import timedelta
from decimal import Decimal
from email.message import EmailMessage
from email.utils import format_datetime

from clients.documents import ajouter_document
from clients.models import Client
from clients.partages import noter_et_prevenir
from factures.models import Echeance
from factures.services import pertes
from recouvrement.comptes.absences import poser_absence
from relances.reponses.lecture import lire
from relances.services import accords, declarations_portail, liens
from relances.services.declarations_portail import Depot
from relances.services.reponses import cle_de, recevoir

from .gestes import specimen
from .personnages import Personnage
from .scenes import CLAIRE, KARIM, Scene, p
from .temps import UN_JOUR, Horloge, Jours

REPOND, ABSENT, A_PAYE, CONTESTE = (
    "Serrurerie Maubrun",
    "Optique Valmorin",
    "Librairie des Augustins",
    "Brasserie Pontaval",
)
A_SIGNER, MENTION, PERTE = "Scierie Combelles", "Carrosserie Delmasse", "Fleuriste Arsène"


REPONSE = """Bonjour,

La facture est validée, elle part au règlement de vendredi. Pouvez-vous me confirmer votre IBAN ?

Odile Maubrun

Le lun. à 19:05, Maison Vauquelin a écrit :
> Sauf erreur de notre part, la facture reste due.
"""
ABSENCE = "Je suis absent et lirai votre message à mon retour.\n"


def scenes_d_equipe(x: Jours) -> Iterator[Scene]:
    """(nom, forme, gestionnaire, segment, contact, montant, jours de retard) : une pièce échue chacun."""
    for nom, forme, qui, segment, contact, montant, retard in (
        (REPOND, "SARL", CLAIRE, "artisanat", "Odile Maubrun", "3120.00", 24),
        (ABSENT, "SAS", CLAIRE, "négoce", "Luc Valmorin", "1164.00", 19),
        (A_PAYE, "SARL", CLAIRE, "négoce", "Inès Brial", "876.00", 22),
        (CONTESTE, "SAS", KARIM, "services", "Hugo Pontaval", "2640.00", 26),
        (A_SIGNER, "SAS", CLAIRE, "industrie", "Paul Combelles", "4800.00", 33),
        (MENTION, "SARL", KARIM, "artisanat", "Anne Delmasse", "1980.00", 17),
        (PERTE, "EURL", CLAIRE, "négoce", "Arsène Vial", "84.00", 210),
    ):
        pieces = (p("a", montant, x.j(retard)),)
        if nom == REPOND:  # un rappel tomberait ce soir : sa réponse le retient
            pieces += (p("b", "1176.00", x.pour(x.soir, 5)),)
        yield Scene(
            nom, forme, gestionnaire=qui, segment=segment, contact=contact, habitude=12, pieces=pieces
        )  # fmt: skip


def montrer(connus: list[Personnage], personnes: dict, jours: Jours, horloge: Horloge) -> None:
    """Joue la fin de la veille par les vrais services."""
    le, moment = jours.veille, horloge.moment
    clients = {x.scene.nom: x.client for x in connus if x.scene}
    claire, karim = personnes["claire.bonnet"], personnes["karim.saidi"]
    _courriel(clients[REPOND], "Re: votre rappel", REPONSE, horloge)
    _courriel(clients[ABSENT], "Réponse automatique : votre rappel", ABSENCE, horloge, automatique=True)

    lien, depot, (piece,) = _page(clients[A_PAYE], le)
    declarations_portail.declarer_paiement(
        lien, depot, pieces=[piece.pk], montant=piece.reste_du, le=le - UN_JOUR, moyen="virement", moment=moment
    )
    lien, depot, (piece,) = _page(clients[CONTESTE], le)
    declarations_portail.contester(
        lien, depot, pieces=[piece.pk], categorie="quantite", montant=Decimal("660.00"), moment=moment
    )

    a_signer = clients[A_SIGNER]
    dues = _dues(a_signer, le)
    quart = sum((e.reste_du for e in dues), Decimal(0)) / 4
    termes = [{"due_le": str(le + timedelta(days=20 + 30 * n)), "montant": str(quart)} for n in range(4)]
    accords.proposer(
        a_signer, genre="echeancier", echeances=dues, au=le, acteur=claire, termes={"mensualites": termes}, cle="demo"
    )

    octets = specimen("Bon de livraison signé")
    ajouter_document(
        clients[MENTION], octets=octets, nom="bon-de-livraison.pdf", titre="Bon de livraison", acteur=karim
    )
    texte = f"@{claire.nom} tu connais leur comptable : peux-tu l'appeler avant la lettre ?"
    noter_et_prevenir(clients[MENTION], texte=texte, acteur=karim, au=le, prevenir=[claire], cle="demo")

    (petite,) = _dues(clients[PERTE], le)
    pertes.proposer(petite, montant=petite.reste_du, motif="Client disparu, relances revenues", au=le, acteur=claire)
    lundi = jours.au + timedelta(days=7 - jours.au.weekday())
    vendredi = lundi + timedelta(days=4)
    poser_absence(claire, remplacant=karim, du=lundi, au=vendredi, motif="Congés", acteur=claire, le=le)


def _dues(client: Client, le) -> list[Echeance]:
    return list(Echeance.objects.ouvertes().filter(client=client, date_echeance__lt=le))


def _page(client: Client, le) -> tuple:
    """(lien, dépôt du formulaire, pièces dues) du client sur sa page."""
    depot = Depot(cle=f"demo-{client.code}", texte="Voir avec notre comptable.", adresse_ip="192.0.2.10")
    return liens.lien_pour(client, au=le), depot, _dues(client, le)


def _courriel(client: Client, objet: str, texte: str, horloge: Horloge, *, automatique: bool = False) -> None:
    """Le courriel tel qu'une boîte le rend : lu, classé et rattaché comme un vrai."""
    parti = client.courriers.filter(canal="courriel").exclude(message_id="").order_by("-pk").first()
    message = EmailMessage()
    message["From"], message["To"], message["Subject"] = client.courriel, client.societe.courriel, objet
    message["Date"] = format_datetime(horloge.moment)
    message["Message-ID"] = f"<demo-{client.code.lower()}@{client.courriel.partition('@')[2]}>"
    if parti:
        message["In-Reply-To"] = parti.message_id
    if automatique:
        message["Auto-Submitted"] = "auto-replied"
    message.set_content(texte)
    octets = message.as_bytes()
    lu = lire(octets)
    recevoir(
        lu, origine="imap", cle_source=cle_de(lu, octets), societe=client.societe, brut=octets,
        au=horloge.moment.date(),
    )  # fmt: skip
