"""La porte : lien valable, faux, expiré, révoqué, page refermée ; en-têtes, langue, essais."""

from datetime import timedelta

import pytest
from django.core.cache import cache
from django.utils import timezone

from recouvrement.portail import limitation
from relances.models import LienPortail
from relances.services import liens

from .outils import AU, MOMENT, client_ouvert, lien_de, societe_ouverte, url

pytestmark = pytest.mark.django_db


@pytest.fixture(autouse=True)
def jour(time_machine):
    time_machine.move_to(MOMENT, tick=False)
    cache.clear()


def test_un_lien_valable_ouvre_la_page_sans_compte(client):
    reponse = client.get(url(lien_de()))

    assert reponse.status_code == 200
    assert "sessionid" not in reponse.cookies
    assert "csrftoken" not in reponse.cookies


def test_un_lien_par_courrier_et_un_seul():
    a = client_ouvert()
    assert liens.lien_pour(a, au=AU) == liens.lien_pour(a, au=AU)
    assert liens.adresse_de_page(a, au=AU).startswith("http://127.0.0.1:8000/p/")


def test_page_fermee_aucun_lien():
    a = client_ouvert(societe=societe_ouverte(actif=False))

    assert liens.adresse_de_page(a, au=AU) == ""
    assert liens.code_de_page(a, au=AU) == ""
    assert not LienPortail.objects.exists()


def test_la_base_ne_porte_pas_de_quoi_refaire_le_lien(settings):
    lien = lien_de()
    jeton = liens.jeton(lien)
    settings.SECRET_KEY = "une autre"

    assert lien.cle not in jeton
    assert liens.reconnaitre(jeton) is None
    settings.SECRET_KEY_FALLBACKS = ["essais"]
    assert liens.reconnaitre(jeton) == lien


def test_faux_et_revoque_repondent_la_meme_404(client):
    lien, autre = lien_de(), lien_de()
    jeton = liens.jeton(lien)
    liens.revoquer(autre, par=autre.client.gestionnaire, moment=timezone.now())
    faux = [f"/p/{jeton[:-1]}{'A' if jeton[-1] != 'A' else 'B'}", "/p/x", "/p/zzzz-" + "a" * 22, url(autre), "/p/a/b/c"]
    faux += [f"/p/{liens.jeton(autre).partition('-')[0]}-{jeton.partition('-')[2]}", "/p/", "/p/%00"]

    reponses = [client.get(f) for f in faux]

    assert {r.status_code for r in reponses} == {404}
    assert len({r.content for r in reponses}) == 1
    assert lien.client.societe.raison_sociale not in reponses[0].text


def test_expire_ou_referme_donne_le_creancier_et_rien_de_la_dette(client):
    lien = lien_de()
    societe = lien.client.societe
    LienPortail.objects.update(expire_le=AU - timedelta(days=1))

    reponse = client.get(url(lien))

    assert reponse.status_code == 410
    assert societe.raison_sociale in reponse.text
    assert lien.client.raison_sociale not in reponse.text
    LienPortail.objects.update(expire_le=AU)
    assert client.get(url(lien)).status_code == 200
    societe.reglage_portail.actif = False
    societe.reglage_portail.save()
    assert client.get(url(lien)).status_code == 410


@pytest.mark.parametrize("suite", ["", "/donnees", "x"])
def test_en_tetes_de_chaque_reponse(client, suite):
    reponse = client.get(url(lien_de(), suite))

    assert reponse["Referrer-Policy"] == "no-referrer"
    assert reponse["Cache-Control"] == "no-store, private"
    assert reponse["X-Robots-Tag"].startswith("noindex")
    assert reponse["X-Frame-Options"] == "DENY"
    csp = reponse["Content-Security-Policy"]
    assert "default-src 'none'" in csp
    assert "frame-ancestors 'none'" in csp
    assert "unsafe" not in csp


def test_la_langue_du_client_puis_la_bascule(client):
    lien = lien_de(client_ouvert(langue="en"))

    assert client.get(url(lien))["Content-Language"] == "en"
    assert client.get(url(lien) + "?langue=fr")["Content-Language"] == "fr"
    assert client.get(url(lien) + "?langue=zz")["Content-Language"] == "en"


def test_mille_essais_par_minute_sont_bornes(client, monkeypatch):
    """Exigence d'usage hostile : mille essais dans la minute, vingt arrivent à la base."""
    lien = lien_de()
    lus = []
    vrai = liens.reconnaitre
    monkeypatch.setattr(liens, "reconnaitre", lambda jeton: lus.append(jeton) or vrai(jeton))

    statuts = [client.get(f"/p/{i:x}-{'a' * 22}").status_code for i in range(1000)]

    assert statuts.count(404) == limitation.PAR_ADRESSE
    assert statuts.count(429) == 1000 - limitation.PAR_ADRESSE
    assert len(lus) == limitation.PAR_ADRESSE
    # La limite ne renseigne pas : un lien juste attend aussi, depuis cette adresse seulement.
    assert client.get(url(lien)).status_code == 429
    assert client.get(url(lien), REMOTE_ADDR="203.0.113.9").status_code == 200


def test_la_limite_globale_serre_chaque_adresse(client):
    for i in range(limitation.EN_TOUT):
        client.get("/p/1-" + "a" * 22, REMOTE_ADDR=f"203.0.{i // 10}.9")
    statuts = [client.get("/p/1-" + "a" * 22, REMOTE_ADDR="198.51.100.1").status_code for _i in range(5)]

    assert statuts == [404] * limitation.PAR_ADRESSE_SERREE + [429] * 2
    assert client.get(url(lien_de()), REMOTE_ADDR="198.51.100.2").status_code == 200


def test_la_minute_passee_la_page_se_rouvre(client, time_machine):
    lien = lien_de()
    for _i in range(limitation.PAR_ADRESSE + 1):
        client.get("/p/x")
    for _i in range(limitation.PAR_ADRESSE):
        client.get("/p/1-" + "a" * 22)
    assert client.get(url(lien)).status_code == 429
    time_machine.move_to("2026-11-20 10:01:01 +0100", tick=False)

    assert client.get(url(lien)).status_code == 200


def test_une_adresse_forgee_dans_x_forwarded_for_n_est_pas_crue(rf, settings):
    settings.PROXYS = 1
    requete = rf.get("/", headers={"X-Forwarded-For": "6.6.6.6, 203.0.113.7"})
    assert limitation.adresse_ip(requete) == "203.0.113.7"
    settings.PROXYS = 0
    assert limitation.adresse_ip(requete) == "127.0.0.1"
    settings.PROXYS = 1
    assert limitation.adresse_ip(rf.get("/", headers={"X-Forwarded-For": "<script>"})) == ""


def test_un_reseau_ipv6_compte_pour_une_adresse(client):
    statuts = [client.get("/p/1-" + "a" * 22, REMOTE_ADDR=f"2001:db8::{i:x}").status_code for i in range(1, 30)]

    assert statuts.count(404) == limitation.PAR_ADRESSE


def test_aucun_jeton_dans_les_journaux(client, caplog):
    lien = lien_de()
    caplog.set_level("DEBUG")
    client.get(url(lien))
    client.get("/p/1-" + "a" * 22)
    client.post(url(lien))

    assert liens.jeton(lien) not in caplog.text
    assert "a" * 22 not in caplog.text


def test_mauvaise_methode(client):
    assert client.post(url(lien_de())).status_code == 405


# --- Le code du papier ---------------------------------------------------------------------------


def code_de(lien):
    return liens.ecrire_code(liens.code_du_lien(lien))


def test_le_code_et_le_numero_menent_a_la_page(client):
    lien = lien_de()
    code = code_de(lien)
    assert code_de(lien) == code

    reponse = client.post(
        "/p/code", {"code": code.lower().replace("-", " "), "numero": f" {lien.client.code.lower()} "}
    )

    assert reponse.status_code == 303
    assert reponse["Location"] == url(lien)


def test_code_faux_numero_faux_revoque_ou_expire_repondent_pareil(client):
    bon, revoque, expire = lien_de(), lien_de(), lien_de()
    codes = {lien.pk: code_de(lien) for lien in (bon, revoque, expire)}
    liens.revoquer(revoque, par=revoque.client.gestionnaire, moment=timezone.now())
    LienPortail.objects.filter(pk=expire.pk).update(expire_le=AU - timedelta(days=1))
    essais = [
        ("AAAAA-AAAAA", bon.client.code), (codes[bon.pk], "C999999"), (codes[bon.pk], revoque.client.code),
        (codes[revoque.pk], revoque.client.code), (codes[expire.pk], expire.client.code), (codes[bon.pk], "*"),
    ]  # fmt: skip

    reponses = [client.post("/p/code", {"code": code, "numero": numero}) for code, numero in essais]

    assert {r.status_code for r in reponses} == {422}
    nues = {
        r.text.replace(code, "").replace(f'"{numero}"', "") for r, (code, numero) in zip(reponses, essais, strict=True)
    }
    assert len(nues) == 1


def test_les_essais_de_code_sont_bornes(client):
    lien = lien_de()
    code = code_de(lien)
    statuts = [client.post("/p/code", {"code": f"AAAAA-{i:05}", "numero": "C1"}).status_code for i in range(100)]

    assert statuts.count(422) == limitation.PAR_ADRESSE
    assert client.post("/p/code", {"code": code, "numero": lien.client.code}).status_code == 429
    assert client.get("/p/code").status_code == 200


@pytest.mark.parametrize(
    ("message", "attendu"),
    [
        ("Not Found: /p/1a-XyZ_0/facture/3", "Not Found: /p/…/facture/3"),
        ('"GET /p/1a-XyZ?langue=en HTTP/1.1" 200', '"GET /p/…?langue=en HTTP/1.1" 200'),
        ("POST /p/code", "POST /p/code"),
        ("Not Found: /p/code-XyZ_0", "Not Found: /p/…"),
        ("/prestations/p1", "/prestations/p1"),
    ],
)
def test_le_journal_perd_le_jeton_et_garde_le_reste(message, attendu):
    import logging

    from recouvrement.commun.journaux import SansJeton

    ligne = logging.LogRecord("django.request", logging.WARNING, "", 0, "%s", (message,), None)
    assert SansJeton().filter(ligne)
    assert ligne.getMessage() == attendu


def test_le_journal_des_acces_de_gunicorn_perd_aussi_le_jeton(tmp_path):
    """Gunicorn écrit par son propre journal, qui ne passe pas par la racine."""
    import os
    import subprocess
    import sys

    programme = (
        "import logging, django; acces = logging.getLogger('gunicorn.access'); acces.propagate = False; "
        "acces.addHandler(logging.StreamHandler()); django.setup(); "
        "acces.info('\"%(r)s\" %(s)s', {'r': 'GET /p/1a-XyZ HTTP/1.1', 's': 200})"
    )
    reglages = {
        "DJANGO_SETTINGS_MODULE": "recouvrement.settings.prod", "SECRET_KEY": "x" * 60, "ALLOWED_HOSTS": "exemple.fr",
        "DATABASE_URL": "postgres://a:b@127.0.0.1:1/c", "REDIS_URL": "redis://127.0.0.1:1/0",
        "EMAIL_URL": "dummymail://", "DEFAULT_FROM_EMAIL": "a@exemple.fr", "RECOUVREMENT_VAR": str(tmp_path),
    }  # fmt: skip
    sortie = subprocess.run(
        [sys.executable, "-c", programme], env=os.environ | reglages, capture_output=True, text=True, timeout=100
    )
    assert "GET /p/… HTTP/1.1" in sortie.stderr
    assert "XyZ" not in sortie.stdout + sortie.stderr


@pytest.mark.django_db(transaction=True)
def test_des_essais_simultanes_se_comptent_tous(settings, rf):
    """Le cache de production est en base : lire puis écrire y perdrait les essais faits au même instant."""
    from tests.factures.test_services_concurrence import ensemble

    settings.CACHES = settings.CACHES | {
        "default": {"BACKEND": "django.core.cache.backends.db.DatabaseCache", "LOCATION": "cache"}
    }
    requete = rf.get("/p/x", REMOTE_ADDR="203.0.113.9")
    ensemble(*[lambda: [limitation.rate(requete, "lien") for _ in range(5)]] * 4)
    assert not limitation.permis(requete, "lien")
