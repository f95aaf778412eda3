"""Le projet de déclaration de créance : l'échu au jour du jugement, ce qui reste à échoir, des blancs ailleurs.

C. com., art. L622-24, L622-25 et R622-23. Les intérêts sont arrêtés la veille du jugement (art. L622-28) ; une
échéance du jour du jugement ou d'après ne porte ni pénalité ni indemnité. Une personne complète, certifie et signe.
"""

from dataclasses import dataclass
from datetime import date
from decimal import Decimal

from recouvrement.commun import pdf
from recouvrement.commun.domaine import ecriture

from . import moteur, variables
from .contexte import LigneDue, Requete
from .filtres import Somme
from .moteur import Objet


@dataclass(frozen=True, kw_only=True)
class Declaration:
    """`requete` porte les parties et l'échu ; le mandataire, les sûretés et la publication se remplissent à la main."""

    requete: Requete
    jugement: date
    limite: date  # deux mois depuis le jugement : plus prudent que depuis la publication
    a_echoir: tuple[LigneDue, ...] = ()
    objet: str = ""
    contestations: tuple[tuple[str, Decimal], ...] = ()  # (facture, montant) : déclarés aussi
    sans_execution: tuple[str, ...] = ()  # factures déclarées sur leur seule date d'émission
    ecartees: tuple[str, ...] = ()  # factures émises après le jugement, sans date d'exécution


def rendre_html(declaration: Declaration) -> str:
    return moteur.appliquer(moteur.moteur_lettres(), "declaration_creance.html", contexte(declaration))


def rendre_pdf(declaration: Declaration) -> bytes:
    return pdf.rendre(rendre_html(declaration), moteur.FEUILLE, archivable=declaration.requete.emetteur.pdf_archivable)


def contexte(declaration: Declaration) -> dict:
    requete, devise = declaration.requete, declaration.requete.devise
    futur = sum((ligne.reste_du for ligne in declaration.a_echoir), Decimal(0))
    return variables.d_une_requete(requete) | {
        "procedure": Objet(
            "procedure",
            {
                "jugement": declaration.jugement,
                "limite": declaration.limite,
                "objet": declaration.objet,
                "contestations": " ; ".join(
                    f"facture {numero}, {ecriture.somme(montant, devise)}"
                    for numero, montant in declaration.contestations
                ),
                "sans_execution": ", ".join(declaration.sans_execution),
                "ecartees": ", ".join(declaration.ecartees),
                "a_echoir": tuple(
                    Objet(
                        "echeance",
                        {
                            "numero": ligne.numero,
                            "date_echeance": ligne.date_echeance,
                            "montant": Somme(ligne.reste_du, devise),
                        },
                    )
                    for ligne in declaration.a_echoir
                ),
                "total": Somme(requete.totaux.a_payer + futur, devise),
            },
        ),
    }
