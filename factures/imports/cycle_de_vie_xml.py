"""XML lu en flux, sans DTD, ni entité, ni réseau : un élément à la fois, rendu puis oublié. Mémoire bornée."""

from collections.abc import Iterator

from lxml import etree

from .fichier import Fichier
from .texte import FichierRefuse

PROFONDEUR_MAX = 60
ENFANTS_MAX = 20_000  # dans un seul élément rendu
DTD = (b"<!DOCTYPE", b"<!ENTITY")


def racine(fichier: Fichier) -> str:
    """Nom local de l'élément racine d'après les premiers octets, vide s'il ne se lit pas."""
    lecteur = etree.XMLPullParser(
        events=("start",), resolve_entities=False, no_network=True, load_dtd=False, huge_tree=False
    )
    try:
        lecteur.feed(fichier.tete)
        for _evenement, element in lecteur.read_events():
            return local(element)
    except etree.XMLSyntaxError:
        pass
    return ""


def local(element) -> str:
    """Nom sans espace de noms ; vide pour un commentaire ou une instruction."""
    nom = element.tag
    return nom.rpartition("}")[2] if isinstance(nom, str) else ""


def elements(fichier: Fichier, *, rendre: frozenset[str], maximum: int) -> Iterator:
    """Chaque élément dont le nom local est dans `rendre`, complet ; ce qui le précède est déjà libéré.

    Lève FichierRefuse : trop gros (`maximum` octets), DTD, XML mal formé (ligne dite), imbrication démesurée.
    """
    if fichier.taille > maximum:
        raise FichierRefuse(f"Le fichier dépasse {maximum // 1024 // 1024} Mo, trop pour ce format : découpez-le.")
    if any(marque in fichier.tete for marque in DTD):
        raise FichierRefuse("Ce XML déclare une DTD ou des entités : il est refusé. Exportez-le sans « DOCTYPE ».")
    profondeur = nombre = 0
    with fichier.ouvrir() as flux:
        lecture = etree.iterparse(
            flux, events=("start", "end"), resolve_entities=False, no_network=True, load_dtd=False, huge_tree=False
        )
        try:
            for evenement, element in lecture:
                if evenement == "start":
                    profondeur += 1
                    nombre += 1
                    if profondeur == 1 and element.getroottree().docinfo.doctype:
                        raise FichierRefuse(
                            "Ce XML déclare une DTD ou des entités : il est refusé. Exportez-le sans « DOCTYPE »."
                        )
                    if profondeur > PROFONDEUR_MAX or nombre > ENFANTS_MAX:
                        raise FichierRefuse(
                            f"Ligne {element.sourceline or '?'} : imbrication démesurée : ce n'est pas un export connu."
                        )
                    continue
                profondeur -= 1
                if local(element) in rendre:
                    nombre = 0
                    yield element
                    element.clear()
                    _oublier_avant(element, rendre)
        except etree.XMLSyntaxError as erreur:
            raise FichierRefuse(
                f"XML mal formé, ligne {erreur.lineno or '?'} : {str(erreur.msg)[:160]}. Refaites l'export."
            ) from erreur


def _oublier_avant(element, rendus: frozenset[str]) -> None:
    """Retire les frères déjà rendus : rien ne s'accumule sous le parent."""
    while (avant := element.getprevious()) is not None and local(avant) in {*rendus, ""}:
        element.getparent().remove(avant)


def enfant(element, *chemin: str):
    """Premier descendant suivant ces noms locaux, ou None."""
    for nom in chemin:
        if element is None:
            return None
        element = next((e for e in element if local(e) == nom), None)
    return element


def enfants(element, nom: str) -> list:
    return [] if element is None else [e for e in element if local(e) == nom]


def texte(element, *chemin: str, maximum: int = 1_000) -> str:
    """Texte nettoyé de cet élément, vide s'il manque."""
    trouve = enfant(element, *chemin) if chemin else element
    if trouve is None:
        return ""
    return " ".join("".join(trouve.itertext(tag=etree.Element)).split())[:maximum]
