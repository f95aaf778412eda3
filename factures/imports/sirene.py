"""SIRENE : réponses de l'API Recherche d'entreprises et de l'Insee, fichiers stock (unités légales, établissements).

Chaque entreprise lue dit son état, son nom, son siège ; la famille `registres` compare aux fiches et propose, sans
jamais écrire d'office. Rien de nominatif n'est gardé ici de ce qui n'est pas un client.
"""

import csv
import json
import re
from collections.abc import Iterable, Iterator, Mapping
from datetime import date

from clients.domaine.registres import jour_lu, sans_accent

from .fichier import Fichier, Genre
from .lecteurs import ContexteLecture
from .lot import EntrepriseLue, LotLu, Rejet
from .texte import FichierRefuse, nettoyer, separateur

FORMAT = "sirene"
JSON_MAX = 100 * 1024 * 1024  # octets
_MARQUES = (
    b'"uniteLegale"', b'"unitesLegales"', b'"etablissements"', b'"etatAdministratif', b'"etat_administratif"',
    b'"nombre_etablissements"',
)  # fmt: skip
# Valeurs que l'Insee masque : l'entreprise s'oppose à leur diffusion.
MASQUES = {"[ND]", "[nd]", "ND"}


def reconnait(fichier: Fichier) -> dict[str, int]:
    if fichier.genre is Genre.JSON:
        if re.match(rb'\s*\{\s*"errors?"\s*:', fichier.tete) and b'"title"' in fichier.tete:
            return {FORMAT: 60}  # la lecture dira l'erreur
        return {FORMAT: 100} if any(marque in fichier.tete for marque in _MARQUES) else {}
    if fichier.genre is Genre.TEXTE:
        return {FORMAT: 98} if _entete_stock(fichier) else {}
    return {}


def lire(fichier: Fichier, contexte: ContexteLecture) -> LotLu:
    """Lève FichierRefuse : réponse d'erreur (elle est dite), JSON cassé, ni réponse ni stock SIRENE."""
    lot = LotLu(FORMAT, "", "", ())
    if fichier.genre is Genre.JSON:
        lot.elements = _compter(lot, _depuis_json(_charger(fichier), lot))
    elif fichier.genre is Genre.TEXTE and _entete_stock(fichier):
        lot.elements = _compter(lot, _depuis_stock(fichier, lot))
    else:
        raise FichierRefuse(
            "Ce fichier n'est pas de SIRENE : attendu, une réponse de l'API Recherche d'entreprises ou de l'Insee, ou "
            "un fichier stock des unités légales ou des établissements."
        )
    return lot


def _compter(lot: LotLu, entreprises: Iterable[EntrepriseLue]) -> Iterator[EntrepriseLue]:
    n = fermees = 0
    seule = None
    for entreprise in entreprises:
        n += 1
        fermees += not entreprise.active
        seule = seule or entreprise
        yield entreprise
    lot.faits |= {"entreprises": n, "actives": n - fermees, "fermees": fermees}
    if seule:
        lot.faits |= {
            "siren": seule.siren, "nom": seule.valeurs.get("raison_sociale", ""), "etat": "A" if seule.active else "C",
            "siege": seule.siret if seule.siege else "",
        }  # fmt: skip


# --- JSON ------------------------------------------------------------------------------------


def _charger(fichier: Fichier):
    contenu = fichier.octets(JSON_MAX)
    try:
        lu = json.loads(contenu.decode("utf-8-sig"))
    except UnicodeDecodeError as erreur:
        raise FichierRefuse("Ce JSON n'est pas en UTF-8 : téléchargez-le de nouveau.") from erreur
    except RecursionError as erreur:
        raise FichierRefuse("Ce JSON est imbriqué sans fin : ce n'est pas une réponse de SIRENE.") from erreur
    except ValueError as erreur:
        ou = f"ligne {erreur.lineno}" if isinstance(erreur, json.JSONDecodeError) else "un nombre démesuré"
        raise FichierRefuse(f"JSON mal formé, {ou} : il est sans doute tronqué.") from erreur
    if isinstance(lu, dict) and (faute := _erreur(lu)):
        raise FichierRefuse(f"Le service a répondu par une erreur, sans aucune entreprise : {faute}")
    return lu


def _erreur(lu: dict) -> str:
    """La phrase d'une réponse d'erreur (API Entreprise, Insee, Recherche d'entreprises), vide sinon."""
    erreurs = lu.get("errors")
    if isinstance(erreurs, list) and erreurs:
        premiere = erreurs[0] if isinstance(erreurs[0], dict) else {"detail": str(erreurs[0])}
        morceaux = [_chaine(premiere.get(cle)) for cle in ("title", "detail")]
        return " : ".join(filter(None, morceaux)) or "motif non dit."
    if "erreur" in lu:
        return _chaine(lu["erreur"]) or "motif non dit."
    entete = lu.get("header")
    if isinstance(entete, dict) and _chaine(entete.get("statut")) not in ("", "200"):
        return f"{_chaine(entete.get('statut'))} {_chaine(entete.get('message'))}"
    return ""


def _chaine(valeur) -> str:
    """Texte d'une valeur simple, vide si elle manque ou si l'Insee la masque."""
    lue = nettoyer(str(valeur))[:250] if isinstance(valeur, str | int) and not isinstance(valeur, bool) else ""
    return "" if lue in MASQUES or lue.lower() == "null" else lue


def _listes(lu) -> list:
    if isinstance(lu, list):
        return lu
    if not isinstance(lu, dict):
        return []
    for nom in ("results", "etablissements", "unitesLegales", "etablissement", "uniteLegale", "data"):
        valeur = lu.get(nom)
        if isinstance(valeur, list):
            return valeur
        if isinstance(valeur, dict) and nom != "uniteLegale":
            return [valeur]
    if isinstance(lu.get("uniteLegale"), dict) and "siret" not in lu:
        return [lu["uniteLegale"]]
    return [lu]


def _depuis_json(lu, lot: LotLu) -> Iterator[EntrepriseLue]:
    for rang, brut in enumerate(_listes(lu), 1):
        lot.lignes += 1
        brut = brut if isinstance(brut, dict) else {}
        if "siege" in brut or "nom_complet" in brut or "etat_administratif" in brut and "siret" not in brut:
            yield from _recherche(brut, rang, lot)
        elif "siret" in brut:
            yield from _etablissement(_a_plat(brut), rang, lot)
        else:
            yield from _unite(_a_plat(brut), rang, lot)


def _siren(lu: str, ligne: int, lot: LotLu) -> str:
    """Neuf chiffres, zéro de tête gardé ; un rejet sinon."""
    serre = re.sub(r"\s", "", lu)
    if re.fullmatch(r"[0-9]{9}", serre):
        return serre
    lot.rejeter(Rejet(ligne, "siren", f"« {lu[:20]} » n'a pas neuf chiffres.", "Gardez les zéros de tête."))
    return ""


def _recherche(brut: dict, ligne: int, lot: LotLu) -> Iterator[EntrepriseLue]:
    """API Recherche d'entreprises : l'unité légale et son siège."""
    siren = _siren(_chaine(brut.get("siren")), ligne, lot)
    if not siren:
        return
    siege = brut.get("siege") if isinstance(brut.get("siege"), dict) else {}
    siege = {cle: _chaine(valeur) for cle, valeur in siege.items()}
    active = _chaine(brut.get("etat_administratif")) != "C"
    valeurs = _valeurs(
        _chaine(brut.get("nom_raison_sociale")) or _chaine(brut.get("nom_complet")),
        numero=siege.get("numero_voie", ""), indice=siege.get("indice_repetition", ""),
        genre=siege.get("type_voie", ""), voie=siege.get("libelle_voie", ""),
        complement=siege.get("complement_adresse", ""), code_postal=siege.get("code_postal", ""),
        ville=siege.get("libelle_commune", ""),
    )  # fmt: skip
    fermee = jour_lu(_chaine(brut.get("date_fermeture"))) or jour_lu(siege.get("date_fermeture", ""))
    yield EntrepriseLue(
        ligne, siren, _siret(siege.get("siret", ""), siren), active, None if active else fermee, valeurs
    )


def _a_plat(brut: Mapping) -> dict[str, str]:
    """Une réponse de l'Insee en clés de fichier stock : unité légale, adresse, période en cours."""
    plat: dict[str, str] = {}
    for cle, valeur in brut.items():
        if isinstance(valeur, dict):
            plat |= {k: _chaine(v) for k, v in valeur.items() if not isinstance(v, dict | list) and k not in plat}
        elif isinstance(valeur, list) and cle.startswith("periodes"):
            courante = next((p for p in valeur if isinstance(p, dict) and p.get("dateFin") is None), None)
            plat |= {k: _chaine(v) for k, v in (courante or {}).items() if not isinstance(v, dict | list)}
        elif not isinstance(valeur, list):
            lu = _chaine(valeur)
            plat[cle] = ("true" if valeur else "false") if isinstance(valeur, bool) else lu
    return plat


def _siret(lu: str, siren: str) -> str:
    serre = re.sub(r"\s", "", lu)
    return serre if re.fullmatch(r"[0-9]{14}", serre) and serre.startswith(siren) else ""


def _valeurs(nom, *, numero, indice, genre, voie, complement, code_postal, ville) -> dict[str, str]:
    """Champs de la fiche client ; l'adresse n'y est que complète (voie ou complément, code postal, ville)."""
    valeurs = {"raison_sociale": nom[:160]} if nom else {}
    rue = " ".join(filter(None, (f"{numero}{' ' + indice if indice else ''}".strip(), genre, voie)))
    if code_postal and ville and (rue or complement):
        valeurs |= {
            "adresse": (rue or complement)[:120], "complement": (complement if rue else "")[:120],
            "code_postal": code_postal[:12], "ville": ville[:80],
        }  # fmt: skip
    return valeurs


def _nom_unite(plat: Mapping[str, str]) -> str:
    denomination = plat.get("denominationUniteLegale", "")
    nom = plat.get("nomUsageUniteLegale", "") or plat.get("nomUniteLegale", "")
    prenom = plat.get("prenomUsuelUniteLegale", "") or plat.get("prenom1UniteLegale", "")
    return denomination or (" ".join(filter(None, (prenom, nom))) if nom else "")


def _unite(plat: Mapping[str, str], ligne: int, lot: LotLu) -> Iterator[EntrepriseLue]:
    siren = _siren(plat.get("siren", ""), ligne, lot)
    if not siren:
        return
    etat = plat.get("etatAdministratifUniteLegale", "")
    if etat not in ("A", "C", ""):
        lot.rejeter(Rejet(ligne, "etatAdministratifUniteLegale", f"état « {etat[:10]} » inconnu : A ou C attendu."))
        return
    nic = plat.get("nicSiegeUniteLegale", "")
    siret = siren + nic if re.fullmatch(r"[0-9]{5}", nic) else ""
    nom = _nom_unite(plat)
    yield EntrepriseLue(
        ligne, siren, siret, etat != "C", jour_lu(plat.get("dateDebut", "")) if etat == "C" else None,
        {"raison_sociale": nom[:160]} if nom else {},
    )  # fmt: skip


def _etablissement(plat: Mapping[str, str], ligne: int, lot: LotLu) -> Iterator[EntrepriseLue]:
    """Un établissement. Siège : il dit aussi l'unité légale. Autre : il ne vaut que pour les fiches de ce SIRET."""
    siren = _siren(plat.get("siren", "") or plat.get("siret", "")[:9], ligne, lot)
    if not siren:
        return
    siret = _siret(plat.get("siret", ""), siren)
    if not siret:
        lot.rejeter(Rejet(ligne, "siret", f"« {plat.get('siret', '')[:20]} » n'est pas un SIRET de {siren}."))
        return
    siege = plat.get("etablissementSiege", "true").lower() in ("true", "1", "oui", "vrai")
    etat = plat.get("etatAdministratifUniteLegale", "A") if siege else plat.get("etatAdministratifEtablissement", "A")
    ferme = etat in ("C", "F")
    valeurs = _valeurs(
        _nom_unite(plat) if siege else "",
        numero=plat.get("numeroVoieEtablissement", ""), indice=plat.get("indiceRepetitionEtablissement", ""),
        genre=plat.get("typeVoieEtablissement", ""), voie=plat.get("libelleVoieEtablissement", ""),
        complement=plat.get("complementAdresseEtablissement", ""),
        code_postal=plat.get("codePostalEtablissement", ""), ville=plat.get("libelleCommuneEtablissement", ""),
    )  # fmt: skip
    yield EntrepriseLue(
        ligne, siren, siret, not ferme, jour_lu(plat.get("dateDebut", "")) if ferme else None, valeurs, siege=siege
    )


# --- Fichiers stock --------------------------------------------------------------------------


def _entete_stock(fichier: Fichier) -> list[str]:
    """Colonnes d'un fichier stock, vide si ce n'en est pas un."""
    try:
        premiere = fichier.texte.debut(8192).split("\n", 1)[0]
        colonnes = [c.strip() for c in next(csv.reader([premiere], delimiter=separateur(premiere)), [])]
    except (FichierRefuse, csv.Error):
        return []
    etats = {"etatAdministratifUniteLegale", "etatAdministratifEtablissement"}
    return colonnes if "siren" in colonnes and etats & set(colonnes) else []


def _depuis_stock(fichier: Fichier, lot: LotLu) -> Iterator[EntrepriseLue]:
    """En flux : le stock national compte des dizaines de millions de lignes."""
    colonnes = _entete_stock(fichier)
    lot.encodage = fichier.texte.encodage
    lot.separateur = separateur(fichier.texte.debut(8192).split("\n", 1)[0])
    lecteur = csv.reader(fichier.texte.lignes(), delimiter=lot.separateur)
    etablissements = "siret" in colonnes
    ecartees = dates = 0
    try:
        next(lecteur, [])
        for rangee in lecteur:
            if not any(c.strip() for c in rangee):
                continue
            lot.lignes += 1
            plat = {c: _chaine(v) for c, v in zip(colonnes, rangee, strict=False)}
            if _a_ecarter(plat):
                ecartees += 1
                continue
            dates += _date_fausse(plat)
            yield from (_etablissement if etablissements else _unite)(plat, lecteur.line_num, lot)
    except csv.Error as erreur:
        raise FichierRefuse(f"Ligne {lecteur.line_num} : tableau illisible ({erreur}).") from erreur
    lot.faits |= {"unites": lot.lignes, "ecartees": ecartees, "dates_illisibles": dates}
    if ecartees:
        lot.avertissements.append(
            f"{ecartees} unités purgées ou en ancienne nomenclature d'activité écartées : leur état n'est plus tenu."
        )
    if dates:
        lot.avertissements.append(f"{dates} dates de création illisibles : les lignes sont lues sans elles.")


def _a_ecarter(plat: Mapping[str, str]) -> bool:
    """Purgée, ou restée dans la nomenclature d'avant 2008 : l'Insee ne la tient plus."""
    nomenclature = sans_accent(plat.get("nomenclatureActivitePrincipaleUniteLegale", ""))
    return bool(plat.get("unitePurgeeUniteLegale")) or bool(nomenclature) and "rev2" not in nomenclature and (
        "25" not in nomenclature
    )  # fmt: skip


def _date_fausse(plat: Mapping[str, str]) -> bool:
    lue = plat.get("dateCreationUniteLegale") or plat.get("dateCreationEtablissement") or ""
    return bool(lue) and not isinstance(jour_lu(lue), date)
