"""Contrôle d'un plan avant publication."""

from dataclasses import replace
from decimal import Decimal

import pytest

from relances.domaine.controle import controler, jours, publiable
from relances.domaine.echelle import PalierRegle
from relances.domaine.natures import Canal, ModePalier, Nature, Reference
from relances.domaine.plans import PLANS

N, R, C = Nature, Reference, Canal


def paliers(code="entreprise"):
    livre = next(p for p in PLANS if p.code == code)
    return [
        PalierRegle(rang, rang, p.nature, p.reference, p.delai, p.canaux, p.mode, p.delai_reponse)
        for rang, p in enumerate(livre.paliers, 1)
    ]


def codes(liste, *, type_debiteur="entreprise", max_amiables=2, delai=5):
    constats = controler(liste, type_debiteur=type_debiteur, max_amiables=max_amiables, delai_entre_contacts=delai)
    return {c.code for c in constats}, publiable(constats)


def sauf(liste, nature, **champs):
    return [replace(p, **champs) if p.nature is nature else p for p in liste]


@pytest.mark.parametrize("code", ["entreprise", "administration", "particulier"])
def test_les_plans_livres_sont_publiables(code):
    assert codes(paliers(code), type_debiteur=code)[1]


def test_les_jours_se_comptent_depuis_l_echeance():
    assert jours(paliers()) == [5, 12, 20, 35, 55]
    assert jours(sauf(paliers(), N.RAPPEL_COURTOIS, reference=R.FACTURE, delai=40))[0] == 10


def sans(liste, *natures):
    return [p for p in liste if p.nature not in natures]


def rang(liste, n, **champs):
    return [replace(p, **champs) if p.rang == n else p for p in liste]


AVANT = PalierRegle(9, 1, N.AVANT_ECHEANCE, R.ECHEANCE, -7, (C.COURRIEL, C.LETTRE), ModePalier.AUTOMATIQUE)


def avec_avant(**champs):
    return [replace(AVANT, **champs), *(replace(p, rang=p.rang + 1) for p in paliers())]


@pytest.mark.parametrize(
    ("plan", "attendu"),
    [
        ([], "vide"),
        # Boucle ou palier avant son prédécesseur.
        (list(reversed(paliers())), "ordre"),
        (rang(paliers(), 3, rang=1), "ordre"),
        (rang(paliers(), 1, reference=R.PRECEDENT), "premier_precedent"),
        (sauf(paliers(), N.APPEL, delai=3), "calendrier"),
        (sauf(paliers(), N.APPEL, delai=5), "meme_jour"),
        (sauf(paliers(), N.MISE_EN_DEMEURE, delai=0), "meme_jour"),
        # Délais signés, de −60 à 365 jours (exigence 7).
        (avec_avant(delai=-61), "delai_bornes"),
        (sauf(paliers(), N.CONTENTIEUX, delai=366), "delai_bornes"),
        (avec_avant(delai=0), "pas_avant"),
        (rang(paliers(), 1, delai=-1), "negatif"),
        (sauf(paliers(), N.FORMALISATION, delai_reponse=0), "reponse_bornes"),
        (sauf(paliers(), N.FORMALISATION, delai_reponse=91), "reponse_bornes"),
        # Canaux.
        (sauf(paliers(), N.APPEL, canaux=()), "sans_canal"),
        (sauf(paliers(), N.APPEL, canaux=(C.LETTRE,)), "canal_interdit"),
        (sauf(paliers(), N.FORMALISATION, canaux=(C.SMS, C.LETTRE)), "canal_interdit"),
        (sauf(paliers(), N.CONTENTIEUX, canaux=(C.RECOMMANDE,)), "canal_interdit"),
        (sauf(paliers(), N.RAPPEL_COURTOIS, canaux=(C.SMS,)), "sms_seul"),
        (sauf(paliers(), N.RAPPEL_COURTOIS, canaux=(C.LETTRE, C.LETTRE)), "canal_double"),
        # Modes : appel et contentieux en tâche, mise en demeure jamais sans une personne.
        (sauf(paliers(), N.APPEL, mode=ModePalier.AUTOMATIQUE), "mode_interdit"),
        (sauf(paliers(), N.CONTENTIEUX, mode=ModePalier.A_VALIDER), "mode_interdit"),
        (sauf(paliers(), N.MISE_EN_DEMEURE, mode=ModePalier.AUTOMATIQUE), "mode_interdit"),
        # Mise en demeure (exigence 10, C. civ., art. 1344) et contentieux.
        (sans(paliers(), N.FORMALISATION), "sans_formalisation"),
        (sauf(paliers(), N.MISE_EN_DEMEURE, canaux=(C.LETTRE,)), "sans_recommande"),
        (sauf(paliers(), N.MISE_EN_DEMEURE, canaux=(C.RECOMMANDE, C.LETTRE)), "pas_que_recommande"),
        (sans(paliers(), N.MISE_EN_DEMEURE), "sans_mise_en_demeure"),
        # Jamais plus grave tant que court le délai donné pour répondre (C. civ., art. 1231).
        (sauf(paliers(), N.FORMALISATION, delai_reponse=15), "avant_reponse"),
        (sauf(paliers(), N.CONTENTIEUX, delai=15), "avant_reponse"),
    ],
)
def test_ce_qui_interdit_de_publier(plan, attendu):
    trouves, ok = codes(plan)
    assert attendu in trouves and not ok


@pytest.mark.parametrize("delai", [-60, -1])
def test_les_bornes_d_un_rappel_avant_echeance_sont_permises(delai):
    """La veille de la borne, la borne : −60 et −1 se publient."""
    assert codes(avec_avant(delai=delai))[1]


def test_trois_cent_soixante_cinq_jours_se_publient():
    assert codes(sauf(paliers(), N.CONTENTIEUX, delai=365))[1]


def test_un_modele_inexistant_interdit_de_publier_et_dit_ou_corriger():
    constats = controler(
        paliers(), type_debiteur="entreprise", max_amiables=2, delai_entre_contacts=5, modeles_absents={3}
    )
    faute = next(c for c in constats if c.code == "modele")
    assert (faute.ton, faute.palier, faute.champ) == ("mal", 3, "modele")


def test_facture_et_echeance_melees_avertissent_sans_interdire():
    """Seules les conditions du client disent si « facture + 40 » vient avant « échéance + 5 »."""
    trouves, ok = codes(sauf(paliers(), N.APPEL, reference=R.FACTURE, delai=33))
    assert "calendrier" in trouves and ok


def test_un_sms_en_premier_choix_avec_un_repli_se_publie_sauf_a_une_administration():
    plan = sauf(paliers("administration"), N.RAPPEL_COURTOIS, canaux=(C.SMS, C.LETTRE))
    assert codes(plan, type_debiteur="entreprise", max_amiables=2)[0] & {"sms_seul", "canal_interdit"} == set()
    assert "canal_interdit" in codes(plan, type_debiteur="administration")[0]


def test_une_administration_va_au_contentieux_sans_mise_en_demeure():
    """CGCT, art. L1612-16 : la mise en demeure est celle du préfet, la suite est un mandatement d'office."""
    trouves, ok = codes(paliers("administration"), type_debiteur="administration")
    assert "mandatement" in trouves and "sans_mise_en_demeure" not in trouves and ok


def test_un_plafond_sous_le_seuil_d_envoi_avertit():
    """Exigence 16 : tout envoi attendrait un responsable."""
    regles = {"type_debiteur": "entreprise", "max_amiables": 2, "delai_entre_contacts": 5}
    constats = controler(paliers(), **regles, seuil_envoi=Decimal(30), plafond_envoi=Decimal(30))
    assert "plafond_sous_seuil" in {c.code for c in constats} and publiable(constats)
    constats = controler(paliers(), **regles, seuil_envoi=Decimal(30), plafond_envoi=Decimal("30.01"))
    assert "plafond_sous_seuil" not in {c.code for c in constats}


def test_aucune_mise_en_demeure_a_une_administration():
    trouves, ok = codes(paliers(), type_debiteur="administration")
    assert "administration" in trouves and not ok


@pytest.mark.parametrize(
    ("plan", "reglages", "attendu"),
    [
        (paliers(), {"max_amiables": 1}, "trop_amiables"),
        (paliers(), {"delai": 9}, "trop_pres"),
        (sauf(paliers(), N.RAPPEL_COURTOIS, canaux=(C.COURRIEL,)), {}, "sans_repli"),
        (sauf(paliers(), N.MISE_EN_DEMEURE, delai_reponse=7), {}, "delai_court"),
    ],
)
def test_ce_qui_avertit_sans_interdire(plan, reglages, attendu):
    trouves, ok = codes(plan, **reglages)
    assert attendu in trouves and ok


def test_la_mise_en_demeure_le_lendemain_du_delai_donne_se_publie():
    assert "avant_reponse" not in codes(sauf(paliers(), N.FORMALISATION, delai_reponse=14))[0]


def test_le_delai_entre_contacts_egal_suffit():
    """La veille, le jour : sept jours entre rappel et appel."""
    assert "trop_pres" not in codes(paliers(), delai=7)[0]
    assert "trop_pres" in codes(paliers(), delai=8)[0]


def test_le_mode_n_entre_pas_dans_le_controle():
    assert codes(sauf(paliers(), N.FORMALISATION, mode=ModePalier.A_VALIDER)) == codes(paliers())


def test_deux_paliers_contentieux_ne_se_publient_pas():
    """La décision d'aller au contentieux est celle d'une personne, une fois (exigence 35)."""
    encore = replace(paliers()[-1], id=9, rang=9, delai=30)
    trouves, ok = codes([*paliers(), encore])
    assert "deux_contentieux" in trouves and not ok
