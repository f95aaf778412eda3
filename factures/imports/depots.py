"""Imports déposés à l'écran : ranger le fichier, préparer l'aperçu, appliquer. Le Lot porte l'état.

DÉPOSÉ → EN LECTURE → APERÇU (ou REFUSÉ) → EN COURS → APPLIQUÉ (ou REFUSÉ). Un tableau dont les colonnes restent à dire
passe d'EN LECTURE à A_CORRESPONDRE, d'où l'assistant le remet DÉPOSÉ. Chaque passage est un `update`
conditionnel : deux clics ou deux workers n'en font qu'un. Rien n'est écrit au grand livre avant EN COURS.
"""

import logging
import re
from collections.abc import Callable
from datetime import date, datetime
from pathlib import Path

from django.conf import settings

from factures.models import Lot
from recouvrement.commun import depot
from recouvrement.comptes.models import Societe

from .appliquer import DETAILS, CompteRendu, LotDejaTraite, importer
from .lot import Rejet

log = logging.getLogger(__name__)
Statut = Lot.Statut
SUFFIXES = {
    ".csv", ".txt", ".tsv", ".xlsx", ".ods", ".xml", ".pdf", ".zip", ".json", ".ofx", ".qfx", ".sta", ".mt940", ".940",
    ".cfonb", ".dat", ".asc", ".fec",
}  # fmt: skip


def deposer(flux, nom: str, societe: Societe, *, auteur, format: str = "", origine: str = Lot.Origine.ECRAN) -> Lot:
    """Range le fichier reçu et crée son Lot ; rien n'est encore lu. `flux` : binaire, lu par blocs."""
    suffixe = Path(nom).suffix.lower()
    chemin, empreinte, taille = depot.ranger_flux(flux, suffixe if suffixe in SUFFIXES else ".dat")
    return Lot.objects.create(
        societe=societe, auteur=auteur, fichier=nom[-250:], empreinte=empreinte, taille=taille, format=format,
        chemin=chemin, origine=origine,
    )  # fmt: skip


def apercevoir(lot_id: int, *, moment: datetime, au: date) -> bool:
    """Lit, contrôle et compte ce qui changerait, sans l'écrire ; faux si un autre s'en est chargé.

    Les lignes saines sont comptées même s'il y a des rejets : on choisit ensuite de les prendre ou non.
    """
    a_lire = Lot.objects.filter(pk=lot_id, statut__in=[Statut.DEPOSE, Statut.EN_LECTURE])
    if not a_lire.update(statut=Statut.EN_LECTURE):
        return False
    lot = _lot(lot_id)
    with _filet(lot):
        rendu = _importer(lot, moment=moment, au=au, essai=True, partiel=True)
        if rendu.format == "fec" and rendu.rejets and not rendu.refus:
            rendu.refus = "Le FEC a des lignes refusées : il s'importe en entier ou pas du tout."
        lot.format, lot.compte_rendu, lot.avancement = rendu.format, detailler(rendu), 100
        lot.statut = Statut.REFUSE if rendu.refus else Statut.APERCU
        if rendu.a_correspondre:
            lot.statut, lot.compte_rendu["a_correspondre"] = Statut.A_CORRESPONDRE, rendu.a_correspondre
        lot.corrections = rendu.corrections or lot.corrections
        lot.save(update_fields=["format", "compte_rendu", "avancement", "statut", "corrections"])
    return True


def demander(lot: Lot, *, partiel: bool) -> bool:
    """Passe un aperçu en application ; faux s'il n'est plus à l'aperçu (double clic, autre onglet)."""
    a_l_apercu = Lot.objects.filter(pk=lot.pk, statut=Statut.APERCU)
    return bool(a_l_apercu.update(statut=Statut.EN_COURS, partiel=partiel, avancement=0))


def abandonner(lot: Lot, *, motif: str) -> bool:
    """Ferme un import sans rien écrire ; faux s'il est déjà appliqué, en cours ou refusé."""
    abandonnables = Lot.objects.filter(pk=lot.pk, statut__in=[Statut.DEPOSE, Statut.APERCU, Statut.A_CORRESPONDRE])
    return bool(abandonnables.update(statut=Statut.REFUSE, compte_rendu={**lot.compte_rendu, "refus": motif}))


def relire(lot: Lot, **champs) -> bool:
    """Remet un aperçu, ou un refus, à lire : le grand livre, les corrections ou les colonnes ont changé depuis.

    champs : `corrections`, `correspondance`, `format` à poser du même geste. Faux : appliqué, en cours ou défait.
    """
    relisibles = [Statut.APERCU, Statut.REFUSE, Statut.A_CORRESPONDRE]
    a_relire = Lot.objects.filter(pk=lot.pk, statut__in=relisibles).exclude(chemin="")
    return bool(a_relire.update(statut=Statut.DEPOSE, avancement=0, **champs))


def appliquer(lot_id: int, *, moment: datetime, au: date) -> bool:
    """Écrit un lot demandé ; faux s'il n'est plus à écrire. Une tâche rejouée ne l'écrit pas deux fois."""
    lot = Lot.objects.filter(pk=lot_id, statut=Statut.EN_COURS).select_related("societe", "auteur").first()
    if lot is None:
        return False
    with _filet(lot):
        try:
            rendu = _importer(lot, moment=moment, au=au, partiel=lot.partiel, lot=lot)
        except LotDejaTraite:
            return False
        if rendu.refus and not rendu.format:  # refusé avant même d'être lu
            Lot.objects.filter(pk=lot.pk, statut=Statut.EN_COURS).update(statut=Statut.REFUSE)
        Lot.objects.filter(pk=lot.pk, statut__in=[Statut.APPLIQUE, Statut.REFUSE]).update(compte_rendu=detailler(rendu))
    return True


def _lot(lot_id: int) -> Lot:
    return Lot.objects.select_related("societe", "auteur").get(pk=lot_id)


def _importer(depose: Lot, **options) -> CompteRendu:
    defaut = depot.verifier(depose.chemin, depose.empreinte)
    if defaut:
        return CompteRendu(
            depose.fichier, refus=f"Le fichier déposé ne se relit pas ({defaut}) : déposez-le de nouveau."
        )
    return importer(
        Path(settings.DEPOT) / depose.chemin,
        depose.societe,
        nom=depose.fichier,
        format=depose.format,
        auteur=depose.auteur,
        suivi=_suivre(depose.pk),
        correspondance=depose.correspondance,
        corrections=_corrections(depose),
        **options,
    )


def _corrections(depose: Lot) -> dict:
    """Déposé à l'écran, un tableau d'en-tête nouveau se confirme une fois, même reconnu sans doute."""
    if depose.origine == Lot.Origine.ECRAN and "tableau" not in depose.corrections:
        return {**depose.corrections, "confirmer": True}
    return depose.corrections


def _suivre(lot_id: int) -> Callable[[int], None]:
    return lambda part: Lot.objects.filter(pk=lot_id).update(avancement=part)


class _filet:
    """Une erreur imprévue ferme le lot en le disant, puis remonte aux journaux."""

    def __init__(self, lot: Lot):
        self.lot = lot

    def __enter__(self):
        return self

    def __exit__(self, genre, erreur, trace):
        if erreur is not None and isinstance(erreur, Exception):
            refus = f"Erreur imprévue pendant l'import, référence I-{self.lot.pk} : rien n'est écrit."
            Lot.objects.filter(pk=self.lot.pk).exclude(statut=Statut.APPLIQUE).update(
                statut=Statut.REFUSE, compte_rendu={"fichier": self.lot.fichier, "refus": refus}
            )
            log.exception("import %s interrompu", self.lot.pk, exc_info=erreur)
        return False


def detailler(rendu: CompteRendu) -> dict:
    """Compte rendu gardé en base et montré : celui du contrat, chaque rejet avec son constat et son conseil à part."""
    objet = rendu.en_json()
    objet["rejets"] = [_rejet(rejet) for rejet in rendu.rejets]
    objet["avertissements"] = [a_l_ecran(texte) for texte in objet["avertissements"]]
    for inexplique in objet["inexpliques"]:
        inexplique["detail"] = a_l_ecran(inexplique["detail"])
    if rendu.refus:
        objet["refus"] = a_l_ecran(rendu.refus)
    for nom in DETAILS & rendu.faits.keys():
        objet[nom] = rendu.faits[nom]
    if rendu.rapport:
        objet["rapport"] = rendu.rapport
    return objet


def _rejet(rejet: Rejet) -> dict:
    return rejet.en_json() | {"constat": a_l_ecran(rejet.constat), "conseil": a_l_ecran(rejet.conseil)}


def a_l_ecran(texte: str) -> str:
    """Typographie française : espaces insécables devant les signes doubles et dans les guillemets."""
    texte = re.sub(r" (?=[:;!?»%€])", "\u00a0", texte).replace("« ", "«\u00a0")
    return texte.replace("'", "’")
