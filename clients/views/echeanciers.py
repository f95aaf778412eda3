"""L'échéancier déjà accepté de vive voix : noté, suivi. La voie principale est l'accord écrit (`accords_nouveau`)."""

from datetime import timedelta
from decimal import Decimal

from django import forms
from django.core.exceptions import ValidationError
from django.shortcuts import get_object_or_404, render
from django.urls import reverse
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy, ngettext
from django.views.decorators.http import require_http_methods, require_POST, require_safe

from clients.forms import MotifForm
from factures.domaine.mensualites import Etat, Terme, depasse_le_juge, mois_apres, proposer
from factures.models import Echeance, Echeancier
from factures.services import limite_promesse
from factures.services.echeanciers import MENSUALITES_MAX, accepter, annuler_echeancier, suivis
from recouvrement.commun import formats
from recouvrement.commun.forms import JourField, MontantField
from recouvrement.commun.horloge import aujourd_hui
from recouvrement.commun.vues import fait, rediriger
from recouvrement.comptes.droits import Droit, exige, peut, verifier_droit
from relances.services import accords
from relances.services.echeanciers import suite

from .fiche import TONS_ACCORD, client_visible
from .formulaires import AvecPieces, PiecesField
from .volets import Fiche, reporter

ZERO = Decimal("0.00")
PUCES = {
    Etat.PAYEE: (gettext_lazy("payée"), "bon", "check"),
    Etat.ATTENDUE: (gettext_lazy("attendue"), "", "clock"),
    Etat.MANQUEE: (gettext_lazy("manquée"), "mal", "x"),
}


class AccordForm(AvecPieces, forms.Form):
    """Ce dont on est convenu ; les mensualités s'en proposent, puis se retouchent."""

    pieces = PiecesField()
    nombre = forms.IntegerField(label=gettext_lazy("Nombre de mensualités"), min_value=2, max_value=MENSUALITES_MAX)
    premiere = JourField(label=gettext_lazy("Première mensualité le"))
    accepte_le = JourField(label=gettext_lazy("Accepté le"))
    clause_decheance = forms.BooleanField(
        label=gettext_lazy("L'accord écrit porte une clause de déchéance du terme"),
        required=False,
        help_text=gettext_lazy(
            "Sans elle, une mensualité manquée ne rend pas le solde exigible (C. civ., art. 1305-4)."
        ),
    )

    def __init__(self, *args, pieces: list[Echeance], au, **kwargs):
        devise = pieces[0].devise if pieces else "EUR"
        proposees = [e.pk for e in pieces if e.devise == devise and e.date_echeance < au]
        kwargs["initial"] = {
            "pieces": proposees, "nombre": 3, "premiere": mois_apres(au, 1), "accepte_le": au,
        }  # fmt: skip
        super().__init__(*args, use_required_attribute=False, **kwargs)
        self.poser_pieces(pieces)

    def montant_de(self, e: Echeance) -> Decimal:
        """Un échéancier prend la pièce entière, part contestée comprise."""
        return e.reste_du

    @property
    def total(self) -> Decimal:
        return sum((e.reste_du for e in self.choisies()), ZERO)

    def clean(self):
        donnees = super().clean()
        choisies = self.choisies()
        if len({e.devise for e in choisies}) > 1:
            self.add_error("pieces", _("Un échéancier ne réunit pas deux devises : notez-en un par devise."))
        elif donnees.get("nombre") and choisies and self.total * 100 < donnees["nombre"]:
            self.add_error("nombre", _("Chaque mensualité vaut au moins un centime."))
        return donnees

    def proposition(self) -> list[dict]:
        d = self.cleaned_data
        return [t._asdict() for t in proposer(self.total, d["nombre"], d["premiere"])]


class MensualiteForm(forms.Form):
    due_le = JourField(label=gettext_lazy("Le"), avance=timedelta(days=12 * 366))
    montant = MontantField(label=gettext_lazy("Montant"), min_value=Decimal("0.01"))


Mensualites = forms.formset_factory(
    MensualiteForm, extra=0, absolute_max=MENSUALITES_MAX, max_num=MENSUALITES_MAX, validate_max=True
)


@require_http_methods(["GET", "HEAD", "POST"])
@exige(Droit.AGIR)
def nouveau(request, pk: int):
    """L'accord est dans l'adresse, ses mensualités dans le formulaire : proposer, retoucher, enregistrer."""
    client = client_visible(request, pk)
    verifier_droit(request.user, Droit.AGIR, client.societe_id)
    f = Fiche(client, au=aujourd_hui(), user=request.user)
    ouvertes = [e for e in f.pieces if not e.en_contentieux and not _engagee(e)]
    form = AccordForm(request.GET if "nombre" in request.GET else None, pieces=ouvertes, au=f.au)
    accord, mensualites = form.is_bound and form.is_valid(), None
    if accord:
        envoyees = request.POST if request.method == "POST" else None
        mensualites = Mensualites(envoyees, prefix="m", initial=None if envoyees else form.proposition())
    elif request.method == "POST":
        form.add_error(None, _("L'accord a changé : proposez de nouveau les mensualités."))
    if accord and request.method == "POST" and mensualites.is_valid():
        try:
            echeancier = _accepter(f, form, mensualites)
        except ValidationError as erreur:
            reporter(form, erreur)
        else:
            fait(request, _("Échéancier enregistré : ses pièces se taisent tant qu'il est tenu."))
            return rediriger(request, reverse("clients:echeancier", args=[client.pk, echeancier.pk]))
    contexte = {
        "client": client, "form": form, "mensualites": mensualites, "au": f.au,
        "effets": _effets(f, form, mensualites) if accord else [],
        "devise": form.choisies()[0].devise if accord else "EUR",
    }  # fmt: skip
    return render(request, "clients/echeancier_nouveau.html", contexte, status=422 if request.method == "POST" else 200)


def _engagee(e: Echeance) -> bool:
    """Déjà dans un échéancier en cours ; rompu, on peut en convenir d'un autre."""
    return bool(e.echeancier and e.echeancier.statut == Echeancier.Statut.EN_COURS)


def _termes(mensualites) -> list[Terme]:
    """Mensualités lues : saisies si elles sont valides, sinon proposées."""
    if mensualites.is_bound:
        return [Terme(d["due_le"], d["montant"]) for d in mensualites.cleaned_data] if mensualites.is_valid() else []
    return [Terme(**d) for d in mensualites.initial]


def _accepter(f: Fiche, form: AccordForm, mensualites) -> Echeancier:
    return accepter(
        f.client,
        echeances=form.choisies(),
        mensualites=_termes(mensualites),
        accepte_le=form.cleaned_data["accepte_le"],
        clause_decheance=form.cleaned_data["clause_decheance"],
        au=f.au,
        acteur=f.user,
    )


def _effets(f: Fiche, form: AccordForm, mensualites) -> list[tuple[str, str, str]]:
    """[(phrase, icône, ton)] : ce que l'accord fera, et ce qu'il ne fera pas."""
    choisies, termes = form.choisies(), _termes(mensualites)
    if not termes:
        return []
    devise, n = choisies[0].devise, len(choisies)
    total = sum((t.montant for t in termes), ZERO)
    phrases = [
        (
            ngettext(
                "%(n)d pièce se tait tant que l'échéancier est tenu : %(du)s.",
                "%(n)d pièces se taisent tant que l'échéancier est tenu : %(du)s.",
                n,
            )
            % {"n": n, "du": formats.somme(form.total, devise)},
            "player-pause", "doux",
        ),
        (
            _("Premier contrôle le %(jour)s : la date et deux jours ouvrés. Un manque rompt l'accord et vous prévient.")
            % {"jour": formats.jour_long(limite_promesse(termes[0].due_le, f.region))},
            "calendar", "doux",
        ),
        (
            _("Clause de déchéance : manqué, le solde devient exigible après une mise en demeure restée sans effet.")
            if form.cleaned_data["clause_decheance"]
            else _("Sans clause de déchéance : manqué, seules les mensualités échues sont exigibles."),
            "certificate", "doux",
        ),
        (
            _("Les pénalités continuent de courir, faute de clause ; y renoncer se note sur chaque facture."),
            "percentage", "doux",
        ),
    ]  # fmt: skip
    if remplacees := {e.promesse.pk for e in choisies if e.promesse and e.promesse.statut == "en_attente"}:
        remplace = ngettext(
            "La promesse en attente est remplacée.", "Les promesses en attente sont remplacées.", len(remplacees)
        )
        phrases.append((remplace, "clipboard-check", "doux"))
    if depasse_le_juge(form.cleaned_data["accepte_le"], termes):
        phrases.append((
            _("Plus de vingt-quatre mois : un juge n'irait pas au-delà (C. civ., art. 1343-5) ; les parties, si."),
            "alert-triangle", "att",
        ))  # fmt: skip
    if conteste := sum((e.conteste for e in choisies), ZERO):
        phrases.append((
            _("Dont %(conteste)s contestés : échelonner ce que le client conteste demande son accord écrit.")
            % {"conteste": formats.somme(conteste, devise)},
            "alert-triangle", "att",
        ))  # fmt: skip
    if total != form.total:
        phrases.append((
            _("%(total)s échelonnés pour %(du)s dus, écart de %(ecart)s : rien ne s'enregistre avant l'équilibre.")
            % {
                "total": formats.somme(total, devise), "du": formats.somme(form.total, devise),
                "ecart": formats.somme(abs(total - form.total), devise),
            },
            "x", "mal",
        ))  # fmt: skip
    return phrases


def _echeancier(request, pk: int, echeancier: int) -> Echeancier:
    visibles = Echeancier.objects.visibles_pour(request.user).select_related("client__societe", "auteur", "accord")
    return get_object_or_404(visibles, pk=echeancier, client=pk)


@require_safe
@exige(Droit.VOIR)
def echeancier(request, pk: int, echeancier: int):
    """Où en est l'accord, mensualité par mensualité."""
    return _montrer(request, _echeancier(request, pk, echeancier), MotifForm())


def _montrer(request, accord: Echeancier, form, *, status: int = 200):
    lignes = suivis([accord], au=aujourd_hui())[accord.pk]
    contexte = {
        "client": accord.client,
        "echeancier": accord,
        "ton": TONS_ACCORD.get(accord.statut, ""),
        "lignes": [(s, *PUCES[s.etat]) for s in lignes],
        "paye": sum((s.paye for s in lignes), ZERO),
        "reste": sum((s.manque for s in lignes), ZERO),
        "suite": suite(accord),
        "pieces": accord.echeances.select_related("facture").order_by("date_echeance", "pk"),
        "form": form,
        "ecrit": getattr(accord, "accord", None),
        "peut_agir": peut(request.user, Droit.AGIR, accord.client.societe_id),
    }
    return render(request, "clients/echeancier.html", contexte, status=status)


@require_POST
@exige(Droit.AGIR)
def annuler(request, pk: int, echeancier: int):
    accord = _echeancier(request, pk, echeancier)
    verifier_droit(request.user, Droit.AGIR, accord.client.societe_id)
    form = MotifForm(request.POST)
    if not form.is_valid():
        return _montrer(request, accord, form, status=422)
    motif, ecrit = form.cleaned_data["motif"], getattr(accord, "accord", None)
    geste, objet = (accords.annuler, ecrit) if ecrit else (annuler_echeancier, accord)
    if geste(objet, motif=motif, au=aujourd_hui(), acteur=request.user):
        fait(request, _("Échéancier annulé : ses pièces rentrent dans l'échelle à leur niveau."))
    return rediriger(request, reverse("clients:fiche", args=[accord.client_id]))
