"""Le relevé que lit le débiteur : sommes par devise, retenues, crédits, accessoires, états, visites."""

from datetime import timedelta
from decimal import Decimal
from io import BytesIO

import pytest
from django.core.cache import cache
from PIL import Image

from factures.models import Facture
from factures.services.copies import deposer
from recouvrement.portail.releve import relever
from relances.domaine.natures import Nature
from relances.models import VisitePortail
from tests.clients.factories import ContactFactory
from tests.contentieux.factories import CourrierEnvoyeFactory, pdf
from tests.factures.factories import (
    AvoirFactory,
    EcheanceFactory,
    EcheancierFactory,
    EncaissementFactory,
    LitigeFactory,
    PromesseFactory,
)

from .outils import AU, MOMENT, client_ouvert, lien_de, societe_ouverte, url

pytestmark = pytest.mark.django_db
ECHUE, A_VENIR = AU - timedelta(days=40), AU + timedelta(days=10)
NB = "\u00a0"


@pytest.fixture(autouse=True)
def jour(time_machine, settings, tmp_path):
    time_machine.move_to(MOMENT, tick=False)
    settings.DEPOT = tmp_path / "depot"
    cache.clear()


@pytest.fixture
def debiteur():
    return client_ouvert(raison_sociale="Chaudronnerie Belcourt", code="CL-00418")


def lire(client, debiteur, suite=""):
    reponse = client.get(url(lien_de(debiteur), suite))
    assert reponse.status_code == 200
    return reponse.text.replace(NB, " ")


def test_a_regler_les_factures_et_comment(client, debiteur):
    EcheanceFactory(client=debiteur, montant=9360, echue_le=ECHUE)
    EcheanceFactory(client=debiteur, montant="4286.40", echue_le=ECHUE)
    EcheanceFactory(client=debiteur, montant=7584, echue_le=A_VENIR)

    page = lire(client, debiteur)

    assert "13 646,40 €" in page
    assert "2 factures échues." in page
    assert "À régler avant le 30/11/2026" in page
    assert "FR76 3000 6000 0112 3456 7890 189" in page
    assert "AGRIFRPP" in page
    assert "CL-00418" in page
    assert "data:image/png" in page
    assert "21 230,40 €" in page  # solde


def test_deux_devises_ne_s_additionnent_pas_et_le_qr_est_en_euros(client, debiteur):
    EcheanceFactory(client=debiteur, montant=100, echue_le=ECHUE)
    dollars = EcheanceFactory(client=debiteur, montant=300, echue_le=ECHUE, devise="USD")

    page = lire(client, debiteur)

    assert "300,00 $" in page
    assert "100,00 €" in page
    assert "400,00" not in page
    lien = lien_de(debiteur)
    assert client.get(url(lien, "/qr/EUR"))["Content-Type"] == "image/png"
    assert client.get(url(lien, "/qr/USD")).status_code == 404
    assert client.get(url(lien, f"/qr/piece/{dollars.pk}")).status_code == 404


def test_le_qr_se_lit_et_porte_la_somme(client, debiteur):
    piece = EcheanceFactory(client=debiteur, montant="123.45", echue_le=ECHUE)

    reponse = client.get(url(lien_de(debiteur), f"/qr/piece/{piece.pk}"))

    image = Image.open(BytesIO(reponse.content))
    assert image.width == image.height >= 300


def test_ce_qui_est_conteste_promis_echelonne_ou_preleve_n_est_pas_a_regler(debiteur):
    LitigeFactory(echeance=EcheanceFactory(client=debiteur, montant=1000, echue_le=ECHUE), montant_conteste=400)
    promise = EcheanceFactory(client=debiteur, montant=500, echue_le=ECHUE)
    PromesseFactory(echeances=[promise], date_promise=AU + timedelta(days=3), faite_le=AU)
    plan = EcheanceFactory(client=debiteur, montant=900, echue_le=ECHUE)
    EcheancierFactory(echeances=[plan], accepte_le=AU - timedelta(days=5), nombre=3, premiere=AU)
    EcheanceFactory(client=debiteur, montant=50, echue_le=ECHUE, prelevement=True)
    EcheanceFactory(client=debiteur, montant=70, echue_le=ECHUE, en_contentieux=True)
    cedee = EcheanceFactory(client=debiteur, montant=80, echue_le=ECHUE)
    Facture.objects.filter(pk=cedee.facture_id).update(affacturee=True)

    (compte,) = relever(debiteur, au=AU).comptes

    assert compte.a_regler == Decimal("600.00") + Decimal("300.00")  # part libre, première mensualité
    assert [p.dit for p in compte.pieces if p.payable and not p.a_regler] == [
        "Échue le 11/10/2026, paiement promis pour le 23/11/2026"
    ]
    assert compte.solde == Decimal(2600)
    assert len(compte.versements) == 3


def test_un_credit_non_affecte_se_montre_et_se_deduit(client, debiteur):
    EcheanceFactory(client=debiteur, montant=1000, echue_le=ECHUE)
    EncaissementFactory(client=debiteur, montant=300)
    AvoirFactory(client=debiteur, montant=100)

    page = lire(client, debiteur)

    assert "600,00 €" in page
    assert "400,00 € déjà reçus en sont déduits." in page
    assert "à rapprocher" in page


def test_portail_ouvert_apres_paiement_tout_est_regle(client, debiteur):
    EcheanceFactory(client=debiteur, montant=1000, echue_le=ECHUE, soldee=AU)

    page = lire(client, debiteur)

    assert "Tout est réglé" in page
    assert "IBAN" not in page
    assert client.get(url(lien_de(debiteur), "/qr/EUR")).status_code == 404


def test_procedure_collective_rien_ne_se_reclame(client, debiteur):
    piece = EcheanceFactory(client=debiteur, montant=1000, echue_le=ECHUE)
    copie, _neuve = deposer(piece.facture, octets=pdf(), nom="f.pdf", acteur=debiteur.gestionnaire)
    debiteur.jugement_ouverture_le = AU - timedelta(days=3)
    debiteur.save()

    page = lire(client, debiteur)

    assert "procédure collective" in page
    for absent in ("1 000,00", "IBAN", "À régler aujourd", piece.facture.numero):
        assert absent not in page
    lien = lien_de(debiteur)
    for suite in ("/qr/EUR", f"/qr/piece/{piece.pk}", f"/facture/{copie.pk}"):
        assert client.get(url(lien, suite)).status_code == 404


def test_surendettement_rien_ne_se_reclame(client):
    debiteur = client_ouvert(particulier=True, surendettement=True)
    EcheanceFactory(client=debiteur, montant=1000, echue_le=ECHUE)

    page = lire(client, debiteur)

    assert "surendettement" in page
    assert "1 000,00" not in page


def test_penalites_et_quarante_euros_seulement_deja_demandes(client, debiteur):
    piece = EcheanceFactory(client=debiteur, montant=1000, echue_le=ECHUE)
    assert "indemnité forfaitaire" not in lire(client, debiteur)
    CourrierEnvoyeFactory([piece], nature=Nature.FORMALISATION, penalites=Decimal("12.34"), indemnites=Decimal(40))

    page = lire(client, debiteur)

    assert "pénalités de retard : 12,34 €" in page
    assert "indemnité forfaitaire de recouvrement : 40,00 €" in page
    assert "1 000,00 €" in page  # la somme à régler reste le principal


def test_jamais_de_penalites_ni_de_quarante_euros_a_un_particulier(client):
    societe = societe_ouverte(mediateur="Médiateur de l’équipement, Paris")
    debiteur = client_ouvert(societe=societe, particulier=True)
    piece = EcheanceFactory(client=debiteur, montant=1000, echue_le=ECHUE)
    CourrierEnvoyeFactory([piece], nature=Nature.FORMALISATION, penalites=Decimal("12.34"), indemnites=Decimal(40))

    page = lire(client, debiteur)

    assert "pénalité" not in page
    assert "indemnité" not in page
    assert "40,00" not in page
    assert "Médiateur de l’équipement" in page


def test_rien_d_interne_ni_de_personnel(client, debiteur):
    """Un lien transféré par erreur ne révèle que le relevé."""
    ContactFactory(client=debiteur, nom="Jeanne Contact", courriel="jeanne@belcourt.example")
    debiteur.notes.create(auteur=debiteur.gestionnaire, texte="Mauvaise foi évidente")
    debiteur.suspensions.create(motif="Attente direction", auteur=debiteur.gestionnaire, du=AU, au=AU)
    EcheanceFactory(client=debiteur, montant=1000, echue_le=ECHUE, niveau=3, niveau_rang=3)

    for suite in ("", "/donnees"):
        page = lire(client, debiteur, suite)
        for tu in (
            "Jeanne", "belcourt.example", "Mauvaise foi", "Attente direction", debiteur.telephone, debiteur.courriel,
            debiteur.adresse, debiteur.siren, "palier", "risque", "mise en demeure",
        ):  # fmt: skip
            assert tu not in page, tu


def test_le_pdf_d_une_facture_se_telecharge(client, debiteur):
    piece = EcheanceFactory(client=debiteur, montant=1000, echue_le=ECHUE)
    octets = pdf()
    copie, _neuve = deposer(piece.facture, octets=octets, nom="f.pdf", acteur=debiteur.gestionnaire)
    lien = lien_de(debiteur)
    assert f"/facture/{copie.pk}" in client.get(url(lien)).text

    reponse = client.get(url(lien, f"/facture/{copie.pk}"))

    assert reponse.content == octets
    assert reponse["Content-Disposition"].startswith("attachment")
    assert VisitePortail.objects.get(genre="fichier").detail == piece.facture.numero


def test_le_pdf_d_une_facture_reglee_ne_se_telecharge_plus(client, debiteur):
    """Un lien transféré ne révèle que le relevé, pas l'historique."""
    piece = EcheanceFactory(client=debiteur, montant=1000, echue_le=ECHUE, soldee=AU)
    copie, _neuve = deposer(piece.facture, octets=pdf(), nom="f.pdf", acteur=debiteur.gestionnaire)

    assert client.get(url(lien_de(debiteur), f"/facture/{copie.pk}")).status_code == 404


def test_une_visite_par_quart_d_heure_et_par_adresse(client, debiteur, time_machine):
    lien = lien_de(debiteur)
    for _i in range(5):
        client.get(url(lien), headers={"User-Agent": "Antivirus/1"})
        client.head(url(lien))
    assert VisitePortail.objects.count() == 1
    client.get(url(lien), REMOTE_ADDR="203.0.113.9")
    assert VisitePortail.objects.count() == 2
    time_machine.move_to("2026-11-20 10:16 +0100", tick=False)
    client.get(url(lien))

    assert VisitePortail.objects.count() == 3
    assert VisitePortail.objects.last().agent == "Antivirus/1"


def test_un_get_ne_change_rien_d_autre(client, debiteur):
    from recouvrement.journal.models import Maillon

    EcheanceFactory(client=debiteur, montant=1000, echue_le=ECHUE)
    lien = lien_de(debiteur)
    avant = Maillon.objects.count()
    client.get(url(lien))
    debiteur.refresh_from_db()

    assert Maillon.objects.count() == avant


@pytest.mark.parametrize("suite", ["", "/donnees"])
def test_nombre_de_requetes_egal_avec_une_et_vingt_pieces(client, suite, django_assert_max_num_queries):
    from django.db import connection
    from django.test.utils import CaptureQueriesContext

    comptes = []
    for nombre in (1, 20):
        debiteur = client_ouvert()
        for i in range(nombre):
            piece = EcheanceFactory(client=debiteur, montant=1000, echue_le=ECHUE, en_litige=bool(i % 2))
            deposer(piece.facture, octets=pdf(), nom="f.pdf", acteur=debiteur.gestionnaire)
            EncaissementFactory(client=debiteur, montant=1)
        lien = lien_de(debiteur)
        client.get(url(lien, suite))
        with CaptureQueriesContext(
            connection,
        ) as lues:
            client.get(url(lien, suite))
        comptes.append(len(lues))

    assert comptes[0] == comptes[1] <= 16


def test_en_anglais_les_nombres_suivent(client):
    debiteur = client_ouvert(langue="en")
    EcheanceFactory(client=debiteur, montant="1234.50", echue_le=ECHUE)

    page = client.get(url(lien_de(debiteur))).text

    assert 'lang="en"' in page
    assert "€1,234.50" in page or "1,234.50" in page


def test_un_nom_de_droite_a_gauche_ou_hostile_s_affiche_sans_rien_casser(client):
    debiteur = client_ouvert(raison_sociale="שלום <script>alert(1)</script> \u202eevil")

    page = client.get(url(lien_de(debiteur))).text

    assert "<script>alert" not in page
    assert "<bdi>" in page
