"""Rendu des courriels et des lettres : un objet entre, du texte ou des octets sortent.

Rien ici ne lit la base ni l'horloge. Les services remplissent `contexte.Lettre` (dataclasses gelées),
`controles.manques` dit ce qui empêche d'envoyer, `courriels.rendre` et `lettres.rendre_pdf` rendent.
"""
