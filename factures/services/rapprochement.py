"""Rapprocher la banque : ce qu'un relevé importé propose d'encaisser. Rien ne se décide, sauf ce qu'une règle dit.

Les postes ouverts se lisent une fois, quel que soit le nombre de mouvements. Le moteur est pur
(`factures.domaine.rapprochement`). Ce qu'une personne accepte : `rapprochement_gestes` ; un rejet : `rejets`.
"""

from collections import defaultdict
from collections.abc import Iterable
from datetime import timedelta
from decimal import Decimal

from django.db import transaction
from django.db.models import F, Q, QuerySet
from django.utils import timezone
from rapidfuzz.fuzz import ratio

from clients.models import Client, IbanClient
from recouvrement.commun import bloc
from recouvrement.commun.champs import en_centimes
from recouvrement.comptes.models import Societe
from recouvrement.journal.services import consigner

from ..domaine import rapprochement_texte as lecture
from ..domaine.rapprochement import AvoirLibre, Fiche, GrandLivre, Poste, Recu, Suggestion, Tolerances
from ..models import (
    Avoir,
    Echeance,
    Encaissement,
    MouvementBancaire,
    NatureMouvement,
    ReglageRapprochement,
    RegleRapprochement,
    SuggestionRapprochement,
)
from .rejets import origines_possibles

A_RAPPROCHER = MouvementBancaire.Statut.A_RAPPROCHER
PRESUME = 60  # pour cent ; au-delà, la somme qui attend retient la relance de ce client
DEJA_JOURS = 3  # écart admis entre la date d'un encaissement saisi ou importé et celle de la banque
CONSTAT_JOURS = (
    45  # le même, pour un règlement constaté par un état de postes ouverts : daté de l'état, pas du paiement
)
DEJA_JUSTE, DEJA_VOISIN, DEJA_SEUL = 98, 92, 70
Proposees = list[tuple[int | None, int, dict, list[dict]]]


def reglage(societe: Societe | int) -> ReglageRapprochement:
    """Celui de la société, ou les valeurs par défaut, non enregistrées."""
    cle = getattr(societe, "pk", societe)
    trouve = ReglageRapprochement.objects.filter(societe=cle).first()
    if trouve is None:
        trouve = ReglageRapprochement(societe_id=cle)
        trouve.ecart_tolere, trouve.frais_toleres = Decimal("0.05"), Decimal("0.00")
    return trouve


def sens_a_rapprocher() -> Q:
    """Ce que la file montre : tout crédit, et les débits qui reviennent sur un encaissement."""
    return Q(montant__gt=0) | Q(nature=NatureMouvement.REJET) | ~Q(motif_rejet="")


def en_attente(societe_id: int) -> QuerySet:
    return MouvementBancaire.objects.filter(sens_a_rapprocher(), societe=societe_id, statut=A_RAPPROCHER)


def apres_import(societe_id: int, lot_id: int | None) -> None:
    """Appelée une fois un relevé écrit : propose, puis rapproche seul ce que la société permet."""
    from .rapprochement_certains import accepter_les_certains

    societe = Societe.objects.get(pk=societe_id)
    if suggerer(societe) and reglage(societe).automatique:
        accepter_les_certains(societe, au=timezone.localdate(), acteur=None, automatique=True)


@transaction.atomic
def suggerer(societe: Societe, *, mouvements: Iterable[int] | None = None) -> int:
    """Recalcule les suggestions des mouvements qui attendent (ou de ceux-là) ; renvoie combien en ont été lus.

    Une dizaine de requêtes, plus les écritures par paquets.
    """
    attente = en_attente(societe.pk)
    if mouvements is not None:
        attente = attente.filter(pk__in=list(mouvements))
    if not attente.exists():
        return 0
    Societe.objects.select_for_update(no_key=True).get(pk=societe.pk)
    lignes = list(attente.order_by("pk"))
    lignes = _ecarter_selon_les_regles(societe, lignes)
    regle = reglage(societe)
    tolerances = Tolerances(en_centimes(regle.ecart_tolere), en_centimes(regle.frais_toleres))
    livre = charger(societe.pk)
    deja = _deja_enregistres(societe.pk, lignes)
    retours = origines_possibles(societe.pk, [m for m in lignes if m.montant < 0])
    nouvelles, moment = [], timezone.now()
    for m in lignes:
        if m.montant < 0:
            proposees, m.client_presume_id = retours.get(m.pk, []), None
        else:
            recu = en_recu(m)
            suggestions = livre.suggerer(recu, tolerances)
            proposees, m.client_presume_id = _reunir(suggestions, deja.get(m.pk, ()), livre, recu)
        m.confiance = proposees[0][1] if proposees else 0
        nouvelles += [
            (m.pk, rang, client, c, parts, raisons) for rang, (client, c, parts, raisons) in enumerate(proposees[:3], 1)
        ]
    SuggestionRapprochement.objects.filter(
        mouvement__societe=societe, mouvement__in=[m.pk for m in lignes] if mouvements is not None else attente
    ).delete()
    champs = ["mouvement_id", "rang", "client_id", "confiance", "parts", "raisons"]
    bloc.inserer(SuggestionRapprochement, champs, nouvelles)
    champs = ["client_presume_id", "confiance", "suggere_le"]
    bloc.modifier(MouvementBancaire, champs, [(m.pk, m.client_presume_id, m.confiance, moment) for m in lignes])
    return len(lignes)


def en_recu(m: MouvementBancaire) -> Recu:
    reste = en_centimes(m.montant - m.reparti)
    return Recu(m.pk, reste, m.devise, m.date, m.libelle, m.reference, m.contrepartie, m.contrepartie_iban)


def charger(societe_id: int) -> GrandLivre:
    """Les postes ouverts d'une société, indexés. Cinq requêtes."""
    postes = (
        Echeance.objects.ouvertes()
        .filter(societe=societe_id, facture__affacturee=False)
        .order_by()
        .values_list(
            "pk", "client_id", "facture_id", "facture__numero", "montant", "impute", "date_facture", "date_echeance",
            "devise",
        )
    )  # fmt: skip
    avoirs = Avoir.objects.filter(societe=societe_id, impute__lt=F("montant")).order_by("date_emission", "pk")
    fiches = Client.objects.filter(societe=societe_id).order_by("pk")
    ibans = IbanClient.objects.filter(client__societe=societe_id).values_list("iban", "client_id", "tiers")
    regles = RegleRapprochement.objects.filter(societe=societe_id, active=True, action="client")
    return GrandLivre(
        (
            Poste(pk, client, facture, numero, _c(montant) - _c(impute), emission, terme, devise, _c(montant))
            for pk, client, facture, numero, montant, impute, emission, terme, devise in postes.iterator(10_000)
        ),
        (
            AvoirLibre(pk, client, numero, _c(montant) - _c(impute), devise)
            for pk, client, numero, montant, impute, devise in avoirs.values_list(
                "pk", "client_id", "numero", "montant", "impute", "devise"
            )
        ),
        (
            Fiche(pk, nom, (int(taux * 100), jours or 0) if taux else (0, 0))
            for pk, nom, taux, jours in fiches.values_list("pk", "raison_sociale", "escompte_taux", "escompte_jours")
        ),
        ibans,
        regles.values_list("nom", "contient", "client_id"),
        ressemblance=ratio,
    )


def _c(montant: Decimal) -> int:
    return int(montant.scaleb(2))


def _ecarter_selon_les_regles(societe: Societe, lignes: list[MouvementBancaire]) -> list[MouvementBancaire]:
    """« Ce libellé, sans rapport avec un client » : écarté avec le nom de la règle, jamais effacé."""
    regles = RegleRapprochement.objects.filter(societe=societe, active=True, action="ignorer").order_by("rang", "pk")
    motifs = [(r.nom, "".join(lecture.fragments(r.contient))) for r in regles]
    if not motifs:
        return lignes
    gardees, ecartees = [], []
    for m in lignes:
        serre = "".join(lecture.fragments(f"{m.reference} {m.libelle} {m.contrepartie}"))
        nom = next((nom for nom, motif in motifs if motif and motif in serre), "") if not m.reparti else ""
        if nom:
            m.statut, m.motif, m.automatique, m.traite_le = m.Statut.IGNORE, nom[:200], True, timezone.now()
            m.client_presume_id, m.confiance = None, 0
            ecartees.append(m)
        else:
            gardees.append(m)
    if ecartees:
        champs = ["statut", "motif", "automatique", "traite_le", "client_presume_id", "confiance"]
        valeurs = [(m.pk, *(getattr(m, nom) for nom in champs)) for m in ecartees]
        bloc.modifier(MouvementBancaire, champs, valeurs)
        consigner(
            "rapprochement.ecartes",
            societe=societe,
            texte=", ".join(sorted({m.motif for m in ecartees}))[:200],
            donnees={"mouvements": [m.pk for m in ecartees]},
        )
    return gardees


# --- Déjà enregistré -------------------------------------------------------------------------------


def _deja_enregistres(societe_id: int, lignes: list[MouvementBancaire]) -> dict[int, list[Encaissement]]:
    """{mouvement: encaissements de même montant, à quelques jours près, qu'aucun mouvement ne porte encore}."""
    credits = [m for m in lignes if m.montant > 0 and not m.reparti]
    if not credits:
        return {}
    large = timedelta(days=CONSTAT_JOURS)
    libres = Encaissement.objects.filter(
        societe=societe_id, mouvement=None, rejete_le=None, date__gte=min(m.date for m in credits) - large,
        date__lte=max(m.date for m in credits) + large,
    ).select_related("client")  # fmt: skip
    par_somme: dict[tuple[str, Decimal], list[Encaissement]] = defaultdict(list)
    for e in libres:
        par_somme[e.devise, e.montant].append(e)
    trouves: dict[int, list[Encaissement]] = {}
    for m in credits:
        proches = [e for e in par_somme.get((m.devise, m.montant), ()) if abs(e.date - m.date) <= _ecart(e)]
        if proches:
            trouves[m.pk] = sorted(proches, key=lambda e: (abs(e.date - m.date), e.pk))
    return trouves


def _ecart(e: Encaissement) -> timedelta:
    return timedelta(days=CONSTAT_JOURS if e.cle_source.startswith("POSTES:") else DEJA_JOURS)


def _reunir(suggestions: list[Suggestion], deja: Iterable[Encaissement], livre: GrandLivre, recu: Recu):
    """(propositions classées, client présumé). Un encaissement déjà là pèse déjà sur son compte."""
    proposees: Proposees = []
    deja = list(deja)
    designes = livre.designes(recu) if deja else {}
    for e in deja[:2]:
        nomme = designes.get(e.client_id, 0) >= 0.4 or bool(e.reference and e.reference in recu.libelle)
        autre = not nomme and any(c >= 0.8 for c in designes.values())
        note = DEJA_JUSTE if nomme and e.date == recu.date else DEJA_VOISIN if nomme else 20 if autre else DEJA_SEUL
        raison = {"code": "deja", "reference": e.reference, "date": e.date.isoformat(), "nomme": nomme}
        proposees.append((e.client_id, note // min(len(deja), 2), {"deja": e.pk}, [raison]))
    plafond = 100 - max((note for _c, note, _p, _r in proposees), default=0)
    for s in suggestions:
        proposees.append((s.client, min(s.confiance, plafond) if deja else s.confiance, s.parts, s.raisons))
    proposees.sort(key=lambda x: -x[1])
    presume = None
    if suggestions and suggestions[0].certitude >= PRESUME and not (proposees and "deja" in proposees[0][2]):
        presume = suggestions[0].client
    return proposees, presume


def perimer(clients: Iterable[int], *, sauf: int | None = None) -> None:
    """Retire les suggestions en attente que les pièces de ces clients ne portent plus. Quatre requêtes au plus."""
    touchees = list(
        SuggestionRapprochement.objects.filter(client__in=list(clients), mouvement__statut=A_RAPPROCHER)
        .exclude(mouvement=sauf)
        .select_related("mouvement")
    )
    mortes = perimees(touchees)
    if not mortes:
        return
    SuggestionRapprochement.objects.filter(pk__in=mortes).delete()
    mouvements = {s.mouvement_id: s.mouvement for s in touchees if s.pk in mortes}
    restantes = SuggestionRapprochement.objects.filter(mouvement__in=mouvements).order_by("mouvement", "rang")
    meilleures: dict[int, SuggestionRapprochement] = {}
    for s in restantes:
        meilleures.setdefault(s.mouvement_id, s)
    for pk, m in mouvements.items():
        m.confiance = meilleures[pk].confiance if pk in meilleures else 0
    MouvementBancaire.objects.bulk_update(mouvements.values(), ["confiance"], batch_size=300)


def perimees(suggestions: Iterable[SuggestionRapprochement]) -> set[int]:
    """Celles dont une pièce ne peut plus recevoir sa part, un avoir la donner, ou dont l'encaissement est pris."""
    suggestions = list(suggestions)
    pieces = {int(k) for s in suggestions for k in s.parts.get("echeances", ())}
    credits = {int(k) for s in suggestions for k in s.parts.get("avoirs", ())}
    connus = {s.parts[cle] for s in suggestions for cle in ("deja", "rejet") if cle in s.parts}
    restes = {
        pk: _c(montant) - _c(impute)
        for modele, cles in ((Echeance, pieces),) if cles
        for pk, montant, impute in modele.objects.filter(pk__in=cles).values_list("pk", "montant", "impute")
    }  # fmt: skip
    avoirs = (
        {pk: _c(m) - _c(i) for pk, m, i in Avoir.objects.filter(pk__in=credits).values_list("pk", "montant", "impute")}
        if credits
        else {}
    )
    libres = {}
    if connus:
        lus = Encaissement.objects.filter(pk__in=connus).values_list("pk", "mouvement", "rejete_le")
        libres = {pk: (mouvement is None, rejete is None) for pk, mouvement, rejete in lus}
    mortes = set()
    for s in suggestions:
        p = s.parts
        if (
            any(restes.get(int(k), 0) < v for k, v in p.get("echeances", {}).items())
            or any(avoirs.get(int(k), 0) < v for k, v in p.get("avoirs", {}).items())
            or ("deja" in p and not all(libres.get(p["deja"], (False, False))))
            or ("rejet" in p and not libres.get(p["rejet"], (False, False))[1])
        ):
            mortes.add(s.pk)
    return mortes


def est_certaine(m: MouvementBancaire, suggestions: list[SuggestionRapprochement], seuil: int) -> bool:
    """Au-dessus du seuil, sans rivale sérieuse, et sans rien laisser à imputer."""
    if not suggestions or suggestions[0].confiance < seuil or suggestions[0].parts.get("reste"):
        return False
    return m.montant > 0 and all(s.confiance <= 100 - seuil for s in suggestions[1:])
