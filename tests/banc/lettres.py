"""Lettres : l'application de bout en bout contre une boucle `write_pdf` nue, tour à tour, dans le même processus.

Même HTML, même feuille, même configuration de polices. « Rendue » : des faits au PDF, gabarit et code QR compris ;
« entière » : en plus les faits relus en base, le décompte, les contrôles et le texte.
À lancer sur une base que `manage.py banc` vient de remplir ; imprime un objet JSON.
"""

import argparse
import gc
import json
import os
import sys
from datetime import date
from time import process_time

import django


def comparer(nombre: int, au: date) -> dict:
    import weasyprint

    from recouvrement.commun import pdf
    from recouvrement.comptes.models import Societe
    from recouvrement.pilotage import banc
    from relances.rendu import lettres

    cles = banc.envoyables(Societe.objects.get(), au=au, nombre=nombre + 1)
    banc.rendre(cles[0], au)  # amorce : imports, polices, gabarits
    polices, style = pdf._moteur(lettres.FEUILLE)
    temps = {"nue": 0.0, "rendue": 0.0, "entiere": 0.0}
    for rang, cle in enumerate(cles[1:]):
        lettre = banc.preparer_lettre(cle, au)
        html = lettres.rendre_html(lettre)

        def nue(html=html):
            document = weasyprint.HTML(string=html, base_url=pdf.BASE, url_fetcher=pdf._lecteur())
            return document.write_pdf(stylesheets=[style], font_config=polices)

        tours = [
            ("nue", nue),
            ("rendue", lambda lettre=lettre: lettres.rendre_pdf(lettre)),
            ("entiere", lambda cle=cle: banc.rendre(cle, au)),
        ]
        # Chacun son tour d'être le premier : aucun ne profite toujours des caches que l'autre a chauffés.
        for nom, travail in tours[rang % 3 :] + tours[: rang % 3]:
            gc.collect()
            gc.disable()  # sinon celui qui tombe sur une collecte générale la paie pour les deux autres
            debut = process_time()
            travail()
            temps[nom] += process_time() - debut
            gc.enable()
    n = len(cles) - 1
    return {"lettres": n} | {f"ms_{nom}": round(duree / n * 1000, 1) for nom, duree in temps.items()}


if __name__ == "__main__":
    analyse = argparse.ArgumentParser(description=__doc__)
    analyse.add_argument("--nombre", type=int, default=40)
    analyse.add_argument("--au", type=date.fromisoformat, required=True)
    options = analyse.parse_args()
    os.environ.setdefault("DJANGO_SETTINGS_MODULE", "recouvrement.settings.dev")
    django.setup()
    json.dump(comparer(options.nombre, options.au), sys.stdout)
