"""Ce que la maison règle pendant l'histoire, sans viser un client : plans, modèles, lot postal."""

from collections.abc import Callable
from datetime import date
from decimal import Decimal
from typing import NamedTuple

from relances.domaine.natures import Canal, Nature
from relances.models import Courrier
from relances.rendu.contexte import TypeDebiteur
from relances.rendu.livres import Genre
from relances.services import brouillons, lots, modeles, plans, suivis
from relances.services.relecture import rafraichir_lettre

from .droit import PLIS
from .gestes import Gestes, specimen
from .temps import Jours

COURRIEL = "courriel"


class Evenement(NamedTuple):
    jour: date
    faire: Callable[[Gestes, date], bool]  # faux : pas encore possible, à reprendre le lendemain ouvré


def evenements(x: Jours) -> tuple[Evenement, ...]:
    return (
        Evenement(x.o(72), publier_les_seuils),
        Evenement(x.o(50), publier_un_modele),
        Evenement(x.o(39), imprimer_le_lot),
        Evenement(x.o(38), deposer_le_lot),
        Evenement(x.veille, ouvrir_les_brouillons),
    )


def publier_les_seuils(gestes: Gestes, le: date) -> bool:
    """Version 2 du plan Entreprise : ce qui est déjà relancé finit sous la première."""
    version = brouillons.nouveau_brouillon(gestes.societe.echelles.get(code="entreprise"), par=gestes.administratrice)
    version.seuil_piece, version.seuil_envoi = Decimal("15.00"), Decimal("30.00")
    version.plafond_envoi = Decimal("25000.00")
    version.save(update_fields=["seuil_piece", "seuil_envoi", "plafond_envoi"])
    note = "Rien sous 15 € ; au-delà de 25 000 €, un responsable valide"
    plans.publier(version, par=gestes.administratrice, note=note, reprise="nouvelles")
    return True


def publier_un_modele(gestes: Gestes, le: date) -> bool:
    version = _retoucher(
        gestes, Nature.RAPPEL_COURTOIS, note="Ton plus court, demandé par les commerciaux",
        demande="Pourriez-vous procéder au règlement au plus tard le [[jour limite]], ou nous dire quand il partira ?",
    )  # fmt: skip
    modeles.publier(version, par=gestes.administratrice, au=le)
    return True


def _retoucher(gestes: Gestes, nature: Nature, *, note: str, **paragraphes: str):
    genre = Genre(nature, TypeDebiteur.ENTREPRISE, COURRIEL, "fr")
    version = modeles.personnaliser(gestes.societe, genre, par=gestes.administratrice)
    textes = modeles.textes_complets(version) | paragraphes
    modeles.enregistrer(version, textes=textes, par=gestes.administratrice, note=note)
    version.refresh_from_db()
    return version


def ouvrir_les_brouillons(gestes: Gestes, le: date) -> bool:
    """Un plan à comparer à celui en vigueur, un modèle à relire."""
    plan = brouillons.nouveau_brouillon(gestes.societe.echelles.get(code="entreprise"), par=gestes.administratrice)
    plan.paliers.filter(nature=Nature.RAPPEL_COURTOIS).update(delai=8)
    _retoucher(
        gestes, Nature.FORMALISATION, note="À relire avant publication",
        suites="Une réserve, un besoin d'aménagement ? Répondez à ce message avant cette date : nous chercherons une "
        "solution avec vous. Sans règlement ni réponse, nous pourrions vous adresser une mise en demeure.",
    )  # fmt: skip
    return True


def _plis(gestes: Gestes):
    noms = [nom for nom, *_suite in PLIS]
    a_poster = Courrier.objects.filter(
        societe=gestes.societe, statut=Courrier.Statut.A_POSTER, canal=Canal.RECOMMANDE.value
    )
    # La raison sociale porte la forme : « Tannerie Vauzelle SAS ».
    return [c for c in a_poster.select_related("client") if c.client.raison_sociale.startswith(tuple(noms))]


def imprimer_le_lot(gestes: Gestes, le: date) -> bool:
    """Les cinq recommandés s'impriment ensemble, puis chacun reçoit le numéro de son étiquette.

    Une lettre trop ancienne (un long week-end a passé) se refait d'abord ; le lot attend alors le lendemain ouvré.
    """
    plis = [c for c in _plis(gestes) if rafraichir_lettre(c, au=le)]
    if len(plis) < len(PLIS):
        return False
    lot = lots.creer(gestes.societe, [c.pk for c in plis], par=gestes.responsable)
    lots.composer(lot.pk, au=le)
    numeros = "\n".join(gestes.numero_de_suivi() for _pli in plis)
    suivis.appliquer(lot, numeros, par=gestes.responsable)
    return True


def deposer_le_lot(gestes: Gestes, le: date) -> bool:
    lot = gestes.societe.lots_postaux.filter(created_at__date__lt=le).first()
    if lot is None:
        return False
    preuve = (specimen("Preuve de dépôt"), ".pdf")
    lots.deposer(lot, depose_le=le, par=gestes.responsable, au=le, preuve=preuve)
    return True
