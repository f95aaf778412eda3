"""Serveur IMAP véritable pour les essais : vraie prise, TLS ou non, ce qu'il faut du protocole (RFC 3501).

Il garde messages et drapeaux, refuse, raccroche ou ment sur les tailles ; `journal` note chaque commande reçue.
"""

import re
import socketserver
import ssl
import threading
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from email.message import EmailMessage
from pathlib import Path

from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.x509.oid import NameOID

import demarrer


def certificat(dossier: Path, nom: str = "localhost") -> Path:
    """Clé et certificat auto-signé en un fichier PEM ; SSL_CERT_FILE peut le désigner comme autorité."""
    cle = ec.generate_private_key(ec.SECP256R1())
    sujet = x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, nom)])
    maintenant = datetime.now(UTC)
    signe = (
        x509.CertificateBuilder()
        .subject_name(sujet)
        .issuer_name(sujet)
        .public_key(cle.public_key())
        .serial_number(x509.random_serial_number())
        .not_valid_before(maintenant - timedelta(days=1))
        .not_valid_after(maintenant + timedelta(days=2))
        .add_extension(x509.SubjectAlternativeName([x509.DNSName(nom)]), critical=False)
        .add_extension(x509.BasicConstraints(ca=True, path_length=None), critical=True)
        .sign(cle, hashes.SHA256())
    )
    chemin = dossier / f"{nom}.pem"
    chemin.write_bytes(
        cle.private_bytes(
            serialization.Encoding.PEM, serialization.PrivateFormat.PKCS8, serialization.NoEncryption()
        )
        + signe.public_bytes(serialization.Encoding.PEM)
    )  # fmt: skip
    return chemin


def courriel(*pieces: tuple[str, bytes], de="compta@fournisseur.example", identifiant="<1@example>", corps="Bonjour"):
    """Message et ses pièces jointes (nom, octets)."""
    message = EmailMessage()
    message["From"], message["To"], message["Subject"] = de, "imports@maison.example", "Export"
    if identifiant:
        message["Message-ID"] = identifiant
    message.set_content(corps)
    for nom, octets in pieces:
        message.add_attachment(octets, maintype="application", subtype="octet-stream", filename=nom)
    return message.as_bytes()


@dataclass
class BoiteImap:
    """`messages` : {uid: octets} ; `drapeaux` : {uid: mots}. Changer une conduite vaut pour la commande suivante."""

    utilisateur: str = "imports"
    mot_de_passe: str = "un mot de passe"
    validite: int = 7
    mots_cles: bool = True
    raccroche_au: str = ""  # commande à laquelle le serveur ferme la prise
    taille_annoncee: int = 0  # littéral menteur
    messages: dict[int, bytes] = field(default_factory=dict)
    drapeaux: dict[int, set[str]] = field(default_factory=dict)
    journal: list[str] = field(default_factory=list)
    pem: Path | None = None
    starttls: bool = False

    def __post_init__(self):
        self.port = demarrer.port_libre()
        self.serveur = None

    def deposer(self, octets: bytes, uid: int | None = None) -> int:
        uid = uid or max(self.messages, default=0) + 1
        self.messages[uid] = octets
        self.drapeaux.setdefault(uid, set())
        return uid

    def contexte(self) -> ssl.SSLContext:
        contexte = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
        contexte.load_cert_chain(self.pem)
        return contexte

    def ouvrir(self) -> None:
        boite = self

        class Serveur(socketserver.ThreadingTCPServer):
            allow_reuse_address = daemon_threads = True

            def handle_error(self, *_args):
                return

        class Dialogue(_Dialogue):
            pair = boite

        self.serveur = Serveur(("127.0.0.1", self.port), Dialogue)
        threading.Thread(target=self.serveur.serve_forever, args=(0.05,), daemon=True).start()

    def fermer(self) -> None:
        if self.serveur:
            self.serveur.shutdown()
            self.serveur.server_close()
            self.serveur = None


class _Dialogue(socketserver.BaseRequestHandler):
    pair: BoiteImap

    def handle(self):
        self.request.settimeout(30)
        if self.pair.pem and not self.pair.starttls:
            self.request = self.chiffrer()
        self.flux = self.request.makefile("rb")
        self.entre = False
        self.dire(f"* OK [CAPABILITY {self.capacites()}] prêt")
        while ligne := self.flux.readline(65_536):
            marque, _blanc, reste = ligne.decode("utf-8", "replace").strip().partition(" ")
            commande, _blanc, args = reste.partition(" ")
            if commande.upper() == "UID":
                commande, _blanc, args = args.partition(" ")
            commande = commande.upper()
            self.pair.journal.append(f"{commande} {args}".strip())
            if commande == self.pair.raccroche_au:
                return
            if self.repondre(marque, commande, args) is False:
                return

    def chiffrer(self) -> ssl.SSLSocket:
        """Un client qui refuse le certificat ferme pendant la poignée de main."""
        nue = self.request
        try:
            return self.pair.contexte().wrap_socket(nue, server_side=True)
        except OSError:
            nue.close()
            raise

    def finish(self):
        for objet in (getattr(self, "flux", None), self.request):
            if objet is not None:
                objet.close()

    def capacites(self) -> str:
        return "IMAP4rev1 STARTTLS" if self.pair.starttls else "IMAP4rev1"

    def dire(self, texte: str | bytes) -> None:
        octets = texte if isinstance(texte, bytes) else texte.encode()
        self.request.sendall(octets + b"\r\n")

    def repondre(self, marque: str, commande: str, args: str):
        if commande == "STARTTLS":
            self.dire(f"{marque} OK chiffrons")
            self.flux.close()
            self.request = self.chiffrer()
            self.flux = self.request.makefile("rb")
            return
        if commande == "LOGIN":
            self.entre = args == f'{self.pair.utilisateur} "{self.pair.mot_de_passe}"'
            if not self.entre:
                return self.dire(f"{marque} NO refusé")
        elif commande == "LOGOUT":
            self.dire("* BYE")
            self.dire(f"{marque} OK")
            return False
        elif commande == "CAPABILITY":
            self.dire(f"* CAPABILITY {self.capacites()}")
        elif not self.entre:
            return self.dire(f"{marque} BAD pas entré")
        elif commande == "SELECT":
            if args != '"INBOX"':
                return self.dire(f"{marque} NO inconnu")
            self.dire(f"* {len(self.pair.messages)} EXISTS")
            self.dire(f"* OK [UIDVALIDITY {self.pair.validite}]")
            libres = r" \*" if self.pair.mots_cles else ""
            self.dire(rf"* OK [PERMANENTFLAGS (\Seen \Deleted{libres})]")
        elif commande == "SEARCH":
            self.dire("* SEARCH" + "".join(f" {uid}" for uid in self.chercher(args)))
        elif commande == "FETCH":
            self.chercher_messages(args)
        elif commande == "STORE":
            uid = int(args.split()[0])
            self.pair.drapeaux[uid] |= set(re.search(r"\((.*)\)", args)[1].split())
        self.dire(f"{marque} OK fait")

    def chercher(self, critere: str) -> list[int]:
        mot = re.search(r"UNKEYWORD (\S+)", critere)
        exclu = mot[1] if mot else "\\Seen"
        return [uid for uid in sorted(self.pair.messages) if exclu not in self.pair.drapeaux[uid]]

    def chercher_messages(self, args: str) -> None:
        uids, _blanc, quoi = args.partition(" ")
        for n, uid in enumerate(int(u) for u in uids.split(",")):
            octets = self.pair.messages.get(uid)
            if octets is None:
                continue
            if "RFC822.SIZE" in quoi:
                self.dire(f"* {n + 1} FETCH (UID {uid} RFC822.SIZE {len(octets)})")
                continue
            taille = self.pair.taille_annoncee or len(octets)
            self.dire(f"* {n + 1} FETCH (UID {uid} BODY[] {{{taille}}}".encode())
            self.dire(octets + b")")
