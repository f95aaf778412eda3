"""Défaire un import : la base redevient ce qu'elle était, ou l'on dit ce qui l'empêche."""

from decimal import Decimal

import pytest
from django.apps import apps
from hypothesis import HealthCheck, Phase, given, settings
from hypothesis import strategies as st

from clients.models import AnnonceBodacc, Client, Note
from contentieux.models import DossierContentieux
from factures.models import Echeance, Encaissement, Facture, Imputation, Litige, Lot, TraceDeLot
from factures.services.annulation import AnnulationImpossible, apercu, bloqueurs, defaire
from recouvrement.journal.models import Maillon
from relances.models import Verdict
from tests.clients.factories import ClientFactory
from tests.comptes.factories import SocieteFactory, UtilisateurFactory
from tests.factures.factories import EncaissementFactory
from tests.factures.fec_essai import Fec
from tests.factures.imports_essai import (
    AU,
    CLIENTS,
    ENCAISSEMENTS,
    F1,
    F2,
    FACTURES,
    MOMENT,
    defauts_de_soldes,
    fec_de_base,
    prendre,
    prendre_fec,
)

pytestmark = pytest.mark.django_db
HORS = {"factures.lot", "factures.tracedelot"}


def photo() -> dict:
    """Toutes les tables du grand livre et des fiches, ligne par ligne."""
    modeles = [*apps.get_app_config("factures").get_models(), *apps.get_app_config("clients").get_models()]
    return {
        m._meta.label_lower: list(m._base_manager.order_by("pk").values())
        for m in modeles
        if m._meta.label_lower not in HORS
    }


def annuler(lot=None, acteur=None):
    lot = lot or Lot.objects.filter(statut="applique").order_by("pk").last()
    return defaire(lot, acteur=acteur, moment=MOMENT, au=AU)


def dernier():
    return Lot.objects.filter(statut="applique").order_by("pk").last()


@pytest.fixture
def societe():
    return SocieteFactory(code="alpha", incomplete=True)


@pytest.fixture
def client(societe):
    return ClientFactory(societe=societe, code="C1")


def test_un_import_neuf_se_defait_entierement_et_se_rejoue(societe):
    avant = photo()
    rendu = prendre_fec(societe, fec_de_base())
    assert annuler() is True
    assert photo() == avant and not TraceDeLot.objects.exists()
    lot = Lot.objects.get()
    assert (lot.statut, lot.defait_le) == ("defait", MOMENT)
    societe.refresh_from_db()
    assert societe.dernier_import_le is None and defauts_de_soldes() == []
    assert prendre_fec(societe, fec_de_base()).crees == rendu.crees


def test_defaire_deux_fois_n_ecrit_qu_un_maillon(societe):
    prendre_fec(societe, fec_de_base())
    lot = dernier()
    assert annuler(lot) is True and annuler(lot) is False
    assert Maillon.objects.filter(action="import.defait").count() == 1


def test_une_fiche_mise_a_jour_retrouve_ses_valeurs(societe):
    prendre(societe, CLIENTS + "C1;Ancien;30J;;a@exemple.fr;;;;\n")
    avant = photo()
    prendre(societe, CLIENTS + "C1;Neuf;45J FDM;732829320;b@exemple.fr;;12 rue;;\nC2;Autre;;;;;;;\n")
    assert Client.objects.get(code="C1").raison_sociale == "Neuf"
    annuler()
    assert photo() == avant


def test_une_fiche_retouchee_depuis_retient_l_import(societe):
    prendre(societe, CLIENTS + "C1;Ancien;;;;;;;\n")
    prendre(societe, CLIENTS + "C1;Neuf;;;;;;;\n")
    Client.objects.update(raison_sociale="À la main")
    with pytest.raises(AnnulationImpossible) as erreur:
        annuler()
    assert "Retouché depuis (client)" in erreur.value.raisons[0] and erreur.value.raisons[0].url.startswith("/clients/")
    assert Lot.objects.filter(statut="applique").count() == 2


def test_une_fiche_creee_puis_modifiee_par_une_personne_retient_l_import(societe):
    prendre(societe, CLIENTS + "C1;Ancien;;;;;;;\n")
    Client.objects.update(version=2, telephone="01")
    assert any("Retouché" in x for x in bloqueurs(dernier()))


def test_un_reglement_importe_se_retire_et_rouvre_la_piece(societe, client):
    prendre(societe, FACTURES + F1 + F2)
    avant = photo()
    prendre(societe, ENCAISSEMENTS + "V1;C1;2026-02-01;120;virement;F1\n")
    assert Echeance.objects.get(facture__numero="F1").soldee_le is not None
    annuler()
    assert photo() == avant and defauts_de_soldes() == []


def test_le_second_de_deux_imports_lies_se_defait_d_abord(societe, client):
    prendre(societe, FACTURES + F1)
    premier = dernier()
    prendre(societe, ENCAISSEMENTS + "V1;C1;2026-02-01;50;virement;F1\n", nom="virements.csv")
    raisons = bloqueurs(premier)
    assert len(raisons) == 1 and "virements.csv" in raisons[0] and "d’abord" in raisons[0]
    assert raisons[0].url == f"/imports/{dernier().pk}/"
    annuler()
    assert bloqueurs(premier) == [] and annuler(premier)


def test_une_affectation_a_la_main_une_note_un_litige_retiennent_l_import(societe):
    prendre(societe, CLIENTS + "C1;Un;;;;;;;\n")
    fiches = dernier()
    prendre(societe, FACTURES + F1)
    factures = dernier()
    echeance = Echeance.objects.get()
    Note.objects.create(client=echeance.client, auteur=UtilisateurFactory(societe=societe), texte="x")
    Litige.objects.create(echeance=echeance, montant_conteste=5, categorie="prix", ouvert_le=AU, a_traiter_le=AU)
    reglement = EncaissementFactory(client=echeance.client, societe=societe, montant=20)
    Imputation.objects.create(
        societe=societe, echeance=echeance, encaissement=reglement, date=AU, montant=20, cle_source="saisie:1"
    )
    dits = " ; ".join(bloqueurs(factures))
    assert "1 affectation faite depuis" in dits and "1 litige saisi" in dits
    dits = " ; ".join(bloqueurs(fiches))
    assert "1 note" in dits and "s’appuie sur celui-ci" in dits and "1 encaissement" in dits


def test_un_dossier_contentieux_retient_l_import(societe):
    prendre(societe, CLIENTS + "C1;Un;;;;;;;\n")
    DossierContentieux.objects.create(
        societe=societe, client=Client.objects.get(), reference="D1", ouvert_le=AU, arrete_au=AU, motif="x"
    )
    assert any("dossier contentieux" in x for x in bloqueurs(dernier()))


def test_un_verdict_de_la_nuit_s_efface(societe, client):
    prendre(societe, FACTURES + F1)
    Verdict.objects.create(echeance=Echeance.objects.get(), du=AU, code="attente")
    assert annuler() and not Verdict.objects.exists() and not Facture.objects.exists()


def test_un_fec_suivant_retient_le_precedent(societe):
    prendre_fec(societe, fec_de_base())
    premier = dernier()
    suite = Fec().a_nouveau("C1", "F2", "60", quand="20260101").a_nouveau("C2", "F3", "40", quand="20260101")
    prendre_fec(societe, suite.reglement("C1", "60", quand="20260201"))
    assert any("s’appuie" in x for x in bloqueurs(premier))
    annuler()
    assert annuler(premier) and not Echeance.objects.exists()


def test_un_lettrage_refait_retrouve_l_ancien(societe):
    prendre_fec(societe, fec_de_base())
    avant = photo()
    fec = fec_de_base()
    fec.lignes[0][13] = fec.lignes[2][13] = ""
    fec.lignes[2][13] = fec.lignes[4][13] = "B"
    prendre_fec(societe, fec)
    assert photo() != avant
    annuler()
    assert photo() == avant and defauts_de_soldes() == []


def test_une_echeance_deplacee_et_une_facture_accrue_reviennent(societe, client):
    prendre(societe, FACTURES + F1 + F2)
    avant = photo()
    prendre(societe, FACTURES + F1.replace("2026-02-04", "2026-03-04") + F2)
    assert TraceDeLot.objects.filter(objet="factures.echeance").count() == 1
    annuler()
    assert photo() == avant
    rendu = prendre(societe, FACTURES + F1 + F1.replace("2026-02-04", "2026-03-04").replace("100;20;120", "50;10;60"))
    assert rendu.accepte and Facture.objects.get(numero="F1").montant_ttc == Decimal("180.00")
    annuler()
    assert photo() == avant


def test_le_nombre_de_requetes_ne_depend_pas_du_nombre_de_pieces(societe):
    from django.db import connection
    from django.test.utils import CaptureQueriesContext

    comptes = []
    for n in (3, 300):
        fec = Fec()
        for i in range(n):
            fec.vente(f"C{i}", f"F{i}", "10", "A", quand="20250110").reglement(f"C{i}", "10", "A")
        prendre_fec(societe, fec)
        with CaptureQueriesContext(connection) as requetes:
            annuler()
        comptes.append(len(requetes))
    assert comptes[0] == comptes[1]


def test_l_apercu_compte_ce_qui_disparaitra(societe):
    prendre_fec(societe, fec_de_base())
    comptes = apercu(dernier())
    assert comptes == {
        "factures.facture": 3, "factures.echeance": 3, "factures.encaissement": 1, "factures.imputation": 1,
        "clients.client": 2, "modifies": 0,
    }  # fmt: skip


# --- Propriété : A puis B puis défaire B = A ; défaire A = l'origine --------------------------

MONTANTS = st.integers(1, 50).map(str)


@st.composite
def fecs(draw):
    """(exercice, le même relettré et allongé, ou l'exercice suivant)."""
    premier, second = Fec(), Fec()
    for i in range(draw(st.integers(1, 6))):
        client, montant = f"C{draw(st.integers(1, 3))}", draw(MONTANTS)
        let, let2 = draw(st.sampled_from(["", "A", "B"])), draw(st.sampled_from(["", "A", "B"]))
        jour = f"202503{draw(st.integers(10, 28))}"
        regle = draw(st.booleans())
        for fec, lettre in ((premier, let), (second, let2)):
            if regle:
                fec.reglement(client, montant, lettre, quand=jour)
            else:
                fec.vente(client, f"F{i}", montant, lettre, quand=jour)
    for i in range(draw(st.integers(0, 3))):
        second.vente("C1", f"N{i}", draw(MONTANTS), quand="20250601")
    if draw(st.booleans()):
        soldes = premier.lire().soldes
        second = Fec()
        for client, solde in soldes.items():
            if solde:
                second.a_nouveau(client, "AN", str(solde), quand="20260101")
        second.vente("C1", "S1", draw(MONTANTS), quand="20260201").reglement("C2", draw(MONTANTS), quand="20260202")
    return premier, second


@st.composite
def tableaux(draw):
    """Deux imports CSV : fiches, factures, puis ce qui les change ou les règle."""
    numeros = draw(st.lists(st.integers(1, 5), min_size=1, max_size=4, unique=True))
    jours = st.sampled_from(["2026-02-04", "2026-03-04"])
    premier = FACTURES + "".join(f"F{n};C1;2026-01-05;{draw(jours)};;;{n * 10};;;\n" for n in numeros)
    genre = draw(st.sampled_from(["factures", "clients", "reglements"]))
    if genre == "clients":
        nom, conditions = draw(st.sampled_from(["Un", "Deux"])), draw(st.sampled_from(["30J", "60J"]))
        return premier, CLIENTS + f"C1;{nom};{conditions};;;;;;\nC7;N;;;;;;;\n"
    if genre == "reglements":
        lignes = "".join(f"V{n};C1;2026-02-0{n};{draw(MONTANTS)};virement;F{n}\n" for n in numeros)
        return premier, ENCAISSEMENTS + lignes
    autres = draw(st.lists(st.integers(1, 9), min_size=1, max_size=5, unique=True))
    return premier, FACTURES + "".join(f"F{n};C1;2026-01-05;{draw(jours)};;;{n * 10};;;\n" for n in autres)


REGLAGES = settings(
    # Chaque exemple importe et défait une base entière : peu d'exemples, sans réduction (chaque pas en coûte autant).
    max_examples=3, deadline=None, phases=(Phase.explicit, Phase.reuse, Phase.generate),
    suppress_health_check=[HealthCheck.function_scoped_fixture, HealthCheck.too_slow],
)  # fmt: skip


def aller_retour(prendre_un, prendre_deux):
    origine = photo()
    un = prendre_un()
    if not un.ecrit:
        return
    lot = dernier()
    apres_un = photo()
    deux = prendre_deux()
    if deux.ecrit:
        assert annuler() and photo() == apres_un
    assert annuler(lot) and photo() == origine and defauts_de_soldes() == []


@given(exercices=fecs())
@REGLAGES
def test_propriete_deux_fec_defaits_rendent_la_base(societe, exercices):
    premier, second = exercices
    aller_retour(lambda: prendre_fec(societe, premier), lambda: prendre_fec(societe, second))


@given(fichiers=tableaux())
@REGLAGES
def test_propriete_deux_tableaux_defaits_rendent_la_base(societe, client, fichiers):
    premier, second = fichiers
    aller_retour(lambda: prendre(societe, premier), lambda: prendre(societe, second))


def test_un_encaissement_rejete_depuis_retient_l_import(societe, client):
    prendre(societe, ENCAISSEMENTS + "V1;C1;2026-02-01;120;prelevement;\n")
    Encaissement.objects.update(rejete_le=AU, impute=120)
    assert any("rejetés" in x for x in bloqueurs(dernier()))


def test_l_arret_venu_d_une_annonce_gardee_se_defait_avec_l_import_qui_donne_le_siren(societe):
    prendre(societe, CLIENTS + "C1;Un;;;;;;;\n")
    AnnonceBodacc.objects.create(
        societe=societe, identifiant="A1", siren="732829320", jugement_le=AU, parution_le=AU,
        texte={"portee": "ouverture"},
    )  # fmt: skip
    avant = photo()
    prendre(societe, CLIENTS + "C1;Un;;732829320;;;;;\nC2;Deux;;732829320;;;;;\n")
    assert [c.jugement_ouverture_le for c in Client.objects.order_by("pk")] == [AU, AU]
    assert annuler() and photo() == avant
