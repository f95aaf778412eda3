"""Tout le fil dans un vrai navigateur : importer, lire la balance, relancer, mettre en demeure, appeler, requérir.

Le worker Celery, Redis et Chromium sont réels. Les nuits d'avant se jouent par la commande de la nuit, à leur date.
"""

from datetime import date, timedelta
from decimal import Decimal

import pytest
from django.core.management import call_command
from django.urls import reverse

from clients.models import Client
from contentieux.models import DossierContentieux
from factures.domaine.calendrier import jour_ouvre_suivant
from recouvrement.comptes.models import Role
from relances.models import Courrier
from relances.services import envoi
from relances.tasks import tic
from tests.comptes.factories import SocieteFactory, UtilisateurFactory
from tests.contentieux.factories import completer_tout

from .parcours import PATIENCE, Parcours, lire
from .processus import attendre, jour_simule

pytestmark = [
    pytest.mark.reel,
    pytest.mark.timeout(900),
    pytest.mark.variables_inconnues_permises,
    pytest.mark.filterwarnings("ignore:Session-scoped fixtures defined as instance methods"),
]
S = Courrier.Statut
CLIENTS = """code_client;raison_sociale;type;siren;forme;adresse;code_postal;ville;courriel;telephone
C1;Menuiserie Duvernay;entreprise;552100554;SARL;3 rue des Ateliers;69003;Lyon;compta@duvernay.example;04 72 10 20 30
C2;Transports Ardoin;entreprise;732829320;SAS;8 quai du Port;44000;Nantes;compta@ardoin.example;02 40 11 22 33
"""


@pytest.fixture
def maison(ouvrier):
    """La société et sa responsable."""
    societe = SocieteFactory(alimentee_par_import=True, fraicheur_heures=96)  # le jour simulé peut être lundi
    return societe, UtilisateurFactory(role=Role.ADMINISTRATEUR, societe=societe, nom="Claire Bonnet")


def passer_la_nuit(societe, au: date, *, rejouer: bool = True) -> None:
    """La nuit par sa commande, puis les envois du jour ; rejouée, elle se tient à sa date."""
    call_command("relancer", "--au", au.isoformat(), "--societe", societe.code, *(["--rejouer"] if rejouer else []))
    if rejouer:
        for pk in Courrier.objects.a_envoyer().values_list("pk", flat=True):
            assert envoi.envoyer(pk, au=au) == S.ENVOYE


def importer(p: Parcours, nom: str, contenu: str) -> None:
    """Déposer, attendre l'aperçu du worker, appliquer, attendre l'écriture."""
    p.aller("factures:imports")
    p.page.set_input_files("[name=fichier]", {"name": nom, "mimeType": "text/csv", "buffer": contenu.encode()})
    p.page.click("text=Lire le fichier")
    p.page.wait_for_selector("text=Importer ce fichier", timeout=PATIENCE)
    p.controler(f"aperçu de {nom}")
    p.page.click("text=Importer ce fichier")
    p.page.wait_for_selector(".puce.bon >> text=écrit", timeout=PATIENCE)


def test_du_fichier_a_la_requete(maison, live_server, page):
    societe, claire = maison
    ce_jour = jour_simule()
    echues = {"F-101": ce_jour - timedelta(days=45), "F-102": ce_jour - timedelta(days=44)}
    factures = "numero;code_client;date_facture;date_echeance;montant_ttc\n"
    for n, (numero, le) in enumerate(echues.items()):
        factures += f"{numero};C1;{le - timedelta(days=30):%d/%m/%Y};{le:%d/%m/%Y};{1200 + 600 * n},00\n"
    le = ce_jour - timedelta(days=20)
    factures += f"F-201;C2;{le - timedelta(days=30):%d/%m/%Y};{le:%d/%m/%Y};2 400,50\n"
    p = Parcours(page, live_server.url)

    # 1. Se connecter.
    p.entrer(claire)

    # 2. Importer le grand livre, par le worker.
    importer(p, "clients.csv", CLIENTS)
    importer(p, "factures.csv", factures)
    p.dit("3 factures")
    p.controler("compte rendu d'import")
    duvernay, ardoin = Client.objects.get(code="C1"), Client.objects.get(code="C2")

    # 3. Lire la balance âgée : elle retrouve le fichier au centime.
    p.aller("factures:balance_agee")
    p.dit("Menuiserie Duvernay")
    p.dit("5 400,50")
    p.controler("balance âgée")

    # 4. Les nuits d'avant : rappel, appel et formalisation pour l'un, rappel pour l'autre.
    premiere = min(echues.values())
    for jours in (6, 13, 21):
        passer_la_nuit(societe, jour_ouvre_suivant(premiere + timedelta(days=jours)))
    passer_la_nuit(societe, jour_ouvre_suivant(ce_jour - timedelta(days=13)))

    # 5. Ce soir : la mise en demeure est prévue, sa page se lit, rien n'est parti.
    p.aller("relances:ce_soir")
    p.dit("1 envoi prévu, 1 appel ou tâche")
    p.controler("ce soir")
    page.click("text=Menuiserie Duvernay")
    p.dit("9 mentions sur 9")
    attendre(lambda: page.evaluate("document.querySelector('.papier-image').naturalWidth") > 500, secondes=30,
             quoi="première page de la lettre")  # fmt: skip
    assert f"lettre={duvernay.pk}-" in page.url
    p.controler("aperçu de ce soir")
    page.keyboard.press("Escape")
    assert page.evaluate("document.activeElement.textContent") == "Menuiserie Duvernay"

    # 6. La nuit passe, puis une personne valide.
    passer_la_nuit(societe, ce_jour, rejouer=False)
    demeure = Courrier.objects.get(client=duvernay, statut=S.A_VALIDER)
    p.aller("relances:ce_soir", v="valider")
    p.controler("à valider")
    page.keyboard.press("j")
    page.keyboard.press("x")
    page.keyboard.press("v")
    p.dit("Valider 1 recommandé AR ?")
    p.controler("confirmation")
    page.click("#confirmation [value=oui]")
    p.dit("1 envoi validé")

    # 7. Le worker la prépare ; on lit son PDF, on l'imprime et on la dépose.
    tic.delay()
    attendre(lambda: Courrier.objects.filter(pk=demeure.pk, statut=S.A_POSTER).exists(), secondes=60, quoi="à poster")
    p.aller("relances:courrier", demeure.pk)
    p.dit("PDF conservé")
    p.controler("fiche du courrier")
    lettre = lire(p.pdf(page.locator("a:has-text('PDF')").first))
    for attendu in ("MISE EN DEMEURE", "F-101", "F-102", "MENUISERIE DUVERNAY"):
        assert attendu in lettre.upper(), attendu
    p.aller("relances:ce_soir", v="poster")
    p.controler("à poster")
    with page.expect_download() as telechargement:
        page.click("text=Imprimer en un PDF")
    assert telechargement.value.path().read_bytes().startswith(b"%PDF-")
    page.fill("[data-chaine]", "2C 123 456 7890 1")
    page.keyboard.press("Enter")
    assert "Enregistrer les dépôts" in page.evaluate("document.activeElement.textContent")
    page.keyboard.press("Enter")
    p.dit("1 dépôt enregistré")
    p.aller("relances:ce_soir", v="retours", lettre=demeure.pk)
    p.controler("retours d'avis")
    page.check("text=Distribué", force=True)
    page.click("text=Enregistrer le retour de l")
    p.dit("Retour d'avis enregistré")

    # 8. Ma journée : l'appel de l'autre client attend.
    page.goto(f"{live_server.url}{reverse('pilotage:ma_journee')}")
    p.dit("Transports Ardoin")
    p.controler("ma journée")
    page.click("a.tache:has-text('Transports Ardoin')")
    page.wait_for_url(f"**{reverse('clients:fiche', args=[ardoin.pk])}**")
    p.controler("fiche client")

    # 9. Le contentieux : dossier ouvert à l'écran, requête produite une fois complet.
    p.aller("contentieux:ouvrir", duvernay.pk)
    p.controler("ouvrir un dossier")
    for case in page.locator("[name=echeances]").all():
        case.check()
    page.fill("[name=motif]", "Aucune réponse à la mise en demeure")
    page.fill("[name=derogation]", "Débiteur parti sans adresse")
    page.click("main button:has-text('Ouvrir le dossier')")
    p.dit("Préparer la requête")
    p.controler("dossier contentieux")
    dossier = DossierContentieux.objects.get(client=duvernay)
    assert page.is_disabled("button:has-text('Préparer la requête')")
    Client.objects.filter(pk=duvernay.pk).update(objet_contrat="la fourniture de mobilier d'agencement")
    completer_tout(dossier)  # scans et mentions : ce que la personne joint et relit
    page.reload()
    page.click("button:has-text('Préparer la requête')")
    page.wait_for_selector("a:has-text('Voir la requête')", timeout=PATIENCE)
    requete = lire(p.pdf(page.locator("a:has-text('Voir la requête')")))
    assert "DUVERNAY" in requete.upper() and "INJONCTION DE PAYER" in requete.upper()
    assert sum(dossier.lignes.values_list("echeance__montant", flat=True)) == Decimal(3000)

    assert dict(p.fautes) == {}
