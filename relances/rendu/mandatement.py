"""La demande de mandatement d'office au préfet : les mêmes sommes que la requête, un autre destinataire.

CGCT, art. L1612-16. Les intérêts ne sont exigibles que 45 jours après le principal (CCP, art. R2192-36) : la demande
porte sur le principal et les indemnités, et dit les intérêts qui courent (docs/regles.md).
"""

from dataclasses import dataclass

from recouvrement.commun import pdf

from . import moteur, variables
from .contexte import Requete
from .filtres import Somme
from .moteur import Objet


@dataclass(frozen=True, kw_only=True)
class DemandeMandatement:
    """`requete.tribunal` porte la préfecture, `requete.expose` la preuve du service fait."""

    requete: Requete
    marche: str  # « marché 2026-14 du 3 mars 2026 », tel qu'il s'imprime
    objet: str = ""  # du contrat


def rendre_html(demande: DemandeMandatement) -> str:
    return moteur.appliquer(moteur.moteur_lettres(), "mandatement_office.html", contexte(demande))


def rendre_pdf(demande: DemandeMandatement) -> bytes:
    """Projet de demande au préfet, décompte et bordereau joints ; une personne la relit et la signe."""
    return pdf.rendre(rendre_html(demande), moteur.FEUILLE, archivable=demande.requete.emetteur.pdf_archivable)


def contexte(demande: DemandeMandatement) -> dict:
    requete, t = demande.requete, demande.requete.totaux
    commun = variables.d_une_requete(requete)
    indemnites = t.indemnites if requete.devise == "EUR" else 0
    recues = bool(requete.lignes) and all(ligne.date_reception for ligne in requete.lignes)
    return commun | {
        "prefecture": Objet(
            "prefecture",
            {
                "civilite": "Madame, Monsieur le Préfet",
                "adresse_postale": "\n".join((requete.tribunal.nom, *requete.tribunal.adresse)),
            },
        ),
        "marche": Objet("marche", {"designation": demande.marche, "objet": demande.objet, "recue": recues}),
        "demande": Objet("demande", {"somme": Somme(t.principal - t.credits + indemnites, requete.devise)}),
    }
