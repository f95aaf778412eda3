"""« Pourquoi, pourquoi pas » : le verdict de chaque échéance un jour dit, sa fin, où agir, et ce qui se lève."""

from dataclasses import dataclass, field
from datetime import date

from django.urls import reverse
from django.utils.translation import gettext as _

from clients.models import TypeDebiteur
from factures.models import Echeance
from recouvrement.commun import formats
from recouvrement.commun.horloge import maintenant
from recouvrement.commun.vues import Liste, adresse, entier
from recouvrement.comptes.droits import Droit, peut
from relances import motifs
from relances.domaine.echelle import Motif
from relances.domaine.verdicts import levable
from relances.models import LeveeDeFrein, Tache, Verdict
from relances.services.explications import expliquer
from relances.services.levees import JAMAIS, pourquoi_jamais

from .volets import Fiche

PAR_PAGE = 50


@dataclass
class Ligne:
    """Une échéance le jour dit. `geste` : (adresse, libellé) de l'écran où agir ; `levee` : la demande en cours."""

    echeance: Echeance
    actuel: Verdict | None = None
    passes: list[Verdict] = field(default_factory=list)
    a_ce_jour: str = ""
    hors: str = ""
    geste: tuple[str, str] | None = None
    frein: str = ""
    jamais: str = ""
    levees: list[LeveeDeFrein] = field(default_factory=list)

    @property
    def numero(self) -> str:
        return self.echeance.facture.numero


def lire_jour(request, au: date) -> tuple[date, str]:
    """(jour de `?le=`, pourquoi ce n'est pas celui demandé) : jamais l'avenir, aujourd'hui si la date ne se lit pas."""
    demande = request.GET.get("le", "")
    if not demande:
        return au, ""
    try:
        le = date.fromisoformat(demande)
    except ValueError:
        return au, _("Cette date ne se lit pas : voici aujourd'hui.")
    return (au, _("Ce jour est à venir : voici aujourd'hui.")) if le > au else (le, "")


def pourquoi(request, f: Fiche) -> dict:
    """L'onglet : les pièces ouvertes au jour `?le=`, ou la seule échéance `?echeance=`, soldée ou non."""
    le, ecart = lire_jour(request, f.au)
    toutes = (
        Echeance.objects.filter(client=f.client).select_related("facture", "societe").order_by("date_echeance", "pk")
    )
    seule = entier(request.GET.get("echeance"))
    pieces = Liste(request, toutes.filter(pk=seule) if seule else toutes.ouvertes_au(le), par_page=PAR_PAGE)
    lignes = {e.pk: Ligne(e, hors=_hors(e, le)) for e in pieces}
    for v in Verdict.objects.filter(echeance__in=lignes, du__lte=le).order_by("-du", "-pk"):
        v.libelle, v.palier = motifs.libelle(v.code), motifs.nom_palier(v.nature) if v.nature else ""
        ligne = lignes[v.echeance_id]
        if ligne.actuel is None and (v.au is None or v.au >= le):
            ligne.actuel = v
        else:
            ligne.passes.append(v)
    if le == f.au:
        _aujourd_hui(f, lignes)
    elif seule:
        for ligne in lignes.values():
            if not ligne.actuel and not ligne.hors:
                ligne.hors = expliquer(ligne.echeance, le, moment=maintenant()).phrase
    return {
        "le": le,
        "ecart": ecart,
        "seule": seule,
        "pieces": pieces,
        "expliquees": list(lignes.values()),
        "ce_soir": f.prevision.ouvre(f.au),
        "peut_lever": peut(f.user, Droit.LEVER_FREIN, f.client.societe_id),
    }


def _hors(e: Echeance, le: date) -> str:
    """Pourquoi la nuit ne jugeait pas cette pièce ce jour-là ; vide si elle la jugeait."""
    if e.date_facture > le:
        return _("facture émise le %(jour)s : elle n'existait pas") % {"jour": formats.jour(e.date_facture)}
    if e.soldee_le and e.soldee_le <= le:
        return _("soldée le %(jour)s : rien à relancer") % {"jour": formats.jour(e.soldee_le)}
    return ""


def _aujourd_hui(f: Fiche, lignes: dict[int, Ligne]) -> None:
    """Ce que la nuit déciderait, où agir, et les freins levés ou à lever."""
    par_piece = {e.pk: e for e in f.pieces}
    gestes = _Gestes(f)
    for pk, decision in f.etapes.par_piece.items():
        if pk not in lignes:
            continue
        ligne, motif = lignes[pk], decision.motif
        ligne.a_ce_jour = motifs.phrase(decision, f.etapes.modes.get(pk))
        if pk in par_piece:
            ligne.geste = gestes.ou_agir(motif, par_piece[pk])
        if levable(motif, decision.palier.nature if decision.palier else 0):
            ligne.frein = motif.value
        elif motif in JAMAIS:
            ligne.jamais = pourquoi_jamais(motif)
    en_vigueur = LeveeDeFrein.objects.filter(echeance__in=lignes, pour_le__gte=f.au, annulee_le=None)
    for levee in en_vigueur.select_related("demandee_par", "approuvee_par").order_by("pour_le", "pk"):
        levee.libelle = motifs.libelle(levee.frein)
        levee.attend = levee.a_deux and not levee.approuvee_le
        lignes[levee.echeance_id].levees.append(levee)
        lignes[levee.echeance_id].frein = ""


class _Gestes:
    """Où agir sur un verdict : l'écran qui le change, s'il y en a un et que la personne peut y aller."""

    def __init__(self, f: Fiche):
        self.f = f
        self.fiche = reverse("clients:fiche", args=[f.client.pk])
        societe = f.client.societe_id
        self.agit = peut(f.user, Droit.AGIR, societe)
        self.envoie = peut(f.user, Droit.ENVOYER, societe)
        self.importe = peut(f.user, Droit.IMPORTER, societe)
        self.administre = peut(f.user, Droit.ADMINISTRER, societe)
        self.plans = peut(f.user, Droit.PLANS, societe)
        self.contentieux = peut(f.user, Droit.CONTENTIEUX, societe)

    def ou_agir(self, motif: Motif, piece: Echeance) -> tuple[str, str] | None:
        client = self.f.client.pk
        facture = reverse("factures:fiche", args=[piece.facture_id])
        formalisation = f"{adresse('relances:manuel', client)}?palier=formalisation"
        choix = {
            Motif.SUSPENDUE: (self.agit, self.fiche, _("Voir la suspension")),
            Motif.REPONSE: (self.agit, f"{adresse('relances:reponses')}?client={client}", _("Lire la réponse")),
            Motif.EXCLUE: (self.agit, f"{self.fiche}?o=compte", _("Réintégrer la pièce")),
            Motif.PROMESSE: (self.agit, f"{self.fiche}?o=chronologie&genre=suivi", _("Voir la promesse")),
            Motif.PRELEVEMENT: (self.agit, facture, _("Noter le rejet")),
            Motif.A_QUALIFIER: (self.agit, f"{self.fiche}?volet=modifier#volet", _("Préciser le type")),
            Motif.CREDIT_NON_AFFECTE: (self.agit, f"{self.fiche}?volet=affecter#volet", _("Affecter le règlement")),
            Motif.COUVERTE: (self.agit, f"{self.fiche}?volet=affecter#volet", _("Affecter le crédit")),
            Motif.SANS_ADRESSE: (self.agit, f"{self.fiche}?volet=contact#volet", _("Ajouter un contact")),
            Motif.ADRESSE_EN_ERREUR: (self.agit, f"{self.fiche}?volet=modifier#volet", _("Corriger l'adresse")),
            Motif.PROCEDURE: (self.agit, f"{self.fiche}?volet=jugement#volet", _("Voir le jugement")),
            Motif.EN_ATTENTE_ENVOI: (
                self.envoie, f"{adresse('relances:ce_soir')}?v=valider", _("Voir les courriers à valider"),
            ),
            Motif.FORMALISATION_ABSENTE: (self.envoie, formalisation, _("Envoyer la formalisation")),
            Motif.SOCIETE_INCOMPLETE: (
                self.administre, adresse("comptes:societe", self.f.client.societe_id), _("Compléter la société"),
            ),
            Motif.SANS_PLAN: (self.plans, adresse("relances:plans"), _("Voir les plans")),
            Motif.SEUIL_PIECE: (self.plans, adresse("relances:plans"), _("Voir le seuil du plan")),
            Motif.SEUIL_ENVOI: (self.plans, adresse("relances:plans"), _("Voir le seuil du plan")),
            Motif.DELAI_CONTACT: (self.f.pilote, f"{self.fiche}?volet=modifier#volet", _("Changer le délai")),
            Motif.DONNEES_PERIMEES: (self.importe, adresse("factures:imports"), _("Importer")),
            Motif.TERMINEE: (self.contentieux, adresse("contentieux:ouvrir", client), self._dossier()),
            Motif.AFFACTUREE: (True, facture, _("Voir la facture")),
            Motif.FE_ARRETEE: (self.agit, facture, _("Voir la facture")),
            Motif.FE_RETENUE: (self.agit, facture, _("Voir la facture")),
            Motif.FE_A_VERIFIER: (self.agit, facture, _("Voir la facture")),
        }  # fmt: skip
        if motif is Motif.MAX_AMIABLES:
            choix[motif] = self._decider()
        if piece.litige:
            url = f"{self.fiche}?volet=clore&litige={piece.litige.pk}#volet"
            choix[Motif.LITIGE] = (self.agit, url, _("Clore ou prolonger le litige"))
        if piece.echeancier:
            url = reverse("clients:echeancier", args=[client, piece.echeancier.pk])
            choix[Motif.ECHEANCIER] = choix[Motif.TERME_NON_ECHU] = (True, url, _("Voir l'échéancier"))
        permis, url, libelle = choix.get(motif, (False, "", ""))
        return (url, libelle) if permis and url else None

    def _dossier(self) -> str:
        """Jamais d'injonction contre une administration (CGCT, art. L1612-16)."""
        publique = self.f.client.type == TypeDebiteur.ADMINISTRATION
        return _("Demander le mandatement d'office") if publique else _("Ouvrir un dossier")

    def _decider(self) -> tuple[bool, str, str]:
        """La tâche « mise en demeure ou abandon ? » du client, sinon le geste nu."""
        tache = self.f.client.taches.filter(genre=Tache.Genre.DECISION, faite_le=None).first()
        if tache:
            return self.agit, reverse("clients:decision", args=[self.f.client.pk, tache.pk]), _("Trancher")
        url = f"{adresse('relances:manuel', self.f.client.pk)}?palier=mise-en-demeure"
        return self.envoie, url, _("Mettre en demeure")
