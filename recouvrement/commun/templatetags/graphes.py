"""Graphes SVG du serveur : `{% load graphes %}`. Ni script ni style en ligne ; un tableau jumeau dit les chiffres.

Une barre part toujours de zéro ; une courbe peut ne pas. Quatre séries au plus.
"""

from collections.abc import Sequence
from dataclasses import dataclass, field
from decimal import ROUND_FLOOR, Decimal

from django import template
from django.utils.html import format_html, format_html_join
from django.utils.safestring import mark_safe
from django.utils.translation import gettext as _

from recouvrement.commun import formats

from .interface import RIEN, icone

register = template.Library()

TRAITS = ("ligne1", "ligne2", "ligne3", "ligne4")
FONDS = ("f-s1", "f-s2", "f-s4", "f-hach")
CARRES = ("s1", "s2", "s4", "hach")
GAUCHE, DROITE, HAUT, BAS = 48, 46, 22, 30


@dataclass(frozen=True)
class Serie:
    """`valeurs` : un Decimal ou None (inconnu : la courbe s'interrompt) par abscisse."""

    nom: str
    valeurs: Sequence[Decimal | None]


@dataclass(frozen=True)
class Graphe:
    """Ce qu'il faut pour dessiner et pour écrire le tableau.

    titre : nom du graphe. resume : la phrase lue à voix haute. etiquettes : une par abscisse. unite : « j », « % »,
    « k€ ». echelle : diviseur d'affichage (1000 pour k€). objectif : trait horizontal. inacheve : dernière barre en
    pointillé (le mois en cours).
    """

    titre: str
    resume: str
    etiquettes: Sequence[str]
    series: Sequence[Serie]
    unite: str = ""
    echelle: int = 1
    decimales: int = 1
    objectif: Decimal | None = None
    inacheve: bool = False
    large: bool = False
    abscisse: str = field(default="")

    def __post_init__(self):
        if len(self.series) > 4:
            raise ValueError("quatre séries au plus")
        if any(len(s.valeurs) != len(self.etiquettes) for s in self.series):
            raise ValueError("autant de valeurs que d'étiquettes")

    @property
    def largeur(self) -> int:
        return 1160 if self.large else 560

    @property
    def hauteur(self) -> int:
        return 230 if self.large else 190


def graduations(bas: Decimal, haut: Decimal, combien: int = 4) -> list[Decimal]:
    """Valeurs rondes (1, 2, 2,5 ou 5 × 10ⁿ) qui encadrent [bas, haut]."""
    if haut <= bas:
        haut = bas + 1
    brut = (haut - bas) / combien
    magnitude = Decimal(1).scaleb(brut.adjusted())
    pas = next(
        m * magnitude
        for m in (Decimal(1), Decimal(2), Decimal("2.5"), Decimal(5), Decimal(10))
        if m * magnitude >= brut
    )
    depart = (bas / pas).to_integral_value(ROUND_FLOOR) * pas
    valeurs = [depart]
    while valeurs[-1] < haut:
        valeurs.append(valeurs[-1] + pas)
    return valeurs


class _Repere:
    """Passe des valeurs aux coordonnées du SVG."""

    def __init__(self, graphe: Graphe, valeurs: list[Decimal], *, depuis_zero: bool):
        self.g = graphe
        toutes = [*valeurs, *([graphe.objectif] if graphe.objectif is not None else [])] or [Decimal(0)]
        bas = min(Decimal(0), *toutes) if depuis_zero else min(toutes)
        self.grades = graduations(bas, max(toutes))
        self.pas = Decimal(graphe.largeur - GAUCHE - DROITE) / max(len(graphe.etiquettes), 1)

    def x(self, rang: int) -> str:
        return f"{GAUCHE + self.pas * rang + self.pas / 2:.1f}"

    def y(self, valeur: Decimal) -> Decimal:
        utile = self.g.hauteur - HAUT - BAS
        bas, haut = self.grades[0], self.grades[-1]
        return self.g.hauteur - BAS - (valeur - bas) / (haut - bas) * utile

    def ecrire(self, valeur: Decimal, decimales: int | None = None) -> str:
        return formats.nombre(valeur / self.g.echelle, self.g.decimales if decimales is None else decimales)

    def axes(self):
        fin = self.g.largeur - DROITE
        entier = all(grade % self.g.echelle == 0 for grade in self.grades)
        return format_html_join(
            "",
            '<line class="{}" x1="{}" x2="{}" y1="{}" y2="{}"/><text x="{}" y="{}" text-anchor="end">{}</text>',
            (
                (
                    "axe0" if grade == 0 else "axe",
                    GAUCHE,
                    fin,
                    f"{self.y(grade):.1f}",
                    f"{self.y(grade):.1f}",
                    GAUCHE - 8,
                    f"{self.y(grade) + 4:.1f}",
                    self.ecrire(grade, 0 if entier else 1) + (f" {self.g.unite}" if self.g.unite == "k€" else ""),
                )
                for grade in self.grades
            ),
        )

    def etiquettes(self):
        """Une étiquette sur deux si la place manque ; la dernière toujours."""
        total = len(self.g.etiquettes)
        saut = max(1, -(-total * 44 // (self.g.largeur - GAUCHE - DROITE)))
        return format_html_join(
            "",
            '<text x="{}" y="{}" text-anchor="middle">{}</text>',
            (
                (self.x(rang), self.g.hauteur - 8, texte)
                for rang, texte in enumerate(self.g.etiquettes)
                if (total - 1 - rang) % saut == 0
            ),
        )

    def objectif(self):
        if self.g.objectif is None:
            return RIEN
        y = f"{self.y(self.g.objectif):.1f}"
        return format_html(
            '<line class="ligne-obj" x1="{}" x2="{}" y1="{}" y2="{}"/>', GAUCHE, self.g.largeur - DROITE, y, y
        )


def _cadre(graphe: Graphe, dessin, jumeau=True):
    """SVG dans une zone qui défile seule, légende si plusieurs séries, tableau jumeau replié."""
    legende = RIEN
    if len(graphe.series) > 1:
        legende = format_html(
            '<div class="legende mb3">{}</div>',
            format_html_join(
                "",
                '<span><i class="carre {}"></i>{}</span>',
                ((CARRES[rang], serie.nom) for rang, serie in enumerate(graphe.series)),
            ),
        )
    svg = format_html(
        '<div class="defile-doux" tabindex="0" role="region" aria-label="{}">'
        '<svg class="graphe{}" viewBox="0 0 {} {}" role="img" aria-label="{}">{}</svg></div>',
        graphe.titre,
        " graphe-large" if graphe.large else "",
        graphe.largeur,
        graphe.hauteur,
        graphe.resume,
        dessin,
    )
    return format_html("{}{}{}", legende, svg, _jumeau(graphe) if jumeau else RIEN)


def _jumeau(graphe: Graphe):
    """Les mêmes chiffres, en tableau."""

    def cellule(valeur):
        return "" if valeur is None else formats.nombre(Decimal(valeur) / graphe.echelle, graphe.decimales)

    unite = f" ({graphe.unite})" if graphe.unite else ""
    entetes = format_html_join("", '<th scope="col" class="num">{}{}</th>', ((s.nom, unite) for s in graphe.series))
    lignes = format_html_join(
        "",
        '<tr><th scope="row" class="date">{}</th>{}</tr>',
        (
            (
                etiquette,
                format_html_join("", '<td class="num">{}</td>', ((cellule(s.valeurs[rang]),) for s in graphe.series)),
            )
            for rang, etiquette in enumerate(graphe.etiquettes)
        ),
    )
    return format_html(
        '<details class="expl mt3 jumeau"><summary>{}{}</summary>'
        '<div class="defile-doux" tabindex="0" role="region" aria-label="{}">'
        '<table class="tableau dense"><caption class="visually-hidden">{}</caption>'
        '<thead><tr><th scope="col">{}</th>{}</tr></thead><tbody>{}</tbody></table></div></details>',
        icone("chevron-right"),
        _("Voir les chiffres"),
        _("Chiffres : %(titre)s") % {"titre": graphe.titre},
        graphe.titre,
        graphe.abscisse or _("Période"),
        entetes,
        lignes,
    )


@register.simple_tag
def courbes(graphe: Graphe):
    """Une à quatre courbes ; une valeur inconnue (None) interrompt le trait."""
    connues = [Decimal(v) for s in graphe.series for v in s.valeurs if v is not None]
    repere = _Repere(graphe, connues, depuis_zero=False)
    morceaux = [repere.axes(), repere.objectif()]
    for rang, serie in enumerate(graphe.series):
        for trait in _traits(serie.valeurs):
            points = " ".join(f"{repere.x(i)},{repere.y(v):.1f}" for i, v in trait)
            morceaux.append(format_html('<polyline class="{}" points="{}"/>', TRAITS[rang], points))
        dernier = next(((i, v) for i, v in reversed(list(enumerate(serie.valeurs))) if v is not None), None)
        if dernier:
            x, y = repere.x(dernier[0]), repere.y(Decimal(dernier[1]))
            morceaux.append(
                format_html(
                    '<circle class="f-s{}" cx="{}" cy="{}" r="3.5"/><text class="fort" x="{}" y="{}">{}</text>',
                    rang + 1,
                    x,
                    f"{y:.1f}",
                    f"{Decimal(x) + 9:.1f}",
                    f"{y + 4:.1f}",
                    repere.ecrire(Decimal(dernier[1])),
                )
            )
    morceaux.append(repere.etiquettes())
    return _cadre(graphe, format_html_join("", "{}", ((m,) for m in morceaux)))


def _traits(valeurs):
    """Suites de points connus : [(rang, valeur)…] coupées aux None."""
    trait: list[tuple[int, Decimal]] = []
    for rang, valeur in enumerate(valeurs):
        if valeur is None:
            if trait:
                yield trait
            trait = []
        else:
            trait.append((rang, Decimal(valeur)))
    if trait:
        yield trait


@register.simple_tag
def barres(graphe: Graphe):
    """Barres, empilées s'il y a plusieurs séries (valeurs positives ou nulles), somme au-dessus."""
    totaux = [
        sum((Decimal(s.valeurs[i] or 0) for s in graphe.series), Decimal(0)) for i in range(len(graphe.etiquettes))
    ]
    repere = _Repere(graphe, totaux, depuis_zero=True)
    largeur = min(repere.pas * Decimal("0.68"), Decimal(52))
    morceaux = [repere.axes(), repere.objectif()]
    for i, total in enumerate(totaux):
        gauche = f"{Decimal(repere.x(i)) - largeur / 2:.1f}"
        cumul = Decimal(0)
        for rang, serie in enumerate(graphe.series):
            valeur = Decimal(serie.valeurs[i] or 0)
            if not valeur:
                continue
            haut, bas = repere.y(cumul + valeur), repere.y(cumul)
            pointille = graphe.inacheve and i == len(totaux) - 1
            morceaux.append(
                format_html(
                    '<rect class="{}" x="{}" y="{}" width="{}" height="{}"/>',
                    "vide-mois" if pointille else FONDS[rang],
                    gauche,
                    f"{min(haut, bas):.1f}",
                    f"{largeur:.1f}",
                    f"{max(abs(bas - haut) - Decimal('0.7'), Decimal('0.5')):.1f}",
                )
            )
            cumul += valeur
        if any(s.valeurs[i] is not None for s in graphe.series):
            morceaux.append(
                format_html(
                    '<text class="fort" x="{}" y="{}" text-anchor="middle">{}</text>',
                    repere.x(i),
                    f"{repere.y(max(total, Decimal(0))) - 6:.1f}",
                    repere.ecrire(total),
                )
            )
    morceaux.append(repere.etiquettes())
    return _cadre(graphe, format_html_join("", "{}", ((m,) for m in morceaux)))


@register.simple_tag
def bande(segments, libelle):
    """Bande 1000 × 20 d'une balance : segments [(classe, valeur)…], en proportion de leur somme."""
    positifs = [(classe, Decimal(valeur)) for classe, valeur in segments if valeur and Decimal(valeur) > 0]
    total = sum((v for _c, v in positifs), Decimal(0))
    if not total:
        return mark_safe("")
    rects, x = [], Decimal(0)
    for classe, valeur in positifs:
        largeur = valeur * 1000 / total
        rects.append((classe, f"{x:.1f}", f"{max(largeur - 2, Decimal(1)):.1f}"))
        x += largeur
    return format_html(
        '<svg class="graphe" viewBox="0 0 1000 20" preserveAspectRatio="none" height="20" role="img" '
        'aria-label="{}">{}</svg>',
        libelle,
        format_html_join("", '<rect class="{}" x="{}" width="{}" height="20" rx="2"/>', rects),
    )
