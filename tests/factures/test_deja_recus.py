"""Le même paiement, venu par la banque, un CSV et un FEC, dans tous les ordres : un seul crédit, ou dit."""

from datetime import date
from decimal import Decimal
from itertools import permutations

import pytest

from clients.models import Client
from factures.balance import balance_agee
from factures.models import Echeance, Encaissement, Lot, MouvementBancaire
from factures.services import annulation
from factures.services.rapprochement import suggerer
from factures.services.rapprochement_certains import accepter_suggestion
from factures.services.rapprochement_gestes import defaire
from factures.services.rejets import rejeter_encaissement
from relances.models import Tache
from tests.clients.factories import ClientFactory
from tests.comptes.factories import SocieteFactory, UtilisateurFactory
from tests.factures.banque_essai import MouvementFactory
from tests.factures.fec_essai import Fec
from tests.factures.imports_essai import AU, ENCAISSEMENTS, MOMENT, defauts_de_soldes, prendre, prendre_fec, restes

pytestmark = pytest.mark.django_db
D = Decimal
RECU, REJETE = date(2025, 2, 10), date(2025, 2, 20)
CSV = ENCAISSEMENTS + "R1;C1;2025-02-10;100,00;VIREMENT;F1\n"


@pytest.fixture
def societe():
    return SocieteFactory(code="alpha", incomplete=True)


@pytest.fixture
def acteur(societe):
    return UtilisateurFactory(societe=societe)


@pytest.fixture
def c1(societe):
    return ClientFactory(societe=societe, code="C1", raison_sociale="Client C1")


def paye(lettre="A") -> Fec:
    return Fec().vente("C1", "F1", "100", lettre).reglement("C1", "100", lettre)


def repris(fec: Fec, lettre="") -> Fec:
    """Le rejet, tel qu'une comptabilité l'écrit : un débit du compte client au journal de banque."""
    lignes = [("411000", "C1", "REJ", "100", lettre, "20250220"), ("512000", "", "REJ", "-100", "")]
    return fec.ecriture(lignes, journal="BQ", libelle="Banque", quand="20250220")


def rapprocher(societe, acteur, **champs) -> MouvementBancaire:
    m = MouvementFactory(societe=societe, montant=100, **{"date": RECU, "libelle": "VIR CLIENT C1 F1"} | champs)
    suggerer(societe)
    if s := m.suggestions.first():
        accepter_suggestion(s, au=RECU, acteur=acteur)
    return m


def encours(societe) -> Decimal:
    lignes = balance_agee(Client.objects.filter(societe=societe), au=AU)
    return sum((x.encours for x in lignes), D(0))


@pytest.mark.parametrize("lettre", ["A", ""])
@pytest.mark.parametrize("ordre", ["".join(p) for p in permutations("CFB")])
def test_le_meme_paiement_par_trois_voies_ne_compte_qu_une_fois_ou_se_dit(societe, c1, acteur, ordre, lettre):
    prendre_fec(societe, Fec().vente("C1", "F1", "100"))
    dits = []
    for voie in ordre:
        if voie == "B":
            rapprocher(societe, acteur)
            continue
        rendu = prendre(societe, CSV) if voie == "C" else prendre_fec(societe, paye(lettre))
        assert rendu.accepte, (rendu.refus, rendu.rejets)
        dits += rendu.avertissements
        assert defauts_de_soldes() == []
    doubles = Encaissement.objects.count() - 1
    assert doubles <= 1 and encours(societe) == -100 * doubles
    assert doubles == sum("le même argent" in x for x in dits)


@pytest.mark.parametrize("voie", ["C", "F"])
def test_ce_que_la_banque_a_deja_apporte_prend_la_cle_du_fichier_et_la_rend(societe, c1, acteur, voie):
    prendre_fec(societe, Fec().vente("C1", "F1", "100"))
    m = rapprocher(societe, acteur)
    avant = Encaissement.objects.values("pk", "cle_source", "date", "impute").get()
    for _ in range(2):
        rendu = prendre(societe, CSV) if voie == "C" else prendre_fec(societe, paye())
        assert rendu.accepte and rendu.crees["encaissements"] == 0
    e = Encaissement.objects.get()
    assert (e.pk, e.mouvement, e.impute) == (avant["pk"], m, 100) and not e.cle_source.startswith("BANQUE:")
    assert restes(societe) == {} and defauts_de_soldes() == []
    for lot in Lot.objects.order_by("-pk")[:2]:
        annulation.defaire(lot, acteur=acteur, moment=MOMENT, au=AU)
    assert Encaissement.objects.values("pk", "cle_source", "date", "impute").get() == avant
    assert restes(societe) == {} and defauts_de_soldes() == []


def test_deux_paiements_egaux_restent_deux(societe, c1, acteur):
    prendre_fec(societe, Fec().vente("C1", "F1", "100").vente("C1", "F2", "100"))
    rapprocher(societe, acteur)
    rendu = prendre_fec(societe, Fec().vente("C1", "F1", "100", "A").vente("C1", "F2", "100", "B")
                        .reglement("C1", "100", "A").reglement("C1", "100", "B", quand="20250211"))  # fmt: skip
    assert rendu.accepte and rendu.crees["encaissements"] == 1
    assert restes(societe) == {} and encours(societe) == 0 and defauts_de_soldes() == []


def test_un_virement_plus_recent_que_le_fichier_n_est_pas_le_sien(societe, c1, acteur):
    """FEC arrêté au 10 février, banque au 12 : même somme, deux paiements."""
    prendre_fec(societe, Fec().vente("C1", "F1", "100").vente("C1", "F2", "100"))
    rapprocher(societe, acteur, date=date(2025, 2, 12), libelle="VIR CLIENT C1 F2")
    rendu = prendre_fec(
        societe, Fec().vente("C1", "F1", "100", "A").vente("C1", "F2", "100").reglement("C1", "100", "A")
    )
    assert rendu.crees["encaissements"] == 1 and encours(societe) == 0
    assert any("le même argent" in x for x in rendu.avertissements)


# --- Rejets ----------------------------------------------------------------------------------------


def test_rejouer_le_fec_ne_ressuscite_pas_un_paiement_rejete(societe, acteur):
    prendre_fec(societe, paye())
    rejeter_encaissement(Encaissement.objects.get(), motif="Provision", le=REJETE, au=AU, acteur=acteur)
    for _ in range(2):
        rendu = prendre_fec(societe, paye())
        assert rendu.accepte and rendu.crees["imputations"] == 0
        assert any("lettre encore" in x for x in rendu.avertissements)
        assert restes(societe) == {"F1": 100} and encours(societe) == 100 and defauts_de_soldes() == []


@pytest.mark.parametrize("lettre", ["", "B"])
@pytest.mark.parametrize("banque_d_abord", [True, False])
def test_un_rejet_constate_en_banque_et_ecrit_au_fec_ne_compte_qu_une_fois(societe, acteur, lettre, banque_d_abord):
    """Lettré contre le paiement (la facture se rouvre) ou laissé seul (le débit est dû) : 100 € dans tous les cas."""
    fec = repris(Fec().vente("C1", "F1", "100").reglement("C1", "100", "B"), "B") if lettre else repris(paye())
    prendre_fec(societe, paye() if banque_d_abord else fec)
    m = MouvementFactory(societe=societe, montant=-100, date=REJETE, nature="rejet", libelle="REJET PRLV CLIENT C1")
    suggerer(societe)
    accepter_suggestion(m.suggestions.get(), au=AU, acteur=acteur)
    assert encours(societe) == 100 and defauts_de_soldes() == []
    m.refresh_from_db()
    assert m.statut == "rapproche" and Tache.objects.filter(genre="appel").count() == 1
    for _ in range(2):
        prendre_fec(societe, fec)
        assert encours(societe) == 100 and Encaissement.objects.get().rejete_le is None
        assert defauts_de_soldes() == []
    assert len(restes(societe)) == 1
    assert suggerer(societe) == 0
    assert defaire(m, au=AU, acteur=acteur)  # le constat se défait, la comptabilité garde le sien
    assert encours(societe) == 100 and defauts_de_soldes() == []


def test_rapproche_rejete_puis_ecrit_au_fec_reste_du(societe, c1, acteur):
    prendre_fec(societe, Fec().vente("C1", "F1", "100"))
    rapprocher(societe, acteur)
    rejeter_encaissement(Encaissement.objects.get(), motif="Provision", le=REJETE, au=AU, acteur=acteur)
    rendu = prendre_fec(societe, paye())
    assert rendu.crees["encaissements"] == 0 and restes(societe) == {"F1": 100} and encours(societe) == 100
    prendre_fec(societe, repris(paye()))
    assert encours(societe) == 100 and defauts_de_soldes() == []


def test_defaire_un_fec_ne_ressuscite_pas_un_paiement_rejete_depuis(societe, acteur):
    """Le second FEC délettre, la banque rejette, on défait le second : l'imputation d'avant ne revient pas."""
    prendre_fec(societe, paye())
    prendre_fec(societe, Fec().vente("C1", "F1", "100").reglement("C1", "100"))
    rejeter_encaissement(Encaissement.objects.get(), motif="Provision", le=REJETE, au=AU, acteur=acteur)
    annulation.defaire(Lot.objects.order_by("-pk").first(), acteur=acteur, moment=MOMENT, au=AU)
    assert Echeance.objects.get().reste_du == 100 and encours(societe) == 100 and defauts_de_soldes() == []
