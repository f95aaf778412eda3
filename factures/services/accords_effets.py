"""Ce qu'un accord signé fait au grand livre : avoirs, dette nouvelle, pénalités abandonnées."""

from collections import defaultdict
from collections.abc import Iterable
from datetime import date
from decimal import Decimal

from django.utils import timezone

from recouvrement.comptes.models import Utilisateur

from ..domaine.accords import poser
from ..domaine.mensualites import Terme
from ..models import Accord, Avoir, Echeance, Facture, Imputation, Renonciation
from .encaissements import desimputer, imputer_avoir
from .promesses import limite_promesse, recus

ZERO = Decimal("0.00")


def cle(accord: Accord) -> str:
    """Clé des écritures de l'accord : rejouer ne les double pas."""
    return f"accord-{accord.pk}"


def porter_un_avoir(
    accord: Accord, echeances: Iterable[Echeance], *, nature: str, montant: Decimal, au: date, acteur
) -> Avoir:
    """Avoir de cette nature, posé sur les pièces de la plus ancienne à la plus récente ; le même s'il existe déjà.

    Lève ValueError si les pièces ne doivent plus tant, ValidationError si l'une a changé entre-temps.
    """
    avoir, cree = Avoir.objects.get_or_create(
        societe_id=accord.client.societe_id, cle_source=cle(accord),
        defaults={
            "client": accord.client, "devise": accord.devise, "numero": accord.reference, "date_emission": au,
            "montant": montant, "nature": nature,
        },
    )  # fmt: skip
    if cree:
        ordre = sorted(echeances, key=lambda e: (e.date_echeance, e.pk))
        parts = poser(montant, [(e.pk, e.reste_du) for e in ordre])
        imputer_avoir(avoir, parts, au=au, cle=cle(accord), acteur=acteur)
        accord.avoirs.add(avoir)
    return avoir


def retirer_les_avoirs(accord: Accord, *, au: date) -> Decimal:
    """Ce que l'accord avait abandonné redevient dû ; renvoie le montant rendu. Le journal en garde la trace.

    Un avoir réaffecté autrement depuis n'est pas touché : il ne tient plus à cet accord.
    """
    rendu = ZERO
    for avoir in accord.avoirs.all():
        rendu += desimputer(avoir, au=au, cle=cle(accord), acteur=None)
        avoir.refresh_from_db()
        if not avoir.impute:
            accord.avoirs.remove(avoir)
            avoir.delete()
    return rendu


def ouvrir_la_dette(accord: Accord, termes: Iterable[Terme], *, au: date) -> Facture:
    """La dette nouvelle d'une novation : une pièce au nom de l'accord, une échéance par terme. Deux écritures.

    Elle n'est pas une facture de vente : ni HT ni TVA, déjà portés par les pièces éteintes.
    """
    facture, cree = Facture.objects.get_or_create(
        societe_id=accord.client.societe_id, cle_source=cle(accord),
        defaults={
            "client": accord.client, "devise": accord.devise, "numero": accord.reference, "date_emission": au,
            "date_execution": au, "montant_ttc": accord.montant,
        },
    )  # fmt: skip
    if cree:
        Echeance.objects.bulk_create(
            Echeance(
                societe_id=facture.societe_id, client=accord.client, facture=facture, date_facture=au,
                cle_source=f"{cle(accord)}:{rang}", date_echeance=t.due_le, montant=t.montant, devise=accord.devise,
            )
            for rang, t in enumerate(termes, 1)
        )  # fmt: skip
    return facture


def abandonner_les_penalites(accord: Accord, *, portee: str, motif: str, le: date, auteur: Utilisateur) -> int:
    """Renonce aux accessoires des factures de l'accord tenu, sauf là où une renonciation est déjà en vigueur.

    Renvoie combien de renonciations sont écrites. Deux requêtes, quel que soit le nombre de factures.
    """
    factures = set(accord.echeances.order_by().values_list("facture", flat=True))
    deja = set(Renonciation.objects.en_vigueur().filter(facture__in=factures).values_list("facture", flat=True))
    neuves = [
        Renonciation(facture_id=pk, portee=portee, motif=motif[:200], le=le, auteur=auteur)
        for pk in sorted(factures - deja)
    ]
    Renonciation.objects.bulk_create(neuves)
    return len(neuves)


def reprendre_les_penalites(accord: Accord) -> int:
    """L'accord n'est plus tenu : les renonciations qu'il avait écrites tombent avec lui. Une requête."""
    siennes = Renonciation.objects.en_vigueur().filter(
        facture__in=accord.echeances.values("facture"), motif__contains=accord.reference
    )
    return siennes.update(annulee_le=timezone.now())


def payes_a_temps(accords: Iterable[Accord], *, au: date) -> dict[int, Decimal]:
    """{accord: reçu sur ses pièces depuis la proposition, au jour de payer et sa tolérance}. Trois requêtes."""
    accords = list(accords)
    liens = Accord.echeances.through.objects.filter(accord__in=accords)
    pieces: dict[int, list[tuple[int, Decimal]]] = defaultdict(list)
    for pk, echeance, montant in liens.values_list("accord", "echeance", "echeance__montant"):
        pieces[pk].append((echeance, montant))
    parts = recus({e for liste in pieces.values() for e, _montant in liste})
    siens: dict[str, list[tuple[date, Decimal]]] = defaultdict(list)  # l'avoir de l'accord n'est pas un paiement
    posees = Imputation.objects.filter(avoir__cle_source__in=[cle(x) for x in accords], echeance__in=parts)
    for avoir, jour, montant in posees.values_list("avoir__cle_source", "avoir__date_emission", "montant"):
        siens[avoir].append((jour, montant))
    payes = {}
    for accord in accords:
        limite = min(au, limite_du_paiement(accord))
        restes = sum((m - sum((p for jour, p in parts[e] if jour <= limite), ZERO) for e, m in pieces[accord.pk]), ZERO)
        abandonne = sum((part for jour, part in siens[cle(accord)] if jour <= limite), ZERO)
        payes[accord.pk] = max(accord.montant - restes - abandonne, ZERO)
    return payes


def limite_du_paiement(accord: Accord) -> date:
    """Dernier jour où un virement reçu tient l'accord : la date dite et deux jours ouvrés."""
    return limite_promesse(accord.payer_avant, accord.client.societe.region_feries)
