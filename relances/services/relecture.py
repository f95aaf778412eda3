"""Relire un courrier décidé : ce qui était vrai au passage l'est-il encore ? (exigence 19)

La même relecture sert à valider, à envoyer, à imprimer et chaque nuit pour ce qui attend d'être posté : un
courrier préparé il y a trois semaines ne part jamais sur les faits d'alors.
"""

from dataclasses import dataclass, replace
from datetime import date, timedelta
from decimal import Decimal

from django.db import transaction
from django.utils.translation import gettext as _

from relances import motifs
from relances.domaine.echelle import EcheanceFaits, Motif, credit_retient, credits_libres, freins_de_la_piece
from relances.domaine.natures import Nature
from relances.domaine.verdicts import LEVABLES
from relances.models import Courrier, LeveeDeFrein, LotPostal, Passage, Relance, Tache

from .etats import sortir_du_lot
from .faits import credits_reserves, faits_par_client, ouvreur
from .niveaux import recalculer_niveaux
from .plans import plans_publies, regle
from .taches import creer_tache

ZERO = Decimal("0.00")
FRAICHEUR_LETTRE = timedelta(days=3)  # un week-end : au-delà, la date et le décompte imprimés ont vieilli


@dataclass(frozen=True)
class Relecture:
    """garde : il reste à réclamer. sorties : pièces retirées. raison : pourquoi, en une phrase."""

    garde: bool
    sorties: int = 0
    raison: str = ""
    changee: bool = False  # un montant a bougé


def relire(courrier: Courrier, *, au: date) -> Relecture:
    """Retire du courrier les pièces qui ne doivent plus y être ; à appeler dans une transaction.

    Un courrier qui n'a plus rien à réclamer perd toutes ses relances : `garde` est faux, l'appelant l'annule.
    """
    societe, ouvre = courrier.societe, ouvreur(courrier.societe)
    vivantes = list(courrier.relances.filter(statut__in=Relance.VIVANTES))
    lots = faits_par_client(
        societe, plans_publies(societe), au=au, ouvre=ouvre, clients=[courrier.client_id], toutes=True
    )
    faits = next((f for lot in lots for f in lot), None)
    if faits is None:
        retirer(vivantes, "pièces soldées", au=au)
        return Relecture(False, len(vivantes), "plus rien n'est dû")
    version, palier = courrier.palier.version, regle(courrier.palier)
    # Ce qu'une personne a voulu et relu n'est pas soumis aux seuils ; le reste des freins, si.
    voulu = courrier.valide_par_id is not None or courrier.passage.genre == Passage.Genre.MANUEL
    par_id = _avec_les_levees(courrier, {e.id: e for e in faits.echeances})
    sorties, gardees, changee = [], [], False
    for relance in vivantes:
        e = par_id.get(relance.echeance_id)
        raison = "soldée" if e is None else _raison(e, faits, palier, courrier, au=au, ouvre=ouvre)
        if not (raison or voulu or Motif.SEUIL_PIECE in e.leves) and e.reste_du - e.conteste < version.seuil_piece:
            raison = "sous le seuil"
        if raison:
            relance.raison = raison
            sorties.append(relance)
            continue
        reclame = e.reste_du - e.conteste
        if (reclame, e.conteste) != (relance.reste_du, relance.conteste):
            Relance.objects.filter(pk=relance.pk).update(reste_du=reclame, conteste=e.conteste)
            changee = True
        gardees.append((relance, reclame))
    pourquoi = " ; ".join(sorted({r.raison for r in sorties}))
    retirer(sorties, au=au)
    if not gardees:
        return Relecture(False, len(sorties), pourquoi)
    principal = sum((reclame for _r, reclame in gardees), ZERO)
    restantes = [par_id[r.echeance_id] for r, _m in gardees]
    arret = _arret_du_compte(courrier, faits, restantes, principal, au=au, voulu=voulu)
    if arret:
        retirer([r for r, _m in gardees], arret, au=au)
        return Relecture(False, len(vivantes), arret)
    return Relecture(True, len(sorties), pourquoi, changee)


def _raison(e, faits, palier, courrier: Courrier, *, au: date, ouvre) -> str:
    """Ce qui retient cette pièce aujourd'hui ; vide : rien."""
    if frein := freins_de_la_piece(e, faits, palier, au=au, ouvre=ouvre):
        return motifs.phrase(frein)
    if palier.nature is Nature.MISE_EN_DEMEURE and e.formalisation_manquante and not courrier.derogation:
        return "la formalisation n'est pas réellement partie"  # exigence 10
    return ""


def _avec_les_levees(courrier: Courrier, par_id: dict[int, EcheanceFaits]) -> dict[int, EcheanceFaits]:
    """Un frein levé la nuit du courrier l'est pour lui jusqu'à son départ, sauf levée annulée depuis."""
    leves: dict[int, set[Motif]] = {}
    effectives = LeveeDeFrein.objects.effectives(courrier.passage.au).filter(echeance__in=list(par_id))
    for pk, frein in effectives.values_list("echeance", "frein"):
        leves.setdefault(pk, set()).update(m for m in LEVABLES if m.value == frein)
    return par_id | {pk: par_id[pk]._replace(leves=par_id[pk].leves | motifs_) for pk, motifs_ in leves.items()}


def _arret_du_compte(courrier, faits, pieces: list[EcheanceFaits], principal: Decimal, *, au: date, voulu: bool) -> str:
    """Ce qui arrête tout le courrier : règlement à affecter, crédit qui couvre, seuil d'envoi."""
    devise = courrier.devise
    tenues = [e for e in pieces if Motif.CREDIT_NON_AFFECTE not in e.leves]
    if tenues and credit_retient(faits, devise, au=au, seuil=courrier.societe.seuil_credit_non_affecte):
        return str(motifs.LIBELLES[Motif.CREDIT_NON_AFFECTE])
    autres = credits_reserves([faits.id], sauf=courrier.pk).get(faits.id, ())
    libres = credits_libres(replace(faits, reserves=tuple(autres)), {e.id for e in pieces}).get(devise, ZERO)
    if principal <= libres:
        return str(motifs.LIBELLES[Motif.COUVERTE])
    voulu = voulu or any(Motif.SEUIL_ENVOI in e.leves for e in pieces)
    if not voulu and principal - libres < courrier.palier.version.seuil_envoi:
        return str(motifs.LIBELLES[Motif.SEUIL_ENVOI])
    return ""


def retirer(relances: list[Relance], raison: str = "", *, au: date) -> None:
    """Annule ces relances et rend leur niveau aux échéances."""
    if not relances:
        return
    with transaction.atomic():
        for r in relances:
            Relance.objects.filter(pk=r.pk).update(statut=Relance.Statut.ANNULEE, raison=(r.raison or raison)[:250])
        rendre_les_remplacees(relances)
        recalculer_niveaux([r.echeance_id for r in relances], au=au)


def rendre_les_remplacees(annulees: list[Relance]) -> None:
    """La dernière mise en demeure partie vaut de nouveau quand celle qui la refaisait ne part pas."""
    for r in annulees:
        meme = Relance.objects.filter(echeance=r.echeance_id, nature=r.nature)
        if meme.filter(statut__in=Relance.VIVANTES).exists():
            continue
        if ancienne := meme.filter(statut=Relance.Statut.REMPLACEE).order_by("-pk").first():
            Relance.objects.filter(pk=ancienne.pk).update(statut=Relance.Statut.ENVOYEE)


def rafraichir_lettre(courrier: Courrier, *, au: date) -> bool:
    """Une lettre à poster est-elle encore vraie ? Sinon elle se refait, ou s'annule ; faux dans les deux cas.

    Refaite si une pièce est sortie, si un montant a bougé ou si elle a plus de trois jours : sa date, son décompte
    et la date limite donnée au débiteur sont imprimés. Un pli numéroté d'un lot imprimé est peut-être déjà à la
    poste : il n'est ni annulé ni refait, une personne dit s'il est parti (`_demander_le_depot`).
    """
    with transaction.atomic():
        verrou = Courrier.objects.select_for_update(no_key=True, of=("self",)).filter(
            pk=courrier.pk, statut=Courrier.Statut.A_POSTER
        )
        courrier = verrou.select_related("societe", "client", "palier__version", "passage").first()
        if courrier is None:
            return False
        if _peut_etre_depose(courrier):
            _demander_le_depot(courrier, au=au)
            return True
        lue = relire(courrier, au=au)
        if not lue.garde:
            sortir_du_lot(courrier.pk, lue.raison)
            verrou.update(statut=Courrier.Statut.ANNULE, erreur=f"avant l'impression : {lue.raison}"[:400])
            return False
        if lue.sorties or lue.changee or au - courrier.arrete_au > FRAICHEUR_LETTRE:
            raison = "lettre à refaire : les faits ou la date ont changé"
            sortir_du_lot(courrier.pk, raison)
            verrou.update(statut=Courrier.Statut.A_ENVOYER, erreur=raison)
            return False
    return True


def _peut_etre_depose(courrier: Courrier) -> bool:
    """Un recommandé numéroté et imprimé : sa saisie de dépôt peut tarder sur les faits."""
    lot = LotPostal.objects.filter(pk=courrier.lot_postal_id, statut=LotPostal.Statut.PRET)
    return bool(courrier.numero_suivi) and lot.exists()


def _demander_le_depot(courrier: Courrier, *, au: date) -> None:
    """Passé trois jours, une tâche par pli : enregistrer son dépôt, ou le sortir du lot avec un motif."""
    cle = f"depot:{courrier.pk}"
    if courrier.arrete_au and au - courrier.arrete_au <= FRAICHEUR_LETTRE:
        return
    if Tache.objects.filter(client=courrier.client_id, cle=cle, faite_le=None).exists():
        return
    creer_tache(
        courrier.client,
        genre=Tache.Genre.AUTRE,
        titre=_("Déposé ou non ? %(reference)s, suivi %(numero)s")
        % {"reference": courrier.reference, "numero": courrier.numero_suivi},
        due_le=au,
        cle=cle,
        raison=_("enregistrez le dépôt, ou sortez le pli du lot avec un motif : rien ne se refait d'ici là"),
    )
