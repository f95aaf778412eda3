"""Le navigateur d'un parcours : où il va, ce qu'il lit, les fautes relevées en chemin."""

from collections import defaultdict
from io import BytesIO

from django.urls import reverse
from playwright.sync_api import TimeoutError
from pypdf import PdfReader

from tests.comptes.factories import MOT_DE_PASSE

from .test_ecrans import LARGEURS, deborde, fautes_axe

PATIENCE = 60_000  # ms : le worker démarre pendant que la page attend
# Une frappe de plus annule la requête d'avant ; une saisie refusée répond 422.
VOULUES = ("htmx:afterRequest", "htmx:sendAbort", "Failed to load resource: the server responded with a status of 422")


def au_repos(page) -> None:
    """htmx a fini d'échanger : un fragment à peine posé n'écoute pas encore, et Playwright tape trop vite."""
    page.wait_for_function(
        "() => !document.querySelector('.htmx-request, .htmx-swapping, .htmx-settling, .htmx-added')", timeout=PATIENCE
    )


class Parcours:
    """Le navigateur, et les fautes relevées à chaque écran traversé."""

    def __init__(self, page, racine: str):
        self.page, self.racine = page, racine
        self.fautes: dict[str, list] = defaultdict(list)
        page.on("console", self._noter)
        page.on("pageerror", lambda e: self.fautes["script"].append(str(e)))
        self.taille("bureau")

    def _noter(self, message) -> None:
        if message.type in ("error", "warning") and not message.text.startswith(VOULUES):
            self.fautes["console"].append(message.text)

    def taille(self, nom: str) -> None:
        self.page.set_viewport_size(dict(zip(("width", "height"), LARGEURS[nom], strict=True)))

    def entrer(self, personne) -> None:
        self.aller("account_login")
        self.page.fill("[type=email]", personne.courriel)
        self.page.fill("[type=password]", MOT_DE_PASSE)
        self.page.click("form:has([type=password]) [type=submit]")
        self.page.wait_for_url(lambda url: "/compte/login" not in url)
        self.fautes.clear()  # la page de connexion a son propre essai

    def aller(self, route: str, *args, **parametres) -> None:
        suite = "&".join(f"{cle}={valeur}" for cle, valeur in parametres.items())
        self.page.goto(f"{self.racine}{reverse(route, args=args)}?{suite}")

    def controler(self, ecran: str) -> None:
        """axe et débord, clair et sombre, large et étroit ; l'écran reste tel que le parcours l'a laissé."""
        for nom in ("bureau", "telephone"):
            self.taille(nom)
            for theme in ("light", "dark"):
                self.page.emulate_media(color_scheme=theme, reduced_motion="reduce")  # un fondu en cours pâlit
                if constat := [*fautes_axe(self.page), *deborde(self.page)]:
                    self.fautes[f"{ecran} {nom} {theme}"] += constat
        self.taille("bureau")
        self.page.emulate_media(color_scheme="light", reduced_motion="no-preference")

    def dit(self, texte: str) -> None:
        """Le texte est à l'écran ; les espaces insécables comptent pour des espaces."""
        try:
            self.page.wait_for_function(
                "texte => document.body.innerText.replace(/[\\u00a0\\u202f]/g, ' ').includes(texte)", arg=texte,
                timeout=PATIENCE,
            )  # fmt: skip
        except TimeoutError as absent:
            raise AssertionError(f"« {texte} » n'est pas à l'écran :\n{self.page.inner_text('body')}") from absent

    def pdf(self, lien):
        """Les pages du PDF d'un lien, demandé avec la session du navigateur."""
        reponse = self.page.request.get(self.racine + lien.get_attribute("href"))
        assert reponse.status == 200 and reponse.headers["content-type"] == "application/pdf"
        return PdfReader(BytesIO(reponse.body())).pages


def lire(pages) -> str:
    """Le texte de ces pages d'un PDF, d'un trait."""
    return " ".join(" ".join(page.extract_text() for page in pages).split()).replace("\u202f", " ")
