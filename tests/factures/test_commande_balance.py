"""manage.py balance_agee : le contrat, et des fichiers qu'un tableur ouvre sans danger."""

import json
from datetime import date, timedelta
from decimal import Decimal
from io import BytesIO, StringIO

import pytest
from django.core.management import CommandError, call_command
from django.utils import timezone
from python_calamine import CalamineWorkbook

from clients.models import Client
from factures import exports
from recouvrement.commun import pdf
from tests.clients.factories import ClientFactory
from tests.comptes.factories import SocieteFactory, UtilisateurFactory

from .factories import EcheanceFactory, EncaissementFactory

pytestmark = pytest.mark.django_db
AU = date(2026, 10, 31)


def commande(**options):
    sortie = StringIO()
    call_command("balance_agee", stdout=sortie, **{"au": AU} | options)
    return sortie.getvalue()


@pytest.fixture
def grand_livre():
    """Deux sociétés ; chez la première, deux clients, deux devises et un crédit."""
    une, deux = SocieteFactory(code="une", raison_sociale="Une SAS"), SocieteFactory(code="deux")
    claire = UtilisateurFactory(societe=une, nom="Claire Bonnet", courriel="claire@x.example")
    alpha = ClientFactory(societe=une, code="A", raison_sociale="Alpha; « et » fils", gestionnaire=claire)
    beta = ClientFactory(societe=une, code="B", raison_sociale="=HYPERLINK(1)")
    for retard, montant in ((-5, "100.00"), (10, "20.50"), (45, "3.00"), (75, "4.00"), (200, "1234.56")):
        EcheanceFactory(client=alpha, echue_le=AU - timedelta(days=retard), montant=montant)
    EcheanceFactory(client=alpha, echue_le=AU - timedelta(days=1), montant=7, devise="USD")
    EncaissementFactory(client=beta, montant="42.10", date=AU)
    EcheanceFactory(client=ClientFactory(societe=deux, code="Z"), montant=9)
    return une


ALPHA = 'A;"Alpha; « et » fils";EUR;100.00;20.50;3.00;4.00;1234.56;0.00;1362.06'
DOLLARS = 'A;"Alpha; « et » fils";USD;0.00;7.00;0.00;0.00;0.00;0.00;7.00'
BETA = "B;'=HYPERLINK(1);EUR;0.00;0.00;0.00;0.00;0.00;-42.10;-42.10"


def test_le_csv_suit_le_contrat_au_caractere_pres(grand_livre):
    entete, *lignes = commande(societe="une").splitlines()
    assert entete == "code;nom;devise;non_echu;j1_30;j31_60;j61_90;j91_plus;a_imputer;encours"
    assert lignes == [ALPHA, DOLLARS, BETA]


def test_sans_societe_toutes_y_sont_et_une_societe_inconnue_se_refuse(grand_livre):
    assert len(commande().splitlines()) == 1 + 4
    with pytest.raises(CommandError, match="inconnue") as refus:
        commande(societe="trois")
    assert refus.value.returncode == 2


def test_par_gestionnaire_chaque_devise_a_sa_ligne(grand_livre):
    lignes = commande(societe="une", par="gestionnaire").splitlines()[1:]
    assert [ligne.split(";")[:3] for ligne in lignes] == [
        ["claire@x.example", "Claire Bonnet", "EUR"],
        ["claire@x.example", "Claire Bonnet", "USD"],
        ["", "Sans gestionnaire", "EUR"],
    ]


def test_le_json_donne_des_chaines_a_deux_decimales_et_l_ecart_de_controle(grand_livre):
    objet = json.loads(commande(societe="une", format="json"))
    assert (objet["au"], objet["par"], len(objet["lignes"])) == ("2026-10-31", "client", 3)
    euros, dollars = objet["totaux"]
    assert (euros["devise"], euros["encours"], euros["a_imputer"], euros["ecart"]) == (
        "EUR",
        "1319.96",
        "-42.10",
        "0.00",
    )
    assert (dollars["encours"], dollars["clients"]) == ("7.00", 1)


def test_une_base_vide_donne_un_entete_seul():
    assert len(commande().splitlines()) == 1
    assert json.loads(commande(format="json"))["lignes"] == []


def test_sans_date_c_est_aujourd_hui():
    demain = timezone.localdate() + timedelta(days=1)
    EcheanceFactory(echue_le=demain, montant=5)
    assert len(commande(au=None).splitlines()) == 2
    EcheanceFactory(echue_le=demain, date_facture=demain, montant=5)
    assert len(commande(au=None).splitlines()) == 2  # facturée demain


def etat(par="client", **options):
    return exports.etablir(Client.objects.filter(societe__code="une"), au=AU, par=par, **options)


def test_le_classeur_a_une_feuille_par_gestionnaire_et_aucune_formule_venue_d_un_nom(grand_livre):
    classeur = CalamineWorkbook.from_filelike(BytesIO(exports.xlsx_balance(etat("gestionnaire"))))
    assert classeur.sheet_names == ["Balance", "Claire Bonnet EUR", "Claire Bonnet USD", "Sans gestionnaire EUR"]
    rangees = classeur.get_sheet_by_name("Sans gestionnaire EUR").to_python()
    ligne = next(r for r in rangees if r[0] == "B")
    assert ligne[1] == "=HYPERLINK(1)"  # texte, pas formule
    assert ligne[8:] == [-42.1, -42.1]


def test_le_total_du_classeur_est_une_formule_par_devise(grand_livre, tmp_path):
    import zipfile

    octets = exports.xlsx_balance(etat())
    feuille = zipfile.ZipFile(BytesIO(octets)).read("xl/worksheets/sheet1.xml").decode()
    assert 'SUMIF($C$5:$C$7,"EUR",J$5:J$7)' in feuille.replace("&quot;", '"')
    assert "HYPERLINK(1)</f>" not in feuille


def test_deux_groupes_de_meme_nom_ont_deux_feuilles():
    pris = set()
    noms = [
        exports._nom_de_feuille(n, pris) for n in ("Ventes/Export [1]", "ventes-export -1-", "x" * 40, "x" * 40, "'")
    ]
    assert noms == ["Ventes-Export -1-", "ventes-export -1- (2)", "x" * 31, "x" * 27 + " (2)", "Feuille"]


@pytest.mark.parametrize("texte", ["=1+1", "+33", "-2", "@x", "\tx", "\rx"])
def test_un_texte_qui_ferait_formule_est_neutralise(texte):
    assert exports.inoffensif(texte) == f"'{texte}"
    assert exports.inoffensif(f"a{texte}") == f"a{texte}"


@pytest.mark.skipif(not pdf.disponible(), reason="Pango absent")
def test_le_pdf_imprime_titre_total_controle_et_pieces(grand_livre):
    from pypdf import PdfReader

    document = exports.pdf_balance(etat("gestionnaire", pieces_max=100, societe="Une SAS"), edite_le=timezone.now())
    texte = " ".join(page.extract_text() for page in PdfReader(BytesIO(document)).pages).replace("\xa0", " ")
    page = PdfReader(BytesIO(document)).pages[0].mediabox
    assert page.width > page.height
    for attendu in ("Balance âgée au 31/10/2026", "Une SAS", "Claire Bonnet", "1 234,56", "1 319,96", "écart 0,00",
                    "F2026-", "VIR-", "page 1 / 1"):  # fmt: skip
        assert attendu in texte, attendu


def test_un_pdf_illisible_se_refuse(grand_livre, monkeypatch):
    monkeypatch.setattr(exports, "LIGNES_PDF_MAX", 2)
    with pytest.raises(CommandError, match="ne se lirait pas") as refus:
        commande(societe="une", format="pdf")
    assert refus.value.returncode == 1


def test_la_liste_des_pieces_ne_se_joint_qu_en_dessous_du_plafond(grand_livre):
    assert etat(pieces_max=5).pieces == {}
    detail = etat(pieces_max=6).pieces
    (cle,) = [c for c in detail if c[1] == "USD"]
    (piece,) = detail[cle]
    assert (piece.rang, piece.montant, piece.cellules[1]) == (1, 7, 7)
    (credit,) = [p for pieces in detail.values() for p in pieces if p.rang == 5]
    assert credit.montant == Decimal("-42.10")


def test_la_commande_ecrit_dans_le_fichier_demande(grand_livre, tmp_path):
    commande(societe="une", format="xlsx", sortie=str(tmp_path / "b.xlsx"))
    assert (tmp_path / "b.xlsx").read_bytes()[:2] == b"PK"
