"""Matière des noms inventés : sociétés, villes, voies, personnes. Aucune n'est réelle.

Téléphones pris dans les tranches que l'ARCEP réserve aux œuvres de fiction, adresses électroniques dans le
domaine `.example` (RFC 2606), SIREN commençant par zéro, que l'INSEE n'attribue pas.
"""

import random
import unicodedata

METIERS = (
    ("Menuiserie", "artisanat"), ("Charpentes", "artisanat"), ("Plomberie", "artisanat"), ("Serrurerie", "artisanat"),
    ("Transports", "logistique"), ("Messageries", "logistique"), ("Garage", "automobile"),
    ("Carrosserie", "automobile"), ("Imprimerie", "industrie"), ("Fonderie", "industrie"),
    ("Mécanique de précision", "industrie"),
    ("Conserverie", "agroalimentaire"), ("Minoterie", "agroalimentaire"), ("Brasserie", "agroalimentaire"),
    ("Pépinières", "agroalimentaire"), ("Papeterie", "négoce"), ("Quincaillerie", "négoce"), ("Cycles", "négoce"),
    ("Agencement", "artisanat"), ("Isolation", "artisanat"), ("Ascenseurs", "industrie"), ("Hôtel", "services"),
    ("Nettoyage", "services"), ("Clinique vétérinaire", "services"), ("Librairie", "négoce"), ("Optique", "négoce"),
)  # fmt: skip
FAMILLES = (
    "Arnoult", "Bazaine", "Carlat", "Chastel", "Coudert", "Darrieu", "Delpierre", "Esnault", "Fauvel", "Ferrand",
    "Gaillac", "Garrigou", "Hérault", "Jouvenel", "Kervella", "Lacaze", "Lambert-Rives", "Le Dantec", "Maillard",
    "Marsac", "Naudin", "Orsini", "Pagès", "Péricard", "Quéméner", "Rabier", "Roussillon", "Saulnier", "Tessier",
    "Urbain", "Valadier", "Vasseur", "Verdier", "Wagner-Colas", "Yvon",
)  # fmt: skip
PRENOMS = (
    "Agnès", "Baptiste", "Camille", "Diane", "Élodie", "Fabrice", "Gaëlle", "Hugues", "Irène", "Jérôme", "Karine",
    "Laurent", "Mathilde", "Nadia", "Olivier", "Pauline", "Quentin", "Renaud", "Sabine", "Thomas", "Ursule", "Yann",
)  # fmt: skip
FORMES = ("SARL", "SAS", "SAS", "EURL", "SA", "SARL")
VILLES = (
    ("48200", "Saint-Chély-le-Vieux"), ("56370", "Kerlavoz"), ("12120", "Castelnou-le-Haut"),
    ("69100", "Valbonne-sur-Rhône"), ("38460", "Montferrat-la-Tour"), ("42400", "Saint-Rambert-du-Gier"),
    ("44210", "Port-Lavau"), ("33240", "Saint-Aubin-des-Landes"),
    ("21140", "Semont-en-Auxois"), ("86150", "Lussac-la-Rivière"), ("29160", "Crozenn"), ("73200", "Albertmont"),
    ("24200", "Sarlande"), ("14130", "Pont-l'Abbaye"), ("60350", "Attichy-la-Forêt"), ("51130", "Vertus-les-Vignes"),
)  # fmt: skip
VOIES = (
    "rue du Moulin-Vert", "avenue des Tilleuls", "rue de la Filature", "zone artisanale des Peupliers",
    "quai des Tanneurs", "chemin des Ormes", "place du Vieux-Marché", "rue des Forges", "boulevard de la Gare",
    "impasse du Lavoir",
)  # fmt: skip
FONCTIONS = ("Comptabilité fournisseurs", "Responsable administratif", "Assistante de direction", "Trésorerie")
INDICATIFS = ("01 99 00", "02 61 91", "03 53 01", "04 65 71", "05 36 49")


def luhn(prefixe: str) -> str:
    """Ajoute la clé de Luhn d'un SIREN ou d'un SIRET."""
    somme = 0
    for i, chiffre in enumerate(reversed(prefixe)):
        n = int(chiffre) * (2 if i % 2 == 0 else 1)
        somme += n - 9 if n > 9 else n
    return prefixe + str(-somme % 10)


def siren(r: random.Random) -> str:
    return luhn(f"0{r.randrange(10_000_00, 99_999_99):07d}")


def siret(siren_: str) -> str:
    return luhn(f"{siren_}0001")


def telephone(r: random.Random) -> str:
    n = r.randrange(10_000)
    return f"{r.choice(INDICATIFS)} {n // 100:02d} {n % 100:02d}"


def domaine(nom: str) -> str:
    """« Chaudronnerie Belcourt » → chaudronnerie-belcourt.example."""
    plat = unicodedata.normalize("NFKD", nom.replace("œ", "oe")).encode("ascii", "ignore").decode().lower()
    mots = "".join(c if c.isalnum() else " " for c in plat).split()
    return "-".join(m for m in mots if m not in {"de", "du", "des", "la", "le", "les", "d", "l"})[:40] + ".example"


def entreprise(r: random.Random, pris: set[str]) -> tuple[str, str, str]:
    """(nom, forme, segment) d'une entreprise dont le nom n'est pas encore pris."""
    while True:
        metier, segment = r.choice(METIERS)
        nom = f"{metier} {r.choice(FAMILLES)}"
        if nom not in pris:
            pris.add(nom)
            return nom, r.choice(FORMES), segment
        if len(pris) > len(METIERS) * len(FAMILLES) // 2:
            numerote = f"{nom} {len(pris)}"
            pris.add(numerote)
            return numerote, r.choice(FORMES), segment
