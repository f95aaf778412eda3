"""Le créancier, le débiteur et les phrases qui les nomment, prêts à imprimer."""

import re
from collections.abc import Iterable, Sequence
from datetime import date

from recouvrement.commun.domaine import ecriture
from recouvrement.commun.domaine.adresse import AdressePostale, adresse_postale
from recouvrement.commun.domaine.pays import OUTRE_MER

from .contexte import Credit, Destinataire, Emetteur, Gestionnaire, Signataire, TypeDebiteur
from .moteur import Objet

NB = "\u00a0"
_CIVILITE = re.compile(r"(madame|monsieur|mademoiselle|mmes?|mm?\.?|mr|mlle)\s", re.I)
# Encaissement enregistré sans référence : son nom n'est que sa date, déjà dite. « Saisie du » : nom d'avant.
_SANS_REFERENCE = re.compile(r"(?:reçu le|Saisie du) \d")


def enumerer(elements: Sequence[str], et: str = "et") -> str:
    """« a », « a et b », « a, b et c »."""
    *debut, fin = elements
    return f"{', '.join(debut)} {et} {fin}" if debut else fin


def dates_enumerees(dates: Iterable[date], *, anglais: bool = False) -> str:
    """« 5 et 22 octobre 2026 », « 28 septembre et 5 octobre 2026 » : mois et année une fois chacun."""
    dates = list(dates)
    longue = ecriture.date_en if anglais else ecriture.date_longue
    textes = []
    for jour, suivant in zip(dates, [*dates[1:], None], strict=True):
        quantieme, mois, annee = longue(jour).split(NB)
        morceaux = [quantieme]
        if suivant is None or (suivant.year, suivant.month) != (jour.year, jour.month):
            morceaux.append(mois)
        if suivant is None or suivant.year != jour.year:
            morceaux.append(annee)
        textes.append(NB.join(morceaux))
    return enumerer(textes, "and" if anglais else "et")


def rappels_envoyes(dates: Sequence[date], *, anglais: bool = False) -> str:
    """« notre rappel du 22 octobre 2026 », « nos rappels des 5 et 22 octobre 2026 » ; vide sans rappel."""
    if not dates:
        return ""
    quand = dates_enumerees(dates, anglais=anglais)
    if anglais:
        return f"our reminder{'s' if len(dates) > 1 else ''} of {quand}"
    return f"nos rappels des {quand}" if len(dates) > 1 else f"notre rappel du {quand}"


def copies_jointes(numeros: Sequence[str], *, anglais: bool = False) -> str:
    """« Pièce jointe : copie de la facture FA-1. » ; au-delà de trois, leur nombre ; vide sans copie."""
    if not numeros:
        return ""
    if len(numeros) == 1:
        modele = "Enclosed: copy of invoice {}." if anglais else f"Pièce jointe{NB}: copie de la facture {{}}."
        return modele.format(numeros[0])
    if len(numeros) > 3:
        modele = "Enclosed: copies of {} invoices." if anglais else f"Pièces jointes{NB}: copies de {{}} factures."
        return modele.format(len(numeros))
    modele = "Enclosed: copies of invoices {}." if anglais else f"Pièces jointes{NB}: copies des factures {{}}."
    return modele.format(enumerer(numeros, "and" if anglais else "et"))


def mentions_legales(e: Emetteur) -> str:
    """Pied de page (C. com., art. R123-237 et R123-238), en deux lignes."""
    capital = f", {e.forme} au capital de {e.capital.replace(' ', NB)}" if e.capital else f" {e.forme}".rstrip()
    siege = f"{e.adresse}, {e.code_postal} {e.ville}"
    tva = f" – TVA intracommunautaire {e.numero_tva}" if e.numero_tva else ""
    nom = "Siège social" if e.capital else "Adresse"
    return f"{e.raison_sociale}{capital} – {nom}{NB}: {siege}\n{_immatriculation(e)}{tva}"


def _immatriculation(e: Emetteur) -> str:
    return f"SIREN{NB}{ecriture.siren(e.siren)}" + (f" RCS {e.rcs_ville}" if e.rcs_ville else "")


def mentions_legales_en(e: Emetteur) -> str:
    chiffres = re.sub(r"\D", "", e.capital.split(",")[0])
    capital = f"€{int(chiffres):,}" if chiffres and "€" in e.capital else e.capital
    forme = f", French {e.forme}" + (f" with share capital of {capital}" if capital else "") if e.forme else ""
    siege = f"{e.adresse}, {e.code_postal} {e.ville}, France"
    greffe = f", {e.rcs_ville} trade register (RCS)" if e.rcs_ville else ""
    tva = f" – VAT No.{NB}{e.numero_tva}" if e.numero_tva else ""
    return f"{e.raison_sociale}{forme} – Registered office: {siege}\nSIREN{NB}{ecriture.siren(e.siren)}{greffe}{tva}"


def lignes_non_vides(*lignes: str) -> str:
    return "\n".join(ligne.strip() for ligne in lignes if ligne and ligne.strip())


def forme_dite(raison_sociale: str, forme: str) -> bool:
    """Vrai si la raison sociale commence ou finit par la forme : on n'écrit pas « Castelnou SARL, SARL »."""
    mots = re.findall(r"\w+", raison_sociale.replace(".", "").upper())
    dite = re.findall(r"\w+", forme.replace(".", "").upper())
    return bool(dite) and dite in (mots[-len(dite) :], mots[: len(dite)])


def _joindre(*morceaux: str) -> str:
    return " – ".join(m for m in morceaux if m)


def societe(e: Emetteur, langue: str = "fr") -> Objet:
    champs = {nom: getattr(e, nom) for nom in e.__dataclass_fields__}
    ville = f"{e.code_postal} {e.ville}".strip()
    siren = f"SIREN{NB}{ecriture.siren(e.siren)}" if e.siren else ""
    a_dire = not forme_dite(e.raison_sociale, e.forme)
    champs |= {
        "nom_court": e.nom_court or e.raison_sociale[:20],
        "ville_signature": e.ville_signature or e.ville,
        "mentions_legales": mentions_legales_en(e) if langue == "en" else mentions_legales(e),
        "coordonnees": lignes_non_vides(e.adresse, e.complement, ville, _joindre(e.telephone, e.courriel)),
        "identite": ", ".join(m for m in (e.raison_sociale, e.forme if a_dire else "", siren) if m),
        "forme_a_dire": a_dire,
    }
    return Objet("societe", champs)


def adresse_du_debiteur(d: Destinataire) -> AdressePostale:
    """Bloc de la fenêtre (NF Z10-011) ; la civilité d'un particulier précède son nom."""
    nom = d.raison_sociale
    if d.type == TypeDebiteur.PARTICULIER and not _CIVILITE.match(nom):
        nom = f"{d.civilite} {nom}"
    return adresse_postale(
        nom,
        service=d.service,
        complement=d.complement,
        voie=d.adresse,
        code_postal=d.code_postal,
        ville=d.ville,
        pays=d.pays,
    )


def a_l_etranger(d: Destinataire) -> bool:
    """Hors de France, outre-mer comprise : le droit français ne va plus de soi (règlement Rome I)."""
    return d.pays.upper() not in ("", "FR", *OUTRE_MER)


def client(d: Destinataire) -> Objet:
    """La formule d'appel sert aussi à la politesse ; sans nom connu, elle reste neutre."""
    champs = {nom: getattr(d, nom) for nom in d.__dataclass_fields__}
    siren = f"SIREN{NB}{ecriture.siren(d.siren)}" if d.siren else d.immatriculation
    a_dire = not forme_dite(d.raison_sociale, d.forme)
    compte = f"account {d.code}" if d.langue == "en" else f"compte {d.code}"
    champs |= {
        "type": str(d.type),
        "civilite": d.civilite or "Madame, Monsieur",
        "bonjour": f"Bonjour {d.interlocuteur}" if d.interlocuteur else "Bonjour",
        "appel_en": f"Dear {d.interlocuteur or 'Sir or Madam'}",
        "formule_en": "sincerely" if d.interlocuteur else "faithfully",
        "adresse_postale": adresse_du_debiteur(d).texte,
        "siege": ", ".join(m for m in (d.adresse, f"{d.code_postal} {d.ville}".strip()) if m),
        "identite": ", ".join(m for m in (d.raison_sociale, d.forme if a_dire else "", siren, compte) if m),
        "forme_a_dire": a_dire,
    }
    return Objet("client", champs)


def gestionnaire(g: Gestionnaire, *, international: bool = False) -> Objet:
    telephone = telephone_international(g.telephone) if international else g.telephone
    return Objet(
        "gestionnaire",
        {
            "nom": g.nom,
            "telephone": telephone,
            "courriel": g.courriel,
            "coordonnees": lignes_non_vides(g.nom, telephone, g.courriel),
            "joindre": _joindre(telephone, g.courriel),
        },
    )


def telephone_international(numero: str) -> str:
    """« 02 61 91 00 14 » → « +33 2 61 91 00 14 » ; tout autre numéro reste tel quel."""
    chiffres = re.sub(r"[\s.\-]", "", numero)
    if not re.fullmatch(r"0[1-9]\d{8}", chiffres):
        return numero
    paires = " ".join(chiffres[i : i + 2] for i in range(2, 10, 2))
    return f"+33 {chiffres[1]} {paires}"


def signataire(s: Signataire) -> Objet:
    champs = {"nom": s.nom, "fonction": s.fonction, "fonction_en": s.fonction_en or s.fonction, "image": s.image}
    return Objet("signataire", champs)


def libelle_credit(c: Credit, anglais: bool) -> str:
    reference = f" {c.reference}" if c.reference else ""
    if _SANS_REFERENCE.match(c.reference):
        if anglais:
            return f"Payment received on {ecriture.date_en(c.date)}, not yet allocated"
        return f"Règlement reçu le {ecriture.jj(c.date)}, non encore affecté"
    if anglais:
        nom = "Credit note" if c.genre == "avoir" else "Payment"
        return f"{nom}{reference} of {ecriture.date_en(c.date)}, not yet allocated"
    nom = "Avoir" if c.genre == "avoir" else "Règlement"
    return f"{nom}{reference} du {ecriture.jj(c.date)}, non encore affecté"
