"""Ce qu'aucune porte ne laisse écrire : l'écran, la ligne de commande, le service. Il n'y a pas encore d'API."""

import re
from datetime import date, timedelta
from io import StringIO

import pytest
from django.core.management import call_command
from django.urls import reverse

from clients.models import Client
from recouvrement.comptes.models import Role
from relances.domaine.natures import Canal, Nature
from relances.models import Courrier, Passage, VersionEchelle
from relances.services import envoi, gestes, nuit
from relances.services.preparation import preparer
from tests.clients.factories import ClientFactory
from tests.comptes.factories import SocieteFactory, UtilisateurFactory
from tests.factures.factories import EcheanceFactory

pytestmark = pytest.mark.django_db
MARDI = date(2026, 2, 10)
S = Courrier.Statut


@pytest.fixture(autouse=True)
def un_mardi(time_machine, settings, tmp_path):
    settings.DEPOT = tmp_path / "depot"
    time_machine.move_to("2026-02-10 09:00 +0100", tick=False)


@pytest.fixture
def societe():
    return SocieteFactory(alimentee_par_import=False, mediateur="Médiation Exemple, 75000 Paris")


@pytest.fixture
def responsable(societe, client):
    user = UtilisateurFactory(role=Role.RESPONSABLE, societe=societe)
    client.force_login(user)
    return user


def debiteur(societe, genre: str) -> Client:
    traits = {genre: True} if genre != "entreprise" else {}
    autres = {"siret": "21690123100011"} if genre == "administration" else {}
    return ClientFactory(societe=societe, **traits, **autres)


def passer(societe):
    nuit.relancer(societe, au=MARDI, passage=nuit.ouvrir_passage(societe, au=MARDI, genre=Passage.Genre.REJOUE))


def relancer_par_commande(au: date = MARDI) -> None:
    call_command("relancer", "--au", au.isoformat(), "--rejouer", stdout=StringIO(), stderr=StringIO())


def courriel_de(societe, genre: str) -> Courrier:
    """Un rappel par courriel, à envoyer."""
    EcheanceFactory(client=debiteur(societe, genre), echue_le=MARDI - timedelta(days=12))
    passer(societe)
    return Courrier.objects.select_related("client", "societe", "palier__version", "passage").get()


def reecrire(courrier, responsable, ajout: str) -> None:
    prete = preparer(courrier, au=MARDI)
    assert prete.manques == []
    texte = f"{prete.texte}\n{ajout}\n"
    gestes.modifier_texte(courrier, objet=prete.objet, texte=texte, par=responsable, au=MARDI)


def codes(courrier) -> set[str]:
    courrier.refresh_from_db()
    return {m["code"] for m in courrier.manques}


INTERDITS = [
    # (débiteur, ce qu'une personne ajoute au texte, code du refus)
    ("particulier", "Une indemnité de 40 € sera due.", "indemnite_40"),  # C. com., art. L441-10
    ("particulier", "Des pénalités de retard courent déjà.", "penalites"),  # C. civ., art. 1231-6
    ("particulier", "Nous vous facturerons des frais de dossier.", "frais"),  # CPCEx, art. L111-8
    ("administration", "Nous pourrions demander une injonction de payer.", "injonction_publique"),  # droit.md § 3
    ("administration", "Nous vous mettons en demeure.", "mise_en_demeure_publique"),  # CGCT, art. L1612-16
    ("entreprise", '<img src="https://suivi.example/p.gif" width="1" height="1">', "image"),  # CNIL 2026-042
    ("entreprise", "{{ client.objects }}", "gabarit"),
    ("entreprise", "Payez sur http://bit.ly/payer", "lien_inconnu"),
    ("entreprise", "Notre huissier passera.", "imitation"),  # C. pén., art. 433-13
]
interdits = pytest.mark.parametrize(("genre", "ajout", "code"), INTERDITS)


@interdits
def test_service_un_texte_interdit_ne_part_pas(societe, responsable, mailoutbox, genre, ajout, code):
    courrier = courriel_de(societe, genre)
    reecrire(courrier, responsable, ajout)
    assert envoi.envoyer(courrier.pk, au=MARDI) == S.A_VALIDER
    assert code in codes(courrier) and mailoutbox == []


@interdits
def test_commande_envoyer_un_texte_interdit_ne_part_pas(societe, responsable, mailoutbox, genre, ajout, code):
    courrier = courriel_de(societe, genre)
    reecrire(courrier, responsable, ajout)
    sortie = StringIO()
    with pytest.raises(SystemExit):
        call_command("envoyer", stdout=sortie, stderr=StringIO())
    courrier.refresh_from_db()
    assert courrier.statut == S.A_VALIDER and code in codes(courrier) and mailoutbox == []


@interdits
def test_ecran_un_texte_interdit_ne_se_valide_pas(societe, responsable, client, genre, ajout, code):
    """La personne enregistre son texte, valide, et lit pourquoi c'est refusé."""
    courrier = courriel_de(societe, genre)
    Courrier.objects.filter(pk=courrier.pk).update(statut=S.A_VALIDER)
    prete = preparer(courrier, au=MARDI)
    donnees = {"objet": prete.objet, "texte": f"{prete.texte}\n{ajout}"}
    client.post(reverse("relances:texte", args=[courrier.pk]), donnees)
    page = client.post(reverse("relances:valider"), {"choix": [courrier.pk]}, follow=True).content.decode()
    courrier.refresh_from_db()
    assert courrier.statut == S.A_VALIDER and code in codes(courrier)
    phrase = next(m["phrase"] for m in courrier.manques if m["code"] == code)
    assert re.sub(r"\s", " ", phrase[:20]) in re.sub(r"\s", " ", page)


# --- Une mise en demeure sans date, ou à qui n'en reçoit pas -----------------------------------


def mise_en_demeure(societe) -> Courrier:
    echeance = EcheanceFactory(societe=societe, echue_le=MARDI - timedelta(days=60))
    version = VersionEchelle.objects.get(echelle__societe=societe, echelle__code="entreprise")
    type(echeance).objects.filter(pk=echeance.pk).update(
        niveau=4, niveau_rang=3, niveau_version=version.pk, niveau_le=MARDI - timedelta(days=20)
    )
    passer(societe)
    return Courrier.objects.select_related("client", "societe", "palier__version", "passage").get()


def sans_date(courrier, responsable) -> None:
    prete = preparer(courrier, au=MARDI)
    assert prete.manques == []
    dates = r"(?:au plus tard )?(?:le )?(?:\w+ )?\d{1,2}(?:er)?\s\w+\s20\d\d"
    objet, texte = (re.sub(dates, "vite", t) for t in (prete.objet, prete.texte))
    gestes.modifier_texte(courrier, objet=objet, texte=texte, par=responsable, au=MARDI)


def test_service_une_mise_en_demeure_sans_date_ne_se_valide_pas(societe, responsable):
    """Exigence 25 : une date limite de calendrier."""
    courrier = mise_en_demeure(societe)
    assert (courrier.nature, courrier.canal) == (Nature.MISE_EN_DEMEURE, Canal.RECOMMANDE)
    sans_date(courrier, responsable)
    with pytest.raises(gestes.Refus, match="date limite"):
        gestes.valider(courrier, par=responsable, au=MARDI)
    assert "date_absente" in codes(courrier)


def test_ecran_une_mise_en_demeure_sans_date_ne_se_valide_pas(societe, responsable, client):
    courrier = mise_en_demeure(societe)
    sans_date(courrier, responsable)
    page = client.post(reverse("relances:valider"), {"choix": [courrier.pk]}, follow=True).content.decode()
    courrier.refresh_from_db()
    assert courrier.statut == S.A_VALIDER and "date limite" in page


def test_commande_envoyer_une_mise_en_demeure_sans_date_ne_s_imprime_pas(societe, responsable):
    courrier = mise_en_demeure(societe)
    gestes.valider(courrier, par=responsable, au=MARDI)
    sans_date(courrier, responsable)
    with pytest.raises(SystemExit):
        call_command("envoyer", stdout=StringIO(), stderr=StringIO())
    courrier.refresh_from_db()
    assert courrier.statut == S.A_VALIDER and courrier.pdf_chemin == ""


def administration_a_bout(societe) -> Client:
    client = debiteur(societe, "administration")
    EcheanceFactory(client=client, echue_le=MARDI - timedelta(days=200))
    return client


def test_service_relancer_maintenant_ne_met_pas_une_administration_en_demeure(societe, responsable):
    """droit.md § 3 : pas d'injonction derrière ; la voie est le mandatement d'office."""
    with pytest.raises(gestes.Refus):
        gestes.relancer_maintenant(
            administration_a_bout(societe), par=responsable, au=MARDI, derogation="le maire ne répond pas"
        )
    assert not Courrier.objects.exists()


def test_ecran_relancer_ne_met_pas_une_administration_en_demeure(societe, responsable, client):
    url = reverse("relances:manuel", args=[administration_a_bout(societe).pk])
    client.post(url, {"derogation": "le maire ne répond pas"})
    assert not Courrier.objects.filter(nature=Nature.MISE_EN_DEMEURE).exists()


@pytest.fixture
def devenue_administration(societe, responsable) -> Courrier:
    """Le débiteur change de type alors que sa mise en demeure attend."""
    courrier = mise_en_demeure(societe)
    Client.objects.filter(pk=courrier.client_id).update(type="administration", siret="21690123100011")
    return courrier


def test_service_un_client_devenu_administration_n_est_plus_mis_en_demeure(devenue_administration, responsable):
    with pytest.raises(gestes.Refus, match="mandatement d’office"):
        gestes.valider(devenue_administration, par=responsable, au=MARDI)


def test_ecran_un_client_devenu_administration_n_est_plus_mis_en_demeure(devenue_administration, client):
    client.post(reverse("relances:valider"), {"choix": [devenue_administration.pk]})
    devenue_administration.refresh_from_db()
    assert devenue_administration.statut == S.A_VALIDER


def test_commande_envoyer_un_client_devenu_administration_n_est_plus_mis_en_demeure(devenue_administration):
    Courrier.objects.update(statut=S.A_ENVOYER)
    with pytest.raises(SystemExit):
        call_command("envoyer", stdout=StringIO(), stderr=StringIO())
    assert "administration_mise_en_demeure" in codes(devenue_administration)
    assert devenue_administration.statut == S.A_VALIDER


def test_commande_relancer_aucune_mise_en_demeure_a_une_administration(societe):
    administration_a_bout(societe)
    for jours in range(105, -1, -15):
        relancer_par_commande(MARDI - timedelta(days=jours))
    assert not Courrier.objects.filter(nature=Nature.MISE_EN_DEMEURE).exists()


# --- Après un jugement d'ouverture -------------------------------------------------------------


def en_procedure(societe) -> Client:
    client = ClientFactory(societe=societe, jugement_ouverture_le=MARDI - timedelta(days=1))
    EcheanceFactory(client=client, echue_le=MARDI - timedelta(days=40))
    return client


def test_service_aucune_relance_apres_un_jugement_d_ouverture(societe, responsable):
    """C. com., art. L622-7 et L622-21."""
    for derogation in ("", "le client insiste"):
        with pytest.raises(gestes.Refus):
            gestes.relancer_maintenant(en_procedure(societe), par=responsable, au=MARDI, derogation=derogation)
    assert not Courrier.objects.exists()


def test_ecran_aucune_relance_apres_un_jugement_d_ouverture(societe, responsable, client):
    debiteur = en_procedure(societe)
    url = reverse("relances:manuel", args=[debiteur.pk])
    client.post(url, follow=True)
    assert not Courrier.objects.exists()


def test_commande_relancer_aucune_relance_apres_un_jugement_d_ouverture(societe):
    en_procedure(societe)
    relancer_par_commande()
    assert not Courrier.objects.exists()


def test_commande_envoyer_un_jugement_arrete_ce_qui_etait_pret(societe, mailoutbox):
    """Exigence 19 : le jugement tombe entre la décision et l'envoi."""
    courrier = courriel_de(societe, "entreprise")
    Client.objects.filter(pk=courrier.client_id).update(jugement_ouverture_le=MARDI)
    call_command("envoyer", stdout=StringIO(), stderr=StringIO())
    courrier.refresh_from_db()
    assert courrier.statut == S.ANNULE and mailoutbox == []


# --- Deux devises ------------------------------------------------------------------------------


def deux_devises(societe) -> Client:
    client = ClientFactory(societe=societe)
    for devise in ("EUR", "USD"):
        EcheanceFactory(client=client, echue_le=MARDI - timedelta(days=12), devise=devise)
    return client


def seuls(courriers) -> bool:
    """Chaque courrier ne porte que des pièces de sa devise."""
    return all(set(c.relances.values_list("echeance__facture__devise", flat=True)) == {c.devise} for c in courriers)


def test_commande_relancer_separe_les_devises(societe):
    """Exigence 6."""
    deux_devises(societe)
    relancer_par_commande()
    assert {c.devise for c in Courrier.objects.all()} == {"EUR", "USD"} and seuls(Courrier.objects.all())


def test_service_relancer_maintenant_separe_les_devises(societe, responsable):
    courriers = gestes.relancer_maintenant(deux_devises(societe), par=responsable, au=MARDI)
    assert len(courriers) == 2 and seuls(courriers)


def test_ecran_relancer_separe_les_devises(societe, responsable, client):
    client.post(reverse("relances:manuel", args=[deux_devises(societe).pk]))
    assert Courrier.objects.count() == 2 and seuls(Courrier.objects.all())
