"""Ce que l'équipe décide d'une déclaration du client, et ce qui se conclut seul : argent arrivé, carte constatée."""

from collections import defaultdict
from datetime import date, datetime
from decimal import Decimal

from django.core.exceptions import ValidationError
from django.db import transaction
from django.utils import timezone
from django.utils.translation import gettext as _

from clients.models import Client
from factures.domaine.calendrier import ajouter_jours_ouvres
from factures.models import EchangeLitige, Echeance, Encaissement
from factures.services import ouvrir_litige, promettre
from recouvrement.commun.formats import somme
from recouvrement.comptes.models import Societe
from recouvrement.journal.services import consigner
from relances.domaine.declarations import est_arrive, fin_d_attente_d_un_paiement, propre
from relances.models import Declaration, LienPortail, Message, Tache

from .declarations_portail_mots import (
    accuser,
    clore_tache,
    dans_la_langue_de_l_equipe,
    ouvrir_tache,
    repondre,
    resume,
)
from .messages import annuler_message
from .taches import creer_tache

REPONSE_LITIGE = 15  # jours ouvrés proposés pour répondre à une contestation acceptée
G, S = Declaration.Genre, Declaration.Statut


def reponse_attendue(declaration: Declaration, *, au: date) -> date:
    """Date de réponse proposée pour le litige."""
    return ajouter_jours_ouvres(au, REPONSE_LITIGE, declaration.client.societe.region_feries)


@transaction.atomic
def accepter(
    declaration: Declaration, *, au: date, acteur, mot: str = "", a_traiter_le: date | None = None
) -> Declaration:
    """La déclaration devient ce qu'elle dit : litige, promesse, vérification de paiement, échéancier à signer.

    a_traiter_le : réponse promise pour un litige (défaut : quinze jours ouvrés). mot : ce que le client en lit.
    Déjà décidée : rendue telle quelle. Lève ValidationError si ce qu'elle vise a changé (payé, déjà contesté…).
    """
    declaration = _verrouiller(declaration)
    if declaration.statut != S.A_TRAITER:
        return declaration
    pieces = list(declaration.echeances.select_related("facture").order_by("pk"))
    ouvertes = [p for p in pieces if p.reste_du]
    if not ouvertes and declaration.genre not in (G.PAYE, G.CARTE):
        raise ValidationError(_("Ces pièces sont soldées : il n'y a plus rien à convenir. Écartez la déclaration."))
    suite = {
        G.PAYE: _attendre_le_paiement, G.CARTE: _attendre_le_paiement, G.CONTESTE: _ouvrir_les_litiges,
        G.PROMET: _noter_la_promesse, G.DELAI: _proposer_l_accord,
    }[declaration.genre]  # fmt: skip
    champs = suite(declaration, ouvertes, au=au, acteur=acteur, a_traiter_le=a_traiter_le)
    decision = champs.pop("decision")
    _decider(declaration, S.ACCEPTEE, decision=decision, acteur=acteur, **champs)
    if texte := propre(mot, longueur=2000, lignes=True):
        repondre(declaration, texte, acteur=acteur)
    return declaration


@transaction.atomic
def ecarter(declaration: Declaration, *, mot: str, acteur) -> Declaration:
    """Rien n'en vient, et le client sait pourquoi ; l'échelle reprend. Lève ValidationError sans mot au client."""
    declaration = _verrouiller(declaration)
    if declaration.statut != S.A_TRAITER:
        return declaration
    texte = propre(mot, longueur=2000, lignes=True)
    if not texte:
        raise ValidationError({"mot": _("Dites au client pourquoi : il attend une réponse.")})
    _decider(declaration, S.ECARTEE, decision=texte, acteur=acteur, retient_jusqu_au=None)
    repondre(declaration, texte, acteur=acteur)
    return declaration


@transaction.atomic
def remettre_a_traiter(declaration: Declaration, *, au: date, acteur) -> bool:
    """Défait une décision d'écarter, ou la vérification d'un paiement ; faux si autre chose en est né.

    Le mot au client s'annule s'il n'est pas parti. La retenue n'est pas rendue au-delà de ce qu'elle valait.
    """
    declaration = _verrouiller(declaration)
    ne = declaration.litige_id or declaration.promesse_id or declaration.accord_id
    if declaration.statut == S.A_TRAITER or ne or declaration.genre == G.CARTE:
        return False
    declaration.statut, declaration.decision = S.A_TRAITER, ""
    declaration.decidee_le = declaration.decidee_par = None
    declaration.save(update_fields=["statut", "decision", "decidee_le", "decidee_par"])
    mots = Message.objects.filter(client=declaration.client_id, cle=f"declaration:{declaration.pk}:reponse")
    for message in mots.exclude(statut=Message.Statut.ANNULE):
        annuler_message(message, acteur=acteur)
    Tache.objects.filter(client=declaration.client_id, cle=_cle_de_verification(declaration), faite_le=None).delete()
    ouvrir_tache(declaration, list(declaration.echeances.select_related("facture")))
    _consigner("declaration.rouverte", declaration, acteur)
    return True


def _verrouiller(declaration: Declaration) -> Declaration:
    """Le client d'abord, comme tous les services qui touchent ses pièces ; puis la déclaration relue."""
    Client.objects.select_for_update(no_key=True, of=("self",)).get(pk=declaration.client_id)
    lues = Declaration.objects.select_related("client__societe", "lien__courrier", "lien__message", "lien__client")
    return lues.get(pk=declaration.pk)


def _attendre_le_paiement(declaration, ouvertes, *, au, acteur, a_traiter_le) -> dict:
    """Une personne croit le client : elle vérifiera le relevé le jour où la retenue finit."""
    fin = declaration.retient_jusqu_au or au
    creer_tache(
        declaration.client, genre=Tache.Genre.AUTRE, titre=_("Vérifier l'arrivée du paiement annoncé"),
        due_le=max(fin, au), cle=_cle_de_verification(declaration), raison=resume(declaration)[:250],
    )  # fmt: skip
    return {"decision": _("Arrivée du paiement à vérifier")}


def _cle_de_verification(declaration: Declaration) -> str:
    return f"declaration:{declaration.pk}:paiement"


def _ouvrir_les_litiges(declaration, ouvertes, *, au, acteur, a_traiter_le) -> dict:
    """Un litige par pièce, prérempli : une seule porte la part dite ; plusieurs sont contestées en entier."""
    premier = None
    documents = list(declaration.documents.all())
    for piece in ouvertes:
        part = min(declaration.montant, piece.reste_du) if len(ouvertes) == 1 else piece.reste_du
        litige = ouvrir_litige(
            piece, montant=part, categorie=declaration.categorie, au=au, acteur=acteur, responsable=acteur,
            a_traiter_le=a_traiter_le or reponse_attendue(declaration, au=au), description=declaration.texte,
        )  # fmt: skip
        premier = premier or litige
        EchangeLitige.objects.create(
            litige=litige, sens=EchangeLitige.Sens.RECU, texte=declaration.texte,
            le=timezone.localtime(declaration.faite_le).date(), document=documents[0] if documents else None,
        )  # fmt: skip
    return {"litige": premier, "retient_jusqu_au": None, "decision": _("Litige ouvert")}


def _noter_la_promesse(declaration, ouvertes, *, au, acteur, a_traiter_le) -> dict:
    du = sum((p.reste_du for p in ouvertes), Decimal("0.00"))
    promesse = promettre(
        declaration.client, ouvertes, montant=min(declaration.montant, du), date_promise=declaration.jour, au=au,
        acteur=acteur,
    )  # fmt: skip
    return {"promesse": promesse, "retient_jusqu_au": None, "decision": _("Promesse notée")}


def _proposer_l_accord(declaration, ouvertes, *, au, acteur, a_traiter_le) -> dict:
    from .signatures import etablir

    accord = etablir(
        declaration.client, ouvertes, nombre=int(declaration.categorie), premiere=declaration.jour, au=au,
        acteur=acteur, cle=f"declaration:{declaration.pk}",
    )  # fmt: skip
    return {"accord": accord, "decision": _("Échéancier à signer")}


def _decider(declaration: Declaration, statut: str, *, decision: str, acteur, **champs) -> None:
    champs |= {
        "statut": statut, "decision": decision[:250], "decidee_par": acteur, "decidee_le": timezone.now(),
    }  # fmt: skip
    for nom, valeur in champs.items():
        setattr(declaration, nom, valeur)
    declaration.save(update_fields=list(champs))
    clore_tache(declaration, issue=decision, acteur=acteur)
    _consigner(f"declaration.{statut}", declaration, acteur)


def _consigner(action: str, declaration: Declaration, acteur) -> None:
    with dans_la_langue_de_l_equipe():
        texte = resume(declaration)
    consigner(
        action, societe=declaration.client.societe, acteur=acteur, objet=declaration, client=declaration.client_id,
        texte=f"{texte} : {declaration.decision}" if declaration.decision else texte,
        donnees={"genre": declaration.genre, "statut": declaration.statut},
    )  # fmt: skip


def conclure_declarations(societe: Societe, *, au: date) -> int:
    """Ferme les « j'ai payé » dont l'argent est là (encaissement, ou pièces soldées) ; rend leur nombre. Rejouable.

    Trois requêtes, plus l'écriture de chaque déclaration conclue.
    """
    attendues = Declaration.objects.filter(client__societe=societe, genre__in=(G.PAYE, G.CARTE)).exclude(
        statut=S.ECARTEE
    )
    attendues = list(
        attendues.exclude(statut=S.ACCEPTEE, retient_jusqu_au=None)
        .select_related("client__societe")
        .prefetch_related("echeances")
    )
    recus: dict[tuple[int, str], list[tuple[date, Decimal]]] = defaultdict(list)
    lus = Encaissement.objects.filter(client__in={d.client_id for d in attendues}, rejete_le=None, date__lte=au)
    for client, devise, jour, montant in lus.values_list("client", "devise", "date", "montant"):
        recus[client, devise].append((jour, montant))
    conclues = 0
    for d in attendues:
        pieces = list(d.echeances.all())
        soldees = bool(pieces) and not any(p.reste_du for p in pieces)
        if soldees or est_arrive(d.montant, d.jour, recus[d.client_id, d.devise]):
            conclues += _conclure(d)
    return conclues


@transaction.atomic
def _conclure(declaration: Declaration) -> bool:
    declaration = _verrouiller(declaration)
    if declaration.statut == S.ECARTEE or (declaration.statut == S.ACCEPTEE and not declaration.retient_jusqu_au):
        return False
    with dans_la_langue_de_l_equipe():
        _decider(declaration, S.ACCEPTEE, decision=_("Paiement reçu"), acteur=None, retient_jusqu_au=None)
        verification = Tache.objects.filter(
            client=declaration.client_id, cle=_cle_de_verification(declaration), faite_le=None
        )
        verification.update(faite_le=timezone.now(), issue=_("paiement reçu"))
    return True


@transaction.atomic
def constater_carte(
    lien: LienPortail,
    *,
    cle: str,
    montant: Decimal,
    devise: str,
    attendu: Decimal,
    devise_attendue: str,
    pieces: list[int],
    moment: datetime,
) -> tuple[Declaration, bool]:
    """Un paiement par carte que le prestataire notifie : (déclaration, vrai si elle est neuve).

    Vérifié, il retient l'échelle le temps d'arriver au relevé ; il n'écrit aucun encaissement. Un montant autre que
    celui qu'on a demandé, ou une autre devise, se garde et attend une personne : l'argent est peut-être là.
    """
    verrou = Client.objects.select_for_update(no_key=True, of=("self",)).select_related("societe")
    client = verrou.get(pk=lien.client_id)
    if deja := Declaration.objects.filter(lien__client=client, cle=cle, genre=G.CARTE).first():
        return deja, False
    au = timezone.localtime(moment).date()
    conforme = (montant, devise) == (attendu, devise_attendue)
    with dans_la_langue_de_l_equipe():
        constat = _("Confirmé par le prestataire de paiement") if conforme else ""
        ecart = "" if conforme else _("Montant notifié différent de celui demandé : %(attendu)s.") % {
            "attendu": somme(attendu, devise_attendue)
        }  # fmt: skip
    declaration = Declaration.objects.create(
        client=client, lien=lien, genre=G.CARTE, cle=cle, montant=montant, devise=devise, jour=au, faite_le=moment,
        statut=S.ACCEPTEE if conforme else S.A_TRAITER, decidee_le=moment if conforme else None, decision=constat,
        texte=ecart,
        retient_jusqu_au=fin_d_attente_d_un_paiement(au, le=au, moyen="carte", region=client.societe.region_feries),
    )  # fmt: skip
    visees = list(Echeance.objects.filter(client=client, pk__in=pieces).select_related("facture"))
    declaration.echeances.set(visees)
    _consigner("declaration.faite", declaration, None)
    if not conforme:
        ouvrir_tache(declaration, visees)
    accuser(declaration)
    return declaration, True


def pieces_payees_par_carte(client: Client) -> set[int]:
    """Pièces payées par carte dont l'argent n'est pas encore au relevé : ne se demandent pas deux fois. Une requête."""
    en_route = Declaration.objects.filter(client=client, genre=G.CARTE, retient_jusqu_au__isnull=False)
    return set(en_route.exclude(statut=S.ECARTEE).exclude(echeances=None).values_list("echeances", flat=True))
