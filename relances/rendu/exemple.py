"""Un client fictif, pour voir un modèle qu'aucun client ne reçoit encore ; l'écran le dit fictif."""

from datetime import date, timedelta
from decimal import Decimal

from factures.domaine.bareme import Bareme, TauxManquant
from factures.domaine.penalites import calculer
from relances.domaine.natures import Canal, Nature

from .contexte import (
    Contrat,
    Destinataire,
    Emetteur,
    Gestionnaire,
    Lettre,
    LigneDue,
    Marche,
    Paiement,
    Signataire,
    Taux,
    TypeDebiteur,
)
from .insertions import COURRIEL
from .livres import Genre

CODE = "EXEMPLE"
SOMMES = (Decimal("1248.00"), Decimal("864.50"), Decimal("2310.75"))
_NOMS = {
    TypeDebiteur.ENTREPRISE: {"raison_sociale": "Menuiserie Exemple", "forme": "SARL", "siren": "999674021"},
    TypeDebiteur.A_QUALIFIER: {"raison_sociale": "Client Exemple"},
    TypeDebiteur.PARTICULIER: {"raison_sociale": "Camille Exemple", "civilite": "Madame",
                               "interlocuteur": "Madame Exemple"},
    TypeDebiteur.ADMINISTRATION: {"raison_sociale": "Commune d'Exemple", "civilite": "Madame la Maire",
                                  "siret": "21499999700015"},
}  # fmt: skip


def lettre(
    genre: Genre,
    emetteur: Emetteur,
    *,
    au: date,
    limite: date,
    bareme: Bareme,
    nombre: int = 2,
    gestionnaire: Gestionnaire | None = None,
    signataire: Signataire | None = None,
) -> Lettre:
    """Une lettre de ce genre à un client fictif, arrêtée au jour dit ; `nombre` factures (trois au plus).

    Un semestre absent du barème laisse les lignes sans intérêts : le texte se lit quand même.
    """
    nature, type_debiteur = genre.nature, genre.type_debiteur
    anglais = genre.langue == "en"
    mise = nature == Nature.MISE_EN_DEMEURE
    canal = Canal.COURRIEL if genre.support == COURRIEL else Canal.RECOMMANDE if mise else Canal.LETTRE
    return Lettre(
        nature=nature,
        canal=canal,
        emetteur=emetteur,
        destinataire=Destinataire(
            code=CODE, type=type_debiteur, langue=genre.langue, adresse="12 rue de l'Exemple", code_postal="75002",
            ville="Paris", **_NOMS[type_debiteur],
        ),
        reference=f"REL-{au.year}-000000",
        date=au,
        arrete_au=au,
        date_limite=None if nature == Nature.AVANT_ECHEANCE else limite,
        lignes=tuple(_ligne(genre, rang, somme, au, bareme) for rang, somme in enumerate(SOMMES[:nombre])),
        contestations=(),
        taux=Taux(legal=Decimal("2.75")) if type_debiteur is TypeDebiteur.PARTICULIER else Taux(),
        paiement=Paiement(reference=f"{CODE} REL-{au.year}-000000"),
        signataire=signataire or Signataire(nom="Signataire", fonction="Fonction"),
        gestionnaire=gestionnaire or Gestionnaire(nom="Gestionnaire", telephone=emetteur.telephone),
        contrat=Contrat(
            objet="" if anglais else "la fourniture de mobilier",
            clause_loi="Our supplies are governed by French law (clause 14 of our terms)." if anglais else "",
        ),
        marche=Marche(engagement="EJ-0000", delai_jours=30) if type_debiteur is TypeDebiteur.ADMINISTRATION
        else Marche(),
        rappels=() if nature <= Nature.RAPPEL_COURTOIS else (au - timedelta(30), au - timedelta(15)),
    )  # fmt: skip


def _ligne(genre: Genre, rang: int, somme: Decimal, au: date, bareme: Bareme) -> LigneDue:
    avant = genre.nature == Nature.AVANT_ECHEANCE
    echeance = au + timedelta(7 + rang) if avant else au - timedelta(50 - 10 * rang)
    champs = {}
    professionnel = genre.type_debiteur in (TypeDebiteur.ENTREPRISE, TypeDebiteur.ADMINISTRATION)
    if professionnel and genre.nature >= Nature.FORMALISATION:
        try:
            calcul = calculer(somme, echeance, au=au, debiteur=genre.type_debiteur.value, bareme=bareme)
            champs = {"segments": calcul.segments, "indemnite": calcul.indemnite}
        except TauxManquant:
            pass
    return LigneDue(
        facture=rang,
        numero=f"FA-{au.year}-{101 + rang}",
        date_emission=echeance - timedelta(30),
        date_echeance=echeance,
        montant_ttc=somme,
        reste_du=somme,
        jours_retard=max((au - echeance).days, 0),
        objet="pose d’un placard" if genre.type_debiteur is TypeDebiteur.PARTICULIER else "",
        **champs,
    )
