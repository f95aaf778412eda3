"""Fiches des clients : ceux des scènes, puis d'autres, ordinaires, tirés au sort."""

import random
from dataclasses import dataclass

from clients.models import Client, Contact, RoleContact
from relances.models import Echelle

from . import noms
from .scenes import Scene

# (part, retard médian en jours, écart) : bon payeur, en retard régulier, mauvais payeur.
HABITUDES = ((0.55, 0, 3), (0.30, 13, 6), (0.15, 38, 16))
CONDITIONS = ("30J", "30J", "45J", "60J", "45FDM", "30FDM")


@dataclass
class Personnage:
    """Un client de la démonstration, et ce qu'il faut pour inventer son compte."""

    client: Client
    scene: Scene | None
    retard: int
    ecart: int

    @property
    def code(self) -> str:
        return self.client.code

    def delai(self, r: random.Random) -> int:
        """Jours entre l'échéance et le règlement, à son habitude."""
        return max(round(r.gauss(self.retard, self.ecart)), -10)


def _fiche(societe, code: str, nom: str, r: random.Random, **champs) -> Client:
    if champs.get("type") in ("entreprise", "administration"):
        siren = noms.siren(r)
        champs = {"siren": siren, "siret": noms.siret(siren)} | champs
    return Client(societe=societe, code=code, raison_sociale=nom, **champs)


def de_la_scene(societe, code: str, scene: Scene, gestionnaires: list, r: random.Random) -> Personnage:
    voie, postal, ville = scene.adresse or (f"{r.randrange(1, 90)} {r.choice(noms.VOIES)}", *r.choice(noms.VILLES))
    courriel = ""
    if scene.courriel:
        nom_de_domaine = "courrier.example" if scene.type == "particulier" else noms.domaine(scene.nom)
        local = scene.courriel if scene.type != "particulier" else noms.domaine(scene.nom)[2:-8]
        courriel = f"{local}@{nom_de_domaine}"
    client = _fiche(
        societe, code, f"{scene.nom} {scene.forme}".strip() if scene.forme not in ("", "EI") else scene.nom, r,
        type=scene.type, forme=scene.forme, adresse=voie, code_postal=postal, ville=ville, courriel=courriel,
        telephone=noms.telephone(r), conditions=f"{scene.conditions}J", plafond=scene.plafond, segment=scene.segment,
        gestionnaire=gestionnaires[scene.gestionnaire], **({"pays": "FR"} | scene.champs),
    )  # fmt: skip
    if client.pays != "FR":
        client.siren = client.siret = ""
    return Personnage(client, scene, scene.habitude, 3)


def ordinaire(societe, code: str, gestionnaire, pris: set[str], r: random.Random) -> Personnage:
    nom, forme, segment = noms.entreprise(r, pris)
    tirage, (_part, retard, ecart) = r.random(), HABITUDES[0]
    for part, retard, ecart in HABITUDES:  # noqa: B007 - on garde la dernière atteinte
        if tirage < part:
            break
        tirage -= part
    postal, ville = r.choice(noms.VILLES)
    client = _fiche(
        societe, code, f"{nom} {forme}", r, type="entreprise", forme=forme, segment=segment,
        adresse=f"{r.randrange(1, 90)} {r.choice(noms.VOIES)}", code_postal=postal, ville=ville,
        courriel=f"compta@{noms.domaine(nom)}", telephone=noms.telephone(r), conditions=r.choice(CONDITIONS),
        plafond=r.choice((None, 8_000, 15_000, 30_000, 60_000)), gestionnaire=gestionnaire,
        regroupement="plus_haut" if r.random() < 0.1 else "",
    )  # fmt: skip
    return Personnage(client, None, retard, ecart)


def enregistrer(personnages: list[Personnage], plans: dict[str, Echelle], r: random.Random) -> None:
    """Écrit les fiches et leurs interlocuteurs ; rattache les plans particuliers."""
    Client.objects.bulk_create([p.client for p in personnages], batch_size=2000)
    contacts = []
    for p in personnages:
        nom = p.scene.contact if p.scene else f"{r.choice(noms.PRENOMS)} {r.choice(noms.FAMILLES)}"
        for qui, fonction, role in p.scene.interlocuteurs if p.scene else ():
            contacts.append(
                Contact(
                    client=p.client, nom=qui, fonction=fonction, role=role, telephone=noms.telephone(r),
                    courriel=f"{noms.domaine(qui)[:-8]}@{p.client.courriel.partition('@')[2]}",
                    recoit_relances=role == RoleContact.COMPTABILITE,
                )
            )  # fmt: skip
        if nom and not (p.scene and p.scene.interlocuteurs):
            contacts.append(
                Contact(
                    client=p.client, nom=nom, fonction=r.choice(noms.FONCTIONS), courriel=p.client.courriel,
                    telephone=noms.telephone(r), recoit_relances=bool(p.client.courriel),
                )
            )  # fmt: skip
        if p.scene and p.scene.plan:
            plans[p.scene.plan].clients.add(p.client)
    Contact.objects.bulk_create(contacts, batch_size=2000)
