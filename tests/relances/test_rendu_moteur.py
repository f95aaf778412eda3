"""Moteur de gabarits fermé, typographie, tableaux."""

import re
from dataclasses import replace
from datetime import date
from decimal import Decimal

import pytest

from relances.domaine.natures import Nature
from relances.rendu import controles, declaration, dernier_avis, lettres, lots, mandatement, moteur, tableaux, variables
from relances.rendu.filtres import Somme, en_html, en_texte, euros
from relances.rendu.moteur import ContexteFerme, VariableInconnue, typographier
from relances.rendu.parties import adresse_du_debiteur, telephone_international

from . import exemples_rendu as ex
from . import test_dernier_avis, test_rendu_suites

NB, FINE = "\u00a0", "\u202f"
GABARITS = sorted([*moteur.LETTRES.rglob("*.html"), *moteur.ACTES.rglob("*.html"), *moteur.COURRIELS.rglob("*.txt")])


def rendu(source: str, **contexte) -> str:
    valeurs = variables.d_une_lettre(ex.lettre(nombre=2)) | contexte
    gabarit = moteur.moteur_lettres().from_string(source)
    return gabarit.render(ContexteFerme(valeurs))


# --- Variables -----------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("source", "nom"),
    [
        ("{{ client.iban }}", "client.iban"),
        ("{{ inconnue }}", "inconnue"),
        ("{% if client.iban %}oui{% endif %}", "client.iban"),
        ("{% if not inconnue %}oui{% endif %}", None),
        ("{% for x in factures %}{% endfor %}", "factures"),
        ("{% for ligne in lignes %}{{ ligne.prix }}{% endfor %}", "ligne.prix"),
        ("{{ client.nom|date_longue }}", "client.nom"),
        ("{{ total.items }}", "total.items"),
    ],
)
def test_une_variable_inconnue_arrete_le_rendu_en_se_nommant(source, nom):
    if nom is None:  # Django tait les erreurs des opérateurs : le contrôle du texte les voit
        assert controles.variables_inconnues(source, ex.lettre()) == ["inconnue"]
        return
    with pytest.raises(VariableInconnue) as erreur:
        rendu(source)
    assert erreur.value.nom == nom
    assert controles.variables_inconnues(source, ex.lettre()) != []


@pytest.mark.parametrize("gabarit", GABARITS, ids=lambda p: str(p.relative_to(moteur.RACINE)))
def test_chaque_modele_n_emploie_que_des_variables_connues(gabarit):
    schemas = [
        variables.d_une_lettre(ex.lettre(nombre=2, credits=(ex.avoir(),))),
        variables.d_une_requete(ex.requete()),
        variables.d_un_bordereau(ex.bordereau()),
        variables.d_un_decompte(ex.decompte()),
        test_rendu_suites.contexte(ex.KERDRAON, test_rendu_suites.RESTE, 1),
        test_rendu_suites.contexte_du_renvoi(ex.KERDRAON),
        mandatement.contexte(mandatement.DemandeMandatement(requete=ex.requete(), marche="marché 2026-14")),
        declaration.contexte(
            declaration.Declaration(
                requete=ex.requete(), jugement=ex.ARRETE, limite=ex.ARRETE, a_echoir=ex.lignes(1), objet="mobilier"
            )
        ),
        lots.contexte(_lot()),
        dernier_avis.contexte(test_dernier_avis.un_avis()),
    ]
    connus = [s for s in schemas if not _inconnues(gabarit, s)]
    assert connus, [_inconnues(gabarit, s) for s in schemas]


def _lot() -> lots.Lot:
    pli = lots.PliImprime(
        rang=1, destinataire="Hôtelière", adresse="42 quai", localite="27500", reference="MED-1", canal="Recommandé",
        recommande=True, pages=2,
    )  # fmt: skip
    retires = (("Rivoire", "payée"),)
    return lots.Lot(
        emetteur=ex.EMETTEUR, numero=1, date=ex.ARRETE, prepare_par="Claire Aubry", plis=(pli,), retires=retires
    )


def _inconnues(gabarit, schema):
    employees = moteur.variables_employees(gabarit.read_text(encoding="utf-8"))
    return sorted(chemin for chemin in employees if not controles._connue(schema, chemin))


def test_le_texte_d_un_modele_ne_modifie_rien():
    assert not any(isinstance(v, list) for v in variables.d_une_lettre(ex.lettre()).values())
    with pytest.raises(VariableInconnue):
        rendu("{{ total.clear }}")


# --- Typographie -----------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("source", "attendu"),
    [
        ("Objet : l'appel", f"Objet{NB}: l’appel"),
        ("Vraiment ? Oui ; non !", f"Vraiment{FINE}? Oui{FINE}; non{FINE}!"),
        ("« oui »", f"«{NB}oui{NB}»"),
        ("n° 12, 40 €, 10 %", f"n°{NB}12, 40{NB}€, 10{NB}%"),
        ("article L. 441-10", f"article{NB}L.{NB}441-10"),
        ("a – b × c", f"a{NB}– b{NB}×{NB}c"),
        ("  – puce", "  – puce"),
        ("{{ x }} : {{ y|date:'d : m' }}", f"{{{{ x }}}}{NB}: {{{{ y|date:'d : m' }}}}"),
        ("<a title='x : y'>", "<a title='x : y'>"),
    ],
)
def test_la_typographie_francaise_se_pose_hors_des_balises_et_des_variables(source, attendu):
    assert typographier(source) == attendu


def test_l_anglais_ne_prend_que_l_apostrophe_et_les_articles():
    assert typographier("Why? It's: Article L. 441-10", anglais=True) == f"Why? It’s: Article{NB}L.{NB}441-10"


@pytest.mark.parametrize("nature", [Nature.RAPPEL_COURTOIS, Nature.FORMALISATION, Nature.MISE_EN_DEMEURE])
def test_aucune_lettre_n_a_d_espace_secable_devant_une_ponctuation_haute(nature):
    for client in (ex.HOTELIERE, ex.KERDRAON):
        html = lettres.rendre_html(ex.lettre(nature, nombre=2, destinataire=client))
        lu = re.sub(r"<[^>]+>", "", html[html.index("<body>") :])
        assert re.findall(r".{12} [:;!?€%»]", lu) == []
        assert "'" not in lu


def test_les_donnees_du_client_ne_sont_pas_retouchees():
    assert rendu("{{ x }}", x="L'eau : 5 %") == "L&#x27;eau : 5 %"


# --- Sommes, numéros, paragraphes ---------------------------------------------------------------------------


def test_une_somme_s_ecrit_dans_sa_devise():
    assert euros(Decimal("1234.5")) == f"1{NB}234,50{NB}€"
    assert euros(Somme(Decimal("1234.5"), "USD")) == f"1{NB}234,50{NB}USD"


@pytest.mark.parametrize(
    ("civilite", "nom", "attendu"),
    [
        ("Madame", "Solène Kerdraon", "MADAME SOLENE KERDRAON"),
        ("Madame", "Mme Solène Kerdraon", "MME SOLENE KERDRAON"),
        ("Monsieur", "M. Martin", "M. MARTIN"),
        ("", "Mireille Martin", "MIREILLE MARTIN"),
    ],
)
def test_la_civilite_d_un_particulier_ne_s_ecrit_qu_une_fois(civilite, nom, attendu):
    client = replace(ex.KERDRAON, civilite=civilite, raison_sociale=nom)
    assert adresse_du_debiteur(client).lignes[0] == attendu


@pytest.mark.parametrize(
    ("national", "international"),
    [("02 61 91 00 14", "+33 2 61 91 00 14"), ("0261910014", "+33 2 61 91 00 14"), ("3949", "3949"), ("", "")],
)
def test_un_telephone_se_compose_de_l_etranger(national, international):
    assert telephone_international(national) == international


def test_le_gras_et_les_signes_survivent_a_l_aller_et_au_retour():
    html = "Payez <b>12 €</b> &amp; signez &lt;ici&gt;"
    assert en_texte(html) == "Payez **12 €** & signez <ici>"
    assert en_html(en_texte(html)) == html


@pytest.mark.parametrize(
    ("numero", "lignes"),
    [
        ("FA-2026-0412", ["FA-2026-0412"]),
        ("FACT/2026/NANTES-OUEST/000123456789", ["FACT/2026/NANTES-", "OUEST/000123456789"]),
        ("A" * 40, ["A" * 18, "A" * 18, "A" * 4]),
    ],
)
def test_un_numero_trop_long_se_coupe_apres_un_separateur(numero, lignes):
    assert tableaux.replier(numero) == lignes
    assert all(len(ligne) <= 18 for ligne in lignes)


def test_les_colonnes_d_une_rangee_gardent_autant_de_lignes():
    longue = ex.ligne("FACT/2026/NANTES-OUEST/000123456789", date(2026, 3, 1), Decimal("900.00"))
    courte = ex.ligne("FA-1", date(2026, 7, 1), Decimal("900.00"))
    style = tableaux.ecriture_de("fr", "EUR", "pénalités")
    for table in (
        tableaux.etat((longue, courte), style, chiffree=True)["rangs"],
        tableaux.decompte((longue, courte), style)["rangs"],
    ):
        for rang in table:
            hauteurs = {nom: v.count("\n") for nom, v in rang.items() if nom not in ("report", "a_reporter")}
            assert len(set(hauteurs.values())) == 1, hauteurs


def test_les_periodes_d_une_facture_restent_dans_la_meme_rangee():
    style = tableaux.ecriture_de("fr", "EUR", "pénalités")
    rangs = tableaux.decompte(ex.lignes(60), style)["rangs"]
    assert all(rang["numeros"].split("\n")[0] for rang in rangs)


def test_la_somme_des_periodes_est_celle_des_interets_courus():
    lettre = ex.lettre(nombre=60)
    periodes = variables.periodes(lettre.lignes, lettre.taux, "EUR")
    assert sum(p["interets"] for p in periodes) == lettre.totaux.interets_courus
