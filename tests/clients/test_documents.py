"""Documents d'un client : joints, reconnus à leur contenu, vus sans risque, retirés, remis ; et ce qui est hostile."""

from io import BytesIO
from zipfile import ZipFile

import pytest
from django.core.files.uploadedfile import SimpleUploadedFile
from django.db import connection
from django.test.utils import CaptureQueriesContext
from django.urls import reverse
from PIL import Image

from clients import documents
from clients.models import Document
from recouvrement.comptes.models import Role
from recouvrement.journal.models import Maillon
from tests.clients.factories import ClientFactory, DocumentFactory
from tests.commun.test_fichiers import pdf
from tests.comptes.factories import UtilisateurFactory

pytestmark = pytest.mark.django_db


def image(format_="PNG", couleur="red") -> bytes:
    sortie = BytesIO()
    Image.new("RGB", (40, 30), couleur).save(sortie, format_)
    return sortie.getvalue()


def archive() -> bytes:
    sortie = BytesIO()
    with ZipFile(sortie, "w") as z:
        z.writestr("facture.pdf", pdf())
    return sortie.getvalue()


@pytest.fixture
def depot_ici(settings, tmp_path):
    settings.DEPOT = tmp_path / "depot"


@pytest.fixture
def debiteur(societe, gestionnaire, au, depot_ici):
    return ClientFactory(societe=societe, gestionnaire=gestionnaire)


def joindre(navigateur, debiteur, *fichiers, **champs):
    envoyes = [SimpleUploadedFile(nom, octets) for nom, octets in fichiers]
    url = reverse("clients:documents", args=[debiteur.pk])
    return navigateur.post(url, {"fichiers": envoyes} | champs, follow=True)


def onglet(navigateur, debiteur):
    return navigateur.get(reverse("clients:fiche", args=[debiteur.pk]), {"o": "documents"})


def messages_de(reponse) -> str:
    return " ".join(str(m) for m in reponse.context["messages"])


# --- Ce qui marche -------------------------------------------------------------------------------


def test_joindre_deux_fichiers_les_montre_et_le_journal_le_sait(connecte, debiteur):
    page = joindre(connecte, debiteur, ("Bon de livraison.pdf", pdf()), ("photo.png", image()), titre="Chantier")

    assert "2 documents joints." in messages_de(page)
    assert set(Document.objects.values_list("nom", "type_mime")) == {
        ("Bon de livraison.pdf", "application/pdf"),
        ("photo.png", "image/png"),
    }
    assert page.content.decode().count("Chantier") == 2
    assert Maillon.objects.filter(action="document.ajoute", client_id=debiteur.pk).count() == 2


def test_le_meme_contenu_ne_se_joint_pas_deux_fois(connecte, debiteur):
    joindre(connecte, debiteur, ("a.pdf", pdf()))
    page = joindre(connecte, debiteur, ("b.pdf", pdf()))

    assert "déjà joint" in messages_de(page)
    assert Document.objects.count() == 1


def test_retirer_se_defait_dans_les_dix_secondes(connecte, debiteur):
    joindre(connecte, debiteur, ("a.pdf", pdf()))
    document = Document.objects.get()
    retrait = reverse("clients:document_retirer", args=[debiteur.pk, document.pk])
    page = connecte.post(retrait, follow=True)

    remise = reverse("clients:document_remettre", args=[debiteur.pk, document.pk])
    assert f"annuler={remise}" in next(iter(page.context["messages"])).extra_tags
    assert page.context["documents"].total == 0
    assert connecte.post(remise, follow=True).context["documents"].total == 1
    assert "déjà sur la fiche" in messages_de(connecte.post(remise, follow=True))
    actions = Maillon.objects.filter(action__startswith="document.").order_by("rang").values_list("action", flat=True)
    assert list(actions) == ["document.ajoute", "document.retire", "document.remis"]


def test_telecharger_ne_s_ouvre_jamais_dans_la_page(connecte, debiteur):
    joindre(connecte, debiteur, ("Été « reçu ».pdf", pdf()))
    document = Document.objects.get()
    reponse = connecte.get(reverse("clients:document", args=[debiteur.pk, document.pk]))

    assert reponse.content == pdf()
    assert reponse["Content-Disposition"].startswith("attachment;")
    assert (reponse["X-Content-Type-Options"], reponse["Content-Type"]) == ("nosniff", "application/pdf")
    assert "sandbox" in reponse["Content-Security-Policy"]


def test_l_apercu_d_un_pdf_est_une_image_dessinee_par_le_serveur(connecte, debiteur):
    joindre(connecte, debiteur, ("a.pdf", pdf()), ("b.jpg", image("JPEG")))
    du_pdf, de_l_image = (
        connecte.get(reverse("clients:document_apercu", args=[debiteur.pk, d.pk]))
        for d in Document.objects.order_by("nom")
    )

    assert du_pdf["Content-Type"] == "image/png" and du_pdf.content.startswith(b"\x89PNG")
    assert de_l_image["Content-Type"] == "image/jpeg" and de_l_image.content == image("JPEG")
    assert "default-src 'none'" in du_pdf["Content-Security-Policy"]
    page_9 = reverse("clients:document_apercu", args=[debiteur.pk, Document.objects.get(nom="a.pdf").pk])
    assert connecte.get(page_9, {"page": "9"}).status_code == 404


def test_un_fichier_absent_du_depot_le_dit(connecte, debiteur):
    perdu = DocumentFactory(client=debiteur)
    for route in ("clients:document", "clients:document_apercu"):
        page = connecte.get(reverse(route, args=[debiteur.pk, perdu.pk]), follow=True)
        assert "manque au dépôt" in messages_de(page)


# --- Ce qui ment ou déborde -----------------------------------------------------------------------


@pytest.mark.parametrize(
    ("nom", "octets", "phrase"),
    [
        ("facture.pdf", b"<html><script>alert(1)</script></html>", "n'en est pas un"),
        ("facture.pdf", archive(), "n'en est pas un"),
        ("facture.pdf", image(), "contient une image"),
        ("photo.png", pdf(), "contient un PDF"),
        ("photo.svg", b"<svg onload='alert(1)'/>", "n'en est pas un"),
        ("vide.pdf", b"", "vide"),
        ("coupe.pdf", pdf()[:60], "abîmé"),
        ("bombe.png", image()[:40], "abîmée"),
    ],
    ids=["html", "zip", "image-dite-pdf", "pdf-dit-image", "svg", "vide", "tronque", "image-tronquee"],
)  # fmt: skip
def test_un_type_menti_est_refuse_clairement_et_les_autres_entrent(connecte, debiteur, nom, octets, phrase):
    page = joindre(connecte, debiteur, (nom, octets), ("bon.png", image()))

    assert phrase in messages_de(page) and nom in messages_de(page)
    assert list(Document.objects.values_list("nom", flat=True)) == ["bon.png"]


def test_trente_et_un_mega_octets_sont_refuses_avec_la_limite(connecte, debiteur):
    page = joindre(connecte, debiteur, ("gros.pdf", b"%PDF-" + b"0" * 31 * 1024 * 1024))

    assert "gros.pdf" in messages_de(page) and "dépasse 15 Mo" in messages_de(page)
    assert not Document.objects.exists()


def test_vingt_et_un_fichiers_a_la_fois_sont_refuses_ensemble(connecte, debiteur):
    page = joindre(connecte, debiteur, *((f"{n}.png", image(couleur=(n, 0, 0))) for n in range(21)))

    assert "20 fichiers au plus" in messages_de(page)
    assert not Document.objects.exists()


def test_un_formulaire_sans_fichier_le_dit(connecte, debiteur):
    page = connecte.post(reverse("clients:documents", args=[debiteur.pk]), {}, follow=True)

    assert page.status_code == 200 and messages_de(page)


@pytest.mark.parametrize(
    ("nom", "range_"),
    [
        ("facture\u202efdp.exe", "facture fdp.exe.png"),
        ("../../etc/passwd", "passwd.png"),
        ("C:\\temp\\photo.PNG", "photo.PNG"),
        ("photo.jpg", "photo.png"),
        ("", "fichier.png"),
        ("فاتورة.png", "فاتورة.png"),
        ("x" * 300 + ".png", "x" * 140 + ".png"),
        ("<b>gras</b>.png", "b .png"),
        ("ligne\nneuve.png", "ligne neuve.png"),
    ],
)
def test_le_nom_range_n_a_ni_chemin_ni_caractere_cache_et_son_extension_est_vraie(debiteur, nom, range_):
    document, _neuf = documents.ajouter_document(debiteur, octets=image(), nom=nom)

    assert document.nom == range_


def test_un_nom_et_un_titre_hostiles_se_montrent_echappes(connecte, debiteur):
    joindre(connecte, debiteur, ("a.pdf", pdf()), titre="<script>x</script> شركة")
    page = onglet(connecte, debiteur).content.decode()

    assert "<script>x" not in page
    assert "<bdi>&lt;script&gt;x&lt;/script&gt; شركة</bdi>" in page


# --- Qui peut quoi, à quel prix --------------------------------------------------------------------


def test_le_voisin_ne_trouve_rien_et_le_lecteur_ne_joint_pas(client, debiteur, voisin, societe, connecte):
    joindre(connecte, debiteur, ("a.pdf", pdf()))
    document = Document.objects.get()
    client.force_login(voisin)
    for route in ("document", "document_apercu"):
        assert client.get(reverse(f"clients:{route}", args=[debiteur.pk, document.pk])).status_code == 404
    assert client.post(reverse("clients:document_retirer", args=[debiteur.pk, document.pk])).status_code == 404
    client.force_login(UtilisateurFactory(societe=societe, role=Role.LECTEUR))
    assert client.get(reverse("clients:document", args=[debiteur.pk, document.pk])).status_code == 200
    assert client.post(reverse("clients:documents", args=[debiteur.pk])).status_code == 403
    assert "data-documents" not in onglet(client, debiteur).content.decode()


def test_le_document_d_un_autre_client_ne_se_lit_pas_sous_celui_ci(connecte, debiteur, societe, gestionnaire):
    autre = DocumentFactory(client=ClientFactory(societe=societe, gestionnaire=gestionnaire))

    assert connecte.get(reverse("clients:document", args=[debiteur.pk, autre.pk])).status_code == 404


def test_un_get_ne_joint_ni_ne_retire(connecte, debiteur):
    document = DocumentFactory(client=debiteur)
    for route, args in (
        ("documents", [debiteur.pk]),
        ("document_retirer", [debiteur.pk, document.pk]),
        ("document_remettre", [debiteur.pk, document.pk]),
    ):
        assert connecte.get(reverse(f"clients:{route}", args=args)).status_code == 405


def test_vingt_documents_coutent_autant_de_requetes_qu_un(connecte, debiteur):
    DocumentFactory(client=debiteur)

    def compter():
        with CaptureQueriesContext(connection) as lues:
            onglet(connecte, debiteur)
        return len(lues)

    compter()
    un = compter()
    for _ in range(19):
        DocumentFactory(client=debiteur)
    assert compter() == un


def test_sans_document_l_onglet_dit_quoi_y_mettre(connecte, debiteur):
    assert "Aucun document" in onglet(connecte, debiteur).content.decode()
