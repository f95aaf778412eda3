"""La boîte des réponses par IMAP : vraie prise, rien d'effacé, rien deux fois, une panne dite une fois."""

from datetime import timedelta

import pytest
from django.core import mail
from django.utils import timezone

from recouvrement.comptes.models import Role
from relances.models import Courrier, MessageRecu, ReglageReponses
from relances.reponses import boite as lecteur
from relances.reponses import lecture
from relances.services import adresses
from tests.comptes.factories import UtilisateurFactory
from tests.outils.imap import BoiteImap, courriel

from .reponses_essai import MARDI, envoye

pytestmark = pytest.mark.django_db


@pytest.fixture(autouse=True)
def depot_propre(settings, tmp_path):
    settings.DEPOT = tmp_path / "depot"


@pytest.fixture
def boite():
    boite = BoiteImap(utilisateur="reponses")
    boite.ouvrir()
    yield boite
    boite.fermer()


@pytest.fixture
def courrier():
    return envoye()


@pytest.fixture
def reglage(courrier, boite):
    UtilisateurFactory(societe=courrier.societe, role=Role.ADMINISTRATEUR)
    mail.outbox.clear()
    return ReglageReponses.objects.create(
        societe=courrier.societe, adresse="reponses@maison.example", actif=True, imap_hote="127.0.0.1",
        imap_port=boite.port, imap_tls=False, imap_utilisateur="reponses", imap_secret=boite.mot_de_passe,
    )  # fmt: skip


def relever(reglage, **options):
    return lecteur.relever(reglage.pk, moment=timezone.now(), au=MARDI, forcer=True, **options)


def une_reponse(courrier, identifiant="<1@example>", corps="Nous payons vendredi.") -> bytes:
    octets = courriel(de="marie@client.example", identifiant=identifiant, corps=corps)
    return f"In-Reply-To: {adresses.identifiant(courrier.jeton)}\r\n".encode() + octets


def test_une_reponse_lue_rejoint_son_envoi_et_se_marque_sans_s_effacer(boite, reglage, courrier):
    uid = boite.deposer(une_reponse(courrier))
    assert relever(reglage).recus == 1
    recu = MessageRecu.objects.get()
    assert (recu.courrier, recu.categorie, recu.de) == (courrier, "reponse", "marie@client.example")
    assert "vendredi" in recu.texte and recu.brut_empreinte
    assert "RecouvrementReponse" in boite.drapeaux[uid] and uid in boite.messages
    assert not [c for c in boite.journal if c.startswith(("EXPUNGE", "DELETE")) or "Deleted" in c]
    assert relever(reglage).recus == 0


def test_une_lecture_tuee_avant_la_marque_ne_range_rien_deux_fois(boite, reglage, courrier):
    uid = boite.deposer(une_reponse(courrier))
    relever(reglage)
    boite.drapeaux[uid].clear()  # rangé, pas marqué : le processus est mort là
    assert relever(reglage).recus == 1
    assert MessageRecu.objects.count() == 1


def test_un_courriel_illisible_se_trie_et_laisse_lire_les_autres(boite, reglage, courrier, monkeypatch):
    boite.deposer(b"From: a@b.example\r\n" + b"boundary" * 500 + b"\r\n\r\nx")
    boite.deposer(une_reponse(courrier))
    vrai = lecture.lire

    def lire(octets):
        if b"boundaryboundary" in octets:
            raise lecture.CourrielIllisible("trop de parties")
        return vrai(octets)

    monkeypatch.setattr(lecteur, "lire", lire)
    releve = relever(reglage)
    assert (releve.recus, releve.illisibles) == (1, 1)
    illisible = MessageRecu.objects.get(categorie="autre")
    assert illisible.statut == MessageRecu.Statut.A_LIRE and "trop de parties" in illisible.raison


def test_un_courriel_trop_gros_est_nomme_et_reste_dans_la_boite(boite, reglage, courrier, monkeypatch):
    monkeypatch.setattr(lecteur, "COURRIEL_MAX", 2_000)
    boite.deposer(une_reponse(courrier, corps="x" * 9_000))
    boite.deposer(une_reponse(courrier, identifiant="<2@example>"))
    releve = relever(reglage)
    assert (releve.recus, releve.illisibles) == (1, 1)
    assert relever(reglage).illisibles == 0, "marqué : il ne se redit pas"


def test_un_rejet_pendant_la_remise_attend_la_lecture_suivante(boite, reglage, courrier):
    Courrier.objects.filter(pk=courrier.pk).update(statut=Courrier.Statut.EN_COURS)
    rapport = (
        b"From: MAILER-DAEMON@mx.example\r\nMessage-ID: <d@mx>\r\nMIME-Version: 1.0\r\n"
        b'Content-Type: multipart/report; report-type=delivery-status; boundary="b"\r\n\r\n'
        b"--b\r\nContent-Type: text/plain\r\n\r\nunknown user\r\n--b\r\nContent-Type: message/delivery-status\r\n\r\n"
        b"Reporting-MTA: dns; mx\r\n\r\nFinal-Recipient: rfc822; x@y.example\r\nAction: failed\r\nStatus: 5.1.1\r\n\r\n"
        b"--b\r\nContent-Type: text/rfc822-headers\r\n\r\nMessage-ID: "
        + adresses.identifiant(courrier.jeton).encode()
        + b"\r\n\r\n--b--\r\n"
    )
    uid = boite.deposer(rapport)
    assert relever(reglage).remis_a_plus_tard == 1 and boite.drapeaux[uid] == set()
    Courrier.objects.filter(pk=courrier.pk).update(statut=Courrier.Statut.ENVOYE)
    assert relever(reglage).recus == 1
    courrier.refresh_from_db()
    assert courrier.statut == Courrier.Statut.EN_ERREUR


def test_une_panne_se_dit_une_fois_et_le_retour_aussi(boite, reglage):
    boite.fermer()
    for _ in range(3):
        assert relever(reglage).erreur
    assert [m.subject for m in mail.outbox] == [f"{reglage.societe} : la boîte des réponses ne se lit plus"]
    boite.ouvrir()
    for _ in range(2):
        assert relever(reglage).erreur == ""
    assert len(mail.outbox) == 2 and "de nouveau" in mail.outbox[1].subject
    reglage.refresh_from_db()
    assert (reglage.erreur, reglage.erreur_le) == ("", None)


def test_la_connexion_coupee_en_route_garde_ce_qui_est_range(boite, reglage, courrier):
    boite.deposer(une_reponse(courrier))
    boite.raccroche_au = "STORE"
    assert relever(reglage).erreur
    boite.raccroche_au = ""
    assert MessageRecu.objects.count() == 1
    assert relever(reglage).erreur == ""
    assert MessageRecu.objects.count() == 1


def test_deux_workers_ne_lisent_pas_la_meme_boite(boite, reglage):
    moment = timezone.now()
    assert lecteur.relever(reglage.pk, moment=moment, au=MARDI) is not None
    assert lecteur.relever(reglage.pk, moment=moment, au=MARDI) is None
    assert lecteur.a_relever(moment) == []
    assert lecteur.a_relever(moment + timedelta(hours=1)) == [reglage.pk]


def test_une_boite_eteinte_ne_se_lit_pas(boite, reglage):
    ReglageReponses.objects.update(actif=False)
    assert relever(reglage) is None and not boite.journal


def test_les_pieces_d_un_courriel_rejoignent_la_fiche(boite, reglage, courrier):
    from tests.contentieux.factories import pdf

    octets = courriel(("virement.pdf", pdf()), ("faux.pdf", b"MZ rien"), de="marie@client.example")
    boite.deposer(f"In-Reply-To: {adresses.identifiant(courrier.jeton)}\r\n".encode() + octets)
    relever(reglage)
    recu = MessageRecu.objects.get()
    assert [d.nom for d in recu.documents.all()] == ["virement.pdf"]
    assert [p["nom"] for p in recu.pieces_refusees] == ["faux.pdf"]
