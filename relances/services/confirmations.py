"""Une promesse notée se confirme par écrit, et se défait avec sa confirmation (exigence 31, décision 31)."""

from collections.abc import Iterable, Mapping
from datetime import date
from decimal import Decimal

from django.db import transaction
from django.utils.translation import gettext as _
from django.utils.translation import override

from clients.models import Client, RoleContact
from clients.services import ConflitEdition
from factures.compte import credits_ouverts, pieces_ouvertes
from factures.models import Echeance, Promesse
from factures.services import annuler_promesse, promettre
from factures.services.procedures import posterieures
from recouvrement.commun import formats
from relances.models import Message
from relances.rendu import contexte as c
from relances.rendu import courriels, suites
from relances.rendu.filtres import Somme
from relances.rendu.qr import reference_sepa

from .jointes import Destination, destination
from .messages import annuler_message, ecrire
from .preparation import destinataire, emetteur

ZERO = Decimal("0.00")


def a_qui(client: Client) -> Destination:
    """La comptabilité du client, sinon qui reçoit les relances, sinon le compte ; adresse vide : personne."""
    return destination(client, RoleContact.COMPTABILITE)


def texte_de_suite(client: Client, suite: str, *, reference: str, au: date, **variables: Mapping | tuple):
    """Objet et texte d'un courriel de suite, dans la langue du client, avec sa page si elle est ouverte."""
    gestionnaire = client.gestionnaire
    return suites.rendre(
        suite,
        emetteur=emetteur(client.societe),
        destinataire=destinataire(client),
        gestionnaire=c.Gestionnaire(
            nom=gestionnaire.nom if gestionnaire else client.societe.signataire_nom,
            telephone=(gestionnaire and gestionnaire.telephone) or client.societe.telephone,
            courriel=gestionnaire.courriel if gestionnaire else client.societe.courriel,
        ),
        reference=reference_sepa(client.code, reference),
        lien=_page(client, au),
        **variables,
    )


def _page(client: Client, au: date) -> str:
    """L'adresse de la page du client ; vide tant qu'elle n'est pas ouverte."""
    from .liens import adresse_de_page

    return adresse_de_page(client, au=au)


@transaction.atomic
def promettre_et_confirmer(
    client: Client,
    echeances: Iterable[Echeance],
    *,
    montant: Decimal,
    date_promise: date,
    moyen: str,
    au: date,
    acteur,
    confirmer: bool = True,
    vue: int | None = None,
) -> tuple[Promesse, Message | None]:
    """Note la promesse et écrit sa confirmation ; (promesse, message), sans message si personne n'est joignable.

    vue : la promesse la plus récente du client quand le formulaire s'est ouvert. Une autre, notée depuis sur ces
    pièces, lève ConflitEdition sans rien écrire. Lève ValidationError comme `promettre`.
    """
    client = Client.objects.select_for_update(no_key=True, of=("self",)).get(pk=client.pk)
    echeances = list(echeances)
    if vue is not None:
        _verifier(client, echeances, montant, date_promise, vue)
    anciennes = set(client.promesses.en_attente().filter(echeances__in=echeances).values_list("pk", flat=True))
    promesse = promettre(
        client, echeances, montant=montant, date_promise=date_promise, moyen=moyen, au=au, acteur=acteur
    )
    for pk in anciennes - {promesse.pk}:  # remplacée avant que sa confirmation parte : une seule suffit
        _raviser(pk, acteur=acteur)
    return promesse, confirmer_promesse(promesse, au=au, acteur=acteur) if confirmer else None


def _verifier(client: Client, echeances: list[Echeance], montant: Decimal, date_promise: date, vue: int) -> None:
    recentes = client.promesses.en_attente().filter(pk__gt=vue, echeances__in=echeances).select_related("auteur")
    autres = [p for p in recentes.distinct() if (p.montant, p.date_promise) != (montant, date_promise)]
    if autres:
        derniere = autres[-1]
        dite = _("promesse de %(montant)s pour le %(jour)s") % {
            "montant": formats.nombre(derniere.montant, 2), "jour": formats.jour(derniere.date_promise),
        }  # fmt: skip
        raise ConflitEdition(version=derniere.pk, par=str(derniere.auteur or ""), champs=[dite])


def confirmer_promesse(promesse: Promesse, *, au: date, acteur) -> Message | None:
    """Écrit la confirmation, une fois par promesse ; None si aucune adresse n'est utilisable, ou s'il faut se taire.

    Ni procédure collective (C. com., L622-7 et L622-21), ni surendettement (C. consom., L722-5) : la créance
    antérieure ne se paie plus, et un écrit qui en attend le règlement la réclame.
    """
    client = promesse.client
    if _se_taire(promesse):
        return None
    vers = a_qui(client)
    if not vers.adresse:
        return None
    courriel = rediger_promesse(promesse, au=au)
    return ecrire(
        client, genre=Message.Genre.PROMESSE, cle=f"promesse:{promesse.pk}", destinataire=vers.adresse,
        objet=courriel.objet, texte=courriel.texte, acteur=acteur, promesse=promesse,
    )  # fmt: skip


def _se_taire(promesse: Promesse) -> bool:
    """Créance d'avant le jugement, ou surendettement ; née depuis, elle se paie (C. com., L622-17)."""
    client, ids = promesse.client, set(promesse.echeances.values_list("pk", flat=True))
    return client.surendettement or bool(client.jugement_ouverture_le and not ids <= posterieures(ids))


def rediger_promesse(promesse: Promesse, *, au: date) -> courriels.Courriel:
    """Montant, date, moyen, factures : ce que le client a dit, rien de plus."""
    client = promesse.client
    pieces = list(promesse.echeances.select_related("facture").order_by("date_echeance", "pk"))
    devise = pieces[0].devise
    numeros = list(dict.fromkeys(e.facture.numero for e in pieces))
    with override(client.langue):
        moyen = promesse.get_moyen_display().lower()
    return texte_de_suite(
        client,
        "promesse",
        reference=numeros[0] if len(numeros) == 1 else f"P{promesse.pk}",
        au=au,
        promesse={
            "montant": Somme(promesse.montant, devise),
            "date": promesse.date_promise,
            "recue_le": promesse.faite_le,
            "moyen": moyen,
            "factures": ", ".join(numeros),
            "nombre": len(numeros),
            "reste_apres": Somme(_reste_apres(promesse, pieces, devise, au), devise),
        },
    )


def _reste_apres(promesse: Promesse, pieces: list[Echeance], devise: str, au: date) -> Decimal:
    """Ce qui resterait réclamé après le promis : ni part contestée, ni ce que des crédits reçus couvrent déjà."""
    promises = {e.pk for e in pieces}
    ouvertes = [e for e in pieces_ouvertes(promesse.client) if e.devise == devise]
    du = sum((e.reclame for e in ouvertes if e.pk in promises or e.date_echeance < au), ZERO)
    credits = sum((x.reste for x in credits_ouverts(promesse.client) if x.devise == devise), ZERO)
    return max(du - credits - promesse.montant, ZERO)


@transaction.atomic
def defaire_promesse(promesse: Promesse, *, au: date, acteur) -> tuple[bool, str]:
    """Annule la promesse et sa confirmation : (promesse annulée, « annulee », « partie » ou "" sans confirmation)."""
    if not annuler_promesse(promesse, au=au, acteur=acteur):
        return False, ""
    return True, _raviser(promesse.pk, acteur=acteur)


def _raviser(promesse: int, *, acteur) -> str:
    """Le sort de la confirmation de cette promesse : annulée si elle attendait, sinon déjà partie."""
    messages = list(
        Message.objects.filter(promesse=promesse).exclude(statut=Message.Statut.ANNULE).select_related("societe")
    )
    if not messages:
        return ""
    return "annulee" if all([annuler_message(m, acteur=acteur) for m in messages]) else "partie"


def dire(message: Message | None, *, demandee: bool, promesse: Promesse | None = None) -> str:
    """Phrase du toast : à qui la confirmation part, ou pourquoi elle ne part pas."""
    if message is not None:
        return _("Confirmation écrite à %(adresse)s : elle part dans dix secondes.") % {"adresse": message.destinataire}
    if demandee and promesse is not None and _se_taire(promesse):
        return _("Procédure collective ou surendettement : elle n'est pas confirmée par écrit.")
    return _("Aucune adresse utilisable : elle n'est pas confirmée par écrit.") if demandee else ""
