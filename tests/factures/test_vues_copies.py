"""Copies de factures : type vérifié au contenu, rangées par empreinte, retirables tant que rien ne les porte."""

from datetime import date
from io import BytesIO

import pytest
from django.core.files.uploadedfile import SimpleUploadedFile
from django.db import connection
from django.test.utils import CaptureQueriesContext
from django.urls import reverse
from pypdf import PdfWriter

from factures.models import CopieFacture
from factures.services import copies
from recouvrement.comptes.models import Role
from recouvrement.journal.models import Maillon
from relances.models import Courrier
from tests.clients.factories import ClientFactory
from tests.comptes.factories import SocieteFactory, UtilisateurFactory
from tests.contentieux.factories import CourrierEnvoyeFactory

from .factories import EcheanceFactory

pytestmark = pytest.mark.django_db


def un_pdf(pages=1) -> bytes:
    ecrit, sortie = PdfWriter(), BytesIO()
    for _page in range(pages):
        ecrit.add_blank_page(595, 842)
    ecrit.write(sortie)
    return sortie.getvalue()


def fichier(nom="facture.pdf", octets=None, mime="application/pdf"):
    return SimpleUploadedFile(nom, un_pdf() if octets is None else octets, mime)


def texte(reponse) -> str:
    return reponse.content.decode().replace("\u00a0", " ")


@pytest.fixture
def depot(settings, tmp_path):
    settings.DEPOT = tmp_path / "depot"
    return settings.DEPOT


@pytest.fixture
def facture(depot):
    return EcheanceFactory(echue_le=date(2026, 1, 31)).facture


@pytest.fixture
def claire(client, facture):
    user = UtilisateurFactory(societe=facture.societe, role=Role.RESPONSABLE)
    client.force_login(user)
    return user


def deposer(navigateur, facture, *fichiers):
    return navigateur.post(reverse("factures:copies", args=[facture.pk]), {"fichiers": list(fichiers)}, follow=True)


def test_un_pdf_depose_se_range_se_montre_et_se_telecharge_octet_pour_octet(client, claire, facture):
    octets = un_pdf(2)
    page = texte(deposer(client, facture, fichier("F 12.pdf", octets)))
    copie = CopieFacture.objects.get()
    assert (copie.facture, copie.pages, copie.taille, copie.ajoutee_par) == (facture, 2, len(octets), claire)
    assert "F 12.pdf" in page and "2 pages" in page
    recu = client.get(reverse("factures:copie", args=[copie.pk]))
    assert recu.content == octets
    assert recu.headers["Content-Disposition"] == 'attachment; filename="F 12.pdf"'
    assert Maillon.objects.filter(action="copie.deposee", client_id=facture.client_id).count() == 1


def test_le_meme_pdf_ne_fait_qu_une_copie(client, claire, facture):
    octets = un_pdf()
    for _clic in range(2):
        deposer(client, facture, fichier(octets=octets), fichier("autre-nom.pdf", octets))
    assert CopieFacture.objects.count() == 1
    assert Maillon.objects.filter(action="copie.deposee").count() == 1


@pytest.mark.parametrize(
    ("nom", "octets", "mot"),
    [
        ("facture.pdf", b"bonjour", "n&#x27;en est pas un"),
        ("facture.pdf", b"%PDF-1.7 coupe", "abîmé"),
        ("facture.pdf", b"", "vide"),
        ("facture.pdf", b"MZ\x90\x00", "n&#x27;en est pas un"),
        ("facture.pdf", b"%PDF-" + b"0" * (copies.TAILLE_MAX + 1), "dépasse 10 Mo"),
        ("facture.exe", None, ""),  # le contenu fait foi, pas le nom
    ],
    ids=["texte", "coupé", "vide", "programme", "trop gros", "nom trompeur"],
)
def test_le_type_se_verifie_au_contenu(client, claire, facture, nom, octets, mot):
    page = texte(deposer(client, facture, fichier(nom, octets)))
    assert mot in page
    assert CopieFacture.objects.exists() is (octets is None)


def test_une_image_n_est_pas_une_copie_de_facture(client, claire, facture):
    from PIL import Image

    sortie = BytesIO()
    Image.new("RGB", (4, 4)).save(sortie, "PNG")
    assert "est un PDF" in texte(deposer(client, facture, fichier("f.pdf", sortie.getvalue())))


def test_une_facture_garde_dix_copies_au_plus(client, claire, facture):
    deposer(client, facture, *(fichier(f"{n}.pdf", un_pdf(n)) for n in range(1, 12)))
    assert CopieFacture.objects.count() == 10


def test_sans_fichier_rien_ne_se_passe(client, claire, facture):
    assert deposer(client, facture).status_code == 200
    assert not CopieFacture.objects.exists()


def test_retirer_puis_un_double_clic(client, claire, facture):
    deposer(client, facture, fichier())
    copie = CopieFacture.objects.get()
    url = reverse("factures:copie_retirer", args=[copie.pk])
    assert client.post(url).status_code == 303
    assert client.post(url).status_code == 404
    assert Maillon.objects.filter(action="copie.retiree").count() == 1


def test_une_copie_partie_avec_un_courrier_reste_au_dossier(client, claire, facture):
    deposer(client, facture, fichier())
    copie = CopieFacture.objects.get()
    courrier = CourrierEnvoyeFactory([facture.echeances.get()], nature=4)
    jointe = {"nom": copie.nom, "chemin": copie.chemin, "empreinte": copie.empreinte}
    Courrier.objects.filter(pk=courrier.pk).update(jointes=[jointe])
    page = texte(client.post(reverse("factures:copie_retirer", args=[copie.pk]), follow=True))
    assert "elle reste au dossier" in page
    assert "Retirer<" not in page
    assert CopieFacture.objects.count() == 1


def test_un_fichier_altere_se_dit_au_lieu_de_se_donner(client, claire, facture, depot):
    deposer(client, facture, fichier())
    copie = CopieFacture.objects.get()
    range_ = depot / copie.chemin
    range_.chmod(0o600)
    range_.write_bytes(b"autre")
    assert "ne correspond plus" in texte(client.get(reverse("factures:copie", args=[copie.pk]), follow=True))


def test_plusieurs_a_la_fois_par_nom_de_fichier_et_chaque_sort_se_dit(client, claire, facture):
    autre = EcheanceFactory(client=facture.client).facture
    envoi = [
        fichier(f"Facture {facture.numero}.pdf"), fichier(f"{autre.numero}.pdf", un_pdf(3)), fichier("scan.pdf"),
        fichier(f"{facture.numero} {autre.numero}.pdf"), fichier(f"{autre.numero}-bis.pdf", b"abc"),
    ]  # fmt: skip
    page = texte(client.post(reverse("factures:copies_client", args=[facture.client_id]), {"fichiers": envoi}))
    assert {c.facture: c.pages for c in CopieFacture.objects.all()} == {facture: 1, autre: 3}
    for mot in ("aucun numéro de facture", "deux factures répondent", "n&#x27;en est pas un"):
        assert mot in page


def test_la_facture_d_un_autre_client_ne_se_reconnait_pas(client, claire, facture):
    ailleurs = EcheanceFactory(client=ClientFactory(societe=facture.societe)).facture
    client.post(
        reverse("factures:copies_client", args=[facture.client_id]), {"fichiers": [fichier(f"{ailleurs.numero}.pdf")]}
    )
    assert not CopieFacture.objects.exists()


def test_plus_de_vingt_fichiers_se_refusent(client, claire, facture):
    trop = [fichier(f"{n}.pdf") for n in range(21)]
    reponse = client.post(reverse("factures:copies_client", args=[facture.client_id]), {"fichiers": trop})
    assert reponse.status_code == 422
    assert not CopieFacture.objects.exists()


def test_exigence_39_le_lecteur_lit_et_ne_depose_pas_l_etranger_ne_trouve_rien(client, claire, facture):
    deposer(client, facture, fichier())
    url = reverse("factures:copie", args=[CopieFacture.objects.get().pk])
    client.force_login(UtilisateurFactory(societe=facture.societe, role=Role.LECTEUR))
    assert client.get(url).status_code == 200
    assert deposer(client, facture, fichier()).status_code == 403
    page = texte(client.get(reverse("factures:fiche", args=[facture.pk])))
    assert "Déposer le PDF" not in page and "Retirer" not in page
    client.force_login(UtilisateurFactory(societe=SocieteFactory(), role=Role.ADMINISTRATEUR))
    assert client.get(url).status_code == 404
    assert deposer(client, facture, fichier()).status_code == 404


def test_la_fiche_de_la_facture_coute_le_meme_prix_avec_dix_copies(client, claire, facture):
    def compter():
        with CaptureQueriesContext(connection) as requetes:
            assert client.get(reverse("factures:fiche", args=[facture.pk])).status_code == 200
        return len(requetes)

    deposer(client, facture, fichier())
    une = compter()
    deposer(client, facture, *(fichier(f"{n}.pdf", un_pdf(n)) for n in range(2, 10)))
    assert compter() == une


def test_la_fiche_offre_d_exclure_et_de_reintegrer_sans_quitter_la_facture(client, claire, facture):
    from factures.services.exclusions import exclure
    from recouvrement.commun.horloge import aujourd_hui

    url = reverse("factures:fiche", args=[facture.pk])
    piece = facture.echeances.get()
    assert f"volet=exclure&amp;piece={piece.pk}" in texte(client.get(url))
    au = aujourd_hui()
    exclusion = exclure(piece, motif="Avoir promis", du=au, au=au, acteur=claire)
    page = texte(client.get(url))
    assert "Avoir promis" in page and "volet=exclure" not in page
    reponse = client.post(reverse("clients:reintegrer", args=[facture.client_id, exclusion.pk]), {"retour": "facture"})
    assert reponse.url == url
