"""Le langage des textes modifiables : des phrases, du `**gras**`, des `[[noms]]` remplacés. Pur.

Il n'y a ni boucle, ni appel, ni filtre, ni balise : l'interpréteur remplace des noms, il n'évalue rien. Un nom
s'écrit avec ou sans accents, majuscules et espaces de trop ; ce qui remplace un nom n'est jamais relu.
"""

import re
import unicodedata
from collections.abc import Callable, Collection
from difflib import get_close_matches
from html import escape
from typing import NamedTuple

LONGUEUR_MAX = 8_000  # caractères d'un paragraphe
MODELE_MAX = 20_000  # caractères de tous les paragraphes d'un modèle ; le plus long livré en a neuf cents
LIGNES_MAX = 60  # d'un paragraphe : au-delà, le moteur de mise en page y passe des dizaines de secondes
GRAS_MAX = 60  # d'un paragraphe, pour la même raison
DIACRITIQUES_MAX = 3  # de suite : aucune écriture n'en empile davantage
PROCHE = 0.75  # ressemblance à partir de laquelle un autre nom se propose

_JETON = re.compile(r"\[\[([^\[\]\n]*)\]\]|(\*\*)")
_CODE = re.compile(r"\{[{%#]|[}%#]\}")
_HTML = re.compile(r"<[/!?a-zA-Z][^>\s]{0,20}")
_ADRESSE = re.compile(
    r"[a-z][a-z0-9+.-]{0,20}://\S{0,40}|\bwww\.\S{1,40}|\b(?:data|javascript|mailto|cid):\S{1,40}"
    r"|(?<![\w.@-])(?:(?:[^\W_]|-){1,60}\.){1,6}[^\W\d_]{2,20}/\S{0,40}",
    re.I,
)
_CROCHETS = re.compile(r"\[\[|\]\]")
# Commandes, sens d'écriture, largeur nulle, séparateurs de ligne et de paragraphe : rien qui se lise.
_SANS_TEXTE = ("Cc", "Cf", "Co", "Cs", "Cn", "Zl", "Zp")
_BLANCS = frozenset("\u115f\u1160\u2800\u3164\uffa0")  # des « lettres » et un « symbole » qui ne se voient pas


class Faute(NamedTuple):
    """Ce que le texte ne peut pas dire.

    `code` : longueur, lignes, grasses, caractere, diacritiques, code, html, adresse, crochets, gras, inconnue.
    `rang` : position du premier caractère fautif, comptée de 1 ; `extrait` : lui, tel qu'écrit ; `propose` : le nom
    connu le plus proche.
    """

    code: str
    rang: int
    extrait: str
    propose: str = ""


def cle(nom: str) -> str:
    """Forme sous laquelle deux écritures d'un même nom se rejoignent : « Total à payer » = « total a payer »."""
    decompose = unicodedata.normalize("NFKD", nom.replace("’", "'").casefold())
    return " ".join("".join(c for c in decompose if not unicodedata.combining(c)).split())


def noms(source: str) -> list[str]:
    """Noms employés, tels qu'écrits, une fois chacun, dans l'ordre."""
    return list(dict.fromkeys(m[1] for m in _JETON.finditer(source) if m[2] is None))


def fautes(source: str, connus: Collection[str]) -> list[Faute]:
    """Tout ce qui empêche d'enregistrer `source`, dans l'ordre du texte ; vide s'il est recevable.

    connus : noms permis, tels qu'on les propose.
    """
    if len(source) > LONGUEUR_MAX:
        return [Faute("longueur", LONGUEUR_MAX + 1, str(len(source)))]
    trouvees = [
        Faute("caractere", rang, f"U+{ord(c):04X}")
        for rang, c in enumerate(source, 1)
        if c not in "\n\t" and (unicodedata.category(c) in _SANS_TEXTE or c in _BLANCS)
    ]
    trouvees += _empilees(source)
    for code, motif in (("code", _CODE), ("html", _HTML)):
        trouvees += [Faute(code, m.start() + 1, m[0]) for m in motif.finditer(source)]
    trouvees += _adresses(source)
    retours = [rang for rang, c in enumerate(source, 1) if c == "\n"]
    if len(retours) >= LIGNES_MAX:
        trouvees.append(Faute("lignes", retours[LIGNES_MAX - 1], str(len(retours) + 1)))
    par_cle = {cle(nom): nom for nom in connus}
    gras = []
    for m in _JETON.finditer(source):
        if m[2]:
            gras.append(m.start() + 1)
        elif cle(m[1]) not in par_cle:
            proches = get_close_matches(cle(m[1]), par_cle, n=1, cutoff=PROCHE)
            trouvees.append(Faute("inconnue", m.start() + 1, m[0], par_cle[proches[0]] if proches else ""))
    sans_jetons = _JETON.sub(lambda m: "." * len(m[0]), source)
    trouvees += [Faute("crochets", m.start() + 1, m[0]) for m in _CROCHETS.finditer(sans_jetons)]
    if len(gras) > 2 * GRAS_MAX:
        trouvees.append(Faute("grasses", gras[2 * GRAS_MAX], str(len(gras) // 2)))
    if len(gras) % 2:
        trouvees.append(Faute("gras", gras[-1], "**"))
    return sorted(trouvees, key=lambda f: f.rang)


def _empilees(source: str) -> list[Faute]:
    """Le premier diacritique de trop de chaque pile."""
    trouvees, suite = [], 0
    for rang, c in enumerate(source, 1):
        suite = suite + 1 if unicodedata.category(c) in ("Mn", "Me") else 0
        if suite == DIACRITIQUES_MAX + 1:
            trouvees.append(Faute("diacritiques", rang, f"U+{ord(c):04X}"))
    return trouvees


def _adresses(source: str) -> list[Faute]:
    """Les liens tels qu'une messagerie les lirait : pleine chasse, point idéographique et ligatures ramenés à plat."""
    plat, rangs = [], []
    for rang, c in enumerate(source, 1):
        lu = unicodedata.normalize("NFKC", c).replace("\u3002", ".")
        plat.append(lu)
        rangs += [rang] * len(lu)
    trouves = list(_ADRESSE.finditer("".join(plat)))
    return [Faute("adresse", rangs[m.start()], source[rangs[m.start()] - 1 : rangs[m.end() - 1]]) for m in trouves]


def remplacer(
    source: str,
    valeur: Callable[[str], str],
    *,
    html: bool = False,
    litteral: Callable[[str], str] = lambda s: s,
    gras: str = "**",
) -> str:
    """`source`, chaque `[[nom]]` changé en `valeur(cle(nom))`.

    html : tout est échappé, le gras devient `<b>`, un retour à la ligne `<br>`. Sinon le gras s'écrit `gras`.
    litteral : retouche du texte entre les noms (typographie) ; les valeurs n'y passent jamais.
    """
    sortie, fin, ouvert = [], 0, False

    def ecrire(texte: str) -> None:
        sortie.append(escape(texte).replace("\n", "<br>") if html else texte)

    for m in _JETON.finditer(source):
        ecrire(litteral(source[fin : m.start()]))
        fin = m.end()
        if m[2] is None:
            ecrire(valeur(cle(m[1])))
            continue
        ouvert = not ouvert
        sortie.append(("<b>" if ouvert else "</b>") if html else gras)
    ecrire(litteral(source[fin:]))
    if ouvert and html:
        sortie.append("</b>")
    return "".join(sortie)
