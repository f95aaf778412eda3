"""Une matinée de gestionnaire dans un vrai navigateur : de Ma journée à la promesse notée, sans la souris."""

import re
from datetime import timedelta
from decimal import Decimal

import pytest
from django.urls import reverse
from playwright.sync_api import expect

from clients.views.registre import VOLETS
from factures.models import Promesse
from recouvrement.commun.horloge import aujourd_hui
from relances.models import Tache
from relances.services.plans import installer_plans
from tests.clients.factories import ClientFactory, ContactFactory
from tests.comptes.factories import MOT_DE_PASSE, SocieteFactory, UtilisateurFactory
from tests.factures.factories import AvoirFactory, EcheanceFactory, EncaissementFactory, LitigeFactory

from .parcours import VOULUES
from .test_ecrans import fautes_axe

pytestmark = [
    pytest.mark.reel,
    pytest.mark.variables_inconnues_permises,
    # pytest-base-url déclare encore sa fixture dans une classe.
    pytest.mark.filterwarnings("ignore:Session-scoped fixtures defined as instance methods"),
]


@pytest.fixture
def belcourt(transactional_db):
    societe = SocieteFactory()
    installer_plans(societe)
    claire = UtilisateurFactory(societe=societe, nom="Claire Bonnet")
    client = ClientFactory(
        societe=societe, gestionnaire=claire, raison_sociale="Chaudronnerie Belcourt SAS", plafond=Decimal(40000)
    )
    ContactFactory(client=client, nom="Nadia Ferrand", telephone="04 65 71 01 42")
    au = aujourd_hui()
    EcheanceFactory(client=client, echue_le=au - timedelta(53), montant=9360)
    LitigeFactory(
        echeance=EcheanceFactory(client=client, echue_le=au - timedelta(20), montant=5616), montant_conteste=1200,
        a_traiter_le=au + timedelta(30),
    )  # fmt: skip
    EncaissementFactory(client=client, montant=1200, date=au)
    AvoirFactory(client=client, date_emission=au)
    for nom, suivi in (("A", client), ("B", ClientFactory(societe=societe, gestionnaire=claire))):
        Tache.objects.create(
            societe=societe, client=suivi, genre=Tache.Genre.APPEL, titre=f"Appeler {nom}", due_le=au, cle="appel"
        )
    return client


@pytest.fixture
def ecran(belcourt, live_server, page):
    page.fautes = []

    def noter(message):
        if message.type in ("error", "warning") and not message.text.startswith(VOULUES):
            page.fautes.append(message.text)

    page.on("console", noter)
    page.on("pageerror", lambda e: page.fautes.append(str(e)))
    page.goto(f"{live_server.url}/compte/login/")
    page.fill("[type=email]", belcourt.gestionnaire.courriel)
    page.fill("[type=password]", MOT_DE_PASSE)
    page.click("form:has([type=password]) [type=submit]")
    page.wait_for_url(f"{live_server.url}/")
    page.fautes.clear()
    return page


def test_de_la_journee_a_la_promesse_au_clavier_puis_annulee(ecran, belcourt):
    expect(ecran.locator("#apercu").get_by_role("heading", name="Chaudronnerie Belcourt SAS")).to_be_visible()
    ecran.keyboard.press("j")
    expect(ecran.locator("#apercu h2")).not_to_have_text("Chaudronnerie Belcourt SAS")
    ecran.keyboard.press("k")
    expect(ecran.locator("#apercu").get_by_role("heading", name="Chaudronnerie Belcourt SAS")).to_be_visible()
    ecran.keyboard.press("a")
    ecran.wait_for_url("**volet=appel**")

    ecran.keyboard.press("1")
    expect(ecran.locator("[data-si=promesse]")).to_be_visible()
    expect(ecran.locator("[data-si=litige]")).to_be_hidden()
    expect(ecran.locator("#effets")).to_contain_text("se mettent en pause")
    ecran.keyboard.press("Control+Enter")

    toast = ecran.locator("[data-toast]")
    expect(toast).to_contain_text("Appel enregistré.")
    assert Promesse.objects.get().montant == Decimal(9360 + 5616 - 1200)
    assert not Tache.objects.filter(client=belcourt, faite_le=None).exists()
    assert ecran.fautes == []


def test_une_promesse_se_defait_dans_les_dix_secondes(ecran, belcourt, live_server):
    ecran.goto(f"{live_server.url}{reverse('clients:fiche', args=[belcourt.pk])}")
    ecran.keyboard.press("p")
    expect(ecran.locator("#volet").get_by_role("heading", name="Promesse de paiement")).to_be_visible()
    ecran.fill("[name=montant]", "999999")
    ecran.click("#volet [type=submit]")
    expect(ecran.locator("#volet")).to_contain_text("au plus ce qui est dû")
    ecran.fill("[name=montant]", "9 360,00")
    ecran.click("#volet [type=submit]")
    ecran.locator("[data-toast] button", has_text=re.compile("^Annuler")).click()

    expect(ecran.locator("[data-toast]")).to_contain_text("Promesse annulée, sa confirmation aussi.")
    assert Promesse.objects.get().statut == Promesse.Statut.ANNULEE


def test_le_clavier_depuis_ma_journee_arrive_dans_le_premier_champ_du_volet(ecran):
    expect(ecran.locator("#apercu").get_by_role("heading", name="Chaudronnerie Belcourt SAS")).to_be_visible()
    ecran.keyboard.press("n")

    ecran.wait_for_url("**volet=noter#volet")
    expect(ecran.locator("[name=texte]")).to_be_focused()
    assert ecran.fautes == []


def test_la_connexion_sur_une_adresse_ip_n_offre_pas_de_cle_d_acces_et_ne_faute_pas(live_server, page, settings):
    settings.ALLOWED_HOSTS = ["*"]
    fautes = []
    page.on("pageerror", lambda e: fautes.append(str(e)))
    page.goto(f"{live_server.url.replace('localhost', '127.0.0.1')}/compte/login/", wait_until="networkidle")

    expect(page.locator("#passkey_login")).to_be_hidden()
    assert page.locator("#passkey_login").count() == 1
    assert fautes == []


def test_echap_ferme_le_volet_et_l_adresse_suit(ecran, belcourt, live_server):
    ecran.goto(f"{live_server.url}{reverse('clients:fiche', args=[belcourt.pk])}?o=contacts&volet=noter")
    expect(ecran.locator("[name=texte]")).to_be_focused()
    ecran.keyboard.press("Escape")

    ecran.wait_for_url(lambda url: "volet" not in url and "o=contacts" in url)


@pytest.mark.timeout(300)
def test_la_fiche_ses_onglets_et_ses_volets_sont_accessibles_et_tiennent_en_largeur(ecran, belcourt, live_server):
    fiche = live_server.url + reverse("clients:fiche", args=[belcourt.pk])
    adresses = [f"{fiche}?o={o}" for o in ("compte", "chronologie", "contacts", "conditions", "pourquoi")]
    adresses += [f"{fiche}?volet={nom}" for nom in VOLETS]
    fautes = {}
    for adresse in adresses:
        ecran.goto(adresse)
        # Au téléphone, toute la fiche d'un coup : la barre du bas ne couvre rien que l'on ne puisse faire défiler.
        for largeur, hauteur, theme in ((1440, 900, "light"), (390, 4000, "dark")):
            ecran.set_viewport_size({"width": largeur, "height": hauteur})
            ecran.emulate_media(color_scheme=theme, reduced_motion="reduce")
            constat = fautes_axe(ecran) + ecran.fautes
            ecran.fautes.clear()
            if constat:
                fautes[f"{adresse} {largeur}"] = constat
        ecran.set_viewport_size({"width": 320, "height": 640})
        if ecran.evaluate("document.documentElement.scrollWidth > innerWidth + 1"):
            fautes[f"{adresse} 320"] = "déborde"
    assert fautes == {}
