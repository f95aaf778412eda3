"""Documents dans un vrai navigateur : une image collée, un PDF déposé, l'un retiré puis remis."""

import base64
import re
from io import BytesIO

import pytest
from django.urls import reverse
from PIL import Image
from playwright.sync_api import expect

from clients.models import Document
from relances.services.plans import installer_plans
from tests.clients.factories import ClientFactory
from tests.commun.test_fichiers import pdf
from tests.comptes.factories import MOT_DE_PASSE, SocieteFactory, UtilisateurFactory

from .test_ecrans import constater_ici

pytestmark = [
    pytest.mark.reel,
    pytest.mark.variables_inconnues_permises,
    pytest.mark.filterwarnings("ignore:Session-scoped fixtures defined as instance methods"),
]
COLLER = """([nom, type, b64]) => {
  const octets = Uint8Array.from(atob(b64), (c) => c.charCodeAt(0));
  const sac = new DataTransfer();
  sac.items.add(new File([octets], nom, { type }));
  document.body.dispatchEvent(new ClipboardEvent("paste", { clipboardData: sac, bubbles: true, cancelable: true }));
}"""
DEPOSER = """([nom, type, b64]) => {
  const octets = Uint8Array.from(atob(b64), (c) => c.charCodeAt(0));
  const sac = new DataTransfer();
  sac.items.add(new File([octets], nom, { type }));
  for (const quoi of ["dragenter", "dragover", "drop"])
    document.querySelector("h1").dispatchEvent(
      new DragEvent(quoi, { dataTransfer: sac, bubbles: true, cancelable: true }));
}"""


def image() -> bytes:
    sortie = BytesIO()
    Image.new("RGB", (40, 30), "navy").save(sortie, "PNG")
    return sortie.getvalue()


@pytest.fixture
def onglet(transactional_db, live_server, page, settings, tmp_path):
    settings.DEPOT = tmp_path / "depot"
    societe = SocieteFactory()
    installer_plans(societe)
    claire = UtilisateurFactory(societe=societe, nom="Claire Bonnet")
    client = ClientFactory(societe=societe, gestionnaire=claire, raison_sociale="Chaudronnerie Belcourt SAS")
    page.fautes = []
    page.on("console", lambda m: page.fautes.append(m.text) if m.type in ("error", "warning") else None)
    page.on("pageerror", lambda e: page.fautes.append(str(e)))
    page.goto(f"{live_server.url}/compte/login/")
    page.fill("[type=email]", claire.courriel)
    page.fill("[type=password]", MOT_DE_PASSE)
    page.click("form:has([type=password]) [type=submit]")
    page.wait_for_url(f"{live_server.url}/")
    page.fautes.clear()
    page.goto(f"{live_server.url}{reverse('clients:fiche', args=[client.pk])}?o=documents")
    return page


def geste(page, script, nom, type_, octets):
    page.evaluate(script, [nom, type_, base64.b64encode(octets).decode()])


def test_coller_une_image_deposer_un_pdf_retirer_puis_remettre(onglet):
    toast = onglet.locator("[data-toast]")
    geste(onglet, COLLER, "image.png", "image/png", image())
    expect(toast).to_contain_text("1 document joint.")
    expect(onglet.locator("#liste tbody tr")).to_have_count(1)
    expect(onglet.locator("#liste tbody")).to_contain_text(re.compile(r"collage-[\d-]+\.png"))

    geste(onglet, DEPOSER, "Bon de livraison.pdf", "application/pdf", pdf())
    expect(onglet.locator("#liste tbody tr")).to_have_count(2)
    expect(onglet.locator("#liste tbody")).to_contain_text("Bon de livraison.pdf")

    onglet.get_by_role("button", name="Retirer Bon de livraison.pdf").click()
    expect(onglet.locator("#liste tbody tr")).to_have_count(1)
    onglet.locator("[data-toast] button", has_text=re.compile("^Annuler")).click()
    expect(onglet.locator("#liste tbody tr")).to_have_count(2)
    assert Document.objects.gardes().count() == 2
    assert onglet.fautes == []


def test_un_fichier_qui_ment_est_refuse_sur_place_et_la_fiche_reste(onglet):
    geste(onglet, DEPOSER, "facture.pdf", "application/pdf", b"<html>bonjour</html>")

    expect(onglet.locator("#toasts")).to_contain_text("facture.pdf")
    expect(onglet.locator("h1")).to_have_text("Chaudronnerie Belcourt SAS")
    assert not Document.objects.exists()


def test_le_texte_colle_dans_un_champ_reste_du_texte(onglet):
    onglet.fill("[name=titre]", "")
    onglet.locator("[name=titre]").focus()
    onglet.evaluate(
        """() => { const sac = new DataTransfer(); sac.setData("text/plain", "Contrat");
        document.activeElement.dispatchEvent(new ClipboardEvent("paste", { clipboardData: sac, bubbles: true })); }"""
    )

    expect(onglet.locator("#toasts [data-toast]")).to_have_count(0)
    assert onglet.fautes == []


def test_l_onglet_tient_et_reste_accessible(onglet):
    geste(onglet, DEPOSER, "x" * 120 + ".pdf", "application/pdf", pdf())
    expect(onglet.locator("#liste tbody tr")).to_have_count(1)

    assert constater_ici(onglet, "documents") == {}
