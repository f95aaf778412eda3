"""Fiches clients : créer, ou mettre à jour ce que personne n'a retouché depuis le dernier import."""

import json
from collections.abc import Iterator
from decimal import Decimal

from clients.models import Client, TypeDebiteur
from factures.signaux import types_changes
from recouvrement.comptes.models import Utilisateur

from .ecriture import Contexte, Ecrits
from .lot import Rejet
from .requetes import lire, rejeter, statistiques
from .traces import en_trace, tracer_crees, tracer_modifies

PAQUET = 1_000
DECIMAUX = {"plafond", "taux_penalites"}
MODIFIABLES = (
    "raison_sociale", "type", "siren", "siret", "numero_tva", "forme", "civilite", "adresse", "complement",
    "code_postal", "ville", "pays", "adresse_invalide_le", "courriel", "courriel_invalide_le", "telephone", "langue",
    "conditions", "lecture_fdm", "plafond", "gestionnaire_id", "segment", "delai_entre_contacts", "prelevement",
    "taux_penalites", "importe", "version",
)  # fmt: skip
ADRESSE = {"adresse", "complement", "code_postal", "ville", "pays"}
PUBLICS = ("1", "2")  # premier chiffre du SIREN : État et collectivités
DETAIL = 50


def ecrire_clients(contexte: Contexte, ecrits: Ecrits) -> Iterator[Rejet]:
    """Crée et met à jour les fiches, paquet par paquet ; rend les rejets.

    Rejetés : gestionnaire inconnu, taux interdit, type qui changerait sous une lettre chiffrée encore en route.
    """
    ecrits.crees["clients"] = 0
    equipe = dict(Utilisateur.objects.filter(affectations__societe=contexte.societe_id).values_list("courriel", "pk"))
    ecrits.inchanges["clients"] = lire("select count(*) from imp_client where etat = 2")[0][0]
    dernier, publics = 0, []
    while paquet := lire(
        "select n, ligne, code, creer_seulement, valeurs from imp_client where n > %s and etat = 0 order by n limit %s",
        [dernier, PAQUET],
    ):
        dernier = paquet[-1][0]
        existants = {
            c.code: c for c in Client.objects.filter(societe=contexte.societe_id, code__in=[x[2] for x in paquet])
        }
        neufs, changes, retypes, avants = [], [], {}, {}
        for n, ligne, code, creer_seulement, texte in paquet:
            valeurs = {nom: Decimal(v) if nom in DECIMAUX else v for nom, v in json.loads(texte).items()}
            if courriel := valeurs.pop("gestionnaire", None):
                if (gestionnaire := equipe.get(courriel.lower())) is None:
                    rejeter("imp_client", [n])
                    constat = f"« {courriel} » n'est pas une personne de cette société."
                    yield Rejet(ligne, "gestionnaire", constat, "Créez son compte, ou videz la cellule.")
                    continue
                valeurs["gestionnaire_id"] = gestionnaire
            client = existants.get(code)
            if client is None:
                client = Client(societe_id=contexte.societe_id, code=code)
                change = bool(_reporter(client, valeurs, neuf=True))
                neufs.append(client)
            elif creer_seulement:
                ecrits.inchanges["clients"] += 1
                continue
            else:
                ancien, avant = client.type, _photo(client)
                change = _reporter(client, valeurs)
                if not change:
                    ecrits.inchanges["clients"] += 1
                    continue
                client.version += 1
                client.updated_at = contexte.moment
                changes.append(client)
                avants[client.pk] = avant
                if client.type != ancien:
                    retypes[client.pk] = (n, ligne, client)
            if "type" not in valeurs and client.type == TypeDebiteur.A_QUALIFIER and _siren_public(client.siren):
                publics.append(code)
            if client.type == TypeDebiteur.PARTICULIER and client.taux_penalites is not None:
                (neufs if client in neufs else changes).remove(client)
                rejeter("imp_client", [n])
                constat = "un particulier n'a pas de taux de pénalités de professionnel."
                yield Rejet(ligne, "taux_penalites", constat, "Corrigez le type ou le taux.")
        for pk, raison in _types_refuses(list(retypes)).items():
            n, ligne, client = retypes[pk]
            if client in changes:
                changes.remove(client)
                rejeter("imp_client", [n])
                yield Rejet(ligne, "type", raison, "Réimportez cette ligne ensuite, ou laissez son type vide.")
        Client.objects.bulk_create(neufs)
        Client.objects.bulk_update(changes, [*MODIFIABLES, "updated_at"], batch_size=200)
        tracer_crees(contexte.lot_id, Client, neufs, temoins=("version",))
        tracer_modifies(contexte.lot_id, Client, (_changement(client, avants[client.pk]) for client in changes))
        ecrits.crees["clients"] += len(neufs)
        ecrits.modifies += len(changes)
    if ecrits.crees["clients"]:
        statistiques("clients_client")
    if publics:
        noms = ", ".join(publics[:DETAIL]) + ("…" if len(publics) > DETAIL else "")
        ecrits.avertissements.append(
            f"Clients au SIREN d'une personne publique, laissés « à qualifier » : {len(publics)} ({noms}). "
            "Dites leur type, sans doute « administration »."
        )


def _photo(client: Client) -> dict:
    """Les champs qu'un import peut changer, en types JSON (`traces`)."""
    noms = [*MODIFIABLES, "updated_at"]
    return {nom: en_trace(client._meta.get_field(nom), getattr(client, nom)) for nom in noms} | {
        "importe": dict(client.importe)
    }


def _changement(client: Client, avant: dict) -> tuple[int, dict, dict]:
    apres = _photo(client)
    changes = [nom for nom, valeur in apres.items() if valeur != avant[nom]]
    return client.pk, {nom: avant[nom] for nom in changes}, {nom: apres[nom] for nom in changes}


def _types_refuses(clients: list[int]) -> dict[int, str]:
    """{client: raison} de ceux dont une application plus haute refuse le changement de type."""
    if not clients:
        return {}
    reponses = types_changes.send(sender=Client, clients=clients)
    return {pk: raison for _ecoute, refus in reponses for pk, raison in refus.items()}


def _reporter(client: Client, valeurs: dict, *, neuf: bool = False) -> bool:
    """Pose les valeurs du fichier sur les champs non retouchés ; `importe` retient ce que le fichier disait.

    Un champ est retouché quand sa valeur n'est pas celle du dernier import, fût-elle celle d'une fiche vierge : une
    personne l'a vidé. Un champ que nul import n'a dit est retouché dès qu'il n'est plus vierge.
    """
    vierge = Client()
    avant = dict(client.importe)

    def intact(nom: str) -> bool:
        return neuf or _texte(getattr(client, nom)) == _texte(avant.get(nom, getattr(vierge, nom)))

    siren = valeurs.get("siren", "")
    a_qualifier = client.type == TypeDebiteur.A_QUALIFIER and intact("type")
    if "type" not in valeurs and siren and a_qualifier and not _siren_public(siren):
        client.type = client.importe["type"] = TypeDebiteur.ENTREPRISE.value  # un SIREN valable : une entreprise
        change = True
    else:
        change = neuf
    for nom, valeur in valeurs.items():
        actuel = getattr(client, nom)
        reporte = intact(nom)
        client.importe[nom] = _texte(valeur)
        if reporte and _texte(actuel) != _texte(valeur):
            setattr(client, nom, valeur)
            change = True
            if nom == "courriel":
                client.courriel_invalide_le = None  # une autre adresse : le rebond ne la concerne pas
            elif nom in ADRESSE:
                client.adresse_invalide_le = None  # de même pour un pli revenu
    return change or client.importe != avant


def _siren_public(siren: str) -> bool:
    return siren.startswith(PUBLICS)


def _texte(valeur) -> str:
    return "" if valeur is None else str(valeur)
