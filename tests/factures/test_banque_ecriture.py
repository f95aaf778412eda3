"""Un relevé dans la base : comptes, enchaînement, rejeu, deux formats du même relevé, mauvais compte."""

from datetime import date
from decimal import Decimal

import pytest
from django.db import connection
from django.test.utils import CaptureQueriesContext

from factures.models import CompteBancaire, Lot, MouvementBancaire, ReleveBancaire, TraceDeLot
from tests.comptes.factories import SocieteFactory
from tests.factures.imports_essai import prendre, rejets
from tests.factures.releves_essai import BANQUE, COMPTE, GUICHET, IBAN, camt, cfonb, mt940, ntry, ofx, tx

pytestmark = pytest.mark.django_db
RIB = BANQUE + GUICHET + COMPTE
OPERATIONS = [("05", "50.00", "VIR SEPA ACME"), ("62", "-4.00", "COMMISSION")]


@pytest.fixture
def societe():
    return SocieteFactory(iban="")


def test_un_cfonb_fait_un_compte_un_releve_et_ses_mouvements(societe):
    rendu = prendre(societe, cfonb(OPERATIONS, details=[("NPY", "ACME SAS"), ("RCN", "F-12")]))
    assert (rendu.refus, rejets(rendu), rendu.format) == ("", [], "cfonb120")
    assert rendu.crees["encaissements"] == 1
    assert (rendu.crees["mouvements"], rendu.crees["releves"]) == (2, 1)
    compte = CompteBancaire.objects.get()
    assert compte.identifiant == RIB
    releve = ReleveBancaire.objects.get()
    assert (releve.solde_ouverture, releve.solde_cloture) == (Decimal("100.00"), Decimal("146.00"))
    assert (releve.au, releve.mouvements_lus, releve.constats) == (date(2026, 1, 31), 2, [])
    credit = MouvementBancaire.objects.get(montant__gt=0)
    assert (credit.nature, credit.contrepartie, credit.reference) == ("virement", "ACME SAS", "F-12")
    assert (credit.releve, credit.date_valeur, credit.code) == (releve, date(2026, 1, 6), "05")
    assert credit.lot == Lot.objects.get() and TraceDeLot.objects.filter(objet="factures.comptebancaire").count() == 1


def test_rejouer_ne_change_rien(societe):
    texte = camt([ntry(details=tx()), ntry("20.00", ref="REF2", details=tx())], cloture="170.00")
    prendre(societe, texte)
    avant = list(MouvementBancaire.objects.order_by("pk").values())
    rendu = prendre(societe, texte)
    assert (rendu.crees["mouvements"], rendu.crees["releves"], rendu.crees["encaissements"]) == (0, 0, 0)
    assert (rendu.inchanges["mouvements"], rendu.inchanges["releves"]) == (2, 1)
    assert list(MouvementBancaire.objects.order_by("pk").values()) == avant


def test_le_meme_releve_par_quatre_formats_ne_compte_qu_une_fois(societe):
    prendre(societe, cfonb([("05", "50.00", "VIR ACME")]))
    for texte in (
        camt([ntry(details=tx())], cloture="150.00"),
        ofx([("20260105", "50.00", "A1", "VIR ACME SAS")]),
        mt940([("2601060105CR50,00NTRFNONREF", "VIREMENT ACME")]),
    ):
        rendu = prendre(societe, texte)
        assert (rendu.refus, rendu.crees["mouvements"]) == ("", 0)
        assert "déjà connus par un fichier d'un autre format" in " ".join(rendu.avertissements)
    compte = CompteBancaire.objects.get()
    assert (compte.identifiant, compte.iban) == (RIB, IBAN)  # le CAMT a donné l'IBAN du compte né d'un CFONB
    assert MouvementBancaire.objects.count() == 1
    assert ReleveBancaire.objects.count() == 2  # l'OFX ne donne pas d'ouverture : rien ne prouve que c'est le même


def test_deux_operations_semblables_du_meme_jour_restent_deux(societe):
    deux = [("05", "50.00", "VIR ACME"), ("05", "50.00", "VIR ACME")]
    assert prendre(societe, cfonb(deux)).crees["mouvements"] == 2
    rendu = prendre(societe, ofx([("20260105", "50.00", f"A{i}", "VIR") for i in range(3)]))
    assert rendu.crees["mouvements"] == 1  # la troisième est nouvelle


def test_un_fitid_repete_ne_compte_qu_une_fois(societe):
    rendu = prendre(societe, ofx([("20260105", "50.00", "A1", "VIR"), ("20260105", "50.00", "A1", "VIR")]))
    assert rendu.crees["mouvements"] == 1
    assert rendu.faits["fitid_en_double"] == 1


def test_un_releve_ecrit_deux_fois_dans_le_fichier(societe):
    rendu = prendre(societe, cfonb(OPERATIONS) * 2)
    assert (rendu.crees["mouvements"], rendu.crees["releves"]) == (2, 1)


def test_les_releves_s_enchainent_et_un_trou_se_dit(societe):
    prendre(societe, cfonb(OPERATIONS))
    suite = prendre(societe, cfonb([("05", "10.00", "X")], ouverture="146.00", jour="310126", fin="280226"))
    assert not [a for a in suite.avertissements if "relevé" in a]
    trou = prendre(societe, cfonb([("05", "1.00", "Y")], ouverture="200.00", jour="310326", fin="300426"))
    assert "Il manque un relevé" in " ".join(trou.avertissements)
    constats = ReleveBancaire.objects.get(au=date(2026, 4, 30)).constats
    assert len(constats) == 1 and "156,00 €" in constats[0] and "200,00 €" in constats[0]
    comble = prendre(societe, cfonb([("05", "44.00", "Z")], ouverture="156.00", jour="280226", fin="310326"))
    assert comble.ecrit
    assert ReleveBancaire.objects.exclude(constats=[]).count() == 0  # le relevé manquant est arrivé : plus de trou


def test_un_recouvrement_se_dit_et_ne_double_rien(societe):
    prendre(societe, cfonb(OPERATIONS))
    rendu = prendre(societe, cfonb([*OPERATIONS, ("05", "7.00", "SUITE")], jour="150126", fin="280226"))
    assert rendu.crees["mouvements"] == 1
    assert "recouvre le précédent" in ReleveBancaire.objects.get(au=date(2026, 2, 28)).constats[0]


def test_un_cfonb_qui_ne_tombe_pas_est_refuse_ses_faits_restent(societe):
    rendu = prendre(societe, cfonb(OPERATIONS, cloture="999.00"))
    assert not rendu.ecrit and not MouvementBancaire.objects.exists() and not CompteBancaire.objects.exists()
    [(ligne, champ, motif)] = rejets(rendu)
    assert (ligne, champ) == (4, "solde") and "écart 853,00" in motif
    faits = rendu.en_json()["faits"]
    assert (faits["releves"], faits["operations"], faits["soldes"][0]["cloture"]) == (1, 2, "999.00")


def test_un_releve_fautif_n_emporte_pas_les_autres_en_partiel(societe):
    texte = cfonb(OPERATIONS) + cfonb(OPERATIONS, compte="99999999999", cloture="1.00")
    assert not prendre(societe, texte).ecrit
    rendu = prendre(societe, texte, partiel=True)
    assert rendu.ecrit and rendu.crees["mouvements"] == 2
    assert [c.identifiant[-11:] for c in CompteBancaire.objects.all()] == [COMPTE]


def test_un_camt_qui_ne_tombe_pas_entre_et_le_dit(societe):
    rendu = prendre(societe, camt([ntry(details=tx())], cloture="175.00"))
    assert rendu.ecrit and rendu.crees["encaissements"] == 1
    assert "écart 25,00" in " ".join(rendu.avertissements)
    assert "ne tombe pas" in ReleveBancaire.objects.get().constats[0]


def test_deux_comptes_deux_devises(societe):
    rendu = prendre(societe, mt940([("260105C50,00NTRFX", "A")]) + mt940(
        [("260105C5,00NTRFX", "B")], ouverture="C260102USD1,00", cloture="C260131USD6,00"
    ))  # fmt: skip
    assert rendu.crees["mouvements"] == 2
    assert sorted(CompteBancaire.objects.values_list("identifiant", "devise")) == [(IBAN, "EUR"), (IBAN, "USD")]


# --- Le bon compte ------------------------------------------------------------------------------


def test_un_compte_inconnu_avertit_fort_quand_la_societe_en_a_declare(societe):
    CompteBancaire.objects.create(societe=societe, identifiant="FR7600000000000000000000000")
    rendu = prendre(societe, cfonb(OPERATIONS))
    assert rendu.ecrit and rendu.avertissements[0].startswith("ATTENTION")
    assert rendu.faits["comptes_a_confirmer"] == [RIB]


def test_le_compte_de_la_societe_n_est_pas_un_inconnu(societe):
    societe.iban = IBAN
    societe.save()
    assert "comptes_a_confirmer" not in prendre(societe, cfonb(OPERATIONS)).faits


def test_a_l_ecran_un_compte_inconnu_attend_un_accord(societe):
    CompteBancaire.objects.create(societe=societe, identifiant="FR7600000000000000000000000")
    lot = Lot.objects.create(societe=societe, fichier="r.txt", statut=Lot.Statut.EN_COURS)
    rendu = prendre(societe, cfonb(OPERATIONS), lot=lot)
    assert not rendu.ecrit and rejets(rendu)[0][1] == "compte"
    lot = Lot.objects.create(
        societe=societe, fichier="r.txt", statut=Lot.Statut.EN_COURS, corrections={"comptes": {RIB: "accepte"}}
    )
    assert prendre(societe, cfonb(OPERATIONS), lot=lot).crees["mouvements"] == 2


def test_un_compte_desactive_refuse_son_releve(societe):
    CompteBancaire.objects.create(societe=societe, identifiant=IBAN, iban=IBAN, actif=False)
    rendu = prendre(societe, cfonb(OPERATIONS))
    assert not rendu.ecrit and "désactivé" in rejets(rendu)[0][2]


def test_la_societe_voisine_ne_partage_rien(societe):
    prendre(societe, cfonb(OPERATIONS))
    assert prendre(SocieteFactory(iban=""), cfonb(OPERATIONS)).crees["mouvements"] == 2


def test_l_apercu_n_ecrit_rien(societe):
    rendu = prendre(societe, cfonb(OPERATIONS), essai=True)
    assert rendu.crees["mouvements"] == 2
    assert not MouvementBancaire.objects.exists() and not CompteBancaire.objects.exists()


def test_le_nombre_de_requetes_ne_depend_pas_du_nombre_de_mouvements(societe):
    def requetes(n: int) -> int:
        voisine = SocieteFactory(iban="")
        with CaptureQueriesContext(
            connection,
        ) as prises:
            prendre(voisine, cfonb([("05", f"{i + 1}.00", f"VIR {i}") for i in range(n)]))
        return len(prises)

    assert requetes(1) == requetes(60)
