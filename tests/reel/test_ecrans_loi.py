"""Les écrans de la loi et de l'échelle, remplis : accessibles, sans débord, en clair et en sombre, de 320 à 1440 px."""

from datetime import timedelta

import pytest
from django.urls import reverse

from contentieux import services as contentieux
from contentieux.models import DossierContentieux, Piece
from factures.domaine.calendrier import jour_ouvre_suivant
from factures.services.renonciations import renoncer
from recouvrement.commun.horloge import aujourd_hui
from relances.domaine.natures import Nature
from relances.rendu.livres import Genre, TypeDebiteur
from relances.services import lots, modeles, postes
from relances.views.modeles import cle_de
from tests.clients.factories import ClientFactory
from tests.contentieux.factories import AU, CourrierEnvoyeFactory, CreanceFactory, DebiteurFactory, DossierFactory, pdf
from tests.factures.factories import EcheanceFactory, ImputationFactory
from tests.relances.postaux import a_poster

from .test_ecrans import connexion, constater, equipe, pytestmark  # noqa: F401


@pytest.fixture
def societe(equipe, settings, tmp_path):  # noqa: F811
    settings.DEPOT = tmp_path / "depot"
    return equipe.affectations.get().societe


def verifier(page, racine: str, chemins: list[str]) -> None:
    fautes = {}
    for chemin in chemins:
        assert page.request.get(racine + chemin).status == 200, chemin
        fautes |= constater(page, racine + chemin)
    assert fautes == {}


@pytest.mark.timeout(300)
def test_les_ecrans_de_la_poste(connexion, live_server, equipe, societe):  # noqa: F811
    """Un lot à numéroter, un lot déposé dont les avis reviennent, la saisie à la chaîne, les plis et leurs retours."""
    au = jour_ouvre_suivant(aujourd_hui() - timedelta(days=20))
    courriers = a_poster(societe, 6, par=equipe, au=au)
    depose = lots.creer(societe, [c.pk for c in courriers[:4]], par=equipe)
    neuf = lots.creer(societe, [c.pk for c in courriers[4:5]], par=equipe)
    for lot in (depose, neuf):
        assert lots.composer(lot.pk, au=au)
    issues = ["distribue", "non_reclame", "npai", ""]
    for n, (courrier, retour) in enumerate(zip(courriers[:4], issues, strict=True)):
        postes.poster(courrier, par=equipe, depose_le=au, numero_suivi=f"2C1234567890{n}", preuve=(pdf(), ".pdf"))
        if retour:
            postes.consigner_retour(courrier, par=equipe, retour=retour, retour_le=au, presente_le=au)
    ce_soir = reverse("relances:ce_soir")
    chemins = [f"{ce_soir}?v={vue}" for vue in ("poster", "retours", "envoye", "erreur")]
    chemins += [reverse(f"relances:{nom}") for nom in ("lots", "retours_chaine")]
    chemins += [reverse("relances:lot", args=[lot.pk]) for lot in (depose, neuf)]
    chemins += [reverse("relances:courrier", args=[c.pk]) for c in courriers[1:]]
    verifier(connexion, live_server.url, chemins)


@pytest.mark.timeout(300)
def test_les_ecrans_des_modeles(connexion, live_server, equipe, societe):  # noqa: F811
    """La liste, le texte livré, une version publiée, un brouillon, ce qui les sépare ; lettre, courriel et SMS."""
    sms = Genre(Nature.RAPPEL_COURTOIS, TypeDebiteur.PARTICULIER, "sms", "fr")
    chemins = [reverse("relances:modeles"), reverse("relances:modele_livre", args=[societe.pk, cle_de(sms)])]
    for support, langue in (("lettre", "fr"), ("courriel", "en")):
        genre = Genre(Nature.FORMALISATION, TypeDebiteur.ENTREPRISE, support, langue)
        version = modeles.personnaliser(societe, genre, par=equipe)
        textes = modeles.textes_complets(version)
        textes["politesse"] += " À bientôt."
        modeles.enregistrer(version, textes=textes, par=equipe)
        modeles.publier(version, par=equipe, au=aujourd_hui())
        modeles.ouvrir_brouillon(version.modele, par=equipe)
        fiche = reverse("relances:modele", args=[version.modele_id])
        chemins += [fiche, f"{fiche}?version=2", reverse("relances:modele_differences", args=[version.modele_id])]
    verifier(connexion, live_server.url, chemins)


@pytest.mark.timeout(300)
def test_les_ecrans_de_ce_qui_est_du(connexion, live_server, equipe, societe):  # noqa: F811
    """Décompte, renonciation, prescription d'une facture, règles à confirmer, taux, affectation d'un encaissement."""
    client = ClientFactory(societe=societe, gestionnaire=equipe, taux_penalites="1.00")
    payee = EcheanceFactory(client=client, montant=2400)
    ImputationFactory(echeance=payee, montant=900, date=payee.date_echeance + timedelta(days=40))
    renoncer(EcheanceFactory(client=client).facture, portee="tout", motif="Geste commercial", le=AU, acteur=equipe)
    ancienne = EcheanceFactory(client=client, echue_le=aujourd_hui() - timedelta(days=5 * 365 - 60))
    decompte = reverse("factures:decompte", args=[client.pk])
    chemins = [decompte, f"{decompte}?au={AU}&ouvert=tout", reverse("factures:fiche", args=[payee.facture_id])]
    chemins += [reverse("contentieux:prescription", args=[e.facture_id]) for e in (payee, ancienne)]
    chemins += [reverse(f"contentieux:{nom}") for nom in ("prescriptions", "sources")]
    chemins += [reverse("comptes:taux"), reverse("clients:fiche", args=[client.pk]) + "?o=chronologie"]
    verifier(connexion, live_server.url, chemins)


@pytest.mark.timeout(300)
def test_les_ecrans_du_contentieux_et_du_mandatement(connexion, live_server, equipe, societe):  # noqa: F811
    """Le dossier d'une société et celui d'une commune, leurs onglets et volets, l'écran d'ouverture."""
    injonction = DossierFactory(client=DebiteurFactory(societe=societe, gestionnaire=equipe), par=equipe)
    mandatement = ouvrir_un_mandatement(societe, equipe)
    assert mandatement.voie == "mandatement"
    chemins = [reverse("contentieux:ouvrir", args=[societe.clients.filter(dossiers=None).first().pk])]
    for dossier in (injonction, mandatement):
        fiche = dossier.get_absolute_url()
        chemins += [f"{fiche}?o={o}" for o in ("pieces", "decompte", "prescription", "chronologie")]
    fiche = mandatement.get_absolute_url()
    chemins += [f"{fiche}?volet={nom}" for nom in ("prefecture", "mentions", "etape", "interruption")]
    verifier(connexion, live_server.url, chemins)


def ouvrir_un_mandatement(societe, par) -> DossierContentieux:
    """Une commune, une réclamation chiffrée, un dossier auquel il ne manque rien."""
    commune = DebiteurFactory(
        societe=societe, gestionnaire=par, type="administration", forme="Commune", siret="21690123100011",
        raison_sociale="Commune de Sornay",
    )  # fmt: skip
    echeances = CreanceFactory(client=commune, demeure=False)
    CourrierEnvoyeFactory(echeances, nature=Nature.FORMALISATION)
    dossier = contentieux.ouvrir_dossier(
        commune, [e.pk for e in echeances], par=par, au=AU, motif="Sans réponse", voie="mandatement"
    )
    for piece in Piece.objects.filter(dossier=dossier, chemin="").exclude(genre=Piece.Genre.DECOMPTE):
        contentieux.joindre_piece(piece, pdf(), "piece.pdf", par=par)
    return dossier
