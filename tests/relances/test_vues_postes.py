"""La poste à l'écran : lot, douchette, collage, dépôt, retours à la chaîne, correction (exigences 26 et 27)."""

from datetime import timedelta
from io import BytesIO

import pytest
from django.core.files.uploadedfile import SimpleUploadedFile
from django.db import connection
from django.test.utils import CaptureQueriesContext
from django.urls import reverse
from kombu.exceptions import OperationalError
from PIL import Image
from pypdf import PdfReader, PdfWriter

from recouvrement.comptes.models import Role
from relances.models import Courrier, LotPostal, Tache
from relances.services import postes
from relances.tasks import composer_lot
from relances.views.listes import depots_en_retard
from tests.clients.factories import ClientFactory
from tests.comptes.factories import AffectationFactory, SocieteFactory, UtilisateurFactory

from .postaux import MARDI, a_poster, ranges, solder

pytestmark = pytest.mark.django_db
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


def adresse(nom, *args):
    return reverse(f"relances:{nom}", args=args)


def un_pdf() -> bytes:
    sortie, flux = PdfWriter(), BytesIO()
    sortie.add_blank_page(100, 100)
    sortie.write(flux)
    return flux.getvalue()


def une_image() -> bytes:
    flux = BytesIO()
    Image.new("RGB", (20, 20)).save(flux, "PNG")
    return flux.getvalue()


def scan(octets: bytes, nom: str = "scan.pdf"):
    return SimpleUploadedFile(nom, octets)


def faire(client, courriers) -> LotPostal:
    client.post(adresse("lot_creer"), {"choix": [c.pk for c in courriers]})
    return LotPostal.objects.latest("pk")


# --- Lot ------------------------------------------------------------------------------------------------


def test_du_lot_aux_cinq_retours_par_l_ecran(client, responsable, societe):
    """Exigence 26 : imprimer, numéroter à la douchette, déposer avec preuve, saisir les retours à la chaîne."""
    courriers = a_poster(societe, 5, par=responsable)
    assert "Préparer un lot" in client.get(adresse("ce_soir"), {"v": "poster"}).content.decode()
    lot = faire(client, courriers)
    html = client.get(adresse("lot", lot.pk)).content.decode()
    assert "Imprimer le lot" in html and "pli 1/5" in html and "autofocus" in html
    premier = client.get(adresse("lot_pdf", lot.pk)).content
    assert premier == client.get(adresse("lot_pdf", lot.pk)).content and len(PdfReader(BytesIO(premier)).pages) > 10

    for n in range(5):
        reponse = client.post(adresse("lot_scanner", lot.pk), {"numero": f"2C 123 456 7890 {n}"})
        assert reponse.status_code == 303
    assert "Chaque recommandé a son numéro" in client.get(adresse("lot", lot.pk)).content.decode()
    bordereau = client.get(adresse("lot_bordereau", lot.pk))
    assert bordereau["Content-Type"] == "application/pdf"

    donnees = {"depose_le": "2026-02-10", "preuve": scan(un_pdf())}
    assert client.post(adresse("lot_deposer", lot.pk), donnees).status_code == 303
    assert lot.courriers.filter(statut=S.POSTE, depot_empreinte="").count() == 0
    un = ranges(lot.courriers)[0]
    assert client.get(adresse("preuve", un.pk)).content.startswith(b"%PDF-")

    issues = ["distribue", "non_reclame", "refuse", "npai"]
    for n, issue in enumerate(issues):
        presente = "" if issue in ("distribue", "npai") else "2026-02-10"
        donnees = {"numero": f"2c1234567890{n}", "retour": issue, "retour_le": "2026-02-10", "presente_le": presente}
        reponse = client.post(adresse("retours_chaine"), donnees)
        assert reponse.status_code == 200, reponse.context["form"].errors
        assert reponse.context["form"].initial["retour"] == issue  # l'issue reste pour le suivant
    assert [c.retour for c in ranges(lot.courriers)] == [*issues, ""]
    html = client.get(adresse("lot", lot.pk)).content.decode()
    assert "Avisé et non réclamé" in html and "NPAI" in html


def test_un_lot_payant_entre_temps_nomme_ce_qui_sort(client, responsable, societe):
    """Exigence 19 : la lettre payée sort avant l'impression, et l'écran le dit."""
    un, deux = a_poster(societe, 2, par=responsable)
    solder(un)
    lot = faire(client, [un, deux])
    html = client.get(adresse("lot", lot.pk)).content.decode()
    assert "Sortis du lot" in html and "Ne déposez pas ces lettres" in html
    assert html.index("Sortis du lot") < html.rindex(un.client.raison_sociale)
    assert "1 pli ·" in html


def test_deux_onglets_ne_font_pas_deux_lots(client, responsable, societe):
    courriers = a_poster(societe, 1, par=responsable)
    faire(client, courriers)
    reponse = client.post(adresse("lot_creer"), {"choix": [courriers[0].pk]}, follow=True)
    assert "déjà dans un lot" in reponse.content.decode() and LotPostal.objects.count() == 1
    assert "Choisissez au moins une lettre" in client.post(
        adresse("lot_creer"), {"tout": "1"}, follow=True
    ).content.decode()  # fmt: skip


def test_tout_mettre_en_lot_fait_un_lot_par_societe(client, societe):
    autre = SocieteFactory()
    user = UtilisateurFactory(role=Role.RESPONSABLE, societe=societe)
    AffectationFactory(user, autre, Role.RESPONSABLE)
    client.force_login(user)
    a_poster(societe, 2)
    a_poster(autre, 1)
    client.post(adresse("lot_creer"), {"tout": "1"})
    assert sorted(lot.courriers.count() for lot in LotPostal.objects.all()) == [1, 2]


def test_un_gros_lot_attend_le_worker_et_se_compose_ici_sinon(client, responsable, societe, settings, monkeypatch):
    settings.LOT_SUR_PLACE = 1
    demandes = []
    monkeypatch.setattr(composer_lot, "apply_async", lambda args, **_options: demandes.append(args))
    lot = faire(client, a_poster(societe, 2, par=responsable))
    assert demandes == [(lot.pk,)] and lot.statut == LotPostal.Statut.EN_PREPARATION
    html = client.get(adresse("lot", lot.pk)).content.decode()
    assert 'hx-trigger="every 2s"' in html and "<progress" in html and "Imprimer le lot" not in html
    assert client.get(adresse("lot_pdf", lot.pk)).status_code == 404
    client.post(adresse("lot_reprendre", lot.pk))
    lot.refresh_from_db()
    assert lot.statut == LotPostal.Statut.PRET


def test_un_courtier_muet_n_empeche_pas_le_lot(client, responsable, societe, settings, monkeypatch):
    def muet(*_args, **_options):
        raise OperationalError

    settings.LOT_SUR_PLACE = 1
    monkeypatch.setattr(composer_lot, "apply_async", muet)
    assert faire(client, a_poster(societe, 2, par=responsable)).statut == LotPostal.Statut.PRET


def test_sortir_un_pli_demande_pourquoi(client, responsable, societe):
    un, deux = a_poster(societe, 2, par=responsable)
    lot = faire(client, [un, deux])
    assert client.post(adresse("lot_retirer", lot.pk, un.pk), {"motif": ""}).status_code == 422
    html = client.post(adresse("lot_retirer", lot.pk, un.pk), {"motif": "accord verbal"}, follow=True).content.decode()
    assert "accord verbal" in html and "Sortis du lot" in html


# --- Numéros --------------------------------------------------------------------------------------------


def test_un_scan_refuse_revient_avec_sa_faute_et_le_champ_pret(client, responsable, societe):
    lot = faire(client, a_poster(societe, 2, par=responsable))
    for faux in ("RR473124828JP", "9" * 300, "", "<b>"):
        reponse = client.post(adresse("lot_scanner", lot.pk), {"numero": faux}, HTTP_HX_REQUEST="true")
        html = reponse.content.decode()
        assert reponse.status_code == 422 and 'aria-invalid="true"' in html and "autofocus" in html
        assert html.lstrip().startswith("<section")
    client.post(adresse("lot_scanner", lot.pk), {"numero": "2C12345678901"})
    html = client.post(adresse("lot_scanner", lot.pk), {"numero": "2C12345678901"}).content.decode()
    assert "déjà celui d&#x27;un autre recommandé" in html and ranges(lot.courriers)[0].client.raison_sociale in html


def test_un_collage_se_verifie_puis_s_enregistre(client, responsable, societe):
    lot = faire(client, a_poster(societe, 2, par=responsable))
    texte = "2C12345678901\n2C12345678902"
    html = client.post(adresse("lot_numeros", lot.pk), {"numeros": texte}).content.decode()
    assert "Enregistrer ces numéros" in html
    assert not Courrier.objects.exclude(numero_suivi="").exists()
    mauvais = client.post(adresse("lot_numeros", lot.pk), {"numeros": texte + "\n2C12345678901"}).content.decode()
    assert "déjà à la ligne 1" in mauvais and "Enregistrer ces numéros" not in mauvais
    force = {"numeros": texte + "\n2C12345678901", "appliquer": "1"}
    assert client.post(adresse("lot_numeros", lot.pk), force).status_code == 422
    assert not Courrier.objects.exclude(numero_suivi="").exists()  # rien à moitié
    assert client.post(adresse("lot_numeros", lot.pk), {"numeros": texte, "appliquer": "1"}).status_code == 303
    assert Courrier.objects.exclude(numero_suivi="").count() == 2


# --- Dépôt et pièces jointes ------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("fichier", "faute"),
    [
        (scan(b"%PDF-" + b"0" * (30 * 1024 * 1024)), "15 Mo"),
        (scan(b"%PDF-1.7 je n'en suis pas un"), "abîmé"),
        (scan(b"MZ\x90\x00", "avis.pdf"), "PDF, un PNG ou un JPEG"),
        (scan(b"", "vide.pdf"), "vide"),
    ],
    ids=["30 Mo", "faux PDF", "programme", "vide"],
)
def test_une_preuve_hostile_n_enregistre_rien(client, responsable, societe, fichier, faute):
    fichier.seek(0)
    lot = faire(client, a_poster(societe, 1, par=responsable))
    client.post(adresse("lot_scanner", lot.pk), {"numero": "2C12345678901"})
    reponse = client.post(adresse("lot_deposer", lot.pk), {"depose_le": "2026-02-10", "preuve": fichier})
    assert reponse.status_code == 422 and faute in reponse.content.decode()
    assert not Courrier.objects.filter(statut=S.POSTE).exists()


@pytest.mark.parametrize("jour", ["2026-02-11", "2026-02-09", "", "hier"])
def test_une_date_de_depot_fausse_n_enregistre_rien(client, responsable, societe, jour):
    lot = faire(client, a_poster(societe, 1, par=responsable))
    client.post(adresse("lot_scanner", lot.pk), {"numero": "2C12345678901"})
    assert client.post(adresse("lot_deposer", lot.pk), {"depose_le": jour}).status_code == 422
    assert not Courrier.objects.filter(statut=S.POSTE).exists()


@pytest.fixture
def poste(client, responsable, societe) -> Courrier:
    (courrier,) = a_poster(societe, 1, par=responsable)
    postes.poster(courrier, par=responsable, depose_le=MARDI, numero_suivi="2C12345678901", au=MARDI)
    return courrier


def test_la_preuve_et_la_presentation_se_joignent_apres_coup(client, poste):
    assert client.get(adresse("preuve", poste.pk)).status_code == 404
    assert client.post(adresse("preuve", poste.pk), {}).status_code == 422
    client.post(adresse("preuve", poste.pk), {"preuve": scan(une_image(), "depot.png")})
    assert client.get(adresse("preuve", poste.pk))["Content-Type"] == "image/png"
    assert client.post(adresse("presenter", poste.pk), {"presente_le": ""}).status_code == 422
    client.post(adresse("presenter", poste.pk), {"presente_le": "2026-02-10"})
    html = client.get(adresse("courrier", poste.pk)).content.decode()
    assert "Preuve de dépôt jointe" in html and "Présenté le" in html


# --- Retours ------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("retour", "phrases"),
    [
        ("distribue", ["preuve pleine", "CPC, art. 669", "Tenu pour reçu"]),
        ("non_reclame", ["reste valable", "19-20.680", "sans l&#x27;ouvrir", "moins de quinze jours"]),
        ("refuse", ["a fortiori", "Tenu pour reçu"]),
        ("npai", ["effet est incertain", "à confirmer par un avocat", "Cherchez l&#x27;adresse"]),
    ],
)
def test_chaque_issue_montre_son_effet_et_ce_qu_il_faut_faire(client, poste, retour, phrases):
    """droit.md § 6."""
    presente = "" if retour in ("distribue", "npai") else "2026-02-10"
    client.post(adresse("retour", poste.pk), {"retour": retour, "retour_le": "2026-02-10", "presente_le": presente})
    html = client.get(adresse("courrier", poste.pk)).content.decode()
    for phrase in phrases:
        assert phrase in html, phrase


def test_un_retour_se_corrige_avec_son_motif_et_la_trace_se_lit(client, poste):
    client.post(adresse("retour", poste.pk), {"retour": "npai", "retour_le": "2026-02-10"})
    donnees = {"retour": "distribue", "retour_le": "2026-02-10"}
    assert client.post(adresse("retour_corriger", poste.pk), donnees).status_code == 422  # sans motif
    client.post(adresse("retour_corriger", poste.pk), donnees | {"motif": "mauvaise pile"})
    html = client.get(adresse("courrier", poste.pk)).content.decode()
    assert "mauvaise pile" in html and "Distribué" in html
    poste.refresh_from_db()
    assert poste.statut == S.POSTE


def test_la_chaine_refuse_un_inconnu_un_deja_rentre_et_une_date_a_venir(client, poste):
    def saisir(numero="2C12345678901", le="2026-02-10"):
        saisi = {"numero": numero, "retour": "refuse", "retour_le": le, "presente_le": "2026-02-10"}
        return client.post(adresse("retours_chaine"), saisi)

    assert "aucun recommandé" in saisir("2C00000000000").content.decode()
    assert saisir(le="2026-02-12").status_code == 422
    assert saisir("9" * 300).status_code == 422
    assert saisir().status_code == 200
    assert "déjà saisi" in saisir().content.decode()


def test_les_avis_en_retard_se_filtrent_et_se_reclament(client, poste, responsable, time_machine):
    assert "à réclamer" not in client.get(adresse("ce_soir"), {"v": "retours"}).content.decode()
    assert poste.client.raison_sociale not in client.get(
        adresse("ce_soir"), {"v": "retours", "retard": "1"}
    ).content.decode()  # fmt: skip
    time_machine.move_to("2026-03-11 09:00 +0100", tick=False)
    client.force_login(responsable)
    html = client.get(adresse("ce_soir"), {"v": "retours", "retard": "1"}).content.decode()
    assert "à réclamer" in html and poste.client.raison_sociale in html
    client.post(adresse("reclamer", poste.pk))
    assert Tache.objects.filter(cle=f"reclamer:{poste.pk}").count() == 1
    assert "déjà réclamé" in client.post(adresse("reclamer", poste.pk), follow=True).content.decode()


def test_l_electronique_se_refuse_clairement_a_un_particulier(client, responsable, societe):
    """CPCEpost, art. L100."""
    (courrier,) = a_poster(societe, 1, par=responsable)
    type(courrier.client).objects.update(type="particulier", courriel="p@client.example")
    html = client.get(adresse("courrier", courrier.pk)).content.decode()
    assert "Recommandé électronique non admis" in html and "L100" in html
    client.post(adresse("voie", courrier.pk), {"voie": "electronique"})
    courrier.refresh_from_db()
    assert courrier.electronique is False
    type(courrier.client).objects.update(lre_acceptee_le=MARDI)
    type(societe).objects.update(mediateur="Médiation Exemple, 12 rue de la Concorde, 75000 Paris")
    client.post(adresse("voie", courrier.pk), {"voie": "electronique"})
    courrier.refresh_from_db()
    assert courrier.electronique is True
    assert "Choisissez au moins une" in client.post(adresse("lot_creer"), {"tout": "1"}, follow=True).content.decode()


# --- Droits, étendue, requêtes ------------------------------------------------------------------------------


def test_un_lecteur_voit_le_lot_et_n_agit_pas(client, responsable, societe):
    courriers = a_poster(societe, 1, par=responsable)
    lot = faire(client, courriers)
    client.force_login(UtilisateurFactory(role=Role.LECTEUR, societe=societe))
    html = client.get(adresse("lot", lot.pk)).content.decode()
    assert "Imprimer le lot" in html and "Enregistrer le dépôt" not in html and "Scanner" not in html
    for nom in ("lot_scanner", "lot_numeros", "lot_deposer", "lot_reprendre"):
        assert client.post(adresse(nom, lot.pk), {"numero": "A1"}).status_code == 403
    assert client.get(adresse("retours_chaine")).status_code == 403


def test_un_lot_partage_montre_ses_plis_et_tait_ceux_d_un_autre_portefeuille(client, responsable, societe):
    """Exigence 39 : elle suit le sien, ne nomme pas l'autre, et n'agit pas sur un lot qu'elle ne voit pas entier."""
    gestionnaire = UtilisateurFactory(role=Role.GESTIONNAIRE, societe=societe)
    (mien,) = a_poster(societe, 1, client=ClientFactory(societe=societe, gestionnaire=gestionnaire))
    (autre,) = a_poster(societe, 1)
    (tiers,) = a_poster(societe, 1)
    melange, sien = faire(client, [mien, autre]), faire(client, [tiers])
    client.force_login(gestionnaire)
    html = client.get(adresse("lot", melange.pk)).content.decode()
    assert mien.client.raison_sociale in html and "autre portefeuille" in html
    assert autre.client.raison_sociale not in html and autre.reference not in html
    assert "Imprimer le lot" not in html and "Enregistrer le dépôt" not in html
    assert client.get(adresse("lot_pdf", melange.pk)).status_code == 404
    assert client.post(adresse("lot_deposer", melange.pk), {"depose_le": "2026-02-10"}).status_code == 404
    assert client.get(adresse("lot", sien.pk)).status_code == 404
    html = client.get(adresse("lots")).content.decode()
    assert f"Lot n° {melange.numero}" in html and f"Lot n° {sien.numero}" not in html


def test_le_nombre_de_requetes_ne_depend_pas_du_nombre_de_plis(client, responsable, societe):
    def compter(lot):
        with CaptureQueriesContext(connection) as requetes:
            client.get(adresse("lot", lot.pk))
        return len(requetes)

    petit, grand = a_poster(societe, 1, par=responsable), a_poster(societe, 5, par=responsable)
    un, cinq = faire(client, petit), faire(client, grand)
    assert compter(un) == compter(cinq)


@pytest.mark.parametrize("nom", ["lots", "retours_chaine"])
def test_un_ecran_vide_le_dit(client, responsable, nom):
    assert "vide" in client.get(adresse(nom)).content.decode()


def test_les_jours_de_retard_sont_ouvres(settings):
    settings.RETOUR_AVIS_JOURS = 20
    assert depots_en_retard(MARDI) == MARDI - timedelta(days=28)
