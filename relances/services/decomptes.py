"""Le décompte d'un client prêt à montrer ou à imprimer : échéances choisies, mises en demeure lues, PDF opposable."""

from collections.abc import Iterable
from dataclasses import replace
from datetime import date

from django.utils.translation import gettext as _

from clients.models import Client
from factures import decompte
from factures.models import Facture
from factures.services import bareme as bareme_en_base
from relances.rendu import contexte as c
from relances.rendu import lettres

from .dues import dues_du_decompte, mises_en_demeure, notes, sources, taux_du_client
from .preparation import destinataire, emetteur
from .reserves import reserver


class DecompteRefuse(ValueError):
    """Rien ne se chiffre : taux à relever, débiteur à qualifier, ou rien d'échu."""


def etablir(
    client: Client,
    *,
    au: date,
    factures: Iterable[int] | None = None,
    reglees: bool = False,
    avec_credits: bool = True,
) -> list[decompte.Decompte]:
    """Un décompte par devise, arrêté au jour `au` : de ces factures, ou de tout ce que le client devait ce jour-là.

    reglees : sans choix de factures, ajoute celles réglées au principal dont des accessoires restent dus
    (droit.md § 17). avec_credits : lit les avoirs et règlements non affectés du compte, déduits du compte entier,
    seulement signalés pour des factures choisies : un crédit serait déduit de chacune.
    Le nombre de requêtes ne dépend pas du nombre de factures.
    """
    if factures is not None or reglees:
        echeances = decompte.echeances_echues(au=au, client=client, factures=factures)
    else:
        echeances = decompte.ouvertes_au(client, au=au)
    tous = decompte.etablir(
        client,
        au=au,
        bareme=bareme_en_base(),
        echeances=echeances,
        mises_en_demeure=mises_en_demeure(client, echeances, au=au),
        avec_credits=avec_credits,
        selection=factures is not None,
    )
    if factures is None:
        tous = [
            replace(d, lignes=tuple(x for x in d.lignes if x.reste or x.conteste or (reglees and x.due))) for d in tous
        ]
    return [reserver(d) for d in tous if d.lignes]


def reglees_au_principal(d: decompte.Decompte) -> list[decompte.Ligne]:
    """Échéances dont le principal est éteint en compte, mais non les accessoires."""
    return [x for x in d.lignes if x.calcul and x.calcul.total and not x.reste and not x.conteste]


def document(d: decompte.Decompte, *, le: date, reference: str = "") -> c.Decompte:
    """Le décompte à imprimer. Lève DecompteRefuse : incalculable, ou clause basse sans choix."""
    if not d.calculable:
        raise DecompteRefuse(d.refus)
    if d.a_choisir:
        raise DecompteRefuse(
            _("Clause sous le minimum légal : choisissez d'abord le taux qui la remplace, le document l'imprime.")
        )
    client, dues = d.client, dues_du_decompte(d)
    suivi, societe = client.gestionnaire, client.societe
    return c.Decompte(
        emetteur=emetteur(societe),
        destinataire=destinataire(client),
        reference=reference or f"DEC-{client.code}-{d.au:%Y%m%d}",
        date=le,
        arrete_au=d.au,
        lignes=dues.lignes,
        gestionnaire=c.Gestionnaire(
            nom=suivi.nom if suivi else societe.signataire_nom,
            telephone=(suivi and suivi.telephone) or societe.telephone,
            courriel=suivi.courriel if suivi else societe.courriel,
        ),
        credits=tuple(
            c.Credit(genre=x.genre, reference=x.reference, date=x.date, montant=x.montant, devise=x.devise)
            for x in d.credits
        ),
        taux=taux_du_client(client, dues, langue="fr"),
        devise=d.devise,
        sources=sources(d),
        notes=notes(d),
    )


def rendre_pdf(d: decompte.Decompte, *, le: date) -> bytes:
    """PDF du décompte. Lève DecompteRefuse, ou PdfIndisponible sans moteur."""
    return lettres.rendre_decompte_pdf(document(d, le=le))


def factures_du_meme_client(numeros: Iterable[str], *, societe) -> list[Facture]:
    """Factures de ces numéros. Lève DecompteRefuse : numéro inconnu, équivoque, ou clients différents."""
    numeros = list(dict.fromkeys(numeros))
    trouvees = list(
        Facture.objects.filter(societe=societe, numero__in=numeros).select_related(
            "client__societe", "client__gestionnaire"
        )
    )
    connus = [f.numero for f in trouvees]
    if inconnus := [n for n in numeros if n not in connus]:
        raise DecompteRefuse(_("facture inconnue : %(numeros)s") % {"numeros": ", ".join(inconnus)})
    if len(connus) > len(numeros):
        raise DecompteRefuse(_("plusieurs pièces portent ce libellé : choisissez-les à l'écran"))
    if len({f.client_id for f in trouvees}) > 1:
        raise DecompteRefuse(_("un décompte oppose un créancier à un débiteur : ces factures sont à plusieurs clients"))
    return trouvees
