"""De la base aux faits que juge `domaine.echelle` : un nombre fixe de requêtes par lot de clients."""

from collections import defaultdict
from collections.abc import Iterable, Iterator
from datetime import date, datetime, timedelta
from functools import lru_cache, partial

from django.db.models import Case, Exists, F, Max, OuterRef, Q, Sum, Value, When
from django.db.models.functions import Coalesce

from clients.models import Client, Contact, Suspension
from factures.domaine.calendrier import DERNIER_JOUR, jour_ouvre_suivant
from factures.models import Avoir, Echeance, Encaissement, Exclusion, Litige, MouvementBancaire, Promesse
from factures.services.procedures import posterieures
from factures.services.sources import phrase_de_retard, sources_en_retard
from recouvrement.comptes.models import Societe
from relances.domaine.echelle import TEMPORELS, ClientFaits, EcheanceFaits, Reglages
from relances.domaine.freins import FE_SUIVIS
from relances.domaine.natures import AMIABLES, Canal, Nature
from relances.domaine.verdicts import LEVABLES
from relances.models import Courrier, Echelle, LeveeDeFrein, Relance, Verdict

from .plans import Plans
from .retenues_reponses import fin_de_retenue, parts_contestees
from .sms import joignables as joignables_par_sms
from .termes import fins_d_echeanciers

TOLERANCE_PROMESSE = 2  # jours ouvrés ; exigences.md § 2.9
NATURES = {n.value: n for n in Nature}


def ouvreur(societe: Societe):
    """jour -> jour ouvré égal ou suivant, mémorisé : une nuit pose la même question cent mille fois."""
    return _ouvreur(societe.region_feries)


@lru_cache(maxsize=4)
def _ouvreur(region: str):
    return lru_cache(maxsize=4096)(partial(jour_ouvre_suivant, region=region))


def donnees_perimees(societe: Societe, moment: datetime) -> bool:
    """Exigence 1 : une société alimentée par import, ou par des sources, ne relance pas sur des données périmées."""
    return bool(raison_perimees(societe, moment))


def raison_perimees(societe: Societe, moment: datetime) -> str:
    """Pourquoi les données sont périmées : import trop vieux, ou source en retard ; vide si elles sont fraîches."""
    limite = moment - timedelta(hours=societe.fraicheur_heures)
    if societe.alimentee_par_import and (societe.dernier_import_le is None or societe.dernier_import_le < limite):
        return f"dernier import de plus de {societe.fraicheur_heures} h"
    return phrase_de_retard(sources_en_retard(societe, moment))


def reglages(societe: Societe, *, freins: bool = True, moment: datetime | None = None) -> Reglages:
    """Réglages du passage. moment : heure où l'on juge, pour dire si le grand livre est périmé (exigence 1)."""
    return Reglages(
        seuil_credit=societe.seuil_credit_non_affecte,
        max_amiables=societe.max_amiables,
        freins=freins,
        societe_complete=not societe.manques(),
        donnees_perimees=moment is not None and donnees_perimees(societe, moment),
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
        particulieres = sorted({plan.version for plan in plans.par_client.values()})
        affectations = [When(client_id__in=_affectes(societe, v), then=Value(v)) for v in particulieres]
        version = Case(*affectations, default=version)
    stable = Verdict.objects.filter(
        echeance=OuterRef("pk"), au=None, code__in=TEMPORELS, version=OuterRef("version_du_client")
    ).filter(Q(prochaine=None) | Q(prochaine__gt=au))
    dort = Exists(stable) & Q(en_contentieux=False, client__jugement_ouverture_le=None, client__surendettement=False)
    return ouvertes.annotate(version_du_client=version).exclude(dort)


def _affectes(societe: Societe, version: int):
    """Clients que cette version juge, en sous-requête (des milliers d'identifiants ne se citent pas) ; même règle
    que `plans.meme_droit`."""
    meme_droit = Q(echelle__type_debiteur=F("client__type")) | Q(
        echelle__type_debiteur="entreprise", client__type="a_qualifier"
    )
    liens = Echelle.clients.through.objects.filter(meme_droit, echelle__societe=societe, echelle__versions=version)
    return liens.values("client_id")


def _plus(jour: date, n: int) -> date:
    return date.fromordinal(jour.toordinal() + n)


CHAMPS = (
    "id", "facture_id", "date_facture", "date_echeance", "montant", "impute", "devise", "niveau", "niveau_rang",
    "niveau_version", "niveau_le", "prelevement", "prelevement_rejete", "en_contentieux", "client_id",
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
    avance = max((-p.delai for plan in plans.tous() for p in plan.paliers if p.delai < 0), default=0)
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
    clients = list(Client.objects.filter(pk__in=ids))
    complements = _complements(ids, au=au, ouvre=ouvre)
    complements.sms = joignables_par_sms(societe, clients, au=au)
    if clos := [c.pk for c in clients if c.procedure_cloturee_le]:
        for pk in posterieures(clients=clos):
            complements.pieces[pk]["posterieure"] = True
    return [
        ClientFaits(
            id=c.pk,
            type=c.type,
            echeances=tuple(_echeance(x, complements, preleve=c.prelevement) for x in lignes[c.pk]),
            suspendu_jusqu_au=complements.suspensions.get(c.pk, (None, ""))[0],
            motif_suspension=complements.suspensions.get(c.pk, (None, ""))[1],
            reponse_jusqu_au=complements.reponses.get(c.pk),
            jugement=c.jugement_ouverture_le,
            procedure_close=c.procedure_cloturee_le,
            surendettement=c.surendettement,
            sans_appel=c.ne_pas_appeler_le is not None,
            credits=complements.credits.get(c.pk, {}),
            presumes=complements.presumes.get(c.pk, {}),
            echu=complements.echus.get(c.pk, {}),
            reserves=tuple(complements.reserves.get(c.pk, ())),
            canaux=_canaux(c, complements),
            canaux_en_erreur=_canaux_en_erreur(c, complements),
            dernier_contact=complements.contacts.get(c.pk),
            delai_entre_contacts=(
                societe.delai_entre_contacts if c.delai_entre_contacts is None else c.delai_entre_contacts
            ),
            regroupement=c.regroupement,
            langue=c.langue,
        )
        for c in clients
    ]


def _echeance(x: tuple, complements: "_Complements | None" = None, *, preleve: bool = False) -> EcheanceFaits:
    """preleve : le client est réglé par prélèvement, chaque pièce l'est sauf rejet constaté."""
    (id_, facture, df, de, montant, impute, devise, niveau, rang, version, le, marquee, rejetee, contentieux, _c) = x
    e = EcheanceFaits(
        id_, facture, df, de, montant - impute, devise, NATURES[niveau], rang, version, le,
        (marquee or preleve) and not rejetee, contentieux, paye=impute,
    )  # fmt: skip
    return e._replace(**plus) if complements and (plus := complements.echeance(e)) else e


def _canaux(c: Client, complements) -> frozenset[Canal]:
    canaux = {Canal.TACHE}
    if c.courriel_utilisable or c.pk in complements.courriels:
        canaux.add(Canal.COURRIEL)
    if c.adresse and c.ville and c.code_postal and not c.adresse_invalide_le:
        canaux |= {Canal.LETTRE, Canal.RECOMMANDE}
    if c.ne_pas_appeler_le is None and (c.telephone or c.pk in complements.telephones):
        canaux.add(Canal.APPEL)
    if c.pk in complements.sms:
        canaux.add(Canal.SMS)
    return frozenset(canaux)


def _canaux_en_erreur(c: Client, complements) -> tuple[tuple[Canal, date], ...]:
    """Canaux sans adresse utilisable parce que la leur est revenue, et depuis quand."""
    erreurs = []
    if c.pk not in complements.courriels and not c.courriel_utilisable:
        le = c.courriel_invalide_le or complements.courriels_invalides.get(c.pk)
        if le:
            erreurs.append((Canal.COURRIEL, le))
    if c.adresse_invalide_le:
        erreurs += [(Canal.LETTRE, c.adresse_invalide_le), (Canal.RECOMMANDE, c.adresse_invalide_le)]
    return tuple(erreurs)


class _Complements:
    """Ce qui retient, lu par lot : litiges, promesses, suspensions, crédits, contacts, envois en attente."""

    def __init__(self):
        self.suspensions, self.credits, self.echus, self.reserves = {}, {}, {}, {}
        self.presumes: dict[int, dict] = {}
        self.reponses: dict[int, date] = {}
        self.sms: set[int] = set()
        self.contacts, self.courriels, self.telephones, self.courriels_invalides = {}, set(), set(), {}
        # Par pièce : champs d'`EcheanceFaits` qui s'écartent de leur valeur par défaut.
        self.pieces: dict[int, dict] = defaultdict(dict)

    def echeance(self, e: EcheanceFaits) -> dict | None:
        champs = self.pieces.get(e.id)
        if champs and "conteste" in champs:
            champs["conteste"] = min(champs["conteste"], e.reste_du)
        return champs


PARTIS = (Courrier.Statut.ENVOYE, Courrier.Statut.POSTE)
SANS_EFFET = (Courrier.Statut.ANNULE, Courrier.Statut.EN_ERREUR)


def _complements(ids: list[int], *, au: date, ouvre) -> _Complements:
    c = _Complements()
    for pk, montant in Litige.objects.filter(clos_le=None, echeance__client__in=ids).values_list(
        "echeance", "montant_conteste"
    ):
        c.pieces[pk]["conteste"] = montant
    for pk, part in parts_contestees(ids, au).items():
        c.pieces[pk]["conteste"] = max(part, c.pieces[pk].get("conteste", part))
    promises = Promesse.objects.filter(client__in=ids, statut=Promesse.Statut.EN_ATTENTE)
    for pk, jour in promises.values_list("echeances", "date_promise"):
        if pk:
            _au_plus_tard(c.pieces[pk], "promesse_jusqu_au", fin_de_promesse(jour, ouvre))
    for client, fin, motif in (
        Suspension.objects.en_cours(au).filter(client__in=ids).order_by("au").values_list("client", "au", "motif")
    ):
        c.suspensions[client] = (fin, motif)
    c.reponses = fin_de_retenue(ids, au)
    ouverts = [
        modele.objects.filter(client__in=ids, impute__lt=F("montant"))
        .order_by()
        .values_list("client", "devise")
        .annotate(reste=Sum(F("montant") - F("impute")))
        for modele in (Encaissement, Avoir)
    ]
    c.credits = _par_client(x for qs in ouverts for x in qs)
    # Une somme qui attend en banque retient aussi : celui qu'elle désigne a sans doute payé (exigence 2).
    attendues = MouvementBancaire.objects.filter(client_presume__in=ids, statut="a_rapprocher", montant__gt=0)
    c.presumes = _par_client(
        attendues.order_by().values_list("client_presume", "devise").annotate(reste=Sum(F("montant") - F("reparti")))
    )
    c.contacts = dict(
        Courrier.objects.filter(client__in=ids)
        .exclude(statut__in=SANS_EFFET)
        .order_by()
        .values_list("client")
        .annotate(dernier=Max(Coalesce("depose_le", "arrete_au")))
        .filter(dernier__isnull=False)
    )
    for client, courriel, telephone, invalide_le, muet in Contact.objects.filter(
        client__in=ids, recoit_relances=True
    ).values_list("client", "courriel", "telephone", "invalide_le", "ne_pas_appeler"):
        if invalide_le:
            c.courriels_invalides[client] = max(invalide_le, c.courriels_invalides.get(client, invalide_le))
            continue
        if courriel:
            c.courriels.add(client)
        if telephone and not muet:
            c.telephones.add(client)
    _relances(c, ids)
    _freins_des_pieces(c, ids, au=au)
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


def _au_plus_tard(champs: dict, nom: str, jour: date) -> None:
    champs[nom] = max(jour, champs.get(nom, jour))


def _relances(c: _Complements, ids: list[int]) -> None:
    """Ce que les relances passées disent des pièces ouvertes : envoi en attente, amiables, formalisation partie."""
    relances = Relance.objects.filter(echeance__client__in=ids, echeance__impute__lt=F("echeance__montant"))
    formalisees, formalisations = set(), set()
    for pk, nature, statut, parti in relances.values_list("echeance", "nature", "statut", "courrier__statut"):
        if statut == Relance.Statut.DECIDEE:
            c.pieces[pk]["envoi_en_attente"] = True
        if statut in Relance.VIVANTES and nature in AMIABLES:
            c.pieces[pk]["amiables"] = c.pieces[pk].get("amiables", 0) + 1
        if nature == Nature.FORMALISATION:
            formalisations.add(pk)
            if statut == Relance.Statut.ENVOYEE and parti in PARTIS:
                formalisees.add(pk)
    for pk in formalisations - formalisees:
        c.pieces[pk]["formalisation_manquante"] = True


def _freins_des_pieces(c: _Complements, ids: list[int], *, au: date) -> None:
    """Exclusions, échéanciers, statuts de facture électronique et freins levés pour la nuit."""
    for pk, fin, motif in (
        Exclusion.objects.en_cours(au).filter(echeance__client__in=ids).order_by("au")
        .values_list("echeance", "au", "motif")
    ):  # fmt: skip
        c.pieces[pk].update(exclue_jusqu_au=fin, motif_exclusion=motif)
    for pk, code, le in (
        Echeance.objects.ouvertes().filter(client__in=ids, facture__statut_fe__in=FE_SUIVIS)
        .values_list("pk", "facture__statut_fe", "facture__statut_fe_le")
    ):  # fmt: skip
        c.pieces[pk].update(statut_fe=code, statut_fe_le=le)
    cedees = Echeance.objects.ouvertes().filter(client__in=ids, facture__client__in=ids, facture__affacturee=True)
    for pk in cedees.values_list("pk", flat=True):  # index partiel : presque toujours rien
        c.pieces[pk]["affacturee"] = True
    for pk, frein in (
        LeveeDeFrein.objects.effectives(au).filter(echeance__client__in=ids).values_list("echeance", "frein")
    ):
        lever_pour(c.pieces[pk], frein)
    for pk, nom, fin in fins_d_echeanciers(ids, c.credits, au=au):
        _au_plus_tard(c.pieces[pk], nom, fin)


def lever_pour(champs: dict, frein: str) -> None:
    champs["leves"] = champs.get("leves", frozenset()) | {m for m in LEVABLES if m.value == frein}


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
