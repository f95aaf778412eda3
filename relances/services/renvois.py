"""« Facture non reçue » : la copie repart, un délai court se donne (exigence 34, décision 31)."""

import hashlib
import re
from dataclasses import dataclass, field
from datetime import date, timedelta

from django.core.exceptions import ValidationError
from django.db import transaction
from django.utils.translation import gettext as _

from clients.models import Client
from factures.domaine.calendrier import ajouter_jours_ouvres, jour_ouvre_suivant
from factures.models import CopieFacture, Echeance, Exclusion
from factures.services.exclusions import exclure, reintegrer
from recouvrement.commun import formats
from recouvrement.journal.models import Maillon
from recouvrement.journal.services import consigner
from relances.models import Message, Tache
from relances.rendu.filtres import Somme

from .confirmations import a_qui, texte_de_suite
from .jointes import COURRIEL_MAX
from .messages import annuler_message, ecrire
from .taches import creer_tache

DELAI_APRES_RENVOI = 5  # jours ouvrés laissés au client pour traiter la facture
DELAI_PAIEMENT_PARTI = 5  # jours ouvrés pour voir arriver ce qu'il dit avoir payé
ACTION = "facture.renvoyee"


@dataclass
class Renvoi:
    """message : None si rien n'a pu partir. manquantes : numéros sans copie rangée, ou trop lourds pour ce courriel."""

    fin: date
    message: Message | None = None
    manquantes: list[str] = field(default_factory=list)
    sans_adresse: bool = False
    tache: Tache | None = None


def fin_du_delai(au: date, jours: int, region: str) -> date:
    """Dernier jour, compris, où les pièces attendent."""
    return ajouter_jours_ouvres(au, jours, region)


@transaction.atomic
def renvoyer(client: Client, echeances: list[Echeance], *, au: date, acteur) -> Renvoi:
    """Renvoie la copie des factures de ces échéances et retient celles-ci cinq jours ouvrés.

    Le même renvoi (factures, adresse, jour) ne part qu'une fois : double clic, deux onglets. Sans copie rangée ou sans
    adresse, une tâche demande de la renvoyer à la main ; le délai court quand même, le client l'attend.
    Lève ValidationError : aucune pièce ouverte de ce client.
    """
    client = Client.objects.select_for_update(no_key=True, of=("self",)).select_related("societe").get(pk=client.pk)
    pieces = _ouvertes(client, echeances)
    region = client.societe.region_feries
    renvoi = Renvoi(fin=fin_du_delai(au, DELAI_APRES_RENVOI, region))
    jointes, renvoi.manquantes = _copies(pieces)
    vers = a_qui(client)
    renvoi.sans_adresse = not vers.adresse
    if jointes and vers.adresse:
        deja = _deja_parti(client, pieces, vers.adresse, au)
        if deja:
            return Renvoi(fin=renvoi.fin, message=deja, manquantes=renvoi.manquantes)
        renvoi.message = _ecrire(client, pieces, jointes, vers.adresse, renvoi, au=au, acteur=acteur)
    if renvoi.message is None or renvoi.manquantes:
        renvoi.tache = _tache(client, pieces, renvoi, au)
    if renvoi.message is None:  # rien n'est parti : le motif ne dit pas le contraire
        motif = _("Renvoyer la facture : « non reçue »")
    else:
        motif = _("Facture renvoyée le %(jour)s : délai pour la traiter") % {"jour": formats.jour(au)}
    posees = retenir(pieces, motif=motif, du=au, au=renvoi.fin, acteur=acteur)
    consigner(
        ACTION, societe=client.societe, acteur=acteur, objet=renvoi.message or client, client=client,
        texte=", ".join(dict.fromkeys(e.facture.numero for e in pieces)),
        donnees={
            "exclusions": [x.pk for x in posees], "echeances": [e.pk for e in pieces], "sans_copie": renvoi.manquantes,
            "au": renvoi.fin, "message": renvoi.message.pk if renvoi.message else None,
        },
    )  # fmt: skip
    return renvoi


def _ouvertes(client: Client, echeances: list[Echeance]) -> list[Echeance]:
    choisies = Echeance.objects.ouvertes().filter(client=client, pk__in=[e.pk for e in echeances])
    pieces = list(choisies.select_related("facture", "societe").order_by("date_echeance", "pk"))
    if not pieces:
        raise ValidationError(_("Choisissez au moins une pièce encore ouverte."))
    return pieces


def _copies(pieces: list[Echeance]) -> tuple[list[dict], list[str]]:
    """La dernière copie de chaque facture, dans la limite d'un courriel ; et les numéros qui ne partent pas."""
    factures = {e.facture_id: e.facture for e in pieces}
    dernieres = {c.facture_id: c for c in CopieFacture.objects.filter(facture__in=factures).order_by("pk")}
    jointes, manquantes, poids = [], [], 0
    for pk, facture in factures.items():
        copie = dernieres.get(pk)
        if copie is None or poids + copie.taille > COURRIEL_MAX:
            manquantes.append(facture.numero)
            continue
        poids += copie.taille
        nom = re.sub(r"[^\w.+-]+", "-", facture.numero).strip("-.") or str(pk)
        jointes.append(
            {"nom": f"{nom}.pdf", "chemin": copie.chemin, "empreinte": copie.empreinte, "type": "application/pdf"}
        )
    return jointes, manquantes


def _prefixe(pieces: list[Echeance], adresse: str, au: date) -> str:
    quoi = ",".join(map(str, sorted({e.facture_id for e in pieces})))
    return f"facture:{au}:{hashlib.sha256(f'{quoi} {adresse}'.encode()).hexdigest()[:16]}"


def _deja_parti(client: Client, pieces: list[Echeance], adresse: str, au: date) -> Message | None:
    """Ce renvoi, écrit aujourd'hui et ni annulé ni en erreur : le double clic le retrouve."""
    ecrits = client.messages.filter(cle__startswith=_prefixe(pieces, adresse, au))
    return ecrits.exclude(statut__in=(Message.Statut.ANNULE, Message.Statut.EN_ERREUR)).first()


def _ecrire(client, pieces, jointes, adresse, renvoi: Renvoi, *, au: date, acteur) -> Message:
    parties = [e for e in pieces if e.facture.numero not in renvoi.manquantes]
    numeros = list(dict.fromkeys(e.facture.numero for e in parties))
    lignes = tuple(
        {
            "numero": e.facture.numero, "date_emission": e.facture.date_emission, "date_echeance": e.date_echeance,
            "reste_du": Somme(e.reste_du, e.devise),
        }
        for e in parties
    )  # fmt: skip
    courriel = texte_de_suite(
        client,
        "facture",
        reference=numeros[0] if len(numeros) == 1 else "",
        au=au,
        lignes=lignes,
        renvoi={
            "factures": ", ".join(numeros) if len(numeros) <= 3 else str(len(numeros)),
            "nombre": len(numeros),
            "reprise_le": jour_ouvre_suivant(renvoi.fin + timedelta(days=1), client.societe.region_feries),
        },
    )
    prefixe = _prefixe(pieces, adresse, au)
    rang = client.messages.filter(cle__startswith=prefixe).count()  # un renvoi en erreur ou annulé se refait
    return ecrire(
        client, genre=Message.Genre.FACTURE, cle=f"{prefixe}:{rang}", destinataire=adresse, objet=courriel.objet,
        texte=courriel.texte, acteur=acteur, jointes=jointes,
    )  # fmt: skip


def _tache(client: Client, pieces: list[Echeance], renvoi: Renvoi, au: date) -> Tache:
    if renvoi.sans_adresse:
        raison = _("aucune adresse de courriel utilisable")
    else:
        raison = _("aucune copie à joindre pour %(pieces)s") % {"pieces": ", ".join(renvoi.manquantes)}
    return creer_tache(
        client, genre=Tache.Genre.AUTRE, titre=_("Renvoyer la facture : « non reçue »"), due_le=au,
        cle="renvoyer_facture", raison=raison,
    )  # fmt: skip


def retenir(pieces: list[Echeance], *, motif: str, du: date, au: date, acteur) -> list[Exclusion]:
    """Retient ces pièces jusqu'au jour `au` ; celles qu'une retenue plus longue tient, ou le contentieux, n'y gagnent
    rien et la gardent."""
    longues = set(
        Exclusion.objects.en_cours(du).filter(echeance__in=pieces, au__gte=au).values_list("echeance", flat=True)
    )
    return [
        exclure(e, motif=motif[:200], du=du, au=au, acteur=acteur)
        for e in pieces
        if e.pk not in longues and not e.en_contentieux
    ]


@transaction.atomic
def retenir_pour_paiement(client: Client, echeances: list[Echeance], *, au: date, acteur) -> date:
    """« Le paiement est parti » : ces pièces attendent le temps de le voir arriver. Rend le dernier jour compris."""
    fin = fin_du_delai(au, DELAI_PAIEMENT_PARTI, client.societe.region_feries)
    motif = _("Paiement annoncé parti le %(jour)s : arrivée à vérifier") % {"jour": formats.jour(au)}
    retenir(_ouvertes(client, echeances), motif=motif, du=au, au=fin, acteur=acteur)
    return fin


@transaction.atomic
def defaire_renvoi(message: Message, *, acteur) -> tuple[bool, bool]:
    """Annule le courriel s'il attend encore et rend les pièces à l'échelle : (délai repris, courriel déjà parti)."""
    parti = not annuler_message(message, acteur=acteur)
    if parti:
        return False, True
    maillon = Maillon.objects.filter(client_id=message.client_id, action=ACTION, detail__donnees__message=message.pk)
    fait = maillon.select_related("detail").order_by("-rang").first()
    posees = Exclusion.objects.filter(pk__in=fait.detail.donnees["exclusions"] if fait else [])
    for exclusion in posees:
        reintegrer(exclusion, acteur=acteur)
    return True, False


def dire(renvoi: Renvoi) -> str:
    """Phrase du toast : ce qui part, ce qui manque, jusqu'à quand on attend."""
    phrases = []
    if renvoi.message:
        phrases.append(
            _("Facture renvoyée à %(adresse)s : elle part dans dix secondes.")
            % {"adresse": renvoi.message.destinataire}
        )
    if renvoi.sans_adresse:
        phrases.append(_("Aucune adresse utilisable : une tâche demande de la renvoyer."))
    elif renvoi.manquantes:
        phrases.append(
            _("Aucune copie à joindre pour %(pieces)s : une tâche demande de la renvoyer.")
            % {"pieces": ", ".join(renvoi.manquantes)}
        )
    phrases.append(_("Rien ne se relance avant le %(jour)s.") % {"jour": formats.jour(renvoi.fin + timedelta(days=1))})
    return " ".join(phrases)
