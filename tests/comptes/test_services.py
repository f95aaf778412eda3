"""Écritures sur les comptes : rôles, dernier administrateur, sociétés."""

import pytest
from django.core.exceptions import ValidationError

from recouvrement.comptes.models import Affectation, Role, Societe, Utilisateur
from recouvrement.comptes.services import enregistrer_societe, enregistrer_utilisateur
from recouvrement.journal.models import Maillon
from tests.comptes.factories import AffectationFactory, SocieteFactory, UtilisateurFactory

pytestmark = pytest.mark.django_db


@pytest.fixture
def societe():
    return SocieteFactory()


@pytest.fixture
def admin(societe):
    return UtilisateurFactory(role=Role.ADMINISTRATEUR, societe=societe)


def test_une_personne_nouvelle_n_a_pas_de_mot_de_passe_avant_d_avoir_choisi_le_sien(societe, admin):
    personne = Utilisateur(courriel="n.ferrand@mercier.example", nom="Nadia Ferrand")
    enregistrer_utilisateur(personne, roles={societe: Role.LECTEUR}, acteur=admin)
    assert not personne.has_usable_password()
    assert Maillon.objects.get().action == "utilisateur.role"


def test_les_roles_d_une_autre_societe_ne_bougent_pas(societe, admin):
    autre = SocieteFactory()
    personne = UtilisateurFactory(role=Role.LECTEUR, societe=autre)
    enregistrer_utilisateur(personne, roles={societe: Role.GESTIONNAIRE}, acteur=admin)
    assert dict(personne.affectations.values_list("societe", "role")) == {
        autre.pk: Role.LECTEUR,
        societe.pk: Role.GESTIONNAIRE,
    }


def test_un_role_inchange_n_ecrit_rien_au_journal(societe, admin):
    enregistrer_utilisateur(admin, roles={societe: Role.ADMINISTRATEUR}, acteur=admin)
    assert not Maillon.objects.exists()


@pytest.mark.parametrize("depart", ["retrait", "retrogradation", "fermeture"])
def test_une_societe_garde_toujours_un_administrateur_actif(societe, admin, depart):
    roles = {societe: {"retrait": "", "retrogradation": Role.LECTEUR}.get(depart, Role.ADMINISTRATEUR)}
    AffectationFactory(UtilisateurFactory(role=None), societe, Role.GESTIONNAIRE)
    admin.is_active = depart != "fermeture"
    with pytest.raises(ValidationError, match="plus d’administrateur"):
        enregistrer_utilisateur(admin, roles=roles, acteur=admin)
    assert Affectation.objects.filter(utilisateur=admin, role=Role.ADMINISTRATEUR).exists()
    admin.refresh_from_db()
    assert admin.is_active


def test_un_second_administrateur_laisse_partir_le_premier(societe, admin):
    AffectationFactory(UtilisateurFactory(role=None), societe, Role.ADMINISTRATEUR)
    enregistrer_utilisateur(admin, roles={societe: ""}, acteur=admin)
    assert not admin.affectations.exists()


def test_qui_cree_une_societe_l_administre(admin):
    neuve = enregistrer_societe(Societe(code="neuve", raison_sociale="Neuve SAS"), acteur=admin, modifies=["code"])
    assert neuve.affectations.get().utilisateur == admin
    assert Maillon.objects.get(societe=neuve).action == "societe.creee"
