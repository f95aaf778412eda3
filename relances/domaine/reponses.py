"""Un courriel reçu : ce qu'il est, et pourquoi.

Rien ici ne lit d'octets (`relances.reponses.lecture`) ni n'écrit en base. Les catégories portent les noms de
`MessageRecu.Categorie`. La table publiée : `docs/reponses.md`.
"""

import re
import unicodedata
from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import date, datetime
from enum import StrEnum

from . import absences, rejets
from .citations import couper

TEXTE_MAX = 20_000  # caractères regardés pour classer


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
    integree: bool = False  # image posée dans le corps (logo, capture collée)


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
    # Ce que le rapport ou le rejet cite du message parti : identifiant, à qui, adresse de réponse (jeton), objet.
    origine_message_id: str = ""
    origine_destinataires: tuple[str, ...] = ()
    origine_reponse_a: tuple[str, ...] = ()
    origine_objet: str = ""


@dataclass(frozen=True)
class Classement:
    """raison : une phrase pour l'écran.

    passager : peut passer plus tard, ne pas invalider l'adresse au premier. retard : le serveur essaie encore, ce n'est
    pas un rejet. adresse_en_cause : l'adresse est mauvaise (faux : refus du message, boîte pleine, politique).
    """

    categorie: Categorie
    raison: str
    adresse_fautive: str = ""
    code: str = ""
    passager: bool = False
    absent_jusqu_au: date | None = None
    diagnostic: str = ""
    autres_adresses: tuple[str, ...] = ()  # rapport à plusieurs destinataires : les suivantes
    retard: bool = False
    adresse_en_cause: bool = False


def classer(lu: MessageLu, *, au: date | None = None) -> Classement:
    """Catégorie d'un courriel reçu : les rapports normalisés, les rejets en clair, les automates, puis les personnes.

    Un rejet qui se dit « auto-replied » reste un rejet. au : jour de la lecture, pour un courriel qui n'a pas le sien ;
    sans l'un ni l'autre, une date de retour ne se lit pas. Ne lève pas.
    """
    if lu.rapport and lu.rapport.genre == "arf":
        return _plainte(lu)
    if lu.rapport and lu.rapport.genre == "dsn" and lu.rapport.sorts:
        return _sorts(lu.rapport.sorts)
    if lu.rapport and lu.rapport.genre == "mdn":
        return Classement(Categorie.AUTRE, "accusé de lecture : il ne se suit pas")
    objet, texte = plat(lu.objet), plat_lignes(lu.texte or lu.html_texte)
    rejet = _rejet_en_clair(lu, objet, texte)
    if rejet:
        return rejet
    ecrit = plat_lignes(couper(lu.texte).ecrit) if lu.texte else ""
    raison = absences.automatique(lu.entetes, objet, ecrit)
    if raison:
        recu = lu.date.date() if lu.date else au
        jusqu_au = recu and absences.absent_jusqu_au(objet, " ".join(ecrit.split()), lu.entetes, recu)
        return Classement(Categorie.ABSENCE, raison, adresse_fautive="", absent_jusqu_au=jusqu_au)
    if "list-id" in lu.entetes and not lu.en_reponse_a:
        return Classement(Categorie.AUTRE, "envoi d'une liste de diffusion")
    if _veut_plus(objet, ecrit):
        return Classement(Categorie.OPPOSITION, "demande à ne plus recevoir de courriels", adresse_fautive=lu.de)
    return Classement(Categorie.REPONSE, "écrit par une personne")


def plat(texte: str) -> str:
    """Une ligne, sans accents, en minuscules, blancs unis."""
    return " ".join(plat_lignes(texte[:1000]).split())


def plat_lignes(texte: str) -> str:
    """Sans accents, en minuscules, lignes gardées ; borné."""
    court = texte[:TEXTE_MAX].casefold().replace("\u2019", "'").replace("\u2018", "'").replace("\xa0", " ")
    if court.isascii():
        return court
    return "".join(c for c in unicodedata.normalize("NFKD", court) if not unicodedata.combining(c))


def _plainte(lu: MessageLu) -> Classement:
    sorts = lu.rapport.sorts
    adresse = next((s.adresse for s in sorts if s.adresse), "") or next(iter(lu.origine_destinataires), "")
    genre = lu.rapport.type_plainte.casefold()
    if genre.startswith("opt-out"):
        return Classement(Categorie.OPPOSITION, "désabonnement rapporté par le fournisseur", adresse_fautive=adresse)
    if genre == "not-spam":
        return Classement(Categorie.AUTRE, "le destinataire dit que ce n'est pas indésirable", adresse_fautive=adresse)
    raison = f"rapport de plainte ({genre or 'abuse'})"
    return Classement(Categorie.PLAINTE, raison, adresse_fautive=adresse, code=genre[:20])


_GRAVITES = ("remis", "retard", "passager", "definitif")


def _sorts(sorts: tuple[SortDeclare, ...]) -> Classement:
    """Le plus grave des sorts l'emporte ; à gravité égale, le premier."""
    peses = [(_gravite(s), s) for s in sorts]
    pire = max(peses, key=lambda x: _GRAVITES.index(x[0]))[0]
    retenus = [s for g, s in peses if g == pire]
    premier = next((s for s in retenus if s.adresse), retenus[0])
    champs = {
        "adresse_fautive": premier.adresse,
        "code": premier.code,
        "diagnostic": premier.diagnostic[:400],
        "autres_adresses": tuple(dict.fromkeys(s.adresse for s in retenus if s.adresse not in ("", premier.adresse))),
    }
    if pire == "remis":
        return Classement(Categorie.REMIS, "rapport de remise", **champs)
    if pire == "retard":
        return Classement(Categorie.AUTRE, "retard : le serveur essaie encore", passager=True, retard=True, **champs)
    if pire == "passager":
        return Classement(
            Categorie.REJET_PASSAGER, f"rejet passager ({premier.code or 'sans code'})", passager=True, **champs
        )
    en_cause = rejets.peser(premier.code, plat_lignes(premier.diagnostic)).adresse
    return Classement(Categorie.REJET, f"rejet ({premier.code or 'sans code'})", adresse_en_cause=en_cause, **champs)


def _gravite(sort: SortDeclare) -> str:
    action = sort.action.casefold()
    if action in ("delivered", "relayed", "expanded"):
        return "remis"
    if action == "delayed":
        return "retard"
    if action != "failed" and sort.code.startswith("2"):
        return "remis"
    code = sort.code or rejets.code_de(sort.diagnostic)
    return "passager" if rejets.peser(code, plat_lignes(sort.diagnostic)).passager else "definitif"


def _rejet_en_clair(lu: MessageLu, objet: str, texte: str) -> Classement | None:
    """Rejet sans rapport lisible : il faut un expéditeur-serveur ou un en-tête de rejet, pas seulement des mots."""
    echoues = lu.entetes.get("x-failed-recipients", "")
    machine = rejets.de_machine(lu.de, lu.de_nom)
    vide = lu.entetes.get("return-path", "?").strip() in ("<>", "")
    declare = (
        bool(echoues)
        or "x-ms-exchange-message-is-ndr" in lu.entetes
        or lu.entetes.get("content-type", "").casefold().startswith("multipart/report")
    )
    if not (machine or declare or (vide and rejets.objet_de_rejet(objet))):
        return None
    rejet = rejets.lire_texte(texte, echoues=echoues)
    if rejet is None:
        if not (rejets.objet_de_rejet(objet) and (machine or declare)):
            return None
        rejet = rejets.RejetEnClair((), rejets.code_de(texte), "", "delayed" in objet or "warning" in objet)
    a_nous = set(lu.destinataires)
    adresses = [x for x in rejet.adresses if x not in a_nous] or list(lu.origine_destinataires)
    gravite = rejets.peser(rejet.code, rejet.diagnostic or texte)
    champs = {
        "adresse_fautive": adresses[0] if adresses else "",
        "code": rejet.code,
        "diagnostic": rejet.diagnostic,
    }
    if rejet.retard:
        return Classement(Categorie.AUTRE, "retard : le serveur essaie encore", passager=True, retard=True, **champs)
    if gravite.passager:
        raison = f"rejet passager en clair ({rejet.code or 'sans code'})"
        return Classement(Categorie.REJET_PASSAGER, raison, passager=True, **champs)
    raison = f"rejet en clair ({rejet.code or 'sans code'})"
    return Classement(Categorie.REJET, raison, adresse_en_cause=gravite.adresse, **champs)


_STOP = re.compile(
    r"(?:(?:merci de |veuillez |svp |s'il vous plait,? )*(?:stop|unsubscribe|desabonne\w*(?:[- ](?:moi|nous))?"
    r"|desabonnement"
    r"|desinscri\w*(?:[- ](?:moi|nous))?|desinscription|me desabonner|se desabonner|please unsubscribe(?: me)?"
    r"|remove me|abmelden|abbestellen)(?: (?:svp|merci|please|s'il vous plait|moi))?[ .!]*)"
)
_NE_PLUS = re.compile(
    r"ne (?:m'|nous |me )?(?:envoyez|ecrivez|adressez)[- ]?(?:moi|nous)? ?plus (?:jamais )?(?:de |d'"
    r"|aucun )?(?:e-?mails?"
    r"|mails?|courriels?|messages?)|ne (?:veux|souhaite|souhaitons|voulons) plus recevoir (?:de |vos |aucun )"
    r"(?:e-?mails?|mails?|courriels?|messages?)|(?:retirez|supprimez|enlevez|rayez)[- ](?:moi|nous"
    r"|mon adresse) (?:de|mon)"
    r"|stop sending (?:me|us) e?-?mails?|remove (?:me|us|my address) from"
)


def _veut_plus(objet: str, ecrit: str) -> bool:
    """Un mot seul (« STOP »), ou une phrase courte et expresse ; une lettre qui en parle se lit par une personne."""
    une = " ".join(ecrit.split())
    if _STOP.fullmatch(une[:120]) or (_STOP.fullmatch(objet[:120]) and len(une) < 200):
        return True
    return len(une) < 300 and bool(_NE_PLUS.search(une))


# --- Les événements d'un fournisseur, normalisés par Anymail -------------------------------------------------

_JETES = {
    "opened": "ouverture", "clicked": "clic", "queued": "mise en file", "sent": "confié", "subscribed": "abonnement",
    "inbound": "courriel reçu", "inbound_failed": "réception", "unknown": "inconnu",
}  # fmt: skip


def categorie_d_evenement(
    event_type: str,
    *,
    reject_reason: str = "",
    code: str = "",
    description: str = "",
    recipient: str = "",
    brut: Mapping | None = None,
) -> Classement | None:
    """Événement normalisé d'Anymail (`AnymailTrackingEvent`) ; None : à jeter (ouvertures, clics, mise en file).

    description : `description` et `mta_response` mis bout à bout. brut : `esp_event`, où se lit ce qu'Anymail confond
    (rejet dur ou mou). code : s'il est connu ; sinon il se lit dans la description.
    """
    if event_type in _JETES:
        return None
    brut = brut if isinstance(brut, Mapping) else {}
    texte = description or str(brut.get("error") or "")
    code = code or rejets.code_de(texte[:2000])
    champs = {"adresse_fautive": recipient.lower(), "code": code, "diagnostic": texte[:400]}
    if event_type == "delivered":
        return Classement(Categorie.REMIS, "remis, dit le fournisseur", **champs)
    if event_type == "complained":
        return Classement(Categorie.PLAINTE, "signalé indésirable, dit le fournisseur", **champs)
    if event_type == "unsubscribed" or reject_reason == "unsubscribed":
        return Classement(Categorie.OPPOSITION, "désabonné chez le fournisseur", **champs)
    if event_type == "autoresponded":
        return Classement(Categorie.ABSENCE, "réponse automatique, dit le fournisseur", **champs)
    if event_type == "deferred":
        return Classement(
            Categorie.AUTRE, "retard : le fournisseur essaie encore", passager=True, retard=True, **champs
        )
    if event_type in ("bounced", "rejected", "failed"):
        return _echec(event_type, reject_reason, brut, champs)
    return None


def _echec(event_type: str, reject_reason: str, brut: Mapping, champs: dict) -> Classement:
    dit = f"{_MOTS_ECHEC[event_type]}, dit le fournisseur ({reject_reason or 'sans motif'})"
    gravite = rejets.peser(champs["code"], plat_lignes(champs["diagnostic"]))
    mou = _mou(brut)
    if mou is None:
        mou = gravite.passager or reject_reason == "timed_out"
    if event_type == "bounced" and mou:
        return Classement(Categorie.REJET_PASSAGER, dit, passager=True, **champs)
    # Refusé par le fournisseur (liste noire, politique, compte) : rien n'est parti, l'adresse n'y est pour rien.
    en_cause = reject_reason == "invalid" or (reject_reason == "bounced" and gravite.adresse)
    return Classement(Categorie.REJET, dit, adresse_en_cause=en_cause, **champs)


_MOTS_ECHEC = {"bounced": "rejeté", "rejected": "refusé avant l'envoi", "failed": "échec d'envoi"}
_MOUS = ("soft_bounce", "softbounce", "soft", "transient", "blocked")
_DURS = ("hard_bounce", "hardbounce", "hard", "permanent", "invalid_email", "bademailaddress")


def _mou(brut: Mapping) -> bool | None:
    """Rejet mou (vrai) ou dur (faux) selon le fournisseur ; None s'il ne le dit pas."""
    if isinstance(brut.get("hard_bounce"), bool) and brut.get("event") == "bounce":  # Mailjet
        return not brut["hard_bounce"]
    for cle in ("event", "Type", "type", "bounceType", "BounceType"):  # Brevo, Postmark, SendGrid, SES
        mot = str(brut.get(cle) or "").casefold()
        if mot in _MOUS:
            return True
        if mot in _DURS:
            return False
    return None
