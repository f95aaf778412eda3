"""Le bordereau : joindre, se dispenser, ajouter, numéroter sans trou ; le fichier est ce qu'il prétend."""

from io import BytesIO

import pytest
from django.core.exceptions import ValidationError

from contentieux import services
from contentieux.models import DossierContentieux, Piece
from recouvrement.commun import depot
from recouvrement.journal.models import Maillon
from relances.models import Courrier
from tests.contentieux.factories import AU, CourrierEnvoyeFactory, CreanceFactory, DossierFactory, pdf

pytestmark = pytest.mark.django_db
P = Piece.Genre


@pytest.fixture
def dossier():
    return DossierFactory(factures=1)


def contrat(dossier) -> Piece:
    return dossier.pieces.get(genre=P.CONTRAT)


def numeros(dossier) -> list[tuple[int, str]]:
    return [(p.numero, p.genre) for p in dossier.pieces.all()]


def test_une_piece_jointe_est_rangee_par_empreinte_et_comptee(dossier):
    octets = pdf(3)
    piece = services.joindre_piece(contrat(dossier), octets, "../../CGV signées.pdf", par=dossier.ouvert_par)

    assert depot.lire(piece.chemin, piece.empreinte) == octets
    assert (piece.type_mime, piece.pages, piece.nom_fichier) == ("application/pdf", 3, "CGV signées.pdf")
    maillon = Maillon.objects.get(action="contentieux.piece_jointe")
    assert maillon.detail.donnees["empreinte"] == piece.empreinte


def test_une_piece_jointe_par_erreur_se_remplace_et_le_journal_garde_l_ancienne(dossier):
    premiere = services.joindre_piece(contrat(dossier), pdf(), "a.pdf", par=dossier.ouvert_par)
    services.joindre_piece(premiere, pdf(), "b.pdf", par=dossier.ouvert_par)
    dernier = Maillon.objects.filter(action="contentieux.piece_jointe").order_by("-rang").first()
    assert dernier.detail.donnees["remplace"] == premiere.empreinte


def test_le_courrier_parti_ne_se_remplace_pas(dossier):
    demeure = dossier.pieces.get(genre=P.MISE_EN_DEMEURE)
    with pytest.raises(ValidationError, match="tel qu'il est parti"):
        services.joindre_piece(demeure, pdf(), "x.pdf", par=dossier.ouvert_par)


def test_le_decompte_se_calcule_et_ne_se_joint_pas(dossier):
    with pytest.raises(ValidationError, match="se calcule"):
        services.joindre_piece(dossier.pieces.get(genre=P.DECOMPTE), pdf(), "x.pdf", par=dossier.ouvert_par)


def test_se_passer_d_une_piece_demande_un_motif_et_la_renvoie_en_fin_de_bordereau(dossier):
    livraison = dossier.pieces.get(genre=P.LIVRAISON)
    with pytest.raises(ValidationError, match="pourquoi"):
        services.dispenser(livraison, motif=" ", par=dossier.ouvert_par)
    services.dispenser(livraison, motif="Prestation intellectuelle", par=dossier.ouvert_par)

    assert numeros(dossier) == [
        (1, P.CONTRAT), (2, P.FACTURE), (3, P.RELANCE), (4, P.MISE_EN_DEMEURE), (5, P.AVIS_RECEPTION),
        (6, P.DECOMPTE), (7, P.LIVRAISON),
    ]  # fmt: skip


@pytest.mark.parametrize("genre", [P.FACTURE, P.MISE_EN_DEMEURE, P.DECOMPTE])
def test_nul_motif_ne_dispense_de_l_indispensable(dossier, genre):
    with pytest.raises(ValidationError, match="ne se soutient pas"):
        services.dispenser(dossier.pieces.get(genre=genre), motif="perdue", par=dossier.ouvert_par)


def test_joindre_une_piece_dispensee_leve_la_dispense(dossier):
    livraison = dossier.pieces.get(genre=P.LIVRAISON)
    services.dispenser(livraison, motif="perdu", par=dossier.ouvert_par)
    assert services.joindre_piece(livraison, pdf(), "bl.pdf", par=dossier.ouvert_par).dispense == ""


def test_une_piece_ajoutee_prend_place_avant_le_decompte(dossier):
    services.ajouter_piece(
        dossier, pdf(2), "mail.pdf", designation="Courriel du débiteur", genre=P.AUTRE, par=dossier.ouvert_par
    )
    assert numeros(dossier)[-2:] == [(7, P.AUTRE), (8, P.DECOMPTE)]
    with pytest.raises(ValidationError, match="Nommez"):
        services.ajouter_piece(dossier, pdf(), "x.pdf", designation=" ", genre=P.AUTRE, par=dossier.ouvert_par)


def test_renumeroter_suit_l_ordre_donne_de_un_a_n(dossier):
    ordre = list(dossier.pieces.values_list("pk", flat=True))[::-1]
    services.renumeroter(dossier, ordre, par=dossier.ouvert_par)
    assert list(dossier.pieces.values_list("pk", "numero")) == [(pk, n) for n, pk in enumerate(ordre, 1)]


def test_renumeroter_un_bordereau_change_entre_temps_est_refuse(dossier):
    ordre = list(dossier.pieces.values_list("pk", flat=True))
    with pytest.raises(ValidationError, match="entre-temps"):
        services.renumeroter(dossier, ordre[1:], par=dossier.ouvert_par)
    with pytest.raises(ValidationError, match="entre-temps"):
        services.renumeroter(dossier, [*ordre, ordre[0]], par=dossier.ouvert_par)


@pytest.mark.parametrize(("vers", "attendu"), [(1, 1), (3, 3), (99, 7), (-4, 1)])
def test_deplacer_une_piece_fait_glisser_les_autres(dossier, vers, attendu):
    piece = dossier.pieces.get(genre=P.FACTURE)
    services.deplacer(piece, vers=vers, par=dossier.ouvert_par)
    piece.refresh_from_db()
    assert piece.numero == attendu
    assert [n for n, _genre in numeros(dossier)] == list(range(1, 8))


def test_l_avis_arrive_apres_l_ouverture_rejoint_le_bordereau():
    echeances = CreanceFactory(demeure=False)
    courrier = CourrierEnvoyeFactory(echeances, avis=False, retour="")
    from tests.comptes.factories import UtilisateurFactory

    par = UtilisateurFactory(societe=courrier.societe)
    dossier = services.ouvrir_dossier(courrier.client, [e.pk for e in echeances], par=par, au=AU, motif="x")
    assert dossier.pieces.get(genre=P.AVIS_RECEPTION).manque
    chemin, empreinte = depot.ranger(pdf(), ".pdf")
    Courrier.objects.filter(pk=courrier.pk).update(avis_chemin=chemin, avis_empreinte=empreinte, retour="distribue")

    assert services.actualiser_pieces(dossier, par=par) == 1
    assert "distribué" in dossier.pieces.get(genre=P.AVIS_RECEPTION).designation
    assert services.actualiser_pieces(dossier, par=par) == 0, "rejouable"


@pytest.mark.parametrize("geste", ["dispenser", "renumeroter", "actualiser", "remplacer"])
def test_apres_le_depot_le_bordereau_ne_change_plus(dossier, geste):
    piece = services.joindre_piece(contrat(dossier), pdf(), "c.pdf", par=dossier.ouvert_par)
    DossierContentieux.objects.filter(pk=dossier.pk).update(depose_le=AU)
    par = dossier.ouvert_par
    with pytest.raises(ValidationError, match="déposée"):
        match geste:
            case "dispenser":
                services.dispenser(dossier.pieces.get(genre=P.LIVRAISON), motif="x", par=par)
            case "renumeroter":
                services.renumeroter(dossier, list(dossier.pieces.values_list("pk", flat=True)), par=par)
            case "actualiser":
                services.actualiser_pieces(dossier, par=par)
            case "remplacer":
                services.joindre_piece(piece, pdf(), "d.pdf", par=par)


def test_apres_le_depot_une_piece_nouvelle_s_ajoute_a_la_fin(dossier):
    DossierContentieux.objects.filter(pk=dossier.pk).update(depose_le=AU)
    piece = services.ajouter_piece(
        dossier, pdf(), "sign.pdf", designation="Acte de signification", genre=P.AUTRE, par=dossier.ouvert_par
    )
    assert piece.numero == 8


def test_un_dossier_clos_ne_recoit_plus_rien(dossier):
    services.clore(dossier, issue="Payé", le=AU, par=dossier.ouvert_par, au=AU)
    with pytest.raises(ValidationError, match="clos"):
        services.joindre_piece(contrat(dossier), pdf(), "c.pdf", par=dossier.ouvert_par)


# --- Le contenu, jamais le nom ------------------------------------------------------------------


def image(format_: str, taille=(10, 10)) -> bytes:
    from PIL import Image

    sortie = BytesIO()
    Image.new("RGB", taille).save(sortie, format_)
    return sortie.getvalue()


@pytest.mark.parametrize(("format_", "mime"), [("PNG", "image/png"), ("JPEG", "image/jpeg")])
def test_une_image_est_reconnue_a_son_contenu(dossier, format_, mime):
    piece = services.joindre_piece(contrat(dossier), image(format_), "scan.pdf", par=dossier.ouvert_par)
    assert (piece.type_mime, piece.pages) == (mime, 1)


def pdf_piege() -> bytes:
    from pypdf import PdfWriter
    from pypdf.generic import DictionaryObject, NameObject, TextStringObject

    redacteur, sortie = PdfWriter(), BytesIO()
    redacteur.add_blank_page(10, 10)
    action = {"/S": NameObject("/JavaScript"), "/JS": TextStringObject("app.alert('x')")}
    redacteur.root_object[NameObject("/OpenAction")] = DictionaryObject(
        {NameObject(cle): valeur for cle, valeur in action.items()}
    )
    redacteur.write(sortie)
    return sortie.getvalue()


def pdf_embarque() -> bytes:
    from pypdf import PdfWriter

    redacteur, sortie = PdfWriter(), BytesIO()
    redacteur.add_blank_page(10, 10)
    redacteur.add_attachment("programme.exe", b"MZ")
    redacteur.write(sortie)
    return sortie.getvalue()


def pdf_chiffre() -> bytes:
    from pypdf import PdfWriter

    redacteur, sortie = PdfWriter(), BytesIO()
    redacteur.add_blank_page(10, 10)
    redacteur.encrypt("secret", algorithm="RC4-128")
    redacteur.write(sortie)
    return sortie.getvalue()


@pytest.mark.parametrize(
    ("octets", "phrase"),
    [
        (b"", "vide"),
        (b"<html>bonjour</html>", "n'en est pas un"),
        (b"PK\x03\x04 zip", "n'en est pas un"),
        (b"%PDF-1.7 tronque", "abîmé"),
        (b"%PDF-1.7\n%%EOF", "abîmé"),
        (b"\x89PNG\r\n\x1a\n tronque", "abîmée"),
        (b"\xff\xd8\xff tronque", "abîmée"),
        (image("PNG")[:40], "abîmée"),
        (b"%PDF-" + b"0" * (15 * 1024 * 1024), "dépasse 15 Mo"),
        (pdf_piege(), "fichier caché"),
        (pdf_embarque(), "fichier caché"),
        (pdf_chiffre(), "mot de passe"),
    ],
    ids=["vide", "html", "zip", "pdf-tronque", "pdf-creux", "png-tronque", "jpeg-tronque", "png-coupe", "trop-gros",
         "javascript", "embarque", "chiffre"],
)  # fmt: skip
def test_un_fichier_faux_abime_ou_piege_est_refuse_et_rien_n_est_range(dossier, octets, phrase, settings):
    avant = sorted(settings.DEPOT.rglob("*"))
    with pytest.raises(ValidationError, match=phrase):
        services.joindre_piece(contrat(dossier), octets, "contrat.pdf", par=dossier.ouvert_par)
    assert contrat(dossier).chemin == ""
    assert sorted(settings.DEPOT.rglob("*")) == avant
