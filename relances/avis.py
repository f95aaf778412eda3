"""Les mots d'un retour d'avis et d'un numéro de suivi : effet juridique, ce qu'il faut faire. Aucune décision ici."""

from django.utils.translation import gettext_lazy as _

from relances.domaine.retours import Geste, Issue, RefusLre, Valeur
from relances.domaine.suivis import Defaut

EFFETS = {
    Issue.DISTRIBUE: _("Remis contre signature : la mise en demeure est reçue le jour de la remise, preuve pleine."),
    Issue.NON_RECLAME: _("Avisé, non retiré sous quinze jours : la mise en demeure reste valable."),
    Issue.REFUSE: _("Refusé : la mise en demeure reste valable, a fortiori."),
    Issue.NPAI: _("Adresse fausse : la mise en demeure n'a pas été présentée au bon endroit, son effet est incertain."),
    Issue.LRE_ACCEPTEE: _("Accepté : équivaut au recommandé papier si le prestataire est qualifié."),
    Issue.LRE_REFUSEE: _("Refusé par voie électronique : mise en demeure probablement valable."),
    Issue.LRE_NON_RECLAMEE: _("Non réclamé sous quinze jours : mise en demeure probablement valable."),
}
GESTES = {
    Geste.RANGER_L_AVIS: _("Joignez le scan de l'avis."),
    Geste.GARDER_FERMEE: _("Gardez l'enveloppe revenue sans l'ouvrir."),
    Geste.CHERCHER_L_ADRESSE: _("Cherchez l'adresse (RCS, siège, annuaire), puis corrigez la fiche du client."),
    Geste.REFAIRE: _("Remettez ensuite ce courrier à envoyer."),
    Geste.COPIER_LA_PREUVE: _("Copiez la preuve chez vous : le prestataire ne la garde qu'un an."),
    Geste.DOUBLER_EN_PAPIER: _("Par prudence, doublez-le d'un recommandé papier."),
}
VALEURS = {
    Valeur.PLEINE: _("preuve pleine"),
    Valeur.VALABLE: _("reste valable"),
    Valeur.PROBABLE: _("effet probable"),
    Valeur.INCERTAINE: _("effet incertain"),
}
TONS = {Valeur.PLEINE: "bon", Valeur.VALABLE: "bon", Valeur.PROBABLE: "att", Valeur.INCERTAINE: "mal"}
# La puce d'un retour : un pli jamais remis ne se lit pas comme un pli remis, même s'il vaut.
TONS_RETOUR = {"distribue": "bon", "non_reclame": "att", "refuse": "att", "npai": "mal"}
CONFIANCES = {"S": _("sûr"), "L": _("lecture du texte, sans arrêt connu"), "C": _("à confirmer par un avocat")}
SUITES = {
    Issue.NPAI: _("Retrouver l'adresse (NPAI)"),
    Issue.LRE_ACCEPTEE: _("Copier la preuve du recommandé électronique"),
    Issue.LRE_REFUSEE: _("Copier la preuve de refus, puis doubler en papier"),
    Issue.LRE_NON_RECLAMEE: _("Copier la preuve, puis doubler en papier"),
}
REFUS_LRE = {
    RefusLre.A_QUALIFIER: _("Ce client est à qualifier : on ne sait pas si son accord est nécessaire."),
    RefusLre.SANS_ACCORD: _(
        "Un particulier doit avoir accepté le recommandé électronique (CPCEpost, art. L100) : notez son accord sur sa "
        "fiche, ou restez au papier."
    ),
    RefusLre.ACCORD_A_VENIR: _("L'accord de ce client est daté d'un jour à venir : restez au papier."),
    RefusLre.SANS_COURRIEL: _("Aucune adresse électronique utilisable : restez au papier."),
}
DEFAUTS = {
    Defaut.VIDE: _("aucun numéro"),
    Defaut.TROP_LONG: _("plus de trente caractères : ce n'est pas un numéro de suivi"),
    Defaut.CARACTERE: _("un numéro de suivi n'a que des chiffres et des lettres"),
    Defaut.CLE_S10: _("la clé de contrôle ne correspond pas : relisez ou scannez de nouveau"),
    Defaut.FORME: _(
        "ni un numéro de La Poste ni un S10 (treize caractères) : scannez de nouveau, ou cochez « Numéro d'un autre "
        "opérateur » et dites pourquoi"
    ),
}
