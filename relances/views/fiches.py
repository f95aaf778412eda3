"""Un courrier tel que le montrent son volet et sa page : ce qui part ou est parti, et les gestes permis."""

from datetime import date, timedelta
from functools import cached_property

from django.urls import reverse
from django.utils.translation import gettext as _

from recouvrement.commun import formats
from recouvrement.commun.horloge import aujourd_hui
from recouvrement.comptes.droits import Droit, peut
from recouvrement.journal.models import Detail
from relances import avis, motifs
from relances.domaine.natures import Canal
from relances.domaine.retours import EFFETS, Geste, rendu_trop_tot
from relances.domaine.suivis import lisible
from relances.forms import RetenirForm, TexteForm, TrancherForm
from relances.formulaires_postes import (
    AvisForm,
    CorrectionForm,
    CorrigerSuiviForm,
    PosterForm,
    PresentationForm,
    PreuveForm,
    RetourForm,
)
from relances.models import Courrier
from relances.recommandes import fournisseur
from relances.services import postes, remises
from relances.services.faits import ouvreur
from relances.services.preparation import Preparation, a_un_pdf, preparer
from relances.services.receptions import date_de_reception, issue_de

from . import raisons
from .raisons import Raison

S = Courrier.Statut
MODIFIABLES = (S.A_VALIDER, S.A_ENVOYER)
RETENABLES = (S.A_VALIDER, S.A_ENVOYER, S.A_POSTER, S.EN_ERREUR)
DELAI_RETENUE = timedelta(days=14)  # proposé, jamais imposé
TONS = {S.EN_ERREUR: "mal", S.INCERTAIN: "att", S.ENVOYE: "bon", S.POSTE: "bon", S.ANNULE: "vide"}


def courrier_visible(request, pk: int) -> Courrier | None:
    visibles = Courrier.objects.visibles_pour(request.user)
    joint = visibles.select_related(
        "societe", "client__gestionnaire", "palier__version__echelle", "valide_par", "modele_version__modele"
    )
    return joint.filter(pk=pk).first()


def jour_de_depart(courrier: Courrier) -> date:
    """Aujourd'hui, ou le jour ouvré suivant : rien ne part un jour chômé, la lettre n'en porte pas la date."""
    return ouvreur(courrier.societe)(aujourd_hui())


class Fiche:
    """Calculée au plus une fois, et seulement si le gabarit le demande.

    formulaires : {nom: formulaire} refusés, remontrés à leur place avec leur faute.
    """

    def __init__(self, request, courrier: Courrier, *, vue: str = "", formulaires: dict | None = None):
        self.courrier, self.vue, self.user = courrier, vue, request.user
        self.au, self.part_le = aujourd_hui(), jour_de_depart(courrier)
        self.peut_envoyer = peut(request.user, Droit.ENVOYER, courrier.societe_id)
        self._formulaires = formulaires or {}

    @property
    def client(self):
        return self.courrier.client

    @property
    def annonce(self) -> str:
        return f"{self.client}, {self.courrier.get_nature_display()}, {self.courrier.get_statut_display()}"

    @property
    def ton(self) -> str:
        return TONS.get(self.courrier.statut, "info")

    @cached_property
    def preparation(self) -> Preparation | None:
        """Ce qui partirait le prochain jour ouvré ; None une fois parti, ou si le courrier n'est qu'une tâche."""
        return preparer(self.courrier, au=self.part_le) if self.courrier.statut in MODIFIABLES else None

    @property
    def objet(self) -> str:
        return self.preparation.objet if self.preparation else self.courrier.objet

    @property
    def texte(self) -> str:
        return self.preparation.texte if self.preparation else self.courrier.texte

    @property
    def total(self):
        return self.preparation.lettre.totaux.a_payer if self.preparation else self.courrier.total

    @property
    def comptes(self) -> list[tuple]:
        """(libellé, montant) entre les pièces et le total : ce que la lettre ajoute et déduit."""
        c = self.courrier
        credits, interets, indemnites = c.credits, c.penalites, c.indemnites
        if self.preparation:
            t = self.preparation.lettre.totaux
            credits, interets, indemnites = t.credits, t.interets_courus, t.indemnites
        lignes = [
            (_("Crédits non affectés"), -credits),
            (_("Intérêts de retard"), interets),
            (_("Indemnités forfaitaires"), indemnites),
        ]
        return [(libelle, montant) for libelle, montant in lignes if montant]

    @property
    def est_une_tache(self) -> bool:
        return self.courrier.canal in (Canal.APPEL, Canal.TACHE)

    @property
    def papier(self) -> bool:
        """Une page à montrer : conservée, ou qui se rendrait sans manque."""
        c = self.courrier
        if self.est_une_tache or not a_un_pdf(c):
            return False
        return not self.preparation.manques if self.preparation else bool(c.pdf_chemin)

    @cached_property
    def manques(self) -> list[Raison]:
        return raisons.manques(self.courrier, self.preparation, self.user)

    @property
    def relances(self):
        return self.courrier.relances.select_related("echeance__facture").order_by("echeance__date_echeance", "pk")

    @cached_property
    def raisons(self) -> list[Raison]:
        c, lignes = self.courrier, []
        if c.statut == S.A_VALIDER and c.motif:
            phrase = _("Attend une personne : %(raison)s.") % {"raison": motifs.raison_de_valider(c.motif)}
            lignes.append(Raison("user-check", "doux", phrase))
        if self.preparation:
            lignes.append(raisons.du_total(self.preparation.lettre))
            lignes += raisons.de_la_lettre(
                self.preparation, depuis=self.part_le, delai=c.palier.delai_reponse, region=c.societe.region_feries
            )
        elif c.principal and not self.est_une_tache:
            phrase = _("%(total)s réclamés.") % {"total": formats.somme(c.total, c.devise)}
            lignes.append(Raison("report-money", "doux", phrase))
        return lignes + list(self._parcours())

    def _parcours(self):
        """Ce qui est arrivé au courrier, du plus ancien au plus récent."""
        c = self.courrier
        if c.texte_modifie:
            yield Raison("pencil", "doux", _("Texte réécrit par une personne : il part tel quel."))
        yield from self._modele()
        if c.valide_par:
            noms = {"nom": c.valide_par, "quand": formats.instant(c.valide_le)}
            yield Raison("user-check", "bon", _("Validé par %(nom)s le %(quand)s.") % noms)
        if c.statut == S.A_ENVOYER:
            yield Raison("clock", "doux", _("Part dans les cinq minutes un jour ouvré ; tout est relu juste avant."))
        if c.envoye_le and c.canal == Canal.COURRIEL:
            noms = {"quand": formats.instant(c.envoye_le), "adresse": c.destinataire}
            yield Raison("send", "bon", _("Parti le %(quand)s, à %(adresse)s.") % noms)
        if c.depose_le:
            noms = {"jour": formats.jour(c.depose_le), "numero": lisible(c.numero_suivi)}
            phrase = _("Déposé le %(jour)s, suivi %(numero)s.") if c.numero_suivi else _("Déposé le %(jour)s.")
            yield Raison("certificate" if c.numero_suivi else "mailbox", "bon", phrase % noms)
        if c.depot_chemin:
            url = reverse("relances:preuve", args=[c.pk])
            yield Raison("file-text", "doux", _("Preuve de dépôt jointe."), url, _("Voir la preuve"))
        if c.presente_le:
            jour = formats.jour(c.presente_le)
            yield Raison("mailbox", "doux", _("Présenté le %(jour)s.") % {"jour": jour})
        yield from self._retour()
        if c.depose_le:
            yield from self._corrections()
        if c.date_limite and not self.preparation:
            jour = formats.jour_long(c.date_limite)
            yield Raison("calendar", "doux", _("À régler au plus tard le %(jour)s.") % {"jour": jour})
        if c.pdf_empreinte and not self.preparation:
            phrase = _("PDF conservé octet pour octet, empreinte %(debut)s…") % {"debut": c.pdf_empreinte[:12]}
            yield Raison("fingerprint", "doux", phrase)

    def _modele(self):
        """Le texte de la société qui part, ou qui est parti ; rien à dire du texte livré."""
        version = self.preparation.modele if self.preparation else self.courrier.modele_version
        if version and version.textes:
            noms = {"nom": version.modele.nom, "n": version.numero}
            voit = peut(self.user, Droit.PLANS, self.courrier.societe_id)
            url = f"{reverse('relances:modele', args=[version.modele_id])}?version={version.numero}" if voit else ""
            phrase = _("Texte de la société : %(nom)s, version %(n)s.") % noms
            yield Raison("mail", "doux", phrase, url, _("Voir le modèle") if voit else "")

    def _retour(self):
        """Le retour de l'avis, ce qu'il vaut, ce qu'il faut faire, et depuis quand il est reçu (droit.md § 6)."""
        c = self.courrier
        if c.electronique and not c.retour:
            phrase = _("Recommandé électronique : l'expéditeur n'est pas nommé avant l'acceptation, quinze jours.")
            yield Raison("mail", "doux", phrase)
        if not c.retour:
            if self.en_retard:
                yield Raison("clock", "att", _("Aucun avis rentré : à réclamer à La Poste."))
            return
        issue = issue_de(c)
        effet = EFFETS[issue]
        noms = {"retour": c.get_retour_display(), "jour": formats.jour(c.retour_le)}
        url, geste = (reverse("relances:avis", args=[c.pk]), _("Voir l'avis")) if c.avis_chemin else ("", "")
        yield Raison("mailbox", avis.TONS[effet.valeur], _("%(retour)s, le %(jour)s.") % noms, url, geste)
        sens = {"effet": avis.EFFETS[issue], "source": effet.source, "confiance": avis.CONFIANCES[effet.confiance]}
        phrase = _("%(effet)s %(source)s (%(confiance)s).") % sens
        yield Raison("scale", avis.TONS[effet.valeur], phrase)
        for g in effet.gestes:
            if not (g is Geste.RANGER_L_AVIS and c.avis_chemin):
                yield Raison("checklist", "doux", str(avis.GESTES[g]))
        recu = date_de_reception(c)
        if recu:
            jour = formats.jour(recu)
            yield Raison("calendar", "doux", _("Tenu pour reçu le %(jour)s.") % {"jour": jour})
        elif c.retour != Courrier.Retour.NPAI:
            yield Raison("calendar", "att", _("Date de première présentation à saisir : la réception en dépend."))
        if rendu_trop_tot(c.retour, presente_le=c.presente_le, retour_le=c.retour_le):
            phrase = _("Non réclamé moins de quinze jours après sa présentation : vérifiez les dates.")
            yield Raison("alert-triangle", "att", phrase)

    def _corrections(self):
        """Numéros et retours corrigés, avec leur motif, comme au journal."""
        c = self.courrier
        corrections = Detail.objects.filter(
            maillon__action__in=("courrier.retour_corrige", "courrier.suivi_corrige"),
            maillon__objet_type=c._meta.label_lower,
            maillon__objet_id=c.pk,
        )
        for texte in corrections.order_by("maillon__rang").values_list("texte", flat=True):
            yield Raison("pencil", "doux", texte)

    @cached_property
    def en_retard(self) -> bool:
        depuis = postes.en_retard_depuis(self.courrier)
        return depuis is not None and self.au >= depuis

    # --- Gestes : permis par le rôle et par l'état ---------------------------------------------------

    @property
    def modifiable(self) -> bool:
        return self.peut_envoyer and self.courrier.statut in MODIFIABLES and bool(self.texte)

    @property
    def validable(self) -> bool:
        return self.peut_envoyer and self.courrier.statut == S.A_VALIDER and not self.manques and not self.reserve

    @property
    def reserve(self) -> bool:
        """Au-dessus du plafond du plan, et la personne n'est pas responsable (exigence 16)."""
        plafond = self.courrier.palier.version.plafond_envoi
        au_dela = plafond is not None and self.courrier.total > plafond
        return au_dela and not peut(self.user, Droit.VALIDER_PLAFOND, self.courrier.societe_id)

    @property
    def retenable(self) -> bool:
        return self.peut_envoyer and self.courrier.statut in RETENABLES

    @property
    def suspend(self) -> bool:
        return peut(self.user, Droit.AGIR, self.courrier.societe_id)

    @property
    def fin_retenue(self) -> date:
        return self.au + DELAI_RETENUE

    def _form(self, nom: str, neuf):
        return self._formulaires.get(nom) or neuf()

    @cached_property
    def form_texte(self):
        return self._form("texte", lambda: TexteForm(initial={"objet": self.objet, "texte": self.texte}))

    @cached_property
    def form_retenir(self):
        return self._form("retenir", lambda: RetenirForm(initial={"jusqu_au": self.fin_retenue}))

    @cached_property
    def form_trancher(self):
        return self._form("trancher", TrancherForm)

    @cached_property
    def form_poster(self):
        propose = postes.depot_propose(self.au, self.courrier.societe.region_feries)
        initial = {"depose_le": propose, "numero_suivi": self.courrier.numero_suivi}
        return self._form("poster", lambda: PosterForm(initial=initial, recommande=self.est_un_recommande))

    @cached_property
    def form_retour(self):
        initial = {"retour_le": self.au, "presente_le": self.courrier.presente_le}
        return self._form("retour", lambda: RetourForm(initial=initial, electronique=self.courrier.electronique))

    @cached_property
    def form_correction(self):
        c = self.courrier
        initial = {"retour": c.retour, "retour_le": c.retour_le, "presente_le": c.presente_le}
        return self._form("correction", lambda: CorrectionForm(initial=initial, electronique=c.electronique))

    @cached_property
    def form_presentation(self):
        return self._form("presentation", PresentationForm)

    @cached_property
    def form_preuve(self):
        return self._form("preuve", PreuveForm)

    @cached_property
    def form_avis(self):
        return self._form("avis", AvisForm)

    @cached_property
    def form_suivi(self):
        return self._form("suivi", CorrigerSuiviForm)

    @property
    def numero_corrigeable(self) -> bool:
        return self.est_un_recommande and self.courrier.depose_le is not None and self.courrier.statut == S.POSTE

    @property
    def sans_presentation(self) -> bool:
        """L'avis est rentré, la présentation manque : la réception en dépend."""
        c = self.courrier
        return c.statut == S.POSTE and bool(c.retour) and c.presente_le is None

    @property
    def sans_avis(self) -> bool:
        c = self.courrier
        return bool(c.retour) and not c.electronique and not c.avis_chemin

    @property
    def corrigeable(self) -> bool:
        """Un retour saisi, tant que le courrier n'est pas reparti."""
        c = self.courrier
        return bool(c.retour) and (
            c.statut == S.POSTE or (c.statut == S.EN_ERREUR and c.retour == Courrier.Retour.NPAI)
        )

    @property
    def prestataire(self):
        """None si tout se fait à la main."""
        choisi = fournisseur()
        return None if choisi.a_la_main else choisi

    @cached_property
    def refus_electronique(self) -> str:
        return remises.refus_electronique(self.courrier, au=self.au, fournisseur=fournisseur())

    @property
    def est_un_recommande(self) -> bool:
        return self.courrier.canal == Canal.RECOMMANDE
