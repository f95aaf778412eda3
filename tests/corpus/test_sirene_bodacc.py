"""Chaque fichier SIRENE et BODACC des échantillons, attendus recopiés de leur notice ; les oracles sont comparés."""

import json
from datetime import date

from factures.imports.bodacc import portee_de
from factures.imports.fichier import examiner_fichier
from factures.imports.lecteurs import lire_seul, reconnaitre
from factures.imports.texte import FichierRefuse

API, STOCK, BODACC = (
    f"sirene-bodacc/{x}" for x in ("betagouv+place-des-entreprises", "signaux-faibles+opensignauxfaibles", "bodacc")
)
FICHIERS = {
    f"{API}/api_recherche_entreprises_search.json", f"{API}/api_insee_siret.json",
    f"{API}/api_entreprise_entreprise_422.json", f"{STOCK}/procolTestData.csv", f"{STOCK}/expectedProcol.json",
    f"{STOCK}/sireneULTestData.csv", f"{STOCK}/expectedSireneUL.json", f"{BODACC}/A202601765232.json",
}  # fmt: skip


def _lire(corpus, nom, format):
    fichier = examiner_fichier(corpus / nom)
    assert reconnaitre(fichier) == format
    lot = lire_seul(fichier)
    return list(lot.elements), lot


def test_aucun_fichier_n_est_oublie(corpus):
    assert {str(p.relative_to(corpus)) for p in (corpus / "sirene-bodacc").rglob("*") if p.is_file()} == FICHIERS


def test_la_recherche_d_entreprises(corpus, table):
    nom = f"{API}/api_recherche_entreprises_search.json"
    lues, lot = _lire(corpus, nom, "sirene")
    brut = json.loads((corpus / nom).read_text())["results"][0]
    # Le nombre d'établissements et la catégorie, que la maison ne garde pas, se lisent dans la réponse.
    table.noter(
        nom,
        {"entreprises": 4, "siren": "418166096", "nom": "octo-technology", "etat": "A", "siege": "41816609600069",
         "etablissements": 7, "ouverts": 2, "categorie": "GE"},
        lot.faits | {
            "nom": lues[0].valeurs["raison_sociale"].lower(), "etablissements": brut["nombre_etablissements"],
            "ouverts": brut["nombre_etablissements_ouverts"], "categorie": brut["categorie_entreprise"],
        },
    )  # fmt: skip


def test_le_siret_de_l_insee(corpus, table):
    nom = f"{API}/api_insee_siret.json"
    lues, lot = _lire(corpus, nom, "sirene")
    table.noter(
        nom,
        {"entreprises": 1, "sirets": ["41816609600069"], "siege": "41816609600069", "nom": "OCTO-TECHNOLOGY",
         "etat": "A", "actives": 1},
        lot.faits | {"sirets": sorted({x.siret for x in lues})},
    )  # fmt: skip


def test_l_erreur_422_est_refusee_clairement(corpus, table):
    nom = f"{API}/api_entreprise_entreprise_422.json"
    fichier = examiner_fichier(corpus / nom)
    try:
        list(lire_seul(fichier, reconnaitre(fichier)).elements)
        refus = ""
    except FichierRefuse as erreur:
        refus = str(erreur)
    cles = list(json.loads((corpus / nom).read_text()))
    table.noter(nom, {"cles": ["errors"], "refuse": True}, {"cles": cles, "refuse": "Entité non traitable" in refus})


def test_les_procedures_de_l_urssaf_et_leur_oracle(corpus, table):
    nom = f"{STOCK}/procolTestData.csv"
    lues, lot = _lire(corpus, nom, "bodacc")
    table.noter(
        nom,
        {
            "procedures": ["012345678 2014-05-26", "111098765 2017-10-04", "111111111 2014-07-17"],
            "actions": ["redressement"] * 3, "stades": ["solde_procedure"] * 3, "ouvertures": 0, "rejets": 0,
        },
        lot.faits | {
            "procedures": [f"{x.siren} {x.jugement_le}" for x in lues], "actions": [x.texte["action"] for x in lues],
            "stades": [x.texte["stade"] for x in lues], "rejets": len(lot.rejets),
        },
    )  # fmt: skip
    oracle = json.loads((corpus / STOCK / "expectedProcol.json").read_text())["tuples"]
    table.noter(
        f"{STOCK}/expectedProcol.json",
        {"tuples": [(x["date_effet"][:10], x["action_procol"], x["stade_procol"]) for x in oracle], "n": 3},
        {"tuples": [(f"{x.jugement_le}", x.texte["action"], x.texte["stade"]) for x in lues], "n": len(lues)},
    )


def test_le_stock_des_unites_legales_et_son_oracle(corpus, table):
    nom = f"{STOCK}/sireneULTestData.csv"
    lues, lot = _lire(corpus, nom, "sirene")
    table.noter(
        nom,
        {
            "unites": 4, "ecartees": 1, "dates_illisibles": 1, "rejets": 0,
            "etats": ["138426539 active", "789211558 fermée", "112233445 fermée"],
        },
        lot.faits | {
            "rejets": len(lot.rejets), "etats": [f"{x.siren} {'active' if x.active else 'fermée'}" for x in lues],
        },
    )  # fmt: skip
    oracle = json.loads((corpus / STOCK / "expectedSireneUL.json").read_text())
    table.noter(
        f"{STOCK}/expectedSireneUL.json",
        {"unites": [(x["siren"], x["est_actif"]) for x in oracle["tuples"]], "retenues": 3, "ecartees": 1, "rejets": 0},
        {"unites": [(x.siren, x.active) for x in lues], "retenues": len(lues), "ecartees": lot.faits["ecartees"],
         "rejets": len(lot.rejets)},
    )  # fmt: skip
    assert oracle["reports"][0]["lines_skipped"] == 1


def test_l_annonce_du_bodacc(corpus, table):
    nom = f"{BODACC}/A202601765232.json"
    (lue,), lot = _lire(corpus, nom, "bodacc")
    table.noter(
        nom,
        {
            "siren": "894670793", "famille": "collective", "nature": "Jugement d'ouverture de liquidation judiciaire",
            "jugement": date(2026, 9, 8), "parution": date(2026, 9, 15), "portee": "ouverture",
        },
        lot.faits | {"portee": str(portee_de(lue))},
    )  # fmt: skip
