#!/usr/bin/env python3
"""Grand livre client synthétique, déterministe (graine + taille), pour les mesures comparées.

Écrit dans --sortie : clients.csv, factures.csv, encaissements.csv et attendu.json.
Séparateur « ; », UTF-8 sans BOM, dates AAAA-MM-JJ, montants au point décimal
(--format fr : JJ/MM/AAAA et virgule décimale). Bibliothèque standard seule.

attendu.json est l'oracle, calculé ici en Python pur et en centimes, sans base de
données : chaque moteur mesuré doit retrouver ces nombres, sinon sa mesure ne vaut rien.
"""

import argparse
import csv
import datetime as dt
import hashlib
import json
import math
import os
import random
import unicodedata

REFERENCE = dt.date(2026, 10, 31)  # date d'arrêté commune
NIVEAUX = (5, 20, 40)  # jours de retard ouvrant droit aux niveaux 1, 2, 3
TRANCHES = (0, 30, 60, 90)  # bornes des tranches de la balance âgée
PART_ECHUE = 0.30  # part des factures échues et non soldées à l'arrêté
PART_PARTIELLE = 0.20  # dont part partiellement réglée

FORMES = ("SARL", "SAS", "SASU", "EURL", "SA", "SCOP", "SNC")
METIERS = (
    "Menuiserie",
    "Plomberie",
    "Transports",
    "Garage",
    "Boulangerie",
    "Imprimerie",
    "Électricité",
    "Maçonnerie",
    "Charpente",
    "Pépinières",
    "Négoce",
    "Conserverie",
    "Fonderie",
    "Mécanique",
    "Chaudronnerie",
    "Serrurerie",
    "Peinture",
    "Ébénisterie",
)
NOMS = (
    "Lefèvre",
    "Garnier",
    "Faure",
    "Rousseau",
    "Chevalier",
    "Hervé",
    "Guérin",
    "Bélanger",
    "Le Goff",
    "d'Arras",
    "Muñoz",
    "Schaeffer",
    "N'Diaye",
    "Barthélemy",
    "Œuvrard",
    "Poirier",
)
VILLES = (
    ("44000", "Nantes"),
    ("29200", "Brest"),
    ("75011", "Paris"),
    ("69003", "Lyon"),
    ("13002", "Marseille"),
    ("59800", "Lille"),
    ("67000", "Strasbourg"),
    ("33000", "Bordeaux"),
    ("31000", "Toulouse"),
    ("35000", "Rennes"),
    ("21000", "Dijon"),
    ("2A000", "Ajaccio"),
    ("97400", "Saint-Denis"),
    ("76600", "Le Havre"),
    ("38000", "Grenoble"),
)
VOIES = (
    "rue de la République",
    "avenue Jean-Jaurès",
    "boulevard de l'Europe",
    "impasse des Érables",
    "ZA de l'Étang",
    "quai de la Fosse",
    "chemin du Moulin-à-Vent",
    "place du Général-de-Gaulle",
)
CONDITIONS = (("30J", 0.35), ("45J", 0.15), ("45FDM", 0.20), ("60J", 0.20), ("30FDM", 0.10))


def luhn(prefixe):
    s = 0
    for i, c in enumerate(reversed(prefixe)):
        n = int(c)
        if i % 2 == 0:
            n *= 2
            if n > 9:
                n -= 9
        s += n
    return prefixe + str((10 - s % 10) % 10)


def ascii_(s):
    s = s.replace("Œ", "Oe").replace("œ", "oe")
    s = unicodedata.normalize("NFD", s)
    return "".join(c for c in s if c.isalnum() and ord(c) < 128).lower()


def fin_de_mois(d):
    return (d.replace(day=28) + dt.timedelta(days=4)).replace(day=1) - dt.timedelta(days=1)


def echeance(d, condition):
    if condition.endswith("FDM"):
        return fin_de_mois(d + dt.timedelta(days=int(condition[:-3])))
    return d + dt.timedelta(days=int(condition[:-1]))


def tranche(retard):
    """0 = non échu (échéance >= arrêté), puis 1-30, 31-60, 61-90, plus de 90 jours."""
    if retard <= 0:
        return 0
    for i, b in enumerate(TRANCHES[1:], 1):
        if retard <= b:
            return i
    return 4


def generer(nb_clients, nb_factures, graine):
    r = random.Random(f"{graine}/{nb_clients}/{nb_factures}")
    clients = []
    for i in range(1, nb_clients + 1):
        nom = f"{r.choice(METIERS)} {r.choice(NOMS)}"
        forme = r.choice(FORMES)
        siren = luhn(f"{r.randrange(300_000_00, 999_999_99):08d}")
        cp, ville = r.choice(VILLES)
        u, cond = r.random(), "30J"
        for c, p in CONDITIONS:
            u -= p
            if u < 0:
                cond = c
                break
        code = f"C{i:06d}"
        clients.append(
            dict(
                code_client=code,
                raison_sociale=f"{nom} {forme} {i}",
                siren=siren,
                siret=luhn(siren + f"{r.randrange(1, 9999):04d}"),
                adresse=f"{r.randrange(1, 240)} {r.choice(VOIES)}",
                code_postal=cp,
                ville=ville,
                pays="FR",
                courriel=f"compta.{ascii_(nom)}.{i}@exemple.invalid",
                telephone=f"0{r.randrange(1, 6)}{r.randrange(10**8):08d}",
                conditions=cond,
                encours_autorise=r.randrange(5, 500) * 100,
            )
        )
    # répartition inégale : poids de Pareto tronqué, comme un vrai portefeuille
    poids = [min(r.paretovariate(1.3), 60.0) for _ in clients]
    factures = []
    choisis = r.choices(range(nb_clients), poids, k=nb_factures)
    jours = sorted(r.randrange(0, 365) for _ in range(nb_factures))
    for n, (ci, j) in enumerate(zip(choisis, jours, strict=True), 1):
        c = clients[ci]
        d = REFERENCE - dt.timedelta(days=364 - j)
        ht = int(math.exp(r.gauss(6.4, 1.1)) * 100) + 500  # centimes, médiane ~600 EUR
        taux = r.choices((2000, 1000, 550), (0.8, 0.12, 0.08))[0]
        tva = (ht * taux + 5000) // 10000
        factures.append(
            dict(
                numero=f"F{d.year}-{n:07d}",
                code_client=c["code_client"],
                date_facture=d,
                date_echeance=echeance(d, c["conditions"]),
                montant_ht=ht,
                montant_tva=tva,
                montant_ttc=ht + tva,
                devise="EUR",
                commande=f"BC{r.randrange(10**6):06d}",
            )
        )
    # factures échues non soldées : tirage pondéré sans remise, les récentes plus souvent
    echues = [f for f in factures if f["date_echeance"] < REFERENCE]
    cles = []
    for f in echues:
        age = (REFERENCE - f["date_echeance"]).days
        cles.append((r.random() ** (1 / math.exp(-age / 90)), f["numero"]))
    cles.sort(reverse=True)
    nb_ouvertes = round(PART_ECHUE * nb_factures)
    ouvertes = {num for _, num in cles[:nb_ouvertes]}
    if len(ouvertes) < nb_ouvertes:
        raise SystemExit("trop peu de factures échues pour la part demandée")

    encaissements, ref = [], [0]

    def nouvelle_reference():
        ref[0] += 1
        return f"R{ref[0]:08d}"

    def regler(f, montant, jour, reference=None, mode=None):
        encaissements.append(
            dict(
                reference=reference or nouvelle_reference(),
                code_client=f["code_client"],
                date=min(max(jour, f["date_facture"]), REFERENCE),
                montant=montant,
                mode=mode or r.choices(("VIREMENT", "CHEQUE", "PRELEVEMENT", "CARTE"), (0.7, 0.12, 0.15, 0.03))[0],
                facture=f["numero"],
            )
        )

    groupes = {}
    for f in factures:
        ttc = f["montant_ttc"]
        if f["numero"] in ouvertes:
            if r.random() < PART_PARTIELLE:
                regler(
                    f,
                    max(1, int(ttc * r.uniform(0.2, 0.8))),
                    f["date_echeance"] + dt.timedelta(days=r.randrange(-5, 20)),
                )
            continue
        if f["date_echeance"] >= REFERENCE:  # non échue
            if r.random() < 0.05:
                regler(f, ttc, f["date_facture"] + dt.timedelta(days=r.randrange(1, 10)))
            continue
        paye_le = f["date_echeance"] + dt.timedelta(days=int(r.gauss(6, 12)))
        u = r.random()
        if u < 0.15:  # réglée en deux fois
            a = int(ttc * r.uniform(0.3, 0.7)) or 1
            regler(f, a, paye_le)
            regler(f, ttc - a, paye_le + dt.timedelta(days=r.randrange(3, 25)))
        elif u < 0.30:  # virement groupé du mois
            g = (f["code_client"], paye_le.year, paye_le.month)
            if g not in groupes:
                groupes[g] = (nouvelle_reference(), fin_de_mois(paye_le))
            # la date du groupe ne doit pas précéder la facture : regler() la borne
            regler(f, ttc, groupes[g][1], groupes[g][0], "VIREMENT")
        else:
            regler(f, ttc, paye_le)
    for c in clients:  # acomptes non lettrés
        if r.random() < 0.02:
            encaissements.append(
                dict(
                    reference=nouvelle_reference(),
                    code_client=c["code_client"],
                    date=REFERENCE - dt.timedelta(days=r.randrange(1, 60)),
                    montant=r.randrange(20, 800) * 100,
                    mode="VIREMENT",
                    facture="",
                )
            )
    return clients, factures, encaissements


def oracle(clients, factures, encaissements):
    regle = {}
    acompte = {}
    for e in encaissements:
        if e["facture"]:
            regle[e["facture"]] = regle.get(e["facture"], 0) + e["montant"]
        else:
            acompte[e["code_client"]] = acompte.get(e["code_client"], 0) + e["montant"]
    tr = [0] * 5
    niveaux = [0] * len(NIVEAUX)
    partielles = ouvertes = echues = 0
    relancables, echu_client, balance = set(), {}, {}
    for f in factures:
        solde = f["montant_ttc"] - regle.get(f["numero"], 0)
        assert solde >= 0, f
        if not solde:
            continue
        ouvertes += 1
        retard = (REFERENCE - f["date_echeance"]).days
        tr[tranche(retard)] += solde
        balance.setdefault(f["code_client"], [0] * 5)[tranche(retard)] += solde
        if retard > 0:
            echues += 1
            partielles += f["numero"] in regle
        for i, n in enumerate(NIVEAUX):
            if retard >= n:
                niveaux[i] += 1
        if retard >= NIVEAUX[0]:
            relancables.add(f["code_client"])
            echu_client[f["code_client"]] = echu_client.get(f["code_client"], 0) + solde

    def euro(c):
        return f"{c / 100:.2f}"

    empreinte = hashlib.sha256(
        "\n".join(f"{k}:{','.join(map(str, v))}" for k, v in sorted(balance.items())).encode()
    ).hexdigest()
    return dict(
        reference=REFERENCE.isoformat(),
        niveaux_jours=NIVEAUX,
        tranches=TRANCHES,
        clients=len(clients),
        factures=len(factures),
        encaissements=len(encaissements),
        factures_ouvertes=ouvertes,
        factures_echues=echues,
        echues_partielles=partielles,
        lignes_niveau_1=niveaux[0],
        lignes_niveau_2=niveaux[1],
        lignes_niveau_3=niveaux[2],
        clients_a_relancer=len(relancables),
        clients_couverts_par_acompte=sum(1 for c in relancables if acompte.get(c, 0) >= echu_client[c]),
        clients_ouverts=len(balance),
        balance_agee=[euro(x) for x in tr],
        total_ouvert=euro(sum(tr)),
        acomptes=euro(sum(acompte.values())),
        empreinte_balance=empreinte,
    )


def parser():
    p = argparse.ArgumentParser(description=__doc__)
    p.add_argument("--clients", type=int, default=2000)
    p.add_argument("--factures", type=int, default=20000)
    p.add_argument("--graine", default="relance-2026")
    p.add_argument("--format", choices=("iso", "fr"), default="iso")
    p.add_argument("--sortie", required=True)
    return p


def ecrire(a):
    """Écrit les quatre fichiers ; renvoie l'oracle."""
    clients, factures, encaissements = generer(a.clients, a.factures, a.graine)
    os.makedirs(a.sortie, exist_ok=True)

    def cel(k, v):
        if isinstance(v, dt.date):
            return v.strftime("%d/%m/%Y") if a.format == "fr" else v.isoformat()
        if k.startswith("montant"):
            s = f"{v / 100:.2f}"
            return s.replace(".", ",") if a.format == "fr" else s
        return v

    for nom, lignes in (("clients", clients), ("factures", factures), ("encaissements", encaissements)):
        with open(os.path.join(a.sortie, nom + ".csv"), "w", newline="", encoding="utf-8") as f:
            w = csv.writer(f, delimiter=";")
            w.writerow(lignes[0].keys())
            w.writerows([cel(k, v) for k, v in ligne.items()] for ligne in lignes)
    o = oracle(clients, factures, encaissements)
    o["graine"] = a.graine
    with open(os.path.join(a.sortie, "attendu.json"), "w", encoding="utf-8") as f:
        json.dump(o, f, ensure_ascii=False, indent=1)
    return o


if __name__ == "__main__":
    print(json.dumps(ecrire(parser().parse_args()), ensure_ascii=False))
