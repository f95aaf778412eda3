"""Lecteurs de relevés : lignes par seconde et mémoire de pointe, contre l'analyse nue du même fichier, à chaque taille.

    .venv/bin/python -m tests.banc.lecteurs_banque [--lignes 100000 1000000] [--formats camt053 ofx]
    DATABASE_URL=postgres://… .venv/bin/python -m tests.banc.lecteurs_banque --charger 100000

Chaque mesure vit dans son processus (la mémoire de pointe ne se partage pas). « Nu » : le même fichier parcouru par
l'outil d'en dessous (lignes du texte, `csv.reader`, `iterparse` de lxml, découpe aux balises), sans rien en faire.
`--charger` : un relevé écrit dans une base jetable, contre le COPY des mêmes colonnes dans une table sans index.
"""

import argparse
import csv
import json
import os
import resource
import subprocess
import sys
import tempfile
from datetime import UTC, date, datetime
from pathlib import Path
from time import perf_counter

FORMATS = ("cfonb120", "camt053", "ofx", "mt940", "csv-banque")
LIMITE = 20


def ecrire(format: str, lignes: int, chemin: Path) -> None:
    """Un relevé d'un compte, autant d'opérations, des libellés tous différents."""
    from tests.factures import releves_essai as r

    with open(chemin, "w", encoding="utf-8") as sortie:
        if format == "cfonb120":
            modele = r.cfonb([("05", "1.00", "%LIBELLE%")]).splitlines()
            sortie.write(modele[0] + "\n")
            for n in range(lignes):
                sortie.write(modele[1].replace("%LIBELLE%", f"{f'V {n}':<9}") + "\n")
            sortie.write(r.cfonb([], ouverture=f"{100 + lignes}.00").splitlines()[1] + "\n")
        elif format == "camt053":
            tete, pied = r.camt(["%"], cloture=f"{100 + lignes}.00").split("%")
            modele = r.ntry("1.00", details=r.tx(nom="CLIENT N", motif="FACTURE N"), ref="REF-N")
            sortie.write(tete)
            for n in range(lignes):
                sortie.write(modele.replace("-N<", f"-{n}<").replace(" N<", f" {n}<") + "\n")
            sortie.write(pied)
        elif format == "ofx":
            tete, pied = r.ofx([]).split("</BANKTRANLIST>")
            sortie.write(tete)
            for n in range(lignes):
                sortie.write(
                    f"<STMTTRN><TRNTYPE>CREDIT<DTPOSTED>20260105<TRNAMT>1.00<FITID>F{n}<NAME>VIR CLIENT {n}</STMTTRN>\n"
                )
            sortie.write("</BANKTRANLIST>" + pied)
        elif format == "mt940":
            tete, pied = r.mt940([], cloture=f"C260131EUR{100 + lignes},00").split(":62F")
            sortie.write(tete)
            for n in range(lignes):
                sortie.write(f":61:2601050105C1,00NTRFNONREF//B{n}\n:86:166?00VIREMENT?20SVWZ+FACTURE {n}?32CLIENT\n")
            sortie.write(":62F" + pied)
        else:
            sortie.write("Date;Date de valeur;Montant;Libellé;Solde\n")
            for n in range(lignes):
                sortie.write(f"05/01/2026;06/01/2026;1,00;VIR SEPA CLIENT {n};{n + 1},00\n")


def nu(format: str, chemin: Path) -> int:
    """Éléments vus par l'outil d'en dessous."""
    if format == "camt053":
        from lxml import etree

        vus = 0
        for _evenement, element in etree.iterparse(str(chemin), tag="{*}Ntry"):
            vus += 1
            element.clear()
            while element.getprevious() is not None:
                del element.getparent()[0]
        return vus
    if format == "ofx":
        return chemin.read_text(encoding="utf-8").count("<STMTTRN>")
    with open(chemin, encoding="utf-8", newline="") as flux:
        return sum(1 for _ in (csv.reader(flux, delimiter=";") if format == "csv-banque" else flux))


def lire(format: str, chemin: Path) -> int:
    from factures.imports.fichier import examiner_fichier
    from factures.imports.lecteurs import lire_seul

    lot = lire_seul(examiner_fichier(chemin), format)
    vus = sum(1 for _ in lot.elements)
    if lot.rejets:
        raise AssertionError(f"{format} : {lot.rejets[0].motif}")
    return vus


def mesurer(quoi: str, format: str, chemin: Path) -> None:
    """Une mesure, dans ce processus : imprime secondes et mémoire de pointe (Mo)."""
    import django

    django.setup()
    depart = perf_counter()
    vus = (nu if quoi == "nu" else lire)(format, chemin)
    duree = perf_counter() - depart
    pointe = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024
    print(json.dumps({"vus": vus, "secondes": round(duree, 3), "pointe_mo": round(pointe)}))


def lancer(quoi: str, format: str, chemin: Path) -> dict:
    ordre = [sys.executable, "-m", "tests.banc.lecteurs_banque", "--mesurer", quoi, format, str(chemin)]
    return json.loads(subprocess.run(ordre, check=True, capture_output=True, text=True).stdout.splitlines()[-1])


def lectures(formats, tailles) -> None:
    with tempfile.TemporaryDirectory() as dossier:
        for lignes in tailles:
            for format in formats:
                chemin = Path(dossier) / "releve"
                ecrire(format, lignes, chemin)
                bas, haut = lancer("nu", format, chemin), lancer("lire", format, chemin)
                print(
                    json.dumps(
                        {
                            "format": format, "lignes": lignes, "mo": round(chemin.stat().st_size / 1e6, 1),
                            "lignes_par_s": round(lignes / haut["secondes"]), "pointe_mo": haut["pointe_mo"],
                            "nu_lignes_par_s": round(lignes / bas["secondes"]), "nu_pointe_mo": bas["pointe_mo"],
                            "rapport": round(haut["secondes"] / bas["secondes"], 1),
                        },
                        ensure_ascii=False,
                    ),
                    flush=True,
                )  # fmt: skip


def charger(lignes: int) -> None:
    """Écrit un relevé dans la base désignée, contre COPY des mêmes valeurs ; imprime le rapport à la limite."""
    import django

    django.setup()
    from django.core.management import call_command
    from django.db import connection

    from factures.imports.appliquer import importer
    from factures.imports.banque.salle import COLONNES
    from factures.models import MouvementBancaire
    from factures.services import rapprochement
    from tests.comptes.factories import SocieteFactory

    call_command("migrate", verbosity=0)
    with tempfile.TemporaryDirectory() as dossier:
        chemin = Path(dossier) / "releve"
        ecrire("cfonb120", lignes, chemin)
        moment = datetime(2026, 3, 10, 9, tzinfo=UTC)
        societe = SocieteFactory(iban="")
        propositions, apres_import = [], rapprochement.apres_import

        def chronometrer(*arguments) -> None:  # le rapprochement suit l'import : sa durée se dit à part
            debut = perf_counter()
            apres_import(*arguments)
            propositions.append(perf_counter() - debut)

        rapprochement.apres_import = chronometrer
        depart = perf_counter()
        rendu = importer(chemin, societe, moment=moment, au=date(2026, 3, 10))
        duree = perf_counter() - depart - sum(propositions)
        assert rendu.crees["mouvements"] == lignes, rendu.refus or rendu.rejets[:1]
    champs = [c for c in COLONNES["imp_mouvement"] if c not in ("n", "ligne", "releve", "compte", "jour", "cle")]
    valeurs = list(MouvementBancaire.objects.filter(societe=societe).values_list(*champs))
    with connection.cursor() as curseur:
        colonnes = ", ".join(f"{c} {COLONNES['imp_mouvement'][c]}" for c in champs)
        curseur.execute(f"create temporary table nu ({colonnes})")
        depart = perf_counter()
        with curseur.copy(f"copy nu ({', '.join(champs)}) from stdin") as copie:
            for ligne in valeurs:
                copie.write_row([int(v * 100) if c == "montant" else v for c, v in zip(champs, ligne, strict=True)])
        plancher = perf_counter() - depart
    print(
        json.dumps(
            {"lignes": lignes, "importer_s": round(duree, 2), "copy_s": round(plancher, 2),
                "rapprochement_s": round(sum(propositions), 2),
             "rapport": round(duree / plancher, 1), "limite": LIMITE}
        )
    )  # fmt: skip


def main() -> None:
    os.environ.setdefault("DJANGO_SETTINGS_MODULE", "recouvrement.settings.test")
    analyse = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    analyse.add_argument("--lignes", type=int, nargs="+", default=[100_000, 1_000_000])
    analyse.add_argument("--formats", nargs="+", choices=FORMATS, default=FORMATS)
    analyse.add_argument("--charger", type=int)
    analyse.add_argument("--mesurer", nargs=3)
    choix = analyse.parse_args()
    if choix.mesurer:
        quoi, format, chemin = choix.mesurer
        mesurer(quoi, format, Path(chemin))
    elif choix.charger:
        charger(choix.charger)
    else:
        lectures(choix.formats, choix.lignes)


if __name__ == "__main__":
    main()
