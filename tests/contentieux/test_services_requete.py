"""La requête : ce qui manque, le projet rendu, et le dossier en un fichier."""

import csv
import io
import zipfile
from datetime import timedelta
from decimal import Decimal
from html import unescape

import pytest
from django.core.exceptions import ValidationError
from django.urls import reverse

from clients.models import Client
from contentieux import services
from contentieux.models import Piece
from contentieux.services.requete import composer, diligences
from factures.models import Facture
from factures.services import renoncer
from recouvrement.commun import depot
from recouvrement.comptes.models import Role
from recouvrement.journal.models import Maillon
from relances.models import Courrier
from relances.rendu import lettres
from tests.comptes.factories import UtilisateurFactory
from tests.contentieux.factories import (
    AU,
    CourrierEnvoyeFactory,
    CreanceFactory,
    DebiteurFactory,
    DossierFactory,
    DossierPretFactory,
    completer_tout,
    pdf,
)
from tests.factures.factories import (
    AvoirFactory,
    EcheanceFactory,
    EncaissementFactory,
    ImputationFactory,
    LitigeFactory,
)

pytestmark = pytest.mark.django_db


def manques(dossier) -> dict[str, str]:
    dossier.refresh_from_db()
    return {p.cle: p.ou for p in services.manques(dossier, services.compter(dossier), au=AU)}


def test_un_dossier_neuf_dit_tout_ce_qui_manque_et_ou_le_corriger():
    dossier = DossierFactory(factures=1)
    contrat, facture, livraison = (dossier.pieces.get(genre=g) for g in ("contrat", "facture", "livraison"))
    assert manques(dossier) == {
        "debiteur": "dossier",
        f"piece:{contrat.pk}": f"piece:{contrat.pk}",
        f"piece:{facture.pk}": f"piece:{facture.pk}",
        f"piece:{livraison.pk}": f"piece:{livraison.pk}",
        "juridiction": "juridiction",
        "prescription": "prescription",
        "expose": "dossier",
    }


def test_un_dossier_complet_n_a_plus_de_manque():
    assert manques(DossierPretFactory()) == {}


@pytest.fixture
def pret():
    return DossierPretFactory(factures=1)


def echeance(dossier):
    return dossier.lignes.get().echeance


def tout_eteindre(dossier):
    ImputationFactory(echeance=echeance(dossier), date=AU)
    renoncer(echeance(dossier).facture, portee="tout", motif="payé", le=AU, acteur=dossier.ouvert_par)


@pytest.mark.parametrize(
    ("abimer", "cle", "ou"),
    [
        (lambda d: LitigeFactory(echeance=echeance(d), montant_conteste=1), "contestations", "litiges"),
        (lambda d: LitigeFactory(echeance=echeance(d), clos_le=AU), "contestations", "dossier"),
        (lambda d: Client.objects.update(jugement_ouverture_le=AU), "qualite", "client"),
        (lambda d: Client.objects.update(surendettement=True), "qualite", "client"),
        (lambda d: Client.objects.update(type="administration"), "qualite", "client"),
        (lambda d: Client.objects.update(forme=""), "debiteur", "client"),
        (lambda d: type(d.societe).objects.update(representant=""), "creancier", "creancier"),
        (lambda d: services.completer(d, par=d.ouvert_par, juridiction="judiciaire"), "juridiction", "juridiction"),
        (lambda d: services.completer(d, par=d.ouvert_par, tribunal=""), "juridiction", "juridiction"),
        (lambda d: services.completer(d, par=d.ouvert_par, competence_relue=False), "juridiction", "juridiction"),
        (lambda d: ImputationFactory(echeance=echeance(d), montant=10, date=AU + timedelta(1)), "montant", "decompte"),
        (tout_eteindre, "montant", "decompte"),
        (lambda d: services.completer(d, par=d.ouvert_par, arrete_au=AU.replace(year=2028)), "montant", "taux"),
        (lambda d: services.completer(d, par=d.ouvert_par, prescription_relue_le=None), "prescription", "prescription"),
        (lambda d: services.completer(d, par=d.ouvert_par, expose=" "), "expose", "dossier"),
    ],
)  # fmt: skip
def test_ce_qui_ferme_la_requete(pret, abimer, cle, ou):
    """Public, non-commerçant, procédure collective, contestation tue, pièce absente, décompte périmé : bloque."""
    abimer(pret)
    assert manques(pret) == {cle: ou}
    with pytest.raises(ValidationError):
        services.projet_de_requete(pret, par=pret.ouvert_par, au=AU)
    assert not Maillon.objects.filter(action="contentieux.requete_produite").exists()


def test_sans_mise_en_demeure_ni_derogation_la_requete_est_fermee():
    echeances = CreanceFactory(demeure=False, factures=1)
    dossier = DossierFactory(client=echeances[0].client, factures=1)
    dossier.lignes.update(echeance=echeances[0])
    assert manques(dossier)["mise_en_demeure"] == "client"


@pytest.mark.parametrize(("champs", "ou"), [({"retour": ""}, "poster"), ({"avis": False}, "piece")])
def test_l_avis_de_reception_se_saisit_et_se_joint(champs, ou):
    echeances = CreanceFactory(demeure=False, factures=1)
    courrier = CourrierEnvoyeFactory(echeances, **champs)
    par = UtilisateurFactory(societe=courrier.societe)
    dossier = services.ouvrir_dossier(courrier.client, [echeances[0].pk], par=par, au=AU, motif="x")
    assert manques(dossier)["mise_en_demeure"].startswith(ou)


def test_le_compte_additionne_principal_penalites_et_quarante_euros_par_facture():
    dossier = DossierFactory(factures=2)
    compte = services.compter(dossier)
    # 2 × 1 000 € ; échéances des 22 et 23/08/2026 : 90 et 89 jours à 12,40 %, arrondis chacun.
    assert str(compte.totaux.penalites) == "60.82"
    assert str(compte.totaux.indemnites) == "80.00"
    assert str(compte.totaux.a_payer) == "2140.82"
    assert compte.calculable


def test_un_particulier_doit_l_interet_legal_depuis_la_mise_en_demeure_recue_et_jamais_40_euros():
    """C. civ., art. 1344-1 ; droit.md § 4 : reçue le 26/10/2026, 25 jours à 2,75 %."""
    dossier = DossierFactory(client=DebiteurFactory(type="particulier", forme=""), factures=1)
    compte = services.compter(dossier)
    assert [(str(s.taux), s.jours, str(s.interets)) for x in compte.lignes for s in x.segments] == [
        ("2.75", 25, "1.88")
    ]
    assert (str(compte.totaux.a_payer), compte.totaux.indemnites) == ("1001.88", 0)


def test_sans_mise_en_demeure_recue_un_particulier_ne_doit_que_le_principal():
    dossier = DossierFactory(client=DebiteurFactory(type="particulier", forme=""), factures=1)
    Courrier.objects.filter(client=dossier.client).update(retour=Courrier.Retour.NPAI)
    assert str(services.compter(dossier).totaux.a_payer) == "1000.00"


def test_une_piece_reglee_au_principal_reste_au_dossier_pour_ce_que_le_paiement_laisse():
    """C. civ., art. 1343-1 : payés d'abord, les intérêts laissent du principal dû, et les 40 € avec (droit.md § 17)."""
    dossier = DossierFactory(factures=2)
    payee, autre = [ligne.echeance for ligne in dossier.lignes.order_by("pk")]
    jour = AU - timedelta(days=1)
    avant = services.compter(dossier).totaux.a_payer
    ImputationFactory(
        echeance=payee, encaissement=EncaissementFactory(client=dossier.client, montant=1000, date=jour), montant=1000,
        date=jour,
    )  # fmt: skip
    compte = services.compter(dossier)
    reste = next(x for x in compte.lignes if x.numero == payee.facture.numero)
    assert (reste.reste_du, reste.indemnite) == (0, 40) and reste.principal == reste.interets_regles > 0
    assert compte.totaux.a_payer == avant - 1000 - Decimal("0.33"), "un jour d'intérêts de moins sur 1 000 €"

    renoncer(payee.facture, portee="tout", motif="geste", le=AU, acteur=dossier.ouvert_par)
    assert [x.numero for x in services.compter(dossier).lignes] == [autre.facture.numero], "plus rien n'en est dû"


def test_l_ecran_d_ouverture_dit_ce_que_doivent_encore_les_pieces_reglees(client):
    (echeance,) = CreanceFactory(factures=1)
    reglee = EcheanceFactory(client=echeance.client, echue_le=AU - timedelta(days=90))
    ImputationFactory(
        echeance=reglee, encaissement=EncaissementFactory(client=echeance.client, montant=reglee.montant, date=AU),
        montant=reglee.montant, date=AU,
    )  # fmt: skip
    client.force_login(UtilisateurFactory(societe=echeance.societe, role=Role.RESPONSABLE))
    page = client.get(reverse("contentieux:ouvrir", args=[echeance.client_id])).content.decode()
    assert "1 échéance réglée au principal doit encore" in page and "reglees=1" in page


def test_le_dossier_arrete_dans_le_passe_ignore_ce_qui_l_a_suivi():
    """Un règlement et un avoir d'après l'arrêté ne s'en déduisent pas ; une pièce réglée depuis y était due."""
    dossier = DossierFactory(factures=1)
    avant = services.compter(dossier).totaux.a_payer
    EncaissementFactory(client=dossier.client, montant=300, date=AU + timedelta(days=1))
    AvoirFactory(client=dossier.client, montant=100, date_emission=AU + timedelta(days=2))
    echeance = dossier.lignes.get().echeance
    paye = EncaissementFactory(client=dossier.client, montant=1000, date=AU + timedelta(days=3))
    ImputationFactory(echeance=echeance, encaissement=paye, montant=1000, date=AU + timedelta(days=3))
    compte = services.compter(dossier)
    assert (compte.totaux.a_payer, compte.a_affecter) == (avant, 0)
    assert compte.notes == ("Les règlements et avoirs postérieurs à l’arrêté n’y sont pas comptés.",)


def test_le_projet_porte_les_parties_le_montant_les_pieces_et_la_mention_a_signer():
    dossier = DossierPretFactory()
    html = unescape(lettres.rendre_requete_html(composer(dossier, au=AU))).replace("\u00a0", " ")
    for attendu in (
        "Projet à relire, à compléter et à signer",
        "tribunal des activités économiques de Lyon",
        dossier.client.raison_sociale,
        "Agathe Delorme, gérante",
        "mise en demeure du 21 octobre 2026",
        "Aucune contestation n’a été reçue.",
        "Facture F2026-",
        "2 000,00 €",
        "80,00 €",
    ):
        assert attendu in html, attendu


def test_les_diligences_sont_celles_des_courriers_partis():
    dossier = DossierFactory(factures=1)
    texte = diligences(dossier).replace("\u00a0", " ")
    assert texte == (
        "rappel du 21 septembre 2026, mise en demeure du 21 octobre 2026, présentée le 23 octobre 2026, distribuée"
    )


def test_une_contestation_close_s_expose_et_la_formule_disparait(pret):
    LitigeFactory(echeance=echeance(pret), clos_le=AU)
    assert composer(pret, au=AU).contestations == ""
    services.completer(pret, par=pret.ouvert_par, contestations="Le débiteur a contesté le prix, puis y a renoncé.")
    pret.refresh_from_db()
    assert manques(pret) == {}
    assert "renoncé" in composer(pret, au=AU).contestations


def test_un_litige_sur_l_autre_echeance_de_la_facture_retire_la_formule(pret):
    """« Aucune contestation reçue » : un fait lu, jamais une formule (droit.md § 17)."""
    assert "Aucune contestation" in composer(pret, au=AU).contestations
    soeur = EcheanceFactory(facture=echeance(pret).facture, echue_le=AU + timedelta(days=30), montant=100)
    litige = LitigeFactory(echeance=soeur, montant_conteste=1)
    assert composer(pret, au=AU).contestations == ""
    assert manques(pret) == {"contestations": "litiges"}
    type(litige).objects.update(clos_le=AU)
    assert manques(pret) == {"contestations": "dossier"}


@pytest.mark.parametrize(
    ("statut", "ou"),
    [("206", "dossier"), ("207", "client"), ("208", "client"), ("210", "client"), ("213", "client"), ("205", None)],
)
def test_un_statut_de_plateforme_qui_conteste_retire_la_formule(pret, statut, ou):
    """droit.md § 12 : 206, 207, 208, 210 et 213 disent que le client conteste, refuse ou attend une pièce."""
    Facture.objects.update(statut_fe=statut)
    assert bool(composer(pret, au=AU).contestations) is (ou is None)
    assert manques(pret) == ({"contestations": ou} if ou else {})
    services.completer(pret, par=pret.ouvert_par, contestations="Le débiteur conteste le prix de la pose.")
    pret.refresh_from_db()
    assert manques(pret) == ({"contestations": ou} if ou == "client" else {})


def test_le_signataire_est_le_representant_ou_celui_qui_a_recu_pouvoir(pret):
    assert composer(pret, au=AU).signataire.nom == pret.societe.representant
    pret.pouvoir = "Claire Bonnet, responsable du recouvrement (pièce 9)"
    assert composer(pret, au=AU).signataire.nom == pret.societe.signataire_nom


def test_produire_la_requete_range_le_pdf_et_l_ecrit_au_journal(pret):
    octets = services.projet_de_requete(pret, par=pret.ouvert_par, au=AU)
    pret.refresh_from_db()
    assert octets.startswith(b"%PDF-")
    assert depot.lire(pret.requete_chemin, pret.requete_empreinte) == octets
    assert pret.requete_le == AU
    maillon = Maillon.objects.get(action="contentieux.requete_produite")
    assert maillon.detail.donnees["empreinte"] == pret.requete_empreinte


def test_le_premier_jet_de_l_expose_renvoie_aux_pieces():
    dossier = DossierFactory(factures=1)
    texte = services.proposer_expose(dossier).replace("\u00a0", " ")
    assert "la fourniture de mobilier d'agencement (pièce 1)" in texte
    assert "(pièce 2), à échéance du" in texte and "1 000,00 €" in texte


# --- Le zip ----------------------------------------------------------------------------------------


def ouvrir_zip(dossier) -> zipfile.ZipFile:
    sortie = io.BytesIO()
    services.archiver(dossier, sortie, au=AU)
    return zipfile.ZipFile(sortie)


def test_exigence_35_le_dossier_tient_dans_un_fichier(pret):
    services.projet_de_requete(pret, par=pret.ouvert_par, au=AU)
    pret.refresh_from_db()
    archive = ouvrir_zip(pret)
    noms = archive.namelist()
    assert {"requete-projet.pdf", "decompte.pdf", "bordereau.csv", "chronologie.csv"} <= set(noms)
    jointes = pret.pieces.exclude(chemin="")
    assert sum(n.startswith("pieces/") for n in noms) == jointes.count() == 6
    for piece in jointes:
        (nom,) = [n for n in noms if n.startswith(f"pieces/{piece.numero:02d} ")]
        assert archive.read(nom) == depot.lire(piece.chemin, piece.empreinte)
    assert archive.testzip() is None


def test_la_chronologie_du_zip_va_de_la_facture_au_dossier(pret):
    texte = ouvrir_zip(pret).read("chronologie.csv").decode("utf-8-sig")
    lignes = list(csv.reader(io.StringIO(texte), delimiter=";"))
    faits = [fait for _jour, fait, _preuve in lignes[1:]]
    assert faits[0].startswith("Facture F2026-")
    assert any("Mise en demeure" in f for f in faits) and any("CX-2026-001 ouvert" in f for f in faits)
    jours = [ligne[0] for ligne in lignes[1:]]
    assert jours == sorted(jours)


def test_une_formule_dans_une_designation_devient_du_texte_dans_le_csv(pret):
    Piece.objects.filter(dossier=pret, genre="contrat").update(designation="=1+1")
    archive = ouvrir_zip(pret)
    assert "'=1+1" in archive.read("bordereau.csv").decode()


def test_un_nom_de_piece_hostile_ne_sort_pas_du_zip(pret):
    Piece.objects.filter(dossier=pret, genre="contrat").update(designation="../../etc/passwd \u202efdp.exe")
    noms = ouvrir_zip(pret).namelist()
    assert all(".." not in nom and nom.count("/") <= 1 for nom in noms)


def test_une_piece_alteree_empeche_l_export_et_se_nomme(pret, settings):
    piece = pret.pieces.get(genre="contrat")
    fichier = settings.DEPOT / piece.chemin
    fichier.chmod(0o640)
    fichier.write_bytes(pdf())
    with pytest.raises(ValidationError, match="Contrat"):
        services.archiver(pret, io.BytesIO(), au=AU)


def test_un_dossier_incomplet_s_exporte_et_dit_ce_qui_est_a_joindre():
    dossier = DossierFactory(factures=1)
    bordereau = ouvrir_zip(dossier).read("bordereau.csv").decode("utf-8-sig")
    assert bordereau.count("à joindre") == 3
    completer_tout(dossier)
    assert "à joindre" not in ouvrir_zip(dossier).read("bordereau.csv").decode("utf-8-sig")


def test_une_clause_sous_le_plancher_ferme_le_dossier_jusqu_au_choix():
    """Droit.md § 1 : le taux de remplacement n'est pas tranché, une personne choisit."""
    dossier = DossierFactory(client=DebiteurFactory(taux_penalites="5.00"), factures=1)
    compte = services.compter(dossier)
    assert not compte.calculable and "choisissez d'abord" in services.refus_du_calcul(compte)
    Client.objects.filter(pk=dossier.client_id).update(sous_plancher="stipule")
    dossier = type(dossier).objects.get(pk=dossier.pk)
    assert services.compter(dossier).calculable
