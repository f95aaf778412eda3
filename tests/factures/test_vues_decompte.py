"""Écran Décompte : ce qu'il explique, à qui, et ses deux gestes (renoncer, choisir sous le plancher)."""

from datetime import date
from decimal import Decimal
from html import unescape

import pytest
from django.urls import reverse

from clients.models import Client
from factures import services
from factures.models import Renonciation
from recouvrement.comptes.models import Role
from tests.clients.factories import ClientFactory
from tests.comptes.factories import SocieteFactory, UtilisateurFactory
from tests.factures.factories import EcheanceFactory, EncaissementFactory, ImputationFactory

pytestmark = pytest.mark.django_db
AU = date(2026, 11, 20)


@pytest.fixture(autouse=True)
def le_20_novembre(time_machine):
    time_machine.move_to("2026-11-20T10:00:00+01:00")


@pytest.fixture
def debiteur():
    return ClientFactory()


@pytest.fixture
def claire(client, debiteur):
    personne = UtilisateurFactory(societe=debiteur.societe, role=Role.RESPONSABLE)
    client.force_login(personne)
    return personne


def lire(client, debiteur, status=200, **params):
    reponse = client.get(reverse("factures:decompte", args=[debiteur.pk]), params)
    assert reponse.status_code == status
    return unescape(reponse.content.decode()).replace("\u00a0", " ").replace("\u202f", " ")


def test_chaque_chiffre_dit_d_ou_il_vient(client, claire, debiteur):
    """Mêmes chiffres que la maquette."""
    e = EcheanceFactory(client=debiteur, echue_le=date(2026, 3, 31), montant=12480)
    paye = EncaissementFactory(client=debiteur, montant=4000, date=date(2026, 7, 15))
    ImputationFactory(echeance=e, encaissement=paye, montant=4000, date=date(2026, 9, 1))
    page = lire(client, debiteur)
    for attendu in (
        "8 921,64 €", "387,96 €", "40,00 €", "9 349,60 €", "12 480,00 × 12,15 % × 91 / 365",
        "BCE 2,15 au 01/01/2026 + 10", "−441,64", "−3 558,36", "Le compte client porte 8 480,00 €",
        "441,64 € d'intérêts", "C. com., art. L441-10, II",
        "Base 365 jours", "7,86", "8,25", "un arrêté après le 31/12/2026 sera refusé",
    ):  # fmt: skip
        assert attendu in page, attendu


def test_les_factures_se_deplient_par_l_adresse(client, claire, debiteur):
    echeances = [EcheanceFactory(client=debiteur, echue_le=date(2026, 3, 31)) for _ in range(9)]
    replie = lire(client, debiteur)
    assert "× 12,15 % ×" in lire(client, debiteur, ouvert="tout")
    assert replie.count("/ 365") == 1  # l'exemple du volet
    une = lire(client, debiteur, ouvert=str(echeances[0].facture_id))
    assert une.count('aria-expanded="true"') == 1
    assert 'aria-expanded="true"' not in lire(client, debiteur, ouvert="aucun")


def test_devise_par_devise(client, claire, debiteur):
    """Exigence 6 : les 40 € se doivent en euros."""
    EcheanceFactory(client=debiteur, echue_le=date(2026, 3, 31), montant=5000)
    EcheanceFactory(client=debiteur, echue_le=date(2026, 3, 31), montant=700, devise="USD")
    assert "5 000,00 €" in lire(client, debiteur) and "700,00 $" not in lire(client, debiteur)
    dollars = lire(client, debiteur, devise="USD")
    assert "700,00 $" in dollars and "L’indemnité de 40,00 € se doit en euros" in dollars


def test_un_decompte_vide_illisible_ou_refuse_le_dit(client, claire, debiteur):
    assert "Rien n’était dû à cette date" in lire(client, debiteur)
    e = EcheanceFactory(client=debiteur, echue_le=date(2026, 3, 31))
    assert "Date illisible" in lire(client, debiteur, au="hier")
    refuse = lire(client, debiteur, au="2027-02-01")
    assert "Taux absent : 2027-S1" in refuse and "Produire le PDF" not in refuse
    for demande in ("9" * 30, "-1", "x"):
        assert e.facture.numero in lire(client, debiteur, f=demande)
    Client.objects.filter(pk=debiteur.pk).update(type="a_qualifier")
    assert "Pas de décompte" in lire(client, debiteur)


def test_les_factures_reglees_au_principal_se_montrent_a_la_demande(client, claire, debiteur):
    e = EcheanceFactory(client=debiteur, echue_le=date(2026, 3, 31), soldee=date(2026, 6, 30))
    assert e.facture.numero not in lire(client, debiteur)
    page = lire(client, debiteur, reglees="1")
    assert e.facture.numero in page and "réglée au principal : accessoires dus" in page


@pytest.mark.parametrize(("format", "debut"), [("pdf", b"%PDF"), ("xlsx", b"PK")])
def test_l_export_rend_la_meme_vue(client, claire, debiteur, format, debut):
    EcheanceFactory(client=debiteur, echue_le=date(2026, 3, 31))
    adresse = reverse("factures:decompte_export", args=[debiteur.pk, format])
    reponse = client.get(adresse, {"au": "2026-06-30"})
    assert reponse.content.startswith(debut)
    assert f"-2026-06-30.{format}" in reponse["Content-Disposition"]
    refus = client.get(adresse, {"au": "2027-02-01"}, follow=True)
    if format == "pdf":
        assert "1er semestre 2027" in refus.content.decode()
    assert client.get(reverse("factures:decompte_export", args=[debiteur.pk, "doc"])).status_code == 404


def test_le_decompte_du_voisin_n_existe_pas(client, claire):
    ailleurs = ClientFactory(societe=SocieteFactory())
    EcheanceFactory(client=ailleurs)
    lire(client, ailleurs, status=404)
    assert client.get(reverse("factures:decompte_export", args=[ailleurs.pk, "pdf"])).status_code == 404
    assert client.post(reverse("factures:plancher", args=[ailleurs.pk])).status_code == 404


def test_une_facture_d_un_autre_client_ne_s_y_glisse_pas(client, claire, debiteur):
    EcheanceFactory(client=debiteur, echue_le=date(2026, 3, 31))
    autre = EcheanceFactory(client=ClientFactory(societe=debiteur.societe), echue_le=date(2026, 3, 31))
    assert autre.facture.numero not in lire(client, debiteur, f=str(autre.facture_id))


# --- Renoncer ----------------------------------------------------------------------------------------


def test_renoncer_puis_annuler_depuis_la_fiche(client, claire, debiteur):
    e = EcheanceFactory(client=debiteur, echue_le=date(2026, 3, 31))
    renoncer = reverse("factures:renoncer", args=[e.facture_id])
    retour = client.post(renoncer, {"portee": "tout", "motif": "geste", "retour": "https://ailleurs.example/"})
    assert (retour.status_code, retour["Location"]) == (303, reverse("factures:fiche", args=[e.facture_id]))
    prise = Renonciation.objects.get()
    page = unescape(client.get(reverse("factures:fiche", args=[e.facture_id])).content.decode())
    assert "Renoncé le 20/11/2026" in page and "geste" in page
    assert "renoncé : les pénalités et l'indemnité" in lire(client, debiteur)
    annuler = reverse("factures:renonciation_annuler", args=[e.facture_id, prise.pk])
    assert client.post(annuler).status_code == 303
    prise.refresh_from_db()
    assert prise.annulee_le


def test_une_renonciation_sans_motif_est_refusee_et_ne_s_ecrit_pas(client, claire, debiteur):
    e = EcheanceFactory(client=debiteur, echue_le=date(2026, 3, 31))
    client.post(reverse("factures:renoncer", args=[e.facture_id]), {"portee": "tout", "motif": " "})
    client.post(reverse("factures:renoncer", args=[e.facture_id]), {"portee": "rien", "motif": "x"})
    assert not Renonciation.objects.exists()


@pytest.mark.parametrize(
    ("role", "seuil", "portee", "prise"),
    [
        (Role.GESTIONNAIRE, 39, "indemnite", False),
        (Role.GESTIONNAIRE, 39, "tout", False),
        (Role.GESTIONNAIRE, 40, "indemnite", True),
        (Role.GESTIONNAIRE, 40, "tout", False),
        (Role.GESTIONNAIRE, None, "tout", True),
        (Role.RESPONSABLE, 39, "tout", True),
    ],
)
def test_au_dela_du_seuil_de_la_societe_un_responsable_renonce(client, debiteur, role, seuil, portee, prise):
    """Droit `valider_plafond` : abandonner beaucoup n'est pas d'un gestionnaire seul."""
    e = EcheanceFactory(client=debiteur, echue_le=date(2026, 3, 31))
    type(debiteur.societe).objects.filter(pk=debiteur.societe_id).update(seuil_deux_personnes=seuil)
    personne = UtilisateurFactory(societe=debiteur.societe, role=role)
    type(debiteur).objects.filter(pk=debiteur.pk).update(gestionnaire=personne)
    client.force_login(personne)
    saisie = {"portee": portee, "motif": "geste"}
    page = client.post(reverse("factures:renoncer", args=[e.facture_id]), saisie, follow=True).content.decode()
    assert Renonciation.objects.exists() is prise
    assert ("un responsable doit y renoncer" in page) is not prise


def test_un_lecteur_lit_le_decompte_sans_pouvoir_renoncer_ni_choisir(client, debiteur):
    e = EcheanceFactory(client=debiteur, echue_le=date(2026, 3, 31))
    client.force_login(UtilisateurFactory(societe=debiteur.societe, role=Role.LECTEUR))
    assert e.facture.numero in lire(client, debiteur)
    for route, args in (("renoncer", [e.facture_id]), ("plancher", [debiteur.pk])):
        assert client.post(reverse(f"factures:{route}", args=args), {"portee": "tout", "motif": "x"}).status_code == 403
    prise = services.renoncer(
        e.facture, portee="tout", motif="x", le=AU, acteur=UtilisateurFactory(societe=debiteur.societe)
    )
    assert client.post(reverse("factures:renonciation_annuler", args=[e.facture_id, prise.pk])).status_code == 403


# --- Clause sous le plancher -------------------------------------------------------------------------


def test_le_choix_sous_le_plancher_se_fait_au_decompte_et_perime_ne_s_ecrit_pas(client, claire, debiteur):
    Client.objects.filter(pk=debiteur.pk).update(taux_penalites=Decimal(5))
    EcheanceFactory(client=debiteur, echue_le=date(2026, 3, 31))
    assert "question non tranchée" in lire(client, debiteur)
    choisir = reverse("factures:plancher", args=[debiteur.pk])
    client.post(choisir, {"sous_plancher": "plancher", "version": "1"})
    debiteur.refresh_from_db()
    assert (debiteur.sous_plancher, debiteur.version) == ("plancher", 2)
    assert "3 × l'intérêt légal, 2026-S2" in lire(client, debiteur)
    for donnees in ({"sous_plancher": "defaut", "version": "1"}, {"sous_plancher": "max", "version": "2"}, {}):
        assert client.post(choisir, donnees).status_code == 303
    debiteur.refresh_from_db()
    assert debiteur.sous_plancher == "plancher"


def test_l_onglet_conditions_offre_le_choix_et_la_fiche_mene_au_decompte(client, claire, debiteur):
    fiche = reverse("clients:fiche", args=[debiteur.pk])
    assert reverse("factures:decompte", args=[debiteur.pk]) in client.get(fiche).content.decode()
    conditions = {"o": "conditions"}
    assert "question non tranchée" not in client.get(fiche, conditions).content.decode()
    Client.objects.filter(pk=debiteur.pk).update(taux_penalites=Decimal(5))
    page = client.get(fiche, conditions).content.decode()
    assert "question non tranchée" in page and reverse("factures:plancher", args=[debiteur.pk]) in page
    Client.objects.filter(pk=debiteur.pk).update(taux_penalites=Decimal(16))
    assert "question non tranchée" not in client.get(fiche, conditions).content.decode()
