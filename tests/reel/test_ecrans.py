"""Chaque écran dans un vrai navigateur : accessible (axe, WCAG 2.2 AA), sans débord, sans refus de la CSP."""

from datetime import UTC, datetime
from decimal import Decimal

import pytest
from axe_playwright_python.sync_playwright import Axe
from django.urls import URLPattern, URLResolver, get_resolver

from recouvrement.commun.vues import adresse
from recouvrement.comptes.models import Role, Societe
from relances.services.brouillons import nouveau_brouillon
from relances.services.plans import installer_plans
from tests.clients.factories import ClientFactory
from tests.comptes.factories import MOT_DE_PASSE, SocieteFactory, UtilisateurFactory
from tests.factures.factories import EcheanceFactory, EncaissementFactory

pytestmark = [
    pytest.mark.reel,
    pytest.mark.variables_inconnues_permises,
    # pytest-base-url déclare encore sa fixture dans une classe.
    pytest.mark.filterwarnings("ignore:Session-scoped fixtures defined as instance methods"),
]

REGLES = {"runOnly": ["wcag2a", "wcag2aa", "wcag21a", "wcag21aa", "wcag22aa"], "resultTypes": ["violations"]}
AXE = Axe()
LARGEURS = {"bureau": (1440, 900), "tablette": (1100, 800), "telephone": (390, 844)}
ETROIT = 320  # WCAG 1.4.10 : rien ne défile en largeur


def ecrans() -> list[str]:
    """Adresses fixes de la maison : toute vue qui déclare un droit et se lit sans argument."""

    def parcourir(motifs, prefixe=""):
        for motif in motifs:
            if isinstance(motif, URLResolver):
                yield from parcourir(motif.url_patterns, prefixe + str(motif.pattern))
            elif isinstance(motif, URLPattern) and getattr(motif.callback, "droit", None):
                yield "/" + prefixe + str(motif.pattern)

    chemins = set(parcourir(get_resolver().url_patterns))
    gestes = "preferences/"  # des POST, sauf la page elle-même
    return sorted(c for c in chemins if "<" not in c and (gestes not in c or c.endswith(f"/{gestes}")))


@pytest.fixture
def equipe(transactional_db):
    """Une société au travail : quelques clients, des dettes d'âges divers, un virement à affecter."""
    societe = SocieteFactory(alimentee_par_import=True, relances_actives=True)
    Societe.objects.filter(pk=societe.pk).update(dernier_import_le=datetime(2026, 11, 20, 6, 12, tzinfo=UTC))
    admin = UtilisateurFactory(role=Role.ADMINISTRATEUR, societe=societe, nom="Paul Renaud")
    for n in range(12):
        client = ClientFactory(societe=societe, gestionnaire=admin, plafond=Decimal(20_000))
        EcheanceFactory(client=client, reste=Decimal(1234 * (n + 1)))
        if n % 3 == 0:
            EncaissementFactory(client=client, montant=Decimal(100))
    installer_plans(societe)
    nouveau_brouillon(societe.echelles.first(), par=admin)
    return admin


def fiches(equipe) -> list[str]:
    """Adresses des écrans d'un objet, pris dans la société de l'équipe."""
    societe = equipe.affectations.get().societe
    client = societe.clients.first()
    objets = [
        ("clients:fiche", client),
        ("factures:fiche", client.factures.first()),
        ("relances:plan", societe.echelles.first()),
        ("relances:plan_versions", societe.echelles.first()),
        ("relances:plan_clients", societe.echelles.first()),
        ("relances:plan_comparaison", societe.echelles.first()),
        ("relances:plan_du_client", client),
        ("comptes:utilisateur", equipe),
        ("comptes:societe", societe),
    ]
    return [url for route, objet in objets if (url := adresse(route, objet.pk))]


@pytest.fixture
def connexion(equipe, live_server, page):
    page.fautes = []
    page.on("console", lambda m: page.fautes.append(m.text) if m.type in ("error", "warning") else None)
    page.on("pageerror", lambda e: page.fautes.append(str(e)))
    page.goto(f"{live_server.url}/compte/login/")
    page.fill("[type=email]", equipe.courriel)
    page.fill("[type=password]", MOT_DE_PASSE)
    page.click("form:has([type=password]) [type=submit]")
    page.wait_for_url(lambda url: "/compte/login" not in url)
    page.fautes.clear()
    return page


def deborde(page) -> list[str]:
    """Éléments qui sortent de l'écran à droite, s'il défile ; vide d'ordinaire."""
    return page.evaluate(
        """() => document.documentElement.scrollWidth <= innerWidth + 1 ? [] :
        [...document.querySelectorAll("main *")].filter((e) => e.getBoundingClientRect().right > innerWidth + 1)
        .slice(0, 6).map((e) => e.outerHTML.slice(0, 90))"""
    )


def fautes_axe(page) -> list[tuple]:
    """[(règle, élément, ce qui manque)] ; axe se pose une fois par page, ses 500 Ko coûtent autant que sa lecture."""
    if not page.evaluate("'axe' in window"):
        page.evaluate(AXE.axe_script)
    violations = page.evaluate("options => axe.run(options).then((r) => r.violations)", REGLES)
    return [(v["id"], n["html"][:160], n["failureSummary"]) for v in violations for n in v["nodes"][:2]]


def constater(page, url: str) -> dict[str, list]:
    """{taille et thème: fautes} d'un écran : axe, débord et console, large, moyen et étroit, clair et sombre."""
    page.emulate_media(color_scheme="light", reduced_motion="reduce")  # un fondu en cours pâlit
    page.set_viewport_size({"width": 1440, "height": 900})
    page.goto(url)
    return constater_ici(page, url)


def constater_ici(page, nom: str) -> dict[str, list]:
    """Comme `constater`, l'écran tel qu'il est : la largeur et le thème changent sous lui, sans le recharger."""
    fautes = {}
    for taille, (largeur, hauteur) in LARGEURS.items():
        page.set_viewport_size({"width": largeur, "height": hauteur})
        for theme in ("light", "dark"):
            page.emulate_media(color_scheme=theme, reduced_motion="reduce")
            if constat := [*fautes_axe(page), *deborde(page), *page.fautes]:
                fautes[f"{nom} {taille} {theme}"] = constat
            page.fautes.clear()
    page.set_viewport_size({"width": ETROIT, "height": 640})
    if debord := deborde(page):
        fautes[f"{nom} {ETROIT}"] = debord
    return fautes


@pytest.mark.timeout(600)
def test_chaque_ecran_est_accessible_tient_dans_sa_largeur_et_respecte_la_csp(connexion, live_server, equipe):
    page, fautes = connexion, {}
    for chemin in [*ecrans(), *fiches(equipe)]:
        reponse = page.request.get(live_server.url + chemin)
        if reponse.status == 405 or "text/html" not in reponse.headers.get("content-type", ""):
            continue  # un geste, un export
        assert reponse.status == 200, chemin
        if "<html" not in reponse.text():
            continue  # un fragment
        fautes |= constater(page, live_server.url + chemin)
    assert fautes == {}


def test_la_page_de_connexion_est_accessible_clair_et_sombre(live_server, page, transactional_db):
    for theme in ("light", "dark"):
        for taille in LARGEURS.values():
            page.emulate_media(color_scheme=theme)
            page.set_viewport_size(dict(zip(("width", "height"), taille, strict=True)))
            page.goto(f"{live_server.url}/compte/login/")
            assert (fautes_axe(page), deborde(page)) == ([], [])


def test_le_clavier_cherche_parcourt_aide_et_se_desactive(connexion, live_server):
    page = connexion
    page.goto(f"{live_server.url}/administration/societes/")
    page.keyboard.press("j")
    assert page.evaluate("document.activeElement.classList.contains('lien-ligne')")
    page.keyboard.press("Control+k")
    assert page.evaluate("document.activeElement.id") == "recherche"
    page.keyboard.type("Client 1")
    page.wait_for_selector("#recherche-rapide a")
    page.keyboard.press("ArrowDown")
    assert page.evaluate("document.activeElement.closest('#recherche-rapide') !== null")
    page.keyboard.press("Escape")
    assert page.locator("#recherche-rapide a").count() == 0
    page.evaluate("document.activeElement.blur()")
    page.keyboard.press("Shift+?")
    page.wait_for_selector("#aide-clavier:popover-open")
    page.uncheck("[data-raccourcis]")
    page.keyboard.press("Escape")
    page.reload()
    page.keyboard.press("j")
    assert page.evaluate("document.activeElement === document.body")


def test_le_theme_bascule_et_reste_a_la_page_suivante(connexion, live_server, equipe):
    page = connexion
    page.emulate_media(color_scheme="light")
    page.goto(f"{live_server.url}/administration/")
    with page.expect_response("**/preferences/theme"):
        page.click("[data-theme-bascule] button")
    page.goto(f"{live_server.url}/administration/taux/")
    assert page.get_attribute("html", "data-bs-theme") == "dark"


def test_un_geste_irreversible_se_confirme_et_un_double_envoi_ne_part_qu_une_fois(connexion, live_server, equipe):
    page = connexion
    page.goto(f"{live_server.url}/administration/utilisateurs/{equipe.pk}/")
    page.evaluate("document.querySelector('[data-confirmer]').form.noValidate = true")
    page.click("[data-confirmer]")
    assert page.is_visible("#confirmation")
    page.keyboard.press("Escape")
    assert not page.is_visible("#confirmation")

    envois = []
    page.route("**/inviter", lambda route: (envois.append(1), route.abort()))
    page.evaluate("""() => { const f = document.querySelector('form[action$=inviter]');
        f.requestSubmit(); f.requestSubmit(); f.requestSubmit(); }""")
    page.wait_for_timeout(300)
    assert len(envois) == 1


def test_sans_script_la_connexion_le_tri_et_le_menu_marchent(equipe, live_server, browser):
    contexte = browser.new_context(java_script_enabled=False)
    page = contexte.new_page()
    page.goto(f"{live_server.url}/compte/login/?next=/administration/")
    page.fill("[type=email]", equipe.courriel)
    page.fill("[type=password]", MOT_DE_PASSE)
    page.click("form:has([type=password]) [type=submit]")
    page.click("#tri-connexion")
    assert "tri=connexion" in page.url
    page.click(".menu-compte > summary")
    page.click("text=Se déconnecter")
    assert "/compte/login" in page.url
    contexte.close()


def test_une_cle_d_acces_s_ajoute_puis_ouvre_la_session_sans_mot_de_passe(connexion, live_server, equipe):
    page = connexion
    protocole = page.context.new_cdp_session(page)
    protocole.send("WebAuthn.enable")
    cle = {"protocol": "ctap2", "transport": "internal", "hasResidentKey": True, "hasUserVerification": True}
    cle |= {"isUserVerified": True, "automaticPresenceSimulation": True}
    protocole.send("WebAuthn.addVirtualAuthenticator", {"options": cle})
    page.goto(f"{live_server.url}/compte/2fa/webauthn/add/")
    if page.locator("[type=password]").count():  # la session est relue avant d'ajouter une clé
        page.fill("[type=password]", MOT_DE_PASSE)
        page.click("main [type=submit]")
    page.check("[name=passwordless]")
    with page.expect_navigation():
        page.click("#mfa_webauthn_add")
    assert equipe.authenticator_set.filter(type="webauthn").exists()

    page.click(".menu-compte > summary")
    page.click("text=Se déconnecter")
    with page.expect_navigation(url=lambda url: "/compte/login" not in url):
        page.click("#passkey_login")
    assert page.locator(".menu-compte").count() == 1
    assert page.fautes == []
