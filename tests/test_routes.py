"""Toutes les routes × tous les rôles : rien d'ouvert que personne n'ait classé (exigence 39).

Une vue sans `droit` (posé par @exige ou @public) fait échouer l'essai, comme une route à paramètres absente
d'OBJETS : qui ajoute une route dit ce qu'elle montre et à qui.
"""

import re
import shutil
from datetime import date, timedelta
from pathlib import Path
from types import SimpleNamespace
from uuid import uuid4

import pytest
from django.conf import settings as reglages
from django.db import transaction
from django.test import Client as Navigateur
from django.test import override_settings
from django.urls import URLPattern, URLResolver, get_resolver, reverse
from django.utils import timezone
from time_machine import travel

from clients.models import Partage
from clients.reports import mettre_de_cote
from factures.models import Accord, CopieFacture, Correspondance, Douteux, Lot, RegleRapprochement, SourceImport
from factures.services import renoncer
from factures.services.blocages import bloquer
from factures.services.pertes import proposer
from recouvrement.api.models import AbonnementWebhook, JetonApi, Livraison
from recouvrement.commun import depot
from recouvrement.comptes.droits import MATRICE, Droit, peut
from recouvrement.comptes.models import Absence, Role
from relances.models import Declaration, Echelle, LeveeDeFrein, LotPostal, Message, MessageRecu, PliDeLot, Tache
from relances.rendu import livres
from relances.services.modeles import personnaliser
from relances.services.plans import installer_plans
from tests.clients.factories import ClientFactory, DocumentFactory, SuspensionFactory
from tests.comptes.factories import SocieteFactory, UtilisateurFactory
from tests.contentieux.factories import CourrierEnvoyeFactory, DossierFactory
from tests.factures.banque_essai import CompteFactory, MouvementFactory
from tests.factures.factories import (
    EcheanceFactory,
    EcheancierFactory,
    EncaissementFactory,
    ExclusionFactory,
    PromesseFactory,
)
from tests.portail.declarants import LienFactory

from .test_maison import RACINE, fichiers_du_depot

AU, MOMENT = date(2026, 11, 20), "2026-11-20 10:00 +0100"

# Connexion, mot de passe et second facteur : django-allauth décide de ses propres droits.
ALLAUTH = {
    "account_login", "account_logout", "account_inactive", "account_signup", "account_reauthenticate", "account_email",
    "account_email_verification_sent", "account_change_password", "account_set_password", "account_reset_password",
    "account_confirm_login_code", "account_confirm_email", "account_reset_password_from_key_done",
    "account_reset_password_from_key", "account_reset_password_done", "mfa_index", "mfa_authenticate",
    "mfa_reauthenticate", "mfa_activate_totp", "mfa_deactivate_totp", "mfa_view_recovery_codes",
    "mfa_generate_recovery_codes", "mfa_download_recovery_codes", "mfa_list_webauthn", "mfa_add_webauthn",
    "mfa_reauthenticate_webauthn", "mfa_remove_webauthn", "mfa_edit_webauthn", "mfa_login_webauthn",
}  # fmt: skip
PUBLIQUES = {"sante", "comptes:langue", "api:openapi", "api:introuvable", "relances:evenement"}

# Les seules pages du portail qui ne portent pas de lien : la saisie d'un code, la 404 uniforme, et ce qu'un prestataire
# de paiement notifie, que sa signature seule ouvre (tests/portail/test_paiement.py).
PORTAIL_SANS_LIEN = {"portail:code": "code", "portail:introuvable": "code", "portail:notification": "notification"}

PORTEFEUILLE, SOCIETE = "portefeuille", "société"

# Route à paramètres → (portée, {paramètre: objet}). Portée : qui d'autre ne doit pas le trouver.
OBJETS = {
    "comptes:utilisateur": (SOCIETE, {"pk": "utilisateur"}),
    "comptes:portefeuille": (SOCIETE, {"pk": "utilisateur"}),
    "comptes:inviter": (SOCIETE, {"pk": "utilisateur"}),
    "comptes:societe": (SOCIETE, {"pk": "societe"}),
    "api:jeton_revoquer": (SOCIETE, {"pk": "jeton"}),
    "api:introuvable": (None, {"reste": "=nulle-part"}),
    "comptes:logo": (SOCIETE, {"pk": "societe"}),
    "comptes:logo_image": (SOCIETE, {"pk": "societe"}),
    "pilotage:apercu": (PORTEFEUILLE, {"pk": "client"}),
    "pilotage:tache_faite": (PORTEFEUILLE, {"pk": "tache"}),
    "pilotage:tache_reporter": (PORTEFEUILLE, {"pk": "tache"}),
    "pilotage:tache_confier": (PORTEFEUILLE, {"pk": "tache"}),
    "pilotage:tache_rendre": (PORTEFEUILLE, {"pk": "tache"}),
    "pilotage:client_reporter": (PORTEFEUILLE, {"pk": "client"}),
    "pilotage:report_annuler": (PORTEFEUILLE, {"pk": "report"}),
    "pilotage:mention_lue": (PORTEFEUILLE, {"pk": "mention"}),
    "comptes:absences_de": (SOCIETE, {"pk": "utilisateur"}),
    "comptes:absence_annuler": (SOCIETE, {"pk": "absence"}),
    "factures:comptes_comptables": (SOCIETE, {"pk": "societe"}),
    "factures:douteux_passer": (PORTEFEUILLE, {"pk": "facture"}),
    "factures:douteux_reprendre": (PORTEFEUILLE, {"pk": "douteux"}),
    "pilotage:archive_client": (PORTEFEUILLE, {"pk": "client"}),
    "pilotage:archive_societe": (SOCIETE, {"pk": "societe"}),
    "clients:fiche": (PORTEFEUILLE, {"pk": "client"}),
    "clients:blocage_lever": (PORTEFEUILLE, {"pk": "blocage"}),
    "clients:geste": (PORTEFEUILLE, {"pk": "client", "volet": "=noter"}),
    "clients:effet": (PORTEFEUILLE, {"pk": "client", "volet": "=noter"}),
    "clients:lever": (PORTEFEUILLE, {"pk": "client", "suspension": "suspension"}),
    "clients:frein_lever": (PORTEFEUILLE, {"pk": "client", "echeance": "echeance"}),
    "clients:levee_approuver": (PORTEFEUILLE, {"pk": "client", "levee": "levee"}),
    "clients:levee_annuler": (PORTEFEUILLE, {"pk": "client", "levee": "levee"}),
    "clients:trancher": (PORTEFEUILLE, {"pk": "client"}),
    "clients:decision": (PORTEFEUILLE, {"pk": "client", "tache": "decision"}),
    "clients:reintegrer": (PORTEFEUILLE, {"pk": "client", "exclusion": "exclusion"}),
    "clients:accord_nouveau": (PORTEFEUILLE, {"pk": "client"}),
    **{
        f"clients:{nom}": (PORTEFEUILLE, {"pk": "client", "accord": "accord"})
        for nom in (
            "accord", "accord_pdf", "accord_exemplaire", "accord_approuver", "accord_refuser", "accord_annuler",
            "accord_envoyer", "accord_signer", "accord_sommer",
        )
    },
    "clients:accord_envoi_annuler": (PORTEFEUILLE, {"pk": "client", "accord": "accord", "message": "envoi_accord"}),
    "clients:echeancier_nouveau": (PORTEFEUILLE, {"pk": "client"}),
    "clients:echeancier": (PORTEFEUILLE, {"pk": "client", "echeancier": "echeancier"}),
    "clients:echeancier_annuler": (PORTEFEUILLE, {"pk": "client", "echeancier": "echeancier"}),
    "clients:promesse_annuler": (PORTEFEUILLE, {"pk": "client", "promesse": "promesse"}),
    "clients:renvoi_annuler": (PORTEFEUILLE, {"pk": "client", "message": "renvoi"}),
    "factures:perte": (PORTEFEUILLE, {"pk": "perte"}),
    "factures:perte_decider": (PORTEFEUILLE, {"pk": "perte"}),
    "factures:perte_retirer": (PORTEFEUILLE, {"pk": "perte"}),
    "factures:perte_defaire": (PORTEFEUILLE, {"pk": "perte"}),
    "clients:desaffecter": (
        PORTEFEUILLE, {"pk": "client", "genre": "=encaissement", "source": "encaissement", "cle": "=x"},
    ),
    "clients:adresse": (PORTEFEUILLE, {"pk": "client"}),
    "clients:appels_permettre": (PORTEFEUILLE, {"pk": "client"}),
    "clients:documents": (PORTEFEUILLE, {"pk": "client"}),
    "clients:document": (PORTEFEUILLE, {"pk": "client", "document": "document"}),
    "clients:document_apercu": (PORTEFEUILLE, {"pk": "client", "document": "document"}),
    "clients:document_retirer": (PORTEFEUILLE, {"pk": "client", "document": "document"}),
    "clients:document_remettre": (PORTEFEUILLE, {"pk": "client", "document": "document"}),
    "factures:fiche": (PORTEFEUILLE, {"pk": "facture"}),
    "factures:statut": (PORTEFEUILLE, {"pk": "facture"}),
    "factures:copies": (PORTEFEUILLE, {"pk": "facture"}),
    "factures:copie": (PORTEFEUILLE, {"pk": "copie"}),
    "factures:copie_retirer": (PORTEFEUILLE, {"pk": "copie"}),
    "factures:copies_client": (PORTEFEUILLE, {"client": "client"}),
    "factures:prelevement_rejete": (PORTEFEUILLE, {"pk": "echeance"}),
    "factures:renoncer": (PORTEFEUILLE, {"pk": "facture"}),
    "factures:renonciation_annuler": (PORTEFEUILLE, {"pk": "facture", "renonciation": "renonciation"}),
    "factures:decompte": (PORTEFEUILLE, {"client": "client"}),
    "factures:decompte_export": (PORTEFEUILLE, {"client": "client", "format": "=xlsx"}),
    "factures:plancher": (PORTEFEUILLE, {"client": "client"}),
    "factures:balance_ligne": (PORTEFEUILLE, {"client": "client", "devise": "=EUR"}),
    "factures:balance_export": (None, {"format": "=csv"}),
    "factures:affecter": (PORTEFEUILLE, {"genre": "=encaissement", "pk": "encaissement"}),
    "factures:ecart": (PORTEFEUILLE, {"genre": "=encaissement", "pk": "encaissement"}),
    "factures:desaffecter": (PORTEFEUILLE, {"genre": "=encaissement", "pk": "encaissement", "cle": "=x"}),
    "factures:rapprochement_accepter": (SOCIETE, {"pk": "mouvement"}),
    "factures:rapprochement_ecarter": (SOCIETE, {"pk": "mouvement"}),
    "factures:rapprochement_defaire": (SOCIETE, {"pk": "mouvement"}),
    "factures:rapprochement_regle_retirer": (SOCIETE, {"pk": "regle"}),
    "factures:compte_bancaire": (SOCIETE, {"pk": "compte_bancaire"}),
    "factures:compte_bancaire_regler": (SOCIETE, {"pk": "compte_bancaire"}),
    "factures:import_compte_accepter": (SOCIETE, {"pk": "lot"}),
    "factures:import": (SOCIETE, {"pk": "lot"}),
    "factures:import_appliquer": (SOCIETE, {"pk": "lot"}),
    "factures:correspondre": (SOCIETE, {"pk": "lot"}),
    "factures:correspondre_feuille": (SOCIETE, {"pk": "lot"}),
    "factures:correspondre_revoir": (SOCIETE, {"pk": "lot"}),
    "factures:correspondance_renommer": (SOCIETE, {"pk": "correspondance"}),
    "factures:correspondance_supprimer": (SOCIETE, {"pk": "correspondance"}),
    "factures:import_relancer": (SOCIETE, {"pk": "lot"}),
    "factures:import_abandonner": (SOCIETE, {"pk": "lot"}),
    "factures:import_rapport": (SOCIETE, {"pk": "lot"}),
    "factures:import_client": (SOCIETE, {"pk": "lot"}),
    "factures:import_corrections": (SOCIETE, {"pk": "lot"}),
    "factures:import_relire": (SOCIETE, {"pk": "lot"}),
    "factures:import_defaire": (SOCIETE, {"pk": "lot"}),
    "factures:source": (SOCIETE, {"pk": "source"}),
    "factures:source_essayer": (SOCIETE, {"pk": "source"}),
    "factures:source_relever": (SOCIETE, {"pk": "source"}),
    "factures:import_modele": (None, {"nom": "=clients"}),
    "relances:declaration": (PORTEFEUILLE, {"pk": "declaration"}),
    "relances:declaration_accepter": (PORTEFEUILLE, {"pk": "declaration"}),
    "relances:declaration_ecarter": (PORTEFEUILLE, {"pk": "declaration"}),
    "relances:declaration_remettre": (PORTEFEUILLE, {"pk": "declaration"}),
    "relances:apercu": (PORTEFEUILLE, {"client": "client", "palier": "palier", "devise": "=EUR"}),
    "relances:apercu_image": (PORTEFEUILLE, {"client": "client", "palier": "palier", "devise": "=EUR", "page": "=1"}),
    "relances:apercu_pdf": (PORTEFEUILLE, {"client": "client", "palier": "palier", "devise": "=EUR"}),
    "relances:evenement": (None, {"fournisseur": "=postmark", "genre": "=tracking"}),
    "relances:message_recu": (PORTEFEUILLE, {"pk": "recu"}),
    "relances:reponse_lire": (PORTEFEUILLE, {"pk": "recu"}),
    "relances:reponse_ecarter": (PORTEFEUILLE, {"pk": "recu"}),
    "relances:reponse_relire": (PORTEFEUILLE, {"pk": "recu"}),
    "relances:reponse_repondre": (PORTEFEUILLE, {"pk": "recu"}),
    "relances:reponse_rattacher": (PORTEFEUILLE, {"pk": "recu"}),
    "relances:reponse_rejet": (PORTEFEUILLE, {"pk": "recu"}),
    "relances:message": (PORTEFEUILLE, {"pk": "renvoi"}),
    "relances:message_annuler": (PORTEFEUILLE, {"pk": "renvoi"}),
    "relances:message_trancher": (PORTEFEUILLE, {"pk": "renvoi"}),
    "relances:message_remettre": (PORTEFEUILLE, {"pk": "renvoi"}),
    "relances:reglage_reponses": (SOCIETE, {"pk": "societe"}),
    "relances:reglage_reponses_essayer": (SOCIETE, {"pk": "societe"}),
    "relances:reglage_reponses_relever": (SOCIETE, {"pk": "societe"}),
    "relances:reglage_sms": (SOCIETE, {"pk": "societe"}),
    "relances:manuel": (PORTEFEUILLE, {"pk": "client"}),
    "relances:courrier": (PORTEFEUILLE, {"pk": "courrier"}),
    "relances:pdf": (PORTEFEUILLE, {"pk": "courrier"}),
    "relances:dernier_avis": (PORTEFEUILLE, {"pk": "courrier"}),
    "relances:image": (PORTEFEUILLE, {"pk": "courrier", "page": "=1"}),
    "relances:texte": (PORTEFEUILLE, {"pk": "courrier"}),
    "relances:retenir": (PORTEFEUILLE, {"pk": "courrier"}),
    "relances:remettre": (PORTEFEUILLE, {"pk": "courrier"}),
    "relances:trancher": (PORTEFEUILLE, {"pk": "courrier"}),
    "relances:poster": (PORTEFEUILLE, {"pk": "courrier"}),
    "relances:retour": (PORTEFEUILLE, {"pk": "courrier"}),
    "relances:avis": (PORTEFEUILLE, {"pk": "courrier"}),
    "relances:presenter": (PORTEFEUILLE, {"pk": "courrier"}),
    "relances:preuve": (PORTEFEUILLE, {"pk": "courrier"}),
    "relances:retour_corriger": (PORTEFEUILLE, {"pk": "courrier"}),
    "relances:suivi_corriger": (PORTEFEUILLE, {"pk": "courrier"}),
    "relances:reclamer": (PORTEFEUILLE, {"pk": "courrier"}),
    "relances:voie": (PORTEFEUILLE, {"pk": "courrier"}),
    "relances:prestataire": (PORTEFEUILLE, {"pk": "courrier"}),
    "relances:relever": (PORTEFEUILLE, {"pk": "courrier"}),
    "relances:lot": (PORTEFEUILLE, {"pk": "lot_postal"}),
    "relances:lot_pdf": (PORTEFEUILLE, {"pk": "lot_postal"}),
    "relances:lot_bordereau": (PORTEFEUILLE, {"pk": "lot_postal"}),
    "relances:lot_reprendre": (PORTEFEUILLE, {"pk": "lot_postal"}),
    "relances:lot_scanner": (PORTEFEUILLE, {"pk": "lot_postal"}),
    "relances:lot_numeros": (PORTEFEUILLE, {"pk": "lot_postal"}),
    "relances:lot_deposer": (PORTEFEUILLE, {"pk": "lot_postal"}),
    "relances:lot_refaire": (PORTEFEUILLE, {"pk": "lot_postal"}),
    "relances:lot_retirer": (PORTEFEUILLE, {"pk": "lot_postal", "courrier": "courrier"}),
    "relances:plan": (SOCIETE, {"pk": "echelle"}),
    "relances:plan_brouillon": (SOCIETE, {"pk": "echelle"}),
    "relances:plan_palier": (SOCIETE, {"pk": "palier"}),
    "relances:plan_publier": (SOCIETE, {"pk": "echelle"}),
    "relances:plan_comparaison": (SOCIETE, {"pk": "echelle"}),
    "relances:plan_regles": (SOCIETE, {"pk": "echelle"}),
    "relances:plan_ajouter": (SOCIETE, {"pk": "echelle"}),
    "relances:plan_abandonner": (SOCIETE, {"pk": "echelle"}),
    "relances:plan_retirer": (SOCIETE, {"pk": "palier"}),
    "relances:plan_comparaison_csv": (SOCIETE, {"pk": "echelle"}),
    "relances:plan_versions": (SOCIETE, {"pk": "echelle"}),
    "relances:plan_revenir": (SOCIETE, {"pk": "echelle"}),
    "relances:plan_renommer": (SOCIETE, {"pk": "echelle"}),
    "relances:plan_par_defaut": (SOCIETE, {"pk": "echelle"}),
    "relances:plan_retirer_plan": (SOCIETE, {"pk": "echelle"}),
    "relances:plan_exporter": (SOCIETE, {"pk": "echelle"}),
    "relances:plan_importer_brouillon": (SOCIETE, {"pk": "echelle"}),
    "relances:plan_clients": (SOCIETE, {"pk": "echelle"}),
    "relances:plan_affecter": (SOCIETE, {"pk": "echelle"}),
    "relances:plan_deplacer": (SOCIETE, {"pk": "palier"}),
    "relances:plan_du_client": (PORTEFEUILLE, {"pk": "client"}),
    "relances:modele_livre": (SOCIETE, {"societe": "societe", "cle": "=entreprise-rappel_courtois-courriel-fr"}),
    "relances:personnaliser": (SOCIETE, {"societe": "societe", "cle": "=entreprise-rappel_courtois-courriel-fr"}),
    "relances:modele_copier_livre": (SOCIETE, {"societe": "societe", "cle": "=entreprise-rappel_courtois-courriel-fr"}),
    "relances:modele_importer": (SOCIETE, {"societe": "societe"}),
    "relances:modele": (SOCIETE, {"pk": "modele"}),
    "relances:modele_apercu": (SOCIETE, {"pk": "modele"}),
    "relances:modele_differences": (SOCIETE, {"pk": "modele"}),
    "relances:modele_exporter": (SOCIETE, {"pk": "modele"}),
    "relances:modele_enregistrer": (SOCIETE, {"pk": "modele"}),
    "relances:modele_brouillon": (SOCIETE, {"pk": "modele"}),
    "relances:modele_publier": (SOCIETE, {"pk": "modele"}),
    "relances:modele_abandonner": (SOCIETE, {"pk": "modele"}),
    "relances:modele_copier": (SOCIETE, {"pk": "modele"}),
    "relances:modele_retirer": (SOCIETE, {"pk": "modele"}),
    "webhooks:abonnement": (SOCIETE, {"pk": "abonnement"}),
    "webhooks:essayer": (SOCIETE, {"pk": "abonnement"}),
    "webhooks:cle": (SOCIETE, {"pk": "abonnement"}),
    "webhooks:basculer": (SOCIETE, {"pk": "abonnement"}),
    "webhooks:rejouer": (SOCIETE, {"pk": "abonnement", "livraison": "livraison"}),
    "page_client:reglage": (SOCIETE, {"societe": "societe"}),
    "page_client:client": (PORTEFEUILLE, {"client": "client"}),
    "page_client:apercu": (PORTEFEUILLE, {"client": "client"}),
    "page_client:donner": (PORTEFEUILLE, {"client": "client"}),
    "page_client:revoquer": (PORTEFEUILLE, {"client": "client", "lien": "lien"}),
    "contentieux:ouvrir": (PORTEFEUILLE, {"pk": "client"}),
    "contentieux:declaration": (PORTEFEUILLE, {"pk": "client"}),
    "contentieux:prescription": (PORTEFEUILLE, {"pk": "facture"}),
    "contentieux:prescription_resume": (PORTEFEUILLE, {"pk": "facture"}),
    "contentieux:prescription_acte": (PORTEFEUILLE, {"pk": "facture"}),
    "contentieux:prescription_creance": (PORTEFEUILLE, {"pk": "facture"}),
    "contentieux:prescription_annuler": (PORTEFEUILLE, {"pk": "facture", "acte": "=1"}),
    "contentieux:prescription_preuve": (PORTEFEUILLE, {"pk": "facture", "acte": "=1"}),
    "contentieux:dossier": (PORTEFEUILLE, {"pk": "dossier"}),
    "contentieux:fiche": (PORTEFEUILLE, {"societe": "code", "reference": "reference"}),
    "contentieux:geste": (PORTEFEUILLE, {"societe": "code", "reference": "reference", "geste": "=clore"}),
    "contentieux:piece": (PORTEFEUILLE, {"societe": "code", "reference": "reference", "piece": "piece"}),
    "contentieux:requete": (PORTEFEUILLE, {"societe": "code", "reference": "reference"}),
    "contentieux:decompte": (PORTEFEUILLE, {"societe": "code", "reference": "reference"}),
    "contentieux:archive": (PORTEFEUILLE, {"societe": "code", "reference": "reference"}),
}  # fmt: skip
# Objet visible mais dont l'état peut faire répondre 404 à qui a le droit (pièce ou brouillon pas encore là).
PARFOIS_ABSENTS = {
    "comptes:absence_annuler", "pilotage:mention_lue",
    "comptes:logo_image", "relances:apercu", "relances:apercu_image", "relances:apercu_pdf", "relances:image",
    "relances:avis", "relances:preuve", "relances:plan_palier", "relances:plan_publier", "relances:plan_comparaison",
    "relances:plan_comparaison_csv",
    "relances:plan_regles", "relances:plan_ajouter", "relances:plan_abandonner", "contentieux:piece",
    "contentieux:requete", "contentieux:prescription_annuler", "contentieux:prescription_preuve",
}  # fmt: skip


def routes() -> dict[str, URLPattern]:
    """{nom complet: route} de tout le projet."""

    def parcourir(motifs, espace=""):
        for motif in motifs:
            if isinstance(motif, URLResolver):
                yield from parcourir(motif.url_patterns, f"{espace}{motif.namespace}:" if motif.namespace else espace)
            else:
                yield f"{espace}{motif.name}", motif

    return dict(parcourir(get_resolver().url_patterns))


ROUTES = routes()
# L'API ne connaît que des jetons : ses routes disent leurs portées, et tests/api/test_acces.py y frappe avec tous.
API = sorted(nom for nom in ROUTES if hasattr(ROUTES[nom].callback, "portees"))
NOTRES = sorted(set(ROUTES) - ALLAUTH - set(API))
# La page du client : publique, chaque route résout elle-même son lien (recouvrement.portail.acces).
PORTAIL = {nom for nom in NOTRES if nom.startswith("portail:")}


def adresse_brute(nom: str) -> str:
    """Le motif de la route, paramètres compris."""
    motifs = get_resolver().reverse_dict if ":" not in nom else get_resolver("recouvrement.api.urls").reverse_dict
    (((chemin, _parametres), *_autres), *_reste) = motifs[nom.rpartition(":")[2]]
    return "/" + re.sub(r"%\((\w+)\)s", r"<\1>", chemin)


def droit_de(nom: str):
    return ROUTES[nom].callback.droit


def test_aucune_route_n_est_sans_nom():
    assert [nom for nom in ROUTES if nom.endswith(":None") or nom == "None"] == []


def test_chaque_adresse_citee_dans_le_code_existe():
    """`adresse()` se tait sur une route inconnue : deux parts écrites à part ne se manquent pas sans qu'on le voie."""
    citees = {
        (nom, str(f.relative_to(RACINE)))
        for f in fichiers_du_depot()
        if f.suffix == ".py" and "tests" not in f.parts
        for nom in re.findall(r"\badresse\(\s*[\"']([\w-]+:[\w-]+)[\"']", f.read_text(encoding="utf-8"))
    }
    assert len(citees) > 20
    assert sorted((nom, f) for nom, f in citees if nom not in ROUTES) == []


def test_chaque_vue_dit_son_droit():
    assert [nom for nom in [*NOTRES, *API] if not hasattr(ROUTES[nom].callback, "droit")] == []


def test_aucune_route_de_l_api_n_echappe_aux_jetons():
    """Tout ce qui est sous /api/ passe par la garde des jetons, sauf ce qui est classé ici."""
    sous_api = {nom for nom in ROUTES if nom.startswith("api:") and "administration" not in adresse_brute(nom)}
    assert sous_api - set(API) == {"api:openapi", "api:introuvable", "api:documentation"}
    assert [nom for nom in API if not ROUTES[nom].callback.portees] == []


@pytest.mark.parametrize("nom", API)
def test_une_session_n_ouvre_rien_de_l_api(monde, nom):
    """Ni cookie, ni rôle : sans jeton, 401 pour tous, à chaque méthode."""
    url = re.sub(r"<[^>]+>", "1", adresse_brute(nom))
    for personne in (None, monde.personnes[Role.ADMINISTRATEUR]):
        navigateur = Navigateur()
        if personne:
            navigateur.force_login(personne)
        for methode in ROUTES[nom].callback.portees:
            assert navigateur.generic(methode, url).status_code == 401, f"{methode} {nom}"


def test_les_routes_d_allauth_sont_celles_qu_on_a_relues():
    fautes = [nom for nom in ALLAUTH if nom not in ROUTES or not ROUTES[nom].callback.__module__.startswith("allauth.")]
    assert fautes == []


def test_les_routes_publiques_se_comptent_sur_les_doigts():
    assert {nom for nom in NOTRES if droit_de(nom) is None} - PORTAIL == PUBLIQUES


def test_chaque_route_du_portail_verifie_son_lien():
    """Publiques, elles ne s'ouvrent qu'avec un lien ; tests/portail/test_cloisons.py y frappe avec celui d'un autre."""
    gardes = {nom: getattr(ROUTES[nom].callback, "garde", "") for nom in PORTAIL}
    sans_lien = {nom: garde for nom, garde in gardes.items() if garde != "lien"}

    assert sans_lien == PORTAIL_SANS_LIEN
    assert all("<jeton>" in str(ROUTES[nom].pattern) or "<slug:jeton>" in str(ROUTES[nom].pattern)
               for nom in PORTAIL - set(sans_lien))  # fmt: skip


def test_chaque_route_a_parametres_dit_ce_qu_elle_montre():
    avec = {nom for nom in NOTRES if ROUTES[nom].pattern.regex.groups}
    assert avec - PORTAIL == set(OBJETS)


@pytest.fixture(scope="module")
def fondation(django_db_setup, django_db_blocker, tmp_path_factory):
    """Le monde et son dépôt, bâtis une fois : chaque essai s'y tient dans une transaction qu'il défait."""
    depart = tmp_path_factory.mktemp("routes") / "depot"
    with django_db_blocker.unblock():
        dehors = transaction.atomic()
        dehors._from_testcase = True  # comme TestCase : les transactions durables restent permises dedans
        with dehors:
            with override_settings(DEPOT=depart), travel(MOMENT, tick=False):
                construit = construire()
            yield construit, depart
            transaction.set_rollback(True)


@pytest.fixture
def monde(fondation, db, settings, tmp_path, time_machine):
    construit, depart = fondation
    settings.DEPOT = shutil.copytree(depart, tmp_path / "depot")
    time_machine.move_to(MOMENT, tick=False)
    return construit


def construire() -> SimpleNamespace:
    """Une société, un client suivi par `gestionnaire`, un objet de chaque sorte ; et tous ceux qui frappent."""
    societe = SocieteFactory()
    installer_plans(societe)
    equipe = {role.value: UtilisateurFactory(societe=societe, role=role) for role in Role}
    client = ClientFactory(societe=societe, gestionnaire=equipe[Role.GESTIONNAIRE])
    echeance = EcheanceFactory(client=client, echue_le=AU - timedelta(60))
    dossier = DossierFactory(client=client)
    echelle = Echelle.objects.filter(societe=societe).first()
    courrier = CourrierEnvoyeFactory([echeance], nature=4)
    chemin, empreinte = depot.ranger(b"%PDF-1.4 lot", ".pdf")
    lot_postal = LotPostal.objects.create(
        societe=societe, numero=1, auteur=equipe[Role.RESPONSABLE], statut=LotPostal.Statut.PRET, pdf_chemin=chemin,
        pdf_empreinte=empreinte,
    )  # fmt: skip
    PliDeLot.objects.create(lot=lot_postal, courrier=courrier, rang=1)
    abonnement = AbonnementWebhook.objects.create(societe=societe, nom="ERP", url="https://127.0.0.1:9/", secret="s")
    accord = Accord.objects.create(
        client=client, genre="compensation", reference="ACC-1", montant=1, propose_le=AU, expire_le=AU,
        pdf_chemin=chemin, pdf_empreinte=empreinte, auteur=equipe[Role.GESTIONNAIRE],
        exemplaire=DocumentFactory(client=client, chemin=chemin, empreinte=empreinte),
    )  # fmt: skip
    objets = SimpleNamespace(
        lien=LienFactory(client=client, au=AU),
        abonnement=abonnement,
        livraison=Livraison.objects.create(
            abonnement=abonnement, identifiant=uuid4(), cle="1:x", evenement="litige.clos", corps="{}"
        ),
        societe=societe,
        lot_postal=lot_postal,
        code=societe.code,
        utilisateur=equipe[Role.LECTEUR],
        client=client,
        echeance=echeance,
        facture=echeance.facture,
        encaissement=EncaissementFactory(client=client, date=AU),
        courrier=courrier,
        tache=Tache.objects.create(
            societe=societe, client=client, genre=Tache.Genre.APPEL, titre="Appeler", due_le=AU, cle="a"
        ),
        copie=CopieFacture.objects.create(
            facture=echeance.facture, nom="f.pdf", chemin="00/00/x.pdf", empreinte="0" * 64, taille=1
        ),
        decision=Tache.objects.create(
            societe=societe, client=client, genre=Tache.Genre.DECISION, titre="Trancher", due_le=AU, cle="d"
        ),
        levee=LeveeDeFrein.objects.create(
            echeance=echeance,
            frein="suspendue",
            pour_le=AU,
            motif="x",
            montant=1,
            a_deux=True,
            demandee_par=equipe[Role.ADMINISTRATEUR],
        ),
        document=DocumentFactory(client=client),
        accord=accord,
        envoi_accord=Message.objects.create(
            societe=societe,
            client=client,
            genre="accord",
            cle="accord",
            destinataire="x@client.example",
            pas_avant=timezone.now(),
            texte="Accord",
            accord=accord,
        ),
        suspension=SuspensionFactory(client=client, du=AU),
        perte=proposer(echeance, montant=1, motif="Essai", au=AU, acteur=equipe[Role.GESTIONNAIRE]),
        recu=MessageRecu.objects.create(
            societe=societe,
            client=client,
            origine="imap",
            cle_source="<r@x>",
            categorie="reponse",
            recu_le=timezone.now(),
            de="x@client.example",
        ),
        renvoi=Message.objects.create(
            societe=societe,
            client=client,
            genre="facture",
            cle="renvoi",
            destinataire="x@client.example",
            pas_avant=timezone.now(),
            texte="Facture",
        ),
        report=mettre_de_cote(client, jusqu_au=AU + timedelta(3), motif="x", acteur=equipe[Role.GESTIONNAIRE], le=AU),
        mention=Partage.objects.create(
            client=client,
            utilisateur=equipe[Role.LECTEUR],
            genre="mention",
            du=AU,
            au=AU,
            ouvert_par=equipe[Role.GESTIONNAIRE],
        ),
        absence=Absence.objects.create(
            utilisateur=equipe[Role.LECTEUR],
            remplacant=equipe[Role.RESPONSABLE],
            du=AU,
            au=AU,
            auteur=equipe[Role.LECTEUR],
        ),
        declaration=Declaration.objects.create(
            client=client,
            lien=LienFactory(client=client, au=AU),
            genre="paye",
            montant=10,
            jour=AU,
            cle="routes",
            faite_le=timezone.now(),
        ),
        exclusion=ExclusionFactory(echeance=echeance, du=AU),
        renonciation=renoncer(echeance.facture, portee="tout", motif="geste", le=AU, acteur=equipe[Role.RESPONSABLE]),
        echeancier=EcheancierFactory(echeances=[echeance], accepte_le=AU),
        douteux=Douteux.objects.create(facture=echeance.facture, passe_le=AU, motif="Sans réponse"),
        blocage=bloquer(client, motif="Chèque volé", au=AU, acteur=equipe[Role.RESPONSABLE]),
        promesse=PromesseFactory(echeances=[echeance], date_promise=AU),
        echelle=echelle,
        modele=personnaliser(societe, livres.catalogue()[0], par=equipe[Role.RESPONSABLE]).modele,
        palier=echelle.versions.get().paliers.first(),
        dossier=dossier,
        reference=dossier.reference,
        piece=dossier.pieces.first(),
        correspondance=Correspondance.objects.create(societe=societe, nom="Export", genre="factures", signature="x"),
        source=SourceImport.objects.create(societe=societe, nom="Dépôt", genre="dossier", actif=False),
        compte_bancaire=CompteFactory(societe=societe),
        mouvement=MouvementFactory(societe=societe),
        regle=RegleRapprochement.objects.create(societe=societe, nom="Paie", contient="SALAIRE", action="ignorer"),
        lot=Lot.objects.create(societe=societe, fichier="fec.txt", empreinte="0", statut=Lot.Statut.APPLIQUE),
        jeton=JetonApi.objects.create(
            societe=societe, utilisateur=equipe[Role.GESTIONNAIRE], nom="x", prefixe="x", empreinte="0", expire_le=AU
        ),
    )
    personnes = equipe | {
        "voisin": UtilisateurFactory(societe=societe, role=Role.GESTIONNAIRE),
        "étranger": UtilisateurFactory(role=Role.ADMINISTRATEUR),
    }
    return SimpleNamespace(objets=objets, personnes=personnes)


def adresse(nom: str, objets) -> str:
    _portee, parametres = OBJETS.get(nom, (None, {}))

    def valeur(source: str):
        if source.startswith("="):
            return source[1:]
        objet = getattr(objets, source)
        return getattr(objet, "pk", objet)

    return reverse(nom, kwargs={cle: valeur(source) for cle, source in parametres.items()})


def frapper(url: str, personne=None):
    """Réponse à GET, ou à POST si la vue n'accepte que lui ; rien de ce qui est écrit ne reste."""
    navigateur = Navigateur(raise_request_exception=False)
    if personne is not None:
        navigateur.force_login(personne)
    with transaction.atomic():
        reponse = navigateur.get(url)
        if reponse.status_code == 405:
            reponse = navigateur.post(url, {})
        if reponse.streaming:  # lu jusqu'au bout, le fichier se ferme
            b"".join(reponse.streaming_content)
        transaction.set_rollback(True)
    return reponse


def vers_la_connexion(reponse) -> bool:
    return reponse.status_code in (302, 303) and reponse.url.startswith(reverse(reglages.LOGIN_URL))


@pytest.mark.variables_inconnues_permises
@pytest.mark.parametrize("nom", sorted(set(NOTRES) - PORTAIL))  # un lien, pas un rôle
def test_chaque_route_n_ouvre_qu_a_ceux_qui_en_ont_le_droit(monde, nom):
    url, droit = adresse(nom, monde.objets), droit_de(nom)
    anonyme = frapper(url)
    if droit is None:
        assert anonyme.status_code < 500
        assert not vers_la_connexion(anonyme)
        return
    assert vers_la_connexion(anonyme), f"{nom} : {anonyme.status_code} sans connexion"
    for role in Role:
        statut = frapper(url, monde.personnes[role]).status_code
        if droit not in MATRICE[role]:
            assert statut == 403, f"{nom}, {role} : {statut}"
            continue
        refus = (403,) if nom in PARFOIS_ABSENTS else (403, 404)
        assert statut < 500 and statut not in refus, f"{nom}, {role} : {statut}"


@pytest.mark.variables_inconnues_permises
@pytest.mark.parametrize("nom", sorted(nom for nom, (portee, _p) in OBJETS.items() if portee))
def test_l_objet_d_un_autre_portefeuille_ou_d_une_autre_societe_est_introuvable(monde, nom):
    url, (portee, _parametres) = adresse(nom, monde.objets), OBJETS[nom]
    intrus = ["étranger", "voisin"] if portee == PORTEFEUILLE else ["étranger"]
    for personne in intrus:
        attendu = 404 if peut(monde.personnes[personne], droit_de(nom)) else 403
        assert frapper(url, monde.personnes[personne]).status_code == attendu, f"{nom}, {personne}"


# --- La matrice écrite et la matrice appliquée ne se séparent pas ---------------------------------------


def test_docs_droits_montre_la_matrice_appliquee():
    texte = (Path(__file__).resolve().parent.parent / "docs" / "droits.md").read_text(encoding="utf-8")
    lignes = re.findall(r"^\| `(\w+)` \|(.*)\|$", texte, flags=re.M)
    roles = [Role.LECTEUR, Role.GESTIONNAIRE, Role.RESPONSABLE, Role.ADMINISTRATEUR]
    ecrite = {nom: [c.strip() == "oui" for c in reste.split("|")[-4:]] for nom, reste in lignes}

    assert ecrite == {droit.value: [droit in MATRICE[role] for role in roles] for droit in Droit}


def test_un_import_n_est_visible_que_de_ceux_qui_importent(monde):
    vus = {nom: Lot.objects.visibles_pour(personne).count() for nom, personne in monde.personnes.items()}

    assert vus == {"administrateur": 1, "responsable": 1, "gestionnaire": 1, "lecteur": 0, "voisin": 1, "étranger": 0}
