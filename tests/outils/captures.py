"""Captures de docs/captures, prises dans Chromium sur la démonstration.

    python -m tests.outils.captures            # toutes
    python -m tests.outils.captures ce-soir    # celles dont le nom contient ce mot

Base, fichiers et serveur sont jetables ; le jour est le prochain jour ouvré. Chaque image tient sous 200 Ko.
"""

import contextlib
import os
import subprocess
import sys
import tempfile
from collections.abc import Iterator
from io import BytesIO
from pathlib import Path
from typing import NamedTuple
from urllib.error import URLError
from urllib.request import urlopen

from PIL import Image
from playwright.sync_api import Page, sync_playwright

import demarrer
from tests.outils import moteurs
from tests.reel.processus import jours_jusqu_au_prochain_ouvre

RACINE = Path(__file__).resolve().parents[2]
DOSSIER = RACINE / "docs" / "captures"
POIDS_MAX = 200 * 1024
LARGE, ETROIT = (1440, 900), (390, 844)
MOT_DE_PASSE = "recouvrement-demo"
RESPONSABLE = "marc.delattre@vauquelin.example"


class Capture(NamedTuple):
    """gestes, avant l'image : un sélecteur se clique, un couple (sélecteur, valeur) se remplit."""

    nom: str
    chemin: str
    taille: tuple[int, int] = LARGE
    theme: str = "light"
    gestes: tuple[str | tuple[str, str], ...] = ()


CAPTURES = (
    Capture("ma-journee-1440", "/"),
    Capture("client-1440", "/clients/?q=belcourt", gestes=("main a.lien-ligne", "[data-touche=a]")),
    Capture("balance-agee-1440-sombre", "/balance-agee/", theme="dark"),
    Capture(
        "ce-soir-1440", "/relances/?societe=vauquelin", gestes=("[data-ouvre]:text-is('Chaudronnerie Belcourt SAS')",)
    ),
    Capture("a-valider-1440", "/relances/?v=valider", gestes=("[data-ouvre]", "[data-tout]")),
    Capture(
        "plan-1440",
        "/plans/?societe=vauquelin",
        gestes=("main a.lien-ligne", ("[name$=-delai]", "10")),
    ),
    Capture("affectation-1440", "/encaissements/"),
    Capture("contentieux-1440", "/contentieux/", gestes=("main a.lien-ligne",)),
    # La base est neuve : les identifiants sont ceux de la démonstration.
    Capture("comparaison-1440", "/plans/1/comparaison/"),
    Capture("decompte-1440", "/decomptes/1/"),
    Capture("modele-1440-sombre", "/modeles/2/", theme="dark"),
    Capture("lot-postal-1440", "/relances/lots/1/"),
    Capture("ma-journee-390", "/", ETROIT),
    Capture("ce-soir-390-sombre", "/relances/?v=valider", ETROIT, "dark", ("[data-ouvre]",)),
)


@contextlib.contextmanager
def application() -> Iterator[str]:
    """L'application sur la démonstration, dans un dossier jetable ; rend son adresse."""
    with tempfile.TemporaryDirectory(prefix="recouvrement-captures-") as dossier:
        env = os.environ | {
            "DJANGO_SETTINGS_MODULE": "recouvrement.settings.dev",
            "DATABASE_URL": f"sqlite:///{dossier}/captures.sqlite3",
            "RECOUVREMENT_VAR": dossier,
            "DECALAGE_JOURS": str(jours_jusqu_au_prochain_ouvre()),
            "DEMO": "1",
        }

        def commande(*mots: str) -> list[str]:
            return [sys.executable, str(RACINE / "manage.py"), *mots]

        for mots in (["migrate", "-v", "0"], ["donnees_demo"]):
            subprocess.run(commande(*mots), env=env, cwd=RACINE, check=True)
        port = demarrer.port_libre()
        adresse = f"http://127.0.0.1:{port}"
        with open(f"{dossier}/serveur.log", "ab") as journal:
            serveur = subprocess.Popen(
                commande("runserver", "--noreload", f"127.0.0.1:{port}"), env=env, cwd=RACINE, stdout=journal,
                stderr=subprocess.STDOUT,
            )  # fmt: skip
        try:
            if not demarrer.attendre(lambda: repond(f"{adresse}/sante"), 30):
                raise RuntimeError(Path(f"{dossier}/serveur.log").read_text())
            yield adresse
        finally:
            serveur.terminate()
            serveur.wait(10)


def repond(url: str) -> bool:
    try:
        return urlopen(url, timeout=2).status == 200  # noqa: S310 - toujours la boucle locale
    except (URLError, OSError):
        return False


def connecter(page: Page, adresse: str) -> None:
    page.goto(f"{adresse}/compte/login/")
    page.fill("[type=email]", RESPONSABLE)
    page.fill("[type=password]", MOT_DE_PASSE)
    page.click("form:has([type=password]) [type=submit]")
    page.wait_for_url(lambda url: "/compte/login" not in url)


def prendre(page: Page, adresse: str, capture: Capture) -> None:
    page.set_viewport_size(dict(zip(("width", "height"), capture.taille, strict=True)))
    page.emulate_media(color_scheme=capture.theme, reduced_motion="reduce")
    page.goto(adresse + capture.chemin)
    for geste in capture.gestes:
        if isinstance(geste, tuple):
            page.locator(geste[0]).first.fill(geste[1])
            page.locator(geste[0]).first.press("Tab")
        else:
            page.locator(geste).first.click()
        page.wait_for_timeout(500)  # la frappe se laisse retomber avant la requête
        page.wait_for_load_state("networkidle")
    page.wait_for_function("[...document.images].every((image) => image.complete)")
    page.mouse.move(0, 0)
    poids = enregistrer(page.screenshot(), DOSSIER / f"{capture.nom}.png")
    print(f"{capture.nom} : {poids // 1024} Ko")


def enregistrer(octets: bytes, chemin: Path) -> int:
    """Écrit l'image, en palette si elle dépasse le poids permis. Lève ValueError si cela ne suffit pas."""
    image = Image.open(BytesIO(octets)).convert("RGB")
    for candidate in (image, en_palette(image)):
        sortie = BytesIO()
        candidate.save(sortie, "PNG", optimize=True)
        if len(sortie.getvalue()) <= POIDS_MAX:
            chemin.write_bytes(sortie.getvalue())
            return len(sortie.getvalue())
    raise ValueError(f"{chemin.name} pèse {len(sortie.getvalue())} octets")


def en_palette(image: Image.Image) -> Image.Image:
    """256 couleurs : les aplats les plus présents à l'identique, le reste pour que chaque teinte rare survive."""
    frequentes = sorted(image.getcolors(1 << 24), reverse=True)[:176]
    rares = image.quantize(256 - len(frequentes), Image.Quantize.MAXCOVERAGE).getpalette()
    palette = Image.new("P", (1, 1))
    palette.putpalette([canal for _n, couleur in frequentes for canal in couleur] + rares)
    return image.quantize(palette=palette, dither=Image.Dither.NONE)


def principal(mots: list[str]) -> None:
    choisies = [c for c in CAPTURES if not mots or any(mot in c.nom for mot in mots)]
    DOSSIER.mkdir(parents=True, exist_ok=True)
    with application() as adresse, sync_playwright() as outil:
        navigateur = outil.chromium.launch(executable_path=moteurs.chromium(), args=["--no-sandbox"])
        page = navigateur.new_page(locale="fr-FR", timezone_id="Europe/Paris")
        connecter(page, adresse)
        for capture in choisies:
            prendre(page, adresse, capture)
        navigateur.close()


if __name__ == "__main__":
    principal(sys.argv[1:])
