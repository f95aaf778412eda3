"""La voie de l'administration : ce qu'il faut, puis le projet de demande de mandatement d'office au préfet.

CGCT, art. L1612-16 : dette échue, certaine, liquide, non sérieusement contestée, d'une collectivité ou de son
établissement public, jamais de l'État ; le préfet met l'ordonnateur en demeure, puis mandate d'office à l'expiration
du délai. L'outil prépare, une personne relit, signe et envoie.
"""

from datetime import date

from django.core.exceptions import ValidationError
from django.db import transaction
from django.utils.translation import gettext as _

from clients.models import TypeDebiteur
from contentieux.models import DossierContentieux
from recouvrement.commun import depot
from relances.rendu import mandatement as rendu

from .decompte import Compte, compter
from .manques import Point, points_communs
from .pieces import consigner_dossier, courriers_partis, refuser_si_clos, verrouiller
from .requete import composer


def points(dossier: DossierContentieux, compte: Compte, *, au: date) -> list[Point]:
    """Ce que la demande au préfet suppose, acquis ou non."""
    return [
        _personne_publique(dossier),
        *points_communs(dossier, compte, au=au),
        _demandes(dossier),
        _prefet(dossier),
        Point("marche", _("Marché ou commande"), "" if dossier.marche.strip() else _("À renseigner."), "juridiction"),
        Point(
            "expose",
            _("Créance certaine : service fait"),
            "" if dossier.expose.strip() else _("Dites ce qui prouve le service fait."),
            "dossier",
        ),
    ]


def _personne_publique(dossier: DossierContentieux) -> Point:
    client = dossier.client
    manque, titre = "", _("Personne publique identifiée : adresse et SIRET")
    if client.type != TypeDebiteur.ADMINISTRATION:
        manque = _("Type du client : %(t)s.") % {"t": client.get_type_display()}
    elif not client.siret:
        manque = _("Manque : SIRET.")
    elif not (client.adresse and client.code_postal and client.ville):
        manque = _("L'adresse est incomplète.")
    return Point("debiteur", titre, manque, "client")


def _demandes(dossier: DossierContentieux) -> Point:
    parties = courriers_partis([ligne.echeance_id for ligne in dossier.lignes.all()])
    manque = "" if parties or dossier.derogation else _("Aucune demande de paiement n'est partie.")
    return Point("demandes", _("Demandes de paiement écrites"), manque, "client")


def _prefet(dossier: DossierContentieux) -> Point:
    titre = _("Préfet compétent, choisi et relu")
    if not dossier.tribunal.strip() or not dossier.tribunal_adresse.strip():
        manque = _("Nommez la préfecture et son adresse.")
    elif not dossier.competence_relue:
        manque = _(
            "À relire : le mandatement d'office vise une collectivité ou un établissement public local, pas l'État "
            "(référé-provision : CJA, art. R541-1)."
        )
    else:
        manque = ""
    return Point("juridiction", titre, manque, "juridiction")


@transaction.atomic
def projet_de_mandatement(dossier: DossierContentieux, *, par, au: date) -> bytes:
    """PDF du projet, rangé et rattaché au dossier ; rien n'est envoyé.

    Lève ValidationError avec la liste des manques, ou si la demande est déjà partie ; PdfIndisponible sans moteur.
    """
    dossier = verrouiller(dossier)
    refuser_si_clos(dossier)
    if dossier.voie != DossierContentieux.Voie.MANDATEMENT:
        raise ValidationError(_("Le mandatement d'office n'atteint que les personnes publiques (CGCT, art. L1612-16)."))
    if dossier.depose_le:
        raise ValidationError(_("La demande au préfet est déjà partie."))
    absents = [p for p in points(dossier, compter(dossier), au=au) if not p.acquis]
    if absents:
        raise ValidationError([f"{p.titre} : {p.manque}" for p in absents])
    demande = rendu.DemandeMandatement(
        requete=composer(dossier, au=au), marche=dossier.marche, objet=dossier.client.objet_contrat
    )
    octets = rendu.rendre_pdf(demande)
    dossier.requete_chemin, dossier.requete_empreinte = depot.ranger(octets, ".pdf")
    dossier.requete_le = au
    dossier.save(update_fields=["requete_chemin", "requete_empreinte", "requete_le", "updated_at"])
    consigner_dossier(
        "contentieux.mandatement_produit", dossier, par, texte=_("projet de demande au préfet produit"),
        empreinte=dossier.requete_empreinte, arrete_au=dossier.arrete_au,
    )  # fmt: skip
    return octets
