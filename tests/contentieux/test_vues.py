"""Écrans du contentieux : ils marchent, le voisin a 404, la mauvaise méthode 405, les requêtes ne croissent pas."""

import io
import re
import zipfile
from datetime import date

import pytest
from django.core.files.uploadedfile import SimpleUploadedFile
from django.urls import reverse

from contentieux import services
from contentieux.models import DossierContentieux, Piece
from recouvrement.comptes.models import Role
from tests.comptes.factories import SocieteFactory, UtilisateurFactory
from tests.contentieux.factories import (
    AU,
    CourrierEnvoyeFactory,
    CreanceFactory,
    DebiteurFactory,
    DossierFactory,
    DossierPretFactory,
    pdf,
)

pytestmark = pytest.mark.django_db


@pytest.fixture(autouse=True)
def jour(monkeypatch):
    for module in ("liste", "fiche", "actions"):
        monkeypatch.setattr(f"contentieux.views.{module}.aujourd_hui", lambda: AU)


@pytest.fixture
def dossier():
    return DossierFactory(factures=1)


@pytest.fixture
def responsable(client, dossier):
    client.force_login(dossier.ouvert_par)
    return client


def routes(dossier) -> list[str]:
    args = [dossier.societe.code, dossier.reference]
    piece = dossier.pieces.exclude(chemin="").first()
    return [
        dossier.get_absolute_url(),
        reverse("contentieux:dossier", args=[dossier.pk]),
        reverse("contentieux:piece", args=[*args, piece.pk]),
        reverse("contentieux:decompte", args=args),
        reverse("contentieux:archive", args=args),
        reverse("contentieux:ouvrir", args=[dossier.client_id]),
    ]


def geste(dossier, nom, piece=None) -> str:
    url = reverse("contentieux:geste", args=[dossier.societe.code, dossier.reference, nom])
    return f"{url}?piece={piece.pk}" if piece else url


# --- Droits ----------------------------------------------------------------------------------------


def test_le_voisin_a_404_partout(client, dossier):
    autre = UtilisateurFactory(societe=SocieteFactory(), role=Role.RESPONSABLE)
    sans_portefeuille = UtilisateurFactory(societe=dossier.societe, role=Role.GESTIONNAIRE)
    for user in (autre, sans_portefeuille):
        client.force_login(user)
        for url in routes(dossier):
            assert client.get(url).status_code == 404, url
        assert client.post(geste(dossier, "clore"), {"issue": "x", "le": AU}).status_code == 404
        assert dossier.reference not in client.get(reverse("contentieux:liste")).content.decode()


def test_le_gestionnaire_voit_les_dossiers_de_son_portefeuille(client):
    societe = SocieteFactory()
    gestionnaire = UtilisateurFactory(societe=societe, role=Role.GESTIONNAIRE)
    dossier = DossierFactory(client=DebiteurFactory(societe=societe, gestionnaire=gestionnaire), factures=1)
    client.force_login(gestionnaire)
    assert client.get(dossier.get_absolute_url()).status_code == 200


def test_un_lecteur_lit_exporte_et_n_agit_pas(client, dossier):
    """Exigence 39."""
    client.force_login(UtilisateurFactory(societe=dossier.societe, role=Role.LECTEUR))
    page = client.get(dossier.get_absolute_url() + "?volet=clore").content.decode()
    assert "Clore le dossier" not in page and "Dossier ZIP" in page
    archive = client.get(reverse("contentieux:archive", args=[dossier.societe.code, dossier.reference]))
    assert archive.getvalue().startswith(b"PK")
    assert client.post(geste(dossier, "clore"), {"issue": "x", "le": AU}).status_code == 403
    assert client.get(reverse("contentieux:ouvrir", args=[dossier.client_id])).status_code == 403


def test_deux_societes_peuvent_avoir_la_meme_reference(client):
    un, deux = DossierFactory(factures=1), DossierFactory(factures=1)
    assert un.reference == deux.reference
    user = un.ouvert_par
    from tests.comptes.factories import AffectationFactory

    AffectationFactory(user, deux.societe, Role.RESPONSABLE)
    client.force_login(user)
    for dossier in (un, deux):
        assert dossier.client.raison_sociale in client.get(dossier.get_absolute_url()).content.decode()


@pytest.mark.parametrize("methode", ["put", "delete", "patch"])
def test_la_mauvaise_methode_a_405(responsable, dossier, methode):
    for url in [reverse("contentieux:liste"), *routes(dossier)]:
        assert getattr(responsable, methode)(url).status_code == 405, url
    assert responsable.get(geste(dossier, "clore")).status_code == 405
    for url in [reverse("contentieux:liste"), *routes(dossier)[:-1]]:
        assert responsable.post(url).status_code == 405, url


def test_sans_connexion_on_va_a_la_porte(client, dossier):
    assert client.get(dossier.get_absolute_url()).status_code == 302


# --- Liste -----------------------------------------------------------------------------------------


def test_la_liste_groupe_par_etape_et_dit_ce_qui_manque(responsable, dossier):
    page = responsable.get(reverse("contentieux:liste")).content.decode()
    assert dossier.reference in page and "En préparation" in page
    assert "3 pièces à joindre" in page
    assert "1 dossier en cours au 20/11/2026" in page


def test_la_liste_montre_la_date_a_ne_pas_manquer(responsable, dossier, monkeypatch):
    deposer(dossier)
    services.enregistrer_etape(
        dossier, "ordonnance", le=date(2026, 12, 14), par=dossier.ouvert_par, au=date(2027, 3, 5)
    )
    page = responsable.get(reverse("contentieux:liste")).content.decode()
    assert "14/03/2027" in page and "CPC, art. 1411" in page and "alert-triangle" not in page
    monkeypatch.setattr("contentieux.views.liste.aujourd_hui", lambda: date(2027, 3, 5))
    assert "alert-triangle" in responsable.get(reverse("contentieux:liste")).content.decode()


def deposer(dossier):
    DossierContentieux.objects.filter(pk=dossier.pk).update(requete_empreinte="0" * 64)
    services.enregistrer_etape(
        dossier, "depot_requete", le=date(2026, 11, 23), par=dossier.ouvert_par, au=date(2027, 3, 5)
    )


@pytest.mark.parametrize(
    ("parametres", "trouve"),
    [("q=CX-2026", True), ("q=inconnu", False), ("etat=clos", False), ("etat=preparation", True),
     ("gestionnaire=999999", False), ("gestionnaire=abc", True), ("tri=-principal", True), ("tri=secret", True),
     ("etat=inventé&page=zz", True)],
)  # fmt: skip
def test_les_filtres_viennent_de_l_adresse(responsable, dossier, parametres, trouve):
    page = responsable.get(f"{reverse('contentieux:liste')}?{parametres}").content.decode()
    assert (f">{dossier.reference}<" in page) is trouve


def test_htmx_recoit_le_seul_bloc_de_liste(responsable):
    page = responsable.get(reverse("contentieux:liste"), headers={"HX-Request": "true"}).content.decode()
    assert page.lstrip().startswith("<section") and "<html" not in page


def compter(client, url) -> int:
    from django.db import connection
    from django.test.utils import CaptureQueriesContext

    with CaptureQueriesContext(connection) as requetes:
        assert client.get(url).status_code == 200
    return len(requetes)


def test_la_liste_fait_autant_de_requetes_avec_un_ou_dix_dossiers(responsable, dossier):
    avant = compter(responsable, reverse("contentieux:liste"))
    for _n in range(9):
        DossierFactory(client=DebiteurFactory(societe=dossier.societe), factures=1)
    assert compter(responsable, reverse("contentieux:liste")) == avant


@pytest.mark.parametrize("onglet", ["pieces", "decompte", "prescription", "chronologie"])
def test_la_fiche_fait_autant_de_requetes_avec_une_ou_dix_factures(client, onglet):
    petit, grand = DossierFactory(factures=1), DossierFactory(factures=10)
    comptes = []
    for dossier in (petit, grand):
        client.force_login(dossier.ouvert_par)
        client.get(dossier.get_absolute_url())  # session et caches posés
        comptes.append(compter(client, f"{dossier.get_absolute_url()}?o={onglet}"))
    assert comptes[0] == comptes[1]


# --- Fiche -----------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("onglet", "attendu"),
    [
        ("pieces", "Bordereau des pièces"),
        ("decompte", "Décompte arrêté au 20/11/2026"),
        ("prescription", "Prescription par facture"),
        ("chronologie", "Dossier CX-2026-001 ouvert"),
        ("invente", "Bordereau des pièces"),
    ],
)
def test_la_fiche_et_ses_onglets(responsable, dossier, onglet, attendu):
    page = responsable.get(f"{dossier.get_absolute_url()}?o={onglet}").content.decode()
    assert attendu in page
    assert "3 mois après l’ordonnance" in page and "CPC, art. 1411" in page
    for interdit in ("éligible", "créance prescrite", "procédure recommandée", "huissier"):
        assert interdit not in page.lower()


def test_la_requete_reste_fermee_tant_qu_il_manque_un_point(responsable, dossier):
    page = responsable.get(dossier.get_absolute_url()).content.decode()
    assert 'aria-describedby="manques" disabled' in page
    assert "6 points sur 13." in page
    reponse = responsable.post(geste(dossier, "requete"))
    assert reponse.status_code == 422
    assert "Exposé des faits : À rédiger." in reponse.content.decode()


def test_un_dossier_complet_produit_sa_requete_en_un_geste(client):
    dossier = DossierPretFactory(factures=1)
    client.force_login(dossier.ouvert_par)
    page = client.get(dossier.get_absolute_url()).content.decode()
    assert "disabled" not in page.split("Préparer la requête")[0][-200:]
    assert client.post(geste(dossier, "requete")).status_code == 303
    reponse = client.get(reverse("contentieux:requete", args=[dossier.societe.code, dossier.reference]))
    assert reponse["Content-Type"] == "application/pdf" and reponse.content.startswith(b"%PDF-")


def test_sans_requete_produite_il_n_y_a_rien_a_voir(responsable, dossier):
    url = reverse("contentieux:requete", args=[dossier.societe.code, dossier.reference])
    assert responsable.get(url).status_code == 404


def test_le_zip_et_le_decompte_se_telechargent(responsable, dossier):
    args = [dossier.societe.code, dossier.reference]
    reponse = responsable.get(reverse("contentieux:archive", args=args))
    assert "CX-2026-001.zip" in reponse["Content-Disposition"]
    assert "chronologie.csv" in zipfile.ZipFile(io.BytesIO(reponse.getvalue())).namelist()
    assert responsable.get(reverse("contentieux:decompte", args=args)).content.startswith(b"%PDF-")


def test_une_piece_alteree_ne_sort_pas_et_la_fiche_le_dit(responsable, dossier, settings):
    piece = dossier.pieces.exclude(chemin="").first()
    (settings.DEPOT / piece.chemin).unlink()
    args = [dossier.societe.code, dossier.reference]
    for url in (reverse("contentieux:piece", args=[*args, piece.pk]), reverse("contentieux:archive", args=args)):
        reponse = responsable.get(url, follow=True)
        assert reponse.redirect_chain[-1][0] == dossier.get_absolute_url()


def test_une_piece_d_un_autre_dossier_ne_se_lit_pas_par_celui_ci(responsable, dossier):
    autre = DossierFactory(factures=1)
    piece = autre.pieces.exclude(chemin="").first()
    url = reverse("contentieux:piece", args=[dossier.societe.code, dossier.reference, piece.pk])
    assert responsable.get(url).status_code == 404
    assert responsable.post(geste(dossier, "deplacer", piece), {"vers": 1}).status_code == 404


# --- Gestes ------------------------------------------------------------------------------------------


def fichier(octets=None, nom="contrat.pdf"):
    return SimpleUploadedFile(nom, pdf() if octets is None else octets, content_type="application/pdf")


def test_joindre_une_piece_par_l_ecran(responsable, dossier):
    piece = dossier.pieces.get(genre=Piece.Genre.CONTRAT)
    page = responsable.get(f"{dossier.get_absolute_url()}?volet=joindre&piece={piece.pk}").content.decode()
    assert 'enctype="multipart/form-data"' in page
    reponse = responsable.post(geste(dossier, "joindre", piece), {"fichier": fichier(), "jour": "2026-01-12"})
    assert reponse.status_code == 303
    piece.refresh_from_db()
    assert piece.chemin and piece.date == date(2026, 1, 12)


def test_un_faux_pdf_revient_avec_sa_raison(responsable, dossier):
    piece = dossier.pieces.get(genre=Piece.Genre.CONTRAT)
    reponse = responsable.post(geste(dossier, "joindre", piece), {"fichier": fichier(b"<html>", "contrat.pdf")})
    assert reponse.status_code == 422
    assert "un PNG ou un JPEG" in reponse.content.decode()


GESTES_SIMPLES = {
    "mentions": {"vu": "", "debiteur_representant": "Agathe Delorme", "expose": "Les faits."},
    "juridiction": {"vu": "", "juridiction": "tae", "tribunal": "tribunal de Lyon", "competence_relue": "on"},
    "decompte": {"arrete_au": "2026-11-20"},
    "actualiser": {},
    "frais": {"libelle": "Greffe", "montant": "33,47", "le": "2026-11-20", "a_confirmer": "on"},
    "interruption": {"acte": "reconnaissance", "jour": "2026-11-02"},
    "nature": {"nature_creance": "transport"},
    "prescription-relue": {},
    "clore": {"issue": "Payé", "le": "2026-11-20", "reprendre_les_relances": "on"},
}


@pytest.mark.parametrize("nom", GESTES_SIMPLES)
def test_chaque_geste_s_ouvre_se_joue_et_revient_a_la_fiche(responsable, dossier, nom):
    donnees = dict(GESTES_SIMPLES[nom])
    if "vu" in donnees:
        donnees["vu"] = dossier.updated_at.isoformat()
    assert responsable.get(f"{dossier.get_absolute_url()}?volet={nom}").status_code == 200
    reponse = responsable.post(geste(dossier, nom), donnees)
    assert reponse.status_code == 303, reponse.content.decode()[-3000:]
    assert reponse["Location"].startswith(dossier.get_absolute_url())
    assert responsable.get(reponse["Location"]).status_code == 200


def test_les_gestes_qui_visent_une_piece(responsable, dossier):
    livraison = dossier.pieces.get(genre=Piece.Genre.LIVRAISON)
    assert responsable.post(geste(dossier, "dispenser", livraison), {"motif": "Prestation"}).status_code == 303
    assert responsable.post(geste(dossier, "deplacer", livraison), {"vers": 2}).status_code == 303
    ajout = {"designation": "Courriel", "genre": "autre", "fichier": fichier()}
    assert responsable.post(geste(dossier, "ajouter"), ajout).status_code == 303
    assert responsable.post(geste(dossier, "joindre")).status_code == 404, "aucune pièce visée"
    assert responsable.post(geste(dossier, "inconnu")).status_code == 404


def test_la_date_d_execution_se_saisit_et_deplace_la_prescription(responsable, dossier):
    facture = dossier.lignes.get().echeance.facture
    responsable.post(geste(dossier, "execution"), {"facture": facture.pk, "le": "2026-02-18"})
    assert "18/02/2031" in responsable.get(dossier.get_absolute_url()).content.decode()


def test_une_etape_se_choisit_parmi_celles_que_la_table_permet(responsable, dossier):
    DossierContentieux.objects.filter(pk=dossier.pk).update(requete_empreinte="0" * 64)
    page = responsable.get(f"{dossier.get_absolute_url()}?volet=etape").content.decode()
    assert "Requête déposée" in page and 'value="signification"' not in page
    saut = responsable.post(geste(dossier, "etape"), {"evenement": "signification", "le": "2026-11-20"})
    assert saut.status_code == 422
    depot = responsable.post(geste(dossier, "etape"), {"evenement": "depot_requete", "le": "2026-11-20"})
    assert depot.status_code == 303
    page = responsable.get(dossier.get_absolute_url()).content.decode()
    assert "déposée" in page and "Annuler la dernière étape" in page
    assert responsable.post(geste(dossier, "annuler-etape"), {"motif": "erreur"}).status_code == 303


def test_deux_onglets_la_saisie_perimee_ne_s_ecrit_pas(responsable, dossier):
    vu = dossier.updated_at.isoformat()
    services.completer(dossier, par=dossier.ouvert_par, expose="Version de Marc")
    reponse = responsable.post(geste(dossier, "mentions"), {"vu": vu, "expose": "Version de Claire"})
    assert reponse.status_code == 422
    page = reponse.content.decode()
    assert "modifié entre-temps" in page and "Version de Claire" in page
    dossier.refresh_from_db()
    assert dossier.expose == "Version de Marc"


def test_un_dossier_clos_n_offre_plus_de_geste(responsable, dossier):
    services.clore(dossier, issue="Payé", le=AU, par=dossier.ouvert_par, au=AU)
    page = responsable.get(dossier.get_absolute_url()).content.decode()
    assert "Clos le 20/11/2026" in page and "Enregistrer une étape" not in page
    assert responsable.post(geste(dossier, "frais"), {}).status_code == 404


def test_htmx_ne_recoit_que_le_volet_ou_l_onglet(responsable, dossier):
    entetes = {"HX-Request": "true", "HX-Target": "volet"}
    page = responsable.get(f"{dossier.get_absolute_url()}?volet=frais", headers=entetes).content.decode()
    assert "<h1" not in page and "Ajouter les frais" in page
    page = responsable.get(
        f"{dossier.get_absolute_url()}?o=decompte", headers={"HX-Request": "true", "HX-Target": "onglet"}
    ).content.decode()
    assert "<h1" not in page and "Total réclamé" in page


# --- Ouvrir --------------------------------------------------------------------------------------------


@pytest.fixture
def creance(client):
    echeances = CreanceFactory(factures=2)
    client.force_login(UtilisateurFactory(societe=echeances[0].societe, role=Role.RESPONSABLE))
    return echeances


def url_ouvrir(echeances) -> str:
    return reverse("contentieux:ouvrir", args=[echeances[0].client_id])


def test_l_ouverture_montre_les_conditions_et_coche_ce_qui_est_admis(client, creance):
    page = client.get(url_ouvrir(creance)).content.decode()
    assert len(re.findall(r'name="echeances"[^>]* checked', page)) == 2
    assert "tribunal des activités économiques de Lyon" in page


def test_ouvrir_un_dossier_par_l_ecran_mene_a_sa_fiche(client, creance):
    reponse = client.post(url_ouvrir(creance), {"echeances": [e.pk for e in creance], "motif": "Aucune réponse"})
    assert reponse.status_code == 303
    assert client.get(reponse["Location"]).status_code == 200


def test_un_double_clic_n_ouvre_qu_un_dossier(client, creance):
    donnees = {"echeances": [creance[0].pk], "motif": "x"}
    assert client.post(url_ouvrir(creance), donnees).status_code == 303
    seconde = client.post(url_ouvrir(creance), donnees)
    assert seconde.status_code == 422 and "déjà au dossier" in seconde.content.decode()
    assert DossierContentieux.objects.count() == 1


def test_l_echeance_d_un_autre_client_ou_rien_est_refuse(client, creance):
    autre = CreanceFactory(client=DebiteurFactory(societe=creance[0].societe), factures=1)
    for choix in ([autre[0].pk], []):
        assert client.post(url_ouvrir(creance), {"echeances": choix, "motif": "x"}).status_code == 422
    assert not DossierContentieux.objects.exists()


def test_une_condition_manquante_demande_une_derogation(client):
    echeances = CreanceFactory(factures=1, demeure=False)
    client.force_login(UtilisateurFactory(societe=echeances[0].societe, role=Role.RESPONSABLE))
    donnees = {"echeances": [echeances[0].pk], "motif": "x"}
    refus = client.post(url_ouvrir(echeances), donnees)
    assert refus.status_code == 422 and "aucune mise en demeure envoyée" in refus.content.decode()
    assert client.post(url_ouvrir(echeances), donnees | {"derogation": "Gérant injoignable"}).status_code == 303


def test_une_administration_ne_se_poursuit_pas_par_injonction(client):
    echeances = CreanceFactory(client=DebiteurFactory(type="administration"), factures=1, demeure=False)
    CourrierEnvoyeFactory(echeances)
    client.force_login(UtilisateurFactory(societe=echeances[0].societe, role=Role.RESPONSABLE))
    page = client.get(url_ouvrir(echeances)).content.decode()
    assert "personne publique" in page and "mandatement d’office par le préfet" in page
    assert "Juridiction proposée" not in page and "la requête se prépare" not in page
    client.post(url_ouvrir(echeances), {"echeances": [echeances[0].pk], "motif": "x", "derogation": "x"})
    assert [d.voie for d in DossierContentieux.objects.all()] == ["mandatement"]
