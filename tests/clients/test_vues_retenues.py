"""Ce qui retient une pièce, vu de la fiche : exclusion datée (exigence 17), échéancier accepté (exigence 32)."""

from datetime import date, timedelta
from decimal import Decimal

import pytest
from django.db import connection
from django.test.utils import CaptureQueriesContext
from django.urls import reverse

from clients.views.registre import VOLETS
from clients.views.volets import Fiche
from factures.models import Echeancier, Exclusion
from factures.services.echeanciers import annuler_echeancier
from factures.services.exclusions import exclure
from recouvrement.comptes.models import Role
from recouvrement.journal.models import Maillon
from relances.services.gestes import relancer_maintenant
from tests.clients.factories import ClientFactory
from tests.comptes.factories import UtilisateurFactory
from tests.factures.factories import EcheanceFactory, EcheancierFactory, ExclusionFactory, PromesseFactory

pytestmark = pytest.mark.django_db


def texte(reponse) -> str:
    return reponse.content.decode().replace("\u00a0", " ").replace("\u202f", " ")


def fiche(client) -> str:
    return reverse("clients:fiche", args=[client.pk])


# --- Exclure ------------------------------------------------------------------------------------------


def test_exigence_17_exclure_une_piece_laisse_suivre_les_autres_et_la_reintegrer_la_rend(connecte, belcourt, au):
    piece = belcourt.echeances.order_by("date_echeance").first()
    fin = au + timedelta(14)
    saisie = {"echeance": piece.pk, "motif": "Avoir promis", "au": fin.isoformat()}
    connecte.post(reverse("clients:geste", args=[belcourt.pk, "exclure"]), saisie)
    exclusion = Exclusion.objects.get()
    assert (exclusion.echeance, exclusion.du, exclusion.au) == (piece, au, fin)

    page = texte(connecte.get(fiche(belcourt)))
    assert "Pièces exclues" in page
    assert "jusqu’au vendredi 04/12/2026 : Avoir promis" in page

    url = reverse("clients:reintegrer", args=[belcourt.pk, exclusion.pk])
    assert connecte.post(url).status_code == 303
    assert "Pièces exclues" not in texte(connecte.get(fiche(belcourt)))
    connecte.post(url)
    assert Maillon.objects.filter(action="piece.reintegree").count() == 1


def test_ce_que_l_exclusion_fera_se_lit_avant(connecte, belcourt, au):
    piece = belcourt.echeances.order_by("date_echeance").first()
    ExclusionFactory(echeance=piece, du=au, au=au + timedelta(3))
    effet = texte(
        connecte.get(
            reverse("clients:effet", args=[belcourt.pk, "exclure"]),
            {"echeance": piece.pk, "motif": "x", "au": (au + timedelta(14)).isoformat()},
        )
    )
    assert "ne se relance pas jusqu&#x27;au" in effet
    assert "Elle remplace l&#x27;exclusion qui court" in effet
    assert "Elle rentre seule le lundi 07/12/2026." in effet  # le 4 est un vendredi


def test_le_volet_d_exclusion_choisit_la_piece_de_l_adresse(connecte, belcourt):
    piece = belcourt.echeances.order_by("date_echeance").last()
    page = texte(connecte.get(fiche(belcourt), {"volet": "exclure", "piece": piece.pk}))
    assert f'<option value="{piece.pk}" selected>' in page


def test_l_exclusion_d_un_autre_client_est_introuvable(connecte, belcourt, au, societe, gestionnaire):
    autre = EcheanceFactory(client=ClientFactory(societe=societe, gestionnaire=gestionnaire))
    exclusion = ExclusionFactory(echeance=autre, du=au)
    assert connecte.post(reverse("clients:reintegrer", args=[belcourt.pk, exclusion.pk])).status_code == 404


def test_le_lecteur_voit_l_exclusion_sans_pouvoir_la_lever(client, belcourt, societe, au):
    ExclusionFactory(echeance=belcourt.echeances.first(), du=au)
    client.force_login(UtilisateurFactory(societe=societe, role=Role.LECTEUR))
    page = texte(client.get(fiche(belcourt)))
    assert "Avoir promis" in page
    assert "Réintégrer" not in page


# --- Échéancier ---------------------------------------------------------------------------------------


@pytest.fixture
def pieces(belcourt, au):
    """Deux pièces échues : 9 360 et 4 286,40 €."""
    return list(belcourt.echeances.order_by("date_echeance"))[:2]


@pytest.fixture
def accord(belcourt, pieces, au):
    """(adresse, paramètres de l'accord)."""
    params = {
        "pieces": [p.pk for p in pieces], "nombre": 3, "premiere": "2026-12-20", "accepte_le": au.isoformat(),
    }  # fmt: skip
    return reverse("clients:echeancier_nouveau", args=[belcourt.pk]), params


def mensualites(*termes, **champs) -> dict:
    saisie = {"m-TOTAL_FORMS": len(termes), "m-INITIAL_FORMS": len(termes)}
    for n, (jour, montant) in enumerate(termes):
        saisie |= {f"m-{n}-due_le": jour, f"m-{n}-montant": montant}
    return saisie | champs


def poster(navigateur, accord, saisie):
    url, params = accord
    return navigateur.post(url, saisie, query_params=params)


TROIS = (("2026-12-20", "4548.80"), ("2027-01-20", "4548.80"), ("2027-02-20", "4548.80"))


def test_la_proposition_partage_le_du_au_centime_et_dit_ce_que_l_accord_fera(connecte, accord):
    page = connecte.get(*accord)
    assert [f["montant"] for f in page.context["mensualites"].initial] == [Decimal("4548.80")] * 3
    lu = texte(page)
    assert "2 pièces se taisent tant que l&#x27;échéancier est tenu : 13 646,40 €" in lu
    assert "Sans clause de déchéance" in lu
    assert "Les pénalités continuent de courir, faute de clause" in lu
    assert "La promesse en attente est remplacée." in lu
    assert "vingt-quatre mois" not in lu
    assert not Echeancier.objects.exists()


def test_au_dela_de_vingt_quatre_mois_on_previent_sans_refuser(connecte, accord):
    """Article 1343-5 du code civil."""
    url, params = accord
    page = texte(connecte.get(url, params | {"nombre": 30}))
    assert "un juge n&#x27;irait pas au-delà" in page
    assert "Enregistrer l’échéancier" in page


def test_enregistrer_puis_suivre_puis_annuler(connecte, accord, belcourt, gestionnaire):
    reponse = poster(connecte, accord, mensualites(*TROIS))
    echeancier = Echeancier.objects.get()
    suivi = reverse("clients:echeancier", args=[belcourt.pk, echeancier.pk])
    assert (reponse.status_code, reponse.url) == (303, suivi)
    assert [m.due_le for m in echeancier.mensualites.all()] == [
        date(2026, 12, 20),
        date(2027, 1, 20),
        date(2027, 2, 20),
    ]

    page = texte(connecte.get(suivi))
    assert page.count("attendue") == 3
    assert "C. civ., art. 1305-4" in page
    assert "mensualités payées : 0 sur 3" in texte(connecte.get(fiche(belcourt)))

    annuler = reverse("clients:echeancier_annuler", args=[belcourt.pk, echeancier.pk])
    assert connecte.post(annuler, {"motif": ""}).status_code == 422
    assert connecte.post(annuler, {"motif": "Noté à tort"}).status_code == 303
    echeancier.refresh_from_db()
    assert (echeancier.statut, echeancier.motif) == ("annule", "Noté à tort")


def test_un_double_clic_n_enregistre_qu_un_accord(connecte, accord):
    for _clic in range(2):
        poster(connecte, accord, mensualites(*TROIS))
    assert Echeancier.objects.count() == 1


@pytest.mark.parametrize(
    ("saisie", "mot"),
    [
        (mensualites(*TROIS[:2]), "l&#x27;écart est de"),
        (mensualites(("2026-12-20", "13646,40"), ("2026-12-20", "0")), "supérieure ou égale"),
        (mensualites(("", ""), *TROIS), "obligatoire"),
        (mensualites(("2027-12-20", "6823.20"), ("2026-12-20", "6823.20")), "se suivent"),
        ({}, "ManagementForm"),
    ],
)
def test_une_saisie_refusee_revient_et_n_ecrit_rien(connecte, accord, saisie, mot):
    page = poster(connecte, accord, saisie)
    assert page.status_code == 422
    assert mot in texte(page)
    assert not Echeancier.objects.exists()


@pytest.mark.parametrize(
    "params",
    [{"nombre": "mille"}, {"nombre": 1}, {"nombre": 61}, {"premiere": "jamais"}, {"pieces": ["x"]}, {"pieces": []}],
)
def test_un_accord_illisible_ne_propose_rien(connecte, accord, params):
    url, base = accord
    page = connecte.get(url, base | params)
    assert page.status_code == 200
    assert page.context["mensualites"] is None


def test_deux_devises_ne_se_reunissent_pas(connecte, accord, belcourt, au):
    dollars = EcheanceFactory(client=belcourt, echue_le=au - timedelta(5), montant=500, devise="USD")
    url, params = accord
    page = connecte.get(url, params | {"pieces": [*params["pieces"], dollars.pk]})
    assert "deux devises" in texte(page)
    assert page.context["mensualites"] is None


def test_sans_piece_a_echelonner_l_ecran_le_dit(connecte, societe, gestionnaire):
    neuf = ClientFactory(societe=societe, gestionnaire=gestionnaire)
    assert "Aucune pièce à échelonner" in texte(connecte.get(reverse("clients:echeancier_nouveau", args=[neuf.pk])))


def test_une_piece_deja_echelonnee_n_est_plus_proposee(connecte, accord, pieces, au):
    EcheancierFactory(echeances=pieces, accepte_le=au)
    page = texte(connecte.get(accord[0]))
    assert pieces[0].facture.numero not in page


def test_la_mensualite_manquee_se_lit_et_la_suite_avec_elle(connecte, belcourt, pieces, au):
    rompu = EcheancierFactory(
        echeances=pieces, accepte_le=au - timedelta(60), premiere=au - timedelta(30), statut="rompu",
        motif="mensualité du 21/10/2026", conclu_le=au,
    )  # fmt: skip
    page = texte(connecte.get(reverse("clients:echeancier", args=[belcourt.pk, rompu.pk])))
    assert "manquée" in page
    assert "Sans clause, seules les mensualités échues sont exigibles" in page
    assert "Annuler l’échéancier" in page, "il lie encore : les parties peuvent le résoudre"
    Echeancier.objects.update(clause_decheance=True)
    page = texte(connecte.get(reverse("clients:echeancier", args=[belcourt.pk, rompu.pk])))
    assert "Annuler l’échéancier" not in page


def test_la_fiche_et_le_suivi_coutent_le_meme_prix_quel_que_soit_le_nombre(connecte, belcourt, au):
    def compter(url):
        with CaptureQueriesContext(connection) as requetes:
            assert connecte.get(url).status_code == 200
        return len(requetes)

    def ajouter(n):
        for _un in range(n):
            piece = EcheanceFactory(client=belcourt, echue_le=au - timedelta(40), montant=1000)
            ExclusionFactory(echeance=piece, du=au)
            autre = EcheanceFactory(client=belcourt, echue_le=au - timedelta(41), montant=1000)
            dernier = EcheancierFactory(echeances=[autre, piece], accepte_le=au, nombre=2 + n)
        return dernier

    premier = ajouter(1)
    suivi = reverse("clients:echeancier", args=[belcourt.pk, premier.pk])
    nouveau = reverse("clients:echeancier_nouveau", args=[belcourt.pk])
    avant = [compter(url) for url in (fiche(belcourt), suivi, nouveau)]
    plusieurs = ajouter(8)
    suivi = reverse("clients:echeancier", args=[belcourt.pk, plusieurs.pk])
    assert [compter(url) for url in (fiche(belcourt), suivi, nouveau)] == avant


def test_la_promesse_en_attente_se_montre_encore(connecte, belcourt, au):
    piece = EcheanceFactory(client=belcourt, echue_le=au - timedelta(5))
    PromesseFactory(echeances=[piece], date_promise=au + timedelta(3))
    assert "Promise pour le" in texte(connecte.get(fiche(belcourt)))


def test_la_chronologie_dit_l_exclusion_l_accord_et_sa_fin(connecte, belcourt, accord, pieces, gestionnaire, au):
    exclure(pieces[0], motif="Avoir promis", du=au, au=au + timedelta(4), acteur=gestionnaire)
    poster(connecte, accord, mensualites(*TROIS))
    annuler_echeancier(Echeancier.objects.get(), motif="Noté à tort", au=au, acteur=gestionnaire)
    faits = connecte.get(fiche(belcourt), {"o": "chronologie", "genre": "suivi"}).context["faits"]
    lus = {f.titre: f"{f.texte} · {f.preuve}" for f in faits}
    assert "jusqu'au 24/11/2026" in lus["Pièce exclue des relances"]
    assert "en 3 mensualités" in lus["Échéancier accepté"]
    assert "Noté à tort" in lus["Échéancier annulé"]


@pytest.mark.parametrize(("pieces", "attendu"), [(1, "s'annulera"), (2, "sans cette pièce")])
def test_exclure_une_piece_dit_ce_que_cela_fera_au_courrier_pret(societe, responsable, au, pieces, attendu):
    """Une mise en demeure préparée porte la pièce : elle se refera sans elle, ou s'annulera si elle n'a qu'elle."""
    client = ClientFactory(societe=societe)
    echeances = [EcheanceFactory(client=client, echue_le=au - timedelta(60 + n)) for n in range(pieces)]
    relancer_maintenant(client, par=responsable, au=au, derogation="silence")
    volet = VOLETS["exclure"](Fiche(client, au=au, user=responsable), {})
    fin = (au + timedelta(9)).isoformat()
    form = volet.formulaire({"echeance": echeances[0].pk, "motif": "accord", "au": fin})
    assert form.is_valid()

    assert attendu in " ".join(volet.effets(form))
