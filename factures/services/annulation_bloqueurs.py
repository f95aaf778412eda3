"""Ce qui s'est bâti sur un import et empêche de le défaire, dit par son nom, avec le nombre et où le voir."""

from collections.abc import Iterator
from itertools import groupby

from django.apps import apps
from django.db.models import Exists, Model, OuterRef, Q, QuerySet
from django.urls import reverse
from django.utils.translation import gettext as _
from django.utils.translation import ngettext

from clients.models import Client
from factures.imports.traces import depuis_trace
from factures.models import (
    Avoir,
    Echeance,
    Encaissement,
    Facture,
    Lot,
    MouvementBancaire,
    StatutRecu,
    TraceDeLot,
)
from factures.signaux import lot_a_defaire
from recouvrement.commun import formats

from .annulation_objets import Objets

PAQUET = 1_000
MONTRES = 5
TEMOINS = {"version", "updated_at"}  # suivent l'objet ; ne disent pas qu'un champ que l'import a changé l'a été depuis
# Ce qui se recalcule ou n'a de sens qu'avec l'objet : effacé avec lui.
EFFACES = {("factures.suggestionrapprochement", "mouvement"), ("factures.suggestionrapprochement", "client"),
           ("clients.ibanclient", "client")}  # fmt: skip
VIDES = {("factures.mouvementbancaire", "client_presume")}  # ce lien-là se vide


class Bloqueur(str):
    """Une phrase, et l'adresse où voir ce qu'elle dit (vide : aucune)."""

    url: str

    def __new__(cls, texte: str, url: str = ""):
        phrase = super().__new__(cls, texte)
        phrase.url = url
        return phrase


def bloqueurs(lot: Lot) -> list[Bloqueur]:
    """Tout ce qui empêche de défaire cet import ; vide : il se défait. N'écrit rien."""
    if lot.statut != Lot.Statut.APPLIQUE:
        return [Bloqueur(_("Cet import n’est pas appliqué : il n’y a rien à défaire."))]
    objets = Objets.de(lot)
    return [
        *_imports_suivants(lot), *_attaches(objets), *_retouches(objets), *_valeurs_changees(lot)
    ]  # fmt: skip


# --- Imports suivants ------------------------------------------------------------------------


def suivants(lot: Lot) -> QuerySet[Lot]:
    """Les imports appliqués après celui-ci dans sa société, du premier au dernier."""
    apres = Q(pk__gt=lot.pk)
    if lot.applique_le:
        apres = Q(applique_le__gt=lot.applique_le) | Q(applique_le=lot.applique_le, pk__gt=lot.pk)
    return Lot.objects.filter(apres, societe=lot.societe_id, statut=Lot.Statut.APPLIQUE).order_by("applique_le", "pk")


def _imports_suivants(lot: Lot) -> Iterator[Bloqueur]:
    """Un FEC continue les précédents ; tout import qui a changé les mêmes objets se défait d'abord."""
    nommes = set()
    if lot.format == "fec":
        for suivant in suivants(lot).filter(format="fec").defer("corrections"):
            if any(suivant.compte_rendu.get("crees", {}).values()) or suivant.traces.exists():
                nommes.add(suivant.pk)
                yield _s_appuie(suivant)
    siennes = TraceDeLot.objects.filter(lot=lot)
    traces = TraceDeLot.objects.filter(lot__in=suivants(lot)).order_by()
    communs = set(
        traces.filter(Exists(siennes.filter(objet=OuterRef("objet"), objet_id=OuterRef("objet_id"))))
        .values_list("lot_id", flat=True)
        .distinct()
    )
    for modele in (Facture, Echeance, Encaissement, Avoir, MouvementBancaire):
        touchees = modele.objects.filter(lot=lot).order_by().values("pk")
        communs |= set(
            traces.filter(objet=modele._meta.label_lower, objet_id__in=touchees).values_list("lot_id", flat=True)
        )
    for suivant in Lot.objects.filter(pk__in=communs - nommes).order_by("pk"):
        yield _s_appuie(suivant)


def _s_appuie(suivant: Lot) -> Bloqueur:
    texte = _("L’import « %(fichier)s » du %(quand)s s’appuie sur celui-ci : défaites-le d’abord.")
    quand = formats.jour(suivant.applique_le.date())
    return Bloqueur(texte % {"fichier": suivant.fichier, "quand": quand}, reverse("factures:import", args=[suivant.pk]))


# --- Ce qui s'attache à ce qu'il a créé ------------------------------------------------------


def liens(objets: Objets) -> dict[type[Model], list[tuple[str, type[Model]]]]:
    """{modèle: [(clé étrangère, modèle créé par l'import)]}, d'après le schéma : rien ne s'oublie."""
    trouves: dict[type[Model], list[tuple[str, type[Model]]]] = {}
    for cible in objets.nombres:
        for champ in cible._meta.get_fields(include_hidden=True):
            if champ.auto_created and (champ.one_to_many or champ.one_to_one):
                trouves.setdefault(champ.related_model, []).append((champ.field.name, cible))
    return trouves


def repondre(objets: Objets, *, effacer: bool) -> tuple[list[str], set[str]]:
    """Ce que disent les applications plus haut, et les modèles dont elles répondent."""
    phrases: list[str] = []
    traites: set[str] = set()
    for _ecoute, (dites, siens) in lot_a_defaire.send(sender=Lot, lot=objets.lot, de=objets, effacer=effacer):
        phrases += dites
        traites |= siens
    return phrases, traites


def _attaches(objets: Objets) -> Iterator[Bloqueur]:
    phrases, traites = repondre(objets, effacer=False)
    yield from (x if isinstance(x, Bloqueur) else Bloqueur(x) for x in phrases)
    for modele, chemins in liens(objets).items():
        etiquette = modele._meta.label_lower
        chemins = [x for x in chemins if (etiquette, x[0]) not in EFFACES | VIDES]
        if etiquette in traites or not chemins:
            continue
        lignes = objets.etrangers(modele, *chemins)
        porte_lot = any(c.name == "lot" and c.is_relation for c in modele._meta.concrete_fields)
        if porte_lot:
            autres = lignes.filter(lot__isnull=False).values_list("lot", flat=True).distinct()
            for autre in Lot.objects.filter(pk__in=set(autres)).order_by("pk"):
                yield _s_appuie(autre) if autre.applique_le else Bloqueur(str(autre))
            lignes = lignes.filter(lot=None)
        if nombre := lignes.count():
            yield Bloqueur(_phrase(etiquette, modele, nombre), _adresse(lignes, chemins))


def _phrase(etiquette: str, modele: type[Model], n: int) -> str:
    dits = {
        "factures.imputation": ngettext(
            "%(n)s affectation faite depuis sur ses pièces", "%(n)s affectations faites depuis sur ses pièces", n
        ),
        "factures.encaissement": ngettext(
            "%(n)s encaissement rapproché ou saisi depuis", "%(n)s encaissements rapprochés ou saisis depuis", n
        ),
        "factures.litige": ngettext("%(n)s litige saisi sur ses pièces", "%(n)s litiges saisis sur ses pièces", n),
        "factures.promesse_echeances": ngettext("%(n)s promesse sur ses pièces", "%(n)s promesses sur ses pièces", n),
        "factures.echeancier_echeances": ngettext(
            "%(n)s pièce dans un échéancier", "%(n)s pièces dans un échéancier", n
        ),
        "factures.exclusion": ngettext("%(n)s pièce exclue des relances", "%(n)s pièces exclues des relances", n),
        "factures.copiefacture": ngettext("%(n)s copie de facture déposée", "%(n)s copies de facture déposées", n),
        "clients.note": ngettext("%(n)s note sur ses clients", "%(n)s notes sur ses clients", n),
        "clients.contact": ngettext("%(n)s contact sur ses clients", "%(n)s contacts sur ses clients", n),
        "clients.suspension": ngettext("%(n)s suspension sur ses clients", "%(n)s suspensions sur ses clients", n),
    }  # fmt: skip
    if etiquette in dits:
        return dits[etiquette] % {"n": formats.nombre(n)}
    return _("%(quoi)s : %(n)s, sur ce que l’import a créé") % {
        "quoi": str(modele._meta.verbose_name).capitalize(), "n": formats.nombre(n)
    }  # fmt: skip


def _adresse(lignes: QuerySet, chemins: list[tuple[str, type[Model]]]) -> str:
    """La facture ou le client où voir la première de ces lignes."""
    routes = {
        Echeance: ("factures:fiche", "__facture"), Facture: ("factures:fiche", ""), Client: ("clients:fiche", ""),
        Avoir: ("clients:fiche", "__client"), Encaissement: ("clients:fiche", "__client"),
    }  # fmt: skip
    for chemin, cible in chemins:
        if cible in routes:
            route, suite = routes[cible]
            premiere = lignes.filter(**{f"{chemin}__isnull": False}).values_list(f"{chemin}{suite}", flat=True).first()
            if premiere:
                return reverse(route, args=[premiere])
    return ""


# --- Ce qui a changé depuis ------------------------------------------------------------------


def _retouches(objets: Objets) -> Iterator[Bloqueur]:
    """Un geste posé sur l'objet lui-même, qui disparaîtrait avec lui."""
    n = formats.nombre
    gestes = (
        (Encaissement, Q(rejete_le__isnull=False), _("Encaissements rejetés depuis : %(n)s")),
        (Echeance, Q(prelevement_rejete=True), _("Prélèvements dits rejetés : %(n)s")),
        (Echeance, Q(en_contentieux=True), _("Pièces au contentieux : %(n)s")),
        (Facture, ~Q(titre_le=None) | ~Q(nature_creance=""), _("Factures qualifiées (titre ou nature) : %(n)s")),
        (StatutRecu, Q(decidee_par__isnull=False), _("Anomalies de statut tranchées : %(n)s")),
        (
            MouvementBancaire,
            Q(traite_par__isnull=False) | Q(statut=MouvementBancaire.Statut.RAPPROCHE) | ~Q(rejet_de=None),
            _("Mouvements bancaires rapprochés ou écartés : %(n)s"),
        ),
    )
    for modele, condition, phrase in gestes:
        if modele in objets.nombres and (combien := objets.tous(modele).filter(condition).count()):
            yield Bloqueur(phrase % {"n": n(combien)})


def _valeurs_changees(lot: Lot) -> Iterator[Bloqueur]:
    """Chaque valeur changée par l'import doit être encore celle qu'il a posée, sinon une personne l'a retouchée."""
    for modele, traces in par_paquets(lot):
        objets = modele._base_manager.in_bulk([t.objet_id for t in traces if t.apres])
        changes = []
        for t in traces:
            if not t.apres:  # une ligne supprimée : elle revient telle quelle
                continue
            objet = objets.get(t.objet_id)
            if objet is None or retouchee(objet, t):
                changes.append((t, objet))
        if changes:
            yield _retouche(modele, changes)


def par_paquets(lot: Lot) -> Iterator[tuple[type[Model], list[TraceDeLot]]]:
    flux = TraceDeLot.objects.filter(lot=lot).order_by("objet", "pk").iterator(chunk_size=PAQUET)
    for etiquette, traces in groupby(flux, key=lambda t: t.objet):
        paquet: list[TraceDeLot] = []
        for trace in traces:
            paquet.append(trace)
            if len(paquet) == PAQUET:
                yield apps.get_model(etiquette), paquet
                paquet = []
        if paquet:
            yield apps.get_model(etiquette), paquet


def retouchee(objet: Model, trace: TraceDeLot) -> bool:
    """Une fiche créée se juge à tout ce qu'elle porte ; un objet changé, aux seuls champs changés."""
    for nom, valeur in trace.apres.items():
        if nom in TEMOINS and not (trace.cree and nom == "version"):
            continue
        if getattr(objet, nom) != depuis_trace(objet._meta.get_field(nom), valeur):
            return True
    return False


def _retouche(modele: type[Model], changes: list) -> Bloqueur:
    noms = ", ".join(str(objet or trace.objet_id) for trace, objet in changes[:MONTRES])
    noms += "…" if len(changes) > MONTRES else ""
    url = ""
    if modele is Client and changes[0][1]:
        url = reverse("clients:fiche", args=[changes[0][0].objet_id])
    texte = _("Retouché depuis (%(quoi)s) : %(n)s, dont %(noms)s.")
    quoi = {"quoi": modele._meta.verbose_name, "n": formats.nombre(len(changes)), "noms": noms}
    return Bloqueur(texte % quoi, url)
