"""Annonces du BODACC : l'API annonces-commerciales (JSON, CSV), les fichiers PCL de la DILA (XML), l'URSSAF (CSV).

Une annonce peut viser plusieurs personnes : une annonce lue par SIREN. L'identifiant est celui de l'API (lettre,
parution, numéro), que les fichiers PCL permettent de recomposer : la même annonce par deux voies n'en fait qu'une.
"""

import csv
import hashlib
import json
import re
from collections import Counter
from collections.abc import Iterable, Iterator
from datetime import date
from itertools import islice

from clients.domaine.registres import Portee, jour_lu, portee, sans_accent, siren_lu

from .cycle_de_vie_xml import elements, enfant, enfants, local, racine, texte
from .fichier import Fichier, Genre
from .lecteurs import ContexteLecture
from .lot import AnnonceLue, LotLu, Rejet
from .texte import FichierRefuse, nettoyer, separateur

FORMAT = "bodacc"
JSON_MAX, XML_MAX = 100 * 1024 * 1024, 300 * 1024 * 1024  # octets
ANNONCES_MAX = 500_000
TEXTE_MAX = 4_000  # caractères gardés d'un champ
PCL = "PCL_REDIFF"
AUTRES_DILA = {
    "RCS-A_IMMAT": "des immatriculations et des ventes", "RCS_A_IMMAT": "des immatriculations et des ventes",
    "RCS-B_REDIFF": "des modifications et des radiations", "RCS_B_REDIFF": "des modifications et des radiations",
    "Bilan_XML_Rediff": "des dépôts de comptes", "Divers_XML_Rediff": "des annonces diverses",
}  # fmt: skip
_BODACC_JSON = (b'"familleavis"', b'"publicationavis"', b'"listepersonnes"', b'"dateparution"')


def reconnait(fichier: Fichier) -> dict[str, int]:
    if fichier.genre is Genre.XML:
        nom = racine(fichier)
        if nom in AUTRES_DILA:
            raise FichierRefuse(
                f"Ce fichier du BODACC contient {AUTRES_DILA[nom]}, pas de procédures collectives : "
                "téléchargez celui dont le nom commence par PCL."
            )
        return {FORMAT: 100} if nom == PCL else {}
    if fichier.genre is Genre.JSON:
        return {FORMAT: 100} if sum(marque in fichier.tete for marque in _BODACC_JSON) >= 2 else {}
    if fichier.genre is Genre.TEXTE:
        return {FORMAT: 98} if _genre_csv(fichier) else {}
    return {}


def lire(fichier: Fichier, contexte: ContexteLecture) -> LotLu:
    """Lève FichierRefuse : ni JSON, ni XML, ni CSV de ces annonces ; JSON cassé (ligne dite) ; trop gros."""
    lot = LotLu(FORMAT, "", "", ())
    if fichier.genre is Genre.JSON:
        enregistrements = _enregistrements(fichier)
        lot.elements = _compter(lot, _depuis_json(enregistrements, lot))
    elif fichier.genre is Genre.XML:
        if racine(fichier) != PCL:
            raise FichierRefuse(f"Ce XML n'est pas un fichier du BODACC : racine attendue {PCL}.")
        lot.elements = _compter(lot, _depuis_pcl(fichier, lot))
    elif fichier.genre is Genre.TEXTE and (genre := _genre_csv(fichier)):
        lot.elements = _compter(lot, (_depuis_urssaf if genre == "urssaf" else _depuis_csv)(fichier, lot))
    else:
        raise FichierRefuse(
            "Ce fichier n'est pas une annonce BODACC : attendu, le JSON ou le CSV de l'API annonces-commerciales, "
            "un XML PCL de la DILA, ou les procédures de l'URSSAF."
        )
    return lot


def portee_de(annonce: AnnonceLue) -> Portee:
    jugement = annonce.texte.get("jugement")
    jugement = jugement if isinstance(jugement, dict) else {}
    return portee(
        annonce.famille,
        annonce.nature,
        famille=_chaine(jugement.get("famille")),
        type_avis=_chaine(annonce.texte.get("typeavis")) + " " + _chaine(jugement.get("type")),
        complement=_chaine(jugement.get("complementJugement")),
    )


def _compter(lot: LotLu, annonces: Iterable[AnnonceLue]) -> Iterator[AnnonceLue]:
    portees: Counter[Portee] = Counter()
    sirens: set[str] = set()
    parutions: list[date] = []
    seule = None
    for annonce in annonces:
        if lot.lignes > ANNONCES_MAX:
            raise FichierRefuse(f"Plus de {ANNONCES_MAX} annonces : découpez le fichier par mois.")
        portees[portee_de(annonce)] += 1
        sirens.add(annonce.siren)
        if annonce.parution_le:
            parutions = [min([*parutions, annonce.parution_le]), max([*parutions, annonce.parution_le])]
        seule = annonce
        yield annonce
    lot.faits |= {"annonces": sum(portees.values()), "entreprises": len(sirens)}
    lot.faits["ouvertures"] = portees[Portee.OUVERTURE]
    if parutions:
        lot.faits |= {"du": parutions[0], "au": parutions[-1]}
    if sum(portees.values()) == 1:
        lot.faits |= {
            "siren": seule.siren, "famille": seule.famille, "nature": seule.nature, "debiteur": seule.nom,
            "jugement": seule.jugement_le, "parution": seule.parution_le,
        }  # fmt: skip


# --- API annonces-commerciales ----------------------------------------------------------------


def _enregistrements(fichier: Fichier) -> list:
    contenu = fichier.octets(JSON_MAX)
    try:
        lu = json.loads(contenu.decode("utf-8-sig"))
    except UnicodeDecodeError as erreur:
        raise FichierRefuse("Ce JSON n'est pas en UTF-8 : téléchargez-le de nouveau.") from erreur
    except RecursionError as erreur:
        raise FichierRefuse("Ce JSON est imbriqué sans fin : ce n'est pas une réponse du BODACC.") from erreur
    except ValueError as erreur:
        lignes = [x for x in contenu.decode("utf-8-sig").splitlines() if x.strip()]
        try:  # JSON Lines : un enregistrement par ligne
            lu = [json.loads(x) for x in lignes[:ANNONCES_MAX]] if len(lignes) > 1 else None
        except (ValueError, RecursionError):
            lu = None
        if lu is None:
            ou = f"ligne {erreur.lineno}" if isinstance(erreur, json.JSONDecodeError) else "un nombre démesuré"
            raise FichierRefuse(f"JSON mal formé, {ou} : il est sans doute tronqué.") from erreur
    return lu if isinstance(lu, list) else _liste_dans(lu)


def _liste_dans(lu) -> list:
    """Un enregistrement seul, ou la liste que porte une réponse (v1 et v2 de l'API)."""
    if not isinstance(lu, dict):
        raise FichierRefuse("Ce JSON ne contient aucune annonce du BODACC.")
    for nom in ("results", "records", "annonces"):
        if isinstance(lu.get(nom), list):
            return lu[nom]
    return [lu]


def _aplatir(brut) -> dict:
    """L'enregistrement sous ses enveloppes : {"record": {"fields": …}}, {"fields": …}."""
    for enveloppe in ("record", "fields"):
        if isinstance(brut, dict) and isinstance(brut.get(enveloppe), dict):
            brut = brut[enveloppe]
    return brut if isinstance(brut, dict) else {}


def _depuis_json(enregistrements: Iterable, lot: LotLu) -> Iterator[AnnonceLue]:
    for rang, brut in enumerate(enregistrements, 1):
        lot.lignes += 1
        yield from _annonces(_aplatir(brut), rang, lot)


def _decoder(valeur):
    """`jugement` et `listepersonnes` sont des chaînes JSON ; ce qui ne se décode pas reste tel quel."""
    if not isinstance(valeur, str) or valeur.strip()[:1] not in ("{", "["):
        return valeur
    try:
        return json.loads(valeur)
    except (ValueError, RecursionError):
        return valeur


def _chaine(valeur) -> str:
    return nettoyer(str(valeur))[:TEXTE_MAX] if isinstance(valeur, str | int) else ""


def _annonces(brut: dict, ligne: int, lot: LotLu) -> Iterator[AnnonceLue]:
    """Une annonce par SIREN. Une annonce sans SIREN (non inscrit) ne se rapproche d'aucun client : comptée, dite."""
    identifiant = _chaine(brut.get("id")) or _identifiant(
        _chaine(brut.get("publicationavis")), _chaine(brut.get("parution")), _chaine(brut.get("numeroannonce"))
    )
    if not identifiant:
        lot.rejeter(Rejet(ligne, "id", "annonce sans identifiant.", "Téléchargez de nouveau la réponse de l'API."))
        return
    jugement = _decoder(brut.get("jugement"))
    jugement = jugement if isinstance(jugement, dict) else {}
    personnes = _decoder(brut.get("listepersonnes"))
    sirens = _sirens(brut.get("registre"), personnes)
    if not sirens:
        lot.faits["sans_siren"] = lot.faits.get("sans_siren", 0) + 1
        return
    garde = {cle: _court(valeur) for cle, valeur in brut.items() if valeur not in (None, "")}
    garde |= {"jugement": {k: _court(v) for k, v in jugement.items()}} if jugement else {}
    for siren in sirens:
        yield AnnonceLue(
            ligne, identifiant[:60], siren,
            famille=_chaine(brut.get("familleavis"))[:40],
            nature=_chaine(jugement.get("nature"))[:200],
            nom=(_nom(personnes) or _chaine(brut.get("commercant")))[:200],
            tribunal=_chaine(brut.get("tribunal"))[:200],
            jugement_le=jour_lu(_chaine(jugement.get("date"))),
            parution_le=jour_lu(_chaine(brut.get("dateparution"))),
            texte=garde,
        )  # fmt: skip


def _identifiant(publication: str, parution: str, numero: str) -> str:
    return f"{publication}{parution}{numero}" if parution and numero else ""


def _court(valeur):
    if isinstance(valeur, str):
        return nettoyer(valeur)[:TEXTE_MAX]
    if isinstance(valeur, list):
        return [_court(v) for v in valeur[:50]]
    return valeur if isinstance(valeur, int | float | bool) and abs(valeur) < 10**15 else _chaine(str(valeur))


def _sirens(registre, personnes) -> list[str]:
    """SIREN distincts, dans l'ordre ; `registre` les donne deux fois, avec et sans espaces."""
    valeurs = (
        registre if isinstance(registre, list) else re.split(r"[,;|]", registre) if isinstance(registre, str) else []
    )
    lus = [siren_lu(str(v)) for v in valeurs[:200]]
    for personne in _personnes(personnes):
        inscrit = personne.get("numeroImmatriculation")
        if isinstance(inscrit, dict):
            lus.append(siren_lu(_chaine(inscrit.get("numeroIdentification") or inscrit.get("numeroIdentificationRCS"))))
    return list(dict.fromkeys(s for s in lus if s))


def _personnes(lu) -> list[dict]:
    if isinstance(lu, dict):
        lu = lu.get("personne", lu)
    return [p for p in (lu if isinstance(lu, list) else [lu]) if isinstance(p, dict)][:50]


def _nom(personnes) -> str:
    for p in _personnes(personnes):
        if nom := _chaine(p.get("denomination")) or " ".join(
            filter(None, (_chaine(p.get("prenom")), _chaine(p.get("nom"))))
        ):
            return nom
    return ""


# --- Fichiers PCL de la DILA ------------------------------------------------------------------


def _depuis_pcl(fichier: Fichier, lot: LotLu) -> Iterator[AnnonceLue]:
    parution = publie = ""
    for element in elements(fichier, rendre=frozenset({"annonce", "parution", "dateParution"}), maximum=XML_MAX):
        parent = local(element.getparent()) if element.getparent() is not None else ""
        if local(element) != "annonce":
            if parent == PCL:
                parution, publie = (
                    (texte(element), publie) if local(element) == "parution" else (parution, texte(element))
                )
            continue
        if parent != "annonces":
            continue  # <typeAnnonce><annonce/></typeAnnonce>
        lot.lignes += 1
        yield from _annonces(_brut_pcl(element, parution, publie), element.sourceline or lot.lignes, lot)


def _brut_pcl(element, parution: str, publie: str) -> dict:
    """L'annonce XML sous la forme de l'API."""
    genre = enfant(element, "typeAnnonce")
    types = [local(e) for e in genre if local(e)] if genre is not None else []
    dits = enfant(element, "jugement")
    jugement = {local(e): texte(e, maximum=TEXTE_MAX) for e in (dits if dits is not None else ()) if local(e)}
    morale, physique = enfant(element, "personneMorale"), enfant(element, "personnePhysique")
    nom = (
        texte(element, "denomination") or texte(morale, "denomination") or " ".join(
            filter(None, (texte(physique, "prenom"), texte(physique, "nom") or texte(element, "nom")))
        )
    )  # fmt: skip
    registre = [
        texte(n, "numeroIdentificationRCS") or texte(n, "numeroIdentification")
        for n in enfants(element, "numeroImmatriculation")
    ]
    return {
        "publicationavis": "A",
        "parution": parution,
        "numeroannonce": texte(element, "numeroAnnonce"),
        "dateparution": publie,
        "typeavis": " ".join(types) or "annonce",
        "familleavis": "collective",
        "tribunal": texte(element, "tribunal"),
        "registre": registre,
        "commercant": nom,
        "jugement": jugement or ({"nature": "annulation"} if "annulation" in types else {}),
    }


# --- CSV : export de l'API, procédures de l'URSSAF --------------------------------------------

_API = {"id", "familleavis", "registre", "jugement"}
_URSSAF = {"siren", "dteffet", "libactxstdx"}
ACTIONS = ("liquidation", "redressement", "sauvegarde")


def _cles(ligne: str, separe: str) -> list[str]:
    return [re.sub(r"[^a-z0-9]", "", sans_accent(c)) for c in next(csv.reader([ligne], delimiter=separe), [])]


def _genre_csv(fichier: Fichier) -> str:
    """« api », « urssaf », ou vide."""
    try:
        premiere = next(islice(fichier.texte.lignes(), 1), "")[:20_000]
        cles = set(_cles(premiere, separateur(premiere)))
    except (FichierRefuse, csv.Error):
        return ""
    return "api" if cles >= _API else "urssaf" if cles >= _URSSAF else ""


def _rangees(fichier: Fichier, lot: LotLu) -> Iterator[tuple[int, dict[str, str]]]:
    lot.encodage = fichier.texte.encodage
    lot.separateur = separateur(fichier.texte.debut(20_000).split("\n", 1)[0])
    lecteur = csv.reader(fichier.texte.lignes(), delimiter=lot.separateur)
    try:
        entete = [re.sub(r"[^a-z0-9]", "", sans_accent(c)) for c in next(lecteur, [])]
        for rangee in lecteur:
            if any(c.strip() for c in rangee):
                lot.lignes += 1
                yield lecteur.line_num, dict(zip(entete, (c.strip() for c in rangee), strict=False))
    except csv.Error as erreur:
        raise FichierRefuse(f"Ligne {lecteur.line_num} : tableau illisible ({erreur}).") from erreur


def _depuis_csv(fichier: Fichier, lot: LotLu) -> Iterator[AnnonceLue]:
    for ligne, cellules in _rangees(fichier, lot):
        yield from _annonces(cellules, ligne, lot)


def _depuis_urssaf(fichier: Fichier, lot: LotLu) -> Iterator[AnnonceLue]:
    """« Solde_procedure_redressement » : un stade et une action dans un seul libellé."""
    for ligne, cellules in _rangees(fichier, lot):
        siren, libelle = cellules.get("siren", "").replace(" ", ""), cellules.get("libactxstdx", "")
        le = jour_lu(cellules.get("dteffet", ""))
        if not re.fullmatch(r"[0-9]{9}", siren):
            lot.rejeter(Rejet(ligne, "siren", f"« {siren[:20]} » n'a pas neuf chiffres.", "Gardez les zéros de tête."))
            continue
        if le is None:
            lot.rejeter(
                Rejet(ligne, "dt_effet", f"« {cellules.get('dteffet', '')[:20]} » n'est pas une date.",
                      "Attendu, par exemple : 26MAY2014.")
            )  # fmt: skip
            continue
        mots = sans_accent(libelle)
        action = next((a for a in ACTIONS if a in mots), "")
        stade = mots.replace(action, "").strip("_ ") if action else mots
        if not action:
            lot.rejeter(Rejet(ligne, "lib_actx_stdx", f"« {libelle[:40]} » ne nomme aucune procédure."))
            continue
        cle = f"URSSAF-{siren}-{le:%Y%m%d}-{stade}-{action}"
        if len(cle) > 60:
            cle = f"{cle[:43]}-{hashlib.sha256(cle.encode()).hexdigest()[:16]}"
        yield AnnonceLue(
            ligne, cle, siren, famille="collective", nature=f"{action} : {stade}"[:200], jugement_le=le,
            texte={
                "source": "URSSAF", "action": action, "stade": stade, "siret": cellules.get("siret", ""),
                "jugement": {"famille": stade, "nature": f"{stade} {action}"},
            },
        )  # fmt: skip
