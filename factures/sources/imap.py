"""Boîte de courriel par IMAP : pièces jointes seulement, jamais le corps ; un message se marque, il ne s'efface pas.

Un message traité porte le mot-clé RECOUVREMENT (ou « lu », si le serveur n'admet pas de mot-clé) : qu'une personne
l'ouvre avant nous n'y change rien. Tailles bornées à la lecture, quoi qu'annonce le serveur. L'expéditeur d'un
courriel se contrefait : la liste des admis trie, elle ne prouve rien.
"""

import base64
import imaplib
import io
import ipaddress
import re
import ssl
from collections.abc import Callable, Iterator
from contextlib import suppress
from datetime import timedelta
from email.message import EmailMessage
from email.utils import parseaddr
from hashlib import sha256

from django.conf import settings
from django.utils import timezone
from django.utils.translation import gettext as _

from factures.models import SourceImport
from recouvrement.commun.rfc822 import COURRIEL_MAX, PARTIES_MAX, analyser

from .lecture import Arrivage, Constat, ErreurSource, empreinte, nom_sur, retenu

MOT_CLE = "RecouvrementLu"
DELAI = 20  # secondes par échange
MESSAGES_MAX = 50  # par lecture
PIECES_MAX = 20  # par message
REMONTEE = timedelta(days=60)  # une boîte ancienne ne se reprend pas depuis l'origine
ARCHIVES = (".zip", ".7z", ".rar", ".gz", ".tgz", ".tar", ".bz2", ".xz")
HOTE = re.compile(r"(?=.{1,253}$)[A-Za-z0-9]([A-Za-z0-9-]*[A-Za-z0-9])?(\.[A-Za-z0-9]([A-Za-z0-9-]*[A-Za-z0-9])?)*\.?")
MOIS = "Jan Feb Mar Apr May Jun Jul Aug Sep Oct Nov Dec".split()


def hote_admis(hote: str) -> bool:
    """Un nom de machine ou une adresse IP, rien d'autre : ni schéma, ni chemin, ni compte."""
    try:
        return bool(ipaddress.ip_address(hote))
    except ValueError:
        return bool(HOTE.fullmatch(hote))


class _Bornee:
    """`imaplib` lit un littéral de la taille que le serveur annonce : on refuse au-delà de la nôtre."""

    def read(self, size):
        if size > COURRIEL_MAX + 4096:
            raise imaplib.IMAP4.abort("littéral trop grand")
        return super().read(size)


class _Imap(_Bornee, imaplib.IMAP4):
    pass


class _ImapTls(_Bornee, imaplib.IMAP4_SSL):
    pass


class Boite:
    def __init__(self, source: SourceImport):
        self.source = source
        self.admis = [x.strip().lower() for x in source.expediteurs.splitlines() if x.strip()]

    def __enter__(self):
        if not hote_admis(self.source.imap_hote):
            raise ErreurSource(_("Le serveur se donne par son nom seul, par exemple imap.exemple.fr."))
        if not self.source.imap_secret:
            raise ErreurSource(_("Le mot de passe de la boîte manque, ou ne se déchiffre plus : ressaisissez-le."))
        try:
            self.lien = self._connecter()
        except ssl.SSLCertVerificationError as erreur:
            raise ErreurSource(
                _("Le certificat de %(hote)s n'est pas reconnu : %(e)s.")
                % {"hote": self.source.imap_hote, "e": erreur.verify_message}
            ) from erreur
        except (OSError, imaplib.IMAP4.error, ValueError) as erreur:
            raise ErreurSource(
                _("Le serveur %(hote)s:%(port)s ne répond pas (%(e)s).")
                % {"hote": self.source.imap_hote, "port": self.source.imap_port, "e": type(erreur).__name__}
            ) from erreur
        try:
            self._entrer()
        except BaseException:
            self.__exit__()
            raise
        return self

    def __exit__(self, *_fin):
        _quitter(self.lien)

    def _connecter(self) -> imaplib.IMAP4:
        contexte = ssl.create_default_context()
        hote, port = self.source.imap_hote, self.source.imap_port
        if self.source.imap_tls:
            return _ImapTls(hote, port, ssl_context=contexte, timeout=DELAI)
        lien = _Imap(hote, port, timeout=DELAI)
        if "STARTTLS" in lien.capabilities:
            try:
                lien.starttls(contexte)
            except BaseException:
                _quitter(lien)
                raise
        elif not _sur_place(lien):
            _quitter(lien)
            raise ErreurSource(_("Sans TLS, le mot de passe voyagerait en clair : cochez la connexion chiffrée."))
        return lien

    def _entrer(self) -> None:
        try:
            self.lien.login(self.source.imap_utilisateur, self.source.imap_secret)
        except (imaplib.IMAP4.error, UnicodeError) as erreur:
            raise ErreurSource(_("La boîte refuse l'utilisateur ou le mot de passe.")) from erreur
        except OSError as erreur:
            raise self._coupure(erreur) from erreur
        etat, _donnees = self._demander(self.lien.select, _entre_guillemets(self.source.imap_dossier))
        if etat != "OK":
            raise ErreurSource(_("Le dossier « %(nom)s » n'existe pas dans cette boîte.") % {
                "nom": self.source.imap_dossier})  # fmt: skip
        self.validite = _premier(self.lien.response("UIDVALIDITY")[1]) or "0"
        drapeaux = _premier(self.lien.response("PERMANENTFLAGS")[1])
        self.marque = MOT_CLE if "\\*" in drapeaux or MOT_CLE in drapeaux else "\\Seen"

    def _coupure(self, erreur) -> ErreurSource:
        return ErreurSource(
            _("La connexion à %(hote)s s'est interrompue (%(e)s) ; la lecture suivante reprendra.")
            % {"hote": self.source.imap_hote, "e": type(erreur).__name__}
        )

    def _demander(self, appel, *args):
        """Lève ErreurSource si le serveur raccroche, se tait ou répond n'importe quoi."""
        try:
            return appel(*args)
        except (OSError, imaplib.IMAP4.error, ValueError) as erreur:
            raise self._coupure(erreur) from erreur

    # --- Les messages -----------------------------------------------------------------------------

    def _uids(self) -> list[str]:
        depuis = timezone.now() - REMONTEE
        nouveau = f"UNKEYWORD {MOT_CLE}" if self.marque == MOT_CLE else "UNSEEN"
        critere = f"{nouveau} SINCE {depuis.day}-{MOIS[depuis.month - 1]}-{depuis.year}"
        etat, donnees = self._demander(self.lien.uid, "SEARCH", critere)
        if etat != "OK":
            raise ErreurSource(_("La boîte ne sait pas chercher les messages nouveaux."))
        uids = [uid for uid in _premier(donnees).split() if uid.isdecimal()]
        return sorted(uids, key=int)[:MESSAGES_MAX]

    def _tailles(self, uids: list[str]) -> dict[str, int]:
        _etat, donnees = self._demander(self.lien.uid, "FETCH", ",".join(uids), "(UID RFC822.SIZE)")
        tailles = {}
        for ligne in donnees or ():
            texte = (ligne[0] if isinstance(ligne, tuple) else ligne or b"").decode("ascii", "replace")
            uid, taille = re.search(r"UID (\d+)", texte), re.search(r"RFC822\.SIZE (\d+)", texte)
            if uid and taille:
                tailles[uid[1]] = int(taille[1])
        return tailles

    def _message(self, uid: str) -> EmailMessage | None:
        _etat, donnees = self._demander(self.lien.uid, "FETCH", uid, "(BODY.PEEK[])")
        octets = next((x[1] for x in donnees or () if isinstance(x, tuple) and len(x) > 1), None)
        if octets is None:
            return None  # effacé entre-temps
        return analyser(octets)

    def _marquer(self, uid: str) -> None:
        drapeaux = f"(\\Seen {self.marque})" if self.marque == MOT_CLE else "(\\Seen)"
        self._demander(self.lien.uid, "STORE", uid, "+FLAGS.SILENT", drapeaux)

    def _lus(self) -> Iterator[tuple[str, int, str, list[Arrivage]]]:
        """(uid, taille, expéditeur écarté ou vide, pièces) de chaque message nouveau."""
        uids = self._uids()
        tailles = self._tailles(uids) if uids else {}
        for uid in uids:
            taille = tailles.get(uid, 0)
            if taille > COURRIEL_MAX:
                gros = _("Courriel de plus de %(max)d Mo : il n'est pas lu.") % {"max": COURRIEL_MAX // 1024 // 1024}
                nom = _("courriel n° %(uid)s") % {"uid": uid}
                yield uid, taille, "", [Arrivage(f"gros:{self.validite}:{uid}", nom, taille, refus=gros)]
                continue
            try:
                message = self._message(uid)
                if message is None:
                    continue
                de = parseaddr(str(message["From"] or ""))[1].lower()
                pieces = list(self._pieces(message, uid)) if self._admet(de) else []
            except (ValueError, LookupError, TypeError, AttributeError, RecursionError) as erreur:
                # Un courriel mal formé ne doit pas fermer la boîte aux suivants.
                illisible = _("Courriel mal formé (%(e)s) : il n'est pas lu.") % {"e": type(erreur).__name__}
                nom = _("courriel n° %(uid)s") % {"uid": uid}
                yield uid, taille, "", [Arrivage(f"illisible:{self.validite}:{uid}", nom, taille, refus=illisible)]
                continue
            yield uid, taille, "" if self._admet(de) else de or "?", pieces

    def _admet(self, de: str) -> bool:
        return not self.admis or any(de == x or (x.startswith("@") and de.endswith(x)) for x in self.admis)

    def _pieces(self, message: EmailMessage, uid: str) -> Iterator[Arrivage]:
        identifiant = str(message["Message-ID"] or "").strip()
        base = sha256(identifiant.encode("utf-8", "replace")).hexdigest()[:24] if identifiant else ""
        base = base or f"{self.validite}.{uid}"
        rang = 0
        for n, partie in enumerate(message.walk()):
            if n >= PARTIES_MAX or rang >= PIECES_MAX:
                return
            nom = partie.get_filename()
            if not nom or partie.is_multipart() or partie.get_content_maintype() == "image":
                continue
            nom = nom_sur(str(nom), defaut="piece-jointe")
            if not retenu(nom, self.source.motif):
                continue
            rang += 1
            octets = partie.get_payload(decode=True) or b""
            flux = io.BytesIO(octets)
            cle = f"{base}:{empreinte(flux)[:32]}:{rang}:{nom}"
            yield Arrivage(cle, nom, len(octets), flux, refus=self._refus(nom, octets))

    @staticmethod
    def _refus(nom: str, octets: bytes) -> str:
        if nom.lower().endswith(ARCHIVES):
            return _("Une archive jointe ne s'ouvre pas : joignez le fichier lui-même.")
        if not octets:
            return _("La pièce jointe est vide.")
        if len(octets) > settings.TAILLE_MAX_IMPORT:
            return _("La pièce jointe est trop grosse : découpez l'export.")
        return ""

    # --- Les deux lectures --------------------------------------------------------------------------

    def regarder(self) -> list[Constat]:
        constats = []
        for _uid, taille, ecarte, pieces in self._lus():
            if ecarte:
                constats.append(Constat(ecarte, taille, "ecarte", _("expéditeur qui n'est pas admis")))
            elif not pieces:
                constats.append(Constat(_("courriel"), taille, "ecarte", _("aucune pièce jointe retenue")))
            for piece in pieces:
                constats.append(Constat(piece.nom, piece.taille, "ecarte" if piece.refus else "pret", piece.refus))
        return constats

    def arrivages(self, deja: Callable[[str], bool]) -> Iterator[Arrivage]:
        """Le message se marque une fois toutes ses pièces rangées ; mort avant, elles se reconnaissent à leur clé."""
        for uid, _taille, _ecarte, pieces in self._lus():
            for piece in pieces:
                if not deja(piece.cle):
                    yield piece
            self._marquer(uid)


def _premier(donnees) -> str:
    """Première donnée d'une réponse d'imaplib, en texte."""
    octets = next((x for x in donnees or () if x), b"")
    return octets.decode("ascii", "replace") if isinstance(octets, bytes) else ""


def _entre_guillemets(nom: str) -> str:
    """Nom de boîte en UTF-7 modifié (RFC 3501, § 5.1.3), entre guillemets."""
    sortie, attente = [], ""
    for c in [*nom, ""]:
        if c and not " " <= c <= "~":
            attente += c
            continue
        if attente:
            b64 = attente.encode("utf-16-be")
            sortie.append("&" + base64.b64encode(b64).decode().rstrip("=").replace("/", ",") + "-")
            attente = ""
        sortie.append("&-" if c == "&" else c)
    return '"' + "".join(sortie).replace("\\", "\\\\").replace('"', '\\"') + '"'


def _quitter(lien: imaplib.IMAP4) -> None:
    """Prend congé si le serveur écoute encore, et ferme la prise de toute façon."""
    for geste in (lien.logout, lien.shutdown):
        with suppress(OSError, imaplib.IMAP4.error, ValueError, AttributeError):
            geste()


def _sur_place(lien: imaplib.IMAP4) -> bool:
    """Vrai si le pair est cette machine : rien ne voyage."""
    return ipaddress.ip_address(lien.sock.getpeername()[0].partition("%")[0]).is_loopback
