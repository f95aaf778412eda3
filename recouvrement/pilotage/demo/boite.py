"""Boîte aux lettres de la démonstration : rien ne quitte la machine, quelques remises échouent exprès."""

import smtplib

from django.core.mail.backends.base import BaseEmailBackend

# Adresses du jeu dont la remise tourne mal, et ce que répond le serveur.
REFUSEES = {"compta@sellerie-aubertin.example": (550, b"5.1.1 boite inconnue")}
SANS_REPONSE = frozenset({"reglements@verrerie-sauxmont.example"})


class EmailBackend(BaseEmailBackend):
    """Remet tout, sauf les adresses ci-dessus : un refus certain, une connexion perdue pendant la remise."""

    def send_messages(self, messages):
        for adresse in (a for m in messages for a in m.to):
            if adresse in REFUSEES:
                raise smtplib.SMTPRecipientsRefused({adresse: REFUSEES[adresse]})
            if adresse in SANS_REPONSE:
                raise TimeoutError("connexion perdue après DATA")
        return len(messages)
