"""Un échéancier négocié sur la page du client, au téléphone, signé par le code reçu par SMTP, puis manqué.

PostgreSQL (ou SQLite), worker Celery, Redis, pair SMTP et Chromium réels ; les jours suivants se jouent par les nuits.
"""

import re
from datetime import timedelta

import pytest
from playwright.sync_api import expect

from factures.domaine.calendrier import est_ouvre
from factures.models import Accord, Echeancier, ReglageAccords
from relances.models import CodeSignature, Message, Passage, ReglagePortail, Relance, Tache
from relances.services import liens, nuit, quotidien
from relances.services.plans import installer_plans
from tests.clients.factories import ClientFactory
from tests.comptes.factories import SocieteFactory, UtilisateurFactory
from tests.factures.factories import EcheanceFactory

from .parcours import PATIENCE
from .processus import attendre, jour_simule
from .test_ecrans import deborde, fautes_axe

pytestmark = [
    pytest.mark.reel,
    pytest.mark.timeout(300),
    pytest.mark.variables_inconnues_permises,
    pytest.mark.filterwarnings("ignore:Session-scoped fixtures defined as instance methods"),
]


@pytest.fixture
def lien(ouvrier):
    au = jour_simule()
    societe = SocieteFactory()
    installer_plans(societe)
    ReglagePortail.objects.create(societe=societe, actif=True, accord_immediat=True)
    ReglageAccords.objects.create(societe=societe, mensualites_max=4)
    claire = UtilisateurFactory(societe=societe, nom="Claire Bonnet")
    client = ClientFactory(
        societe=societe, gestionnaire=claire, raison_sociale="Chaudronnerie Belcourt SAS",
        courriel="compta@belcourt.example",
    )  # fmt: skip
    EcheanceFactory(client=client, echue_le=au - timedelta(53), montant=9360)
    return liens.lien_pour(client, au=au)


def textes(pair) -> list[tuple[str, str, list[str]]]:
    """(destinataire, texte, noms des pièces jointes) de chaque courriel reçu."""
    lus = []
    for lu in list(pair.messages):
        corps = lu.get_body(("plain",)).get_content()
        lus.append((lu["To"], corps, [p.get_filename() for p in lu.iter_attachments()]))
    return lus


def exemplaires(pair, accord) -> list[str]:
    return [adresse for adresse, _texte, pieces in textes(pair) if pieces == [f"{accord.reference}.pdf"]]


def test_exigence_32_du_telephone_du_client_au_defaut(lien, live_server, page, smtp_pair):
    au, client = jour_simule(), lien.client
    fautes = []
    page.on("console", lambda m: fautes.append(m.text) if m.type in ("error", "warning") else None)
    page.set_viewport_size({"width": 390, "height": 844})
    page.set_default_timeout(PATIENCE)

    def controler(ecran):
        for theme in ("light", "dark"):
            page.emulate_media(color_scheme=theme, reduced_motion="reduce")
            fautes.extend(f"{ecran} {theme} : {x}" for x in [*fautes_axe(page), *deborde(page)])

    page.goto(f"{live_server.url}/p/{liens.jeton(lien)}")
    controler("page")
    page.get_by_role("link", name="J’ai besoin de temps").click()
    expect(page.get_by_text("4 versements")).to_be_visible()
    expect(page.get_by_text("5 versements")).to_have_count(0)
    controler("délai")
    page.get_by_text("3 versements").click()
    page.get_by_role("button", name="Continuer vers l’accord").click()

    expect(page.get_by_role("heading", name=re.compile("Accord ACC-"))).to_be_visible()
    expect(page.get_by_text("c…@belcourt.example")).to_be_visible()
    controler("accord")
    page.get_by_role("button", name="Recevoir un code par courriel").click()
    expect(page.get_by_text("Code envoyé à")).to_be_visible()
    chiffres = attendre(
        lambda: next((m[0] for _a, t, _p in textes(smtp_pair) if (m := re.findall(r"^(\d{6})\s*$", t, re.M))), None),
        secondes=60, quoi="le code reçu par SMTP",
    )  # fmt: skip
    controler("signature")
    page.fill("[name=code]", chiffres)
    page.fill("[name=nom]", "Nadia Ferrand")
    page.fill("[name=qualite]", "gérante")
    page.check("[name=lu]")
    page.get_by_role("button", name="Signer l’accord").click()
    expect(page.get_by_text("Signé par")).to_be_visible()
    controler("signé")
    assert fautes == []

    accord = Accord.objects.get()
    plan = Echeancier.objects.get()
    assert (accord.statut, accord.signature, accord.echeancier) == ("signe", "portail", plan)
    assert accord.signe_adresse_ip and accord.signe_agent and CodeSignature.objects.get().utilise_le
    recus = attendre(
        lambda: len(lus := exemplaires(smtp_pair, accord)) >= 2 and lus,
        secondes=90,
        quoi="l'exemplaire aux deux parties",
    )
    assert set(recus) == {"compta@belcourt.example", client.gestionnaire.courriel}

    # Les nuits passent : rien tant que la mensualité n'est pas due ; manquée, elle se relance comme telle, puis le
    # délai de la mise en demeure passé, l'échéancier est rompu et la dette reprend l'échelle.
    premiere = plan.mensualites.first().due_le
    jour, rompu_le, relance_le = au, None, None
    while jour <= premiere + timedelta(days=40) and rompu_le is None:
        jour += timedelta(days=1)
        if est_ouvre(jour):
            passage = nuit.ouvrir_passage(client.societe, au=jour, genre=Passage.Genre.AUTOMATIQUE)
            quotidien.derouler(passage, client.societe, au=jour)
            plan.refresh_from_db()
            rompu_le = jour if plan.statut == Echeancier.Statut.ROMPU else None
            relance_le = relance_le or (jour if Message.objects.filter(genre="mensualite").exists() else None)
            if relance_le == jour:  # non remise, elle ne met personne en demeure et rien ne rompt
                remises = Message.objects.filter(genre="mensualite", statut=Message.Statut.ENVOYE)
                attendre(remises.exists, secondes=90, quoi="la mise en demeure remise")
            assert rompu_le or not Relance.objects.exists(), f"{jour} : la dette échelonnée est relancée"
    assert relance_le and premiere < relance_le < rompu_le
    accord.refresh_from_db()
    assert accord.statut == Accord.Statut.ROMPU
    assert Tache.objects.filter(client=client, faite_le=None).exists()
    assert not Message.objects.filter(statut=Message.Statut.EN_ERREUR).exists()
