"""Faits du grand livre que les applications plus haut écoutent : factures ne les connaît pas."""

from django.dispatch import Signal

# Des échéances ont changé de date. Arguments : `echeances` (identifiants), `au` (jour local). Envoyé dans la
# transaction qui les déplace : l'écoute y écrit, et se défait avec elle.
echeances_deplacees = Signal()

# Des clients changeraient de type. Argument : `clients` (identifiants). Chaque écoute rend {identifiant: raison} pour
# ceux à qui le changement se refuse. Envoyé dans la transaction de l'import, avant d'écrire.
types_changes = Signal()
