"""Lecture des fichiers du grand livre (texte → `lot.LotLu`), puis application en base.

Les modules de lecture n'emploient ni ORM ni réglages : un fichier, des objets neutres, des rejets nommés.
"""
