"""Gestes sur un client : une règle par essai."""

from datetime import date, timedelta
from functools import partial

import pytest
from django.core.exceptions import ValidationError
from django.utils import timezone

from clients import services
from clients.models import Client, Contact, Note, Suspension, TypeDebiteur
from recouvrement.journal.models import Maillon
from recouvrement.journal.services import verifier_chaine
from tests.clients.factories import ClientFactory, ContactFactory
from tests.comptes.factories import UtilisateurFactory

pytestmark = pytest.mark.django_db
JOUR = date(2026, 11, 20)


@pytest.fixture
def client_():
    return ClientFactory()


@pytest.fixture
def acteur(client_):
    return UtilisateurFactory(societe=client_.societe)


def actions(client) -> list[str]:
    return list(Maillon.objects.filter(client_id=client.pk).order_by("rang").values_list("action", flat=True))


def test_exigence_17_une_suspension_porte_motif_auteur_et_fin(client_, acteur):
    s = services.suspendre(client_, motif=" Accord en cours ", du=JOUR, au=JOUR + timedelta(10), acteur=acteur)

    assert (s.motif, s.auteur, s.au) == ("Accord en cours", acteur, date(2026, 11, 30))
    assert actions(client_) == ["client.suspendu"]
    maillon = Maillon.objects.get()
    assert (maillon.acteur, maillon.detail.texte) == (acteur, "Accord en cours")
    assert maillon.detail.donnees == {"du": "2026-11-20", "au": "2026-11-30"}


@pytest.mark.parametrize(("jours", "en_cours"), [(-1, False), (0, True), (10, True), (11, False)])
def test_exigence_17_a_la_fin_le_client_rentre_seul(client_, acteur, jours, en_cours):
    services.suspendre(client_, motif="Accord", du=JOUR, au=JOUR + timedelta(10), acteur=acteur)

    lu = Client.objects.with_est_suspendu(JOUR + timedelta(jours)).get(pk=client_.pk)

    assert lu.est_suspendu is en_cours


@pytest.mark.parametrize(
    ("motif", "fin", "champ"),
    [
        ("  ", JOUR, "motif"),
        ("Accord", JOUR - timedelta(1), "au"),
        ("Accord", JOUR + timedelta(367), "au"),
    ],
)
def test_une_suspension_sans_raison_ou_sans_vraie_fin_est_refusee(client_, acteur, motif, fin, champ):
    with pytest.raises(ValidationError) as refus:
        services.suspendre(client_, motif=motif, du=JOUR, au=fin, acteur=acteur)

    assert list(refus.value.message_dict) == [champ]
    assert not Suspension.objects.exists()
    assert not Maillon.objects.exists()


def test_un_double_clic_ne_suspend_qu_une_fois(client_, acteur):
    une, deux = (
        services.suspendre(client_, motif="Accord", du=JOUR, au=JOUR + timedelta(3), acteur=acteur) for _ in range(2)
    )

    assert une == deux
    assert actions(client_) == ["client.suspendu"]


def test_lever_deux_fois_ne_s_ecrit_qu_une_fois(client_, acteur):
    s = services.suspendre(client_, motif="Accord", du=JOUR, au=JOUR + timedelta(3), acteur=acteur)

    assert [services.lever_suspension(s, acteur=acteur) for _ in range(2)] == [True, False]
    assert not Suspension.objects.en_cours(JOUR).exists()
    assert actions(client_) == ["client.suspendu", "client.suspension_levee"]


def test_une_note_s_ajoute_et_se_journalise_sans_recopier_son_texte(client_, acteur):
    note = services.noter(client_, texte=" Rappeler jeudi. ", acteur=acteur)

    assert Note.objects.get() == note
    assert note.texte == "Rappeler jeudi."
    assert (actions(client_), Maillon.objects.get().detail.texte) == (["client.note"], "")


def test_une_note_vide_est_refusee(client_, acteur):
    with pytest.raises(ValidationError):
        services.noter(client_, texte="\n ", acteur=acteur)


def test_modifier_ecrit_les_seuls_changements_et_avance_la_version(client_, acteur):
    lu = services.modifier_client(
        client_, version=1, champs={"ville": "Nantes", "pays": "FR", "telephone": "01 02 03 04 05"}, acteur=acteur
    )

    assert (lu.ville, lu.version) == ("Nantes", 2)
    donnees = Maillon.objects.get(action="client.modifie").detail.donnees
    assert donnees["champs"] == {"ville": ["Lyon", "Nantes"], "telephone": ["04 72 00 00 00", "01 02 03 04 05"]}


def test_enregistrer_sans_rien_changer_n_ecrit_rien(client_, acteur):
    assert services.modifier_client(client_, version=1, champs={"ville": "Lyon"}, acteur=acteur).version == 1
    assert not Maillon.objects.exists()


def test_un_formulaire_perime_dit_qui_a_change_quoi_et_n_ecrit_rien(client_, acteur):
    autre = UtilisateurFactory(societe=client_.societe, nom="Karim Saïdi")
    services.modifier_client(client_, version=1, champs={"ville": "Nantes"}, acteur=autre)

    with pytest.raises(services.ConflitEdition) as conflit:
        services.modifier_client(client_, version=1, champs={"ville": "Brest"}, acteur=acteur)

    assert (conflit.value.par, conflit.value.champs, conflit.value.version) == ("Karim Saïdi", ["ville"], 2)
    client_.refresh_from_db()
    assert client_.ville == "Nantes"


@pytest.mark.parametrize(
    ("champs", "champ"),
    [
        ({"siren": "552100555"}, "siren"),
        ({"pays": "ZZ"}, "pays"),
        ({"siret": "55210055400014"}, "siret"),
        ({"siren": "552100554", "siret": "73282932000074"}, "siret"),
        ({"numero_tva": "FR00552100554"}, "numero_tva"),
        ({"courriel": "pas-une-adresse"}, "courriel"),
        ({"type": TypeDebiteur.PARTICULIER, "taux_penalites": 12}, "taux_penalites"),
    ],
)
def test_un_champ_faux_est_nomme_et_rien_n_est_ecrit(client_, acteur, champs, champ):
    with pytest.raises(ValidationError) as refus:
        services.modifier_client(client_, version=1, champs=champs, acteur=acteur)

    assert list(refus.value.message_dict) == [champ]
    client_.refresh_from_db()
    assert client_.version == 1


def test_les_identifiants_se_rangent_sans_espace(client_, acteur):
    lu = services.modifier_client(client_, version=1, champs={"siren": "732 829 320"}, acteur=acteur)

    assert lu.siren == "732829320"


def test_le_numero_de_tva_d_un_autre_pays_n_est_pas_controle(client_, acteur):
    lu = services.modifier_client(
        client_, version=1, champs={"pays": "BE", "numero_tva": "BE0403170701"}, acteur=acteur
    )

    assert lu.numero_tva == "BE0403170701"


@pytest.mark.parametrize("champ", ["societe", "version", "jugement_ouverture_le"])
def test_modifier_n_ecrit_pas_ce_qu_un_autre_service_tient(client_, acteur, champ):
    with pytest.raises(ValueError, match=champ):
        services.modifier_client(client_, version=1, champs={champ: None}, acteur=acteur)


def test_exigence_22_un_rebond_marque_le_compte_et_le_contact_sans_toucher_les_autres(client_):
    meme = ContactFactory(client=client_, courriel=client_.courriel.upper())
    autre = ContactFactory(client=client_)

    assert services.signaler_rebond(client_, courriel=client_.courriel, le=JOUR, motif="550 inconnu") == 2

    client_.refresh_from_db()
    assert client_.courriel_utilisable == ""
    assert (Contact.objects.get(pk=meme.pk).invalide_le, Contact.objects.get(pk=autre.pk).invalide_le) == (JOUR, None)
    assert services.signaler_rebond(client_, courriel=client_.courriel, le=JOUR, motif="550") == 0
    assert actions(client_) == ["client.adresse_en_erreur"]


def test_le_rebond_d_une_ancienne_adresse_ne_condamne_pas_la_nouvelle(client_):
    assert services.signaler_rebond(client_, courriel="ancienne@client.example", le=JOUR, motif="550") == 0
    client_.refresh_from_db()
    assert client_.courriel_invalide_le is None


def test_une_nouvelle_adresse_efface_l_erreur_de_l_ancienne(client_, acteur):
    contact = ContactFactory(client=client_, courriel=client_.courriel)
    services.signaler_rebond(client_, courriel=client_.courriel, le=JOUR, motif="550")

    lu = services.modifier_client(client_, version=2, champs={"courriel": "neuve@client.example"}, acteur=acteur)
    contact = services.modifier_contact(contact, champs={"courriel": "neuve@client.example"}, acteur=acteur)

    assert lu.courriel_utilisable == "neuve@client.example"
    assert (contact.invalide_le, contact.invalide_motif) == (None, "")


def test_une_adresse_verifiee_sert_de_nouveau(client_, acteur):
    services.signaler_rebond(client_, courriel=client_.courriel, le=JOUR, motif="boîte pleine")

    assert services.rehabiliter_adresse(client_, courriel=client_.courriel, acteur=acteur) == 1
    client_.refresh_from_db()
    assert client_.courriel_utilisable == client_.courriel


def test_contact_ajoute_puis_modifie(client_, acteur):
    contact = services.ajouter_contact(client_, champs={"nom": "Nadia Ferrand"}, acteur=acteur)
    services.modifier_contact(contact, champs={"nom": "Nadia Ferrand", "fonction": "Comptable"}, acteur=acteur)
    services.modifier_contact(contact, champs={"fonction": "Comptable"}, acteur=acteur)

    assert Contact.objects.get().fonction == "Comptable"
    assert actions(client_) == ["contact.ajoute", "contact.modifie"]


def test_exigence_36_un_jugement_se_note_une_fois_et_se_retire_avec_un_motif(client_, acteur):
    assert services.signaler_jugement(client_, le=JOUR, au=JOUR, acteur=acteur)
    assert not services.signaler_jugement(client_, le=JOUR, au=JOUR, acteur=acteur)
    with pytest.raises(ValidationError):
        services.retirer_jugement(client_, motif=" ", acteur=acteur)
    assert services.retirer_jugement(client_, motif="homonyme", acteur=acteur)
    assert not services.retirer_jugement(client_, motif="homonyme", acteur=acteur)

    client_.refresh_from_db()
    assert (client_.jugement_ouverture_le, client_.version) == (None, 3)
    assert actions(client_) == ["client.jugement", "client.jugement_retire"]


@pytest.fixture
def comptes(client_):
    """Le compte, un autre de même SIREN dans la société, et deux qui n'y sont pour rien."""
    meme = ClientFactory(societe=client_.societe, siren=client_.siren)
    autre_societe, sans_siren = ClientFactory(siren=client_.siren), ClientFactory(societe=client_.societe, siren="")
    return client_, meme, autre_societe, sans_siren


def jugements(comptes):
    return [type(c).objects.get(pk=c.pk).jugement_ouverture_le for c in comptes]


def test_un_jugement_vaut_pour_tous_les_comptes_de_meme_siren_de_la_societe(comptes, acteur):
    """Le débiteur est une personne : L622-21 arrête tout ce qu'on lui réclame."""
    premier, meme, *_autres = comptes
    assert services.signaler_jugement(meme, le=JOUR, au=JOUR, acteur=acteur)
    assert not services.signaler_jugement(premier, le=JOUR, au=JOUR, acteur=acteur)
    assert jugements(comptes) == [JOUR, JOUR, None, None]
    assert actions(premier) == actions(meme) == ["client.jugement"]
    assert services.retirer_jugement(premier, motif="homonyme", acteur=acteur)
    assert jugements(comptes) == [None] * 4
    assert actions(meme) == ["client.jugement", "client.jugement_retire"]


def test_un_compte_qui_recoit_le_siren_d_un_debiteur_en_procedure_s_arrete_aussi(comptes, acteur):
    premier, _meme, _autre, sans_siren = comptes
    services.signaler_jugement(premier, le=JOUR, au=JOUR, acteur=acteur)
    champs = {"siren": premier.siren, "pays": "FR"}
    lu = services.modifier_client(sans_siren, version=sans_siren.version, champs=champs, acteur=acteur)
    assert lu.jugement_ouverture_le == JOUR
    assert actions(sans_siren) == ["client.modifie", "client.jugement"]


def test_sans_siren_un_jugement_ne_se_propage_pas(client_, acteur):
    """Un particulier, un entrepreneur sans numéro : rien ne dit que c'est la même personne."""
    comptes = [ClientFactory(societe=client_.societe, siren="") for _ in range(2)]
    services.signaler_jugement(comptes[0], le=JOUR, au=JOUR, acteur=acteur)
    assert jugements(comptes) == [JOUR, None]


def test_une_procedure_se_clot_et_son_jugement_reste(comptes, acteur):
    """C. com., art. L622-28 : c'est le jugement qui arrête les intérêts, la clôture ne les fait pas renaître."""
    premier, meme, *_autres = comptes
    clore = partial(services.cloturer_procedure, premier, le=JOUR, au=JOUR, acteur=acteur)
    with pytest.raises(ValidationError):
        clore(issue="insuffisance")  # aucun jugement
    services.signaler_jugement(premier, le=JOUR - timedelta(90), au=JOUR, acteur=acteur)
    for refus in ({"issue": "?"}, {"issue": ""}, {"le": JOUR + timedelta(1)}, {"le": JOUR - timedelta(91)}):
        with pytest.raises(ValidationError):
            clore(**{"issue": "insuffisance"} | refus)
    assert clore(issue="insuffisance")
    assert not clore(issue="insuffisance")
    for compte in (premier, meme):
        compte.refresh_from_db()
        assert (compte.jugement_ouverture_le, compte.procedure_cloturee_le) == (JOUR - timedelta(90), JOUR)
        assert actions(compte) == ["client.jugement", "client.procedure_close"]
    services.signaler_jugement(premier, le=JOUR, au=JOUR, acteur=acteur)
    premier.refresh_from_db()
    assert (premier.procedure_cloturee_le, premier.procedure_issue) == (None, ""), "une procédure nouvelle est ouverte"


def test_un_jugement_a_venir_est_refuse(client_, acteur):
    with pytest.raises(ValidationError):
        services.signaler_jugement(client_, le=JOUR + timedelta(1), au=JOUR, acteur=acteur)


def test_les_gestes_laissent_un_journal_sain(client_, acteur):
    services.noter(client_, texte="Vu", acteur=acteur)
    services.suspendre(client_, motif="Accord", du=JOUR, au=JOUR, acteur=acteur)
    services.modifier_client(client_, version=1, champs={"ville": "Brest"}, acteur=acteur)

    verification = verifier_chaine()

    assert (verification.maillons, verification.defauts) == (3, [])
    assert Maillon.objects.latest("rang").quand <= timezone.now()
