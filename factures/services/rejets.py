"""Un prélèvement, un chèque ou un effet revenu impayé : la dette n'a jamais été éteinte, ses pièces se rouvrent.

Le paiement rejeté garde sa ligne, datée de son rejet ; rien n'en est plus disponible (`impute` y vaut tout le
montant) et aucune imputation n'en reste : il n'éteint rien, à aucune date (docs/decisions/0022-rapprochement.md).
"""

from collections import defaultdict
from datetime import date, timedelta
from decimal import Decimal

from django.core.exceptions import ValidationError
from django.db import transaction
from django.db.models import Q
from django.utils import timezone
from django.utils.translation import gettext as _

from recouvrement.commun.formats import jour as ecrire_jour
from recouvrement.commun.formats import somme
from recouvrement.journal.services import consigner

from ..domaine import rapprochement_texte as lecture
from ..models import AffectationAccessoires, Avoir, Echeance, Encaissement, Imputation, MouvementBancaire
from ..models.grand_livre import Mode
from ..signaux import encaissement_rejete
from .echeanciers import rouvrir_echeanciers
from .litiges import rouvrir_litiges
from .promesses import rejuger_promesses

DELAI = timedelta(days=396)  # un prélèvement non autorisé se conteste treize mois (CMF, art. L133-24)
ECRITURE_AVANT, ECRITURE_APRES = timedelta(days=10), timedelta(days=45)  # du rejet à son écriture comptable
FRAIS_MAX = Decimal("30.00")  # que la banque ajoute au débit d'un impayé
MODES = (Mode.PRELEVEMENT, Mode.CHEQUE, Mode.EFFET, Mode.AUTRE, Mode.VIREMENT, Mode.CARTE)


def origines_possibles(societe_id: int, debits: list[MouvementBancaire]) -> dict[int, list[tuple]]:
    """{mouvement: [(client, confiance, parts, raisons)]} : l'encaissement que chaque débit reprend. Une requête.

    Montant égal (ou moins les frais de rejet), treize mois au plus ; la référence, puis le nom, départagent.
    """
    if not debits:
        return {}
    recus = Encaissement.objects.filter(
        societe=societe_id, rejete_le=None, rejets=None, date__gte=min(m.date for m in debits) - DELAI,
        date__lte=max(m.date for m in debits),
    ).select_related("client", "mouvement")  # fmt: skip
    par_somme: dict[tuple[str, Decimal], list[Encaissement]] = defaultdict(list)
    for e in recus.order_by("-date", "-pk"):
        par_somme[e.devise, e.montant].append(e)
    sommes = sorted({montant for _devise, montant in par_somme})
    trouves = {}
    for m in debits:
        du = -m.montant
        proches = list(par_somme.get((m.devise, du), ()))
        if not proches:
            proches = [
                e for s in sommes if du - FRAIS_MAX <= s < du for e in par_somme.get((m.devise, s), ())
                if _cite(m, e)
            ]  # fmt: skip
        proches = [e for e in proches if m.date - DELAI <= e.date <= m.date]
        if proches:
            trouves[m.pk] = _noter(m, proches)
    return trouves


def _texte(m: MouvementBancaire) -> str:
    return "".join(lecture.fragments(f"{m.reference} {m.libelle}"))


def _cite(m: MouvementBancaire, e: Encaissement) -> bool:
    """La même référence de bout en bout, ou la référence de l'encaissement dans le libellé du rejet."""
    siennes = [e.reference, e.mouvement.reference if e.mouvement else ""]
    serre = _texte(m)
    return any(len(cle) >= 5 and cle in serre for r in siennes if (cle := "".join(lecture.fragments(r))))


def _noter(m: MouvementBancaire, proches: list[Encaissement]) -> list[tuple]:
    mots = set(lecture.mots_du_nom(f"{m.contrepartie} {m.libelle}"))
    notes = []
    for e in proches:
        cite, nom = _cite(m, e), set(lecture.mots_du_nom(e.client.raison_sociale))
        iban = bool(m.contrepartie_iban and e.mouvement and e.mouvement.contrepartie_iban == m.contrepartie_iban)
        nomme = bool(nom) and len(nom & mots) * 2 >= len(nom)
        poids = 1 + 40 * cite + 12 * nomme + 12 * iban + 2 * (e.mode in (Mode.PRELEVEMENT, Mode.CHEQUE, Mode.EFFET))
        notes.append((poids, cite, nomme or iban, e))
    notes.sort(key=lambda n: (-n[0], m.date - n[3].date))
    total = sum(n[0] for n in notes)
    proposees = []
    for poids, cite, nomme, e in notes[:3]:
        base = 0.98 if cite else 0.93 if nomme else 0.7
        raisons = [{"code": "rejet_montant", "reference": e.reference, "date": e.date.isoformat()}]
        raisons += [{"code": "rejet_reference"}] if cite else []
        raisons += [{"code": "rejet_nom"}] if nomme else []
        frais = -m.montant - e.montant
        if frais:
            raisons.append({"code": "rejet_frais", "frais": int(frais.scaleb(2))})
        proposees.append((e.client_id, int(100 * base * poids / total), {"rejet": e.pk}, raisons))
    return proposees


@transaction.atomic
def rejeter_encaissement(
    encaissement: Encaissement, *, motif: str, le: date, au: date, acteur, mouvement: MouvementBancaire | None = None
) -> bool:
    """La banque a repris cet argent : ses pièces se rouvrent, une personne est prévenue. Faux si c'était déjà fait.

    Ce que le paiement avait réglé se rouvre avec lui : litiges clos parce que soldés, promesses, échéanciers ; ses
    écarts, frais et escompte tombent. Lève ValidationError : motif vide, rejet avant le paiement, autre montant.
    """
    motif = motif.strip()
    if not motif:
        raise ValidationError({"motif": _("Dites le motif du rejet : il reste au dossier.")})
    if mouvement is not None:
        mouvement = MouvementBancaire.objects.select_for_update(no_key=True).get(pk=mouvement.pk)
        if mouvement.rejet_de_id == encaissement.pk and mouvement.statut == mouvement.Statut.RAPPROCHE:
            return False
    e = (
        Encaissement.objects.select_for_update(no_key=True, of=("self",))
        .select_related("client__societe")
        .get(pk=encaissement.pk)
    )
    if e.rejete_le or e.rejets.exists():
        return False
    if le < e.date:
        dit = {"jour": ecrire_jour(e.date)}
        raise ValidationError(_("Un rejet ne peut pas précéder le paiement du %(jour)s.") % dit)
    frais = Decimal(0)
    if mouvement is not None:
        if mouvement.statut != mouvement.Statut.A_RAPPROCHER:
            raise ValidationError(_("Ce mouvement a été traité entre-temps. Rien n'a été écrit."))
        frais = -mouvement.montant - e.montant
        if (mouvement.societe_id, mouvement.devise) != (e.societe_id, e.devise) or not 0 <= frais <= FRAIS_MAX:
            raise ValidationError(_("Ce débit n'est pas du montant de cet encaissement. Rien n'a été écrit."))
    if debits := debits_au_fec(e, le):  # la comptabilité porte déjà ce rejet : rouvrir compterait la dette deux fois
        touchees = sorted({*e.imputations.values_list("echeance", flat=True), debits[0].pk})
        e.rejete_le = le  # pour dire le jour ; la ligne, elle, reste un paiement que le débit du FEC annule
    else:
        touchees = _desimputer_tout(e)
        e.rejete_le, e.rejet_motif, e.impute = le, motif[:200], e.montant
        e.save(update_fields=["rejete_le", "rejet_motif", "impute", "updated_at"])
    preleves = Echeance.objects.filter(pk__in=touchees)
    if e.mode != Mode.PRELEVEMENT:
        preleves = preleves.filter(Q(prelevement=True) | Q(client__prelevement=True))
    preleves.update(prelevement=False, prelevement_rejete=True)
    if mouvement is not None:
        mouvement.rejet_de, mouvement.statut, mouvement.client_presume = e, mouvement.Statut.RAPPROCHE, None
        mouvement.traite_le, mouvement.traite_par = timezone.now(), acteur
        mouvement.save(update_fields=["rejet_de", "statut", "client_presume", "traite_le", "traite_par"])
    consigner(
        "encaissement.rejete",
        societe=e.client.societe,
        acteur=acteur,
        objet=e,
        client=e.client,
        texte=f"{e.reference} : {somme(e.montant, e.devise)}, {motif}",
        donnees={"le": le, "montant": e.montant, "frais": frais, "echeances": touchees},
    )
    rouvrir_litiges(touchees, acteur=acteur)
    rejuger_promesses(touchees, au=au, acteur=acteur)
    rouvrir_echeanciers(touchees, acteur=acteur)
    encaissement_rejete.send(Encaissement, encaissement=e, motif=motif, frais=frais, au=au)
    return True


def debits_au_fec(e: Encaissement, le: date) -> list[Echeance]:
    """Écritures du FEC qui reprennent ce règlement du FEC : même client, même somme, sans pièce, vers le jour du rejet.

    Un débit de trésorerie n'a pas de numéro de facture. Les plus proches d'abord ; vide si le FEC ignore le rejet.
    """
    if not e.cle_source.startswith("FEC:"):
        return []
    sans_piece = Echeance.objects.filter(
        societe=e.societe_id, client=e.client_id, devise=e.devise, montant=e.montant, cle_source__startswith="FEC:",
        facture__numero_reel=False, date_facture__gte=max(e.date, le - ECRITURE_AVANT),
        date_facture__lte=le + ECRITURE_APRES,
    )  # fmt: skip
    return sorted(sans_piece, key=lambda d: (abs(d.date_facture - le), d.pk))


def _desimputer_tout(e: Encaissement) -> list[int]:
    """Retire toute imputation du paiement, importée comprise, ses accessoires, et les avoirs de son rapprochement."""
    avoirs = []
    if e.mouvement_id:
        prefixe = f"BANQUE:{e.mouvement_id}:{e.client_id}:"
        siens = Avoir.objects.filter(societe=e.societe_id, cle_source__startswith=prefixe)
        avoirs = list(siens.select_for_update(no_key=True).order_by("pk"))
    poses = list(Imputation.objects.filter(Q(encaissement=e) | Q(avoir__in=avoirs)))
    rendus: dict[int, Decimal] = defaultdict(Decimal)
    for i in poses:
        rendus[i.echeance_id] += i.montant
    echeances = list(Echeance.objects.select_for_update(no_key=True).filter(pk__in=rendus).order_by("pk"))
    for x in echeances:
        x.impute -= rendus[x.pk]
        x.soldee_le = None
    Echeance.objects.bulk_update(echeances, ["impute", "soldee_le"])
    Imputation.objects.filter(pk__in=[i.pk for i in poses]).delete()
    AffectationAccessoires.objects.filter(encaissement=e).delete()
    Avoir.objects.filter(pk__in=[a.pk for a in avoirs]).delete()
    return [x.pk for x in echeances]
