"""Lots postaux : ce qui s'imprime ensemble, tel quel, et reste le même fichier quand on le réimprime (exigence 26).

Une lettre n'est que dans un lot à la fois : elle y entre par une mise à jour conditionnelle, la base refuse le reste.
Elle est relue juste avant l'impression ; ce qui est payé entre-temps sort du lot et le dit.
"""

import logging
from collections.abc import Iterable
from datetime import date

from django.db import IntegrityError, transaction
from django.db.models import Max
from django.utils import timezone
from django.utils.translation import gettext as _

from recouvrement.commun import depot
from recouvrement.commun.pdf import PdfIndisponible
from recouvrement.comptes.models import Societe
from recouvrement.journal.services import consigner
from relances.domaine import suivis
from relances.domaine.natures import Canal
from relances.models import Courrier, LotPostal, PliDeLot
from relances.rendu import lots as rendu
from relances.rendu.contexte import Bordereau, Pli
from relances.rendu.lettres import rendre_bordereau_pdf

from .etats import Refus, consigner_geste, passer, sortir_du_lot, verrouiller
from .jointes import pages_du_pli, pli_complet
from .postes import Fichier, dates_avant, poster
from .preparation import emetteur
from .relecture import rafraichir_lettre

log = logging.getLogger(__name__)
S = Courrier.Statut
PLIS_MAX = 300  # par lot : au-delà, une imprimante de bureau et une personne ne suivent plus


def disponibles(courriers):
    """Les lettres d'un queryset qui peuvent entrer dans un lot : à poster, sur papier, dans aucun autre."""
    return courriers.filter(statut=S.A_POSTER, lot_postal=None, electronique=False)


def creer(societe: Societe, courriers: Iterable[int], *, par, fournisseur: str = "manuel") -> LotPostal:
    """Réserve ces lettres dans un lot à composer. Celles qu'un autre onglet vient de prendre n'y sont pas.

    Lève Refus si aucune n'est plus libre, ou au-delà de PLIS_MAX.
    """
    ids = list(dict.fromkeys(courriers))
    if len(ids) > PLIS_MAX:
        raise Refus(_("Un lot compte %(n)s plis au plus : faites-en plusieurs.") % {"n": PLIS_MAX})
    try:
        with transaction.atomic():
            Societe.objects.select_for_update(no_key=True).get(pk=societe.pk)  # un numéro à la fois
            dernier = LotPostal.objects.filter(societe=societe).aggregate(n=Max("numero"))["n"] or 0
            lot = LotPostal.objects.create(societe=societe, numero=dernier + 1, auteur=par, fournisseur=fournisseur)
            libres = disponibles(Courrier.objects.filter(pk__in=ids, societe=societe))
            if not libres.update(lot_postal=lot, updated_at=timezone.now()):
                raise Refus(_("Ces lettres sont déjà dans un lot, ou ne sont plus à poster."))
            pris = lot.courriers.order_by("client__raison_sociale", "pk").values_list("pk", flat=True)
            PliDeLot.objects.bulk_create(
                PliDeLot(lot=lot, courrier_id=pk, rang=rang) for rang, pk in enumerate(pris, 1)
            )
            _consigner(lot, "lot_postal.cree", par, f"Lot postal n° {lot.numero} : {len(pris)} plis", plis=list(pris))
    except IntegrityError as erreur:
        raise Refus(_("Ces lettres viennent d'entrer dans un autre lot.")) from erreur
    return lot


def _consigner(lot: LotPostal, action: str, par, texte: str, **donnees) -> None:
    consigner(action, societe=lot.societe, acteur=par, objet=lot, texte=texte, donnees=donnees)


def presents(lot: LotPostal):
    """Les plis encore dans le lot, dans leur ordre."""
    plis = lot.plis.filter(sorti_le=None).select_related("courrier__client", "courrier__societe")
    return plis.order_by("rang", "pk")


def composer(lot_id: int, *, au: date) -> bool:
    """Relit chaque lettre, assemble le PDF et le range ; faux si le lot n'est plus à composer (tâche rejouée).

    Ne lève pas : une panne s'écrit sur le lot, qui se reprend. Deux workers composent au pire deux fois ; un seul
    fichier est retenu.
    """
    a_composer = LotPostal.objects.filter(pk=lot_id, statut=LotPostal.Statut.EN_PREPARATION)
    lot = a_composer.select_related("societe", "auteur").first()
    if lot is None:
        return False
    try:
        plis = _relire(lot, au=au)
        if not plis:
            raise Refus(_("Aucune lettre n'est encore à imprimer : toutes sont sorties du lot."))
        octets, pages = _assembler(lot, plis, au=au)
        chemin, empreinte = depot.ranger(octets, ".pdf")
    except (Refus, PdfIndisponible, depot.ErreurDepot) as raison:
        a_composer.update(statut=LotPostal.Statut.EN_ERREUR, erreur=str(raison)[:400])
        return False
    except Exception:
        log.exception("lot postal %s interrompu", lot_id)
        a_composer.update(
            statut=LotPostal.Statut.EN_ERREUR,
            erreur=_("Erreur imprévue, référence L-%(pk)s : rien n'est imprimé.") % {"pk": lot_id},
        )
        return False
    with transaction.atomic():
        if not a_composer.update(
            statut=LotPostal.Statut.PRET, pdf_chemin=chemin, pdf_empreinte=empreinte, pages=pages, erreur=""
        ):
            return False
        for rang, pli in enumerate(plis, 1):
            PliDeLot.objects.filter(pk=pli.pk).update(rang=rang, feuilles=rendu.feuilles(pages_du_pli(pli.courrier)))
        texte = f"Lot postal n° {lot.numero} prêt : {len(plis)} plis, {pages} pages"
        _consigner(lot, "lot_postal.pret", lot.auteur, texte, empreinte=empreinte)
    return True


def _relire(lot: LotPostal, *, au: date) -> list[PliDeLot]:
    """Les plis encore vrais ; les autres sortent du lot avec leur raison. Note l'avancement."""
    gardes = []
    for n, pli in enumerate(presents(lot), 1):
        if rafraichir_lettre(pli.courrier, au=au):
            gardes.append(pli)
        else:
            # La relecture l'a déjà sortie avec sa raison ; reste le cas d'une lettre partie par un autre chemin.
            sortir_du_lot(pli.courrier_id, "n'est plus à poster")
        LotPostal.objects.filter(pk=lot.pk).update(relues=n)
    PliDeLot.objects.filter(lot=lot, sorti_le__isnull=False).update(rang=0)
    return gardes


def _assembler(lot: LotPostal, plis: list[PliDeLot], *, au: date) -> tuple[bytes, int]:
    lettres = [pli_complet(p.courrier) for p in plis]
    sorties = lot.plis.filter(sorti_le__isnull=False).select_related("courrier__client")
    imprime = rendu.Lot(
        emetteur=emetteur(lot.societe),
        numero=lot.numero,
        date=au,
        prepare_par=str(lot.auteur),
        plis=tuple(_imprime(rang, p.courrier) for rang, p in enumerate(plis, 1)),
        retires=tuple((p.courrier.client.raison_sociale, p.sorti_motif) for p in sorties),
    )
    return rendu.rendre_lot_pdf(imprime, lettres, _bordereau(lot, [p.courrier for p in plis], au=au))


def _imprime(rang: int, c: Courrier) -> rendu.PliImprime:
    localite = f"{c.client.code_postal} {c.client.ville}".strip()
    return rendu.PliImprime(
        rang=rang,
        destinataire=c.client.raison_sociale,
        adresse=f"{c.client.adresse}\n{localite}".strip(),
        localite=localite,
        reference=c.reference,
        canal=c.get_canal_display(),
        recommande=c.canal == Canal.RECOMMANDE,
        pages=pages_du_pli(c),
    )


def _bordereau(lot: LotPostal, courriers: list[Courrier], *, au: date) -> Bordereau | None:
    recommandes = [c for c in courriers if c.canal == Canal.RECOMMANDE]
    if not recommandes:
        return None
    return Bordereau(
        emetteur=emetteur(lot.societe),
        reference=f"LOT-{lot.numero}",
        date=au,
        prepare_par=str(lot.auteur),
        plis=tuple(
            Pli(
                destinataire=c.client.raison_sociale,
                localite=f"{c.client.code_postal} {c.client.ville}".strip(),
                reference=c.reference,
                numero_recommande=suivis.lisible(c.numero_suivi),
            )
            for c in recommandes
        ),
    )


def bordereau_pdf(lot: LotPostal, *, au: date) -> bytes:
    """Bordereau du jour, avec les numéros déjà saisis. Lève Refus s'il n'y a aucun recommandé."""
    bordereau = _bordereau(lot, [p.courrier for p in presents(lot)], au=au)
    if bordereau is None:
        raise Refus(_("Ce lot n'a aucun recommandé : il n'a pas de bordereau."))
    return rendre_bordereau_pdf(bordereau)


def reprendre(lot: LotPostal) -> bool:
    """Un lot en erreur se compose de nouveau ; faux s'il est déjà prêt."""
    en_erreur = LotPostal.objects.filter(pk=lot.pk, statut=LotPostal.Statut.EN_ERREUR)
    en_erreur.update(statut=LotPostal.Statut.EN_PREPARATION, relues=0, erreur="")
    return LotPostal.objects.filter(pk=lot.pk, statut=LotPostal.Statut.EN_PREPARATION).exists()


def retirer_pli(lot: LotPostal, courrier: Courrier, *, motif: str, par) -> None:
    """La lettre sort du lot et redevient libre. Lève Refus : motif vide, pli déjà sorti ou déjà posté."""
    if not motif.strip():
        raise Refus(_("Dites pourquoi ce pli sort du lot."))
    with transaction.atomic():
        courrier = verrouiller(courrier)
        if courrier.lot_postal_id != lot.pk or courrier.statut != S.A_POSTER:
            raise Refus(_("Ce pli n'est plus dans ce lot, ou il est déjà posté."))
        sortir_du_lot(courrier.pk, motif.strip(), par=par)
        texte = f"{courrier} sorti du lot n° {lot.numero} : {motif.strip()}"
        _consigner(lot, "lot_postal.pli_retire", par, texte, courrier=courrier.pk)


def refaire(lot: LotPostal, *, par, au: date) -> int:
    """Les lettres trop vieilles du lot en sortent et se refont à la date du jour ; renvoie leur nombre.

    Lève Refus si aucune n'a vieilli : un autre onglet l'a fait.
    """
    with transaction.atomic():
        a_poster = [p.courrier for p in presents(lot).filter(courrier__statut=S.A_POSTER)]
        vieilles = dates_avant(a_poster, depose_le=au)
        if not vieilles:
            raise Refus(_("Aucune lettre de ce lot n'est à refaire."))
        for courrier in vieilles:
            courrier = verrouiller(courrier)
            passer(courrier, S.A_ENVOYER, erreur="lettre à refaire à la date du jour")
            consigner_geste("courrier.refait", courrier, par, f"À refaire à la date du jour, sortie du {lot}")
    return len(vieilles)


def deposer(lot: LotPostal, *, depose_le: date, par, au: date, preuve: Fichier | None = None) -> int:
    """Tout le lot est déposé au guichet ce jour-là, ou rien ; renvoie le nombre de plis.

    Lève Refus : un recommandé sans numéro (nommé), un pli qui n'est plus à poster, une date fausse, lot vide.
    """
    with transaction.atomic():
        a_poster = [p.courrier for p in presents(lot).filter(courrier__statut=S.A_POSTER)]
        if not a_poster:
            raise Refus(_("Aucun pli de ce lot n'attend d'être déposé."))
        sans = [str(c.client) for c in a_poster if c.canal == Canal.RECOMMANDE and not c.numero_suivi]
        if sans:
            noms = {"noms": ", ".join(sans[:3]), "n": len(sans)}
            raise Refus(_("%(n)s recommandé(s) sans numéro de suivi (%(noms)s…) : saisissez-le, ou sortez-les.") % noms)
        for courrier in a_poster:
            try:
                poster(courrier, par=par, au=au, depose_le=depose_le, preuve=preuve)
            except Refus as raison:
                raise Refus(f"{courrier.client} : {raison}") from raison
        _consigner(lot, "lot_postal.depose", par, f"Lot postal n° {lot.numero} déposé", plis=len(a_poster))
    return len(a_poster)
