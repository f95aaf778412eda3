"""L'assistant à l'écran : un fichier inconnu s'y arrête, se dit, repart à l'aperçu ; et se lit seul la fois d'après."""

import pytest
from django.core.files.uploadedfile import SimpleUploadedFile
from django.db import connection
from django.test.utils import CaptureQueriesContext
from django.urls import reverse

from factures.models import Correspondance, Facture, Lot, SourceImport
from factures.tasks import apercevoir_lot, appliquer_lot
from tests.comptes.factories import SocieteFactory, UtilisateurFactory
from tests.factures.tableaux_essai import xlsx

pytestmark = pytest.mark.django_db
TEXTE = "Tiers;Pièce;Date;Montant;Divers\nC1;F1;03/04/2026;1 200,50;x\nC1;F2;05/04/2026;-20,00;y\nTotal;;;1 180,50;\n"


@pytest.fixture(autouse=True)
def depot_d_essai(settings, tmp_path, monkeypatch):
    settings.DEPOT = tmp_path / "depot"
    for tache in (apercevoir_lot, appliquer_lot):
        monkeypatch.setattr(tache, "apply_async", lambda args, **_: None)


@pytest.fixture
def societe():
    return SocieteFactory(raison_sociale="Ateliers Mercier")


@pytest.fixture
def claire(societe, client):
    user = UtilisateurFactory(societe=societe, nom="Claire Bonnet")
    client.force_login(user)
    return user


def deposer(client, societe, contenu=TEXTE, nom="export_2026-03.csv") -> Lot:
    fichier = SimpleUploadedFile(nom, contenu if isinstance(contenu, bytes) else contenu.encode())
    client.post("/imports/", {"fichier": fichier, "societe": societe.pk})
    lot = Lot.objects.latest("pk")
    apercevoir_lot(lot.pk)
    lot.refresh_from_db()
    return lot


def url(lot, nom="correspondre"):
    return reverse(f"factures:{nom}", args=[lot.pk])


CHOIX = {
    "genre": "factures", "genre_avant": "factures", "c_code_client": "Tiers", "c_numero": "Pièce",
    "c_date_facture": "Date", "c_montant": "Montant", "dates": "jma", "decimale": ",", "devise": "EUR",
    "creer_clients": "on", "retenir": "on", "nom": "Export maison",
}  # fmt: skip


def test_un_fichier_inconnu_ouvre_l_assistant_puis_entre(client, claire, societe):
    lot = deposer(client, societe)
    assert lot.statut == Lot.Statut.A_CORRESPONDRE
    assert client.get(reverse("factures:import", args=[lot.pk])).url == url(lot)
    page = client.get(url(lot)).content.decode()
    assert "Voir l’aperçu de l’import" in page and "jour d’abord ou mois d’abord" in page
    assert client.post(url(lot), CHOIX).status_code == 303
    apercevoir_lot(lot.pk)
    lot.refresh_from_db()
    assert (lot.statut, lot.correspondance.nom) == (Lot.Statut.APERCU, "Export maison")
    assert not Facture.objects.exists()
    client.post(reverse("factures:import_appliquer", args=[lot.pk]))
    appliquer_lot(lot.pk)
    assert [str(f.montant_ttc) for f in Facture.objects.all()] == ["1200.50"]
    suivant = deposer(client, societe, TEXTE.replace("F1", "F9"), "export_2026-04.csv")
    assert suivant.statut == Lot.Statut.APERCU  # même en-tête : rien à redemander


def test_l_apercu_suit_les_choix_sans_rien_ecrire(client, claire, societe):
    lot = deposer(client, societe)
    donnees = {**CHOIX, "dates": "mja"}
    fragment = client.get(url(lot), donnees, headers={"HX-Request": "true"}).content.decode()
    assert "<html" not in fragment and "04/03/2026" in fragment.replace("4 mars 2026", "04/03/2026")
    assert "écartée" in fragment  # le total
    fragment = client.get(url(lot), {**donnees, "c_montant": ""}, headers={"HX-Request": "true"}).content.decode()
    assert "Il manque" in fragment and "Montant TTC" in fragment
    assert not Correspondance.objects.exists() and Lot.objects.get().statut == Lot.Statut.A_CORRESPONDRE


def test_changer_de_contenu_repropose_les_colonnes(client, claire, societe):
    lot = deposer(client, societe)
    page = client.get(url(lot), {**CHOIX, "genre": "encaissements"}).content.decode()
    assert "Date de règlement" in page and "Numéro de facture" not in page


def test_ce_qui_manque_ou_se_repete_est_refuse(client, claire, societe):
    lot = deposer(client, societe)
    reponse = client.post(url(lot), {**CHOIX, "c_montant": "", "c_numero": "Tiers"})
    assert reponse.status_code == 422 and "est déjà prise pour" in reponse.content.decode()
    reponse = client.post(url(lot), {**CHOIX, "c_date_facture": ""})
    assert reponse.status_code == 422 and "Il manque : Date de facture" in reponse.content.decode()
    Correspondance.objects.create(societe=societe, nom="Prise", genre="factures", signature="autre")
    reponse = client.post(url(lot), {**CHOIX, "nom": "Prise"})
    assert reponse.status_code == 422 and "autre en-tête" in reponse.content.decode()
    assert Lot.objects.get().statut == Lot.Statut.A_CORRESPONDRE


def test_on_revient_aux_colonnes_depuis_l_apercu(client, claire, societe):
    lot = deposer(client, societe)
    client.post(url(lot), CHOIX)
    apercevoir_lot(lot.pk)
    assert "Revoir les colonnes" in client.get(reverse("factures:import", args=[lot.pk])).content.decode()
    client.post(url(lot, "correspondre_revoir"))
    apercevoir_lot(lot.pk)
    lot.refresh_from_db()
    assert lot.statut == Lot.Statut.A_CORRESPONDRE
    assert lot.compte_rendu["a_correspondre"]["proposition"]["colonnes"]["montant"] == "Montant"


def test_une_autre_feuille_se_choisit(client, claire, societe):
    contenu = xlsx(feuilles={"Un": [["a", "b", "c"], ["1", "2", "3"]], "Deux": [["d", "e", "f"], ["4", "5", "6"]]})
    lot = deposer(client, societe, contenu, "deux.xlsx")
    autre = "Deux" if lot.compte_rendu["a_correspondre"]["feuille"] == "Un" else "Un"
    client.post(url(lot, "correspondre_feuille"), {"feuille": autre})
    apercevoir_lot(lot.pk)
    lot.refresh_from_db()
    assert lot.compte_rendu["a_correspondre"]["feuille"] == autre


def test_renommer_et_supprimer(client, claire, societe):
    c = Correspondance.objects.create(
        societe=societe, nom="Ancien", genre="factures", signature="x", colonnes={"a": "b"}
    )
    assert "Ancien" in client.get("/imports/correspondances/").content.decode()
    client.post(reverse("factures:correspondance_renommer", args=[c.pk]), {"nom": "Nouveau"})
    c.refresh_from_db()
    assert c.nom == "Nouveau"
    source = SourceImport.objects.create(societe=societe, nom="Dossier", genre="dossier", correspondance=c)
    client.post(reverse("factures:correspondance_supprimer", args=[c.pk]))
    assert Correspondance.objects.exists()  # une source l'emploie
    source.delete()
    client.post(reverse("factures:correspondance_supprimer", args=[c.pk]))
    assert not Correspondance.objects.exists()


def test_la_liste_vide_et_le_nombre_de_requetes(client, claire, societe):
    assert "Aucune correspondance retenue" in client.get("/imports/correspondances/").content.decode()
    comptes = []
    for debut, n in ((0, 1), (1, 19)):
        Correspondance.objects.bulk_create(
            Correspondance(societe=societe, nom=f"N{i}", genre="factures", signature="x")
            for i in range(debut, debut + n)
        )
        with CaptureQueriesContext(connection) as vues:
            client.get("/imports/correspondances/")
        comptes.append(len(vues))
    assert comptes[0] == comptes[1]


def test_celles_d_une_autre_societe_ne_se_touchent_pas(client, claire):
    autre = Correspondance.objects.create(societe=SocieteFactory(), nom="Loin", genre="factures", signature="x")
    assert "Loin" not in client.get("/imports/correspondances/").content.decode()
    for nom in ("renommer", "supprimer"):
        assert client.post(reverse(f"factures:correspondance_{nom}", args=[autre.pk]), {"nom": "x"}).status_code == 404
