"""Un plan se règle, se compare, se publie dans un vrai navigateur ; « Ce soir » change en conséquence."""

from datetime import timedelta

import pytest
from axe_playwright_python.sync_playwright import Axe
from django.urls import reverse
from playwright.sync_api import expect

from factures.domaine.calendrier import jour_ouvre_suivant
from recouvrement.commun.horloge import aujourd_hui
from recouvrement.comptes.models import Role
from relances.domaine.natures import Nature
from relances.models import VersionEchelle
from relances.services.brouillons import nouveau_brouillon
from relances.services.plans import installer_plans
from tests.clients.factories import ClientFactory
from tests.comptes.factories import MOT_DE_PASSE, SocieteFactory, UtilisateurFactory
from tests.factures.factories import EcheanceFactory

pytestmark = [
    pytest.mark.reel,
    pytest.mark.variables_inconnues_permises,
    # pytest-base-url déclare encore sa fixture dans une classe.
    pytest.mark.filterwarnings("ignore:Session-scoped fixtures defined as instance methods"),
]
REGLES = {"runOnly": ["wcag2a", "wcag2aa", "wcag21a", "wcag21aa", "wcag22aa"]}
TAILLES = {"large": (1440, 900), "etroit": (390, 844)}


@pytest.fixture
def echelle(transactional_db):
    """Une pièce échue depuis six jours au prochain passage : le rappel courtois part."""
    societe = SocieteFactory()
    installer_plans(societe)
    au = jour_ouvre_suivant(aujourd_hui(), region=societe.region_feries)
    client = ClientFactory(societe=societe, type="entreprise", raison_sociale="Chaudronnerie Belcourt SAS")
    EcheanceFactory(client=client, echue_le=au - timedelta(days=6))
    return societe.echelles.get(code="entreprise")


@pytest.fixture
def ecran(echelle, live_server, page):
    marc = UtilisateurFactory(societe=echelle.societe, role=Role.RESPONSABLE)
    page.goto(f"{live_server.url}/compte/login/")
    page.fill("[type=email]", marc.courriel)
    page.fill("[type=password]", MOT_DE_PASSE)
    page.click("form:has([type=password]) [type=submit]")
    page.wait_for_url(lambda url: "/compte/login" not in url)
    return page


def test_regler_comparer_publier_change_ce_soir(ecran, echelle, live_server):
    ce_soir = live_server.url + reverse("relances:ce_soir")
    ecran.goto(ce_soir)
    expect(ecran.locator("main")).to_contain_text("Chaudronnerie Belcourt SAS")

    ecran.goto(live_server.url + reverse("relances:plan", args=[echelle.pk]))
    ecran.click("text=Modifier dans un brouillon")
    ecran.click(".barreau:has-text('Rappel courtois')")
    ecran.fill("[name$=-delai]", "11")
    ecran.press("[name$=-delai]", "Tab")
    expect(ecran.locator("#ecart h2")).to_have_text("Si publié : 1 client changerait")
    expect(ecran.locator("#ecart")).to_contain_text("Saisie en cours comprise")
    ecran.click("text=Enregistrer dans le brouillon")
    expect(ecran.locator("#ecart h2")).to_have_text("Si publié : 1 client changerait")

    ecran.fill("#pub_note", "Six jours de plus avant le premier rappel")
    ecran.click("#publier button")
    expect(ecran.locator("dialog[open]")).to_contain_text("1 client serait relancé autrement")
    ecran.click("dialog[open] button:has-text('Publier')")
    expect(ecran.locator("h1 + div")).to_contain_text("Version 2, publiée")
    version = VersionEchelle.objects.get(echelle=echelle, statut="publiee")
    assert (version.numero, version.reprise) == (2, "nouvelles")

    ecran.goto(ce_soir)
    expect(ecran.locator("main")).not_to_contain_text("Chaudronnerie Belcourt SAS")


def test_les_ecrans_d_un_plan_sont_accessibles_et_tiennent_dans_leur_largeur(ecran, echelle, live_server):
    brouillon = nouveau_brouillon(echelle, par=None)
    brouillon.paliers.filter(nature=Nature.RAPPEL_COURTOIS).update(delai=11)
    client = echelle.societe.clients.get()
    adresses = [
        reverse("relances:plans"),
        reverse("relances:plan", args=[echelle.pk]),
        reverse("relances:plan_versions", args=[echelle.pk]),
        reverse("relances:plan_clients", args=[echelle.pk]) + "?q=belcourt",
        reverse("relances:plan_comparaison", args=[echelle.pk]),
        reverse("relances:plan_du_client", args=[client.pk]),
    ]
    fautes = {}
    for chemin in adresses:
        for nom, (largeur, hauteur) in TAILLES.items():
            for theme in ("light", "dark"):
                ecran.set_viewport_size({"width": largeur, "height": hauteur})
                ecran.emulate_media(color_scheme=theme)
                ecran.goto(live_server.url + chemin)
                ecran.wait_for_load_state("networkidle")
                violations = Axe().run(ecran, options=REGLES).response["violations"]
                constat = [(v["id"], n["html"][:160]) for v in violations for n in v["nodes"][:2]]
                if ecran.evaluate("document.documentElement.scrollWidth > innerWidth + 1"):
                    constat.append(("débord", largeur))
                if constat:
                    fautes[f"{chemin} {nom} {theme}"] = constat
    assert fautes == {}


def test_une_saisie_non_enregistree_ne_se_perd_pas_sans_le_dire(ecran, echelle, live_server):
    """Changer de palier demande ; rester garde la saisie, et la publication demande d'abord ce qui change."""
    ecran.goto(live_server.url + reverse("relances:plan", args=[echelle.pk]))
    ecran.click("text=Modifier dans un brouillon")
    ecran.click(".barreau:has-text('Rappel courtois')")
    ecran.fill("[name$=-delai]", "9")
    questions = []
    ecran.once("dialog", lambda d: (questions.append(d.type), d.dismiss()))
    ecran.click(".barreau:has-text('Appel')", no_wait_after=True)
    expect(ecran.locator("[name$=-delai]")).to_have_value("9")
    assert questions == ["beforeunload"]

    ecran.click("#publier button")
    expect(ecran.locator("dialog[open]")).to_have_count(0)
    ecran.fill("#pub_note", "Plus doux")
    ecran.click("#publier button")
    ecran.click("dialog[open] button:has-text('Publier')")
    expect(ecran.locator("h1 + div")).to_contain_text("Version 2, publiée")
    version = VersionEchelle.objects.get(echelle=echelle, statut="publiee")
    assert version.paliers.get(nature=2).delai == 9
