"""Ma journée : ce que chaque application attend d'une personne, réuni par client.

Un nombre fixe de requêtes, quel que soit le nombre de lignes. Chaque source est plafonnée : une journée
n'a pas mille actions, et les écrans dédiés montrent le reste.
"""

from collections import defaultdict
from collections.abc import Iterable, Iterator
from dataclasses import dataclass, field
from datetime import date, timedelta
from decimal import Decimal

from django.db.models import Exists, F, Max, Min, OuterRef, Q, QuerySet, Subquery, Sum
from django.utils.translation import gettext as _
from django.utils.translation import ngettext

from clients.models import Client, Suspension
from factures.balance import Ligne, balance_agee
from factures.models import Echeance, Encaissement, Litige, Promesse
from factures.services import limite_promesse
from recouvrement.commun import formats
from recouvrement.commun.templatetags.interface import classe_palier
from recouvrement.commun.vues import adresse
from recouvrement.comptes.droits import Droit, peut, societes_pour
from relances import motifs
from relances.domaine.natures import Canal
from relances.models import Courrier, LeveeDeFrein, Tache

from .domaine.priorite import Genre, Groupe, Poids, groupe, valeur
from .presentation import GENRE_DE_TACHE, SIGNES, TONS

PLAFOND = 500  # actions lues par source
HORIZON = timedelta(days=7)  # ce qui « peut attendre » se voit une semaine d'avance
HORIZON_BUTOIR = timedelta(days=62)  # deux mois : toute la durée d'une déclaration de créance
DELAI_AR = timedelta(days=7)  # un avis distribué revient d'ordinaire dans la semaine
VALIDATION_ORDINAIRE = "ce palier se valide"  # relances.domaine.echelle
S = Courrier.Statut
G = Tache.Genre


@dataclass
class Action:
    """Une chose à faire : sa consigne au verbe, sa raison, son jour, où la faire."""

    genre: Genre
    client_id: int
    consigne: str
    le: date
    raison: str = ""
    nature: int = 0
    url: str = ""
    tache_id: int | None = None
    levee_id: int | None = None
    butoir: bool = False
    groupe: Groupe = Groupe.AUJOURDHUI


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
    def valeur(self) -> Decimal:
        return valeur(self.echu, self.retard)

    @property
    def signe(self) -> str:
        return SIGNES[self.principale.genre]

    @property
    def ton(self) -> str:
        if self.principale.genre in TONS:
            return TONS[self.principale.genre]
        return classe_palier(self.principale.nature or self.niveau)

    @property
    def raisons(self) -> str:
        """La raison de l'action, puis ce qui l'accompagne, en une ligne."""
        morceaux = [self.principale.raison]
        if self.suspendu_jusqu_au:
            morceaux.append(
                _("relances suspendues jusqu'au %(jour)s") % {"jour": formats.jour_court(self.suspendu_jusqu_au)}
            )
        if self.autres:
            morceaux.append(
                ngettext("et %(n)d autre action", "et %(n)d autres actions", len(self.autres)) % {"n": len(self.autres)}
            )
        return " · ".join(filter(None, morceaux))


def lignes(clients: QuerySet, *, au: date, user) -> list[LigneJour]:
    """Une ligne par client qui demande quelque chose à cette personne, dans l'ordre où agir. Treize requêtes."""
    en_cours = Suspension.objects.en_cours(au).filter(client__in=clients.order_by().values("pk"))
    suspendus = dict(en_cours.order_by("au").values_list("client", "au"))
    par_client: dict[int, list[Action]] = defaultdict(list)
    for action in _actions(clients, au=au, user=user):
        retenu = action.client_id in suspendus
        action.groupe = groupe(Poids(action.genre, action.le, action.nature, action.butoir, retenu), au=au)
        par_client[action.client_id].append(action)
    if not par_client:
        return []
    rangs = {genre: rang for rang, genre in enumerate(Genre)}
    resultat = []
    for client in Client.objects.filter(pk__in=par_client).select_related("societe", "gestionnaire"):
        actions = sorted(par_client[client.pk], key=lambda a: (a.groupe, rangs[a.genre], a.le))
        resultat.append(LigneJour(client, actions, suspendu_jusqu_au=suspendus.get(client.pk)))
    _chiffrer(resultat, au=au)
    resultat.sort(key=lambda x: (x.groupe, -x.valeur, x.principale.le, x.client.raison_sociale, x.client.pk))
    return resultat


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

    `de` vide : son portefeuille ; sans portefeuille, qui voit toute une société voit le travail de l'équipe.
    """
    miens = clients.filter(gestionnaire=user)
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


def compter(clients: QuerySet, *, au: date, user) -> int:
    """Nombre de lignes de la journée, pour le menu : une requête, sans rien lire des lignes."""
    ids = clients.order_by().values("pk")
    sources = [
        _taches_ouvertes(ids, au).order_by().values_list("client"),
        _courriers_ouverts(ids, au).order_by().values_list("client"),
        _promesses_attendues(ids, au).order_by().values_list("client"),
        _litiges_a_traiter(ids, au).order_by().values_list("echeance__client"),
        _encaissements_a_affecter(ids).order_by().values_list("client"),
        _levees_a_approuver(ids, au, user).order_by().values_list("echeance__client"),
    ]
    return sources[0].union(*sources[1:]).count()


def prochaine(clients: QuerySet, *, au: date) -> date | None:
    """Premier jour où quelque chose reviendra, quand tout est fait."""
    return (
        Tache.objects.filter(client__in=clients.values("pk"), faite_le=None, due_le__gt=au)
        .order_by("due_le")
        .values_list("due_le", flat=True)
        .first()
    )


# --- Sources : une requête chacune -----------------------------------------------------------------


def _actions(clients: QuerySet, *, au: date, user) -> Iterator[Action]:
    ids = clients.order_by().values("pk")
    for source in (_taches, _courriers, _promesses, _litiges, _virements):
        yield from source(ids, au)
    yield from _levees(ids, au, user)


def _taches_ouvertes(ids, au: date) -> QuerySet:
    proches = Q(due_le__lte=au + HORIZON) | Q(genre=G.DECLARER, due_le__lte=au + HORIZON_BUTOIR)
    return Tache.objects.filter(proches, client__in=ids, faite_le=None)


def _taches(ids, au: date) -> Iterable[Action]:
    for t in _taches_ouvertes(ids, au).select_related("courrier").order_by("due_le", "pk")[:PLAFOND]:
        consigne, raison = t.titre, t.raison
        if t.genre == G.APPEL and t.courrier and raison:  # née de l'échelle : ce qu'on appelle se lit avec le verbe
            consigne, raison = f"{t.titre} : {raison}", ""
        if t.due_le < au:
            prevu = _("prévu le %(jour)s") % {"jour": formats.jour_court(t.due_le)}
            raison = f"{raison} · {prevu}" if raison else prevu
        yield Action(
            GENRE_DE_TACHE[t.genre],
            t.client_id,
            consigne,
            t.due_le,
            raison,
            t.courrier.nature if t.courrier else 0,
            adresse("clients:decision", t.client_id, t.pk) if t.genre == G.DECISION else "",
            tache_id=t.pk,
            butoir=t.genre == G.DECLARER,
        )


def _courriers_ouverts(ids, au: date) -> QuerySet:
    a_traiter = Q(statut__in=[S.A_VALIDER, S.A_POSTER, S.EN_ERREUR, S.INCERTAIN])
    attend_ar = Q(statut=S.POSTE, canal=Canal.RECOMMANDE.value, retour="", depose_le__lte=au - DELAI_AR)
    return Courrier.objects.filter(a_traiter | attend_ar, client__in=ids)


def _courriers(ids, au: date) -> Iterable[Action]:
    for c in _courriers_ouverts(ids, au).select_related("client").order_by("-nature", "-total", "pk")[:PLAFOND]:
        nom = minuscule(c.get_nature_display())
        canal = minuscule(c.get_canal_display())
        genre, consigne, raison = {
            S.A_VALIDER: (
                Genre.VALIDER,
                _("Valider : %(courrier)s, %(canal)s") % {"courrier": nom, "canal": canal},
                " · ".join([_reclame(c), *_motif(c)]),
            ),
            S.A_POSTER: (
                Genre.POSTER,
                _("Imprimer et poster : %(courrier)s, %(canal)s") % {"courrier": nom, "canal": canal},
                _reclame(c),
            ),
            S.EN_ERREUR: (Genre.ERREUR, _("Reprendre l'envoi : %(courrier)s") % {"courrier": nom}, c.erreur),
            S.INCERTAIN: (
                Genre.INCONNU,
                _("Vérifier si le courriel est parti : %(courrier)s") % {"courrier": nom},
                _("sort inconnu, rien ne sera rejoué seul"),
            ),
            S.POSTE: (
                Genre.AR,
                _("Consigner le retour d'AR : %(courrier)s") % {"courrier": nom},
                _("déposé le %(jour)s") % {"jour": formats.jour_court(c.depose_le)},
            ),
        }[c.statut]
        yield Action(genre, c.client_id, consigne, au, raison, c.nature, adresse("relances:courrier", c.pk))


def _motif(c: Courrier) -> list[str]:
    """Pourquoi une personne, sauf quand le palier se valide toujours : la consigne le dit déjà."""
    return [] if c.motif in ("", VALIDATION_ORDINAIRE) else [motifs.raison_de_valider(c.motif)]


def _reclame(c: Courrier) -> str:
    """Le principal seul : intérêts et 40 € se calculent au jour de la lettre et s'y ajoutent."""
    montant = formats.somme(c.total, c.devise)
    if c.hors_interets:
        return _("%(montant)s réclamés, hors intérêts et indemnités") % {"montant": montant}
    return _("%(montant)s réclamés") % {"montant": montant}


def minuscule(texte: str) -> str:
    """« Recommandé AR » → « recommandé AR » : les sigles restent."""
    return texte[:1].lower() + texte[1:]


def _promesses_attendues(ids, au: date) -> QuerySet:
    return Promesse.objects.en_attente().filter(client__in=ids, date_promise__lte=au + HORIZON)


def _promesses(ids, au: date) -> Iterable[Action]:
    """Promesses dont le contrôle tombe dans la semaine ; les rompues ont leur tâche."""
    attendues = _promesses_attendues(ids, au).select_related("client__societe").annotate(devise=_devise_promise())
    for p in attendues.order_by("date_promise", "pk")[:PLAFOND]:
        limite = limite_promesse(p.date_promise, p.client.societe.region_feries)
        montant = formats.somme(p.montant, p.devise or "EUR")
        consigne = _("Promesse de %(montant)s à contrôler le %(jour)s")
        yield Action(
            Genre.AUTRE,
            p.client_id,
            consigne % {"montant": montant, "jour": formats.jour_court(limite)},
            max(limite, au + timedelta(days=1)),
            _("promise pour le %(jour)s") % {"jour": formats.jour_court(p.date_promise)},
        )


def _devise_promise():
    """Une promesse ne réunit qu'une devise : celle de sa première pièce."""
    liens = Promesse.echeances.through.objects.filter(promesse=OuterRef("pk")).order_by("pk")
    return Subquery(liens.values("echeance__devise")[:1])


def _litiges_a_traiter(ids, au: date) -> QuerySet:
    return Litige.objects.ouverts().filter(echeance__client__in=ids, a_traiter_le__lte=au + HORIZON)


def _litiges(ids, au: date) -> Iterable[Action]:
    a_traiter = _litiges_a_traiter(ids, au)
    for x in a_traiter.select_related("echeance__facture", "responsable").order_by("a_traiter_le", "pk")[:PLAFOND]:
        raison = [_("échéance du litige : %(jour)s") % {"jour": _jour(x.a_traiter_le, au)}]
        if x.responsable:
            raison.append(_("responsable : %(nom)s") % {"nom": x.responsable})
        yield Action(
            Genre.LITIGE,
            x.echeance.client_id,
            _("Clore ou prolonger le litige : %(montant)s contestés")
            % {"montant": formats.somme(x.montant_conteste, x.echeance.devise)},
            x.a_traiter_le,
            " · ".join([x.echeance.facture.numero, *raison]),
            url=f"{adresse('clients:fiche', x.echeance.client_id)}?volet=clore&litige={x.pk}",
        )


def _encaissements_a_affecter(ids) -> QuerySet:
    """Ceux des clients qui ont une pièce ouverte dans cette devise : il y a où les poser."""
    a_payer = Echeance.objects.ouvertes().filter(
        client=OuterRef("client"), societe=OuterRef("societe"), devise=OuterRef("devise")
    )
    return Encaissement.objects.filter(Exists(a_payer), client__in=ids, impute__lt=F("montant"))


def _virements(ids, au: date) -> Iterable[Action]:
    groupes: dict[tuple[int, str], list] = defaultdict(list)
    for e in _encaissements_a_affecter(ids).order_by("date", "pk")[:PLAFOND]:
        groupes[e.client_id, e.devise].append(e)
    for (client, devise), recus in groupes.items():
        reste = formats.somme(sum(e.montant - e.impute for e in recus), devise)
        if len(recus) == 1:
            consigne = _("Affecter les %(montant)s reçus le %(jour)s") % {
                "montant": reste,
                "jour": formats.jour_court(recus[0].date),
            }
        else:
            consigne = _("Affecter %(n)d encaissements, %(montant)s") % {"n": len(recus), "montant": reste}
        yield Action(
            Genre.VIREMENT,
            client,
            consigne,
            au,
            _("tant qu'il n'est pas affecté, les relances peuvent être retenues"),
            url=f"{adresse('clients:fiche', client)}?volet=affecter&credit=encaissement-{recus[0].pk}",
        )


def _levees_a_approuver(ids, au: date, user) -> QuerySet:
    """Freins à lever à deux, demandés par une autre : la seconde personne, c'est peut-être celle-ci."""
    attendent = LeveeDeFrein.objects.filter(
        echeance__client__in=ids, a_deux=True, approuvee_le=None, annulee_le=None, pour_le__gte=au
    )
    return attendent.filter(echeance__societe__in=societes_pour(user, Droit.LEVER_FREIN)).exclude(demandee_par=user)


def _levees(ids, au: date, user) -> Iterable[Action]:
    attendent = _levees_a_approuver(ids, au, user).select_related("echeance__facture", "demandee_par")
    for x in attendent.order_by("pour_le", "pk")[:PLAFOND]:
        yield Action(
            Genre.LEVEE,
            x.echeance.client_id,
            _("Approuver ou non : frein levé sur %(piece)s, %(montant)s")
            % {"piece": x.echeance.facture.numero, "montant": formats.somme(x.montant, x.echeance.devise)},
            au,
            _("%(frein)s · %(nom)s : %(motif)s · avant le passage du %(jour)s")
            % {
                "frein": motifs.libelle(x.frein), "nom": x.demandee_par, "motif": x.motif,
                "jour": formats.jour_court(x.pour_le),
            },
            url=f"{adresse('clients:fiche', x.echeance.client_id)}?o=pourquoi&echeance={x.echeance_id}",
            levee_id=x.pk,
        )  # fmt: skip


def _jour(jour: date, au: date) -> str:
    return _("aujourd'hui") if jour == au else formats.jour_court(jour)
