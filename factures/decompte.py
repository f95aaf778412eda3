"""Décompte juridique : le seul calcul de ce qui est dû, à toute date, par facture, échéance et segment.

L'écran, la lettre, le PDF, le classeur, la commande et le dossier passent par ici : mêmes chiffres partout
(docs/decisions/0016-decompte.md). Compte juridique, à côté du compte comptable (produit.md § 9.3) : un règlement
compte au jour où il est reçu, quel que soit celui de son affectation ; un avoir émis au plus tard le jour de
l'arrêté réduit le principal dès l'origine ; la part contestée ce jour-là en est retirée.
"""

from collections import defaultdict
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, replace
from datetime import date
from decimal import Decimal

from django.db.models import F, Q, Sum, Value
from django.db.models.functions import Coalesce
from django.utils.translation import gettext as _

from clients.models import Client, SousPlancher, TypeDebiteur
from recouvrement.commun import formats
from recouvrement.commun.champs import ChampMontant

from .decompte_faits import Faits, accessoires_verses, exigible_le, nee_apres
from .domaine import penalites
from .domaine.bareme import Bareme, TauxManquant, bornes, semestre
from .domaine.mouvements import Mouvement
from .domaine.penalites import BASE_FIXE, Avertissement, Calcul, DebiteurAQualifier, PaiementImpute, Segment
from .models import Avoir, Echeance, Encaissement, Imputation, Renonciation

ZERO = Decimal("0.00")
Portee = Renonciation.Portee


@dataclass(frozen=True)
class Ligne:
    """Le compte d'une échéance au jour dit, ou la raison pour laquelle il ne se fait pas.

    principal : celui qui porte intérêt, avoirs et part contestée déduits. reste : en compte, règlements reçus et
    avoirs émis ce jour-là déduits, part contestée retirée.
    """

    echeance: Echeance
    principal: Decimal
    avoirs: Decimal
    conteste: Decimal
    reste: Decimal
    calcul: Calcul | None
    renonciation: Renonciation | None = None
    refus: str = ""
    semestre_absent: str = ""
    avertissements: tuple[Avertissement, ...] = ()
    avoirs_poses: tuple[Mouvement, ...] = ()

    @property
    def mouvements(self) -> list[Mouvement]:
        """Tous les règlements, d'avant l'échéance aussi, et tous les avoirs : de quoi refaire le principal."""
        recus = [
            Mouvement(
                "accessoires" if p.accessoires else "reglement", p.cle.reference, p.jour, p.cle.affecte_le, p.montant,
                p.sur_interets, p.sur_principal, p.sur_indemnite,
            )
            for p in (self.calcul.paiements if self.calcul else ())
        ]  # fmt: skip
        return sorted([*self.avoirs_poses, *recus], key=lambda m: m.jour)

    @property
    def lignes(self) -> list[tuple[str, Segment | PaiementImpute]]:
        """Segments (« segment ») et paiements (« paiement ») dans l'ordre des jours."""
        if self.calcul is None:
            return []
        lignes = [(s.au, 0, "segment", s) for s in self.calcul.segments]
        lignes += [(p.jour, 1, "paiement", p) for p in self.calcul.paiements]
        return [(genre, objet) for _jour, _rang, genre, objet in sorted(lignes, key=lambda x: x[:2])]

    @property
    def sur_interets(self) -> Decimal:
        """Intérêts éteints par des règlements du principal : l'écart entre principal juridique et reste en compte."""
        paiements = self.calcul.paiements if self.calcul else ()
        return sum((-p.sur_principal if p.accessoires else p.sur_interets for p in paiements), ZERO)

    @property
    def due(self) -> bool:
        """Quelque chose reste dû, fût-ce les seuls accessoires."""
        return self.calcul is None or bool(self.calcul.total)


@dataclass(frozen=True)
class Credit:
    """Avoir ou règlement reçu, non affecté au jour dit : déduit du total, sans arrêter aucun intérêt (exigence 4)."""

    genre: str  # « avoir » ou « reglement »
    reference: str
    date: date
    montant: Decimal
    devise: str


@dataclass(frozen=True)
class Decompte:
    """Un client, une devise, un jour d'arrêté. Les montants n'ont de sens que si `calculable`."""

    client: Client
    devise: str
    au: date
    lignes: tuple[Ligne, ...]
    credits: tuple[Credit, ...] = ()
    # Décompte de factures choisies : reçu et posé sur aucune pièce, à affecter. Rien n'en est déduit, le même crédit
    # l'étant sinon du décompte de chaque facture du compte.
    a_affecter: tuple[Credit, ...] = ()
    base: int = BASE_FIXE

    @property
    def calculs(self) -> list[Calcul]:
        return [ligne.calcul for ligne in self.lignes if ligne.calcul]

    @property
    def calculable(self) -> bool:
        return len(self.calculs) == len(self.lignes)

    @property
    def semestres_manquants(self) -> tuple[str, ...]:
        return tuple(sorted({ligne.semestre_absent for ligne in self.lignes if ligne.semestre_absent}))

    @property
    def refus(self) -> str:
        """Pourquoi rien n'est chiffré, vide si tout l'est."""
        return next((ligne.refus for ligne in self.lignes if ligne.refus), "")

    @property
    def principal(self) -> Decimal:
        return sum((c.principal_restant for c in self.calculs), ZERO)

    @property
    def interets_courus(self) -> Decimal:
        return sum((c.interets for c in self.calculs), ZERO)

    @property
    def interets(self) -> Decimal:
        """Intérêts restant dus."""
        return sum((c.interets_restants for c in self.calculs), ZERO)

    @property
    def indemnites(self) -> Decimal:
        """Restant dues : ce qui a été versé pour elles en est déduit."""
        return sum((c.indemnite_restante for c in self.calculs), ZERO)

    @property
    def nombre_indemnites(self) -> int:
        return sum(1 for c in self.calculs if c.indemnite_restante)

    @property
    def reste(self) -> Decimal:
        """Le même principal en compte, où tout règlement s'impute sur lui."""
        return sum((ligne.reste for ligne in self.lignes), ZERO)

    @property
    def credits_deduits(self) -> Decimal:
        return sum((c.montant for c in self.credits), ZERO)

    @property
    def reste_a_affecter(self) -> Decimal:
        return sum((c.montant for c in self.a_affecter), ZERO)

    @property
    def jugement(self) -> date | None:
        """Jour du jugement d'ouverture qui arrête les intérêts d'une créance d'ici au moins (C. com., art. L622-28)."""
        jour = self.client.jugement_ouverture_le
        arrete = jour is not None and jour <= self.au
        return jour if arrete and any(not nee_apres(x.echeance.facture, jour) for x in self.lignes) else None

    @property
    def indemnites_en_euros(self) -> Decimal:
        """40 € se doivent en euros : dans une autre devise ils restent à part (exigence 6)."""
        return ZERO if self.devise == "EUR" else self.indemnites

    @property
    def total(self) -> Decimal:
        """Dans la devise : principal, intérêts et indemnités en euros, moins les crédits."""
        return self.principal + self.interets + self.indemnites - self.indemnites_en_euros - self.credits_deduits

    @property
    def par_jour(self) -> Decimal:
        """Intérêts d'un jour de plus, au taux du dernier segment ; zéro si plus rien ne court."""
        annuel = sum(
            (
                c.principal_restant * c.segments[-1].taux
                for c in self.calculs
                if c.segments and c.segments[-1].au == self.au
            ),
            ZERO,
        )
        return (annuel / 100 / self.base).quantize(ZERO, "ROUND_HALF_UP")

    @property
    def sous_plancher(self) -> bool:
        """La clause est passée sous trois fois le taux légal dans un semestre au moins."""
        codes = {"stipule_sous_plancher", "stipule_releve", "stipule_ecarte"}
        return any(a.code in codes for c in self.calculs for a in c.avertissements)

    @property
    def a_choisir(self) -> bool:
        """Clause sous le plancher, et personne n'a dit quel taux prendre : les lettres chiffrées attendent."""
        return self.sous_plancher and not self.client.sous_plancher

    @property
    def avertissements(self) -> list[tuple[Echeance, Avertissement]]:
        """Ceux de chaque échéance, une fois chacun s'ils se répètent mot pour mot."""
        vus, gardes = set(), []
        for ligne in self.lignes:
            for a in (*ligne.avertissements, *(ligne.calcul.avertissements if ligne.calcul else ())):
                if a not in vus:
                    vus.add(a)
                    gardes.append((ligne.echeance, a))
        return gardes


def calculer(
    client: Client,
    echeances: Iterable[Echeance],
    *,
    au: date,
    bareme: Bareme,
    mises_en_demeure: Mapping[int, date] | None = None,
    avec_litiges: bool = False,
) -> tuple[Ligne, ...]:
    """Compte de ces échéances du client, arrêté au jour `au` inclus, dans l'ordre donné ; six requêtes au plus.

    mises_en_demeure : {échéance: jour de réception}, qui fait courir les intérêts d'un particulier.
    avec_litiges : la part contestée est comptée, comme une déclaration de créance l'exige (C. com., art. L622-24).
    Les 40 € d'une facture sont à une seule de ses échéances, présente ici ou non (`Faits.porteuses`). Un semestre
    absent du barème ou un client à qualifier donne un refus qui le nomme, sans montant.
    """
    echeances = list(echeances)
    faits = Faits(echeances, au, jugement=client.jugement_ouverture_le, avec_litiges=avec_litiges)
    demeures = mises_en_demeure or {}
    lignes = {e.pk: _ligne(client, e, faits, bareme, demeures.get(e.pk)) for e in faits.dans_l_ordre(echeances)}
    for e in {e.facture_id: e for e in echeances}.values():
        if en_trop := sum((p.montant for p in faits.accessoires.get(e.facture_id, ())), ZERO):
            texte = _("%(montant)s versés pour des accessoires qui ne sont pas, ou plus, dus : à désaffecter.")
            signal = Avertissement("accessoires_en_trop", texte % {"montant": formats.somme(en_trop, e.devise)})
            lignes[e.pk] = replace(lignes[e.pk], avertissements=(*lignes[e.pk].avertissements, signal))
    return tuple(lignes[e.pk] for e in echeances)


def _ligne(client: Client, e: Echeance, faits: Faits, bareme: Bareme, mise_en_demeure: date | None) -> Ligne:
    avoirs = faits.avoirs[e.pk]
    en_compte = e.montant - avoirs - faits.regle(e.pk)
    conteste = min(faits.contestes.get(e.pk, ZERO), en_compte)
    # Née régulièrement après le jugement, une créance se paie à son échéance : ni L622-28, ni R621-4 ne la visent.
    jugement = None if nee_apres(e.facture, client.jugement_ouverture_le) else client.jugement_ouverture_le
    principal = e.montant - avoirs - conteste
    renonciation = faits.renonciations.get(e.facture_id)
    portee = renonciation.portee if renonciation else ""
    commun = {
        "echeance": e, "principal": principal, "avoirs": avoirs, "conteste": conteste, "reste": en_compte - conteste,
        "renonciation": renonciation, "avertissements": tuple(_signaler(e, faits)),
        "avoirs_poses": tuple(faits.avoirs_poses[e.pk]),
    }  # fmt: skip
    try:
        calcul = penalites.calculer(
            principal,
            exigible_le(e.date_echeance, e.date_facture),
            au=faits.au,
            debiteur=client.type,
            bareme=bareme,
            taux_stipule=client.taux_penalites,
            plancher=client.sous_plancher == SousPlancher.PLANCHER,
            defaut=client.sous_plancher == SousPlancher.DEFAUT,
            mise_en_demeure=mise_en_demeure,
            paiements=[*faits.paiements[e.pk], *faits.accessoires.get(e.facture_id, ())],
            imputation=client.imputation,
            jugement_ouverture=jugement,
            avec_indemnite=faits.porteuses.get(e.facture_id) == e.pk and portee not in (Portee.INDEMNITE, Portee.TOUT),
            sans_interets=portee in (Portee.PENALITES, Portee.TOUT),
        )
    except TauxManquant as manque:
        return Ligne(**commun, calcul=None, refus=str(manque), semestre_absent=manque.semestre)
    except DebiteurAQualifier as refus:
        return Ligne(**commun, calcul=None, refus=str(refus))
    if e.facture_id in faits.accessoires:
        faits.accessoires[e.facture_id] = list(calcul.accessoires_en_trop)
    return Ligne(**commun, calcul=calcul)


def _signaler(e: Echeance, faits: Faits) -> Iterable[Avertissement]:
    if "paiement" in faits.posterieurs[e.pk]:
        yield Avertissement("paiement_posterieur", _("Un règlement reçu après l'arrêté n'y est pas compté."))
    if "avoir" in faits.posterieurs[e.pk]:
        yield Avertissement(
            "avoir_posterieur",
            _("Un avoir émis après l'arrêté n'y est pas compté ; il réduira le principal dès l'origine."),
        )


# --- Choisir les échéances ---------------------------------------------------------------------------


def _somme(filtre: Q) -> Coalesce:
    """Somme des imputations retenues, zéro s'il n'y en a pas."""
    return Coalesce(Sum("imputations__montant", filter=filtre), Value(ZERO, ChampMontant()))


def echeances_echues(
    *, au: date, client: Client | None = None, factures: Iterable[int] | None = None
) -> list[Echeance]:
    """Échéances émises et échues au jour dit, par ancienneté : celles de ces factures, ou toutes celles du client.

    Une dette à échoir n'est pas exigible : elle n'entre pas dans un décompte. Une requête.
    """
    choisies = Echeance.objects.echues(au).filter(date_facture__lte=au)
    if client is not None:
        choisies = choisies.filter(client=client)
    if factures is not None:
        choisies = choisies.filter(facture__in=factures)
    return list(choisies.select_related("facture").order_by("date_echeance", "pk"))


def ouvertes_au(client: Client, *, au: date) -> list[Echeance]:
    """Échéances échues du client où il restait du principal au jour dit, règlements comptés à leur réception."""
    poses = Q(imputations__encaissement__date__lte=au) | Q(imputations__avoir__date_emission__lte=au)
    echues = Echeance.objects.echues(au).filter(client=client, date_facture__lte=au)
    restantes = echues.annotate(pose=_somme(poses)).filter(pose__lt=F("montant"))
    return list(restantes.select_related("facture").order_by("date_echeance", "pk"))


def credits_au(client: Client, devise: str, *, au: date, emises_au: date | None = None) -> list[Credit]:
    """Avoirs et règlements reçus au jour dit et non affectés (exigence 4) ; trois requêtes au plus.

    Une affectation postérieure à l'arrêté sur une pièce déjà émise compte : le décompte la voit au jour de la
    réception. Posée sur une pièce émise depuis, la somme était encore libre, sauf si le décompte porte aussi les
    pièces émises jusqu'à `emises_au`.
    """
    credits, emises = [], emises_au or au
    sources = ((Avoir, "avoir", "numero", "date_emission"), (Encaissement, "reglement", "reference", "date"))
    for modele, genre, nom, jour in sources:
        depuis = Imputation.objects.filter(echeance__client=client, echeance__date_facture__gt=emises)
        peut_etre = Q(impute__lt=F("montant")) | Q(pk__in=depuis.values(modele._meta.model_name))
        poses = _somme(Q(imputations__echeance__date_facture__lte=emises))
        libres = modele.objects.filter(client=client, devise=devise, **{f"{jour}__lte": au}).filter(peut_etre)
        libres = list(libres.annotate(pose=poses).filter(pose__lt=F("montant")).order_by(jour, "pk"))
        verses = accessoires_verses(libres) if genre == "reglement" else {}
        credits += [
            Credit(genre, getattr(x, nom), getattr(x, jour), reste, devise)
            for x in libres
            if (reste := x.montant - x.pose - verses.get(x.pk, ZERO))
        ]
    return credits


def etablir(
    client: Client,
    *,
    au: date,
    bareme: Bareme,
    echeances: Iterable[Echeance],
    mises_en_demeure: Mapping[int, date] | None = None,
    avec_credits: bool = True,
    selection: bool = False,
) -> list[Decompte]:
    """Un décompte par devise de ces échéances, la plus grosse dette d'abord.

    avec_credits : lit les crédits du compte ; `selection` : les signale au lieu de les déduire.
    """
    par_devise: dict[str, list[Ligne]] = defaultdict(list)
    for ligne in calculer(client, echeances, au=au, bareme=bareme, mises_en_demeure=mises_en_demeure):
        par_devise[ligne.echeance.devise].append(ligne)
    decomptes = []
    for devise, lignes in par_devise.items():
        credits = tuple(credits_au(client, devise, au=au) if avec_credits else ())
        portes = {"a_affecter": credits} if selection else {"credits": credits}
        decomptes.append(Decompte(client, devise, au, tuple(lignes), **portes))
    return sorted(decomptes, key=lambda d: (-d.reste, d.devise))


# --- Expliquer ---------------------------------------------------------------------------------------


def source_du_taux(s: Segment, ligne: Ligne, client: Client, bareme: Bareme) -> str:
    """« BCE 2,40 au 01/07/2026 + 10 » : de quoi retrouver le taux dans la table."""
    if client.type == TypeDebiteur.PARTICULIER:
        return _("intérêt légal, %(semestre)s") % {"semestre": s.semestre}
    if client.type == TypeDebiteur.ENTREPRISE and client.taux_penalites is not None:
        if s.taux == client.taux_penalites:
            return _("taux stipulé au contrat")
        if client.sous_plancher == SousPlancher.PLANCHER:
            return _("3 × l'intérêt légal, %(semestre)s") % {"semestre": s.semestre}
    fige = client.type == TypeDebiteur.ADMINISTRATION
    sem = semestre(ligne.calcul.segments[0].du) if fige else s.semestre
    texte = _("BCE %(refi)s au %(jour)s + %(points)s") % {
        "refi": formats.nombre(bareme.refi_du_semestre(sem), 2),
        "jour": formats.jour(bornes(sem)[0]),
        "points": 8 if fige else 10,
    }
    return _("%(source)s, figé") % {"source": texte} if fige else texte


def formule(s: Segment, base: int = BASE_FIXE) -> str:
    """« 12 000,00 × 13,15 % × 76 / 365 » : de quoi refaire le segment à la main."""
    return f"{formats.nombre(s.principal, 2)} × {formats.pourcent(s.taux, 2)} × {s.jours} / {base}"
