"""Produire le statut 212 : ce qui se déclare, une seule fois, dans un fichier que la maison relit."""

import zipfile
from datetime import date
from decimal import Decimal
from io import BytesIO

import pytest
from django.db import connection
from django.test.utils import CaptureQueriesContext

from factures.imports.fichier import examiner_fichier
from factures.imports.lecteurs import lire_seul, reconnaitre
from factures.models import Encaissement, Facture, Imputation, StatutRecu
from factures.rendu_cdar import rendre_cdar, rendre_csv, rendre_zip, taux_unique
from factures.services.statuts_fe_212 import a_produire, emis, produire
from recouvrement.comptes.models import Role
from recouvrement.journal.models import Maillon
from tests.clients.factories import ClientFactory
from tests.comptes.factories import SocieteFactory, UtilisateurFactory
from tests.factures.factories import (
    AvoirFactory,
    EcheanceFactory,
    EncaissementFactory,
    FactureFactory,
    ImputationFactory,
)
from tests.factures.imports_essai import prendre

pytestmark = pytest.mark.django_db
D = Decimal
DU, AU = date(2026, 2, 1), date(2026, 2, 28)


@pytest.fixture
def piece():
    client = ClientFactory(societe=SocieteFactory(), siren="552100554", raison_sociale="Acheteur & fils")
    facture = FactureFactory(
        client=client, numero="F/2026-1", montant_ttc=D(1200), montant_ht=D(1000), montant_tva=D(200),
        date_emission=date(2026, 1, 5), tva_encaissements=True,
    )  # fmt: skip
    return EcheanceFactory(facture=facture, montant=1200, date_facture=date(2026, 1, 5))


@pytest.fixture
def claire(piece):
    return UtilisateurFactory(role=Role.RESPONSABLE, societe=piece.societe)


def payer(piece, montant, le=date(2026, 2, 10)):
    return ImputationFactory(echeance=piece, montant=D(montant), date=le)


def reste(**options):
    return [(x.le, x.montant) for x in a_produire(Facture.objects.all(), du=DU, au=AU, **options)]


def faire(piece, claire):
    return produire(Facture.objects.all(), societe=piece.societe, du=DU, au=AU, acteur=claire)


def test_chaque_encaissement_pose_se_declare_a_sa_date(piece):
    payer(piece, 500)
    payer(piece, 300, date(2026, 2, 20))
    payer(piece, 100, date(2026, 3, 2))
    ImputationFactory(echeance=piece, montant=D(50), avoir=AvoirFactory(client=piece.client, montant=50))
    assert reste() == [(date(2026, 2, 10), D(500)), (date(2026, 2, 20), D(300))]


def test_tva_sur_les_debits_rien_ne_se_declare(piece):
    payer(piece, 500)
    Facture.objects.update(tva_encaissements=False)
    assert reste() == []


def test_jamais_deux_fois_le_meme(piece, claire):
    payer(piece, 500)
    avant = Maillon.objects.count()
    assert [s.montant for s in faire(piece, claire)] == [D(500)]
    assert faire(piece, claire) == [] and reste() == []
    assert Maillon.objects.count() == avant + 1
    assert Facture.objects.get().statut_fe == ""


def test_deux_encaissements_du_meme_jour_et_du_meme_montant_en_font_deux(piece, claire):
    payer(piece, 500)
    payer(piece, 500)
    assert len(faire(piece, claire)) == 2


def test_un_rejet_apres_coup_se_reprend_en_negatif(piece, claire):
    imputation = payer(piece, 500)
    faire(piece, claire)
    Imputation.objects.filter(pk=imputation.pk).delete()
    Encaissement.objects.update(impute=D(500), rejete_le=date(2026, 2, 25))
    assert [s.montant for s in faire(piece, claire)] == [D(-500)]
    assert reste() == []
    encaissement = Encaissement.objects.get()
    Encaissement.objects.update(rejete_le=None, impute=0)
    encaissement.refresh_from_db()
    ImputationFactory(echeance=piece, montant=D(500), date=date(2026, 2, 10), encaissement=encaissement)
    assert [s.montant for s in faire(piece, claire)] == [D(500)]
    assert len(set(StatutRecu.objects.values_list("cle_source", flat=True))) == 3


def test_ce_que_la_plateforme_dit_deja_ne_se_redit_pas(piece):
    payer(piece, 500)
    payer(piece, 300, date(2026, 2, 20))
    texte = "numero;statut;date;montant\nF/2026-1;212;2026-02-11;500\n"
    assert prendre(piece.societe, texte, format="statuts-fe").ecrit
    assert reste() == [(date(2026, 2, 20), D(300))]


def test_un_acompte_recu_avant_la_facture_se_dit_au_jour_de_la_facture(piece):
    encaissement = EncaissementFactory(client=piece.client, montant=100, date=date(2025, 12, 20))
    ImputationFactory(echeance=piece, montant=D(100), date=date(2026, 1, 5), encaissement=encaissement)
    lignes = a_produire(Facture.objects.all(), du=date(2025, 12, 1), au=AU)
    assert [(x.le, x.montant) for x in lignes] == [(date(2026, 1, 5), D(100))]


def test_l_xml_se_relit_et_son_echo_ne_fait_rien(piece, claire):
    payer(piece, "512.34")
    (statut,) = faire(piece, claire)
    contenu = rendre_cdar(emis().get())
    assert contenu == rendre_cdar(emis().get())
    fichier = examiner_fichier(contenu, "a.xml")
    assert reconnaitre(fichier) == "statuts-fe"
    (lu,) = lire_seul(fichier).elements
    assert (lu.numero, lu.code, lu.le, lu.montant, lu.taux) == ("F/2026-1", "212", statut.le, D("512.34"), D(20))
    assert (lu.vendeur, lu.acheteur, lu.devise, lu.nature_montant) == ("732829320", "552100554", "EUR", "MEN")
    assert lu.cle_source == statut.cle_source
    rendu = prendre(piece.societe, contenu)
    assert rendu.inchanges["statuts"] == 1 and StatutRecu.objects.count() == 1 and reste() == []


def test_le_csv_se_relit_de_meme(piece, claire):
    payer(piece, 500)
    payer(piece, 300, date(2026, 2, 20))
    faire(piece, claire)
    contenu = rendre_csv(emis()).encode()
    fichier = examiner_fichier(contenu, "a.csv")
    assert reconnaitre(fichier) == "statuts-fe"
    assert {x.cle_source for x in lire_seul(fichier).elements} == set(
        StatutRecu.objects.values_list("cle_source", flat=True)
    )


def test_l_archive_a_un_message_par_statut_et_le_tableau(piece, claire):
    payer(piece, 500)
    payer(piece, 300, date(2026, 2, 20))
    faire(piece, claire)
    with zipfile.ZipFile(BytesIO(rendre_zip(emis()))) as archive:
        noms = archive.namelist()
        assert len(noms) == 3 and noms[-1] == "statuts-212.csv"
        assert all(n.startswith("F_2026-1_212_2026021") or n.startswith("F_2026-1_212_2026022") for n in noms[:2])


@pytest.mark.parametrize(
    ("ht", "tva", "taux"),
    [(1000, 200, D(20)), (100, "5.50", D("5.50")), (100, "4.90", None), (None, None, None), (100, 0, D(0))],
)
def test_un_taux_ne_se_dit_que_s_il_est_seul(ht, tva, taux):
    assert taux_unique(Facture(montant_ht=ht and D(ht), montant_tva=None if tva is None else D(tva))) == taux


def test_le_nombre_de_requetes_ne_suit_pas_les_factures():
    def compter(n):
        societe = SocieteFactory()
        qui = UtilisateurFactory(role=Role.RESPONSABLE, societe=societe)
        for _i in range(n):
            facture = FactureFactory(societe=societe, tva_encaissements=True)
            payer(EcheanceFactory(facture=facture), 10)
        with CaptureQueriesContext(connection) as capture:
            assert len(produire(Facture.objects.all(), societe=societe, du=DU, au=AU, acteur=qui)) == n
        return len(capture)

    assert compter(1) == compter(20)
