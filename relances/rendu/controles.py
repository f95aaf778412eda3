"""Ce qui empêche une relance de partir, dit en une phrase avec l'endroit où le corriger.

`manques` arrête l'envoi ; `avertissements` se montre sans arrêter. Les textes se contrôlent dans `controles_textes`.
"""

from collections.abc import Iterator

from django.utils.translation import gettext as _

from recouvrement.commun.domaine import ecriture
from recouvrement.commun.domaine.identifiants import est_bic, est_iban, est_siren, est_siret
from recouvrement.commun.domaine.montants_texte import DEVISES
from relances.domaine.natures import Canal, Nature

from . import gabarits, moteur, qr, variables
from .constats import CLIENT, COURRIER, DOSSIER, FACTURES, MODELE, SOCIETE, TAUX, Manque
from .contexte import ZERO, Lettre, LigneDue, TypeDebiteur
from .controles_textes import controler_texte, manques_de_la_lettre, manques_du_texte
from .interdits import mots_interdits
from .mots import elements_manquants
from .parties import a_l_etranger, adresse_du_debiteur

__all__ = [
    "DOSSIER", "Manque", "avertissements", "controler_texte", "elements_manquants", "manques", "manques_du_texte",
    "mots_interdits", "variables_inconnues",
]  # fmt: skip

AVEC_CAPITAL = ("SARL", "EURL", "SAS", "SA", "SCA", "SELARL", "SELAS")  # C. com., art. R123-238
INDEMNITE = variables.INDEMNITE


def manques(lettre: Lettre, *, date_limite_ouvree: bool = True) -> list[Manque]:
    """Tout ce qui interdit d'envoyer cette lettre ; vide si elle peut partir.

    date_limite_ouvree : le calendrier de la société, que ce module ne connaît pas, l'a vérifié.
    """
    trouves = [
        *_societe(lettre),
        *_client(lettre),
        *_courrier(lettre, date_limite_ouvree),
        *_sommes(lettre),
        *_droit(lettre),
    ]
    if lettre.nature == Nature.MISE_EN_DEMEURE:
        trouves += _mise_en_demeure(lettre)
    if not trouves and sur_papier(lettre) and gabarits.lettre_existe(lettre):
        trouves += manques_de_la_lettre(lettre)
    return list(dict.fromkeys(trouves))


# --- Le créancier : C. com., art. R123-237 et R123-238 ----------------------------------------------
def _societe(lettre: Lettre) -> Iterator[Manque]:
    e = lettre.emetteur
    attendus = [
        ("forme", _("forme juridique")),
        ("adresse", _("adresse du siège")),
        ("code_postal", _("code postal")),
        ("ville", _("ville")),
    ]
    if not entreprise_individuelle(e.forme):
        attendus.append(("rcs_ville", _("ville du greffe (RCS)")))
    if any(sigle in e.forme.upper().split() for sigle in AVEC_CAPITAL):
        attendus.append(("capital", _("capital")))
    for nom, libelle in attendus:
        if not getattr(e, nom).strip():
            yield Manque(f"societe_{nom}", _("Société : %(quoi)s à renseigner") % {"quoi": libelle}, SOCIETE)
    if not est_siren(e.siren):
        yield Manque("societe_siren", _("Société : SIREN absent ou faux"), SOCIETE)
    if not est_iban(e.iban):
        yield Manque("iban", _("Société : IBAN absent ou faux, le débiteur ne saurait pas où payer"), SOCIETE)
    if e.bic and not est_bic(e.bic):
        yield Manque("bic", _("Société : BIC faux"), SOCIETE)
    if e.logo and not e.logo.startswith("data:image/"):
        yield Manque("logo", _("Société : le logo doit être une image incorporée"), SOCIETE)


def entreprise_individuelle(forme: str) -> bool:
    return forme.strip().upper() in ("EI", "ENTREPRENEUR INDIVIDUEL", "ENTREPRISE INDIVIDUELLE", "MICRO-ENTREPRISE")


# --- Le débiteur -------------------------------------------------------------------------------------
def _client(lettre: Lettre) -> Iterator[Manque]:
    d = lettre.destinataire
    if not d.raison_sociale.strip():
        yield Manque("client_nom", _("Client sans nom"), CLIENT)
    if sur_papier(lettre):
        for defaut in adresse_du_debiteur(d).manques:
            code = "adresse_sans_rue" if defaut == "voie absente" else "adresse"
            yield Manque(code, _("Adresse du client : %(defaut)s") % {"defaut": defaut}, CLIENT)
    if lettre.type_debiteur is TypeDebiteur.A_QUALIFIER and lettre.nature not in gabarits.RAPPELS:
        yield Manque(
            "type_debiteur",
            _("Client à qualifier : entreprise, administration ou particulier ? Le droit applicable en dépend"),
            CLIENT,
        )
    elif lettre.type_debiteur is TypeDebiteur.ADMINISTRATION and lettre.nature == Nature.MISE_EN_DEMEURE:
        yield Manque(
            "administration_mise_en_demeure",
            _("Aucune mise en demeure de droit privé à une administration : la voie est le mandatement d'office"),
            COURRIER,
        )
    elif not _modele_existe(lettre):
        yield Manque("modele_absent", _("Aucun modèle n'est écrit pour ce palier et ce type de débiteur"), MODELE)


def sur_papier(lettre: Lettre) -> bool:
    """Vrai si une lettre part : sur papier, ou jointe au courriel de formalisation."""
    return lettre.canal != Canal.COURRIEL or lettre.nature in (Nature.FORMALISATION, Nature.MISE_EN_DEMEURE)


def _modele_existe(lettre: Lettre) -> bool:
    courriel = lettre.canal != Canal.COURRIEL or gabarits.courriel_existe(lettre)
    return courriel and (not sur_papier(lettre) or gabarits.lettre_existe(lettre))


# --- La lettre elle-même -----------------------------------------------------------------------------
def _courrier(lettre: Lettre, date_limite_ouvree: bool) -> Iterator[Manque]:
    if not lettre.reference.strip():
        yield Manque("reference", _("Référence du courrier absente"), COURRIER)
    if not 0 < len(lettre.paiement.reference) <= qr.LONGUEUR_REFERENCE:
        yield Manque("reference_paiement", _("Référence de virement absente ou de plus de 35 caractères"), COURRIER)
    if lettre.nature != Nature.AVANT_ECHEANCE:
        if lettre.date_limite is None or lettre.date_limite <= lettre.date:
            yield Manque("date_limite", _("Date limite absente ou déjà passée"), COURRIER)
        elif not date_limite_ouvree:
            yield Manque(
                "date_limite_chomee",
                _("La date limite du %(jour)s n'est pas un jour ouvré") % {"jour": ecriture.jj(lettre.date_limite)},
                COURRIER,
            )
    if not lettre.gestionnaire.nom.strip():
        yield Manque("gestionnaire", _("Aucun interlocuteur : affecter un gestionnaire au client"), CLIENT)
    if sur_papier(lettre) and not lettre.signataire.nom.strip():
        yield Manque("signataire", _("Société : aucun signataire"), SOCIETE)
    if lettre.arrete_au > lettre.date:
        yield Manque("arrete", _("Le décompte est arrêté après la date de la lettre"), COURRIER)


# --- Les sommes --------------------------------------------------------------------------------------
def _sommes(lettre: Lettre) -> Iterator[Manque]:
    if not lettre.lignes:
        yield Manque("lignes", _("Aucune facture à réclamer"), FACTURES)
        return
    devises = {ligne.devise for ligne in lettre.lignes} | {c.devise for c in lettre.credits} | {lettre.devise}
    if len(devises) > 1:
        phrase = _("Une lettre, une devise : %(quoi)s se trouvent ici ensemble") % {"quoi": ", ".join(sorted(devises))}
        yield Manque("devises", phrase, FACTURES)
    for ligne in lettre.lignes:
        yield from _ligne(lettre, ligne)
    if any(c.montant <= 0 for c in lettre.credits):
        yield Manque("credit", _("Un avoir ou un règlement non affecté doit être positif"), FACTURES)
    if lettre.totaux.a_payer <= 0:
        yield Manque("total", _("Rien à réclamer : les avoirs et règlements reçus couvrent la dette"), FACTURES)


def _ligne(lettre: Lettre, ligne: LigneDue) -> Iterator[Manque]:
    nom = {"numero": ligne.numero}
    if ligne.reste_du <= 0:
        yield Manque("reste_du", _("Facture %(numero)s : plus rien n'est dû") % nom, FACTURES)
    echue = ligne.date_echeance < lettre.arrete_au
    if echue and lettre.nature == Nature.AVANT_ECHEANCE:
        yield Manque("deja_echue", _("Facture %(numero)s : échéance déjà passée, un rappel s'impose") % nom, FACTURES)
    if not echue and lettre.nature != Nature.AVANT_ECHEANCE:
        yield Manque("non_echue", _("Facture %(numero)s : pas encore échue") % nom, FACTURES)
    if not lettre.chiffree or lettre.taux.semestres_manquants:
        return
    if echue and not ligne.segments and ligne.renonciation not in variables.SANS_PENALITES:
        yield Manque("decompte", _("Facture %(numero)s : pénalités non calculées") % nom, TAUX)
    elif ligne.segments and _principal_du_decompte(ligne) != ligne.principal:
        phrase = _("Facture %(numero)s : le décompte et le compte ne s'accordent pas sur le principal") % nom
        yield Manque("decompte_ecart", phrase, FACTURES)


def _principal_du_decompte(ligne: LigneDue):
    dernier = ligne.segments[-1]
    apres = [r.principal_restant for r in ligne.reglements if r.jour >= dernier.au]
    return apres[-1] if apres else dernier.principal


# --- Le droit ----------------------------------------------------------------------------------------
def _droit(lettre: Lettre) -> Iterator[Manque]:
    t = lettre.totaux
    for semestre in lettre.taux.semestres_manquants:
        nom = {"quand": ecriture.semestre(semestre)}
        yield Manque("taux", _("Taux absent pour le %(quand)s : à relever, jamais extrapolé") % nom, TAUX)
    if lettre.type_debiteur in (TypeDebiteur.PARTICULIER, TypeDebiteur.A_QUALIFIER):
        # Un rappel ne réclame que le principal : le taux du contrat n'y est pas dit.
        if t.indemnites or t.penalites or (lettre.taux.stipule is not None and lettre.nature not in gabarits.RAPPELS):
            yield Manque(
                "particulier",
                _("Ni 40 €, ni pénalités de professionnel sans savoir le client professionnel (C. com., art. L441-10)"),
                CLIENT,
            )
    elif lettre.chiffree:
        yield from _indemnites(lettre)
    if lettre.chiffree and lettre.taux.sous_plancher:
        yield Manque(
            "taux_plancher",
            _("Taux stipulé sous trois fois le taux légal : une personne doit choisir le taux applicable"),
            CLIENT,
        )
    if lettre.nature in (Nature.FORMALISATION, Nature.MISE_EN_DEMEURE) and a_l_etranger(lettre.destinataire):
        yield from _loi_applicable(lettre)
    if lettre.type_debiteur is TypeDebiteur.ADMINISTRATION and lettre.chiffree:
        if not est_siret(lettre.destinataire.siret):
            yield Manque("siret", _("Administration : SIRET du service destinataire absent ou faux"), CLIENT)


def _loi_applicable(lettre: Lettre) -> Iterator[Manque]:
    """Débiteur à l'étranger, quelle que soit sa langue : au-delà du rappel courtois, le droit français doit avoir été
    accepté (Rome I)."""
    if lettre.type_debiteur in (TypeDebiteur.PARTICULIER, TypeDebiteur.ADMINISTRATION):
        yield Manque(
            "loi_etrangere",
            _("Particulier ou personne publique à l'étranger : la loi de son pays le protège, confier à un avocat"),
            CLIENT,
        )
    elif not lettre.contrat.clause_loi.strip():
        yield Manque(
            "clause_loi",
            _("Débiteur étranger : citer la clause de droit français et son acceptation, ou confier à un avocat"),
            CLIENT,
        )


def _indemnites(lettre: Lettre) -> Iterator[Manque]:
    """Une fois 40 € par facture, quel que soit le nombre de ses échéances (exigence 24)."""
    par_facture: dict[int | str, LigneDue] = {}
    for ligne in lettre.lignes:
        if not ZERO <= ligne.indemnite <= INDEMNITE:  # moins de 40 € : un règlement l'a entamée
            yield Manque("indemnite", _("Facture %(n)s : l'indemnité est de 40 €") % {"n": ligne.numero}, FACTURES)
        if ligne.indemnite and par_facture.setdefault(ligne.facture, ligne) is not ligne:
            phrase = _("Facture %(n)s : une seule indemnité de 40 € par facture") % {"n": ligne.numero}
            yield Manque("indemnite_double", phrase, FACTURES)


def _mise_en_demeure(lettre: Lettre) -> Iterator[Manque]:
    """Exigence 25 : coordonnées, mention, date, signataire, délai, détail ; le reste est vérifié plus haut."""
    if lettre.canal != Canal.RECOMMANDE:
        yield Manque("recommande", _("Une mise en demeure part en recommandé avec avis de réception"), COURRIER)
    if not lettre.signataire.fonction.strip():
        yield Manque("signataire_fonction", _("Société : qualité du signataire à renseigner"), SOCIETE)
    if lettre.arrete_au != lettre.date:
        yield Manque("arrete", _("Le décompte doit être arrêté au jour de la lettre"), COURRIER)
    if lettre.devise not in DEVISES:
        yield Manque("devise", _("Devise sans écriture en toutes lettres : à traiter à la main"), FACTURES)
    contestees = {c.facture for c in lettre.contestations or ()}
    for numero in dict.fromkeys(ligne.numero for ligne in lettre.lignes if ligne.facture in contestees):
        phrase = _("Facture %(n)s contestée : elle sort tout entière de la mise en demeure") % {"n": numero}
        yield Manque("contestation", phrase, FACTURES)
    if lettre.type_debiteur is TypeDebiteur.PARTICULIER:
        if not lettre.emetteur.mediateur.strip():
            phrase = _("Société : médiateur de la consommation à renseigner (C. conso., art. L616-1)")
            yield Manque("mediateur", phrase, SOCIETE)
        courent = any(ligne.renonciation not in variables.SANS_PENALITES for ligne in lettre.lignes)
        if courent and lettre.taux.legal is None:
            yield Manque("taux_legal", _("Taux de l'intérêt légal absent pour ce semestre"), TAUX)


def variables_inconnues(source: str, lettre: Lettre) -> list[str]:
    """Variables d'un texte de modèle absentes du schéma, dans l'ordre alphabétique."""
    contexte = variables.d_une_lettre(lettre)
    return sorted(chemin for chemin in moteur.variables_employees(source) if not _connue(contexte, chemin))


def _connue(contexte: dict, chemin: str) -> bool:
    valeur = contexte
    for cle in chemin.split("."):
        if isinstance(valeur, tuple):  # boucle : le premier élément donne le schéma
            if not valeur:
                return True
            valeur = valeur[0]
        if not isinstance(valeur, dict) or cle not in valeur:
            return False
        valeur = valeur[cle]
    return True


# --- Ce qui se montre sans arrêter -------------------------------------------------------------------
def avertissements(lettre: Lettre) -> list[Manque]:
    """Ce qu'une personne devrait compléter : la lettre part sans, ou l'écrit autrement."""
    trouves = []
    if lettre.type_debiteur is TypeDebiteur.ADMINISTRATION:
        contexte = variables.d_une_lettre(lettre)
        if not contexte["marche"]["engagement"]:
            phrase = _("N° d'engagement absent : le comptable public peut l'exiger")
            trouves.append(Manque("engagement", phrase, FACTURES))
        if not contexte["marche"]["recue"]:
            phrase = _("Date de réception sur Chorus Pro absente : la lettre ne dit pas les factures déposées")
            trouves.append(Manque("reception", phrase, FACTURES))
    if lettre.repli_destinataire:
        trouves.append(Manque("destinataire_repli", lettre.repli_destinataire, CLIENT))
    if lettre.copies_laissees:
        phrase = _("Copies de factures non jointes, trop lourdes : %(quoi)s") % {
            "quoi": ", ".join(lettre.copies_laissees)
        }
        trouves.append(Manque("copies_laissees", phrase, FACTURES))
    if lettre.contestations is None:
        phrase = _("Contestations non vérifiées : la lettre ne dit pas qu'aucune n'a été reçue")
        trouves.append(Manque("contestations_inconnues", phrase, COURRIER))
    if lettre.nature == Nature.MISE_EN_DEMEURE and not lettre.rappels:
        phrase = _("Mise en demeure sans relance préalable : motif à consigner")
        trouves.append(Manque("premier_acte", phrase, COURRIER))
    return trouves
