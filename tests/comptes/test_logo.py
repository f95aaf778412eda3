"""Logo des lettres : image vérifiée, incorporée au PDF, réservée à l'administrateur."""

from io import BytesIO

import pytest
from django.core.files.uploadedfile import SimpleUploadedFile
from django.urls import reverse
from PIL import Image

from recouvrement.comptes.models import Role
from relances.services.preparation import emetteur
from tests.comptes.factories import SocieteFactory, UtilisateurFactory

pytestmark = pytest.mark.django_db


def png() -> bytes:
    sortie = BytesIO()
    Image.new("RGB", (40, 12), "navy").save(sortie, "PNG")
    return sortie.getvalue()


@pytest.fixture
def societe(settings, tmp_path):
    settings.DEPOT = tmp_path
    return SocieteFactory()


def deposer(client, societe, octets):
    fichier = {"image": SimpleUploadedFile("logo.png", octets)} if octets else {}
    return client.post(reverse("comptes:logo", args=[societe.pk]), fichier, follow=True)


def test_le_logo_depose_figure_dans_la_lettre_puis_se_retire(client, societe):
    client.force_login(UtilisateurFactory(role=Role.ADMINISTRATEUR, societe=societe))
    deposer(client, societe, png())
    societe.refresh_from_db()
    assert emetteur(societe).logo.startswith("data:image/png;base64,")
    assert client.get(reverse("comptes:logo_image", args=[societe.pk])).content == png()
    deposer(client, societe, b"")
    societe.refresh_from_db()
    assert (societe.logo, emetteur(societe).logo) == ("", "")


@pytest.mark.parametrize("octets", [b"%PDF-1.4 faux", b"<svg onload=alert(1)>", b"\x89PNG\r\n\x1a\n" + b"0" * 400_000])
def test_un_faux_logo_est_refuse_et_ne_change_rien(client, societe, octets):
    client.force_login(UtilisateurFactory(role=Role.ADMINISTRATEUR, societe=societe))
    assert deposer(client, societe, octets).status_code == 200
    societe.refresh_from_db()
    assert societe.logo == ""


def test_seul_un_administrateur_de_la_societe_le_change(client, societe):
    client.force_login(UtilisateurFactory(role=Role.RESPONSABLE, societe=societe))
    assert deposer(client, societe, png()).status_code == 403
    client.force_login(UtilisateurFactory(role=Role.ADMINISTRATEUR, societe=SocieteFactory()))
    assert deposer(client, societe, png()).status_code == 404
