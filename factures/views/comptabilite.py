"""Comptabilité : créances douteuses, écritures d'une période, numéros de compte de la société."""

from django import forms
from django.contrib import messages
from django.core.exceptions import ValidationError
from django.core.validators import MaxValueValidator, MinValueValidator, RegexValidator
from django.http import StreamingHttpResponse
from django.shortcuts import get_object_or_404
from django.urls import reverse
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy, ngettext
from django.views.decorators.http import require_http_methods, require_POST, require_safe

from factures.domaine.ecritures import COLONNES_FEC, PROPOSES, CompteAbsent, Usage, rangees_fec
from factures.models import CompteComptable, Douteux, Facture
from factures.services import comptabilite, douteux
from recouvrement.commun import formats
from recouvrement.commun.forms import JourField
from recouvrement.commun.horloge import aujourd_hui
from recouvrement.commun.tableaux import Colonne, inoffensif, lignes_csv
from recouvrement.commun.vues import Liste, fait, onglets, parametres, rediriger, rendre, texte, valeur_parmi
from recouvrement.comptes.courante import restreindre, societe_courante
from recouvrement.comptes.droits import Droit, exige, peut, societes_pour, verifier_droit
from recouvrement.comptes.exports import demande, exporter

USAGES = {
    Usage.JOURNAL: gettext_lazy("Journal des écritures"),
    Usage.CLIENT: gettext_lazy("Clients (collectif)"),
    Usage.DOUTEUX: gettext_lazy("Clients douteux (collectif)"),
    Usage.DOTATION: gettext_lazy("Dotation aux dépréciations des créances"),
    Usage.DEPRECIATION: gettext_lazy("Dépréciation des comptes clients"),
    Usage.REPRISE: gettext_lazy("Reprise sur dépréciations"),
    Usage.INTERETS: gettext_lazy("Pénalités de retard perçues"),
    Usage.INDEMNITE: gettext_lazy("Indemnités de recouvrement perçues (40 €)"),
    Usage.ESCOMPTE: gettext_lazy("Escomptes accordés"),
    Usage.TVA: gettext_lazy("TVA collectée"),
    Usage.ECART: gettext_lazy("Écarts de règlement"),
    Usage.FRAIS: gettext_lazy("Frais bancaires"),
    Usage.PERTE: gettext_lazy("Pertes sur créances irrécouvrables"),
}
VUES = {"en-cours": gettext_lazy("Douteuses"), "reprises": gettext_lazy("Reprises")}
TRIS = {
    "client": ["facture__client__raison_sociale"],
    "facture": ["facture__numero"],
    "passe": ["passe_le"],
}


class PeriodeForm(forms.Form):
    societe = forms.ModelChoiceField(queryset=None, label=gettext_lazy("Société"), empty_label=None)
    du = JourField(label=gettext_lazy("Du"))
    au = JourField(label=gettext_lazy("Au"), help_text=gettext_lazy("Compris."))
    forme = forms.ChoiceField(
        label=gettext_lazy("Forme"),
        choices=[("csv", gettext_lazy("Tableau CSV")), ("fec", gettext_lazy("Lignes à la forme du FEC"))],
    )

    def __init__(self, *args, societes, **kwargs):
        super().__init__(*args, **kwargs)
        self.fields["societe"].queryset = societes.order_by("raison_sociale")
        self.fields["societe"].label_from_instance = lambda societe: societe.raison_sociale

    def clean(self):
        lues = super().clean()
        if lues.get("du") and lues.get("au") and lues["au"] < lues["du"]:
            self.add_error("au", _("La fin précède le début."))
        return lues


class ComptesForm(forms.Form):
    """Un numéro par usage ; vide : celui que la maison propose, s'il y en a un."""

    def __init__(self, *args, societe, **kwargs):
        super().__init__(*args, **kwargs)
        lus = dict(CompteComptable.objects.filter(societe=societe).values_list("usage", "numero"))
        for usage, libelle in USAGES.items():
            propose = PROPOSES.get(usage, "")
            self.fields[usage.value] = forms.CharField(
                label=libelle, max_length=20, required=False, initial=lus.get(usage.value, ""),
                validators=[RegexValidator(r"^[0-9A-Za-z]{1,20}$", _("Des chiffres et des lettres, sans espace."))],
                help_text=_("Proposé : %(numero)s") % {"numero": propose} if propose else _("À donner."),
            )  # fmt: skip


class DouteuxForm(forms.Form):
    le = JourField(label=gettext_lazy("Douteuse depuis le"))
    taux = forms.DecimalField(
        label=gettext_lazy("Dépréciation (% du HT)"), min_value=0, max_value=100, max_digits=5, decimal_places=2,
        initial=0, validators=[MinValueValidator(0), MaxValueValidator(100)],
    )  # fmt: skip
    motif = forms.CharField(
        label=gettext_lazy("Événement"),
        max_length=250,
        help_text=gettext_lazy("Mise en demeure sans réponse, procédure collective… Un simple retard ne suffit pas."),
    )


class RepriseForm(forms.Form):
    le = JourField(label=gettext_lazy("Reprise le"))


def _periode_par_defaut():
    au = aujourd_hui()
    return {"du": au.replace(day=1), "au": au, "forme": "csv"}


@require_safe
@exige(Droit.EXPORTER)
def ecran(request):
    """Créances douteuses et export des écritures."""
    visibles = restreindre(request, Douteux.objects.visibles_pour(request.user), "facture__societe")
    vue = valeur_parmi(request, "v", VUES)
    lignes = visibles.filter(repris_le__isnull=vue == "en-cours")
    if q := texte(request, "q", 60):
        lignes = lignes.filter(facture__client__raison_sociale__icontains=q) | lignes.filter(
            facture__numero__icontains=q
        )
    liste = Liste(
        request, lignes.select_related("facture__client__societe", "auteur"), tris=TRIS, defaut="-passe", par_page=50
    )
    if demande(request):
        return exporter(request, liste.lignes, _colonnes(), nom=_("creances-douteuses"))
    contexte = {
        "liste": liste,
        "vues": onglets(request, "v", list(VUES.items())),
        "periode": PeriodeForm(
            initial=_periode_par_defaut() | {"societe": societe_courante(request)}, societes=_societes(request)
        ),
        "annonce": ngettext("%(n)s créance", "%(n)s créances", liste.total) % {"n": formats.nombre(liste.total)},
        "reglables": list(societes_pour(request.user, Droit.ADMINISTRER).order_by("raison_sociale")),
        "peut_reprendre": peut(request.user, Droit.CONTENTIEUX),
        "aujourd_hui": aujourd_hui(),
        "filtree": bool(q),
    }
    return rendre(request, "factures/comptabilite.html", "factures/_douteuses.html", contexte)


def _societes(request):
    """Les écritures sont celles de toute la société : il faut la voir tout entière."""
    return societes_pour(request.user, Droit.EXPORTER) & societes_pour(request.user, Droit.TOUT_VOIR)


def _colonnes() -> list[Colonne]:
    return [
        Colonne(_("Société"), lambda x: x.facture.client.societe.code),
        Colonne(_("Code client"), lambda x: x.facture.client.code),
        Colonne(_("Client"), lambda x: x.facture.client.raison_sociale),
        Colonne(_("Facture"), lambda x: x.facture.numero),
        Colonne(_("Montant TTC"), lambda x: x.facture.montant_ttc),
        Colonne(_("Devise"), lambda x: x.facture.devise),
        Colonne(_("Douteuse depuis le"), lambda x: x.passe_le),
        Colonne(_("Dépréciation (% du HT)"), lambda x: x.taux),
        Colonne(_("Événement"), lambda x: x.motif),
        Colonne(_("Reprise le"), lambda x: x.repris_le),
    ]


@require_safe
@exige(Droit.EXPORTER)
def ecritures(request):
    """Les écritures de la période, en CSV ou en lignes de FEC ; un compte absent arrête tout, et se nomme."""
    retour = reverse("factures:comptabilite")
    if not request.GET:  # l'adresse nue : la période se choisit à l'écran
        return rediriger(request, retour)
    form = PeriodeForm(request.GET, societes=_societes(request))
    if not form.is_valid():
        messages.error(request, " ".join(f"{e}" for erreurs in form.errors.values() for e in erreurs))
        return rediriger(request, retour)
    societe, du, au = (form.cleaned_data[nom] for nom in ("societe", "du", "au"))
    verifier_droit(request.user, Droit.TOUT_VOIR, societe)
    try:
        lues = comptabilite.ecritures(societe, du=du, au=au)
    except CompteAbsent as absent:
        noms = ", ".join(str(USAGES[usage]).lower() for usage in absent.usages)
        messages.error(request, _("Donnez d'abord un numéro de compte : %(noms)s.") % {"noms": noms})
        return rediriger(request, retour)
    if not lues:
        messages.info(request, _("Aucune écriture sur cette période."))
        return rediriger(request, retour)
    nom = f"ecritures-{societe.code}-{du:%Y%m%d}-{au:%Y%m%d}"
    if form.cleaned_data["forme"] == "fec":
        flux, nom, genre = _fec(lues, comptabilite.libelles_de(societe)), f"{nom}.txt", "text/plain; charset=utf-8"
    else:
        rangees = ((e, x) for e in lues for x in e.lignes)
        flux, nom, genre = lignes_csv(rangees, _colonnes_ecritures()), f"{nom}.csv", "text/csv; charset=utf-8"
    reponse = StreamingHttpResponse(flux, content_type=genre)
    reponse["Content-Disposition"] = f'attachment; filename="{nom}"'
    return reponse


def _colonnes_ecritures() -> list[Colonne]:
    return [
        Colonne(_("Clé"), lambda r: r[0].cle),
        Colonne(_("Date"), lambda r: r[0].le),
        Colonne(_("Journal"), lambda r: r[0].journal),
        Colonne(_("Compte"), lambda r: r[1].compte),
        Colonne(_("Auxiliaire"), lambda r: r[1].tiers.code if r[1].tiers else ""),
        Colonne(_("Pièce"), lambda r: r[0].piece),
        Colonne(_("Libellé"), lambda r: r[0].libelle),
        Colonne(_("Débit"), lambda r: r[1].debit or None),
        Colonne(_("Crédit"), lambda r: r[1].credit or None),
    ]


def _fec(lues, libelles):
    """Tabulations, sans guillemets : un séparateur dans un texte devient une espace."""
    yield "\t".join(COLONNES_FEC) + "\r\n"
    for rangee in rangees_fec(lues, libelles):
        propres = (inoffensif(" ".join(cellule.split())) for cellule in rangee)
        yield "\t".join(propres) + "\r\n"


@require_http_methods(["GET", "HEAD", "POST"])
@exige(Droit.ADMINISTRER)
def comptes(request, pk: int):
    """Les numéros de compte d'une société."""
    societe = get_object_or_404(societes_pour(request.user, Droit.ADMINISTRER), pk=pk)
    form = ComptesForm(request.POST or None, societe=societe)
    if request.method == "POST" and form.is_valid():
        comptabilite.regler(societe, form.cleaned_data, acteur=request.user)
        fait(request, _("Comptes de %(societe)s enregistrés.") % {"societe": societe})
        return rediriger(request, reverse("factures:comptabilite"))
    statut = 422 if request.method == "POST" else 200
    contexte = {"form": form, "societe": societe}
    return rendre(request, "factures/comptes.html", "factures/comptes.html", contexte, status=statut)


@require_POST
@exige(Droit.CONTENTIEUX)
def passer(request, pk: int):
    facture = get_object_or_404(Facture.objects.visibles_pour(request.user).select_related("societe"), pk=pk)
    verifier_droit(request.user, Droit.CONTENTIEUX, facture.societe_id)
    form = DouteuxForm(request.POST)
    _tenter(request, form, lambda: douteux.passer(facture, **form.cleaned_data, au=aujourd_hui(), acteur=request.user),
            _("Créance passée en douteux : l'écriture sera dans l'export de la période."))  # fmt: skip
    return rediriger(request, reverse("factures:fiche", args=[pk]))


@require_POST
@exige(Droit.CONTENTIEUX)
def reprendre(request, pk: int):
    visibles = Douteux.objects.visibles_pour(request.user).select_related("facture")
    passe = get_object_or_404(visibles, pk=pk)
    verifier_droit(request.user, Droit.CONTENTIEUX, passe.facture.societe_id)
    form = RepriseForm(request.POST)
    _tenter(request, form, lambda: douteux.reprendre(passe, **form.cleaned_data, au=aujourd_hui(), acteur=request.user),
            _("La créance n'est plus douteuse."))  # fmt: skip
    return rediriger(request, f"{reverse('factures:comptabilite')}{parametres(request)}")


def _tenter(request, form, geste, dit: str) -> None:
    if not form.is_valid():
        messages.error(request, " ".join(f"{e}" for erreurs in form.errors.values() for e in erreurs))
        return
    try:
        if geste():
            fait(request, dit)
        else:
            messages.info(request, _("C'était déjà fait."))
    except ValidationError as refus:
        messages.error(request, " ".join(refus.messages))
