"""Invariants re-prouvés d'après la base et le dépôt : chaque contrôle dit ce qu'il a compté et ce qui le dément.

Ensembliste : un nombre fixe de requêtes, quel que soit le nombre de pièces ; seuls le journal et les
fichiers se relisent en flux.
"""

from collections.abc import Callable, Iterable
from dataclasses import dataclass
from itertools import islice

from django.db.models import (
    Case,
    Count,
    Exists,
    F,
    Max,
    Model,
    OuterRef,
    Q,
    QuerySet,
    Subquery,
    Sum,
    Value,
    When,
    Window,
)
from django.db.models.functions import Coalesce, Lag

from contentieux.models import DossierContentieux, DossierEcheance, Interruption, Piece
from factures.models import (
    AffectationAccessoires,
    Avoir,
    CopieFacture,
    Echeance,
    Echeancier,
    Encaissement,
    Facture,
    Imputation,
    Lot,
)
from recouvrement.commun import depot
from recouvrement.commun.champs import ChampMontant
from recouvrement.journal.services import verifier_chaine
from relances.models import (
    Courrier,
    LeveeDeFrein,
    LotPostal,
    PliDeLot,
    Relance,
    Verdict,
    VersionEchelle,
    VersionModele,
)

MONTRES = 10  # défauts nommés ; au-delà on compte seulement
ZERO = Value(0, output_field=ChampMontant())


@dataclass(frozen=True)
class Controle:
    nom: str
    ok: bool
    detail: str

    def en_dict(self) -> dict:
        return {"nom": self.nom, "ok": self.ok, "detail": self.detail}


def tout_verifier() -> list[Controle]:
    """Tous les contrôles, dans l'ordre du grand livre aux fichiers ; aucun n'écrit."""
    return [Controle(nom, *controle()) for nom, controle in CONTROLES.items()]


def _verdict(nombre: int, quoi: str, defauts: Iterable[str]) -> tuple[bool, str]:
    """(ok, phrase) ; `defauts` est lu jusqu'à MONTRES, puis compté."""
    defauts = iter(defauts)
    montres = list(islice(defauts, MONTRES))
    if not montres:
        return True, f"{nombre} {quoi}"
    reste = sum(1 for _defaut in defauts)
    suite = f" ; et {reste} de plus" if reste else ""
    return False, " ; ".join(montres) + suite


def _soldes(modele: type[Model]) -> tuple[bool, str]:
    """`impute` égale la somme des imputations vivantes."""
    prouve = Coalesce(Sum("imputations__montant"), ZERO)
    if modele is Encaissement:  # une part peut en payer les accessoires d'une facture
        verses = AffectationAccessoires.objects.filter(encaissement=OuterRef("pk")).order_by()
        somme = verses.values("encaissement").annotate(s=Sum("montant")).values("s")
        prouve += Coalesce(Subquery(somme), ZERO)
        # Rejeté, rien n'en reste posé et rien n'en est disponible.
        prouve += Case(When(rejete_le__isnull=False, then=F("montant")), default=ZERO, output_field=ChampMontant())
    lignes = modele.objects.order_by().annotate(prouve=prouve)
    faux = lignes.exclude(impute=F("prouve")).values_list("pk", "cle_source", "impute", "prouve")
    nom = modele._meta.verbose_name
    return _verdict(
        modele.objects.count(), f"{modele._meta.verbose_name_plural or nom} : imputé = somme des imputations",
        (f"{nom} {pk} ({cle}) : imputé {impute}, imputations {prouve}" for pk, cle, impute, prouve in faux.iterator()),
    )  # fmt: skip


def _soldee_le() -> tuple[bool, str]:
    """Soldée le jour de la dernière imputation, et seulement si plus rien n'est dû."""
    lignes = Echeance.objects.order_by().annotate(derniere=Max("imputations__date"))
    soldees = Q(impute=F("montant"))
    faux = lignes.filter(
        (soldees & (Q(soldee_le=None) | ~Q(soldee_le=F("derniere")))) | (~soldees & Q(soldee_le__isnull=False))
    )
    valeurs = faux.values_list("pk", "cle_source", "soldee_le", "derniere")
    return _verdict(
        Echeance.objects.filter(soldee_le__isnull=False).count(),
        "échéances soldées, datées de leur dernière imputation",
        (
            f"échéance {pk} ({cle}) : soldée le {le}, dernière imputation le {der}"
            for pk, cle, le, der in valeurs.iterator()
        ),
    )


def _niveaux() -> tuple[bool, str]:
    """Niveau d'une échéance = nature de sa plus haute relance vivante (exigences 8 et 22)."""
    lignes = Echeance.objects.order_by().annotate(
        prouve=Coalesce(Max("relances__nature", filter=Q(relances__statut__in=Relance.ATTEINTES)), 0)
    )
    faux = lignes.exclude(niveau=F("prouve")).values_list("pk", "cle_source", "niveau", "prouve")
    return _verdict(
        Echeance.objects.filter(niveau__gt=0).count(), "échéances relancées : niveau = plus haute relance vivante",
        (f"échéance {pk} ({cle}) : niveau {n}, relances {p}" for pk, cle, n, p in faux.iterator()),
    )  # fmt: skip


def _factures() -> tuple[bool, str]:
    """Le net à payer, TTC − acompte + arrondi (EN 16931, BT-115), est la somme des échéances."""
    lignes = Facture.objects.order_by().annotate(prouve=Coalesce(Sum("echeances__montant"), ZERO))
    faux = lignes.exclude(montant_ttc=F("prouve") + F("acompte") - F("arrondi"))
    valeurs = faux.values_list("numero", "montant_ttc", "acompte", "arrondi", "prouve")
    return _verdict(
        Facture.objects.count(), "factures : TTC − acompte + arrondi = somme des échéances",
        (f"facture {n} : TTC {t}, acompte {a}, arrondi {r}, échéances {p}" for n, t, a, r, p in valeurs.iterator()),
    )  # fmt: skip


def _recopies() -> tuple[bool, str]:
    """Ce que l'échéance et l'imputation recopient est bien celui de leur pièce."""
    e = Echeance.objects.exclude(
        societe=F("facture__societe"),
        client=F("facture__client"),
        devise=F("facture__devise"),
        date_facture=F("facture__date_emission"),
    )
    i = Imputation.objects.exclude(societe=F("echeance__societe"))
    autre_devise = Imputation.objects.filter(
        (Q(encaissement__isnull=False) & ~Q(encaissement__devise=F("echeance__devise")))
        | (Q(avoir__isnull=False) & ~Q(avoir__devise=F("echeance__devise")))
    )
    defauts = (
        *(f"échéance {pk} : société, client, devise ou date d'une autre facture" for pk in _cles(e)),
        *(f"imputation {pk} : société d'une autre pièce" for pk in _cles(i)),
        *(f"imputation {pk} : deux devises" for pk in _cles(autre_devise)),
    )
    return _verdict(Imputation.objects.count(), "imputations, société et devise de leurs pièces", defauts)


def _cles(qs: QuerySet) -> list[int]:
    return list(qs.order_by().values_list("pk", flat=True)[: MONTRES + 1])


def _verdicts() -> tuple[bool, str]:
    """Un seul verdict courant par échéance, intervalles disjoints."""
    plusieurs = (
        Verdict.objects.courants().order_by().values("echeance").annotate(n=Count("pk")).filter(n__gt=1)
    ).values_list("echeance", "n")
    precedent = Window(Lag("au"), partition_by="echeance_id", order_by=("du", "pk"))
    rangs = Window(Lag("pk"), partition_by="echeance_id", order_by=("du", "pk"))
    chevauches = (
        Verdict.objects.order_by()
        .annotate(avant=precedent, pk_avant=rangs)
        .filter(Q(avant__gte=F("du")) | Q(pk_avant__isnull=False, avant=None))
        .values_list("echeance", "du")
    )
    defauts = (
        *(f"échéance {e} : {n} verdicts courants" for e, n in plusieurs[: MONTRES + 1]),
        *(f"échéance {e} : deux verdicts le {du}" for e, du in chevauches[: MONTRES + 1]),
    )
    return _verdict(Verdict.objects.courants().count(), "verdicts courants, un par échéance", defauts)


def _contentieux() -> tuple[bool, str]:
    """Échéance d'un dossier en cours = hors de l'échelle ; références de dossier continues."""
    actives = DossierEcheance.objects.filter(active=True)
    faux = actives.filter(Q(echeance__en_contentieux=False) | Q(dossier__clos_le__isnull=False))
    trous, rangs = [], {}
    for societe, reference in DossierContentieux.objects.order_by().values_list("societe", "reference"):
        annee, _tiret, rang = reference.removeprefix("CX-").partition("-")
        rangs.setdefault((societe, annee), set()).add(int(rang) if rang.isdecimal() else 0)
    for (societe, annee), vus in rangs.items():
        if vus != set(range(1, len(vus) + 1)):
            trous.append(f"société {societe} : références CX-{annee} discontinues")
    defauts = (
        *(f"ligne de dossier {pk} : échéance encore dans l'échelle ou dossier clos" for pk in _cles(faux)),
        *trous,
    )
    return _verdict(actives.count(), "échéances en contentieux, hors de l'échelle", defauts)


def _lots_postaux() -> tuple[bool, str]:
    """Les plis encore dans un lot sont ses courriers, et un lot prêt porte son fichier."""
    presents = PliDeLot.objects.filter(sorti_le=None)
    ailleurs = presents.exclude(courrier__lot_postal=F("lot"))
    sans_pli = Courrier.objects.filter(lot_postal__isnull=False).exclude(
        Exists(presents.filter(courrier=OuterRef("pk"), lot=OuterRef("lot_postal")))
    )
    vides = LotPostal.objects.filter(statut=LotPostal.Statut.PRET, pdf_empreinte="")
    defauts = (
        *(f"pli {pk} : son courrier n'est pas dans ce lot" for pk in _cles(ailleurs)),
        *(f"courrier {pk} : dans un lot où il n'a pas de pli" for pk in _cles(sans_pli)),
        *(f"lot postal {pk} : prêt sans fichier" for pk in _cles(vides)),
    )
    return _verdict(presents.count(), "plis, un par courrier de leur lot", defauts)


def _versions() -> tuple[bool, str]:
    """Qui a publié une fois, plan ou modèle, a une version publiée et une seule."""
    plans = _publiees(VersionEchelle, "echelle").exclude(n=1)
    modeles = _publiees(VersionModele, "modele").exclude(n=1)
    defauts = (
        *(f"plan {pk} : {n} versions publiées" for pk, n in plans[: MONTRES + 1]),
        *(f"modèle {pk} : {n} versions publiées" for pk, n in modeles[: MONTRES + 1]),
    )
    compte = VersionEchelle.objects.filter(statut="publiee").count()
    compte += VersionModele.objects.filter(statut="publiee").count()
    return _verdict(compte, "versions publiées, une par plan et par modèle", defauts)


def _publiees(version: type[Model], de: str) -> QuerySet:
    """(plan ou modèle, nombre de versions publiées) ; qui n'a qu'un brouillon n'a encore rien publié."""
    lignes = version.objects.order_by().exclude(statut="brouillon").values(de)
    return lignes.annotate(n=Count("pk", filter=Q(statut="publiee"))).values_list(de, "n")


def _levees() -> tuple[bool, str]:
    """Au-dessus du seuil, une levée approuvée l'est par une autre personne que celle qui la demande."""
    demi = Q(approuvee_par__isnull=True) ^ Q(approuvee_le__isnull=True)
    faux = LeveeDeFrein.objects.filter(
        demi | Q(approuvee_par=F("demandee_par")) | Q(a_deux=False, approuvee_le__isnull=False)
    )
    return _verdict(
        LeveeDeFrein.objects.count(), "levées de frein, à deux personnes au-dessus du seuil",
        (f"levée {pk} : accord d'une seconde personne incohérent" for pk in _cles(faux)),
    )  # fmt: skip


def _echeanciers() -> tuple[bool, str]:
    """Somme des mensualités = dû à l'accord ; un échéancier conclu dit quand."""
    lignes = Echeancier.objects.order_by().annotate(prouve=Coalesce(Sum("mensualites__montant"), ZERO))
    faux = lignes.exclude(du_a_l_accord=F("prouve")).values_list("pk", "du_a_l_accord", "prouve")
    dates = Echeancier.objects.filter(Q(statut="en_cours") ^ Q(conclu_le__isnull=True))
    defauts = (
        *(f"échéancier {pk} : dû à l'accord {du}, mensualités {p}" for pk, du, p in faux[: MONTRES + 1]),
        *(f"échéancier {pk} : statut et date de fin se contredisent" for pk in _cles(dates)),
    )
    return _verdict(Echeancier.objects.count(), "échéanciers : mensualités = dû à l'accord", defauts)


def _prelevements() -> tuple[bool, str]:
    """Rejeté, un prélèvement n'est plus en cours."""
    faux = Echeance.objects.filter(prelevement=True, prelevement_rejete=True)
    return _verdict(
        Echeance.objects.filter(prelevement_rejete=True).count(), "prélèvements rejetés, plus en cours",
        (f"échéance {pk} : prélèvement en cours et rejeté" for pk in _cles(faux)),
    )  # fmt: skip


def _journal() -> tuple[bool, str]:
    lu = verifier_chaine()
    return _verdict(lu.maillons, "maillons chaînés", lu.defauts)


FICHIERS = (
    (Courrier, "pdf_chemin", "pdf_empreinte"),
    (Courrier, "avis_chemin", "avis_empreinte"),
    (Courrier, "depot_chemin", "depot_empreinte"),
    (LotPostal, "pdf_chemin", "pdf_empreinte"),
    (CopieFacture, "chemin", "empreinte"),
    (Piece, "chemin", "empreinte"),
    (Interruption, "preuve_chemin", "preuve_empreinte"),
    (DossierContentieux, "requete_chemin", "requete_empreinte"),
    (Lot, "chemin", "empreinte"),
)


def _fichiers() -> tuple[bool, str]:
    """Chaque fichier que la base connaît est au dépôt, et son contenu a son empreinte."""
    vus, defauts = set(), []
    for modele, chemin, empreinte in FICHIERS:
        lignes = modele.objects.order_by().exclude(**{chemin: ""}).values_list(chemin, empreinte, "pk")
        for ou, attendue, pk in lignes.iterator():
            if (ou, attendue) in vus:
                continue
            vus.add((ou, attendue))
            if defaut := depot.verifier(ou, attendue):
                defauts.append(f"{modele._meta.verbose_name} {pk} : {defaut}")
    return _verdict(len(vus), "fichiers conformes à leur empreinte", defauts)


CONTROLES: dict[str, Callable[[], tuple[bool, str]]] = {
    "echeances_soldes": lambda: _soldes(Echeance),
    "encaissements_soldes": lambda: _soldes(Encaissement),
    "avoirs_soldes": lambda: _soldes(Avoir),
    "echeances_soldee_le": _soldee_le,
    "factures_ttc": _factures,
    "recopies": _recopies,
    "echeances_niveau": _niveaux,
    "verdicts": _verdicts,
    "contentieux": _contentieux,
    "echeanciers": _echeanciers,
    "prelevements": _prelevements,
    "levees": _levees,
    "versions": _versions,
    "lots_postaux": _lots_postaux,
    "journal": _journal,
    "fichiers": _fichiers,
}
