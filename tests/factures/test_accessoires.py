"""Accessoires payés : un règlement les éteint au décompte, à son jour, sans toucher au compte de l'échéance."""

from datetime import date
from decimal import Decimal

import pytest
from django.core.exceptions import ValidationError

from clients.models import Client
from factures import balance
from factures.models import AffectationAccessoires, Echeance, Imputation
from factures.services import accessoires_dus, desimputer, imputer, imputer_avoir
from recouvrement.commun.horloge import aujourd_hui
from recouvrement.journal.models import Maillon
from recouvrement.pilotage.verification import tout_verifier
from relances.services import decomptes
from tests.clients.factories import ClientFactory
from tests.comptes.factories import UtilisateurFactory

from .factories import AvoirFactory, EcheanceFactory, EncaissementFactory, FactureFactory

pytestmark = pytest.mark.django_db
D = Decimal
LE_21 = date(2026, 10, 21)
DU = D("46.79")  # 1 000,00 × 12,40 % × 20 / 365, et 40 €


def sans_demeure(_echeances):
    return {}


@pytest.fixture
def e():
    return EcheanceFactory(date_facture=date(2026, 9, 1), echue_le=date(2026, 10, 1), montant=1000)


def compte(e, au):
    (d,) = decomptes.etablir(e.client, au=au, factures=[e.facture_id])
    return d


def verser(e, principal, accessoires, recu_le=LE_21, *, cle="c1", au=None, acteur=None):
    recu = EncaissementFactory(client=e.client, montant=principal + accessoires, date=recu_le)
    imputer(
        recu, [(e, D(principal))], au=au or recu_le, cle=cle, acteur=acteur, accessoires=[(e.facture_id, accessoires)]
    )
    recu.refresh_from_db()
    return recu


def test_qui_paie_exactement_la_lettre_ne_doit_plus_rien(e):
    """46,79 s'imputent aux intérêts puis aux 40 € ; le règlement n'est plus un crédit, l'échéance est soldée."""
    assert compte(e, LE_21).total == D("1046.79")
    recu = verser(e, 1000, DU, acteur=UtilisateurFactory(societe=e.societe))
    d = compte(e, date(2026, 12, 31))
    assert (d.principal, d.interets, d.indemnites, d.total, d.reste_a_affecter) == (0, 0, 0, 0, 0)
    assert (d.nombre_indemnites, d.interets_courus) == (0, D("6.79"))
    (ligne,) = d.lignes
    assert [(p.sur_interets, p.sur_indemnite) for p in ligne.calcul.paiements if p.accessoires] == [(D("6.79"), 40)]
    e.refresh_from_db()
    assert (recu.impute, recu.non_affecte, e.impute) == (recu.montant, 0, 1000)
    document = decomptes.document(d, le=d.au)
    assert (document.totaux.a_payer, document.totaux.principal, document.totaux.penalites) == (0, 0, 0)
    detail = Maillon.objects.get(action="encaissement.impute").detail
    assert f"{e.facture}, accessoires" in detail.texte and "46.79" in str(detail.donnees["accessoires"])
    assert all(c.ok for c in tout_verifier()), [c for c in tout_verifier() if not c.ok]


def test_verses_apres_le_principal_ils_eteignent_ce_que_les_interets_en_avaient_laisse(e):
    """Les 1 000 € ont d'abord payé 6,79 d'intérêts (C. civ., art. 1343-1) : 6,79 de principal courent encore."""
    verser(e, 1000, D(0))
    novembre = date(2026, 11, 21)
    avant = compte(e, novembre)
    assert (avant.principal, avant.interets, avant.indemnites) == (D("6.79"), D("0.07"), 40)
    recu = EncaissementFactory(client=e.client, montant=avant.total, date=novembre)
    (du,) = accessoires_dus(recu, mises_en_demeure=sans_demeure)
    assert du.montant == avant.total == D("46.86")
    imputer(recu, [], au=novembre, cle="c2", acteur=None, accessoires=[(e.facture_id, du.montant)])
    d = compte(e, novembre)
    assert (d.principal, d.interets, d.indemnites) == (0, 0, 0)


def test_verses_en_partie_les_interets_passent_avant_les_40_euros(e):
    verser(e, 400, D("20.00"))
    d = compte(e, LE_21)
    assert (d.principal, d.interets, d.indemnites) == (600, 0, D("26.79"))
    document = decomptes.document(d, le=LE_21)
    assert document.totaux.a_payer == d.total == D("626.79")


def test_les_interets_de_toutes_les_echeances_puis_l_indemnite():
    facture = FactureFactory(client=ClientFactory(), montant_ttc=2000, date_emission=date(2026, 8, 1))
    e1, e2 = (EcheanceFactory(facture=facture, echue_le=date(2026, 10, 1), montant=1000) for _ in range(2))
    recu = EncaissementFactory(client=facture.client, montant=13, date=LE_21)
    imputer(recu, [], au=LE_21, cle="c", acteur=None, accessoires=[(facture.pk, D(13))])
    d = compte(e1, LE_21)
    assert (d.interets, d.indemnites) == (D("0.58"), 40)
    (lettre,) = decomptes.etablir(facture.client, au=LE_21, factures=[facture.pk])
    assert lettre.interets == D("0.58") and e2.facture_id == facture.pk


@pytest.mark.parametrize("trop", ["46.80", "100.00"])
def test_jamais_au_dela_de_ce_qui_est_du(e, trop):
    recu = EncaissementFactory(client=e.client, montant=2000, date=LE_21)
    with pytest.raises(ValidationError, match="autant d'accessoires"):
        imputer(recu, [], au=LE_21, cle="c", acteur=None, accessoires=[(e.facture_id, D(trop))])
    assert not AffectationAccessoires.objects.exists()
    recu.refresh_from_db()
    assert recu.impute == 0


def test_ni_la_facture_d_un_autre_ni_plus_que_le_reglement(e):
    recu = EncaissementFactory(client=e.client, montant=10, date=LE_21)
    autre = EcheanceFactory(client=ClientFactory(societe=e.societe), echue_le=date(2026, 8, 1))
    for facture, montant in ((autre.facture_id, D(5)), (e.facture_id, D(11))):
        with pytest.raises(ValidationError):
            imputer(recu, [], au=LE_21, cle="c", acteur=None, accessoires=[(facture, montant)])


def test_rejouee_l_affectation_ne_double_pas_et_se_defait(e):
    acteur = UtilisateurFactory(societe=e.societe)
    recu = verser(e, 1000, DU, acteur=acteur)
    imputer(recu, [(e, D(1000))], au=LE_21, cle="c1", acteur=acteur, accessoires=[(e.facture_id, DU)])
    assert (Imputation.objects.count(), AffectationAccessoires.objects.count()) == (1, 1)
    assert desimputer(recu, au=LE_21, cle="c1", acteur=acteur) == D("1046.79")
    assert desimputer(recu, au=LE_21, cle="c1", acteur=acteur) == 0
    recu.refresh_from_db()
    assert (recu.impute, AffectationAccessoires.objects.exists()) == (0, False)
    assert compte(e, LE_21).total == D("1046.79")


def test_un_avoir_emis_ensuite_signale_ce_qui_n_etait_plus_du(e):
    """L'avoir réduit le principal dès l'origine : les intérêts versés en trop se voient."""
    verser(e, 400, DU)
    avoir = AvoirFactory(client=e.client, montant=600, date_emission=date(2026, 11, 2))
    imputer_avoir(avoir, [(e, D(600))], au=date(2026, 11, 2), cle="av", acteur=None)
    d = compte(e, date(2026, 11, 3))
    assert [a.code for _e, a in d.avertissements] == ["accessoires_en_trop"]
    assert d.total == 0


def test_la_balance_a_toute_date_compte_les_accessoires_a_leur_jour(e):
    """Reçus le 21, affectés le 25 : crédit à imputer jusqu'au 24, plus rien ensuite ; le contrôle tombe juste."""
    verser(e, 1000, DU, au=date(2026, 10, 25))
    tous = Client.objects.all()
    for jour, credit in ((date(2026, 10, 20), 0), (date(2026, 10, 24), D("-1046.79")), (date(2026, 10, 25), 0)):
        lignes = balance.balance_agee(tous, au=jour)
        assert sum(x.a_imputer for x in lignes) == credit, jour
        assert sum(x.encours for x in lignes) == sum(c.solde for c in balance.controler(tous, au=jour).values()), jour
        encaissements, _avoirs = balance.credits_ouverts(tous, au=jour)
        assert sum(x.reste_au for x in encaissements) == -credit


def test_en_dollars_les_40_euros_ne_s_eteignent_pas():
    """Exigence 6 : jamais deux devises ensemble."""
    e = EcheanceFactory(date_facture=date(2026, 9, 1), echue_le=date(2026, 10, 1), montant=1000, devise="USD")
    recu = EncaissementFactory(client=e.client, montant=DU, date=LE_21, devise="USD")
    (du,) = accessoires_dus(recu, mises_en_demeure=sans_demeure)
    assert du.montant == D("6.79")
    with pytest.raises(ValidationError):
        imputer(recu, [], au=LE_21, cle="c", acteur=None, accessoires=[(e.facture_id, DU)])


def test_l_ecran_propose_ce_qui_depasse_le_principal_le_pose_et_le_defait(client):
    """1 046,79 reçus : 1 000 au principal, 46,79 aux accessoires, en un geste qui se défait."""
    claire = UtilisateurFactory()
    client.force_login(claire)
    debiteur = ClientFactory(societe=claire.affectations.get().societe, gestionnaire=claire)
    jour = aujourd_hui()
    e = EcheanceFactory(client=debiteur, montant=1000, echue_le=date.fromordinal(jour.toordinal() - 20))
    du = compte(e, jour).total - 1000
    recu = EncaissementFactory(client=debiteur, montant=1000 + du, date=jour)
    page = client.get("/encaissements/", {"v": f"encaissement-{recu.pk}"}).content.decode()
    assert f'name="a{e.facture_id}" id="id_a{e.facture_id}" value="{str(du).replace(".", ",")}"' in page
    saisie = {"cle": "abc", "vu": "0.00", f"e{e.pk}": "1000,00", f"a{e.facture_id}": str(du).replace(".", ",")}
    client.post(f"/encaissements/encaissement/{recu.pk}/affecter/", saisie)
    recu.refresh_from_db()
    assert recu.non_affecte == 0 and compte(e, jour).total == 0
    page = client.get("/encaissements/", {"v": f"encaissement-{recu.pk}", "f": "affectes"}).content.decode()
    assert "accessoires" in page
    client.post(f"/encaissements/encaissement/{recu.pk}/affectations/abc/defaire/")
    recu.refresh_from_db()
    assert recu.impute == 0 and not Echeance.objects.get(pk=e.pk).impute


def test_l_ecran_refuse_plus_que_les_accessoires_dus(client):
    claire = UtilisateurFactory()
    client.force_login(claire)
    debiteur = ClientFactory(societe=claire.affectations.get().societe, gestionnaire=claire)
    jour = aujourd_hui()
    e = EcheanceFactory(client=debiteur, montant=1000, echue_le=date.fromordinal(jour.toordinal() - 20))
    recu = EncaissementFactory(client=debiteur, montant=1500, date=jour)
    saisie = {"cle": "abc", "vu": "0.00", f"e{e.pk}": "1000,00", f"a{e.facture_id}": "400,00"}
    reponse = client.post(f"/encaissements/encaissement/{recu.pk}/affecter/", saisie)
    assert reponse.status_code == 422 and "n’en est dû que" in reponse.content.decode().replace("&#x27;", "’")
