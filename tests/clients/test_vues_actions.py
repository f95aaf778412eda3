"""Gestes de la fiche : ils écrivent par les services, gardent la saisie refusée, et rien d'un autre portefeuille."""

from datetime import timedelta
from decimal import Decimal

import pytest
from django.urls import reverse

from clients import services
from clients.models import Client, Contact, Note, Suspension, TypeDebiteur
from factures.models import Encaissement, Imputation, Litige, Promesse
from recouvrement.comptes.models import Role
from recouvrement.journal.models import Maillon
from relances.models import Tache
from relances.services import taches
from tests.clients.factories import ClientFactory, SuspensionFactory
from tests.comptes.factories import SocieteFactory, UtilisateurFactory
from tests.factures.factories import EcheanceFactory, PromesseFactory

pytestmark = pytest.mark.django_db


def geste(client, volet: str, suite: str = "") -> str:
    return reverse("clients:geste", args=[client.pk, volet]) + suite


def texte(reponse) -> str:
    return reponse.content.decode().replace("\u00a0", " ")


@pytest.fixture
def pieces(belcourt):
    return list(belcourt.echeances.order_by("date_echeance"))


@pytest.fixture
def saisies(belcourt, pieces, au) -> dict[str, dict]:
    """Une saisie valable par volet."""
    jour = (au + timedelta(7)).isoformat()
    return {
        "noter": {"texte": "Vu au salon."},
        "suspendre": {"motif": "Accord", "au": jour},
        "exclure": {"echeance": pieces[0].pk, "motif": "Avoir promis", "au": jour},
        "contact": {"nom": "Jérôme Belcourt", "fonction": "Président"},
        "promesse": {"montant": "9 360,00", "date_promise": jour, "moyen": "virement", "pieces": [pieces[0].pk]},
        "litige": {"echeance": pieces[0].pk, "montant": "500", "categorie": "prix", "a_traiter_le": jour},
        "clore": {"litige": pieces[2].litiges.get().pk, "suite": "clore", "issue": "avoir émis"},
        "encaissement": {
            "montant": "10000", "recu_le": au.isoformat(), "mode": "virement", "devise": "EUR", "repartition": "regle",
            "cle": "c1",
        },
        "affecter": {
            "credit": f"encaissement-{belcourt.encaissements.get().pk}", "vu": "0", "repartition": "regle", "cle": "c2",
        },
        "jugement": {"le": au.isoformat()},
        "appel": {"issue": "message"},
        "modifier": {
            "version": 1, "raison_sociale": "Belcourt", "type": "entreprise", "pays": "FR", "langue": "fr",
            "siren": "732 829 320",
        },
    }  # fmt: skip


VOLETS = [
    "noter", "suspendre", "contact", "promesse", "litige", "clore", "encaissement", "affecter", "jugement", "appel",
    "modifier", "exclure",
]  # fmt: skip


@pytest.mark.parametrize("volet", VOLETS)
def test_chaque_geste_ecrit_un_maillon_et_revient_a_la_fiche(connecte, belcourt, gestionnaire, saisies, volet):
    reponse = connecte.post(geste(belcourt, volet), saisies[volet])

    assert (reponse.status_code, reponse.url) == (303, reverse("clients:fiche", args=[belcourt.pk]))
    assert Maillon.objects.filter(client_id=belcourt.pk, acteur=gestionnaire).exists()


@pytest.mark.parametrize("volet", VOLETS)
def test_htmx_est_redirige_sans_303(connecte, belcourt, saisies, volet):
    htmx = {"HX-Request": "true", "HX-Target": "volet"}
    reponse = connecte.post(geste(belcourt, volet), saisies[volet], headers=htmx)

    assert reponse.headers["HX-Redirect"] == reverse("clients:fiche", args=[belcourt.pk])


@pytest.mark.parametrize("volet", VOLETS)
def test_une_saisie_vide_est_refusee_a_sa_place_et_n_ecrit_rien(connecte, belcourt, volet):
    page = connecte.post(geste(belcourt, volet), {})
    fragment = connecte.post(geste(belcourt, volet), {}, headers={"HX-Request": "true", "HX-Target": "volet"})

    assert (page.status_code, fragment.status_code) == (422, 422)
    assert "<h1>" in texte(page)
    assert "<h1>" not in texte(fragment)
    assert not Maillon.objects.exists()


@pytest.mark.parametrize("volet", VOLETS)
def test_exigence_39_chaque_geste_refuse_le_voisin_le_lecteur_et_l_etranger(
    client, belcourt, societe, voisin, saisies, volet
):
    lecteur = UtilisateurFactory(societe=societe, role=Role.LECTEUR)
    etranger = UtilisateurFactory(societe=SocieteFactory(), role=Role.ADMINISTRATEUR)
    for personne, attendu in ((voisin, 404), (etranger, 404), (lecteur, 403)):
        client.force_login(personne)
        assert client.post(geste(belcourt, volet), saisies[volet]).status_code == attendu
        assert client.get(reverse("clients:effet", args=[belcourt.pk, volet])).status_code == attendu
    assert not Maillon.objects.exists()


def test_exigence_39_lecteur_ici_gestionnaire_ailleurs_ne_prete_pas_ses_droits(client, belcourt, societe):
    """Le droit se vérifie dans la société du client, pas dans une autre."""
    from tests.comptes.factories import AffectationFactory

    double = UtilisateurFactory(societe=societe, role=Role.LECTEUR)
    AffectationFactory(double, SocieteFactory(), Role.RESPONSABLE)
    client.force_login(double)

    assert client.post(geste(belcourt, "noter"), {"texte": "x"}).status_code == 403


@pytest.mark.parametrize("volet", VOLETS)
def test_mauvaise_methode(connecte, belcourt, volet):
    assert connecte.get(geste(belcourt, volet)).status_code == 405
    assert connecte.post(reverse("clients:effet", args=[belcourt.pk, volet])).status_code == 405


def test_un_volet_inconnu_est_introuvable(connecte, belcourt):
    assert connecte.post(geste(belcourt, "effacer"), {}).status_code == 404


# --- Ce que chaque geste fait ------------------------------------------------------------------------


def test_exigence_17_suspendre_puis_lever(connecte, belcourt, saisies, au):
    connecte.post(geste(belcourt, "suspendre"), saisies["suspendre"])
    suspension = Suspension.objects.get()
    assert (suspension.du, suspension.au) == (au, au + timedelta(7))

    connecte.post(reverse("clients:lever", args=[belcourt.pk, suspension.pk]))

    assert not Suspension.objects.en_cours(au).exists()


def test_la_suspension_d_un_autre_client_ne_se_leve_pas_par_cette_fiche(connecte, belcourt, societe, au):
    autre = SuspensionFactory(client=ClientFactory(societe=societe), du=au)

    assert connecte.post(reverse("clients:lever", args=[belcourt.pk, autre.pk])).status_code == 404


def test_exigence_31_promettre_puis_annuler(connecte, belcourt, pieces, saisies):
    connecte.post(geste(belcourt, "promesse"), saisies["promesse"])
    promesse = Promesse.objects.latest("pk")
    assert (promesse.montant, list(promesse.echeances.all())) == (Decimal(9360), [pieces[0]])

    connecte.post(reverse("clients:promesse_annuler", args=[belcourt.pk, promesse.pk]))

    promesse.refresh_from_db()
    assert promesse.statut == Promesse.Statut.ANNULEE


def test_une_promesse_au_dela_du_du_revient_avec_sa_saisie(connecte, belcourt, saisies):
    page = connecte.post(geste(belcourt, "promesse"), saisies["promesse"] | {"montant": "9360,01"})

    assert page.status_code == 422
    assert 'value="9360,01"' in texte(page)
    assert "au plus ce qui est dû" in texte(page)


def test_exigence_33_seule_la_part_contestee_est_retenue(connecte, belcourt, pieces, saisies):
    connecte.post(geste(belcourt, "litige"), saisies["litige"])

    assert Litige.objects.get(echeance=pieces[0]).montant_conteste == Decimal(500)


def test_clore_un_litige_rend_la_piece_a_l_echelle(connecte, belcourt, pieces, saisies):
    connecte.post(geste(belcourt, "clore"), saisies["clore"])

    assert Litige.objects.get(echeance=pieces[2]).issue == "avoir émis"


def test_exigence_33_un_litige_se_prolonge_avec_sa_raison(connecte, belcourt, pieces, saisies):
    saisie = saisies["clore"] | {"suite": "prolonger", "issue": "expertise en cours"}
    assert connecte.post(geste(belcourt, "clore"), saisie).status_code == 422

    connecte.post(geste(belcourt, "clore"), saisie | {"a_traiter_le": "2026-12-15"})

    litige = Litige.objects.get(echeance=pieces[2])
    assert (litige.a_traiter_le.isoformat(), litige.clos_le) == ("2026-12-15", None)
    assert Maillon.objects.get().action == "litige.prolonge"


def test_sans_script_la_page_refusee_garde_ses_liens_vers_la_fiche(connecte, belcourt):
    page = connecte.post(geste(belcourt, "noter"), {})

    assert f'<base href="{reverse("clients:fiche", args=[belcourt.pk])}">' in texte(page)
    assert "<base" not in texte(connecte.get(reverse("clients:fiche", args=[belcourt.pk])))


@pytest.mark.parametrize(
    ("repartition", "attendu"),
    [
        ({"repartition": "regle"}, {0: Decimal(9360), 1: Decimal(640)}),
        ({"repartition": "choisies"}, {2: Decimal("5616.40")}),
        ({"repartition": "plus_tard"}, {}),
    ],
)
def test_un_encaissement_s_affecte_comme_la_personne_l_a_dit(connecte, belcourt, pieces, saisies, repartition, attendu):
    connecte.post(geste(belcourt, "encaissement"), saisies["encaissement"] | {"pieces": [pieces[2].pk]} | repartition)

    recu = Encaissement.objects.get(montant=10000)
    posees = {i.echeance_id: i.montant for i in recu.imputations.all()}
    assert posees == {pieces[rang].pk: montant for rang, montant in attendu.items()}


def test_un_double_envoi_d_encaissement_ne_compte_qu_une_fois(connecte, belcourt, saisies):
    for _ in range(2):
        connecte.post(geste(belcourt, "encaissement"), saisies["encaissement"])

    assert Encaissement.objects.filter(montant=10000).count() == 1
    assert sum(i.montant for i in Imputation.objects.all()) == Decimal(10000)


def test_affecter_un_credit_puis_defaire(connecte, belcourt, pieces, saisies):
    connecte.post(geste(belcourt, "affecter"), saisies["affecter"])
    credit = belcourt.encaissements.get()
    assert (credit.impute, credit.imputations.get().echeance) == (Decimal(1200), pieces[0])

    connecte.post(reverse("clients:desaffecter", args=[belcourt.pk, "encaissement", credit.pk, "c2"]))

    credit.refresh_from_db()
    assert credit.impute == 0


def test_un_credit_affecte_entre_temps_ne_se_reaffecte_pas_en_silence(connecte, belcourt, saisies):
    connecte.post(geste(belcourt, "affecter"), saisies["affecter"])

    page = connecte.post(geste(belcourt, "affecter"), saisies["affecter"] | {"cle": "c3"})

    assert page.status_code == 422
    assert Imputation.objects.count() == 1


@pytest.mark.parametrize(("volet", "action"), [("noter", "client.note"), ("appel", "appel.consigne")])
def test_un_double_clic_n_ecrit_qu_une_fois(connecte, belcourt, saisies, volet, action):
    page = connecte.get(reverse("clients:fiche", args=[belcourt.pk]), {"volet": volet})
    cle = page.context["form"]["cle"].value()
    assert f'name="cle" value="{cle}"' in page.content.decode()
    for jeton in (cle, cle, "une autre"):
        assert connecte.post(geste(belcourt, volet), saisies[volet] | {"cle": jeton}).status_code == 303

    assert Maillon.objects.filter(client_id=belcourt.pk, action=action).count() == 2


def test_exigence_30_un_appel_clot_la_tache_et_ouvre_la_suite(connecte, belcourt, au):
    taches.creer_tache(belcourt, genre=Tache.Genre.APPEL, titre="Appeler", due_le=au, cle="appel:2:EUR")

    connecte.post(geste(belcourt, "appel"), {"issue": "message", "commentaire": "à la secrétaire"})

    assert Tache.objects.get(cle="appel:2:EUR").issue == "Message laissé"
    assert Tache.objects.get(faite_le=None).cle == "rappel"


def test_exigence_30_un_appel_note_sa_promesse_dans_le_meme_geste(connecte, belcourt, pieces, saisies):
    saisie = {f"promesse-{nom}": valeur for nom, valeur in saisies["promesse"].items()}

    connecte.post(geste(belcourt, "appel"), {"issue": "promesse"} | saisie)

    assert list(Promesse.objects.latest("pk").echeances.all()) == [pieces[0]]
    actions = Maillon.objects.order_by("rang").values_list("action", flat=True)
    assert list(actions) == ["promesse.faite", "appel.consigne"]


def test_un_appel_dont_la_promesse_est_fausse_n_enregistre_rien(connecte, belcourt, saisies):
    saisie = {f"promesse-{nom}": valeur for nom, valeur in saisies["promesse"].items()}

    page = connecte.post(geste(belcourt, "appel"), {"issue": "promesse"} | saisie | {"promesse-montant": "1000000"})

    assert page.status_code == 422
    assert "rien n'est encore enregistré" in texte(page).replace("&#x27;", "'")
    assert not Maillon.objects.exists()


def test_exigence_36_un_jugement_clot_les_appels_et_date_la_declaration(connecte, belcourt, au):
    taches.creer_tache(belcourt, genre=Tache.Genre.APPEL, titre="Appeler", due_le=au, cle="appel:2:EUR")

    connecte.post(geste(belcourt, "jugement"), {"le": "2026-11-10", "publie_le": "2026-11-18"})

    tache = Tache.objects.get(faite_le=None)
    assert (tache.genre, tache.due_le.isoformat()) == (Tache.Genre.DECLARER, "2027-01-18")
    belcourt.refresh_from_db()
    assert belcourt.jugement_ouverture_le.isoformat() == "2026-11-10"
    for incomplete in ({"motif": "homonyme"}, {"suite": "erreur"}, {"suite": "close", "le": "2026-11-19"}):
        assert connecte.post(geste(belcourt, "jugement"), incomplete).status_code == 422
    connecte.post(geste(belcourt, "jugement"), {"suite": "erreur", "motif": "homonyme"})
    belcourt.refresh_from_db()
    assert belcourt.jugement_ouverture_le is None


def test_une_procedure_close_garde_son_jugement_a_l_ecran(connecte, belcourt):
    connecte.post(geste(belcourt, "jugement"), {"le": "2026-11-10"})
    connecte.post(geste(belcourt, "jugement"), {"suite": "close", "le": "2026-11-19", "issue": "insuffisance"})
    belcourt.refresh_from_db()
    assert (belcourt.jugement_ouverture_le.isoformat(), belcourt.procedure_cloturee_le.isoformat()) == (
        "2026-11-10", "2026-11-19",
    )  # fmt: skip
    page = texte(connecte.get(reverse("clients:fiche", args=[belcourt.pk])))
    assert "Clôture pour insuffisance d" in page and "celles nées depuis se relancent" in page


def test_un_jugement_arrete_aussi_les_comptes_de_meme_siren(connecte, belcourt, au):
    """Leurs tâches se closent ; la créance se déclare une fois, et la tâche nomme l'autre compte."""
    frere = ClientFactory(societe=belcourt.societe, siren=belcourt.siren)
    taches.creer_tache(frere, genre=Tache.Genre.APPEL, titre="Appeler", due_le=au, cle="appel:2:EUR")
    assert any(frere.code in phrase for phrase in effets(connecte, belcourt, "jugement", le="2026-11-10"))

    connecte.post(geste(belcourt, "jugement"), {"le": "2026-11-10"})

    (tache,) = Tache.objects.filter(faite_le=None)
    assert (tache.client, tache.genre) == (belcourt, Tache.Genre.DECLARER)
    assert frere.code in tache.raison
    frere.refresh_from_db()
    assert frere.jugement_ouverture_le.isoformat() == "2026-11-10"


@pytest.mark.parametrize(
    ("jugement", "publication", "refus"),
    [(-10, -11, "précéder"), (-10, 1, "à venir"), (1, None, "à venir")],
)
def test_jugement_puis_publication_et_rien_a_venir(connecte, belcourt, au, jugement, publication, refus):
    saisie = {"le": (au + timedelta(jugement)).isoformat()}
    if publication is not None:
        saisie["publie_le"] = (au + timedelta(publication)).isoformat()
    page = connecte.post(geste(belcourt, "jugement"), saisie)

    assert page.status_code == 422
    assert refus in texte(page)
    assert not Tache.objects.filter(genre=Tache.Genre.DECLARER).exists()


def test_un_contact_s_ajoute_et_se_modifie(connecte, belcourt):
    connecte.post(geste(belcourt, "contact"), {"nom": "Jérôme Belcourt"})
    contact = Contact.objects.get(nom="Jérôme Belcourt")

    connecte.post(geste(belcourt, "contact", f"?contact={contact.pk}"), {"nom": "Jérôme B.", "fonction": "Président"})

    contact.refresh_from_db()
    assert (contact.nom, contact.fonction, belcourt.contacts.count()) == ("Jérôme B.", "Président", 2)


@pytest.mark.parametrize("cible", ["abc", "999999", "voisin"])
def test_le_contact_d_un_autre_client_est_introuvable(connecte, belcourt, societe, cible):
    from tests.clients.factories import ContactFactory

    if cible == "voisin":
        cible = ContactFactory(client=ClientFactory(societe=societe)).pk
    assert connecte.post(geste(belcourt, "contact", f"?contact={cible}"), {"nom": "x"}).status_code == 404


def test_un_conflit_garde_la_saisie_nomme_qui_et_laisse_recommencer(connecte, belcourt, saisies, responsable):
    services.modifier_client(belcourt, version=1, champs={"ville": "Nantes"}, acteur=responsable)

    page = connecte.post(geste(belcourt, "modifier"), saisies["modifier"])

    assert page.status_code == 422
    assert "Paul Vidal a modifié ce client entre-temps." in texte(page)
    assert 'value="732 829 320"' in texte(page)
    assert 'name="version" value="2"' in texte(page)
    belcourt.refresh_from_db()
    assert belcourt.raison_sociale == "Chaudronnerie Belcourt SAS"
    connecte.post(geste(belcourt, "modifier"), saisies["modifier"] | {"version": 2})
    belcourt.refresh_from_db()
    assert (belcourt.raison_sociale, belcourt.siren) == ("Belcourt", "732829320")


def test_un_champ_faux_est_nomme(connecte, belcourt, saisies):
    page = connecte.post(geste(belcourt, "modifier"), saisies["modifier"] | {"siren": "123456789"})

    assert page.status_code == 422
    assert "clé de contrôle fausse" in texte(page)


def test_un_gestionnaire_ne_change_ni_plafond_ni_portefeuille(connecte, belcourt, saisies, voisin):
    connecte.post(geste(belcourt, "modifier"), saisies["modifier"] | {"plafond": "999999", "gestionnaire": voisin.pk})

    belcourt.refresh_from_db()
    assert (belcourt.plafond, belcourt.gestionnaire.nom) == (Decimal(40000), "Claire Bonnet")


def test_un_responsable_regle_le_plafond_et_le_portefeuille(client, belcourt, saisies, responsable, voisin):
    client.force_login(responsable)
    conditions = {"plafond": "50 000,00", "gestionnaire": voisin.pk, "conditions": "45 jours fin de mois"}
    conditions |= {"lecture_fdm": "A", "imputation": "interets"}

    reponse = client.post(geste(belcourt, "modifier"), saisies["modifier"] | conditions)

    assert reponse.status_code == 303
    belcourt.refresh_from_db()
    assert (belcourt.plafond, belcourt.gestionnaire, belcourt.conditions) == (Decimal(50000), voisin, "45FDM")


def test_un_responsable_voit_les_conditions_un_gestionnaire_les_seules_coordonnees(client, belcourt, responsable):
    fiche = reverse("clients:fiche", args=[belcourt.pk])
    for personne, attendu in ((belcourt.gestionnaire, False), (responsable, True)):
        client.force_login(personne)
        page = texte(client.get(fiche, {"volet": "modifier"}))
        assert 'name="ville"' in page
        assert ('name="plafond" value="40 000,00"' in page, 'name="conditions"' in page) == (attendu, attendu)


def test_des_conditions_illisibles_sont_nommees(client, belcourt, saisies, responsable):
    client.force_login(responsable)
    conditions = {"conditions": "quand il pourra", "lecture_fdm": "A", "imputation": "interets"}

    page = client.post(geste(belcourt, "modifier"), saisies["modifier"] | conditions)

    assert page.status_code == 422
    assert list(page.context["form"].errors) == ["conditions"]


def test_une_adresse_verifiee_se_retablit(connecte, belcourt, au):
    services.signaler_rebond(belcourt, courriel=belcourt.courriel, le=au, motif="550")

    connecte.post(reverse("clients:adresse", args=[belcourt.pk]), {"courriel": belcourt.courriel})

    assert Client.objects.get(pk=belcourt.pk).courriel_utilisable


def test_enchainer_les_clients_mene_au_suivant(connecte, belcourt):
    reponse = connecte.post(geste(belcourt, "noter", "?suite=journee"), {"texte": "vu"})

    assert reponse.url == f"{reverse('pilotage:suivant')}?apres={belcourt.pk}"
    assert Note.objects.get().texte == "vu"


# --- Ce que cela fera -------------------------------------------------------------------------------


def effets(connecte, client, volet, **saisie) -> list[str]:
    reponse = connecte.get(reverse("clients:effet", args=[client.pk, volet]), saisie)
    assert reponse.status_code == 200
    return [phrase.replace("\u00a0", " ") for phrase in reponse.context["effets"]]


def test_l_effet_d_une_suspension_compte_les_pieces_et_dit_la_reprise(connecte, belcourt, au):
    phrases = effets(connecte, belcourt, "suspendre", au=(au + timedelta(10)).isoformat())

    assert phrases[0] == "3 pièces échues sont retenues jusqu'au lundi 30/11/2026."
    assert phrases[-1] == "Tout reprend seul le mardi 01/12/2026."


def test_l_effet_d_une_promesse_dit_le_controle_et_ce_qui_attend(connecte, belcourt, pieces, au):
    phrases = effets(
        connecte, belcourt, "promesse", montant="9360", date_promise="2026-11-27", moyen="virement",
        pieces=[e.pk for e in pieces[:2]],
    )  # fmt: skip

    assert phrases[0] == "2 pièces se mettent en pause jusqu'au contrôle du mardi 01/12/2026."
    assert any("remplace la promesse de 4 286,40 € pour le 24/11/2026" in p for p in phrases)


def test_l_effet_d_un_encaissement_nomme_chaque_piece_soldee(connecte, belcourt, pieces, au):
    phrases = effets(
        connecte, belcourt, "encaissement", montant="10000", devise="EUR", repartition="regle", recu_le=au.isoformat(),
        mode="virement", cle="x",
    )  # fmt: skip

    assert phrases == [
        f"{pieces[0].facture.numero} : 9 360,00 €, soldée.",
        f"{pieces[1].facture.numero} : 640,00 €, reste 3 646,40 €.",
    ]


def test_l_effet_d_un_litige_dit_ce_qui_reste_reclame(connecte, belcourt, pieces):
    phrases = effets(
        connecte, belcourt, "litige", echeance=pieces[0].pk, montant="360", categorie="prix", a_traiter_le="2026-12-01"
    )

    assert phrases[1] == "Les 9 000,00 € restants suivent l'échelle, sauf la mise en demeure."


def test_l_effet_d_un_appel_date_la_suite_en_jours_ouvres(connecte, belcourt):
    assert effets(connecte, belcourt, "appel", issue="injoignable") == [
        "Nouvelle tâche lundi 23/11/2026 : rappeler.",
        "Le palier ne bouge pas.",
    ]


@pytest.mark.parametrize("volet", VOLETS)
def test_l_effet_ne_craint_ni_le_vide_ni_le_faux_et_n_ecrit_rien(connecte, belcourt, volet):
    for saisie in ({}, {"au": "demain", "montant": "beaucoup", "pieces": ["x"], "issue": "?", "litige": "abc"}):
        effets(connecte, belcourt, volet, **saisie)

    assert not Maillon.objects.exists()


def test_exigence_36_le_volet_d_appel_interdit_de_reclamer_apres_un_jugement(connecte, belcourt, gestionnaire, au):
    services.signaler_jugement(belcourt, le=au, au=au, acteur=gestionnaire)

    dire = connecte.get(reverse("clients:fiche", args=[belcourt.pk]), {"volet": "appel"}).context["dire"]

    assert dire == [(False, "Procédure collective : ne rien réclamer, la créance se déclare")]


def test_la_procedure_close_le_volet_d_appel_ne_dit_que_ce_qui_est_ne_depuis(connecte, belcourt, gestionnaire, au):
    avant, apres = (EcheanceFactory(client=belcourt, echue_le=au - timedelta(days=n)) for n in (90, 9))
    for e, jours in ((avant, 120), (apres, 40)):
        e.facture.date_execution = au - timedelta(days=jours)
        e.facture.save()
    services.signaler_jugement(belcourt, le=au - timedelta(days=60), au=au, acteur=gestionnaire)
    services.cloturer_procedure(belcourt, le=au, issue="plan", au=au, acteur=gestionnaire)

    dire = connecte.get(reverse("clients:fiche", args=[belcourt.pk]), {"volet": "appel"}).context["dire"]

    assert dire[0] == (False, "Procédure close : ne rien réclamer d'avant le jugement")
    a_dire = " ".join(phrase for vrai, phrase in dire if vrai)
    assert apres.facture.numero in a_dire and avant.facture.numero not in a_dire


def test_un_type_inconnu_propose_de_preciser(connecte, societe, gestionnaire, au):
    flou = ClientFactory(societe=societe, gestionnaire=gestionnaire, type=TypeDebiteur.A_QUALIFIER)
    PromesseFactory(echeances=[EcheanceFactory(client=flou, echue_le=au)], date_promise=au)

    page = texte(connecte.get(reverse("clients:fiche", args=[flou.pk])))

    assert "Entreprise, administration ou particulier ?" in page.replace("\u202f", " ")
