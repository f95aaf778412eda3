"""Changer le type d'un débiteur à mi-parcours : trois droits différents, les niveaux restent."""

from collections.abc import Iterable

from django.core.exceptions import ValidationError
from django.utils.translation import gettext as _

from clients.models import Client, TypeDebiteur
from recouvrement.commun import formats
from relances.domaine.natures import Nature
from relances.models import Courrier

from .plans import plans_publies

CHIFFREES = (Nature.FORMALISATION, Nature.MISE_EN_DEMEURE)
EN_ROUTE = (Courrier.Statut.A_VALIDER, Courrier.Statut.A_ENVOYER, Courrier.Statut.EN_COURS, Courrier.Statut.A_POSTER)


def courriers_chiffres(client: Client) -> list[Courrier]:
    """Lettres qui réclament des accessoires sous l'ancien droit, et pas encore parties."""
    return list(client.courriers.filter(statut__in=EN_ROUTE, nature__in=CHIFFREES).order_by("-nature", "pk"))


def verifier_changement_de_type(client: Client, nouveau: str) -> None:
    """Lève ValidationError si un courrier chiffré attend de partir : il dirait un droit qui n'est plus le sien.

    Refuser plutôt qu'annuler : retenir une mise en demeure est une décision, elle se prend sur la lettre.
    """
    ancien = (
        Client.objects.select_for_update(no_key=True, of=("self",)).values_list("type", flat=True).get(pk=client.pk)
    )
    if nouveau == ancien:
        return
    if en_route := courriers_chiffres(client):
        raise ValidationError({"type": _raison(en_route[0])})


def changements_refuses(clients: Iterable[int]) -> dict[int, str]:
    """{client: raison} de ceux à qui la même règle refuse un autre type, en deux requêtes ; verrouille leurs fiches."""
    verrouilles = list(
        Client.objects.select_for_update(no_key=True, of=("self",))
        .filter(pk__in=clients)
        .order_by("pk")
        .values_list("pk", flat=True)
    )
    en_route = Courrier.objects.filter(client__in=verrouilles, statut__in=EN_ROUTE, nature__in=CHIFFREES)
    return {c.client_id: _raison(c) for c in en_route.order_by("nature", "-pk")}


def _raison(courrier: Courrier) -> str:
    return _("%(courrier)s attend de partir sous l'ancien type : envoyez ou retenez ce courrier d'abord.") % {
        "courrier": _nommer(courrier)
    }


def _nommer(courrier: Courrier) -> str:
    montant = formats.somme(courrier.total, courrier.devise)
    return f"{courrier.get_nature_display()} {courrier.reference}".strip() + f", {montant}"


def effets_du_type(client: Client, nouveau: str) -> list[str]:
    """Ce que le nouveau type change, en phrases ; vide s'il est le même."""
    if nouveau == client.type or nouveau not in TypeDebiteur.values:
        return []
    if en_route := courriers_chiffres(client):
        return [
            _("Refusé tant que ce courrier attend de partir : %(courrier)s.") % {"courrier": _nommer(en_route[0])},
        ]
    droit = {
        TypeDebiteur.ENTREPRISE: _(
            "Pénalités dès le lendemain de l'échéance (BCE + 10, ou le taux stipulé) et 40 € par facture (L441-10)."
        ),
        TypeDebiteur.ADMINISTRATION: _(
            "Intérêts moratoires BCE + 8 et 40 € par facture (CCP) ; ni injonction de payer ni saisie."
        ),
        TypeDebiteur.PARTICULIER: _(
            "Ni pénalités ni 40 € : l'intérêt légal, depuis la mise en demeure reçue ; prescription de deux ans."
        ),
        TypeDebiteur.A_QUALIFIER: _("Ni pénalité, ni formalisation, ni mise en demeure tant qu'il n'est pas précisé."),
    }[TypeDebiteur(nouveau)]
    phrases = [droit]
    if nouveau == TypeDebiteur.PARTICULIER and client.taux_penalites is not None:
        taux = formats.pourcent(client.taux_penalites, 2)
        phrases.append(
            _("Le taux stipulé, %(taux)s, est à retirer : il ne vaut pas contre un consommateur.") % {"taux": taux}
        )
    plans = plans_publies(client.societe)
    if client.pk in plans.par_client:
        phrases.append(_("Le plan propre à ce client ne vaut plus s'il n'est pas fait pour ce type."))
    elif plans.pour(client.pk, nouveau) is None:
        phrases.append(_("Aucun plan n'est publié pour ce type : plus rien ne part avant qu'il y en ait un."))
    else:
        phrases.append(_("Le plan de relance devient celui de ce type."))
    phrases.append(_("Chaque pièce garde le niveau atteint et reprend au palier suivant."))
    return phrases
