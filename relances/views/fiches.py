"""Un courrier tel que le montrent son volet et sa page : ce qui part ou est parti, et les gestes permis."""

from datetime import date, timedelta
from functools import cached_property

from django.urls import reverse
from django.utils.translation import gettext as _

from recouvrement.commun import formats
from recouvrement.commun.horloge import aujourd_hui
from recouvrement.comptes.droits import Droit, peut
from relances import motifs
from relances.domaine.natures import Canal
from relances.forms import PosterForm, RetenirForm, RetourForm, TexteForm, TrancherForm
from relances.models import Courrier
from relances.services.faits import ouvreur
from relances.services.preparation import Preparation, a_un_pdf, preparer

from . import raisons
from .raisons import Raison

S = Courrier.Statut
MODIFIABLES = (S.A_VALIDER, S.A_ENVOYER)
RETENABLES = (S.A_VALIDER, S.A_ENVOYER, S.A_POSTER, S.EN_ERREUR)
DELAI_RETENUE = timedelta(days=14)  # proposé, jamais imposé
TONS = {S.EN_ERREUR: "mal", S.INCERTAIN: "att", S.ENVOYE: "bon", S.POSTE: "bon", S.ANNULE: "vide"}


def courrier_visible(request, pk: int) -> Courrier | None:
    visibles = Courrier.objects.visibles_pour(request.user)
    joint = visibles.select_related("societe", "client__gestionnaire", "palier__version__echelle", "valide_par")
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
        if c.valide_par:
            noms = {"nom": c.valide_par, "quand": formats.instant(c.valide_le)}
            yield Raison("user-check", "bon", _("Validé par %(nom)s le %(quand)s.") % noms)
        if c.statut == S.A_ENVOYER:
            yield Raison("clock", "doux", _("Part dans les cinq minutes un jour ouvré ; tout est relu juste avant."))
        if c.envoye_le and c.canal == Canal.COURRIEL:
            noms = {"quand": formats.instant(c.envoye_le), "adresse": c.destinataire}
            yield Raison("send", "bon", _("Parti le %(quand)s, à %(adresse)s.") % noms)
        if c.depose_le:
            noms = {"jour": formats.jour(c.depose_le), "numero": c.numero_suivi}
            phrase = _("Déposé le %(jour)s, suivi %(numero)s.") if c.numero_suivi else _("Déposé le %(jour)s.")
            yield Raison("certificate" if c.numero_suivi else "mailbox", "bon", phrase % noms)
        if c.presente_le:
            jour = formats.jour(c.presente_le)
            yield Raison("mailbox", "doux", _("Présenté le %(jour)s.") % {"jour": jour})
        if c.retour:
            noms = {"retour": c.get_retour_display(), "jour": formats.jour(c.retour_le)}
            url, geste = ("", "")
            if c.avis_chemin:
                url, geste = reverse("relances:avis", args=[c.pk]), _("Voir l'avis")
            valable = c.retour != Courrier.Retour.NPAI
            yield Raison("mailbox", "bon" if valable else "mal", _("%(retour)s, le %(jour)s.") % noms, url, geste)
        if c.date_limite and not self.preparation:
            jour = formats.jour_long(c.date_limite)
            yield Raison("calendar", "doux", _("À régler au plus tard le %(jour)s.") % {"jour": jour})
        if c.pdf_empreinte and not self.preparation:
            phrase = _("PDF conservé octet pour octet, empreinte %(debut)s…") % {"debut": c.pdf_empreinte[:12]}
            yield Raison("fingerprint", "doux", phrase)

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
        initial = {"depose_le": self.au, "numero_suivi": self.courrier.numero_suivi}
        return self._form("poster", lambda: PosterForm(initial=initial, recommande=self.est_un_recommande))

    @cached_property
    def form_retour(self):
        return self._form("retour", lambda: RetourForm(initial={"retour_le": self.au}))

    @property
    def est_un_recommande(self) -> bool:
        return self.courrier.canal == Canal.RECOMMANDE
