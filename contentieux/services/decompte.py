"""Le compte d'un dossier arrêté à sa date : celui de `factures.decompte`.

Un crédit non affecté n'en est pas déduit : il le serait autant de fois que le compte a de dossiers. Il s'affecte avant.
"""

from dataclasses import dataclass, replace
from datetime import date
from decimal import Decimal

from django.utils.translation import gettext as _

from contentieux.models import DossierContentieux
from factures.models import Echeance, Imputation
from relances.rendu import lettres
from relances.rendu.contexte import Decompte, Destinataire, Gestionnaire, LigneDue, Taux, Totaux, totaliser
from relances.services.dues import credits_ouverts, dues_du_decompte, etablir_lignes, notes, sources, taux_du_client
from relances.services.preparation import destinataire, emetteur

ZERO = Decimal("0.00")


@dataclass(frozen=True)
class Compte:
    """Ce que réclame le dossier ; `semestres_manquants` non vide : le calcul est refusé, pas extrapolé."""

    arrete_au: date
    devise: str
    lignes: tuple[LigneDue, ...]
    totaux: Totaux
    taux: Taux
    sources: tuple[tuple[str, str], ...] = ()
    notes: tuple[str, ...] = ()
    a_affecter: Decimal = ZERO  # reçu et posé sur aucune pièce : à affecter avant de produire le dossier

    @property
    def accessoires(self) -> Decimal:
        """Intérêts restant dus et indemnités."""
        return self.totaux.penalites + self.totaux.indemnites

    @property
    def calculable(self) -> bool:
        return not self.taux.semestres_manquants and not self.taux.sous_plancher


def compter(dossier: DossierContentieux) -> Compte:
    """Le compte arrêté à `dossier.arrete_au` : ce qui n'était pas dû ou pas encore réglé ce jour-là y est tel quel.

    Contre un consommateur, les intérêts courent de la mise en demeure reçue (C. civ., art. 1344-1).
    """
    client, au = dossier.client, dossier.arrete_au
    toutes = Echeance.objects.filter(dossiers__dossier=dossier).select_related("facture")
    d = etablir_lignes(toutes.order_by("date_echeance", "pk"), client, au=au)
    # Réglée au principal, une échéance y reste pour ce que les intérêts, imputés d'abord, laissent dû (C. civ., art.
    # 1343-1) ; plus rien n'est dû, elle en sort. Incalculable, elle y reste pour être dite.
    d = replace(d, devise=dossier.devise, lignes=tuple(x for x in d.lignes if x.due or x.conteste))
    dues = dues_du_decompte(d)
    return Compte(
        arrete_au=au,
        devise=dossier.devise,
        lignes=dues.lignes,
        totaux=totaliser(dues.lignes, (), au=au, chiffree=True, devise=dossier.devise),
        a_affecter=sum((x.montant for x in credits_ouverts(client, dossier.devise, au=au)), ZERO),
        taux=taux_du_client(client, dues, langue="fr"),
        sources=sources(d) if d.calculable else (),
        notes=notes(d),
    )


def dernier_reglement(dossier: DossierContentieux) -> date | None:
    """Jour de la dernière somme posée sur une échéance du dossier."""
    return (
        Imputation.objects.filter(echeance__dossiers__dossier=dossier)
        .order_by("-date")
        .values_list("date", flat=True)
        .first()
    )


def debiteur(dossier: DossierContentieux) -> Destinataire:
    """Le débiteur tel que le dossier l'identifie."""
    return replace(
        destinataire(dossier.client),
        capital=dossier.debiteur_capital,
        rcs_ville=dossier.debiteur_rcs.removeprefix("RCS ").strip(),
        representant=dossier.debiteur_representant,
    )


def interlocuteur(dossier: DossierContentieux) -> Gestionnaire:
    suivi, societe = dossier.client.gestionnaire, dossier.societe
    return Gestionnaire(
        nom=suivi.nom if suivi else societe.signataire_nom,
        telephone=(suivi and suivi.telephone) or societe.telephone,
        courriel=suivi.courriel if suivi else societe.courriel,
    )


def rendre_decompte(dossier: DossierContentieux, *, au: date) -> bytes:
    """PDF du décompte. Lève PdfIndisponible sans moteur."""
    compte = compter(dossier)
    return lettres.rendre_decompte_pdf(
        Decompte(
            emetteur=emetteur(dossier.societe),
            destinataire=debiteur(dossier),
            reference=dossier.reference,
            date=au,
            arrete_au=compte.arrete_au,
            lignes=compte.lignes,
            gestionnaire=interlocuteur(dossier),
            taux=compte.taux,
            devise=compte.devise,
            sources=compte.sources,
            notes=compte.notes,
        )
    )


def refus_du_calcul(compte: Compte) -> str:
    """Phrase qui nomme les semestres absents du barème, ou le choix qui manque ; vide si le calcul est fait."""
    if compte.calculable:
        return ""
    if compte.taux.sous_plancher:
        return _("Clause sous le minimum légal : choisissez d'abord, sur la fiche client, le taux qui la remplace.")
    return _("Taux inconnu pour %(s)s : le décompte n'est pas calculable à cette date.") % {
        "s": ", ".join(compte.taux.semestres_manquants)
    }
