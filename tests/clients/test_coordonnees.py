"""« Ne pas appeler » (client, contact) et la nouvelle adresse après un retour du courrier."""

from dataclasses import replace
from datetime import date, timedelta

import pytest
from django.core.exceptions import ValidationError
from django.urls import reverse

from clients.models import Client
from recouvrement.comptes.models import Role
from recouvrement.journal.models import Maillon
from relances.domaine.echelle import SANS_APPEL, ClientFaits, Motif, Plan, Reglages, juger
from relances.domaine.natures import Canal, Nature, Reference
from relances.models import Courrier, Passage, Relance, Tache, Verdict
from relances.services import nuit, sans_appel
from relances.services.taches import prevenir_du_rejet
from tests.clients.factories import ClientFactory, ContactFactory
from tests.comptes.factories import UtilisateurFactory
from tests.contentieux.factories import CourrierEnvoyeFactory
from tests.factures.factories import EcheanceFactory, EncaissementFactory
from tests.relances.test_domaine_echelle import MARDI, PALIERS, PLAN, ouvre, piece

MUET = ClientFaits(1, "entreprise", (), canaux=frozenset(Canal), sans_appel=True)


def juge(jours, *, client=MUET, plan=PLAN, **champs):
    champs = {"nature": Nature.RAPPEL_COURTOIS, "rang": 1, "version": 1, "atteint_le": MARDI - timedelta(60)} | champs
    return juger(piece(jours, **champs), client, plan, au=MARDI, reglages=Reglages(), ouvre=ouvre)


# --- La règle, pure ------------------------------------------------------------------------------------


def test_l_appel_se_saute_et_la_suite_garde_son_jour():
    attend, part = juge(13), juge(21)

    assert (attend.motif, attend.palier.nature, attend.detail) == (Motif.ATTENTE, Nature.FORMALISATION, SANS_APPEL)
    assert attend.prochaine == ouvre(MARDI + timedelta(7))  # 20 jours après l'échéance, comme si l'appel avait eu lieu
    assert (part.motif, part.palier.nature, part.detail) == (Motif.RELANCEE, Nature.FORMALISATION, SANS_APPEL)


def test_sans_le_drapeau_l_appel_reste_du():
    assert juge(13, client=replace(MUET, sans_appel=False)).palier.nature is Nature.APPEL


def test_un_delai_compte_de_l_appel_court_du_jour_ou_il_aurait_eu_lieu():
    apres_l_appel = replace(PALIERS[2], reference=Reference.PRECEDENT, delai=8)
    plan = Plan(version=1, paliers=(*PALIERS[:2], apres_l_appel))

    assert juge(13, plan=plan).prochaine == ouvre(MARDI - timedelta(13) + timedelta(12 + 8))


def test_l_appel_dernier_du_plan_laisse_une_decision_humaine():
    assert juge(13, plan=Plan(version=1, paliers=PALIERS[:2])).motif is Motif.TERMINEE


# --- La base -------------------------------------------------------------------------------------------

base = pytest.mark.django_db


def passer(societe, au):
    passage = nuit.ouvrir_passage(societe, au=au, genre=Passage.Genre.REJOUE)
    return nuit.relancer(societe, au=au, passage=passage)


@pytest.fixture
def appele(societe, gestionnaire, au):
    """Son rappel est fait ; l'appel est dû aujourd'hui."""
    client = ClientFactory(societe=societe, gestionnaire=gestionnaire)
    EcheanceFactory(client=client, echue_le=au - timedelta(6))
    passer(societe, au - timedelta(1))
    Relance.objects.update(statut=Relance.Statut.ENVOYEE)
    return client


@base
def test_la_nuit_ne_cree_pas_de_tache_d_appel_et_le_verdict_le_dit(appele, societe, gestionnaire, au):
    sans_appel.ne_pas_appeler(appele, motif="Demandé par écrit", au=au, acteur=gestionnaire)
    passer(societe, au + timedelta(10))

    assert not Tache.objects.filter(client=appele, genre=Tache.Genre.APPEL).exists()
    verdict = Verdict.objects.get(echeance__client=appele, au=None)
    assert (verdict.nature, verdict.detail) == (Nature.FORMALISATION, SANS_APPEL)


@base
def test_la_lettre_qui_suit_l_appel_saute_dit_pourquoi(appele, societe, gestionnaire, au):
    sans_appel.ne_pas_appeler(appele, motif="Demandé par écrit", au=au, acteur=gestionnaire)
    passer(societe, date(2026, 12, 7))

    assert Relance.objects.get(echeance__client=appele, nature=Nature.FORMALISATION).raison == SANS_APPEL


@base
def test_poser_clot_les_taches_d_appel_et_lever_le_jour_meme_les_rouvre(appele, gestionnaire, au):
    tache = Tache.objects.create(
        societe=appele.societe, client=appele, genre=Tache.Genre.APPEL, titre="Appeler", due_le=au, cle="a"
    )
    assert sans_appel.ne_pas_appeler(appele, motif="Demandé", au=au, acteur=gestionnaire) == 1
    assert sans_appel.ne_pas_appeler(appele, motif="Demandé", au=au, acteur=gestionnaire) == 0  # double clic
    tache.refresh_from_db()
    assert tache.faite_le and "Demandé" in tache.issue

    assert sans_appel.permettre_les_appels(appele, au=au, acteur=gestionnaire)
    assert not sans_appel.permettre_les_appels(appele, au=au, acteur=gestionnaire)
    tache.refresh_from_db()
    assert tache.faite_le is None
    actions = Maillon.objects.filter(client_id=appele.pk, action__startswith="client.").order_by("rang")
    assert list(actions.values_list("action", flat=True)) == ["client.ne_pas_appeler", "client.appels_permis"]


@base
def test_le_motif_est_exige(appele, gestionnaire, au):
    with pytest.raises(ValidationError):
        sans_appel.ne_pas_appeler(appele, motif=" ", au=au, acteur=gestionnaire)


@base
def test_le_volet_pose_le_drapeau_la_fiche_le_dit_et_dix_secondes_pour_le_lever(connecte, appele):
    fiche = reverse("clients:fiche", args=[appele.pk])
    page = connecte.post(
        reverse("clients:geste", args=[appele.pk, "ne-pas-appeler"]), {"motif": "Demandé par écrit"}, follow=True
    )
    html = page.content.decode()
    lever = reverse("clients:appels_permettre", args=[appele.pk])

    assert f"annuler={lever}" in next(iter(page.context["messages"])).extra_tags
    assert "Ne pas appeler, depuis le" in html and "Demandé par écrit" in html
    assert "tel:" not in html and 'data-touche-nom="Appeler"' not in html
    assert "l&#x27;appel est sauté" in html
    connecte.post(lever)
    assert "Ne pas appeler, depuis le" not in connecte.get(fiche).content.decode()


@base
def test_sans_motif_le_volet_revient_avec_sa_faute(connecte, appele):
    page = connecte.post(reverse("clients:geste", args=[appele.pk, "ne-pas-appeler"]), {"motif": ""})

    assert page.status_code == 422
    assert Client.objects.get(pk=appele.pk).ne_pas_appeler_le is None


@base
def test_lever_n_est_ni_un_get_ni_au_voisin(client, connecte, appele, voisin, societe):
    url = reverse("clients:appels_permettre", args=[appele.pk])
    assert connecte.get(url).status_code == 405
    client.force_login(voisin)
    assert client.post(url).status_code == 404
    client.force_login(UtilisateurFactory(societe=societe, role=Role.LECTEUR))
    assert client.post(url).status_code == 403


@base
def test_un_contact_qu_on_n_appelle_pas_n_offre_pas_son_numero(connecte, appele):
    Client.objects.filter(pk=appele.pk).update(telephone="")
    ContactFactory(client=appele, nom="Nadia", telephone="04 65 71 01 42", ne_pas_appeler=True)
    html = connecte.get(reverse("clients:fiche", args=[appele.pk]), {"o": "contacts"}).content.decode()

    assert "04 65 71 01 42" in html and "tel:04" not in html
    assert "ne pas appeler" in html


# --- Nouvelle adresse ------------------------------------------------------------------------------------


@pytest.fixture
def revenu(belcourt, au):
    """Un recommandé revenu NPAI : l'adresse est en erreur, la relance aussi."""
    echeance = belcourt.echeances.order_by("date_echeance").first()
    courrier = CourrierEnvoyeFactory([echeance], nature=5)
    Courrier.objects.filter(pk=courrier.pk).update(
        canal="recommande", statut="en_erreur", retour="npai", retour_le=au - timedelta(1)
    )
    courrier.relances.update(statut=Relance.Statut.EN_ERREUR)
    Client.objects.filter(pk=belcourt.pk).update(adresse_invalide_le=au - timedelta(1))
    Tache.objects.create(
        societe=belcourt.societe, client=belcourt, genre="sans_adresse", titre="Trouver l'adresse", due_le=au,
        cle=f"npai:{courrier.pk}",
    )  # fmt: skip
    belcourt.refresh_from_db()
    return courrier


def adresse(client, **champs):
    return {
        "version": client.version, "adresse": "12 quai Rambaud", "code_postal": "69002", "ville": "Lyon", "pays": "FR",
    } | champs  # fmt: skip


@base
def test_d_un_trait_l_adresse_l_erreur_levee_et_la_lettre_remise(connecte, belcourt, revenu):
    fiche = connecte.get(reverse("clients:fiche", args=[belcourt.pk]), {"volet": "nouvelle-adresse"})
    assert "revenu le 19/11/2026" in fiche.content.decode().replace("\u00a0", " ")
    page = connecte.post(
        reverse("clients:geste", args=[belcourt.pk, "nouvelle-adresse"]), adresse(belcourt, remettre=[revenu.pk]),
        follow=True,
    )  # fmt: skip
    belcourt.refresh_from_db()
    revenu.refresh_from_db()

    assert "1 courrier repart" in " ".join(str(m) for m in page.context["messages"])
    assert (belcourt.adresse, belcourt.adresse_invalide_le) == ("12 quai Rambaud", None)
    assert (revenu.statut, revenu.retour) == ("a_envoyer", "")
    assert Tache.objects.get(cle=f"npai:{revenu.pk}").issue == "nouvelle adresse"
    assert Maillon.objects.filter(action="client.nouvelle_adresse").count() == 1


@base
def test_sans_cocher_la_lettre_reste_en_erreur(connecte, belcourt, revenu):
    connecte.post(reverse("clients:geste", args=[belcourt.pk, "nouvelle-adresse"]), adresse(belcourt))
    revenu.refresh_from_db()

    assert revenu.statut == "en_erreur"


@base
def test_la_meme_adresse_est_refusee_et_rien_n_est_ecrit(connecte, belcourt, revenu):
    meme = adresse(belcourt, adresse=belcourt.adresse, code_postal=belcourt.code_postal, ville=belcourt.ville)
    page = connecte.post(reverse("clients:geste", args=[belcourt.pk, "nouvelle-adresse"]), meme)

    assert page.status_code == 422 and "écrivez la nouvelle" in page.content.decode()
    assert Client.objects.get(pk=belcourt.pk).adresse_invalide_le


@base
def test_un_formulaire_perime_ne_remet_rien(connecte, belcourt, revenu):
    Client.objects.filter(pk=belcourt.pk).update(version=9)
    page = connecte.post(
        reverse("clients:geste", args=[belcourt.pk, "nouvelle-adresse"]), adresse(belcourt, remettre=[revenu.pk])
    )
    revenu.refresh_from_db()

    assert page.status_code == 422
    assert revenu.statut == "en_erreur"


@base
def test_le_courrier_d_un_autre_client_ne_se_remet_pas_d_ici(connecte, belcourt, revenu, societe, gestionnaire):
    autre = ClientFactory(societe=societe, gestionnaire=gestionnaire)
    page = connecte.post(
        reverse("clients:geste", args=[autre.pk, "nouvelle-adresse"]), adresse(autre, remettre=[revenu.pk])
    )
    revenu.refresh_from_db()

    assert page.status_code in (303, 422)
    assert revenu.statut == "en_erreur"


@base
def test_le_volet_d_appel_ne_donne_plus_de_numero_et_dit_pourquoi(client, appele, gestionnaire, au):
    """Seul un appel reçu se note ; un contact qu'on n'appelle plus n'a pas de numéro non plus."""
    ContactFactory(client=appele, nom="Nadia", telephone="04 65 71 01 42", ne_pas_appeler=True)
    ContactFactory(client=appele, nom="Marc", telephone="04 65 71 01 43")
    client.force_login(gestionnaire)
    url = f"/clients/{appele.pk}/?volet=appel"
    html = client.get(url, headers={"HX-Request": "true", "HX-Target": "volet"}).content.decode()
    assert "tel:0465710143" in html and "tel:0465710142" not in html
    sans_appel.ne_pas_appeler(appele, motif="Demandé par écrit", au=au, acteur=gestionnaire)
    html = client.get(url, headers={"HX-Request": "true", "HX-Target": "volet"}).content.decode()
    assert "tel:" not in html and "Demandé par écrit" in html


@base
def test_un_paiement_rejete_ouvre_une_tache_qui_n_est_pas_un_appel(appele, gestionnaire, au):
    """La tâche se fait par écrit : le client ne veut plus d'appel."""
    sans_appel.ne_pas_appeler(appele, motif="Demandé par écrit", au=au, acteur=gestionnaire)
    repris = EncaissementFactory(client=Client.objects.get(pk=appele.pk))
    repris.rejete_le = au  # seul ce jour se lit
    prevenir_du_rejet(repris, motif="provision", frais=None, au=au)
    assert Tache.objects.get(client=appele, faite_le=None).genre == Tache.Genre.AUTRE
