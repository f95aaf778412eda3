"""La saisie d'un plan à l'écran : un seul envoi, publier n'en perd rien, une version neuve ne se recouvre pas."""

# ruff: noqa: F811 - des fixtures reprises par leur nom

from datetime import date

import pytest

from relances.domaine.natures import Nature
from relances.models import VersionEchelle
from tests.clients.factories import ClientFactory
from tests.factures.factories import EcheanceFactory

from .test_vues_plans import (  # noqa: F401 - fixtures
    adresse,
    brouillon,
    palier,
    publication,
    publiee,
    saisie,
    societe,
    texte,
    un_mardi,
)

pytestmark = pytest.mark.django_db
REGLES = {"seuil_piece": "25", "seuil_envoi": "30", "plafond_envoi": "", "regroupement": "plus_haut"}


def test_publier_enregistre_la_saisie_affichee(client, publiee, brouillon):
    """J+3 saisi et jamais enregistré, règles comprises : c'est J+3 qui se publie, sur le palier édité."""
    p = palier(brouillon, Nature.RAPPEL_COURTOIS)
    envoi = publication(brouillon) | saisie(p, delai=3) | REGLES
    reponse = client.post(adresse("plan_publier", publiee.echelle_id), envoi)
    p.refresh_from_db()
    brouillon.refresh_from_db()
    assert (brouillon.statut, p.delai, brouillon.seuil_piece) == ("publiee", 3, 25)
    assert reponse.url.endswith(f"?palier={p.pk}")


@pytest.mark.parametrize(("champs", "regles"), [({"delai": "x"}, {}), ({}, {"seuil_piece": "beaucoup"})])
def test_une_saisie_fautive_se_remontre_et_rien_ne_se_publie(client, publiee, brouillon, champs, regles):
    p = palier(brouillon, Nature.RAPPEL_COURTOIS)
    envoi = publication(brouillon, note="plus doux") | saisie(p, **champs) | REGLES | regles
    reponse = client.post(adresse("plan_publier", publiee.echelle_id), envoi)
    assert reponse.status_code == 422 and "plus doux" in texte(reponse) and "data-sale" in texte(reponse)
    brouillon.refresh_from_db()
    assert (brouillon.statut, brouillon.seuil_piece == 25) == ("brouillon", False)


def test_une_saisie_que_le_controle_refuse_reste_dans_le_brouillon(client, publiee, brouillon):
    p = palier(brouillon, Nature.APPEL)
    envoi = publication(brouillon) | saisie(p, delai=3)
    reponse = client.post(adresse("plan_publier", publiee.echelle_id), envoi, follow=True)
    assert "contrôle du plan" in texte(reponse)
    p.refresh_from_db()
    brouillon.refresh_from_db()
    assert (brouillon.statut, p.delai) == ("brouillon", 3)


def test_palier_et_regles_s_enregistrent_d_un_geste_et_l_on_reste_sur_le_palier(
    client,
    publiee,
    brouillon,
):
    p = palier(brouillon, Nature.RAPPEL_COURTOIS)
    envoi = saisie(p, delai=8) | REGLES | {"note": "en cours de réglage", "reprise": "toutes"}
    reponse = client.post(adresse("plan_palier", p.pk), envoi)
    assert reponse.url.endswith(f"?palier={p.pk}")
    p.refresh_from_db()
    brouillon.refresh_from_db()
    assert (p.delai, brouillon.seuil_piece) == (8, 25)
    assert (brouillon.note, brouillon.reprise) == ("en cours de réglage", "toutes")
    assert "en cours de réglage" in texte(client.get(reponse.url))


def test_un_brouillon_change_ailleurs_se_dit_et_garde_la_saisie(client, publiee, brouillon):
    p = palier(brouillon, Nature.RAPPEL_COURTOIS)
    lu = publication(brouillon)
    VersionEchelle.objects.filter(pk=brouillon.pk).update(seuil_envoi=99)
    for route, cle in (("plan_palier", p.pk), ("plan_publier", publiee.echelle_id)):
        reponse = client.post(adresse(route, cle), lu | saisie(p, delai=8) | REGLES)
        assert reponse.status_code == 422
        assert "Le brouillon a changé" in texte(reponse) and 'value="8"' in texte(reponse)
    brouillon.refresh_from_db()
    assert (brouillon.seuil_envoi, brouillon.statut) == (99, "brouillon")


def test_un_plan_par_defaut_dit_qui_le_suit_sans_y_etre_affecte(client, societe, publiee, brouillon):
    for nom in ("Alpha", "Bêta"):
        EcheanceFactory(
            societe=societe, echue_le=date(2026, 1, 2), client=ClientFactory(societe=societe, raison_sociale=nom)
        )
    affecte = ClientFactory(societe=societe)
    publiee.echelle.clients.add(affecte)
    html = texte(client.get(adresse("plan", publiee.echelle_id)))
    assert "2 clients le suivent sans y être affectés, 2 échéances ouvertes." in html
