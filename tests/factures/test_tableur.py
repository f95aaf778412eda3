"""Classeurs et CSV inconnus, jusqu'au grand livre : sommes, signes, tranches, litiges, rejeu sans effet."""

from datetime import date
from decimal import Decimal
from io import StringIO

import pytest
from django.core.management import CommandError, call_command
from django.db import connection
from django.test.utils import CaptureQueriesContext

from clients.models import Client
from factures.models import Avoir, Correspondance, Echeance, Encaissement, Facture, Imputation, Litige, TraceDeLot
from tests.clients.factories import ClientFactory
from tests.comptes.factories import SocieteFactory
from tests.factures.imports_essai import defauts_de_soldes, encours_par_client, prendre, rejets, restes
from tests.factures.tableaux_essai import ods, xlsx

pytestmark = pytest.mark.django_db
ENTETE = ["N° facture", "Code client", "Nom client", "Date facture", "Échéance", "Montant TTC"]
LIGNES = [
    ["F1", 411001, "Ateliers Mercier", date(2026, 1, 5), date(2026, 2, 4), 120.5],
    ["F2", 411002, "Total Énergies", date(2026, 1, 6), None, 0.1 + 0.2],
    ["AV1", 411001, "Ateliers Mercier", date(2026, 1, 7), None, -20],
    ["Total général", None, None, None, None, 100.8],
]


@pytest.fixture
def societe():
    return SocieteFactory()


@pytest.mark.parametrize(("fabrique", "format"), [(xlsx, "xlsx"), (ods, "ods")])
def test_un_classeur_entre_sous_titres_et_totaux(societe, fabrique, format):
    contenu = fabrique(["Grand livre clients au 31/01/2026"], [None], ENTETE, *LIGNES)
    rendu = prendre(societe, contenu, nom=f"clients.{format}")
    assert (rendu.refus, rejets(rendu), rendu.format) == ("", [], format)
    assert encours_par_client(societe) == {"411001": Decimal("100.50"), "411002": Decimal("0.30")}
    assert Avoir.objects.get().montant == Decimal("20.00")
    assert Echeance.objects.get(facture__numero="F2").date_echeance == date(2026, 2, 5)  # 30 jours à défaut
    assert Client.objects.get(code="411002").raison_sociale == "Total Énergies"
    assert (rendu.faits["lignes_ecartees"], rendu.faits["total_factures"]) == (1, Decimal("120.80"))
    avant = [list(m.objects.order_by("pk").values()) for m in (Client, Facture, Echeance, Avoir)]
    assert prendre(societe, contenu, nom="encore").ecrit
    assert [list(m.objects.order_by("pk").values()) for m in (Client, Facture, Echeance, Avoir)] == avant
    assert defauts_de_soldes() == []


def test_les_dates_1904_et_les_nombres_trop_longs(societe):
    contenu = xlsx(ENTETE, LIGNES[0], ["F9", "C9", "Neuf", date(2026, 1, 6), None, 12.345], base_1904=True)
    rendu = prendre(societe, contenu, nom="mac.xlsx", partiel=True)
    assert Facture.objects.get().date_emission == date(2026, 1, 5)
    assert [(r.ligne, r.champ) for r in rendu.rejets] == [(3, "Montant TTC")]
    assert "plus de deux décimales" in rendu.rejets[0].motif


def test_la_feuille_utile_est_choisie_et_les_autres_sont_dites(societe):
    contenu = xlsx(feuilles={"Notes": [["à lire", "avant"], ["x", "y"]], "Export": [ENTETE, LIGNES[0]]})
    rendu = prendre(societe, contenu, nom="deux.xlsx")
    assert rendu.faits["feuille"] == "Export" and any("Notes" in a for a in rendu.avertissements)


def test_un_csv_inconnu_signes_a_la_francaise(societe):
    texte = (
        "Compte;Intitulé;N° pièce;Date;Échéance;Débit;Crédit\n"
        "C1;Alpha;F1;25/01/2026;24/02/2026;1 234,56;\n"
        "C1;Alpha;AV2;26/01/2026;;;200,00\n"
        "C1;Alpha;F3;31/02/2026;;10,00;\n"
        "C1;Alpha;F4;27/01/2026;;1,2E+05;\n"
        "Sous-total;;;;;1 234,56;200,00\n"
    )
    rendu = prendre(societe, texte, nom="gl.csv", partiel=True)
    assert encours_par_client(societe) == {"C1": Decimal("1034.56")}
    assert [(r.ligne, r.champ) for r in rendu.rejets] == [(4, "Date"), (5, "Débit")]
    assert "calendrier" in rendu.rejets[0].motif and "scientifique" in rendu.rejets[1].motif


def test_le_sens_et_les_negatifs_a_droite_ou_entre_parentheses(societe):
    texte = (
        "Tiers;Nom client;N° facture;Date facture;Montant;Sens\n"
        "C1;Alpha;F1;25/01/2026;1.234,56;D\nC1;Alpha;A1;25/01/2026;34,56;C\n"
        "C2;Beta;A2;25/01/2026;(12,50);\nC2;Beta;A3;25/01/2026;1.000,00-;\n"
    )
    rendu = prendre(societe, texte, nom="sens.csv")
    assert rejets(rendu) == []
    assert encours_par_client(societe) == {"C1": Decimal("1200.00"), "C2": Decimal("-1012.50")}


def test_des_dates_ambigues_se_demandent(societe):
    texte = "Code client;Nom client;N° facture;Date facture;Montant TTC;Reste dû\nC1;Alpha;F1;03/04/2026;10,00;10,00\n"
    rendu = prendre(societe, texte, nom="ambigu.csv")
    assert "jour d'abord ou mois d'abord" in rendu.refus and rendu.a_correspondre["proposition"]["genre"] == "postes"
    assert not Facture.objects.exists()


BALANCE = "Code;Client;Total;Non échu;0-30 jours;31-60 jours;> 60 jours\n"


def test_une_balance_agee_devient_un_poste_par_tranche(societe):
    texte = (
        "Balance âgée au 31/01/2026\n"
        + BALANCE
        + "C1;Alpha;600,00;100,00;200,00;0,00;300,00\nC2;Beta;-50,00;;-50,00;;\n"
    )
    rendu = prendre(societe, texte, nom="balance.csv")
    assert rejets(rendu) == []
    echeances = dict(Echeance.objects.values_list("montant", "date_echeance"))
    assert echeances == {
        Decimal("100.00"): date(2026, 3, 2),
        Decimal("200.00"): date(2026, 1, 16),
        Decimal("300.00"): date(2025, 12, 1),
    }
    assert not Facture.objects.filter(numero_reel=True).exists()
    assert Avoir.objects.get().montant == Decimal("50.00")
    assert any("milieu de sa tranche" in a for a in rendu.avertissements)
    nombre = Echeance.objects.count()
    prendre(societe, texte, nom="balance.csv")
    assert Echeance.objects.count() == nombre


def test_un_solde_qui_n_est_pas_la_somme_des_tranches_est_rejete(societe):
    texte = "Balance au 31/01/2026\n" + BALANCE.replace("Total", "Solde") + "C1;Alpha;601,00;100,00;200,00;;300,00\n"
    rendu = prendre(societe, texte, nom="balance.csv")
    assert "n'est pas la somme des tranches" in rendu.rejets[0].motif


HISTORIQUE = "customerID,invoiceNumber,InvoiceDate,DueDate,InvoiceAmount,Disputed,SettledDate\n"


def test_un_historique_ecrit_factures_reglements_et_litiges(societe):
    texte = HISTORIQUE + (
        "C1,001,1/25/2026,2/24/2026,100.00,Yes,2/10/2026\nC1,002,1/26/2026,2/25/2026,50.00,Yes,\n"
        "C2,003,1/27/2026,2/26/2026,70.00,No,3/1/2026\n"
    )
    rendu = prendre(societe, texte, nom="histo.csv")
    assert rejets(rendu) == []
    assert restes(societe) == {"002": Decimal("50.00")}
    litiges = {x.echeance.facture.numero: x for x in Litige.objects.select_related("echeance__facture")}
    assert litiges["001"].clos_le == date(2026, 2, 10) and litiges["001"].issue == Litige.SOLDEE
    assert litiges["002"].clos_le is None and litiges["002"].montant_conteste == Decimal("50.00")
    assert TraceDeLot.objects.filter(objet="factures.litige", cree=True).count() == 2
    avant = [list(m.objects.order_by("pk").values()) for m in (Client, Facture, Encaissement, Imputation, Litige)]
    prendre(societe, texte, nom="histo.csv")
    assert [
        list(m.objects.order_by("pk").values()) for m in (Client, Facture, Encaissement, Imputation, Litige)
    ] == avant
    assert defauts_de_soldes() == []


def test_un_litige_clos_par_une_personne_ne_se_rouvre_pas(societe):
    texte = HISTORIQUE + "C1,002,1/26/2026,2/25/2026,50.00,Yes,\n"
    prendre(societe, texte, nom="h.csv")
    Litige.objects.update(clos_le=date(2026, 3, 1), issue="Réglé au téléphone")
    prendre(societe, texte, nom="h.csv")
    assert Litige.objects.count() == 1 and not Litige.objects.ouverts().exists()


def test_le_nombre_de_requetes_ne_depend_pas_des_lignes():
    comptes = []
    for n in (20, 300):
        lignes = "".join(f"C{i % 7},{i:04d},1/25/2026,2/24/2026,100.00,Yes,2/10/2026\n" for i in range(n))
        societe = SocieteFactory()
        with CaptureQueriesContext(connection) as vues:
            prendre(societe, HISTORIQUE + lignes, nom="h.csv")
        comptes.append(len(vues))
    assert comptes[0] == comptes[1] and Litige.objects.count() == 320


def test_un_client_designe_par_son_nom(societe):
    ClientFactory(societe=societe, code="C7", raison_sociale="SOCIÉTÉ  Générale de Vis")
    texte = (
        "Nom client;N° facture;Date facture;Montant TTC;Reste dû\nSociete generale de vis;F1;25/01/2026;10,00;10,00\n"
    )
    rendu = prendre(societe, texte + "Beta;F2;26/01/2026;5,00;5,00\n", nom="noms.csv")
    assert encours_par_client(societe) == {"C7": Decimal("10.00"), "BETA": Decimal("5.00")}
    assert any("Beta (BETA)" in a for a in rendu.avertissements)


def test_un_nom_porte_par_deux_clients_est_rejete(societe):
    for code in ("C1", "C2"):
        ClientFactory(societe=societe, code=code, raison_sociale="Dupont")
    texte = "Nom client;N° facture;Date facture;Montant TTC;Reste dû\nDupont;F1;25/01/2026;10,00;10,00\n"
    rendu = prendre(societe, texte, nom="noms.csv")
    assert "plusieurs clients (C1, C2)" in rendu.rejets[0].motif


def test_une_correspondance_retenue_sert_d_elle_meme(societe):
    texte = "a;b;c;d\nC1;F1;03/04/2026;10,00\n"
    refuse = prendre(societe, texte, nom="x.csv")
    assert refuse.a_correspondre and "Lues à la ligne 1 : a, b, c, d" in refuse.refus
    Correspondance.objects.create(
        societe=societe, nom="Export maison", genre="factures", signature=refuse.a_correspondre["signature"],
        colonnes={"code_client": "a", "numero": "b", "date_facture": "c", "montant": "d"},
        options={"dates": "mja", "decimale": ",", "creer_clients": True},
    )  # fmt: skip
    assert prendre(societe, texte, nom="x.csv").accepte
    assert Facture.objects.get().date_emission == date(2026, 3, 4)


# --- En commande -----------------------------------------------------------------------------


def _commande(tmp_path, contenu, nom, *options):
    (tmp_path / nom).write_bytes(contenu)
    sortie = StringIO()
    call_command("importer", str(tmp_path / nom), *options, stdout=sortie, stderr=sortie)
    return sortie.getvalue()


def test_la_commande_lit_un_classeur_sans_ambiguite(societe, tmp_path):
    assert "importé" in _commande(tmp_path, xlsx(ENTETE, *LIGNES), "x.xlsx", "--format", "xlsx")
    assert Facture.objects.count() == 2


def test_la_commande_refuse_l_ambigu_et_accepte_une_correspondance_nommee(societe, tmp_path):
    contenu = xlsx(["a", "b", "c", "d"], ["C1", "F1", date(2026, 1, 5), 10])
    with pytest.raises(SystemExit):
        _commande(tmp_path, contenu, "x.xlsx")
    with pytest.raises(CommandError, match="inconnue"):
        _commande(tmp_path, contenu, "x.xlsx", "--correspondance", "Nulle")
    Correspondance.objects.create(
        societe=societe, nom="Mienne", genre="factures", signature="autre", options={"creer_clients": True},
        colonnes={"code_client": "a", "numero": "b", "date_facture": "c", "montant": "d"},
    )  # fmt: skip
    assert "importé" in _commande(tmp_path, contenu, "x.xlsx", "--correspondance", "Mienne")
