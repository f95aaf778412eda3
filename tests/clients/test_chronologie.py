"""La chronologie dit tout ce qui fut envoyé, reçu, dit et décidé, par pages, au même prix ; et pourquoi une lettre."""

from datetime import date, datetime, time, timedelta
from decimal import Decimal

import pytest
from django.db import connection
from django.test.utils import CaptureQueriesContext
from django.urls import reverse
from django.utils import timezone

from clients.models import Partage
from clients.views.chronologie import Curseur, chronologie, compter
from factures.models import EchangeLitige, Encaissement, Facture, Lot
from recouvrement.journal.services import consigner
from relances.models import Courrier, Declaration, LienPortail, Message, MessageRecu, Passage, VisitePortail
from relances.services import nuit
from tests.clients.factories import ClientFactory, DocumentFactory, NoteFactory
from tests.contentieux.factories import CourrierEnvoyeFactory
from tests.factures.factories import EcheanceFactory, EncaissementFactory, PromesseFactory

pytestmark = pytest.mark.django_db


def fiche(client) -> str:
    return reverse("clients:fiche", args=[client.pk])


def lire(navigateur, client, **params):
    return navigateur.get(fiche(client), {"o": "chronologie"} | params)


def instant(jour: date, heure=9) -> datetime:
    return timezone.make_aware(datetime.combine(jour, time(heure)))


def message(client, **champs) -> Message:
    n = Message.objects.count()
    base = {
        "societe": client.societe, "client": client, "genre": "reponse", "destinataire": "a@b.example", "cle": f"m{n}",
        "objet": f"Objet {n}", "texte": "Bonjour", "pas_avant": timezone.now(),
    }  # fmt: skip
    return Message.objects.create(**base | champs)


def recu(client, le, **champs) -> MessageRecu:
    n = MessageRecu.objects.count()
    base = {
        "societe": client.societe, "client": client, "origine": "imap", "cle_source": f"<{n}@x>", "recu_le": le,
        "categorie": "reponse", "de": "nadia@belcourt.example", "texte": "Nous payons vendredi.",
        "cite": "> Votre facture F-1", "objet": "Re: facture",
    }  # fmt: skip
    return MessageRecu.objects.create(**base | champs)


@pytest.fixture
def vecu(belcourt, gestionnaire, au):
    """Un client avec un fait de chaque source nouvelle."""
    message(belcourt, statut="envoye", envoye_le=instant(au), auteur=gestionnaire)
    message(belcourt, statut="annule")
    courriel = recu(belcourt, instant(au - timedelta(1)), retient_jusqu_au=au + timedelta(5))
    courriel.documents.add(DocumentFactory(client=belcourt, nom="preuve.pdf"))
    recu(belcourt, instant(au - timedelta(2)), categorie="remis", texte="")
    lien = LienPortail.objects.create(client=belcourt, cree_le=au, expire_le=au + timedelta(30))
    VisitePortail.objects.create(lien=lien, genre="visite", le=instant(au, 8))
    Declaration.objects.create(
        client=belcourt, lien=lien, genre="paye", montant=Decimal(500), jour=au, texte="Viré hier", nom="Nadia",
        faite_le=instant(au, 7), cle="d1",
    )  # fmt: skip
    note = NoteFactory(client=belcourt, auteur=gestionnaire, texte="Qu'en penses-tu ?")
    Partage.objects.create(
        client=belcourt, utilisateur=gestionnaire, genre="mention", note=note, ouvert_par=gestionnaire, du=au,
        au=au + timedelta(5),
    )  # fmt: skip
    litige = belcourt.echeances.get(litiges__isnull=False).litiges.get()
    EchangeLitige.objects.create(litige=litige, sens="recu", le=au, texte="Il manque deux palettes.")
    rejete = EncaissementFactory(client=belcourt, montant=300, date=au - timedelta(9))
    Encaissement.objects.filter(pk=rejete.pk).update(
        rejete_le=au - timedelta(1), rejet_motif="Provision", impute=rejete.montant
    )
    lot = Lot.objects.create(
        societe=belcourt.societe, fichier="ventes.csv", empreinte="0", statut="applique", applique_le=instant(au, 6)
    )
    Facture.objects.filter(client=belcourt).update(lot=lot)
    return belcourt


def test_tout_ce_qui_s_echange_y_est_dit_pour_ce_qu_il_est(connecte, vecu):
    faits = {f.titre: f for f in lire(connecte, vecu).context["faits"]}

    assert {
        "Réponse", "Réponse d'une personne, à lire", "Sa page : page ouverte", "Sa page : « J'ai payé »",
        "Note interne", "Litige, dit par le client", "Virement rejeté", "Import appliqué",
    } <= set(faits)  # fmt: skip
    reponse = faits["Réponse d'une personne, à lire"]
    assert (reponse.texte, reponse.cite) == ("Nous payons vendredi.", "> Votre facture F-1")
    assert reponse.pieces[0][0] == "preuve.pdf"
    assert "retient les relances jusqu'au" in reponse.preuve
    assert "ne prouve pas une lecture" in faits["Sa page : page ouverte"].preuve
    assert "à vérifier" in faits["Sa page : « J'ai payé »"].preuve
    assert "à l'attention de" in faits["Note interne"].preuve
    assert "4 factures" in faits["Import appliqué"].texte


def test_le_texte_cite_est_replie_et_echappe(connecte, vecu, au):
    recu(vecu, instant(au), texte="<script>alert(1)</script>", cite="<img src=x>")
    page = lire(connecte, vecu).content.decode()

    assert "<script>alert" not in page and "<img src=x>" not in page
    assert "<summary>" in page and "Texte cité" in page


@pytest.mark.parametrize(("genre", "attendu"), [("envois", 1), ("recus", 3), ("notes", 1), ("argent", 5)])
def test_chaque_filtre_ne_montre_que_son_genre_et_vit_dans_l_adresse(connecte, vecu, genre, attendu):
    assert len(lire(connecte, vecu, genre=genre).context["faits"]) == attendu


def test_le_compte_de_l_onglet_est_celui_des_faits(connecte, vecu):
    page = lire(connecte, vecu)

    assert next(o for o in page.context["vues"] if o.courant).compte == len(page.context["faits"]) == compter(vecu)


# --- Curseur ------------------------------------------------------------------------------------------


def tout_feuilleter(client, genre="tout") -> list[list]:
    pages, curseur = [], None
    while True:
        faits, suite = chronologie(client, apres=curseur, genre=genre)
        pages.append(faits)
        if not suite:
            return pages
        curseur = Curseur.lire(suite)
        assert curseur is not None


def test_se_feuillette_sans_rien_perdre_ni_repeter_meme_le_meme_jour(societe, gestionnaire, au):
    """Quatre sources, des ex æquo au même instant et des faits sans heure le même jour."""
    bavard = ClientFactory(societe=societe, gestionnaire=gestionnaire)
    for n in range(30):
        note = NoteFactory(client=bavard, auteur=gestionnaire, texte=f"note {n}")
        type(note).objects.filter(pk=note.pk).update(created_at=instant(au))
        recu(bavard, instant(au))
        EncaissementFactory(client=bavard, date=au)
        PromesseFactory(
            echeances=[EcheanceFactory(client=bavard, echue_le=au)], faite_le=au - timedelta(n % 3), date_promise=au
        )
    pages = tout_feuilleter(bavard)
    cles = [f.cle for page in pages for f in page]

    assert [len(p) for p in pages] == [25, 25, 25, 25, 20]
    assert cles == sorted(set(cles), reverse=True)
    assert len(cles) == compter(bavard) == 120


def test_un_fait_arrive_entre_deux_pages_ne_decale_rien(societe, gestionnaire, au):
    bavard = ClientFactory(societe=societe, gestionnaire=gestionnaire)
    for n in range(40):
        recu(bavard, instant(au - timedelta(n)))
    premiere, suite = chronologie(bavard)
    recu(bavard, instant(au, 18))
    seconde, _fin = chronologie(bavard, apres=Curseur.lire(suite))

    assert len(seconde) == 15
    assert not {f.pk for f in premiere} & {f.pk for f in seconde}


@pytest.mark.parametrize(
    "faux", ["2", "x~note~1", "2026-11-20~note~" + "9" * 30, "2026-13-40~note~1", "2026-11-20T10:00:00~note~1",
             "9999-12-31~note~1", "\x00~a~1", "~~", "2026-11-20T99:00:00+00:00~note~1"],
)  # fmt: skip
def test_un_curseur_faux_ramene_au_debut(connecte, vecu, faux):
    page = lire(connecte, vecu, page=faux)

    assert page.status_code == 200 and page.context["au_milieu"] is False


def test_vingt_faits_de_chaque_source_coutent_autant_de_requetes_qu_un(connecte, vecu, gestionnaire, au):
    def ajouter():
        message(vecu, statut="envoye", envoye_le=instant(au))
        recu(vecu, instant(au)).documents.add(DocumentFactory(client=vecu))
        NoteFactory(client=vecu, auteur=gestionnaire)
        EncaissementFactory(client=vecu, date=au)
        CourrierEnvoyeFactory([EcheanceFactory(client=vecu, echue_le=au - timedelta(40))], nature=2)
        consigner("document.ajoute", societe=vecu.societe, acteur=gestionnaire, objet=vecu, client=vecu, texte="x")
        PromesseFactory(echeances=[EcheanceFactory(client=vecu, echue_le=au)], date_promise=au, faite_le=au)

    def compter_les_requetes():
        with CaptureQueriesContext(connection) as lues:
            lire(connecte, vecu, page=f"{au + timedelta(1)}~z~1")
        return len(lues)

    ajouter()
    compter_les_requetes()
    un = compter_les_requetes()
    for _ in range(5):
        ajouter()
    assert compter_les_requetes() == un


# --- Pourquoi cette lettre est-elle partie ? ------------------------------------------------------------


@pytest.fixture
def relance(belcourt, societe, au):
    """La nuit décide ; son courrier part."""
    passage = nuit.ouvrir_passage(societe, au=au, genre=Passage.Genre.AUTOMATIQUE)
    nuit.relancer(societe, au=au, passage=passage)
    courrier = belcourt.courriers.get(nature=2)
    Courrier.objects.filter(pk=courrier.pk).update(statut="envoye", envoye_le=instant(au), destinataire="a@b.example")
    return Courrier.objects.get(pk=courrier.pk)


def test_chaque_courrier_dit_sa_regle_sa_decision_ses_pieces_et_son_controle(connecte, belcourt, relance):
    fait = next(f for f in lire(connecte, belcourt, genre="envois").context["faits"] if f.pourquoi)
    phrases = " ".join(c.phrase for c in fait.pourquoi)

    assert fait.question == "Pourquoi cette lettre est-elle partie ?"
    for attendu in (
        "palier 1 du plan Entreprise (version 1), 5 jours après l'échéance", "passage n° 1 du 20/11/2026",
        "53 j de retard ce jour-là", "contestés, laissés de côté", "Contrôle : passé", "Envoi automatique",
    ):  # fmt: skip
        assert attendu in phrases
    assert fait.pourquoi[-1].url.endswith("?o=pourquoi&le=2026-11-20")
    assert connecte.get(fait.pourquoi[-1].url).status_code == 200


def test_une_lettre_demandee_a_la_main_et_un_repli_se_disent(connecte, belcourt, relance, gestionnaire):
    Passage.objects.filter(pk=relance.passage_id).update(genre="manuel", auteur=gestionnaire)
    Courrier.objects.filter(pk=relance.pk).update(canal="lettre", derogation="Client connu", manques=["x"])
    fait = next(f for f in lire(connecte, belcourt, genre="envois").context["faits"] if f.pourquoi)
    phrases = " ".join(c.phrase for c in fait.pourquoi)

    assert "demandée par Claire Bonnet" in phrases
    assert "en repli ; courriel n'avait pas d'adresse utilisable" in phrases
    assert "par dérogation : Client connu" in phrases and "1 points à compléter" in phrases


def test_la_reponse_est_a_un_clic_sans_script(connecte, belcourt, relance):
    page = lire(connecte, belcourt).content.decode()

    assert "<summary>" in page
    assert "Pourquoi cette lettre est-elle partie ?" in page
