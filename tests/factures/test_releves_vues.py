"""L'écran Banque : comptes, relevés, mouvements, réglage, et le compte à confirmer à l'aperçu."""

from datetime import date, timedelta
from decimal import Decimal

import pytest
from django.core.files.base import ContentFile
from django.db import connection
from django.test.utils import CaptureQueriesContext

from factures.imports import depots
from factures.models import CompteBancaire, Lot, MouvementBancaire
from recouvrement.comptes.models import Role
from recouvrement.journal.models import Maillon
from tests.comptes.factories import UtilisateurFactory
from tests.factures.banque_essai import CompteFactory, MouvementFactory, ReleveFactory
from tests.factures.imports_essai import AU, MOMENT
from tests.factures.releves_essai import cfonb

pytestmark = pytest.mark.django_db


@pytest.fixture
def admin(client):
    user = UtilisateurFactory(role=Role.ADMINISTRATEUR)
    client.force_login(user)
    return user


@pytest.fixture
def compte(admin):
    return CompteFactory(societe=admin.affectations.get().societe, libelle="BNP courant")


def lire(client, url, **params):
    reponse = client.get(url, params)
    assert reponse.status_code == 200
    return reponse.content.decode().replace("\xa0", " ").replace("\u202f", " ")


def releve(compte, jours=0, **champs):
    au = date(2026, 1, 31) + timedelta(jours)
    return ReleveFactory(
        compte=compte, au=au, **{"solde_ouverture": Decimal(100), "solde_cloture": Decimal("1234.56")} | champs
    )


def test_les_comptes_montrent_leur_dernier_solde_et_ce_qui_manque(client, compte):
    releve(compte, constats=["Enchaînement : il manque un relevé."])
    MouvementFactory(societe=compte.societe, compte=compte)
    page = lire(client, "/banque/")
    assert "BNP courant" in page and "1 234,56 €" in page and "31/01/2026" in page and "Relevés à voir" in page
    assert "Aucun compte ne répond" in lire(client, "/banque/", q="introuvable")


def test_sans_compte_l_ecran_dit_quoi_faire(client, admin):
    assert "Aucun compte bancaire" in lire(client, "/banque/")


def test_un_compte_montre_ses_mouvements_filtres_et_ses_releves(client, compte):
    r = releve(compte, constats=["Le relevé ne tombe pas."])
    MouvementFactory(societe=compte.societe, compte=compte, releve=r, libelle="VIR ACME F-12", contrepartie="ACME")
    MouvementFactory(societe=compte.societe, compte=compte, libelle="FRAIS DE TENUE", montant="-4.00", nature="frais")
    url = f"/banque/{compte.pk}/"
    page = lire(client, url)
    assert "VIR ACME F-12" in page and "FRAIS DE TENUE" in page and "1 relevé ne s’enchaîne pas" in page
    for params in ({"sens": "credit"}, {"q": "acme"}, {"nature": "virement"}, {"releve": r.pk}):
        filtree = lire(client, url, **params)
        assert "VIR ACME F-12" in filtree and "FRAIS DE TENUE" not in filtree
    assert "Le relevé ne tombe pas." in lire(client, url, f="releves")
    assert "Aucun mouvement ne répond" in lire(client, url, statut="rapproche")
    lire(client, url, sens="x", statut="x", nature="x", releve="99999999999999999999", tri="x", page="x", f="x")
    export = client.get(url, {"export": "csv"})
    assert "VIR ACME F-12" in (b"".join(export.streaming_content) if export.streaming else export.content).decode(
        "utf-8-sig"
    )


def test_le_compte_d_une_autre_societe_est_introuvable(client, compte):
    autre = CompteFactory(societe=UtilisateurFactory().affectations.get().societe)
    assert client.get(f"/banque/{autre.pk}/").status_code == 404
    assert client.post(f"/banque/{autre.pk}/regler/", {"libelle": "X"}).status_code == 404
    assert autre.identifiant not in lire(client, "/banque/")


def test_mauvaise_methode(client, compte):
    assert client.post(f"/banque/{compte.pk}/").status_code == 405
    assert client.post("/banque/").status_code == 405
    assert client.get(f"/banque/{compte.pk}/regler/").status_code == 405


def test_regler_renomme_et_desactive_une_fois(client, compte):
    url = f"/banque/{compte.pk}/regler/"
    assert client.post(url, {"libelle": "Ancien compte"}).status_code == 303
    compte.refresh_from_db()
    assert (compte.libelle, compte.actif) == ("Ancien compte", False)
    assert Maillon.objects.filter(action="banque.compte_regle").count() == 1
    client.post(url, {"libelle": "Ancien compte"})
    client.post(url, {"libelle": "x" * 81})
    assert Maillon.objects.filter(action="banque.compte_regle").count() == 1


def test_un_gestionnaire_voit_mais_ne_regle_pas(client, compte):
    client.force_login(UtilisateurFactory(societe=compte.societe, role=Role.GESTIONNAIRE))
    assert "Réglage du compte" not in lire(client, f"/banque/{compte.pk}/")
    assert client.post(f"/banque/{compte.pk}/regler/", {"libelle": "X"}).status_code == 403


def _requetes(client, url) -> int:
    with CaptureQueriesContext(connection) as prises:
        client.get(url)
    return len(prises)


def test_le_nombre_de_requetes_ne_depend_pas_des_lignes(client, compte):
    def peupler(n):
        for _ in range(n):
            autre = CompteFactory(societe=compte.societe)
            releve(autre)
            MouvementFactory(societe=compte.societe, compte=compte, releve=releve(compte, _))

    peupler(1)
    urls = ("/banque/", f"/banque/{compte.pk}/", f"/banque/{compte.pk}/?f=releves")
    avant = [_requetes(client, url) for url in urls]
    peupler(19)
    assert [_requetes(client, url) for url in urls] == avant


def test_un_compte_inconnu_se_confirme_a_l_apercu(client, compte, settings, tmp_path):
    settings.DEPOT = tmp_path
    compte.societe.iban = ""  # sinon ce compte est le sien
    compte.societe.save()
    texte = cfonb([("05", "50.00", "VIR ACME")]).encode()
    lot = depots.deposer(ContentFile(texte), "releve.txt", compte.societe, auteur=None)
    depots.apercevoir(lot.pk, moment=MOMENT, au=AU)
    page = lire(client, f"/imports/{lot.pk}/")
    assert "n’est pas celui d’un compte de la société" in page and "Importer ce fichier" not in page
    assert client.get(f"/imports/{lot.pk}/compte/").status_code == 405
    client.post(f"/imports/{lot.pk}/compte/", {"compte": "300060000112345678901"})
    lot.refresh_from_db()
    assert lot.corrections["comptes"] == {"300060000112345678901": "accepte"}
    if lot.statut == Lot.Statut.DEPOSE:
        depots.apercevoir(lot.pk, moment=MOMENT, au=AU)
    lot.refresh_from_db()
    assert lot.statut == Lot.Statut.APERCU and "Importer ce fichier" in lire(client, f"/imports/{lot.pk}/")
    assert depots.demander(lot, partiel=False) and depots.appliquer(lot.pk, moment=MOMENT, au=AU)
    assert MouvementBancaire.objects.count() == 1 and CompteBancaire.objects.count() == 2
