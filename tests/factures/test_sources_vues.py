"""Écrans des sources : créer, régler sans jamais montrer le secret, essayer, lire maintenant ; et à qui."""

import pytest
from django.db import connection
from django.test.utils import CaptureQueriesContext
from django.urls import reverse
from django.utils import timezone
from kombu.exceptions import OperationalError

from factures.models import Lot, SourceImport
from factures.tasks import relever_source
from recouvrement.comptes.models import Role
from recouvrement.journal.models import Detail
from tests.comptes.factories import SocieteFactory, UtilisateurFactory

pytestmark = pytest.mark.django_db
LISTE, NOUVELLE = "/administration/sources/", "/administration/sources/nouvelle/"
SECRET = "un mot très secret"


@pytest.fixture
def societe():
    return SocieteFactory()


@pytest.fixture
def admin(societe, client):
    user = UtilisateurFactory(societe=societe, role=Role.ADMINISTRATEUR)
    client.force_login(user)
    return user


def une_source(societe, **champs) -> SourceImport:
    return SourceImport.objects.create(societe=societe, **{"nom": "Compta", "genre": "dossier"} | champs)


def saisie(societe, **champs) -> dict:
    base = {"societe": societe.pk, "nom": "Boîte", "genre": "imap", "motif": "*.csv", "imap_hote": "imap.exemple.fr",
            "imap_port": 993, "imap_tls": "on", "imap_utilisateur": "imports", "mot_de_passe": SECRET,
            "imap_dossier": "INBOX", "actif": "on", "fraicheur_heures": 48}  # fmt: skip
    return {cle: valeur for cle, valeur in (base | champs).items() if valeur is not None}


def test_creer_une_boite_range_le_secret_chiffre_et_ne_le_montre_jamais(client, admin, societe):
    assert client.post(NOUVELLE, saisie(societe)).status_code == 303
    s = SourceImport.objects.get()
    assert (s.imap_secret, s.fraicheur_heures, s.imap_tls) == (SECRET, 48, True)
    with connection.cursor() as curseur:
        curseur.execute("select imap_secret from factures_sourceimport")
        assert SECRET not in curseur.fetchone()[0]
    url = reverse("factures:source", args=[s.pk])
    assert SECRET not in client.get(url).content.decode()
    # Réglée sans ressaisir : le secret reste ; vers un autre serveur : il se redemande.
    assert client.post(url, saisie(societe, mot_de_passe="", nom="Neuve")).status_code == 303
    s.refresh_from_db()
    assert (s.nom, s.imap_secret) == ("Neuve", SECRET)
    refus = client.post(url, saisie(societe, mot_de_passe="", imap_hote="ailleurs.exemple.fr"))
    assert refus.status_code == 422 and "mot_de_passe" in refus.context["form"].errors
    assert not any(SECRET in f"{d.donnees}{d.texte}" for d in Detail.objects.all())


@pytest.mark.parametrize(
    "champ, valeur",
    [
        ("imap_hote", "https://x.fr"), ("imap_hote", "a@b.fr"), ("imap_port", 0), ("imap_port", 70_000),
        ("imap_utilisateur", ""), ("imap_utilisateur", "a b"), ("mot_de_passe", ""), ("mot_de_passe", "a\x01b"),
        ("dossier", "../x"), ("nom", ""), ("fraicheur_heures", 0), ("genre", "ftp"), ("format", "x"),
    ],
)  # fmt: skip
def test_une_saisie_fausse_se_dit_a_sa_place(client, admin, societe, champ, valeur):
    reponse = client.post(NOUVELLE, saisie(societe, **{champ: valeur}))
    assert reponse.status_code == 422 and champ in reponse.context["form"].errors
    assert not SourceImport.objects.exists()


def test_deux_sources_ne_portent_pas_le_meme_nom(client, admin, societe):
    une_source(societe, nom="Boîte")
    assert client.post(NOUVELLE, saisie(societe)).status_code == 422


def test_essayer_montre_sans_importer(client, admin, societe, settings, tmp_path):
    settings.DOSSIER_SOURCES, settings.SOURCES_REPOS_SECONDES = str(tmp_path), 0
    (tmp_path / "factures.csv").write_text("x")
    url = reverse("factures:source_essayer", args=[une_source(societe).pk])
    page = client.post(url).content.decode()
    assert "factures.csv" in page and "prêt" in page
    assert not Lot.objects.exists() and (tmp_path / "factures.csv").exists()
    settings.DOSSIER_SOURCES = ""
    assert "DOSSIER_SOURCES" in client.post(url).content.decode()
    assert client.get(url).status_code == 405


def test_lire_maintenant_reveille_ou_attend_le_courtier(client, admin, societe, monkeypatch):
    demandes = []
    monkeypatch.setattr(relever_source, "apply_async", lambda args, **_: demandes.append(args))
    s = une_source(societe, lue_le=timezone.now())
    url = reverse("factures:source_relever", args=[s.pk])
    assert client.post(url).status_code == 303
    assert demandes == [(s.pk, True)]

    def muet(*_args, **_options):
        raise OperationalError

    monkeypatch.setattr(relever_source, "apply_async", muet)
    client.post(url)
    s.refresh_from_db()
    assert s.lue_le is None  # due dès le retour du service de fond
    assert client.get(url).status_code == 405


def test_l_etat_se_lit(client, admin, societe):
    une_source(societe, nom="a", actif=False)
    une_source(societe, nom="b", erreur="Le serveur ne répond pas.", lue_le=timezone.now())
    une_source(societe, nom="c", fraicheur_heures=1, recue_le="2020-01-01T00:00Z")
    une_source(societe, nom="d")
    s = une_source(societe, nom="e", lue_le=timezone.now())
    Lot.objects.create(societe=societe, fichier="x.csv", empreinte="0", source=s, cle_externe="x", statut="apercu")
    page = client.get(LISTE)
    assert [mot for _s, mot, _ton in page.context["lignes"]] == [
        "désactivée", "en panne", "en retard", "jamais lue", "à jour",
    ]  # fmt: skip
    assert "Le serveur ne répond pas." in page.content.decode()
    assert [x.attendent for x, _mot, _ton in page.context["lignes"]][-1] == 1
    assert "x.csv" in client.get(reverse("factures:source", args=[s.pk])).content.decode()


@pytest.mark.parametrize("route", ["source", "source_essayer", "source_relever"])
def test_la_source_du_voisin_est_introuvable(client, admin, route):
    url = reverse(f"factures:{route}", args=[une_source(SocieteFactory()).pk])
    assert (client.get(url) if route == "source" else client.post(url)).status_code == 404


def test_on_ne_cree_pas_chez_un_autre_et_un_responsable_n_entre_pas(client, admin, societe):
    assert client.post(NOUVELLE, saisie(SocieteFactory())).status_code == 422
    client.force_login(UtilisateurFactory(societe=societe, role=Role.RESPONSABLE))
    assert client.get(LISTE).status_code == 403
    assert client.post(NOUVELLE, saisie(societe)).status_code == 403


def test_une_ligne_ou_vingt_autant_de_requetes(client, admin, societe, django_assert_num_queries):
    une_source(societe)
    client.get(LISTE)
    with CaptureQueriesContext(connection) as avec_une:
        client.get(LISTE)
    for n in range(20):
        une_source(societe, nom=f"s{n}")
    with django_assert_num_queries(len(avec_une)):
        client.get(LISTE)
