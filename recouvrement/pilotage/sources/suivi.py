"""Ce qui est promis, contesté, reçu : promesses à contrôler, litiges à traiter, encaissements à affecter."""

from collections import defaultdict
from collections.abc import Iterable
from datetime import timedelta

from django.db.models import F, OuterRef, QuerySet, Subquery
from django.utils.translation import gettext as _

from factures.models import Echeance, Encaissement, Litige, Promesse
from factures.services import limite_promesse
from recouvrement.commun import formats

from ..domaine.priorite import Genre
from . import base


def _promesses_attendues(p: base.Portee) -> QuerySet:
    return Promesse.objects.en_attente().filter(client__in=p.ids, date_promise__lte=p.au + base.HORIZON)


def _promesses(promesses: QuerySet, p: base.Portee) -> Iterable[base.Action]:
    """Promesses dont le contrôle tombe dans la semaine ; les rompues ont leur tâche."""
    attendues = promesses.select_related("client__societe").annotate(devise=_devise_promise())
    for x in attendues.order_by("date_promise", "pk")[: base.PLAFOND]:
        limite = limite_promesse(x.date_promise, x.client.societe.region_feries)
        montant = formats.somme(x.montant, x.devise or "EUR")
        consigne = _("Promesse de %(montant)s à contrôler le %(jour)s")
        yield base.Action(
            Genre.AUTRE, x.client_id, consigne % {"montant": montant, "jour": formats.jour_court(limite)},
            max(limite, p.au + timedelta(days=1)),
            _("promise pour le %(jour)s") % {"jour": formats.jour_court(x.date_promise)},
        )  # fmt: skip


def _devise_promise():
    """Une promesse ne réunit qu'une devise : celle de sa première pièce."""
    liens = Promesse.echeances.through.objects.filter(promesse=OuterRef("pk")).order_by("pk")
    return Subquery(liens.values("echeance__devise")[:1])


def _litiges_a_traiter(p: base.Portee) -> QuerySet:
    return Litige.objects.ouverts().filter(echeance__client__in=p.ids, a_traiter_le__lte=p.au + base.HORIZON)


def _litiges(litiges: QuerySet, p: base.Portee) -> Iterable[base.Action]:
    a_traiter = litiges.select_related("echeance__facture", "responsable")
    for x in a_traiter.order_by("a_traiter_le", "pk")[: base.PLAFOND]:
        raison = [_("échéance du litige : %(jour)s") % {"jour": base.jour_ou_aujourdhui(x.a_traiter_le, p.au)}]
        if x.responsable:
            raison.append(_("responsable : %(nom)s") % {"nom": x.responsable})
        yield base.Action(
            Genre.LITIGE,
            x.echeance.client_id,
            _("Clore ou prolonger le litige : %(montant)s contestés")
            % {"montant": formats.somme(x.montant_conteste, x.echeance.devise)},
            x.a_traiter_le,
            " · ".join([x.echeance.facture.numero, *raison]),
            url=base.fiche(x.echeance.client_id, volet="clore", litige=x.pk),
        )


def _encaissements_a_affecter(p: base.Portee) -> QuerySet:
    """Ceux des clients qui ont une pièce ouverte dans cette devise : il y a où les poser.

    Une sous-requête scalaire, pas un EXISTS : PostgreSQL prend `impute < montant` pour un tiers de la table, et d'un
    EXISTS ferait une jointure de tout l'ouvert avant de regarder les quelques encaissements du portefeuille.
    """
    a_payer = Echeance.objects.ouvertes().filter(
        client=OuterRef("client"), societe=OuterRef("societe"), devise=OuterRef("devise")
    )
    return Encaissement.objects.alias(ou=Subquery(a_payer.order_by().values("pk")[:1])).filter(
        client__in=p.ids, impute__lt=F("montant"), ou__isnull=False
    )


def _virements(encaissements: QuerySet, p: base.Portee) -> Iterable[base.Action]:
    groupes: dict[tuple[int, str], list] = defaultdict(list)
    for e in encaissements.order_by("date", "pk")[: base.PLAFOND]:
        groupes[e.client_id, e.devise].append(e)
    for (client, devise), recus in groupes.items():
        reste = formats.somme(sum(e.montant - e.impute for e in recus), devise)
        if len(recus) == 1:
            consigne = _("Affecter les %(montant)s reçus le %(jour)s") % {
                "montant": reste,
                "jour": formats.jour_court(recus[0].date),
            }
        else:
            consigne = _("Affecter %(n)d encaissements, %(montant)s") % {"n": len(recus), "montant": reste}
        yield base.Action(
            Genre.VIREMENT, client, consigne, p.au,
            _("tant qu'il n'est pas affecté, les relances peuvent être retenues"),
            url=base.fiche(client, volet="affecter", credit=f"encaissement-{recus[0].pk}"),
        )  # fmt: skip


PROMESSES = base.Source(_promesses_attendues, _promesses)
LITIGES = base.Source(_litiges_a_traiter, _litiges, chemin="echeance__client")
VIREMENTS = base.Source(_encaissements_a_affecter, _virements)
