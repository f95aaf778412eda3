"""Une écriture CAMT (Ntry) et ses transactions : un mouvement chacune quand leur somme est celle de l'écriture."""

from dataclasses import dataclass, field
from datetime import date
from decimal import Decimal

from factures.domaine.banque_codes import REJET, motif_iso, nature_iso
from factures.domaine.banque_textes import compacter, iban_valide, montant_pointe

from ..lot import MouvementLu
from .camt_xml import enfant, enfants, fils, texte_de
from .commun import CODE, NOM, borne, libelle, montant_plausible, plausible, reference

TRANSACTIONS_MAX = 100_000  # par écriture


@dataclass(slots=True)
class Entree:
    """`parts` : un mouvement par transaction détaillée, sinon un seul. `transactions` : TxDtls lues."""

    devise: str
    transactions: int
    parts: list[MouvementLu] = field(default_factory=list)
    avertissement: str = ""


def lire_entree(ntry, devise_du_compte: str) -> Entree:
    """Lève ValueError « champ|constat » quand l'écriture ne se lit pas."""
    noeud = enfant(ntry, "Amt")
    montant = _montant(noeud, "montant")
    devise = (noeud.get("Ccy") or devise_du_compte)[:3]
    sens = texte_de(ntry, "CdtDbtInd")
    if sens not in ("CRDT", "DBIT"):
        raise ValueError(f"sens|le sens « {sens[:10]} » n'est ni CRDT ni DBIT")
    # RvslInd : CdtDbtInd dit déjà le sens au compte (ISO 20022) ; l'indicateur dit seulement que c'est un retour.
    contre_passe = texte_de(ntry, "RvslInd") in ("true", "1")
    jour, valeur = _jour(ntry, "BookgDt"), _jour(ntry, "ValDt")
    if not (jour or valeur):
        raise ValueError("date|ni date de comptabilisation ni date de valeur lisible")
    entete = MouvementLu(
        0, "", "", jour or valeur, _signe(montant, sens), devise, "", valeur, code=_code(ntry)[:CODE],
        cle_banque=borne(texte_de(ntry, "AcctSvcrRef") or texte_de(ntry, "NtryRef"), 140),
    )  # fmt: skip
    entete.nature = REJET if contre_passe else _nature(ntry)
    details = [tx for d in enfants(ntry, "NtryDtls") for tx in enfants(d, "TxDtls")]
    if len(details) > TRANSACTIONS_MAX:
        raise ValueError(f"détail|plus de {TRANSACTIONS_MAX} transactions dans une écriture")
    entree = Entree(devise, len(details))
    complement = texte_de(ntry, "AddtlNtryInf")
    if len(details) <= 1:
        entree.parts.append(_decrire(entete, details[0] if details else None, complement, contre_passe))
        return entree
    parts = [_montant_de_part(tx, devise, sens) for tx in details]
    if None in parts or sum(parts) != entete.montant:
        entree.avertissement = (
            f"l'écriture groupée de {entete.montant} {devise} annonce {len(details)} opérations, de somme "
            "différente : elle entre en un seul mouvement."
        )
        entete.libelle = libelle(complement, f"{len(details)} opérations groupées")
        entree.parts.append(entete)
        return entree
    cle, remise = entete.cle_banque, entete.cle_banque or texte_de(enfant(ntry, "NtryDtls"), "Btch", "PmtInfId")
    for rang, (tx, part) in enumerate(zip(details, parts, strict=True), start=1):
        m = MouvementLu(
            0, "", "", entete.date, part, devise, "", entete.date_valeur, code=entete.code, nature=entete.nature,
            cle_banque=f"{cle}#{rang}" if cle else "", remise=borne(remise, 140),
        )  # fmt: skip
        entree.parts.append(_decrire(m, tx, "", contre_passe))
    return entree


def _montant(noeud, champ: str) -> Decimal:
    if noeud is None:
        raise ValueError(f"{champ}|montant absent")
    try:
        montant = montant_pointe(noeud.text or "")
    except ValueError as erreur:
        raise ValueError(f"{champ}|{erreur}") from None
    if montant < 0 or not montant_plausible(montant):
        raise ValueError(f"{champ}|« {noeud.text.strip()[:30]} » n'est pas un montant d'écriture")
    return montant


def _signe(montant: Decimal, sens: str) -> Decimal:
    return -montant if sens == "DBIT" else montant


def _montant_de_part(tx, devise: str, sens: str) -> Decimal | None:
    """Montant d'une transaction dans la devise de l'écriture : Amt (v3 et suivantes), sinon AmtDtls/TxAmt (v2)."""
    for noeud in (
        enfant(tx, "Amt"),
        fils(tx, "AmtDtls", "TxAmt", "Amt"),
        fils(tx, "AmtDtls", "CntrValAmt", "Amt"),
        fils(tx, "AmtDtls", "InstdAmt", "Amt"),
    ):
        if noeud is not None and (noeud.get("Ccy") or devise) == devise:
            try:
                return _signe(_montant(noeud, "détail"), texte_de(tx, "CdtDbtInd") or sens)
            except ValueError:
                return None
    return None


def _jour(ntry, nom: str) -> date | None:
    texte = texte_de(ntry, nom)
    if not texte:
        return None
    try:
        jour = date.fromisoformat(texte[:10])
    except ValueError:
        raise ValueError(f"date|« {texte[:25]} » n'est pas une date") from None
    if not plausible(jour):
        raise ValueError(f"date|« {texte[:25]} » est une date invraisemblable")
    return jour


def _domaine(element) -> tuple[str, str, str]:
    domaine = fils(element, "BkTxCd", "Domn")
    return texte_de(domaine, "Cd"), texte_de(domaine, "Fmly", "Cd"), texte_de(domaine, "Fmly", "SubFmlyCd")


def _code(element) -> str:
    return "/".join(x for x in _domaine(element) if x) or texte_de(element, "BkTxCd", "Prtry", "Cd")


def _nature(element) -> str:
    return nature_iso(*_domaine(element))


def _decrire(m: MouvementLu, tx, complement: str, contre_passe: bool) -> MouvementLu:
    """Parties, références, motif : tout ce que la transaction sait de plus que l'écriture."""
    if tx is None:
        m.libelle = libelle(complement)
        return m
    refs, motifs = fils(tx, "Refs"), []
    structurees = []
    for remise in enfants(tx, "RmtInf"):
        motifs += [(e.text or "") for e in enfants(remise, "Ustrd")]
        for structuree in enfants(remise, "Strd"):
            structurees.append(texte_de(structuree, "CdtrRefInf", "Ref"))
            structurees += [texte_de(d, "Nb") for d in enfants(structuree, "RfrdDocInf")]
            motifs += [(e.text or "") for e in enfants(structuree, "AddtlRmtInf")]
    structurees = list(dict.fromkeys(r for r in map(reference, structurees) if r))
    bout_en_bout = reference(texte_de(refs, "EndToEndId"))
    m.reference = borne(" ".join([*structurees, bout_en_bout] if structurees else [bout_en_bout]), 140)
    m.libelle = libelle(*motifs, " ".join(structurees), texte_de(tx, "AddtlTxInf"), complement)
    if not m.cle_banque:
        m.cle_banque = borne(texte_de(refs, "AcctSvcrRef") or reference(texte_de(refs, "TxId")), 140)
    retour = enfant(tx, "RtrInf")
    if retour is not None:
        raison = enfant(retour, "Rsn")
        code = texte_de(raison, "Cd") or texte_de(raison, "Prtry")
        ajout = " ".join((e.text or "").strip() for e in enfants(retour, "AddtlInf"))
        m.motif_rejet, m.nature = motif_iso(borne(code, 35), borne(ajout, 90)), REJET
    elif contre_passe:
        m.nature = REJET
    elif m.nature == "autre":
        m.nature = _nature(tx)
    m.code = m.code or _code(tx)[:CODE]
    _partie(m, tx)
    return m


def _partie(m: MouvementLu, tx) -> None:
    """L'autre partie : le débiteur d'un crédit, le créancier d'un débit ; un retour inverse les rôles."""
    parties = enfant(tx, "RltdPties")
    cote = "Dbtr" if (m.montant > 0) != (m.nature == REJET) else "Cdtr"
    autre = "Cdtr" if cote == "Dbtr" else "Dbtr"
    for role in (cote, f"Ultmt{cote}") if m.nature != REJET else (cote, f"Ultmt{cote}", autre):
        partie = enfant(parties, role)
        nom = texte_de(partie, "Nm") or texte_de(partie, "Pty", "Nm")
        if nom and nom.upper() not in ("NOTPROVIDED", "NOT PROVIDED"):
            if not m.contrepartie:
                m.contrepartie = borne(nom, NOM)
            elif role.startswith("Ultmt"):  # payé pour le compte d'un autre : son nom compte aussi
                m.libelle = libelle(m.libelle, nom)
    compte = fils(parties, f"{cote}Acct", "Id")
    iban = compacter(texte_de(compte, "IBAN") or texte_de(compte, "Othr", "Id"))
    if texte_de(compte, "IBAN") or iban_valide(iban):
        m.contrepartie_iban = iban[:34]
