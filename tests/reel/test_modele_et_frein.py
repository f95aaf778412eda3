"""Deux gestes de responsable, dans un vrai navigateur : changer ce que dit une lettre ; lever un frein à deux."""

from datetime import timedelta
from decimal import Decimal

import pytest
from django.core.management import call_command
from playwright.sync_api import expect

from factures.models import Echeance
from recouvrement.comptes.models import Role
from relances.domaine.natures import Nature
from relances.models import Courrier, LeveeDeFrein, Relance, VersionEchelle
from relances.services.plans import installer_plans
from tests.clients.factories import ClientFactory, SuspensionFactory
from tests.comptes.factories import SocieteFactory, UtilisateurFactory
from tests.factures.factories import EcheanceFactory

from .parcours import PATIENCE, Parcours, lire
from .processus import jour_simule, jours_jusqu_au_prochain_ouvre

pytestmark = [
    pytest.mark.reel,
    pytest.mark.timeout(180),
    pytest.mark.variables_inconnues_permises,
    pytest.mark.filterwarnings("ignore:Session-scoped fixtures defined as instance methods"),
]
DEMEURE = "entreprise-mise_en_demeure-lettre-fr"
AJOUT = "Notre service comptable vous répond chaque matin, du lundi au vendredi."


@pytest.fixture
def societe(transactional_db, settings, tmp_path):
    settings.DEPOT = tmp_path / "depot"
    settings.DECALAGE_JOURS = jours_jusqu_au_prochain_ouvre()
    societe = SocieteFactory()
    installer_plans(societe)
    return societe


@pytest.fixture
def entrer(societe, live_server, browser):
    """Ouvre une session de navigateur pour une personne de ce nom, responsable."""
    contextes = []

    def ouvrir(nom: str) -> Parcours:
        contextes.append(browser.new_context(locale="fr-FR"))
        p = Parcours(contextes[-1].new_page(), live_server.url)
        p.entrer(UtilisateurFactory(societe=societe, role=Role.RESPONSABLE, nom=nom))
        return p

    yield ouvrir
    for contexte in contextes:
        contexte.close()


def test_un_paragraphe_change_se_voit_se_publie_et_part_dans_la_prochaine_lettre(entrer, societe):
    """Exigence 23 : le texte se règle à côté de son aperçu ; hors de la liste fermée, rien ne s'insère."""
    p = entrer("Marc Delattre")
    page = p.page
    p.aller("relances:modele_livre", societe.pk, DEMEURE)
    page.click("text=Personnaliser")
    saisie, image = page.locator("#id_p_suites"), page.locator("#apercu .papier-image")
    livre = saisie.input_value()
    avant = image.get_attribute("src")

    refus = {
        "[[solde secret]]": "« [[solde secret]] » n'est pas une valeur de ce courrier",
        "{{ client.objects }}": "partirait tel quel. Pour une valeur du courrier",
    }
    for intrus, phrase in refus.items():
        saisie.fill(f"{livre} {intrus}")
        saisie.press("Tab")
        expect(page.locator("#apercu")).to_contain_text("l’aperçu montre le dernier texte", timeout=PATIENCE)
        expect(page.locator("#apercu")).to_contain_text(phrase)
        page.keyboard.press("Control+Enter")
        expect(page.locator("#id_p_suites_error")).to_contain_text(phrase)
        assert saisie.input_value() == f"{livre} {intrus}", "rien de tapé n'est perdu"

    saisie.fill(f"{livre} {AJOUT}")
    saisie.press("Tab")
    expect(image).not_to_have_attribute("src", avant, timeout=PATIENCE)
    expect(page.locator("#apercu")).not_to_contain_text("l’aperçu montre le dernier texte")
    page.keyboard.press("Control+Enter")
    expect(page.locator("#id_p_suites_error")).to_have_count(0)
    page.click("text=Publier…")
    page.click("#confirmation [value=oui]")
    p.dit("version 2, publiée")
    p.controler("modèle publié")

    mettre_en_demeure(societe)
    courrier = Courrier.objects.get()
    p.aller("relances:courrier", courrier.pk)
    lettre = lire(p.pdf(page.locator("a:has-text('PDF')").first))
    assert "MISE EN DEMEURE" in lettre and AJOUT in lettre.replace("\u00a0", " ")
    assert dict(p.fautes) == {}


def mettre_en_demeure(societe) -> None:
    """La nuit prépare la mise en demeure d'une pièce formalisée."""
    au = jour_simule()
    publiee = VersionEchelle.objects.get(echelle__societe=societe, echelle__code="entreprise", statut="publiee")
    palier = publiee.paliers.get(nature=Nature.MISE_EN_DEMEURE)
    piece = EcheanceFactory(client=ClientFactory(societe=societe), echue_le=au - timedelta(days=60))
    Echeance.objects.filter(pk=piece.pk).update(
        niveau=Nature.FORMALISATION, niveau_rang=palier.rang - 1, niveau_version=publiee.pk,
        niveau_le=au - timedelta(days=20),
    )  # fmt: skip
    call_command("relancer", "--au", au.isoformat(), "--societe", societe.code)


def test_un_frein_se_leve_a_deux_et_ce_soir_le_montre(entrer, societe):
    """Au-dessus du montant réglé, l'une demande avec sa raison, l'autre approuve ; l'envoi se valide."""
    au = jour_simule()
    client = ClientFactory(societe=societe, raison_sociale="Hôtelière du Val de Risle")
    EcheanceFactory(client=client, echue_le=au - timedelta(days=6), montant=Decimal(18_500))
    SuspensionFactory(client=client, du=au - timedelta(days=2))
    claire, marc = entrer("Claire Bonnet"), entrer("Marc Delattre")
    ce_soir = (claire.page.locator("#liste"), marc.page.locator("#liste"))

    claire.aller("relances:ce_soir")
    expect(ce_soir[0]).to_contain_text("Rien ne part ce soir", timeout=PATIENCE)
    claire.aller("clients:fiche", client.pk, o="pourquoi")
    claire.page.click("summary:has-text('Lever pour ce soir')")
    claire.dit("Au-dessus de 10 000,00 €, une seconde personne approuve.")
    claire.page.get_by_label("Pourquoi passer outre").fill("Accord du directeur, par téléphone")
    claire.page.keyboard.press("Enter")
    claire.dit("Demandé : une seconde personne doit approuver avant le passage.")
    claire.dit("en attente d’une seconde personne")
    expect(claire.page.get_by_role("button", name="Approuver")).to_have_count(0)
    claire.aller("relances:ce_soir")
    expect(ce_soir[0]).to_contain_text("Rien ne part ce soir", timeout=PATIENCE)

    marc.aller("pilotage:ma_journee")
    marc.dit("Accord du directeur, par téléphone")
    marc.controler("ma journée, un frein à approuver")
    marc.page.get_by_role("button", name="Approuver").click()
    marc.dit("Approuvé : le frein est levé pour ce passage.")
    levee = LeveeDeFrein.objects.get()
    assert (levee.demandee_par.nom, levee.approuvee_par.nom) == ("Claire Bonnet", "Marc Delattre")

    marc.aller("relances:ce_soir")
    expect(ce_soir[1]).to_contain_text("Hôtelière du Val de Risle", timeout=PATIENCE)
    expect(ce_soir[1].locator(".puce:text-is('à valider')")).to_have_count(1)
    claire.aller("clients:fiche", client.pk, o="pourquoi")
    claire.dit("approuvé par Marc Delattre")
    claire.controler("pourquoi, frein levé")

    call_command("relancer", "--au", au.isoformat(), "--societe", societe.code)
    assert Courrier.objects.get().statut == Courrier.Statut.A_VALIDER
    assert Relance.objects.get().echeance.client == client
    assert (dict(claire.fautes), dict(marc.fautes)) == ({}, {})
