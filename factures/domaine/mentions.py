"""Mentions obligatoires que les données d'une facture ne portent pas : lesquelles, quel texte, depuis quand. Pur.

On constate, on ne juge pas : une mention absente des données peut se lire sur le PDF, et son défaut n'éteint pas la
créance. Il affaiblit ce qui s'appuie sur elle (pénalités, indemnité, mise en demeure). Sources : droit.md § 1, 2 et 12.
"""

import re
import unicodedata
from collections.abc import Callable
from dataclasses import dataclass
from datetime import date

from .efacture import AVOIRS, Document


@dataclass(frozen=True, slots=True)
class Mention:
    """depuis : premier jour d'émission où elle est due ; jusqu_au : dernier, None tant que la règle court.

    `concerne` dit si le document y est tenu, `presente` s'il la porte.
    """

    code: str
    libelle: str
    source: str
    depuis: date
    presente: Callable[[Document], bool]
    concerne: Callable[[Document], bool] = lambda document: True
    jusqu_au: date | None = None


def _plat(texte: str) -> str:
    return unicodedata.normalize("NFKD", texte).encode("ascii", "ignore").decode().lower()


def _texte(d: Document) -> str:
    return _plat(" ".join([*(texte for _, texte in d.notes), d.texte_des_termes]))


def _note(d: Document, code: str) -> bool:
    return any(sujet == code and texte.strip() for sujet, texte in d.notes)


_PENALITES = re.compile(r"penalit|interet[s]? de retard|interet[s]? moratoire|late payment|taux d.?interet legal")
_INDEMNITE = re.compile(
    r"(?:indemnite|forfait|frais de recouvrement|compensation)[^.]{0,120}\b40\b|\b40(?:[.,]00)? ?eur"
)
_ESCOMPTE = re.compile(r"escompte|discount|skonto")


def _due(d: Document) -> bool:
    """Une facture, et non un avoir : seule elle fixe un paiement."""
    return not d.avoir and d.type not in AVOIRS


def _professionnel(d: Document) -> bool:
    """L'acheteur s'identifie : c'est un professionnel, auquel l'article L441-9 s'applique."""
    return _due(d) and bool(d.acheteur.siren or d.acheteur.siret or d.acheteur.tva or d.acheteur.identifiant)


def _autoliquidee(d: Document) -> bool:
    return any(t.categorie in ("K", "AE") for t in d.ventilation)


def _biens(d: Document) -> bool:
    return d.cadre[:1].upper() in ("B", "M")


_LME = date(2009, 1, 1)
_REFORME = date(2026, 9, 1)
_REFORME_2 = date(2027, 9, 1)
MENTIONS = (
    Mention(
        "penalites", "taux des pénalités de retard", "C. com., art. L441-9, I et L441-10, II", _LME,
        lambda d: _note(d, "PMD") or bool(_PENALITES.search(_texte(d))), _professionnel,
    ),
    Mention(
        "indemnite", "indemnité forfaitaire de 40 € pour frais de recouvrement",
        "C. com., art. L441-9, I, L441-10, II et D441-5", date(2013, 1, 1),
        lambda d: _note(d, "PMT") or bool(_INDEMNITE.search(_texte(d))), _professionnel,
    ),
    Mention(
        "escompte", "conditions d'escompte, ou son absence", "C. com., art. L441-9, I", _LME,
        lambda d: _note(d, "AAB") or d.escompte is not None or bool(_ESCOMPTE.search(_texte(d))), _professionnel,
    ),
    Mention(
        "reglement", "date à laquelle le règlement doit intervenir", "C. com., art. L441-9, I", _LME,
        lambda d: d.echeance is not None or any(t.jour or t.texte for t in d.termes), _professionnel,
    ),
    Mention(
        "siren_vendeur", "SIREN du vendeur", "C. com., art. R123-237", date(2007, 5, 9),
        lambda d: bool(d.vendeur.siren or d.vendeur.siret),
    ),
    Mention(
        "tva_vendeur", "numéro de TVA du vendeur", "CGI, ann. II, art. 242 nonies A, I, 2°", date(2003, 7, 1),
        lambda d: bool(d.vendeur.tva), lambda d: bool(d.tva) or _autoliquidee(d),
    ),
    Mention(
        "tva_acheteur", "numéro de TVA de l'acheteur", "CGI, ann. II, art. 242 nonies A, I, 3°", date(2003, 7, 1),
        lambda d: bool(d.acheteur.tva), _autoliquidee,
    ),
    Mention(
        "adresse_vendeur", "adresse du vendeur", "CGI, ann. II, art. 242 nonies A, I, 1°", date(2003, 7, 1),
        lambda d: bool(d.vendeur.adresse or d.vendeur.ville),
    ),
    Mention(
        "adresse_acheteur", "adresse de l'acheteur", "CGI, ann. II, art. 242 nonies A, I, 1°", date(2003, 7, 1),
        lambda d: bool(d.acheteur.adresse or d.acheteur.ville),
    ),
    Mention(
        "lignes", "désignation et quantité de ce qui est vendu", "CGI, ann. II, art. 242 nonies A, I, 8°",
        date(2003, 7, 1), lambda d: d.lignes > 0,
    ),
    Mention(
        "ventilation", "total HT et TVA par taux", "CGI, ann. II, art. 242 nonies A, I, 9°", date(2003, 7, 1),
        lambda d: bool(d.ventilation),
    ),
    Mention(
        "siren_acheteur", "SIREN du client", "CGI, ann. II, art. 242 nonies A (décret 2022-1299)", _REFORME,
        lambda d: bool(d.acheteur.siren or d.acheteur.siret),
        lambda d: _professionnel(d) and (d.acheteur.pays or "FR") == "FR",
    ),
    Mention(
        "categorie", "catégorie de l'opération : biens, services ou les deux",
        "CGI, ann. II, art. 242 nonies A (décret 2022-1299)", _REFORME,
        lambda d: bool(re.fullmatch(r"[BSM]\d{1,2}", d.cadre.upper())),
    ),
    Mention(
        "livraison", "adresse de livraison des biens, si elle diffère de celle du client",
        "CGI, ann. II, art. 242 nonies A (décret 2022-1299)", _REFORME_2, lambda d: d.livraison, _biens,
    ),
)  # fmt: skip
PAR_CODE = {m.code: m for m in MENTIONS}


def mentions_absentes(document: Document, jour: date) -> tuple[str, ...] | None:
    """Codes des mentions dues le jour d'émission `jour` et absentes des données, dans l'ordre de `MENTIONS`.

    None : le vendeur n'est pas français, ces textes ne régissent pas sa facture.
    """
    if not (document.vendeur.siren or document.vendeur.pays in ("", "FR")):
        return None
    return tuple(
        m.code
        for m in MENTIONS
        if m.depuis <= jour
        and (m.jusqu_au is None or jour <= m.jusqu_au)
        and m.concerne(document)
        and not m.presente(document)
    )
