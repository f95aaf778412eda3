"""Ce qu'une personne corrige de la lecture d'un FEC, et ce qui mérite de lui être proposé. Pur."""

import re
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from datetime import date

from .echeances import ConditionsIllisibles, echeance

# Des comptes 411 tenus par mode de paiement ou par guichet : aucune personne à relancer.
_CODE_DE_MODE = re.compile(
    r"^(?:411|C|CL|9)?0*[ _.-]*(?:CB|CARTES?|CHQ|CHEQUES?|ESP|ESPECES?|VIR|VIREMENTS?|PRLV|CAISSE|COMPT|COMPTANT|"
    r"COMPTOIR|DIVERS?|PASSAGE|STRIPE|PAYPAL|INTERNET|WEB|TPE|ANCV|TICKETS?)$"
)
_NOM_DE_MODE = re.compile(
    r"\b(?:carte bancaire|cartes bancaires|cheques?|especes|virements?|comptoir|caisse|ventes? (?:au )?comptant|"
    r"clients? (?:divers|comptant|de passage|comptoir)|ventes? (?:diverses|internet|web)|stripe|paypal|ancv|"
    r"tickets? restaurant|tpe)\b"
)
_SANS_ACCENT = str.maketrans("àâäéèêëîïôöùûüç", "aaaeeeeiioouuuc")


def semble_un_mode(code: str, nom: str) -> bool:
    """Vrai si ce « client » est sans doute un mode de paiement ou un guichet (« 411CB », « VENTES COMPTOIR »)."""
    propre = nom.casefold().translate(_SANS_ACCENT)
    return bool(_CODE_DE_MODE.match(code.upper().translate(_SANS_ACCENT)) or _NOM_DE_MODE.search(propre))


@dataclass(frozen=True)
class Corrections:
    """conditions : {client: « 45J FDM »} ; non_clients : comptes écartés ; fiches : {auxiliaire: code de la fiche} ;
    ventiler : {clé de ligne d'un compte collectif: client} ; pieces : « auto », « numero » ou « regroupement ».
    """

    conditions: Mapping[str, str] = field(default_factory=dict)
    non_clients: frozenset[str] = frozenset()
    fiches: Mapping[str, str] = field(default_factory=dict)
    ventiler: Mapping[str, str] = field(default_factory=dict)
    pieces: str = "auto"

    @classmethod
    def de(cls, objet: Mapping | None) -> "Corrections":
        """Depuis `Lot.corrections` ; ce qui n'a pas la forme attendue est ignoré."""
        objet = objet or {}

        def table(nom: str) -> dict[str, str]:
            lue = objet.get(nom)
            lue = lue if isinstance(lue, Mapping) else {}
            return {str(cle): str(valeur) for cle, valeur in lue.items() if valeur}

        ecartes = objet.get("non_clients")
        pieces = objet.get("pieces")
        return cls(
            table("conditions"),
            frozenset(map(str, ecartes)) if isinstance(ecartes, list | tuple) else frozenset(),
            table("fiches"),
            table("ventiler"),
            pieces if pieces in ("numero", "regroupement") else "auto",
        )

    def client(self, code: str, cle: str) -> str:
        """Le client d'une ligne : où on l'a ventilée, sinon la fiche à laquelle son auxiliaire se rattache."""
        return self.ventiler.get(cle) or self.fiches.get(code) or code

    def echeance_de(self, defaut: Callable[[str, date], date]) -> Callable[[str, date], date]:
        """Conditions corrigées d'abord ; illisibles, celles d'avant."""
        if not self.conditions:
            return defaut

        def calculer(client: str, emission: date) -> date:
            if conditions := self.conditions.get(client):
                try:
                    return echeance(emission, conditions).echeance
                except ConditionsIllisibles:
                    pass
            return defaut(client, emission)

        return calculer
