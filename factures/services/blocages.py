"""Le drapeau « blocage commandes » : la règle le pose et le retire chaque jour, un responsable le lève, motif dit."""

from datetime import date, timedelta

from django.core.exceptions import ValidationError
from django.db import IntegrityError, transaction
from django.db.models import F, Max, Min, Sum
from django.utils.translation import gettext as _

from clients.domaine.blocage import Cause, Faits, Regle, causes
from clients.models import BlocageCommandes, Client
from recouvrement.commun.champs import ChampMontant
from recouvrement.commun.formats import somme
from recouvrement.comptes.models import Societe
from recouvrement.journal.services import consigner

from ..models import Avoir, Echeance, Encaissement, Litige

Motif = BlocageCommandes.Motif
LEVEE_MAX = timedelta(days=92)  # décision de maison : au-delà, la règle reprend la main
CAUSE_DISPARUE = "La cause a disparu."


def regle_de(societe: Societe) -> Regle:
    return Regle(societe.blocage_retard_jours, societe.blocage_plafond)


def faits(societe: Societe, *, au: date) -> dict[int, Faits]:
    """{client: faits} des clients qui ont un retard, un plafond ou un blocage ; sept requêtes au plus.

    Une pièce contestée ne bloque pas : le client attend une réponse. L'encours est net des crédits non affectés.
    """
    ouvertes = Echeance.objects.filter(societe=societe).ouvertes()
    contestees = Litige.objects.ouverts().values("echeance")
    anciennes = dict(
        ouvertes.echues(au)
        .exclude(pk__in=contestees)
        .order_by()
        .values("client")
        .annotate(a=Min("date_echeance"))
        .values_list("client", "a")
    )
    plafonds = dict(Client.objects.filter(societe=societe, plafond__isnull=False).values_list("pk", "plafond"))
    encours: dict[int, object] = {}
    if societe.blocage_plafond and plafonds:
        reste = Sum(F("montant") - F("impute"), output_field=ChampMontant())
        for modele, signe in ((Echeance, 1), (Encaissement, -1), (Avoir, -1)):
            ouverts = modele.objects.filter(
                societe=societe, devise="EUR", client__in=list(plafonds), impute__lt=F("montant")
            )
            for client, total in ouverts.order_by().values("client").annotate(r=reste).values_list("client", "r"):
                encours[client] = encours.get(client, 0) + signe * total
    levees = dict(
        BlocageCommandes.objects.filter(client__societe=societe, leve_jusqu_au__gte=au)
        .order_by()
        .values("client")
        .annotate(j=Max("leve_jusqu_au"))
        .values_list("client", "j")
    )
    bloques = BlocageCommandes.objects.en_cours().filter(client__societe=societe).values_list("client", flat=True)
    return {
        pk: Faits(anciennes.get(pk), encours.get(pk, 0), plafonds.get(pk), levees.get(pk))
        for pk in anciennes.keys() | plafonds.keys() | set(bloques)
    }


@transaction.atomic
def evaluer(societe: Societe, *, au: date) -> tuple[int, int]:
    """Pose et retire les blocages de la règle ; (posés, retirés). Rejouer le même jour ne change rien.

    Un blocage décidé par une personne ne se retire pas seul. Sans règle, rien n'est posé et ce que la règle avait
    posé se retire.
    """
    Societe.objects.select_for_update(no_key=True).get(pk=societe.pk)
    regle, constats = regle_de(societe), faits(societe, au=au)
    en_cours = {
        b.client_id: b
        for b in BlocageCommandes.objects.en_cours().filter(client__societe=societe).select_related("client__societe")
    }
    raisons = {pk: r for pk, f in constats.items() if (r := causes(f, regle, au=au))}
    poses = [pk for pk in raisons if pk not in en_cours]
    clients = Client.objects.select_related("societe").in_bulk(poses)
    for pk in poses:
        cause, mesure = next(iter(raisons[pk].items()))
        _poser(clients[pk], Motif(cause.value), detail=detail(cause, mesure), au=au, acteur=None)
    retires = [b for pk, b in en_cours.items() if b.motif != Motif.DECISION and pk not in raisons]
    for blocage in retires:
        _lever(blocage, motif=CAUSE_DISPARUE, jusqu_au=None, au=au, acteur=None)
    return len(poses), len(retires)


def detail(cause: Cause, mesure) -> str:
    if cause is Cause.RETARD:
        return f"{mesure} jours de retard"
    return f"{somme(mesure, 'EUR')} au-delà du plafond"


def _poser(client: Client, motif: str, *, detail: str, au: date, acteur) -> BlocageCommandes:
    blocage = BlocageCommandes.objects.create(
        client=client, motif=motif, detail=detail[:250], pose_le=au, auteur=acteur
    )
    consigner(
        "blocage.pose", societe=client.societe, acteur=acteur, objet=blocage, client=client,
        texte=f"{blocage.get_motif_display()} : {detail}", donnees={"motif": str(motif)},
    )  # fmt: skip
    return blocage


def _lever(blocage: BlocageCommandes, *, motif: str, jusqu_au: date | None, au: date, acteur) -> bool:
    libres = BlocageCommandes.objects.filter(pk=blocage.pk, leve_le=None)
    if not libres.update(leve_le=max(au, blocage.pose_le), leve_par=acteur, leve_motif=motif, leve_jusqu_au=jusqu_au):
        return False
    consigner(
        "blocage.leve", societe=blocage.client.societe, acteur=acteur, objet=blocage, client=blocage.client,
        texte=motif, donnees={"jusqu_au": jusqu_au},
    )  # fmt: skip
    return True


def bloquer(client: Client, *, motif: str, au: date, acteur) -> BlocageCommandes:
    """Une personne bloque les commandes. Déjà bloquées : rend le blocage en cours. Lève ValidationError sans motif."""
    motif = motif.strip()
    if not motif:
        raise ValidationError({"motif": _("Dites pourquoi : les commerciaux le liront.")})
    try:
        with transaction.atomic():
            return _poser(client, Motif.DECISION, detail=motif, au=au, acteur=acteur)
    except IntegrityError:
        deja = BlocageCommandes.objects.en_cours().filter(client=client).first()
        if deja is None:
            raise
        return deja


@transaction.atomic
def debloquer(blocage: BlocageCommandes, *, motif: str, jusqu_au: date, au: date, acteur) -> bool:
    """Lève le blocage jusqu'au jour dit ; faux s'il l'était déjà. Ensuite la règle juge de nouveau.

    Lève ValidationError : motif vide, jour passé ou à plus de trois mois.
    """
    motif = motif.strip()
    if not motif:
        raise ValidationError({"motif": _("Dites pourquoi : la levée se lit avec son motif.")})
    if not au <= jusqu_au <= au + LEVEE_MAX:
        raise ValidationError({"jusqu_au": _("Une levée tient trois mois au plus ; elle se renouvelle.")})
    return _lever(blocage, motif=motif[:250], jusqu_au=jusqu_au, au=au, acteur=acteur)
