"""Relecture d'un texte réécrit : ses sommes, ses dates et ses factures sont-elles encore celles de la lettre ?

Entre la réécriture et l'envoi, un règlement arrive, un jour de pénalités court, la date limite glisse.
Le modèle, lui, se recalcule ; le texte d'une personne, non : il doit repasser sous ses yeux.
"""

import re

from recouvrement.commun.domaine import ecriture

from .contexte import Lettre
from .mots import DATE, normaliser

_SOMME = re.compile(r"\d{1,3}(?:[ ,.]\d{3})*[.,]\d{2}(?!\d)(?! ?%)")
_JOUR = re.compile(DATE)
_NOMMEE = r"\b(?:factures?|invoices?)(?: (?:n°s?|nos?\.?|num[ée]ros?|numbers?))? "
_ENSUITE = r"(?:,| et| ou| and| or) (?:n° ?)?"
_FIN = r"(?!\w|[-/]\w|[.,]\d)"
_AUTRE_FORME = r"(?=[\w/-]*[a-z])(?=(?:[\w/-]*?\d){3})[\w/-]+"  # une lettre et trois chiffres au moins


def perimes(lettre: Lettre, modele: str, texte: str) -> list[str]:
    """Total et date limite que le modèle cite et que le texte remplace par d'autres, tels qu'ils devraient s'écrire.

    Un texte qui ne cite aucune somme, ou aucune date, n'est pas périmé : le reste de la lettre les dit.
    """
    modele, texte = normaliser(modele), normaliser(texte)
    attendus = [(_SOMME, _ecrire(lettre))]
    if lettre.date_limite:
        attendus.append((_JOUR, _dates(lettre)))
    trouves = []
    for motif, formes in attendus:
        cites = any(_contient(modele, forme) for forme in formes)
        if cites and motif.search(texte) and not any(_contient(texte, forme) for forme in formes):
            trouves.append(formes[0])
    return trouves


def dit_la_date_limite(lettre: Lettre, texte: str) -> bool:
    """La date limite de la lettre est écrite dans ce texte, en chiffres ou en lettres."""
    return any(_contient(normaliser(texte), forme) for forme in _dates(lettre))


def dit_le_total(lettre: Lettre, texte: str) -> bool:
    return _contient(normaliser(texte), _ecrire(lettre)[0])


def absentes(lettre: Lettre, texte: str) -> list[str]:
    """Numéros de facture cités par le texte et absents des lignes, dans l'ordre.

    Un numéro se reconnaît partout à la forme de ceux de la lettre (FA-2026-0412 : FA-…-…) ; tout en chiffres, trop
    court ou en plusieurs mots, seulement après le mot « facture », comme toute autre forme.
    """
    texte = " ".join(texte.replace("**", "").split())
    numeros = [ligne.numero for ligne in lettre.lignes if re.search(r"\d", ligne.numero)]
    formes = "|".join(sorted({_forme(n) for n in numeros} | {_AUTRE_FORME}))
    nommees = re.compile(rf"{_NOMMEE}((?:{formes}){_FIN}(?:{_ENSUITE}(?:{formes}){_FIN})*)", re.I)
    cites = [(m.start(1) + n.start(), n[0]) for m in nommees.finditer(texte) for n in _entiers(formes, m[1])]
    if distinctes := "|".join(sorted({_forme(n) for n in numeros if _distincte(n)})):
        cites += [(n.start(), n[0]) for n in _entiers(distinctes, texte)]
    connus = {connu.casefold() for connu in references(lettre)}
    return list(dict.fromkeys(n for _rang, n in sorted(cites) if n.casefold() not in connus))


def _entiers(formes: str, texte: str):
    return re.finditer(rf"(?<![\w/-])(?:{formes}){_FIN}", texte, re.I)


def _forme(numero: str) -> str:
    """Les chiffres changent, le reste est fixe ; tout en chiffres, la longueur compte."""
    if numero.isdecimal():
        return rf"\d{{{max(len(numero) - 1, 1)},{len(numero) + 1}}}"
    return re.sub(r"\d+", lambda _chiffres: r"\d+", re.escape(" ".join(numero.split())))


def _distincte(numero: str) -> bool:
    chiffres = sum(c.isdecimal() for c in numero)
    return chiffres >= 3 and " " not in numero and any(c.isalpha() for c in numero)


def references(lettre: Lettre) -> list[str]:
    """Ce qu'une lettre peut citer : ses factures, celles qu'elle dit contestées, ses crédits, ses références."""
    return [
        *(reference for ligne in lettre.lignes for reference in (" ".join(ligne.numero.split()), ligne.commande)),
        *(contestation.numero for contestation in lettre.contestations or ()),
        *(credit.reference for credit in lettre.credits),
        lettre.reference, lettre.paiement.reference, lettre.numero_recommande, lettre.marche.numero,
        lettre.marche.engagement,
    ]  # fmt: skip


def _contient(texte: str, forme: str) -> bool:
    """La forme entière : « 1 234,56 » n'est pas dans « 21 234,56 »."""
    return re.search(rf"(?<!\d)(?<!\d[ ,.]){re.escape(normaliser(forme))}(?!\d)", texte) is not None


def _ecrire(lettre: Lettre) -> list[str]:
    t = lettre.totaux
    sommes = (t.a_payer, t.principal - t.credits)  # une administration paie d'abord le principal
    colonne = ecriture.amount if lettre.langue == "en" else ecriture.montant
    return [colonne(somme) for somme in sommes]


def _dates(lettre: Lettre) -> list[str]:
    jour = lettre.date_limite
    if lettre.langue == "en":
        return [ecriture.date_en(jour)]
    return [ecriture.date_longue(jour), ecriture.jj(jour)]
