"""Rejets écrits en clair, sans rapport lisible : Gmail, Exim, Exchange, qmail, Postfix, sendmail, Orange, La Poste.

Les rapports normalisés (RFC 3464) passent d'abord ; ici, les formes connues des serveurs, sur un texte borné.
"""

import re
from dataclasses import dataclass
from typing import NamedTuple

TEXTE_MAX = 20_000  # caractères lus : l'erreur est en tête, la copie du message suit
ADRESSES_MAX = 50

# Qui écrit : un serveur, jamais une personne.
_MACHINE = re.compile(
    r"^(?:mailer[-_.]?daemon|postmaster|mail[-_.]?daemon|mailerdaemon|bounces?|mdaemon)(?:[+-].*)?@", re.I
)
_MACHINE_NOM = re.compile(
    r"mail delivery (?:sub)?system|mail delivery service|mailer[- ]daemon|postmaster|microsoft outlook$"
    r"|microsoft exchange|mail administrator|system administrator|administrateur syst|internet mail delivery",
    re.I,
)
_OBJETS = re.compile(
    r"^(?:\W*)(?:undeliverable|undelivered mail|undeliverable mail|returned mail|mail delivery failed|mail failure"
    r"|mail delivery failure|delivery status notification|delivery failure|delivery has failed|failure notice"
    r"|failed mail|message frozen|warning: (?:message|could not send)|delayed mail|mail system error"
    r"|delivery notification|non remis|non distribuable|echec (?:de la |de )?(?:remise|livraison|distribution)"
    r"|notification d'echec|notification d'etat de remise|courrier non remis|message non remis|message non distribue"
    r"|courriel non remis|retour a l'expediteur|unzustellbar|nicht zugestellt|zustellung fehlgeschlagen"
    r"|mail delivery status|no se puede entregar|no entregado|non recapitabile|mancato recapito"
    r"|onbestelbaar|olevererbart|nao entregue|mail could not be delivered|could not be delivered)",
    re.I,
)
_INTRODUCTIONS = re.compile(
    r"delivery to the following recipient|could not be delivered|couldn't be delivered|wasn't delivered"
    r"|delivery has failed to these recipients|delivery has been delayed|delivery has failed"
    r"|this is the mail system at host|this is the qmail|unable to deliver your message|undeliverable"
    r"|permanent (?:fatal )?error|the following addresses had|address(?:es)? failed|created automatically by mail"
    r"|impossible de remettre|n'a pas pu etre (?:remis|distribue|livre|delivre)|echec de la remise|adresse introuvable"
    r"|n'a pas ete remis|remise impossible|message bloque|address not found|address couldn't be found"
    r"|message not delivered|message was not delivered|could not deliver|mailbox (?:is )?full|user unknown"
    r"|konnte nicht zugestellt|nicht zugestellt werden|no such user",
    re.I,
)
_COPIE = re.compile(
    r"^[ \t>]*(?:-{2,}.{0,8}(?:original message|this is a copy|below this line|copy of the message|returned message"
    r"|message d'origine|original mail|below the next line|mensaje original|message header|undelivered message)"
    r"|(?:original message headers|en-tetes de message d'origine|en-tetes du message d'origine"
    r"|original message details|ursprungliche nachrichtenkopfzeilen|le message d'origine)\s?:?\s*$"
    r"|content-type: (?:message/rfc822|text/rfc822-headers)|the original message (?:was|is) |reporting-mta:)",
    re.I | re.M,
)
_ETENDU = re.compile(r"(?<![\d.])([245])\.(\d{1,3})\.(\d{1,3})(?![\d.]*\d)")
_SMTP = re.compile(r"(?<![\d.:/-])([45]\d\d)(?=[ -]#?[\w<(]|[ -]\d\.\d)")
_ADRESSE = re.compile(r"[\w.+=%&'*/!#$^`{|}~-]{1,64}@[A-Za-z0-9À-ÿ](?:[A-Za-z0-9À-ÿ.-]{0,250}[A-Za-z0-9À-ÿ])?")
_RETARD = re.compile(
    r"will (?:keep trying|be retried|continue)|still (?:being retried|undelivered)|no action is required on your part"
    r"|has not yet been delivered|has been delayed|is delayed|warning message only|do not need to resend"
    r"|this is just a warning|delivery attempts will continue|sera renvoye|a ete retarde|nouvelle tentative"
    r"|n'a pas encore ete (?:remis|distribue)|wird weiterhin versucht",
    re.I,
)
_PLEINE = re.compile(
    r"mailbox (?:is )?full|over ?quota|quota exceeded|exceed(?:s|ed)? (?:the )?(?:storage|quota|mailbox)|boite (?:aux"
    r" lettres |de reception |mail )?(?:est )?pleine|insufficient (?:system )?storage|postfach (?:ist )?voll"
    r"|out of storage|not enough free space|quota depasse|depasse(?:ment)? (?:de |son )?quota",
    re.I,
)
_PASSAGER = re.compile(
    r"try(?:ing)? again later|please try later|essayer plus tard|reessayer plus tard|temporar(?:y|ily)|temporaire"
    r"|greylist|timed? out|connection refused|retry timeout|service unavailable|queue too long|defer",
    re.I,
)
_INCONNUE = re.compile(
    r"user unknown|unknown user|no such (?:user|mailbox|recipient|address)|recip(?:ient)?notfound|does ?n[o']t exist"
    r"|not found|no mailbox|mailbox (?:unavailable|not found|disabled|inactive)|unrouteable"
    r"|invalid (?:recipient|address"
    r"|mailbox)|address rejected|host (?:unknown|not found)|unknown (?:host|address|recipient)|introuvable|inconnu"
    r"|inexistant|n'existe pas|invalide|bloque\b|account (?:is )?(?:disabled|blocked|inactive)|disabled|desactive",
    re.I,
)
_POLITIQUE = re.compile(
    r"spam|blacklist|blocklist|block list|listed (?:at|by|in)|reputation|policy|content rejected|mail rejete"
    r"|rejected for"
    r"|virus|dmarc|\bspf\b|\bdkim\b|too (?:big|large)|message size|relay(?:ing)? (?:access )?denied|access denied"
    r"|not authori[sz]ed|authentication required",
    re.I,
)


class Gravite(NamedTuple):
    """passager : peut passer plus tard ; adresse : c'est l'adresse qui est mauvaise, pas le message."""

    passager: bool
    adresse: bool


@dataclass(frozen=True)
class RejetEnClair:
    adresses: tuple[str, ...]
    code: str
    diagnostic: str
    retard: bool


def de_machine(de: str, de_nom: str) -> bool:
    """L'expéditeur est un serveur de courriel."""
    return bool(_MACHINE.match(de) or _MACHINE_NOM.search(de_nom[:120]))


def objet_de_rejet(objet_plat: str) -> bool:
    """Objet sans accents : celui qu'un serveur donne à un rejet (un « Re: » devant n'en est plus un)."""
    return bool(_OBJETS.match(objet_plat[:200]))


def lire_texte(texte_plat: str, *, echoues: str = "") -> RejetEnClair | None:
    """Texte d'un rejet, sans accents ; None si rien n'y dit un échec. echoues : en-tête X-Failed-Recipients."""
    texte = texte_plat[:TEXTE_MAX]
    copie = _COPIE.search(texte)
    erreur = texte[: copie.start()] if copie else texte
    if not (_INTRODUCTIONS.search(erreur) or echoues):
        return None
    adresses = _adresses(echoues) or _adresses(erreur)
    code = code_de(erreur)
    ligne = next((x.strip() for x in erreur.splitlines() if code and code in x), "")
    return RejetEnClair(
        adresses, code, " ".join((ligne or _resume(erreur)).split())[:400], bool(_RETARD.search(erreur))
    )


def _resume(erreur: str) -> str:
    return next((x for x in erreur.splitlines() if _INTRODUCTIONS.search(x)), "")


def _adresses(texte: str) -> tuple[str, ...]:
    """Celles des lignes de rejet ; un serveur s'y nomme aussi : on l'écarte."""
    trouvees = dict.fromkeys(x.lower().strip("'`") for x in _ADRESSE.findall(texte[:TEXTE_MAX]))
    gardees = [x for x in trouvees if not _MACHINE.match(x)]
    return tuple(gardees[:ADRESSES_MAX])


def code_de(texte: str) -> str:
    """« 5.1.1 » si le texte en porte un, à défaut « 550 » ; vide sinon. Le premier échec vaut, pas le dernier."""
    for trouve in _ETENDU.finditer(texte):
        if trouve[1] != "2":
            return ".".join(trouve.groups())
    smtp = _SMTP.search(texte)
    return smtp[1] if smtp else ""


def peser(code: str, texte_plat: str) -> Gravite:
    """Ce que vaut un échec : le code décide, le texte précise. texte_plat : diagnostic, sans accents."""
    texte = texte_plat[:TEXTE_MAX]
    if code.startswith("4"):
        return Gravite(passager=True, adresse=False)
    if code in ("5.2.2", "552") or _PLEINE.search(texte):
        return Gravite(passager=True, adresse=False)
    if not code and _PASSAGER.search(texte) and not _INCONNUE.search(texte):
        return Gravite(passager=True, adresse=False)
    if code.startswith(("5.1.", "5.2.1", "5.4.4")) and not code.startswith(("5.1.7", "5.1.8")):
        return Gravite(passager=False, adresse=True)
    if code.startswith(("5.3.4", "5.6.", "5.7.", "5.2.3")) or _POLITIQUE.search(texte):
        return Gravite(passager=False, adresse=bool(_INCONNUE.search(texte)) and not _POLITIQUE.search(texte))
    return Gravite(passager=False, adresse=True)
