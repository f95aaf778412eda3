"""Un état de postes ouverts reçu chaque semaine : acomptes constatés, hausses refusées, absences dites, sans double."""

from datetime import date
from decimal import Decimal

import pytest
from django.db import connection
from django.test.utils import CaptureQueriesContext

from factures.models import Avoir, Echeance, Encaissement, Facture, Imputation, Lot
from factures.services.annulation import defaire
from tests.comptes.factories import SocieteFactory, UtilisateurFactory
from tests.factures.imports_essai import (
    AU,
    ENCAISSEMENTS,
    MOMENT,
    defauts_de_soldes,
    encours_par_client,
    prendre,
    restes,
)

pytestmark = pytest.mark.django_db
D = Decimal
AVEC_TTC = "Code client;Nom client;N° facture;Date facture;Échéance;Montant TTC;Reste dû\n"
SANS_TTC = "Code client;Nom client;N° facture;Date facture;Échéance;Reste dû\n"
F1 = "C1;Alpha;F1;25/01/2026;24/02/2026;{};{}\n"
F2 = "C1;Alpha;F2;26/01/2026;25/02/2026;{};{}\n"


@pytest.fixture
def societe():
    return SocieteFactory()


def semaine(societe, *lignes, entete=AVEC_TTC, titre="", **options):
    return prendre(societe, titre + entete + "".join(lignes), nom=options.pop("nom", "postes.csv"), **options)


def complet(societe, *lignes, entete=AVEC_TTC, colonnes=None, **options):
    """Comme une personne qui a coché « cet export est complet »."""
    colonnes = colonnes or {
        "code_client": "Code client", "nom_client": "Nom client", "numero": "N° facture",
        "date_facture": "Date facture", "date_echeance": "Échéance", "montant": "Montant TTC", "reste": "Reste dû",
    }  # fmt: skip
    choix = {
        "genre": "postes", "colonnes": colonnes,
        "options": {"dates": "jma", "decimale": ",", "complet": True, "creer_clients": True},
    }  # fmt: skip
    options.setdefault("origine", Lot.Origine.ECRAN)
    return semaine(societe, *lignes, entete=entete, corrections={"tableau": choix}, **options)


def tout():
    return [list(m.objects.order_by("pk").values()) for m in (Facture, Echeance, Avoir, Encaissement, Imputation)]


def dits(rendu) -> str:
    return " ".join(rendu.avertissements)


def test_le_ttc_et_le_reste_font_un_reglement_constate_puis_un_second(societe):
    rendu = semaine(societe, F1.format("120,00", "90,00"), F2.format("80,00", "80,00"))
    assert (rendu.refus, rendu.rejets) == ("", [])
    assert Facture.objects.get(numero="F1").montant_ttc == D(120)
    constate = Encaissement.objects.get()
    assert (constate.montant, constate.mode, constate.date, constate.reference) == (D(30), "autre", AU, "F1")
    assert "constaté" in constate.libelle and "F1 30,00" in dits(rendu)
    assert restes(societe) == {"F1": D(90), "F2": D(80)}
    avant = tout()
    semaine(societe, F1.format("120,00", "90,00"), F2.format("80,00", "80,00"))
    assert tout() == avant
    semaine(societe, F1.format("120,00", "50,00"), F2.format("80,00", "0,00"))
    assert restes(societe) == {"F1": D(50)}
    assert Echeance.objects.get(facture__numero="F2").soldee_le == AU
    assert defauts_de_soldes() == []


def test_sans_ttc_le_premier_reste_est_le_montant_et_la_baisse_un_reglement(societe):
    f1, titre = "C1;Alpha;F1;25/01/2026;24/02/2026;{}\n", "Postes ouverts au 28/02/2026\n"
    semaine(societe, f1.format("120,00"), entete=SANS_TTC)
    rendu = semaine(societe, f1.format("70,00"), entete=SANS_TTC, titre=titre)
    assert rendu.accepte and Facture.objects.get().montant_ttc == D(120)
    assert Encaissement.objects.get().date == date(2026, 2, 28) and restes(societe) == {"F1": D(70)}
    avant = tout()
    semaine(societe, f1.format("70,00"), entete=SANS_TTC, titre=titre)
    assert tout() == avant and defauts_de_soldes() == []


def test_l_arrete_avant_une_facture_n_est_pas_cru(societe):
    rendu = semaine(societe, F1.format("120,00", "90,00"), titre="Du 01/01/2025 au 31/12/2025\n")
    assert rendu.faits["arrete"] == AU and Encaissement.objects.get().date == AU


def test_une_hausse_est_un_rejet_qui_dit_les_deux_montants(societe):
    semaine(societe, F1.format("120,00", "90,00"))
    avant = tout()
    rendu = semaine(societe, F1.format("120,00", "100,00"))
    assert not rendu.ecrit and tout() == avant
    assert "100,00" in rendu.rejets[0].motif and "90,00" in rendu.rejets[0].motif


def test_une_piece_absente_est_dite_jamais_reglee_d_office(societe):
    semaine(societe, F1.format("120,00", "120,00"), F2.format("80,00", "80,00"))
    rendu = semaine(societe, F1.format("120,00", "120,00"))
    assert restes(societe) == {"F1": D(120), "F2": D(80)} and "F2 80,00" in dits(rendu)
    rendu = complet(societe, F1.format("120,00", "120,00"))
    assert restes(societe) == {"F1": D(120)} and "est dit complet" in dits(rendu)
    assert Encaissement.objects.get().montant == D(80) and defauts_de_soldes() == []
    avant = tout()
    assert "dit complet" in dits(complet(societe, F1.format("120,00", "120,00")))
    assert tout() == avant


def test_un_export_complet_dont_une_ligne_est_refusee_ne_regle_rien(societe):
    semaine(societe, F1.format("120,00", "120,00"), F2.format("80,00", "80,00"))
    rendu = complet(societe, F1.format("120,00", "abc"), partiel=True)
    assert rendu.rejets and restes(societe) == {"F1": D(120), "F2": D(80)}


def test_une_source_ne_regle_pas_seule_plus_de_la_moitie(societe):
    lignes = [f"C1;Alpha;N{i};25/01/2026;24/02/2026;10,00;10,00\n" for i in range(30)]
    semaine(societe, *lignes)
    rendu = complet(societe, *lignes[:5], origine=Lot.Origine.DOSSIER)
    assert "plus de la moitié" in rendu.refus and len(restes(societe)) == 30
    assert complet(societe, *lignes[:5]).ecrit and len(restes(societe)) == 5


def test_un_export_complet_depasse_est_refuse(societe):
    lignes = [F1.format("120,00", "120,00"), F2.format("80,00", "80,00")]
    semaine(societe, *lignes, titre="Au 05/03/2026\n")
    rendu = complet(societe, lignes[0], titre="Au 28/02/2026\n")
    assert "plus récent" in rendu.refus and len(restes(societe)) == 2


def test_le_vrai_reglement_prend_la_place_du_constat(societe):
    semaine(societe, F1.format("120,00", "90,00"))
    constate = Encaissement.objects.get()
    csv = ENCAISSEMENTS + "VIR7;C1;2026-03-02;30;virement;F1\n"
    rendu = prendre(societe, csv)
    assert rendu.accepte and "confirmés" in dits(rendu)
    vrai = Encaissement.objects.get()
    assert (vrai.pk, vrai.reference, vrai.date, vrai.mode) == (constate.pk, "VIR7", date(2026, 3, 2), "virement")
    assert Imputation.objects.get().date == date(2026, 3, 2)
    assert encours_par_client(societe) == {"C1": D(90)} and defauts_de_soldes() == []
    avant = tout()
    prendre(societe, csv)
    semaine(societe, F1.format("120,00", "90,00"))
    assert tout() == avant
    lots = list(Lot.objects.filter(statut=Lot.Statut.APPLIQUE).order_by("pk"))
    assert defaire(lots[1], acteur=UtilisateurFactory(), moment=MOMENT, au=AU)
    assert Encaissement.objects.get().cle_source == constate.cle_source and Imputation.objects.get().date == AU


def test_un_reglement_d_un_autre_montant_que_le_constat_est_rejete(societe):
    semaine(societe, F1.format("120,00", "0,00"), F2.format("80,00", "80,00"))
    assert not Facture.objects.filter(numero="F1").exists()  # soldée avant d'avoir été connue
    semaine(societe, F2.format("80,00", "20,00"))
    rendu = prendre(societe, ENCAISSEMENTS + "V1;C1;2026-03-02;50;virement;F2\n")
    assert "60,00" in rendu.rejets[0].motif and "50,00" in rendu.rejets[0].motif
    assert encours_par_client(societe) == {"C1": D(20)}


def test_un_reglement_deja_recu_et_pas_affecte_n_est_pas_constate_deux_fois(societe):
    semaine(societe, F1.format("120,00", "120,00"))
    prendre(societe, ENCAISSEMENTS + "V1;C1;2026-03-02;30;virement;\n")
    semaine(societe, F1.format("120,00", "90,00"))
    assert Encaissement.objects.count() == 1 and encours_par_client(societe) == {"C1": D(90)}
    assert defauts_de_soldes() == []


def test_un_avoir_lettre_en_comptabilite_explique_la_baisse(societe):
    avoir = "C1;Alpha;AV1;27/01/2026;;-20,00;{}\n"
    semaine(societe, F1.format("120,00", "120,00"), avoir.format("-20,00"))
    assert encours_par_client(societe) == {"C1": D(100)}
    semaine(societe, F1.format("120,00", "112,00"), avoir.format("-12,00"))
    assert encours_par_client(societe) == {"C1": D(100)} and not Encaissement.objects.exists()
    semaine(societe, F1.format("120,00", "95,00"))
    assert encours_par_client(societe) == {"C1": D(95)} and Encaissement.objects.get().montant == D(5)
    assert defauts_de_soldes() == []


def test_un_ttc_repete_sur_les_echeances_n_est_pas_compte_deux_fois(societe):
    lignes = [f"C1;Alpha;F1;25/01/2026;24/0{m}/2026;100,00;50,00\n" for m in (2, 3)]
    semaine(societe, *lignes)
    assert Facture.objects.get().montant_ttc == D(100) and not Encaissement.objects.exists()
    semaine(societe, lignes[1].replace(";50,00\n", ";45,00\n"))
    assert encours_par_client(societe) == {"C1": D(95)}
    assert complet(societe, lignes[1].replace(";50,00\n", ";45,00\n")).ecrit
    assert encours_par_client(societe) == {"C1": D(45)} and defauts_de_soldes() == []


def test_un_poste_sans_numero_se_reconnait_apres_un_acompte(societe):
    entete = "Code client;Nom client;Date facture;Échéance;Reste dû\n"
    for reste in ("100,00", "60,00", "60,00", "10,00"):
        semaine(societe, f"C1;Alpha;25/01/2026;24/02/2026;{reste}\n", entete=entete)
        assert encours_par_client(societe) == {"C1": D(reste.replace(",", "."))}
    assert Facture.objects.count() == 1


def test_l_import_se_defait(societe):
    semaine(societe, F1.format("120,00", "120,00"), F2.format("80,00", "80,00"))
    avant = tout()
    lot = Lot.objects.get(pk=complet(societe, F1.format("120,00", "90,00")) and Lot.objects.latest("pk").pk)
    assert restes(societe) == {"F1": D(90)}
    assert defaire(lot, acteur=UtilisateurFactory(), moment=MOMENT, au=AU)
    assert tout() == avant and defauts_de_soldes() == []


def test_le_nombre_de_requetes_ne_depend_pas_des_lignes():
    comptes = []
    for n in (20, 300):
        societe = SocieteFactory()
        lignes = [f"C{i % 7};N{i % 7};F{i};25/01/2026;24/02/2026;100,00;{{}}\n" for i in range(n)]
        semaine(societe, *(x.format("100,00") for x in lignes))
        with CaptureQueriesContext(connection) as vues:
            rendu = complet(societe, *(x.format("40,00") for x in lignes[: n // 2]))
        assert rendu.ecrit and len(restes(societe)) == n // 2
        comptes.append(len(vues))
    assert comptes[0] == comptes[1]


BALANCE = "Balance âgée au {}\nCode;Client;Non échu;0-30 jours;31-60 jours\n"


def test_une_balance_remplace_la_precedente(societe):
    prendre(societe, BALANCE.format("31/01/2026") + "C1;Alpha;100,00;200,00;\nC2;Beta;-50,00;;30,00\n", nom="b.csv")
    assert prendre(societe, BALANCE.format("28/02/2026") + "C1;Alpha;10,00;100,00;200,00\n", nom="b.csv").ecrit
    rendu = prendre(societe, BALANCE.format("07/03/2026") + "C1;Alpha;;110,00;\nC2;Beta;-40,00;;\n", nom="b.csv")
    assert (rendu.refus, rendu.rejets) == ("", [])
    credits = sum(a.montant - a.impute for a in Avoir.objects.all())
    assert (sum(restes(societe).values()), credits) == (D(110), D(40))
    assert not Encaissement.objects.exists() and defauts_de_soldes() == []
    avant = tout()
    prendre(societe, BALANCE.format("07/03/2026") + "C1;Alpha;;110,00;\nC2;Beta;-40,00;;\n", nom="b.csv")
    assert tout() == avant
    vieille = prendre(societe, BALANCE.format("28/02/2026") + "C1;Alpha;10,00;100,00;200,00\n", nom="b.csv")
    assert "plus ancienne" in vieille.refus
    dernier = Lot.objects.filter(statut=Lot.Statut.APPLIQUE).order_by("pk")[2]
    assert defaire(dernier, acteur=UtilisateurFactory(), moment=MOMENT, au=AU)
    assert sum(restes(societe).values()) == D(340) and defauts_de_soldes() == []


def test_les_postes_ouverts_remplacent_la_balance_et_non_l_inverse(societe):
    prendre(societe, BALANCE.format("31/01/2026") + "C1;Alpha;100,00;200,00;\n", nom="b.csv")
    assert semaine(societe, F1.format("120,00", "120,00")).ecrit
    assert restes(societe) == {"F1": D(120)}
    rendu = prendre(societe, BALANCE.format("28/02/2026") + "C1;Alpha;100,00;20,00;\n", nom="b.csv")
    assert "compterait deux fois" in rendu.refus
