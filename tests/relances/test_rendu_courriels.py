"""Courriels : texte brut, sept parties, typographie, rien d'injecté."""

from dataclasses import replace
from datetime import date
from decimal import Decimal

import pytest

from relances.domaine.natures import Canal, Nature
from relances.rendu import controles, courriels
from relances.rendu.contexte import Contestation
from relances.rendu.gabarits import ModeleAbsent

from . import exemples_rendu as ex

ENVOIS = [
    *((nature, client) for nature in (1, 2, 4) for client in (ex.HOTELIERE, ex.HALLAM, ex.KERDRAON)),
    (2, ex.COMMUNE),
    (4, ex.COMMUNE),
]
tous = pytest.mark.parametrize(("nature", "client"), ENVOIS, ids=lambda x: x if isinstance(x, int) else x.code)


def courriel(nature=Nature.RAPPEL_COURTOIS, **autres):
    return courriels.rendre(ex.lettre(Nature(nature), **{"canal": Canal.COURRIEL, "nombre": 2} | autres))


def simple(texte: str) -> str:
    return texte.replace("\u00a0", " ").replace("\u202f", " ").replace("’", "'")


@tous
def test_chaque_courriel_a_ses_sept_parties(nature, client):
    """Exigence 23."""
    rendu = courriel(nature, destinataire=client)
    assert controles.elements_manquants(rendu.integral) == []
    assert controles.mots_interdits(rendu.integral, client.type) == []
    lettre = ex.lettre(Nature(nature), nombre=2, destinataire=client, canal=Canal.COURRIEL)
    assert controles.manques_du_texte(lettre, rendu) == []


@tous
def test_un_courriel_est_du_texte_brut_bien_mis_au_net(nature, client):
    rendu = courriel(nature, destinataire=client)
    assert "<" not in rendu.texte and "&amp;" not in rendu.texte and "&#" not in rendu.texte
    assert "{{" not in rendu.texte and "\n\n\n" not in rendu.texte
    assert not any(ligne.endswith(" ") for ligne in rendu.texte.splitlines())
    assert rendu.texte.endswith("\n") and len(rendu.objet) <= 120 and "\n" not in rendu.objet
    assert "http" not in rendu.texte  # ni image ni pixel : seul le lien donné


@pytest.mark.parametrize("client", [ex.HOTELIERE, ex.KERDRAON, ex.COMMUNE], ids=lambda c: c.code)
def test_la_ponctuation_francaise_garde_ses_espaces_insecables(client):
    texte = courriel(destinataire=client).texte
    for signe in (":", "€"):
        assert f" {signe}" not in texte and f"\u00a0{signe}" in texte
    assert " ?" not in texte and " ;" not in texte and "'" not in texte


@pytest.mark.parametrize(
    "partie", ["Objet", "facture", "Pourriez", "IBAN", "au plus tard", "pénalités", "cordialement"]
)
def test_le_controle_nomme_la_partie_qui_manque(partie):
    """Exigence 23 : une partie ôtée se voit, et elle seule."""
    attendus = {
        "Objet": "objet clair",
        "facture": "rappel de facture",
        "Pourriez": "demande explicite",
        "IBAN": "moyens de paiement",
        "au plus tard": "date limite",
        "pénalités": "conséquences",
        "cordialement": "politesse",
    }
    texte = (
        "Objet : Rappel, facture FA-1\n\nBonjour,\nVotre facture FA-1 est échue. Pourriez-vous la régler au plus "
        "tard le 2 décembre 2026 ? IBAN FR76. Un retard fait courir des pénalités.\nBien cordialement"
    )
    assert controles.elements_manquants(texte) == []
    retouches = {
        "facture": texte.replace("facture", "note"),
        "Pourriez": texte.replace("Pourriez-vous la régler", "À régler"),
        "pénalités": texte.replace(" Un retard fait courir des pénalités.", ""),
        "Objet": texte.split("\n\n")[1],
    }
    assert controles.elements_manquants(retouches.get(partie, texte.replace(partie, "…"))) == [attendus[partie]]


def test_un_avoir_non_affecte_est_deduit_dans_le_courriel_aussi():
    """Exigence 4."""
    for nature, client in ENVOIS:
        rendu = courriel(nature, destinataire=client, credits=(ex.avoir("240.00"),))
        assert "AV-2026-0031" in rendu.texte
        lettre = ex.lettre(Nature(nature), nombre=2, destinataire=client, credits=(ex.avoir("240.00"),))
        exact = f"{lettre.totaux.a_payer:,.2f}"
        if client is not ex.HALLAM:
            exact = exact.replace(",", "\u00a0").replace(".", ",")
        assert exact in rendu.texte or client is ex.COMMUNE and nature == 4


def test_une_esperluette_reste_une_esperluette():
    client = replace(ex.HOTELIERE, interlocuteur="Mme Martin & Fils <direction>")
    assert "Bonjour Mme Martin & Fils <direction>," in courriel(destinataire=client).texte


def test_un_nom_a_retour_de_ligne_n_ajoute_pas_d_en_tete():
    emetteur = replace(ex.EMETTEUR, raison_sociale="Verdance\r\nBcc: tous@exemple.example")
    rendu = courriel(Nature.AVANT_ECHEANCE, emetteur=emetteur)
    assert "\n" not in rendu.objet and "\r" not in rendu.objet


def test_la_part_contestee_est_dite_et_n_est_pas_reclamee():
    contestation = Contestation(facture="FA-9", numero="FA-9", recue_le=date(2026, 11, 18), montant=Decimal("317.30"))
    texte = simple(courriel(Nature.FORMALISATION, contestations=(contestation,)).texte)
    assert "Vous avez contesté la facture FA-9 le 18 novembre 2026, pour 317,30 €." in texte
    anglais = courriel(Nature.FORMALISATION, destinataire=ex.HALLAM, contestations=(contestation,)).texte
    assert "You disputed invoice FA-9" in anglais and "€317.30" in anglais


def test_le_client_a_qualifier_recoit_un_rappel_sans_droit_des_professionnels():
    texte = courriel(destinataire=replace(ex.HOTELIERE, type="a_qualifier")).texte
    assert "441-10" not in texte and "pénalité" not in texte
    assert controles.elements_manquants(f"Objet : {texte}") == []


def test_une_mise_en_demeure_n_a_pas_de_courriel_mais_son_texte_se_relit():
    with pytest.raises(ModeleAbsent, match="mise en demeure"):
        courriel(Nature.MISE_EN_DEMEURE)
    lettre = ex.lettre(Nature.MISE_EN_DEMEURE)
    rendu = courriels.rendre(lettre)
    assert rendu.objet.endswith("à régler au plus tard le 7\u00a0décembre\u00a02026")
    assert "nous vous mettons en demeure" in rendu.texte


def test_un_texte_reecrit_qui_perd_sa_date_ou_menace_est_signale():
    """Exigence 29."""
    lettre = ex.lettre(Nature.RAPPEL_COURTOIS, canal=Canal.COURRIEL)
    reecrit = courriels.Courriel("Dernier rappel", "Payez votre facture, sinon la saisie. IBAN FR76.\nCordialement")
    phrases = [simple(m.phrase) for m in controles.manques_du_texte(lettre, reecrit)]
    assert phrases == [
        "Le texte n'a plus : demande explicite",
        "Le texte n'a plus : date limite",
        "Le texte n'a plus : conséquences",
        "Le texte ne doit pas dire « saisie » : aucune saisie n'est possible sans titre exécutoire "
        "(CPCEx, art. L111-2 ; C. conso., art. L121-6)",
    ]
