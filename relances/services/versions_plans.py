"""Ce qui diffère entre deux versions d'un plan, palier par palier, en mots."""

from dataclasses import dataclass

from django.utils.translation import gettext as _

from clients.models import Regroupement
from recouvrement.commun import formats
from relances.domaine.natures import Nature
from relances.models import Palier, VersionEchelle
from relances.models.echelles import CanalChoix

CANAUX = dict(CanalChoix.choices)
CHAMPS = ("reference", "delai", "canaux", "mode", "delai_reponse", "modele", "role_destinataire")
REGLES = ("regroupement", "seuil_piece", "seuil_envoi", "plafond_envoi")


@dataclass(frozen=True)
class Changement:
    """Un réglage avant et après ; vide : il n'existait pas, ou n'existe plus."""

    libelle: str
    avant: str
    apres: str


@dataclass(frozen=True)
class Difference:
    """Un palier qui diffère : « ajoute », « retire » ou « modifie ». nature 0 : les règles du plan."""

    genre: str
    nature: int
    changements: list[Changement]


def differences(avant: VersionEchelle, apres: VersionEchelle) -> list[Difference]:
    """Paliers ajoutés, retirés, modifiés, puis les règles ; rapprochés par nature et rang parmi elle."""
    trouvees = []
    vieux, neufs = _par_nature(avant), _par_nature(apres)
    for cle in sorted(vieux.keys() | neufs.keys()):
        a, b = vieux.get(cle), neufs.get(cle)
        if a is None or b is None:
            present = a or b
            textes = [(str(Palier._meta.get_field(c).verbose_name), dit(present, c)) for c in CHAMPS]
            lignes = [Changement(nom, t, "") if b is None else Changement(nom, "", t) for nom, t in textes if t]
            trouvees.append(Difference("retire" if b is None else "ajoute", cle[0], lignes))
        elif lignes := _lignes(a, b, CHAMPS):
            trouvees.append(Difference("modifie", cle[0], lignes))
    if lignes := _lignes(avant, apres, REGLES):
        trouvees.append(Difference("modifie", Nature.AUCUNE.value, lignes))
    return trouvees


def _par_nature(version: VersionEchelle) -> dict[tuple[int, int], Palier]:
    vus: dict[int, int] = {}
    resultat = {}
    for p in sorted(version.paliers.all(), key=lambda p: p.rang):
        vus[p.nature] = vus.get(p.nature, 0) + 1
        resultat[p.nature, vus[p.nature]] = p
    return resultat


def _lignes(a, b, champs) -> list[Changement]:
    return [
        Changement(str(a._meta.get_field(c).verbose_name), dit(a, c), dit(b, c))
        for c in champs
        if getattr(a, c) != getattr(b, c)
    ]


def dit(objet: Palier | VersionEchelle, champ: str) -> str:
    """Un réglage en mots, dans la langue de l'écran."""
    valeur = getattr(objet, champ)
    if champ == "canaux":
        return _(", à défaut ").join(str(CANAUX.get(c, c)) for c in valeur)
    if champ == "modele":
        return valeur or _("standard de la société, sinon livré")
    if champ == "role_destinataire":
        return str(objet.get_role_destinataire_display()) if valeur else _("destinataire habituel")
    if champ in ("delai", "delai_reponse"):
        return _("%(n)s j") % {"n": formats.nombre(valeur)}
    if champ == "regroupement":
        return str(Regroupement(valeur).label)
    if champ in ("seuil_piece", "seuil_envoi", "plafond_envoi"):
        return _("aucun") if valeur is None else formats.somme(valeur, "EUR")
    return str(getattr(objet, f"get_{champ}_display")())
