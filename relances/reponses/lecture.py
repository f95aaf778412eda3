"""Octets d'un courriel (RFC 5322) → `MessageLu`, en temps et mémoire bornés.

N'importe qui écrit à une boîte : tailles, parties et en-têtes bornés, encodages cassés lus au mieux, HTML mis en texte,
pièces reconnues à leur contenu. L'expéditeur d'un courriel se contrefait : rien ici ne le prouve.
"""

import re
import unicodedata
from dataclasses import dataclass, field
from email.errors import MessageError
from email.header import decode_header
from email.message import Message
from email.utils import collapse_rfc2231_value, getaddresses, parsedate_to_datetime
from itertools import islice
from zoneinfo import ZoneInfo

from django.core.exceptions import ValidationError
from django.utils.translation import gettext as _

from recouvrement.commun.fichiers import identifier
from recouvrement.commun.rfc822 import COURRIEL_MAX, analyser_brut
from relances.domaine.reponses import MessageLu, Piece

from .html import en_texte
from .rapports import lire_rapport, sorts_en_clair

ENTETE_MAX = 4000  # caractères gardés d'un en-tête
ENTETES_MAX = 400
TEXTE_MAX = 400_000  # caractères gardés du corps
PIECES_MAX = 20
ADRESSES_MAX = 60
NOM_MAX = 120
TRANSFERTS_MAX = 5  # courriels joints dont le texte se lit
# Signatures cryptographiques : pas des documents.
_TUES = {"application/pgp-signature", "application/pkcs7-signature", "application/x-pkcs7-signature"}
# Contrôles, substituts isolés, et marques qui retournent le sens de lecture : un nom ne s'affiche pas à l'envers.
_CONTROLES = re.compile("[\x00-\x08\x0b\x0c\x0e-\x1f\x7f\x80-\x9f\u202a-\u202e\u2066-\u2069\ufeff\ud800-\udfff]")
_IDENTIFIANT = re.compile(r"<[^<>\s]{1,240}>")
_ADRESSE = re.compile(r"[^\s<>\"(),:;@\\]{1,64}@[^\s<>\"(),:;@\\]{1,190}")
_BASCULES = ("iso-2022-jp", "iso-2022-kr", "iso-2022-jp-2", "iso-2022-jp-3", "iso-2022-jp-ext")
_A = ("to", "cc", "delivered-to", "x-original-to", "envelope-to", "x-envelope-to", "x-forwarded-to")


class CourrielIllisible(ValueError):
    """Trop gros, trop de parties, ou fabriqué pour nuire : la phrase dit quoi."""


@dataclass
class _Lecture:
    textes: list[str] = field(default_factory=list)
    html: list[str] = field(default_factory=list)
    pieces: list[Piece] = field(default_factory=list)
    rapport: object = None
    origine: Message | None = None
    transferts: int = 0
    en_trop: int = 0


def lire(octets: bytes) -> MessageLu:
    """Lève CourrielIllisible, et rien d'autre."""
    if len(octets) > COURRIEL_MAX:
        raise CourrielIllisible(
            _("Courriel de plus de %(max)d Mo : il n'est pas lu.") % {"max": COURRIEL_MAX // 1024 // 1024}
        )
    try:
        return _lire(analyser_brut(octets), octets)
    except CourrielIllisible:
        raise
    except (Exception, RecursionError) as erreur:
        # `email` lève n'importe quoi sur un message fabriqué : toujours la même phrase, jamais une panne.
        raise CourrielIllisible(
            _("Courriel mal formé (%(e)s) : il n'est pas lu.") % {"e": type(erreur).__name__}
        ) from erreur


def _lire(message: Message, octets: bytes) -> MessageLu:
    entetes = _entetes(message)
    lu = _Lecture()
    rapport = entetes.get("content-type", "").casefold().startswith("multipart/report")
    _parcourir(message, lu, rapport=rapport)
    if lu.en_trop:
        nom = _("%(n)d autres pièces") % {"n": lu.en_trop}
        lu.pieces.append(Piece(nom, "", 0, refus=_("Trop de pièces jointes : les suivantes ne sont pas lues.")))
    html_texte = _borner(en_texte("\n".join(lu.html))) if lu.html else ""
    texte = _borner("\n\n".join(x for x in lu.textes if x.strip())) or html_texte
    if rapport and lu.rapport is None:
        # Rapport à la borne fausse : ses champs se lisent dans le texte.
        lu.rapport = sorts_en_clair(texte)
    if lu.origine:
        origine = _entetes(lu.origine)
    else:  # rejet en clair, ou rapport à la borne fausse : l'original est recopié dans le texte
        origine = _origine_en_clair(_brut(octets) if rapport else texte)
    de_nom, de = _expediteur(entetes.get("from", ""))
    return MessageLu(
        message_id=_identifiant(entetes.get("message-id", "")),
        en_reponse_a=_identifiant(entetes.get("in-reply-to", "")),
        references=tuple(_IDENTIFIANT.findall(entetes.get("references", "")))[-40:],
        de=de, de_nom=de_nom,
        destinataires=_adresses(message, _A),
        objet=entetes.get("subject", "")[:500],
        date=_date(entetes.get("date", "")),
        entetes=entetes, texte=texte, html_texte=html_texte, pieces=tuple(lu.pieces), rapport=lu.rapport,
        origine_message_id=_identifiant(origine.get("message-id", "")),
        origine_destinataires=_isolees(origine.get("to", "")),
        origine_reponse_a=_isolees(origine.get("reply-to", "")),
        origine_objet=origine.get("subject", "")[:500],
    )  # fmt: skip


# --- Les parties ----------------------------------------------------------------------------------


def _parcourir(partie: Message, lu: _Lecture, *, rapport: bool, en_corps: bool = False) -> None:
    genre = partie.get_content_type()
    if genre in ("message/delivery-status", "message/feedback-report", "message/disposition-notification"):
        lu.rapport = lu.rapport or lire_rapport(genre, partie)
    elif genre == "text/rfc822-headers" and rapport:
        lu.origine = lu.origine or _entetes_seuls(partie)
    elif genre == "message/rfc822":
        _joint(partie, lu, rapport=rapport)
    elif partie.is_multipart():
        _parties(partie, genre, lu, rapport=rapport)
    elif _est_texte(partie, genre):
        (lu.html if genre == "text/html" else lu.textes).append(_texte(partie))
    elif genre not in _TUES:
        _piece(partie, genre, lu, integree=en_corps)


def _parties(partie: Message, genre: str, lu: _Lecture, *, rapport: bool) -> None:
    enfants = [x for x in partie.get_payload() if isinstance(x, Message)]
    if genre != "multipart/alternative":
        for enfant in enfants:
            _parcourir(enfant, lu, rapport=rapport, en_corps=genre == "multipart/related")
        return
    # Deux écritures du même corps : on garde le texte, le HTML s'il n'y a que lui.
    textes, html = len(lu.textes), len(lu.html)
    for enfant in enfants:
        _parcourir(enfant, lu, rapport=rapport, en_corps=True)
    if any(x.strip() for x in lu.textes[textes:]):
        return
    ecrits = [x for x in (en_texte(h) for h in lu.html[html:]) if x.strip()]
    lu.textes[textes:] = ecrits


def _joint(partie: Message, lu: _Lecture, *, rapport: bool) -> None:
    """Un courriel joint : l'original d'un rapport, ou un transfert, dont le texte se lit comme cité."""
    dedans = partie.get_payload()
    dedans = dedans[0] if isinstance(dedans, list) and dedans else None
    if not isinstance(dedans, Message):
        return
    if rapport:
        lu.origine = lu.origine or dedans
        return
    lu.transferts += 1
    if lu.transferts > TRANSFERTS_MAX:
        lu.en_trop += 1
        return
    entetes = _entetes(dedans)
    tete = [
        f"{nom} : {entetes[cle]}"
        for nom, cle in (("De", "from"), ("Date", "date"), ("Objet", "subject"))
        if cle in entetes
    ]
    sien = _Lecture(pieces=lu.pieces, transferts=lu.transferts)
    _parcourir(dedans, sien, rapport=False)
    lu.transferts, lu.en_trop = sien.transferts, lu.en_trop + sien.en_trop
    corps = [x for x in sien.textes if x.strip()] or [en_texte(x) for x in sien.html]
    if lu.html and not lu.textes:
        lu.textes.append(en_texte("\n".join(lu.html)))
    lu.textes.append("\n".join(["-------- Message transféré --------", *tete, "", *corps]))


def _est_texte(partie: Message, genre: str) -> bool:
    if genre.startswith("multipart/"):
        return True  # annoncé composé, sans partie lisible : son texte brut
    if genre not in ("text/plain", "text/html", "text/enriched", "message/delivery-status"):
        return False
    return _disposition(partie) != "attachment" and not _nom(partie)


def _disposition(partie: Message) -> str:
    return str(partie.get("content-disposition", "")).partition(";")[0].strip().casefold()


def _octets(partie: Message) -> bytes:
    octets = partie.get_payload(decode=True)
    return octets if isinstance(octets, bytes) else b""


def _texte(partie: Message) -> str:
    octets = _octets(partie)[: 4 * TEXTE_MAX]
    jeu = str(partie.get_content_charset() or "utf-8")
    return _decoder(octets, jeu)


def _decoder(octets: bytes, jeu: str) -> str:
    """Le jeu annoncé, puis UTF-8, puis celui de Windows : un octet illisible ne perd que lui."""
    jeu = "utf-8" if jeu in ("us-ascii", "ascii", "unknown-8bit") else jeu
    if jeu.startswith("iso-2022"):  # jeu à bascules : ses octets seraient du faux ASCII
        return octets.decode(jeu if jeu in _BASCULES else "iso2022_jp", "replace")
    for essai in (jeu, "utf-8"):
        try:
            return octets.decode(essai)
        except (LookupError, UnicodeError, ValueError):
            continue
    return octets.decode("utf-8" if jeu.startswith("utf-8") else "cp1252", "replace")


def _borner(texte: str) -> str:
    propre = _CONTROLES.sub("", texte.replace("\r\n", "\n").replace("\r", "\n")).replace("\u2028", "\n")
    if len(propre) > TEXTE_MAX:
        propre = propre[:TEXTE_MAX] + "\n\n[…]"
    return propre.strip("\n")


# --- Les pièces -----------------------------------------------------------------------------------


def _nom(partie: Message) -> str:
    for entete, cle in (("content-disposition", "filename"), ("content-type", "name")):
        valeur = partie.get_param(cle, header=entete)
        if valeur:
            return _mots(collapse_rfc2231_value(valeur))
    return ""


def _piece(partie: Message, genre: str, lu: _Lecture, *, integree: bool) -> None:
    if len(lu.pieces) >= PIECES_MAX:
        lu.en_trop += 1
        return
    octets = _octets(partie)
    nom = _nom(partie) or _("pièce %(n)d") % {"n": len(lu.pieces) + 1}
    nom = " ".join(nom.replace("/", " ").replace("\\", " ").split()).strip(". ")[-NOM_MAX:] or "?"
    integree = integree and genre.startswith("image/") and _disposition(partie) != "attachment"
    try:
        lu_ = identifier(octets)
    except ValidationError as erreur:
        lu.pieces.append(Piece(nom, genre, len(octets), refus=" ".join(erreur.messages)[:250], integree=integree))
    else:
        lu.pieces.append(Piece(nom, genre, len(octets), octets, lu_.mime, lu_.suffixe, integree=integree))


# --- Les en-têtes ---------------------------------------------------------------------------------


def _entetes(message: Message) -> dict[str, str]:
    """Première valeur de chaque en-tête, nom en minuscules, mots encodés lus (RFC 2047)."""
    entetes = {}
    for nom, valeur in islice(message.raw_items(), ENTETES_MAX):
        entetes.setdefault(nom.strip().lower()[:80], _mots(str(valeur)[:ENTETE_MAX]))
    return entetes


def _entetes_seuls(partie: Message) -> Message | None:
    from email import message_from_string

    return message_from_string(_texte(partie)[:40_000].lstrip())


def _brut(octets: bytes) -> str:
    """Le corps tel quel, sans ses propres en-têtes, pour y chercher ceux de l'original."""
    corps = octets[:TEXTE_MAX].replace(b"\r\n", b"\n").partition(b"\n\n")[2]
    return corps.decode("utf-8", "replace")


def _origine_en_clair(texte: str) -> dict[str, str]:
    """En-têtes du message d'origine copiés dans le texte d'un rejet : Message-ID, To, Reply-To, Subject."""
    place = max((texte.find(x) for x in ("\nMessage-ID:", "\nMessage-Id:", "\nMessage-id:")), default=-1)
    if place < 0:
        return {}
    debut = texte.rfind("\n\n", 0, place) + 1
    lignes = re.sub(r"\n[ \t]+", " ", texte[debut : place + 8000]).splitlines()
    trouves = {}
    for ligne in lignes[:200]:
        nom, deux_points, valeur = ligne.partition(":")
        if deux_points and nom.strip().lower() in ("message-id", "to", "reply-to", "subject"):
            trouves.setdefault(nom.strip().lower(), _mots(valeur.strip()[:ENTETE_MAX]))
    return trouves


def _mots(valeur: str) -> str:
    """Mots encodés (RFC 2047) et octets bruts lus au mieux, sur une ligne, sans contrôle."""
    plat = " ".join(valeur.split())
    try:
        plat.encode()
    except UnicodeEncodeError:
        plat = _decoder(plat.encode("utf-8", "surrogateescape"), "utf-8")
    if "=?" in plat:
        try:
            plat = "".join(x if isinstance(x, str) else _decoder(x, jeu or "utf-8") for x, jeu in decode_header(plat))
        except (MessageError, ValueError, LookupError, TypeError, IndexError):
            pass  # le mot encodé est faux : il se montre tel quel
    return unicodedata.normalize("NFC", " ".join(_CONTROLES.sub("", plat).split()))


def _identifiant(valeur: str) -> str:
    trouve = _IDENTIFIANT.search(valeur[:ENTETE_MAX])
    return trouve[0] if trouve else ""


def _expediteur(valeur: str) -> tuple[str, str]:
    """(nom affiché, adresse en minuscules)."""
    for nom, adresse in getaddresses([valeur[:1000]]):
        if _ADRESSE.fullmatch(adresse):
            return " ".join(nom.split())[:160], adresse.lower()
    trouvee = _ADRESSE.search(valeur)
    return "", trouvee[0].lower() if trouvee else ""


def _adresses(message: Message, noms) -> tuple[str, ...]:
    lus = [(nom.lower(), str(v)) for nom, v in islice(message.raw_items(), ENTETES_MAX)]
    return _isolees(" , ".join(v[:ENTETE_MAX] for nom in noms for n, v in lus if n == nom))


def _isolees(valeur: str) -> tuple[str, ...]:
    trouvees = _ADRESSE.findall(valeur[: 10 * ENTETE_MAX])
    return tuple(dict.fromkeys(x.lower().strip("'") for x in trouvees))[:ADRESSES_MAX]


def _date(valeur: str):
    try:
        lue = parsedate_to_datetime(valeur[:80])
        if lue.tzinfo is None:
            lue = lue.replace(tzinfo=ZoneInfo("UTC"))
        lue.astimezone(ZoneInfo("Europe/Paris"))  # un décalage absurde déborde ici
    except (ValueError, TypeError, IndexError, OverflowError):
        return None
    return lue
