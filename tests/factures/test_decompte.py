"""Le décompte opposable : cents exacts, à toute date, et les mêmes chiffres par les six portes."""

import csv
import json
from datetime import date, timedelta
from decimal import Decimal
from io import BytesIO, StringIO
from pathlib import Path

import pytest
from django.core.exceptions import ValidationError
from django.core.management import call_command
from django.db import connection
from django.test.utils import CaptureQueriesContext
from django.urls import reverse
from python_calamine import CalamineWorkbook

from contentieux.services.decompte import compter
from factures import decompte, services
from factures.exports_decompte import xlsx_decompte
from factures.models import Echeance
from recouvrement.comptes.models import Role
from recouvrement.journal.models import Maillon
from relances.rendu import lettres
from relances.rendu.contexte import totaliser
from relances.services import decomptes
from relances.services.dues import lignes_dues
from tests.clients.factories import ClientFactory
from tests.comptes.factories import UtilisateurFactory
from tests.contentieux.factories import DossierFactory
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
with (Path(__file__).parent / "donnees" / "exemples_penalites.csv").open(encoding="utf-8") as fichier:
    EXEMPLES = {x["id"]: x for x in csv.DictReader(fichier, delimiter=";")}
NOVEMBRE = date(2026, 11, 20)


def un_seul(client, **options):
    (d,) = decomptes.etablir(client, **options)
    return d


def payer(echeance, montant, recu_le, *, affecte_le=None):
    paye = EncaissementFactory(client=echeance.client, montant=montant, date=recu_le, devise=echeance.devise)
    ImputationFactory(echeance=echeance, encaissement=paye, montant=montant, date=affecte_le or recu_le)


# --- Au centime, par la base -------------------------------------------------------------------------


@pytest.mark.parametrize(("exemple", "imputation"), [("C14", "interets"), ("C15", "principal")])
def test_un_paiement_partiel_donne_les_cents_de_la_reference(exemple, imputation):
    """C14 : intérêts d'abord (C. civ., art. 1343-1) ; C15 : principal d'abord, par convention."""
    x = EXEMPLES[exemple]
    client = ClientFactory(imputation=imputation)
    e = EcheanceFactory(client=client, echue_le=date.fromisoformat(x["date_echeance"]), montant=D(x["montant_ttc"]))
    payer(e, 5000, date(2025, 6, 15))
    d = un_seul(client, au=date.fromisoformat(x["date_paiement"]))
    assert d.interets_courus == D(x["interets_attendus"])
    assert d.indemnites == D(x["indemnite_40"])
    assert d.interets_courus + d.indemnites == D(x["total_hors_principal"])


def test_chaque_segment_se_refait_a_la_main():
    client = ClientFactory()
    e = EcheanceFactory(client=client, echue_le=date(2025, 3, 31), montant=12000)
    payer(e, 5000, date(2025, 6, 15))
    (ligne,) = un_seul(client, au=date(2025, 9, 20)).lignes
    premier = ligne.calcul.segments[0]
    assert decompte.formule(premier).replace("\u00a0", " ").replace("\u202f", " ") == "12 000,00 × 13,15 % × 76 / 365"
    assert (premier.principal * premier.taux / 100 * premier.jours / 365).quantize(D("0.01")) == premier.interets


# --- À toute date ------------------------------------------------------------------------------------


def test_arrete_dans_le_passe_le_decompte_ignore_ce_qui_l_a_suivi():
    """Règlement, avoir, litige et renonciation d'après l'arrêté n'y changent rien ; le dernier jour, ils y sont."""
    e = EcheanceFactory(echue_le=date(2026, 1, 31), montant=1000)
    client, mars = e.client, date(2026, 3, 31)
    avant = un_seul(client, au=mars)
    payer(e, 300, date(2026, 4, 10))
    avoir = AvoirFactory(client=client, montant=100, date_emission=date(2026, 4, 20))
    ImputationFactory(echeance=e, avoir=avoir, montant=100, date=date(2026, 4, 25))
    LitigeFactory(echeance=e, montant_conteste=200, ouvert_le=date(2026, 5, 1), clos_le=date(2026, 5, 31))
    EncaissementFactory(client=client, montant=50, date=date(2026, 5, 2))
    acteur = UtilisateurFactory(societe=client.societe)
    services.renoncer(e.facture, portee="indemnite", motif="geste", le=date(2026, 6, 10), acteur=acteur)
    apres = un_seul(client, au=mars)
    assert (apres.total, apres.principal, apres.interets, apres.credits) == (
        avant.total, avant.principal, avant.interets, (),
    )  # fmt: skip
    assert {a.code for _e, a in apres.avertissements} == {"paiement_posterieur", "avoir_posterieur"}
    mai, juin = un_seul(client, au=date(2026, 5, 15)), un_seul(client, au=date(2026, 6, 15))
    assert (mai.lignes[0].conteste, mai.credits_deduits, mai.indemnites) == (200, 50, 40)
    assert mai.lignes[0].principal == 700  # 1 000 − 100 d'avoir − 200 contestés
    assert (juin.lignes[0].conteste, juin.indemnites) == (0, 0)


def test_une_somme_affectee_apres_l_arrete_compte_au_jour_de_sa_reception():
    """Décision 6 : ni deux fois, ni perdue."""
    e = EcheanceFactory(echue_le=date(2026, 1, 31), montant=1000)
    payer(e, 400, date(2026, 3, 1), affecte_le=date(2026, 6, 1))
    d = un_seul(e.client, au=date(2026, 3, 31))
    assert (d.credits, d.reste) == ((), 600)
    assert [p.jour for p in d.lignes[0].calcul.paiements] == [date(2026, 3, 1)]


def test_une_somme_posee_sur_une_facture_emise_depuis_etait_libre_a_l_arrete():
    e = EcheanceFactory(echue_le=date(2026, 1, 31), montant=1000)
    recente = EcheanceFactory(client=e.client, echue_le=date(2026, 6, 30), montant=500, date_facture=date(2026, 5, 31))
    payer(recente, 500, date(2026, 3, 1), affecte_le=date(2026, 6, 1))
    d = un_seul(e.client, au=date(2026, 3, 31))
    assert [(c.genre, c.montant) for c in d.credits] == [("reglement", 500)]
    assert un_seul(e.client, au=date(2026, 6, 20)).credits == ()


def test_une_facture_reglee_depuis_etait_due_a_l_arrete():
    e = EcheanceFactory(echue_le=date(2026, 1, 31), montant=1000, soldee=date(2026, 5, 1))
    assert un_seul(e.client, au=date(2026, 3, 31)).principal == 1000
    assert decomptes.etablir(e.client, au=date(2026, 5, 31)) == []


def test_une_dette_a_echoir_n_entre_pas_dans_un_decompte():
    facture = FactureFactory(montant_ttc=2000, date_emission=date(2026, 1, 1))
    echue = EcheanceFactory(facture=facture, echue_le=date(2026, 1, 31))
    EcheanceFactory(facture=facture, echue_le=date(2026, 12, 31))
    d = un_seul(facture.client, au=NOVEMBRE, factures=[facture.pk])
    assert [x.echeance for x in d.lignes] == [echue]


def test_un_avoir_plus_grand_que_le_reste_ne_rend_jamais_le_principal_negatif():
    """Issue 3, « bad input » : refus clair ; la part qui tient réduit le principal, le surplus est un crédit."""
    e = EcheanceFactory(echue_le=date(2026, 1, 31), montant=1000)
    payer(e, 700, date(2026, 2, 28))
    avoir = AvoirFactory(client=e.client, montant=500, date_emission=date(2026, 3, 15))
    acteur = UtilisateurFactory(societe=e.societe)
    with pytest.raises(ValidationError, match="il n'y reste que 300"):
        services.imputer_avoir(avoir, [(e, D(500))], au=date(2026, 3, 15), cle="a", acteur=acteur)
    services.imputer_avoir(avoir, [(e, D(300))], au=date(2026, 3, 15), cle="b", acteur=acteur)
    d = un_seul(e.client, au=date(2026, 3, 31), reglees=True)
    (ligne,) = d.lignes
    # 700 € portent intérêt 28 jours à 12,15 % : 6,52 € ; le paiement les éteint d'abord, 6,52 € de principal restent.
    assert (ligne.principal, ligne.calcul.segments[0].interets, ligne.calcul.principal_restant) == (
        700,
        D("6.52"),
        D("6.52"),
    )
    assert d.credits_deduits == 200


# --- Accessoires -------------------------------------------------------------------------------------


def test_une_facture_reglee_au_principal_laisse_des_accessoires_que_l_on_voit():
    """Droit.md § 17 : un paiement égal au principal éteint d'abord les intérêts ; il reste du principal et 40 €."""
    e = EcheanceFactory(echue_le=date(2026, 1, 31), montant=1000, soldee=date(2026, 3, 31))
    assert decomptes.etablir(e.client, au=NOVEMBRE) == []
    d = un_seul(e.client, au=NOVEMBRE, reglees=True)
    assert d.reste == 0 and d.indemnites == 40 and d.principal == d.lignes[0].sur_interets > 0
    assert decomptes.reglees_au_principal(d) == list(d.lignes)


@pytest.mark.parametrize(
    ("portee", "interets", "indemnites"), [("penalites", False, 40), ("indemnite", True, 0), ("tout", False, 0)]
)
def test_le_calcul_et_la_lettre_suivent_la_renonciation(portee, interets, indemnites):
    """Droit.md § 9 : la lettre ne réclame pas ce à quoi l'on renonce, et n'en parle pas."""
    e = EcheanceFactory(echue_le=date(2026, 1, 31), montant=1000)
    acteur = UtilisateurFactory(societe=e.societe)
    services.renoncer(e.facture, portee=portee, motif="bon client", le=NOVEMBRE, acteur=acteur)
    d = un_seul(e.client, au=NOVEMBRE)
    assert (bool(d.interets), d.indemnites) == (interets, indemnites)
    (ligne,) = lignes_dues([e], e.client, au=NOVEMBRE, chiffree=True).lignes
    assert (bool(ligne.penalites), ligne.indemnite) == (interets, indemnites)
    assert "renoncé" in decomptes.document(d, le=NOVEMBRE).notes[0]
    assert un_seul(e.client, au=NOVEMBRE - timedelta(days=1)).indemnites == 40


def test_une_renonciation_est_motivee_unique_tracee_et_s_annule_une_fois():
    e = EcheanceFactory(echue_le=date(2026, 1, 31))
    acteur = UtilisateurFactory(societe=e.societe)
    prendre = dict(portee="tout", le=NOVEMBRE, acteur=acteur)
    with pytest.raises(ValidationError, match="Dites pourquoi"):
        services.renoncer(e.facture, motif="  ", **prendre)
    une = services.renoncer(e.facture, motif="geste", **prendre)
    assert services.renoncer(e.facture, motif="geste", **prendre) == une  # double clic
    with pytest.raises(ValidationError, match="déjà en vigueur"):
        services.renoncer(e.facture, motif="autre", **prendre)
    assert services.annuler_renonciation(une, acteur=acteur) and not services.annuler_renonciation(une, acteur=acteur)
    actions = Maillon.objects.filter(action__startswith="facture.renonciation").order_by("rang")
    assert [m.action for m in actions] == ["facture.renonciation", "facture.renonciation_annulee"]


def test_un_consommateur_n_a_pas_d_indemnite_a_laquelle_renoncer():
    e = EcheanceFactory(client=ClientFactory(particulier=True))
    with pytest.raises(ValidationError, match="aucune indemnité"):
        services.renoncer(
            e.facture, portee="tout", motif="x", le=NOVEMBRE, acteur=UtilisateurFactory(societe=e.societe)
        )


# --- Clause sous le plancher -------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("choix", "taux", "attend", "dit"),
    [
        ("", ["5.00"], True, ""),
        ("plancher", ["7.86", "8.25"], False, "relevé à ce minimum"),
        ("defaut", ["12.15", "12.40"], False, "cède au taux applicable à défaut de clause"),
        ("stipule", ["5.00"], False, "s’en tient au taux stipulé"),
    ],
)
def test_une_clause_sous_le_plancher_attend_un_choix_puis_le_suit_et_l_imprime(choix, taux, attend, dit):
    """Droit.md § 1 : le taux de remplacement n'est pas tranché ; la personne choisit, le document le dit."""
    client = ClientFactory(taux_penalites=D(5), sous_plancher=choix)
    EcheanceFactory(client=client, echue_le=date(2026, 1, 31))
    d = un_seul(client, au=NOVEMBRE)
    assert [s.taux for s in d.lignes[0].calcul.segments] == [D(t) for t in taux]
    assert d.a_choisir is attend
    if attend:
        with pytest.raises(decomptes.DecompteRefuse, match="choisissez d'abord le taux"):
            decomptes.document(d, le=NOVEMBRE)
        return
    doc = decomptes.document(d, le=NOVEMBRE)
    assert dit in doc.taux.mention and dit in lettres.rendre_decompte_html(doc)


def test_le_taux_a_defaut_de_clause_n_est_jamais_releve_au_plancher():
    """S1 2024 : BCE + 10 = 14,50 sous le plancher de 15,21 ; un `max()` surfacturerait."""
    e = EcheanceFactory(echue_le=date(2023, 12, 31), montant=1000)
    d = un_seul(e.client, au=date(2024, 6, 30))
    assert [s.taux for s in d.lignes[0].calcul.segments] == [D("14.50")] and not d.sous_plancher


# --- Six portes --------------------------------------------------------------------------------------


@pytest.fixture
def affaire(time_machine):
    """Trois factures d'un même client : un règlement partiel, un avoir, une part contestée, un crédit non affecté."""
    time_machine.move_to("2026-11-20T10:00:00+01:00")
    dossier = DossierFactory(factures=3)
    client = dossier.client
    a, b, c = Echeance.objects.filter(client=client).order_by("pk")
    Echeance.objects.filter(pk=a.pk).update(date_echeance=date(2026, 3, 31), date_facture=date(2026, 3, 1))
    a.refresh_from_db()
    payer(a, 250, date(2026, 7, 15), affecte_le=date(2026, 8, 1))
    avoir = AvoirFactory(client=client, montant=120, date_emission=date(2026, 9, 1))
    ImputationFactory(echeance=b, avoir=avoir, montant=120, date=date(2026, 9, 2))
    LitigeFactory(echeance=c, montant_conteste=100, ouvert_le=date(2026, 9, 20))
    EncaissementFactory(client=client, montant=75, date=date(2026, 10, 1), reference="=1+1")
    return dossier, [Echeance.objects.select_related("facture").get(pk=e.pk) for e in (a, b, c)]


def test_les_six_portes_rendent_les_memes_chiffres(affaire, client):
    """Écran, lettre, PDF, classeur, commande et dossier : un seul calcul."""
    dossier, echeances = affaire
    debiteur, au = dossier.client, NOVEMBRE
    d = un_seul(debiteur, au=au, factures=[e.facture_id for e in echeances])
    attendu = (d.principal, d.interets, d.indemnites, d.total)
    assert d.interets > 0 and d.indemnites == 120 and d.reste_a_affecter == 75

    # La lettre.
    dues = lignes_dues(echeances, debiteur, au=au, chiffree=True)
    credits = decomptes.document(d, le=au).credits
    t = totaliser(dues.lignes, credits, au=au, chiffree=True)
    assert (t.principal, t.penalites, t.indemnites, t.a_payer) == attendu
    # Le dossier.
    t = compter(dossier).totaux
    assert (t.principal, t.penalites, t.indemnites, t.a_payer) == attendu
    # Le PDF.
    doc = decomptes.document(d, le=au)
    assert (doc.totaux.principal, doc.totaux.penalites, doc.totaux.indemnites, doc.totaux.a_payer) == attendu
    html = lettres.rendre_decompte_html(doc).replace("\u00a0", " ").replace("\u202f", " ")
    # L'écran.
    personne = UtilisateurFactory(societe=debiteur.societe, role=Role.RESPONSABLE)
    client.force_login(personne)
    adresse = reverse("factures:decompte", args=[debiteur.pk])
    page = client.get(adresse, {"au": au.isoformat(), "f": [e.facture_id for e in echeances]}).content.decode()
    page = page.replace("\u00a0", " ").replace("\u202f", " ")
    for montant in attendu:
        ecrit = f"{montant:,.2f}".replace(",", " ").replace(".", ",")
        assert f"{ecrit} €" in page and f"{ecrit} €" in html, ecrit
    # Le classeur : les valeurs que les formules portent.
    classeur = CalamineWorkbook.from_filelike(BytesIO(xlsx_decompte(d)))
    rangees = classeur.get_sheet_by_name("Décompte").to_python()
    totaux = next(r for r in rangees if r[0] == "Total")
    assert [D(str(x)).quantize(D("0.01")) for x in totaux[5:8]] == list(attendu[:3])
    assert D(str(next(r for r in rangees if r[0] == "Total dû")[8])).quantize(D("0.01")) == d.total
    assert any(r[0] == "=1+1" for r in rangees)  # du texte, pas une formule
    # La commande.
    sortie = StringIO()
    call_command(
        "decompte", *[e.facture.numero for e in echeances], "--societe", debiteur.societe.code, "--au", "2026-11-20",
        "--json", stdout=sortie,
    )  # fmt: skip
    objet = json.loads(sortie.getvalue())
    assert tuple(objet[cle] for cle in ("principal", "interets", "indemnites", "total")) == tuple(map(str, attendu))
    assert len(objet["lignes"]) == 3 and objet["lignes"][0]["paiements"][0]["jour"] == "2026-07-15"


def test_le_pdf_porte_les_parties_la_base_les_sources_l_imputation_et_le_total_en_lettres(affaire):
    dossier, _echeances = affaire
    html = lettres.rendre_decompte_html(decomptes.document(un_seul(dossier.client, au=NOVEMBRE), le=NOVEMBRE))
    html = html.replace("\u00a0", " ").replace("\u202f", " ")
    for attendu in (
        dossier.client.raison_sociale, dossier.societe.raison_sociale, "÷ 365", "BCE 2,15 au 01/01/2026 + 10",
        "BCE 2,40 au 01/07/2026 + 10", "d’abord sur les intérêts", "15/07/2026", "Arrêté à la somme de",
        "100,00 € contestés ne sont pas repris ici",
    ):  # fmt: skip
        assert attendu in html, attendu


def test_soixante_factures_s_impriment_avec_des_reports(affaire):
    client = ClientFactory()
    for n in range(60):
        EcheanceFactory(client=client, echue_le=date(2026, 1, 1) + timedelta(days=n))
    doc = decomptes.document(un_seul(client, au=NOVEMBRE), le=NOVEMBRE)
    assert "Report" in lettres.rendre_decompte_html(doc)


# --- Vitesse -----------------------------------------------------------------------------------------


def peupler(client, nombre):
    """Factures payées en partie, en masse."""
    for n in range(nombre):
        e = EcheanceFactory(client=client, echue_le=date(2025, 1, 1) + timedelta(days=n % 300), montant=1000)
        if n % 3 == 0:
            payer(e, 200, date(2026, 2, 1))


def test_le_nombre_de_requetes_ne_depend_pas_du_nombre_de_factures():
    client = ClientFactory()
    peupler(client, 3)
    decomptes.etablir(client, au=NOVEMBRE)
    with CaptureQueriesContext(connection) as trois:
        decomptes.etablir(client, au=NOVEMBRE)
    peupler(client, 20)
    with CaptureQueriesContext(connection) as vingt:
        decomptes.etablir(client, au=NOVEMBRE)
    assert len(trois) == len(vingt)
