"""Variables des gabarits : le schéma fermé que remplissent une lettre, une requête, un bordereau.

Chaque clé est toujours présente (vide au besoin) : un gabarit qui en nomme une autre est refusé.
"""

from collections.abc import Sequence
from datetime import date
from decimal import ROUND_HALF_UP, Decimal

from recouvrement.commun.domaine import ecriture
from recouvrement.commun.domaine.montants_texte import en_lettres
from relances.domaine.natures import Canal, Nature

from . import insertions, parties, tableaux
from .contexte import ZERO, Bordereau, Credit, Decompte, Lettre, LigneDue, Requete, Taux, Totaux, TypeDebiteur
from .filtres import Somme
from .moteur import Objet, typographier

NB = "\u00a0"
INDEMNITE = Decimal("40.00")
POINTS_ENTREPRISE = Decimal(10)
CREDITS_DETAILLES = 4  # au-delà, une seule ligne les additionne

REGLE_ENTREPRISE = typographier(
    "Taux : celui de la Banque centrale européenne (principales opérations de refinancement) au premier jour "
    "de chaque semestre, majoré de 10 points."
)
REGLE_PUBLIC = typographier(
    "Taux : celui de la Banque centrale européenne (principales opérations de refinancement) au premier jour du "
    "semestre où les intérêts ont commencé à courir, majoré de 8 points, fixe pour toute la durée "
    "(article R. 2192-31 du code de la commande publique)."
)
REGLE_ANGLAISE = (
    "Rate: European Central Bank main refinancing rate on the first day of each half-year, plus 10 percentage points."
)
REGLE_PUBLIC_ANGLAISE = (
    "Rate: European Central Bank main refinancing rate on the first day of the half-year in which interest began to "
    "run, plus 8 percentage points, fixed for the whole period (Article\u00a0R.\u00a02192-31 of the French Public "
    "Procurement Code)."
)
REGLE_PARTICULIER_ANGLAISE = "Rate: French legal interest rate of each half-year (professional creditor)."
REGLE_PARTICULIER = typographier("Taux : intérêt légal du semestre, créancier professionnel.")
DEMANDE_LEGALE = typographier(
    "au taux de la Banque centrale européenne en vigueur au premier jour de chaque semestre, majoré de 10 points"
)


# --- Sommes -----------------------------------------------------------------------------------------
def totaux(t: Totaux, devise: str, *, legal: Decimal | None = None) -> Objet:
    def somme(valeur):
        return Somme(valeur, devise)

    par_mois = ZERO if legal is None else (t.a_payer * legal / 1200).quantize(ZERO, rounding=ROUND_HALF_UP)
    champs = {nom: getattr(t, nom) for nom in t.__dataclass_fields__}
    champs = {nom: somme(v) if isinstance(v, Decimal) else v for nom, v in champs.items()}
    try:
        lettres = en_lettres(t.a_payer, devise)
    except ValueError:  # devise sans nom : les chiffres suffisent
        lettres = ecriture.somme(t.a_payer, devise)
    champs |= {
        "interets_regles_negatif": somme(-t.interets_regles),
        "principal_net": somme(t.principal - t.credits),
        # 40 € se doivent en euros : une lettre en dollars ne les additionne pas (exigence 6).
        "indemnites": somme(t.indemnites if devise == "EUR" else ZERO),
        "indemnites_en_euros": ZERO if devise == "EUR" else t.indemnites,
        "indemnites_entamees": t.indemnites < INDEMNITE * t.nombre_indemnites,
        "en_lettres": lettres,
        "par_mois": somme(par_mois),
    }
    return Objet("total", champs)


def credits(liste: Sequence[Credit], devise: str, *, anglais: bool = False) -> tuple[Objet, ...]:
    """Une ligne par avoir ou règlement non affecté (exigence 4) ; une seule s'ils sont trop nombreux."""
    if len(liste) > CREDITS_DETAILLES:
        libelle = (
            "credit notes and payments received, not yet allocated"
            if anglais
            else "avoirs et règlements reçus, non encore affectés"
        )
        lignes = [(f"{len(liste)} {libelle}", sum((c.montant for c in liste), ZERO))]
    else:
        lignes = [(parties.libelle_credit(c, anglais), c.montant) for c in liste]
    return tuple(
        Objet("credit", {"libelle": nom, "montant": Somme(m, devise), "negatif": Somme(-m, devise)})
        for nom, m in lignes
    )


def periodes(lignes: Sequence[LigneDue], taux: Taux, devise: str) -> tuple[Objet, ...]:
    """Intérêts par semestre, ou par taux s'il est stipulé ; leur somme est celle des intérêts courus.

    `semestre` est vide au taux stipulé ; `plancher` : ce semestre, la clause est relevée au minimum légal.
    """
    sommes: dict[tuple[str, Decimal], Decimal] = {}
    for segment in (s for ligne in lignes for s in ligne.segments):
        cle = ("" if segment.taux == taux.stipule else segment.semestre, segment.taux)
        sommes[cle] = sommes.get(cle, ZERO) + segment.interets
    return tuple(
        Objet(
            "periode",
            {
                "semestre": semestre,
                "plancher": bool(semestre) and taux.remplacement == "plancher",
                "taux": taux_annuel,
                "bce": taux_annuel - POINTS_ENTREPRISE,
                "du_semestre": date(int(semestre[:4]), 1 if semestre.endswith("1") else 7, 1) if semestre else None,
                "interets": Somme(interets, devise),
            },
        )
        for (semestre, taux_annuel), interets in sorted(sommes.items())
    )


def lignes_dues(lignes: Sequence[LigneDue], devise: str) -> tuple[Objet, ...]:
    def objet(ligne: LigneDue) -> Objet:
        facture = Objet("ligne.facture", {"numero": tableaux.numero(ligne), "date_emission": ligne.date_emission})
        return Objet(
            "ligne",
            {
                "facture": facture,
                "date_echeance": ligne.date_echeance,
                "date_reception": ligne.date_reception,
                "objet": ligne.objet,
                "jours_retard": ligne.jours_retard,
                "montant_ttc": Somme(ligne.montant_ttc, devise),
                "reste_du": Somme(ligne.reste_du, devise),
            },
        )

    return tuple(objet(ligne) for ligne in lignes)


def taux(t: Taux, type_debiteur: TypeDebiteur, langue: str, arrete_au: date) -> Objet:
    if t.stipule is not None:
        regle, demande = t.mention, f"au taux stipulé de {ecriture.pct(t.stipule)} l’an"
        if t.remplacement == "plancher":
            demande += ", relevé dans chaque semestre à trois fois le taux de l’intérêt légal"
        elif t.remplacement == "defaut":
            demande = DEMANDE_LEGALE
    elif type_debiteur is TypeDebiteur.ADMINISTRATION:
        regle, demande = (REGLE_PUBLIC_ANGLAISE if langue == "en" else REGLE_PUBLIC), ""
    elif type_debiteur is TypeDebiteur.PARTICULIER:
        regle = REGLE_PARTICULIER_ANGLAISE if langue == "en" else REGLE_PARTICULIER
        demande = "au taux légal, à compter de la mise en demeure"
    else:
        regle, demande = (REGLE_ANGLAISE if langue == "en" else REGLE_ENTREPRISE), DEMANDE_LEGALE
    return Objet(
        "taux",
        {
            "indemnite": Somme(INDEMNITE),
            "stipule": t.stipule if t.stipule is not None else "",
            "mention": t.mention,
            "regle": regle,
            "demande": demande,
            "legal": t.legal if t.legal is not None else "",
            "semestre": f"{arrete_au.year}-S{1 if arrete_au.month <= 6 else 2}",
        },
    )


def imputation(t: Taux, langue: str) -> str:
    if langue == "en":
        return (
            "to the principal first, as agreed"
            if t.imputation == "principal"
            else "first to interest (Article 1343-1 of the French Civil Code)"
        )
    return (
        "d’abord sur le principal, comme convenu"
        if t.imputation == "principal"
        else f"d’abord sur les intérêts (article{NB}1343-1 du code civil)"
    )


# --- Les documents ----------------------------------------------------------------------------------
# Lignes au-delà desquelles les factures passent en annexe : la lettre tient sur une page.
ANNEXE_AU_DELA = {
    "fr": {Nature.RAPPEL_COURTOIS: 12, Nature.FORMALISATION: 8, Nature.MISE_EN_DEMEURE: 3},
    "en": {Nature.RAPPEL_COURTOIS: 10, Nature.FORMALISATION: 5, Nature.MISE_EN_DEMEURE: 3},
}
SANS_CLAUSE = 8  # la relance d'un particulier ou d'une administration ne cite aucune clause
SANS_PENALITES = ("penalites", "tout")
SYMBOLES = {"EUR": "€", "GBP": "£"}
MODES = {
    ("fr", Canal.RECOMMANDE): "Lettre recommandée avec avis de réception",
    ("en", Canal.RECOMMANDE): "Registered letter with advice of delivery",
}
MODES_ELECTRONIQUES = {"fr": "Lettre recommandée électronique", "en": "Electronic registered letter"}
MODE_A_L_ETRANGER = "International registered letter with advice of delivery"
COMPETENCE = typographier(
    "Créance entre commerçants ; le débiteur demeure dans le ressort du tribunal (article 1406 du code de "
    "procédure civile)."
)
FONDEMENTS = {
    TypeDebiteur.ENTREPRISE: typographier(
        "Pénalités de retard et indemnité forfaitaire : articles L. 441-10, II et D. 441-5 du code de "
        "commerce ; sommes hors du champ de la TVA."
    ),
    TypeDebiteur.ADMINISTRATION: typographier(
        "Intérêts moratoires et indemnité forfaitaire : articles L. 2192-13, R. 2192-31 et "
        "D. 2192-35 du code de la commande publique ; sommes hors du champ de la TVA."
    ),
    TypeDebiteur.PARTICULIER: typographier(
        "Intérêts au taux légal depuis la mise en demeure : articles 1231-6 et 1344-1 du code civil."
    ),
    TypeDebiteur.A_QUALIFIER: "",
}


DEPART = "du lendemain de l’échéance"
DEPARTS = {TypeDebiteur.PARTICULIER: "du lendemain de la réception de la mise en demeure"}


def en_annexe(lettre: Lettre) -> bool:
    au_dela = ANNEXE_AU_DELA[lettre.langue].get(lettre.nature, 8)
    public_ou_particulier = lettre.type_debiteur in (TypeDebiteur.ADMINISTRATION, TypeDebiteur.PARTICULIER)
    if public_ou_particulier and lettre.nature == Nature.FORMALISATION:
        au_dela = SANS_CLAUSE
    hauteur = (
        _hauteur(lettre.lignes) + min(len(lettre.credits), CREDITS_DETAILLES) + 2 * len(lettre.contestations or ())
    )
    if lettre.chiffree and lettre.totaux.interets_regles:
        hauteur += 3  # la ligne des pénalités déjà réglées et son explication
    return hauteur > au_dela


def _hauteur(lignes: Sequence[LigneDue]) -> int:
    """Lignes de texte du tableau, numéros repliés compris."""
    return sum(len(tableaux.replier(tableaux.numero(ligne))) for ligne in lignes)


def _commun(doc: Lettre | Requete | Decompte, langue: str, type_debiteur: TypeDebiteur, *, chiffree: bool) -> dict:
    """Ce que disent tous les documents chiffrés : parties, tableaux, sommes, taux."""
    anglais = langue == "en"
    mot = "pénalités" if type_debiteur in (TypeDebiteur.ENTREPRISE, TypeDebiteur.A_QUALIFIER) else "intérêts"
    style = tableaux.ecriture_de(langue, doc.devise, mot, accessible=doc.emetteur.pdf_archivable)
    decompte = tableaux.decompte(doc.lignes if chiffree else (), style)
    return {
        "societe": parties.societe(doc.emetteur, langue),
        "client": parties.client(doc.destinataire),
        "gestionnaire": parties.gestionnaire(doc.gestionnaire, international=anglais),
        "courrier": Objet(
            "courrier",
            {
                "reference": doc.reference,
                "date": doc.date,
                "date_arrete": doc.arrete_au,
                "mode_envoi": "",
                "numero_recommande": "",
                "copies": "",
                "devise": doc.devise,
                "symbole": SYMBOLES.get(doc.devise, doc.devise),
            },
        ),
        "total": totaux(doc.totaux, doc.devise, legal=doc.taux.legal),
        "credits": credits(doc.credits, doc.devise, anglais=anglais),
        "penalites_par_periode": periodes(doc.lignes, doc.taux, doc.devise),
        "etat": Objet("etat", tableaux.etat(doc.lignes, style, chiffree=chiffree)),
        "decompte": Objet(
            "decompte",
            decompte | {"imputation": imputation(doc.taux, langue), "depart": DEPARTS.get(type_debiteur, DEPART)},
        ),
        "taux": taux(doc.taux, type_debiteur, langue, doc.arrete_au),
        "libelle_total": "Total à régler",
        "libelle_interets": mot.capitalize(),
        "chiffree": chiffree,
        "en_annexe": False,
    }


def d_une_lettre(lettre: Lettre, *, qr: str = "", support: str = insertions.LETTRE) -> dict:
    """Le contexte complet d'une lettre, d'un courriel ou d'un SMS ; `qr` : adresse `data:` du code de virement.

    Seule une lettre sur papier a une annexe et des paragraphes réécrits par une personne.
    """
    papier = support == insertions.LETTRE
    contexte = _commun(lettre, lettre.langue, lettre.type_debiteur, chiffree=lettre.chiffree)
    contexte["courrier"] |= {
        "date_limite": lettre.date_limite,
        "mode_envoi": _mode_d_envoi(lettre),
        "numero_recommande": lettre.numero_recommande,
        "copies": parties.copies_jointes([copie.numero for copie in lettre.copies], anglais=lettre.langue == "en"),
        "rappels": parties.rappels_envoyes(lettre.rappels, anglais=lettre.langue == "en"),
    }
    lignes = lignes_dues(lettre.lignes, lettre.devise)
    contexte |= {
        "signataire": parties.signataire(lettre.signataire),
        "lignes": lignes,
        "premiere": lignes[0] if lignes else None,
        "contestations": tuple(
            Objet(
                "contestation",
                {"facture": c.numero, "recue_le": c.recue_le, "montant": Somme(c.montant, lettre.devise)},
            )
            for c in lettre.contestations or ()
        ),
        "aucune_contestation": lettre.contestations == (),
        # Faux si l'on a renoncé aux pénalités de toutes les factures : la lettre n'en annonce plus.
        "penalites_courent": any(ligne.renonciation not in SANS_PENALITES for ligne in lettre.lignes),
        "paiement": Objet("paiement", _champs(lettre.paiement) | {"qr": qr}),
        "contrat": Objet("contrat", _champs(lettre.contrat)),
        "marche": _marche(lettre),
        "en_annexe": papier and en_annexe(lettre),
        "textes": lettre.textes if papier else {},
        "modele": lettre.modeles.get(support, {}),
        "recueil": {},
    }
    permises = insertions.proposees(
        nature=Nature(lettre.nature), type_debiteur=lettre.type_debiteur, support=support, langue=lettre.langue
    )
    contexte["valeurs"] = insertions.Valeurs(contexte, permises, langue=lettre.langue, support=support)
    return contexte


def _mode_d_envoi(lettre: Lettre) -> str:
    if lettre.electronique and lettre.canal is Canal.RECOMMANDE:
        return MODES_ELECTRONIQUES[lettre.langue]
    mode = MODES.get((lettre.langue, lettre.canal), "")
    return MODE_A_L_ETRANGER if mode and lettre.langue == "en" and parties.a_l_etranger(lettre.destinataire) else mode


def _champs(objet) -> dict:
    return {nom: getattr(objet, nom) for nom in objet.__dataclass_fields__}


def _marche(lettre: Lettre) -> Objet:
    commandes = list(dict.fromkeys(ligne.commande for ligne in lettre.lignes if ligne.commande))
    champs = _champs(lettre.marche)
    champs["engagement"] = lettre.marche.engagement or ", ".join(commandes[:3])
    champs["recue"] = bool(lettre.lignes) and all(ligne.date_reception for ligne in lettre.lignes)
    return Objet("marche", champs)


def d_un_decompte(decompte: Decompte) -> dict:
    type_debiteur = TypeDebiteur(decompte.destinataire.type)
    style = tableaux.ecriture_de("fr", decompte.devise, "", accessible=decompte.emetteur.pdf_archivable)
    return _commun(decompte, "fr", type_debiteur, chiffree=True) | {
        "fondement": FONDEMENTS[type_debiteur],
        "sources": tuple(Objet("source", {"taux": taux, "texte": texte}) for taux, texte in decompte.sources),
        "notes": decompte.notes,
        "mouvements": tableaux.mouvements(decompte.lignes, style),
    }


def d_une_requete(requete: Requete) -> dict:
    type_debiteur = TypeDebiteur(requete.destinataire.type)
    return _commun(requete, "fr", type_debiteur, chiffree=True) | {
        "particulier": type_debiteur is TypeDebiteur.PARTICULIER,
        "signataire": parties.signataire(requete.signataire),
        "tribunal": Objet(
            "tribunal",
            {
                "nom": requete.tribunal.nom,
                "adresse": "\n".join(requete.tribunal.adresse),
                "competence": typographier(requete.tribunal.competence) or COMPETENCE,
            },
        ),
        "dossier": Objet(
            "dossier",
            {
                "reference": requete.reference,
                "expose": requete.expose,
                "diligences": requete.diligences,
                "contestations": requete.contestations,
                "pouvoir": requete.pouvoir,
                "renvoi": requete.renvoi,
                "pieces": tuple(
                    Objet("piece", _champs(piece) | {"pages": piece.pages or ""}) for piece in requete.pieces
                ),
            },
        ),
        "libelle_total": "Total réclamé",
        "en_annexe": _hauteur(requete.lignes) > ANNEXE_AU_DELA["fr"][Nature.FORMALISATION],
    }


def d_un_bordereau(bordereau: Bordereau) -> dict:
    plis = (Objet("pli", _champs(pli) | {"numero": rang}) for rang, pli in enumerate(bordereau.plis, 1))
    return {
        "societe": parties.societe(bordereau.emetteur),
        "depot": Objet(
            "depot",
            {
                "reference": bordereau.reference,
                "date": bordereau.date,
                "bureau": "\n".join(bordereau.bureau),
                "prepare_par": bordereau.prepare_par,
                "plis": tuple(plis),
            },
        ),
    }
