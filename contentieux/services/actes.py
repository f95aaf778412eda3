"""La prescription d'une facture, telle qu'une personne la renseigne : nature, exécution, actes et leurs preuves."""

from datetime import date

from django.core.exceptions import ValidationError
from django.db import transaction
from django.utils import timezone
from django.utils.translation import gettext as _

from contentieux.donnees import natures
from contentieux.models import DossierContentieux, Interruption
from factures.models import Facture
from recouvrement.commun import depot
from recouvrement.commun.fichiers import identifier, nom_sur
from recouvrement.commun.formats import jour as ecrire_jour
from recouvrement.journal.services import consigner


def _verrouiller(facture: Facture) -> Facture:
    return (
        Facture.objects.select_for_update(no_key=True, of=("self",))
        .select_related("societe", "client")
        .get(pk=facture.pk)
    )


def _consigner(action: str, facture: Facture, par, texte: str, **donnees) -> None:
    consigner(action, societe=facture.societe, acteur=par, objet=facture, client=facture.client, texte=texte,
              donnees={"facture": facture.pk, **donnees})  # fmt: skip


def _a_relire(facture: Facture) -> None:
    """Ce qui change une date fait relire les dossiers où elle compte."""
    lies = DossierContentieux.objects.filter(lignes__echeance__facture=facture, clos_le=None)
    DossierContentieux.objects.filter(pk__in=lies.values("pk")).update(prescription_relue_le=None)


@transaction.atomic
def qualifier_creance(
    facture: Facture, *, nature: str, execution: date | None, par, au: date, titre: date | None = None
) -> bool:
    """Nature de la créance (vide : celle du type de débiteur), dates d'exécution et du titre. Faux si rien ne change.

    Lève ValidationError, par champ : nature inconnue ou sans durée dans la table, exécution ou titre à venir.
    """
    facture = _verrouiller(facture)
    table = natures().get(nature)
    if nature and (table is None or table.duree is None or table.depart is None):
        raise ValidationError({"nature": _("Cette nature n'a pas de durée dans la table : choisissez-en une autre.")})
    if execution and execution > au:
        raise ValidationError({"execution": _("Une exécution à venir ne fait rien partir.")})
    if titre and titre > au:
        raise ValidationError({"titre": _("Ce titre n'est pas encore obtenu.")})
    avant = {"nature": facture.nature_creance, "execution": facture.date_execution, "titre": facture.titre_le}
    apres = {"nature": nature, "execution": execution, "titre": titre}
    if avant == apres:
        return False
    facture.nature_creance, facture.date_execution, facture.titre_le = nature, execution, titre
    facture.save(update_fields=["nature_creance", "date_execution", "titre_le", "updated_at"])
    _a_relire(facture)
    libelle = table.libelle if table else _("celle du débiteur")
    texte = _("%(f)s : nature %(n)s, exécution %(j)s") % {
        "f": facture.numero, "n": libelle, "j": ecrire_jour(execution) if execution else _("inconnue"),
    }  # fmt: skip
    _consigner("prescription.qualifiee", facture, par, texte, avant=avant, apres=apres)
    return True


@transaction.atomic
def relever_acte(
    facture: Facture, *, acte: str, jour: date, par, au: date, note: str = "", preuve: bytes = b"", nom: str = ""
) -> Interruption:
    """Un acte qu'une personne tient pour interruptif, avec sa preuve ; la date d'origine n'en bouge pas.

    preuve : PDF, PNG ou JPEG, rangé par empreinte ; à défaut, `note` dit où elle se trouve. Lève ValidationError :
    acte à venir, antérieur à la facture et à son exécution, déjà relevé, ou sans rien qui le prouve.
    """
    facture, note = _verrouiller(facture), note.strip()[:200]
    if acte not in Interruption.Acte.values:
        raise ValidationError({"acte": _("Cet acte n'est pas de ceux qu'une personne relève.")})
    if jour > au:
        raise ValidationError({"jour": _("Cet acte n'a pas encore eu lieu.")})
    if jour < min(facture.date_emission, facture.date_execution or facture.date_emission):
        raise ValidationError({"jour": _("Cet acte précède la facture et son exécution.")})
    if not preuve and not note:
        raise ValidationError({"preuve": _("Joignez la preuve, ou notez où elle se trouve.")})
    if Interruption.objects.filter(facture=facture, acte=acte, jour=jour, annulee_le=None).exists():
        raise ValidationError({"jour": _("Cet acte est déjà relevé à cette date.")})
    champs = {}
    if preuve:
        lu = identifier(preuve)
        chemin, empreinte = depot.ranger(preuve, lu.suffixe)
        champs = {
            "preuve_chemin": chemin, "preuve_empreinte": empreinte, "preuve_nom": nom_sur(nom)[:160] or _("preuve"),
        }  # fmt: skip
    fait = Interruption.objects.create(facture=facture, acte=acte, jour=jour, note=note, auteur=par, **champs)
    _a_relire(facture)
    _consigner("prescription.acte", facture, par, f"{facture.numero} : {fait}", acte=acte, le=jour,
               empreinte=fait.preuve_empreinte)  # fmt: skip
    return fait


@transaction.atomic
def annuler_acte(fait: Interruption, *, motif: str, par) -> bool:
    """Annule un acte relevé par erreur : il ne compte plus, il reste au journal. Faux s'il l'était déjà."""
    if not motif.strip():
        raise ValidationError({"motif": _("Dites pourquoi cet acte s'annule.")})
    if not Interruption.objects.filter(pk=fait.pk, annulee_le=None).update(annulee_le=timezone.now()):
        return False
    facture = _verrouiller(fait.facture)
    _a_relire(facture)
    texte = _("acte annulé : %(a)s (%(m)s)") % {"a": fait, "m": motif.strip()[:200]}
    _consigner("prescription.acte_annule", facture, par, texte, acte=fait.acte, le=fait.jour)
    return True
