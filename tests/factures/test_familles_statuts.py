"""Statuts reçus par fichier : ce qui se garde, ce qui décide, ce qui conteste, ce qui contredit le compte."""

from datetime import date
from decimal import Decimal

import pytest
from django.db import connection
from django.test.utils import CaptureQueriesContext

from factures.models import Facture, Litige, Lot, StatutRecu, TraceDeLot
from recouvrement.journal.models import Maillon
from tests.clients.factories import ClientFactory
from tests.comptes.factories import SocieteFactory
from tests.factures.factories import AvoirFactory, EcheanceFactory, FactureFactory, ImputationFactory, LitigeFactory
from tests.factures.imports_essai import defauts_de_soldes, prendre, rejets

pytestmark = pytest.mark.django_db
ENTETE = "numero;statut;date;motif;montant;siren_vendeur;siren_acheteur\n"
D = Decimal


@pytest.fixture
def piece():
    client = ClientFactory(societe=SocieteFactory(), siren="552100554")
    facture = FactureFactory(client=client, numero="F1", montant_ttc=D(1200), date_emission=date(2026, 1, 5))
    return EcheanceFactory(facture=facture, echue_le=date(2026, 2, 4), montant=1200)


def importer(piece, *lignes, **options):
    return prendre(piece.societe, ENTETE + "\n".join(lignes) + "\n", format="statuts-fe", **options)


def note(piece):
    return Facture.objects.values_list("statut_fe", "statut_fe_le").get(pk=piece.facture_id)


def litiges(piece):
    return list(Litige.objects.ouverts().filter(echeance__facture=piece.facture_id).order_by("echeance__date_echeance")
                .values_list("montant_conteste", "categorie"))  # fmt: skip


def test_un_statut_se_garde_et_devient_celui_de_la_facture(piece):
    rendu = importer(piece, "F1;205;2026-01-10;;;732829320;552100554")
    assert rendu.ecrit and rendu.crees["statuts"] == 1
    assert note(piece) == ("205", date(2026, 1, 10))
    assert not litiges(piece)
    trace = TraceDeLot.objects.get(objet="factures.facture", objet_id=piece.facture_id)
    assert trace.avant == {"statut_fe": "", "statut_fe_le": None}
    assert StatutRecu.objects.get().lot_id == Lot.objects.get().pk


def test_rejouer_ne_change_rien(piece):
    lignes = ("F1;205;2026-01-10;;;;", "F1;207;2026-01-12;Prix;300;;", "F1;205;2026-01-10;;;;")
    assert importer(piece, *lignes).inchanges["statuts"] == 1
    avant = (note(piece), litiges(piece), StatutRecu.objects.count(), TraceDeLot.objects.count())
    rendu = importer(piece, *lignes)
    assert rendu.crees["statuts"] == 0 and rendu.inchanges["statuts"] == 3
    assert (note(piece), litiges(piece), StatutRecu.objects.count(), TraceDeLot.objects.count()) == avant


def test_un_maillon_par_import_et_non_par_ligne(piece):
    avant = Maillon.objects.count()
    importer(piece, *(f"F1;20{n};2026-01-1{n};;;;" for n in range(6)))
    assert Maillon.objects.count() == avant + 1


def test_un_statut_ancien_arrive_apres_ne_degele_rien(piece):
    importer(piece, "F1;213;2026-01-20;;;;")
    rendu = importer(piece, "F1;205;2026-01-10;;;;")
    assert note(piece) == ("213", date(2026, 1, 20))
    assert "garde son statut" in " ".join(rendu.avertissements)
    assert StatutRecu.objects.count() == 2


def test_l_accuse_d_une_plateforme_apres_un_refus_ne_degele_rien(piece):
    importer(piece, "F1;210;2026-01-20;Doublon;;;")
    importer(piece, "F1;250;2026-01-21;;;;", "F1;999;2026-01-22;;;;")
    assert note(piece)[0] == "210"


def test_refusee_ouvre_un_litige_de_tout_le_reste_avec_son_motif(piece):
    ImputationFactory(echeance=piece, montant=D(200))
    importer(piece, "F1;210;2026-01-20;TVA fausse;;;")
    assert litiges(piece) == [(D(1000), "facture")]
    assert "TVA fausse" in Litige.objects.get().description and "210, Refusée" in Litige.objects.get().description


def test_clos_par_une_personne_le_litige_ne_se_rouvre_pas_au_rejeu(piece):
    importer(piece, "F1;210;2026-01-20;x;;;")
    Litige.objects.update(clos_le=date(2026, 3, 1), issue="Réglé")
    importer(piece, "F1;210;2026-01-20;x;;;")
    assert not litiges(piece)


def test_un_litige_deja_ouvert_reste_seul(piece):
    LitigeFactory(echeance=piece, montant_conteste=D(50))
    importer(piece, "F1;210;2026-01-20;x;;;")
    assert [x[0] for x in litiges(piece)] == [D(50)]


def test_soldee_une_facture_refusee_n_ouvre_pas_de_litige(piece):
    ImputationFactory(echeance=piece)
    importer(piece, "F1;210;2026-01-20;x;;;")
    assert not litiges(piece) and note(piece)[0] == "210"


@pytest.mark.parametrize(
    ("ligne", "attendu"),
    [
        ("F1;207;2026-01-20;;300;;", [D(300)]),
        ("F1;207;2026-01-20;;;;", [D(1200)]),
        ("F1;207;2026-01-20;;5000;;", [D(1200)]),
        ("F1;206;2026-01-20;;120,50;;", [D("120.50")]),
        ("F1;206;2026-01-20;;;;", []),
        ("F1;208;2026-01-20;;;;", []),
        ("F1;213;2026-01-20;;;;", []),
        ("F1;220;2026-01-20;;;;", [D(1200)]),
    ],
)
def test_la_part_contestee_selon_le_statut(piece, ligne, attendu):
    importer(piece, ligne)
    assert [x[0] for x in litiges(piece)] == attendu


def test_une_part_se_repartit_entre_les_echeances(piece):
    EcheanceFactory(facture=piece.facture, echue_le=date(2026, 3, 4), montant=600)
    Facture.objects.update(montant_ttc=D(1800))
    importer(piece, "F1;207;2026-01-20;;100;;")
    assert [x[0] for x in litiges(piece)] == [D("66.67"), D("33.33")]
    assert not defauts_de_soldes()


def test_encaissee_sans_paiement_au_compte_est_une_anomalie(piece):
    importer(piece, "F1;212;2026-02-01;;1200;;")
    recu = StatutRecu.objects.get()
    assert recu.anomalie.startswith("Dite encaissée : 1") and recu.decidee_le is None


def test_encaissee_et_payee_n_est_pas_une_anomalie(piece):
    ImputationFactory(echeance=piece, montant=D(500))
    importer(piece, "F1;212;2026-02-01;;500;;")
    assert StatutRecu.objects.get().anomalie == ""


def test_un_avoir_n_est_pas_un_paiement(piece):
    ImputationFactory(echeance=piece, montant=D(500), avoir=AvoirFactory(client=piece.client, montant=500))
    importer(piece, "F1;212;2026-02-01;;500;;")
    assert StatutRecu.objects.get().anomalie


@pytest.mark.parametrize(
    ("ligne", "champ"),
    [
        ("F9;205;2026-01-10;;;;", "numero"),
        ("F1;205;2026-01-10;;;100000009;", "vendeur"),
        ("F1;205;2026-01-10;;;;200000008", "acheteur"),
        ("F1;205;2026-03-11;;;;", "date"),
        ("F1;205;2026-01-04;;;;", "date"),
        ("F1;abc;2026-01-10;;;;", "statut"),
        ("F1;205;31/02/2026;;;;", "date"),
        ("F1;212;2026-01-10;;1.234,56-x;;", "montant"),
    ],
)
def test_ce_qui_ne_se_note_pas_est_rejete_et_rien_n_est_ecrit(piece, ligne, champ):
    rendu = importer(piece, ligne, "F1;204;2026-01-09;;;;")
    assert [(r[0], r[1]) for r in rejets(rendu)] == [(2, champ)]
    assert not rendu.ecrit and not StatutRecu.objects.exists() and note(piece)[0] == ""


def test_en_partie_les_lignes_saines_passent(piece):
    rendu = importer(piece, "F9;205;2026-01-10;;;;", "F1;204;2026-01-09;;;;", partiel=True)
    assert rendu.ecrit and note(piece)[0] == "204"


def test_le_nombre_de_requetes_ne_suit_pas_les_lignes():
    def compter(n):
        societe = SocieteFactory()
        lignes = []
        for i in range(n):
            f = FactureFactory(societe=societe, numero=f"N{i}", date_emission=date(2026, 1, 5))
            EcheanceFactory(facture=f)
            lignes.append(f"N{i};{('207', '212', '210', '205')[i % 4]};2026-01-20;m;10;;")
        with CaptureQueriesContext(
            connection,
        ) as capture:
            prendre(societe, ENTETE + "\n".join(lignes), format="statuts-fe")
        return len(capture)

    compter(4)
    assert compter(4) == compter(40)


def test_une_anomalie_ecartee_rend_le_refus_note_a_la_main(piece):
    """Un 210 lu au portail, puis un 212 par erreur : l'écarter ne remet pas en relance une facture refusée."""
    from factures.services.statuts_fe import Issue, decider_anomalie, noter_statut
    from tests.comptes.factories import UtilisateurFactory

    claire = UtilisateurFactory(societe=piece.societe)
    noter_statut(piece.facture, code="210", le=date(2026, 1, 20), au=date(2026, 3, 10), acteur=claire)
    importer(piece, "F1;212;2026-02-01;;1200;;")
    assert note(piece)[0] == "212"
    decider_anomalie(StatutRecu.objects.get(), issue=Issue.ECARTEE, acteur=claire)
    assert note(piece) == ("210", date(2026, 1, 20))


@pytest.mark.parametrize(
    ("ligne", "visee"),
    [
        ("471102;210;2019-06-10;2019-06-01", 2019), ("471102;210;2019-06-10;", 2019),
        ("471102;210;2018-06-10;2018-06-01", 2018), ("471102;210;2018-06-10;", 2018),
        ("471102;210;2019-01-10;2018-06-01", 2018),
    ],
)  # fmt: skip
@pytest.mark.parametrize("premiere", [2018, 2019])
def test_un_numero_qui_sert_deux_annees_refuse_la_bonne_facture(settings, tmp_path, ligne, visee, premiere):
    from factures.rendu_cdar import rendre_csv
    from tests.factures.efacture_essai import cii

    settings.DEPOT = tmp_path
    societe = SocieteFactory()
    for annee in (premiere, 4037 - premiere):
        assert prendre(societe, cii("471102", emission=f"{annee}-06-01", echeance=f"{annee}-07-01")).ecrit
    rendu = prendre(societe, f"numero;statut;date;date_facture\n{ligne}\n", format="statuts-fe")
    assert rendu.ecrit and rendu.crees["statuts"] == 1
    dites = {f.date_emission.year: (f.statut_fe, f.numero_du_document) for f in Facture.objects.all()}
    assert dites == {visee: ("210", "471102"), 4037 - visee: ("", "471102")}
    recu = StatutRecu.objects.get()
    recu.cle_source, recu.montant = "FE:212:20190610120000:120.00:471102", D(120)
    assert "471102;" in rendre_csv([recu]) and "(20" not in rendre_csv([recu])
