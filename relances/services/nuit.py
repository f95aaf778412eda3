"""La nuit : un flux de clients entiers, une décision pure, des écritures en bloc."""

import gc
import logging
from collections import Counter
from collections.abc import Iterable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from datetime import date, datetime, timedelta
from time import monotonic

from django.conf import settings
from django.db import IntegrityError, OperationalError, transaction
from django.db.models import Max, Q
from django.utils import timezone

from clients.models import Client
from factures.models import Echeance
from recouvrement.commun.bloc import inserer, reserver
from recouvrement.commun.formats import somme
from recouvrement.comptes.models import Societe
from recouvrement.journal.services import consigner
from relances.domaine import echelle
from relances.domaine.echelle import Decision, Envoi, Motif, Resultat
from relances.domaine.natures import Canal, ModePalier, Nature
from relances.models import Courrier, Passage, Relance, Tache, Verdict
from relances.models.envois import nouveau_jeton

from .faits import faits_par_client, ouvreur, reglages
from .plans import plans_publies

log = logging.getLogger(__name__)
INTERROMPU = "interrompu"


class LotDejaEnCours(Exception):
    """Un autre passage est ouvert pour cette société (exigence 20)."""


@dataclass
class Bilan:
    """Ce qu'un passage a décidé, retenu et manqué."""

    decidees: int = 0
    retenues: Counter = field(default_factory=Counter)
    courriers: Counter = field(default_factory=Counter)
    a_valider: int = 0
    erreurs: list[str] = field(default_factory=list)

    def ajouter(self, resultat: Resultat) -> None:
        for d in resultat.decisions:
            if d.motif is Motif.RELANCEE:
                self.decidees += 1
            elif d.motif not in (Motif.ATTENTE, Motif.TERMINEE):
                self.retenues[d.motif.value] += 1
        for envoi in resultat.envois:
            self.courriers[envoi.canal.value] += 1
            self.a_valider += envoi.mode is ModePalier.A_VALIDER

    def en_dict(self) -> dict:
        canaux = ("courriel", "lettre", "recommande", "sms", "appel")
        return {
            "decidees": self.decidees,
            "retenues": dict(sorted(self.retenues.items())),
            "courriers": {c: self.courriers[c] for c in canaux}
            | ({"tache": self.courriers["tache"]} if self.courriers["tache"] else {}),
            "a_valider": self.a_valider,
            "erreurs": self.erreurs,
        }


def decider_societe(
    societe: Societe,
    *,
    au: date,
    freins: bool = True,
    clients: Iterable[int] | None = None,
    toutes: bool = False,
    erreurs: list[str] | None = None,
    moment: datetime | None = None,
) -> Iterator[list[tuple]]:
    """Lots de (faits du client, plan, résultat). N'écrit rien : l'essai à blanc et la nuit lisent ceci.

    toutes : juge aussi les pièces dont rien n'a pu changer (écran « ce soir », explications). erreurs : reçoit les
    clients qui n'ont pu être jugés, laissés de côté ; sans elle, l'erreur remonte. moment : heure où l'on juge, si un
    grand livre périmé doit tout retenir (le passage, lui, est suspendu avant de commencer).
    """
    plans = plans_publies(societe)
    ouvre = ouvreur(societe)
    regles = reglages(societe, freins=freins, moment=moment)
    lots = faits_par_client(societe, plans, au=au, ouvre=ouvre, clients=clients, freins=freins, toutes=toutes)
    for lot in lots:
        juges = []
        for faits in lot:
            plan = plans.pour(faits.id, faits.type)
            try:
                juges.append((faits, plan, echelle.decider(faits, plan, au=au, reglages=regles, ouvre=ouvre)))
            except Exception as erreur:
                if erreurs is None:
                    raise
                _laisser_de_cote(faits.id, erreur, erreurs)
        yield juges


def _laisser_de_cote(client: int, erreur: Exception, erreurs: list[str]) -> None:
    """Un client malade est nommé et n'arrête pas les autres."""
    log.error("client %s laissé de côté", client, exc_info=erreur)
    erreurs.append(f"client {client} : {type(erreur).__name__} {str(erreur)[:160]}")


def essai(societe: Societe, *, au: date, moment: datetime | None = None) -> Bilan:
    """Essai à blanc : mêmes faits, mêmes règles, rien d'écrit. moment : comme `decider_societe`."""
    bilan = Bilan()
    for lot in decider_societe(societe, au=au, moment=moment):
        for _faits, _plan, resultat in lot:
            bilan.ajouter(resultat)
    return bilan


def ouvrir_passage(societe: Societe, *, au: date, genre: str, auteur=None) -> Passage:
    """Ouvre (ou reprend après une panne) le passage. Lève LotDejaEnCours si un autre travaille."""
    maintenant = timezone.now()
    bail = maintenant + timedelta(seconds=settings.BAIL_PASSAGE_SECONDES)
    interrompu = Passage.objects.filter(societe=societe, statut=Passage.Statut.OUVERT).exclude(
        genre=Passage.Genre.MANUEL
    ).first()  # fmt: skip
    if interrompu:
        repris = Passage.objects.filter(pk=interrompu.pk, statut=Passage.Statut.OUVERT, bail_jusqu_au__lt=maintenant)
        if (interrompu.au, interrompu.genre) == (au, genre) and repris.update(bail_jusqu_au=bail):
            interrompu.refresh_from_db()
            return interrompu
        if repris.update(statut=Passage.Statut.EN_ECHEC, motif=INTERROMPU, clos_le=maintenant) == 0:
            raise LotDejaEnCours(f"lot déjà en cours : passage n° {interrompu.numero}")
    try:
        with transaction.atomic():
            Societe.objects.select_for_update(no_key=True).get(pk=societe.pk)  # numéros sans trou ni doublon
            numero = (Passage.objects.filter(societe=societe).aggregate(n=Max("numero"))["n"] or 0) + 1
            if genre == Passage.Genre.AUTOMATIQUE:
                # Un passage suspendu pour données périmées se rouvre quand les données arrivent.
                # De même un passage interrompu qu'un rejeu avait mis en échec.
                suspendu = Passage.objects.filter(societe=societe, au=au, genre=genre).filter(
                    Q(statut=Passage.Statut.SUSPENDU) | Q(statut=Passage.Statut.EN_ECHEC, motif=INTERROMPU)
                )
                if suspendu.update(statut=Passage.Statut.OUVERT, motif="", bail_jusqu_au=bail, clos_le=None):
                    return Passage.objects.get(societe=societe, au=au, genre=genre)
            return Passage.objects.create(
                societe=societe, au=au, numero=numero, genre=genre, bail_jusqu_au=bail, auteur=auteur
            )
    except IntegrityError as erreur:
        raise LotDejaEnCours("lot déjà en cours, ou passage de ce jour déjà fait") from erreur


def relancer(societe: Societe, *, au: date, passage: Passage, freins: bool = True, toutes: bool = False) -> Bilan:
    """Décide le jour `au` pour toute la société et écrit relances, courriers, tâches et verdicts.

    Rejouable : l'unicité (échéance, palier) et « une étape par nuit » rendent la reprise sans effet. Un lot
    en erreur est consigné et n'arrête pas les autres. N'envoie rien.
    """
    bilan, debut = Bilan(), monotonic()
    with sans_ramasse_miettes():
        for lot in decider_societe(societe, au=au, freins=freins, toutes=toutes, erreurs=bilan.erreurs):
            try:
                with transaction.atomic():
                    _garder_le_bail(passage)
                    enregistrer(passage, lot, societe=societe)
            except (LotDejaEnCours, OperationalError):
                raise  # le passage n'est plus à nous, ou la base est partie : le bail fera reprendre
            except Exception:
                # Un client malade ne doit pas arrêter la nuit : on reprend le lot client par client.
                lot = _un_par_un(passage, lot, societe, bilan)
            for _faits, _plan, resultat in lot:
                bilan.ajouter(resultat)
    bilan_json = bilan.en_dict() | {"secondes": round(monotonic() - debut, 3)}
    with transaction.atomic():
        Passage.objects.filter(pk=passage.pk, statut=Passage.Statut.OUVERT).update(
            statut=Passage.Statut.TERMINE, clos_le=timezone.now(), bilan=bilan_json
        )
        consigner(
            "passage.termine",
            societe=societe,
            objet=passage,
            texte=f"Passage n° {passage.numero} : {bilan.decidees} relances décidées",
            donnees=bilan_json,
        )
    return bilan


@contextmanager
def sans_ramasse_miettes():
    """Un lot naît et meurt en cent mille objets sans cycle : les reparcourir prenait le tiers du temps de calcul.

    La mémoire reste celle d'un lot (docs/mesures.md) ; ce processus ne fait rien d'autre pendant la nuit.
    """
    actif = gc.isenabled()
    gc.disable()
    try:
        yield
    finally:
        if actif:
            gc.enable()


def _garder_le_bail(passage: Passage) -> None:
    tenu = Passage.objects.filter(pk=passage.pk, statut=Passage.Statut.OUVERT).update(
        bail_jusqu_au=timezone.now() + timedelta(seconds=settings.BAIL_PASSAGE_SECONDES)
    )
    if not tenu:
        raise LotDejaEnCours("ce passage a été repris par un autre processus")


def _un_par_un(passage, lot, societe, bilan) -> list:
    faits_ok = []
    for un in lot:
        try:
            with transaction.atomic():
                enregistrer(passage, [un], societe=societe)
            faits_ok.append(un)
        except OperationalError:
            raise
        except Exception as erreur:
            _laisser_de_cote(un[0].id, erreur, bilan.erreurs)
    return faits_ok


# --- écritures d'un lot ---------------------------------------------------------------------------


RELANCE = ("echeance_id", "palier_id", "nature", "courrier_id", "statut", "reste_du", "conteste", "raison")
COURRIER = (
    "id", "client_id", "palier_id", "nature", "devise", "canal", "langue", "statut", "motif", "principal", "credits",
    "total", "pieces", "jeton",
)  # fmt: skip
VERDICT = ("echeance_id", "code", "detail", "nature", "prochaine", "version")
STATUTS = {
    ModePalier.AUTOMATIQUE: Courrier.Statut.A_ENVOYER.value,
    ModePalier.A_VALIDER: Courrier.Statut.A_VALIDER.value,
    ModePalier.TACHE: Courrier.Statut.TACHE.value,
}


def enregistrer(passage: Passage, lot: list[tuple], *, societe: Societe) -> list[int]:
    """Écrit un lot décidé dans la transaction de l'appelant. Renvoie les clés des courriers créés.

    En bloc et sans instances : fabriquer les objets coûterait plus que la base (docs/mesures.md).
    """
    envois: list[Envoi] = [v for _f, _p, r in lot for v in r.envois]
    versions = {f.id: (p.version if p else 0) for f, p, _r in lot}
    cles = reserver(Courrier, len(envois))
    inserer(
        Courrier, COURRIER, map(_courrier, cles, envois),
        societe_id=societe.pk, passage_id=passage.pk, arrete_au=passage.au,
    )  # fmt: skip
    relances, par_palier = [], {}
    for cle, envoi in zip(cles, envois, strict=True):
        palier, faite = envoi.palier, envoi.mode is ModePalier.TACHE
        statut = (Relance.Statut.ENVOYEE if faite else Relance.Statut.DECIDEE).value
        montees = par_palier.setdefault(palier, [])
        for d in envoi.decisions:
            e = d.echeance
            relances.append((e.id, palier.id, palier.nature.value, cle, statut, d.reclame, e.conteste, d.detail))
            montees.append(e.id)
    inserer(Relance, RELANCE, relances, passage_id=passage.pk, decidee_le=passage.au)
    for palier, ids in par_palier.items():
        Echeance.objects.filter(id__parmi=ids).update(
            niveau=palier.nature, niveau_rang=palier.rang, niveau_version=palier.version, niveau_le=passage.au
        )
    _taches(envois, cles, passage, societe)
    _verdicts([(d, versions[f.id]) for f, _p, r in lot for d in r.decisions], passage)
    return cles


def _courrier(cle: int, envoi: Envoi) -> tuple:
    """Une ligne de `COURRIER`."""
    return (
        cle, envoi.client, envoi.palier.id, envoi.palier.nature.value, envoi.devise, envoi.canal.value, envoi.langue,
        STATUTS[envoi.mode], envoi.motif, envoi.principal, envoi.credits, envoi.total, len(envoi.decisions),
        nouveau_jeton(),
    )  # fmt: skip


TITRES = {
    Nature.APPEL: (Tache.Genre.APPEL, "Appeler"),
    Nature.CONTENTIEUX: (Tache.Genre.CONTENTIEUX, "Passer au contentieux ?"),
}
MANDATEMENT = "Demander le mandatement d'office ?"  # CGCT, art. L1612-16 : jamais d'injonction à une administration


def _taches(envois: list[Envoi], cles: list[int], passage: Passage, societe: Societe) -> None:
    taches = []
    concernes = {v.client for v in envois if v.mode is ModePalier.TACHE}
    particuliers = Client.objects.filter(pk__in=concernes).filter(
        Q(type="administration") | Q(ne_pas_appeler_le__isnull=False)
    )
    lus = list(particuliers.values_list("pk", "type", "ne_pas_appeler_le")) if concernes else []
    publics = {pk for pk, type_, _le in lus if type_ == "administration"}
    sans_appel = {pk for pk, _type, le in lus if le is not None}
    for envoi, courrier in zip(envois, cles, strict=True):
        if envoi.mode is not ModePalier.TACHE:
            continue
        repli = envoi.palier.nature not in TITRES
        genre, titre = TITRES.get(envoi.palier.nature, (Tache.Genre.APPEL, "Appeler"))
        if genre == Tache.Genre.CONTENTIEUX and envoi.client in publics:
            titre = MANDATEMENT
        if genre == Tache.Genre.APPEL and envoi.client in sans_appel:  # on ne l'appelle plus : il lui faut une adresse
            genre, titre = RETENUES_A_TRANCHER[Motif.SANS_ADRESSE]
        n = len(envoi.decisions)
        raison = f"{n} pièce{'s' if n > 1 else ''} échue{'s' if n > 1 else ''}, {somme(envoi.total, envoi.devise)}"
        if envoi.canal is Canal.TACHE and envoi.palier.nature is Nature.APPEL:
            raison += " ; aucun numéro de téléphone"
        elif repli:
            raison += " ; repli faute d'adresse"
        taches.append(
            Tache(
                societe=societe, client_id=envoi.client, genre=genre, titre=titre, raison=raison,
                due_le=passage.au, courrier_id=courrier, cle=f"{genre}:{envoi.palier.rang}:{envoi.devise}",
            )
        )  # fmt: skip
    # Une tâche déjà ouverte avec la même clé suffit : le courrier la complète à l'écran.
    Tache.objects.bulk_create(taches, batch_size=2000, ignore_conflicts=True)


def _cle(motif: str, d: Decision, version: int) -> tuple:
    return (motif, d.detail[:250], d.palier.nature.value if d.palier else 0, d.prochaine, version)


def _verdicts(jugees: list[tuple[Decision, int]], passage: Passage) -> None:
    """Ferme les intervalles qui changent et en ouvre de nouveaux ; une nuit sans changement n'écrit rien."""
    if not jugees:
        return
    ids = [d.echeance.id for d, _v in jugees]
    courants = {
        e: (pk, du, cle)
        for e, pk, du, *cle in Verdict.objects.filter(echeance__id__parmi=ids, au=None).values_list(
            "echeance", "pk", "du", "code", "detail", "nature", "prochaine", "version"
        )
    }
    a_clore, a_effacer, neufs = [], [], []
    for d, version in jugees:
        if d.motif is Motif.DEJA_CE_JOUR:
            continue  # le verdict du jour est « relancée » : un rejeu ne l'efface pas
        cle = _cle(d.motif.value, d, version)
        courant = courants.get(d.echeance.id)
        if courant:
            if tuple(courant[2]) == cle:
                continue
            if courant[1] > passage.au:
                continue  # un rejeu du passé ne récrit pas ce qui a été jugé depuis
            # Changé le jour même : l'intervalle n'a pas duré, il est remplacé.
            (a_effacer if courant[1] >= passage.au else a_clore).append(courant[0])
        neufs.append((d.echeance.id, *cle))
    if a_effacer:
        Verdict.objects.filter(id__parmi=a_effacer).delete()
    if a_clore:
        Verdict.objects.filter(id__parmi=a_clore).update(au=passage.au - timedelta(days=1))
    inserer(Verdict, VERDICT, neufs, du=passage.au, passage_id=passage.pk)
    _taches_des_retenues([d for d, _v in jugees if d.motif in RETENUES_A_TRANCHER], passage)


RETENUES_A_TRANCHER = {
    Motif.MAX_AMIABLES: (Tache.Genre.DECISION, "Mise en demeure ou abandon ?"),
    Motif.SANS_ADRESSE: (Tache.Genre.SANS_ADRESSE, "Trouver une adresse ou un numéro"),
    Motif.ADRESSE_EN_ERREUR: (Tache.Genre.SANS_ADRESSE, "Corriger l'adresse en erreur"),
}


def _taches_des_retenues(decisions: list[Decision], passage: Passage) -> None:
    """Ce que la nuit ne peut faire seule devient une tâche : jamais de perte silencieuse (exigences 14 et 21)."""
    if not decisions:
        return
    clients = dict(Echeance.objects.filter(pk__in=[d.echeance.id for d in decisions]).values_list("pk", "client_id"))
    vues = {(clients[d.echeance.id], d.motif): d for d in decisions}
    Tache.objects.bulk_create(
        [
            Tache(
                societe_id=passage.societe_id, client_id=client, genre=RETENUES_A_TRANCHER[motif][0],
                titre=RETENUES_A_TRANCHER[motif][1], raison=d.detail, due_le=passage.au, cle=motif.value,
            )
            for (client, motif), d in vues.items()
        ],
        ignore_conflicts=True,
    )  # fmt: skip
