"""Ma journée telle qu'elle se montre : l'icône, la couleur et l'onglet de chaque genre d'action, la raison du rang."""

from decimal import Decimal

from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy, ngettext

from recouvrement.commun import formats
from relances.models import Tache

from .domaine.priorite import AGE_MAX, Chance, Genre, Habitudes, Part

G = Tache.Genre

GENRE_DE_TACHE = {
    G.APPEL: Genre.APPEL,
    G.DECISION: Genre.DECISION,
    G.CONTENTIEUX: Genre.PROCEDURE,
    G.DECLARER: Genre.PROCEDURE,
    G.PROMESSE_ROMPUE: Genre.PROMESSE,
    G.SANS_ADRESSE: Genre.ADRESSE,
    G.REPONSE: Genre.REPONSE,
    G.DECLARATION: Genre.DECLARATION,
    G.ACCORD: Genre.ACCORD,
    G.PERTE: Genre.PERTE,
    G.AUTRE: Genre.AUTRE,
}
SIGNES = {
    Genre.APPEL: "phone",
    Genre.DECISION: "scale",
    Genre.PROCEDURE: "gavel",
    Genre.PROMESSE: "phone",
    Genre.MENSUALITE: "calendar",
    Genre.DECLARATION: "message",
    Genre.REPONSE: "mail",
    Genre.ACCORD: "clipboard-check",
    Genre.PERTE: "scale",
    Genre.MENTION: "note",
    Genre.ANNONCE: "gavel",
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
    Genre.MENSUALITE: "mal",
    Genre.ANNONCE: "mal",
    Genre.DECLARATION: "info",
    Genre.REPONSE: "info",
    Genre.MENTION: "info",
    Genre.ACCORD: "att",
    Genre.PERTE: "att",
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
    ("reponses", gettext_lazy("Réponses"), {Genre.REPONSE, Genre.DECLARATION}),
    ("promesses", gettext_lazy("Promesses"), {Genre.PROMESSE, Genre.MENSUALITE}),
    ("litiges", gettext_lazy("Litiges"), {Genre.LITIGE}),
    ("ar", gettext_lazy("Retours d’AR"), {Genre.AR}),
    ("virements", gettext_lazy("Virements"), {Genre.VIREMENT}),
    ("procedure", gettext_lazy("Procédure"), {Genre.PROCEDURE, Genre.ANNONCE}),
    ("decider", gettext_lazy("À décider"), {Genre.DECISION, Genre.ACCORD, Genre.PERTE}),
    ("mentions", gettext_lazy("Mentions"), {Genre.MENTION}),
    ("divers", gettext_lazy("Divers"), {Genre.ADRESSE, Genre.AUTRE}),
)


def _part(part: Part, h: Habitudes) -> str:
    """La phrase d'une raison de la chance."""
    if part is Part.PROMESSES:
        texte = ngettext("%(t)d promesse tenue sur %(n)d", "%(t)d promesses tenues sur %(n)d", h.conclues)
        return texte % {"t": h.tenues, "n": h.conclues}
    if part is Part.INJOIGNABLE:
        return ngettext("un appel sans réponse", "%(n)d appels de suite sans réponse", h.injoignable) % {
            "n": h.injoignable
        }
    if part is Part.RETARD:
        if h.retard <= 0:
            return _("paie d'ordinaire à l'échéance")
        return ngettext(
            "paie d'ordinaire %(n)d jour après l'échéance", "paie d'ordinaire %(n)d jours après l'échéance", h.retard
        ) % {"n": h.retard}
    return {
        Part.BUTOIR: _("passé ce délai, le droit se perd"),
        Part.PROCEDURE: _("procédure collective ou surendettement : rien ne se réclame"),
        Part.CONTENTIEUX: _("déjà au contentieux"),
        Part.SUSPENDU: _("relances suspendues"),
        Part.MAISON: _("cela ne dépend que de nous"),
        Part.PROMESSE: _("une promesse court déjà"),
        Part.ECRIT: _("il a écrit depuis un mois"),
        Part.INCONNU: _("aucun paiement connu depuis un an"),
    }[part]


def phrase_de_chance(chance: Chance, habitudes: Habitudes, *, echu: Decimal, retard: int) -> str:
    """« chance 60 % : 2 promesses tenues sur 3, paie d'ordinaire 12 jours après l'échéance », et ce que pèse l'âge."""
    dites = ", ".join(_part(part, habitudes) for part in chance.parts)
    phrase = _("chance %(n)d %% : %(parts)s") % {"n": chance.pourcent, "parts": dites}
    if echu > 0 and retard > 0:
        age = formats.nombre((30 + min(retard, AGE_MAX)) / Decimal(30), 1)
        phrase = f"{phrase} · " + _("âge × %(age)s") % {"age": age}
    return phrase
