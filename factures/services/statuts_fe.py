"""Noter à la main un statut de facture électronique, tel que la plateforme agréée le donne (droit.md § 12)."""

from datetime import date
from enum import StrEnum

from django.core.exceptions import ValidationError
from django.db import transaction
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy

from recouvrement.commun.formats import jour
from recouvrement.journal.models import Maillon
from recouvrement.journal.services import consigner

from ..domaine.statuts_fe import code_lisible
from ..donnees import statuts_fe
from ..models import Facture

TROIS_CHIFFRES = gettext_lazy("Un statut est un code de trois chiffres, comme 207.")


class Suite(StrEnum):
    """Ce que noter un statut a fait."""

    NOTE = "note"  # il est désormais le statut de la facture
    ANCIEN = "ancien"  # un plus récent est déjà noté : celui-ci n'est qu'au journal
    DEJA = "deja"  # déjà dit : rien n'a changé


def nommer(code: str) -> str:
    """« 207, En litige » ; un code inconnu se dit seul."""
    libelle = statuts_fe().get(code)
    return f"{code}, {libelle}" if libelle else code


@transaction.atomic
def noter_statut(facture: Facture, *, code: str, le: date, au: date, acteur) -> Suite:
    """Note le statut `code` donné par la plateforme le jour `le` ; la relance le lit à la nuit et avant chaque envoi.

    Du même jour, le dernier noté l'emporte : c'est aussi la façon de corriger une erreur. N'ouvre ni ne clôt aucun
    litige. Lève ValidationError : code qui n'a pas trois chiffres, jour à venir ou antérieur à la facture.
    """
    code = code.strip()
    if not code_lisible(code):
        raise ValidationError({"code": TROIS_CHIFFRES})
    facture = Facture.objects.select_for_update(no_key=True, of=("self",)).select_related("societe").get(pk=facture.pk)
    if le > au:
        raise ValidationError({"le": _("La plateforme n'a pas pu donner ce statut un jour à venir.")})
    if le < facture.date_emission:
        raise ValidationError(
            {
                "le": _("La facture est du %(jour)s : son statut ne peut la précéder.")
                % {"jour": jour(facture.date_emission)}
            }
        )
    avant, avant_le = facture.statut_fe, facture.statut_fe_le
    if (avant, avant_le) == (code, le):
        return Suite.DEJA
    ancien = bool(avant and avant_le and le < avant_le)
    action = "facture.statut_ancien" if ancien else "facture.statut"
    donnees = {"code": code, "le": le}
    if ancien:
        dits = Maillon.objects.filter(
            client_id=facture.client_id, objet_type=Facture._meta.label_lower, objet_id=facture.pk,
            action__in=("facture.statut", "facture.statut_ancien"),
            detail__donnees__code=code, detail__donnees__le=le.isoformat(),
        )  # fmt: skip
        if dits.exists():
            return Suite.DEJA
        texte = _("%(piece)s : statut %(statut)s, antérieur à celui du %(jour)s, qui reste")
    else:
        facture.statut_fe, facture.statut_fe_le = code, le
        facture.save(update_fields=["statut_fe", "statut_fe_le"])
        donnees |= {"avant": avant, "avant_le": avant_le}
        texte = _("%(piece)s : statut %(statut)s")
    consigner(
        action,
        societe=facture.societe,
        acteur=acteur,
        objet=facture,
        client=facture.client_id,
        texte=texte % {"piece": facture, "statut": nommer(code), "jour": jour(avant_le) if avant_le else ""},
        donnees=donnees,
    )
    return Suite.ANCIEN if ancien else Suite.NOTE
