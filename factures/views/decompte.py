"""Décompte d'un client ou de factures choisies, à une date, devise par devise ; renonciations et clause basse."""

from dataclasses import dataclass
from decimal import Decimal
from functools import cached_property

from django import forms
from django.contrib import messages
from django.core.exceptions import ValidationError
from django.http import Http404, HttpResponse
from django.shortcuts import get_object_or_404
from django.urls import reverse
from django.utils.http import url_has_allowed_host_and_scheme
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy, ngettext
from django.views.decorators.http import require_POST, require_safe

from clients.models import Client, SousPlancher, TypeDebiteur
from clients.services import ConflitEdition, modifier_client
from factures import decompte
from factures.domaine.bareme import TauxManquant, fin_de_semestre, semestre
from factures.exports_decompte import xlsx_decompte
from factures.models import Facture, Renonciation
from factures.services import annuler_renonciation, bareme, renoncer
from recouvrement.commun.formats import jour as jour_lisible
from recouvrement.commun.formats import somme
from recouvrement.commun.horloge import aujourd_hui
from recouvrement.commun.pdf import PdfIndisponible
from recouvrement.commun.vues import entier, fait, parametres, rediriger, rendre
from recouvrement.comptes.droits import Droit, exige, peut, verifier_droit
from relances.services.decomptes import DecompteRefuse, etablir, reglees_au_principal, rendre_pdf

from .parametres import jour_demande, jour_illisible

DEPLIEES_D_OFFICE = 8  # factures ; au-delà, chacune s'ouvre à la demande
FACTURES_MAX = 500  # choisies dans l'adresse
TOUT, AUCUN = "tout", "aucun"
TYPES = {"pdf": "application/pdf", "xlsx": "application/vnd.openxmlformats-officedocument.spreadsheetml.sheet"}
ARTICLES = {
    TypeDebiteur.ENTREPRISE: "C. com., art. L441-10, II",
    TypeDebiteur.ADMINISTRATION: "CCP, art. R2192-31",
    TypeDebiteur.PARTICULIER: "C. civ., art. 1231-6",
}
ARTICLES_INDEMNITE = {
    TypeDebiteur.ENTREPRISE: "C. com., art. D441-5",
    TypeDebiteur.ADMINISTRATION: "CCP, art. D2192-35",
}


class RenonciationForm(forms.Form):
    """Au cas par cas, avec un motif ; un consommateur ne doit que des intérêts."""

    portee = forms.ChoiceField(label=gettext_lazy("Renoncer à"), choices=Renonciation.Portee.choices)
    motif = forms.CharField(label=gettext_lazy("Motif"), max_length=200)

    def __init__(self, *args, facture: Facture, **kwargs):
        super().__init__(*args, auto_id=f"renoncer-{facture.pk}-%s", **kwargs)
        if facture.client.type == TypeDebiteur.PARTICULIER:
            self.fields["portee"].choices = [(Renonciation.Portee.PENALITES, _("les intérêts"))]


@dataclass(frozen=True)
class Facturee:
    """Une facture du décompte, ses échéances, et ce qu'elle laisse."""

    facture: Facture
    blocs: list[dict]
    renonciation: Renonciation | None
    ouverte: bool
    url: str = ""

    @cached_property
    def calculs(self):
        return [b["d"].calcul for b in self.blocs if b["d"].calcul]

    @property
    def principal(self) -> Decimal:
        return sum((c.principal_restant for c in self.calculs), decompte.ZERO)

    @property
    def interets(self) -> Decimal:
        return sum((c.interets_restants for c in self.calculs), decompte.ZERO)

    @property
    def indemnite(self) -> Decimal:
        return sum((c.indemnite_restante for c in self.calculs), decompte.ZERO)

    @property
    def reglee(self) -> bool:
        """Plus rien en compte, mais des accessoires."""
        return not any(b["d"].reste or b["d"].conteste for b in self.blocs) and bool(self.interets + self.indemnite)


class VueDecompte:
    """Un décompte et de quoi expliquer chacun de ses chiffres. deplies : clés de factures ouvertes, None : toutes."""

    def __init__(self, d: decompte.Decompte, *, deplies: set[str] | None, request=None):
        self.d, self.client, self.devise, self.au = d, d.client, d.devise, d.au
        self.deplies, self.request = deplies, request
        self.article = ARTICLES.get(d.client.type, "")
        self.article_indemnite = ARTICLES_INDEMNITE.get(d.client.type, "")
        self._bareme = bareme()

    @cached_property
    def factures(self) -> list[Facturee]:
        par_facture: dict[int, list[decompte.Ligne]] = {}
        for ligne in self.d.lignes:
            par_facture.setdefault(ligne.echeance.facture_id, []).append(ligne)
        return [self._facturee(lignes) for lignes in par_facture.values()]

    def _facturee(self, lignes: list[decompte.Ligne]) -> Facturee:
        facture = lignes[0].echeance.facture
        cle = str(facture.pk)
        ouverte = self.deplies is None or cle in self.deplies
        url = ""
        if self.request is not None:
            url = parametres(self.request, ouvert=self._apres_le_clic(cle))
        blocs = [{"d": x, "lignes": self._montrer(x) if ouverte else []} for x in lignes]
        return Facturee(facture, blocs, lignes[0].renonciation, ouverte, url)

    def _apres_le_clic(self, cle: str) -> list[str] | str:
        """Factures ouvertes après avoir basculé celle-ci ; l'adresse reste courte, quel que soit le compte."""
        if self.deplies is None:
            ouvertes = {str(x.echeance.facture_id) for x in self.d.lignes}
            return AUCUN if len(ouvertes) > DEPLIEES_D_OFFICE else sorted(ouvertes - {cle}) or AUCUN
        if cle in self.deplies:
            return sorted(self.deplies - {cle}) or AUCUN
        return [*sorted(self.deplies)[-DEPLIEES_D_OFFICE:], cle]

    def _montrer(self, ligne: decompte.Ligne) -> list[dict]:
        """Segments et paiements, chaque segment avec la source de son taux et de quoi le refaire."""
        return [
            {
                "genre": genre,
                "s": objet,
                "source": decompte.source_du_taux(objet, ligne, self.client, self._bareme),
                "formule": decompte.formule(objet, self.d.base),
            }
            if genre == "segment"
            else {"genre": genre, "p": objet}
            for genre, objet in ligne.lignes
        ]

    @property
    def nombre(self) -> str:
        n = len(self.factures)
        return ngettext("%(n)d facture", "%(n)d factures", n) % {"n": n}

    @property
    def note_indemnites(self) -> str:
        n = self.d.nombre_indemnites
        return (
            _("%(n)d × 40,00 €, %(article)s") % {"n": n, "article": self.article_indemnite}
            if n
            else self.article_indemnite
        )

    @property
    def note_total(self) -> str:
        return _("puis %(somme)s par jour") % {"somme": somme(self.d.par_jour, self.devise)} if self.d.par_jour else ""

    @property
    def ecarts(self) -> list[str]:
        """Pourquoi le compte comptable et le compte juridique ne portent pas le même principal."""
        return [
            _(
                "Le compte client porte %(compte)s sur %(facture)s : la comptabilité impute tout règlement sur le "
                "principal ; ce décompte en a d'abord éteint %(interets)s d'intérêts (C. civ., art. 1343-1)."
            )
            % {
                "compte": somme(x.reste, self.devise),
                "facture": x.echeance.facture,
                "interets": somme(x.sur_interets, self.devise),
            }
            for x in self.d.lignes
            if x.sur_interets
        ]

    @property
    def semestres(self) -> list[dict]:
        """La table des taux qui ont servi : semestre, refi, taux appliqué, plancher de la clause."""
        vus = {}
        for c in self.d.calculs:
            for s in c.segments:
                vus.setdefault((s.semestre, s.taux), None)
        lignes = []
        for sem, taux in sorted(vus):
            try:
                plancher = self._bareme.plancher(sem) if self.client.type == TypeDebiteur.ENTREPRISE else None
            except TauxManquant:
                plancher = None
            refi = None if self.client.type == TypeDebiteur.PARTICULIER else self._bareme.refi_du_semestre(sem)
            lignes.append({"semestre": sem, "refi": refi, "taux": taux, "plancher": plancher})
        return lignes

    @property
    def limite(self) -> str:
        """Le dernier jour calculable, s'il est proche."""
        dernier = self._bareme.valable_jusqu_au
        suivant = fin_de_semestre(self.au)
        if dernier and semestre(self.au) >= dernier:
            return _(
                "Le taux du semestre suivant n'est pas encore relevé : un arrêté après le %(jour)s sera refusé."
            ) % {"jour": jour_lisible(suivant)}
        return ""

    @property
    def exemple(self):
        """Le dernier segment, à refaire à la main."""
        return next(((s, decompte.formule(s, self.d.base)) for c in self.d.calculs for s in c.segments[-1:]), None)


class Demande:
    """Ce que l'adresse demande : le client, le jour, les factures, la devise, ce qui est déplié."""

    def __init__(self, request, client: int):
        visibles = Client.objects.visibles_pour(request.user).select_related("societe", "gestionnaire")
        self.request, self.client = request, get_object_or_404(visibles, pk=client)
        self.au = jour_demande(request)
        lues = {pk for texte in request.GET.getlist("f")[:FACTURES_MAX] if (pk := entier(texte)) is not None}
        self.factures = sorted(lues) or None
        self.reglees = request.GET.get("reglees") == "1" and self.factures is None
        self.decomptes = etablir(self.client, au=self.au, factures=self.factures, reglees=self.reglees)
        devise = request.GET.get("devise", "").upper()
        self.choisi = next(
            (d for d in self.decomptes if d.devise == devise), self.decomptes[0] if self.decomptes else None
        )

    @property
    def deplies(self) -> set[str] | None:
        demandes = set(self.request.GET.getlist("ouvert"))
        if TOUT in demandes:
            return None
        if demandes:
            return demandes - {AUCUN}
        nombre = len({x.echeance.facture_id for x in self.choisi.lignes})
        return None if nombre <= DEPLIEES_D_OFFICE else set()


@require_safe
@exige(Droit.VOIR)
def ecran(request, client: int):
    """Décompte opposable : chaque chiffre dit d'où il vient."""
    demande = Demande(request, client)
    d, debiteur = demande.choisi, demande.client
    contexte = {
        "client": debiteur,
        "au": demande.au,
        "date_illisible": jour_illisible(request),
        "v": VueDecompte(d, deplies=demande.deplies, request=request) if d else None,
        "devises": [(x.devise, x.devise) for x in demande.decomptes],
        "choisies": demande.factures,
        "reglees": demande.reglees,
        "nombre_reglees": len(reglees_au_principal(d)) if d else 0,
        "exports": _exports(request, d) if d and d.calculable else [],
        "peut_agir": peut(request.user, Droit.AGIR, debiteur.societe_id),
        "plancher_choix": SousPlancher.choices[1:],
        "retour": request.get_full_path(),
    }
    return rendre(request, "factures/decompte.html", "factures/_decompte_client.html", contexte)


def _exports(request, d: decompte.Decompte) -> list[tuple[str, str]]:
    """[(format, adresse)] de la même vue, si la personne exporte dans cette société."""
    if not peut(request.user, Droit.EXPORTER, d.client.societe_id):
        return []
    adresse = reverse("factures:decompte_export", args=[d.client.pk, "FORMAT"])
    return [(format, f"{adresse.replace('FORMAT', format)}{parametres(request)}") for format in TYPES]


@require_safe
@exige(Droit.EXPORTER)
def export(request, client: int, format: str):
    """Le même décompte, mêmes filtres, en PDF opposable ou en classeur."""
    if format not in TYPES:
        raise Http404
    demande = Demande(request, client)
    verifier_droit(request.user, Droit.EXPORTER, demande.client.societe_id)
    if demande.choisi is None:
        messages.error(request, _("Rien n'était dû à cette date : il n'y a pas de décompte."))
        return rediriger(request, f"{reverse('factures:decompte', args=[client])}{parametres(request)}")
    try:
        if format == "pdf":
            contenu = rendre_pdf(demande.choisi, le=aujourd_hui())
        else:
            contenu = xlsx_decompte(demande.choisi)
    except (DecompteRefuse, PdfIndisponible) as refus:
        messages.error(request, str(refus))
        return rediriger(request, f"{reverse('factures:decompte', args=[client])}{parametres(request)}")
    nom = f"decompte-{entier(str(client))}-{demande.au.isoformat()}.{format}"
    return HttpResponse(contenu, TYPES[format], headers={"Content-Disposition": f'attachment; filename="{nom}"'})


# --- Gestes ------------------------------------------------------------------------------------------


def _retour(request, defaut: str) -> str:
    """L'écran d'où vient le geste, s'il est de la maison."""
    suite = request.POST.get("retour", "")
    return suite if suite.startswith("/") and url_has_allowed_host_and_scheme(suite, None) else defaut


def _facture(request, pk: int) -> Facture:
    facture = get_object_or_404(Facture.objects.visibles_pour(request.user).select_related("client"), pk=pk)
    verifier_droit(request.user, Droit.AGIR, facture.societe_id)
    return facture


@require_POST
@exige(Droit.AGIR)
def renonciation(request, pk: int):
    """Renonce aux accessoires d'une facture, avec un motif."""
    facture = _facture(request, pk)
    form = RenonciationForm(request.POST, facture=facture)
    try:
        if not form.is_valid():
            raise ValidationError([e for erreurs in form.errors.values() for e in erreurs])
        prise = renoncer(facture, **form.cleaned_data, le=aujourd_hui(), acteur=request.user)
    except ValidationError as refus:
        messages.error(request, " ".join(refus.messages))
    else:
        annuler = reverse("factures:renonciation_annuler", args=[facture.pk, prise.pk])
        fait(request, _("Renonciation enregistrée : le décompte et les lettres la suivent."), annuler=annuler)
    return rediriger(request, _retour(request, reverse("factures:fiche", args=[pk])))


@require_POST
@exige(Droit.AGIR)
def renonciation_annuler(request, pk: int, renonciation: int):
    """Revient sur une renonciation."""
    facture = _facture(request, pk)
    prise = get_object_or_404(facture.renonciations, pk=renonciation)
    if annuler_renonciation(prise, acteur=request.user):
        fait(request, _("Renonciation annulée : les accessoires sont de nouveau réclamés."))
    else:
        messages.info(request, _("Cette renonciation était déjà annulée."))
    return rediriger(request, _retour(request, reverse("factures:fiche", args=[pk])))


@require_POST
@exige(Droit.AGIR)
def plancher(request, client: int):
    """Le taux qui remplace une clause sous trois fois le taux légal : le droit ne tranche pas, une personne choisit."""
    visibles = Client.objects.visibles_pour(request.user).select_related("societe")
    debiteur = get_object_or_404(visibles, pk=client)
    verifier_droit(request.user, Droit.AGIR, debiteur.societe_id)
    choix, version = request.POST.get("sous_plancher", ""), entier(request.POST.get("version"))
    try:
        if choix not in SousPlancher.values or version is None:
            raise ValidationError(_("Choisissez le taux dans la liste."))
        modifier_client(debiteur, version=version, champs={"sous_plancher": choix}, acteur=request.user)
    except (ValidationError, ConflitEdition) as refus:
        messages.error(request, " ".join(refus.messages) if isinstance(refus, ValidationError) else str(refus))
    else:
        fait(request, _("Choix enregistré : le décompte et les lettres le suivent et l'impriment."))
    return rediriger(request, _retour(request, f"{reverse('clients:fiche', args=[client])}?o=conditions"))
