"""Lecteurs de relevés bancaires : un fichier, des relevés et des mouvements neutres."""
