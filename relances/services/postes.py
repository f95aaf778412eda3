"""La poste : dépôt, présentation, retour de l'avis (exigence 26)."""

from datetime import date

from django.db import IntegrityError, transaction
from django.utils import timezone
from django.utils.translation import gettext as _

from clients.models import Client
from recouvrement.commun import depot
from relances.domaine.natures import Canal
from relances.domaine.statuts import TransitionInterdite
from relances.models import Courrier, Tache

from .envoi import constater_relances, mettre_en_erreur
from .etats import Refus, consigner_geste, passer, verrouiller
from .taches import creer_tache

S = Courrier.Statut


def poster(courrier: Courrier, *, par, depose_le: date, numero_suivi: str = "", au: date | None = None) -> None:
    """Lettre ou recommandé déposé au guichet (exigence 26). au : aujourd'hui ; un dépôt à venir est refusé."""
    numero_suivi = "".join(numero_suivi.split()).upper()
    try:
        with transaction.atomic():
            courrier = verrouiller(courrier)
            if au and depose_le > au:
                raise Refus(_("La date du dépôt est à venir : saisissez celle de la preuve de dépôt."))
            if courrier.arrete_au and depose_le < courrier.arrete_au:
                raise Refus(_("Le dépôt ne peut pas précéder la date imprimée sur la lettre."))
            if courrier.canal == Canal.RECOMMANDE and not numero_suivi:
                raise Refus(_("Le numéro de suivi du recommandé est nécessaire."))
            passer(courrier, S.POSTE, depose_le=depose_le, numero_suivi=numero_suivi, envoye_le=timezone.now())
            constater_relances(courrier, au=depose_le)
            consigner_geste(
                "courrier.poste", courrier, par, f"{courrier.get_canal_display()} déposé", numero_suivi=numero_suivi
            )
    except IntegrityError as erreur:
        raise Refus(_("Ce numéro de suivi est déjà celui d'un autre recommandé.")) from erreur


def consigner_retour(
    courrier: Courrier,
    *,
    par,
    retour: str,
    retour_le: date,
    presente_le: date | None = None,
    scan=None,
    au: date | None = None,
) -> None:
    """Retour de l'avis : distribué, non réclamé, refusé (valables), ou NPAI (adresse à refaire).

    au : aujourd'hui ; une date à venir est refusée. scan : (octets, suffixe) de l'avis, rangé par empreinte.
    """
    with transaction.atomic():
        courrier = verrouiller(courrier)
        if courrier.statut != S.POSTE:
            raise TransitionInterdite(_("Seul un courrier posté a un retour d'avis."))
        if courrier.depose_le and retour_le < courrier.depose_le:
            raise Refus(_("Le retour ne peut pas précéder le dépôt."))
        if presente_le and not courrier.depose_le <= presente_le <= retour_le:
            raise Refus(_("La présentation est entre le dépôt et le retour."))
        if au and retour_le > au:
            raise Refus(_("Cette date est à venir."))
        champs = {"retour": retour, "retour_le": retour_le, "presente_le": presente_le}
        if scan:
            champs["avis_chemin"], champs["avis_empreinte"] = depot.ranger(*scan)
        Courrier.objects.filter(pk=courrier.pk).update(**champs, updated_at=timezone.now())
        if retour == Courrier.Retour.NPAI:
            # La mise en demeure n'a pas été présentée à la bonne adresse : elle est à refaire (droit.md § 6).
            passer(courrier, S.EN_ERREUR, erreur="NPAI : destinataire inconnu à l'adresse")
            mettre_en_erreur(courrier, au=retour_le)
            # Ni lettre ni recommandé à cette adresse tant qu'elle n'est pas corrigée.
            Client.objects.filter(pk=courrier.client_id).update(adresse_invalide_le=retour_le)
            creer_tache(
                courrier.client, genre=Tache.Genre.SANS_ADRESSE, titre="Retrouver l'adresse (NPAI)", due_le=retour_le,
                cle=f"npai:{courrier.pk}", raison=f"{courrier} revenu NPAI",
            )  # fmt: skip
        consigner_geste("courrier.retour", courrier, par, f"Retour d'avis : {Courrier.Retour(retour).label}")
