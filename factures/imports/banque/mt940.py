"""MT940 de SWIFT et ses dialectes (allemand « ?20 », néerlandais « /EREF/ », texte libre) : un relevé par :20: … :62:.

Lecteur maison plutôt que la bibliothèque mt-940 : elle charge tout le fichier, et sa lecture d'une date impossible
dépend d'une option. Source : SWIFT, MT940 Customer Statement Message ; DFÜ-Abkommen annexe 3 pour les champs « ? ».
"""

import calendar
import re
from collections.abc import Iterator
from datetime import date
from decimal import Decimal

from factures.domaine.banque_codes import AUTRE, REJET, nature_libelle, nature_swift
from factures.domaine.banque_textes import compacter, iban_valide, montant_pointe, normaliser

from ..fichier import Fichier, Genre
from ..lecteurs import ContexteLecture
from ..lot import LotLu, MouvementLu, ReleveLu
from ..texte import FichierRefuse
from .commun import CODE, NOM, Carnet, borne, debut, libelle, lot_banque, plausible, reference

CHAMP = re.compile(r":([0-9]{2}[A-Z]?|NS):(.*)")  # NS : zone libre de MultiCash
SOLDE = re.compile(r"\s*([CD])([0-9]{6})([A-Z]{3})?([0-9][0-9.]*(?:,[0-9]*)?)\s*")
OPERATION = re.compile(
    r"(?P<valeur>[0-9]{6})(?P<jour>[0-9]{4}| {4})?(?P<sens>E?R?[CD])(?P<fonds>[A-Z])?(?P<montant>[0-9][0-9.]*,[0-9]*)"
    r"(?P<type>[NFS][A-Z0-9]{3})?(?P<ref>.*?)(?://(?P<banque>.*))?"
)
TEXTE_MAX = 4_000  # caractères d'un champ
SEPARE = re.compile(r"\?([0-9]{2})")
BALISES = (
    "EREF",
    "KREF",
    "MREF",
    "CRED",
    "DEBT",
    "COAM",
    "OAMT",
    "SVWZ",
    "ABWA",
    "ABWE",
    "IBAN",
    "BIC",
    "PURP",
    "MTLG",
)
SEPA = re.compile(rf"({'|'.join(BALISES)})\+")
BARRES = re.compile(
    r"/(EREF|ORDP|BENM|NAME|REMI|IBAN|CNTP|MARF|CSID|RTRN|TRTP|USTD|STRD|PREF|TRCD|SVCL|ULTD|ULTC|PURP)/"
)
RETOURS_GVC = {"108", "109", "158", "159", "181", "182", "183", "184", "185"}  # rejets et retours SEPA allemands


def reconnait(fichier: Fichier) -> dict[str, int]:
    """Lève FichierRefuse pour un MT942 (opérations du jour)."""
    if fichier.genre is not Genre.TEXTE:
        return {}
    tete = debut(fichier)
    champs = {lu[1] for lu in re.finditer(r"(?:^|[\r\n]):([0-9]{2}[A-Z]?):", tete)}
    if "25" not in {c[:2] for c in champs}:
        return {}
    if champs & {"34F", "13D"} and not champs & {"60F", "60M"}:
        raise FichierRefuse(
            "Ce fichier est un MT942 (opérations en cours de journée), pas un relevé : demandez le MT940 à la banque."
        )
    if champs & {"60F", "60M"}:
        return {"mt940": 95}
    return {"mt940": 60} if "61" in champs else {}


def lire(fichier: Fichier, contexte: ContexteLecture) -> LotLu:
    lot = lot_banque("mt940", contexte, fichier.texte.encodage)
    lot.elements = _Lecture(lot, fichier).elements()
    return lot


def _champs(fichier: Fichier, compter) -> Iterator[tuple[int, str, list[str]]]:
    """(ligne, étiquette, lignes du champ). « - » ou « -} » ferme un message : étiquette « - »."""
    etiquette, lignes, depart, taille = "", [], 0, 0
    for numero, brute in enumerate(fichier.texte.lignes(), start=1):
        compter()
        ligne = brute.rstrip("\r\x03\x1a")
        if debut_bloc := re.match(r"\{1:.*?\{4:\s*", ligne):
            ligne = ligne[debut_bloc.end() :]
        lu = CHAMP.match(ligne)
        fin = ligne.strip() in ("-", "-}") or ligne.startswith(("-}", "-XXX"))
        if lu or fin:
            if etiquette:
                yield depart, etiquette, lignes
            etiquette, lignes, depart, taille = ("-", [], numero, 0) if fin else (lu[1], [lu[2]], numero, len(lu[2]))
        elif etiquette and etiquette != "-" and taille < TEXTE_MAX:
            lignes.append(ligne)
            taille += len(ligne)
    if etiquette:
        yield depart, etiquette, lignes


class _Lecture:
    def __init__(self, lot, fichier: Fichier):
        self.lot, self.fichier = lot, fichier
        self.carnet = Carnet(lot, exige_equilibre=False)
        self.compte = self.numero = ""
        self.operation: MouvementLu | None = None
        self.derniers: list[str] = []
        self.fevriers = 0

    def _compter(self) -> None:
        self.lot.lignes += 1

    def elements(self) -> Iterator[ReleveLu | MouvementLu]:
        ligne = operations = 0
        for ligne, etiquette, lignes in _champs(self.fichier, self._compter):
            valeur = "".join(lignes).strip() if etiquette != "86" else ""
            if etiquette == "86":
                if self.operation:
                    decrire(self.operation, lignes)
                yield from self._rendre()
                continue
            if etiquette == "NS" and self.operation:
                decrire_ns(self.operation, lignes)
            if etiquette in ("61", "62F", "62M", "20", "-", "60F", "60M"):
                yield from self._rendre()
            if etiquette == "20" or etiquette == "-":
                yield from self._couper(ligne)
            elif etiquette.startswith("25"):
                self.compte = compacter(valeur.split("\n")[0])[:60]
            elif etiquette.startswith("28"):
                self.numero = borne(valeur, 60)
            elif etiquette in ("60F", "60M"):
                yield from self._couper(ligne)
                self._ouvrir(ligne, self._solde(ligne, valeur))
            elif etiquette == "61":
                operations += 1
                if self.carnet.releve is None:
                    self._ouvrir(ligne, None)
                self._61(ligne, lignes)
            elif etiquette in ("62F", "62M"):
                if self.carnet.releve is None:
                    self._ouvrir(ligne, None)
                solde = self._solde(ligne, valeur)
                self.derniers.append(valeur)
                yield self.carnet.fermer(
                    ligne, solde_cloture=solde and solde[0], au=(solde and solde[1]) or self.carnet.releve.au
                )
        yield from self._rendre()
        yield from self._couper(ligne)
        if not self.carnet.n:
            raise FichierRefuse("Le fichier ne contient aucun relevé MT940 (:60F: … :62F:).")
        if self.fevriers:
            self.carnet.avertir(
                f"{self.fevriers} dates de valeur au 29 ou 30 février : mois de trente jours de la banque, ramenées au "
                "dernier jour du mois."
            )
        self.carnet.conclure(lignes_61=operations, dernier_solde=self.derniers[-1:] and self.derniers[-1] or "")

    def _rendre(self) -> Iterator[MouvementLu]:
        mouvement, self.operation = self.operation, None
        if mouvement:
            yield mouvement

    def _couper(self, ligne: int) -> Iterator[ReleveLu]:
        if self.carnet.releve is not None:
            self.carnet.avertir(f"Compte {self.carnet.releve.compte} : un relevé n'a pas de solde de clôture (:62F:).")
            yield self.carnet.fermer(ligne)

    def _ouvrir(self, ligne: int, solde: tuple | None) -> None:
        compte = self.compte or "?"
        dernier = compte.split("/")[-1]
        iban = dernier if iban_valide(dernier) else ""
        # Un IBAN suivi de la devise (« FR76…EUR ») est courant.
        if not iban and iban_valide(dernier[:-3]):
            iban = dernier[:-3]
        montant, jour, devise = solde or (None, None, "EUR")
        self.carnet.ouvrir(
            ligne, iban or compte, devise, iban=iban, numero=self.numero, du=jour, solde_ouverture=montant
        )

    def _solde(self, ligne: int, valeur: str) -> tuple[Decimal, date | None, str] | None:
        lu = SOLDE.fullmatch(valeur)
        if lu:
            try:
                montant = _montant(lu[4])
                devise = lu[3] or (self.carnet.releve.devise if self.carnet.releve else "EUR")
                return -montant if lu[1] == "D" else montant, _jour(lu[2]), devise
            except ValueError:
                pass
        self.carnet.refuser(ligne, "solde", f"« {valeur[:40]} » n'est pas un solde MT940.", "Redemandez le fichier.")
        return None

    def _61(self, ligne: int, lignes: list[str]) -> None:
        releve, brut = self.carnet.releve, lignes[0].strip()
        lu = OPERATION.fullmatch(brut)
        if not lu:
            self.carnet.refuser(ligne, "opération (:61:)", f"« {brut[:40]} » ne se lit pas.", "Redemandez le fichier.")
            return
        try:
            montant = _montant(lu["montant"])
        except ValueError as erreur:
            self.carnet.refuser(ligne, "montant", f"{erreur}.", "Redemandez le fichier à la banque.")
            return
        if lu["sens"].startswith("E"):
            self.carnet.avertir("Des opérations attendues (EC, ED) sont laissées de côté : elles ne sont pas au solde.")
            return
        valeur = self._date_de_valeur(lu["valeur"])
        jour = _jour_comptable(lu["jour"], valeur) if valeur else None
        if jour is None:
            self.carnet.refuser(
                ligne, "date", f"« {lu['valeur']}{lu['jour'] or ''} » n'est pas une date du calendrier.",
                "Redemandez le fichier à la banque.",
            )  # fmt: skip
            return
        if not montant:
            self.carnet.nuls += 1
            return
        # C et RD au crédit, D et RC au débit : R annule une opération passée.
        credit = (lu["sens"][-1] == "C") != lu["sens"].startswith("R")
        type_ = lu["type"] or ""
        ref, banque = reference(lu["ref"]), reference(lu["banque"])
        if ref in ("N", "KREF+", "EREF+"):  # un renvoi au :86:, ou NONREF coupé
            ref = ""
        self.operation = self.carnet.noter(
            MouvementLu(
                ligne, releve.cle_source, releve.compte, jour, montant if credit else -montant, releve.devise,
                libelle(*lignes[1:]), valeur, reference=ref, code=type_,
                nature=REJET if lu["sens"].startswith("R") else nature_swift(type_), cle_banque=banque,
            )
        )  # fmt: skip

    def _date_de_valeur(self, texte: str) -> date | None:
        """AAMMJJ. Le 30 février d'une banque (mois de trente jours) est le dernier jour de février."""
        annee, mois, quantieme = 2000 + int(texte[:2]), int(texte[2:4]), int(texte[4:])
        if mois == 2 and quantieme in (29, 30):
            dernier = calendar.monthrange(annee, 2)[1]
            self.fevriers += quantieme > dernier
            quantieme = min(quantieme, dernier)
        try:
            return date(annee, mois, quantieme)
        except ValueError:
            return None


def _montant(texte: str) -> Decimal:
    """Virgule décimale, points de milliers éventuels. Lève ValueError."""
    return montant_pointe(texte.replace(".", "").replace(",", "."))


def _jour(texte: str) -> date | None:
    try:
        jour = date(2000 + int(texte[:2]), int(texte[2:4]), int(texte[4:6]))
    except ValueError:
        return None
    return jour if plausible(jour) else None


def _jour_comptable(mois_jour: str | None, valeur: date) -> date | None:
    """MMJJ, dans l'année qui le rapproche le plus de la date de valeur ; à défaut la date de valeur."""
    if not (mois_jour or "").strip():
        return valeur
    candidats = []
    for annee in (valeur.year - 1, valeur.year, valeur.year + 1):
        try:
            candidats.append(date(annee, int(mois_jour[:2]), int(mois_jour[2:])))
        except ValueError:
            continue
    return min(candidats, key=lambda j: abs(j - valeur)) if candidats else None


def decrire_ns(m: MouvementLu, lignes: list[str]) -> None:
    """Le :NS: d'une opération (MultiCash) : lignes 01 à 14, le motif ; 15 et 16, la contrepartie."""
    zones = [(x[:2], x[2:]) for x in lignes]
    m.libelle = libelle(" ".join(v.strip() for c, v in zones if "01" <= c <= "14"), m.libelle)
    m.contrepartie = m.contrepartie or borne("".join(v for c, v in zones if c in ("15", "16")), NOM)


def decrire(m: MouvementLu, lignes: list[str]) -> None:
    """Le :86: d'une opération, selon son dialecte."""
    premiere = lignes[0].lstrip() if lignes else ""
    if re.match(r"[0-9]{3}\?[0-9]{2}", premiere) or (premiere[:1] == "?" and SEPARE.match(premiere)):
        _structure(m, "".join(x.rstrip("\r\n") for x in [premiere, *lignes[1:]]))
    elif BARRES.search(premiere):
        _barres(m, "".join(lignes))
    else:
        _libre(m, " ".join(lignes))
    if m.nature == AUTRE:
        m.nature = nature_libelle(normaliser(m.libelle) + " ")


def _structure(m: MouvementLu, texte: str) -> None:
    gvc = texte[:3] if texte[:3].isdigit() else ""
    morceaux = SEPARE.split(texte)
    champs = list(zip(morceaux[1::2], morceaux[2::2], strict=False))
    motif = "".join(v for c, v in champs if "20" <= c <= "29" or "60" <= c <= "63")
    nom = "".join(v for c, v in champs if c in ("32", "33"))
    compte = compacter(next((v for c, v in champs if c == "38"), "") or next((v for c, v in champs if c == "31"), ""))
    titre = next((v for c, v in champs if c == "00"), "")
    m.contrepartie = borne(nom, NOM)
    if iban_valide(compte):
        m.contrepartie_iban = compte
    _sepa(m, titre, motif)
    if gvc in RETOURS_GVC:
        m.nature = REJET
        retour = next((v for c, v in champs if c == "34"), "")
        m.motif_rejet = borne(f"motif {retour}" if retour.strip() else titre, NOM)
    m.code = borne(f"{m.code}/{gvc}" if gvc else m.code, CODE)


def _sepa(m: MouvementLu, titre: str, motif: str) -> None:
    morceaux = SEPA.split(motif.replace("MTLG:", "MTLG+"))
    tags = dict(zip(morceaux[1::2], morceaux[2::2], strict=False))
    m.reference = reference(tags.get("EREF")) or m.reference or reference(tags.get("KREF"))
    m.contrepartie = m.contrepartie or borne(tags.get("ABWA") or tags.get("ABWE"), NOM)
    iban = compacter(tags.get("IBAN", ""))
    if not m.contrepartie_iban and iban_valide(iban):
        m.contrepartie_iban = iban
    m.libelle = libelle(titre, morceaux[0], tags.get("SVWZ"), tags.get("MTLG"), m.libelle)


def _barres(m: MouvementLu, texte: str) -> None:
    morceaux = BARRES.split(texte)
    tags = {}
    for nom, valeur in zip(morceaux[1::2], morceaux[2::2], strict=False):
        tags.setdefault(nom, valeur.strip("/ "))
    m.reference = reference(tags.get("EREF")) or m.reference
    contre = (tags.get("CNTP") or "").split("/")  # ING : IBAN/BIC/nom/ville
    iban = compacter(tags.get("IBAN") or contre[0])
    m.contrepartie = borne(tags.get("NAME") or (contre[2] if len(contre) > 2 else ""), NOM)
    if iban_valide(iban):
        m.contrepartie_iban = iban
    motif = re.sub(r"^/?(USTD|STRD)//?", "", tags.get("REMI", ""))
    m.libelle = libelle(morceaux[0], motif, tags.get("USTD"), tags.get("STRD"), m.libelle)
    if "RTRN" in tags:
        m.nature, m.motif_rejet = REJET, borne(tags["RTRN"], NOM)


def _libre(m: MouvementLu, texte: str) -> None:
    if SEPA.search(texte):
        _sepa(m, "", texte)
    else:
        m.libelle = libelle(texte, m.libelle)
