"""Les constats du contrôle d'un plan, en phrases, avec l'endroit où corriger."""

from collections.abc import Iterable
from typing import NamedTuple

from django.urls import reverse
from django.utils.translation import gettext as _

from relances import motifs
from relances.domaine.controle import DELAI_MAX, DELAI_MIN, REPONSE_MAX, Constat
from relances.models import VersionEchelle
from relances.models.echelles import CanalChoix

from .frises import nom_du_jour

SIGNES = {"bon": "circle-check", "info": "info-circle", "att": "alert-triangle", "mal": "circle-x"}
ORDRE = {"mal": 0, "att": 1, "bon": 2, "info": 3}


class Dit(NamedTuple):
    """Un constat prêt à montrer ; url : où le corriger, vide s'il ne se corrige pas ici."""

    ton: str
    signe: str
    phrase: str
    url: str


def dire(constats: Iterable[Constat], version: VersionEchelle, *, editable: bool) -> list[Dit]:
    """Du plus grave au plus anodin."""
    return [
        Dit(c.ton, SIGNES[c.ton], phrase(c), _ou(c, version) if editable else "")
        for c in sorted(constats, key=lambda c: ORDRE[c.ton])
    ]


def _ou(c: Constat, version: VersionEchelle) -> str:
    """Le palier et sa saisie ; sinon le menu d'ajout ou les règles du plan."""
    if c.ton in ("bon", "info"):
        return ""
    url = reverse("relances:plan", args=[version.echelle_id])
    if c.champ in ("ajouter", "regles"):
        return f"{url}#{c.champ}"
    if c.palier:
        return f"{url}?palier={c.palier}" + (f"#id_p{c.palier}-{c.champ}" if c.champ else "#palier-titre")
    return ""


def phrase(c: Constat) -> str:
    """Un constat du contrôle, en une phrase."""
    nom = motifs.nom_palier(c.nature)
    phrases = {
        "vide": _("Le plan n'a aucun palier."),
        "ordre": _("%(nom)s vient après %(autre)s, qui est plus grave."),
        "premier_precedent": _("%(nom)s est le premier palier : il ne peut se compter depuis « le précédent »."),
        "calendrier": _("%(nom)s tombe à %(jour)s, avant le palier qui le précède (%(avant)s)."),
        "meme_jour": _("%(nom)s tombe le même jour que %(autre)s (%(jour)s) : une seule étape par pièce et par nuit."),
        "delai_bornes": _("%(nom)s : délai de %(n)s jours, permis de %(min)s à %(max)s."),
        "pas_avant": _("%(nom)s : son délai est négatif, il se compte avant l'échéance."),
        "negatif": _("%(nom)s : seul un rappel avant échéance a un délai négatif."),
        "reponse_bornes": _("%(nom)s : le client doit avoir de 1 à %(reponse)s jours pour répondre."),
        "canal_interdit": _("%(nom)s ne peut pas partir par ce canal : %(canal)s."),
        "canal_double": _("%(nom)s : un canal est cité deux fois."),
        "sms_seul": _("%(nom)s : un SMS seul ne prouve rien et ne dit pas tout. Ajoutez un courriel ou une lettre."),
        "mode_interdit": {
            3: _("Un appel se fait par une personne : réglez-le en tâche."),
            5: _("Une mise en demeure ne part jamais seule : une personne la valide."),
            6: _("Le contentieux est toujours la décision d'une personne : réglez-le en tâche."),
        }.get(c.nature, ""),
        "modele": _("%(nom)s : le modèle nommé n'est pas publié pour ce palier et ce type de débiteur."),
        "plafond_sous_seuil": _("Le plafond par envoi ne dépasse pas le seuil : tout envoi attendrait un responsable."),
        "amiables": _("%(n)s relances amiables avant la décision d'une personne : plafond de %(autre_n)s respecté."),
        "trop_amiables": _(
            "%(n)s relances amiables pour un plafond de %(autre_n)s : au-delà, la pièce attend une personne."
        ),
        "administration": _("Aucune mise en demeure de droit privé à une administration : mandatement d'office."),
        "mandatement": _("Dernière étape : demander au préfet un mandatement d'office (CGCT, art. L1612-16)."),
        "sans_formalisation": _("Mise en demeure sans formalisation avant elle : elle ne partirait jamais."),
        "sans_mise_en_demeure": _("Contentieux sans mise en demeure avant lui : le juge la demandera."),
        "deux_contentieux": _("Deux paliers Contentieux : cette décision se prend une fois. Retirez-en un."),
        "sans_recommande": _("Une mise en demeure part en recommandé avec avis de réception."),
        "pas_que_recommande": _("Mise en demeure : à défaut de recommandé, seule une tâche est permise."),
        "delai": _(
            "%(n)s jours de nouveau délai sont un usage. La loi demande un délai raisonnable (C. civ., art. 1231)."
        ),
        "delai_court": _("%(n)s jours de nouveau délai : trop court, il se contesterait (C. civ., art. 1231)."),
        "avant_reponse": _(
            "%(nom)s vient %(n)s jours après une lettre qui en donne %(autre_n)s pour répondre : attendez ce délai."
        ),
        "trop_pres": _(
            "%(nom)s vient %(n)s jours après le palier précédent : le délai de %(autre_n)s jours entre contacts le "
            "repoussera."
        ),
        "sans_repli": _("%(nom)s : sans adresse de courriel, rien ne part. Ajoutez un repli."),
        "sans_canal": _("%(nom)s n'a aucun canal."),
    }
    return phrases[c.code] % {
        "nom": nom,
        "autre": motifs.nom_palier(c.autre) if c.code in ("ordre", "meme_jour") else "",
        "jour": nom_du_jour(c.n),
        "avant": nom_du_jour(c.autre),
        "n": c.n,
        "autre_n": c.autre,
        "min": DELAI_MIN,
        "max": DELAI_MAX,
        "reponse": REPONSE_MAX,
        "canal": CanalChoix(c.canal).label if c.canal else "",
    }
