"""Banc de mesure : le travail réel de l'application sur un grand livre d'essai, comparé à son oracle.

Le dossier vient du générateur du projet (tests/banc/generer.py) : trois CSV et `attendu.json`. Rien n'est attendu
en dur : nuits, tranches et empreinte se comparent à l'oracle. Mêmes services que la production ; seul le plan
(5, 20, 40 jours depuis l'échéance) et l'absence de freins sont propres au banc.
"""

import hashlib
import json
import os
import resource
from collections.abc import Callable
from concurrent.futures import ProcessPoolExecutor
from dataclasses import dataclass, field
from datetime import date
from itertools import islice
from multiprocessing import get_context
from pathlib import Path
from statistics import median
from time import perf_counter

from django.db import connection, connections
from django.db.models import Max
from django.utils import timezone

from clients.models import Client
from factures.balance import balance_agee, total
from factures.imports.appliquer import importer
from recouvrement.commun import pdf
from recouvrement.comptes.models import Societe
from relances.domaine.natures import Canal, ModePalier, Nature, Reference
from relances.models import Courrier, Echelle, Palier, Passage, VersionEchelle
from relances.rendu import lettres
from relances.services import nuit
from relances.services.plans import installer_plans, publier
from relances.services.preparation import preparer

FICHIERS = ("clients", "factures", "encaissements")
NUITS = ("nuit 1", "nuit 2", "nuit 3", "nuit de clôture", "nuit au repos")
NATURES = (Nature.RAPPEL_COURTOIS, Nature.FORMALISATION, Nature.MISE_EN_DEMEURE)
REPETITIONS_BALANCE = 5
SEULES = 20  # lettres mesurées une à une
MIO = 1024  # Kio


class BancRefuse(Exception):
    """Le banc ne peut pas travailler : base non vide, dossier incomplet, import refusé."""


def memoire() -> int:
    """Mio résidents au plus haut, ce processus et le plus gros de ses fils.

    Le sommet de `getrusage` hérite de celui du lanceur ; sous Linux on lit celui de ce programme-ci.
    """
    fils = resource.getrusage(resource.RUSAGE_CHILDREN).ru_maxrss
    try:
        etat = Path("/proc/self/status").read_text()
        moi = int(etat.partition("VmHWM:")[2].split()[0])
    except (OSError, IndexError):
        moi = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
    return round((moi + fils) / MIO)


def chronometrer(travail: Callable, *args, **options) -> tuple[float, object]:
    debut = perf_counter()
    resultat = travail(*args, **options)
    return perf_counter() - debut, resultat


@dataclass
class Banc:
    """Une exécution. `dire` reçoit un dictionnaire par mesure ; `ecarts` dit ce qui n'égale pas l'oracle."""

    dossier: Path
    dire: Callable[[dict], None]
    ecarts: list[str] = field(default_factory=list)

    def __post_init__(self):
        try:
            self.attendu = json.loads((self.dossier / "attendu.json").read_text(encoding="utf-8"))
        except (OSError, ValueError) as erreur:
            raise BancRefuse(f"attendu.json illisible dans {self.dossier} : {erreur}") from erreur
        absents = [nom for nom in FICHIERS if not (self.dossier / f"{nom}.csv").is_file()]
        if absents:
            raise BancRefuse(f"fichiers absents de {self.dossier} : {', '.join(absents)}")
        if Societe.objects.exists():
            raise BancRefuse("la base n'est pas vide : le banc ne mesure que la sienne")
        self.au = date.fromisoformat(self.attendu["reference"])

    def executer(self, *, lot: int) -> bool:
        """Toutes les mesures, dans l'ordre du contrat. Vrai si tout égale l'oracle."""
        self.societe = creer_societe()
        self._charger()
        creer_plan(self.societe, self.attendu["niveaux_jours"])
        self._entretenir()
        for nom in NUITS:
            self._nuit(nom)
        self._balance()
        self._lettres(lot)
        self.dire({"mesure": "conformité", "conforme": not self.ecarts, "ecarts": self.ecarts})
        return not self.ecarts

    def _mesurer(self, mesure: str, secondes: float, lignes: int, **suite) -> None:
        self.dire({"mesure": mesure, "s": round(secondes, 4), "lignes": lignes, "rss_mio": memoire()} | suite)

    def _comparer(self, quoi: str, obtenu, attendu) -> None:
        if obtenu != attendu:
            self.ecarts.append(f"{quoi} : {obtenu} au lieu de {attendu}")

    # --- Les cinq travaux ------------------------------------------------------------------------
    def _charger(self) -> None:
        lues, debut = 0, perf_counter()
        for nom in FICHIERS:
            rendu = importer(
                self.dossier / f"{nom}.csv", self.societe, moment=timezone.now(), au=self.au, nom=f"{nom}.csv"
            )
            if not rendu.accepte:
                motifs = rendu.refus or "; ".join(f"ligne {r.ligne} {r.champ} : {r.motif}" for r in rendu.rejets[:5])
                raise BancRefuse(f"{nom}.csv refusé : {motifs}")
            lues += self.attendu[nom]
        secondes = perf_counter() - debut
        self._mesurer("chargement complet", secondes, lues, par_s=round(lues / secondes))

    def _entretenir(self) -> None:
        """Statistiques de la base à jour, comme le plancher après son chargement ; hors mesure."""
        with connection.cursor() as curseur:
            curseur.execute("vacuum analyze" if connection.vendor == "postgresql" else "analyze")

    def _nuit(self, nom: str) -> None:
        def passer():
            passage = nuit.ouvrir_passage(self.societe, au=self.au, genre=Passage.Genre.BANC)
            return nuit.relancer(self.societe, au=self.au, passage=passage, freins=False)

        secondes, bilan = chronometrer(passer)
        self._mesurer(f"relances {nom}", secondes, bilan.decidees)
        niveau = NUITS.index(nom) + 1
        self._comparer(f"lignes de la {nom}", bilan.decidees, self.attendu.get(f"lignes_niveau_{niveau}", 0))
        self.ecarts += bilan.erreurs

    def _balance(self) -> None:
        clients = Client.objects.filter(societe=self.societe)
        temps = []
        for _ in range(REPETITIONS_BALANCE):
            secondes, lignes = chronometrer(balance_agee, clients, au=self.au)
            temps.append(secondes)
        # L'oracle ne compte que les pièces : un client qui n'a qu'un acompte n'y paraît pas.
        ouverts = [ligne for ligne in lignes if any(ligne.centimes[:5])]
        tranches = [f"{t:.2f}" for t in total(ouverts, "EUR").tranches] if ouverts else ["0.00"] * 5
        ouverts.sort(key=lambda x: x.code)
        corps = "\n".join(f"{x.code}:{','.join(map(str, x.centimes[:5]))}" for x in ouverts)
        empreinte = hashlib.sha256(corps.encode()).hexdigest()
        self._mesurer("balance âgée", median(temps), len(ouverts), totaux=tranches)
        self._comparer("tranches de la balance", tranches, self.attendu["balance_agee"])
        self._comparer("empreinte de la balance", empreinte, self.attendu["empreinte_balance"])

    def _lettres(self, lot: int) -> None:
        """Une lettre par client, la plus grave : une à une, puis un lot sur tous les cœurs, fusionné à la fin."""
        if not pdf.disponible():
            self.ecarts.append("moteur PDF indisponible : lettres non mesurées")
            return
        cles = envoyables(self.societe, au=self.au, nombre=1 + max(SEULES, lot))
        if len(cles) < 2:
            return
        rendre(cles[0], self.au)  # amorce : imports, polices, gabarits
        seules = cles[1 : 1 + SEULES]
        temps = [chronometrer(rendre, cle, self.au)[0] for cle in seules]
        par_s = round(len(temps) / sum(temps), 1)
        self._mesurer("lettre seule (1 PDF par client)", median(temps), len(seules), par_s=par_s)
        if lot < 1:
            return
        choisies = cles[1 : 1 + lot]
        coeurs = os.cpu_count() or 1
        connections.close_all()  # une connexion ne se partage pas entre processus
        with ProcessPoolExecutor(
            coeurs, mp_context=get_context("fork"), initializer=rendre, initargs=(cles[0], self.au)
        ) as equipe:
            list(equipe.map(abs, range(coeurs * 4)))  # les fils naissent et s'amorcent avant la mesure
            rendu, documents = chronometrer(
                lambda: list(equipe.map(rendre, choisies, [self.au] * len(choisies), chunksize=4))
            )
        fusion, lot_pdf = chronometrer(pdf.fusionner, documents)
        self._mesurer(
            f"lettres lot de {lot}", rendu + fusion, len(documents), s_rendu=round(rendu, 4), s_fusion=round(fusion, 4),
            coeurs=coeurs, par_s_et_coeur=round(len(documents) / rendu / coeurs, 1), octets=len(lot_pdf),
        )  # fmt: skip


# --- Ce dont le banc a besoin --------------------------------------------------------------------


def creer_societe() -> Societe:
    """Société d'essai dont les mentions sont complètes : ses lettres s'écrivent."""
    return Societe.objects.create(
        code="banc", raison_sociale="Exemple Négoce", forme="SAS", capital="50 000 €", siren="344061270",
        rcs_ville="Nantes", adresse="12 quai de la Fosse", code_postal="44000", ville="Nantes",
        telephone="02 61 91 00 00", courriel="compta@negoce.example", iban="FR7630006000011234567890189",
        bic="AGRIFRPP", signataire_nom="Le service comptable", signataire_fonction="Comptabilité clients",
        ville_signature="Nantes",
    )  # fmt: skip


def creer_plan(societe: Societe, delais: list[int]) -> None:
    """Publie pour les entreprises un plan à trois paliers comptés de l'échéance."""
    installer_plans(societe)
    echelle = Echelle.objects.get(societe=societe, type_debiteur="entreprise", par_defaut=True)
    version = VersionEchelle.objects.create(echelle=echelle, numero=2)
    Palier.objects.bulk_create(
        Palier(
            version=version, rang=rang, nature=nature, reference=Reference.ECHEANCE, delai=delai,
            canaux=[(Canal.RECOMMANDE if nature is Nature.MISE_EN_DEMEURE else Canal.LETTRE).value],
            mode=ModePalier.A_VALIDER if nature is Nature.MISE_EN_DEMEURE else ModePalier.AUTOMATIQUE,
        )
        for rang, (nature, delai) in enumerate(zip(NATURES, delais, strict=True), 1)
    )  # fmt: skip
    publier(version, par=None)


def envoyables(societe: Societe, *, au: date, nombre: int) -> list[int]:
    """Le courrier le plus grave des premiers clients, dans l'ordre des codes, s'il peut partir.

    Une adresse que la Poste refuserait bloque sa lettre, ici comme en production.
    """
    derniers = Courrier.objects.filter(societe=societe).values("client").annotate(dernier=Max("pk"))
    cles = derniers.order_by("client__code").values_list("dernier", flat=True)
    return list(islice((cle for cle in cles if not _preparer(cle, au).manques), nombre))


def _preparer(courrier_id: int, au: date):
    courriers = Courrier.objects.select_related("societe__reglage_portail", "client__gestionnaire", "palier__version")
    return preparer(courriers.get(pk=courrier_id), au=au)


def preparer_lettre(courrier_id: int, au: date):
    """Faits relus, décompte, contrôles et texte : la lettre, pas encore rendue."""
    return _preparer(courrier_id, au).lettre


def rendre(courrier_id: int, au: date) -> bytes:
    """Une lettre de bout en bout, jusqu'au PDF."""
    return lettres.rendre_pdf(preparer_lettre(courrier_id, au))
