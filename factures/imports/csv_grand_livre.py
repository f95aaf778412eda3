"""Les trois CSV du grand livre : clients, factures, encaissements (docs/formats.md).

Une ligne saine coûte un passage ; une ligne fautive est relue champ par champ pour que tous ses défauts
soient dits d'un coup. Les lignes se lisent en flux : la mémoire ne dépend pas de la taille du fichier.
"""

import csv
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from datetime import date
from decimal import Decimal

from . import champs as c
from .lot import AvoirLu, ClientLu, Element, EncaissementLu, FactureLue, LotLu, Rejet
from .nombres import Illisible, euros
from .texte import FichierRefuse, Texte, separateur


@dataclass(frozen=True, slots=True)
class Colonne:
    nom: str
    lire: Callable[[str], object]
    obligatoire: bool = False
    alias: tuple[str, ...] = ()


LONGUEUR_CODE = 40
LONGUEUR_NUMERO = 60

CLIENTS = (
    Colonne("code_client", c.code(LONGUEUR_CODE), True, ("code", "client", "compte", "compte_client")),
    Colonne("raison_sociale", c.texte(160), True, ("nom", "intitule", "denomination", "nom_client")),
    Colonne("type", c.choix(c.TYPES, "entreprise, particulier ou administration"), alias=("type_client",)),
    Colonne("siren", c.siren, alias=("n_siren",)),
    Colonne("siret", c.siret, alias=("n_siret",)),
    Colonne("numero_tva", c.texte(20), alias=("tva", "tva_intracommunautaire", "n_tva")),
    Colonne("forme", c.texte(60), alias=("forme_juridique",)),
    Colonne("civilite", c.texte(40)),
    Colonne("adresse", c.texte(120), alias=("adresse_1", "adresse1", "rue")),
    Colonne("complement", c.texte(120), alias=("adresse_2", "adresse2", "complement_adresse")),
    Colonne("code_postal", c.texte(12), alias=("cp",)),
    Colonne("ville", c.texte(80), alias=("commune",)),
    Colonne("pays", c.pays, alias=("code_pays",)),
    Colonne("courriel", c.courriel, alias=("email", "e_mail", "mail", "adresse_electronique")),
    Colonne("telephone", c.texte(40), alias=("tel",)),
    Colonne("langue", c.choix(c.LANGUES, "fr ou en")),
    Colonne("conditions", c.conditions, alias=("conditions_paiement", "conditions_de_paiement", "reglement")),
    Colonne("lecture_fdm", c.choix({"A": "a", "B": "b"}, "A ou B")),
    Colonne("plafond", c.montant_positif, alias=("encours_autorise", "plafond_encours")),
    Colonne("gestionnaire", c.courriel, alias=("courriel_gestionnaire",)),
    Colonne("segment", c.texte(40)),
    Colonne("delai_entre_contacts", c.entier(365)),
    Colonne("prelevement", c.booleen),
    Colonne("taux_penalites", c.taux),
)
FACTURES = (
    Colonne("numero", c.code(LONGUEUR_NUMERO), True, ("numero_facture", "n_facture", "facture", "piece", "n_piece")),
    Colonne("code_client", c.code(LONGUEUR_CODE), True, ("client", "compte", "compte_client")),
    Colonne("date_facture", c.jour, True, ("date", "date_piece", "date_emission")),
    Colonne("montant_ttc", c.montant, True, ("ttc", "montant", "total_ttc")),
    Colonne("date_echeance", c.jour, alias=("echeance",)),
    Colonne("montant_ht", c.montant, alias=("ht", "total_ht")),
    Colonne("montant_tva", c.montant, alias=("tva", "total_tva")),
    Colonne("devise", c.devise, alias=("monnaie",)),
    Colonne("commande", c.texte(60), alias=("bon_commande", "reference_client", "n_commande")),
    Colonne("type", c.choix({"facture": "facture f fa fac 380", "avoir": "avoir a av 381"}, "facture ou avoir")),
    Colonne("date_execution", c.jour, alias=("date_livraison", "date_prestation")),
    Colonne("numero_origine", c.texte(LONGUEUR_NUMERO), alias=("facture_origine",)),
)
ENCAISSEMENTS = (
    Colonne("reference", c.code(80), True, ("reference_reglement", "n_reglement", "numero")),
    Colonne("code_client", c.code(LONGUEUR_CODE), True, ("client", "compte", "compte_client")),
    Colonne("date", c.jour, True, ("date_reglement", "date_encaissement", "date_valeur")),
    Colonne("montant", c.montant, True, ("montant_regle", "montant_encaisse")),
    Colonne("mode", c.choix(c.MODES, "virement, chèque…", defaut="autre"), alias=("mode_reglement",)),
    Colonne("facture", c.texte(LONGUEUR_NUMERO), alias=("numero_facture", "n_facture")),
    Colonne("devise", c.devise, alias=("monnaie",)),
    Colonne("libelle", c.texte(200)),
)
SCHEMAS = {"csv-clients": CLIENTS, "csv-factures": FACTURES, "csv-encaissements": ENCAISSEMENTS}


# --- En-tête ---------------------------------------------------------------------------------


def nom_de_colonne(cellule: str) -> str:
    """« N° de facture », « Date_Echéance » → `n_facture`, `date_echeance`."""
    mots = "".join(x if x.isalnum() else " " for x in c.sans_accent(cellule.lstrip("\ufeff")).replace("°", " "))
    return "_".join(m for m in mots.split() if m not in {"de", "d", "du", "la", "le", "l"})


@dataclass(frozen=True, slots=True)
class Entete:
    ligne: int  # numéro de la ligne d'en-tête
    separateur: str
    colonnes: tuple[str, ...]  # telles qu'écrites


def lire_entete(debut: str) -> Entete | None:
    """Première ligne non vide, après un éventuel « sep=; » du tableur."""
    force = ""
    for numero, ligne in enumerate(debut.splitlines()[:20], 1):
        if ligne.lower().startswith("sep=") and len(ligne.strip()) == 5:
            force = ligne[4]
        elif ligne.strip(" ;,\t|\ufeff"):
            sep = force or separateur(ligne)
            try:
                cellules = next(csv.reader([ligne], delimiter=sep))
            except (csv.Error, StopIteration):
                return None
            return Entete(numero, sep, tuple(cellules))
    return None


def reconnaitre_colonnes(entete: Entete, schema: tuple[Colonne, ...]) -> tuple[dict[str, int], list[str]]:
    """{nom canonique: indice}, et les colonnes ignorées. Un nom exact l'emporte sur un alias."""
    noms = [nom_de_colonne(cellule) for cellule in entete.colonnes]
    place: dict[str, int] = {}
    for exact in (True, False):
        for colonne in schema:
            if colonne.nom in place:
                continue
            for voulu in (nom_de_colonne(colonne.nom),) if exact else colonne.alias:
                if voulu in noms and noms.index(voulu) not in place.values():
                    place[colonne.nom] = noms.index(voulu)
                    break
    pris = set(place.values())
    return place, [entete.colonnes[i] for i, nom in enumerate(noms) if nom and i not in pris]


def manquantes(place: dict[str, int], schema: tuple[Colonne, ...]) -> list[str]:
    return [colonne.nom for colonne in schema if colonne.obligatoire and colonne.nom not in place]


# --- Lignes ----------------------------------------------------------------------------------


def lire(texte: Texte, format: str) -> LotLu:
    """Ouvre un CSV du grand livre. Lève FichierRefuse si l'en-tête ne convient pas ou s'il n'y a aucune ligne."""
    schema = SCHEMAS[format]
    entete = lire_entete(texte.debut())
    if entete is None:
        raise FichierRefuse("Le fichier n'a pas de ligne d'en-tête : reprenez le modèle téléchargeable.")
    place, ignorees = reconnaitre_colonnes(entete, schema)
    if absentes := manquantes(place, schema):
        raise FichierRefuse(
            f"Colonnes obligatoires absentes : {', '.join(absentes)}. "
            f"Lues : {', '.join(x.strip()[:40] for x in entete.colonnes[:30])}. Reprenez le modèle téléchargeable."
        )
    lot = LotLu(format, texte.encodage, entete.separateur, ())
    if ignorees:
        lot.avertissements.append(f"Colonnes ignorées : {', '.join(x.strip()[:40] for x in ignorees[:30])}.")
    lot.elements = _elements(texte, entete, schema, place, lot)
    return lot


def _elements(texte: Texte, entete: Entete, schema, place: dict[str, int], lot: LotLu) -> Iterator[Element]:
    construire = CONSTRUCTEURS[lot.format]
    plan = [(place.get(colonne.nom, -1), colonne.lire, colonne.obligatoire) for colonne in schema]
    largeur = len(entete.colonnes)
    for ligne, cellules in _enregistrements(texte, entete, lot):
        if len(cellules) != largeur:
            if not any(cellules[largeur:]) and len(cellules) > largeur:
                del cellules[largeur:]
            elif not any(x.strip() for x in cellules):
                continue
            else:
                lot.lignes += 1
                lot.rejeter(_mauvaise_largeur(ligne, len(cellules), largeur))
                _noter_incomplet(lot, place, cellules)
                continue
        lot.lignes += 1
        try:
            valeurs = []
            for i, lire_cellule, obligatoire in plan:
                cellule = cellules[i].strip() if i >= 0 else ""
                valeurs.append(lire_cellule(cellule) if cellule or obligatoire else None)
            element = construire(ligne, valeurs, lot)
        except Illisible:
            if any(x.strip() for x in cellules):
                _noter_incomplet(lot, place, cellules)
                for rejet in _defauts(ligne, cellules, schema, place, construire, lot):
                    lot.rejeter(rejet)
            else:
                lot.lignes -= 1
            continue
        if element is not None:
            yield element


def _noter_incomplet(lot: LotLu, place: dict[str, int], cellules: list[str]) -> None:
    """Un règlement dont une ligne est refusée ne se prend pas à moitié ; l'échéancier d'une facture non plus."""
    colonne, prefixe = {"csv-encaissements": ("reference", "R"), "csv-factures": ("numero", "F")}.get(
        lot.format, ("", "")
    )
    i = place.get(colonne, len(cellules))
    if i < len(cellules):
        lot.cles_rejetees.add(f"CSV:{prefixe}:{cellules[i].strip()}")


def _enregistrements(texte: Texte, entete: Entete, lot: LotLu) -> Iterator[tuple[int, list[str]]]:
    """(numéro de la première ligne physique, cellules) ; un guillemet mal fermé est un rejet, pas une fin."""
    with texte.ouvrir() as flux:
        for _ in range(entete.ligne):
            flux.readline()
        lecteur = csv.reader(flux, delimiter=entete.separateur, strict=True)
        fini = object()
        while True:
            ligne = entete.ligne + lecteur.line_num + 1
            try:
                cellules = next(lecteur, fini)
            except csv.Error:
                fin = entete.ligne + lecteur.line_num
                lot.lignes += 1
                constat = f"guillemet mal fermé (lignes {ligne} à {fin} illisibles)."
                conseil = "Doublez les guillemets à l'intérieur d'un champ, et fermez-le."
                lot.rejeter(Rejet(ligne, "ligne", constat if fin > ligne else "guillemet mal placé.", conseil))
                continue
            except UnicodeError as erreur:
                raise FichierRefuse(f"Le fichier n'est pas du {texte.encodage} : exportez-le en UTF-8.") from erreur
            if cellules is fini:
                return
            if cellules and cellules != ["\x1a"]:
                yield ligne, cellules


def _mauvaise_largeur(ligne: int, lues: int, attendues: int) -> Rejet:
    conseil = (
        "Un séparateur se trouve dans un champ : mettez ce champ entre guillemets."
        if lues > attendues
        else "La ligne est tronquée : refaites l'export."
    )
    return Rejet(ligne, "ligne", f"{lues} colonnes au lieu de {attendues}.", conseil)


def _defauts(ligne, cellules, schema, place, construire, lot) -> list[Rejet]:
    """Tous les défauts d'une ligne ; à défaut de cellule fautive, celui de l'ensemble."""
    defauts, valeurs = [], []
    for colonne in schema:
        i = place.get(colonne.nom, -1)
        cellule = cellules[i].strip() if i >= 0 else ""
        try:
            valeurs.append(colonne.lire(cellule) if cellule or colonne.obligatoire else None)
        except Illisible as erreur:
            defauts.append(Rejet.de(ligne, colonne.nom, erreur))
    if not defauts:
        try:
            construire(ligne, valeurs, lot)
        except Incoherent as erreur:
            defauts.append(Rejet.de(ligne, erreur.champ, erreur))
    return defauts


class Incoherent(Illisible):
    """Chaque cellule se lit, mais pas l'ensemble ; `champ` nomme la plus suspecte."""

    def __init__(self, champ: str, constat: str, conseil: str):
        super().__init__(constat, conseil)
        self.champ = champ


def _client(ligne: int, v: list, lot: LotLu) -> ClientLu:
    valeurs = {colonne.nom: valeur for colonne, valeur in zip(CLIENTS[1:], v[1:], strict=True) if valeur is not None}
    if not valeurs["raison_sociale"]:
        raise Incoherent("raison_sociale", "valeur absente.", "Remplissez le nom du client.")
    if "siret" in valeurs:
        if valeurs.setdefault("siren", valeurs["siret"][:9]) != valeurs["siret"][:9]:
            raise Incoherent("siret", "le SIRET ne commence pas par le SIREN de la ligne.", "Corrigez l'un des deux.")
    if valeurs.get("pays", "FR") == "FR" and "code_postal" in valeurs:
        postal = valeurs["code_postal"]
        if postal.isdigit() and len(postal) == 4:  # le tableur a mangé le zéro de l'Ain ou des Ardennes
            valeurs["code_postal"] = "0" + postal
    if valeurs.get("type") == "particulier" and "taux_penalites" in valeurs:
        raise Incoherent(
            "taux_penalites", "un particulier n'a pas de taux de pénalités de professionnel.", "Videz la cellule."
        )
    return ClientLu(ligne, v[0], valeurs)


ZERO = Decimal("0.00")


def _facture(ligne: int, v: list, lot: LotLu) -> FactureLue | AvoirLu | None:
    (numero, client, emise, ttc, echeance, ht, tva, devise, commande, genre, execution, origine) = v
    if ht is not None and tva is not None:
        if ht + tva != ttc:
            raise Incoherent(
                "montant_ttc",
                f"HT {euros(ht)} + TVA {euros(tva)} = {euros(ht + tva)}, et non {euros(ttc)}.",
                "Corrigez l'un des trois montants.",
            )
    elif ht is not None:
        tva = ttc - ht
    elif tva is not None:
        ht = ttc - tva
    if not ttc:
        lot.avertissements.append(f"Ligne {ligne} : {numero} est à zéro, rien à recouvrer ; ligne ignorée.")
        return None
    devise = devise or "EUR"
    if ttc < 0 or genre == "avoir":
        return AvoirLu(ligne, f"CSV:A:{numero}", client, numero, emise, abs(ttc), devise, origine or "")
    if echeance is not None and echeance < emise:
        raise Incoherent(
            "date_echeance", f"l'échéance précède la facture du {emise:%d/%m/%Y}.", "Corrigez l'une des deux dates."
        )
    return FactureLue(
        ligne, f"CSV:F:{numero}", client, numero, True, emise, execution, ht, tva, ttc, devise, commande or "",
        cle_echeance_csv(numero, echeance), echeance,
    )  # fmt: skip


def cle_echeance_csv(numero: str, echeance: date | None) -> str:
    return f"CSV:E:{numero}:{echeance or ''}"


def _encaissement(ligne: int, v: list, lot: LotLu) -> EncaissementLu:
    reference, client, recu, montant, mode, facture, devise, libelle = v
    if montant <= 0:
        raise Incoherent(
            "montant",
            f"« {euros(montant)} » n'est pas un encaissement.",
            "Retirez l'encaissement annulé, ou importez un avoir dans les factures.",
        )
    return EncaissementLu(
        ligne, f"CSV:R:{reference}", client, reference, recu, montant, devise or "EUR", mode or "virement",
        libelle or "", facture or "",
    )  # fmt: skip


CONSTRUCTEURS = {"csv-clients": _client, "csv-factures": _facture, "csv-encaissements": _encaissement}
