"""Ce que le droit veut d'un accord quand le paiement se reprend, que le client conteste ou que l'envoi échoue."""
# ruff: noqa: F401, F811

from datetime import date, datetime, timedelta
from decimal import Decimal

import pytest
from django.utils import timezone

from factures.models import Accord, Promesse, Renonciation
from factures.services import imputer
from factures.services.rejets import rejeter_encaissement
from relances.models import Declaration, Message, Tache
from relances.services import messages
from relances.services.confirmations import promettre_et_confirmer
from tests.factures.factories import EncaissementFactory, LitigeFactory
from tests.portail.declarants import LienFactory

from .test_accords import (  # noqa: F401
    AU,
    PREMIERE,
    belcourt,
    claire,
    etat,
    nuit,
    payer,
    pdf_bref,
    pieces,
    proposer,
    rene,
    restes,
    signer,
)

pytestmark = pytest.mark.django_db
D = Decimal
S = Accord.Statut
MANQUEE = date(2026, 12, 9)  # la première, due le vendredi 4, se contrôle le mardi 8


# --- Une remise dont le paiement est rejeté ------------------------------------------------------


@pytest.fixture
def remise(proposer, belcourt, pieces, rene):
    """Payée à temps en deux virements, exécutée, pénalités abandonnées ; (accord, le second virement)."""
    accord = signer(proposer("remise", acteur=rene, remise=D(100), payer_avant=PREMIERE, penalites="abandonnees"))
    payer(belcourt, [(pieces[0], D(600))], AU)
    second = EncaissementFactory(client=belcourt, montant=200, date=PREMIERE)
    imputer(second, [(pieces[1], D(200))], au=PREMIERE, cle="second", acteur=rene)
    nuit(belcourt.societe, PREMIERE)
    assert etat(accord) == S.EXECUTE and restes(pieces) == [(600, 600), (300, 300)]
    return accord, second


def test_un_cheque_rejete_reprend_la_remise_et_ses_penalites(remise, belcourt, pieces, rene):
    """C. civ., art. 1350 : l'abandon ne valait que payé ; rejeté après coup, toute la dette revient, à son niveau."""
    accord, second = remise
    rejeter_encaissement(second, motif="impayé", le=date(2026, 12, 14), au=date(2026, 12, 14), acteur=rene)
    nuit(belcourt.societe, date(2026, 12, 14))
    assert etat(accord) == S.CADUC and "tout est dû" in accord.motif
    assert restes(pieces) == [(600, 600), (300, 0)] and not accord.avoirs.exists()
    assert not Renonciation.objects.en_vigueur().exists()
    assert belcourt.avoirs.count() == 0
    nuit(belcourt.societe, date(2026, 12, 15))
    assert etat(accord) == S.CADUC


def test_rejete_puis_repaye_avant_la_limite_la_remise_revient(remise, belcourt, pieces, rene):
    accord, second = remise
    rejeter_encaissement(second, motif="impayé", le=date(2026, 12, 7), au=date(2026, 12, 7), acteur=rene)
    nuit(belcourt.societe, date(2026, 12, 7))
    assert etat(accord) == S.SIGNE and restes(pieces)[1] == (300, 0)
    payer(belcourt, [(pieces[1], D(200))], date(2026, 12, 8))  # deux jours ouvrés après la date
    nuit(belcourt.societe, date(2026, 12, 8))
    assert etat(accord) == S.EXECUTE and restes(pieces)[1] == (300, 300)
    assert accord.avoirs.get().montant == 100 and Renonciation.objects.en_vigueur().count() == 2


def test_un_jour_de_trop_et_la_remise_est_caduque(proposer, belcourt, pieces, rene):
    accord = signer(proposer("remise", acteur=rene, remise=D(100), payer_avant=PREMIERE))
    payer(belcourt, [(pieces[0], D(600)), (pieces[1], D(200))], date(2026, 12, 9))
    nuit(belcourt.societe, date(2026, 12, 9))
    assert etat(accord) == S.CADUC and restes(pieces)[1] == (300, 200)


# --- La mensualité manquée -----------------------------------------------------------------------


def test_j_ai_paye_sur_la_page_retient_la_mise_en_demeure(proposer, belcourt, pieces):
    """Loyauté : ce que le client a déclaré retient aussi la mensualité, et l'échéancier ne rompt pas."""
    accord = signer(proposer())
    declaration = Declaration.objects.create(
        client=belcourt, lien=LienFactory(client=belcourt), genre="paye", montant=300, jour=PREMIERE,
        faite_le=timezone.now(), retient_jusqu_au=date(2026, 12, 15), cle="x",
    )  # fmt: skip
    declaration.echeances.set(pieces)
    for jour in (MANQUEE, date(2026, 12, 15)):
        nuit(belcourt.societe, jour)
        assert not Message.objects.exists() and etat(accord) == S.SIGNE
    nuit(belcourt.societe, date(2026, 12, 16))
    assert Message.objects.get().genre == "mensualite"


def test_exigence_10_contestee_depuis_la_signature_elle_ne_se_met_pas_en_demeure(proposer, belcourt, pieces):
    """Exigence 10 : un litige, même partiel, sort la pièce ; celui que l'accord reconnaît, non."""
    accord = signer(proposer())
    litige = LitigeFactory(echeance=pieces[0], montant_conteste=D(10), ouvert_le=date(2026, 12, 1))
    nuit(belcourt.societe, MANQUEE)
    nuit(belcourt.societe, date(2026, 12, 30))
    assert not Message.objects.exists() and etat(accord) == S.SIGNE
    litige.ouvert_le = AU - timedelta(30)
    litige.save()
    nuit(belcourt.societe, date(2026, 12, 30))
    assert Message.objects.count() == 1


@pytest.mark.parametrize("statut", ["en_erreur", "annule"])
def test_une_mise_en_demeure_revenue_en_erreur_ne_fait_pas_dechoir(proposer, belcourt, statut):
    """1re civ., 22/06/2017 : pas de déchéance sans mise en demeure restée sans effet ; une personne la refait."""
    accord = signer(proposer())
    nuit(belcourt.societe, MANQUEE)
    Message.objects.update(statut=statut, erreur="550 inconnu")
    for jour in (date(2026, 12, 10), date(2026, 12, 30)):
        nuit(belcourt.societe, jour)
        assert etat(accord) == S.SIGNE
    assert Tache.objects.filter(genre=Tache.Genre.ACCORD, faite_le=None).count() == 1
    assert Message.objects.count() == 1


def test_partie_en_retard_son_delai_court_du_jour_ou_elle_part(proposer, belcourt):
    """C. civ., art. 1231 et 1344 : un délai raisonnable depuis l'envoi ; non partie, elle ne fait rien courir."""
    accord = signer(proposer())
    nuit(belcourt.societe, MANQUEE)
    nuit(belcourt.societe, date(2026, 12, 21))
    assert etat(accord) == S.SIGNE
    Message.objects.update(statut="envoye", envoye_le=timezone.make_aware(datetime(2026, 12, 21, 9)))
    nuit(belcourt.societe, date(2026, 12, 29))
    assert etat(accord) == S.SIGNE
    nuit(belcourt.societe, date(2026, 12, 30))
    assert etat(accord) == S.ROMPU


@pytest.mark.parametrize(
    ("qui", "dit", "tait"),
    [
        ("entreprise", "mettons en demeure", "médiateur"),
        ("particulier", "CM2C", "pénalité"),
        ("administration", "vous demandons de payer", "demeure"),
    ],
)
def test_exigence_23_la_mensualite_manquee_a_ses_parties(proposer, belcourt, pieces, rene, qui, dit, tait):
    """Exigence 23. C. conso., L616-1 : le médiateur ; une administration ne se met pas en demeure (CGCT L1612-16)."""
    belcourt.type = qui
    belcourt.save()
    belcourt.societe.mediateur = "CM2C, 75008 Paris"
    belcourt.societe.save()
    signer(proposer(acteur=rene))
    nuit(belcourt.societe, MANQUEE)
    texte = Message.objects.get().texte
    assert dit in texte and tait not in texte and "40" not in texte.split("Virement")[0].split("accord portant")[0]
    assert pieces[0].facture.numero in texte and "17 décembre 2026" in texte.replace("\u00a0", " ")
    assert "deviendrait exigible" in texte and "Bien cordialement" in texte and "SIREN" in texte


def test_un_jugement_survenu_avant_la_remise_arrete_la_mensualite(proposer, belcourt, mailoutbox):
    """C. com., L622-21 ; exigence 19 : relu juste avant de partir."""
    signer(proposer())
    nuit(belcourt.societe, MANQUEE)
    belcourt.jugement_ouverture_le = MANQUEE
    belcourt.save()
    message = Message.objects.get()
    assert messages.expedier(message.pk, moment=message.pas_avant) == "en_erreur"
    assert not mailoutbox


# --- Promesse et procédure -----------------------------------------------------------------------


@pytest.mark.parametrize(
    "arret", [{"jugement_ouverture_le": date(2026, 11, 1)}, {"type": "particulier", "surendettement": True}]
)
def test_ni_confirmation_ni_rappel_sous_procedure_ou_surendettement(belcourt, pieces, rene, arret):
    """C. com., L622-7 et L622-21 ; C. consom., L722-5 : une promesse se note, rien ne la réclame."""
    for nom, valeur in arret.items():
        setattr(belcourt, nom, valeur)
    belcourt.save()
    promesse, message = promettre_et_confirmer(
        belcourt, pieces, montant=D(900), date_promise=PREMIERE, moyen="virement", au=AU, acteur=rene
    )
    assert message is None and not Message.objects.exists()
    nuit(belcourt.societe, MANQUEE)
    promesse.refresh_from_db()
    assert promesse.statut == Promesse.Statut.ROMPUE and not Tache.objects.exists()
