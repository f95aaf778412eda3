"""Une matinée entière au clavier seul : douze tâches différentes, le worker en marche ; pas un clic."""

from datetime import timedelta

import pytest
from playwright.sync_api import expect

from clients.models import Note, Partage, Report, Suspension
from factures.models import Litige, Promesse
from recouvrement.commun.horloge import aujourd_hui
from relances.models import Tache
from relances.services.plans import installer_plans
from tests.clients.factories import ClientFactory, ContactFactory
from tests.comptes.factories import SocieteFactory, UtilisateurFactory
from tests.factures.factories import EcheanceFactory, EncaissementFactory

from .parcours import Parcours, au_repos

pytestmark = [
    pytest.mark.reel,
    pytest.mark.variables_inconnues_permises,
    pytest.mark.filterwarnings("ignore:Session-scoped fixtures defined as instance methods"),
]

# D'une page à l'autre : la fenêtre s'oublie, sa session non.
COMPTER_LES_CLICS = "addEventListener('pointerdown', () => sessionStorage.clics++, true)"


@pytest.fixture
def matinee(transactional_db, ouvrier):
    societe = SocieteFactory()
    installer_plans(societe)
    claire = UtilisateurFactory(societe=societe, nom="Claire Bonnet")
    UtilisateurFactory(societe=societe, nom="Paul Vidal")
    clients = []
    for rang, nom in enumerate(("Belcourt", "Trois-Ponts", "Menuiserie Roy", "Garage Lenoir", "Imprimerie Sud")):
        client = ClientFactory(societe=societe, gestionnaire=claire, raison_sociale=nom)
        ContactFactory(client=client, telephone="04 65 71 01 42")
        EcheanceFactory(client=client, echue_le=aujourd_hui() - timedelta(40), montant=10_000 - 1500 * rang)
        Tache.objects.create(
            societe=societe, client=client, genre="appel", titre="Appeler", due_le=aujourd_hui(), cle="appel"
        )
        clients.append(client)
    EncaissementFactory(client=clients[4], montant=500, date=aujourd_hui())
    return claire, clients


class Clavier:
    """Rien que des touches : une cible s'atteint par Tab ou par son raccourci, jamais par un clic."""

    def __init__(self, page):
        self.page = page

    def touche(self, *touches) -> None:
        for t in touches:
            au_repos(self.page)
            self.page.keyboard.press(t)

    def jusqu_a(self, selecteur: str, *, touche: str = "Tab", pas: int = 120) -> None:
        """Tab jusqu'à ce que le focus soit sur la cible : ce qu'une personne ferait."""
        for _ in range(pas):
            if self.page.evaluate("s => !!document.activeElement?.matches(s)", selecteur):
                return
            self.page.keyboard.press(touche)
        raise AssertionError(f"{selecteur} ne s'atteint pas au clavier")

    def ecrire(self, selecteur: str, texte: str) -> None:
        self.jusqu_a(selecteur)
        au_repos(self.page)
        self.page.keyboard.press("Control+a")
        self.page.keyboard.type(texte)

    def chercher(self, nom: str) -> None:
        """Par la recherche, jusqu'à la fiche de ce client."""
        self.touche("Control+k")
        self.page.keyboard.type(nom)
        expect(self.page.locator("#recherche-rapide a").first).to_contain_text(nom)
        self.touche("ArrowDown", "Enter")
        expect(self.page.locator("h1")).to_contain_text(nom)

    def jour(self, selecteur: str, jour) -> None:
        """Une date native se tape chiffre à chiffre, dans l'ordre de la langue du navigateur."""
        self.jusqu_a(selecteur)
        ordre = self.page.evaluate("new Intl.DateTimeFormat().formatToParts().map(p => p.type[0]).join('')")
        self.page.keyboard.type(f"{jour:%d%m%Y}" if ordre.startswith("d") else f"{jour:%m%d%Y}")


def test_douze_taches_au_clavier_seul(matinee, live_server, page):
    claire, clients = matinee
    ecran, clavier = Parcours(page, live_server.url), Clavier(page)
    page.add_init_script(COMPTER_LES_CLICS)
    ecran.entrer(claire)
    page.evaluate("sessionStorage.clics = 0")

    # 1. Lire la liste et passer d'une ligne à l'autre.
    expect(page.locator("#apercu h2")).to_have_text("Belcourt")
    clavier.touche("j")
    expect(page.locator("#apercu h2")).to_have_text("Trois-Ponts")
    # 2. Reporter un client.
    clavier.touche("r")
    expect(page.locator("#report-au-client")).to_be_focused()  # le panneau ouvert prend le focus, un peu après
    clavier.jour("#report-au-client", aujourd_hui() + timedelta(4))
    clavier.ecrire("#report-motif-client", "comptable en congés")
    clavier.touche("Enter")
    ecran.dit("Trois-Ponts revient le")
    assert Report.objects.get().client == clients[1]
    # 3. Confier une tâche.
    expect(page.locator("#apercu h2")).to_have_text("Belcourt")
    clavier.touche("j")
    expect(page.locator("#apercu h2")).to_have_text("Menuiserie Roy")
    clavier.touche("d")
    expect(page.locator("form[action*=confier] [name=a]")).to_be_focused()
    page.keyboard.type("Paul")
    clavier.ecrire("form[action*=confier] [name=motif]", "il les connaît")
    clavier.touche("Enter")
    ecran.dit("est dans la journée de Paul Vidal")
    # 4. Client par client.
    clavier.touche("c")
    page.wait_for_url("**suite=journee**")
    ecran.dit("1 sur 3")
    # 5. Un appel, une promesse.
    page.wait_for_selector("#volet .volet-appel")
    clavier.touche("1")
    expect(page.locator("#effets")).to_contain_text("en pause")
    clavier.touche("Control+Enter")
    ecran.dit("2 sur 3")
    assert Promesse.objects.get().client == clients[0]
    # 6. Revenir au précédent, et repartir.
    clavier.touche("v")
    ecran.dit("1 sur 3")
    # 7. Noter et prévenir un collègue.
    clavier.touche("Escape")
    page.wait_for_selector("#volet [data-touche=n]")
    clavier.touche("n")
    page.wait_for_selector("#volet .volet-noter")
    clavier.ecrire("[name=texte]", "@Paul Vidal voir la remise de mars")
    ecran.dit("Paul Vidal lira cette note")
    clavier.touche("Control+Enter")
    ecran.dit("prévenus : Paul Vidal")
    assert (Note.objects.count(), Partage.objects.filter(genre="mention").count()) == (1, 1)
    # 8. Chercher un client.
    clavier.chercher("Garage Lenoir")
    # 9. Suspendre une semaine.
    page.wait_for_selector("#volet [data-touche=s]")
    clavier.touche("s")
    page.wait_for_selector("#volet .volet-suspendre")
    clavier.ecrire("#volet [name=motif]", "accord en discussion")
    clavier.touche("Control+Enter")
    ecran.dit("Relances suspendues jusqu'au")
    assert Suspension.objects.get().client == clients[3]
    # 10. Ouvrir un litige.
    page.wait_for_selector("#volet [data-touche=l]")
    clavier.touche("l")
    page.wait_for_selector("#volet .volet-litige")
    clavier.jusqu_a("#volet [name=echeance]")
    clavier.touche("ArrowDown")
    clavier.ecrire("#volet [name=montant]", "1200")
    clavier.touche("Control+Enter")
    expect(page.locator("#volet .volet-litige")).to_have_count(0)
    # 11. Enregistrer un encaissement.
    clavier.chercher("Imprimerie Sud")
    page.wait_for_selector("#volet [data-touche=e]")
    clavier.touche("e")
    page.wait_for_selector("#volet .volet-encaissement")
    clavier.ecrire("#volet [name=montant]", "250")
    clavier.touche("Control+Enter")
    expect(page.locator("#volet .volet-encaissement")).to_have_count(0)
    # 12. Revenir à sa journée : ce qui est fait n'y est plus.
    clavier.touche("Control+k")
    clavier.jusqu_a(".rail a[href='/']", touche="Shift+Tab")
    clavier.touche("Enter")
    ecran.dit("Mis de côté")
    assert "Trois-Ponts" not in page.inner_text("[data-navigation]")
    assert not Tache.objects.filter(client=clients[0], faite_le=None).exists()
    assert page.evaluate("sessionStorage.clics") == "0"
    assert Litige.objects.filter(echeance__client=clients[3]).exists()
    assert not ecran.fautes
