"""Colonnes reconnues par leur nom, genre deviné, formats tirés de toute la colonne ; le doute se dit."""

from datetime import date

import pytest
from hypothesis import given
from hypothesis import strategies as st

from factures.domaine import correspondance as c
from factures.domaine.correspondance_noms import normaliser, pistes, tranche
from factures.domaine.correspondance_profil import ProfilDates, ProfilMontants

EXPORTS = [  # logiciel, en-tête, genre attendu, champs attendus
    ("IBM", "countryCode,customerID,invoiceNumber,InvoiceDate,DueDate,InvoiceAmount,Disputed,SettledDate", c.HISTORIQUE,
     {"code_client": "customerID", "numero": "invoiceNumber", "litige": "Disputed", "date_reglement": "SettledDate"}),
    ("Sage 100", "Jnl,Date,N° pièce,Compte,Libellé,Débit,Crédit,Échéance", c.POSTES,
     {"code_client": "Compte", "numero": "N° pièce", "debit": "Débit", "credit": "Crédit"}),
    ("EBP", "N° facture,Date,Code client,Nom client,Montant HT,TVA,Montant TTC,Échéance,Solde dû", c.POSTES,
     {"reste": "Solde dû", "montant": "Montant TTC", "nom_client": "Nom client"}),
    ("Odoo", "Number,Invoice Partner Display Name,Invoice Date,Due Date,Total,Amount Due", c.POSTES,
     {"numero": "Number", "nom_client": "Invoice Partner Display Name", "reste": "Amount Due"}),
    ("Odoo 17", "Number,Invoice Partner Display Name,Invoice/Bill Date,Due Date,Untaxed Amount Signed,Total Signed,"
     "Amount Due Signed", c.POSTES,
     {"date_facture": "Invoice/Bill Date", "montant": "Total Signed", "reste": "Amount Due Signed"}),
    ("Odoo en français", "Numéro,Nom d'affichage du partenaire de la facture,Date de facturation,Date d'échéance,"
     "Montant hors taxes signé,Total signé,Montant dû signé", c.POSTES,
     {"nom_client": "Nom d'affichage du partenaire de la facture", "montant": "Total signé",
      "reste": "Montant dû signé"}),
    ("Xero", "ContactName,InvoiceNumber,InvoiceDate,DueDate,Total,AmountDue,Currency", c.POSTES,
     {"nom_client": "ContactName", "reste": "AmountDue"}),
    ("ERPNext", "Posting Date,Due Date,Party,Customer Name,Voucher No,Invoiced Amount,Outstanding Amount", c.POSTES,
     {"code_client": "Party", "numero": "Voucher No", "reste": "Outstanding Amount"}),
    ("Dolibarr", "Ref.,Date facturation,Date échéance,Tiers,Montant HT,Montant TTC", c.FACTURES,
     {"numero": "Ref.", "code_client": "Tiers", "montant": "Montant TTC", "montant_ht": "Montant HT"}),
    ("QuickBooks", "Customer,Current,1 - 30,31 - 60,61 - 90,91 and over,Total", c.BALANCE,
     {"tranche:non_echu": "Current", "tranche:31-60": "31 - 60", "tranche:91-": "91 and over"}),
    ("Cegid", "Compte,Intitulé,Solde,Non échu,0-30 jours,31-60 jours,61-90 jours,> 90 jours", c.BALANCE,
     {"tranche:91-": "> 90 jours", "reste": "Solde", "nom_client": "Intitulé"}),
    ("Ciel", "Code,Raison sociale,Adresse,Code postal,Ville,Email,SIRET", c.CLIENTS,
     {"code_client": "Code", "nom_client": "Raison sociale", "courriel": "Email"}),
    ("Pennylane", "Date de règlement,Client,Montant réglé,Mode de paiement,Numéro de facture", c.ENCAISSEMENTS,
     {"date_reglement": "Date de règlement", "montant_regle": "Montant réglé", "facture_reglee": "Numéro de facture"}),
]  # fmt: skip


@pytest.mark.parametrize(("logiciel", "entete", "genre", "champs"), EXPORTS, ids=[x[0] for x in EXPORTS])
def test_les_exports_courants_se_reconnaissent(logiciel, entete, genre, champs):
    p = c.proposer(entete.split(","))
    assert p.genre == genre
    assert champs.items() <= p.colonnes.items()
    assert [m for m in p.manquants if m != ("date_arrete",)] == []


def test_une_faute_de_frappe_se_devine_et_se_fait_confirmer():
    p = c.proposer(["client_nom", "facture_id", "montant_factture", "date"])
    assert p.colonnes["montant"] == "montant_factture"
    assert any("montant_factture" in phrase for phrase in p.a_confirmer) and not p.sure


def test_une_colonne_de_codes_qui_porte_des_noms_est_un_nom():
    natures = [c.Nature(), c.Nature(nom=True), c.Nature()]
    p = c.proposer(["paiement_id", "client_id", "montant_paye"], natures)
    assert (p.genre, p.colonnes["nom_client"]) == (c.ENCAISSEMENTS, "client_id")
    assert ("date_reglement",) in p.manquants


@pytest.mark.parametrize(
    ("nom", "attendu"),
    [
        ("N° de Facture", "numero facture"),
        ("InvoiceDueDate", "invoice due date"),
        ("Réf. client", "reference client"),
        ("DATE_ECH", "date echeance"),
        ("\ufeffCode", "code"),
    ],
)
def test_un_nom_se_normalise(nom, attendu):
    assert normaliser(nom) == attendu


@pytest.mark.parametrize(
    ("nom", "bornes"),
    [
        ("Non échu", (None, None)), ("0-30 jours", (0, 30)), ("De 31 à 60 j", (31, 60)), ("> 90 jours", (91, None)),
        ("Plus de 120 jours", (121, None)), ("91+", (91, None)), ("Moins de 30 j", (0, 30)), ("Current", (None, None)),
        ("Total", None), ("Montant TTC", None), ("31/12/2025", None),
    ],
)  # fmt: skip
def test_les_tranches_d_une_balance(nom, bornes):
    assert tranche(nom) == bornes
    if bornes:
        assert c.bornes(c.nom_de_tranche(*bornes)) == bornes


def _dates(*valeurs):
    profil = ProfilDates()
    for v in valeurs:
        profil.voir(v)
    return profil


def test_le_format_des_dates_se_lit_sur_toute_la_colonne():
    assert (_dates("03/04/2026", "25/04/2026").format, _dates("03/04/2026", "25/04/2026").ambigu) == ("jma", False)
    assert (_dates("03/04/2026", "4/25/2026").format, _dates("03/04/2026", "4/25/2026").ambigu) == ("mja", False)
    assert _dates("03/04/2026", "05/06/2026").ambigu
    assert _dates("25/04/2026", "4/25/2026").ambigu  # mêlées
    assert not _dates("2026-04-03", "20260403", "26MAY2014", date(2026, 1, 1)).ambigu
    assert not _dates("03.04.2026").ambigu  # le point n'est pas américain
    assert _dates("46023", "46024").format == "serial"


def _montants(*valeurs):
    profil = ProfilMontants()
    for v in valeurs:
        profil.voir(v)
    return profil


def test_la_virgule_ou_le_point():
    assert (_montants("1.234", "12,50").decimale, _montants("1.234", "12,50").ambigu) == (",", False)
    assert _montants("1,234", "12.50").decimale == "."
    assert _montants("1.234", "500").ambigu
    assert not _montants("1234", "500").ambigu


def test_la_signature_ne_depend_ni_de_la_casse_ni_des_accents():
    assert c.signature(["N° Facture", "Échéance"]) == c.signature(["n° facture", "ECHEANCE"])
    assert c.signature(["A", "B"]) != c.signature(["B", "A"])


@given(st.lists(st.text(max_size=40), min_size=1, max_size=12, unique=True))
def test_aucun_en_tete_ne_fait_tomber_la_proposition(colonnes):
    p = c.proposer(colonnes)
    assert set(p.colonnes.values()) <= set(colonnes)
    assert len(set(p.colonnes.values())) == len(p.colonnes)
    for nom in colonnes:
        assert all(0 < piste.note <= 100 for piste in pistes(nom))


@given(st.text(max_size=30))
def test_aucune_valeur_ne_fait_tomber_les_profils(texte):
    dates, montants = ProfilDates(), ProfilMontants()
    dates.voir(texte), montants.voir(texte)
    assert dates.format in ("jma", "mja", "serial") and montants.decimale in (",", ".", "auto")
