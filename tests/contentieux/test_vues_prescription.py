"""Prescription de chaque facture, dossier ou non : écran, actes, preuves, liste, veille (exigence 37)."""

from datetime import date, timedelta

import pytest
from django.core.exceptions import ValidationError
from django.core.files.uploadedfile import SimpleUploadedFile
from django.urls import reverse

from clients.models import TypeDebiteur
from contentieux import services
from contentieux.models import Interruption
from contentieux.services import veille
from factures.models import Facture
from factures.services.echeanciers import accepter, annuler_echeancier
from recouvrement.comptes.models import Role
from recouvrement.journal.models import Maillon
from relances.domaine.natures import Nature
from relances.models import Courrier, Tache
from relances.services.taches import terminer_tache
from tests.clients.factories import ClientFactory
from tests.comptes.factories import UtilisateurFactory
from tests.contentieux.factories import AU, CourrierEnvoyeFactory, CreanceFactory, DossierFactory, pdf
from tests.factures.factories import EcheanceFactory, FactureFactory, ImputationFactory

pytestmark = pytest.mark.django_db
EXECUTION = date(2025, 1, 15)


@pytest.fixture(autouse=True)
def _jour(monkeypatch):
    for module in ("views.prescription", "views.fiche", "views.actions"):
        monkeypatch.setattr(f"contentieux.{module}.aujourd_hui", lambda: AU)


@pytest.fixture
def facture():
    """Particulier, exécutée le 15/01/2025 : date d'origine 15/01/2027, à moins de trois mois."""
    client = ClientFactory(type=TypeDebiteur.PARTICULIER)
    echeance = EcheanceFactory(client=client, echue_le=date(2025, 3, 15))
    Facture.objects.filter(pk=echeance.facture_id).update(date_execution=EXECUTION)
    return Facture.objects.get(pk=echeance.facture_id)


@pytest.fixture
def responsable(facture, client):
    personne = UtilisateurFactory(societe=facture.societe, role=Role.RESPONSABLE)
    client.force_login(personne)
    return personne


def lue(facture):
    facture.refresh_from_db()
    return services.de_la_facture(facture, au=AU).prescription


def relever(facture, par, **champs):
    base = {"acte": "reconnaissance", "jour": date(2026, 5, 4), "note": "courriel du 04/05/2026", "par": par, "au": AU}
    return services.relever_acte(facture, **base | champs)


def test_une_facture_sans_dossier_affiche_sa_date_et_sa_limite_d_origine(client, facture, responsable):
    page = client.get(reverse("contentieux:prescription", args=[facture.pk])).content.decode()
    assert "15/01/2027" in page and "Moins de 3 mois" in page
    resume = client.get(reverse("contentieux:prescription_resume", args=[facture.pk])).content.decode()
    assert "15/01/2027" in resume
    assert "prescrite" not in page + resume  # droit.md § 0.13 : calculer, jamais qualifier


def test_un_acte_releve_avec_sa_preuve_prolonge_la_date_possible_jamais_l_origine(client, facture, responsable):
    preuve = pdf()
    reponse = client.post(
        reverse("contentieux:prescription_acte", args=[facture.pk]),
        {"acte-acte": "reconnaissance", "acte-jour": "2026-05-04", "acte-note": "",
         "acte-preuve": SimpleUploadedFile("accord.pdf", preuve, "application/pdf")},
    )  # fmt: skip
    assert reponse.status_code == 303
    (acte,) = facture.interruptions.all()
    assert (lue(facture).origine, lue(facture).possible) == (date(2027, 1, 15), date(2028, 5, 4))
    servie = client.get(reverse("contentieux:prescription_preuve", args=[facture.pk, acte.pk]))
    assert servie.content == preuve and servie["Content-Type"] == "application/pdf"
    assert Maillon.objects.filter(action="prescription.acte").count() == 1


def test_un_acte_annule_ne_compte_plus_et_reste_lisible(client, facture, responsable):
    acte = relever(facture, responsable)
    url = reverse("contentieux:prescription_annuler", args=[facture.pk, acte.pk])
    assert client.post(url, {"motif": ""}).status_code == 422
    assert client.post(url, {"motif": "mauvais client"}).status_code == 303
    assert lue(facture).possible == lue(facture).origine
    client.post(url, {"motif": "encore"})  # double clic
    assert Maillon.objects.filter(action="prescription.acte_annule").count() == 1
    assert "Actes annulés" in client.get(reverse("contentieux:prescription", args=[facture.pk])).content.decode()


@pytest.mark.parametrize(
    ("champs", "champ"),
    [
        ({"jour": AU + timedelta(1)}, "jour"),
        ({"jour": date(2024, 12, 31)}, "jour"),
        ({"note": " "}, "preuve"),
        ({"acte": "mise_en_demeure"}, "acte"),
    ],
)
def test_un_acte_a_venir_trop_ancien_sans_preuve_ou_qui_n_interrompt_pas_est_refuse(
    facture, responsable, champs, champ
):
    with pytest.raises(ValidationError) as refus:
        relever(facture, responsable, **champs)
    assert champ in refus.value.message_dict
    assert not Interruption.objects.exists()


def test_le_meme_acte_ne_se_releve_pas_deux_fois(facture, responsable):
    relever(facture, responsable)
    with pytest.raises(ValidationError, match="déjà relevé"):
        relever(facture, responsable)


def test_la_preuve_n_est_pas_un_fichier_quelconque(client, facture, responsable):
    reponse = client.post(
        reverse("contentieux:prescription_acte", args=[facture.pk]),
        {"acte-acte": "reconnaissance", "acte-jour": "2026-05-04",
         "acte-preuve": SimpleUploadedFile("accord.pdf", b"<script>", "application/pdf")},
    )  # fmt: skip
    assert reponse.status_code == 422 and not Interruption.objects.exists()


def test_la_nature_et_l_execution_se_changent_et_deplacent_la_date(client, facture, responsable):
    url = reverse("contentieux:prescription_creance", args=[facture.pk])
    client.post(url, {"creance-nature": "transport", "creance-execution": "2026-02-18"})
    assert (lue(facture).nature.code, lue(facture).origine) == ("transport", date(2027, 2, 18))
    futur = client.post(url, {"creance-nature": "", "creance-execution": "2026-12-01"})
    assert futur.status_code == 422
    with pytest.raises(ValidationError, match="pas de durée"):
        services.qualifier_creance(facture, nature="butoir", execution=None, par=responsable, au=AU)


def test_la_nature_de_la_facture_l_emporte_sur_celle_du_dossier_et_ses_actes_valent_pour_elle():
    dossier = DossierFactory(factures=1)
    facture = dossier.lignes.get().echeance.facture
    services.completer(dossier, par=dossier.ouvert_par, nature_creance="transport")
    assert lue(facture).nature.code == "transport"
    services.qualifier_creance(facture, nature="telecoms", execution=None, par=dossier.ouvert_par, au=AU)
    assert lue(facture).nature.code == "telecoms"
    services.relever_interruption(dossier, jour=AU, acte="reconnaissance", piece=None, par=dossier.ouvert_par, au=AU)
    assert lue(facture).possible == AU.replace(year=2027)


def publique(**courrier):
    """Prescription d'une facture publique de 2021 et la relance partie pour elle en 2024."""
    facture = FactureFactory(
        client=ClientFactory(administration=True), date_emission=date(2021, 3, 1), date_execution=date(2021, 2, 20)
    )
    e = EcheanceFactory(facture=facture, echue_le=date(2021, 4, 1), montant=1000)
    parti = CourrierEnvoyeFactory([e], nature=Nature.FORMALISATION, le=date(2024, 5, 2))
    Courrier.objects.filter(pk=parti.pk).update(**courrier)
    return services.de_la_facture(facture, au=AU).prescription


def test_une_relance_ecrite_a_une_administration_interrompt_la_quadriennale():
    """Loi 68-1250, art. 2 : toute réclamation écrite ; la date d'origine reste la limite affichée."""
    lue = publique(canal="courriel")
    assert (lue.origine, lue.possible) == (date(2025, 12, 31), date(2028, 12, 31))
    assert [(e.acte, e.interrompt) for e in lue.etapes[1:]] == [("reclamation_ecrite", True)]


@pytest.mark.parametrize(
    "champs", [{"nature": Nature.AVANT_ECHEANCE}, {"canal": "appel"}, {"canal": "sms"}, {"statut": "annule"}]
)
def test_ce_qui_n_est_pas_un_ecrit_parti_qui_reclame_n_interrompt_pas(champs):
    assert publique(**champs).etapes[1:] == ()


def test_une_relance_n_interrompt_rien_contre_une_entreprise():
    (e,) = CreanceFactory(factures=1)
    lue = services.de_la_facture(e.facture, au=AU).prescription
    assert [x.acte for x in lue.etapes[1:]] == ["mise_en_demeure"]
    assert lue.possible == lue.origine


def test_un_echeancier_accepte_est_une_reconnaissance_possible():
    """C. civ., art. 2240 ; annulé, il ne prouve plus rien."""
    (e,) = CreanceFactory(factures=1, demeure=False)
    acteur = UtilisateurFactory(societe=e.societe)
    termes = [(AU + timedelta(30), e.reste_du / 2), (AU + timedelta(60), e.reste_du / 2)]
    x = accepter(
        e.client, echeances=[e], mensualites=termes, accepte_le=AU, clause_decheance=False, au=AU, acteur=acteur
    )
    lue = services.de_la_facture(e.facture, au=AU).prescription
    assert [(y.jour, y.acte, y.interrompt) for y in lue.etapes[1:]] == [(AU, "reconnaissance", True)]
    assert lue.possible > lue.origine
    annuler_echeancier(x, motif="noté à tort", au=AU, acteur=acteur)
    assert services.de_la_facture(e.facture, au=AU).prescription.etapes[1:] == ()


def test_un_titre_se_date_a_l_ecran_et_fait_partir_ses_dix_ans(client, facture, responsable):
    client.force_login(responsable)
    url = reverse("contentieux:prescription_creance", args=[facture.pk])
    donnees = {"creance-nature": "titre_executoire", "creance-execution": "", "creance-titre": "03/09/2026"}
    assert client.post(url, donnees).status_code == 303
    facture.refresh_from_db()
    assert services.de_la_facture(facture, au=AU).prescription.origine == date(2036, 9, 3)
    assert client.post(url, donnees | {"creance-titre": "03/09/2030"}).status_code == 422


def test_l_ordonnance_signifiee_d_un_dossier_est_le_titre_de_ses_factures():
    dossier = DossierFactory(factures=1)
    type(dossier).objects.update(
        nature_creance="titre_executoire", ordonnance_le=date(2026, 9, 3), signifiee_le=date(2026, 9, 20)
    )
    (p,) = services.du_dossier(dossier, au=AU)
    assert p.prescription.depart == date(2026, 9, 3)


def test_relever_un_acte_fait_relire_le_dossier(facture):
    dossier = DossierFactory(factures=1)
    services.completer(dossier, par=dossier.ouvert_par, prescription_relue_le=AU)
    relever(dossier.lignes.get().echeance.facture, dossier.ouvert_par, jour=AU)
    dossier.refresh_from_db()
    assert dossier.prescription_relue_le is None


def test_un_gestionnaire_d_un_autre_portefeuille_ne_voit_ni_l_ecran_ni_la_preuve(client, facture, responsable):
    acte = relever(facture, responsable, preuve=pdf(), nom="a.pdf")
    client.force_login(UtilisateurFactory(societe=facture.societe, role=Role.GESTIONNAIRE))
    for route, args in (("prescription", [facture.pk]), ("prescription_preuve", [facture.pk, acte.pk])):
        assert client.get(reverse(f"contentieux:{route}", args=args)).status_code == 404


def test_un_lecteur_voit_sans_pouvoir_ecrire(client, facture, responsable):
    client.force_login(UtilisateurFactory(societe=facture.societe, role=Role.LECTEUR))
    page = client.get(reverse("contentieux:prescription", args=[facture.pk])).content.decode()
    assert "Relever l" not in page
    assert client.post(reverse("contentieux:prescription_acte", args=[facture.pk]), {}).status_code == 403


# --- Celles qui approchent -----------------------------------------------------------------------
def approche(facture, execution, **client):
    nouvelle = EcheanceFactory(client=ClientFactory(societe=facture.societe, **client), echue_le=date(2025, 3, 15))
    Facture.objects.filter(pk=nouvelle.facture_id).update(date_execution=execution)
    return nouvelle


@pytest.mark.parametrize(
    ("type_debiteur", "execution", "alerte"),
    [
        ("particulier", date(2025, 5, 20), 6),  # 20/05/2027, six mois jour pour jour
        ("particulier", date(2025, 5, 21), None),
        ("particulier", date(2024, 11, 19), 0),
        ("entreprise", date(2022, 5, 20), 6),
        ("entreprise", date(2022, 5, 21), None),
        ("administration", date(2022, 1, 1), 3),  # 31/12/2026
        ("administration", date(2023, 1, 1), None),
        ("a_qualifier", date(2024, 12, 1), 3),
    ],
)
def test_le_tri_de_la_base_et_la_date_exacte_disent_la_meme_alerte(facture, type_debiteur, execution, alerte):
    e = approche(facture, execution, type=type_debiteur)
    vues = {a.facture: a.alerte for a in services.approchent(Facture.objects.all(), au=AU)}
    assert (
        vues.get(e.facture_id)
        == alerte
        == services.de_la_facture(e.facture.__class__.objects.get(pk=e.facture_id), au=AU).alerte
    )


@pytest.mark.parametrize("lot", [1, 2, 500])
def test_la_veille_par_lots_de_clients_ouvre_et_ferme_les_memes_taches(facture, monkeypatch, lot):
    """La mémoire d'une société d'un million de factures ne porte qu'un lot."""
    monkeypatch.setattr(veille, "CLIENTS_PAR_LOT", lot)
    clients = {approche(facture, date(2025, 4, 30), type="particulier").client_id for _ in range(3)}
    assert {t.client_id for t in services.veiller(facture.societe, au=AU)} == {*clients, facture.client_id}
    Facture.objects.filter(client__in=clients).update(date_execution=date(2026, 6, 1))
    services.veiller(facture.societe, au=AU)
    ouvertes = Tache.objects.filter(faite_le=None, cle__startswith="prescription-")
    assert set(ouvertes.values_list("client", flat=True)) == {facture.client_id}


def test_une_facture_soldee_ou_signifiee_n_alerte_plus(facture):
    ImputationFactory(echeance=facture.echeances.get(), montant=facture.montant_ttc, date=AU)
    assert list(services.approchent(Facture.objects.all(), au=AU)) == []


def test_une_nature_choisie_compte_quelle_que_soit_la_date_d_emission(facture):
    recente = approche(facture, date(2026, 1, 10), type="entreprise")
    Facture.objects.filter(pk=recente.facture_id).update(nature_creance="transport")
    vues = {a.facture: a.origine for a in services.approchent(Facture.objects.all(), au=AU)}
    assert vues[recente.facture_id] == date(2027, 1, 10)


def test_la_liste_se_filtre_par_seuil_type_et_texte(client, facture, responsable):
    loin = approche(facture, date(2025, 4, 30), type="particulier", raison_sociale="Dupré")
    passee = approche(facture, date(2021, 1, 4), type="entreprise", raison_sociale="Zinc SARL")
    url = reverse("contentieux:prescriptions")

    def numeros(**params):
        return [p.facture.pk for p in client.get(url, params).context["lignes"]]

    assert numeros() == [passee.facture_id, facture.pk, loin.facture_id]
    assert numeros(seuil="3-mois") == [facture.pk]
    assert numeros(seuil="passees") == [passee.facture_id]
    assert numeros(type="entreprise") == [passee.facture_id]
    assert numeros(q="dupré") == [loin.facture_id]
    assert numeros(seuil="n-importe", gestionnaire="99999999999999999999") == numeros()


def test_la_liste_se_lit_en_requetes_constantes(client, facture, responsable, django_assert_max_num_queries):
    url = reverse("contentieux:prescriptions")
    with django_assert_max_num_queries(30) as peu:
        client.get(url)
    for n in range(6):
        approche(facture, EXECUTION + timedelta(n), type="particulier")
    with django_assert_max_num_queries(len(peu)):
        client.get(url)


# --- Veille ---------------------------------------------------------------------------------------
def ouvertes(facture):
    return list(Tache.objects.filter(societe=facture.societe, faite_le=None, cle__startswith="prescription-"))


def test_exigence_37_une_tache_par_client_et_par_seuil_sans_aucun_dossier(facture):
    meme_client = EcheanceFactory(client=facture.client, echue_le=date(2025, 3, 15))
    Facture.objects.filter(pk=meme_client.facture_id).update(date_execution=date(2025, 2, 1))
    for _fois in range(2):
        services.veiller(facture.societe, au=AU)
    (tache,) = ouvertes(facture)
    assert "2 factures à moins de 3 mois" in tache.titre
    assert facture.numero in tache.raison and "15/01/2027" in tache.raison


def test_une_tache_de_prescription_faite_ne_revient_qu_avec_une_facture_de_plus(facture, responsable):
    (tache,) = services.veiller(facture.societe, au=AU)
    terminer_tache(tache, issue="vu avec l'avocat", acteur=responsable)
    assert services.veiller(facture.societe, au=AU) == []
    neuve = EcheanceFactory(client=facture.client, echue_le=date(2025, 3, 15))
    Facture.objects.filter(pk=neuve.facture_id).update(date_execution=date(2025, 2, 1))
    assert len(services.veiller(facture.societe, au=AU)) == 1


def test_le_seuil_passe_la_tache_suit_et_l_ancienne_se_ferme(facture):
    services.veiller(facture.societe, au=date(2026, 8, 1))
    assert "6 mois" in ouvertes(facture)[0].titre
    services.veiller(facture.societe, au=AU)
    (tache,) = ouvertes(facture)
    assert "3 mois" in tache.titre
    ImputationFactory(echeance=facture.echeances.get(), montant=facture.montant_ttc, date=AU)
    services.veiller(facture.societe, au=AU)
    assert ouvertes(facture) == []


def test_la_veille_se_fait_par_lots_quel_que_soit_le_nombre_de_clients(facture, django_assert_max_num_queries):
    services.veiller(facture.societe, au=AU)
    with django_assert_max_num_queries(25) as peu:
        services.veiller(facture.societe, au=AU)
    for n in range(8):
        approche(facture, EXECUTION + timedelta(n), type="particulier")
    services.veiller(facture.societe, au=AU)
    with django_assert_max_num_queries(len(peu)):
        services.veiller(facture.societe, au=AU)
