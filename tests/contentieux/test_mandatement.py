"""La voie de l'administration : jamais d'injonction, le mandatement d'office (droit.md § 3 ; CGCT, art. L1612-16)."""

from datetime import date
from io import BytesIO

import pytest
from django.core.exceptions import ValidationError
from django.urls import reverse
from pypdf import PdfReader

from contentieux import services
from contentieux.donnees import injonction, mandatement
from contentieux.models import DossierContentieux, Piece
from relances.domaine.natures import Nature
from tests.contentieux.factories import AU, CourrierEnvoyeFactory, CreanceFactory, DebiteurFactory, DossierFactory, pdf

pytestmark = pytest.mark.django_db
S = DossierContentieux.Statut
LOIN = date(2027, 12, 31)


def commune(**champs):
    return DebiteurFactory(
        **{"type": "administration", "forme": "Commune", "raison_sociale": "Commune de Sornay", "adresse": "1 place",
           "code_postal": "69003", "ville": "Lyon", "siret": "21690123100011"} | champs
    )  # fmt: skip


@pytest.fixture
def dossier():
    echeances = CreanceFactory(client=commune(), factures=2, demeure=False)
    CourrierEnvoyeFactory(echeances, nature=Nature.FORMALISATION)
    from tests.comptes.factories import UtilisateurFactory

    client = echeances[0].client
    par = UtilisateurFactory(societe=client.societe, role="responsable")
    return services.ouvrir_dossier(
        client, [e.pk for e in echeances], par=par, au=AU, motif="Sans réponse", voie="mandatement"
    )


@pytest.fixture
def pret(dossier):
    for piece in Piece.objects.filter(dossier=dossier, chemin="").exclude(genre=Piece.Genre.DECOMPTE):
        services.joindre_piece(piece, pdf(), "piece.pdf", par=dossier.ouvert_par)
    services.completer(
        dossier, par=dossier.ouvert_par, tribunal="Préfecture du Rhône", competence_relue=True,
        tribunal_adresse="106 rue Pierre-Corneille\n69419 LYON CEDEX 03", marche="marché 2026-14 du 3 mars 2026",
        expose="Le service fait est attesté par les bons de livraison.", prescription_relue_le=AU,
    )  # fmt: skip
    dossier.refresh_from_db()
    return dossier


def test_une_injonction_contre_une_administration_est_refusee_par_le_service():
    echeances = CreanceFactory(client=commune(), factures=1, demeure=False)
    with pytest.raises(ValidationError, match="personne publique"):
        services.ouvrir_dossier(echeances[0].client, [echeances[0].pk], par=None, au=AU, motif="m", derogation="d")
    assert not DossierContentieux.objects.exists()


def test_le_mandatement_n_atteint_que_les_personnes_publiques():
    echeances = CreanceFactory(factures=1)
    with pytest.raises(ValidationError, match="personnes publiques"):
        services.ouvrir_dossier(
            echeances[0].client, [echeances[0].pk], par=None, au=AU, motif="m", derogation="d", voie="mandatement"
        )


def test_l_ecran_d_ouverture_ne_propose_a_une_administration_que_le_mandatement(client, dossier):
    client.force_login(dossier.ouvert_par)
    CreanceFactory(client=dossier.client, factures=1, demeure=False)
    url = reverse("contentieux:ouvrir", args=[dossier.client_id])
    page = client.get(url)
    assert "mandatement d’office par le préfet" in page.content.decode()
    assert "contre l’État, demandez un référé-provision" in page.content.decode()
    libre = next(c.echeance.pk for c in page.context["examen"].candidates if not c.refus)
    client.post(url, {"echeances": [libre], "motif": "m", "derogation": "jamais relancée", "voie": "injonction"})
    assert set(DossierContentieux.objects.values_list("voie", flat=True)) == {"mandatement"}
    assert DossierContentieux.objects.count() == 2


def test_sans_demande_ecrite_le_dossier_demande_une_derogation():
    echeances = CreanceFactory(client=commune(), factures=1, demeure=False)
    with pytest.raises(ValidationError, match="aucune demande de paiement"):
        services.ouvrir_dossier(echeances[0].client, [echeances[0].pk], par=None, au=AU, motif="m", voie="mandatement")


def test_ni_requete_ni_etape_d_injonction_dans_un_dossier_de_mandatement(pret):
    with pytest.raises(ValidationError, match="pas par injonction"):
        services.projet_de_requete(pret, par=pret.ouvert_par, au=AU)
    with pytest.raises(ValidationError, match="ne peut pas suivre"):
        services.enregistrer_etape(pret, "ordonnance", le=AU, par=pret.ouvert_par, au=AU)


def test_ni_demande_au_prefet_dans_un_dossier_d_injonction():
    dossier = DossierFactory(factures=1)
    with pytest.raises(ValidationError, match="personnes publiques"):
        services.projet_de_mandatement(dossier, par=dossier.ouvert_par, au=AU)


@pytest.mark.parametrize(
    ("champs", "cle"),
    [
        ({"tribunal": ""}, "juridiction"),
        ({"tribunal_adresse": ""}, "juridiction"),
        ({"competence_relue": False}, "juridiction"),
        ({"marche": ""}, "marche"),
        ({"expose": ""}, "expose"),
        ({"prescription_relue_le": None}, "prescription"),
    ],
)
def test_la_demande_reste_fermee_tant_qu_un_point_manque(pret, champs, cle):
    DossierContentieux.objects.filter(pk=pret.pk).update(**champs)
    pret.refresh_from_db()
    points = services.points_mandatement(pret, services.compter(pret), au=AU)
    assert [p.cle for p in points if not p.acquis] == [cle]
    with pytest.raises(ValidationError):
        services.projet_de_mandatement(pret, par=pret.ouvert_par, au=AU)


def test_la_liste_nomme_le_siret_absent(pret):
    pret.client.__class__.objects.filter(pk=pret.client_id).update(siret="")
    pret.client.refresh_from_db()
    points = services.points_mandatement(pret, services.compter(pret), au=AU)
    assert [(p.cle, p.manque) for p in points if not p.acquis] == [("debiteur", "Manque : SIRET.")]


def test_le_projet_demande_le_principal_et_les_40_euros_et_dit_les_interets_sans_les_demander(pret):
    """Les intérêts sont exigibles 45 jours après le principal (CCP, art. R2192-36 ; droit.md § 17)."""
    octets = services.projet_de_mandatement(pret, par=pret.ouvert_par, au=AU)
    pret.refresh_from_db()
    assert pret.requete_empreinte and pret.requete_le == AU
    texte = " ".join(" ".join(page.extract_text() for page in PdfReader(BytesIO(octets)).pages).split())
    texte = texte.replace("\u00a0", " ").replace("\u202f", " ")
    totaux = services.compter(pret).totaux
    demande = totaux.principal + totaux.indemnites
    from recouvrement.commun.domaine.ecriture import euros

    assert totaux.penalites > 0
    assert f"Somme à mandater {euros(demande)}".replace("\u00a0", " ").replace("\u202f", " ") in texte
    for passage in ("L. 1612-16", "L. 1612-15", "R. 2192-36", "marché 2026-14 du 3 mars 2026", "Préfecture du Rhône"):
        assert passage in texte
    for interdit in ("mise en demeure de payer", "injonction", "saisie", "huissier"):
        assert interdit not in texte.lower()


def test_la_demande_se_produit_avant_de_partir_puis_interrompt_la_prescription(dossier, pret):
    with pytest.raises(ValidationError, match="Produisez d'abord"):
        services.enregistrer_etape(pret, "demande_prefet", le=AU, par=pret.ouvert_par, au=AU)
    services.projet_de_mandatement(pret, par=pret.ouvert_par, au=AU)
    services.enregistrer_etape(pret, "demande_prefet", le=AU, par=pret.ouvert_par, au=AU)
    pret.refresh_from_db()
    assert (pret.statut, pret.depose_le) == (S.MANDATEMENT_DEMANDE, AU)
    derniere = services.du_dossier(pret, au=AU)[0].prescription.etapes[-1]
    assert (derniere.acte, derniere.interrompt) == ("reclamation_ecrite", True)  # loi 68-1250, art. 2


@pytest.mark.parametrize(("mois", "trop_tot", "possible"), [(1, date(2027, 1, 11), date(2027, 1, 12)),
                                                           (2, date(2027, 2, 11), date(2027, 2, 12))])  # fmt: skip
def test_le_prefet_mandate_d_office_apres_un_mois_ou_deux_selon_le_reglage(pret, mois, trop_tot, possible):
    services.completer(pret, par=pret.ouvert_par, delai_ordonnateur_mois=mois)
    pret.refresh_from_db()
    services.projet_de_mandatement(pret, par=pret.ouvert_par, au=AU)
    for evenement, le in (("demande_prefet", date(2026, 11, 23)), ("ordonnateur_requis", date(2026, 12, 11))):
        services.enregistrer_etape(pret, evenement, le=le, par=pret.ouvert_par, au=LOIN)
    with pytest.raises(ValidationError, match="Pas avant"):
        services.enregistrer_etape(pret, "mandatement_office", le=trop_tot, par=pret.ouvert_par, au=LOIN)
    services.enregistrer_etape(pret, "mandatement_office", le=possible, par=pret.ouvert_par, au=LOIN)
    pret.refresh_from_db()
    assert pret.statut == S.MANDATEE


def test_apres_un_jugement_le_comptable_se_saisit_deux_mois_apres_la_notification(pret):
    with pytest.raises(ValidationError, match="Enregistrez d'abord"):
        services.enregistrer_etape(pret, "saisine_comptable", le=AU, par=pret.ouvert_par, au=AU)
    services.enregistrer_etape(pret, "decision_notifiee", le=AU, par=pret.ouvert_par, au=AU)
    with pytest.raises(ValidationError, match="Pas avant le 21/01/2027"):
        services.enregistrer_etape(pret, "saisine_comptable", le=date(2027, 1, 20), par=pret.ouvert_par, au=LOIN)
    services.enregistrer_etape(pret, "saisine_comptable", le=date(2027, 1, 21), par=pret.ouvert_par, au=LOIN)


def test_les_deux_tables_n_ont_aucun_evenement_en_commun():
    assert not set(mandatement().libelles) & set(injonction().libelles)


def test_la_fiche_montre_la_voie_et_ne_parle_pas_d_injonction(client, pret):
    client.force_login(pret.ouvert_par)
    page = client.get(pret.get_absolute_url()).content.decode()
    assert "Préparer la demande au préfet" in page and "Ordonnateur mis en demeure" in page
    assert "injonction" not in page and "Préparer la requête" not in page
    assert "Marché ou commande" in client.get(f"{pret.get_absolute_url()}?volet=prefecture").content.decode()
    reponse = client.post(reverse("contentieux:geste", args=[pret.societe.code, pret.reference, "requete"]))
    assert reponse.status_code == 303
    pret.refresh_from_db()
    assert pret.requete_chemin
    servi = client.get(reverse("contentieux:requete", args=[pret.societe.code, pret.reference]))
    assert servi.content.startswith(b"%PDF")


def test_les_saisies_du_prefet_s_enregistrent(client, dossier):
    client.force_login(dossier.ouvert_par)
    reponse = client.post(
        reverse("contentieux:geste", args=[dossier.societe.code, dossier.reference, "prefecture"]),
        {"vu": dossier.updated_at.isoformat(), "tribunal": "Préfecture du Rhône", "tribunal_adresse": "Lyon",
         "marche": "commande 12", "delai_ordonnateur_mois": "2"},
    )  # fmt: skip
    assert reponse.status_code == 303
    dossier.refresh_from_db()
    assert (dossier.marche, dossier.delai_ordonnateur_mois) == ("commande 12", 2)


def test_la_fiche_d_une_administration_nomme_le_mandatement_et_jamais_le_contentieux(client, dossier):
    """CGCT, art. L1612-16 : la tâche, le geste de la fiche et l'écran d'ouverture disent la même voie."""
    client.force_login(dossier.ouvert_par)
    fiche = client.get(reverse("clients:fiche", args=[dossier.client_id])).content.decode()
    assert "Demander le mandatement d’office" in fiche and "Ouvrir un dossier contentieux" not in fiche
    ouvrir = client.get(reverse("contentieux:ouvrir", args=[dossier.client_id])).content.decode()
    assert "Ouvrir un dossier de mandatement d’office" in ouvrir
    entreprise = CreanceFactory(client=DebiteurFactory(societe=dossier.societe), factures=1)[0].client
    assert (
        "Ouvrir un dossier contentieux" in client.get(reverse("clients:fiche", args=[entreprise.pk])).content.decode()
    )
