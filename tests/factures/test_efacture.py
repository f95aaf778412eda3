"""Factures électroniques : ce qui devient la créance, à qui, et chez qui."""

from datetime import date
from decimal import Decimal

import pytest

from clients.models import Client
from factures.models import Avoir, Facture
from tests.clients.factories import ClientFactory
from tests.comptes.factories import SocieteFactory

from .efacture_essai import ACHETEUR, cii, ubl
from .imports_essai import defauts_de_soldes, prendre, restes

pytestmark = pytest.mark.django_db


@pytest.fixture
def societe(settings, tmp_path):
    settings.DEPOT = tmp_path
    return SocieteFactory()


def prise(societe, octets, **options):
    rendu = prendre(societe, octets, **options)
    assert not rendu.refus and not rendu.rejets, (rendu.refus, rendu.rejets)
    return rendu


def dit(rendu, *morceaux) -> bool:
    return any(all(m in texte for m in morceaux) for texte in rendu.avertissements)


# --- La créance ------------------------------------------------------------------------------


def test_la_creance_est_le_net_a_payer_et_non_le_ttc(societe):
    rendu = prise(societe, cii(acompte="20.00", net="100.00", exigibilite="72"))
    f = Facture.objects.get()
    assert rendu.format == "cii" and restes(societe) == {"F-100": Decimal("100.00")}
    assert (f.montant_ttc, f.acompte, f.arrondi, f.montant_ht, f.montant_tva) == (120, 20, 0, 100, 20)
    assert (f.type_document, f.tva_encaissements, f.affacturee, f.mentions_absentes) == (
        "380",
        True,
        False,
        ["tva_vendeur"],
    )
    assert defauts_de_soldes() == []


def test_l_arrondi_fait_le_net(societe):
    prise(societe, cii(ttc="1038.78", ht="831.02", tva="207.76", arrondi="0.22", net="1039.00", devise="SEK"))
    f = Facture.objects.get()
    assert (f.montant_ttc, f.arrondi, f.devise) == (Decimal("1038.78"), Decimal("0.22"), "SEK")
    assert restes(societe) == {"F-100": Decimal(1039)} and defauts_de_soldes() == []


def test_un_net_inferieur_au_ttc_sans_acompte_se_dit(societe):
    rendu = prise(societe, cii(net="90.00"))
    assert Facture.objects.get().acompte == 30 and dit(rendu, "inférieur au TTC de 30.00")
    assert defauts_de_soldes() == []


def test_un_net_nul_ne_cree_rien_et_le_dit(societe):
    rendu = prise(societe, cii(acompte="120.00", net="0.00"))
    assert not Facture.objects.exists() and dit(rendu, "rien à payer")


@pytest.mark.parametrize(
    ("champs", "montant"),
    [
        ({"type_": "381"}, "120.00"),
        ({"ht": "-100.00", "tva": "-20.00", "ttc": "-120.00", "net": "-120.00"}, "120.00"),
        ({"acompte": "200.00", "net": "-80.00"}, "80.00"),  # trop-perçu
        ({"type_": "261"}, "120.00"),
        ({"type_": "262"}, "120.00"),
        ({"type_": "503"}, "120.00"),
    ],
)
def test_un_avoir_quelle_qu_en_soit_la_forme(societe, champs, montant):
    prise(societe, cii(**champs))
    avoir = Avoir.objects.get()
    assert avoir.montant == Decimal(montant) and avoir.type_document == champs.get("type_", "380")
    assert not Facture.objects.exists()


def test_un_avoir_negatif_reclame(societe):
    prise(societe, cii(type_="381", ht="-100.00", tva="-20.00", ttc="-120.00", net="-120.00"))
    assert restes(societe) == {"F-100": Decimal("120.00")} and not Avoir.objects.exists()


def test_l_avoir_se_pose_sur_la_facture_qu_il_cite(societe):
    prise(societe, cii())
    prise(societe, cii("A-1", "381", emission="2026-02-10", net="50.00", ttc="50.00", ht="41.67", tva="8.33",
                       anterieure="F-100"))  # fmt: skip
    assert restes(societe) == {"F-100": Decimal("70.00")} and defauts_de_soldes() == []


@pytest.mark.parametrize("code", ["386", "389", "326", "875", "876", "877", "383", "751"])
def test_les_types_de_facture_connus_sont_des_creances(societe, code):
    prise(societe, cii(type_=code))
    assert Facture.objects.get().type_document == code


@pytest.mark.parametrize("code", ["393", "501"])
def test_une_facture_affacturee_entre_et_le_dit(societe, code):
    rendu = prise(societe, cii(type_=code))
    assert Facture.objects.get().affacturee and dit(rendu, "affactureur")


@pytest.mark.parametrize(("code", "mot"), [("325", "pro forma"), ("999", "« 999 »"), ("310", "offre")])
def test_un_type_inconnu_ou_sans_creance_est_refuse_nommement(societe, code, mot):
    rendu = prendre(societe, cii(type_=code))
    assert mot in rendu.refus and not Facture.objects.exists()


def test_une_rectificative_annule_celle_qu_elle_remplace(societe):
    prise(societe, cii())
    rendu = prise(societe, cii("R-1", "384", emission="2026-02-10", ht="80.00", tva="16.00", ttc="96.00", net="96.00",
                               anterieure="F-100"))  # fmt: skip
    avoir = Avoir.objects.get()
    assert (avoir.numero, avoir.montant, avoir.facture_origine.numero) == ("R-1", 120, "F-100")
    assert restes(societe) == {"R-1": Decimal("96.00")} and dit(rendu, "R-1 remplace F-100")
    rejeu = prise(societe, cii("R-1", "384", emission="2026-02-10", ht="80.00", tva="16.00", ttc="96.00", net="96.00",
                               anterieure="F-100"))  # fmt: skip
    assert Avoir.objects.count() == 1 and not any(rejeu.crees.values()) and defauts_de_soldes() == []


def test_une_rectificative_d_une_inconnue_le_dit(societe):
    rendu = prise(societe, cii("R-1", "384", anterieure="F-ABSENTE"))
    assert dit(rendu, "F-ABSENTE", "n'a pas chez ce client") and not Avoir.objects.exists()


@pytest.mark.parametrize("ordre", ["OR", "RO", "OAR", "ROA"])
def test_une_facture_remplacee_ne_se_reclame_plus_dans_aucun_ordre(societe, ordre):
    """Deux créances pour une dette : une lettre réclamerait la facture annulée."""
    fichiers = {
        "O": cii(),
        "R": cii("R-1", "384", emission="2026-02-10", ht="80.00", tva="16.00", ttc="96.00", net="96.00",
                 anterieure="F-100"),
        "A": cii("A-1", "381", emission="2026-02-08", anterieure="F-100"),
    }  # fmt: skip
    for _ in range(2):
        for x in ordre:
            prise(societe, fichiers[x])
        assert restes(societe) == {"R-1": Decimal("96.00")} and defauts_de_soldes() == []


# --- Échéances -------------------------------------------------------------------------------


def echeances(societe):
    return list(Facture.objects.get().echeances.order_by("date_echeance").values_list("montant", "date_echeance"))


def test_plusieurs_termes_font_plusieurs_echeances(societe):
    prise(societe, cii(blocs_termes=[("2026-03-31", "70.00"), ("2026-02-28", "50.00")]))
    assert echeances(societe) == [(50, date(2026, 2, 28)), (70, date(2026, 3, 31))] and defauts_de_soldes() == []


def test_plusieurs_termes_en_ubl(societe):
    termes = [("à 30 jours", "2026-03-02", "60.00"), ("à 60 jours", "2026-04-01", "60.00")]
    prise(societe, ubl(echeance="", termes=termes))
    assert echeances(societe) == [(60, date(2026, 3, 2)), (60, date(2026, 4, 1))]


def test_des_termes_qui_ne_font_pas_le_net_ne_font_qu_une_echeance_la_plus_tardive(societe):
    rendu = prise(societe, cii(blocs_termes=[("2026-02-28", "50.00"), ("2026-03-31", "50.00")]))
    assert echeances(societe) == [(120, date(2026, 3, 31))] and dit(rendu, "100.00 et non 120.00")


@pytest.mark.parametrize(
    ("texte", "jour"),
    [
        ("PAIEMENT 30 JOURS NET", date(2026, 3, 2)),
        ("Payment within 30 days", date(2026, 3, 2)),
        ("30 dagar netto", date(2026, 3, 2)),
        ("45 jours nets", date(2026, 3, 17)),
        ("comptant", date(2026, 1, 31)),
    ],
)
def test_une_echeance_en_clair_se_lit_et_se_dit(societe, texte, jour):
    rendu = prise(societe, cii(echeance="", termes=texte))
    assert echeances(societe) == [(120, jour)] and dit(rendu, "Échéance lue dans les conditions")


@pytest.mark.parametrize("texte", ["30% d'acompte, solde à 30 j", "45 jours fin de mois", "30 ou 60 j", "", "Merci"])
def test_une_echeance_ambigue_est_celle_des_conditions_du_client(societe, texte):
    ClientFactory(societe=societe, siren=ACHETEUR, conditions="60J")
    rendu = prise(societe, cii(echeance="", termes=texte))
    assert echeances(societe) == [(120, date(2026, 4, 1))] and dit(rendu, "Aucune échéance écrite")


def test_l_escompte_annonce_se_propose_sans_toucher_la_fiche(societe):
    rendu = prise(societe, cii(termes="2 % discount if paid within 8 days"))
    assert rendu.faits["escompte"] == "2 % sous 8 jours" and dit(rendu, "escompte de 2 % sous 8 jours")
    assert Client.objects.get().escompte_taux is None


# --- Le vendeur, le client -------------------------------------------------------------------


def test_la_facture_d_un_autre_vendeur_est_refusee(societe):
    rendu = prendre(societe, cii(siren="552100554"))
    assert "autre vendeur" in rendu.refus and not Facture.objects.exists()


def test_une_facture_recue_est_refusee_en_le_disant(societe):
    rendu = prendre(societe, cii(siren="552100554", acheteur_siren=societe.siren))
    assert "reçue, pas émise" in rendu.refus


def test_une_societe_sans_siren_accepte_en_avertissant(settings, tmp_path):
    settings.DEPOT = tmp_path
    rendu = prise(SocieteFactory(siren="", numero_tva=""), cii())
    assert dit(rendu, "le SIREN de la société n'est pas renseigné")


def test_un_iban_etranger_a_la_societe_crie_a_la_fraude(societe):
    assert dit(prise(societe, cii(iban="FR7612345678901234567890123")), "fraude possible")
    assert not dit(prise(societe, cii("F-101", iban="FR76 3000 6000 0112 3456 7890 189")), "fraude")


def test_le_client_se_retrouve_par_son_siren_puis_sa_tva_puis_son_nom(societe):
    par_siren = ClientFactory(societe=societe, siren=ACHETEUR, raison_sociale="Autre nom")
    par_tva = ClientFactory(societe=societe, siren="", numero_tva="BE0403170701")
    par_nom = ClientFactory(societe=societe, siren="", raison_sociale="Café des Arts")
    prise(societe, cii("F-1"))
    prise(societe, cii("F-2", acheteur="Inconnu", acheteur_siren="", acheteur_tva="BE 0403.170.701", pays="BE"))
    prise(societe, cii("F-3", acheteur="CAFE DES ARTS", acheteur_siren=""))
    assert dict(Facture.objects.values_list("numero", "client")) == {
        "F-1": par_siren.pk, "F-2": par_tva.pk, "F-3": par_nom.pk,
    }  # fmt: skip


def test_un_client_absent_recoit_une_fiche_complete(societe):
    prise(societe, cii())
    fiche = Client.objects.get()
    assert (fiche.code, fiche.siren, fiche.raison_sociale) == (ACHETEUR, ACHETEUR, "Garage Le Bihan")
    assert (fiche.type, fiche.ville, fiche.code_postal, fiche.pays) == ("entreprise", "Nantes", "44000", "FR")


def test_un_siren_a_cle_fausse_ne_fait_pas_une_fiche_fausse(societe):
    rendu = prise(societe, cii(acheteur_siren="987654321"))
    fiche = Client.objects.get()
    assert (fiche.code, fiche.siren) == ("987654321", "") and dit(rendu, "clé fausse")
    prise(societe, cii("F-101", acheteur_siren="987654321"))
    assert Client.objects.count() == 1


def test_deux_comptes_du_meme_siren_demandent_un_choix_et_la_correction_tranche(societe):
    un, deux = (ClientFactory(societe=societe, siren=ACHETEUR) for _ in range(2))
    rendu = prendre(societe, cii(iban="FR7612345678901234567890123"))
    assert dit(rendu, "fraude possible"), "l'alerte n'attend pas le choix"
    assert not rendu.ecrit and "plusieurs comptes ont ce SIREN" in rendu.rejets[0].motif
    assert rendu.faits["clients_a_choisir"] == {ACHETEUR: [un.code, deux.code]}
    prise(societe, cii(), corrections={"clients": {ACHETEUR: deux.code}})
    assert Facture.objects.get().client == deux


def test_deux_etablissements_se_departagent_par_le_siret(societe):
    ClientFactory(societe=societe, siren=ACHETEUR, siret="44306184100047")
    sien = ClientFactory(societe=societe, siren=ACHETEUR, siret="44306184100013")
    prise(societe, cii(acheteur_siret="44306184100013"))
    assert Facture.objects.get().client == sien
