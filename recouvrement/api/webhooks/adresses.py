"""Où un webhook peut aller : https, un vrai nom, et jamais une adresse de l'intérieur (SSRF).

L'adresse se contrôle à la création et à chaque connexion : le nom se résout une fois, toutes ses adresses sont jugées,
et la connexion va à l'une de celles-là. Un nom qui change d'adresse entre les deux ne mène nulle part.
"""

import ipaddress
import socket
from dataclasses import dataclass
from urllib.parse import urlsplit

from django.conf import settings
from django.utils.translation import gettext as _

PORT_MIN = 1024  # hors 443 (et 80 aux essais) : les ports bas sont ceux d'autres services
NAT64 = ipaddress.ip_network("64:ff9b::/96")
# Ce que `ipaddress` tient pour public et qui ne l'est pas (registres IANA des usages particuliers) ; 192.0.0.192 sert
# les secrets d'une machine chez un hébergeur, fec0::/10 est l'ancien réseau local d'IPv6.
PARTICULIERS = [
    ipaddress.ip_network(reseau)
    for reseau in ("192.0.0.0/24", "192.88.99.0/24", "fec0::/10", "64:ff9b:1::/48", "3fff::/20", "5f00::/16")
]


class AdresseRefusee(ValueError):
    """Cette adresse ne peut pas recevoir de webhook ; le message dit pourquoi."""


class NomIntrouvable(AdresseRefusee):
    """Le nom ne se résout pas : peut-être une panne, donc à reprendre."""


@dataclass(frozen=True)
class Cible:
    """L'adresse découpée : de quoi se connecter sans rien relire."""

    tls: bool
    hote: str
    port: int
    chemin: str

    @property
    def entete_hote(self) -> str:
        hote = f"[{self.hote}]" if ":" in self.hote else self.hote
        return hote if self.port == (443 if self.tls else 80) else f"{hote}:{self.port}"


def lire(url: str) -> Cible:
    """Découpe et contrôle la forme. Lève AdresseRefusee."""
    if any(c <= " " or c >= "\x7f" for c in url):
        raise AdresseRefusee(_("L'adresse contient une espace ou un caractère accentué."))
    try:
        lue = urlsplit(url)
        hote, port = lue.hostname or "", lue.port
    except ValueError as erreur:
        raise AdresseRefusee(_("Cette adresse ne se lit pas.")) from erreur
    if lue.scheme != "https" and not (lue.scheme == "http" and settings.WEBHOOKS_SANS_TLS):
        raise AdresseRefusee(_("L'adresse commence par https:// : la charge utile ne voyage pas en clair."))
    if not hote or lue.username is not None or lue.password is not None or lue.fragment or "\\" in url:
        raise AdresseRefusee(_("Donnez un nom de machine, sans compte ni fragment."))
    tls = lue.scheme == "https"
    port = port if port is not None else (443 if tls else 80)
    if port not in (443, 80 if not tls else 443) and not PORT_MIN <= port <= 65_535:
        raise AdresseRefusee(_("Le port est 443, ou un port à partir de %(min)d.") % {"min": PORT_MIN})
    chemin = (lue.path or "/") + (f"?{lue.query}" if lue.query else "")
    return Cible(tls, hote, port, chemin)


def resoudre(cible: Cible) -> list[tuple[int, str]]:
    """[(famille, adresse IP)] à essayer, toutes admises. Lève AdresseRefusee, NomIntrouvable.

    Une seule adresse interdite suffit à tout refuser : le nom serait un leurre.
    """
    try:
        trouvees = socket.getaddrinfo(cible.hote, cible.port, type=socket.SOCK_STREAM)
    except (OSError, UnicodeError) as erreur:
        raise NomIntrouvable(_("Le nom %(hote)s ne se résout pas.") % {"hote": cible.hote}) from erreur
    adresses = list(dict.fromkeys((famille, fin[0].partition("%")[0]) for famille, _t, _p, _c, fin in trouvees))
    for _famille, adresse in adresses:
        if not admise(adresse):
            raise AdresseRefusee(
                _("%(hote)s mène à une adresse interne (%(adresse)s) : refusé.")
                % {"hote": cible.hote, "adresse": adresse}
            )
    return adresses


def admise(adresse: str) -> bool:
    """Publique ; ou du réseau privé si la maison l'admet. Jamais de lien local, multidestinataire ou réservée."""
    ip = ipaddress.ip_address(adresse)
    if ip.version == 6 and (cachee := _v4_cachee(ip)):
        ip = cachee
    if ip.is_multicast or ip.is_unspecified or ip.is_link_local or any(ip in reseau for reseau in PARTICULIERS):
        return False
    if settings.WEBHOOKS_ADRESSES_PRIVEES and (ip.is_private or ip.is_loopback):
        return True
    return ip.is_global and not ip.is_reserved


def _v4_cachee(ip: ipaddress.IPv6Address) -> ipaddress.IPv4Address | None:
    """L'adresse IPv4 qu'une IPv6 transporte : projetée, 6to4, Teredo, NAT64."""
    if ip.ipv4_mapped or ip.sixtofour:
        return ip.ipv4_mapped or ip.sixtofour
    if ip.teredo:
        return ip.teredo[1]
    if ip in NAT64 or int(ip) >> 32 == 0 and int(ip) > 1:
        return ipaddress.IPv4Address(int(ip) & 0xFFFFFFFF)
    return None
