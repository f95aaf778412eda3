"""Ma journée : ce que chaque application attend d'une personne, réuni par client et mis dans l'ordre.

Un nombre fixe de requêtes, quel que soit le nombre de lignes. Chaque source (`sources`) est plafonnée : une journée
n'a pas mille actions, et les écrans dédiés montrent le reste.
"""

from collections import defaultdict
from collections.abc import Iterator
from dataclasses import dataclass, field
from datetime import date
from decimal import Decimal

from django.db.models import F, Max, Min, Q, QuerySet, Sum
from django.utils.translation import gettext as _
from django.utils.translation import ngettext

from clients.models import Client, Report, Suspension
from factures.balance import Ligne, balance_agee
from factures.models import Echeance
from recouvrement.commun import formats
from recouvrement.commun.templatetags.interface import classe_palier
from recouvrement.comptes.droits import Droit, peut, remplaces_par
from relances.models import Tache

from .domaine.priorite import Chance, Genre, Groupe, Habitudes, Poids, chance, groupe, valeur
from .habitudes import habitudes
from .presentation import SIGNES, TONS, phrase_de_chance
from .sources import PLAFOND, SOURCES, Action, Portee, confiees_ailleurs

__all__ = ["PLAFOND", "Action", "LigneJour", "Portee", "compter", "lignes", "perimetre", "portee", "prochaine"]

RANGS = {genre: rang for rang, genre in enumerate(Genre)}
# Une tâche qui dit la même chose que la pièce elle-même : la pièce suffit.
DITES_PAR_LA_PIECE = {Tache.Genre.REPONSE, Tache.Genre.DECLARATION, Tache.Genre.PERTE}


@dataclass
class LigneJour:
    """Un client et ce qu'il demande, la plus pressante action d'abord."""

    client: Client
    actions: list[Action]
    comptes: list[Ligne] = field(default_factory=list)
    niveau: int = 0
    plus_ancienne: date | None = None
    retard: int = 0
    suspendu_jusqu_au: date | None = None
    report: Report | None = None
    confiees: list[Tache] = field(default_factory=list)
    habitudes: Habitudes = Habitudes()
    remplace: bool = False  # client d'un collègue absent

    @property
    def principale(self) -> Action:
        return self.actions[0]

    @property
    def autres(self) -> list[Action]:
        return self.actions[1:]

    @property
    def groupe(self) -> Groupe:
        return self.principale.groupe

    @property
    def echu(self) -> Decimal:
        return self.comptes[0].echu if self.comptes else Decimal(0)

    @property
    def chance(self) -> Chance:
        return chance(self.habitudes, genre=self.principale.genre, butoir=self.principale.butoir)

    @property
    def valeur(self) -> Decimal:
        return valeur(self.echu, self.retard, self.chance.pourcent)

    @property
    def signe(self) -> str:
        return SIGNES[self.principale.genre]

    @property
    def ton(self) -> str:
        if self.principale.genre in TONS:
            return TONS[self.principale.genre]
        return classe_palier(self.principale.nature or self.niveau)

    @property
    def rang(self) -> str:
        """Ce qui l'a mise à cette place, chiffré, en une phrase."""
        return phrase_de_chance(self.chance, self.habitudes, echu=self.echu, retard=self.retard)

    @property
    def raisons(self) -> str:
        """La raison de l'action, puis ce qui l'accompagne, en une ligne."""
        morceaux = [self.principale.raison]
        if self.remplace:
            morceaux.append(_("client de %(nom)s, absent") % {"nom": self.client.gestionnaire})
        if self.suspendu_jusqu_au:
            morceaux.append(
                _("relances suspendues jusqu'au %(jour)s") % {"jour": formats.jour_court(self.suspendu_jusqu_au)}
            )
        if self.report:
            morceaux.append(_("mis de côté jusqu'au %(jour)s : %(motif)s") % {
                "jour": formats.jour_court(self.report.jusqu_au), "motif": self.report.motif
            })  # fmt: skip
        morceaux += [
            _("« %(titre)s » confiée à %(nom)s") % {"titre": t.titre, "nom": t.confiee_a} for t in self.confiees[:2]
        ]
        if self.autres:
            morceaux.append(
                ngettext("et %(n)d autre action", "et %(n)d autres actions", len(self.autres)) % {"n": len(self.autres)}
            )
        return " · ".join(filter(None, morceaux))


def portee(clients: QuerySet, *, au: date, user, visibles: QuerySet | None = None, equipe: bool = False) -> Portee:
    """Ce que les sources lisent ; `visibles` : où chercher ce qui est adressé à la personne même."""
    ids = clients.order_by().values("pk")
    ou = ids if visibles is None else visibles.order_by().values("pk")
    return Portee(ids, ou, user, frozenset({user.pk, *remplaces_par(user)}), au, equipe)


def lignes(
    clients: QuerySet, *, au: date, user, visibles: QuerySet | None = None, equipe: bool = False
) -> list[LigneJour]:
    """Une ligne par client qui demande quelque chose à cette personne, dans l'ordre où agir. Vingt-six requêtes.

    Un client mis de côté garde sa ligne si quelque chose ne peut l'être (délai légal, envoi au sort inconnu).
    """
    return [x for x in toutes(portee(clients, au=au, user=user, visibles=visibles, equipe=equipe)) if not cachee(x)]


def cachee(ligne: LigneJour) -> bool:
    return ligne.report is not None and not any(a.tient for a in ligne.actions)


def toutes(p: Portee) -> list[LigneJour]:
    """Comme `lignes`, clients mis de côté compris."""
    au = p.au
    par_client: dict[int, list[Action]] = defaultdict(list)
    for action in _actions(p):
        par_client[action.client_id].append(action)
    confiees = confiees_ailleurs(p) if par_client and not p.equipe else []
    if not par_client:
        return []
    en_cours = Suspension.objects.en_cours(au).filter(client__in=par_client)
    suspendus = dict(en_cours.order_by("au").values_list("client", "au"))
    reports = {r.client_id: r for r in Report.objects.en_cours(au).filter(client__in=par_client)}
    trouves = list(Client.objects.filter(pk__in=par_client).select_related("societe", "gestionnaire"))
    connues = habitudes(trouves, au=au, suspendus=suspendus)
    resultat = []
    for client in trouves:
        actions, report = par_client[client.pk], reports.get(client.pk)
        for action in actions:
            poids = Poids(action.genre, action.le, action.nature, action.butoir, client.pk in suspendus)
            action.groupe = groupe(poids, au=au)
        # Mis de côté, ce qui tient seul se lit d'abord.
        actions.sort(key=lambda a, r=report: (bool(r) and not a.tient, a.groupe, RANGS[a.genre], a.le))
        resultat.append(
            LigneJour(
                client, actions, suspendu_jusqu_au=suspendus.get(client.pk), report=report,
                confiees=[t for t in confiees if t.client_id == client.pk], habitudes=connues[client.pk],
                remplace=client.gestionnaire_id in p.moi and client.gestionnaire_id != p.user.pk,
            )
        )  # fmt: skip
    _chiffrer(resultat, au=au)
    resultat.sort(key=lambda x: (x.groupe, -x.valeur, x.principale.le, x.client.raison_sociale, x.client.pk))
    return resultat


def _actions(p: Portee) -> Iterator[Action]:
    """Toutes les actions ; une tâche qui redit une pièce présente s'efface devant elle."""
    tirees = [a for source in SOURCES for a in source.actions(source.ouverts(p), p)]
    pieces = {(a.client_id, a.genre) for a in tirees if a.tache_id is None}
    for a in tirees:
        if a.tache_id is None or a.genre.value not in DITES_PAR_LA_PIECE or (a.client_id, a.genre) not in pieces:
            yield a


def _chiffrer(resultat: list[LigneJour], *, au: date) -> None:
    """Échu, palier et retard de chaque ligne, en deux requêtes."""
    par_client = {ligne.client.pk: ligne for ligne in resultat}
    for compte in balance_agee(Client.objects.filter(pk__in=par_client), au=au):
        par_client[compte.cle].comptes.append(compte)
    ouvertes = Echeance.objects.ouvertes().filter(client__in=par_client).order_by()
    for pk, niveau, ancienne in ouvertes.values_list("client").annotate(
        haut=Max("niveau"), ancienne=Min("date_echeance", filter=Q(date_echeance__lt=au))
    ):
        ligne = par_client[pk]
        ligne.niveau, ligne.plus_ancienne = niveau, ancienne
        ligne.retard = (au - ancienne).days if ancienne else 0
    for ligne in resultat:
        ligne.comptes.sort(key=lambda c: (-c.echu, -c.encours))


def perimetre(clients: QuerySet, user, de: str = "") -> tuple[QuerySet, str]:
    """(clients de la journée, « moi » ou « equipe ») parmi ceux que la personne voit.

    `de` vide : son portefeuille et celui des collègues absents qu'elle remplace ; sans l'un ni l'autre, qui voit toute
    une société voit le travail de l'équipe.
    """
    miens = clients.filter(gestionnaire__in=[user.pk, *sorted(remplaces_par(user))])
    if not peut(user, Droit.TOUT_VOIR) or de == "moi":
        return miens, "moi"
    if de == "equipe" or not miens.exists():
        return clients, "equipe"
    return miens, "moi"


def echu_du_portefeuille(clients: QuerySet, *, au: date) -> list[tuple[str, Decimal]]:
    """[(devise, échu)] des clients du périmètre, la plus grosse somme d'abord."""
    echues = Echeance.objects.ouvertes().echues(au).filter(client__in=clients.values("pk")).order_by()
    sommes = echues.values_list("devise").annotate(reste=Sum(F("montant") - F("impute")))
    return sorted(sommes, key=lambda x: -x[1])


def compter(clients: QuerySet, *, au: date, user, visibles: QuerySet | None = None, equipe: bool = False) -> int:
    """Nombre de lignes de la journée, pour le menu : une requête, sans rien lire des lignes."""
    p = portee(clients, au=au, user=user, visibles=visibles, equipe=equipe)
    de_cote = Report.objects.en_cours(au).values("client")
    sources = []
    for source in SOURCES:
        ouverts = source.ouverts(p).order_by()
        sources.append(ouverts.exclude(**{f"{source.chemin}__in": de_cote}).values_list(source.chemin))
        if source.tenaces:
            sources.append(source.tenaces(ouverts, p).values_list(source.chemin))
    return sources[0].union(*sources[1:]).count()


def prochaine(clients: QuerySet, *, au: date) -> date | None:
    """Premier jour où quelque chose reviendra, quand tout est fait."""
    return (
        Tache.objects.filter(client__in=clients.values("pk"), faite_le=None, due_le__gt=au)
        .order_by("due_le")
        .values_list("due_le", flat=True)
        .first()
    )
