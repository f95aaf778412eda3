"""Composants d'écran : `{% load interface %}`. Mode d'emploi et exemples : docs/interface.md.

Chaque composant est une balise à paramètres nommés : un paramètre oublié a sa valeur par défaut,
une faute de frappe lève une erreur au lieu de s'effacer en silence.
"""

from decimal import Decimal

from django import template
from django.templatetags.static import static
from django.utils.html import format_html, format_html_join
from django.utils.safestring import SafeString, mark_safe
from django.utils.translation import gettext as _
from django.utils.translation import pgettext

from recouvrement.commun import vues

register = template.Library()

RIEN = mark_safe("")


# --- Petits signes ---------------------------------------------------------------------------


@register.simple_tag
def icone(nom, classe="", libelle=""):
    """Icône du sprite ; décorative sans `libelle`."""
    accessible = format_html('role="img" aria-label="{}"', libelle) if libelle else mark_safe('aria-hidden="true"')
    return format_html('<svg class="ic {}" {}><use href="{}#{}"/></svg>', classe, accessible, static("icones.svg"), nom)


def _noms_paliers() -> dict[int, str]:
    return {
        0: _("Aucune relance"),
        1: _("Avant échéance"),
        2: _("Rappel courtois"),
        3: pgettext("palier", "Appel"),
        4: _("Formalisation"),
        5: _("Mise en demeure"),
        6: _("Contentieux"),
    }


def classe_palier(nature) -> str:
    """Nature 0 à 6 → p0 à p5 : « aucune relance » et « avant échéance » partagent l'ardoise."""
    return f"p{max(int(nature or 0) - 1, 0)}"


@register.simple_tag
def palier(nature, pastillee=False, texte=""):
    """Barres montantes et nom du palier ; `texte` remplace le nom (« Palier 5 · Mise en demeure »)."""
    nature = int(nature or 0)
    barres = format_html_join(
        "",
        '<rect{} x="{}" y="{}" width="3" height="{}" rx="1"/>',
        (
            (mark_safe(' class="on"') if rang < nature - 1 else "", rang * 4, 11 - 2 * rang, 3 + 2 * rang)
            for rang in range(5)
        ),
    )
    return format_html(
        '<span class="palier {}{}"><svg viewBox="0 0 20 14" aria-hidden="true">{}</svg>{}</span>',
        classe_palier(nature),
        " pastillee" if pastillee else "",
        barres,
        texte or _noms_paliers()[nature],
    )


@register.filter
def ton_palier(nature):
    """Classe p0…p5 d'une nature, pour un jeton : `<span class="jeton {{ e.niveau|ton_palier }}">`."""
    return classe_palier(nature)


@register.simple_tag
def puce(texte, ton="", icone_nom=""):
    """Un état en deux mots ; ton parmi bon, att, mal, info, vide."""
    signe = icone(icone_nom) if icone_nom else RIEN
    return format_html('<span class="puce {}">{}{}</span>', ton, signe, texte)


@register.simple_tag
def risque(lettre):
    """Carré A à D, avec la phrase complète pour qui ne voit pas la couleur ; rien sans note."""
    if not lettre:
        return RIEN
    phrases = {"A": _("bon payeur"), "B": _("normal"), "C": _("à surveiller"), "D": _("élevé")}
    texte = _("Risque %(lettre)s, %(sens)s") % {"lettre": lettre, "sens": phrases[lettre]}
    return format_html(
        '<span class="risque r{0}" title="{1}"><span aria-hidden="true">{0}</span>'
        '<span class="visually-hidden">{1}</span></span>',
        lettre,
        texte,
    )


@register.simple_tag
def jauge(segments, total, libelle):
    """Barre 100 × 8 : `segments` = [(classe, valeur)…] sur `total` ; les valeurs négatives s'ignorent."""
    total = Decimal(total or 0)
    positifs = [(classe, Decimal(valeur)) for classe, valeur in segments if valeur and Decimal(valeur) > 0]
    plein = max(total, sum((v for _c, v in positifs), Decimal(0)))
    rects, x = [], Decimal(0)
    for classe, valeur in positifs:
        largeur = valeur * 100 / plein
        rects.append((classe, f"{x:.2f}", f"{max(largeur - Decimal('0.4'), Decimal('0.2')):.2f}"))
        x += largeur
    return format_html(
        '<svg class="jauge" viewBox="0 0 100 8" preserveAspectRatio="none" role="img" aria-label="{}">'
        '<rect class="fond" width="100" height="8"/>{}</svg>',
        libelle,
        format_html_join("", '<rect class="{}" x="{}" width="{}" height="8"/>', rects),
    )


# --- Blocs -----------------------------------------------------------------------------------


@register.simple_block_tag
def tete(content, titre, sous_titre="", fil=(), suite=""):
    """Tête d'écran : fil [(libellé, url)…], h1, sous-titre chiffré ; le contenu du bloc = les actions."""
    fleche = icone("chevron-right")
    morceaux = [
        format_html('<a href="{}">{}</a>', url, libelle) if url else format_html("<span>{}</span>", libelle)
        for libelle, url in fil
    ]
    chemin = RIEN
    if morceaux:
        suivants = format_html_join("", "{}{}", ((fleche, m) for m in morceaux[1:]))
        chemin = format_html('<nav class="fil" aria-label="{}">{}{}</nav>', _("Fil"), morceaux[0], suivants)
    return format_html(
        '<div class="tete"><div>{}<h1>{}</h1>{}{}</div>{}</div>',
        chemin,
        titre,
        format_html('<p class="sous-titre">{}</p>', sous_titre) if sous_titre else RIEN,
        suite,
        format_html('<div class="actions">{}</div>', content) if content.strip() else RIEN,
    )


@register.simple_block_tag
def bandeau(content, ton="", signe="info-circle", role=""):
    """Un fait puis un geste ; ton parmi info, att, mal, bon ; role="alert" seulement pour un échec."""
    return format_html(
        '<div class="bandeau {}"{}>{}<div>{}</div></div>',
        ton,
        format_html(' role="{}"', role) if role else RIEN,
        icone(signe),
        content,
    )


@register.simple_block_tag
def carte(content, titre="", droite="", classe="", corps=True, ident=""):
    """Boîte filetée ; `corps=False` pour y poser un tableau bord à bord."""
    entete = RIEN
    if titre:
        cote = format_html('<span class="mini tenu pousse">{}</span>', droite) if droite else RIEN
        entete = format_html('<div class="c-tete"><h2>{}</h2>{}</div>', titre, cote)
    return format_html(
        '<section class="carte {}"{}>{}{}</section>',
        classe,
        format_html(' id="{}"', ident) if ident else RIEN,
        entete,
        format_html('<div class="c-corps">{}</div>', content) if corps else content,
    )


@register.simple_tag
def chiffre(libelle, valeur, unite="", note="", ton="", ton_note="tenu", explication=""):
    """Une case de `<div class="chiffres">` : libellé, valeur, comparaison, « Comment c'est calculé »."""
    expl = RIEN
    if explication:
        expl = format_html(
            '<details class="expl mt2"><summary>{}{}</summary><div class="flottant">{}</div></details>',
            icone("info-circle"),
            _("Comment c’est calculé"),
            explication,
        )
    return format_html(
        '<div><span class="sur">{}</span><b class="montant {}">{}{}</b>{}{}</div>',
        libelle,
        ton,
        valeur,
        format_html(" <small>{}</small>", unite) if unite else RIEN,
        format_html('<span class="mini {}">{}</span>', ton_note, note) if note else RIEN,
        expl,
    )


@register.simple_block_tag
def raison(content, signe="info-circle", ton=""):
    """Une ligne de `<ul class="nu raisons">` : icône et une phrase ; ton parmi bon, att, mal, ou doux."""
    classe = f"t-{ton}" if ton in {"bon", "att", "mal"} else ton
    return format_html("<li>{}<span>{}</span></li>", icone(signe, classe), content)


@register.simple_block_tag
def evenement(content, quand, signe="info-circle", ton="", preuve=""):
    """Une ligne de `<ul class="nu chrono">` : jeton coloré, fait, preuve dessous, instant à droite."""
    return format_html(
        '<li><span class="jeton {}">{}</span><div class="rangee entre haut"><div>{}{}</div>'
        '<span class="mini tenu insec">{}</span></div></li>',
        ton,
        icone(signe),
        content,
        format_html('<div class="mini tenu">{}</div>', preuve) if preuve else RIEN,
        quand,
    )


@register.simple_tag
def etapes(liste, libelle):
    """Procédure : liste de dict(titre, detail, date, article, etat) ; etat parmi « fait », « ici », « »."""

    def lignes():
        for e in liste:
            yield (
                e.get("etat", ""),
                mark_safe(' aria-current="step"') if e.get("etat") == "ici" else "",
                e["titre"],
                e.get("detail", ""),
                e.get("date", ""),
                e.get("article", ""),
            )

    return format_html(
        '<ol class="nu etapes" aria-label="{}">{}</ol>',
        libelle,
        format_html_join(
            "",
            '<li class="{}"{}><b class="d-block">{}</b><span class="d-block petit doux">{}</span>'
            '<span class="d-block mini tenu mt1">{}</span><span class="d-block mini tenu">{}</span></li>',
            lignes(),
        ),
    )


@register.simple_block_tag
def vide(content, titre, texte="", signe="circle-check"):
    """État vide : une phrase, un geste (contenu du bloc), jamais d'humour."""
    return format_html(
        '<div class="vide-etat">{}<h2 class="titre-3">{}</h2>{}{}</div>',
        icone(signe),
        titre,
        format_html('<p class="doux">{}</p>', texte) if texte else RIEN,
        content,
    )


@register.simple_block_tag
def menu(content, libelle, signe="", classe="btn btn-neutre", nom="", fleche=True, touche=""):
    """Menu déroulant sans script : `<details>` fermé par Échap ou un clic ailleurs ; contenu = liens ou boutons."""
    contenu_bouton: SafeString | str = libelle
    if nom:  # bouton sans texte : le nom est pour les lecteurs d'écran
        contenu_bouton = format_html('<span class="visually-hidden">{}</span>', nom)
    return format_html(
        '<details class="ancre"><summary class="{}"{}>{}{}{}</summary><div class="menu">{}</div></details>',
        classe,
        format_html(' data-touche="{}"', touche) if touche else RIEN,
        icone(signe) if signe else RIEN,
        contenu_bouton,
        icone("chevron-down") if fleche else RIEN,
        content,
    )


@register.filter
def adresse_annulation(etiquettes):
    """`annuler=/…/` posé par `commun.vues.fait` dans les étiquettes d'un message, sinon vide."""
    debut, _egal, url = (etiquettes or "").partition("annuler=")
    return url if not debut else ""


# --- Adresses --------------------------------------------------------------------------------


register.simple_tag(vues.adresse, name="adresse")  # comme {% url %}, mais vide si la route n'existe pas
