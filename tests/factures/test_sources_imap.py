"""Boîte IMAP : vraie prise, TLS vérifié, pièces jointes seulement, rien d'effacé, une panne dite et non répétée."""

from datetime import date
from email.message import EmailMessage

import pytest
from django.utils import timezone

from factures.models import Lot, SourceImport
from factures.services.sources import essayer, relever
from factures.sources import imap as lecteur
from recouvrement.commun import boite_imap
from recouvrement.comptes.models import Role
from tests.clients.factories import ClientFactory
from tests.comptes.factories import SocieteFactory, UtilisateurFactory
from tests.outils.imap import BoiteImap, certificat, courriel

pytestmark = pytest.mark.django_db
AU = date(2026, 11, 20)
FACTURES = b"numero;code_client;date_facture;date_echeance;montant_ttc\nF1;C1;05/01/2026;04/02/2026;120,00\n"


@pytest.fixture(autouse=True)
def depot(settings, tmp_path):
    settings.DEPOT = tmp_path / "depot"


@pytest.fixture
def boite():
    boite = BoiteImap()
    boite.ouvrir()
    yield boite
    boite.fermer()


@pytest.fixture
def societe():
    societe = SocieteFactory()
    UtilisateurFactory(societe=societe, role=Role.ADMINISTRATEUR)
    ClientFactory(societe=societe, code="C1")
    return societe


def source(societe, boite, **champs) -> SourceImport:
    base = {
        "nom": "Boîte", "genre": "imap", "imap_hote": "localhost", "imap_port": boite.port, "imap_tls": False,
        "imap_utilisateur": boite.utilisateur, "imap_secret": boite.mot_de_passe, "appliquer_seul": True,
    }  # fmt: skip
    return SourceImport.objects.create(societe=societe, **base | champs)


def lire(source: SourceImport):
    return relever(source.pk, moment=timezone.now(), au=AU, forcer=True)


def test_une_piece_jointe_devient_un_import_et_le_message_est_marque_jamais_efface(societe, boite):
    uid = boite.deposer(courriel(("factures.csv", FACTURES)))
    s = source(societe, boite)
    assert [(c.nom, c.etat) for c in essayer(s).constats] == [("factures.csv", "pret")]
    assert boite.drapeaux[uid] == set() and not Lot.objects.exists()  # essayer ne touche à rien
    releve = lire(s)
    assert (releve.deposes, releve.appliques, releve.erreur) == (1, 1, "")
    lot = Lot.objects.get()
    assert (lot.statut, lot.origine, lot.fichier, lot.source) == ("applique", "courriel", "factures.csv", s)
    s.refresh_from_db()
    assert s.recue_le and s.lue_le and not s.erreur
    assert boite.drapeaux[uid] == {"\\Seen", "RecouvrementLu"}
    assert not [c for c in boite.journal if "EXPUNGE" in c or "Deleted" in c]
    assert lire(s).deposes == 0


def test_un_message_lu_par_une_personne_est_lu_quand_meme(societe, boite):
    uid = boite.deposer(courriel(("factures.csv", FACTURES)))
    boite.drapeaux[uid].add("\\Seen")
    assert lire(source(societe, boite)).appliques == 1


def test_sans_mot_cle_le_message_non_lu_fait_foi(societe, boite):
    boite.mots_cles = False
    uid = boite.deposer(courriel(("factures.csv", FACTURES)))
    assert lire(source(societe, boite)).appliques == 1
    assert boite.drapeaux[uid] == {"\\Seen"}


def test_mort_avant_le_marquage_la_piece_se_reconnait(societe, boite):
    uid = boite.deposer(courriel(("factures.csv", FACTURES)))
    s = source(societe, boite)
    lire(s)
    boite.drapeaux[uid].clear()
    boite.validite = 8  # et la boîte a été reconstruite : le Message-ID et le contenu demeurent
    assert lire(s).deposes == 0
    assert Lot.objects.count() == 1


def test_sans_message_id_l_uid_et_sa_validite_font_la_cle(societe, boite):
    boite.deposer(courriel(("a.csv", FACTURES), identifiant=""))
    boite.deposer(courriel(("a.csv", FACTURES), identifiant=""))
    s = source(societe, boite, appliquer_seul=False)
    assert lire(s).deposes == 2
    assert {lot.cle_externe.partition(":")[0] for lot in Lot.objects.all()} == {"7.1", "7.2"}


def test_expediteurs_et_motif_trient_et_l_archive_ne_s_ouvre_pas(societe, boite):
    boite.deposer(courriel(("factures.csv", FACTURES), de="inconnu@ailleurs.example", identifiant="<a@x>"))
    boite.deposer(
        courriel(("../../etc/Fac\u202etures.csv", FACTURES), ("lisez.pdf", b"%PDF"), ("tout.zip.csv.zip", b"PK\3\4"),
                 de="Compta <COMPTA@Fournisseur.example>", identifiant="<b@x>")
    )  # fmt: skip
    s = source(societe, boite, expediteurs="@fournisseur.example\n", motif="*.csv;*.zip", appliquer_seul=False)
    etats = [(c.nom, c.etat) for c in essayer(s).constats]
    assert etats[0] == ("inconnu@ailleurs.example", "ecarte")
    assert ("tout.zip.csv.zip", "ecarte") in etats
    lire(s)
    lots = dict(Lot.objects.values_list("fichier", "statut"))
    assert lots == {"Factures.csv": "apercu", "tout.zip.csv.zip": "refuse"}


def test_un_courriel_difforme_ne_ferme_pas_la_boite(societe, boite):
    profond = EmailMessage()
    profond["Message-ID"] = "<p@x>"
    for _ in range(3):
        dehors = EmailMessage()
        dehors.add_attachment(profond)
        profond = dehors
    boite.deposer(b"\xff\xfe pas un courriel")
    boite.deposer(
        b"From: a@b\r\nContent-Type: multipart/mixed; boundary=\r\n\r\n--\r\n"
        b"Content-Disposition: attachment; filename==?x?q?=?=\r\nContent-Transfer-Encoding: base64\r\n\r\n!!!\r\n"
    )
    boite.deposer(profond.as_bytes())
    boite.deposer(courriel(("factures.csv", FACTURES)))
    releve = lire(source(societe, boite))
    assert (releve.erreur, releve.appliques) == ("", 1)


def test_le_mot_de_passe_refuse_se_dit_une_fois_puis_le_retour(societe, boite, mailoutbox):
    s = source(societe, boite, imap_secret="faux")
    for _ in range(2):
        assert "mot de passe" in lire(s).erreur
    assert len(mailoutbox) == 1 and "ne répond pas" in mailoutbox[0].subject
    assert "faux" not in mailoutbox[0].body
    SourceImport.objects.filter(pk=s.pk).update(imap_secret=s._meta.get_field("imap_secret").get_prep_value("x"))
    s.refresh_from_db()
    s.imap_secret = boite.mot_de_passe
    s.save()
    assert lire(s).erreur == ""
    assert len(mailoutbox) == 2 and "rétablie" in mailoutbox[1].subject
    s.refresh_from_db()
    assert (s.alerte_le, s.erreur_le) == (None, None)


@pytest.mark.parametrize("commande", ["LOGIN", "SELECT", "SEARCH", "FETCH", "STORE"])
def test_une_coupure_a_tout_moment_est_une_panne_reprise(societe, boite, commande):
    boite.deposer(courriel(("factures.csv", FACTURES)))
    boite.raccroche_au = commande
    s = source(societe, boite)
    assert lire(s).erreur
    boite.raccroche_au = ""
    assert lire(s).erreur == ""
    assert list(Lot.objects.values_list("statut", flat=True)) == ["applique"]


def test_un_serveur_qui_ment_sur_la_taille_n_emporte_pas_la_memoire(societe, boite, monkeypatch):
    monkeypatch.setattr(lecteur, "COURRIEL_MAX", 10_000)
    boite.deposer(courriel(("factures.csv", FACTURES)))
    boite.taille_annoncee = 50_000_000
    assert "interrompue" in lire(source(societe, boite)).erreur


def test_un_courriel_trop_gros_est_refuse_et_les_autres_lus(societe, boite, monkeypatch):
    monkeypatch.setattr(lecteur, "COURRIEL_MAX", 3_000)
    boite.deposer(courriel(("gros.csv", b"x" * 9_000), identifiant="<g@x>"))
    boite.deposer(courriel(("factures.csv", FACTURES)))
    assert lire(source(societe, boite)).erreur == ""
    assert sorted(Lot.objects.values_list("statut", flat=True)) == ["applique", "refuse"]


def test_le_certificat_se_verifie(societe, tmp_path, monkeypatch):
    boite = BoiteImap(pem=certificat(tmp_path))
    boite.ouvrir()
    try:
        boite.deposer(courriel(("factures.csv", FACTURES)))
        s = source(societe, boite, imap_tls=True)
        assert "certificat" in lire(s).erreur
        assert not [c for c in boite.journal if c.startswith("LOGIN")]  # rien n'est confié avant
        monkeypatch.setenv("SSL_CERT_FILE", str(boite.pem))
        assert lire(s).appliques == 1
    finally:
        boite.fermer()


def test_sans_tls_la_connexion_se_chiffre_si_le_serveur_le_propose(societe, tmp_path, monkeypatch):
    boite = BoiteImap(pem=certificat(tmp_path), starttls=True)
    boite.ouvrir()
    monkeypatch.setenv("SSL_CERT_FILE", str(boite.pem))
    try:
        boite.deposer(courriel(("factures.csv", FACTURES)))
        assert lire(source(societe, boite)).appliques == 1
        ordre = [c.split()[0] for c in boite.journal]
        assert ordre.index("STARTTLS") < ordre.index("LOGIN")
    finally:
        boite.fermer()


def test_sans_tls_ni_chiffrement_propose_le_mot_de_passe_ne_part_pas_ailleurs(societe, boite, monkeypatch):
    monkeypatch.setattr(boite_imap, "sur_place", lambda lien: False)
    assert "en clair" in lire(source(societe, boite)).erreur
    assert not [c for c in boite.journal if c.startswith("LOGIN")]


def test_serveur_absent_ou_secret_perdu(societe, boite):
    boite.fermer()
    assert "ne répond pas" in lire(source(societe, boite)).erreur
    assert "ressaisissez" in lire(source(societe, boite, nom="b", imap_secret="")).erreur


@pytest.mark.parametrize("hote", ["imap.exemple.fr", "localhost", "192.168.1.4", "::1", "xn--bcher-kva.example"])
def test_hotes_admis(hote):
    assert lecteur.hote_admis(hote)


@pytest.mark.parametrize(
    "hote", ["", "https://x.fr", "imap://x", "x.fr/a", "a@x.fr", "x.fr:993", "x fr", "x\r\nA LOGOUT", "-x.fr", "x..fr"]
)
def test_hotes_refuses(hote):
    assert not lecteur.hote_admis(hote)


def test_le_nom_d_un_dossier_s_ecrit_en_utf7_modifie():
    assert boite_imap.entre_guillemets("INBOX") == '"INBOX"'
    assert boite_imap.entre_guillemets('Reçus & "clos"') == '"Re&AOc-us &- \\"clos\\""'
    assert "\r" not in boite_imap.entre_guillemets("a\r\nb LOGOUT")


HOSTILES = {
    "en-tête": b"From: " + b"a," * 40_000 + b"\r\n\r\nx",
    "paramètres": b"From: a@b.example\r\nContent-Type: text/plain" + b"; a=b" * 40_000 + b"\r\n\r\nx",
    "parties": b"From: a@b.example\r\nContent-Type: multipart/mixed; boundary=b\r\n\r\n" + b"--b\r\n\r\n" * 200_000,
    "poupées": b"From: a@b.example\r\n"
    + b"".join(b"Content-Type: multipart/mixed; boundary=b%d\r\n\r\n--b%d\r\n" % (i, i) for i in range(150))
    + b"--x\r\n" * 900_000,
}  # fmt: skip


@pytest.mark.parametrize("octets", HOSTILES.values(), ids=HOSTILES)
def test_un_courriel_fait_pour_bloquer_se_refuse_et_les_suivants_se_lisent(societe, boite, octets):
    """Des milliers de virgules dans « From » occupaient le service de fond des minutes, à chaque lecture."""
    boite.deposer(octets)
    boite.deposer(courriel(("factures.csv", FACTURES)))
    releve = lire(source(societe, boite))
    assert (releve.erreur, releve.appliques, releve.refuses) == ("", 1, 1)
    assert "mal formé" in Lot.objects.get(statut="refuse").compte_rendu["refus"]
