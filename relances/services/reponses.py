"""Un courriel reçu devient un fait de la maison : classé, rattaché, gardé tel quel, et ses suites tirées.

Rejouable : la même clé source n'écrit qu'une ligne, avec ses effets, dans une transaction. Ce que rien ne rattache
attend une personne ; rien de ce qu'une machine a écrit ne reçoit de réponse automatique.
"""

import hashlib
import re
import unicodedata
from dataclasses import replace
from datetime import date, datetime, timedelta

from django.conf import settings
from django.core.exceptions import ValidationError
from django.db import IntegrityError, transaction
from django.utils import timezone
from django.utils.translation import gettext as _
from django.utils.translation import gettext_noop

from clients.documents import ajouter_document
from clients.models import Client, Document
from recouvrement.commun import depot
from recouvrement.commun.domaine.textes_recus import SENS
from recouvrement.commun.horloge import aujourd_hui
from recouvrement.comptes.models import Societe
from recouvrement.journal.services import consigner
from relances.domaine.citations import couper
from relances.domaine.reponses import Categorie, Classement, MessageLu, Piece, classer
from relances.models import MessageRecu, ReglageReponses

from . import effets_reponses as effets
from .rattachements import Rattachement, de_la_maison, rattacher

S = MessageRecu.Statut
PAR_HEURE = 20  # courriels d'une même adresse ; au-delà, deux machines se répondent
TEXTE_MAX = 100_000  # caractères gardés à l'écran ; l'original est au dépôt
ANCIEN = timedelta(days=60)
IDENTIFIANT = re.compile(r"<[^<>\s]{1,156}>")
DE_NOUS = gettext_noop("écrit par la maison : une boucle, rien à lire")
TROP = gettext_noop("trop de courriels de cette adresse en une heure : une boucle sans doute")
# Un serveur peut rendre cent rejets en une heure : eux ne font pas une boucle.
COMPTES_EN_BOUCLE = frozenset({Categorie.REPONSE, Categorie.ABSENCE, Categorie.AUTRE, Categorie.OPPOSITION})


def cle_de(lu: MessageLu, brut: bytes) -> str:
    """Clé source d'un courriel : son Message-ID s'il en a un vrai ; sinon ce qu'il dit, ou ses octets.

    Un fournisseur recompose le courriel à chaque annonce : les octets changent, pas ce qui est dit.
    """
    identifiant = lu.message_id.strip()
    if IDENTIFIANT.fullmatch(identifiant):
        return identifiant
    dit = f"{lu.de}\n{lu.date}\n{lu.objet}\n{lu.texte}".encode("utf-8", "replace") if lu.de else brut
    return hashlib.sha256(dit).hexdigest()


def recevoir(
    lu: MessageLu,
    *,
    origine: str,
    cle_source: str,
    societe: Societe | None = None,
    brut: bytes = b"",
    classement: Classement | None = None,
    au: date | None = None,
) -> MessageRecu:
    """Range ce courriel et en tire les suites ; le même, relu, rend la ligne écrite la première fois.

    societe : celle de la boîte lue, si on la sait. brut : ses octets, rangés par empreinte. classement : déjà jugé
    (illisible) ; sinon `classer`. Lève `effets.PasEncore` si l'envoi en cause est en train de partir.
    """
    au = au or aujourd_hui()
    cle = _propre(cle_source, 160)
    texte, cite = _textes(lu)
    ancien = MessageRecu.objects.filter(origine=origine, cle_source=cle).first()
    if ancien and not _autre(ancien, lu, texte, societe):
        return ancien
    if ancien:  # même identifiant, autre courriel ou autre boîte : on ne perd pas le second
        cle = cle_bis(cle, societe, lu.de, texte)
        if jumeau := MessageRecu.objects.filter(origine=origine, cle_source=cle).first():
            return jumeau
    classement = classement or classer(lu, au=au)
    lien = rattacher(lu, societe=societe, adresse_fautive=classement.adresse_fautive)
    chemin, empreinte = depot.ranger(brut, ".eml") if brut else ("", "")
    champs = {
        "societe": lien.societe, "client": lien.client, "courrier": lien.courrier, "message": lien.message,
        "categorie": classement.categorie.value, "raison": _propre(classement.raison, 250), "recu_le": _recu_le(lu),
        "de": _propre(lu.de, 254), "de_nom": _propre(lu.de_nom, 160), "objet": _propre(lu.objet, 250),
        "texte": texte, "cite": cite, "adresse_fautive": _propre(classement.adresse_fautive, 254),
        "code": _propre(classement.code, 20), "diagnostic": _propre(classement.diagnostic, 400),
        "absent_jusqu_au": classement.absent_jusqu_au, "brut_chemin": chemin, "brut_empreinte": empreinte,
        "statut": S.A_LIRE,
    }  # fmt: skip
    if raison := _boucle(lu, classement, lien):
        champs |= {"statut": S.ECARTE, "raison": raison}
    return _ecrire(origine, cle, champs, lien, classement, lu, au=au)


def _ecrire(origine, cle, champs, lien: Rattachement, classement: Classement, lu: MessageLu, *, au) -> MessageRecu:
    try:
        with transaction.atomic():
            if lien.client:
                _verrouiller_le_client(lien.client.pk)
            recu = MessageRecu.objects.create(origine=origine, cle_source=cle, **champs)
            if recu.statut != S.ECARTE:
                if recu.client:
                    joindre_pieces(recu, lu.pieces)
                elif lu.pieces:
                    refuser_pieces(recu, lu.pieces)
                effets.tirer(recu, lien, classement, lu, au=au)
            consigner(
                "reponse.recue", societe=recu.societe, objet=recu, client=recu.client_id,
                texte=f"{recu.get_categorie_display()} : {recu.objet or recu.de}"[:250],
                donnees={"categorie": recu.categorie, "preuve": lien.preuve, "statut": recu.statut},
            )  # fmt: skip
    except IntegrityError:  # deux lectures de la même boîte : l'autre l'a rangé
        return MessageRecu.objects.get(origine=origine, cle_source=cle)
    return recu


def _verrouiller_le_client(pk: int) -> None:
    """Le client avant l'envoi et le journal, comme partout : les suites ouvrent des tâches, qui le verrouillent."""
    Client.objects.select_for_update(no_key=True, of=("self",)).get(pk=pk)


def recevoir_illisible(
    brut: bytes, *, origine: str, raison: str, societe: Societe | None = None, cle_source: str = ""
) -> MessageRecu:
    """Un courriel qu'on ne sait pas lire se garde et se trie ; il n'a ni effet, ni expéditeur."""
    classement = Classement(Categorie.AUTRE, _("illisible : %(raison)s") % {"raison": raison})
    cle = cle_source or hashlib.sha256(brut).hexdigest()
    return recevoir(MessageLu(), origine=origine, cle_source=cle, societe=societe, brut=brut, classement=classement)


def cle_bis(cle: str, societe: Societe | None, de: str, texte: str) -> str:
    """Clé du second courriel de même identifiant ; l'identifiant reste devant, pour y répondre."""
    marque = hashlib.sha256(f"{getattr(societe, 'pk', '')}\n{de}\n{texte}".encode("utf-8", "replace")).hexdigest()[:16]
    return f"{cle[:143]} {marque}"


def _autre(ancien: MessageRecu, lu: MessageLu, texte: str, societe: Societe | None) -> bool:
    ailleurs = societe is not None and ancien.societe_id not in (None, societe.pk) and ancien.courrier_id is None
    return ailleurs or (ancien.de, ancien.texte) != (_propre(lu.de, 254), texte)


def _textes(lu: MessageLu) -> tuple[str, str]:
    """(écrit, cité) ; la signature reste avec ce que la personne a écrit."""
    coupe = couper(lu.texte)
    ecrit = "\n\n".join(x for x in (coupe.ecrit, coupe.signature) if x)
    return _propre(ecrit, TEXTE_MAX, lignes=True), _propre(coupe.cite, TEXTE_MAX, lignes=True)


def _propre(texte: str, maximum: int, *, lignes: bool = False) -> str:
    """Sans caractère de commande ni marque qui renverse le sens d'écriture (un nom « de droite à gauche »)."""
    permis = "\n\t" if lignes else ""
    texte = texte.replace("\r\n", "\n").replace("\r", "\n")
    gardes = (c for c in texte if c in permis or not (c in SENS or unicodedata.category(c) in ("Cc", "Cs")))
    return "".join(gardes).strip()[:maximum]


def _recu_le(lu: MessageLu) -> datetime:
    """La date écrite dans le courriel si elle est croyable ; sinon maintenant."""
    maintenant = timezone.now()
    if lu.date and timezone.is_aware(lu.date) and maintenant - ANCIEN < lu.date <= maintenant:
        return lu.date
    return maintenant


def _boucle(lu: MessageLu, classement: Classement, lien: Rattachement) -> str:
    """Pourquoi ce courriel ne se lit pas ; vide : il se lit."""
    adresses = {settings.DEFAULT_FROM_EMAIL.rpartition("<")[2].rstrip("> ")}
    adresses |= set(ReglageReponses.objects.exclude(adresse="").values_list("adresse", flat=True))
    if lu.rapport is None and de_la_maison(lu, adresses):
        return _(DE_NOUS)
    if lu.de and classement.categorie in COMPTES_EN_BOUCLE:
        depuis = timezone.now() - timedelta(hours=1)
        if MessageRecu.objects.filter(de=_propre(lu.de, 254), created_at__gt=depuis)[:PAR_HEURE].count() >= PAR_HEURE:
            return _(TROP)
    return ""


# --- Les pièces ---------------------------------------------------------------------------------


def joindre_pieces(recu: MessageRecu, pieces: tuple[Piece, ...]) -> None:
    """Les pièces acceptées rejoignent les documents du client ; les autres sont nommées, avec leur motif."""
    refusees = []
    for piece in pieces:
        motif = piece.refus
        if not motif:
            try:
                document, _neuf = ajouter_document(
                    recu.client, octets=piece.octets, nom=piece.nom, titre=recu.objet[:160],
                    origine=Document.Origine.COURRIEL,
                )  # fmt: skip
                recu.documents.add(document)
                continue
            except ValidationError as refus:
                motif = " ".join(refus.messages)
        refusees.append({"nom": _propre(piece.nom, 160), "taille": piece.taille, "motif": motif})
    recu.pieces_refusees = refusees
    recu.save(update_fields=["pieces_refusees"])


def refuser_pieces(recu: MessageRecu, pieces: tuple[Piece, ...]) -> None:
    """Sans client, une pièce n'a pas de fiche où aller : elle reste dans l'original, et se range au rattachement."""
    attend = _("rangée dès que le courriel est rattaché à un client")
    joindre = tuple(p if p.refus else replace(p, octets=b"", refus=attend) for p in pieces)
    recu.pieces_refusees = [{"nom": _propre(p.nom, 160), "taille": p.taille, "motif": p.refus} for p in joindre]
    recu.save(update_fields=["pieces_refusees"])


# --- Ce qu'une personne en fait -----------------------------------------------------------------


def _passer(recu: MessageRecu, de: tuple[str, ...], vers: str, **champs) -> bool:
    """Mise à jour conditionnelle ; faux si un autre onglet, ou un collègue, l'a fait avant."""
    if not MessageRecu.objects.filter(pk=recu.pk, statut__in=de).update(statut=vers, **champs):
        return False
    recu.refresh_from_db()
    return True


@transaction.atomic
def lire(recu: MessageRecu, *, acteur) -> bool:
    """Lu : la réponse ne retient plus l'échelle, sa tâche se clôt si c'était la dernière. Faux si c'est déjà fait."""
    if not _passer(recu, (S.A_LIRE,), S.LU, lu_par=acteur, lu_le=timezone.now()):
        return False
    effets.clore_la_tache(recu, acteur=acteur)
    _geste("reponse.lue", recu, acteur, _("Réponse lue"))
    return True


@transaction.atomic
def ecarter(recu: MessageRecu, *, acteur) -> bool:
    """Sans rapport avec un client (publicité, erreur d'adresse) : gardé, ne retient rien."""
    if not _passer(recu, (S.A_LIRE, S.LU), S.ECARTE, lu_par=acteur, lu_le=timezone.now()):
        return False
    effets.clore_la_tache(recu, acteur=acteur)
    _geste("reponse.ecartee", recu, acteur, _("Réponse écartée"))
    return True


@transaction.atomic
def remettre_a_lire(recu: MessageRecu, *, acteur, au: date) -> bool:
    """Défait « lu » ou « écarté » : la retenue reprend, jusqu'au même jour."""
    if not _passer(recu, (S.LU, S.ECARTE), S.A_LIRE, lu_par=None, lu_le=None):
        return False
    if recu.client:
        effets.ouvrir_la_tache(recu, au=au)
    _geste("reponse.a_relire", recu, acteur, _("Réponse à lire de nouveau"))
    return True


@transaction.atomic
def rattacher_a(recu: MessageRecu, client: Client, *, acteur, au: date) -> bool:
    """Une personne dit de qui vient ce courriel : ses pièces rejoignent la fiche, il retient l'échelle s'il le doit.

    Faux s'il n'attend plus. Un courriel déjà rattaché change de client ; un envoi prouvé, lui, ne se déplace pas.
    """
    _verrouiller_le_client(client.pk)
    recu = MessageRecu.objects.select_for_update(no_key=True, of=("self",)).get(pk=recu.pk)
    if recu.statut not in (S.A_LIRE, S.LU) or recu.courrier_id or recu.message_id or recu.client_id == client.pk:
        return False
    ancien, recu.client, recu.societe = recu.client, client, client.societe
    if ancien:
        effets.clore_la_tache(recu, acteur=acteur, client=ancien)
    recu.save(update_fields=["client", "societe"])
    if pieces := _pieces_d_origine(recu):
        recu.documents.clear()
        joindre_pieces(recu, pieces)
    if recu.statut == S.A_LIRE:
        effets.retenir(recu, au=au)
        effets.ouvrir_la_tache(recu, au=au)
    _geste("reponse.rattachee", recu, acteur, _("Courriel rattaché : %(objet)s") % {"objet": recu.objet or recu.de})
    return True


def _pieces_d_origine(recu: MessageRecu) -> tuple[Piece, ...]:
    from relances.reponses.lecture import CourrielIllisible
    from relances.reponses.lecture import lire as lire_octets

    if not recu.brut_chemin:
        return ()
    try:
        return lire_octets(depot.lire(recu.brut_chemin, recu.brut_empreinte)).pieces
    except (CourrielIllisible, depot.ErreurDepot):
        return ()


def repondre(recu: MessageRecu, *, objet: str, texte: str, acteur):
    """Écrit à la personne, dans le fil ; dix secondes pour s'en raviser. Répondre, c'est avoir lu.

    Lève ValidationError : une machine, une adresse vide, un texte vide, aucun client.
    """
    from .messages import ecrire

    if not texte.strip():
        raise ValidationError({"texte": _("Écrivez votre réponse.")})
    if not peut_recevoir_une_reponse(recu):
        raise ValidationError(_("Ce courriel ne vient pas d'une personne connue : il ne reçoit pas de réponse."))
    with transaction.atomic():
        message = ecrire(
            recu.client, genre="reponse", destinataire=recu.de, objet=objet, texte=texte.strip(), acteur=acteur,
            cle=f"reponse:{recu.pk}:{hashlib.sha256(texte.strip().encode()).hexdigest()[:16]}", repond_a=recu,
        )  # fmt: skip
        lire(recu, acteur=acteur)
    return message


def peut_recevoir_une_reponse(recu: MessageRecu) -> bool:
    """Une personne a écrit, et l'on sait de quel client : jamais un automate, jamais un rejet."""
    personne = recu.categorie in (Categorie.REPONSE, Categorie.OPPOSITION, Categorie.AUTRE)
    return personne and recu.client_id is not None and "@" in recu.de and recu.statut != S.ECARTE


@transaction.atomic
def confirmer_le_rejet(recu: MessageRecu, *, acteur, au: date) -> bool:
    """Un rejet, une plainte, une opposition que rien ne prouvait : la personne l'a lu, l'adresse ne sert plus."""
    if recu.categorie not in effets.A_CONFIRMER or recu.client is None or not recu.adresse_fautive:
        return False
    _verrouiller_le_client(recu.client_id)
    if not _passer(recu, (S.A_LIRE,), S.CONSTATE, lu_par=acteur, lu_le=timezone.now()):
        return False
    effets.condamner(recu.client, recu.adresse_fautive, motif=effets.motif_de(recu), au=au, acteur=acteur)
    effets.clore_la_tache(recu, acteur=acteur)
    _geste("reponse.rejet_confirme", recu, acteur, _("Rejet confirmé : %(a)s") % {"a": recu.adresse_fautive})
    return True


def _geste(action: str, recu: MessageRecu, acteur, texte: str) -> None:
    consigner(action, societe=recu.societe, acteur=acteur, objet=recu, client=recu.client_id, texte=texte)
