"""Le lien dans chaque rappel : courriel, lettre, SMS, texte repris, page fermée ; un seul par courrier, et il reste."""

import re
from dataclasses import replace
from datetime import date, timedelta

import pytest
from django.db import connection
from django.test.utils import CaptureQueriesContext
from django.utils import timezone

from relances.domaine.natures import Canal, Nature
from relances.models import Courrier, LienPortail, Passage, ReglagePortail
from relances.rendu import controles, courriels, lettres, messages
from relances.rendu.contexte import Paiement
from relances.services import envoi, gestes, liens, nuit, pages
from relances.services.preparation import preparer
from tests.factures.factories import EcheanceFactory
from tests.relances import exemples_rendu as ex

from .outils import client_ouvert, societe_ouverte

pytestmark = pytest.mark.django_db
MARDI = date(2026, 2, 10)
S = Courrier.Statut


@pytest.fixture(autouse=True)
def depot(settings, tmp_path):
    settings.DEPOT = tmp_path / "depot"
    settings.SITE_URL = "https://regler.mercier.example:8443/"


def un_courrier(client=None, **champs) -> Courrier:
    client = client or client_ouvert(**champs)
    EcheanceFactory(client=client, echue_le=MARDI - timedelta(days=60))
    passage = nuit.ouvrir_passage(client.societe, au=MARDI, genre=Passage.Genre.REJOUE)
    nuit.relancer(client.societe, au=MARDI, passage=passage)
    return Courrier.objects.get(client=client)


def envoye(courrier) -> Courrier:
    assert envoi.envoyer(courrier.pk, au=MARDI) in (S.ENVOYE, S.A_POSTER)
    return Courrier.objects.get(pk=courrier.pk)


def test_le_courriel_porte_le_lien_de_ce_courrier(mailoutbox):
    courrier = envoye(un_courrier())

    lien = LienPortail.objects.get(courrier=courrier)
    assert liens.adresse(lien) in courrier.texte
    assert liens.adresse(lien) in mailoutbox[0].body
    assert liens.APERCU not in courrier.texte
    assert lien.expire_le == MARDI + timedelta(days=90)


def test_un_apercu_ne_cree_aucun_lien():
    courrier = un_courrier()

    preparation = preparer(courrier, au=MARDI)

    assert not preparation.manques
    assert liens.adresse_d_apercu() in preparation.texte
    assert not LienPortail.objects.exists()


def test_page_fermee_le_texte_ne_change_pas(mailoutbox):
    courrier = un_courrier(societe=societe_ouverte(actif=False))

    assert "en ligne" not in envoye(courrier).texte
    assert not LienPortail.objects.exists()


def test_un_texte_repris_par_une_personne_part_avec_le_vrai_lien(mailoutbox):
    """Exigence 29 : le texte modifié part tel quel, la place du lien remplie."""
    courrier = un_courrier()
    Courrier.objects.filter(pk=courrier.pk).update(statut=S.A_VALIDER)
    preparation = preparer(courrier, au=MARDI)
    par = courrier.client.gestionnaire
    texte = preparation.texte.replace("Sauf erreur", "Sauf une erreur")
    gestes.modifier_texte(courrier, objet=preparation.objet, texte=texte, par=par, au=MARDI)
    Courrier.objects.filter(pk=courrier.pk).update(statut=S.A_ENVOYER)

    parti = envoye(Courrier.objects.get(pk=courrier.pk))

    assert "Sauf une erreur" in parti.texte
    assert liens.APERCU not in parti.texte
    assert liens.adresse(LienPortail.objects.get()) in parti.texte


def test_refermee_entre_l_apercu_et_le_depart_la_ligne_tombe():
    texte = f"Bonjour,\n\n  Relevé : {liens.adresse_d_apercu()}\n\nCordialement"

    assert pages.poser(texte, "") == "Bonjour,\n\n\nCordialement"
    assert pages.poser("sans lien", "x") == "sans lien"


def test_la_lettre_porte_l_adresse_courte_le_code_et_le_numero_de_client():
    courrier = un_courrier(courriel="", code="CL-00418")
    if courrier.canal != Canal.LETTRE:
        Courrier.objects.filter(pk=courrier.pk).update(canal=Canal.LETTRE)
        courrier.refresh_from_db()
    preparation = preparer(courrier, au=MARDI)
    assert not preparation.manques
    paiement = pages.paiement_definitif(courrier, preparation.lettre.paiement, au=MARDI)

    texte = lettres.texte_integral(replace(preparation.lettre, paiement=paiement)).replace("*", "")

    assert "https://regler.mercier.example:8443/p/code" in texte
    assert re.search(r"code [2-9A-Z]{5}-[2-9A-Z]{5}, n°\xa0de client CL-00418", texte)
    assert pages.paiement_definitif(courrier, preparation.lettre.paiement, au=MARDI) == paiement  # réimprimée


def test_un_courrier_refait_garde_son_lien():
    courrier = un_courrier()
    premier = liens.lien_pour(courrier.client, au=MARDI, courrier=courrier)

    assert liens.lien_pour(courrier.client, au=MARDI + timedelta(days=9), courrier=courrier) == premier
    assert liens.adresse_de_page(courrier.client, au=MARDI, courrier=courrier) == liens.adresse(premier)


def test_un_lien_revoque_avant_le_depart_ne_part_pas(mailoutbox):
    courrier = un_courrier()
    lien = liens.lien_pour(courrier.client, au=MARDI, courrier=courrier)
    liens.revoquer(lien, par=courrier.client.gestionnaire, moment=timezone.now())

    assert "/p/" not in envoye(courrier).texte
    assert LienPortail.objects.count() == 1


def test_le_nombre_de_requetes_de_l_envoi_est_tenu(mailoutbox):
    """Ouverte, la page coûte à l'envoi la lecture du lien et son écriture ; fermée, rien."""
    ouvert, ferme = un_courrier(), un_courrier(societe=societe_ouverte(actif=False))
    comptes = []
    for courrier in (ferme, ouvert):
        with CaptureQueriesContext(connection) as lues:
            envoi.envoyer(courrier.pk, au=MARDI)
        comptes.append(len(lues))

    assert comptes[1] - comptes[0] <= 4  # lecture, point de reprise, écriture, fin


def test_deux_processus_un_seul_lien():
    courrier = un_courrier()
    autre = LienPortail.objects.create(
        client=courrier.client, courrier=courrier, cree_le=MARDI, expire_le=MARDI + timedelta(days=1)
    )
    vrai, vus = liens._existant, []

    def aveugle(*args, **cause):
        vus.append(1)
        return None if len(vus) == 1 else vrai(*args, **cause)

    with pytest.MonkeyPatch.context() as m:
        m.setattr(liens, "_existant", aveugle)
        assert liens.lien_pour(courrier.client, au=MARDI, courrier=courrier) == autre


@pytest.mark.parametrize("client", [ex.HOTELIERE, ex.COMMUNE, ex.KERDRAON, ex.HALLAM], ids=lambda c: c.code)
@pytest.mark.parametrize("jeton", ["1a-saisiehuissier000040eur", "zz-FA2026-0001_prison-abcd", "2b-" + "A" * 22])
def test_les_controles_admettent_le_lien_quel_que_soit_son_tirage(client, jeton):
    paiement = Paiement(reference="C REL-1", lien=f"https://regler.mercier.example:8443/p/{jeton}")
    lettre = ex.lettre(Nature.RAPPEL_COURTOIS, destinataire=client, canal=Canal.COURRIEL, paiement=paiement)

    rendu = courriels.rendre(lettre)

    assert paiement.lien in rendu.texte
    assert controles.manques_du_texte(lettre, rendu) == []


def test_un_autre_site_reste_refuse():
    paiement = Paiement(reference="C REL-1", lien="https://regler.mercier.example/p/1a-x")
    lettre = ex.lettre(Nature.RAPPEL_COURTOIS, canal=Canal.COURRIEL, paiement=paiement)
    rendu = courriels.rendre(lettre)
    piege = replace(rendu, texte=rendu.texte + "\nhttps://hameçon.example.org/p/1a-x")

    assert "lien_inconnu" in {m.code for m in controles.manques_du_texte(lettre, piege)}


@pytest.mark.parametrize("client", [ex.HOTELIERE, ex.KERDRAON, ex.HALLAM], ids=lambda c: c.code)
def test_le_sms_porte_le_lien_sans_raccourcisseur(client):
    paiement = Paiement(reference="C REL-1", lien="https://regler.mercier.example/p/1a-" + "A" * 22)
    lettre = ex.lettre(Nature.RAPPEL_COURTOIS, destinataire=client, paiement=paiement)

    assert paiement.lien in messages.rendre(lettre)


def test_un_modele_personnalise_garde_sa_place_de_paiement(mailoutbox):
    """Le lien est dans le bloc de paiement de l'application : un paragraphe réécrit ne le perd pas."""
    lettre = ex.lettre(Nature.RAPPEL_COURTOIS, canal=Canal.COURRIEL,
                       modeles={"courriel": {"demande": "Merci de régler avant le [[jour limite]]."}})  # fmt: skip

    assert lettre.paiement.lien in courriels.rendre(lettre).texte


def test_reglage_absent_ou_ferme_une_seule_lecture():
    courrier = un_courrier(societe=societe_ouverte(actif=False))
    lu = Courrier.objects.select_related("societe__reglage_portail").get(pk=courrier.pk)
    with CaptureQueriesContext(connection) as lues:
        pages.paiement(lu, "R")

    assert len(lues) == 0
    assert ReglagePortail.objects.count() == 1
