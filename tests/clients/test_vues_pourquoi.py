"""« Pourquoi, pourquoi pas » : toute échéance, tout jour passé ; où agir ; un frein levé, à deux s'il le faut."""

from datetime import date, timedelta
from decimal import Decimal

import pytest
from django.db import connection
from django.test.utils import CaptureQueriesContext
from django.urls import reverse

from clients.models import TypeDebiteur
from factures.models import Exclusion
from recouvrement.comptes.models import Role
from recouvrement.journal.models import Maillon
from relances.models import Courrier, LeveeDeFrein, Tache, Verdict
from tests.clients.factories import ClientFactory, SuspensionFactory
from tests.comptes.factories import SocieteFactory, UtilisateurFactory
from tests.factures.factories import EcheanceFactory, EcheancierFactory, ExclusionFactory

pytestmark = pytest.mark.django_db


def texte(reponse) -> str:
    return reponse.content.decode().replace("\u00a0", " ").replace("\u202f", " ")


def fiche(client) -> str:
    return reverse("clients:fiche", args=[client.pk])


def lire(navigateur, client, **params):
    """{échéance: ligne} de l'onglet."""
    page = navigateur.get(fiche(client), {"o": "pourquoi"} | params)
    assert page.status_code == 200
    return {ligne.echeance.pk: ligne for ligne in page.context["expliquees"]}


@pytest.fixture
def debiteur(societe, gestionnaire, au):
    return ClientFactory(societe=societe, gestionnaire=gestionnaire)


@pytest.fixture
def piece(debiteur, au):
    return EcheanceFactory(client=debiteur, echue_le=au - timedelta(60))


@pytest.fixture
def pilote(client, responsable):
    client.force_login(responsable)
    return client


# --- Toute échéance, tout jour ------------------------------------------------------------------------


def test_une_piece_soldee_depuis_s_explique_a_la_date_ou_elle_etait_due(connecte, debiteur, au):
    soldee = EcheanceFactory(client=debiteur, echue_le=au - timedelta(60), soldee=au - timedelta(10))
    Verdict.objects.create(
        echeance=soldee, du=au - timedelta(59), au=au - timedelta(11), code="suspendue", detail="Foire"
    )
    alors = lire(connecte, debiteur, le=(au - timedelta(20)).isoformat())
    assert alors[soldee.pk].actuel.code == "suspendue"
    assert lire(connecte, debiteur) == {}
    seule = lire(connecte, debiteur, echeance=soldee.pk)[soldee.pk]
    assert "soldée le 10/11/2026" in seule.hors
    assert [v.code for v in seule.passes] == ["suspendue"]


def test_avant_sa_facture_une_piece_n_existait_pas(connecte, debiteur, au):
    piece = EcheanceFactory(client=debiteur, echue_le=au - timedelta(5), date_facture=au - timedelta(35))
    avant = lire(connecte, debiteur, echeance=piece.pk, le=(au - timedelta(36)).isoformat())
    assert "n'existait pas" in avant[piece.pk].hors
    le_jour = lire(connecte, debiteur, echeance=piece.pk, le=(au - timedelta(35)).isoformat())
    assert le_jour[piece.pk].hors == "échéance le 15/11/2026"


@pytest.mark.parametrize(("le", "mot"), [("hier", "ne se lit pas"), ("2999-01-01", "à venir"), ("", "")])
def test_une_date_refusee_se_dit(connecte, piece, debiteur, le, mot):
    page = connecte.get(fiche(debiteur), {"o": "pourquoi", "le": le})
    assert mot in page.context["ecart"]
    assert bool(page.context["ecart"]) is bool(mot)


def test_l_echeance_d_un_autre_client_ne_s_explique_pas_ici(connecte, debiteur, piece, societe, gestionnaire):
    ailleurs = EcheanceFactory(client=ClientFactory(societe=societe, gestionnaire=gestionnaire))
    assert lire(connecte, debiteur, echeance=ailleurs.pk) == {}


@pytest.mark.parametrize("demande", ["x", "-1", "9" * 30])
def test_une_echeance_illisible_montre_toutes_les_pieces(connecte, debiteur, piece, demande):
    assert list(lire(connecte, debiteur, echeance=demande)) == [piece.pk]


# --- Où agir ------------------------------------------------------------------------------------------


def test_chaque_retenue_dit_sa_fin_et_ou_agir(connecte, debiteur, piece, au):
    def geste():
        return lire(connecte, debiteur)[piece.pk].geste

    suspension = SuspensionFactory(client=debiteur, du=au)
    assert geste() == (fiche(debiteur), "Voir la suspension")
    suspension.delete()

    exclusion = ExclusionFactory(echeance=piece, du=au, au=au + timedelta(4), motif="Avoir promis")
    ligne = lire(connecte, debiteur)[piece.pk]
    assert ligne.geste[1] == "Réintégrer la pièce"
    assert "Avoir promis" in ligne.a_ce_jour
    exclusion.delete()

    echeancier = EcheancierFactory(echeances=[piece], accepte_le=au)
    assert geste()[0] == reverse("clients:echeancier", args=[debiteur.pk, echeancier.pk])
    echeancier.delete()

    type(debiteur).objects.filter(pk=debiteur.pk).update(type=TypeDebiteur.A_QUALIFIER)
    type(piece).objects.filter(pk=piece.pk).update(niveau=3, niveau_rang=2, niveau_le=au - timedelta(40))
    assert geste()[1] == "Préciser le type"


def test_un_lecteur_lit_la_raison_sans_geste_ni_levee(client, debiteur, piece, societe, au):
    SuspensionFactory(client=debiteur, du=au)
    client.force_login(UtilisateurFactory(societe=societe, role=Role.LECTEUR))
    assert lire(client, debiteur)[piece.pk].geste is None
    assert "Lever pour ce soir" not in texte(client.get(fiche(debiteur), {"o": "pourquoi"}))


# --- Lever un frein -----------------------------------------------------------------------------------


def lever(navigateur, piece, frein="suspendue", motif="Accord du directeur"):
    url = reverse("clients:frein_lever", args=[piece.client_id, piece.pk])
    return navigateur.post(url, {"frein": frein, "motif": motif}, follow=True)


def test_un_frein_levable_s_offre_et_se_leve_pour_ce_soir(pilote, debiteur, piece, au, responsable):
    SuspensionFactory(client=debiteur, du=au)
    assert "Lever pour ce soir" in texte(pilote.get(fiche(debiteur), {"o": "pourquoi"}))
    page = texte(lever(pilote, piece))
    levee = LeveeDeFrein.objects.get()
    assert (levee.pour_le, levee.demandee_par, levee.a_deux) == (au, responsable, False)
    assert "frein levé" in page
    assert "Accord du directeur" in page
    assert "Lever pour ce soir" not in page
    assert lire(pilote, debiteur)[piece.pk].a_ce_jour.startswith("rappel courtois au prochain passage")


def test_un_jour_chome_le_frein_se_leve_pour_le_passage_suivant(pilote, debiteur, piece, au, monkeypatch):
    samedi = au + timedelta(1)
    for module in ("clients.views.freins", "clients.views.fiche"):
        monkeypatch.setattr(f"{module}.aujourd_hui", lambda: samedi)
    SuspensionFactory(client=debiteur, du=au)
    assert "Lever pour le passage du lundi 23/11/2026" in texte(pilote.get(fiche(debiteur), {"o": "pourquoi"}))
    lever(pilote, piece)
    assert LeveeDeFrein.objects.get().pour_le == au + timedelta(3)


def test_au_dessus_du_seuil_une_seconde_personne_approuve(client, debiteur, societe, responsable, au):
    grosse = EcheanceFactory(client=debiteur, echue_le=au - timedelta(60), montant=Decimal("10000.01"))
    SuspensionFactory(client=debiteur, du=au)
    client.force_login(responsable)
    page = texte(lever(client, grosse))
    levee = LeveeDeFrein.objects.get()
    assert levee.a_deux
    assert "en attente d’une seconde personne" in page
    approuver = reverse("clients:levee_approuver", args=[debiteur.pk, levee.pk])
    assert approuver not in page, "qui demande n'approuve pas"
    assert "Une seconde personne doit approuver" in texte(client.post(approuver, follow=True))

    second = UtilisateurFactory(societe=societe, role=Role.RESPONSABLE)
    client.force_login(second)
    assert approuver in texte(client.get(fiche(debiteur), {"o": "pourquoi"}))
    client.post(approuver)
    client.post(approuver)
    levee.refresh_from_db()
    assert levee.approuvee_par == second
    assert Maillon.objects.filter(action="levee.approuvee").count() == 1


def test_annuler_la_levee_remet_le_frein(pilote, debiteur, piece, au):
    SuspensionFactory(client=debiteur, du=au)
    lever(pilote, piece)
    pilote.post(reverse("clients:levee_annuler", args=[debiteur.pk, LeveeDeFrein.objects.get().pk]))
    assert lire(pilote, debiteur)[piece.pk].frein == "suspendue"


def test_un_frein_de_droit_dit_pourquoi_il_ne_se_leve_pas(pilote, debiteur, piece, au):
    type(debiteur).objects.filter(pk=debiteur.pk).update(jugement_ouverture_le=au)
    page = texte(pilote.get(fiche(debiteur), {"o": "pourquoi"}))
    assert "Ce frein ne se lève pas : le jugement d&#x27;ouverture interdit" in page
    assert "Lever pour ce soir" not in page
    assert "ne se lève pas" in texte(lever(pilote, piece, frein="procedure"))
    assert not LeveeDeFrein.objects.exists()


def test_sans_motif_rien_ne_se_leve(pilote, debiteur, piece, au):
    SuspensionFactory(client=debiteur, du=au)
    assert "Dites pourquoi" in texte(lever(pilote, piece, motif=" "))
    assert not LeveeDeFrein.objects.exists()


def test_exigence_39_seul_qui_en_a_le_droit_leve(client, connecte, debiteur, piece, societe):
    assert lever(connecte, piece).status_code == 403
    etranger = UtilisateurFactory(societe=SocieteFactory(), role=Role.RESPONSABLE)
    client.force_login(etranger)
    assert lever(client, piece).status_code == 404


def test_l_onglet_coute_le_meme_prix_quel_que_soit_le_nombre(pilote, debiteur, piece, responsable, au):
    def compter():
        with CaptureQueriesContext(connection) as requetes:
            assert pilote.get(fiche(debiteur), {"o": "pourquoi"}).status_code == 200
        return len(requetes)

    def ajouter(n):
        for _un in range(n):
            e = EcheanceFactory(client=debiteur, echue_le=au - timedelta(50))
            LeveeDeFrein.objects.create(
                echeance=e, frein="suspendue", pour_le=au, motif="x", montant=1, demandee_par=responsable
            )
            Verdict.objects.create(echeance=e, du=au - timedelta(9), code="suspendue")

    SuspensionFactory(client=debiteur, du=au)
    ajouter(1)
    un = compter()
    ajouter(15)
    assert compter() == un


# --- Mise en demeure ou abandon ? (exigence 14) ---------------------------------------------------------


@pytest.fixture
def tache(debiteur, piece, au):
    """Les deux relances amiables faites : la nuit retient la pièce et demande."""
    debiteur.societe.max_amiables = 0
    debiteur.societe.save()
    Verdict.objects.create(echeance=piece, du=au, code="max_amiables", nature=4)
    return Tache.objects.create(
        societe=debiteur.societe, client=debiteur, genre=Tache.Genre.DECISION, titre="Mise en demeure ou abandon ?",
        due_le=au, cle="max_amiables",
    )  # fmt: skip


def url_decision(tache) -> str:
    return reverse("clients:decision", args=[tache.client_id, tache.pk])


def test_exigence_14_la_decision_montre_ses_pieces_et_ce_que_chaque_geste_ferait(connecte, tache, piece):
    page = texte(connecte.get(url_decision(tache)))
    assert piece.facture.numero in page
    assert "Recommandé" in page and "1 pièce" in page
    assert "La créance reste due" in page
    assert not Courrier.objects.exists()


def test_exigence_14_mettre_en_demeure_prepare_la_lettre_et_clot_la_tache(connecte, tache):
    saisie = {"choix": "demeure", "demeure-motif": "Silence depuis deux mois"}
    reponse = connecte.post(url_decision(tache), saisie)
    courrier = Courrier.objects.get()
    assert reponse.url == reverse("relances:courrier", args=[courrier.pk])
    assert (courrier.nature, courrier.statut, courrier.derogation) == (5, "a_valider", "Silence depuis deux mois")
    tache.refresh_from_db()
    assert tache.faite_le
    connecte.post(url_decision(tache), saisie)
    assert Courrier.objects.count() == 1, "un double clic ne prépare qu'une lettre"


def test_exigence_14_abandonner_ne_relance_plus_la_piece_et_la_laisse_due(connecte, tache, piece, gestionnaire, au):
    fin = date(2027, 6, 1)
    saisie = {"choix": "abandon", "abandon-motif": "Petite somme", "abandon-jusqu_au": fin.isoformat()}
    connecte.post(url_decision(tache), saisie)
    exclusion = Exclusion.objects.get()
    assert (exclusion.echeance, exclusion.du, exclusion.au, exclusion.auteur) == (piece, au, fin, gestionnaire)
    assert exclusion.motif == "Petite somme"
    piece.refresh_from_db()
    assert piece.reste_du == 1000
    tache.refresh_from_db()
    assert tache.faite_le
    assert "déjà prise" in texte(connecte.post(url_decision(tache), saisie, follow=True))
    assert Exclusion.objects.count() == 1


@pytest.mark.parametrize(
    "saisie",
    [
        {},
        {"choix": "autre"},
        {"choix": "demeure", "demeure-motif": " "},
        {"choix": "abandon", "abandon-motif": "", "abandon-jusqu_au": "2027-01-01"},
        {"choix": "abandon", "abandon-motif": "x", "abandon-jusqu_au": "2026-11-19"},
        {"choix": "abandon", "abandon-motif": "x", "abandon-jusqu_au": "2027-11-30"},
    ],
)
def test_une_decision_incomplete_revient_et_n_ecrit_rien(connecte, tache, saisie):
    assert connecte.post(url_decision(tache), saisie).status_code == 422
    tache.refresh_from_db()
    assert not tache.faite_le
    assert not Exclusion.objects.exists()
    assert not Courrier.objects.exists()


def test_une_administration_ne_se_met_pas_en_demeure_ainsi_et_l_ecran_le_dit(connecte, tache, debiteur):
    type(debiteur).objects.filter(pk=debiteur.pk).update(type=TypeDebiteur.ADMINISTRATION)
    page = connecte.get(url_decision(tache))
    if page.context["refus"]:
        assert "Préparer la mise en demeure" not in texte(page)


def test_une_tache_qui_n_est_pas_une_decision_est_introuvable(connecte, debiteur, au):
    appel = Tache.objects.create(
        societe=debiteur.societe, client=debiteur, genre=Tache.Genre.APPEL, titre="Appeler", due_le=au, cle="a"
    )
    assert connecte.get(url_decision(appel)).status_code == 404
