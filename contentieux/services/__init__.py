"""Écritures et lectures du contentieux qui ont un sens pour le métier."""

from .actes import annuler_acte, qualifier_creance, relever_acte
from .archive import archiver
from .declaration import composer_declaration, projet_de_declaration
from .decompte import Compte, compter, refus_du_calcul, rendre_decompte
from .mandatement import points as points_mandatement
from .mandatement import projet_de_mandatement
from .manques import Point, manques, points
from .ouverture import examiner, juridiction_proposee, ouvrir_dossier, voie_de
from .pieces import actualiser_pieces, ajouter_piece, deplacer, dispenser, joindre_piece, renumeroter
from .prescriptions import approchent, de_la_facture, du_dossier, pour_factures
from .requete import projet_de_requete, proposer_expose
from .suivi import (
    ajouter_frais,
    annuler_etape,
    clore,
    completer,
    dater_execution,
    delais,
    enregistrer_etape,
    etapes_possibles,
    procedure,
    relever_interruption,
)  # fmt: skip
from .veille import veiller, veiller_prescriptions

__all__ = [
    "Compte", "Point", "actualiser_pieces", "ajouter_frais", "ajouter_piece", "annuler_acte", "annuler_etape",
    "approchent", "archiver", "clore", "completer", "composer_declaration", "compter", "dater_execution",
    "de_la_facture", "delais", "deplacer", "dispenser", "du_dossier", "enregistrer_etape", "etapes_possibles",
    "examiner", "joindre_piece", "juridiction_proposee", "manques", "ouvrir_dossier", "points", "points_mandatement",
    "pour_factures", "procedure", "projet_de_declaration", "projet_de_mandatement", "projet_de_requete",
    "proposer_expose", "qualifier_creance", "refus_du_calcul", "relever_acte", "relever_interruption",
    "rendre_decompte", "renumeroter", "veiller", "veiller_prescriptions", "voie_de",
]  # fmt: skip
