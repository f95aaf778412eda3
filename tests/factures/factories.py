"""Fabriques du grand livre : les soldes y égalent toujours les imputations.

EcheanceFactory(echue_le=date(2026, 1, 31), reste=400)      # 600 € déjà payés sur 1 000 €
EcheanceFactory(client=client, en_litige=True)              # tout le reste dû contesté ; ou un montant
EcheanceFactory(echue_le=jour, soldee=True)                 # payée le jour de l'échéance ; ou une date
"""

from datetime import date, timedelta
from decimal import Decimal
from itertools import count

from factures.domaine.mensualites import mois_apres, proposer
from factures.models import (
    Avoir,
    Echeance,
    Echeancier,
    Encaissement,
    Exclusion,
    Facture,
    Imputation,
    Litige,
    Mensualite,
    Promesse,
)
from tests.clients.factories import ClientFactory
from tests.comptes.factories import UtilisateurFactory

_rang = count(1)
ECHUE_LE = date(2026, 1, 31)


def FactureFactory(*, client=None, societe=None, montant_ttc=Decimal(1000), date_emission=None, **champs) -> Facture:
    """Facture sans échéance (EcheanceFactory en crée une avec sa facture)."""
    n = next(_rang)
    client = client or ClientFactory(societe=societe)
    base = {"numero": f"F2026-{n:05d}", "cle_source": f"facture:{n}"}
    return Facture.objects.create(
        societe=client.societe,
        client=client,
        montant_ttc=montant_ttc,
        date_emission=date_emission or ECHUE_LE - timedelta(days=30),
        **base | champs,
    )


def EcheanceFactory(
    *,
    echue_le: date = ECHUE_LE,
    client=None,
    societe=None,
    facture=None,
    montant=None,
    reste=None,
    en_litige: bool | Decimal | int = False,
    soldee: bool | date = False,
    regle_le: date | None = None,
    devise: str | None = None,
    **champs,
) -> Echeance:
    """Échéance de 1 000 € due le `echue_le`, facturée trente jours avant.

    reste : ce qui reste dû, le surplus étant payé le `regle_le` (défaut : le jour de la facture) par un
    encaissement. soldee : vrai, ou le jour du dernier paiement.
    """
    n = next(_rang)
    montant = Decimal(montant if montant is not None else max(Decimal(1000), Decimal(reste or 0)))
    emise_le = champs.pop("date_facture", None) or (facture.date_emission if facture else echue_le - timedelta(days=30))
    if facture is None:
        facture = FactureFactory(
            client=client, societe=societe, montant_ttc=montant, date_emission=emise_le, devise=devise or "EUR"
        )
    echeance = Echeance.objects.create(
        societe=facture.societe,
        client=facture.client,
        facture=facture,
        date_facture=emise_le,
        date_echeance=echue_le,
        montant=montant,
        devise=facture.devise,
        **{"cle_source": f"echeance:{n}"} | champs,
    )
    paye = montant if soldee else (montant - Decimal(reste) if reste is not None else Decimal(0))
    if paye:
        jour = soldee if isinstance(soldee, date) else regle_le or (echue_le if soldee else emise_le)
        ImputationFactory(echeance=echeance, montant=paye, date=jour)
    if en_litige:
        LitigeFactory(echeance=echeance, montant_conteste=None if en_litige is True else Decimal(en_litige))
    return echeance


def EncaissementFactory(
    *, client=None, societe=None, montant=Decimal(500), date: date = ECHUE_LE, **champs
) -> Encaissement:
    """Encaissement non affecté, sauf ce qu'ImputationFactory en posera."""
    n = next(_rang)
    client = client or ClientFactory(societe=societe)
    base = {"reference": f"VIR-{n:05d}", "cle_source": f"encaissement:{n}"}
    return Encaissement.objects.create(
        societe=client.societe, client=client, montant=Decimal(montant), date=date, **base | champs
    )


def AvoirFactory(*, client=None, societe=None, montant=Decimal(200), date_emission: date = ECHUE_LE, **champs) -> Avoir:
    n = next(_rang)
    client = client or ClientFactory(societe=societe)
    base = {"numero": f"A2026-{n:05d}", "cle_source": f"avoir:{n}"}
    return Avoir.objects.create(
        societe=client.societe, client=client, montant=Decimal(montant), date_emission=date_emission, **base | champs
    )


def ImputationFactory(
    *, echeance: Echeance, montant=None, date: date | None = None, encaissement=None, avoir=None
) -> Imputation:
    """Pose un montant sur une échéance et tient les trois soldes ; sans source, crée l'encaissement."""
    n = next(_rang)
    montant = Decimal(montant if montant is not None else echeance.reste_du)
    date = date or echeance.date_echeance
    if encaissement is None and avoir is None:
        encaissement = EncaissementFactory(client=echeance.client, montant=montant, date=date, devise=echeance.devise)
    imputation = Imputation.objects.create(
        societe=echeance.societe,
        echeance=echeance,
        encaissement=encaissement,
        avoir=avoir,
        date=date,
        montant=montant,
        cle_source=f"imputation:{n}",
    )
    source = encaissement or avoir
    source.impute += montant
    source.save(update_fields=["impute"])
    echeance.impute += montant
    if echeance.impute == echeance.montant:
        echeance.soldee_le = max(i.date for i in echeance.imputations.all())
    echeance.save(update_fields=["impute", "soldee_le"])
    return imputation


def LitigeFactory(*, echeance=None, montant_conteste=None, **champs) -> Litige:
    echeance = echeance or EcheanceFactory()
    base = {
        "categorie": Litige.Categorie.PRIX,
        "ouvert_le": echeance.date_echeance,
        "a_traiter_le": echeance.date_echeance + timedelta(days=30),
    }
    return Litige.objects.create(
        echeance=echeance,
        montant_conteste=montant_conteste if montant_conteste is not None else echeance.reste_du,
        **base | champs,
    )


def PromesseFactory(
    *, echeances=None, date_promise: date, faite_le: date | None = None, montant=None, **champs
) -> Promesse:
    """Promesse sur ces échéances (une, créée au besoin), pour leur reste dû entier."""
    echeances = list(echeances or [EcheanceFactory()])
    du = sum((e.reste_du for e in echeances), Decimal(0))
    promesse = Promesse.objects.create(
        client=echeances[0].client,
        date_promise=date_promise,
        faite_le=faite_le or date_promise - timedelta(days=7),
        montant=du if montant is None else Decimal(montant),
        du_a_la_promesse=du,
        **champs,
    )
    promesse.echeances.set(echeances)
    return promesse


def ExclusionFactory(*, echeance=None, du: date, au: date | None = None, auteur=None, **champs) -> Exclusion:
    echeance = echeance or EcheanceFactory()
    return Exclusion.objects.create(
        echeance=echeance,
        du=du,
        au=au or du + timedelta(days=30),
        auteur=auteur or UtilisateurFactory(societe=echeance.societe),
        **{"motif": "Avoir promis"} | champs,
    )


def EcheancierFactory(*, echeances=None, accepte_le: date, nombre: int = 3, premiere=None, **champs) -> Echeancier:
    """Échéancier en cours : `nombre` mensualités égales, la première un mois après l'accord."""
    echeances = list(echeances or [EcheanceFactory()])
    du = sum((e.reste_du for e in echeances), Decimal(0))
    echeancier = Echeancier.objects.create(
        client=echeances[0].client,
        devise=echeances[0].devise,
        accepte_le=accepte_le,
        du_a_l_accord=du,
        **champs,
    )
    echeancier.echeances.set(echeances)
    for rang, terme in enumerate(proposer(du, nombre, premiere or mois_apres(accepte_le, 1)), 1):
        Mensualite.objects.create(echeancier=echeancier, rang=rang, due_le=terme.due_le, montant=terme.montant)
    return echeancier
