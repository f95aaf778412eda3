"""Le HTML d'un courriel mis en texte : jamais rendu, les citations en « > », en temps linéaire.

Un analyseur complet n'est pas linéaire sur un HTML fabriqué (des balises ouvertes par centaines de mille) : on lit les
balises à la suite, sans arbre, et ce qu'on en tire n'est que du texte, échappé à l'affichage.
"""

import html
import re

HTML_MAX = 2_000_000  # caractères
PROFONDEUR_MAX = 20
ATTRIBUT_MAX = 10_000  # caractères d'une valeur d'attribut entre guillemets
_BLOCS = frozenset(
    "p div blockquote li ul ol tr table h1 h2 h3 h4 h5 h6 pre section article header footer dd dt".split()
)
_MUETS = ("script", "style", "title")
_BALISE = re.compile(r"<(/?)([a-zA-Z][a-zA-Z0-9:-]{0,30})")


def en_texte(source: str) -> str:
    """Le texte lisible d'un HTML quelconque, une ligne par bloc. Ne lève pas."""
    texte = _Texte()
    for ferme, balise, morceau in _lire(source[:HTML_MAX].replace("\x00", "")):
        if morceau:
            texte.ligne.append(morceau)
        elif balise == "blockquote":
            texte.poser()
            texte.niveau = max(0, texte.niveau + (-1 if ferme else 1))
        elif balise == "hr":
            texte.poser()
            texte.ligne.append("_" * 32)
            texte.poser()
        elif balise == "br":
            texte.poser(vide=True)
        elif balise in _BLOCS:
            texte.poser(vide=balise == "p" and bool(ferme))
        elif balise in ("td", "th"):
            texte.ligne.append(" ")
    texte.poser()
    return "\n".join(texte.lignes).strip("\n")


class _Texte:
    def __init__(self):
        self.lignes, self.ligne, self.niveau = [], [], 0

    def poser(self, *, vide: bool = False) -> None:
        """Finit la ligne en cours ; `vide` : une ligne blanche au plus si elle n'a rien."""
        texte = " ".join(html.unescape("".join(self.ligne)).replace("\xa0", " ").split())
        self.ligne = []
        if texte or (vide and self.lignes and self.lignes[-1].strip("> ")):
            self.lignes.append(("> " * min(self.niveau, PROFONDEUR_MAX) + texte).rstrip())


def _lire(source: str):
    """(fermante, balise, "") ou ("", "", texte), dans l'ordre ; commentaires, scripts et styles sautés."""
    place, fin, bas = 0, len(source), source.lower()
    dernieres = {nom: bas.rfind("</" + nom) for nom in _MUETS}
    while place < fin:
        debut = source.find("<", place)
        if debut < 0:
            debut = fin
        if debut > place:
            yield "", "", source[place:debut]
        balise = _BALISE.match(source, debut)
        if balise:
            place = _fin_de_balise(source, balise.end())
            nom = balise[2].lower()
            if not balise[1] and dernieres.get(nom, -1) >= place:
                place = bas.find("</" + nom, place)
            else:
                yield balise[1], nom, ""
        elif source.startswith(("<!", "<?", "</"), debut):
            marque = "-->" if source.startswith("<!--", debut) else ">"
            trouve = source.find(marque, debut + 2)
            if trouve < 0:
                return
            place = trouve + len(marque)
        elif debut < fin:
            yield "", "", "<"
            place = debut + 1
        else:
            return


def _fin_de_balise(source: str, place: int) -> int:
    """Rang qui suit le « > » de la balise ; un « > » entre guillemets n'en est pas un."""
    fin = source.find(">", place)
    while fin >= 0:
        guillemet = min((g for g in (source.find('"', place, fin), source.find("'", place, fin)) if g >= 0), default=-1)
        if guillemet < 0:
            return fin + 1
        ferme = source.find(source[guillemet], guillemet + 1, guillemet + ATTRIBUT_MAX)
        if ferme < 0:
            return fin + 1
        place = ferme + 1
        if place > fin:
            fin = source.find(">", place)
    return len(source)
