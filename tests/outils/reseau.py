"""Aucun essai ne sort de la machine : une connexion hors de 127.0.0.1 échoue aussitôt."""

import ipaddress
import socket

import pytest


class SortieInterdite(RuntimeError):
    """Un essai a tenté de joindre une autre machine."""


def est_locale(adresse) -> bool:
    """Vrai pour une prise Unix ou une adresse de bouclage."""
    if not isinstance(adresse, tuple):
        return True
    hote = adresse[0]
    if hote in ("localhost", ""):
        return True
    try:
        return ipaddress.ip_address(hote).is_loopback
    except ValueError:
        return False


def fermer_la_sortie(retouche: pytest.MonkeyPatch) -> None:
    """Remplace `connect` et `connect_ex` par des versions qui refusent de sortir."""
    for nom in ("connect", "connect_ex"):
        origine = getattr(socket.socket, nom)

        def garde(prise, adresse, origine=origine):
            if prise.family in (socket.AF_INET, socket.AF_INET6) and not est_locale(adresse):
                raise SortieInterdite(f"connexion interdite pendant les essais : {adresse}")
            return origine(prise, adresse)

        retouche.setattr(socket.socket, nom, garde)
