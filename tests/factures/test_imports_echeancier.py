"""Réimporter une facture : la même dette, reportée ou complétée, jamais doublée (exigence 3)."""

from datetime import date, timedelta
from decimal import Decimal

import pytest

from clients.models import Client
from factures.models import Echeance, Facture
from relances.models import Verdict
from tests.clients.factories import ClientFactory
from tests.comptes.factories import SocieteFactory
from tests.factures.imports_essai import AU, ENCAISSEMENTS, defauts_de_soldes, prendre, rejets

pytestmark = pytest.mark.django_db

D = Decimal
FACTURES = "numero;code_client;date_facture;date_echeance;montant_ttc\n"
CONNUE = "F1;C1;2026-01-01;2026-01-31;1000\n"
REPORTEE = "F1;C1;2026-01-01;2026-02-05;1000\n"


@pytest.fixture
def societe():
    societe = SocieteFactory(code="alpha", incomplete=True)
    ClientFactory(societe=societe, code="C1")
    return societe


def echeancier() -> list[tuple]:
    return list(Echeance.objects.order_by("date_echeance", "pk").values_list("date_echeance", "montant", "impute"))


def test_une_echeance_reportee_se_deplace_sans_doubler_la_dette(societe):
    prendre(societe, FACTURES + CONNUE)
    prendre(societe, ENCAISSEMENTS + "R1;C1;2026-02-05;400;;F1\n")
    rendu = prendre(societe, FACTURES + REPORTEE)
    assert rendu.avertissements == ["F1 : échéance reportée du 31/01/2026 au 05/02/2026."]
    assert echeancier() == [(date(2026, 2, 5), D("1000.00"), D("400.00"))]
    assert Facture.objects.get().montant_ttc == D("1000.00")
    assert (rendu.encours, rendu.crees["factures"], rendu.inchanges["factures"]) == ({"EUR": D("600.00")}, 0, 1)
    assert defauts_de_soldes() == []


def test_rejouer_le_report_ne_change_plus_rien(societe):
    prendre(societe, FACTURES + CONNUE)
    prendre(societe, FACTURES + REPORTEE)
    avant = list(Echeance.objects.values())
    rendu = prendre(societe, FACTURES + REPORTEE)
    assert (rendu.avertissements, list(Echeance.objects.values())) == ([], avant)


def test_l_essai_annonce_le_report_et_ne_deplace_rien(societe):
    prendre(societe, FACTURES + CONNUE)
    rendu = prendre(societe, FACTURES + REPORTEE, essai=True)
    assert "reportée" in rendu.avertissements[0] and rendu.encours == {"EUR": D("1000.00")}
    assert Echeance.objects.get().date_echeance == date(2026, 1, 31)


def test_une_echeance_avancee_est_dite_avancee(societe):
    prendre(societe, FACTURES + REPORTEE)
    assert prendre(societe, FACTURES + CONNUE).avertissements == ["F1 : échéance avancée du 05/02/2026 au 31/01/2026."]


@pytest.mark.parametrize(
    ("etat", "fait"), [({"niveau": 2}, "déjà relancée :"), ({"en_contentieux": True}, "déjà au contentieux :")]
)
def test_une_echeance_deja_relancee_ne_se_reporte_pas_par_import(societe, etat, fait):
    prendre(societe, FACTURES + CONNUE)
    Echeance.objects.update(**etat)
    rendu = prendre(societe, FACTURES + REPORTEE)
    ((ligne, champ, motif),) = rejets(rendu)
    assert (ligne, champ) == (2, "date_echeance") and motif.startswith(fait)
    assert "F1 est connue à l'échéance du 31/01/2026, et non du 05/02/2026" in motif and "promesse" in motif
    assert echeancier() == [(date(2026, 1, 31), D("1000.00"), 0)]


@pytest.mark.parametrize("niveau", [0, 2])
def test_une_date_ajoutee_au_fichier_est_la_meme_echeance(societe, niveau):
    """Exportée d'abord sans date, puis avec la date que les conditions donnaient déjà : rien ne bouge."""
    prendre(societe, FACTURES + CONNUE.replace("2026-01-31", ""))
    Echeance.objects.update(niveau=niveau)
    for _ in range(2):
        rendu = prendre(societe, FACTURES + CONNUE)
        assert (rendu.accepte, rendu.avertissements, len(echeancier())) == (True, [], 1)


def test_une_date_ajoutee_et_differente_deplace_l_echeance(societe):
    prendre(societe, FACTURES + CONNUE.replace("2026-01-31", ""))
    rendu = prendre(societe, FACTURES + REPORTEE)
    assert "reportée du 31/01/2026 au 05/02/2026" in rendu.avertissements[0]
    assert echeancier() == [(date(2026, 2, 5), D("1000.00"), 0)]


def test_une_date_retiree_du_fichier_laisse_celle_que_l_on_connait(societe):
    prendre(societe, FACTURES + REPORTEE)
    for _ in range(2):
        rendu = prendre(societe, FACTURES + CONNUE.replace("2026-01-31", ""))
        assert (rendu.accepte, rendu.avertissements) == (True, [])
        assert echeancier() == [(date(2026, 2, 5), D("1000.00"), 0)]


def test_une_echeance_de_plus_est_comptee_et_annoncee(societe):
    prendre(societe, FACTURES + CONNUE)
    rendu = prendre(societe, FACTURES + CONNUE + REPORTEE)
    assert rendu.avertissements == [
        "Échéances ajoutées à des factures déjà connues : 1 (F1 au 05/02/2026 pour 1000,00)."
    ]
    assert rendu.encours == {"EUR": D("2000.00")} and defauts_de_soldes() == []


def test_un_echeancier_decale_d_un_mois_reste_de_meme_taille(societe):
    lignes = {m: f"F1;C1;2026-01-01;2026-0{m}-28;60\n" for m in (2, 3, 4)}
    prendre(societe, FACTURES + lignes[2] + lignes[3])
    rendu = prendre(societe, FACTURES + lignes[3] + lignes[4])
    assert rendu.avertissements == ["F1 : échéance reportée du 28/02/2026 au 28/04/2026."]
    assert [jour.month for jour, _, _ in echeancier()] == [3, 4]


def test_un_report_et_une_echeance_de_plus_dans_le_meme_fichier(societe):
    prendre(societe, FACTURES + CONNUE)
    rendu = prendre(societe, FACTURES + REPORTEE + "F1;C1;2026-01-01;2026-03-05;200\n")
    assert len(rendu.avertissements) == 2 and rendu.encours == {"EUR": D("1200.00")}
    assert [jour for jour, _, _ in echeancier()] == [date(2026, 2, 5), date(2026, 3, 5)]


def test_une_echeance_connue_decoupee_en_deux_est_rejetee(societe):
    prendre(societe, FACTURES + CONNUE)
    moities = "".join(f"F1;C1;2026-01-01;2026-0{m}-05;500\n" for m in (2, 3))
    rendu = prendre(societe, FACTURES + moities)
    assert [(ligne, champ) for ligne, champ, _ in rejets(rendu)] == [(2, "date_echeance"), (3, "date_echeance")]
    assert "31/01/2026 pour 1000,00 et le fichier ne la reprend pas" in rejets(rendu)[0][2]
    assert len(echeancier()) == 1


def test_une_facture_payee_dont_la_date_change_ne_redevient_pas_due(societe):
    prendre(societe, FACTURES + CONNUE)
    prendre(societe, ENCAISSEMENTS + "R1;C1;2026-02-05;1000;;F1\n")
    assert prendre(societe, FACTURES + REPORTEE).encours == {}


def test_une_mensualite_payee_et_absente_ne_devient_pas_la_suivante(societe):
    lignes = {m: f"F1;C1;2026-01-01;2026-0{m}-28;60\n" for m in (2, 3, 4)}
    prendre(societe, FACTURES + lignes[2] + lignes[3])
    prendre(societe, ENCAISSEMENTS + "R1;C1;2026-02-28;60;;F1\n")
    rendu = prendre(societe, FACTURES + lignes[3] + lignes[4])
    assert [(ligne, champ) for ligne, champ, _ in rejets(rendu)] == [(3, "date_echeance")]
    assert "soldée" in rejets(rendu)[0][2] and len(echeancier()) == 2
    assert prendre(societe, FACTURES + "".join(lignes.values())).encours == {"EUR": D("120.00")}


def test_en_partiel_une_ligne_illisible_ne_fait_pas_deplacer_son_echeance(societe):
    prendre(societe, FACTURES + CONNUE)
    fautive = CONNUE.replace("2026-01-31", "31/02/2026")
    rendu = prendre(societe, FACTURES + fautive + REPORTEE, partiel=True)
    assert [(ligne, champ) for ligne, champ, _ in rejets(rendu)] == [(2, "date_echeance"), (3, "numero")]
    assert echeancier() == [(date(2026, 1, 31), D("1000.00"), 0)]


# --- Ce que les relances en savent -----------------------------------------------------------


def test_une_echeance_deplacee_clot_son_verdict_dormant(societe):
    """Conditions ramenées à 30 jours : le verdict « pas encore échue » ne doit pas dormir jusqu'à l'ancienne date."""
    Client.objects.update(conditions="90J")
    sans_date = FACTURES + CONNUE.replace("2026-01-31", "")
    prendre(societe, sans_date)
    verdict = Verdict.objects.create(
        echeance=Echeance.objects.get(), du=AU - timedelta(days=20), code="attente", prochaine=date(2026, 4, 5)
    )
    Client.objects.update(conditions="30J")
    rendu = prendre(societe, sans_date)
    verdict.refresh_from_db()
    assert verdict.au == AU - timedelta(days=1)
    assert rendu.avertissements == ["F1 : échéance avancée du 01/04/2026 au 31/01/2026."]


def test_un_verdict_dont_l_echeance_ne_bouge_pas_reste_courant(societe):
    prendre(societe, FACTURES + CONNUE)
    verdict = Verdict.objects.create(echeance=Echeance.objects.get(), du=AU - timedelta(days=20), code="attente")
    prendre(societe, FACTURES + CONNUE)
    verdict.refresh_from_db()
    assert verdict.au is None


def test_une_echeance_relancee_que_les_conditions_deplaceraient_est_signalee(societe):
    sans_date = FACTURES + CONNUE.replace("2026-01-31", "")
    prendre(societe, sans_date)
    Echeance.objects.update(niveau=2)
    Client.objects.update(conditions="60J")
    (dit,) = prendre(societe, sans_date).avertissements
    assert "qui gardent leur date" in dit and "1 (F1 au 31/01/2026)" in dit
