"""Exigence 26 : un recommandé a son suivi, son dépôt, sa présentation, son retour et le scan de son avis."""

import pytest
from django.urls import reverse

from recouvrement.commun import depot
from recouvrement.comptes.models import Role
from relances.models import Courrier
from tests.comptes.factories import SocieteFactory, UtilisateurFactory

from .postaux import a_poster
from .test_vues_postes import scan, un_pdf

pytestmark = pytest.mark.django_db
S = Courrier.Statut


@pytest.mark.parametrize(
    ("retour", "presente", "statut"),
    [("distribue", "", S.POSTE), ("non_reclame", "2026-02-11", S.POSTE), ("npai", "", S.EN_ERREUR)],
)
def test_exigence_26_suivi_depot_presentation_retour_et_scan(
    client, settings, tmp_path, time_machine, retour, presente, statut
):
    """Exigence 26 : les trois retours, chacun avec l'avis numérisé, octet pour octet."""
    settings.DEPOT = tmp_path / "depot"
    time_machine.move_to("2026-02-10 09:00 +0100", tick=False)
    societe = SocieteFactory()
    responsable = UtilisateurFactory(role=Role.RESPONSABLE, societe=societe)
    client.force_login(responsable)
    (courrier,) = a_poster(societe)
    depose = {"depose_le": "2026-02-10", "numero_suivi": "2C 123 456 7890 1"}
    assert client.post(reverse("relances:poster", args=[courrier.pk]), depose).status_code == 303
    courrier.refresh_from_db()
    assert (courrier.statut, courrier.numero_suivi, f"{courrier.depose_le}") == (S.POSTE, "2C12345678901", "2026-02-10")

    time_machine.move_to("2026-03-02 09:00 +0100", tick=False)
    client.force_login(responsable)  # la session d'avant a expiré
    avis = un_pdf()
    donnees = {"retour": retour, "retour_le": "2026-03-02", "presente_le": presente}
    assert client.post(reverse("relances:retour", args=[courrier.pk]), donnees).status_code == 303
    url = reverse("relances:avis", args=[courrier.pk])
    assert client.post(url, {"scan": scan(avis)}).status_code == 303
    assert client.get(url).content == avis
    courrier.refresh_from_db()
    assert (courrier.retour, f"{courrier.retour_le}", courrier.statut) == (retour, "2026-03-02", statut)
    assert f"{courrier.presente_le or ''}" == presente or retour == "distribue"
    assert depot.lire(courrier.avis_chemin, courrier.avis_empreinte) == avis
    (relance,) = courrier.relances.all()
    relance.echeance.refresh_from_db()
    assert (relance.echeance.niveau == courrier.nature) is (retour != "npai"), "un NPAI rend le niveau"
