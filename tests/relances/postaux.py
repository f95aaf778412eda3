"""Mises en demeure prêtes à poster, par le vrai chemin : la nuit décide, une personne valide, l'envoi compose."""

from datetime import date, timedelta

from relances.models import Courrier, Passage, Relance, VersionEchelle
from relances.services import envoi, gestes, nuit
from tests.factures.factories import EcheanceFactory

MARDI = date(2026, 2, 10)


def a_poster(societe, nombre: int = 1, *, par=None, au=MARDI, **champs) -> list[Courrier]:
    """Autant de recommandés « à poster », d'autant de clients, rangés par client puis par clé."""
    echeances = [EcheanceFactory(societe=societe, echue_le=au - timedelta(days=60), **champs) for _ in range(nombre)]
    types = {e.client.type for e in echeances}
    for type_debiteur in types:
        version = VersionEchelle.objects.get(
            echelle__societe=societe, echelle__code=type_debiteur, statut=VersionEchelle.Statut.PUBLIEE
        )
        palier = version.paliers.filter(nature=5).first()
        ids = [e.pk for e in echeances if e.client.type == type_debiteur]
        type(echeances[0]).objects.filter(pk__in=ids).update(
            niveau=4, niveau_rang=palier.rang - 1, niveau_version=version.pk, niveau_le=au - timedelta(days=20)
        )
    nuit.relancer(societe, au=au, passage=nuit.ouvrir_passage(societe, au=au, genre=Passage.Genre.REJOUE))
    courriers = Courrier.objects.filter(relances__echeance__in=echeances, statut=Courrier.Statut.A_VALIDER)
    for courrier in courriers:
        gestes.valider(courrier, par=par, au=au, au_dela_du_plafond=True)
        assert envoi.envoyer(courrier.pk, au=au) == Courrier.Statut.A_POSTER
    return ranges(courriers.model.objects.filter(relances__echeance__in=echeances))


def ranges(courriers) -> list[Courrier]:
    return list(courriers.select_related("client", "societe").order_by("client__raison_sociale", "pk"))


def solder(courrier: Courrier) -> None:
    """Le client paie entre-temps toutes les pièces de la lettre."""
    for relance in Relance.objects.filter(courrier=courrier).select_related("echeance"):
        e = relance.echeance
        type(e).objects.filter(pk=e.pk).update(impute=e.montant)
