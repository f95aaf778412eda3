"""Mise en demeure en premier acte ou après les relances amiables, avec un motif tracé (exigences 10, 11, 14)."""

from datetime import date, timedelta

import pytest
from django.urls import reverse

from recouvrement.comptes.models import Role
from recouvrement.journal.models import Maillon
from relances.domaine.natures import Nature
from relances.models import Courrier, Relance
from relances.services import envoi, gestes, receptions
from relances.services.preparation import preparer
from tests.clients.factories import ClientFactory
from tests.comptes.factories import UtilisateurFactory
from tests.contentieux.factories import CourrierEnvoyeFactory
from tests.factures.factories import EcheanceFactory

pytestmark = pytest.mark.django_db
MARDI = date(2026, 2, 10)


@pytest.fixture
def responsable(client, time_machine):
    time_machine.move_to("2026-02-10 09:00 +0100", tick=False)
    user = UtilisateurFactory(role=Role.RESPONSABLE)
    client.force_login(user)
    return user


@pytest.fixture
def debiteur(responsable):
    return ClientFactory(societe=responsable.affectations.get().societe)


def test_en_premier_acte_avec_motif_a_valider_et_trace(client, debiteur):
    due = EcheanceFactory(client=debiteur, echue_le=MARDI - timedelta(days=9))
    EcheanceFactory(client=debiteur, echue_le=MARDI - timedelta(days=9), en_litige=100)
    url = reverse("relances:manuel", args=[debiteur.pk]) + "?palier=mise-en-demeure"
    assert "Pourquoi mettre en demeure" in client.get(url).content.decode()
    assert client.post(url, {"motif": " "}).status_code == 422
    assert not Courrier.objects.exists()

    client.post(url, {"motif": "cessation d'activité annoncée"})
    courrier = Courrier.objects.get()
    assert (courrier.nature, courrier.statut, courrier.canal) == (Nature.MISE_EN_DEMEURE, "a_valider", "recommande")
    assert [r.echeance for r in courrier.relances.all()] == [due], "la pièce contestée n'y entre pas"
    assert "cessation d'activité" in courrier.motif
    assert "cessation d'activité" in Maillon.objects.get(action="courrier.demande").detail.texte
    assert preparer(courrier, au=MARDI).manques == []


def test_apres_les_relances_amiables_epuisees_la_mise_en_demeure_reste_possible(debiteur):
    EcheanceFactory(client=debiteur, echue_le=MARDI - timedelta(days=90))
    debiteur.societe.max_amiables = 0
    debiteur.societe.save()
    with pytest.raises(gestes.Refus):
        gestes.relancer_maintenant(debiteur, par=None, au=MARDI)
    (courrier,) = gestes.relancer_maintenant(debiteur, par=None, au=MARDI, derogation="décision du responsable")
    assert courrier.nature == Nature.MISE_EN_DEMEURE


def test_jamais_a_une_administration(debiteur):
    publique = ClientFactory(societe=debiteur.societe, administration=True)
    EcheanceFactory(client=publique, echue_le=MARDI - timedelta(days=90))
    with pytest.raises(gestes.Refus, match="pas de mise en demeure"):
        gestes.relancer_maintenant(publique, par=None, au=MARDI, derogation="essai")


# --- Une seconde mise en demeure -------------------------------------------------------------------

S = Relance.Statut


def statuts(echeance):
    return list(echeance.relances.filter(nature=Nature.MISE_EN_DEMEURE).order_by("pk").values_list("statut", flat=True))


def niveau(echeance):
    echeance.refresh_from_db()
    return echeance.niveau, echeance.niveau_le


@pytest.fixture
def demeuree(debiteur):
    """Formalisée, puis mise en demeure par un recommandé électronique refusé."""
    echeance = EcheanceFactory(client=debiteur, echue_le=MARDI - timedelta(days=90))
    CourrierEnvoyeFactory([echeance], nature=Nature.FORMALISATION, le=MARDI - timedelta(days=60))
    CourrierEnvoyeFactory([echeance], le=MARDI - timedelta(days=10), retour="refuse", electronique=True)
    return echeance


def test_une_mise_en_demeure_se_refait_avec_un_motif_et_la_premiere_reste_prouvee(client, debiteur, demeuree):
    """Recommandé électronique refusé, échéancier rompu avec clause : la jurisprudence en exige une nouvelle."""
    premiere = Courrier.objects.get(nature=Nature.MISE_EN_DEMEURE)
    url = reverse("relances:manuel", args=[debiteur.pk]) + "?palier=mise-en-demeure"
    assert "Pourquoi mettre en demeure" in client.get(url).content.decode()
    client.post(url, {"motif": "recommandé électronique refusé"})
    seconde = Courrier.objects.filter(nature=Nature.MISE_EN_DEMEURE).latest("pk")
    assert (seconde.statut, seconde.derogation) == ("a_valider", "recommandé électronique refusé")
    assert (statuts(demeuree), niveau(demeuree)) == ([S.REMPLACEE, S.DECIDEE], (Nature.MISE_EN_DEMEURE, MARDI))
    assert premiere.reference in Maillon.objects.get(action="courrier.demande").detail.donnees["remplace"]
    assert preparer(seconde, au=MARDI).manques == []
    premiere.refresh_from_db()
    assert (premiere.statut, bool(premiere.pdf_empreinte)) == ("poste", True)
    assert demeuree.pk in receptions.mises_en_demeure_recues([demeuree.pk], au=MARDI)
    gestes.valider(seconde, par=None, au=MARDI)


def test_une_double_demande_n_en_refait_qu_une(debiteur, demeuree):
    gestes.relancer_maintenant(debiteur, par=None, au=MARDI, derogation="refusé")
    with pytest.raises(gestes.Refus):
        gestes.relancer_maintenant(debiteur, par=None, au=MARDI, derogation="refusé")
    assert statuts(demeuree) == [S.REMPLACEE, S.DECIDEE]


def test_retenue_la_seconde_rend_sa_valeur_a_la_premiere(debiteur, demeuree, responsable):
    (seconde,) = gestes.relancer_maintenant(debiteur, par=None, au=MARDI, derogation="refusé")
    gestes.annuler(seconde, par=responsable, motif="réglé demain", au=MARDI)
    assert statuts(demeuree) == [S.ENVOYEE, S.ANNULEE]
    assert niveau(demeuree) == (Nature.MISE_EN_DEMEURE, MARDI - timedelta(days=10))


def test_revenue_npai_la_seconde_laisse_le_niveau_de_la_premiere(debiteur, demeuree):
    (seconde,) = gestes.relancer_maintenant(debiteur, par=None, au=MARDI, derogation="refusé")
    envoi.mettre_en_erreur(seconde, au=MARDI)
    assert statuts(demeuree) == [S.REMPLACEE, S.EN_ERREUR]
    assert niveau(demeuree) == (Nature.MISE_EN_DEMEURE, MARDI - timedelta(days=10))


def test_au_dela_de_la_mise_en_demeure_le_niveau_ne_redescend_pas(debiteur, demeuree):
    """Exigence 8."""
    CourrierEnvoyeFactory([demeuree], nature=Nature.CONTENTIEUX, le=MARDI - timedelta(days=2), statut="tache")
    gestes.relancer_maintenant(debiteur, par=None, au=MARDI, derogation="échéancier rompu", pieces=[demeuree.pk])
    assert (statuts(demeuree), niveau(demeuree)[0]) == ([S.REMPLACEE, S.DECIDEE], Nature.CONTENTIEUX)


def test_une_piece_neuve_n_entraine_pas_celle_deja_mise_en_demeure(debiteur, demeuree):
    neuve = EcheanceFactory(client=debiteur, echue_le=MARDI - timedelta(days=9))
    (courrier,) = gestes.relancer_maintenant(debiteur, par=None, au=MARDI, derogation="cessation annoncée")
    assert [r.echeance for r in courrier.relances.all()] == [neuve]
    assert statuts(demeuree) == [S.ENVOYEE]


def test_tant_que_court_le_delai_de_la_premiere_elle_ne_se_refait_pas(debiteur):
    echeance = EcheanceFactory(client=debiteur, echue_le=MARDI - timedelta(days=90))
    CourrierEnvoyeFactory([echeance], le=MARDI - timedelta(days=10))
    with pytest.raises(gestes.Refus, match="Pas de mise en demeure avant"):
        gestes.relancer_maintenant(debiteur, par=None, au=MARDI, derogation="impatience")
    assert statuts(echeance) == [S.ENVOYEE]
