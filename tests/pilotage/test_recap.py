"""Le récapitulatif du matin : à l'heure, une fois, à qui il sert ; les seuils se disent une fois."""

from datetime import date, datetime, time, timedelta
from decimal import Decimal
from email.message import EmailMessage

import pytest
from django.urls import reverse
from django.utils import timezone

from recouvrement.comptes.models import Absence, Affectation, Recap, Role, Utilisateur
from recouvrement.pilotage import alertes, recap
from relances.models import Tache
from tests.clients.factories import ClientFactory
from tests.comptes.factories import AffectationFactory, SocieteFactory, UtilisateurFactory
from tests.factures.factories import EcheanceFactory, EncaissementFactory
from tests.outils.smtp import Mode

AU = date(2026, 11, 20)
S = Recap.Statut


def a(heure: int, minute: int = 0, jour: date = AU) -> datetime:
    return timezone.make_aware(datetime.combine(jour, time(heure, minute)))


@pytest.fixture(autouse=True)
def vendredi(time_machine):
    time_machine.move_to(a(7, 10), tick=False)


@pytest.fixture
def smtp(smtp_pair, settings):
    settings.EMAIL_BACKEND = "django.core.mail.backends.smtp.EmailBackend"
    settings.EMAIL_HOST, settings.EMAIL_PORT = "127.0.0.1", smtp_pair.port
    settings.EMAIL_HOST_USER = settings.EMAIL_HOST_PASSWORD = ""
    settings.EMAIL_USE_TLS = settings.EMAIL_USE_SSL = False
    settings.EMAIL_TIMEOUT = 2
    return smtp_pair


@pytest.fixture
def societe(db):
    return SocieteFactory(raison_sociale="Ateliers Mercier")


@pytest.fixture
def claire(societe):
    return UtilisateurFactory(societe=societe, nom="Claire Bonnet")


def debiteur(claire, nom, montant=1000, jours=10, **champs):
    societe = claire.affectations.get().societe
    client = ClientFactory(societe=societe, gestionnaire=claire, raison_sociale=nom, **champs)
    EcheanceFactory(client=client, echue_le=AU - timedelta(jours), montant=montant)
    return client


def a_faire(claire, nom, **champs):
    client = debiteur(claire, nom, **champs)
    Tache.objects.create(societe=client.societe, client=client, genre="appel", titre="Appeler", due_le=AU, cle="a")
    return client


def corps(message: EmailMessage) -> str:
    return message.get_content().replace("\u00a0", " ").replace("\u202f", " ").replace("\r\n", "\n")


# --- Quand, à qui -------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("moment", "attendu"),
    [
        (a(6, 59), False), (a(7), True), (a(11, 40), True), (a(17, 59), True), (a(18), False),
        (a(9, jour=date(2026, 11, 21)), False), (a(9, jour=date(2026, 11, 11)), False),
    ],
    ids=["trop tôt", "sept heures", "rattrapé", "tard", "trop tard", "samedi", "férié"],
)  # fmt: skip
def test_de_sept_a_dix_huit_heures_un_jour_ouvre(claire, moment, attendu):
    assert recap.dus(moment) == ([claire.pk] if attendu else [])


def test_ni_qui_l_a_coupe_ni_un_absent_ni_un_compte_ferme_ni_un_inconnu(societe, claire):
    UtilisateurFactory(societe=societe, recap_quotidien=False)
    UtilisateurFactory(societe=societe, is_active=False)
    UtilisateurFactory(role=None)
    absente = UtilisateurFactory(societe=societe)
    Absence.objects.create(utilisateur=absente, remplacant=claire, du=AU, au=AU, auteur=claire)
    AffectationFactory(claire, SocieteFactory())  # deux rôles, un courriel
    assert recap.dus(a(8)) == [claire.pk]


# --- Ce qu'il dit -------------------------------------------------------------------------------------------


def test_sa_journee_en_chiffres_et_les_dix_premieres_lignes_texte_seul(smtp, claire):
    for n in range(12):
        a_faire(claire, f"Client {n:02d}", montant=1000 + 100 * n)
    assert recap.envoyer(claire.pk, au=AU) == S.ENVOYE
    (message,) = smtp.messages
    dit = corps(message)
    assert message["To"] == claire.courriel
    assert message["Subject"] == "Vendredi 20/11/2026 : 12 clients à voir"
    assert message.get_content_type() == "text/plain"
    assert "12 clients vous attendent : 0 d'abord, 12 aujourd'hui, 0 peut attendre." in dit
    assert "Appels 12" in dit
    assert "1. Client 11 · 2 100,00 € échus, 10 j de retard\n   Appeler" in dit
    assert "10. Client 02" in dit and "Client 01" not in dit and "… et 2 autres." in dit
    assert reverse("comptes:preferences") in dit and "http" in dit
    fait = Recap.objects.get()
    assert (fait.statut, fait.message_id) == (S.ENVOYE, message["Message-ID"])


def test_le_remplacant_recoit_la_journee_de_l_absent(smtp, societe, claire):
    paul = UtilisateurFactory(societe=societe)
    a_faire(claire, "Belcourt")
    Absence.objects.create(utilisateur=claire, remplacant=paul, du=AU, au=AU, auteur=claire)
    assert recap.dus(a(8)) == [paul.pk]
    recap.envoyer(paul.pk, au=AU)
    assert "client de Claire Bonnet, absent" in corps(smtp.messages[0])


def test_rien_a_dire_rien_n_est_envoye(smtp, claire):
    debiteur(claire, "Belcourt")
    assert recap.envoyer(claire.pk, au=AU) == S.RIEN
    assert smtp.messages == []
    assert recap.dus(a(9)) == []


def test_il_parle_la_langue_de_la_personne(smtp, claire):
    Utilisateur.objects.filter(pk=claire.pk).update(langue="en")
    a_faire(claire, "Belcourt")
    recap.envoyer(claire.pk, au=AU)
    assert "1,000.00" in corps(smtp.messages[0])


# --- Jamais deux fois -----------------------------------------------------------------------------------------


def test_deux_processus_un_courriel(smtp, claire):
    a_faire(claire, "Belcourt")
    assert [recap.envoyer(claire.pk, au=AU) for _ in range(3)] == [S.ENVOYE] * 3
    assert len(smtp.messages) == 1
    assert recap.dus(a(9)) == []


@pytest.mark.parametrize(
    ("mode", "statut", "rejoue"),
    [
        (Mode.REFUSE, S.EN_ERREUR, False),
        (Mode.REFUSE_DESTINATAIRE, S.EN_ERREUR, False),
        (Mode.REPORTE, S.EN_ERREUR, True),
        (Mode.BLOQUE, S.INCERTAIN, False),
        (Mode.MEURT_APRES, S.INCERTAIN, False),
    ],
)
def test_un_sort_inconnu_ne_se_rejoue_pas_un_refus_passager_si(smtp, claire, mode, statut, rejoue):
    a_faire(claire, "Belcourt")
    smtp.mode = mode
    assert recap.envoyer(claire.pk, au=AU) == statut
    smtp.mode = Mode.ACCEPTE
    smtp.vider()
    assert recap.dus(a(9)) == ([claire.pk] if rejoue else [])
    assert recap.envoyer(claire.pk, au=AU) == (S.ENVOYE if rejoue else statut)
    assert len(smtp.messages) == rejoue


@pytest.mark.parametrize(("message_id", "statut"), [("", S.EN_ERREUR), ("<x@y>", S.INCERTAIN)])
def test_un_processus_tue_se_dit_et_ne_se_rejoue_que_si_rien_n_a_commence(claire, settings, message_id, statut):
    Recap.objects.create(utilisateur=claire, jour=AU, statut=S.EN_COURS, message_id=message_id)
    assert recap.reprendre_les_interrompus() == 0  # le bail court encore
    settings.BAIL_ENVOI_SECONDES = -1
    assert recap.chaque_matin(a(9)) == ([] if message_id else [claire.pk])
    assert Recap.objects.get().statut == statut


def test_une_composition_impossible_ne_prive_pas_du_lendemain(smtp, claire, monkeypatch):
    a_faire(claire, "Belcourt")
    monkeypatch.setattr(recap.recap_texte, "ecrire", lambda *_a, **_k: 1 / 0)
    assert recap.envoyer(claire.pk, au=AU) == S.EN_ERREUR
    monkeypatch.undo()
    assert recap.envoyer(claire.pk, au=AU) == S.ENVOYE


# --- Seuils d'un responsable ------------------------------------------------------------------------------------


@pytest.fixture
def chef(societe):
    chef = UtilisateurFactory(societe=societe, role=Role.RESPONSABLE, nom="Anne Roy")
    Affectation.objects.filter(utilisateur=chef).update(alerte_echu=Decimal(5000), alerte_retard_jours=60)
    return chef


def test_ce_qui_franchit_un_seuil_se_dit_avec_sa_mesure(smtp, claire, chef):
    debiteur(claire, "Gros", montant=8000)
    debiteur(claire, "Juste", montant=5000, jours=60)
    debiteur(claire, "Vieux", montant=10, jours=61)
    plafonne = debiteur(claire, "Plafonné", montant=900, plafond=Decimal(800))
    EncaissementFactory(client=debiteur(claire, "Crédité", montant=900, plafond=Decimal(800)), montant=100, date=AU)
    assert recap.envoyer(chef.pk, au=AU) == S.ENVOYE
    dit = corps(smtp.messages[0])
    assert smtp.messages[0]["Subject"] == "Vendredi 20/11/2026 : 3 seuils franchis"
    assert "- Gros · Ateliers Mercier · suivi par Claire Bonnet\n   8 000,00 € échus, seuil 5 000,00 €" in dit
    assert "61 jours de retard, seuil 60" in dit
    assert "encours de 900,00 €, plafond 800,00 €" in dit and "Crédité" not in dit and "Juste" not in dit
    assert Recap.objects.get().alertes[str(plafonne.pk)] == ["plafond"]


def test_ce_qui_dure_ne_se_redit_pas_ce_qui_revient_si(smtp, claire, chef):
    gros = debiteur(claire, "Gros", montant=8000)
    assert recap.envoyer(chef.pk, au=AU) == S.ENVOYE
    lundi, mardi, mercredi = (AU + timedelta(n) for n in (3, 4, 5))
    assert recap.envoyer(chef.pk, au=lundi) == S.RIEN
    gros.echeances.update(impute=Decimal(4000))
    assert recap.envoyer(chef.pk, au=mardi) == S.RIEN
    gros.echeances.update(impute=Decimal(0))
    assert recap.envoyer(chef.pk, au=mercredi) == S.ENVOYE
    assert len(smtp.messages) == 2


def test_une_alerte_partie_dans_un_courriel_perdu_se_redit(smtp, claire, chef):
    debiteur(claire, "Gros", montant=8000)
    smtp.mode = Mode.BLOQUE
    assert recap.envoyer(chef.pk, au=AU) == S.INCERTAIN
    smtp.mode = Mode.ACCEPTE
    assert recap.envoyer(chef.pk, au=AU + timedelta(3)) == S.ENVOYE


def test_deux_devises_ne_s_additionnent_pas(claire, chef):
    client = debiteur(claire, "Deux devises", montant=3000)
    EcheanceFactory(client=client, echue_le=AU - timedelta(5), montant=3000, devise="GBP")
    assert alertes.franchies(chef, au=AU) == {}


@pytest.mark.parametrize("role", [Role.GESTIONNAIRE, Role.LECTEUR])
def test_les_seuils_ne_concernent_que_qui_dirige(claire, societe, role):
    autre = UtilisateurFactory(societe=societe, role=role)
    Affectation.objects.filter(utilisateur=autre).update(alerte_echu=1)
    debiteur(claire, "Gros", montant=8000)
    assert alertes.franchies(autre, au=AU) == {}


def test_un_responsable_ne_sait_rien_d_une_autre_societe(claire):
    ailleurs = UtilisateurFactory(role=Role.RESPONSABLE)
    Affectation.objects.filter(utilisateur=ailleurs).update(alerte_echu=1)
    debiteur(claire, "Gros", montant=8000)
    assert alertes.franchies(ailleurs, au=AU) == {}


# --- Préférences ----------------------------------------------------------------------------------------------


def test_chacun_le_coupe_et_le_responsable_regle_ses_seuils(client, chef, claire):
    client.force_login(chef)
    sienne = chef.affectations.get()
    page = client.get(reverse("comptes:preferences"))
    assert page.status_code == 200 and "Récapitulatif du matin" in page.content.decode()
    saisie = {f"alerte{sienne.pk}-alerte_echu": "1 250,50", f"alerte{sienne.pk}-alerte_retard_jours": ""}
    assert client.post(reverse("comptes:preferences"), saisie).status_code == 303
    chef.refresh_from_db()
    sienne.refresh_from_db()
    assert (chef.recap_quotidien, sienne.alerte_echu, sienne.alerte_retard_jours) == (False, Decimal("1250.50"), None)
    assert not sienne.alerte_plafond
    client.force_login(claire)
    assert "alerte_echu" not in client.get(reverse("comptes:preferences")).content.decode()
    mauvais = client.post(reverse("comptes:preferences"), {"recap-recap_quotidien": "on"})
    assert mauvais.status_code == 303
    claire.refresh_from_db()
    assert claire.recap_quotidien


def test_un_seuil_illisible_se_refuse_sans_rien_ecrire(client, chef):
    client.force_login(chef)
    sienne = chef.affectations.get()
    page = client.post(reverse("comptes:preferences"), {f"alerte{sienne.pk}-alerte_echu": "beaucoup"})
    assert page.status_code == 422
    chef.refresh_from_db()
    sienne.refresh_from_db()
    assert (chef.recap_quotidien, sienne.alerte_echu) == (True, Decimal(5000))
