"""Écrans des relances : ce soir, à valider, à poster, plans."""

from datetime import date, timedelta

import pytest
from django.urls import reverse

from recouvrement.comptes.models import Role
from relances.models import Courrier, Passage, VersionEchelle
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


def passer(societe):
    passage = nuit.ouvrir_passage(societe, au=MARDI, genre=Passage.Genre.REJOUE)
    nuit.relancer(societe, au=MARDI, passage=passage)


def mise_en_demeure(societe, **champs) -> Courrier:
    echeance = EcheanceFactory(societe=societe, echue_le=MARDI - timedelta(days=60), **champs)
    version = VersionEchelle.objects.get(echelle__societe=societe, echelle__type_debiteur=echeance.client.type)
    type(echeance).objects.filter(pk=echeance.pk).update(
        niveau=4, niveau_rang=3, niveau_version=version.pk, niveau_le=MARDI - timedelta(days=20)
    )
    passer(societe)
    return Courrier.objects.get(relances__echeance=echeance)


def page(client, vue, **parametres):
    reponse = client.get(reverse("relances:ce_soir"), {"v": vue} | parametres)
    assert reponse.status_code == 200
    return reponse.content.decode()


def test_ce_soir_montre_l_envoi_et_son_apercu_sans_rien_ecrire(client, responsable, societe):
    echeance = EcheanceFactory(societe=societe, echue_le=MARDI - timedelta(days=9))
    html = page(client, "ce-soir")
    assert echeance.client.raison_sociale in html
    assert "rien n’est parti" in html
    palier = VersionEchelle.objects.get(echelle__societe=societe, echelle__code="entreprise").paliers.get(rang=1)
    apercu = client.get(reverse("relances:apercu", args=[echeance.client.pk, palier.pk, "EUR"]))
    assert echeance.facture.numero in apercu.content.decode()
    assert not Courrier.objects.exists()


def test_retenu_dit_le_motif_et_la_date(client, responsable, societe):
    EcheanceFactory(societe=societe, echue_le=MARDI - timedelta(days=9), en_litige=True)
    assert "En litige" in page(client, "retenu")


@pytest.mark.parametrize("vue", ["ce-soir", "retenu", "valider", "poster", "retours", "envoye", "erreur", "inconnu"])
def test_chaque_onglet_vide_le_dit(client, responsable, vue):
    assert "vide" in page(client, vue)


def test_valider_imprimer_poster_de_bout_en_bout(client, responsable, societe):
    courrier = mise_en_demeure(societe)
    assert courrier.client.raison_sociale in page(client, "valider")
    client.post(reverse("relances:valider"), {"choix": [courrier.pk]})
    assert envoi.envoyer(courrier.pk, au=MARDI) == S.A_POSTER
    assert client.get(reverse("relances:image", args=[courrier.pk, 1]))["Content-Type"] == "image/png"
    lot = client.post(reverse("relances:imprimer"), {"choix": [courrier.pk]})
    assert lot["Content-Type"] == "application/pdf" and lot.content.startswith(b"%PDF-")
    bordereau = client.post(reverse("relances:bordereau"), {"choix": [courrier.pk]})
    assert bordereau.content.startswith(b"%PDF-")
    donnees = {"depose_le": "2026-02-10", "numero_suivi": "2C 000 111 2222 3"}
    client.post(reverse("relances:poster", args=[courrier.pk]), donnees)
    courrier.refresh_from_db()
    assert (courrier.statut, courrier.numero_suivi) == (S.POSTE, "2C00011122223")


def test_double_clic_sur_valider_ne_fait_rien_la_seconde_fois(client, responsable, societe):
    courrier = mise_en_demeure(societe)
    for _ in range(2):
        reponse = client.post(reverse("relances:valider"), {"choix": [courrier.pk]}, follow=True)
    assert "la liste a changé" in reponse.content.decode()


def test_un_lecteur_ne_valide_pas(client, societe):
    """Exigence 39."""
    courrier = mise_en_demeure(societe)
    client.force_login(UtilisateurFactory(role=Role.LECTEUR, societe=societe))
    assert client.post(reverse("relances:valider"), {"choix": [courrier.pk]}).status_code == 403
    courrier.refresh_from_db()
    assert courrier.statut == S.A_VALIDER


def test_le_portefeuille_d_un_autre_est_introuvable(client, societe):
    courrier = mise_en_demeure(societe)
    client.force_login(UtilisateurFactory(role=Role.GESTIONNAIRE, societe=societe))
    for nom in ("courrier", "pdf"):
        assert client.get(reverse(f"relances:{nom}", args=[courrier.pk])).status_code == 404
    for nom in ("retenir", "texte", "remettre", "trancher", "poster", "retour"):
        assert client.post(reverse(f"relances:{nom}", args=[courrier.pk])).status_code == 404
    client.post(reverse("relances:valider"), {"choix": [courrier.pk]})
    courrier.refresh_from_db()
    assert courrier.statut == S.A_VALIDER


def test_un_plafond_demande_un_responsable(client, societe):
    """Exigence 16."""
    gestionnaire = UtilisateurFactory(role=Role.GESTIONNAIRE, societe=societe)
    VersionEchelle.objects.update(plafond_envoi=500)
    courrier = mise_en_demeure(societe, client=ClientFactory(societe=societe, gestionnaire=gestionnaire))
    client.force_login(gestionnaire)
    reponse = client.post(reverse("relances:valider"), {"choix": [courrier.pk]}, follow=True)
    assert "responsable" in reponse.content.decode()
    courrier.refresh_from_db()
    assert courrier.statut == S.A_VALIDER


def test_mauvaise_methode_405(client, responsable, societe):
    assert client.get(reverse("relances:valider")).status_code == 405
    assert client.post(reverse("relances:ce_soir")).status_code == 405


@pytest.mark.parametrize("vue", ["ce-soir", "valider"])
def test_autant_de_requetes_pour_une_ligne_que_pour_vingt(client, responsable, societe, vue):
    from django.db import connection
    from django.test.utils import CaptureQueriesContext

    comptes = []
    for n in (1, 19):
        for _ in range(n):
            if vue == "valider":
                mise_en_demeure(societe)
            else:
                EcheanceFactory(societe=societe, echue_le=MARDI - timedelta(days=9))
        page(client, vue)
        with CaptureQueriesContext(connection) as requetes:
            page(client, vue)
        comptes.append(len(requetes))
    assert comptes[0] == comptes[1]


def test_toutes_les_societes_se_montrent_sans_additionner_deux_devises(client, responsable, societe):
    autre = SocieteFactory(relances_actives=False)
    responsable.affectations.create(societe=autre, role=Role.RESPONSABLE)
    EcheanceFactory(societe=societe, echue_le=MARDI - timedelta(days=9), montant=1000)
    EcheanceFactory(societe=autre, echue_le=MARDI - timedelta(days=9), montant=500, devise="USD")
    html = page(client, "ce-soir").replace("\u00a0", " ")
    assert "2 envois prévus pour 1 000,00 € et 500,00 $" in html
    assert "rien ne partira seul" in html


def test_la_ligne_choisie_est_dans_l_adresse(client, responsable, societe):
    echeance = EcheanceFactory(societe=societe, echue_le=MARDI - timedelta(days=9))
    palier = VersionEchelle.objects.get(echelle__societe=societe, echelle__code="entreprise").paliers.get(rang=1)
    html = page(client, "ce-soir", lettre=f"{echeance.client_id}-{palier.pk}-EUR")
    assert 'aria-current="true"' in html and "7 mentions sur 7" in html
    for fausse in ("x", "1-2", "999-1-EUR", f"{echeance.client_id}-{palier.pk}-USD"):
        assert "Choisissez un courrier" in page(client, "ce-soir", lettre=fausse)


def test_un_gestionnaire_ne_voit_ce_soir_que_son_portefeuille(client, societe):
    """Exigence 39."""
    moi = UtilisateurFactory(role=Role.GESTIONNAIRE, societe=societe)
    le_mien = EcheanceFactory(
        client=ClientFactory(societe=societe, gestionnaire=moi), echue_le=MARDI - timedelta(days=9)
    )
    autre = EcheanceFactory(societe=societe, echue_le=MARDI - timedelta(days=9))
    client.force_login(moi)
    html = page(client, "ce-soir")
    assert le_mien.client.raison_sociale in html and autre.client.raison_sociale not in html
    palier = VersionEchelle.objects.get(echelle__societe=societe, echelle__code="entreprise").paliers.get(rang=1)
    for nom, suite in (("apercu", []), ("apercu_image", [1]), ("apercu_pdf", [])):
        url = reverse(f"relances:{nom}", args=[autre.client_id, palier.pk, "EUR", *suite])
        assert client.get(url).status_code == 404


def test_un_gros_grand_livre_s_affiche_avant_d_etre_calcule(client, responsable, societe, monkeypatch):
    from relances.services import ce_soir

    monkeypatch.setattr(ce_soir, "LOURD", 0)
    echeance = EcheanceFactory(societe=societe, echue_le=MARDI - timedelta(days=9))
    html = page(client, "ce-soir")
    assert "<progress" in html and echeance.client.raison_sociale not in html
    assert echeance.client.raison_sociale in page(client, "ce-soir", calcul=1)
    fragment = client.get(reverse("relances:ce_soir"), headers={"HX-Request": "true"}).content.decode()
    assert echeance.client.raison_sociale in fragment and "<html" not in fragment


def test_un_motif_se_deplie_en_entier(client, responsable, societe):
    client_ = ClientFactory(societe=societe)
    for n in range(15):
        EcheanceFactory(client=client_, montant=1000 + n, echue_le=MARDI - timedelta(days=9), en_litige=True)
    html = page(client, "retenu")
    assert "15 pièces" in html and "3 pièces plus petites" in html
    assert html.count("contestés") < page(client, "retenu", motif="litige").count("contestés") == 15
