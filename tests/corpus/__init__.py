"""Les vrais fichiers, hors du dépôt (variable CORPUS) : chacun importé ou refusé comme on l'attend, au centime.

Un module par famille. Il expose `FICHIERS`, les chemins relatifs au corpus dont il rend compte, et note chacun
par la fixture `table` ; `test_complet.py` échoue si un fichier du corpus n'est revendiqué par personne.
"""
