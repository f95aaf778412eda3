"""Balises des listes et des formulaires : `{% load listes %}` (docs/interface.md)."""

from datetime import date

from django import forms, template
from django.utils.html import format_html, format_html_join
from django.utils.safestring import mark_safe
from django.utils.translation import gettext as _

from recouvrement.commun import formats
from recouvrement.commun.vues import PLAFOND, parametres

from .interface import RIEN, icone

register = template.Library()

# Un lien de liste remplace tout le bloc `.liste` qui le contient, et l'adresse suit.
HTMX = mark_safe('hx-target="closest .liste" hx-swap="outerHTML" hx-push-url="true"')


def lien(url, contenu, attributs=RIEN):
    return format_html('<a href="{0}" hx-get="{0}" {1} {2}>{3}</a>', url, HTMX, attributs, contenu)


@register.simple_tag(takes_context=True)
def requete(context, **changements):
    """`?…` courant avec ces changements : `{% requete onglet="litiges" page=None %}`."""
    return parametres(context["request"], **changements)


@register.simple_tag
def entete(liste, cle, libelle, num=False, classe=""):
    """En-tête `<th>` triable ; `liste` est une `commun.vues.Liste`."""
    courante = liste.cle == cle
    sens = ("descending" if liste.decroissant else "ascending") if courante else "none"
    signe = icone("chevron-down" if liste.decroissant else "chevron-up") if courante else RIEN
    return format_html(
        '<th scope="col" class="{}" aria-sort="{}">{}</th>',
        " ".join(filter(None, ["num" if num else "", "triee" if courante else "", classe])),
        sens,
        lien(liste.url_tri(cle), format_html("{}{}", libelle, signe), format_html('class="tri" id="tri-{}"', cle)),
    )


@register.simple_tag(takes_context=True)
def exporter(context):
    """« CSV » et « XLSX » : toute la liste telle que filtrée et triée, par l'adresse courante."""
    request = context["request"]
    liens = (
        (parametres(request, export="csv", page=None), "CSV", _("Exporter cette liste en CSV")),
        (parametres(request, export="xlsx", page=None), "XLSX", _("Exporter cette liste en classeur XLSX")),
    )
    return format_html(
        '<span class="rangee seul-large">{}</span>',
        format_html_join(
            "",
            '<a class="btn btn-nu btn-xs" href="{}" aria-label="{}" title="{}" download>{}{}</a>',
            ((url, titre, titre, icone("download"), nom) for url, nom, titre in liens),
        ),
    )


@register.simple_tag
def pagination(liste, nom=""):
    """Bas de liste : « 51 à 100 sur 412 », précédente, suivante ; rien si tout tient sur une page."""
    page = liste.page
    if liste.pages.num_pages <= 1:
        return RIEN
    total = formats.nombre(liste.total)
    if liste.plafonnee:
        total = _("plus de %(n)s") % {"n": formats.nombre(PLAFOND)}
    position = _("%(debut)s à %(fin)s sur %(total)s") % {
        "debut": formats.nombre(page.start_index()),
        "fin": formats.nombre(page.end_index()),
        "total": total,
    }

    def bouton(numero, signe, texte, ident):
        attributs = format_html('class="btn btn-neutre btn-xs" id="page-{}"', ident)
        return lien(parametres(liste.request, page=numero), format_html("{}{}", icone(signe), texte), attributs)

    liens = []
    if page.has_previous():
        liens.append(bouton(page.previous_page_number(), "chevron-left", _("Précédente"), "avant"))
    if page.has_next():
        liens.append(bouton(page.next_page_number(), "chevron-right", _("Suivante"), "apres"))
    return format_html(
        '<nav class="pagination-liste" aria-label="{}"><span class="petit doux">{}</span>'
        '<span class="rangee pousse">{}</span></nav>',
        nom or _("Pages"),
        position,
        format_html_join("", "{}", ((un,) for un in liens)),
    )


@register.simple_tag
def onglets(liste, nom, fragment=False):
    """Onglets de `commun.vues.onglets` ; `fragment=True` : htmx remplace le bloc `.liste`."""

    def un(onglet):
        attributs = mark_safe('aria-current="page"') if onglet.courant else RIEN
        compte = RIEN
        if onglet.compte is not None:
            compte = format_html('<span class="compte">{}</span>', formats.nombre(onglet.compte))
        contenu = format_html("{}{}", onglet.libelle, compte)
        if fragment:
            return lien(onglet.url, contenu, attributs)
        return format_html('<a href="{}" {}>{}</a>', onglet.url, attributs, contenu)

    return format_html(
        '<nav class="onglets" aria-label="{}">{}</nav>', nom, format_html_join("", "{}", ((un(o),) for o in liste))
    )


# --- Filtres : tout marche sans script, chacun est un `<details>` --------------------------------


def _filtre(libelle, valeur, actif, signe, contenu, ident, touche=""):
    return format_html(
        '<details class="ancre filtre-menu" name="filtres"><summary class="filtre {}" id="filtre-{}"{}>{}{} <b>{}</b>{}'
        '</summary><div class="menu menu-gauche">{}</div></details>',
        "actif" if actif else "",
        ident,
        format_html(' data-touche="{}" data-touche-nom="{}"', touche, libelle) if touche else RIEN,
        icone(signe) if signe else RIEN,
        libelle,
        valeur,
        icone("chevron-down"),
        contenu,
    )


def _caches(request, sauf):
    """Les autres paramètres, en champs cachés : un filtre ne perd pas les autres."""
    return format_html_join(
        "",
        '<input type="hidden" name="{}" value="{}">',
        ((k, v) for k, valeurs in request.GET.lists() if k not in {*sauf, "page"} for v in valeurs),
    )


@register.simple_tag(takes_context=True)
def filtre_choix(context, parametre, libelle, choix, tous="", signe=""):
    """Filtre fermé : choix = [(valeur, libellé[, compte])…] ; `tous` ajoute l'option vide, nommée ainsi."""
    request = context["request"]
    choix = [(*c, None)[:3] for c in choix]
    if tous:
        choix.insert(0, ("", tous, None))
    courante = request.GET.get(parametre, "")
    if courante not in {str(c[0]) for c in choix} and choix:
        courante = str(choix[0][0])
    nom = next((c[1] for c in choix if str(c[0]) == courante), "")
    liens = (
        (
            lien(
                parametres(request, **{parametre: valeur}),
                format_html(
                    "<span>{}</span>{}",
                    texte,
                    format_html('<span class="compte">{}</span>', formats.nombre(compte))
                    if compte is not None
                    else RIEN,
                ),
                mark_safe('aria-current="true"') if str(valeur) == courante else RIEN,
            ),
        )
        for valeur, texte, compte in choix
    )
    actif = request.GET.get(parametre, "") == courante and courante != ""
    return _filtre(libelle, nom, actif, signe, format_html_join("", "{}", liens), parametre)


def _formulaire_filtre(request, parametre, champ, bouton):
    return format_html(
        '<form class="pile filtre-form" method="get" hx-get="{}" {}>{}{}'
        '<button class="btn btn-primary btn-xs" type="submit">{}</button></form>',
        request.path,
        HTMX,
        _caches(request, {parametre}),
        champ,
        bouton,
    )


@register.simple_tag(takes_context=True)
def filtre_date(context, parametre, libelle, valeur: date, signe="calendar", touche=""):
    """Filtre de date ; `valeur` est la date retenue par la vue, que l'adresse la porte ou non."""
    request = context["request"]
    champ = format_html(
        '<label class="form-label" for="f-{0}">{1}</label>'
        '<input class="form-control" type="date" id="f-{0}" name="{0}" value="{2}" required>',
        parametre,
        libelle,
        f"{valeur:%Y-%m-%d}",
    )
    contenu = _formulaire_filtre(request, parametre, champ, _("Afficher"))
    return _filtre(libelle, formats.jour(valeur), parametre in request.GET, signe, contenu, parametre, touche)


@register.simple_tag(takes_context=True)
def filtre_texte(context, parametre, libelle, signe="search"):
    """Champ de recherche dans la liste ; avec script il filtre à la frappe, sans script à Entrée."""
    request = context["request"]
    return format_html(
        '<form class="filtre filtre-texte" method="get" role="search" hx-get="{0}" {1}>{2}{3}'
        '<input type="search" id="f-{4}" name="{4}" value="{5}" placeholder="{6}" aria-label="{6}" autocomplete="off" '
        'hx-get="{0}" hx-include="closest form" hx-trigger="input changed delay:400ms" {1}></form>',
        request.path,
        HTMX,
        _caches(request, {parametre}),
        icone(signe),
        parametre,
        request.GET.get(parametre, ""),
        libelle,
    )


@register.simple_tag(takes_context=True)
def filtres_effacer(context, *gardes):
    """« Effacer », si un filtre au moins est posé ; les paramètres nommés sont gardés."""
    request = context["request"]
    poses = [k for k in request.GET if k not in {*gardes, "tri", "page"} and request.GET[k]]
    if not poses:
        return RIEN
    url = parametres(request, **dict.fromkeys(poses))
    return lien(url, _("Effacer"), mark_safe('class="btn btn-nu btn-xs" id="filtres-effacer"'))


# --- Formulaires -------------------------------------------------------------------------------


def _classe(widget) -> str:
    if isinstance(widget, forms.CheckboxInput):
        return "form-check-input"
    return "form-select" if isinstance(widget, forms.Select) else "form-control"


def _saisie(champ_lie, attributs):
    """Le contrôle lui-même ; il porte sa classe, son type et les attributs demandés par le gabarit."""
    widget = champ_lie.field.widget
    classes = [_classe(widget), widget.attrs.get("class", "")]
    if champ_lie.errors:
        classes.append("is-invalid")
    if isinstance(widget, forms.DateInput):
        attributs.setdefault("type", "date")
    if isinstance(widget, forms.Textarea):
        attributs.setdefault("rows", 4)
    attributs = {cle.replace("_", "-"): valeur for cle, valeur in attributs.items()}
    return champ_lie.as_widget(attrs={"class": " ".join(filter(None, classes)), **attributs})


def _sous_le_champ(champ_lie, avec_aide):
    """Aide puis erreurs, aux identifiants que Django met dans aria-describedby."""
    aide = fautes = RIEN
    if champ_lie.help_text and avec_aide:
        aide = format_html('<div id="{}_helptext" class="aide mt1">{}</div>', champ_lie.auto_id, champ_lie.help_text)
    if champ_lie.errors:
        fautes = format_html(
            '<div id="{}_error" class="petit t-mal mt1">{}</div>',
            champ_lie.auto_id,
            format_html_join(" ", "{}", ((e,) for e in champ_lie.errors)),
        )
    return format_html("{}{}", aide, fautes)


def _tuiles(champ_lie, libelle, dessous):
    """Radios ou cases multiples : une tuile par choix, dans un fieldset qui les nomme."""
    choix = format_html_join(
        "",
        '<label class="issue">{}{}</label>',
        ((option.tag(), option.choice_label) for option in champ_lie.subwidgets),
    )
    decrit = format_html(' aria-describedby="{}_error"', champ_lie.auto_id) if champ_lie.errors else RIEN
    gabarit = '<fieldset{}><legend class="form-label">{}</legend><div class="segments">{}</div>{}</fieldset>'
    return format_html(gabarit, decrit, libelle, choix, dessous)


@register.simple_tag
def champ(champ_lie, classe="", libelle=None, avec_aide=True, dire_facultatif=True, **attributs):
    """Champ complet : étiquette, saisie, aide et erreur reliées par aria-describedby.

    `libelle=""` : l'étiquette est écrite par le gabarit. Les attributs en plus passent à la saisie :
    `{% champ form.montant inputmode="decimal" %}`.
    """
    widget = champ_lie.field.widget
    if champ_lie.is_hidden:
        return champ_lie.as_widget()
    libelle = champ_lie.label if libelle is None else libelle
    dessous = _sous_le_champ(champ_lie, avec_aide)
    if isinstance(widget, forms.CheckboxInput):
        case = '<label class="form-check rangee">{}<span>{}</span></label>{}'
        corps = format_html(case, _saisie(champ_lie, attributs), libelle, dessous)
        return format_html('<div class="champ {}">{}</div>', classe, corps)
    if libelle and dire_facultatif and not champ_lie.field.required:
        libelle = format_html('{} <span class="tenu">({})</span>', libelle, _("facultatif"))
    if isinstance(widget, (forms.RadioSelect, forms.CheckboxSelectMultiple)):
        corps = _tuiles(champ_lie, libelle, dessous)
    else:
        etiquette = RIEN
        if libelle:
            etiquette = format_html('<label class="form-label" for="{}">{}</label>', champ_lie.id_for_label, libelle)
        corps = format_html("{}{}{}", etiquette, _saisie(champ_lie, attributs), dessous)
    return format_html('<div class="champ {}">{}</div>', classe, corps)


@register.simple_tag
def erreurs(formulaire):
    """Erreurs qui ne tiennent pas à un champ, en bandeau ; rien s'il n'y en a pas."""
    if not formulaire.non_field_errors():
        return RIEN
    return format_html(
        '<div class="bandeau mal" role="alert">{}<div>{}</div></div>',
        icone("alert-circle"),
        format_html_join(mark_safe("<br>"), "{}", ((e,) for e in formulaire.non_field_errors())),
    )


@register.simple_tag
def champs(formulaire):
    """Erreurs générales puis tous les champs visibles et cachés, dans l'ordre."""
    corps = format_html_join("", "{}", ((champ(lie),) for lie in formulaire))
    return format_html("{}{}", erreurs(formulaire), corps)
