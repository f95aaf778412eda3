"""Les mots qu'il faut à une relance ; ceux qu'on n'écrit jamais sont dans `interdits`."""

import re
import unicodedata

DATE = (
    r"(?:\d{2}/\d{2}/\d{4}|\d{1,2}(?:er)? (?:janvier|fevrier|mars|avril|mai|juin|juillet|aout|septembre|octobre|"
    r"novembre|decembre|january|february|march|april|may|june|july|august|september|october|november|december) \d{4}"
    r"|\{\{ ?(?:courrier\.date_limite|premiere\.date_echeance))"
)
PARTIES = {
    "objet clair": r"^(?:objet|subject) ?: ?\S.{5,}",
    "rappel de facture": r"\b(?:factures?|invoices?)\b",
    "demande explicite": (
        r"pourriez-vous|vous remercions de|vous mettons en demeure|nous proposons|could you|please pay|grateful to "
        r"receive|formal notice"
    ),
    "moyens de paiement": r"\biban\b|par virement|par cheque|en ligne|bank transfer",
    "date limite": (
        r"(?:au plus tard|d'ici au|d'ici le|avant le|a regler le|by|no later than|due) (?:le )?(?:\w+ )?" + DATE
    ),
    "conséquences": (
        r"pourrions|passe cette date|fait courir|n'entraine ni|donne lieu|we may|may give rise|spare you|continuent de "
        r"courir"
    ),
    "politesse": (
        r"cordialement|salutations|consideration distinguee|bien a vous|kind regards|yours (?:sincerely|faithfully)"
    ),
}
_MOTIFS = {nom: re.compile(motif, re.M) for nom, motif in PARTIES.items()}


def normaliser(texte: str) -> str:
    """Minuscules sans accent ni espace insécable, apostrophe droite, sans gras."""
    decompose = unicodedata.normalize("NFKD", texte.lower().replace("’", "'").replace("**", ""))
    sans_accent = "".join(c for c in decompose if not unicodedata.combining(c))
    return re.sub(r"[^\S\n]+", " ", sans_accent)


def elements_manquants(texte: str) -> list[str]:
    """Noms des parties absentes, dans l'ordre d'une lettre ; la première ligne est « Objet : … »."""
    texte = normaliser(texte)
    return [nom for nom, motif in _MOTIFS.items() if not motif.search(texte)]


def met_en_demeure(texte: str) -> bool:
    """Interpellation suffisante (C. civ., art. 1344) : les mots y sont."""
    return re.search(r"mett\w+ en demeure|mise en demeure|formal notice", normaliser(texte)) is not None
