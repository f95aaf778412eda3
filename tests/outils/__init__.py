"""Outils des essais : moteurs jetables, pair SMTP, garde réseau, gabarits stricts, lanceur."""
