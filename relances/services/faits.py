"""De la base aux faits que juge `domaine.echelle` : un nombre fixe de requêtes par lot de clients."""

from collections import defaultdict
from collections.abc import Iterable, Iterator
from datetime import date, datetime, timedelta
from functools import lru_cache, partial

from django.db.models import Case, Exists, F, Max, OuterRef, Q, Sum, Value, When
from django.db.models.functions import Coalesce

from clients.models import Client, Contact, Suspension
from factures.domaine.calendrier import DERNIER_JOUR, jour_ouvre_suivant
from factures.models import Avoir, Echeance, Encaissement, Litige, Promesse
from recouvrement.comptes.models import Societe
from relances.domaine.echelle import TEMPORELS, ClientFaits, EcheanceFaits, Reglages
from relances.domaine.natures import AMIABLES, Canal, Nature
from relances.models import Courrier, Relance, Verdict

from .plans import Plans

TOLERANCE_PROMESSE = 2  # jours ouvrés ; exigences.md § 2.9
NATURES = {n.value: n for n in Nature}


def ouvreur(societe: Societe):
    """jour -> jour ouvré égal ou suivant, mémorisé : une nuit pose la même question cent mille fois."""
    return _ouvreur(societe.region_feries)


@lru_cache(maxsize=4)
def _ouvreur(region: str):
    return lru_cache(maxsize=4096)(partial(jour_ouvre_suivant, region=region))


def donnees_perimees(societe: Societe, moment: datetime) -> bool:
    """Exigence 1 : une société alimentée par import ne relance pas sur un grand livre périmé."""
    if not societe.alimentee_par_import:
        return False
    limite = moment - timedelta(hours=societe.fraicheur_heures)
    return societe.dernier_import_le is None or societe.dernier_import_le < limite


def reglages(societe: Societe, *, freins: bool = True) -> Reglages:
    return Reglages(
        seuil_credit=societe.seuil_credit_non_affecte,
        max_amiables=societe.max_amiables,
        freins=freins,
        societe_complete=not societe.manques(),
    )


def fin_de_promesse(jour: date, ouvre) -> date:
    """Dernier jour de la tolérance : la date promise plus deux jours ouvrés. Ne lève jamais."""
    jour = min(jour, DERNIER_JOUR)
    for _ in range(TOLERANCE_PROMESSE):
        jour = ouvre(jour + timedelta(days=1))
    return jour


def candidates(societe: Societe, plans: Plans, *, au: date, avance: int = 0):
    """Échéances ouvertes et échues dont le verdict peut avoir changé.

    Un verdict « attente » ou « échelle terminée » ne dépend que du calendrier, du niveau et du plan : on ne
    relit pas la pièce avant sa prochaine date tant que la version du plan est la même. Les autres
    verdicts se rejugent chaque nuit.
    """
    ouvertes = Echeance.objects.ouvertes().filter(societe=societe, date_echeance__lt=_plus(au, avance + (avance > 0)))
    version = Case(
        *[When(client__type=t, then=Value(p.version)) for t, p in plans.par_type.items()],
        *([When(client__type="a_qualifier", then=Value(plans.par_type["entreprise"].version))]
          if "entreprise" in plans.par_type else []),
        default=Value(0),
    )  # fmt: skip
    if plans.par_client:
        version = Case(
            *[When(client_id=c, then=Value(p.version)) for c, p in plans.par_client.items()], default=version
        )
    stable = Verdict.objects.filter(
        echeance=OuterRef("pk"), au=None, code__in=TEMPORELS, version=OuterRef("version_du_client")
    ).filter(Q(prochaine=None) | Q(prochaine__gt=au))
    dort = Exists(stable) & Q(en_contentieux=False, client__jugement_ouverture_le=None, client__surendettement=False)
    return ouvertes.annotate(version_du_client=version).exclude(dort)


def _plus(jour: date, n: int) -> date:
    return date.fromordinal(jour.toordinal() + n)


CHAMPS = (
    "id", "facture_id", "date_facture", "date_echeance", "montant", "impute", "devise", "niveau", "niveau_rang",
    "niveau_version", "niveau_le", "prelevement", "en_contentieux", "client_id",
)  # fmt: skip


def _par_client(qs, *, somme="reste") -> dict[int, dict]:
    resultat: dict[int, dict] = defaultdict(dict)
    for client, devise, montant in qs:
        resultat[client][devise] = resultat[client].get(devise, 0) + montant
    return resultat


def faits_par_client(
    societe: Societe,
    plans: Plans,
    *,
    au: date,
    ouvre,
    clients: Iterable[int] | None = None,
    lot: int = 2000,
    freins: bool = True,
    toutes: bool = False,
) -> Iterator[list[ClientFaits]]:
    """Lots de clients entiers, prêts à juger. clients : limite à ceux-là. toutes : ne saute aucun verdict."""
    avance = max((-p.delai for plan in {*plans.par_type.values(), *plans.par_client.values()}
                  for p in plan.paliers if p.delai < 0), default=0)  # fmt: skip
    if toutes:
        base = Echeance.objects.ouvertes().filter(societe=societe, date_echeance__lt=_plus(au, avance + (avance > 0)))
    else:
        base = candidates(societe, plans, au=au, avance=avance)
    if clients is not None:
        base = base.filter(client_id__in=list(clients))
    ids = list(base.order_by("client_id").values_list("client_id", flat=True).distinct())
    for debut in range(0, len(ids), lot):
        yield _lot(base, ids[debut : debut + lot], au=au, ouvre=ouvre, freins=freins, societe=societe)


def _lot(base, ids: list[int], *, au: date, ouvre, freins: bool, societe: Societe) -> list[ClientFaits]:
    """`ids` : clés croissantes. L'intervalle qu'elles bornent suit l'index de l'ouvert, mille clés citées non."""
    lignes: dict[int, list[tuple]] = defaultdict(list)
    a_juger = base.filter(client__gte=ids[0], client__lte=ids[-1]).order_by("client_id", "date_echeance", "id")
    for x in a_juger.values_list(*CHAMPS):
        lignes[x[-1]].append(x)
    ids = list(lignes)  # à l'instant de la lecture : une pièce a pu arriver, ou se solder, depuis la liste
    if not freins:
        tous = frozenset(Canal)
        types = dict(Client.objects.filter(pk__in=ids).values_list("pk", "type"))
        return [ClientFaits(c, types[c], tuple(_echeance(x) for x in xs), canaux=tous) for c, xs in lignes.items()]
    complements = _complements(ids, au=au, ouvre=ouvre)
    return [
        ClientFaits(
            id=c.pk,
            type=c.type,
            echeances=tuple(_echeance(x, **complements.echeance(x[0])) for x in lignes[c.pk]),
            suspendu_jusqu_au=complements.suspensions.get(c.pk, (None, ""))[0],
            motif_suspension=complements.suspensions.get(c.pk, (None, ""))[1],
            jugement=c.jugement_ouverture_le,
            surendettement=c.surendettement,
            credits=complements.credits.get(c.pk, {}),
            echu=complements.echus.get(c.pk, {}),
            reserves=tuple(complements.reserves.get(c.pk, ())),
            canaux=_canaux(c, complements),
            dernier_contact=complements.contacts.get(c.pk),
            delai_entre_contacts=(
                societe.delai_entre_contacts if c.delai_entre_contacts is None else c.delai_entre_contacts
            ),
            regroupement=c.regroupement,
            langue=c.langue,
        )
        for c in Client.objects.filter(pk__in=ids)
    ]


def _echeance(
    x: tuple, conteste=None, promesse=None, en_attente=False, amiables=0, formalisation_manquante=False
) -> EcheanceFaits:
    (id_, facture, df, de, montant, impute, devise, niveau, rang, version, le, prelevement, contentieux, _c) = x
    return EcheanceFaits(
        id_, facture, df, de, montant - impute, devise, NATURES[niveau], rang, version, le, prelevement, contentieux,
        min(conteste, montant - impute) if conteste else EcheanceFaits._field_defaults["conteste"],
        promesse, en_attente, amiables, formalisation_manquante,
    )  # fmt: skip


def _canaux(c: Client, complements) -> frozenset[Canal]:
    canaux = {Canal.TACHE}
    if c.courriel_utilisable or c.pk in complements.courriels:
        canaux.add(Canal.COURRIEL)
    if c.adresse and c.ville and c.code_postal and not c.adresse_invalide_le:
        canaux |= {Canal.LETTRE, Canal.RECOMMANDE}
    if c.telephone or c.pk in complements.telephones:
        canaux.add(Canal.APPEL)
    return frozenset(canaux)


class _Complements:
    """Ce qui retient, lu par lot : litiges, promesses, suspensions, crédits, contacts, envois en attente."""

    def __init__(self):
        self.litiges, self.promesses, self.suspensions, self.credits = {}, {}, {}, {}
        self.contacts, self.courriels, self.telephones = {}, set(), set()
        self.en_attente, self.amiables = set(), {}
        self.formalisees, self.formalisations = set(), set()
        self.echus, self.reserves = {}, {}

    def echeance(self, pk: int) -> dict:
        return {
            "conteste": self.litiges.get(pk),
            "promesse": self.promesses.get(pk),
            "en_attente": pk in self.en_attente,
            "amiables": self.amiables.get(pk, 0),
            "formalisation_manquante": pk in self.formalisations and pk not in self.formalisees,
        }


PARTIS = (Courrier.Statut.ENVOYE, Courrier.Statut.POSTE)
SANS_EFFET = (Courrier.Statut.ANNULE, Courrier.Statut.EN_ERREUR)


def _complements(ids: list[int], *, au: date, ouvre) -> _Complements:
    c = _Complements()
    c.litiges = dict(
        Litige.objects.filter(clos_le=None, echeance__client__in=ids).values_list("echeance_id", "montant_conteste")
    )
    promises = Promesse.objects.filter(client__in=ids, statut=Promesse.Statut.EN_ATTENTE)
    for pk, jour in promises.values_list("echeances", "date_promise"):
        if pk:
            fin = fin_de_promesse(jour, ouvre)
            c.promesses[pk] = max(fin, c.promesses.get(pk, fin))
    for client, fin, motif in (
        Suspension.objects.en_cours(au).filter(client__in=ids).order_by("au").values_list("client", "au", "motif")
    ):
        c.suspensions[client] = (fin, motif)
    ouverts = [
        modele.objects.filter(client__in=ids, impute__lt=F("montant"))
        .order_by()
        .values_list("client", "devise")
        .annotate(reste=Sum(F("montant") - F("impute")))
        for modele in (Encaissement, Avoir)
    ]
    c.credits = _par_client(x for qs in ouverts for x in qs)
    c.contacts = dict(
        Courrier.objects.filter(client__in=ids)
        .exclude(statut__in=SANS_EFFET)
        .order_by()
        .values_list("client")
        .annotate(dernier=Max(Coalesce("depose_le", "arrete_au")))
        .filter(dernier__isnull=False)
    )
    for client, courriel, telephone in Contact.objects.filter(
        client__in=ids, recoit_relances=True, invalide_le=None
    ).values_list("client", "courriel", "telephone"):
        if courriel:
            c.courriels.add(client)
        if telephone:
            c.telephones.add(client)
    relances = Relance.objects.filter(echeance__client__in=ids, echeance__impute__lt=F("echeance__montant"))
    for pk, nature, statut, parti in relances.values_list("echeance", "nature", "statut", "courrier__statut"):
        vivante = statut in Relance.VIVANTES
        if statut == Relance.Statut.DECIDEE:
            c.en_attente.add(pk)
        if vivante and nature in AMIABLES:
            c.amiables[pk] = c.amiables.get(pk, 0) + 1
        if nature == Nature.FORMALISATION:
            c.formalisations.add(pk)
            if statut == Relance.Statut.ENVOYEE and parti in PARTIS:
                c.formalisees.add(pk)
    echus = (
        Echeance.objects.ouvertes()
        .filter(client__in=ids, date_echeance__lt=au)
        .order_by()
        .values_list("client", "devise")
        .annotate(reste=Sum(F("montant") - F("impute")))
    )
    c.echus = _par_client(echus)
    c.reserves = credits_reserves(ids)
    return c


def credits_reserves(clients: Iterable[int], *, sauf: int | None = None) -> dict[int, list[tuple]]:
    """{client: [(devise, montant, pièces)]} des crédits déduits de courriers encore en vigueur.

    Un courrier est en vigueur pour une pièce ouverte tant qu'il porte son palier le plus haut. sauf : courrier à
    ne pas compter (celui qu'on prépare).
    """
    en_vigueur = (
        Relance.objects.filter(
            echeance__client__in=list(clients),
            statut__in=Relance.VIVANTES,
            nature=F("echeance__niveau"),
            courrier__credits__gt=0,
            echeance__impute__lt=F("echeance__montant"),
        )
        .exclude(courrier__statut=Courrier.Statut.TACHE)
        .exclude(courrier=sauf)
    )
    par_courrier: dict[int, tuple] = {}
    for courrier, client, devise, montant, piece in en_vigueur.values_list(
        "courrier", "echeance__client", "courrier__devise", "courrier__credits", "echeance"
    ):
        par_courrier.setdefault(courrier, (client, devise, montant, set()))[3].add(piece)
    reserves: dict[int, list[tuple]] = defaultdict(list)
    for client, devise, montant, pieces in par_courrier.values():
        reserves[client].append((devise, montant, frozenset(pieces)))
    return reserves
