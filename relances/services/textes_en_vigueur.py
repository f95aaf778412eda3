"""Quel texte part : le modèle que nomme le palier, sinon le standard de la société, sinon le texte livré."""

from datetime import datetime

from django.db.models import Q

from relances.models import Courrier, VersionModele

STANDARD = "standard"  # code du modèle qu'un palier emploie sans le nommer


def versions_pour(courrier: Courrier) -> dict[str, VersionModele]:
    """{support: version} pour ce courrier ; un support absent suit le texte livré. Une requête.

    Un courrier validé garde le texte publié à ce moment : la personne a lu celui-là. Revenu à valider, il suit le
    texte du jour.
    """
    client, code = courrier.client, courrier.palier.modele
    relu_le = courrier.valide_le if courrier.statut != Courrier.Statut.A_VALIDER else None
    versions = VersionModele.objects.filter(
        _en_vigueur(relu_le),
        modele__societe=courrier.societe_id,
        modele__nature=courrier.nature,
        modele__type_debiteur=client.type,
        modele__langue=client.langue,
        modele__code__in={code or STANDARD, STANDARD},
        publiee_le__isnull=False,
    ).select_related("modele")
    choisies: dict[str, VersionModele] = {}
    for version in sorted(versions, key=lambda v: (v.modele.code == code, v.publiee_le, v.numero)):
        choisies[version.modele.support] = version
    return choisies


def _en_vigueur(quand: datetime | None) -> Q:
    if quand is None:
        return Q(statut=VersionModele.Statut.PUBLIEE, modele__retire_le=None)
    return Q(publiee_le__lte=quand) & (Q(modele__retire_le=None) | Q(modele__retire_le__gt=quand))
