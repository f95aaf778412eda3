"""Examiner un accord : ses pièces, les bornes de la société, ce que le droit permet au débiteur. N'écrit rien."""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from datetime import date
from decimal import Decimal, InvalidOperation

from django.core.exceptions import ValidationError
from django.utils.translation import gettext as _

from clients.models import Client
from recouvrement.comptes.models import Societe

from ..domaine import accords as regle
from ..domaine.accords import Genre, Proposition, Raison
from ..domaine.mensualites import Terme
from ..models import Accord, Echeance, Echeancier, Litige, Penalites, Promesse, ReglageAccords
from .accords_phrases import dire_l_avis, dire_la_raison
from .procedures import posterieures

ZERO = Decimal("0.00")


def reglage(societe: Societe) -> ReglageAccords:
    """Les bornes de la société ; celles de la maison tant qu'aucune n'est enregistrée. Une requête."""
    return ReglageAccords.objects.filter(societe=societe).first() or ReglageAccords(societe=societe)


@dataclass(frozen=True)
class Termes:
    """Ce que les parties conviennent, lu d'un formulaire ou de `Accord.termes`. Montants dans la devise des pièces."""

    mensualites: tuple[Terme, ...] = ()
    capacite: Decimal | None = None
    remise: Decimal = ZERO
    payer_avant: date | None = None
    clause_decheance: bool | None = None  # None : le réglage de la société
    penalites: str = ""
    creance_reference: str = ""  # compensation : la créance que le client nous oppose
    creance_montant: Decimal = ZERO
    creance_exigible_le: date | None = None
    certaine: bool = False
    connexite: str = ""
    intention: bool = False  # novation : voulue, jamais présumée (C. civ., art. 1330)
    obligation: str = ""
    suretes: str = ""
    redaction: str = ""


def lire_termes(termes: Mapping) -> Termes:
    """Termes typés, depuis des valeurs Python ou leur écriture JSON. Lève ValidationError s'ils ne se lisent pas."""
    try:
        lus = {
            "mensualites": tuple(_terme(m) for m in termes.get("mensualites") or ()),
            "capacite": _montant(termes["capacite"]) if termes.get("capacite") not in (None, "") else None,
            "remise": _montant(termes.get("remise") or 0),
            "payer_avant": _jour(termes.get("payer_avant")),
            "clause_decheance": termes.get("clause_decheance"),
            "penalites": str(termes.get("penalites") or ""),
            "creance_montant": _montant(termes.get("creance_montant") or 0),
            "creance_exigible_le": _jour(termes.get("creance_exigible_le")),
            "certaine": bool(termes.get("certaine")),
            "intention": bool(termes.get("intention")),
        }
    except (TypeError, ValueError, KeyError, InvalidOperation, OverflowError):
        raise ValidationError(_("Les termes de cet accord ne se lisent pas.")) from None
    if lus["penalites"] not in ("", *Penalites.values):
        raise ValidationError(_("Les termes de cet accord ne se lisent pas."))
    textes = {"creance_reference": 80, "connexite": 300, "obligation": 600, "suretes": 300, "redaction": 1500}
    lus |= {nom: str(termes.get(nom) or "").replace("\0", "").strip()[:taille] for nom, taille in textes.items()}
    return Termes(**lus)


def _terme(m) -> Terme:
    le, montant = (m["due_le"], m["montant"]) if isinstance(m, Mapping) else m
    if not le:
        raise ValueError(m)
    return Terme(_jour(le), _montant(montant))


def _jour(valeur) -> date | None:
    return valeur if isinstance(valeur, date) else date.fromisoformat(valeur) if valeur else None


def _montant(valeur) -> Decimal:
    lu = Decimal(valeur)
    if not lu.is_finite() or abs(lu) >= Decimal(10**13) or lu != lu.quantize(regle.CENT):
        raise ValueError(valeur)
    return lu.quantize(regle.CENT)


def en_json(t: Termes) -> dict:
    """Ce que `Accord.termes` garde ; `lire_termes` en refait le même objet."""
    garde = {
        "mensualites": [{"due_le": m.due_le.isoformat(), "montant": str(m.montant)} for m in t.mensualites],
        "capacite": str(t.capacite) if t.capacite is not None else "",
        "creance_montant": str(t.creance_montant) if t.creance_montant else "",
        "creance_exigible_le": t.creance_exigible_le.isoformat() if t.creance_exigible_le else "",
    }
    noms = ("certaine", "intention", "creance_reference", "connexite", "obligation", "suretes", "redaction")
    garde |= {nom: getattr(t, nom) for nom in noms}
    return {nom: valeur for nom, valeur in garde.items() if valeur}


def de_l_accord(accord: Accord) -> Termes:
    """Les termes gardés par un accord, champs de la base compris."""
    return lire_termes(
        {
            **accord.termes, "remise": accord.remise, "payer_avant": accord.payer_avant,
            "clause_decheance": accord.clause_decheance, "penalites": accord.penalites,
        }
    )  # fmt: skip


# --- Examiner --------------------------------------------------------------------------------------


@dataclass
class Examen:
    """Ce que vaut une proposition : refus qui l'interdisent, ce qu'un responsable doit accepter, avertissements."""

    montant: Decimal = ZERO
    devise: str = "EUR"
    conteste: Decimal = ZERO
    clause_decheance: bool = False
    penalites: str = Penalites.COURENT
    refus: list[str] = field(default_factory=list)
    a_approuver: list[str] = field(default_factory=list)
    avertissements: list[str] = field(default_factory=list)
    raisons: list[Raison] = field(default_factory=list)


def examiner(
    client: Client, *, genre: str, echeances: Iterable[Echeance], termes: Termes, au: date, sauf: int | None = None
) -> Examen:
    """Tout ce qu'il faut savoir avant de proposer ou de signer. Huit requêtes au plus.

    echeances : avec leur facture. sauf : l'accord lui-même, quand il se relit.
    """
    genre, choisies = Genre(genre), list(echeances)
    bornes = reglage(client.societe)
    e = Examen()
    if not choisies or any(x.client_id != client.pk or not x.reste_du for x in choisies):
        e.refus.append(_("Un accord porte sur des pièces ouvertes de ce client."))
        return e
    if len({x.devise for x in choisies}) > 1:
        e.refus.append(_("Un accord ne réunit pas deux devises : passez-en un par devise."))
        return e
    e.devise = choisies[0].devise
    e.montant = sum((x.reste_du for x in choisies), ZERO)
    e.clause_decheance = genre == Genre.ECHEANCIER and (
        bornes.clause_decheance if termes.clause_decheance is None else bool(termes.clause_decheance)
    )
    if genre in (Genre.ECHEANCIER, *regle.ABANDON):
        par_defaut = bornes.penalites if client.type != "administration" else Penalites.COURENT
        e.penalites = termes.penalites or par_defaut
    _les_pieces(e, choisies, sauf)
    restes = {x.pk: x.reste_du for x in choisies}
    contestes = Litige.objects.ouverts().filter(echeance__in=restes).values_list("echeance", "montant_conteste")
    e.conteste = sum((min(montant, restes[pk]) for pk, montant in contestes), ZERO)
    for avis in regle.avis(_situation(client, genre, choisies, termes, e, au)):
        phrase = dire_l_avis(avis.code, conteste=e.conteste, devise=e.devise)
        (e.refus if avis.refus else e.avertissements).append(phrase)
    if genre == Genre.COMPENSATION:
        _la_creance(e, termes, au)
    e.raisons = regle.dans_les_bornes(
        Proposition(
            genre, e.montant, termes.mensualites if genre in regle.ETALES else (), termes.remise, termes.payer_avant,
            termes.capacite, e.penalites, e.clause_decheance if genre == Genre.ECHEANCIER else None, e.devise,
        ),
        bornes, au=au,
    )  # fmt: skip
    for raison in e.raisons:
        (e.refus if raison.dure else e.a_approuver).append(dire_la_raison(raison, e.devise))
    return e


def _les_pieces(e: Examen, choisies: list[Echeance], sauf: int | None) -> None:
    ids = [x.pk for x in choisies]
    noms = {x.pk: x.facture.numero for x in choisies}

    def citer(pks) -> str:
        cites = sorted({noms[pk] for pk in pks})
        return ", ".join(cites[:5]) + (" …" if len(cites) > 5 else "")

    if confiees := [x.pk for x in choisies if x.en_contentieux]:
        e.refus.append(
            _("%(pieces)s : au contentieux, l'accord se note dans le dossier.") % {"pieces": citer(confiees)}
        )
    if cedees := [x.pk for x in choisies if x.facture.affacturee]:
        e.refus.append(_("%(pieces)s : cédée à un affactureur, lui seul en dispose.") % {"pieces": citer(cedees)})
    pris = Accord.objects.en_cours().filter(echeances__in=ids).exclude(pk=sauf)
    for reference, pk in pris.values_list("reference", "echeances__pk"):
        if pk in noms:
            e.refus.append(
                _("%(piece)s est déjà sous l'accord %(accord)s : annulez-le d'abord.")
                % {"piece": noms[pk], "accord": reference}
            )
            break
    echelonnees = Echeancier.objects.en_cours().filter(echeances__in=ids).values_list("echeances__pk", flat=True)
    if deja := [pk for pk in echelonnees if pk in noms]:
        e.refus.append(_("%(pieces)s : déjà dans un échéancier en cours.") % {"pieces": citer(deja)})


def _situation(client: Client, genre: Genre, choisies, termes: Termes, e: Examen, au: date) -> regle.Situation:
    ids = {x.pk for x in choisies}
    arrete = bool(client.jugement_ouverture_le)
    if arrete and client.procedure_cloturee_le:
        arrete = not ids <= posterieures(ids)
    return regle.Situation(
        type_debiteur=client.type,
        genre=genre,
        conteste=e.conteste,
        a_echoir=any(x.date_echeance >= au for x in choisies),
        procedure=arrete,
        surendettement=client.surendettement,
        connexite=bool(termes.connexite),
        promesse=Promesse.objects.en_attente().filter(echeances__in=ids).exists(),
        abandonne_les_penalites=e.penalites == Penalites.ABANDONNEES,
        intention=termes.intention,
        certaine=termes.certaine,
    )


def _la_creance(e: Examen, termes: Termes, au: date) -> None:
    """La créance opposée se nomme, se chiffre, et elle est échue (C. civ., art. 1347-1)."""
    if not termes.creance_reference or termes.creance_montant <= 0:
        e.refus.append(_("Dites la référence et le montant de la créance opposée."))
    if termes.creance_exigible_le is None or termes.creance_exigible_le > au:
        e.refus.append(_("La créance opposée doit être exigible (C. civ., art. 1347-1)."))
