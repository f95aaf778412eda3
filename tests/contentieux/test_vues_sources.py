"""Ce que droit.md marque V ou C et qui est un réglage se voit, avec sa confiance et son texte."""

import pytest
from django.urls import reverse

from contentieux.donnees import lire, natures
from factures.domaine.maximums import TABLE
from recouvrement.comptes.models import Role
from tests.comptes.factories import UtilisateurFactory

pytestmark = pytest.mark.django_db


def test_chaque_convention_dit_son_texte_sa_confiance_et_ou_elle_se_regle():
    conventions = lire("conventions.csv")
    assert len(conventions) >= 12
    assert all(all(c.values()) and None not in c and c["etat"] in "VC" for c in conventions)


def test_tout_ce_qui_n_est_pas_source_est_a_l_ecran_et_rien_de_ce_qui_l_est(client):
    client.force_login(UtilisateurFactory(role=Role.LECTEUR))
    reponse = client.get(reverse("contentieux:sources"))
    texte = reponse.content.decode()
    montrees = {libelle for _nom, lignes in reponse.context["groupes"] for libelle, *_ in lignes}
    assert {n.libelle for n in natures().values() if n.confiance != "sourcé"} <= montrees
    assert {r.libelle for r in TABLE.values() if r.confiance != "S"} <= montrees
    assert not {n.libelle for n in natures().values() if n.confiance == "sourcé"} & montrees
    assert "Mandatée d&#x27;office par le préfet" in texte  # un mois ou deux : à vérifier
    assert "Frais de greffe" in texte and "jamais en dur" in texte


def test_l_administration_y_mene(client):
    client.force_login(UtilisateurFactory(role=Role.ADMINISTRATEUR))
    assert reverse("contentieux:sources") in client.get(reverse("comptes:taux")).content.decode()
