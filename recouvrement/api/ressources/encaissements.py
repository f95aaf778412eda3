"""Encaissements : l'argent reçu, ce qu'il a payé ; le saisir et l'affecter comme à l'écran."""

from django.core.exceptions import ValidationError
from django.db.models import F
from django.utils.translation import gettext as _
from ninja import Query, Router
from pydantic import Field

from clients.models import Client
from factures.forms import AffectationForm, EncaissementForm
from factures.models import Echeance, Encaissement
from factures.models.grand_livre import Mode
from factures.services import accessoires_dus, enregistrer_encaissement, imputer
from recouvrement.commun.horloge import aujourd_hui
from relances.services.dues import mises_en_demeure

from ..acces import JSON
from ..contrat import operation
from ..curseur import paginer
from ..formes import (
    Cle,
    ClientCourt,
    Devise,
    Entree,
    Instant,
    InstantLu,
    Jour,
    JourLu,
    Montant,
    MontantLu,
    Page,
    Sortie,
    Texte,
    client_court,
    facultatif,
    instant,
    jour,
    parmi,
    somme,
)
from ..idempotence import cle_de_service
from ..perimetre import trouver, visibles
from ..portees import Portee
from ..problemes import champs_de, saisie

router = Router(tags=["Encaissements"])
PARTS_MAX = 100  # échéances par affectation, comme à l'écran


class FiltresEncaissements(Page):
    client: Cle = facultatif("Clé du client.")
    a_affecter: bool = facultatif("true : une part n'est posée sur aucune pièce.")
    recu_depuis: JourLu = facultatif("Reçus ce jour-là ou après.")
    recu_jusqu_au: JourLu = facultatif("Reçus ce jour-là ou avant.")
    modifie_depuis: InstantLu = facultatif("Modifiés à partir de cet instant.")


class EncaissementSortie(Sortie):
    id: int
    client: ClientCourt
    reference: str
    recu_le: Jour
    montant: Montant
    affecte: Montant
    a_affecter: Montant
    devise: Devise
    mode: parmi(Mode.values)
    libelle: str
    payeur: str
    rejete_le: Jour | None
    modifie_le: Instant


class EncaissementsSortie(Sortie):
    donnees: list[EncaissementSortie]
    curseur_suivant: str | None


class AffectationSortie(Sortie):
    genre: parmi(["principal", "accessoires"])
    facture: int
    numero: str
    echeance: int | None
    date: Jour
    montant: Montant


class EncaissementDetail(EncaissementSortie):
    affectations: list[AffectationSortie]


class EncaissementCreation(Entree):
    client: Cle = Field(description="Clé du client.")
    montant: MontantLu
    recu_le: JourLu
    devise: Devise = Field("EUR", json_schema_extra={"default": "EUR"})
    mode: parmi(Mode.values) = Field("virement", json_schema_extra={"default": "virement"})
    reference: Texte = facultatif("Référence.", max_length=80)
    libelle: Texte = facultatif("Libellé de la banque.", max_length=200)


class Part(Entree):
    echeance: Cle = Field(description="Clé de l'échéance, même client et même devise.")
    montant: MontantLu


class PartAccessoires(Entree):
    facture: Cle = Field(description="Clé de la facture dont on paie les intérêts, puis les 40 €.")
    montant: MontantLu


class Affectation(Entree):
    parts: list[Part] = Field([], max_length=PARTS_MAX)
    accessoires: list[PartAccessoires] = Field([], max_length=PARTS_MAX)
    designees: bool = Field(False, description="Le débiteur a désigné ces échéances (C. civ., art. 1342-10).")
    deja_affecte: MontantLu = facultatif("Part affectée lue ; si elle a changé depuis, rien n'est écrit.")


EXEMPLE = {
    "id": 9, "client": {"id": 12, "code": "C000123", "raison_sociale": "Menuiserie Delorme"}, "reference": "VIR-118",
    "recu_le": "2026-11-18", "montant": "500.00", "affecte": "0.00", "a_affecter": "500.00", "devise": "EUR",
    "mode": "virement", "libelle": "VIR DELORME F2026-00118", "payeur": "", "rejete_le": None,
    "modifie_le": "2026-11-20T10:00:00+01:00",
}  # fmt: skip
AFFECTE = EXEMPLE | {
    "affecte": "500.00",
    "a_affecter": "0.00",
    "affectations": [
        {"genre": "principal", "facture": 41, "numero": "F2026-00118", "echeance": 77, "date": "2026-11-20",
         "montant": "500.00"},
    ],
}  # fmt: skip


def montrer(e: Encaissement) -> dict:
    return {
        "id": e.pk,
        "client": client_court(e.client),
        "reference": e.reference,
        "recu_le": jour(e.date),
        "montant": somme(e.montant),
        "affecte": somme(e.impute),
        "a_affecter": somme(e.non_affecte),
        "devise": e.devise,
        "mode": e.mode,
        "libelle": e.libelle,
        "payeur": e.payeur,
        "rejete_le": jour(e.rejete_le),
        "modifie_le": instant(e.updated_at),
    }


def detail(e: Encaissement) -> dict:
    posees = [
        ("principal", i.echeance.facture, i.echeance_id, i)
        for i in e.imputations.select_related("echeance__facture").order_by("date", "pk")
    ]
    posees += [
        ("accessoires", a.facture, None, a) for a in e.accessoires.select_related("facture").order_by("date", "pk")
    ]
    return montrer(e) | {
        "affectations": [
            {"genre": genre, "facture": facture.pk, "numero": facture.numero, "echeance": echeance,
             "date": jour(x.date), "montant": somme(x.montant)}
            for genre, facture, echeance, x in posees
        ]
    }  # fmt: skip


@operation(
    router, "GET", "encaissements", nom="encaissements", portee=Portee.ENCAISSEMENTS_LIRE,
    reponse=EncaissementsSortie, filtres=FiltresEncaissements,
    exemple={"donnees": [EXEMPLE], "curseur_suivant": None},
)  # fmt: skip
def encaissements(request, filtres: Query[FiltresEncaissements]):
    """Lister les encaissements"""
    criteres = {
        "client": filtres.client,
        "date__gte": filtres.recu_depuis,
        "date__lte": filtres.recu_jusqu_au,
        "updated_at__gte": filtres.modifie_depuis,
    }
    lignes = visibles(request, Encaissement).select_related("client")
    lignes = lignes.filter(**{nom: valeur for nom, valeur in criteres.items() if valeur is not None})
    if filtres.a_affecter is not None:
        lignes = lignes.filter(impute__lt=F("montant")) if filtres.a_affecter else lignes.filter(impute=F("montant"))
    return paginer(lignes, filtres, liste="encaissements", montrer=montrer)


@operation(
    router, "GET", "encaissements/{id}", nom="encaissement", portee=Portee.ENCAISSEMENTS_LIRE,
    reponse=EncaissementDetail, exemple=AFFECTE,
)  # fmt: skip
def encaissement(request, id: Cle):
    """Lire un encaissement et ses affectations"""
    return detail(trouver(visibles(request, Encaissement).select_related("client"), id))


@operation(
    router, "POST", "encaissements", nom="encaissement_creer", portee=Portee.ENCAISSEMENTS_ECRIRE, statut=201,
    reponse=EncaissementDetail, corps=JSON, exemple=EXEMPLE | {"affectations": []},
    exemple_corps={"client": 12, "montant": "500.00", "recu_le": "2026-11-18", "libelle": "VIR DELORME F2026-00118"},
)  # fmt: skip
def encaissement_creer(request, corps: EncaissementCreation):
    """Saisir un encaissement

    Il n'est posé sur aucune pièce : affectez-le ensuite. Tant qu'il attend, il retient les relances du client.
    """
    sien = visibles(request, Client).filter(pk=corps.client)
    client = sien.select_related("societe").first()
    if client is None:
        raise saisie([("client", _("Aucun client du périmètre n’a cette clé."))])
    donnees = corps.model_dump(exclude_none=True) | {"client": client.code, "cle": cle_de_service(request)}
    au = aujourd_hui()
    form = EncaissementForm(donnees | {"recu_le": corps.recu_le.isoformat()}, clients=sien, au=au)
    if not form.is_valid():
        raise saisie(champs_de(ValidationError(form.errors.as_data())))
    champs = {nom: valeur for nom, valeur in form.cleaned_data.items() if nom != "client"}
    return detail(enregistrer_encaissement(client, au=au, acteur=request.jeton.utilisateur, **champs))


@operation(
    router, "POST", "encaissements/{id}/affecter", nom="encaissement_affecter", portee=Portee.ENCAISSEMENTS_ECRIRE,
    reponse=EncaissementDetail, corps=JSON, exemple=AFFECTE,
    exemple_corps={"parts": [{"echeance": 77, "montant": "500.00"}], "deja_affecte": "0.00"},
)  # fmt: skip
def encaissement_affecter(request, id: Cle, corps: Affectation):
    """Affecter un encaissement

    Tout ou rien. Jamais plus que l'encaissement, que le reste dû d'une échéance, que les accessoires d'une facture.
    """
    jeton, au = request.jeton, aujourd_hui()
    source = trouver(visibles(request, Encaissement).select_related("client", "societe"), id)
    form, champs = _formulaire(request, source, corps)
    if not form.is_valid():
        fautes = champs_de(ValidationError(form.errors.as_data()))
        raise saisie([(champs.get(nom, nom), message) for nom, message in fautes])
    visees = Echeance.objects.filter(facture__in=[a.facture.pk for a in form.accessoires]) if form.accessoires else ()
    imputer(
        source, form.parts(), au=au, cle=form.cleaned_data["cle"], acteur=jeton.utilisateur,
        vu=form.cleaned_data["vu"], designees=form.designees_par_le_debiteur(),
        accessoires=form.parts_accessoires(), mises_en_demeure=mises_en_demeure(source.client, visees, au=au),
    )  # fmt: skip
    return detail(trouver(visibles(request, Encaissement).select_related("client"), id))


def _formulaire(request, source: Encaissement, corps: Affectation) -> tuple[AffectationForm, dict[str, str]]:
    """Le formulaire de l'écran rempli, et {champ du formulaire: champ de la demande}. Lève un 422 : pièce étrangère."""
    if not corps.parts and not corps.accessoires:
        raise saisie([("parts", _("Dites au moins une part."))])
    cles = [p.echeance for p in corps.parts]
    ouvertes = Echeance.objects.ouvertes().filter(
        societe=source.societe_id, client=source.client_id, devise=source.devise, pk__in=cles
    )
    echeances = {e.pk: e for e in ouvertes.select_related("facture")}
    dus = {}
    if corps.accessoires:
        calcules = accessoires_dus(
            source, mises_en_demeure=lambda lues: mises_en_demeure(source.client, lues, au=source.date)
        )
        dus = {a.facture.pk: a for a in calcules}
    donnees, champs, fautes = {}, {}, []
    listes = [
        ("parts", "e", [(p.echeance, p.montant) for p in corps.parts], echeances),
        ("accessoires", "a", [(p.facture, p.montant) for p in corps.accessoires], dus),
    ]
    for liste, lettre, parts, connues in listes:
        for rang, (cle, montant) in enumerate(parts):
            nom = f"{lettre}{cle}"
            if cle not in connues or nom in donnees:
                fautes.append((f"{liste}.{rang}", _("Pièce absente de ce compte, déjà soldée, ou citée deux fois.")))
            donnees[nom], champs[nom] = montant, f"{liste}.{rang}.montant"
    if fautes:
        raise saisie(fautes)
    donnees |= {
        "cle": cle_de_service(request),
        "vu": corps.deja_affecte or source.impute,
        "designees": ",".join(map(str, cles)) if corps.designees else "",
    }
    form = AffectationForm(donnees, source=source, echeances=list(echeances.values()), accessoires=list(dus.values()))
    return form, champs | {"vu": "deja_affecte"}
