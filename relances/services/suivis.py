"""Numéros de suivi d'un lot : scannés à la chaîne ou collés, relus avant d'être écrits, jamais à moitié."""

from dataclasses import dataclass

from django.db import IntegrityError, transaction
from django.utils import timezone
from django.utils.translation import gettext as _

from relances import avis
from relances.domaine import suivis
from relances.domaine.natures import Canal
from relances.domaine.statuts import TransitionInterdite
from relances.models import Courrier, LotPostal, PliDeLot

from .etats import Refus, consigner_geste, verrouiller
from .lots import presents
from .postes import deja_pris, numero_lu, porteur_du_numero

S = Courrier.Statut
TEXTE_MAX = 40_000  # caractères d'un collage


@dataclass
class Ligne:
    """Une ligne collée, telle que lue. faute : interdit d'appliquer ; alerte : se lit, n'empêche rien."""

    rang: int
    numero: str
    pli: PliDeLot | None = None
    faute: str = ""
    alerte: str = ""

    @property
    def hors_forme(self) -> bool:
        return suivis.lire(self.numero).forme is suivis.Forme.INCONNUE

    @property
    def lisible(self) -> str:
        return suivis.lisible(self.numero)


def a_numeroter(lot: LotPostal) -> list[PliDeLot]:
    """Recommandés du lot encore à poster, dans l'ordre où ils sont imprimés."""
    plis = presents(lot).filter(courrier__statut=S.A_POSTER, courrier__canal=Canal.RECOMMANDE)
    return list(plis)


def apercu(lot: LotPostal, texte: str, *, par, derogation: str = "") -> list[Ligne]:
    """Ce qu'écrirait ce collage, ligne à ligne ; rien n'est écrit. Lève Refus s'il est démesuré ou vide.

    Un numéro seul va au premier pli qui n'en a pas ; « référence ; numéro » remplace celui du pli nommé.
    derogation : pourquoi un numéro qui n'est ni de La Poste ni S10 ; vide, il est fautif.
    """
    if len(texte) > TEXTE_MAX:
        raise Refus(_("Ce collage est trop long : faites-le en plusieurs fois."))
    try:
        lues = suivis.lignes_collees(texte)
    except ValueError as erreur:
        raise Refus(_("Plus de %(n)s lignes : faites-le en plusieurs fois.") % {"n": suivis.LIGNES_MAX}) from erreur
    if not lues:
        raise Refus(_("Scannez ou collez au moins un numéro."))
    plis = a_numeroter(lot)
    par_reference = {p.courrier.reference.casefold(): p for p in plis}
    nommes = {reference.casefold() for _rang, reference, _numero in lues if reference}
    libres = iter([p for p in plis if not p.courrier.numero_suivi and p.courrier.reference.casefold() not in nommes])
    vus: dict[str, int] = {}
    plis_vus: dict[int, int] = {}
    lignes = []
    for rang, reference, brut in lues:
        lu = suivis.lire_poste(brut, derogation=derogation)
        ligne = Ligne(rang, lu.numero)
        lignes.append(ligne)
        if lu.defaut:
            ligne.faute = str(avis.DEFAUTS[lu.defaut])
        elif lu.numero in vus:
            ligne.faute = _("déjà à la ligne %(n)s") % {"n": vus[lu.numero]}
        elif lu.forme is suivis.Forme.INCONNUE:
            ligne.alerte = _("hors des formes de La Poste et S10 : enregistré par dérogation")
        vus.setdefault(lu.numero, rang)
        if reference:
            ligne.pli = par_reference.get(reference.casefold())
            if ligne.pli is None:
                ligne.faute = ligne.faute or _("« %(ref)s » n'est pas un recommandé à poster de ce lot") % {
                    "ref": reference[:40]
                }
            elif ligne.pli.pk in plis_vus:
                ligne.faute = ligne.faute or _("ce pli a déjà la ligne %(n)s") % {"n": plis_vus[ligne.pli.pk]}
        elif not ligne.faute:
            ligne.pli = next(libres, None)
            if ligne.pli is None:
                ligne.faute = _("tous les plis ont déjà un numéro")
        if ligne.pli:
            plis_vus.setdefault(ligne.pli.pk, rang)
            ancien = ligne.pli.courrier.numero_suivi
            if ancien and ancien != ligne.numero:
                ligne.alerte = ligne.alerte or _("remplace %(n)s") % {"n": suivis.lisible(ancien)}
    _marquer_les_doublons(lot, lignes, par=par)
    return lignes


def _marquer_les_doublons(lot: LotPostal, lignes: list[Ligne], *, par) -> None:
    numeros = {ligne.numero for ligne in lignes if ligne.numero}
    porteurs = Courrier.objects.filter(societe=lot.societe_id, numero_suivi__in=numeros).select_related("client")
    renumerotes = {ligne.pli.courrier_id for ligne in lignes if ligne.pli}  # ils lâchent leur ancien numéro
    connus = {c.numero_suivi: c for c in porteurs if c.pk not in renumerotes}
    for ligne in lignes:
        if porteur := connus.get(ligne.numero):
            ligne.faute = deja_pris(porteur, par)


def appliquer(lot: LotPostal, texte: str, *, par, derogation: str = "") -> int:
    """Écrit tout le collage, ou rien ; renvoie le nombre de plis. Lève Refus avec la première faute."""
    try:
        with transaction.atomic():
            LotPostal.objects.select_for_update(no_key=True).get(pk=lot.pk)  # deux douchettes : l'une après l'autre
            lignes = apercu(lot, texte, par=par, derogation=derogation)
            for ligne in lignes:
                if ligne.faute:
                    raise Refus(_("Ligne %(n)s : %(faute)s") % {"n": ligne.rang, "faute": ligne.faute})
            # Deux numéros qui s'échangent : libérés d'abord, sinon l'unicité les refuse.
            Courrier.objects.filter(pk__in=[x.pli.courrier_id for x in lignes]).update(numero_suivi="")
            for ligne in lignes:
                _affecter(lot, ligne, par=par, derogation=derogation)
    except IntegrityError as erreur:
        raise Refus(_("Un de ces numéros vient d'être donné à un autre recommandé.")) from erreur
    return len(lignes)


def _affecter(lot: LotPostal, ligne: Ligne, *, par, derogation: str) -> None:
    courrier = ligne.pli.courrier
    pris = Courrier.objects.filter(pk=courrier.pk, statut=S.A_POSTER, lot_postal=lot)
    if not pris.update(numero_suivi=ligne.numero, updated_at=timezone.now()):
        raise Refus(_("%(client)s n'est plus à poster dans ce lot.") % {"client": courrier.client})
    texte = f"Suivi {ligne.lisible}, lot n° {lot.numero}, pli {ligne.pli.rang}"
    deroge = {"derogation": derogation.strip()} if ligne.hors_forme else {}
    consigner_geste(
        "courrier.suivi", courrier, par, texte, numero=ligne.numero, remplace=courrier.numero_suivi, **deroge
    )  # fmt: skip


def scanner(lot: LotPostal, texte: str, *, par, derogation: str = "") -> Ligne:
    """Un numéro scanné va au pli suivant du lot ; renvoie la ligne écrite. Lève Refus sans rien écrire."""
    with transaction.atomic():
        LotPostal.objects.select_for_update(no_key=True).get(pk=lot.pk)
        lues = apercu(lot, texte[:200].replace(";", " ").replace("\t", " "), par=par, derogation=derogation)
        if len(lues) > 1:
            raise Refus(_("Un seul numéro à la fois : pour plusieurs, collez-les."))
        (ligne,) = lues
        if ligne.faute:
            raise Refus(f"{ligne.lisible} : {ligne.faute}")
        _affecter(lot, ligne, par=par, derogation=derogation)
    return ligne


def corriger(courrier: Courrier, *, numero: str, motif: str, par, derogation: str = "") -> None:
    """Remplace le numéro d'un recommandé déposé ; l'ancien et le motif restent au journal.

    Lève Refus : motif vide, numéro inchangé, fautif ou déjà pris ; TransitionInterdite s'il n'est pas déposé.
    """
    if not motif.strip():
        raise Refus(_("Dites pourquoi ce numéro se corrige."))
    try:
        with transaction.atomic():
            courrier = verrouiller(courrier)
            if courrier.depose_le is None or courrier.canal != Canal.RECOMMANDE or courrier.statut == S.ANNULE:
                raise TransitionInterdite(_("Seul un recommandé déposé a un numéro à corriger."))
            # La référence d'un recommandé électronique est celle du prestataire : sa forme lui appartient.
            neuf = numero_lu(numero, derogation=derogation or ("prestataire" if courrier.electronique else ""))
            if not neuf or neuf == courrier.numero_suivi:
                raise Refus(_("Ce numéro est déjà celui de ce recommandé."))
            if porteur := porteur_du_numero(courrier, neuf):
                raise Refus(deja_pris(porteur, par))
            Courrier.objects.filter(pk=courrier.pk).update(numero_suivi=neuf, updated_at=timezone.now())
            avant, apres = suivis.lisible(courrier.numero_suivi) or "–", suivis.lisible(neuf)
            texte = f"Numéro de suivi corrigé, {avant} → {apres} : {motif.strip()}"
            consigner_geste(
                "courrier.suivi_corrige", courrier, par, texte,
                ancien=courrier.numero_suivi, numero=neuf, motif=motif.strip(), derogation=derogation.strip(),
            )  # fmt: skip
    except IntegrityError as erreur:
        raise Refus(_("Ce numéro vient d'être donné à un autre recommandé.")) from erreur
