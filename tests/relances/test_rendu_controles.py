"""Contrôles d'une lettre : chaque manque a son code, sa phrase et l'endroit où le corriger."""

from dataclasses import replace
from datetime import date
from decimal import Decimal

import pytest

from relances.domaine.natures import Canal, Nature
from relances.rendu import controles, courriels, gabarits, lettres
from relances.rendu.contexte import Contestation, Contrat, Gestionnaire, Marche, Paiement, Signataire, Taux

from . import exemples_rendu as ex

MED = Nature.MISE_EN_DEMEURE


def codes(lettre, **autres) -> list[str]:
    return [m.code for m in controles.manques(lettre, **autres)]


def sans(objet, champ):
    return replace(objet, **{champ: ""})


@pytest.mark.parametrize("client", [ex.HOTELIERE, ex.HALLAM, ex.COMMUNE, ex.KERDRAON], ids=lambda c: c.code)
@pytest.mark.parametrize("nature", [Nature.RAPPEL_COURTOIS, Nature.FORMALISATION, MED])
@pytest.mark.parametrize("canal", [Canal.COURRIEL, Canal.LETTRE, Canal.RECOMMANDE])
def test_une_lettre_complete_part_sauf_la_mise_en_demeure_d_une_administration(client, nature, canal):
    trouves = codes(ex.lettre(nature, destinataire=client, canal=canal))
    if client is ex.COMMUNE and nature == MED:
        assert "administration_mise_en_demeure" in trouves
    else:
        assert trouves == ([] if nature != MED or canal == Canal.RECOMMANDE else _sans_recommande(canal))


def _sans_recommande(canal):
    return ["modele_absent", "recommande"] if canal == Canal.COURRIEL else ["recommande"]


def test_un_rappel_avant_echeance_part_par_courriel():
    assert codes(ex.lettre(Nature.AVANT_ECHEANCE, canal=Canal.COURRIEL)) == []
    assert codes(ex.lettre(Nature.AVANT_ECHEANCE, canal=Canal.LETTRE)) == ["modele_absent"]


# --- Exigence 25 : les six éléments d'une mise en demeure, un par un ---------------------------------------


@pytest.mark.parametrize(
    ("manquant", "attendu"),
    [
        ({"emetteur": sans(ex.EMETTEUR, "adresse")}, "societe_adresse"),
        ({"destinataire": sans(ex.HOTELIERE, "adresse")}, "adresse_sans_rue"),
        ({"textes": {"demande": "Merci de payer."}}, "mention"),
        ({"arrete_au": date(2026, 11, 19)}, "arrete"),
        ({"signataire": Signataire()}, "signataire"),
        ({"signataire": Signataire(nom="Hélène Marchand")}, "signataire_fonction"),
        ({"date_limite": None}, "date_limite"),
        ({"date_limite": ex.ARRETE}, "date_limite"),
        ({"lignes": ()}, "lignes"),
    ],
)
def test_la_mise_en_demeure_exige_ses_six_elements(manquant, attendu):
    """Exigence 25."""
    assert attendu in codes(ex.lettre(MED, **manquant))


def test_une_facture_contestee_meme_en_partie_sort_de_la_mise_en_demeure():
    """Exigence 10."""
    contestation = Contestation(
        facture="FA-2026-0412", numero="FA-2026-0412", recue_le=date(2026, 11, 18), montant=Decimal("10.00")
    )
    assert codes(ex.lettre(MED, contestations=(contestation,))) == ["contestation"]
    assert codes(ex.lettre(Nature.FORMALISATION, contestations=(contestation,))) == []


# --- La société -------------------------------------------------------------------------------------------


@pytest.mark.parametrize("champ", ["forme", "adresse", "code_postal", "ville", "rcs_ville", "capital", "siren", "iban"])
@pytest.mark.parametrize("canal", [Canal.COURRIEL, Canal.LETTRE])
def test_une_mention_legale_absente_arrete_tout_envoi(champ, canal):
    """R123-237 et R123-238 C. com. : le courriel aussi porte les mentions."""
    lettre = ex.lettre(Nature.RAPPEL_COURTOIS, canal=canal, emetteur=sans(ex.EMETTEUR, champ))
    (manque,) = controles.manques(lettre)
    assert (
        manque.code.endswith(champ) and manque.ou_corriger == "societe" and manque.phrase.startswith("Société\u00a0: ")
    )


def test_un_iban_faux_ou_un_bic_faux_se_voient():
    assert codes(ex.lettre(emetteur=replace(ex.EMETTEUR, iban="FR7699999044100002187654327"))) == ["iban"]
    assert codes(ex.lettre(emetteur=replace(ex.EMETTEUR, bic="VERD"))) == ["bic"]


def test_un_entrepreneur_individuel_n_a_ni_capital_ni_greffe():
    emetteur = replace(ex.EMETTEUR, forme="EI", capital="", rcs_ville="", bic="")
    assert codes(ex.lettre(emetteur=emetteur)) == []


# --- Le client et son droit -----------------------------------------------------------------------------


def test_un_rappel_par_courriel_se_passe_d_adresse_postale():
    client = replace(ex.HOTELIERE, adresse="", code_postal="", ville="")
    assert codes(ex.lettre(Nature.RAPPEL_COURTOIS, destinataire=client, canal=Canal.COURRIEL)) == []
    trouves = codes(ex.lettre(Nature.FORMALISATION, destinataire=client, canal=Canal.COURRIEL))
    assert trouves == ["adresse", "adresse", "adresse_sans_rue"] or "adresse_sans_rue" in trouves


def test_un_client_a_qualifier_ne_recoit_que_des_rappels():
    client = replace(ex.HOTELIERE, type="a_qualifier")
    assert codes(ex.lettre(Nature.RAPPEL_COURTOIS, destinataire=client)) == []
    assert "type_debiteur" in codes(ex.lettre(Nature.FORMALISATION, destinataire=client))


def test_un_particulier_ne_paie_ni_40_euros_ni_penalite():
    """Exigence 24 : jamais un consommateur."""
    dues = ex.lignes(1)
    assert "particulier" in codes(ex.lettre(destinataire=ex.KERDRAON, lignes=dues))
    assert "particulier" in codes(ex.lettre(destinataire=ex.KERDRAON, taux=Taux(stipule=Decimal("15.00"))))


@pytest.mark.parametrize("nature", gabarits.RAPPELS)
@pytest.mark.parametrize("type_debiteur", ["a_qualifier", "particulier"])
def test_un_rappel_ne_reclame_rien_et_part_malgre_un_taux_stipule(type_debiteur, nature):
    """Le taux du contrat n'y est ni dit ni compté ; une formalisation, si."""
    client, taux = replace(ex.HOTELIERE, type=type_debiteur), Taux(stipule=Decimal("15.00"))
    assert "particulier" not in codes(ex.lettre(nature, destinataire=client, taux=taux, canal=Canal.COURRIEL))
    assert "particulier" in codes(ex.lettre(Nature.FORMALISATION, destinataire=client, taux=taux))


def test_la_mise_en_demeure_d_un_particulier_exige_mediateur_et_taux_legal():
    lettre = ex.lettre(MED, destinataire=ex.KERDRAON, emetteur=sans(ex.EMETTEUR, "mediateur"), taux=Taux())
    assert codes(lettre) == ["mediateur", "taux_legal"]


def test_un_debiteur_anglais_sans_clause_de_droit_francais_ne_recoit_que_le_rappel():
    for nature, attendus in (
        (Nature.RAPPEL_COURTOIS, []),
        (Nature.FORMALISATION, ["clause_loi"]),
        (MED, ["clause_loi"]),
    ):
        assert codes(ex.lettre(nature, destinataire=ex.HALLAM, contrat=Contrat())) == attendus


@pytest.mark.parametrize("langue", ["fr", "en"])
@pytest.mark.parametrize(("pays", "etranger"), [("BE", True), ("be", True), ("", False), ("FR", False), ("GP", False)])
def test_le_pays_seul_dit_l_etranger_quelle_que_soit_la_langue(pays, etranger, langue):
    """Rome I : un débiteur belge francophone n'a pas plus accepté le droit français qu'un anglais."""
    client = replace(ex.HOTELIERE, pays=pays, langue=langue)
    for nature in (Nature.FORMALISATION, MED):
        trouves = codes(ex.lettre(nature, destinataire=client, contrat=Contrat()))
        assert ("clause_loi" in trouves) is etranger


@pytest.mark.parametrize("nature", [Nature.FORMALISATION, MED])
def test_la_clause_acceptee_s_imprime_en_francais_aussi(nature):
    client = replace(ex.HOTELIERE, pays="BE")
    lettre = ex.lettre(nature, destinataire=client, contrat=Contrat(clause_loi="Le droit français régit nos ventes."))
    assert "Le droit français régit nos ventes." in lettres.texte_integral(lettre)


def test_l_administration_se_retrouve_par_son_siret():
    client = sans(ex.COMMUNE, "siret")
    assert codes(ex.lettre(Nature.FORMALISATION, destinataire=client)) == ["siret"]
    assert codes(ex.lettre(Nature.RAPPEL_COURTOIS, destinataire=client)) == []


def test_engagement_et_reception_absents_se_signalent_sans_arreter():
    dues = ex.lignes(1, debiteur="administration")
    lettre = ex.lettre(destinataire=ex.COMMUNE, lignes=dues, marche=Marche())
    assert codes(lettre) == []
    assert [m.code for m in controles.avertissements(lettre)] == ["engagement", "reception"]
    assert controles.avertissements(ex.lettre(destinataire=ex.COMMUNE)) == []


def test_une_mise_en_demeure_en_premier_acte_se_signale():
    """Exigence 11."""
    lettre = ex.lettre(MED, rappels=(), contestations=None)
    assert [m.code for m in controles.avertissements(lettre)] == ["contestations_inconnues", "premier_acte"]
    assert codes(lettre) == []


# --- Les sommes ------------------------------------------------------------------------------------------


@pytest.mark.parametrize("credit", ["0.00", "0.01"])
def test_un_total_nul_ou_negatif_ne_part_pas(credit):
    """Exigence 4."""
    lettre = ex.lettre(nombre=1)
    couvert = replace(lettre, credits=(ex.avoir(lettre.totaux.a_payer + Decimal(credit)),))
    assert codes(couvert) == ["total"]
    a_un_centime = replace(lettre, credits=(ex.avoir(lettre.totaux.a_payer - Decimal("0.01")),))
    assert codes(a_un_centime) == []


def test_deux_devises_ne_partent_jamais_ensemble():
    """Exigence 6."""
    melange = (*ex.lignes(1), replace(ex.lignes(2)[1], devise="USD"))
    assert "devises" in codes(ex.lettre(lignes=melange))
    assert "devises" in codes(ex.lettre(credits=(ex.avoir(devise="USD"),)))


def test_un_semestre_sans_taux_se_nomme_et_arrete_le_calcul():
    manquant = tuple(replace(due, segments=()) for due in ex.lignes(1))
    lettre = ex.lettre(lignes=manquant, taux=Taux(semestres_manquants=("2027-S1",)))
    (manque,) = controles.manques(lettre)
    assert (manque.code, manque.ou_corriger) == ("taux", "taux") and "1er semestre 2027" in manque.phrase


def test_une_formalisation_sans_penalites_calculees_ne_part_pas():
    assert codes(ex.lettre(lignes=(replace(ex.lignes(1)[0], segments=()),))) == ["decompte"]


def test_le_decompte_et_le_compte_doivent_s_accorder_sur_le_principal():
    due = ex.lignes(1)[0]
    assert codes(ex.lettre(lignes=(replace(due, reste_du=due.reste_du - 1),))) == ["decompte_ecart"]
    paye = ((date(2026, 9, 3), Decimal("500.00")), (ex.ARRETE, Decimal("100.00")))
    assert codes(ex.lettre(lignes=(ex.ligne("FA-1", date(2026, 3, 1), Decimal("5000.00"), paiements=paye),))) == []


def test_une_indemnite_entamee_par_un_reglement_se_reclame_pour_son_reste():
    """C. com., art. D441-5 : le reste des 40 € est dû, et la lettre dit qu'une partie en est réglée."""
    modele = ex.lettre()
    due = next(ligne for ligne in modele.lignes if ligne.indemnite)
    lettre = ex.lettre(lignes=(replace(due, indemnite=Decimal("26.79")),))
    assert codes(lettre) == []
    assert "en partie réglée" in lettres.texte_integral(lettre) and "26,79" in lettres.texte_integral(lettre)
    assert "en partie réglée" not in lettres.texte_integral(ex.lettre(lignes=(due,)))


def test_une_facture_ne_porte_qu_une_indemnite():
    due = ex.lignes(1)[0]
    assert codes(ex.lettre(lignes=(due, replace(due, rang="2/2")))) == ["indemnite_double"]
    assert "indemnite" in codes(ex.lettre(lignes=(replace(due, indemnite=Decimal("80.00")),)))


def test_une_facture_non_echue_ou_soldee_n_est_pas_relancee():
    """Exigence 5."""
    due = ex.lignes(1)[0]
    assert "non_echue" in codes(ex.lettre(Nature.RAPPEL_COURTOIS, lignes=(replace(due, date_echeance=ex.ARRETE),)))
    assert "reste_du" in codes(ex.lettre(Nature.RAPPEL_COURTOIS, lignes=(replace(due, reste_du=Decimal("0.00")),)))
    avant = ex.lettre(Nature.AVANT_ECHEANCE, canal=Canal.COURRIEL, lignes=(due,))
    assert codes(avant) == ["deja_echue"]


def test_un_taux_stipule_sous_le_plancher_demande_une_decision():
    assert codes(ex.lettre(taux=Taux(sous_plancher=True))) == ["taux_plancher"]


# --- La lettre et ses textes ---------------------------------------------------------------------------------


def test_une_date_limite_chomee_ne_part_pas():
    """Exigence 15."""
    assert codes(ex.lettre(date_limite=date(2026, 12, 25)), date_limite_ouvree=False) == ["date_limite_chomee"]


def test_references_et_interlocuteur_sont_obligatoires():
    assert codes(ex.lettre(reference="")) == ["reference"]
    assert codes(ex.lettre(paiement=Paiement(reference="X" * 36))) == ["reference_paiement"]
    assert codes(ex.lettre(gestionnaire=Gestionnaire(nom=""))) == ["gestionnaire"]


def test_un_paragraphe_reecrit_ne_menace_pas_et_existe():
    """Exigence 29."""
    assert codes(ex.lettre(textes={"suites": "Sans réponse, nous enverrons l’huissier."})) == ["imitation"]
    assert codes(ex.lettre(textes={"inconnu": "Texte"})) == ["paragraphe"]
    mise = ex.lettre(destinataire=ex.KERDRAON, textes={"suites": "Une indemnité forfaitaire de 40 € sera due."})
    assert codes(mise) == ["indemnite_40", "indemnite_40", "somme_absente"]


def test_plusieurs_manques_se_disent_tous_a_la_fois():
    lettre = ex.lettre(MED, emetteur=sans(sans(ex.EMETTEUR, "siren"), "iban"), signataire=Signataire())
    assert {"societe_siren", "iban", "signataire", "signataire_fonction"} <= set(codes(lettre))


# --- Relecture d'un texte réécrit (exigences 19 et 29) -----------------------------------------------------


def test_un_texte_reecrit_se_relit_quand_la_somme_ou_la_date_a_change():
    """Exigence 19 : un règlement arrivé entre la réécriture et l'envoi ne part pas dans une lettre périmée."""
    lettre = ex.lettre(nombre=2)
    textes = lettres.paragraphes(lettre) | {"suites": "Appelez-nous, nous pourrions étaler."}
    assert codes(replace(lettre, textes=textes)) == []
    payee = replace(lettre, textes=textes, credits=(ex.avoir("100.00"),))
    assert codes(payee) == ["texte_perime"]
    (manque,) = controles.manques(replace(lettre, textes=textes, date_limite=date(2026, 12, 3)))
    assert manque.phrase == "Le texte réécrit ne cite plus 3\u00a0décembre\u00a02026\u00a0: le reprendre"


def test_un_paragraphe_sans_somme_ni_date_n_est_jamais_perime():
    lettre = ex.lettre(nombre=2, textes={"demande": "Nous vous remercions de régler cette somme avant cette date."})
    assert codes(lettre) == []


@pytest.mark.parametrize("client", [ex.HOTELIERE, ex.HALLAM, ex.KERDRAON, ex.COMMUNE], ids=lambda c: c.code)
@pytest.mark.parametrize("nature", [Nature.RAPPEL_COURTOIS, Nature.FORMALISATION])
def test_un_courriel_reecrit_se_relit_de_meme(nature, client):
    lettre = ex.lettre(nature, nombre=2, destinataire=client, canal=Canal.COURRIEL)
    ecrit = courriels.rendre(lettre)
    assert controles.manques_du_texte(lettre, ecrit) == []
    payee = replace(lettre, credits=(ex.avoir("100.00"),))
    assert "texte_perime" in [m.code for m in controles.manques_du_texte(payee, ecrit)]
    glissee = replace(lettre, date_limite=date(2026, 12, 3))
    assert "texte_perime" in [m.code for m in controles.manques_du_texte(glissee, ecrit)]


@pytest.mark.parametrize(
    ("numero", "texte", "absentes"),
    [
        ("FA-2026-0412", "FA-2026-0412, sans FA-2026-0411 ni **FA-2025-1200**.", ["FA-2026-0411", "FA-2025-1200"]),
        ("FA-2026-0412", "Voir le bon BL-2026-0007, le dossier FA-2026-0412-B et la facture du 12/03/2026.", []),
        ("FA-2026-0412", "La facture F20250044, d'avant le changement de logiciel.", ["F20250044"]),
        ("F2026-00012", "Payez la facture f2026-00012.", []),
        ("45821", "Les factures n° 45821, 45822 et 45830 de 2026, 69003 Lyon, soit 1 234,56 €.", ["45822", "45830"]),
        ("45821", "Facture 45821 de 45000,00 € ; invoice 45822.", ["45822"]),
        ("A 12", "Échue depuis à 13 jours. Facture A 14.", ["A 14"]),
        ("Report à nouveau", "Le report à nouveau de 2025 reste dû.", []),
    ],
)  # fmt: skip
def test_un_texte_reecrit_ne_cite_pas_une_facture_absente_de_la_lettre(numero, texte, absentes):
    """Exigence 19 : payée entre la réécriture et l'envoi, une facture sort de la lettre ; le texte la citait encore."""
    lettre = ex.lettre(lignes=(ex.ligne(numero, date(2026, 10, 1), Decimal("1234.56")),), textes={"demande": texte})
    trouves = [m for m in controles.manques(lettre) if m.code == "facture_absente"]
    assert [m.phrase for m in trouves] == [
        f"Le texte réécrit cite {absente}, qui n’est pas dans la lettre\u00a0: le reprendre" for absente in absentes
    ]


def test_un_texte_reecrit_peut_citer_un_avoir_ou_une_facture_contestee():
    contestation = Contestation(facture=9, numero="FA-2026-0009", recue_le=date(2026, 11, 18), montant=Decimal(10))
    lettre = ex.lettre(
        lignes=(ex.ligne("FA-2026-0412", date(2026, 10, 1), Decimal("1234.56")),),
        credits=(ex.avoir("10.00", reference="FA-2026-0500"),),
        contestations=(contestation,),
        textes={"demande": "Hors la facture FA-2026-0009, et moins FA-2026-0500."},
    )
    assert codes(lettre) == []


def test_un_courriel_reecrit_qui_cite_une_facture_payee_se_relit():
    lettre = ex.lettre(Nature.RAPPEL_COURTOIS, nombre=3, canal=Canal.COURRIEL)
    ecrit = courriels.rendre(lettre)
    payee = replace(lettre, lignes=lettre.lignes[1:])
    assert "facture_absente" in [m.code for m in controles.manques_du_texte(payee, ecrit)]


def test_une_somme_n_en_contient_pas_une_autre():
    due = ex.ligne("FA-1", date(2026, 10, 1), Decimal("1234.56"))
    lettre = ex.lettre(Nature.RAPPEL_COURTOIS, lignes=(due,), textes={"demande": "Merci de régler 21 234,56 €."})
    assert codes(lettre) == ["somme_absente", "texte_perime"]
