"""Lots postaux : un PDF, un ordre, un seul lot par pli, des numéros jamais à moitié (exigences 26 et 27)."""

from datetime import timedelta
from io import BytesIO

import pytest
from django.db import IntegrityError
from pypdf import PdfReader

from recouvrement.commun import depot
from recouvrement.comptes.models import Role
from recouvrement.journal.models import Maillon
from relances.models import Courrier, LotPostal, PliDeLot, Tache
from relances.services import gestes, lots, quotidien, suivis
from relances.services.etats import Refus
from tests.clients.factories import ClientFactory
from tests.comptes.factories import SocieteFactory, UtilisateurFactory

from .postaux import MARDI, a_poster, ranges, solder
from .test_concurrence import ensemble

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
def par(societe):
    return UtilisateurFactory(role=Role.RESPONSABLE, societe=societe)


def faire(societe, courriers, par) -> LotPostal:
    lot = lots.creer(societe, [c.pk for c in courriers], par=par)
    lots.composer(lot.pk, au=MARDI)
    lot.refresh_from_db()
    return lot


def textes(lot) -> list[str]:
    octets = depot.lire(lot.pdf_chemin, lot.pdf_empreinte)
    return [" ".join(p.extract_text().split()) for p in PdfReader(BytesIO(octets)).pages]


def test_le_lot_se_relit_garde_separateurs_lettres_puis_bordereau(societe, par):
    """Exigence 26 : chaque pièce commence au recto d'une feuille, dans l'ordre du lot."""
    courriers = a_poster(societe, 3, par=par)
    lot = faire(societe, courriers, par)
    pages = textes(lot)
    assert lot.statut == LotPostal.Statut.PRET and lot.pages == len(pages) and len(pages) % 2 == 0
    assert "Lot postal" in pages[0] and "Nombre de plis : 3" in pages[0]
    curseur = 2
    for rang, c in enumerate(courriers, 1):
        feuilles = (c.pdf_pages + 1) // 2
        assert f"pli {rang}/3, {feuilles} feuille" in pages[curseur]
        assert c.client.raison_sociale in pages[curseur] and c.reference in pages[curseur]
        assert pages[curseur + 1] == ""  # le séparateur a sa feuille
        assert "MISE EN DEMEURE" in pages[curseur + 2].upper() and c.reference in pages[curseur + 2]
        curseur += 2 + 2 * feuilles
    assert "bordereau de dépôt" in pages[curseur]
    assert [pages[curseur].index(c.reference) for c in courriers] == sorted(
        pages[curseur].index(c.reference) for c in courriers
    )


def test_reimprimer_rend_le_meme_fichier_octet_pour_octet(societe, par):
    """Exigence 27."""
    lot = faire(societe, a_poster(societe, 2, par=par), par)
    premier = depot.lire(lot.pdf_chemin, lot.pdf_empreinte)
    assert not lots.composer(lot.pk, au=MARDI + timedelta(days=1))  # une tâche rejouée ne refait rien
    lot.refresh_from_db()
    assert depot.lire(lot.pdf_chemin, lot.pdf_empreinte) == premier


def test_un_pli_n_entre_pas_dans_deux_lots(societe, par):
    """Deux onglets, la même sélection : le second n'a que le reste, ou rien."""
    un, deux, trois = a_poster(societe, 3, par=par)
    lots.creer(societe, [un.pk, deux.pk], par=par)
    second = lots.creer(societe, [deux.pk, trois.pk], par=par)
    assert list(second.courriers.all()) == [trois]
    with pytest.raises(Refus, match="déjà dans un lot"):
        lots.creer(societe, [un.pk, deux.pk], par=par)
    assert LotPostal.objects.count() == 2
    with pytest.raises(IntegrityError):
        PliDeLot.objects.create(lot=second, courrier=un)


def test_une_lettre_payee_entre_temps_sort_du_lot_avant_l_impression_et_se_dit(societe, par):
    """Exigence 19."""
    un, deux = a_poster(societe, 2, par=par)
    lot = lots.creer(societe, [un.pk, deux.pk], par=par)
    solder(un)
    assert lots.composer(lot.pk, au=MARDI)
    lot.refresh_from_db()
    pages = textes(lot)
    assert "Nombre de plis : 1" in pages[0] and "Sorties avant l’impression" in pages[0]
    assert un.client.raison_sociale in pages[0]
    assert not any("MISE EN DEMEURE" in p.upper() and un.reference in p for p in pages)
    assert list(lots.presents(lot).values_list("courrier", "rang")) == [(deux.pk, 1)]
    sorti = lot.plis.get(courrier=un)
    assert sorti.sorti_motif and sorti.rang == 0
    un.refresh_from_db()
    assert (un.statut, un.lot_postal) == (S.ANNULE, None)


def test_un_lot_dont_tout_est_paye_le_dit_et_n_imprime_rien(societe, par):
    (un,) = a_poster(societe, 1, par=par)
    lot = lots.creer(societe, [un.pk], par=par)
    solder(un)
    assert not lots.composer(lot.pk, au=MARDI)
    lot.refresh_from_db()
    assert lot.statut == LotPostal.Statut.EN_ERREUR and "sorties du lot" in lot.erreur and not lot.pdf_chemin


def test_une_lettre_perimee_apres_l_impression_quitte_le_lot_et_peut_en_rejoindre_un_autre(societe, par):
    (un,) = a_poster(societe, 1, par=par)
    lot = faire(societe, [un], par)
    quotidien.rafraichir_lettres(societe, au=MARDI + timedelta(days=6))
    un.refresh_from_db()
    assert (un.statut, un.lot_postal, un.numero_suivi) == (S.A_ENVOYER, None, "")
    assert "à refaire" in lot.plis.get(courrier=un).sorti_motif


@pytest.mark.parametrize("paye", [False, True])
def test_un_pli_numerote_et_imprime_n_est_ni_annule_ni_refait_par_la_nuit(societe, par, paye):
    """Déposé mardi, saisi six jours plus tard : son numéro reste, un second recommandé ne part pas (exigence 26)."""
    (un,) = a_poster(societe, 1, par=par)
    lot = faire(societe, [un], par)
    suivis.scanner(lot, "2C 123 456 7890 1", par=par)
    if paye:
        solder(un)
    for jour in range(1, 7):
        quotidien.rafraichir_lettres(societe, au=MARDI + timedelta(days=jour))
    un.refresh_from_db()
    assert (un.statut, un.lot_postal, un.numero_suivi) == (S.A_POSTER, lot, "2C12345678901")
    tache = Tache.objects.get(client=un.client, faite_le=None, cle=f"depot:{un.pk}")
    assert "Déposé ou non" in tache.titre
    assert lots.deposer(lot, depose_le=MARDI, par=par, au=MARDI + timedelta(days=6)) == 1
    un.refresh_from_db()
    assert (un.statut, un.depose_le) == (S.POSTE, MARDI)


def test_un_pli_numerote_sorti_par_une_personne_se_refait(societe, par):
    (un,) = a_poster(societe, 1, par=par)
    lot = faire(societe, [un], par)
    suivis.scanner(lot, "2C 123 456 7890 1", par=par)
    lots.retirer_pli(lot, un, motif="jamais déposé", par=par)
    quotidien.rafraichir_lettres(societe, au=MARDI + timedelta(days=6))
    un.refresh_from_db()
    assert (un.statut, un.numero_suivi) == (S.A_ENVOYER, "")


def test_retirer_un_pli_demande_un_motif_et_le_libere(societe, par):
    un, deux = a_poster(societe, 2, par=par)
    lot = faire(societe, [un, deux], par)
    with pytest.raises(Refus, match="pourquoi"):
        lots.retirer_pli(lot, un, motif=" ", par=par)
    lots.retirer_pli(lot, un, motif="pièce jointe oubliée", par=par)
    with pytest.raises(Refus):
        lots.retirer_pli(lot, un, motif="double clic", par=par)
    pli = lot.plis.get(courrier=un)
    assert (pli.sorti_motif, pli.sorti_par) == ("pièce jointe oubliée", par)
    assert Maillon.objects.filter(action="lot_postal.pli_retire").count() == 1
    assert list(lots.creer(societe, [un.pk], par=par).courriers.all()) == [un]


def test_retenir_une_lettre_la_sort_de_son_lot(societe, par):
    (un,) = a_poster(societe, 1, par=par)
    lot = faire(societe, [un], par)
    gestes.annuler(un, par=par, motif="accord trouvé", au=MARDI)
    assert lot.plis.get().sorti_motif == "accord trouvé"


def test_un_fichier_altere_met_le_lot_en_erreur_et_se_reprend(societe, par, settings):
    (un,) = a_poster(societe, 1, par=par)
    lot = lots.creer(societe, [un.pk], par=par)
    Courrier.objects.filter(pk=un.pk).update(pdf_empreinte="0" * 64)
    assert not lots.composer(lot.pk, au=MARDI)
    lot.refresh_from_db()
    assert lot.statut == LotPostal.Statut.EN_ERREUR and "empreinte" in lot.erreur
    Courrier.objects.filter(pk=un.pk).update(pdf_empreinte=un.pdf_empreinte)
    assert lots.reprendre(lot) and lots.composer(lot.pk, au=MARDI) and not lots.reprendre(lot)


def test_une_lettre_electronique_ou_d_une_autre_societe_n_entre_pas(societe, par):
    un, deux = a_poster(societe, 2, par=par)
    Courrier.objects.filter(pk=un.pk).update(electronique=True)
    (ailleurs,) = a_poster(SocieteFactory(), 1)
    lot = lots.creer(societe, [un.pk, deux.pk, ailleurs.pk], par=par)
    assert list(lot.courriers.all()) == [deux]
    with pytest.raises(Refus, match="300"):
        lots.creer(societe, range(1, 302), par=par)


# --- Numéros ------------------------------------------------------------------------------------------


def test_la_douchette_affecte_dans_l_ordre_du_lot(societe, par):
    courriers = a_poster(societe, 3, par=par)
    lot = faire(societe, reversed(courriers), par)
    for n in (1, 2, 3):
        suivis.scanner(lot, f"2C 123 456 7890 {n}", par=par)
    numeros = [c.numero_suivi for c in ranges(lot.courriers)]
    assert numeros == ["2C12345678901", "2C12345678902", "2C12345678903"]
    with pytest.raises(Refus, match="tous les plis"):
        suivis.scanner(lot, "2C 123 456 7890 4", par=par)


def test_un_numero_deja_donne_se_refuse_en_nommant_son_pli(societe, par):
    un, deux = a_poster(societe, 2, par=par)
    lot = faire(societe, [un, deux], par)
    suivis.scanner(lot, "2C12345678901", par=par)
    with pytest.raises(Refus, match=un.client.raison_sociale):
        suivis.scanner(lot, "2C12345678901", par=par)


def test_un_numero_donne_hors_du_portefeuille_ne_nomme_personne(societe, par):
    gestionnaire = UtilisateurFactory(role=Role.GESTIONNAIRE, societe=societe)
    (autre,) = a_poster(societe, 1, par=par)
    Courrier.objects.filter(pk=autre.pk).update(numero_suivi="2C12345678901")
    (mien,) = a_poster(societe, 1, par=par, client=ClientFactory(societe=societe, gestionnaire=gestionnaire))
    lot = faire(societe, [mien], par)
    with pytest.raises(Refus) as refus:
        suivis.scanner(lot, "2C12345678901", par=gestionnaire)
    assert autre.client.raison_sociale not in str(refus.value) and "autre recommandé" in str(refus.value)


def test_un_collage_s_apercoit_puis_s_applique_tout_ou_rien(societe, par):
    un, deux, trois = a_poster(societe, 3, par=par)
    lot = faire(societe, [un, deux, trois], par)
    texte = f"{trois.reference.lower()} ; 2C 123 456 7890 3\n2C 123 456 7890 1\nAZERTY12"
    motif = "étiquette d'un porteur"
    lignes = suivis.apercu(lot, texte, par=par, derogation=motif)
    assert [x.pli.courrier for x in lignes] == [trois, un, deux]
    assert [bool(x.faute) for x in lignes] == [False] * 3 and "dérogation" in lignes[2].alerte
    assert not Courrier.objects.exclude(numero_suivi="").exists()  # l'aperçu n'écrit rien
    with pytest.raises(Refus, match="Ligne 4"):
        suivis.appliquer(lot, texte + "\n2C12345678901", par=par, derogation=motif)
    assert not Courrier.objects.exclude(numero_suivi="").exists()  # rien à moitié
    with pytest.raises(Refus, match="S10"):
        suivis.appliquer(lot, texte, par=par)  # sans motif, la forme inconnue arrête tout
    assert suivis.appliquer(lot, texte, par=par, derogation=motif) == 3
    assert [c.numero_suivi for c in ranges(lot.courriers)] == ["2C12345678901", "AZERTY12", "2C12345678903"]


def test_deux_numeros_intervertis_s_echangent_par_un_collage(societe, par):
    un, deux = a_poster(societe, 2, par=par)
    lot = faire(societe, [un, deux], par)
    suivis.appliquer(lot, "2C12345678901\n2C12345678902", par=par)
    echange = f"{un.reference};2C12345678902\n{deux.reference};2C12345678901"
    lignes = suivis.apercu(lot, echange, par=par)
    assert not any(x.faute for x in lignes) and "remplace" in lignes[0].alerte
    suivis.appliquer(lot, echange, par=par)
    assert [c.numero_suivi for c in ranges(lot.courriers)] == ["2C12345678902", "2C12345678901"]


@pytest.mark.parametrize(
    ("texte", "faute"),
    [
        ("9" * 300, "trente caractères"),
        ("RR473124828JP", "clé de contrôle"),
        ("INCONNUE-1 ; 2C12345678901", "recommandé à poster de ce lot"),
        ("2C12345678901\n2C12345678901", "déjà à la ligne 1"),
        ("<script>", "chiffres et des lettres"),
    ],
)
def test_un_collage_hostile_se_refuse_ligne_a_ligne(societe, par, texte, faute):
    lot = faire(societe, a_poster(societe, 2, par=par), par)
    assert faute in " ".join(x.faute for x in suivis.apercu(lot, texte, par=par))
    with pytest.raises(Refus):
        suivis.appliquer(lot, texte, par=par)


@pytest.mark.parametrize("texte", ["", "\n \n", "A1\n" * 501, "9" * 50_000])
def test_un_collage_vide_ou_demesure_se_refuse(societe, par, texte):
    lot = faire(societe, a_poster(societe, 1, par=par), par)
    with pytest.raises(Refus):
        suivis.apercu(lot, texte, par=par)


# --- Dépôt du lot ---------------------------------------------------------------------------------------


def test_le_lot_se_depose_en_entier_avec_sa_preuve(societe, par):
    lot = faire(societe, a_poster(societe, 2, par=par), par)
    suivis.appliquer(lot, "2C12345678901\n2C12345678902", par=par)
    assert lots.deposer(lot, depose_le=MARDI, par=par, au=MARDI, preuve=(b"%PDF-1.4 preuve", ".pdf")) == 2
    for c in lot.courriers.all():
        assert (c.statut, c.depose_le) == (S.POSTE, MARDI)
        assert depot.lire(c.depot_chemin, c.depot_empreinte) == b"%PDF-1.4 preuve"
    with pytest.raises(Refus, match="Aucun pli"):
        lots.deposer(lot, depose_le=MARDI, par=par, au=MARDI)


def test_un_recommande_sans_numero_arrete_le_depot_de_tout_le_lot(societe, par):
    un, deux = a_poster(societe, 2, par=par)
    lot = faire(societe, [un, deux], par)
    suivis.scanner(lot, "2C12345678901", par=par)
    with pytest.raises(Refus, match=deux.client.raison_sociale):
        lots.deposer(lot, depose_le=MARDI, par=par, au=MARDI)
    with pytest.raises(Refus, match="à venir"):
        lots.retirer_pli(lot, deux, motif="sans étiquette", par=par)
        lots.deposer(lot, depose_le=MARDI + timedelta(days=1), par=par, au=MARDI)
    assert not Courrier.objects.filter(statut=S.POSTE).exists()


def test_le_bordereau_du_jour_porte_les_numeros(societe, par):
    lot = faire(societe, a_poster(societe, 1, par=par), par)
    suivis.scanner(lot, "2C12345678901", par=par)
    texte = PdfReader(BytesIO(lots.bordereau_pdf(lot, au=MARDI))).pages[0].extract_text()
    assert "2C12345678901" in "".join(texte.split())


# --- Deux onglets au même instant -------------------------------------------------------------------------


@pytest.mark.django_db(transaction=True)
def test_deux_onglets_au_meme_instant_ne_prennent_pas_deux_fois_le_meme_pli():
    societe = SocieteFactory()
    par = UtilisateurFactory(role=Role.RESPONSABLE, societe=societe)
    courriers = a_poster(societe, 2, par=par)

    def prendre():
        try:
            return lots.creer(societe, [c.pk for c in courriers], par=par)
        except Refus as refus:
            return refus

    resultats = ensemble(prendre, prendre)
    assert sum(isinstance(r, LotPostal) for r in resultats) == 1
    assert PliDeLot.objects.filter(sorti_le=None).count() == 2 and LotPostal.objects.count() == 1


@pytest.mark.django_db(transaction=True)
def test_deux_douchettes_au_meme_instant_donnent_le_numero_a_un_seul_pli():
    societe = SocieteFactory()
    par = UtilisateurFactory(role=Role.RESPONSABLE, societe=societe)
    lot = faire(societe, a_poster(societe, 2, par=par), par)

    def scanner():
        try:
            return suivis.scanner(lot, "2C12345678901", par=par)
        except Refus as refus:
            return refus

    resultats = ensemble(scanner, scanner)
    assert sum(isinstance(r, suivis.Ligne) for r in resultats) == 1
    assert Courrier.objects.filter(numero_suivi="2C12345678901").count() == 1
