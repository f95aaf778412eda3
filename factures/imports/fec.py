"""Un FEC entier : équilibre prouvé, avertissements, puis postes ouverts en objets neutres."""

import re
from collections import Counter
from collections.abc import Callable, Iterable, Iterator
from datetime import date

from factures.domaine.fec_lignes import ZERO, Poste, Reconstitution
from factures.domaine.fec_ouvert import reconstruire

from .fec_lecture import Lecture, enregistrements, entete_de
from .lot import AvoirLu, ClientLu, Element, EncaissementLu, FactureLue, ImputationLue, Inexplique, LotLu, Rejet
from .nombres import Illisible, euros, jour
from .texte import FichierRefuse, Texte

ECRITURES_NOMMEES = 50
VOISINS = {"413": "effets à recevoir", "418": "factures à établir", "419": "avances et avoirs à établir"}


def lire(
    texte: Texte,
    *,
    echeance_de: Callable[[str, date], date],
    connus: Callable[[date], Iterable[Poste]] = lambda premier_jour: (),
) -> LotLu:
    """Lit un FEC et rend clients, factures, avoirs, encaissements et imputations.

    echeance_de(code client, jour) : échéance selon les conditions du client.
    connus(premier jour du fichier) : postes déjà en base et encore ouverts la veille.
    Lève FichierRefuse : en-tête, FEC déséquilibré (avec l'écart et les écritures fautives), aucune ligne client.
    """
    entete = entete_de(texte)
    lot = LotLu("fec", texte.encodage, entete.separateur, [])
    lecture = Lecture(lot)
    lecture.lire(enregistrements(texte, entete), entete)
    lot.faits = {
        "colonnes": len(entete.places),
        "debit": lecture.debit,
        "credit": lecture.credit,
        "du": lecture.du,
        "au": lecture.au,
        "lignes_client": len(lecture.lignes),
        "lettrees": sum(bool(x.lettrage) for x in lecture.lignes),
    }
    if not lot.lignes:
        raise FichierRefuse("Le FEC n'a aucune écriture : refaites l'export.")
    if lot.rejets:
        return lot
    _verifier_equilibre(lecture)
    if not lecture.lignes:
        raise FichierRefuse("Le FEC n'a aucune ligne de compte client (411 ou 416) : rien à recouvrer.")
    lecture.qualifier()
    _avertir(lecture, texte.nom)
    lignes, lecture.lignes = iter(lecture.lignes), []
    reconstitution = reconstruire(lignes, echeance_de=echeance_de, connus=connus(lecture.du))
    lot.avertissements += reconstitution.avertissements
    lot.inexpliques = [
        Inexplique(x.client, x.nature, x.detail, x.montant, x.cle, x.ligne) for x in reconstitution.inexpliques
    ]
    lot.soldes = reconstitution.soldes
    lot.faits |= {
        "clients": len(reconstitution.soldes),
        "solde": sum(reconstitution.soldes.values(), ZERO),
        "lettrages_partiels": reconstitution.lettrages_partiels,
        "reprises": reconstitution.reprises,
    }
    lot.elements = _elements(reconstitution, lecture.noms)
    return lot


def _verifier_equilibre(lecture: Lecture) -> None:
    ecart = lecture.debit - lecture.credit
    fautives = sorted(lecture.balances.items(), key=lambda x: x[1][1])
    if not ecart:
        if fautives:
            lecture.lot.avertissements.append(
                f"{len(fautives)} écritures ne s'équilibrent pas seules, le fichier oui : numérotation inhabituelle."
            )
        return
    rejets = []
    for ecriture, (solde, ligne) in fautives[:ECRITURES_NOMMEES]:
        _, journal, num = ecriture.split(":", 2)
        rejets.append(
            Rejet(
                ligne,
                "EcritureNum",
                f"l'écriture {journal} {num} a un écart de {euros(solde)}.",
                "Corrigez-la dans le logiciel de comptabilité et refaites l'export.",
            )
        )
    raise FichierRefuse(
        f"FEC déséquilibré : débit {euros(lecture.debit)}, crédit {euros(lecture.credit)}, écart {euros(ecart)}. "
        f"{len(fautives)} écriture(s) en cause ; fichier tronqué ou export en cours de saisie.",
        rejets,
    )


def _avertir(lecture: Lecture, nom: str) -> None:
    avertir = lecture.lot.avertissements.append
    if lu := re.search(r"FEC_?(\d{8})", nom, re.IGNORECASE):
        try:
            cloture = jour(lu[1])
            if not lecture.du <= cloture or (cloture - lecture.au).days > 366:
                avertir(
                    f"Le nom annonce une clôture au {cloture:%d/%m/%Y}, les écritures vont du {lecture.du:%d/%m/%Y} "
                    f"au {lecture.au:%d/%m/%Y} : ce sont elles qui comptent."
                )
        except Illisible:
            pass
    if (lecture.au - lecture.du).days > 731:
        avertir(
            f"Les écritures s'étalent du {lecture.du:%d/%m/%Y} au {lecture.au:%d/%m/%Y} : "
            "vérifiez les dates hors exercice."
        )
    for racine, quoi in VOISINS.items():
        if solde := lecture.voisins.get(racine):
            avertir(f"Compte {racine} ({quoi}) : solde de {euros(solde)}, hors des comptes clients repris ici.")
    if etrangeres := {d for d in lecture.devises if d.upper() not in ("EUR", "€", "EURO")}:
        codes = ", ".join(sorted(etrangeres))
        avertir(f"Lignes en devise ({codes}) : reprises à leur contre-valeur comptable en euros.")
    if not any(x.auxiliaire for x in lecture.lignes) and len({x.client for x in lecture.lignes}) == 1:
        avertir("Ni compte auxiliaire ni sous-compte : tous les clients sont confondus en un seul compte.")


def _elements(reconstitution: Reconstitution, noms: dict[str, str]) -> Iterator[Element]:
    postes = [p for p in reconstitution.postes if not p.connu]
    clients = sorted({p.client for p in postes} | set(reconstitution.soldes))
    plusieurs = {f for f, n in Counter(p.facture for p in postes if p.debit).items() if n > 1}
    for code in clients:
        yield ClientLu(0, code, {"raison_sociale": (noms.get(code) or code)[:160]}, creer_seulement=True)
    for p in postes:
        if p.debit:
            tva = p.tva if p.facture not in plusieurs and p.tva is not None and ZERO <= p.tva < p.montant else None
            yield FactureLue(
                p.ligne, p.facture, p.client, p.numero, p.numero_reel, p.date, None,
                None if tva is None else p.montant - tva, tva, p.montant, "EUR", "", p.cle, p.echeance,
            )  # fmt: skip
        elif p.est_avoir:
            yield AvoirLu(p.ligne, p.cle, p.client, p.numero, p.date, p.montant, "EUR")
        else:
            yield EncaissementLu(
                p.ligne, p.cle, p.client, p.numero[:80], p.date, p.montant, "EUR", p.mode, p.libelle[:200]
            )
    for i in reconstitution.imputations:
        encaissement, avoir = ("", i.credit) if i.est_avoir else (i.credit, "")
        cle = f"FEC:I:{i.debit[4:]}:{i.credit[4:]}"
        yield ImputationLue(cle, i.debit, encaissement, avoir, i.date, i.montant)
