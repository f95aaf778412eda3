"""Le brouillon d'un plan, palier par palier : ajouter, retirer, déplacer, revenir à une ancienne version."""

import hashlib
import json

from django.db import transaction
from django.utils.translation import gettext as _

from recouvrement.journal.services import consigner
from relances.domaine.natures import Nature, Reference
from relances.domaine.plans import PLANS, palier_livre
from relances.models import Echelle, Palier, VersionEchelle

from .plans import PlanInvalide, exiger_ouvert

PALIERS_MAX = 20
REGLES = ("regroupement", "seuil_piece", "seuil_envoi", "plafond_envoi")
CHAMPS = ("nature", "reference", "delai", "canaux", "mode", "delai_reponse", "modele", "role_destinataire")


def empreinte(version: VersionEchelle) -> str:
    """Ce que la version règle, en 16 caractères : publier un brouillon qui a changé depuis se refuse."""
    paliers = [[p.rang, *(getattr(p, c) for c in CHAMPS)] for p in sorted(version.paliers.all(), key=lambda p: p.rang)]
    # Les montants se normalisent : 30 saisi et 30.00 relu sont le même réglage.
    montants = [f"{getattr(version, c):.2f}" if getattr(version, c) is not None else None for c in REGLES[1:]]
    corps = json.dumps([version.pk, version.regroupement, montants, paliers], sort_keys=True)
    return hashlib.sha256(corps.encode()).hexdigest()[:16]


def nouveau_brouillon(echelle: Echelle, *, par, depuis: VersionEchelle | None = None) -> VersionEchelle:
    """Copie la version publiée (ou `depuis`) en brouillon, ou rend le brouillon déjà ouvert.

    Lève PlanInvalide si l'on veut revenir à `depuis` alors qu'un brouillon est ouvert : il serait perdu.
    """
    with transaction.atomic():
        echelle = Echelle.objects.select_for_update(no_key=True).get(pk=echelle.pk)
        ouvert = echelle.versions.filter(statut=VersionEchelle.Statut.BROUILLON).first()
        if ouvert and depuis is None:
            return ouvert
        if ouvert:
            raise PlanInvalide(
                _("La version %(n)s est déjà en brouillon : publiez-la ou abandonnez-la d'abord.")
                % {"n": ouvert.numero}
            )
        versions = echelle.versions.order_by("-numero")
        source = depuis or versions.filter(statut=VersionEchelle.Statut.PUBLIEE).first() or versions.first()
        copie = copier(source, echelle, numero=versions.values_list("numero", flat=True)[0] + 1)
        texte = f"Brouillon n° {copie.numero}" + (f", copié de la version {depuis.numero}" if depuis else "")
        consigner("plan.brouillon", societe=echelle.societe, acteur=par, objet=copie, texte=texte)
        return copie


def copier(source: VersionEchelle, echelle: Echelle, *, numero: int) -> VersionEchelle:
    """Un brouillon aux mêmes règles et aux mêmes paliers, sans rien de sa publication."""
    copie = VersionEchelle.objects.create(
        echelle=echelle, numero=numero, statut=VersionEchelle.Statut.BROUILLON,
        **{champ: getattr(source, champ) for champ in REGLES},
    )  # fmt: skip
    Palier.objects.bulk_create(
        Palier(version=copie, rang=p.rang, **{champ: getattr(p, champ) for champ in CHAMPS})
        for p in source.paliers.all()
    )
    return copie


def abandonner(version: VersionEchelle, *, par) -> None:
    """Efface un brouillon : la version publiée n'a jamais cessé de s'appliquer.

    Lève PlanInvalide si c'est la seule version d'un plan : on retire alors le plan.
    """
    with transaction.atomic():
        brouillon = _brouillon(version.pk)
        if not brouillon.echelle.versions.exclude(pk=brouillon.pk).exists():
            raise PlanInvalide(_("Ce plan n'a jamais été publié : retirez-le, ou publiez son brouillon."))
        consigner(
            "plan.abandonne",
            societe=brouillon.echelle.societe,
            acteur=par,
            objet=brouillon.echelle,
            texte=f"Brouillon n° {brouillon.numero} abandonné",
        )
        brouillon.delete()


def _brouillon(pk: int) -> VersionEchelle:
    """Le brouillon sous verrou. Lève PlanInvalide s'il est publié ou abandonné entre-temps."""
    version = VersionEchelle.objects.select_for_update(no_key=True).filter(pk=pk).first()
    if version is None:
        raise PlanInvalide(_("Ce brouillon a été abandonné entre-temps."))
    exiger_ouvert(version)
    return version


def enregistrer_palier(palier: Palier) -> None:
    """Écrit les réglages saisis d'un palier. Lève PlanInvalide si sa version n'est plus un brouillon."""
    with transaction.atomic():
        _brouillon(palier.version_id)
        if not Palier.objects.filter(pk=palier.pk).exists():
            raise PlanInvalide(_("Ce palier a été retiré du brouillon entre-temps."))
        palier.save(update_fields=list(CHAMPS))


def enregistrer_regles(version: VersionEchelle) -> None:
    """Écrit seuils, plafond et regroupement. Lève PlanInvalide si la version n'est plus un brouillon."""
    with transaction.atomic():
        _brouillon(version.pk)
        version.save(update_fields=list(REGLES))


def enregistrer(version: VersionEchelle, palier: Palier | None, regles: VersionEchelle | None, **annonce: str) -> None:
    """Écrit d'un geste le palier et les règles saisis ; annonce : note et reprise de la publication à venir.

    Lève PlanInvalide, et n'écrit rien, si la version n'est plus un brouillon ou si le palier a été retiré.
    """
    with transaction.atomic():
        if palier:
            enregistrer_palier(palier)
        if regles:
            enregistrer_regles(regles)
        if annonce:
            VersionEchelle.objects.filter(pk=_brouillon(version.pk).pk).update(**annonce)


def retirer_palier(palier: Palier) -> None:
    """Retire un palier d'un brouillon ; les suivants remontent d'un rang."""
    with transaction.atomic():
        version = _brouillon(palier.version_id)
        palier.delete()
        _renumeroter(version.paliers.order_by("rang"))


def deplacer_palier(palier: Palier, pas: int) -> None:
    """Avance (pas = −1) ou recule (pas = 1) un palier d'un rang ; sans effet au bout de l'échelle.

    Un ordre du plus grave au plus doux s'écrit et se voit : le contrôle le nomme et interdit de le publier.
    """
    with transaction.atomic():
        version = _brouillon(palier.version_id)
        paliers = list(version.paliers.order_by("rang"))
        ici = next((i for i, p in enumerate(paliers) if p.pk == palier.pk), None)
        if ici is None:
            raise PlanInvalide(_("Ce palier a été retiré du brouillon entre-temps."))
        la = ici + pas
        if 0 <= la < len(paliers):
            paliers[ici], paliers[la] = paliers[la], paliers[ici]
            _renumeroter(paliers)


def ajouter_palier(version: VersionEchelle, nature: Nature) -> Palier:
    """Ajoute à un brouillon un palier de cette nature, à sa place, avec les réglages livrés pour ce débiteur."""
    with transaction.atomic():
        version = _brouillon(version.pk)
        paliers = list(version.paliers.order_by("rang"))
        if len(paliers) >= PALIERS_MAX:
            raise PlanInvalide(_("Un plan a %(n)s paliers au plus.") % {"n": PALIERS_MAX})
        # Un palier que ce droit ne connaît pas prend les réglages d'une entreprise ; le contrôle dira ce qu'il vaut.
        livre = palier_livre(version.echelle.type_debiteur, nature) or palier_livre(PLANS[0].type_debiteur, nature)
        place = next((i for i, p in enumerate(paliers) if p.nature > nature), len(paliers))
        reference, delai = livre.reference, livre.delai
        if reference is Reference.PRECEDENT and place == 0:
            reference = Reference.ECHEANCE
        neuf = Palier.objects.create(
            version=version, rang=1000 + PALIERS_MAX, nature=nature, reference=reference, delai=delai,
            canaux=[c.value for c in livre.canaux], mode=livre.mode, delai_reponse=livre.delai_reponse,
        )  # fmt: skip
        paliers.insert(place, neuf)
        _renumeroter(paliers)
    neuf.refresh_from_db()
    return neuf


def _renumeroter(paliers) -> None:
    """Rangs de 1 à n dans cet ordre ; un brouillon n'a servi à aucune relance."""
    paliers = list(paliers)
    for decalage in (2000, 0):  # deux temps : le rang est unique dans la version
        for rang, p in enumerate(paliers, 1):
            Palier.objects.filter(pk=p.pk).update(rang=rang + decalage)
