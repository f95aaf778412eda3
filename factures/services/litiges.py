"""Ouvrir, décider, clore et rouvrir un litige : seule la part contestée est retenue (exigence 33)."""

from datetime import date, timedelta
from decimal import Decimal

from django.core.exceptions import ValidationError
from django.db import transaction
from django.db.models import Exists, F, OuterRef, Q, Subquery, Sum, Value
from django.db.models.functions import Coalesce
from django.utils.translation import gettext as _

from recouvrement.commun.champs import ChampMontant
from recouvrement.commun.formats import somme
from recouvrement.journal.services import consigner, consigner_tous

from ..models import Echeance, Imputation, Litige, NatureAvoir

HORIZON = timedelta(days=366)  # au-delà personne ne suit plus la réponse : un litige se prolonge


def _controler_delai(a_traiter_le: date, au: date) -> None:
    if a_traiter_le < au:
        raise ValidationError({"a_traiter_le": _("La date de traitement est déjà passée.")})
    if a_traiter_le > au + HORIZON:
        raise ValidationError({"a_traiter_le": _("Un litige se traite dans l'année ; il se prolonge ensuite.")})


@transaction.atomic
def ouvrir_litige(
    echeance: Echeance,
    *,
    montant: Decimal,
    categorie: str,
    a_traiter_le: date,
    au: date,
    acteur,
    description: str = "",
    responsable=None,
) -> Litige:
    """Conteste `montant` d'une échéance ouverte ; la part non contestée continue d'être relancée.

    Un seul litige ouvert par échéance ; redire le même rend celui qui est ouvert. Lève ValidationError :
    montant nul ou au-dessus du reste dû, autre litige déjà ouvert, délai passé ou de plus d'un an.
    """
    echeance = (
        Echeance.objects.select_for_update(no_key=True, of=("self",))
        .select_related("societe", "facture")
        .get(pk=echeance.pk)
    )
    ouvert = echeance.litiges.filter(clos_le=None).first()
    if ouvert:
        if (ouvert.montant_conteste, ouvert.categorie) == (montant, categorie):
            return ouvert
        raise ValidationError(_("Un litige est déjà ouvert sur cette pièce : %(litige)s.") % {"litige": ouvert})
    if not 0 < montant <= echeance.reste_du:
        raise ValidationError(
            {
                "montant": _("La part contestée est un montant positif, au plus ce qui reste dû : %(reste)s.")
                % {"reste": somme(echeance.reste_du, echeance.devise)}
            }
        )
    _controler_delai(a_traiter_le, au)
    litige = Litige(
        echeance=echeance,
        montant_conteste=montant,
        categorie=categorie,
        description=description.strip(),
        responsable=responsable,
        ouvert_le=au,
        a_traiter_le=a_traiter_le,
        auteur=acteur,
    )
    litige.full_clean(validate_unique=False, validate_constraints=False)
    litige.save(force_insert=True)
    consigner(
        "litige.ouvert",
        societe=echeance.societe,
        acteur=acteur,
        objet=litige,
        client=echeance.client_id,
        texte=_("%(piece)s : %(montant)s contestés, %(categorie)s")
        % {
            "piece": echeance.facture,
            "montant": somme(montant, echeance.devise),
            "categorie": litige.get_categorie_display().lower(),
        },
        donnees={"echeance": echeance.pk, "montant": montant, "a_traiter_le": a_traiter_le},
    )
    return litige


@transaction.atomic
def prolonger_litige(litige: Litige, *, a_traiter_le: date, motif: str, au: date, acteur) -> bool:
    """Repousse la réponse attendue, avec sa raison ; faux si le litige est déjà clos ou à cette date."""
    motif = motif.strip()
    if not motif:
        raise ValidationError({"issue": _("Dites pourquoi le litige se prolonge.")})
    _controler_delai(a_traiter_le, au)
    litige = (
        Litige.objects.select_for_update(no_key=True, of=("self",))
        .select_related("echeance__societe", "echeance__facture")
        .get(pk=litige.pk)
    )
    if litige.clos_le or litige.a_traiter_le == a_traiter_le:
        return False
    ancienne, litige.a_traiter_le = litige.a_traiter_le, a_traiter_le
    litige.save(update_fields=["a_traiter_le"])
    consigner(
        "litige.prolonge",
        societe=litige.echeance.societe,
        acteur=acteur,
        objet=litige,
        client=litige.echeance.client_id,
        texte=f"{litige.echeance.facture} : {motif}",
        donnees={"echeance": litige.echeance_id, "du": ancienne, "au": a_traiter_le},
    )
    return True


@transaction.atomic
def reconnaitre_litige(litige: Litige, *, montant: Decimal, motif: str, a_traiter_le: date, au: date, acteur) -> bool:
    """Le client a raison, pour tout ou partie : la part reconnue attend son avoir, le reste est de nouveau réclamé.

    Le litige reste ouvert jusqu'à cet avoir (`conclure_litiges`). Faux s'il est déjà clos, ou décidé pareil. Lève
    ValidationError : motif vide, montant nul ou au-dessus de la part contestée, délai passé ou de plus d'un an.
    """
    motif = motif.strip()
    if not motif:
        raise ValidationError({"issue": _("Dites en quoi la réclamation est fondée.")})
    _controler_delai(a_traiter_le, au)
    litige = (
        Litige.objects.select_for_update(no_key=True, of=("self",))
        .select_related("echeance__societe", "echeance__facture")
        .get(pk=litige.pk)
    )
    if litige.clos_le or (litige.decision in Litige.AVOIR_ATTENDU and litige.montant_conteste == montant):
        return False
    conteste, devise = litige.montant_conteste, litige.echeance.devise
    if not 0 < montant <= conteste:
        raise ValidationError(
            {
                "montant_reconnu": _(
                    "La part reconnue est un montant positif, au plus la part contestée : %(conteste)s."
                )
                % {"conteste": somme(conteste, devise)}
            }
        )
    litige.decision = Litige.Decision.FONDE if montant == conteste else Litige.Decision.PARTIE
    litige.montant_conteste, litige.decide_le, litige.a_traiter_le = montant, au, a_traiter_le
    litige.save(update_fields=["decision", "montant_conteste", "decide_le", "a_traiter_le"])
    consigner(
        "litige.reconnu",
        societe=litige.echeance.societe,
        acteur=acteur,
        objet=litige,
        client=litige.echeance.client_id,
        texte=_("%(piece)s : avoir de %(montant)s attendu. %(motif)s")
        % {"piece": litige.echeance.facture, "montant": somme(montant, devise), "motif": motif},
        donnees={"echeance": litige.echeance_id, "conteste": conteste, "reconnu": montant, "au": a_traiter_le},
    )
    return True


def _avoirs_poses():
    """Avoirs du vendeur posés sur la pièce depuis l'ouverture : ni escompte, ni écart, ni perte."""
    poses = Imputation.objects.filter(
        echeance=OuterRef("echeance"), avoir__nature=NatureAvoir.AVOIR, date__gte=OuterRef("ouvert_le")
    )
    total = poses.order_by().values("echeance").annotate(s=Sum("montant")).values("s")
    return Coalesce(Subquery(total, output_field=ChampMontant()), Value(Decimal("0.00"), ChampMontant()))


@transaction.atomic
def conclure_litiges(litiges, *, au: date, acteur=None) -> list[Litige]:
    """Clôt, parmi ces litiges (queryset), ceux dont l'avoir attendu est arrivé sur la pièce ; renvoie ceux-là.

    Rejouable ; trois requêtes et le journal, quel que soit leur nombre, pour une même société.
    """
    clos = list(
        litiges.filter(clos_le=None, decision__in=Litige.AVOIR_ATTENDU)
        .annotate(avoirs=_avoirs_poses())
        .filter(avoirs__gte=F("montant_conteste"))
        .select_related("echeance__societe")
        .order_by("pk")
    )
    Litige.objects.filter(pk__in=[x.pk for x in clos], clos_le=None).update(clos_le=au, issue=Litige.AVOIR_RECU)
    for litige in clos:
        litige.issue = Litige.AVOIR_RECU
    consigner_clotures(clos, acteur=acteur)
    return clos


@transaction.atomic
def clore_litige(litige: Litige, *, issue: str, au: date, acteur, decision: str = "") -> bool:
    """Rend la pièce à l'échelle ; faux si le litige était déjà clos (double clic, paiement complet).

    decision : « non_fonde » quand la réclamation ne tient pas.
    """
    issue = issue.strip()
    if not issue:
        raise ValidationError({"issue": _("Dites comment le litige s'est réglé.")})
    litige = (
        Litige.objects.select_for_update(no_key=True, of=("self",))
        .select_related("echeance__societe", "echeance__facture")
        .get(pk=litige.pk)
    )
    if litige.clos_le:
        return False
    litige.clos_le, litige.issue = max(au, litige.ouvert_le), issue[:200]
    if decision:
        litige.decision, litige.decide_le = decision, au
    litige.save(update_fields=["clos_le", "issue", "decision", "decide_le"])
    consigner(
        "litige.clos",
        societe=litige.echeance.societe,
        acteur=acteur,
        objet=litige,
        client=litige.echeance.client_id,
        texte=f"{litige.echeance.facture} : {litige.issue}",
        donnees={"echeance": litige.echeance_id, "montant": litige.montant_conteste},
    )
    return True


def consigner_ouvertures(litiges: list[Litige]) -> None:
    """Un maillon par litige qu'un import vient d'ouvrir ; tous de la même société, échéance chargée."""
    faits = [
        {
            "objet": x,
            "client": x.echeance.client_id,
            "texte": x.description,
            "donnees": {"echeance": x.echeance_id, "montant": x.montant_conteste, "a_traiter_le": x.a_traiter_le},
        }
        for x in litiges
    ]
    if faits:
        consigner_tous("litige.ouvert", faits, societe=litiges[0].echeance.societe)


def consigner_clotures(litiges: list[Litige], *, acteur) -> None:
    """Un maillon par litige que le solde de sa pièce vient de clore ; tous de la même société, échéance chargée."""
    if litiges:
        faits = [_cloture(x) for x in litiges]
        consigner_tous("litige.clos", faits, societe=litiges[0].echeance.societe, acteur=acteur)


def _cloture(litige: Litige) -> dict:
    donnees = {"echeance": litige.echeance_id, "montant": litige.montant_conteste}
    return {
        "objet": litige,
        "client": litige.echeance.client_id,
        "texte": litige.issue or str(Litige.SOLDEE),
        "donnees": donnees,
    }


@transaction.atomic
def rouvrir_litiges(echeances, *, acteur) -> list[Litige]:
    """Rouvre ce que la maison avait clos, si la cause n'est plus : pièce soldée, avoir reçu ; renvoie ceux-là.

    echeances : queryset ou clés primaires. Seul le dernier litige d'une pièce se rouvre ; ce qu'une personne a clos
    le reste.
    """
    suivants = Litige.objects.filter(echeance=OuterRef("echeance"), pk__gt=OuterRef("pk"))
    rouverts = list(
        Litige.objects.filter(echeance__in=echeances, clos_le__isnull=False)
        .annotate(avoirs=_avoirs_poses())
        .filter(Q(issue=Litige.SOLDEE) | Q(issue=Litige.AVOIR_RECU, avoirs__lt=F("montant_conteste")))
        .filter(~Exists(suivants), echeance__impute__lt=F("echeance__montant"))
        .select_related("echeance__societe", "echeance__facture")
        .order_by("pk")
    )
    Litige.objects.filter(pk__in=[x.pk for x in rouverts]).update(clos_le=None, issue="")
    for litige in rouverts:
        consigner(
            "litige.rouvert",
            societe=litige.echeance.societe,
            acteur=acteur,
            objet=litige,
            client=litige.echeance.client_id,
            texte=_("%(piece)s n'est plus soldée") % {"piece": litige.echeance.facture},
            donnees={"echeance": litige.echeance_id, "montant": litige.montant_conteste},
        )
    return rouverts
