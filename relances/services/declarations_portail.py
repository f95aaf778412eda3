"""Ce que le débiteur déclare sur sa page : écrit une fois, borné, et ce qui vaut sans relecture vaut tout de suite.

Rien ici n'écrit un paiement : l'argent se constate au relevé (décision 0036). Chaque déclaration à examiner ouvre une
tâche et retient ce qu'elle vise, au plus tard jusqu'à sa date ; les suites sont dans `declarations_portail_suites`.
"""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field
from datetime import date, datetime, timedelta
from decimal import Decimal

from django.core.exceptions import ValidationError
from django.db import transaction
from django.utils import timezone
from django.utils.translation import gettext as _

from clients.documents import ajouter_document
from clients.models import Client, Document
from factures.models import Echeance, Echeancier, Litige, Promesse
from factures.models.grand_livre import Mode
from factures.services import promettre
from recouvrement.commun.formats import somme
from recouvrement.journal.services import consigner
from relances.domaine.declarations import (
    PAR_JOUR,
    Examen,
    examen_d_une_promesse,
    fin_d_attente_d_un_paiement,
    fin_d_examen,
    propre,
)
from relances.models import Declaration, LienPortail, ReglageReponses

from .declarations_portail_mots import accuser, dans_la_langue_de_l_equipe, ouvrir_tache, resume

FICHIERS_MAX = 5
OCTETS_MAX = 30 * 1024 * 1024  # pour toute la déclaration
UN_AN = timedelta(days=366)
RUPTURE_RECENTE = timedelta(days=90)
ZERO = Decimal("0.00")
G, S = Declaration.Genre, Declaration.Statut


@dataclass(frozen=True)
class Depot:
    """Ce qu'un formulaire apporte avec lui : sa clé, qui écrit, d'où, ses fichiers (octets, nom)."""

    cle: str
    nom: str = ""
    texte: str = ""
    adresse_ip: str | None = None
    agent: str = ""
    fichiers: Sequence[tuple[bytes, str]] = field(default=())


def pieces_declarables(client: Client) -> list[Echeance]:
    """Pièces ouvertes dont la page parle : ni au contentieux, ni cédées. Chacune a `plan`, `contestee` et `reclame`.

    plan : dans un échéancier en cours, ou rompu sans clause ; contestee : un litige y est ouvert ; reclame : son reste
    dû, moins ce qui y est contesté.
    """
    ouvertes = (
        Echeance.objects.ouvertes()
        .filter(societe=client.societe_id, client=client, en_contentieux=False, facture__affacturee=False)
        .select_related("facture")
        .prefetch_related("litiges", "echeanciers")
        .order_by("date_echeance", "pk")
    )
    pieces = list(ouvertes)
    for piece in pieces:
        contestes = [x.montant_conteste for x in piece.litiges.all() if x.clos_le is None]
        piece.contestee = bool(contestes)
        piece.reclame = max(piece.reste_du - sum(contestes, ZERO), ZERO)
        piece.plan = any(x.statut == Echeancier.Statut.EN_COURS or x.lie_apres_rupture for x in piece.echeanciers.all())
    return pieces


def fermeture(client: Client, pieces: Iterable[Echeance] | None = None) -> str:
    """Pourquoi ce client ne peut rien déclarer, et où s'adresser ; vide si les formulaires sont ouverts."""
    if client.procedure_ouverte:
        return _(
            "Une procédure collective est ouverte : rien ne se règle ni ne se convient par cette page. "
            "Adressez-vous au mandataire ou à l'administrateur désigné par le tribunal."
        )
    if client.surendettement:
        return _("Un dossier de surendettement est recevable : adressez-vous à la commission de surendettement.")
    ouvertes = pieces_declarables(client) if pieces is None else list(pieces)
    if ouvertes:
        return ""
    if Echeance.objects.ouvertes().filter(client=client, en_contentieux=True).exists():
        return _("Ce dossier est suivi au contentieux : écrivez ou téléphonez à la personne qui suit votre compte.")
    return _("Rien n'est à régler sur ce compte.")


@transaction.atomic
def declarer_paiement(
    lien: LienPortail, depot: Depot, *, pieces: Iterable[int], montant: Decimal, le: date, moyen: str, moment: datetime
) -> Declaration:
    """« J'ai payé le… » : rien ne s'écrit au grand livre ; l'échelle attend le temps que la banque le montre.

    Lève ValidationError : date à venir ou de plus d'un an, montant nul, pièce d'un autre, trop de déclarations.
    """
    client, deja = ouvrir(lien, depot, moment)
    if deja:
        return deja
    au = timezone.localtime(moment).date()
    choisies, devise = choisir(client, pieces)
    if le > au:
        raise ValidationError({"le": _("Cette date est à venir : pour un paiement à faire, dites « Je paierai le… ».")})
    if le < au - UN_AN:
        raise ValidationError({"le": _("Ce paiement a plus d'un an : écrivez-nous, avec sa preuve.")})
    if montant <= 0:
        raise ValidationError({"montant": _("Le montant payé est positif.")})
    moyen = moyen if moyen in Mode.values else Mode.AUTRE
    fin = fin_d_attente_d_un_paiement(le, le=au, moyen=moyen, region=client.societe.region_feries)
    return ecrire_declaration(
        lien, client, depot, choisies, moment, genre=G.PAYE, montant=montant, devise=devise, jour=le, categorie=moyen,
        retient_jusqu_au=fin,
    )  # fmt: skip


@transaction.atomic
def contester(
    lien: LienPortail, depot: Depot, *, pieces: Iterable[int], categorie: str, montant: Decimal | None, moment: datetime
) -> Declaration:
    """« Je conteste » : la part dite est retenue au plus N jours, le litige s'ouvre quand une personne l'accepte.

    montant : la part contestée d'une seule pièce ; plusieurs pièces le sont en entier (None). Lève ValidationError.
    """
    client, deja = ouvrir(lien, depot, moment)
    if deja:
        return deja
    choisies, devise = choisir(client, pieces)
    if deja_contestees := [p.facture.numero for p in choisies if p.contestee]:
        raise ValidationError(
            {"pieces": _("%(pieces)s : déjà contestée, nous l'examinons.") % {"pieces": ", ".join(deja_contestees)}}
        )
    if categorie not in CATEGORIES:
        raise ValidationError({"categorie": _("Choisissez le motif de la contestation.")})
    if not propre(depot.texte, longueur=2000, lignes=True):
        raise ValidationError({"texte": _("Dites en une phrase ce que vous contestez.")})
    du = sum((p.reste_du for p in choisies), ZERO)
    montant = du if montant is None else montant
    if not 0 < montant <= du:
        raise ValidationError({"montant": _("La part contestée va de 0,01 à %(du)s.") % {"du": somme(du, devise)}})
    if len(choisies) > 1 and montant != du:
        raise ValidationError(
            {"montant": _("Pour n'en contester qu'une partie, choisissez une seule facture à la fois.")}
        )
    return ecrire_declaration(
        lien, client, depot, choisies, moment, genre=G.CONTESTE, montant=montant, devise=devise, categorie=categorie,
        retient_jusqu_au=fin_d_examen(jour_de(moment), jours=jours_d_examen(client)),
    )  # fmt: skip


@transaction.atomic
def promettre_de_payer(
    lien: LienPortail, depot: Depot, *, pieces: Iterable[int], montant: Decimal, pour_le: date, moment: datetime
) -> Declaration:
    """« Je paierai le… » : dans les bornes, une vraie promesse, confirmée ; hors bornes, une personne l'examine.

    Lève ValidationError : date passée ou à plus d'un an, montant nul ou au-dessus du dû, pièce d'un autre ou déjà
    dans un échéancier. Jamais deux promesses vivantes sur une pièce : la seconde demande une personne.
    """
    client, deja = ouvrir(lien, depot, moment)
    if deja:
        return deja
    au = jour_de(moment)
    choisies, devise = choisir(client, pieces, libres=True)
    du = sum((p.reste_du for p in choisies), ZERO)
    if pour_le < au:
        raise ValidationError({"le": _("Cette date est passée.")})
    if pour_le > au + UN_AN:
        raise ValidationError({"le": _("Cette date est trop lointaine : demandez plutôt à payer en plusieurs fois.")})
    if not 0 < montant <= du:
        raise ValidationError(
            {"montant": _("Le montant va de 0,01 à %(du)s, ce qui est dû.") % {"du": somme(du, devise)}}
        )
    promesses = Promesse.objects.filter(client=client, echeances__in=choisies)
    examen = examen_d_une_promesse(
        montant=montant, du=sum((p.reclame for p in choisies), ZERO), pour_le=pour_le, au=au,
        deja_promis=promesses.en_attente().exists() or _a_l_examen(client, choisies, G.PROMET),
        rompue_recente=promesses.filter(
            statut__in=(Promesse.Statut.ROMPUE, Promesse.Statut.PARTIELLE), conclue_le__gt=au - RUPTURE_RECENTE
        ).exists(),
    )  # fmt: skip
    commun = {"genre": G.PROMET, "montant": montant, "devise": devise, "jour": pour_le}
    if examen is not Examen.AUCUN:
        fin = fin_d_examen(au, jours=jours_d_examen(client))
        return ecrire_declaration(
            lien, client, depot, choisies, moment, **commun, categorie=examen.value, retient_jusqu_au=fin
        )
    promesse = promettre(client, choisies, montant=montant, date_promise=pour_le, au=au, acteur=None)
    return ecrire_declaration(
        lien, client, depot, choisies, moment, **commun, statut=S.ACCEPTEE, promesse=promesse, decidee_le=moment,
        decision=_("Dans les bornes : promesse notée"),
    )  # fmt: skip


@transaction.atomic
def demander_un_delai(
    lien: LienPortail, depot: Depot, *, pieces: Iterable[int], nombre: int, premiere: date, moment: datetime
) -> Declaration:
    """« J'ai besoin de temps », à examiner : rien n'est accordé. `categorie` garde le nombre de versements demandés.

    L'échéancier établi sur la page, dans les bornes, est dans `signatures`. Lève ValidationError.
    """
    client, deja = ouvrir(lien, depot, moment)
    if deja:
        return deja
    au = jour_de(moment)
    choisies, devise = choisir(client, pieces, libres=True)
    if not 2 <= nombre <= 12:
        raise ValidationError({"nombre": _("Choisissez le nombre de versements.")})
    if not au < premiere <= au + timedelta(days=90):
        raise ValidationError({"premiere": _("Le premier versement vient dans les 90 jours.")})
    if _a_l_examen(client, choisies, G.DELAI):
        raise ValidationError(_("Une demande de délai est déjà à l'examen pour ces factures : nous vous répondrons."))
    return ecrire_declaration(
        lien, client, depot, choisies, moment, genre=G.DELAI, devise=devise, jour=premiere, categorie=str(nombre),
        montant=sum((p.reste_du for p in choisies), ZERO),
        retient_jusqu_au=fin_d_examen(au, jours=jours_d_examen(client)),
    )  # fmt: skip


CATEGORIES = tuple(c for c in Litige.Categorie.values if c != Litige.Categorie.A_VERIFIER)


def jours_d_examen(client: Client) -> int:
    """Jours qu'une déclaration à examiner retient au plus : le réglage des réponses de la société."""
    lus = ReglageReponses.objects.filter(societe=client.societe_id).values_list("retient_jours", flat=True).first()
    return 7 if lus is None else lus


def jour_de(moment: datetime) -> date:
    return timezone.localtime(moment).date()


def ouvrir(lien: LienPortail, depot: Depot, moment: datetime) -> tuple[Client, Declaration | None]:
    """Le client, verrouillé, et la déclaration déjà écrite par ce formulaire. Lève ValidationError : fermé, quota."""
    verrou = Client.objects.select_for_update(no_key=True, of=("self",)).select_related("societe", "gestionnaire")
    client = verrou.get(pk=lien.client_id)
    if not depot.cle:
        raise ValidationError(_("Ce formulaire est incomplet : rouvrez la page."))
    deja = Declaration.objects.filter(lien=lien, cle=depot.cle).first()
    if deja:
        return client, deja
    if raison := fermeture(client):
        raise ValidationError(raison)
    minuit = timezone.localtime(moment).replace(hour=0, minute=0, second=0, microsecond=0)
    du_jour = Declaration.objects.filter(client=client, faite_le__gte=minuit).exclude(genre=G.CARTE)
    if du_jour.count() >= PAR_JOUR:
        raise ValidationError(
            _("Vous avez déjà écrit %(n)d fois aujourd'hui : téléphonez-nous, ou revenez demain.") % {"n": PAR_JOUR}
        )
    return client, None


def choisir(client: Client, cles: Iterable[int], *, libres: bool = False) -> tuple[list[Echeance], str]:
    """Les pièces choisies et leur devise. libres : ni contestées, ni dans un échéancier. Lève ValidationError."""
    voulues = set(cles)
    choisies = [p for p in pieces_declarables(client) if p.pk in voulues]
    if not choisies or len(choisies) != len(voulues):
        raise ValidationError(
            {"pieces": _("Choisissez au moins une facture encore due ; si l'une vient d'être réglée, rouvrez la page.")}
        )
    if len({p.devise for p in choisies}) > 1:
        raise ValidationError({"pieces": _("Choisissez des factures d'une même devise.")})
    if libres and (prises := [p.facture.numero for p in choisies if p.plan]):
        raise ValidationError(
            {"pieces": _("%(pieces)s : déjà dans un échéancier en cours.") % {"pieces": ", ".join(prises)}}
        )
    return choisies, choisies[0].devise


def _a_l_examen(client: Client, choisies: list[Echeance], genre: str) -> bool:
    attendues = Declaration.objects.a_traiter().filter(client=client, genre=genre, echeances__in=choisies)
    return attendues.exists()


def joindre(client: Client, fichiers: Sequence[tuple[bytes, str]]) -> list[Document]:
    """Range les fichiers chez le client, reconnus à leur contenu. Lève ValidationError sur le champ « fichiers »."""
    if len(fichiers) > FICHIERS_MAX:
        raise ValidationError({"fichiers": _("Joignez %(n)d fichiers au plus.") % {"n": FICHIERS_MAX}})
    if sum(len(octets) for octets, _nom in fichiers) > OCTETS_MAX:
        raise ValidationError({"fichiers": _("Les fichiers dépassent 30 Mo en tout.")})
    documents = []
    for octets, nom in fichiers:
        try:
            document, _neuf = ajouter_document(client, octets=octets, nom=nom, origine=Document.Origine.PORTAIL)
        except ValidationError as erreur:
            phrase = f"{propre(nom, longueur=60)} : {erreur.messages[0]}"
            raise ValidationError({"fichiers": phrase}) from erreur
        documents.append(document)
    return documents


def ecrire_declaration(
    lien: LienPortail, client: Client, depot: Depot, choisies: list[Echeance], moment: datetime, *, genre: str, **champs
) -> Declaration:
    """Écrit la déclaration, ses fichiers, son maillon, sa tâche et l'accusé au client."""
    documents = joindre(client, depot.fichiers)
    declaration = Declaration.objects.create(
        client=client, lien=lien, genre=genre, cle=depot.cle[:80], faite_le=moment,
        texte=propre(depot.texte, longueur=2000, lignes=True), nom=propre(depot.nom, longueur=120),
        adresse_ip=depot.adresse_ip, agent=propre(depot.agent, longueur=250), **champs,
    )  # fmt: skip
    declaration.echeances.set(choisies)
    declaration.documents.set(documents)
    with dans_la_langue_de_l_equipe():
        texte = resume(declaration)
    consigner(
        "declaration.faite", societe=client.societe, objet=declaration, client=client, texte=texte,
        donnees={
            "genre": genre, "montant": declaration.montant, "echeances": [p.pk for p in choisies], "lien": lien.pk,
            "retient_jusqu_au": declaration.retient_jusqu_au,
        },
    )  # fmt: skip
    if declaration.statut == S.A_TRAITER:
        ouvrir_tache(declaration, choisies)
    accuser(declaration)
    return declaration
