"""Les mots d'un verdict : libellé court d'un groupe, phrase d'une pièce. Aucune décision ici."""

from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy

from recouvrement.commun import formats
from relances.domaine.echelle import FREIN_LEVE, SANS_APPEL, Decision, EcheanceFaits, Motif
from relances.domaine.natures import Canal, ModePalier, Nature, Reference
from relances.models.echelles import CanalChoix, NatureChoix

LIBELLES = {
    Motif.SANS_PLAN: gettext_lazy("Aucun plan publié pour ce type de débiteur"),
    Motif.CONTENTIEUX: gettext_lazy("En contentieux : hors de l'échelle"),
    Motif.PROCEDURE: gettext_lazy("Procédure collective : aucune relance"),
    Motif.SURENDETTEMENT: gettext_lazy("Surendettement recevable : aucune relance"),
    Motif.AFFACTUREE: gettext_lazy("Cédée à un affactureur"),
    Motif.SUSPENDUE: gettext_lazy("Relances suspendues"),
    Motif.REPONSE: gettext_lazy("Réponse du client à lire"),
    Motif.PRELEVEMENT: gettext_lazy("Prélèvement en cours"),
    Motif.PROMESSE: gettext_lazy("Promesse de paiement en cours"),
    Motif.LITIGE: gettext_lazy("En litige"),
    Motif.A_QUALIFIER: gettext_lazy("Type de débiteur à qualifier"),
    Motif.SEUIL_PIECE: gettext_lazy("Pièce sous le seuil"),
    Motif.SEUIL_ENVOI: gettext_lazy("Envoi sous le seuil"),
    Motif.MAX_AMIABLES: gettext_lazy("Relances amiables épuisées : à décider"),
    Motif.DEJA_CE_JOUR: gettext_lazy("Déjà relancée aujourd'hui"),
    Motif.EN_ATTENTE_ENVOI: gettext_lazy("Le courrier précédent n'est pas encore parti"),
    Motif.DELAI_CONTACT: gettext_lazy("Contact trop récent"),
    Motif.JOUR_NON_OUVRE: gettext_lazy("Jour non ouvré"),
    Motif.CREDIT_NON_AFFECTE: gettext_lazy("Règlement reçu à affecter"),
    Motif.COUVERTE: gettext_lazy("Couverte par un crédit"),
    Motif.FORMALISATION_ABSENTE: gettext_lazy("Formalisation pas encore envoyée"),
    Motif.SANS_ADRESSE: gettext_lazy("Aucune adresse utilisable"),
    Motif.SOCIETE_INCOMPLETE: gettext_lazy("Mentions de la société à compléter"),
    Motif.ATTENTE: gettext_lazy("Étape à venir"),
    Motif.TERMINEE: gettext_lazy("Échelle terminée"),
    Motif.EXCLUE: gettext_lazy("Pièce exclue des relances"),
    Motif.ECHEANCIER: gettext_lazy("Échéancier en cours"),
    Motif.TERME_NON_ECHU: gettext_lazy("Échéancier rompu sans clause : solde pas encore exigible"),
    Motif.FE_ARRETEE: gettext_lazy("Facture électronique refusée ou rejetée"),
    Motif.FE_RETENUE: gettext_lazy("Facture électronique en litige ou suspendue"),
    Motif.FE_A_VERIFIER: gettext_lazy("Statut de facture électronique à vérifier"),
    Motif.FUTURE: gettext_lazy("Facture datée d'un jour à venir"),
    Motif.ADRESSE_EN_ERREUR: gettext_lazy("Adresse en erreur"),
    Motif.DONNEES_PERIMEES: gettext_lazy("Grand livre périmé"),
    Motif.RELANCEE: gettext_lazy("Relancée"),
}
# Retenu jusqu'à ce qu'une personne agisse ; les autres s'en vont avec le temps, ou sont arrêtés.
A_TRANCHER = frozenset(
    {
        Motif.SANS_PLAN, Motif.A_QUALIFIER, Motif.MAX_AMIABLES, Motif.CREDIT_NON_AFFECTE, Motif.SANS_ADRESSE,
        Motif.SOCIETE_INCOMPLETE, Motif.FORMALISATION_ABSENTE, Motif.TERMINEE, Motif.ADRESSE_EN_ERREUR,
        Motif.FE_ARRETEE, Motif.FE_RETENUE, Motif.FE_A_VERIFIER, Motif.DONNEES_PERIMEES,
        Motif.LITIGE, Motif.COUVERTE, Motif.REPONSE,
    }
)  # fmt: skip
# Aucune date ne les rend à l'échelle, et rien n'y est à trancher ce soir.
ARRETES = frozenset(
    {
        Motif.CONTENTIEUX, Motif.PROCEDURE, Motif.SURENDETTEMENT, Motif.EN_ATTENTE_ENVOI, Motif.PRELEVEMENT,
        Motif.SEUIL_PIECE, Motif.SEUIL_ENVOI, Motif.AFFACTUREE,
    }
)  # fmt: skip


def libelle(code: str) -> str:
    """Libellé d'un code de verdict ; un code d'une version plus récente se montre tel quel."""
    try:
        return str(LIBELLES[Motif(code)])
    except ValueError:
        return code


# Pourquoi un courrier attend une personne : phrases écrites par la nuit et les gestes, relues ici.
RAISONS_DE_VALIDER = {
    "ce palier se valide": gettext_lazy("ce palier se valide toujours"),
    "demandé par une personne": gettext_lazy("demandé par une personne"),
    "bloqué par le contrôle : à compléter": gettext_lazy("bloqué par le contrôle"),
    FREIN_LEVE: gettext_lazy("un frein a été levé pour cette nuit"),
}


def raison_de_valider(motif: str) -> str:
    """Le motif d'un courrier à valider, dans la langue de l'écran ; le plafond garde ce que la nuit a écrit."""
    if motif.startswith("au-dessus du plafond"):
        return _("au-dessus du plafond du plan, un responsable valide")
    return str(RAISONS_DE_VALIDER.get(motif, motif))


def nom_palier(nature: int) -> str:
    return str(NatureChoix(nature).label)


def avec_canal(nature: int, canaux: tuple[Canal, ...], joignables: frozenset[Canal] | None = None) -> str:
    """« Mise en demeure, recommandé AR » : le premier canal par lequel le client est joignable."""
    if nature in (Nature.APPEL, Nature.CONTENTIEUX):
        return nom_palier(nature)
    canal = next((c for c in canaux if joignables is None or c in joignables), None)
    return f"{nom_palier(nature)}, {_minuscule(str(CanalChoix(canal).label))}" if canal else nom_palier(nature)


def _minuscule(texte: str) -> str:
    return texte[:1].lower() + texte[1:]


def qui_agit(mode: ModePalier) -> str:
    """Qui fait partir ce palier."""
    return {
        ModePalier.AUTOMATIQUE: _("envoi automatique"),
        ModePalier.A_VALIDER: _("à valider"),
        ModePalier.TACHE: _("à faire par une personne"),
    }[mode]


def phrase(d: Decision, mode: ModePalier | None = None) -> str:
    """Pourquoi cette pièce part ou ne part pas, en une phrase sans majuscule ni point.

    mode : celui de l'envoi décidé, plafond du plan compris ; à défaut, celui du palier.
    """
    e, palier = d.echeance, d.palier
    le = formats.jour_long(d.prochaine)
    nom = nom_palier(palier.nature).lower() if palier else ""
    if d.motif is Motif.RELANCEE:
        if mode is None:
            mode = ModePalier.A_VALIDER if d.leves and palier.mode is ModePalier.AUTOMATIQUE else palier.mode
        texte = _("%(palier)s au prochain passage, %(qui)s") % {"palier": nom, "qui": qui_agit(mode)}
        if e.conteste:
            conteste = formats.somme(e.conteste, e.devise)
            texte += _(" ; %(conteste)s retenus par le litige") % {"conteste": conteste}
        if d.leves:
            leves = ", ".join(str(LIBELLES[m]).lower() for m in d.leves)
            texte += _(" ; frein levé pour cette nuit : %(leves)s") % {"leves": leves}
        return texte + _sans_appel(d)
    if d.motif is Motif.ATTENTE:
        texte = _("%(palier)s le %(jour)s, %(compte)s") % {"palier": nom, "jour": le, "compte": _compte(d)}
        return texte + _sans_appel(d)
    if d.motif in (Motif.FE_ARRETEE, Motif.FE_RETENUE, Motif.FE_A_VERIFIER):
        return _statut_fe(e)
    if d.motif is Motif.ADRESSE_EN_ERREUR:
        return _adresse_en_erreur(d)
    phrases = {
        Motif.TERMINEE: _("dernier palier du plan atteint : à vous de décider de la suite") + _sans_appel(d),
        Motif.SANS_PLAN: _("aucun plan de relance publié pour ce type de client"),
        Motif.CONTENTIEUX: _("confiée à un dossier contentieux, hors de l'échelle"),
        Motif.PROCEDURE: _("procédure collective : plus aucune relance"),
        Motif.SURENDETTEMENT: _("surendettement recevable : plus aucune relance"),
        Motif.AFFACTUREE: _("facture cédée à un affactureur : le paiement lui revient, la maison ne la relance pas"),
        Motif.REPONSE: _("le client a répondu : lisez sa réponse, la relance attend jusqu'au %(jour)s au plus")
        % {"jour": le},
        Motif.PRELEVEMENT: _("prélèvement en cours : rien tant qu'il n'est pas rejeté"),
        Motif.LITIGE: _("%(montant)s contestés : rien ne part (%(palier)s) avant la clôture du litige")
        % {"montant": formats.somme(e.conteste, e.devise), "palier": nom or _("relance")},
        Motif.A_QUALIFIER: _("précisez si le client est une entreprise, une administration ou un particulier"),
        Motif.SEUIL_PIECE: _("sous le seuil par pièce du plan"),
        Motif.SEUIL_ENVOI: _("sous le seuil par envoi du plan"),
        Motif.MAX_AMIABLES: _("relances amiables épuisées : mise en demeure ou abandon, à vous de trancher"),
        Motif.DEJA_CE_JOUR: _("déjà relancée aujourd'hui, suite à partir du %(jour)s") % {"jour": le},
        Motif.EN_ATTENTE_ENVOI: _("le courrier précédent n'est pas encore parti"),
        Motif.JOUR_NON_OUVRE: _("%(palier)s le %(jour)s, premier jour ouvré") % {"palier": nom, "jour": le},
        Motif.CREDIT_NON_AFFECTE: _("un encaissement à affecter pèse trop lourd pour relancer"),
        Motif.COUVERTE: _("les crédits non affectés couvrent ce qui est dû"),
        Motif.FORMALISATION_ABSENTE: _("pas de mise en demeure sans formalisation envoyée"),
        Motif.SANS_ADRESSE: _("ni adresse ni numéro utilisable (%(palier)s)") % {"palier": nom or _("relance")},
        Motif.SOCIETE_INCOMPLETE: _("les mentions légales de votre société sont à compléter"),
        Motif.DONNEES_PERIMEES: _("le grand livre importé est trop ancien : importez-le, le passage reprendra seul"),
        Motif.FUTURE: _("facture datée du %(jour)s : rien n'est dû avant")
        % {"jour": formats.jour_long(e.date_facture)},
        Motif.TERME_NON_ECHU: _(
            "échéancier rompu sans clause de déchéance : seules les mensualités échues sont exigibles, le solde le "
            "sera après le %(jour)s"
        )
        % {"jour": formats.jour_long(e.terme_jusqu_au)},
    }
    if d.motif in phrases:
        return phrases[d.motif]
    # Suspension, exclusion, promesse, échéancier, contact récent : le détail nomme déjà la raison et sa fin.
    texte = f"{str(LIBELLES[d.motif]).lower()} : {d.detail}"
    if nom and d.prochaine:
        texte += _(" ; %(palier)s à partir du %(jour)s") % {"palier": nom, "jour": le}
    return texte


def _sans_appel(d: Decision) -> str:
    """Le palier d'appel ne se fait pas, et cela se dit."""
    return _(" ; l'appel est sauté : ne pas appeler") if SANS_APPEL in d.detail else ""


def _statut_fe(e: EcheanceFaits) -> str:
    """Ce que la plateforme dit de la facture, et ce qu'il reste à faire (droit.md § 12)."""
    phrases = {
        "210": _("facture refusée%(le)s : à remplacer par une rectificative ou un avoir, elle ne se relance pas"),
        "213": _("facture rejetée par la plateforme%(le)s : elle n'est pas parvenue au client"),
        "207": _("facture en litige sur la plateforme%(le)s : ouvrez le litige, ou répondez"),
        "208": _("facture suspendue%(le)s : le client attend une pièce, répondez avant de relancer"),
        "206": _("facture approuvée en partie%(le)s : ouvrez un litige pour la part refusée"),
        "211": _("paiement annoncé%(le)s et pas encore reçu : vérifiez avant de relancer"),
        "212": _("facture dite encaissée%(le)s, aucun paiement posé : vérifiez l'affectation"),
    }
    le = _(" le %(jour)s") % {"jour": formats.jour_long(e.statut_fe_le)} if e.statut_fe_le else ""
    return phrases[e.statut_fe] % {"le": le}


def _adresse_en_erreur(d: Decision) -> str:
    """Le détail nomme le canal et sa date ; la phrase dit quoi faire."""
    detail = d.detail
    for canal in CanalChoix:
        nom = _minuscule(str(canal.label))
        detail = detail.replace(f"{canal.value} en erreur", _("%(canal)s en erreur") % {"canal": nom})
    return _("%(detail)s : corrigez l'adresse") % {"detail": detail}


def _compte(d: Decision) -> str:
    """D'où se compte le délai du palier attendu."""
    e, palier = d.echeance, d.palier
    jours = formats.nombre(abs(palier.delai))
    if palier.reference is Reference.PRECEDENT and SANS_APPEL in d.detail:
        return _("%(n)s jours après le jour de l'appel") % {"n": jours}
    if palier.reference is Reference.PRECEDENT and e.atteint_le:
        return _("%(n)s jours après %(palier)s du %(jour)s") % {
            "n": jours,
            "palier": nom_palier(e.nature).lower(),
            "jour": formats.jour_court(e.atteint_le),
        }
    if palier.reference is Reference.FACTURE or e.date_echeance < e.date_facture:
        return _("%(n)s jours après la facture") % {"n": jours}
    return (_("%(n)s jours avant l'échéance") if palier.delai < 0 else _("%(n)s jours après l'échéance")) % {"n": jours}
