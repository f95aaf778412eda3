"""Plans d'une société : brouillons, versions, reprise, affectation, publication concurrente."""

from datetime import date, timedelta

import pytest

from recouvrement.journal.models import Maillon
from relances.domaine.natures import Nature
from relances.models import Echelle, Relance, Tache, Verdict, VersionEchelle
from relances.services import brouillons, plans_societe
from relances.services.brouillons import empreinte, nouveau_brouillon
from relances.services.comparaison import Ecart, comparer, poursuivre, preparer
from relances.services.faits import candidates
from relances.services.nuit import ouvrir_passage, relancer
from relances.services.plans import PlanInvalide, installer_plans, plans_publies, publier
from relances.services.versions_plans import differences
from tests.clients.factories import ClientFactory
from tests.comptes.factories import SocieteFactory, UtilisateurFactory
from tests.factures.factories import EcheanceFactory

pytestmark = pytest.mark.django_db
MARDI = date(2026, 2, 10)


@pytest.fixture
def societe():
    societe = SocieteFactory()
    installer_plans(societe)
    return societe


@pytest.fixture
def par():
    return UtilisateurFactory()


def plan(societe, code="entreprise") -> Echelle:
    return societe.echelles.get(code=code)


def version(echelle, statut="publiee") -> VersionEchelle:
    return VersionEchelle.objects.get(echelle=echelle, statut=statut)


def natures(version) -> list[int]:
    return list(version.paliers.order_by("rang").values_list("nature", flat=True))


def atteinte(echeance, version, nature, *, le):
    palier = version.paliers.filter(nature=nature).first()
    type(echeance).objects.filter(pk=echeance.pk).update(
        niveau=nature, niveau_rang=palier.rang, niveau_version=version.pk, niveau_le=le
    )


# --- Brouillon ----------------------------------------------------------------------------------------


def test_deplacer_change_l_ordre_et_s_arrete_au_bout(societe, par):
    """Exigence 7 : un palier se déplace dans un brouillon, jamais dans une version publiée."""
    brouillon = nouveau_brouillon(plan(societe), par=par)
    premier = brouillon.paliers.get(rang=1)
    brouillons.deplacer_palier(premier, -1)
    assert natures(brouillon) == [2, 3, 4, 5, 6]
    brouillons.deplacer_palier(premier, 1)
    assert natures(brouillon) == [3, 2, 4, 5, 6]
    publie = version(plan(societe)).paliers.first()
    with pytest.raises(PlanInvalide, match="publiée"):
        brouillons.deplacer_palier(publie, 1)


def test_retirer_garde_l_ordre_choisi_par_la_personne(societe, par):
    brouillon = nouveau_brouillon(plan(societe), par=par)
    brouillons.deplacer_palier(brouillon.paliers.get(rang=1), 1)
    brouillons.retirer_palier(brouillon.paliers.get(nature=Nature.FORMALISATION))
    assert natures(brouillon) == [3, 2, 5, 6]
    assert list(brouillon.paliers.order_by("rang").values_list("rang", flat=True)) == [1, 2, 3, 4]


def test_un_rappel_avant_echeance_s_ajoute_en_tete_a_j_moins_sept(societe, par):
    brouillon = nouveau_brouillon(plan(societe), par=par)
    neuf = brouillons.ajouter_palier(brouillon, Nature.AVANT_ECHEANCE)
    assert (neuf.rang, neuf.delai, neuf.reference) == (1, -7, "echeance")
    assert natures(brouillon) == [1, 2, 3, 4, 5, 6]


def test_un_plan_a_vingt_paliers_au_plus(societe, par):
    brouillon = nouveau_brouillon(plan(societe), par=par)
    for _n in range(15):
        brouillons.ajouter_palier(brouillon, Nature.RAPPEL_COURTOIS)
    with pytest.raises(PlanInvalide, match="20"):
        brouillons.ajouter_palier(brouillon, Nature.RAPPEL_COURTOIS)


def test_un_brouillon_copie_modele_et_destinataire(societe, par):
    publie = version(plan(societe))
    publie.paliers.filter(nature=2).update(modele="doux", role_destinataire="achats")
    copie = nouveau_brouillon(plan(societe), par=par).paliers.get(nature=2)
    assert (copie.modele, copie.role_destinataire) == ("doux", "achats")


def test_revenir_a_une_ancienne_version_ouvre_un_brouillon_copie_d_elle(societe, par):
    echelle = plan(societe)
    premiere = version(echelle)
    seconde = nouveau_brouillon(echelle, par=par)
    brouillons.retirer_palier(seconde.paliers.get(nature=Nature.APPEL))
    publier(seconde, par=par, note="sans appel")
    retour = nouveau_brouillon(echelle, par=par, depuis=premiere)
    assert (retour.numero, retour.statut, natures(retour)) == (3, "brouillon", [2, 3, 4, 5, 6])
    assert retour.publiee_le is None and retour.note == ""
    with pytest.raises(PlanInvalide, match="déjà en brouillon"):
        nouveau_brouillon(echelle, par=par, depuis=premiere)


def test_l_empreinte_change_avec_un_reglage_et_pas_sans(societe, par):
    brouillon = nouveau_brouillon(plan(societe), par=par)
    avant = empreinte(VersionEchelle.objects.get(pk=brouillon.pk))
    assert empreinte(brouillon) == avant
    brouillon.paliers.filter(rang=1).update(canaux=["lettre", "courriel"])
    assert empreinte(VersionEchelle.objects.get(pk=brouillon.pk)) != avant


# --- Publication, reprise, versions -------------------------------------------------------------------


def test_publier_deux_fois_ne_publie_qu_une_fois(societe, par):
    brouillon = nouveau_brouillon(plan(societe), par=par)
    publier(brouillon, par=par, note="a")
    with pytest.raises(PlanInvalide, match="publiée"):
        publier(brouillon, par=par, note="b")
    assert Maillon.objects.filter(action="plan.publie", societe=societe).count() == 1
    assert version(plan(societe)).note == "a"


def test_publier_un_brouillon_abandonne_se_dit(societe, par):
    brouillon = nouveau_brouillon(plan(societe), par=par)
    brouillons.abandonner(VersionEchelle.objects.get(pk=brouillon.pk), par=par)
    with pytest.raises(PlanInvalide, match="abandonné"):
        publier(brouillon, par=par)


def publier_version(echelle, par, *, reprise, delai):
    neuve = nouveau_brouillon(echelle, par=par)
    neuve.paliers.filter(nature=Nature.FORMALISATION).update(delai=delai)
    publier(neuve, par=par, note="délai", reprise=reprise)
    return version(echelle)


@pytest.mark.parametrize(
    ("seconde", "troisieme", "juges"),
    [
        # Qui juge une pièce relancée par la version 1, puis par la version 2, une fois la 3 publiée.
        ("nouvelles", "nouvelles", (1, 2)),
        ("toutes", "nouvelles", (2, 2)),
        ("nouvelles", "toutes", (3, 3)),
        ("toutes", "toutes", (3, 3)),
    ],
)
def test_la_reprise_choisie_a_chaque_publication_se_suit(societe, par, seconde, troisieme, juges):
    """Publier ne réinterprète jamais en silence : « nouvelles » laisse finir, « toutes » fait passer."""
    echelle = plan(societe)
    v1 = version(echelle)
    v2 = publier_version(echelle, par, reprise=seconde, delai=21)
    v3 = publier_version(echelle, par, reprise=troisieme, delai=22)
    publie = plans_publies(societe).par_type["entreprise"]
    numeros = {v1.pk: 1, v2.pk: 2, v3.pk: 3}
    assert publie.version == v3.pk
    assert tuple(numeros[publie.anciens.get(v.pk, publie).version] for v in (v1, v2)) == juges


def test_les_plans_publies_se_lisent_en_trois_requetes(societe, par, django_assert_max_num_queries):
    for n in range(5):
        publier_version(plan(societe), par, reprise="nouvelles", delai=21 + n)
    with django_assert_max_num_queries(3):
        plans_publies(societe)


def test_les_differences_nomment_ce_qui_s_ajoute_se_retire_et_change(societe, par):
    echelle = plan(societe)
    neuve = nouveau_brouillon(echelle, par=par)
    brouillons.retirer_palier(neuve.paliers.get(nature=Nature.APPEL))
    brouillons.ajouter_palier(neuve, Nature.AVANT_ECHEANCE)
    neuve.paliers.filter(nature=Nature.RAPPEL_COURTOIS).update(delai=8, canaux=["lettre"])
    VersionEchelle.objects.filter(pk=neuve.pk).update(seuil_envoi=30)
    lues = differences(version(echelle), VersionEchelle.objects.get(pk=neuve.pk))
    assert [(d.genre, d.nature) for d in lues] == [("ajoute", 1), ("modifie", 2), ("retire", 3), ("modifie", 0)]
    rappel = {c.libelle: (c.avant, c.apres) for c in lues[1].changements}
    assert rappel["délai (jours)"] == ("5 j", "8 j")
    assert rappel["canaux, par préférence"] == ("Courriel, à défaut Lettre", "Lettre")
    assert differences(version(echelle), version(echelle)) == []


# --- Plans de la société ------------------------------------------------------------------------------


def test_un_plan_neuf_nait_en_brouillon_et_ne_relance_personne(societe, par):
    neuf = plans_societe.creer_plan(societe, "Grands comptes", par=par, copie_de=version(plan(societe)))
    assert (neuf.code, neuf.par_defaut, version(neuf, "brouillon").paliers.count()) == ("grands-comptes", False, 5)
    assert set(plans_publies(societe).par_type) == {"entreprise", "administration", "particulier"}
    livre = plans_societe.creer_plan(societe, "Communes", par=par, type_debiteur="administration")
    assert natures(version(livre, "brouillon")) == [2, 3, 4, 6]


def test_deux_plans_ne_portent_pas_le_meme_nom(societe, par):
    plans_societe.creer_plan(societe, "Doux", par=par, type_debiteur="entreprise")
    with pytest.raises(PlanInvalide, match="déjà ce nom"):
        plans_societe.creer_plan(societe, "doux", par=par, type_debiteur="particulier")
    with pytest.raises(PlanInvalide, match="déjà ce nom"):
        plans_societe.renommer(plan(societe), "DOUX", par=par)


def test_renommer_garde_le_code_et_s_inscrit_au_journal(societe, par):
    plans_societe.renommer(plan(societe), "Professionnels", par=par)
    assert plan(societe).nom == "Professionnels"
    assert Maillon.objects.filter(action="plan.renomme").count() == 1


@pytest.fixture
def doux(societe, par):
    """Un plan d'entreprise publié, hors défaut."""
    neuf = plans_societe.creer_plan(societe, "Doux", par=par, copie_de=version(plan(societe)))
    publier(version(neuf, "brouillon"), par=par, note="premier")
    return neuf


def test_un_plan_publie_peut_devenir_celui_de_son_type(societe, par, doux):
    brut = plans_societe.creer_plan(societe, "Brut", par=par, type_debiteur="entreprise")
    with pytest.raises(PlanInvalide, match="Publiez d'abord"):
        plans_societe.mettre_par_defaut(brut, par=par)
    plans_societe.mettre_par_defaut(doux, par=par)
    assert plans_publies(societe).par_type["entreprise"].version == version(doux).pk
    assert not plan(societe).par_defaut


def test_affecter_remplace_le_plan_du_client_et_le_rend(societe, par, doux):
    client = ClientFactory(societe=societe, type="entreprise")
    assert plans_societe.affecter(client, doux, par=par)
    assert not plans_societe.affecter(client, doux, par=par)
    assert plans_publies(societe).pour(client.pk, "entreprise").version == version(doux).pk
    assert plans_societe.affecter(client, plan(societe), par=par)
    assert list(client.echelles.all()) == [plan(societe)]
    assert plans_societe.affecter(client, None, par=par)
    assert not client.echelles.exists()
    assert Maillon.objects.filter(action="client.plan", client_id=client.pk).count() == 3


@pytest.mark.parametrize(("type_client", "permis"), [
    ("entreprise", True), ("a_qualifier", True), ("particulier", False), ("administration", False),
])  # fmt: skip
def test_un_plan_d_entreprise_ne_s_affecte_pas_a_un_autre_droit(societe, par, doux, type_client, permis):
    """Exigence 28 : trois droits différents."""
    client = ClientFactory(societe=societe, type=type_client)
    if permis:
        assert plans_societe.affecter(client, doux, par=par)
    else:
        with pytest.raises(PlanInvalide, match="un autre droit"):
            plans_societe.affecter(client, doux, par=par)


def test_un_plan_sans_version_publiee_ou_d_une_autre_societe_ne_s_affecte_pas(societe, par):
    client = ClientFactory(societe=societe, type="entreprise")
    brut = plans_societe.creer_plan(societe, "Brut", par=par, type_debiteur="entreprise")
    with pytest.raises(PlanInvalide, match="aucune version publiée"):
        plans_societe.affecter(client, brut, par=par)
    autre = SocieteFactory()
    installer_plans(autre)
    with pytest.raises(PlanInvalide, match="autre société"):
        plans_societe.affecter(client, plan(autre), par=par)


def test_un_client_dont_le_type_change_retrouve_le_plan_de_son_droit(societe, par, doux):
    """Jamais 40 € ni BCE + 10 à un consommateur parce qu'il fut pris pour une entreprise (droit.md § 4)."""
    client = ClientFactory(societe=societe, type="entreprise")
    plans_societe.affecter(client, doux, par=par)
    type(client).objects.filter(pk=client.pk).update(type="particulier")
    suivi = plans_publies(societe).pour(client.pk, "particulier")
    assert suivi.version == version(plan(societe, "particulier")).pk


def test_un_plan_qui_sert_ne_se_retire_pas(societe, par, doux):
    with pytest.raises(PlanInvalide, match="par défaut"):
        plans_societe.retirer_plan(plan(societe), par=par)
    client = ClientFactory(societe=societe, type="entreprise")
    plans_societe.affecter(client, doux, par=par)
    with pytest.raises(PlanInvalide, match="1 client"):
        plans_societe.retirer_plan(doux, par=par)
    plans_societe.affecter(client, None, par=par)
    assert plans_societe.retirer_plan(doux, par=par)
    assert not Echelle.objects.filter(pk=doux.pk).exists()


def test_un_plan_que_des_relances_citent_reste_a_lire(societe, par, doux):
    echeance = EcheanceFactory(societe=societe, echue_le=MARDI - timedelta(days=6))
    plans_societe.affecter(echeance.client, doux, par=par)
    relancer(societe, au=MARDI, passage=ouvrir_passage(societe, au=MARDI, genre="automatique"))
    assert Relance.objects.get().palier.version.echelle == doux
    plans_societe.affecter(echeance.client, None, par=par)
    assert not plans_societe.retirer_plan(doux, par=par)
    assert list(doux.versions.values_list("statut", flat=True)) == ["retiree"]


@pytest.mark.parametrize(("type_debiteur", "titre"), [
    ("administration", "Demander le mandatement d'office ?"), ("entreprise", "Passer au contentieux ?"),
])  # fmt: skip
def test_la_derniere_tache_d_une_administration_est_un_mandatement_d_office(societe, type_debiteur, titre):
    """CGCT, art. L1612-16 ; jamais d'injonction à une personne publique (droit.md § 3)."""
    client = ClientFactory(societe=societe, type=type_debiteur)
    echeance = EcheanceFactory(client=client, echue_le=MARDI - timedelta(days=120))
    publie = version(plan(societe, type_debiteur))
    avant = Nature.FORMALISATION if type_debiteur == "administration" else Nature.MISE_EN_DEMEURE
    atteinte(echeance, publie, avant, le=MARDI - timedelta(days=40))
    relancer(societe, au=MARDI, passage=ouvrir_passage(societe, au=MARDI, genre="automatique"))
    assert Tache.objects.get(client=client).titre == titre


# --- Comparaison --------------------------------------------------------------------------------------


def test_la_reprise_decide_si_une_piece_deja_relancee_change(societe, par):
    """« nouvelles » : elle finit avec sa version ; « toutes » : son prochain palier vient du brouillon."""
    echelle = plan(societe)
    echeance = EcheanceFactory(societe=societe, echue_le=MARDI - timedelta(days=10))
    atteinte(echeance, version(echelle), Nature.RAPPEL_COURTOIS, le=MARDI - timedelta(days=5))
    neuve = nouveau_brouillon(echelle, par=par)
    neuve.paliers.filter(nature=Nature.APPEL).update(delai=16)
    neuve = VersionEchelle.objects.get(pk=neuve.pk)
    assert comparer(neuve, au=MARDI, reprise="nouvelles").changes == 0
    toutes = comparer(neuve, au=MARDI, reprise="toutes")
    assert (toutes.changes, toutes.plus_tard, toutes.par_palier[Nature.APPEL].tard) == (1, 1, [4, 4])


def test_un_autre_canal_le_meme_jour_est_un_client_traite_autrement(societe, par):
    EcheanceFactory(societe=societe, echue_le=MARDI - timedelta(days=6))
    neuve = nouveau_brouillon(plan(societe), par=par)
    neuve.paliers.filter(nature=Nature.RAPPEL_COURTOIS).update(mode="a_valider")
    ecart = comparer(VersionEchelle.objects.get(pk=neuve.pk), au=MARDI)
    assert (ecart.changes, ecart.autrement, ecart.plus_tot, ecart.plus_tard) == (1, 1, 0, 0)


def test_un_rappel_avant_echeance_du_brouillon_montre_les_pieces_a_venir(societe, par):
    EcheanceFactory(societe=societe, echue_le=MARDI + timedelta(days=3))
    neuve = nouveau_brouillon(plan(societe), par=par)
    brouillons.ajouter_palier(neuve, Nature.AVANT_ECHEANCE)
    ecart = comparer(VersionEchelle.objects.get(pk=neuve.pk), au=MARDI)
    assert (ecart.changes, ecart.envois_avant, ecart.envois_apres) == (1, 0, 1)


def test_seuls_les_clients_du_plan_se_comparent(societe, par, doux):
    """Le client d'un autre plan, ou d'un autre droit, n'entre dans aucun compte."""
    ailleurs = EcheanceFactory(societe=societe, echue_le=MARDI - timedelta(days=6))
    plans_societe.affecter(ailleurs.client, doux, par=par)
    EcheanceFactory(societe=societe, echue_le=MARDI - timedelta(days=6))
    assert comparer(nouveau_brouillon(plan(societe), par=par), au=MARDI).clients == 1
    assert comparer(nouveau_brouillon(doux, par=par), au=MARDI).clients == 1
    assert comparer(nouveau_brouillon(plan(societe, "particulier"), par=par), au=MARDI).clients == 0


def test_deux_versions_quelconques_se_comparent(societe, par):
    echelle = plan(societe)
    v1 = version(echelle)
    EcheanceFactory(societe=societe, echue_le=MARDI - timedelta(days=6))
    neuve = nouveau_brouillon(echelle, par=par)
    neuve.paliers.filter(nature=Nature.RAPPEL_COURTOIS).update(delai=9)
    publier(neuve, par=par, note="plus tard")
    lues = [VersionEchelle.objects.get(pk=v.pk) for v in (v1, neuve)]
    assert comparer(lues[1], au=MARDI, avant=lues[0], reprise="toutes").plus_tard == 1
    assert comparer(lues[0], au=MARDI, avant=lues[1], reprise="toutes").plus_tot == 1
    assert comparer(lues[1], au=MARDI).changes == 0


def test_la_comparaison_reprend_ou_elle_s_est_arretee(societe, par, monkeypatch):
    """Par tranches de deux clients, puis d'un coup : les mêmes chiffres."""
    for n in range(5):
        EcheanceFactory(societe=societe, echue_le=MARDI - timedelta(days=6 + n))
    neuve = nouveau_brouillon(plan(societe), par=par)
    neuve.paliers.filter(nature=Nature.RAPPEL_COURTOIS).update(delai=11)
    essai = preparer(VersionEchelle.objects.get(pk=neuve.pk), au=MARDI)
    entier = poursuivre(essai)
    monkeypatch.setattr("relances.services.comparaison.TRANCHE", 2)
    ecart, pas = None, 0
    while ecart is None or not ecart.fini:
        ecart = poursuivre(essai, ecart and Ecart.depuis(ecart.en_dict()), secondes=0)
        pas += 1
    assert pas == 3
    assert ecart.en_dict() == entier.en_dict() | {"dernier": ecart.dernier}
    assert (ecart.clients, ecart.total, ecart.changes) == (5, 5, 5)


@pytest.mark.parametrize("nombre", [1, 12])
def test_une_tranche_a_un_nombre_de_requetes_fixe(societe, par, nombre, django_assert_max_num_queries):
    for _n in range(nombre):
        EcheanceFactory(societe=societe, echue_le=MARDI - timedelta(days=6))
    neuve = nouveau_brouillon(plan(societe), par=par)
    neuve.paliers.filter(nature=Nature.RAPPEL_COURTOIS).update(delai=9)
    neuve = VersionEchelle.objects.get(pk=neuve.pk)
    with django_assert_max_num_queries(34):
        comparer(neuve, au=MARDI)


@pytest.mark.parametrize("type_", ["entreprise", "a_qualifier"])
def test_une_piece_au_plan_particulier_dort_jusqu_a_ce_que_ce_plan_change(societe, par, doux, type_):
    """La nuit au repos ne la relit pas ; rendue au plan de son type, elle se rejuge."""
    client = ClientFactory(societe=societe, type=type_)
    EcheanceFactory(client=client, echue_le=MARDI - timedelta(days=3))
    plans_societe.affecter(client, doux, par=par)
    relancer(societe, au=MARDI, passage=ouvrir_passage(societe, au=MARDI, genre="rejoue"))
    assert Verdict.objects.get().version == version(doux).pk
    assert not candidates(societe, plans_publies(societe), au=MARDI).exists()
    plans_societe.affecter(client, None, par=par)
    assert candidates(societe, plans_publies(societe), au=MARDI).exists()


def test_un_client_qui_change_de_droit_quitte_le_plan_particulier(societe, par, doux):
    client = ClientFactory(societe=societe)
    EcheanceFactory(client=client, echue_le=MARDI - timedelta(days=3))
    plans_societe.affecter(client, doux, par=par)
    relancer(societe, au=MARDI, passage=ouvrir_passage(societe, au=MARDI, genre="rejoue"))
    type(client).objects.filter(pk=client.pk).update(type="particulier")
    EcheanceFactory(client=ClientFactory(societe=societe), echue_le=MARDI - timedelta(days=3))
    plans_societe.affecter(ClientFactory(societe=societe), doux, par=par)
    assert candidates(societe, plans_publies(societe), au=MARDI).filter(client=client).exists()


def test_la_requete_de_la_nuit_ne_grandit_pas_avec_les_clients_affectes(societe, par, doux, django_assert_num_queries):
    """PostgreSQL refuse au-delà de 65 535 paramètres : une affectation n'en ajoute aucun."""

    def parametres():
        with django_assert_num_queries(1):
            list(candidates(societe, plans, au=MARDI))
        return len(candidates(societe, plans, au=MARDI).query.sql_with_params()[1])

    tailles = []
    for n in (1, 9):
        for client in [ClientFactory(societe=societe) for _ in range(n)]:
            plans_societe.affecter(client, doux, par=par)
        plans = plans_publies(societe)
        tailles.append(parametres())
    assert tailles[0] == tailles[1]
