"""L'écran du rapprochement : proposer, accepter, partager, écarter, défaire ; jamais hors de son portefeuille."""

import re
from datetime import timedelta
from decimal import Decimal
from urllib.parse import urlencode

import pytest
from django.db import connection
from django.test.utils import CaptureQueriesContext
from django.urls import reverse

from factures.models import Encaissement, ReglageRapprochement, RegleRapprochement
from factures.services.rapprochement import suggerer
from recouvrement.commun.horloge import aujourd_hui
from tests.clients.factories import ClientFactory
from tests.comptes.factories import SocieteFactory, UtilisateurFactory

from .banque_essai import MouvementFactory
from .factories import AvoirFactory, EcheanceFactory, EncaissementFactory, ImputationFactory

pytestmark = pytest.mark.django_db
URL = "/rapprochement/"


@pytest.fixture
def claire(client):
    user = UtilisateurFactory(nom="Claire Bonnet")
    client.force_login(user)
    return user


@pytest.fixture
def debiteur(claire):
    return ClientFactory(
        societe=claire.affectations.get().societe, gestionnaire=claire, code="C42", raison_sociale="Mercier Lagarde"
    )


def dette(debiteur, montant=1000, retard=10, **champs):
    return EcheanceFactory(client=debiteur, montant=montant, echue_le=aujourd_hui() - timedelta(days=retard), **champs)


def mouvement(debiteur, montant=1000, **champs):
    base = {"date": aujourd_hui(), "libelle": "VIR SEPA MERCIER LAGARDE"}
    m = MouvementFactory(societe=debiteur.societe, montant=montant, **base | champs)
    suggerer(debiteur.societe)
    m.refresh_from_db()
    return m


def lire(client, url=URL, /, **params):
    reponse = client.get(url, params)
    assert reponse.status_code == 200
    return reponse.content.decode().replace("\xa0", " ")


def saisies(page):
    return dict(re.findall(r'name="([ea]\d+)" id="[^"]*" value="([^"]*)"', page))


def poster(client, geste, m, /, **donnees):
    return client.post(reverse(f"factures:rapprochement_{geste}", args=[m.pk]), donnees)


# --- Voir --------------------------------------------------------------------------------------------


def test_la_proposition_montre_ses_raisons_sa_confiance_et_ses_montants(client, claire, debiteur):
    e = dette(debiteur)
    m = mouvement(debiteur, libelle=f"VIR {e.facture.numero} MERCIER LAGARDE")
    page = lire(client)
    assert f"Le libellé cite {e.facture.numero}" in page and "au centime" in page
    assert f"{m.confiance} % sûr" in page and saisies(page) == {f"e{e.pk}": "1 000,00"}
    assert "Affecter 1 000,00 €" in page and "écart 0,00" in page


def test_sans_proposition_chercher_est_le_geste_evident(client, claire, debiteur):
    e = dette(debiteur, 500)
    m = mouvement(debiteur, 77, libelle="XYZ")
    page = lire(client)
    assert "Rien ne désigne de client" in page and re.search(r'btn btn-primary" type="submit">.*?Chercher', page)
    page = lire(client, v=m.pk, client="C42 – Mercier Lagarde")
    assert "Client choisi à la main" in page and f"e{e.pk}" in saisies(page)
    assert "Aucun client de votre portefeuille" in lire(client, v=m.pk, client="INCONNU")


def test_les_filtres_et_les_etats_sont_dans_l_adresse(client, claire, debiteur):
    e = dette(debiteur)
    sur = mouvement(debiteur, libelle=f"VIR {e.facture.numero}")
    doute = mouvement(debiteur, 12, libelle="DOUTE MERCIER LAGARDE")
    assert "DOUTE" not in lire(client, confiance="sures", v=sur.pk).split("Passer")[0]
    assert "DOUTE" in lire(client, q="doute") and f"VIR {e.facture.numero}" not in lire(client, q="doute")
    assert "Aucun mouvement ne répond" in lire(client, q="zzz", v="")
    poster(client, "ecarter", doute, motif="Virement interne")
    assert "Virement interne" in lire(client, etat="ignore") and "DOUTE" not in lire(client)
    assert "introuvable" in lire(client, v="999999")


def test_un_debit_ordinaire_n_entre_pas_dans_la_file(client, claire, debiteur):
    MouvementFactory(societe=debiteur.societe, montant=-50, libelle="LOYER", nature="virement")
    assert "LOYER" not in lire(client) and "Tout est rapproché" in lire(client)


def test_autant_de_requetes_pour_un_mouvement_que_pour_vingt(client, claire, debiteur):
    dette(debiteur)
    mouvement(debiteur)
    lire(client)
    with CaptureQueriesContext(connection) as une:
        lire(client)
    for _ in range(19):
        dette(debiteur)
        mouvement(debiteur)
    with CaptureQueriesContext(connection) as vingt:
        lire(client)
    assert len(vingt) == len(une)


# --- Agir --------------------------------------------------------------------------------------------


def test_accepter_corriger_et_passer_au_suivant(client, claire, debiteur):
    a, b, avoir = dette(debiteur, 600), dette(debiteur, 500), AvoirFactory(client=debiteur, montant=100)
    m = mouvement(debiteur)
    envoi = {"client": debiteur.pk, "montant": "1000", f"e{a.pk}": "600", f"e{b.pk}": "500", f"a{avoir.pk}": "100"}
    for _ in range(2):  # double clic
        reponse = poster(client, "accepter", m, suite="?v=7", **envoi)
        assert reponse.status_code == 303 and reponse.url == "/rapprochement/?v=7"
    encaissement = Encaissement.objects.get()
    assert encaissement.impute == 1000 and m.encaissements.get() == encaissement
    page = lire(client, v=m.pk)
    assert "Ce que ce mouvement est devenu" in page and "Mercier Lagarde" in page
    assert poster(client, "defaire", m).status_code == 303
    assert not Encaissement.objects.exists()


def test_un_nom_de_champ_demesure_ne_fait_pas_tomber_l_affectation(client, claire, debiteur):
    """Relu pour reconnaître un double envoi : `int` refuse au-delà de 4 300 chiffres."""
    m = mouvement(debiteur, 500)
    poster(client, "accepter", m, client=debiteur.pk, montant="200")
    for nom in ("e" + "9" * 5_000, "a" + "9" * 5_000):
        url = reverse("factures:rapprochement_accepter", args=[m.pk])
        envoi = urlencode({"client": debiteur.pk, "montant": "200", nom: "1"})
        reponse = client.post(url, envoi, content_type="application/x-www-form-urlencoded")
        assert reponse.status_code in (303, 422)
    assert Encaissement.objects.get().montant == 200


def test_une_saisie_refusee_revient_avec_ses_erreurs(client, claire, debiteur):
    e = dette(debiteur, 300)
    m = mouvement(debiteur, 500)
    reponse = poster(client, "accepter", m, client=debiteur.pk, montant="500", **{f"e{e.pk}": "301"})
    page = reponse.content.decode().replace("\xa0", " ")
    assert reponse.status_code == 422 and "Il n&#x27;y reste que 300,00 €" in page and 'value="301"' in page
    assert poster(client, "accepter", m, client=debiteur.pk, montant="501").status_code == 422
    assert poster(client, "accepter", m, client=debiteur.pk, montant="100", **{f"e{e.pk}": "200"}).status_code == 422
    assert not Encaissement.objects.exists()


def test_diviser_entre_deux_clients_puis_le_tiers_payeur(client, claire, debiteur):
    voisin = ClientFactory(societe=debiteur.societe, gestionnaire=claire)
    m = mouvement(debiteur, 900)
    poster(client, "accepter", m, client=debiteur.pk, montant="600", payeur="Holding MLG")
    assert "600,00 € déjà répartis, 300,00 € à affecter" in lire(client, v=m.pk)
    poster(client, "accepter", m, client=voisin.pk, montant="300")
    m.refresh_from_db()
    assert m.statut == "rapproche" and sorted(Encaissement.objects.values_list("payeur", flat=True)) == [
        "", "Holding MLG",
    ]  # fmt: skip


def test_un_encaissement_deja_enregistre_se_lie_et_un_rejet_se_constate(client, claire, debiteur):
    EncaissementFactory(client=debiteur, montant=1000, date=aujourd_hui())
    m = mouvement(debiteur)
    page = lire(client)
    assert "déjà enregistré" in page and "Lier à cet encaissement" in page
    (cle,) = re.findall(r'name="suggestion" value="(\d+)"', page)
    assert poster(client, "accepter", m, suggestion=cle).status_code == 303
    assert Encaissement.objects.count() == 1 and Encaissement.objects.get().mouvement == m
    e = dette(debiteur, 250)
    paye = EncaissementFactory(client=debiteur, montant=250, date=aujourd_hui() - timedelta(3), mode="prelevement")
    ImputationFactory(echeance=e, encaissement=paye, montant=250, date=paye.date)
    rejet = mouvement(debiteur, -250, nature="rejet", libelle="REJET PRLV MERCIER LAGARDE")
    page = lire(client, v=rejet.pk)
    assert "Constater le rejet" in page and "Même montant que le paiement" in page
    (cle,) = re.findall(r'name="suggestion" value="(\d+)"', page)
    poster(client, "accepter", rejet, suggestion=cle)
    e.refresh_from_db()
    assert e.reste_du == 250
    assert "rejeté" in lire(client, v=rejet.pk)
    poster(client, "accepter", rejet, suggestion=cle)  # plus à jour : rien ne se refait, la page le dit


def test_accepter_les_certains_montre_d_abord_puis_ne_fait_que_ce_qui_est_coche(client, claire, debiteur):
    a, b = dette(debiteur, 111), dette(debiteur, 222)
    m1, m2 = (mouvement(debiteur, e.montant, libelle=f"VIR {e.facture.numero}") for e in (a, b))
    url = reverse("factures:rapprochement_certains")
    page = lire(client, url)
    assert "2 mouvements, 333,00 €" in page and not Encaissement.objects.exists()
    assert client.post(url, {"m": [m1.pk]}).status_code == 303
    assert Encaissement.objects.get().mouvement == m1
    client.post(url, {"m": ["x", 10**30]})
    m2.refresh_from_db()
    assert m2.statut == "a_rapprocher"


# --- Droits (exigence 39) ----------------------------------------------------------------------------


def test_la_suggestion_d_un_autre_portefeuille_est_masquee_et_ne_s_accepte_pas(client, claire, debiteur):
    voisin = ClientFactory(societe=debiteur.societe, raison_sociale="Secret Industries")
    e = dette(voisin, 321)
    m = mouvement(debiteur, 321, libelle=f"VIR {e.facture.numero}")
    page = lire(client)
    assert "Client d’un autre portefeuille" in page and "Secret Industries" not in page and not saisies(page)
    s = m.suggestions.get(rang=1)
    assert poster(client, "accepter", m, suggestion=s.pk).status_code == 404
    assert poster(client, "accepter", m, client=voisin.pk, montant="321").status_code == 404
    assert "autre portefeuille" not in lire(client, reverse("factures:rapprochement_certains"))
    assert not Encaissement.objects.exists()


def test_le_voisin_n_existe_pas_le_lecteur_n_agit_pas_et_lire_n_ecrit_pas(client, claire, debiteur):
    m = mouvement(debiteur)
    ailleurs = MouvementFactory(societe=SocieteFactory())
    for geste in ("accepter", "ecarter", "defaire"):
        assert poster(client, geste, ailleurs).status_code == 404
        assert client.get(reverse(f"factures:rapprochement_{geste}", args=[m.pk])).status_code == 405
    assert client.post(URL).status_code == 405
    client.force_login(UtilisateurFactory(societe=debiteur.societe, role="lecteur"))
    page = lire(client, v=m.pk)
    assert "Affecter 1" not in page and "VIR SEPA MERCIER" in page
    for geste in ("accepter", "ecarter", "defaire"):
        assert poster(client, geste, m, motif="x").status_code == 403


def test_defaire_la_part_d_un_autre_portefeuille_est_refuse(client, claire, debiteur):
    m = mouvement(debiteur)
    voisin = ClientFactory(societe=debiteur.societe)
    chef = UtilisateurFactory(societe=debiteur.societe, role="responsable")
    client.force_login(chef)
    poster(client, "accepter", m, client=voisin.pk, montant="1000")
    client.force_login(claire)
    assert poster(client, "defaire", m).status_code == 403
    assert voisin.raison_sociale not in lire(client, v=m.pk)


# --- Réglages ----------------------------------------------------------------------------------------


def test_les_reglages_et_les_regles_de_la_societe(client, debiteur):
    societe = debiteur.societe
    url = reverse("factures:rapprochement_reglages")
    assert client.get(url).status_code == 403
    client.force_login(UtilisateurFactory(societe=societe, role="administrateur"))
    assert "Ce qui peut se faire seul" in lire(client, url)
    donnees = {"automatique": "on", "seuil_automatique": "99", "ecart_tolere": "0,10", "frais_toleres": "15"}
    assert client.post(url, {"societe": societe.code} | donnees).status_code == 303
    regle = ReglageRapprochement.objects.get(societe=societe)
    assert (regle.automatique, regle.seuil_automatique, regle.frais_toleres) == (True, 99, Decimal(15))
    nouvelle = {"societe": societe.code, "nom": "Paie", "contient": "SALAIRE", "action": "ignorer"}
    client.post(url, nouvelle)
    assert client.post(url, nouvelle).status_code == 422  # même nom
    assert client.post(url, nouvelle | {"nom": "Trop court", "contient": "a b"}).status_code == 422
    assert client.post(url, nouvelle | {"nom": "Client", "action": "client", "code_client": "?"}).status_code == 422
    client.post(url, nouvelle | {"nom": "Client", "contient": "HOLDING", "action": "client", "code_client": "C42"})
    assert RegleRapprochement.objects.get(nom="Client").client == debiteur
    assert "HOLDING" in lire(client, url)
    cle = RegleRapprochement.objects.get(nom="Paie").pk
    client.post(reverse("factures:rapprochement_regle_retirer", args=[cle]))
    assert not RegleRapprochement.objects.filter(pk=cle).exists()
