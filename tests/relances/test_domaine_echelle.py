"""L'échelle : chaque motif de ne pas relancer, l'ordre où ils se jugent, le regroupement des lettres. Pur."""

from datetime import date, timedelta
from decimal import Decimal
from functools import partial

import pytest

from factures.domaine.calendrier import jour_ouvre_suivant
from relances.domaine.echelle import (
    ClientFaits,
    EcheanceFaits,
    Motif,
    PalierRegle,
    Plan,
    Reglages,
    decider,
    juger,
)
from relances.domaine.natures import Canal, ModePalier, Nature, Reference

MARDI = date(2026, 2, 10)
MILLE = Decimal("1000.00")
ouvre = partial(jour_ouvre_suivant, region="metropole")
N, M, R = Nature, ModePalier, Reference

PALIERS = (
    PalierRegle(1, 1, N.RAPPEL_COURTOIS, R.ECHEANCE, 5, (Canal.COURRIEL, Canal.LETTRE), M.AUTOMATIQUE),
    PalierRegle(2, 2, N.APPEL, R.ECHEANCE, 12, (Canal.APPEL, Canal.TACHE), M.TACHE),
    PalierRegle(3, 3, N.FORMALISATION, R.ECHEANCE, 20, (Canal.COURRIEL,), M.AUTOMATIQUE),
    PalierRegle(4, 4, N.MISE_EN_DEMEURE, R.PRECEDENT, 15, (Canal.RECOMMANDE,), M.A_VALIDER),
)
PLAN = Plan(version=1, paliers=PALIERS)


def piece(jours: int = 6, id: int = 1, **champs) -> EcheanceFaits:
    """Échéance échue depuis `jours` ; par défaut le rappel courtois est dû depuis la veille."""
    echue_le = MARDI - timedelta(days=jours)
    champs = {"date_facture": echue_le - timedelta(days=30), "reste_du": MILLE, "devise": "EUR"} | champs
    return EcheanceFaits(id=id, facture=id, date_echeance=echue_le, **champs)


def atteinte(nature: Nature, jours: int = 60, il_y_a: int = 30, **champs) -> EcheanceFaits:
    """Échéance dont le palier de cette nature est fait depuis `il_y_a` jours."""
    rang = next(p.rang for p in PALIERS if p.nature is nature)
    le = MARDI - timedelta(days=il_y_a)
    return piece(jours, nature=nature, rang=rang, version=1, atteint_le=le, **champs)


def debiteur(*pieces: EcheanceFaits, **champs) -> ClientFaits:
    champs = {"type": "entreprise", "canaux": frozenset(Canal), "delai_entre_contacts": 5} | champs
    return ClientFaits(id=1, echeances=pieces, **champs)


def motif_de(e: EcheanceFaits, plan: Plan | None = PLAN, au: date = MARDI, reglages=None, **client) -> Motif:
    """Verdict de la seule pièce d'un client, freins du compte compris."""
    resultat = decider(debiteur(e, **client), plan, au=au, reglages=reglages or Reglages(), ouvre=ouvre)
    (decision,) = resultat.decisions
    return decision.motif


def envois(client: ClientFaits, plan: Plan = PLAN, au: date = MARDI):
    return decider(client, plan, au=au, reglages=Reglages(), ouvre=ouvre).envois


@pytest.mark.parametrize(("jours", "motif"), [(4, Motif.ATTENTE), (5, Motif.RELANCEE), (6, Motif.RELANCEE)])
def test_le_rappel_part_au_jour_de_son_delai_ni_avant_ni_seulement_ce_jour_la(jours, motif):
    assert motif_de(piece(jours)) is motif


def test_ce_qui_n_est_pas_echu_ne_se_relance_pas_meme_si_le_delai_part_de_la_facture():
    precoce = Plan(1, (PalierRegle(1, 1, N.RAPPEL_COURTOIS, R.FACTURE, 10, (Canal.COURRIEL,), M.AUTOMATIQUE),))
    assert motif_de(piece(0), precoce) is Motif.ATTENTE
    assert motif_de(piece(1), precoce) is Motif.RELANCEE


def test_le_rappel_avant_echeance_part_avant_et_se_saute_une_fois_l_echeance_passee():
    avant = PalierRegle(9, 1, N.AVANT_ECHEANCE, R.ECHEANCE, -3, (Canal.COURRIEL,), M.AUTOMATIQUE)
    plan = Plan(1, (avant, PalierRegle(1, 2, N.RAPPEL_COURTOIS, R.ECHEANCE, 5, (Canal.COURRIEL,), M.AUTOMATIQUE)))
    (envoi,) = envois(debiteur(piece(-3)), plan)
    assert envoi.palier.nature is N.AVANT_ECHEANCE
    (envoi,) = envois(debiteur(piece(6)), plan)
    assert envoi.palier.nature is N.RAPPEL_COURTOIS
    assert motif_de(piece(1), Plan(1, (avant,))) is Motif.TERMINEE


def test_le_delai_du_palier_precedent_se_compte_du_jour_ou_il_a_ete_fait():
    faits = partial(atteinte, N.FORMALISATION)
    assert motif_de(faits(il_y_a=14)) is Motif.ATTENTE
    assert motif_de(faits(il_y_a=15)) is Motif.RELANCEE


@pytest.mark.parametrize(
    ("pieces", "client", "motif"),
    [
        ({"en_contentieux": True}, {}, Motif.CONTENTIEUX),
        ({}, {"jugement": date(2026, 1, 5)}, Motif.PROCEDURE),
        ({}, {"surendettement": True}, Motif.SURENDETTEMENT),
        ({}, {"suspendu_jusqu_au": MARDI, "motif_suspension": "accord"}, Motif.SUSPENDUE),
        ({"prelevement": True}, {}, Motif.PRELEVEMENT),
        ({"promesse_jusqu_au": MARDI}, {}, Motif.PROMESSE),
        ({"conteste": MILLE}, {}, Motif.LITIGE),
        ({"envoi_en_attente": True}, {}, Motif.EN_ATTENTE_ENVOI),
        ({}, {"credits": {"EUR": Decimal("500.00")}}, Motif.CREDIT_NON_AFFECTE),
        ({}, {"dernier_contact": MARDI - timedelta(days=4)}, Motif.DELAI_CONTACT),
        ({}, {"canaux": frozenset()}, Motif.SANS_ADRESSE),
    ],
)
def test_chaque_frein_retient_la_piece_et_se_nomme(pieces, client, motif):
    assert motif_de(piece(**pieces), **client) is motif


@pytest.mark.parametrize(
    ("pieces", "client"),
    [
        ({"promesse_jusqu_au": MARDI - timedelta(days=1)}, {}),
        ({"conteste": Decimal("999.99")}, {}),
        ({}, {"credits": {"EUR": Decimal("499.99")}}),
        ({}, {"credits": {"USD": MILLE}}),
        ({}, {"dernier_contact": MARDI - timedelta(days=5)}),
        ({}, {"delai_entre_contacts": 0, "dernier_contact": MARDI}),
    ],
)
def test_a_un_jour_ou_un_centime_pres_le_frein_se_leve(pieces, client):
    assert motif_de(piece(**pieces), **client) is Motif.RELANCEE


def test_sans_plan_publie_rien_ne_part():
    assert motif_de(piece(), None) is Motif.SANS_PLAN


def test_ce_qui_arrete_pour_toujours_passe_avant_ce_qui_retient_pour_un_temps():
    cumule = piece(en_contentieux=True, prelevement=True, conteste=MILLE)
    assert motif_de(cumule, jugement=date(2026, 1, 5), surendettement=True) is Motif.CONTENTIEUX
    assert motif_de(piece(prelevement=True), surendettement=True) is Motif.SURENDETTEMENT


def test_le_dernier_palier_atteint_l_echelle_est_terminee():
    assert motif_de(atteinte(N.MISE_EN_DEMEURE)) is Motif.TERMINEE


def test_exigence_8_le_niveau_ne_redescend_pas_quand_le_plan_change():
    neuf = Plan(version=2, paliers=PALIERS)
    resultat = decider(debiteur(atteinte(N.APPEL)), neuf, au=MARDI, reglages=Reglages(), ouvre=ouvre)
    assert resultat.decisions[0].palier.nature is N.FORMALISATION


def test_dans_une_meme_version_deux_rappels_se_suivent_par_leur_rang():
    plan = Plan(1, (PALIERS[0], PalierRegle(7, 2, N.RAPPEL_COURTOIS, R.ECHEANCE, 20, (Canal.COURRIEL,), M.AUTOMATIQUE)))
    assert motif_de(atteinte(N.RAPPEL_COURTOIS), plan) is Motif.RELANCEE
    assert motif_de(atteinte(N.RAPPEL_COURTOIS), Plan(2, plan.paliers)) is Motif.TERMINEE


def test_exigence_12_une_seule_etape_par_piece_et_par_jour():
    deja = atteinte(N.RAPPEL_COURTOIS, il_y_a=0)
    verdict = juger(deja, debiteur(deja), PLAN, au=MARDI, reglages=Reglages(), ouvre=ouvre)
    assert (verdict.motif, verdict.prochaine) == (Motif.DEJA_CE_JOUR, MARDI + timedelta(days=1))


def test_un_debiteur_a_qualifier_ne_recoit_que_des_rappels():
    assert motif_de(piece(), type="a_qualifier") is Motif.RELANCEE
    assert motif_de(atteinte(N.APPEL), type="a_qualifier") is Motif.A_QUALIFIER


def test_exigence_10_pas_de_mise_en_demeure_sans_formalisation_envoyee():
    directe = Plan(1, (PALIERS[0], PALIERS[3]))
    assert motif_de(atteinte(N.RAPPEL_COURTOIS), directe) is Motif.FORMALISATION_ABSENTE
    assert motif_de(atteinte(N.FORMALISATION)) is Motif.RELANCEE


def test_exigence_10_une_piece_contestee_meme_en_partie_sort_de_la_mise_en_demeure():
    assert motif_de(atteinte(N.FORMALISATION, conteste=Decimal("0.01"))) is Motif.LITIGE
    (envoi,) = envois(debiteur(piece(conteste=Decimal("250.00"))))
    assert envoi.principal == 750


def test_exigence_14_deux_relances_amiables_puis_une_personne_tranche():
    assert motif_de(atteinte(N.APPEL, amiables=1)) is Motif.RELANCEE
    assert motif_de(atteinte(N.APPEL, amiables=2)) is Motif.MAX_AMIABLES
    assert motif_de(atteinte(N.FORMALISATION, amiables=2)) is Motif.RELANCEE  # la mise en demeure n'est pas amiable


@pytest.mark.parametrize(("reste", "motif"), [("14.99", Motif.SEUIL_PIECE), ("15.00", Motif.SEUIL_ENVOI)])
def test_exigence_16_sous_le_seuil_par_piece_ou_par_envoi_on_attend(reste, motif):
    plan = Plan(1, PALIERS, seuil_piece=Decimal("15.00"), seuil_envoi=Decimal("30.00"))
    assert motif_de(piece(reste_du=Decimal(reste)), plan) is motif


def test_exigence_16_les_petites_pieces_ensemble_atteignent_le_seuil_par_envoi():
    plan = Plan(1, PALIERS, seuil_envoi=Decimal("30.00"))
    (envoi,) = envois(debiteur(piece(id=1, reste_du=Decimal("15.00")), piece(id=2, reste_du=Decimal("15.00"))), plan)
    assert envoi.total == 30


@pytest.mark.parametrize(("plafond", "mode"), [("999.99", M.A_VALIDER), ("1000.00", M.AUTOMATIQUE)])
def test_exigence_16_au_dela_du_plafond_un_responsable_valide(plafond, mode):
    (envoi,) = envois(debiteur(piece()), Plan(1, PALIERS, plafond_envoi=Decimal(plafond)))
    assert envoi.mode is mode


def test_exigence_4_les_credits_qui_couvrent_le_du_retiennent_l_envoi():
    """Le seuil de l'exigence 2 est mis hors de cause : c'est l'envoi qui se trouve couvert, pas le compte."""
    pieces = piece(id=1), piece(id=2, jours=4)
    client = debiteur(*pieces, credits={"EUR": MILLE})
    decisions = decider(client, PLAN, au=MARDI, reglages=Reglages(seuil_credit=100), ouvre=ouvre).decisions
    assert {d.echeance.id: d.motif for d in decisions} == {1: Motif.COUVERTE, 2: Motif.ATTENTE}


def test_un_credit_ne_se_deduit_qu_une_fois_du_palier_le_plus_grave():
    pieces = piece(id=1), atteinte(N.APPEL, id=2)
    seuls = debiteur(*pieces, credits={"EUR": Decimal("300.00")}, delai_entre_contacts=0)
    assert {v.palier.nature: v.credits for v in envois(seuls)} == {N.FORMALISATION: 300, N.RAPPEL_COURTOIS: 0}


def test_un_envoi_retenu_ne_consomme_pas_le_credit():
    """Exigence 4 : « Ce soir », le plafond et le seuil jugent le total que la lettre réclamera."""
    pieces = piece(6, 2, reste_du=Decimal("500.00")), atteinte(N.FORMALISATION, id=1)
    sans_adresse = debiteur(*pieces, credits={"EUR": Decimal("300.00")}, canaux=frozenset({Canal.COURRIEL}))
    (rappel,) = envois(sans_adresse)
    assert (rappel.principal, rappel.credits, rappel.total) == (500, 300, 200)


def test_exigence_13_une_lettre_par_piece_mais_un_seul_palier_par_nuit():
    pieces = piece(id=1), piece(id=2), atteinte(N.APPEL, jours=30, id=3)
    seuls = envois(debiteur(*pieces[:2], regroupement="piece"))
    assert [v.palier.nature for v in seuls] == [N.RAPPEL_COURTOIS] * 2
    resultat = decider(debiteur(*pieces, regroupement="piece"), PLAN, au=MARDI, reglages=Reglages(), ouvre=ouvre)
    reportees = {d.echeance.id: d.motif for d in resultat.decisions if d.motif is not Motif.RELANCEE}
    assert reportees == {1: Motif.DELAI_CONTACT, 2: Motif.DELAI_CONTACT}


@pytest.mark.parametrize("jour", [date(2026, 2, 14), date(2026, 2, 15), date(2026, 5, 1)])
def test_exigence_15_un_jour_chome_reporte_au_jour_ouvre_suivant(jour):
    e = piece(0, date_facture=jour - timedelta(days=60))._replace(date_echeance=jour - timedelta(days=6))
    (decision,) = decider(debiteur(e), PLAN, au=jour, reglages=Reglages(), ouvre=ouvre).decisions
    assert (decision.motif, decision.prochaine) == (Motif.JOUR_NON_OUVRE, ouvre(jour))


def test_une_societe_incomplete_n_ecrit_a_personne():
    assert motif_de(piece(), reglages=Reglages(societe_complete=False)) is Motif.SOCIETE_INCOMPLETE


def test_exigence_21_le_premier_canal_joignable_sinon_le_repli_du_plan():
    (envoi,) = envois(debiteur(piece(), canaux=frozenset({Canal.LETTRE, Canal.TACHE})))
    assert (envoi.canal, envoi.mode) == (Canal.LETTRE, M.AUTOMATIQUE)
    (appel,) = envois(debiteur(atteinte(N.RAPPEL_COURTOIS, il_y_a=20), canaux=frozenset({Canal.TACHE})))
    assert (appel.canal, appel.mode) == (Canal.TACHE, M.TACHE)


def test_exigence_6_deux_devises_ne_partagent_jamais_un_courrier():
    assert sorted(v.devise for v in envois(debiteur(piece(id=1), piece(id=2, devise="USD")))) == ["EUR", "USD"]


@pytest.mark.parametrize(
    ("mode", "attendu"),
    [
        ("piece", [(4, [3])]),
        ("niveau", [(4, [3])]),  # le rappel est reporté : un seul contact par nuit
        ("plus_haut", [(4, [1, 2, 3])]),
        ("plus_ancienne", [(4, [1, 2, 3])]),
    ],
)
def test_exigence_9_quatre_modes_de_regroupement(mode, attendu):
    pieces = piece(id=1), piece(id=2), atteinte(N.APPEL, jours=30, id=3)
    groupes = [
        (v.palier.nature.value, sorted(d.echeance.id for d in v.decisions))
        for v in envois(debiteur(*pieces, regroupement=mode))
    ]
    assert sorted(groupes) == attendu


def test_exigence_9_la_plus_ancienne_pilote_meme_si_une_autre_est_plus_haut():
    vieille, avancee = piece(id=1, jours=50), atteinte(N.APPEL, jours=30, id=2)
    client = partial(debiteur, vieille, avancee, delai_entre_contacts=0)
    natures = {
        d.echeance.id: v.palier.nature for v in envois(client(regroupement="plus_ancienne")) for d in v.decisions
    }
    assert natures == {1: N.RAPPEL_COURTOIS, 2: N.FORMALISATION}  # une pièce ne redescend jamais
    natures = {d.echeance.id: v.palier.nature for v in envois(client(regroupement="plus_haut")) for d in v.decisions}
    assert natures == {1: N.FORMALISATION, 2: N.FORMALISATION}


def test_exigence_10_aucun_regroupement_ne_pousse_une_piece_dans_une_mise_en_demeure():
    pieces = piece(id=1), atteinte(N.FORMALISATION, id=2)
    natures = {
        d.echeance.id: v.palier.nature
        for v in envois(debiteur(*pieces, regroupement="plus_haut", delai_entre_contacts=0))
        for d in v.decisions
    }
    assert natures == {1: N.RAPPEL_COURTOIS, 2: N.MISE_EN_DEMEURE}


def test_exigence_13_le_delai_entre_contacts_vaut_aussi_dans_la_nuit():
    pieces = piece(id=1), atteinte(N.FORMALISATION, id=2)
    resultat = decider(debiteur(*pieces), PLAN, au=MARDI, reglages=Reglages(), ouvre=ouvre)
    motifs = {d.echeance.id: (d.motif, d.prochaine) for d in resultat.decisions}
    assert [v.palier.nature for v in resultat.envois] == [N.MISE_EN_DEMEURE]
    assert motifs[1] == (Motif.DELAI_CONTACT, date(2026, 2, 16))  # cinq jours : dimanche 15, donc lundi 16


def test_sans_freins_seuls_comptent_le_palier_et_son_jour():
    retenu = piece(conteste=MILLE, prelevement=True)
    client = debiteur(retenu, jugement=MARDI, canaux=frozenset(), suspendu_jusqu_au=MARDI)
    resultat = decider(client, PLAN, au=date(2026, 2, 15), reglages=Reglages(freins=False), ouvre=ouvre)
    assert [(v.palier.nature, v.principal) for v in resultat.envois] == [(N.RAPPEL_COURTOIS, MILLE)]
