"""Volets qui touchent les pièces : exclusion, encaissement, affectation."""

from datetime import timedelta
from decimal import Decimal

from django.core.exceptions import ValidationError
from django.urls import reverse
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy

from factures.domaine.imputation import Dette, Repartition, repartir
from factures.models import Avoir, Echeance
from factures.services import (
    enregistrer_encaissement,
    imputer,
    imputer_avoir,
)
from factures.services.exclusions import exclure
from recouvrement.commun import formats
from recouvrement.commun.vues import entier
from relances import motifs
from relances.models import Courrier

from .formulaires import (
    AffectationForm,
    AffecterForm,
    EncaissementForm,
    ExclusionForm,
)
from .volets import Issue, Volet, valeur

PAS_PARTIS = (Courrier.Statut.A_VALIDER, Courrier.Statut.A_ENVOYER, Courrier.Statut.A_POSTER)


class Exclure(Volet):
    """Retient la pièce de `?piece=` pour un temps ; les autres suivent l'échelle."""

    nom, titre, signe = "exclure", gettext_lazy("Exclure une pièce"), "player-pause"
    bouton = gettext_lazy("Exclure la pièce")
    avec_effets = True

    def formulaire(self, data=None):
        depart = {}
        if (piece := entier(self.params.get("piece"))) is not None:
            depart["echeance"] = piece
        return ExclusionForm(data, pieces=self.fiche.pieces, au=self.au, initial=depart)

    def effets(self, form):
        choisie, fin = valeur(form, "echeance"), valeur(form, "au")
        pk = getattr(choisie, "pk", choisie)
        piece = next((e for e in self.fiche.pieces if e.pk == pk), None)
        if not piece or not fin or fin < self.au:
            return []
        phrases = [
            _("%(piece)s ne se relance pas jusqu'au %(jour)s ; les autres pièces continuent.")
            % {"piece": piece.facture.numero, "jour": formats.jour_long(fin)}
        ]
        if piece.exclusion:
            phrases.append(
                _("Elle remplace l'exclusion qui court jusqu'au %(jour)s.") % {"jour": formats.jour(piece.exclusion.au)}
            )
        decision = self.fiche.etapes.par_piece.get(piece.pk)
        if decision and decision.palier and decision.prochaine and decision.prochaine <= fin:
            etape = motifs.nom_palier(decision.palier.nature).lower()
            phrases.append(_("L'étape prévue le %(jour)s (%(etape)s) attend.") % {
                "jour": formats.jour_long(decision.prochaine), "etape": etape,
            })  # fmt: skip
        phrases += self._courriers(piece)
        reprise = self.fiche.prevision.ouvre(fin + timedelta(days=1))
        phrases.append(_("Elle rentre seule le %(jour)s.") % {"jour": formats.jour_long(reprise)})
        return phrases

    def _courriers(self, piece) -> list[str]:
        """Ce que l'exclusion fera aux courriers déjà préparés qui portent cette pièce."""
        prets = self.client.courriers.filter(statut__in=PAS_PARTIS, relances__echeance=piece.pk).distinct()
        phrases = []
        for c in prets.order_by("-nature", "pk")[:3]:
            seule = not c.relances.exclude(echeance=piece.pk).exists()
            suite = (
                _("elle n'a pas d'autre pièce, elle s'annulera à la prochaine relecture")
                if seule
                else _("elle se refera sans cette pièce à la prochaine relecture")
            )
            phrases.append(
                _("%(lettre)s déjà préparée, %(statut)s : %(suite)s.")
                % {
                    "lettre": f"{c.get_nature_display()} {c.reference}".strip(),
                    "statut": c.get_statut_display().lower(),
                    "suite": suite,
                }
            )
        return phrases

    def enregistrer(self, form):
        d = form.cleaned_data
        exclusion = exclure(d["echeance"], motif=d["motif"], du=self.au, au=d["au"], acteur=self.fiche.user)
        return Issue(
            _("%(piece)s exclue jusqu'au %(jour)s.")
            % {"piece": d["echeance"].facture, "jour": formats.jour(exclusion.au)},
            reverse("clients:reintegrer", args=[self.client.pk, exclusion.pk]),
        )


class _Affectation(Volet):
    """Ce que partagent un encaissement saisi et un crédit à affecter."""

    avec_effets = True

    def repartition(self, form, montant: Decimal, devise: str) -> Repartition:
        """Parts proposées : la règle, restreinte aux pièces cochées si la personne a choisi."""
        choix = valeur(form, "repartition")
        if choix == AffectationForm.PLUS_TARD:
            return Repartition((), montant)
        pieces = form.choisies() if choix == AffectationForm.CHOISIES else self.fiche.pieces
        dettes = [Dette(e.pk, e.reste_du, e.date_echeance) for e in pieces if e.devise == devise]
        return repartir(montant, dettes, au=self.au)

    def phrases(self, repartition: Repartition, devise: str) -> list[str]:
        pieces = {e.pk: e for e in self.fiche.pieces}
        phrases = []
        for part in repartition.parts[:8]:
            piece: Echeance = pieces[part.cle]
            reste = piece.reste_du - part.montant
            suite = _("reste %(reste)s") % {"reste": formats.somme(reste, devise)} if reste else _("soldée")
            phrases.append(f"{piece.facture.numero} : {formats.somme(part.montant, devise)}, {suite}.")
        if len(repartition.parts) > 8:
            phrases.append(_("Et %(n)s autres pièces.") % {"n": len(repartition.parts) - 8})
        if repartition.non_affecte:
            phrases.append(
                _("%(reste)s restent à affecter et retiennent les relances.")
                % {"reste": formats.somme(repartition.non_affecte, devise)}
            )
        return phrases

    def poser(self, source, repartition: Repartition, *, cle: str, vu=None) -> str:
        """Impute, et rend l'adresse qui défait."""
        parts = [(part.cle, part.montant) for part in repartition.parts]
        if not parts:
            return ""
        service = imputer_avoir if isinstance(source, Avoir) else imputer
        service(source, parts, au=self.au, cle=cle, acteur=self.fiche.user, vu=vu)
        genre = "avoir" if isinstance(source, Avoir) else "encaissement"
        return reverse("clients:desaffecter", args=[self.client.pk, genre, source.pk, cle])


class Encaissement(_Affectation):
    nom, titre, signe, touche = "encaissement", gettext_lazy("Encaissement reçu"), "building-bank", "e"
    bouton = gettext_lazy("Enregistrer l'encaissement")

    def formulaire(self, data=None):
        devises = list(dict.fromkeys([*(e.devise for e in self.fiche.pieces), "EUR"]))
        return EncaissementForm(data, pieces=self.fiche.pieces, devises=devises, au=self.au)

    def effets(self, form):
        montant, devise = valeur(form, "montant"), valeur(form, "devise")
        if not montant or not devise:
            return []
        return self.phrases(self.repartition(form, montant, devise), devise)

    def enregistrer(self, form):
        d = form.cleaned_data
        encaissement = enregistrer_encaissement(
            self.client,
            montant=d["montant"],
            recu_le=d["recu_le"],
            mode=d["mode"],
            devise=d["devise"],
            reference=d["reference"],
            au=self.au,
            cle=d["cle"],
            acteur=self.fiche.user,
        )
        # Relu : un double envoi retrouve l'encaissement déjà affecté, sans le réaffecter ailleurs.
        reste = encaissement.montant - encaissement.impute
        annuler = ""
        if reste == encaissement.montant:
            annuler = self.poser(encaissement, self.repartition(form, reste, d["devise"]), cle=d["cle"])
        return Issue(
            _("Encaissement de %(montant)s enregistré.") % {"montant": formats.somme(d["montant"], d["devise"])},
            annuler,
        )


class Affecter(_Affectation):
    nom, titre, signe = "affecter", gettext_lazy("Affecter un crédit"), "arrows-exchange"
    bouton = gettext_lazy("Affecter")

    def formulaire(self, data=None):
        voulu = self.params.get("credit", "")
        disponibles = self.fiche.credits
        choisi = next((c for c in disponibles if c.cle == voulu), disponibles[0] if disponibles else None)
        depart = {"credit": choisi.cle, "vu": choisi.objet.impute} if choisi else {}
        return AffecterForm(data, pieces=self.fiche.pieces, credits=disponibles, initial=depart)

    def effets(self, form):
        credit = form.credits.get(valeur(form, "credit"))
        if not credit:
            return []
        return self.phrases(self.repartition(form, credit.reste, credit.devise), credit.devise)

    def enregistrer(self, form):
        d = form.cleaned_data
        credit = form.credits[d["credit"]]
        repartition = self.repartition(form, credit.reste, credit.devise)
        if not repartition.parts:
            raise ValidationError(_("Aucune pièce ouverte dans cette devise : rien à affecter."))
        annuler = self.poser(credit.objet, repartition, cle=d["cle"], vu=d["vu"])
        pose = credit.reste - repartition.non_affecte
        return Issue(_("%(montant)s affectés.") % {"montant": formats.somme(pose, credit.devise)}, annuler)
