"""`manage.py verifier` : chaque contrôle échoue quand on casse ce qu'il prouve."""

import json
from datetime import date, timedelta
from io import StringIO

import pytest
from django.core.management import call_command
from django.db import connection
from django.utils import timezone

from contentieux.models import DossierContentieux, Piece
from factures.models import Avoir, Echeance, Echeancier, Encaissement, Facture, Mensualite
from recouvrement.commun import depot
from recouvrement.journal.models import Detail
from recouvrement.pilotage.verification import CONTROLES, tout_verifier
from relances.models import (
    Courrier,
    Echelle,
    LeveeDeFrein,
    LotPostal,
    PliDeLot,
    Relance,
    Verdict,
    VersionEchelle,
)
from tests.comptes.factories import UtilisateurFactory
from tests.contentieux.factories import AU, DossierFactory
from tests.factures.factories import AvoirFactory, EcheanceFactory, ImputationFactory


@pytest.fixture(autouse=True)
def depot_jetable(settings, tmp_path):
    settings.DEPOT = tmp_path / "depot"


@pytest.fixture
def base(db):
    """Un peu de tout, juste : soldée, partielle, avoir, dossier et ses courriers, verdicts qui se suivent."""
    EcheanceFactory(soldee=True)
    partielle = EcheanceFactory(reste=400)
    ImputationFactory(echeance=partielle, montant=100, avoir=AvoirFactory(client=partielle.client))
    Verdict.objects.create(echeance=partielle, du=date(2026, 2, 1), au=date(2026, 2, 9), code="attente")
    Verdict.objects.create(echeance=partielle, du=date(2026, 2, 10), code="litige")
    demandeur, second = UtilisateurFactory(), UtilisateurFactory()
    LeveeDeFrein.objects.create(
        echeance=partielle, frein="promesse", pour_le=AU, motif="relu", montant=400, a_deux=True,
        demandee_par=demandeur, approuvee_par=second, approuvee_le=timezone.now(),
    )  # fmt: skip
    echeancier = Echeancier.objects.create(client=partielle.client, accepte_le=AU, du_a_l_accord=400)
    for rang in (1, 2):
        due_le = AU + timedelta(days=30 * rang)
        Mensualite.objects.create(echeancier=echeancier, rang=rang, due_le=due_le, montant=200)
    EcheanceFactory(prelevement_rejete=True)
    dossier = DossierFactory(factures=2)
    lot = LotPostal.objects.create(
        societe=dossier.societe, numero=1, auteur=demandeur, statut=LotPostal.Statut.PRET,
        **dict(zip(("pdf_chemin", "pdf_empreinte"), depot.ranger(b"%PDF- lot", ".pdf"), strict=True)),
    )  # fmt: skip
    courrier = Courrier.objects.exclude(numero_suivi="").first()
    Courrier.objects.filter(pk=courrier.pk).update(lot_postal=lot)
    PliDeLot.objects.create(lot=lot, courrier=courrier, rang=1)
    return dossier


def verifier() -> tuple[dict, int]:
    sortie, code = StringIO(), 0
    try:
        call_command("verifier", "--json", stdout=sortie)
    except SystemExit as fin:
        code = fin.code
    return {c["nom"]: c for c in json.loads(sortie.getvalue())["controles"]}, code


def test_une_base_juste_passe_tous_les_controles(base):
    controles, code = verifier()
    assert code == 0
    assert list(controles) == list(CONTROLES)
    assert all(c["ok"] for c in controles.values()), controles
    assert set(controles["fichiers"]) == {"nom", "ok", "detail"}


def test_une_base_vide_passe(db):
    assert verifier()[1] == 0


DEFAUTS = {
    "echeances_soldes": lambda: Echeance.objects.filter(impute=0).update(impute=1),
    "encaissements_soldes": lambda: Encaissement.objects.filter(pk=Encaissement.objects.first().pk).update(impute=0),
    "avoirs_soldes": lambda: Avoir.objects.update(impute=0),
    "echeances_soldee_le": lambda: Echeance.objects.exclude(soldee_le=None).update(soldee_le=date(2020, 1, 1)),
    "factures_ttc": lambda: Facture.objects.filter(pk=Facture.objects.first().pk).update(montant_ttc=5000),
    "recopies": lambda: Facture.objects.filter(pk=Facture.objects.first().pk).update(devise="USD"),
    "echeances_niveau": lambda: Relance.objects.update(statut=Relance.Statut.ANNULEE),
    "verdicts": lambda: Verdict.objects.filter(au=None).update(du=date(2026, 2, 5)),
    "contentieux": lambda: Echeance.objects.update(en_contentieux=False),
    "echeanciers": lambda: Mensualite.objects.filter(rang=2).update(montant=150),
    "prelevements": lambda: Echeance.objects.filter(prelevement_rejete=True).update(prelevement=True),
    "levees": lambda: LeveeDeFrein.objects.update(approuvee_par=None),
    "versions": lambda: VersionEchelle.objects.update(statut=VersionEchelle.Statut.RETIREE),
    "lots_postaux": lambda: Courrier.objects.update(lot_postal=None),
    "journal": lambda: Detail.objects.update(texte="réécrit"),
    "fichiers": lambda: Piece.objects.exclude(chemin="").update(empreinte="0" * 64),
}


@pytest.mark.parametrize("nom", CONTROLES)
def test_un_defaut_se_nomme_et_sort_en_un(base, nom):
    DEFAUTS[nom]()
    controles, code = verifier()
    assert code == 1
    assert not controles[nom]["ok"] and controles[nom]["detail"]


def test_soldee_sans_date_ou_datee_sans_etre_soldee_sont_des_defauts(base):
    Echeance.objects.exclude(soldee_le=None).update(soldee_le=None)
    assert not verifier()[0]["echeances_soldee_le"]["ok"]


def test_un_trou_dans_les_references_de_dossier_se_voit(base):
    DossierContentieux.objects.filter(pk=base.pk).update(reference="CX-2026-002")
    assert "discontinues" in verifier()[0]["contentieux"]["detail"]


@pytest.mark.parametrize(
    ("controle", "casser"),
    [
        ("lots_postaux", lambda: PliDeLot.objects.update(sorti_le=timezone.now())),  # courrier sans son pli
        ("lots_postaux", lambda: LotPostal.objects.update(pdf_empreinte="")),
        ("levees", lambda: LeveeDeFrein.objects.update(a_deux=False)),  # approuvée sans avoir à l'être
        ("echeanciers", lambda: Echeancier.objects.update(conclu_le=AU)),
        ("fichiers", lambda: LotPostal.objects.update(pdf_empreinte="0" * 64)),
    ],
)
def test_chaque_incoherence_de_l_echelle_se_nomme(base, controle, casser):
    casser()
    lu = verifier()[0][controle]
    assert not lu["ok"] and lu["detail"]


def test_un_plan_ou_un_modele_en_seul_brouillon_n_a_encore_rien_publie(base):
    VersionEchelle.objects.update(statut=VersionEchelle.Statut.RETIREE)
    ligne = verifier()[0]["versions"]["detail"]
    assert ligne.startswith("plan ") and "0 versions publiées" in ligne
    VersionEchelle.objects.update(statut=VersionEchelle.Statut.PUBLIEE)
    premiere = VersionEchelle.objects.select_related("echelle").first()
    neuf = Echelle.objects.create(societe=premiere.echelle.societe, code="neuf", nom="Neuf", par_defaut=False)
    VersionEchelle.objects.create(echelle=neuf, numero=1)
    assert verifier()[0]["versions"]["ok"]


def test_une_relance_en_erreur_ne_compte_pas_dans_le_niveau(base):
    """Exigence 22."""
    relance = Relance.objects.order_by("-nature").first()
    Relance.objects.filter(pk=relance.pk).update(statut=Relance.Statut.EN_ERREUR)
    controle = verifier()[0]["echeances_niveau"]
    assert f"échéance {relance.echeance_id} " in controle["detail"]


@pytest.mark.parametrize("champ", ["pdf", "avis"])
def test_un_fichier_altere_ou_absent_se_voit(base, champ, settings):
    courrier = Courrier.objects.exclude(**{f"{champ}_chemin": ""}).first()
    (settings.DEPOT / getattr(courrier, f"{champ}_chemin")).unlink()
    assert "absent" in verifier()[0]["fichiers"]["detail"]


def test_un_meme_fichier_ne_se_relit_qu_une_fois(base, monkeypatch):
    lus = []
    monkeypatch.setattr(depot, "verifier", lambda chemin, _e: lus.append(chemin) or "")
    verifier()
    assert len(lus) == len(set(lus)) > 0


def test_dix_defauts_se_nomment_les_autres_se_comptent(db):
    for n in range(13):
        EcheanceFactory(echue_le=AU - timedelta(days=n))
    Echeance.objects.update(impute=1)
    detail = verifier()[0]["echeances_soldes"]["detail"]
    assert detail.count("imputé 1.00") == 10
    assert detail.endswith("et 3 de plus")


def test_verifier_n_ecrit_rien_et_son_nombre_de_requetes_ne_depend_pas_des_lignes(base, django_assert_num_queries):
    from django.test.utils import CaptureQueriesContext

    with CaptureQueriesContext(connection) as avant:
        tout_verifier()
    for _n in range(6):
        EcheanceFactory(reste=10)
    with django_assert_num_queries(len(avant)):
        tout_verifier()
    lectures = ("SELECT", "DECLARE")  # PostgreSQL lit les grands résultats par un curseur
    assert all(q["sql"].lstrip().upper().startswith(lectures) for q in avant.captured_queries)


def test_sans_json_chaque_controle_tient_sur_une_ligne(base):
    sortie = StringIO()
    call_command("verifier", stdout=sortie)
    assert len(sortie.getvalue().splitlines()) == len(CONTROLES)
