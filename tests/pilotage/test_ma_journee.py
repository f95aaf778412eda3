"""Ma journée : ce qui vaut la peine, dans l'ordre, avec sa raison, en un nombre fixe de requêtes."""

from datetime import date, datetime, time, timedelta
from decimal import Decimal

import pytest
from django.db import connection
from django.test.utils import CaptureQueriesContext
from django.urls import reverse
from django.utils import timezone

from clients.models import AnnonceBodacc, Client
from factures.models import Accord, PropositionPerte
from recouvrement.commun import horloge
from recouvrement.comptes.models import Role
from recouvrement.pilotage.domaine.priorite import Genre, Groupe, Poids, groupe, valeur
from recouvrement.pilotage.sources import base
from relances.models import (
    Courrier,
    Declaration,
    LeveeDeFrein,
    LienPortail,
    Message,
    MessageRecu,
    Palier,
    Passage,
    Tache,
)
from relances.services.plans import installer_plans
from tests.clients.factories import ClientFactory, SuspensionFactory
from tests.comptes.factories import AffectationFactory, SocieteFactory, UtilisateurFactory
from tests.factures.factories import (
    AvoirFactory,
    EcheanceFactory,
    EncaissementFactory,
    LitigeFactory,
    PromesseFactory,
)

AU = date(2026, 11, 20)
QUAND = timezone.make_aware(datetime.combine(AU, time(9)))
URL = "/"
S, G = Courrier.Statut, Tache.Genre


# --- La règle ----------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("poids", "attendu"),
    [
        (Poids(Genre.APPEL, AU), Groupe.AUJOURDHUI),
        (Poids(Genre.APPEL, AU - timedelta(1)), Groupe.DABORD),
        (Poids(Genre.APPEL, AU + timedelta(1)), Groupe.ATTENDRE),
        (Poids(Genre.APPEL, AU - timedelta(9), retenu=True), Groupe.ATTENDRE),
        (Poids(Genre.VALIDER, AU, nature=5), Groupe.DABORD),
        (Poids(Genre.VALIDER, AU, nature=4), Groupe.AUJOURDHUI),
        (Poids(Genre.VALIDER, AU, nature=5, retenu=True), Groupe.ATTENDRE),
        (Poids(Genre.PROMESSE, AU), Groupe.DABORD),
        (Poids(Genre.PROMESSE, AU + timedelta(3)), Groupe.ATTENDRE),
        (Poids(Genre.INCONNU, AU), Groupe.DABORD),
        (Poids(Genre.ERREUR, AU), Groupe.DABORD),
        (Poids(Genre.PROCEDURE, AU + timedelta(60), butoir=True), Groupe.DABORD),
        (Poids(Genre.PROCEDURE, AU), Groupe.AUJOURDHUI),
        (Poids(Genre.LITIGE, AU), Groupe.AUJOURDHUI),
        (Poids(Genre.LITIGE, AU - timedelta(1)), Groupe.DABORD),
        (Poids(Genre.VIREMENT, AU), Groupe.AUJOURDHUI),
        (Poids(Genre.AR, AU), Groupe.AUJOURDHUI),
        (Poids(Genre.AUTRE, AU - timedelta(9)), Groupe.AUJOURDHUI),
    ],
)
def test_le_groupe_se_decide_sur_le_genre_le_jour_et_ce_qui_retient(poids, attendu):
    assert groupe(poids, au=AU) is attendu


@pytest.mark.parametrize(
    ("echu", "retard", "attendu"), [(900, 0, 900), (900, 30, 1800), (900, 180, 6300), (900, 400, 6300), (0, 90, 0)]
)
def test_la_valeur_pese_le_montant_par_l_age_borne_a_six_mois(echu, retard, attendu):
    assert valeur(Decimal(echu), retard) == Decimal(attendu)


# --- L'écran -------------------------------------------------------------------------------------------


@pytest.fixture(autouse=True)
def vendredi(monkeypatch):
    monkeypatch.setattr(horloge, "maintenant", lambda: timezone.make_aware(datetime.combine(AU, time(10))))


@pytest.fixture
def societe(db):
    societe = SocieteFactory()
    installer_plans(societe)
    return societe


@pytest.fixture
def gestionnaire(societe):
    return UtilisateurFactory(societe=societe, nom="Claire Bonnet")


@pytest.fixture
def connectee(client, gestionnaire):
    client.force_login(gestionnaire)
    return client


def debiteur(gestionnaire, nom: str, *, montant=1000, jours=10, **champs) -> Client:
    societe = gestionnaire.affectations.get().societe
    client = ClientFactory(societe=societe, gestionnaire=gestionnaire, raison_sociale=nom, **champs)
    EcheanceFactory(client=client, echue_le=AU - timedelta(jours), montant=montant)
    return client


def tache(client, genre=G.APPEL, le=AU, **champs) -> Tache:
    base = {"titre": "Appeler", "cle": f"{genre}:{le}"}
    return Tache.objects.create(societe=client.societe, client=client, genre=genre, due_le=le, **base | champs)


def courrier(client, statut, *, nature=5, **champs) -> Courrier:
    palier = Palier.objects.filter(version__echelle__societe=client.societe, nature=nature).first()
    passage, _ = Passage.objects.get_or_create(
        societe=client.societe, au=AU, defaults={"numero": 1, "genre": "rejoue", "statut": "termine"}
    )
    base = {"canal": "recommande", "total": Decimal(1000), "arrete_au": AU, "envoye_le": timezone.now()}
    return Courrier.objects.create(
        societe=client.societe, client=client, passage=passage, palier=palier, nature=nature, statut=statut,
        **base | champs,
    )  # fmt: skip


def message(client, statut, **champs) -> Message:
    base_ = {"genre": "promesse", "cle": f"p{statut}", "destinataire": "compta@belcourt.example", "texte": "Bonjour"}
    return Message.objects.create(
        societe=client.societe, client=client, statut=statut, pas_avant=timezone.now(), **base_ | champs
    )


def recu(client, categorie="reponse", **champs) -> MessageRecu:
    base_ = {"cle_source": f"<{categorie}{client.pk}@x>", "de_nom": "Nadia Ferrand", "texte": "Nous payons vendredi."}
    return MessageRecu.objects.create(
        societe=client.societe, client=client, categorie=categorie, origine="imap", recu_le=QUAND,
        **base_ | champs,
    )  # fmt: skip


def declaration(client, **champs) -> Declaration:
    lien = LienPortail.objects.create(client=client, cree_le=AU, expire_le=AU + timedelta(90), cle=f"cle{client.pk}")
    base_ = {"genre": "paye", "montant": Decimal(400), "cle": "x", "faite_le": QUAND}
    return Declaration.objects.create(client=client, lien=lien, **base_ | champs)


def accord(client, **champs) -> Accord:
    base_ = {"genre": "echeancier", "statut": "propose", "montant": Decimal(900), "propose_le": AU - timedelta(3)}
    return Accord.objects.create(client=client, **{"expire_le": AU + timedelta(4)} | base_ | champs)


def annonce(client, portee="ouverture", **champs) -> AnnonceBodacc:
    base_ = {"siren": client.siren, "nature": "Jugement d'ouverture", "parution_le": AU - timedelta(2)}
    return AnnonceBodacc.objects.create(
        societe=client.societe, identifiant=f"A{client.pk}", texte={"portee": portee}, **base_ | champs
    )


def lignes(reponse) -> list[tuple[str, str, str]]:
    """(groupe, client, consigne) dans l'ordre de l'écran."""
    return [
        (titre, x.client.raison_sociale, x.principale.consigne.replace("\u00a0", " "))
        for titre, _note, groupe_ in reponse.context["groupes"]
        for x in groupe_
    ]


SITUATIONS = [
    ("appel", lambda c: tache(c), "Aujourd'hui", "Appeler"),
    ("decision", lambda c: tache(c, G.DECISION, titre="MED ou abandon ?"), "Aujourd'hui", "MED ou abandon ?"),
    ("declarer", lambda c: tache(c, G.DECLARER, AU + timedelta(44), titre="Déclarer"), "D'abord", "Déclarer"),
    ("rompue", lambda c: tache(c, G.PROMESSE_ROMPUE, titre="Rappeler"), "D'abord", "Rappeler"),
    ("valider", lambda c: courrier(c, S.A_VALIDER), "D'abord", "Valider : mise en demeure, recommandé AR"),
    ("poster", lambda c: courrier(c, S.A_POSTER), "Aujourd'hui",
     "Imprimer et poster : mise en demeure, recommandé AR"),
    ("erreur", lambda c: courrier(c, S.EN_ERREUR, erreur="550"), "D'abord", "Reprendre l'envoi : mise en demeure"),
    ("inconnu", lambda c: courrier(c, S.INCERTAIN), "D'abord", "Vérifier si le courriel est parti : mise en demeure"),
    ("ar", lambda c: courrier(c, S.POSTE, depose_le=AU - timedelta(7)), "Aujourd'hui",
     "Consigner le retour d'AR : mise en demeure"),
    ("litige", lambda c: LitigeFactory(echeance=c.echeances.get(), montant_conteste=384, a_traiter_le=AU),
     "Aujourd'hui", "Clore ou prolonger le litige : 384,00 € contestés"),
    ("virement", lambda c: EncaissementFactory(client=c, montant=400, date=AU - timedelta(1)), "Aujourd'hui",
     "Affecter les 400,00 € reçus le 19/11"),
    ("mensualite", lambda c: tache(c, G.PROMESSE_ROMPUE, cle="echeancier:7:2", titre="Réclamer"), "D'abord",
     "Réclamer"),
    ("delai", lambda c: tache(c, G.AUTRE, cle="contentieux:1:signifier:x", titre="Signifier"), "Aujourd'hui",
     "Signifier"),
    ("message_incertain", lambda c: message(c, "incertain"), "D'abord",
     "Vérifier si le message est parti : confirmation de promesse"),
    ("message_erreur", lambda c: message(c, "en_erreur", erreur="550"), "D'abord",
     "Reprendre le message : confirmation de promesse"),
    ("reponse", lambda c: recu(c), "D'abord", "Lire la réponse de Nadia Ferrand"),
    ("rejet", lambda c: recu(c, "rejet", adresse_fautive="x@y.example", code="5.1.1"), "Aujourd'hui",
     "Corriger l'adresse : x@y.example"),
    ("declaration", lambda c: declaration(c), "D'abord", "Répondre à la déclaration : « J'ai payé »"),
    ("a_signer", lambda c: accord(c), "Aujourd'hui", "Faire signer : échéancier, 900,00 €"),
    ("annonce", lambda c: annonce(c, siren=Client.objects.filter(pk=c.pk).update(siren="732829320") and "732829320"),
     "D'abord", "Noter ce qu'annonce le BODACC : Jugement d'ouverture"),
    ("promesse", lambda c: PromesseFactory(echeances=[c.echeances.get()], date_promise=AU), "Peut attendre",
     "Promesse de 1 000,00 € à contrôler le 24/11"),
]  # fmt: skip


@pytest.mark.parametrize(
    ("situation", "titre", "consigne"), [s[1:] for s in SITUATIONS], ids=[s[0] for s in SITUATIONS]
)
def test_chaque_source_donne_sa_consigne_dans_son_groupe(connectee, gestionnaire, situation, titre, consigne):
    situation(debiteur(gestionnaire, "Belcourt"))

    assert lignes(connectee.get(URL)) == [(titre, "Belcourt", consigne)]


@pytest.mark.parametrize(
    "situation",
    [
        lambda c: tache(c, faite_le=timezone.now()),
        lambda c: tache(c, le=AU + timedelta(8)),
        lambda c: courrier(c, S.ENVOYE),
        lambda c: courrier(c, S.ANNULE),
        lambda c: courrier(c, S.POSTE, depose_le=AU - timedelta(6)),
        lambda c: courrier(c, S.POSTE, depose_le=AU - timedelta(30), retour="distribue"),
        lambda c: courrier(c, S.POSTE, depose_le=AU - timedelta(30), canal="lettre"),
        lambda c: LitigeFactory(echeance=c.echeances.get(), a_traiter_le=AU + timedelta(8)),
        lambda c: LitigeFactory(echeance=c.echeances.get(), a_traiter_le=AU, clos_le=AU),
        lambda c: EncaissementFactory(client=c, devise="GBP"),
        lambda c: AvoirFactory(client=c),
        lambda c: PromesseFactory(echeances=[c.echeances.get()], date_promise=AU + timedelta(8)),
        lambda c: message(c, "envoye", envoye_le=timezone.now()),
        lambda c: recu(c, statut="lu"),
        lambda c: declaration(c, statut="acceptee"),
        lambda c: accord(c, expire_le=AU + timedelta(8)),
        lambda c: accord(c, statut="a_approuver"),
        lambda c: annonce(c, portee="cloture"),
        lambda c: annonce(c, parution_le=AU - timedelta(61)),
    ],
)
def test_ce_qui_est_fait_ou_lointain_ne_charge_pas_la_journee(connectee, gestionnaire, situation):
    situation(debiteur(gestionnaire, "Belcourt"))

    page = connectee.get(URL)

    assert lignes(page) == []
    assert "Votre journée est faite" in page.content.decode()


def test_une_tache_qui_redit_la_piece_s_efface(connectee, gestionnaire):
    belcourt = debiteur(gestionnaire, "Belcourt")
    recu(belcourt)
    tache(belcourt, G.REPONSE, titre="Lire une réponse")
    ((_g, _n, consigne),) = lignes(connectee.get(URL))
    assert consigne == "Lire la réponse de Nadia Ferrand"
    assert "autre action" not in connectee.get(URL).content.decode()


def test_chaque_ligne_dit_le_chiffre_qui_la_range(connectee, gestionnaire):
    tache(debiteur(gestionnaire, "Belcourt", jours=53))
    texte = connectee.get(URL).content.decode().replace("\u00a0", " ")
    assert "Chance 50 % : aucun paiement connu depuis un an · âge × 2,8" in texte


@pytest.mark.parametrize("portefeuille", [False, True])
def test_ce_qu_un_responsable_decide_vient_a_lui_hors_de_son_portefeuille(client, gestionnaire, societe, portefeuille):
    chef = UtilisateurFactory(societe=societe, role=Role.RESPONSABLE)
    if portefeuille:
        tache(ClientFactory(societe=societe, gestionnaire=chef, raison_sociale="Le mien"))
    accord(debiteur(gestionnaire, "Accord"), statut="a_approuver", auteur=gestionnaire)
    piece = debiteur(gestionnaire, "Perte").echeances.get()
    PropositionPerte.objects.create(
        echeance=piece, montant=1000, motif="Insolvable", propose_par=gestionnaire, propose_le=AU
    )
    client.force_login(chef)
    vues = {nom: consigne for _g, nom, consigne in lignes(client.get(URL))}
    assert vues["Accord"] == "Approuver ou non : échéancier, 900,00 €"
    assert vues["Perte"].startswith("Décider d'une perte : ")
    client.force_login(gestionnaire)
    assert lignes(client.get(URL)) == []


def test_un_client_n_a_qu_une_ligne_et_dit_ce_qui_l_accompagne(connectee, gestionnaire):
    belcourt = debiteur(gestionnaire, "Belcourt")
    tache(belcourt)
    tache(belcourt, G.PROMESSE_ROMPUE, titre="Rappeler")
    EncaissementFactory(client=belcourt, montant=100)

    page = connectee.get(URL)

    assert lignes(page) == [("D'abord", "Belcourt", "Rappeler")]
    assert "et 2 autres actions" in page.content.decode()


def test_dans_un_groupe_le_montant_alourdi_de_son_age_passe_devant(connectee, gestionnaire):
    for nom, montant, jours in (("Gros et frais", 3000, 1), ("Petit et vieux", 900, 90), ("Moyen", 2000, 45)):
        tache(debiteur(gestionnaire, nom, montant=montant, jours=jours))

    assert [nom for _g, nom, _c in lignes(connectee.get(URL))] == ["Moyen", "Petit et vieux", "Gros et frais"]


def test_un_client_suspendu_peut_attendre_et_dit_jusqu_a_quand(connectee, gestionnaire):
    belcourt = debiteur(gestionnaire, "Belcourt")
    tache(belcourt, le=AU - timedelta(3))
    SuspensionFactory(client=belcourt, du=AU, au=AU + timedelta(5))

    page = connectee.get(URL)

    assert lignes(page) == [("Peut attendre", "Belcourt", "Appeler")]
    assert "relances suspendues jusqu&#x27;au 25/11" in page.content.decode()


def test_deux_devises_se_lisent_cote_a_cote(connectee, gestionnaire):
    belcourt = debiteur(gestionnaire, "Belcourt", montant=1000)
    EcheanceFactory(client=belcourt, echue_le=AU - timedelta(3), montant=500, devise="GBP")
    tache(belcourt)

    texte = connectee.get(URL).content.decode().replace("\u00a0", " ")

    assert "1 000,00 €" in texte
    assert "500,00 £" in texte
    assert "1 500,00" not in texte


@pytest.mark.parametrize(
    ("onglet", "attendu"),
    [
        ("tout", ["Appels", "Virement"]),
        ("appels", ["Appels"]),
        ("virements", ["Virement"]),
        ("n'importe", ["Appels", "Virement"]),
    ],
)
def test_les_onglets_viennent_de_l_adresse_et_comptent_leurs_lignes(connectee, gestionnaire, onglet, attendu):
    tache(debiteur(gestionnaire, "Appels", montant=5000))
    EncaissementFactory(client=debiteur(gestionnaire, "Virement"), montant=10)

    page = connectee.get(URL, {"q": onglet})

    assert [nom for _g, nom, _c in lignes(page)] == attendu
    comptes = {o.libelle: o.compte for o in page.context["vues"]}
    assert comptes["Tout"] == 2
    assert next(o for o in page.context["vues"] if o.courant).compte == len(attendu)


def test_dans_un_onglet_c_est_son_action_qui_se_lit(connectee, gestionnaire):
    belcourt = debiteur(gestionnaire, "Belcourt")
    tache(belcourt, G.PROMESSE_ROMPUE, titre="Rappeler")
    EncaissementFactory(client=belcourt, montant=10, date=AU)

    ((_groupe, _nom, consigne),) = lignes(connectee.get(URL, {"q": "virements"}))

    assert consigne == "Affecter les 10,00 € reçus le 20/11"


def test_une_longue_journee_se_deplie_par_pas(connectee, gestionnaire):
    for n in range(30):
        tache(debiteur(gestionnaire, f"Client {n:02d}", montant=100 + n))

    premiere = connectee.get(URL)
    suite = connectee.get(URL, {"lignes": 50})

    assert (len(lignes(premiere)), premiere.context["restantes"]) == (25, 5)
    assert (len(lignes(suite)), suite.context["restantes"]) == (30, 0)
    assert lignes(suite)[:25] == lignes(premiere)


def test_la_journee_vide_dit_quand_la_suite_arrive(connectee, gestionnaire):
    tache(debiteur(gestionnaire, "Belcourt"), le=AU + timedelta(10))

    assert "lundi 30/11/2026" in connectee.get(URL).content.decode()


def test_le_menu_compte_autant_que_la_page(connectee, gestionnaire):
    for situation in SITUATIONS:
        situation[1](debiteur(gestionnaire, situation[0]))
    tache(debiteur(gestionnaire, "appel"), G.PROMESSE_ROMPUE)

    page = connectee.get(URL)

    entree = page.context["coque"].menu[0]["entrees"][0]
    assert entree.compte == page.context["total"] == len(SITUATIONS) + 1


# --- Qui voit quoi ----------------------------------------------------------------------------------


def test_exigence_39_chacun_sa_journee(client, gestionnaire, societe):
    tache(debiteur(gestionnaire, "Belcourt"))
    for role, attendu in ((Role.GESTIONNAIRE, 0), (Role.RESPONSABLE, 1), (Role.LECTEUR, 1)):
        client.force_login(UtilisateurFactory(societe=societe, role=role))
        assert len(lignes(client.get(URL))) == attendu
    client.force_login(UtilisateurFactory(role=Role.ADMINISTRATEUR))
    assert lignes(client.get(URL)) == []


def test_un_responsable_passe_de_son_portefeuille_a_l_equipe(client, gestionnaire, societe):
    chef = UtilisateurFactory(societe=societe, role=Role.RESPONSABLE)
    tache(debiteur(gestionnaire, "De l'équipe"))
    mien = ClientFactory(societe=societe, gestionnaire=chef, raison_sociale="Le mien")
    tache(mien)
    client.force_login(chef)

    assert [nom for _g, nom, _c in lignes(client.get(URL))] == ["Le mien"]
    assert [nom for _g, nom, _c in lignes(client.get(URL, {"de": "equipe"}))] == ["De l'équipe", "Le mien"]


def test_un_gestionnaire_ne_demande_pas_l_equipe(client, gestionnaire, societe):
    tache(debiteur(gestionnaire, "Belcourt"))
    client.force_login(UtilisateurFactory(societe=societe))

    assert lignes(client.get(URL, {"de": "equipe"})) == []


def test_la_societe_courante_filtre_la_journee(client, gestionnaire, societe):
    tache(debiteur(gestionnaire, "Ici"))
    autre = SocieteFactory()
    AffectationFactory(gestionnaire, autre)
    tache(ClientFactory(societe=autre, gestionnaire=gestionnaire, raison_sociale="Là"))
    client.force_login(gestionnaire)

    assert {nom for _g, nom, _c in lignes(client.get(URL))} == {"Ici", "Là"}
    assert [nom for _g, nom, _c in lignes(client.get(URL, {"societe": autre.code}))] == ["Là"]


def test_mauvaise_methode(connectee):
    assert connectee.post(URL).status_code == 405


def test_le_nombre_de_requetes_ne_depend_pas_des_lignes(connectee, gestionnaire):
    def remplir(n):
        for k in range(n):
            for situation in SITUATIONS:
                client = debiteur(gestionnaire, f"{situation[0]} {k}")
                situation[1](client)
            SuspensionFactory(client=client, du=AU)

    def compter():
        with CaptureQueriesContext(connection) as requetes:
            assert connectee.get(URL).status_code == 200
        return len(requetes)

    remplir(1)
    une = compter()
    remplir(19)

    assert compter() == une
    assert une < 48


def test_htmx_recoit_la_liste_seule(connectee, gestionnaire):
    tache(debiteur(gestionnaire, "Belcourt"))

    fragment = connectee.get(URL, headers={"HX-Request": "true"}).content.decode()

    assert fragment.lstrip().startswith('<div class="liste" id="journee"')


def test_l_apercu_suit_l_onglet_et_la_ligne_choisie_prend_le_focus(connectee, gestionnaire):
    """Changer d'onglet laissait l'aperçu, et les touches, sur le client de l'onglet d'avant."""
    tref = debiteur(gestionnaire, "Tréfilerie", montant=9000)
    tache(tref, G.DECLARER, AU + timedelta(1), titre="Déclarer")
    tache(debiteur(gestionnaire, "Belcourt", montant=100))

    fragment = connectee.get(URL, {"q": "appels"}, headers={"HX-Request": "true"}).content.decode()
    liste, apercu = fragment.split('<div id="apercu" hx-swap-oob="innerHTML">')

    assert "Tréfilerie" not in apercu and "Belcourt" in apercu and "1 sur 1" in apercu
    assert liste.count(" autofocus ") == 1
    page = connectee.get(URL, {"q": "appels"}).content.decode()
    assert "hx-swap-oob" not in page.split("</main>")[0] and " autofocus " not in page


def test_un_onglet_qui_s_est_vide_rend_la_journee(connectee, gestionnaire):
    tache(debiteur(gestionnaire, "Belcourt"))

    assert connectee.get(URL, {"q": "promesses", "de": "moi"}).url == "/?de=moi"


def test_un_geste_rend_l_onglet_d_ou_il_part(connectee, gestionnaire):
    faite = tache(debiteur(gestionnaire, "Belcourt"))
    adresse = reverse("pilotage:tache_faite", args=[faite.pk])

    assert connectee.post(adresse, headers={"Referer": "http://testserver/?q=appels&choix=3"}).url == "/?q=appels"
    assert connectee.post(adresse, headers={"Referer": "http://ailleurs.example/?q=appels"}).url == "/"
    assert connectee.post(adresse, headers={"Referer": "http://testserver/clients/?q=appels"}).url == "/"


# --- Aperçu, enchaînement, tâches ---------------------------------------------------------------------


def test_l_apercu_dit_pourquoi_combien_et_qui_appeler(connectee, gestionnaire):
    belcourt = debiteur(gestionnaire, "Belcourt", plafond=Decimal(40000))
    tache(belcourt)
    LitigeFactory(echeance=belcourt.echeances.get(), montant_conteste=400, a_traiter_le=AU)

    page = connectee.get(reverse("pilotage:apercu", args=[belcourt.pk]))
    texte = page.content.decode().replace("\u00a0", " ")

    assert page.status_code == 200
    for attendu in ("Belcourt", "plafond 40 000,00 €", "600,00 €", "hors litige", "Reporter cette tâche"):
        assert attendu in texte


def test_exigence_36_l_apercu_d_un_client_en_procedure_ne_propose_pas_d_appeler(connectee, gestionnaire):
    tref = debiteur(gestionnaire, "Tréfilerie", jugement_ouverture_le=AU)
    tache(tref, G.DECLARER, AU + timedelta(44), titre="Déclarer")

    texte = connectee.get(reverse("pilotage:apercu", args=[tref.pk])).content.decode()

    assert "volet=appel" not in texte
    assert "À déclarer, pas à réclamer" in texte


def test_un_appel_ne_de_l_echelle_dit_ce_qu_on_appelle(connectee, gestionnaire):
    belcourt = debiteur(gestionnaire, "Belcourt")
    tache(belcourt, raison="1 pièce échue, 1 000,00 €", courrier=courrier(belcourt, S.TACHE, nature=3, canal="appel"))

    assert lignes(connectee.get(URL)) == [("Aujourd'hui", "Belcourt", "Appeler : 1 pièce échue, 1 000,00 €")]


def test_l_apercu_d_un_autre_portefeuille_est_introuvable(client, gestionnaire, societe):
    belcourt = debiteur(gestionnaire, "Belcourt")
    tache(belcourt)
    client.force_login(UtilisateurFactory(societe=societe))

    assert client.get(reverse("pilotage:apercu", args=[belcourt.pk])).status_code == 404


def test_l_apercu_d_un_client_qui_ne_demande_rien_est_introuvable(connectee, gestionnaire):
    assert connectee.get(reverse("pilotage:apercu", args=[debiteur(gestionnaire, "x").pk])).status_code == 404


def test_client_par_client_suit_l_ordre_fige_meme_si_une_ligne_disparait(connectee, gestionnaire):
    premier, second = (debiteur(gestionnaire, nom, montant=m) for nom, m in (("Un", 5000), ("Deux", 100)))
    appel = tache(premier)
    tache(second)
    suivant = reverse("pilotage:suivant")

    un = connectee.get(suivant)
    Tache.objects.filter(pk=appel.pk).update(faite_le=timezone.now())
    deux = connectee.get(suivant, {"apres": premier.pk})
    fin = connectee.get(suivant, {"apres": second.pk})

    assert un.url == f"{reverse('clients:fiche', args=[premier.pk])}?suite=journee&volet=appel"
    assert deux.url == f"{reverse('clients:fiche', args=[second.pk])}?suite=journee&volet=appel"
    assert fin.url == "/"


@pytest.mark.parametrize(
    "fiche",
    [{"jugement_ouverture_le": AU}, {"ne_pas_appeler_le": AU, "ne_pas_appeler_motif": "Le directeur l'interdit"}],
)
def test_client_par_client_n_ouvre_pas_l_appel_d_un_client_qui_ne_s_appelle_pas(connectee, gestionnaire, fiche):
    tref = debiteur(gestionnaire, "Tréfilerie", **fiche)
    tache(tref, G.DECLARER, AU, titre="Déclarer")

    ouverte = connectee.get(reverse("pilotage:suivant")).url

    assert ouverte == f"{reverse('clients:fiche', args=[tref.pk])}?suite=journee"


def test_une_tache_faite_sort_de_la_journee(connectee, gestionnaire):
    t = tache(debiteur(gestionnaire, "Belcourt"))

    reponse = connectee.post(reverse("pilotage:tache_faite", args=[t.pk]))

    assert reponse.status_code == 303
    assert lignes(connectee.get(URL)) == []


def test_une_tache_se_reporte_avec_sa_raison(connectee, gestionnaire):
    t = tache(debiteur(gestionnaire, "Belcourt"))

    connectee.post(reverse("pilotage:tache_reporter", args=[t.pk]), {"au": "2026-11-24", "motif": "congés"})

    page = connectee.get(URL)
    assert lignes(page) == [("Peut attendre", "Belcourt", "Appeler")]
    assert "congés" in page.content.decode()


@pytest.mark.parametrize("saisie", [{}, {"au": "2026-11-24"}, {"au": "2026-11-20", "motif": "congés"}])
def test_un_report_sans_raison_ou_sans_avenir_est_refuse(connectee, gestionnaire, saisie):
    t = tache(debiteur(gestionnaire, "Belcourt"))

    assert connectee.post(reverse("pilotage:tache_reporter", args=[t.pk]), saisie).status_code == 422
    t.refresh_from_db()
    assert t.due_le == AU


@pytest.mark.parametrize("route", ["pilotage:tache_faite", "pilotage:tache_reporter"])
def test_la_tache_d_un_autre_portefeuille_est_introuvable(client, gestionnaire, societe, route):
    t = tache(debiteur(gestionnaire, "Belcourt"))
    client.force_login(UtilisateurFactory(societe=societe))

    assert client.post(reverse(route, args=[t.pk])).status_code == 404
    assert client.get(reverse(route, args=[t.pk])).status_code == 405


def test_le_plafond_d_une_source_ne_fausse_pas_l_ordre_des_plus_grosses_sommes(monkeypatch, connectee, gestionnaire):
    monkeypatch.setattr(base, "PLAFOND", 2)
    for n in range(3):
        courrier(debiteur(gestionnaire, f"Client {n}"), S.A_VALIDER, total=Decimal(100 * (n + 1)))

    assert {nom for _g, nom, _c in lignes(connectee.get(URL))} == {"Client 1", "Client 2"}


# --- Installation vide, freins à deux, décisions ---------------------------------------------------------


@pytest.mark.parametrize(
    ("role", "attendu", "absent"),
    [
        (Role.GESTIONNAIRE, "Importer un fichier", "Votre journée est faite"),
        (Role.LECTEUR, "Aucun client ne vous est confié", "Importer un fichier"),
    ],
)
def test_une_installation_vide_envoie_vers_les_imports_et_ne_felicite_personne(client, societe, role, attendu, absent):
    client.force_login(UtilisateurFactory(societe=societe, role=role))
    page = client.get(URL).content.decode()
    assert attendu in page
    assert absent not in page
    assert "Votre journée est faite" not in page


def test_rien_a_faire_se_dit_aucune_action(connectee, gestionnaire):
    debiteur(gestionnaire, "Belcourt")
    page = connectee.get(URL).content.decode()
    assert "aucune action" in page
    assert "0 actions" not in page


def test_une_decision_mene_a_ses_deux_gestes(connectee, gestionnaire):
    """Exigence 14."""
    t = tache(debiteur(gestionnaire, "Belcourt"), G.DECISION, titre="Mise en demeure ou abandon ?")
    assert reverse("clients:decision", args=[t.client_id, t.pk]) in connectee.get(URL).content.decode()


@pytest.fixture
def levee(gestionnaire, societe):
    """Un frein à lever à deux, demandé par un responsable."""
    demande = UtilisateurFactory(societe=societe, role=Role.RESPONSABLE, nom="Paul Vidal")
    piece = debiteur(gestionnaire, "Belcourt", montant=20000).echeances.get()
    return LeveeDeFrein.objects.create(
        echeance=piece, frein="suspendue", pour_le=AU, motif="Accord du directeur", montant=20000, a_deux=True,
        demandee_par=demande,
    )  # fmt: skip


def test_un_frein_a_lever_a_deux_attend_la_seconde_personne_d_abord(client, levee, societe):
    second = UtilisateurFactory(societe=societe, role=Role.RESPONSABLE)
    client.force_login(second)
    page = client.get(URL, {"de": "equipe"})
    ((groupe_, nom, consigne),) = lignes(page)
    assert (groupe_, nom) == ("D'abord", "Belcourt")
    assert levee.echeance.facture.numero in consigne and "20 000,00" in consigne.replace("\u202f", " ")
    url = reverse("clients:levee_approuver", args=[levee.echeance.client_id, levee.pk])
    assert url in page.content.decode()
    assert client.post(url, {"retour": "journee"}).url == URL
    levee.refresh_from_db()
    assert levee.approuvee_par == second
    assert lignes(client.get(URL, {"de": "equipe"})) == []


@pytest.mark.parametrize("qui", ["demandeur", "gestionnaire", "passee", "annulee"])
def test_qui_demande_ou_n_en_a_pas_le_droit_n_est_pas_sollicite(client, levee, gestionnaire, societe, qui):
    personne = UtilisateurFactory(societe=societe, role=Role.RESPONSABLE)
    if qui == "demandeur":
        personne = levee.demandee_par
    elif qui == "gestionnaire":
        personne = gestionnaire
    elif qui == "passee":
        LeveeDeFrein.objects.update(pour_le=AU - timedelta(1))
    else:
        LeveeDeFrein.objects.update(annulee_le=timezone.now())
    client.force_login(personne)
    assert lignes(client.get(URL, {"de": "equipe"})) == []
