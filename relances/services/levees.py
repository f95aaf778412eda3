"""Lever un frein pour une nuit : une personne le demande, une seconde l'approuve au-delà d'un montant.

Une levée vaut pour une pièce, un frein et le passage d'un jour. Ce qui part grâce à elle se valide toujours ; elle
suit le courrier jusqu'à son départ, et l'annuler avant l'en retire.
"""

from datetime import date, timedelta

from django.core.exceptions import ValidationError
from django.db import transaction
from django.utils import timezone
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy

from clients.models import Client
from factures.models import Echeance
from recouvrement.commun.formats import jour, somme
from recouvrement.comptes.droits import Droit, verifier_droit
from recouvrement.journal.services import consigner
from relances import motifs
from relances.domaine.verdicts import LEVABLES, Motif
from relances.models import LeveeDeFrein

__all__ = ["LEVABLES", "annuler", "approuver", "lever", "pourquoi_jamais"]

HORIZON = timedelta(days=31)  # au-delà, personne ne se souvient de la nuit visée
JAMAIS = {
    Motif.CONTENTIEUX: gettext_lazy("la pièce est confiée à un dossier : c'est lui qui se clôt"),
    Motif.PROCEDURE: gettext_lazy("le jugement d'ouverture interdit de réclamer une créance antérieure"),
    Motif.SURENDETTEMENT: gettext_lazy("la recevabilité du dossier suspend les poursuites"),
    Motif.AFFACTUREE: gettext_lazy("la créance est cédée : seul l'affactureur la réclame"),
    Motif.A_QUALIFIER: gettext_lazy("sans le type de débiteur, on ne sait pas quel droit s'applique : précisez-le"),
    Motif.SOCIETE_INCOMPLETE: gettext_lazy("une lettre sans ces mentions serait irrégulière : complétez la société"),
    Motif.JOUR_NON_OUVRE: gettext_lazy("rien ne part un samedi, un dimanche ou un jour férié : l'étape glisse seule"),
    Motif.TERME_NON_ECHU: gettext_lazy("sans clause de déchéance, seules les mensualités échues sont exigibles"),
    Motif.LITIGE: gettext_lazy("ce qui est contesté ne se réclame pas : la part libre continue, le litige se clôt"),
    Motif.FORMALISATION_ABSENTE: gettext_lazy("la mise en demeure sans formalisation a sa dérogation motivée"),
    Motif.SANS_ADRESSE: gettext_lazy("il n'y a nulle part où écrire : ajoutez une adresse ou un numéro"),
    Motif.ADRESSE_EN_ERREUR: gettext_lazy("un envoi y reviendrait encore : corrigez l'adresse"),
    Motif.FE_ARRETEE: gettext_lazy("facture refusée ou rejetée : elle se remplace, elle ne se réclame pas"),
    Motif.FUTURE: gettext_lazy("la facture est datée d'un jour à venir : rien n'est dû"),
    Motif.SANS_PLAN: gettext_lazy("publiez d'abord un plan pour ce type de client"),
    Motif.COUVERTE: gettext_lazy("les crédits du client couvrent ce qui est dû : il n'y a rien à réclamer"),
    Motif.DONNEES_PERIMEES: gettext_lazy("relancer sur un grand livre périmé, c'est relancer qui a payé : importez"),
    Motif.EN_ATTENTE_ENVOI: gettext_lazy("le courrier précédent doit d'abord partir, ou être retenu"),
    Motif.DEJA_CE_JOUR: gettext_lazy("une seule étape par pièce et par nuit"),
}


def pourquoi_jamais(motif: Motif) -> str:
    """Pourquoi ce verdict ne se lève pas ; vide s'il se lève."""
    if motif in LEVABLES:
        return ""
    return str(JAMAIS.get(motif, _("ce n'est pas un frein")))


@transaction.atomic
def lever(echeance: Echeance, *, frein: str, motif: str, pour_le: date, par, au: date) -> LeveeDeFrein:
    """Demande que ce frein ne retienne pas la pièce la nuit `pour_le`. au : aujourd'hui.

    Au-dessus de `societe.seuil_deux_personnes`, toutes levées du client pour cette nuit comptées, elle attend l'accord
    d'une seconde personne (`approuver`). Redire la même levée rend celle qui existe, sauf si le montant a dépassé
    ce qu'elle couvrait : une neuve la remplace. Lève PermissionDenied ; ValidationError par champ : frein qui ne se
    lève pas (et pourquoi), motif vide, nuit passée ou à plus d'un mois ; pièce soldée.
    """
    verifier_droit(par, Droit.LEVER_FREIN, echeance.societe_id)
    motif = motif.strip()
    if frein not in set(Motif):
        raise ValidationError({"frein": _("Ce frein n'existe pas.")})
    frein = Motif(frein)
    if frein not in LEVABLES:
        raise ValidationError(
            {"frein": _("Ce frein ne se lève pas : %(raison)s.") % {"raison": pourquoi_jamais(frein)}}
        )
    if not motif:
        raise ValidationError({"motif": _("Dites pourquoi : la raison reste au dossier de la pièce.")})
    if len(motif) > 200:
        raise ValidationError({"motif": _("Deux cents caractères au plus.")})
    if pour_le < au:
        raise ValidationError({"pour_le": _("Cette nuit est déjà passée.")})
    if pour_le > au + HORIZON:
        raise ValidationError({"pour_le": _("Un frein se lève pour une nuit du mois à venir.")})
    echeance = (
        Echeance.objects.select_for_update(no_key=True, of=("self",))
        .select_related("societe", "facture")
        .get(pk=echeance.pk)
    )
    deja = echeance.levees.filter(frein=frein.value, pour_le=pour_le, annulee_le=None).first()
    if deja and not echeance.reste_du:
        return deja
    if not echeance.reste_du:
        raise ValidationError(_("Cette pièce est soldée : plus rien ne la retient."))
    a_deux = _a_deux(echeance, pour_le)
    if deja and (echeance.reste_du <= deja.montant if deja.a_deux else not a_deux):
        return deja
    if deja:
        annuler(deja, par=par)
    levee = LeveeDeFrein.objects.create(
        echeance=echeance, frein=frein.value, pour_le=pour_le, motif=motif, montant=echeance.reste_du,
        a_deux=a_deux, demandee_par=par,
    )  # fmt: skip
    _consigner("levee.demandee", levee, par, motif)
    return levee


def _a_deux(echeance: Echeance, pour_le: date) -> bool:
    """Les levées du client cette nuit-là, celle-ci comprise, dépassent-elles ce qu'une personne seule peut lever ?

    Verrouille le client : deux demandes simultanées se comptent l'une l'autre.
    """
    seuil = echeance.societe.seuil_deux_personnes
    if seuil is None:
        return False
    Client.objects.select_for_update(no_key=True, of=("self",)).get(pk=echeance.client_id)
    levees = LeveeDeFrein.objects.filter(pour_le=pour_le, annulee_le=None)
    du_client = Echeance.objects.filter(client=echeance.client_id, devise=echeance.devise)
    autres = du_client.filter(pk__in=levees.values("echeance")).exclude(pk=echeance.pk)
    return echeance.reste_du + sum(e.reste_du for e in autres) > seuil


@transaction.atomic
def approuver(levee: LeveeDeFrein, *, par, au: date) -> bool:
    """Seconde personne : la levée joue. Faux si elle n'attendait plus (double clic, annulée).

    Lève PermissionDenied ; ValidationError si c'est la personne qui demande, ou si la nuit est passée.
    """
    levee = _verrouillee(levee)
    verifier_droit(par, Droit.LEVER_FREIN, levee.echeance.societe_id)
    if levee.annulee_le or levee.approuvee_le or not levee.a_deux:
        return False
    if par.pk == levee.demandee_par_id:
        raise ValidationError(_("Une seconde personne doit approuver : vous êtes celle qui demande."))
    if levee.pour_le < au:
        raise ValidationError(_("La nuit du %(jour)s est passée.") % {"jour": jour(levee.pour_le)})
    levee.approuvee_par, levee.approuvee_le = par, timezone.now()
    levee.save(update_fields=["approuvee_par", "approuvee_le"])
    _consigner("levee.approuvee", levee, par, levee.motif)
    return True


@transaction.atomic
def annuler(levee: LeveeDeFrein, *, par) -> bool:
    """Le frein retient de nouveau ; un courrier pas encore parti le perdra à sa relecture. Faux si déjà annulée."""
    levee = _verrouillee(levee)
    verifier_droit(par, Droit.LEVER_FREIN, levee.echeance.societe_id)
    if levee.annulee_le:
        return False
    levee.annulee_le = timezone.now()
    levee.save(update_fields=["annulee_le"])
    _consigner("levee.annulee", levee, par, levee.motif)
    return True


def _verrouillee(levee: LeveeDeFrein) -> LeveeDeFrein:
    verrou = LeveeDeFrein.objects.select_for_update(no_key=True, of=("self",))
    return verrou.select_related("echeance__societe", "echeance__facture").get(pk=levee.pk)


def _consigner(action: str, levee: LeveeDeFrein, par, motif: str) -> None:
    e = levee.echeance
    consigner(
        action,
        societe=e.societe,
        acteur=par,
        objet=levee,
        client=e.client_id,
        texte=f"{e.facture.numero}, {somme(levee.montant, e.devise)} : {motifs.libelle(levee.frein)} ; {motif}",
        donnees={"echeance": e.pk, "frein": levee.frein, "pour_le": levee.pour_le, "a_deux": levee.a_deux},
    )
