"""Un relevé de la veille, à rapprocher : chaque mouvement montre une façon d'être reconnu, ou de ne pas l'être.

Les payeurs n'ont rien d'échu : ce qui attend en banque ne retient donc aucune relance de l'histoire.
"""

from collections import defaultdict
from decimal import Decimal

from factures.models import CompteBancaire, Echeance, Encaissement, MouvementBancaire, NatureMouvement, ReleveBancaire
from factures.services.rapprochement import suggerer
from recouvrement.comptes.models import Societe

from .temps import Jours

OUVERTURE = Decimal("48210.55")
IBAN = "FR7630006000011234567890189"  # exemple publié, d'aucun compte réel


def relever(societe: Societe, jours: Jours) -> int:
    """Écrit le relevé et ses propositions ; renvoie le nombre de mouvements."""
    compte = CompteBancaire.objects.create(
        societe=societe, identifiant=IBAN, iban=IBAN, libelle="Compte courant", devise="EUR"
    )
    lignes = list(_lignes(societe))
    total = sum((montant for montant, *_reste in lignes), Decimal(0))
    releve = ReleveBancaire.objects.create(
        societe=societe, compte=compte, cle_source="DEMO:RELEVE", numero="DEMO", du=jours.veille, au=jours.veille,
        solde_ouverture=OUVERTURE, solde_cloture=OUVERTURE + total, mouvements_lus=len(lignes),
    )  # fmt: skip
    MouvementBancaire.objects.bulk_create(
        MouvementBancaire(
            societe=societe, compte=compte, releve=releve, cle_source=f"DEMO:{rang}", date=jours.veille,
            montant=montant, nature=nature, libelle=libelle, reference=reference, motif_rejet=motif,
        )
        for rang, (montant, nature, libelle, reference, motif) in enumerate(lignes, 1)
    )  # fmt: skip
    suggerer(societe)
    return len(lignes)


def _lignes(societe: Societe):
    """(montant, nature, libellé, référence, motif de rejet)."""
    virement = NatureMouvement.VIREMENT
    a_jour = _comptes_a_jour(societe)
    seules = [pieces[0] for pieces in a_jour if len(pieces) == 1][:3]
    for rang, e in enumerate(seules):
        nom = e.client.raison_sociale.upper()
        if rang == 0:  # la référence exacte
            yield e.reste_du, virement, f"VIR SEPA {nom[:24]} {e.facture.numero}", e.facture.numero, ""
        elif rang == 1:  # le nom et le montant
            yield e.reste_du, virement, f"VIR INST {nom}", "NOTPROVIDED", ""
        else:  # une partie
            yield (e.reste_du / 3).quantize(Decimal("0.01")), virement, f"VIR {nom} ACPTE", "", ""
    for pieces in [p for p in a_jour if len(p) > 1][:2]:  # plusieurs factures d'un coup
        somme = pieces[0].reste_du + pieces[1].reste_du
        yield somme, virement, f"VIR SEPA RECU /DE {pieces[0].client.raison_sociale.upper()}", "", ""
    yield Decimal("417.60"), virement, "VIR TIERS SANS LIBELLE", "", ""
    yield Decimal("1152.00"), NatureMouvement.CHEQUE, "REM CHQ 0448213", "0448213", ""
    preleve = Encaissement.objects.filter(societe=societe, mode="prelevement").select_related("client")
    if e := preleve.order_by("-date", "-pk").first():
        libelle = f"PRLV SEPA REJETE {e.client.raison_sociale.upper()[:30]}"
        yield -e.montant, NatureMouvement.REJET, libelle, e.reference[:140], "Provision insuffisante"


def _comptes_a_jour(societe: Societe) -> list[list[Echeance]]:
    """Pièces ouvertes des clients qui n'ont rien d'échu, un client par liste."""
    ouvertes = Echeance.objects.ouvertes().filter(societe=societe, devise="EUR").select_related("client", "facture")
    par_client = defaultdict(list)
    for e in ouvertes.order_by("client", "date_echeance", "pk"):
        par_client[e.client_id].append(e)
    dernier = max((e.date_facture for pieces in par_client.values() for e in pieces), default=None)
    return [p for p in par_client.values() if p[0].date_echeance > dernier]
