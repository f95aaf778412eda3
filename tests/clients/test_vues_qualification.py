"""Fiche : type changé à mi-parcours, rôle des contacts, délai borné, acceptation du recommandé électronique."""

from datetime import timedelta
from decimal import Decimal

import pytest
from django.urls import reverse

from clients.models import Client, Contact, TypeDebiteur
from relances.domaine.natures import Nature
from relances.models import Courrier
from relances.services import gestes
from tests.contentieux.factories import CourrierEnvoyeFactory

pytestmark = pytest.mark.django_db
S = Courrier.Statut


def texte(reponse) -> str:
    return reponse.content.decode().replace("\u00a0", " ")


@pytest.fixture
def pilote(client, responsable):
    client.force_login(responsable)
    return client


def modifier(navigateur, client, **champs):
    client.refresh_from_db()
    saisie = {
        "version": client.version, "raison_sociale": client.raison_sociale, "type": client.type, "pays": "FR",
        "langue": "fr", "conditions": "30J", "lecture_fdm": "A", "imputation": "interets",
    }  # fmt: skip
    return navigateur.post(reverse("clients:geste", args=[client.pk, "modifier"]), saisie | champs)


def effet(navigateur, client, type_):
    return texte(navigateur.get(reverse("clients:effet", args=[client.pk, "modifier"]), {"type": type_}))


@pytest.mark.parametrize(
    ("type_", "mots"),
    [
        ("particulier", ["Ni pénalités ni 40 €", "prescription de deux ans", "garde le niveau atteint"]),
        ("administration", ["BCE + 8", "ni injonction"]),
        ("a_qualifier", ["tant qu&#x27;il n&#x27;est pas précisé"]),
    ],
)
def test_changer_de_type_dit_ce_que_cela_change_avant_d_enregistrer(connecte, belcourt, type_, mots):
    page = effet(connecte, belcourt, type_)
    for mot in mots:
        assert mot in page


@pytest.mark.parametrize("type_", ["entreprise", "", "martien"])
def test_garder_son_type_ne_change_rien(connecte, belcourt, type_):
    assert "<li>" not in effet(connecte, belcourt, type_)


def test_le_taux_stipule_d_un_futur_consommateur_se_signale(connecte, belcourt):
    Client.objects.filter(pk=belcourt.pk).update(taux_penalites=Decimal(12))
    assert "est à retirer" in effet(connecte, belcourt, "particulier")


@pytest.mark.parametrize("statut", [S.A_VALIDER, S.A_ENVOYER, S.EN_COURS, S.A_POSTER])
@pytest.mark.parametrize("nature", [Nature.FORMALISATION, Nature.MISE_EN_DEMEURE])
def test_un_courrier_chiffre_en_route_refuse_le_changement(pilote, belcourt, au, statut, nature, settings, tmp_path):
    settings.DEPOT = tmp_path
    piece = belcourt.echeances.order_by("date_echeance").first()
    CourrierEnvoyeFactory([piece], nature=nature, statut=statut)
    assert "Refusé tant que" in effet(pilote, belcourt, "particulier")
    page = modifier(pilote, belcourt, type="particulier")
    assert page.status_code == 422
    assert "attend de partir sous l&#x27;ancien type" in texte(page)
    belcourt.refresh_from_db()
    assert belcourt.type == TypeDebiteur.ENTREPRISE
    assert modifier(pilote, belcourt, raison_sociale="Belcourt").status_code == 303, "le reste de la fiche s'enregistre"


@pytest.mark.parametrize(
    ("nature", "statut"), [(Nature.RAPPEL_COURTOIS, S.A_VALIDER), (Nature.FORMALISATION, S.ENVOYE)]
)
def test_un_rappel_ou_un_courrier_parti_n_empeche_rien_et_les_niveaux_restent(
    pilote, belcourt, nature, statut, settings, tmp_path
):
    settings.DEPOT = tmp_path
    piece = belcourt.echeances.order_by("date_echeance").first()
    type(piece).objects.filter(pk=piece.pk).update(niveau=4, niveau_rang=3)
    CourrierEnvoyeFactory([piece], nature=nature, statut=statut)
    assert modifier(pilote, belcourt, type="particulier").status_code == 303
    belcourt.refresh_from_db()
    piece.refresh_from_db()
    assert (belcourt.type, piece.niveau) == (TypeDebiteur.PARTICULIER, 4)


def test_retenu_le_courrier_laisse_changer_de_type(pilote, belcourt, responsable, au, settings, tmp_path):
    settings.DEPOT = tmp_path
    piece = belcourt.echeances.order_by("date_echeance").first()
    courrier = CourrierEnvoyeFactory([piece], nature=Nature.FORMALISATION, statut=S.A_VALIDER)
    gestes.annuler(courrier, par=responsable, motif="c'est un particulier", au=au)
    assert modifier(pilote, belcourt, type="particulier").status_code == 303


# --- Contacts et conditions -----------------------------------------------------------------------------


def test_le_role_d_un_contact_se_saisit_et_se_lit(connecte, belcourt):
    saisie = {"nom": "Jérôme", "role": "juridique", "fonction": ""}
    connecte.post(reverse("clients:geste", args=[belcourt.pk, "contact"]), saisie)
    assert Contact.objects.get(nom="Jérôme").role == "juridique"
    page = texte(connecte.get(reverse("clients:fiche", args=[belcourt.pk]), {"o": "contacts"}))
    assert "Juridique" in page


def test_un_role_inconnu_se_refuse(connecte, belcourt):
    saisie = {"nom": "Jérôme", "role": "empereur"}
    assert connecte.post(reverse("clients:geste", args=[belcourt.pk, "contact"]), saisie).status_code == 422


@pytest.mark.parametrize(
    ("delai", "statut"), [("0", 303), ("60", 303), ("", 303), ("61", 422), ("-1", 422), ("x", 422)]
)
def test_le_delai_entre_contacts_va_de_0_a_60_jours(pilote, belcourt, delai, statut):
    """Exigence 13."""
    assert modifier(pilote, belcourt, delai_entre_contacts=delai).status_code == statut


def test_le_recommande_electronique_s_accepte_au_passe(pilote, belcourt, au):
    """CPCE, art. L100 : l'acceptation précède l'envoi."""
    assert modifier(pilote, belcourt, lre_acceptee_le=(au + timedelta(1)).isoformat()).status_code == 422
    assert modifier(pilote, belcourt, lre_acceptee_le=au.isoformat()).status_code == 303
    page = texte(pilote.get(reverse("clients:fiche", args=[belcourt.pk]), {"o": "conditions"}))
    assert "accepté le 20/11/2026" in page
