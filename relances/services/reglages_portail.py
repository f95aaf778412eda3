"""Ouvrir, fermer ou régler la page des clients d'une société : chaque changement se consigne, les secrets jamais."""

from django.db import transaction

from recouvrement.journal.services import consigner
from relances.models import ReglagePortail

SECRETS = ("carte_secret", "carte_signature")
CHAMPS = (
    "actif", "duree_jours", "declarations", "echeanciers", "accord_immediat", "contact_donnees", "carte", *SECRETS,
)  # fmt: skip


@transaction.atomic
def enregistrer(reglage: ReglagePortail, *, acteur) -> bool:
    """Faux si rien ne change. Refermer la page coupe tous les liens déjà donnés ; la rouvrir les rend."""
    avant = ReglagePortail.objects.select_for_update(no_key=True).filter(societe=reglage.societe_id).first()
    changes = [c for c in CHAMPS if avant is None or getattr(avant, c) != getattr(reglage, c)]
    if not changes:
        return False
    if avant is not None:
        reglage.pk = avant.pk
    reglage.save()
    consigner(
        "portail.regle", societe=reglage.societe, acteur=acteur, objet=reglage,
        texte="Page du client ouverte" if reglage.actif else "Page du client fermée",
        donnees={c: "changé" if c in SECRETS else getattr(reglage, c) for c in changes},
    )  # fmt: skip
    return True
