"""Lettres, requêtes et bordereaux : une dataclass entre, du HTML ou un PDF sort.

Le rendu est le même octet pour octet à chaque appel : l'empreinte d'une lettre la prouve (exigence 27).
"""

import re

from django.utils.translation import gettext as _

from recouvrement.commun import pdf

from . import gabarits, moteur, qr, variables
from .contexte import Bordereau, Decompte, Lettre, Requete, TypeDebiteur
from .filtres import en_texte

FEUILLE = moteur.LETTRES / "lettre.css"


def rendre_html(lettre: Lettre) -> str:
    """La lettre en HTML complet. Lève `ModeleAbsent` ou `VariableInconnue`."""
    return _appliquer(gabarits.de_la_lettre(lettre), variables.d_une_lettre(lettre, qr=code_virement(lettre)))


def rendre_pdf(lettre: Lettre) -> bytes:
    """La lettre en PDF. Lève aussi `PdfIndisponible` si Pango manque."""
    return pdf.rendre(rendre_html(lettre), FEUILLE, archivable=lettre.emetteur.pdf_archivable)


def paragraphes(lettre: Lettre) -> dict[str, str]:
    """Paragraphes qu'une personne peut réécrire, dans l'ordre de la lettre : nom → texte (`**gras**`).

    Les versions réécrites se passent dans `Lettre.textes` (exigence 29).
    """
    contexte = variables.d_une_lettre(lettre)
    _appliquer(gabarits.de_la_lettre(lettre), contexte)
    return contexte["recueil"]


def texte_integral(lettre: Lettre) -> str:
    """Tout ce que dit la lettre, en texte : ce que relit `controles.elements_manquants`."""
    html = rendre_html(lettre)
    corps = en_texte(re.sub(r"</(?:p|div|td|th|tr|h1|h2|li)>", " ", html[html.index("<body>") :]))
    return f"Objet\u00a0: {paragraphes(lettre).get('objet', '')}\n\n{corps}"


def textes_depuis(lettre: Lettre, objet: str, texte: str) -> dict[str, str]:
    """`Lettre.textes` à partir d'un objet et d'un texte dont une ligne vide sépare les paragraphes.

    L'inverse de `courriels.rendre` pour une lettre. Lève ValueError si le compte n'y est plus : un
    paragraphe de trop ou de moins changerait de place ceux qui suivent.
    """
    noms = [nom for nom in paragraphes(lettre) if nom != "objet"]
    blocs = [bloc.strip() for bloc in re.split(r"\n\s*\n", texte.replace("\r\n", "\n").strip())]
    if len(blocs) != len(noms):
        raise ValueError(
            _("Cette lettre compte %(attendus)d paragraphes séparés par une ligne vide ; le texte en a %(lus)d.")
            % {"attendus": len(noms), "lus": len(blocs)}
        )
    return {"objet": objet.strip()} | dict(zip(noms, blocs, strict=True))


def code_virement(lettre: Lettre) -> str:
    """Image du code de virement, vide si la lettre n'en porte pas : sans IBAN valable, hors euro, rien à
    payer, ou adressée à un comptable public, qui paie sur mandat."""
    if lettre.devise != "EUR" or lettre.type_debiteur is TypeDebiteur.ADMINISTRATION:
        return ""
    try:
        return qr.code_virement(
            beneficiaire=lettre.emetteur.raison_sociale,
            iban=lettre.emetteur.iban,
            bic=lettre.emetteur.bic,
            montant=lettre.totaux.a_payer,
            reference=lettre.paiement.reference,
        )
    except ValueError:
        return ""


def rendre_decompte_html(decompte: Decompte) -> str:
    return _appliquer("decompte.html", variables.d_un_decompte(decompte))


def rendre_decompte_pdf(decompte: Decompte) -> bytes:
    """Décompte opposable arrêté à une date : factures, périodes de taux, règlements, total."""
    return pdf.rendre(rendre_decompte_html(decompte), FEUILLE, archivable=decompte.emetteur.pdf_archivable)


def rendre_requete_html(requete: Requete) -> str:
    return _appliquer("requete_injonction.html", variables.d_une_requete(requete))


def rendre_requete_pdf(requete: Requete) -> bytes:
    """Projet de requête en injonction de payer, bordereau des pièces et décompte joints."""
    return pdf.rendre(rendre_requete_html(requete), FEUILLE, archivable=requete.emetteur.pdf_archivable)


def rendre_bordereau_html(bordereau: Bordereau) -> str:
    return _appliquer("bordereau.html", variables.d_un_bordereau(bordereau))


def rendre_bordereau_pdf(bordereau: Bordereau) -> bytes:
    """Bordereau de dépôt des recommandés (pièce interne, exigence 26)."""
    return pdf.rendre(rendre_bordereau_html(bordereau), FEUILLE)


def _appliquer(gabarit: str, contexte: dict) -> str:
    return moteur.appliquer(moteur.moteur_lettres(), gabarit, contexte)
