"""Les statuts en tableau : une ligne par statut, colonnes reconnues à leurs noms usuels."""

import csv
import re
from collections.abc import Iterator
from dataclasses import replace
from datetime import date
from itertools import islice

from factures.donnees import statuts_fe

from .champs import devise, sans_accent
from .fichier import Fichier
from .lot import LotLu, Rejet, StatutLu
from .nombres import Illisible, identifiant, jour, montant
from .texte import FichierRefuse, nettoyer, separateur

LIGNES_MAX = 1_000_000
COLONNES = {
    "numero": "numero numerofacture nfacture nofacture numfacture facture invoice invoicenumber invoiceid idfacture "
    "piece numeropiece numpiece reference referencefacture bt1 issuerassignedid",
    "code": "code codestatut statutcode statut status statuscode statutfacture statutfe etat codeetat mdt105 "
    "processconditioncode cyclevie cycledevie libellestatut",
    "le": "date datestatut statutdate dateheure dateheurestatut horodatage le dateetat datedustatut datereception "
    "timestamp issuedatetime mdt78 dateencaissement",
    "motif_code": "motifcode codemotif reasoncode codemotifrejet mdt113",
    "motif": "motif libellemotif motifrejet motifrefus reason raison commentaire mdt114",
    "montant": "montant montantencaisse montantpaye montantttc amount montantstatut mdt215",
    "approuve": "montantapprouve montantapprouvettc mapttc",
    "conteste": "montantconteste montantnonapprouve montantlitige mnattc",
    "devise": "devise currency monnaie",
    "vendeur": "sirenvendeur vendeur siretvendeur sirenemetteur sirenfournisseur",
    "acheteur": "sirenacheteur acheteur siretacheteur sirenclient sirendestinataire",
    "emise_le": "datefacture dateemission invoicedate bt2",
    "taux": "tauxtva taux tva",
}  # fmt: skip
_PAR_NOM = {nom: champ for champ, noms in COLONNES.items() for nom in noms.split()}
# Le libellé d'un statut ne vaut sa colonne qu'à défaut d'un code.
_FAIBLES = frozenset({"libellestatut", "reference", "le", "etat", "date"})


def cle_source(statut: StatutLu, horodatage: str) -> str:
    """Stable d'un message à l'autre : « FE:212:20250802100000:12000.00:F202500003 »."""
    montant = "" if statut.montant is None else f"{statut.montant:.2f}"
    return f"FE:{statut.code}:{horodatage}:{montant}:{statut.numero}"[:160]


def _cle(entete: str) -> str:
    return re.sub(r"[^a-z0-9]", "", sans_accent(entete))


def _reperer(entete: list[str]) -> dict[str, int]:
    """{champ: rang de colonne} ; le nom le plus franc l'emporte."""
    places: dict[str, tuple[bool, int]] = {}
    for rang, nom in enumerate(map(_cle, entete)):
        champ = _PAR_NOM.get(nom)
        if champ and (champ not in places or (places[champ][0] and nom not in _FAIBLES)):
            places[champ] = (nom in _FAIBLES, rang)
    return {champ: rang for champ, (_faible, rang) in places.items()}


def lire_code(cellule: str) -> str:
    """« 207 », « 207 - En litige », « CDV-207 », « En litige » → « 207 » ; vide si rien ne se reconnaît."""
    if lu := re.search(r"(?<![0-9])([0-9]{3})(?![0-9])", cellule):
        return lu[1]
    voulu = re.sub(r"[^a-z]", "", sans_accent(cellule))
    for code, libelle in statuts_fe().items():
        if voulu and re.sub(r"[^a-z]", "", sans_accent(libelle)) == voulu:
            return code
    return ""


def note_csv(fichier: Fichier) -> int:
    """Un tableau de statuts : numéro, code, date, et des codes de trois chiffres (ou leur libellé) dans la colonne."""
    try:
        lignes = list(islice(fichier.texte.lignes(), 6))
        if len(lignes) < 2:
            return 0
        rangees = list(csv.reader(lignes, delimiter=separateur(lignes[0])))
    except (FichierRefuse, csv.Error):
        return 0
    places = _reperer(rangees[0])
    if not {"numero", "code", "le"} <= set(places):
        return 0
    cellules = [r[places["code"]] for r in rangees[1:] if len(r) > places["code"] and any(c.strip() for c in r)]
    return 97 if cellules and all(lire_code(c)[:1] in ("2", "5") for c in cellules) else 0


def lire_csv(fichier: Fichier, lot: LotLu) -> Iterator[StatutLu]:
    texte = fichier.texte
    lot.encodage = texte.encodage
    premiere = texte.debut(8192).split("\n", 1)[0]
    lot.separateur = separateur(premiere)
    rangees = csv.reader(texte.lignes(), delimiter=lot.separateur)
    try:
        places = _reperer(next(rangees, []))
        if manquantes := {"numero", "code", "le"} - set(places):
            noms = {"numero": "numéro de facture", "code": "statut", "le": "date"}
            raise FichierRefuse(
                f"Colonnes absentes : {', '.join(sorted(noms[m] for m in manquantes))}. Attendu : numero;statut;date, "
                "et s'il y a lieu motif, montant, siren_vendeur, siren_acheteur."
            )
        for rangee in rangees:
            if not any(c.strip() for c in rangee):
                continue
            lot.lignes += 1
            if lot.lignes > LIGNES_MAX:
                raise FichierRefuse(f"Plus de {LIGNES_MAX} statuts : découpez l'export par mois.")
            cellules = {champ: rangee[rang].strip() if rang < len(rangee) else "" for champ, rang in places.items()}
            statut = _lire_ligne(cellules, rangees.line_num, lot)
            if statut:
                yield statut
    except csv.Error as erreur:
        raise FichierRefuse(f"Ligne {rangees.line_num} : tableau illisible ({erreur}). Refaites l'export.") from erreur


def _lire_ligne(cellules: dict[str, str], ligne: int, lot: LotLu) -> StatutLu | None:
    champ = "numero"
    try:
        numero = identifiant(nettoyer(cellules["numero"]), 60)
        champ = "statut"
        code = lire_code(cellules["code"][:80])
        if not code:
            raise Illisible(f"« {cellules['code'][:30]} » n'est pas un statut.", "Attendu un code, par exemple 207.")
        champ = "date"
        le, horodatage = _moment(cellules["le"])
        statut = StatutLu(ligne, "", numero, code, le, devise="EUR")
        for champ in ("vendeur", "acheteur"):
            if cellules.get(champ):
                statut = replace(statut, **{champ: _siren(cellules[champ])})
        champ = "date_facture"
        if cellules.get("emise_le"):
            statut = replace(statut, emise_le=jour(cellules["emise_le"]))
        champ = "devise"
        if cellules.get("devise"):
            statut = replace(statut, devise=devise(cellules["devise"]))
        champ = "montant"
        for nom, nature in (("conteste", "MNATTC"), ("approuve", "MAPTTC"), ("montant", _NATURES.get(code, ""))):
            if cellules.get(nom):
                statut = replace(statut, montant=montant(cellules[nom][:60]), nature_montant=nature)
                break
        champ = "taux_tva"
        if cellules.get("taux"):
            statut = replace(statut, taux=montant(cellules["taux"].replace("%", "")[:20]))
    except Illisible as erreur:
        lot.rejeter(Rejet.de(ligne, champ, erreur))
        return None
    statut = replace(
        statut,
        motif_code=nettoyer(cellules.get("motif_code", ""))[:30],
        motif=nettoyer(cellules.get("motif", ""))[:250],
    )
    return replace(statut, cle_source=cle_source(statut, horodatage))


# Un montant nu : l'encaissé, le payé ; sur un litige ou une approbation partielle, ce que le client ne paiera pas.
_NATURES = {"212": "MEN", "211": "MPA", "206": "MNATTC", "207": "MNATTC"}


def _moment(cellule: str) -> tuple[date, str]:
    """(jour, horodatage à chiffres) : « 2025-08-02T10:05:00Z », « 02/08/2025 10:05 », « 20250802100500 »."""
    if re.fullmatch(r"[0-9]{12}|[0-9]{14}", cellule):
        le, heure = jour(cellule[:8]), cellule[8:]
    else:
        lu = re.fullmatch(r"(.{6,10}?)[T ]+([0-9]{1,2}:[0-9]{2}(?::[0-9]{2})?)[0-9.,]*(?:Z|[+-][0-9:]+)?", cellule)
        le, heure = (jour(lu[1]), re.sub(r"\D", "", lu[2].zfill(len(lu[2]) + (lu[2][1] == ":")))) if lu else (
            jour(cellule), "")  # fmt: skip
    return le, f"{le:%Y%m%d}{heure}"


def _siren(cellule: str) -> str:
    chiffres = re.sub(r"\D", "", cellule)
    if len(chiffres) not in (9, 14) or re.search(r"[A-Za-z]{3}", cellule):
        raise Illisible(f"« {cellule[:30]} » n'est ni un SIREN ni un SIRET.", "Corrigez-le, ou videz la cellule.")
    return chiffres[:9]
