"""Écrire le réglage des réponses d'une société, consigné champ par champ ; le secret n'y paraît jamais."""

from django.db import transaction

from recouvrement.journal.services import consigner
from relances.models import ReglageReponses

TUS = {"imap_secret"}
SUIVIS = (
    "adresse", "retient_jours", "actif", "imap_hote", "imap_port", "imap_tls", "imap_utilisateur", "imap_secret",
    "imap_dossier",
)  # fmt: skip


@transaction.atomic
def enregistrer(reglage: ReglageReponses, *, acteur) -> ReglageReponses:
    """Écrit le réglage ; réglée à neuf, la boîte oublie sa dernière erreur. Lève ValidationError."""
    avant = ReglageReponses.objects.select_for_update(no_key=True).filter(societe=reglage.societe).first()
    if avant:
        reglage.pk = avant.pk
    changes = [nom for nom in SUIVIS if avant is None or getattr(avant, nom) != getattr(reglage, nom)]
    if not changes:
        return reglage
    reglage.erreur, reglage.erreur_le, reglage.lue_le = "", None, avant.lue_le if avant else None
    reglage.full_clean()
    reglage.save()
    consigner(
        "reglage_reponses.modifie", societe=reglage.societe, acteur=acteur, objet=reglage, texte=str(reglage),
        donnees={"champs": {n: "…" if n in TUS else str(getattr(reglage, n)) for n in changes}},
    )  # fmt: skip
    return reglage
