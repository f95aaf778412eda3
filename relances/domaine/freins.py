"""Ce qui retient une pièce ou un compte : chaque frein, sa raison et sa fin, dans l'ordre de leur gravité. Pur.

Les mêmes règles jugent à la décision et se relisent juste avant l'envoi (exigence 19). Une levée ne joue que sur un
frein levable, pour la pièce et la nuit dites (docs/decisions/0012).
"""

from collections.abc import Callable, Iterable, Iterator
from datetime import date, timedelta
from decimal import Decimal

from .faits import ZERO, ClientFaits, Decision, EcheanceFaits, PalierRegle, Plan, Reglages
from .natures import Nature
from .verdicts import Motif, levable

UN_JOUR = timedelta(days=1)
Ouvre = Callable[[date], date]

# Statuts de la facture électronique (droit.md § 12) ; tout autre code, connu ou non, n'est qu'une information.
FE_APPROUVEE_EN_PARTIE, FE_EN_LITIGE, FE_PAIEMENT_TRANSMIS, FE_ENCAISSEE = "206", "207", "211", "212"
FE_ARRETENT = {"210": "refusée par le client", "213": "rejetée par la plateforme"}
FE_RETIENNENT = {"207": "en litige sur la plateforme", "208": "suspendue : une pièce est demandée"}
FE_SUIVIS = frozenset({*FE_ARRETENT, *FE_RETIENNENT, FE_APPROUVEE_EN_PARTIE, FE_PAIEMENT_TRANSMIS, FE_ENCAISSEE})


def _date(jour: date | None) -> str:
    return f" du {jour:%d/%m/%Y}" if jour else ""


def _statut_fe(e: EcheanceFaits) -> tuple[Motif, str] | None:
    """Ce que dit la facture électronique, ou rien.

    206 et 207 n'arrêtent plus une fois le litige ouvert, qui retient sa part et elle seule ; 212, plus dès qu'un
    paiement est posé sur la pièce (il peut n'être que partiel).
    """
    code, le = e.statut_fe, _date(e.statut_fe_le)
    if code in FE_ARRETENT:
        return Motif.FE_ARRETEE, f"{code}, {FE_ARRETENT[code]}{le}"
    if code in FE_RETIENNENT and not (code == FE_EN_LITIGE and e.conteste):
        return Motif.FE_RETENUE, f"{code}, {FE_RETIENNENT[code]}{le}"
    if code == FE_APPROUVEE_EN_PARTIE and not e.conteste:
        return Motif.FE_A_VERIFIER, f"206, approuvée en partie{le}, sans litige ouvert"
    if code == FE_PAIEMENT_TRANSMIS:
        return Motif.FE_A_VERIFIER, f"211, paiement annoncé{le}, pas encore reçu"
    if code == FE_ENCAISSEE and not e.paye:
        return Motif.FE_A_VERIFIER, f"212, dite encaissée{le}, aucun paiement posé"
    return None


def procedure_collective(e: EcheanceFaits, client: ClientFaits, *, au: date) -> str:
    """Ce que la procédure retient de cette pièce ; vide : rien.

    Close, elle rend les créances nées depuis le jugement ; les autres dépendent d'un plan ou d'un passif effacé, et
    c'est une personne qui décide (C. com., art. L622-21, L626-11, L643-11).
    """
    if client.jugement is None:
        return ""
    detail = f"jugement d'ouverture du {client.jugement:%d/%m/%Y}"
    if client.procedure_close is None or client.procedure_close > au:
        return detail
    return "" if e.posterieure else f"{detail}, close le {client.procedure_close:%d/%m/%Y} : née avant le jugement"


def _freins(
    e: EcheanceFaits, client: ClientFaits, palier: PalierRegle, *, au: date, ouvre: Ouvre
) -> Iterator[tuple[Motif, str, date | None]]:
    """(motif, détail, première date où cela peut changer), du plus grave au plus passager."""
    if e.en_contentieux:
        yield Motif.CONTENTIEUX, "", None
    if procedure := procedure_collective(e, client, au=au):
        yield Motif.PROCEDURE, procedure, None
    if client.surendettement:
        yield Motif.SURENDETTEMENT, "", None
    if e.affacturee:  # le débiteur, averti, ne se libère qu'entre les mains de l'affactureur (CMF, art. L313-28)
        yield Motif.AFFACTUREE, "facture cédée à un affactureur", None
    if e.date_facture > au:
        yield Motif.FUTURE, f"facture datée du {e.date_facture:%d/%m/%Y}", ouvre(e.date_facture)
    fe = _statut_fe(e) if e.statut_fe else None
    if fe and fe[0] is Motif.FE_ARRETEE:
        yield *fe, None
    if client.suspendu_jusqu_au:
        fin = client.suspendu_jusqu_au
        yield Motif.SUSPENDUE, f"{client.motif_suspension}, jusqu'au {fin:%d/%m/%Y}", ouvre(fin + UN_JOUR)
    if client.reponse_jusqu_au and client.reponse_jusqu_au >= au:
        fin = client.reponse_jusqu_au
        yield Motif.REPONSE, f"à lire, retient jusqu'au {fin:%d/%m/%Y} au plus", ouvre(fin + UN_JOUR)
    if e.exclue_jusqu_au and e.exclue_jusqu_au >= au:
        fin = e.exclue_jusqu_au
        yield Motif.EXCLUE, f"{e.motif_exclusion}, jusqu'au {fin:%d/%m/%Y}", ouvre(fin + UN_JOUR)
    if e.prelevement:
        yield Motif.PRELEVEMENT, "", None
    if e.promesse_jusqu_au and e.promesse_jusqu_au >= au:
        fin = e.promesse_jusqu_au
        yield Motif.PROMESSE, f"promesse suivie jusqu'au {fin:%d/%m/%Y}", ouvre(fin + UN_JOUR)
    if e.echeancier_jusqu_au and e.echeancier_jusqu_au >= au:
        fin = e.echeancier_jusqu_au
        yield Motif.ECHEANCIER, f"mensualité suivie jusqu'au {fin:%d/%m/%Y}", ouvre(fin + UN_JOUR)
    if e.terme_jusqu_au and e.terme_jusqu_au >= au:
        # Art. 1305-4 C. civ. : sans clause, une mensualité manquée ne rend pas le solde exigible.
        fin = e.terme_jusqu_au
        detail = f"rompu sans clause de déchéance : solde exigible après le {fin:%d/%m/%Y}"
        yield Motif.TERME_NON_ECHU, detail, ouvre(fin + UN_JOUR)
    if e.conteste and (palier.nature >= Nature.MISE_EN_DEMEURE or e.reste_du <= e.conteste):
        # Exigence 10 : une échéance contestée, même en partie, sort tout entière d'une mise en demeure.
        yield Motif.LITIGE, f"{e.conteste} contestés", None
    if fe and fe[0] is not Motif.FE_ARRETEE:
        yield *fe, None


def examiner_la_piece(
    e: EcheanceFaits, client: ClientFaits, palier: PalierRegle, *, au: date, ouvre: Ouvre
) -> tuple[Decision | None, tuple[Motif, ...]]:
    """(ce qui retient la pièce ou None, freins levés rencontrés en chemin)."""
    leves: tuple[Motif, ...] = ()
    for motif, detail, prochaine in _freins(e, client, palier, au=au, ouvre=ouvre):
        if motif in e.leves and levable(motif, palier.nature):
            leves += (motif,)
        else:
            return Decision(e, motif, detail, prochaine, palier), leves
    return None, leves


def freins_de_la_piece(
    e: EcheanceFaits, client: ClientFaits, palier: PalierRegle, *, au: date, ouvre: Ouvre
) -> Decision | None:
    """Ce qui retient une pièce, à la décision comme juste avant l'envoi (exigence 19) ; None : rien."""
    return examiner_la_piece(e, client, palier, au=au, ouvre=ouvre)[0]


def retenir(decisions: Iterable[Decision], motif: Motif, detail="", prochaine=None) -> list[Decision]:
    return [d._replace(motif=motif, detail=detail, prochaine=prochaine, reclame=ZERO) for d in decisions]


def trier_les_leves(decisions: Iterable[Decision], motif: Motif) -> tuple[list[Decision], list[Decision]]:
    """(celles pour lesquelles ce frein est levé, les autres)."""
    libres, tenues = [], []
    for d in decisions:
        if motif in d.echeance.leves and levable(motif, d.palier.nature):
            libres.append(d._replace(leves=(*d.leves, motif)))
        else:
            tenues.append(d)
    return libres, tenues


def credits_libres(client: ClientFaits, reprises: set[int]) -> dict[str, Decimal]:
    """Crédits encore déductibles, par devise, d'un courrier qui reprend ces pièces.

    Ce qu'un autre courrier toujours en vigueur a déduit ne se déduit pas deux fois ; un courrier dont toutes les
    pièces sont reprises ici est remplacé, son crédit redevient libre.
    """
    libres = dict(client.credits)
    for devise, montant, pieces in client.reserves:
        if not pieces <= reprises:
            libres[devise] = max(libres.get(devise, ZERO) - montant, ZERO)
    return libres


def credit_retient(client: ClientFaits, devise: str, *, au: date, seuil: int) -> Decimal:
    """Crédit non affecté qui retient le compte (exigence 2), ou zéro."""
    credit = client.credits.get(devise, ZERO) + client.presumes.get(devise, ZERO)
    if client.echu is not None:
        echu = client.echu.get(devise, ZERO)
    else:
        echu = sum((e.reste_du for e in client.echeances if e.devise == devise and e.date_echeance < au), ZERO)
    return credit if credit and echu and credit * 100 >= echu * seuil else ZERO


def freins_du_compte(
    client: ClientFaits, partants: list[Decision], *, au: date, reglages: Reglages, ouvre: Ouvre
) -> tuple[list[Decision], list[Decision]]:
    """(ce qui part, ce qui est retenu) : jour chômé, données périmées, société incomplète, contact, crédit."""
    if ouvre(au) != au:
        return [], retenir(partants, Motif.JOUR_NON_OUVRE, "", ouvre(au))
    if reglages.donnees_perimees:
        return [], retenir(partants, Motif.DONNEES_PERIMEES, "dernier import trop ancien")
    if not reglages.societe_complete:
        return [], retenir(partants, Motif.SOCIETE_INCOMPLETE, "mentions légales de la société à compléter")
    freines: list[Decision] = []
    if client.dernier_contact:
        libre = client.dernier_contact + timedelta(days=client.delai_entre_contacts)
        if au < libre:
            detail = f"dernier contact le {client.dernier_contact:%d/%m/%Y}"
            partants, tenues = trier_les_leves(partants, Motif.DELAI_CONTACT)
            freines += retenir(tenues, Motif.DELAI_CONTACT, detail, ouvre(libre))
    if not client.credits and not client.presumes:
        return partants, freines
    restants = []
    for devise in {d.echeance.devise for d in partants}:
        groupe = [d for d in partants if d.echeance.devise == devise]
        credit = credit_retient(client, devise, au=au, seuil=reglages.seuil_credit)
        if credit:
            groupe, tenues = trier_les_leves(groupe, Motif.CREDIT_NON_AFFECTE)
            detail = f"{credit} {devise} reçus et non affectés"
            if presume := client.presumes.get(devise):
                detail += f", dont {presume} {devise} à rapprocher sur le compte bancaire"
            freines += retenir(tenues, Motif.CREDIT_NON_AFFECTE, detail)
        restants += groupe
    return restants, freines


def sous_le_seuil_d_envoi(groupe: list[Decision], total: Decimal, plan: Plan) -> tuple[list[Decision], list[Decision]]:
    """(ce qui part malgré le seuil, ce qu'il retient) ; une seule pièce levée fait partir toute la lettre."""
    if total >= plan.seuil_envoi:
        return groupe, []
    libres, tenues = trier_les_leves(groupe, Motif.SEUIL_ENVOI)
    if libres:
        return [*libres, *tenues], []
    return [], retenir(groupe, Motif.SEUIL_ENVOI, f"moins de {plan.seuil_envoi}")
