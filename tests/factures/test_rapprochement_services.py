"""Suggérer, accepter, lier, écarter, défaire : une fois, sous verrou, sans rien perdre ni doubler."""

from datetime import date, timedelta
from decimal import Decimal

import pytest
from django.core.exceptions import ValidationError
from django.db import connection
from django.test.utils import CaptureQueriesContext

from clients.models import IbanClient
from factures.models import (
    Avoir,
    Encaissement,
    Imputation,
    MouvementBancaire,
    ReglageRapprochement,
    RegleRapprochement,
)
from factures.services import rapprochement
from factures.services.rapprochement import apres_import, suggerer
from factures.services.rapprochement_certains import accepter_les_certains, accepter_suggestion, certains
from factures.services.rapprochement_gestes import Affectation, accepter, defaire, ignorer, lier
from recouvrement.journal.models import Maillon
from recouvrement.pilotage.verification import tout_verifier
from tests.clients.factories import ClientFactory
from tests.comptes.factories import SocieteFactory, UtilisateurFactory

from .banque_essai import MouvementFactory
from .factories import AvoirFactory, EcheanceFactory, EncaissementFactory

pytestmark = pytest.mark.django_db
AU = date(2026, 11, 20)
D = Decimal


@pytest.fixture
def societe():
    return SocieteFactory()


@pytest.fixture
def acteur(societe):
    return UtilisateurFactory(societe=societe)


@pytest.fixture
def mercier(societe):
    return ClientFactory(societe=societe, raison_sociale="Mercier Lagarde SARL")


def dette(client, montant=1000, retard=10, **champs):
    return EcheanceFactory(client=client, montant=montant, echue_le=AU - timedelta(days=retard), **champs)


def recu(client, montant=1000, **champs):
    return MouvementFactory(societe=client.societe, montant=montant, **champs)


def relu(objet):
    objet.refresh_from_db()
    return objet


def propositions(m):
    suggerer(m.societe)
    return list(relu(m).suggestions.all())


def tout_est_juste():
    defauts = [c for c in tout_verifier() if not c.ok]
    assert not defauts, defauts


# --- Suggérer --------------------------------------------------------------------------------------


def test_un_mouvement_recoit_ses_suggestions_sa_confiance_et_son_client_presume(mercier):
    e = dette(mercier)
    m = recu(mercier, libelle=f"VIR SEPA MERCIER LAGARDE {e.facture.numero}")
    (s, *_reste) = propositions(m)
    assert s.client == mercier and s.parts["echeances"] == {str(e.pk): 100_000}
    assert (m.client_presume, m.confiance) == (mercier, s.confiance) and s.confiance >= 98
    assert suggerer(m.societe) == 1 and m.suggestions.count() == len(_reste) + 1  # recalculées, jamais doublées


def test_une_facture_d_une_autre_societe_ne_se_propose_pas(mercier):
    e = dette(ClientFactory(societe=SocieteFactory()))
    assert propositions(recu(mercier, libelle=f"VIR {e.facture.numero}")) == []


def test_autant_de_requetes_pour_un_mouvement_que_pour_vingt(mercier):
    dette(mercier)
    recu(mercier, libelle="MERCIER LAGARDE")
    suggerer(mercier.societe)
    with CaptureQueriesContext(connection) as une:
        suggerer(mercier.societe)
    for _ in range(19):
        dette(mercier)
        recu(mercier, libelle="MERCIER LAGARDE")
    with CaptureQueriesContext(connection) as vingt:
        suggerer(mercier.societe)
    assert len(vingt) == len(une)


def test_une_regle_ecarte_et_une_autre_reconnait(mercier):
    dette(mercier, 700)
    RegleRapprochement.objects.create(societe=mercier.societe, nom="Salaires", contient="VIR SALAIRE", action="ignorer")
    RegleRapprochement.objects.create(
        societe=mercier.societe, nom="Holding", contient="MLG Finance", action="client", client=mercier
    )
    salaire, paye = recu(mercier, 700, libelle="VIR SALAIRE 11/26"), recu(mercier, 700, libelle="VIR MLG FINANCE")
    suggerer(mercier.societe)
    assert (relu(salaire).statut, salaire.motif, salaire.automatique) == ("ignore", "Salaires", True)
    assert relu(paye).client_presume == mercier


# --- Accepter --------------------------------------------------------------------------------------


def test_accepter_encaisse_impute_retient_l_iban_et_ne_se_fait_qu_une_fois(mercier, acteur):
    e = dette(mercier)
    m = recu(mercier, libelle=f"VIR {e.facture.numero}", contrepartie_iban="FR7630001007941234567890185")
    (s, *_) = propositions(m)
    for _ in range(2):
        accepter_suggestion(s, au=AU, acteur=acteur)
    encaissement = Encaissement.objects.get()
    assert encaissement.cle_source == f"BANQUE:{m.pk}:{mercier.pk}"
    assert (encaissement.mouvement, encaissement.date, encaissement.impute) == (m, m.date, 1000)
    assert relu(e).reste_du == 0 and Imputation.objects.count() == 1
    assert (relu(m).statut, m.reparti, m.traite_par, m.client_presume) == ("rapproche", 1000, acteur, None)
    assert IbanClient.objects.get().client == mercier
    assert Maillon.objects.filter(action="mouvement.rapproche").count() == 1
    tout_est_juste()


def test_un_autre_partage_du_meme_argent_est_refuse(mercier, acteur):
    e, autre = dette(mercier), dette(mercier)
    m = recu(mercier)
    accepter(m, [Affectation(mercier, D(1000), {e.pk: D(1000)})], au=AU, acteur=acteur)
    with pytest.raises(ValidationError, match="entre-temps"):
        accepter(m, [Affectation(mercier, D(1000), {autre.pk: D(1000)})], au=AU, acteur=acteur)
    with pytest.raises(ValidationError, match="entre-temps"):
        accepter(m, [Affectation(ClientFactory(societe=m.societe), D(1000))], au=AU, acteur=acteur)
    assert relu(autre).impute == 0


def test_avoirs_deduits_et_ecart_solde_la_piece(mercier, acteur):
    a, b, avoir = dette(mercier, 600), dette(mercier, 500), AvoirFactory(client=mercier, montant=100)
    m = recu(mercier, D("999.98"))
    accepter(
        m,
        [Affectation(mercier, m.montant, {a.pk: D(600), b.pk: D(500)}, {avoir.pk: D(100)}, D("0.02"), "ecart")],
        au=AU,
        acteur=acteur,
    )
    assert relu(a).soldee_le and relu(b).soldee_le and relu(avoir).impute == 100
    ecart = Avoir.objects.get(nature="ecart")
    assert (ecart.montant, ecart.impute, ecart.client) == (D("0.02"), D("0.02"), mercier)
    tout_est_juste()
    assert defaire(m, au=AU, acteur=acteur)
    assert (relu(a).impute, relu(b).impute, relu(avoir).impute) == (0, 0, 0)
    assert not Encaissement.objects.exists() and not Avoir.objects.filter(nature="ecart").exists()
    assert relu(m).statut == "a_rapprocher" and not defaire(m, au=AU, acteur=acteur)
    tout_est_juste()


def test_escompte_convenu_solde_la_facture(mercier, acteur):
    mercier.escompte_taux, mercier.escompte_jours = D(2), 60
    mercier.save()
    e = dette(mercier)
    m = recu(mercier, 980, libelle=f"VIR {e.facture.numero}")
    (s, *_) = propositions(m)
    assert s.parts["nature_ecart"] == "escompte"
    accepter_suggestion(s, au=AU, acteur=acteur)
    assert relu(e).soldee_le and Avoir.objects.get().nature == "escompte"
    tout_est_juste()


def test_un_mouvement_se_partage_entre_clients_et_une_part_peut_attendre(mercier, acteur):
    voisin = ClientFactory(societe=mercier.societe)
    a, b = dette(mercier, 600), dette(voisin, 300)
    m = recu(mercier, 1000)
    parts = [Affectation(mercier, D(600), {a.pk: D(600)}), Affectation(voisin, D(300), {b.pk: D(300)})]
    accepter(m, parts, au=AU, acteur=acteur)
    assert (relu(m).statut, m.reparti) == ("a_rapprocher", 900)
    accepter(m, [Affectation(ClientFactory(societe=m.societe), D(100))], au=AU, acteur=acteur)  # avance
    assert (relu(m).statut, m.reparti) == ("rapproche", 1000)
    assert sorted(Encaissement.objects.values_list("montant", "impute")) == [(100, 0), (300, 300), (600, 600)]
    tout_est_juste()


def test_trop_percu_et_tiers_payeur(mercier, acteur):
    e = dette(mercier, 900)
    m = recu(mercier, 1000, contrepartie_iban="FR76TIERS", contrepartie="HOLDING MLG")
    accepter(m, [Affectation(mercier, D(1000), {e.pk: D(900)}, payeur="Holding MLG")], au=AU, acteur=acteur)
    encaissement = Encaissement.objects.get()
    assert (encaissement.non_affecte, encaissement.payeur) == (100, "Holding MLG")
    assert IbanClient.objects.get().tiers


@pytest.mark.parametrize(
    "montant, part, ecart", [(1001, 1000, 0), (500, 600, 0), (1000, 1000, -1), (0, 0, 0), (1000, 1200, 0)]
)
def test_des_montants_impossibles_n_ecrivent_rien(mercier, acteur, montant, part, ecart):
    e = dette(mercier, 1100)
    m = recu(mercier)
    with pytest.raises(ValidationError):
        accepter(m, [Affectation(mercier, D(montant), {e.pk: D(part)}, ecart=D(ecart))], au=AU, acteur=acteur)
    assert not Encaissement.objects.exists() and relu(m).reparti == 0 and relu(e).impute == 0


def test_ni_devise_ni_client_d_ailleurs(mercier, acteur):
    m = recu(mercier)
    dollars = dette(mercier, devise="USD")
    ailleurs = ClientFactory(societe=SocieteFactory())
    with pytest.raises(ValidationError):
        accepter(m, [Affectation(mercier, D(1000), {dollars.pk: D(1000)})], au=AU, acteur=acteur)
    with pytest.raises(ValidationError):
        accepter(m, [Affectation(ailleurs, D(1000))], au=AU, acteur=acteur)
    assert not Encaissement.objects.exists()


def test_une_suggestion_que_le_paiement_d_un_autre_a_perimee_disparait(mercier, acteur):
    e = dette(mercier)
    a, b = (recu(mercier, libelle=f"VIR {e.facture.numero}") for _ in range(2))
    suggerer(mercier.societe)
    accepter_suggestion(a.suggestions.get(rang=1), au=AU, acteur=acteur)
    assert relu(b).confiance == 0 and not b.suggestions.filter(parts__echeances__has_key=str(e.pk)).exists()


# --- Déjà enregistré, écarté, défait ---------------------------------------------------------------


def test_un_encaissement_deja_importe_se_lie_sans_doublon(mercier, acteur):
    e = dette(mercier)
    deja = EncaissementFactory(client=mercier, montant=1000, date=date(2026, 11, 18))
    m = recu(mercier, libelle=f"VIR MERCIER LAGARDE {e.facture.numero}")
    (s, *_) = propositions(m)
    assert s.parts == {"deja": deja.pk} and m.client_presume is None  # il pèse déjà sur le compte
    accepter_suggestion(s, au=AU, acteur=acteur)
    assert Encaissement.objects.count() == 1 and relu(deja).mouvement == m and relu(m).statut == "rapproche"
    assert not lier(m, deja, acteur=acteur)
    assert defaire(m, au=AU, acteur=acteur) and relu(deja).mouvement is None


def test_un_reglement_constate_se_lie_a_son_virement_meme_vieux_d_un_mois(mercier):
    constat = {"client": mercier, "montant": 1000, "date": date(2026, 11, 18), "mode": "autre"}
    deja = EncaissementFactory(**constat, cle_source="POSTES:2026-11-18:100000:CSV:E:F1:")
    EncaissementFactory(**constat | {"montant": 500})
    m, autre = (recu(mercier, montant, date=date(2026, 10, 20)) for montant in (1000, 500))
    suggerer(mercier.societe)
    assert m.suggestions.get().parts == {"deja": deja.pk}
    assert not autre.suggestions.filter(parts__has_key="deja").exists()


def test_ecarter_demande_un_motif_et_se_defait(mercier, acteur):
    m = recu(mercier)
    with pytest.raises(ValidationError):
        ignorer(m, motif=" ", acteur=acteur)
    assert ignorer(m, motif="Prêt bancaire", acteur=acteur) and not ignorer(m, motif="x", acteur=acteur)
    assert defaire(m, au=AU, acteur=acteur) and relu(m).statut == "a_rapprocher"


def test_ce_qui_s_est_bati_dessus_empeche_de_defaire(mercier, acteur):
    from factures.services import imputer

    e = dette(mercier, 400)
    m = recu(mercier)
    (encaissement,) = accepter(m, [Affectation(mercier, D(1000))], au=AU, acteur=acteur)
    imputer(encaissement, [(e, D(400))], au=AU, cle="autre", acteur=acteur)
    with pytest.raises(ValidationError, match="autrement"):
        defaire(m, au=AU, acteur=acteur)


# --- Tout seul -------------------------------------------------------------------------------------


def test_rien_ne_se_rapproche_seul_sans_reglage_puis_ce_qui_est_certain(mercier):
    e = dette(mercier)
    m = recu(mercier, libelle=f"VIR {e.facture.numero}")
    devinette = recu(mercier, 123, libelle="MERCIER LAGARDE")
    apres_import(mercier.societe_id, None)
    assert relu(m).statut == "a_rapprocher"
    ReglageRapprochement.objects.create(societe=mercier.societe, automatique=True)
    apres_import(mercier.societe_id, None)
    assert (relu(m).statut, m.automatique, m.traite_par) == ("rapproche", True, None)
    assert relu(devinette).statut == "a_rapprocher" and relu(e).soldee_le


def test_deux_mouvements_pour_la_meme_facture_ne_sont_pas_certains_tous_les_deux(mercier, acteur):
    e = dette(mercier)
    for _ in range(2):
        recu(mercier, libelle=f"VIR {e.facture.numero}")
    suggerer(mercier.societe)
    assert len(certains(mercier.societe)) == 1
    faits, refus = accepter_les_certains(mercier.societe, au=AU, acteur=acteur)
    assert (faits, refus) == (1, []) and MouvementBancaire.objects.filter(statut="a_rapprocher").count() == 1


def test_les_reglages_par_defaut_ne_permettent_rien_seul(societe):
    defaut = rapprochement.reglage(societe)
    assert not defaut.automatique and defaut.seuil_automatique == 98 and defaut.ecart_tolere == D("0.05")
