"""Ce que l'on sait de chaque client pour juger la chance qu'agir serve : six requêtes, quel qu'en soit le nombre."""

from collections import defaultdict
from collections.abc import Collection
from datetime import date, datetime, time, timedelta

from django.db.models import BigIntegerField, Count, F, Func, IntegerField, Max, Q, Sum
from django.db.models.functions import Cast
from django.utils import timezone

from clients.models import Client
from contentieux.models import DossierContentieux
from factures.models import Imputation, Promesse
from recouvrement.journal.models import Maillon
from relances.domaine.appels import Issue
from relances.models import Declaration, MessageRecu

from .domaine.priorite import Habitudes

AN = timedelta(days=365)
APPELS = timedelta(days=60)  # au-delà, un appel sans réponse ne dit plus rien
ECRITS = timedelta(days=30)
P = Promesse.Statut


class Jours(Func):
    """Jours entiers entre deux dates (première moins seconde), sur SQLite comme sur PostgreSQL."""

    output_field = IntegerField()
    arity = 2

    def as_sqlite(self, compiler, connection, **contexte):
        modele = "cast(julianday(%(expressions)s) as integer)"
        return self.as_sql(compiler, connection, template=modele, arg_joiner=") - julianday(", **contexte)

    def as_postgresql(self, compiler, connection, **contexte):
        return self.as_sql(compiler, connection, template="(%(expressions)s)", arg_joiner=" - ", **contexte)


def habitudes(clients: Collection[Client], *, au: date, suspendus: Collection[int] = ()) -> dict[int, Habitudes]:
    """{client: habitudes} au jour `au`."""
    ids = [c.pk for c in clients]
    retards, promesses = _retards(ids, au), _promesses(ids, au)
    muets, ecrits, dossiers = _injoignables(ids, au), _ont_ecrit(ids, au), _au_contentieux(ids)
    return {
        c.pk: Habitudes(
            retard=retards.get(c.pk),
            tenues=promesses[c.pk][0],
            conclues=promesses[c.pk][1],
            promesse_court=promesses[c.pk][2],
            injoignable=muets.get(c.pk, 0),
            a_ecrit=c.pk in ecrits,
            suspendu=c.pk in suspendus,
            contentieux=c.pk in dossiers,
            procedure=c.procedure_ouverte or c.surendettement,
        )
        for c in clients
    }


def _retards(ids: list[int], au: date) -> dict[int, int]:
    """Jours entre échéance et paiement, pondérés par les montants, sur les paiements d'un an."""
    payees = Imputation.objects.filter(
        echeance__client__in=ids, encaissement__date__gt=au - AN, encaissement__date__lte=au
    ).order_by()
    centimes = Cast(F("montant"), BigIntegerField())
    lignes = payees.values_list("echeance__client").annotate(
        poids=Sum(
            centimes * Jours(F("encaissement__date"), F("echeance__date_echeance")), output_field=BigIntegerField()
        ),
        total=Sum(centimes, output_field=BigIntegerField()),
    )
    return {pk: round(poids / total) for pk, poids, total in lignes if total}


def _promesses(ids: list[int], au: date) -> dict[int, tuple[int, int, bool]]:
    """(tenues, conclues, une promesse court) : un an de promesses conclues, et celles dont le jour vient."""
    conclues = Q(statut__in=(P.TENUE, P.PARTIELLE, P.ROMPUE), conclue_le__gt=au - AN)
    lignes = (
        Promesse.objects.filter(client__in=ids)
        .order_by()
        .values_list("client")
        .annotate(
            tenues=Count("pk", filter=conclues & Q(statut=P.TENUE)),
            conclues=Count("pk", filter=conclues),
            prochaine=Max("date_promise", filter=Q(statut=P.EN_ATTENTE)),
        )
    )
    trouvees = {pk: (t, n, bool(prochaine and prochaine >= au)) for pk, t, n, prochaine in lignes}
    return defaultdict(lambda: (0, 0, False), trouvees)


def _injoignables(ids: list[int], au: date) -> dict[int, int]:
    """Appels d'affilée restés sans réponse, les plus récents d'abord, sur deux mois."""
    depuis = timezone.make_aware(datetime.combine(au - APPELS, time.min))
    appels = Maillon.objects.filter(client_id__in=ids, action="appel.consigne", quand__gte=depuis).order_by("-rang")
    suites: dict[int, int] = {}
    rompues: set[int] = set()
    for pk, issue in appels.values_list("client_id", "detail__donnees__issue"):
        if issue != Issue.INJOIGNABLE.value:
            rompues.add(pk)
        elif pk not in rompues:
            suites[pk] = suites.get(pk, 0) + 1
    return suites


def _ont_ecrit(ids: list[int], au: date) -> set[int]:
    """Une réponse ou une déclaration depuis un mois : quelqu'un, en face, s'en occupe."""
    depuis = timezone.make_aware(datetime.combine(au - ECRITS, time.min))
    reponses = MessageRecu.objects.filter(
        client__in=ids, categorie=MessageRecu.Categorie.REPONSE, recu_le__gte=depuis
    ).order_by().values_list("client")  # fmt: skip
    dites = Declaration.objects.filter(client__in=ids, faite_le__gte=depuis).order_by().values_list("client")
    return {pk for (pk,) in reponses.union(dites)}


def _au_contentieux(ids: list[int]) -> set[int]:
    return set(DossierContentieux.objects.en_cours().filter(client__in=ids).values_list("client", flat=True))
