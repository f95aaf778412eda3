"""La nuit en base : une étape par échéance, rejouable, freins, verdicts par intervalles."""

import gc
from datetime import date, timedelta
from decimal import Decimal

import pytest
from django.db import IntegrityError, transaction

from factures.models import Echeance
from relances.domaine.natures import Nature
from relances.models import Courrier, Palier, Passage, Relance, Tache, Verdict
from relances.services import nuit
from relances.services.plans import installer_plans
from tests.clients.factories import ClientFactory, SuspensionFactory
from tests.comptes.factories import SocieteFactory
from tests.factures.factories import AvoirFactory, EcheanceFactory, EncaissementFactory, PromesseFactory

pytestmark = pytest.mark.django_db
MARDI = date(2026, 2, 10)


def passer(societe, au=MARDI, genre=Passage.Genre.REJOUE, **options):
    passage = nuit.ouvrir_passage(societe, au=au, genre=genre)
    return nuit.relancer(societe, au=au, passage=passage, **options)


def verdict(echeance):
    return Verdict.objects.get(echeance=echeance, au=None)


def test_rejouer_la_nuit_ne_relance_qu_une_fois():
    """Exigences 3 et 12 : assez vieille pour quatre paliers, elle n'en monte qu'un, même rejouée."""
    echeance = EcheanceFactory(echue_le=MARDI - timedelta(days=71))
    EcheanceFactory(societe=echeance.societe, echue_le=MARDI - timedelta(days=71), en_litige=True)

    for _ in range(2):
        passer(echeance.societe)

    relance = Relance.objects.get()
    assert (relance.echeance, relance.nature) == (echeance, Nature.RAPPEL_COURTOIS)
    assert Courrier.objects.get().statut == Courrier.Statut.A_ENVOYER
    assert verdict(echeance).code == "relancee"


def test_apres_trois_nuits_manquees_une_seule_etape_et_le_delai_entre_contacts():
    """Exigences 12 et 13 : l'étape trop proche est reportée, pas perdue."""
    echeance = EcheanceFactory(echue_le=MARDI - timedelta(days=30))
    passer(echeance.societe)
    Relance.objects.update(statut=Relance.Statut.ENVOYEE)

    bilan = passer(echeance.societe, MARDI + timedelta(days=3))
    assert bilan.retenues == {"delai_contact": 1}
    assert verdict(echeance).prochaine == MARDI + timedelta(days=6)  # 5 jours tombent un dimanche : lundi 16

    passer(echeance.societe, MARDI + timedelta(days=6))
    echeance.refresh_from_db()
    assert echeance.niveau == Nature.APPEL
    assert Tache.objects.get().genre == Tache.Genre.APPEL


@pytest.mark.parametrize("jour", [date(2026, 2, 14), date(2026, 2, 15), date(2026, 5, 1)])
def test_rien_ne_part_un_jour_non_ouvre(jour):
    """Exigence 15."""
    echeance = EcheanceFactory(echue_le=jour - timedelta(days=9))
    bilan = passer(echeance.societe, jour)
    assert bilan.retenues == {"jour_non_ouvre": 1}
    assert not Courrier.objects.exists()


def test_deux_devises_deux_courriers():
    """Exigence 6."""
    client = ClientFactory(delai_entre_contacts=0)
    for devise in ("EUR", "USD"):
        EcheanceFactory(client=client, echue_le=MARDI - timedelta(days=9), devise=devise)
    passer(client.societe)
    assert sorted(Courrier.objects.values_list("devise", "total")) == [("EUR", 1000), ("USD", 1000)]


def test_facture_a_trois_echeances_chacune_son_niveau():
    """Exigence 5 : seules les échéances échues, chacune avec son palier."""
    premiere = EcheanceFactory(echue_le=MARDI - timedelta(days=9), montant=300)
    for jours in (2, -20):
        EcheanceFactory(facture=premiere.facture, echue_le=MARDI - timedelta(days=jours), montant=300)
    passer(premiere.societe)
    assert list(Echeance.objects.order_by("date_echeance").values_list("niveau", flat=True)) == [2, 0, 0]


def test_avoir_non_affecte_reduit_le_reclame_et_couvre_tout():
    """Exigence 4 : total ≤ 0, rien ne part ; sinon le crédit est déduit."""
    client = ClientFactory()
    EcheanceFactory(client=client, echue_le=MARDI - timedelta(days=9))
    EcheanceFactory(client=client, echue_le=MARDI - timedelta(days=9), montant=2000)
    AvoirFactory(client=client, montant=200)
    passer(client.societe)
    courrier = Courrier.objects.get()
    assert (courrier.principal, courrier.credits, courrier.total) == (3000, 200, Decimal("2800.00"))


def test_reglement_non_affecte_au_dela_de_la_moitie_retient_le_client():
    """Exigence 2."""
    client = ClientFactory()
    EcheanceFactory(client=client, echue_le=MARDI - timedelta(days=9))
    EncaissementFactory(client=client, montant=500)
    autre = EcheanceFactory(societe=client.societe, echue_le=MARDI - timedelta(days=9))
    bilan = passer(client.societe)
    assert bilan.retenues == {"credit_non_affecte": 1}
    assert Courrier.objects.get().client == autre.client


def test_promesse_suspension_et_retour_sur_l_echelle():
    """Exigence 17 : à la fin, la pièce rentre seule."""
    promise = EcheanceFactory(echue_le=MARDI - timedelta(days=9))
    PromesseFactory(echeances=[promise], date_promise=MARDI + timedelta(days=2), faite_le=MARDI)
    suspendue = EcheanceFactory(societe=promise.societe, echue_le=MARDI - timedelta(days=9))
    SuspensionFactory(client=suspendue.client, du=MARDI, au=MARDI + timedelta(days=6))
    assert passer(promise.societe).retenues == {"promesse": 1, "suspendue": 1}
    assert verdict(suspendue).prochaine == MARDI + timedelta(days=7)

    passer(promise.societe, MARDI + timedelta(days=7))
    assert Relance.objects.count() == 2


def test_litige_partiel_reclame_le_reste_et_sort_de_la_mise_en_demeure():
    """Exigence 10."""
    echeance = EcheanceFactory(echue_le=MARDI - timedelta(days=9), en_litige=250)
    passer(echeance.societe)
    assert Relance.objects.get().reste_du == 750
    Relance.objects.update(statut=Relance.Statut.ENVOYEE)
    Echeance.objects.update(niveau=Nature.FORMALISATION, niveau_rang=3, niveau_le=MARDI)
    assert passer(echeance.societe, MARDI + timedelta(days=20)).retenues == {"litige": 1}


def test_sans_courriel_repli_sur_la_lettre_puis_sur_une_tache():
    """Exigence 21 : jamais de perte silencieuse."""
    sans_courriel = ClientFactory(courriel="")
    sans_rien = ClientFactory(societe=sans_courriel.societe, courriel="", adresse="")
    for client in (sans_courriel, sans_rien):
        EcheanceFactory(client=client, echue_le=MARDI - timedelta(days=9))
    bilan = passer(sans_courriel.societe)
    assert Courrier.objects.get().canal == "lettre"
    assert bilan.retenues == {"sans_adresse": 1}
    assert Tache.objects.get(client=sans_rien).genre == Tache.Genre.SANS_ADRESSE


@pytest.mark.parametrize(("appels", "genre"), [(True, Tache.Genre.APPEL), (False, Tache.Genre.SANS_ADRESSE)])
def test_le_repli_sur_une_tache_n_appelle_pas_qui_l_a_refuse(appels, genre):
    """Exigence 21 : ni perte silencieuse, ni appel à qui n'en veut plus ; il lui faut une adresse."""
    refus = {} if appels else {"ne_pas_appeler_le": MARDI, "ne_pas_appeler_motif": "Demandé par écrit"}
    client = ClientFactory(courriel="", adresse="", telephone="0240000000", **refus)
    EcheanceFactory(client=client, echue_le=MARDI - timedelta(days=9))
    installer_plans(client.societe)
    Palier.objects.filter(nature=Nature.RAPPEL_COURTOIS).update(canaux=["courriel", "tache"])
    passer(client.societe)
    assert Tache.objects.get(client=client).genre == genre


def test_une_nuit_sans_changement_n_ecrit_rien(django_assert_max_num_queries):
    societe = SocieteFactory()
    for _ in range(3):
        EcheanceFactory(societe=societe, echue_le=MARDI - timedelta(days=3))
    passer(societe)
    avant = list(Verdict.objects.values())
    assert {v["code"] for v in avant} == {"attente"}
    passage = nuit.ouvrir_passage(societe, au=MARDI + timedelta(days=1), genre=Passage.Genre.REJOUE)
    with django_assert_max_num_queries(14):
        nuit.relancer(societe, au=passage.au, passage=passage)
    assert list(Verdict.objects.values()) == avant


def test_le_nombre_de_requetes_ne_depend_pas_des_lignes(django_assert_num_queries):
    from django.db import connection
    from django.test.utils import CaptureQueriesContext

    comptes = []
    for n in (1, 20):
        societe = SocieteFactory()
        for _ in range(n):
            EcheanceFactory(societe=societe, echue_le=MARDI - timedelta(days=9))
        passage = nuit.ouvrir_passage(societe, au=MARDI, genre=Passage.Genre.REJOUE)
        with CaptureQueriesContext(
            connection,
        ) as requetes:
            nuit.relancer(societe, au=MARDI, passage=passage)
        comptes.append(len(requetes))
    assert comptes[0] == comptes[1]


def test_deux_lots_concurrents_le_second_s_arrete():
    """Exigence 20."""
    societe = SocieteFactory()
    nuit.ouvrir_passage(societe, au=MARDI, genre=Passage.Genre.AUTOMATIQUE)
    with pytest.raises(nuit.LotDejaEnCours, match="lot déjà en cours"):
        nuit.ouvrir_passage(societe, au=MARDI, genre=Passage.Genre.REJOUE)


def test_un_passage_interrompu_se_reprend_sans_doubler():
    from django.utils import timezone

    echeance = EcheanceFactory(echue_le=MARDI - timedelta(days=9))
    passage = nuit.ouvrir_passage(echeance.societe, au=MARDI, genre=Passage.Genre.AUTOMATIQUE)
    for lot in nuit.decider_societe(echeance.societe, au=MARDI):
        nuit.enregistrer(passage, lot, societe=echeance.societe)
    Passage.objects.update(bail_jusqu_au=timezone.now() - timedelta(minutes=1))
    repris = nuit.ouvrir_passage(echeance.societe, au=MARDI, genre=Passage.Genre.AUTOMATIQUE)
    assert repris == passage
    nuit.relancer(echeance.societe, au=MARDI, passage=repris)
    assert Relance.objects.count() == 1


def test_la_base_refuse_deux_fois_le_meme_palier():
    echeance = EcheanceFactory(echue_le=MARDI - timedelta(days=9))
    passer(echeance.societe)
    relance = Relance.objects.get()
    relance.pk = None
    with pytest.raises(IntegrityError), transaction.atomic():
        relance.save(force_insert=True)


def test_l_essai_a_blanc_dit_la_meme_chose_que_la_nuit_et_n_ecrit_rien():
    societe = SocieteFactory()
    for jours in (3, 9, 30):
        EcheanceFactory(societe=societe, echue_le=MARDI - timedelta(days=jours))
    EcheanceFactory(societe=societe, echue_le=MARDI - timedelta(days=9), en_litige=True)
    blanc = nuit.essai(societe, au=MARDI).en_dict()
    assert not Relance.objects.exists() and not Verdict.objects.exists()
    assert passer(societe).en_dict() == blanc
    assert blanc["decidees"] == 2


def test_societe_incomplete_rien_ne_part():
    echeance = EcheanceFactory(echue_le=MARDI - timedelta(days=9), societe=SocieteFactory(incomplete=True))
    assert passer(echeance.societe).retenues == {"societe_incomplete": 1}


def test_les_intervalles_de_verdicts_se_suivent():
    echeance = EcheanceFactory(echue_le=MARDI - timedelta(days=9))
    passer(echeance.societe)
    Relance.objects.update(statut=Relance.Statut.ENVOYEE)
    passer(echeance.societe, MARDI + timedelta(days=1))
    assert list(Verdict.objects.order_by("du").values_list("code", "du", "au")) == [
        ("relancee", MARDI, MARDI),
        ("attente", MARDI + timedelta(days=1), None),
    ]


def test_la_nuit_rend_le_ramasse_miettes_meme_en_panne():
    with pytest.raises(ZeroDivisionError), nuit.sans_ramasse_miettes():
        assert not gc.isenabled()
        1 / 0  # noqa: B018
    assert gc.isenabled()
