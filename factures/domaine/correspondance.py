"""Mettre les colonnes d'un tableau en face des champs de la maison, d'après leurs noms et la nature de leurs valeurs.

Rien n'est tenu pour sûr en silence : `a_confirmer` dit ce qu'une personne doit regarder, `manquants` ce qui empêche
de lire. Champs : voir `correspondance_noms.CONNUS` ; une tranche de balance âgée est un champ `tranche:31-60`.
"""

import hashlib
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field

from .correspondance_noms import normaliser, pistes, tranche

CLIENTS, FACTURES, POSTES = "clients", "factures", "postes"
BALANCE, ENCAISSEMENTS, HISTORIQUE = "balance", "encaissements", "historique"
GENRES = (CLIENTS, FACTURES, POSTES, BALANCE, ENCAISSEMENTS, HISTORIQUE)

FICHE = (
    "siren", "siret", "numero_tva", "type_client", "forme", "civilite", "adresse", "complement", "code_postal", "ville",
    "pays", "courriel", "telephone", "langue", "conditions", "plafond", "gestionnaire", "segment",
)  # fmt: skip
CLIENT = ("code_client", "nom_client")
# Ce qu'il faut au moins : chaque groupe demande un de ses champs ; une date peut aussi venir des options.
OBLIGATOIRES: dict[str, tuple[tuple[str, ...], ...]] = {
    CLIENTS: (CLIENT,),
    FACTURES: (CLIENT, ("numero",), ("montant", "debit"), ("date_facture",)),
    POSTES: (CLIENT, ("reste", "montant", "debit"), ("date_facture", "date_echeance")),
    BALANCE: (CLIENT, ("tranche:",)),
    ENCAISSEMENTS: (CLIENT, ("montant_regle", "credit"), ("date_reglement",)),
    HISTORIQUE: (CLIENT, ("numero",), ("montant",), ("date_facture",)),
}
FACULTATIFS: dict[str, tuple[str, ...]] = {
    CLIENTS: FICHE,
    FACTURES: (
        "date_echeance", "credit", "sens", "montant_ht", "montant_tva", "devise", "type", "commande", "date_execution",
        "numero_origine", "conditions", "pays",
    ),
    POSTES: (
        "numero", "date_echeance", "credit", "sens", "devise", "type", "commande", "conditions", "pays", "libelle",
    ),
    BALANCE: ("devise", "reste", "conditions"),
    ENCAISSEMENTS: ("reference", "facture_reglee", "mode", "devise", "libelle", "debit"),
    HISTORIQUE: (
        "date_echeance", "date_reglement", "montant_regle", "litige", "motif_litige", "mode", "devise", "montant_ht",
        "montant_tva", "type", "commande", "conditions", "pays", "reste",
    ),
}  # fmt: skip
# Le même nom dit autre chose selon ce que le fichier contient.
LUS_COMME: dict[str, dict[str, str]] = {
    ENCAISSEMENTS: {"date_facture": "date_reglement", "montant": "montant_regle", "numero": "reference"},
}
DATES = {"date_facture", "date_echeance", "date_reglement", "date_execution"}
MONTANTS = {"montant", "reste", "debit", "credit", "montant_ht", "montant_tva", "montant_regle", "plafond"}
EXACTE = 80  # note à partir de laquelle un nom est connu, non deviné


@dataclass(frozen=True, slots=True)
class Nature:
    """Ce que les valeurs d'une colonne peuvent être, d'après un échantillon ; tout est possible d'une colonne vide."""

    date: bool = True
    montant: bool = True
    nom: bool = False  # des noms plutôt que des codes


@dataclass
class Proposition:
    genre: str
    colonnes: dict[str, str] = field(default_factory=dict)
    raisons: dict[str, str] = field(default_factory=dict)
    notes: dict[str, int] = field(default_factory=dict)
    options: dict[str, object] = field(default_factory=dict)
    a_confirmer: list[str] = field(default_factory=list)

    @property
    def manquants(self) -> list[tuple[str, ...]]:
        return manquants(self.genre, self.colonnes, self.options)

    @property
    def sure(self) -> bool:
        return not self.manquants and not self.a_confirmer

    def en_json(self) -> dict:
        return {
            "genre": self.genre, "colonnes": self.colonnes, "raisons": self.raisons, "options": self.options,
            "a_confirmer": self.a_confirmer,
        }  # fmt: skip


def champs(genre: str, colonnes: Iterable[str] = ()) -> list[str]:
    """Champs d'un genre, obligatoires d'abord ; ceux des tranches viennent des colonnes du fichier."""
    liste = list(dict.fromkeys(c for groupe in OBLIGATOIRES[genre] for c in groupe if c != "tranche:"))
    if genre == BALANCE:
        liste += dict.fromkeys(nom_de_tranche(*bornes) for c in colonnes if (bornes := tranche(c)))
    return liste + [c for c in FACULTATIFS[genre] if c not in liste]


def nom_de_tranche(de: int | None, a: int | None) -> str:
    return "tranche:non_echu" if de is None else f"tranche:{de}-{a if a is not None else ''}"


def bornes(champ: str) -> tuple[int | None, int | None] | None:
    """Inverse de `nom_de_tranche` ; None si ce n'est pas une tranche."""
    if not champ.startswith("tranche:"):
        return None
    reste = champ.removeprefix("tranche:")
    if reste == "non_echu":
        return None, None
    de, _, a = reste.partition("-")
    if not de.isdecimal() or (a and not a.isdecimal()):
        return None
    return int(de), int(a) if a else None


def signature(colonnes: Sequence[str]) -> str:
    """Empreinte d'un en-tête : les noms normalisés, dans l'ordre."""
    return hashlib.sha256("\x1f".join(normaliser(nom) for nom in colonnes).encode()).hexdigest()


def manquants(genre: str, colonnes: Mapping[str, str], options: Mapping[str, object]) -> list[tuple[str, ...]]:
    """Groupes de champs dont aucun n'est donné."""
    absents = []
    for groupe in OBLIGATOIRES[genre]:
        if any(c in colonnes or (c == "tranche:" and _a_une_tranche(colonnes)) for c in groupe):
            continue
        if groupe[0] in DATES and options.get("date_defaut"):
            continue
        absents.append(groupe)
    if genre == BALANCE and not options.get("date_defaut"):
        absents.append(("date_arrete",))
    return absents


def _a_une_tranche(colonnes: Mapping[str, str]) -> bool:
    return any(c.startswith("tranche:") for c in colonnes)


def proposer(colonnes: Sequence[str], natures: Sequence[Nature] = (), genre: str = "") -> Proposition:
    """Genre et colonnes d'après l'en-tête. `genre` l'impose ; natures : une par colonne, à défaut tout est possible."""
    natures = natures or [Nature()] * len(colonnes)
    p = Proposition(genre or deviner_genre(colonnes, natures))
    permis = set(champs(p.genre, colonnes))
    renomme = LUS_COMME.get(p.genre, {})
    candidats = []
    for i, nom in enumerate(colonnes):
        if p.genre == BALANCE and (intervalle := tranche(nom)) and natures[i].montant:
            candidats.append((95, -i, nom_de_tranche(*intervalle), "tranche de retard"))
            continue
        for piste in pistes(nom):
            champ, note = piste.champ, piste.note
            if champ == "code_client" and natures[i].nom:
                champ, note = "nom_client", note - 5
            if champ in renomme:
                champ, note = renomme[champ], note - 12
            if champ not in permis or (champ in DATES and not natures[i].date):
                continue
            if champ in MONTANTS and not natures[i].montant:
                continue
            candidats.append((note, -i, champ, piste.raison))
    prises: set[int] = set()
    for note, moins_i, champ, raison in sorted(candidats, key=lambda x: (-x[0], -x[1])):
        if champ in p.colonnes or -moins_i in prises:
            continue
        prises.add(-moins_i)
        p.colonnes[champ], p.raisons[champ], p.notes[champ] = colonnes[-moins_i], raison, note
    _epurer(p)
    _douter(p, candidats, colonnes)
    return p


def _epurer(p: Proposition) -> None:
    """Débit et crédit vont par deux ; un montant unique passe avant eux."""
    if p.genre in (FACTURES, POSTES):
        if ("debit" in p.colonnes) != ("credit" in p.colonnes):
            p.colonnes.pop("debit", None), p.colonnes.pop("credit", None)
        elif "debit" in p.colonnes:
            p.colonnes.pop("montant", None)
            if p.notes.get("reste", 0) < EXACTE:
                p.colonnes.pop("reste", None)


def _douter(p: Proposition, candidats: list, colonnes: Sequence[str]) -> None:
    """Ce qu'une personne doit regarder : un nom deviné sur un champ obligatoire, deux colonnes qui se valent."""
    if p.genre == CLIENTS and any(piste.champ in DATES | {"numero"} for c in colonnes for piste in pistes(c)[:1]):
        p.a_confirmer.append("Des clients ? Ce tableau a des dates ou des numéros de pièce, et aucun montant reconnu.")
    requis = {c for groupe in OBLIGATOIRES[p.genre] for c in groupe} | {"reste", "date_echeance"}
    for champ in sorted(requis & set(p.colonnes)):
        if p.notes[champ] < EXACTE - 12:
            p.a_confirmer.append(f"« {p.colonnes[champ]} » {p.raisons[champ]} : à vérifier.")
    libres = {c for c in colonnes if c not in p.colonnes.values()}
    for champ in sorted((MONTANTS | {"numero"}) & requis & set(p.colonnes)):
        rivales = [colonnes[-i] for note, i, c, _ in candidats if c == champ and note >= p.notes[champ] - 3]
        if rivales := [c for c in rivales if c in libres]:
            p.a_confirmer.append(f"« {p.colonnes[champ]} » ou « {rivales[0]} » : choisissez la colonne.")


def deviner_genre(colonnes: Sequence[str], natures: Sequence[Nature] = ()) -> str:
    natures = natures or [Nature()] * len(colonnes)
    notes: dict[str, int] = {}
    for nom, nature in zip(colonnes, natures, strict=True):
        for piste in pistes(nom):
            if (piste.champ in DATES and not nature.date) or (piste.champ in MONTANTS and not nature.montant):
                continue
            notes[piste.champ] = max(notes.get(piste.champ, 0), piste.note)
    a = {champ for champ, note in notes.items() if note >= 60}
    par_piece = {"numero", "reste"} <= a and a & {"date_facture", "date_echeance"}  # le détail d'une balance âgée
    if not par_piece and sum(1 for c, n in zip(colonnes, natures, strict=True) if tranche(c) and n.montant) >= 2:
        return BALANCE
    argent = a & {"montant", "reste", "debit", "credit", "montant_regle"}
    if not argent:
        return CLIENTS
    facture = bool(a & {"date_echeance", "montant_ht", "montant_tva"}) or ("montant" in a and "numero" in a)
    regle = bool(a & {"reference", "montant_regle", "mode", "date_reglement"})
    if "numero" in a and "montant" in a and "date_facture" in a and a & {"litige", "date_reglement"}:
        return HISTORIQUE
    if "reste" in a:
        return POSTES
    if regle and ("montant_regle" in a or not facture) and "date_echeance" not in a:
        return ENCAISSEMENTS
    if {"debit", "credit"} <= a and "montant" not in a:
        return POSTES
    return FACTURES
