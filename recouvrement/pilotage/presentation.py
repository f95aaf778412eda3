"""Ma journée telle qu'elle se montre : l'icône, la couleur et l'onglet de chaque genre d'action."""

from django.utils.translation import gettext_lazy

from relances.models import Tache

from .domaine.priorite import Genre

G = Tache.Genre

GENRE_DE_TACHE = {
    G.APPEL: Genre.APPEL,
    G.DECISION: Genre.DECISION,
    G.CONTENTIEUX: Genre.PROCEDURE,
    G.DECLARER: Genre.PROCEDURE,
    G.PROMESSE_ROMPUE: Genre.PROMESSE,
    G.SANS_ADRESSE: Genre.ADRESSE,
    G.AUTRE: Genre.AUTRE,
}
SIGNES = {
    Genre.APPEL: "phone",
    Genre.DECISION: "scale",
    Genre.PROCEDURE: "gavel",
    Genre.PROMESSE: "phone",
    Genre.ADRESSE: "map-pin",
    Genre.AUTRE: "checklist",
    Genre.VALIDER: "certificate",
    Genre.LEVEE: "user-check",
    Genre.POSTER: "printer",
    Genre.ERREUR: "alert-triangle",
    Genre.INCONNU: "zoom-question",
    Genre.AR: "mailbox",
    Genre.LITIGE: "hand-stop",
    Genre.VIREMENT: "building-bank",
}
TONS = {
    Genre.PROMESSE: "mal",
    Genre.ERREUR: "mal",
    Genre.INCONNU: "mal",
    Genre.LITIGE: "att",
    Genre.LEVEE: "att",
    Genre.AR: "att",
    Genre.ADRESSE: "att",
    Genre.VIREMENT: "info",
    Genre.AUTRE: "p0",
}
ONGLETS = (
    ("appels", gettext_lazy("Appels"), {Genre.APPEL}),
    ("valider", gettext_lazy("À valider"), {Genre.VALIDER, Genre.LEVEE}),
    ("envois", gettext_lazy("Envois"), {Genre.POSTER, Genre.ERREUR, Genre.INCONNU}),
    ("promesses", gettext_lazy("Promesses"), {Genre.PROMESSE}),
    ("litiges", gettext_lazy("Litiges"), {Genre.LITIGE}),
    ("ar", gettext_lazy("Retours d’AR"), {Genre.AR}),
    ("virements", gettext_lazy("Virements"), {Genre.VIREMENT}),
    ("procedure", gettext_lazy("Procédure"), {Genre.PROCEDURE}),
    ("divers", gettext_lazy("Divers"), {Genre.DECISION, Genre.ADRESSE, Genre.AUTRE}),
)
