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
        r"pourriez-vous|vous remercions de|merci de (?:bien vouloir |nous |proceder|regler|payer|prevoir)|veuillez |"
        r"vous (?:demandons|prions|invitons) (?:de |a )(?:bien vouloir )?(?:regler|payer|proceder|mandater|nous "
        r"(?:regler|payer|faire))|vous mettons en demeure|nous proposons|could you|please (?:pay|settle|arrange)|"
        r"kindly (?:pay|settle|arrange)|ask you to|grateful to receive|formal notice"
    ),
    "moyens de paiement": r"\biban\b|par virement|par cheque|en ligne|bank transfer",
    "date limite": (
        r"(?:au plus tard|d'ici au|d'ici le|avant le|a regler le|by|no later than|due) (?:le )?(?:\w+ )?" + DATE
    ),
    "conséquences": (
        r"pourrions|passe cette date|fait courir|n'entraine ni|donne lieu|continuent de courir|a defaut|faute de|"
        r"we may|gives? rise|spare you|failing (?:this|payment)|after that date|by operation of law|continues? to "
        r"(?:run|accrue)"
    ),
    "politesse": (
        r"cordialement|salutations|consideration distinguee|sentiments (?:distingues|respectueux)|bien a vous|"
        r"regards\b|yours (?:sincerely|faithfully)"
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
