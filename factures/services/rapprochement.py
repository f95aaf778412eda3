"""Rapprocher la banque : ce qu'un relevé importé propose d'encaisser, et ce qu'une personne en accepte."""


def apres_import(societe_id: int, lot_id: int | None) -> None:
    """Appelée une fois un relevé écrit : propose, sans rien décider."""
