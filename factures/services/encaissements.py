"""Encaisser et imputer, sans jamais dépasser une pièce.

Chaque geste relit sous verrou, écrit, puis consigne un maillon. Ordre des verrous : la source (encaissement
ou avoir), puis les échéances par clé croissante ; deux gestes concurrents s'attendent, sans s'étreindre.
Une règle violée lève ValidationError, que l'écran montre à sa place. Le jour arrive en argument.
"""

from collections.abc import Iterable, Mapping
from datetime import date
from decimal import Decimal

from django.core.exceptions import ValidationError
from django.db import IntegrityError, transaction
from django.utils.translation import gettext as _

from clients.models import Client
from recouvrement.commun.domaine.ecriture import jj
from recouvrement.commun.formats import somme
from recouvrement.journal.services import consigner

from ..models import AffectationAccessoires, Avoir, Echeance, Encaissement, Facture, Imputation, Litige
from .accessoires import poser
from .echeanciers import rouvrir_echeanciers
from .litiges import conclure_litiges, consigner_clotures, rouvrir_litiges
from .promesses import rejuger_promesses

ZERO = Decimal("0.00")
SAISIE = "saisie:"  # préfixe des clés source nées d'un formulaire ; le reste vient d'un import


def enregistrer_encaissement(
    client: Client,
    *,
    montant: Decimal,
    recu_le: date,
    au: date,
    cle: str,
    acteur,
    mode: str = "virement",
    devise: str = "EUR",
    reference: str = "",
    libelle: str = "",
) -> Encaissement:
    """Encaissement saisi, sans affectation. `cle` : celle du formulaire ; la rejouer rend le même encaissement.

    Lève ValidationError : montant nul, date à venir, ou clé déjà prise par un autre encaissement.
    """
    if montant <= 0:
        raise ValidationError({"montant": _("Un encaissement est un montant positif.")})
    if recu_le > au:
        raise ValidationError({"recu_le": _("La date de réception ne peut pas être à venir.")})
    cle_source = f"{SAISIE}{cle}"
    encaissement = Encaissement(
        societe=client.societe,
        client=client,
        cle_source=cle_source,
        reference=reference.strip() or f"reçu le {jj(recu_le)}",  # s'imprime : jamais dans la langue de l'écran
        date=recu_le,
        montant=montant,
        devise=devise,
        mode=mode,
        libelle=libelle.strip(),
    )
    encaissement.full_clean(validate_unique=False, validate_constraints=False)
    try:
        with transaction.atomic():
            encaissement.save(force_insert=True)
            consigner(
                "encaissement.saisi",
                societe=client.societe,
                acteur=acteur,
                objet=encaissement,
                client=client,
                texte=f"{encaissement.reference} : {somme(montant, devise)}",
                donnees={"montant": montant, "devise": devise, "recu_le": recu_le, "mode": mode},
            )
    except IntegrityError:
        deja = Encaissement.objects.filter(societe=client.societe, cle_source=cle_source).first()
        if deja is None:
            raise
        if (deja.client_id, deja.montant, deja.date, deja.devise) != (client.pk, montant, recu_le, devise):
            raise ValidationError(_("Ce formulaire a déjà servi pour un autre encaissement : rouvrez-le.")) from None
        return deja
    return encaissement


# --- Imputer -------------------------------------------------------------------------------------


def imputer(
    encaissement: Encaissement,
    parts: Iterable[tuple[Echeance, Decimal]],
    *,
    au: date,
    cle: str,
    acteur,
    vu: Decimal | None = None,
    designees: Iterable[int] = (),
    accessoires: Iterable[tuple[int, Decimal]] = (),
    mises_en_demeure: Mapping[int, date] | None = None,
) -> list[Imputation | AffectationAccessoires]:
    """Pose des parts de l'encaissement sur des échéances du même client et de la même devise.

    parts : (échéance, ou sa clé primaire, et montant) ; les montants nuls sont sautés. au : jour de
    l'affectation ; une imputation n'est jamais datée d'avant son règlement ni d'avant sa facture.
    cle : clé du formulaire ; la rejouer rend les mêmes imputations. vu : part déjà affectée lue à
    l'affichage ; si elle a changé depuis, rien n'est écrit. designees : échéances que le débiteur a choisies
    (C. civ., art. 1342-10), pour le journal. accessoires : (facture, montant) versés pour ses intérêts puis ses 40 €,
    jamais au-delà de ce que le décompte en dit ; mises_en_demeure : celles du décompte d'un particulier.

    Lève ValidationError : trop-affecté, pièce d'un autre compte, affichage périmé. Tout ou rien.
    """
    return _imputer(
        Encaissement, encaissement, parts, au=au, cle=cle, acteur=acteur, vu=vu, designees=designees,
        accessoires=[(pk, m) for pk, m in accessoires if m], mises_en_demeure=mises_en_demeure,
    )  # fmt: skip


def imputer_avoir(
    avoir: Avoir,
    parts: Iterable[tuple[Echeance, Decimal]],
    *,
    au: date,
    cle: str,
    acteur,
    vu: Decimal | None = None,
    designees: Iterable[int] = (),
) -> list[Imputation]:
    """Comme `imputer`, pour un avoir : il réduit le principal, ce n'est pas un paiement (droit.md § 1)."""
    return _imputer(Avoir, avoir, parts, au=au, cle=cle, acteur=acteur, vu=vu, designees=designees)


@transaction.atomic
def _imputer(
    modele, source, parts, *, au, cle, acteur, vu, designees, accessoires=(), mises_en_demeure=None
) -> list[Imputation | AffectationAccessoires]:
    source = (
        modele.objects.select_for_update(no_key=True, of=("self",)).select_related("client__societe").get(pk=source.pk)
    )
    champ, jour_source = ("encaissement", source.date) if modele is Encaissement else ("avoir", source.date_emission)
    prefixe = f"{SAISIE}{cle}:"
    deja = list(Imputation.objects.filter(**{champ: source}, cle_source__startswith=prefixe).order_by("pk"))
    if modele is Encaissement:
        deja += AffectationAccessoires.objects.filter(encaissement=source, cle_source__startswith=prefixe)
    if deja:
        return deja
    if vu is not None and source.impute != vu:
        raise ValidationError(
            _("%(source)s a été affecté entre-temps : il en reste %(reste)s. Rien n'a été écrit.")
            % {"source": source, "reste": somme(source.montant - source.impute, source.devise)}
        )
    montants = _additionner(parts, vide_permis=bool(accessoires))
    total = sum(montants.values(), ZERO) + sum((m for _pk, m in accessoires), ZERO)
    _controler_source(source, total)
    echeances = _verrouiller(montants)
    imputations = []
    for echeance in echeances:
        montant = montants[echeance.pk]
        _controler_echeance(source, echeance, montant)
        jour = max(au, jour_source, echeance.date_facture)
        imputations.append(
            Imputation(
                societe_id=source.societe_id,
                echeance=echeance,
                date=jour,
                montant=montant,
                cle_source=f"{prefixe}{echeance.pk}",
                **{champ: source},
            )
        )
        echeance.impute += montant
        if echeance.impute == echeance.montant:
            derniere = echeance.imputations.order_by("-date").values_list("date", flat=True).first()
            echeance.soldee_le = max(jour, derniere or jour)
    source.impute += total
    source.save(update_fields=["impute", "updated_at"])
    Echeance.objects.bulk_update(echeances, ["impute", "soldee_le"])
    Imputation.objects.bulk_create(imputations)
    _clore_litiges_soldes(echeances, au=au, acteur=acteur)
    if modele is Avoir:
        conclure_litiges(Litige.objects.filter(echeance__in=list(montants)), au=au, acteur=acteur)
    if accessoires:
        imputations += poser(source, accessoires, au=au, prefixe=prefixe, auteur=acteur, demeures=mises_en_demeure)
    consigner(
        f"{champ}.impute",
        societe=source.client.societe,
        acteur=acteur,
        objet=source,
        client=source.client,
        texte=_decrire(source, echeances, montants, accessoires),
        donnees={
            "cle": cle,
            "parts": {str(e.pk): montants[e.pk] for e in echeances},
            "designees": list(designees),
            "accessoires": {str(pk): m for pk, m in accessoires},
        },
    )
    return imputations


def _decrire(source, echeances, montants, accessoires) -> str:
    textes = [f"{e.facture} : {somme(montants[e.pk], e.devise)}" for e in echeances]
    numeros = dict(Facture.objects.filter(pk__in=[pk for pk, _m in accessoires]).values_list("pk", "numero"))
    textes += [f"{numeros[pk]}, accessoires : {somme(m, source.devise)}" for pk, m in accessoires]
    return ", ".join(textes)


def _additionner(parts, *, vide_permis: bool = False) -> dict[int, Decimal]:
    """{échéance: montant} sans les zéros ; une pièce citée deux fois s'additionne."""
    montants: dict[int, Decimal] = {}
    for echeance, montant in parts:
        if montant < 0:
            raise ValidationError(_("Une part affectée ne peut pas être négative."))
        if montant:
            cle = getattr(echeance, "pk", echeance)
            montants[cle] = montants.get(cle, ZERO) + montant
    if not montants and not vide_permis:
        raise ValidationError(_("Indiquez au moins un montant à affecter."))
    return montants


def _verrouiller(montants: dict[int, Decimal]) -> list[Echeance]:
    verrouillees = Echeance.objects.select_for_update(no_key=True, of=("self",)).select_related("facture")
    echeances = list(verrouillees.filter(pk__in=montants).order_by("pk"))
    if len(echeances) != len(montants):
        raise ValidationError(_("Une des pièces n'existe plus : rouvrez la page."))
    return echeances


def _controler_source(source, total: Decimal) -> None:
    reste = source.montant - source.impute
    if total > reste:
        raise ValidationError(
            _("%(total)s à affecter, mais il ne reste que %(reste)s sur %(source)s.")
            % {"total": somme(total, source.devise), "reste": somme(reste, source.devise), "source": source}
        )


def _controler_echeance(source, echeance: Echeance, montant: Decimal) -> None:
    if (echeance.client_id, echeance.devise) != (source.client_id, source.devise):
        raise ValidationError(
            _("%(piece)s n'est pas une pièce de ce compte dans cette devise.") % {"piece": echeance.facture}
        )
    if montant > echeance.reste_du:
        raise ValidationError(
            _("%(montant)s pour %(piece)s, mais il n'y reste que %(reste)s à payer.")
            % {
                "montant": somme(montant, echeance.devise),
                "piece": echeance.facture,
                "reste": somme(echeance.reste_du, echeance.devise),
            }
        )


def _clore_litiges_soldes(echeances: list[Echeance], *, au: date, acteur) -> None:
    """Payée en entier, une pièce n'est plus contestée (exigence 33)."""
    soldees = [e.pk for e in echeances if e.soldee_le]
    clos = list(Litige.objects.filter(echeance__in=soldees, clos_le=None).select_related("echeance__societe"))
    Litige.objects.filter(pk__in=[x.pk for x in clos]).update(clos_le=au, issue=Litige.SOLDEE)
    consigner_clotures(clos, acteur=acteur)


@transaction.atomic
def desimputer(source: Encaissement | Avoir, *, au: date, cle: str, acteur) -> Decimal:
    """Défait l'affectation faite avec cette clé de formulaire ; renvoie le montant rendu, zéro si déjà défaite.

    Ce qu'elle avait réglé se rouvre avec la pièce : litige clos parce que soldé, promesse tenue.
    Une imputation importée ne se défait pas ici : l'import la reposerait.
    """
    modele, champ = (Encaissement, "encaissement") if isinstance(source, Encaissement) else (Avoir, "avoir")
    source = (
        modele.objects.select_for_update(no_key=True, of=("self",)).select_related("client__societe").get(pk=source.pk)
    )
    prefixe = f"{SAISIE}{cle}:"
    posees = list(Imputation.objects.filter(**{champ: source}, cle_source__startswith=prefixe))
    versees = AffectationAccessoires.objects.none()
    if modele is Encaissement:
        versees = AffectationAccessoires.objects.filter(encaissement=source, cle_source__startswith=prefixe)
    accessoires = list(versees.order_by("pk").values_list("facture", "montant"))
    if not posees and not accessoires:
        return ZERO
    montants = _additionner(((i.echeance_id, i.montant) for i in posees), vide_permis=True)
    echeances = _verrouiller(montants)
    for echeance in echeances:
        echeance.impute -= montants[echeance.pk]
        echeance.soldee_le = None
    rendu = sum(montants.values(), ZERO) + sum((m for _pk, m in accessoires), ZERO)
    source.impute -= rendu
    source.save(update_fields=["impute", "updated_at"])
    Echeance.objects.bulk_update(echeances, ["impute", "soldee_le"])
    Imputation.objects.filter(pk__in=[i.pk for i in posees]).delete()
    versees.delete()
    consigner(
        f"{champ}.desimpute",
        societe=source.client.societe,
        acteur=acteur,
        objet=source,
        client=source.client,
        texte=_decrire(source, echeances, montants, accessoires),
        donnees={
            "cle": cle,
            "parts": {str(e.pk): montants[e.pk] for e in echeances},
            "accessoires": {str(pk): m for pk, m in accessoires},
        },
    )
    rouvrir_litiges(list(montants), acteur=acteur)
    rejuger_promesses(list(montants), au=au, acteur=acteur)
    rouvrir_echeanciers(list(montants), acteur=acteur)
    return rendu
