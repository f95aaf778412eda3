"""Une adresse rejetée APRÈS l'envoi finit en lettre imprimée : vrai SMTP, vraie boîte IMAP, vrai worker, vrai écran.

Exigences 21 et 22, de bout en bout : la boîte des réponses se règle à l'écran, le courriel part, le serveur du client
le rejette plus tard par un rapport, la boîte est relevée, l'envoi passe en erreur, la nuit suivante écrit une lettre.
"""

from datetime import timedelta
from email.message import EmailMessage
from io import BytesIO

import pytest
from django.core.management import call_command
from pypdf import PdfReader

from clients.models import Client
from recouvrement.comptes.models import Role
from relances.domaine.natures import Nature
from relances.models import Courrier, MessageRecu, Tache
from relances.tasks import tic
from tests.clients.factories import ClientFactory
from tests.comptes.factories import SocieteFactory, UtilisateurFactory
from tests.factures.factories import EcheanceFactory
from tests.outils.imap import BoiteImap

from .parcours import PATIENCE, Parcours, lire
from .processus import attendre, jour_simule

pytestmark = [
    pytest.mark.reel,
    pytest.mark.timeout(900),
    pytest.mark.variables_inconnues_permises,
    pytest.mark.filterwarnings("ignore:Session-scoped fixtures defined as instance methods"),
]
S = Courrier.Statut
BOITE = "reponses@maison.example"


@pytest.fixture
def boite():
    boite = BoiteImap(utilisateur="reponses")
    boite.ouvrir()
    yield boite
    boite.fermer()


def rapport(parti: EmailMessage, adresse: str) -> bytes:
    """Le rapport (RFC 3464) du serveur du client : boîte inconnue, en-têtes du message d'origine joints."""
    entetes = "\r\n".join(f"{nom}: {parti[nom]}" for nom in ("Message-ID", "From", "To", "Reply-To", "Subject"))
    return (
        "From: MAILER-DAEMON@mx.client.example\r\n"
        f"To: {BOITE}\r\n"
        "Subject: Undelivered Mail Returned to Sender\r\n"
        "Message-ID: <rapport-1@mx.client.example>\r\n"
        "Auto-Submitted: auto-replied\r\n"
        "MIME-Version: 1.0\r\n"
        'Content-Type: multipart/report; report-type=delivery-status; boundary="borne"\r\n\r\n'
        "--borne\r\nContent-Type: text/plain; charset=us-ascii\r\n\r\n"
        f"This is the mail system at host mx.client.example.\r\n<{adresse}>: unknown user\r\n\r\n"
        "--borne\r\nContent-Type: message/delivery-status\r\n\r\n"
        "Reporting-MTA: dns; mx.client.example\r\n\r\n"
        f"Final-Recipient: rfc822; {adresse}\r\nAction: failed\r\nStatus: 5.1.1\r\n"
        "Diagnostic-Code: smtp; 550 5.1.1 unknown user\r\n\r\n"
        f"--borne\r\nContent-Type: text/rfc822-headers\r\n\r\n{entetes}\r\n\r\n--borne--\r\n"
    ).encode()


def regler_la_boite(p: Parcours, societe, boite: BoiteImap) -> None:
    """À l'écran Administration : l'adresse des réponses, la boîte, et l'essai qui dit que la connexion marche."""
    p.aller("relances:reglage_reponses", societe.pk)
    page = p.page
    page.fill("[name=adresse]", BOITE)
    page.check("[name=actif]")
    page.fill("[name=imap_hote]", "127.0.0.1")
    page.fill("[name=imap_port]", str(boite.port))
    page.uncheck("[name=imap_tls]")
    page.fill("[name=imap_utilisateur]", "reponses")
    page.fill("[name=mot_de_passe]", boite.mot_de_passe)
    page.click("text=Enregistrer les réglages")
    p.dit("Réglages enregistrés")
    page.click("text=Essayer la connexion")
    p.dit("La connexion marche")
    p.controler("réglage des réponses")


def test_exigences_21_et_22_une_adresse_rejetee_apres_l_envoi_finit_en_lettre_imprimee(
    ouvrier, live_server, page, boite, smtp_pair
):
    """Exigences 21 et 22 : l'envoi en erreur rend son niveau ; le même palier repart, par lettre."""
    societe, jour = SocieteFactory(), jour_simule()
    admin = UtilisateurFactory(role=Role.ADMINISTRATEUR, societe=societe)
    client = ClientFactory(
        societe=societe, raison_sociale="Menuiserie Duvernay", courriel="compta@duvernay.example",
        adresse="8 quai du Port",
    )  # fmt: skip
    due = EcheanceFactory(client=client, echue_le=jour - timedelta(days=9))
    p = Parcours(page, live_server.url)
    p.entrer(admin)
    regler_la_boite(p, societe, boite)

    # 1. La nuit, puis le worker : le rappel part par un vrai SMTP, avec son adresse de réponse.
    call_command("relancer", "--au", jour.isoformat(), "--societe", societe.code)
    tic.delay()
    attendre(lambda: Courrier.objects.filter(statut=S.ENVOYE).exists(), secondes=60, quoi="rappel parti")
    premier, parti = Courrier.objects.get(), smtp_pair.messages[0]
    assert f"+{premier.jeton}@" in parti["Reply-To"]
    due.refresh_from_db()
    assert due.niveau == Nature.RAPPEL_COURTOIS

    # 2. Plus tard, le serveur du client rend un rapport ; la boîte est relevée par le worker.
    boite.deposer(rapport(parti, client.courriel))
    p.aller("relances:reglage_reponses", societe.pk)
    page.click("text=Lire maintenant")
    attendre(lambda: MessageRecu.objects.exists(), secondes=60, quoi="rapport rangé")
    attendre(lambda: "RecouvrementReponse" in boite.drapeaux[1], secondes=20, quoi="rapport marqué, pas effacé")
    premier.refresh_from_db()
    due.refresh_from_db()
    recu = MessageRecu.objects.get()
    assert (recu.categorie, recu.courrier, recu.statut) == ("rejet", premier, MessageRecu.Statut.CONSTATE)
    assert (premier.statut, due.niveau) == (S.EN_ERREUR, Nature.AUCUNE)
    assert Client.objects.get(pk=client.pk).courriel_utilisable == ""
    assert Tache.objects.filter(client=client, genre=Tache.Genre.SANS_ADRESSE, faite_le=None).exists()

    # 3. À l'écran : le rejet, ce que le serveur en dit, l'envoi qu'il concerne.
    p.aller("relances:reponses", v="rejets", choix=recu.pk)
    p.dit("Menuiserie Duvernay")
    p.dit("5.1.1")
    p.dit(premier.reference)
    p.controler("réponses, rejets")
    p.aller("relances:ce_soir", v="erreur", lettre=premier.pk)
    p.dit("rebond")

    # 4. Le passage suivant refait le même palier, par lettre ; le worker la compose.
    call_command("relancer", "--au", jour.isoformat(), "--societe", societe.code, "--rejouer")
    tic.delay()
    attendre(lambda: Courrier.objects.filter(statut=S.A_POSTER).exists(), secondes=90, quoi="lettre à imprimer")
    lettre = Courrier.objects.get(statut=S.A_POSTER)
    assert (lettre.canal, lettre.nature) == ("lettre", premier.nature)
    assert len(smtp_pair.messages) == 1, "aucun courriel de plus vers l'adresse rejetée"

    # 5. Une personne l'imprime.
    p.aller("relances:ce_soir", v="poster")
    with page.expect_download(timeout=PATIENCE) as telechargement:
        page.click("text=Imprimer en un PDF")
    texte = lire(PdfReader(BytesIO(telechargement.value.path().read_bytes())).pages).upper()
    assert "MENUISERIE DUVERNAY" in texte and "8 QUAI DU PORT" in texte
    assert not p.fautes, dict(p.fautes)
