"""Plans de relance : installation des plans livrés, lecture de la version publiée, publication."""

from dataclasses import dataclass

from django.db import transaction
from django.utils import timezone
from django.utils.translation import gettext as _

from recouvrement.comptes.models import Societe
from recouvrement.journal.services import consigner
from relances.domaine.controle import Constat, controler, publiable
from relances.domaine.echelle import PalierRegle, Plan
from relances.domaine.natures import Canal, ModePalier, Nature, Reference
from relances.domaine.plans import PLANS
from relances.models import Echelle, Palier, VersionEchelle


def installer_plans(societe: Societe) -> None:
    """Crée les trois plans livrés, version 1 publiée ; sans effet s'ils existent."""
    with transaction.atomic():
        for livre in PLANS:
            echelle, neuve = Echelle.objects.get_or_create(
                societe=societe,
                code=livre.code,
                defaults={"nom": livre.nom, "type_debiteur": livre.type_debiteur},
            )
            if not neuve:
                continue
            version = VersionEchelle.objects.create(
                echelle=echelle, numero=1, statut=VersionEchelle.Statut.PUBLIEE, publiee_le=timezone.now()
            )
            Palier.objects.bulk_create(
                Palier(
                    version=version, rang=rang, nature=p.nature, reference=p.reference, delai=p.delai,
                    canaux=[c.value for c in p.canaux], mode=p.mode, delai_reponse=p.delai_reponse,
                )
                for rang, p in enumerate(livre.paliers, 1)
            )  # fmt: skip


def regle(palier: Palier) -> PalierRegle:
    return PalierRegle(
        palier.pk, palier.rang, Nature(palier.nature), Reference(palier.reference), palier.delai,
        tuple(Canal(c) for c in palier.canaux), ModePalier(palier.mode), palier.delai_reponse,
    )  # fmt: skip


def plan_de(version: VersionEchelle) -> Plan:
    return Plan(
        version=version.pk,
        paliers=tuple(regle(p) for p in sorted(version.paliers.all(), key=lambda p: p.rang)),
        regroupement=version.regroupement,
        seuil_piece=version.seuil_piece,
        seuil_envoi=version.seuil_envoi,
        plafond_envoi=version.plafond_envoi,
    )


@dataclass(frozen=True)
class Plans:
    """Plans publiés d'une société : par type de débiteur, et par client pour les exceptions."""

    par_type: dict[str, Plan]
    par_client: dict[int, Plan]

    def pour(self, client_id: int, type_: str) -> Plan | None:
        # « À qualifier » suit l'échelle des entreprises ; ses pénalités sont bloquées par la règle.
        return self.par_client.get(client_id) or self.par_type.get("entreprise" if type_ == "a_qualifier" else type_)


def plans_publies(societe: Societe) -> Plans:
    """Trois requêtes, quel que soit le nombre de clients."""
    versions = (
        VersionEchelle.objects.filter(echelle__societe=societe, statut=VersionEchelle.Statut.PUBLIEE)
        .select_related("echelle")
        .prefetch_related("paliers")
    )
    par_echelle = {v.echelle_id: plan_de(v) for v in versions}
    par_type = {v.echelle.type_debiteur: par_echelle[v.echelle_id] for v in versions if v.echelle.par_defaut}
    liens = Echelle.clients.through.objects.filter(echelle__societe=societe).values_list("client_id", "echelle_id")
    par_client = {c: par_echelle[e] for c, e in liens if e in par_echelle}
    return Plans(par_type, par_client)


class PlanInvalide(ValueError):
    """Le geste est refusé ; le message dit pourquoi."""


def controler_version(version: VersionEchelle) -> list[Constat]:
    societe = version.echelle.societe
    return controler(
        plan_de(version).paliers,
        type_debiteur=version.echelle.type_debiteur,
        max_amiables=societe.max_amiables,
        delai_entre_contacts=societe.delai_entre_contacts,
    )


def exiger_publiable(version: VersionEchelle) -> None:
    """Lève PlanInvalide si le contrôle du plan n'est pas passé."""
    if not publiable(controler_version(version)):
        raise PlanInvalide(_("Le contrôle du plan n'est pas passé : corrigez ce qui est nommé, puis publiez."))


def _ouvert(version: VersionEchelle) -> None:
    if version.statut != VersionEchelle.Statut.BROUILLON:
        raise PlanInvalide(_("Cette version est publiée : elle ne se modifie plus. Ouvrez un brouillon."))


def publier(version: VersionEchelle, *, par) -> None:
    """Publie un brouillon : la version d'avant est retirée, les niveaux atteints ne bougent pas.

    Lève PlanInvalide si ce n'est plus un brouillon. Qui publie pour une personne appelle d'abord
    `exiger_publiable` : la démonstration publie exprès un plan imparfait.
    """
    with transaction.atomic():
        brouillon = VersionEchelle.objects.select_for_update().get(pk=version.pk)
        _ouvert(brouillon)
        VersionEchelle.objects.filter(echelle=brouillon.echelle, statut=VersionEchelle.Statut.PUBLIEE).update(
            statut=VersionEchelle.Statut.RETIREE
        )
        brouillon.statut = VersionEchelle.Statut.PUBLIEE
        brouillon.publiee_le, brouillon.publiee_par = timezone.now(), par
        brouillon.save(update_fields=["statut", "publiee_le", "publiee_par"])
        consigner(
            "plan.publie",
            societe=brouillon.echelle.societe,
            acteur=par,
            objet=brouillon,
            texte=f"Plan {brouillon.echelle.nom}, version {brouillon.numero} publiée",
        )


def nouveau_brouillon(echelle: Echelle, *, par) -> VersionEchelle:
    """Copie la version publiée en brouillon, ou rend le brouillon déjà ouvert."""
    with transaction.atomic():
        echelle = Echelle.objects.select_for_update().get(pk=echelle.pk)
        ouvert = echelle.versions.filter(statut=VersionEchelle.Statut.BROUILLON).first()
        if ouvert:
            return ouvert
        source = echelle.versions.get(statut=VersionEchelle.Statut.PUBLIEE)
        paliers = list(source.paliers.all())
        numero = echelle.versions.order_by("-numero").values_list("numero", flat=True)[0] + 1
        source.pk, source._state.adding = None, True
        source.numero, source.statut = numero, VersionEchelle.Statut.BROUILLON
        source.publiee_le = source.publiee_par = None
        source.save()
        for p in paliers:
            p.pk, p._state.adding, p.version = None, True, source
        Palier.objects.bulk_create(paliers)
        consigner("plan.brouillon", societe=echelle.societe, acteur=par, objet=source, texte=f"Brouillon n° {numero}")
        return source


def abandonner(version: VersionEchelle, *, par) -> None:
    """Efface un brouillon : la version publiée n'a jamais cessé de s'appliquer."""
    with transaction.atomic():
        brouillon = VersionEchelle.objects.select_for_update().get(pk=version.pk)
        _ouvert(brouillon)
        consigner(
            "plan.abandonne",
            societe=brouillon.echelle.societe,
            acteur=par,
            objet=brouillon.echelle,
            texte=f"Brouillon n° {brouillon.numero} abandonné",
        )
        brouillon.delete()


def retirer_palier(palier: Palier) -> None:
    """Retire un palier d'un brouillon ; les suivants remontent d'un rang."""
    with transaction.atomic():
        version = VersionEchelle.objects.select_for_update().get(pk=palier.version_id)
        _ouvert(version)
        palier.delete()
        _renumeroter(version)


def ajouter_palier(version: VersionEchelle, nature: Nature) -> Palier:
    """Ajoute à un brouillon un palier de cette nature, à sa place, avec les réglages du plan livré."""
    livres = [p for plan in PLANS for p in plan.paliers if p.nature == nature]
    with transaction.atomic():
        version = VersionEchelle.objects.select_for_update().get(pk=version.pk)
        _ouvert(version)
        dernier = version.paliers.order_by("-rang").first()
        modele = livres[0] if livres else None
        neuf = Palier.objects.create(
            version=version,
            rang=(dernier.rang if dernier else 0) + 1,
            nature=nature,
            reference=modele.reference if modele else Reference.ECHEANCE,
            delai=modele.delai if modele else -7,
            canaux=[c.value for c in (modele.canaux if modele else (Canal.COURRIEL,))],
            mode=modele.mode if modele else ModePalier.AUTOMATIQUE,
            delai_reponse=modele.delai_reponse if modele else 8,
        )
        _renumeroter(version)
    neuf.refresh_from_db()
    return neuf


def _renumeroter(version: VersionEchelle) -> None:
    """Rangs de 1 à n, du plus doux au plus grave ; un brouillon n'a servi à aucune relance."""
    paliers = sorted(version.paliers.all(), key=lambda p: (p.nature, p.rang))
    for decalage in (1000, 0):  # deux temps : le rang est unique dans la version
        for rang, p in enumerate(paliers, 1):
            Palier.objects.filter(pk=p.pk).update(rang=rang + decalage)
