"""De la base à la lettre : ce que les services mettent dans le rendu, type de débiteur par type de débiteur."""

from datetime import UTC, date, datetime, timedelta
from decimal import Decimal

import pytest

from factures.services import renoncer
from recouvrement.commun import pdf
from relances.domaine.natures import Nature
from relances.models import Courrier, Relance
from relances.rendu import controles, lettres
from relances.services import nuit
from relances.services.preparation import composer
from tests.clients.factories import ClientFactory
from tests.comptes.factories import SocieteFactory, UtilisateurFactory
from tests.contentieux.factories import CourrierEnvoyeFactory
from tests.factures.factories import EcheanceFactory, FactureFactory, LitigeFactory

pytestmark = pytest.mark.django_db
MARDI = date(2026, 2, 10)


def lettre_de(client, echeances, nature=Nature.MISE_EN_DEMEURE, canal="recommande"):
    """La lettre que composerait le palier de cette nature, sans courrier enregistré."""
    version = client.societe.echelles.get(type_debiteur=client.type).versions.get()
    palier = version.paliers.get(nature=nature)
    courrier = Courrier(
        societe=client.societe, client=client, palier=palier, nature=palier.nature, canal=canal, devise="EUR"
    )
    return composer(courrier, au=MARDI, echeances=echeances)


def echues(client, nombre=1):
    return [EcheanceFactory(client=client, echue_le=MARDI - timedelta(days=60 + rang)) for rang in range(nombre)]


def test_la_mise_en_demeure_d_une_entreprise_est_prete_a_partir():
    """Exigence 25."""
    client = ClientFactory()
    lettre = lettre_de(client, echues(client, 6))
    assert controles.manques(lettre) == []
    assert pdf.compter_pages(lettres.rendre_pdf(lettre)) == 2


def test_deux_a_nouveaux_de_meme_libelle_sont_deux_factures():
    """Un FEC reprend des pièces sans numéro : chacune doit ses 40 €, et ne conteste que pour elle."""
    client = ClientFactory()
    champs = {"numero": "À-nouveau", "numero_reel": False, "date_emission": MARDI - timedelta(days=90)}
    une, autre = [
        EcheanceFactory(
            facture=FactureFactory(client=client, cle_source=f"an:{n}", **champs), echue_le=MARDI - timedelta(days=60)
        )
        for n in range(2)
    ]
    lettre = lettre_de(client, [une, autre])
    assert controles.manques(lettre) == []
    assert (lettre.totaux.nombre_factures, lettre.totaux.indemnites) == (2, 80)
    LitigeFactory(echeance=une, montant_conteste=10)
    assert [m.code for m in controles.manques(lettre_de(client, [une, autre]))] == ["contestation"]
    assert lettre_de(client, [autre]).contestations == ()


def test_la_mise_en_demeure_d_un_particulier_annonce_le_taux_legal_du_semestre():
    societe = SocieteFactory(mediateur="Médiation Exemple, 1 rue de la Paix, 75002 Paris, mediation.example")
    client = ClientFactory(societe=societe, particulier=True)
    lettre = lettre_de(client, echues(client))
    assert controles.manques(lettre) == []
    assert "2,62\u00a0% l’an au 1er semestre 2026" in lettres.rendre_html(lettre)
    assert lettre.totaux.a_payer == lettre.totaux.reste_du


def test_un_litige_clos_interdit_d_ecrire_qu_aucune_contestation_n_a_ete_recue():
    client = ClientFactory()
    echeances = echues(client)
    assert "aucune contestation" in lettres.rendre_html(lettre_de(client, echeances))
    LitigeFactory(echeance=echeances[0], clos_le=MARDI - timedelta(days=1), issue="rejeté")
    relue = lettre_de(client, echeances)
    assert relue.contestations is None
    assert "aucune contestation" not in lettres.rendre_html(relue)


def test_une_relance_partie_apres_minuit_a_paris_est_du_lendemain():
    """Partie à 23 h 30 UTC, le débiteur l'a reçue le 21 : la mise en demeure ne dit pas le 20."""
    client = ClientFactory()
    (echeance,) = echues(client)
    palier = client.societe.echelles.get(type_debiteur=client.type).versions.get().paliers.get(nature=4)
    passage = nuit.ouvrir_passage(client.societe, au=MARDI, genre="rejoue")
    courrier = Courrier.objects.create(
        societe=client.societe, client=client, passage=passage, palier=palier, nature=4, canal="courriel",
        statut="envoye", envoye_le=datetime(2026, 1, 20, 23, 30, tzinfo=UTC),
    )  # fmt: skip
    Relance.objects.create(
        passage=passage, echeance=echeance, palier=palier, nature=4, courrier=courrier, statut="envoyee",
        decidee_le=date(2026, 1, 21), reste_du=1000,
    )  # fmt: skip
    assert lettre_de(client, [echeance]).rappels == (date(2026, 1, 21),)


def test_la_lettre_ne_cite_que_les_rappels_de_toutes_ses_pieces():
    """« Malgré notre rappel du 7 janvier » serait faux de la facture qui n'a jamais été rappelée."""
    client = ClientFactory()
    ancienne, suivante, neuve = (EcheanceFactory(client=client, echue_le=MARDI - timedelta(days=20)) for _ in range(3))
    CourrierEnvoyeFactory([ancienne], nature=2, le=date(2026, 1, 7))
    for e in (ancienne, suivante):  # une lettre par pièce, le même soir : toutes deux rappelées ce jour-là
        CourrierEnvoyeFactory([e], nature=4, le=date(2026, 1, 21))
    assert lettre_de(client, [ancienne]).rappels == (date(2026, 1, 7), date(2026, 1, 21))
    assert lettre_de(client, [ancienne, suivante]).rappels == (date(2026, 1, 21),)
    assert lettre_de(client, [ancienne, neuve]).rappels == ()


def test_l_objet_du_contrat_en_francais_ne_se_glisse_pas_dans_une_lettre_anglaise():
    client = ClientFactory(langue="en", objet_contrat="la fourniture de mobilier", mention_loi_en="French law applies.")
    html = lettres.rendre_html(lettre_de(client, echues(client)))
    assert "mobilier" not in html and "French law applies." in html


def test_la_mise_en_demeure_ne_reclame_pas_ce_a_quoi_l_on_renonce():
    """Droit.md § 9 : ni pénalités, ni 40 €, ni un mot de la faveur ; elle part quand même pour le principal."""
    client = ClientFactory()
    (echeance,) = echues(client)
    acteur = UtilisateurFactory(societe=client.societe)
    renoncer(echeance.facture, portee="tout", motif="bon client", le=MARDI, acteur=acteur)
    lettre = lettre_de(client, [echeance])
    assert controles.manques(lettre) == []
    assert (lettre.totaux.a_payer, lettre.totaux.penalites, lettre.totaux.indemnites) == (1000, 0, 0)
    assert "renonc" not in lettres.rendre_html(lettre)


def test_une_clause_sous_le_plancher_retient_la_lettre_puis_y_imprime_le_choix():
    """Droit.md § 1, confiance V : tant que personne n'a choisi, la lettre chiffrée attend."""
    client = ClientFactory(taux_penalites=Decimal(5))
    echeances = echues(client)
    assert [m.code for m in controles.manques(lettre_de(client, echeances))] == ["taux_plancher"]
    client.sous_plancher = "plancher"
    lettre = lettre_de(client, echeances)
    assert controles.manques(lettre) == []
    html = lettres.rendre_html(lettre)
    assert "il est relevé à ce minimum" in html and "minimum légal : trois fois le taux" in html.replace("\u00a0", " ")
