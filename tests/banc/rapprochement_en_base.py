"""Le même banc par le service, dans une base SQLite jetable : lecture des postes, moteur, écriture des suggestions."""

import json
import os
import subprocess
import sys
import tempfile
from pathlib import Path
from time import perf_counter

RACINE = Path(__file__).resolve().parents[2]


def mesurer(args) -> None:
    with tempfile.TemporaryDirectory() as dossier:
        os.environ |= {"RECOUVREMENT_VAR": dossier, "DJANGO_SETTINGS_MODULE": "recouvrement.settings.dev"}
        os.environ["DATABASE_URL"] = f"sqlite:///{dossier}/banc.sqlite3"
        subprocess.run([sys.executable, "manage.py", "migrate", "-v0"], cwd=RACINE, check=True)
        import django

        django.setup()
        _mesurer(args)


def _mesurer(args) -> None:
    from clients.models import Client
    from factures.domaine.rapprochement import Suggestion
    from factures.models import CompteBancaire, Echeance, Facture, MouvementBancaire
    from factures.services.rapprochement import suggerer
    from recouvrement.commun.champs import en_euros
    from recouvrement.comptes.models import Societe

    from .rapprochement import juger, memoire, preparer

    fiches, postes, lignes, verites = preparer(args.clients, args.factures, args.mouvements, args.graine)
    societe = Societe.objects.create(code="BANC", raison_sociale="Banc")
    Client.objects.bulk_create(
        (Client(pk=f.id, societe=societe, code=f"C{f.id}", raison_sociale=f.nom) for f in fiches), batch_size=2_000
    )
    Facture.objects.bulk_create(
        (
            Facture(pk=p.id, societe=societe, client_id=p.client, cle_source=p.numero, numero=p.numero,
                    date_emission=p.emission, montant_ttc=en_euros(p.origine))
            for p in postes
        ),
        batch_size=2_000,
    )  # fmt: skip
    Echeance.objects.bulk_create(
        (
            Echeance(pk=p.id, societe=societe, client_id=p.client, facture_id=p.id, cle_source=p.numero,
                     date_facture=p.emission, date_echeance=p.echeance, montant=en_euros(p.origine),
                     impute=en_euros(p.origine - p.centimes))
            for p in postes
        ),
        batch_size=2_000,
    )  # fmt: skip
    compte = CompteBancaire.objects.create(societe=societe, identifiant="BANC")
    MouvementBancaire.objects.bulk_create(
        (
            MouvementBancaire(pk=m.id, societe=societe, compte=compte, cle_source=str(m.id), date=m.date,
                              montant=en_euros(m.centimes), libelle=m.libelle, contrepartie=m.contrepartie)
            for m in lignes
        ),
        batch_size=2_000,
    )  # fmt: skip
    debut = perf_counter()
    suggerer(societe)
    duree = perf_counter() - debut
    mouvements = MouvementBancaire.objects.order_by("pk").prefetch_related("suggestions")
    proposees = [
        [
            Suggestion(s.client_id, s.confiance, s.parts.get("classe", ""),
                       {int(k): v for k, v in s.parts.get("echeances", {}).items()})
            for s in m.suggestions.all()
        ]
        for m in mouvements
    ]  # fmt: skip
    presumes = sum(m.client_presume_id is not None for m in mouvements)
    mesure = {"mesure": "en base", "ouvertes": len(postes), "total_s": round(duree, 2), "memoire_mio": memoire()}
    rendu = juger(proposees, verites) | {"clients_presumes": presumes}
    print(json.dumps(mesure | rendu, ensure_ascii=False))
