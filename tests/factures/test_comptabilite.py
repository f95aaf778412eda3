"""De la base aux écritures d'une période, et les écrans qui les sortent."""

import csv
from datetime import date, timedelta
from decimal import Decimal
from io import StringIO

import pytest
from django.core.exceptions import ValidationError
from django.db import connection
from django.test.utils import CaptureQueriesContext
from django.urls import reverse

from factures.domaine.ecritures import CompteAbsent
from factures.models import AffectationAccessoires, Avoir, CompteComptable, Douteux, NatureAvoir
from factures.services import imputer, imputer_avoir
from factures.services.comptabilite import ecritures
from factures.services.douteux import passer, reprendre
from recouvrement.commun.horloge import aujourd_hui
from tests.clients.factories import ClientFactory
from tests.comptes.factories import SocieteFactory, UtilisateurFactory
from tests.factures.factories import EcheanceFactory, EncaissementFactory

AU = date(2026, 11, 20)
DU = date(2026, 1, 1)


@pytest.fixture
def societe(db):
    return SocieteFactory()


@pytest.fixture
def echeance(societe):
    client = ClientFactory(societe=societe, type="entreprise")
    e = EcheanceFactory(client=client, societe=societe, montant=Decimal("1200.00"), echue_le=date(2026, 3, 1))
    type(e.facture).objects.update(montant_ht=Decimal("1000.00"), montant_tva=Decimal("200.00"))
    e.facture.refresh_from_db()
    return e


def resume(lues):
    return [(e.cle.split(":")[-1], [(x.compte, x.debit - x.credit) for x in e.lignes]) for e in lues]


def douter(echeance, **options):
    defaut = {"le": date(2026, 6, 30), "taux": Decimal(50), "motif": "Mise en demeure sans réponse"}
    return passer(echeance.facture, **(defaut | options), au=AU, acteur=None)


def test_une_creance_douteuse_donne_ses_deux_ecritures(societe, echeance):
    imputer(EncaissementFactory(client=echeance.client, montant=Decimal(200), date=date(2026, 5, 1)),
            [(echeance, Decimal(200))], au=date(2026, 5, 1), cle="a", acteur=None)  # fmt: skip
    douter(echeance)
    assert resume(ecritures(societe, du=DU, au=AU)) == [
        ("416", [("416000", Decimal("1000.00")), ("411000", Decimal("-1000.00"))]),
        ("491", [("681740", Decimal("416.67")), ("491000", Decimal("-416.67"))]),
    ]
    assert ecritures(societe, du=date(2026, 7, 1), au=AU) == []


def test_la_reprise_compte_ce_qui_a_ete_paye_depuis(societe, echeance):
    douteux = douter(echeance)
    imputer(EncaissementFactory(client=echeance.client, montant=Decimal(1000), date=date(2026, 8, 1)),
            [(echeance, Decimal(1000))], au=date(2026, 8, 1), cle="a", acteur=None)  # fmt: skip
    assert reprendre(douteux, le=date(2026, 9, 1), au=AU, acteur=None)
    assert not reprendre(douteux, le=date(2026, 9, 1), au=AU, acteur=None)  # double clic
    lues = dict(resume(ecritures(societe, du=DU, au=AU)))
    assert lues["R416"] == [("411000", Decimal("200.00")), ("416000", Decimal("-200.00"))]
    assert lues["R491"] == [("491000", Decimal("500.00")), ("781740", Decimal("-500.00"))]


@pytest.mark.parametrize(
    "champs",
    [{"motif": "  "}, {"le": AU + timedelta(days=1)}, {"le": date(2020, 1, 1)}],
    ids=["motif", "futur", "avant"],
)
def test_un_passage_impossible_se_refuse(echeance, champs):
    with pytest.raises(ValidationError):
        douter(echeance, **champs)
    assert not Douteux.objects.exists()


def test_deux_passages_n_en_font_qu_un(echeance):
    assert douter(echeance) == douter(echeance)
    assert Douteux.objects.count() == 1


def test_les_penalites_percues_demandent_leur_compte(societe, echeance):
    encaissement = EncaissementFactory(client=echeance.client, montant=Decimal(1500), date=date(2026, 10, 1))
    imputer(encaissement, [(echeance, Decimal(1200))], au=date(2026, 10, 1), cle="a", acteur=None,
            accessoires=[(echeance.facture_id, Decimal("50.00"))])  # fmt: skip
    assert AffectationAccessoires.objects.count() == 1
    with pytest.raises(CompteAbsent) as absent:
        ecritures(societe, du=DU, au=AU)
    assert "interets" in absent.value.usages
    for usage, numero in (("interets", "763800"), ("indemnite", "758800")):
        CompteComptable.objects.create(societe=societe, usage=usage, numero=numero)
    ((_cle, lignes),) = resume(ecritures(societe, du=DU, au=AU))
    assert lignes[0] == ("411000", Decimal("50.00"))
    assert sum(m for _c, m in lignes) == 0  # les intérêts d'abord, puis les 40 €


def test_l_escompte_de_deux_factures_suit_la_tva_de_chacune(societe, echeance):
    """CGI, art. 267 II : la base de chaque facture baisse à son taux ; l'accord solde la plus ancienne d'abord."""
    autre = EcheanceFactory(
        client=echeance.client, societe=societe, montant=Decimal("1055.00"), echue_le=date(2026, 3, 2)
    )
    type(autre.facture).objects.filter(pk=autre.facture_id).update(montant_ht=1000, montant_tva=55)
    avoir = Avoir.objects.create(
        societe=societe, client=echeance.client, numero="ACC-1", cle_source="accord-1", date_emission=AU,
        montant=Decimal("225.50"), nature=NatureAvoir.ESCOMPTE,
    )  # fmt: skip
    imputer_avoir(
        avoir, [(echeance, Decimal("120.00")), (autre, Decimal("105.50"))], au=AU, cle="accord-1", acteur=None
    )
    lues = ecritures(societe, du=DU, au=AU)
    assert all(e.equilibree for e in lues) and {e.piece for e in lues} == {
        echeance.facture.numero, autre.facture.numero
    }  # fmt: skip
    lignes = [[(x.compte, x.debit - x.credit) for x in e.lignes] for e in lues]
    assert [("665000", 100), ("445710", 20), ("411000", -120)] in lignes
    assert [("665000", 100), ("445710", Decimal("5.50")), ("411000", Decimal("-105.50"))] in lignes


def test_un_escompte_et_un_ecart_reduisent_le_client(societe, echeance):
    for nature, montant in ((NatureAvoir.ESCOMPTE, "24.00"), (NatureAvoir.ECART, "0.03")):
        avoir = Avoir.objects.create(
            societe=societe, client=echeance.client, cle_source=f"x:{nature}", numero=str(nature), nature=nature,
            date_emission=date(2026, 4, 1), montant=Decimal(montant),
        )  # fmt: skip
        imputer_avoir(avoir, [(echeance, Decimal(montant))], au=date(2026, 4, 1), cle=str(nature), acteur=None)
    assert [lignes for _c, lignes in resume(ecritures(societe, du=DU, au=AU))] == [
        [("665000", Decimal("20.00")), ("445710", Decimal("4.00")), ("411000", Decimal("-24.00"))],
        [("658000", Decimal("0.03")), ("411000", Decimal("-0.03"))],
    ]


def test_le_nombre_de_requetes_ne_depend_pas_du_nombre_de_creances(societe):
    def compter():
        with CaptureQueriesContext(connection) as lues:
            ecritures(societe, du=DU, au=AU)
        return len(lues)

    def une():
        douter(EcheanceFactory(client=ClientFactory(societe=societe), societe=societe, echue_le=date(2026, 3, 1)))

    une()
    un = compter()
    for _ in range(19):
        une()
    assert compter() == un and len(ecritures(societe, du=DU, au=AU)) == 40


# --- Écrans ---------------------------------------------------------------------------------------


def connecter(client, societe, role="responsable"):
    client.force_login(UtilisateurFactory(role=role, societe=societe))


def test_l_export_se_lit_en_csv_et_a_la_forme_du_fec(client, societe, echeance):
    douter(echeance)
    connecter(client, societe)
    periode = {"societe": societe.pk, "du": "2026-01-01", "au": "2026-11-20"}
    reponse = client.get(reverse("factures:ecritures"), periode | {"forme": "csv"})
    lignes = list(csv.reader(StringIO(b"".join(reponse.streaming_content).decode()[1:]), delimiter=";"))
    assert len(lignes) == 5 and lignes[1][3] == "416000" and lignes[1][7] == "1200,00"
    reponse = client.get(reverse("factures:ecritures"), periode | {"forme": "fec"})
    rangees = b"".join(reponse.streaming_content).decode().splitlines()
    assert rangees[0].startswith("JournalCode\t") and {r.count("\t") for r in rangees} == {17}


def test_un_compte_absent_arrete_l_export_et_se_nomme(client, societe, echeance):
    encaissement = EncaissementFactory(client=echeance.client, montant=Decimal(1500), date=date(2026, 10, 1))
    imputer(encaissement, [(echeance, Decimal(1200))], au=date(2026, 10, 1), cle="a", acteur=None,
            accessoires=[(echeance.facture_id, Decimal("50.00"))])  # fmt: skip
    connecter(client, societe)
    periode = {"societe": societe.pk, "du": "2026-01-01", "au": "2026-11-20", "forme": "csv"}
    reponse = client.get(reverse("factures:ecritures"), periode, follow=True)
    assert "pénalités de retard perçues" in reponse.content.decode()


def test_un_portefeuille_ne_fait_pas_une_comptabilite(client, societe, echeance):
    connecter(client, societe, "gestionnaire")
    periode = {"societe": societe.pk, "du": "2026-01-01", "au": "2026-11-20", "forme": "csv"}
    assert client.get(reverse("factures:ecritures"), periode).status_code == 303
    connecter(client, SocieteFactory())
    assert client.get(reverse("factures:ecritures"), periode).status_code == 303


def test_l_administrateur_donne_les_comptes(client, societe):
    url = reverse("factures:comptes_comptables", args=[societe.pk])
    connecter(client, societe, "responsable")
    assert client.get(url).status_code == 403
    connecter(client, societe, "administrateur")
    assert client.post(url, {"interets": "76 38"}).status_code == 422
    assert client.post(url, {"interets": "763800"}).status_code == 303
    assert CompteComptable.objects.get().numero == "763800"
    client.post(url, {"interets": ""})
    assert not CompteComptable.objects.exists()


def test_passer_et_reprendre_par_l_ecran(client, societe, echeance):
    connecter(client, societe)
    jour = f"{aujourd_hui():%Y-%m-%d}"
    fiche = reverse("factures:fiche", args=[echeance.facture_id])
    assert "Passer en douteux" in client.get(fiche).content.decode()
    client.post(
        reverse("factures:douteux_passer", args=[echeance.facture_id]), {"le": jour, "taux": "50", "motif": "x"}
    )
    douteux = Douteux.objects.get()
    assert "dépréciée à 50" in client.get(fiche).content.decode()
    assert echeance.facture.numero in client.get(reverse("factures:comptabilite")).content.decode()
    client.post(reverse("factures:douteux_reprendre", args=[douteux.pk]), {"le": jour})
    douteux.refresh_from_db()
    assert douteux.repris_le == aujourd_hui()
