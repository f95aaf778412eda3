"""Ce qu'une relance n'écrit jamais : une table et une recherche.

Les motifs se lisent sur un texte normalisé : minuscules, sans accent, apostrophe droite, espaces simples. Ils sont en
français et en anglais, quelle que soit la langue du débiteur. Une négation (« sans pénalité ») n'est pas une menace.
"""

import re
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from decimal import Decimal

from django.utils.translation import gettext_lazy as _

from .contexte import Lettre, TypeDebiteur
from .mots import normaliser

ENTREPRISE, ADMINISTRATION = frozenset({TypeDebiteur.ENTREPRISE}), frozenset({TypeDebiteur.ADMINISTRATION})
# Un client à qualifier est peut-être un consommateur : on ne lui écrit rien qu'on n'écrirait à un consommateur.
CONSOMMATEUR = frozenset({TypeDebiteur.PARTICULIER, TypeDebiteur.A_QUALIFIER})
TOUS = frozenset(TypeDebiteur)
COURRIEL, LETTRE, SMS = "courriel", "lettre", "sms"
QUARANTE = Decimal("40.00")
DONNEE_MIN = 3  # caractères ; plus courte, une donnée effacerait des mots du texte
_NON = r"(?<!ni )(?<!sans )(?<!aucun )(?<!aucune )(?<!aucuns )(?<!pas de )(?<!ni de )(?<!no )(?<!any )(?<!without )"


@dataclass(frozen=True)
class Interdit:
    """code : stable ; pourquoi : suite de la phrase ; source : texte de loi ; envers : types de débiteur visés."""

    code: str
    motif: re.Pattern
    pourquoi: str
    source: str
    envers: frozenset[TypeDebiteur] = TOUS
    supports: frozenset[str] = frozenset({COURRIEL, LETTRE, SMS})


def _regle(code, pourquoi, source, *motifs, envers=TOUS, supports=(COURRIEL, LETTRE, SMS)) -> Interdit:
    motif = re.compile("|".join(rf"(?<!\w)(?:{m})" for m in motifs))
    return Interdit(code, motif, pourquoi, source, envers, frozenset(supports))


INTERDITS: tuple[Interdit, ...] = (
    _regle(
        "imitation",
        _("seul un acte de justice peut en avoir l'air"),
        "C. pén., art. 433-13",
        r"huissiers?\b",
        r"commissaires? de justice",
        r"sommations? (?:de|interpellative|par)\b",
        r"(?:derniere|ultime) sommation",
        r"commandement de payer",
        r"au nom (?:de la loi|du peuple)",
        r"republique francaise",
        r"(?:valant|vaut|formule) (?:titre )?executoire",
        r"actes? (?:extra)?judiciaires?",
        r"bailiffs?\b|sheriffs?\b|process servers?\b|enforcement (?:officer|agent)s?",
        r"court summons|writ of|statutory demand",
        r"in the name of the (?:law|republic)",
        r"(?:objet|subject) ?: ?(?:tribunal|greffe|jugement|ordonnance|assignation|"
        r"citation|convocation|signification|court)\b",
    ),
    _regle(
        "delai_legal",
        _("huit ou quinze jours sont un usage, aucune loi ne les fixe"),
        "C. civ., art. 1231 ; C. conso., art. L121-2",
        r"delais? (?:legal|legaux|de rigueur|impose par la loi|fixe par la loi)",
        # Le délai de paiement, lui, a un maximum légal.
        r"delais?(?! (?:\w+ )?de (?:paiement|reglement)) [^.;]{0,40}?"
        r"(?:prevu|fixe|impose|exige|accorde|laisse)\w* par (?:la loi|les textes)",
        r"(?:days|period|deadline) (?:set|fixed|required|prescribed|provided)(?: for)? by law",
        r"(?:legal|statutory) (?:deadline|time ?limit|period)|deadline set by law",
    ),
    _regle(
        "delai_sans_date",
        _("une date limite de calendrier, que le débiteur lit sans compter"),
        _("exigence 25"),
        r"(?:a compter de(?: la reception de)?|(?:des|a)(?: la)? reception de) "
        r"(?:la presente|cette lettre|ce courrier)",
        r"a compter du present courrier",
        r"sous (?:huitaine|quinzaine)",
        r"(?:regl|pay|vers|acquitt)\w+[^.]{0,60} (?:sous|dans (?:un|le) delai de) (?:\d+|huit|dix|quinze|trente) jours",
        r"days (?:from|of|after) (?:the date of |receipt of )?this (?:letter|notice|e-?mail)",
    ),
    _regle(
        "suite_automatique",
        _("aucune suite n'est automatique : une personne la décide"),
        "C. conso., art. L121-2 et L121-6",
        r"contentieux automatique|transmission automatique",
        r"automatique\w* (?:transmis|confie|transfere|engage)\w*",
        r"(?:contentieux|procedures?|poursuites?|transmission|saisine|assignation|recouvrement judiciaire)[^.;]{0,20}? "
        r"(?:sera|seront|est|sont|serait|seraient|devient|deviendra) automatique\w*",
        r"sans (?:autre|nouvel|aucun autre) (?:avis|preavis|delai|avertissement)",
        r"dernier (?:delai|avertissement) avant",
        r"dernieres? chances?|last chance",
        r"without (?:any )?(?:further|other) (?:notice|warning)",
        r"automatically (?:be )?(?:referred|passed|transferred|escalated)",
        r"final (?:warning|demand)",
    ),
    _regle(
        "suite_certaine",
        _("une suite qui n'est pas décidée s'écrit au conditionnel (« nous pourrions »)"),
        "C. conso., art. L121-2 et L121-6 ; C. pén., art. 312-1",
        r"nous (?:saisirons|assignerons|engagerons|entamerons|poursuivrons|ferons (?:assigner|condamner))",
        r"nous (?:allons|n'hesiterons pas a) (?:saisir|assigner|engager|poursuivre|entamer)",
        r"nous (?:demanderons|provoquerons) (?:l'ouverture|votre (?:mise en )?(?:redressement|liquidation))",
        r"serez (?:poursuivie?s?|assignee?s?|condamnee?s?)\b",
        r"(?:sera|seront) (?:transmis|confie|remis)\w* (?:a|au|aux) (?:notre |nos |un |une )?"
        r"(?:service )?(?:contentieux|avocat|tribunal|justice|societe de recouvrement)",
        r"(?:poursuites|procedure|action)\w*[^.]{0,25} (?:sera|seront) engage",
        r"we (?:will|shall|are going to) (?:sue|take (?:legal|court)|commence|start (?:legal|court)|"
        r"bring (?:the matter|proceedings|an action)|issue proceedings)",
        r"you will be (?:sued|prosecuted|taken to court)",
    ),
    _regle(
        "saisie",
        _("aucune saisie n'est possible sans titre exécutoire"),
        "CPCEx, art. L111-2 ; C. conso., art. L121-6",
        r"(?<!erreur de )(?<!erreurs de )(?<!faute de )(?<!delai de )saisies?\b"
        r"(?! (?:informatique|comptable|manuelle|de (?:votre|la|cette|nos|notre) (?:commande|facture|ecriture)))",
        r"saisir vos (?:biens|comptes|salaires?)",
        r"(?:bloqu|gel)\w+ (?:de )?(?:vos|votre) (?:comptes? (?:bancaires?|en banque)|salaires?)",
        r"(?:vos|votre) (?:comptes? (?:bancaires?|en banque)|salaires?)[^.;]{0,30} (?:bloque|gele)\w*",
        r"vos biens[^.;]{0,60}(?:vend\w+|encheres|enleve\w*)|vend\w+ (?:de )?vos biens",
        r"(?:freez|block)\w* your (?:bank accounts?|wages|salary)",
        r"your (?:goods|assets|property|belongings)[^.;]{0,40}(?:sold|auction\w*)",
        # « seize » est aussi un nombre : mille seize euros.
        r"seiz(?:ed|ure|ing)\b|(?:to|will|may|shall|can|could|would|we) seize\b",
        r"garnish\w*|repossess\w*|attachment of (?:earnings|wages)",
    ),
    _regle(
        "fichage",
        _("ni fichage, ni liste noire : l'un est réservé aux banques, l'autre est interdite"),
        "C. conso., art. L752-1 ; CNIL, délibération 2021-130",
        r"ficp\b|liste noire|mauvais payeurs?",
        r"fichage|fichiers? (?:national|central)",
        r"(?:serez|etes|seriez|etre|sera|seront) fiche(?:e|s|es)?\b",
        r"(?:fiche|inscri|signal|declar)\w*[^.;]{0,40} banque de france",
        r"fichiers? (?:des? |de la |d')(?:impayes|incidents|mauvais|debiteurs|banque de france)",
        r"inscri\w+ (?:au|a un|dans un|sur (?:un|une|le|la)) (?:fichier|ficp|liste)",
        r"black ?list\w*|credit (?:bureau|reference agenc\w+|rating|file)|bad payers?",
    ),
    _regle(
        "tiers",
        _("la dette ne se dit jamais à un tiers"),
        "C. pén., art. 226-1 et 312-10 ; C. conso., art. L121-7",
        r"(?:votre|vos|son|ses) (?:employeur|voisins?|famille|proches|entourage)",
        r"your (?:employer|neighbou?rs?|family|relatives)",
        r"reseaux sociaux|social media",
        r"(?:inform|avert|contact|previen)\w+ (?:vos (?:clients|fournisseurs|partenaires)|la presse|"
        r"l'administration fiscale)",
        r"votre (?:nom|dette|impaye)[^.;]{0,30} (?:affiche|diffuse|divulgue|publie)\w*",
        r"(?:affich|diffus|divulgu|publi)\w* (?:de )?(?:votre|vos) (?:nom|dette|impaye)\w*",
        r"(?:display|post|publish)\w* your (?:name|debt)|your name[^.;]{0,30} (?:displayed|posted|published)",
        r"rend(?:re|rons|u) public|public(?:ation|ite) de (?:votre|la) (?:dette|nom|impaye)|name and shame",
    ),
    _regle(
        "menace_penale",
        _("une dette n'est pas une infraction : la menacer de plainte est un chantage"),
        "C. pén., art. 312-10",
        r"(?:deposer|porter)(?:ons|a)? (?:une )?plainte|plainte penale",
        r"(?:savons|sait) ou vous (?:habitez|vivez|travaillez|trouver)",
        r"(?:poursuites|suites|sanctions?) penales|penalement|procureur|emprisonnement|escroquerie",
        r"criminal (?:charges?|proceedings|offence)|prosecut\w+|police report|imprisonment",
    ),
    _regle(
        "prescription",
        _("une mise en demeure n'interrompt pas la prescription"),
        "Com. 18/05/2022, n° 20-23.204",
        r"interromp\w+ (?:la|toute|le cours de la|sa) prescription",
        r"prescription (?:est|sera|se trouve)(?: ainsi)? interrompue",
        r"(?:interrupts?|stops?|suspends?) (?:the )?(?:limitation|prescription)",
        envers=ENTREPRISE | CONSOMMATEUR,
    ),
    # --- Envers un consommateur (droit.md § 4) ---
    _regle(
        "indemnite_40",
        _("l'indemnité de 40 € ne se demande qu'à un professionnel"),
        "C. com., art. L441-10 et D441-5",
        r"(?<![\d,.])40(?:[.,]00)? ?(?:€|eur\b|euros?\b)",
        r"quarante euros",
        r"indemnites? (?:forfaitaires?|de recouvrement|pour frais)|somme forfaitaire",
        r"fixed compensation|lump[- ]sum|compensation for recovery",
        r"(?:€|eur) ?40(?:\.00)?(?![\d,.]*\d)",
        envers=CONSOMMATEUR,
    ),
    _regle(
        "droit_des_professionnels",
        _("cet article et ce taux sont ceux des professionnels"),
        "C. com., art. L441-10 ; C. civ., art. 1231-6",
        r"[ld]?\.? ?441-(?:10|5|6|9)\b",
        r"banque centrale europeenne|bce\b|european central bank|ecb\b",
        r"trois fois le taux|three times the (?:legal|statutory) rate",
        envers=CONSOMMATEUR,
    ),
    _regle(
        "penalites",
        _("ni pénalité ni majoration à un consommateur : l'intérêt légal, depuis la mise en demeure"),
        "C. civ., art. 1231-6 et 1344-1",
        _NON + r"(?:de )?(?<!ni de )penalites?\b",
        r"clause penale|penalty clause",
        _NON + r"(?:penalt(?:y|ies)|late (?:fees?|charges?)|late[- ]payment (?:interest|charges?|fees?))\b",
        _NON + r"majorations?\b",
        envers=CONSOMMATEUR,
    ),
    _regle(
        "frais",
        _("les frais de recouvrement sans titre restent à la charge du créancier"),
        "CPCEx, art. L111-8",
        _NON + r"frais (?:de )?(?:dossier|relance|rappel|gestion|mise en demeure|traitement|retard|impaye|courrier|"
        r"rejet|avocat|contentieux|procedure)",
        _NON + r"frais de recouvrement(?!.{0,90}?a (?:notre|la) charge)",
        _NON + r"(?:frais|couts? (?:de |du |d'|des )?(?:(?:la|cette|ce|presente?|nos|notre) )*(?:relance|rappel|"
        r"courrier|lettre|recommande|envoi|dossier|demarche|recouvrement|mise en demeure)s?)\b"
        r"(?:(?!ne |n'|ni |pas |notre )(?:[^.;]|\.\d)){0,80}?"
        r"(?:a votre charge|vous (?:sera|seront|est|sont) (?:factur|imput|reclam|demand)\w*)",
        _NON + r"dedommagements?\b|" + _NON + r"dommages?(?: et |[- ])interets?",
        _NON + r"(?:costs?|charges?|expenses)(?: \w+){0,8} (?:is|are|will be) (?:charged|billed|payable)",
        _NON + r"(?:collection|recovery|administration|reminder|handling|legal|dunning) (?:costs?|fees?|charges?)\b"
        r"(?! you\b)(?!.{0,90}?(?:borne by us|at our expense|for our account))",
        envers=CONSOMMATEUR,
    ),
    # --- Envers une administration (droit.md § 3) ---
    _regle(
        "injonction_publique",
        _("aucune injonction de payer contre une personne publique"),
        "CJA, art. R541-1",
        r"injonctions? de payer|orders? (?:for|to) pay\w*|payment orders?|voies? d'execution",
        envers=ADMINISTRATION,
    ),
    _regle(
        "mise_en_demeure_publique",
        _("ni mise en demeure de droit privé ni menace : la voie est le mandatement d'office"),
        "CGCT, art. L1612-16",
        r"mett\w+ en demeure|mises? en demeure|formal notice",
        envers=ADMINISTRATION,
    ),
    _regle(
        "droit_prive_publique",
        _("les intérêts d'une administration suivent le code de la commande publique (BCE + 8)"),
        "CCP, art. L2192-13 et R2192-31",
        r"[ld]?\.? ?441-(?:10|5|6|9)\b|(?:majore|plus|\+) (?:de )?(?:10|dix|ten) (?:percentage )?points",
        envers=ADMINISTRATION,
    ),
    _regle(
        "droit_public_prive",
        _("ces articles sont ceux d'un débiteur public"),
        "CCP, art. L2192-13",
        r"[lrd]?\.? ?2192-\d+|mandatement d'office|mandatement\b",
        envers=ENTREPRISE | CONSOMMATEUR,
    ),
    # --- Un SMS s'affiche sur un écran qu'un tiers peut lire ---
    _regle(
        "sms_procedure",
        _("un SMS ne parle ni de pénalités ni de procédure"),
        "C. pén., art. 226-1",
        r"mises? en demeure|formal notice|tribunal|juridiction|injonction|court\b|penalit\w+|penalt\w+|interets?\b",
        supports=(SMS,),
    ),
)  # fmt: skip

_BALISE = re.compile(r"<\s*/?\s*[a-zA-Z!][^>]*>?|!\[[^\]]*\]\(|\bcid:|\bdata:(?:image|text)", re.I)
_IMAGE = re.compile(
    r"<\s*(?:img|picture|svg|object|embed|iframe|link|script)\b|!\[|\bcid:|\bdata:image|background\s*=", re.I
)
_GABARIT = re.compile(r"\{\{|\}\}|\{%|%\}|\{#")
_LIEN = re.compile(
    r"https?://([^\s/<>\"')]+)|(?<![@\w.-])((?:[a-z0-9](?:[a-z0-9-]*[a-z0-9])?\.)+"
    r"(?:com|fr|net|org|eu|io|info|biz|uk|de|ly|me|app|example|test))(?![\w@-])",
    re.I,
)


def trouver(
    texte: str, type_debiteur: TypeDebiteur, *, support: str = COURRIEL, sommes: Iterable[Decimal] = ()
) -> Iterator[tuple[Interdit, str]]:
    """(règle, mots trouvés) de chaque interdit que dit le texte, une fois chacun.

    sommes : montants de la lettre ; une vraie somme de 40,00 € n'est pas l'indemnité forfaitaire.
    """
    plat = " ".join(normaliser(texte).split())
    vraie = QUARANTE in set(sommes)
    vus = set()
    for interdit in INTERDITS:
        if type_debiteur not in interdit.envers or support not in interdit.supports:
            continue
        for trouve in interdit.motif.finditer(plat):
            mot = trouve[0].strip()
            if interdit.code == "indemnite_40" and vraie and re.search(r"40|quarante", mot):
                continue
            if (interdit.code, mot) not in vus:
                vus.add((interdit.code, mot))
                yield interdit, mot


def mots_interdits(texte: str, type_debiteur: TypeDebiteur) -> list[str]:
    return [mot for _interdit, mot in trouver(texte, TypeDebiteur(type_debiteur))]


def balise(texte: str) -> str:
    """« image » (pixel, image distante), « balise » (HTML) ou rien : une relance est du texte (CNIL 2026-042)."""
    if _IMAGE.search(texte):
        return "image"
    return "balise" if _BALISE.search(texte) else ""


def reste_de_gabarit(texte: str) -> bool:
    """Une variable ou du code de gabarit que le rendu a laissé : le débiteur le lirait."""
    return _GABARIT.search(texte) is not None


def liens_inconnus(texte: str, hotes: Sequence[str]) -> list[str]:
    """Hôtes cités qui ne sont ni ceux de la maison, ni celui du médiateur : suivi de clic, raccourcisseur, hameçon."""
    connus = [h.lower().removeprefix("www.") for h in hotes if h]
    cites = (m[1] or m[2] for m in _LIEN.finditer(texte))
    hotes_cites = (h.lower().split("@")[-1].split(":")[0].rstrip(".,;").removeprefix("www.") for h in cites)
    return [h for h in dict.fromkeys(hotes_cites) if not any(h == c or h.endswith("." + c) for c in connus)]


def hotes_connus(lettre: Lettre) -> list[str]:
    """Hôtes qu'une relance peut citer : page du débiteur, domaine de la société et de la personne, médiateur."""
    domaines = [a.rpartition("@")[2] for a in (lettre.emetteur.courriel, lettre.gestionnaire.courriel)]
    cites = [m[1] or m[2] for t in (lettre.paiement.lien, lettre.emetteur.mediateur) for m in _LIEN.finditer(t)]
    return [d for d in (*domaines, *(c.partition(":")[0] for c in cites)) if d]


def sans_donnees(texte: str, lettre: Lettre) -> str:
    """Le texte sans les données qu'il cite (noms, numéros, références, objets) : un interdit est ce qu'une personne
    écrit, pas le nom d'un client ni la référence d'un virement.

    Une donnée ne s'efface que telle quelle, casse comprise, et bordée : « Saisie Express » n'excuse pas « une saisie ».
    """
    d, e = lettre.destinataire, lettre.emetteur
    citees = {d.raison_sociale, d.interlocuteur, d.representant, d.service, d.adresse, d.complement, e.raison_sociale}
    citees |= {lettre.gestionnaire.nom, lettre.signataire.nom, lettre.contrat.objet, lettre.contrat.reference}
    citees |= {lettre.paiement.lien.rpartition("/")[2], lettre.paiement.code}  # tirés au sort : ils n'écrivent rien
    citees |= {c.reference for c in lettre.credits} | {c.numero for c in lettre.contestations or ()}
    citees |= {t for ligne in lettre.lignes for t in (ligne.numero, ligne.objet, ligne.commande)}
    for donnee in sorted((t.strip() for t in citees), key=len, reverse=True):
        if len(donnee) >= DONNEE_MIN:
            mots = r"\s+".join(re.sub("['’]", "['’]", re.escape(mot)) for mot in donnee.split())
            texte = re.sub(rf"(?<!\w){mots}(?!\w)", "…", texte)
    return texte


def sommes_de(lettre: Lettre) -> set[Decimal]:
    """Montants que cette lettre peut dire."""
    t = lettre.totaux
    totaux = {v for v in (getattr(t, nom) for nom in t.__dataclass_fields__) if isinstance(v, Decimal)}
    if not lettre.chiffree:
        totaux -= {t.indemnites}
    lignes = {v for ligne in lettre.lignes for v in (ligne.reste_du, ligne.montant_ttc)}
    return totaux | lignes | {c.montant for c in lettre.credits} | {c.montant for c in lettre.contestations or ()}
