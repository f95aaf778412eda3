"""Le classement : rejets en clair, automates, personnes, événements de fournisseur ; les dates de retour."""

from dataclasses import replace
from datetime import UTC, date, datetime

import pytest
from hypothesis import given
from hypothesis import strategies as st

from relances.domaine import absences, rejets
from relances.domaine.reponses import (
    Categorie,
    MessageLu,
    Rapport,
    SortDeclare,
    categorie_d_evenement,
    classer,
    plat_lignes,
)

C = Categorie
RECU = datetime(2026, 12, 20, 10, tzinfo=UTC)


def lu(texte="", *, objet="Re: votre facture", de="marie@client.example", de_nom="Marie", **champs) -> MessageLu:
    entetes = {k.replace("_", "-"): v for k, v in champs.pop("entetes", {}).items()}
    return MessageLu(texte=texte, objet=objet, de=de, de_nom=de_nom, entetes=entetes, date=RECU, **champs)


def serveur(texte, objet="Undelivered Mail Returned to Sender", **champs) -> MessageLu:
    return lu(texte, objet=objet, de="mailer-daemon@mx.example", de_nom="Mail Delivery System", **champs)


REJETS = [
    (
        "exim",
        "This message was created automatically by mail delivery software.\n\nA message that you sent could not be"
        " delivered to one or more of its recipients. This is a permanent error.\n\n "
        " x@client.example\n    Unrouteable address",
        C.REJET,
        "",
        True,
    ),
    (
        "qmail",
        "Hi. This is the qmail-send program at mx.example.\nI'm afraid I wasn't able to deliver your message.\n\n"
        "<x@client.example>:\n192.0.2.1 does not like recipient.\nRemote host said: 550 5.1.1 User unknown\n"
        "--- Below this line is a copy of the message.\n\nTo: x@client.example\nMessage-ID: <j@acme.example>",
        C.REJET,
        "5.1.1",
        True,
    ),
    (
        "exchange-fr",
        "Échec de la remise pour ces destinataires ou groupes :\n\nx@client.example\nL’adresse de messagerie que"
        " vous avez entrée est introuvable.\n\nInformations de diagnostic pour les"
        " administrateurs :\n\nx@client.example\n"
        "#550 5.1.1 RESOLVER.ADR.RecipNotFound; not found ##\n\nEn-têtes de message d'origine :\n\nReceived: de",
        C.REJET,
        "5.1.1",
        True,
    ),
    (
        "boite-pleine",
        "Your message could not be delivered.\n<x@client.example>: 552 5.2.2 Mailbox full",
        C.REJET_PASSAGER,
        "5.2.2",
        False,
    ),
    (
        "quota-fr",
        "Votre message n'a pas pu être remis à x@client.example : boîte aux lettres pleine",
        C.REJET_PASSAGER,
        "",
        False,
    ),
    (
        "indesirable",
        "This is the mail system at host mx.\n<x@client.example>: host mx said: 554 5.7.1 Message rejected as spam",
        C.REJET,
        "5.7.1",
        False,
    ),
    (
        "passager",
        "This is the mail system at host mx.\n<x@client.example>: host mx[5.39.1.2] said: 451 4.7.1 Greylisted",
        C.REJET_PASSAGER,
        "4.7.1",
        False,
    ),
    (
        "orange",
        "This message was created automatically by mail delivery software. A message that you sent could not be"
        " delivered:\n  x@orange.fr\n    550 5.2.0 Mail rejete. OFR_506 [506]",
        C.REJET,
        "5.2.0",
        False,
    ),
]


@pytest.mark.parametrize(("nom", "texte", "categorie", "code", "en_cause"), REJETS, ids=[x[0] for x in REJETS])
def test_un_rejet_en_clair_se_reconnait(nom, texte, categorie, code, en_cause):
    obtenu = classer(serveur(texte))
    assert (obtenu.categorie, obtenu.code, obtenu.adresse_en_cause) == (categorie, code, en_cause)
    assert obtenu.adresse_fautive.startswith("x@")
    assert obtenu.passager == (categorie is C.REJET_PASSAGER)


def test_un_avertissement_de_retard_n_est_pas_un_rejet():
    texte = (
        "Delivery to the following recipient has been delayed:\n\n    "
        " x@client.example\n\nMessage will be retried for 2 days"
    )
    obtenu = classer(serveur(texte, objet="Delivery Status Notification (Delay)"))
    assert (obtenu.categorie, obtenu.retard, obtenu.passager) == (C.AUTRE, True, True)


def test_une_personne_qui_cite_un_rejet_reste_une_personne():
    obtenu = classer(lu("J'ai reçu : « 550 5.1.1 User unknown », votre message could not be delivered ?"))
    assert obtenu.categorie is C.REPONSE


def test_un_rejet_qui_se_dit_automatique_reste_un_rejet():
    rapport = Rapport("dsn", (SortDeclare("x@client.example", "failed", "5.1.1"),))
    obtenu = classer(serveur("", rapport=rapport, entetes={"auto_submitted": "auto-replied"}))
    assert (obtenu.categorie, obtenu.adresse_en_cause) == (C.REJET, True)


@pytest.mark.parametrize(
    ("sorts", "categorie"),
    [
        ([("a@x.fr", "delivered", "2.0.0")], C.REMIS),
        ([("a@x.fr", "delayed", "4.4.1")], C.AUTRE),
        ([("a@x.fr", "failed", "4.4.7")], C.REJET_PASSAGER),
        ([("a@x.fr", "failed", "5.2.2")], C.REJET_PASSAGER),
        ([("a@x.fr", "delivered", "2.0.0"), ("b@x.fr", "failed", "5.1.1")], C.REJET),
        ([("a@x.fr", "failed", "")], C.REJET),
        ([("", "", "5.0.0")], C.REJET),
    ],
)
def test_un_rapport_se_juge_au_plus_grave(sorts, categorie):
    rapport = Rapport("dsn", tuple(SortDeclare(*x) for x in sorts))
    assert classer(serveur("", rapport=rapport)).categorie is categorie


@pytest.mark.parametrize(
    ("genre", "categorie"), [("abuse", C.PLAINTE), ("", C.PLAINTE), ("opt-out", C.OPPOSITION), ("not-spam", C.AUTRE)]
)
def test_un_rapport_de_plainte(genre, categorie):
    rapport = Rapport("arf", (SortDeclare("x@client.example"),), genre)
    obtenu = classer(lu("", rapport=rapport))
    assert (obtenu.categorie, obtenu.adresse_fautive) == (categorie, "x@client.example")


AUTOMATES = [
    (
        {"objet": "Réponse automatique : votre facture"},
        "Je suis absente jusqu’au 12 janvier inclus.",
        date(2027, 1, 12),
    ),
    ({"objet": "Absence du bureau"}, "De retour le lundi 4 janvier 2027.", date(2027, 1, 3)),
    ({"objet": "Réponse automatique :"}, "Je suis en congés du 22/12/2026 au 02/01/2027.", date(2027, 1, 2)),
    ({"objet": "Automatic reply: invoice"}, "I am out of the office until January 5th.", date(2027, 1, 5)),
    ({"objet": "Out of Office: x"}, "Back in the office on Monday, January 4, 2027.", date(2027, 1, 3)),
    ({"objet": "Automatische Antwort: x"}, "Ich bin bis zum 6. Januar abwesend.", date(2027, 1, 6)),
    ({"objet": "Respuesta automática: x"}, "Estaré fuera hasta el 7 de enero.", date(2027, 1, 7)),
    ({"objet": "Message d'absence"}, "Fermeture du 24 décembre au 3 janvier.", date(2027, 1, 3)),
    ({"entetes": {"auto_submitted": "auto-replied (vacation)"}}, "Votre message a bien été reçu.", None),
    ({"entetes": {"auto_submitted": "auto-generated"}}, "Ticket n° 12 ouvert.", None),
    ({"entetes": {"x_autoreply": "yes"}}, "Merci.", None),
    ({"entetes": {"precedence": "auto_reply"}}, "Merci.", None),
    ({"entetes": {"precedence": "bulk"}}, "Je suis absent.", None),
    ({"entetes": {"return_path": "<>"}}, "Je suis actuellement absent, retour le 4 janvier.", date(2027, 1, 3)),
    ({"entetes": {"x_auto_response_suppress": "All"}, "objet": "Congés"}, "Je suis en congés.", None),
]


@pytest.mark.parametrize(("champs", "texte", "jusqu_au"), AUTOMATES)
def test_une_reponse_automatique_se_reconnait_et_dit_jusqu_a_quand(champs, texte, jusqu_au):
    obtenu = classer(lu(texte, **champs))
    assert (obtenu.categorie, obtenu.absent_jusqu_au) == (C.ABSENCE, jusqu_au)


@pytest.mark.parametrize(
    ("champs", "texte"),
    [
        ({"objet": "RE: Réponse automatique : facture"}, "Bien reçu, je paie."),
        ({}, "Je suis absent jusqu'au 12 janvier, je paierai à mon retour."),
        ({"objet": "Congés"}, "Je paierai après."),
        ({"entetes": {"auto_submitted": "no"}}, "Je paie."),
        ({"entetes": {"x_auto_response_suppress": "All"}}, "Je conteste la facture."),
        ({"objet": "Absence de bon de commande"}, "Il manque le bon de commande."),
        (
            {},
            "Stop aux relances, la facture est contestée depuis trois mois et vous le savez :"
            " voir notre courrier du 3.",
        ),
    ],
)
def test_une_personne_reste_une_personne(champs, texte):
    assert classer(lu(texte, **champs)).categorie is C.REPONSE


@pytest.mark.parametrize(
    "texte",
    [
        "STOP",
        "Stop svp !",
        "Désabonnez-moi",
        "Unsubscribe",
        "Merci de ne plus… Ne m'envoyez plus de mails.",
        "Je ne souhaite plus recevoir vos courriels",
    ],
)
def test_qui_ne_veut_plus_de_courriels_le_dit_en_peu_de_mots(texte):
    assert classer(lu(texte)).categorie is C.OPPOSITION


def test_le_texte_cite_ne_classe_pas_la_reponse():
    texte = "Je paie demain.\n\nLe 12/01/2026 à 10:02, ACME a écrit :\n> Réponse automatique : je suis absent\n> STOP"
    assert classer(lu(texte)).categorie is C.REPONSE


def test_une_liste_de_diffusion_n_est_pas_une_reponse():
    assert classer(lu("Nos offres", entetes={"list_id": "<promo>"})).categorie is C.AUTRE


@pytest.mark.parametrize(
    ("evenement", "categorie", "passager"),
    [
        (("delivered", {}), C.REMIS, False),
        (("opened", {}), None, False),
        (("clicked", {}), None, False),
        (("queued", {}), None, False),
        (("sent", {}), None, False),
        (("inbound", {}), None, False),
        (("deferred", {}), C.AUTRE, True),
        (("complained", {}), C.PLAINTE, False),
        (("unsubscribed", {}), C.OPPOSITION, False),
        (("rejected", {"reject_reason": "unsubscribed"}), C.OPPOSITION, False),
        (("autoresponded", {}), C.ABSENCE, False),
        (("bounced", {"brut": {"event": "soft_bounce"}}), C.REJET_PASSAGER, True),
        (("bounced", {"brut": {"event": "hard_bounce"}}), C.REJET, False),
        (("bounced", {"brut": {"event": "bounce", "hard_bounce": False}}), C.REJET_PASSAGER, True),
        (("bounced", {"brut": {"Type": "SoftBounce"}}), C.REJET_PASSAGER, True),
        (("bounced", {"description": "552 5.2.2 mailbox full"}), C.REJET_PASSAGER, True),
        (("rejected", {"reject_reason": "blocked"}), C.REJET, False),
        (("failed", {}), C.REJET, False),
        (("neuf", {}), None, False),
    ],
)
def test_un_evenement_de_fournisseur_se_traduit(evenement, categorie, passager):
    genre, champs = evenement
    obtenu = categorie_d_evenement(genre, recipient="X@Client.example", **champs)
    assert (obtenu and obtenu.categorie) == categorie
    assert bool(obtenu and obtenu.passager) == passager
    assert obtenu is None or obtenu.adresse_fautive == "x@client.example"


def test_un_refus_du_fournisseur_n_accuse_pas_l_adresse():
    assert not categorie_d_evenement("rejected", reject_reason="blocked").adresse_en_cause
    assert categorie_d_evenement("rejected", reject_reason="invalid").adresse_en_cause
    assert categorie_d_evenement("bounced", reject_reason="bounced", description="550 5.1.1 unknown").adresse_en_cause


@given(st.text(max_size=3000))
def test_un_texte_quelconque_se_classe_toujours(texte):
    assert classer(serveur(texte)).raison and classer(lu(texte, objet=texte[:200])).raison


@pytest.mark.parametrize(
    "morceau",
    ["a@", "jusqu'au 1 ", "5.1.", "550 ", "du 1 au ", "stop ", "de retour ", "mailbox ", "x@y.", "until jan "],
)
def test_un_long_texte_se_classe(morceau):
    """Aucune durée affirmée ici : un motif quadratique ne finirait pas."""
    texte = morceau * (1_000_000 // len(morceau))
    assert classer(serveur(texte)).raison and classer(lu(texte, objet="Absence du bureau")).raison
    rejets.lire_texte(plat_lignes(texte))
    absences.absent_jusqu_au(texte, texte, {}, date(2026, 1, 1))


def test_sans_date_une_absence_se_compte_du_jour_de_la_lecture():
    """La règle n'a pas d'horloge : le jour vient du courriel, sinon de qui le lit."""
    absent = replace(lu("Je suis absent jusqu'au 12 janvier.", objet="Réponse automatique"), date=None)
    assert classer(absent).absent_jusqu_au is None
    assert classer(absent, au=date(2026, 12, 20)).absent_jusqu_au == date(2027, 1, 12)
