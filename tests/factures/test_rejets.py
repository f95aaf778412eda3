"""Un paiement revenu impayé n'a jamais éteint la dette : pièces rouvertes, personne prévenue, aucune balance."""

from datetime import date, timedelta
from decimal import Decimal

import pytest
from django.core.exceptions import ValidationError
from django.utils import timezone

from clients.models import Client
from factures import decompte
from factures.balance import balance_agee, controler, credits_ouverts
from factures.models import Avoir, Encaissement, Imputation, Litige, Promesse
from factures.services import bareme, imputer
from factures.services.rapprochement import suggerer
from factures.services.rapprochement_certains import accepter_suggestion
from factures.services.rapprochement_gestes import Affectation, accepter, defaire
from factures.services.rejets import rejeter_encaissement
from recouvrement.journal.models import Maillon
from recouvrement.pilotage.verification import tout_verifier
from relances.models import Tache
from tests.clients.factories import ClientFactory
from tests.comptes.factories import SocieteFactory, UtilisateurFactory

from .banque_essai import MouvementFactory
from .factories import EcheanceFactory, EncaissementFactory, ImputationFactory, LitigeFactory, PromesseFactory

pytestmark = pytest.mark.django_db
AU = date(2026, 11, 20)
PAYE, REJETE = date(2026, 11, 2), date(2026, 11, 12)
D = Decimal


@pytest.fixture
def mercier():
    return ClientFactory(societe=SocieteFactory(), raison_sociale="Mercier Lagarde SARL")


@pytest.fixture
def acteur(mercier):
    return UtilisateurFactory(societe=mercier.societe)


def preleve(client, montant=1000, **champs):
    """(échéance soldée par un prélèvement, ce prélèvement)."""
    e = EcheanceFactory(client=client, montant=montant, echue_le=date(2026, 10, 31))
    base = {"mode": "prelevement", "reference": "E2E-0042"}
    encaissement = EncaissementFactory(client=client, montant=montant, date=PAYE, **base | champs)
    ImputationFactory(echeance=e, encaissement=encaissement, montant=montant, date=PAYE)
    return e, encaissement


def debit(client, montant=-1000, **champs):
    base = {"nature": "rejet", "date": REJETE, "libelle": "REJET PRLV MERCIER LAGARDE", "motif_rejet": "Provision"}
    return MouvementFactory(societe=client.societe, montant=montant, **base | champs)


def relu(objet):
    objet.refresh_from_db()
    return objet


def tout_est_juste():
    assert [c for c in tout_verifier() if not c.ok] == []


def test_le_rejet_retrouve_son_paiement_et_l_accepter_rouvre_tout(mercier, acteur):
    e, paye = preleve(mercier)
    litige = LitigeFactory(echeance=e, montant_conteste=100, clos_le=PAYE, issue=Litige.SOLDEE)
    promesse = PromesseFactory(
        echeances=[e], date_promise=PAYE, montant=1000, statut=Promesse.Statut.TENUE, conclue_le=PAYE
    )
    Promesse.objects.filter(pk=promesse.pk).update(du_a_la_promesse=1000)
    m = debit(mercier, reference="E2E-0042")
    suggerer(mercier.societe)
    s = m.suggestions.get(rang=1)
    assert s.parts == {"rejet": paye.pk} and s.confiance >= 90
    for _ in range(2):
        accepter_suggestion(s, au=AU, acteur=acteur)
    assert (relu(paye).rejete_le, paye.rejet_motif, paye.impute) == (REJETE, "Provision", 1000)
    assert relu(e).reste_du == 1000 and e.soldee_le is None and e.prelevement_rejete and not e.prelevement
    assert relu(litige).clos_le is None and relu(promesse).statut == Promesse.Statut.ROMPUE
    assert (relu(m).statut, m.rejet_de) == ("rapproche", paye)
    tache = Tache.objects.get()
    assert tache.client == mercier and "rejeté" in tache.titre and tache.due_le == AU
    assert Maillon.objects.filter(action="encaissement.rejete").count() == 1
    tout_est_juste()


def test_un_paiement_rejete_n_est_dans_aucune_balance_a_aucune_date(mercier, acteur):
    e, paye = preleve(mercier)
    ensemble = Client.objects.filter(pk=mercier.pk)
    assert balance_agee(ensemble, au=date(2026, 11, 5)) == []
    rejeter_encaissement(paye, motif="Provision", le=REJETE, au=AU, acteur=acteur)
    for jour in (PAYE - timedelta(1), PAYE, PAYE + timedelta(1), REJETE, AU):
        (ligne,) = balance_agee(ensemble, au=jour)
        assert (ligne.encours, ligne.a_imputer) == (1000, 0)
        assert controler(ensemble, au=jour)["EUR"].solde == 1000
        assert not credits_ouverts(ensemble, au=jour)[0].exists()
    assert not decompte.credits_au(mercier, "EUR", au=AU)
    mercier.taux_penalites = D(12)
    mercier.type = "entreprise"
    mercier.save()
    (lu,) = decompte.etablir(mercier, au=AU, bareme=bareme(), echeances=[relu(e)])
    (ligne,) = lu.lignes
    assert ligne.reste == 1000 and ligne.calcul.segments[-1].principal == 1000
    assert ligne.calcul.segments[0].du == date(2026, 11, 1)  # les intérêts courent comme si rien n'avait été payé


def test_ce_que_le_rapprochement_avait_pose_tombe_avec_le_paiement(mercier, acteur):
    e = EcheanceFactory(client=mercier, montant=1000, echue_le=date(2026, 10, 31))
    m = MouvementFactory(societe=mercier.societe, montant="999.97", date=PAYE, nature="cheque")
    part = Affectation(mercier, D("999.97"), {e.pk: D(1000)}, ecart=D("0.03"), nature_ecart="ecart")
    (paye,) = accepter(m, [part], au=PAYE, acteur=acteur)
    assert paye.mode == "cheque" and relu(e).soldee_le
    rejeter_encaissement(paye, motif="Chèque sans provision", le=REJETE, au=AU, acteur=acteur)
    assert relu(e).reste_du == 1000 and not Avoir.objects.exists() and not Imputation.objects.exists()
    with pytest.raises(ValidationError, match="rejeté"):
        defaire(m, au=AU, acteur=acteur)
    tout_est_juste()


def test_les_frais_de_la_banque_se_disent_et_ne_se_reclament_pas(mercier, acteur):
    _e, paye = preleve(mercier)
    m = debit(mercier, -1012, libelle="IMPAYE E2E-0042 FRAIS INCLUS")
    suggerer(mercier.societe)
    s = m.suggestions.get()
    assert {r["code"] for r in s.raisons} >= {"rejet_frais", "rejet_reference"}
    accepter_suggestion(s, au=AU, acteur=acteur)
    assert "12,00" in Tache.objects.get().raison.replace("\xa0", " ")
    assert relu(paye).impute == 1000


def test_on_ne_reprend_ni_trop_vieux_ni_un_autre_montant_ni_deux_fois(mercier, acteur):
    _e, paye = preleve(mercier)
    vieux = debit(mercier, date=PAYE + timedelta(days=397))
    autre = debit(mercier, -1500)
    suggerer(mercier.societe)
    assert not vieux.suggestions.exists() and not autre.suggestions.exists()
    with pytest.raises(ValidationError):
        rejeter_encaissement(paye, motif="x", le=REJETE, au=AU, acteur=acteur, mouvement=autre)
    with pytest.raises(ValidationError):
        rejeter_encaissement(paye, motif="x", le=PAYE - timedelta(1), au=AU, acteur=acteur)
    with pytest.raises(ValidationError):
        rejeter_encaissement(paye, motif="  ", le=REJETE, au=AU, acteur=acteur)
    assert rejeter_encaissement(paye, motif="Provision", le=REJETE, au=AU, acteur=acteur)
    assert not rejeter_encaissement(paye, motif="Provision", le=REJETE, au=AU, acteur=acteur)


def test_rejete_un_paiement_ne_s_affecte_plus(mercier, acteur):
    e, paye = preleve(mercier)
    rejeter_encaissement(paye, motif="Provision", le=REJETE, au=AU, acteur=acteur)
    with pytest.raises(ValidationError):
        imputer(paye, [(relu(e), D(10))], au=AU, cle="k", acteur=acteur)


def test_un_rejet_reconnu_a_tort_se_defait_et_le_paiement_redevient_disponible(mercier, acteur):
    _e, paye = preleve(mercier)
    m = debit(mercier)
    rejeter_encaissement(paye, motif="Provision", le=REJETE, au=AU, acteur=acteur, mouvement=m)
    assert defaire(m, au=AU, acteur=acteur)
    assert (relu(paye).rejete_le, paye.non_affecte) == (None, 1000) and relu(m).statut == "a_rapprocher"
    tout_est_juste()


def test_le_rejet_d_un_paiement_importe_survit_au_rejeu_de_l_import(mercier, acteur):
    """Exigence 3 : réimporter le même règlement ne le ressuscite pas."""
    from factures.imports.appliquer import importer

    moment = timezone.now()
    factures = b"numero;code_client;date_facture;date_echeance;montant_ttc\nF1;%s;2026-10-01;2026-10-31;500,00\n"
    reglements = b"reference;code_client;date;montant;mode;facture\nR1;%s;2026-11-02;500,00;PRELEVEMENT;F1\n"
    for texte in (factures, reglements):
        rendu = importer(texte % mercier.code.encode(), mercier.societe, moment=moment, au=AU, nom="x.csv")
        assert rendu.accepte, (rendu.refus, rendu.rejets)
    paye = Encaissement.objects.get()
    assert paye.impute == 500
    rejeter_encaissement(paye, motif="Provision", le=REJETE, au=AU, acteur=acteur)
    importer(reglements % mercier.code.encode(), mercier.societe, moment=moment, au=AU, nom="x.csv")
    assert relu(paye).rejete_le == REJETE and not Imputation.objects.exists()
    assert mercier.echeances.get().reste_du == 500
    tout_est_juste()
