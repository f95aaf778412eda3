"""Ce qui n'est pas sûr se voit : chaque règle dont la source est à confirmer, son texte et où elle se règle."""

from django.shortcuts import render
from django.utils.translation import gettext as _
from django.views.decorators.http import require_safe

from contentieux.donnees import injonction, lire, mandatement, natures
from factures.domaine.maximums import TABLE
from recouvrement.comptes.droits import Droit, exige

SUR = ("sourcé", "S")


@require_safe
@exige(Droit.VOIR)
def sources(request):
    """Conventions, maximums, prescriptions et délais que les sources ne tranchent pas."""
    libelles = {**injonction().libelles, **mandatement().libelles}
    procedure = {
        (x["evenement"], x["texte"]): x
        for nom in ("procedure_injonction.csv", "procedure_mandatement.csv")
        for x in lire(nom)
        if x["confiance"] not in SUR
    }
    contexte = {
        "conventions": lire("conventions.csv"),
        "groupes": [
            (_("Maximums légaux"), [(r.libelle, _("%(n)d jours") % {"n": r.jours}, r.texte, r.confiance)
                                    for r in TABLE.values() if r.confiance not in SUR]),
            (_("Prescription"), [(n.libelle, str(n.duree or "–"), n.texte, n.confiance)
                                 for n in natures().values() if n.confiance not in SUR]),
            (_("Procédure"), [(libelles[x["evenement"]], x["delai"] or "–", x["texte"], x["confiance"] or "–")
                              for x in procedure.values()]),
        ],
    }  # fmt: skip
    return render(request, "contentieux/sources.html", contexte)
