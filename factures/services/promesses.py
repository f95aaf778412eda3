"""Promesses de paiement : faites, tenues ou non, seules (exigence 31, exigences.md § 2.9)."""

from collections import defaultdict
from collections.abc import Iterable
from datetime import date, timedelta
from decimal import Decimal

from django.core.exceptions import ValidationError
from django.db import transaction
from django.db.models import F
from django.utils.translation import gettext as _

from clients.models import Client
from recouvrement.commun.formats import jour as jour_lisible
from recouvrement.commun.formats import somme
from recouvrement.comptes.models import Societe
from recouvrement.journal.services import consigner

from ..domaine.calendrier import DERNIER_JOUR, ajouter_jours_ouvres
from ..models import Echeance, Imputation, NatureAvoir, Promesse

HORIZON = timedelta(days=90)  # au-delà ce n'est plus une promesse : c'est un échéancier à signer
TOLERANCE = 2  # jours ouvrés : le virement parti le jour dit arrive le surlendemain
ZERO = Decimal("0.00")
Statut = Promesse.Statut


def limite_promesse(date_promise: date, region: str = "metropole") -> date:
    """Dernier jour où un paiement reçu tient la promesse : date promise + 2 jours ouvrés. Ne lève jamais."""
    return ajouter_jours_ouvres(min(date_promise, DERNIER_JOUR), TOLERANCE, region)


@transaction.atomic
def promettre(
    client: Client,
    echeances: Iterable[Echeance],
    *,
    montant: Decimal,
    date_promise: date,
    au: date,
    acteur,
    moyen: str = "virement",
) -> Promesse:
    """Note une promesse du client sur ces échéances, mises en pause jusqu'à la date et sa tolérance.

    Une promesse en attente sur l'une de ces pièces est remplacée : annulée si le report est convenu avant sa
    date, sinon jugée sur ce qui a été payé. Redire la même promesse le même jour rend celle qui est notée.
    Lève ValidationError : pièce d'un autre compte ou soldée, plusieurs devises, montant nul ou au-dessus du
    dû, date passée ou à plus de 90 jours.
    """
    client = Client.objects.select_for_update(no_key=True, of=("self",)).select_related("societe").get(pk=client.pk)
    choisies = list(Echeance.objects.filter(pk__in=[e.pk for e in echeances]).order_by("pk"))
    du = sum((e.reste_du for e in choisies), ZERO)
    if not choisies or any(e.client_id != client.pk or not e.reste_du for e in choisies):
        raise ValidationError(_("Une promesse porte sur des pièces ouvertes de ce client."))
    if len({e.devise for e in choisies}) > 1:
        raise ValidationError(_("Une promesse ne réunit pas deux devises : notez-en une par devise."))
    if not 0 < montant <= du:
        raise ValidationError(
            {
                "montant": _("Le montant promis est positif, au plus ce qui est dû sur ces pièces : %(du)s.")
                % {"du": somme(du, choisies[0].devise)}
            }
        )
    if date_promise < au:
        raise ValidationError({"date_promise": _("La date promise est déjà passée.")})
    if date_promise > au + HORIZON:
        raise ValidationError(
            {"date_promise": _("Une promesse porte sur 90 jours au plus : au-delà, proposez un échéancier à signer.")}
        )
    for ancienne in _en_attente_sur(client, choisies):
        memes = set(ancienne.echeances.values_list("pk", flat=True)) == {e.pk for e in choisies}
        if memes and (ancienne.montant, ancienne.date_promise, ancienne.faite_le) == (montant, date_promise, au):
            return ancienne
    remplacer_promesses(client, choisies, au=au, acteur=acteur)
    promesse = Promesse.objects.create(
        client=client,
        montant=montant,
        date_promise=date_promise,
        moyen=moyen,
        faite_le=au,
        du_a_la_promesse=du,
        auteur=acteur,
    )
    promesse.echeances.set(choisies)
    consigner(
        "promesse.faite",
        societe=client.societe,
        acteur=acteur,
        objet=promesse,
        client=client,
        texte=_("%(montant)s pour le %(jour)s")
        % {"montant": somme(montant, choisies[0].devise), "jour": jour_lisible(date_promise)},
        donnees={"echeances": [e.pk for e in choisies], "montant": montant, "pour_le": date_promise},
    )
    return promesse


def _en_attente_sur(client: Client, echeances: list[Echeance]) -> list[Promesse]:
    return list(client.promesses.en_attente().filter(echeances__in=echeances).distinct())


@transaction.atomic
def remplacer_promesses(client: Client, echeances: list[Echeance], *, au: date, acteur) -> None:
    """Un engagement nouveau (promesse, échéancier) remplace les promesses en attente sur ces pièces.

    Annulée s'il est convenu avant sa date, sinon jugée sur ce qui a été payé.
    """
    anciennes = _en_attente_sur(client, echeances)
    juges = _juger(anciennes, au=au)
    for ancienne in anciennes:
        statut, paye = juges[ancienne.pk]
        if au <= ancienne.date_promise:
            statut = Statut.ANNULEE
        elif statut == Statut.EN_ATTENTE:  # un report convenu après la date : elle n'a pas été tenue
            statut = Statut.PARTIELLE if paye else Statut.ROMPUE
        _conclure(ancienne, statut, au=au, acteur=acteur)


def annuler_promesse(promesse: Promesse, *, au: date, acteur) -> bool:
    """Retire une promesse notée par erreur ; faux si elle n'était plus en attente."""
    return _conclure(promesse, Statut.ANNULEE, au=au, acteur=acteur)


def evaluer_promesses(societe: Societe, *, au: date) -> list[Promesse]:
    """Conclut les promesses de la société qui peuvent l'être au jour `au` ; renvoie celles qui changent.

    Tenue dès que le promis est payé, au plus tard à la date + 2 jours ouvrés ; cette limite passée, partielle
    ou rompue. Payé = reçu, quel que soit le jour de l'affectation. Rejouable ; trois requêtes, plus
    l'écriture de chaque promesse conclue.
    """
    en_attente = list(
        Promesse.objects.en_attente()
        .filter(client__societe=societe, faite_le__lte=au)
        .select_related("client__societe")
    )
    conclues = []
    juges = _juger(en_attente, au=au)
    for promesse in en_attente:
        statut, _paye = juges[promesse.pk]
        if statut != Statut.EN_ATTENTE and _conclure(promesse, statut, au=au, acteur=None):
            promesse.statut = statut
            conclues.append(promesse)
    return conclues


@transaction.atomic
def rejuger_promesses(echeances, *, au: date, acteur) -> list[Promesse]:
    """Rejuge les promesses tenues de ces pièces (queryset ou clés), rouvertes depuis ; renvoie celles qui changent.

    Tenue, elle redevient en attente jusqu'à sa limite ; passée, partielle ou rompue, et la nuit pose sa tâche. Tenue
    en partie, elle ne peut qu'être rompue : un report l'a peut-être remplacée.
    """
    conclues = list(
        Promesse.objects.filter(statut__in=(Statut.TENUE, Statut.PARTIELLE))
        .filter(echeances__in=echeances, echeances__impute__lt=F("echeances__montant"))
        .select_related("client__societe")
        .distinct()
    )
    juges = _juger(conclues, au=au)
    changees = []
    for promesse in conclues:
        statut, paye = juges[promesse.pk]
        if promesse.statut == Statut.PARTIELLE:
            statut = Statut.PARTIELLE if paye else Statut.ROMPUE
        if statut != promesse.statut:
            conclue_le = None if statut == Statut.EN_ATTENTE else au
            if _changer(promesse, de=promesse.statut, statut=statut, conclue_le=conclue_le, acteur=acteur):
                changees.append(promesse)
    return changees


def _juger(promesses: list[Promesse], *, au: date) -> dict[int, tuple[str, Decimal]]:
    """{promesse: (statut, payé)} d'après ce qui est reçu au plus tard à la limite de chacune."""
    if not promesses:
        return {}
    liens = Promesse.echeances.through.objects.filter(promesse__in=promesses)
    pieces: dict[int, list[tuple[int, Decimal]]] = defaultdict(list)
    for promesse, echeance, montant in liens.values_list("promesse", "echeance", "echeance__montant"):
        pieces[promesse].append((echeance, montant))
    parts = recus({e for liste in pieces.values() for e, _montant in liste})
    resultat = {}
    for promesse in promesses:
        limite = limite_promesse(promesse.date_promise, promesse.client.societe.region_feries)
        reste = sum(
            (
                montant - sum((part for jour, part in parts[e] if jour <= min(au, limite)), ZERO)
                for e, montant in pieces[promesse.pk]
            ),
            ZERO,
        )
        paye = promesse.du_a_la_promesse - reste
        if paye >= promesse.montant:
            statut = Statut.TENUE
        elif au <= limite:
            statut = Statut.EN_ATTENTE
        else:
            statut = Statut.PARTIELLE if paye > 0 else Statut.ROMPUE
        resultat[promesse.pk] = (statut, max(paye, ZERO))
    return resultat


def recus(echeances: Iterable[int]) -> dict[int, list[tuple[date, Decimal]]]:
    """{échéance: [(jour reçu, montant posé)]} : le jour du virement ou de l'avoir, non celui de l'affectation.

    Une perte n'est pas reçue : elle ne tient ni promesse, ni échéancier.
    """
    parts: dict[int, list[tuple[date, Decimal]]] = defaultdict(list)
    posees = Imputation.objects.filter(echeance__in=echeances).exclude(avoir__nature=NatureAvoir.PERTE)
    for echeance, recu_le, avoir_du, montant in posees.values_list(
        "echeance", "encaissement__date", "avoir__date_emission", "montant"
    ):
        parts[echeance].append((recu_le or avoir_du, montant))
    return parts


@transaction.atomic
def _conclure(promesse: Promesse, statut: str, *, au: date, acteur) -> bool:
    """Sort une promesse de l'attente, une seule fois ; faux si un autre l'a déjà conclue."""
    return _changer(promesse, de=Statut.EN_ATTENTE, statut=statut, conclue_le=au, acteur=acteur)


def _changer(promesse: Promesse, *, de: str, statut: str, conclue_le: date | None, acteur) -> bool:
    """Change le statut s'il est encore `de`, et le consigne."""
    if not Promesse.objects.filter(pk=promesse.pk, statut=de).update(statut=statut, conclue_le=conclue_le):
        return False
    consigner(
        f"promesse.{statut}",
        societe=promesse.client.societe,
        acteur=acteur,
        objet=promesse,
        client=promesse.client_id,
        texte=str(promesse),
        donnees={"montant": promesse.montant, "pour_le": promesse.date_promise},
    )
    return True
