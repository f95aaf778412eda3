"""Lire les statuts : formes du CDAR et du CSV, entrées hostiles, et la règle pure qui choisit."""

from datetime import date
from decimal import Decimal

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from factures.domaine.cycle_de_vie import Recu, contredit, decisif, part_contestee, repartir
from factures.imports.fichier import examiner_fichier
from factures.imports.lecteurs import lire_seul, reconnaitre
from factures.imports.texte import FichierRefuse

D = Decimal
J = date(2026, 1, 20)
RAM = "urn:un:unece:uncefact:data:standard:ReusableAggregateBusinessInformationEntity:100"
CDAR = f"""<?xml version="1.0" encoding="UTF-8"?>
<r:CrossDomainAcknowledgementAndResponse xmlns:a="{RAM}"
 xmlns:r="urn:un:unece:uncefact:data:standard:CrossDomainAcknowledgementAndResponse:100"
 xmlns:u="urn:un:unece:uncefact:data:standard:UnqualifiedDataType:100">
<r:ExchangedDocument><a:ID>M1</a:ID><a:RecipientTradeParty><a:GlobalID schemeID="0009">55210055400013</a:GlobalID>
<a:RoleCode>BY</a:RoleCode></a:RecipientTradeParty></r:ExchangedDocument>
<r:AcknowledgementDocument><a:IssueDateTime><u:DateTimeString format="204">20260120101500</u:DateTimeString>
</a:IssueDateTime>
<a:ReferenceReferencedDocument><a:IssuerAssignedID>F1</a:IssuerAssignedID>
<a:ProcessConditionCode>206</a:ProcessConditionCode>
<a:IssuerTradeParty><a:GlobalID schemeID="0002">732829320</a:GlobalID></a:IssuerTradeParty>
<a:SpecifiedDocumentStatus><a:ReasonCode>PU_ERR</a:ReasonCode><a:Reason>Prix</a:Reason>
<a:SpecifiedDocumentCharacteristic><a:TypeCode>MAPTTC</a:TypeCode><a:ValueAmount currencyID="EUR">800</a:ValueAmount>
</a:SpecifiedDocumentCharacteristic>
<a:SpecifiedDocumentCharacteristic><a:TypeCode>MNATTC</a:TypeCode><a:ValueAmount currencyID="EUR">400.5</a:ValueAmount>
</a:SpecifiedDocumentCharacteristic></a:SpecifiedDocumentStatus></a:ReferenceReferencedDocument>
<a:ReferenceReferencedDocument><a:IssuerAssignedID>F2</a:IssuerAssignedID>
<a:ProcessCondition>En litige</a:ProcessCondition></a:ReferenceReferencedDocument>
<a:ReferenceReferencedDocument><a:IssuerAssignedID/></a:ReferenceReferencedDocument>
</r:AcknowledgementDocument></r:CrossDomainAcknowledgementAndResponse>"""


def lire(contenu, format=""):
    contenu = contenu if isinstance(contenu, bytes) else contenu.encode()
    lot = lire_seul(examiner_fichier(contenu, "a"), format)
    return list(lot.elements), lot


def test_un_message_a_plusieurs_factures_rend_chacune():
    lus, lot = lire(CDAR)
    assert [(s.numero, s.code, s.montant, s.nature_montant) for s in lus] == [
        ("F1", "206", D("400.50"), "MNATTC"),
        ("F2", "207", None, ""),
    ]
    assert (lus[0].vendeur, lus[0].acheteur, lus[0].motif_code, lus[0].le) == ("732829320", "552100554", "PU_ERR", J)
    assert lus[0].cle_source == "FE:206:20260120101500:400.50:F1"
    assert [r.champ for r in lot.rejets] == ["IssuerAssignedID"] and lot.faits["statuts"] == 2


@pytest.mark.parametrize(
    ("ancien", "neuf", "champ"),
    [
        (">206<", ">abc<", "ProcessConditionCode"), (">400.5<", ">400.555<", "ValueAmount"),
        (">400.5<", ">1e9<", "ValueAmount"), ("20260120101500", "20260231101500", "IssueDateTime"),
        ('currencyID="EUR">800', 'currencyID="USD">800', "ValueAmount"),
    ],
)  # fmt: skip
def test_une_valeur_fausse_est_un_rejet_qui_la_nomme(ancien, neuf, champ):
    _lus, lot = lire(CDAR.replace(ancien, neuf))
    assert champ in {r.champ for r in lot.rejets}


@pytest.mark.parametrize(
    ("entete", "ligne", "attendu"),
    [
        ("Numéro;Statut;Date", "F1;En litige;20/01/2026", ("F1", "207", None)),
        ("invoice_number,status_code,timestamp,amount", "F1,212,2026-01-20T10:15:00Z,12.50", ("F1", "212", D("12.50"))),
        ("facture\tcode statut\tdate statut\tmontant", "F1\t210 - Refusée\t20260120101500\t", ("F1", "210", None)),
        ("numero;code;libelle_statut;date", "F1;205;Approuvée;2026-01-20 9:05", ("F1", "205", None)),
    ],
)
def test_les_tableaux_des_plateformes_se_reconnaissent(entete, ligne, attendu):
    contenu = f"{entete}\n{ligne}\n".encode()
    assert reconnaitre(examiner_fichier(contenu, "a")) == "statuts-fe"
    (lu,), _lot = lire(contenu)
    assert (lu.numero, lu.code, lu.montant) == attendu and lu.le == J


@pytest.mark.parametrize("entete", ["numero;date;montant_ttc", "numero;statut;date"])
def test_un_tableau_d_autre_chose_ne_se_prend_pas_pour_des_statuts(entete):
    from factures.imports.cycle_de_vie import reconnait

    assert reconnait(examiner_fichier(f"{entete}\nF1;payée;2026-01-20\n".encode(), "a")) == {}


@pytest.mark.parametrize(
    "contenu",
    [
        CDAR[:900], "<a/>", '<!DOCTYPE a [<!ENTITY x "y">]>' + CDAR.partition("?>")[2], "numero;statut\nF1;205\n",
        CDAR.replace("<a:ID>M1</a:ID>", "<a:x>" * 300 + "</a:x>" * 300),
        CDAR.partition("?>")[2].replace("<r:Exch", "<!-- " + "x" * 5000 + " --><r:Exch", 1).replace(">M1<", ">&x;<"),
    ],
)  # fmt: skip
def test_un_fichier_hostile_est_refuse(contenu):
    with pytest.raises(FichierRefuse):
        lire(contenu, "statuts-fe")


@settings(max_examples=60, deadline=None)
@given(st.integers(0, len(CDAR) - 1), st.binary(max_size=5))
def test_aucun_message_abime_ne_fait_tomber_la_lecture(ou, morceau):
    contenu = CDAR.encode()
    try:
        lire(contenu[:ou] + morceau + contenu[ou + len(morceau) :], "statuts-fe")
    except FichierRefuse:
        pass


@settings(max_examples=60, deadline=None)
@given(st.lists(st.lists(st.text(st.characters(codec="utf-8"), max_size=12), min_size=4, max_size=4), max_size=6))
def test_aucun_tableau_ne_fait_tomber_la_lecture(rangees):
    lignes = "\n".join(";".join(c) for c in rangees)
    try:
        lire(f"numero;statut;date;montant\n{lignes}\n", "statuts-fe")
    except FichierRefuse:
        pass


# --- Règles pures ------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("actuel", "nouveaux", "attendu"),
    [
        (None, [Recu("205", J)], "205"),
        (Recu("210", J), [Recu("205", date(2026, 1, 19))], None),
        (Recu("210", J), [Recu("250", date(2026, 2, 1)), Recu("999", date(2026, 2, 2))], None),
        (Recu("250", J), [Recu("205", date(2026, 1, 1))], "205"),
        (Recu("207", J, "1000"), [Recu("205", J, "0900")], None),
        (Recu("207", J, "1000"), [Recu("205", J, "1100")], "205"),
        (Recu("207", J), [Recu("205", J)], "205"),
        (None, [Recu("205", J), Recu("207", J)], "207"),
        (None, [], None),
    ],
)
def test_le_plus_recent_du_cycle_decide(actuel, nouveaux, attendu):
    choisi = decisif(actuel, nouveaux)
    assert (choisi.code if choisi else None) == attendu


def test_la_part_approuvee_se_retranche_du_ttc():
    assert part_contestee("206", D(800), "MAPTTC", ttc=D(1200), reste=D(1200)) == D(400)
    assert part_contestee("206", D(1200), "MAPTTC", ttc=D(1200), reste=D(1200)) is None
    assert part_contestee("210", D(1), "", ttc=D(1200), reste=D(0)) is None


@given(st.lists(st.integers(1, 10**7), min_size=1, max_size=6), st.data())
def test_une_repartition_tombe_juste_sans_depasser(centimes, data):
    restes = [D(c) / 100 for c in centimes]
    montant = D(data.draw(st.integers(1, sum(centimes)))) / 100
    parts = repartir(montant, restes)
    assert sum(parts) == montant and all(0 <= p <= r for p, r in zip(parts, restes, strict=True))


def test_ce_qui_contredit_le_compte():
    assert contredit([None], ttc=D(100), paye=D(30), reste=D(70)) == D(70)
    assert contredit([D(30)], ttc=D(100), paye=D(30), reste=D(70)) is None
    assert contredit([D(50), D(50)], ttc=D(100), paye=D(0), reste=D(0)) is None
