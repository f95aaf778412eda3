"""Un fichier, une société : lire, contrôler, écrire, ou tout laisser. L'aperçu est ce même code, défait à la fin."""

from collections.abc import Callable
from dataclasses import dataclass, field
from datetime import date, datetime
from decimal import Decimal
from functools import lru_cache
from pathlib import Path

from django.db import DataError, IntegrityError, transaction

from clients.models import Client
from clients.procedures import aligner
from factures.domaine.echeances import ConditionsIllisibles, echeance
from factures.models import Correspondance, Echeance, Lot, SourceImport
from factures.services import rapprochement, rejuger_promesses, rouvrir_litiges
from factures.services.echeanciers import rouvrir_echeanciers
from recouvrement.commun.champs import en_euros
from recouvrement.comptes.models import Societe
from recouvrement.journal.services import consigner

from . import constats, photographie, rapport
from .attente import Attente
from .controles import controler_clients, controler_pieces, rattacher
from .echeancier import ecrire_echeanciers
from .ecriture import Contexte, Ecrits, clore_litiges_soldes, ecrire_pieces, imputer_par_numero
from .efacture_ecriture import completer_documents, rapprocher_documents
from .familles import ecrivain
from .fiches import ecrire_clients
from .fichier import Fichier, examiner_fichier
from .lecteurs import ColonnesInconnues, ContexteLecture, famille, reconnaitre
from .lecteurs import lire as lire_fichier
from .litiges import ecrire_litiges
from .lot import REJETS_MAX, Inexplique, LotLu, Rejet
from .rapprochement_fec import (
    dernieres_corrections,
    ecarts_en_base,
    imputer_par_cle,
    postes_connus,
    refuser_exercice_depasse,
)
from .requetes import lire
from .retenues import observer_procedures, observer_suites, retenir_les_inexpliquees
from .texte import FichierRefuse

CONDITIONS_DEFAUT = "30J"
OBJETS = ("clients", "factures", "avoirs", "encaissements", "imputations")
DETAILS = {"par_client", "a_ventiler"}  # faits que seul l'écran montre
LECTURE = 60  # part de l'avancement que prend la lecture, en pour cent

ENCOURS = """
select devise, cast(sum(reste) as bigint) from (
  select devise, montant - impute as reste from factures_echeance where societe_id = %s and impute < montant
  union all select devise, impute - montant from factures_encaissement where societe_id = %s and impute < montant
  union all select devise, impute - montant from factures_avoir where societe_id = %s and impute < montant
) p group by devise order by devise
"""


class LotDejaTraite(Exception):
    """Ce lot n'est plus à écrire : une autre tâche l'a fait."""


@dataclass
class CompteRendu:
    """Ce qu'un fichier a changé, ou changerait. `ecrit` : vrai si la base en garde trace."""

    fichier: str
    format: str = ""
    ecrit: bool = False
    lignes: int = 0
    crees: dict[str, int] = field(default_factory=lambda: dict.fromkeys(OBJETS, 0))
    inchanges: dict[str, int] = field(default_factory=lambda: dict.fromkeys(OBJETS, 0))
    modifies: int = 0  # fiches clients
    rejets: list[Rejet] = field(default_factory=list)
    rejets_non_detailles: int = 0
    refus: str = ""  # le fichier entier est refusé, pour cette raison
    avertissements: list[str] = field(default_factory=list)
    inexpliques: list[Inexplique] = field(default_factory=list)
    faits: dict[str, object] = field(default_factory=dict)
    encours: dict[str, Decimal] = field(default_factory=dict)  # par devise
    # Un tableau dont les colonnes restent à dire : de quoi ouvrir l'assistant (`lecteurs.ColonnesInconnues`).
    a_correspondre: dict | None = None
    corrections: dict = field(default_factory=dict)  # celles qui ont servi à la lecture
    rapport: dict = field(default_factory=dict)  # où se relit le sort de chaque ligne (`rapport.ranger`)

    @property
    def accepte(self) -> bool:
        return not self.refus and not self.rejets

    def en_json(self) -> dict:
        """Clés du contrat, montants en chaînes ; `encours` en euros, les autres devises à part."""
        objet = {
            "fichier": self.fichier,
            "format": self.format,
            "crees": self.crees,
            "inchanges": self.inchanges,
            "modifies": {"clients": self.modifies},
            "rejets": [rejet.en_json() for rejet in self.rejets],
            "encours": f"{self.encours.get('EUR', Decimal(0)):.2f}",
            "lignes": self.lignes,
            "avertissements": self.avertissements,
            "inexpliques": [inexplique.en_json() for inexplique in self.inexpliques],
        }
        if autres := {devise: f"{total:.2f}" for devise, total in self.encours.items() if devise != "EUR"}:
            objet["encours_autres_devises"] = autres
        if self.rejets_non_detailles:
            objet["rejets_non_detailles"] = self.rejets_non_detailles
        if self.refus:
            objet["refus"] = self.refus
        if self.faits:
            faits = {nom: _texte(valeur) for nom, valeur in self.faits.items() if nom not in DETAILS}
            objet["faits"] = faits
        return objet


def _texte(valeur):
    return f"{valeur:.2f}" if isinstance(valeur, Decimal) else str(valeur) if isinstance(valeur, date) else valeur


def importer(
    source: Path | bytes,
    societe: Societe,
    *,
    moment: datetime,
    au: date,
    nom: str = "",
    format: str = "",
    essai: bool = False,
    partiel: bool = False,
    auteur=None,
    lot: Lot | None = None,
    suivi: Callable[[int], None] | None = None,
    correspondance: Correspondance | None = None,
    corrections: dict | None = None,
    origine: str = Lot.Origine.COMMANDE,
) -> CompteRendu:
    """Importe un fichier dans une société, tout ou rien (sauf `partiel`), et garde un Lot de ce qui s'est passé.

    moment : instant de l'import ; au : jour local. essai : tout est fait puis défait, rien ne reste, pas même le Lot.
    correspondance : celle des colonnes d'un tableau ; corrections : ce qu'une personne a corrigé à l'aperçu.
    lot : celui d'un dépôt à l'écran, EN COURS, mis à jour ; sinon un Lot est créé. suivi(pour cent) : avancement.
    Un fichier refusé ne lève rien : `refus` ou `rejets` le disent. Lève LotDejaTraite si `lot` n'est plus EN COURS.
    """
    rendu = CompteRendu(nom or getattr(source, "name", "") or "fichier", format)
    fichier = None
    if lot:
        correspondance, corrections = correspondance or lot.correspondance, corrections or lot.corrections
    try:
        fichier = examiner_fichier(source, rendu.fichier)
        if suivi:
            fichier.suivi = _pourcent(suivi, fichier.taille)
        rendu.format = rendu.format or reconnaitre(fichier)
        if rendu.format == "fec":
            siennes = {nom: valeur for nom, valeur in (corrections or {}).items() if nom != "confirmer"}
            rendu.corrections = corrections = siennes or dernieres_corrections(societe.pk)
        lecture = _contexte(societe, rendu.format, au, correspondance, corrections)
        _importer(fichier, lecture, societe, rendu, moment, au, essai, partiel, auteur, lot, origine)
    except ColonnesInconnues as inconnues:
        rendu.refus, rendu.a_correspondre = str(inconnues), inconnues.apercu
    except FichierRefuse as refus:
        rendu.refus = str(refus)
        rendu.rejets += refus.rejets
    except (IntegrityError, DataError) as erreur:
        rendu.refus = (
            "La base a refusé une ligne : un autre import écrivait sans doute en même temps. "
            f"Rien n'est écrit ; relancez. ({type(erreur).__name__})"
        )
    if not rendu.ecrit:
        rendu.encours = encours(societe.pk) if not essai or not rendu.encours else rendu.encours
        if not essai:
            _garder_lot(lot, societe, rendu, fichier, auteur, partiel, Lot.Statut.REFUSE, moment, origine)
    return rendu


def _pourcent(suivi: Callable[[int], None], taille: int) -> Callable[[int], None]:
    dernier = [-5]

    def avancer(lus: int) -> None:
        part = LECTURE * lus // max(taille, 1)
        if part >= dernier[0] + 5:
            dernier[0] = part
            suivi(part)

    return avancer


def _contexte(societe, format, au, correspondance, corrections) -> ContexteLecture:
    def retrouver(signature: str) -> dict | None:
        trouvee = Correspondance.objects.filter(societe=societe, signature=signature).order_by("-updated_at").first()
        return trouvee and _en_dict(trouvee)

    return ContexteLecture(
        format,
        echeance_de=echeances_des_clients(societe.pk),
        connus=lambda premier_jour: postes_connus(societe.pk, premier_jour),
        comptes=lambda: (
            Client.objects.filter(societe=societe).order_by("code")
            .values_list("code", "raison_sociale", "siren", "siret", "numero_tva").iterator(chunk_size=5_000)
        ),
        vendeur={
            "siren": societe.siren, "tva": societe.numero_tva, "nom": societe.raison_sociale, "iban": societe.iban,
        },
        correspondance=correspondance and _en_dict(correspondance),
        correspondances=retrouver,
        corrections=corrections or {},
        au=au,
    )  # fmt: skip


def _en_dict(c: Correspondance) -> dict:
    return {"genre": c.genre, "colonnes": c.colonnes, "options": c.options, "nom": c.nom}


def _importer(
    fichier: Fichier, lecture: ContexteLecture, societe, rendu: CompteRendu, moment, au, essai, partiel, auteur, lot,
    origine,
) -> None:  # fmt: skip
    lu = lire_fichier(fichier, lecture)
    rendu.format = lu.format
    ecrire_famille = ecrivain(famille(lu.format))
    with Attente(lecture.echeance_de) as attente:
        if ecrire_famille is None:
            attente.remplir(lu.elements)
        with transaction.atomic():
            Societe.objects.select_for_update(no_key=True).get(pk=societe.pk)  # un seul import à la fois par société
            _ecrire(lu, societe, rendu, moment, au, essai, partiel, auteur, lot, fichier, origine, ecrire_famille)


def _noter(rendu: CompteRendu, lu: LotLu) -> None:
    """Ce que la lecture a dit, une fois le flux consommé."""
    rendu.lignes, rendu.faits = lu.lignes, lu.faits
    rendu.avertissements = lu.avertissements + rendu.avertissements
    rendu.inexpliques += lu.inexpliques
    rendu.rejets += lu.rejets
    rendu.rejets_non_detailles += lu.rejets_non_detailles


def _ecrire(
    lu: LotLu, societe, rendu, moment, au, essai, partiel, auteur, lot, fichier, origine, ecrire_famille
) -> None:  # fmt: skip
    if lot and not Lot.objects.filter(pk=lot.pk, statut=Lot.Statut.EN_COURS).exists():
        raise LotDejaTraite
    if not essai and not lot:
        lot = _garder_lot(lot, societe, rendu, fichier, auteur, partiel, Lot.Statut.EN_COURS, moment, origine)
    contexte = Contexte(societe.pk, lot.pk if lot and not essai else None, moment, au)
    ecrits = Ecrits()
    if ecrire_famille is not None:
        ecrits.acteur = auteur
        _rejeter(rendu, ecrire_famille.ecrire(contexte, lu, ecrits))
        _noter(rendu, lu)
        if rendu.rejets and not partiel:
            rendu.rejets.sort(key=lambda rejet: rejet.ligne)
            transaction.set_rollback(True)
            return
        _conclure(societe, rendu, ecrits, moment, essai, partiel, auteur, lot, fichier, origine)
        return
    _noter(rendu, lu)
    if lu.format == "fec" and not lu.rejets:
        refuser_exercice_depasse(societe.pk, lu.faits["du"], lu.faits["au"])
    _rejeter(rendu, controler_clients())
    _rejeter(rendu, ecrire_clients(contexte, ecrits))
    rattacher(societe.pk)
    if lu.documents:
        _rejeter(rendu, rapprocher_documents(contexte, lu.documents, ecrits))
    photo = lu.photo and photographie.ajuster(contexte, lu.photo)
    if photo:
        rendu.faits["arrete"] = photo.arrete
    else:
        _rejeter(rendu, constats.confirmer(contexte, ecrits))
    _rejeter(rendu, controler_pieces(societe.pk, lu.cles_rejetees, au, partiel=partiel, photo=bool(photo)))
    if rendu.rejets:
        rendu.rejets.sort(key=lambda rejet: rejet.ligne)
        if not partiel or lu.format == "fec":
            if partiel:
                rendu.refus = "Un FEC ne s'importe pas en partie : ses soldes ne seraient plus ceux de la comptabilité."
            transaction.set_rollback(True)
            return
    if melange := _autre_origine(societe.pk, lu.format):
        rendu.avertissements.append(melange)
    ecrire_echeanciers(contexte, ecrits)
    ecrire_pieces(contexte, ecrits)
    if lu.documents:
        completer_documents(contexte, lu.documents, ecrits)
    if lu.format == "fec":
        imputer_par_cle(contexte, lu, ecrits)
        rendu.inexpliques += ecarts_en_base(contexte, lu)
        if retenues := retenir_les_inexpliquees(contexte, lu.inexpliques):
            rendu.avertissements.append(
                f"{retenues} pièces lettrées contre une écriture absente sont mises en litige « à vérifier » : "
                "elles ont peut-être été payées, elles ne seront pas relancées avant qu'une personne les regarde."
            )
    else:
        imputer_par_numero(contexte, ecrits)
        ecrire_litiges(contexte, ecrits, auteur=auteur)
    if photo:
        photographie.constater(
            contexte, photo, ecrits, entier=not rendu.rejets, seul=origine not in (Lot.Origine.ECRAN,)
        )
    clore_litiges_soldes(contexte)
    if lu.format == "fec":  # un lettrage refait peut rouvrir une pièce payée
        ouvertes = Echeance.objects.filter(societe=societe).ouvertes()
        with observer_suites(contexte):
            rouvrir_litiges(ouvertes, acteur=auteur)
            rejuger_promesses(ouvertes, au=au, acteur=auteur)
            rouvrir_echeanciers(ouvertes, acteur=auteur)
    with observer_procedures(contexte):
        arretes = aligner(societe, acteur=auteur)
    if arretes:
        rendu.avertissements.append(
            f"{arretes} comptes portent le SIREN d'un débiteur en procédure collective : relances arrêtées."
        )
    if lot and lot.chemin and not essai:
        rendu.rapport = rapport.ranger(societe.pk, lot.pk)
    _conclure(societe, rendu, ecrits, moment, essai, partiel, auteur, lot, fichier, origine)


def _conclure(
    societe, rendu: CompteRendu, ecrits: Ecrits, moment, essai, partiel, auteur, lot, fichier, origine
) -> None:
    rendu.crees |= ecrits.crees
    rendu.inchanges |= ecrits.inchanges
    rendu.modifies = ecrits.modifies
    rendu.avertissements += ecrits.avertissements
    rendu.encours = encours(societe.pk)
    if essai:
        transaction.set_rollback(True)
        return
    Societe.objects.filter(pk=societe.pk).update(dernier_import_le=moment)
    if lot and lot.source_id:
        SourceImport.objects.filter(pk=lot.source_id).update(recue_le=moment)
    rendu.ecrit = True
    _garder_lot(lot, societe, rendu, fichier, auteur, partiel, Lot.Statut.APPLIQUE, moment, origine)
    consigner(
        "import.applique",
        societe=societe,
        acteur=auteur,
        objet=lot,
        texte=rendu.fichier,
        donnees={
            "format": rendu.format,
            "crees": rendu.crees,
            "rejets": len(rendu.rejets),
            "empreinte": fichier.empreinte,
        },
    )
    if famille(rendu.format) == "banque":  # les propositions attendent que le relevé soit vraiment écrit
        lot_id = lot.pk if lot else None
        transaction.on_commit(lambda: rapprochement.apres_import(societe.pk, lot_id), robust=True)


def _autre_origine(societe_id: int, format: str) -> str:
    """Un même grand livre venu par FEC et par CSV compterait deux fois ce que les numéros ne rapprochent pas."""
    if format not in ("fec", "csv-factures", "xlsx", "ods"):
        return ""
    autre, nom = ("CSV:", "un CSV") if format == "fec" else ("FEC:", "un FEC")
    if not Echeance.objects.filter(societe=societe_id, cle_source__startswith=autre).exists():
        return ""
    return (
        f"Des pièces de cette société sont déjà venues par {nom} : vérifiez que ce fichier n'en répète pas, "
        "un grand livre ne s'importe que par un seul format."
    )


def _rejeter(rendu: CompteRendu, rejets) -> None:
    for rejet in rejets:
        if len(rendu.rejets) < REJETS_MAX:
            rendu.rejets.append(rejet)
        else:
            rendu.rejets_non_detailles += 1


def _garder_lot(
    lot, societe, rendu: CompteRendu, fichier: Fichier | None, auteur, partiel, statut, moment, origine
) -> Lot:
    lot = lot or Lot(societe=societe, auteur=auteur, fichier=rendu.fichier[:250], origine=origine)
    lot.format, lot.partiel, lot.statut = rendu.format, partiel, statut
    if fichier:
        lot.empreinte, lot.taille = fichier.empreinte, fichier.taille
    if statut != Lot.Statut.EN_COURS:
        lot.compte_rendu, lot.avancement = rendu.en_json(), 100
        lot.applique_le = moment if statut == Lot.Statut.APPLIQUE else None
        lot.corrections = rendu.corrections or lot.corrections
    lot.save()
    return lot


def encours(societe_id: int) -> dict[str, Decimal]:
    """Restes dus moins crédits non imputés, par devise : l'encours de la balance âgée d'aujourd'hui."""
    return {devise: en_euros(total) for devise, total in lire(ENCOURS, [societe_id] * 3)}


def echeances_des_clients(societe_id: int) -> Callable[[str, date], date]:
    """Échéance d'une pièce selon la fiche de son client ; 30 jours pour un client encore inconnu."""
    fiches: dict[str, tuple[str, str]] = {}

    @lru_cache(maxsize=20_000)
    def calculer(conditions: str, lecture: str, emission: date) -> date:
        try:
            return echeance(emission, conditions, lecture).echeance
        except ConditionsIllisibles:
            return echeance(emission, CONDITIONS_DEFAUT).echeance

    def echeance_de(code: str, emission: date) -> date:
        if not fiches:
            lues = Client.objects.filter(societe=societe_id).values_list("code", "conditions", "lecture_fdm")
            fiches.update({lu[0]: (lu[1], lu[2]) for lu in lues.iterator(chunk_size=5_000)})
            fiches.setdefault("", (CONDITIONS_DEFAUT, "A"))
        conditions, lecture = fiches.get(code, (CONDITIONS_DEFAUT, "A"))
        return calculer(conditions, lecture, emission)

    return echeance_de
