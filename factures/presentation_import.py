"""Un import dit en mots : formats, faits du fichier, comptes d'objets, accord des noms."""

import re
from datetime import date
from decimal import Decimal

from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy, ngettext

from recouvrement.commun import formats

FORMATS = {
    "csv-clients": gettext_lazy("Clients (CSV)"),
    "csv-factures": gettext_lazy("Factures (CSV)"),
    "csv-encaissements": gettext_lazy("Encaissements (CSV)"),
    "xlsx": gettext_lazy("Classeur XLSX"),
    "ods": gettext_lazy("Classeur ODS"),
    "fec": gettext_lazy("FEC"),
    "facturx": gettext_lazy("Factur-X (PDF)"),
    "cii": gettext_lazy("Facture électronique CII"),
    "ubl": gettext_lazy("Facture électronique UBL"),
    "efactures": gettext_lazy("Archive de factures électroniques"),
    "statuts-fe": gettext_lazy("Statuts de facture électronique"),
    "cfonb120": gettext_lazy("Relevé CFONB 120"),
    "cfonb240": gettext_lazy("Rejets CFONB 240"),
    "camt053": gettext_lazy("Relevé CAMT.053"),
    "ofx": gettext_lazy("Relevé OFX"),
    "mt940": gettext_lazy("Relevé MT940"),
    "csv-banque": gettext_lazy("Relevé CSV"),
    "bodacc": gettext_lazy("Annonces BODACC"),
    "sirene": gettext_lazy("Fichier SIRENE"),
}
FAITS = {
    "du": gettext_lazy("Du"),
    "au": gettext_lazy("Au"),
    "debit": gettext_lazy("Total débit"),
    "credit": gettext_lazy("Total crédit"),
    "solde": gettext_lazy("Solde des comptes clients"),
    "colonnes": gettext_lazy("Colonnes"),
    "lignes_client": gettext_lazy("Lignes de comptes clients"),
    "lettrees": gettext_lazy("Lignes lettrées"),
    "debit_client": gettext_lazy("Débit des comptes clients"),
    "credit_client": gettext_lazy("Crédit des comptes clients"),
    "groupes": gettext_lazy("Groupes de lettrage"),
    "groupes_desequilibres": gettext_lazy("Groupes de lettrage partiels"),
    "non_lettrees": gettext_lazy("Lignes non lettrées"),
    "non_lettre": gettext_lazy("Solde non lettré"),
    "lettrages_partiels": gettext_lazy("Lettrages partiels"),
    "reprises": gettext_lazy("Lignes d’à-nouveau déjà connues"),
    "clients": gettext_lazy("Clients"),
    "factures": gettext_lazy("Factures"),
    "avoirs": gettext_lazy("Avoirs"),
    "releves": gettext_lazy("Relevés"),
    "mouvements": gettext_lazy("Mouvements"),
    "compte": gettext_lazy("Compte"),
    "comptes": gettext_lazy("Comptes"),
    "iban": gettext_lazy("IBAN"),
    "devise": gettext_lazy("Devise"),
    "devises": gettext_lazy("Devises"),
    "solde_ouverture": gettext_lazy("Solde d’ouverture"),
    "solde_cloture": gettext_lazy("Solde de clôture"),
    "operations": gettext_lazy("Opérations"),
    "credits": gettext_lazy("Crédits"),
    "debits": gettext_lazy("Débits"),
    "total_credits": gettext_lazy("Total des crédits"),
    "total_debits": gettext_lazy("Total des débits"),
    "ouverture": gettext_lazy("Solde d’ouverture"),
    "cloture": gettext_lazy("Solde de clôture"),
    "version": gettext_lazy("Version"),
    "profil": gettext_lazy("Profil"),
    "type": gettext_lazy("Type"),
    "numero": gettext_lazy("Numéro"),
    "date": gettext_lazy("Date"),
    "echeance": gettext_lazy("Échéance"),
    "ht": gettext_lazy("HT"),
    "tva": gettext_lazy("TVA"),
    "ttc": gettext_lazy("TTC"),
    "acompte": gettext_lazy("Acompte"),
    "net": gettext_lazy("Net à payer"),
    "net_a_payer": gettext_lazy("Net à payer"),
    "vendeur": gettext_lazy("Vendeur"),
    "acheteur": gettext_lazy("Acheteur"),
    "separateur": gettext_lazy("Séparateur"),
    "encodage": gettext_lazy("Encodage"),
    "syntaxe": gettext_lazy("Syntaxe"),
    "statuts": gettext_lazy("Statuts"),
    "annonces": gettext_lazy("Annonces"),
    "entreprises": gettext_lazy("Entreprises"),
    "total": gettext_lazy("Total"),
    "forme": gettext_lazy("Forme"),
    "nature": gettext_lazy("Nature"),
    "arrondi": gettext_lazy("Arrondi"),
    "tva_comptable": gettext_lazy("TVA en devise de comptabilité"),
    "vendeur_siren": gettext_lazy("SIREN du vendeur"),
    "acheteur_siren": gettext_lazy("SIREN de l’acheteur"),
    "ventilation": gettext_lazy("TVA par taux"),
    "anterieures": gettext_lazy("Factures citées"),
    "termes": gettext_lazy("Conditions écrites"),
    "lignes_de_facture": gettext_lazy("Lignes de la facture"),
    "pieces_jointes": gettext_lazy("Pièces jointes au PDF"),
    "creance": gettext_lazy("Net à payer"),
    "echeances": gettext_lazy("Échéances"),
    "affacturee": gettext_lazy("Cédée à un affactureur"),
    "escompte": gettext_lazy("Escompte annoncé"),
    "ibans": gettext_lazy("À payer sur"),
    "documents": gettext_lazy("Documents"),
    "contenu": gettext_lazy("Contenu"),
    "feuille": gettext_lazy("Feuille"),
    "ligne_entete": gettext_lazy("Ligne d’en-tête"),
    "arrete": gettext_lazy("Arrêté au"),
    "encaissements": gettext_lazy("Encaissements"),
    "litiges": gettext_lazy("Litiges"),
    "lignes_ecartees": gettext_lazy("Lignes écartées"),
    "total_factures": gettext_lazy("Total des factures"),
    "total_avoirs": gettext_lazy("Total des avoirs"),
    "total_encaissements": gettext_lazy("Total des encaissements"),
    "total_litiges": gettext_lazy("Total en litige"),
    "statut": gettext_lazy("Statut"),
    "codes": gettext_lazy("Codes"),
    "facture": gettext_lazy("Facture"),
    "libelle": gettext_lazy("Libellé"),
    "motif_code": gettext_lazy("Code du motif"),
    "motif": gettext_lazy("Motif"),
    "siren": gettext_lazy("SIREN"),
    "debiteur": gettext_lazy("Débiteur"),
    "parution": gettext_lazy("Parue le"),
    "actives": gettext_lazy("Actives"),
    "fermees": gettext_lazy("Fermées"),
    "siege": gettext_lazy("Siège"),
    "doubles": gettext_lazy("Déjà dans l’archive sous une autre forme"),
}
CACHES = {
    "par_client", "apercu", "clients_a_choisir", "mentions_absentes", "vendeur_id", "vendeur_siret", "acheteur_id",
    "acheteur_siret", "acheteur_tva", "net", "comptes_a_confirmer", "comptes_nouveaux", "famille", "etat",
}  # fmt: skip
SI_NON_NULS = {"fitid_en_double", "montants_illisibles"}
MONTRES = 6  # valeurs d'une liste


def nom_format(format: str) -> str:
    return str(FORMATS.get(format, format))


def faits(rendu: dict) -> list[tuple[str, str]]:
    """[(libellé, valeur mise en forme)] des faits d'un compte rendu, dans l'ordre du lecteur."""
    dits = []
    for nom, valeur in _a_plat(rendu.get("faits") or {}):
        if nom in CACHES or valeur in (None, "", [], {}) or (nom in SI_NON_NULS and not valeur):
            continue
        libelle = str(FAITS.get(nom, nom.replace("_", " ").capitalize()))
        dits.append((libelle, lisible(valeur)))
    return dits


def _a_plat(lus: dict):
    """(nom, valeur) de chaque fait ; d'un relevé, ses totaux par devise et, s'il est seul, ses deux soldes."""
    for nom, valeur in lus.items():
        if nom == "sommes":
            for devise, sommes in valeur.items():
                for total in ("total_credits", "total_debits"):
                    yield total, f"{lisible(sommes[total])} {devise}"
        elif nom == "soldes":
            for solde in ("ouverture", "cloture") if len(valeur) == 1 else ():
                yield solde, valeur[0].get(solde)
        else:
            yield nom, valeur


def lisible(valeur) -> str:
    """Une valeur JSON telle qu'un lecteur l'a dite : « 225682.23 », « 2023-01-31 », un nombre, une liste…"""
    if isinstance(valeur, bool):
        return _("oui") if valeur else _("non")
    if isinstance(valeur, int):
        return formats.nombre(valeur)
    if isinstance(valeur, dict):
        parts = [f"{nom} : {lisible(v)}" for nom, v in list(valeur.items())[:MONTRES]]
        return " ; ".join(parts) + ("…" if len(valeur) > MONTRES else "")
    if isinstance(valeur, list | tuple):
        return ", ".join(lisible(v) for v in valeur[:MONTRES]) + ("…" if len(valeur) > MONTRES else "")
    texte = str(valeur)
    if re.fullmatch(r"\d{4}-\d\d-\d\d", texte):
        return formats.jour(date.fromisoformat(texte))
    if re.fullmatch(r"-?\d+\.\d\d", texte):
        return formats.montant(Decimal(texte), zero="0,00")
    return texte


def compter(comptes: dict) -> str:
    """« 17 clients, 1 187 factures » ; les objets nuls se taisent."""
    n = comptes.get
    phrases = {
        "clients": ngettext("%(n)s client", "%(n)s clients", n("clients", 0)),
        "factures": ngettext("%(n)s facture", "%(n)s factures", n("factures", 0)),
        "avoirs": ngettext("%(n)s avoir", "%(n)s avoirs", n("avoirs", 0)),
        "encaissements": ngettext("%(n)s encaissement", "%(n)s encaissements", n("encaissements", 0)),
        "imputations": ngettext("%(n)s imputation", "%(n)s imputations", n("imputations", 0)),
        "releves": ngettext("%(n)s relevé", "%(n)s relevés", n("releves", 0)),
        "mouvements": ngettext("%(n)s mouvement", "%(n)s mouvements", n("mouvements", 0)),
        "statuts": ngettext("%(n)s statut", "%(n)s statuts", n("statuts", 0)),
        "annonces": ngettext("%(n)s annonce", "%(n)s annonces", n("annonces", 0)),
        "corrections": ngettext(
            "%(n)s correction proposée", "%(n)s corrections proposées", n("corrections", 0)
        ),
        "litiges": ngettext("%(n)s litige", "%(n)s litiges", n("litiges", 0)),
    }  # fmt: skip
    dites = [phrase % {"n": formats.nombre(n(nom))} for nom, phrase in phrases.items() if n(nom)]
    dites += [f"{formats.nombre(v)} {nom}" for nom, v in comptes.items() if v and nom not in phrases]
    return ", ".join(dites)


def disparaitra(comptes: dict[str, int]) -> list[str]:
    """Ce que défaire l'import effacerait ou rendrait, une phrase par sorte d'objet (`annulation.apercu`)."""
    noms = {
        "factures.facture": "factures", "factures.avoir": "avoirs", "factures.encaissement": "encaissements",
        "factures.imputation": "imputations", "factures.relevebancaire": "releves", "clients.client": "clients",
        "factures.mouvementbancaire": "mouvements", "factures.statutrecu": "statuts", "factures.litige": "litiges",
        "clients.annoncebodacc": "annonces", "clients.correctionproposee": "corrections",
    }  # fmt: skip
    lus = {noms[cle]: n for cle, n in comptes.items() if cle in noms}
    phrases = [x for nom, n in lus.items() if (x := compter({nom: n}))]
    if rendus := comptes.get("modifies"):
        phrases.append(
            ngettext(
                "%(n)s fiche, échéance ou affectation retrouve sa valeur d’avant",
                "%(n)s fiches, échéances ou affectations retrouvent leur valeur d’avant",
                rendus,
            )
            % {"n": formats.nombre(rendus)}
        )
    return phrases
