"""Un FEC entier : équilibre prouvé, avertissements, puis postes ouverts en objets neutres."""

import re
from collections import Counter
from collections.abc import Callable, Iterable, Iterator, Mapping
from datetime import date
from decimal import Decimal

from factures.domaine.fec_clients import a_ventiler, resume
from factures.domaine.fec_corrections import Corrections
from factures.domaine.fec_lignes import ZERO, Poste, Reconstitution
from factures.domaine.fec_ouvert import reconstruire

from .fec_lecture import EnteteFec, Lecture, enregistrements, entete_de
from .fec_xml import FecXml
from .lot import AvoirLu, ClientLu, Element, EncaissementLu, FactureLue, ImputationLue, Inexplique, LotLu, Rejet
from .nombres import Illisible, euros, jour
from .texte import FichierRefuse, Texte

ECRITURES_NOMMEES = 50
VOISINS = {"413": "effets à recevoir", "418": "factures à établir", "419": "avances et avoirs à établir"}


def lire(
    texte: Texte | FecXml,
    *,
    echeance_de: Callable[[str, date], date],
    connus: Callable[[date], Iterable[Poste]] = lambda premier_jour: (),
    corrections: Mapping | None = None,
) -> LotLu:
    """Lit un FEC et rend clients, factures, avoirs, encaissements et imputations.

    echeance_de(code client, jour) : échéance selon les conditions du client.
    connus(premier jour du fichier) : postes déjà en base et encore ouverts la veille.
    corrections : `Lot.corrections` (docs/formats.md).
    Lève FichierRefuse : en-tête, FEC déséquilibré (avec l'écart et les écritures fautives), aucune ligne client.
    """
    corriges = Corrections.de(corrections)
    echeance_de = corriges.echeance_de(echeance_de)
    if isinstance(texte, FecXml):
        entete, lignes_lues = texte.enregistrements()
    else:
        entete = entete_de(texte)
        lignes_lues = enregistrements(texte, entete)
    lot = LotLu("fec", texte.encodage, entete.separateur, [])
    lecture = Lecture(lot, corriges)
    lecture.lire(lignes_lues, entete)
    lot.faits = {
        "colonnes": entete.cellules,
        "debit": lecture.debit,
        "credit": lecture.credit,
        "du": lecture.du,
        "au": lecture.au,
        "lignes_client": len(lecture.lignes),
        "lettrees": sum(bool(x.lettrage) for x in lecture.lignes),
        "debit_client": lecture.debit_client,
        "credit_client": lecture.credit_client,
    } | _lettrage(lecture)
    if not lot.lignes:
        raise FichierRefuse("Le FEC n'a aucune écriture : refaites l'export.")
    if lot.rejets:
        return lot
    _verifier_equilibre(lecture)
    if not lecture.lignes:
        raise FichierRefuse(_sans_client(lecture, entete))
    lecture.qualifier()
    _avertir(lecture, texte.nom)
    lignes, lecture.lignes = iter(lecture.lignes), []
    reconstitution = reconstruire(
        lignes, echeance_de=echeance_de, connus=connus(lecture.du), pieces=corriges.pieces
    )  # fmt: skip
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
        "par_client": resume(reconstitution, lecture.noms, lecture.ecartes),
        "a_ventiler": a_ventiler(reconstitution),
    }
    lot.elements = _elements(reconstitution, lecture.noms, corriges)
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
    if lecture.retenues:
        avertir(
            f"{lecture.retenues} lignes de retenue de garantie (4117) : dues un an après la pièce, faute de date de "
            "réception. Vérifiez l'échéance de chacune."
        )
    for compte, solde in sorted(lecture.ecartes.items()):
        avertir(f"Compte {compte} écarté : ce n'est pas un client. Solde de {euros(solde)} laissé en comptabilité.")
    if not any(x.auxiliaire for x in lecture.lignes) and len({x.client for x in lecture.lignes}) == 1:
        avertir("Ni compte auxiliaire ni sous-compte : tous les clients sont confondus en un seul compte.")


def _lettrage(lecture: Lecture) -> dict[str, object]:
    """Groupes de lettrage (client et code), ceux qui ne s'équilibrent pas, et ce qui n'est pas lettré."""
    groupes: dict[tuple[str, str], Decimal] = {}
    libres, reste = 0, ZERO
    for x in lecture.lignes:
        if x.lettrage:
            groupes[(x.client, x.lettrage)] = groupes.get((x.client, x.lettrage), ZERO) + x.solde
        else:
            libres, reste = libres + 1, reste + x.solde
    return {
        "groupes": len(groupes),
        "groupes_desequilibres": sum(bool(solde) for solde in groupes.values()),
        "non_lettrees": libres,
        "non_lettre": reste,
    }


def _sans_client(lecture: Lecture, entete: EnteteFec) -> str:
    if lecture.ecartes:
        return "Tous les comptes clients du FEC sont écartés : rien à recouvrer. Rendez-en un dans les corrections."
    if "daterglt" in entete.places:
        return (
            "Le FEC est celui d'une comptabilité de trésorerie (BNC ou BA), sans compte client (411 ou 416) : il ne "
            "dit pas ce qui reste dû. Importez la liste des factures ouvertes en CSV."
        )
    return "Le FEC n'a aucune ligne de compte client (411 ou 416) : rien à recouvrer."


def _elements(reconstitution: Reconstitution, noms: dict[str, str], corriges: Corrections) -> Iterator[Element]:
    postes = [p for p in reconstitution.postes if not p.connu]
    clients = sorted({p.client for p in postes} | set(reconstitution.soldes))
    plusieurs = {f for f, n in Counter(p.facture for p in postes if p.debit).items() if n > 1}
    for code in clients:
        valeurs = {"raison_sociale": (noms.get(code) or code)[:160]}
        if conditions := corriges.conditions.get(code):
            valeurs["conditions"] = conditions
        yield ClientLu(0, code, valeurs, creer_seulement=True)
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
