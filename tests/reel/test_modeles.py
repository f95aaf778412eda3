"""L'éditeur de modèles dans un vrai navigateur : insérer d'un clic, voir, publier ; accessible, sans débord."""

import pytest
from django.urls import reverse

from relances.models import VersionModele

from .test_ecrans import LARGEURS, connexion, deborde, equipe, fautes_axe  # noqa: F401

pytestmark = [
    pytest.mark.reel,
    pytest.mark.variables_inconnues_permises,
    pytest.mark.filterwarnings("ignore:Session-scoped fixtures defined as instance methods"),
]


@pytest.mark.timeout(180)
def test_inserer_d_un_clic_voir_l_apercu_puis_publier(connexion, live_server, equipe):  # noqa: F811
    page, societe = connexion, equipe.affectations.get().societe
    cle = "entreprise-rappel_courtois-courriel-fr"
    page.goto(live_server.url + reverse("relances:modele_livre", args=[societe.pk, cle]))
    page.click("text=Personnaliser")
    page.wait_for_selector("#id_p_demande")
    page.fill("#id_p_demande", "Merci de régler ")
    page.click("summary:has-text('Insérer une valeur')")
    page.click("[data-inserer='[[total à payer]]']")
    assert page.input_value("#id_p_demande") == "Merci de régler [[total à payer]]"
    page.press("#id_p_demande", "End")
    page.locator("#id_p_demande").press_sequentially(" au plus tard le [[jour limite]].")
    page.wait_for_selector("#apercu .papier:has-text('Merci de régler')")
    vrai = page.locator("#client-apercu option").nth(1)
    page.select_option("#client-apercu", vrai.get_attribute("value"))
    page.wait_for_selector("#apercu:not(:has-text('fictifs')) .papier")
    page.click("text=Enregistrer le brouillon")
    page.wait_for_url("**/modeles/**")
    page.click("text=Publier…")
    page.click("#confirmation [value=oui]")
    page.wait_for_selector("text=version 2, publiée")
    assert VersionModele.objects.get(statut="publiee").textes == {
        "demande": "Merci de régler [[total à payer]] au plus tard le [[jour limite]]."
    }
    # Une frappe de plus annule la requête d'avant : htmx le consigne, l'écran n'en montre rien.
    assert [f for f in page.fautes if not f.startswith(("htmx:afterRequest", "htmx:sendAbort"))] == []


@pytest.mark.timeout(300)
def test_l_editeur_est_accessible_et_tient_dans_sa_largeur(connexion, live_server, equipe):  # noqa: F811
    page, societe, fautes = connexion, equipe.affectations.get().societe, {}
    cle = "entreprise-mise_en_demeure-lettre-fr"
    lettre = reverse("relances:modele_livre", args=[societe.pk, cle])
    page.goto(live_server.url + lettre)
    page.click("text=Personnaliser")
    page.wait_for_selector("#id_p_demande")
    for chemin in (lettre, page.url.removeprefix(live_server.url)):
        for nom, (largeur, hauteur) in LARGEURS.items():
            for theme in ("light", "dark"):
                page.set_viewport_size({"width": largeur, "height": hauteur})
                page.emulate_media(color_scheme=theme)
                page.goto(live_server.url + chemin)
                for resume in page.locator("details.expl > summary").all():
                    resume.click()
                if constat := [*fautes_axe(page), *deborde(page), *page.fautes]:
                    fautes[f"{chemin} {nom} {theme}"] = constat
        page.set_viewport_size({"width": 320, "height": 640})
        if debord := deborde(page):
            fautes[f"{chemin} 320"] = debord
    assert fautes == {}
