"""Réimporter une fiche client : ce qu'une personne a décidé reste, même quand elle a vidé le champ."""

from datetime import date

import pytest

from clients.models import Client
from relances.domaine.natures import Nature
from relances.models import Courrier
from tests.comptes.factories import SocieteFactory
from tests.contentieux.factories import CourrierEnvoyeFactory
from tests.factures.factories import EcheanceFactory
from tests.factures.imports_essai import prendre, rejets

pytestmark = pytest.mark.django_db

FICHE = "code_client;raison_sociale;courriel;langue;conditions;adresse\nC1;Dupont;a@b.fr;en;45J;1 rue Haute\n"
SIREN = "code_client;raison_sociale;siren\nC1;Dupont;732829320\n"
PUBLIC = "code_client;raison_sociale;siren\nC1;Ville de Paris;217500016\n"


@pytest.fixture
def societe():
    return SocieteFactory(code="alpha", incomplete=True)


@pytest.mark.parametrize(
    ("champ", "vierge"), [("courriel", ""), ("langue", "fr"), ("conditions", "30J"), ("adresse", "")]
)
def test_un_champ_vide_par_une_personne_n_est_pas_rempli_de_nouveau(societe, champ, vierge):
    prendre(societe, FICHE)
    Client.objects.update(**{champ: vierge})
    for _ in range(2):
        prendre(societe, FICHE)
        assert getattr(Client.objects.get(), champ) == vierge


def test_un_champ_jamais_importe_se_remplit(societe):
    prendre(societe, "code_client;raison_sociale\nC1;Dupont\n")
    prendre(societe, FICHE)
    client = Client.objects.get()
    assert (client.courriel, client.langue, client.conditions) == ("a@b.fr", "en", "45J")


def test_un_type_remis_a_qualifier_le_reste(societe):
    prendre(societe, SIREN)
    assert Client.objects.get().type == "entreprise"
    Client.objects.update(type="a_qualifier")
    for texte in (SIREN, SIREN.replace("siren", "siren;type").replace("20\n", "20;entreprise\n")):
        prendre(societe, texte)
        assert Client.objects.get().type == "a_qualifier"


def test_un_siren_public_n_est_pas_une_entreprise(societe):
    rendu = prendre(societe, PUBLIC)
    assert Client.objects.get().type == "a_qualifier"
    assert rendu.avertissements == [
        "Clients au SIREN d'une personne publique, laissés « à qualifier » : 1 (C1). "
        "Dites leur type, sans doute « administration »."
    ]
    assert prendre(societe, PUBLIC).inchanges["clients"] == 1


def test_un_siren_public_garde_le_type_que_le_fichier_dit(societe):
    rendu = prendre(societe, PUBLIC.replace("siren", "siren;type").replace("16\n", "16;administration\n"))
    assert (Client.objects.get().type, rendu.avertissements) == ("administration", [])


def test_une_nouvelle_adresse_efface_le_pli_revenu(societe):
    prendre(societe, FICHE)
    Client.objects.update(adresse_invalide_le=date(2026, 3, 1))
    prendre(societe, FICHE.replace("45J", "60J"))
    assert Client.objects.get().adresse_invalide_le == date(2026, 3, 1)
    prendre(societe, FICHE.replace("1 rue Haute", "2 rue Basse"))
    assert Client.objects.get().adresse_invalide_le is None


def fiche(type):
    return f"code_client;raison_sociale;type\nC0;Autre;entreprise\nC1;Dupont;{type}\n"


@pytest.mark.parametrize(
    ("nature", "statut", "refuse"),
    [
        (Nature.MISE_EN_DEMEURE, "a_valider", True),
        (Nature.FORMALISATION, "a_poster", True),
        (Nature.MISE_EN_DEMEURE, "poste", False),
        (Nature.RAPPEL_COURTOIS, "a_envoyer", False),
    ],
)
def test_un_import_ne_change_pas_le_type_sous_une_lettre_chiffree_en_route(societe, nature, statut, refuse):
    """Le même refus qu'à l'écran : la lettre dirait un droit qui n'est plus celui du client."""
    prendre(societe, fiche("entreprise"))
    piece = EcheanceFactory(client=Client.objects.get(code="C1"))
    lettre = CourrierEnvoyeFactory([piece], nature=nature)
    Courrier.objects.filter(pk=lettre.pk).update(statut=statut)
    rendu = prendre(societe, fiche("particulier"), partiel=True)
    assert [(r.ligne, r.champ, "attend de partir" in r.motif) for r in rendu.rejets] == [(3, "type", True)] * refuse
    assert Client.objects.get(code="C1").type == ("entreprise" if refuse else "particulier")
    assert prendre(societe, fiche("entreprise")).accepte, "le même type ne change rien : la ligne passe"


def test_un_code_de_pays_qui_n_existe_pas_est_rejete(societe):
    rendu = prendre(societe, "code_client;raison_sociale;pays\nC1;Dupont;ZZ\nC2;Durand;be\n", partiel=True)
    assert [(r[0], r[1]) for r in rejets(rendu)] == [(2, "pays")]
    assert Client.objects.get().pays == "BE"


def test_un_compte_importe_au_siren_d_un_debiteur_en_procedure_s_arrete_aussi(societe):
    """C. com., art. L622-21 : le jugement vaut pour la personne, sous quelque code qu'elle soit facturée."""
    prendre(societe, SIREN)
    jugement = date(2026, 3, 2)
    Client.objects.update(jugement_ouverture_le=jugement)
    rendu = prendre(societe, SIREN.replace("C1;", "C2;"))
    assert Client.objects.get(code="C2").jugement_ouverture_le == jugement
    assert any("procédure collective" in phrase for phrase in rendu.avertissements)
    assert prendre(societe, SIREN.replace("C1;", "C3;").replace("732829320", "552100554")).avertissements == []
    assert Client.objects.get(code="C3").jugement_ouverture_le is None
