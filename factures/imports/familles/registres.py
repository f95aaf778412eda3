"""Annonces BODACC et fichiers SIRENE : des objets lus à la base.

Une annonce se garde toujours, client ou non. Un jugement d'ouverture arrête tous les comptes de son SIREN à l'instant
et date la déclaration ; tout le reste se dit. Une fiche SIRENE ne fait que proposer (`clients.corrections`).
"""

from collections.abc import Iterator
from datetime import date
from itertools import chain, islice

from django.utils.translation import gettext as _
from django.utils.translation import ngettext

from clients.corrections import Fiche, proposer
from clients.domaine.registres import Portee
from clients.models import AnnonceBodacc, Client, CorrectionProposee
from clients.procedures import noter_jugements
from factures.signaux import jugements_publies
from recouvrement.commun.formats import jour as ecrire_jour
from recouvrement.comptes.models import Societe

from ..bodacc import portee_de
from ..ecriture import Contexte, Ecrits
from ..lot import AnnonceLue, EntrepriseLue, LotLu, Rejet
from ..traces import tracer_crees, tracer_modifies, tracer_supprimes

PAQUET = 1_000
MONTRES = 20


def ecrire(contexte: Contexte, lu: LotLu, ecrits: Ecrits) -> Iterator[Rejet]:
    """Consomme annonces et entreprises ; rien ne se rejette ici, la lecture l'a fait."""
    societe = Societe.objects.get(pk=contexte.societe_id)
    flux = iter(lu.elements)
    premier = next(flux, None)
    elements = chain([premier], flux) if premier is not None else iter(())
    if isinstance(premier, EntrepriseLue):
        _ecrire_entreprises(contexte, societe, elements, ecrits)
    elif premier is not None:
        yield from _ecrire_annonces(contexte, societe, elements, ecrits)


def _ecrire_entreprises(contexte: Contexte, societe: Societe, elements, ecrits: Ecrits) -> None:
    fiches = (
        Fiche(e.siren, e.siret, e.active, e.fermee_le, e.valeurs, e.siege)
        for e in elements
        if isinstance(e, EntrepriseLue)
    )
    bilan = proposer(societe, fiches, origine="SIRENE", lot_id=contexte.lot_id)
    tracer_crees(contexte.lot_id, CorrectionProposee, bilan.proposees)
    tracer_supprimes(contexte.lot_id, bilan.remplacees)
    ecrits.crees["corrections"], ecrits.inchanges["corrections"] = len(bilan.proposees), bilan.deja
    if not bilan.clients:
        ecrits.avertissements.append(_("Aucune de ces entreprises n'est un client : rien à proposer."))
    elif bilan.proposees:
        ecrits.avertissements.append(
            ngettext(
                "%(n)s correction proposée : acceptez ou refusez-la dans Clients, corrections proposées.",
                "%(n)s corrections proposées : acceptez ou refusez-les dans Clients, corrections proposées.",
                len(bilan.proposees),
            )
            % {"n": len(bilan.proposees)}
        )


# --- Annonces --------------------------------------------------------------------------------


def _ecrire_annonces(contexte: Contexte, societe: Societe, elements, ecrits: Ecrits) -> Iterator[Rejet]:
    ecrits.crees["annonces"] = ecrits.inchanges["annonces"] = 0
    sirens = set(Client.objects.filter(societe=societe).exclude(siren="").values_list("siren", flat=True))
    sans_client = 0
    ouvertures: list[AnnonceLue] = []
    autres: list[tuple[Portee, AnnonceLue]] = []
    while paquet := list(islice(elements, PAQUET)):
        for annonce in _garder(contexte, societe, paquet, ecrits):
            if annonce.siren not in sirens:
                sans_client += 1
                continue
            quoi = portee_de(annonce)
            if quoi is not Portee.OUVERTURE:
                autres.append((quoi, annonce))
            elif annonce.jugement_le is None:
                yield Rejet(
                    annonce.ligne, "jugement",
                    f"L'annonce {annonce.identifiant} ouvre une procédure sans dire le jour du jugement.",
                    "Lisez l'annonce et notez le jugement sur la fiche du client.",
                )  # fmt: skip
            elif annonce.jugement_le > contexte.au or (annonce.parution_le or annonce.jugement_le) > contexte.au:
                yield Rejet(
                    annonce.ligne, "jugement", f"L'annonce {annonce.identifiant} est datée d'un jour à venir.",
                    "Vérifiez le fichier, ou la date de cette machine.",
                )  # fmt: skip
            else:
                ouvertures.append(annonce)
    _arreter(contexte, societe, ouvertures, ecrits)
    _dire(autres, sans_client, ecrits)


def _garder(contexte: Contexte, societe: Societe, paquet: list[AnnonceLue], ecrits: Ecrits) -> list[AnnonceLue]:
    """Écrit les annonces nouvelles et les rend ; une annonce déjà gardée ne refait rien."""
    deja = set(
        AnnonceBodacc.objects.filter(societe=societe, identifiant__in={a.identifiant for a in paquet}).values_list(
            "identifiant", "siren"
        )
    )
    neuves = {(a.identifiant, a.siren): a for a in paquet if (a.identifiant, a.siren) not in deja}
    ecrits.inchanges["annonces"] += len(paquet) - len(neuves)
    creees = AnnonceBodacc.objects.bulk_create(
        [
            AnnonceBodacc(
                societe=societe, identifiant=a.identifiant, siren=a.siren, famille=a.famille, nature=a.nature,
                nom=a.nom, tribunal=a.tribunal, jugement_le=a.jugement_le, parution_le=a.parution_le,
                texte=a.texte | {"portee": str(portee_de(a))}, lot=contexte.lot_id,
            )
            for a in neuves.values()
        ],
        batch_size=500,
    )  # fmt: skip
    ecrits.crees["annonces"] += len(creees)
    tracer_crees(contexte.lot_id, AnnonceBodacc, [a.pk for a in creees])
    return list(neuves.values())


def _annulees(societe: Societe, sirens) -> dict[str, date]:
    """{SIREN: parution de la dernière annulation gardée}, ce fichier compris."""
    annulations = AnnonceBodacc.objects.filter(
        societe=societe, siren__in=sirens, texte__portee=str(Portee.ANNULATION), parution_le__isnull=False
    )
    return dict(annulations.order_by("parution_le").values_list("siren", "parution_le"))


def _arreter(contexte: Contexte, societe: Societe, ouvertures: list[AnnonceLue], ecrits: Ecrits) -> None:
    """Le dernier jugement publié de chaque débiteur arrête ses comptes, sauf annulé depuis."""
    dernieres: dict[str, AnnonceLue] = {}
    for annonce in sorted(ouvertures, key=lambda a: (a.jugement_le, -(a.parution_le or a.jugement_le).toordinal())):
        dernieres[annonce.siren] = annonce  # d'un même jugement, la première parution fait courir le délai
    if not dernieres:
        return
    annulees = _annulees(societe, list(dernieres))
    for siren, le in annulees.items():
        if siren in dernieres and (dernieres[siren].parution_le or dernieres[siren].jugement_le) <= le:
            annonce = dernieres.pop(siren)
            ecrits.avertissements.append(
                _("%(nom)s (%(siren)s) : jugement du %(jour)s annulé ou infirmé depuis ; rien n'est arrêté.")
                % {"nom": annonce.nom or siren, "siren": siren, "jour": ecrire_jour(annonce.jugement_le)}
            )
    bilan = noter_jugements(societe, {s: a.jugement_le for s, a in dernieres.items()}, acteur=ecrits.acteur)
    tracer_modifies(
        contexte.lot_id,
        Client,
        (
            (
                c.pk,
                {
                    "jugement_ouverture_le": _iso(bilan.avant[c.pk][0]),
                    "procedure_cloturee_le": _iso(bilan.avant[c.pk][1]),
                    "procedure_issue": bilan.avant[c.pk][2],
                },
                {
                    "jugement_ouverture_le": _iso(c.jugement_ouverture_le),
                    "procedure_cloturee_le": None,
                    "procedure_issue": "",
                },
            )
            for c in bilan.arretes
        ),
    )
    jugements_publies.send(
        sender=None,
        comptes=[(c, c.jugement_ouverture_le, dernieres[c.siren].parution_le) for c in (*bilan.arretes, *bilan.deja)],
        nouveaux={c.pk for c in bilan.arretes},
        au=contexte.au,
        acteur=ecrits.acteur,
    )
    if bilan.arretes:
        ecrits.avertissements.append(
            ngettext(
                "%(n)s compte arrêté par un jugement d'ouverture : créance à déclarer (%(noms)s).",
                "%(n)s comptes arrêtés par un jugement d'ouverture : créances à déclarer (%(noms)s).",
                len(bilan.arretes),
            )
            % {"n": len(bilan.arretes), "noms": ", ".join(str(c) for c in bilan.arretes[:MONTRES])}
        )
    for compte in bilan.divergents[:MONTRES]:
        ecrits.avertissements.append(
            _(
                "%(client)s porte déjà le jugement du %(connu)s ; l'annonce %(annonce)s dit le %(dit)s. "
                "Rien n'est remplacé : une personne tranche."
            )
            % {
                "client": compte,
                "connu": ecrire_jour(compte.jugement_ouverture_le),
                "annonce": dernieres[compte.siren].identifiant,
                "dit": ecrire_jour(dernieres[compte.siren].jugement_le),
            }
        )


def _iso(jour: date | None) -> str | None:
    return jour and jour.isoformat()


def _dire(autres: list[tuple[Portee, AnnonceLue]], sans_client: int, ecrits: Ecrits) -> None:
    """Ce qui n'arrête rien et se lit : clôtures, plans, conversions, annulations, appels."""
    for quoi, annonce in autres[:MONTRES]:
        ecrits.avertissements.append(
            _("%(nom)s (%(siren)s) : %(nature)s. Rien n'est changé : à lire dans Clients, annonces BODACC.")
            % {
                "nom": annonce.nom or annonce.siren,
                "siren": annonce.siren,
                "nature": annonce.nature or annonce.famille or quoi,
            }
        )
    if len(autres) > MONTRES:
        ecrits.avertissements.append(_("Et %(n)s autres annonces à lire.") % {"n": len(autres) - MONTRES})
    if sans_client:
        ecrits.avertissements.append(
            ngettext("%(n)s annonce sans client, gardée.", "%(n)s annonces sans client, gardées.", sans_client)
            % {"n": sans_client}
        )
