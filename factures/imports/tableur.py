"""Classeurs XLSX et ODS, et CSV d'en-tête inconnu : colonnes mises en correspondance (docs/decisions/0019).

Trois façons de savoir lire un tableau, dans cet ordre : ce qu'une personne a dit pour ce lot (`corrections`), une
correspondance nommée ou enregistrée pour le même en-tête, et ce que les noms et les valeurs disent sans ambiguïté.
Sinon `ColonnesInconnues` porte de quoi ouvrir l'assistant.
"""

from collections.abc import Mapping
from datetime import date
from decimal import Decimal
from itertools import islice

from factures.domaine import correspondance as domaine

from . import tableur_entete as entete
from .fichier import Fichier, Genre
from .lecteurs import ColonnesInconnues, ContexteLecture
from .lot import LotLu, Photo
from .tableur_clients import Clients
from .tableur_lignes import Lecteur
from .tableur_valeurs import Cellule
from .texte import FichierRefuse

CLASSEURS = {Genre.XLSX: "xlsx", Genre.ODS: "ods"}
GENRES_FORCES = {
    "csv-clients": domaine.CLIENTS, "csv-encaissements": domaine.ENCAISSEMENTS, "csv-factures": domaine.FACTURES,
}  # fmt: skip
FORMATS_TEXTE = {domaine.CLIENTS: "csv-clients", domaine.ENCAISSEMENTS: "csv-encaissements"}
TOUTES, EN_PARTIE = 40, 10  # notes d'un CSV : un format qui se reconnaît à coup sûr passe toujours devant
APERCU = 30
# Ce qui ne vaut que pour un fichier : jamais repris d'une correspondance enregistrée.
DU_FICHIER = ("date_defaut",)


def reconnait(fichier: Fichier) -> dict[str, int]:
    if fichier.genre in CLASSEURS:
        return {CLASSEURS[fichier.genre]: TOUTES}
    if fichier.genre is not Genre.TEXTE:
        return {}
    try:
        tableau = entete.trouver(fichier)
    except FichierRefuse:
        return {}
    if _une_colonne(tableau):
        return {}
    if not tableau.note and len(tableau.colonnes) < 3:
        raise FichierRefuse(
            f"Format non reconnu ; colonnes lues : {', '.join(c[:40] for c in tableau.colonnes)}. Attendu : un FEC, ou "
            "un tableau de clients, de factures, de postes ouverts ou d'encaissements."
        )
    p = domaine.proposer(tableau.colonnes, entete.natures(tableau))
    dates = {("date_facture",), ("date_reglement",), ("date_facture", "date_echeance"), ("date_arrete",)}
    return {FORMATS_TEXTE.get(p.genre, "csv-factures"): EN_PARTIE if set(p.manquants) - dates else TOUTES}


def _une_colonne(tableau: entete.Tableau) -> bool:
    return len(tableau.colonnes) < 2 or next(iter(tableau.lignes(None)), None) is None


def lire(fichier: Fichier, contexte: ContexteLecture) -> LotLu:
    """Lève FichierRefuse, ou ColonnesInconnues si une personne doit dire ce que contiennent les colonnes."""
    dit = contexte.corrections.get("tableau")
    choix = dit or contexte.correspondance
    feuille = contexte.corrections.get("feuille") or (choix or {}).get("options", {}).get("feuille", "")
    tableau = _trouver(fichier, feuille, exige=bool(dit))
    enregistree = None if choix else contexte.correspondances(tableau.signature)
    if choix is None and enregistree:
        enregistree = _pour_ce_fichier(tableau, enregistree)
    if choix is None and enregistree is None or contexte.corrections.get("revoir"):
        p = _proposer(fichier, tableau, contexte.format)
        entete.profiler(tableau, p)
        p.options.setdefault("creer_clients", _creer(p.genre, p.colonnes))
        if enregistree or (choix and not set(choix["colonnes"].values()) - set(tableau.colonnes)):
            retenue = enregistree or choix
            p.genre, p.colonnes, p.raisons = retenue["genre"], dict(retenue["colonnes"]), {}
            p.options |= retenue["options"]
        if contexte.corrections.get("revoir") or contexte.corrections.get("confirmer") or not p.sure:
            raise ColonnesInconnues(_message(tableau, p), apercu(tableau, p))
        choix = {"genre": p.genre, "colonnes": p.colonnes, "options": p.options}
    choix = choix or enregistree
    if absentes := [c for c in choix["colonnes"].values() if c not in tableau.colonnes]:
        p = domaine.proposer(tableau.colonnes, entete.natures(tableau))
        entete.profiler(tableau, p)
        raise ColonnesInconnues(
            f"La correspondance attend des colonnes que ce tableau n'a pas : {', '.join(absentes[:10])}. "
            + _message(tableau, p),
            apercu(tableau, p),
        )
    if domaine.manquants(choix["genre"], choix["colonnes"], choix["options"]):
        p = domaine.Proposition(choix["genre"], dict(choix["colonnes"]), options=dict(choix["options"]))
        raise ColonnesInconnues(_message(tableau, p), apercu(tableau, p))
    return _lot(fichier, tableau, choix, contexte)


def _proposer(fichier: Fichier, tableau: entete.Tableau, format: str) -> domaine.Proposition:
    """Un format demandé impose ce que le fichier contient."""
    natures = entete.natures(tableau)
    p = domaine.proposer(tableau.colonnes, natures)
    if fichier.genre is Genre.TEXTE and FORMATS_TEXTE.get(p.genre, "csv-factures") != format:
        p = domaine.proposer(tableau.colonnes, natures, GENRES_FORCES.get(format, ""))
    return p


def _trouver(fichier: Fichier, feuille: str, *, exige: bool) -> entete.Tableau:
    """La feuille d'une correspondance enregistrée peut porter un autre nom le mois suivant."""
    try:
        return entete.trouver(fichier, feuille)
    except FichierRefuse:
        if not feuille or exige:
            raise
        return entete.trouver(fichier)


def _creer(genre: str, colonnes: Mapping[str, str]) -> bool:
    """Un client inconnu se crée si le fichier dit son nom, ou s'il est tout ce que l'on aura de lui."""
    return "nom_client" in colonnes or genre not in (domaine.FACTURES, domaine.ENCAISSEMENTS)


def _pour_ce_fichier(tableau: entete.Tableau, enregistree: Mapping) -> dict:
    options = {nom: v for nom, v in enregistree["options"].items() if nom not in DU_FICHIER}
    if enregistree["genre"] == domaine.BALANCE and (jour := entete.date_des_titres(tableau)):
        options["date_defaut"] = jour.isoformat()
    return {"genre": enregistree["genre"], "colonnes": enregistree["colonnes"], "options": options}


def _lot(fichier: Fichier, tableau: entete.Tableau, choix: Mapping, contexte: ContexteLecture) -> LotLu:
    genre, options = choix["genre"], choix["options"]
    format = CLASSEURS.get(fichier.genre) or FORMATS_TEXTE.get(genre, "csv-factures")
    lot = LotLu(format, tableau.encodage, tableau.separateur, (), avertissements=list(tableau.avertissements))
    clients = Clients({compte[0]: compte[1] for compte in contexte.comptes()})
    lecteur = Lecteur(
        genre, choix["colonnes"], tableau.colonnes, options, clients,
        base_1904=tableau.base_1904, au=contexte.au,
    )  # fmt: skip
    pris = set(choix["colonnes"].values())
    if ignorees := [c for c in tableau.colonnes if c not in pris]:
        lot.avertissements.append(f"Colonnes ignorées : {', '.join(x[:40] for x in ignorees[:30])}.")
    lot.faits = {"contenu": genre, "ligne_entete": tableau.ligne}
    if tableau.feuille:
        lot.faits["feuille"] = tableau.feuille
    if genre in (domaine.POSTES, domaine.BALANCE):
        arrete = lecteur.defaut if genre == domaine.BALANCE else entete.date_des_titres(tableau)
        lot.photo = Photo(arrete, bool(options.get("complet")), genre == domaine.BALANCE, lecteur.emis)
    lot.elements = lecteur.elements(tableau.lignes(lot), lot)
    return lot


# --- Ce que l'assistant montre ----------------------------------------------------------------

DITS = {
    "code_client": "le client", "numero": "le numéro de facture", "montant": "le montant", "reste": "le montant dû",
    "date_facture": "la date de facture", "date_reglement": "la date de règlement",
    "tranche:": "les tranches de retard", "montant_regle": "le montant réglé",
    "date_arrete": "la date d'arrêté de la balance",
}  # fmt: skip


def _message(tableau: entete.Tableau, p: domaine.Proposition) -> str:
    lues = ", ".join(c[:40] for c in tableau.colonnes[:30])
    manque = [DITS.get(groupe[0], groupe[0]) for groupe in p.manquants]
    phrases = [f"Les colonnes de ce tableau restent à dire. Lues à la ligne {tableau.ligne} : {lues}."]
    if manque:
        phrases.append(f"Il manque {', '.join(manque)}.")
    phrases += p.a_confirmer
    phrases.append(
        "Déposez le fichier à l'écran Imports pour choisir les colonnes, nommez une correspondance enregistrée, "
        "ou reprenez un modèle téléchargeable."
    )
    return " ".join(phrases)


def apercu(tableau: entete.Tableau, p: domaine.Proposition) -> dict:
    """De quoi ouvrir l'assistant sans relire le fichier (JSON)."""
    return {
        "signature": tableau.signature,
        "colonnes": list(tableau.colonnes),
        "lignes": [[n, [_coder(c) for c in cellules]] for n, cellules in islice(tableau.lignes(None), APERCU)],
        "ligne_entete": tableau.ligne,
        "feuille": tableau.feuille,
        "feuilles": list(tableau.feuilles),
        "base_1904": tableau.base_1904,
        "proposition": p.en_json(),
    }


def _coder(c: Cellule):
    if isinstance(c, Decimal):
        return {"n": str(c)}
    return {"j": c.isoformat()} if isinstance(c, date) else c[:200]


def reproposer(apercu: Mapping, genre: str) -> domaine.Proposition:
    """Les colonnes d'un autre genre, d'après l'aperçu seul ; le format des dates et des montants reste le sien."""
    lignes = [[decoder(c) for c in cellules] for _, cellules in apercu["lignes"]]
    p = domaine.proposer(apercu["colonnes"], entete.natures_de(len(apercu["colonnes"]), lignes), genre)
    p.options = dict(apercu["proposition"]["options"]) | {"creer_clients": _creer(genre, p.colonnes)}
    return p


def decoder(c) -> Cellule:
    """Inverse de ce que `apercu` range en JSON."""
    if isinstance(c, dict):
        return Decimal(c["n"]) if "n" in c else date.fromisoformat(c["j"])
    return c
