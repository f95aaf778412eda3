"""Écran de la balance âgée : juste, limité au portefeuille, et toujours les mêmes requêtes."""

import re
from datetime import timedelta

import pytest
from django.db import connection
from django.test.utils import CaptureQueriesContext
from django.urls import reverse

from recouvrement.commun import pdf
from recouvrement.commun.horloge import aujourd_hui
from tests.clients.factories import ClientFactory
from tests.comptes.factories import AffectationFactory, SocieteFactory, UtilisateurFactory

from .factories import EcheanceFactory, EncaissementFactory, ImputationFactory

pytestmark = pytest.mark.django_db
URL = "/balance-agee/"


@pytest.fixture
def societe():
    return SocieteFactory(raison_sociale="Ateliers Mercier")


@pytest.fixture
def claire(societe, client):
    """Gestionnaire connectée."""
    user = UtilisateurFactory(societe=societe, nom="Claire Bonnet")
    client.force_login(user)
    return user


def dette(user, societe, retard=10, nom="Belcourt", **champs):
    debiteur = ClientFactory(societe=societe, gestionnaire=user, raison_sociale=nom)
    return EcheanceFactory(client=debiteur, echue_le=aujourd_hui() - timedelta(days=retard), **champs)


def lire(client, **params):
    reponse = client.get(URL, params)
    assert reponse.status_code == 200
    return reponse.content.decode().replace("\xa0", " ")


def test_la_page_montre_tranches_controle_et_total(client, claire, societe):
    e = dette(claire, societe, retard=10, montant="1234.56")
    dette(claire, societe, retard=100, nom="Lanvaux", montant=100)
    EncaissementFactory(client=e.client, montant="34.56", date=aujourd_hui())
    page = lire(client)
    for attendu in ("1 234,56", "100,00", "−34,56", "1 300,00", "écart 0,00 €", "2 pièces ouvertes", "2 clients",
                    "Claire Bonnet", "Belcourt", "Lanvaux"):  # fmt: skip
        assert attendu in page, attendu


def test_le_portefeuille_d_une_autre_n_y_est_pas_ni_ses_pieces(client, claire, societe):
    """Exigence 39."""
    autre = dette(UtilisateurFactory(societe=societe), societe, nom="Autre portefeuille")
    assert "Autre portefeuille" not in lire(client)
    assert client.get(reverse("factures:balance_ligne", args=[autre.client_id, "eur"])).status_code == 404


def test_un_lecteur_voit_toute_la_societe_mais_pas_la_voisine(client, societe):
    dette(None, societe, nom="Chez nous")
    dette(None, SocieteFactory(), nom="Chez eux")
    client.force_login(UtilisateurFactory(societe=societe, role="lecteur"))
    page = lire(client)
    assert "Chez nous" in page and "Chez eux" not in page
    assert "Sans gestionnaire" in page


@pytest.mark.parametrize("url", [URL, "/balance-agee/export/csv/", "/balance-agee/client/1/eur/"])
def test_ecrire_ici_n_a_pas_de_sens(client, claire, url):
    assert client.post(url).status_code == 405


def test_sans_connexion_on_va_se_connecter(client):
    assert client.get(URL).status_code == 302


def test_a_une_date_passee_la_balance_est_celle_de_ce_jour_la(client, claire, societe):
    """Exigence 40."""
    e = dette(claire, societe, retard=40, montant=500)
    ImputationFactory(echeance=e, montant=200, date=aujourd_hui() - timedelta(days=5))
    avant = aujourd_hui() - timedelta(days=6)
    assert "300,00" in lire(client) and "500,00" not in lire(client)
    assert "500,00" in lire(client, au=avant.isoformat())
    assert "Rien d’ouvert" in lire(client, au="1999-12-31")


@pytest.mark.parametrize("au", ["hier", "0001-01-01", "9999-12-31", ""])
def test_une_date_impossible_rend_la_balance_du_jour(client, claire, societe, au):
    dette(claire, societe)
    assert "Belcourt" in lire(client, au=au)


def test_une_devise_a_la_fois_les_autres_annoncees(client, claire, societe):
    """Exigence 6."""
    dette(claire, societe, montant=100)
    dette(claire, societe, nom="Export", montant=70, devise="USD")
    page = lire(client)
    assert "autre devise : USD" in page and "70,00" not in page
    page = lire(client, devise="USD")
    assert "70,00" in page and "100,00" not in page


@pytest.mark.parametrize(
    ("par", "tetes"),
    [("client", []), ("gestionnaire", ["Claire Bonnet", "Sans gestionnaire"]), ("segment", ["btp", "Sans segment"])],
)
def test_chaque_regroupement_a_ses_sous_totaux(client, societe, par, tetes):
    responsable = UtilisateurFactory(societe=societe, role="responsable")
    claire = UtilisateurFactory(societe=societe, nom="Claire Bonnet")
    client.force_login(responsable)
    for qui, segment in ((claire, "btp"), (None, "")):
        debiteur = ClientFactory(societe=societe, gestionnaire=qui, segment=segment)
        EcheanceFactory(client=debiteur, echue_le=aujourd_hui())
    page = lire(client, par=par)
    assert re.findall(r'<th scope="rowgroup">([^<]+?) <span', page) == tetes


def test_une_ligne_se_deplie_jusqu_a_la_piece_par_htmx_et_sans_script(client, claire, societe):
    e = dette(claire, societe, retard=45, montant=900, en_litige=120)
    EncaissementFactory(client=e.client, montant=50, date=aujourd_hui(), reference="VIR SEPA 42")
    url = reverse("factures:balance_ligne", args=[e.client_id, "eur"])
    depliee = client.get(url, {"ouvert": e.client_id, "plafond": "900.00"}, HTTP_HX_REQUEST="true")
    fragment = depliee.content.decode().replace("\xa0", " ")
    for attendu in (e.facture.numero, "45 j", "litige 120,00 €", "VIR SEPA 42", "−50,00", 'aria-expanded="true"'):
        assert attendu in fragment, attendu
    assert depliee["HX-Push-Url"] == f"{URL}?ouvert={e.client_id}"
    repliee = client.get(url).content.decode()
    assert e.facture.numero not in repliee and 'aria-expanded="false"' in repliee
    assert e.facture.numero in lire(client, ouvert=e.client_id)
    assert e.facture.numero not in lire(client)


def test_le_tri_se_choisit_et_une_cle_inventee_ne_casse_rien(client, claire, societe):
    for nom, montant in (("Alpha", 10), ("Bêta", 30), ("Gamma", 20)):
        dette(claire, societe, nom=nom, montant=montant)

    def ordre(tri):
        return re.findall(r'lien-ligne tronque" href="[^"]*">([^<]+)<', lire(client, tri=tri))

    assert ordre("-encours") == ["Bêta", "Gamma", "Alpha"]
    assert ordre("") == ordre("mot_de_passe") == ["Alpha", "Bêta", "Gamma"]


def test_les_pages_gardent_le_total_de_toutes_les_lignes(client, claire, societe, monkeypatch):
    monkeypatch.setattr("factures.views.balance_agee.LIGNES_PAR_PAGE", 2)
    for montant in (10, 20, 30):
        dette(claire, societe, nom=f"C{montant}", montant=montant)
    page = lire(client, page=2, par="client")
    assert "C30" in page and "C10" not in page and "60,00" in page


def test_autant_de_requetes_pour_une_ligne_que_pour_vingt(client, claire, societe):
    e = dette(claire, societe)
    params = {"ouvert": e.client_id}
    lire(client, **params)  # session et caches
    with CaptureQueriesContext(
        connection,
    ) as une:
        lire(client, **params)
    for rang in range(20):
        EcheanceFactory(client=dette(claire, societe, nom=f"N{rang}", retard=rang).client)
        EcheanceFactory(client=e.client)
    with CaptureQueriesContext(connection) as vingt:
        lire(client, **params)
    assert len(vingt) == len(une)


def test_le_fragment_htmx_ne_porte_pas_la_coque(client, claire, societe):
    dette(claire, societe)
    reponse = client.get(URL, HTTP_HX_REQUEST="true")
    assert b"<html" not in reponse.content and b'id="liste"' in reponse.content
    assert "HX-Request" in reponse["Vary"]


# --- Exports ---------------------------------------------------------------------------------------


def exporter(client, format, **params):
    return client.get(reverse("factures:balance_export", args=[format]), params)


def test_l_export_suit_les_filtres_et_le_portefeuille(client, claire, societe):
    dette(claire, societe, montant=10)
    dette(claire, societe, nom="=1+1", montant=70, devise="USD")
    dette(UtilisateurFactory(societe=societe), societe, nom="Autre portefeuille")
    reponse = exporter(client, "csv", devise="USD")
    texte = reponse.content.decode("utf-8-sig")
    assert len(texte.splitlines()) == 2 and ";'=1+1;USD;" in texte
    assert reponse["Content-Disposition"] == f'attachment; filename="balance-agee-{aujourd_hui().isoformat()}.csv"'
    assert len(exporter(client, "csv").content.decode().splitlines()) == 3
    assert exporter(client, "xlsx").content[:2] == b"PK"
    assert exporter(client, "docx").status_code == 404


@pytest.mark.skipif(not pdf.disponible(), reason="Pango absent")
def test_le_pdf_se_telecharge_ou_dit_pourquoi_il_ne_peut_pas(client, claire, societe, monkeypatch):
    dette(claire, societe)
    assert exporter(client, "pdf").content[:5] == b"%PDF-"
    monkeypatch.setattr("factures.exports.LIGNES_PDF_MAX", 0)
    reponse = client.get(reverse("factures:balance_export", args=["pdf"]), {"par": "client"}, follow=True)
    assert "un PDF ne se lirait pas" in reponse.content.decode()


def test_chacun_exporte_sa_societe_meme_avec_deux(client, claire, societe):
    seconde = SocieteFactory()
    AffectationFactory(claire, seconde, "responsable")
    dette(claire, societe, montant=10)
    dette(None, seconde, montant=20)
    assert len(exporter(client, "csv").content.decode().splitlines()) == 3
    assert len(exporter(client, "csv", societe=seconde.code).content.decode().splitlines()) == 2


@pytest.mark.parametrize("au", ["demain", "0001-01-01", "9999-12-31", "2026-02-30"])
def test_une_date_illisible_est_dite_et_la_balance_est_celle_du_jour(client, claire, societe, au):
    dette(claire, societe)
    page = lire(client, au=au)
    assert f"Date illisible : la balance est montrée au {aujourd_hui():%d/%m/%Y}" in page
    assert "Date illisible" not in lire(client, au=aujourd_hui().isoformat())
    assert "Date illisible" not in lire(client, au="")


@pytest.mark.parametrize("ecran", ["clients:liste", "contentieux:liste", "factures:liste", "factures:balance_agee"])
def test_un_numero_geant_dans_l_adresse_ne_casse_aucune_liste(client, claire, ecran):
    geant = {nom: "99999999999999999999" for nom in ("gestionnaire", "palier", "page", "ouvert")}
    assert client.get(reverse(ecran), geant).status_code == 200
