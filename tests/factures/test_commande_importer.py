"""manage.py importer : le contrat de produit.md § 7."""

import json
from pathlib import Path

import pytest
from django.core.management import CommandError, call_command

from clients.models import Client
from factures.models import Echeance, Encaissement, Facture, Imputation, Lot
from recouvrement.comptes.models import Societe
from tests.comptes.factories import SocieteFactory
from tests.factures.fec_essai import Fec
from tests.factures.test_imports_fec import REEL

pytestmark = pytest.mark.django_db

CLIENTS = "code_client;raison_sociale\nC1;Dupont\n"
FACTURES = "numero;code_client;date_facture;date_echeance;montant_ttc\nF1;C1;2026-01-05;2026-02-04;120,00\n"
ENCAISSEMENTS = "reference;code_client;date;montant;mode;facture\nR1;C1;10/02/2026;100,00;VIREMENT;F1\n"


@pytest.fixture
def fichiers(tmp_path) -> dict[str, Path]:
    chemins = {}
    for nom, texte in (("clients", CLIENTS), ("factures", FACTURES), ("encaissements", ENCAISSEMENTS)):
        chemins[nom] = tmp_path / f"{nom}.csv"
        chemins[nom].write_text(texte)
    return chemins


@pytest.fixture
def lancer(capsys):
    """(code de sortie, objet JSON ou texte) d'une commande."""

    def lancer(nom, *arguments):
        capsys.readouterr()
        try:
            call_command(nom, *map(str, arguments))
            code = 0
        except SystemExit as fin:
            code = fin.code
        except CommandError as erreur:
            return erreur.returncode, str(erreur)
        sortie = capsys.readouterr()
        return code, json.loads(sortie.out) if "--json" in arguments else sortie.out + sortie.err

    return lancer


def test_les_cles_du_contrat(lancer, fichiers):
    code, objet = lancer("importer", fichiers["clients"], "--societe", "alpha", "--json")
    assert code == 0
    assert {"fichier", "format", "crees", "inchanges", "rejets", "encours"} <= objet.keys()
    assert objet["crees"] == {"clients": 1, "factures": 0, "avoirs": 0, "encaissements": 0, "imputations": 0}
    assert objet["inchanges"].keys() == objet["crees"].keys()
    assert (objet["fichier"], objet["format"], objet["encours"]) == ("clients.csv", "csv-clients", "0.00")


def test_plusieurs_fichiers_se_rangent_d_eux_memes_et_font_un_seul_objet(lancer, fichiers):
    ordre = [fichiers["encaissements"], fichiers["factures"], fichiers["clients"]]
    code, objet = lancer("importer", *ordre, "--societe", "alpha", "--json")
    assert (code, objet["rejets"], objet["encours"]) == (0, [], "20.00")
    assert objet["crees"] == {"clients": 1, "factures": 1, "avoirs": 0, "encaissements": 1, "imputations": 1}
    assert [x["fichier"] for x in objet["fichiers"]] == ["clients.csv", "factures.csv", "encaissements.csv"]


def test_rejouer_ne_change_rien(lancer, fichiers):
    """Exigence 3."""
    lancer("importer", *fichiers.values(), "--societe", "alpha")
    avant = [list(m.objects.values()) for m in (Client, Facture, Echeance, Encaissement, Imputation)]
    code, objet = lancer("importer", *fichiers.values(), "--json")
    assert (code, set(objet["crees"].values())) == (0, {0})
    assert objet["inchanges"] == {"clients": 1, "factures": 1, "avoirs": 0, "encaissements": 1, "imputations": 1}
    assert [list(m.objects.values()) for m in (Client, Facture, Echeance, Encaissement, Imputation)] == avant


def test_l_essai_enchaine_les_fichiers_sans_rien_ecrire(lancer, fichiers):
    code, objet = lancer("importer", *fichiers.values(), "--societe", "alpha", "--essai", "--json")
    assert (code, objet["crees"]["imputations"], objet["encours"]) == (0, 1, "20.00")
    assert not Societe.objects.exists() and not Lot.objects.exists() and not Client.objects.exists()


def test_des_rejets_sortent_en_1_et_n_ecrivent_rien_de_ce_fichier(lancer, fichiers):
    fichiers["factures"].write_text(FACTURES + "F2;C9;31/02/2026;;5\n")
    code, objet = lancer("importer", fichiers["clients"], fichiers["factures"], "--societe", "alpha", "--json")
    assert code == 1
    (rejet,) = objet["rejets"]
    assert (rejet["ligne"], rejet["champ"], rejet["fichier"]) == (3, "date_facture", "factures.csv")
    assert "n'existe pas au calendrier" in rejet["motif"]
    assert Client.objects.count() == 1 and not Facture.objects.exists()


def test_partiel_ecrit_le_reste_et_sort_en_1(lancer, fichiers):
    fichiers["factures"].write_text(FACTURES + "F2;C9;2026-01-05;;5\n")
    lancer("importer", fichiers["clients"], "--societe", "alpha")
    code, texte = lancer("importer", fichiers["factures"], "--partiel")
    assert code == 1 and "ligne 3, code_client : client C9 inconnu" in texte
    assert Facture.objects.count() == 1


def test_un_fichier_refuse_sort_en_1_avec_son_motif(lancer, tmp_path):
    chemin = tmp_path / "x.csv"
    chemin.write_bytes(b"\x00\x01")
    code, objet = lancer("importer", chemin, "--societe", "alpha", "--json")
    assert code == 1 and "octets nuls" in objet["refus"]
    assert lancer("importer", chemin)[0] == 1


@pytest.mark.parametrize(
    ("societes", "arguments", "motif"),
    [
        (0, [], "précisez --societe CODE pour la créer"),
        (2, [], "plusieurs sociétés"),
        (1, ["--societe", "inconnue"], "société inconnue : inconnue"),
        (0, ["--societe", "pas un code"], "code de société refusé"),
    ],
)
def test_une_societe_indecise_est_une_erreur_d_usage(lancer, fichiers, societes, arguments, motif):
    for _ in range(societes):
        SocieteFactory()
    code, texte = lancer("importer", fichiers["clients"], *arguments)
    assert code == 2 and motif in texte


def test_un_fichier_absent_est_une_erreur_d_usage(lancer, tmp_path):
    assert lancer("importer", tmp_path / "absent.csv", "--societe", "alpha")[0] == 2
    assert not Societe.objects.exists()


def test_une_societe_creee_par_import_est_incomplete_et_alimentee_par_import(lancer, fichiers):
    lancer("importer", fichiers["clients"], "--societe", "alpha")
    societe = Societe.objects.get()
    assert societe.code == "alpha" and "IBAN" in societe.manques() and societe.alimentee_par_import
    assert societe.dernier_import_le


def test_une_base_muette_se_dit_et_sort_en_1(lancer, fichiers, monkeypatch):
    from django.db import OperationalError

    from factures.management.commands import importer as commande

    SocieteFactory()
    monkeypatch.setattr(commande, "importer", lambda *a, **k: (_ for _ in ()).throw(OperationalError("fermée")))
    code, texte = lancer("importer", fichiers["clients"])
    assert code == 1 and "la base ne répond pas (fermée)" in texte


def test_un_fec_desequilibre_nomme_ses_ecritures(lancer, tmp_path):
    fec = Fec().vente("C1", "F1", "100")
    fec.lignes[0][11] = "101,00"
    chemin = tmp_path / "123456789FEC20251231.txt"
    chemin.write_text(fec.texte())
    code, objet = lancer("importer", chemin, "--societe", "alpha", "--json")
    assert code == 1 and "écart 1,00" in objet["refus"]
    assert [(r["ligne"], r["champ"]) for r in objet["rejets"]] == [(2, "EcritureNum")]


def test_corpus_la_balance_du_vrai_fec_tombe_juste_et_le_rejouer_ne_change_rien(lancer, corpus):
    chemin = next(corpus.glob("fec/neolegal*/111111111FEC20221231.TXT"))
    for fois in range(2):
        code, objet = lancer("importer", chemin, "--societe", "alpha", "--json")
        assert (code, objet["encours"], objet["inexpliques"]) == (0, "14416.52", [])
        assert objet["crees" if fois == 0 else "inchanges"] == {
            "clients": 34, "factures": 100, "avoirs": 4, "encaissements": 47, "imputations": 71,
        }  # fmt: skip
    _, texte = lancer("balance_agee", "--format", "csv", "--au", "2023-07-31")
    lignes = [ligne.split(";") for ligne in texte.splitlines()[1:]]
    assert {ligne[0]: ligne[-1] for ligne in lignes} == REEL
