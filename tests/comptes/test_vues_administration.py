"""Administration : qui y entre, ce qu'il y voit, ce qu'il peut y changer."""

from datetime import date

import pytest
from django.core import mail
from django.urls import reverse

from clients.models import Client
from factures.models import SemestreConnu, TauxLegal
from recouvrement.comptes.models import Role, Societe, Utilisateur
from relances.models import Echelle
from tests.clients.factories import ClientFactory
from tests.comptes.factories import AffectationFactory, SocieteFactory, UtilisateurFactory

pytestmark = pytest.mark.django_db

ROUTES = ["administration", "utilisateur_nouveau", "societes", "societe_nouvelle", "taux"]


@pytest.fixture
def societe():
    return SocieteFactory()


@pytest.fixture
def admin(societe, client):
    user = UtilisateurFactory(role=Role.ADMINISTRATEUR, societe=societe)
    client.force_login(user)
    return user


@pytest.mark.parametrize("route", ROUTES)
def test_chaque_ecran_s_ouvre_pour_un_administrateur(client, admin, route):
    reponse = client.get(reverse(f"comptes:{route}"))
    assert reponse.status_code == 200
    assert "<h1>" in reponse.content.decode()


@pytest.mark.parametrize("route", ROUTES)
@pytest.mark.parametrize("role", [Role.RESPONSABLE, Role.GESTIONNAIRE, Role.LECTEUR])
def test_personne_d_autre_n_y_entre(client, role, route):
    client.force_login(UtilisateurFactory(role=role))
    assert client.get(reverse(f"comptes:{route}")).status_code == 403


def test_la_personne_d_une_societe_etrangere_est_introuvable(client, admin):
    etranger = UtilisateurFactory()
    assert client.get(reverse("comptes:utilisateur", args=[etranger.pk])).status_code == 404
    assert client.post(reverse("comptes:inviter", args=[etranger.pk])).status_code == 404
    assert client.post(reverse("comptes:portefeuille", args=[etranger.pk])).status_code == 404
    assert client.get(reverse("comptes:societe", args=[etranger.affectations.get().societe_id])).status_code == 404
    assert etranger.nom not in client.get(reverse("comptes:administration")).content.decode()


@pytest.mark.parametrize("route", ["portefeuille", "inviter"])
def test_un_geste_ne_se_fait_pas_par_un_lien(client, admin, route):
    assert client.get(reverse(f"comptes:{route}", args=[admin.pk])).status_code == 405


def test_la_liste_coute_le_meme_nombre_de_requetes_pour_une_ou_vingt_personnes(
    client, admin, societe, django_assert_max_num_queries
):
    client.get(reverse("comptes:administration"))
    with django_assert_max_num_queries(40) as seule:
        client.get(reverse("comptes:administration"))
    for _ in range(20):
        ClientFactory(societe=societe, gestionnaire=UtilisateurFactory(societe=societe))
    with django_assert_max_num_queries(len(seule)) as nombreuse:
        client.get(reverse("comptes:administration"))
    assert len(nombreuse) == len(seule)


def test_htmx_ne_recoit_que_la_liste(client, admin):
    reponse = client.get(reverse("comptes:administration"), {"q": admin.nom}, headers={"HX-Request": "true"})
    assert reponse.content.decode().lstrip().startswith('<section class="liste"')
    assert "HX-Request" in reponse["Vary"]


def donnees(societe, **champs):
    base = {"nom": "Nadia Ferrand", "courriel": "N.Ferrand@mercier.example", "langue": "fr", "is_active": "on"}
    return base | {f"role_{societe.pk}": Role.GESTIONNAIRE} | champs


def test_une_personne_creee_recoit_un_lien_et_choisit_son_mot_de_passe(client, admin, societe):
    reponse = client.post(reverse("comptes:utilisateur_nouveau"), donnees(societe))
    personne = Utilisateur.objects.get(courriel="n.ferrand@mercier.example")
    assert (reponse.status_code, personne.affectations.get().role) == (303, Role.GESTIONNAIRE)
    assert mail.outbox[0].to == ["n.ferrand@mercier.example"]
    assert mail.outbox[0].subject == "Recouvrement : choisir votre mot de passe"
    lien = next(ligne for ligne in mail.outbox[0].body.splitlines() if "/compte/password/reset/key/" in ligne)
    client.logout()
    saisie = client.get(lien, follow=True).redirect_chain[-1][0]
    client.post(saisie, {"password1": "une phrase bien longue 42", "password2": "une phrase bien longue 42"})
    assert client.login(username="n.ferrand@mercier.example", password="une phrase bien longue 42")


def test_une_adresse_deja_prise_est_refusee_sans_egard_a_la_casse(client, admin, societe):
    UtilisateurFactory(courriel="n.ferrand@mercier.example")
    reponse = client.post(reverse("comptes:utilisateur_nouveau"), donnees(societe))
    assert reponse.status_code == 422
    assert "déjà un compte" in reponse.content.decode()


def test_un_compte_sans_role_est_refuse(client, admin, societe):
    reponse = client.post(reverse("comptes:utilisateur_nouveau"), donnees(societe, **{f"role_{societe.pk}": ""}))
    assert reponse.status_code == 422
    assert not Utilisateur.objects.filter(nom="Nadia Ferrand").exists()


def test_on_ne_change_pas_les_coordonnees_de_qui_travaille_aussi_ailleurs(client, admin, societe):
    personne = UtilisateurFactory(nom="Karim Saïdi")
    AffectationFactory(personne, societe, Role.LECTEUR)
    client.post(reverse("comptes:utilisateur", args=[personne.pk]), donnees(societe, courriel="pirate@mal.example"))
    personne.refresh_from_db()
    assert personne.nom == "Karim Saïdi"
    assert personne.courriel != "pirate@mal.example"
    assert personne.affectations.get(societe=societe).role == Role.GESTIONNAIRE


def test_on_ne_donne_pas_de_role_dans_une_societe_qu_on_n_administre_pas(client, admin, societe):
    autre = SocieteFactory()
    client.post(
        reverse("comptes:utilisateur", args=[admin.pk]),
        donnees(societe, **{f"role_{societe.pk}": Role.ADMINISTRATEUR, f"role_{autre.pk}": Role.ADMINISTRATEUR}),
    )
    assert not admin.affectations.filter(societe=autre).exists()


def test_le_dernier_administrateur_ne_peut_pas_se_retirer(client, admin, societe):
    reponse = client.post(
        reverse("comptes:utilisateur", args=[admin.pk]),
        donnees(societe, courriel=admin.courriel, **{f"role_{societe.pk}": Role.LECTEUR}),
    )
    assert reponse.status_code == 422
    assert "plus d’administrateur" in reponse.content.decode()


def test_un_portefeuille_se_confie_en_entier_et_dans_sa_seule_societe(client, admin, societe):
    partante, arrivante = UtilisateurFactory(societe=societe), UtilisateurFactory(societe=societe)
    siens = [ClientFactory(societe=societe, gestionnaire=partante) for _ in range(3)]
    ailleurs = ClientFactory(gestionnaire=partante)
    reponse = client.post(
        reverse("comptes:portefeuille", args=[partante.pk]), {"societe": societe.pk, "a": arrivante.pk}
    )
    assert reponse.status_code == 303
    assert Client.objects.filter(gestionnaire=arrivante).count() == len(siens)
    ailleurs.refresh_from_db()
    assert ailleurs.gestionnaire == partante


def test_un_portefeuille_ne_se_confie_pas_a_un_lecteur(client, admin, societe):
    partante = UtilisateurFactory(societe=societe)
    lectrice = UtilisateurFactory(role=Role.LECTEUR, societe=societe)
    ClientFactory(societe=societe, gestionnaire=partante)
    reponse = client.post(
        reverse("comptes:portefeuille", args=[partante.pk]), {"societe": societe.pk, "a": lectrice.pk}
    )
    assert reponse.status_code == 422
    assert Client.objects.get().gestionnaire == partante


# --- Sociétés -----------------------------------------------------------------------------------


def saisie(societe, **champs):
    from recouvrement.comptes.forms import SocieteForm

    formulaire = SocieteForm(instance=societe)
    base = {nom: formulaire[nom].value() for nom in formulaire.fields}
    return {nom: valeur for nom, valeur in (base | champs).items() if valeur not in (None, False)}


def test_une_mention_manquante_est_nommee_et_son_texte_de_loi_aussi(client, admin, societe):
    Societe.objects.filter(pk=societe.pk).update(rcs_ville="")
    contenu = client.get(reverse("comptes:societe", args=[societe.pk])).content.decode()
    assert "1 mention manque" in contenu
    assert "ville du greffe" in contenu
    assert "R123-237" in contenu


def test_le_passage_ne_s_active_pas_tant_qu_une_mention_manque(client, admin, societe):
    adresse = reverse("comptes:societe", args=[societe.pk])
    refus = client.post(adresse, saisie(societe, relances_actives="on", signataire_nom=""))
    assert refus.status_code == 422
    assert "Complétez d’abord : signataire" in refus.content.decode()
    assert client.post(adresse, saisie(societe, relances_actives="on")).status_code == 303
    societe.refresh_from_db()
    assert societe.relances_actives


@pytest.mark.parametrize(
    ("champ", "valeur"),
    [("siren", "123456789"), ("iban", "FR7630006000011234567890188"), ("bic", "X"), ("pays", "ZZ"),
     ("delai_entre_contacts", 61), ("max_amiables", 0), ("max_amiables", 7),
     ("fraicheur_heures", 0), ("fraicheur_heures", 241)],
)  # fmt: skip
def test_un_identifiant_faux_ou_un_frein_hors_bornes_est_refuse_a_son_champ(client, admin, societe, champ, valeur):
    reponse = client.post(reverse("comptes:societe", args=[societe.pk]), saisie(societe, **{champ: valeur}))
    assert reponse.status_code == 422
    assert f'id="id_{champ}_error"' in reponse.content.decode()


def test_le_code_d_une_societe_ne_change_plus(client, admin, societe):
    client.post(reverse("comptes:societe", args=[societe.pk]), saisie(societe, code="autre"))
    societe.refresh_from_db()
    assert societe.code != "autre"


def test_une_societe_neuve_recoit_les_plans_livres_et_rien_ne_part(client, admin):
    champs = saisie(Societe(), code="neuve", raison_sociale="Neuve SAS")
    assert client.post(reverse("comptes:societe_nouvelle"), champs).status_code == 303
    neuve = Societe.objects.get(code="neuve")
    assert Echelle.objects.filter(societe=neuve).count() >= 3
    assert not neuve.relances_actives


# --- Taux ---------------------------------------------------------------------------------------


def test_le_semestre_suivant_s_ajoute_avec_sa_source(client, admin, le_4_janvier_2027):
    page = client.get(reverse("comptes:taux"))
    assert page.context["prochain"] == "2027-S1"
    reponse = client.post(reverse("comptes:taux"), {"refi": "2,65", "source": "Banque de France, page du 02/01/2027"})
    assert reponse.status_code == 303
    assert SemestreConnu.objects.get(semestre="2027-S1").source.startswith("Banque de France")


@pytest.mark.parametrize(
    "champs",
    [
        {"refi": "9,99", "source": "page lue", "confirme": "on"},  # démenti par l'histoire des décisions
        {"refi": "2,65", "source": ""},
        {"source": "page lue"},
        {"refi": "25", "effet_bce": "2026-12-16", "source": "page lue", "confirme": "on"},  # virgule tombée
        {"refi": "4,80", "effet_bce": "2026-12-16", "source": "page lue"},  # écart non confirmé
        {"autres": "2,70", "source": "arrêté"},  # un arrêté fixe les deux taux
    ],
)
def test_un_taux_incoherent_ou_sans_source_est_refuse(client, admin, le_4_janvier_2027, champs):
    reponse = client.post(reverse("comptes:taux"), champs)
    assert reponse.status_code == 422
    assert not SemestreConnu.objects.filter(semestre="2027-S1").exists()


def test_un_semestre_releve_se_corrige_a_l_ecran_avec_son_motif(client, admin, time_machine_2026):
    adresse = f"{reverse('comptes:taux')}?corriger=2026-S2"
    page = client.get(adresse)
    assert page.context["prochain"] == "2026-S2"
    saisie = {"refi": "2,40", "autres": "2,99", "particuliers": "6,99", "source": "arrêté relu"}
    assert client.post(adresse, saisie).status_code == 422  # sans motif
    assert client.post(adresse, saisie | {"motif": "lu sur la mauvaise ligne"}).status_code == 303
    assert str(TauxLegal.objects.get(semestre="2026-S2").autres) == "2.99"
    assert client.get(f"{reverse('comptes:taux')}?corriger=1900-S1").context["prochain"] == "2027-S1"


def test_un_taux_de_la_bce_d_un_semestre_qui_n_a_pas_commence_est_refuse_en_une_phrase(
    client, admin, time_machine_2026
):
    reponse = client.post(reverse("comptes:taux"), {"refi": "2,65", "source": "page lue"})
    assert reponse.status_code == 422
    assert "existe pas encore" in str(reponse.context["formulaire"].errors["refi"])


@pytest.fixture
def le_4_janvier_2027(monkeypatch):
    monkeypatch.setattr("recouvrement.comptes.views.societes.aujourd_hui", lambda: date(2027, 1, 4))


@pytest.fixture
def time_machine_2026():
    import time_machine

    with time_machine.travel("2026-11-20 09:00:00+01:00", tick=False):
        yield
