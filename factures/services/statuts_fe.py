"""Noter à la main un statut de facture électronique (droit.md § 12), et décider de ce qui contredit le compte."""

from datetime import date
from enum import StrEnum

from django.core.exceptions import ValidationError
from django.db import transaction
from django.utils import timezone
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy

from recouvrement.commun.formats import jour
from recouvrement.journal.models import Maillon
from recouvrement.journal.services import consigner

from ..domaine.cycle_de_vie import CYCLE, DISENT_PAYEE
from ..domaine.statuts_fe import code_lisible
from ..donnees import statuts_fe
from ..models import Facture, StatutRecu

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


class Issue(StrEnum):
    """Ce qu'une personne décide d'un paiement dit par la plateforme et absent du compte."""

    VERIFIEE = "verifiee"  # l'encaissement est retrouvé, ou attendu : le frein reste jusqu'à lui
    ECARTEE = "ecartee"  # la plateforme se trompe : son dire ne retient plus la relance


def _avant_le_paiement(facture: Facture) -> tuple[str, date | None]:
    """Le plus récent statut qui ne dit pas un paiement, reçu d'un fichier ou noté à la main ; ("", None) sans aucun."""
    recus = StatutRecu.objects.filter(facture=facture, code__in=CYCLE).exclude(code__in=DISENT_PAYEE)
    dits = [(le, 0, pk, code) for code, le, pk in recus.values_list("code", "le", "pk")]
    a_la_main = Maillon.objects.filter(
        objet_type=Facture._meta.label_lower, objet_id=facture.pk,
        action__in=("facture.statut", "facture.statut_ancien"),
    )  # fmt: skip
    for rang, donnees in a_la_main.values_list("rang", "detail__donnees"):
        if donnees and donnees.get("code") in CYCLE - DISENT_PAYEE:
            dits.append((date.fromisoformat(donnees["le"]), 1, rang, donnees["code"]))
    if not dits:
        return "", None
    le, _genre, _rang, code = max(dits)
    return code, le


@transaction.atomic
def decider_anomalie(statut: StatutRecu, *, issue: Issue, acteur) -> bool:
    """Note la décision ; faux si elle était déjà prise (double clic). Écartée, la facture reprend son statut d'avant.

    « D'avant » : le plus récent, reçu ou noté à la main, qui ne dit rien d'un paiement, ou aucun.
    """
    facture = (
        Facture.objects.select_for_update(no_key=True, of=("self",)).select_related("societe").get(pk=statut.facture_id)
    )
    statut = StatutRecu.objects.select_for_update(no_key=True).get(pk=statut.pk)
    if statut.decidee_le or not statut.anomalie:
        return False
    statut.decidee_le, statut.decidee_par = timezone.now(), acteur
    statut.save(update_fields=["decidee_le", "decidee_par"])
    avant = (facture.statut_fe, facture.statut_fe_le)
    if issue is Issue.ECARTEE and facture.statut_fe in DISENT_PAYEE:
        facture.statut_fe, facture.statut_fe_le = _avant_le_paiement(facture)
        facture.save(update_fields=["statut_fe", "statut_fe_le"])
    texte = {
        Issue.VERIFIEE: _("%(piece)s : statut %(statut)s vérifié"),
        Issue.ECARTEE: _("%(piece)s : statut %(statut)s écarté, il ne retient plus la relance"),
    }[issue]
    consigner(
        "facture.anomalie_decidee",
        societe=facture.societe,
        acteur=acteur,
        objet=facture,
        client=facture.client_id,
        texte=texte % {"piece": facture, "statut": nommer(statut.code)},
        donnees={"statut": statut.pk, "issue": issue.value, "avant": avant[0], "avant_le": avant[1]},
    )
    return True
