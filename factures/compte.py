"""Le compte d'un client : chiffres par devise, pièces ouvertes et leur état, habitudes de paiement."""

from dataclasses import dataclass, field
from datetime import date, timedelta
from decimal import ROUND_HALF_UP, Decimal

from django.db.models import Count, F, Sum
from django.utils.translation import gettext as _

from clients.models import Client

from .balance import Ligne, balance_agee
from .models import Avoir, Echeance, Echeancier, Encaissement, Exclusion, Imputation, Litige, Promesse

ZERO = Decimal("0.00")
AN = timedelta(days=365)


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


# --- Habitudes ---------------------------------------------------------------------------------


@dataclass
class Habitudes:
    """Retards en jours entiers, pondérés par les montants ; None : rien d'échu dans la période."""

    retard: int | None = None
    retard_avant: int | None = None
    tenues: int = 0
    conclues: int = 0
    en_attente: list[Promesse] = field(default_factory=list)
    derniere_rompue: Promesse | None = None


def habitudes(client: Client, *, au: date) -> Habitudes:
    """Douze derniers mois et douze précédents (exigences.md § 2.5), promesses tenues (§ 2.9). Quatre requêtes."""
    periodes = {0: [ZERO, ZERO], 1: [ZERO, ZERO]}  # [montant × jours, montant]

    def peser(echeance: date, jour: date, montant: Decimal):
        periode = periodes[0 if echeance > au - AN else 1]
        periode[0] += montant * (jour - echeance).days
        periode[1] += montant

    depuis = {"echeance__date_echeance__gt": au - 2 * AN, "echeance__date_echeance__lt": au}
    payees = Imputation.objects.filter(echeance__client=client, encaissement__isnull=False, **depuis).order_by()
    for echeance, jour, montant in payees.values_list("echeance__date_echeance", "encaissement__date").annotate(
        Sum("montant")
    ):
        peser(echeance, jour, montant)
    # L'impayé compte jusqu'à aujourd'hui : le taire flatterait celui qui ne paie pas.
    ouvertes = Echeance.objects.ouvertes().filter(
        societe=client.societe_id, client=client, date_echeance__gt=au - 2 * AN, date_echeance__lt=au
    )
    for echeance, reste in ouvertes.values_list("date_echeance").annotate(reste=Sum(F("montant") - F("impute"))):
        peser(echeance, au, reste)
    statuts = dict(client.promesses.order_by().values_list("statut").annotate(Count("pk")))
    s = Promesse.Statut
    return Habitudes(
        retard=_moyenne(*periodes[0]),
        retard_avant=_moyenne(*periodes[1]),
        tenues=statuts.get(s.TENUE, 0),
        conclues=sum(statuts.get(x, 0) for x in (s.TENUE, s.PARTIELLE, s.ROMPUE)),
        en_attente=list(client.promesses.filter(statut=s.EN_ATTENTE).order_by("date_promise")),
        derniere_rompue=client.promesses.filter(statut=s.ROMPUE).order_by("-date_promise").first(),
    )


def _moyenne(poids: Decimal, montant: Decimal) -> int | None:
    return int((poids / montant).quantize(Decimal(1), ROUND_HALF_UP)) if montant else None
