"""Ce qu'un registre dit autrement que la fiche : proposé, jamais écrit d'office ; une personne accepte ou refuse.

Un refus vaut pour toujours (même champ, même valeur) ; une proposition périmée, la fiche ayant changé depuis, se
redit avec la valeur d'aujourd'hui avant de s'accepter.
"""

import hashlib
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass, field
from datetime import date, timedelta

from django.core.exceptions import ValidationError
from django.db import transaction
from django.db.models import Q
from django.utils import timezone
from django.utils.translation import gettext as _

from recouvrement.commun.domaine.identifiants import IdentifiantInvalide, verifier_siret
from recouvrement.commun.formats import jour as ecrire_jour
from recouvrement.comptes.models import Societe
from recouvrement.journal.services import consigner

from .domaine.registres import meme_adresse, meme_nom
from .models import Client, CorrectionProposee
from .services import modifier_client, suspendre

NOM, SIRET, ADRESSE, CESSATION = "raison_sociale", "siret", "adresse", "cessation"
CHAMPS_ADRESSE = ("adresse", "complement", "code_postal", "ville")
PAQUET = 1_000
DELAI_CESSATION = timedelta(days=30)  # le temps de décider : mandataire, contentieux ou perte
S = CorrectionProposee.Statut


@dataclass(frozen=True, slots=True)
class Fiche:
    """Une entreprise du registre. siege faux : un autre établissement, qui ne vaut que pour son SIRET."""

    siren: str
    siret: str = ""
    active: bool = True
    fermee_le: date | None = None
    valeurs: Mapping[str, str] = field(default_factory=dict)
    siege: bool = True


def ecrire_adresse(valeurs: Mapping[str, str]) -> str:
    """Quatre lignes, toujours : voie, complément, code postal, ville."""
    return "\n".join(valeurs.get(nom, "") for nom in CHAMPS_ADRESSE)[:250]


def lire_adresse(texte: str) -> dict[str, str]:
    lignes = (texte.split("\n") + [""] * 4)[:4]
    return dict(zip(CHAMPS_ADRESSE, lignes, strict=True))


def valeur_de(client: Client, champ: str) -> str:
    """Ce que la fiche dit aujourd'hui de ce champ, sous la forme des propositions."""
    if champ == ADRESSE:
        return ecrire_adresse({nom: getattr(client, nom) for nom in CHAMPS_ADRESSE})
    return "" if champ == CESSATION else getattr(client, champ)


def ecarts(client: Client, fiche: Fiche) -> Iterator[tuple[str, str, str]]:
    """(champ, valeur proposée, explication) de ce qui diffère vraiment ; une valeur vide ne propose rien."""
    if not fiche.active:
        le = _("depuis le %(jour)s") % {"jour": ecrire_jour(fiche.fermee_le)} if fiche.fermee_le else _("sans date")
        quoi = _("Entreprise cessée") if fiche.siege else _("Établissement fermé")
        yield (
            CESSATION,
            f"{quoi}, {le}",
            _("Ses dettes demeurent : mandataire, contentieux ou perte, à vous de décider."),
        )
        return  # le siège d'une entreprise cessée n'est plus où écrire
    nom = fiche.valeurs.get("raison_sociale", "")
    if nom and fiche.siege and not meme_nom(nom, client.raison_sociale):
        yield NOM, nom[:160], _("Nom au registre.")
    ailleurs = bool(client.siret) and client.siret != fiche.siret
    if fiche.siret and fiche.siege and client.siret != fiche.siret and _siret_valide(fiche.siret):
        yield SIRET, fiche.siret, _("Siège transféré.") if ailleurs else _("Siège au registre.")
    adresse = {cle: fiche.valeurs.get(cle, "") for cle in CHAMPS_ADRESSE}
    if adresse["ville"] and client.pays == "FR" and not meme_adresse(adresse, vars(client)):
        yield ADRESSE, ecrire_adresse(adresse), _("Adresse du siège.") if fiche.siege else _("Adresse du SIRET.")


def _siret_valide(siret: str) -> bool:
    try:
        return bool(verifier_siret(siret))
    except IdentifiantInvalide:
        return False


@dataclass
class Bilan:
    proposees: list[int] = field(default_factory=list)  # clés des corrections créées
    deja: int = 0  # connues : proposées, acceptées ou refusées
    clients: int = 0  # fiches du registre qui sont des clients
    remplacees: list[CorrectionProposee] = field(default_factory=list)


def proposer(societe: Societe, fiches: Iterable[Fiche], *, origine: str, lot_id: int | None) -> Bilan:
    """Compare chaque entreprise aux clients de son SIREN (ou de son SIRET) ; écrit les écarts nouveaux, par paquets.

    Une proposition encore à décider, que le registre ne dit plus, est remplacée. Aucun client n'est modifié.
    """
    bilan = Bilan()
    sirens = set(Client.objects.filter(societe=societe).exclude(siren="").values_list("siren", flat=True))
    paquet: dict[tuple, Fiche] = {}
    for fiche in fiches:
        if fiche.siren not in sirens:
            continue
        paquet[fiche.siren if fiche.siege else fiche.siret] = fiche
        if len(paquet) >= PAQUET:
            _proposer(societe, paquet, origine, lot_id, bilan)
            paquet = {}
    if paquet:
        _proposer(societe, paquet, origine, lot_id, bilan)
    return bilan


def _proposer(societe, fiches: Mapping[str, Fiche], origine: str, lot_id: int | None, bilan: Bilan) -> None:
    cles = list(fiches)
    clients = list(Client.objects.filter(Q(siren__in=cles) | Q(siret__in=cles), societe=societe).order_by("pk"))
    bilan.clients += len(clients)
    connues = {
        (c.client_id, c.champ, c.apres): c
        for c in CorrectionProposee.objects.filter(client__in=[c.pk for c in clients])
    }
    neuves = []
    for client in clients:
        # La fiche de son établissement l'emporte sur celle du siège.
        fiche = fiches.get(client.siret) or fiches.get(client.siren)
        for champ, apres, explication in ecarts(client, fiche):
            if (client.pk, champ, apres) in connues:
                bilan.deja += 1
                continue
            bilan.remplacees += [
                c for (pk, nom, _apres), c in connues.items()
                if (pk, nom) == (client.pk, champ) and c.statut == S.PROPOSEE and c.origine == origine
            ]  # fmt: skip
            neuves.append(
                CorrectionProposee(
                    client=client, champ=champ, avant=valeur_de(client, champ)[:250], apres=apres, origine=origine,
                    explication=explication, lot=lot_id,
                )
            )  # fmt: skip
    CorrectionProposee.objects.filter(pk__in=[c.pk for c in bilan.remplacees]).delete()
    bilan.proposees += [c.pk for c in CorrectionProposee.objects.bulk_create(neuves, batch_size=500)]


def empreinte(correction: CorrectionProposee) -> str:
    """Ce que l'écran montrait de cette proposition, en seize caractères."""
    return hashlib.sha256(f"{correction.avant}\0{correction.apres}".encode()).hexdigest()[:16]


# --- Décider -----------------------------------------------------------------------------------


class Perimee(ValidationError):
    """La fiche a changé depuis la proposition : elle est redite, rien n'est écrit."""


@transaction.atomic
def accepter(correction: CorrectionProposee, *, vue: str, au: date, acteur) -> bool:
    """Porte la valeur du registre sur la fiche, par le service qui modifie un client. Faux si déjà décidée.

    vue : `empreinte` de ce que la personne avait sous les yeux ; si la fiche dit autre chose, lève Perimee. Une
    cessation suspend les relances trente jours. Lève ValidationError : valeur que la fiche n'admet pas.
    """
    client = Client.objects.select_for_update(no_key=True, of=("self",)).select_related("societe").get(
        pk=correction.client_id
    )  # fmt: skip
    correction = CorrectionProposee.objects.select_for_update(no_key=True).filter(pk=correction.pk).first()
    if correction is None or correction.statut != S.PROPOSEE:
        return False
    courante = valeur_de(client, correction.champ)
    if correction.champ != CESSATION and courante != correction.apres:
        if courante[:250] != correction.avant or vue != empreinte(correction):
            raise Perimee(_("La fiche de %(client)s a changé depuis : relisez la proposition.") % {"client": client})
    if correction.champ == CESSATION:
        suspendre(client, motif=correction.apres, du=au, au=au + DELAI_CESSATION, acteur=acteur)
    elif courante != correction.apres:
        champs = lire_adresse(correction.apres) if correction.champ == ADRESSE else {correction.champ: correction.apres}
        modifier_client(client, version=client.version, champs=champs, acteur=acteur)
    _decider(correction, S.ACCEPTEE, client, acteur)
    return True


@transaction.atomic
def refuser(correction: CorrectionProposee, *, acteur) -> bool:
    """La fiche reste ; cette valeur ne se reproposera pas. Faux si déjà décidée."""
    correction = (
        CorrectionProposee.objects.select_for_update(no_key=True, of=("self",))
        .select_related("client__societe")
        .filter(pk=correction.pk)
        .first()
    )
    if correction is None or correction.statut != S.PROPOSEE:
        return False
    _decider(correction, S.REFUSEE, correction.client, acteur)
    return True


def redire(corrections: Iterable[CorrectionProposee]) -> int:
    """Remet à la valeur d'aujourd'hui l'« avant » des propositions périmées ; rend leur nombre."""
    corrections = [c for c in corrections if c.statut == S.PROPOSEE and c.champ != CESSATION]
    perimees = []
    for c in corrections:
        if (courante := valeur_de(c.client, c.champ)[:250]) != c.avant:
            c.avant = courante
            perimees.append(c)
    CorrectionProposee.objects.bulk_update(perimees, ["avant"], batch_size=500)
    return len(perimees)


def _decider(correction: CorrectionProposee, statut: str, client: Client, acteur) -> None:
    correction.statut, correction.decidee_par, correction.decidee_le = statut, acteur, timezone.now()
    correction.save(update_fields=["statut", "decidee_par", "decidee_le"])
    consigner(
        "client.correction",
        societe=client.societe,
        acteur=acteur,
        objet=correction,
        client=client,
        texte=f"{nom_du_champ(correction.champ)} : {S(statut).label.lower()}",
        donnees={"champ": correction.champ, "avant": correction.avant, "apres": correction.apres},
    )


def nom_du_champ(champ: str) -> str:
    nom = str(_("Cessation") if champ == CESSATION else Client._meta.get_field(champ).verbose_name)
    return nom[:1].upper() + nom[1:]


def lignes(champ: str, valeur: str) -> list[str]:
    """La valeur telle qu'on la lit : une adresse en lignes, code postal et ville ensemble."""
    if champ != ADRESSE:
        return [valeur] if valeur else []
    a = lire_adresse(valeur)
    return [x for x in (a["adresse"], a["complement"], f"{a['code_postal']} {a['ville']}".strip()) if x]
