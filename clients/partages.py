"""Ouvrir un client à un collègue qui ne le suit pas : une mention dans une note, une affaire confiée.

Le collègue tient déjà un rôle dans la société du client ; un étranger ne se mentionne pas. L'accès s'éteint à sa date.
"""

import re
from collections.abc import Collection, Iterable
from datetime import date, timedelta

from django.core.exceptions import ValidationError
from django.db import transaction
from django.utils import timezone
from django.utils.translation import gettext as _

from recouvrement.comptes.droits import Droit, roles_avec
from recouvrement.comptes.models import Utilisateur
from recouvrement.journal.services import consigner

from .models import Client, Note, Partage
from .services import noter

DUREE_MENTION = timedelta(days=30)
DUREE_CONFIE = timedelta(days=90)
MENTIONS_MAX = 10  # au-delà, ce n'est plus prévenir quelqu'un
AROBASE = re.compile(r"(?<![\w.@])@(?=[^\W\d_])")  # pas celui d'une adresse de courriel


def collegues(client: Client, *, sauf: Utilisateur | None = None, droit: Droit = Droit.VOIR):
    """Personnes actives qui exercent ce droit dans la société du client."""
    tous = Utilisateur.objects.filter(
        is_active=True, affectations__societe=client.societe_id, affectations__role__in=roles_avec(droit)
    )
    return (tous.exclude(pk=sauf.pk) if sauf else tous).distinct().order_by("nom", "pk")


def mentionnes(texte: str, personnes: Iterable[Utilisateur]) -> tuple[list[Utilisateur], list[str], list[str]]:
    """(reconnus, noms portés par plusieurs, « @… » sans personne) d'après « @Prénom Nom » dans le texte.

    Le nom le plus long l'emporte ; la casse ne compte pas. Un prénom seul suffit s'il n'est porté que par une personne.
    """
    par_nom: dict[str, list[Utilisateur]] = {}
    for personne in personnes:
        par_nom.setdefault(" ".join(personne.nom.casefold().split()), []).append(personne)
    noms = sorted(filter(None, par_nom), key=len, reverse=True)
    reconnus, doubles, inconnus = [], [], []
    for trouve in AROBASE.finditer(texte):
        suite = " ".join(texte[trouve.end() :].casefold().split())
        nom = next((n for n in noms if suite.startswith(n) and not suite[len(n) : len(n) + 1].isalnum()), "")
        nom = nom or _prenom_seul(texte[trouve.end() :], noms)
        if not nom:
            inconnus.append(re.match(r"[^\s,.;:!?]*", texte[trouve.end() :])[0][:40])
        elif len(par_nom[nom]) > 1:
            doubles.append(par_nom[nom][0].nom)
        elif par_nom[nom][0] not in reconnus:
            reconnus.append(par_nom[nom][0])
    return reconnus, list(dict.fromkeys(doubles)), list(dict.fromkeys(inconnus))


def _prenom_seul(suite: str, noms: list[str]) -> str:
    """« @Paul voir… » : le seul nom qui commence par ce prénom ; un nom propre qui suit désigne quelqu'un d'autre."""
    lu = re.match(r"([\w-]+)(\s+[^\W\d_])?", suite)
    if not lu or (lu[2] and lu[2].strip().isupper()):
        return ""
    portes = [n for n in noms if n.split()[0] == lu[1].casefold()]
    return portes[0] if len(portes) == 1 else ""


def a_prevenir(client: Client, texte: str, coches: Collection[Utilisateur], *, acteur) -> list[Utilisateur]:
    """Les personnes cochées et celles nommées dans le texte. Lève ValidationError : homonymes, trop de monde."""
    permis = list(collegues(client, sauf=acteur))
    reconnus, doubles, _inconnus = mentionnes(texte, permis)
    cochees = [x for x in coches if x in permis]
    homonymes = [nom for nom in doubles if not any(x.nom.casefold() == nom.casefold() for x in cochees)]
    if homonymes:
        raise ValidationError(
            {"prevenir": _("Plusieurs personnes s'appellent %(nom)s : cochez la bonne.") % {"nom": homonymes[0]}}
        )
    tous = list(dict.fromkeys([*cochees, *reconnus]))
    if len(tous) > MENTIONS_MAX:
        raise ValidationError({"prevenir": _("Dix personnes au plus se préviennent d'une même note.")})
    return tous


@transaction.atomic
def noter_et_prevenir(
    client: Client,
    *,
    texte: str,
    acteur,
    au: date,
    prevenir: Collection[Utilisateur] = (),
    repond_a=None,
    cle: str = "",
) -> tuple[Note, list[Utilisateur]]:
    """Écrit la note, ouvre le client trente jours à qui elle mentionne, et marque lue la mention à qui l'on répond.

    cle : celle du formulaire ; la rejouer n'écrit ni seconde note ni seconde mention.
    """
    tous = a_prevenir(client, texte, prevenir, acteur=acteur)
    note = noter(client, texte=texte, acteur=acteur, cle=cle)
    for personne in tous:
        _partage, neuf = Partage.objects.get_or_create(
            note=note, utilisateur=personne,
            defaults={
                "client": client, "genre": Partage.Genre.MENTION, "ouvert_par": acteur, "du": au,
                "au": au + DUREE_MENTION,
            },
        )  # fmt: skip
        if neuf:
            consigner(
                "client.mention", societe=client.societe, acteur=acteur, objet=note, client=client,
                texte=_("%(nom)s prévenu") % {"nom": personne}, donnees={"utilisateur": personne.pk},
            )  # fmt: skip
    if repond_a is not None:
        lire(repond_a)
    return note, tous


def lire(partage: Partage) -> bool:
    """La mention quitte la journée ; la fiche reste ouverte jusqu'à sa date. Faux si elle était déjà lue."""
    return bool(Partage.objects.filter(pk=partage.pk, lu_le=None).update(lu_le=timezone.now()))


def confier(client: Client, *, a: Utilisateur, motif: str, acteur, au: date) -> Partage:
    """Ouvre le client à qui une tâche est confiée ; une affaire déjà confiée se prolonge."""
    ouvert = Partage.objects.filter(client=client, utilisateur=a, genre=Partage.Genre.CONFIE, clos_le=None).first()
    if ouvert:
        ouvert.au, ouvert.motif = au + DUREE_CONFIE, motif[:250] or ouvert.motif
        ouvert.save(update_fields=["au", "motif"])
        return ouvert
    return Partage.objects.create(
        client=client, utilisateur=a, genre=Partage.Genre.CONFIE, motif=motif[:250], ouvert_par=acteur, du=au,
        au=au + DUREE_CONFIE,
    )  # fmt: skip


def fermer(couples: Iterable[tuple[int, int]], *, au: date, de_suite: bool = False) -> int:
    """Ferme l'affaire confiée de chaque (client, personne) : ce soir, ou tout de suite si elle est rendue.

    Jusqu'au soir, qui vient de finir peut relire sa fiche et défaire son geste.
    """
    n = 0
    for client_id, utilisateur_id in couples:
        ouverts = Partage.objects.filter(
            client=client_id, utilisateur=utilisateur_id, genre=Partage.Genre.CONFIE, clos_le=None, au__gte=au
        )
        # du ne suit jamais au : ouvert et fini le même jour.
        n += ouverts.update(clos_le=timezone.now()) if de_suite else ouverts.update(au=au)
    return n
