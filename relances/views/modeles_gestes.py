"""Ce qu'une personne fait d'un modèle : chaque geste revient à l'éditeur, fait ou refusé avec sa raison."""

from django.contrib import messages
from django.shortcuts import get_object_or_404
from django.urls import reverse
from django.utils.translation import gettext as _
from django.views.decorators.http import require_POST

from recouvrement.commun.horloge import aujourd_hui
from recouvrement.commun.vues import fait, rediriger
from recouvrement.comptes.droits import Droit, exige
from relances.formulaires_modeles import CopierForm, ImporterModeleForm, TextesForm
from relances.models import Modele, VersionModele
from relances.rendu.livres import Genre
from relances.services import modeles

from .modeles import (
    adresse_du_modele,
    brouillon_de,
    editeur_de,
    genre_demande,
    modele_reglable,
    rendre_editeur,
    rendre_liste,
    societe_demandee,
)


def _faire(request, geste, reussite: str, vers: str):
    """Le geste, ou le refus dit ; `geste` peut rendre la version où aller."""
    try:
        version = geste()
    except modeles.ModeleRefuse as refus:
        messages.error(request, str(refus))
        return rediriger(request, vers)
    fait(request, reussite)
    return rediriger(request, adresse_du_modele(version.modele) if isinstance(version, VersionModele) else vers)


def _brouillon(request, modele: Modele):
    """Le brouillon, ou None avec le message : la page était périmée."""
    version = brouillon_de(modele)
    if version is None:
        messages.error(request, _("Il n'y a plus de brouillon : ouvrez-en un."))
    return version


@require_POST
@exige(Droit.REGLER_PLANS)
def personnaliser(request, societe: int, cle: str):
    """Le texte livré devient la version 1 d'un modèle de la société, et un brouillon s'ouvre."""
    sienne, genre = societe_demandee(request, societe, Droit.REGLER_PLANS), genre_demande(cle)
    vers = reverse("relances:modele_livre", args=[societe, cle])
    return _faire(
        request,
        lambda: modeles.personnaliser(sienne, genre, par=request.user),
        _("Brouillon ouvert : le texte livré continue de partir tant que vous ne publiez pas."),
        vers,
    )


@require_POST
@exige(Droit.REGLER_PLANS)
def enregistrer(request, pk: int):
    modele = modele_reglable(request, pk)
    version = _brouillon(request, modele)
    if version is None:
        return rediriger(request, adresse_du_modele(modele))
    form = TextesForm(request.POST, genre=modeles.genre_de(modele))
    if form.is_valid():
        try:
            modeles.enregistrer(
                version, textes=form.textes(), par=request.user, note=form.cleaned_data["note"],
                attendu=form.cleaned_data["attendu"],
            )  # fmt: skip
        except modeles.ModeleRefuse as refus:
            form.add_error(None, str(refus))
        else:
            fait(request, _("Brouillon enregistré."))
            return rediriger(request, _avec_client(request, modele))
    return rendre_editeur(request, editeur_de(request, modele, form=form), status=422)


def _avec_client(request, modele: Modele) -> str:
    client = request.POST.get("client", "")
    return adresse_du_modele(modele) + (f"?client={client}" if client.isdecimal() else "")


@require_POST
@exige(Droit.REGLER_PLANS)
def brouillon(request, pk: int):
    """Modifier la version publiée, ou revenir à une ancienne (`depuis`), qui se copie."""
    modele = modele_reglable(request, pk)
    numero = request.POST.get("depuis", "")
    depuis = get_object_or_404(modele.versions, numero=int(numero)) if numero.isdecimal() and len(numero) < 5 else None
    return _faire(
        request,
        lambda: modeles.ouvrir_brouillon(modele, par=request.user, depuis=depuis),
        _("Brouillon ouvert : la version publiée continue de partir."),
        adresse_du_modele(modele),
    )


@require_POST
@exige(Droit.REGLER_PLANS)
def publier(request, pk: int):
    modele = modele_reglable(request, pk)
    version = _brouillon(request, modele)
    if version is None:
        return rediriger(request, adresse_du_modele(modele))
    return _faire(
        request,
        lambda: modeles.publier(version, par=request.user, au=aujourd_hui(), lu=request.POST.get("lu", "")),
        _("Version %(n)s publiée : les prochains courriers la suivent.") % {"n": version.numero},
        adresse_du_modele(modele),
    )


@require_POST
@exige(Droit.REGLER_PLANS)
def abandonner(request, pk: int):
    modele = modele_reglable(request, pk)
    version = _brouillon(request, modele)
    if version is None:
        return rediriger(request, adresse_du_modele(modele))
    vers = adresse_du_modele(modele) if len(modele.versions.all()) > 1 else reverse("relances:modeles")
    return _faire(request, lambda: modeles.abandonner(version, par=request.user), _("Brouillon abandonné."), vers)


@require_POST
@exige(Droit.REGLER_PLANS)
def retirer(request, pk: int):
    modele = modele_reglable(request, pk)
    return _faire(
        request,
        lambda: modeles.retirer(modele, par=request.user),
        _("Modèle retiré : le texte standard le remplace."),
        adresse_du_modele(modele),
    )


@require_POST
@exige(Droit.REGLER_PLANS)
def copier(request, pk: int):
    modele = modele_reglable(request, pk)
    version = editeur_de(request, modele).version
    return _copier(
        request, modele.societe, modeles.genre_de(modele), version.textes if version else {}, adresse_du_modele(modele)
    )


@require_POST
@exige(Droit.REGLER_PLANS)
def copier_livre(request, societe: int, cle: str):
    sienne, genre = societe_demandee(request, societe, Droit.REGLER_PLANS), genre_demande(cle)
    return _copier(request, sienne, genre, {}, reverse("relances:modele_livre", args=[societe, cle]))


def _copier(request, societe, genre: Genre, textes, vers: str):
    form = CopierForm(request.POST)
    if not form.is_valid():
        messages.error(request, " ".join(f"{form[nom].label} : {e[0]}" for nom, e in form.errors.items()))
        return rediriger(request, vers)
    saisi = form.cleaned_data
    cible = genre._replace(langue=saisi["langue"])
    return _faire(
        request,
        lambda: modeles.copier(societe, cible, textes, code=saisi["code"], nom=saisi["nom"], par=request.user),
        _("Modèle copié, en brouillon. Un palier l'emploie en nommant son code."),
        vers,
    )


@require_POST
@exige(Droit.REGLER_PLANS)
def importer(request, societe: int):
    """Un export relu comme une saisie ; il n'en sort qu'un brouillon."""
    sienne = societe_demandee(request, societe, Droit.REGLER_PLANS)
    form = ImporterModeleForm(request.POST, request.FILES)
    if form.is_valid():
        try:
            version = modeles.importer(sienne, form.cleaned_data["fichier"], par=request.user)
        except modeles.ModeleRefuse as refus:
            form.add_error("fichier", str(refus))
        else:
            fait(request, _("Modèle importé, en brouillon : relisez-le, puis publiez."))
            return rediriger(request, adresse_du_modele(version.modele))
    return rendre_liste(request, importation=form, status=422)
