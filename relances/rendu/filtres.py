"""Bibliothèque des gabarits de lettres : écriture des nombres et des dates, paragraphes modifiables.

Chargée d'office par `moteur` ; `euros` et `eur_en` suivent la devise de la somme (`Somme`), car une
lettre en dollars n'écrit pas d'euros.
"""

import re
from decimal import Decimal
from functools import partial
from html import unescape

from django import template
from django.template.base import TextNode
from django.utils.html import escape, strip_tags
from django.utils.safestring import SafeString

from recouvrement.commun.domaine import ecriture
from relances.domaine.texte_ferme import remplacer

from .moteur import typographier

register = template.Library()


class Somme(Decimal):
    """Un montant et sa devise."""

    devise: str

    def __new__(cls, valeur: Decimal, devise: str = "EUR"):
        somme = super().__new__(cls, valeur)
        somme.devise = devise
        return somme


@register.filter
def euros(x):
    return ecriture.somme(x, getattr(x, "devise", "EUR"))


@register.filter
def eur_en(x):
    return ecriture.somme_en(x, getattr(x, "devise", "EUR"))


for _nom in (
    "montant pct jj jjmm date_longue date_jour semestre amount pct_en date_en date_en_day semestre_en iban siren sms"
).split():
    register.filter(_nom, getattr(ecriture, _nom))


BLANC = SafeString('<span class="v">&nbsp;</span>')


@register.filter
def a_completer(valeur):
    """La valeur, ou un blanc pointillé qu'une personne remplira à la main."""
    return valeur or BLANC


# --- Paragraphes qu'une personne peut réécrire avant l'envoi (exigence 29) ------------------------
_GRAS = re.compile(r"\*\*(.+?)\*\*", re.S)
_BALISE_GRAS = re.compile(r"</?b>")


def en_texte(html: str) -> str:
    """Paragraphe rendu → texte modifiable : le gras s'écrit `**ainsi**`."""
    texte = unescape(strip_tags(_BALISE_GRAS.sub("**", html)))
    return re.sub(r"[ \t\n]+", " ", texte).strip()


def en_html(texte: str) -> str:
    """Texte d'une personne → HTML : tout est échappé, sauf le gras et les retours à la ligne."""
    lignes = str(escape(texte.strip())).replace("\r\n", "\n").replace("\n", "<br>")
    return SafeString(_GRAS.sub(r"<b>\1</b>", lignes))


class Paragraphe(template.Node):
    """Un paragraphe livré ; `source` est un texte du langage fermé, comme celui qui le remplace."""

    def __init__(self, nom: str, source: str):
        self.nom, self.source = nom, source

    def render(self, context):
        en_page = context.autoescape  # une lettre ; un courriel ou un SMS est du texte
        ecrit = context["textes"].get(self.nom)
        if ecrit is not None:  # une personne l'a réécrit : tel quel, sans rien y remplacer
            context["recueil"][self.nom] = ecrit
            return en_html(ecrit) if en_page else ecrit.replace("**", "")
        source, valeurs = context["modele"].get(self.nom, self.source), context["valeurs"]
        typo = partial(typographier, anglais=valeurs.langue == "en")
        rendu = remplacer(source, valeurs.__getitem__, html=en_page, litteral=typo, gras="")
        context["recueil"][self.nom] = en_texte(rendu) if en_page else rendu
        return SafeString(rendu)


@register.tag
def paragraphe(parser, token):
    """`{% paragraphe NOM %}…{% finparagraphe %}` : le texte livré, ou celui qui le remplace.

    Son contenu est du langage fermé (`domaine.texte_ferme`) : ni balise ni variable de gabarit, ni HTML. Chaque
    paragraphe rendu est aussi déposé dans `recueil`, d'où l'écran tire ses champs.
    """
    try:
        _, nom = token.split_contents()
    except ValueError:
        raise template.TemplateSyntaxError("{% paragraphe NOM %} attend un nom et un seul") from None
    contenu = parser.parse(("finparagraphe",))
    parser.delete_first_token()
    if any(not isinstance(noeud, TextNode) for noeud in contenu):
        raise template.TemplateSyntaxError(f"paragraphe {nom} : du texte et des [[noms]], ni balise ni variable")
    return Paragraphe(nom, "".join(noeud.s for noeud in contenu))
