"""Remettre un courriel au fournisseur, et dire honnêtement ce qu'il en est advenu.

Trois issues : remis, refusé (rien n'est parti, c'est certain), incertain (la connexion a lâché pendant la
remise : le message est peut-être parti). Un envoi incertain n'est jamais rejoué sans une personne.
"""

import smtplib
from dataclasses import dataclass

from anymail.exceptions import AnymailError, AnymailRecipientsRefused, AnymailRequestsAPIError
from django.core.mail import EmailMessage, get_connection


class EnvoiRefuse(Exception):
    """Rien n'est parti. passager : réessayer plus tard a un sens (serveur injoignable, 4xx).

    adresse : c'est le destinataire qui est refusé, définitivement ; l'adresse ne doit plus servir.
    """

    def __init__(self, motif: str, *, passager: bool, adresse: bool = False):
        super().__init__(motif)
        self.passager, self.adresse = passager, adresse


class EnvoiIncertain(Exception):
    """Le message a pu partir : une personne tranche."""


@dataclass(frozen=True)
class Remise:
    message_id: str
    reponse: str


def remettre(message: EmailMessage) -> Remise:
    """Remet un message. Lève EnvoiRefuse ou EnvoiIncertain, jamais autre chose.

    La connexion s'ouvre à part : un échec avant la remise est un refus certain.
    """
    connexion = get_connection(fail_silently=False)
    try:
        connexion.open()
    except Exception as erreur:  # réseau, TLS, authentification : le message n'a pas quitté la machine
        raise EnvoiRefuse(_texte("serveur injoignable", erreur), passager=True) from erreur
    message.connection = connexion
    try:
        message.send()
    except smtplib.SMTPRecipientsRefused as erreur:
        code, motif = next(iter(erreur.recipients.values()))
        passager = 400 <= code < 500
        texte = f"adresse refusée : {code} {_octets(motif)}"
        raise EnvoiRefuse(texte, passager=passager, adresse=not passager) from erreur
    except (smtplib.SMTPSenderRefused, smtplib.SMTPDataError, smtplib.SMTPHeloError) as erreur:
        motif = f"refusé par le serveur : {erreur.smtp_code} {_octets(erreur.smtp_error)}"
        raise EnvoiRefuse(motif, passager=400 <= erreur.smtp_code < 500) from erreur
    except AnymailRecipientsRefused as erreur:
        raise EnvoiRefuse(_texte("adresse refusée", erreur), passager=False, adresse=True) from erreur
    except AnymailRequestsAPIError as erreur:
        statut = getattr(erreur.response, "status_code", None)
        if statut is None:
            raise EnvoiIncertain(_texte("connexion perdue pendant la remise", erreur)) from erreur
        raise EnvoiRefuse(
            _texte(f"refusé par le fournisseur ({statut})", erreur), passager=statut in (429, 503)
        ) from erreur
    except (AnymailError, UnicodeError, ValueError) as erreur:
        raise EnvoiRefuse(_texte("message impossible à composer", erreur), passager=False) from erreur
    except Exception as erreur:  # délai dépassé, connexion rompue pendant DATA : on ne sait pas
        raise EnvoiIncertain(_texte("connexion perdue pendant la remise", erreur)) from erreur
    finally:
        _fermer(connexion)
    statut = getattr(message, "anymail_status", None)
    return Remise(
        message_id=str(getattr(statut, "message_id", None) or message.extra_headers.get("Message-ID", "")),
        reponse=", ".join(sorted(getattr(statut, "status", None) or {"remis"})),
    )


def _fermer(connexion) -> None:
    try:
        connexion.close()
    except (OSError, smtplib.SMTPException):
        return  # la remise est déjà jugée ; une fermeture ratée n'y change rien


def _octets(motif) -> str:
    return motif.decode("utf-8", "replace") if isinstance(motif, bytes) else str(motif)


def _texte(debut: str, erreur: Exception) -> str:
    return f"{debut} : {type(erreur).__name__} {erreur}"[:380]
