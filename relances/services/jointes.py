"""Ce qui part avec une relance : copies des factures qu'on tient, et à qui, par rôle de contact.

Les copies se choisissent à la préparation et se figent dans `Courrier.jointes`. Au-delà de 8 Mio par courriel, ou de
vingt pages sous pli, les plus anciennes échues d'abord ; le reste se dit (docs/decisions/0018-documents.md).
"""

import re
from collections.abc import Iterable
from dataclasses import replace
from typing import NamedTuple

from django.utils.translation import gettext as _

from clients.models import Client, Contact, RoleContact
from factures.models import CopieFacture
from recouvrement.commun import depot
from recouvrement.commun.pdf import fusionner
from relances.domaine.natures import Canal
from relances.models import Courrier
from relances.rendu import contexte as c

COURRIEL_MAX = 8 * 1024 * 1024  # octets de copies par courriel ; encodées, elles en font un tiers de plus
PAGES_MAX = 20  # de copies sous un pli : dix feuilles, 50 g


class Destination(NamedTuple):
    """repli : phrase qui dit qu'on n'a pas trouvé le rôle demandé ; vide sinon."""

    adresse: str
    contact: Contact | None
    repli: str


def destination(client: Client, role: str = "") -> Destination:
    """Contact du rôle demandé, sinon celui qui reçoit les relances, sinon l'adresse du compte.

    Une adresse en erreur ne sert jamais (exigence 21). L'adresse est vide si aucune n'est utilisable.
    """
    utiles = Contact.objects.filter(client=client, invalide_le=None).exclude(courriel="").order_by("pk")
    if role and (contact := utiles.filter(role=role).first()):
        return Destination(contact.courriel, contact, "")
    contact = utiles.filter(recoit_relances=True).first()
    adresse = contact.courriel if contact else client.courriel_utilisable
    if not role or not adresse:
        return Destination(adresse, contact, "")
    repli = _("Aucun contact « %(role)s » joignable : le courriel part à %(adresse)s") % {
        "role": RoleContact(role).label,
        "adresse": adresse,
    }
    return Destination(adresse, contact, repli)


def au_nom_de(destinataire: c.Destinataire, client: Client, role: str) -> c.Destinataire:
    """La lettre nomme le contact du rôle demandé, à la ligne 2 de l'adresse (NF Z10-011) et dans l'appel."""
    contact = Contact.objects.filter(client=client, role=role).order_by("pk").first() if role else None
    if contact is None:
        return destinataire
    return replace(destinataire, service=contact.nom, interlocuteur=contact.nom)


def choisir(courrier: Courrier, factures: Iterable[int]) -> tuple[tuple[c.CopieJointe, ...], tuple[str, ...]]:
    """(copies à joindre, numéros des copies laissées) ; la dernière copie rangée d'une facture, dans l'ordre donné."""
    if not courrier.societe.joindre_factures or courrier.canal not in (Canal.COURRIEL, Canal.LETTRE, Canal.RECOMMANDE):
        return (), ()
    rangs = {facture: rang for rang, facture in enumerate(dict.fromkeys(factures))}
    connues = CopieFacture.objects.filter(facture__in=rangs).select_related("facture").order_by("pk")
    dernieres = {copie.facture_id: copie for copie in connues}
    jointes, laissees, poids, pages = [], [], 0, 0
    for copie in sorted(dernieres.values(), key=lambda copie: rangs[copie.facture_id]):
        tient = (
            poids + copie.taille <= COURRIEL_MAX
            if courrier.canal == Canal.COURRIEL
            else pages + copie.pages <= PAGES_MAX
        )
        if not tient:
            laissees.append(copie.facture.numero)
            continue
        poids, pages = poids + copie.taille, pages + copie.pages
        nom = re.sub(r"[^\w.+-]+", "-", copie.facture.numero).strip("-.") or str(copie.facture_id)
        jointes.append(
            c.CopieJointe(
                numero=copie.facture.numero,
                nom=f"copie-{nom}.pdf",
                chemin=copie.chemin,
                empreinte=copie.empreinte,
                pages=copie.pages,
            )
        )
    return tuple(jointes), tuple(laissees)


def pli_complet(courrier: Courrier) -> bytes:
    """La lettre archivée, puis ses copies : ce que l'on imprime et met sous pli. Lève ErreurDepot."""
    lettre = depot.lire(courrier.pdf_chemin, courrier.pdf_empreinte)
    if not courrier.jointes or courrier.canal == Canal.COURRIEL:
        return lettre
    return fusionner([lettre, *(depot.lire(j["chemin"], j["empreinte"]) for j in courrier.jointes)])


def pages_du_pli(courrier: Courrier) -> int:
    if courrier.canal == Canal.COURRIEL:
        return courrier.pdf_pages
    return courrier.pdf_pages + sum(j.get("pages", 0) for j in courrier.jointes)
