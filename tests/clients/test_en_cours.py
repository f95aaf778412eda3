"""Ce qui court et que la prochaine étape attend, à l'écran ; la fiche imprimée se suffit."""

from datetime import datetime, time, timedelta
from decimal import Decimal

import pytest
from django.db import connection
from django.test.utils import CaptureQueriesContext
from django.urls import reverse
from django.utils import timezone

from factures.models import Accord
from relances.models import Declaration, LienPortail, MessageRecu

pytestmark = pytest.mark.django_db


def lire(navigateur, client, **params):
    return navigateur.get(reverse("clients:fiche", args=[client.pk]), params)


def reponse(client, au, **champs):
    n = MessageRecu.objects.count()
    base = {
        "societe": client.societe, "client": client, "origine": "imap", "cle_source": f"<{n}@x>",
        "recu_le": timezone.make_aware(datetime.combine(au - timedelta(1), time(9))), "categorie": "reponse",
        "de": "nadia@belcourt.example", "de_nom": "Nadia Ferrand", "retient_jusqu_au": au + timedelta(6),
    }  # fmt: skip
    return MessageRecu.objects.create(**base | champs)


def declaration(client, au, **champs):
    lien = LienPortail.objects.create(client=client, cree_le=au, expire_le=au + timedelta(30))
    base = {
        "client": client, "lien": lien, "genre": "paye", "faite_le": timezone.now(), "cle": str(lien.pk),
        "retient_jusqu_au": au - timedelta(1),
    }  # fmt: skip
    return Declaration.objects.create(**base | champs)


def accord(client, au, **champs):
    base = {
        "client": client, "genre": "remise", "montant": Decimal(900), "propose_le": au, "expire_le": au + timedelta(9),
        "reference": "ACC-7",
    }  # fmt: skip
    return Accord.objects.create(**base | champs)


def phrases(page) -> str:
    return " ".join(c.phrase for c in page.context["cours"]).replace("\u00a0", " ")


def test_une_reponse_a_lire_une_declaration_et_un_accord_se_disent_a_la_prochaine_etape(connecte, belcourt, au):
    reponse(belcourt, au)
    declaration(belcourt, au)
    accord(belcourt, au)
    page = lire(connecte, belcourt)

    dites = phrases(page)
    assert "Réponse de Nadia Ferrand, reçue le 19/11/2026 et pas encore lue" in dites
    assert "retient les relances jusqu'au 26/11/2026 au plus" in dites
    assert "« J'ai payé »" in dites and "ne retient plus les relances" in dites
    assert "Accord ACC-7, 900,00 € : attend la signature du client jusqu'au 29/11/2026" in dites
    assert "Réponse du client" in page.content.decode() or "a répondu" in page.content.decode()


def test_ce_qui_est_lu_traite_ou_fini_ne_court_plus(connecte, belcourt, au):
    reponse(belcourt, au, statut="lu")
    declaration(belcourt, au, statut="ecartee")
    accord(belcourt, au, statut="refuse")

    assert lire(connecte, belcourt).context["cours"] == []


def test_vingt_reponses_coutent_autant_de_requetes_qu_une(connecte, belcourt, au):
    def compter():
        with CaptureQueriesContext(connection) as lues:
            lire(connecte, belcourt)
        return len(lues)

    reponse(belcourt, au)
    accord(belcourt, au)
    compter()
    une = compter()
    for _ in range(19):
        reponse(belcourt, au)
        accord(belcourt, au)
    assert compter() == une


def test_sur_le_papier_la_societe_la_date_le_filtre_et_l_heure_sont_ecrits(connecte, belcourt):
    page = lire(connecte, belcourt, o="chronologie", genre="recus").content.decode().replace("\u00a0", " ")

    assert f"client {belcourt.code} · compte arrêté au 20/11/2026" in page
    assert "Seulement : reçu." in page
    assert "édité le" in page and "par Claire Bonnet" in page
