"""Un courriel reçu rejoint l'envoi et le client qu'il concerne, une fois, et tire ses suites."""

from dataclasses import replace
from datetime import timedelta

import pytest
from django.core.exceptions import ValidationError
from django.utils import timezone

from clients.models import Client, Document
from relances.domaine.condamnation import adresse_condamnee
from relances.domaine.natures import Nature
from relances.domaine.reponses import Piece
from relances.models import Courrier, Message, MessageRecu, Palier, ReglageReponses, Relance, Tache, Verdict
from relances.services import adresses, envoi, messages, reponses
from relances.services.effets_reponses import PasEncore
from tests.clients.factories import ClientFactory, ContactFactory
from tests.comptes.factories import SocieteFactory, UtilisateurFactory
from tests.contentieux.factories import pdf as pdf_simple
from tests.factures.factories import EcheanceFactory

from .reponses_essai import MARDI, envoye, passer, recu, rejet, reponse

pytestmark = pytest.mark.django_db
JOUR = timedelta(days=1)
S = MessageRecu.Statut


@pytest.fixture(autouse=True)
def depot_propre(settings, tmp_path):
    settings.DEPOT = tmp_path / "depot"


def ecrit(client, **champs) -> Message:
    """Un message hors de l'échelle, parti."""
    message = messages.ecrire(
        client, genre="facture", cle="f", destinataire=client.courriel, objet="Facture", texte="La voici.", **champs
    )
    Message.objects.filter(pk=message.pk).update(pas_avant=timezone.now())
    assert messages.expedier(message.pk, moment=timezone.now()) == Message.Statut.ENVOYE
    message.refresh_from_db()
    return message


# --- Rattachement -------------------------------------------------------------------------------


@pytest.mark.parametrize("ecriture", [str, str.upper, str.title])
def test_le_jeton_de_l_adresse_de_reponse_rattache_quelle_que_soit_la_casse(ecriture):
    courrier = envoye()
    ReglageReponses.objects.create(societe=courrier.societe, adresse="reponses@maison.example")
    vers = ecriture(adresses.adresse_de_reponse(courrier.societe, courrier.jeton))
    lu = recu(reponse(destinataires=(vers,)))
    assert (lu.courrier, lu.client, lu.societe) == (courrier, courrier.client, courrier.societe)


def test_l_identifiant_cite_rattache_a_l_envoi_precis_meme_d_une_adresse_inconnue():
    courrier = envoye()
    assert recu(reponse(courrier, de="inconnu@nulle.part")).courrier == courrier


def test_une_reference_ancienne_du_fil_rattache_aussi():
    courrier = envoye()
    fil = (adresses.identifiant(courrier.jeton), "<autre@client.example>")
    assert recu(reponse(references=fil)).courrier == courrier


def test_un_message_hors_de_l_echelle_se_reconnait_aussi():
    message = ecrit(ClientFactory())
    lu = recu(reponse(message))
    assert (lu.message, lu.courrier, lu.client) == (message, None, message.client)


def test_l_adresse_d_un_seul_client_ou_contact_rattache_sans_envoi():
    contact = ContactFactory(courriel="Marie@client.example")
    lu = recu(reponse(de="marie@CLIENT.example"))
    assert (lu.client, lu.courrier) == (contact.client, None)


def test_l_adresse_de_deux_clients_attend_une_personne():
    societe = SocieteFactory()
    for _ in range(2):
        ClientFactory(societe=societe, courriel="groupe@compta.example")
    lu = recu(reponse(de="groupe@compta.example"))
    assert (lu.client, lu.societe, lu.statut) == (None, societe, S.A_LIRE)


def test_la_boite_d_une_societe_ne_rattache_pas_au_client_d_une_autre_par_l_adresse():
    ailleurs, ici = ClientFactory(courriel="x@client.example"), SocieteFactory()
    lu = recu(reponse(de=ailleurs.courriel), societe=ici)
    assert (lu.client, lu.societe) == (None, ici)


def test_deux_societes_et_rien_qui_designe_l_une_rien_n_est_devine():
    SocieteFactory(), SocieteFactory()
    assert recu(reponse()).societe is None


def test_relu_rien_ne_s_ecrit_deux_fois():
    courrier = envoye()
    premier = recu(reponse(courrier))
    assert recu(reponse(courrier)) == premier
    assert (MessageRecu.objects.count(), Tache.objects.filter(cle="reponse").count()) == (1, 1)


def test_deux_courriels_de_meme_identifiant_se_gardent_tous_deux():
    """Un identifiant se contrefait : le second courriel ne disparaît pas."""
    courrier = envoye()
    recu(reponse(courrier))
    second = recu(reponse(courrier, texte="Autre chose."))
    assert recu(reponse(courrier, texte="Autre chose.")) == second
    assert MessageRecu.objects.count() == 2 and second.cle_source.startswith("<r1@client.example> ")


# --- Réponse d'une personne -----------------------------------------------------------------------


def test_une_reponse_retient_l_echelle_jusqu_a_lecture_et_au_plus_les_jours_regles():
    courrier = envoye()
    ReglageReponses.objects.create(societe=courrier.societe, retient_jours=30)
    lu = recu(reponse(courrier))
    assert lu.retient_jusqu_au == MARDI + 29 * JOUR
    assert courrier.client.taches.get(faite_le=None).genre == Tache.Genre.REPONSE
    plus_tard = MARDI + 21 * JOUR
    assert passer(courrier.societe, plus_tard).retenues == {"reponse": 1}
    assert "29" not in Verdict.objects.get(au=None).detail.partition("jusqu")[0]
    assert reponses.lire(lu, acteur=UtilisateurFactory(societe=courrier.societe))
    assert courrier.client.taches.filter(faite_le=None).count() == 0
    assert passer(courrier.societe, plus_tard).decidees == 1


def test_exigence_19_une_reponse_arrivee_apres_la_decision_retient_juste_avant_l_envoi():
    """Exigence 19 : décidé hier, répondu ce matin, rien ne part ; le niveau est rendu."""
    echeance = EcheanceFactory(echue_le=MARDI - 9 * JOUR)
    passer(echeance.societe)
    courrier = Courrier.objects.get()
    recu(reponse(courrier))
    assert envoi.envoyer(courrier.pk, au=MARDI) == Courrier.Statut.ANNULE
    courrier.refresh_from_db()
    echeance.refresh_from_db()
    assert "répondu" in courrier.erreur and echeance.niveau == Nature.AUCUNE


def test_sans_retenue_reglee_une_reponse_ne_retient_rien():
    courrier = envoye()
    ReglageReponses.objects.create(societe=courrier.societe, retient_jours=0)
    assert recu(reponse(courrier)).retient_jusqu_au is None


def test_une_absence_est_dite_et_ne_retient_rien():
    courrier = envoye()
    lu = recu(reponse(courrier), "absence", jugement={"absent_jusqu_au": MARDI + 5 * JOUR})
    assert (lu.statut, lu.retient_jusqu_au, lu.absent_jusqu_au) == (S.CONSTATE, None, MARDI + 5 * JOUR)
    assert not Tache.objects.exists()


def test_une_seule_tache_pour_deux_reponses_elle_se_clot_a_la_derniere_lue():
    courrier = envoye()
    acteur = UtilisateurFactory(societe=courrier.societe)
    deux = [recu(reponse(courrier, identifiant=f"<{n}@x>", texte=str(n))) for n in range(2)]
    reponses.lire(deux[0], acteur=acteur)
    assert Tache.objects.filter(faite_le=None).count() == 1
    reponses.lire(deux[1], acteur=acteur)
    assert Tache.objects.filter(faite_le=None).count() == 0
    assert not reponses.lire(deux[1], acteur=acteur), "deux onglets : le second ne fait rien"
    assert reponses.remettre_a_lire(deux[1], acteur=acteur, au=MARDI)
    assert Tache.objects.filter(faite_le=None).count() == 1


def test_repondre_ecrit_dans_le_fil_une_fois_et_vaut_lecture():
    courrier = envoye()
    lu, acteur = recu(reponse(courrier)), UtilisateurFactory(societe=courrier.societe)
    un = reponses.repondre(lu, objet="Re: votre rappel", texte="Merci.", acteur=acteur)
    assert reponses.repondre(lu, objet="Re: votre rappel", texte="Merci.", acteur=acteur) == un
    courriel = messages.composer(un)
    assert courriel.extra_headers["In-Reply-To"] == "<r1@client.example>"
    assert "Auto-Submitted" not in courriel.extra_headers and courriel.to == [lu.de]
    lu.refresh_from_db()
    assert lu.statut == S.LU


@pytest.mark.parametrize("categorie", ["absence", "rejet", "rejet_passager", "plainte", "remis"])
def test_une_machine_ne_recoit_jamais_de_reponse(categorie):
    courrier = envoye()
    lu = recu(reponse(courrier), categorie)
    with pytest.raises(ValidationError):
        reponses.repondre(lu, objet="x", texte="y", acteur=UtilisateurFactory(societe=courrier.societe))


# --- Rejets -------------------------------------------------------------------------------------


def test_exigence_22_un_rejet_apres_l_envoi_rend_le_niveau_et_condamne_l_adresse():
    """Exigence 22 : l'envoi passe en erreur, le palier n'est plus atteint, l'adresse est bannie, une tâche s'ouvre."""
    courrier = envoye()
    lu = recu(rejet(courrier), "rejet", adresse=courrier.destinataire, jugement={"code": "5.1.1"})
    courrier.refresh_from_db()
    echeance = courrier.relances.get().echeance
    assert (courrier.statut, echeance.niveau) == (Courrier.Statut.EN_ERREUR, Nature.AUCUNE)
    assert courrier.relances.get().statut == Relance.Statut.EN_ERREUR
    client = Client.objects.get(pk=courrier.client_id)
    assert (client.courriel_utilisable, lu.statut) == ("", S.CONSTATE)
    assert client.taches.get(faite_le=None).genre == Tache.Genre.SANS_ADRESSE


def test_exigence_21_la_nuit_suivante_le_meme_palier_part_en_lettre():
    """Exigence 21 : sans courriel valide, repli selon le plan, par le code même de la nuit."""
    courrier = envoye()
    recu(rejet(courrier), "rejet", adresse=courrier.destinataire)
    assert passer(courrier.societe, MARDI + JOUR).decidees == 1
    suivant = Courrier.objects.exclude(pk=courrier.pk).get()
    assert (suivant.canal, suivant.nature) == ("lettre", courrier.nature)
    assert envoi.envoyer(suivant.pk, au=MARDI + JOUR) == Courrier.Statut.A_POSTER


def test_exigence_21_sans_adresse_postale_non_plus_une_tache_d_appel_rien_ne_se_perd():
    """Exigence 21 : ni courriel ni adresse, le repli est une tâche pour une personne."""
    courrier = envoye(client=ClientFactory(adresse="", ville=""))
    recu(rejet(courrier), "rejet", adresse=courrier.destinataire)
    passer(courrier.societe, MARDI + JOUR)
    ouvertes = set(courrier.client.taches.filter(faite_le=None).values_list("genre", flat=True))
    assert ouvertes & {Tache.Genre.APPEL, Tache.Genre.SANS_ADRESSE}
    assert Verdict.objects.filter(au=None).exists()


def test_exigence_21_un_plan_qui_se_replie_sur_l_appel_ouvre_une_tache_d_appel():
    """Exigence 21 : courriel, sinon appel : la nuit qui suit le rejet ouvre la tâche."""
    courrier = envoye()
    Palier.objects.filter(pk=courrier.palier_id).update(canaux=["courriel", "appel"])
    recu(rejet(courrier), "rejet", adresse=courrier.destinataire)
    passer(courrier.societe, MARDI + JOUR)
    assert courrier.client.taches.filter(faite_le=None, genre=Tache.Genre.APPEL).exists()


def test_un_rejet_que_rien_ne_prouve_attend_une_personne_qui_le_confirme():
    client = ClientFactory(courriel="x@client.example")
    faux = rejet(ecrit(client), origine_message_id="<inconnu@ailleurs>")
    lu = recu(faux, "rejet", adresse="x@client.example")
    client.refresh_from_db()
    assert (lu.statut, lu.client, client.courriel_utilisable) == (S.A_LIRE, client, "x@client.example")
    assert reponses.confirmer_le_rejet(lu, acteur=UtilisateurFactory(societe=client.societe), au=MARDI)
    client.refresh_from_db()
    assert client.courriel_utilisable == ""


def test_le_rejet_d_une_adresse_corrigee_depuis_ne_touche_pas_l_envoi_d_aujourd_hui():
    courrier = envoye()
    vieux = rejet(courrier, origine_destinataires=("ancienne@client.example",))
    recu(vieux, "rejet", adresse="ancienne@client.example")
    courrier.refresh_from_db()
    assert courrier.statut == Courrier.Statut.ENVOYE
    assert Client.objects.get(pk=courrier.client_id).courriel_utilisable


def test_un_rejet_pendant_la_remise_se_reprend_et_n_ecrit_rien():
    courrier = envoye()
    Courrier.objects.filter(pk=courrier.pk).update(statut=Courrier.Statut.EN_COURS)
    with pytest.raises(PasEncore):
        recu(rejet(courrier), "rejet", adresse=courrier.destinataire)
    assert not MessageRecu.objects.exists()


def test_le_rejet_d_un_message_hors_echelle_le_met_en_erreur_et_signale_l_adresse():
    message = ecrit(ClientFactory())
    recu(rejet(message), "rejet", adresse=message.destinataire)
    message.refresh_from_db()
    assert message.statut == Message.Statut.EN_ERREUR and "rebond" in message.erreur
    assert Client.objects.get(pk=message.client_id).courriel_utilisable == ""
    assert message.client.taches.get().genre == Tache.Genre.SANS_ADRESSE


def test_un_rejet_passager_perd_le_message_pas_l_adresse_jusqu_au_troisieme_jour(time_machine):
    """Boîte pleine : le courriel se refait, deux fois ; au troisième jour l'adresse est condamnée."""
    client, utilisables = ClientFactory(), []
    for n in range(3):
        jour = MARDI + n * JOUR
        time_machine.move_to(f"{jour} 10:00 +0100", tick=False)
        if n == 0:
            courrier = envoye(client=client)
        else:
            passer(client.societe, jour)
            courrier = Courrier.objects.filter(client=client).latest("pk")
            assert envoi.envoyer(courrier.pk, au=jour) == Courrier.Statut.ENVOYE
            courrier.refresh_from_db()
        recu(rejet(courrier, identifiant=f"<p{n}@mx>", code="4.2.2"), "rejet_passager", adresse=courrier.destinataire,
             au=jour)  # fmt: skip
        courrier.refresh_from_db()
        assert courrier.statut == Courrier.Statut.EN_ERREUR
        client.refresh_from_db()
        utilisables.append(bool(client.courriel_utilisable))
    assert utilisables == [True, True, False]


def test_un_retard_annonce_n_est_que_compte():
    courrier = envoye()
    recu(rejet(courrier, action="delayed", code="4.4.1"), "rejet_passager", adresse=courrier.destinataire)
    courrier.refresh_from_db()
    assert courrier.statut == Courrier.Statut.ENVOYE


@pytest.mark.parametrize(
    ("ecarts", "condamnee"), [((0,), False), ((0, 0, 0), False), ((0, 1, 2), True), ((0, 7, 15), False)]
)
def test_trois_jours_de_rejet_en_quinze(ecarts, condamnee):
    assert adresse_condamnee([MARDI - n * JOUR for n in ecarts], au=MARDI) is condamnee


@pytest.mark.parametrize("categorie", ["plainte", "opposition"])
def test_qui_se_plaint_ou_s_oppose_ne_recoit_plus_de_courriels_et_une_tache_le_dit(categorie):
    courrier = envoye()
    recu(reponse(courrier, de=courrier.destinataire), categorie)
    courrier.refresh_from_db()
    assert courrier.statut == Courrier.Statut.ENVOYE, "le courriel est arrivé : le niveau reste"
    assert Client.objects.get(pk=courrier.client_id).courriel_utilisable == ""
    assert Tache.objects.filter(genre=Tache.Genre.SANS_ADRESSE, faite_le=None).count() == 1


def test_un_sort_inconnu_que_le_serveur_dit_remis_est_parti():
    courrier = envoye()
    Courrier.objects.filter(pk=courrier.pk).update(statut=Courrier.Statut.INCERTAIN)
    recu(rejet(courrier, action="delivered", code="2.0.0"), "remis")
    courrier.refresh_from_db()
    assert courrier.statut == Courrier.Statut.ENVOYE and courrier.reponse.startswith("remis le")


# --- Boucles et malveillance ------------------------------------------------------------------------


def test_un_courriel_de_la_maison_est_ecarte(settings):
    courrier = envoye()
    nous = reponse(identifiant=adresses.identifiant(courrier.jeton))
    assert recu(nous).statut == S.ECARTE
    assert recu(reponse(identifiant="<b@x>", de=settings.DEFAULT_FROM_EMAIL)).statut == S.ECARTE
    boucle = reponse(identifiant="<c@x>", entetes={"x-loop": settings.DEFAULT_FROM_EMAIL})
    assert recu(boucle).statut == S.ECARTE
    assert not Tache.objects.exists()


def test_au_dela_de_vingt_courriels_par_heure_une_adresse_est_ecartee_et_c_est_dit():
    courrier = envoye()
    lus = [recu(reponse(courrier, identifiant=f"<{n}@x>", texte=str(n))) for n in range(22)]
    assert [m.statut for m in lus].count(S.ECARTE) == 2 and "boucle" in lus[-1].raison


def test_cent_rejets_du_meme_serveur_ne_font_pas_une_boucle():
    courrier = envoye()
    lus = [recu(rejet(courrier, identifiant=f"<{n}@x>"), "rejet", adresse="a@b.c") for n in range(25)]
    assert S.ECARTE not in {m.statut for m in lus}


def test_un_nom_de_droite_a_gauche_et_un_nul_se_neutralisent():
    lu = recu(reponse(de_nom="\u202egro.elpmaxe\u2066", objet="Fac\x00ture", texte="a\x00b\nc"))
    assert (lu.de_nom, lu.objet, lu.texte) == ("gro.elpmaxe", "Facture", "ab\nc")


# --- Pièces ------------------------------------------------------------------------------------


def test_les_pieces_rejoignent_la_fiche_et_les_refusees_sont_nommees():
    courrier = envoye()
    pieces = (
        Piece("virement.pdf", "application/pdf", 9, pdf_simple(), "application/pdf", ".pdf"),
        Piece("facture.exe", "application/pdf", 3, b"MZ.", "", "", ""),
        Piece("gros.zip", "application/zip", 99, refus="archive : elle ne s'ouvre pas"),
    )
    lu = recu(replace(reponse(courrier), pieces=pieces))
    assert [d.origine for d in Document.objects.filter(client=courrier.client)] == ["courriel"]
    assert [p["nom"] for p in lu.pieces_refusees] == ["facture.exe", "gros.zip"]
    assert all(p["motif"] for p in lu.pieces_refusees)


def test_une_personne_rattache_ce_que_rien_ne_rattachait():
    client = ClientFactory()
    acteur = UtilisateurFactory(societe=client.societe)
    lu = recu(reponse())
    assert reponses.rattacher_a(lu, client, acteur=acteur, au=MARDI)
    lu.refresh_from_db()
    assert (lu.client, lu.retient_jusqu_au) == (client, MARDI + 6 * JOUR)
    assert client.taches.get(faite_le=None).cle == "reponse"
    assert not reponses.rattacher_a(lu, client, acteur=acteur, au=MARDI)


def test_le_brut_se_range_par_empreinte_et_l_illisible_se_trie():
    societe = SocieteFactory()
    lu = reponses.recevoir_illisible(b"\xff" * 40, origine="imap", raison="trop gros", societe=societe)
    assert (lu.statut, lu.categorie, lu.societe) == (S.A_LIRE, "autre", societe)
    assert lu.brut_chemin.endswith(".eml") and lu.brut_empreinte and "trop gros" in lu.raison


# --- La preuve avant l'effet -------------------------------------------------------------------------


def test_un_message_refuse_par_la_politique_du_serveur_ne_condamne_pas_l_adresse():
    """5.7.1 : notre message est tenu pour indésirable. Sinon une mauvaise journée éteindrait toutes les adresses."""
    courrier = envoye()
    recu(rejet(courrier, code="5.7.1"), "rejet", adresse=courrier.destinataire, jugement={"adresse_en_cause": False})
    courrier.refresh_from_db()
    assert courrier.statut == Courrier.Statut.EN_ERREUR and "rebond" in courrier.erreur
    assert Client.objects.get(pk=courrier.client_id).courriel_utilisable


@pytest.mark.parametrize("categorie", ["plainte", "opposition"])
def test_une_plainte_contrefaite_n_eteint_pas_l_adresse_d_un_autre(categorie):
    """L'expéditeur se contrefait : sans envoi cité, une personne lit et confirme."""
    client = ClientFactory(courriel="innocent@client.example")
    adresse = client.courriel if categorie == "plainte" else ""
    lu = recu(reponse(de=client.courriel, texte="STOP"), categorie, adresse=adresse)
    client.refresh_from_db()
    assert (lu.client, lu.statut, client.courriel_utilisable) == (client, S.A_LIRE, "innocent@client.example")
    assert client.taches.get(faite_le=None).genre == Tache.Genre.REPONSE
    assert reponses.confirmer_le_rejet(lu, acteur=UtilisateurFactory(societe=client.societe), au=MARDI)
    client.refresh_from_db()
    assert client.courriel_utilisable == ""
