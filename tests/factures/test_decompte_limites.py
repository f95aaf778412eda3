"""Le décompte aux limites : porteuse des 40 €, jugement d'ouverture, échéance avant la facture."""

import json
from datetime import date
from decimal import Decimal
from io import BytesIO, StringIO

import pytest
from django.core.management import call_command
from python_calamine import CalamineWorkbook

from clients.services import modifier_client
from contentieux.services import decompte as du_dossier
from contentieux.services.manques import points_communs
from factures.exports_decompte import xlsx_decompte
from recouvrement.comptes.models import Role
from relances.rendu import lettres
from relances.services import decomptes
from tests.clients.factories import ClientFactory
from tests.comptes.factories import UtilisateurFactory
from tests.contentieux.factories import CourrierEnvoyeFactory, DossierFactory
from tests.factures.factories import (
    AvoirFactory,
    EcheanceFactory,
    EncaissementFactory,
    FactureFactory,
    ImputationFactory,
    LitigeFactory,
)

pytestmark = pytest.mark.django_db
D = Decimal


def compte(e, au):
    (d,) = decomptes.etablir(e.client, au=au, factures=[e.facture_id])
    return d


def deux_echeances(*echues_le, client=None):
    facture = FactureFactory(client=client or ClientFactory(), montant_ttc=2000, date_emission=date(2026, 5, 1))
    return [EcheanceFactory(facture=facture, echue_le=jour, montant=1000) for jour in echues_le]


def test_contestee_en_entier_une_echeance_laisse_les_40_euros_a_sa_soeur():
    """D441-5 : 40 € par facture en retard ; E2, non contestée, l'est."""
    e1, e2 = deux_echeances(date(2026, 7, 1), date(2026, 8, 1))
    LitigeFactory(echeance=e1, montant_conteste=1000, ouvert_le=date(2026, 7, 10))
    d = compte(e2, date(2026, 9, 1))
    assert (d.indemnites, [x.calcul.indemnite for x in d.lignes]) == (40, [0, 40])


def test_contestee_en_partie_elle_les_garde():
    e1, e2 = deux_echeances(date(2026, 7, 1), date(2026, 8, 1))
    LitigeFactory(echeance=e1, montant_conteste=400, ouvert_le=date(2026, 7, 10))
    assert [x.calcul.indemnite for x in compte(e2, date(2026, 9, 1)).lignes] == [40, 0]


def test_le_jugement_ne_prend_pas_les_40_euros_d_une_soeur_payee_en_retard_avant_lui():
    """R621-4 ne vise que l'échéance tombée le jour du jugement ou après."""
    client = ClientFactory(jugement_ouverture_le=date(2026, 8, 1))
    e1, _e2 = deux_echeances(date(2026, 6, 1), date(2026, 9, 1), client=client)
    ImputationFactory(echeance=e1, montant=1000, date=date(2026, 6, 20))
    assert compte(e1, date(2026, 8, 15)).indemnites == 40
    assert compte(e1, date(2026, 10, 1)).indemnites == 40


@pytest.mark.parametrize(
    ("facture", "execution", "interets", "indemnite"),
    [
        (date(2026, 10, 1), None, "101.92", 40),
        (date(2026, 10, 1), date(2026, 9, 1), "101.92", 40),
        (date(2026, 10, 1), date(2026, 8, 31), "0.00", 0),
        (date(2026, 8, 31), None, "0.00", 0),
    ],
    ids=["facturée après", "exécutée le jour même", "exécutée la veille", "facturée la veille"],
)
def test_nee_apres_le_jugement_une_creance_porte_interets_et_40_euros(facture, execution, interets, indemnite):
    """L622-17 : la créance postérieure se paie à son échéance ; L622-28 n'arrête que les intérêts des antérieures."""
    client = ClientFactory(jugement_ouverture_le=date(2026, 9, 1))
    f = FactureFactory(client=client, montant_ttc=10000, date_emission=facture, date_execution=execution)
    e = EcheanceFactory(facture=f, echue_le=date(2026, 10, 31), montant=10000)
    d = compte(e, date(2026, 11, 30))
    assert (d.interets, d.indemnites) == (D(interets), indemnite)


def test_une_echeance_avant_sa_facture_part_de_la_facture():
    """Trente jours depuis le 01/10, pas soixante depuis le 01/09."""
    e = EcheanceFactory(date_facture=date(2026, 10, 1), echue_le=date(2026, 9, 1), montant=10000)
    d = compte(e, date(2026, 10, 31))
    assert (d.interets, d.indemnites) == (D("101.92"), 40)
    le_jour_meme = compte(e, date(2026, 10, 1))
    assert (le_jour_meme.interets, le_jour_meme.indemnites) == (0, 0)


# --- Ce que l'imprimé en dit -------------------------------------------------------------------------


def imprime(d):
    html = lettres.rendre_decompte_html(decomptes.document(d, le=d.au))
    return html.replace("\u00a0", " ").replace("\u202f", " ")


def test_apres_le_jugement_l_imprime_ne_dit_plus_que_les_penalites_courent():
    """L622-28 : les intérêts se sont arrêtés la veille ; l'écran et l'imprimé disent le même jour."""
    client = ClientFactory(jugement_ouverture_le=date(2026, 9, 1))
    e = EcheanceFactory(client=client, date_facture=date(2026, 3, 1), echue_le=date(2026, 3, 31), montant=10000)
    avant, apres = compte(e, date(2026, 8, 31)), compte(e, date(2026, 10, 1))
    assert "continuent de courir : 3,40 € par jour" in imprime(avant) and "arrêtés la veille" not in imprime(avant)
    html = imprime(apres)
    assert "continuent de courir" not in html
    assert "Intérêts arrêtés la veille du jugement d’ouverture du 01/09/2026 (article L. 622-28" in html
    assert apres.par_jour == decomptes.document(apres, le=apres.au).totaux.par_jour == 0


def test_les_penalites_sont_restantes_dues():
    e = EcheanceFactory(echue_le=date(2026, 3, 31))
    assert "Pénalités de retard restant dues au" in imprime(compte(e, date(2026, 10, 1)))


def test_tous_les_reglements_et_avoirs_se_lisent_partout(client):
    """12 000, payé 3 000 avant l'échéance, avoir de 500 : les 8 500 se refont sur chaque support."""
    e = EcheanceFactory(date_facture=date(2026, 8, 1), echue_le=date(2026, 9, 1), montant=12000)
    paye = EncaissementFactory(client=e.client, montant=3000, date=date(2026, 8, 20), reference="VIR-AVANT")
    ImputationFactory(echeance=e, encaissement=paye, montant=3000, date=date(2026, 8, 22))
    avoir = AvoirFactory(client=e.client, montant=500, date_emission=date(2026, 9, 10), numero="AV-500")
    ImputationFactory(echeance=e, avoir=avoir, montant=500, date=date(2026, 9, 12))
    d = compte(e, date(2026, 11, 1))
    (ligne,) = d.lignes
    assert [(m.genre, m.reference, m.jour, m.affecte_le, m.montant, m.sur_principal) for m in ligne.mouvements] == [
        ("reglement", "VIR-AVANT", date(2026, 8, 20), date(2026, 8, 22), 3000, 3000),
        ("avoir", "AV-500", date(2026, 9, 10), date(2026, 9, 12), 500, 500),
    ]
    assert ligne.echeance.montant - sum(m.sur_principal for m in ligne.mouvements) == d.principal == 8500
    html = imprime(d)
    for attendu in ("3 000,00", "500,00", "20/08/2026", "22/08/2026", "10/09/2026", "12/09/2026"):
        assert attendu in html, attendu
    feuille = CalamineWorkbook.from_filelike(BytesIO(xlsx_decompte(d))).get_sheet_by_name("Règlements et avoirs")
    assert [r[3] for r in feuille.to_python()[1:]] == ["VIR-AVANT", "AV-500"]
    sortie = StringIO()
    call_command(
        "decompte", e.facture.numero, f"--societe={e.societe.code}", "--au=2026-11-01", "--json", stdout=sortie
    )
    (en_json,) = json.loads(sortie.getvalue())["lignes"]
    assert [(m["reference"], m["affecte_le"]) for m in en_json["mouvements"]] == [
        ("VIR-AVANT", "2026-08-22"), ("AV-500", "2026-09-12"),
    ]  # fmt: skip
    client.force_login(UtilisateurFactory(societe=e.societe, role=Role.RESPONSABLE))
    page = client.get(f"/decomptes/{e.client_id}/", {"au": "2026-11-01", "f": e.facture_id}).content.decode()
    assert "VIR-AVANT" in page and "AV-500" in page and "22/08/2026" in page


def test_des_conditions_changees_depuis_se_disent_sur_un_decompte_passe():
    """Le taux d'aujourd'hui récrit le compte d'hier : le journal le sait, le décompte le dit."""
    e = EcheanceFactory(date_facture=date(2026, 3, 1), echue_le=date(2026, 3, 31), montant=10000)
    codes = [a.code for _e, a in compte(e, date(2026, 6, 30)).avertissements]
    assert "conditions_changees" not in codes
    acteur = UtilisateurFactory(societe=e.societe, role=Role.RESPONSABLE)
    modifier_client(e.client, version=e.client.version, champs={"taux_penalites": D("18")}, acteur=acteur)
    e.refresh_from_db()
    assert "conditions_changees" in [a.code for _e, a in compte(e, date(2026, 6, 30)).avertissements]


@pytest.mark.parametrize(("presente_le", "averti"), [(None, True), (date(2026, 6, 5), False)])
def test_non_reclamee_sans_presentation_la_mise_en_demeure_d_un_particulier_se_signale(presente_le, averti):
    client = ClientFactory(particulier=True)
    e = EcheanceFactory(client=client, date_facture=date(2026, 4, 1), echue_le=date(2026, 5, 1))
    CourrierEnvoyeFactory(
        [e], le=date(2026, 6, 1), retour="non_reclame", presente_le=presente_le, retour_le=date(2026, 6, 20)
    )
    d = compte(e, date(2026, 9, 1))
    assert ("presentation_inconnue" in [a.code for _e, a in d.avertissements]) is averti
    assert bool(d.interets) is not averti


# --- Un crédit non affecté n'appartient à aucune facture ---------------------------------------------


def test_un_credit_du_compte_ne_se_deduit_que_du_compte_entier():
    """Déduit de chaque facture choisie, 300 € en effaceraient 600."""
    client = ClientFactory()
    e1, e2 = (EcheanceFactory(client=client, echue_le=date(2026, 7, 1)) for _ in range(2))
    EncaissementFactory(client=client, montant=300, date=date(2026, 9, 1))
    for e in (e1, e2):
        d = compte(e, date(2026, 10, 20))
        assert (d.credits_deduits, d.reste_a_affecter) == (0, 300)
        assert d.total == d.principal + d.interets + 40
        assert "300,00 € reçus du débiteur et non affectés" in imprime(d)
    (entier,) = decomptes.etablir(client, au=date(2026, 10, 20))
    assert (entier.credits_deduits, entier.reste_a_affecter) == (300, 0)


def test_le_dossier_exige_l_affectation_avant():
    dossier = DossierFactory(factures=1)
    (avant,) = [
        p for p in points_communs(dossier, du_dossier.compter(dossier), au=dossier.arrete_au) if p.cle == "credits"
    ]
    recu = EncaissementFactory(client=dossier.client, montant=300, date=dossier.arrete_au)
    compte_du_dossier = du_dossier.compter(dossier)
    (point,) = [p for p in points_communs(dossier, compte_du_dossier, au=dossier.arrete_au) if p.cle == "credits"]
    assert (avant.acquis, compte_du_dossier.totaux.credits, compte_du_dossier.a_affecter) == (True, 0, recu.montant)
    assert "300,00" in point.manque and "non affectés" in point.manque and point.ou == "encaissements"
