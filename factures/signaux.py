"""Faits du grand livre que les applications plus haut écoutent : factures ne les connaît pas."""

from django.dispatch import Signal

# Des échéances ont changé de date. Arguments : `echeances` (identifiants), `au` (jour local). Envoyé dans la
# transaction qui les déplace : l'écoute y écrit, et se défait avec elle.
echeances_deplacees = Signal()

# Des clients changeraient de type. Argument : `clients` (identifiants). Chaque écoute rend {identifiant: raison} pour
# ceux à qui le changement se refuse. Envoyé dans la transaction de l'import, avant d'écrire.
types_changes = Signal()

# Un import va se défaire. Arguments : `lot`, `de` (`factures.services.annulation_objets.Objets` : ce qu'il a créé),
# `effacer`. Chaque écoute rend ([phrases de ce qui l'empêche], {étiquettes des modèles dont elle répond}) ; quand
# `effacer` est vrai, elle efface ce qui ne bloque pas (verdicts de la nuit). Envoyé dans la transaction qui défait.
lot_a_defaire = Signal()

# Un encaissement est revenu impayé. Arguments : `encaissement`, `motif` (texte), `frais` (Decimal), `au` (jour local).
# Envoyé dans la transaction du rejet : l'écoute y prévient une personne.
encaissement_rejete = Signal()

# Des jugements d'ouverture ont été publiés. Arguments : `comptes` (liste de (client, jugement, parution ou None), le
# premier compte de chaque débiteur d'abord), `nouveaux` (identifiants de ceux qui viennent d'être arrêtés), `au`,
# `acteur`. Envoyé dans la transaction de l'import : l'écoute y ouvre la déclaration, et se défait avec elle.
jugements_publies = Signal()
