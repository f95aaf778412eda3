"""Statuts de la facture électronique notés à la main (droit.md § 12) : service, fiche, et la nuit qui les lit."""

from datetime import date, timedelta

import pytest
from django.core.exceptions import ValidationError
from django.db import connection
from django.test.utils import CaptureQueriesContext
from django.urls import reverse

from factures.domaine.statuts_fe import EFFETS, Effet, effet
from factures.donnees import statuts_fe
from factures.models import Facture, Litige
from factures.services.statuts_fe import Suite, noter_statut
from recouvrement.comptes.models import Role
from recouvrement.journal.models import Maillon
from recouvrement.journal.services import verifier_chaine
from relances.domaine import freins
from relances.models import Passage, Verdict
from relances.services import nuit
from tests.comptes.factories import UtilisateurFactory

from .factories import EcheanceFactory, FactureFactory

pytestmark = pytest.mark.django_db
MARDI, JOUR = date(2026, 2, 10), timedelta(days=1)
EMISE = date(2026, 1, 1)


@pytest.fixture
def piece():
    return EcheanceFactory(echue_le=EMISE + 30 * JOUR, date_facture=EMISE)


@pytest.fixture
def claire(piece):
    return UtilisateurFactory(role=Role.RESPONSABLE, societe=piece.societe)


@pytest.fixture
def noter(piece, claire):
    def noter(code, le, au=MARDI):
        return noter_statut(piece.facture, code=code, le=le, au=au, acteur=claire)

    return noter


def note(facture) -> tuple[str, date | None]:
    return Facture.objects.values_list("statut_fe", "statut_fe_le").get(pk=facture.pk)


def journal(facture) -> list[tuple[str, str]]:
    maillons = Maillon.objects.filter(objet_type="factures.facture", objet_id=facture.pk).order_by("rang")
    return list(maillons.values_list("action", "detail__texte"))


# --- La table --------------------------------------------------------------------------------------


def test_la_table_livree_dit_les_codes_et_leur_source():
    assert {"200", "205", "206", "207", "208", "210", "211", "212", "213", "501"} <= set(statuts_fe())
    assert (statuts_fe()["207"], statuts_fe()["210"]) == ("En litige", "Refusée")
    assert set(EFFETS) <= set(statuts_fe())


def test_l_effet_annonce_par_la_fiche_est_celui_des_freins_de_la_relance():
    par_effet = {de: {code for code in EFFETS if effet(code) is de} for de in Effet}
    assert par_effet[Effet.ARRETE] == set(freins.FE_ARRETENT)
    assert par_effet[Effet.RETIENT] == set(freins.FE_RETIENNENT)
    assert set(EFFETS) == freins.FE_SUIVIS
    assert all(effet(code) is Effet.INFORMATION for code in set(statuts_fe()) - freins.FE_SUIVIS | {"999"})


# --- Le service ------------------------------------------------------------------------------------


def test_noter_pose_le_statut_et_le_journal(piece, noter, claire):
    assert noter("207", MARDI - JOUR) is Suite.NOTE
    assert note(piece.facture) == ("207", MARDI - JOUR)
    assert journal(piece.facture) == [("facture.statut", f"{piece.facture} : statut 207, En litige")]
    maillon = Maillon.objects.get(action="facture.statut")
    assert (maillon.acteur, maillon.client_id) == (claire, piece.client_id)
    assert verifier_chaine().defauts == []


def test_redire_le_meme_statut_ne_change_rien(piece, noter):
    noter("207", MARDI)
    assert noter("207", MARDI) is Suite.DEJA
    assert len(journal(piece.facture)) == 1


def test_un_statut_plus_ancien_ne_remplace_pas_et_reste_au_journal_une_seule_fois(piece, noter):
    noter("210", MARDI)
    assert noter("203", MARDI - JOUR) is Suite.ANCIEN
    assert noter("203", MARDI - JOUR) is Suite.DEJA
    assert note(piece.facture) == ("210", MARDI)
    assert [action for action, _texte in journal(piece.facture)] == ["facture.statut", "facture.statut_ancien"]
    assert "10/02/2026, qui reste" in journal(piece.facture)[1][1]


def test_le_meme_jour_le_dernier_note_l_emporte(piece, noter):
    noter("210", MARDI)
    assert noter("205", MARDI) is Suite.NOTE
    assert note(piece.facture) == ("205", MARDI)


def test_un_statut_sans_date_cede_au_premier_note(piece, noter):
    Facture.objects.filter(pk=piece.facture_id).update(statut_fe="210")
    assert noter("205", EMISE) is Suite.NOTE


def test_un_code_inconnu_de_trois_chiffres_se_note_comme_information(piece, noter):
    assert noter("777", MARDI) is Suite.NOTE
    assert note(piece.facture) == ("777", MARDI)


@pytest.mark.parametrize("code", ["", "20", "2070", "2O7", "٢٠٧", "207\n1"])
def test_un_code_qui_n_a_pas_trois_chiffres_se_refuse(piece, noter, code):
    with pytest.raises(ValidationError, match="trois chiffres"):
        noter(code, MARDI)
    assert note(piece.facture) == ("", None) and not journal(piece.facture)


@pytest.mark.parametrize(("le", "permis"), [(EMISE - JOUR, False), (EMISE, True), (MARDI, True), (MARDI + JOUR, False)])
def test_le_jour_va_de_la_facture_a_aujourd_hui(noter, le, permis):
    if permis:
        assert noter("205", le) is Suite.NOTE
    else:
        with pytest.raises(ValidationError) as refus:
            noter("205", le)
        assert set(refus.value.message_dict) == {"le"}


@pytest.mark.parametrize("code", ["207", "210"])
def test_un_statut_qui_conteste_n_ouvre_aucun_litige(noter, code):
    noter(code, MARDI)
    assert not Litige.objects.exists()


# --- La fiche --------------------------------------------------------------------------------------


def fiche(client, facture) -> str:
    reponse = client.get(reverse("factures:fiche", args=[facture.pk]))
    texte = reponse.content.decode().replace("&#x27;", "'").replace("\u00a0", " ").replace("\u202f", " ")
    return texte.partition('<section id="statut-fe">')[2].partition("</section>")[0]


@pytest.mark.parametrize(
    ("code", "phrase", "litige"),
    [
        ("210", "Arrête la relance", True),
        ("213", "Arrête la relance", False),
        ("207", "Retient la relance", True),
        ("208", "Retient la relance", False),
        ("206", "À vérifier", True),
        ("211", "À vérifier", False),
        ("205", "ne change rien à la relance", False),
        ("999", "ne change rien à la relance", False),
    ],
)
def test_la_fiche_dit_le_statut_sa_date_son_effet_et_propose_le_litige(
    client, piece, claire, noter, code, phrase, litige
):
    noter(code, MARDI)
    client.force_login(claire)
    texte = fiche(client, piece.facture)
    assert code in texte and statuts_fe().get(code, "") in texte and "10/02/2026" in texte and phrase in texte
    assert (f"volet=litige&amp;piece={piece.pk}" in texte) is litige


def test_un_litige_deja_ouvert_ne_se_propose_plus_et_une_facture_soldee_ne_parle_pas_de_relance(client):
    contestee = EcheanceFactory(en_litige=True)
    soldee = EcheanceFactory(client=contestee.client, soldee=True)
    for e in (contestee, soldee):
        Facture.objects.filter(pk=e.facture_id).update(statut_fe="210", statut_fe_le=MARDI)
    client.force_login(UtilisateurFactory(role=Role.RESPONSABLE, societe=contestee.societe))
    assert "volet=litige" not in fiche(client, contestee.facture)
    texte = fiche(client, soldee.facture)
    assert "Refusée" in texte and "relance" not in texte and "volet=litige" not in texte


def test_sans_statut_la_fiche_le_dit(client, piece, claire):
    client.force_login(claire)
    assert "Aucun statut de plateforme noté" in fiche(client, piece.facture)


def test_le_lecteur_lit_le_statut_sans_formulaire_et_ne_note_rien(client, piece, noter):
    noter("207", MARDI)
    client.force_login(UtilisateurFactory(role=Role.LECTEUR, societe=piece.societe))
    texte = fiche(client, piece.facture)
    assert "En litige" in texte and "<form" not in texte and "volet=litige" not in texte
    url = reverse("factures:statut", args=[piece.facture_id])
    assert client.post(url, {"code": "205", "le": "2026-02-10"}).status_code == 403
    assert note(piece.facture) == ("207", MARDI)


def test_la_facture_d_un_autre_portefeuille_est_introuvable_et_le_geste_ne_se_lit_pas(client, piece):
    client.force_login(UtilisateurFactory(role=Role.GESTIONNAIRE, societe=piece.societe))
    url = reverse("factures:statut", args=[piece.facture_id])
    assert client.post(url, {"code": "205", "le": "2026-02-10"}).status_code == 404
    assert client.get(url).status_code == 405


@pytest.mark.parametrize(
    ("saisie", "dit"),
    [
        ({"code": "2x7", "le": "2026-02-10"}, "trois chiffres"),
        ({"code": "207", "le": "2025-12-31"}, "ne peut la précéder"),
        ({"code": "207", "le": ""}, "quel jour la plateforme"),
        ({"code": "207", "le": "hier"}, "quel jour la plateforme"),
        ({"code": "2077", "le": "2026-02-10"}, "trois chiffres"),
        ({}, "trois chiffres"),
    ],
)
def test_une_saisie_refusee_se_dit_et_ne_note_rien(client, piece, claire, saisie, dit):
    client.force_login(claire)
    reponse = client.post(reverse("factures:statut", args=[piece.facture_id]), saisie, follow=True)
    assert dit in reponse.content.decode() and note(piece.facture) == ("", None)


def test_l_ecran_dit_ce_que_noter_a_fait(client, piece, claire):
    client.force_login(claire)
    url = reverse("factures:statut", args=[piece.facture_id])

    def poster(code, le):
        return client.post(url, {"code": code, "le": le.isoformat()}, follow=True).content.decode()

    assert "Statut noté : 210, Refusée." in poster("210", MARDI)
    assert "déjà noté." in poster("210", MARDI)
    assert "reste au journal" in poster("203", MARDI - JOUR)


def test_la_fiche_ne_coute_pas_une_requete_de_plus_par_echeance(client, piece, claire, noter):
    noter("207", MARDI)
    client.force_login(claire)
    autre = FactureFactory(client=piece.client, montant_ttc=3000, statut_fe="207", statut_fe_le=MARDI)
    for rang in range(3):
        EcheanceFactory(facture=autre, echue_le=EMISE + (30 + rang) * JOUR)
    comptes = []
    for facture in (piece.facture, piece.facture, autre):  # la première chauffe les mémoires
        with CaptureQueriesContext(
            connection,
        ) as requetes:
            fiche(client, facture)
        comptes.append(sum("litige" in r["sql"].lower() or "statut_fe" in r["sql"] for r in requetes))
    assert comptes[1] == comptes[2]


# --- De bout en bout -------------------------------------------------------------------------------


def passer(societe, au):
    return nuit.relancer(societe, au=au, passage=nuit.ouvrir_passage(societe, au=au, genre=Passage.Genre.REJOUE))


@pytest.mark.parametrize(
    ("code", "motif", "detail"),
    [
        ("210", "fe_arretee", "refusée"),
        ("207", "fe_retenue", "en litige"),
        ("211", "fe_a_verifier", "paiement annoncé"),
    ],
)
def test_note_a_l_ecran_le_statut_retient_la_nuit_puis_l_approbation_fait_repartir(
    client, piece, claire, code, motif, detail
):
    client.force_login(claire)
    url = reverse("factures:statut", args=[piece.facture_id])
    client.post(url, {"code": code, "le": (MARDI - JOUR).isoformat()})
    assert passer(piece.societe, MARDI).retenues == {motif: 1}
    verdict = Verdict.objects.get(echeance=piece, au=None)
    assert verdict.code == motif and detail in verdict.detail and "09/02/2026" in verdict.detail
    client.post(url, {"code": "205", "le": MARDI.isoformat()})
    assert passer(piece.societe, MARDI + JOUR).decidees == 1
