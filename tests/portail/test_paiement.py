"""La carte : un montant calculé ici, une notification prouvée, aucune écriture au grand livre."""

import json
import re
from datetime import datetime, timedelta
from decimal import Decimal
from urllib.parse import parse_qs, urlsplit

import pytest
import requests
from time_machine import travel

from factures.models import Encaissement
from recouvrement.portail.paiement import PaiementImpossible, fournisseur
from recouvrement.portail.paiement.interface import ecrire_reference, lire_reference
from recouvrement.portail.paiement.stripe import NotificationRefusee, Stripe, adresse_de_stripe, centimes, signer
from relances.models import Declaration, Message, ReglagePortail, Tache, VisitePortail
from relances.services import declarations_portail_suites as suites
from relances.services import liens
from tests.factures.factories import EncaissementFactory

from .declarants import AU, MOMENT, monde

pytestmark = pytest.mark.django_db
SECRET = "whsec_essai"


@pytest.fixture
def m():
    with travel("2026-11-20 10:00 +0100", tick=False):
        monde_ = monde()
        reglage = ReglagePortail.objects.get()
        reglage.carte, reglage.carte_secret, reglage.carte_signature = "stripe", "sk_test_x", SECRET
        reglage.save()
        yield monde_


def url(m, suite=""):
    return f"/p/{liens.jeton(m.lien)}{suite}"


class Reponse:
    """Ce que l'API de Stripe rendrait."""

    def __init__(self, corps, statut=200):
        self.status_code, self.raw = statut, self
        self.octets = corps if isinstance(corps, bytes) else json.dumps(corps).encode()

    def read(self, taille, decode_content=True):
        return self.octets[:taille]

    def __enter__(self):
        return self

    def __exit__(self, *args):
        return False


@pytest.fixture
def stripe(monkeypatch):
    appels = []

    def post(adresse, **options):
        appels.append((adresse, options))
        return post.reponse

    post.reponse, post.appels = Reponse({"url": "https://checkout.stripe.com/c/pay/cs_1#x"}), appels
    monkeypatch.setattr(requests, "post", post)
    return post


def notifier(client, m, *, montant=160000, devise="eur", reference=None, secret=SECRET, instant=None, **plus):
    """Poste une notification signée ; `corps` remplace ce qui est dit."""
    pieces = [p.pk for p in m.pieces[:2]]
    session = {
        "id": plus.get("session", "cs_1"), "payment_status": plus.get("statut", "paid"), "amount_total": montant,
        "currency": devise,
        "metadata": {"reference": reference or ecrire_reference(m.lien, Decimal(1600), "EUR", pieces)},
    }  # fmt: skip
    genre = plus.get("genre", "checkout.session.completed")
    corps = plus.get("corps") or json.dumps({"type": genre, "data": {"object": session}}).encode()
    instant = str(instant or int(MOMENT.timestamp()))
    entete = plus.get("entete", f"t={instant},v1={signer(corps, secret, instant)}")
    societe = plus.get("societe", m.societe.pk)
    return client.post(
        f"/p/paiement/{societe}", corps, content_type="application/json", headers={"Stripe-Signature": entete}
    )


def test_le_depart_calcule_le_montant_ici_et_donne_un_lien(client, m, stripe):
    page = client.get(url(m, "/carte")).content.decode()
    assert "Payer par carte" in client.get(url(m)).content.decode()
    assert "1\xa0000,00" in page
    cles = [p.pk for p in m.pieces[:2]]
    depart = client.post(url(m, "/carte"), {"pieces": cles, "montant": "1", "amount": "1"})
    assert depart.status_code == 200 and "https://checkout.stripe.com/c/pay/cs_1#x" in depart.content.decode()
    adresse, options = stripe.appels[0]
    donnees = options["data"]
    assert adresse == "https://api.stripe.com/v1/checkout/sessions"
    assert donnees["line_items[0][price_data][unit_amount]"] == "160000"
    assert options["headers"]["Authorization"] == "Bearer sk_test_x" and not options["allow_redirects"]
    assert lire_reference(donnees["metadata[reference]"]).montant == 1600
    client.post(url(m, "/carte"), {"pieces": cles})
    assert stripe.appels[0][1]["headers"]["Idempotency-Key"] == stripe.appels[1][1]["headers"]["Idempotency-Key"]
    assert VisitePortail.objects.filter(genre="paiement").exists() and not Declaration.objects.exists()


def test_une_notification_juste_retient_sans_rien_ecrire_au_grand_livre(client, m):
    assert notifier(client, m).content == "reçue".encode()
    d = Declaration.objects.get()
    assert (d.genre, d.statut, d.montant, d.devise) == ("carte", "acceptee", Decimal(1600), "EUR")
    assert d.retient_jusqu_au > AU and d.echeances.count() == 2
    assert not Encaissement.objects.exists() and not Tache.objects.exists()
    assert "carte" in Message.objects.get().texte
    page = client.get(url(m, "/carte")).content.decode()  # ce qui est payé ne se demande plus
    assert m.pieces[0].facture.numero not in page and m.pieces[2].facture.numero in page


def test_le_releve_conclut_le_paiement_par_carte(client, m):
    notifier(client, m)
    EncaissementFactory(client=m.client, montant=1600, date=AU + timedelta(days=4), mode="carte")
    assert suites.conclure_declarations(m.societe, au=AU + timedelta(days=5)) == 1
    assert Declaration.objects.get().retient_jusqu_au is None


def test_rejouee_dix_fois_elle_n_ecrit_qu_une_fois(client, m):
    reponses = [notifier(client, m) for _ in range(10)]
    reponses.append(notifier(client, m, genre="checkout.session.async_payment_succeeded"))
    assert {r.status_code for r in reponses} == {200} and reponses[-1].content == "déjà reçue".encode()
    assert Declaration.objects.count() == Message.objects.count() == 1


@pytest.mark.parametrize(
    "faux",
    [
        {"secret": "whsec_autre"},
        {"entete": ""},
        {"entete": "t=abc,v1=00"},
        {"entete": "v1=00"},
        {"instant": int(MOMENT.timestamp()) - 301},
        {"instant": int(MOMENT.timestamp()) + 301},
        {"corps": b"{"},
        {"corps": b"[]"},
        {"corps": b"{\"type\":\"checkout.session.completed\",\"data\":{\"object\":{\"payment_status\":\"paid\"}}}"},
        {"montant": -5},
        {"montant": "160000"},
        {"montant": True},
        {"devise": "jpy"},
    ],
)  # fmt: skip
def test_une_notification_fausse_ou_vieille_n_ecrit_rien(client, m, faux):
    assert notifier(client, m, **faux).status_code == 400
    assert not Declaration.objects.exists()


def test_un_montant_ou_une_devise_differents_attendent_une_personne(client, m):
    assert notifier(client, m, montant=100).status_code == 200
    assert notifier(client, m, devise="usd", session="cs_2").status_code == 200
    for d in Declaration.objects.all():
        assert d.statut == "a_traiter" and "1\xa0600,00\xa0€" in d.texte
    assert Tache.objects.filter(genre="declaration").count() == 2 and not Encaissement.objects.exists()


@pytest.mark.parametrize(
    "autre",
    [{"statut": "unpaid"}, {"genre": "checkout.session.expired"}, {"reference": "forgée"}, {"reference": "a:b:c"}],
)
def test_ce_qui_ne_nous_concerne_pas_s_ignore(client, m, autre):
    reponse = notifier(client, m, **autre)
    assert (reponse.status_code, reponse.content) == (200, "ignorée".encode())
    assert not Declaration.objects.exists()


def test_la_commande_d_une_autre_societe_s_ignore(client, m):
    autre = monde()
    reference = ecrire_reference(autre.lien, Decimal(1600), "EUR", [])
    assert notifier(client, m, reference=reference).content == "ignorée".encode()
    assert not Declaration.objects.exists()


def test_societe_inconnue_corps_trop_gros_methode_et_essais_bornes(client, m):
    assert notifier(client, m, societe=999999).status_code == 404
    assert notifier(client, m, corps=b" " * 300_000).status_code == 413
    assert client.get(f"/p/paiement/{m.societe.pk}").status_code == 405
    ReglagePortail.objects.update(carte="")
    assert notifier(client, m).status_code == 404
    assert client.get(url(m, "/carte")).status_code == 404
    codes = {notifier(client, m).status_code for _ in range(25)}
    assert 429 in codes


@pytest.mark.parametrize(
    "rendue",
    [
        "http://checkout.stripe.com/x", "https://127.0.0.1/x", "https://checkout.stripe.com.pirate.example/x",
        "https://pirate.example/?checkout.stripe.com", "https://checkout.stripe.com@169.254.169.254/",
        "javascript:alert(1)", "https://[::1]/", "https://checkout.stripe.com:8443/x", "https://xstripe.com/", "",
    ],
)  # fmt: skip
def test_une_adresse_qui_n_est_pas_celle_du_prestataire_se_refuse(rendue):
    with pytest.raises(PaiementImpossible):
        adresse_de_stripe(json.dumps({"url": rendue}).encode())


@pytest.mark.parametrize(
    "reponse",
    [Reponse({}, 401), Reponse(b"<html>"), Reponse({"url": "https://10.0.0.1/"}), requests.ConnectionError("x")],
)
def test_un_prestataire_en_panne_ou_menteur_se_dit_sans_lien(client, m, stripe, monkeypatch, reponse):
    def panne(*args, **options):
        raise reponse

    if isinstance(reponse, Exception):
        monkeypatch.setattr(requests, "post", panne)
    else:
        stripe.reponse = reponse
    refus = client.post(url(m, "/carte"), {"pieces": [m.pieces[0].pk]})
    assert refus.status_code == 502 and "payez par virement" in refus.content.decode()
    assert "sk_test_x" not in refus.content.decode()


def test_les_pieces_d_un_voisin_ne_se_paient_pas(client, m, stripe):
    voisin = monde()
    assert client.post(url(m, "/carte"), {"pieces": [voisin.pieces[0].pk]}).status_code == 422
    assert client.post(url(m, "/carte"), {"pieces": ["99999999999999999999", "x"]}).status_code == 422
    assert not stripe.appels


def test_le_prestataire_d_essai_de_bout_en_bout(client, m):
    ReglagePortail.objects.update(carte="essai", carte_signature="")
    depart = client.post(url(m, "/carte"), {"pieces": [m.pieces[0].pk]}).content.decode()
    lien = re.search(r'href="(/p/[^"]+/carte/essai\?[^"]+)"', depart)[1].replace("&amp;", "&")
    assert "1\xa0000,00" in client.get(lien).content.decode() and not Declaration.objects.exists()
    lus = {cle: valeurs[0] for cle, valeurs in parse_qs(urlsplit(lien).query).items()}
    for _ in range(2):
        assert client.post(url(m, "/carte/essai"), lus).status_code == 303
    assert client.post(url(m, "/carte/essai"), lus | {"cle": "une-autre"}).status_code == 303
    assert Declaration.objects.get().montant == 1000, "une commande ne s'annonce payée qu'une fois"
    assert client.post(url(m, "/carte/essai"), lus | {"reference": "forgée"}).status_code == 404
    voisin = monde()
    assert client.get(url(voisin, "/carte/essai"), lus).status_code == 404
    ReglagePortail.objects.update(carte="stripe", carte_secret="sk")
    assert client.get(url(m, "/carte/essai"), lus).status_code == 404


def test_les_centimes_sont_exacts_et_la_cle_illisible_ferme_la_carte(m):
    assert [centimes(Decimal(x)) for x in ("0.01", "1234.56", "1000")] == [1, 123456, 100000]
    with pytest.raises(ValueError, match="centime"):
        centimes(Decimal("0.001"))
    reglage = ReglagePortail.objects.get()
    reglage.carte_secret = None
    assert fournisseur(reglage) is None
    moment = datetime.fromtimestamp(0)
    with pytest.raises(NotificationRefusee, match="non réglée"):
        Stripe("sk", "").verifier_notification(b"{}", {}, moment=moment)
