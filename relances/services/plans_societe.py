"""Les plans d'une société : en créer, les nommer, choisir celui d'un type, y affecter des clients, en retirer."""

from collections.abc import Iterable

from django.db import transaction
from django.db.models import Exists, OuterRef, Q
from django.utils.text import slugify
from django.utils.translation import gettext as _
from django.utils.translation import ngettext

from clients.models import Client
from factures.models import Echeance
from recouvrement.comptes.models import Societe
from recouvrement.journal.services import consigner
from relances.domaine.plans import livre_pour
from relances.models import Courrier, Echelle, Palier, Relance, VersionEchelle

from .brouillons import copier
from .plans import PlanInvalide, meme_droit

V = VersionEchelle.Statut


def creer_plan(
    societe: Societe, nom: str, *, par, copie_de: VersionEchelle | None = None, type_debiteur: str = ""
) -> Echelle:
    """Un plan neuf, en brouillon, copié d'une version de la même société ou du plan livré de ce type.

    Lève PlanInvalide si le nom est déjà pris dans la société.
    """
    type_debiteur = copie_de.echelle.type_debiteur if copie_de else type_debiteur
    with transaction.atomic():
        echelle = _nouvelle_echelle(societe, nom, type_debiteur)
        if copie_de:
            copier(copie_de, echelle, numero=1)
        else:
            version = VersionEchelle.objects.create(echelle=echelle, numero=1)
            Palier.objects.bulk_create(
                Palier(
                    version=version, rang=rang, nature=p.nature, reference=p.reference, delai=p.delai,
                    canaux=[c.value for c in p.canaux], mode=p.mode, delai_reponse=p.delai_reponse,
                )
                for rang, p in enumerate(livre_pour(type_debiteur).paliers, 1)
            )  # fmt: skip
        origine = f", copié de {copie_de}" if copie_de else ""
        consigner("plan.cree", societe=societe, acteur=par, objet=echelle, texte=f"Plan {nom} créé{origine}")
    return echelle


def _nouvelle_echelle(societe: Societe, nom: str, type_debiteur: str) -> Echelle:
    Societe.objects.select_for_update(no_key=True).get(pk=societe.pk)  # deux créations du même nom ne se croisent pas
    _exiger_nom_libre(societe, nom)
    codes = set(societe.echelles.values_list("code", flat=True))
    base = slugify(nom)[:32] or "plan"
    code = next(c for c in (base, *(f"{base}-{n}" for n in range(2, len(codes) + 3))) if c not in codes)
    return Echelle.objects.create(societe=societe, code=code, nom=nom, type_debiteur=type_debiteur, par_defaut=False)


def _exiger_nom_libre(societe: Societe, nom: str, *, sauf: int | None = None) -> None:
    if societe.echelles.filter(nom__iexact=nom).exclude(pk=sauf).exists():
        raise PlanInvalide(_("Un plan de cette société porte déjà ce nom."))


def renommer(echelle: Echelle, nom: str, *, par) -> None:
    """Le code reste : les exports et le journal le citent."""
    with transaction.atomic():
        echelle = Echelle.objects.select_for_update(no_key=True).get(pk=echelle.pk)
        if echelle.nom == nom:
            return
        _exiger_nom_libre(echelle.societe, nom, sauf=echelle.pk)
        avant, echelle.nom = echelle.nom, nom
        echelle.save(update_fields=["nom"])
        consigner(
            "plan.renomme", societe=echelle.societe, acteur=par, objet=echelle, texte=f"Plan {avant} renommé {nom}"
        )


def suivi_par_defaut(echelle: Echelle) -> tuple[int, int]:
    """(clients actifs, échéances ouvertes) qui suivent ce plan sans y être affectés ; (0, 0) s'il n'est pas de défaut.

    Un client affecté à un plan retiré, ou d'un autre droit que le sien, suit lui aussi celui de son type.
    """
    if not echelle.par_defaut:
        return 0, 0
    types = [echelle.type_debiteur, *(["a_qualifier"] if echelle.type_debiteur == "entreprise" else [])]
    liens = Echelle.clients.through.objects.filter(
        client_id=OuterRef("pk"), echelle__type_debiteur=echelle.type_debiteur,
        echelle__versions__statut=VersionEchelle.Statut.PUBLIEE,
    )  # fmt: skip
    clients = Client.objects.filter(~Exists(liens), societe=echelle.societe_id, type__in=types)
    return clients.count(), Echeance.objects.ouvertes().filter(client__in=clients.values("pk")).count()


def mettre_par_defaut(echelle: Echelle, *, par) -> None:
    """Ce plan devient celui de son type de débiteur ; les clients affectés à un autre plan le gardent."""
    with transaction.atomic():
        memes = Echelle.objects.select_for_update(no_key=True).filter(
            societe=echelle.societe_id, type_debiteur=echelle.type_debiteur
        )
        echelle = next(e for e in memes if e.pk == echelle.pk)
        if echelle.par_defaut:
            return
        if not echelle.versions.filter(statut=V.PUBLIEE).exists():
            raise PlanInvalide(_("Publiez d'abord une version de ce plan : sans elle, plus rien ne partirait."))
        memes.filter(par_defaut=True).update(par_defaut=False)
        echelle.par_defaut = True
        echelle.save(update_fields=["par_defaut"])
        consigner(
            "plan.par_defaut",
            societe=echelle.societe,
            acteur=par,
            objet=echelle,
            texte=f"Plan {echelle.nom} par défaut : {echelle.get_type_debiteur_display()}",
        )


def retirer_plan(echelle: Echelle, *, par) -> bool:
    """Retire un plan qui ne sert plus ; True s'il a disparu, False s'il reste à lire, toutes versions retirées.

    Lève PlanInvalide tant qu'il est par défaut ou que des clients y sont affectés. Un plan qui a décidé une
    relance ne s'efface pas : elle le cite.
    """
    with transaction.atomic():
        echelle = Echelle.objects.select_for_update(no_key=True).get(pk=echelle.pk)
        if echelle.par_defaut:
            raise PlanInvalide(_("C'est le plan par défaut de son type : choisissez-en d'abord un autre."))
        n = echelle.clients.count()
        if n:
            raise PlanInvalide(
                ngettext(
                    "%(n)s client suit encore ce plan : affectez-le ailleurs d'abord.",
                    "%(n)s clients suivent encore ce plan : affectez-les ailleurs d'abord.",
                    n,
                )
                % {"n": n}
            )
        texte = f"Plan {echelle.nom} retiré"
        consigner("plan.retire", societe=echelle.societe, acteur=par, objet=echelle, texte=texte)
        paliers = Palier.objects.filter(version__echelle=echelle)
        if Relance.objects.filter(palier__in=paliers).exists() or Courrier.objects.filter(palier__in=paliers).exists():
            echelle.versions.filter(statut=V.BROUILLON).delete()
            echelle.versions.filter(statut=V.PUBLIEE).update(statut=V.RETIREE)
            return False
        echelle.delete()
        return True


def affecter(client: Client, echelle: Echelle | None, *, par) -> bool:
    """Le client suit ce plan, ou (None) celui de son type ; True si quelque chose a changé.

    Lève PlanInvalide si le plan est d'une autre société, d'un autre droit, ou sans version publiée. Le niveau de
    ses pièces ne bouge pas : la nuit suivante lit leur suite dans le nouveau plan.
    """
    with transaction.atomic():
        client = Client.objects.select_for_update(no_key=True).get(pk=client.pk)
        actuels = list(client.echelles.all())
        if echelle:
            _exiger_affectable(client, echelle)
            if [e.pk for e in actuels] == [echelle.pk]:
                return False
        elif not actuels:
            return False
        client.echelles.set([echelle] if echelle else [])
        texte = f"Plan de relance : {echelle.nom}" if echelle else "Plan de relance : celui de son type"
        consigner(
            "client.plan", societe=client.societe, acteur=par, objet=client, client=client, texte=texte,
            donnees={"avant": [e.code for e in actuels], "apres": echelle.code if echelle else ""},
        )  # fmt: skip
        return True


def _exiger_affectable(client: Client, echelle: Echelle) -> None:
    if echelle.societe_id != client.societe_id:
        raise PlanInvalide(_("Ce plan est celui d'une autre société."))
    if not meme_droit(client.type, echelle.type_debiteur):
        raise PlanInvalide(
            _("%(client)s est un débiteur « %(type)s » : le plan %(plan)s vaut pour « %(droit)s », un autre droit.")
            % {
                "client": client,
                "type": client.get_type_display(),
                "plan": echelle.nom,
                "droit": echelle.get_type_debiteur_display(),
            }
        )
    if not echelle.versions.filter(statut=V.PUBLIEE).exists():
        raise PlanInvalide(_("Ce plan n'a aucune version publiée : publiez-le d'abord."))


def affecter_plusieurs(clients: Iterable[Client], echelle: Echelle | None, *, par) -> int:
    """Affecte tous ces clients ou aucun ; rend le nombre de changements."""
    with transaction.atomic():
        return sum(affecter(client, echelle, par=par) for client in clients)


def affectables(clients, echelle: Echelle):
    """Les clients de ce queryset que ce plan peut prendre, et qu'il n'a pas déjà."""
    types = [echelle.type_debiteur, *(["a_qualifier"] if echelle.type_debiteur == "entreprise" else [])]
    return clients.filter(societe=echelle.societe_id, type__in=types).exclude(echelles=echelle)


def chercher(clients, texte: str):
    """Clients dont le nom, le code ou le SIREN contient ce texte."""
    texte = " ".join(texte.split())
    serre = texte.replace(" ", "")
    return clients.filter(
        Q(raison_sociale__icontains=texte) | Q(code__istartswith=texte) | Q(siren__startswith=serre)
    ) if texte else clients  # fmt: skip
