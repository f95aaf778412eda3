"""Publier ne réinterprète pas ce qui est en cours : « nouvelles » ou « toutes », version par version."""

from dataclasses import replace
from datetime import date, timedelta

import pytest

from factures.models import Echeance
from relances.domaine.echelle import Motif, Plan, Reglages, decider
from relances.domaine.natures import Nature
from relances.models import Echelle, Palier, Passage, Relance, Verdict, VersionEchelle
from relances.services import nuit
from relances.services.brouillons import nouveau_brouillon
from relances.services.plans import installer_plans, plans_publies, publier
from tests.clients.factories import ClientFactory
from tests.factures.factories import EcheanceFactory
from tests.relances.test_domaine_echelle import MARDI, PALIERS, atteinte, debiteur, ouvre, piece

JOUR = timedelta(days=1)
N = Nature
# La version 1 forme quinze jours après ; la 2 demande trente jours de plus à chaque palier.
V1 = Plan(1, tuple(replace(p, version=1) for p in PALIERS))
LENTS = tuple(replace(p, id=p.id + 10, delai=p.delai + 30, version=2) for p in PALIERS)
NOUVELLES, TOUTES = Plan(2, LENTS, anciens={1: V1}), Plan(2, LENTS)


def decisions(plan, *pieces, **client):
    resultat = decider(debiteur(*pieces, **client), plan, au=MARDI, reglages=Reglages(), ouvre=ouvre)
    return {d.echeance.id: d for d in resultat.decisions}, resultat.envois


@pytest.mark.parametrize(("plan", "motif", "version"), [(NOUVELLES, Motif.RELANCEE, 1), (TOUTES, Motif.ATTENTE, 2)])
def test_une_piece_deja_relancee_finit_avec_sa_version_ou_passe_a_la_nouvelle(plan, motif, version):
    """Vingt et un jours de retard : la version 1 forme à vingt, la 2 à cinquante."""
    d = decisions(plan, atteinte(N.APPEL, jours=21, il_y_a=9))[0][1]
    assert (d.motif, d.palier.version, d.palier.nature) == (motif, version, N.FORMALISATION)


def test_une_piece_jamais_relancee_suit_la_nouvelle_version():
    assert decisions(NOUVELLES, piece(6))[0][1].motif is Motif.ATTENTE


def test_exigence_8_passer_a_la_nouvelle_version_ne_perd_pas_la_nature():
    assert decisions(TOUTES, atteinte(N.FORMALISATION, il_y_a=60))[0][1].palier.nature is N.MISE_EN_DEMEURE


def test_au_bout_de_son_ancienne_version_l_echelle_est_terminee():
    assert decisions(NOUVELLES, atteinte(N.MISE_EN_DEMEURE))[0][1].motif is Motif.TERMINEE


def test_les_seuils_sont_ceux_de_la_version_qui_juge():
    exigeante = replace(NOUVELLES, seuil_piece=5000, anciens={1: V1})
    assert decisions(exigeante, atteinte(N.APPEL, jours=21, il_y_a=9))[0][1].motif is Motif.RELANCEE


@pytest.mark.parametrize("mode", ["niveau", "plus_haut", "plus_ancienne"])
def test_un_courrier_ne_melange_jamais_deux_versions(mode):
    """La même nuit, deux versions : deux lettres, et le délai entre contacts n'en laisse partir qu'une."""
    vieille, neuve = atteinte(N.APPEL, jours=21, il_y_a=9, id=1), piece(36, id=2)
    par_piece, envois = decisions(NOUVELLES, vieille, neuve, regroupement=mode, delai_entre_contacts=0)
    assert sorted((v.palier.version, len(v.decisions)) for v in envois) == [(1, 1), (2, 1)]
    par_piece, envois = decisions(NOUVELLES, vieille, neuve, regroupement=mode)
    assert [v.palier.version for v in envois] == [1]
    assert par_piece[2].motif is Motif.DELAI_CONTACT


# --- En base --------------------------------------------------------------------------------------


def passer(societe, au):
    passage = nuit.ouvrir_passage(societe, au=au, genre=Passage.Genre.REJOUE)
    return nuit.relancer(societe, au=au, passage=passage)


@pytest.fixture
def echelle(db):
    client = ClientFactory()
    installer_plans(client.societe)
    return Echelle.objects.get(societe=client.societe, type_debiteur="entreprise")


def publier_avec(echelle, reprise, delai):
    """Publie une version dont la formalisation attend `delai` jours."""
    brouillon = nouveau_brouillon(echelle, par=None)
    Palier.objects.filter(version=brouillon, nature=N.FORMALISATION).update(delai=delai, reference="echeance")
    VersionEchelle.objects.filter(pk=brouillon.pk).update(reprise=reprise)
    publier(VersionEchelle.objects.get(pk=brouillon.pk), par=None)
    return brouillon.pk


def test_chaque_publication_dit_qui_juge_ce_qui_etait_en_cours(echelle):
    v1 = echelle.versions.get().pk
    v2 = publier_avec(echelle, "nouvelles", 40)
    v3 = publier_avec(echelle, "toutes", 50)
    v4 = publier_avec(echelle, "nouvelles", 60)
    plan = plans_publies(echelle.societe).par_type["entreprise"]
    assert plan.version == v4
    assert {v: juge.version for v, juge in plan.anciens.items()} == {v1: v3, v2: v3, v3: v3}


@pytest.mark.parametrize(("reprise", "versions"), [("nouvelles", 1), ("toutes", 2)])
def test_la_nuit_ecrit_la_version_qui_a_juge(echelle, reprise, versions):
    e = EcheanceFactory(
        client=ClientFactory(societe=echelle.societe, delai_entre_contacts=0), echue_le=MARDI - 9 * JOUR
    )
    passer(echelle.societe, MARDI)
    Relance.objects.update(statut=Relance.Statut.ENVOYEE)
    avant = Echeance.objects.get(pk=e.pk).niveau_version
    neuve = publier_avec(echelle, reprise, 20)
    for n in (7, 14, 21):
        passer(echelle.societe, MARDI + n * JOUR)
        Relance.objects.update(statut=Relance.Statut.ENVOYEE)
    e.refresh_from_db()
    assert e.niveau > N.RAPPEL_COURTOIS
    assert e.niveau_version == (avant if versions == 1 else neuve)


def test_une_nuit_au_repos_ne_relit_rien_apres_une_publication(echelle, django_assert_max_num_queries):
    """Le verdict porte la version publiée, même jugé par l'ancienne : une seule relecture, puis plus rien."""
    e = EcheanceFactory(client=ClientFactory(societe=echelle.societe), echue_le=MARDI - 9 * JOUR)
    passer(echelle.societe, MARDI)
    Relance.objects.update(statut=Relance.Statut.ENVOYEE)
    publier_avec(echelle, "nouvelles", 90)
    passer(echelle.societe, MARDI + JOUR)
    assert Verdict.objects.get(echeance=e, au=None).code == Motif.ATTENTE
    verdicts = Verdict.objects.count()
    passages = list(nuit.decider_societe(echelle.societe, au=MARDI + 2 * JOUR))
    assert passages == []
    passer(echelle.societe, MARDI + 2 * JOUR)
    assert Verdict.objects.count() == verdicts


def test_exigence_9_changer_de_regroupement_ou_de_version_ne_perd_aucun_niveau(echelle):
    client = ClientFactory(societe=echelle.societe, regroupement="plus_haut")
    e = EcheanceFactory(client=client, echue_le=date(2026, 1, 20))
    passer(echelle.societe, MARDI)
    niveau = Echeance.objects.get(pk=e.pk).niveau
    for mode in ("piece", "niveau", "plus_ancienne", "plus_haut"):
        type(client).objects.filter(pk=client.pk).update(regroupement=mode)
        publier_avec(echelle, "toutes", 90)
        passer(echelle.societe, MARDI + JOUR)
        assert Echeance.objects.get(pk=e.pk).niveau == niveau
