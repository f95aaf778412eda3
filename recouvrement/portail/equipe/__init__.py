"""Côté équipe : les routes de ce que les gestionnaires voient de la page du client."""
