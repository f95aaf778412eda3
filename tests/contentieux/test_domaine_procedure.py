"""Injonction de payer : la table, ses deux régimes, ses délais tenus ou attendus."""

from datetime import date
from decimal import Decimal

import pytest

from contentieux.domaine.procedure import EtapeRefusee, Etat, Juge, Procedure, RoleDelai, Situation
from contentieux.donnees import injonction, lire, mandatement
from contentieux.models import DossierContentieux

LOIN = date(2030, 1, 1)
ANCIEN, NOUVEAU = date(2026, 8, 31), date(2026, 9, 1)  # derniers et premiers jours de régime


def situation(au=LOIN, juge=Juge.COMMERCE, montant=15840, a_personne=None, distance=0, **dates):
    return Situation(
        au=au, juge=juge, montant=Decimal(montant), a_personne=a_personne, distance_mois=distance, dates=dates
    )


def delai(etat, evenement, sit):
    return next(d for d in injonction().delais(etat, sit) if d.evenement == evenement)


def test_chaque_etat_de_la_table_est_un_statut_de_dossier():
    statuts = set(DossierContentieux.Statut.values)
    assert {e.value for e in Etat} <= statuts
    tables = (*injonction().transitions, *mandatement().transitions)
    atteints = {t.vers for t in tables} | {Etat.CREANCE_EXIGIBLE}
    assert atteints == set(Etat)


def test_chaque_ligne_cite_son_texte():
    assert all(t.texte for t in injonction().transitions)


@pytest.mark.parametrize(
    ("ordonnance", "limite", "texte"),
    [(ANCIEN, date(2027, 2, 28), "version 2022"), (NOUVEAU, date(2026, 12, 1), "décret 2026-96")],
)
def test_le_delai_de_signification_suit_la_date_de_l_ordonnance(ordonnance, limite, texte):
    """Six mois avant le 01/09/2026, trois mois depuis (CPC, art. 1411)."""
    lu = delai(Etat.ORDONNANCE_RENDUE, "signification", situation(ordonnance=ordonnance))
    assert (lu.limite, lu.role) == (limite, RoleDelai.TENIR)
    assert texte in lu.texte


@pytest.mark.parametrize(
    ("ordonnance", "evenement", "autre", "veille", "jour"),
    [
        (ANCIEN, "delai_opposition_expire", "deux_mois_sans_avis", date(2026, 11, 16), date(2026, 11, 17)),
        (NOUVEAU, "deux_mois_sans_avis", "delai_opposition_expire", date(2026, 12, 15), date(2026, 12, 16)),
    ],
)
def test_le_titre_devient_executoire_apres_l_attente_de_son_regime(ordonnance, evenement, autre, veille, jour):
    """Un mois sans opposition, ou deux mois sans avis du greffe depuis le 15/10/2026 (CPC, art. 1422)."""
    sit = situation(ordonnance=ordonnance, signification=date(2026, 10, 15))
    with pytest.raises(EtapeRefusee, match="Pas avant"):
        injonction().avancer(Etat.SIGNIFIEE, evenement, veille, sit)
    assert injonction().avancer(Etat.SIGNIFIEE, evenement, jour, sit).vers is Etat.EXECUTOIRE
    with pytest.raises(EtapeRefusee, match="ne peut pas suivre"):
        injonction().avancer(Etat.SIGNIFIEE, autre, jour, sit)


def test_l_attente_d_un_debiteur_etranger_s_allonge_le_delai_a_tenir_jamais():
    sit = situation(ordonnance=NOUVEAU, signification=date(2026, 10, 15), distance=2)
    assert delai(Etat.SIGNIFIEE, "deux_mois_sans_avis", sit).limite == date(2027, 2, 15)
    assert delai(Etat.ORDONNANCE_RENDUE, "signification", situation(ordonnance=NOUVEAU, distance=2)).limite == date(
        2026, 12, 1
    )


def test_signifier_trop_tard_est_refuse_et_l_ordonnance_devient_non_avenue():
    """La limite affichée n'est pas reportée, le refus l'est : dimanche se tient encore lundi (CPC, art. 642)."""
    sit = situation(ordonnance=date(2026, 8, 28))  # ancien régime : six mois, dimanche 28/02/2027
    assert delai(Etat.ORDONNANCE_RENDUE, "signification", sit).limite == date(2027, 2, 28)
    lundi = date(2027, 3, 1)
    assert injonction().avancer(Etat.ORDONNANCE_RENDUE, "signification", lundi, sit).vers is Etat.SIGNIFIEE
    with pytest.raises(EtapeRefusee, match="Pas avant"):
        injonction().avancer(Etat.ORDONNANCE_RENDUE, "delai_expire", lundi, sit)
    mardi = date(2027, 3, 2)
    with pytest.raises(EtapeRefusee, match="a expiré le 01/03/2027"):
        injonction().avancer(Etat.ORDONNANCE_RENDUE, "signification", mardi, sit)
    assert injonction().avancer(Etat.ORDONNANCE_RENDUE, "delai_expire", mardi, sit).vers is Etat.NON_AVENUE


@pytest.mark.parametrize("evenement", ["signification", "jugement", "saisie_engagee", "inconnu"])
def test_un_saut_d_etape_est_refuse_et_nomme_les_suites(evenement):
    with pytest.raises(EtapeRefusee, match="il peut suivre : « Requête déposée »"):
        injonction().avancer(Etat.CREANCE_EXIGIBLE, evenement, date(2026, 10, 1), situation())


def test_une_etape_ne_s_enregistre_ni_d_avance_ni_a_rebours():
    with pytest.raises(EtapeRefusee, match="pas encore venu"):
        injonction().avancer(Etat.CREANCE_EXIGIBLE, "depot_requete", date(2026, 10, 2), situation(au=date(2026, 10, 1)))
    with pytest.raises(EtapeRefusee, match="précède l'étape"):
        injonction().avancer(
            Etat.REQUETE_DEPOSEE, "ordonnance", date(2026, 9, 30), situation(depot_requete=date(2026, 10, 1))
        )


def test_les_frais_du_greffe_se_consignent_sous_quinze_jours_a_peine_de_caducite():
    sit = situation(depot_requete=date(2026, 10, 1), demande_consignation=date(2026, 10, 5))
    lu = delai(Etat.REQUETE_DEPOSEE, "consignation", sit)
    assert lu.limite == date(2026, 10, 20)
    assert "caducité" in lu.effet
    with pytest.raises(EtapeRefusee, match="Pas avant"):
        injonction().avancer(Etat.REQUETE_DEPOSEE, "caducite", date(2026, 10, 20), sit)
    assert injonction().avancer(Etat.REQUETE_DEPOSEE, "caducite", date(2026, 10, 21), sit).vers is Etat.CADUQUE


def test_un_delai_tenu_ne_court_plus_et_n_expire_pas():
    sit = situation(demande_consignation=date(2026, 10, 5), consignation=date(2026, 10, 12))
    assert injonction().delais(Etat.REQUETE_DEPOSEE, sit) == ()
    with pytest.raises(EtapeRefusee, match="a été tenu"):
        injonction().avancer(Etat.REQUETE_DEPOSEE, "caducite", date(2026, 11, 30), sit)


def test_consigner_sans_demande_du_greffe_est_refuse():
    with pytest.raises(EtapeRefusee, match="Enregistrez d'abord"):
        injonction().avancer(Etat.REQUETE_DEPOSEE, "consignation", date(2026, 10, 12), situation())


def permises(etat, sit):
    return {t.evenement for t in injonction().permises(etat, sit)}


@pytest.mark.parametrize(
    ("juge", "montant", "attendues"),
    [
        (Juge.COMMERCE, 50000, {"invitation_a_consigner", "consignation_opposition", "caducite"}),
        (Juge.JUDICIAIRE, 10000, {"avis_greffe", "convocation"}),
        (
            Juge.JUDICIAIRE,
            Decimal("10000.01"),
            {"avis_greffe", "notification_opposition", "constitution_avocat", "avocat_non_constitue"},
        ),
    ],
)
def test_l_opposition_suit_le_juge_et_le_montant(juge, montant, attendues):
    """Frais au tribunal de commerce (1425), avocat au-delà de 10 000 € au tribunal judiciaire (1418)."""
    assert permises(Etat.OPPOSITION, situation(juge=juge, montant=montant, ordonnance=NOUVEAU)) == attendues


def test_l_opposition_tardive_suppose_une_signification_hors_personne():
    assert "opposition_tardive" in permises(Etat.EXECUTOIRE, situation(a_personne=False))
    assert "opposition_tardive" in permises(Etat.EXECUTOIRE, situation(a_personne=None))
    assert "opposition_tardive" not in permises(Etat.EXECUTOIRE, situation(a_personne=True))


def test_les_etats_finals_n_ont_pas_de_suite():
    for etat in (Etat.REJETEE, Etat.CADUQUE, Etat.NON_AVENUE, Etat.SAISIE):
        assert permises(etat, situation()) == set()


def test_une_table_contradictoire_arrete_le_demarrage():
    lignes = lire("procedure_injonction.csv")
    with pytest.raises(ValueError, match="en double"):
        Procedure([*lignes, lignes[0]])
    with pytest.raises(ValueError, match="vont ensemble"):
        Procedure([{**lignes[0], "delai": "1 mois"}])
