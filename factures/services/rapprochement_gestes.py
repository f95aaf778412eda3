"""Ce qu'on fait d'un mouvement de banque : l'affecter, le lier, l'écarter, le défaire. Tout ou rien, sous verrou.

Ordre des verrous : le mouvement, puis l'encaissement ou l'avoir, puis les échéances par clé croissante. Rejouer le même
formulaire (double clic, deux onglets) rend ce qui a été fait ; un autre partage du même argent est refusé.
"""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from datetime import date
from decimal import Decimal

from django.core.exceptions import ValidationError
from django.db import transaction
from django.db.models import Q
from django.utils import timezone
from django.utils.translation import gettext as _

from clients.models import Client, IbanClient
from recouvrement.commun.domaine.ecriture import jj
from recouvrement.commun.formats import somme
from recouvrement.journal.services import consigner

from ..models import (
    AffectationAccessoires,
    Avoir,
    Encaissement,
    Imputation,
    MouvementBancaire,
    NatureMouvement,
)
from ..models.grand_livre import Mode, NatureAvoir
from .encaissements import SAISIE, desimputer, imputer, imputer_avoir
from .rapprochement import perimer

ZERO = Decimal("0.00")
Statut = MouvementBancaire.Statut
MODES = {
    NatureMouvement.PRELEVEMENT: Mode.PRELEVEMENT, NatureMouvement.CHEQUE: Mode.CHEQUE,
    NatureMouvement.EFFET: Mode.EFFET, NatureMouvement.CARTE: Mode.CARTE, NatureMouvement.ESPECES: Mode.ESPECES,
    NatureMouvement.VIREMENT: Mode.VIREMENT,
}  # fmt: skip
SANS_REFERENCE = ("", "NOTPROVIDED", "NOT PROVIDED", "NONREF", "0")
NUMEROS = {NatureAvoir.ECART: "ECART", NatureAvoir.FRAIS: "FRAIS", NatureAvoir.ESCOMPTE: "ESCOMPTE"}


@dataclass(frozen=True)
class Affectation:
    """Ce qu'un client reçoit d'un mouvement.

    parts : {échéance: ce qu'elle reçoit en tout} ; avoirs : {avoir: ce qu'il en paie} ; ecart : ce qu'un avoir d'écart,
    de frais ou d'escompte en solde. Le mouvement paie la différence ; le reste de `montant` attend, à imputer.
    payeur : qui a payé à la place du client.
    """

    client: Client
    montant: Decimal
    parts: Mapping[int, Decimal] = field(default_factory=dict)
    avoirs: Mapping[int, Decimal] = field(default_factory=dict)
    ecart: Decimal = ZERO
    nature_ecart: str = ""
    payeur: str = ""

    @property
    def paye(self) -> Decimal:
        """Ce que le mouvement lui-même éteint."""
        return sum(self.parts.values(), ZERO) - sum(self.avoirs.values(), ZERO) - self.ecart


def cle_encaissement(mouvement: int, client: int) -> str:
    return f"BANQUE:{mouvement}:{client}"


def _verrouiller(mouvement: MouvementBancaire) -> MouvementBancaire:
    verrouilles = MouvementBancaire.objects.select_for_update(no_key=True, of=("self",)).select_related("societe")
    return verrouilles.get(pk=mouvement.pk)


@transaction.atomic
def accepter(
    mouvement: MouvementBancaire,
    affectations: Iterable[Affectation],
    *,
    au: date,
    acteur,
    automatique: bool = False,
) -> list[Encaissement]:
    """Encaisse le mouvement chez ces clients et l'impute ; renvoie les encaissements.

    Lève ValidationError : mouvement déjà traité autrement, plus que son montant, pièce, devise ou client d'ailleurs.
    """
    affectations = sorted(affectations, key=lambda a: a.client.pk)
    m = _verrouiller(mouvement)
    if faits := deja_fait(m, affectations):
        return faits
    _controler(m, affectations)
    encaissements = [_encaisser(m, a, au=au, acteur=acteur) for a in affectations]
    m.reparti += sum((a.montant for a in affectations), ZERO)
    if m.reparti == m.montant:
        _traiter(m, Statut.RAPPROCHE, acteur, automatique)
    m.save()
    perimer({a.client.pk for a in affectations}, sauf=m.pk)
    return encaissements


def deja_fait(m: MouvementBancaire, affectations: list[Affectation]) -> list[Encaissement]:
    """Les encaissements de ce même partage, s'il est déjà écrit. Lève ValidationError si c'en est un autre."""
    poses = {e.client_id: e for e in m.encaissements.select_related("client")}
    if not affectations or not all(a.client.pk in poses for a in affectations):
        return []
    for a in affectations:
        e = poses[a.client.pk]
        if e.montant != a.montant or e.cle_source != cle_encaissement(m.pk, a.client.pk):
            raise ValidationError(_("Ce mouvement a été affecté entre-temps. Rien n'a été écrit : rouvrez-le."))
        prevues = {pk: v for pk, v in a.parts.items() if v}
        posees: dict[int, Decimal] = {}
        for pk, montant in _posees(m, a.client.pk).values_list("echeance", "montant"):
            posees[pk] = posees.get(pk, ZERO) + montant
        if posees != prevues:
            raise ValidationError(_("Ce mouvement a été affecté entre-temps. Rien n'a été écrit : rouvrez-le."))
    return [poses[a.client.pk] for a in affectations]


def _controler(m: MouvementBancaire, affectations: list[Affectation]) -> None:
    if m.statut != Statut.A_RAPPROCHER:
        raise ValidationError(_("Ce mouvement a été traité entre-temps. Rien n'a été écrit."))
    if m.montant <= 0:
        raise ValidationError(_("Un débit ne s'encaisse pas."))
    if not affectations or len({a.client.pk for a in affectations}) != len(affectations):
        raise ValidationError(_("Désignez au moins un client, chacun une fois."))
    reste = m.montant - m.reparti
    total = sum((a.montant for a in affectations), ZERO)
    if total > reste:
        raise ValidationError(
            _("%(total)s à affecter, mais il ne reste que %(reste)s sur ce mouvement.")
            % {"total": somme(total, m.devise), "reste": somme(reste, m.devise)}
        )
    dehors = Encaissement.objects.filter(
        societe=m.societe_id, cle_source__in=[cle_encaissement(m.pk, a.client.pk) for a in affectations]
    )
    if dehors.exists():
        raise ValidationError(_("Ce client a déjà reçu une part de ce mouvement : défaites-la d'abord."))
    for a in affectations:
        if a.client.societe_id != m.societe_id:
            raise ValidationError(_("Ce client n'est pas de la société de ce compte bancaire."))
        valeurs = (*a.parts.values(), *a.avoirs.values())
        if a.montant <= 0 or a.ecart < 0 or any(v < 0 for v in valeurs) or not 0 <= a.paye <= a.montant:
            raise ValidationError(_("Ces montants ne font pas le compte. Rien n'a été écrit."))
        if a.ecart and a.nature_ecart not in NUMEROS:
            raise ValidationError(_("Dites si l'écart est un escompte, des frais ou un écart de règlement."))
        if a.ecart and not a.parts:
            raise ValidationError(_("Un écart se pose sur une pièce."))


def _cle(m: MouvementBancaire, client: int, avoir: int | None = None) -> str:
    return f"banque-{m.pk}-{client}" + (f"-a{avoir}" if avoir else "")


def _posees(m: MouvementBancaire, client: int, *, avoirs_seuls: bool = False):
    """Imputations nées de ce mouvement chez ce client, par l'encaissement et par les avoirs."""
    cle = f"{SAISIE}{_cle(m, client)}"
    avoirs = Q(cle_source__startswith=f"{cle}-a")
    nees = avoirs if avoirs_seuls else avoirs | Q(cle_source__startswith=f"{cle}:")
    return Imputation.objects.filter(nees, societe=m.societe_id)


def _encaisser(m: MouvementBancaire, a: Affectation, *, au: date, acteur) -> Encaissement:
    reference = "" if m.reference.strip().upper() in SANS_REFERENCE else m.reference.strip()[:80]
    e = Encaissement.objects.create(
        societe_id=m.societe_id, client=a.client, cle_source=cle_encaissement(m.pk, a.client.pk), devise=m.devise,
        reference=reference or f"reçu le {jj(m.date)}", date=m.date, montant=a.montant,
        mode=MODES.get(m.nature, Mode.VIREMENT), libelle=m.libelle[:200], mouvement=m, payeur=a.payeur.strip()[:140],
    )  # fmt: skip
    cle = _cle(m, a.client.pk)
    a_poser = {pk: montant for pk, montant in sorted(a.parts.items()) if montant}
    for pk, montant in a.avoirs.items():
        if montant:
            avoir = Avoir.objects.get(pk=pk)
            imputer_avoir(avoir, _puiser(a_poser, montant), au=au, cle=_cle(m, a.client.pk, pk), acteur=acteur)
    if a.ecart:
        avoir = Avoir.objects.create(
            societe_id=m.societe_id, client=a.client, cle_source=f"{e.cle_source}:{a.nature_ecart}", devise=m.devise,
            numero=f"{NUMEROS[a.nature_ecart]}-{m.pk}", date_emission=m.date, montant=a.ecart, nature=a.nature_ecart,
        )  # fmt: skip
        imputer_avoir(avoir, _puiser(a_poser, a.ecart), au=au, cle=_cle(m, a.client.pk, avoir.pk), acteur=acteur)
    if any(a_poser.values()):
        imputer(e, [(pk, v) for pk, v in a_poser.items() if v], au=au, cle=cle, acteur=acteur)
    _retenir_iban(m, a)
    consigner(
        "mouvement.rapproche",
        societe=m.societe,
        acteur=acteur,
        objet=m,
        client=a.client,
        texte=f"{m.libelle[:120]} : {somme(a.montant, m.devise)}",
        donnees={
            "encaissement": e.pk, "parts": {str(k): v for k, v in a.parts.items()}, "ecart": a.ecart,
            "nature_ecart": a.nature_ecart, "avoirs": {str(k): v for k, v in a.avoirs.items()}, "payeur": a.payeur,
        },
    )  # fmt: skip
    e.refresh_from_db()
    return e


def _puiser(a_poser: dict[int, Decimal], montant: Decimal) -> list[tuple[int, Decimal]]:
    """Sert `montant` sur les plus gros restes à poser, qu'il diminue d'autant : un avoir touche le moins de pièces."""
    servies = []
    for pk in sorted(a_poser, key=a_poser.__getitem__, reverse=True):
        part = min(montant, a_poser[pk])
        if part:
            servies.append((pk, part))
            a_poser[pk] -= part
            montant -= part
    return servies


def _retenir_iban(m: MouvementBancaire, a: Affectation) -> None:
    if not m.contrepartie_iban:
        return
    connu, cree = IbanClient.objects.get_or_create(
        client=a.client, iban=m.contrepartie_iban,
        defaults={"titulaire": m.contrepartie[:140], "tiers": bool(a.payeur), "vu_le": m.date},
    )  # fmt: skip
    if not cree and connu.vu_le < m.date:
        connu.vu_le = m.date
        connu.save(update_fields=["vu_le"])


def _traiter(m: MouvementBancaire, statut: str, acteur, automatique: bool = False) -> None:
    m.statut, m.traite_le, m.traite_par, m.automatique = statut, timezone.now(), acteur, automatique
    m.client_presume = None


# --- Les autres issues -----------------------------------------------------------------------------


@transaction.atomic
def lier(mouvement: MouvementBancaire, encaissement: Encaissement, *, acteur) -> bool:
    """Ce mouvement est un encaissement déjà enregistré : un lien, aucun doublon. Faux si c'était déjà fait."""
    m = _verrouiller(mouvement)
    verrouilles = Encaissement.objects.select_for_update(no_key=True, of=("self",)).select_related("client")
    e = verrouilles.get(pk=encaissement.pk)
    if e.mouvement_id == m.pk:
        return False
    if m.statut != Statut.A_RAPPROCHER or m.reparti:
        raise ValidationError(_("Ce mouvement a été traité entre-temps. Rien n'a été écrit."))
    if e.mouvement_id or e.rejete_le:
        raise ValidationError(_("Cet encaissement vient déjà d'un autre mouvement, ou a été rejeté."))
    if (e.societe_id, e.montant, e.devise) != (m.societe_id, m.montant, m.devise):
        raise ValidationError(_("Le montant n'est pas celui de cet encaissement. Rien n'a été écrit."))
    e.mouvement = m
    e.save(update_fields=["mouvement", "updated_at"])
    m.reparti = m.montant
    _traiter(m, Statut.RAPPROCHE, acteur)
    m.save()
    _retenir_iban(m, Affectation(e.client, e.montant))
    consigner(
        "mouvement.lie", societe=m.societe, acteur=acteur, objet=m, client=e.client,
        texte=f"{m.libelle[:120]} : {e.reference}", donnees={"encaissement": e.pk},
    )  # fmt: skip
    perimer([e.client_id], sauf=m.pk)
    return True


@transaction.atomic
def ignorer(mouvement: MouvementBancaire, *, motif: str, acteur) -> bool:
    """Sans rapport avec un client : sort de la file, avec son motif. Faux si c'était déjà fait."""
    if not (motif := motif.strip()):
        raise ValidationError({"motif": _("Dites pourquoi ce mouvement ne concerne aucun client.")})
    m = _verrouiller(mouvement)
    if m.statut == Statut.IGNORE:
        return False
    if m.statut != Statut.A_RAPPROCHER or m.reparti:
        raise ValidationError(_("Ce mouvement a été traité entre-temps. Rien n'a été écrit."))
    _traiter(m, Statut.IGNORE, acteur)
    m.motif = motif[:200]
    m.save()
    consigner(
        "mouvement.ignore", societe=m.societe, acteur=acteur, objet=m, texte=f"{m.libelle[:120]} : {motif}",
        donnees={"montant": m.montant},
    )  # fmt: skip
    return True


@transaction.atomic
def defaire(mouvement: MouvementBancaire, *, au: date, acteur) -> bool:
    """Rend le mouvement à la file, tant que rien ne s'est bâti dessus. Faux s'il y était déjà.

    Ses encaissements, les avoirs d'écart et les imputations nés de lui disparaissent ; un encaissement d'avant reste,
    détaché. Lève ValidationError : affecté autrement depuis, accessoires payés, paiement rejeté.
    """
    m = _verrouiller(mouvement)
    if m.statut == Statut.A_RAPPROCHER and not m.reparti:
        return False
    clients = []
    if m.rejet_de_id:
        _defaire_le_rejet(m)
    for e in m.encaissements.select_for_update(no_key=True, of=("self",)).select_related("client").order_by("pk"):
        if e.rejete_le:
            raise ValidationError(_("Ce paiement a été rejeté par la banque : il ne se défait plus."))
        clients.append(e.client_id)
        if e.cle_source == cle_encaissement(m.pk, e.client_id):
            _defaire_l_encaissement(m, e, au=au, acteur=acteur)
        else:
            e.mouvement = None
            e.save(update_fields=["mouvement", "updated_at"])
    m.statut, m.reparti, m.motif, m.rejet_de, m.automatique = Statut.A_RAPPROCHER, ZERO, "", None, False
    m.traite_le = m.traite_par = None
    m.save()
    _oublier_iban(m, clients)
    consigner(
        "mouvement.defait", societe=m.societe, acteur=acteur, objet=m, client=clients[0] if len(clients) == 1 else None,
        texte=m.libelle[:120], donnees={"clients": clients, "montant": m.montant},
    )  # fmt: skip
    return True


def _defaire_l_encaissement(m: MouvementBancaire, e: Encaissement, *, au: date, acteur) -> None:
    cle = _cle(m, e.client_id)
    prefixe = f"{SAISIE}{cle}:"
    ailleurs = e.imputations.exclude(cle_source__startswith=prefixe).exists()
    if ailleurs or AffectationAccessoires.objects.filter(encaissement=e).exists():
        raise ValidationError(
            _("%(reference)s a été affecté autrement depuis : défaites d'abord cette affectation.")
            % {"reference": e.reference}
        )
    poses = Avoir.objects.filter(imputations__in=_posees(m, e.client_id, avoirs_seuls=True)).distinct()
    for avoir in poses.order_by("pk"):
        desimputer(avoir, au=au, cle=_cle(m, e.client_id, avoir.pk), acteur=acteur)
    Avoir.objects.filter(societe=e.societe_id, cle_source__startswith=f"{e.cle_source}:", impute=0).delete()
    desimputer(e, au=au, cle=cle, acteur=acteur)
    Encaissement.objects.filter(pk=e.pk).delete()


def _defaire_le_rejet(m: MouvementBancaire) -> None:
    """Rejet reconnu à tort : le paiement redevient disponible, à imputer ; ses pièces restent ouvertes."""
    e = Encaissement.objects.select_for_update(no_key=True).get(pk=m.rejet_de_id)
    if e.rejete_le is None:  # le rejet est au FEC, ou il l'a repris : rien n'avait été rouvert ici
        return
    e.rejete_le, e.rejet_motif, e.impute = None, "", ZERO
    e.save(update_fields=["rejete_le", "rejet_motif", "impute", "updated_at"])


def _oublier_iban(m: MouvementBancaire, clients: list[int]) -> None:
    """Un IBAN retenu par ce seul rapprochement ne désigne plus personne."""
    if not m.contrepartie_iban or not clients:
        return
    encore = Encaissement.objects.filter(client__in=clients, mouvement__contrepartie_iban=m.contrepartie_iban)
    gardes = set(encore.values_list("client", flat=True))
    IbanClient.objects.filter(client__in=set(clients) - gardes, iban=m.contrepartie_iban, vu_le=m.date).delete()
