"""Les visites de la page s'oublient (RGPD, art. 5, 1, e) ; ce qui prouve un accord reste."""

from datetime import timedelta

import pytest
from django.conf import settings

from recouvrement.settings.base import VISITES_MAX
from relances import tasks
from relances.models import Declaration, VisitePortail
from relances.services import visites_portail

from .declarants import MOMENT, monde

pytestmark = pytest.mark.django_db


def _visite(lien, jours):
    return VisitePortail.objects.create(
        lien=lien, genre="visite", le=MOMENT - timedelta(days=jours), adresse_ip="203.0.113.7", agent="Essai/1.0"
    )


def test_au_dela_du_delai_la_visite_s_efface_et_la_declaration_perd_son_adresse(settings, monkeypatch):
    settings.VISITES_JOURS = 365
    monkeypatch.setattr(visites_portail, "PAR_LOT", 2)
    lien = monde().lien
    for jours in (366, 400, 500, 366):
        _visite(lien, jours)
    recente, veille = _visite(lien, 1), _visite(lien, 365)
    faites = [
        Declaration.objects.create(
            client=lien.client, lien=lien, genre="paye", montant=10, faite_le=MOMENT - timedelta(days=jours),
            adresse_ip="203.0.113.7", agent="Essai/1.0", nom="Nadia Ferrand", cle=str(jours),
        )
        for jours in (10, 400)
    ]  # fmt: skip
    assert visites_portail.purger(MOMENT) == (4, 1)
    assert set(VisitePortail.objects.all()) == {recente, veille}
    for d in faites:
        d.refresh_from_db()
    assert [(d.adresse_ip, d.agent, d.nom) for d in faites] == [
        ("203.0.113.7", "Essai/1.0", "Nadia Ferrand"),
        (None, "", "Nadia Ferrand"),
    ]
    assert visites_portail.purger(MOMENT) == (0, 0)


def test_la_purge_est_quotidienne_et_jamais_au_dela_de_treize_mois():
    assert settings.CELERY_BEAT_SCHEDULE["visites-du-portail"]["task"] == tasks.oublier_les_visites.name
    assert settings.VISITES_JOURS <= VISITES_MAX <= 396


def test_la_page_dit_combien_de_temps(client):
    from django.core.cache import cache

    from .outils import url

    cache.clear()
    m = monde()
    reponse = client.get(url(m.lien, "/donnees"))
    assert "un an au plus" in reponse.content.decode()
