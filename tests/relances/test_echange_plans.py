"""Un plan en JSON : l'aller-retour, et le refus nommé de tout fichier qui n'en est pas un."""

import json
from decimal import Decimal

import pytest

from clients.models import Regroupement, RoleContact
from relances.domaine.echange_plans import FichierRefuse, ecrire, lire
from relances.models import VersionEchelle
from relances.services import echange_plans
from relances.services.brouillons import nouveau_brouillon
from relances.services.plans import PlanInvalide, installer_plans
from relances.views.plans_societe import phrase_de_refus
from tests.comptes.factories import SocieteFactory, UtilisateurFactory

LISTES = {"regroupements": Regroupement.values, "roles": RoleContact.values}


def palier(**champs) -> dict:
    base = {"rang": 1, "nature": "rappel_courtois", "reference": "echeance", "delai": 5,
            "canaux": ["courriel", "lettre"], "mode": "automatique", "delai_reponse": 8, "modele": "",
            "role_destinataire": ""}  # fmt: skip
    return base | champs


def fichier(*paliers, sans=(), **champs) -> bytes:
    objet = {"format": "recouvrement/plan", "schema": 1, "nom": "Doux", "type_debiteur": "entreprise",
             "regroupement": "niveau", "seuil_piece": "0.00", "seuil_envoi": "30.00", "plafond_envoi": None,
             "paliers": list(paliers) or [palier()]} | champs  # fmt: skip
    return json.dumps({cle: v for cle, v in objet.items() if cle not in sans}).encode()


def brut(ancien: str, neuf: str) -> bytes:
    return fichier().replace(ancien.encode(), neuf.encode())


@pytest.mark.parametrize(
    ("octets", "code", "ou"),
    [
        # Quarante kilo-octets de crochets, de nombres, d'accolades.
        (b"[" * 40_000, "profond", ""),
        (b'{"a":' * 8_000 + b"1" + b"}" * 8_000, "profond", ""),
        (b'{"schema": ' + b"9" * 40_000 + b"}", "nombre", ""),
        (b" " * 70_000, "trop_gros", ""),
        (b"", "json", "1:1"),
        (b"{", "json", "1:2"),
        (b"\xff\xfe\x00", "encodage", ""),
        (b"[]", "type", ""),
        (b"null", "type", ""),
        (b'{"nom": 1, "nom": 2}', "cle_double", ""),
        (brut('"schema": 1', '"schema": NaN'), "nombre", ""),
        (brut('"delai": 5', '"delai": 5.5'), "nombre", ""),
        (brut('"delai": 5', '"delai": 1e3'), "nombre", ""),
        # Types et valeurs.
        (fichier(format="autre"), "format", "format"),
        (fichier(schema=2), "schema", "schema"),
        (fichier(schema=True), "schema", "schema"),
        (fichier(nom=12), "type", "nom"),
        (fichier(nom="  "), "nom", "nom"),
        (fichier(nom="a\u202eb"), "texte", ""),
        (fichier(nom="x" * 81), "trop_long", "nom"),
        (fichier(type_debiteur="a_qualifier"), "inconnu", "type_debiteur"),
        (fichier(type_debiteur=["entreprise"]), "type", "type_debiteur"),
        (fichier(regroupement="tout"), "inconnu", "regroupement"),
        (fichier(seuil_piece="-1"), "montant", "seuil_piece"),
        (fichier(seuil_piece="NaN"), "montant", "seuil_piece"),
        (fichier(seuil_piece="1e9999999"), "montant", "seuil_piece"),
        (fichier(seuil_envoi="0.001"), "montant", "seuil_envoi"),
        (fichier(seuil_envoi=30), "type", "seuil_envoi"),
        (fichier(plafond_envoi="mille"), "montant", "plafond_envoi"),
        (fichier(sans=["nom"]), "cle_manquante", ""),
        (fichier(statut="publiee"), "cle_inconnue", ""),
        # Paliers.
        (fichier(paliers={}), "type", "paliers"),
        (fichier(paliers=[]), "borne", "paliers"),
        (fichier(*[palier(rang=n) for n in range(1, 22)]), "borne", "paliers"),
        (fichier("palier"), "type", "paliers[0]"),
        (fichier(palier(), palier()), "rang_double", "paliers[1].rang"),
        (fichier(palier(rang=True)), "type", "paliers[0].rang"),
        (fichier(palier(rang=0)), "borne", "paliers[0].rang"),
        (fichier(palier(nature="injonction")), "inconnu", "paliers[0].nature"),
        (fichier(palier(nature=2)), "type", "paliers[0].nature"),
        (fichier(palier(reference="hier")), "inconnu", "paliers[0].reference"),
        (fichier(palier(delai=366)), "borne", "paliers[0].delai"),
        (fichier(palier(delai="5")), "type", "paliers[0].delai"),
        (fichier(palier(delai=-1)), "delai_negatif", "paliers[0].delai"),
        (fichier(palier(nature="avant_echeance", delai=-61)), "borne", "paliers[0].delai"),
        (fichier(palier(canaux=[])), "borne", "paliers[0].canaux"),
        (fichier(palier(canaux=["pigeon"])), "inconnu", "paliers[0].canaux"),
        (fichier(palier(canaux="courriel")), "type", "paliers[0].canaux"),
        (fichier(palier(canaux=[["courriel"]])), "type", "paliers[0].canaux"),
        (fichier(palier(nature="mise_en_demeure")), "mode_interdit", "paliers[0].mode"),
        (fichier(palier(delai_reponse=0)), "borne", "paliers[0].delai_reponse"),
        (fichier(palier(modele="../etc/passwd")), "inconnu", "paliers[0].modele"),
        (fichier(palier(modele="{{ client.objects }}")), "inconnu", "paliers[0].modele"),
        (fichier(palier(role_destinataire="voisin")), "inconnu", "paliers[0].role_destinataire"),
        (fichier(palier(code="import os")), "cle_inconnue", "paliers[0]"),
    ],
)  # fmt: skip
def test_un_fichier_hostile_est_refuse_en_nommant_la_faute_et_sa_place(octets, code, ou):
    with pytest.raises(FichierRefuse) as refus:
        lire(octets, **LISTES)
    assert (refus.value.code, refus.value.ou) == (code, ou)
    assert "%(" not in phrase_de_refus(refus.value)


def test_les_paliers_se_lisent_par_rang_et_les_facultatifs_se_taisent():
    second = palier(rang=9, nature="formalisation")
    del second["modele"], second["role_destinataire"]
    lu = lire(fichier(second, palier(rang=3)), **LISTES)
    assert [p.nature.name for p in lu.paliers] == ["RAPPEL_COURTOIS", "FORMALISATION"]
    assert (lu.seuil_envoi, lu.plafond_envoi, lu.paliers[1].modele) == (Decimal("30.00"), None, "")


def test_l_aller_retour_ne_change_rien():
    lu = lire(fichier(palier(modele="doux", role_destinataire="achats"), plafond_envoi="2500.50"), **LISTES)
    assert lire(ecrire(lu).encode(), **LISTES) == lu


@pytest.fixture
def societe(db):
    societe = SocieteFactory()
    installer_plans(societe)
    return societe


def publiee(societe, code="entreprise"):
    return VersionEchelle.objects.get(echelle__societe=societe, echelle__code=code, statut="publiee")


@pytest.mark.parametrize("code", ["entreprise", "administration", "particulier"])
def test_un_plan_exporte_s_importe_en_brouillon_identique(societe, code):
    """Jamais une version publiée : une personne relit, puis publie."""
    texte = echange_plans.exporter(publiee(societe, code))
    ailleurs = SocieteFactory()
    ailleurs.echelles.all().delete()
    version = echange_plans.importer(echange_plans.lire(texte.encode()), ailleurs, par=UtilisateurFactory())
    assert (version.statut, version.echelle.par_defaut) == ("brouillon", False)
    assert echange_plans.exporter(version) == texte


def test_un_import_dans_un_plan_refuse_un_autre_droit_et_un_brouillon_ouvert(societe):
    par = UtilisateurFactory()
    particulier = echange_plans.lire(echange_plans.exporter(publiee(societe, "particulier")).encode())
    entreprise = publiee(societe).echelle
    with pytest.raises(PlanInvalide, match="autre droit"):
        echange_plans.importer(particulier, societe, par=par, echelle=entreprise)
    nouveau_brouillon(entreprise, par=par)
    with pytest.raises(PlanInvalide, match="déjà ouvert"):
        echange_plans.importer(echange_plans.lire(fichier()), societe, par=par, echelle=entreprise)


def test_un_import_dans_un_plan_devient_son_brouillon(societe):
    plan = publiee(societe).echelle
    version = echange_plans.importer(echange_plans.lire(fichier()), societe, par=UtilisateurFactory(), echelle=plan)
    assert (version.echelle, version.statut, version.numero) == (plan, "brouillon", 2)
    assert list(version.paliers.values_list("nature", flat=True)) == [2]
    assert publiee(societe).paliers.count() == 5


def test_un_nom_deja_pris_refuse_l_import(societe):
    lu = echange_plans.lire(fichier(nom="Entreprise"))
    with pytest.raises(PlanInvalide, match="déjà ce nom"):
        echange_plans.importer(lu, societe, par=UtilisateurFactory())
