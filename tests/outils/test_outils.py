"""Les outils d'essai font ce qu'ils promettent."""

import smtplib
import socket

import pytest
from django.template import Context, engines

from tests.outils.reseau import SortieInterdite, est_locale
from tests.outils.smtp import Mode


@pytest.mark.parametrize("methode", ["connect", "connect_ex"])
def test_une_connexion_vers_l_exterieur_est_refusee(methode):
    with socket.socket() as prise, pytest.raises(SortieInterdite):
        getattr(prise, methode)(("192.0.2.1", 80))


@pytest.mark.parametrize(
    ("adresse", "locale"),
    [
        (("127.0.0.1", 80), True),
        (("::1", 80, 0, 0), True),
        (("localhost", 80), True),
        ("/tmp/prise", True),
        (("10.0.0.1", 80), False),
        (("exemple.fr", 80), False),
    ],
)
def test_seule_la_boucle_est_locale(adresse, locale):
    assert est_locale(adresse) is locale


def rendre(texte: str, settings, tmp_path, **contexte) -> str:
    """Rend un gabarit rangé dans le dossier de la maison."""
    settings.TEMPLATES[0]["DIRS"].append(tmp_path)
    try:
        gabarit = engines["django"].engine.from_string(texte)
        gabarit.origin.name = str(tmp_path / "g.html")
        return gabarit.render(Context(contexte))
    finally:
        settings.TEMPLATES[0]["DIRS"].remove(tmp_path)


@pytest.mark.parametrize("texte", ["{{ absent }}", "{{ client.nomm }}", "{{ absent|upper }}"])
def test_une_variable_inconnue_fait_echouer(texte, settings, tmp_path):
    with pytest.raises(pytest.fail.Exception, match="variable de gabarit inconnue"):
        rendre(texte, settings, tmp_path, client={"nom": "x"})


@pytest.mark.parametrize(
    ("texte", "rendu"),
    [("{% if absent %}oui{% endif %}", ""), ('{{ absent|default:"rien" }}', "rien"), ("{{ client.nom|upper }}", "X")],
)
def test_les_absences_voulues_sont_tolerees(texte, rendu, settings, tmp_path):
    assert rendre(texte, settings, tmp_path, client={"nom": "x"}) == rendu


def test_une_variable_n_est_lue_qu_une_fois(settings, tmp_path):
    lectures = []
    assert rendre("{{ lire }}", settings, tmp_path, lire=lambda: lectures.append(1) or "lu") == "lu"
    assert lectures == [1]


def envoyer(pair, destinataire="a@exemple.fr"):
    with smtplib.SMTP("127.0.0.1", pair.port, timeout=1) as client:
        client.sendmail("moi@exemple.fr", [destinataire], "Message-ID: <1@essai>\r\nSubject: Bonjour\r\n\r\nCorps")


def test_le_pair_smtp_garde_les_messages(smtp_pair):
    envoyer(smtp_pair)
    assert [message["Subject"] for message in smtp_pair.messages] == ["Bonjour"]
    assert smtp_pair.decompte() == {"<1@essai>": 1}


@pytest.mark.parametrize(
    ("mode", "erreur", "gardes"),
    [
        (Mode.REFUSE_DESTINATAIRE, smtplib.SMTPRecipientsRefused, 0),
        (Mode.REFUSE, smtplib.SMTPDataError, 0),
        (Mode.REPORTE, smtplib.SMTPDataError, 0),
        (Mode.BLOQUE, smtplib.SMTPServerDisconnected, 0),
        (Mode.MEURT, smtplib.SMTPServerDisconnected, 0),
        (Mode.MEURT_APRES, smtplib.SMTPServerDisconnected, 1),
    ],
)
def test_le_pair_smtp_sait_defaillir(smtp_pair, mode, erreur, gardes):
    smtp_pair.mode = mode
    with pytest.raises(erreur):
        envoyer(smtp_pair)
    assert len(smtp_pair.messages) == gardes


def test_le_pair_smtp_refuse_une_adresse_choisie(smtp_pair):
    smtp_pair.refuses = {"mort@exemple.fr"}
    with pytest.raises(smtplib.SMTPRecipientsRefused):
        envoyer(smtp_pair, "mort@exemple.fr")
    envoyer(smtp_pair)
    assert len(smtp_pair.messages) == 1


def test_le_pair_smtp_revient_apres_une_panne(smtp_pair):
    smtp_pair.fermer()
    with pytest.raises(ConnectionRefusedError):
        envoyer(smtp_pair)
    smtp_pair.ouvrir()
    envoyer(smtp_pair)
    assert len(smtp_pair.messages) == 1
