"""Ce que le débiteur déclare : borné, écrit une fois, sans effet caché, et conclu quand l'argent est là."""

from datetime import timedelta
from decimal import Decimal

import pytest
from django.core.exceptions import ValidationError
from django.utils import translation

from clients.models import Document
from factures.models import EchangeLitige, Encaissement, Litige, Promesse
from recouvrement.journal.models import Maillon
from relances.models import Declaration, Message, ReglageReponses, Tache
from relances.services import declarations_portail as portail
from relances.services import declarations_portail_suites as suites
from tests.clients.factories import ClientFactory
from tests.factures.factories import EcheanceFactory, EncaissementFactory, ImputationFactory, PromesseFactory

from .declarants import AU, MOMENT, depot, monde

pytestmark = pytest.mark.django_db
PNG = bytes.fromhex(
    "89504e470d0a1a0a0000000d49484452000000010000000108060000001f15c4890000000d49444154789c6360606060000000050001"
    "a5f645400000000049454e44ae426082"
)  # fmt: skip


@pytest.fixture
def m():
    return monde()


def payer(m, cle="a", **champs):
    base = {"pieces": [m.pieces[0].pk], "montant": Decimal(1000), "le": AU, "moyen": "virement", "moment": MOMENT}
    return portail.declarer_paiement(m.lien, champs.pop("depot", None) or depot(cle), **base | champs)


def contester(m, cle="a", **champs):
    base = {"pieces": [m.pieces[0].pk], "categorie": "prix", "montant": Decimal(300), "moment": MOMENT}
    return portail.contester(m.lien, champs.pop("depot", None) or depot(cle, texte="Remise oubliée"), **base | champs)


def promettre(m, cle="a", **champs):
    base = {
        "pieces": [m.pieces[0].pk], "montant": Decimal(1000), "pour_le": AU + timedelta(days=10), "moment": MOMENT,
    }  # fmt: skip
    return portail.promettre_de_payer(m.lien, depot(cle), **base | champs)


def delai(m, cle="a", **champs):
    base = {
        "pieces": [p.pk for p in m.pieces[:2]], "nombre": 4, "premiere": AU + timedelta(days=25), "moment": MOMENT,
    }  # fmt: skip
    return portail.demander_un_delai(m.lien, depot(cle), **base | champs)


# --- J'ai payé ------------------------------------------------------------------------------


def test_j_ai_paye_retient_et_n_ecrit_aucun_paiement(m):
    d = payer(m, depot=depot("a", fichiers=[(PNG, "ordre.png")]))

    assert d.statut == "a_traiter" and d.retient_jusqu_au == AU + timedelta(days=5)  # trois jours ouvrés
    assert not Encaissement.objects.exists()
    m.pieces[0].refresh_from_db()
    assert m.pieces[0].reste_du == 1000
    document = d.documents.get()
    assert (document.origine, document.type_mime) == (Document.Origine.PORTAIL, "image/png")
    tache = Tache.objects.get()
    assert (tache.genre, tache.due_le) == ("declaration", AU + timedelta(days=3))
    assert m.pieces[0].facture.numero in tache.raison
    accuse = Message.objects.get()
    assert (accuse.genre, accuse.destinataire) == ("declaration", m.client.courriel)
    assert "1\xa0000,00\xa0€ le 20/11/2026" in accuse.texte
    assert Maillon.objects.filter(action="declaration.faite", client_id=m.client.pk).count() == 1


def test_le_formulaire_renvoye_deux_fois_n_ecrit_qu_une_declaration(m):
    assert payer(m).pk == payer(m).pk
    assert Declaration.objects.count() == Tache.objects.count() == Message.objects.count() == 1


@pytest.mark.parametrize(
    ("champs", "champ"),
    [
        ({"le": AU + timedelta(days=1)}, "le"),
        ({"le": AU - timedelta(days=400)}, "le"),
        ({"montant": Decimal(0)}, "montant"),
        ({"pieces": []}, "pieces"),
        ({"pieces": [10**9]}, "pieces"),
    ],
)
def test_j_ai_paye_se_refuse_hors_du_sens(m, champs, champ):
    with pytest.raises(ValidationError) as refus:
        payer(m, **champs)
    assert champ in refus.value.message_dict
    assert not Declaration.objects.exists()


def test_la_piece_d_un_voisin_ne_se_declare_pas(m):
    voisine = EcheanceFactory(client=ClientFactory(societe=m.societe), echue_le=AU)
    with pytest.raises(ValidationError):
        payer(m, pieces=[voisine.pk])
    with pytest.raises(ValidationError):
        payer(m, pieces=[m.pieces[0].pk, voisine.pk])
    assert not Declaration.objects.exists()


def test_dix_declarations_par_jour_et_par_client(m):
    for n in range(10):
        payer(m, cle=str(n))
    with pytest.raises(ValidationError, match="10 fois"):
        payer(m, cle="onze")
    assert payer(m, cle="3").pk  # renvoyer un ancien formulaire rend ce qui est écrit
    assert payer(m, cle="demain", moment=MOMENT + timedelta(days=1)).pk


@pytest.mark.parametrize(
    ("fichiers", "motif"),
    [
        ([(b"MZ\x90", "preuve.pdf")], "preuve.pdf"),
        ([(b"<html>", "a.png")], "a.png"),
        ([(PNG, "facture.pdf")], "facture.pdf"),
        ([(PNG, f"{n}.png") for n in range(6)], "5 fichiers"),
        ([(b"%PDF-" + b"0" * 16_000_000, "gros.pdf"), (b"%PDF-" + b"1" * 16_000_000, "b.pdf")], "30 Mo"),
    ],
)
def test_un_fichier_qui_ment_ou_trop_gros_ne_laisse_rien(m, fichiers, motif):
    with pytest.raises(ValidationError) as refus:
        payer(m, depot=depot("a", fichiers=fichiers))
    assert motif in refus.value.message_dict["fichiers"][0]
    assert not Declaration.objects.exists() and not Document.objects.exists() and not Tache.objects.exists()


def test_l_argent_arrive_conclut_la_declaration(m):
    d = payer(m)
    assert suites.conclure_declarations(m.societe, au=AU) == 0
    EncaissementFactory(client=m.client, montant=1000, date=AU + timedelta(days=3))
    assert suites.conclure_declarations(m.societe, au=AU + timedelta(days=3)) == 1

    d.refresh_from_db()
    assert (d.statut, d.decision, d.retient_jusqu_au) == ("acceptee", "Paiement reçu", None)
    assert not Tache.objects.filter(faite_le=None).exists()
    assert suites.conclure_declarations(m.societe, au=AU + timedelta(days=3)) == 0  # rejouable


def test_la_piece_soldee_par_un_virement_groupe_conclut_aussi(m):
    d = payer(m)
    ImputationFactory(echeance=m.pieces[0], montant=1000, date=AU - timedelta(days=30))
    assert suites.conclure_declarations(m.societe, au=AU) == 1
    d.refresh_from_db()
    assert d.statut == "acceptee"


def test_conclure_lit_en_un_nombre_fixe_de_requetes(m, django_assert_num_queries):
    payer(m)
    with django_assert_num_queries(3):
        suites.conclure_declarations(m.societe, au=AU)
    for n in range(6):
        payer(m, cle=str(n))
    with django_assert_num_queries(3):
        suites.conclure_declarations(m.societe, au=AU)


# --- Je conteste ----------------------------------------------------------------------------


def test_exigence_33_une_contestation_acceptee_ouvre_un_litige_prerempli(m):
    ReglageReponses.objects.create(societe=m.societe, retient_jours=10)
    d = contester(m, depot=depot("a", texte="Remise <b>oubliée</b>", fichiers=[(PNG, "mail.png")]))
    assert d.retient_jusqu_au == AU + timedelta(days=10) and not Litige.objects.exists()

    suites.accepter(d, au=AU, acteur=m.claire, mot="Nous regardons.")
    litige = Litige.objects.get()
    assert (litige.montant_conteste, litige.categorie, litige.responsable) == (300, "prix", m.claire)
    assert litige.description == "Remise <b>oubliée</b>"
    echange = EchangeLitige.objects.get()
    assert echange.sens == "recu" and echange.document == d.documents.get()
    d.refresh_from_db()
    assert (d.statut, d.litige, d.retient_jusqu_au) == ("acceptee", litige, None)
    assert Message.objects.filter(texte__contains="Nous regardons.").count() == 1
    assert suites.accepter(d, au=AU, acteur=m.claire).litige == litige  # double clic
    assert Litige.objects.count() == 1


def test_plusieurs_pieces_se_contestent_en_entier(m):
    deux = [p.pk for p in m.pieces[:2]]
    with pytest.raises(ValidationError):
        contester(m, pieces=deux, montant=Decimal(300))
    d = contester(m, pieces=deux, montant=None)
    assert d.montant == 1600
    suites.accepter(d, au=AU, acteur=m.claire)
    assert sorted(Litige.objects.values_list("montant_conteste", flat=True)) == [600, 1000]


@pytest.mark.parametrize(
    "champs",
    [
        {"montant": Decimal("1000.01")}, {"montant": Decimal(0)}, {"categorie": "a_verifier"}, {"categorie": "x"},
        {"depot": depot("a", texte=" \x00 ")},
    ],
)  # fmt: skip
def test_une_contestation_hors_du_sens_se_refuse(m, champs):
    with pytest.raises(ValidationError):
        contester(m, **champs)
    assert not Declaration.objects.exists()


def test_une_piece_deja_contestee_ne_l_est_pas_deux_fois(m):
    suites.accepter(contester(m), au=AU, acteur=m.claire)
    with pytest.raises(ValidationError, match="déjà contestée"):
        contester(m, cle="b")


def test_la_piece_payee_entre_temps_ne_fait_pas_de_litige(m):
    d = contester(m)
    ImputationFactory(echeance=m.pieces[0], montant=1000, date=AU)
    with pytest.raises(ValidationError, match="soldées"):
        suites.accepter(d, au=AU, acteur=m.claire)
    assert not Litige.objects.exists()


# --- Je paierai le… -------------------------------------------------------------------------


def test_exigence_31_dans_les_bornes_la_promesse_vaut_tout_de_suite(m):
    d = promettre(m)
    promesse = Promesse.objects.get()
    assert (d.statut, d.promesse, promesse.montant, promesse.auteur) == ("acceptee", promesse, 1000, None)
    assert not Tache.objects.exists()
    assert "engagez" in Message.objects.get().texte


@pytest.mark.parametrize(
    "champs",
    [
        {"pour_le": AU + timedelta(days=45)}, {"montant": Decimal(100)},
        {"montant": Decimal(600), "pour_le": AU + timedelta(days=20)},
    ],
)  # fmt: skip
def test_hors_bornes_une_personne_l_examine_puis_la_note(m, champs):
    d = promettre(m, **champs)
    assert d.statut == "a_traiter" and not Promesse.objects.exists()
    assert "n'accorde rien encore" in Message.objects.get().texte
    suites.accepter(d, au=AU, acteur=m.claire)
    assert Promesse.objects.get().date_promise == d.jour


def test_jamais_deux_promesses_vivantes_sur_une_piece(m):
    promettre(m)
    d = promettre(m, cle="b", pour_le=AU + timedelta(days=12))
    assert (d.statut, d.categorie) == ("a_traiter", "deja_promis")
    assert Promesse.objects.en_attente().count() == 1
    suites.accepter(d, au=AU, acteur=m.claire)  # une personne l'accepte : la première est remplacée
    assert Promesse.objects.en_attente().get().date_promise == AU + timedelta(days=12)


def test_une_promesse_rompue_depuis_peu_demande_une_personne(m):
    PromesseFactory(
        echeances=[m.pieces[0]],
        date_promise=AU - timedelta(days=20),
        statut="rompue",
        conclue_le=AU - timedelta(days=15),
    )
    assert promettre(m).categorie == "deja_rompue"


@pytest.mark.parametrize(
    "champs",
    [
        {"pour_le": AU - timedelta(days=1)}, {"pour_le": AU + timedelta(days=400)}, {"montant": Decimal("1000.01")},
        {"montant": Decimal(0)}, {"montant": Decimal(-5)},
    ],
)  # fmt: skip
def test_jamais_dans_le_passe_ni_au_dessus_de_la_dette(m, champs):
    with pytest.raises(ValidationError):
        promettre(m, **champs)
    assert not Declaration.objects.exists()


# --- J'ai besoin de temps -------------------------------------------------------------------


def test_un_delai_demande_n_accorde_rien(m):
    d = delai(m)
    assert (d.statut, d.montant, d.categorie) == ("a_traiter", 1600, "4")
    assert d.accord is None and "n'accorde rien encore" in Message.objects.get().texte
    with pytest.raises(ValidationError, match="déjà à l'examen"):
        delai(m, cle="b")


# --- Fermé, écarté, remis -------------------------------------------------------------------


def test_procedure_collective_et_contentieux_ferment_les_formulaires(m):
    m.client.jugement_ouverture_le = AU - timedelta(days=3)
    m.client.save()
    with pytest.raises(ValidationError, match="mandataire"):
        payer(m)
    m.client.jugement_ouverture_le, m.client.surendettement = None, True
    m.client.save()
    with pytest.raises(ValidationError, match="surendettement"):
        delai(m)
    m.client.surendettement = False
    m.client.save()
    for piece in m.pieces:
        piece.en_contentieux = True
        piece.save()
    with pytest.raises(ValidationError, match="contentieux"):
        promettre(m)
    assert not Declaration.objects.exists()


def test_ecarter_repond_au_client_et_se_defait(m):
    d = payer(m)
    with pytest.raises(ValidationError):
        suites.ecarter(d, mot="  ", acteur=m.claire)
    suites.ecarter(d, mot="Nous n'avons rien reçu.", acteur=m.claire)
    d.refresh_from_db()
    assert (d.statut, d.retient_jusqu_au) == ("ecartee", None)
    mot = Message.objects.get(texte__contains="rien reçu")
    assert not Tache.objects.filter(faite_le=None).exists()

    assert suites.remettre_a_traiter(d, au=AU, acteur=m.claire)
    mot.refresh_from_db()
    assert mot.statut == "annule" and Tache.objects.filter(faite_le=None).count() == 1
    assert not suites.remettre_a_traiter(d, au=AU, acteur=m.claire)


def test_accepter_j_ai_paye_laisse_une_verification(m):
    d = suites.accepter(payer(m), au=AU, acteur=m.claire)
    tache = Tache.objects.get(faite_le=None)
    assert tache.due_le == d.retient_jusqu_au and d.statut == "acceptee"


def test_la_tache_est_dans_la_langue_de_l_equipe_et_l_accuse_dans_celle_du_client():
    m = monde(langue="en")
    with translation.override("en"):
        payer(m)
    assert Tache.objects.get().titre.startswith("J'ai payé")
    assert Message.objects.get().langue == "en"


def test_html_et_droite_a_gauche_restent_du_texte(m):
    d = payer(m, depot=depot("a", nom="شركة \u202eالنور", texte="<script>alert(1)</script>"))
    assert d.nom == "شركة النور" and d.texte == "<script>alert(1)</script>"


@pytest.mark.parametrize("langue", ["fr", "en"])
def test_l_accuse_porte_les_mentions_du_creancier(langue):
    """C. com., R123-237 : toute correspondance écrite en son nom dit forme, capital, siège, SIREN et RCS."""
    m = monde(langue=langue)
    payer(m)
    texte = Message.objects.get().texte
    for dit in (m.societe.raison_sociale, "SIREN", "RCS", m.societe.ville):
        assert dit in texte
