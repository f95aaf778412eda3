"""Les sommes d'argent qu'un texte dit, et celles que sa lettre lui permet de dire (exigences 19, 24 et 29).

Une relance ne réclame que ce que son décompte établit : une somme d'ailleurs (frais, dédommagement, ancien solde) la
ferait mentir. Une somme s'écrit « 1 046,79 € », « 1.046,79 EUR », « €1,046.79 », « 1046 euros et 79 centimes », « deux
cents euros ».
"""

import re
from collections import defaultdict
from collections.abc import Iterator
from decimal import Decimal

from recouvrement.commun.domaine.montants_texte import MAXIMUM, entier_en_lettres, integer_in_words

from .contexte import ZERO, Lettre, TypeDebiteur
from .interdits import QUARANTE, sommes_de
from .mots import normaliser
from .relecture import references

_NOMBRE = r"(?:\d{1,3}(?:[ .,']\d{3})+|\d+)(?:[.,]\d{1,2})?(?!\d)"
_DEBUT = r"(?<![\w])(?<!\d[.,'/-])"
_SIGLES = r"€|\$|£|eur|usd|gbp|chf|cad"
_NOMS = rf"(?:{_SIGLES}|euros?|dollars?|francs?|livres? sterling|pounds?)"
_CENTIMES = r"(?:(?:,? et)? ?(?P<centimes>\d{1,2}) ?(?:centimes?|cents?|pence)\b|(?P<colles>\d{2})(?!\d))?"
# Deux décimales sans devise : une somme, sauf un taux, une mesure ou une durée.
_MESURE = (
    r"(?! ?(?:%|pour ?(?:cent|mille)|per ?cent|points?|percentage|m[23]?|[ck]?m|kg|g|l|h|heures?|hours?|jours?|days?|"
    r"mois|months?|ans?|years?|fois|times)(?![a-z]))(?![./,-]\d)"
)
_NUES = {
    "fr": r"(?:\d{1,3}(?:[ .']\d{3})+|\d+),\d{2}(?!\d)",
    "en": r"(?:\d{1,3}(?:[ ,']\d{3})+|\d+)\.\d{2}(?!\d)",
}
_CHIFFRES = {
    langue: re.compile(
        rf"(?<![a-z])(?:{_SIGLES}) ?(?P<apres>{_NOMBRE})(?P<kilo_apres>k\b)?"
        rf"|{_DEBUT}(?P<avant>{_NOMBRE}) ?(?P<kilo>k|mille |millions? d')?{_NOMS}(?![a-z]){_CENTIMES}"
        rf"|{_DEBUT}(?P<nue>{nue}){_MESURE}"
    )
    for langue, nue in _NUES.items()
}
_MOT = (
    r"(?:zero|une?|deux|trois|quatre|cinq|six|sept|huit|neuf|dix|onze|douze|treize|quatorze|quinze|seize|vingts?|"
    r"trente|quarante|cinquante|soixante|cents?|mille|millions?|one|two|three|four|five|seven|eight|nine|ten|eleven|"
    r"twelve|thirteen|fourteen|fifteen|sixteen|seventeen|eighteen|nineteen|twenty|thirty|forty|fifty|sixty|seventy|"
    r"eighty|ninety|hundred|thousand|million)"
)
_LETTRES = re.compile(rf"(?<!\d )\b({_MOT}(?:(?: et | and |[ -]){_MOT})*) (?:d')?euros?\b")


def absentes(lettre: Lettre, texte: str, livre: str = "") -> list[str]:
    """Sommes que dit le texte et qui ne sont pas dans la lettre, telles qu'il les écrit, une fois chacune.

    livre : le texte du modèle livré pour cette lettre, dont les sommes se citent toutes.
    """
    en_chiffres, en_mots = list(_chiffrees(lettre, texte)), list(_LETTRES.finditer(_a_plat(texte)))
    if not en_chiffres and not en_mots:
        return []
    permises = citables(lettre) | {somme for _ecrite, somme in _chiffrees(lettre, livre)}
    trouvees = [ecrite for ecrite, somme in en_chiffres if somme not in permises]
    if en_mots:
        entiers = {int(somme) for somme in permises if abs(somme) < MAXIMUM}
        connus = {_sans_forme(f(n)) for n in entiers for f in (entier_en_lettres, integer_in_words)}
        connus |= {_sans_forme(m[1]) for m in _LETTRES.finditer(_a_plat(livre))}
        trouvees += [m[0] for m in en_mots if _sans_forme(m[1]) not in connus]
    return list(dict.fromkeys(trouvees))


def citables(lettre: Lettre) -> set[Decimal]:
    """Tout montant que la lettre établit, ligne à ligne et en tout, et les capitaux des deux sociétés."""
    t = lettre.totaux
    contestees = sum((c.montant for c in lettre.contestations or ()), ZERO)
    permises = sommes_de(lettre) | {
        ZERO, t.principal - t.credits, t.reste_du - t.credits, t.a_payer + t.credits, contestees,
    }  # fmt: skip
    if lettre.chiffree:
        permises |= {t.penalites + t.indemnites, t.interets_courus + t.indemnites}
    if lettre.type_debiteur in (TypeDebiteur.ENTREPRISE, TypeDebiteur.ADMINISTRATION):
        permises.add(QUARANTE)  # C. com., art. D441-5 ; CCP, art. D2192-35
    cumuls: dict[tuple, Decimal] = defaultdict(lambda: ZERO)  # par facture, par période et par taux
    for x in lettre.lignes:
        permises |= {x.principal, x.interets_courus, x.interets_regles, x.penalites}
        permises |= {somme for s in x.segments for somme in (s.principal, s.interets)}
        permises |= {s for r in x.reglements for s in (r.montant, r.sur_interets, r.sur_principal, r.principal_restant)}
        for nom in ("reste_du", "montant_ttc", "penalites"):
            cumuls[nom, x.facture] += getattr(x, nom)
        for s in x.segments:
            cumuls["periode", s.semestre, s.taux] += s.interets
            cumuls["taux", s.taux] += s.interets
    permises |= set(cumuls.values())
    capitaux = f"{lettre.emetteur.capital} ; {lettre.destinataire.capital}"
    return permises | {somme for _ecrite, somme in _chiffrees(lettre, capitaux)}


def _chiffrees(lettre: Lettre, texte: str) -> Iterator[tuple[str, Decimal]]:
    """(somme telle qu'écrite, sa valeur) ; les références de la lettre ne sont pas des sommes."""
    plat = _a_plat(texte)
    for reference in references(lettre):
        if re.search(r"\d[.,]\d", reference):
            plat = re.sub(rf"(?<!\w){re.escape(_a_plat(reference))}(?!\w)", " ; ", plat)
    for m in _CHIFFRES["en" if lettre.langue == "en" else "fr"].finditer(plat):
        somme = _valeur(m["apres"] or m["avant"] or m["nue"])
        if centimes := m["centimes"] or m["colles"]:
            somme += Decimal(int(centimes)) / 100
        multiple = (m["kilo"] or m["kilo_apres"] or "").strip()
        yield m[0].strip(), somme * (10**6 if multiple.startswith("million") else 1000 if multiple else 1)


def _a_plat(texte: str) -> str:
    return " ".join(normaliser(texte).split())


def _valeur(nombre: str) -> Decimal:
    """« 1 046,79 », « 1.046,79 », « 1,046.79 », « 1046 » ; trois chiffres après un signe sont des milliers."""
    lu = re.fullmatch(r"(.*?)(?:[.,](\d{1,2}))?", re.sub(r"[ ']", "", nombre))
    return Decimal(f"{re.sub(r'[.,]', '', lu[1])}.{lu[2] or 0}")


def _sans_forme(mots: str) -> str:
    """Un nombre en lettres sans traits d'union, liaisons ni marques du pluriel."""
    return " ".join(m.rstrip("s") for m in re.split(r"[ -]+", normaliser(mots)) if m not in ("et", "and"))
