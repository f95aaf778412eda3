"""Webhooks : du journal aux livraisons, signées, dans l'ordre, reprises, ni perdues ni envoyées vers l'intérieur."""

import json
import socket
from datetime import date, timedelta
from decimal import Decimal

import pytest
from django.core import mail
from django.utils import timezone

from factures.services import clore_litige, imputer, ouvrir_litige
from factures.services.blocages import bloquer
from recouvrement.api.models import AbonnementWebhook, Livraison
from recouvrement.api.webhooks import adresses, gestes, livraisons, remise
from recouvrement.api.webhooks.evenements import ACTIONS, EVENEMENTS, FORMES, NOMS
from recouvrement.api.webhooks.signature import signer
from recouvrement.comptes.models import Role
from recouvrement.journal.models import Maillon
from recouvrement.journal.services import consigner, consigner_tous, verifier_chaine
from relances.services.taches import conclure_promesses
from tests.clients.factories import ClientFactory
from tests.comptes.factories import SocieteFactory, UtilisateurFactory
from tests.factures.factories import EcheanceFactory, EncaissementFactory
from tests.outils.recepteur import Recepteur

pytestmark = pytest.mark.django_db
S = Livraison.Statut
AU = date(2026, 11, 20)


@pytest.fixture
def recepteur(settings):
    settings.WEBHOOKS_SANS_TLS = settings.WEBHOOKS_ADRESSES_PRIVEES = True
    pair = Recepteur()
    pair.ouvrir()
    yield pair
    pair.fermer()


@pytest.fixture
def societe():
    return SocieteFactory()


@pytest.fixture
def admin(societe):
    return UtilisateurFactory(societe=societe, role=Role.ADMINISTRATEUR)


def abonner(societe, admin, url, *evenements) -> AbonnementWebhook:
    abonnement = AbonnementWebhook(societe=societe, nom="ERP", url=url, evenements=list(evenements) or list(NOMS))
    gestes.abonner(abonnement, acteur=admin)
    return abonnement


def annoncer(societe, n: int = 1, action: str = "import.applique") -> None:
    for _ in range(n):
        consigner(action, societe=societe, donnees={"format": "fec"})


def etats(abonnement) -> list:
    return list(abonnement.livraisons.order_by("pk").values_list("statut", "tentatives"))


def avancer(abonnement) -> None:
    """Les reprises sont dues."""
    abonnement.livraisons.filter(statut=S.A_LIVRER).update(prochaine_le=timezone.now() - timedelta(seconds=1))


# --- Le journal devient des livraisons ---------------------------------------------------------------


def test_chaque_evenement_a_sa_forme_et_son_action():
    assert set(ACTIONS.values()) == set(NOMS) == set(FORMES) == {nom for nom, _phrase in EVENEMENTS}


def test_les_gestes_de_la_maison_s_annoncent_avec_de_quoi_agir(societe, admin, recepteur):
    client = ClientFactory(societe=societe, code="C1")
    abonnement = abonner(societe, admin, recepteur.url)
    echeance = EcheanceFactory(client=client, echue_le=AU - timedelta(30), montant=Decimal("120.00"))
    litige = ouvrir_litige(
        echeance, montant=Decimal("20.00"), categorie="prix", description="Un secret", responsable=admin,
        a_traiter_le=AU + timedelta(5), au=AU, acteur=admin,
    )  # fmt: skip
    clore_litige(litige, issue="Réglé", au=AU, acteur=admin)
    paiement = EncaissementFactory(client=client, montant=Decimal("120.00"), date=AU)
    imputer(paiement, [(echeance, Decimal("120.00"))], au=AU, cle="k", acteur=admin)
    bloquer(client, motif="Trop de retard, ne pas livrer", au=AU, acteur=admin)

    assert livraisons.lire_le_journal() == 4
    corps = [json.loads(x.corps) for x in abonnement.livraisons.order_by("pk")]

    assert [c["type"] for c in corps] == ["litige.ouvert", "litige.clos", "paiement.impute", "blocage.pose"]
    assert corps[0]["donnees"] == {
        "client": {"id": client.pk, "code": "C1"},
        "litige": litige.pk,
        "montant": "20.00",
        "categorie": "prix",
        "piece": {
            "echeance": echeance.pk,
            "facture": echeance.facture.numero,
            "date_echeance": echeance.date_echeance.isoformat(),
            "devise": "EUR",
        },
    }
    assert corps[2]["donnees"]["pieces"][0]["montant"] == "120.00"
    assert {c["societe"] for c in corps} == {societe.code}
    texte = json.dumps(corps, ensure_ascii=False)
    for tu in ("Un secret", "ne pas livrer", client.raison_sociale, str(admin)):
        assert tu not in texte


def test_un_paiement_qui_solde_annonce_aussi_le_litige_clos(societe, admin, recepteur):
    client = ClientFactory(societe=societe)
    echeance = EcheanceFactory(client=client, echue_le=AU - timedelta(30), montant=Decimal("50.00"))
    ouvrir_litige(
        echeance, montant=Decimal("50.00"), categorie="prix", description="x", responsable=admin,
        a_traiter_le=AU + timedelta(5), au=AU, acteur=admin,
    )  # fmt: skip
    abonnement = abonner(societe, admin, recepteur.url, "litige.clos", "paiement.impute")
    imputer(
        EncaissementFactory(client=client, montant=Decimal("50.00"), date=AU), [(echeance, Decimal("50.00"))], au=AU,
        cle="k", acteur=admin,
    )  # fmt: skip
    livraisons.lire_le_journal()
    assert set(abonnement.livraisons.values_list("evenement", flat=True)) == {"litige.clos", "paiement.impute"}


def test_lire_deux_fois_ne_double_rien_et_rien_d_avant_ni_d_ailleurs(societe, admin, recepteur):
    annoncer(societe)
    abonnement = abonner(societe, admin, recepteur.url, "import.applique")
    annoncer(SocieteFactory())
    consigner("litige.clos", societe=societe)
    annoncer(societe, 3)
    assert livraisons.lire_le_journal() == 3
    assert livraisons.lire_le_journal() == 0
    AbonnementWebhook.objects.update(rang_lu=0)  # relu depuis l'origine : la clé unique tient
    assert livraisons.lire_le_journal() == 1
    assert abonnement.livraisons.count() == 4


def test_le_nombre_de_requetes_ne_depend_pas_du_nombre_de_maillons(
    societe, admin, recepteur, django_assert_num_queries
):
    abonnement = abonner(societe, admin, recepteur.url)
    client = ClientFactory(societe=societe)
    for n in (1, 20):
        for _ in range(n):
            bloquer(ClientFactory(societe=societe), motif="retard", au=AU, acteur=admin)
            consigner("promesse.rompue", societe=societe, client=client, donnees={"montant": "1.00"})
        with django_assert_num_queries(10):
            livraisons.lire_pour(abonnement.pk)


def test_une_page_pleine_se_poursuit(societe, admin, recepteur, monkeypatch):
    monkeypatch.setattr(livraisons, "PAGE", 3)
    abonnement = abonner(societe, admin, recepteur.url)
    annoncer(societe, 7)
    assert livraisons.lire_le_journal() == 7
    assert abonnement.livraisons.count() == 7


def test_plusieurs_maillons_d_un_coup_tiennent_la_chaine(societe):
    annoncer(societe)
    consigner_tous("litige.clos", [{"texte": f"n° {n}", "donnees": {"n": n}} for n in range(5)], societe=societe)
    annoncer(societe)
    verification = verifier_chaine()
    assert (verification.maillons, verification.defauts) == (7, [])
    assert list(Maillon.objects.values_list("rang", flat=True)) == list(range(1, 8))
    assert consigner_tous("x", []) == []


# --- Livrer -------------------------------------------------------------------------------------------


def test_une_livraison_est_signee_et_nommee(societe, admin, recepteur):
    abonnement = abonner(societe, admin, recepteur.url)
    annoncer(societe)
    livraisons.lire_le_journal()
    assert livraisons.livrer(abonnement.pk) == 1
    recu, livraison = recepteur.recus[0], abonnement.livraisons.get()
    entete = recu.entetes["Recouvrement-Signature"]
    instant = int(entete.split(",")[0].removeprefix("t="))
    assert entete == signer(abonnement.secret, instant, recu.corps)
    assert recu.entetes["Recouvrement-Identifiant"] == str(livraison.identifiant)
    assert json.loads(recu.corps)["identifiant"] == str(livraison.identifiant)
    assert (livraison.statut, livraison.reponse, livraison.tentatives) == (S.LIVREE, 204, 1)
    assert abs(instant - timezone.now().timestamp()) < 60


def test_un_recepteur_tombe_retient_la_suite_dans_l_ordre(societe, admin, recepteur):
    abonnement = abonner(societe, admin, recepteur.url)
    annoncer(societe, 3)
    livraisons.lire_le_journal()
    recepteur.fermer()
    assert livraisons.livrer(abonnement.pk) == 1
    assert etats(abonnement) == [(S.A_LIVRER, 1), (S.A_LIVRER, 0), (S.A_LIVRER, 0)]
    premiere = abonnement.livraisons.order_by("pk").first()
    assert (premiere.reponse, premiere.erreur) == (None, "connexion refusée")
    recepteur.statut = 503
    recepteur.ouvrir()
    avancer(abonnement)
    assert livraisons.livrer(abonnement.pk) == 1
    recepteur.statut, recepteur.recus = 204, []
    avancer(abonnement)
    assert livraisons.livrer(abonnement.pk) == 3
    attendus = [str(x) for x in abonnement.livraisons.order_by("pk").values_list("identifiant", flat=True)]
    assert [r.entetes["Recouvrement-Identifiant"] for r in recepteur.recus] == attendus
    assert etats(abonnement) == [(S.LIVREE, 3), (S.LIVREE, 1), (S.LIVREE, 1)]


def test_un_evenement_refuse_laisse_passer_les_suivants(societe, admin, recepteur):
    abonnement = abonner(societe, admin, recepteur.url)
    annoncer(societe, 2)
    livraisons.lire_le_journal()
    refus = iter([False, True])
    recepteur.verifier = lambda entetes, corps: next(refus)
    assert livraisons.livrer(abonnement.pk) == 2
    assert etats(abonnement) == [(S.A_LIVRER, 1), (S.LIVREE, 1)]


def test_une_redirection_n_est_pas_suivie_et_la_reponse_est_bornee(societe, admin, recepteur):
    abonnement = abonner(societe, admin, recepteur.url)
    annoncer(societe)
    livraisons.lire_le_journal()
    recepteur.statut, recepteur.entetes_reponse = 302, {"Location": recepteur.url + "/ailleurs"}
    recepteur.corps_reponse = b"x" * 5_000_000
    livraisons.livrer(abonnement.pk)
    assert [r.chemin for r in recepteur.recus] == ["/annonces"]
    livraison = abonnement.livraisons.get()
    assert (livraison.statut, livraison.reponse) == (S.A_LIVRER, 302)
    assert "définitive" in livraison.erreur


def test_un_recepteur_qui_se_tait_est_quitte(societe, admin, settings, monkeypatch):
    settings.WEBHOOKS_SANS_TLS = settings.WEBHOOKS_ADRESSES_PRIVEES = True
    monkeypatch.setattr(remise, "DELAI", 1)
    with socket.create_server(("127.0.0.1", 0)) as muet:
        url = f"http://127.0.0.1:{muet.getsockname()[1]}/"
        issue = remise.remettre(url, secret="s", corps="{}", identifiant="i", evenement="e", instant=1)
    assert issue.statut is None and issue.panne


def test_douze_essais_puis_l_abonnement_s_arrete_et_l_administrateur_est_prevenu(societe, admin, recepteur):
    abonnement = abonner(societe, admin, recepteur.url)
    annoncer(societe, 2)
    livraisons.lire_le_journal()
    recepteur.statut = 500
    for n in range(1, 13):
        avancer(abonnement)
        assert livraisons.livrer(abonnement.pk) == 1, n
    assert etats(abonnement) == [(S.ABANDONNEE, 12), (S.A_LIVRER, 0)]
    abonnement.refresh_from_db()
    assert not abonnement.actif
    assert [m.to for m in mail.outbox] == [[admin.courriel]]
    annoncer(societe)
    assert livraisons.lire_le_journal() == 0  # rien ne se lit, rien ne se perd
    recepteur.statut = 200
    gestes.basculer(abonnement, actif=True, moment=timezone.now(), acteur=admin)
    gestes.rejouer(abonnement.livraisons.order_by("pk").first(), moment=timezone.now(), acteur=admin)
    livraisons.lire_le_journal()
    assert livraisons.livrer(abonnement.pk) == 3
    assert {statut for statut, _n in etats(abonnement)} == {S.LIVREE}
    premier = str(abonnement.livraisons.order_by("pk").first().identifiant)
    assert recepteur.identifiants()[premier] == 13


def test_refuse_douze_fois_un_seul_courriel_par_jour_et_l_abonnement_continue(societe, admin, recepteur, settings):
    settings.WEBHOOKS_REPRISES = [1]
    abonnement = abonner(societe, admin, recepteur.url)
    annoncer(societe, 3)
    livraisons.lire_le_journal()
    recepteur.statut = 410
    for _ in range(2):
        livraisons.livrer(abonnement.pk)
        avancer(abonnement)
    abonnement.refresh_from_db()
    assert abonnement.actif and len(mail.outbox) == 1
    assert {statut for statut, _n in etats(abonnement)} == {S.ABANDONNEE}


def test_un_worker_tue_rend_la_livraison_apres_le_bail(societe, admin, recepteur):
    abonnement = abonner(societe, admin, recepteur.url)
    annoncer(societe, 2)
    livraisons.lire_le_journal()
    prise = livraisons.prendre(abonnement.pk)
    assert prise.statut == S.EN_COURS
    assert livraisons.prendre(abonnement.pk) is None  # un autre la sert
    assert livraisons.abonnes_a_servir(timezone.now()) == [abonnement.pk]
    Livraison.objects.filter(pk=prise.pk).update(prise_le=timezone.now() - timedelta(minutes=5))
    assert livraisons.livrer(abonnement.pk) == 2
    assert etats(abonnement) == [(S.LIVREE, 2), (S.LIVREE, 1)]
    livraisons.tenter(prise)  # le mort-vivant répond trop tard : rien ne s'écrit
    assert etats(abonnement) == [(S.LIVREE, 2), (S.LIVREE, 1)]


def test_l_attente_grandit_d_une_minute_a_un_jour():
    attentes = [livraisons.delai(n).total_seconds() for n in range(1, 12)]
    assert 48 <= attentes[0] <= 72
    assert 69_120 <= attentes[-1] <= 103_680


# --- SSRF ----------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    "url",
    [
        "http://exemple.fr/", "ftp://exemple.fr/", "https://", "https://a:b@exemple.fr/", "https://exemple.fr/#x",
        "https://exemple.fr:22/", "https://exemple.fr:0/", "https://exemple.fr:99999/", "https://exem ple.fr/",
        "file:///etc/passwd", "https://exemple.fr\\@127.0.0.1/", "https://[::1/", "javascript:alert(1)",
    ],
)  # fmt: skip
def test_une_adresse_mal_formee_est_refusee(url):
    with pytest.raises(adresses.AdresseRefusee):
        adresses.lire(url)


@pytest.mark.parametrize(
    "ip",
    [
        "127.0.0.1", "10.0.0.8", "172.16.3.4", "192.168.1.1", "169.254.169.254", "0.0.0.0", "100.64.0.1", "::1",
        "fe80::1", "fc00::1", "::ffff:127.0.0.1", "2002:7f00:1::", "64:ff9b::a9fe:a9fe", "::7f00:1", "224.0.0.1",
        "fec0::1", "192.0.0.192", "192.88.99.1", "64:ff9b:1::1", "3fff::1", "5f00::1",
        "240.0.0.1", "255.255.255.255", "ff02::1",
    ],
)  # fmt: skip
def test_une_adresse_interieure_est_refusee(ip):
    assert not adresses.admise(ip)


def test_l_auto_hebergement_admet_le_reseau_prive_mais_pas_le_lien_local(settings):
    settings.WEBHOOKS_ADRESSES_PRIVEES = True
    assert adresses.admise("192.168.1.10") and adresses.admise("127.0.0.1") and adresses.admise("8.8.8.8")
    assert not adresses.admise("169.254.169.254") and not adresses.admise("::ffff:169.254.169.254")


def test_un_nom_qui_mene_dehors_et_dedans_est_refuse(monkeypatch):
    def repondre(*ips):
        fins = [(socket.AF_INET, socket.SOCK_STREAM, 6, "", (ip, 443)) for ip in ips]
        monkeypatch.setattr(socket, "getaddrinfo", lambda *a, **k: fins)

    cible = adresses.lire("https://exemple.fr/x")
    repondre("93.184.216.34")
    assert adresses.resoudre(cible) == [(socket.AF_INET, "93.184.216.34")]
    repondre("93.184.216.34", "10.0.0.1")
    with pytest.raises(adresses.AdresseRefusee, match="interne"):
        adresses.resoudre(cible)


def test_un_nom_qui_change_d_adresse_n_atteint_pas_l_interieur(societe, admin, recepteur, settings):
    """Admis à la création, le nom mène ensuite à la machine : la connexion est refusée avant d'être ouverte."""
    abonnement = abonner(societe, admin, recepteur.url)
    annoncer(societe)
    livraisons.lire_le_journal()
    settings.WEBHOOKS_ADRESSES_PRIVEES = False
    livraisons.livrer(abonnement.pk)
    assert recepteur.recus == []
    assert "interne" in abonnement.livraisons.get().erreur


def test_la_promesse_rompue_par_la_nuit_s_annonce(societe, admin, recepteur):
    from tests.factures.factories import PromesseFactory

    client = ClientFactory(societe=societe)
    echeance = EcheanceFactory(client=client, echue_le=AU - timedelta(40))
    abonnement = abonner(societe, admin, recepteur.url, "promesse.rompue")
    PromesseFactory(echeances=[echeance], date_promise=AU - timedelta(20))
    conclure_promesses(societe, au=AU)
    livraisons.lire_le_journal()
    assert json.loads(abonnement.livraisons.get().corps)["donnees"]["promise_pour_le"] == "2026-10-31"
