"""Plans de relance : installation des plans livrés, lecture de la version publiée, publication."""

from collections.abc import Iterable
from dataclasses import dataclass, replace
from itertools import groupby

from django.db import transaction
from django.utils import timezone
from django.utils.translation import gettext as _

from recouvrement.comptes.models import Societe
from recouvrement.journal.services import consigner
from relances.domaine.controle import Constat, controler, publiable
from relances.domaine.echelle import PalierRegle, Plan
from relances.domaine.natures import Canal, ModePalier, Nature, Reference
from relances.domaine.plans import PLANS
from relances.models import Echelle, Modele, Palier, VersionEchelle, VersionModele


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
        tuple(Canal(c) for c in palier.canaux), ModePalier(palier.mode), palier.delai_reponse, palier.version_id,
    )  # fmt: skip


def plan_de(version: VersionEchelle, anciens: dict[int, Plan] | None = None) -> Plan:
    return Plan(
        version=version.pk,
        paliers=tuple(regle(p) for p in sorted(version.paliers.all(), key=lambda p: p.rang)),
        regroupement=version.regroupement,
        seuil_piece=version.seuil_piece,
        seuil_envoi=version.seuil_envoi,
        plafond_envoi=version.plafond_envoi,
        anciens=anciens or {},
    )


def plan_en_vigueur(versions: Iterable[VersionEchelle], *, reprise: str = "") -> Plan | None:
    """Le plan d'une échelle après ces publications, dans l'ordre : la dernière juge, et qui juge ce qui est en cours.

    « nouvelles » : une pièce déjà relancée finit avec la version qui la jugeait jusque-là. « toutes » : elle passe à
    la nouvelle. reprise : remplace celle de la dernière, pour un essai à blanc. None si rien n'est publié.
    """
    plan = None
    vues = list(versions)
    for i, version in enumerate(vues, 1):
        choix = reprise if reprise and i == len(vues) else version.reprise
        anciens = {}
        if plan is not None and choix == "nouvelles":
            seul = replace(plan, anciens={})
            anciens = {v.pk: plan.anciens.get(v.pk, seul) for v in vues[: i - 1]}
        plan = plan_de(version, anciens)
    return plan


@dataclass(frozen=True)
class Plans:
    """Plans publiés d'une société : par type de débiteur, et par client pour les exceptions."""

    par_type: dict[str, Plan]
    par_client: dict[int, Plan]

    def tous(self) -> list[Plan]:
        """Tout ce qui peut juger ce soir, anciennes versions comprises."""
        courants = {p.version: p for p in (*self.par_type.values(), *self.par_client.values())}
        return [plan for p in courants.values() for plan in (p, *p.anciens.values())]

    def pour(self, client_id: int, type_: str) -> Plan | None:
        # « À qualifier » suit l'échelle des entreprises ; ses pénalités sont bloquées par la règle.
        return self.par_client.get(client_id) or self.par_type.get("entreprise" if type_ == "a_qualifier" else type_)


def meme_droit(type_client: str, type_plan: str) -> bool:
    """Un plan vaut pour les débiteurs de son type ; « à qualifier » suit celui des entreprises."""
    return ("entreprise" if type_client == "a_qualifier" else type_client) == type_plan


def versions_publiees(societe: Societe):
    """Versions publiées un jour, par plan puis dans l'ordre de leur publication."""
    versions = VersionEchelle.objects.filter(echelle__societe=societe).exclude(statut=VersionEchelle.Statut.BROUILLON)
    return versions.order_by("echelle", "numero").select_related("echelle").prefetch_related("paliers")


def plans_publies(societe: Societe) -> Plans:
    """Trois requêtes, quel que soit le nombre de clients."""
    par_echelle, par_type = {}, {}
    for echelle, versions in groupby(versions_publiees(societe), key=lambda v: v.echelle):
        versions = list(versions)
        if versions[-1].statut == VersionEchelle.Statut.PUBLIEE:  # sinon le plan est retiré
            par_echelle[echelle.pk] = plan_en_vigueur(versions)
            if echelle.par_defaut:
                par_type[echelle.type_debiteur] = par_echelle[echelle.pk]
    # Un client dont le type a changé depuis son affectation retrouve le plan de son droit.
    liens = Echelle.clients.through.objects.filter(echelle__societe=societe).values_list(
        "client_id", "echelle_id", "client__type", "echelle__type_debiteur"
    )
    par_client = {c: par_echelle[e] for c, e, type_, plan in liens if e in par_echelle and meme_droit(type_, plan)}
    return Plans(par_type, par_client)


class PlanInvalide(ValueError):
    """Le geste est refusé ; le message dit pourquoi."""


def modeles_publies(societe: Societe, type_debiteur: str) -> list[tuple[str, int, str]]:
    """(code, nature, nom) des modèles publiés qu'un palier de ce type de débiteur peut nommer."""
    modeles = Modele.objects.filter(
        societe=societe, type_debiteur=type_debiteur, retire_le=None, versions__statut=VersionModele.Statut.PUBLIEE
    )
    return list(modeles.order_by("nature", "code", "pk").values_list("code", "nature", "nom").distinct())


def controler_version(version: VersionEchelle) -> list[Constat]:
    societe, plan = version.echelle.societe, plan_de(version)
    nommes = [p for p in version.paliers.all() if p.modele]
    connus = {(code, nature) for code, nature, _nom in modeles_publies(societe, version.echelle.type_debiteur)
              } if nommes else set()  # fmt: skip
    return controler(
        plan.paliers,
        type_debiteur=version.echelle.type_debiteur,
        max_amiables=societe.max_amiables,
        delai_entre_contacts=societe.delai_entre_contacts,
        modeles_absents={p.pk for p in nommes if (p.modele, p.nature) not in connus},
        seuil_envoi=plan.seuil_envoi,
        plafond_envoi=plan.plafond_envoi,
    )


def exiger_publiable(version: VersionEchelle) -> None:
    """Lève PlanInvalide si le contrôle du plan n'est pas passé."""
    if not publiable(controler_version(version)):
        raise PlanInvalide(_("Le contrôle du plan n'est pas passé : corrigez ce qui est nommé, puis publiez."))


def exiger_ouvert(version: VersionEchelle) -> None:
    """Lève PlanInvalide si la version n'est plus un brouillon."""
    if version.statut != VersionEchelle.Statut.BROUILLON:
        raise PlanInvalide(_("Cette version est publiée : elle ne se modifie plus. Ouvrez un brouillon."))


def publier(version: VersionEchelle, *, par, note: str = "", reprise: str = "") -> None:
    """Publie un brouillon : la version d'avant est retirée, les niveaux atteints ne bougent pas.

    reprise : « nouvelles » ou « toutes » ; vide, celle du brouillon. Lève PlanInvalide si ce n'est plus un
    brouillon. Qui publie pour une personne appelle d'abord `exiger_publiable` : la démonstration publie exprès
    un plan imparfait.
    """
    with transaction.atomic():
        brouillon = VersionEchelle.objects.select_for_update(no_key=True).filter(pk=version.pk).first()
        if brouillon is None:
            raise PlanInvalide(_("Ce brouillon a été abandonné entre-temps."))
        exiger_ouvert(brouillon)
        VersionEchelle.objects.filter(echelle=brouillon.echelle, statut=VersionEchelle.Statut.PUBLIEE).update(
            statut=VersionEchelle.Statut.RETIREE
        )
        brouillon.statut = VersionEchelle.Statut.PUBLIEE
        brouillon.publiee_le, brouillon.publiee_par = timezone.now(), par
        brouillon.note, brouillon.reprise = note, reprise or brouillon.reprise
        brouillon.save(update_fields=["statut", "publiee_le", "publiee_par", "note", "reprise"])
        consigner(
            "plan.publie",
            societe=brouillon.echelle.societe,
            acteur=par,
            objet=brouillon,
            texte=f"Plan {brouillon.echelle.nom}, version {brouillon.numero} publiée" + (f" : {note}" if note else ""),
            donnees={"reprise": brouillon.reprise},
        )
