"""Signer un accord sur la page : un code à une adresse connue, une fois, pour ce fichier, par un seul navigateur."""

import re
from datetime import timedelta
from decimal import Decimal

import pytest
from django.core import mail
from time_machine import travel

from factures.models import Accord, Echeancier, ReglageAccords
from recouvrement.commun import depot as fichiers
from relances.models import CodeSignature, Declaration, Message, ReglagePortail
from relances.services import accords, declarations_portail_suites, liens, messages, signatures
from relances.services.declarations_portail_accords import demander_du_temps, envoyer_les_exemplaires
from tests.clients.factories import ClientFactory, ContactFactory
from tests.factures.factories import EcheanceFactory, ImputationFactory

from .declarants import AU, MOMENT, LienFactory, depot, monde

pytestmark = pytest.mark.django_db
S = Accord.Statut
QUI = signatures.Signataire("Nadia Ferrand", "gérante", "203.0.113.7", "Essai/1.0")


@pytest.fixture
def m(monkeypatch):
    """Un client dont la société accorde sans relecture ; le PDF est un fichier d'essai, sans moteur de rendu."""

    def figer(accord):
        chemin, empreinte = fichiers.ranger(f"%PDF accord {accord.pk}".encode(), ".pdf")
        accord.pdf_chemin, accord.pdf_empreinte = chemin, empreinte
        Accord.objects.filter(pk=accord.pk).update(pdf_chemin=chemin, pdf_empreinte=empreinte)
        return accord

    monkeypatch.setattr(accords, "figer", figer)
    with travel("2026-11-20 10:00 +0100", tick=False):
        monde_ = monde()
        ReglagePortail.objects.update(accord_immediat=True)
        ReglageAccords.objects.create(societe=monde_.societe)
        ContactFactory(client=monde_.client, courriel="direction@entreprise.fr")
        yield monde_


def convenir(m, nombre=3, cle="delai-1") -> Declaration:
    return demander_du_temps(
        m.lien, depot(cle), reglage=ReglagePortail.objects.get(societe=m.societe), nombre=nombre, moment=MOMENT,
        pieces=[p.pk for p in m.pieces[:2]], premiere=AU + timedelta(days=25),
    )  # fmt: skip


@pytest.fixture
def accord(m) -> Accord:
    return convenir(m).accord


def envoyer(accord, m, adresse="compte", moment=MOMENT) -> str:
    """Demande un code et lit celui que le serveur de courriel a reçu."""
    code = signatures.demander_un_code(accord, m.lien, adresse=adresse, moment=moment)
    message = Message.objects.get(cle=f"code:{code.pk}")
    messages.expedier(message.pk, moment=message.pas_avant)
    return re.search(r"^(\d{6})$", mail.outbox[-1].body, re.M)[1]


def signer(accord, m, chiffres, **champs):
    base = {"chiffres": chiffres, "signataire": QUI, "lu": True, "moment": MOMENT, "au": AU}
    return signatures.signer(accord, champs.pop("lien", m.lien), **base | champs)


def test_exigence_32_dans_les_bornes_le_client_etablit_et_signe_son_echeancier(m):
    d = convenir(m)
    accord = d.accord
    assert (d.statut, accord.statut, accord.propose_par_le_client) == ("acceptee", S.PROPOSE, True)
    assert not Echeancier.objects.exists()  # l'effet ne vient qu'avec la signature
    assert convenir(m).pk == d.pk and Accord.objects.count() == 1  # le formulaire renvoyé

    signe = signer(accord, m, envoyer(accord, m))
    assert (signe.statut, signe.signature) == (S.SIGNE, "portail")
    assert (signe.signe_par_nom, signe.signe_par_qualite) == ("Nadia Ferrand", "gérante")
    assert (signe.signe_adresse_ip, signe.signe_agent) == ("203.0.113.7", "Essai/1.0")
    assert signe.signe_courriel == m.client.courriel and signe.signe_le == MOMENT
    plan = Echeancier.objects.get()
    assert [x.montant for x in plan.mensualites.all()] == [Decimal("533.33"), Decimal("533.33"), Decimal("533.34")]

    exemplaires = envoyer_les_exemplaires(signe)
    assert [e.destinataire for e in exemplaires] == [m.client.courriel, m.claire.courriel]
    assert all(e.jointes[0]["empreinte"] == accord.pdf_empreinte for e in exemplaires)
    assert len({e.pk for e in exemplaires + envoyer_les_exemplaires(signe)}) == 2


def test_hors_des_bornes_une_personne_examine(m):
    ReglageAccords.objects.update(mensualites_max=2)
    d = convenir(m, nombre=5)
    assert (d.statut, d.accord) == ("a_traiter", None) and not Accord.objects.exists()


def test_sans_accord_immediat_une_personne_prepare_puis_le_client_signe(m):
    ReglagePortail.objects.update(accord_immediat=False)
    d = convenir(m)
    assert d.accord is None
    d = declarations_portail_suites.accepter(d, au=AU, acteur=m.claire)
    assert d.accord.statut == S.PROPOSE and d.statut == "acceptee"
    assert signer(d.accord, m, envoyer(d.accord, m)).statut == S.SIGNE


def test_le_code_part_a_une_adresse_connue_seulement_et_la_page_la_masque(m, accord):
    connues = signatures.adresses(m.client)
    assert [a.courriel for a in connues] == [m.client.courriel, "direction@entreprise.fr"]
    assert connues[1].masquee == "d…@entreprise.fr"
    for inventee in ("pirate@ailleurs.example", "", "contact-999999"):
        with pytest.raises(signatures.SignatureRefusee, match="adresses que nous connaissons"):
            signatures.demander_un_code(accord, m.lien, adresse=inventee, moment=MOMENT)
    signatures.demander_un_code(accord, m.lien, adresse=connues[1].cle, moment=MOMENT)
    assert Message.objects.get(genre="code").destinataire == "direction@entreprise.fr"


def test_une_adresse_qui_a_rebondi_n_est_pas_proposee(m):
    m.client.courriel_invalide_le = AU
    m.client.save()
    assert [a.courriel for a in signatures.adresses(m.client)] == ["direction@entreprise.fr"]


def test_le_code_n_est_nulle_part_en_clair(m, accord):
    chiffres = envoyer(accord, m)
    code, message = CodeSignature.objects.get(), Message.objects.get(genre="code")
    assert chiffres not in message.texte and "{code}" in message.texte
    assert chiffres not in code.empreinte and len(code.empreinte) == 64


def test_cinq_essais_puis_un_autre_code(m, accord):
    bon = envoyer(accord, m)
    faux = "000000" if bon != "000000" else "111111"
    for reste in (4, 3, 2, 1):
        with pytest.raises(signatures.SignatureRefusee, match=f"reste {reste} essai"):
            signer(accord, m, faux)
    with pytest.raises(signatures.SignatureRefusee, match="ne vaut plus"):
        signer(accord, m, faux)
    with pytest.raises(signatures.SignatureRefusee, match="expiré"):
        signer(accord, m, bon)
    assert not Echeancier.objects.exists()
    assert signer(accord, m, envoyer(accord, m)).statut == S.SIGNE


def test_un_code_expire_rejoue_ou_remplace_ne_signe_pas(m, accord):
    premier = envoyer(accord, m)
    with pytest.raises(signatures.SignatureRefusee, match="expiré"):
        signer(accord, m, premier, moment=MOMENT + timedelta(minutes=16))
    second = envoyer(accord, m)
    if premier != second:
        with pytest.raises(signatures.SignatureRefusee, match="bon code"):
            signer(accord, m, premier)
    signer(accord, m, second)
    with pytest.raises(signatures.SignatureRefusee, match="déjà servi"):
        signer(accord, m, second)
    assert Echeancier.objects.count() == 1


def test_le_code_d_un_autre_accord_ne_signe_pas(m, accord):
    autre_m = monde()
    ReglagePortail.objects.update(accord_immediat=True)
    autre = convenir(autre_m).accord
    chiffres = envoyer(autre, autre_m)
    with pytest.raises(signatures.SignatureRefusee):
        signer(accord, m, chiffres)
    with pytest.raises(signatures.SignatureRefusee):  # ni par le lien d'un autre client
        signer(accord, m, envoyer(accord, m), lien=autre_m.lien)
    assert not Echeancier.objects.exists()


def test_la_dette_changee_entre_temps_n_est_pas_signee(m, accord):
    chiffres = envoyer(accord, m)
    ImputationFactory(echeance=m.pieces[0], montant=200, date=AU)
    with pytest.raises(signatures.SignatureRefusee, match="La dette a changé"):
        signer(accord, m, chiffres)
    accord.refresh_from_db()
    assert accord.statut == S.PROPOSE and not Echeancier.objects.exists()
    assert CodeSignature.objects.get().utilise_le is None  # rien n'est consommé


def test_le_fichier_change_ou_altere_n_est_pas_signe(m, accord):
    chiffres = envoyer(accord, m)
    chemin, empreinte = fichiers.ranger(b"%PDF autre", ".pdf")
    Accord.objects.update(pdf_chemin=chemin, pdf_empreinte=empreinte)
    with pytest.raises(signatures.SignatureRefusee):
        signer(accord, m, chiffres)
    Accord.objects.update(pdf_chemin=chemin, pdf_empreinte="0" * 64)
    accord.refresh_from_db()
    with pytest.raises(signatures.SignatureRefusee, match="ne se relit pas"):
        signer(accord, m, envoyer(accord, m))


@pytest.mark.parametrize(
    ("champs", "phrase"),
    [
        ({"lu": False}, "Cochez"),
        ({"signataire": signatures.Signataire(" ", "gérante")}, "nom"),
        ({"signataire": signatures.Signataire("N. Ferrand", "\x00")}, "qualité"),
        ({"au": AU}, "délai"),
    ],
)
def test_ce_qui_manque_se_dit(m, accord, champs, phrase):
    chiffres = envoyer(accord, m)
    if phrase == "délai":
        Accord.objects.update(expire_le=AU - timedelta(days=1))
    with pytest.raises(signatures.SignatureRefusee, match=phrase):
        signer(accord, m, chiffres, **champs)


def test_cinq_codes_par_heure(m, accord):
    for _ in range(5):
        signatures.demander_un_code(accord, m.lien, adresse="compte", moment=MOMENT)
    with pytest.raises(signatures.SignatureRefusee, match="Trop de codes"):
        signatures.demander_un_code(accord, m.lien, adresse="compte", moment=MOMENT)


# --- La page --------------------------------------------------------------------------------


def url(lien, suite):
    return f"/p/{liens.jeton(lien)}{suite}"


def test_la_page_de_signature_de_bout_en_bout(client, m, accord):
    base = f"/accord/{accord.pk}"
    page = client.get(url(m.lien, base)).content.decode()
    assert "d…@entreprise.fr" in page and "direction@entreprise.fr" not in page and "533,34" in page
    pdf = client.get(url(m.lien, f"{base}/accord.pdf"))
    assert pdf["Content-Type"] == "application/pdf" and pdf.content == f"%PDF accord {accord.pk}".encode()
    assert not CodeSignature.objects.exists()  # lire n'engage à rien

    assert client.post(url(m.lien, f"{base}/code"), {"adresse": "compte"}).status_code == 303
    assert "Code envoyé à" in client.get(url(m.lien, base)).content.decode()
    message = Message.objects.get(genre="code")
    messages.expedier(message.pk, moment=message.pas_avant)
    chiffres = re.search(r"^(\d{6})$", mail.outbox[-1].body, re.M)[1]
    saisie = {"code": chiffres, "nom": "<b>Nadia</b>", "qualite": "gérante"}
    refuse = client.post(url(m.lien, f"{base}/signer"), saisie)
    assert refuse.status_code == 422 and "Cochez la case" in refuse.content.decode()
    # Le refus se rend à l'adresse du geste, qui ne se lit pas : l'autre langue revient à l'accord.
    assert f'href="{url(m.lien, base)}?langue=en"' in refuse.content.decode()
    signe = client.post(url(m.lien, f"{base}/signer"), saisie | {"lu": "on"}, REMOTE_ADDR="203.0.113.50")
    assert signe.status_code == 303
    accord.refresh_from_db()
    assert (accord.statut, accord.signe_adresse_ip) == (S.SIGNE, "203.0.113.50")
    finale = client.get(url(m.lien, base)).content.decode()
    assert "&lt;b&gt;Nadia&lt;/b&gt;" in finale and "Signer l’accord" not in finale
    assert Message.objects.filter(genre="accord_signe").count() == 2
    encore = client.post(url(m.lien, f"{base}/signer"), saisie | {"lu": "on"})
    assert encore.status_code == 422 and Echeancier.objects.count() == 1


def test_l_accord_d_un_voisin_n_existe_pas(client, m, accord):
    voisin = ClientFactory(societe=m.societe)
    EcheanceFactory(client=voisin)
    autre = LienFactory(client=voisin)
    for suite in (f"/accord/{accord.pk}", f"/accord/{accord.pk}/accord.pdf"):
        assert client.get(url(autre, suite)).status_code == 404
    for suite in ("code", "signer"):
        assert client.post(url(autre, f"/accord/{accord.pk}/{suite}"), {"adresse": "compte"}).status_code == 404
        assert client.get(url(m.lien, f"/accord/{accord.pk}/{suite}")).status_code == 405
    assert not CodeSignature.objects.exists()
