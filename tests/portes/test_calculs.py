"""Ce qu'aucune porte ne laisse calculer ni engager : commandes, services, écrans. Il n'y a pas encore d'API."""

import json
from datetime import date, timedelta
from io import StringIO

import pytest
from django.core.exceptions import ValidationError
from django.core.management import CommandError, call_command
from django.db import IntegrityError, transaction
from django.urls import reverse

from clients.models import Client
from contentieux import services as contentieux
from contentieux.models import DossierContentieux
from factures.models import Echeance
from recouvrement.comptes.models import Role
from relances.domaine.natures import Nature
from relances.formulaires_modeles import PREFIXE
from relances.models import Modele
from relances.rendu import controles_modele
from relances.rendu.contexte import TypeDebiteur
from relances.rendu.livres import Genre
from relances.views.modeles import cle_de
from tests.clients.factories import ClientFactory
from tests.comptes.factories import SocieteFactory, UtilisateurFactory
from tests.factures.factories import EcheanceFactory

pytestmark = pytest.mark.django_db
MARDI = date(2026, 2, 10)


@pytest.fixture(autouse=True)
def un_mardi(time_machine, settings, tmp_path):
    settings.DEPOT = tmp_path / "depot"
    time_machine.move_to("2026-02-10 09:00 +0100", tick=False)


@pytest.fixture
def societe():
    return SocieteFactory()


def commande(*mots: str) -> dict:
    sortie = StringIO()
    call_command(*mots, "--json", stdout=sortie, stderr=StringIO())
    return json.loads(sortie.getvalue())


CREANCE = ("penalites", "--montant", "1000", "--echeance", "2025-12-12", "--au", "2026-02-10")


# --- Commande penalites ------------------------------------------------------------------------


def test_commande_penalites_jamais_40_euros_a_un_particulier():
    """C. com., art. L441-10 ; exigence 24."""
    lu = commande(*CREANCE, "--debiteur", "particulier", "--mise-en-demeure", "2026-01-02")
    assert float(lu["indemnite"]) == 0 and float(commande(*CREANCE, "--debiteur", "entreprise")["indemnite"]) == 40


def test_commande_penalites_rien_avant_la_mise_en_demeure_d_un_particulier():
    """C. civ., art. 1231-6 et 1344-1."""
    assert float(commande(*CREANCE, "--debiteur", "particulier")["interets"]) == 0
    assert float(commande(*CREANCE, "--debiteur", "particulier", "--mise-en-demeure", "2026-01-02")["interets"]) > 0


def test_commande_penalites_ni_interets_ni_40_euros_apres_un_jugement_d_ouverture():
    """C. com., art. L622-28 et R621-4 : échéance du jour du jugement, ou après."""
    lu = commande(*CREANCE, "--debiteur", "entreprise", "--jugement-ouverture", "2025-12-12")
    assert float(lu["indemnite"]) == 0 and float(lu["interets"]) == 0


# --- Commande decompte -------------------------------------------------------------------------


def test_commande_decompte_jamais_40_euros_a_un_particulier(societe):
    echeance = EcheanceFactory(client=ClientFactory(societe=societe, particulier=True), echue_le=date(2025, 12, 12))
    lu = commande("decompte", echeance.facture.numero, "--au", "2026-02-10")
    assert (lu["indemnites"], lu["interets"], lu["total"]) == ("0.00", "0.00", "1000.00")


def test_commande_decompte_refuse_deux_devises(societe):
    """Exigence 6."""
    client = ClientFactory(societe=societe)
    numeros = [
        EcheanceFactory(client=client, echue_le=date(2025, 12, 12), devise=devise).facture.numero
        for devise in ("EUR", "USD")
    ]
    with pytest.raises(CommandError, match="devise"):
        call_command("decompte", *numeros, "--au", "2026-02-10", stdout=StringIO())


def test_commande_decompte_s_arrete_au_jugement(societe):
    client = ClientFactory(societe=societe, jugement_ouverture_le=date(2025, 12, 12))
    echeance = EcheanceFactory(client=client, echue_le=date(2025, 12, 12))
    lu = commande("decompte", echeance.facture.numero, "--au", "2026-02-10")
    assert (lu["indemnites"], lu["interets"]) == ("0.00", "0.00")


# --- Base et import ----------------------------------------------------------------------------


def test_base_un_particulier_n_a_pas_de_taux_de_professionnel(societe):
    client = ClientFactory(societe=societe, particulier=True)
    with pytest.raises(IntegrityError), transaction.atomic():
        Client.objects.filter(pk=client.pk).update(taux_penalites=12)


def test_commande_importer_un_particulier_n_a_pas_de_taux_de_professionnel(societe, tmp_path):
    """L'import nomme sa ligne ; il n'écrit pas un taux interdit."""
    fichier = tmp_path / "clients.csv"
    fichier.write_text(
        "code_client;raison_sociale;type;taux_penalites\nP1;Solène Kerdraon;particulier;12,00\n", encoding="utf-8"
    )
    sortie = StringIO()
    with pytest.raises((SystemExit, CommandError)):
        call_command("importer", "--societe", societe.code, str(fichier), stdout=sortie, stderr=sortie)
    assert "un particulier n'a pas de taux de pénalités de professionnel" in sortie.getvalue()
    assert not Client.objects.exists()


# --- Injonction contre une commune -------------------------------------------------------------


@pytest.fixture
def commune(societe):
    client = ClientFactory(societe=societe, administration=True, forme="Commune", siret="21690123100011")
    EcheanceFactory(client=client, echue_le=MARDI - timedelta(days=200))
    return client


def test_service_pas_d_injonction_contre_une_commune(commune):
    """droit.md § 3 : irrecevable, quelle que soit la dérogation."""
    ids = list(Echeance.objects.values_list("pk", flat=True))
    with pytest.raises(ValidationError, match="personne publique"):
        contentieux.ouvrir_dossier(commune, ids, par=None, au=MARDI, motif="m", derogation="d", voie="injonction")
    assert not DossierContentieux.objects.exists()


def test_ecran_pas_d_injonction_contre_une_commune(commune, client, societe):
    client.force_login(UtilisateurFactory(role=Role.RESPONSABLE, societe=societe))
    ids = list(Echeance.objects.values_list("pk", flat=True))
    url = reverse("contentieux:ouvrir", args=[commune.pk])
    donnees = {"echeances": ids, "motif": "m", "derogation": "d", "voie": "injonction"}
    client.post(url, donnees)
    assert not DossierContentieux.objects.filter(voie="injonction").exists()


def test_service_pas_deux_devises_dans_un_dossier(societe):
    client = ClientFactory(societe=societe)
    ids = [EcheanceFactory(client=client, echue_le=date(2025, 6, 1), devise=d).pk for d in ("EUR", "USD")]
    with pytest.raises(ValidationError):
        contentieux.ouvrir_dossier(client, ids, par=None, au=MARDI, motif="m", derogation="d")
    assert not DossierContentieux.objects.exists()


# --- L'éditeur de modèles ----------------------------------------------------------------------


@pytest.mark.parametrize(
    "texte",
    ["{{ client.objects }}", "{% load x %}", '<img src="https://suivi.example/p.gif">', "Payez sur http://bit.ly/x"],
)
def test_service_un_modele_ne_contient_ni_code_ni_pixel_ni_lien(texte):
    genre = Genre(Nature.RAPPEL_COURTOIS, TypeDebiteur.ENTREPRISE, "courriel", "fr")
    assert controles_modele.refus(genre, {"demande": texte})


@pytest.mark.parametrize("texte", ["{{ client.objects }}", '<img src="https://suivi.example/p.gif">'])
def test_ecran_un_modele_ne_contient_ni_code_ni_pixel(client, societe, texte):
    client.force_login(UtilisateurFactory(role=Role.RESPONSABLE, societe=societe))
    genre = Genre(Nature.RAPPEL_COURTOIS, TypeDebiteur.ENTREPRISE, "courriel", "fr")
    client.post(reverse("relances:personnaliser", args=[societe.pk, cle_de(genre)]))
    modele = Modele.objects.get()
    saisi = {PREFIXE + nom: livre for nom, livre in genre.paragraphes().items()} | {PREFIXE + "demande": texte}
    reponse = client.post(reverse("relances:modele_enregistrer", args=[modele.pk]), saisi)
    assert reponse.status_code == 422
    assert all(texte not in version.textes.values() for version in modele.versions.all())
