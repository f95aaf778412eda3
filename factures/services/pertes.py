"""Passer un reste dû en perte : une personne propose, une autre décide ; l'avoir vient de la décision (décision 31).

Ce n'est pas une remise : le client doit toujours, et ce qu'il paierait un jour défait la perte.
"""

from datetime import date
from decimal import Decimal

from django.core.exceptions import ValidationError
from django.db import IntegrityError, transaction
from django.utils import timezone
from django.utils.translation import gettext as _

from recouvrement.commun.formats import somme
from recouvrement.journal.services import consigner

from ..models import Avoir, Echeance, NatureAvoir, PropositionPerte
from .encaissements import SAISIE, desimputer, imputer_avoir

S = PropositionPerte.Statut


def proposer(echeance: Echeance, *, montant: Decimal, motif: str, au: date, acteur) -> PropositionPerte:
    """Propose `montant` du reste dû en perte ; redire la même proposition rend celle qui attend.

    Lève ValidationError : motif vide, montant nul ou au-dessus du reste dû, autre proposition en attente.
    """
    motif = motif.strip()
    if not motif:
        raise ValidationError({"motif": _("Dites pourquoi cette somme ne sera pas payée.")})
    try:
        with transaction.atomic():
            echeance = (
                Echeance.objects.select_for_update(no_key=True, of=("self",))
                .select_related("societe", "facture")
                .get(pk=echeance.pk)
            )
            attend = echeance.pertes.a_decider().first()
            if attend and (attend.montant, attend.motif) == (montant, motif):
                return attend
            if attend:
                raise ValidationError(
                    _("Une perte de %(montant)s attend déjà une décision sur cette pièce.")
                    % {"montant": somme(attend.montant, echeance.devise)}
                )
            _controler(echeance, montant)
            perte = PropositionPerte.objects.create(
                echeance=echeance, montant=montant, motif=motif[:250], propose_par=acteur, propose_le=au
            )
            _consigner("perte.proposee", perte, acteur, motif)
    except IntegrityError:  # deux onglets
        raise ValidationError(_("Une perte attend déjà une décision sur cette pièce.")) from None
    return perte


def _controler(echeance: Echeance, montant: Decimal) -> None:
    if not 0 < montant <= echeance.reste_du:
        refus = _("Le montant en perte est positif, au plus ce qui reste dû : %(reste)s.")
        raise ValidationError({"montant": refus % {"reste": somme(echeance.reste_du, echeance.devise)}})


def _verrouiller(perte: PropositionPerte) -> PropositionPerte:
    return (
        PropositionPerte.objects.select_for_update(no_key=True, of=("self",))
        .select_related("echeance__societe", "echeance__facture", "echeance__client")
        .get(pk=perte.pk)
    )


@transaction.atomic
def accepter(perte: PropositionPerte, *, tva: bool, raison: str = "", au: date, acteur) -> bool:
    """Un avoir de nature « perte » solde la somme, qui sort des relances ; faux si elle était déjà décidée.

    tva : les conditions de l'article 272 du CGI sont remplies, la taxe se récupère. Lève ValidationError : décidée par
    qui l'a proposée, ou pièce payée depuis.
    """
    perte = _verrouiller(perte)
    if perte.statut != S.PROPOSEE:
        return False
    _autre_personne(perte, acteur)
    echeance = perte.echeance
    _controler(echeance, perte.montant)
    avoir = Avoir.objects.create(
        societe_id=echeance.societe_id, client=echeance.client, devise=echeance.devise, numero=f"PERTE-{perte.pk}",
        cle_source=f"{SAISIE}perte:{perte.pk}:{timezone.now():%Y%m%d%H%M%S%f}", date_emission=max(au, perte.propose_le),
        montant=perte.montant, nature=NatureAvoir.PERTE, facture_origine=echeance.facture,
    )  # fmt: skip
    imputer_avoir(avoir, [(echeance, perte.montant)], au=au, cle=_cle(perte), acteur=acteur)
    PropositionPerte.objects.filter(pk=perte.pk).update(
        statut=S.ACCEPTEE, decide_par=acteur, decide_le=timezone.now(), decision=raison.strip()[:250], avoir=avoir,
        tva_recuperee=tva,
    )  # fmt: skip
    _consigner("perte.acceptee", perte, acteur, raison, tva=tva)
    return True


@transaction.atomic
def refuser(perte: PropositionPerte, *, raison: str, acteur) -> bool:
    """La pièce reste due et relancée ; faux si elle était déjà décidée."""
    raison = raison.strip()
    if not raison:
        raise ValidationError({"raison": _("Dites pourquoi la perte est refusée.")})
    perte = _verrouiller(perte)
    if perte.statut != S.PROPOSEE:
        return False
    _autre_personne(perte, acteur)
    PropositionPerte.objects.filter(pk=perte.pk).update(
        statut=S.REFUSEE, decide_par=acteur, decide_le=timezone.now(), decision=raison[:250]
    )
    _consigner("perte.refusee", perte, acteur, raison)
    return True


@transaction.atomic
def retirer(perte: PropositionPerte, *, acteur) -> bool:
    """La proposition se retire tant qu'elle attend ; faux sinon."""
    perte = _verrouiller(perte)
    if perte.statut != S.PROPOSEE:
        return False
    PropositionPerte.objects.filter(pk=perte.pk).update(statut=S.RETIREE, decide_par=acteur, decide_le=timezone.now())
    _consigner("perte.retiree", perte, acteur, "")
    return True


@transaction.atomic
def defaire(perte: PropositionPerte, *, au: date, acteur) -> bool:
    """Rend la somme due et la proposition à décider ; faux si elle n'était pas passée en perte.

    Lève ValidationError si l'on a bâti dessus : avoir réaffecté, autre proposition ouverte depuis.
    """
    perte = _verrouiller(perte)
    if perte.statut != S.ACCEPTEE:
        return False
    if perte.echeance.pertes.a_decider().exists():
        raise ValidationError(_("Une autre perte attend une décision sur cette pièce : décidez-la d'abord."))
    avoir = Avoir.objects.select_for_update(no_key=True).get(pk=perte.avoir_id)
    rendu = desimputer(avoir, au=au, cle=_cle(perte), acteur=acteur)
    avoir.refresh_from_db()
    if rendu != perte.montant or avoir.impute:
        raise ValidationError(_("L'avoir de cette perte a été affecté autrement depuis : elle ne se défait plus."))
    PropositionPerte.objects.filter(pk=perte.pk).update(
        statut=S.PROPOSEE, decide_par=None, decide_le=None, decision="", avoir=None, tva_recuperee=False
    )
    avoir.delete()
    _consigner("perte.defaite", perte, acteur, "")
    return True


def _cle(perte: PropositionPerte) -> str:
    return f"perte-{perte.pk}"


def _autre_personne(perte: PropositionPerte, acteur) -> None:
    if acteur.pk == perte.propose_par_id:
        raise ValidationError(_("Une autre personne décide : vous avez proposé cette perte."))


def _consigner(action: str, perte: PropositionPerte, acteur, texte: str, **plus) -> None:
    echeance = perte.echeance
    dit = f"{echeance.facture} : {somme(perte.montant, echeance.devise)}"
    consigner(
        action, societe=echeance.societe, acteur=acteur, objet=perte, client=echeance.client_id,
        texte=f"{dit}, {texte.strip()}" if texte.strip() else dit,
        donnees={"echeance": echeance.pk, "montant": perte.montant, **plus},
    )  # fmt: skip
