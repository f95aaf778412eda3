"""Prescription de chaque facture : actes relevés dans la base, dates par `domaine.prescription` (exigence 37)."""

from collections import defaultdict
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass
from datetime import date

from django.db.models import Exists, Min, OuterRef, Q, QuerySet, Subquery, Value
from django.db.models.functions import Coalesce
from django.utils import timezone
from django.utils.translation import gettext as _

from clients.models import Client, TypeDebiteur
from contentieux.domaine import prescription as regle
from contentieux.domaine.prescription import Acte, Depart, Interruption, Prescription
from contentieux.donnees import natures
from contentieux.models import DossierContentieux, DossierEcheance
from contentieux.models import Interruption as ActeReleve
from factures.models import Accord, Echeance, Echeancier, Facture, Imputation
from relances.domaine.natures import Canal, Nature
from relances.models import Courrier, Relance

NATURE_PAR_TYPE = {
    TypeDebiteur.ENTREPRISE: "commerce",
    TypeDebiteur.PARTICULIER: "consommateur",
    TypeDebiteur.ADMINISTRATION: "public",
}
PUBLIQUE = NATURE_PAR_TYPE[TypeDebiteur.ADMINISTRATION]
ECRITES = (Canal.COURRIEL, Canal.LETTRE, Canal.RECOMMANDE)
LA_PLUS_COURTE = "consommateur"  # débiteur à qualifier : la durée prudente des trois
LOT = 2000  # lignes lues d'un coup
PARTIS = (Courrier.Statut.ENVOYE, Courrier.Statut.POSTE)


@dataclass(frozen=True)
class PrescriptionFacture:
    facture: Facture
    prescription: Prescription
    alerte: int | None  # 6, 3, 0 si la date d'origine est passée


def nature_de(client: Client, choisie: str = "") -> str:
    """Code de la table : celui que la personne a choisi, sinon celui du type de débiteur."""
    return choisie if choisie in natures() else NATURE_PAR_TYPE.get(client.type, LA_PLUS_COURTE)


def jour_du_courrier(courrier: Courrier) -> date | None:
    """Jour où il est parti : dépôt du recommandé, sinon envoi."""
    return courrier.depose_le or (courrier.envoye_le and timezone.localdate(courrier.envoye_le))


def pour_factures(factures: Iterable[Facture], *, au: date) -> list[PrescriptionFacture]:
    """Une prescription par facture, en un nombre fixe de requêtes pour toutes.

    Lève PrescriptionIndeterminee si la nature choisie n'a pas de durée.
    """
    factures = list(factures)
    ids = [f.pk for f in factures]
    exigibles, confiees, titres = _exigibilites(ids), _natures_des_dossiers(ids), _titres_des_dossiers(ids)
    tables = {f.pk: natures()[nature_de(f.client, f.nature_creance or confiees.get(f.pk, ""))] for f in factures}
    releves = _actes(ids, publiques={pk for pk, table in tables.items() if table.code == PUBLIQUE})
    resultat = []
    for facture in factures:
        choisie = facture.nature_creance or confiees.get(facture.pk, "")
        table = tables[facture.pk]
        depart, avertissements = regle.point_de_depart(
            table,
            execution=facture.date_execution,
            emission=facture.date_emission,
            exigibilite=exigibles.get(facture.pk, facture.date_emission),
            titre=facture.titre_le or titres.get(facture.pk),
        )
        if not choisie and facture.client.type == TypeDebiteur.A_QUALIFIER:
            avertissements = (*avertissements, _("Débiteur à qualifier : la durée la plus courte est retenue."))
        calcul = regle.calculer(table, depart, releves.get(facture.pk, ()), avertissements=avertissements)
        resultat.append(PrescriptionFacture(facture, calcul, calcul.alerte(au)))
    return resultat


def de_la_facture(facture: Facture, *, au: date) -> PrescriptionFacture:
    return pour_factures([facture], au=au)[0]


def du_dossier(dossier: DossierContentieux, *, au: date) -> list[PrescriptionFacture]:
    """Factures du dossier, la plus pressée d'abord."""
    ids = dossier.lignes.values_list("echeance__facture", flat=True)
    factures = Facture.objects.filter(pk__in=ids).select_related("client").order_by("date_emission", "pk")
    return sorted(pour_factures(factures, au=au), key=lambda p: (p.prescription.origine, p.facture.pk))


@dataclass(frozen=True, slots=True)
class Approche:
    """Une facture ouverte dont la date d'origine approche ou est passée."""

    facture: int
    client: int
    numero: str
    nature: str
    origine: date
    alerte: int


def approchent(factures: QuerySet[Facture], *, au: date) -> Iterator[Approche]:
    """Factures ouvertes en alerte au jour dit, lues en flux ; l'alerte ne regarde que la date d'origine.

    La base écarte ce qui est trop récent pour la durée de son débiteur ; la date exacte est refaite pièce par
    pièce. Un titre signifié a sa propre prescription : ses factures n'y sont plus. Une seule requête.
    """
    # La facture que sa seule date écarte n'est même pas lue ; une nature choisie peut avoir n'importe quelle durée.
    debut = Coalesce("date_execution", "date_emission")
    confiee = DossierEcheance.objects.filter(echeance__facture=OuterRef("pk"))
    seuils = Q(nature_creance__gt="") | Q(nature_du_dossier__gt="")
    for type_debiteur in TypeDebiteur.values:
        table = natures()[NATURE_PAR_TYPE.get(type_debiteur, LA_PLUS_COURTE)]
        seuils |= Q(client__type=type_debiteur, debut__lte=regle.depart_au_plus_tard(table, au))
    ouvertes = Echeance.objects.filter(facture=OuterRef("pk")).ouvertes()
    lues = (
        factures.annotate(
            debut=debut,
            titre=Coalesce(
                "titre_le",
                Subquery(
                    confiee.filter(dossier__signifiee_le__isnull=False)
                    .order_by("-pk")
                    .values("dossier__ordonnance_le")[:1]
                ),
            ),
            exigible=Subquery(ouvertes.order_by("date_echeance").values("date_echeance")[:1]),
            nature_du_dossier=Coalesce(
                Subquery(
                    confiee.exclude(dossier__nature_creance="").order_by("-pk").values("dossier__nature_creance")[:1]
                ),
                Value(""),
            ),
        )
        .filter(Exists(ouvertes), seuils)
        .exclude(Exists(confiee.filter(active=True, dossier__signifiee_le__isnull=False)))
        .order_by()
        .values_list(
            "pk", "client_id", "numero", "client__type", "nature_creance", "nature_du_dossier", "debut", "exigible",
            "date_emission", "titre",
        )
    )  # fmt: skip
    for pk, client, numero, type_debiteur, nature, confiee_comme, *dates in lues.iterator(LOT):
        depart, exigible, emission, titre = dates
        code = next((c for c in (nature, confiee_comme) if c in natures()), "")
        table = natures()[code or NATURE_PAR_TYPE.get(type_debiteur, LA_PLUS_COURTE)]
        if table.duree is None or table.depart is None:
            continue  # une nature sans durée se règle à l'écran : rien à compter
        departs = {Depart.EXIGIBILITE: exigible, Depart.TITRE: titre or emission}
        origine = regle.date_origine(table, departs.get(table.depart, depart))
        seuil = regle.alerte(origine, au)
        if seuil is not None:
            yield Approche(pk, client, numero, table.code, origine, seuil)


def _actes(factures: list[int], *, publiques: set[int]) -> Mapping[int, list[Interruption]]:
    """Actes relevés, paiements partiels, échéanciers, lettres et actes des dossiers ; la règle dit ce qui interrompt.

    publiques : factures d'une personne publique, où toute relance écrite et envoyée est une réclamation (loi 68-1250,
    art. 2).
    """
    actes: dict[int, list[Interruption]] = defaultdict(list)
    payees = (
        Imputation.objects.filter(echeance__facture__in=factures, avoir=None)
        .order_by()
        .values_list("echeance__facture", "encaissement__date", "encaissement__reference")
        .distinct()
    )
    for facture, jour, reference in payees:
        actes[facture].append(Interruption(jour, Acte.PAIEMENT_PARTIEL, reference))
    # Annulé, l'accord fut peut-être noté à tort : il ne prouve rien.
    acceptes = Echeancier.objects.filter(echeances__facture__in=factures).exclude(statut=Echeancier.Statut.ANNULE)
    for facture, jour in acceptes.order_by().values_list("echeances__facture", "accepte_le").distinct():
        if facture in factures:
            actes[facture].append(Interruption(jour, Acte.RECONNAISSANCE, _("échéancier accepté")))
    # Un accord signé reconnaît la dette (C. civ., art. 2240) ; l'échéancier est compté ci-dessus.
    signes = Accord.objects.filter(echeances__facture__in=factures, echeancier=None).exclude(
        Q(signe_le=None) | Q(statut=Accord.Statut.ANNULE)
    )
    champs = ("echeances__facture", "signe_le", "reference")
    for facture, moment, nom in signes.order_by().values_list(*champs).distinct():
        if facture in factures:
            note = _("accord %(accord)s signé") % {"accord": nom}
            actes[facture].append(Interruption(timezone.localdate(moment), Acte.RECONNAISSANCE, note))
    _lettres(factures, publiques, actes)
    for i in ActeReleve.objects.filter(facture__in=factures, annulee_le=None):
        actes[i.facture_id].append(Interruption(i.jour, Acte(i.acte), i.preuve_nom or i.note, i.pk))
    _actes_des_dossiers(factures, actes)
    return actes


def _lettres(factures: list[int], publiques: set[int], actes: dict[int, list[Interruption]]) -> None:
    """Mises en demeure, et pour une personne publique tout écrit qui réclame le paiement, réellement partis."""
    reclament = Q(nature=Nature.MISE_EN_DEMEURE) | Q(
        nature__gt=Nature.AVANT_ECHEANCE, canal__in=ECRITES, relances__echeance__facture__in=publiques
    )
    parties = (
        Courrier.objects.filter(
            reclament,
            statut__in=PARTIS,
            relances__echeance__facture__in=factures,
            relances__statut__in=Relance.PARTIES,
        )
        .values_list("relances__echeance__facture", "depose_le", "envoye_le", "reference", "nature")
        .order_by()
        .distinct()
    )
    for facture, depose, envoye, reference, nature in parties:
        jour = depose or (envoye and timezone.localdate(envoye))
        acte = Acte.MISE_EN_DEMEURE if nature == Nature.MISE_EN_DEMEURE else Acte.RECLAMATION
        if jour and facture in factures and (acte is Acte.MISE_EN_DEMEURE or facture in publiques):
            actes[facture].append(Interruption(jour, acte, reference))


def _actes_des_dossiers(factures: list[int], actes: dict[int, list[Interruption]]) -> None:
    """Ce qui est relevé sur un dossier vaut pour chacune de ses factures, même une fois le dossier clos."""
    portees = defaultdict(set)
    lignes = DossierEcheance.objects.filter(echeance__facture__in=factures)
    for dossier, facture in lignes.order_by().values_list("dossier", "echeance__facture").distinct():
        portees[dossier].add(facture)
    if not portees:
        return
    faits = [
        (i.dossier_id, Interruption(i.jour, Acte(i.acte), str(i.piece) if i.piece else i.note))
        for i in ActeReleve.objects.filter(dossier__in=portees, annulee_le=None).select_related("piece")
    ]
    for pk, voie, depose, signifiee in DossierContentieux.objects.filter(pk__in=portees).values_list(
        "pk", "voie", "depose_le", "signifiee_le"
    ):
        # Au préfet, c'est une réclamation écrite (loi 68-1250, art. 2) ; au juge, une requête qui n'interrompt pas.
        depot = Acte.RECLAMATION if voie == DossierContentieux.Voie.MANDATEMENT else Acte.REQUETE
        faits += [(pk, Interruption(depose, depot))] if depose else []
        faits += [(pk, Interruption(signifiee, Acte.SIGNIFICATION))] if signifiee else []
    for dossier, fait in faits:
        for facture in portees[dossier]:
            actes[facture].append(fait)


def _natures_des_dossiers(factures: list[int]) -> dict[int, str]:
    """Nature qu'une personne a dite pour tout un dossier ; celle de la facture l'emporte."""
    lignes = DossierEcheance.objects.filter(echeance__facture__in=factures).exclude(dossier__nature_creance="")
    return dict(lignes.order_by("pk").values_list("echeance__facture", "dossier__nature_creance"))


def _titres_des_dossiers(factures: list[int]) -> dict[int, date]:
    """Jour de l'ordonnance signifiée d'un dossier : le titre de ses factures."""
    lignes = DossierEcheance.objects.filter(echeance__facture__in=factures, dossier__signifiee_le__isnull=False)
    lignes = lignes.exclude(dossier__ordonnance_le=None)
    return dict(lignes.order_by("pk").values_list("echeance__facture", "dossier__ordonnance_le"))


def _exigibilites(factures: list[int]) -> dict[int, date]:
    """Première échéance de chaque facture : la plus prudente."""
    return dict(
        Echeance.objects.filter(facture__in=factures)
        .order_by()
        .values_list("facture")
        .annotate(premiere=Min("date_echeance"))
    )
