"""Les écrans de la journée et de la fiche, pleins : axe sans faute, aucun débord de 320 à 1440 px, clair et sombre.

Vides, ceux qui ont une adresse fixe sont déjà dans tests/reel/test_ecrans.py, les onglets dans test_fiche_tient.
"""

from datetime import timedelta
from decimal import Decimal

import pytest
from django.urls import reverse
from django.utils import timezone

from clients import partages
from clients.models import OppositionSms
from clients.reports import mettre_de_cote
from factures.domaine.accords import repartir
from factures.models import ReglageAccords
from factures.services.echanges import noter_echange
from factures.services.pertes import proposer as proposer_la_perte
from recouvrement.commun.horloge import aujourd_hui, maintenant
from recouvrement.comptes.models import Absence, Role
from relances.models import Message, MessageRecu, ReglagePortail, ReglageReponses, ReglageSms, Tache
from relances.services import accords, accords_pdf, liens
from relances.services import declarations_portail as portail
from tests.clients.factories import ClientFactory, ContactFactory
from tests.comptes.factories import UtilisateurFactory
from tests.contentieux.factories import pdf
from tests.factures.factories import AvoirFactory, EcheanceFactory, EncaissementFactory, LitigeFactory
from tests.portail.declarants import depot

from .test_ecrans import connexion, constater, equipe, pytestmark  # noqa: F401

AU = aujourd_hui()
DEMAIN = AU + timedelta(days=1)


@pytest.fixture
def societe(equipe, settings, tmp_path, monkeypatch):  # noqa: F811
    settings.DEPOT = tmp_path / "depot"
    monkeypatch.setattr(accords_pdf, "apercevoir", lambda accord: pdf())  # l'écran, pas le moteur de rendu
    return equipe.affectations.get().societe


@pytest.fixture
def paul(societe):
    return UtilisateurFactory(societe=societe, role=Role.RESPONSABLE, nom="Paul Vidal")


@pytest.fixture
def belcourt(societe, equipe):  # noqa: F811
    client = ClientFactory(
        societe=societe, gestionnaire=equipe, raison_sociale="Chaudronnerie Belcourt SAS", plafond=Decimal(4000),
        courriel="compta@belcourt.example",
    )  # fmt: skip
    ContactFactory(client=client, nom="Nadia Ferrand", telephone="04 65 71 01 42")
    return client


def verifier(page, racine: str, chemins: list[str]) -> None:
    fautes = {}
    for chemin in chemins:
        assert page.request.get(racine + chemin).status == 200, chemin
        fautes |= constater(page, racine + chemin)
    assert fautes == {}


def dette(client, montant=1500, jours=40):
    return EcheanceFactory(client=client, montant=montant, echue_le=AU - timedelta(days=jours))


@pytest.mark.timeout(300)
def test_ma_journee_ses_absences_et_ses_partages(connexion, live_server, equipe, societe, paul, belcourt):  # noqa: F811
    """Chaque genre de tâche, un client mis de côté, un confié, une mention à lire, un remplacement."""
    for rang, genre in enumerate(Tache.Genre.values):
        client = ClientFactory(societe=societe, gestionnaire=equipe)
        dette(client, 900 + rang)
        Tache.objects.create(
            societe=societe, client=client, genre=genre, titre="À faire", due_le=AU, cle=f"t{rang}",
            raison="une raison assez longue pour passer à la ligne au téléphone",
        )  # fmt: skip
    cote = ClientFactory(societe=societe, gestionnaire=equipe, raison_sociale="Mis de côté SARL")
    dette(cote)
    mettre_de_cote(cote, jusqu_au=DEMAIN, motif="comptable en congés", acteur=equipe, le=AU)
    confiee = Tache.objects.first()
    confiee.confiee_a, confiee.confiee_motif = paul, "il les connaît"
    confiee.save()
    autre = ClientFactory(societe=societe, gestionnaire=paul, raison_sociale="Garage Lenoir")
    dette(autre)
    partages.noter_et_prevenir(autre, texte="@Paul Renaud la remise de mars", prevenir=[equipe], acteur=paul, au=AU)
    Absence.objects.create(utilisateur=paul, remplacant=equipe, du=AU, au=DEMAIN, auteur=paul, motif="Congés")
    Absence.objects.create(utilisateur=equipe, remplacant=paul, du=AU, au=DEMAIN, auteur=equipe)
    fiche = reverse("clients:fiche", args=[belcourt.pk])
    chemins = ["/", "/?de=equipe", reverse("comptes:preferences"), reverse("comptes:absences_de", args=[paul.pk])]
    verifier(connexion, live_server.url, [*chemins, f"{fiche}?suite=journee&volet=appel"])


@pytest.mark.timeout(300)
def test_les_volets_de_la_fiche_qui_visent_quelque_chose(
    connexion, live_server, equipe, societe, belcourt  # noqa: F811
):  # fmt: skip
    """Le fil d'un litige, une affectation, un contact, l'adresse après un retour ; nus : test_fiche_client."""
    piece = dette(belcourt, 9360)
    litige = LitigeFactory(echeance=dette(belcourt, 5616), montant_conteste=1200, a_traiter_le=DEMAIN)
    for texte in ("Photos demandées au chef d’atelier.", "Reçues, deux vantaux rayés."):
        noter_echange(litige, sens="recu", texte=texte, le=AU, au=AU, acteur=equipe)
    avoir = AvoirFactory(client=belcourt, date_emission=AU)
    EncaissementFactory(client=belcourt, montant=500, date=AU)
    belcourt.adresse_invalide_le = AU
    belcourt.save()
    OppositionSms.objects.create(societe=societe, numero="+33465710142", le=maintenant(), source="personne")
    contact = belcourt.contacts.get()
    suites = [
        f"clore&litige={litige.pk}", f"echange&litige={litige.pk}", f"affecter&credit=avoir-{avoir.pk}",
        f"contact&contact={contact.pk}", f"promesse&piece={piece.pk}", "nouvelle-adresse", "appel",
    ]  # fmt: skip
    fiche = reverse("clients:fiche", args=[belcourt.pk])
    verifier(connexion, live_server.url, [f"{fiche}?volet={suite}" for suite in suites])


@pytest.mark.timeout(300)
def test_les_accords_et_les_pertes(connexion, live_server, equipe, societe, paul, belcourt):  # noqa: F811
    """Les cinq genres à proposer ; un accord à approuver, un à signer, un signé ; une perte proposée, une décidée."""
    ReglageAccords.objects.create(societe=societe, montant_max=1000)

    def proposer(piece, **plus):
        termes = {"mensualites": repartir(piece.reste_du, 3, AU + timedelta(days=20))}
        return accords.proposer(belcourt, genre="echeancier", echeances=[piece], termes=termes, au=AU, **plus)

    a_approuver = proposer(dette(belcourt, 9000), acteur=paul, cle="1")
    a_signer = proposer(dette(belcourt, 900), acteur=equipe, cle="2")
    signe = proposer(dette(belcourt, 600), acteur=equipe, cle="3", par_le_client=True)
    accords.signer(signe, signature="portail", nom="Nadia Ferrand", qualite="gérante", au=AU)
    perte = proposer_la_perte(dette(belcourt, 300), montant=300, motif="Liquidation close", au=AU, acteur=paul)
    dette(belcourt, 1200)
    nouveau = reverse("clients:accord_nouveau", args=[belcourt.pk])
    chemins = [f"{nouveau}?genre={g}" for g in ("echeancier", "remise", "escompte", "compensation", "novation")]
    chemins += [reverse("clients:accord", args=[belcourt.pk, a.pk]) for a in (a_approuver, a_signer, signe)]
    chemins += [reverse("clients:accords"), f"{reverse('clients:accords')}?etat=en_cours"]
    chemins += [reverse("factures:pertes"), reverse("factures:perte", args=[perte.pk])]
    verifier(connexion, live_server.url, [*chemins, f"{reverse('factures:reglage_accords')}?societe={societe.pk}"])


@pytest.mark.timeout(300)
def test_les_reponses_les_sms_et_leurs_reglages(connexion, live_server, equipe, societe, belcourt):  # noqa: F811
    """Une réponse à lire, un rejet, un courriel sans client ; un message en erreur, un au sort inconnu."""

    def recevoir(cle, **champs):
        base = {"societe": societe, "origine": "imap", "cle_source": f"<{cle}@x>", "recu_le": timezone.now(),
                "objet": "Re: votre rappel", "de": f"{cle}@client.example", "texte": "Nous payons vendredi.\n" * 4,
                "cite": "> Bonjour\n> Votre facture\n" * 5}  # fmt: skip
        return MessageRecu.objects.create(**base | champs)

    reponse = recevoir("r", client=belcourt, categorie="reponse")
    rejet = recevoir("d", client=belcourt, categorie="rejet", adresse_fautive=belcourt.courriel, code="5.1.1")
    orphelin = recevoir("o" * 60, categorie="autre", texte="https://exemple.test/" + "x" * 300)
    sorts = [
        Message.objects.create(
            societe=societe, client=belcourt, genre="facture", cle=statut, destinataire=belcourt.courriel,
            pas_avant=timezone.now(), texte="Votre facture", objet="Facture", statut=statut,
        )
        for statut in ("en_erreur", "incertain")
    ]  # fmt: skip
    ReglageReponses.objects.create(societe=societe, adresse="reponses@maison.example", actif=True)
    ReglageSms.objects.create(societe=societe, actif=True, expediteur="VAUQUELIN")
    page = reverse("relances:reponses")
    choix = [("a_lire", reponse), ("rejets", rejet), ("trier", orphelin), *(("messages", m) for m in sorts)]
    chemins = [f"{page}?v={v}&choix={m.pk}" for v, m in choix]
    chemins += [reverse(f"relances:{nom}", args=[societe.pk]) for nom in ("reglage_reponses", "reglage_sms")]
    verifier(connexion, live_server.url, chemins)


@pytest.mark.timeout(300)
def test_les_declarations_et_la_page_du_client_vue_par_l_equipe(
    connexion, live_server, equipe, societe, belcourt  # noqa: F811
):  # fmt: skip
    """Les quatre situations à traiter et leur liste ; le réglage, les liens et leurs ouvertures, l'aperçu."""
    ReglagePortail.objects.create(societe=societe, actif=True, carte="essai", contact_donnees="dpo@maison.example")
    pieces = [dette(belcourt, m) for m in (1000, 600)]
    lien = liens.donner(belcourt, par=equipe, au=AU)
    lien.visites.create(genre="visite", le=maintenant(), adresse_ip="203.0.113.7", agent="Antivirus/" + "1" * 80)
    commun = {"pieces": [pieces[0].pk], "moment": maintenant()}
    faites = [
        portail.declarer_paiement(lien, depot("1"), montant=Decimal(1000), le=AU, moyen="virement", **commun),
        portail.contester(lien, depot("2", texte="Remise oubliée"), categorie="prix", montant=Decimal(300), **commun),
        portail.promettre_de_payer(lien, depot("3"), montant=Decimal(600), pour_le=DEMAIN,
                                   pieces=[pieces[1].pk], moment=maintenant()),
        portail.demander_un_delai(lien, depot("4"), nombre=3, premiere=AU + timedelta(days=20),
                                  pieces=[pieces[1].pk], moment=maintenant()),
    ]  # fmt: skip
    chemins = [reverse("relances:declarations"), reverse("page_client:reglage", args=[societe.pk])]
    chemins += [reverse("relances:declaration", args=[d.pk]) for d in faites]
    chemins += [reverse(f"page_client:{nom}", args=[belcourt.pk]) for nom in ("client", "apercu")]
    verifier(connexion, live_server.url, chemins)
