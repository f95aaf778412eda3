"""Deux navigateurs signent le même accord au même instant, du même code : un seul signe."""

from concurrent.futures import ThreadPoolExecutor
from threading import Barrier

import pytest
from django.db import connection

from factures.models import Accord, Echeancier
from relances.models import CodeSignature, Declaration
from relances.services import messages, signatures

from .declarants import AU, MOMENT
from .test_declarations import payer
from .test_signature import QUI, convenir, envoyer, m  # noqa: F401 : fixture

pytestmark = pytest.mark.django_db(transaction=True)


@pytest.fixture(autouse=True)
def sans_courtier(monkeypatch):
    """Le temps est arrêté : attendre un courtier absent ne finirait jamais."""
    monkeypatch.setattr(messages, "_reveiller", lambda *args: None)


def ensemble(geste) -> list:
    """Le même geste dans deux fils à la fois ; leurs issues, exceptions comprises."""
    depart = Barrier(2)

    def un(rang):
        depart.wait()
        try:
            return geste(rang)
        except signatures.SignatureRefusee as refus:
            return refus
        finally:
            connection.close()

    with ThreadPoolExecutor(2) as fils:
        return list(fils.map(un, range(2)))


def test_deux_navigateurs_un_seul_signe(m):  # noqa: F811
    accord = convenir(m).accord
    chiffres = envoyer(accord, m)
    issues = ensemble(
        lambda rang: signatures.signer(
            accord, m.lien, chiffres=chiffres, signataire=QUI, lu=True, moment=MOMENT, au=AU
        )
    )  # fmt: skip
    refus = [x for x in issues if isinstance(x, signatures.SignatureRefusee)]
    assert len(refus) == 1 and ("déjà" in str(refus[0]))
    assert Echeancier.objects.count() == 1 and Accord.objects.get().statut == Accord.Statut.SIGNE
    assert CodeSignature.objects.get().utilise_le == MOMENT


def test_le_meme_formulaire_poste_deux_fois_a_la_fois_n_ecrit_qu_une_declaration(m):  # noqa: F811
    issues = ensemble(lambda rang: payer(m, cle="double").pk)
    assert issues[0] == issues[1] and Declaration.objects.count() == 1
