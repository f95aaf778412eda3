"""À quel compte de la société appartient un relevé : retrouvé, créé, à confirmer ou refusé."""

from collections.abc import Iterator

from factures.domaine.banque_textes import cle_compte, compacter
from factures.models import CompteBancaire, Lot
from recouvrement.comptes.models import Societe

from ..ecriture import Contexte, Ecrits
from ..lot import LotLu, Rejet
from ..requetes import executer, lire
from ..traces import tracer_crees, tracer_modifies

# Personne n'est devant l'écran pour répondre : un compte inconnu attend d'être accepté.
SANS_PERSONNE = {Lot.Origine.DOSSIER, Lot.Origine.COURRIEL}
ACCEPTE = "accepte"
DISTINCTS = """
select compte, devise, max(iban), min(ligne) from (
  select compte, devise, iban, ligne from imp_releve
  union all select compte, devise, '', ligne from imp_mouvement where releve = ''
) c group by compte, devise order by min(ligne)
"""


def rattacher_comptes(contexte: Contexte, lu: LotLu, ecrits: Ecrits) -> Iterator[Rejet]:
    """Pose `compte_id` partout ; ce qui ne se rattache pas est rejeté et retiré des tables d'attente."""
    existants: dict[tuple[str, str], CompteBancaire] = {}
    for compte in CompteBancaire.objects.filter(societe=contexte.societe_id).order_by("pk"):
        for nom in (compte.identifiant, compte.iban):
            if nom:
                existants.setdefault((cle_compte(nom), compte.devise), compte)
    declare = cle_compte(Societe.objects.values_list("iban", flat=True).get(pk=contexte.societe_id) or "")
    connait = bool(declare) or any(c.actif for c in existants.values())
    acceptes, surveille = _accords(contexte, lu)
    neufs, rattaches, a_confirmer = [], [], []
    for identifiant, devise, iban, ligne in lire(DISTINCTS):
        cle = cle_compte(iban or identifiant)
        compte = existants.get((cle, devise))
        if compte is not None and not compte.actif:
            yield Rejet(ligne, "compte", f"Le compte {compte} est désactivé.", "Réactivez-le à l'écran Banque.")
            continue
        if compte is None:
            # Le compte d'une autre devise de la même société n'est pas un inconnu.
            familier = cle == declare or any(cle == nom for nom, _ in existants)
            if connait and not familier and cle not in acceptes:
                a_confirmer.append(identifiant)
                if surveille:
                    yield Rejet(
                        ligne, "compte", f"Le compte {identifiant} n'est pas l'un de ceux de la société.",
                        "Vérifiez que ce relevé est le sien, puis acceptez ce compte à l'aperçu.",
                    )  # fmt: skip
                    continue
                ecrits.avertissements.insert(
                    0,
                    f"ATTENTION, le compte {identifiant} n'est pas l'un de ceux de la société : vérifiez que ce relevé "
                    "est bien le sien.",
                )
            compte = CompteBancaire(
                societe_id=contexte.societe_id, identifiant=(iban or identifiant)[:60], iban=iban, devise=devise
            )
            existants[cle, devise] = compte
            neufs.append(compte)
        elif iban and not compte.iban:
            tracer_modifies(contexte.lot_id, CompteBancaire, [(compte.pk, {"iban": ""}, {"iban": iban})])
            compte.iban = iban
            compte.save(update_fields=["iban", "updated_at"])
        rattaches.append((identifiant, devise, compte))
    CompteBancaire.objects.bulk_create(neufs, batch_size=500)
    tracer_crees(contexte.lot_id, CompteBancaire, [compte.pk for compte in neufs])
    if a_confirmer:
        lu.faits["comptes_a_confirmer"] = a_confirmer
    lu.faits["comptes_nouveaux"] = [compte.identifiant for compte in neufs][:50]
    _poser(rattaches)


def _accords(contexte: Contexte, lu: LotLu) -> tuple[set[str], bool]:
    """(clés acceptées, faut-il refuser les autres) : hors ligne de commande, un inconnu attend un accord."""
    corrections = getattr(lu, "corrections", None)
    corrections = corrections if isinstance(corrections, dict) else {}
    surveille = bool(corrections.get("confirmer"))  # un dépôt à l'écran, dès l'aperçu
    if contexte.lot_id:
        lot = Lot.objects.only("origine", "corrections").get(pk=contexte.lot_id)
        corrections = lot.corrections or corrections
        surveille = surveille or lot.origine in SANS_PERSONNE | {Lot.Origine.ECRAN}
    comptes = corrections.get("comptes")
    acceptes = comptes.items() if isinstance(comptes, dict) else ()
    return {cle_compte(compacter(str(nom))) for nom, choix in acceptes if choix == ACCEPTE}, surveille


def _poser(rattaches: list[tuple[str, str, CompteBancaire]]) -> None:
    executer("drop table if exists imp_compte")
    executer("create temporary table imp_compte (compte varchar(60), devise varchar(3), compte_id bigint)")
    for debut in range(0, len(rattaches), 300):
        paquet = rattaches[debut : debut + 300]
        valeurs = [x for identifiant, devise, compte in paquet for x in (identifiant, devise, compte.pk)]
        executer(f"insert into imp_compte values {', '.join(['(%s, %s, %s)'] * len(paquet))}", valeurs)  # noqa: S608
    for table in ("imp_releve", "imp_mouvement"):
        executer(
            f"update {table} set compte_id = (select c.compte_id from imp_compte c "  # noqa: S608 (noms fermés)
            f"where c.compte = {table}.compte and c.devise = {table}.devise)"
        )
        executer(f"delete from {table} where compte_id is null")  # noqa: S608
    executer("drop table imp_compte")
