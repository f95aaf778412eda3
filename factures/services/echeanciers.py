"""Échéancier accepté : noté, tenu, rompu (exigence 32, droit.md § 9). Le protocole à signer viendra à part."""

from collections import defaultdict
from collections.abc import Iterable, Sequence
from datetime import date
from decimal import Decimal

from django.core.exceptions import ValidationError
from django.db import transaction
from django.db.models import F, Sum
from django.utils.translation import gettext as _

from clients.models import Client
from recouvrement.commun.formats import somme
from recouvrement.comptes.models import Societe
from recouvrement.journal.services import consigner

from ..domaine.mensualites import Etat, Suivi, Terme, suivre
from ..models import Avoir, Echeance, Echeancier, Encaissement, Mensualite
from .procedures import posterieures
from .promesses import limite_promesse, recus, remplacer_promesses

MENSUALITES_MAX = 60
ZERO = Decimal("0.00")
Statut = Echeancier.Statut


@transaction.atomic
def accepter(
    client: Client,
    *,
    echeances: Iterable[Echeance],
    mensualites: Sequence[tuple[date, Decimal]],
    accepte_le: date,
    clause_decheance: bool,
    au: date,
    acteur,
) -> Echeancier:
    """Note l'échéancier que le client a accepté ; ses pièces se taisent tant qu'il est tenu.

    mensualites : (date, montant), dans l'ordre ; leur somme est ce qui reste dû sur les pièces. Une promesse en
    attente sur ces pièces est remplacée. Redire le même accord rend celui qui est noté. Lève ValidationError :
    pièce d'un autre compte, soldée, au contentieux ou déjà dans un échéancier ; deux devises ; somme différente ;
    dates passées ou en désordre ; client en procédure collective ou en surendettement.
    """
    client = Client.objects.select_for_update(no_key=True, of=("self",)).select_related("societe").get(pk=client.pk)
    cles = [e.pk for e in echeances]
    verrouillees = Echeance.objects.select_for_update(no_key=True, of=("self",)).select_related("facture")
    choisies = list(verrouillees.filter(pk__in=cles).order_by("pk"))
    termes = [Terme(*m) for m in mensualites]
    deja = _en_cours_sur(choisies)
    for ancien in deja:
        if _est_le_meme(ancien, choisies, termes, accepte_le):
            return ancien
    _controler_le_client(client, choisies)
    _controler_les_pieces(client, choisies, deja)
    du = sum((e.reste_du for e in choisies), ZERO)
    _controler_les_termes(termes, du, choisies[0].devise, accepte_le=accepte_le, au=au)
    remplacer_promesses(client, choisies, au=au, acteur=acteur)
    echeancier = Echeancier.objects.create(
        client=client,
        devise=choisies[0].devise,
        accepte_le=accepte_le,
        clause_decheance=clause_decheance,
        du_a_l_accord=du,
        auteur=acteur,
    )
    echeancier.echeances.set(choisies)
    Mensualite.objects.bulk_create(
        Mensualite(echeancier=echeancier, rang=rang, due_le=t.due_le, montant=t.montant)
        for rang, t in enumerate(termes, 1)
    )
    consigner(
        "echeancier.accepte",
        societe=client.societe,
        acteur=acteur,
        objet=echeancier,
        client=client,
        texte=_("%(montant)s en %(n)s mensualités") % {"montant": somme(du, echeancier.devise), "n": len(termes)},
        donnees={
            "echeances": [e.pk for e in choisies],
            "mensualites": [[t.due_le.isoformat(), t.montant] for t in termes],
            "clause_decheance": clause_decheance,
        },
    )
    return echeancier


def _en_cours_sur(echeances: list[Echeance]) -> list[Echeancier]:
    return list(Echeancier.objects.en_cours().filter(echeances__in=echeances).distinct())


def _est_le_meme(ancien: Echeancier, choisies, termes: list[Terme], accepte_le: date) -> bool:
    return (
        ancien.accepte_le == accepte_le
        and set(ancien.echeances.values_list("pk", flat=True)) == {e.pk for e in choisies}
        and [Terme(*x) for x in ancien.mensualites.values_list("due_le", "montant")] == termes
    )


def _controler_le_client(client: Client, choisies: list[Echeance]) -> None:
    if client.jugement_ouverture_le and not _toutes_rendues(client, choisies):
        raise ValidationError(
            _("Procédure collective : une créance antérieure se déclare, elle ne s'échelonne pas (C. com., L622-7).")
        )
    if client.surendettement:
        raise ValidationError(_("Surendettement recevable : le plan est celui de la commission (C. consom., L722-5)."))


def _toutes_rendues(client: Client, choisies: list[Echeance]) -> bool:
    """Procédure close, et rien que des créances nées depuis le jugement."""
    ids = {e.pk for e in choisies}
    return client.procedure_cloturee_le is not None and ids <= posterieures(ids)


def _controler_les_pieces(client: Client, choisies: list[Echeance], deja: list[Echeancier]) -> None:
    if not choisies or any(e.client_id != client.pk or not e.reste_du for e in choisies):
        raise ValidationError(_("Un échéancier porte sur des pièces ouvertes de ce client."))
    if len({e.devise for e in choisies}) > 1:
        raise ValidationError(_("Un échéancier ne réunit pas deux devises : notez-en un par devise."))
    if confiees := [e.facture.numero for e in choisies if e.en_contentieux]:
        raise ValidationError(
            _("%(pieces)s : au contentieux, l'accord se note dans le dossier.") % {"pieces": ", ".join(confiees)}
        )
    if deja:
        raise ValidationError(
            _("Une de ces pièces est déjà dans l'%(echeancier)s : annulez-le d'abord.") % {"echeancier": deja[0]}
        )


def _controler_les_termes(termes: list[Terme], du: Decimal, devise: str, *, accepte_le: date, au: date) -> None:
    if accepte_le > au:
        raise ValidationError({"accepte_le": _("Un accord à venir n'est pas encore accepté.")})
    if not 2 <= len(termes) <= MENSUALITES_MAX:
        raise ValidationError(
            _("Un échéancier compte de 2 à %(max)d mensualités ; pour une seule date, notez une promesse.")
            % {"max": MENSUALITES_MAX}
        )
    if any(t.montant <= 0 for t in termes):
        raise ValidationError(_("Chaque mensualité est un montant positif."))
    if termes[0].due_le <= accepte_le:
        raise ValidationError(_("La première mensualité vient après l'accord."))
    if termes[0].due_le < au:
        raise ValidationError(_("La première mensualité est déjà passée."))
    if any(suivant.due_le <= t.due_le for t, suivant in zip(termes, termes[1:], strict=False)):
        raise ValidationError(_("Les dates des mensualités se suivent."))
    total = sum((t.montant for t in termes), ZERO)
    if total != du:
        raise ValidationError(
            _("Les mensualités font %(total)s ; il reste dû %(du)s sur ces pièces : l'écart est de %(ecart)s.")
            % {"total": somme(total, devise), "du": somme(du, devise), "ecart": somme(total - du, devise)}
        )


@transaction.atomic
def annuler_echeancier(echeancier: Echeancier, *, motif: str, au: date, acteur) -> bool:
    """L'accord ne tient plus d'un commun accord, ou fut noté à tort ; faux s'il ne liait plus personne.

    Rompu sans clause de déchéance, il lie encore : le résoudre rend le solde exigible. Les pièces rentrent dans
    l'échelle à leur niveau. Lève ValidationError sans motif.
    """
    motif = motif.strip()
    if not motif:
        raise ValidationError({"motif": _("Dites pourquoi l'échéancier s'arrête : le motif reste au dossier.")})
    de = Statut.ROMPU if echeancier.lie_apres_rupture else Statut.EN_COURS
    return _changer(echeancier, de=de, statut=Statut.ANNULE, motif=motif[:200], le=au, acteur=acteur)


def suivis(echeanciers: Iterable[Echeancier], *, au: date) -> dict[int, list[Suivi]]:
    """{échéancier: ses mensualités et ce qui en est payé au jour `au`}. Trois requêtes."""
    echeanciers = list(echeanciers)
    if not echeanciers:
        return {}
    termes: dict[int, list[Terme]] = defaultdict(list)
    for cle, jour, montant in Mensualite.objects.filter(echeancier__in=echeanciers).order_by(
        "echeancier", "rang"
    ).values_list("echeancier", "due_le", "montant"):  # fmt: skip
        termes[cle].append(Terme(jour, montant))
    payes = _payes(echeanciers, au=au)
    return {
        x.pk: suivre(
            termes[x.pk],
            payes[x.pk],
            au=au,
            limite=lambda jour, region=x.client.societe.region_feries: limite_promesse(jour, region),
        )
        for x in echeanciers
    }


def _payes(echeanciers: list[Echeancier], *, au: date) -> dict[int, Decimal]:
    """{échéancier: reçu depuis l'accord, au plus tard le jour `au`}, quel que soit le jour de l'affectation."""
    liens = Echeancier.echeances.through.objects.filter(echeancier__in=echeanciers)
    pieces: dict[int, list[tuple[int, Decimal]]] = defaultdict(list)
    for cle, echeance, montant in liens.values_list("echeancier", "echeance", "echeance__montant"):
        pieces[cle].append((echeance, montant))
    parts = recus({e for liste in pieces.values() for e, _montant in liste})
    restes = {
        cle: sum((montant - sum((p for jour, p in parts[e] if jour <= au), ZERO) for e, montant in liste), ZERO)
        for cle, liste in pieces.items()
    }
    return {x.pk: max(x.du_a_l_accord - restes.get(x.pk, ZERO), ZERO) for x in echeanciers}


def conclure(societe: Societe, *, au: date) -> list[Echeancier]:
    """Conclut les échéanciers de la société qui peuvent l'être au jour `au` ; renvoie ceux qui changent.

    Tenu quand tout est payé ; rompu quand le payé cumulé reste sous le dû cumulé après la tolérance d'une
    mensualité. Un crédit reçu et pas encore affecté qui couvre le manque suspend la rupture : il s'affecte d'abord.
    Rejouable ; cinq requêtes, plus l'écriture de chaque échéancier conclu.
    """
    lus = Echeancier.objects.en_cours().filter(client__societe=societe)
    en_cours = list(lus.select_related("client__societe", "accord"))
    if not en_cours:
        return []
    releves = suivis(en_cours, au=au)
    credits = credits_libres({x.client_id for x in en_cours}, au=au)
    conclus = []
    for x in en_cours:
        lignes = releves[x.pk]
        if all(s.etat is Etat.PAYEE for s in lignes):
            statut = Statut.TENU
        else:
            manque = sum((s.manque for s in lignes if s.etat is Etat.MANQUEE), ZERO)
            if not manque or credits.get((x.client_id, x.devise), ZERO) >= manque:
                continue
            if sursis(x, lignes, au=au):
                continue
            statut = Statut.ROMPU
        if _conclure(x, statut, motif=_raison(lignes, x.devise) if statut == Statut.ROMPU else "", au=au, acteur=None):
            x.statut, x.conclu_le = statut, au
            conclus.append(x)
    return conclus


def sursis(x: Echeancier, lignes: list[Suivi], *, au: date) -> date | None:
    """Dernier jour que laisse la mise en demeure d'un accord écrit avec clause ; None : rien ne retient la rupture.

    La déchéance suppose une mise en demeure préalable restée sans effet (1re civ., 22/06/2017) : tant qu'elle n'est pas
    partie, ou que son délai court, l'échéancier tient. x : avec son accord (`select_related`).
    """
    accord = getattr(x, "accord", None)
    if accord is None or not x.clause_decheance:
        return None
    rang = next((rang for rang, s in enumerate(lignes, 1) if s.etat is Etat.MANQUEE), None)
    if rang is None:
        return None
    sommation = accord.termes.get("sommations", {}).get(str(rang))
    avant = date.fromisoformat(sommation["avant"]) if sommation else au
    return avant if avant >= au else None


def _raison(lignes: list[Suivi], devise: str) -> str:
    """La première mensualité manquée, telle qu'elle restera au dossier."""
    s = next(s for s in lignes if s.etat is Etat.MANQUEE)
    return _("mensualité du %(jour)s : %(manque)s manquent sur %(montant)s") % {
        "jour": f"{s.due_le:%d/%m/%Y}",
        "manque": somme(s.manque, devise),
        "montant": somme(s.montant, devise),
    }


def credits_libres(clients: set[int], *, au: date) -> dict[tuple[int, str], Decimal]:
    """{(client, devise): reçu au jour `au` et pas encore affecté}."""
    totaux: dict[tuple[int, str], Decimal] = defaultdict(lambda: ZERO)
    for modele, jour in ((Encaissement, "date"), (Avoir, "date_emission")):
        ouverts = modele.objects.filter(client__in=clients, impute__lt=F("montant"), **{f"{jour}__lte": au}).order_by()
        for client, devise, reste in ouverts.values_list("client", "devise").annotate(
            reste=Sum(F("montant") - F("impute"))
        ):
            totaux[client, devise] += reste
    return totaux


@transaction.atomic
def rouvrir_echeanciers(echeances, *, acteur) -> int:
    """Un échéancier tenu dont une pièce se rouvre (affectation défaite) est de nouveau en cours."""
    tenus = (
        Echeancier.objects.filter(statut=Statut.TENU)
        .filter(echeances__in=echeances, echeances__impute__lt=F("echeances__montant"))
        .select_related("client__societe")
        .distinct()
    )
    return sum(_changer(x, de=Statut.TENU, statut=Statut.EN_COURS, motif="", le=None, acteur=acteur) for x in tenus)


@transaction.atomic
def _conclure(echeancier: Echeancier, statut: str, *, motif: str, au: date, acteur) -> bool:
    return _changer(echeancier, de=Statut.EN_COURS, statut=statut, motif=motif, le=au, acteur=acteur)


def _changer(echeancier: Echeancier, *, de: str, statut: str, motif: str, le: date | None, acteur) -> bool:
    """Change le statut s'il est encore `de`, une seule fois, et le consigne."""
    if not Echeancier.objects.filter(pk=echeancier.pk, statut=de).update(statut=statut, motif=motif, conclu_le=le):
        return False
    consigner(
        f"echeancier.{statut}",
        societe=echeancier.client.societe,
        acteur=acteur,
        objet=echeancier,
        client=echeancier.client_id,
        texte=f"{echeancier} : {motif}" if motif else str(echeancier),
        donnees={"du_a_l_accord": echeancier.du_a_l_accord},
    )
    return True
