"""L'écran des réponses : lire, répondre, rattacher, trancher ; et son réglage, avec une vraie boîte d'essai."""

from datetime import date, timedelta

import pytest
from django.core import mail
from django.urls import reverse
from django.utils import timezone

from clients.models import Client
from recouvrement.comptes.models import Affectation, Role, Utilisateur
from recouvrement.journal.models import Maillon
from relances.models import Message, MessageRecu, ReglageReponses
from relances.services import messages
from tests.clients.factories import ClientFactory
from tests.comptes.factories import SocieteFactory, UtilisateurFactory
from tests.outils.imap import BoiteImap, courriel

from .reponses_essai import envoye, recu, rejet, reponse

pytestmark = pytest.mark.django_db
MARDI, JOUR = date(2026, 2, 10), timedelta(days=1)
S = MessageRecu.Statut


@pytest.fixture(autouse=True)
def un_mardi(time_machine, settings, tmp_path):
    settings.DEPOT = tmp_path / "depot"
    time_machine.move_to("2026-02-10 09:00 +0100", tick=False)


@pytest.fixture
def courrier():
    return envoye()


@pytest.fixture
def responsable(courrier, client):
    user = UtilisateurFactory(role=Role.RESPONSABLE, societe=courrier.societe)
    client.force_login(user)
    return user


def voir(client, /, **filtres):
    return client.get(reverse("relances:reponses"), filtres)


def post(client, route, pk, /, **donnees):
    return client.post(reverse(f"relances:{route}", args=[pk]), donnees)


def test_l_ecran_montre_la_reponse_ce_qu_elle_cite_et_a_quoi_elle_repond(client, responsable, courrier):
    lu = recu(reponse(courrier, texte="Bonjour,\nNous payons vendredi.\n\n> Votre facture F1 reste due."))
    page = voir(client, choix=lu.pk)
    texte = page.content.decode()
    assert page.status_code == 200 and "Nous payons vendredi." in texte and courrier.reference in texte
    assert "attendent votre lecture" in texte and reverse("relances:courrier", args=[courrier.pk]) in texte


def test_une_adresse_mene_au_courriel_et_au_message(client, responsable, courrier):
    """Ma journée et la chronologie y renvoient sans connaître la liste."""
    lu = recu(reponse(courrier))
    assert reverse("relances:reponses") + f"?v=a_lire&choix={lu.pk}" == aller(client, "message_recu", lu.pk)
    MessageRecu.objects.update(statut=S.LU)
    assert aller(client, "message_recu", lu.pk).endswith(f"?v=toutes&choix={lu.pk}")
    parti = messages.ecrire(
        courrier.client, genre="reponse", cle="x", destinataire="a@client.example", objet="Objet", texte="Texte"
    )
    assert aller(client, "message", parti.pk) == reverse("clients:fiche", args=[parti.client_id]) + "?o=chronologie"
    Message.objects.update(statut=Message.Statut.EN_ERREUR)
    assert aller(client, "message", parti.pk).endswith(f"?v=messages&choix={parti.pk}")


def aller(client, route, pk) -> str:
    url = reverse(f"relances:{route}", args=[pk])
    assert client.post(url).status_code == 405
    return client.get(url).url


def test_le_html_ne_se_rend_jamais_ni_un_nom_de_droite_a_gauche(client, responsable, courrier):
    """HTML dans une réponse, nom RTL : des caractères, rien d'autre."""
    lu = recu(reponse(courrier, texte="<script>alert(1)</script>", objet="<b>x</b>", de_nom="\u202egnp.exe"))
    texte = voir(client, choix=lu.pk).content.decode()
    assert "<script>alert" not in texte and "&lt;script&gt;" in texte and "<b>x</b>" not in texte
    assert "\u202e" not in texte


@pytest.mark.parametrize("vue", ["a_lire", "trier", "rejets", "toutes", "messages", "nimporte\x00"])
def test_chaque_vue_s_ouvre_vide_et_pleine(client, responsable, courrier, vue):
    assert voir(client, v=vue).status_code == 200
    recu(reponse(courrier))
    recu(rejet(courrier), "rejet", adresse="x@y.z")
    recu(reponse(identifiant="<inconnu@x>"))
    assert voir(client, v=vue, q="a\x00", client="abc", categorie="lune").status_code == 200
    assert voir(client, v=vue).status_code == 200


def test_le_filtre_par_client_et_par_categorie(client, responsable, courrier):
    recu(reponse(courrier))
    assert voir(client, client=courrier.client_id).context["liste"].total == 1
    assert voir(client, client=courrier.client_id + 1).context["liste"].total == 0
    assert voir(client, v="toutes", categorie="absence").context["liste"].total == 0


def test_le_nombre_de_requetes_ne_depend_pas_des_lignes(client, responsable, courrier, django_assert_max_num_queries):
    comptes = []
    for debut, fin in ((0, 1), (1, 20)):
        for n in range(debut, fin):
            MessageRecu.objects.create(
                societe=courrier.societe, client=ClientFactory(societe=courrier.societe), origine="imap",
                cle_source=f"<{n}@x>", categorie="reponse", recu_le=timezone.now(), de="a@b.example",
            )  # fmt: skip
        voir(client)
        with django_assert_max_num_queries(60) as requetes:
            voir(client)
        comptes.append(len(requetes))
    assert comptes[0] == comptes[1]


def test_marquer_lu_rend_l_echelle_et_se_defait(client, responsable, courrier):
    lu = recu(reponse(courrier))
    assert post(client, "reponse_lire", lu.pk).status_code == 303
    lu.refresh_from_db()
    assert (lu.statut, lu.lu_par) == (S.LU, responsable)
    post(client, "reponse_lire", lu.pk)  # second onglet
    post(client, "reponse_relire", lu.pk)
    lu.refresh_from_db()
    assert (lu.statut, lu.lu_par) == (S.A_LIRE, None)
    post(client, "reponse_ecarter", lu.pk)
    lu.refresh_from_db()
    assert lu.statut == S.ECARTE


def test_repondre_part_dix_secondes_plus_tard_dans_le_fil_et_s_annule(client, responsable, courrier):
    lu = recu(reponse(courrier))
    post(client, "reponse_repondre", lu.pk, objet="Re: rappel", texte="Merci de votre réponse.")
    message = Message.objects.get(genre="reponse")
    assert message.destinataire == lu.de and not mail.outbox[1:]
    post(client, "message_annuler", message.pk)
    message.refresh_from_db()
    assert message.statut == Message.Statut.ANNULE


def test_une_reponse_vide_revient_avec_sa_faute(client, responsable, courrier):
    lu = recu(reponse(courrier))
    page = post(client, "reponse_repondre", lu.pk, objet="Re", texte=" ")
    assert page.status_code == 422 and page.context["volet"]["form_repondre"].errors
    assert not Message.objects.exists()


def test_trier_propose_le_meme_domaine_et_rattache(client, responsable, courrier):
    autre = ClientFactory(societe=courrier.societe, courriel="compta@usine.example")
    lu = recu(reponse(de="marie@usine.example"))
    assert voir(client, v="trier", choix=lu.pk).context["volet"]["proposes"] == [autre]
    assert post(client, "reponse_rattacher", lu.pk, code="zzz").status_code == 422
    post(client, "reponse_rattacher", lu.pk, client=autre.pk)
    lu.refresh_from_db()
    assert lu.client == autre and lu.retient_jusqu_au


def test_on_ne_rattache_pas_au_client_d_une_autre_societe(client, responsable, courrier):
    ailleurs = ClientFactory()
    lu = recu(reponse(de="x@y.example"), societe=courrier.societe)
    assert post(client, "reponse_rattacher", lu.pk, client=ailleurs.pk).status_code == 422
    assert post(client, "reponse_rattacher", lu.pk, code=ailleurs.code).status_code == 422


def test_un_rejet_sans_preuve_se_confirme_a_l_ecran(client, responsable, courrier):
    adresse = courrier.client.courriel
    faux = rejet(courrier, origine_message_id="<z@z>")
    lu = recu(faux, "rejet", adresse=adresse)
    assert adresse in voir(client, choix=lu.pk).content.decode()
    post(client, "reponse_rejet", lu.pk)
    assert Client.objects.get(pk=courrier.client_id).courriel_utilisable == ""


def test_sans_client_ni_societe_seul_qui_voit_tout_le_trie(client, responsable, courrier):
    lu = recu(reponse())
    assert lu.societe == courrier.societe, "une seule société : c'est elle"
    autre = SocieteFactory()
    perdu = recu(reponse(identifiant="<p@x>"))
    assert perdu.societe is None
    assert perdu not in MessageRecu.objects.visibles_pour(responsable)
    Affectation.objects.create(utilisateur=responsable, societe=autre, role=Role.LECTEUR)
    assert perdu in MessageRecu.objects.visibles_pour(Utilisateur.objects.get(pk=responsable.pk))


def test_un_gestionnaire_ne_voit_que_son_portefeuille(client, courrier):
    gestionnaire = UtilisateurFactory(role=Role.GESTIONNAIRE, societe=courrier.societe)
    client.force_login(gestionnaire)
    lu = recu(reponse(courrier))
    assert voir(client).context["liste"].total == 0
    assert post(client, "reponse_lire", lu.pk).status_code == 404
    Client.objects.filter(pk=courrier.client_id).update(gestionnaire=gestionnaire)
    assert voir(client).context["liste"].total == 1


@pytest.mark.parametrize(
    "route",
    ["reponse_lire", "reponse_ecarter", "reponse_relire", "reponse_repondre", "reponse_rattacher", "reponse_rejet"],
)
def test_les_gestes_sont_des_post(client, responsable, courrier, route):
    lu = recu(reponse(courrier))
    assert client.get(reverse(f"relances:{route}", args=[lu.pk])).status_code == 405


# --- Nos messages restés en route ---------------------------------------------------------------


def en_erreur(client_, statut="en_erreur", genre="facture") -> Message:
    message = messages.ecrire(
        client_, genre=genre, cle="f", destinataire="vieille@client.example", objet="Facture", texte="La voici."
    )
    Message.objects.filter(pk=message.pk).update(statut=statut, erreur="550 inconnu")
    return message


def test_un_message_en_erreur_se_corrige_et_repart(client, responsable, courrier):
    message = en_erreur(courrier.client)
    page = voir(client, v="messages", choix=message.pk)
    assert "550 inconnu" in page.content.decode()
    post(client, "message_remettre", message.pk, destinataire="neuve@client.example")
    message.refresh_from_db()
    assert (message.statut, message.destinataire, message.erreur) == ("a_envoyer", "neuve@client.example", "")


def test_un_message_ne_repart_pas_vers_une_adresse_en_erreur(client, responsable, courrier):
    message = en_erreur(courrier.client)
    Client.objects.filter(pk=courrier.client_id).update(courriel_invalide_le=MARDI)
    post(client, "message_remettre", message.pk, destinataire=courrier.client.courriel.upper())
    message.refresh_from_db()
    assert message.statut == "en_erreur"


def test_un_code_de_signature_ne_repart_jamais(client, responsable, courrier):
    message = en_erreur(courrier.client, genre="code")
    post(client, "message_remettre", message.pk, destinataire="neuve@client.example")
    message.refresh_from_db()
    assert message.statut == "en_erreur"


@pytest.mark.parametrize(("sort", "statut"), [("oui", "envoye"), ("non", "a_envoyer")])
def test_un_sort_inconnu_se_tranche(client, responsable, courrier, sort, statut):
    message = en_erreur(courrier.client, statut="incertain")
    assert post(client, "message_trancher", message.pk, parti="lune").status_code == 303
    message.refresh_from_db()
    assert message.statut == "incertain"
    post(client, "message_trancher", message.pk, parti=sort)
    message.refresh_from_db()
    assert message.statut == statut


# --- Réglage ------------------------------------------------------------------------------------


@pytest.fixture
def boite():
    boite = BoiteImap(utilisateur="reponses")
    boite.ouvrir()
    yield boite
    boite.fermer()


def saisie(boite=None, **champs):
    base = {"adresse": "reponses@maison.example", "retient_jours": 5, "imap_dossier": "INBOX", "imap_port": 993}
    if boite:
        base |= {
            "actif": "on", "imap_hote": "127.0.0.1", "imap_port": boite.port, "imap_utilisateur": "reponses",
            "mot_de_passe": boite.mot_de_passe,
        }  # fmt: skip
    return base | champs


@pytest.fixture
def administrateur(courrier, client):
    user = UtilisateurFactory(role=Role.ADMINISTRATEUR, societe=courrier.societe)
    client.force_login(user)
    return user


def regler(client, societe, **champs):
    return client.post(reverse("relances:reglage_reponses", args=[societe.pk]), champs)


def test_regler_puis_essayer_la_connexion_dit_ce_qui_attend_sans_rien_marquer(client, administrateur, courrier, boite):
    assert regler(client, courrier.societe, **saisie(boite)).status_code == 303
    boite.deposer(courriel(de="marie@client.example"))
    essai = client.post(reverse("relances:reglage_reponses_essayer", args=[courrier.societe_id]))
    texte = essai.content.decode()
    assert "1 courriel attend" in texte and "marie@client.example" in texte
    assert boite.drapeaux == {1: set()} and not MessageRecu.objects.exists()
    dit = Maillon.objects.filter(action="reglage_reponses.modifie").get().detail
    assert boite.mot_de_passe not in str(dit.donnees) and dit.donnees["champs"]["imap_secret"] == "…"
    assert boite.mot_de_passe not in client.get(
        reverse("relances:reglage_reponses", args=[courrier.societe_id])
    ).content.decode()  # fmt: skip


def test_une_mauvaise_connexion_se_dit(client, administrateur, courrier, boite):
    regler(client, courrier.societe, **saisie(boite, mot_de_passe="faux"))
    essai = client.post(reverse("relances:reglage_reponses_essayer", args=[courrier.societe_id]))
    assert "refuse l’utilisateur" in essai.content.decode().replace("&#x27;", "’")


@pytest.mark.parametrize(
    "faute",
    [
        {"adresse": "reponses+x@maison.example"}, {"adresse": "a" * 32 + "@maison.example"}, {"retient_jours": 61},
        {"actif": "on", "imap_hote": ""}, {"actif": "on", "imap_hote": "http://x"}, {"imap_port": 0},
        {"imap_hote": "imap.maison.example", "imap_utilisateur": "a b"},
        {"imap_hote": "imap.maison.example", "imap_utilisateur": "a", "mot_de_passe": ""},
    ],
)  # fmt: skip
def test_une_saisie_fausse_revient_avec_sa_faute(client, administrateur, courrier, faute):
    assert regler(client, courrier.societe, **saisie(**faute)).status_code == 422
    assert not ReglageReponses.objects.exists()


def test_un_hote_change_demande_de_ressaisir_le_mot_de_passe(client, administrateur, courrier, boite):
    regler(client, courrier.societe, **saisie(boite))
    ailleurs = saisie(boite, imap_hote="imap.ailleurs.example", mot_de_passe="")
    assert regler(client, courrier.societe, **ailleurs).status_code == 422


def test_deux_societes_n_ont_pas_la_meme_adresse(client, administrateur, courrier):
    ReglageReponses.objects.create(societe=SocieteFactory(), adresse="reponses@maison.example")
    assert regler(client, courrier.societe, **saisie()).status_code == 422


def test_la_liste_des_reglages_s_ouvre(client, administrateur, courrier):
    assert client.get(reverse("relances:reglages_reponses")).status_code == 200
    assert client.get(reverse("relances:reglage_reponses", args=[courrier.societe_id])).status_code == 200
    assert client.get(reverse("relances:reglage_reponses", args=[SocieteFactory().pk])).status_code == 404


def test_reponses_et_declarations_se_rejoignent_sous_la_meme_entree_du_menu(client, responsable):
    assert reverse("relances:declarations") in voir(client).content.decode()
    page = client.get(reverse("relances:declarations")).content.decode()
    debut = page.index(f'href="{reverse("relances:reponses")}"')
    assert 'aria-current="page"' in page[page.rindex("<a", 0, debut) : page.index("</a>", debut)]
    assert reverse("factures:pertes") in client.get(reverse("clients:liste")).content.decode()
