"""Fabriques du contentieux : une créance mise en demeure, un dossier ouvert, un dossier prêt à déposer."""

from datetime import date, datetime, timedelta
from io import BytesIO
from itertools import count
from zoneinfo import ZoneInfo

from contentieux import services
from contentieux.models import DossierContentieux, Piece
from factures.models import Echeance
from recouvrement.commun import depot
from recouvrement.comptes.models import Role
from relances.domaine.natures import Canal, Nature
from relances.models import Courrier, Palier, Passage, Relance
from relances.services.plans import installer_plans
from tests.clients.factories import ClientFactory
from tests.comptes.factories import UtilisateurFactory
from tests.factures.factories import EcheanceFactory

AU = date(2026, 11, 20)
PARIS = ZoneInfo("Europe/Paris")
_rang = count(1)


def pdf(pages: int = 1) -> bytes:
    """Un vrai PDF blanc."""
    from pypdf import PdfWriter

    redacteur, sortie = PdfWriter(), BytesIO()
    for _page in range(pages):
        redacteur.add_blank_page(595, 842)
    redacteur.add_metadata({"/Title": f"essai {next(_rang)}"})
    redacteur.write(sortie)
    return sortie.getvalue()


def DebiteurFactory(**champs):
    """Société commerciale identifiée, à Lyon : tribunal des activités économiques."""
    return ClientFactory(**{"forme": "SARL", "objet_contrat": "la fourniture de mobilier d'agencement"} | champs)


def CourrierEnvoyeFactory(
    echeances: list[Echeance],
    *,
    nature=Nature.MISE_EN_DEMEURE,
    le: date | None = None,
    limite: date | None = None,
    retour: str | None = None,
    avis: bool = True,
    statut=None,
    **champs,
) -> Courrier:
    """Courrier parti pour ces échéances, avec relances et PDF ; une mise en demeure est un recommandé distribué."""
    n = next(_rang)
    client = echeances[0].client
    installer_plans(client.societe)
    demeure = nature == Nature.MISE_EN_DEMEURE
    le = le or AU - timedelta(days=30 if demeure else 60)
    palier = (
        Palier.objects.filter(
            version__echelle__societe=client.societe, version__echelle__type_debiteur=client.type, nature=nature
        ).first()
        or Palier.objects.filter(version__echelle__societe=client.societe, nature=nature).first()
    )
    passage = Passage.objects.create(
        societe=client.societe, au=le, numero=n, genre=Passage.Genre.MANUEL, statut=Passage.Statut.TERMINE
    )
    chemin, empreinte = depot.ranger(pdf(), ".pdf")
    base = {
        "canal": Canal.RECOMMANDE if demeure else Canal.COURRIEL,
        "statut": statut or (Courrier.Statut.POSTE if demeure else Courrier.Statut.ENVOYE),
        "objet": "Objet",
        "texte": "Texte envoyé",
        "destinataire": client.courriel,
        "reference": f"REL-{n}",
        "pdf_chemin": chemin,
        "pdf_empreinte": empreinte,
        "pdf_pages": 1,
        "envoye_le": datetime(le.year, le.month, le.day, 19, tzinfo=PARIS),
        "arrete_au": le,
    }
    if demeure:
        base |= {
            "depose_le": le,
            "numero_suivi": f"RC{n:09d}",
            "presente_le": le + timedelta(days=2),
            "date_limite": limite or le + timedelta(days=15),
            "retour": Courrier.Retour.DISTRIBUE if retour is None else retour,
            "retour_le": le + timedelta(days=5),
        }
        if avis:
            base["avis_chemin"], base["avis_empreinte"] = depot.ranger(pdf(), ".pdf")
    courrier = Courrier.objects.create(
        societe=client.societe, client=client, passage=passage, palier=palier, nature=nature,
        devise=echeances[0].devise, **base | champs,
    )  # fmt: skip
    for e in echeances:
        Relance.objects.create(
            passage=passage, echeance=e, palier=palier, nature=nature, courrier=courrier, decidee_le=le,
            statut=Relance.Statut.ENVOYEE, reste_du=e.reste_du,
        )  # fmt: skip
        Echeance.objects.filter(pk=e.pk, niveau__lt=nature).update(
            niveau=nature, niveau_rang=palier.rang, niveau_version=palier.version_id, niveau_le=le
        )
        e.refresh_from_db()
    return courrier


def CreanceFactory(*, client=None, factures: int = 2, demeure: bool = True, **champs) -> list[Echeance]:
    """Échéances échues depuis trois mois, mises en demeure le mois dernier."""
    client = client or DebiteurFactory()
    echues = [AU - timedelta(days=90 - n) for n in range(factures)]
    echeances = [EcheanceFactory(client=client, echue_le=jour, **champs) for jour in echues]
    if demeure:
        CourrierEnvoyeFactory(echeances, nature=Nature.FORMALISATION)
        CourrierEnvoyeFactory(echeances)
    return echeances


def DossierFactory(*, client=None, par=None, au: date = AU, factures: int = 2, **champs) -> DossierContentieux:
    """Dossier ouvert sur une créance mise en demeure."""
    echeances = CreanceFactory(client=client, factures=factures, **champs)
    client = echeances[0].client
    par = par or UtilisateurFactory(societe=client.societe, role=Role.RESPONSABLE)
    return services.ouvrir_dossier(client, [e.pk for e in echeances], par=par, au=au, motif="Aucune réponse")


def DossierPretFactory(**champs) -> DossierContentieux:
    """Dossier auquel rien ne manque : la requête peut se produire."""
    dossier = DossierFactory(**champs)
    completer_tout(dossier)
    return dossier


def completer_tout(dossier: DossierContentieux) -> None:
    for piece in Piece.objects.filter(dossier=dossier, chemin="").exclude(genre=Piece.Genre.DECOMPTE):
        services.joindre_piece(piece, pdf(), "piece.pdf", par=dossier.ouvert_par)
    services.completer(
        dossier,
        par=dossier.ouvert_par,
        juridiction="tae",
        tribunal="tribunal des activités économiques de Lyon",
        competence_relue=True,
        debiteur_representant="Agathe Delorme, gérante",
        debiteur_rcs="Lyon",
        expose="Le créancier a livré le mobilier commandé.",
        prescription_relue_le=AU,
    )
    dossier.refresh_from_db()
