"""Exigence 38 vue de la fiche : bloquer, suspendre les livraisons ou retenir ; exporté ; levé par un responsable."""

from datetime import timedelta

import pytest
from django.urls import reverse

from clients.models import BlocageCommandes

pytestmark = pytest.mark.django_db


def poser(navigateur, client, **saisie):
    return navigateur.post(reverse("clients:geste", args=[client.pk, "bloquer"]), saisie)


@pytest.mark.parametrize(
    ("mesure", "detail"),
    [
        ("", "Chèque revenu"),
        ("commandes", "Chèque revenu"),
        ("livraison", "Suspendre les livraisons : Chèque revenu"),
        ("retention", "Retenir ce que nous détenons : Chèque revenu"),
    ],
)
def test_exigence_38_la_mesure_et_son_motif_se_lisent_sur_la_fiche_et_dans_l_export(
    client, connecte, belcourt, responsable, au, mesure, detail
):
    """Exigence 38 : drapeau posé par une personne, exportable, levable par un responsable avec motif."""
    assert poser(connecte, belcourt, mesure=mesure, motif="Chèque revenu").status_code == 303
    blocage = BlocageCommandes.objects.get()
    assert (blocage.motif, blocage.detail) == ("decision", detail)
    assert detail.replace("'", "&#x27;") in connecte.get(reverse("clients:fiche", args=[belcourt.pk])).content.decode()
    export = connecte.get(reverse("clients:blocages"), {"export": "csv"})
    assert detail in b"".join(export.streaming_content).decode()

    levee = reverse("clients:blocage_lever", args=[blocage.pk])
    saisie = {"motif": "Acompte reçu", "jusqu_au": f"{au + timedelta(9):%Y-%m-%d}"}
    assert connecte.post(levee, saisie).status_code == 403  # un gestionnaire ne lève pas
    client.force_login(responsable)
    client.post(levee, saisie | {"motif": ""})
    assert BlocageCommandes.objects.en_cours().exists()  # sans motif, rien n'est levé
    client.post(levee, saisie)
    blocage.refresh_from_db()
    assert (blocage.leve_motif, blocage.leve_par) == ("Acompte reçu", responsable)


@pytest.mark.parametrize(("mesure", "article"), [("livraison", "art. 1219"), ("retention", "art. 2286")])
def test_exigence_38_le_droit_se_lit_avant_d_enregistrer(connecte, belcourt, mesure, article):
    url = reverse("clients:effet", args=[belcourt.pk, "bloquer"])

    assert article in connecte.get(url, {"mesure": mesure, "motif": "x"}).content.decode()
    assert article not in connecte.get(url, {"mesure": "commandes", "motif": "x"}).content.decode()


def test_exigence_38_une_mesure_inventee_est_refusee(connecte, belcourt):
    assert poser(connecte, belcourt, mesure="saisie", motif="x").status_code == 422
    assert not BlocageCommandes.objects.exists()
