"""Statuts du cycle de vie des factures électroniques : CDAR en XML (XP Z12-012, UN/CEFACT), et CSV des plateformes.

Un fichier porte un statut ou beaucoup. La clé d'un statut tient du code, de l'horodatage, du montant et du numéro : le
même, revenu par un autre message ou une autre plateforme, n'est pas un second statut.
"""

import re
from collections import Counter
from collections.abc import Iterator
from dataclasses import replace
from datetime import date
from decimal import Decimal, InvalidOperation

from factures.donnees import statuts_fe

from .champs import sans_accent
from .cycle_de_vie_csv import cle_source, lire_csv, note_csv
from .cycle_de_vie_xml import elements, enfant, enfants, local, racine, texte
from .fichier import Fichier, Genre
from .lecteurs import ContexteLecture
from .lot import LotLu, Rejet, StatutLu
from .nombres import ANNEES, MONTANT_MAX
from .texte import FichierRefuse, nettoyer

FORMAT = "statuts-fe"
RACINE = "CrossDomainAcknowledgementAndResponse"
XML_MAX = 50 * 1024 * 1024  # octets
# MDT-207 : le montant qui est l'objet du statut, par code ; les autres (remise, escompte…) l'accompagnent.
NATURES = {"212": ("MEN",), "211": ("MPA",), "206": ("MNATTC", "MAPTTC"), "207": ("MNATTC",), "208": ("MNATTC",)}


def reconnait(fichier: Fichier) -> dict[str, int]:
    if fichier.genre is Genre.XML:
        return {FORMAT: 100} if racine(fichier) == RACINE else {}
    if fichier.genre is Genre.TEXTE:
        return {FORMAT: note} if (note := note_csv(fichier)) else {}
    return {}


def lire(fichier: Fichier, contexte: ContexteLecture) -> LotLu:
    """Lève FichierRefuse : ni un CDAR, ni un tableau de statuts, ou un XML qui ne se lit pas."""
    lot = LotLu(FORMAT, "", "", ())
    if fichier.genre is Genre.XML:
        if racine(fichier) != RACINE:
            raise FichierRefuse(
                f"Ce XML n'est pas un message de cycle de vie : racine attendue {RACINE}. "
                "Téléchargez les statuts depuis votre plateforme agréée."
            )
        lot.elements = _compter(lot, _lire_cdar(fichier, lot))
    elif fichier.genre is Genre.TEXTE:
        lot.elements = _compter(lot, lire_csv(fichier, lot))
    else:
        raise FichierRefuse("Un statut de facture électronique se lit en XML (CDAR) ou en CSV.")
    return lot


def _compter(lot: LotLu, statuts: Iterator[StatutLu]) -> Iterator[StatutLu]:
    """Laisse passer, en notant ce que l'aperçu montre ; les faits se remplissent quand le flux s'épuise."""
    codes: Counter[str] = Counter()
    numeros: set[str] = set()
    jours: list[date] = []
    total: dict[str, Decimal] = {}
    seul = None
    for statut in statuts:
        codes[statut.code] += 1
        numeros.add(statut.numero)
        jours = [min([*jours, statut.le]), max([*jours, statut.le])]
        if statut.montant is not None:
            total[statut.devise] = total.get(statut.devise, Decimal(0)) + statut.montant
        seul = statut
        yield statut
    lot.faits |= {"statuts": sum(codes.values()), "factures": len(numeros)}
    if not codes:
        return
    noms = statuts_fe()
    lot.faits |= {
        "codes": " ; ".join(f"{code} {noms.get(code, 'inconnu')} : {n}" for code, n in sorted(codes.items())),
        "du": jours[0],
        "au": jours[1],
    }
    if len(total) == 1:
        lot.faits["montant"] = next(iter(total.values()))
    if sum(codes.values()) == 1:
        lot.faits |= {"facture": seul.numero, "statut": seul.code, "libelle": noms.get(seul.code, "")}
        if seul.motif_code or seul.motif:
            lot.faits |= {"motif_code": seul.motif_code, "motif": seul.motif.partition(" – ")[0]}
    if inconnus := sorted(code for code in codes if code not in noms):
        lot.avertissements.append(f"Codes hors de la table, notés comme information : {', '.join(inconnus)}.")


# --- Quelle facture ---------------------------------------------------------------------------


def numeros_possibles(statut: StatutLu) -> list[str]:
    """Le numéro dit, et ceux sous lesquels une facture de même numéro d'une autre année se note."""
    annees = {statut.emise_le.year} if statut.emise_le else {statut.le.year, statut.le.year - 1}
    return [statut.numero, *(f"{statut.numero[:52]} ({annee})" for annee in sorted(annees))]


def facture_visee(statut: StatutLu, factures: dict):
    """Celle dont le document porte ce numéro, émise le jour dit, à défaut la même année ; sans jour dit, la dernière
    émise avant le statut. factures : {numéro noté: facture}. None : inconnue."""
    lues = [f for numero in numeros_possibles(statut) if (f := factures.get(numero)) is not None]
    memes = [f for f in lues if f.numero == statut.numero or f.numero_du_document == statut.numero]
    if len(memes) < 2:
        return memes[0] if memes else None
    if statut.emise_le:
        return min(memes, key=lambda f: abs((f.date_emission - statut.emise_le).days))
    avant = [f for f in memes if f.date_emission <= statut.le]
    return max(avant or memes, key=lambda f: f.date_emission)


# --- CDAR ------------------------------------------------------------------------------------


def _lire_cdar(fichier: Fichier, lot: LotLu) -> Iterator[StatutLu]:
    entete = {"acheteur": "", "acheteur_nom": "", "vendeur": "", "quand": ""}
    for element in elements(
        fichier, rendre=frozenset({"ExchangedDocument", "ReferenceReferencedDocument"}), maximum=XML_MAX
    ):
        if local(element) == "ExchangedDocument":
            entete = _entete(element)
            continue
        lot.lignes += 1
        ligne = element.sourceline or lot.lignes
        quand = texte(enfant(element.getparent(), "IssueDateTime"), "DateTimeString") or entete["quand"]
        try:
            yield _statut(element, entete, quand, ligne)
        except _Illisible as faute:
            lot.rejeter(Rejet(ligne, faute.champ, faute.constat, faute.conseil))
    if not lot.lignes:
        lot.avertissements.append("Ce message ne vise aucune facture : rien à noter.")


class _Illisible(Exception):
    def __init__(self, champ: str, constat: str, conseil: str = ""):
        self.champ, self.constat, self.conseil = champ, constat, conseil


def _entete(element) -> dict[str, str]:
    """Parties du message d'après leur rôle (UNTDID 3035 : SE vendeur, BY acheteur)."""
    lu = {"acheteur": "", "acheteur_nom": "", "vendeur": "", "quand": texte(element, "IssueDateTime", "DateTimeString")}
    for partie in element:
        if not local(partie).endswith("TradeParty"):
            continue
        role = texte(partie, "RoleCode")
        if role == "BY":
            lu["acheteur"] = lu["acheteur"] or _siren(partie)
            lu["acheteur_nom"] = lu["acheteur_nom"] or texte(partie, "Name", maximum=160)
        elif role == "SE":
            lu["vendeur"] = lu["vendeur"] or _siren(partie)
    return lu


def _siren(partie) -> str:
    """SIREN d'une partie : identifiant 0002, à défaut le début d'un SIRET (0009) ou d'un n° de TVA français (0223)."""
    trouves = {}
    for identifiant in (*enfants(partie, "GlobalID"), *enfants(partie, "ID")):
        chiffres = re.sub(r"\D", "", texte(identifiant, maximum=40))
        schema = identifiant.get("schemeID", "")
        if schema in ("0002", "") and len(chiffres) == 9:
            trouves["0002"] = chiffres
        elif schema == "0009" and len(chiffres) == 14:
            trouves["0009"] = chiffres[:9]
        elif schema == "0223" and len(chiffres) == 11:
            trouves["0223"] = chiffres[2:]
    return next((trouves[s] for s in ("0002", "0009", "0223") if s in trouves), "")


def _statut(element, entete: dict[str, str], quand: str, ligne: int) -> StatutLu:
    numero = nettoyer(texte(element, "IssuerAssignedID", maximum=61))
    if not numero or len(numero) > 60:
        raise _Illisible("IssuerAssignedID", "numéro de facture absent ou trop long.", "Redemandez le message.")
    code = texte(element, "ProcessConditionCode", maximum=20)
    if not re.fullmatch(r"[0-9]{3}", code):
        code = _code_du_libelle(texte(element, "ProcessCondition", maximum=80)) or code
    if not re.fullmatch(r"[0-9]{3}", code):
        raise _Illisible("ProcessConditionCode", f"« {code} » n'est pas un code de statut.", "Attendu : 200 à 501.")
    le, horodatage = _moment(quand)
    emise = texte(enfant(element, "FormattedIssueDateTime"), "DateTimeString")
    statut = StatutLu(
        ligne, "", numero, code, le,
        vendeur=_siren(p) if (p := enfant(element, "IssuerTradeParty")) is not None else entete["vendeur"],
        acheteur=entete["acheteur"],
        emise_le=_moment(emise)[0] if emise else None,
        acheteur_nom=entete["acheteur_nom"],
    )  # fmt: skip
    statut = _detailler(element, statut)
    return replace(statut, cle_source=cle_source(statut, horodatage))


def _code_du_libelle(libelle: str) -> str:
    voulu = re.sub(r"[^a-z]", "", sans_accent(libelle))
    return next((c for c, nom in statuts_fe().items() if re.sub(r"[^a-z]", "", sans_accent(nom)) == voulu), "")


def _detailler(element, statut: StatutLu) -> StatutLu:
    """Motifs et montants, réunis des `SpecifiedDocumentStatus`."""
    motifs: list[str] = []
    codes: list[str] = []
    montants: dict[str, Decimal] = {}
    taux: set[Decimal] = set()
    devise = ""
    for detail in enfants(element, "SpecifiedDocumentStatus"):
        if motif_code := texte(detail, "ReasonCode", maximum=30):
            codes.append(motif_code)
        notes = [texte(note, "Content", maximum=250) for note in enfants(detail, "IncludedNote")]
        phrase = texte(detail, "Reason", maximum=250)
        motifs += [m for m in (phrase, *notes) if m and m not in motifs]
        for fait in enfants(detail, "SpecifiedDocumentCharacteristic"):
            valeur = enfant(fait, "ValueAmount")
            nature = texte(fait, "TypeCode", maximum=10)
            if valeur is None or not nature:
                continue
            lue = valeur.get("currencyID", "EUR") or "EUR"
            if devise and lue != devise:
                raise _Illisible("ValueAmount", f"deux devises dans un même statut : {devise} et {lue}.")
            devise = lue
            montants[nature] = montants.get(nature, Decimal(0)) + _decimal(texte(valeur, maximum=40), "ValueAmount")
            if pourcent := texte(fait, "ValuePercent", maximum=12):
                taux.add(_decimal(pourcent, "ValuePercent"))
    nature = next((n for n in NATURES.get(statut.code, ()) if n in montants), "")
    if devise and not re.fullmatch(r"[A-Z]{3}", devise):
        raise _Illisible("currencyID", f"« {devise[:10]} » n'est pas une devise.")
    return replace(
        statut,
        motif_code=codes[0] if codes else "",
        motif=" – ".join(motifs)[:250],
        montant=montants.get(nature),
        nature_montant=nature,
        devise=devise or "EUR",
        taux=taux.pop() if len(taux) == 1 else None,
    )


def _decimal(lu: str, champ: str) -> Decimal:
    """Décimal XML : point, signe, au plus deux décimales utiles. Lève _Illisible."""
    try:
        valeur = Decimal(lu) if re.fullmatch(r"[+-]?[0-9]{1,15}(\.[0-9]{0,8})?", lu) else None
        exact = valeur is not None and valeur == valeur.quantize(Decimal("0.01"))
    except InvalidOperation:
        exact = False
    if not exact or abs(valeur) > MONTANT_MAX:
        raise _Illisible(champ, f"« {lu[:30]} » n'est pas un montant au centime.", "Redemandez le message.")
    return valeur.quantize(Decimal("0.01"))


def _moment(lu: str) -> tuple[date, str]:
    """(jour, horodatage à chiffres) d'un DateTimeString : formats 102, 203, 204, 205, ou ISO. Lève _Illisible."""
    chiffres = re.sub(r"\D", "", lu.replace("Z", "").partition("+")[0])[:14]
    try:
        jour = date(int(chiffres[:4]), int(chiffres[4:6]), int(chiffres[6:8]))
    except ValueError:
        raise _Illisible("IssueDateTime", f"« {lu[:30]} » n'est pas une date du calendrier.") from None
    if not ANNEES[0] <= jour.year <= ANNEES[1]:
        raise _Illisible("IssueDateTime", f"année {jour.year} invraisemblable.")
    return jour, chiffres
