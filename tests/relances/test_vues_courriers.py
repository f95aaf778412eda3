"""Les gestes d'une personne sur les courriers : retenir, valider une sélection, déposer à la chaîne, relancer."""

import re
from datetime import date, timedelta
from io import BytesIO

import pytest
from django.urls import reverse
from pypdf import PdfReader

from clients.models import Suspension
from recouvrement.comptes.models import Role
from relances.models import Courrier, Passage, Relance, Tache, VersionEchelle
from relances.services import envoi, nuit
from tests.clients.factories import ClientFactory
from tests.comptes.factories import SocieteFactory, UtilisateurFactory
from tests.factures.factories import EcheanceFactory

pytestmark = pytest.mark.django_db
MARDI = date(2026, 2, 10)
S = Courrier.Statut


@pytest.fixture(autouse=True)
def un_mardi(time_machine, settings, tmp_path):
    settings.DEPOT = tmp_path / "depot"
    time_machine.move_to("2026-02-10 09:00 +0100", tick=False)


@pytest.fixture
def societe():
    return SocieteFactory()


@pytest.fixture
def responsable(societe, client):
    user = UtilisateurFactory(role=Role.RESPONSABLE, societe=societe)
    client.force_login(user)
    return user


def passer(societe, au=MARDI):
    nuit.relancer(societe, au=au, passage=nuit.ouvrir_passage(societe, au=au, genre=Passage.Genre.REJOUE))


def mises_en_demeure(societe, nombre: int = 1, **champs) -> list[Courrier]:
    """Mises en demeure à valider, d'autant de clients."""
    echeances = [EcheanceFactory(societe=societe, echue_le=MARDI - timedelta(days=60), **champs) for _ in range(nombre)]
    version = VersionEchelle.objects.get(echelle__societe=societe, echelle__code="entreprise")
    type(echeances[0]).objects.filter(pk__in=[e.pk for e in echeances]).update(
        niveau=4, niveau_rang=3, niveau_version=version.pk, niveau_le=MARDI - timedelta(days=20)
    )
    passer(societe)
    return list(Courrier.objects.filter(relances__echeance__in=echeances).order_by("pk"))


def a_poster(client, societe, nombre: int) -> list[Courrier]:
    courriers = mises_en_demeure(societe, nombre)
    client.post(reverse("relances:valider"), {"choix": [c.pk for c in courriers]})
    for c in courriers:
        assert envoi.envoyer(c.pk, au=MARDI) == S.A_POSTER
    return courriers


def adresse(nom, *args):
    return reverse(f"relances:{nom}", args=args)


def ce_soir(client, **parametres):
    return client.get(reverse("relances:ce_soir"), parametres).content.decode()


# --- Retenir ------------------------------------------------------------------------------------------


def test_retenir_suspend_le_client_et_la_nuit_suivante_ne_refait_pas_le_courrier(client, responsable, societe):
    """Exigence 17."""
    (courrier,) = mises_en_demeure(societe)
    donnees = {"motif": "accord en cours", "jusqu_au": "2026-02-24"}
    assert client.post(adresse("retenir", courrier.pk), donnees).status_code == 303
    courrier.refresh_from_db()
    assert (courrier.statut, courrier.erreur) == (S.ANNULE, "accord en cours")
    suspension = Suspension.objects.get(client=courrier.client)
    assert (suspension.du, suspension.au, suspension.auteur) == (MARDI, date(2026, 2, 24), responsable)
    passer(societe, MARDI + timedelta(days=1))
    assert Courrier.objects.exclude(pk=courrier.pk).count() == 0


@pytest.mark.parametrize(
    "donnees",
    [{"motif": "", "jusqu_au": "2026-02-24"}, {"motif": "accord"}, {"motif": "accord", "jusqu_au": "hier"}],
)
def test_retenir_sans_motif_ou_sans_date_se_refuse_a_sa_place(client, responsable, societe, donnees):
    (courrier,) = mises_en_demeure(societe)
    reponse = client.post(adresse("retenir", courrier.pk), donnees)
    assert reponse.status_code == 422
    assert "Retenir ce courrier" in reponse.content.decode()
    courrier.refresh_from_db()
    assert courrier.statut == S.A_VALIDER and not Suspension.objects.exists()


def test_retenir_jusqu_a_une_date_passee_n_annule_rien(client, responsable, societe):
    (courrier,) = mises_en_demeure(societe)
    client.post(adresse("retenir", courrier.pk), {"motif": "accord", "jusqu_au": "2026-02-09"})
    courrier.refresh_from_db()
    assert courrier.statut == S.A_VALIDER
    assert courrier.relances.get().statut == Relance.Statut.DECIDEE


def test_retenir_une_selection_demande_d_abord_pourquoi_et_jusqu_a_quand(client, responsable, societe):
    courriers = mises_en_demeure(societe, 2)
    choix = {"choix": [c.pk for c in courriers]}
    page = client.post(adresse("retenir_choisis"), choix)
    assert page.status_code == 200 and "Retenir 2 courriers" in page.content.decode()
    assert not Suspension.objects.exists()
    assert client.post(adresse("retenir_choisis"), choix | {"motif": "", "jusqu_au": ""}).status_code == 422
    client.post(adresse("retenir_choisis"), choix | {"motif": "salon", "jusqu_au": "2026-02-20"})
    assert set(Courrier.objects.values_list("statut", flat=True)) == {S.ANNULE}
    assert Suspension.objects.count() == 2


# --- Valider ------------------------------------------------------------------------------------------


def test_ce_qui_n_attend_plus_se_laisse_de_cote_sans_refuser_le_reste(client, responsable, societe):
    """Deux onglets : le premier a déjà validé l'un des deux courriers."""
    un, deux = mises_en_demeure(societe, 2)
    client.post(reverse("relances:valider"), {"choix": [un.pk]})
    reponse = client.post(reverse("relances:valider"), {"choix": [un.pk, deux.pk, "abc"]}, follow=True)
    assert "1 envoi validé" in reponse.content.decode()
    assert set(Courrier.objects.values_list("statut", flat=True)) == {S.A_ENVOYER}


def test_trois_refus_se_lisent_les_autres_se_comptent(client, societe, responsable):
    courriers = mises_en_demeure(societe, 5)
    type(societe).objects.filter(pk=societe.pk).update(iban="")
    html = client.post(reverse("relances:valider"), {"choix": [c.pk for c in courriers]}, follow=True).content.decode()
    assert html.count("IBAN absent ou faux") == 3
    assert "Et 2 autres refusés." in html
    assert "bloqué par le contrôle" in html


def test_le_plafond_ferme_la_case_a_qui_n_est_pas_responsable(client, societe):
    """Exigence 16."""
    gestionnaire = UtilisateurFactory(role=Role.GESTIONNAIRE, societe=societe)
    VersionEchelle.objects.update(plafond_envoi=500)
    (courrier,) = mises_en_demeure(societe, client=ClientFactory(societe=societe, gestionnaire=gestionnaire))
    client.force_login(gestionnaire)
    html = ce_soir(client, v="valider", lettre=courrier.pk)
    assert "réservé à un responsable" in html and "data-choix" not in html
    assert "un responsable doit le valider" in html and "Valider cet envoi" not in html


def test_l_adresse_porte_le_courrier_choisi(client, responsable, societe):
    (courrier,) = mises_en_demeure(societe)
    html = ce_soir(client, v="valider", lettre=courrier.pk)
    assert 'aria-current="true"' in html and "9 mentions sur 9" in html
    assert "Choisissez un courrier" in ce_soir(client, v="valider", lettre=courrier.pk + 999)


@pytest.mark.parametrize(
    ("instant", "phrase"),
    [
        ("2026-02-10 09:00 +0100", "au plus tard le mercredi 25/02/2026"),
        ("2026-02-06 09:00 +0100", "le 21/02 est un samedi, la lettre dit lundi 23/02/2026"),
        ("2026-04-21 09:00 +0200", "au plus tard le mercredi 06/05/2026"),
        ("2026-04-23 09:00 +0200", "le 08/05 est férié, la lettre dit lundi 11/05/2026"),
        ("2026-02-07 09:00 +0100", "au plus tard le mardi 24/02/2026"),  # un samedi : la lettre se date du lundi
    ],
)
def test_la_date_limite_est_un_jour_ouvre_et_dit_pourquoi(client, responsable, societe, time_machine, instant, phrase):
    """Exigence 15."""
    (courrier,) = mises_en_demeure(societe)
    time_machine.move_to(instant, tick=False)
    client.force_login(responsable)
    html = ce_soir(client, v="valider", lettre=courrier.pk)
    assert phrase in html


# --- Poster -------------------------------------------------------------------------------------------


def test_les_depots_se_saisissent_a_la_chaine(client, responsable, societe):
    """Exigence 26."""
    un, deux = a_poster(client, societe, 2)
    donnees = {"choix": [un.pk, deux.pk], "depose_le": "2026-02-10",
               f"numero_{un.pk}": "2C 000 111 2222 3", f"numero_{deux.pk}": "2c00011122224"}  # fmt: skip
    assert client.post(adresse("deposer"), donnees).status_code == 303
    suivis = Courrier.objects.filter(statut=S.POSTE).values_list("numero_suivi", flat=True)
    assert sorted(suivis) == ["2C00011122223", "2C00011122224"]


def test_un_depot_refuse_laisse_les_autres_faits_et_garde_la_saisie(client, responsable, societe):
    un, deux, trois = a_poster(client, societe, 3)
    donnees = {"choix": [un.pk, deux.pk, trois.pk], "depose_le": "2026-02-10",
               f"numero_{un.pk}": "2C00011122223", f"numero_{deux.pk}": "2C00011122223",
               f"numero_{trois.pk}": ""}  # fmt: skip
    reponse = client.post(adresse("deposer"), donnees)
    html = reponse.content.decode()
    assert reponse.status_code == 422
    assert "déjà celui d&#x27;un autre" in html and "numéro de suivi du recommandé est nécessaire" in html
    assert 'value="2C00011122223"' in html
    assert Courrier.objects.filter(statut=S.POSTE).count() == 1


def test_une_date_de_depot_illisible_n_enregistre_rien(client, responsable, societe):
    (courrier,) = a_poster(client, societe, 1)
    donnees = {"choix": [courrier.pk], "depose_le": "", f"numero_{courrier.pk}": "2C00011122223"}
    reponse = client.post(adresse("deposer"), donnees)
    assert reponse.status_code == 422 and 'value="2C00011122223"' in reponse.content.decode()
    courrier.refresh_from_db()
    assert courrier.statut == S.A_POSTER


def test_les_retours_d_avis_ne_montrent_que_les_recommandes_sans_retour(client, responsable, societe):
    """Exigence 26."""
    un, deux, trois = a_poster(client, societe, 3)
    for n, c in enumerate((un, deux, trois)):
        client.post(adresse("poster", c.pk), {"depose_le": "2026-02-10", "numero_suivi": f"2C0001112222{n}"})
    Courrier.objects.filter(pk=deux.pk).update(canal="lettre")
    client.post(adresse("retour", trois.pk), {"retour": "distribue", "retour_le": "2026-02-10"})
    html = ce_soir(client, v="retours")
    assert un.client.raison_sociale in html
    assert deux.client.raison_sociale not in html and trois.client.raison_sociale not in html


def test_un_retour_mal_saisi_se_remontre_avec_sa_faute(client, responsable, societe):
    (courrier,) = a_poster(client, societe, 1)
    client.post(adresse("poster", courrier.pk), {"depose_le": "2026-02-10", "numero_suivi": "2C00011122223"})
    assert client.post(adresse("retour", courrier.pk), {"retour_le": "2026-02-12"}).status_code == 422
    courrier.refresh_from_db()
    assert courrier.retour == ""


# --- Relancer maintenant --------------------------------------------------------------------------------


def test_relancer_montre_d_abord_ce_qui_se_preparerait(client, responsable, societe):
    """Exigence 29."""
    echeance = EcheanceFactory(societe=societe, echue_le=MARDI - timedelta(days=2))
    url = adresse("manuel", echeance.client_id)
    html = client.get(url).content.decode()
    assert "Rappel courtois" in html and "Préparer ce courrier" in html
    assert not Courrier.objects.exists()
    reponse = client.post(url)
    courrier = Courrier.objects.get()
    assert reponse.url == adresse("courrier", courrier.pk) and courrier.statut == S.A_VALIDER


def test_relancer_un_client_en_litige_dit_pourquoi_rien_ne_part(client, responsable, societe):
    echeance = EcheanceFactory(societe=societe, echue_le=MARDI - timedelta(days=2), en_litige=True)
    html = client.get(adresse("manuel", echeance.client_id), follow=True).content.decode()
    assert "Rien ne peut partir" in html and "contestés" in html


def test_relancer_au_palier_de_l_appel_cree_la_tache(client, responsable, societe):
    echeance = EcheanceFactory(societe=societe, echue_le=MARDI - timedelta(days=12))
    version = VersionEchelle.objects.get(echelle__societe=societe, echelle__code="entreprise")
    type(echeance).objects.update(niveau=2, niveau_rang=1, niveau_version=version.pk, niveau_le=MARDI)
    type(echeance).objects.update(niveau_le=MARDI - timedelta(days=6))
    client.post(adresse("manuel", echeance.client_id))
    assert Tache.objects.get().genre == Tache.Genre.APPEL


def test_aucune_adresse_de_la_requete_ne_choisit_ou_l_on_va_ensuite(client, responsable, societe):
    (courrier,) = mises_en_demeure(societe)
    url = adresse("retenir", courrier.pk) + "?suite=https://ailleurs.example/"
    reponse = client.post(url, {"motif": "accord", "jusqu_au": "2026-02-24"})
    assert re.match(r"^/relances/\?v=valider$", reponse.url)


# --- Erreur, sort inconnu, bordereau ---------------------------------------------------------------------


def test_le_bordereau_porte_les_numeros_deja_tapes(client, responsable, societe):

    un, deux = a_poster(client, societe, 2)
    donnees = {"choix": [un.pk, deux.pk], "depose_le": "2026-02-10", f"numero_{un.pk}": "2C00011122223"}
    reponse = client.post(adresse("bordereau"), donnees)
    texte = "".join(p.extract_text() for p in PdfReader(BytesIO(reponse.content)).pages).replace(" ", "")
    assert "2C00011122223" in texte.replace("\u00a0", "").replace("\u202f", "")
    assert set(Courrier.objects.values_list("statut", flat=True)) == {S.A_POSTER}


def test_une_erreur_se_remet_a_envoyer_ou_se_retient(client, responsable, societe):
    """Exigence 22."""
    un, deux = mises_en_demeure(societe, 2)
    for c in (un, deux):
        Courrier.objects.filter(pk=c.pk).update(statut=S.EN_ERREUR, erreur="adresse refusée")
        c.relances.update(statut=Relance.Statut.EN_ERREUR)
    html = ce_soir(client, v="erreur", lettre=un.pk)
    assert html.count("adresse refusée") == 3 and "Remettre à envoyer" in html
    client.post(adresse("remettre", un.pk))
    client.post(adresse("retenir", deux.pk), {"motif": "adresse à chercher", "jusqu_au": "2026-02-20"})
    assert list(Courrier.objects.order_by("pk").values_list("statut", flat=True)) == [S.A_ENVOYER, S.ANNULE]


@pytest.mark.parametrize(("parti", "statut"), [("oui", S.ENVOYE), ("non", S.A_ENVOYER)])
def test_un_sort_inconnu_demande_une_personne(client, responsable, societe, parti, statut):
    """Exigence 20 : rien ne se rejoue seul."""
    (courrier,) = mises_en_demeure(societe)
    Courrier.objects.filter(pk=courrier.pk).update(
        statut=S.INCERTAIN, canal="courriel", destinataire="a@client.example", message_id="<x@essai>"
    )
    html = ce_soir(client, v="inconnu", lettre=courrier.pk)
    assert "Rien n’est rejoué" in html and "&lt;x@essai&gt;" in html
    assert client.post(adresse("trancher", courrier.pk), {}).status_code == 422
    client.post(adresse("trancher", courrier.pk), {"parti": parti})
    courrier.refresh_from_db()
    assert courrier.statut == statut


def test_le_texte_reecrit_se_relit_dans_la_page(client, responsable, societe):
    """Exigence 29 : aperçu, modification, et ce qui partira est ce qu'on relit."""
    echeance = EcheanceFactory(societe=societe, echue_le=MARDI - timedelta(days=2))
    client.post(adresse("manuel", echeance.client_id))
    courrier = Courrier.objects.get()
    initial = client.get(adresse("courrier", courrier.pk)).context["f"].form_texte.initial
    texte = initial["texte"].replace("Un oubli arrive à tout le monde.", "Nous restons joignables.")
    reponse = client.post(adresse("texte", courrier.pk), {"objet": initial["objet"], "texte": texte}, follow=True)
    html = reponse.content.decode()
    assert "Nous restons joignables." in html and "il part tel quel" in html
    assert client.post(adresse("texte", courrier.pk), {"objet": "", "texte": ""}).status_code == 422
