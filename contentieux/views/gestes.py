"""Les gestes de la fiche : un volet, un formulaire, un service, une phrase quand c'est fait."""

from collections.abc import Callable
from dataclasses import dataclass

from django.utils.functional import Promise
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy as _l

from contentieux import forms, services
from contentieux.models import DossierContentieux
from recouvrement.commun.formats import jour


@dataclass(frozen=True)
class Geste:
    """`jouer(dossier, form, user, au)` appelle le service et renvoie la phrase du toast."""

    titre: str | Promise
    bouton: str | Promise
    forme: type[forms.DossierForm]
    jouer: Callable
    signe: str = "pencil"
    fichier: bool = False
    vise_une_piece: bool = False
    aide: str | Promise = ""
    onglet: str = ""  # onglet où l'on revient
    grave: bool = False


def _mentions(dossier, form, user, au):
    services.completer(dossier, par=user, **form.cleaned_data)
    return _("Mentions de la requête enregistrées.")


def _juridiction(dossier, form, user, au):
    services.completer(dossier, par=user, **form.cleaned_data)
    return _("Juridiction enregistrée.")


def _decompte(dossier, form, user, au):
    services.completer(dossier, par=user, arrete_au=form.cleaned_data["arrete_au"])
    return _("Décompte arrêté au %(j)s.") % {"j": jour(form.cleaned_data["arrete_au"])}


def _joindre(dossier, form, user, au):
    recu = form.cleaned_data["fichier"]
    piece = services.joindre_piece(form.piece, recu.read(), recu.name, par=user, jour=form.cleaned_data["jour"])
    return _("Pièce jointe : %(p)s.") % {"p": piece.designation}


def _ajouter(dossier, form, user, au):
    lu = form.cleaned_data
    piece = services.ajouter_piece(
        dossier, lu["fichier"].read(), lu["fichier"].name, designation=lu["designation"], genre=lu["genre"],
        par=user, jour=lu["jour"],
    )  # fmt: skip
    return _("Pièce ajoutée : %(p)s.") % {"p": piece.designation}


def _dispenser(dossier, form, user, au):
    services.dispenser(form.piece, motif=form.cleaned_data["motif"], par=user)
    return _("La requête se passera de cette pièce.")


def _deplacer(dossier, form, user, au):
    services.deplacer(form.piece, vers=form.cleaned_data["vers"], par=user)
    return _("Bordereau renuméroté.")


def _actualiser(dossier, form, user, au):
    changees = services.actualiser_pieces(dossier, par=user)
    return _("%(n)d pièce(s) reprise(s) des courriers.") % {"n": changees} if changees else _("Rien de nouveau.")


def _requete(dossier, form, user, au):
    if dossier.voie == DossierContentieux.Voie.MANDATEMENT:
        services.projet_de_mandatement(dossier, par=user, au=au)
        return _("Projet de demande au préfet produit : relisez-le, signez-le, envoyez-le en recommandé.")
    services.projet_de_requete(dossier, par=user, au=au)
    return _("Projet de requête produit : relisez-le, signez-le, déposez-le.")


def _etape(dossier, form, user, au):
    lu = form.cleaned_data
    services.enregistrer_etape(
        dossier, lu["evenement"], le=lu["le"], par=user, au=au, note=lu["note"], a_personne=lu.get("a_personne")
    )
    return _("Étape enregistrée : %(e)s.") % {"e": services.procedure(dossier).libelles[lu["evenement"]]}


def _annuler_etape(dossier, form, user, au):
    services.annuler_etape(dossier, motif=form.cleaned_data["motif"], par=user)
    return _("Dernière étape annulée ; elle reste au journal.")


def _frais(dossier, form, user, au):
    services.ajouter_frais(dossier, par=user, **form.cleaned_data)
    return _("Frais enregistrés.")


def _interruption(dossier, form, user, au):
    services.relever_interruption(dossier, par=user, au=au, **form.cleaned_data)
    return _("Acte relevé : la date possible est recalculée, la date d'origine ne change pas.")


def _execution(dossier, form, user, au):
    facture = form.factures[form.cleaned_data["facture"]]
    services.dater_execution(dossier, facture, le=form.cleaned_data["le"], par=user)
    return _("%(f)s : exécutée le %(j)s.") % {"f": facture.numero, "j": jour(form.cleaned_data["le"])}


def _nature(dossier, form, user, au):
    services.completer(dossier, par=user, nature_creance=form.cleaned_data["nature_creance"])
    return _("Nature de la créance enregistrée.")


def _prescription_relue(dossier, form, user, au):
    services.completer(dossier, par=user, prescription_relue_le=au)
    return _("Prescription relue.")


def _clore(dossier, form, user, au):
    services.clore(dossier, par=user, au=au, **form.cleaned_data)
    return _("Dossier clos.")


GESTES: dict[str, Geste] = {
    "mentions": Geste(_l("Exposé et mentions"), _l("Enregistrer les mentions"), forms.MentionsForm, _mentions),
    "juridiction": Geste(
        _l("Juridiction"), _l("Enregistrer la juridiction"), forms.JuridictionForm, _juridiction, signe="scale"
    ),
    "prefecture": Geste(
        _l("Préfet et marché"), _l("Enregistrer"), forms.PrefectureForm, _juridiction, signe="scale",
        aide=_l("Le préfet met l'ordonnateur en demeure, puis mandate d'office (CGCT, art. L1612-16)."),
    ),
    "decompte": Geste(
        _l("Date du décompte"), _l("Arrêter le décompte"), forms.DecompteForm, _decompte, signe="calendar",
        onglet="decompte",
    ),
    "joindre": Geste(
        _l("Joindre la pièce"), _l("Joindre le fichier"), forms.JoindreForm, _joindre, signe="paperclip",
        fichier=True, vise_une_piece=True,
    ),
    "ajouter": Geste(
        _l("Ajouter une pièce"), _l("Ajouter au bordereau"), forms.AjoutForm, _ajouter, signe="plus", fichier=True
    ),
    "dispenser": Geste(
        _l("Se passer de la pièce"), _l("Se passer de cette pièce"), forms.DispenseForm, _dispenser, signe="ban",
        vise_une_piece=True,
    ),
    "deplacer": Geste(
        _l("Renuméroter la pièce"), _l("Renuméroter le bordereau"), forms.NumeroForm, _deplacer,
        signe="arrows-exchange", vise_une_piece=True, aide=_l("Les autres pièces glissent."),
    ),
    "actualiser": Geste(
        _l("Reprendre les courriers"), _l("Reprendre courriers et avis"), forms.AucuneSaisieForm, _actualiser,
        signe="refresh", aide=_l("Ajoute au bordereau ce qui est parti ou revenu depuis l'ouverture."),
    ),
    "requete": Geste(
        _l("Préparer la requête"), _l("Préparer la requête"), forms.AucuneSaisieForm, _requete, signe="file-text"
    ),
    "etape": Geste(
        _l("Enregistrer une étape"), _l("Enregistrer l'étape"), forms.EtapeForm, _etape, signe="flag"
    ),
    "annuler-etape": Geste(
        _l("Annuler la dernière étape"), _l("Annuler l'étape"), forms.MotifForm, _annuler_etape,
        signe="arrow-back-up", aide=_l("Pour corriger une date ou un choix : l'étape annulée reste lisible."),
    ),
    "frais": Geste(_l("Ajouter des frais"), _l("Ajouter les frais"), forms.FraisForm, _frais, signe="credit-card"),
    "interruption": Geste(
        _l("Relever un acte"), _l("Relever l'acte"), forms.InterruptionForm, _interruption, signe="hourglass",
        onglet="prescription",
        aide=_l("Une mise en demeure ou une requête n'interrompent pas ; une signification se relève seule."),
    ),
    "execution": Geste(
        _l("Date d'exécution"), _l("Enregistrer la date"), forms.ExecutionForm, _execution, signe="calendar-event",
        onglet="prescription",
    ),
    "nature": Geste(
        _l("Nature de la créance"), _l("Enregistrer la nature"), forms.NatureForm, _nature, signe="list-check",
        onglet="prescription", aide=_l("Elle fixe la durée de prescription."),
    ),
    "prescription-relue": Geste(
        _l("Prescription relue"), _l("J'ai relu ces dates"), forms.AucuneSaisieForm, _prescription_relue,
        signe="check", onglet="prescription",
    ),
    "clore": Geste(
        _l("Clore le dossier"), _l("Clore le dossier"), forms.ClotureForm, _clore, signe="lock", grave=True
    ),
}  # fmt: skip
