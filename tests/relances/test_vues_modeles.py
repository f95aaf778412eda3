"""Écrans des modèles : liste, éditeur à côté de son aperçu, gestes, historique, échange."""

import json
import re
from datetime import date, timedelta
from io import BytesIO

import pytest
from django.core.files.uploadedfile import SimpleUploadedFile
from django.urls import reverse
from django.utils.html import escape

from recouvrement.comptes.models import Role
from relances.domaine.natures import Nature
from relances.models import Modele, Passage, Relance, VersionModele
from relances.rendu.contexte import TypeDebiteur
from relances.rendu.livres import Genre
from relances.services import modeles
from relances.services.plans import installer_plans
from tests.clients.factories import ClientFactory
from tests.comptes.factories import SocieteFactory, UtilisateurFactory
from tests.factures.factories import EcheanceFactory

from .test_services_modeles import courrier_de, publie

pytestmark = pytest.mark.django_db
MARDI = date(2026, 2, 10)
RAPPEL = Genre(Nature.RAPPEL_COURTOIS, TypeDebiteur.ENTREPRISE, "courriel", "fr")
LETTRE = RAPPEL._replace(support="lettre")
CLE = "entreprise-rappel_courtois-courriel-fr"
DEMANDE = "Merci de régler **[[total à payer]]** au plus tard le [[jour limite]]."


@pytest.fixture(autouse=True)
def un_mardi(time_machine):
    time_machine.move_to("2026-02-10 09:00 +0100", tick=False)


@pytest.fixture
def societe():
    societe = SocieteFactory()
    installer_plans(societe)
    return societe


@pytest.fixture
def par(client, societe):
    personne = UtilisateurFactory(role=Role.RESPONSABLE, societe=societe)
    client.force_login(personne)
    return personne


def lu(client, modele) -> dict:
    """Ce que la page ouverte renvoie en publiant : l'empreinte des textes qu'elle montre."""
    page = client.get(adresse("modele", modele.pk)).content.decode()
    return {"lu": re.search(r'name="lu" value="(\w+)"', page)[1]}


def publier(client, modele, **options):
    return client.post(adresse("modele_publier", modele.pk), lu(client, modele), **options)


@pytest.fixture
def version(societe, par):
    return modeles.personnaliser(societe, RAPPEL, par=par)


def adresse(nom, *args):
    return reverse(f"relances:{nom}", args=args)


def texte(reponse) -> str:
    return reponse.content.decode().replace("\u00a0", " ").replace("\u202f", " ")


def saisie(version, **textes) -> dict:
    complets = modeles.textes_complets(version) | textes
    return {f"p_{nom}": t for nom, t in complets.items()} | {"attendu": modeles.empreinte(version.textes)}


def test_la_liste_dit_ce_qui_est_livre_et_ce_qui_est_a_la_societe(client, societe, version):
    html = texte(client.get(adresse("modeles")))
    assert html.count("livré</span>") > 30 and "brouillon" in html
    filtree = texte(client.get(adresse("modeles"), {"support": "sms"}))
    assert "SMS" in filtree and filtree.count("<tr data-ligne") == 3


def test_la_liste_fait_autant_de_requetes_avec_un_modele_qu_avec_vingt(
    client, societe, version, django_assert_max_num_queries
):
    with django_assert_max_num_queries(40) as une:
        client.get(adresse("modeles"))
    for n in range(20):
        modeles.copier(societe, RAPPEL, {}, code=f"c{n}", nom=f"Copie {n}", par=version.auteur)
    with django_assert_max_num_queries(len(une)):
        client.get(adresse("modeles"))


def test_le_texte_livre_se_lit_puis_se_personnalise_d_un_geste(client, societe, par):
    url = adresse("modele_livre", societe.pk, CLE)
    html = texte(client.get(url))
    assert "C’est le texte livré" in html and "Un oubli arrive à tout le monde" in html
    assert "fictifs" in html and Modele.objects.count() == 0
    reponse = client.post(adresse("personnaliser", societe.pk, CLE))
    modele = Modele.objects.get()
    assert (reponse.status_code, reponse.url) == (303, adresse("modele", modele.pk))
    html = texte(client.get(reponse.url))
    assert "[[total à payer]]" in html and 'data-inserer="[[total à payer]]"' in html and "version 2, brouillon" in html


def test_enregistrer_publier_et_le_texte_part(client, societe, version):
    modele = version.modele
    assert client.post(adresse("modele_enregistrer", modele.pk), saisie(version, demande=DEMANDE)).status_code == 303
    assert publier(client, modele).status_code == 303
    version.refresh_from_db()
    assert (version.statut, version.textes) == ("publiee", {"demande": DEMANDE})
    assert "le vôtre, version 2" in texte(client.get(adresse("modeles")))


@pytest.mark.parametrize(
    ("hostile", "phrase"),
    [
        ("{{ client.objects }}", "partirait tel quel"),
        ("<p>" * 13_000, "39000 caractères"),
        ("<img src='https://pix.example/p.gif'>", "pas du texte"),
        ("[[totla à payer]]", "Vouliez-vous dire « [[total à payer]] »"),
    ],
)
def test_un_refus_se_lit_sous_son_paragraphe_et_la_saisie_reste(client, version, hostile, phrase):
    reponse = client.post(adresse("modele_enregistrer", version.modele_id), saisie(version, suites=hostile))
    html = texte(reponse)
    assert reponse.status_code == 422
    champ = html[html.index('id="id_p_suites"') - 200 : html.index('id="id_p_politesse"')]
    assert phrase in champ.replace("&#x27;", "'")
    assert escape(hostile[:5]) in champ
    assert html.count(phrase) == champ.count(phrase) and "Rien à redire" not in html  # dit une fois, sans contrôle
    version.refresh_from_db()
    assert version.textes == {}


def test_l_apercu_suit_la_saisie_sur_un_vrai_client_sans_rien_ecrire(client, societe, version):
    debiteur = ClientFactory(societe=societe, raison_sociale="Menuiserie Témoin")
    EcheanceFactory(client=debiteur, echue_le=MARDI - timedelta(days=20), montant=1234)
    url = adresse("modele_apercu", version.modele_id)
    donnees = saisie(version, demande=DEMANDE) | {"client": debiteur.pk}
    html = texte(client.post(url, donnees, headers={"HX-Request": "true"}))
    assert "Merci de régler 1 234,00 € au plus tard" in html and "<html" not in html
    entiere = texte(client.post(url, donnees))
    assert "<html" in entiere and "Merci de régler 1 234,00 €" in entiere and DEMANDE in entiere
    version.refresh_from_db()
    assert version.textes == {}


def test_un_client_sans_piece_ou_hors_du_perimetre_laisse_l_exemple_fictif(client, societe, version):
    vide = ClientFactory(societe=societe)
    html = texte(client.get(adresse("modele", version.modele_id), {"client": vide.pk}))
    assert "aucune pièce à ce stade" in html
    autre = ClientFactory(raison_sociale="Voisine SARL")
    EcheanceFactory(client=autre, echue_le=MARDI - timedelta(days=20))
    html = texte(client.get(adresse("modele", version.modele_id), {"client": autre.pk}))
    assert "Voisine SARL" not in html and "fictifs" in html
    assert client.get(adresse("modele", version.modele_id), {"client": "x"}).status_code == 200


def test_une_lettre_se_voit_en_image(client, societe, par):
    version = modeles.personnaliser(societe, LETTRE, par=par)
    html = texte(client.get(adresse("modele", version.modele_id)))
    assert 'src="data:image/png;base64,' in html


def test_le_controle_nomme_ce_qui_manque_et_ferme_la_publication(client, version):
    """Exigence 23."""
    client.post(adresse("modele_enregistrer", version.modele_id), saisie(version, politesse="À vous lire."))
    html = texte(client.get(adresse("modele", version.modele_id)))
    assert "Le texte n’a plus : politesse" in html
    bouton = html[html.index(adresse("modele_publier", version.modele_id)) :]
    assert " disabled" in bouton[: bouton.index("</form>")]
    html = texte(publier(client, version.modele, follow=True))
    assert "politesse" in html
    version.refresh_from_db()
    assert version.statut == "brouillon"


@pytest.mark.parametrize("sans_empreinte", [False, True])
def test_on_ne_publie_pas_un_texte_qu_on_n_a_pas_lu(client, version, sans_empreinte):
    """A ouvre l'éditeur, B enregistre, A publie : A n'a jamais vu les mots de B."""
    modeles.enregistrer(version, textes={"demande": DEMANDE}, par=version.auteur)
    envoi = {} if sans_empreinte else lu(client, version.modele)
    modeles.enregistrer(version, textes={"demande": DEMANDE, "suites": "Mots de B."}, par=version.auteur)
    html = texte(client.post(adresse("modele_publier", version.modele_id), envoi, follow=True))
    assert "Le brouillon a changé depuis que vous l&#x27;avez ouvert" in html
    version.refresh_from_db()
    assert version.statut == "brouillon"


def test_une_page_perimee_dit_pourquoi_et_n_ecrit_rien(client, version):
    donnees = saisie(version, demande=DEMANDE)
    modeles.enregistrer(version, textes={"suites": "Autre"}, par=version.auteur)
    reponse = client.post(adresse("modele_enregistrer", version.modele_id), donnees)
    assert reponse.status_code == 422 and "entre-temps" in texte(reponse)
    modeles.abandonner(version, par=version.auteur)
    html = texte(client.post(adresse("modele_enregistrer", version.modele_id), donnees, follow=True))
    assert "plus de brouillon" in html


def test_historique_differences_et_retour(client, societe, version):
    modele = version.modele
    modeles.enregistrer(version, textes={"demande": DEMANDE}, par=version.auteur, note="Plus direct")
    modeles.publier(version, par=version.auteur, au=MARDI)
    html = texte(client.get(adresse("modele", modele.pk)))
    assert "Version 1, retirée" in html and "Plus direct" in html
    ecarts = texte(client.get(adresse("modele_differences", modele.pk), {"de": 1, "a": 2}))
    assert "<del>Un oubli arrive à tout le monde." in ecarts and "<ins>Merci de régler" in ecarts
    client.post(adresse("modele_brouillon", modele.pk), {"depuis": 1})
    assert VersionModele.objects.get(modele=modele, statut="brouillon").textes == {}
    assert client.post(adresse("modele_brouillon", modele.pk), {"depuis": 99}).status_code == 404


def test_copier_retirer_exporter_importer(client, societe, version):
    modele = version.modele
    client.post(adresse("modele_enregistrer", modele.pk), saisie(version, demande=DEMANDE))
    publier(client, modele)
    client.post(adresse("modele_copier", modele.pk), {"nom": "Ferme", "code": "ferme", "langue": "fr"})
    copie = Modele.objects.get(code="ferme")
    assert copie.versions.get().textes == {"demande": DEMANDE}
    html = texte(client.post(adresse("modele_copier", modele.pk), {"nom": "", "code": "a b"}, follow=True))
    assert "Nom" in html and Modele.objects.count() == 2
    reponse = client.get(adresse("modele_exporter", modele.pk), {"version": 2})
    exporte = json.loads(reponse.content)
    assert exporte["paragraphes"]["demande"] == DEMANDE and reponse["Content-Disposition"].endswith('v2.json"')
    fichier = SimpleUploadedFile("m.json", json.dumps(exporte | {"code": "ailleurs"}).encode())
    assert client.post(adresse("modele_importer", societe.pk), {"fichier": fichier}).status_code == 303
    assert Modele.objects.get(code="ailleurs").versions.get().statut == "brouillon"
    client.post(adresse("modele_retirer", modele.pk))
    modele.refresh_from_db()
    assert modele.retire_le


@pytest.mark.parametrize(
    ("contenu", "phrase"),
    [
        (b"\xff\xfe", "pas du JSON lisible"),
        (b"[" * 100_000, "pas du JSON lisible"),
        (b'{"format": 1, "format": 2}', "pas du JSON lisible"),
        (b"{}", "pas un modèle exporté"),
        (b" " * 300_000, "Fichier trop gros"),
    ],
)
def test_un_fichier_hostile_est_refuse_avec_sa_raison(client, societe, par, contenu, phrase):
    fichier = BytesIO(contenu)
    fichier.name = "m.json"
    reponse = client.post(adresse("modele_importer", societe.pk), {"fichier": fichier})
    assert reponse.status_code == 422 and phrase in texte(reponse)


def test_un_gestionnaire_voit_sans_pouvoir_ecrire(client, societe, version):
    client.force_login(UtilisateurFactory(role=Role.GESTIONNAIRE, societe=societe))
    html = texte(client.get(adresse("modele", version.modele_id)))
    assert "Enregistrer" not in html and "Publier" not in html and "Un oubli arrive" in html
    assert client.post(adresse("modele_enregistrer", version.modele_id), saisie(version)).status_code == 403
    assert client.get(adresse("modele_enregistrer", version.modele_id)).status_code == 405


def test_l_editeur_fait_autant_de_requetes_avec_une_version_qu_avec_vingt(
    client, version, django_assert_max_num_queries
):
    url = adresse("modele", version.modele_id)
    with django_assert_max_num_queries(60) as une:
        client.get(url)
    VersionModele.objects.bulk_create(
        VersionModele(modele=version.modele, numero=n, statut="retiree", auteur=version.auteur) for n in range(3, 23)
    )
    for _n in range(10):
        EcheanceFactory(societe=version.modele.societe, echue_le=MARDI - timedelta(days=20))
    with django_assert_max_num_queries(len(une)):
        client.get(url)


def test_la_fiche_du_courrier_dit_quel_texte_de_la_societe_part(client, societe, par):
    version = publie(societe, par)
    courrier, _echeances = courrier_de(societe)
    courrier.palier.save()
    courrier.passage = Passage.objects.create(societe=societe, au=MARDI, numero=1)
    courrier.save()
    echeance = EcheanceFactory(client=courrier.client, echue_le=MARDI - timedelta(days=20))
    Relance.objects.create(passage=courrier.passage, echeance=echeance, palier=courrier.palier, nature=2,
                           courrier=courrier, decidee_le=MARDI, reste_du=10)  # fmt: skip
    html = texte(client.get(adresse("courrier", courrier.pk)))
    assert "Rappel courtois, entreprise, version 2." in html
    assert f"{adresse('modele', version.modele_id)}?version=2" in html


def test_le_menu_tient_plans_et_modeles_pour_une_seule_entree(client, par):
    for route in ("relances:plans", "relances:modeles"):
        page = client.get(reverse(route)).content.decode()
        courantes = re.findall(r"<a[^>]*aria-current=\"page\"[^>]*>.*?</a>", page, re.S)
        assert any("Plans et modèles" in lien for lien in courantes), route


@pytest.mark.parametrize("champ", ["nom", "note", "code", "cle"])
@pytest.mark.parametrize("hostile", ["a\ud800", "a\x00b", "\u202egnp", "x\r\nBcc: y"])
def test_un_modele_importe_hostile_se_refuse_sans_tomber(client, societe, version, champ, hostile):
    donnees = modeles.exporter(version)
    donnees |= {hostile: "x"} if champ == "cle" else {champ: hostile}
    fichier = SimpleUploadedFile("m.json", json.dumps(donnees).encode())
    reponse = client.post(adresse("modele_importer", societe.pk), {"fichier": fichier})
    assert reponse.status_code == 422 and "Caractère interdit" in texte(reponse)
    assert Modele.objects.count() == 1
