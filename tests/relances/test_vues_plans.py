"""Écran des plans : brouillon, palier par palier, comparaison, contrôle, publication."""

from datetime import date, timedelta

import pytest
from django.core.files.uploadedfile import SimpleUploadedFile
from django.urls import reverse

from recouvrement.comptes.models import Role
from relances.domaine.natures import Nature
from relances.models import Modele, Palier, VersionEchelle, VersionModele
from relances.services.brouillons import empreinte
from relances.services.comparaison import comparer
from relances.services.plans import installer_plans
from tests.clients.factories import ClientFactory
from tests.comptes.factories import SocieteFactory, UtilisateurFactory
from tests.factures.factories import EcheanceFactory

pytestmark = pytest.mark.django_db
MARDI = date(2026, 2, 10)


@pytest.fixture(autouse=True)
def un_mardi(time_machine):
    time_machine.move_to("2026-02-10 09:00 +0100", tick=False)


@pytest.fixture
def societe():
    societe = SocieteFactory()
    installer_plans(societe)
    return societe


@pytest.fixture
def publiee(societe):
    return VersionEchelle.objects.get(echelle__societe=societe, echelle__code="entreprise", statut="publiee")


@pytest.fixture
def brouillon(client, societe, publiee):
    client.force_login(UtilisateurFactory(role=Role.RESPONSABLE, societe=societe))
    client.post(reverse("relances:plan_brouillon", args=[publiee.echelle_id]))
    return VersionEchelle.objects.get(echelle=publiee.echelle, statut="brouillon")


def saisie(p: Palier, **champs) -> dict:
    base = {"reference": p.reference, "delai": p.delai, "delai_reponse": p.delai_reponse, "mode": p.mode,
            "modele": p.modele, "role_destinataire": p.role_destinataire}  # fmt: skip
    base |= {f"canal_{n}": canal for n, canal in enumerate(p.canaux, 1)}
    return {f"p{p.pk}-{nom}": valeur for nom, valeur in (base | champs).items()}


def publication(version, **champs) -> dict:
    version = VersionEchelle.objects.get(pk=version.pk)
    return {"version": version.pk, "etat": empreinte(version), "reprise": "nouvelles", "note": "essai"} | champs


def palier(version, nature) -> Palier:
    return version.paliers.filter(nature=nature).order_by("rang").first()


def texte(reponse) -> str:
    return reponse.content.decode().replace("\u00a0", " ")


def adresse(nom, *args):
    return reverse(f"relances:{nom}", args=args)


def test_un_plan_se_modifie_en_brouillon_puis_se_publie(client, societe, publiee, brouillon):
    """Exigence 7 ; la version publiée ne bouge pas tant que le brouillon ne l'est pas."""
    p = palier(brouillon, Nature.RAPPEL_COURTOIS)
    assert client.post(adresse("plan_palier", p.pk), saisie(p, delai=8)).status_code == 303
    html = client.get(adresse("plan", publiee.echelle_id), {"palier": p.pk}).content.decode()
    assert "J+8" in html and "5 dans la version publiée" in html
    assert palier(publiee, Nature.RAPPEL_COURTOIS).delai == 5
    client.post(adresse("plan_publier", publiee.echelle_id), publication(brouillon))
    publiee.refresh_from_db()
    brouillon.refresh_from_db()
    assert (publiee.statut, brouillon.statut) == ("retiree", "publiee")
    refus = client.post(adresse("plan_palier", p.pk), saisie(p, delai=3), follow=True)
    assert "ne se modifie plus" in refus.content.decode()
    assert palier(brouillon, Nature.RAPPEL_COURTOIS).delai == 8


def test_la_comparaison_nomme_le_client_et_la_saisie_en_cours_n_ecrit_rien(client, societe, publiee, brouillon):
    echeance = EcheanceFactory(societe=societe, echue_le=MARDI - timedelta(days=6))
    p = palier(brouillon, Nature.RAPPEL_COURTOIS)
    url = adresse("plan_comparaison", publiee.echelle_id)
    assert "rien ne changerait" in texte(client.get(url))
    html = texte(client.get(url, saisie(p, delai=8)))
    assert "Si publié : 1 client changerait" in html
    assert echeance.client.raison_sociale in html
    assert "Saisie en cours comprise" in html
    p.refresh_from_db()
    assert p.delai == 5
    assert "incomplète" in client.get(url, saisie(p, delai="x")).content.decode()


@pytest.mark.parametrize(("delai", "tot", "tard", "ecart"), [(8, 0, 1, 2), (3, 0, 0, None), (7, 0, 1, 1)])
def test_plus_tot_plus_tard_en_jours(societe, publiee, brouillon, delai, tot, tard, ecart):
    """Échue depuis six jours : relancée ce soir à J+5 ; à J+8 elle part deux jours plus tard."""
    EcheanceFactory(societe=societe, echue_le=MARDI - timedelta(days=6))
    p = palier(brouillon, Nature.RAPPEL_COURTOIS)
    p.delai = delai
    p.save()
    constat = comparer(VersionEchelle.objects.get(pk=brouillon.pk), au=MARDI)
    assert (constat.plus_tot, constat.plus_tard) == (tot, tard)
    if ecart:
        assert constat.par_palier[Nature.RAPPEL_COURTOIS].tard == [ecart, ecart]


def test_une_mise_en_demeure_avancee_a_ce_soir_est_annoncee(societe, publiee, brouillon):
    echeance = EcheanceFactory(societe=societe, echue_le=MARDI - timedelta(days=60))
    type(echeance).objects.filter(pk=echeance.pk).update(
        niveau=4, niveau_rang=3, niveau_version=publiee.pk, niveau_le=MARDI - timedelta(days=12)
    )
    Palier.objects.filter(version=brouillon, nature=Nature.MISE_EN_DEMEURE).update(delai=10)
    constat = comparer(VersionEchelle.objects.get(pk=brouillon.pk), au=MARDI, reprise="toutes")
    assert constat.ce_soir == [echeance.client_id]


def test_la_comparaison_ne_montre_que_son_portefeuille(client, societe, publiee, brouillon):
    """Exigence 39."""
    EcheanceFactory(societe=societe, echue_le=MARDI - timedelta(days=6))
    client.force_login(UtilisateurFactory(role=Role.GESTIONNAIRE, societe=societe))
    p = palier(brouillon, Nature.RAPPEL_COURTOIS)
    assert "rien ne changerait" in texte(
        client.get(adresse("plan_comparaison", publiee.echelle_id), saisie(p, delai=8))
    )


@pytest.mark.parametrize(
    ("nature", "champs", "faute"),
    [
        (Nature.MISE_EN_DEMEURE, {"mode": "automatique"}, "mode"),
        (Nature.MISE_EN_DEMEURE, {"canal_1": "courriel"}, "canal_1"),
        (Nature.RAPPEL_COURTOIS, {"delai": -3}, "delai"),
        (Nature.RAPPEL_COURTOIS, {"canal_2": "courriel"}, "canal_2"),
        (Nature.APPEL, {"mode": "automatique"}, "mode"),
    ],
)
def test_un_reglage_interdit_est_refuse_a_sa_place(client, brouillon, nature, champs, faute):
    p = palier(brouillon, nature)
    reponse = client.post(adresse("plan_palier", p.pk), saisie(p, **champs))
    assert reponse.status_code == 422
    assert faute in reponse.context["form"].errors


def test_l_ordre_des_canaux_est_canal_puis_repli(client, brouillon):
    p = palier(brouillon, Nature.RAPPEL_COURTOIS)
    client.post(adresse("plan_palier", p.pk), saisie(p, canal_1="lettre", canal_2="courriel"))
    p.refresh_from_db()
    assert p.canaux == ["lettre", "courriel"]


def test_retirer_puis_ajouter_un_palier_garde_l_ordre(client, publiee, brouillon):
    client.post(adresse("plan_retirer", palier(brouillon, Nature.APPEL).pk))
    assert list(brouillon.paliers.values_list("rang", "nature").order_by("rang")) == [(1, 2), (2, 4), (3, 5), (4, 6)]
    client.post(adresse("plan_ajouter", publiee.echelle_id), {"nature": Nature.APPEL.value})
    assert list(brouillon.paliers.order_by("rang").values_list("nature", flat=True)) == [2, 3, 4, 5, 6]
    assert publiee.paliers.count() == 5


def test_un_plan_dont_le_controle_echoue_ne_se_publie_pas(client, publiee, brouillon):
    """Sans formalisation, la mise en demeure ne partirait jamais : « Publier » est fermé et le manque nommé."""
    client.post(adresse("plan_retirer", palier(brouillon, Nature.FORMALISATION).pk))
    html = client.get(adresse("plan", publiee.echelle_id)).content.decode()
    assert "sans formalisation avant elle" in html and "disabled" in html
    reponse = client.post(adresse("plan_publier", publiee.echelle_id), publication(brouillon), follow=True)
    assert "contrôle du plan" in reponse.content.decode()
    brouillon.refresh_from_db()
    assert brouillon.statut == "brouillon"


def test_les_regles_du_plan_s_enregistrent_dans_le_brouillon(client, publiee, brouillon):
    """Exigence 16."""
    donnees = {"seuil_piece": "15,00 €", "seuil_envoi": "30", "plafond_envoi": "", "regroupement": "plus_haut"}
    client.post(adresse("plan_regles", publiee.echelle_id), donnees)
    brouillon.refresh_from_db()
    assert (brouillon.seuil_piece, brouillon.seuil_envoi, brouillon.plafond_envoi) == (15, 30, None)
    assert client.post(adresse("plan_regles", publiee.echelle_id), donnees | {"seuil_piece": "x"}).status_code == 422


def test_abandonner_efface_le_brouillon_et_lui_seul(client, publiee, brouillon):
    client.post(adresse("plan_abandonner", publiee.echelle_id))
    assert list(VersionEchelle.objects.filter(echelle=publiee.echelle)) == [publiee]
    encore = client.post(adresse("plan_abandonner", publiee.echelle_id), follow=True)
    assert "publié ou abandonné dans un autre onglet" in encore.content.decode()


def test_un_gestionnaire_lit_le_plan_sans_pouvoir_le_regler(client, societe, publiee):
    client.force_login(UtilisateurFactory(role=Role.GESTIONNAIRE, societe=societe))
    assert client.get(adresse("plans")).status_code == 200
    html = client.get(adresse("plan", publiee.echelle_id)).content.decode()
    assert "Modifier dans un brouillon" not in html
    assert client.post(adresse("plan_brouillon", publiee.echelle_id)).status_code == 403


def test_le_plan_d_une_autre_societe_est_introuvable(client, brouillon):
    autre = SocieteFactory()
    installer_plans(autre)
    echelle = autre.echelles.first()
    for nom in ("plan", "plan_comparaison"):
        assert client.get(adresse(nom, echelle.pk)).status_code == 404
    for nom in ("plan_publier", "plan_regles", "plan_ajouter", "plan_abandonner", "plan_brouillon"):
        assert client.post(adresse(nom, echelle.pk)).status_code == 404
    p = Palier.objects.filter(version__echelle=echelle).first()
    for nom in ("plan_palier", "plan_retirer"):
        assert client.post(adresse(nom, p.pk)).status_code == 404


@pytest.mark.parametrize("nombre", [1, 12])
def test_la_liste_des_plans_a_un_nombre_de_requetes_fixe(
    client, societe, publiee, nombre, django_assert_max_num_queries
):
    client.force_login(UtilisateurFactory(role=Role.RESPONSABLE, societe=societe))
    for n in range(nombre):
        societe.echelles.create(code=f"plan-{n}", nom=f"Plan {n}", type_debiteur="entreprise", par_defaut=False)
    client.get(adresse("plans"))
    with django_assert_max_num_queries(24):
        client.get(adresse("plans"))


# --- Publication ------------------------------------------------------------------------------------


def test_publier_demande_une_note_et_garde_la_reprise_choisie(client, publiee, brouillon):
    url = adresse("plan_publier", publiee.echelle_id)
    sans_note = client.post(url, publication(brouillon, note="  "))
    assert sans_note.status_code == 422 and "note" in sans_note.context["publication"].errors
    client.post(url, publication(brouillon, note="plus doux", reprise="toutes"))
    brouillon.refresh_from_db()
    assert (brouillon.statut, brouillon.note, brouillon.reprise) == ("publiee", "plus doux", "toutes")


def test_un_brouillon_change_dans_un_autre_onglet_ne_se_publie_pas_sans_relire(client, publiee, brouillon):
    lu = publication(brouillon)
    brouillon.paliers.filter(rang=1).update(delai=9)
    reponse = client.post(adresse("plan_publier", publiee.echelle_id), lu, follow=True)
    assert "Le brouillon a changé" in texte(reponse)
    brouillon.refresh_from_db()
    assert brouillon.statut == "brouillon"


def test_publier_deux_fois_de_suite_le_dit_sans_effet_double(client, publiee, brouillon):
    lu = publication(brouillon)
    client.post(adresse("plan_publier", publiee.echelle_id), lu)
    encore = client.post(adresse("plan_publier", publiee.echelle_id), lu, follow=True)
    assert "publié ou abandonné dans un autre onglet" in texte(encore)
    assert VersionEchelle.objects.filter(echelle=publiee.echelle, statut="publiee").count() == 1


def test_un_palier_disparu_dans_un_autre_onglet_le_dit(client, publiee, brouillon):
    p = palier(brouillon, Nature.APPEL)
    donnees = saisie(p, delai=13) | {"plan": publiee.echelle_id}
    client.post(adresse("plan_abandonner", publiee.echelle_id))
    for nom in ("plan_palier", "plan_retirer", "plan_deplacer"):
        reponse = client.post(adresse(nom, p.pk), donnees | {"pas": 1}, follow=True)
        assert "plus dans le brouillon" in texte(reponse)
    assert client.post(adresse("plan_palier", p.pk), saisie(p)).status_code == 404


def test_le_volet_compte_les_pieces_deja_relancees(client, societe, publiee, brouillon):
    echeance = EcheanceFactory(societe=societe, echue_le=MARDI - timedelta(days=10))
    type(echeance).objects.filter(pk=echeance.pk).update(niveau=2, niveau_rang=1, niveau_version=publiee.pk)
    html = texte(client.get(adresse("plan", publiee.echelle_id)))
    assert "1 pièce est déjà relancée par ce plan" in html


# --- Palier complet ---------------------------------------------------------------------------------


def test_modele_destinataire_et_canaux_en_nombre_se_reglent(client, societe, publiee, brouillon):
    """Exigence 7 : canal, modèle, mode ; autant de canaux que la nature en permet."""
    modele = Modele.objects.create(societe=societe, code="doux", nom="Doux", nature=2, type_debiteur="entreprise",
                                   support="courriel")  # fmt: skip
    VersionModele.objects.create(modele=modele, numero=1, statut="publiee")
    p = palier(brouillon, Nature.RAPPEL_COURTOIS)
    champs = {"canal_1": "sms", "canal_2": "", "canal_3": "lettre", "canal_4": "courriel"}
    client.post(adresse("plan_palier", p.pk), saisie(p, modele="doux", role_destinataire="achats", **champs))
    p.refresh_from_db()
    assert (p.modele, p.role_destinataire, p.canaux) == ("doux", "achats", ["sms", "lettre", "courriel"])


def test_un_modele_inconnu_se_refuse_et_un_modele_retire_bloque_la_publication(client, publiee, brouillon):
    p = palier(brouillon, Nature.RAPPEL_COURTOIS)
    assert client.post(adresse("plan_palier", p.pk), saisie(p, modele="absent")).status_code == 422
    brouillon.paliers.filter(pk=p.pk).update(modele="absent")
    html = texte(client.get(adresse("plan", publiee.echelle_id), {"palier": p.pk}))
    assert "modèle nommé n&#x27;est pas publié" in html and "absent (introuvable)" in html
    assert f"?palier={p.pk}#id_p{p.pk}-modele" in html


@pytest.mark.parametrize(("delai", "code"), [(-61, 422), (-60, 303), (365, 303), (366, 422)])
def test_les_bornes_du_delai_a_l_ecran(client, brouillon, delai, code):
    nature = Nature.AVANT_ECHEANCE if delai < 0 else Nature.RAPPEL_COURTOIS
    client.post(adresse("plan_ajouter", brouillon.echelle_id), {"nature": Nature.AVANT_ECHEANCE.value})
    p = palier(brouillon, nature)
    assert client.post(adresse("plan_palier", p.pk), saisie(p, delai=delai)).status_code == code


def test_un_palier_se_deplace_sans_script(client, publiee, brouillon):
    p = palier(brouillon, Nature.RAPPEL_COURTOIS)
    client.post(adresse("plan_deplacer", p.pk), {"pas": "1"})
    assert list(brouillon.paliers.order_by("rang").values_list("nature", flat=True)) == [3, 2, 4, 5, 6]
    assert "plus grave" in texte(client.get(adresse("plan", publiee.echelle_id)))
    assert client.post(adresse("plan_deplacer", p.pk), {"pas": "9"}, follow=True).status_code == 200


# --- Plans de la société, versions, échange ---------------------------------------------------------


def test_creer_renommer_affecter_puis_retirer_un_plan(client, societe, publiee, brouillon):
    """De bout en bout : copie, publication, clients, retour, retrait."""
    debiteur = ClientFactory(societe=societe, type="entreprise", raison_sociale="Belcourt")
    origine = {"nom": "Doux", "depuis": f"plan-{publiee.echelle_id}"}
    assert client.post(adresse("plan_creer"), origine).status_code == 303
    doux = societe.echelles.get(nom="Doux")
    assert client.post(adresse("plan_creer"), origine).status_code == 422
    client.post(adresse("plan_affecter", doux.pk), {"choix": debiteur.pk})
    assert not debiteur.echelles.exists()  # rien de publié : refus dit
    client.post(adresse("plan_publier", doux.pk), publication(doux.versions.get()))
    assert "Belcourt" in texte(client.get(adresse("plan_clients", doux.pk), {"q": "belc"}))
    client.post(adresse("plan_affecter", doux.pk), {"choix": debiteur.pk})
    assert list(debiteur.echelles.all()) == [doux]
    assert client.post(adresse("plan_renommer", doux.pk), {"nom": "Entreprise"}).status_code == 422
    client.post(adresse("plan_renommer", doux.pk), {"nom": "Très doux"})
    refus = client.post(adresse("plan_retirer_plan", doux.pk), follow=True)
    assert "1 client suit encore ce plan" in texte(refus)
    client.post(adresse("plan_affecter", doux.pk), {"choix": debiteur.pk, "rendre": "1"})
    client.post(adresse("plan_retirer_plan", doux.pk))
    assert not societe.echelles.filter(pk=doux.pk).exists()


def test_le_plan_d_un_client_se_choisit_parmi_ceux_de_son_droit(client, societe, publiee, brouillon):
    client.post(adresse("plan_creer"), {"nom": "Doux", "depuis": "livre-entreprise"})
    doux = societe.echelles.get(nom="Doux")
    client.post(adresse("plan_publier", doux.pk), publication(doux.versions.get()))
    debiteur = ClientFactory(societe=societe, type="entreprise")
    url = adresse("plan_du_client", debiteur.pk)
    html = texte(client.get(url))
    assert "Doux" in html and "Particulier" not in html
    client.post(url, {"echelle": doux.pk})
    assert list(debiteur.echelles.all()) == [doux]
    client.post(url, {"echelle": ""})
    assert not debiteur.echelles.exists()
    particulier = ClientFactory(societe=societe, type="particulier")
    assert client.post(adresse("plan_du_client", particulier.pk), {"echelle": doux.pk}).status_code == 422


def test_l_historique_montre_auteur_note_et_differences_et_l_on_revient(client, publiee, brouillon):
    p = palier(brouillon, Nature.RAPPEL_COURTOIS)
    client.post(adresse("plan_palier", p.pk), saisie(p, delai=8))
    client.post(adresse("plan_publier", publiee.echelle_id), publication(brouillon, note="trois jours de plus"))
    url = adresse("plan_versions", publiee.echelle_id)
    html = texte(client.get(url, {"avant": 1, "apres": 2}))
    assert "trois jours de plus" in html and "5 j" in html and "8 j" in html
    client.post(adresse("plan_revenir", publiee.echelle_id), {"version": 1})
    retour = VersionEchelle.objects.get(echelle=publiee.echelle, statut="brouillon")
    assert (retour.numero, palier(retour, Nature.RAPPEL_COURTOIS).delai) == (3, 5)
    assert "existe plus" in texte(client.post(adresse("plan_revenir", publiee.echelle_id), {"version": 9}, follow=True))


def test_exporter_puis_importer_cree_un_plan_en_brouillon(client, societe, publiee, brouillon):
    reponse = client.get(adresse("plan_exporter", publiee.echelle_id))
    assert reponse["Content-Disposition"] == 'attachment; filename="entreprise-v1.json"'
    octets = reponse.content.replace(b'"nom": "Entreprise"', '"nom": "Venu d’ailleurs"'.encode())
    envoi = {"fichier": SimpleUploadedFile("plan.json", octets)}
    assert client.post(adresse("plan_importer"), envoi).status_code == 303
    assert societe.echelles.get(nom="Venu d’ailleurs").versions.get().statut == "brouillon"
    hostile = client.post(adresse("plan_importer"), {"fichier": SimpleUploadedFile("p.json", b"[" * 40_000)})
    assert hostile.status_code == 422 and "sans fin" in texte(hostile)


# --- Comparaison ------------------------------------------------------------------------------------


def test_la_page_montre_chaque_piece_et_le_csv_neutralise_les_formules(client, societe, publiee, brouillon):
    piege = ClientFactory(societe=societe, type="entreprise", raison_sociale="=HYPERLINK(1)")
    echeance = EcheanceFactory(client=piege, echue_le=MARDI - timedelta(days=6))
    brouillon.paliers.filter(nature=2).update(delai=8)
    url = adresse("plan_comparaison", publiee.echelle_id)
    html = texte(client.get(url))
    assert echeance.facture.numero in html and "Rappel courtois" in html and "12/02/2026" in html
    csv = b"".join(client.get(adresse("plan_comparaison_csv", publiee.echelle_id))).decode().splitlines()
    assert csv[0].startswith("code;client;piece") and len(csv) == 2
    assert "'=HYPERLINK(1)" in csv[1] and ";2026-02-10;" in csv[1] and ";2026-02-12;" in csv[1]


def test_une_longue_comparaison_dit_sa_progression_et_se_poursuit(client, societe, publiee, brouillon, monkeypatch):
    monkeypatch.setattr("relances.services.comparaison.TRANCHE", 2)
    monkeypatch.setattr("relances.views.comparaisons.SECONDES", 0)
    for _n in range(3):
        EcheanceFactory(societe=societe, echue_le=MARDI - timedelta(days=6))
    brouillon.paliers.filter(nature=2).update(delai=8)
    url = adresse("plan_comparaison", publiee.echelle_id)
    premiere = client.get(url, headers={"HX-Request": "true"})
    assert "2 clients comparés sur 3" in texte(premiere)
    seconde = client.get(url, {"suite": premiere.context["suite"]}, headers={"HX-Request": "true"})
    assert "Si publié : 3 clients changeraient" in texte(seconde)
    alteree = client.get(url, {"suite": premiere.context["suite"] + "x"}, headers={"HX-Request": "true"})
    assert "2 clients comparés sur 3" in texte(alteree)


def test_une_suite_d_un_autre_essai_repart_du_debut(client, societe, publiee, brouillon, monkeypatch):
    """Un brouillon changé entre deux tranches donnerait des chiffres de deux réglages mêlés."""
    monkeypatch.setattr("relances.services.comparaison.TRANCHE", 2)
    monkeypatch.setattr("relances.views.comparaisons.SECONDES", 0)
    for _n in range(3):
        EcheanceFactory(societe=societe, echue_le=MARDI - timedelta(days=6))
    brouillon.paliers.filter(nature=2).update(delai=8)
    url = adresse("plan_comparaison", publiee.echelle_id)
    suite = client.get(url, headers={"HX-Request": "true"}).context["suite"]
    brouillon.paliers.filter(nature=2).update(delai=9)
    assert "2 clients comparés sur 3" in texte(client.get(url, {"suite": suite}, headers={"HX-Request": "true"}))
    brouillon.paliers.filter(nature=2).update(delai=8)
    client.force_login(UtilisateurFactory(societe=societe, role="administrateur"))
    assert "2 clients comparés sur 3" in texte(client.get(url, {"suite": suite}, headers={"HX-Request": "true"}))


def test_la_comparaison_de_deux_versions_publiees_marche_sans_brouillon(client, publiee, brouillon):
    client.post(adresse("plan_publier", publiee.echelle_id), publication(brouillon))
    url = adresse("plan_comparaison", publiee.echelle_id)
    assert client.get(url, {"avant": 1, "apres": 2}).status_code == 200
    assert client.get(url).status_code == 404


@pytest.mark.parametrize("nom", ["plan_versions", "plan_clients", "plan_comparaison"])
@pytest.mark.parametrize("nombre", [1, 12])
def test_les_ecrans_d_un_plan_ont_un_nombre_de_requetes_fixe(
    client, societe, publiee, brouillon, nom, nombre, django_assert_max_num_queries
):
    brouillon.paliers.filter(nature=2).update(delai=8)
    for _n in range(nombre):
        e = EcheanceFactory(societe=societe, echue_le=MARDI - timedelta(days=6))
        publiee.echelle.clients.add(e.client)
    with django_assert_max_num_queries(52):
        client.get(adresse(nom, publiee.echelle_id), {"q": "a"})
