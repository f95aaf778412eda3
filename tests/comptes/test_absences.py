"""Absence d'une personne : un collègue tient son portefeuille, à son propre nom, et jamais personne ne manque."""

from datetime import date, datetime, time, timedelta

import pytest
from django.core.exceptions import ValidationError
from django.urls import reverse
from django.utils import timezone

from clients.models import Client
from recouvrement.commun import horloge
from recouvrement.comptes.absences import annuler_absence, poser_absence
from recouvrement.comptes.models import Absence, Role
from recouvrement.journal.models import Maillon
from relances.models import Tache
from tests.clients.factories import ClientFactory
from tests.comptes.factories import AffectationFactory, SocieteFactory, UtilisateurFactory

AU = date(2026, 11, 20)
DEMAIN, SEMAINE = AU + timedelta(1), AU + timedelta(7)


@pytest.fixture(autouse=True)
def vendredi(monkeypatch):
    monkeypatch.setattr(horloge, "maintenant", lambda: timezone.make_aware(datetime.combine(AU, time(10))))


@pytest.fixture
def societe(db):
    return SocieteFactory()


@pytest.fixture
def claire(societe):
    return UtilisateurFactory(societe=societe, nom="Claire Bonnet")


@pytest.fixture
def paul(societe):
    return UtilisateurFactory(societe=societe, nom="Paul Vidal")


def poser(personne, remplacant, du=AU, au=SEMAINE, **suite) -> Absence:
    return poser_absence(personne, remplacant=remplacant, du=du, au=au, acteur=personne, le=AU, **suite)


def neuf(personne):
    """La personne relue : ce qui est mémorisé sur elle ne dure qu'une requête."""
    return type(personne).objects.get(pk=personne.pk)


def test_le_remplacant_voit_le_portefeuille_pendant_l_absence_et_pas_apres(societe, claire, paul, monkeypatch):
    client = ClientFactory(societe=societe, gestionnaire=claire)
    ailleurs = ClientFactory(gestionnaire=claire)
    AffectationFactory(claire, ailleurs.societe, Role.LECTEUR)
    absence = poser(claire, paul, DEMAIN, SEMAINE)
    assert list(Client.objects.visibles_pour(neuf(paul))) == []
    for jour, attendu in ((DEMAIN, [client]), (SEMAINE, [client]), (SEMAINE + timedelta(1), [])):
        moment = timezone.make_aware(datetime.combine(jour, time(8)))
        monkeypatch.setattr(horloge, "maintenant", lambda moment=moment: moment)
        assert list(Client.objects.visibles_pour(neuf(paul))) == attendu
        assert list(Client.objects.visibles_pour(neuf(claire)).filter(societe=societe)) == [client]
    monkeypatch.setattr(horloge, "maintenant", lambda: timezone.make_aware(datetime.combine(DEMAIN, time(8))))
    assert annuler_absence(absence, acteur=claire)
    assert not annuler_absence(absence, acteur=claire)
    assert list(Client.objects.visibles_pour(neuf(paul))) == []


def test_le_remplacant_n_entre_que_la_ou_il_a_un_role(societe, claire, paul):
    poser(claire, paul)
    autre = SocieteFactory()
    AffectationFactory(claire, autre)  # venue après : Paul n'y tient aucun rôle
    ClientFactory(societe=autre, gestionnaire=claire)
    assert list(Client.objects.visibles_pour(neuf(paul))) == []


@pytest.mark.parametrize(
    ("du", "au", "champ"),
    [(SEMAINE, AU, "au"), (AU - timedelta(9), AU - timedelta(1), "au"), (AU, AU + timedelta(400), "au")],
)
def test_les_dates_se_tiennent(claire, paul, du, au, champ):
    with pytest.raises(ValidationError) as refus:
        poser(claire, paul, du, au)
    assert champ in refus.value.message_dict


@pytest.mark.parametrize("role", [Role.LECTEUR, None])
def test_le_remplacant_doit_agir_la_ou_l_absent_agit(societe, claire, role):
    with pytest.raises(ValidationError, match="ne peut pas agir"):
        poser(claire, UtilisateurFactory(societe=societe if role else None, role=role))
    with pytest.raises(ValidationError, match="quelqu'un d'autre"):
        poser(claire, claire)


def test_il_doit_agir_dans_toutes_les_societes_de_l_absent(claire, paul):
    AffectationFactory(claire, SocieteFactory(raison_sociale="Filiale"))
    with pytest.raises(ValidationError, match="Filiale"):
        poser(claire, paul)


def test_deux_absences_ne_se_croisent_pas_et_la_meme_ne_s_ecrit_qu_une_fois(societe, claire, paul):
    premiere = poser(claire, paul)
    assert poser(claire, paul) == premiere
    marie = UtilisateurFactory(societe=societe)
    for du, au in ((AU, AU), (SEMAINE, SEMAINE + timedelta(3))):
        with pytest.raises(ValidationError, match="déjà notée"):
            poser(claire, marie, du, au)
    assert poser(claire, marie, SEMAINE + timedelta(1), SEMAINE + timedelta(2)).pk


def test_ni_chaine_ni_boucle(societe, claire, paul):
    marie = UtilisateurFactory(societe=societe, nom="Marie Duval")
    poser(claire, paul)
    with pytest.raises(ValidationError, match="est absent"):
        poser(paul, claire)  # boucle
    with pytest.raises(ValidationError, match="remplace Claire Bonnet"):
        poser(paul, marie)  # chaîne : le portefeuille de Claire n'aurait plus personne
    with pytest.raises(ValidationError, match="est absent"):
        poser(marie, claire)
    assert Absence.objects.count() == 1


def test_une_absence_se_lit_au_journal_de_chaque_societe(societe, claire, paul):
    annuler_absence(poser(claire, paul), acteur=paul)
    faits = Maillon.objects.filter(societe=societe, action__startswith="absence.").order_by("rang")
    assert [(m.action, m.acteur) for m in faits] == [("absence.notee", claire), ("absence.annulee", paul)]


# --- Écrans ---------------------------------------------------------------------------------------------


def test_chacun_note_sa_propre_absence_et_l_annule(client, claire, paul):
    client.force_login(claire)
    url = reverse("comptes:absence_poser")
    saisie = {"du": AU, "au": SEMAINE, "remplacant": paul.pk, "motif": "Congés"}
    assert client.post(url, saisie).status_code == 303
    page = client.get(reverse("comptes:preferences")).content.decode()
    assert "Du 20/11/2026 au 27/11/2026, remplacé par Paul Vidal" in page
    absence = Absence.objects.get()
    assert (absence.utilisateur, absence.auteur) == (claire, claire)
    assert client.post(reverse("comptes:absence_annuler", args=[absence.pk])).status_code == 303
    absence.refresh_from_db()
    assert absence.annulee_le


def test_une_absence_refusee_garde_la_saisie(client, claire, paul):
    client.force_login(claire)
    page = client.post(
        reverse("comptes:absence_poser"), {"du": SEMAINE, "au": AU, "remplacant": paul.pk, "motif": "Congés"}
    )
    assert page.status_code == 422
    assert "La fin ne peut pas précéder le début." in page.content.decode()
    assert "Congés" in page.content.decode()


def test_un_administrateur_note_celle_d_un_autre_et_de_personne_d_ailleurs(client, societe, claire, paul):
    chef = UtilisateurFactory(societe=societe, role=Role.ADMINISTRATEUR)
    client.force_login(chef)
    url = reverse("comptes:absences_de", args=[claire.pk])
    assert client.get(url).status_code == 200
    assert client.post(url, {"du": AU, "au": AU, "remplacant": paul.pk}).status_code == 303
    assert Absence.objects.get().auteur == chef
    assert client.get(reverse("comptes:absences_de", args=[UtilisateurFactory().pk])).status_code == 404


def test_l_absence_d_un_autre_est_introuvable_pour_qui_ne_l_administre_pas(client, societe, claire, paul):
    absence = poser(claire, paul)
    for personne in (paul, UtilisateurFactory(societe=societe, role=Role.RESPONSABLE),
                     UtilisateurFactory(role=Role.ADMINISTRATEUR)):  # fmt: skip
        client.force_login(personne)
        assert client.post(reverse("comptes:absence_annuler", args=[absence.pk])).status_code == 404
    assert client.get(reverse("comptes:absence_annuler", args=[absence.pk])).status_code == 405


def test_un_remplacant_etranger_a_la_societe_n_est_pas_proposable(client, claire):
    client.force_login(claire)
    intrus = UtilisateurFactory()
    page = client.post(reverse("comptes:absence_poser"), {"du": AU, "au": AU, "remplacant": intrus.pk})
    assert page.status_code == 422
    assert not Absence.objects.exists()


def test_la_journee_du_remplacant_le_dit_et_ce_qu_il_fait_est_a_son_nom(client, societe, claire, paul):
    debiteur = ClientFactory(societe=societe, gestionnaire=claire, raison_sociale="Belcourt")
    tache = Tache.objects.create(societe=societe, client=debiteur, genre="appel", titre="Appeler", due_le=AU, cle="a")
    poser(claire, paul)
    client.force_login(paul)
    page = client.get("/").content.decode()
    assert "Vous remplacez Claire Bonnet jusqu’au vendredi 27/11/2026." in page
    assert "Belcourt" in page and "client de Claire Bonnet, absent" in page
    assert client.post(reverse("pilotage:tache_faite", args=[tache.pk])).status_code == 303
    tache.refresh_from_db()
    assert tache.faite_par == paul
    client.force_login(claire)
    assert "Paul Vidal tient votre portefeuille" in client.get("/").content.decode()
