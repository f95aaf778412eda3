"""Rien d'un autre débiteur : chaque route du portail, avec chaque identifiant d'un autre client."""

from datetime import timedelta
from itertools import product
from urllib.parse import quote

import pytest
from django.core.cache import cache
from django.urls import get_resolver

from factures.services.copies import deposer
from recouvrement.portail import limitation
from relances.models import Declaration, VisitePortail
from tests.contentieux.factories import pdf
from tests.factures.factories import EcheanceFactory, LitigeFactory, PromesseFactory
from tests.test_adresses_hostiles import VALEURS, parametres_lus

from .outils import AU, MOMENT, client_ouvert, lien_de, societe_ouverte, url

pytestmark = pytest.mark.django_db


@pytest.fixture(autouse=True)
def jour(time_machine, settings, tmp_path, monkeypatch):
    time_machine.move_to(MOMENT, tick=False)
    settings.DEPOT = tmp_path / "depot"
    monkeypatch.setattr(limitation, "PAR_ADRESSE", 10**6)
    cache.clear()


def debiteur(societe, nom):
    """Un client, une pièce, sa copie, un litige, une promesse, un lien ; et tous leurs identifiants."""
    client = client_ouvert(societe=societe, raison_sociale=f"{nom} SARL")
    piece = EcheanceFactory(client=client, montant=1000, echue_le=AU - timedelta(days=40), facture=None)
    piece.facture.numero = f"F-{nom}"
    piece.facture.save()
    copie, _neuve = deposer(piece.facture, octets=pdf(), nom="f.pdf", acteur=client.gestionnaire)
    litige = LitigeFactory(echeance=piece, montant_conteste=10)
    promesse = PromesseFactory(echeances=[piece], date_promise=AU + timedelta(days=3), faite_le=AU)
    lien = lien_de(client)
    return client, lien, {x.pk for x in (client, piece, piece.facture, copie, litige, promesse, lien)}


def routes():
    for motif in get_resolver("recouvrement.portail.urls").url_patterns:
        if getattr(motif.callback, "garde", "") == "lien":
            yield motif.name, str(motif.pattern), sorted(motif.pattern.converters)


def test_aucun_identifiant_d_un_autre_n_ouvre_quoi_que_ce_soit(client):
    """Mon lien, ses identifiants : jamais une page qui le nomme, jamais un fichier, jamais une écriture chez lui."""
    societe = societe_ouverte()
    for _i in range(3):
        EcheanceFactory(montant=1)  # décale les clés : deux identifiants ne coïncident pas par hasard
    mien, mon_lien, mes_cles = debiteur(societe, "Mien")
    autre, son_lien, ses_cles = debiteur(societe, "Autrui")
    jeton = url(mon_lien).rpartition("/")[2]
    essayees = 0
    for nom, motif, parametres in routes():
        libres = [p for p in parametres if p != "jeton"]
        for valeurs in product(sorted(ses_cles - mes_cles), repeat=len(libres)):
            adresse = "/p/" + motif.replace("<slug:jeton>", jeton)
            for parametre, valeur in zip(libres, valeurs, strict=True):
                for genre in ("int", "str", "slug"):
                    adresse = adresse.replace(f"<{genre}:{parametre}>", str(valeur))
            for methode in (client.get, client.post):
                reponse = methode(adresse, {"pieces": [str(x) for x in ses_cles], "montant": "1", "nom": "x"})
                essayees += 1
                assert reponse.status_code < 500, (nom, adresse)
                texte = b"".join(reponse) if reponse.streaming else reponse.content
                assert b"Autrui" not in texte, (nom, adresse)
                if libres:
                    assert reponse.status_code in (404, 405, 403, 302, 303, 422), (nom, adresse, reponse.status_code)

    assert essayees > 10
    assert not VisitePortail.objects.filter(lien=son_lien).exists()
    assert not VisitePortail.objects.filter(genre="fichier").exists()
    assert not Declaration.objects.filter(client=autre).exists()
    assert not Declaration.objects.filter(echeances__client=autre).exists()


def test_une_signature_ne_vaut_que_pour_son_rang(client):
    societe = societe_ouverte()
    _mien, mon_lien, _c = debiteur(societe, "Mien")
    _autre, son_lien, _c = debiteur(societe, "Autrui")
    rang, signature = url(son_lien).rpartition("/")[2].partition("-")[0], url(mon_lien).partition("-")[2]

    assert client.get(f"/p/{rang}-{signature}").status_code == 404


@pytest.mark.parametrize("langue", ["fr", "en"])
def test_une_personne_de_l_equipe_connectee_n_y_gagne_rien(client, langue):
    """Ni session, ni droit d'équipe : le lien seul décide."""
    mien, lien, _c = debiteur(societe_ouverte(), "Mien")
    anonyme = client.get(url(lien) + f"?langue={langue}").content
    client.force_login(mien.gestionnaire)

    assert client.get(url(lien) + f"?langue={langue}").content == anonyme


@pytest.mark.parametrize("valeur", VALEURS.values(), ids=VALEURS)
def test_aucune_adresse_ne_fait_tomber_la_page(client, valeur):
    """NUL, demi-codet, démesure : dans l'adresse comme dans le formulaire."""
    _mien, lien, cles = debiteur(societe_ouverte(), "Mien")
    noms = parametres_lus() if len(valeur) < 1000 else ["langue", "devise", "pieces", "montant", "jour"]
    requete = "&".join(f"{quote(nom)}={valeur}" for nom in noms)
    for nom, motif, parametres in routes():
        adresse = "/p/" + motif.replace("<slug:jeton>", url(lien).rpartition("/")[2])
        for parametre in parametres:
            for genre, voulu in (("int", min(cles)), ("str", "EUR"), ("slug", "paye")):
                adresse = adresse.replace(f"<{genre}:{parametre}>", str(voulu))
        for envoye in (client.get(f"{adresse}?{requete}"), client.post(adresse, dict.fromkeys(noms, valeur))):
            if envoye.streaming:
                b"".join(envoye)
            assert envoye.status_code < 500, nom
