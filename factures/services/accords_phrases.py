"""Les phrases d'un accord : la borne franchie, le refus de droit avec son article, l'avertissement."""

from datetime import date
from decimal import Decimal

from django.utils.translation import gettext as _
from django.utils.translation import ngettext

from recouvrement.commun.formats import jour, nombre, somme

from ..domaine.accords import Raison


def dire_la_raison(r: Raison, devise: str) -> str:
    """La borne franchie, en une phrase."""
    v = {nom: _ecrire(x, "" if r.code == "remise_max" else devise) for nom, x in r.valeurs.items()}
    if r.code == "duree":
        return ngettext(
            "L'échéancier dure %(duree)d jour, la société en accorde %(maximum)d.",
            "L'échéancier dure %(duree)d jours, la société en accorde %(maximum)d.",
            r.valeurs["jours"],
        ) % {"duree": r.valeurs["jours"], "maximum": r.valeurs["maximum"]}
    if r.code == "somme":
        return _("Les mensualités font %(total)s, il est dû %(du)s : l'écart est de %(ecart)s.") % v
    phrases = {
        "rien_du": _("Rien n'est dû sur ces pièces."),
        "nombre_impossible": _("De %(minimum)s à %(maximum)s mensualités : un plan qui ne finit pas se refuse."),
        "nombre": _("%(nombre)s mensualités, la société en accorde %(maximum)s au plus."),
        "montant_nul": _("Chaque mensualité est un montant positif."),
        "desordre": _("Les dates des mensualités se suivent."),
        "premiere_passee": _("La première mensualité vient après aujourd'hui."),
        "premiere_tard": _("La première mensualité vient au plus tard le %(le)s."),
        "sans_fin": _("Au-delà de %(jours)s jours, un plan ne se propose plus (C. civ., art. 1343-5)."),
        "mensualite_min": _("Chaque mensualité est d'au moins %(minimum)s."),
        "capacite": _("%(mensualite)s par mois dépassent les %(capacite)s que le client dit pouvoir verser."),
        "penalites": _("Abandonner les pénalités se décide au cas par cas : un responsable l'accepte."),
        "sans_clause": _("Sans clause de déchéance du terme : un responsable l'accepte."),
        "novation": _("Une novation éteint la dette et ses garanties : un responsable l'accepte."),
        "montant_max": _("%(montant)s : au-delà de %(maximum)s, un responsable accepte."),
        "remise_impossible": _("La part abandonnée est positive et moindre que la dette de %(montant)s."),
        "remise_max": _("%(taux)s %% du dû abandonnés : au-delà de %(maximum)s %%, un responsable accepte."),
        "payer_passe": _("Dites le jour, à venir, avant lequel le client paie."),
        "payer_tard": _("Un paiement immédiat vient sous %(jours)s jours."),
    }
    return phrases[r.code] % v


def _ecrire(x, devise: str):
    """Une somme dans sa devise, un taux si elle est vide, un jour, ou l'entier tel quel."""
    if isinstance(x, Decimal):
        return somme(x, devise) if devise else nombre(x, 2)
    return jour(x) if isinstance(x, date) else x


def dire_l_avis(code: str, *, conteste: Decimal, devise: str) -> str:
    """Le refus ou l'avertissement de droit, avec son article."""
    phrases = {
        "a_qualifier": _("Qualifiez d'abord ce client : entreprise, administration ou particulier."),
        "surendettement": _("Surendettement recevable : le plan est celui de la commission (C. consom., art. L722-5)."),
        "procedure": _(
            "Procédure collective : une créance antérieure ne se paie ni ne s'aménage (C. com., art. L622-7)."
        ),
        "procedure_compensation": _(
            "Procédure collective : seules se compensent des créances connexes (C. com., art. L622-7), à justifier."
        ),
        "compensation_publique": _("Une personne publique ne compense que par son comptable : à lui de le faire."),
        "compensation_contestee": _("Une pièce contestée n'est pas certaine : elle ne se compense pas (art. 1347-1)."),
        "compensation_a_echoir": _("Une pièce à échoir n'est pas exigible : elle ne se compense pas (art. 1347-1)."),
        "compensation_incertaine": _("Confirmez que la créance opposée est certaine, liquide et exigible."),
        "novation_presumee": _(
            "La novation ne se présume pas : confirmez que les deux parties la veulent (art. 1330)."
        ),
        "novation_suretes": _(
            "Les sûretés et les accessoires de la dette ancienne se perdent, sauf réserve (art. 1334)."
        ),
        "interets_publics": _(
            "Renoncer aux intérêts moratoires d'une personne publique est réputé non écrit (L2192-14)."
        ),
        "comptable_public": _("Personne publique : l'accord engage l'ordonnateur, le comptable contrôle la dépense."),
        "particulier_sans_frais": _("Particulier : ni frais, ni intérêt de plus que la loi ; le médiateur est nommé."),
        "vente_a_perte": _("Une remise ne fait pas passer un produit revendu sous son prix d'achat (art. L442-5)."),
        "conteste": _("Dont %(conteste)s contestés : les inclure demande l'accord écrit du client."),
        "promesse": _("La promesse en attente est remplacée à la signature."),
    }
    return phrases[code] % {"conteste": somme(conteste, devise)}
