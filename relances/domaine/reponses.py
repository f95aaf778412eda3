"""Un courriel reçu : ce qu'il est, et pourquoi.

Rien ici ne lit d'octets (`relances.reponses.lecture`) ni n'écrit en base. Les catégories portent les noms de
`MessageRecu.Categorie`.
"""

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import date, datetime
from enum import StrEnum


class Categorie(StrEnum):
    """Mêmes valeurs que `MessageRecu.Categorie`."""

    REPONSE = "reponse"
    ABSENCE = "absence"
    REJET = "rejet"
    REJET_PASSAGER = "rejet_passager"
    PLAINTE = "plainte"
    OPPOSITION = "opposition"
    REMIS = "remis"
    AUTRE = "autre"


@dataclass(frozen=True)
class Piece:
    """Une pièce jointe. `mime` est prouvé par le contenu ; vide : pièce nommée et refusée, `refus` dit pourquoi.

    Une pièce refusée n'a pas d'octets gardés ; `taille` (octets) se dit toujours.
    """

    nom: str
    type_annonce: str
    taille: int
    octets: bytes = b""
    mime: str = ""
    suffixe: str = ""
    refus: str = ""


@dataclass(frozen=True)
class SortDeclare:
    """Un destinataire d'un rapport (RFC 3464, § 2.3) : adresse, action, code X.Y.Z, diagnostic."""

    adresse: str
    action: str = ""  # failed, delayed, delivered, relayed, expanded
    code: str = ""
    diagnostic: str = ""


@dataclass(frozen=True)
class Rapport:
    """Ce qu'un serveur rapporte : `genre` « dsn » (RFC 3464), « arf » (RFC 5965) ou « mdn » (RFC 8098)."""

    genre: str
    sorts: tuple[SortDeclare, ...] = ()
    type_plainte: str = ""  # Feedback-Type : abuse, fraud, opt-out, not-spam…


@dataclass(frozen=True)
class MessageLu:
    """Un courriel reçu, lu et borné. Adresses en minuscules, identifiants avec leurs chevrons (« <x@y> »)."""

    message_id: str = ""
    en_reponse_a: str = ""
    references: tuple[str, ...] = ()
    de: str = ""
    de_nom: str = ""
    destinataires: tuple[str, ...] = ()  # To, Cc, Delivered-To, X-Original-To, Envelope-To…
    objet: str = ""
    date: datetime | None = None  # avec fuseau
    entetes: Mapping[str, str] = field(default_factory=dict)  # nom en minuscules → première valeur
    texte: str = ""  # corps, en texte (traduit du HTML s'il n'y a que lui)
    html_texte: str = ""  # le HTML mis en texte, jamais rendu
    pieces: tuple[Piece, ...] = ()
    rapport: Rapport | None = None
    # Ce que le rapport ou le rejet cite du message parti : son identifiant, à qui, l'adresse de réponse (jeton), l'objet.
    origine_message_id: str = ""
    origine_destinataires: tuple[str, ...] = ()
    origine_reponse_a: tuple[str, ...] = ()
    origine_objet: str = ""


@dataclass(frozen=True)
class Classement:
    """raison : une phrase pour l'écran. passager : un rejet qui peut passer (ne pas invalider l'adresse au premier)."""

    categorie: Categorie
    raison: str
    adresse_fautive: str = ""
    code: str = ""
    passager: bool = False
    absent_jusqu_au: date | None = None
    diagnostic: str = ""
    autres_adresses: tuple[str, ...] = ()  # rapport à plusieurs destinataires : les suivantes


def classer(lu: MessageLu) -> Classement:
    """Catégorie d'un courriel reçu. Ne lève pas."""
    return Classement(Categorie.REPONSE, "écrit par une personne")


def categorie_d_evenement(
    event_type: str, *, reject_reason: str = "", code: str = "", description: str = "", recipient: str = ""
) -> Classement | None:
    """Événement normalisé d'Anymail (`AnymailTrackingEvent`) ; None : à jeter (ouvertures, clics, mise en file)."""
    return None
