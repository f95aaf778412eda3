"""L'accord à signer : parties, dette pièce par pièce, ce qui est convenu, signatures. Un écrit privé, qui n'imite rien.

Reconnaissance de dette en lettres et en chiffres (C. civ., art. 1376), interruption de la prescription (art. 2240),
clause de déchéance et mise en demeure préalable (art. 1305-4), imputation (art. 1343-1).
"""

from dataclasses import dataclass, field
from datetime import date
from decimal import Decimal

from factures.domaine.accords import SOMMATION_JOURS, Genre
from factures.domaine.mensualites import Terme
from recouvrement.commun import pdf
from recouvrement.commun.domaine import ecriture
from recouvrement.commun.domaine.montants_texte import en_lettres, in_words

from . import moteur, parties
from .contexte import Destinataire, Emetteur, Gestionnaire, Signataire, TypeDebiteur
from .filtres import Somme
from .moteur import Objet

ZERO = Decimal("0.00")
EN_ANNEXE = 10  # pièces au-delà desquelles l'état passe en annexe


@dataclass(frozen=True)
class PieceDue:
    numero: str
    emise_le: date
    echeance: date
    montant: Decimal
    reste: Decimal


@dataclass(frozen=True, kw_only=True)
class Protocole:
    """Tout ce qui s'imprime ; montants dans `devise`. projet : pas encore approuvé, il ne se signe pas."""

    emetteur: Emetteur
    destinataire: Destinataire
    gestionnaire: Gestionnaire
    signataire: Signataire
    reference: str
    genre: Genre
    date: date
    expire_le: date
    pieces: tuple[PieceDue, ...]
    montant: Decimal
    devise: str = "EUR"
    conteste: Decimal = ZERO
    mensualites: tuple[Terme, ...] = ()
    remise: Decimal = ZERO
    payer_avant: date | None = None
    clause: bool = False
    penalites: str = "courent"
    courriel: str = ""
    creance_reference: str = ""
    creance_montant: Decimal = ZERO
    creance_exigible_le: date | None = None
    compense: Decimal = ZERO
    connexite: str = ""
    obligation: str = ""
    suretes: str = ""
    redaction: str = ""
    projet: bool = False
    langue: str = field(default="fr")


def en_toutes_lettres(montant: Decimal, devise: str, langue: str) -> str:
    """La somme en lettres dans la langue de l'accord ; en chiffres si la devise n'a pas de nom."""
    try:
        return (in_words if langue == "en" else en_lettres)(montant, devise)
    except ValueError:
        return ecriture.somme(montant, devise)


def mention(p: Protocole) -> str:
    """Ce que le débiteur écrit lui-même (C. civ., art. 1376) ; les lettres l'emportent sur les chiffres."""
    lettres, nom = en_toutes_lettres(p.montant, p.devise, p.langue), p.emetteur.raison_sociale
    if p.langue == "en":
        return f"I acknowledge that I owe {nom} the sum of {lettres} ({ecriture.somme_en(p.montant, p.devise)})."
    return f"Je reconnais devoir à {nom} la somme de {lettres} ({ecriture.somme(p.montant, p.devise)})."


def contexte(p: Protocole) -> dict:
    def somme(x: Decimal) -> Somme:
        return Somme(x, p.devise)

    type_debiteur = TypeDebiteur(p.destinataire.type)
    accord = {
        "reference": p.reference, "genre": str(p.genre), "date": p.date, "expire_le": p.expire_le,
        "montant": somme(p.montant), "lettres": en_toutes_lettres(p.montant, p.devise, p.langue),
        "conteste": somme(p.conteste), "remise": somme(p.remise), "net": somme(p.montant - p.remise),
        "net_lettres": en_toutes_lettres(p.montant - p.remise, p.devise, p.langue), "payer_avant": p.payer_avant,
        "clause": p.clause, "abandonnees": p.penalites == "abandonnees", "courriel": p.courriel,
        "sommation": SOMMATION_JOURS, "particulier": type_debiteur is TypeDebiteur.PARTICULIER,
        "public": type_debiteur is TypeDebiteur.ADMINISTRATION,
        "professionnel": type_debiteur not in (TypeDebiteur.PARTICULIER, TypeDebiteur.ADMINISTRATION),
        "creance": p.creance_reference, "creance_montant": somme(p.creance_montant),
        "creance_exigible_le": p.creance_exigible_le, "compense": somme(p.compense),
        "solde": somme(p.montant - p.compense), "solde_creance": somme(p.creance_montant - p.compense),
        "connexite": p.connexite, "obligation": p.obligation, "suretes": p.suretes, "redaction": p.redaction,
        "projet": p.projet, "mention": mention(p), "nombre": len(p.mensualites), "combien": len(p.pieces),
        "en_annexe": len(p.pieces) > EN_ANNEXE,
    }  # fmt: skip
    return {
        "societe": parties.societe(p.emetteur, p.langue),
        "client": parties.client(p.destinataire),
        "gestionnaire": parties.gestionnaire(p.gestionnaire, international=p.langue == "en"),
        "signataire": parties.signataire(p.signataire),
        "courrier": Objet("courrier", {"reference": p.reference, "date": p.date, "mode_envoi": "", "copies": ""}),
        "accord": Objet("accord", accord),
        "pieces": tuple(
            Objet(
                "piece",
                {
                    "numero": x.numero, "emise_le": x.emise_le, "echeance": x.echeance, "montant": somme(x.montant),
                    "reste": somme(x.reste),
                },
            )
            for x in p.pieces
        ),
        "mensualites": tuple(
            Objet("mensualite", {"rang": rang, "le": t.due_le, "montant": somme(t.montant)})
            for rang, t in enumerate(p.mensualites, 1)
        ),
    }  # fmt: skip


def rendre_html(p: Protocole) -> str:
    dossier = "anglais/" if p.langue == "en" else ""
    return moteur.appliquer(moteur.moteur_accords(), f"{dossier}{p.genre}.html", contexte(p))


def rendre_pdf(p: Protocole) -> bytes:
    """Lève `PdfIndisponible` sans Pango."""
    return pdf.rendre(rendre_html(p), moteur.FEUILLE, archivable=p.emetteur.pdf_archivable)
