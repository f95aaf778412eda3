"""L'accord à signer, rendu : les cinq genres, deux langues, 1 à 24 mensualités, 1 à 400 pièces (exigence 32)."""

import itertools
from dataclasses import replace
from datetime import date, timedelta
from decimal import Decimal

import pytest

from factures.domaine.accords import Genre, repartir
from recouvrement.commun.pdf import compter_pages
from relances.rendu import accords as rendu
from relances.rendu.accords import PieceDue, Protocole
from relances.rendu.contexte import Gestionnaire, Signataire, TypeDebiteur

from . import exemples_rendu as ex

AU = date(2026, 11, 20)
GENRES = [g.value for g in Genre]


def pieces(nombre: int) -> tuple[PieceDue, ...]:
    return tuple(
        PieceDue(
            f"F2026-{n:05d}", AU - timedelta(90 + n), AU - timedelta(60 + n), Decimal("1234.56"), Decimal("1000.10")
        )
        for n in range(nombre)
    )


def protocole(genre="echeancier", *, nombre=3, n=3, destinataire=ex.HOTELIERE, **champs) -> Protocole:
    dues = pieces(nombre)
    total = sum(p.reste for p in dues)
    base = {
        "emetteur": ex.EMETTEUR, "destinataire": destinataire, "langue": destinataire.langue,
        "gestionnaire": Gestionnaire(nom="Claire Nadal", telephone="02 61 91 00 14", courriel="claire@societe.example"),
        "signataire": Signataire(nom="Paul Rey", fonction="directeur financier"), "reference": "ACC-2026-000012",
        "genre": Genre(genre), "date": AU, "expire_le": date(2026, 12, 3), "pieces": dues, "montant": total,
        "courriel": "compta@client.example",
    }  # fmt: skip
    if genre in ("echeancier", "novation"):
        base["mensualites"] = tuple(repartir(total, n, date(2026, 12, 4))) if n > 1 else ()
    if genre in ("remise", "escompte"):
        base |= {"remise": Decimal("150.00"), "payer_avant": date(2026, 12, 4)}
    if genre == "compensation":
        base |= {
            "creance_reference": "votre facture FR-88", "creance_montant": Decimal(400),
            "creance_exigible_le": date(2026, 11, 1), "compense": Decimal(400),
        }  # fmt: skip
    return Protocole(**base | champs)


def texte(p) -> str:
    return rendu.rendre_html(p).replace("\u00a0", " ").replace("’", "'")


@pytest.mark.parametrize("genre", GENRES)
def test_exigence_32_la_dette_se_reconnait_en_lettres_et_en_chiffres_piece_par_piece(genre):
    """Exigence 32 ; C. civ., art. 1376 et 2240."""
    html = texte(protocole(genre, clause=True))
    assert "trois mille euros et trente centimes (3 000,30 €)" in html
    assert "article 2240 du code civil" in html
    assert html.count("F2026-0000") == 3
    assert "3 décembre 2026" in html and "Le débiteur" in html and "Le créancier" in html
    assert "sous signature privée" in html and "ne vaut pas titre exécutoire" in html


@pytest.mark.parametrize(
    ("genre", "attendu"),
    [
        ("echeancier", "Déchéance du terme"),
        ("remise", "article 1350 du code civil"),
        ("escompte", "à titre d'escompte"),
        ("compensation", "articles 1347 et 1347-1"),
        ("novation", "veulent expressément"),
    ],
)
def test_chaque_genre_dit_son_effet_et_son_article(genre, attendu):
    assert attendu in texte(protocole(genre, clause=True))


def test_la_clause_annonce_la_mise_en_demeure_prealable_et_son_absence_se_dit():
    """C. civ., art. 1305-4 ; 1re civ., 22/06/2017."""
    avec, sans = texte(protocole(clause=True)), texte(protocole(clause=False))
    assert "met le débiteur en demeure" in avec and "sous 8 jours" in avec and "compta@client.example" in avec
    assert "Sans clause de déchéance" in sans and "déchu du terme" not in sans


def test_les_mensualites_s_impriment_au_centime():
    html = texte(protocole(nombre=1, n=3))
    assert html.count("333,36 €") == 2 and "333,38 €" in html
    assert "4 décembre 2026" in html and "4 février 2027" in html


@pytest.mark.parametrize(("genre", "langue"), list(itertools.product(GENRES, ["fr", "en"])))
def test_un_particulier_n_y_lit_ni_penalite_ni_quarante_euros(genre, langue):
    client = replace(ex.KERDRAON, langue=langue)
    for penalites in ("courent", "abandonnees"):
        html = texte(protocole(genre, destinataire=client, penalites=penalites)).lower()
        for interdit in ("pénalité", "441-10", "40 €", "penalt", "indemnité", "fixed compensation", "late-payment"):
            assert interdit not in html
    assert "1376" in html and "mediat" in html.replace("é", "e") or "ombudsman" in html


def test_le_mediateur_n_est_nomme_qu_au_consommateur():
    assert "médiateur de la consommation" in texte(protocole(destinataire=ex.KERDRAON))
    assert "médiateur" not in texte(protocole())


@pytest.mark.parametrize("genre", GENRES)
def test_en_anglais_rien_ne_reste_en_francais(genre):
    html = texte(protocole(genre, destinataire=ex.HALLAM, clause=True))
    assert "three thousand euros and thirty cents (€3,000.30)" in html
    assert "French Civil Code" in html
    for mot in ("créancier", "débiteur", "mensualité", "déchéance", "au plus tard"):
        assert mot not in html


def test_une_redaction_libre_est_du_texte_jamais_du_html():
    html = rendu.rendre_html(protocole(redaction="<script>x</script>\nligne 2"))
    assert "<script>" not in html and "&lt;script&gt;" in html


def test_un_projet_le_dit():
    assert "ne se signe pas encore" in texte(protocole(projet=True))
    assert "ne se signe pas encore" not in texte(protocole())


def test_une_devise_sans_nom_garde_ses_chiffres():
    assert "1 000,10 SEK" in texte(protocole(nombre=1, devise="SEK"))


def test_les_interets_publics_restent_dus():
    """CCP, art. L2192-14."""
    html = texte(protocole(destinataire=replace(ex.HOTELIERE, type=TypeDebiteur.ADMINISTRATION)))
    assert "L. 2192-12" in html and "441-10" not in html


@pytest.mark.parametrize("langue", ["fr", "en"])
@pytest.mark.parametrize("genre", GENRES)
def test_le_pdf_tient_de_une_a_quatre_cents_pieces(genre, langue):
    client = ex.HALLAM if langue == "en" else ex.HOTELIERE
    court = rendu.rendre_pdf(protocole(genre, nombre=1, n=2, destinataire=client))
    assert court[:5] == b"%PDF-" and compter_pages(court) <= 2
    if genre == "echeancier":
        long = rendu.rendre_pdf(protocole(genre, nombre=400, n=24, destinataire=client))
        assert 8 <= compter_pages(long) <= 20
        assert rendu.rendre_pdf(protocole(genre, nombre=1, n=2, destinataire=client)) == court


def test_une_personne_publique_lit_la_prescription_quadriennale_et_aucune_mise_en_demeure():
    """Loi 68-1250, art. 1 et 2 : l'article 2240 ne régit pas sa dette ; CGCT L1612-16 : rien de droit privé."""
    html = texte(protocole(destinataire=ex.COMMUNE, clause=True))
    assert "68-1250" in html and "1er janvier qui suit" in html and "2240" not in html
    assert "réclame par écrit" in html and "en demeure" not in html and "Déchéance du terme" in html


def test_le_delai_nouveau_court_de_la_signature():
    """C. civ., art. 2231 et 2240 : c'est la signature qui reconnaît, non le jour de la proposition."""
    assert "un nouveau délai court du jour de la signature" in texte(protocole())


@pytest.mark.parametrize(("qui", "reste"), [(ex.HOTELIERE, True), (ex.KERDRAON, False)])
def test_abandonner_les_penalites_dit_ce_que_deviennent_les_quarante_euros(qui, reste):
    """C. com., D441-5 : la renonciation ne porte que sur les pénalités ; rien n'en est dit au particulier."""
    html = texte(protocole(destinataire=qui, penalites="abandonnees"))
    assert ("L'indemnité forfaitaire reste due" in html) is reste
