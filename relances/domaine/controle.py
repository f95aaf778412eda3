"""Ce qu'un plan ferait de travers, avant de le publier : pur, les phrases sont à l'écran."""

from collections.abc import Collection, Iterator, Sequence
from decimal import Decimal
from typing import NamedTuple

from .echelle import PalierRegle
from .natures import AMIABLES, Canal, ModePalier, Nature, Reference

CONDITIONS = 30  # jours de la facture à l'échéance : sert à situer un palier compté depuis la facture
DELAI_COURT = 8  # jours : en deçà, le nouveau délai d'une mise en demeure se conteste
DELAI_MIN, DELAI_MAX = -60, 365  # jours : bornes d'un palier
REPONSE_MAX = 90  # jours donnés au débiteur : au-delà, ce n'est plus une relance

_RAPPEL = (Canal.COURRIEL, Canal.LETTRE, Canal.SMS, Canal.TACHE)
# Un SMS ne porte ni décompte ni 40 € (exigence 24) ; seul un recommandé prouve une mise en demeure.
CANAUX_PERMIS = {
    Nature.AVANT_ECHEANCE: _RAPPEL,
    Nature.RAPPEL_COURTOIS: (*_RAPPEL, Canal.RECOMMANDE),
    Nature.APPEL: (Canal.APPEL, Canal.TACHE),
    Nature.FORMALISATION: (Canal.COURRIEL, Canal.LETTRE, Canal.RECOMMANDE, Canal.TACHE),
    Nature.MISE_EN_DEMEURE: (Canal.RECOMMANDE, Canal.TACHE),
    Nature.CONTENTIEUX: (Canal.TACHE,),
}
MODES_PERMIS = {
    Nature.APPEL: (ModePalier.TACHE,),
    Nature.MISE_EN_DEMEURE: (ModePalier.A_VALIDER, ModePalier.TACHE),
    Nature.CONTENTIEUX: (ModePalier.TACHE,),
}


def canaux_permis(nature: Nature, type_debiteur: str) -> tuple[Canal, ...]:
    """Canaux possibles d'un palier ; une administration n'a pas de portable : jamais de SMS."""
    permis = CANAUX_PERMIS[nature]
    return tuple(c for c in permis if c is not Canal.SMS) if type_debiteur == "administration" else permis


def modes_permis(nature: Nature) -> tuple[ModePalier, ...]:
    return MODES_PERMIS.get(nature, tuple(ModePalier))


class Constat(NamedTuple):
    """ton : « mal » interdit de publier, « att » avertit, « info » et « bon » renseignent.

    palier et champ : où corriger. palier : identifiant, 0 pour ce qui tient au plan entier ; champ : saisie du
    palier, « ajouter » (un palier manque) ou « regles » (seuils et plafond).
    """

    ton: str
    code: str
    nature: Nature = Nature.AUCUNE
    n: int = 0
    autre: int = 0
    palier: int = 0
    champ: str = ""
    canal: str = ""


def jours(paliers: Sequence[PalierRegle]) -> list[int]:
    """Jour de chaque palier, compté depuis l'échéance, si rien ne retarde et si tout part le jour dû."""
    resultat, dernier = [], 0
    for p in paliers:
        if p.reference is Reference.PRECEDENT:
            dernier += p.delai
        else:
            dernier = p.delai - (CONDITIONS if p.reference is Reference.FACTURE else 0)
        resultat.append(dernier)
    return resultat


def controler(
    paliers: Sequence[PalierRegle],
    *,
    type_debiteur: str,
    max_amiables: int,
    delai_entre_contacts: int,
    modeles_absents: Collection[int] = (),
    seuil_envoi: Decimal = Decimal(0),
    plafond_envoi: Decimal | None = None,
) -> list[Constat]:
    """Constats d'un plan, paliers par rang croissant ; publiable si aucun n'est « mal ».

    modeles_absents : paliers dont le modèle nommé n'existe pas pour leur nature et ce type de débiteur.
    """
    if not paliers:
        return [Constat("mal", "vide", champ="ajouter")]
    constats = [
        *_ordre(paliers),
        *(c for p in paliers for c in _palier_seul(p, type_debiteur)),
        *_amiables(paliers, max_amiables),
        *_graves(paliers, type_debiteur),
        *_reponses(paliers),
        *_contacts(paliers, delai_entre_contacts),
        *(Constat("mal", "modele", p.nature, palier=p.id, champ="modele") for p in paliers if p.id in modeles_absents),
    ]
    if plafond_envoi is not None and plafond_envoi <= seuil_envoi:
        constats.append(Constat("att", "plafond_sous_seuil", champ="regles"))
    return constats


def publiable(constats: Sequence[Constat]) -> bool:
    return not any(c.ton == "mal" for c in constats)


def _ordre(paliers: Sequence[PalierRegle]) -> Iterator[Constat]:
    """Boucle, palier avant son prédécesseur, deux le même jour : une étape par pièce et par nuit (exigence 12)."""
    premier = paliers[0]
    if premier.reference is Reference.PRECEDENT:
        yield Constat("mal", "premier_precedent", premier.nature, palier=premier.id, champ="reference")
    dates, bases = jours(paliers), _bases(paliers)
    for i, (avant, apres) in enumerate(zip(paliers, paliers[1:], strict=False)):
        # Facture et échéance : seules les conditions du client disent lequel vient d'abord, on avertit seulement.
        sur = "mal" if bases[i] == bases[i + 1] else "att"
        if apres.rang <= avant.rang or apres.nature < avant.nature:
            yield Constat("mal", "ordre", apres.nature, autre=avant.nature, palier=apres.id)
        elif dates[i + 1] < dates[i]:
            yield Constat(sur, "calendrier", apres.nature, dates[i + 1], dates[i], apres.id, "delai")
        elif dates[i + 1] == dates[i]:
            yield Constat(sur, "meme_jour", apres.nature, dates[i], avant.nature, apres.id, "delai")


def _bases(paliers: Sequence[PalierRegle]) -> list[Reference]:
    """Le jour d'où se compte chaque palier, « le précédent » remonté jusqu'à l'échéance ou à la facture."""
    resultat, base = [], Reference.ECHEANCE
    for p in paliers:
        base = base if p.reference is Reference.PRECEDENT else p.reference
        resultat.append(base)
    return resultat


def _palier_seul(p: PalierRegle, type_debiteur: str) -> Iterator[Constat]:
    """Ce qui se voit d'un palier sans regarder les autres."""

    def constat(ton, code, champ, n=0, canal=""):
        return Constat(ton, code, p.nature, n, palier=p.id, champ=champ, canal=canal)

    avant = p.nature is Nature.AVANT_ECHEANCE
    if not DELAI_MIN <= p.delai <= DELAI_MAX:
        yield constat("mal", "delai_bornes", "delai", p.delai)
    elif avant and p.reference is Reference.ECHEANCE and p.delai >= 0:
        yield constat("mal", "pas_avant", "delai", p.delai)
    elif not avant and p.delai < 0:
        yield constat("mal", "negatif", "delai", p.delai)
    if not 1 <= p.delai_reponse <= REPONSE_MAX:
        yield constat("mal", "reponse_bornes", "delai_reponse", p.delai_reponse)
    permis = canaux_permis(p.nature, type_debiteur)
    for canal in p.canaux:
        if canal not in permis and p.nature is not Nature.MISE_EN_DEMEURE:
            yield constat("mal", "canal_interdit", "canal_1", canal=canal.value)
    if not p.canaux:
        yield constat("mal", "sans_canal", "canal_1")
    elif len(set(p.canaux)) < len(p.canaux):
        yield constat("mal", "canal_double", "canal_1")
    elif p.canaux == (Canal.SMS,):
        yield constat("mal", "sms_seul", "canal_1")
    elif p.canaux == (Canal.COURRIEL,):
        yield constat("att", "sans_repli", "canal_1")
    if p.mode not in modes_permis(p.nature):
        yield constat("mal", "mode_interdit", "mode")


def _amiables(paliers, maximum: int) -> Iterator[Constat]:
    n = sum(p.nature in AMIABLES for p in paliers)
    yield Constat("bon" if n <= maximum else "att", "amiables" if n <= maximum else "trop_amiables", n=n, autre=maximum)


def _graves(paliers, type_debiteur: str) -> Iterator[Constat]:
    """Mise en demeure et contentieux : ce que le droit du débiteur demande avant eux."""
    vues: set[Nature] = set()
    for p in paliers:
        if p.nature is Nature.MISE_EN_DEMEURE:
            if type_debiteur == "administration":
                # Mandatement d'office : aucune mise en demeure de droit privé (droit.md § 3).
                yield Constat("mal", "administration", p.nature, palier=p.id)
            if Nature.FORMALISATION not in vues:
                yield Constat("mal", "sans_formalisation", p.nature, palier=p.id, champ="ajouter")
            if Canal.RECOMMANDE not in p.canaux:
                yield Constat("mal", "sans_recommande", p.nature, palier=p.id, champ="canal_1")
            elif any(c not in CANAUX_PERMIS[p.nature] for c in p.canaux):
                yield Constat("mal", "pas_que_recommande", p.nature, palier=p.id, champ="canal_1")
            court = p.delai_reponse < DELAI_COURT
            code = "delai_court" if court else "delai"
            yield Constat(
                "att" if court else "info", code, p.nature, p.delai_reponse, palier=p.id, champ="delai_reponse"
            )
        elif p.nature is Nature.CONTENTIEUX:
            if p.nature in vues:
                # La décision se prend une fois : un second palier redemanderait ce qu'une personne a déjà tranché.
                yield Constat("mal", "deux_contentieux", p.nature, palier=p.id)
            if type_debiteur == "administration":
                yield Constat("info", "mandatement", p.nature, palier=p.id)
            elif Nature.MISE_EN_DEMEURE not in vues:
                yield Constat("mal", "sans_mise_en_demeure", p.nature, palier=p.id, champ="ajouter")
        vues.add(p.nature)


def _reponses(paliers) -> Iterator[Constat]:
    """Une mise en demeure, ou le contentieux, tant que court le délai donné par la lettre d'avant : prématuré."""
    dates, lettre = jours(paliers), None
    for i, p in enumerate(paliers):
        if lettre is not None and p.nature >= Nature.MISE_EN_DEMEURE:
            ecart = dates[i] - dates[lettre]
            donne = paliers[lettre].delai_reponse
            if 0 < ecart <= donne:
                yield Constat("mal", "avant_reponse", p.nature, ecart, donne, p.id, "delai")
        if p.nature in (*AMIABLES, Nature.MISE_EN_DEMEURE):
            lettre = i


def _contacts(paliers, minimum: int) -> Iterator[Constat]:
    """Deux paliers plus proches que le délai entre contacts : le second attendra, la frise mentirait."""
    dates = jours(paliers)
    for i, (avant, apres) in enumerate(zip(paliers, paliers[1:], strict=False)):
        ecart = dates[i + 1] - dates[i]
        if 0 < ecart < minimum and avant.nature is not Nature.AVANT_ECHEANCE:
            yield Constat("att", "trop_pres", apres.nature, ecart, minimum, apres.id, "delai")
