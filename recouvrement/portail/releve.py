"""Le relevé d'un client, tel que sa page le montre : par devise, pièce par pièce, en un nombre fixe de requêtes.

Compte comptable seul (décision 0011) : le reste dû suit les imputations. Rien d'interne n'y entre : ni palier, ni
risque, ni note, ni suspension, ni contact du client.
"""

from collections import defaultdict
from dataclasses import dataclass, field
from datetime import date
from decimal import Decimal

from django.db.models import Sum
from django.utils.translation import gettext as _

from clients.models import Client, TypeDebiteur
from factures.compte import credits_ouverts, pieces_ouvertes
from factures.models import AffectationAccessoires, CopieFacture, Echeance, Echeancier, Renonciation
from factures.services.echeanciers import suivis
from recouvrement.commun.formats import jour, somme
from relances.models import Courrier
from relances.rendu.qr import code_virement, reference_sepa

ZERO = Decimal("0.00")
PIECES_MAX = 300  # lignes montrées par devise ; les totaux, eux, portent sur toutes
PROFESSIONNELS = (TypeDebiteur.ENTREPRISE, TypeDebiteur.ADMINISTRATION)


@dataclass
class Piece:
    """Une échéance ouverte. `a_regler` : ce qui en est exigible aujourd'hui, la part contestée ôtée."""

    echeance: Echeance
    dit: str
    a_regler: Decimal = ZERO
    a_venir: Decimal = ZERO
    payable: bool = True  # se règle seule par virement : ni cédée, ni prélevée, ni en procédure, ni échelonnée
    copies: list[CopieFacture] = field(default_factory=list)
    pdfs: list[str] = field(default_factory=list)  # adresses, posées par la présentation
    url_qr: str = ""

    @property
    def numero(self) -> str:
        return self.echeance.facture.numero


@dataclass(frozen=True)
class Versement:
    """Une mensualité d'un échéancier accepté ; manque : ce qui n'en est pas encore payé."""

    due_le: date
    montant: Decimal
    manque: Decimal


@dataclass(frozen=True)
class Accessoires:
    """Pénalités et indemnités qu'une lettre a déjà demandées, et qui n'ont pas été payées depuis."""

    reference: str
    le: date
    penalites: Decimal
    indemnites: Decimal
    paye: Decimal

    @property
    def reste(self) -> Decimal:
        return self.penalites + self.indemnites - self.paye


@dataclass
class Compte:
    """Une devise du client : jamais additionnée à une autre."""

    devise: str
    pieces: list[Piece] = field(default_factory=list)
    credits: list = field(default_factory=list)
    versements: list[Versement] = field(default_factory=list)
    accessoires: Accessoires | None = None
    au: date | None = None

    @property
    def montrees(self) -> list[Piece]:
        return self.pieces[:PIECES_MAX]

    @property
    def au_dela(self) -> int:
        return max(len(self.pieces) - PIECES_MAX, 0)

    @property
    def echu(self) -> Decimal:
        """Exigible aujourd'hui, avant les crédits : pièces échues libres, et versements arrivés à leur date."""
        dus = sum((v.manque for v in self.versements if self.au and v.due_le <= self.au), ZERO)
        return sum((p.a_regler for p in self.pieces), ZERO) + dus

    @property
    def credit(self) -> Decimal:
        return sum((c.reste for c in self.credits), ZERO)

    @property
    def a_regler(self) -> Decimal:
        """Ce qu'il faut virer aujourd'hui : l'échu, moins ce qui est déjà reçu et pas encore affecté."""
        return max(self.echu - self.credit, ZERO)

    @property
    def deduit(self) -> Decimal:
        return self.echu - self.a_regler

    @property
    def a_venir(self) -> Decimal:
        return sum((p.a_venir for p in self.pieces), ZERO)

    @property
    def solde(self) -> Decimal:
        return sum((p.echeance.reste_du for p in self.pieces), ZERO) - self.credit

    @property
    def nombre(self) -> int:
        """Combien de factures font la somme à régler."""
        return len({p.echeance.facture_id for p in self.pieces if p.a_regler})


@dataclass
class Releve:
    """Le relevé du jour. ferme : « procedure » ou « surendettement », où rien ne se réclame ; vide sinon."""

    client: Client
    au: date
    comptes: list[Compte]
    ferme: str = ""

    @property
    def regle(self) -> bool:
        """Rien d'ouvert : ni pièce, ni versement, ni accessoire demandé."""
        return not self.ferme and not any(c.pieces or c.versements or c.accessoires for c in self.comptes)

    @property
    def rien_aujourd_hui(self) -> bool:
        return not any(c.a_regler for c in self.comptes)

    @property
    def reference(self) -> str:
        """À rappeler dans un virement : jeu SEPA."""
        return reference_sepa(self.client.code)

    @property
    def iban(self) -> str:
        iban = self.client.societe.iban.replace(" ", "")
        return " ".join(iban[i : i + 4] for i in range(0, len(iban), 4))

    @property
    def factures(self) -> set[int]:
        """Celles que le relevé montre : un lien n'ouvre pas d'autre fichier."""
        return {p.echeance.facture_id for c in self.comptes for p in c.pieces}

    def compte(self, devise: str) -> Compte | None:
        return next((c for c in self.comptes if c.devise == devise), None)

    def piece(self, echeance: int) -> Piece | None:
        """La pièce de ce client, ou None : l'identifiant d'un autre ne mène nulle part."""
        return next((p for c in self.comptes for p in c.pieces if p.echeance.pk == echeance), None)

    def qr_possible(self, devise: str, montant: Decimal) -> bool:
        """La norme EPC ne connaît que l'euro, de 0,01 à 999 999 999,99."""
        societe = self.client.societe
        return devise == "EUR" and 0 < montant < 10**9 and bool(societe.iban and societe.bic) and not self.ferme


def relever(client: Client, *, au: date) -> Releve:
    """Tout ce que la page du client montre au jour `au`. Le nombre de requêtes ne dépend pas du nombre de pièces."""
    if client.procedure_ouverte or client.surendettement:
        return Releve(client, au, [], "procedure" if client.procedure_ouverte else "surendettement")
    comptes: dict[str, Compte] = {}

    def de(devise: str) -> Compte:
        return comptes.setdefault(devise, Compte(devise, au=au))

    ouvertes = pieces_ouvertes(client)
    plans = _plans([e.pk for e in ouvertes])
    for echeance in ouvertes:
        de(echeance.devise).pieces.append(_piece(echeance, client, plans.get(echeance.pk), au=au))
    for credit in credits_ouverts(client):
        de(credit.devise).credits.append(credit)
    for devise, versements in _versements({x.pk: x for x in plans.values()}, client, au=au).items():
        de(devise).versements = versements
    for devise, accessoires in _accessoires(client).items():
        de(devise).accessoires = accessoires
    _poser_copies([p for c in comptes.values() for p in c.montrees])
    tries = sorted(comptes.values(), key=lambda c: (-c.a_regler, -c.solde, c.devise))
    return Releve(client, au, tries or [Compte("EUR", au=au)])


def _plans(echeances: list[int]) -> dict[int, Echeancier]:
    """{échéance: l'échéancier qui la lie} : en cours, ou rompu sans clause de déchéance."""
    statuts = (Echeancier.Statut.ROMPU, Echeancier.Statut.EN_COURS)
    liens = Echeancier.echeances.through.objects.filter(echeance__in=echeances, echeancier__statut__in=statuts)
    lus = {}
    for lien in liens.select_related("echeancier").order_by("echeancier_id"):
        plan = lien.echeancier
        if plan.statut == Echeancier.Statut.EN_COURS or plan.lie_apres_rupture:
            lus[lien.echeance_id] = plan
    return lus


def _piece(echeance: Echeance, client: Client, plan: Echeancier | None, *, au: date) -> Piece:
    """La pièce et la phrase qui la dit ; la première raison de ne pas la virer l'emporte."""
    if echeance.facture.affacturee:
        return Piece(echeance, _("À régler à l’organisme indiqué sur la facture"), payable=False)
    if echeance.en_contentieux:
        return Piece(echeance, _("Suivie en procédure : appelez-nous avant de la régler"), payable=False)
    if (echeance.prelevement or client.prelevement) and not echeance.prelevement_rejete:
        phrase = _("Sera prélevée le %(jour)s") if echeance.date_echeance >= au else _("Prélèvement en cours")
        return Piece(echeance, phrase % {"jour": jour(echeance.date_echeance)}, payable=False)
    if plan:
        phrase = _("Dans votre échéancier du %(jour)s") % {"jour": jour(plan.accepte_le)}
        return Piece(echeance, phrase, payable=False)
    libre, phrases = echeance.reclame, []
    echue = echeance.date_echeance < au
    if echue:
        phrases.append(_("Échue le %(jour)s") % {"jour": jour(echeance.date_echeance)})
    else:
        phrases.append(_("À régler avant le %(jour)s") % {"jour": jour(echeance.date_echeance)})
    if echeance.conteste:
        phrases.append(_conteste(echeance, au))
    promesse = echeance.promesse
    promise = promesse is not None and promesse.statut == "en_attente" and promesse.date_promise >= au
    if promise:
        phrases.append(_("paiement promis pour le %(jour)s") % {"jour": jour(promesse.date_promise)})
    a_regler = libre if echue and not promise else ZERO
    return Piece(echeance, ", ".join(phrases), a_regler=a_regler, a_venir=ZERO if echue else libre)


def _conteste(echeance: Echeance, au: date) -> str:
    valeurs = {"montant": somme(echeance.conteste, echeance.devise), "jour": jour(echeance.litige.a_traiter_le)}
    if echeance.litige.a_traiter_le >= au:
        return _("%(montant)s contestés, réponse d’ici au %(jour)s") % valeurs
    return _("%(montant)s contestés, en cours d’examen") % valeurs


def _versements(plans: dict[int, Echeancier], client: Client, *, au: date) -> dict[str, list[Versement]]:
    """{devise: versements des échéanciers qui lient encore, du plus proche au plus lointain}."""
    for plan in plans.values():
        plan.client = client  # déjà lu : ni requête ni surprise
    lus: dict[str, list[Versement]] = defaultdict(list)
    for cle, termes in suivis(plans.values(), au=au).items():
        lus[plans[cle].devise] += [Versement(t.due_le, t.montant, t.manque) for t in termes]
    return {devise: sorted(v, key=lambda x: x.due_le) for devise, v in lus.items()}


def _accessoires(client: Client) -> dict[str, Accessoires]:
    """{devise: ce que la dernière lettre chiffrée partie a demandé}. Jamais à un particulier (C. com., art. D. 441-5).

    Une renonciation écrite depuis les efface : la page ne réclame rien d'elle-même.
    """
    if client.type not in PROFESSIONNELS:
        return {}
    parties = Courrier.objects.filter(
        client=client, statut__in=(Courrier.Statut.ENVOYE, Courrier.Statut.POSTE), arrete_au__isnull=False
    ).exclude(penalites=0, indemnites=0)
    derniers: dict[str, Courrier] = {}
    for courrier in parties.order_by("arrete_au", "pk"):
        derniers[courrier.devise] = courrier
    lus = {}
    for devise, courrier in derniers.items():
        factures = courrier.relances.values("echeance__facture")
        renonce = Renonciation.objects.en_vigueur().filter(facture__in=factures, le__gte=courrier.arrete_au)
        paye = AffectationAccessoires.objects.filter(facture__in=factures, date__gt=courrier.arrete_au)
        accessoires = Accessoires(
            courrier.reference, courrier.arrete_au, courrier.penalites, courrier.indemnites,
            paye.aggregate(t=Sum("montant"))["t"] or ZERO,
        )  # fmt: skip
        if accessoires.reste > 0 and not renonce.exists():
            lus[devise] = accessoires
    return lus


def _poser_copies(pieces: list[Piece]) -> None:
    copies: dict[int, list[CopieFacture]] = defaultdict(list)
    for copie in CopieFacture.objects.filter(facture__in={p.echeance.facture_id for p in pieces}):
        copies[copie.facture_id].append(copie)
    for piece in pieces:
        piece.copies = copies[piece.echeance.facture_id]


def qr(releve: Releve, montant: Decimal, *objet: str) -> str:
    """Adresse `data:` du code de virement de ce montant ; la référence rappelle le client, puis la pièce."""
    societe = releve.client.societe
    return code_virement(
        beneficiaire=societe.raison_sociale, iban=societe.iban, bic=societe.bic, montant=montant,
        reference=reference_sepa(releve.client.code, *objet),
    )  # fmt: skip


def qr_png(releve: Releve, montant: Decimal, *objet: str) -> bytes:
    """Le même, en image à enregistrer : huit points par module, la marge que la norme demande."""
    from base64 import b64decode
    from io import BytesIO

    from PIL import Image, ImageOps

    nue = Image.open(BytesIO(b64decode(qr(releve, montant, *objet).partition(",")[2]))).convert("L")
    grande = nue.resize((nue.width * 8, nue.height * 8), Image.Resampling.NEAREST)
    sortie = BytesIO()
    ImageOps.expand(grande, 32, 255).save(sortie, "PNG", optimize=True)
    return sortie.getvalue()
