"""Passer la main : une tâche confiée à un collègue entre dans sa journée ; faite ou rendue, la fiche se referme."""

from datetime import date

from django.core.exceptions import ValidationError
from django.db import transaction
from django.utils.translation import gettext as _

from clients import partages
from clients.models import Partage
from recouvrement.comptes.droits import Droit, peut
from recouvrement.comptes.models import Utilisateur
from recouvrement.journal.services import consigner
from relances.models import Tache


@transaction.atomic
def confier_tache(tache: Tache, *, a: Utilisateur, motif: str, acteur, au: date) -> bool:
    """Confie une tâche ouverte à `a`, et lui ouvre le client. Faux si elle est déjà faite ou déjà à cette personne.

    Lève ValidationError : `a` ne peut pas agir dans la société, motif vide, ou c'est soi-même.
    """
    motif = motif.strip()[:200]
    if a == acteur:
        raise ValidationError({"a": _("Elle est déjà à vous.")})
    if not a.is_active or not peut(a, Droit.AGIR, tache.societe_id):
        raise ValidationError({"a": _("%(qui)s ne peut pas agir dans cette société.") % {"qui": a}})
    if not motif:
        raise ValidationError({"motif": _("Dites pourquoi vous la confiez : ce sera lu.")})
    lue = Tache.objects.select_for_update(no_key=True, of=("self",)).select_related("client__societe").get(pk=tache.pk)
    if lue.faite_le or lue.confiee_a_id == a.pk:
        return False
    avant = lue.confiee_a_id
    Tache.objects.filter(pk=lue.pk).update(confiee_a=a, confiee_par=acteur, confiee_motif=motif)
    if avant:
        _refermer([(lue.client_id, avant)], au=au, de_suite=True)
    if lue.client.gestionnaire_id != a.pk:
        partages.confier(lue.client, a=a, motif=motif, acteur=acteur, au=au)
    consigner(
        "tache.confiee", societe=lue.client.societe, acteur=acteur, objet=lue, client=lue.client_id,
        texte=_("« %(titre)s » confiée à %(nom)s : %(motif)s") % {"titre": lue.titre, "nom": a, "motif": motif},
        donnees={"a": a.pk},
    )  # fmt: skip
    return True


@transaction.atomic
def rendre_tache(tache: Tache, *, acteur, au: date, motif: str = "") -> bool:
    """La tâche revient à qui suit le client : rendue par le collègue, ou reprise par qui l'avait confiée."""
    lue = Tache.objects.select_for_update(no_key=True, of=("self",)).select_related("client__societe").get(pk=tache.pk)
    if lue.faite_le or not lue.confiee_a_id:
        return False
    collegue = lue.confiee_a_id
    Tache.objects.filter(pk=lue.pk).update(confiee_a=None, confiee_par=None, confiee_motif="")
    _refermer([(lue.client_id, collegue)], au=au, de_suite=collegue != acteur.pk)
    rendue = _("« %(titre)s » rendue") if collegue == acteur.pk else _("« %(titre)s » reprise")
    consigner(
        "tache.rendue", societe=lue.client.societe, acteur=acteur, objet=lue, client=lue.client_id,
        texte=" : ".join(filter(None, [rendue % {"titre": lue.titre}, motif.strip()])), donnees={"de": collegue},
    )  # fmt: skip
    return True


def refermer_les_affaires_finies(*, au: date) -> int:
    """Une affaire confiée dont plus aucune tâche n'est ouverte se referme ce soir, quel que soit le geste qui la finit.

    Jusqu'au soir, qui vient de finir relit sa fiche et défait son geste. Rejouable à tout moment.
    """
    ouvertes = Partage.objects.en_cours(au).filter(genre=Partage.Genre.CONFIE, au__gt=au)
    return _refermer(list(ouvertes.values_list("client", "utilisateur")), au=au)


def _refermer(couples: list[tuple[int, int]], *, au: date, de_suite: bool = False) -> int:
    """Ferme ceux de ces (client, personne) qui n'ont plus de tâche confiée ouverte."""
    encore = set(
        Tache.objects.filter(
            client__in={c for c, _u in couples}, confiee_a__in={u for _c, u in couples}, faite_le=None
        ).values_list("client", "confiee_a")
    )
    return partages.fermer([x for x in couples if x not in encore], au=au, de_suite=de_suite)
