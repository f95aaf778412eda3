"""Volet d'appel : quoi dire, quoi taire, l'issue codifiée et sa suite (exigence 30)."""

from django.core.exceptions import ValidationError
from django.db import transaction
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy, ngettext

from clients.services import ConflitEdition
from factures.services.procedures import posterieures
from recouvrement.commun import formats
from relances.domaine.appels import SUITES, Effet, jour_de_suite
from relances.domaine.appels import Issue as IssueAppel
from relances.services import renvois, taches
from relances.services.appels import conclure_appel

from . import paroles
from .formulaires import AppelForm
from .volet_litige import Litige
from .volet_promesse import Promesse
from .volet_renvoi import Renvoyer
from .volets import Issue, Volet, reporter, valeur

AVEC_PIECES = [i.value for i, suite in SUITES.items() if suite.effet in (Effet.RENVOI, Effet.RETENUE)]
INCOMPLET = gettext_lazy("Complétez la suite de l'appel ci-dessous : rien n'est encore enregistré.")


class Appel(Volet):
    """Un appel et son issue codifiée ; ce qu'elle entraîne s'enregistre avec lui (exigence 30)."""

    nom, titre, signe, touche = "appel", gettext_lazy("Appel"), "phone", "a"
    bouton = gettext_lazy("Enregistrer l'appel")
    avec_effets = True

    def __init__(self, fiche, params):
        super().__init__(fiche, params)
        self.promesse, self.litige = Promesse(fiche, params), Litige(fiche, params)
        self.renvoi = Renvoyer(fiche, params)
        self.promesse.prefixe, self.litige.prefixe, self.renvoi.prefixe = "promesse", "litige", "appel"

    def formulaire(self, data=None):
        form = AppelForm(
            data,
            contacts=self.fiche.contacts,
            initial={"contact": next((c.pk for c in self.fiche.contacts if c.telephone), None)},
        )
        issue = form["issue"].value()
        form.suites = {
            IssueAppel.PROMESSE.value: self.promesse.formulaire(data if issue == IssueAppel.PROMESSE else None),
            IssueAppel.LITIGE.value: self.litige.formulaire(data if issue == IssueAppel.LITIGE else None),
        }
        form.pieces = self.renvoi.formulaire(data if issue in AVEC_PIECES else None)
        return form

    def contexte(self, form):
        return {
            "form_promesse": form.suites[IssueAppel.PROMESSE.value],
            "form_litige": form.suites[IssueAppel.LITIGE.value],
            "form_pieces": form.pieces,
            "paroles": paroles.dernieres(self.client),
            "appels": paroles.histoire_des_appels(self.client),
            "issues": [
                (str(rang), valeur_, libelle) for rang, (valeur_, libelle) in enumerate(form.fields["issue"].choices, 1)
            ],
            "dire": self._dire(),
            "numeros": self._numeros(),
        }

    def _numeros(self) -> list[tuple[str, str, str]]:
        """(qui, fonction, numéro) à composer ; aucun si le client ne veut pas d'appel : seul un appel reçu se note."""
        if self.client.ne_pas_appeler_le:
            return []
        joignables = [
            (c.nom, c.fonction, c.telephone) for c in self.fiche.contacts if c.telephone and not c.ne_pas_appeler
        ]
        return joignables or ([(str(self.client), "", self.client.telephone)] if self.client.telephone else [])

    def _dire(self) -> list[tuple[bool, str]]:
        """(à dire, phrase) : les plus grosses dettes, la promesse rompue ; et ce qu'il faut taire."""
        lignes, echues = [], self.fiche.echues
        if self.client.procedure_cloturee_le:
            rendues = posterieures([e.pk for e in echues])
            echues = [e for e in echues if e.pk in rendues]
            lignes.append((False, _("Procédure close : ne rien réclamer d'avant le jugement")))
        elif self.client.jugement_ouverture_le:
            return [(False, _("Procédure collective : ne rien réclamer, la créance se déclare"))]
        rompue = next((e.promesse for e in self.fiche.pieces if e.promesse and e.promesse.statut == "rompue"), None)
        if rompue:
            lignes.append(
                (True, _("Promesse du %(jour)s non tenue") % {"jour": formats.jour_court(rompue.date_promise)})
            )
        plus_lourdes = sorted(echues, key=lambda e: e.conteste - e.reste_du)
        for e in plus_lourdes[:3]:
            if e.reste_du > e.conteste:
                lignes.append(
                    (
                        True,
                        _("%(piece)s, %(montant)s, %(retard)s de retard")
                        % {
                            "piece": e.facture.numero,
                            "montant": formats.somme(e.reste_du - e.conteste, e.devise),
                            "retard": formats.retard(e.date_echeance, self.au),
                        },
                    )
                )
        for e in self.fiche.pieces:
            if e.conteste:
                montant = formats.somme(e.conteste, e.devise)
                lignes.append(
                    (
                        False,
                        _("Ne pas réclamer les %(montant)s contestés sur %(piece)s")
                        % {"montant": montant, "piece": e.facture.numero},
                    )
                )
        return lignes

    def effets(self, form):
        issue = valeur(form, "issue")
        if not issue:
            return []
        phrases = []
        ouvertes = self.client.taches.filter(genre__in=taches.CLOSES_PAR_UN_APPEL, faite_le=None).count()
        if ouvertes:
            phrases.append(
                ngettext("La tâche d'appel est close.", "Les %(n)d tâches d'appel sont closes.", ouvertes)
                % {"n": ouvertes}
            )
        if issue == IssueAppel.PROMESSE:
            return phrases + self.promesse.effets(form.suites[issue])
        if issue == IssueAppel.LITIGE:
            return phrases + self.litige.effets(form.suites[issue])
        suite = SUITES[IssueAppel(issue)]
        if suite.effet is Effet.RENVOI:
            phrases += self.renvoi.effets(form.pieces)
        elif suite.effet is Effet.RETENUE and form.pieces.choisies():
            fin = renvois.fin_du_delai(self.au, renvois.DELAI_PAIEMENT_PARTI, self.fiche.region)
            phrases.append(_("Ces pièces attendent jusqu'au %(jour)s.") % {"jour": formats.jour_long(fin)})
        jour = valeur(form, "suite_le")
        if suite.effet is not Effet.RENVOI:
            jour = jour or jour_de_suite(IssueAppel(issue), au=self.au, region=self.fiche.region)
        if jour:
            titre = _(taches.TITRES_SUITE[suite.cle if suite.effet is not Effet.RENVOI and suite.cle else "rappel"])
            phrases.append(
                _("Nouvelle tâche %(jour)s : %(titre)s.")
                % {"jour": formats.jour_long(jour), "titre": titre[0].lower() + titre[1:]}
            )
        if suite.effet is not Effet.RENVOI:
            phrases.append(_("Le palier ne bouge pas."))
        return phrases

    def enregistrer(self, form):
        donnees, issue = form.cleaned_data, IssueAppel(form.cleaned_data["issue"])
        suite = form.suites.get(issue.value)
        if (suite is not None and not suite.is_valid()) or (issue in AVEC_PIECES and not form.pieces.is_valid()):
            raise ValidationError(INCOMPLET)
        with transaction.atomic():
            resultat = Issue("")
            if suite is not None:
                resultat = self._suivre(issue, suite)
            phrase = conclure_appel(
                self.client,
                issue=issue,
                au=self.au,
                acteur=self.fiche.user,
                pieces=form.pieces.choisies() if issue in AVEC_PIECES else (),
                contact=donnees["contact"],
                commentaire=donnees["commentaire"],
                motif=donnees["motif"],
                suite_le=donnees["suite_le"] if suite is None else None,
                cle=donnees["cle"],
            )
        dit = " ".join(filter(None, [_("Appel enregistré."), resultat.texte, phrase]))
        return Issue(dit, resultat.annuler)

    def _suivre(self, issue: IssueAppel, suite) -> Issue:
        """La promesse ou le litige ; refusés, leurs fautes se lisent à leur place."""
        volet = self.promesse if issue is IssueAppel.PROMESSE else self.litige
        try:
            return volet.enregistrer(suite)
        except ValidationError as erreur:
            reporter(suite, erreur)
            raise ValidationError(INCOMPLET) from erreur
        except ConflitEdition as perime:  # lu, le bandeau permet d'enregistrer en connaissance de cause
            suite.data = suite.data.copy()
            suite.data[suite.add_prefix("version")] = perime.version
            raise
