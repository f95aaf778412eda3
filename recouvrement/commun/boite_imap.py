"""Une boîte de courriel par IMAP : connexion bornée, messages nouveaux, marque. Rien ne s'y efface.

Un message traité porte un mot-clé (ou « lu », si le serveur n'en admet pas) : qu'une personne l'ouvre avant nous n'y
change rien. Tailles bornées à la lecture, quoi qu'annonce le serveur.
"""

import base64
import imaplib
import ipaddress
import re
import ssl
from contextlib import suppress
from dataclasses import dataclass
from datetime import timedelta

from django.utils import timezone
from django.utils.translation import gettext as _

from .rfc822 import COURRIEL_MAX

DELAI = 20  # secondes par échange
MESSAGES_MAX = 50  # par lecture
REMONTEE = timedelta(days=60)  # une boîte ancienne ne se reprend pas depuis l'origine
HOTE = re.compile(r"(?=.{1,253}$)[A-Za-z0-9]([A-Za-z0-9-]*[A-Za-z0-9])?(\.[A-Za-z0-9]([A-Za-z0-9-]*[A-Za-z0-9])?)*\.?")
MOIS = "Jan Feb Mar Apr May Jun Jul Aug Sep Oct Nov Dec".split()


class ErreurBoite(Exception):
    """La boîte ne se lit pas ; le message dit pourquoi et quoi faire. La lecture suivante reprend."""


@dataclass(frozen=True)
class Acces:
    """Où et comment entrer ; secret : le mot de passe en clair, jamais écrit ailleurs que dans la connexion."""

    hote: str
    port: int
    tls: bool
    utilisateur: str
    secret: str
    dossier: str = "INBOX"


def hote_admis(hote: str) -> bool:
    """Un nom de machine ou une adresse IP, rien d'autre : ni schéma, ni chemin, ni compte."""
    try:
        return bool(ipaddress.ip_address(hote))
    except ValueError:
        return bool(HOTE.fullmatch(hote))


class _Bornee:
    """`imaplib` lit un littéral de la taille que le serveur annonce : on refuse au-delà de la nôtre."""

    taille_max = COURRIEL_MAX

    def read(self, size):
        if size > self.taille_max + 4096:
            raise imaplib.IMAP4.abort("littéral trop grand")
        return super().read(size)


class _Imap(_Bornee, imaplib.IMAP4):
    pass


class _ImapTls(_Bornee, imaplib.IMAP4_SSL):
    pass


class BoiteImap:
    """Une boîte ouverte par `with`. `mot_cle` : la marque du lecteur ; deux lecteurs d'une boîte ont chacun la leur.

    `erreur` : ce qu'une panne lève, une ErreurBoite ou une sous-classe.
    """

    mot_cle = ""
    erreur: type[Exception] = ErreurBoite

    def __init__(self, acces: Acces):
        self.acces = acces

    @property
    def taille_max(self) -> int:
        """Octets d'un message, au-delà desquels il n'est pas lu."""
        return COURRIEL_MAX

    def __enter__(self):
        if not hote_admis(self.acces.hote):
            raise self.erreur(_("Le serveur se donne par son nom seul, par exemple imap.exemple.fr."))
        if not self.acces.secret:
            raise self.erreur(_("Le mot de passe de la boîte manque, ou ne se déchiffre plus : ressaisissez-le."))
        try:
            self.lien = self._connecter()
        except ssl.SSLCertVerificationError as erreur:
            raise self.erreur(
                _("Le certificat de %(hote)s n'est pas reconnu : %(e)s.")
                % {"hote": self.acces.hote, "e": erreur.verify_message}
            ) from erreur
        except (OSError, imaplib.IMAP4.error, ValueError) as erreur:
            raise self.erreur(
                _("Le serveur %(hote)s:%(port)s ne répond pas (%(e)s).")
                % {"hote": self.acces.hote, "port": self.acces.port, "e": type(erreur).__name__}
            ) from erreur
        self.lien.taille_max = self.taille_max
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
        hote, port = self.acces.hote, self.acces.port
        if self.acces.tls:
            return _ImapTls(hote, port, ssl_context=contexte, timeout=DELAI)
        lien = _Imap(hote, port, timeout=DELAI)
        if "STARTTLS" in lien.capabilities:
            try:
                lien.starttls(contexte)
            except BaseException:
                _quitter(lien)
                raise
        elif not sur_place(lien):
            _quitter(lien)
            raise self.erreur(_("Sans TLS, le mot de passe voyagerait en clair : cochez la connexion chiffrée."))
        return lien

    def _entrer(self) -> None:
        try:
            self.lien.login(self.acces.utilisateur, self.acces.secret)
        except (imaplib.IMAP4.error, UnicodeError) as erreur:
            raise self.erreur(_("La boîte refuse l'utilisateur ou le mot de passe.")) from erreur
        except OSError as erreur:
            raise self._coupure(erreur) from erreur
        etat, _donnees = self._demander(self.lien.select, entre_guillemets(self.acces.dossier))
        if etat != "OK":
            raise self.erreur(_("Le dossier « %(nom)s » n'existe pas dans cette boîte.") % {
                "nom": self.acces.dossier})  # fmt: skip
        self.validite = _premier(self.lien.response("UIDVALIDITY")[1]) or "0"
        drapeaux = _premier(self.lien.response("PERMANENTFLAGS")[1])
        self.marque = self.mot_cle if "\\*" in drapeaux or self.mot_cle in drapeaux else "\\Seen"

    def _coupure(self, erreur) -> Exception:
        return self.erreur(
            _("La connexion à %(hote)s s'est interrompue (%(e)s) ; la lecture suivante reprendra.")
            % {"hote": self.acces.hote, "e": type(erreur).__name__}
        )

    def _demander(self, appel, *args):
        """Lève `erreur` si le serveur raccroche, se tait ou répond n'importe quoi."""
        try:
            return appel(*args)
        except (OSError, imaplib.IMAP4.error, ValueError) as erreur:
            raise self._coupure(erreur) from erreur

    def uids(self) -> list[str]:
        depuis = timezone.now() - REMONTEE
        nouveau = f"UNKEYWORD {self.mot_cle}" if self.marque == self.mot_cle else "UNSEEN"
        critere = f"{nouveau} SINCE {depuis.day}-{MOIS[depuis.month - 1]}-{depuis.year}"
        etat, donnees = self._demander(self.lien.uid, "SEARCH", critere)
        if etat != "OK":
            raise self.erreur(_("La boîte ne sait pas chercher les messages nouveaux."))
        uids = [uid for uid in _premier(donnees).split() if uid.isdecimal()]
        return sorted(uids, key=int)[:MESSAGES_MAX]

    def tailles(self, uids: list[str]) -> dict[str, int]:
        _etat, donnees = self._demander(self.lien.uid, "FETCH", ",".join(uids), "(UID RFC822.SIZE)")
        tailles = {}
        for ligne in donnees or ():
            texte = (ligne[0] if isinstance(ligne, tuple) else ligne or b"").decode("ascii", "replace")
            uid, taille = re.search(r"UID (\d+)", texte), re.search(r"RFC822\.SIZE (\d+)", texte)
            if uid and taille:
                tailles[uid[1]] = int(taille[1])
        return tailles

    def octets(self, uid: str) -> bytes | None:
        """Le message tel quel, sans le marquer lu ; None s'il a été effacé entre-temps."""
        _etat, donnees = self._demander(self.lien.uid, "FETCH", uid, "(BODY.PEEK[])")
        return next((x[1] for x in donnees or () if isinstance(x, tuple) and len(x) > 1), None)

    def marquer(self, uid: str) -> None:
        drapeaux = f"(\\Seen {self.marque})" if self.marque == self.mot_cle else "(\\Seen)"
        self._demander(self.lien.uid, "STORE", uid, "+FLAGS.SILENT", drapeaux)


def _premier(donnees) -> str:
    """Première donnée d'une réponse d'imaplib, en texte."""
    octets = next((x for x in donnees or () if x), b"")
    return octets.decode("ascii", "replace") if isinstance(octets, bytes) else ""


def entre_guillemets(nom: str) -> str:
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


def sur_place(lien: imaplib.IMAP4) -> bool:
    """Vrai si le pair est cette machine : rien ne voyage."""
    return ipaddress.ip_address(lien.sock.getpeername()[0].partition("%")[0]).is_loopback
