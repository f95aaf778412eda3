"""Chaque frein d'une pièce : ce qui le pose, ce qui le lève, sa date de fin, sa phrase. Domaine pur.

« Levé » veut dire : une personne l'a levé pour cette nuit. La pièce de ces tables doit son rappel depuis la veille.
"""

from datetime import date, timedelta
from decimal import Decimal

import pytest

from relances import motifs
from relances.domaine.echelle import FREIN_LEVE, Motif, Plan, Reglages, decider
from relances.domaine.natures import Canal, ModePalier, Nature
from relances.domaine.verdicts import LEVABLES
from tests.relances.test_domaine_echelle import MARDI, MILLE, PALIERS, PLAN, atteinte, debiteur, ouvre, piece

JOUR = timedelta(days=1)
HIER, DEMAIN = MARDI - JOUR, MARDI + JOUR
JEUDI, VENDREDI, LUNDI = date(2026, 2, 12), date(2026, 2, 13), date(2026, 2, 16)
M = Motif


def verdict(e, plan=PLAN, reglages=None, au=MARDI, **client):
    resultat = decider(debiteur(e, **client), plan, au=au, reglages=reglages or Reglages(), ouvre=ouvre)
    (decision,) = resultat.decisions
    return decision


# pièce, client, motif, première date où cela peut changer
RETENUES = [
    ({"en_contentieux": True}, {}, M.CONTENTIEUX, None),
    ({}, {"jugement": HIER}, M.PROCEDURE, None),
    ({}, {"surendettement": True}, M.SURENDETTEMENT, None),
    ({"date_facture": JEUDI}, {}, M.FUTURE, JEUDI),
    ({"date_facture": DEMAIN + 4 * JOUR}, {}, M.FUTURE, LUNDI),  # dimanche 15
    ({"statut_fe": "210"}, {}, M.FE_ARRETEE, None),
    ({"statut_fe": "213"}, {}, M.FE_ARRETEE, None),
    ({}, {"suspendu_jusqu_au": VENDREDI, "motif_suspension": "accord"}, M.SUSPENDUE, LUNDI),
    ({}, {"reponse_jusqu_au": MARDI}, M.REPONSE, DEMAIN),
    ({}, {"reponse_jusqu_au": VENDREDI}, M.REPONSE, LUNDI),
    ({"exclue_jusqu_au": MARDI, "motif_exclusion": "avoir attendu"}, {}, M.EXCLUE, DEMAIN),
    ({"exclue_jusqu_au": VENDREDI, "motif_exclusion": "avoir attendu"}, {}, M.EXCLUE, LUNDI),
    ({"prelevement": True}, {}, M.PRELEVEMENT, None),
    ({"promesse_jusqu_au": MARDI}, {}, M.PROMESSE, DEMAIN),
    ({"echeancier_jusqu_au": MARDI}, {}, M.ECHEANCIER, DEMAIN),
    ({"terme_jusqu_au": VENDREDI}, {}, M.TERME_NON_ECHU, LUNDI),
    ({"conteste": MILLE}, {}, M.LITIGE, None),
    ({"statut_fe": "207"}, {}, M.FE_RETENUE, None),
    ({"statut_fe": "208"}, {}, M.FE_RETENUE, None),
    ({"statut_fe": "206"}, {}, M.FE_A_VERIFIER, None),
    ({"statut_fe": "211"}, {}, M.FE_A_VERIFIER, None),
    ({"statut_fe": "212"}, {}, M.FE_A_VERIFIER, None),
    ({}, {"dernier_contact": HIER}, M.DELAI_CONTACT, LUNDI),  # cinq jours : samedi 14
    ({}, {"credits": {"EUR": Decimal("500.00")}}, M.CREDIT_NON_AFFECTE, None),
    ({"amiables": 2}, {}, M.MAX_AMIABLES, None),
    ({"envoi_en_attente": True}, {}, M.EN_ATTENTE_ENVOI, None),
    ({}, {"canaux": frozenset()}, M.SANS_ADRESSE, None),
    ({}, {"canaux": frozenset(), "canaux_en_erreur": ((Canal.LETTRE, HIER),)}, M.ADRESSE_EN_ERREUR, None),
]  # fmt: skip


@pytest.mark.parametrize(("pieces", "client", "motif", "prochaine"), RETENUES)
def test_chaque_frein_retient_se_nomme_et_dit_sa_fin(pieces, client, motif, prochaine):
    d = verdict(piece(**pieces), **client)
    assert (d.motif, d.prochaine) == (motif, prochaine)


@pytest.mark.parametrize(("pieces", "client", "motif", "prochaine"), RETENUES)
def test_chaque_frein_a_sa_propre_phrase(pieces, client, motif, prochaine):
    phrase = motifs.phrase(verdict(piece(**pieces), **client))
    assert phrase and phrase != motif.value
    assert motifs.libelle(motif.value) != motif.value


@pytest.mark.parametrize(("pieces", "client", "motif", "prochaine"), RETENUES)
def test_un_frein_levable_leve_laisse_partir_a_valider_et_le_dit(pieces, client, motif, prochaine):
    resultat = decider(
        debiteur(piece(**pieces, leves=frozenset({motif})), **client), PLAN, au=MARDI, reglages=Reglages(), ouvre=ouvre
    )
    if motif not in LEVABLES:
        assert not resultat.envois, "ce que la loi impose ne se lève pas"
        return
    (envoi,) = resultat.envois
    (decision,) = envoi.decisions
    assert (envoi.mode, envoi.motif) == (ModePalier.A_VALIDER, FREIN_LEVE)
    assert (decision.leves, motif.value in decision.detail) == ((motif,), True)
    assert str(motifs.LIBELLES[motif]).lower() in motifs.phrase(decision)


@pytest.mark.parametrize(
    "pieces",
    [
        {"exclue_jusqu_au": HIER, "motif_exclusion": "avoir attendu"},  # exigence 17 : elle rentre seule
        {"echeancier_jusqu_au": HIER},  # mensualité manquée, tolérance passée
        {"terme_jusqu_au": HIER},  # dernière mensualité échue : tout est exigible
        {"date_facture": MARDI - 7 * JOUR},
        {"statut_fe": "206", "conteste": Decimal("10.00")},  # la part refusée est en litige
        {"statut_fe": "212", "paye": Decimal("1.00")},  # encaissée en partie, et posée
        *({"statut_fe": code} for code in ("", "200", "205", "209", "214", "220", "501", "999")),
    ],
)
def test_a_un_jour_pres_ou_explique_le_frein_ne_retient_plus(pieces):
    assert verdict(piece(**pieces)).motif is Motif.RELANCEE


def test_lever_un_frein_n_en_leve_pas_un_autre():
    tenue = piece(promesse_jusqu_au=MARDI, conteste=MILLE, leves=frozenset({M.PROMESSE, M.LITIGE}))
    assert verdict(tenue).motif is Motif.LITIGE


def test_une_facture_en_litige_sur_la_plateforme_ne_se_met_pas_en_demeure_meme_levee():
    """Exigence 10 : le frein se lève pour un rappel, jamais pour une mise en demeure."""
    leve = {"statut_fe": "207", "leves": frozenset({M.FE_RETENUE})}
    assert verdict(piece(**leve)).motif is Motif.RELANCEE
    assert verdict(atteinte(Nature.FORMALISATION, **leve)).motif is Motif.FE_RETENUE


@pytest.mark.parametrize(("seuil", "motif"), [("seuil_piece", M.SEUIL_PIECE), ("seuil_envoi", M.SEUIL_ENVOI)])
def test_exigence_16_un_seuil_se_leve_pour_une_nuit(seuil, motif):
    plan = Plan(1, PALIERS, **{seuil: Decimal("1000.01")})
    assert verdict(piece(), plan).motif is motif
    assert verdict(piece(leves=frozenset({motif})), plan).leves == (motif,)


def test_un_contact_le_meme_soir_leve_part_aussi():
    """Exigence 13 : sans levée, le rappel est reporté ; avec, il part à valider."""
    pieces = piece(id=1, leves=frozenset({M.DELAI_CONTACT})), atteinte(Nature.FORMALISATION, id=2)
    envois = decider(debiteur(*pieces), PLAN, au=MARDI, reglages=Reglages(), ouvre=ouvre).envois
    assert [(v.palier.nature, v.mode) for v in envois] == [
        (Nature.MISE_EN_DEMEURE, ModePalier.A_VALIDER),
        (Nature.RAPPEL_COURTOIS, ModePalier.A_VALIDER),
    ]


def test_un_plafond_depasse_reste_la_raison_de_valider():
    plan = Plan(1, PALIERS, plafond_envoi=Decimal("10.00"))
    tenue = piece(promesse_jusqu_au=MARDI, leves=frozenset({M.PROMESSE}))
    (envoi,) = decider(debiteur(tenue), plan, au=MARDI, reglages=Reglages(), ouvre=ouvre).envois
    assert envoi.motif.startswith("au-dessus du plafond")


@pytest.mark.parametrize(("apres", "motif"), [(4, M.ATTENTE), (5, M.RELANCEE)])
def test_une_echeance_avant_sa_facture_compte_depuis_la_facture(apres, motif):
    """La plus tardive des deux dates : on ne doit rien avant d'être facturé."""
    d = verdict(piece(60, date_facture=MARDI - apres * JOUR))
    assert d.motif is motif
    assert "antérieure à la facture" in d.detail
    if motif is M.ATTENTE:
        assert "après la facture" in motifs.phrase(d)


def test_exigence_1_un_grand_livre_perime_retient_tout():
    assert verdict(piece(), reglages=Reglages(donnees_perimees=True)).motif is Motif.DONNEES_PERIMEES


def test_exigence_22_l_adresse_en_erreur_dit_laquelle_et_depuis_quand():
    d = verdict(piece(), canaux=frozenset(), canaux_en_erreur=((Canal.COURRIEL, date(2026, 2, 3)),))
    assert "courriel en erreur depuis le 03/02/2026" in motifs.phrase(d)
    # Un canal que ce palier n'emploie pas n'explique rien.
    autre = verdict(piece(), canaux=frozenset(), canaux_en_erreur=((Canal.RECOMMANDE, HIER),))
    assert autre.motif is Motif.SANS_ADRESSE
