"""Ce qu'une relance n'écrit jamais, et ce qu'elle a le droit d'écrire : les deux côtés de chaque règle."""

from dataclasses import replace
from datetime import date
from decimal import Decimal

import pytest
from django.utils.translation import override

from factures.services import enregistrer_encaissement
from relances.domaine.natures import Canal, Nature
from relances.rendu import controles, courriels, interdits, lettres, parties, variables
from relances.rendu.contexte import TypeDebiteur
from tests.clients.factories import ClientFactory
from tests.comptes.factories import UtilisateurFactory

from . import exemples_rendu as ex

E, P, A, Q = TypeDebiteur.ENTREPRISE, TypeDebiteur.PARTICULIER, TypeDebiteur.ADMINISTRATION, TypeDebiteur.A_QUALIFIER


def codes(texte, debiteur=E, **autres) -> list[str]:
    return list(dict.fromkeys(m.code for m in controles.controler_texte(texte, debiteur, **autres)))


@pytest.mark.parametrize(
    ("texte", "code"),
    [
        # C. pén., art. 433-13 : l'air d'un acte de justice
        ("Notre HUISSIER mandaté passera.", "imitation"),
        ("Un commissaire de justice vous signifiera cet acte.", "imitation"),
        ("Sommation de payer", "imitation"),
        ("COMMANDEMENT DE PAYER", "imitation"),
        ("Au nom de la loi, payez.", "imitation"),
        ("République française", "imitation"),
        ("La présente lettre, valant titre exécutoire, vous oblige.", "imitation"),
        ("Objet : Tribunal de commerce de Nantes", "imitation"),
        ("A bailiff will call on you.", "imitation"),
        ("Our sheriffs are on their way.", "imitation"),
        ("In the name of the law", "imitation"),
        # Délais
        ("dans le DELAI LEGAL de huit jours", "delai_legal"),
        ("within the statutory time limit", "delai_legal"),
        ("payez à compter de la présente", "delai_sans_date"),
        ("à réception de la présente", "delai_sans_date"),
        ("Merci de régler cette somme sous huitaine.", "delai_sans_date"),
        ("Veuillez payer ces factures dans un délai de 8 jours.", "delai_sans_date"),
        ("Pay within eight days of this letter.", "delai_sans_date"),
        # Suites
        ("Passage au contentieux automatique.", "suite_automatique"),
        ("Sans autre avis de notre part,", "suite_automatique"),
        ("C'est votre dernière chance de régler.", "suite_automatique"),
        ("Your file will automatically be passed to court, without further notice.", "suite_automatique"),
        ("À défaut, nous saisirons le tribunal.", "suite_certaine"),
        ("Nous n’hésiterons pas à engager une procédure.", "suite_certaine"),
        ("Votre dossier sera transmis à notre service contentieux.", "suite_certaine"),
        ("We will commence legal proceedings.", "suite_certaine"),
        # Menaces
        ("Nous ferons une saisie sur salaire.", "saisie"),
        ("Your goods may be seized.", "saisie"),
        ("We will seize your goods.", "saisie"),
        ("Vous serez inscrit au FICP.", "fichage"),
        ("une inscription au fichier des incidents", "fichage"),
        ("You will be blacklisted with a credit bureau.", "fichage"),
        ("Nous écrirons à votre employeur.", "tiers"),
        ("We shall inform your neighbours.", "tiers"),
        ("Nous porterons plainte : déposerons une plainte pénale.", "menace_penale"),
        ("You may be prosecuted.", "menace_penale"),
        ("Cette lettre interrompt la prescription.", "prescription"),
        ("This letter interrupts the limitation period.", "prescription"),
        # Un débiteur privé et le droit public
        ("articles L. 2192-13 et R. 2192-31", "droit_public_prive"),
    ],
)  # fmt: skip
def test_ce_qu_on_n_ecrit_a_personne(texte, code):
    """droit.md § 6 : faux mots, menaces, imitation ; en français et en anglais, sans égard à la casse."""
    assert code in codes(texte)
    assert code in codes(texte.upper())


@pytest.mark.parametrize(
    "texte",
    [
        "S'il s'agit d'une erreur de saisie, dites-le-nous.",
        "Une erreur lors de la saisie de votre commande explique ce doublon.",
        "Vous trouverez la facture dans le fichier joint, au format PDF ; le fichier de la commande aussi.",
        "Nous vous répondrons sous 8 jours.",
        "Le délai convenu, de 30 jours fin de mois, est dépassé.",
        "À défaut, nous pourrions saisir la juridiction compétente, notamment par voie d’injonction de payer.",
        "Nous traiterons votre demande avant toute nouvelle relance.",
        "À compter de sa réception, cette mise en demeure fait courir les intérêts.",
        "Les pénalités continuent de courir ; l’indemnité forfaitaire est de 40 € (article L. 441-10).",
        "Notre inscription au registre du commerce figure ci-dessous.",
        "We may bring the matter before the competent court.",
        "Could you please check the attached file?",
        "Un courrier de notre service comptable vous sera transmis.",
    ],
)
def test_ce_qu_on_peut_ecrire_a_une_entreprise(texte):
    """Un mot qui ressemble à un mot interdit n'arrête pas la lettre."""
    assert codes(texte) == []


@pytest.mark.parametrize("debiteur", [P, Q])
@pytest.mark.parametrize(
    ("texte", "code"),
    [
        ("une indemnité forfaitaire", "indemnite_40"),
        ("40 € par facture", "indemnite_40"),
        ("40,00 EUR par facture", "indemnite_40"),
        ("Fixed compensation of €40", "indemnite_40"),
        ("EUR 40.00 per invoice", "indemnite_40"),
        ("quarante euros", "indemnite_40"),
        ("articles L. 441-10 et D. 441-5", "droit_des_professionnels"),
        ("au taux de la Banque centrale européenne", "droit_des_professionnels"),
        ("the ECB rate plus 10 points", "droit_des_professionnels"),
        ("des pénalités de retard", "penalites"),
        ("une majoration de 10 %", "penalites"),
        ("a late fee, late-payment interest and penalties", "penalites"),
        ("La clause pénale s'applique.", "penalites"),
        ("des frais de dossier", "frais"),
        ("15 € de frais de relance", "frais"),
        ("les frais de recouvrement vous seront facturés", "frais"),
        ("our administration charges", "frais"),
    ],
)
def test_ce_qu_on_n_ecrit_pas_a_un_consommateur(texte, code, debiteur):
    """droit.md § 4 ; exigence 24."""
    assert code in codes(texte, debiteur)


@pytest.mark.parametrize(
    "texte",
    [
        "Réglée à sa date, elle n'entraîne ni pénalité ni frais de relance.",
        "Nous ne vous demandons aucuns frais de dossier, sans pénalité.",
        "les frais de recouvrement engagés sans titre exécutoire restent à notre charge",
        "Il reste 1 240,00 €, dont 140 € au titre de la pose et 340,00 € de fournitures.",
        "les intérêts au taux légal, 2,75 % l'an",
        "No late fee, without any penalty.",
        "This reminder costs you nothing.",
        "un forfait de pose",
    ],
)
def test_ce_qu_on_peut_ecrire_a_un_consommateur(texte):
    assert codes(texte, P) == []


def test_une_vraie_somme_de_40_euros_n_est_pas_l_indemnite():
    due = replace(ex.lettre(Nature.RAPPEL_COURTOIS, destinataire=ex.KERDRAON).lignes[0], reste_du=Decimal("40.00"))
    lettre = ex.lettre(Nature.RAPPEL_COURTOIS, destinataire=ex.KERDRAON, lignes=(due,))
    assert "40,00\u00a0€" in courriels.rendre(replace(lettre, canal=Canal.COURRIEL)).texte
    assert controles.manques(lettre) == []
    assert codes("Une indemnité de 40 €", P) == ["indemnite_40"]


@pytest.mark.parametrize(
    ("texte", "code"),
    [
        ("nous pourrions demander une injonction de payer", "injonction_publique"),
        ("an order for payment", "injonction_publique"),
        ("nous vous mettons en demeure", "mise_en_demeure_publique"),
        ("this formal notice", "mise_en_demeure_publique"),
        ("article L. 441-10 du code de commerce", "droit_prive_publique"),
        ("taux de la BCE majoré de 10 points", "droit_prive_publique"),
    ],
)
def test_ce_qu_on_n_ecrit_pas_a_une_administration(texte, code):
    """droit.md § 3 : ni injonction, ni mise en demeure de droit privé, ni BCE + 10."""
    assert codes(texte, A) == [code]


def test_un_sms_ne_parle_ni_de_procedure_ni_de_penalites():
    assert codes("Mise en demeure : payez", support=interdits.SMS) == ["sms_procedure"]
    assert codes("Rappel : facture FA-1 échue", support=interdits.SMS) == []


@pytest.mark.parametrize(
    ("texte", "code"),
    [
        ('<img src="https://ateliers-verdance.example/p.gif" width="1">', "image"),
        ("![](https://ateliers-verdance.example/p.gif)", "image"),
        ("<IFRAME>", "image"),
        ("voir cid:logo", "image"),
        ("<b>Payez</b>", "balise"),
        ("{{ client.objects }}", "gabarit"),
        ("{% load x %}", "gabarit"),
        ("Payez sur http://bit.ly/3xYz", "lien_inconnu"),
        ("Payez sur paiement-rapide.com/verdance", "lien_inconnu"),
        ("https://ateliers-verdance.example.pirate.net/", "lien_inconnu"),
        ("https://faux@pirate.com/", "lien_inconnu"),
    ],
)
def test_ni_pixel_ni_balise_ni_code_ni_lien_inconnu(texte, code):
    """CNIL, délibération 2026-042 : aucun suivi d'ouverture ; issue 3 : template code, pixels."""
    assert codes(texte, hotes=["ateliers-verdance.example"]) == [code]


@pytest.mark.parametrize(
    "texte",
    [
        "Payez sur https://www.ateliers-verdance.example/p/7QK4 ou ateliers-verdance.example/p/7QK4.",
        "Écrivez à claire.aubry@ateliers-verdance.example.",
        "Total : 3 < 4 et 5 > 2 ; a{b}c ; {accolade}",
    ],
)
def test_la_maison_et_ses_adresses_se_citent(texte):
    assert codes(texte, hotes=["ateliers-verdance.example"]) == []


def test_le_mediateur_du_consommateur_se_cite():
    lettre = ex.lettre(Nature.MISE_EN_DEMEURE, destinataire=ex.KERDRAON)
    hotes = interdits.hotes_connus(lettre)
    assert codes("Saisissez mediation-conso.example, sans formalité.", P, hotes=hotes) == []


def test_un_interdit_dit_le_mot_pourquoi_le_texte_de_loi_et_ou_corriger():
    (manque,) = controles.controler_texte("Notre huissier passera.", E)
    assert manque.phrase == (
        "Le texte ne doit pas dire «\u00a0huissier\u00a0»\u00a0: seul un acte de justice peut en avoir l’air "
        "(C. pén., art.\u00a0433-13)"
    )
    assert manque.ou_corriger == "modele"


def test_un_modele_a_variables_se_controle_avant_d_etre_rempli():
    """La même fonction sert l'éditeur : ses variables ne sont pas encore remplies."""
    assert codes("Payez [[total à payer]] sous huitaine. {{ x }}", modele=True) == ["delai_sans_date"]


def test_chaque_regle_a_un_code_une_phrase_et_une_source():
    for interdit in interdits.INTERDITS:
        assert interdit.code.isidentifier() and str(interdit.pourquoi) and str(interdit.source) and interdit.envers


@pytest.mark.parametrize("langue", ["fr", "en"])
@pytest.mark.parametrize(
    ("nature", "client"),
    [
        (nature, client)
        for nature in (Nature.RAPPEL_COURTOIS, Nature.FORMALISATION, Nature.MISE_EN_DEMEURE)
        for client in (ex.HOTELIERE, ex.COMMUNE, ex.KERDRAON)
        if (nature, client) != (Nature.MISE_EN_DEMEURE, ex.COMMUNE)  # refusée par ailleurs
    ],
)
def test_chaque_lettre_livree_passe_le_controle_dans_les_deux_langues(nature, client, langue):
    """Issue 3 : « every shipped letter in both languages »."""
    lettre = ex.lettre(nature, destinataire=replace(client, langue=langue))
    assert controles.manques(lettre) == []


@pytest.mark.parametrize("langue", ["fr", "en"])
@pytest.mark.parametrize("client", [ex.HOTELIERE, ex.COMMUNE, ex.KERDRAON], ids=lambda c: c.code)
@pytest.mark.parametrize("nature", [Nature.AVANT_ECHEANCE, Nature.RAPPEL_COURTOIS, Nature.FORMALISATION])
def test_chaque_courriel_livre_passe_le_controle_dans_les_deux_langues(nature, client, langue):
    """Exigence 23 : les sept parties, en anglais aussi."""
    lettre = ex.lettre(nature, destinataire=replace(client, langue=langue), canal=Canal.COURRIEL)
    assert controles.manques(lettre) == []
    assert controles.manques_du_texte(lettre, courriels.rendre(lettre), modifie=False) == []


@pytest.mark.parametrize("nature", [Nature.FORMALISATION, Nature.MISE_EN_DEMEURE])
@pytest.mark.parametrize("client", [ex.COMMUNE, ex.KERDRAON], ids=lambda c: c.code)
def test_a_l_etranger_un_particulier_ou_une_administration_ne_recoit_que_le_rappel(client, nature):
    """Règlement Rome I, art. 6 : la loi de sa résidence le protège."""
    anglais = replace(client, langue="en", pays="GB")
    assert "loi_etrangere" in [m.code for m in controles.manques(ex.lettre(nature, destinataire=anglais))]
    rappel = ex.lettre(Nature.RAPPEL_COURTOIS, destinataire=anglais, canal=Canal.COURRIEL)
    assert "loi_etrangere" not in [m.code for m in controles.manques(rappel)]


def test_une_entreprise_anglophone_en_france_n_a_pas_a_accepter_le_droit_francais():
    """Rome I ne joue qu'entre deux pays : la clause ne se demande qu'à un débiteur établi à l'étranger."""
    en_france = replace(ex.HOTELIERE, langue="en")
    sans_clause = replace(ex.CONTRATS["en"], clause_loi="")
    lettre = ex.lettre(destinataire=en_france, contrat=sans_clause)
    assert controles.manques(lettre) == []
    (manque,) = controles.manques(replace(lettre, destinataire=replace(en_france, pays="BE")))
    assert manque.code == "clause_loi"


def test_les_donnees_d_une_lettre_ne_sont_pas_des_menaces():
    """« Saisie Express » est un client, « Saisie du 19/11/2026 » une référence : seul le texte écrit se contrôle."""
    client = replace(ex.HOTELIERE, raison_sociale="Saisie Express SARL")
    recu = replace(ex.avoir(), genre="reglement", reference="saisie n° 12")
    lettre = ex.lettre(Nature.MISE_EN_DEMEURE, destinataire=client, credits=(recu,))
    assert controles.manques(lettre) == []
    assert [m.code for m in controles.manques(replace(lettre, destinataire=replace(client, raison_sociale="Z")))] == []
    paragraphe = next(iter(lettres.paragraphes(lettre)))
    menace = replace(lettre, textes={paragraphe: "Saisie Express SARL, une saisie de vos comptes est possible."})
    assert "saisie" in {m.code for m in controles.manques(menace)}


def test_un_reglement_sans_reference_dit_sa_date_une_seule_fois():
    recu = replace(ex.avoir(), genre="reglement", date=date(2026, 11, 19))
    for reference in ("reçu le 19/11/2026", "Saisie du 19/11/2026"):
        (credit,) = variables.credits([replace(recu, reference=reference)], "EUR")
        assert credit["libelle"] == "Règlement reçu le 19/11/2026, non encore affecté"
        (anglais,) = variables.credits([replace(recu, reference=reference)], "EUR", anglais=True)
        assert anglais["libelle"] == "Payment received on 19\u00a0November\u00a02026, not yet allocated"


@pytest.mark.parametrize(
    ("nom", "forme", "dite"),
    [("Ferronnerie Castelnou SARL", "SARL", True), ("SARL Castelnou", "SARL", True), ("Castelnou", "SARL", False),
     ("Castelnou S.A.R.L.", "SARL", True), ("Les Sarlats", "SARL", False), ("Castelnou SARL", "", False)],
)  # fmt: skip
def test_la_forme_juridique_ne_se_repete_pas_apres_la_raison_sociale(nom, forme, dite):
    assert parties.forme_dite(nom, forme) is dite
    identite = parties.client(replace(ex.HOTELIERE, raison_sociale=nom, forme=forme))["identite"]
    assert ("SARL, SARL" in identite) is False


def test_un_encaissement_sans_reference_ne_porte_pas_de_mot_interdit(db):
    """De bout en bout : enregistré sans référence, il se nomme par sa date, en français quel que soit l'écran."""
    client, acteur = ClientFactory(), UtilisateurFactory()
    with override("en"):
        recu = enregistrer_encaissement(
            client, montant=Decimal(500), recu_le=date(2026, 11, 19), au=date(2026, 11, 20), cle="k", acteur=acteur
        )
    assert recu.reference == "reçu le 19/11/2026"
    assert list(interdits.trouver(recu.reference, P)) == []
