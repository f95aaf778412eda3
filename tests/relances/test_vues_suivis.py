"""Numéros de suivi et retours : contrôlés à la saisie, corrigés après le dépôt, jamais en silence (exigence 26)."""

# ruff: noqa: F811 - des fixtures reprises par leur nom

import pytest

from recouvrement.journal.models import Detail
from relances.services import postes, suivis
from relances.services.etats import Refus

from .postaux import MARDI, a_poster
from .test_vues_postes import (  # noqa: F401 - fixtures
    adresse,
    faire,
    poste,
    responsable,
    scan,
    societe,
    un_mardi,
    un_pdf,
)

pytestmark = pytest.mark.django_db


def test_un_numero_sans_forme_se_refuse_au_scan_sauf_derogation_motivee(client, responsable, societe):
    lot = faire(client, a_poster(societe, 1, par=responsable))
    url = adresse("lot_scanner", lot.pk)
    for saisi in ({}, {"hors_forme": "on"}, {"pourquoi": "porteur"}):
        assert client.post(url, {"numero": "xyz"} | saisi).status_code == 422, saisi
    assert lot.courriers.get().numero_suivi == ""
    client.post(url, {"numero": "xyz", "hors_forme": "on", "pourquoi": "porteur local"})
    assert lot.courriers.get().numero_suivi == "XYZ"
    assert "porteur local" in str(Detail.objects.get(maillon__action="courrier.suivi").donnees)


def test_un_numero_sans_forme_se_refuse_au_depot_d_un_seul_pli(client, responsable, societe):
    (courrier,) = a_poster(societe, 1, par=responsable)
    with pytest.raises(Refus, match="S10"):
        postes.poster(courrier, par=responsable, depose_le=MARDI, numero_suivi="xyz", au=MARDI)
    saisi = {"depose_le": "2026-02-10", "numero_suivi": "xyz", "hors_forme": "on", "pourquoi": "porteur local"}
    client.post(adresse("poster", courrier.pk), saisi)
    courrier.refresh_from_db()
    assert (courrier.statut, courrier.numero_suivi) == ("poste", "XYZ")


def test_un_numero_faux_se_corrige_apres_le_depot_avec_sa_trace(client, responsable, poste):
    url = adresse("suivi_corriger", poste.pk)
    assert client.post(url, {"numero": "2C12345678902"}).status_code == 422  # sans motif
    client.post(url, {"numero": "xyz", "motif": "mauvaise étiquette"})
    poste.refresh_from_db()
    assert poste.numero_suivi == "2C12345678901"
    client.post(url, {"numero": "2C12345678902", "motif": "mauvaise étiquette"})
    poste.refresh_from_db()
    assert poste.numero_suivi == "2C12345678902"
    html = client.get(adresse("courrier", poste.pk)).content.decode()
    assert "2C 123 456 7890 1 → 2C 123 456 7890 2 : mauvaise étiquette" in html
    with pytest.raises(Refus, match="déjà"):
        suivis.corriger(poste, numero="2C12345678902", motif="encore", par=responsable)


@pytest.mark.parametrize("retour", ["non_reclame", "refuse"])
def test_sans_presentation_un_pli_refuse_ou_non_reclame_ne_s_enregistre_pas(client, poste, retour):
    """droit.md § 17 : sa réception en dépend."""
    saisi = {"retour": retour, "retour_le": "2026-02-10"}
    client.post(adresse("retour", poste.pk), saisi)
    assert "quand il fut présenté" in client.get(adresse("courrier", poste.pk)).content.decode()
    reponse = client.post(adresse("retours_chaine"), saisi | {"numero": "2C12345678901"})
    assert reponse.status_code == 422 and "quand il fut présenté" in reponse.content.decode()
    poste.refresh_from_db()
    assert poste.retour == ""


@pytest.mark.parametrize(("presente", "averti"), [("2026-02-10", True), ("2026-02-11", False)])
def test_un_non_reclame_revenu_avant_quinze_jours_avertit(
    client,
    responsable,
    poste,
    time_machine,
    presente,
    averti,
):
    time_machine.move_to("2026-02-26 09:00 +0100", tick=False)
    client.force_login(responsable)
    le = "2026-02-24" if averti else "2026-02-26"
    saisi = {"retour": "non_reclame", "retour_le": le, "presente_le": presente}
    client.post(adresse("retour", poste.pk), saisi)
    poste.refresh_from_db()
    assert poste.retour == "non_reclame"
    assert ("quinze jours après" in client.get(adresse("courrier", poste.pk)).content.decode()) is averti


def test_la_presentation_et_l_avis_manquants_se_demandent_sur_la_fiche(client, poste):
    postes.consigner_retour(poste, par=None, retour="refuse", retour_le=MARDI, au=MARDI)  # relevé chez un prestataire
    html = client.get(adresse("courrier", poste.pk)).content.decode()
    assert "Saisir la présentation" in html and "Joindre l’avis" in html
    client.post(adresse("presenter", poste.pk), {"presente_le": "2026-02-10"})
    assert client.post(adresse("avis", poste.pk), {}).status_code == 422
    client.post(adresse("avis", poste.pk), {"scan": scan(un_pdf())})
    poste.refresh_from_db()
    assert poste.presente_le == MARDI and poste.avis_empreinte
    html = client.get(adresse("courrier", poste.pk)).content.decode()
    assert "Saisir la présentation" not in html and "Joindre l’avis" not in html


# --- Le jour du dépôt -------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("aujourdhui", "propose", "vieillie"),
    [("2026-02-12", "2026-02-12", False), ("2026-02-15", "2026-02-13", True), ("2026-02-13", "2026-02-13", True)],
)
def test_un_dimanche_propose_le_jour_ouvre_et_une_lettre_vieillie_se_dit(
    client,
    responsable,
    societe,
    time_machine,
    aujourdhui,
    propose,
    vieillie,
):
    """Datée du mardi 10 : jeudi est le deuxième jour ouvré, vendredi le troisième."""
    lot = faire(client, a_poster(societe, 1, par=responsable))
    time_machine.move_to(f"{aujourdhui} 09:00 +0100", tick=False)
    client.force_login(responsable)
    html = client.get(adresse("lot", lot.pk)).content.decode()
    assert f'value="{propose}"' in html
    assert ("Refaire à la date du jour" in html) is vieillie


def test_refaire_une_lettre_vieillie_la_sort_du_lot(client, responsable, societe, time_machine):
    lot = faire(client, a_poster(societe, 1, par=responsable))
    time_machine.move_to("2026-02-16 09:00 +0100", tick=False)
    client.force_login(responsable)
    for _ in range(2):  # un double clic ne refait rien
        client.post(adresse("lot_refaire", lot.pk))
    courrier = lot.plis.get().courrier
    assert (courrier.statut, courrier.lot_postal) == ("a_envoyer", None)
    html = client.get(adresse("ce_soir"), {"v": "poster"}).content.decode()
    assert "1 lettre en préparation" in html and str(courrier.client) in html
    assert str(courrier.client) not in client.get(adresse("ce_soir"), {"v": "envoye"}).content.decode()


def test_un_depot_tardif_s_enregistre_et_avertit(client, responsable, societe, time_machine):
    (courrier,) = a_poster(societe, 1, par=responsable)
    time_machine.move_to("2026-02-16 09:00 +0100", tick=False)
    client.force_login(responsable)
    saisi = {"depose_le": "2026-02-16", "numero_suivi": "2C12345678901"}
    html = client.post(adresse("poster", courrier.pk), saisi, follow=True).content.decode()
    assert "date limite est raccourcie" in html
    courrier.refresh_from_db()
    assert courrier.statut == "poste"
