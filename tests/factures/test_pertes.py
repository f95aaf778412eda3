"""Passer en perte : proposé par l'un, décidé par un autre, défait tant que rien ne s'est bâti dessus."""

from datetime import date, timedelta
from decimal import Decimal

import pytest
from django.core.exceptions import ValidationError
from django.urls import reverse

from factures.models import Avoir, NatureAvoir, PropositionPerte
from factures.services import imputer, pertes
from factures.services.comptabilite import ecritures
from factures.services.douteux import passer
from recouvrement.comptes.models import Role
from recouvrement.journal.models import Maillon
from tests.clients.factories import ClientFactory
from tests.comptes.factories import SocieteFactory, UtilisateurFactory
from tests.factures.factories import EcheanceFactory, EncaissementFactory, LitigeFactory, PromesseFactory

pytestmark = pytest.mark.django_db
AU = date(2026, 11, 20)
S = PropositionPerte.Statut


@pytest.fixture
def societe():
    return SocieteFactory()


@pytest.fixture
def claire(societe):
    return UtilisateurFactory(societe=societe, nom="Claire Bonnet")


@pytest.fixture
def paul(societe):
    return UtilisateurFactory(societe=societe, role=Role.RESPONSABLE, nom="Paul Vidal")


@pytest.fixture
def piece(societe, claire):
    e = EcheanceFactory(
        client=ClientFactory(societe=societe, gestionnaire=claire), montant=1200, echue_le=date(2026, 3, 1)
    )
    type(e.facture).objects.update(montant_ht=Decimal(1000), montant_tva=Decimal(200))
    return e


def proposer(piece, acteur, **champs):
    base = {"montant": Decimal(1200), "motif": "Liquidation clôturée", "au": AU}
    return pertes.proposer(piece, acteur=acteur, **base | champs)


def accepter(perte, acteur, **champs):
    return pertes.accepter(perte, acteur=acteur, **{"tva": False, "au": AU} | champs)


def lignes(societe):
    return [(x.compte, x.debit - x.credit) for e in ecritures(societe, du=date(2026, 1, 1), au=AU) for x in e.lignes]


def test_proposee_puis_acceptee_la_somme_sort_du_compte_et_des_relances(societe, piece, claire, paul):
    LitigeFactory(echeance=piece, montant_conteste=100)
    perte = proposer(piece, claire)
    assert proposer(piece, claire) == perte  # double clic
    piece.refresh_from_db()
    assert piece.reste_du == 1200, "proposer ne change rien au compte"
    assert [accepter(perte, paul) for _ in range(2)] == [True, False]
    piece.refresh_from_db(), perte.refresh_from_db()
    assert (piece.reste_du, perte.statut, perte.decide_par) == (0, S.ACCEPTEE, paul)
    assert (perte.avoir.nature, perte.avoir.impute) == (NatureAvoir.PERTE, 1200)
    assert piece.litiges.get().clos_le == AU
    actions = Maillon.objects.values_list("action", flat=True)
    assert {"perte.proposee", "perte.acceptee", "avoir.impute"} <= set(actions)


def test_jamais_la_meme_personne(piece, paul):
    perte = proposer(piece, paul)
    for geste in (lambda: accepter(perte, paul), lambda: pertes.refuser(perte, raison="non", acteur=paul)):
        with pytest.raises(ValidationError, match="Une autre personne"):
            geste()
    assert not Avoir.objects.exists()


@pytest.mark.parametrize(
    ("champs", "mot"),
    [({"montant": Decimal("1200.01")}, "au plus"), ({"montant": Decimal(0)}, "positif"), ({"motif": " "}, "pourquoi")],
)
def test_une_proposition_impossible_se_refuse(piece, claire, champs, mot):
    with pytest.raises(ValidationError, match=mot):
        proposer(piece, claire, **champs)


def test_une_seule_proposition_attend_par_piece(piece, claire):
    proposer(piece, claire)
    with pytest.raises(ValidationError, match="attend déjà"):
        proposer(piece, claire, montant=Decimal(10))


def test_payee_depuis_la_perte_ne_passe_plus(piece, claire, paul):
    perte = proposer(piece, claire)
    recu = EncaissementFactory(client=piece.client, montant=1000, date=AU)
    imputer(recu, [(piece, Decimal(1000))], au=AU, cle="a", acteur=claire)
    with pytest.raises(ValidationError, match="au plus"):
        accepter(perte, paul)


def test_refusee_ou_retiree_rien_ne_bouge(piece, claire, paul):
    perte = proposer(piece, claire)
    with pytest.raises(ValidationError, match="refusée"):
        pertes.refuser(perte, raison=" ", acteur=paul)
    assert [pertes.refuser(perte, raison="encore solvable", acteur=paul) for _ in range(2)] == [True, False]
    autre = proposer(piece, claire)
    assert [pertes.retirer(autre, acteur=claire) for _ in range(2)] == [True, False]
    piece.refresh_from_db()
    assert (piece.reste_du, Avoir.objects.count()) == (1200, 0)


def test_defaite_la_somme_est_de_nouveau_due_et_la_proposition_a_decider(piece, claire, paul):
    perte = proposer(piece, claire)
    accepter(perte, paul)
    assert [pertes.defaire(perte, au=AU, acteur=paul) for _ in range(2)] == [True, False]
    piece.refresh_from_db(), perte.refresh_from_db()
    assert (piece.reste_du, perte.statut, perte.avoir, Avoir.objects.count()) == (1200, S.PROPOSEE, None, 0)
    assert accepter(perte, paul), "elle se décide de nouveau"


def test_batie_dessus_elle_ne_se_defait_plus(piece, claire, paul):
    perte = proposer(piece, claire, montant=Decimal(200))
    accepter(perte, paul)
    proposer(piece, claire, montant=Decimal(50))
    with pytest.raises(ValidationError, match="décidez-la"):
        pertes.defaire(perte, au=AU, acteur=paul)


def test_une_perte_ne_tient_pas_une_promesse(piece, claire, paul):
    from factures.services import evaluer_promesses

    promesse = PromesseFactory(echeances=[piece], date_promise=AU, faite_le=AU - timedelta(days=3))
    accepter(proposer(piece, claire), paul)
    evaluer_promesses(piece.societe, au=AU + timedelta(days=10))
    promesse.refresh_from_db()
    assert promesse.statut == "rompue"


def test_sans_l_article_272_toute_la_somme_est_en_654(societe, piece, claire, paul):
    accepter(proposer(piece, claire), paul)
    assert lignes(societe) == [("654000", Decimal(1200)), ("411000", Decimal(-1200))]


def test_la_tva_recuperee_va_en_44571_et_une_douteuse_solde_le_416(societe, piece, claire, paul):
    passer(piece.facture, le=date(2026, 6, 30), taux=Decimal(0), motif="Liquidation", au=AU, acteur=paul)
    accepter(proposer(piece, claire, montant=Decimal(600)), paul, tva=True)
    assert lignes(societe)[2:] == [("654000", Decimal(500)), ("445710", Decimal(100)), ("416000", Decimal(-600))]


# --- Écrans ---------------------------------------------------------------------------------------


@pytest.fixture
def ce_jour(time_machine):
    time_machine.move_to("2026-11-20 10:00 +0100", tick=False)


def test_de_la_fiche_a_la_decision_par_les_ecrans(client, ce_jour, piece, claire, paul):
    client.force_login(claire)
    saisie = {"echeance": piece.pk, "montant": "1200", "motif": "Poursuites vaines"}
    url = reverse("clients:geste", args=[piece.client_id, "perte"])
    assert client.post(url, saisie | {"montant": "5000"}).status_code == 422
    assert client.post(url, saisie).status_code == 303
    perte = PropositionPerte.objects.get()
    decider = reverse("factures:perte_decider", args=[perte.pk])
    assert client.post(decider, {"decision": "accepter"}).status_code == 403

    client.force_login(paul)
    assert "Poursuites vaines" in client.get(reverse("factures:pertes")).content.decode()
    page = client.get(reverse("factures:perte", args=[perte.pk])).content.decode()
    assert "Facture demeurée impayée" in page and "art. 272" in page
    refus = client.post(decider, {"decision": "refuser"})
    assert refus.status_code == 422 and "pourquoi la perte est refusée" in refus.content.decode()
    assert client.post(decider, {"decision": "accepter", "tva": "on"}).status_code == 303
    perte.refresh_from_db()
    assert (perte.statut, perte.tva_recuperee) == (S.ACCEPTEE, True)
    client.post(reverse("factures:perte_defaire", args=[perte.pk]))
    perte.refresh_from_db()
    assert perte.statut == S.PROPOSEE


def test_qui_a_propose_ne_decide_pas_meme_par_l_ecran(client, ce_jour, piece, paul):
    perte = proposer(piece, paul)
    client.force_login(paul)
    reponse = client.post(reverse("factures:perte_decider", args=[perte.pk]), {"decision": "accepter"})
    assert reponse.status_code == 422 and "Une autre personne" in reponse.content.decode()


def test_le_voisin_ne_trouve_pas_et_les_methodes_se_gardent(client, ce_jour, societe, piece, claire):
    perte = proposer(piece, claire)
    client.force_login(UtilisateurFactory(societe=societe))
    assert client.get(reverse("factures:perte", args=[perte.pk])).status_code == 404
    assert client.post(reverse("factures:perte_retirer", args=[perte.pk])).status_code == 404
    assert "Liquidation" not in client.get(reverse("factures:pertes")).content.decode()
    client.force_login(claire)
    for nom in ("decider", "retirer", "defaire"):
        assert client.get(reverse(f"factures:perte_{nom}", args=[perte.pk])).status_code in (403, 405)
    assert client.post(reverse("factures:pertes")).status_code == 405


def test_la_liste_coute_autant_pour_une_que_pour_vingt(
    client, ce_jour, societe, claire, paul, django_assert_num_queries
):
    from django.db import connection
    from django.test.utils import CaptureQueriesContext

    client.force_login(paul)
    couts = []
    for nombre in (1, 19):
        for _ in range(nombre):
            e = EcheanceFactory(client=ClientFactory(societe=societe), montant=50)
            proposer(e, claire, montant=Decimal(50))
        with CaptureQueriesContext(
            connection,
        ) as lues:
            assert client.get(reverse("factures:pertes")).status_code == 200
        couts.append(len(lues))
    assert couts[0] == couts[1]
