"""Du plan aux retours d'avis, dans un vrai navigateur : régler, comparer, publier, imprimer un lot, cinq retours.

Le worker Celery, Redis et Chromium sont réels. La nuit se joue par sa commande, au jour que voient les pages.
"""

from dataclasses import dataclass
from datetime import timedelta
from io import BytesIO

import pytest
from django.core.management import call_command
from django.urls import reverse
from playwright.sync_api import expect
from pypdf import PdfReader

from factures.models import Echeance
from recouvrement.commun.formats import jour
from recouvrement.comptes.models import Role, Societe, Utilisateur
from relances.domaine.natures import Nature
from relances.models import Courrier, VersionEchelle
from relances.services.plans import installer_plans
from relances.tasks import tic
from tests.clients.factories import ClientFactory
from tests.comptes.factories import SocieteFactory, UtilisateurFactory
from tests.contentieux.factories import pdf
from tests.factures.factories import EcheanceFactory

from .parcours import PATIENCE, Parcours, lire
from .processus import attendre, jour_simule

pytestmark = [
    pytest.mark.reel,
    pytest.mark.timeout(300),
    pytest.mark.variables_inconnues_permises,
    pytest.mark.filterwarnings("ignore:Session-scoped fixtures defined as instance methods"),
]
S = Courrier.Statut
COURTOIS = "Chaudronnerie Belcourt SAS"
# Rangés comme le lot les imprime. Le dernier, une entreprise, peut recevoir un recommandé électronique.
PAPIER = ["Ardoin Transports", "Brissac Peinture", "Cornouaille Gréement", "Duvernay Menuiserie"]
ELECTRONIQUE = "Estuaire Logistique"


@dataclass
class Maison:
    societe: Societe
    marc: Utilisateur

    def courrier(self, nom: str) -> Courrier:
        return Courrier.objects.get(client__raison_sociale=nom, nature=Nature.MISE_EN_DEMEURE)


@pytest.fixture
def maison(ouvrier):
    """Ce soir : un rappel courtois, et cinq pièces formalisées qui attendent leur mise en demeure."""
    au = jour_simule()
    societe = SocieteFactory()
    installer_plans(societe)
    EcheanceFactory(client=ClientFactory(societe=societe, raison_sociale=COURTOIS), echue_le=au - timedelta(days=6))
    publiee = VersionEchelle.objects.get(echelle__societe=societe, echelle__code="entreprise", statut="publiee")
    demeure = publiee.paliers.get(nature=Nature.MISE_EN_DEMEURE)
    for nom in (*PAPIER, ELECTRONIQUE):
        client = ClientFactory(societe=societe, raison_sociale=nom)
        piece = EcheanceFactory(client=client, echue_le=au - timedelta(days=60), montant=2400)
        Echeance.objects.filter(pk=piece.pk).update(
            niveau=Nature.FORMALISATION, niveau_rang=demeure.rang - 1, niveau_version=publiee.pk,
            niveau_le=au - timedelta(days=20),
        )  # fmt: skip
    return Maison(societe, UtilisateurFactory(societe=societe, role=Role.RESPONSABLE, nom="Marc Delattre"))


@pytest.fixture
def p(maison, live_server, page) -> Parcours:
    parcours = Parcours(page, live_server.url)
    parcours.entrer(maison.marc)
    return parcours


def test_du_plan_publie_aux_cinq_retours_d_avis(p, maison):
    """Exigences 7 et 26 : le plan se règle et se publie ; le lot s'imprime, ses avis se consignent."""
    regler_comparer_publier(p, maison)
    valider_les_mises_en_demeure(p, maison)
    choisir_l_electronique(p, maison)
    lot = imprimer_le_lot(p)
    numeroter_et_deposer(p, lot, maison)
    consigner_les_retours_papier(p, maison)
    consigner_le_retour_electronique(p, maison)
    assert dict(p.fautes) == {}


# --- Le plan ----------------------------------------------------------------------------------------


def regler_comparer_publier(p: Parcours, maison: Maison) -> None:
    page, main = p.page, p.page.locator("main")
    p.aller("relances:ce_soir")
    for nom in (COURTOIS, *PAPIER, ELECTRONIQUE):
        expect(main).to_contain_text(nom, timeout=PATIENCE)

    p.aller("relances:plans")
    page.click("main a.lien-ligne:text-is('Entreprise')")
    page.click("text=Modifier dans un brouillon")
    page.click(".barreau:has-text('Rappel courtois')")
    page.locator("[name$=-delai]").focus()
    page.keyboard.press("Control+a")
    page.keyboard.type("11")
    page.keyboard.press("Tab")
    ecart = page.locator("#ecart")
    expect(ecart.locator("h2")).to_have_text("Si publié : 1 client changerait", timeout=PATIENCE)
    expect(ecart.locator("table a")).to_have_text([COURTOIS])
    expect(ecart).to_contain_text("Saisie en cours comprise, pas encore enregistrée.")
    page.keyboard.press("Control+Enter")
    expect(page.locator(".barreau:has-text('Rappel courtois')")).to_contain_text("modifié")

    page.click("label:has-text('Elles passent à celle-ci')")
    expect(ecart).to_contain_text("Les pièces déjà relancées passent à cette version.", timeout=PATIENCE)
    page.click("label:has-text('Elles finissent avec la version')")
    expect(ecart).to_contain_text("Les pièces déjà relancées gardent leur version.", timeout=PATIENCE)
    expect(ecart.locator("table a")).to_have_text([COURTOIS])
    page.fill("#pub_note", "Six jours de plus avant le premier rappel")
    page.locator("#publier button").focus()
    page.keyboard.press("Enter")
    dialogue = page.locator("dialog[open]")
    expect(dialogue).to_contain_text("1 client serait relancé autrement")
    dialogue.get_by_role("button", name="Publier").click()
    expect(main).to_contain_text("Version 2, publiée")
    version = VersionEchelle.objects.get(echelle__societe=maison.societe, echelle__code="entreprise", statut="publiee")
    assert (version.numero, version.reprise, version.publiee_par) == (2, "nouvelles", maison.marc)

    p.aller("relances:ce_soir")
    for nom in (*PAPIER, ELECTRONIQUE):
        expect(main).to_contain_text(nom, timeout=PATIENCE)
    expect(main).not_to_contain_text(COURTOIS)


# --- Les mises en demeure ---------------------------------------------------------------------------


def valider_les_mises_en_demeure(p: Parcours, maison: Maison) -> None:
    call_command("relancer", "--au", jour_simule().isoformat(), "--societe", maison.societe.code)
    page = p.page
    p.aller("relances:ce_soir", v="valider")
    page.check("[data-tout]")
    page.keyboard.press("v")
    expect(page.locator("dialog[open]")).to_contain_text("Valider 5 recommandés AR ?")
    page.click("#confirmation [value=oui]")
    p.dit("5 envois validés")
    tic.delay()
    prets = Courrier.objects.filter(statut=S.A_POSTER)
    attendre(lambda: prets.count() == 5, secondes=120, quoi="cinq lettres composées par le worker")


def choisir_l_electronique(p: Parcours, maison: Maison) -> None:
    p.aller("relances:courrier", maison.courrier(ELECTRONIQUE).pk)
    p.page.click("text=Envoyer en recommandé électronique")
    p.dit("Il partira en recommandé électronique.")


def imprimer_le_lot(p: Parcours) -> str:
    """Prépare le lot des quatre papiers et relit son PDF ; rend l'adresse du lot."""
    page = p.page
    p.aller("relances:ce_soir", v="poster")
    page.uncheck(f"tr:has-text('{ELECTRONIQUE}') [data-choix]")
    page.click("button:has-text('Préparer un lot')")
    page.wait_for_url("**/relances/lots/*/", timeout=PATIENCE)
    p.dit("Prochain : pli 1/4, Ardoin Transports")
    p.controler("lot à numéroter")
    with page.expect_download() as telechargement:
        page.click("text=Imprimer le lot")
    lot = PdfReader(BytesIO(telechargement.value.path().read_bytes()))

    textes = [lire([feuille]) for feuille in lot.pages]
    assert len(textes) % 2 == 0 and f"PDF de {len(textes)} pages" in page.inner_text("main")
    separateurs = [n for n, texte in enumerate(textes) if "Séparateur du lot postal" in texte]
    bordereau = next(n for n, texte in enumerate(textes) if n > separateurs[-1] and "LOT-1" in texte)
    assert len(separateurs) == 4 and "Lot postal n° 1" in textes[0]
    for rang, (nom, debut, fin) in enumerate(zip(PAPIER, separateurs, [*separateurs[1:], bordereau], strict=True), 1):
        assert f"{rang}/4" in textes[debut] and nom in textes[debut] and debut % 2 == 0  # au recto
        lettre = " ".join(textes[debut + 1 : fin]).upper()
        assert "MISE EN DEMEURE" in lettre and nom.upper() in lettre
        assert not any(autre.upper() in lettre for autre in {*PAPIER, ELECTRONIQUE} - {nom})
        assert nom in textes[bordereau]
    assert ELECTRONIQUE not in " ".join(textes)
    return page.url


def numeroter_et_deposer(p: Parcours, lot: str, maison: Maison) -> None:
    """Deux numéros à la douchette, deux par collage, puis le dépôt de tout le lot avec sa preuve."""
    page = p.page
    for n, suivant in ((1, "pli 2/4, Brissac Peinture"), (2, "pli 3/4, Cornouaille Gréement")):
        page.get_by_label("Scanner un numéro de suivi").press_sequentially(f"2C 123 456 7890 {n}")
        page.keyboard.press("Enter")
        p.dit(f"Prochain : {suivant}")
    page.click("button:has-text('Enregistrer le dépôt du lot')")
    p.dit("2 recommandé(s) sans numéro de suivi (Cornouaille Gréement, Duvernay Menuiserie…)")

    page.click("summary:has-text('Coller une liste de numéros')")
    page.fill("[name=numeros]", "2C12345678901\n2C12345678904")
    page.click("text=Vérifier sans enregistrer")
    p.dit("1 ligne à corriger : rien n’est écrit.")
    expect(page.locator("text=Enregistrer ces numéros")).to_have_count(0)
    page.fill("[name=numeros]", "2C12345678903\n2C12345678904")
    page.click("text=Vérifier sans enregistrer")
    expect(page.locator(".puce:text-is('juste')")).to_have_count(2)
    assert not maison.courrier("Duvernay Menuiserie").numero_suivi
    page.click("text=Enregistrer ces numéros")
    p.dit("2 numéros enregistrés")
    p.dit("Chaque recommandé a son numéro.")

    preuve = pdf()
    fichier = {"name": "preuve.pdf", "mimeType": "application/pdf", "buffer": preuve}
    page.set_input_files("[name=preuve]", fichier)
    page.click("button:has-text('Enregistrer le dépôt du lot')")
    p.dit("4 dépôts enregistrés")
    assert page.url == lot
    p.controler("lot déposé")
    bordereau = lire(p.pdf(page.locator("a:has-text('Bordereau avec les numéros')")))
    assert all(f"2C 123 456 7890 {n}" in bordereau for n in range(1, 5))
    p.aller("relances:courrier", maison.courrier(PAPIER[0]).pk)
    lien = page.locator("a:has-text('Voir la preuve')").get_attribute("href")
    assert page.request.get(p.racine + lien).body() == preuve


# --- Les retours ------------------------------------------------------------------------------------


def consigner_les_retours_papier(p: Parcours, maison: Maison) -> None:
    """Une enveloppe après l'autre ; puis la fiche de chacune dit ce que l'issue vaut et ce qu'il reste à faire."""
    page, au = p.page, jour(jour_simule())
    p.aller("relances:ce_soir", v="retours")
    page.click("text=Retours à la chaîne")
    p.dit("4 avis attendus")
    page.fill("[name=presente_le]", jour_simule().isoformat())
    # L'issue, ce qu'elle vaut et d'où cela vient, ce qu'il faut faire, et depuis quand le pli est reçu.
    attendus = {
        "Distribué": ("reçue le jour de la remise, preuve pleine. CPC, art. 669 (sûr).", "Joignez le scan", au),
        "Avisé et non réclamé": ("reste valable. Civ. 1re, 20/01/2021, n° 19-20.680 (sûr).", "sans l'ouvrir", au),
        "Refusé": ("reste valable, a fortiori. Civ. 1re, 20/01/2021, n° 19-20.680 (sûr).", "sans l'ouvrir", au),
        "Destinataire inconnu à l'adresse (NPAI)": (
            "son effet est incertain. C. civ., art. 1344 (à confirmer par un avocat).",
            "corrigez la fiche",
            "",
        ),  # fmt: skip
    }
    for n, (libelle, nom) in enumerate(zip(attendus, PAPIER, strict=True), 1):
        page.click(f'label.issue:has-text("{libelle}")')
        page.get_by_label("Numéro de suivi").press_sequentially(f"2c1234567890{n}")
        page.keyboard.press("Enter")
        expect(page.locator("tbody tr").first).to_contain_text(nom)
        expect(page.get_by_label("Numéro de suivi")).to_have_value("")
    p.controler("retours à la chaîne")

    for (libelle, (effet, geste, recu)), nom in zip(attendus.items(), PAPIER, strict=True):
        p.aller("relances:courrier", maison.courrier(nom).pk)
        p.dit(f"{libelle}, le {au}.")
        p.dit(effet)
        p.dit(geste)
        if recu:
            p.dit(f"Tenu pour reçu le {recu}.")
        else:
            expect(page.locator("main")).not_to_contain_text("Tenu pour reçu")
            p.dit("Remettre à envoyer")  # la suite du NPAI : chercher l'adresse, refaire
    p.controler("fiche d'un pli revenu")
    p.aller("clients:fiche", maison.courrier("Duvernay Menuiserie").client_id)
    p.dit("Retrouver l'adresse (NPAI)")


def consigner_le_retour_electronique(p: Parcours, maison: Maison) -> None:
    """Déposé chez un prestataire qualifié, il a trois issues ; « non réclamé » n'en est une qu'après quinze jours."""
    page, courrier = p.page, maison.courrier(ELECTRONIQUE)
    p.aller("relances:courrier", courrier.pk)
    page.fill("[name=numero_suivi]", "LRE-2026-000123")
    page.click("text=Enregistrer le dépôt")
    p.dit("Dépôt enregistré.")
    p.aller("relances:courrier", courrier.pk)
    retour = page.locator(f"form[action='{reverse('relances:retour', args=[courrier.pk])}']")
    expect(retour.locator("label.issue")).to_have_text(["Accepté", "Non réclamé", "Refusé"])
    retour.get_by_text("Non réclamé").click()
    retour.get_by_role("button", name="Enregistrer").click()
    p.dit("Il peut encore l'accepter jusqu'au")
    p.aller("relances:courrier", courrier.pk)
    retour.get_by_text("Refusé").click()
    retour.get_by_role("button", name="Enregistrer").click()
    p.dit("Retour d'avis enregistré.")
    p.aller("relances:courrier", courrier.pk)
    p.dit("probablement valable. CPCEpost, art. L100 et R53-3 (lecture du texte, sans arrêt connu).")
    p.dit("Copiez la preuve chez vous : le prestataire ne la garde qu'un an.")
    p.dit("Par prudence, doublez-le d'un recommandé papier.")
    p.aller("clients:fiche", courrier.client_id)
    p.dit("Copier la preuve de refus, puis doubler en papier")
    retours = Courrier.objects.exclude(retour="").values_list("retour", "electronique")
    assert len(set(retours)) == 5
