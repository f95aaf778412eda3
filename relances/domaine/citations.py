"""Ce que la personne a écrit, ce qu'elle cite, sa signature. Ligne à ligne, en temps linéaire.

On coupe à la première annonce de citation (« Le … a écrit : », « De : … Envoyé : … », « Message d'origine ») quand
rien d'écrit ne la suit ; des lignes « > » mêlées de texte restent, avec leurs réponses. Dans le doute, on ne coupe
pas : un mot de trop se lit, un mot perdu se regrette.
"""

import re
import unicodedata
from typing import NamedTuple

LIGNE_MAX = 500  # caractères regardés d'une ligne : une annonce de citation est plus courte
ANNONCE_MAX = 4  # lignes qu'une annonce « Le … a écrit : » occupe au plus
BLOC_MAX = 14  # lignes d'un bloc « De : / Envoyé : / À : / Objet : », adresses longues et lignes vides comprises


class Coupe(NamedTuple):
    """Trois morceaux de texte, sans blanc autour ; vides s'ils n'y sont pas."""

    ecrit: str
    cite: str
    signature: str


# « Le lun. 15 nov. 2021 à 19:42, … a écrit : » : le début, puis la fin, sur une ligne ou plus.
_DEBUTS = re.compile(r"(?:le|on|am|den|il|el|em|op|vom) .{0,40}?\d", re.I)
_DEBUT_AUTRE = re.compile(r"(?:\d{4}-\d\d-\d\d|\d{1,2}[./]\d{1,2}[./]\d{2,4})[ ,]", re.I)
_FINS = re.compile(
    r"(?:a ecrit|ont ecrit|ecrivait|wrote|schrieb|geschrieben|escribio|ha scritto|scrisse|escreveu|schreef|skrev"
    r"|napisal(?:\(a\))?|pisze)\b[^:]{0,160}: ?>?$"
)
_SEPARATEUR = re.compile(
    r"[-_=* ]{2,}\s*(?:(?:debut du )?(?:e-?mail|message|courriel) (?:d'origine|original|initial|transfere|reexpedie)"
    r"|message initial|original message|forwarded message|original-nachricht|ursprungliche nachricht"
    r"|weitergeleitete nachricht|mensaje original|messaggio originale|mensagem original|oorspronkelijk bericht"
    r"|originalmeddelande|original appointment|reply message)\s*[-_=* ]{2,}"
)
_SEPARATEUR_NU = re.compile(
    r"(?:debut du (?:message|courriel) (?:reexpedie|transfere)|begin forwarded message|anfang der weitergeleiteten .*)"
    r" ?:?$"
)
_DE = re.compile(r"(?:de|from|von|van|da|fra|od|expediteur|sender) ?: ?\S")
_SUITE = re.compile(
    r"(?:envoye|date|sent|gesendet|datum|a|to|an|para|aan|cc|objet|subject|betreff|asunto|oggetto|inviato|enviado"
    r"|verzonden|onderwerp|sujet|repondre a|reply-to|pour|assunto|data|destinataire|destinataires) ?:"
)
_FILET = re.compile(r"[_\-=—–]{5,}$")
_HEURE = re.compile(r"\d ?[:h.] ?\d\d\b")
_SIGNATURES = ("--", "__", "—")
_APPAREIL = re.compile(
    r"(?:envoye (?:depuis|de|a partir de|avec|via|du) (?:mon |ma |l'appli|un |une |le |la |proton|yahoo|outlook|gmail"
    r"|orange|sfr|free|iphone|android|courrier|samsung)|envoye a l'aide de |provenance : |obtenir outlook pour "
    r"|telecharger outlook pour |sent from (?:my |mail |outlook|yahoo|proton|samsung|iphone|android|the |a )|sent via "
    r"|get outlook for |von meine[mr] .{1,40} gesendet|gesendet (?:mit|von) |enviado desde |inviato da(?:l mio)? "
    r"|verzonden vanaf |skickat fran |enviado do meu )"
)


def couper(texte: str) -> Coupe:
    """Sépare une réponse de ce qu'elle cite, en temps linéaire. Ne lève pas, ne perd aucun mot."""
    lignes = texte.replace("\r\n", "\n").replace("\r", "\n").split("\n")
    plates = [_plat(ligne) for ligne in lignes]
    borne = _debut_de_citation(lignes, plates)
    borne = _debut_de_chevrons(lignes, borne)
    coupe = _debut_de_signature(plates, borne)
    # Une citation peut aussi précéder la signature (pied de liste, réponse sous la citation).
    fin = _debut_de_chevrons(lignes, coupe)
    return Coupe(_joindre(lignes[:fin]), _joindre(lignes[fin:coupe] + lignes[borne:]), _joindre(lignes[coupe:borne]))


def _plat(ligne: str) -> str:
    """La ligne sans accents, en minuscules, blancs unis ; bornée : une annonce de citation est courte."""
    court = ligne[:LIGNE_MAX].strip().strip("*").strip().casefold()
    if not court.isascii():
        court = unicodedata.normalize("NFKD", court.replace("’", "'").replace("‘", "'"))
        court = "".join(c for c in court if not unicodedata.combining(c) and unicodedata.category(c) != "Cf")
    return " ".join(court.replace("*", "").split())


def _joindre(lignes: list[str]) -> str:
    return "\n".join(ligne.rstrip() for ligne in lignes).strip()


def _debut_de_citation(lignes: list[str], plates: list[str]) -> int:
    """Rang de la première ligne citée ; len(lignes) si rien n'est annoncé."""
    for i, plate in enumerate(plates):
        if not plate or plate.startswith(">"):
            continue
        if _SEPARATEUR.match(plate) or _SEPARATEUR_NU.match(plate):
            return i
        if _DE.match(plate) and _bloc_d_entetes(plates, i):
            return _sans_filet(plates, i)
        fin = _annonce(plates, i)
        if fin and not _entremelee(lignes, fin):
            return i
    return len(lignes)


def _annonce(plates: list[str], i: int) -> int:
    """Rang qui suit l'annonce « Le … a écrit : » commencée en i ; 0 si ce n'en est pas une.

    Une heure, une adresse ou des « > » derrière : sans eux, ce peut être une phrase de la personne.
    """
    plate = plates[i]
    commence = _DEBUTS.match(plate) or _DEBUT_AUTRE.match(plate)
    if not commence and not ("@" in plate and plate.endswith(":")):
        return 0
    for j in range(i, min(i + ANNONCE_MAX, len(plates))):
        if not plates[j] or plates[j].startswith(">"):
            return 0
        if plates[j].endswith((":", ":>")):
            entiere = " ".join(plates[i : j + 1])
            chevron = next((x for x in plates[j + 1 : j + 3] if x), "").startswith(">")
            certaine = chevron or "@" in entiere or _HEURE.search(entiere)
            return j + 1 if certaine and _FINS.search(entiere[-400:]) else 0
    return 0


def _bloc_d_entetes(plates: list[str], i: int) -> bool:
    """« De : » suivi d'au moins deux autres en-têtes, ou d'un seul et d'une adresse : Outlook cite ainsi."""
    suites = 0
    for plate in plates[i + 1 : i + BLOC_MAX]:
        if _SUITE.match(plate):
            suites += 1
    return suites >= 2 or (suites == 1 and "@" in plates[i])


def _sans_filet(plates: list[str], i: int) -> int:
    """Le filet « ______ » qui précède le bloc va avec lui."""
    j = i - 1
    while j >= 0 and not plates[j]:
        j -= 1
    return j if j >= 0 and _FILET.match(plates[j]) else i


def _entremelee(lignes: list[str], fin: int) -> bool:
    """Après l'annonce : des « > », puis du texte non cité qui n'est pas une signature ? La personne répond dedans."""
    cites = False
    for ligne in lignes[fin:]:
        nue = ligne.strip()
        if nue.startswith(">"):
            cites = True
        elif nue and cites:
            return nue not in _SIGNATURES and not _APPAREIL.match(_plat(ligne))
        elif nue:
            return False  # citation sans chevrons (HTML mis en texte) : tout le reste est cité
    return False


def _debut_de_chevrons(lignes: list[str], fin: int) -> int:
    """Rang du bloc « > » qui termine les `fin` premières lignes ; `fin` s'il n'y en a pas."""
    debut, premier = fin, fin
    while debut and ((chevron := lignes[debut - 1].lstrip().startswith(">")) or not lignes[debut - 1].strip()):
        debut -= 1
        premier = debut if chevron else premier
    return premier


def _debut_de_signature(plates: list[str], fin: int) -> int:
    """Rang de la signature : après « -- » ou « __ », ou la ligne d'un appareil en fin de texte ; `fin` sinon."""
    while fin and not plates[fin - 1]:
        fin -= 1
    cite = max((i for i in range(fin) if plates[i].startswith(">")), default=-1)
    for i in range(cite + 1, fin - 1):
        if plates[i] in _SIGNATURES:
            return i
    return fin - 1 if fin and _APPAREIL.match(plates[fin - 1]) else fin
