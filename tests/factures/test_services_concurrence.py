"""Deux connexions à la fois : rien en double, rien au-delà."""

import threading
from datetime import date
from decimal import Decimal

import pytest
from django.core.exceptions import ValidationError
from django.db import connection

from factures import services
from factures.models import Echeance, Encaissement, Imputation
from recouvrement.journal.services import verifier_chaine
from tests.clients.factories import ClientFactory
from tests.comptes.factories import UtilisateurFactory

from .factories import EcheanceFactory, EncaissementFactory

pytestmark = pytest.mark.django_db(transaction=True)
AU = date(2026, 11, 20)


def ensemble(*gestes):
    """Lance les gestes au même instant, chacun sur sa connexion ; rend leurs réponses ou leurs erreurs."""
    depart, reponses = threading.Barrier(len(gestes)), [None] * len(gestes)

    def jouer(rang, geste):
        try:
            depart.wait(10)
            reponses[rang] = geste()
        except Exception as erreur:
            reponses[rang] = erreur
        finally:
            connection.close()

    fils = [threading.Thread(target=jouer, args=x) for x in enumerate(gestes)]
    for fil in fils:
        fil.start()
    for fil in fils:
        fil.join(30)
    return reponses


def test_deux_clics_simultanes_n_enregistrent_qu_un_encaissement():
    client, acteur = ClientFactory(), UtilisateurFactory()

    def clic():
        return services.enregistrer_encaissement(
            client, montant=Decimal(500), recu_le=AU, au=AU, cle="k", acteur=acteur
        ).pk

    reponses = ensemble(*[clic] * 4)
    assert set(reponses) == {Encaissement.objects.get().pk}
    assert verifier_chaine().maillons == 1


def test_deux_encaissements_sur_la_meme_piece_ne_la_paient_pas_deux_fois():
    acteur, echeance = UtilisateurFactory(), EcheanceFactory(montant=1000)
    autre = EcheanceFactory(client=echeance.client, montant=1000)
    sources = [EncaissementFactory(client=echeance.client, montant=1500, date=AU) for _ in range(2)]

    def affecter(source, ordre):
        parts = [(e, Decimal(700)) for e in ordre]
        return lambda: services.imputer(source, parts, au=AU, cle=f"k{source.pk}", acteur=acteur)

    # Pièces citées en ordre inverse : sans ordre des verrous, les deux s'étreindraient.
    reponses = ensemble(affecter(sources[0], [echeance, autre]), affecter(sources[1], [autre, echeance]))

    assert sorted(type(r).__name__ for r in reponses) == ["ValidationError", "list"]
    assert sorted(Echeance.objects.values_list("impute", flat=True)) == [700, 700]
    assert Imputation.objects.count() == 2


def test_un_double_clic_simultane_n_affecte_qu_une_fois_et_deux_onglets_non_plus():
    acteur, echeance = UtilisateurFactory(), EcheanceFactory(montant=1000)
    source = EncaissementFactory(client=echeance.client, montant=1000, date=AU)

    def clic(cle):
        return lambda: services.imputer(
            source, [(echeance, Decimal(300))], au=AU, cle=cle, acteur=acteur, vu=Decimal(0)
        )

    reponses = ensemble(clic("a"), clic("a"), clic("b"))

    assert Imputation.objects.count() == 1
    assert Echeance.objects.get().impute == Encaissement.objects.get().impute == 300
    assert any(isinstance(r, ValidationError) for r in reponses) or reponses[0] == reponses[1] == reponses[2]
    assert verifier_chaine().defauts == []
