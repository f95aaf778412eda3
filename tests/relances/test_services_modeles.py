"""Modèles d'une société : brouillon, contrôle, publication, copie, échange, et lequel part."""

import json
from datetime import date, timedelta

import pytest
from django.utils import timezone
from hypothesis import given
from hypothesis import strategies as st

from recouvrement.comptes.models import Role
from recouvrement.journal.models import Maillon
from relances.domaine.natures import Nature
from relances.models import Courrier, Modele, Passage, VersionModele
from relances.rendu import contexte as c
from relances.rendu import livres
from relances.rendu.contexte import TypeDebiteur
from relances.rendu.livres import Genre
from relances.services import modeles
from relances.services.modeles import ModeleRefuse, TexteRefuse
from relances.services.preparation import figer, preparer
from relances.services.textes_en_vigueur import versions_pour
from tests.clients.factories import ClientFactory
from tests.comptes.factories import SocieteFactory, UtilisateurFactory
from tests.factures.factories import EcheanceFactory

pytestmark = pytest.mark.django_db
MARDI = date(2026, 2, 10)
RAPPEL = Genre(Nature.RAPPEL_COURTOIS, TypeDebiteur.ENTREPRISE, "courriel", "fr")
MISE = Genre(Nature.MISE_EN_DEMEURE, TypeDebiteur.ENTREPRISE, "lettre", "fr")
DEMANDE = "Merci de régler **[[total à payer]]** au plus tard le [[jour limite]]."


@pytest.fixture(autouse=True)
def un_mardi(time_machine):
    time_machine.move_to("2026-02-10 09:00 +0100", tick=False)


@pytest.fixture
def societe():
    return SocieteFactory()


@pytest.fixture
def par(societe):
    return UtilisateurFactory(role=Role.RESPONSABLE, societe=societe)


def publie(societe, par, genre=RAPPEL, **textes) -> VersionModele:
    version = modeles.personnaliser(societe, genre, par=par)
    modeles.enregistrer(version, textes=textes or {"demande": DEMANDE}, par=par)
    modeles.publier(version, par=par, au=MARDI)
    version.refresh_from_db()
    return version


def courrier_de(societe, *, nature=Nature.RAPPEL_COURTOIS, canal="courriel", client=None, modele="", **champs):
    """Un courrier projeté au palier de cette nature, et ses pièces."""
    client = client or ClientFactory(societe=societe)
    palier = societe.echelles.get(type_debiteur="entreprise").versions.get().paliers.filter(nature=nature).first()
    palier.modele = modele
    courrier = Courrier(societe=societe, client=client, palier=palier, nature=nature, canal=canal, devise="EUR",
                        statut=champs.pop("statut", "a_valider"), **champs)  # fmt: skip
    return courrier, [EcheanceFactory(client=client, echue_le=MARDI - timedelta(days=20))]


def texte_de(courrier, echeances) -> str:
    preparation = preparer(courrier, au=MARDI, echeances=echeances)
    assert preparation.manques == []
    return preparation.texte


# --- Écrire -----------------------------------------------------------------------------------------


def test_une_societe_neuve_n_a_aucun_modele_en_base_et_tout_part(societe):
    """La version 1 est le fichier livré : soixante lignes par société ne serviraient à rien."""
    assert Modele.objects.count() == 0
    assert "Un oubli arrive" in texte_de(*courrier_de(societe))


def test_personnaliser_ecrit_la_version_livree_puis_un_brouillon(societe, par):
    version = modeles.personnaliser(societe, RAPPEL, par=par)
    une, deux = version.modele.versions.order_by("numero")
    assert (une.numero, une.statut, une.textes) == (1, "publiee", {})
    assert (deux.numero, deux.statut) == (2, "brouillon")
    assert modeles.personnaliser(societe, RAPPEL, par=par) == version  # double clic


def test_un_texte_laisse_tel_quel_ou_vide_suit_le_livre(societe, par):
    version = modeles.personnaliser(societe, RAPPEL, par=par)
    complets = modeles.textes_complets(version)
    modeles.enregistrer(version, textes=complets | {"suites": "", "demande": DEMANDE}, par=par)
    version.refresh_from_db()
    assert version.textes == {"demande": DEMANDE}


@pytest.mark.parametrize(
    ("texte", "phrase"),
    [
        ("{{ client.objects }}", "« {{ » partirait tel quel"),
        ("{% load x %}", "« {% » partirait tel quel"),
        ("<b>" * 13_000, "39000 caractères"),
        ("<img src=//pixel>", "« <img » n'est pas du texte"),
        ("voir https://pix.example/p.gif", "est un lien ou une image"),
        ("[[client.objects]]", "n'est pas une valeur de ce courrier"),
        ("[[totla à payer]]", "Vouliez-vous dire « [[total à payer]] »"),
        ("[[total à payer", "il manque un crochet"),
        ("[[indemnités]]", "n'est pas une valeur de ce courrier"),  # rien de tel dans un rappel courtois
    ],
)
def test_un_texte_hostile_ou_faux_est_refuse_en_disant_quoi_et_ou(societe, par, texte, phrase):
    version = modeles.personnaliser(societe, RAPPEL, par=par)
    with pytest.raises(TexteRefuse) as refus:
        modeles.enregistrer(version, textes={"demande": texte}, par=par)
    assert phrase in refus.value.fautes["demande"][0]
    version.refresh_from_db()
    assert version.textes == {}


def test_un_paragraphe_que_le_modele_n_a_pas_est_refuse(societe, par):
    """Les blocs de l'application ne se remplacent pas."""
    version = modeles.personnaliser(societe, RAPPEL, par=par)
    with pytest.raises(TexteRefuse, match="n'a pas de paragraphe « paiement »"):
        modeles.enregistrer(version, textes={"paiement": "IBAN d'un autre"}, par=par)


def test_la_partie_qui_manque_ferme_la_publication_en_se_nommant(societe, par):
    """Exigence 23 : le brouillon s'enregistre, il ne se publie pas."""
    version = modeles.personnaliser(societe, RAPPEL, par=par)
    modeles.enregistrer(version, textes={"politesse": "À vous lire."}, par=par)
    version.refresh_from_db()
    phrases = [m.phrase for m in modeles.controler(version.modele, version.textes, au=MARDI)]
    assert [p.replace("\u00a0", " ") for p in phrases] == ["Le texte n’a plus : politesse"]
    with pytest.raises(ModeleRefuse, match="politesse"):
        modeles.publier(version, par=par, au=MARDI)


def test_une_mise_en_demeure_garde_ses_mots(societe, par):
    """Exigence 25 ; C. civ., art. 1344."""
    version = modeles.personnaliser(societe, MISE, par=par)
    modeles.enregistrer(version, textes={"demande": "Merci de payer [[total à payer]] le [[jour limite]]."}, par=par)
    version.refresh_from_db()
    codes = {m.code for m in modeles.controler(version.modele, version.textes, au=MARDI)}
    assert "mention" in codes


@pytest.mark.parametrize(
    ("textes", "code"),
    [
        ({"objet": "Facture [[numéro de facture]], [[date limite]] " + "x" * 250}, "objet_long"),
        ({"ouverture": "[[objet du contrat]]"}, "paragraphe_vide"),
    ],
)
def test_un_objet_sans_fin_ou_un_paragraphe_vide_ferme_la_publication(societe, par, textes, code, monkeypatch):
    version = modeles.personnaliser(societe, RAPPEL, par=par)
    modeles.enregistrer(version, textes=textes, par=par)
    version.refresh_from_db()
    monkeypatch.setattr("relances.rendu.exemple.Contrat", lambda **_champs: c.Contrat())
    assert [m.code for m in modeles.controler(version.modele, version.textes, au=MARDI)][0] == code


def test_un_consommateur_n_entend_pas_parler_de_penalites(societe, par):
    """Exigence 24."""
    genre = Genre(Nature.FORMALISATION, TypeDebiteur.PARTICULIER, "lettre", "fr")
    version = modeles.personnaliser(societe, genre, par=par)
    modeles.enregistrer(version, textes={"suites": "Passé cette date, une pénalité sera due."}, par=par)
    version.refresh_from_db()
    assert modeles.controler(version.modele, version.textes, au=MARDI)
    with pytest.raises(ModeleRefuse):
        modeles.publier(version, par=par, au=MARDI)


def test_une_version_publiee_ne_se_modifie_plus(societe, par):
    version = publie(societe, par)
    with pytest.raises(ModeleRefuse, match="ne se modifie plus"):
        modeles.enregistrer(version, textes={"demande": "Autre"}, par=par)
    with pytest.raises(ModeleRefuse, match="ne se modifie plus"):
        modeles.publier(version, par=par, au=MARDI)


def test_deux_personnes_sur_le_meme_brouillon_ne_s_ecrasent_pas(societe, par):
    version = modeles.personnaliser(societe, RAPPEL, par=par)
    vu = modeles.empreinte(version.textes)
    modeles.enregistrer(version, textes={"demande": DEMANDE}, par=par, attendu=vu)
    with pytest.raises(ModeleRefuse, match="entre-temps"):
        modeles.enregistrer(version, textes={"suites": "Autre"}, par=par, attendu=vu)


def test_revenir_a_une_version_la_copie(societe, par):
    une = publie(societe, par)
    deux = modeles.ouvrir_brouillon(une.modele, par=par)
    modeles.enregistrer(deux, textes={}, par=par)
    modeles.publier(deux, par=par, au=MARDI)
    une.refresh_from_db()
    retour = modeles.ouvrir_brouillon(une.modele, par=par, depuis=une)
    assert (retour.textes, retour.numero, une.statut) == (une.textes, 4, "retiree")
    with pytest.raises(ModeleRefuse, match="déjà ouvert"):
        modeles.ouvrir_brouillon(une.modele, par=par, depuis=une)


def test_publier_sans_rien_changer_est_refuse(societe, par):
    version = modeles.personnaliser(societe, RAPPEL, par=par)
    with pytest.raises(ModeleRefuse, match="Rien n'a changé"):
        modeles.publier(version, par=par, au=MARDI)


def test_abandonner_le_seul_brouillon_efface_le_modele(societe, par):
    version = modeles.copier(societe, RAPPEL, {}, code="ferme", nom="Ferme", par=par)
    modeles.abandonner(version, par=par)
    assert Modele.objects.count() == 0
    with pytest.raises(ModeleRefuse, match="abandonné"):
        modeles.enregistrer(version, textes={}, par=par)


def test_copier_dans_une_autre_langue_garde_ce_qui_y_est_recevable(societe, par):
    version = publie(societe, par, demande=DEMANDE, suites="À défaut, [[civilité]], nous écrirons.")
    anglais = RAPPEL._replace(langue="en")
    copie = modeles.copier(societe, anglais, version.textes, code="standard", nom="", par=par)
    assert copie.textes == {"demande": DEMANDE}  # [[civilité]] n'existe pas en anglais
    with pytest.raises(ModeleRefuse, match="existe déjà"):
        modeles.copier(societe, anglais, {}, code="standard", nom="", par=par)


def test_un_modele_qu_un_plan_publie_nomme_ne_se_retire_pas(societe, par):
    version = modeles.copier(societe, RAPPEL, {"demande": DEMANDE}, code="ferme", nom="Ferme", par=par)
    modeles.publier(version, par=par, au=MARDI)
    palier = societe.echelles.get(type_debiteur="entreprise").versions.get().paliers.filter(nature=2).first()
    palier.modele = "ferme"
    palier.save()
    with pytest.raises(ModeleRefuse, match=palier.version.echelle.nom):
        modeles.retirer(version.modele, par=par)
    palier.modele = ""
    palier.save()
    modeles.retirer(version.modele, par=par)
    assert versions_pour(courrier_de(societe, modele="ferme")[0]) == {}


def test_chaque_geste_laisse_un_maillon(societe, par):
    version = publie(societe, par)
    modeles.retirer(version.modele, par=par)
    actions = list(
        Maillon.objects.filter(action__startswith="modele.").order_by("rang").values_list("action", flat=True)
    )
    assert actions == ["modele.brouillon", "modele.enregistre", "modele.publie", "modele.retire"]


# --- Échanger ---------------------------------------------------------------------------------------


def test_un_export_reimporte_ailleurs_dit_la_meme_chose(societe, par):
    version = publie(societe, par)
    donnees = json.loads(json.dumps(modeles.exporter(version)))
    ailleurs = SocieteFactory()
    importe = modeles.importer(ailleurs, donnees, par=par)
    assert (importe.statut, importe.textes, importe.modele.societe) == ("brouillon", version.textes, ailleurs)
    assert modeles.textes_complets(importe) == modeles.textes_complets(version)
    with pytest.raises(ModeleRefuse, match="déjà ouvert"):
        modeles.importer(ailleurs, donnees, par=par)


@pytest.mark.parametrize(
    ("change", "phrase"),
    [
        ({"format": "autre"}, "pas un modèle exporté"),
        ({"version": 2}, "Version de fichier inconnue"),
        ({"auteur": "x"}, "en trop ou absents : auteur"),
        ({"nature": "huissier"}, "Palier ou type"),
        ({"support": "fax"}, "Support ou langue"),
        ({"nature": "mise_en_demeure"}, "Aucun texte n'est livré"),  # aucun courriel de mise en demeure
        ({"nom": 3}, "du texte"),
        ({"paragraphes": {"demande": ["x"]}}, "du texte"),
        ({"paragraphes": {"demande": "{{ client.objects }}"}}, "partirait tel quel"),
        ({"paragraphes": {"demande": "<p>" * 13_000}}, "39000 caractères"),
        ({"paragraphes": {"signature": "Me Dupont"}}, "n'a pas de paragraphe"),
    ],
)
def test_un_import_faux_ou_hostile_est_refuse_sans_rien_ecrire(societe, par, change, phrase):
    donnees = modeles.exporter(publie(societe, par)) | change
    avant = VersionModele.objects.count()
    with pytest.raises(ModeleRefuse, match=phrase.replace("{", r"\{")):
        modeles.importer(societe, donnees, par=par)
    assert VersionModele.objects.count() == avant


@pytest.mark.parametrize("donnees", [None, [], "x", 3, {}])
def test_un_import_qui_n_est_pas_un_modele_est_refuse(societe, par, donnees):
    with pytest.raises(ModeleRefuse, match="pas un modèle exporté"):
        modeles.importer(societe, donnees, par=par)


JSON = st.recursive(
    st.none() | st.booleans() | st.integers() | st.text(max_size=20),
    lambda x: st.lists(x, max_size=3) | st.dictionaries(st.text(max_size=10), x, max_size=3),
    max_leaves=8,
)
PRESQUE = {
    "format": "recouvrement.modele", "version": 1, "code": "x", "nom": "X", "nature": "rappel_courtois",
    "type_debiteur": "entreprise", "support": "courriel", "langue": "fr", "note": "", "paragraphes": {},
}  # fmt: skip


@given(st.dictionaries(st.sampled_from([*PRESQUE, "autre"]), JSON, max_size=4))
def test_hypothesis_un_fichier_presque_juste_est_lu_ou_refuse_jamais_autre_chose(change):
    try:
        genre, textes = modeles._lire(PRESQUE | change)
    except ModeleRefuse:
        return
    assert genre.paragraphes() and all(isinstance(t, str) for t in textes.values())


# --- Lequel part ------------------------------------------------------------------------------------


def test_le_modele_publie_part_et_le_brouillon_non(societe, par):
    version = publie(societe, par)
    brouillon = modeles.ouvrir_brouillon(version.modele, par=par)
    modeles.enregistrer(brouillon, textes={"demande": "Pourriez-vous payer au plus tard le [[jour limite]] ?"}, par=par)
    texte = texte_de(*courrier_de(societe))
    assert "Merci de régler 1" in texte.replace("\u00a0", " ") and "Pourriez-vous payer" not in texte


@pytest.mark.parametrize(("nomme", "attendu"), [("", "standard"), ("ferme", "ferme"), ("absent", "standard")])
def test_le_palier_nomme_son_modele_sinon_le_standard(societe, par, nomme, attendu):
    publie(societe, par, demande="Merci de régler le standard au plus tard le [[jour limite]].")
    ferme = modeles.copier(societe, RAPPEL, {"demande": "Merci de régler, ferme, au plus tard le [[jour limite]]."},
                           code="ferme", nom="Ferme", par=par)  # fmt: skip
    modeles.publier(ferme, par=par, au=MARDI)
    texte = texte_de(*courrier_de(societe, modele=nomme))
    assert ("le standard" in texte, "ferme" in texte) == (attendu == "standard", attendu == "ferme")


def test_le_modele_d_un_autre_type_d_une_autre_langue_ou_d_une_autre_societe_ne_part_pas(societe, par):
    publie(SocieteFactory(), par)
    publie(societe, par, genre=RAPPEL._replace(type_debiteur=TypeDebiteur.PARTICULIER))
    publie(societe, par, genre=RAPPEL._replace(langue="en"),
           demande="Please pay [[total à payer]] by [[jour limite]].")  # fmt: skip
    assert versions_pour(courrier_de(societe)[0]) == {}


def test_un_courrier_valide_garde_le_texte_que_la_personne_a_lu(societe, par, time_machine):
    """Deux versions de suite : revenu à valider, il suit celle du jour."""
    publie(societe, par)
    courrier, echeances = courrier_de(societe, statut="a_envoyer", valide_le=timezone.now() + timedelta(minutes=1))
    time_machine.move_to("2026-02-10 10:00 +0100", tick=False)
    suivante = modeles.ouvrir_brouillon(Modele.objects.get(), par=par)
    modeles.enregistrer(suivante, textes={"demande": "Pourriez-vous payer au plus tard le [[jour limite]] ?"}, par=par)
    modeles.publier(suivante, par=par, au=MARDI)
    assert "Merci de régler" in texte_de(courrier, echeances)
    courrier.statut = "a_valider"
    assert "Pourriez-vous payer" in texte_de(courrier, echeances)


def test_valide_sous_le_texte_livre_il_le_garde(societe, par, time_machine):
    courrier, echeances = courrier_de(societe, statut="a_envoyer", valide_le=timezone.now())
    time_machine.move_to("2026-02-10 10:00 +0100", tick=False)
    publie(societe, par)
    assert "Un oubli arrive" in texte_de(courrier, echeances)


def test_une_insertion_que_le_courrier_n_a_pas_l_arrete_en_se_nommant(societe, par):
    genre = RAPPEL._replace(nature=Nature.FORMALISATION)
    publie(societe, par, genre=genre, demande=f"Après [[nos rappels]]. {DEMANDE}")
    courrier, echeances = courrier_de(societe, nature=Nature.FORMALISATION)
    (manque,) = preparer(courrier, au=MARDI, echeances=echeances).manques
    assert manque.code == "insertion_vide" and "nos rappels" in manque.phrase and manque.ou_corriger == "modele"


def test_une_insertion_que_l_exemple_n_a_pas_ferme_la_publication(societe, par):
    """Un premier rappel n'en suit aucun : le texte bloquerait tous les courriers."""
    with pytest.raises(ModeleRefuse, match="nos rappels"):
        publie(societe, par, demande=f"Après [[nos rappels]]. {DEMANDE}")


def test_un_texte_devenu_faux_en_base_arrete_le_courrier_sans_lever(societe, par):
    version = publie(societe, par)
    VersionModele.objects.filter(pk=version.pk).update(textes={"demande": "[[disparue]]"})
    courrier, echeances = courrier_de(societe)
    assert [m.code for m in preparer(courrier, au=MARDI, echeances=echeances).manques] == ["variable_inconnue"]


@pytest.mark.parametrize(
    "genre", livres.catalogue(), ids=lambda g: f"{g.type_debiteur}-{g.nature.name}-{g.support}-{g.langue}"
)
def test_chaque_texte_livre_se_controle_et_se_reprend_tel_quel(societe, par, genre):
    """Point de départ de l'éditeur : le même texte, dans le langage fermé, sans une faute (exigence 23)."""
    version = modeles.personnaliser(societe, genre, par=par)
    assert modeles.controler(version.modele, {}, au=MARDI) == []
    modeles.enregistrer(version, textes=modeles.textes_complets(version), par=par)
    version.refresh_from_db()
    assert version.textes == {}


def test_l_envoi_ecrit_la_version_du_modele_qui_est_partie(societe, par):
    version = publie(societe, par)
    courrier, echeances = courrier_de(societe, statut="en_cours")
    courrier.palier.save()
    courrier.passage = Passage.objects.create(societe=societe, au=MARDI, numero=1)
    courrier.save()
    figer(courrier, preparer(courrier, au=MARDI, echeances=echeances), au=MARDI)
    courrier.refresh_from_db()
    assert courrier.modele_version == version and "Merci de régler" in courrier.texte
