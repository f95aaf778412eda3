"""Ce que changerait un brouillon de plan, sur le grand livre d'aujourd'hui, par le code de la nuit."""

from collections.abc import Iterable
from dataclasses import dataclass, field
from datetime import date

from django.utils.translation import gettext as _

from clients.models import Client
from relances.domaine import echelle
from relances.domaine.echelle import Decision, Motif, PalierRegle, Plan
from relances.domaine.natures import Nature
from relances.models import VersionEchelle

from .faits import faits_par_client, ouvreur, reglages
from .plans import plan_de, plans_publies


@dataclass(frozen=True)
class Etape:
    """Le prochain palier d'une pièce et son jour ; None : rien de prévu, une retenue sans date."""

    nature: Nature = Nature.AUCUNE
    le: date | None = None


@dataclass(frozen=True)
class Exemple:
    client: Client
    avant: Etape
    apres: Etape


@dataclass
class Mouvement:
    """Ce qui bouge vers un palier : clients concernés, écart en jours (négatif : plus tôt)."""

    clients: set[int] = field(default_factory=set)
    ecarts: list[int] = field(default_factory=list)

    @property
    def phrase(self) -> str:
        """« 3 à 7 jours plus tôt » ; vide si rien ne se compare d'un jour à l'autre."""
        tot = [-e for e in self.ecarts if e < 0]
        tard = [e for e in self.ecarts if e > 0]
        if tot and tard:
            return _("plus tôt ou plus tard selon la pièce")
        bornes = tot or tard
        if not bornes:
            return ""
        debut, fin = min(bornes), max(bornes)
        nombre = str(fin) if debut == fin else _("%(debut)s à %(fin)s") % {"debut": debut, "fin": fin}
        return (_("%(n)s j plus tôt") if tot else _("%(n)s j plus tard")) % {"n": nombre}


@dataclass
class Ecart:
    """Clients et pièces traités autrement si le brouillon était publié au jour `au`."""

    au: date
    pieces: int = 0
    pieces_changees: int = 0
    clients: int = 0
    changes: set[int] = field(default_factory=set)
    plus_tot: set[int] = field(default_factory=set)
    plus_tard: set[int] = field(default_factory=set)
    perdus: set[int] = field(default_factory=set)  # ne partiraient plus
    par_palier: dict[Nature, Mouvement] = field(default_factory=dict)
    exemples: list[Exemple] = field(default_factory=list)
    ce_soir: list[Client] = field(default_factory=list)  # mises en demeure avancées à ce soir

    @property
    def autres(self) -> int:
        """Clients changés qui ne sont pas montrés en exemple."""
        return len(self.changes) - len({x.client.pk for x in self.exemples})


def comparer(
    brouillon: VersionEchelle,
    *,
    au: date,
    clients: Iterable[int] | None = None,
    paliers: Iterable[PalierRegle] = (),
    exemples: int = 6,
) -> Ecart:
    """Juge chaque pièce échue deux fois, par la version publiée et par le brouillon.

    clients : limite au portefeuille ; paliers : règles en cours de saisie, qui remplacent celles du brouillon.
    Publier ne réinterprète pas ce qui est en cours : d'une version à l'autre, la nature atteinte fait foi.
    """
    societe = brouillon.echelle.societe
    plans, ouvre, regles = plans_publies(societe), ouvreur(societe), reglages(societe)
    publie = plans.par_type.get(brouillon.echelle.type_debiteur)
    ecart = Ecart(au)
    if publie is None:
        return ecart
    candidat = _avec(plan_de(brouillon), paliers)
    montres: dict[int, tuple[Etape, Etape]] = {}
    for lot in faits_par_client(societe, plans, au=au, ouvre=ouvre, clients=clients, toutes=True):
        for faits in lot:
            if plans.pour(faits.id, faits.type) is not publie:
                continue
            ecart.clients += 1
            avant, apres = (
                {
                    d.echeance.id: _etape(d, au)
                    for d in echelle.decider(faits, plan, au=au, reglages=regles, ouvre=ouvre).decisions
                }
                for plan in (publie, candidat)
            )
            ecart.pieces += len(avant)
            for pk, etape in avant.items():
                if etape != apres[pk]:
                    _noter(ecart, faits.id, etape, apres[pk])
                    # Un client ne se montre qu'une fois, par son changement le plus grave.
                    if faits.id not in montres or apres[pk].nature > montres[faits.id][1].nature:
                        montres[faits.id] = (etape, apres[pk])
    _nommer(ecart, montres, exemples)
    return ecart


def _avec(plan: Plan, saisis: Iterable[PalierRegle]) -> Plan:
    par_id = {p.id: p for p in saisis}
    return Plan(
        version=plan.version,
        paliers=tuple(par_id.get(p.id, p) for p in plan.paliers),
        regroupement=plan.regroupement,
        seuil_piece=plan.seuil_piece,
        seuil_envoi=plan.seuil_envoi,
        plafond_envoi=plan.plafond_envoi,
    )


def _etape(d: Decision, au: date) -> Etape:
    if d.palier is None:
        return Etape()
    return Etape(d.palier.nature, au if d.motif is Motif.RELANCEE else d.prochaine)


def _noter(ecart: Ecart, client: int, avant: Etape, apres: Etape) -> None:
    ecart.pieces_changees += 1
    ecart.changes.add(client)
    mouvement = ecart.par_palier.setdefault(apres.nature or avant.nature, Mouvement())
    mouvement.clients.add(client)
    if apres.le is None:
        if avant.le is not None:
            ecart.perdus.add(client)
        return
    jours = (apres.le - avant.le).days if avant.le else None
    if jours is not None and avant.nature == apres.nature:
        mouvement.ecarts.append(jours)
    if jours is None or jours < 0:
        ecart.plus_tot.add(client)
    elif jours > 0:
        ecart.plus_tard.add(client)


def _nommer(ecart: Ecart, montres: dict[int, tuple[Etape, Etape]], exemples: int) -> None:
    """Les exemples, du palier le plus grave au plus doux, puis du plus proche au plus lointain."""
    ordre = sorted(montres.items(), key=lambda x: (-x[1][1].nature, x[1][1].le or date.max, x[0]))
    ce_soir = [
        c for c, (avant, apres) in ordre if apres == Etape(Nature.MISE_EN_DEMEURE, ecart.au) and avant.le != ecart.au
    ]
    noms = Client.objects.in_bulk([c for c, _e in ordre[:exemples]] + ce_soir[:exemples])
    ecart.exemples = [Exemple(noms[c], avant, apres) for c, (avant, apres) in ordre[:exemples]]
    ecart.ce_soir = [noms[c] for c in ce_soir[:exemples]]
    ecart.par_palier = dict(sorted(ecart.par_palier.items()))
