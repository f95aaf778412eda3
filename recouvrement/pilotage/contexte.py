"""Contexte de la coque : menu permis, société courante, compteurs, fraîcheur. Tout est paresseux."""

from dataclasses import dataclass
from functools import cached_property

from django.conf import settings
from django.contrib.auth.models import AnonymousUser
from django.db.models import F
from django.utils import timezone
from django.utils.translation import gettext_lazy as _

from clients.models import Client
from contentieux.models import DossierContentieux
from factures.models import Encaissement
from recouvrement.commun.formats import initiales
from recouvrement.commun.horloge import aujourd_hui
from recouvrement.commun.vues import adresse
from recouvrement.comptes import demo
from recouvrement.comptes.courante import restreindre, societe_courante, societes_visibles
from recouvrement.comptes.droits import Droit, peut, roles_de
from recouvrement.comptes.models import Role
from relances.models import Courrier, Declaration, MessageRecu

from . import compteurs, enchainement, journee


@dataclass(frozen=True)
class Entree:
    """Une entrée possible du menu ; `court` : son mot dans la barre basse du téléphone."""

    route: str
    icone: str
    libelle: str
    droit: Droit = Droit.VOIR
    court: str = ""
    compteur: str = ""
    aussi: str = ""  # autres routes que cette entrée couvre : elle reste courante sur leurs pages


@dataclass(frozen=True)
class Lien:
    """Une entrée que la personne a le droit de voir, prête pour le gabarit."""

    url: str
    icone: str
    libelle: str
    court: str
    compte: int
    courante: bool


MENU = (
    (
        "",
        (
            Entree("pilotage:ma_journee", "checklist", _("Ma journée"), court=_("Ma journée"), compteur="taches"),
            Entree("clients:liste", "users", _("Clients"), court=_("Clients")),
            Entree("factures:liste", "file-invoice", _("Factures")),
            Entree(
                "factures:encaissements",
                "building-bank",
                _("Encaissements"),
                compteur="encaissements",
                aussi="factures:rapprochement factures:banque",
            ),  # fmt: skip
            Entree("relances:ce_soir", "send", _("Relances"), court=_("Relances"), compteur="courriers"),
            Entree(
                "relances:reponses", "message", _("Réponses"), compteur="reponses", aussi="relances:declarations"
            ),  # fmt: skip
            Entree("contentieux:liste", "gavel", _("Contentieux"), compteur="dossiers"),
        ),
    ),
    (
        _("Piloter"),
        (
            Entree("factures:balance_agee", "columns-3", _("Balance âgée"), court=_("Balance")),
            Entree("factures:comptabilite", "report-money", _("Comptabilité"), droit=Droit.EXPORTER),
            Entree("pilotage:indicateurs", "chart-line", _("Pilotage")),
        ),
    ),
    (
        _("Régler"),
        (
            Entree("relances:plans", "stairs-up", _("Plans et modèles"), droit=Droit.PLANS, aussi="relances:modeles"),
            Entree("factures:imports", "upload", _("Imports"), droit=Droit.IMPORTER),
            Entree("comptes:administration", "settings", _("Administration"), droit=Droit.ADMINISTRER),
        ),
    ),
)


class Coque:
    """Lue par `base.html` ; une vue qui rend un fragment n'en évalue rien."""

    def __init__(self, request):
        self.request = request
        # Une erreur levée avant l'authentification rend aussi une page.
        self.user = getattr(request, "user", AnonymousUser())

    @property
    def theme(self) -> str:
        return getattr(self.user, "theme", "")

    url_theme = property(lambda self: adresse("comptes:theme"))
    url_langue = property(lambda self: adresse("comptes:langue"))
    url_societe = property(lambda self: adresse("comptes:societe_courante"))
    url_recherche = property(lambda self: adresse("pilotage:recherche"))

    @property
    def url_imports(self) -> str:
        return adresse("factures:imports") if peut(self.user, Droit.IMPORTER) else ""

    @property
    def societes(self):
        return societes_visibles(self.request)

    @cached_property
    def societe(self):
        return societe_courante(self.request)

    @property
    def nom_societe(self) -> str:
        if self.societe:
            return self.societe.nom_court or self.societe.raison_sociale
        return str(_("Toutes les sociétés")) if self.societes else "Recouvrement"

    @property
    def sigle(self) -> str:
        return initiales(self.nom_societe)

    @property
    def role(self) -> str:
        """Rôle dans la société courante ; plusieurs sociétés, plusieurs rôles : on n'en dit aucun."""
        roles = roles_de(self.user)
        distincts = {roles.get(self.societe.pk)} if self.societe else set(roles.values())
        return str(Role(distincts.pop()).label) if len(distincts) == 1 and None not in distincts else ""

    @cached_property
    def comptes_demo(self) -> list[dict]:
        return demo.comptes() if settings.DEMO else []

    mot_de_passe_demo = demo.MOT_DE_PASSE

    # --- Fraîcheur : la plus ancienne des sociétés alimentées par import ------------------------

    @cached_property
    def _importees(self):
        choix = [self.societe] if self.societe else self.societes
        return [s for s in choix if s.alimentee_par_import]

    @property
    def fraicheur(self):
        return min((s.dernier_import_le for s in self._importees if s.dernier_import_le), default=None)

    @property
    def jamais_importees(self) -> bool:
        """Une société alimentée par import qui ne l'a jamais été : sa nuit est suspendue, il faut le dire."""
        return any(s.dernier_import_le is None for s in self._importees)

    @property
    def perimees(self) -> bool:
        maintenant = timezone.now()
        return any(
            s.dernier_import_le is None
            or (maintenant - s.dernier_import_le).total_seconds() > s.fraicheur_heures * 3600
            for s in self._importees
        )

    @cached_property
    def enchainement(self) -> dict | None:
        """« Client par client » : où l'on en est sur cette fiche, et ce qu'elle demande ; None hors de la suite."""
        route = self.request.resolver_match
        client = route.kwargs.get("pk") if route and route.app_name == "clients" else None
        place = enchainement.position(self.request.session, client) if client else None
        if place is None:
            return None
        seul = Client.objects.visibles_pour(self.user).filter(pk=client)
        lignes = journee.toutes(journee.portee(seul, au=aujourd_hui(), user=self.user))
        rang, total = place
        return {"rang": rang, "total": total, "precedent": rang > 1, "ligne": lignes[0] if lignes else None}

    # --- Menu ----------------------------------------------------------------------------------

    @cached_property
    def menu(self) -> list[dict]:
        if not self.user.is_authenticated:
            return []
        groupes = []
        for titre, entrees in MENU:
            liens = [lien for entree in entrees if (lien := self._lien(entree))]
            if liens:
                groupes.append({"titre": titre, "entrees": liens})
        return groupes

    @property
    def onglets_bas(self) -> list[Lien]:
        return [lien for groupe in self.menu for lien in groupe["entrees"] if lien.court][:4]

    def _lien(self, entree: Entree) -> Lien | None:
        url = adresse(entree.route)
        if not url or not peut(self.user, entree.droit):
            return None
        chemin = self.request.path
        racines = [url, *filter(None, map(adresse, entree.aussi.split()))]
        courante = any(chemin == racine if racine == "/" else chemin.startswith(racine) for racine in racines)
        compte = self._compteur(entree.compteur) if entree.compteur else 0
        return Lien(url, entree.icone, str(entree.libelle), str(entree.court), compte, courante)

    def _compteur(self, nom: str) -> int:
        societe = self.societe.pk if self.societe else None
        return compteurs.compte(self.request, nom, getattr(self, f"_{nom}"), societe=societe, au=aujourd_hui())

    def _compter(self, lignes) -> int:
        return restreindre(self.request, lignes.visibles_pour(self.user)).count()

    def _taches(self) -> int:
        """Autant que de lignes dans Ma journée."""
        visibles = restreindre(self.request, Client.objects.visibles_pour(self.user))
        clients, de = journee.perimetre(visibles, self.user)
        return journee.compter(clients, au=aujourd_hui(), user=self.user, visibles=visibles, equipe=de == "equipe")

    def _encaissements(self) -> int:
        return self._compter(Encaissement.objects.filter(impute__lt=F("montant")))

    def _courriers(self) -> int:
        return self._compter(Courrier.objects.filter(statut=Courrier.Statut.A_VALIDER))

    def _reponses(self) -> int:
        """Courriels à lire et déclarations à traiter : la même entrée mène aux deux."""
        declarees = Declaration.objects.a_traiter().visibles_pour(self.user)
        return (
            self._compter(MessageRecu.objects.a_lire())
            + restreindre(self.request, declarees, "client__societe").count()
        )

    def _dossiers(self) -> int:
        return self._compter(DossierContentieux.objects.exclude(statut=DossierContentieux.Statut.CLOS))


def coque(request):
    return {"coque": Coque(request)}
