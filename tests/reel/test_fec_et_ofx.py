"""Un FEC et un OFX que personne n'a préparés, par l'écran : corriger deux propositions, accepter au clavier, défaire.

Le hasard, sa graine dite, écrit les deux fichiers et leur vérité : qui a payé quoi. Worker, Redis, Chromium réels.
"""

import random
from datetime import date, timedelta
from decimal import Decimal

import pytest
from django.db.models import F
from playwright.sync_api import expect

from factures.models import Echeance, Encaissement, Facture, Lot, MouvementBancaire
from recouvrement.comptes.models import Role
from tests.comptes.factories import SocieteFactory, UtilisateurFactory
from tests.factures.fec_essai import Fec

from .parcours import PATIENCE, Parcours
from .processus import jour_simule

pytestmark = [
    pytest.mark.reel,
    pytest.mark.timeout(300),
    pytest.mark.variables_inconnues_permises,
    pytest.mark.filterwarnings("ignore:Session-scoped fixtures defined as instance methods"),
]
GRAINE = 4_2026
NOMS = (
    "Ardoin Transports", "Brissac Peinture", "Cornouaille Greement", "Duvernay Menuiserie", "Estuaire Logistique",
    "Fontanelle Optique", "Grandlieu Conserves", "Hautecombe Papeterie",
)  # fmt: skip


class Hasard:
    """Les fichiers et leur vérité : {libellé du mouvement: {pièce: montant}}."""

    def __init__(self, au: date):
        self.r, self.au = random.Random(GRAINE), au
        self.fec, self.mouvements, self.verite = Fec(), [], {}
        for n, nom in enumerate(NOMS, 1):
            self._client(n, nom)

    def _client(self, n: int, nom: str) -> None:
        code, pieces = f"4110{n:03d}", []
        for k in range(self.r.randint(2, 4)):
            piece = f"FV{self.r.randrange(10_000, 99_999)}{n}{k}"
            montant = Decimal(self.r.randrange(8_000, 900_000)).scaleb(-2)
            jour = self.au - timedelta(days=self.r.randint(35, 120))
            debut = len(self.fec.lignes)
            self.fec.vente(code, piece, str(montant), quand=f"{jour:%Y%m%d}")
            for ligne in self.fec.lignes[debut:]:
                ligne[7] = nom if ligne[6] else ""
            pieces.append((piece, montant))
        piece, montant = self.r.choice(pieces)
        libelle = f"VIR SEPA {nom.upper()}" + (f" {piece}" if n % 2 else "")
        self.mouvements.append((libelle, montant))
        self.verite[libelle] = {piece: montant}

    def ofx(self) -> bytes:
        jour = f"{self.au - timedelta(days=2):%Y%m%d}"
        lignes = "".join(
            f"<STMTTRN><TRNTYPE>CREDIT<DTPOSTED>{jour}<TRNAMT>{montant}<FITID>{GRAINE}{n}<NAME>{libelle[:32]}"
            f"<MEMO>{libelle}</STMTTRN>"
            for n, (libelle, montant) in enumerate(self.mouvements)
        )
        total = sum(montant for _libelle, montant in self.mouvements)
        return (
            "OFXHEADER:100\nDATA:OFXSGML\nVERSION:102\nSECURITY:NONE\nENCODING:USASCII\nCHARSET:1252\nCOMPRESSION:NONE\n"
            "OLDFILEUID:NONE\nNEWFILEUID:NONE\n\n<OFX><SIGNONMSGSRSV1><SONRS><STATUS><CODE>0<SEVERITY>INFO</STATUS>"
            f"<DTSERVER>{jour}<LANGUAGE>FRA</SONRS></SIGNONMSGSRSV1><BANKMSGSRSV1><STMTTRNRS><TRNUID>1<STATUS><CODE>0"
            "<SEVERITY>INFO</STATUS><STMTRS><CURDEF>EUR<BANKACCTFROM><BANKID>30006<BRANCHID>00001<ACCTID>12345678901"
            f"<ACCTTYPE>CHECKING</BANKACCTFROM><BANKTRANLIST><DTSTART>{jour}<DTEND>{jour}{lignes}</BANKTRANLIST>"
            f"<LEDGERBAL><BALAMT>{total}<DTASOF>{jour}</LEDGERBAL></STMTRS></STMTTRNRS></BANKMSGSRSV1></OFX>"
        ).encode("cp1252")


@pytest.fixture
def societe(ouvrier):
    return SocieteFactory(siren="552100554")


@pytest.fixture
def p(societe, live_server, page) -> Parcours:
    parcours = Parcours(page, live_server.url)
    parcours.entrer(UtilisateurFactory(societe=societe, role=Role.RESPONSABLE, nom="Marc Delattre"))
    return parcours


def deposer(p: Parcours, nom: str, contenu: bytes) -> Lot:
    p.aller("factures:imports")
    p.page.locator("input[type=file]").first.set_input_files({"name": nom, "mimeType": "text/plain", "buffer": contenu})
    p.page.locator("form:has(input[type=file]) button[type=submit]").first.click()
    p.page.get_by_role("button", name="Importer ce fichier").click(timeout=PATIENCE)
    p.dit("Appliqué")
    return Lot.objects.order_by("-pk").first()


def test_deposer_corriger_accepter_au_clavier_puis_defaire(p, societe):
    au = jour_simule()
    hasard = Hasard(au)
    fec = deposer(p, f"552100554FEC{au.year}1231.txt", hasard.fec.texte().encode("iso-8859-15"))
    dus = {f.numero: f.montant_ttc for f in Facture.objects.all()}
    assert len(dus) >= 2 * len(NOMS)
    releve = deposer(p, "releve.ofx", hasard.ofx())
    assert MouvementBancaire.objects.count() == len(NOMS)

    corrigees = corriger_deux(p)
    accepter_le_reste_au_clavier(p)
    assert not MouvementBancaire.objects.filter(statut="a_rapprocher").exists()
    for m in MouvementBancaire.objects.all():
        imputees = {
            i.echeance.facture.numero: i.montant
            for e in m.encaissements.all() for i in e.imputations.select_related("echeance__facture")
        }  # fmt: skip
        if m.pk not in corrigees:
            voulu = next(v for libelle, v in hasard.verite.items() if libelle in m.libelle)
            assert imputees == voulu, m.libelle
        else:
            assert imputees == corrigees[m.pk]

    defaire_tout(p, releve, fec)
    assert not Encaissement.objects.exists() and not MouvementBancaire.objects.exists()
    assert not Facture.objects.exists() and not Echeance.objects.filter(impute__gt=F("montant")).exists()
    assert dict(p.fautes) == {}


def corriger_deux(p: Parcours) -> dict[int, dict]:
    """Deux propositions changées à la main : la somme va pour moitié à la première pièce, puis s'envoie au clavier."""
    corrigees = {}
    for m in list(MouvementBancaire.objects.order_by("pk")[:2]):
        p.aller("factures:rapprochement", v=m.pk)
        if m == MouvementBancaire.objects.order_by("pk").first():
            p.controler("rapprochement")
        champs = p.page.locator("input.saisie[name^=e]")
        expect(champs.first).to_be_visible(timeout=PATIENCE)
        moitie = (m.montant / 2).quantize(Decimal("0.01"))
        for rang in range(champs.count()):
            champs.nth(rang).fill("")
        cle = int(champs.first.get_attribute("name")[1:])
        champs.first.fill(str(moitie).replace(".", ","))
        p.page.keyboard.press("Control+Enter")
        p.dit("affectés à")
        corrigees[m.pk] = {Echeance.objects.get(pk=cle).facture.numero: moitie}
    return corrigees


def accepter_le_reste_au_clavier(p: Parcours) -> None:
    p.aller("factures:rapprochement")
    for reste in range(MouvementBancaire.objects.filter(statut="a_rapprocher").count(), 0, -1):
        p.dit(f"{reste} mouvement")
        expect(p.page.locator("#rapprochement-coeur form[data-principal]")).to_be_visible()
        p.page.keyboard.press("Enter")
    p.dit("Tout est rapproché")


def defaire_tout(p: Parcours, releve: Lot, fec: Lot) -> None:
    """L'import ne se défait pas sous ce qui s'est bâti dessus ; mouvement par mouvement, puis relevé, puis FEC."""
    p.aller("factures:import_defaire", releve.pk)
    expect(p.page.locator("main")).to_contain_text("mouvement", ignore_case=True)
    assert p.page.get_by_role("button", name="Défaire cet import").count() == 0
    for m in MouvementBancaire.objects.all():
        p.aller("factures:rapprochement", etat="rapproche", v=m.pk)
        p.page.locator("#rapprochement-coeur").get_by_role("button", name="Défaire", exact=True).click()
        p.dit("de nouveau à rapprocher")
    for lot in (releve, fec):
        p.aller("factures:import_defaire", lot.pk)
        p.page.get_by_role("button", name="Défaire cet import").click()
        p.dit("Défait")
