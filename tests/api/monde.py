"""Une société avec un objet de chaque sorte, un jeton par personne, et un navigateur qui parle JSON."""

import json
from datetime import date, timedelta
from itertools import count
from types import SimpleNamespace

from django.test import Client as Navigateur

from clients.models import BlocageCommandes
from factures.models import CompteBancaire, Lot, MouvementBancaire
from recouvrement.api.jetons import creer_jeton
from recouvrement.api.portees import Portee, hors_du_role
from recouvrement.comptes.models import Role
from relances.models import Courrier
from relances.services.plans import installer_plans
from tests.clients.factories import ClientFactory, ContactFactory
from tests.comptes.factories import SocieteFactory, UtilisateurFactory
from tests.contentieux.factories import CourrierEnvoyeFactory
from tests.factures.factories import EcheanceFactory, EncaissementFactory

AU = date(2026, 11, 20)
JSON = "application/json"
TOUTES = [p.value for p in Portee]
_rang = count(1)


def jeton_de(utilisateur, societe, *, portees=None, au=AU) -> str:
    """Le texte d'un jeton ; à défaut, toutes les portées que le rôle permet."""
    if portees is None:
        portees = sorted(set(TOUTES) - set(hors_du_role(TOUTES, utilisateur, societe)))
    options = {"nom": f"Programme {next(_rang)}", "expire_le": au + timedelta(90), "au": au, "acteur": utilisateur}
    return creer_jeton(societe, utilisateur=utilisateur, portees=portees, **options)[1]


class Programme:
    """Un client de l'API : un jeton, une clé d'idempotence neuve à chaque écriture."""

    def __init__(self, jeton: str = "", **entetes):
        self.navigateur = Navigateur(raise_request_exception=False)
        self.entetes = ({"Authorization": f"Bearer {jeton}"} if jeton else {}) | entetes

    def __call__(
        self, methode: str, chemin: str, corps=None, *, params=None, cle=None, type="application/json", **plus
    ):
        entetes = self.entetes | plus
        if methode == "POST" and cle != "":
            entetes["Idempotency-Key"] = cle or f"essai-{next(_rang)}"
        donnees = corps if isinstance(corps, (str, bytes)) else json.dumps(corps) if corps is not None else ""
        return self.navigateur.generic(
            methode, f"/api/v1/{chemin}", donnees, content_type=type, headers=entetes, query_params=params
        )

    def get(self, chemin, **params):
        return self("GET", chemin, params=params)

    def post(self, chemin, corps=None, **options):
        return self("POST", chemin, corps if corps is not None else {}, **options)

    def deposer(self, fichier, *, cle=None):
        entetes = self.entetes | {"Idempotency-Key": cle or f"essai-{next(_rang)}"}
        return self.navigateur.post("/api/v1/imports", {"fichier": fichier}, headers=entetes)


def monde_complet() -> SimpleNamespace:
    """Un responsable, un gestionnaire et son client, ses pièces ; un voisin ; une autre société."""
    societe = SocieteFactory()
    installer_plans(societe)
    equipe = {role: UtilisateurFactory(societe=societe, role=role) for role in Role}
    client = ClientFactory(societe=societe, gestionnaire=equipe[Role.GESTIONNAIRE])
    echeance = EcheanceFactory(client=client, echue_le=AU - timedelta(60))
    courrier = CourrierEnvoyeFactory([echeance], nature=4)
    compte = CompteBancaire.objects.create(societe=societe, identifiant="FR76", libelle="Courant")
    mouvement = MouvementBancaire.objects.create(
        societe=societe, compte=compte, cle_source="m", date=AU, montant="12.50", libelle="VIR"
    )
    objets = {
        "client": client,
        "contact": ContactFactory(client=client),
        "echeance": echeance,
        "facture": echeance.facture,
        "encaissement": EncaissementFactory(client=client, date=AU, montant=300),
        "courrier": courrier,
        "blocage": BlocageCommandes.objects.create(client=client, motif="retard", detail="60 jours", pose_le=AU),
        "mouvement": mouvement,
        "lot": Lot.objects.create(
            societe=societe, fichier="factures.csv", empreinte="0" * 64, statut=Lot.Statut.APERCU,
            auteur=equipe[Role.GESTIONNAIRE],
        ),
    }  # fmt: skip
    assert isinstance(courrier, Courrier)
    voisin = UtilisateurFactory(societe=societe, role=Role.GESTIONNAIRE)
    etranger = UtilisateurFactory(role=Role.ADMINISTRATEUR)
    ailleurs = etranger.affectations.get().societe
    return SimpleNamespace(
        societe=societe, equipe=equipe, voisin=voisin, etranger=etranger, ailleurs=ailleurs, **objets
    )  # fmt: skip
