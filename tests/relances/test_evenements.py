"""Ce que le fournisseur annonce : porte fermée sans secret, contrefaçons refusées, rejeu sans effet, aucun suivi."""

import base64
import hashlib
import hmac
import json
import time

import pytest
from django.urls import reverse
from kombu.exceptions import OperationalError

from clients.models import Client
from recouvrement.journal.models import Maillon
from relances import tasks
from relances.models import Courrier, MessageRecu
from relances.reponses import fournisseur

from .reponses_essai import MARDI, envoye

pytestmark = pytest.mark.django_db
SECRET = "annonces:un-secret-assez-long-pour-l-essai"


@pytest.fixture(autouse=True)
def porte(settings, tmp_path, monkeypatch):
    """Secret réglé ; la tâche se joue tout de suite, comme le ferait le worker."""
    settings.ANYMAIL_WEBHOOK_SECRET = SECRET
    settings.DEPOT = tmp_path / "depot"
    faits = []

    def jouer(tache):
        def apply_async(args, **_options):
            faits.append(args)
            return tache(*args)

        return apply_async

    monkeypatch.setattr(
        tasks.constater_evenement,
        "apply_async",
        jouer(lambda e: fournisseur.constater(e, au=MARDI, dernier=True)),
    )
    monkeypatch.setattr(
        tasks.recevoir_courriel, "apply_async", jouer(lambda c, e: fournisseur.recevoir_range(c, e, au=MARDI))
    )
    return faits


def frapper(client, corps, *, esp="postmark", genre="tracking", secret=SECRET, type_="application/json", **entetes):
    url = reverse("relances:evenement", args=[esp, genre])
    if secret is not None:
        entetes["HTTP_AUTHORIZATION"] = "Basic " + base64.b64encode(secret.encode()).decode()
    corps = corps if isinstance(corps, (bytes, str)) else json.dumps(corps)
    return client.post(url, corps, content_type=type_, **entetes)


def rejet(courrier, **champs):
    return {
        "RecordType": "Bounce", "Type": "HardBounce", "ID": 42, "MessageID": courrier.message_id,
        "Email": courrier.destinataire, "Description": "The server was unable to deliver your message",
        "Details": "smtp;550 5.1.1 user unknown", "BouncedAt": "2026-02-10T09:00:00Z",
    } | champs  # fmt: skip


@pytest.fixture
def parti():
    """Un rappel parti par le fournisseur, qui lui a donné son propre identifiant."""
    courrier = envoye()
    Courrier.objects.filter(pk=courrier.pk).update(message_id="883953f4-6105-42a2-a16a-77a8eac79483")
    courrier.refresh_from_db()
    return courrier


def test_exigence_22_un_rejet_annonce_met_l_envoi_en_erreur_et_condamne_l_adresse(client, parti):
    """Exigence 22 : l'annonce du fournisseur rend le niveau et bannit l'adresse."""
    assert frapper(client, rejet(parti)).status_code == 200
    parti.refresh_from_db()
    recu = MessageRecu.objects.get()
    assert (parti.statut, recu.categorie, recu.courrier) == (Courrier.Statut.EN_ERREUR, "rejet", parti)
    assert Client.objects.get(pk=parti.client_id).courriel_utilisable == ""


def test_un_rejet_mou_sans_code_ne_condamne_pas_l_adresse(client, parti):
    """Anymail dit « bounced » du dur et du mou : seul l'événement brut du fournisseur les distingue."""
    mou = rejet(parti, Type="SoftBounce", Details="", Description="Unable to deliver")
    assert frapper(client, mou).status_code == 200
    assert MessageRecu.objects.get().categorie == "rejet_passager"
    assert Client.objects.get(pk=parti.client_id).courriel_utilisable


def test_une_liste_noire_du_fournisseur_ne_condamne_pas_l_adresse(client, parti):
    mou = rejet(parti, Type="DMARCPolicy", Details="smtp;550 5.7.1 message rejected as spam", Description="")
    assert frapper(client, mou).status_code == 200
    assert Client.objects.get(pk=parti.client_id).courriel_utilisable


def test_la_meme_annonce_rejouee_n_ecrit_rien_de_plus(client, parti):
    for _ in range(3):
        assert frapper(client, rejet(parti)).status_code == 200
    assert MessageRecu.objects.count() == 1
    assert Maillon.objects.filter(action="courrier.rebond").count() == 1


@pytest.mark.parametrize("genre", ["Open", "Click"])
def test_ouvertures_et_clics_se_jettent_sans_trace(client, parti, porte, genre):
    avant = Maillon.objects.count()
    assert frapper(client, {"RecordType": genre, "MessageID": parti.message_id, "Recipient": "x@y"}).status_code == 200
    assert not porte and not MessageRecu.objects.exists() and Maillon.objects.count() == avant
    parti.refresh_from_db()
    assert parti.reponse == "remis" or "ouvert" not in parti.reponse


def test_remis_se_note_sur_le_courrier_et_rien_d_autre(client, parti):
    corps = {
        "RecordType": "Delivery", "MessageID": parti.message_id, "Recipient": parti.destinataire,
        "DeliveredAt": "2026-02-10T09:00:00Z",
    }  # fmt: skip
    assert frapper(client, corps).status_code == 200
    parti.refresh_from_db()
    assert parti.reponse.startswith("remis le 10/02/2026") and not MessageRecu.objects.exists()


def test_un_evenement_inconnu_est_ignore(client, parti, porte):
    assert frapper(client, {"RecordType": "Lune", "MessageID": parti.message_id}).status_code == 200
    assert not porte


def test_une_annonce_qui_devance_l_envoi_se_reprend(parti):
    inconnue = {nom: "" for nom in fournisseur.TEXTES} | {
        "event_type": "bounced", "message_id": "pas-encore", "recipient": "a@b.example", "fournisseur": "x",
        "quand": "", "reject_reason": "bounced",
    }  # fmt: skip
    with pytest.raises(fournisseur.PasEncore):
        fournisseur.constater(inconnue, au=MARDI)
    recu = fournisseur.constater(inconnue, au=MARDI, dernier=True)
    assert recu.statut == MessageRecu.Statut.A_LIRE and recu.courrier is None


# --- Contrefaçons -------------------------------------------------------------------------------


def test_sans_secret_regle_la_porte_n_existe_pas(client, settings, parti):
    settings.ANYMAIL_WEBHOOK_SECRET = ""
    assert frapper(client, rejet(parti), secret=":").status_code == 404
    assert frapper(client, rejet(parti), secret=None).status_code == 404


@pytest.mark.parametrize("secret", [None, "", ":", "annonces:faux", "annonces", SECRET + " ", "é:è"])
def test_un_faux_secret_est_refuse_et_n_ecrit_rien(client, parti, porte, secret):
    assert frapper(client, rejet(parti), secret=secret).status_code == 403
    assert not porte


def test_un_en_tete_d_autorisation_tordu_est_refuse(client):
    url = reverse("relances:evenement", args=["postmark", "tracking"])
    for entete in ("Basic", "Basic !!!", "Bearer x", "Basic " + "A" * 9000):
        assert client.post(url, "{}", content_type="application/json", HTTP_AUTHORIZATION=entete).status_code == 403


def test_une_signature_fausse_est_refusee_la_vraie_admise(client, settings, parti, porte):
    settings.ANYMAIL = {"MAILGUN_WEBHOOK_SIGNING_KEY": "cle"}

    def annonce(cle: str):
        jeton, quand = "j" * 50, str(int(time.time()))
        signature = hmac.new(cle.encode(), (quand + jeton).encode(), hashlib.sha256).hexdigest()
        donnees = {"event": "opened", "id": "1", "timestamp": time.time(), "recipient": "x@y"}
        return {
            "signature": {"timestamp": quand, "token": jeton, "signature": signature},
            "event-data": donnees | {"message": {"headers": {"message-id": "a@b"}}},
        }

    assert frapper(client, annonce("autre"), esp="mailgun").status_code == 403
    assert frapper(client, annonce("cle"), esp="mailgun").status_code == 200
    assert not porte, "une ouverture ne s'écrit pas"


@pytest.mark.parametrize("corps", ["", "{", "[]", "null", '"x"', "{}" * 2, "\x00", '{"RecordType": []}', "[" * 50_000])
def test_un_corps_tordu_repond_sans_tomber(client, porte, corps):
    assert frapper(client, corps).status_code in (200, 400)
    assert not porte


def test_un_corps_enorme_est_refuse(client, settings):
    settings.DATA_UPLOAD_MAX_MEMORY_SIZE = 1000
    assert frapper(client, "{" + " " * 5000 + "}").status_code == 413


def test_une_longueur_annoncee_enorme_est_refusee_sans_rien_lire(client):
    assert frapper(client, "{}", CONTENT_LENGTH=str(2**40)).status_code == 413


def test_un_fournisseur_inconnu_ou_pas_regle_n_existe_pas(client, settings):
    settings.ANYMAIL = {}
    assert frapper(client, "{}", esp="personne").status_code == 404
    assert frapper(client, "{}", esp="mailgun").status_code == 404


def test_la_porte_ne_se_lit_pas(client):
    assert client.get(reverse("relances:evenement", args=["postmark", "tracking"])).status_code == 405


def test_sans_courtier_le_fournisseur_est_prie_de_recommencer(client, parti, monkeypatch):
    def absent(*_a, **_k):
        raise OperationalError("courtier absent")

    monkeypatch.setattr(tasks.constater_evenement, "apply_async", absent)
    assert frapper(client, rejet(parti)).status_code == 503


# --- Réponse reçue par le fournisseur ----------------------------------------------------------------


def recu_par_le_fournisseur(courrier, **champs):
    return {
        "FromName": "Marie", "From": "marie@client.example", "FromFull": {"Email": "marie@client.example", "Name": ""},
        "To": "reponses@maison.example", "Subject": "Re: rappel", "Date": "Tue, 10 Feb 2026 09:00:00 +0100",
        "TextBody": "Nous payons vendredi.", "HtmlBody": "<script>alert(1)</script>", "Attachments": [],
        "Headers": [
            {"Name": "Message-ID", "Value": "<m1@client.example>"},
            {"Name": "In-Reply-To", "Value": f"<{courrier.jeton}@localhost>"},
        ],
    } | champs  # fmt: skip


def test_une_reponse_recue_par_le_fournisseur_rejoint_son_envoi(client, parti):
    for _ in range(2):
        assert frapper(client, recu_par_le_fournisseur(parti), genre="inbound").status_code == 200
    recu = MessageRecu.objects.get()
    assert (recu.courrier, recu.categorie, recu.origine) == (parti, "reponse", "fournisseur")
    assert "vendredi" in recu.texte and "<script" not in recu.texte


@pytest.mark.django_db(transaction=True)
def test_remis_pose_son_verrou_dans_une_transaction(parti):
    """La tâche n'en ouvre pas : PostgreSQL refuserait le verrou."""
    e = {nom: "" for nom in fournisseur.TEXTES} | {
        "event_type": "delivered", "message_id": parti.message_id, "recipient": parti.destinataire, "fournisseur": "x",
        "quand": "2026-02-10T09:00:00+00:00",
    }  # fmt: skip
    fournisseur.constater(e, au=MARDI)
    parti.refresh_from_db()
    assert parti.reponse.startswith("remis le")
