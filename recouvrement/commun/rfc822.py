"""Lire un courriel en un temps borné, quoi qu'on y ait mis : n'importe qui écrit à une boîte."""

import email
from email import policy
from email.message import EmailMessage, Message
from itertools import count

COURRIEL_MAX = 60 * 1024 * 1024  # octets, message entier
PARTIES_MAX = 200
ENTETE_MAX = 1000  # caractères d'un en-tête que `email` analyse : son temps croît comme leur carré
ANALYSES = {"from", "message-id", "content-type", "content-disposition", "content-transfer-encoding"}
LIGNES_MAX = 1_000_000  # chacune se compare à toutes les bornes ouvertes
BORNES_MAX = 60


def _borner(sourcelines) -> None:
    nom = sourcelines[0].partition(":")[0].strip().lower()
    if nom in ANALYSES and sum(map(len, sourcelines)) > ENTETE_MAX:
        raise ValueError(f"en-tête {nom} démesuré")


class _Analysee(policy.EmailPolicy):
    def header_source_parse(self, sourcelines):
        _borner(sourcelines)
        return super().header_source_parse(sourcelines)


class _Brute(policy.Compat32):
    def header_source_parse(self, sourcelines):
        _borner(sourcelines)
        return super().header_source_parse(sourcelines)


def analyser(octets: bytes) -> EmailMessage:
    """Le message, ses en-têtes analysés à l'accès. Lève ValueError : trop de lignes, de bornes, de parties."""
    return _analyser(octets, _Analysee, EmailMessage)


def analyser_brut(octets: bytes) -> Message:
    """Le message, ses en-têtes tels qu'écrits : le lecteur n'y fait rien lever. Lève ValueError comme `analyser`."""
    return _analyser(octets, _Brute, Message)


def _analyser(octets: bytes, politique, classe):
    if octets.count(b"\n") > LIGNES_MAX or octets.lower().count(b"boundary") > BORNES_MAX:
        raise ValueError("courriel démesuré")
    parties = count(1)

    def naitre(policy):
        if next(parties) > PARTIES_MAX:
            raise ValueError("trop de parties")
        return classe(policy)

    return email.message_from_bytes(octets, policy=politique(message_factory=naitre))
