"""Prescription de chaque facture d'un dossier : actes relevés dans la base, dates par `domaine.prescription`."""

from collections import defaultdict
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from datetime import date

from django.db.models import Min
from django.utils import timezone
from django.utils.translation import gettext as _

from clients.models import Client, TypeDebiteur
from contentieux.domaine import prescription as regle
from contentieux.domaine.prescription import Acte, Interruption, Prescription
from contentieux.donnees import natures
from contentieux.models import DossierContentieux
from factures.models import Echeance, Facture, Imputation
from relances.domaine.natures import Nature
from relances.models import Courrier

NATURE_PAR_TYPE = {
    TypeDebiteur.ENTREPRISE: "commerce",
    TypeDebiteur.PARTICULIER: "consommateur",
    TypeDebiteur.ADMINISTRATION: "public",
}
LA_PLUS_COURTE = "consommateur"  # débiteur à qualifier : la durée prudente des trois
PARTIS = (Courrier.Statut.ENVOYE, Courrier.Statut.POSTE)


@dataclass(frozen=True)
class PrescriptionFacture:
    facture: Facture
    prescription: Prescription
    alerte: int | None  # 6, 3, 0 si la date d'origine est passée


def nature_de(client: Client, choisie: str = "") -> str:
    """Code de la table : celui que la personne a choisi, sinon celui du type de débiteur."""
    return choisie if choisie in natures() else NATURE_PAR_TYPE.get(client.type, LA_PLUS_COURTE)


def jour_du_courrier(courrier: Courrier) -> date | None:
    """Jour où il est parti : dépôt du recommandé, sinon envoi."""
    return courrier.depose_le or (courrier.envoye_le and timezone.localdate(courrier.envoye_le))


def pour_factures(
    factures: Iterable[Facture],
    *,
    au: date,
    nature: str = "",
    communs: Iterable[Interruption] = (),
) -> list[PrescriptionFacture]:
    """Une prescription par facture, en trois requêtes pour toutes ; `communs` vaut pour chacune.

    Lève PrescriptionIndeterminee si la nature choisie n'a pas de durée.
    """
    factures = list(factures)
    releves = _actes([f.pk for f in factures])
    exigibles = _exigibilites([f.pk for f in factures])
    resultat = []
    for facture in factures:
        table = natures()[nature_de(facture.client, nature)]
        depart, avertissements = regle.point_de_depart(
            table,
            execution=facture.date_execution,
            emission=facture.date_emission,
            exigibilite=exigibles.get(facture.pk, facture.date_emission),
        )
        if not nature and facture.client.type == TypeDebiteur.A_QUALIFIER:
            avertissements = (*avertissements, _("Débiteur à qualifier : la durée la plus courte est retenue."))
        calcul = regle.calculer(table, depart, [*releves.get(facture.pk, ()), *communs], avertissements=avertissements)
        resultat.append(PrescriptionFacture(facture, calcul, calcul.alerte(au)))
    return resultat


def du_dossier(dossier: DossierContentieux, *, au: date) -> list[PrescriptionFacture]:
    """Factures du dossier, la plus pressée d'abord."""
    ids = dossier.lignes.values_list("echeance__facture", flat=True)
    factures = Facture.objects.filter(pk__in=ids).select_related("client").order_by("date_emission", "pk")
    communs = [
        Interruption(i.jour, Acte(i.acte), str(i.piece) if i.piece else "")
        for i in dossier.interruptions.select_related("piece")
    ]
    if dossier.depose_le:
        communs.append(Interruption(dossier.depose_le, Acte.REQUETE))
    if dossier.signifiee_le:
        communs.append(Interruption(dossier.signifiee_le, Acte.SIGNIFICATION))
    lues = pour_factures(factures, au=au, nature=dossier.nature_creance, communs=communs)
    return sorted(lues, key=lambda p: (p.prescription.origine, p.facture.pk))


def _actes(factures: list[int]) -> Mapping[int, list[Interruption]]:
    """Paiements partiels et mises en demeure de ces factures ; la règle dit ce qui interrompt."""
    actes: dict[int, list[Interruption]] = defaultdict(list)
    payees = (
        Imputation.objects.filter(echeance__facture__in=factures, avoir=None)
        .order_by()
        .values_list("echeance__facture", "encaissement__date", "encaissement__reference")
        .distinct()
    )
    for facture, jour, reference in payees:
        actes[facture].append(Interruption(jour, Acte.PAIEMENT_PARTIEL, reference))
    mises_en_demeure = (
        Courrier.objects.filter(
            nature=Nature.MISE_EN_DEMEURE, statut__in=PARTIS, relances__echeance__facture__in=factures
        )
        .values_list("relances__echeance__facture", "depose_le", "envoye_le", "reference")
        .order_by()
        .distinct()
    )
    for facture, depose, envoye, reference in mises_en_demeure:
        jour = depose or (envoye and timezone.localdate(envoye))
        if jour and facture in factures:
            actes[facture].append(Interruption(jour, Acte.MISE_EN_DEMEURE, reference))
    return actes


def _exigibilites(factures: list[int]) -> dict[int, date]:
    """Première échéance de chaque facture : la plus prudente."""
    return dict(
        Echeance.objects.filter(facture__in=factures)
        .order_by()
        .values_list("facture")
        .annotate(premiere=Min("date_echeance"))
    )
