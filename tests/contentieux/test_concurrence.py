"""Deux ouvertures à la fois : ni trou ni doublon de référence, une échéance dans un seul dossier."""

from concurrent.futures import ThreadPoolExecutor

import pytest
from django.core.exceptions import ValidationError
from django.db import connection

from contentieux import services
from contentieux.models import DossierContentieux
from tests.comptes.factories import UtilisateurFactory
from tests.contentieux.factories import AU, CreanceFactory, DebiteurFactory

pytestmark = pytest.mark.django_db(transaction=True)


def en_parallele(gestes):
    def jouer(geste):
        try:
            return geste()
        except ValidationError as refus:
            return refus
        finally:
            connection.close()

    with ThreadPoolExecutor(len(gestes)) as fils:
        return list(fils.map(jouer, gestes))


def test_six_ouvertures_simultanees_se_numerotent_sans_trou_ni_doublon():
    societe = DebiteurFactory().societe
    creances = [CreanceFactory(client=DebiteurFactory(societe=societe), factures=1) for _n in range(6)]
    par = UtilisateurFactory(societe=societe)
    ouvrir = [
        lambda es=es: services.ouvrir_dossier(es[0].client, [es[0].pk], par=par, au=AU, motif="x") for es in creances
    ]
    en_parallele(ouvrir)
    references = sorted(DossierContentieux.objects.values_list("reference", flat=True))
    assert references == [f"CX-2026-{n:03d}" for n in range(1, 7)]


def test_deux_ouvertures_de_la_meme_creance_ne_font_qu_un_dossier():
    (echeance,) = CreanceFactory(factures=1)
    par = UtilisateurFactory(societe=echeance.societe)

    def ouvrir():
        return services.ouvrir_dossier(echeance.client, [echeance.pk], par=par, au=AU, motif="double clic")

    resultats = en_parallele([ouvrir, ouvrir, ouvrir])
    assert sum(isinstance(r, ValidationError) for r in resultats) == 2
    assert DossierContentieux.objects.count() == 1
