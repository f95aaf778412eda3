"""Les essais ratés se comptent : par adresse IP, et en tout ; au-delà, la page attend la minute suivante.

Un lien porte 132 bits et un code 49 : aucun ne se devine. La limite borne le travail qu'on nous fait faire et rend une
recherche visible. Un lien juste n'est pas un essai : un débiteur n'épuise rien en relisant sa page.
"""

import ipaddress
import logging

from django.conf import settings
from django.core.cache import cache

from recouvrement.commun.horloge import maintenant

log = logging.getLogger(__name__)
FENETRE = 60  # secondes
PAR_ADRESSE = 20  # essais ratés par minute et par adresse
EN_TOUT = 300  # au-delà, chaque adresse n'en a plus que quelques-uns
PAR_ADRESSE_SERREE = 3


def adresse_ip(request) -> str:
    """L'adresse du visiteur ; derrière N mandataires de confiance (`PROXYS`), la N-ième depuis la droite.

    Ce qu'un visiteur écrit lui-même dans X-Forwarded-For est plus à gauche : il n'est pas cru.
    """
    brute = request.META.get("REMOTE_ADDR", "")
    if settings.PROXYS:
        chaine = [x.strip() for x in request.META.get("HTTP_X_FORWARDED_FOR", "").split(",") if x.strip()]
        if chaine:
            brute = chaine[-min(settings.PROXYS, len(chaine))]
    try:
        return str(ipaddress.ip_address(brute))
    except ValueError:
        return ""


def _voisinage(ip: str) -> str:
    """L'adresse, ou son réseau /64 en IPv6 : une seule machine en a des milliards."""
    if ":" not in ip:
        return ip or "inconnue"
    return str(ipaddress.ip_network(f"{ip}/64", strict=False).network_address)


def _cle(quoi: str, qui: str) -> str:
    return f"portail:{quoi}:{qui}:{int(maintenant().timestamp()) // FENETRE}"


def permis(request, quoi: str) -> bool:
    """Vrai si cette adresse peut encore se tromper dans la minute."""
    cle, tout = _cle(quoi, _voisinage(adresse_ip(request))), _cle(quoi, "tout")
    faits = cache.get_many([cle, tout])
    limite = PAR_ADRESSE_SERREE if faits.get(tout, 0) >= EN_TOUT else PAR_ADRESSE
    return faits.get(cle, 0) < limite


def rate(request, quoi: str) -> None:
    """Un essai raté de plus."""
    ip = _voisinage(adresse_ip(request))
    faits = [_un_de_plus(_cle(quoi, qui)) for qui in (ip, "tout")]
    if faits[0] == PAR_ADRESSE or faits[1] == EN_TOUT:
        log.warning("page du client : %s essais ratés (%s) depuis %s, %s en tout", faits[0], quoi, ip, faits[1])


def _un_de_plus(cle: str) -> int:
    """Chaque essai prend le numéro suivant par `add` : `incr`, en base, lit puis écrit et perdrait les simultanés."""
    n = cache.get(cle, 0) + 1
    while n < EN_TOUT and not cache.add(f"{cle}:{n}", 1, 2 * FENETRE):
        n += 1
    cache.set(cle, n, 2 * FENETRE)
    return n


def attente() -> int:
    """Secondes jusqu'à la minute suivante."""
    return FENETRE - int(maintenant().timestamp()) % FENETRE
