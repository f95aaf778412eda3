"""Les mentions d'une lettre, comptées : « 9 sur 9 ». Se déduisent des manques, jamais vérifiées deux fois."""

from collections.abc import Sequence
from typing import NamedTuple

from django.utils.translation import gettext as _

from relances.domaine.natures import Canal, Nature

from .contexte import Lettre
from .controles import Manque
from .mots import PARTIES, elements_manquants


class Mention(NamedTuple):
    libelle: str
    presente: bool


def _de_la_lettre() -> list[tuple[str, frozenset[str], frozenset[Nature] | None]]:
    """(libellé, codes de `controles` qui la font manquer, natures où elle est attendue ; None : toutes)."""
    chiffrees = frozenset({Nature.FORMALISATION, Nature.MISE_EN_DEMEURE})
    mise_en_demeure = frozenset({Nature.MISE_EN_DEMEURE})

    def codes(texte):
        return frozenset(texte.split())

    return [
        (
            _("créancier"),
            codes("societe_forme societe_adresse societe_code_postal societe_ville societe_rcs_ville societe_capital "
                  "societe_siren"),
            None,
        ),
        (_("débiteur et son adresse"), codes("client_nom adresse adresse_sans_rue"), None),
        (_("date"), codes("arrete"), None),
        (_("mots « mise en demeure »"), codes("mention modele_absent administration_mise_en_demeure"), mise_en_demeure),
        (
            _("détail des factures"),
            codes("lignes devises reste_du non_echue deja_echue credit total contestation decompte_ecart"),
            None,
        ),
        (
            _("décompte des intérêts"),
            codes("taux decompte indemnite indemnite_double taux_plancher particulier taux_legal"),
            chiffrees,
        ),
        (_("nouveau délai"), codes("date_limite date_limite_chomee"), None),
        (_("moyens de payer"), codes("iban bic reference reference_paiement"), None),
        (_("signataire et sa qualité"), codes("signataire signataire_fonction"), None),
    ]  # fmt: skip


def mentions(lettre: Lettre, manques: Sequence[Manque], integral: str = "") -> list[Mention]:
    """Mentions attendues de ce courrier, présentes ou non.

    integral : texte du courriel, objet compris (exigence 23) ; sans lui, ou sur papier, les mentions d'une
    lettre (exigence 25).
    """
    if lettre.canal == Canal.COURRIEL and lettre.nature not in (Nature.FORMALISATION, Nature.MISE_EN_DEMEURE):
        absents = elements_manquants(integral) if integral else list(PARTIES)
        return [Mention(nom, nom not in absents) for nom in PARTIES]
    fautes = {m.code for m in manques}
    return [
        Mention(libelle, not codes & fautes)
        for libelle, codes, natures in _de_la_lettre()
        if natures is None or lettre.nature in natures
    ]
