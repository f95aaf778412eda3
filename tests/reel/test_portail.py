"""La page du débiteur dans un vrai navigateur : à 390 pixels d'abord, sans script, accessible, en deux langues."""

from datetime import timedelta
from decimal import Decimal

import pytest
from django.core.cache import cache

from factures.services.copies import deposer
from recouvrement.commun.horloge import aujourd_hui, maintenant
from relances.models import ReglagePortail
from relances.services import liens
from tests.contentieux.factories import pdf
from tests.factures.factories import (
    EcheanceFactory,
    EcheancierFactory,
    EncaissementFactory,
    LitigeFactory,
    PromesseFactory,
)
from tests.portail.outils import client_ouvert, societe_ouverte

from .test_ecrans import connexion, constater, deborde, equipe, fautes_axe, pytestmark  # noqa: F401


@pytest.fixture
def monde(transactional_db, settings, tmp_path, live_server):
    """Un débiteur ordinaire, un autre dont tout est réglé, un en procédure, un lien expiré ; {nom: adresse}."""
    cache.clear()
    settings.DEPOT, settings.SITE_URL = tmp_path / "depot", live_server.url
    au = aujourd_hui()
    societe = societe_ouverte(raison_sociale="Vauquelin Équipements", declarations=True, echeanciers=True)
    client = client_ouvert(societe=societe, raison_sociale="Chaudronnerie Belcourt", code="CL-00418")
    for montant, jours in ((9360, -53), ("4286.40", -39), (7584, 10), ("6200.40", 25)):
        piece = EcheanceFactory(client=client, montant=montant, echue_le=au + timedelta(days=jours))
        deposer(piece.facture, octets=pdf(), nom="f.pdf", acteur=client.gestionnaire)
    contestee = EcheanceFactory(client=client, montant="5616.40", echue_le=au + timedelta(days=4))
    LitigeFactory(echeance=contestee, montant_conteste=1200, a_traiter_le=au + timedelta(days=10))
    promise = EcheanceFactory(client=client, montant=840, echue_le=au - timedelta(days=20))
    PromesseFactory(echeances=[promise], date_promise=au + timedelta(days=5), faite_le=au)
    echelonnee = EcheanceFactory(client=client, montant=900, echue_le=au - timedelta(days=90))
    EcheancierFactory(echeances=[echelonnee], accepte_le=au, nombre=3, premiere=au + timedelta(days=15))
    EcheanceFactory(client=client, montant=300, echue_le=au - timedelta(days=9), devise="USD")
    EncaissementFactory(client=client, montant=1200, date=au - timedelta(days=3))
    regle = client_ouvert(societe=societe, raison_sociale="Réglé SARL")
    EcheanceFactory(client=regle, montant=100, soldee=True)
    procedure = client_ouvert(societe=societe, raison_sociale="Procédure SARL", jugement_ouverture_le=au)
    EcheanceFactory(client=procedure, montant=100)
    expire = client_ouvert(societe=societe, raison_sociale="Expiré SARL")
    clients = {"ordinaire": client, "regle": regle, "procedure": procedure, "expire": expire}
    adresses = {nom: liens.adresse_de_page(c, au=au) for nom, c in clients.items()}
    expire.liens.update(expire_le=au - timedelta(days=1))
    return adresses | {"faux": f"{live_server.url}/p/zz-{'a' * 22}", "code": f"{live_server.url}/p/code"}


@pytest.fixture
def page_sans_faute(page, live_server):
    """Note la console, les erreurs de script et toute ressource qui ne vient pas d'ici."""
    page.fautes = []

    def ailleurs(requete):
        if not requete.url.startswith((live_server.url, "data:")):
            page.fautes.append(requete.url)

    page.on("console", lambda m: page.fautes.append(m.text) if m.type in ("error", "warning") else None)
    page.on("pageerror", lambda e: page.fautes.append(str(e)))
    page.on("request", ailleurs)
    return page


@pytest.mark.timeout(600)
@pytest.mark.parametrize("langue", ["fr", "en"])
def test_chaque_etat_est_accessible_sans_debord_sans_ressource_tierce(monde, page_sans_faute, langue):
    fautes = {}
    for nom, adresse in monde.items():
        lues = constater(page_sans_faute, f"{adresse}?langue={langue}")
        # Chromium note lui-même les 404 et 410 à la console : c'est la réponse voulue.
        fautes |= {c: v for c, v in lues.items() if nom not in ("faux", "expire") or "status of 4" not in str(v)}
    fautes |= constater(page_sans_faute, f"{monde['ordinaire']}/donnees?langue={langue}")
    assert fautes == {}


def test_tout_se_lit_et_se_suit_sans_javascript_a_390(monde, browser):
    contexte = browser.new_context(java_script_enabled=False, viewport={"width": 390, "height": 844})
    page = contexte.new_page()
    page.goto(monde["ordinaire"])

    assert page.get_by_role("heading", level=1).count() == 1
    texte = page.inner_text("main").replace("\xa0", " ")
    assert "12 446,40 €" in texte  # 13 646,40 échus, 1 200 déjà reçus
    assert "FR76 3000 6000" in texte
    assert page.locator(".copier:visible").count() == 0  # sans script, pas de bouton qui ne ferait rien
    with page.expect_download() as telecharge:
        page.locator("a", has_text="PDF").first.click()
    assert telecharge.value.suggested_filename.endswith(".pdf")
    page.get_by_role("link", name="Vos données").click()
    assert "RGPD" in page.inner_text("main")
    page.get_by_role("link", name="English").click()
    assert page.locator("html").get_attribute("lang") == "en"
    contexte.close()


def test_le_code_du_papier_ouvre_la_page_au_telephone(monde, browser):
    from relances.models import LienPortail

    lien = LienPortail.objects.get(client__code="CL-00418")
    code = liens.ecrire_code(liens.code_du_lien(lien))
    contexte = browser.new_context(locale="fr-FR", java_script_enabled=False, viewport={"width": 390, "height": 844})
    page = contexte.new_page()
    page.goto(monde["code"])
    page.get_by_label("Code de la lettre").fill(code.lower())
    page.get_by_label("Votre numéro de client").fill("cl-00418")
    page.get_by_role("button", name="Ouvrir ma page").click()

    assert page.url == liens.adresse(lien)
    assert not contexte.cookies()
    contexte.close()


def test_le_jeton_ne_part_pas_dans_referer(monde, page):
    page.goto(monde["ordinaire"])
    vus = []
    page.on("request", lambda r: vus.append(r.headers.get("referer", "")))
    page.get_by_role("link", name="Vos données").click()
    page.wait_for_load_state("networkidle")

    assert vus
    assert not [referer for referer in vus if "/p/" in referer]  # la police ne dit que sa feuille


def test_copier_l_iban(monde, browser):
    contexte = browser.new_context(permissions=["clipboard-read", "clipboard-write"])
    page = contexte.new_page()
    page.goto(monde["ordinaire"])
    page.get_by_role("button", name="Copier l’IBAN").click()
    page.wait_for_selector("#copie-faite:has-text('Copié')", state="attached")

    assert page.evaluate("navigator.clipboard.readText()") == "FR7630006000011234567890189"
    contexte.close()


def test_a_trois_cent_vingt_pixels_rien_ne_deborde(monde, page):
    page.set_viewport_size({"width": 320, "height": 640})
    for adresse in monde.values():
        page.goto(adresse)
        assert deborde(page) == []
        assert fautes_axe(page) == []


def test_la_somme_de_la_page_est_celle_du_releve(monde):
    from clients.models import Client
    from recouvrement.portail.releve import relever

    releve = relever(Client.objects.get(code="CL-00418"), au=aujourd_hui())

    assert releve.compte("EUR").a_regler == Decimal("12446.40")
    assert releve.compte("USD").a_regler == Decimal(300)


@pytest.mark.timeout(300)
def test_les_ecrans_de_l_equipe_sont_accessibles(connexion, live_server, equipe):  # noqa: F811
    """Le réglage d'une société, les liens d'un client et leurs ouvertures, l'aperçu."""
    societe = equipe.affectations.get().societe
    ReglagePortail.objects.create(societe=societe, actif=True)
    client = societe.clients.first()
    lien = liens.donner(client, par=equipe, au=aujourd_hui())
    lien.visites.create(genre="visite", le=maintenant(), adresse_ip="203.0.113.7", agent="Antivirus/1")
    fautes = {}
    for chemin in (f"/administration/page-client/{societe.pk}/", f"/clients/{client.pk}/page/"):
        fautes |= constater(connexion, live_server.url + chemin)
    assert fautes == {}
