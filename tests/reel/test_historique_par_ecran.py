"""Un historique d'un autre logiciel entre par le seul écran : dépôt, assistant de colonnes, aperçu, import."""

from datetime import date
from decimal import Decimal

import pytest
from axe_playwright_python.sync_playwright import Axe
from django.db.models import Sum
from playwright.sync_api import expect

from clients.models import Client
from factures.models import Correspondance, Echeance, Encaissement, Facture, Litige
from factures.views import correspondances, imports
from recouvrement.comptes.models import Role
from tests.comptes.factories import MOT_DE_PASSE, SocieteFactory, UtilisateurFactory

from .parcours import au_repos

pytestmark = [
    pytest.mark.reel,
    pytest.mark.variables_inconnues_permises,
    pytest.mark.timeout(300),
    # pytest-base-url déclare encore sa fixture dans une classe.
    pytest.mark.filterwarnings("ignore:Session-scoped fixtures defined as instance methods"),
]
REGLES = {"runOnly": ["wcag2a", "wcag2aa", "wcag21a", "wcag21aa", "wcag22aa"]}
IBM = "historiques-encaissements/pthiagu2+DataMining/WA_Fn-UseC_-Accounts-Receivable.csv"
PETIT = (
    "country,customerID,invoiceNumber,InvoiceDate,DueDate,InvoiceAmount,Disputed,SettledDate\n"
    "FR,C1,001,1/25/2026,2/24/2026,100.00,Yes,2/10/2026\nBE,C2,002,1/26/2026,2/25/2026,50.00,No,\n"
)


@pytest.fixture
def ecran(transactional_db, live_server, page, settings, tmp_path, monkeypatch):
    settings.DEPOT = tmp_path / "depot"
    for vue in (imports, correspondances):  # le worker, sur place
        monkeypatch.setattr(vue, "reveiller", lambda tache, lot: tache(lot.pk) or True)
    marc = UtilisateurFactory(societe=SocieteFactory(), role=Role.ADMINISTRATEUR)
    page.goto(f"{live_server.url}/compte/login/")
    page.fill("[type=email]", marc.courriel)
    page.fill("[type=password]", MOT_DE_PASSE)
    page.click("form:has([type=password]) [type=submit]")
    page.wait_for_url(lambda url: "/compte/login" not in url)
    return page


def _deposer(ecran, racine, nom, contenu):
    ecran.goto(f"{racine}/imports/")
    ecran.set_input_files("[name=fichier]", {"name": nom, "mimeType": "text/csv", "buffer": contenu})
    ecran.click("text=Lire le fichier")
    ecran.wait_for_url("**/colonnes/")


def _importer(ecran):
    ecran.click("text=Voir l’aperçu de l’import")
    ecran.wait_for_url(lambda url: "/colonnes/" not in url)
    ecran.click("text=Importer ce fichier")
    expect(ecran.locator("#import")).to_contain_text("Appliqué", timeout=60_000)


def test_l_assistant_au_clavier_et_au_telephone(ecran, live_server):
    _deposer(ecran, live_server.url, "historique.csv", PETIT.encode())
    expect(ecran.locator("#id_genre")).to_have_value("historique")
    expect(ecran.locator("#id_dates")).to_have_value("mja")
    for largeur, hauteur in ((1440, 900), (390, 844), (320, 640)):
        ecran.set_viewport_size({"width": largeur, "height": hauteur})
        assert ecran.evaluate("document.documentElement.scrollWidth") <= largeur
        fautes = Axe().run(ecran, options=REGLES).response["violations"]
        assert [(f["id"], f["nodes"][0]["html"][:200]) for f in fautes] == []
    ecran.set_viewport_size({"width": 1440, "height": 900})
    ecran.focus("#id_c_litige")
    ecran.select_option("#id_c_litige", "")
    expect(ecran.locator("#colonnes")).to_contain_text("Colonnes laissées de côté : Disputed")
    assert ecran.evaluate("document.activeElement.id") == "id_c_litige"  # le choix ne fait pas perdre la place
    au_repos(ecran)
    ecran.select_option("#id_c_litige", "Disputed")
    expect(ecran.locator("#colonnes")).not_to_contain_text("Colonnes laissées de côté")
    _importer(ecran)
    assert (Facture.objects.count(), Litige.objects.count()) == (2, 1)
    assert Correspondance.objects.get().nom == "historique"


def test_l_historique_ibm_entre_par_l_ecran_seul(ecran, live_server, corpus):
    _deposer(ecran, live_server.url, IBM.rsplit("/", 1)[1], (corpus / IBM).read_bytes())
    expect(ecran.locator("#id_genre")).to_have_value("historique")
    expect(ecran.locator("#id_dates")).to_have_value("mja")
    _importer(ecran)
    assert (Facture.objects.count(), Client.objects.count(), Encaissement.objects.count()) == (2466, 100, 2466)
    assert Facture.objects.aggregate(t=Sum("montant_ttc"))["t"] == Decimal("147703.18")
    litiges = Litige.objects.exclude(clos_le=None)
    assert (litiges.count(), litiges.aggregate(t=Sum("echeance__montant"))["t"]) == (561, Decimal("36746.12"))
    ouvertes = Echeance.objects.all().ouvertes_au(date(2013, 6, 30))
    assert (ouvertes.count(), ouvertes.aggregate(t=Sum("montant"))["t"]) == (84, Decimal("5119.85"))
    assert ouvertes.filter(date_echeance__lt=date(2013, 6, 30)).aggregate(t=Sum("montant"))["t"] == Decimal("835.56")
