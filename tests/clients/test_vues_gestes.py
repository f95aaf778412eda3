"""Les gestes du gestionnaire par leurs écrans : confirmés, défaits, refusés sans rien perdre, à deux sur un client."""

from datetime import timedelta
from decimal import Decimal

import pytest
from django.core.files.uploadedfile import SimpleUploadedFile
from django.db import connection
from django.test.utils import CaptureQueriesContext
from django.urls import reverse
from django.utils import timezone

from factures.models import EchangeLitige, Exclusion, Litige, Promesse
from factures.services import imputer
from recouvrement.journal.models import Maillon
from relances.models import Courrier, Message, MessageRecu, Tache
from relances.services import messages as envois
from relances.services.taches import consigner_appel
from tests.clients.factories import ClientFactory, NoteFactory
from tests.comptes.factories import UtilisateurFactory
from tests.factures.factories import EcheanceFactory, EncaissementFactory, LitigeFactory

pytestmark = pytest.mark.django_db


@pytest.fixture(autouse=True)
def range_ici(settings, tmp_path):
    settings.DEPOT = tmp_path / "depot"


@pytest.fixture
def pieces(belcourt):
    return list(belcourt.echeances.order_by("date_echeance"))


def geste(client, volet: str, suite: str = "") -> str:
    return reverse("clients:geste", args=[client.pk, volet]) + suite


def volet(navigateur, client, nom: str, **plus):
    return navigateur.get(reverse("clients:fiche", args=[client.pk]), {"volet": nom, **plus})


def texte(reponse) -> str:
    return reponse.content.decode().replace("\u00a0", " ").replace("\u202f", " ").replace("&#x27;", "'")


@pytest.fixture
def promesse(pieces, au):
    return {
        "montant": "9360", "date_promise": (au + timedelta(7)).isoformat(), "moyen": "virement",
        "pieces": [pieces[0].pk], "confirmer": "on", "version": "0",
    }  # fmt: skip


# --- Promesse -----------------------------------------------------------------------------------


def test_exigence_31_la_case_est_cochee_la_confirmation_s_ecrit_et_se_defait(connecte, belcourt, promesse):
    page = volet(connecte, belcourt, "promesse")
    assert page.context["form"]["confirmer"].value() is True
    promesse["version"] = page.context["form"]["version"].value()
    adresse = belcourt.contacts.get().courriel
    assert f"À {adresse}, dans dix secondes." in texte(page)

    apres = connecte.post(geste(belcourt, "promesse"), promesse, follow=True)
    assert f"Confirmation écrite à {adresse}" in texte(apres)
    message, notee = Message.objects.get(), Promesse.objects.latest("pk")
    assert (message.promesse, message.destinataire) == (notee, adresse)

    connecte.post(reverse("clients:promesse_annuler", args=[belcourt.pk, notee.pk]))
    message.refresh_from_db(), notee.refresh_from_db()
    assert (message.statut, notee.statut) == ("annule", "annulee")


def test_la_confirmation_deja_partie_se_dit(connecte, belcourt, promesse, mailoutbox):
    connecte.post(geste(belcourt, "promesse"), promesse | {"version": ""})
    envois.expedier(Message.objects.get().pk, moment=timezone.now() + timedelta(days=400))
    notee = Promesse.objects.latest("pk")
    page = connecte.post(reverse("clients:promesse_annuler", args=[belcourt.pk, notee.pk]), follow=True)
    assert len(mailoutbox) == 1 and "déjà partie" in texte(page)


@pytest.mark.parametrize(
    ("champs", "mot"),
    [
        ({"date_promise": "2026-11-19"}, "déjà passée"),
        ({"date_promise": "2027-02-19"}, "90 jours au plus"),
        ({"montant": "9360,01"}, "au plus ce qui est dû"),
        ({"montant": "0"}, "positif"),
        ({"montant": "beaucoup"}, "nombre"),
        ({"pieces": []}, "obligatoire"),
    ],
)
def test_exigence_31_hors_bornes_la_saisie_revient_et_rien_ne_s_ecrit(connecte, belcourt, promesse, champs, mot):
    avant = Promesse.objects.count()
    page = connecte.post(geste(belcourt, "promesse"), promesse | {"version": ""} | champs)
    assert page.status_code == 422 and mot in texte(page)
    assert f'value="{champs.get("montant", "9360")}"' in texte(page)
    assert (Promesse.objects.count(), Message.objects.count()) == (avant, 0)


def test_deux_gestionnaires_le_second_lit_le_premier(client, belcourt, gestionnaire, responsable, promesse):
    """Deux onglets, deux personnes : rien n'est perdu, ni remplacé en silence."""
    client.force_login(gestionnaire)
    promesse["version"] = volet(client, belcourt, "promesse").context["form"]["version"].value()
    client.force_login(responsable)
    client.post(geste(belcourt, "promesse"), promesse | {"montant": "5000"})
    client.force_login(gestionnaire)

    page = client.post(geste(belcourt, "promesse"), promesse)
    assert page.status_code == 422
    assert "Paul Vidal a modifié ce client entre-temps" in texte(page) and "5 000,00" in texte(page)
    assert 'value="9360"' in texte(page) and Promesse.objects.latest("pk").montant == 5000

    relue = promesse | {"version": page.context["form"]["version"].value()}
    assert client.post(geste(belcourt, "promesse"), relue).status_code == 303
    assert Promesse.objects.latest("pk").montant == 9360


def test_le_conflit_se_lit_aussi_dans_l_appel(client, belcourt, gestionnaire, responsable, promesse):
    client.force_login(responsable)
    client.post(geste(belcourt, "promesse"), promesse | {"montant": "5000", "version": ""})
    client.force_login(gestionnaire)
    saisie = {"issue": "promesse"} | {f"promesse-{nom}": v for nom, v in promesse.items()}

    page = client.post(geste(belcourt, "appel"), saisie)
    assert page.status_code == 422 and "Paul Vidal" in texte(page)
    assert not Maillon.objects.filter(action="appel.consigne").exists()
    saisie["promesse-version"] = page.context["form"].suites["promesse"]["version"].value()
    assert client.post(geste(belcourt, "appel"), saisie).status_code == 303


def test_une_piece_soldee_entre_temps_se_dit(connecte, belcourt, pieces, promesse, au, gestionnaire):
    recu = EncaissementFactory(client=belcourt, montant=9360, date=au)
    imputer(recu, [(pieces[0], Decimal(9360))], au=au, cle="x", acteur=gestionnaire)
    page = connecte.post(geste(belcourt, "promesse"), promesse | {"version": ""})
    assert page.status_code == 422 and "vient d'être soldée" in texte(page)
    assert 'value="9360"' in texte(page)


# --- Appel --------------------------------------------------------------------------------------


def test_exigence_30_le_volet_dit_le_numero_les_pieces_les_paroles_et_les_appels(connecte, belcourt, gestionnaire, au):
    """Exigence 30 : qui appeler, quoi dire, ce qui s'est dit."""
    NoteFactory(client=belcourt, auteur=gestionnaire, texte="La comptable part le 30.")
    consigner_appel(belcourt, issue="message", au=au, acteur=gestionnaire, commentaire="laissé à l'accueil")
    MessageRecu.objects.create(
        societe=belcourt.societe, client=belcourt, origine="imap", cle_source="<1@x>", categorie="reponse",
        recu_le=timezone.now(), de="nadia@client.example", de_nom="Nadia Ferrand", texte="Je vois avec le chef.",
    )  # fmt: skip
    page = texte(volet(connecte, belcourt, "appel"))
    for dit in ("04 65 71 01 42", "9 360,00 €", "La comptable part le 30.", "laissé à l'accueil",
                "Je vois avec le chef", "1 appel :", "message laissé", "Ne pas réclamer les 1 200,00 €"):  # fmt: skip
        assert dit in page, dit


def test_exigence_30_facture_non_recue_paiement_parti_et_leur_effet_avant(connecte, belcourt, pieces):
    url = reverse("clients:effet", args=[belcourt.pk, "appel"])
    dit = texte(connecte.get(url, {"issue": "non_recue", "appel-pieces": [pieces[0].pk]}))
    assert "Aucune copie rangée" in dit and "vendredi 27/11/2026" in dit
    assert "Ces pièces attendent" in texte(
        connecte.get(url, {"issue": "paiement_parti", "appel-pieces": [pieces[0].pk]})
    )

    refusee = connecte.post(geste(belcourt, "appel"), {"issue": "non_recue"})
    assert refusee.status_code == 422 and not Maillon.objects.exists()
    for issue in ("non_recue", "paiement_parti"):
        saisie = {"issue": issue, "appel-pieces": [pieces[0].pk], "cle": issue}
        assert connecte.post(geste(belcourt, "appel"), saisie).status_code == 303
    assert set(Tache.objects.filter(faite_le=None).values_list("cle", flat=True)) == {
        "renvoyer_facture", "verifier_paiement",
    }  # fmt: skip


def test_le_volet_d_appel_coute_autant_avec_une_piece_qu_avec_vingt(connecte, belcourt, gestionnaire, au):
    couts = []
    for nombre in (1, 19):
        for _ in range(nombre):
            EcheanceFactory(client=belcourt, echue_le=au - timedelta(5))
            consigner_appel(belcourt, issue="message", au=au, acteur=gestionnaire, commentaire="rien")
            NoteFactory(client=belcourt, auteur=gestionnaire)
        with CaptureQueriesContext(connection) as lues:
            volet(connecte, belcourt, "appel")
        couts.append(len(lues))
    assert couts[0] == couts[1]


# --- Renvoi -------------------------------------------------------------------------------------


def test_exigence_34_renvoyer_depuis_la_fiche_puis_annuler(connecte, belcourt, pieces):
    from tests.relances.test_appels import tenir_copie

    tenir_copie(pieces[0].facture)
    for _ in range(2):  # double clic
        connecte.post(geste(belcourt, "renvoyer"), {"pieces": [pieces[0].pk]})
    message = Message.objects.get()
    assert (message.genre, Exclusion.objects.filter(levee_le=None).count()) == ("facture", 1)
    connecte.post(reverse("clients:renvoi_annuler", args=[belcourt.pk, message.pk]))
    assert not Exclusion.objects.filter(levee_le=None).exists()
    autre = connecte.post(reverse("clients:renvoi_annuler", args=[belcourt.pk, message.pk]), follow=True)
    assert "déjà partie, ou" in texte(autre)


def test_le_renvoi_d_un_autre_client_ne_se_defait_pas_ici(connecte, belcourt, societe):
    autre = Message.objects.create(
        societe=societe, client=ClientFactory(societe=societe), genre="facture", cle="x", destinataire="a@x.example",
        texte="x", pas_avant=timezone.now(),
    )  # fmt: skip
    url = reverse("clients:renvoi_annuler", args=[belcourt.pk, autre.pk])
    assert connecte.post(url).status_code == 404 and connecte.get(url).status_code == 405


# --- Litige -------------------------------------------------------------------------------------


def suivre(navigateur, belcourt, litige, suite, **champs):
    saisie = {"litige": litige.pk, "suite": suite, "issue": "bon de livraison relu", "a_traiter_le": "2026-12-10"}
    return navigateur.post(geste(belcourt, "clore", f"?litige={litige.pk}"), saisie | champs)


def test_exigence_33_fonde_en_partie_ou_non_par_l_ecran(connecte, belcourt, pieces):
    """Exigence 33 : catégorie, part contestée, responsable, échéance, fil, issue ; le reste continue."""
    litige = pieces[2].litiges.get()
    assert suivre(connecte, belcourt, litige, "partie").status_code == 422
    assert suivre(connecte, belcourt, litige, "partie", montant_reconnu="1300").status_code == 422
    assert suivre(connecte, belcourt, litige, "partie", montant_reconnu="300").status_code == 303
    litige.refresh_from_db()
    assert (litige.decision, litige.montant_conteste, litige.clos_le) == ("partie", 300, None)
    assert "avoir attendu" in texte(volet(connecte, belcourt, "clore", litige=litige.pk))
    suivre(connecte, belcourt, litige, "non_fonde")
    litige.refresh_from_db()
    assert (litige.decision, litige.issue) == ("non_fonde", "bon de livraison relu")


def test_le_litige_clos_par_un_collegue_se_dit_et_garde_la_saisie(connecte, belcourt, pieces):
    litige = pieces[2].litiges.get()
    suivre(connecte, belcourt, litige, "clore")
    LitigeFactory(echeance=pieces[0], montant_conteste=10)
    page = suivre(connecte, belcourt, litige, "non_fonde")
    assert page.status_code == 422 and "vient d'être clos" in texte(page)
    assert "bon de livraison relu" in texte(page)


def test_un_litige_ouvert_entre_temps_sur_la_piece_se_dit(connecte, belcourt, pieces, au):
    LitigeFactory(echeance=pieces[0], montant_conteste=10)
    saisie = {"echeance": pieces[0].pk, "montant": "500", "categorie": "prix", "a_traiter_le": "2026-12-01"}
    page = connecte.post(geste(belcourt, "litige"), saisie | {"description": "portes voilées"})
    assert page.status_code == 422 and "contestée par quelqu'un d'autre" in texte(page)
    assert "portes voilées" in texte(page)


def test_exigence_33_le_fil_garde_chaque_echange_et_son_document(connecte, belcourt, pieces, gestionnaire, au):
    litige = pieces[2].litiges.get()
    url = geste(belcourt, "echange", f"?litige={litige.pk}")
    saisie = {"sens": "recu", "le": au.isoformat(), "texte": "Deux vantaux rayés, voir photo.", "cle": "k"}
    fichier = SimpleUploadedFile("photo.png", image(), "image/png")
    for _ in range(2):  # double clic
        fichier.seek(0)
        assert connecte.post(url, saisie | {"fichier": fichier}).status_code == 303
    echange = EchangeLitige.objects.get()
    assert (echange.auteur, echange.document.nom) == (gestionnaire, "photo.png")
    page = texte(volet(connecte, belcourt, "clore", litige=litige.pk))
    assert "Deux vantaux rayés" in page and "photo.png" in page

    menteur = SimpleUploadedFile("photo.pdf", b"MZ programme", "application/pdf")
    refus = connecte.post(url, saisie | {"cle": "k2", "fichier": menteur})
    assert refus.status_code == 422 and "Deux vantaux" in texte(refus)
    assert connecte.post(url, saisie | {"cle": "k3", "le": "2026-12-25"}).status_code == 422
    assert EchangeLitige.objects.count() == 1


def image() -> bytes:
    from io import BytesIO

    from PIL import Image

    tampon = BytesIO()
    Image.new("RGB", (4, 4), "white").save(tampon, "PNG")
    return tampon.getvalue()


def test_le_fil_d_un_autre_client_est_introuvable(connecte, client, belcourt, societe, pieces, voisin):
    autre = LitigeFactory(echeance=EcheanceFactory(client=ClientFactory(societe=societe)))
    saisie = {"sens": "recu", "le": "2026-11-20", "texte": "x"}
    assert connecte.post(geste(belcourt, "echange", f"?litige={autre.pk}"), saisie).status_code == 404
    client.force_login(voisin)
    url = geste(belcourt, "echange", f"?litige={pieces[2].litiges.get().pk}")
    assert client.post(url, saisie).status_code == 404
    assert not EchangeLitige.objects.exists()


def test_le_fil_coute_autant_pour_un_echange_que_pour_vingt(connecte, belcourt, pieces, gestionnaire, au):
    litige, couts = pieces[2].litiges.get(), []
    for nombre in (1, 19):
        for n in range(nombre):
            EchangeLitige.objects.create(litige=litige, sens="interne", le=au, texte=f"note {n}", auteur=gestionnaire)
        with CaptureQueriesContext(connection) as lues:
            volet(connecte, belcourt, "clore", litige=litige.pk)
        couts.append(len(lues))
    assert couts[0] == couts[1]


def test_exigence_33_le_responsable_du_litige_est_propose_et_garde(connecte, client, belcourt, pieces, societe):
    page = volet(connecte, belcourt, "litige", piece=pieces[0].pk)
    assert page.context["form"]["responsable"].value() == belcourt.gestionnaire_id
    colore = UtilisateurFactory(societe=societe, nom="Inès Colin")
    saisie = {"echeance": pieces[0].pk, "montant": "500", "categorie": "prix", "a_traiter_le": "2026-12-01"}
    connecte.post(geste(belcourt, "litige"), saisie | {"responsable": colore.pk})
    assert Litige.objects.get(echeance=pieces[0]).responsable == colore
    client.force_login(colore)
    assert "9 360" in texte(client.get(reverse("clients:fiche", args=[belcourt.pk]))), "la fiche lui est ouverte"
    client.force_login(UtilisateurFactory(societe=societe))
    assert client.get(reverse("clients:fiche", args=[belcourt.pk])).status_code == 404


# --- Étape unique -------------------------------------------------------------------------------


def test_une_etape_se_prepare_depuis_la_fiche_et_s_ouvre_a_relire(connecte, belcourt, pieces, au):
    saisie = {"echeance": pieces[0].pk, "palier": "2"}
    reponse = connecte.post(geste(belcourt, "etape"), saisie)
    courrier = Courrier.objects.get()
    assert (reponse.status_code, reponse.url) == (303, reverse("relances:courrier", args=[courrier.pk]))
    double = connecte.post(geste(belcourt, "etape"), saisie)
    assert double.status_code == 422 and "ne se refait pas" in texte(double)
    assert Courrier.objects.count() == 1


@pytest.mark.parametrize("nom", ["renvoyer", "etape", "perte", "echange"])
def test_une_saisie_vide_est_refusee_et_la_mauvaise_methode_aussi(connecte, belcourt, pieces, nom):
    suite = f"?litige={pieces[2].litiges.get().pk}"
    assert connecte.post(geste(belcourt, nom, suite), {}).status_code == 422
    assert connecte.get(geste(belcourt, nom)).status_code == 405
    assert not Maillon.objects.exists()
    for saisie in ({}, {"echeance": "abc", "montant": "x", "pieces": ["99999999999999999999"], "palier": "9"}):
        assert connecte.get(reverse("clients:effet", args=[belcourt.pk, nom]) + suite, saisie).status_code in (200, 404)
