"""Les mentions comptées sous l'aperçu d'une lettre."""

from dataclasses import replace

import pytest

from relances.domaine.natures import Canal, Nature
from relances.rendu import controles, courriels
from relances.rendu.mentions import mentions
from tests.relances import exemples_rendu as exemples


def comptees(lettre, integral=""):
    return mentions(lettre, controles.manques(lettre), integral)


def test_une_mise_en_demeure_complete_a_ses_neuf_mentions():
    """Exigence 25."""
    trouvees = comptees(exemples.lettre(Nature.MISE_EN_DEMEURE))
    assert [m.presente for m in trouvees] == [True] * 9


@pytest.mark.parametrize(
    ("champ", "valeur", "attendue"),
    [
        ("date_limite", None, "nouveau délai"),
        ("lignes", (), "détail des factures"),
        ("signataire", replace(exemples.SIGNATAIRE, fonction=""), "signataire et sa qualité"),
        ("emetteur", replace(exemples.EMETTEUR, iban=""), "moyens de payer"),
        ("emetteur", replace(exemples.EMETTEUR, rcs_ville=""), "créancier"),
    ],
)
def test_une_mention_absente_est_nommee(champ, valeur, attendue):
    lettre = replace(exemples.lettre(Nature.MISE_EN_DEMEURE), **{champ: valeur})
    assert attendue in [m.libelle for m in comptees(lettre) if not m.presente]


def test_un_rappel_ne_compte_ni_decompte_ni_mise_en_demeure():
    libelles = [m.libelle for m in comptees(exemples.lettre(Nature.RAPPEL_COURTOIS, canal=Canal.LETTRE))]
    assert len(libelles) == 7
    assert "mots « mise en demeure »" not in libelles and "décompte des intérêts" not in libelles


def test_un_courriel_compte_ses_sept_elements():
    """Exigence 23."""
    lettre = exemples.lettre(Nature.RAPPEL_COURTOIS, canal=Canal.COURRIEL)
    integral = courriels.rendre(lettre).integral
    assert [m.presente for m in comptees(lettre, integral)] == [True] * 7
    sans_objet = integral.partition("\n")[2]
    assert [m.libelle for m in comptees(lettre, sans_objet) if not m.presente] == ["objet clair"]
