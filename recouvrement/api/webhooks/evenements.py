"""Du maillon à l'événement : ce qui s'annonce, sous quel nom, avec quelles données (docs/webhooks.md).

Des identifiants, des montants en chaînes, des dates et des codes : ni texte libre, ni nom de personne. Ce qui date de
l'instant vient du maillon ; le reste, de l'objet, lu par lot en un nombre fixe de requêtes.
"""

import json
import uuid
from collections import defaultdict
from collections.abc import Callable, Iterable
from dataclasses import dataclass

from django.utils.translation import gettext_lazy as _

from clients.models import BlocageCommandes, Client
from contentieux.models import DossierContentieux
from factures.models import Avoir, Echeance, Encaissement, Litige, Promesse
from recouvrement.comptes.models import Societe
from recouvrement.journal.models import Maillon
from relances.models import Courrier

VERSION = 1
ESPACE = uuid.UUID("6f3f0a52-3a0c-5d0e-9a63-0f4f1f2f7c11")
ESSAI = "essai"

# Ce qu'un abonné peut choisir : (événement, phrase).
EVENEMENTS = (
    ("relance.envoyee", _("Relance envoyée ou postée")),
    ("paiement.impute", _("Paiement rapproché d’une facture")),
    ("paiement.desimpute", _("Rapprochement d’un paiement défait")),
    ("import.applique", _("Import appliqué")),
    ("promesse.tenue", _("Promesse tenue")),
    ("promesse.rompue", _("Promesse rompue")),
    ("litige.ouvert", _("Litige ouvert")),
    ("litige.clos", _("Litige clos")),
    ("blocage.pose", _("Blocage de commandes posé")),
    ("blocage.leve", _("Blocage de commandes levé")),
    ("contentieux.ouvert", _("Dossier contentieux ouvert")),
)
NOMS = dict(EVENEMENTS)
# Action du journal → événement.
ACTIONS = {
    "relance.envoyee": "relance.envoyee",
    "encaissement.impute": "paiement.impute",
    "avoir.impute": "paiement.impute",
    "encaissement.desimpute": "paiement.desimpute",
    "avoir.desimpute": "paiement.desimpute",
    "import.applique": "import.applique",
    "promesse.tenue": "promesse.tenue",
    "promesse.rompue": "promesse.rompue",
    "promesse.partielle": "promesse.rompue",
    "litige.ouvert": "litige.ouvert",
    "litige.rouvert": "litige.ouvert",
    "litige.clos": "litige.clos",
    "blocage.pose": "blocage.pose",
    "blocage.leve": "blocage.leve",
    "contentieux.ouvert": "contentieux.ouvert",
}


@dataclass(frozen=True)
class Evenement:
    """`cle` : maillon et événement, unique par abonné."""

    cle: str
    type: str
    quand: str
    donnees: dict

    def identifiant(self, abonnement_id: int) -> uuid.UUID:
        """Constant : recalculé après une panne, c'est le même."""
        return uuid.uuid5(ESPACE, f"{abonnement_id}:{self.cle}")

    def corps(self, abonnement_id: int, societe: Societe) -> str:
        return json.dumps(
            {
                "version": VERSION,
                "type": self.type,
                "identifiant": str(self.identifiant(abonnement_id)),
                "societe": societe.code,
                "date": self.quand,
                "donnees": self.donnees,
            },
            ensure_ascii=False,
            separators=(",", ":"),
        )


def actions_de(choisis: Iterable[str]) -> list[str]:
    """Actions du journal qui donnent l'un de ces événements."""
    choisis = set(choisis)
    return [action for action, evenement in ACTIONS.items() if evenement in choisis]


def traduire(maillons: Iterable[Maillon]) -> list[Evenement]:
    """Événements de ces maillons (détail chargé), dans l'ordre. Un objet effacé ne donne que ses identifiants."""
    maillons = [m for m in maillons if m.action in ACTIONS]
    fonds = _Fonds(maillons)
    return [
        Evenement(
            f"{m.rang}:{ACTIONS[m.action]}", ACTIONS[m.action], m.quand.isoformat(timespec="seconds"), fonds.donnees(m)
        )
        for m in maillons
    ]


class _Fonds:
    """Clients, pièces et objets cités par un lot de maillons : une requête par sorte."""

    def __init__(self, maillons: list[Maillon]):
        self.codes = dict(
            Client.objects.filter(pk__in={m.client_id for m in maillons if m.client_id}).values_list("pk", "code")
        )
        ids: dict[str, set[int]] = defaultdict(set)
        for m in maillons:
            ids[m.objet_type].add(m.objet_id)
        self.objets = {nom: self._lire(nom, cles) for nom, cles in ids.items() if nom in MODELES}
        cites = {int(pk) for m in maillons for pk in _echeances(m)}
        self.pieces = {
            pk: {"echeance": pk, "facture": numero, "date_echeance": le.isoformat(), "devise": devise}
            for pk, numero, le, devise in Echeance.objects.filter(pk__in=cites).values_list(
                "pk", "facture__numero", "date_echeance", "devise"
            )
        }

    @staticmethod
    def _lire(nom: str, cles: set[int]) -> dict:
        return MODELES[nom].objects.in_bulk([pk for pk in cles if pk])

    def donnees(self, m: Maillon) -> dict:
        base: dict = {}
        if m.client_id:
            base["client"] = {"id": m.client_id, "code": self.codes.get(m.client_id)}
        objet = self.objets.get(m.objet_type, {}).get(m.objet_id)
        detail = m.detail.donnees if getattr(m, "detail", None) and m.detail.efface_le is None else {}
        return base | FORMES[ACTIONS[m.action]](self, m, objet, detail)

    def citees(self, m: Maillon) -> list[dict]:
        return [self.pieces.get(int(pk), {"echeance": int(pk)}) for pk in _echeances(m)]


def _echeances(m: Maillon) -> list:
    """Échéances que cite le détail d'un maillon, quelle que soit sa forme."""
    donnees = m.detail.donnees if getattr(m, "detail", None) else {}
    if "parts" in donnees:
        return list(donnees["parts"])
    if "echeances" in donnees:
        return list(donnees["echeances"])
    return [donnees["echeance"]] if donnees.get("echeance") else []


MODELES = {
    modele._meta.label_lower: modele
    for modele in (Courrier, Encaissement, Avoir, Promesse, Litige, BlocageCommandes, DossierContentieux)
}


def _relance(fonds, m, courrier, detail) -> dict:
    return {
        "courrier": m.objet_id,
        "reference": courrier.reference if courrier else None,
        "palier": detail.get("nature"),
        "canal": detail.get("canal"),
        "le": detail.get("le"),
        "total": str(courrier.total) if courrier else None,
        "devise": courrier.devise if courrier else None,
        "pieces": fonds.citees(m),
    }


def _paiement(fonds, m, source, detail) -> dict:
    parts = detail.get("parts") or {}
    return {
        "nature": "avoir" if m.action.startswith("avoir") else "encaissement",
        m.action.partition(".")[0]: m.objet_id,
        "date": _jour(getattr(source, "date", None) or getattr(source, "date_emission", None)),
        "devise": source.devise if source else None,
        "pieces": [p | {"montant": str(parts.get(str(p["echeance"])))} for p in fonds.citees(m)],
    }


def _import(fonds, m, _lot, detail) -> dict:
    return {"import": m.objet_id, "format": detail.get("format"), "crees": detail.get("crees") or {}}


def _promesse(fonds, m, _promesse_lue, detail) -> dict:
    issue = m.action.partition(".")[2]  # « partielle » s'annonce comme rompue
    montant, le = detail.get("montant"), detail.get("pour_le")
    return {"promesse": m.objet_id, "issue": issue, "montant": montant, "promise_pour_le": le}


def _litige(fonds, m, litige, detail) -> dict:
    piece = (fonds.citees(m) or [{}])[0]
    categorie = litige.categorie if litige else None
    return {"litige": m.objet_id, "montant": detail.get("montant"), "categorie": categorie, "piece": piece}


def _blocage(fonds, m, blocage, _detail) -> dict:
    le = blocage and (blocage.leve_le if m.action == "blocage.leve" else blocage.pose_le)
    return {"blocage": m.objet_id, "motif": blocage.motif if blocage else None, "le": _jour(le)}


def _contentieux(fonds, m, dossier, detail) -> dict:
    return {
        "dossier": m.objet_id,
        "reference": dossier.reference if dossier else None,
        "voie": dossier.voie if dossier else None,
        "principal": detail.get("principal"),
        "devise": dossier.devise if dossier else None,
        "pieces": fonds.citees(m),
    }


def _jour(jour) -> str | None:
    return jour.isoformat() if jour else None


FORMES: dict[str, Callable] = {
    "relance.envoyee": _relance, "paiement.impute": _paiement, "paiement.desimpute": _paiement,
    "import.applique": _import, "promesse.tenue": _promesse, "promesse.rompue": _promesse, "litige.ouvert": _litige,
    "litige.clos": _litige, "blocage.pose": _blocage, "blocage.leve": _blocage, "contentieux.ouvert": _contentieux,
}  # fmt: skip
