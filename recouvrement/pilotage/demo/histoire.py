"""L'histoire jour après jour : encaissements, gestes, envois, puis la nuit. Tout passe par les vrais services."""

import random
from collections import defaultdict
from datetime import date, timedelta

from django.test.utils import override_settings

from contentieux.services import veiller
from factures.domaine.calendrier import ajouter_jours_ouvres
from factures.models import Echeance
from relances.domaine.appels import MotifRetard
from relances.models import Courrier, Tache
from relances.services import quotidien
from relances.services.envoi import envoyer
from relances.services.taches import terminer_tache

from . import maison
from .gestes import Gestes
from .grand_livre import Reglement
from .personnages import Personnage
from .temps import Horloge, Jours

S = Courrier.Statut
BOITE = "recouvrement.pilotage.demo.boite.EmailBackend"
# (issue d'un appel, poids) chez un client ordinaire.
ISSUES = (("promesse", 30), ("message", 22), ("en_validation", 18), ("injoignable", 15), ("paiement_parti", 15))
PATIENCE = 4  # jours ouvrés au bout desquels un appel d'une scène finit par se faire
RESTE_A_FAIRE = 3  # derniers jours ouvrés où l'équipe n'a pas tout traité


class Histoire:
    """Rejoue les jours ouvrés de `debut` à la veille."""

    def __init__(self, gestes: Gestes, personnages: list[Personnage], jours: Jours, horloge: Horloge, r: random.Random):
        self.gestes, self.jours, self.horloge, self.r = gestes, jours, horloge, r
        self.societe = gestes.societe
        self.par_client = {p.client.pk: p for p in personnages}
        self.conduits = {p.client.pk for p in personnages if p.scene and p.scene.conduite}
        self.scenes = {p.client.pk for p in personnages if p.scene}
        self.recus: dict[date, list[Reglement]] = defaultdict(list)
        self.agenda: dict[date, list] = defaultdict(list)
        self.maison: dict[date, list] = defaultdict(list)
        self.recents = ajouter_jours_ouvres(jours.veille, -RESTE_A_FAIRE)

    def raconter(self, debut: date) -> None:
        for p in self.par_client.values():
            for geste in p.scene.gestes if p.scene else ():
                self.agenda[min(geste.jour, self.jours.veille)].append((p, geste))
        for jour, faire in maison.evenements(self.jours):
            self.maison[min(jour, self.jours.veille)].append(faire)
        with override_settings(EMAIL_BACKEND=BOITE):
            for jour in self.jours.ouvres(debut):
                self.journee(jour)
                self.horloge.poser(jour, self.societe.heure_passage.hour, self.societe.heure_passage.minute)
                quotidien.passer(self.societe, au=jour, moment=self.horloge.moment)
                self.expedier(jour)
            veiller(self.societe, au=self.jours.veille)

    def journee(self, jour: date) -> None:
        self.horloge.poser(jour, 7, 50)
        self.gestes.livre.encaisser(self.recus.pop(jour, []))
        self.horloge.poser(jour, 9, 20)
        for p, geste in self.agenda.pop(jour, []):
            if not getattr(self.gestes, geste.verbe)(p, jour, **geste.options) and jour < self.jours.veille:
                self.agenda[ajouter_jours_ouvres(jour, 1)].append((p, geste))
        for faire in self.maison.pop(jour, []):
            if not faire(self.gestes, jour) and jour < self.jours.veille:
                self.maison[ajouter_jours_ouvres(jour, 1)].append(faire)
        self._appels(jour)
        self._courriers(jour)
        self.horloge.poser(jour, 11, 30)
        self.expedier(jour)

    def expedier(self, jour: date) -> None:
        attente = Courrier.objects.a_envoyer().filter(societe=self.societe).order_by("client__code", "pk")
        for pk in attente.values_list("pk", flat=True):
            envoyer(pk, au=jour)

    # --- Ce que l'équipe fait des clients ordinaires -------------------------------------------------
    def _appels(self, jour: date) -> None:
        """Appels et suites à faire ce jour ; les derniers jours, une partie attend encore."""
        ouvertes = Tache.objects.filter(societe=self.societe, faite_le=None, due_le__lte=jour)
        anciennes = ouvertes.filter(client__in=self.scenes, genre=Tache.Genre.APPEL)
        for tache in anciennes.filter(due_le__lt=ajouter_jours_ouvres(jour, -PATIENCE)).order_by("client__code", "pk"):
            terminer_tache(tache, issue="message laissé", acteur=self.gestes.par(self.par_client[tache.client_id]))
        for tache in ouvertes.exclude(client__in=self.scenes).order_by("client__code", "pk"):
            if jour > self.recents and self.r.random() < 0.7:
                continue
            p = self.par_client[tache.client_id]
            if tache.genre != Tache.Genre.APPEL:
                if tache.genre != Tache.Genre.CONTENTIEUX:
                    terminer_tache(tache, issue="fait", acteur=self.gestes.par(p))
                continue
            issues, poids = zip(*ISSUES, strict=True)
            issue = self.r.choices(issues, poids)[0]
            motif = self.r.choice(list(MotifRetard)).value if issue in ("promesse", "en_validation") else ""
            self.gestes.appeler(p, jour, issue=issue, motif=motif)
            if issue == "promesse":
                self._promettre(p, jour)

    def _promettre(self, p: Personnage, jour: date) -> None:
        """Promet ce qui est échu, pour un jour que le client tiendra ou non selon son habitude."""
        pieces = list(Echeance.objects.ouvertes().filter(client=p.client, date_echeance__lt=jour, en_contentieux=False))
        if pieces:
            self.gestes._promettre(p, jour, pieces, jour + timedelta(days=self.r.randrange(4, 12)))

    def _courriers(self, jour: date) -> None:
        """Valider, poster, consigner les avis ; les courriers d'une scène « conduite » attendent leurs gestes."""
        libres = Courrier.objects.filter(societe=self.societe).exclude(client__in=self.conduits)
        libres = libres.select_related("client__gestionnaire").order_by("client__code", "pk")
        if jour <= self.recents:
            for courrier in libres.filter(statut=S.A_VALIDER):
                self.gestes.valider_courrier(courrier, jour, courrier.client.gestionnaire)
        if jour < self.jours.veille:
            for courrier in libres.filter(statut=S.A_POSTER):
                self.gestes.poster_courrier(courrier, jour, courrier.client.gestionnaire)
        for courrier in libres.filter(statut=S.POSTE, canal="recommande", retour=""):
            if (jour - courrier.depose_le).days >= 4 and self.r.random() < 0.4:
                retour = self.r.choices(("distribue", "non_reclame", "refuse"), (82, 14, 4))[0]
                self.gestes.retour_courrier(courrier, jour, retour, courrier.client.gestionnaire)
