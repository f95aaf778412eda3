"""Le dernier avis : après une mise en demeure reçue et un délai passé, jamais avant, à une entreprise seulement."""

from datetime import date, timedelta

import pytest
from django.urls import reverse

from recouvrement.commun.pdf import compter_pages
from recouvrement.comptes.models import Role
from relances.domaine.natures import Nature
from relances.models import Courrier, Passage, Relance, VersionEchelle
from relances.rendu import dernier_avis, interdits
from relances.services import derniers_avis, envoi, gestes, nuit, postes
from relances.services.etats import Refus
from relances.services.receptions import fin_du_delai
from tests.comptes.factories import SocieteFactory, UtilisateurFactory
from tests.factures.factories import EcheanceFactory, ImputationFactory

from . import exemples_rendu as ex

MARDI = date(2026, 2, 10)


def un_avis(*, nombre: int = 2, destinataire=ex.HOTELIERE, **autres) -> dernier_avis.DernierAvis:
    champs = {
        "lettre": ex.lettre(Nature.MISE_EN_DEMEURE, nombre=nombre, destinataire=destinataire),
        "deposee_le": date(2026, 10, 26),
        "date_limite": date(2026, 11, 12),
        "fin_du_delai": date(2026, 11, 12),
        "numero": "RC 00 000 0011 872",
        "retour": "distribue",
        "retour_le": date(2026, 10, 28),
    }
    return dernier_avis.DernierAvis(**champs | autres)


def codes(avis) -> list[str]:
    return [m.code for m in dernier_avis.manques(avis)]


@pytest.mark.parametrize(
    ("champs", "code"),
    [
        ({"deposee_le": None}, "non_deposee"),
        ({"retour": ""}, "avis"),
        ({"retour": "npai"}, "avis"),
        ({"fin_du_delai": ex.ARRETE}, "delai"),
        ({"fin_du_delai": None}, "delai"),
        ({"destinataire": ex.KERDRAON}, "debiteur"),
    ],
)
def test_ce_qui_empeche_un_dernier_avis(champs, code):
    """Un pli revenu « inconnu à l'adresse » n'a pas mis en demeure (droit.md § 6)."""
    assert codes(un_avis()) == []
    assert code in codes(un_avis(**champs))


@pytest.mark.parametrize(
    ("limite", "remise", "fin"),
    [(25, 12, 25), (25, 27, 35), (25, 20, 28), (25, None, 25)],
)
def test_le_delai_court_au_moins_huit_jours_depuis_la_remise(limite, remise, fin):
    """C. civ., art. 1231 : un pli remis après sa date limite n'a laissé aucun délai raisonnable."""
    debut = date(2026, 8, 1)
    courrier = Courrier(
        depose_le=date(2026, 8, 10),
        date_limite=debut + timedelta(limite - 1),
        retour="distribue" if remise else "",
        retour_le=remise and debut + timedelta(remise - 1),
    )
    assert fin_du_delai(courrier) == debut + timedelta(fin - 1)
    courrier.date_limite = None
    assert fin_du_delai(courrier) is None


@pytest.mark.parametrize("client", [ex.HOTELIERE, ex.HALLAM], ids=lambda c: c.code)
@pytest.mark.parametrize("nombre", [1, 6, 60])
def test_il_cite_la_mise_en_demeure_et_son_sort_dans_les_deux_langues(nombre, client):
    html = dernier_avis.rendre_html(un_avis(nombre=nombre, destinataire=client))
    attendu = (
        "delivered on 28\u00a0October\u00a02026" if client is ex.HALLAM else "distribué le 28\u00a0octobre\u00a02026"
    )
    assert attendu in html and "RC 00 000 0011 872" in html
    assert list(interdits.trouver(html[html.index("<body>") :], client.type, support="lettre")) == []
    assert compter_pages(dernier_avis.rendre_pdf(un_avis(nombre=nombre, destinataire=client))) <= 3


def test_un_avis_incomplet_ne_se_rend_pas():
    with pytest.raises(ValueError, match="incomplet"):
        dernier_avis.rendre_html(un_avis(retour=""))


@pytest.fixture
def postee(settings, tmp_path, db, time_machine):
    """Une mise en demeure de deux factures, postée puis distribuée ; son délai est passé."""
    settings.DEPOT = tmp_path / "depot"
    time_machine.move_to("2026-02-10 09:00 +0100", tick=False)
    societe = SocieteFactory()
    echeances = [EcheanceFactory(societe=societe, echue_le=MARDI - timedelta(days=60))]
    echeances.append(EcheanceFactory(client=echeances[0].client, echue_le=MARDI - timedelta(days=61)))
    version = VersionEchelle.objects.get(echelle__societe=societe, echelle__code="entreprise")
    type(echeances[0]).objects.update(
        niveau=4, niveau_rang=3, niveau_version=version.pk, niveau_le=MARDI - timedelta(days=20)
    )
    nuit.relancer(societe, au=MARDI, passage=nuit.ouvrir_passage(societe, au=MARDI, genre=Passage.Genre.REJOUE))
    courrier, par = Courrier.objects.get(), UtilisateurFactory(role=Role.RESPONSABLE, societe=societe)
    gestes.valider(courrier, par=par, au=MARDI)
    envoi.envoyer(courrier.pk, au=MARDI)
    postes.poster(Courrier.objects.get(), par=par, depose_le=MARDI, numero_suivi="1A12345678901", au=MARDI)
    time_machine.move_to("2026-03-10 09:00 +0100", tick=False)
    return Courrier.objects.select_related("client", "societe", "palier").get(), par


AU = date(2026, 3, 10)


def distribuer(courrier):
    Courrier.objects.filter(pk=courrier.pk).update(retour="distribue", retour_le=date(2026, 2, 12))
    return Courrier.objects.select_related("client", "societe", "palier").get(pk=courrier.pk)


def test_le_projet_reclame_ce_qui_reste_du_aujourd_hui(postee):
    courrier, _par = postee
    with pytest.raises(Refus, match="sort du recommandé"):
        derniers_avis.projet(courrier, au=AU)
    courrier = distribuer(courrier)
    assert derniers_avis.projet(courrier, au=AU).startswith(b"%PDF-")
    for relance in Relance.objects.all():
        ImputationFactory(echeance=relance.echeance)
    with pytest.raises(Refus, match="Plus rien"):
        derniers_avis.projet(courrier, au=AU)


def test_l_ecran_donne_le_projet_ou_dit_pourquoi(postee, client):
    courrier, par = postee
    client.force_login(par)
    url = reverse("relances:dernier_avis", args=[courrier.pk])
    assert "sort du recommandé" in client.get(url, follow=True).content.decode()
    distribuer(courrier)
    assert url in client.get(reverse("relances:courrier", args=[courrier.pk])).content.decode()
    assert client.get(url)["Content-Type"] == "application/pdf"
    assert client.post(url).status_code == 405


def test_un_jugement_arrete_aussi_le_dernier_avis(postee):
    courrier = distribuer(postee[0])
    courrier.client.jugement_ouverture_le = AU
    with pytest.raises(Refus, match="Procédure collective"):
        derniers_avis.projet(courrier, au=AU)
