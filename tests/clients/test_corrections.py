"""Corrections proposées : accepter, refuser, en masse, sans rien écraser de ce qui a changé."""

from datetime import date, timedelta

import pytest
from django.db import connection
from django.test.utils import CaptureQueriesContext
from django.urls import reverse

from clients import corrections as services
from clients.corrections import Fiche, accepter, empreinte, proposer, redire, refuser
from clients.models import CorrectionProposee
from clients.services import modifier_client
from recouvrement.comptes.models import Role
from recouvrement.journal.models import Maillon
from tests.clients.factories import ClientFactory
from tests.comptes.factories import SocieteFactory, UtilisateurFactory

pytestmark = pytest.mark.django_db
SIREN, SIRET = "732829320", "73282932000074"
AU = date(2026, 11, 20)
ADRESSE = {"adresse": "8 BD VOLTAIRE", "complement": "", "code_postal": "75011", "ville": "PARIS"}
URL = reverse("clients:corrections")
DECIDER = reverse("clients:corrections_decider")
S = CorrectionProposee.Statut


@pytest.fixture
def fiche():
    return ClientFactory(siren=SIREN, raison_sociale="Ancien nom", adresse_invalide_le=date(2026, 1, 1))


@pytest.fixture
def claire(fiche):
    return UtilisateurFactory(role=Role.RESPONSABLE, societe=fiche.societe)


@pytest.fixture
def navigateur(client, claire):
    client.force_login(claire)
    return client


def proposer_tout(fiche, **champs):
    valeurs = {"raison_sociale": "Nouveau nom"} | ADRESSE
    lue = Fiche(**{"siren": SIREN, "siret": SIRET, "valeurs": valeurs} | champs)
    proposer(fiche.societe, [lue], origine="SIRENE", lot_id=None)
    return {c.champ: c for c in CorrectionProposee.objects.filter(client=fiche)}


def prendre(correction, acteur, vue=None):
    correction.refresh_from_db()
    return accepter(correction, vue=vue or empreinte(correction), au=AU, acteur=acteur)


# --- Service -----------------------------------------------------------------------------------


def test_accepter_passe_par_le_service_du_client(fiche, claire):
    proposees = proposer_tout(fiche)
    assert prendre(proposees["adresse"], claire) and prendre(proposees["raison_sociale"], claire)
    fiche.refresh_from_db()
    assert (fiche.adresse, fiche.code_postal, fiche.ville) == ("8 BD VOLTAIRE", "75011", "PARIS")
    assert (fiche.raison_sociale, fiche.adresse_invalide_le, fiche.version) == ("Nouveau nom", None, 3)
    actions = list(Maillon.objects.filter(client_id=fiche.pk).order_by("rang").values_list("action", flat=True))
    assert actions == ["client.modifie", "client.correction"] * 2


def test_un_double_clic_ne_fait_rien_de_plus(fiche, claire):
    correction = proposer_tout(fiche)["raison_sociale"]
    assert prendre(correction, claire) and not prendre(correction, claire)
    assert not refuser(correction, acteur=claire)


def test_une_fiche_changee_depuis_se_relit_avant_de_s_accepter(fiche, claire):
    correction = proposer_tout(fiche)["raison_sociale"]
    modifier_client(fiche, version=1, champs={"raison_sociale": "Corrigé à la main"}, acteur=claire)
    with pytest.raises(services.Perimee):
        prendre(correction, claire)
    correction = CorrectionProposee.objects.select_related("client").get(pk=correction.pk)
    vue = empreinte(correction)
    assert redire([correction]) == 1
    with pytest.raises(services.Perimee):
        prendre(correction, claire, vue=vue)
    assert prendre(correction, claire)
    fiche.refresh_from_db()
    assert fiche.raison_sociale == "Nouveau nom"


def test_deja_a_la_valeur_du_registre_une_correction_s_accepte_sans_ecrire(fiche, claire):
    correction = proposer_tout(fiche)["raison_sociale"]
    modifier_client(fiche, version=1, champs={"raison_sociale": "Nouveau nom"}, acteur=claire)
    assert prendre(correction, claire)
    fiche.refresh_from_db()
    assert fiche.version == 2


def test_un_refus_ne_se_repropose_pas(fiche, claire):
    assert refuser(proposer_tout(fiche)["raison_sociale"], acteur=claire)
    assert proposer_tout(fiche)["raison_sociale"].statut == S.REFUSEE
    fiche.refresh_from_db()
    assert fiche.raison_sociale == "Ancien nom"


def test_une_cessation_acceptee_suspend_trente_jours(fiche, claire):
    proposees = proposer_tout(fiche, active=False, fermee_le=date(2026, 6, 30))
    assert set(proposees) == {"cessation"} and prendre(proposees["cessation"], claire)
    suspension = fiche.suspensions.get()
    assert (suspension.du, suspension.au) == (AU, AU + timedelta(30)) and "30/06/2026" in suspension.motif


def test_un_autre_etablissement_ne_vaut_que_pour_son_siret(fiche):
    fiche.siret = "73282932000066"
    fiche.save()
    assert proposer_tout(fiche, siege=False, siret="73282932000058", active=False) == {}
    assert set(proposer_tout(fiche, siege=False, siret="73282932000066", active=False)) == {"cessation"}


# --- Écran -------------------------------------------------------------------------------------


def test_l_ecran_montre_avant_et_apres_et_accepte(navigateur, fiche):
    correction = proposer_tout(fiche)["raison_sociale"]
    page = navigateur.get(URL).content.decode()
    assert "Ancien nom" in page and "Nouveau nom" in page and "8 BD VOLTAIRE" in page
    saisie = {"une": f"{correction.pk}-accepter", f"vue-{correction.pk}": empreinte(correction)}
    reponse = navigateur.post(DECIDER, saisie, follow=True)
    assert "1 fiche corrigée" in reponse.content.decode()
    fiche.refresh_from_db()
    assert fiche.raison_sociale == "Nouveau nom"
    assert "déjà décidé" in navigateur.post(DECIDER, saisie, follow=True).content.decode()
    assert "Acceptée" in navigateur.get(URL, {"etat": "decidees"}).content.decode()


def test_vide_l_ecran_dit_quoi_faire(navigateur):
    assert "Aucune correction à décider" in navigateur.get(URL).content.decode()
    assert "Aucune correction décidée" in navigateur.get(URL, {"etat": "decidees"}).content.decode()


def test_en_masse_on_relit_avant_d_ecrire(navigateur, fiche):
    proposees = proposer_tout(fiche)
    cles = [c.pk for c in proposees.values()]
    vues = {f"vue-{c.pk}": empreinte(c) for c in proposees.values()}
    apercu = navigateur.post(DECIDER, {"choix": cles, "geste": "accepter", **vues}).content.decode()
    assert "3 corrections seront portées" in apercu
    fiche.refresh_from_db()
    assert fiche.raison_sociale == "Ancien nom"
    navigateur.post(DECIDER, {"choix": cles, "geste": "accepter", "confirme": "1", **vues})
    fiche.refresh_from_db()
    assert (fiche.raison_sociale, fiche.siret, fiche.ville) == ("Nouveau nom", SIRET, "PARIS")


def test_refuser_en_masse(navigateur, fiche):
    cles = [c.pk for c in proposer_tout(fiche).values()]
    reponse = navigateur.post(DECIDER, {"choix": cles, "geste": "refuser", "confirme": "1"}, follow=True)
    assert "ne se reproposeront pas" in reponse.content.decode()
    assert set(CorrectionProposee.objects.values_list("statut", flat=True)) == {S.REFUSEE}


def test_une_proposition_perimee_se_redit(navigateur, fiche, claire):
    correction = proposer_tout(fiche)["raison_sociale"]
    modifier_client(fiche, version=1, champs={"raison_sociale": "À la main"}, acteur=claire)
    assert "la fiche a changé depuis" in navigateur.get(URL).content.decode()
    saisie = {"une": f"{correction.pk}-accepter", f"vue-{correction.pk}": empreinte(correction)}
    assert "a changé depuis" in navigateur.post(DECIDER, saisie, follow=True).content.decode()
    correction.refresh_from_db()
    assert (correction.avant, correction.statut) == ("À la main", S.PROPOSEE)


@pytest.mark.parametrize(
    "saisie", [{}, {"une": "x-accepter"}, {"choix": ["0"], "geste": "accepter"}, {"une": "1-rien"}]
)
def test_une_demande_sans_objet_se_dit(navigateur, saisie):
    assert "Cochez au moins une correction" in navigateur.post(DECIDER, saisie, follow=True).content.decode()


def test_le_voisin_ne_voit_ni_ne_decide(client, fiche):
    correction = proposer_tout(fiche)["raison_sociale"]
    client.force_login(UtilisateurFactory(role=Role.RESPONSABLE, societe=SocieteFactory()))
    assert "Nouveau nom" not in client.get(URL).content.decode()
    client.post(DECIDER, {"une": f"{correction.pk}-refuser"})
    correction.refresh_from_db()
    assert correction.statut == S.PROPOSEE


def test_un_lecteur_lit_sans_decider(client, fiche):
    proposer_tout(fiche)
    client.force_login(UtilisateurFactory(role=Role.LECTEUR, societe=fiche.societe))
    assert "Accepter" not in client.get(URL).content.decode()
    assert client.post(DECIDER, {}).status_code == 403


def test_methodes_et_requetes(navigateur, fiche):
    assert navigateur.post(URL).status_code == 405 and navigateur.get(DECIDER).status_code == 405

    def compter():
        with CaptureQueriesContext(connection) as capture:
            navigateur.get(URL)
        return len(capture)

    proposer_tout(fiche)
    une = compter()
    for _i in range(20):
        proposer_tout(ClientFactory(societe=fiche.societe, siren=SIREN))
    assert compter() == une
