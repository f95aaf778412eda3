"""Déclaration de créance : au jour du jugement, intérêts arrêtés la veille (C. com., art. L622-24 à L622-28)."""

from datetime import date
from decimal import Decimal
from io import BytesIO

import pytest
from django.core.exceptions import ValidationError
from django.urls import reverse
from pypdf import PdfReader

from contentieux import services
from factures.models import Facture, Litige
from recouvrement.comptes.models import Role
from relances.rendu.declaration import contexte
from tests.comptes.factories import UtilisateurFactory
from tests.contentieux.factories import AU, DebiteurFactory
from tests.factures.factories import (
    EcheanceFactory,
    EncaissementFactory,
    FactureFactory,
    ImputationFactory,
    LitigeFactory,
)

pytestmark = pytest.mark.django_db
JUGEMENT = date(2026, 11, 2)


@pytest.fixture
def debiteur():
    """1 000 € échus le 30 septembre, 1 000 € à échoir le jour du jugement."""
    client = DebiteurFactory(jugement_ouverture_le=JUGEMENT)
    EcheanceFactory(client=client, echue_le=date(2026, 9, 30))
    EcheanceFactory(client=client, echue_le=JUGEMENT)
    return client


def test_les_interets_s_arretent_la_veille_et_l_echeance_du_jour_du_jugement_est_a_echoir(debiteur):
    d = services.composer_declaration(debiteur, au=AU)
    (ligne,), (future,) = d.requete.lignes, d.a_echoir
    assert [(s.du, s.au) for s in ligne.segments] == [(date(2026, 10, 1), date(2026, 11, 1))]
    assert (ligne.indemnite, future.indemnite, future.segments) == (Decimal(40), 0, ())
    totaux = d.requete.totaux
    assert totaux.a_payer == ligne.reste_du + totaux.penalites + 40
    assert contexte(d)["procedure"]["total"] == totaux.a_payer + future.reste_du


def test_une_facture_nee_apres_le_jugement_ne_se_declare_pas(debiteur):
    nee = EcheanceFactory(client=debiteur, echue_le=date(2027, 1, 15))
    type(nee).objects.filter(pk=nee.pk).update(date_facture=JUGEMENT)
    assert len(services.composer_declaration(debiteur, au=AU).a_echoir) == 1


def lire(octets: bytes) -> str:
    texte = " ".join(" ".join(p.extract_text() for p in PdfReader(BytesIO(octets)).pages).split())
    return texte.replace("\u00a0", " ").replace("\u202f", " ")


def test_la_part_contestee_se_declare_et_la_contestation_se_dit():
    """Non déclarée, elle serait forclose (C. com., art. L622-24 et L622-26)."""
    client = DebiteurFactory(jugement_ouverture_le=date(2026, 9, 1))
    e = EcheanceFactory(client=client, date_facture=date(2026, 3, 1), echue_le=date(2026, 3, 31), montant=10000)
    LitigeFactory(echeance=e, montant_conteste=Decimal(4000), ouvert_le=date(2026, 4, 10))
    totaux = services.composer_declaration(client, au=AU).requete.totaux
    assert (totaux.principal, totaux.penalites, totaux.indemnites) == (10000, Decimal("513.55"), 40)
    texte = lire(services.projet_de_declaration(client, au=AU))
    assert f"Contestations connues : facture {e.facture.numero}, 4 000,00 €" in texte
    Litige.objects.update(clos_le=date(2026, 10, 1))
    assert "Contestations connues" not in lire(services.projet_de_declaration(client, au=AU))


def livree_puis_facturee(client, *, executee: date | None, montant=700):
    champs = {"date_emission": date(2026, 11, 5), "date_execution": executee, "montant_ttc": Decimal(montant)}
    facture = FactureFactory(client=client, **champs)
    return EcheanceFactory(facture=facture, echue_le=date(2026, 12, 5), montant=montant)


def test_livree_avant_le_jugement_et_facturee_apres_la_creance_se_declare_a_echoir(debiteur):
    """Le fait générateur est la livraison, pas la facture (C. com., art. L622-24 et L622-25)."""
    livree_puis_facturee(debiteur, executee=date(2026, 10, 20))
    livree_puis_facturee(debiteur, executee=date(2026, 11, 3), montant=55)
    a_echoir = services.composer_declaration(debiteur, au=AU).a_echoir
    assert [ligne.reste_du for ligne in a_echoir] == [1000, 700]


def test_facturee_avant_et_livree_apres_le_jugement_elle_est_posterieure(debiteur):
    Facture.objects.filter(client=debiteur).update(date_execution=JUGEMENT)
    with pytest.raises(ValidationError, match="Rien n'était dû"):
        services.composer_declaration(debiteur, au=AU)


def test_une_date_d_execution_absente_se_signale(debiteur):
    ecartee = livree_puis_facturee(debiteur, executee=None)
    d = services.composer_declaration(debiteur, au=AU)
    assert d.ecartees == (ecartee.facture.numero,)
    assert len(d.sans_execution) == 2
    texte = lire(services.projet_de_declaration(debiteur, au=AU))
    assert f"Non déclarée, facture {ecartee.facture.numero}, émise après le jugement" in texte
    assert f"exécution inconnue, facture {', '.join(d.sans_execution)}" in texte


def test_un_acompte_affecte_a_la_facture_emise_apres_le_jugement_ne_compte_qu_une_fois(debiteur):
    e = livree_puis_facturee(debiteur, executee=date(2026, 10, 20))
    avant = contexte(services.composer_declaration(debiteur, au=AU))["procedure"]["total"]
    versement = EncaissementFactory(client=debiteur, montant=Decimal(150), date=date(2026, 10, 20))
    ImputationFactory(echeance=e, encaissement=versement, montant=Decimal(150), date=date(2026, 11, 6))
    assert contexte(services.composer_declaration(debiteur, au=AU))["procedure"]["total"] == avant - 150


def test_un_reglement_non_affecte_se_deduit(debiteur):
    avant = services.composer_declaration(debiteur, au=AU).requete.totaux.a_payer
    EncaissementFactory(client=debiteur, montant=Decimal("150.00"), date=date(2026, 10, 20))
    assert services.composer_declaration(debiteur, au=AU).requete.totaux.a_payer == avant - 150


@pytest.mark.parametrize(
    ("champs", "mot"),
    [
        ({"jugement_ouverture_le": None}, "Aucun jugement"),
        ({"jugement_ouverture_le": date(2026, 12, 1)}, "Aucun jugement"),
        ({"type": "a_qualifier"}, "Type du client"),
    ],
)
def test_sans_jugement_ou_sans_qualite_rien_ne_se_prepare(debiteur, champs, mot):
    type(debiteur).objects.filter(pk=debiteur.pk).update(**champs)
    debiteur.refresh_from_db()
    with pytest.raises(ValidationError, match=mot):
        services.composer_declaration(debiteur, au=AU)


def test_l_ecran_donne_le_projet_depuis_le_refus_d_ouvrir_un_dossier(client, debiteur, monkeypatch):
    monkeypatch.setattr("contentieux.views.actions.aujourd_hui", lambda: AU)
    client.force_login(UtilisateurFactory(societe=debiteur.societe, role=Role.RESPONSABLE))
    url = reverse("contentieux:declaration", args=[debiteur.pk])
    assert url in client.get(reverse("contentieux:ouvrir", args=[debiteur.pk])).content.decode()
    reponse = client.get(url)
    assert reponse["Content-Type"] == "application/pdf"
    texte = lire(reponse.content)
    for passage in ("DÉCLARATION DE CRÉANCE", "L. 622-24", "2 novembre 2026", "2 janvier 2027", "sincère et véritable"):
        assert passage in texte
    type(debiteur).objects.filter(pk=debiteur.pk).update(jugement_ouverture_le=None)
    assert client.get(url).status_code == 303
