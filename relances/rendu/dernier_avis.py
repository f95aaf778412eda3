"""Le dernier avis : une mise en demeure reçue, son délai passé, et une dernière porte avant le juge.

Il ne se relance pas seul : une personne le demande, le relit et le signe. À une entreprise seulement.
"""

from dataclasses import dataclass
from datetime import date

from django.utils.translation import gettext as _

from recouvrement.commun import pdf
from recouvrement.commun.domaine import ecriture

from . import controles, gabarits, lettres, moteur, variables
from .constats import CLIENT, COURRIER, Manque
from .contexte import Lettre, TypeDebiteur
from .moteur import Objet

AVIS = {
    "distribue": ("distribué le {}", "delivered on {}"),
    "non_reclame": ("avisé et non réclamé, retour le {}", "not collected, returned on {}"),
    "refuse": ("refusé le {}", "refused on {}"),
}


@dataclass(frozen=True, kw_only=True)
class DernierAvis:
    """`lettre` : les sommes d'aujourd'hui. Le reste est ce que la poste a dit de la mise en demeure."""

    lettre: Lettre
    deposee_le: date | None
    date_limite: date | None
    fin_du_delai: date | None  # date limite, ou plus tard si le pli fut remis trop tard (C. civ., art. 1231)
    numero: str
    retour: str  # distribue, non_reclame, refuse, npai, ou vide
    retour_le: date | None


def manques(avis: DernierAvis) -> list[Manque]:
    """Ce qui empêche de l'envoyer : la mise en demeure n'a pas produit son effet, ou la lettre n'est pas complète."""
    trouves = []
    if avis.lettre.type_debiteur is not TypeDebiteur.ENTREPRISE:
        trouves.append(Manque("debiteur", _("Le dernier avis ne s'adresse qu'à une entreprise"), CLIENT))
    if avis.deposee_le is None:
        trouves.append(Manque("non_deposee", _("La mise en demeure n'est pas déposée à la poste"), COURRIER))
    elif avis.retour not in AVIS or avis.retour_le is None:
        phrase = _("Le sort du recommandé n'est pas saisi, ou l'adresse était fausse : saisir l'avis de réception")
        trouves.append(Manque("avis", phrase, COURRIER))
    if avis.fin_du_delai is None or avis.fin_du_delai >= avis.lettre.date:
        trouves.append(Manque("delai", _("Le délai de la mise en demeure n'est pas expiré"), COURRIER))
    return trouves + controles.manques(avis.lettre)


def rendre_html(avis: DernierAvis) -> str:
    """Lève ValueError si `manques` n'est pas vide."""
    if manques(avis):
        raise ValueError("dernier avis incomplet")
    dossier = gabarits.dossier(avis.lettre.type_debiteur, avis.lettre.langue)
    return moteur.appliquer(moteur.moteur_lettres(), f"{dossier}/dernier_avis.html", contexte(avis))


def contexte(avis: DernierAvis) -> dict:
    anglais = avis.lettre.langue == "en"
    jour = (ecriture.date_en if anglais else ecriture.date_longue)(avis.retour_le)
    precedent = {
        "date": avis.deposee_le,
        "date_limite": avis.date_limite,
        "numero": avis.numero,
        "avis": AVIS[avis.retour][anglais].format(jour),
    }
    commun = variables.d_une_lettre(avis.lettre, qr=lettres.code_virement(avis.lettre))
    return commun | {"precedent": Objet("precedent", precedent)}


def rendre_pdf(avis: DernierAvis) -> bytes:
    return pdf.rendre(rendre_html(avis), moteur.FEUILLE, archivable=avis.lettre.emetteur.pdf_archivable)
