"""Les raisons d'une suggestion, en phrases : le moteur rend des codes et des valeurs, l'écran les dit."""

from datetime import date

from django.utils.translation import gettext as _
from django.utils.translation import ngettext

from recouvrement.commun import formats
from recouvrement.commun.champs import en_euros

CERTAIN, PROBABLE = 98, 60


def ton(confiance: int) -> str:
    """Couleur de la puce ; le chiffre est toujours écrit."""
    return "bon" if confiance >= 90 else "att" if confiance >= 30 else ""


def _pieces(r: dict) -> str:
    texte = " + ".join(r.get("pieces", ()))
    return f"{texte} + …" if r.get("n", 0) > len(r.get("pieces", ())) else texte


def phrases(raisons: list[dict], devise: str) -> list[tuple[str, str, str]]:
    """[(icône, ton, phrase)]."""
    return [dite for r in raisons if (dite := _phrase(r, devise))]


def _phrase(r: dict, devise: str) -> tuple[str, str, str] | None:
    code, pieces = r.get("code", ""), _pieces(r)
    ecart = formats.somme(en_euros(r.get("ecart", 0)), devise)
    reste = formats.somme(en_euros(r.get("reste", 0)), devise)
    avoirs = ", ".join(r.get("avoirs", ()))
    sans_citer = code.removeprefix("citees_")
    bonnes = {
        "reference": _("Le libellé cite %(pieces)s."),
        "fin": _("Le libellé porte les derniers chiffres de %(pieces)s."),
        "iban": _("Ce compte a déjà payé pour ce client."),
        "iban_tiers": _("Ce compte est celui d'un tiers qui a déjà payé pour ce client."),
        "regle": _("Votre règle « %(nom)s » reconnaît ce libellé."),
        "citees": _("Le montant égale %(pieces)s, au centime."),
        "une": _("Le montant égale %(pieces)s, au centime."),
        "toutes": _("Le montant égale tout ce que ce client doit : %(pieces)s."),
        "anciennes": _("Le montant égale ses pièces les plus anciennes : %(pieces)s."),
        "plusieurs": _("Le montant égale %(pieces)s, au centime."),
        "citees_plus": _("Le montant égale %(pieces)s, au centime."),
        "avoirs": _("Le montant égale %(pieces)s, avoir déduit : %(avoirs)s."),
        "escompte": _("%(pieces)s moins l'escompte convenu de %(ecart)s, dans son délai."),
        "rejet_montant": _("Même montant que le paiement %(reference)s reçu le %(jour)s."),
        "rejet_reference": _("La référence du rejet est celle de ce paiement."),
        "rejet_nom": _("Le libellé nomme ce client."),
    }
    prudentes = {
        "ecart": _("Il manque %(ecart)s pour solder %(pieces)s : dans l'écart toléré."),
        "frais": _("Il manque %(ecart)s pour solder %(pieces)s : frais retenus par la banque, dans la tolérance."),
        "citees_partie": _("Une partie seulement de %(pieces)s."),
        "citees_trop": _("Plus que %(pieces)s : %(reste)s resteraient à imputer."),
        "partie": _("Rien ne dit quelles pièces : les plus anciennes d'abord (C. civ., art. 1342-10)."),
        "trop": _("Plus que tout ce qu'il doit : %(reste)s resteraient à imputer."),
        "avance": _("Aucune pièce ouverte : la somme attendrait, à imputer."),
        "rejet_frais": _("Le débit comprend %(frais)s de frais, qui ne se réclament pas d'office."),
    }
    valeurs = {
        "pieces": pieces, "nom": r.get("nom", ""), "ecart": ecart, "reste": reste, "avoirs": avoirs,
        "reference": r.get("reference", ""), "jour": formats.jour(_jour(r)),
        "frais": formats.somme(en_euros(r.get("frais", 0)), devise),
    }  # fmt: skip
    for cle in (code, sans_citer):
        if cle in bonnes:
            return "check", "bon", bonnes[cle] % valeurs
        if cle in prudentes:
            return "info-circle", "att", prudentes[cle] % valeurs
    if code == "deja":
        texte = _("Un encaissement de même montant est déjà enregistré : %(reference)s, reçu le %(jour)s.") % valeurs
        return "check", "bon", texte
    if code in ("nom", "nom_proche"):
        return _nom(r)
    return None


def _nom(r: dict) -> tuple[str, str, str]:
    n = r.get("n", 1)
    if n > 1:
        texte = ngettext(
            "Le nom ressemble, mais à %(n)d client.", "Le nom ressemble, mais à %(n)d clients à la fois.", n
        ) % {"n": n}
        return "info-circle", "att", texte
    if r["code"] == "nom":
        return "check", "bon", _("Le libellé nomme ce client.")
    return "info-circle", "att", _("Le libellé ressemble au nom de ce client.")


def _jour(r: dict) -> date | None:
    return date.fromisoformat(r["date"]) if "date" in r else None
