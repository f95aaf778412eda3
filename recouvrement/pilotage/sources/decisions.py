"""Ce qu'une seconde personne décide : frein à lever à deux, accord à approuver, perte proposée ; accords à signer.

Une décision attend qui en a le droit dans la société, que le client soit ou non de son portefeuille.
"""

from collections.abc import Iterable

from django.db.models import Q, QuerySet
from django.utils.translation import gettext as _

from factures.models import Accord, PropositionPerte
from recouvrement.commun import formats
from recouvrement.commun.vues import adresse
from recouvrement.comptes.droits import Droit, societes_pour
from relances import motifs
from relances.models import LeveeDeFrein

from ..domaine.priorite import Genre
from . import base

A = Accord.Statut


def _levees_a_approuver(p: base.Portee) -> QuerySet:
    """Freins à lever à deux, demandés par une autre : la seconde personne, c'est peut-être celle-ci."""
    attendent = LeveeDeFrein.objects.filter(
        echeance__client__in=p.visibles, a_deux=True, approuvee_le=None, annulee_le=None, pour_le__gte=p.au
    )
    return attendent.filter(echeance__societe__in=societes_pour(p.user, Droit.LEVER_FREIN)).exclude(demandee_par=p.user)


def _levees(levees: QuerySet, p: base.Portee) -> Iterable[base.Action]:
    attendent = levees.select_related("echeance__facture", "demandee_par")
    for x in attendent.order_by("pour_le", "pk")[: base.PLAFOND]:
        yield base.Action(
            Genre.LEVEE,
            x.echeance.client_id,
            _("Approuver ou non : frein levé sur %(piece)s, %(montant)s")
            % {"piece": x.echeance.facture.numero, "montant": formats.somme(x.montant, x.echeance.devise)},
            p.au,
            _("%(frein)s · %(nom)s : %(motif)s · avant le passage du %(jour)s")
            % {
                "frein": motifs.libelle(x.frein), "nom": x.demandee_par, "motif": x.motif,
                "jour": formats.jour_court(x.pour_le),
            },
            url=base.fiche(x.echeance.client_id, o="pourquoi", echeance=x.echeance_id),
            levee_id=x.pk, tient=True,
        )  # fmt: skip


def _accords_ouverts(p: base.Portee) -> QuerySet:
    """À approuver, pour qui décide ; à signer avant la semaine, pour qui suit le client."""
    decide = societes_pour(p.user, Droit.LEVER_FREIN)
    a_approuver = Q(statut=A.A_APPROUVER, client__in=p.visibles, client__societe__in=decide) & ~Q(auteur=p.user)
    a_signer = Q(statut=A.PROPOSE, client__in=p.ids, expire_le__lte=p.au + base.HORIZON)
    return Accord.objects.filter(a_approuver | a_signer)


def _accords(accords: QuerySet, p: base.Portee) -> Iterable[base.Action]:
    for x in accords.select_related("auteur").order_by("expire_le", "pk")[: base.PLAFOND]:
        nom, montant = base.minuscule(x.get_genre_display()), formats.somme(x.montant, x.devise)
        if x.statut == A.A_APPROUVER:
            consigne = _("Approuver ou non : %(accord)s, %(montant)s") % {"accord": nom, "montant": montant}
            raison = _("proposé par %(nom)s le %(jour)s") % {
                "nom": x.auteur or _("le client"), "jour": formats.jour_court(x.propose_le),
            }  # fmt: skip
        else:
            consigne = _("Faire signer : %(accord)s, %(montant)s") % {"accord": nom, "montant": montant}
            raison = _("à signer avant le %(jour)s, sinon l'accord est caduc") % {
                "jour": formats.jour_court(x.expire_le)
            }
        yield base.Action(
            Genre.ACCORD, x.client_id, consigne, p.au, raison,
            url=adresse("clients:accord", x.client_id, x.pk) or base.fiche(x.client_id),
            tient=x.statut == A.A_APPROUVER,
        )  # fmt: skip


def _pertes_ouvertes(p: base.Portee) -> QuerySet:
    decide = societes_pour(p.user, Droit.LEVER_FREIN)
    return (
        PropositionPerte.objects.a_decider()
        .filter(echeance__client__in=p.visibles, echeance__societe__in=decide)
        .exclude(propose_par=p.user)
    )


def _pertes(pertes: QuerySet, p: base.Portee) -> Iterable[base.Action]:
    for x in pertes.select_related("echeance__facture", "propose_par").order_by("propose_le", "pk")[: base.PLAFOND]:
        client = x.echeance.client_id
        yield base.Action(
            Genre.PERTE, client,
            _("Décider d'une perte : %(piece)s, %(montant)s")
            % {"piece": x.echeance.facture.numero, "montant": formats.somme(x.montant, x.echeance.devise)},
            p.au,
            _("%(nom)s : %(motif)s") % {"nom": x.propose_par, "motif": x.motif},
            url=adresse("factures:perte", x.pk) or base.fiche(client), tient=True,
        )  # fmt: skip


LEVEES = base.Source(_levees_a_approuver, _levees, chemin="echeance__client", tenaces=lambda levees, _p: levees)
ACCORDS = base.Source(_accords_ouverts, _accords, tenaces=lambda accords, _p: accords.filter(statut=A.A_APPROUVER))
PERTES = base.Source(_pertes_ouvertes, _pertes, chemin="echeance__client", tenaces=lambda pertes, _p: pertes)
