"""À qui est cet argent, et pour quelles pièces ? Suggestions classées, raisons et confiance. Pur, en centimes.

La confiance est une probabilité, mesurée par `tests/banc/rapprochement.py` : parmi les suggestions à 98 %, 98 sur cent
au moins désignent le bon client et les bonnes pièces. Elle se compose de ce qui désigne le payeur (référence citée,
IBAN, règle, nom) et de ce qui désigne les pièces (somme exacte, avoirs, écart), corrigées du hasard : une somme exacte
vaut d'autant moins que d'autres pièces y arriveraient aussi. Jamais deux devises (exigence 6).
"""

import math
from bisect import bisect_left, bisect_right
from collections import defaultdict
from collections.abc import Callable, Iterable
from dataclasses import dataclass, field
from datetime import date
from difflib import SequenceMatcher
from typing import NamedTuple

from . import rapprochement_texte as lecture
from .rapprochement_pieces import Hypothese, hypotheses

CLIENTS_MAX = 6  # examinés pour un mouvement
HOMONYMES = 400  # mot porté par davantage de clients : il départage, il ne désigne pas
SUGGESTIONS = 3
SEUIL_MONTRE = 5  # pour cent ; en dessous, rien n'est proposé
# Ce que vaut seul chaque indice du payeur, avant que le montant le confirme ou non (calé sur le banc).
REFERENCE, IBAN, IBAN_TIERS, REGLE, NOM = 0.995, 0.98, 0.80, 0.97, 0.93
# Classes où la somme ne tombe pas juste.
INEGALES = frozenset({"partie", "trop", "avance", "citees_partie", "citees_trop"})
MONTANT_SEUL = 0.80  # un montant que rien ne nomme reste une devinette, même unique


class Poste(NamedTuple):
    """Une échéance ouverte ; `centimes` : son reste dû. `rendu` : TTC d'origine de l'échéance, pour l'escompte."""

    id: int
    client: int
    facture: int
    numero: str
    centimes: int
    emission: date
    echeance: date
    devise: str
    origine: int


class AvoirLibre(NamedTuple):
    id: int
    client: int
    numero: str
    centimes: int
    devise: str


class Fiche(NamedTuple):
    """escompte : taux en dix-millièmes (2 % = 200) et délai en jours depuis l'émission ; (0, 0) sans escompte."""

    id: int
    nom: str
    escompte: tuple[int, int] = (0, 0)


class Recu(NamedTuple):
    """Un mouvement au crédit ; `centimes` : ce qui n'en est pas encore réparti."""

    id: int
    centimes: int
    devise: str
    date: date
    libelle: str = ""
    reference: str = ""
    contrepartie: str = ""
    iban: str = ""


@dataclass(frozen=True, slots=True)
class Tolerances:
    """Centimes qu'on accepte de ne pas recevoir : écart de règlement, puis frais retenus par les banques."""

    ecart: int = 5
    frais: int = 0


@dataclass(slots=True)
class Suggestion:
    """echeances : {id: centimes que la pièce reçoit en tout}, avoirs : {id: centimes posés}. Leur différence est payée
    par le mouvement, l'écart compris ; `reste` : ce qui resterait à imputer. raisons : [{"code", …valeurs}]."""

    client: int
    confiance: int
    classe: str
    echeances: dict[int, int] = field(default_factory=dict)
    avoirs: dict[int, int] = field(default_factory=dict)
    ecart: int = 0
    nature_ecart: str = ""
    reste: int = 0
    raisons: list[dict] = field(default_factory=list)
    certitude: int = 0  # pour cent ; que ce client ait payé, quelles que soient les pièces

    @property
    def parts(self) -> dict:
        """Ce que garde `SuggestionRapprochement.parts`."""
        return {
            "echeances": {str(k): v for k, v in self.echeances.items()},
            "avoirs": {str(k): v for k, v in self.avoirs.items()},
            "ecart": self.ecart, "nature_ecart": self.nature_ecart, "reste": self.reste, "classe": self.classe,
        }  # fmt: skip


def _ressemblance(a: str, b: str) -> float:
    return 100 * SequenceMatcher(None, a, b).ratio()


@dataclass(slots=True)
class _Indices:
    """Ce qui désigne un client pour un mouvement."""

    cites: dict[int, Poste] = field(default_factory=dict)
    fins: dict[int, Poste] = field(default_factory=dict)
    iban: str = ""  # « sien » ou « tiers »
    regle: str = ""
    nom: float = 0.0
    homonymes: int = 1

    @property
    def certitude(self) -> float:
        """Probabilité que ce client paie, avant tout montant."""
        doutes = 1.0
        if self.cites:
            doutes *= 1 - REFERENCE
        if self.iban:
            doutes *= 1 - (IBAN if self.iban == "sien" else IBAN_TIERS)
        if self.regle:
            doutes *= 1 - REGLE
        if self.nom:
            doutes *= 1 - NOM * self.nom**2 / self.homonymes
        return 1 - doutes


class GrandLivre:
    """Les postes ouverts d'une société, indexés une fois : numéro, montant, nom, IBAN. Lecture seule ensuite."""

    def __init__(
        self,
        postes: Iterable[Poste],
        avoirs: Iterable[AvoirLibre] = (),
        fiches: Iterable[Fiche] = (),
        ibans: Iterable[tuple[str, int, bool]] = (),
        regles: Iterable[tuple[str, str, int]] = (),
        ressemblance: Callable[[str, str], float] = _ressemblance,
    ):
        """ibans : (iban, client, est celui d'un tiers) ; regles : (nom, texte contenu, client)."""
        self.ressemblance = ressemblance
        self.fiches = {f.id: f for f in fiches}
        self.par_client: dict[tuple[int, str], list[Poste]] = defaultdict(list)
        self.par_cle: dict[str, list[Poste]] = defaultdict(list)
        self.par_fin: dict[str, list[Poste]] = defaultdict(list)
        self.par_montant: dict[tuple[str, int], list[Poste]] = defaultdict(list)
        montants: dict[str, list[int]] = defaultdict(list)
        for p in sorted(postes, key=lambda p: (p.echeance, p.id)):
            self.par_client[p.client, p.devise].append(p)
            self.par_montant[p.devise, p.centimes].append(p)
            montants[p.devise].append(p.centimes)
            cles, fin = lecture.cles_du_numero(p.numero)
            for cle in cles:
                self.par_cle[cle].append(p)
            if fin:
                self.par_fin[fin].append(p)
        self.montants = {devise: sorted(liste) for devise, liste in montants.items()}
        self.longueurs = sorted({len(cle) for cle in self.par_cle})
        self.avoirs: dict[tuple[int, str], list[AvoirLibre]] = defaultdict(list)
        for a in avoirs:
            self.avoirs[a.client, a.devise].append(a)
        self.ibans: dict[str, dict[int, bool]] = defaultdict(dict)
        for iban, client, tiers in ibans:
            self.ibans[iban][client] = tiers
        self.regles = [(nom, "".join(lecture.fragments(texte)), client) for nom, texte, client in regles]
        self._noms()

    def _noms(self) -> None:
        self.mots = {c: lecture.mots_du_nom(f.nom) for c, f in self.fiches.items()}
        self.par_mot: dict[str, list[int]] = defaultdict(list)
        for client, mots in self.mots.items():
            for mot in mots:
                self.par_mot[mot].append(client)
        n = len(self.fiches) + 1
        self.poids = {mot: math.log(n / len(clients)) + 0.1 for mot, clients in self.par_mot.items()}
        self.masse = {c: sum(self.poids[m] for m in mots) for c, mots in self.mots.items()}
        self.par_debut: dict[str, list[str]] = defaultdict(list)
        for mot in self.par_mot:
            if len(mot) >= 4:
                self.par_debut[mot[:3]].append(mot)

    # --- Qui paie ---------------------------------------------------------------------------------

    def _indices(self, recu: Recu) -> dict[int, _Indices]:
        trouves: dict[int, _Indices] = defaultdict(_Indices)
        texte = f"{recu.reference} {recu.libelle}"
        morceaux = lecture.fragments(texte)
        cles, nombres = lecture.cles_du_texte(morceaux)
        cles |= lecture.cles_collees(morceaux, self.longueurs)
        for cle in cles & self.par_cle.keys():
            for p in self.par_cle[cle]:
                if p.devise == recu.devise:
                    trouves[p.client].cites[p.id] = p
        for fin in nombres & self.par_fin.keys():
            for p in self.par_fin[fin][:50]:
                if p.devise == recu.devise:
                    trouves[p.client].fins[p.id] = p
        for client, tiers in self.ibans.get(recu.iban, {}).items() if recu.iban else ():
            trouves[client].iban = "tiers" if tiers else "sien"
        serre = "".join(lecture.fragments(f"{texte} {recu.contrepartie}"))
        for nom, motif, client in self.regles:
            if motif and motif in serre:
                trouves[client].regle = nom
        for client, (note, homonymes) in self._par_nom(recu).items():
            trouves[client].nom, trouves[client].homonymes = note, homonymes
        return trouves

    def _par_nom(self, recu: Recu) -> dict[int, tuple[float, int]]:
        """{client: (ressemblance de 0 à 1, nombre de clients aussi ressemblants)} ; cinq au plus."""
        cherches = lecture.mots_du_nom(f"{recu.contrepartie} {recu.libelle}")[:24]
        notes: dict[int, float] = defaultdict(float)
        communs = []
        for mot in cherches:
            mot, part = (mot, 1.0) if mot in self.par_mot else self._proche(mot)
            if not mot:
                continue
            if len(self.par_mot[mot]) > HOMONYMES:
                communs.append((mot, part))
                continue
            for client in self.par_mot[mot]:
                notes[client] += part * self.poids[mot]
        for mot, part in communs:
            if notes:
                for client in notes:
                    if mot in self.mots[client]:
                        notes[client] += part * self.poids[mot]
            else:
                for client in self.par_mot[mot][:5_000]:
                    notes[client] += part * self.poids[mot]
        relatives = {c: min(note / self.masse[c], 1.0) for c, note in notes.items() if note >= 0.45 * self.masse[c]}
        meilleurs = sorted(relatives, key=relatives.__getitem__, reverse=True)[:60]
        if not meilleurs:
            return {}
        egaux = sum(relatives[c] >= relatives[meilleurs[0]] - 0.02 for c in meilleurs)
        return {c: (relatives[c], max(egaux, 1)) for c in meilleurs[: max(5, min(egaux, 40))]}

    def _proche(self, mot: str) -> tuple[str, float]:
        """Le mot connu que celui-ci tronque ou déforme ; ("", 0) sinon."""
        if len(mot) < 4:
            return "", 0.0
        meilleur, note = "", 0.0
        for connu in self.par_debut.get(mot[:3], ())[:200]:
            if connu.startswith(mot):
                ici = 90.0 if len(mot) >= 5 else 80.0
            elif len(mot) >= 5 and abs(len(connu) - len(mot)) <= 2:
                ici = self.ressemblance(mot, connu)
            else:
                continue
            if ici > note:
                meilleur, note = connu, ici
        return (meilleur, note / 100 * 0.9) if note >= 80 else ("", 0.0)

    # --- Pour quelles pièces -----------------------------------------------------------------------

    def suggerer(self, recu: Recu, tolerances: Tolerances) -> list[Suggestion]:
        """Au plus trois suggestions, la plus sûre d'abord ; vide si rien ne désigne personne."""
        indices = self._indices(recu)
        exacts = [p for p in self.par_montant.get((recu.devise, recu.centimes), ()) if p.emission <= recu.date]
        for p in exacts[:CLIENTS_MAX]:
            indices[p.client]  # noqa: B018 : un montant exact suffit à faire examiner son client
        rang = sorted(indices, key=lambda c: (-indices[c].certitude, -len(indices[c].fins), c))
        retenus = rang[:CLIENTS_MAX] + [p.client for p in exacts if p.client not in rang[:CLIENTS_MAX]][:CLIENTS_MAX]
        homonymes = [c for c in rang[CLIENTS_MAX:40] if indices[c].nom >= 0.45]
        suggestions: list[Suggestion] = []
        densite = self._densite(recu)
        surs = sorted((indices[c].certitude for c in rang[:2]), reverse=True)
        for client in dict.fromkeys(retenus + homonymes):
            i = indices[client]
            fiche = self.fiches.get(client) or Fiche(client, "")
            tous = [
                p for p in self.par_client.get((client, recu.devise), ()) if p.emission <= recu.date or p.id in i.cites
            ]
            for h in hypotheses(
                recu, tous, list(i.cites.values()), list(i.fins.values()), self.avoirs.get((client, recu.devise), ()),
                fiche.escompte, tolerances, approfondir=i.certitude >= 0.3 or client not in homonymes,
            ):  # fmt: skip
                ailleurs = next((s for s in surs if s != i.certitude), 0.0) if i.certitude else max(surs, default=0.0)
                suggestions.append(self._noter(client, i, h, len(exacts), densite, ailleurs))
        return _classer(suggestions)

    def designes(self, recu: Recu) -> dict[int, float]:
        """{client: certitude qu'il paie}, d'après les mots et l'IBAN seuls."""
        return {client: i.certitude for client, i in self._indices(recu).items()}

    def _densite(self, recu: Recu) -> float:
        """Combien de pièces sans rapport auraient ce montant par hasard, d'après celles qui l'entourent."""
        liste = self.montants.get(recu.devise, [])
        large = max(200, recu.centimes // 50)
        autour = bisect_right(liste, recu.centimes + large) - bisect_left(liste, recu.centimes - large)
        return autour / (2 * large + 1)

    def _noter(
        self, client: int, i: _Indices, h: Hypothese, exacts: int, densite: float, ailleurs: float
    ) -> Suggestion:
        certitude = i.certitude
        if h.exacte and certitude:
            # La somme tombe juste chez ce client : par hasard, elle ne l'aurait fait que `h.hasard` fois.
            certitude /= certitude + (1 - certitude) * min(h.hasard, 1.0)
        elif h.exacte and h.seule:
            # Rien ne nomme ce client : le montant seul, si aucun autre n'est nommé.
            certitude = (1 - ailleurs) * MONTANT_SEUL * 0.6 / (0.6 * max(exacts, 1) + 0.4 * densite)
        confiance = certitude * h.fiabilite
        return Suggestion(
            client, max(0, min(99, math.floor(100 * confiance + 1e-9))), h.classe, h.echeances, h.avoirs, h.ecart,
            h.nature_ecart, h.reste, [*_raisons_du_payeur(i), *h.raisons], round(100 * certitude),
        )  # fmt: skip


def _raisons_du_payeur(i: _Indices) -> list[dict]:
    raisons = []
    if i.cites:
        numeros = list(dict.fromkeys(p.numero for p in i.cites.values()))
        raisons.append({"code": "reference", "pieces": numeros[:5], "n": len(numeros)})
    if i.iban:
        raisons.append({"code": "iban" if i.iban == "sien" else "iban_tiers"})
    if i.regle:
        raisons.append({"code": "regle", "nom": i.regle})
    if i.nom >= 0.45:
        raisons.append({"code": "nom" if i.nom >= 0.8 else "nom_proche", "note": round(100 * i.nom), "n": i.homonymes})
    return raisons


def _classer(suggestions: list[Suggestion]) -> list[Suggestion]:
    """La plus sûre d'abord, une par jeu de pièces ; deux payeurs qui s'excluent se partagent la certitude."""
    uniques: dict[tuple, Suggestion] = {}
    for s in sorted(suggestions, key=lambda s: -s.confiance):
        uniques.setdefault((s.client, tuple(sorted(s.echeances.items())), tuple(sorted(s.avoirs.items()))), s)
    classees = list(uniques.values())
    exactes: dict[int, int] = {}
    for s in classees:
        if s.classe not in INEGALES:
            exactes[s.client] = max(exactes.get(s.client, 0), s.confiance)
    total = sum(exactes.values())
    for s in classees:
        if s.classe in INEGALES:  # un autre client paie juste : celui-ci paierait mal
            autre = max((c for client, c in exactes.items() if client != s.client), default=0)
            s.confiance = s.confiance * (100 - autre) // 100
        elif total > 100:
            s.confiance = s.confiance * 100 // total
    classees.sort(key=lambda s: -s.confiance)
    return [s for s in classees[:SUGGESTIONS] if s.confiance >= SEUIL_MONTRE]
