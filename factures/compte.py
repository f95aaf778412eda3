"""Le compte d'un client : chiffres par devise, pièces ouvertes et leur état, ce que chaque euro ouvert attend."""

from dataclasses import dataclass
from datetime import date
from decimal import Decimal

from django.db.models import F
from django.utils.translation import gettext as _

from clients.models import Client

from .balance import Ligne, balance_agee
from .domaine.repartition import PieceOuverte, Repartition, repartir
from .models import Avoir, Echeance, Echeancier, Encaissement, Exclusion, Litige, Promesse

ZERO = Decimal("0.00")


@dataclass
class Compte:
    """Une devise du client, au jour dit."""

    devise: str
    ligne: Ligne
    pieces_echues: int = 0
    conteste: Decimal = ZERO

    @property
    def segments(self):
        """Pour la jauge : les cinq tranches, du froid au chaud."""
        return [(f"a{rang}", valeur) for rang, valeur in enumerate(self.ligne.tranches)]

    @property
    def legende(self):
        noms = (_("Non échu"), _("1–30 j"), _("31–60 j"), _("61–90 j"), _("> 90 j"))
        return [(f"a{rang}", noms[rang], valeur) for rang, valeur in enumerate(self.ligne.tranches) if valeur]


def comptes(client: Client, *, au: date, pieces: list[Echeance]) -> list[Compte]:
    """Un compte par devise, la plus grosse dette d'abord ; au moins un, vide, en euros."""
    resultat = []
    for ligne in balance_agee(Client.objects.filter(pk=client.pk), au=au):
        echues = [e for e in pieces if e.devise == ligne.devise and e.date_echeance < au]
        conteste = sum((min(e.conteste, e.reste_du) for e in echues), ZERO)
        resultat.append(Compte(ligne.devise, ligne, len(echues), conteste))
    if not resultat:
        resultat = [Compte("EUR", Ligne(client.pk, client.code, client.raison_sociale, "EUR", (0,) * 6))]
    return sorted(resultat, key=lambda c: (-c.ligne.echu, -c.ligne.encours))


def pieces_ouvertes(client: Client) -> list[Echeance]:
    """Échéances ouvertes, la plus ancienne d'abord, avec `conteste`, `litige` et `promesse`. Trois requêtes."""
    pieces = list(
        Echeance.objects.ouvertes()
        .filter(societe=client.societe_id, client=client)
        .select_related("facture")
        .order_by("date_echeance", "pk")
    )
    litiges = {
        litige.echeance_id: litige
        for litige in Litige.objects.ouverts().filter(echeance__client=client).select_related("responsable")
    }
    promesses: dict[int, Promesse] = {}
    dernieres = (
        Promesse.objects.filter(client=client, statut__in=[Promesse.Statut.EN_ATTENTE, Promesse.Statut.ROMPUE])
        .order_by("date_promise", "pk")
        .annotate(piece=F("echeances"))
    )
    for promesse in dernieres:
        promesses[promesse.piece] = promesse
    for piece in pieces:
        piece.litige = litiges.get(piece.pk)
        piece.conteste = min(piece.litige.montant_conteste, piece.reste_du) if piece.litige else ZERO
        piece.reclame = piece.reste_du - piece.conteste
        piece.promesse = promesses.get(piece.pk)
    return pieces


def poser_retenues(pieces: list[Echeance], *, au: date) -> list[Echeance]:
    """Pose `exclusion` (celle qui court au jour `au`) et `echeancier` (en cours, sinon rompu). Deux requêtes."""
    ids = [e.pk for e in pieces]
    en_cours = Exclusion.objects.en_cours(au).filter(echeance__in=ids).select_related("auteur").order_by("au")
    exclusions = {x.echeance_id: x for x in en_cours}
    vivants = (Echeancier.Statut.ROMPU, Echeancier.Statut.EN_COURS)  # l'en cours, lu en dernier, l'emporte
    accords = Echeancier.objects.filter(echeances__in=ids, statut__in=vivants).annotate(piece=F("echeances"))
    echeanciers = {x.piece: x for x in sorted(accords, key=lambda x: (vivants.index(x.statut), x.pk))}
    for piece in pieces:
        piece.exclusion = exclusions.get(piece.pk)
        piece.echeancier = echeanciers.get(piece.pk)
    return pieces


@dataclass
class Credit:
    """Ce qui est reçu ou crédité et pas encore posé sur une pièce."""

    genre: str
    nom: str
    date: date
    reste: Decimal
    devise: str
    objet: Encaissement | Avoir

    @property
    def cle(self) -> str:
        """Ce que porte l'adresse du volet d'affectation."""
        return f"{self.genre}-{self.objet.pk}"

    @property
    def moins(self) -> Decimal:
        """Négatif : un crédit réduit le solde."""
        return -self.reste


def credits_ouverts(client: Client) -> list[Credit]:
    """Encaissements puis avoirs non entièrement imputés, du plus ancien au plus récent. Deux requêtes."""
    lignes = []
    for modele, genre, jour in ((Encaissement, "encaissement", "date"), (Avoir, "avoir", "date_emission")):
        ouverts = modele.objects.filter(societe=client.societe_id, client=client, impute__lt=F("montant"))
        for objet in ouverts.order_by(jour, "pk"):
            lignes.append(
                Credit(genre, str(objet), getattr(objet, jour), objet.montant - objet.impute, objet.devise, objet)
            )
    return lignes


def repartitions(pieces: list[Echeance], credits: list[Credit]) -> dict[str, Repartition]:
    """{devise: où en est chaque euro ouvert}. pieces : de `pieces_ouvertes` puis `poser_retenues`. Aucune requête.

    D'une promesse, ce qui reste à tenir : le promis moins ce qui a été payé sur ses pièces depuis.
    """
    promises: dict[int, list[Echeance]] = {}
    vues = []
    for e in pieces:
        attendue = e.promesse if e.promesse and e.promesse.statut == Promesse.Statut.EN_ATTENTE else None
        if attendue:
            promises.setdefault(attendue.pk, []).append(e)
        en_cours = e.echeancier is not None and e.echeancier.statut == Echeancier.Statut.EN_COURS
        vues.append(
            PieceOuverte(
                e.devise, e.reste_du, e.conteste, e.en_contentieux, en_cours, e.exclusion is not None,
                attendue.pk if attendue else None,
            )
        )  # fmt: skip
    restent = {}
    for pk, siennes in promises.items():
        promesse = siennes[0].promesse
        paye = max(promesse.du_a_la_promesse - sum((e.reste_du for e in siennes), ZERO), ZERO)
        restent[pk] = max(promesse.montant - paye, ZERO)
    return repartir(vues, promesses=restent, credits=[(c.devise, c.reste) for c in credits])
