"""Les SMS : numéros, heures, fournisseurs, opposition, plafond ; un palier en SMS part ou prend le canal suivant."""

import json
from datetime import date, datetime, time, timedelta
from zoneinfo import ZoneInfo

import pytest
from django.core.exceptions import ImproperlyConfigured
from django.utils import timezone
from hypothesis import given
from hypothesis import strategies as st
from time_machine import travel

from clients.models import OppositionSms
from factures.domaine.calendrier import jour_ouvre_suivant
from recouvrement.commun import sms as canal
from recouvrement.journal.models import Maillon
from relances.domaine.sms_regles import avec_mention, mobile, moment_permis
from relances.models import Courrier, Message, Palier, Passage, ReglageSms, Relance, Tache
from relances.services import envoi, messages, nuit, sms
from tests.clients.factories import ClientFactory, ContactFactory
from tests.comptes.factories import SocieteFactory, UtilisateurFactory
from tests.factures.factories import EcheanceFactory

PARIS = ZoneInfo("Europe/Paris")
MARDI = date(2026, 2, 10)
ONZE_HEURES = "2026-02-10 11:00 +0100"
S = Courrier.Statut


@pytest.mark.parametrize(
    ("ecrit", "lu"),
    [
        ("06 12 34 56 78", "+33612345678"), ("07.12.34.56.78", "+33712345678"), ("+33 (0)6 12345678", "+33612345678"),
        ("0033612345678", "+33612345678"), ("+33612345678", "+33612345678"), ("0692 12 34 56", "+262692123456"),
        ("0690123456", "+590690123456"), ("+594694123456", "+594694123456"), ("+33 690 12 34 56", "+590690123456"),
        ("01 23 45 67 89", ""), ("0700123456", ""), ("+44 7700 900123", ""), ("36111", ""), ("", ""), ("06 12 34", ""),
        ("612345678", ""), ("+262612345678", ""), ("06 12 34 56 78 ou 01 23 45 67 89", ""),
    ],
)  # fmt: skip
def test_seul_un_mobile_francais_recoit_un_sms(ecrit, lu):
    assert mobile(ecrit) == lu


@given(st.text(max_size=200))
def test_un_numero_quelconque_ne_fait_rien_tomber(texte):
    assert mobile(texte) == "" or mobile(mobile(texte)) == mobile(texte)


@pytest.mark.parametrize(
    ("moment", "attendu"),
    [
        ((2026, 2, 10, 11, 0), (2026, 2, 10, 11, 0)), ((2026, 2, 10, 7, 59), (2026, 2, 10, 10, 0)),
        ((2026, 2, 10, 18, 0), (2026, 2, 11, 10, 0)), ((2026, 2, 14, 12, 0), (2026, 2, 16, 10, 0)),
        ((2026, 12, 24, 19, 0), (2026, 12, 28, 10, 0)), ((2026, 4, 30, 18, 30), (2026, 5, 4, 10, 0)),
    ],
)  # fmt: skip
def test_hors_des_heures_et_des_jours_ouvres_un_sms_attend(moment, attendu):
    permis = moment_permis(datetime(*moment, tzinfo=PARIS), time(10), time(18), jour_ouvre_suivant)
    assert permis == datetime(*attendu, tzinfo=PARIS)


def test_les_bornes_de_la_maison_l_emportent_sur_un_reglage_plus_large():
    tot = datetime(2026, 2, 10, 6, 0, tzinfo=PARIS)
    assert moment_permis(tot, time(5), time(23), jour_ouvre_suivant).hour == 8
    tard = datetime(2026, 2, 10, 20, 0, tzinfo=PARIS)
    assert moment_permis(tard, time(5), time(23), jour_ouvre_suivant).date() == date(2026, 2, 11)


def test_la_mention_d_opposition_ne_se_repete_pas():
    assert avec_mention("Bonjour", "STOP au 36000") == "Bonjour STOP au 36000"
    assert avec_mention("Bonjour, stop 36000", "STOP au 36000") == "Bonjour, stop 36000"
    assert avec_mention("Bonjour", "") == "Bonjour"


# --- Le fournisseur -------------------------------------------------------------------------------


def test_sans_fournisseur_un_sms_s_ecrit_une_seule_fois(settings, tmp_path):
    settings.SMS_DOSSIER = tmp_path / "sms"
    fichier = canal.fournisseur()
    assert fichier.envoyer("+33612345678", "Bonjour", "ref/../1", expediteur="ACME").reponse == "écrit"
    assert fichier.envoyer("+33612345678", "Bonjour", "ref/../1").reponse == "déjà écrit"
    (ecrit,) = (tmp_path / "sms").iterdir()
    assert json.loads(ecrit.read_text())["texte"] == "Bonjour"


@pytest.mark.parametrize(
    ("statut", "corps", "issue"),
    [
        (200, {"id": "42"}, "42"), (202, {}, "ref"), (429, {}, "passager"), (401, {}, "passager"),
        (400, {"error": "opted_out"}, "oppose"), (422, {"error": "invalid_number"}, "numero"), (302, {}, "refus"),
        (500, {}, "incertain"), (503, {}, "passager"),
    ],
)  # fmt: skip
def test_la_reponse_du_fournisseur_se_juge_honnetement(statut, corps, issue):
    if issue == "incertain":
        with pytest.raises(canal.SmsIncertain):
            canal._juger(statut, corps, "ref")
    elif issue in ("passager", "oppose", "numero", "refus"):
        with pytest.raises(canal.SmsRefuse) as refus:
            canal._juger(statut, corps, "ref")
        assert issue == "refus" or getattr(refus.value, issue)
    else:
        assert canal._juger(statut, corps, "ref").identifiant == issue


def test_un_fournisseur_se_branche_en_https_seulement(settings):
    settings.FOURNISSEUR_SMS, settings.SMS_URL = "http", "http://exemple.fr/"
    with pytest.raises(ImproperlyConfigured):
        canal.fournisseur()
    settings.FOURNISSEUR_SMS = "rien.du.tout"
    with pytest.raises(ImproperlyConfigured):
        canal.fournisseur()
    settings.FOURNISSEUR_SMS, settings.SMS_URL = "http", "https://127.0.0.1:9/envoi"
    with pytest.raises(canal.SmsRefuse) as refus:
        canal.fournisseur().envoyer("+33612345678", "Bonjour", "r")
    assert refus.value.passager


# --- Le palier ------------------------------------------------------------------------------------


class Faux:
    code = "faux"

    def __init__(self):
        self.partis, self.leve = [], None

    def envoyer(self, numero, texte, reference, *, expediteur=""):
        if self.leve:
            raise self.leve
        self.partis.append((numero, texte, reference, expediteur))
        return canal.RemiseSms(f"id-{len(self.partis)}", "accepté")


@pytest.fixture
def faux(monkeypatch):
    faux = Faux()
    monkeypatch.setattr(canal, "fournisseur", lambda: faux)
    return faux


def allumer(societe, **champs) -> ReglageSms:
    return ReglageSms.objects.create(societe=societe, actif=True, **champs)


def un_client(*, telephone="06 12 34 56 78", sms_actif=True, particulier=False, **champs):
    echeance = EcheanceFactory(echue_le=MARDI - timedelta(days=60), **champs)
    client = echeance.facture.client
    client.telephone = telephone
    client.save(update_fields=["telephone"])
    Palier.objects.filter(version__echelle__societe=client.societe, nature=2).update(canaux=["sms", "courriel"])
    if sms_actif:
        allumer(client.societe)
    return client


def passer(societe, au=MARDI) -> Courrier:
    passage = nuit.ouvrir_passage(societe, au=au, genre=Passage.Genre.REJOUE)
    nuit.relancer(societe, au=au, passage=passage)
    return Courrier.objects.latest("pk")


@pytest.mark.django_db
class TestPalierEnSms:
    @travel(ONZE_HEURES, tick=False)
    def test_il_part_une_fois_au_mobile_en_alphabet_du_sms(self, faux):
        client = un_client()
        courrier = passer(client.societe)
        assert (courrier.canal, courrier.statut) == ("sms", S.A_ENVOYER)
        assert envoi.envoyer(courrier.pk, au=MARDI) == S.ENVOYE
        assert envoi.envoyer(courrier.pk, au=MARDI) == S.ENVOYE
        ((numero, texte, reference, _de),) = faux.partis
        courrier.refresh_from_db()
        assert numero == courrier.destinataire == "+33612345678"
        assert reference == f"sms-{courrier.jeton}" and texte == courrier.texte
        assert not courrier.pdf_chemin
        assert set(courrier.relances.values_list("statut", flat=True)) == {Relance.Statut.ENVOYEE}

    def test_exigence_21_sans_sms_active_le_plan_prend_le_canal_suivant(self, faux):
        client = un_client(sms_actif=False)
        assert passer(client.societe).canal == "courriel"

    @pytest.mark.parametrize("obstacle", ["fixe", "oppose", "plafond"])
    @travel(ONZE_HEURES, tick=False)
    def test_exigence_21_sans_mobile_oppose_ou_au_plafond_le_plan_prend_le_canal_suivant(self, faux, obstacle):
        client = un_client(telephone="01 23 45 67 89" if obstacle == "fixe" else "0612345678")
        if obstacle == "oppose":
            assert sms.s_opposer(client.societe, "06 12 34 56 78", source="stop")
        if obstacle == "plafond":
            ReglageSms.objects.update(par_mois_max=0)
        assert passer(client.societe).canal == "courriel"

    @travel(ONZE_HEURES, tick=False)
    def test_exigence_21_un_stop_recu_entre_temps_met_en_erreur_puis_le_courriel_prend_le_relais(self, faux):
        client = un_client()
        courrier = passer(client.societe)
        sms.s_opposer(client.societe, "0612345678", source="stop")
        assert envoi.envoyer(courrier.pk, au=MARDI) == S.EN_ERREUR
        courrier.refresh_from_db()
        assert "ne veut plus de SMS" in courrier.erreur and not faux.partis
        suivant = passer(client.societe, au=MARDI + timedelta(days=1))
        assert (suivant.canal, suivant.pk > courrier.pk) == ("courriel", True)

    def test_hors_des_heures_il_attend_et_le_dit(self, faux):
        client = un_client()
        with travel("2026-02-10 08:30 +0100", tick=False):
            courrier = passer(client.societe)
            assert envoi.envoyer(courrier.pk, au=MARDI) == S.A_ENVOYER
            courrier.refresh_from_db()
            assert "hors des heures permises" in courrier.erreur and courrier.tentatives == 0
        with travel("2026-02-10 10:00 +0100", tick=False):
            assert envoi.envoyer(courrier.pk, au=MARDI) == S.ENVOYE

    @travel(ONZE_HEURES, tick=False)
    def test_le_stop_que_rapporte_le_fournisseur_s_inscrit(self, faux):
        client = un_client()
        courrier = passer(client.societe)
        faux.leve = canal.SmsRefuse("opposé", oppose=True)
        assert envoi.envoyer(courrier.pk, au=MARDI) == S.EN_ERREUR
        assert OppositionSms.objects.get().source == "fournisseur"

    @travel(ONZE_HEURES, tick=False)
    def test_une_coupure_pendant_la_remise_laisse_un_sort_inconnu_jamais_rejoue(self, faux):
        client = un_client()
        courrier = passer(client.societe)
        faux.leve = canal.SmsIncertain("coupé")
        assert envoi.envoyer(courrier.pk, au=MARDI) == S.INCERTAIN
        faux.leve = None
        assert envoi.envoyer(courrier.pk, au=MARDI) == S.INCERTAIN and not faux.partis

    @travel(ONZE_HEURES, tick=False)
    def test_un_adaptateur_qui_plante_ne_se_rejoue_pas(self, faux):
        client = un_client()
        courrier = passer(client.societe)
        faux.leve = KeyError("x")
        assert envoi.envoyer(courrier.pk, au=MARDI) == S.INCERTAIN

    @travel(ONZE_HEURES, tick=False)
    def test_un_fournisseur_injoignable_se_reessaie(self, faux):
        client = un_client()
        courrier = passer(client.societe)
        faux.leve = canal.SmsRefuse("injoignable", passager=True)
        assert envoi.envoyer(courrier.pk, au=MARDI) == S.A_ENVOYER
        faux.leve = None
        assert envoi.envoyer(courrier.pk, au=MARDI) == S.ENVOYE and len(faux.partis) == 1

    def test_le_contact_des_relances_recoit_avant_le_compte(self, faux, django_assert_num_queries):
        client = un_client(telephone="0612345678")
        ContactFactory(client=client, recoit_relances=True, telephone="0712345678")
        autres = [ClientFactory(societe=client.societe, telephone="0611111111") for _ in range(20)]
        assert sms.numeros([client])[client.pk] == "+33712345678"
        with django_assert_num_queries(5):
            assert sms.joignables(client.societe, [client, *autres], au=MARDI) == {client.pk, *(c.pk for c in autres)}


# --- Hors de l'échelle ----------------------------------------------------------------------------


def un_message(client, **champs) -> Message:
    defauts = {"genre": "promesse", "cle": "p:1", "destinataire": client.telephone, "objet": "", "texte": "Noté. Merci"}
    message = messages.ecrire(client, support="sms", **(defauts | champs))
    Message.objects.filter(pk=message.pk).update(pas_avant=timezone.now())
    return message


@pytest.mark.django_db
class TestMessageSms:
    @travel(ONZE_HEURES, tick=False)
    def test_il_part_une_fois(self, faux):
        client = ClientFactory(telephone="0612345678")
        allumer(client.societe, expediteur="ACME")
        message = un_message(client)
        assert messages.expedier(message.pk, moment=timezone.now()) == "envoye"
        assert messages.expedier(message.pk, moment=timezone.now()) == "envoye"
        assert faux.partis == [("+33612345678", "Noté. Merci", f"sms-{message.jeton}", "ACME")]

    def test_hors_des_heures_il_attend_un_code_non(self, faux):
        client = ClientFactory(telephone="0612345678")
        allumer(client.societe)
        with travel("2026-02-10 21:00 +0100", tick=False):
            message = un_message(client)
            assert messages.expedier(message.pk, moment=timezone.now()) == "a_envoyer"
            message.refresh_from_db()
            assert timezone.localtime(message.pas_avant) == datetime(2026, 2, 11, 10, 0, tzinfo=PARIS)
            code = un_message(client, genre="code", cle="c:1")
            assert messages.expedier(code.pk, moment=timezone.now()) == "envoye"
        with travel("2026-02-11 10:01 +0100", tick=False):
            assert messages.expedier(message.pk, moment=timezone.now()) == "envoye"

    @travel(ONZE_HEURES, tick=False)
    def test_exigence_21_impossible_il_le_dit_et_une_tache_le_donne_a_une_personne(self, faux):
        client = ClientFactory(telephone="0123456789")
        allumer(client.societe)
        message = un_message(client)
        assert messages.expedier(message.pk, moment=timezone.now()) == "en_erreur"
        message.refresh_from_db()
        assert "mobile" in message.erreur
        assert Tache.objects.get(client=client, faite_le=None).cle == f"sms:{message.pk}"

    @travel(ONZE_HEURES, tick=False)
    def test_le_plafond_du_mois_compte_courriers_et_messages(self, faux):
        client = ClientFactory(telephone="0612345678")
        allumer(client.societe, par_mois_max=1)
        premier, second = un_message(client), un_message(client, cle="p:2")
        assert messages.expedier(premier.pk, moment=timezone.now()) == "envoye"
        assert messages.expedier(second.pk, moment=timezone.now()) == "en_erreur"


# --- L'opposition ---------------------------------------------------------------------------------


@pytest.mark.django_db
def test_une_opposition_se_pose_une_fois_se_leve_et_se_consigne():
    societe, acteur = SocieteFactory(), UtilisateurFactory()
    assert sms.s_opposer(societe, "06 12 34 56 78", source="personne", acteur=acteur)
    assert not sms.s_opposer(societe, "+33612345678", source="stop")
    assert not sms.s_opposer(societe, "0123456789", source="stop")
    assert sms.lever_opposition(societe, "0612345678", acteur=acteur)
    assert not sms.lever_opposition(societe, "0612345678", acteur=acteur)
    assert not OppositionSms.objects.en_vigueur().exists()
    assert set(Maillon.objects.values_list("action", flat=True)) >= {"sms.opposition", "sms.opposition_levee"}


@pytest.mark.django_db
def test_une_opposition_ne_vaut_que_pour_sa_societe():
    ici, ailleurs = SocieteFactory(), SocieteFactory()
    sms.s_opposer(ici, "0612345678", source="stop")
    client = ClientFactory(societe=ailleurs, telephone="0612345678")
    allumer(ailleurs)
    assert sms.joignables(ailleurs, [client], au=MARDI) == {client.pk}
