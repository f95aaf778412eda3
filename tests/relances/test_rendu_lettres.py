"""Lettres, requête, décompte et bordereau : ce qui est écrit, où, et combien de pages."""

import re
from dataclasses import replace
from datetime import date
from decimal import Decimal
from io import BytesIO

import pypdfium2
import pytest
import segno
from pypdf import PdfReader

from recouvrement.commun import pdf
from relances.domaine.natures import Canal, Nature
from relances.rendu import controles, controles_actes, lettres, qr
from relances.rendu.contexte import Contestation, Paiement, Piece, Taux
from relances.rendu.gabarits import ModeleAbsent

from . import exemples_rendu as ex

MM = 25.4 / 72
RELANCES = (Nature.RAPPEL_COURTOIS, Nature.FORMALISATION, Nature.MISE_EN_DEMEURE)
TOUTES = [
    *((nature, client) for nature in RELANCES for client in (ex.HOTELIERE, ex.HALLAM, ex.KERDRAON)),
    (Nature.RAPPEL_COURTOIS, ex.COMMUNE),
    (Nature.FORMALISATION, ex.COMMUNE),
]


def nom(cas):
    return f"{cas.name.lower()}" if isinstance(cas, Nature) else cas.code


toutes = pytest.mark.parametrize(("nature", "client"), TOUTES, ids=nom)


def texte(html: str) -> str:
    """Le texte d'une lettre, espaces insécables comprises."""
    return re.sub(r"\s*\n\s*", " ", re.sub(r"<[^>]+>", " ", html[html.index("<body>") :]))


def pages(octets: bytes) -> list[str]:
    return [page.extract_text() for page in PdfReader(BytesIO(octets)).pages]


def mots_places(octets: bytes) -> list[tuple[float, float, float, float, str]]:
    """(gauche, haut, droite, bas, caractère) de la première page, en millimètres depuis le coin haut gauche."""
    document = pypdfium2.PdfDocument(octets)
    page = document[0]
    hauteur, zone = page.get_height(), page.get_textpage()
    places = []
    for rang in range(zone.count_chars()):
        caractere = zone.get_text_range(rang, 1)
        if caractere.strip():
            g, b, d, h = zone.get_charbox(rang)
            places.append((g * MM, (hauteur - h) * MM, d * MM, (hauteur - b) * MM, caractere))
    zone.close()
    page.close()
    document.close()
    return places


# --- Toutes les lettres ----------------------------------------------------------------------------


@toutes
def test_chaque_lettre_a_les_sept_parties_et_aucun_mot_interdit(nature, client):
    """Exigences 23 et 28 ; un consommateur n'entend parler ni de 40 € ni de pénalités."""
    integral = lettres.texte_integral(ex.lettre(nature, nombre=2, destinataire=client))
    assert controles.elements_manquants(integral) == []
    assert controles.mots_interdits(integral, client.type) == []
    assert "{{" not in integral and "{%" not in integral


@toutes
def test_la_fenetre_de_l_enveloppe_ne_montre_que_l_adresse(nature, client):
    """NF Z10-011 : adresse de x 105 à 190 et y 55 à 79 mm ; rien d'autre entre y 44 et 90, x 100 et 200."""
    places = mots_places(lettres.rendre_pdf(ex.lettre(nature, nombre=2, destinataire=client)))
    visibles = [m for m in places if m[2] > 95 and 44 < (m[1] + m[3]) / 2 < 90]
    assert min(m[0] for m in visibles) >= 104.5 and max(m[2] for m in visibles) <= 190
    assert min(m[1] for m in visibles) >= 55 and max(m[3] for m in visibles) <= 80
    assert "".join(m[4] for m in visibles).startswith(client.raison_sociale[:4].upper().replace("Ô", "O")) or (
        client is ex.KERDRAON and "".join(m[4] for m in visibles).startswith("MADAMESOLENE")
    )
    assert max(m[2] for m in places) <= 190.5  # rien dans la marge droite


@toutes
def test_le_nom_du_logiciel_n_apparait_nulle_part(nature, client):
    """Le créancier seul parle et signe."""
    octets = lettres.rendre_pdf(ex.lettre(nature, nombre=2, destinataire=client))
    entetes = PdfReader(BytesIO(octets)).metadata
    tout = " ".join([*pages(octets), entetes.title or "", entetes.author or "", entetes.creator or ""])
    assert not re.search(r"\bRecouvrement\b", tout)
    assert entetes.author == "Ateliers Verdance"


@pytest.mark.parametrize("client", [ex.HOTELIERE, ex.HALLAM], ids=nom)
@pytest.mark.parametrize(
    ("nature", "nombre", "attendues"),
    [
        (Nature.RAPPEL_COURTOIS, 1, 1),
        (Nature.RAPPEL_COURTOIS, 6, 1),
        (Nature.RAPPEL_COURTOIS, 60, 3),
        (Nature.FORMALISATION, 1, 1),
        (Nature.FORMALISATION, 60, 3),
        (Nature.MISE_EN_DEMEURE, 1, 2),
        (Nature.MISE_EN_DEMEURE, 6, 2),
        (Nature.MISE_EN_DEMEURE, 60, 5),
    ],
)
def test_une_lettre_tient_sur_le_moins_de_pages(client, nature, nombre, attendues):
    octets = lettres.rendre_pdf(ex.lettre(nature, nombre=nombre, destinataire=client))
    assert pdf.compter_pages(octets) == attendues
    for rang, page in enumerate(pages(octets), 1):
        assert f"page {rang}/{attendues}" in page
        assert "SIREN" in page  # pied : mentions légales sur chaque page


def test_six_factures_en_francais_tiennent_sur_une_page_avec_leur_tableau():
    octets = lettres.rendre_pdf(ex.lettre(Nature.FORMALISATION, nombre=6))
    assert pdf.compter_pages(octets) == 1
    assert "FA-2026-0447" in pages(octets)[0]


def test_le_report_d_une_page_est_la_somme_de_ce_qui_precede():
    lettre = ex.lettre(Nature.FORMALISATION, nombre=60, destinataire=ex.RIVOIRE)
    _, deuxieme, troisieme = (p.replace("\u00a0", " ") for p in pages(lettres.rendre_pdf(lettre)))
    a_reporter = re.search(r"À reporter : (.+ €) – pénalités (.+ €)", deuxieme).groups()
    assert re.search(r"Report : (.+ €) – pénalités (.+ €)", troisieme).groups() == a_reporter
    presentes = [due for due in lettre.lignes if due.numero in deuxieme]
    somme = sum(due.principal for due in presentes)
    assert a_reporter[0] == f"{somme:,.2f} €".replace(",", " ").replace(".", ",")
    assert "À reporter" not in troisieme and 0 < len(presentes) < 60


def test_la_signature_n_est_jamais_seule_sur_une_page():
    for nombre in range(1, 13):
        derniere = pages(lettres.rendre_pdf(ex.lettre(Nature.FORMALISATION, nombre=nombre)))
        avec = next(page for page in derniere if "Hélène Marchand" in page)
        assert "salutations distinguées" in avec


@toutes
def test_le_rendu_est_le_meme_octet_pour_octet(nature, client):
    """Exigence 27 : l'empreinte d'une lettre refaite est celle de la lettre conservée."""
    lettre = ex.lettre(nature, nombre=3, destinataire=client)
    assert lettres.rendre_pdf(lettre) == lettres.rendre_pdf(lettre)


def test_la_langue_et_le_titre_du_pdf_sont_ceux_de_la_lettre():
    for client, langue, titre in ((ex.HOTELIERE, "fr", "Mise en demeure"), (ex.HALLAM, "en", "Formal notice")):
        lecteur = PdfReader(BytesIO(lettres.rendre_pdf(ex.lettre(Nature.MISE_EN_DEMEURE, destinataire=client))))
        assert lecteur.trailer["/Root"]["/Lang"] == langue
        assert lecteur.metadata.title.startswith(titre)


# --- Sommes et droit ---------------------------------------------------------------------------------


def test_la_formalisation_chiffre_penalites_taux_jours_et_40_euros_par_facture():
    """Exigence 24."""
    lettre = ex.lettre(Nature.FORMALISATION, nombre=6)
    lu = texte(lettres.rendre_html(lettre)).replace("\u00a0", " ")
    assert re.search(r"40,00 € × 6\s+240,00 €", lu)
    assert "Pénalités du 1er semestre 2026 à 12,15 % l’an (taux BCE au 01/01/2026 : 2,15 %, + 10 points)" in lu
    assert "Pénalités du 2e semestre 2026 à 12,40 % l’an (taux BCE au 01/07/2026 : 2,40 %, + 10 points)" in lu
    t = lettre.totaux
    assert t.a_payer == t.reste_du + t.penalites + Decimal("240.00")
    assert "L. 441-10, II et D. 441-5" in lu and "hors du champ de la TVA" in lu


def test_le_rappel_ne_reclame_ni_penalite_ni_indemnite():
    lettre = ex.lettre(Nature.RAPPEL_COURTOIS, lignes=ex.lignes(2))  # des pénalités courent pourtant
    assert lettre.totaux.penalites > 0 and lettre.totaux.a_payer == lettre.totaux.reste_du
    assert "ne les décompte pas" in texte(lettres.rendre_html(lettre))


def test_les_40_euros_d_une_facture_a_plusieurs_echeances_ne_se_comptent_qu_une_fois():
    emission = date(2026, 5, 1)
    dues = (
        ex.ligne("FA-1", emission, Decimal("900.00"), rang="1/2"),
        ex.ligne("FA-1", emission, Decimal("900.00"), rang="2/2", delai=60, indemnite=Decimal("0.00")),
    )
    lettre = ex.lettre(lignes=dues)
    assert (lettre.totaux.nombre_factures, lettre.totaux.nombre_indemnites) == (1, 1)
    html = lettres.rendre_html(lettre)
    assert "FA-1 (1/2)" in html and "FA-1 (2/2)" in html
    assert controles.manques(lettre) == []


def test_un_avoir_non_affecte_figure_en_negatif_et_reduit_le_total():
    """Exigence 4."""
    for nature in (Nature.RAPPEL_COURTOIS, Nature.FORMALISATION, Nature.MISE_EN_DEMEURE):
        for client in (ex.HOTELIERE, ex.HALLAM, ex.KERDRAON):
            sans = ex.lettre(nature, nombre=2, destinataire=client)
            avec = replace(sans, credits=(ex.avoir("240.00"),))
            assert avec.totaux.a_payer == sans.totaux.a_payer - Decimal("240.00")
            lu = texte(lettres.rendre_html(avec)).replace("\u00a0", " ")
            assert ("−€240.00" if client is ex.HALLAM else "− 240,00") in lu
            assert "AV-2026-0031" in lu


def test_trop_de_credits_se_resument_en_une_ligne_dont_la_somme_est_juste():
    avoirs = tuple(ex.avoir("10.00", reference=f"AV-{n}") for n in range(6))
    lu = texte(lettres.rendre_html(ex.lettre(credits=avoirs))).replace("\u00a0", " ")
    assert re.search(r"6 avoirs et règlements reçus, non encore affectés\s+− 60,00 €", lu)


def test_un_paiement_partiel_s_impute_d_abord_sur_les_interets_et_le_total_reste_le_meme():
    """C. civ., art. 1343-1 : deux comptes, un seul total, et l'écart est expliqué."""
    paye = ((date(2026, 6, 15), Decimal("1000.00")),)
    due = ex.ligne("FA-1", date(2026, 3, 1), Decimal("5000.00"), paiements=paye)
    lettre = ex.lettre(Nature.MISE_EN_DEMEURE, lignes=(due,))
    t = lettre.totaux
    assert t.reste_du == Decimal("4000.00") and t.principal > t.reste_du and t.penalites < t.interets_courus
    assert t.principal + t.penalites == t.reste_du + t.interets_courus
    lu = texte(lettres.rendre_html(lettre)).replace("\u00a0", " ")
    for phrase in (
        "encaissements imputés d’abord sur les intérêts (article 1343-1 du code civil)",
        "qui y figure pour 4 000,00 €",
        "Règlements reçus après l’échéance",
        "Déjà réglé par les encaissements ci-dessous",
    ):
        assert phrase in lu


def test_un_taux_stipule_s_imprime_avec_sa_clause_et_sans_la_banque_centrale():
    dues = tuple(ex.ligne(f"FA-{n}", date(2026, 3, 1), Decimal("900"), taux_stipule=Decimal("15.00")) for n in (1, 2))
    taux = Taux(stipule=Decimal("15.00"), mention="Article 8 de nos conditions de vente.")
    lu = texte(lettres.rendre_html(ex.lettre(Nature.MISE_EN_DEMEURE, lignes=dues, taux=taux))).replace("\u00a0", " ")
    assert "au taux stipulé de 15,00 % l’an" in lu and "Article 8 de nos conditions de vente." in lu
    assert "Banque centrale" not in lu and "BCE" not in lu


def test_une_lettre_en_dollars_n_additionne_pas_les_40_euros():
    """Exigence 6 : deux devises, deux totaux."""
    dues = (ex.ligne("FA-1", date(2026, 3, 1), Decimal("900.00"), devise="USD"),)
    lettre = ex.lettre(lignes=dues, devise="USD")
    assert lettre.totaux.a_payer == lettre.totaux.reste_du + lettre.totaux.penalites
    lu = texte(lettres.rendre_html(lettre)).replace("\u00a0", " ")
    assert f"{lettre.totaux.a_payer:.2f} USD".replace(".", ",") in lu
    assert re.search(r"En sus, payable en euros : .*40,00 € × 1\s+40,00 €", lu)
    assert "Indemnité forfaitaire" not in lu  # aucune ligne en euros au-dessus du total
    assert "data:image/png" not in lettres.rendre_html(lettre)  # le code SEPA ne sait que l'euro


def test_l_administration_paie_a_bce_plus_8_fige_et_sans_code_de_virement():
    """Exigence 28 : un autre droit, une autre lettre."""
    lettre = ex.lettre(Nature.FORMALISATION, nombre=3, destinataire=ex.COMMUNE)
    html = lettres.rendre_html(lettre)
    lu = texte(html).replace("\u00a0", " ")
    assert {s.taux for due in lettre.lignes for s in due.segments} == {Decimal("10.40")}
    assert "majoré de 8 points, fixe pour toute la durée" in lu and "L. 2192-13" in lu
    assert "441-10" not in lu and "mise en demeure" not in lu.lower() and "data:image" not in html
    assert "Engagement : EJ-2026-00317" in lu and "déposées sur Chorus Pro" in lu


def test_sans_date_de_reception_la_lettre_ne_dit_pas_la_facture_deposee():
    dues = ex.lignes(2, debiteur="administration")
    html = lettres.rendre_html(ex.lettre(destinataire=ex.COMMUNE, lignes=dues))
    assert "Chorus" not in html and "Émise le" in html


def test_la_mise_en_demeure_d_un_particulier_annonce_le_taux_legal_et_le_mediateur():
    lettre = ex.lettre(Nature.MISE_EN_DEMEURE, destinataire=ex.KERDRAON)
    lu = texte(lettres.rendre_html(lettre)).replace("\u00a0", " ")
    assert lettre.totaux.a_payer == Decimal("1086.10")
    assert "2,75 % l’an au 2e semestre 2026" in lu and "2,49 € environ par mois" in lu
    assert "Médiation Consommation Exemple" in lu and "L. 111-8" in lu


def test_l_absence_de_contestation_ne_s_ecrit_que_si_elle_est_connue():
    lettre = ex.lettre(Nature.MISE_EN_DEMEURE)
    phrase = "Nous n’avons reçu aucune contestation"
    contestee = Contestation(
        facture="FA-2026-0601", numero="FA-2026-0601", recue_le=date(2026, 11, 18), montant=Decimal("317.30")
    )
    assert phrase in lettres.rendre_html(lettre)
    assert phrase not in lettres.rendre_html(replace(lettre, contestations=None))
    autre = lettres.rendre_html(replace(lettre, contestations=(contestee,))).replace("\u00a0", " ")
    assert phrase not in autre and "Vous avez contesté la facture FA-2026-0601 le 18 novembre 2026" in autre


@pytest.mark.parametrize(
    ("rappels", "phrase"),
    [
        ((), "La facture suivante demeure impayée"),
        ((date(2026, 10, 22),), "Malgré notre rappel du 22 octobre 2026,"),
        ((date(2026, 10, 5), date(2026, 10, 22)), "Malgré nos rappels des 5 et 22 octobre 2026,"),
        ((date(2026, 9, 28), date(2026, 10, 1)), "Malgré nos rappels des 28 septembre et 1er octobre 2026,"),
        ((date(2025, 12, 30), date(2026, 1, 5)), "Malgré nos rappels des 30 décembre 2025 et 5 janvier 2026,"),
    ],
)
def test_les_rappels_cites_sont_ceux_qui_sont_partis(rappels, phrase):
    lu = texte(lettres.rendre_html(ex.lettre(Nature.MISE_EN_DEMEURE, nombre=1, rappels=rappels)))
    assert phrase in lu.replace("\u00a0", " ")


def test_une_administration_n_a_pas_de_mise_en_demeure_ni_un_client_a_qualifier_de_formalisation():
    with pytest.raises(ModeleAbsent):
        lettres.rendre_html(ex.lettre(Nature.MISE_EN_DEMEURE, destinataire=ex.COMMUNE))
    a_qualifier = replace(ex.HOTELIERE, type="a_qualifier")
    with pytest.raises(ModeleAbsent, match="formalisation"):
        lettres.rendre_html(ex.lettre(destinataire=a_qualifier))
    rappel = texte(lettres.rendre_html(ex.lettre(Nature.RAPPEL_COURTOIS, destinataire=a_qualifier)))
    assert "pénalités" not in rappel and "441-10" not in rappel


# --- Mise en page --------------------------------------------------------------------------------------


def test_un_numero_de_facture_long_se_replie_sans_toucher_la_colonne_voisine():
    long = "FACT/2026/NANTES-OUEST/000123456789"  # 35 caractères, le maximum d'une facture électronique
    dues = (ex.ligne(long, date(2026, 3, 1), Decimal("900.00")), *ex.lignes(1))
    octets = lettres.rendre_pdf(ex.lettre(lignes=dues))
    places = mots_places(octets)
    y = next(m[1] for m in places if m[4] == "F" and m[1] > 95 and m[0] < 21)
    ligne = [m for m in places if abs(m[1] - y) < 1.6]
    assert max(m[2] for m in ligne if m[0] < 56) < 56
    assert "NANTES-" in pages(octets)[0] and "OUEST/000123456789" in pages(octets)[0]


def test_ce_que_saisit_un_client_ne_devient_ni_balise_ni_variable():
    piege = "<script>alert(1)</script> {{ societe.iban }} & Fils"
    client = replace(ex.HOTELIERE, raison_sociale=piege, civilite=piege)
    html = lettres.rendre_html(ex.lettre(Nature.MISE_EN_DEMEURE, destinataire=client))
    assert "<script>" not in html and "&lt;script&gt;" in html and "{{ societe.iban }}" in html


def test_le_code_de_virement_porte_le_montant_exact_et_la_reference():
    lettre = ex.lettre(Nature.FORMALISATION, nombre=1)
    attendu = "\n".join(
        ["BCD", "002", "1", "SCT", "VERDFRPPXXX", "Ateliers Verdance", ex.EMETTEUR.iban]
        + [f"EUR{lettre.totaux.a_payer.normalize():f}", "", "", lettre.paiement.reference]
    )
    image = segno.make_qr(attendu.encode(), error="m", boost_error=False).png_data_uri(scale=1, border=0)
    assert image in lettres.rendre_html(lettre)


@pytest.mark.parametrize("iban", ["", "FR76"])
def test_sans_iban_pas_de_code_de_virement_mais_la_lettre_se_montre(iban):
    html = lettres.rendre_html(ex.lettre(emetteur=replace(ex.EMETTEUR, iban=iban)))
    assert "Code de virement" not in html


def test_une_reference_de_virement_reste_dans_le_jeu_sepa_et_garde_sa_fin():
    assert qr.reference_sepa("C00412", "REL-2026-000001") == "C00412 REL-2026-000001"
    longue = qr.reference_sepa("CLIÉNT_À_RALLONGE_№_0123456789", "REL-2026-000001")
    assert longue.endswith("REL-2026-000001") and len(longue) <= 35
    assert re.fullmatch(r"[A-Za-z0-9/\-?:().,'+ ]+", longue)


# --- Paragraphes réécrits (exigence 29) ------------------------------------------------------------------


@toutes
def test_les_paragraphes_rendus_se_relisent_sans_changer_la_lettre(nature, client):
    """Exigence 29 : ouvrir puis enregistrer sans rien changer ne change rien."""
    lettre = ex.lettre(nature, nombre=2, destinataire=client)
    assert lettres.rendre_html(replace(lettre, textes=lettres.paragraphes(lettre))) == lettres.rendre_html(lettre)


def test_un_paragraphe_reecrit_remplace_le_modele_gras_compris_et_rien_d_autre():
    lettre = ex.lettre(nombre=2, textes={"suites": "Merci de **nous appeler**.\nÀ bientôt <b>."})
    html = lettres.rendre_html(lettre)
    assert "<p>Merci de <b>nous appeler</b>.<br>À bientôt &lt;b&gt;.</p>" in html
    assert "mise en demeure" not in html
    assert lettres.rendre_html(replace(lettre, textes={})).count("40,00\u00a0€") == html.count("40,00\u00a0€") == 1


def test_le_texte_d_une_lettre_retrouve_ses_paragraphes():
    lettre = ex.lettre(Nature.MISE_EN_DEMEURE, nombre=2)
    textes = lettres.paragraphes(lettre)
    corps = "\r\n\r\n".join(valeur for cle, valeur in textes.items() if cle != "objet")
    assert lettres.textes_depuis(lettre, textes["objet"], corps + "\r\n") == textes
    with pytest.raises(ValueError, match="4 paragraphes"):
        lettres.textes_depuis(lettre, "Objet", "un seul")


# --- Requête, décompte, bordereau --------------------------------------------------------------------------


def test_la_requete_dit_le_juge_le_decompte_et_ses_pieces_numerotees():
    requete = ex.requete()
    octets = lettres.rendre_requete_pdf(requete)
    lu = " ".join(pages(octets)).replace("\u00a0", " ")
    for mention in ("président du tribunal de commerce de Bernay", "article 1406", "en deniers ou quittances"):
        assert mention in lu
    for piece in requete.pieces:
        assert piece.designation in lu
    assert "Décompte arrêté au 20 novembre 2026" in lu and "à compléter et à signer" in lu
    assert controles_actes.manques_requete(requete) == []
    assert pdf.compter_pages(octets) == 3


def test_ce_que_la_requete_ignore_devient_un_blanc_et_se_liste():
    incomplet = replace(ex.HOTELIERE, capital="", representant="", rcs_ville="", forme="")
    requete = ex.requete(destinataire=incomplet, expose="", diligences="")
    assert lettres.rendre_requete_html(requete).count('class="v"') == 6  # quatre mentions, les diligences, la date
    codes = {m.code for m in controles_actes.manques_requete(requete)}
    assert codes == {"debiteur_forme", "debiteur_capital", "debiteur_rcs_ville", "debiteur_representant"} | {
        "expose",
        "diligences",
    }


def test_la_requete_refuse_un_debiteur_public_et_deux_pieces_de_meme_numero():
    double = (Piece(numero=1, designation="Commande"), Piece(numero=1, designation="Facture"))
    codes = {m.code for m in controles_actes.manques_requete(ex.requete(destinataire=ex.COMMUNE, pieces=double))}
    assert {"juge", "numerotation"} <= codes


def test_la_requete_contre_un_particulier_ne_demande_que_le_taux_legal():
    """Un consommateur ne doit ni pénalités de professionnel ni 40 €, devant le juge non plus."""
    due = replace(ex.lignes(1)[0], segments=(), indemnite=Decimal("0.00"))
    tribunal = replace(ex.requete().tribunal, competence="Créance civile ; le débiteur demeure dans le ressort.")
    requete = ex.requete(destinataire=ex.KERDRAON, lignes=(due,), tribunal=tribunal)
    lu = texte(lettres.rendre_requete_html(requete)).replace("\u00a0", " ")
    assert "demeurant 5 rue du Pré Botté, 35000 Rennes" in lu and "Créance civile\u202f; le débiteur" in lu
    assert "les intérêts à courir sur le principal restant dû, au taux légal, à compter de la mise en demeure" in lu
    for interdit in ("441-10", "441-5", "forfaitaire", "pénalité", "RCS Bernay", "BCE"):
        assert interdit not in lu
    assert controles_actes.manques_requete(requete) == []
    sans_juge = ex.requete(destinataire=ex.KERDRAON, lignes=(due,))
    assert [m.code for m in controles_actes.manques_requete(sans_juge)] == ["competence"]


@pytest.mark.parametrize("nombre", [1, 6, 60])
def test_le_decompte_se_recoupe_au_centime(nombre):
    decompte = ex.decompte(nombre=nombre)
    lu = " ".join(pages(lettres.rendre_decompte_pdf(decompte))).replace("\u00a0", " ")
    t = decompte.totaux
    assert t.a_payer == t.principal + t.penalites + t.indemnites
    for somme in (t.principal, t.penalites, t.indemnites, t.a_payer):
        assert f"{somme:,.2f} €".replace(",", " ").replace(".", ",") in lu


def test_le_decompte_d_un_particulier_cite_le_taux_legal_et_jamais_les_40_euros():
    due = replace(ex.lignes(1)[0], segments=(), indemnite=Decimal("0.00"))
    lu = texte(lettres.rendre_decompte_html(ex.decompte(destinataire=ex.KERDRAON, lignes=(due,))))
    assert "1231-6" in lu and "441-10" not in lu and "forfaitaire" not in lu


def test_le_bordereau_numerote_les_plis_et_signale_les_doublons():
    """Exigence 26."""
    bordereau = ex.bordereau(nombre=5)
    lu = " ".join(pages(lettres.rendre_bordereau_pdf(bordereau))).replace("\u00a0", " ")
    assert "Arrêté à 5 plis." in lu and "RC 00 000 0012 349" in lu
    assert controles_actes.manques_bordereau(bordereau, lettres_du=frozenset({ex.ARRETE})) == []
    double = replace(bordereau, plis=(bordereau.plis[0], bordereau.plis[0]))
    codes = [m.code for m in controles_actes.manques_bordereau(double, lettres_du=frozenset({date(2026, 11, 19)}))]
    assert codes == ["recommande_double", "date_lettre"]


@toutes
def test_une_societe_a_peine_saisie_se_montre_sans_faute_de_phrase(nature, client):
    """L'aperçu d'une lettre bloquée se lit quand même ; ce qui manque se dit à côté."""
    lettre = ex.lettre(nature, nombre=1, destinataire=client)
    nu = replace(
        lettre,
        emetteur=type(lettre.emetteur)(raison_sociale="Ateliers Verdance"),
        gestionnaire=replace(ex.GESTIONNAIRE, telephone="", courriel=""),
        signataire=type(lettre.signataire)(),
        contrat=type(lettre.contrat)(),
        marche=type(lettre.marche)(),
        taux=Taux(),
    )
    lu = texte(lettres.rendre_html(nu)).replace("\u00a0", " ")
    assert not re.search(r"\bau (?:au|:)|appelez(?:-nous)? au :|BIC(?! [A-Z])|None", lu)
    assert controles.manques(nu) != []


def test_une_reference_de_paiement_absente_ne_fait_pas_tomber_le_rendu():
    lettre = ex.lettre(paiement=Paiement(reference=""), canal=Canal.LETTRE)
    assert "Code de virement" not in lettres.rendre_html(lettre)


BRIGHT = replace(ex.HOTELIERE, langue="en")
PENALITES_A_VENIR = {
    (Nature.MISE_EN_DEMEURE, ex.HOTELIERE): "s’y ajoutent jusqu’au paiement, soit",
    (Nature.FORMALISATION, ex.HOTELIERE): "continuent de courir jusqu’au règlement, à raison de",
    (Nature.MISE_EN_DEMEURE, BRIGHT): "continues to accrue until payment, currently at",
    (Nature.FORMALISATION, BRIGHT): "Interest continues to run until payment, currently at",
    (Nature.MISE_EN_DEMEURE, ex.KERDRAON): "fait courir les intérêts au taux légal",
}


@pytest.mark.parametrize(
    ("renonciations", "annonce"),
    [(("", ""), True), (("tout", ""), True), (("indemnite", "tout"), True), (("tout", "penalites"), False)],
)
@pytest.mark.parametrize(("nature", "client"), PENALITES_A_VENIR, ids=str)
def test_la_lettre_n_annonce_plus_les_penalites_auxquelles_on_a_renonce(nature, client, renonciations, annonce):
    """Droit.md § 9 : la renonciation vaut pour l'avenir ; la phrase tombe quand plus aucune facture n'en porte."""
    dues = [
        replace(due, facture=f"{n}", renonciation=renonciation)
        if renonciation not in ("tout", "penalites")
        else replace(due, facture=f"{n}", renonciation=renonciation, segments=(), reglements=())
        for n, (due, renonciation) in enumerate(
            zip(ex.lettre(nature, nombre=2, destinataire=client).lignes * 2, renonciations, strict=False)
        )
    ]
    lu = texte(lettres.rendre_html(ex.lettre(nature, destinataire=client, lignes=tuple(dues))))
    phrase = PENALITES_A_VENIR[nature, client]
    assert (phrase in lu.replace("\u00a0", " ").replace("\u202f", " ")) is annonce
