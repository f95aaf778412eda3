"""Le centre de l'écran des encaissements : propositions, montants par pièce, écart, et de quoi défaire."""

from django.urls import reverse

from clients.models import Client
from factures.balance import balance_agee
from factures.forms import AffectationForm
from factures.models import Avoir, Echeance, Encaissement
from factures.propositions import AUCUNE, DESIGNEE, proposer
from factures.services import AccessoiresDus, accessoires_dus
from recouvrement.commun.horloge import aujourd_hui
from recouvrement.commun.vues import entier, parametres
from recouvrement.comptes.droits import Droit, peut
from relances.services.dues import mises_en_demeure

MODELES = {"encaissement": Encaissement, "avoir": Avoir}
PIECES_MAX = 100  # les plus anciennes d'abord ; au-delà, l'affectation se fait en plusieurs fois


def source_visible(request, cle: str) -> Encaissement | Avoir | None:
    """« encaissement-12 » ou « avoir-3 » de l'adresse, si la personne le voit."""
    genre, _tiret, pk = cle.partition("-")
    if genre not in MODELES or not pk.isdecimal() or len(pk) > 18:
        return None
    visibles = MODELES[genre].objects.visibles_pour(request.user)
    return visibles.select_related("client__gestionnaire", "societe").filter(pk=int(pk)).first()


def pieces_ouvertes(source) -> list[Echeance]:
    pieces = Echeance.objects.ouvertes().filter(
        societe=source.societe_id, client=source.client_id, devise=source.devise
    )
    return list(pieces.select_related("facture").order_by("date_echeance", "pk")[:PIECES_MAX])


def accessoires_de(source) -> list[AccessoiresDus]:
    """Ce que ce règlement peut payer d'intérêts et d'indemnité, au jour où il est reçu ; rien pour un avoir."""
    if not isinstance(source, Encaissement) or source.montant == source.impute:
        return []
    return accessoires_dus(
        source, mises_en_demeure=lambda echeances: mises_en_demeure(source.client, echeances, au=source.date)
    )


def _verses(dus: list[AccessoiresDus], reste, factures: set[int]) -> dict:
    """{facture: montant} proposé : ce qui dépasse le principal, s'il tient dans les accessoires de ces factures."""
    siens = [a for a in dus if a.facture.pk in factures]
    if not 0 < reste <= sum(a.montant for a in siens):
        return {}
    verses = {}
    for a in siens:
        verses[a.facture.pk] = min(reste, a.montant)
        reste -= verses[a.facture.pk]
    return {pk: montant for pk, montant in verses.items() if montant}


def contexte_affectation(request, source, form: AffectationForm | None = None) -> dict:
    """Le centre et la droite de l'écran pour ce mouvement. `form` : une saisie refusée, à remontrer."""
    au = aujourd_hui()
    jour = source.date if isinstance(source, Encaissement) else source.date_emission
    genre = source._meta.model_name
    reste = source.montant - source.impute
    echeances = pieces_ouvertes(source) if reste else []
    texte = f"{source.reference} {source.libelle}" if genre == "encaissement" else source.numero
    designees = [pk for lu in request.GET.getlist("d")[:PIECES_MAX] if (pk := entier(lu)) is not None]
    propositions = proposer(reste, texte, echeances, au=jour, designees=designees)
    demandee = request.GET.get("p", "")
    choisie = next((p for p in propositions if p.cle == demandee), propositions[0] if propositions else None)
    if demandee == AUCUNE:
        choisie = None
    if form is None:
        dus = accessoires_de(source)
        parts = choisie.parts if choisie else {}
        payees = {e.facture_id for e in echeances if e.pk in parts}
        if genre == "encaissement" and demandee != AUCUNE:
            payees |= set(source.imputations.values_list("echeance__facture", flat=True))
        designe = designees if choisie and choisie.cle == DESIGNEE else []
        form = AffectationForm(
            source=source, echeances=echeances, parts=parts, designees=designe, accessoires=dus,
            verses=_verses(dus, reste - sum(parts.values()), payees),
        )  # fmt: skip
    for e in form.echeances:
        e.pourquoi = choisie.motifs.get(e.pk, "") if choisie else ""
    peut_agir = peut(request.user, Droit.AGIR, source.societe_id)
    ligne = next(iter(balance_agee(Client.objects.filter(pk=source.client_id), au=au, devise=source.devise)), None)
    return {
        "source": source,
        "genre": genre,
        "jour": jour,
        "au": au,
        "reste": reste,
        "form": form,
        "ecart": ecart_de(form),
        # Dès que le règlement dépasse le principal échu, ou qu'une saisie en parle.
        "accessoires_ouverts": any(champ.value() for _a, champ in form.lignes_accessoires)
        or reste > sum(e.reste_du for e in echeances if e.date_echeance < jour),
        "propositions": [
            (p, parametres(request, v=f"{genre}-{source.pk}", p=p.cle), p is choisie) for p in propositions
        ],
        "url_garder": parametres(request, v=f"{genre}-{source.pk}", p=AUCUNE),
        "garde": demandee == AUCUNE,
        "designees": designees,
        "cle_source": f"{genre}-{source.pk}",
        "url_sans_choix": parametres(request, v=f"{genre}-{source.pk}", d=None, p=None),
        "affectations": _affectations(source),
        "ligne": ligne,
        "peut_affecter": bool(reste) and peut_agir,
        "peut_defaire": peut_agir,
        "url_affecter": reverse("factures:affecter", args=[genre, source.pk]),
        "url_ecart": reverse("factures:ecart", args=[genre, source.pk]),
        "tronquee": len(echeances) == PIECES_MAX,
    }


def ecart_de(form: AffectationForm) -> dict:
    """Total affecté et ce qui resterait à imputer (négatif : trop affecté)."""
    total = form.total
    return {"total": total, "reste": form.reste - total, "devise": form.source.devise}


def _affectations(source) -> list[dict]:
    """Ce qui est déjà posé, et l'adresse pour le défaire s'il vient d'une saisie."""
    genre = source._meta.model_name
    lignes = []
    for i in source.imputations.select_related("echeance__facture").order_by("date", "pk"):
        origine, _deux_points, suite = i.cle_source.partition(":")
        cle = suite.rpartition(":")[0] if origine == "saisie" else ""
        url = reverse("factures:desaffecter", args=[genre, source.pk, cle]) if cle else ""
        lignes.append({"imputation": i, "facture": i.echeance.facture, "accessoires": False, "url": url})
    versees = source.accessoires.select_related("facture").order_by("date", "pk") if genre == "encaissement" else ()
    for a in versees:
        cle = a.cle_source.removeprefix("saisie:").rpartition(":")[0]
        url = reverse("factures:desaffecter", args=[genre, source.pk, cle])
        lignes.append({"imputation": a, "facture": a.facture, "accessoires": True, "url": url})
    return lignes
