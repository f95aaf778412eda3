"""Les courriels réels : rejets, plaintes, absences, réponses ; les événements par les vraies vues des fournisseurs."""

import json

import pytest
from django.test import RequestFactory

from relances.domaine.citations import couper
from relances.domaine.reponses import Categorie, categorie_d_evenement, classer
from relances.reponses.lecture import lire

S, M, P, R, A = (
    "courriels/sisimai+set-of-emails/", "courriels/mikel+mail/", "courriels/php-mime-mail-parser+php-mime-mail-parser/",
    "courriels/crisp-oss+email-reply-parser/", "courriels/anymail+django-anymail/",
)  # fmt: skip
ABSENCE, REJET, PASSAGER, PLAINTE = "absence", "rejet", "rejet_passager", "plainte"

# fichier → (catégorie, code, adresse en cause dans le rapport, absent jusqu'au)
COURRIELS = {
    S + "rfc3834-01.eml": (ABSENCE, "", "", "2005-05-05"),
    S + "rfc3834-03.eml": (ABSENCE, "", "", "2020-01-10"),
    S + "rfc3834-04.eml": (ABSENCE, "", "", "2013-07-31"),
    S + "rfc3834-05.eml": (ABSENCE, "", "", ""),
    S + "rhost-franceptt-01.eml": (REJET, "5.1.1", "pseudo-local-part-kijitora-nyaaan@orange.fr", ""),
    S + "rhost-franceptt-03.eml": (REJET, "5.2.0", "pseudo-local-part-kijitora@wanadoo.fr", ""),
    S + "rhost-franceptt-05.eml": (REJET, "5.5.0", "xxxx@laposte.net", ""),
    # Sa borne est fausse : l'inventaire n'y voit aucun rapport et dit « REJET » ; son texte dit 421, 4.0.0.
    S + "rhost-franceptt-07.eml": (PASSAGER, "4.0.0", "xxxx@wanadoo.fr", ""),
    S + "rhost-franceptt-08.eml": (PASSAGER, "4.2.0", "xxxx@wanadoo.fr", ""),
    S + "rhost-franceptt-10.eml": (PASSAGER, "4.5.0", "xxxx@laposte.net", ""),
    S + "lhost-postfix-01.eml": (REJET, "5.1.1", "r@p351355.pool.example.ne.jp", ""),
    S + "lhost-office365-01.eml": (REJET, "5.1.10", "kijitora@example.com", ""),
    S + "lhost-gmail-01.eml": (REJET, "5.1.1", "userunknown@example.jp", ""),
    S + "lhost-exchange2007-01.eml": (REJET, "5.1.1", "mikeneko@example.co.jp", ""),
    S + "arf-01.eml": (PLAINTE, "abuse", "redacted@example.net", ""),
    S + "arf-02.eml": (PLAINTE, "abuse", "this-local-part-does-not-exist-on-yahoo@yahoo.com", ""),
    M + "report_422.eml": ("autre", "4.2.2", "fraser@oooooooo.com.au", ""),
    M + "multi_address_bounce1.eml": (REJET, "5.1.1", "bbbbvhvbbvkjbhfbvbvjhb@gmail.com", ""),
    P + "m0001": ("reponse", "", "", ""),
    P + "m0013": ("reponse", "", "", ""),
    P + "issue158a": ("reponse", "", "", ""),
    P + "issue116": ("reponse", "", "", ""),
}
OBJETS = {
    P + "m0001": "Mail avec fichier attaché de 1ko",
    P + "m0013": "50032266 CAR 11_MNPA00A01_9PTX_H00 ATT N° 1467829. pdf",
    P + "issue158a": "Fwd: Test 5",
    M + "report_422.eml": "Warning: could not send message for past 8 hours",
    S + "rfc3834-03.eml": "Auto reply: Nyaan",
}
PIECES = {P + "m0001": ["attach01"], P + "m0013": ["50032266 CAR 11_MNPA00A01_9PTX_H00 ATT N° 1467829.pdf"]}

FUSCE = ("Fusce bibendum", "nec nec nibh.", 5)
# fichier → (début du texte écrit, sa fin, ses lignes, début du cité, début de la signature)
COUPES = {
    R + "email_fr_multiline.txt": (*FUSCE, "Le lun. 15 nov. 2021", ""),
    R + "email_french_dash_separator.txt": (*FUSCE, "-------- Message d'origine", ""),
    R + "email_ios_outlook.txt": (*FUSCE, "________________________________\nFrom: The Hiring", "Get Outlook for iOS"),
    R + "email_german_outlook.txt": (*FUSCE, "-----Ursprüngliche Nachricht-----", ""),
    R + "email_blackberry.txt": ("Here is another email", "Here is another email", 1, "", "Sent from my BlackBerry"),
    R + "email_1.txt": ("Hi folks", "-Abhishek Kona", 7, "", "__\nriak-users"),
    R + "email_2.txt": ("Hi,\nOn Tue, 2011-03-01", 'delete them all individually."', 34, ">\n> -Abhishek", "__\nriak"),
}

# fichier → (event_type d'Anymail attendu, notre catégorie ou « jeté »)
EVENEMENTS = {
    A + "brevo_test_sent_event.json": ("queued", "jeté"),
    A + "brevo_test_delivered_event.json": ("delivered", "remis"),
    A + "brevo_test_hard_bounce.json": ("bounced", "rejet"),
    A + "brevo_test_blocked.json": ("rejected", "rejet"),
    A + "brevo_test_spam.json": ("complained", "plainte"),
    A + "brevo_test_opened_event.json": ("opened", "jeté"),
    A + "brevo_test_clicked_event.json": ("clicked", "jeté"),
    A + "brevo_test_unsubscribe.json": ("unsubscribed", "opposition"),
    A + "mailjet_test_sent_event.json": ("delivered", "remis"),
    A + "mailjet_test_open_event.json": ("opened", "jeté"),
    A + "mailjet_test_bounce_event.json": ("bounced", "rejet"),
    A + "mailjet_test_blocked_event.json": ("rejected", "rejet"),
    A + "sendgrid_test_processed_event.json": ("queued", "jeté"),
    A + "sendgrid_test_delivered_event.json": ("delivered", "remis"),
    A + "sendgrid_test_dropped_invalid_event.json": ("rejected", "rejet"),
    A + "sendgrid_test_bounce_event.json": ("bounced", "rejet"),
    A + "sendgrid_test_open_event.json": ("opened", "jeté"),
    A + "postmark_test_bounce_event.json": ("bounced", "rejet"),
    A + "postmark_test_delivered_event.json": ("delivered", "remis"),
    A + "postmark_test_open_event.json": ("opened", "jeté"),
    A + "postmark_test_spam_event.json": ("complained", "plainte"),
}
RECUS = {A + "brevo_test_inbound_basics.json"}
# Ce que l'inventaire donne de plus, champ par champ.
RECIPIENTS = {
    "brevo_test_sent_event": "recipient@example.com", "brevo_test_delivered_event": "recipient@example.com",
    "mailjet_test_bounce_event": "invalid@invalid", "mailjet_test_blocked_event": "bad@example.com",
    "sendgrid_test_dropped_invalid_event": "invalid@invalid", "sendgrid_test_bounce_event": "noreply@example.com",
    "postmark_test_bounce_event": "bounce@example.com", "postmark_test_spam_event": "spam@example.com",
}  # fmt: skip
MOTIFS = {
    "brevo_test_hard_bounce": "bounced", "brevo_test_blocked": "blocked", "brevo_test_spam": "spam",
    "mailjet_test_bounce_event": "bounced", "mailjet_test_blocked_event": "invalid",
    "sendgrid_test_dropped_invalid_event": "invalid", "postmark_test_bounce_event": "bounced",
    "postmark_test_spam_event": "spam",
}  # fmt: skip
FICHIERS = set(COURRIELS) | set(COUPES) | set(EVENEMENTS) | RECUS


@pytest.mark.parametrize("fichier", sorted(COURRIELS))
def test_un_courriel_reel_se_classe(corpus, table, fichier):
    lu = lire((corpus / fichier).read_bytes())
    obtenu = classer(lu)
    categorie, code, adresse, absent = COURRIELS[fichier]
    table.noter(
        fichier,
        {
            "catégorie": categorie, "code": code, "adresse": adresse, "absent": absent,
            "objet": OBJETS.get(fichier, lu.objet), "pièces": PIECES.get(fichier, []),
            "passager": categorie == PASSAGER or fichier.endswith("report_422.eml"),
        },
        {
            "catégorie": obtenu.categorie.value, "code": obtenu.code, "adresse": obtenu.adresse_fautive,
            "absent": obtenu.absent_jusqu_au.isoformat() if obtenu.absent_jusqu_au else "",
            "objet": lu.objet, "pièces": [x.nom for x in lu.pieces], "passager": obtenu.passager,
        },
    )  # fmt: skip
    # Leurs pièces ne sont ni des PDF ni des images : nommées, refusées, jamais gardées.
    assert all(x.refus and not x.octets for x in lu.pieces)
    assert obtenu.retard == fichier.endswith("report_422.eml")


@pytest.mark.parametrize("fichier", sorted(COUPES))
def test_une_reponse_reelle_se_coupe(corpus, table, fichier):
    source = (corpus / fichier).read_text()
    coupe = couper(source)
    debut, fin, lignes, cite, signature = COUPES[fichier]
    table.noter(
        fichier,
        {"début": True, "fin": True, "lignes": lignes, "cité": True, "signature": True},
        {
            "début": coupe.ecrit.startswith(debut), "fin": coupe.ecrit.endswith(fin),
            "lignes": len(coupe.ecrit.splitlines()), "cité": _commence(coupe.cite, cite),
            "signature": _commence(coupe.signature, signature),
        },
    )  # fmt: skip
    assert sorted(" ".join(coupe).split()) == sorted(source.split()), "aucun mot perdu"


def _commence(texte: str, debut: str) -> bool:
    return texte.startswith(debut) and bool(texte) == bool(debut)


def _vue(fournisseur: str):
    from anymail.webhooks import brevo, mailjet, postmark, sendgrid

    return {
        "brevo": brevo.BrevoTrackingWebhookView, "mailjet": mailjet.MailjetTrackingWebhookView,
        "postmark": postmark.PostmarkTrackingWebhookView, "sendgrid": sendgrid.SendGridTrackingWebhookView,
    }[fournisseur]()  # fmt: skip


@pytest.mark.filterwarnings("ignore:django-anymail has dropped official support for SendGrid")
@pytest.mark.parametrize("fichier", sorted(EVENEMENTS))
def test_un_evenement_de_fournisseur_passe_par_la_vraie_vue(corpus, table, settings, fichier):
    settings.ANYMAIL = {"WEBHOOK_SECRET": "x:y"}
    nom = fichier.removeprefix(A).removesuffix(".json")
    vue = _vue(nom.partition("_")[0])
    requete = RequestFactory().post("/", (corpus / fichier).read_bytes(), content_type="application/json")
    (evenement,) = vue.parse_events(requete)
    classement = categorie_d_evenement(
        evenement.event_type, reject_reason=evenement.reject_reason or "", recipient=evenement.recipient or "",
        description=" ".join(filter(None, (evenement.description, evenement.mta_response))), brut=evenement.esp_event,
    )  # fmt: skip
    type_attendu, categorie = EVENEMENTS[fichier]
    table.noter(
        fichier,
        {
            "event_type": type_attendu, "catégorie": categorie, "passager": False,
            "recipient": RECIPIENTS.get(nom, evenement.recipient), "motif": MOTIFS.get(nom, evenement.reject_reason),
        },
        {
            "event_type": evenement.event_type, "catégorie": classement.categorie.value if classement else "jeté",
            "passager": bool(classement and classement.passager), "recipient": evenement.recipient,
            "motif": evenement.reject_reason,
        },
    )  # fmt: skip


def test_un_courriel_recu_par_le_fournisseur_se_lit(corpus, table, settings):
    from anymail.webhooks.brevo import BrevoInboundWebhookView

    settings.ANYMAIL = {"WEBHOOK_SECRET": "x:y", "BREVO_API_KEY": "essai"}
    (fichier,) = RECUS
    (corps,) = [json.loads((corpus / fichier).read_text())]
    requete = RequestFactory().post("/", json.dumps({"items": [corps]}), content_type="application/json")
    (evenement,) = BrevoInboundWebhookView().parse_events(requete)
    lu = lire(evenement.message.as_bytes())
    table.noter(
        fichier,
        {
            "event_type": "inbound", "catégorie": "reponse", "de": "from@example.com", "objet": "Testing Brevo inbound",
            "message_id": "<ABCDE12345@mail.example.com>", "écrit": "This is a *test message*.\n\n- Sender",
        },
        {
            "event_type": evenement.event_type, "catégorie": classer(lu).categorie.value, "de": lu.de,
            "objet": lu.objet, "message_id": lu.message_id, "écrit": couper(lu.texte).ecrit,
        },
    )  # fmt: skip
    assert classer(lu).categorie is Categorie.REPONSE
