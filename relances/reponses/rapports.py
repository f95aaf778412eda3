"""Rapports normalisés : état de remise (RFC 3464), plainte (RFC 5965), accusé de lecture (RFC 8098)."""

import re
from email.message import Message

from relances.domaine.reponses import Rapport, SortDeclare

SORTS_MAX = 60
CHAMP_MAX = 2000
_GENRES = {
    "message/delivery-status": "dsn", "message/feedback-report": "arf", "message/disposition-notification": "mdn",
}  # fmt: skip
_ADRESSE = re.compile(r"[^\s<>\"(),:;@\\]{1,64}@[^\s<>\"(),:;@\\]{1,190}")
_CODE = re.compile(r"[245]\.\d{1,3}\.\d{1,3}")
_CHAMP = re.compile(r"^[ \t]*(final-recipient|original-recipient|action|status|diagnostic-code)[ \t]*:(.*)$", re.I)


def lire_rapport(genre: str, partie: Message) -> Rapport:
    """Le rapport d'une partie `message/…` ; ses blocs de champs, quoi qu'en ait fait le lecteur."""
    blocs = _blocs(partie)
    if _GENRES[genre] == "arf":
        champs = {k: v for bloc in blocs for k, v in bloc.items()}
        adresse = _adresse(champs.get("original-rcpt-to", "")) or _adresse(champs.get("removal-recipient", ""))
        return Rapport("arf", (SortDeclare(adresse),), champs.get("feedback-type", "")[:40])
    return Rapport(_GENRES[genre], tuple(sort for bloc in blocs[:SORTS_MAX] if (sort := _sort(bloc))))


def sorts_en_clair(texte: str) -> Rapport | None:
    """Champs d'un rapport laissés dans le texte (borne fausse) ; None s'il n'y en a pas."""
    blocs, bloc, dernier = [], {}, ""
    for ligne in texte[:200_000].split("\n"):
        trouve = _CHAMP.match(ligne[:CHAMP_MAX])
        if trouve:
            dernier = trouve[1].lower()
            if dernier in bloc:
                blocs.append(bloc)
                bloc = {}
            bloc[dernier] = trouve[2].strip()
        elif dernier and ligne[:1] in (" ", "\t") and ligne.strip():
            bloc[dernier] = f"{bloc[dernier]} {ligne.strip()}"[:CHAMP_MAX]
        else:
            dernier = ""
    sorts = tuple(sort for x in [*blocs, bloc][:SORTS_MAX] if (sort := _sort(x)))
    return Rapport("dsn", sorts) if sorts else None


def _blocs(partie: Message) -> list[dict[str, str]]:
    charge = partie.get_payload()
    messages = charge if isinstance(charge, list) else []
    blocs = [{k.lower(): str(v)[:CHAMP_MAX] for k, v in m.items()[:60]} for m in messages[: 2 * SORTS_MAX]]
    # Un rapport sans ligne vide, ou rangé en texte par un serveur : ses champs sont dans la charge.
    for corps in [charge] if isinstance(charge, str) else [m.get_payload() for m in messages[: 2 * SORTS_MAX]]:
        if isinstance(corps, str) and ":" in corps:
            blocs += _en_champs(corps[:40_000])
    return blocs


def _en_champs(corps: str) -> list[dict[str, str]]:
    blocs = []
    for morceau in re.split(r"\n[ \t\r]*\n", corps)[:SORTS_MAX]:
        bloc = {}
        for ligne in re.sub(r"\r?\n[ \t]+", " ", morceau).splitlines():
            nom, deux_points, valeur = ligne.partition(":")
            if deux_points:
                bloc.setdefault(nom.strip().lower()[:60], valeur.strip()[:CHAMP_MAX])
        blocs.append(bloc)
    return blocs


def _sort(bloc: dict[str, str]) -> SortDeclare | None:
    if not ({"action", "status", "final-recipient"} & bloc.keys()):
        return None
    code = _CODE.search(bloc.get("status", ""))
    return SortDeclare(
        adresse=_adresse(bloc.get("final-recipient", "")) or _adresse(bloc.get("original-recipient", "")),
        action=bloc.get("action", "").split("(")[0].strip().casefold()[:20],
        code=code[0] if code else "",
        diagnostic=" ".join(bloc.get("diagnostic-code", "").split())[:CHAMP_MAX],
    )


def _adresse(valeur: str) -> str:
    trouvee = _ADRESSE.search(valeur.rpartition(";")[2])
    return trouvee[0].lower() if trouvee else ""
