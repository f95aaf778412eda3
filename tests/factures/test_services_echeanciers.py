"""Échéancier accepté : pris, tenu, rompu (exigence 32, droit.md § 9, art. 1305-4 C. civ.)."""

from datetime import date, timedelta
from decimal import Decimal

import pytest
from django.core.exceptions import ValidationError

from factures import services as compte
from factures.domaine.mensualites import Etat
from factures.models import Echeancier
from factures.services import echeanciers
from recouvrement.journal.models import Maillon
from relances.models import Tache
from relances.services.echeanciers import conclure_echeanciers
from tests.clients.factories import ClientFactory
from tests.comptes.factories import UtilisateurFactory

from .factories import AvoirFactory, EcheanceFactory, EncaissementFactory, ImputationFactory, PromesseFactory

pytestmark = pytest.mark.django_db
AU = date(2026, 11, 20)
DATES = [date(2026, 12, 4), date(2027, 1, 4), date(2027, 2, 4)]  # vendredi, lundi, jeudi
LIMITE = date(2026, 12, 8)  # vendredi + 2 jours ouvrés
S = Echeancier.Statut


@pytest.fixture
def belcourt():
    return ClientFactory()


@pytest.fixture
def pieces(belcourt):
    return [EcheanceFactory(client=belcourt, montant=m) for m in (600, 300)]


@pytest.fixture
def claire(belcourt):
    return UtilisateurFactory(societe=belcourt.societe)


@pytest.fixture
def accepter(belcourt, pieces, claire):
    def accepter(**champs):
        base = {
            "echeances": pieces, "mensualites": [(j, Decimal(300)) for j in DATES], "accepte_le": AU,
            "clause_decheance": False, "au": AU, "acteur": claire,
        }  # fmt: skip
        return echeanciers.accepter(belcourt, **base | champs)

    return accepter


def payer(piece, montant, le, affecte_le=None):
    encaissement = EncaissementFactory(client=piece.client, montant=montant, date=le)
    ImputationFactory(echeance=piece, encaissement=encaissement, montant=montant, date=affecte_le or le)


def conclure(echeancier, au):
    conclure_echeanciers(echeancier.client.societe, au=au)
    echeancier.refresh_from_db()
    return echeancier.statut


def test_un_accord_note_ses_pieces_ses_mensualites_et_ce_qui_etait_du(accepter, pieces, claire):
    echeancier = accepter(clause_decheance=True)
    assert set(echeancier.echeances.all()) == set(pieces)
    assert [(m.rang, m.due_le, m.montant) for m in echeancier.mensualites.all()] == [
        (n, j, 300) for n, j in enumerate(DATES, 1)
    ]
    assert (echeancier.du_a_l_accord, echeancier.clause_decheance, echeancier.auteur) == (900, True, claire)
    assert Maillon.objects.filter(action="echeancier.accepte").count() == 1


def test_un_double_clic_ne_note_qu_un_accord(accepter):
    assert accepter() == accepter()
    assert Echeancier.objects.count() == 1
    assert Maillon.objects.filter(action="echeancier.accepte").count() == 1


@pytest.mark.parametrize(
    ("mensualites", "mot"),
    [
        ([(DATES[0], 300), (DATES[1], 599)], "écart"),
        ([(DATES[0], 300), (DATES[1], 601)], "écart"),
        ([(DATES[1], 300), (DATES[0], 600)], "se suivent"),
        ([(DATES[0], 300), (DATES[0], 600)], "se suivent"),
        ([(AU, 300), (DATES[0], 600)], "après l'accord"),
        ([(DATES[0], 900)], "promesse"),
        ([(DATES[0], 0), (DATES[1], 900)], "positif"),
        ([(DATES[0], -100), (DATES[1], 1000)], "positif"),
        ([], "promesse"),
    ],
)
def test_un_calendrier_qui_ne_tient_pas_est_refuse(accepter, mensualites, mot):
    with pytest.raises(ValidationError) as refus:
        accepter(mensualites=[(j, Decimal(m)) for j, m in mensualites])
    assert mot in " ".join(refus.value.messages)
    assert not Echeancier.objects.exists()


def test_plus_de_vingt_quatre_mois_n_est_pas_refuse(accepter):
    """Article 1343-5 du code civil : les deux ans bornent le juge, pas les parties."""
    assert accepter(mensualites=[(DATES[0], Decimal(450)), (date(2030, 1, 4), Decimal(450))])


def test_un_accord_a_venir_ou_dont_une_mensualite_est_passee_est_refuse(accepter):
    with pytest.raises(ValidationError, match="à venir"):
        accepter(accepte_le=AU + timedelta(1))
    with pytest.raises(ValidationError, match="déjà passée"):
        accepter(
            accepte_le=AU - timedelta(30), mensualites=[(AU - timedelta(1), Decimal(450)), (DATES[0], Decimal(450))]
        )


def test_une_piece_n_est_que_dans_un_echeancier_en_cours(accepter, pieces):
    accepter()
    with pytest.raises(ValidationError, match="déjà dans"):
        accepter(echeances=pieces[:1], mensualites=[(j, Decimal(300)) for j in DATES[:2]])


@pytest.mark.parametrize(
    "piece", [{"en_contentieux": True}, {"soldee": True}, {"devise": "USD"}, {"client": None}], ids=str
)
def test_contentieux_soldee_autre_devise_ou_autre_compte_n_entrent_pas(accepter, belcourt, pieces, piece):
    intruse = EcheanceFactory(**{"client": belcourt} | piece)
    with pytest.raises(ValidationError):
        accepter(echeances=[*pieces, intruse], mensualites=[(j, Decimal(950)) for j in DATES[:2]])


@pytest.mark.parametrize("champs", [{"jugement_ouverture_le": AU}, {"surendettement": True}], ids=str)
def test_procedure_collective_et_surendettement_interdisent_d_echelonner(accepter, belcourt, champs):
    """C. com., art. L622-7 ; C. consom., art. L722-5."""
    type(belcourt).objects.filter(pk=belcourt.pk).update(**champs)
    with pytest.raises(ValidationError):
        accepter()


def test_l_accord_remplace_la_promesse_en_attente_sur_ses_pieces(accepter, pieces):
    promesse = PromesseFactory(echeances=pieces[:1], date_promise=AU + timedelta(5))
    accepter()
    promesse.refresh_from_db()
    assert promesse.statut == promesse.Statut.ANNULEE


@pytest.mark.parametrize(
    ("paye", "recu_le", "au", "attendu"),
    [
        (0, AU, LIMITE, S.EN_COURS),
        (0, AU, LIMITE + timedelta(1), S.ROMPU),
        (299, DATES[0], LIMITE + timedelta(1), S.ROMPU),
        (300, DATES[0], LIMITE + timedelta(1), S.EN_COURS),
        (300, LIMITE, LIMITE + timedelta(1), S.EN_COURS),
        (300, DATES[0], date(2027, 1, 7), S.ROMPU),  # la deuxième manque
        (600, DATES[0], date(2027, 1, 7), S.EN_COURS),  # payée d'avance
    ],
)
def test_l_echeancier_est_rompu_quand_le_paye_cumule_reste_sous_le_du_cumule(
    accepter, pieces, paye, recu_le, au, attendu
):
    echeancier = accepter()
    if paye:
        payer(pieces[0], paye, recu_le)
    assert conclure(echeancier, au) == attendu


def test_tenu_des_que_tout_est_paye_meme_par_un_avoir(accepter, pieces):
    echeancier = accepter()
    payer(pieces[0], 600, AU + timedelta(1))
    avoir = AvoirFactory(client=pieces[1].client, montant=300, date_emission=AU + timedelta(1))
    ImputationFactory(echeance=pieces[1], avoir=avoir, montant=300, date=AU + timedelta(1))
    assert conclure(echeancier, AU + timedelta(2)) == S.TENU
    assert not Tache.objects.exists()


def test_un_virement_recu_et_pas_affecte_suspend_la_rupture(accepter, belcourt):
    echeancier = accepter()
    virement = EncaissementFactory(client=belcourt, montant=299, date=DATES[0])
    assert conclure(echeancier, LIMITE + timedelta(1)) == S.ROMPU
    Echeancier.objects.update(statut=S.EN_COURS, motif="", conclu_le=None)
    type(virement).objects.update(montant=300)
    assert conclure(echeancier, LIMITE + timedelta(1)) == S.EN_COURS


@pytest.mark.parametrize(
    ("clause", "mots"),
    [(False, "pas le solde (C. civ., art. 1305-4)"), (True, "exigible après une mise en demeure restée sans effet")],
)
def test_rompu_il_laisse_une_tache_qui_dit_la_mensualite_la_clause_et_la_suite(accepter, clause, mots):
    """Article 1305-4 du code civil : sans clause, le solde n'est pas exigible."""
    echeancier = accepter(clause_decheance=clause)
    for _nuit in range(2):
        conclure(echeancier, LIMITE + timedelta(1))
    tache = Tache.objects.get()
    assert "900" in tache.titre
    assert "04/12/2026" in tache.raison
    assert mots in tache.raison


def test_une_tache_manquee_par_une_panne_se_rattrape(accepter):
    echeancier = accepter()
    echeanciers.conclure(echeancier.client.societe, au=LIMITE + timedelta(1))
    assert not Tache.objects.exists()
    conclure(echeancier, LIMITE + timedelta(2))
    assert Tache.objects.count() == 1


def test_defaire_le_dernier_paiement_remet_l_echeancier_en_cours(accepter, pieces, claire):
    echeancier = accepter()
    recu = EncaissementFactory(client=pieces[0].client, montant=900, date=AU)
    compte.imputer(recu, [(p, p.reste_du) for p in pieces], au=AU, cle="k", acteur=claire)
    assert conclure(echeancier, AU) == S.TENU
    compte.desimputer(recu, au=AU, cle="k", acteur=claire)
    echeancier.refresh_from_db()
    assert (echeancier.statut, echeancier.conclu_le) == (S.EN_COURS, None)


def test_annuler_veut_un_motif_et_ne_vaut_qu_une_fois(accepter, claire):
    echeancier = accepter()
    with pytest.raises(ValidationError):
        echeanciers.annuler_echeancier(echeancier, motif=" ", au=AU, acteur=claire)
    assert echeanciers.annuler_echeancier(echeancier, motif="Erreur", au=AU, acteur=claire)
    assert not echeanciers.annuler_echeancier(echeancier, motif="Erreur", au=AU, acteur=claire)
    echeancier.refresh_from_db()
    assert (echeancier.statut, echeancier.motif, echeancier.conclu_le) == (S.ANNULE, "Erreur", AU)


@pytest.mark.parametrize(("clause", "annule"), [(False, True), (True, False)])
def test_rompu_sans_clause_l_accord_resolu_s_annule(accepter, claire, clause, annule):
    """Il liait encore : le solde attendait son dernier terme. Avec clause, la rupture a déjà tout dit."""
    echeancier = accepter(clause_decheance=clause)
    le = LIMITE + timedelta(1)
    assert conclure(echeancier, le) == S.ROMPU
    assert echeanciers.annuler_echeancier(echeancier, motif="Résolu", au=le, acteur=claire) is annule
    assert not echeanciers.annuler_echeancier(echeancier, motif="Résolu", au=le, acteur=claire)
    echeancier.refresh_from_db()
    assert echeancier.statut == (S.ANNULE if annule else S.ROMPU)


def test_le_suivi_et_la_nuit_lisent_tout_en_un_nombre_fixe_de_requetes(
    accepter, belcourt, claire, django_assert_max_num_queries
):
    accepter()
    for _n in range(6):
        accepter(echeances=[EcheanceFactory(client=belcourt, montant=900)])
    en_cours = Echeancier.objects.select_related("client__societe")
    with django_assert_max_num_queries(4):
        lus = echeanciers.suivis(en_cours, au=AU)
    assert [s.etat for s in next(iter(lus.values()))] == [Etat.ATTENDUE] * 3
    with django_assert_max_num_queries(6):
        echeanciers.conclure(belcourt.societe, au=AU)


def test_la_procedure_close_une_creance_nee_depuis_s_echelonne(accepter, belcourt, pieces):
    """Une antérieure, jamais : elle suit le plan ou s'éteint avec le passif (C. com., art. L626-11, L643-11)."""
    for e in pieces:
        e.facture.date_execution = AU - timedelta(60)
        e.facture.save()
    belcourt.jugement_ouverture_le = AU - timedelta(60)
    belcourt.save()
    with pytest.raises(ValidationError):
        accepter()
    belcourt.procedure_cloturee_le, belcourt.procedure_issue = AU - timedelta(10), "plan"
    belcourt.save()
    assert accepter()
    Echeancier.objects.all().delete()
    belcourt.jugement_ouverture_le = AU - timedelta(59)
    belcourt.save()
    with pytest.raises(ValidationError):
        accepter()


def test_sans_clause_chaque_mensualite_manquee_a_sa_tache_et_dit_l_exigible(accepter, pieces, belcourt):
    """Exigence 32 ; C. civ., art. 1305-4 : jamais le solde."""
    echeancier = accepter()
    assert conclure(echeancier, LIMITE + timedelta(1)) == S.ROMPU
    (rupture,) = Tache.objects.filter(client=belcourt)
    assert "exigible ce jour : 300,00" in rupture.raison.replace("\xa0", " ")
    for au in (date(2027, 1, 6), date(2027, 1, 7), date(2027, 1, 8)):  # due le lundi 4, tolérée jusqu'au mercredi 6
        conclure_echeanciers(belcourt.societe, au=au)
    (seconde,) = Tache.objects.filter(client=belcourt).exclude(pk=rupture.pk)
    assert "04/01/2027" in seconde.titre and "300,00" in seconde.titre
    assert "exigible ce jour : 600,00" in seconde.raison.replace("\xa0", " ")
    assert seconde.due_le == date(2027, 1, 7)
    payer(pieces[0], 600, date(2027, 1, 20))
    conclure_echeanciers(belcourt.societe, au=date(2027, 2, 9))
    derniere = Tache.objects.filter(client=belcourt).latest("pk")
    assert "exigible ce jour : 300,00" in derniere.raison.replace("\xa0", " ")


def test_avec_clause_la_rupture_ne_laisse_qu_une_tache(accepter, belcourt):
    echeancier = accepter(clause_decheance=True)
    conclure(echeancier, LIMITE + timedelta(1))
    conclure_echeanciers(belcourt.societe, au=date(2027, 1, 7))
    assert Tache.objects.filter(client=belcourt).count() == 1
