"""Tenir le dossier : mentions, étapes par la table, annulation, clôture, veille."""

from datetime import date, timedelta
from decimal import Decimal

import pytest
from django.core.exceptions import ValidationError

from contentieux import services
from contentieux.models import DossierContentieux, Piece
from factures.models import Echeance
from recouvrement.journal.models import Maillon
from recouvrement.journal.services import verifier_chaine
from relances.models import Tache
from relances.services.taches import terminer_tache
from tests.contentieux.factories import AU, DebiteurFactory, DossierFactory
from tests.factures.factories import ImputationFactory

pytestmark = pytest.mark.django_db
S = DossierContentieux.Statut
DEPOT, ORDONNANCE, SIGNIFICATION = date(2026, 11, 23), date(2026, 12, 14), date(2027, 1, 12)
LOIN = date(2027, 12, 31)


@pytest.fixture
def dossier():
    dossier = DossierFactory(factures=1)
    DossierContentieux.objects.filter(pk=dossier.pk).update(requete_empreinte="0" * 64)
    dossier.refresh_from_db()
    return dossier


def etape(dossier, evenement, le, *, au=LOIN, **champs):
    return services.enregistrer_etape(dossier, evenement, le=le, par=dossier.ouvert_par, au=au, **champs)


def derouler(dossier, *etapes):
    for evenement, le in etapes:
        etape(dossier, evenement, le)
    dossier.refresh_from_db()


def test_la_procedure_avance_par_la_table_et_recopie_ses_dates(dossier):
    derouler(dossier, ("depot_requete", DEPOT), ("ordonnance", ORDONNANCE), ("signification", SIGNIFICATION))
    assert dossier.statut == S.SIGNIFIEE
    assert (dossier.depose_le, dossier.ordonnance_le, dossier.signifiee_le) == (DEPOT, ORDONNANCE, SIGNIFICATION)
    assert Maillon.objects.filter(action="contentieux.etape").count() == 3
    assert verifier_chaine().defauts == []


def test_un_saut_est_refuse_et_rien_ne_s_ecrit(dossier):
    with pytest.raises(ValidationError, match="ne peut pas suivre"):
        etape(dossier, "signification", SIGNIFICATION)
    dossier.refresh_from_db()
    assert dossier.statut == S.EN_PREPARATION and not dossier.etapes.exists()


def test_la_requete_se_produit_avant_de_se_deposer(dossier):
    DossierContentieux.objects.filter(pk=dossier.pk).update(requete_empreinte="")
    with pytest.raises(ValidationError, match="Produisez d'abord"):
        etape(dossier, "depot_requete", DEPOT)


def test_une_etape_ne_precede_pas_l_ouverture_et_n_est_pas_a_venir(dossier):
    with pytest.raises(ValidationError, match="pas encore ouvert"):
        etape(dossier, "depot_requete", AU - timedelta(days=1))
    with pytest.raises(ValidationError, match="pas encore venu"):
        etape(dossier, "depot_requete", DEPOT, au=AU)


def test_les_delais_du_nouveau_regime_courent_apres_l_ordonnance(dossier):
    """Ordonnance du 14/12/2026 : signification sous trois mois (CPC, art. 1411, décret 2026-96)."""
    derouler(dossier, ("depot_requete", DEPOT), ("ordonnance", ORDONNANCE))
    (delai,) = services.delais(dossier, au=ORDONNANCE)
    assert (delai.evenement, delai.limite) == ("signification", date(2027, 3, 14))


def test_une_signification_hors_personne_laisse_ouverte_l_opposition_tardive(dossier):
    derouler(dossier, ("depot_requete", DEPOT), ("ordonnance", ORDONNANCE))
    etape(dossier, "signification", SIGNIFICATION, a_personne=False)
    dossier.refresh_from_db()
    assert dossier.signifiee_a_personne is False
    assert "acte_a_personne" in {t.evenement for t in services.etapes_possibles(dossier, au=LOIN)}


def test_une_etape_enregistree_par_erreur_s_annule_avec_motif_et_reste_lisible(dossier):
    derouler(dossier, ("depot_requete", DEPOT), ("ordonnance", ORDONNANCE))
    with pytest.raises(ValidationError, match="pourquoi"):
        services.annuler_etape(dossier, motif="", par=dossier.ouvert_par)
    services.annuler_etape(dossier, motif="Mauvaise date", par=dossier.ouvert_par)
    dossier.refresh_from_db()
    assert (dossier.statut, dossier.ordonnance_le, dossier.depose_le) == (S.REQUETE_DEPOSEE, None, DEPOT)
    assert dossier.etapes.count() == 2
    derouler(dossier, ("ordonnance", ORDONNANCE + timedelta(days=1)))
    assert dossier.ordonnance_le == ORDONNANCE + timedelta(days=1)


def test_sans_etape_rien_ne_s_annule(dossier):
    with pytest.raises(ValidationError, match="Aucune étape"):
        services.annuler_etape(dossier, motif="x", par=dossier.ouvert_par)


def test_changer_la_juridiction_ou_la_nature_demande_de_relire(dossier):
    par = dossier.ouvert_par
    services.completer(dossier, par=par, competence_relue=True, prescription_relue_le=AU)
    services.completer(dossier, par=par, tribunal="tribunal de commerce de Bernay", nature_creance="transport")
    dossier.refresh_from_db()
    assert not dossier.competence_relue
    assert dossier.prescription_relue_le is None


def test_le_journal_nomme_les_champs_changes_sans_leur_contenu(dossier):
    services.completer(dossier, par=dossier.ouvert_par, debiteur_representant="Agathe Delorme")
    detail = Maillon.objects.get(action="contentieux.complete").detail
    assert detail.donnees["champs"] == ["debiteur_representant"]
    assert "Agathe" not in detail.texte


def test_ne_rien_changer_n_ecrit_rien(dossier):
    services.completer(dossier, par=dossier.ouvert_par, expose=dossier.expose)
    assert not Maillon.objects.filter(action="contentieux.complete").exists()


def test_un_champ_etranger_ou_une_nature_inconnue_sont_refuses(dossier):
    with pytest.raises(TypeError, match="statut"):
        services.completer(dossier, par=dossier.ouvert_par, statut="clos")
    with pytest.raises(ValidationError, match="inconnue"):
        services.completer(dossier, par=dossier.ouvert_par, nature_creance="magie")


def test_apres_le_depot_les_mentions_ne_changent_plus_sauf_la_prescription(dossier):
    derouler(dossier, ("depot_requete", DEPOT))
    with pytest.raises(ValidationError, match="ne changent plus"):
        services.completer(dossier, par=dossier.ouvert_par, expose="Autre")
    services.completer(dossier, par=dossier.ouvert_par, prescription_relue_le=AU)


def test_changer_la_date_d_arrete_renomme_la_piece_du_decompte(dossier):
    services.completer(dossier, par=dossier.ouvert_par, arrete_au=date(2026, 11, 27))
    piece = dossier.pieces.get(genre=Piece.Genre.DECOMPTE)
    assert piece.designation == "Décompte arrêté au 27/11/2026"
    assert piece.date == date(2026, 11, 27)


@pytest.mark.parametrize("reprendre", [True, False])
def test_clore_rend_les_pieces_a_l_echelle_ou_les_en_garde_hors(dossier, reprendre):
    services.clore(
        dossier, issue="Accord signé", le=AU, par=dossier.ouvert_par, au=AU, reprendre_les_relances=reprendre
    )
    dossier.refresh_from_db()
    assert (dossier.statut, dossier.clos_le) == (S.CLOS, AU)
    assert not dossier.lignes.filter(active=True).exists()
    assert Echeance.objects.filter(en_contentieux=True).exists() is not reprendre
    with pytest.raises(ValidationError, match="clos"):
        etape(dossier, "depot_requete", DEPOT)


@pytest.mark.parametrize(("le", "issue"), [(AU - timedelta(days=1), "x"), (AU + timedelta(days=1), "x"), (AU, " ")])
def test_clore_demande_une_issue_et_une_date_possible(dossier, le, issue):
    with pytest.raises(ValidationError):
        services.clore(dossier, issue=issue, le=le, par=dossier.ouvert_par, au=AU)


def test_les_frais_sont_positifs(dossier):
    champs = {"le": AU, "libelle": "Greffe", "recuperable": True, "a_confirmer": True, "par": dossier.ouvert_par}
    services.ajouter_frais(dossier, montant=Decimal("33.47"), **champs)
    assert [str(f.montant) for f in dossier.frais.all()] == ["33.47"]
    with pytest.raises(ValidationError):
        services.ajouter_frais(dossier, montant=Decimal(0), **champs)


# --- Prescription ------------------------------------------------------------------------------


def prescription(dossier, au=AU):
    return services.du_dossier(dossier, au=au)[0].prescription


def test_exigence_37_chaque_facture_a_sa_prescription_selon_son_debiteur(dossier):
    facture = dossier.lignes.get().echeance.facture
    assert prescription(dossier).origine == facture.date_emission.replace(year=facture.date_emission.year + 5)
    services.dater_execution(dossier, facture, le=date(2026, 2, 18), par=dossier.ouvert_par)
    assert prescription(dossier).origine == date(2031, 2, 18)
    services.completer(dossier, par=dossier.ouvert_par, nature_creance="transport")
    dossier.refresh_from_db()
    assert prescription(dossier).origine == date(2027, 2, 18)


def test_un_particulier_a_deux_ans():
    dossier = DossierFactory(client=DebiteurFactory(type="particulier", forme=""), factures=1)
    emission = dossier.lignes.get().echeance.facture.date_emission
    assert prescription(dossier).origine == emission.replace(year=emission.year + 2)


def test_paiement_partiel_mise_en_demeure_requete_et_signification_se_lisent_dans_l_ordre(dossier):
    ImputationFactory(echeance=dossier.lignes.get().echeance, montant=100, date=AU)
    derouler(dossier, ("depot_requete", DEPOT), ("ordonnance", ORDONNANCE), ("signification", SIGNIFICATION))
    services.relever_interruption(
        dossier, jour=AU, acte="reconnaissance", piece=dossier.pieces.first(), par=dossier.ouvert_par, au=AU
    )
    lue = prescription(dossier)
    assert [(e.acte, e.interrompt) for e in lue.etapes] == [
        ("depart", False),
        ("mise_en_demeure", False),
        ("paiement_partiel", True),
        ("reconnaissance", True),
        ("requete_injonction", False),
        ("signification", True),
    ]
    assert lue.possible == SIGNIFICATION.replace(year=2032)
    assert lue.etapes[3].piece.startswith("1. Contrat")


def test_la_prescription_se_lit_en_requetes_constantes(dossier, django_assert_num_queries):
    with django_assert_num_queries(12):
        services.du_dossier(dossier, au=AU)
    grand = DossierFactory(factures=8)
    with django_assert_num_queries(12):
        services.du_dossier(grand, au=AU)


# --- Veille ----------------------------------------------------------------------------------------


@pytest.mark.parametrize(("au", "taches"), [(date(2027, 2, 26), 0), (date(2027, 2, 27), 1), (date(2027, 3, 20), 1)])
def test_un_delai_a_tenir_ouvre_une_tache_quinze_jours_avant(dossier, au, taches):
    derouler(dossier, ("depot_requete", DEPOT), ("ordonnance", ORDONNANCE))  # à signifier avant le 14/03/2027
    for _fois in range(2):
        services.veiller(dossier.societe, au=au)
    assert Tache.objects.filter(faite_le=None, titre__contains="Faire signifier").count() == taches


def test_une_tache_faite_ne_revient_pas_chaque_matin(dossier):
    derouler(dossier, ("depot_requete", DEPOT), ("ordonnance", ORDONNANCE))
    (tache,) = services.veiller(dossier.societe, au=date(2027, 3, 1))
    terminer_tache(tache, issue="Acte commandé", acteur=dossier.ouvert_par)
    assert services.veiller(dossier.societe, au=date(2027, 3, 2)) == []


def test_l_attente_finie_propose_l_etape_suivante(dossier):
    derouler(dossier, ("depot_requete", DEPOT), ("ordonnance", ORDONNANCE), ("signification", SIGNIFICATION))
    assert services.veiller(dossier.societe, au=date(2027, 3, 12)) == []
    (tache,) = services.veiller(dossier.societe, au=date(2027, 3, 13))
    assert "possible depuis le lendemain du 12/03/2027" in tache.raison


@pytest.mark.parametrize(
    ("au", "cles"), [(date(2030, 8, 17), []), (date(2030, 8, 18), ["6"]), (date(2030, 11, 18), ["3"])]
)
def test_exigence_37_alerte_a_six_et_trois_mois(dossier, au, cles):
    facture = dossier.lignes.get().echeance.facture
    services.dater_execution(dossier, facture, le=date(2026, 2, 18), par=dossier.ouvert_par)
    # nature commerce : origine au 18/02/2031
    alertes = [t.cle.partition("-")[2].partition(":")[0] for t in services.veiller(dossier.societe, au=au)]
    assert alertes == cles
