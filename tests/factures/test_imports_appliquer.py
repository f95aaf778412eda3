"""Un fichier en base : tout ou rien, rejouable (exigence 3), soldes tenus, contradictions nommées."""

from datetime import date
from decimal import Decimal

import pytest
from django.db import connection

from clients.models import Client
from factures.imports.appliquer import importer
from factures.models import Avoir, Echeance, Encaissement, Facture, Imputation, Litige, Lot
from recouvrement.journal.models import Maillon
from tests.clients.factories import ClientFactory
from tests.comptes.factories import SocieteFactory, UtilisateurFactory
from tests.factures.factories import LitigeFactory
from tests.factures.imports_essai import (
    AU,
    CLIENTS,
    ENCAISSEMENTS,
    F1,
    F2,
    FACTURES,
    MOMENT,
    defauts_de_soldes,
    prendre,
    rejets,
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


# --- Clients ---------------------------------------------------------------------------------


def test_un_client_se_cree_avec_ce_que_le_fichier_dit(societe):
    gestionnaire = UtilisateurFactory(societe=societe, courriel="claire@exemple.fr")
    rendu = prendre(
        societe, CLIENTS + "C1;Dupont;45 jours fin de mois;732829320;a@b.fr;;1 rue Haute;Claire@exemple.fr;12,5\n"
    )
    assert (rendu.crees["clients"], rendu.accepte, rendu.ecrit) == (1, True, True)
    client = Client.objects.get()
    assert (client.code, client.conditions, client.siren, client.type) == ("C1", "45FDM", "732829320", "entreprise")
    assert (client.gestionnaire, client.taux_penalites, client.courriel) == (gestionnaire, D("12.50"), "a@b.fr")


def test_sans_siren_ni_type_un_client_reste_a_qualifier(societe):
    prendre(societe, CLIENTS + "C1;Dupont;;;;;;;\n")
    assert Client.objects.get().type == "a_qualifier"


def test_rejouer_les_clients_ne_change_rien(societe):
    texte = CLIENTS + "C1;Dupont;30J;732829320;a@b.fr;;1 rue Haute;;12,40\nC2;Durand;;;;particulier;;;\n"
    prendre(societe, texte)
    avant = list(Client.objects.order_by("code").values())
    rendu = prendre(societe, texte)
    assert (rendu.crees["clients"], rendu.inchanges["clients"], rendu.modifies) == (0, 2, 0)
    assert list(Client.objects.order_by("code").values()) == avant


def test_une_fiche_retouchee_a_l_ecran_n_est_plus_ecrasee(societe):
    prendre(societe, CLIENTS + "C1;Dupont;30J;;a@b.fr;;1 rue Haute;;\n")
    Client.objects.update(courriel="retouche@b.fr")
    rendu = prendre(societe, CLIENTS + "C1;Dupont;30J;;neuf@b.fr;;2 rue Basse;;\n")
    client = Client.objects.get()
    assert (client.courriel, client.adresse, client.version) == ("retouche@b.fr", "2 rue Basse", 2)
    assert (rendu.modifies, rendu.inchanges["clients"]) == (1, 0)


def test_une_cellule_vide_ne_touche_a_rien(societe):
    prendre(societe, CLIENTS + "C1;Dupont;45FDM;;a@b.fr;;1 rue Haute;;\n")
    prendre(societe, CLIENTS + "C1;Dupont;;;;;;;\n")
    client = Client.objects.get()
    assert (client.conditions, client.courriel, client.adresse) == ("45FDM", "a@b.fr", "1 rue Haute")


def test_une_nouvelle_adresse_importee_efface_le_rebond_de_l_ancienne(societe):
    prendre(societe, CLIENTS + "C1;Dupont;;;a@b.fr;;;;\n")
    Client.objects.update(courriel_invalide_le=AU)
    prendre(societe, CLIENTS + "C1;Dupont;;;c@d.fr;;;;\n")
    assert Client.objects.get().courriel_utilisable == "c@d.fr"


def test_un_gestionnaire_inconnu_et_un_taux_de_particulier_sont_rejetes(societe):
    prendre(societe, CLIENTS + "C3;Durand;;;;particulier;;;\n")
    rendu = prendre(societe, CLIENTS + "C1;Dupont;;;;;;inconnu@b.fr;\nC3;Durand;;;;;;;12\n")
    assert [(r.ligne, r.champ) for r in rendu.rejets] == [(2, "gestionnaire"), (3, "taux_penalites")]
    assert Client.objects.count() == 1


def test_un_code_client_en_double_est_rejete_s_il_se_contredit(societe):
    rendu = prendre(societe, CLIENTS + "C1;Dupont;;;;;;;\nC1;Dupont;;;;;;;\nC1;Durand;;;;;;;\n")
    assert rejets(rendu) == [(4, "code_client", "C1 est déjà à la ligne 2, avec d'autres valeurs. Gardez une ligne.")]
    assert not Client.objects.exists()


# --- Factures --------------------------------------------------------------------------------


def test_une_facture_cree_son_echeance(societe, client):
    rendu = prendre(societe, FACTURES + F1)
    echeance = Echeance.objects.select_related("facture").get()
    assert (rendu.crees["factures"], rendu.encours) == (1, {"EUR": D("120.00")})
    assert (echeance.facture.numero, echeance.facture.montant_ht, echeance.montant) == ("F1", D("100.00"), D("120.00"))
    assert (echeance.date_facture, echeance.date_echeance, echeance.impute) == (date(2026, 1, 5), date(2026, 2, 4), 0)
    assert echeance.facture.lot == Lot.objects.get()


def test_sans_date_l_echeance_vient_des_conditions_du_client(societe, client):
    Client.objects.update(conditions="45FDM")
    texte = FACTURES + F1.replace("2026-02-04", "")
    prendre(societe, texte)
    assert Echeance.objects.get().date_echeance == date(2026, 2, 28)
    Client.objects.update(conditions="60J")
    rendu = prendre(societe, texte)
    assert (rendu.inchanges["factures"], Echeance.objects.get().date_echeance) == (1, date(2026, 3, 6))


def test_une_echeance_deja_relancee_ne_bouge_plus_avec_les_conditions(societe, client):
    texte = FACTURES + F1.replace("2026-02-04", "")
    prendre(societe, texte)
    Echeance.objects.update(niveau=2)
    Client.objects.update(conditions="60J")
    prendre(societe, texte)
    assert Echeance.objects.get().date_echeance == date(2026, 2, 4)


def test_rejouer_des_factures_ne_change_rien(societe, client):
    texte = FACTURES + F1 + F2 + "A1;C1;2026-01-07;;;;-30;;;F1\n"
    prendre(societe, texte)
    avant = [list(m.objects.order_by("pk").values()) for m in (Facture, Echeance, Avoir, Imputation)]
    rendu = prendre(societe, texte)
    assert set(rendu.crees.values()) == {0}
    assert rendu.inchanges == {"clients": 0, "factures": 2, "avoirs": 1, "encaissements": 0, "imputations": 1}
    assert [list(m.objects.order_by("pk").values()) for m in (Facture, Echeance, Avoir, Imputation)] == avant


def test_meme_numero_et_autre_echeance_est_une_echeance_de_plus(societe, client):
    trois = "".join(f"F9;C1;2026-01-05;2026-0{m}-05;50;10;60;;;\n" for m in (2, 3))
    prendre(societe, FACTURES + trois)
    facture = Facture.objects.get()
    assert (facture.montant_ttc, facture.montant_ht, facture.echeances.count()) == (D("120.00"), D("100.00"), 2)
    rendu = prendre(societe, FACTURES + trois + "F9;C1;2026-01-05;2026-04-05;50;10;60;;;\n")
    facture.refresh_from_db()
    assert (rendu.crees["factures"], facture.montant_ttc, facture.montant_ht) == (0, D("180.00"), D("150.00"))
    assert facture.echeances.count() == 3


@pytest.mark.parametrize(
    ("ligne", "champ", "motif"),
    [
        ("F1;C1;2026-01-05;2026-02-04;;;121;;;", "montant_ttc", "F1 existe déjà avec un autre montant (120,00)"),
        ("F1;C2;2026-01-05;2026-02-04;100;20;120;;;", "code_client", "existe déjà avec un autre client"),
        ("F1;C1;2026-01-04;2026-02-04;100;20;120;;;", "date_facture", "(05/01/2026 et non 04/01/2026)"),
        ("F1;C1;2026-01-05;2026-02-04;100;20;120;USD;;", "devise", "une autre devise"),
        ("F1;C2;2026-01-05;2026-03-04;100;20;120;;;", "numero", "existe déjà pour un autre client"),
        (
            "F3;CX;2026-01-05;2026-02-04;100;20;120;;;",
            "code_client",
            "client CX inconnu. Importez d'abord les clients.",
        ),
    ],
)
def test_un_doublon_contradictoire_est_rejete_et_nomme(societe, client, ligne, champ, motif):
    ClientFactory(societe=societe, code="C2")
    prendre(societe, FACTURES + F1)
    rendu = prendre(societe, FACTURES + F2 + ligne)
    assert [(r.ligne, r.champ) for r in rendu.rejets] == [(3, champ)]
    assert motif in rendu.rejets[0].motif
    assert not rendu.ecrit and set(rendu.crees.values()) == {0}
    assert Facture.objects.count() == 1  # tout ou rien : F2 n'est pas entrée


def test_un_numero_repete_dans_le_fichier_avec_un_autre_montant_est_rejete(societe, client):
    rendu = prendre(societe, FACTURES + F1 + F1 + F1.replace("100;20;120", ";;99"))
    assert rejets(rendu) == [
        (4, "numero", "F1 est déjà à la ligne 2, même échéance pour 120,00 et non 99,00. Gardez une ligne.")
    ]


def test_une_ligne_repetee_a_l_identique_ne_compte_qu_une_fois(societe, client):
    rendu = prendre(societe, FACTURES + F1 + F1)
    assert (rendu.accepte, Echeance.objects.count(), Facture.objects.get().montant_ttc) == (True, 1, D("120.00"))


def test_partiel_ecrit_les_lignes_saines(societe, client):
    rendu = prendre(societe, FACTURES + F1 + "F3;CX;2026-01-05;;;;9;;;\nF4;C1;31/02/2026;;;;9;;;\n", partiel=True)
    assert [(r.ligne, r.champ) for r in rendu.rejets] == [(3, "code_client"), (4, "date_facture")]
    assert (rendu.ecrit, rendu.crees["factures"], Facture.objects.get().numero) == (True, 1, "F1")
    assert Lot.objects.get().statut == Lot.Statut.APPLIQUE


def test_la_societe_voisine_garde_ses_numeros_et_ses_clients(societe, client):
    voisine = SocieteFactory(code="beta")
    ClientFactory(societe=voisine, code="C1")
    prendre(societe, FACTURES + F1)
    rendu = prendre(voisine, FACTURES + F1.replace("100;20;120", ";;99"))
    assert rendu.accepte and Facture.objects.count() == 2
    assert (restes(societe), restes(voisine)) == ({"F1": D("120.00")}, {"F1": D("99.00")})


def test_deux_devises_ne_s_additionnent_pas(societe, client):
    rendu = prendre(societe, FACTURES + F1 + "F8;C1;2026-01-05;2026-02-04;;;50;USD;;\n")
    assert rendu.encours == {"EUR": D("120.00"), "USD": D("50.00")}
    assert rendu.en_json()["encours"] == "120.00"
    assert rendu.en_json()["encours_autres_devises"] == {"USD": "50.00"}


# --- Avoirs ----------------------------------------------------------------------------------


def test_un_avoir_qui_nomme_sa_facture_s_y_impute_sinon_il_reste_a_imputer(societe, client):
    rendu = prendre(societe, FACTURES + F1 + "A1;C1;2026-01-20;;;;-30;;;F1\nA2;C1;2026-01-20;;;;7;;avoir;\n")
    assert (rendu.crees["avoirs"], rendu.crees["imputations"]) == (2, 1)
    assert restes(societe) == {"F1": D("90.00")}
    assert Avoir.objects.get(numero="A1").facture_origine == Facture.objects.get()
    assert Imputation.objects.get().date == date(2026, 1, 20)
    assert rendu.encours == {"EUR": D("83.00")}
    assert defauts_de_soldes() == []


def test_un_avoir_sur_une_facture_inconnue_est_pris_et_signale(societe, client):
    rendu = prendre(societe, FACTURES + "A1;C1;2026-01-20;;;;-30;;;F77\n")
    assert rendu.accepte and Avoir.objects.get().impute == 0
    assert rendu.avertissements == ["Avoir A1 : facture d'origine F77 inconnue chez ce client ; il reste à imputer."]


def test_un_avoir_contradictoire_est_rejete(societe, client):
    prendre(societe, FACTURES + "A1;C1;2026-01-20;;;;-30;;;\n")
    rendu = prendre(societe, FACTURES + "A1;C1;2026-01-20;;;;-31;;;\n")
    assert [(r.ligne, r.champ) for r in rendu.rejets] == [(2, "montant_ttc")]


# --- Encaissements ---------------------------------------------------------------------------


def test_un_reglement_solde_ses_factures_a_sa_date(societe, client):
    prendre(societe, FACTURES + F1 + F2)
    rendu = prendre(societe, ENCAISSEMENTS + "R1;C1;2026-02-10;120;VIREMENT;F1\nR1;C1;2026-02-10;30;VIREMENT;F2\n")
    assert (rendu.crees["encaissements"], rendu.crees["imputations"]) == (1, 2)
    encaissement = Encaissement.objects.get()
    assert (encaissement.montant, encaissement.impute, encaissement.mode) == (D("150.00"), D("150.00"), "virement")
    assert restes(societe) == {"F2": D("50.00")}
    assert Echeance.objects.get(facture__numero="F1").soldee_le == date(2026, 2, 10)
    assert defauts_de_soldes() == []


def test_rejouer_des_reglements_ne_change_rien(societe, client):
    prendre(societe, FACTURES + F1 + F2)
    texte = ENCAISSEMENTS + "R1;C1;2026-02-10;120;VIREMENT;F1\nR1;C1;2026-02-10;30;;\nR2;C1;2026-02-11;200;CHQ;F2\n"
    prendre(societe, texte)
    avant = [list(m.objects.order_by("pk").values()) for m in (Encaissement, Echeance, Imputation)]
    rendu = prendre(societe, texte)
    assert set(rendu.crees.values()) == {0}
    assert (rendu.inchanges["encaissements"], rendu.inchanges["imputations"]) == (2, 2)
    assert [list(m.objects.order_by("pk").values()) for m in (Encaissement, Echeance, Imputation)] == avant


def test_un_trop_percu_reste_a_imputer(societe, client):
    prendre(societe, FACTURES + F1)
    rendu = prendre(societe, ENCAISSEMENTS + "R1;C1;2026-02-10;100;;F1\nR2;C1;2026-02-12;50;;F1\n")
    assert rendu.accepte and restes(societe) == {}
    assert [e.non_affecte for e in Encaissement.objects.order_by("reference")] == [0, D("30.00")]
    assert rendu.encours == {"EUR": D("-30.00")}
    assert defauts_de_soldes() == []


def test_un_reglement_remplit_les_echeances_de_la_plus_ancienne_a_la_plus_recente(societe, client):
    prendre(societe, FACTURES + "".join(f"F9;C1;2026-01-05;2026-0{m}-05;;;60;;;\n" for m in (4, 2, 3)))
    prendre(societe, ENCAISSEMENTS + "R1;C1;2026-02-10;70;;F9\nR2;C1;2026-02-11;80;;F9\n")
    payees = dict(Echeance.objects.values_list("date_echeance__month", "impute"))
    assert payees == {2: D("60.00"), 3: D("60.00"), 4: D("30.00")}
    assert sorted(Imputation.objects.values_list("montant", flat=True)) == [
        D("10.00"),
        D("30.00"),
        D("50.00"),
        D("60.00"),
    ]
    assert defauts_de_soldes() == []


def test_l_imputation_ne_precede_jamais_la_facture(societe, client):
    prendre(societe, FACTURES + F1)
    prendre(societe, ENCAISSEMENTS + "R1;C1;2025-12-20;120;;F1\n")
    assert Imputation.objects.get().date == date(2026, 1, 5)


def test_un_reglement_affecte_plus_tard_s_impute_au_second_import(societe, client):
    prendre(societe, FACTURES + F1)
    prendre(societe, ENCAISSEMENTS + "R1;C1;2026-02-10;120;;\n")
    rendu = prendre(societe, ENCAISSEMENTS + "R1;C1;2026-02-10;120;;F1\n")
    assert (rendu.crees["encaissements"], rendu.crees["imputations"], restes(societe)) == (0, 1, {})
    assert Encaissement.objects.get().impute == D("120.00")


def test_ce_qui_a_ete_affecte_a_la_main_n_est_pas_depasse(societe, client):
    from factures.services import imputer

    prendre(societe, FACTURES + F1 + F2 + ENCAISSEMENTS[:0])
    prendre(societe, ENCAISSEMENTS + "R1;C1;2026-02-10;100;;\n")
    f2 = Echeance.objects.get(facture__numero="F2")
    imputer(Encaissement.objects.get(), [(f2, D("60"))], au=AU, cle="k", acteur=UtilisateurFactory(societe=societe))
    rendu = prendre(societe, ENCAISSEMENTS + "R1;C1;2026-02-10;100;;F1\n")
    assert rendu.accepte and restes(societe) == {"F1": D("80.00"), "F2": D("20.00")}
    assert defauts_de_soldes() == []


@pytest.mark.parametrize(
    ("lignes", "attendus"),
    [
        ("R1;C1;2026-02-10;5;;F77\n", [(2, "facture", "facture F77 inconnue")]),
        ("R1;C2;2026-02-10;5;;F1\n", [(2, "facture", "celle d'un autre client")]),
        ("R1;C1;2026-02-10;5;;F1\nR1;C1;2026-02-11;5;;F2\n", [(3, "reference", "une autre date")]),
        ("R1;C1;2026-02-10;5;;F1\nR1;C1;2026-02-10;6;;F1\n", [(3, "reference", "règle déjà F1 à la ligne 2")]),
        ("R0;C1;2026-02-01;11;;F1\n", [(2, "montant", "R0 existe déjà pour 10,00, et non 11,00")]),
        ("R0;C1;2026-02-02;10;;F1\n", [(2, "date", "existe déjà à une autre date")]),
    ],
)
def test_un_reglement_contradictoire_est_rejete_et_nomme(societe, client, lignes, attendus):
    ClientFactory(societe=societe, code="C2")
    prendre(societe, FACTURES + F1 + F2)
    prendre(societe, ENCAISSEMENTS + "R0;C1;2026-02-01;10;;F1\n")
    rendu = prendre(societe, ENCAISSEMENTS + lignes)
    assert [(r.ligne, r.champ) for r in rendu.rejets] == [(ligne, champ) for ligne, champ, _ in attendus]
    assert all(motif in r.motif for r, (_, _, motif) in zip(rendu.rejets, attendus, strict=True))
    assert Encaissement.objects.count() == 1


def test_en_partiel_un_reglement_ne_se_prend_pas_a_moitie(societe, client):
    prendre(societe, FACTURES + F1 + F2)
    lignes = "R1;C1;2026-02-10;120;;F1\nR1;C1;31/02/2026;30;;F2\nR2;C1;2026-02-10;5;;F2\n"
    lignes += "R3;C1;2026-02-10;5;;F77\nR3;C1;2026-02-10;1;;F1\n"
    rendu = prendre(societe, ENCAISSEMENTS + lignes, partiel=True)
    assert list(Encaissement.objects.values_list("reference", flat=True)) == ["R2"]
    assert [r.ligne for r in rendu.rejets] == [2, 3, 5, 6], "les lignes entraînées se nomment aussi"


def test_une_piece_soldee_par_import_clot_son_litige(societe, client):
    prendre(societe, FACTURES + F1)
    LitigeFactory(echeance=Echeance.objects.get())
    prendre(societe, ENCAISSEMENTS + "R1;C1;2026-02-10;120;;F1\n")
    assert Litige.objects.get().clos_le == AU


# --- Tout ou rien, aperçu, trace --------------------------------------------------------------


def test_l_essai_dit_tout_et_n_ecrit_rien(societe, client):
    rendu = prendre(societe, FACTURES + F1, essai=True)
    assert (rendu.crees["factures"], rendu.encours, rendu.ecrit) == (1, {"EUR": D("120.00")}, False)
    assert not Facture.objects.exists() and not Lot.objects.exists() and not Maillon.objects.exists()
    societe.refresh_from_db()
    assert societe.dernier_import_le is None


def test_un_import_reussi_date_la_fraicheur_et_laisse_un_maillon(societe, client):
    """Exigence 1 : seul un import réussi rafraîchit la société."""
    prendre(societe, FACTURES + "F1;C1;31/02/2026;;;;9;;;\n")
    societe.refresh_from_db()
    assert societe.dernier_import_le is None
    auteur = UtilisateurFactory(societe=societe)
    prendre(societe, FACTURES + F1, auteur=auteur)
    societe.refresh_from_db()
    assert societe.dernier_import_le == MOMENT
    refuse, applique = Lot.objects.order_by("pk")
    assert (refuse.statut, applique.statut, applique.auteur, applique.applique_le) == (
        "refuse",
        "applique",
        auteur,
        MOMENT,
    )
    assert refuse.compte_rendu["rejets"][0]["champ"] == "date_facture"
    assert applique.compte_rendu["crees"]["factures"] == 1 and len(applique.empreinte) == 64
    (maillon,) = Maillon.objects.filter(action="import.applique")
    assert maillon.acteur == auteur


def test_un_fichier_illisible_est_refuse_sans_rien_lever(societe):
    rendu = prendre(societe, b"%PDF-1.7", nom="facture.pdf")
    assert "PDF" in rendu.refus and not rendu.accepte
    assert Lot.objects.get().compte_rendu["refus"] == rendu.refus


def test_l_avancement_progresse_jusqu_a_la_fin_de_la_lecture(societe, client, tmp_path):
    chemin = tmp_path / "factures.csv"
    chemin.write_text(FACTURES + "".join(f"F{i};C1;2026-01-05;2026-02-04;;;12;;;\n" for i in range(60_000)))
    vus = []
    importer(chemin, societe, moment=MOMENT, au=AU, suivi=vus.append)
    assert vus == sorted(vus) and len(vus) >= 2 and vus[-1] <= 60
    assert Lot.objects.get().fichier == "factures.csv"


def test_le_nombre_de_requetes_ne_depend_pas_du_nombre_de_lignes(societe, client, django_assert_max_num_queries):
    texte = FACTURES + "".join(f"F{i};C1;2026-01-05;2026-02-04;;;12;;;\n" for i in range(3_000))
    with django_assert_max_num_queries(128 if connection.vendor == "postgresql" else 117):  # ANALYZE en plus
        assert prendre(societe, texte).crees["factures"] == 3_000
