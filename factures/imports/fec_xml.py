"""Le FEC sous sa forme XML (A47 A-1 du LPF, VII et VIII), lu écriture par écriture.

Structure des schémas publiés avec l'arrêté : comptabilite > exercice (DateCloture) > journal (JournalCode,
JournalLib) > ecriture > ligne. Pièce, libellé et lettrage sont ceux de l'écriture ; compte et montant, ceux de la
ligne. Rendu en lignes du format à plat : un seul lecteur les interprète.
"""

import hashlib
from collections.abc import Iterator

from lxml import etree

from .fec_lecture import COLONNES, EnteteFec
from .fichier import Fichier
from .texte import FichierRefuse

COLONNES_XML = (*COLONNES, "montant", "sens", "daterglt", "moderglt", "natop", "idclient")
_ALIAS = {"compteauxnum": "compauxnum", "compteauxlib": "compauxlib"}
PROFONDEUR_MAX = 12
VALEUR_MAX = 2_000  # caractères


def est_un_fec_xml(tete: bytes) -> bool:
    return b"<comptabilite" in tete.replace(b"\x00", b"")


class FecXml:
    """Même usage qu'un `Texte` : nom, encodage, puis (en-tête, lignes)."""

    def __init__(self, fichier: Fichier):
        self.fichier = fichier
        self.nom = fichier.nom
        self.encodage = "xml"
        self.cloture = ""

    def enregistrements(self) -> tuple[EnteteFec, Iterator[tuple[int, list[str]]]]:
        """Lève FichierRefuse à la lecture : XML mal formé, DTD, structure étrangère, fichier qui change."""
        lignes = self._lignes()
        en_sens, premiere = next(lignes, (False, None))
        noms = [nom for nom in COLONNES_XML if nom not in (("debit", "credit") if en_sens else ("montant", "sens"))]
        places = {nom: COLONNES_XML.index(nom) for nom in noms}
        entete = EnteteFec("xml", places, len(COLONNES_XML), len(COLONNES_XML), False)

        def suite() -> Iterator[tuple[int, list[str]]]:
            if premiere is not None:
                yield premiere
            for sens, ligne in lignes:
                if sens != en_sens:
                    raise FichierRefuse(
                        f"Ligne {ligne[0]} : le FEC mêle Debit/Credit et Montant/Sens. Refaites l'export."
                    )
                yield ligne

        return entete, suite()

    def _lignes(self) -> Iterator[tuple[bool, tuple[int, list[str]]]]:
        flux = _Mesure(self.fichier)
        journal = {"journalcode": "", "journallib": ""}
        profondeur = 0
        try:
            for evenement, element in etree.iterparse(
                flux, events=("start", "end"), resolve_entities=False, no_network=True, load_dtd=False,
                huge_tree=False, remove_comments=True, remove_pis=True,
            ):  # fmt: skip
                nom = _nom(element)
                if evenement == "start":
                    profondeur += 1
                    if profondeur == 1:
                        _verifier_racine(element, nom)
                    elif profondeur > PROFONDEUR_MAX:
                        raise FichierRefuse(f"Ligne {element.sourceline} : imbrication étrangère à un FEC.")
                    elif nom == "journal":
                        journal = {"journalcode": "", "journallib": ""}
                    continue
                profondeur -= 1
                if nom in journal and _nom(element.getparent()) == "journal":
                    journal[nom] = _valeur(element)
                elif nom == "datecloture":
                    self.cloture = _valeur(element)
                elif nom == "ecriture":
                    yield from _ecriture(element, journal)
                    element.clear()
                    while element.getprevious() is not None:
                        del element.getparent()[0]
        except etree.XMLSyntaxError as erreur:
            ligne = erreur.lineno or 1
            raise FichierRefuse(
                f"Ligne {ligne} : le XML du FEC est mal formé ou tronqué ({str(erreur.msg)[:120]}). Refaites l'export."
            ) from erreur
        flux.verifier()


class _Mesure:
    """Lit le fichier et reprouve son empreinte à la fin."""

    def __init__(self, fichier: Fichier):
        self.fichier, self.flux, self.empreinte, self.lus = fichier, fichier.ouvrir(), hashlib.sha256(), 0

    def read(self, taille: int = -1) -> bytes:
        bloc = self.flux.read(taille)
        self.empreinte.update(bloc)
        self.lus += len(bloc)
        if self.fichier.suivi:
            self.fichier.suivi(self.lus)
        return bloc

    def verifier(self) -> None:
        while self.read(65_536):
            pass
        self.flux.close()
        if self.empreinte.hexdigest() != self.fichier.empreinte:
            raise FichierRefuse(
                "Le fichier change pendant sa lecture : attendez la fin de son écriture, puis relancez."
            )


def _nom(element) -> str:
    if element is None or not isinstance(element.tag, str):
        return ""
    return element.tag.rpartition("}")[2].casefold()  # QName refuserait un espace de noms abîmé


def _verifier_racine(element, nom: str) -> None:
    if element.getroottree().docinfo.doctype:
        raise FichierRefuse("Le FEC porte une DTD : refusé. Refaites l'export sans elle.")
    if nom != "comptabilite":
        raise FichierRefuse(f"Racine <{nom}> : le FEC en XML commence par <comptabilite>.")


def _valeur(element) -> str:
    texte = (element.text or "").strip()
    if len(texte) > VALEUR_MAX:
        raise FichierRefuse(f"Ligne {element.sourceline} : une valeur de plus de {VALEUR_MAX} caractères.")
    return " ".join(texte.split())


def _ecriture(element, journal: dict) -> Iterator[tuple[bool, tuple[int, list[str]]]]:
    commun, lignes = dict(journal), []
    for enfant in element:
        nom = _nom(enfant)
        if nom == "ligne":
            lignes.append(enfant)
        else:
            commun[_ALIAS.get(nom, nom)] = _valeur(enfant)
    for ligne in lignes:
        valeurs = commun | {_ALIAS.get(_nom(x), _nom(x)): _valeur(x) for x in ligne}
        yield "montant" in valeurs, (ligne.sourceline or 0, [valeurs.get(nom, "") for nom in COLONNES_XML])
