"""Envoyer un accord à signer : un courriel, son PDF joint, la page du client si elle est ouverte."""

from datetime import date

from django.core.exceptions import ValidationError
from django.utils.translation import gettext as _
from django.utils.translation import override

from factures.models import Accord
from relances.models import Message
from relances.rendu.filtres import Somme

from .accords_pdf import figer
from .messages import ecrire
from .preparation import destinataire_courriel

PARTIS = (Message.Statut.ENVOYE, Message.Statut.EN_ERREUR, Message.Statut.INCERTAIN)


def envoyer_a_signer(accord: Accord, *, au: date, acteur) -> Message:
    """Écrit le courriel, dix secondes avant de partir ; un double clic rend celui qui attend.

    Lève ValidationError : accord qui n'est pas à signer, client sans adresse ; PdfIndisponible sans Pango.
    """
    from .confirmations import texte_de_suite

    if accord.statut != Accord.Statut.PROPOSE or accord.expire_le < au:
        raise ValidationError(_("Cet accord n'est plus à signer."))
    adresse = destinataire_courriel(accord.client)
    if not adresse:
        raise ValidationError(_("Ce client n'a pas d'adresse utilisable : imprimez l'accord."))
    accord = figer(accord)
    deja = Message.objects.filter(accord=accord, genre=Message.Genre.ACCORD, statut__in=PARTIS).count()
    with override(accord.client.langue):
        genre = str(accord.get_genre_display()).lower()
    courriel = texte_de_suite(
        accord.client, "accord", reference=accord.reference, au=au,
        accord={
            "reference": accord.reference, "genre": genre, "montant": Somme(accord.montant, accord.devise),
            "expire_le": accord.expire_le,
        },
    )  # fmt: skip
    jointe = {
        "nom": f"accord-{accord.reference}.pdf", "chemin": accord.pdf_chemin, "empreinte": accord.pdf_empreinte,
        "type": "application/pdf",
    }  # fmt: skip
    return ecrire(
        accord.client, genre=Message.Genre.ACCORD, cle=f"accord:{accord.pk}:{deja}", destinataire=adresse,
        objet=courriel.objet, texte=courriel.texte, acteur=acteur, jointes=[jointe], accord=accord,
    )  # fmt: skip
