"""Écran Imports : dépôt, progression, aperçu, application ; droits et doubles clics."""

import pytest
from django.core.files.uploadedfile import SimpleUploadedFile
from django.urls import reverse
from kombu.exceptions import OperationalError

from clients.models import Client
from factures.imports import depots
from factures.models import Echeance, Facture, Litige, Lot
from factures.tasks import apercevoir_lot, appliquer_lot
from recouvrement.comptes.models import Societe
from tests.clients.factories import ClientFactory
from tests.comptes.factories import AffectationFactory, SocieteFactory, UtilisateurFactory
from tests.factures.fec_essai import Fec

pytestmark = pytest.mark.django_db
URL = "/imports/"
ENTETE = "numero;code_client;date_facture;date_echeance;montant_ttc\n"
FACTURES = ENTETE + "F1;C1;05/01/2026;04/02/2026;120,00\nF2;C1;06/01/2026;05/02/2026;80,00\n"


@pytest.fixture(autouse=True)
def depot_d_essai(settings, tmp_path):
    settings.DEPOT = tmp_path / "depot"


@pytest.fixture
def reveils(monkeypatch):
    """Réveils demandés au courtier, sans courtier."""
    demandes = []
    for tache in (apercevoir_lot, appliquer_lot):
        monkeypatch.setattr(
            tache, "apply_async", lambda args, nom=tache.name, **_: demandes.append((nom.rpartition(".")[2], *args))
        )
    return demandes


@pytest.fixture
def societe():
    return SocieteFactory(raison_sociale="Ateliers Mercier")


@pytest.fixture
def claire(societe, client):
    user = UtilisateurFactory(societe=societe, nom="Claire Bonnet")
    client.force_login(user)
    return user


def deposer(client, texte=FACTURES, nom="factures.csv", **champs):
    fichier = SimpleUploadedFile(nom, texte if isinstance(texte, bytes) else texte.encode(), "text/csv")
    return client.post(URL, {"fichier": fichier, **champs})


def page(client, lot, **entetes):
    return client.get(reverse("factures:import", args=[lot.pk]), **entetes).content.decode().replace("\xa0", " ")


def test_un_depot_range_le_fichier_et_reveille_la_lecture(client, claire, societe, reveils):
    reponse = deposer(client, societe=societe.pk)
    lot = Lot.objects.get()
    assert reponse.status_code == 303 and reponse.url == f"/imports/{lot.pk}/"
    assert (lot.statut, lot.auteur, lot.fichier, lot.taille) == (
        "depose",
        claire,
        "factures.csv",
        len(FACTURES.encode()),
    )
    assert reveils == [("apercevoir_lot", lot.pk)]
    assert not Facture.objects.exists()


def test_la_page_se_relit_toutes_les_deux_secondes_puis_s_arrete(client, claire, societe, reveils):
    ClientFactory(societe=societe, code="C1")
    deposer(client, societe=societe.pk)
    lot = Lot.objects.get()
    assert 'hx-trigger="every 2s"' in page(client, lot) and "<progress" in page(client, lot)
    apercevoir_lot(lot.pk)
    fragment = page(client, lot, headers={"HX-Request": "true"})
    assert "every 2s" not in fragment and "<html" not in fragment
    for attendu in ("Aperçu prêt", "2 factures", "200,00 €", "Importer ce fichier", "rien n’est écrit"):
        assert attendu in fragment, attendu
    assert not Facture.objects.exists()


def test_appliquer_ecrit_une_seule_fois_malgre_le_double_clic(client, claire, societe, reveils):
    ClientFactory(societe=societe, code="C1")
    deposer(client, societe=societe.pk)
    lot = Lot.objects.get()
    apercevoir_lot(lot.pk)
    for _ in range(2):
        assert client.post(f"/imports/{lot.pk}/appliquer/").status_code == 303
    assert reveils[1:] == [("appliquer_lot", lot.pk)]
    for _ in range(2):
        appliquer_lot(lot.pk)
    lot.refresh_from_db()
    assert (lot.statut, lot.compte_rendu["crees"]["factures"], Facture.objects.count()) == ("applique", 2, 2)
    assert Societe.objects.get(pk=societe.pk).dernier_import_le == lot.applique_le
    assert "Encours de la société après l’import" in page(client, lot)


def test_des_rejets_ferment_l_import_entier_mais_pas_les_lignes_saines(client, claire, societe, reveils):
    ClientFactory(societe=societe, code="C1")
    deposer(client, FACTURES + "F3;C1;31/02/2026;;9\nF4;C9;05/01/2026;;9\n", societe=societe.pk)
    lot = Lot.objects.get()
    apercevoir_lot(lot.pk)
    texte = page(client, lot)
    for attendu in ("n’existe pas au calendrier", "date_facture", "Importer les 2 lignes saines", "Rapport en CSV"):
        assert attendu in texte, attendu
    assert "Importer ce fichier" not in texte
    client.post(f"/imports/{lot.pk}/appliquer/")
    lot.refresh_from_db()
    assert lot.statut == "apercu"  # sans « partiel », un refus retient tout
    client.post(f"/imports/{lot.pk}/appliquer/", {"partiel": "on"})
    appliquer_lot(lot.pk)
    assert Facture.objects.count() == 2


def test_le_rapport_des_rejets_se_telecharge_sans_formule(client, claire, societe, reveils):
    deposer(client, ENTETE + "=1+1;C1;31/02/2026;;9\n", societe=societe.pk)
    lot = Lot.objects.get()
    Lot.objects.update(
        statut="apercu",
        compte_rendu={
            "rejets": [{"ligne": 2, "champ": "numero", "motif": "x", "constat": "=cmd|x", "conseil": "Corrigez."}]
        },
    )
    assert lignes_du_rapport(client, lot) == [
        "ligne;sort;objet;désignation;champ;motif;que faire",
        "2;refusée;;;numero;'=cmd|x;Corrigez.",
    ]


def lignes_du_rapport(client, lot):
    reponse = client.get(f"/imports/{lot.pk}/lignes.csv")
    assert reponse["Content-Type"].startswith("text/csv") and reponse.streaming
    return b"".join(reponse.streaming_content).decode("utf-8-sig").splitlines()


def test_le_rapport_dit_ce_que_chaque_ligne_est_devenue(client, claire, societe, reveils):
    ClientFactory(societe=societe, code="C1")
    deposer(client, FACTURES, societe=societe.pk)
    traiter(Lot.objects.get())
    deposer(client, FACTURES + "F3;C1;31/02/2026;;9\nF4;C1;07/01/2026;;9\n", "suite.csv", societe=societe.pk)
    lot = Lot.objects.order_by("pk").last()
    traiter(lot, partiel=True)
    sorts = [x.split(";")[:4] for x in lignes_du_rapport(client, lot)[1:]]
    assert sorts == [
        ["2", "inchangée", "facture", "F1"],
        ["3", "inchangée", "facture", "F2"],
        ["4", "refusée", "", ""],
        ["5", "créée", "facture", "F4"],
    ]


def traiter(lot, partiel=False):
    apercevoir_lot(lot.pk)
    assert depots.demander(lot, partiel=partiel)
    appliquer_lot(lot.pk)
    lot.refresh_from_db()


def test_un_import_se_defait_a_l_ecran(client, claire, societe, reveils):
    ClientFactory(societe=societe, code="C1")
    deposer(client, societe=societe.pk)
    lot = Lot.objects.get()
    traiter(lot)
    assert "Défaire cet import" in page(client, lot)
    url = f"/imports/{lot.pk}/defaire/"
    apercu = client.get(url).content.decode()
    assert "Ce qui disparaîtra" in apercu and "2 factures" in apercu
    for _ in range(2):
        assert client.post(url).status_code == 303
    lot.refresh_from_db()
    assert lot.statut == "defait" and lot.defait_par == claire and not Facture.objects.exists()
    assert "Claire Bonnet" in page(client, lot)
    assert client.get(url).status_code == 303


def test_ce_qui_empeche_de_defaire_est_dit(client, claire, societe, reveils):
    ClientFactory(societe=societe, code="C1")
    deposer(client, societe=societe.pk)
    lot = Lot.objects.get()
    traiter(lot)
    Litige.objects.create(
        echeance=Echeance.objects.first(), montant_conteste=5, categorie="prix", ouvert_le="2026-03-01",
        a_traiter_le="2026-03-09",
    )  # fmt: skip
    url = f"/imports/{lot.pk}/defaire/"
    for reponse in (client.get(url), client.post(url)):
        texte = reponse.content.decode()
        assert "1 litige saisi" in texte and f"/factures/{Facture.objects.order_by('pk').first().pk}/" in texte
    assert reponse.status_code == 422 and Facture.objects.count() == 2


def test_un_refus_se_relit_quand_sa_cause_a_disparu(client, claire, societe, reveils):
    deposer(client, societe=societe.pk)
    lot = Lot.objects.get()
    apercevoir_lot(lot.pk)
    assert "Relire le fichier" in page(client, lot)
    ClientFactory(societe=societe, code="C1")
    assert client.post(f"/imports/{lot.pk}/relire/").status_code == 303
    apercevoir_lot(lot.pk)
    assert "Aucun refus" in page(client, lot)


def test_plusieurs_fichiers_se_deposent_dans_le_bon_ordre(client, claire, societe, reveils):
    fichiers = [
        SimpleUploadedFile("b.csv", b"reference;code_client;date;montant;mode;facture\nV1;C1;2026-02-01;10;cb;F1\n"),
        SimpleUploadedFile("a.csv", FACTURES.encode()),
        SimpleUploadedFile("z.csv", b"code_client;raison_sociale\nC1;Un\n"),
    ]  # fmt: skip
    reponse = client.post(URL, {"fichier": fichiers, "societe": societe.pk})
    lots = list(Lot.objects.order_by("pk"))
    assert [lot.fichier for lot in lots] == ["z.csv", "a.csv", "b.csv"]
    assert reponse.url == f"/imports/?ensemble={'-'.join(str(x.pk) for x in lots)}" and len(reveils) == 3
    texte = client.get(reponse.url).content.decode()
    assert "Fichiers déposés ensemble" in texte
    assert texte.index("z.csv") < texte.index("a.csv") < texte.index("b.csv")


def test_l_historique_se_filtre_par_l_adresse(client, claire, societe, reveils):
    for nom, format, statut in (("un.csv", "csv-factures", "refuse"), ("deux.txt", "fec", "apercu")):
        Lot.objects.create(societe=societe, fichier=nom, format=format, statut=statut)
    for adresse, vus in (
        ("?statut=refuse", {"un.csv"}), ("?format=fec", {"deux.txt"}), ("?origine=api", set()),
        ("?du=2100-01-01", set()), ("?statut=inconnu&du=hier", {"un.csv", "deux.txt"}),
    ):  # fmt: skip
        texte = client.get(URL + adresse).content.decode()
        assert {nom for nom in ("un.csv", "deux.txt") if nom in texte} == vus, adresse


def test_les_faits_du_fichier_se_lisent(client, claire, societe, reveils):
    deposer(client, Fec().vente("C1", "F1", "1234.5").texte(), "732829320FEC20251231.txt", societe=societe.pk)
    lot = Lot.objects.get()
    apercevoir_lot(lot.pk)
    texte = page(client, lot).replace("\u202f", " ")
    for attendu in ("Ce que dit le fichier", "15/01/2025", "1 234,50", "Lignes de comptes clients"):
        assert attendu in texte, attendu


def test_un_fec_montre_ce_qu_il_n_explique_pas(client, claire, societe, reveils):
    deposer(client, Fec().vente("C1", "F1", "100", "AB").texte(), "732829320FEC20251231.txt", societe=societe.pk)
    lot = Lot.objects.get()
    apercevoir_lot(lot.pk)
    texte = page(client, lot)
    assert "Ce que le fichier n’explique pas" in texte and "contre une ligne absente du fichier" in texte


def test_un_fichier_illisible_est_refuse_avec_sa_raison(client, claire, societe, reveils):
    deposer(client, b"%PDF-1.7 x", "facture.csv", societe=societe.pk)
    lot = Lot.objects.get()
    apercevoir_lot(lot.pk)
    lot.refresh_from_db()
    assert lot.statut == "refuse" and "Fichier refusé, rien n’est écrit" in page(client, lot)


def test_un_fichier_altere_dans_le_depot_est_refuse(client, claire, societe, reveils, settings):
    deposer(client, societe=societe.pk)
    lot = Lot.objects.get()
    chemin = settings.DEPOT / lot.chemin
    chemin.chmod(0o640)
    chemin.write_text("autre chose")
    apercevoir_lot(lot.pk)
    lot.refresh_from_db()
    assert lot.statut == "refuse" and "ne se relit pas" in lot.compte_rendu["refus"]


def test_une_erreur_imprevue_ferme_le_lot_en_le_disant(client, claire, societe, reveils, monkeypatch):
    deposer(client, societe=societe.pk)
    lot = Lot.objects.get()
    monkeypatch.setattr(depots, "importer", lambda *a, **k: 1 / 0)
    with pytest.raises(ZeroDivisionError):
        apercevoir_lot(lot.pk)
    lot.refresh_from_db()
    assert lot.statut == "refuse" and f"référence I-{lot.pk}" in lot.compte_rendu["refus"]


def test_sans_courtier_le_lot_attend_et_se_relance(client, claire, societe, monkeypatch):
    def absent(*_args, **_options):
        raise OperationalError

    monkeypatch.setattr(apercevoir_lot, "apply_async", absent)
    assert deposer(client, societe=societe.pk).status_code == 303
    lot = Lot.objects.get()
    assert lot.statut == "depose" and "Relancer si rien n’avance" in page(client, lot)
    reponse = client.post(f"/imports/{lot.pk}/relancer/", follow=True)
    assert "Le service de fond ne répond pas" in reponse.content.decode()


def test_abandonner_un_apercu_n_ecrit_rien(client, claire, societe, reveils):
    ClientFactory(societe=societe, code="C1")
    deposer(client, societe=societe.pk)
    lot = Lot.objects.get()
    apercevoir_lot(lot.pk)
    client.post(f"/imports/{lot.pk}/abandonner/")
    lot.refresh_from_db()
    assert lot.statut == "refuse" and "Abandonné par Claire Bonnet" in lot.compte_rendu["refus"]
    appliquer_lot(lot.pk)
    assert not Facture.objects.exists()


def test_un_fichier_trop_gros_ou_absent_se_dit_dans_le_formulaire(client, claire, societe, settings, reveils):
    settings.TAILLE_MAX_IMPORT = 10
    reponse = deposer(client, societe=societe.pk)
    assert reponse.status_code == 422 and "découpez l’export" in reponse.content.decode()
    assert client.post(URL, {"societe": societe.pk}).status_code == 422
    assert not Lot.objects.exists()


def test_on_ne_depose_que_dans_ses_societes(client, claire, societe, reveils):
    voisine = SocieteFactory()
    assert deposer(client, societe=voisine.pk).status_code == 422
    assert not Lot.objects.exists()


def test_le_voisin_et_le_lecteur_ne_voient_pas_l_import(client, claire, societe, reveils):
    """Exigence 39."""
    deposer(client, societe=societe.pk)
    lot = Lot.objects.get()
    client.force_login(UtilisateurFactory(societe=SocieteFactory()))
    for suite in ("", "rejets.csv"):
        assert client.get(f"/imports/{lot.pk}/{suite}").status_code == 404
    for geste in ("appliquer", "relancer", "abandonner"):
        assert client.post(f"/imports/{lot.pk}/{geste}/").status_code == 404
    client.force_login(UtilisateurFactory(societe=societe, role="lecteur"))
    assert client.get(URL).status_code == 403


@pytest.mark.parametrize("geste", ["appliquer", "relancer", "abandonner"])
def test_un_geste_ne_se_fait_pas_en_lecture(client, claire, geste):
    assert client.get(f"/imports/1/{geste}/").status_code == 405


def test_avec_deux_societes_on_choisit_celle_qui_recoit(client, claire, societe, reveils):
    seconde = SocieteFactory(raison_sociale="Seconde")
    AffectationFactory(claire, seconde)
    assert "Seconde" in client.get(URL).content.decode()
    deposer(client, societe=seconde.pk)
    assert Lot.objects.get().societe == seconde


def test_les_modeles_se_telechargent(client, claire):
    for nom in ("clients", "factures", "encaissements"):
        reponse = client.get(f"/imports/modeles/{nom}.csv")
        assert b"code_client" in b"".join(reponse.streaming_content)
        assert f'filename="{nom}.csv"' in reponse["Content-Disposition"]
    assert client.get("/imports/modeles/autre.csv").status_code == 404


def test_l_historique_a_le_meme_cout_avec_un_ou_vingt_imports(client, claire, societe, django_assert_num_queries):
    from django.db import connection
    from django.test.utils import CaptureQueriesContext

    def lots(n):
        Lot.objects.bulk_create(
            Lot(societe=societe, auteur=claire, fichier=f"f{i}.csv", empreinte="0" * 64) for i in range(n)
        )

    lots(1)
    client.get(URL)
    with CaptureQueriesContext(
        connection,
    ) as une:
        client.get(URL)
    lots(19)
    with django_assert_num_queries(len(une)):
        client.get(URL)


def test_le_portefeuille_importe_est_aussitot_visible(client, claire, societe, reveils):
    deposer(client, "code_client;raison_sociale\nC1;Dupont\n", "clients.csv", societe=societe.pk)
    lot = Lot.objects.get()
    apercevoir_lot(lot.pk)
    client.post(f"/imports/{lot.pk}/appliquer/")
    appliquer_lot(lot.pk)
    assert Client.objects.get().societe == societe
