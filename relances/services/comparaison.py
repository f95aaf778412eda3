"""Deux réglages d'un plan sur le grand livre d'aujourd'hui, par le code de la nuit ; n'écrit rien.

Un grand livre se juge par tranches de clients entiers : chaque appel s'arrête à son temps et dit où il en est.
"""

from collections.abc import Iterable
from dataclasses import dataclass, field, replace
from datetime import date
from time import monotonic
from typing import NamedTuple

from django.db.models import Exists, OuterRef
from django.utils.translation import gettext as _

from clients.models import Client
from factures.models import Echeance
from relances.domaine import echelle as regle_du_jeu
from relances.domaine.echelle import Decision, Motif, PalierRegle, Plan, Resultat
from relances.domaine.natures import Nature
from relances.models import Echelle, VersionEchelle

from .faits import faits_par_client, ouvreur, reglages
from .plans import Plans, plan_de, plan_en_vigueur, plans_publies, versions_publiees

TRANCHE = 1000  # clients jugés d'un coup
EXEMPLES = 6


class Etape(NamedTuple):
    """Le prochain palier d'une pièce, son jour et son canal ; le = None : rien de prévu, une retenue sans date."""

    nature: int = Nature.AUCUNE.value
    le: date | None = None
    canal: str = ""
    mode: str = ""


class Changement(NamedTuple):
    """Une pièce traitée autrement."""

    client: int
    avant: Decision
    apres: Decision
    etape_avant: Etape
    etape_apres: Etape


@dataclass
class Mouvement:
    """Ce qui bouge vers un palier : clients concernés, bornes des écarts en jours, « plus tôt » et « plus tard »."""

    clients: int = 0
    tot: list[int] = field(default_factory=list)
    tard: list[int] = field(default_factory=list)

    def noter(self, jours: int) -> None:
        if jours:
            bornes = self.tot if jours < 0 else self.tard
            bornes[:] = [min([abs(jours), *bornes]), max([abs(jours), *bornes])]

    @property
    def phrase(self) -> str:
        """« 3 à 7 j plus tôt » ; vide si rien ne se compare d'un jour à l'autre."""
        if self.tot and self.tard:
            return _("plus tôt ou plus tard selon la pièce")
        bornes = self.tot or self.tard
        if not bornes:
            return ""
        debut, fin = bornes
        nombre = str(fin) if debut == fin else _("%(debut)s à %(fin)s") % {"debut": debut, "fin": fin}
        return (_("%(n)s j plus tôt") if self.tot else _("%(n)s j plus tard")) % {"n": nombre}


@dataclass
class Ecart:
    """Clients et pièces traités autrement ; se poursuit d'une tranche à l'autre, clients jamais coupés."""

    au: date
    total: int = 0  # clients à juger
    clients: int = 0  # clients jugés jusqu'ici
    dernier: int = 0  # dernier client jugé
    fini: bool = False
    pieces: int = 0
    pieces_changees: int = 0
    changes: int = 0
    plus_tot: int = 0
    plus_tard: int = 0
    perdus: int = 0  # ne partiraient plus
    autrement: int = 0  # même jour, autre palier, autre canal ou autre main
    envois_avant: int = 0  # ce que la nuit de `au` enverrait
    envois_apres: int = 0
    par_palier: dict[int, Mouvement] = field(default_factory=dict)
    exemples: list[tuple[int, Etape, Etape]] = field(default_factory=list)
    avancees: int = 0  # clients dont une mise en demeure est avancée à `au`
    ce_soir: list[int] = field(default_factory=list)  # les premiers d'entre eux
    lignes: list[Changement] = field(default_factory=list)

    @property
    def autres(self) -> int:
        """Clients changés qui ne sont pas montrés en exemple."""
        return self.changes - len(self.exemples)

    def noms(self) -> dict[int, Client]:
        """Les clients cités, en une requête."""
        return Client.objects.in_bulk({c for c, _a, _b in self.exemples} | {*self.ce_soir})

    def en_dict(self) -> dict:
        """Ce qui passe d'une tranche à la suivante, en JSON."""
        simples = {nom: valeur for nom, valeur in vars(self).items() if isinstance(valeur, (int, list))}
        return simples | {
            "au": self.au.isoformat(),
            "lignes": [],
            "exemples": [[c, _en_liste(a), _en_liste(b)] for c, a, b in self.exemples],
            "par_palier": {str(n): vars(m) for n, m in self.par_palier.items()},
        }

    @classmethod
    def depuis(cls, d: dict) -> "Ecart":
        return cls(
            **d | {
                "au": date.fromisoformat(d["au"]),
                "exemples": [(c, _en_etape(a), _en_etape(b)) for c, a, b in d["exemples"]],
                "par_palier": {int(n): Mouvement(**m) for n, m in d["par_palier"].items()},
            }
        )  # fmt: skip


def _en_liste(e: Etape) -> list:
    return [e.nature, e.le.isoformat() if e.le else None, e.canal, e.mode]


def _en_etape(valeurs: list) -> Etape:
    nature, le, canal, mode = valeurs
    return Etape(nature, date.fromisoformat(le) if le else None, canal, mode)


@dataclass(frozen=True)
class Essai:
    """Deux plans à juger sur les mêmes clients. avant = None : chaque client garde son plan d'aujourd'hui."""

    echelle: Echelle
    au: date
    plans: Plans
    avant: Plan | None
    apres: Plan
    clients: Iterable[int] | None = None


def preparer(
    apres: VersionEchelle,
    *,
    au: date,
    avant: VersionEchelle | None = None,
    reprise: str = "",
    clients: Iterable[int] | None = None,
    paliers: Iterable[PalierRegle] = (),
) -> Essai:
    """Prépare l'essai de `apres` contre `avant` (à défaut, ce qui est publié aujourd'hui).

    reprise : ce que deviendraient les pièces déjà relancées ; vide, le réglage de la version. clients : portefeuille
    (identifiants ou queryset) ; paliers : règles en cours de saisie, à la place de celles de `apres`.
    """
    echelle = apres.echelle
    publiees = [v for v in versions_publiees(echelle.societe) if v.echelle_id == echelle.pk]
    essaye = plan_si_publie(apres, publiees, reprise)
    par_id = {p.id: p for p in paliers}
    return Essai(
        echelle=echelle,
        au=au,
        plans=plans_publies(echelle.societe),
        avant=plan_si_publie(avant, publiees, reprise) if avant else plan_en_vigueur(_actives(publiees)),
        apres=replace(essaye, paliers=tuple(par_id.get(p.id, p) for p in essaye.paliers)),
        clients=clients,
    )


def _actives(publiees: list[VersionEchelle]) -> list[VersionEchelle]:
    """Rien si le plan est retiré : sa dernière version ne s'applique plus."""
    return publiees if publiees and publiees[-1].statut == VersionEchelle.Statut.PUBLIEE else []


def plan_si_publie(version: VersionEchelle, publiees: list[VersionEchelle], reprise: str = "") -> Plan:
    """Le plan tel qu'il jugerait si cette version était publiée maintenant, par-dessus les autres."""
    if publiees and version.pk == publiees[-1].pk and not reprise:
        return plan_en_vigueur(publiees)
    autres = [v for v in publiees if v.pk != version.pk]
    return plan_en_vigueur([*autres, version], reprise=reprise) or plan_de(version)


def comparer(apres: VersionEchelle, **reglage) -> Ecart:
    """Tout le grand livre d'un coup ; mêmes arguments que `preparer`."""
    return poursuivre(preparer(apres, **reglage))


def poursuivre(essai: Essai, ecart: Ecart | None = None, *, secondes: float | None = None, lignes: int = 0) -> Ecart:
    """Juge chaque pièce deux fois, par tranches, jusqu'au bout du grand livre, du temps ou des lignes demandées.

    Nombre de requêtes par tranche constant. lignes : garde le détail et s'arrête dès qu'il y en a autant.
    """
    suivis = _suivis(essai)
    if ecart is None:
        ecart = Ecart(essai.au, total=suivis.count())
    ecart.lignes = []
    debut = monotonic()
    while not ecart.fini:
        ids = list(suivis.filter(client_id__gt=ecart.dernier).order_by("client_id")[:TRANCHE])
        if ids:
            _juger(essai, ids, ecart, detail=bool(lignes))
            ecart.dernier = ids[-1]
        ecart.fini = len(ids) < TRANCHE
        if (secondes is not None and monotonic() - debut > secondes) or (lignes and len(ecart.lignes) >= lignes):
            break
    return ecart


def _avance(essai: Essai) -> int:
    """Jours avant l'échéance où l'un des deux plans commence à parler."""
    return max(
        (-p.delai for plan in (essai.avant, essai.apres) if plan for p in plan.paliers if p.delai < 0), default=0
    )


def _suivis(essai: Essai):
    """Identifiants des clients de ce plan qui ont une pièce ouverte à juger, sans doublon."""
    echelle = essai.echelle
    avance = _avance(essai)
    limite = date.fromordinal(essai.au.toordinal() + avance + (avance > 0))
    liens = Echelle.clients.through.objects.filter(
        client_id=OuterRef("client_id"), echelle__type_debiteur=echelle.type_debiteur
    )
    types = [echelle.type_debiteur, *(["a_qualifier"] if echelle.type_debiteur == "entreprise" else [])]
    pieces = Echeance.objects.ouvertes().filter(
        societe=echelle.societe_id, date_echeance__lt=limite, client__type__in=types
    )
    affecte = Exists(liens.filter(echelle=echelle))
    pieces = pieces.filter(affecte | ~Exists(liens)) if echelle.par_defaut else pieces.filter(affecte)
    if essai.clients is not None:
        pieces = pieces.filter(client__in=essai.clients)
    return pieces.order_by().values_list("client_id", flat=True).distinct()


def _juger(essai: Essai, ids: list[int], ecart: Ecart, *, detail: bool) -> None:
    societe = essai.echelle.societe
    ouvre, regles = ouvreur(societe), reglages(societe)
    # Le brouillon peut ajouter un rappel avant échéance : ses pièces non échues se lisent aussi.
    plans = Plans({**essai.plans.par_type, "": essai.apres}, essai.plans.par_client)
    for lot in faits_par_client(societe, plans, au=essai.au, ouvre=ouvre, clients=ids, toutes=True):
        for faits in lot:
            avant = essai.avant or essai.plans.pour(faits.id, faits.type)
            a, b = (
                regle_du_jeu.decider(faits, plan, au=essai.au, reglages=regles, ouvre=ouvre)
                for plan in (avant, essai.apres)
            )
            ecart.clients += 1
            ecart.pieces += len(a.decisions)
            ecart.envois_avant += len(a.envois)
            ecart.envois_apres += len(b.envois)
            _comparer_client(faits.id, a, b, ecart, detail=detail)


def _etapes(resultat: Resultat, au: date) -> dict[int, tuple[Decision, Etape]]:
    par_piece = {d.echeance.id: (v.canal.value, v.mode.value) for v in resultat.envois for d in v.decisions}
    etapes = {}
    for d in resultat.decisions:
        if d.palier is None:
            etape = Etape()
        else:
            prevu = (d.palier.canaux[0].value if d.palier.canaux else "", d.palier.mode.value)
            le = au if d.motif is Motif.RELANCEE else d.prochaine
            etape = Etape(d.palier.nature.value, le, *par_piece.get(d.echeance.id, prevu))
        etapes[d.echeance.id] = (d, etape)
    return etapes


def _comparer_client(client: int, a: Resultat, b: Resultat, ecart: Ecart, *, detail: bool) -> None:
    """Ajoute à l'écart ce qui change pour un client ; il ne compte qu'une fois dans chaque chiffre."""
    avant, apres = _etapes(a, ecart.au), _etapes(b, ecart.au)
    genres, natures, montre = set(), {}, None
    for pk, (decision, etape) in avant.items():
        suite, neuve = apres[pk]
        rien_ni_avant_ni_apres = etape.le is None and neuve.le is None and decision.motif is suite.motif
        if etape == neuve or rien_ni_avant_ni_apres:
            continue
        ecart.pieces_changees += 1
        genre, jours = _genre(etape, neuve)
        genres.add(genre)
        natures.setdefault(neuve.nature or etape.nature, []).append(jours)
        if montre is None or _gravite(neuve) < _gravite(montre[1]):
            montre = (etape, neuve)
        if detail:
            ecart.lignes.append(Changement(client, decision, suite, etape, neuve))
    if montre is None:
        return
    ecart.changes += 1
    for genre in genres:
        setattr(ecart, genre, getattr(ecart, genre) + 1)
    for nature, tous in natures.items():
        mouvement = ecart.par_palier.setdefault(nature, Mouvement())
        mouvement.clients += 1
        for jours in tous:
            mouvement.noter(jours)
    ecart.par_palier = dict(sorted(ecart.par_palier.items()))
    # Les exemples, du palier le plus grave au plus doux, puis du plus proche au plus lointain.
    ecart.exemples = sorted([*ecart.exemples, (client, *montre)], key=lambda x: (_gravite(x[2]), x[0]))[:EXEMPLES]
    if montre[1][:2] == (Nature.MISE_EN_DEMEURE, ecart.au) and montre[0].le != ecart.au:
        ecart.avancees += 1
        ecart.ce_soir = [*ecart.ce_soir, client][:EXEMPLES]


def _gravite(e: Etape) -> tuple:
    return -e.nature, e.le or date.max


def _genre(avant: Etape, apres: Etape) -> tuple[str, int]:
    """Le compteur de l'écart qui bouge, et les jours gagnés (négatif) ou perdus sur le même palier."""
    if apres.le is None:
        return ("perdus" if avant.le else "autrement"), 0
    if avant.le is None:
        return "plus_tot", 0
    jours = (apres.le - avant.le).days
    memes = jours if avant.nature == apres.nature else 0
    return ("plus_tot" if jours < 0 else "plus_tard" if jours > 0 else "autrement"), memes
