"""Le PDF d'une facture, quand la maison le tient : vérifié à son contenu, rangé par empreinte, joint aux lettres."""

from collections.abc import Iterable
from dataclasses import dataclass

from django.core.exceptions import ValidationError
from django.db import transaction
from django.utils.translation import gettext as _

from clients.models import Client
from recouvrement.commun import depot
from recouvrement.commun.fichiers import identifier, nom_sur
from recouvrement.journal.services import consigner

from ..domaine.noms_copies import Ambigu, reconnaitre
from ..models import CopieFacture, Facture

TAILLE_MAX = 10 * 1024 * 1024  # octets
PAR_FACTURE = 10


@dataclass(frozen=True)
class Depot:
    """Le sort d'un fichier : sa facture, ou la raison de son refus. deja : le même PDF y était."""

    nom: str
    facture: Facture | None = None
    refus: str = ""
    deja: bool = False


@transaction.atomic
def deposer(facture: Facture, *, octets: bytes, nom: str, acteur) -> tuple[CopieFacture, bool]:
    """Range ce PDF comme copie de la facture : (copie, vrai si elle est neuve). Le même contenu ne fait qu'une copie.

    Lève ValidationError : vide, plus de 10 Mo, autre chose qu'un PDF lisible et sans programme, trop de copies.
    """
    if len(octets) > TAILLE_MAX:
        raise ValidationError(_("Le fichier dépasse %(max)d Mo.") % {"max": TAILLE_MAX // 1024 // 1024})
    lu = identifier(octets)
    if lu.suffixe != ".pdf":
        raise ValidationError(_("Une copie de facture est un PDF : ce fichier est une image."))
    facture = Facture.objects.select_for_update(no_key=True, of=("self",)).select_related("societe").get(pk=facture.pk)
    chemin, empreinte = depot.ranger(octets, lu.suffixe)
    if deja := facture.copies.filter(empreinte=empreinte).first():
        return deja, False
    if facture.copies.count() >= PAR_FACTURE:
        raise ValidationError(_("Cette facture a déjà %(n)d copies : retirez-en une.") % {"n": PAR_FACTURE})
    copie = CopieFacture.objects.create(
        facture=facture,
        nom=nom_sur(nom, longueur=150) or f"{facture.numero}.pdf",
        chemin=chemin,
        empreinte=empreinte,
        taille=len(octets),
        pages=lu.pages,
        ajoutee_par=acteur,
    )
    _consigner("copie.deposee", copie, acteur)
    return copie, True


def deposer_par_nom(client: Client, fichiers: Iterable[tuple[str, bytes]], *, acteur) -> list[Depot]:
    """Range chaque (nom, octets) sur la facture du client que son nom désigne ; un refus n'arrête pas les autres."""
    factures = {f.numero: f for f in client.factures.select_related("societe")}
    sorts = []
    for nom, octets in fichiers:
        try:
            numero = reconnaitre(nom, factures)
        except Ambigu as doute:
            refus = _("deux factures répondent à ce nom : %(numeros)s") % {"numeros": ", ".join(doute.numeros)}
            sorts.append(Depot(nom, refus=refus))
            continue
        if numero is None:
            sorts.append(Depot(nom, refus=_("aucun numéro de facture de ce client dans le nom du fichier")))
            continue
        try:
            _copie, neuve = deposer(factures[numero], octets=octets, nom=nom, acteur=acteur)
        except ValidationError as refus:
            sorts.append(Depot(nom, factures[numero], " ".join(refus.messages)))
        else:
            sorts.append(Depot(nom, factures[numero], deja=not neuve))
    return sorts


@transaction.atomic
def retirer(copie: CopieFacture, *, acteur) -> bool:
    """Retire la copie de la facture ; le dépôt garde le fichier. Faux si elle l'était déjà.

    L'appelant s'assure qu'aucun courrier ne l'a jointe : il est le seul à les connaître.
    """
    copie = CopieFacture.objects.select_for_update(no_key=True).filter(pk=copie.pk).first()
    if copie is None:
        return False
    _consigner("copie.retiree", copie, acteur)
    copie.delete()
    return True


def _consigner(action: str, copie: CopieFacture, acteur) -> None:
    facture = copie.facture
    consigner(
        action,
        societe=facture.societe,
        acteur=acteur,
        objet=copie,
        client=facture.client_id,
        texte=f"{facture.numero} : {copie.nom}",
        donnees={"empreinte": copie.empreinte, "facture": facture.pk},
    )
