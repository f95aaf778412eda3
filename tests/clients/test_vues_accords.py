"""Accords à l'écran : proposer, lire, envoyer, signer, refuser, régler les bornes (exigence 32)."""

from datetime import date
from decimal import Decimal

import pytest
from django.core.files.uploadedfile import SimpleUploadedFile
from django.db import connection
from django.test.utils import CaptureQueriesContext
from django.urls import reverse
from pypdf import PdfWriter
from time_machine import travel

from factures.domaine.accords import repartir
from factures.models import Accord, Echeancier, ReglageAccords
from recouvrement.comptes.models import Role
from relances.models import Message
from relances.services import accords, accords_pdf
from tests.clients.factories import ClientFactory
from tests.comptes.factories import UtilisateurFactory
from tests.factures.factories import EcheanceFactory

pytestmark = pytest.mark.django_db
AU = date(2026, 11, 20)
D = Decimal


@pytest.fixture(autouse=True)
def maintenant(monkeypatch):
    monkeypatch.setattr(accords_pdf, "apercevoir", lambda accord: f"%PDF-1.4 {accord.reference}".encode())
    with travel("2026-11-20 10:00 +0100", tick=False):
        yield


@pytest.fixture
def belcourt(claire):
    return ClientFactory(societe=claire.affectations.get().societe, gestionnaire=claire)


@pytest.fixture
def claire():
    return UtilisateurFactory()


@pytest.fixture
def rene(belcourt):
    return UtilisateurFactory(societe=belcourt.societe, role=Role.RESPONSABLE)


@pytest.fixture
def pieces(belcourt):
    return [EcheanceFactory(client=belcourt, montant=m) for m in (600, 300)]


@pytest.fixture
def ecran(client, claire):
    client.force_login(claire)
    return client


def proposer(belcourt, pieces, acteur, **termes):
    termes = {"mensualites": repartir(sum(e.reste_du for e in pieces), 3, date(2026, 12, 4))} | termes
    return accords.proposer(belcourt, genre="echeancier", echeances=pieces, termes=termes, au=AU, acteur=acteur)


def adresse(belcourt, genre="echeancier", pieces=(), **champs):
    champs = {"genre": genre, "voir": "1", "nombre": "3", "premiere": "2026-12-04", "clause_decheance": "on"} | champs
    qs = "&".join([f"{k}={v}" for k, v in champs.items()] + [f"pieces={e.pk}" for e in pieces])
    return f"{reverse('clients:accord_nouveau', args=[belcourt.pk])}?{qs}"


def saisie(termes, **champs):
    champs |= {"cle": "k1", "m-TOTAL_FORMS": len(termes), "m-INITIAL_FORMS": len(termes)}
    for n, (le, montant) in enumerate(termes):
        champs |= {f"m-{n}-due_le": le, f"m-{n}-montant": montant}
    return champs


MENSUALITES = [("2026-12-04", "300"), ("2027-01-04", "300"), ("2027-02-04", "300")]


@pytest.mark.parametrize("genre", ["echeancier", "remise", "escompte", "compensation", "novation"])
def test_chaque_genre_s_ouvre_avec_ses_champs(ecran, belcourt, pieces, genre):
    page = ecran.get(reverse("clients:accord_nouveau", args=[belcourt.pk]), {"genre": genre}).content.decode()
    assert "Proposer un accord" in page and pieces[0].facture.numero in page


def test_exigence_32_proposer_a_l_ecran_dit_l_effet_puis_ecrit_une_fois(ecran, belcourt, pieces):
    """Exigence 32 : l'effet est dit avant d'enregistrer ; le formulaire renvoyé n'écrit qu'un accord."""
    url = adresse(belcourt, pieces=pieces)
    page = ecran.get(url).content.decode()
    assert "Ce que cela fera" in page and "900,00" in page and "prescription" in page
    assert not Accord.objects.exists()
    for _fois in range(2):
        reponse = ecran.post(url, saisie(MENSUALITES))
        assert reponse.status_code == 303
    accord = Accord.objects.get()
    assert reponse.url == reverse("clients:accord", args=[belcourt.pk, accord.pk])
    assert (accord.statut, accord.montant, accord.clause_decheance) == ("propose", 900, True)


def test_une_somme_fausse_revient_avec_son_ecart(ecran, belcourt, pieces):
    reponse = ecran.post(adresse(belcourt, pieces=pieces), saisie([*MENSUALITES[:2], ("2027-02-04", "299")]))
    assert reponse.status_code == 422 and "écart" in reponse.content.decode()
    assert not Accord.objects.exists()


def test_hors_des_bornes_l_ecran_annonce_le_responsable(ecran, belcourt, pieces):
    page = ecran.get(adresse(belcourt, pieces=pieces, nombre="8")).content.decode()
    assert "Demander l’accord d’un responsable" in page


@pytest.mark.parametrize(
    ("genre", "champs", "attendu"),
    [
        ("remise", {"remise": "100", "payer_avant": "2026-12-04"}, "800,00"),
        ("escompte", {"remise": "18", "payer_avant": "2026-12-04"}, "882,00"),
        (
            "compensation",
            {
                "creance_reference": "FR-8",
                "creance_montant": "400",
                "creance_exigible_le": "2026-11-01",
                "certaine": "on",
            },
            "500,00",
        ),
        ("novation", {"intention": "on"}, "dette nouvelle"),
    ],
)
def test_l_effet_de_chaque_genre_se_lit_avant_d_ecrire(ecran, belcourt, pieces, genre, champs, attendu):
    page = ecran.get(adresse(belcourt, genre, pieces, **champs)).content.decode()
    assert attendu in page.replace("\u00a0", " ")
    donnees = saisie(MENSUALITES) if genre == "novation" else {"cle": "k"}
    assert ecran.post(adresse(belcourt, genre, pieces, **champs), donnees).status_code == 303
    assert Accord.objects.get().genre == genre


@pytest.mark.parametrize(
    "champs",
    [
        {"genre": "x"}, {"nombre": "9999"}, {"nombre": "-1"}, {"premiere": "hier"}, {"capacite": "1e400"},
        {"redaction": "%00"}, {"nombre": "%00"},
    ],
)  # fmt: skip
def test_une_adresse_hostile_rend_une_page(ecran, belcourt, pieces, champs):
    assert ecran.get(adresse(belcourt, pieces=pieces, **champs)).status_code == 200
    assert ecran.get(adresse(belcourt, pieces=[], **champs)).status_code == 200


def test_toutes_les_pieces_sans_les_nommer(ecran, belcourt, pieces):
    assert ecran.post(adresse(belcourt, toutes="on"), saisie(MENSUALITES)).status_code == 303
    assert Accord.objects.get().echeances.count() == 2


def test_la_fiche_de_l_accord_et_son_pdf(ecran, belcourt, pieces, claire):
    accord = proposer(belcourt, pieces, claire)
    page = ecran.get(reverse("clients:accord", args=[belcourt.pk, accord.pk])).content.decode()
    assert accord.reference in page and "Envoyer à signer" in page and "Enregistrer la signature" in page
    pdf = ecran.get(reverse("clients:accord_pdf", args=[belcourt.pk, accord.pk]))
    assert pdf["Content-Type"] == "application/pdf" and pdf.content.startswith(b"%PDF")
    assert accord.reference in ecran.get(reverse("clients:fiche", args=[belcourt.pk])).content.decode()


def test_un_projet_se_lit_et_ne_se_signe_pas(ecran, belcourt, pieces, claire):
    accord = proposer(belcourt, pieces, claire, clause_decheance=False)
    page = ecran.get(reverse("clients:accord", args=[belcourt.pk, accord.pk])).content.decode()
    assert "Lire le projet" in page and "Un responsable décide" in page
    assert "Enregistrer la signature" not in page and "Approuver" not in page.replace("À approuver", "")


def test_un_responsable_approuve_ou_refuse(client, belcourt, pieces, claire, rene):
    accord = proposer(belcourt, pieces, claire, clause_decheance=False)
    client.force_login(claire)
    assert client.post(reverse("clients:accord_approuver", args=[belcourt.pk, accord.pk])).status_code == 403
    client.force_login(rene)
    assert client.post(reverse("clients:accord_approuver", args=[belcourt.pk, accord.pk])).status_code == 303
    accord.refresh_from_db()
    assert (accord.statut, accord.approuve_par) == ("propose", rene)
    assert client.post(reverse("clients:accord_refuser", args=[belcourt.pk, accord.pk])).status_code == 422
    client.post(reverse("clients:accord_refuser", args=[belcourt.pk, accord.pk]), {"motif": "Il préfère payer"})
    accord.refresh_from_db()
    assert accord.statut == "refuse"


def test_envoyer_a_signer_une_seule_fois_et_se_raviser(ecran, belcourt, pieces, claire):
    accord = proposer(belcourt, pieces, claire)
    url = reverse("clients:accord_envoyer", args=[belcourt.pk, accord.pk])
    ecran.post(url)
    ecran.post(url)
    message = Message.objects.get()
    assert (message.genre, message.accord, message.statut) == ("accord", accord, "a_envoyer")
    assert message.jointes[0]["empreinte"] == accord.pdf_empreinte and accord.reference in message.objet
    ecran.post(reverse("clients:accord_envoi_annuler", args=[belcourt.pk, accord.pk, message.pk]))
    message.refresh_from_db()
    assert message.statut == "annule"


def test_sans_adresse_l_envoi_le_dit(ecran, belcourt, pieces, claire):
    belcourt.courriel = ""
    belcourt.save()
    accord = proposer(belcourt, pieces, claire)
    reponse = ecran.post(reverse("clients:accord_envoyer", args=[belcourt.pk, accord.pk]), follow=True)
    assert "imprimez" in reponse.content.decode() and not Message.objects.exists()


def un_pdf():
    import io

    sortie, ecrit = io.BytesIO(), PdfWriter()
    ecrit.add_blank_page(200, 200)
    ecrit.write(sortie)
    return SimpleUploadedFile("signe.pdf", sortie.getvalue(), content_type="application/pdf")


def test_l_exemplaire_signe_donne_son_effet_et_se_relit(ecran, belcourt, pieces, claire):
    accord = proposer(belcourt, pieces, claire)
    url = reverse("clients:accord_signer", args=[belcourt.pk, accord.pk])
    assert ecran.post(url, {"nom": "A. Delorme", "le": "2026-11-20"}).status_code == 422
    faux = SimpleUploadedFile("signe.pdf", b"<html>", content_type="application/pdf")
    assert ecran.post(url, {"nom": "A. Delorme", "le": "2026-11-20", "exemplaire": faux}).status_code == 422
    assert not Echeancier.objects.exists()
    reponse = ecran.post(url, {"nom": "A. Delorme", "le": "2026-11-20", "exemplaire": un_pdf()})
    assert reponse.status_code == 303
    accord.refresh_from_db()
    assert accord.statut == "signe" and accord.exemplaire and Echeancier.objects.count() == 1
    recu = ecran.get(reverse("clients:accord_exemplaire", args=[belcourt.pk, accord.pk]))
    assert recu.content.startswith(b"%PDF") and recu["X-Content-Type-Options"] == "nosniff"
    page = ecran.get(reverse("clients:accord", args=[belcourt.pk, accord.pk])).content.decode()
    assert "A. Delorme" in page and accord.pdf_empreinte in page


def test_annuler_demande_un_motif(ecran, belcourt, pieces, claire):
    accord = proposer(belcourt, pieces, claire)
    url = reverse("clients:accord_annuler", args=[belcourt.pk, accord.pk])
    assert ecran.post(url).status_code == 422
    ecran.post(url, {"motif": "Proposé à tort"})
    accord.refresh_from_db()
    assert accord.statut == "annule"
    assert "déjà changé" in ecran.post(url, {"motif": "encore"}, follow=True).content.decode()


def test_l_accord_d_un_voisin_est_introuvable_et_un_get_ne_fait_rien(client, belcourt, pieces, claire):
    accord = proposer(belcourt, pieces, claire)
    autre = UtilisateurFactory(societe=belcourt.societe)
    client.force_login(autre)
    for nom in ("accord", "accord_pdf", "accord_exemplaire"):
        assert client.get(reverse(f"clients:{nom}", args=[belcourt.pk, accord.pk])).status_code == 404
    for nom in ("accord_annuler", "accord_signer", "accord_envoyer", "accord_refuser", "accord_sommer"):
        assert client.post(reverse(f"clients:{nom}", args=[belcourt.pk, accord.pk])).status_code == 404
        assert client.get(reverse(f"clients:{nom}", args=[belcourt.pk, accord.pk])).status_code == 405
    assert client.get(reverse("clients:accord_nouveau", args=[belcourt.pk])).status_code == 404


def test_la_liste_par_etat_sans_une_requete_de_plus(ecran, belcourt, claire):
    def compter():
        with CaptureQueriesContext(connection) as vues:
            page = ecran.get(reverse("clients:accords"), {"etat": "a_signer"})
        return len(vues), page.content.decode()

    proposer(belcourt, [EcheanceFactory(client=belcourt, montant=900)], claire)
    compter()
    avant, page = compter()
    assert "ACC-2026-" in page
    for _n in range(19):
        proposer(belcourt, [EcheanceFactory(client=belcourt, montant=900)], claire)
    apres, page = compter()
    assert avant == apres and page.count("ACC-2026-") == 20


def test_la_liste_vide_dit_ou_commencer(ecran):
    assert "Aucun accord ici" in ecran.get(reverse("clients:accords")).content.decode()


def test_un_administrateur_regle_les_bornes(client, belcourt):
    anne = UtilisateurFactory(societe=belcourt.societe, role=Role.ADMINISTRATEUR)
    client.force_login(anne)
    url = reverse("factures:reglage_accords")
    assert "Bornes des accords" in client.get(url).content.decode()
    champs = {
        "mensualites_max": 12, "mensualite_min": "100", "premiere_sous_jours": 20, "duree_max_jours": 380,
        "montant_max": "", "remise_max": "5", "penalites": "courent",
    }  # fmt: skip
    assert client.post(url, champs).status_code == 303
    garde = ReglageAccords.objects.get(societe=belcourt.societe)
    assert (garde.mensualites_max, garde.montant_max, garde.clause_decheance) == (12, None, False)
    for faux in ({"mensualites_max": 25}, {"remise_max": "100"}, {"mensualite_min": "0"}, {"penalites": "x"}):
        assert client.post(url, champs | faux).status_code == 422


def test_un_gestionnaire_ne_regle_rien(ecran):
    assert ecran.get(reverse("factures:reglage_accords")).status_code == 403
