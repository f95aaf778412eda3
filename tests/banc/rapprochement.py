"""Rapprochement : durée, mémoire, part juste et précision par tranche de confiance, sur un grand livre sans références.

    .venv/bin/python -m tests.banc.rapprochement                    5 000 mouvements, 50 000 factures ouvertes, pur
    .venv/bin/python -m tests.banc.rapprochement --en-base          les mêmes par le service, base jetable

Le grand livre est celui de `tests/banc/generer.py`. Ses derniers règlements redeviennent des mouvements de banque dont
toute référence est effacée : il ne reste que le nom du payeur comme une banque l'écrit (entier, tronqué, déformé, ou
absent), le montant, le jour. Un mouvement sur vingt n'a rien à voir avec un client. Juste : le bon client ET les bonnes
pièces pour les bons montants ; la confiance annoncée se lit contre cette part. Imprime une ligne JSON par mesure.
"""

import argparse
import json
import random
import resource
from collections import defaultdict
from datetime import timedelta
from time import perf_counter

from rapidfuzz.fuzz import ratio

from factures.domaine.rapprochement import Fiche, GrandLivre, Poste, Recu, Tolerances

from . import generer

TRANCHES = ((98, 100), (95, 98), (90, 95), (80, 90), (60, 80), (40, 60), (20, 40), (5, 20))
SANS_RAPPORT = ("VIR SALAIRE", "REMB URSSAF", "DGFIP CREDIT TVA", "PRET BPI TIRAGE", "CESSION VEHICULE MARTIN")


def memoire() -> int:
    """Sommet de mémoire du processus, en Mio."""
    return resource.getrusage(resource.RUSAGE_SELF).ru_maxrss // 1024


def nom_de_banque(nom: str, r: random.Random) -> tuple[str, str]:
    """(libellé, contrepartie) tels qu'un relevé les montre."""
    tirage = r.random()
    plat = nom.upper()
    if tirage < 0.55:
        return f"VIR SEPA RECU /DE {plat}", plat
    if tirage < 0.75:
        return f"VIR {plat[:22]}", ""
    if tirage < 0.85 and len(plat) > 8:  # une lettre tombée
        ou = r.randrange(2, 8)
        return f"VIR INST {plat[:ou]}{plat[ou + 1 :]}", ""
    if tirage < 0.92:
        return f"VIREMENT {' '.join(plat.split()[:2])}", ""
    return "VIREMENT RECU", ""


def preparer(clients: int, factures: int, mouvements: int, graine: str):
    """(fiches, postes, mouvements, vérités) ; vérité : (client, {échéance: centimes}) ou None."""
    fiches, pieces, recus = generer.generer(clients, factures, graine)
    numeros = {c["code_client"]: n for n, c in enumerate(fiches, 1)}
    par_reference = defaultdict(list)
    for x in recus:
        par_reference[x["reference"]].append(x)
    groupes = sorted(par_reference.values(), key=lambda g: (max(x["date"] for x in g), g[0]["reference"]))
    r = random.Random(graine)
    etrangers = mouvements // 20
    effaces = groupes[len(groupes) - (mouvements - etrangers) :]
    regles = defaultdict(int)
    for groupe in groupes[: len(groupes) - len(effaces)]:
        for x in groupe:
            regles[x["facture"]] += x["montant"]
    postes, ids = [], {}
    for n, f in enumerate(pieces, 1):
        ids[f["numero"]] = n
        if (reste := f["montant_ttc"] - regles[f["numero"]]) > 0:
            postes.append(
                Poste(n, numeros[f["code_client"]], n, f["numero"], reste, f["date_facture"], f["date_echeance"], "EUR",
                      f["montant_ttc"])
            )  # fmt: skip
    lignes, verites = [], []
    for n, groupe in enumerate(effaces, 1):
        client = numeros[groupe[0]["code_client"]]
        libelle, contrepartie = nom_de_banque(fiches[client - 1]["raison_sociale"], r)
        jour = max(x["date"] for x in groupe)
        lignes.append(Recu(n, sum(x["montant"] for x in groupe), "EUR", jour, libelle, "", contrepartie, ""))
        parts = defaultdict(int)
        for x in groupe:
            if x["facture"]:
                parts[ids[x["facture"]]] += x["montant"]
        verites.append((client, dict(parts)))
    for n in range(etrangers):
        jour = generer.REFERENCE - timedelta(days=r.randrange(30))
        montant = int(r.lognormvariate(6.6, 1.1) * 100) + 500
        lignes.append(Recu(len(effaces) + n + 1, montant, "EUR", jour, r.choice(SANS_RAPPORT)))
        verites.append(None)
    return [Fiche(numeros[c["code_client"]], c["raison_sociale"]) for c in fiches], postes, lignes, verites


def juger(proposees, verites) -> dict:
    """Rappel et précision par tranche ; `proposees` : une liste de suggestions par mouvement."""
    reels = sum(v is not None for v in verites)
    justes = clients = parmi = 0
    tranches = {t: [0, 0, 0] for t in TRANCHES}
    classes = defaultdict(lambda: [0, 0, 0])
    for suggestions, verite in zip(proposees, verites, strict=True):
        if verite and any((s.client, s.echeances) == verite for s in suggestions):
            parmi += 1
        if not suggestions:
            continue
        s = suggestions[0]
        juste = verite is not None and (s.client, s.echeances) == verite
        justes += juste
        clients += verite is not None and s.client == verite[0]
        for bas, haut in TRANCHES:
            if bas <= s.confiance < haut:
                for compte in (tranches[bas, haut], classes[s.classe]):
                    compte[0] += 1
                    compte[1] += juste
                    compte[2] += s.confiance

    def lire(comptes):
        return {
            f"{t[0]}-{t[1] - 1}" if isinstance(t, tuple) else t: {
                "n": n, "justes_pct": round(100 * ok / n, 1), "annonce_pct": round(somme / n, 1)
            }
            for t, (n, ok, somme) in comptes.items() if n
        }  # fmt: skip

    return {
        "mouvements": len(verites), "de_clients": reels,
        "premiere_juste_pct": round(100 * justes / reels, 1), "dans_les_trois_pct": round(100 * parmi / reels, 1),
        "bon_client_pct": round(100 * clients / reels, 1), "tranches": lire(tranches), "classes": lire(classes),
    }  # fmt: skip


def pur(args) -> None:
    fiches, postes, lignes, verites = preparer(args.clients, args.factures, args.mouvements, args.graine)
    debut = perf_counter()
    livre = GrandLivre(postes, fiches=fiches, ressemblance=ratio)
    charge = perf_counter() - debut
    proposees = [livre.suggerer(ligne, Tolerances()) for ligne in lignes]
    duree = perf_counter() - debut
    mesure = {"mesure": "pur", "ouvertes": len(postes), "index_s": round(charge, 2), "total_s": round(duree, 2)}
    print(json.dumps(mesure | {"memoire_mio": memoire()} | juger(proposees, verites), ensure_ascii=False))


def main() -> None:
    p = argparse.ArgumentParser(description=__doc__)
    p.add_argument("--clients", type=int, default=10_000)
    p.add_argument("--factures", type=int, default=107_000)
    p.add_argument("--mouvements", type=int, default=5_000)
    p.add_argument("--graine", default="rapprochement-2026")
    p.add_argument("--en-base", action="store_true")
    args = p.parse_args()
    if args.en_base:
        from .rapprochement_en_base import mesurer

        mesurer(args)
    else:
        pur(args)


if __name__ == "__main__":
    main()
