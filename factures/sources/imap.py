"""Boîte de courriel par IMAP : pièces jointes seulement, jamais le corps ; un message se marque, il ne s'efface pas.

Un message traité porte le mot-clé RECOUVREMENT (ou « lu », si le serveur n'admet pas de mot-clé) : qu'une personne
l'ouvre avant nous n'y change rien. Tailles bornées à la lecture, quoi qu'annonce le serveur. L'expéditeur d'un
courriel se contrefait : la liste des admis trie, elle ne prouve rien.
"""

import io
from collections.abc import Callable, Iterator
from email.message import EmailMessage
from email.utils import parseaddr
from hashlib import sha256

from django.conf import settings
from django.utils.translation import gettext as _

from factures.models import SourceImport
from recouvrement.commun.boite_imap import Acces, BoiteImap, hote_admis
from recouvrement.commun.rfc822 import COURRIEL_MAX, PARTIES_MAX, analyser

from .lecture import Arrivage, Constat, ErreurSource, empreinte, nom_sur, retenu

__all__ = ["Boite", "hote_admis"]
MOT_CLE = "RecouvrementLu"
PIECES_MAX = 20  # par message
ARCHIVES = (".zip", ".7z", ".rar", ".gz", ".tgz", ".tar", ".bz2", ".xz")


class Boite(BoiteImap):
    mot_cle = MOT_CLE
    erreur = ErreurSource

    def __init__(self, source: SourceImport):
        self.source = source
        self.admis = [x.strip().lower() for x in source.expediteurs.splitlines() if x.strip()]
        super().__init__(
            Acces(
                source.imap_hote,
                source.imap_port,
                source.imap_tls,
                source.imap_utilisateur,
                source.imap_secret,
                source.imap_dossier,
            )  # fmt: skip
        )

    @property
    def taille_max(self) -> int:
        return COURRIEL_MAX

    def _message(self, uid: str) -> EmailMessage | None:
        octets = self.octets(uid)
        return None if octets is None else analyser(octets)

    def _lus(self) -> Iterator[tuple[str, int, str, list[Arrivage]]]:
        """(uid, taille, expéditeur écarté ou vide, pièces) de chaque message nouveau."""
        uids = self.uids()
        tailles = self.tailles(uids) if uids else {}
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
            self.marquer(uid)
