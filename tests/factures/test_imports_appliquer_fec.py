"""Un FEC en base : rejouable, raccordé d'un exercice à l'autre, fidèle au lettrage et au solde (exigence 3)."""

from datetime import date, timedelta
from decimal import Decimal

import pytest

from clients.models import Client
from factures.models import Avoir, Echeance, Encaissement, Facture, Imputation, Litige, Promesse
from factures.services import evaluer_promesses
from tests.clients.factories import ClientFactory
from tests.comptes.factories import SocieteFactory, UtilisateurFactory
from tests.factures.factories import EcheanceFactory, EncaissementFactory, LitigeFactory, PromesseFactory
from tests.factures.fec_essai import Fec
from tests.factures.imports_essai import (
    AU,
    CLIENTS,
    F1,
    FACTURES,
    defauts_de_soldes,
    encours_par_client,
    fec_de_base,
    prendre,
    prendre_fec,
    restes,
)  # fmt: skip

pytestmark = pytest.mark.django_db
D = Decimal


@pytest.fixture
def societe():
    return SocieteFactory(code="alpha", incomplete=True)


@pytest.fixture
def client(societe):
    return ClientFactory(societe=societe, code="C1")


def test_un_fec_cree_clients_pieces_et_lettrage(societe):
    rendu = prendre_fec(societe, fec_de_base())
    assert rendu.crees == {"clients": 2, "factures": 3, "avoirs": 0, "encaissements": 1, "imputations": 1}
    assert rendu.encours == {"EUR": D("100.00")} and rendu.inexpliques == []
    assert encours_par_client(societe) == {"C1": D("60.00"), "C2": D("40.00")}
    assert defauts_de_soldes() == []


def test_rejouer_un_fec_ne_change_rien(societe):
    prendre_fec(societe, fec_de_base())
    modeles = (Client, Facture, Echeance, Avoir, Encaissement, Imputation)
    avant = [list(m.objects.order_by("pk").values()) for m in modeles]
    rendu = prendre_fec(societe, fec_de_base())
    assert set(rendu.crees.values()) == {0}
    assert rendu.inchanges == {"clients": 2, "factures": 3, "avoirs": 0, "encaissements": 1, "imputations": 1}
    assert [list(m.objects.order_by("pk").values()) for m in modeles] == avant


def test_un_export_plus_long_n_ajoute_que_le_neuf(societe):
    prendre_fec(societe, fec_de_base())
    rendu = prendre_fec(societe, fec_de_base().vente("C1", "F4", "10", quand="20250401"))
    assert (rendu.crees["factures"], rendu.inchanges["factures"]) == (1, 3)
    assert encours_par_client(societe) == {"C1": D("70.00"), "C2": D("40.00")}


def test_un_lettrage_refait_en_comptabilite_suit_le_fichier(societe):
    prendre_fec(societe, fec_de_base())
    fec = fec_de_base()
    fec.lignes[0][13] = fec.lignes[2][13] = ""  # F1 et son règlement délettrés
    fec.lignes[2][13] = fec.lignes[4][13] = "B"  # le règlement lettré avec F2
    rendu = prendre_fec(societe, fec)
    assert restes(societe) == {"F1": D("100.00"), "F3": D("40.00")}
    assert Encaissement.objects.get().non_affecte == D("40.00")
    assert "1 retirées" in rendu.avertissements[0]
    assert defauts_de_soldes() == []


def test_un_lettrage_refait_rouvre_le_litige_et_la_promesse_de_la_piece(societe):
    fec = fec_de_base()
    fec.lignes[0][13] = fec.lignes[2][13] = ""
    prendre_fec(societe, fec)
    f1 = Echeance.objects.get(facture__numero="F1")
    LitigeFactory(echeance=f1, montant_conteste=D("20"))
    promesse = PromesseFactory(echeances=[f1], date_promise=AU + timedelta(days=5), faite_le=date(2025, 1, 15))
    prendre_fec(societe, fec_de_base())
    evaluer_promesses(societe, au=AU)
    promesse.refresh_from_db()
    assert (f1.litiges.get().issue, promesse.statut) == (Litige.SOLDEE, Promesse.Statut.TENUE)
    prendre_fec(societe, fec)
    promesse.refresh_from_db()
    assert (f1.litiges.get().clos_le, promesse.statut) == (None, Promesse.Statut.EN_ATTENTE)


def test_une_affectation_a_la_main_contraire_au_lettrage_cede_et_se_dit(societe):
    from factures.services import imputer

    fec = fec_de_base()
    fec.lignes[0][13] = fec.lignes[2][13] = ""
    prendre_fec(societe, fec)
    f2 = Echeance.objects.get(facture__numero="F2")
    imputer(Encaissement.objects.get(), [(f2, D("60"))], au=AU, cle="k", acteur=UtilisateurFactory(societe=societe))
    rendu = prendre_fec(societe, fec_de_base())
    assert restes(societe) == {"F2": D("60.00"), "F3": D("40.00")}
    assert any("Affectation à la main de 60,00 sur F2 défaite" in a for a in rendu.avertissements)
    assert defauts_de_soldes() == []


def test_une_ecriture_modifiee_sous_la_meme_cle_est_rejetee(societe):
    prendre_fec(societe, fec_de_base())
    fec = fec_de_base()
    fec.lignes[4][11] = fec.lignes[5][12] = "61,00"
    rendu = prendre_fec(societe, fec)
    assert [(r.ligne, r.champ) for r in rendu.rejets] == [(6, "montant_ttc")]
    assert encours_par_client(societe) == {"C1": D("60.00"), "C2": D("40.00")}


def test_une_ecriture_disparue_du_fec_est_montree(societe):
    prendre_fec(societe, fec_de_base())
    fec = fec_de_base()
    del fec.lignes[4:6]  # F2 et sa contrepartie
    (inexplique,) = prendre_fec(societe, fec).inexpliques
    assert (inexplique.code_client, inexplique.nature, inexplique.montant) == ("C1", "absent", D("60.00"))
    assert "F2" in inexplique.detail


def test_rejouer_un_export_plus_court_n_accuse_rien(societe):
    prendre_fec(societe, fec_de_base())
    fec = fec_de_base()
    del fec.lignes[6:8]  # il s'arrêtait avant F3
    assert prendre_fec(societe, fec).inexpliques == []


def test_l_exercice_suivant_se_raccorde_par_ses_a_nouveaux(societe):
    prendre_fec(societe, fec_de_base())
    suivant = (
        Fec()
        .a_nouveau("C1", "F2", "60", "Z", quand="20260101")
        .a_nouveau("C2", "sans", "40", quand="20260101")
        .reglement("C1", "60", "Z", quand="20260115", piece="VIR9")
        .vente("C2", "F5", "15", quand="20260120")
    )
    rendu = prendre_fec(societe, suivant)
    assert (rendu.crees["factures"], rendu.inexpliques) == (1, [])
    assert restes(societe) == {"F3": D("40.00"), "F5": D("15.00")}
    assert defauts_de_soldes() == []
    modeles = (Facture, Echeance, Encaissement, Imputation)
    avant = [list(m.objects.order_by("pk").values()) for m in modeles]
    for fec in (suivant, fec_de_base(), suivant):
        rendu = prendre_fec(societe, fec)
        assert (set(rendu.crees.values()), rendu.inexpliques) == ({0}, [])
    assert [list(m.objects.order_by("pk").values()) for m in modeles] == avant


def test_le_fec_n_ecrase_pas_une_fiche_et_prend_ses_conditions(societe):
    ClientFactory(societe=societe, code="C1", raison_sociale="Dupont & fils", conditions="60J")
    prendre_fec(societe, fec_de_base())
    assert Client.objects.get(code="C1").raison_sociale == "Dupont & fils"
    assert Echeance.objects.get(facture__numero="F2").date_echeance == date(2025, 4, 30)
    assert Echeance.objects.get(facture__numero="F3").date_echeance == date(2025, 4, 1)


def test_le_csv_des_clients_complete_les_fiches_nees_d_un_fec(societe):
    prendre_fec(societe, fec_de_base())
    prendre(societe, CLIENTS + "C1;Dupont et Associés;60J;732829320;a@b.fr;;;;\n")
    client = Client.objects.get(code="C1")
    assert (client.raison_sociale, client.type, client.courriel) == ("Dupont et Associés", "entreprise", "a@b.fr")


def test_une_facture_deja_venue_par_csv_n_entre_pas_deux_fois_par_le_fec(societe):
    ClientFactory(societe=societe, code="C1")
    prendre(societe, FACTURES + F1)
    rendu = prendre_fec(societe, fec_de_base())
    assert [(r.champ, r.motif) for r in rendu.rejets] == [
        (
            "numero",
            "F1 est déjà en base, venue d'un autre format d'import. N'importez chaque facture que par un seul format.",
        )
    ]


def test_un_exercice_plus_ancien_que_ce_qui_est_importe_est_refuse(societe):
    suivant = Fec().a_nouveau("C1", "F2", "60", quand="20260101").vente("C1", "F5", "15", quand="20260120")
    prendre_fec(societe, suivant)
    rendu = prendre_fec(societe, fec_de_base())
    assert "Un FEC plus récent est déjà importé (jusqu'au 20/01/2026)" in rendu.refus
    assert encours_par_client(societe) == {"C1": D("75.00")}


def test_un_grand_livre_venu_par_deux_formats_est_signale(societe, client):
    prendre(societe, FACTURES + "X1;C1;2026-01-05;2026-02-04;;;9;;;\n")
    assert any("déjà venues par un CSV" in a for a in prendre_fec(societe, fec_de_base()).avertissements)
    rendu = prendre(societe, FACTURES + "X2;C1;2026-01-05;2026-02-04;;;9;;;\n")
    assert any("déjà venues par un FEC" in a for a in rendu.avertissements)


def test_un_fec_ne_s_importe_pas_en_partie(societe):
    fec = fec_de_base()
    fec.lignes[0][3] = "20250231"
    rendu = prendre_fec(societe, fec, partiel=True)
    assert rendu.refus.startswith("Un FEC ne s'importe pas en partie") and not Client.objects.exists()


def test_une_piece_d_une_autre_origine_ne_fausse_pas_le_controle_du_fec(societe):
    client = ClientFactory(societe=societe, code="C1")
    EcheanceFactory(client=client)
    EncaissementFactory(client=client)
    assert prendre_fec(societe, fec_de_base()).inexpliques == []


def test_un_debit_lettre_contre_une_ligne_absente_attend_une_personne_et_ne_se_relance_pas(societe):
    """La comptabilité le tient peut-être pour réglé : le réclamer serait réclamer deux fois."""
    fec = Fec().vente("C1", "F1", "100", "AB").vente("C1", "F2", "50")
    for _ in range(2):
        assert prendre_fec(societe, fec).ecrit
    litige = Litige.objects.get()
    assert (litige.echeance.facture.numero, litige.montant_conteste) == ("F1", D("100"))
    assert litige.categorie == Litige.Categorie.A_VERIFIER and "absente" in litige.description

    litige.clos_le = AU
    litige.save()
    prendre_fec(societe, fec)
    assert Litige.objects.filter(clos_le=None).count() == 0, "ce qu'une personne a clos ne se rouvre pas"
