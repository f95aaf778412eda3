"""Exporter un plan, en importer un : jamais une version publiée, toujours un brouillon à relire."""

from django.db import transaction
from django.utils.translation import gettext as _

from clients.models import Regroupement, RoleContact
from recouvrement.comptes.models import Societe
from recouvrement.journal.services import consigner
from relances.domaine import echange_plans
from relances.domaine.echange_plans import PalierLu, PlanLu
from relances.domaine.natures import Canal, ModePalier, Nature, Reference
from relances.models import Echelle, Palier, VersionEchelle

from .brouillons import nouveau_brouillon
from .plans import PlanInvalide
from .plans_societe import creer_plan

V = VersionEchelle.Statut


def exporter(version: VersionEchelle) -> str:
    """Le JSON d'une version : ses règles, sans client, sans auteur, sans histoire."""
    return echange_plans.ecrire(
        PlanLu(
            version.echelle.nom, version.echelle.type_debiteur, version.regroupement, version.seuil_piece,
            version.seuil_envoi, version.plafond_envoi,
            tuple(
                PalierLu(
                    Nature(p.nature), Reference(p.reference), p.delai, tuple(Canal(c) for c in p.canaux),
                    ModePalier(p.mode), p.delai_reponse, p.modele, p.role_destinataire,
                )
                for p in sorted(version.paliers.all(), key=lambda p: p.rang)
            ),
        )
    )  # fmt: skip


def lire(octets: bytes) -> PlanLu:
    """Lève FichierRefuse en nommant l'endroit et la faute."""
    return echange_plans.lire(octets, regroupements=Regroupement.values, roles=RoleContact.values)


def importer(plan: PlanLu, societe: Societe, *, par, echelle: Echelle | None = None) -> VersionEchelle:
    """Un plan neuf, ou un brouillon de `echelle` ; rend ce brouillon.

    Lève PlanInvalide si le nom est pris, si le brouillon d'`echelle` est déjà ouvert ou si son droit diffère.
    """
    with transaction.atomic():
        if echelle is None:
            echelle = creer_plan(societe, plan.nom, par=par, type_debiteur=plan.type_debiteur)
        else:
            if echelle.type_debiteur != plan.type_debiteur:
                raise PlanInvalide(_("Ce fichier règle un plan d'un autre type de débiteur : un autre droit."))
            if echelle.versions.filter(statut=V.BROUILLON).exists():
                raise PlanInvalide(_("Un brouillon est déjà ouvert : publiez-le ou abandonnez-le avant d'importer."))
            nouveau_brouillon(echelle, par=par)
        version = echelle.versions.select_for_update(no_key=True).get(statut=V.BROUILLON)
        for champ in ("regroupement", "seuil_piece", "seuil_envoi", "plafond_envoi"):
            setattr(version, champ, getattr(plan, champ))
        version.save()
        version.paliers.all().delete()
        Palier.objects.bulk_create(
            Palier(version=version, rang=rang, **p._asdict() | {"canaux": [c.value for c in p.canaux]})
            for rang, p in enumerate(plan.paliers, 1)
        )
        consigner("plan.importe", societe=societe, acteur=par, objet=version, texte=f"Plan {plan.nom} importé")
    return version
