"""Les textes livrés : ce qu'un modèle dit tant que personne ne l'a changé, paragraphe par paragraphe."""

from functools import lru_cache
from typing import NamedTuple

from django.utils.translation import gettext_lazy as _

from relances.domaine.natures import Nature

from . import gabarits, insertions, moteur
from .contexte import TypeDebiteur
from .filtres import Paragraphe

LANGUES = ("fr", "en")
SUPPORTS = (insertions.COURRIEL, insertions.LETTRE, insertions.SMS)
LIBELLES = {
    "objet": _("Objet"),
    "appel": _("Formule d'appel"),
    "ouverture": _("Ouverture"),
    "demande": _("Demande"),
    "paiement": _("Annonce du paiement"),
    "echange": _("Si quelque chose ne va pas"),
    "suites": _("Suites possibles"),
    "politesse": _("Politesse"),
    "message": _("Message"),
}


class Genre(NamedTuple):
    """Ce à quoi un texte s'adresse : le palier, le débiteur, le support, la langue."""

    nature: Nature
    type_debiteur: TypeDebiteur
    support: str
    langue: str

    def insertions(self) -> tuple[insertions.Insertion, ...]:
        return insertions.proposees(**self._asdict())

    def paragraphes(self) -> dict[str, str]:
        """{paragraphe: texte livré}, dans l'ordre du courrier ; vide si rien n'est livré."""
        return dict(_paragraphes(self))


@lru_cache(maxsize=128)
def _paragraphes(genre: Genre) -> tuple[tuple[str, str], ...]:
    chemin = gabarits.chemin(genre.support, nature=genre.nature, type_debiteur=genre.type_debiteur, langue=genre.langue)
    if not chemin:
        return ()
    if genre.support == insertions.COURRIEL:
        moteur_, noms = moteur.moteur_courriels(), (f"{chemin}/objet.txt", f"{chemin}/corps.txt")
    else:
        moteur_ = moteur.moteur_lettres() if genre.support == insertions.LETTRE else moteur.moteur_sms()
        noms = (chemin,)
    noeuds = [n for nom in noms for n in moteur_.get_template(nom).nodelist.get_nodes_by_type(Paragraphe)]
    return tuple((n.nom, lisible(n.source)) for n in noeuds)


def lisible(texte: str) -> str:
    """Sans les espaces insécables ni les apostrophes courbes que la typographie repose au rendu."""
    return texte.replace("\u00a0", " ").replace("\u202f", " ").replace("’", "'")


@lru_cache(maxsize=1)
def catalogue() -> tuple[Genre, ...]:
    """Tout ce qui est livré, dans l'ordre où une échelle s'écrit."""
    genres = (
        Genre(nature, type_debiteur, support, langue)
        for type_debiteur in TypeDebiteur
        for nature in gabarits.NOMS
        for support in SUPPORTS
        for langue in LANGUES
    )
    return tuple(g for g in genres if g.paragraphes())
