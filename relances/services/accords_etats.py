"""Les états d'un accord : relire sous verrou, passer de l'un à l'autre une seule fois, laisser un maillon."""

from datetime import date

from django.utils import timezone

from clients.models import Client
from factures.models import Accord, Echeance
from recouvrement.commun.formats import somme
from recouvrement.journal.services import consigner
from relances.models import Tache


def cle_de_tache(accord: Accord, quoi: str = "") -> str:
    return f"accord:{accord.pk}:{quoi}"


def verrouiller_le_client(pk: int) -> Client:
    verrou = Client.objects.select_for_update(no_key=True, of=("self",)).select_related("societe", "gestionnaire")
    return verrou.get(pk=pk)


def relire(accord: Accord) -> Accord:
    """L'accord sous verrou, son client d'abord."""
    client = verrouiller_le_client(accord.client_id)
    verrou = Accord.objects.select_for_update(no_key=True, of=("self",)).select_related("echeancier__client__societe")
    accord = verrou.get(pk=accord.pk)
    accord.client = client
    return accord


def verrouiller_les_pieces(ids: list[int]) -> list[Echeance]:
    verrou = Echeance.objects.select_for_update(no_key=True, of=("self",)).select_related("facture")
    return list(verrou.filter(pk__in=ids).order_by("pk"))


def passer(accord: Accord, statut: str, *, de: tuple[str, ...], acteur, au: date | None, motif: str = "") -> bool:
    """Change le statut s'il est encore l'un de ceux-là, une seule fois ; conclu, ses tâches se ferment.

    au : jour de la conclusion ; None : il court de nouveau.
    """
    change = {"statut": statut, "motif": motif[:250], "conclu_le": au}
    if not Accord.objects.filter(pk=accord.pk, statut__in=de).update(**change, updated_at=timezone.now()):
        return False
    for nom, valeur in change.items():
        setattr(accord, nom, valeur)
    if statut not in (*Accord.EN_COURS, Accord.Statut.EXECUTE):
        ouvertes = Tache.objects.filter(client=accord.client_id, cle__startswith=cle_de_tache(accord), faite_le=None)
        ouvertes.update(faite_le=timezone.now(), faite_par=acteur, issue=str(accord.get_statut_display())[:200])
    noter(accord, statut, acteur=acteur, texte=motif)
    return True


def noter(accord: Accord, verbe: str, *, acteur, texte: str = "", **donnees) -> None:
    """Un maillon au journal : « accord.signe », avec sa référence et sa somme."""
    nom = f"{accord.reference}, {accord.get_genre_display().lower()}, {somme(accord.montant, accord.devise)}"
    consigner(
        f"accord.{verbe}", societe=accord.client.societe, acteur=acteur, objet=accord, client=accord.client_id,
        texte=f"{nom} : {texte}" if texte else nom, donnees=donnees,
    )  # fmt: skip
