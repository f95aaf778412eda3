"""Modèles de textes d'une société : brouillon, contrôle, publication, copie, échange."""

import json
from collections.abc import Mapping
from dataclasses import replace
from datetime import date
from hashlib import sha256

from django.db import transaction
from django.utils import timezone
from django.utils.text import slugify
from django.utils.translation import gettext as _

from clients.models import TypeDebiteur
from factures.domaine.calendrier import date_limite
from factures.services import bareme as bareme_en_base
from recouvrement.comptes.models import Societe
from recouvrement.journal.services import consigner
from relances.domaine.natures import Nature
from relances.models import Modele, NatureChoix, Palier, VersionEchelle, VersionModele
from relances.rendu import contexte as c
from relances.rendu import controles_modele, exemple, gabarits
from relances.rendu.constats import Manque
from relances.rendu.controles_modele import refus, retouches
from relances.rendu.livres import Genre

from .preparation import emetteur
from .textes_en_vigueur import STANDARD

FORMAT, VERSION_FORMAT = "recouvrement.modele", 1
V = VersionModele.Statut


class ModeleRefuse(ValueError):
    """Le geste est refusé ; le message dit pourquoi."""


class TexteRefuse(ModeleRefuse):
    """`fautes` : {paragraphe: phrases}, chacune avec le caractère fautif."""

    def __init__(self, fautes: Mapping[str, list[str]]):
        self.fautes = dict(fautes)
        nom, phrases = next(iter(fautes.items()))
        super().__init__(f"{controles_modele.libelle(nom)}\u00a0: {phrases[0]}")


def genre_de(modele: Modele) -> Genre:
    return Genre(Nature(modele.nature), c.TypeDebiteur(modele.type_debiteur), modele.support, modele.langue)


def textes_complets(version: VersionModele) -> dict[str, str]:
    """Tous les paragraphes du modèle, livrés ou retouchés, dans l'ordre du courrier."""
    return genre_de(version.modele).paragraphes() | version.textes


def empreinte(textes: Mapping[str, str]) -> str:
    """Ce que la personne avait sous les yeux en ouvrant l'éditeur."""
    return sha256(json.dumps(textes, sort_keys=True).encode()).hexdigest()[:16]


# --- Écrire -------------------------------------------------------------------------------------------


def _verrouiller_modele(pk: int) -> Modele:
    """Le modèle sous verrou, toujours avant ses versions. Lève ModeleRefuse s'il a disparu entre-temps."""
    verrou = Modele.objects.select_for_update(no_key=True, of=("self",)).select_related("societe")
    modele = verrou.filter(pk=pk).first()
    if modele is None:
        raise ModeleRefuse(_("Ce modèle n'existe plus : son seul brouillon a été abandonné."))
    return modele


def _verrouiller(version: VersionModele) -> VersionModele:
    """Le modèle, puis le brouillon sous verrou. Lève ModeleRefuse s'il est publié ou abandonné entre-temps."""
    _verrouiller_modele(version.modele_id)
    brouillon = VersionModele.objects.select_for_update(no_key=True, of=("self",)).select_related("modele__societe")
    brouillon = brouillon.filter(pk=version.pk).first()
    if brouillon is None:
        raise ModeleRefuse(_("Ce brouillon n'existe plus : il a été abandonné."))
    if brouillon.statut != V.BROUILLON:
        raise ModeleRefuse(_("Cette version est publiée : elle ne se modifie plus. Ouvrez un brouillon."))
    return brouillon


def _consigner(action: str, version: VersionModele, par, texte: str, **donnees) -> None:
    modele = version.modele
    nom = f"{modele.nom} ({modele.get_support_display()}, {modele.langue}, {modele.code})"
    consigner(
        f"modele.{action}", societe=modele.societe, acteur=par, objet=version, texte=f"{nom} : {texte}", donnees=donnees
    )


def nom_livre(genre: Genre) -> str:
    """« Rappel courtois, entreprise »."""
    nature, debiteur = NatureChoix(genre.nature.value).label, TypeDebiteur(genre.type_debiteur.value).label
    return f"{nature}, {str(debiteur).lower()}"


def personnaliser(societe: Societe, genre: Genre, *, par) -> VersionModele:
    """Ouvre un brouillon du modèle standard de ce genre. La version 1 est le texte livré, écrite seulement alors."""
    _exiger_livre(genre)
    with transaction.atomic():
        Societe.objects.select_for_update(no_key=True).get(pk=societe.pk)
        modele, _neuf = _obtenir(societe, genre, STANDARD, nom_livre(genre))
        if not modele.versions.exists():
            VersionModele.objects.create(
                modele=modele, numero=1, statut=V.PUBLIEE, publiee_le=timezone.now(), note=_("Texte livré")
            )
        return ouvrir_brouillon(modele, par=par)


def _exiger_livre(genre: Genre) -> None:
    if not genre.paragraphes():
        raise ModeleRefuse(_("Aucun texte n'est livré pour ce palier, ce débiteur, ce support et cette langue."))


def _champs(genre: Genre) -> dict:
    return genre._asdict() | {"nature": genre.nature.value, "type_debiteur": genre.type_debiteur.value}


def _obtenir(societe: Societe, genre: Genre, code: str, nom: str) -> tuple[Modele, bool]:
    """Le modèle de ce code, et s'il est neuf."""
    return Modele.objects.get_or_create(societe=societe, code=code, **_champs(genre), defaults={"nom": nom})


def ouvrir_brouillon(modele: Modele, *, par, depuis: VersionModele | None = None) -> VersionModele:
    """Copie la version publiée, ou `depuis` pour revenir en arrière, en brouillon ; rend celui déjà ouvert.

    Lève ModeleRefuse si l'on veut revenir à une version alors qu'un brouillon attend.
    """
    with transaction.atomic():
        modele = _verrouiller_modele(modele.pk)
        ouvert = modele.versions.filter(statut=V.BROUILLON).first()
        if ouvert and depuis:
            raise ModeleRefuse(_("Un brouillon est déjà ouvert : publiez-le ou abandonnez-le d'abord."))
        if ouvert:
            return ouvert
        source = depuis or modele.versions.filter(statut=V.PUBLIEE).first()
        note = _("Reprise de la version %(n)s") % {"n": depuis.numero} if depuis else ""
        return _brouillon(modele, source.textes if source else {}, par=par, note=note)


def _brouillon(modele: Modele, textes: Mapping[str, str], *, par, note: str = "") -> VersionModele:
    dernier = modele.versions.order_by("-numero").values_list("numero", flat=True).first() or 0
    version = VersionModele.objects.create(
        modele=modele, numero=dernier + 1, textes=dict(textes), note=note, auteur=par
    )
    _consigner("brouillon", version, par, f"brouillon n° {version.numero} ouvert")
    return version


def enregistrer(version: VersionModele, *, textes: Mapping[str, str], par, note: str = "", attendu: str = "") -> None:
    """Écrit les paragraphes retouchés d'un brouillon ; un paragraphe vide ou laissé tel quel suit le texte livré.

    attendu : `empreinte` de ce que la personne modifiait ; un autre l'a changé entre-temps : refus. Lève TexteRefuse si
    le langage ne l'admet pas, ModeleRefuse si ce n'est plus un brouillon.
    """
    with transaction.atomic():
        brouillon = _verrouiller(version)
        genre = genre_de(brouillon.modele)
        if attendu and attendu != empreinte(brouillon.textes):
            raise ModeleRefuse(_("Une autre personne a modifié ce brouillon entre-temps : rechargez, puis reprenez."))
        nouveaux = _recevoir(genre, textes)
        if (nouveaux, note) == (brouillon.textes, brouillon.note):
            return
        brouillon.textes, brouillon.note, brouillon.auteur = nouveaux, note[:250], par
        brouillon.save(update_fields=["textes", "note", "auteur"])
        _consigner("enregistre", brouillon, par, f"brouillon n° {brouillon.numero} enregistré", textes=nouveaux)


def _recevoir(genre: Genre, textes: Mapping[str, str]) -> dict[str, str]:
    propres = {nom: controles_modele.propre(nom, texte) for nom, texte in textes.items()}
    if fautes := refus(genre, propres):
        raise TexteRefuse(fautes)
    return retouches(genre, propres)


def lettre_d_exemple(modele: Modele, *, au: date, nombre: int = 2) -> c.Lettre:
    """Un client fictif de ce genre, chez cette société."""
    societe = modele.societe
    return exemple.lettre(
        genre_de(modele),
        emetteur(societe),
        au=au,
        limite=date_limite(au, 8, societe.region_feries),
        bareme=bareme_en_base(),
        nombre=nombre,
        signataire=c.Signataire(nom=societe.signataire_nom, fonction=societe.signataire_fonction),
    )


def controler(modele: Modele, textes: Mapping[str, str], *, au: date) -> list[Manque]:
    """Ce que le texte a perdu ou ne doit pas dire, pour une et pour plusieurs factures (exigences 23 à 25)."""
    trouves = []
    for nombre in (1, 3):
        lettre = replace(lettre_d_exemple(modele, au=au, nombre=nombre), modeles={modele.support: textes})
        trouves += controles_modele.manques(lettre, modele.support)
    return list(dict.fromkeys(trouves))


def publier(version: VersionModele, *, par, au: date, lu: str | None = None) -> None:
    """Le brouillon devient le texte qui part ; celui d'avant reste dans l'historique.

    lu : `empreinte` des textes que la personne avait sous les yeux ; on ne publie pas ce qu'on n'a pas lu. Lève
    ModeleRefuse, manques nommés, si le contrôle n'est pas passé ou si rien n'a changé.
    """
    with transaction.atomic():
        brouillon = _verrouiller(version)
        modele = brouillon.modele
        if lu is not None and lu != empreinte(brouillon.textes):
            raise ModeleRefuse(_("Le brouillon a changé depuis que vous l'avez ouvert : relisez-le, puis publiez."))
        _recevoir(genre_de(modele), brouillon.textes)  # le texte livré ou la liste ont pu changer depuis
        if manques := controler(modele, brouillon.textes, au=au):
            raise ModeleRefuse(" ; ".join(m.phrase for m in manques))
        publiee = modele.versions.filter(statut=V.PUBLIEE).first()
        if publiee and publiee.textes == brouillon.textes and modele.retire_le is None:
            raise ModeleRefuse(_("Rien n'a changé depuis la version publiée."))
        modele.versions.filter(statut=V.PUBLIEE).update(statut=V.RETIREE)
        brouillon.statut, brouillon.publiee_le, brouillon.publiee_par = V.PUBLIEE, timezone.now(), par
        brouillon.save(update_fields=["statut", "publiee_le", "publiee_par"])
        Modele.objects.filter(pk=modele.pk).update(retire_le=None)
        _consigner("publie", brouillon, par, f"version {brouillon.numero} publiée", textes=brouillon.textes)


def abandonner(version: VersionModele, *, par) -> None:
    """Efface un brouillon ; un modèle qui n'a rien d'autre disparaît avec lui."""
    with transaction.atomic():
        brouillon = _verrouiller(version)
        _consigner("abandonne", brouillon, par, f"brouillon n° {brouillon.numero} abandonné")
        brouillon.delete()
        if not brouillon.modele.versions.exists():
            brouillon.modele.delete()


def copier(societe: Societe, genre: Genre, textes: Mapping[str, str], *, code: str, nom: str, par) -> VersionModele:
    """Un modèle de plus, en brouillon. Dans une autre langue, seuls les paragraphes recevables passent.

    Lève ModeleRefuse si le code est pris, ou si rien n'est livré pour ce genre.
    """
    _exiger_livre(genre)
    code = slugify(code)[:40]
    if not code:
        raise ModeleRefuse(_("Un code est nécessaire : lettres, chiffres et tirets."))
    recevables = {nom_: t for nom_, t in textes.items() if not refus(genre, {nom_: t})}
    with transaction.atomic():
        modele, neuf = _obtenir(societe, genre, code, nom[:80] or nom_livre(genre))
        if not neuf:
            raise ModeleRefuse(_("Le code « %(code)s » existe déjà pour ce palier et ce support.") % {"code": code})
        return _brouillon(modele, retouches(genre, recevables), par=par)


def paliers_qui_emploient(modele: Modele):
    """Paliers de plans publiés qui nomment ce modèle."""
    return Palier.objects.filter(
        version__statut=VersionEchelle.Statut.PUBLIEE,
        version__echelle__societe=modele.societe_id,
        nature=modele.nature,
        modele=modele.code,
    )


def retirer(modele: Modele, *, par) -> None:
    """Ne part plus : le modèle standard, ou le texte livré, le remplace. Lève ModeleRefuse s'il sert encore."""
    with transaction.atomic():
        modele = _verrouiller_modele(modele.pk)
        if modele.retire_le:
            raise ModeleRefuse(_("Ce modèle est déjà retiré."))
        if emploi := paliers_qui_emploient(modele).select_related("version__echelle").first():
            raise ModeleRefuse(
                _("Le plan publié « %(plan)s » l'emploie : changez-y le modèle d'abord.")
                % {"plan": emploi.version.echelle.nom}
            )
        version = modele.versions.first()
        if version is None:
            raise ModeleRefuse(_("Ce modèle n'a aucune version à retirer."))
        Modele.objects.filter(pk=modele.pk).update(retire_le=timezone.now())
        _consigner("retire", version, par, "retiré")


# --- Échanger -----------------------------------------------------------------------------------------


def exporter(version: VersionModele) -> dict:
    """Le modèle entier, paragraphes livrés compris : se relit sans nous."""
    modele = version.modele
    return {
        "format": FORMAT,
        "version": VERSION_FORMAT,
        "code": modele.code,
        "nom": modele.nom,
        "nature": gabarits.NOMS[Nature(modele.nature)],
        "type_debiteur": modele.type_debiteur,
        "support": modele.support,
        "langue": modele.langue,
        "note": version.note,
        "paragraphes": textes_complets(version),
    }


def importer(societe: Societe, donnees, *, par) -> VersionModele:
    """Un brouillon d'après un export, validé comme une saisie. Lève ModeleRefuse ou TexteRefuse."""
    genre, textes = _lire(donnees)
    code, nom = slugify(donnees["code"])[:40] or STANDARD, donnees["nom"][:80] or nom_livre(genre)
    propres = _recevoir(genre, textes)
    with transaction.atomic():
        modele, _neuf = _obtenir(societe, genre, code, nom)
        modele = _verrouiller_modele(modele.pk)
        if modele.versions.filter(statut=V.BROUILLON).exists():
            raise ModeleRefuse(_("Un brouillon est déjà ouvert pour ce modèle : publiez-le ou abandonnez-le d'abord."))
        return _brouillon(modele, propres, par=par, note=donnees["note"][:250])


def _lire(donnees) -> tuple[Genre, dict[str, str]]:
    if not isinstance(donnees, dict) or donnees.get("format") != FORMAT:
        raise ModeleRefuse(_("Ce fichier n'est pas un modèle exporté d'ici."))
    if donnees.get("version") != VERSION_FORMAT:
        raise ModeleRefuse(_("Version de fichier inconnue : %(v)s.") % {"v": str(donnees.get("version"))[:20]})
    attendus = {"format", "version", "code", "nom", "nature", "type_debiteur", "support", "langue", "note",
                "paragraphes"}  # fmt: skip
    if ecarts := sorted(str(cle)[:40] for cle in donnees.keys() ^ attendus):
        raise ModeleRefuse(_("Champs en trop ou absents : %(noms)s.") % {"noms": ", ".join(ecarts[:10])})
    paragraphes = donnees["paragraphes"]
    valeurs = [donnees[cle] for cle in attendus - {"version", "paragraphes"}]
    if not isinstance(paragraphes, dict) or not all(isinstance(v, str) for v in [*valeurs, *paragraphes.values()]):
        raise ModeleRefuse(_("Chaque champ est du texte, et « paragraphes » une liste de textes nommés."))
    natures = {nom: nature for nature, nom in gabarits.NOMS.items()}
    types = {t.value: t for t in c.TypeDebiteur}
    if donnees["nature"] not in natures or donnees["type_debiteur"] not in types:
        raise ModeleRefuse(_("Palier ou type de débiteur inconnu."))
    if donnees["support"] not in Modele.Support.values or donnees["langue"] not in ("fr", "en"):
        raise ModeleRefuse(_("Support ou langue inconnus."))
    genre = Genre(natures[donnees["nature"]], types[donnees["type_debiteur"]], donnees["support"], donnees["langue"])
    _exiger_livre(genre)
    return genre, paragraphes
