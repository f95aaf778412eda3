"""Les faits d'un relevé se lisent en mots : un nombre d'opérations n'est pas un total."""

from factures.presentation_import import faits

RELEVE = {
    "releves": 1,
    "operations": 3,
    "credits": 2,
    "debits": 1,
    "sommes": {"EUR": {"credits": 2, "total_credits": "150.00", "debits": 1, "total_debits": "-20.50"}},
    "soldes": [{"compte": "FR76", "devise": "EUR", "ouverture": "100.00", "cloture": "229.50"}],
    "fitid_en_double": 0,
    "comptes_a_confirmer": ["FR76"],
}


def test_un_releve_dit_ses_nombres_ses_totaux_et_ses_soldes():
    dits = dict(faits({"faits": RELEVE}))
    assert dits["Crédits"] == "2" and dits["Débits"] == "1"
    assert dits["Total des crédits"] == "150,00 EUR"
    assert dits["Total des débits"].endswith("20,50 EUR")
    assert dits["Solde d’ouverture"] == "100,00" and dits["Solde de clôture"] == "229,50"
    assert not {"Sommes", "Soldes", "Fitid en double", "Comptes a confirmer"} & set(dits)


def test_plusieurs_releves_ne_montrent_pas_un_solde_pour_tous():
    dits = dict(faits({"faits": RELEVE | {"soldes": RELEVE["soldes"] * 2}}))
    assert "Solde de clôture" not in dits
