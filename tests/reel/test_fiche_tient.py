"""La fiche tient à toutes les largeurs, noms hostiles compris, se lit sur papier, et dit pourquoi une lettre part."""

from datetime import timedelta
from decimal import Decimal

import pytest
from django.urls import reverse
from django.utils import timezone
from playwright.sync_api import expect

from recouvrement.commun.horloge import aujourd_hui
from relances.models import MessageRecu
from relances.services.plans import installer_plans
from tests.clients.factories import ClientFactory, ContactFactory, DocumentFactory, NoteFactory
from tests.comptes.factories import MOT_DE_PASSE, SocieteFactory, UtilisateurFactory
from tests.contentieux.factories import CourrierEnvoyeFactory
from tests.factures.factories import EcheanceFactory, EncaissementFactory, LitigeFactory, PromesseFactory

from .test_ecrans import fautes_axe

pytestmark = [
    pytest.mark.reel,
    pytest.mark.variables_inconnues_permises,
    pytest.mark.filterwarnings("ignore:Session-scoped fixtures defined as instance methods"),
]
ONGLETS = ["compte", "chronologie", "contacts", "documents", "conditions", "pourquoi"]
NOMS = {
    "de droite à gauche": "شركة الحدادة المتحدة للإنشاءات والمقاولات العامة ذات المسؤولية المحدودة",
    "d'un seul mot": "X" * 160,
    "ordinaire": "Chaudronnerie Belcourt SAS",
}


# De combien la page défile, et les premiers éléments qui dépassent, pour savoir où regarder ; null si elle tient.
DEBORD = """() => {
  const trop = document.documentElement.scrollWidth - innerWidth;
  if (trop <= 0) return null;
  const qui = [...document.querySelectorAll("main *")].filter((e) => e.getBoundingClientRect().right > innerWidth + 1
    && !e.closest(".defile"));
  return [trop, qui.slice(0, 6).map((e) => `${e.tagName}.${e.className?.baseVal ?? e.className}`)];
}"""


@pytest.fixture
def monde(transactional_db, live_server, page):
    societe = SocieteFactory()
    installer_plans(societe)
    claire = UtilisateurFactory(societe=societe, nom="Claire Bonnet")
    page.fautes = []
    page.on("console", lambda m: page.fautes.append(m.text) if m.type in ("error", "warning") else None)
    page.on("pageerror", lambda e: page.fautes.append(str(e)))
    page.goto(f"{live_server.url}/compte/login/")
    page.fill("[type=email]", claire.courriel)
    page.fill("[type=password]", MOT_DE_PASSE)
    page.click("form:has([type=password]) [type=submit]")
    page.wait_for_url(f"{live_server.url}/")
    page.fautes.clear()
    page.adresse = lambda client, o="compte": f"{live_server.url}{reverse('clients:fiche', args=[client.pk])}?o={o}"
    return page, societe, claire


def peupler(societe, claire, nom: str):
    au = aujourd_hui()
    client = ClientFactory(
        societe=societe, gestionnaire=claire, raison_sociale=nom[:160], plafond=Decimal(4000),
        adresse_invalide_le=au, ne_pas_appeler_le=au, ne_pas_appeler_motif=nom[:200], segment=nom[:40],
    )  # fmt: skip
    ContactFactory(client=client, nom=nom[:80], courriel="a" * 60 + "@" + "b" * 60 + ".example", invalide_le=au,
                   invalide_motif="boîte pleine", ne_pas_appeler=True)  # fmt: skip
    piece = EcheanceFactory(client=client, echue_le=au - timedelta(53), montant=9360)
    LitigeFactory(
        echeance=EcheanceFactory(client=client, echue_le=au - timedelta(20), montant=5616), montant_conteste=1200,
        a_traiter_le=au + timedelta(30), description=nom,
    )  # fmt: skip
    EcheanceFactory(client=client, echue_le=au - timedelta(5), montant=500, devise="GBP")
    PromesseFactory(echeances=[piece], date_promise=au + timedelta(2))
    EncaissementFactory(client=client, montant=1200, date=au, libelle=nom[:120])
    CourrierEnvoyeFactory([piece], nature=2)
    NoteFactory(client=client, auteur=claire, texte=nom * 4)
    DocumentFactory(client=client, nom=nom[:120] + ".pdf", titre=nom[:160])
    MessageRecu.objects.create(
        societe=societe, client=client, origine="imap", cle_source="<1@x>", categorie="reponse", texte=nom * 3,
        cite="> " * 40 + nom, de="c" * 60 + "@d.example", objet=nom, recu_le=timezone.now(),
    )  # fmt: skip
    return client


@pytest.mark.timeout(300)
def test_aucun_nom_ne_fait_defiler_la_page(monde):
    page, societe, claire = monde
    debords = {}
    for quoi, nom in NOMS.items():
        client = peupler(societe, claire, nom)
        for onglet in ONGLETS:
            page.goto(page.adresse(client, onglet))
            for largeur in (1440, 390, 320):
                page.set_viewport_size({"width": largeur, "height": 900})
                if debord := page.evaluate(DEBORD):
                    debords[quoi, onglet, largeur] = debord
        MessageRecu.objects.all().delete()

    assert not debords, debords
    assert page.fautes == []


@pytest.mark.timeout(300)
def test_chaque_onglet_est_accessible_plein_et_vide(monde):
    page, societe, claire = monde
    vide = ClientFactory(societe=societe, gestionnaire=claire, telephone="")
    fautes = {}
    for client in (peupler(societe, claire, NOMS["ordinaire"]), vide):
        for onglet in ONGLETS:
            page.goto(page.adresse(client, onglet))
            for theme in ("light", "dark"):
                page.emulate_media(color_scheme=theme, reduced_motion="reduce")
                if constat := fautes_axe(page):
                    fautes[client.raison_sociale, onglet, theme] = constat

    assert fautes == {}


def test_la_fiche_imprimee_se_suffit(monde):
    page, societe, claire = monde
    client = peupler(societe, claire, NOMS["ordinaire"])
    page.goto(page.adresse(client, "chronologie") + "&genre=recus")
    page.emulate_media(media="print")

    expect(page.locator(".fiche .seul-papier")).to_contain_text("Seulement : reçu.")
    expect(page.locator("#volet")).to_be_hidden()
    expect(page.locator(".onglets")).to_be_hidden()
    expect(page.locator(".chrono")).to_be_visible()
    assert page.pdf(format="A4", prefer_css_page_size=True).startswith(b"%PDF")


def test_pourquoi_cette_lettre_est_partie_se_trouve_sans_aide(monde):
    """De la fiche : Chronologie, puis la question sous le courrier. Deux clics, sans rien savoir."""
    page, societe, claire = monde
    client = peupler(societe, claire, NOMS["ordinaire"])
    page.goto(page.adresse(client))
    page.get_by_role("navigation", name="Fiche client").get_by_text("Chronologie").click()
    page.get_by_text("Pourquoi cette lettre est-elle partie ?").click()

    expect(page.locator(".chrono details[open]")).to_contain_text("Règle :")
    expect(page.locator(".chrono details[open]")).to_contain_text("Contrôle : passé")
    assert page.fautes == []
