"""Les exigences 1 à 22 là où le reste des essais ne les croise pas : en base, frein par frein, mode par mode.

Le domaine pur est dans test_domaine_echelle.py et test_freins.py ; docs/exigences.md dit où chaque numéro s'essaie.
"""

from datetime import date, timedelta
from decimal import Decimal
from io import StringIO

import pytest
from django.core.management import call_command
from django.db import transaction
from django.utils import timezone

from clients.models import Client, TypeDebiteur
from factures.models import Echeance, Echeancier, Facture
from factures.services import echeanciers
from factures.services.exclusions import exclure
from recouvrement.comptes.models import Role
from relances.domaine.natures import Nature
from relances.models import Courrier, Echelle, MessageRecu, Passage, Relance, Tache, Verdict, VersionEchelle
from relances.services import gestes, nuit, quotidien
from relances.services.plans import installer_plans, plans_publies
from relances.services.preparation import preparer
from relances.services.relecture import relire
from tests.clients.factories import ClientFactory, ContactFactory, SuspensionFactory
from tests.comptes.factories import UtilisateurFactory
from tests.factures.factories import (
    EcheanceFactory,
    EncaissementFactory,
    ImputationFactory,
    LitigeFactory,
    PromesseFactory,
)

pytestmark = pytest.mark.django_db
MARDI, JOUR = date(2026, 2, 10), timedelta(days=1)
MODES = ["piece", "niveau", "plus_haut", "plus_ancienne"]


def passer(societe, au=MARDI):
    passage = nuit.ouvrir_passage(societe, au=au, genre=Passage.Genre.REJOUE)
    return nuit.relancer(societe, au=au, passage=passage)


def parties():
    """Les relances décidées sont tenues pour parties."""
    Relance.objects.update(statut=Relance.Statut.ENVOYEE)
    Courrier.objects.exclude(statut=Courrier.Statut.TACHE).update(
        statut=Courrier.Statut.ENVOYE, envoye_le=timezone.now()
    )


@pytest.fixture
def due():
    """Son rappel courtois est dû depuis quatre jours."""
    return EcheanceFactory(echue_le=MARDI - 9 * JOUR)


def personne(societe):
    return UtilisateurFactory(societe=societe, role=Role.RESPONSABLE)


# --- Chaque frein, posé après la décision, retient encore avant l'envoi (exigence 19) -------------


def echelonner(e, *, clause=True, au=MARDI):
    return echeanciers.accepter(
        e.client, echeances=[e], mensualites=[(au + 10 * JOUR, Decimal(400)), (au + 40 * JOUR, Decimal(600))],
        accepte_le=au, clause_decheance=clause, au=au, acteur=personne(e.societe),
    )  # fmt: skip


POSER = {
    "exclue": lambda e: exclure(e, motif="avoir attendu", du=MARDI, au=MARDI + 9 * JOUR, acteur=personne(e.societe)),
    "echeancier": echelonner,
    "promesse": lambda e: PromesseFactory(echeances=[e], date_promise=MARDI + JOUR, faite_le=MARDI),
    "litige": lambda e: LitigeFactory(echeance=e),
    "suspendue": lambda e: SuspensionFactory(client=e.client, du=MARDI),
    "reponse": lambda e: MessageRecu.objects.create(
        societe=e.societe,
        client=e.client,
        origine="imap",
        cle_source="<r@x>",
        categorie="reponse",
        recu_le=timezone.now(),
        retient_jusqu_au=MARDI,
    ),
    "prelevement": lambda e: Client.objects.filter(pk=e.client_id).update(prelevement=True),
    "procedure": lambda e: Client.objects.filter(pk=e.client_id).update(jugement_ouverture_le=MARDI),
    "surendettement": lambda e: Client.objects.filter(pk=e.client_id).update(surendettement=True),
    "contentieux": lambda e: Echeance.objects.filter(pk=e.pk).update(en_contentieux=True),
    "affacturee": lambda e: Facture.objects.filter(pk=e.facture_id).update(affacturee=True),
    "fe_arretee": lambda e: Facture.objects.filter(pk=e.facture_id).update(statut_fe="210", statut_fe_le=MARDI),
    "fe_retenue": lambda e: Facture.objects.filter(pk=e.facture_id).update(statut_fe="208"),
    "fe_a_verifier": lambda e: Facture.objects.filter(pk=e.facture_id).update(statut_fe="211"),
    "credit_non_affecte": lambda e: EncaissementFactory(client=e.client, montant=500),
}


@pytest.mark.parametrize("frein", POSER)
def test_exigence_19_un_frein_pose_apres_la_decision_retient_avant_l_envoi(due, frein):
    passer(due.societe)
    POSER[frein](due)
    with transaction.atomic():
        lue = relire(Courrier.objects.get(), au=MARDI)
    assert not lue.garde and lue.raison
    due.refresh_from_db()
    assert due.niveau == Nature.AUCUNE, "rien n'est parti : le niveau est rendu (exigence 22)"


@pytest.mark.parametrize("frein", POSER)
def test_chaque_frein_lu_en_base_retient_a_la_decision(due, frein):
    POSER[frein](due)
    assert passer(due.societe).retenues == {frein: 1}


def test_exigence_19_une_piece_payee_sort_de_la_lettre_et_les_autres_restent(due):
    autre = EcheanceFactory(client=due.client, echue_le=due.date_echeance)
    passer(due.societe)
    ImputationFactory(echeance=due)
    with transaction.atomic():
        lue = relire(Courrier.objects.get(), au=MARDI)
    assert (lue.garde, lue.sorties) == (True, 1)
    assert Relance.objects.get(statut=Relance.Statut.DECIDEE).echeance == autre


# --- Ce qui retient pour un temps rend la pièce seule ----------------------------------------------


def test_exigence_17_a_la_fin_de_l_exclusion_la_piece_rentre_seule(due):
    POSER["exclue"](due)
    passer(due.societe)
    verdict = Verdict.objects.get(echeance=due, au=None)
    assert (verdict.code, verdict.prochaine) == ("exclue", MARDI + 10 * JOUR)
    assert "avoir attendu" in verdict.detail
    assert passer(due.societe, MARDI + 10 * JOUR).decidees == 1


def conclure(societe, au):
    quotidien.conclure_echeanciers(societe, au=au)
    return passer(societe, au)


def test_un_echeancier_tenu_se_tait_et_manque_avec_clause_rend_la_piece(due):
    echelonner(due)
    assert passer(due.societe).retenues == {"echeancier": 1}
    # Due le vendredi 20, tolérée jusqu'au mardi 24.
    assert Verdict.objects.get(echeance=due, au=None).prochaine == MARDI + 15 * JOUR
    assert conclure(due.societe, MARDI + 14 * JOUR).retenues == {"echeancier": 1}
    assert conclure(due.societe, MARDI + 15 * JOUR).decidees == 1


def test_une_mensualite_payee_prolonge_le_silence_jusqu_a_la_suivante(due):
    echelonner(due)
    ImputationFactory(echeance=due, montant=400, date=MARDI + 8 * JOUR)
    assert conclure(due.societe, MARDI + 15 * JOUR).retenues == {"echeancier": 1}
    assert Verdict.objects.get(echeance=due, au=None).prochaine == date(2026, 3, 25)  # dimanche 22, puis deux jours


def test_une_mensualite_recue_et_pas_encore_affectee_n_est_pas_un_defaut(due):
    echelonner(due)
    EncaissementFactory(client=due.client, montant=400, date=MARDI + 9 * JOUR)
    assert conclure(due.societe, MARDI + 15 * JOUR).retenues == {"echeancier": 1}


def test_sans_clause_de_decheance_le_solde_attend_la_derniere_mensualite(due):
    """C. civ., art. 1305-4 : une mensualité manquée ne rend pas les autres exigibles."""
    echelonner(due, clause=False)
    assert conclure(due.societe, MARDI + 15 * JOUR).retenues == {"terme_non_echu": 1}
    assert Echeancier.objects.get().statut == Echeancier.Statut.ROMPU
    assert passer(due.societe, MARDI + 41 * JOUR).decidees == 1


def test_exigence_32_la_mensualite_manquee_rend_le_meme_verdict_a_toutes_les_portes(due, time_machine):
    """L'essai à blanc n'attend pas que la nuit ait écrit la rupture, et `relancer` l'écrit comme elle."""
    echelonner(due, clause=False)
    au = MARDI + 15 * JOUR
    time_machine.move_to(f"{au} 19:30 +0100", tick=False)
    assert nuit.essai(due.societe, au=au).retenues == {"terme_non_echu": 1}
    assert Echeancier.objects.get().statut == Echeancier.Statut.EN_COURS
    call_command("relancer", "--societe", due.societe.code, stdout=StringIO())
    assert Verdict.objects.get(echeance=due, au=None).code == "terme_non_echu"
    assert Echeancier.objects.get().statut == Echeancier.Statut.ROMPU
    assert Tache.objects.filter(cle__startswith="echeancier:").count() == 1


# --- Procédure close : les créances d'avant, et celles d'après -----------------------------------


def test_la_procedure_close_rend_les_creances_nees_depuis_et_elles_seules(due):
    """C. com., art. L622-21 et L622-17 ; née : livrée ou exécutée, à défaut facturée."""
    jugement = MARDI - 60 * JOUR
    due.facture.date_execution = jugement - JOUR
    due.facture.save()
    apres = [EcheanceFactory(client=due.client, echue_le=MARDI - 9 * JOUR) for _ in range(2)]
    Facture.objects.filter(pk=apres[0].facture_id).update(date_execution=jugement)
    Facture.objects.filter(pk=apres[1].facture_id).update(date_execution=None, date_emission=MARDI - 40 * JOUR)
    Client.objects.filter(pk=due.client_id).update(jugement_ouverture_le=jugement)
    assert passer(due.societe).retenues == {"procedure": 3}
    Client.objects.filter(pk=due.client_id).update(procedure_cloturee_le=MARDI + JOUR, procedure_issue="insuffisance")
    assert passer(due.societe).retenues == {"procedure": 3}, "pas encore close ce soir-là"
    bilan = passer(due.societe, MARDI + JOUR)
    assert (bilan.retenues, bilan.decidees) == ({"procedure": 1}, 2)
    assert "née avant le jugement" in Verdict.objects.get(echeance=due, au=None).detail
    courrier = Courrier.objects.get()
    assert preparer(courrier, au=MARDI + JOUR).manques == []
    Facture.objects.filter(pk=apres[0].facture_id).update(date_execution=jugement - JOUR)
    assert [m.code for m in preparer(courrier, au=MARDI + JOUR).manques] == ["procedure"]


# --- Adresses (exigences 21 et 22) ----------------------------------------------------------------


def test_exigence_21_tout_est_en_erreur_et_le_dit_avec_une_tache(due):
    Client.objects.filter(pk=due.client_id).update(
        courriel_invalide_le=date(2026, 2, 3), adresse_invalide_le=date(2026, 2, 4), telephone=""
    )
    assert passer(due.societe).retenues == {"adresse_en_erreur": 1}
    detail = Verdict.objects.get(echeance=due, au=None).detail
    assert "courriel en erreur depuis le 03/02/2026" in detail and "04/02/2026" in detail
    assert due.client.taches.get(faite_le=None).genre == "sans_adresse"


def test_exigence_21_un_contact_joignable_remplace_l_adresse_qui_a_rebondi(due):
    Client.objects.filter(pk=due.client_id).update(courriel_invalide_le=MARDI)
    ContactFactory(client=due.client)
    passer(due.societe)
    assert Courrier.objects.get().canal == "courriel"


# --- Regroupement : quatre modes, par client et par plan (exigence 9) ------------------------------


@pytest.mark.parametrize("mode", MODES)
@pytest.mark.parametrize("ou", ["client", "plan"])
def test_exigence_9_chaque_mode_se_choisit_par_client_ou_par_plan(mode, ou):
    client = ClientFactory(delai_entre_contacts=0, regroupement=mode if ou == "client" else "")
    for jours in (9, 10):
        EcheanceFactory(client=client, echue_le=MARDI - jours * JOUR)
    if ou == "plan":
        VersionEchelle.objects.filter(echelle__societe=client.societe).update(regroupement=mode)
        if not VersionEchelle.objects.exists():
            installer_plans(client.societe)
            VersionEchelle.objects.update(regroupement=mode)
    passer(client.societe)
    assert Courrier.objects.count() == (2 if mode == "piece" else 1)


@pytest.mark.parametrize("mode", MODES)
def test_dans_chaque_mode_les_memes_interdits(mode):
    """Exigences 6, 8, 10 et 12 : ni deux devises, ni redescente, ni demeure sans formalisation, ni deux étapes."""
    client = ClientFactory(delai_entre_contacts=0, regroupement=mode)
    formalisee = EcheanceFactory(client=client, echue_le=MARDI - 90 * JOUR)
    for n in range(3):
        passer(client.societe, MARDI - 84 * JOUR + n * 21 * JOUR)
        parties()
    formalisee.refresh_from_db()
    assert formalisee.niveau == Nature.FORMALISATION
    neuve = EcheanceFactory(client=client, echue_le=MARDI - 9 * JOUR)
    dollars = EcheanceFactory(client=client, echue_le=MARDI - 9 * JOUR, devise="USD")
    contestee = EcheanceFactory(client=client, echue_le=MARDI - 9 * JOUR, en_litige=True)
    deja = set(Courrier.objects.values_list("pk", flat=True))
    passer(client.societe)
    passer(client.societe)
    neufs = Courrier.objects.exclude(pk__in=deja)
    for courrier in neufs:
        assert len(set(courrier.relances.values_list("echeance__devise", flat=True))) == 1
    demeure = Relance.objects.filter(courrier__in=neufs, nature=Nature.MISE_EN_DEMEURE)
    assert list(demeure.values_list("echeance", flat=True)) == [formalisee.pk]
    assert Relance.objects.filter(courrier__in=neufs).count() == 3
    niveaux = {e.pk: e.niveau for e in Echeance.objects.filter(client=client)}
    assert niveaux == {formalisee.pk: Nature.MISE_EN_DEMEURE, contestee.pk: 0} | dict.fromkeys(
        (neuve.pk, dollars.pk), Nature.RAPPEL_COURTOIS
    )


# --- Dérogations, par pièce (exigences 10 et 11) ----------------------------------------------------


def test_exigences_10_et_11_la_derogation_vaut_pour_les_pieces_choisies_et_chacune_le_porte(due):
    autre = EcheanceFactory(client=due.client, echue_le=MARDI - 30 * JOUR)
    (courrier,) = gestes.relancer_maintenant(
        due.client, par=personne(due.societe), au=MARDI, derogation="cessation d'activité", pieces=[due.pk]
    )
    assert (courrier.nature, courrier.derogation) == (Nature.MISE_EN_DEMEURE, "cessation d'activité")
    relance = courrier.relances.get()
    assert (relance.echeance, "sans formalisation" in relance.raison) == (due, True)
    autre.refresh_from_db()
    assert autre.niveau == Nature.AUCUNE


def test_exigence_10_dans_une_lettre_groupee_seule_la_piece_sans_formalisation_porte_la_derogation(due):
    passer(due.societe)
    parties()
    Relance.objects.update(nature=Nature.FORMALISATION)
    Echeance.objects.filter(pk=due.pk).update(niveau=Nature.FORMALISATION)
    autre = EcheanceFactory(client=due.client, echue_le=MARDI - 30 * JOUR)
    (courrier,) = gestes.relancer_maintenant(
        due.client, par=personne(due.societe), au=MARDI + 8 * JOUR, derogation="cessation d'activité"
    )
    raisons = dict(courrier.relances.values_list("echeance", "raison"))
    assert raisons == {due.pk: "", autre.pk: "sans formalisation, par dérogation motivée"}


# --- Réglages et entrées abîmées ------------------------------------------------------------------


@pytest.mark.parametrize(("seuil", "retenues"), [(30, {"credit_non_affecte": 1}), (31, {})])
def test_exigence_2_la_part_de_l_echu_est_un_reglage_de_la_societe(due, seuil, retenues):
    due.societe.seuil_credit_non_affecte = seuil
    due.societe.save()
    EncaissementFactory(client=due.client, montant=300)
    assert passer(due.societe).retenues == retenues


@pytest.mark.parametrize(("maximum", "decidees"), [(0, 0), (1, 1)])
def test_exigence_14_le_maximum_d_amiables_est_un_reglage_et_ouvre_une_seule_tache(due, maximum, decidees):
    due.societe.max_amiables = maximum
    due.societe.save()
    EcheanceFactory(client=due.client, echue_le=due.date_echeance)
    assert passer(due.societe).decidees == decidees * 2
    passer(due.societe, MARDI + JOUR)
    assert due.client.taches.filter(cle="max_amiables").count() == (1 if not decidees else 0)


def test_une_facture_du_futur_ne_se_relance_jamais_meme_si_l_echeance_est_passee():
    e = EcheanceFactory(echue_le=MARDI - 9 * JOUR, date_facture=MARDI + 3 * JOUR)
    assert passer(e.societe).retenues == {"facture_future": 1}
    with pytest.raises(gestes.Refus, match="rien n'est dû"):
        gestes.relancer_maintenant(e.client, par=personne(e.societe), au=MARDI, derogation="pressé")


def test_un_client_qui_change_de_type_suit_le_plan_de_son_droit_sans_perdre_son_niveau(due):
    """Exigence 8 : formalisée comme entreprise, administration depuis ; aucune mise en demeure ne la suit."""
    passer(due.societe)
    parties()
    Client.objects.filter(pk=due.client_id).update(type=TypeDebiteur.ADMINISTRATION)
    plans = plans_publies(due.societe)
    assert plans.pour(due.client_id, "administration") != plans.pour(due.client_id, "entreprise")
    passer(due.societe, MARDI + 21 * JOUR)
    due.refresh_from_db()
    assert due.niveau > Nature.RAPPEL_COURTOIS
    assert due.niveau_version == Echelle.objects.get(
        societe=due.societe, type_debiteur="administration"
    ).versions.get().pk  # fmt: skip
