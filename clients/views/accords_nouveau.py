"""Proposer un accord : le genre, les pièces, les termes, ce qu'il fera ; rien n'est écrit avant « Proposer »."""

from django.core.exceptions import ValidationError
from django.shortcuts import render
from django.urls import reverse
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy, ngettext
from django.views.decorators.http import require_http_methods

from factures.domaine.accords import ABANDON, ETALES, Genre, effet
from factures.domaine.mensualites import Terme
from factures.models import Accord, Echeancier
from factures.services.accords import Examen, examiner, lire_termes, reglage
from recouvrement.commun import formats
from recouvrement.commun.horloge import aujourd_hui
from recouvrement.commun.vues import Onglet, fait, parametres, rediriger, valeur_parmi
from recouvrement.comptes.droits import Droit, exige, peut, verifier_droit
from relances.services import accords

from .accords_formulaires import FORMULAIRES, AccordForm, CleForm, Mensualites, resume_des_bornes
from .fiche import client_visible
from .volets import Fiche, reporter

RESUMES = {
    Genre.ECHEANCIER: gettext_lazy("Le client paie en plusieurs fois ; ses pièces se taisent tant qu'il tient."),
    Genre.REMISE: gettext_lazy("Payé à temps, une part de la dette est abandonnée ; sinon tout reste dû."),
    Genre.ESCOMPTE: gettext_lazy("Un paiement proche, contre un escompte."),
    Genre.COMPENSATION: gettext_lazy("Nous devons aussi de l'argent à ce client : les deux dettes s'éteignent."),
    Genre.NOVATION: gettext_lazy("L'ancienne dette s'éteint, une dette nouvelle la remplace."),
}


@require_http_methods(["GET", "HEAD", "POST"])
@exige(Droit.AGIR)
def nouveau(request, pk: int):
    """Les termes sont dans l'adresse, les mensualités dans le formulaire : voir, retoucher, proposer."""
    client = client_visible(request, pk)
    verifier_droit(request.user, Droit.AGIR, client.societe_id)
    f = Fiche(client, au=aujourd_hui(), user=request.user)
    genre = Genre(valeur_parmi(request, "genre", list(FORMULAIRES)))
    bornes = reglage(client.societe)
    ouvertes = [e for e in f.pieces if not e.en_contentieux and not _engagee(e)]
    vu_demande = "voir" in request.GET
    form = FORMULAIRES[genre](
        request.GET if vu_demande else None, pieces=ouvertes, au=f.au, client=client, reglage=bornes
    )
    lu, mensualites = form.is_bound and form.is_valid(), None
    if lu and genre in ETALES:
        envoyees = request.POST if request.method == "POST" else None
        mensualites = Mensualites(envoyees, prefix="m", initial=None if envoyees else form.proposition())
    elif request.method == "POST" and not lu:
        form.add_error(None, _("L'accord a changé : relisez ce qu'il fera, puis proposez-le de nouveau."))
    cle = CleForm(request.POST if request.method == "POST" else None)
    if request.method == "POST" and lu and cle.is_valid() and (mensualites is None or mensualites.is_valid()):
        try:
            accord = accords.proposer(
                client, genre=genre, echeances=form.choisies(), termes=form.termes(_termes(mensualites)), au=f.au,
                acteur=request.user, cle=cle.cleaned_data["cle"],
            )  # fmt: skip
        except ValidationError as erreur:
            reporter(form, erreur)
        else:
            attend = accord.statut == Accord.Statut.A_APPROUVER
            fait(request, _("Accord proposé : un responsable décide.") if attend else _("Accord prêt à signer."))
            return rediriger(request, reverse("clients:accord", args=[client.pk, accord.pk]))
    examen = _examen(f, form, mensualites) if lu else None
    contexte = {
        "client": client, "genre": genre, "form": form, "mensualites": mensualites, "cle": cle, "au": f.au,
        "lu": lu, "examen": examen, "effets": _effets(form, examen, mensualites) if examen else [],
        "bornes": resume_des_bornes(bornes, formats.somme) if genre in ETALES else "", "resume": RESUMES[genre],
        "genres": [
            Onglet(nom, parametres(request, genre=valeur, voir=None), valeur == genre)
            for valeur, nom in Accord.Genre.choices
        ],
        "decide": peut(request.user, Droit.LEVER_FREIN, client.societe_id),
        "devise": form.choisies()[0].devise if lu else "EUR",
        "au_reglement": [n for n in form.fields if n not in ("pieces", "toutes", "redaction")],
    }  # fmt: skip
    return render(request, "clients/accord_nouveau.html", contexte, status=422 if request.method == "POST" else 200)


def _engagee(e) -> bool:
    return bool(e.echeancier and e.echeancier.statut == Echeancier.Statut.EN_COURS)


def _termes(mensualites) -> list[Terme]:
    """Mensualités saisies si elles se lisent, sinon proposées."""
    if mensualites is None:
        return []
    if mensualites.is_bound:
        return [Terme(d["due_le"], d["montant"]) for d in mensualites.cleaned_data] if mensualites.is_valid() else []
    return [Terme(**d) for d in mensualites.initial]


def _examen(f: Fiche, form: AccordForm, mensualites) -> Examen:
    try:
        termes = lire_termes(form.termes(_termes(mensualites)))
    except ValidationError as erreur:
        return Examen(refus=list(erreur.messages))
    return examiner(f.client, genre=form.genre, echeances=form.choisies(), termes=termes, au=f.au)


def _effets(form: AccordForm, e: Examen, mensualites) -> list[tuple[str, str, str]]:
    """[(phrase, icône, ton)] : ce que l'accord fera une fois signé, ce qui l'arrête, ce dont on avertit."""
    phrases = [(texte, "x", "mal") for texte in e.refus]
    phrases += [(texte, "user-check", "att") for texte in e.a_approuver]
    if e.montant and not e.refus:
        phrases += [(texte, "check", "doux") for texte in _a_la_signature(form, e)]
    return phrases + [(texte, "alert-triangle", "att") for texte in e.avertissements]


def _a_la_signature(form: AccordForm, e: Examen) -> list[str]:
    d, n = form.cleaned_data, len(form.choisies())
    somme = lambda x: formats.somme(x, e.devise)  # noqa: E731
    if form.genre == Genre.ECHEANCIER:
        suite = (
            _("Une mensualité manquée se met en demeure ; huit jours plus tard, le solde devient exigible.")
            if e.clause_decheance
            else _("Une mensualité manquée n'en rend pas d'autre exigible (C. civ., art. 1305-4).")
        )
        taire = ngettext(
            "Signé : %(n)d pièce, %(du)s, se tait tant que l'échéancier est tenu.",
            "Signé : %(n)d pièces, %(du)s, se taisent tant que l'échéancier est tenu.",
            n,
        ) % {"n": n, "du": somme(e.montant)}
        return [taire, suite, _("Il reconnaît la dette : la prescription est interrompue (C. civ., art. 2240).")]
    if form.genre in ABANDON:
        net = effet(form.genre, montant=e.montant, remise=d["remise"]).a_payer
        v = {"net": somme(net), "jour": formats.jour_long(d["payer_avant"]), "remise": somme(d["remise"])}
        return [
            _("Signé, et %(net)s reçus au plus tard le %(jour)s : %(remise)s sont abandonnés, par un avoir.") % v,
            _("Sinon l'accord est caduc : tout reste dû, moins ce qui est payé."),
        ]
    if form.genre == Genre.COMPENSATION:
        eff = effet(form.genre, montant=e.montant, opposee=d["creance_montant"])
        v = {"part": somme(eff.avoir), "reste": somme(eff.a_payer)}
        return [_("Signé : %(part)s s'éteignent aussitôt ; il reste %(reste)s à payer.") % v]
    return [
        _("Signé : %(du)s s'éteignent, et une dette nouvelle de même montant est ouverte.") % {"du": somme(e.montant)}
    ]
