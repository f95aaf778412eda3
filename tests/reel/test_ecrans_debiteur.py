"""Ce que le débiteur remplit, relit et signe : accessible, sans débord, en clair et en sombre, en deux langues.

Le relevé, le code et les liens fermés sont dans tests/reel/test_portail.py.
"""

from datetime import timedelta
from types import SimpleNamespace

import pytest
from django.core.cache import cache

from factures.models import ReglageAccords
from recouvrement.commun.horloge import aujourd_hui, maintenant
from relances.models import Declaration, ReglagePortail
from relances.services import accords, accords_pdf, liens
from relances.services.declarations_portail_accords import demander_du_temps
from tests.contentieux.factories import pdf
from tests.factures.factories import EcheanceFactory, LitigeFactory
from tests.portail.declarants import depot
from tests.portail.outils import client_ouvert, societe_ouverte

from .test_ecrans import constater, constater_ici, pytestmark  # noqa: F401
from .test_portail import page_sans_faute  # noqa: F401

LANGUES = pytest.mark.parametrize("langue", ["fr", "en"])


@pytest.fixture
def m(transactional_db, settings, tmp_path, live_server, monkeypatch):
    """Un débiteur, son lien, trois factures dont une contestée ; la carte d'essai, l'accord immédiat."""
    cache.clear()
    settings.DEPOT, settings.SITE_URL = tmp_path / "depot", live_server.url
    monkeypatch.setattr(accords_pdf, "apercevoir", lambda accord: pdf())
    au = aujourd_hui()
    societe = societe_ouverte(declarations=True, echeanciers=True, accord_immediat=True, carte="essai")
    ReglageAccords.objects.create(societe=societe)
    client = client_ouvert(societe=societe, raison_sociale="Chaudronnerie Belcourt", courriel="compta@belcourt.example")
    pieces = [EcheanceFactory(client=client, montant=n, echue_le=au - timedelta(days=40)) for n in (9360, 600)]
    contestee = EcheanceFactory(client=client, montant=840, echue_le=au - timedelta(days=9))
    LitigeFactory(echeance=contestee, montant_conteste=300, a_traiter_le=au + timedelta(days=10))
    lien = liens.lien_pour(client, au=au)
    return SimpleNamespace(au=au, societe=societe, client=client, pieces=pieces, lien=lien, page=liens.adresse(lien))


def convenir(m, cle: str, nombre: int) -> Declaration:
    return demander_du_temps(
        m.lien, depot(cle), reglage=ReglagePortail.objects.get(societe=m.societe), nombre=nombre, moment=maintenant(),
        pieces=[p.pk for p in m.pieces], premiere=m.au + timedelta(days=20),
    )  # fmt: skip


@pytest.mark.timeout(300)
@LANGUES
def test_les_quatre_situations_leurs_refus_et_leurs_recus(m, page_sans_faute, langue):  # noqa: F811
    page, fautes = page_sans_faute, {}
    for genre in ("paye", "conteste", "promet", "delai"):
        fautes |= constater(page, f"{m.page}/declarer/{genre}?langue={langue}")
    # Un refus garde la saisie et nomme le champ ; Chromium note lui-même la réponse 422 à la console.
    page.goto(f"{m.page}/declarer/promet?langue={langue}")
    page.fill("[name=le]", (m.au + timedelta(days=5)).isoformat())
    page.fill("[name=montant]", "999999")
    page.click("main form[method=post] [type=submit]")
    page.wait_for_selector("[role=alert], .invalid-feedback")
    page.fautes.clear()
    fautes |= constater_ici(page, "promesse refusée")
    page.fill("[name=montant]", "600")
    page.click("main form[method=post] [type=submit]")
    page.wait_for_url("**/recu/**")
    fautes |= constater_ici(page, "reçu")
    assert page.locator("html").get_attribute("lang") == langue
    assert fautes == {}


@pytest.mark.timeout(300)
@LANGUES
def test_l_accord_a_signer_le_code_envoye_l_accord_signe(m, page_sans_faute, langue):  # noqa: F811
    page, accord = page_sans_faute, convenir(m, "1", 3).accord
    fautes = constater(page, f"{m.page}/accord/{accord.pk}?langue={langue}")
    page.locator("form[action*='/code'] [type=submit]").click()
    page.wait_for_selector("[name=code]")
    fautes |= constater_ici(page, "code envoyé")
    page.fill("[name=code]", "000000")
    page.fill("[name=nom]", "Nadia Ferrand")
    page.fill("[name=qualite]", "gérante")
    page.check("[name=lu]")
    page.locator("form[action*='/signer'] [type=submit]").click()
    page.wait_for_selector("[role=alert]")
    page.fautes.clear()  # la réponse 422, que Chromium note
    fautes |= constater_ici(page, "code faux")
    page.click("a.langue")  # du refus, rendu à l'adresse du geste, l'autre langue mène à l'accord
    page.wait_for_selector("form[action*='/code']")
    assert page.locator("html").get_attribute("lang") != langue
    accords.signer(accord, signature="portail", nom="Nadia Ferrand", qualite="gérante", au=m.au)
    fautes |= constater(page, f"{m.page}/accord/{accord.pk}?langue={langue}")
    assert fautes == {}


@pytest.mark.timeout(300)
@LANGUES
def test_la_carte_la_page_d_essai_et_la_page_refermee(m, page_sans_faute, langue):  # noqa: F811
    page = page_sans_faute
    fautes = constater(page, f"{m.page}/carte?langue={langue}")
    page.click("main form [type=submit]")
    page.wait_for_selector("a[href*='/carte/essai']")
    fautes |= constater_ici(page, "départ vers le paiement")
    page.click("a[href*='/carte/essai']")
    page.wait_for_url("**/carte/essai**")
    fautes |= constater_ici(page, "prestataire d'essai")
    assert fautes == {}
