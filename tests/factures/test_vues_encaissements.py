"""Saisir et affecter : proposer, poser une fois, défaire ; jamais hors de son portefeuille."""

import re
from datetime import timedelta
from decimal import Decimal

import pytest
from django.db import connection
from django.test.utils import CaptureQueriesContext
from django.urls import reverse

from factures.models import Encaissement, Imputation
from recouvrement.commun.horloge import aujourd_hui
from recouvrement.journal.models import Maillon
from tests.clients.factories import ClientFactory
from tests.comptes.factories import SocieteFactory, UtilisateurFactory

from .factories import AvoirFactory, EcheanceFactory, EncaissementFactory, ImputationFactory

pytestmark = pytest.mark.django_db
URL = "/encaissements/"


@pytest.fixture
def claire(client):
    user = UtilisateurFactory(nom="Claire Bonnet")
    client.force_login(user)
    return user


@pytest.fixture
def debiteur(claire):
    return ClientFactory(
        societe=claire.affectations.get().societe, gestionnaire=claire, code="C42", raison_sociale="Hydrauconcept"
    )


def dette(debiteur, montant=1000, retard=10, **champs):
    return EcheanceFactory(client=debiteur, montant=montant, echue_le=aujourd_hui() - timedelta(days=retard), **champs)


def recu(debiteur, montant=500, **champs):
    return EncaissementFactory(client=debiteur, montant=montant, **{"date": aujourd_hui()} | champs)


def lire(client, **params):
    reponse = client.get(URL, params)
    assert reponse.status_code == 200
    return reponse.content.decode().replace("\xa0", " ")


def cle_de(page):
    return re.search(r'name="cle" value="(\w+)"', page)[1]


def saisies(page):
    return dict(re.findall(r'name="(e\d+)" id="[^"]*" value="([^"]*)"', page))


def affecter(client, source, page="", **montants):
    url = reverse("factures:affecter", args=[source._meta.model_name, source.pk])
    return client.post(url, {"cle": cle_de(page) if page else "k", "vu": "0.00", **montants})


# --- File --------------------------------------------------------------------------------------------


def test_la_file_montre_ce_qui_reste_a_affecter_dans_son_portefeuille(client, claire, debiteur):
    dette(debiteur)
    a, b = recu(debiteur, 300, reference="VIR-A"), recu(debiteur, 200, reference="VIR-B")
    ImputationFactory(echeance=dette(debiteur, 200), encaissement=b, montant=200, date=aujourd_hui())
    recu(ClientFactory(societe=debiteur.societe), reference="AILLEURS")
    page = lire(client)
    assert "VIR-A" in page and "VIR-B" not in page and "AILLEURS" not in page
    assert "1 mouvement" in page and "300,00 € à affecter" in page
    tous = lire(client, f="tous")
    assert tous.index("VIR-A") < tous.index("VIR-B")  # non affectés d'abord
    assert "VIR-A" in lire(client, q="hydrau") and "VIR-A" not in lire(client, q="zzz")
    assert a.reference in lire(client, v=f"encaissement-{a.pk}")


def test_la_file_vide_le_dit(client, claire):
    assert "Tout est affecté" in lire(client)
    assert "introuvable" not in lire(client, v="encaissement-999999999")


@pytest.mark.parametrize("v", ["encaissement-999999999", "facture-1", "encaissement-", "avoir-9" + "9" * 30, "x"])
def test_un_mouvement_devine_n_ouvre_rien(client, claire, debiteur, v):
    recu(debiteur)
    assert "introuvable" in lire(client, v=v)


def test_autant_de_requetes_pour_un_mouvement_que_pour_vingt(client, claire, debiteur):
    dette(debiteur)
    v = f"encaissement-{recu(debiteur).pk}"
    lire(client, v=v)
    with CaptureQueriesContext(connection) as une:
        lire(client, v=v)
    for _ in range(19):
        recu(debiteur)
        dette(debiteur)
    with CaptureQueriesContext(connection) as vingt:
        lire(client, v=v)
    assert len(vingt) == len(une)


# --- Propositions ------------------------------------------------------------------------------------


def test_la_piece_citee_par_le_libelle_se_propose_avec_sa_raison(client, claire, debiteur):
    dette(debiteur, retard=90)
    citee = dette(debiteur, 500, retard=5)
    e = recu(debiteur, 500, libelle=f"VIR SEPA FACT {citee.facture.numero}")
    page = lire(client, v=f"encaissement-{e.pk}")
    assert saisies(page)[f"e{citee.pk}"] == "500,00"
    assert "Le libellé cite" in page and "au centime" in page


def test_a_defaut_d_indice_les_plus_anciennes_d_abord_et_on_peut_tout_garder(client, claire, debiteur):
    ancienne, recente = dette(debiteur, 300, retard=90), dette(debiteur, 800, retard=10)
    v = f"encaissement-{recu(debiteur, 500).pk}"
    page = lire(client, v=v)
    assert saisies(page) == {f"e{ancienne.pk}": "300,00", f"e{recente.pk}": "200,00"}
    assert "1342-10" in page
    assert set(saisies(lire(client, v=v, p="garder")).values()) == {""}


# --- Affecter ----------------------------------------------------------------------------------------


def test_affecter_pose_une_fois_meme_au_double_clic_et_se_defait(client, claire, debiteur):
    e, source = dette(debiteur, 500), recu(debiteur, 500)
    page = lire(client, v=f"encaissement-{source.pk}")
    for _ in range(2):
        reponse = affecter(client, source, page, **{f"e{e.pk}": "500,00"})
        assert reponse.status_code == 303
    e.refresh_from_db()
    assert (e.reste_du, Imputation.objects.count()) == (0, 1)
    fiche = lire(client, v=f"encaissement-{source.pk}", f="tous")
    (defaire,) = set(re.findall(r'action="(/encaissements/[^"]*/defaire/)"', fiche))
    assert client.post(defaire).status_code == 303
    e.refresh_from_db()
    assert e.reste_du == 500


def test_un_montant_impossible_revient_avec_sa_saisie_et_ses_erreurs(client, claire, debiteur):
    e, source = dette(debiteur, 300), recu(debiteur, 500)
    reponse = affecter(client, source, **{f"e{e.pk}": "301"})
    page = reponse.content.decode().replace("\xa0", " ")
    assert reponse.status_code == 422
    assert "Il n&#x27;y reste que 300,00 €" in page and 'value="301"' in page
    autre = dette(debiteur, 300)
    reponse = affecter(client, source, **{f"e{e.pk}": "300", f"e{autre.pk}": "201"})
    assert "il ne reste que 500,00" in reponse.content.decode().replace("\xa0", " ")
    assert affecter(client, source, **{f"e{e.pk}": "-1"}).status_code == 422
    assert affecter(client, source).status_code == 422  # rien à affecter
    assert not Imputation.objects.exists()


def test_un_second_onglet_perime_est_refuse(client, claire, debiteur):
    e, source = dette(debiteur, 1000), recu(debiteur, 500)
    affecter(client, source, **{f"e{e.pk}": "200"})
    url = reverse("factures:affecter", args=["encaissement", source.pk])
    reponse = client.post(url, {"cle": "autre", "vu": "0.00", f"e{e.pk}": "200"})
    assert reponse.status_code == 422 and "entre-temps" in reponse.content.decode()
    assert Imputation.objects.count() == 1


def test_l_ecart_se_lit_pendant_la_saisie_sans_rien_ecrire(client, claire, debiteur):
    e, source = dette(debiteur, 1000), recu(debiteur, 500)
    url = reverse("factures:ecart", args=["encaissement", source.pk])

    def ecart(montant):
        return client.get(url, {"cle": "k", "vu": "0.00", f"e{e.pk}": montant}).content.decode().replace("\xa0", " ")

    assert "restera 120,50" in ecart("379,50")
    assert "dépassé : −100,00" in ecart("600")
    assert "dépassé : −800,00" in ecart("1300")  # plus que la pièce : refusé, mais compté
    assert "restera 500,00" in ecart("abc")
    assert not Imputation.objects.exists()


def test_un_avoir_s_affecte_par_le_meme_ecran(client, claire, debiteur):
    e, avoir = dette(debiteur, 1000), AvoirFactory(client=debiteur, montant=200)
    assert avoir.numero in lire(client, f="avoirs")
    assert affecter(client, avoir, **{f"e{e.pk}": "200"}).status_code == 303
    avoir.refresh_from_db()
    assert avoir.impute == 200


def test_le_voisin_n_existe_pas_le_lecteur_n_affecte_pas_et_lire_n_ecrit_pas(client, claire, debiteur):
    """Exigence 39."""
    ailleurs = recu(ClientFactory(societe=debiteur.societe))
    source = recu(debiteur)
    assert affecter(client, ailleurs).status_code == 404
    assert client.get(reverse("factures:ecart", args=["encaissement", ailleurs.pk])).status_code == 404
    assert client.post(reverse("factures:affecter", args=["facture", 1])).status_code == 404
    assert client.get(reverse("factures:affecter", args=["encaissement", source.pk])).status_code == 405
    assert client.get(reverse("factures:desaffecter", args=["encaissement", source.pk, "k"])).status_code == 405
    assert client.post(URL).status_code == 405
    client.force_login(UtilisateurFactory(societe=debiteur.societe, role="lecteur"))
    assert affecter(client, source).status_code == 403
    assert "Affecter" not in re.findall(r"<button[^>]*>([^<]*)", lire(client, v=f"encaissement-{source.pk}"))


# --- Saisir ------------------------------------------------------------------------------------------


SAISIE = "/encaissements/nouveau/"


def saisir(navigateur, /, **champs):
    base = {"cle": "abc", "client": "C42 – Hydrauconcept", "montant": "1 250,50 €", "devise": "eur", "mode": "cheque"}
    return navigateur.post(SAISIE, base | {"recu_le": aujourd_hui().isoformat()} | champs)


def test_saisir_enregistre_une_fois_et_mene_a_l_affectation(client, claire, debiteur):
    for _ in range(2):
        reponse = saisir(client)
    encaissement = Encaissement.objects.get()
    assert (encaissement.montant, encaissement.devise, encaissement.mode) == (Decimal("1250.50"), "EUR", "cheque")
    assert reponse.url == f"{URL}?v=encaissement-{encaissement.pk}"


@pytest.mark.parametrize(
    ("champs", "erreur"),
    [
        ({"client": "inconnu"}, "Aucun client"),
        ({"montant": "0"}, "supérieure"),
        ({"montant": "1.250,50"}, "sans séparateur"),
        ({"devise": "e2r"}, "Trois lettres"),
        ({"recu_le": (aujourd_hui() + timedelta(days=1)).isoformat()}, "à venir"),
        ({"recu_le": "0001-01-01"}, "trop ancienne"),
        ({"recu_le": "2999-01-01"}, "trop lointaine"),
        ({"mode": "troc"}, "troc"),
    ],
)
def test_une_saisie_fausse_revient_avec_son_erreur(client, claire, debiteur, champs, erreur):
    reponse = saisir(client, **champs)
    assert reponse.status_code == 422
    assert erreur in reponse.content.decode().replace("\xa0", " ")
    assert not Encaissement.objects.exists()


def test_on_ne_saisit_que_pour_son_portefeuille(client, claire, debiteur):
    ClientFactory(societe=debiteur.societe, code="VOISIN")
    ClientFactory(societe=SocieteFactory(), code="LOIN")
    for code in ("VOISIN", "LOIN"):
        assert saisir(client, client=code).status_code == 422
    client.force_login(UtilisateurFactory(societe=debiteur.societe, role="lecteur"))
    assert client.get(SAISIE).status_code == saisir(client).status_code == 403


def test_le_client_se_propose_a_la_frappe_et_se_pre_remplit(client, claire, debiteur):
    ClientFactory(societe=debiteur.societe, raison_sociale="Hydraulique du voisin")
    url = reverse("factures:encaissement_clients")
    assert client.get(url, {"client": "hyd"}).content.decode() == '<option value="C42 – Hydrauconcept">'
    assert client.get(url, {"client": "h"}).content == b""
    assert "C42 – Hydrauconcept" in client.get(SAISIE, {"client": debiteur.pk}).content.decode()


# --- Imputation sur plusieurs dettes (C. civ., art. 1342-10) -------------------------------------------


def test_le_choix_du_debiteur_passe_avant_la_regle_et_se_lit_au_journal(client, debiteur):
    ancienne, recente = dette(debiteur, 300, retard=60), dette(debiteur, 300, retard=5)
    source = recu(debiteur, 400)
    sans = lire(client)
    assert saisies(sans) == {f"e{ancienne.pk}": "300,00", f"e{recente.pk}": "100,00"}
    assert "échue, à son rang d’ancienneté" in sans.replace("&#x27;", "’")
    choix = lire(client, v=f"encaissement-{source.pk}", d=recente.pk)
    assert saisies(choix) == {f"e{ancienne.pk}": "100,00", f"e{recente.pk}": "300,00"}
    assert "Le choix du débiteur" in choix and "désignée par le débiteur" in choix
    url = reverse("factures:affecter", args=["encaissement", source.pk])
    donnees = saisies(choix) | {"cle": cle_de(choix), "vu": "0.00", "designees": f"{recente.pk},999"}
    assert client.post(url, donnees).status_code == 303
    maillon = Maillon.objects.filter(action="encaissement.impute").select_related("detail").get()
    assert maillon.detail.donnees["designees"] == [recente.pk]


def test_deux_dettes_de_meme_echeance_se_partagent_en_proportion_et_le_disent(client, debiteur):
    dette(debiteur, 300, retard=10), dette(debiteur, 100, retard=10)
    recu(debiteur, 200)
    page = lire(client)
    assert sorted(saisies(page).values()) == ["150,00", "50,00"]
    assert page.count("même échéance que d") == 2


@pytest.mark.parametrize("d", ["0", "-3", "x", "9" * 40])
def test_une_designation_etrangere_au_compte_est_sans_effet(client, debiteur, d):
    ancienne = dette(debiteur, 300, retard=60)
    dette(debiteur, 300, retard=5)
    recu(debiteur, 300, libelle="")
    assert saisies(lire(client, d=d))[f"e{ancienne.pk}"] == "300,00"
