"""Tenir un dossier : renseigner, enregistrer les étapes, les frais et les actes, clore. Chaque geste un maillon."""

from collections.abc import Iterable
from datetime import date
from decimal import Decimal

from django.core.exceptions import ValidationError
from django.db import transaction
from django.utils import timezone
from django.utils.translation import gettext as _

from contentieux.domaine.procedure import Delai, EtapeRefusee, Etat, Juge, Procedure, Situation, Transition
from contentieux.domaine.tribunaux import JUGES, Genre, distance_mois, region_feries
from contentieux.donnees import injonction, mandatement, natures
from contentieux.models import DossierContentieux, Etape, Frais, Interruption, Piece
from factures.models import Echeance, Facture
from recouvrement.commun.formats import jour as ecrire_jour
from recouvrement.commun.formats import somme

from .pieces import consigner_dossier, refuser_si_clos, verrouiller

CHAMPS_LIBRES = (
    "arrete_au", "juridiction", "tribunal", "tribunal_adresse", "competence_relue", "debiteur_representant",
    "debiteur_capital", "debiteur_rcs", "expose", "contestations", "renvoi", "pouvoir", "nature_creance",
    "prescription_relue_le", "marche", "delai_ordonnateur_mois",
)  # fmt: skip
# Changer la juridiction ou son siège demande de relire la compétence.
A_RELIRE = {"juridiction", "tribunal"}
# L'acte que l'on dépose, à produire d'abord.
DEPOTS = {"depot_requete", "demande_prefet"}
DATES = {
    "depose_le": ("depot_requete", "demande_prefet"),
    "ordonnance_le": ("ordonnance",),
    "signifiee_le": ("signification",),
    "opposition_le": ("opposition", "opposition_tardive"),
}


# --- Lire ----------------------------------------------------------------------------------------
def situation(dossier: DossierContentieux, *, au: date, etapes: Iterable[Etape] | None = None) -> Situation:
    """Ce que la procédure doit savoir du dossier. `etapes` : celles déjà chargées, sinon lues."""
    if etapes is None:
        etapes = dossier.etapes.filter(annulee_le=None)
    client = dossier.client
    return Situation(
        au=au,
        juge=JUGES[Genre(dossier.juridiction)] if dossier.juridiction else Juge.COMMERCE,
        montant=sum((ligne.reste_du_a_l_ouverture for ligne in dossier.lignes.all()), Decimal(0)),
        dates={e.evenement: e.le for e in etapes if e.annulee_le is None},
        a_personne=dossier.signifiee_a_personne,
        region=region_feries(client.code_postal),
        distance_mois=distance_mois(client.code_postal, client.pays),
    )


def procedure(dossier: DossierContentieux) -> Procedure:
    """La table que suit ce dossier."""
    if dossier.voie == DossierContentieux.Voie.MANDATEMENT:
        return mandatement(dossier.delai_ordonnateur_mois)
    return injonction()


def etat(dossier: DossierContentieux) -> Etat | None:
    """État de la procédure, None si le dossier est clos."""
    return None if dossier.statut == DossierContentieux.Statut.CLOS else Etat(dossier.statut)


def delais(dossier: DossierContentieux, *, au: date, etapes: Iterable[Etape] | None = None) -> tuple[Delai, ...]:
    """Délais de procédure qui courent, le plus proche d'abord."""
    ici = etat(dossier)
    return procedure(dossier).delais(ici, situation(dossier, au=au, etapes=etapes)) if ici else ()


def etapes_possibles(dossier: DossierContentieux, *, au: date) -> tuple[Transition, ...]:
    """Événements que la table permet d'enregistrer maintenant."""
    ici = etat(dossier)
    return procedure(dossier).permises(ici, situation(dossier, au=au)) if ici else ()


# --- Renseigner ----------------------------------------------------------------------------------
@transaction.atomic
def completer(dossier: DossierContentieux, *, par, vu: str = "", **champs) -> DossierContentieux:
    """Renseigne tribunal, représentant, exposé, décompte… Lève ValidationError, par champ.

    vu : instant de dernière modification que la personne avait sous les yeux (ISO) ; s'il a changé, rien ne
    s'écrit. Un champ inconnu lève TypeError. Le journal garde le nom des champs changés, pas leur contenu.
    """
    if inconnus := set(champs) - set(CHAMPS_LIBRES):
        raise TypeError(f"champs inconnus : {sorted(inconnus)}")
    dossier = verrouiller(dossier)
    refuser_si_clos(dossier)
    if vu and vu != dossier.updated_at.isoformat():
        raise ValidationError(
            _("Le dossier a été modifié entre-temps : copiez votre saisie, rouvrez ce volet et reprenez-la.")
        )
    changes = {nom: valeur for nom, valeur in champs.items() if getattr(dossier, nom) != valeur}
    if dossier.depose_le and set(changes) - {"nature_creance", "prescription_relue_le"}:
        raise ValidationError(
            _("La requête est déposée depuis le %(j)s : ses mentions ne changent plus.")
            % {"j": ecrire_jour(dossier.depose_le)}
        )
    if changes.get("nature_creance") and changes["nature_creance"] not in natures():
        raise ValidationError({"nature_creance": _("Nature de créance inconnue.")})
    if A_RELIRE & set(changes) and "competence_relue" not in changes:
        changes["competence_relue"] = False
    if "nature_creance" in changes and "prescription_relue_le" not in changes:
        changes["prescription_relue_le"] = None
    if not changes:
        return dossier
    for nom, valeur in changes.items():
        setattr(dossier, nom, valeur)
    dossier.save(update_fields=[*changes, "updated_at"])
    if "arrete_au" in changes:
        Piece.objects.filter(dossier=dossier, genre=Piece.Genre.DECOMPTE).update(
            date=dossier.arrete_au,
            designation=_("Décompte arrêté au %(j)s") % {"j": ecrire_jour(dossier.arrete_au)},
        )
    libelles = ", ".join(str(dossier._meta.get_field(nom).verbose_name) for nom in changes)
    consigner_dossier(
        "contentieux.complete", dossier, par, texte=_("renseigné : %(c)s") % {"c": libelles}, champs=sorted(changes)
    )
    return dossier


@transaction.atomic
def dater_execution(dossier: DossierContentieux, facture: Facture, *, le: date, par) -> None:
    """Date d'exécution d'une facture du dossier : la prescription en part. Lève ValidationError si elle n'y est pas."""
    dossier = verrouiller(dossier)
    refuser_si_clos(dossier)
    if not dossier.lignes.filter(echeance__facture=facture).exists():
        raise ValidationError(_("Cette facture n'est pas au dossier."))
    Facture.objects.filter(pk=facture.pk).update(date_execution=le, updated_at=timezone.now())
    DossierContentieux.objects.filter(pk=dossier.pk).update(prescription_relue_le=None)
    texte = _("%(f)s exécutée le %(j)s") % {"f": facture.numero, "j": ecrire_jour(le)}
    consigner_dossier("contentieux.execution_datee", dossier, par, texte=texte, facture=facture.pk, le=le)


@transaction.atomic
def ajouter_frais(
    dossier: DossierContentieux, *, le: date, libelle: str, montant: Decimal, recuperable: bool, a_confirmer: bool, par
) -> Frais:
    dossier = verrouiller(dossier)
    refuser_si_clos(dossier)
    if montant <= 0:
        raise ValidationError({"montant": _("Saisissez un montant positif.")})
    frais = Frais.objects.create(
        dossier=dossier, date=le, libelle=libelle.strip()[:120], montant=montant, recuperable=recuperable,
        a_confirmer=a_confirmer, auteur=par,
    )  # fmt: skip
    texte = _("frais : %(l)s, %(m)s") % {"l": frais.libelle, "m": somme(montant)}
    consigner_dossier("contentieux.frais", dossier, par, texte=texte, frais=frais.pk, montant=montant)
    return frais


@transaction.atomic
def relever_interruption(
    dossier: DossierContentieux, *, jour: date, acte: str, piece: Piece | None, par, au: date
) -> Interruption:
    """Un acte qu'une personne tient pour interruptif ; la date d'origine n'en bouge pas."""
    dossier = verrouiller(dossier)
    refuser_si_clos(dossier)
    if jour > au:
        raise ValidationError({"jour": _("Cet acte n'a pas encore eu lieu.")})
    if piece is not None and piece.dossier_id != dossier.pk:
        raise ValidationError({"piece": _("Cette pièce n'est pas au dossier.")})
    fait = Interruption.objects.create(dossier=dossier, jour=jour, acte=acte, piece=piece, auteur=par)
    DossierContentieux.objects.filter(pk=dossier.pk).update(prescription_relue_le=None)
    consigner_dossier("contentieux.interruption", dossier, par, texte=str(fait), acte=acte, le=jour)
    return fait


# --- Avancer -------------------------------------------------------------------------------------
@transaction.atomic
def enregistrer_etape(
    dossier: DossierContentieux,
    evenement: str,
    *,
    le: date,
    par,
    au: date,
    note: str = "",
    a_personne: bool | None = None,
) -> Etape:
    """Enregistre un événement de procédure à sa date ; la table dit s'il est permis.

    a_personne : pour une signification, si l'acte a été remis à la personne. Lève ValidationError : saut
    d'étape, date à venir ou à rebours, délai non expiré ou dépassé, requête non produite.
    """
    dossier = verrouiller(dossier)
    refuser_si_clos(dossier)
    if evenement in DEPOTS and not dossier.requete_empreinte:
        raise ValidationError(_("Produisez d'abord le projet de requête : c'est lui que vous déposez."))
    if le < dossier.ouvert_le:
        raise ValidationError({"le": _("Le dossier n'était pas encore ouvert à cette date.")})
    try:
        transition = procedure(dossier).avancer(Etat(dossier.statut), evenement, le, situation(dossier, au=au))
    except EtapeRefusee as refus:
        raise ValidationError(str(refus)) from refus
    etape = Etape.objects.create(
        dossier=dossier, evenement=evenement, le=le, de=transition.de.value, vers=transition.vers.value,
        note=note.strip()[:250], auteur=par,
    )  # fmt: skip
    if evenement == "signification":
        dossier.signifiee_a_personne = a_personne
    _poser_etat(dossier, transition.vers.value)
    consigner_dossier(
        "contentieux.etape", dossier, par, texte=f"{transition.libelle} ({ecrire_jour(le)})",
        evenement=evenement, le=le, de=etape.de, vers=etape.vers,
    )  # fmt: skip
    return etape


@transaction.atomic
def annuler_etape(dossier: DossierContentieux, *, motif: str, par) -> Etape:
    """Annule la dernière étape enregistrée par erreur ; elle reste lisible. Lève ValidationError s'il n'y en a pas."""
    dossier = verrouiller(dossier)
    refuser_si_clos(dossier)
    if not motif.strip():
        raise ValidationError({"motif": _("Dites pourquoi cette étape s'annule.")})
    etape = dossier.etapes.filter(annulee_le=None).order_by("-pk").first()
    if etape is None:
        raise ValidationError(_("Aucune étape à annuler."))
    etape.annulee_le = timezone.now()
    etape.save(update_fields=["annulee_le"])
    if etape.evenement == "signification":
        dossier.signifiee_a_personne = None
    _poser_etat(dossier, etape.de)
    consigner_dossier(
        "contentieux.etape_annulee", dossier, par,
        texte=_("étape annulée : %(e)s (%(m)s)")
        % {"e": procedure(dossier).libelles.get(etape.evenement, etape.evenement), "m": motif.strip()},
        evenement=etape.evenement, le=etape.le, vers=etape.de,
    )  # fmt: skip
    return etape


def _poser_etat(dossier: DossierContentieux, statut: str) -> None:
    """Statut et dates recopiées des étapes vivantes."""
    dates = dict(dossier.etapes.filter(annulee_le=None).order_by("pk").values_list("evenement", "le"))
    dossier.statut = statut
    for champ, evenements in DATES.items():
        setattr(dossier, champ, max((dates[e] for e in evenements if e in dates), default=None))
    dossier.save(update_fields=["statut", *DATES, "signifiee_a_personne", "updated_at"])


@transaction.atomic
def clore(
    dossier: DossierContentieux, *, issue: str, le: date, par, au: date, reprendre_les_relances: bool = False
) -> DossierContentieux:
    """Clôt le dossier. Ses échéances encore dues reprennent l'échelle, ou en restent hors si la personne le veut.

    Lève ValidationError : déjà clos, issue vide, date à venir ou antérieure à l'ouverture.
    """
    dossier = verrouiller(dossier)
    refuser_si_clos(dossier)
    if not issue.strip():
        raise ValidationError({"issue": _("Dites comment le dossier se termine.")})
    if not dossier.ouvert_le <= le <= au:
        raise ValidationError({"le": _("La clôture se date entre l'ouverture du dossier et aujourd'hui.")})
    echeances = list(dossier.lignes.values_list("echeance", flat=True))
    dossier.statut, dossier.clos_le, dossier.issue = DossierContentieux.Statut.CLOS, le, issue.strip()[:200]
    dossier.save(update_fields=["statut", "clos_le", "issue", "updated_at"])
    dossier.lignes.update(active=False)
    if reprendre_les_relances:
        Echeance.objects.filter(pk__in=echeances).update(en_contentieux=False)
    consigner_dossier(
        "contentieux.clos",
        dossier,
        par,
        texte=_("clos : %(i)s") % {"i": dossier.issue},
        le=le,
        reprendre_les_relances=reprendre_les_relances,
    )
    return dossier
