"""Réglages : base, dev (défaut), test, prod."""
