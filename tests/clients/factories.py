"""Fabriques : un client ordinaire, son contact, ce qui le suspend."""

from datetime import date, timedelta
from itertools import count

from clients.models import Client, Contact, Document, Note, Suspension, TypeDebiteur
from tests.comptes.factories import SocieteFactory, UtilisateurFactory

_rang = count(1)


def ClientFactory(*, societe=None, gestionnaire=None, particulier=False, administration=False, **champs) -> Client:
    """Entreprise joignable par courriel et par lettre. Traits : `particulier`, `administration`."""
    n = next(_rang)
    genre = TypeDebiteur.ENTREPRISE
    if particulier or administration:
        genre = TypeDebiteur.PARTICULIER if particulier else TypeDebiteur.ADMINISTRATION
    base = {
        "code": f"C{n:06d}",
        "raison_sociale": f"Client {n}",
        "type": genre,
        "siren": "" if particulier else "552100554",
        "adresse": f"{n} rue de la République",
        "code_postal": "69003",
        "ville": "Lyon",
        "courriel": f"compta.{n}@client.example",
        "telephone": "04 72 00 00 00",
    }
    return Client.objects.create(societe=societe or SocieteFactory(), gestionnaire=gestionnaire, **base | champs)


def ContactFactory(*, client=None, **champs) -> Contact:
    n = next(_rang)
    base = {"nom": f"Contact {n}", "courriel": f"contact.{n}@client.example", "recoit_relances": True}
    return Contact.objects.create(client=client or ClientFactory(), **base | champs)


def SuspensionFactory(*, client=None, du: date, au: date | None = None, auteur=None, **champs) -> Suspension:
    client = client or ClientFactory()
    return Suspension.objects.create(
        client=client,
        du=du,
        au=au or du + timedelta(days=30),
        auteur=auteur or UtilisateurFactory(societe=client.societe),
        **{"motif": "Accord en discussion"} | champs,
    )


def NoteFactory(*, client=None, auteur=None, **champs) -> Note:
    client = client or ClientFactory()
    auteur = auteur or UtilisateurFactory(societe=client.societe)
    return Note.objects.create(client=client, auteur=auteur, **{"texte": "Rappeler jeudi."} | champs)


def DocumentFactory(*, client=None, **champs) -> Document:
    """Une ligne sans fichier : le dépôt ne la connaît pas. Pour un vrai fichier, `clients.documents`."""
    n = next(_rang)
    base = {
        "nom": f"document-{n}.pdf", "type_mime": "application/pdf", "taille": 1000 + n, "empreinte": f"{n:064x}",
        "chemin": f"00/00/{n:064x}.pdf",
    }  # fmt: skip
    return Document.objects.create(client=client or ClientFactory(), **base | champs)
