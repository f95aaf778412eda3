"""Ce qui retient une pièce, dans un vrai navigateur : écrans accessibles, sans débord, du clavier à l'effet."""

from datetime import timedelta
from decimal import Decimal

import pytest
from django.urls import reverse

from factures.domaine.mensualites import mois_apres
from recouvrement.commun.horloge import aujourd_hui
from relances.models import LeveeDeFrein, Tache, Verdict
from tests.clients.factories import ContactFactory, SuspensionFactory
from tests.comptes.factories import UtilisateurFactory
from tests.factures.factories import EcheanceFactory, EcheancierFactory, ExclusionFactory

from .test_ecrans import ETROIT, LARGEURS, connexion, deborde, equipe, fautes_axe, pytestmark  # noqa: F401


@pytest.fixture
def debiteur(equipe):  # noqa: F811
    """Un client dont chaque pièce est retenue autrement."""
    au = aujourd_hui()
    societe = equipe.affectations.get().societe
    client = societe.clients.order_by("pk").first()
    ContactFactory(client=client, nom="Nadia Ferrand", role="juridique", fonction="Responsable des litiges clients")
    ExclusionFactory(
        echeance=EcheanceFactory(client=client, echue_le=au - timedelta(40)), du=au,
        motif="Avoir promis par le service commercial", auteur=equipe,
    )  # fmt: skip
    echelonnee = EcheanceFactory(client=client, echue_le=au - timedelta(50), montant=Decimal("13646.40"))
    rompue = EcheanceFactory(client=client, echue_le=au - timedelta(90), montant=Decimal(900))
    EcheancierFactory(echeances=[echelonnee], accepte_le=au, nombre=6, auteur=equipe)
    EcheancierFactory(
        echeances=[rompue], accepte_le=au - timedelta(80), premiere=au - timedelta(60), statut="rompu", conclu_le=au,
        motif="mensualité du 21/10/2026 : 300,00 € manquent sur 300,00 €", auteur=equipe,
    )  # fmt: skip
    SuspensionFactory(client=client, du=au, auteur=equipe)
    levable = EcheanceFactory(client=client, echue_le=au - timedelta(30), montant=Decimal(20000))
    LeveeDeFrein.objects.create(
        echeance=levable, frein="suspendue", pour_le=au, motif="Accord du directeur", montant=20000, a_deux=True,
        demandee_par=UtilisateurFactory(societe=societe, nom="Claire Bonnet"),
    )  # fmt: skip
    tranchee = EcheanceFactory(client=client, echue_le=au - timedelta(70))
    Verdict.objects.create(echeance=tranchee, du=au - timedelta(5), code="max_amiables", nature=4)
    Tache.objects.create(
        societe=societe, client=client, genre=Tache.Genre.DECISION, titre="Mise en demeure ou abandon ?", due_le=au,
        cle="max_amiables",
    )  # fmt: skip
    return client


def chemins(client) -> dict[str, str]:
    """{nom: adresse} des écrans de ce lot."""
    au, fiche = aujourd_hui(), reverse("clients:fiche", args=[client.pk])
    pieces = "&".join(f"pieces={e.pk}" for e in client.echeances.filter(en_contentieux=False)[:2])
    accord = f"?{pieces}&nombre=30&premiere={mois_apres(au, 1)}&accepte_le={au}"
    nouveau = reverse("clients:echeancier_nouveau", args=[client.pk])
    en_cours, rompu = client.echeanciers.order_by("statut")
    return {
        "compte": f"{fiche}?o=compte",
        "contacts": f"{fiche}?o=contacts",
        "conditions": f"{fiche}?o=conditions",
        "pourquoi": f"{fiche}?o=pourquoi",
        "pourquoi-passe": f"{fiche}?o=pourquoi&le={au - timedelta(3)}&echeance={client.echeances.last().pk}",
        "exclure": f"{fiche}?volet=exclure&piece={client.echeances.first().pk}",
        "modifier": f"{fiche}?volet=modifier",
        "contact": f"{fiche}?volet=contact",
        "echeancier-saisie": nouveau,
        "echeancier-propose": nouveau + accord,
        "echeancier": reverse("clients:echeancier", args=[client.pk, en_cours.pk]),
        "echeancier-rompu": reverse("clients:echeancier", args=[client.pk, rompu.pk]),
        "decision": reverse("clients:decision", args=[client.pk, client.taches.get().pk]),
        "copies": reverse("factures:copies_client", args=[client.pk]),
        "facture": reverse(
            "factures:fiche", args=[client.echeances.get(exclusions__levee_le=None, exclusions__pk__gt=0).facture_id]
        ),
        "journee": "/",
    }


@pytest.mark.timeout(600)
def test_chaque_ecran_de_retenue_est_accessible_et_tient_dans_sa_largeur(connexion, live_server, debiteur):  # noqa: F811
    page, fautes = connexion, {}
    for nom, chemin in chemins(debiteur).items():
        for taille, theme in (("bureau", "light"), ("telephone", "dark")):
            largeur, hauteur = LARGEURS[taille]
            page.set_viewport_size({"width": largeur, "height": hauteur})
            page.emulate_media(color_scheme=theme)
            assert page.goto(live_server.url + chemin).status == 200, chemin
            if constat := [*fautes_axe(page), *deborde(page), *page.fautes]:
                fautes[f"{nom} {taille} {theme}"] = constat
            page.fautes.clear()
        page.set_viewport_size({"width": ETROIT, "height": 640})
        if debord := deborde(page):
            fautes[f"{nom} {ETROIT}"] = debord
    assert fautes == {}


def test_un_echeancier_se_propose_se_retouche_et_s_enregistre_au_clavier(connexion, live_server, debiteur):  # noqa: F811
    page = connexion
    page.goto(live_server.url + chemins(debiteur)["echeancier-saisie"])
    page.fill("[name=nombre]", "2")
    page.press("[name=nombre]", "Enter")
    page.wait_for_selector("[name=m-1-montant]")
    assert page.locator("[name$='-montant']").count() == 2
    page.keyboard.press("Control+Enter")
    page.wait_for_url("**/echeanciers/*/")
    assert page.locator(".puce", has_text="attendue").count() == 2


def test_le_type_choisi_dit_aussitot_ce_qu_il_change(connexion, live_server, debiteur):  # noqa: F811
    page = connexion
    page.goto(live_server.url + chemins(debiteur)["modifier"])
    page.select_option("[name=type]", "particulier")
    page.wait_for_selector("#effets li")
    assert "garde le niveau atteint" in page.inner_text("#effets")
