"""Du courrier décidé à la lettre : faits relus, décompte au jour dit, texte et PDF conservés."""

from base64 import b64encode
from dataclasses import asdict, dataclass, replace
from datetime import date
from decimal import Decimal
from functools import lru_cache

from django.utils import timezone
from django.utils.translation import gettext as _

from clients.models import Client, TypeDebiteur
from factures.domaine.bareme import TauxManquant, semestre
from factures.domaine.calendrier import date_limite
from factures.models import Echeance, Litige
from factures.services import bareme as bareme_en_base
from recouvrement.commun import depot
from recouvrement.commun.pdf import compter_pages
from relances.domaine.natures import Canal, Nature
from relances.domaine.sms import en_gsm7
from relances.models import Courrier, Relance, VersionModele
from relances.rendu import contexte as c
from relances.rendu import controles, controles_modele, courriels, lettres
from relances.rendu import messages as sms
from relances.rendu import parties as rendu_parties
from relances.rendu.moteur import VariableInconnue
from relances.rendu.qr import reference_sepa

from . import jointes, pages
from .dues import credits_ouverts, lignes_dues, taux_du_client
from .faits import credits_reserves
from .jointes import au_nom_de, destination
from .sms import numeros
from .textes_en_vigueur import versions_pour
from .verification import manques_en_base

ZERO = Decimal("0.00")
CHIFFREES = (Nature.FORMALISATION, Nature.MISE_EN_DEMEURE)
PROFESSIONNELS = (TypeDebiteur.ENTREPRISE, TypeDebiteur.ADMINISTRATION)


@dataclass(frozen=True)
class Preparation:
    lettre: c.Lettre
    manques: list
    objet: str
    texte: str
    modele: VersionModele | None = None  # version du modèle employé ; None : le texte livré


def reference(courrier: Courrier, annee: int) -> str:
    return courrier.reference or (f"REL-{annee}-{courrier.pk:06d}" if courrier.pk else f"REL-{annee}")


def destinataire_courriel(client: Client, role: str = "") -> str:
    """Contact du rôle demandé, sinon celui des relances, sinon le compte ; vide si aucune adresse n'est utilisable."""
    return destination(client, role).adresse


def composer(courrier: Courrier, *, au: date, echeances=None, versions=None) -> c.Lettre:
    """La lettre telle qu'elle partirait le jour `au`, d'après la base ; n'écrit rien.

    echeances : pour un courrier qui n'existe pas encore (essai à blanc), les pièces qu'il porterait. versions : modèles
    déjà choisis, par support.

    Un semestre absent du barème ne lève pas : il est nommé dans `taux.semestres_manquants` et bloque.
    """
    client, societe = courrier.client, courrier.societe
    if echeances is None:
        relances = courrier.relances.filter(statut__in=Relance.VIVANTES).select_related("echeance__facture")
        echeances = [r.echeance for r in relances.order_by("echeance__date_echeance", "echeance_id")]
    nature = Nature(courrier.nature)
    chiffree = nature in CHIFFREES and client.type in PROFESSIONNELS
    dues = lignes_dues(echeances, client, au=au, chiffree=chiffree)
    devise = courrier.devise
    gestionnaire = client.gestionnaire
    versions = versions_pour(courrier) if versions is None else versions
    role = courrier.palier.role_destinataire
    copies, laissees = jointes.choisir(courrier, [e.facture_id for e in echeances])
    return c.Lettre(
        nature=nature,
        canal=Canal(courrier.canal),
        emetteur=emetteur(societe),
        destinataire=au_nom_de(destinataire(client), client, role),
        reference=reference(courrier, au.year),
        date=au,
        arrete_au=au,
        date_limite=date_limite(au, courrier.palier.delai_reponse, societe.region_feries),
        lignes=dues.lignes,
        credits=tuple(credits_deductibles(client, devise, [e.pk for e in echeances], courrier=courrier.pk, au=au)),
        contestations=_contestations([e.pk for e in echeances]),
        devise=devise,
        taux=taux_du_client(client, dues, legal=_taux_legal(client, nature, au)),
        paiement=pages.paiement(courrier, reference_sepa(client.code, reference(courrier, au.year))),
        signataire=c.Signataire(nom=societe.signataire_nom, fonction=societe.signataire_fonction),
        gestionnaire=c.Gestionnaire(
            nom=gestionnaire.nom if gestionnaire else societe.signataire_nom,
            telephone=(gestionnaire and gestionnaire.telephone) or societe.telephone,
            courriel=gestionnaire.courriel if gestionnaire else societe.courriel,
        ),
        contrat=c.Contrat(
            objet=client.objet_contrat if client.langue == "fr" else "",  # saisi en français
            clause_loi=client.mention_loi_en,
        ),
        rappels=tuple(_rappels(courrier, [e.pk for e in echeances])),
        numero_recommande=courrier.numero_suivi,
        electronique=courrier.electronique,
        modeles={support: version.textes for support, version in versions.items()},
        copies=copies,
        copies_laissees=laissees,
        repli_destinataire=destination(client, role).repli if role and courrier.canal == Canal.COURRIEL else "",
    )


def emetteur(societe) -> c.Emetteur:
    champs = {nom: getattr(societe, nom) for nom in c.Emetteur.__dataclass_fields__ if hasattr(societe, nom)}
    logo = _logo_incorpore(societe.logo, societe.empreinte_logo) if societe.logo else ""
    return c.Emetteur(**champs | {"logo": logo})


def mentions(societe, langue: str) -> str:
    """Ce que tout courriel écrit en son nom porte : dénomination, forme, siège, SIREN, RCS (C. com., R123-237)."""
    champs = {nom: getattr(societe, nom) for nom in c.Emetteur.__dataclass_fields__ if hasattr(societe, nom)}
    emetteur_ = c.Emetteur(**champs | {"logo": ""})
    dire = rendu_parties.mentions_legales_en if langue == "en" else rendu_parties.mentions_legales
    return dire(emetteur_)


@lru_cache(maxsize=32)
def _logo_incorpore(chemin: str, empreinte: str) -> str:
    """Adresse `data:` du logo ; une empreinte ne change pas de contenu, elle se mémorise."""
    mime = "image/png" if chemin.endswith(".png") else "image/jpeg"
    return f"data:{mime};base64,{b64encode(depot.lire(chemin, empreinte)).decode()}"


def destinataire(client: Client) -> c.Destinataire:
    communs = [n for n in c.Destinataire.__dataclass_fields__ if hasattr(client, n) and n != "type"]
    return c.Destinataire(type=c.TypeDebiteur(client.type), **{n: getattr(client, n) for n in communs})


def _taux_legal(client: Client, nature: Nature, au: date) -> Decimal | None:
    """Taux légal qu'annonce la mise en demeure d'un particulier ; absent du barème, il la bloque."""
    if client.type != TypeDebiteur.PARTICULIER or nature != Nature.MISE_EN_DEMEURE:
        return None
    try:
        return bareme_en_base().taux_legal(semestre(au))
    except TauxManquant:
        return None


def credits_deductibles(
    client: Client, devise: str, pieces: list[int], *, courrier: int | None, au: date
) -> list[c.Credit]:
    """Les crédits ouverts, moins ce qu'un autre courrier en vigueur a déjà déduit sur d'autres pièces."""
    credits = credits_ouverts(client, devise, au=au)
    pris = sum(
        (
            montant
            for d, montant, autres in credits_reserves([client.pk], sauf=courrier).get(client.pk, ())
            if d == devise and not autres <= set(pieces)
        ),
        ZERO,
    )
    libres = []
    for credit in credits:
        part = min(pris, credit.montant)
        pris -= part
        if credit.montant > part:
            libres.append(replace(credit, montant=credit.montant - part))
    return libres


def _contestations(echeances: list[int]) -> tuple[c.Contestation, ...] | None:
    """Litiges ouverts sur ces pièces ; None s'il n'y en a que de clos, ou sur une autre échéance de la même facture :
    la lettre ne peut alors pas dire n'avoir reçu aucune contestation.
    """
    factures = Echeance.objects.filter(pk__in=echeances).values("facture")
    litiges = Litige.objects.filter(echeance__facture__in=factures).select_related("echeance__facture").order_by("pk")
    ouverts = tuple(
        c.Contestation(
            facture=x.echeance.facture_id,
            numero=x.echeance.facture.numero,
            recue_le=x.ouvert_le,
            montant=x.montant_conteste,
        )
        for x in litiges
        if x.clos_le is None and x.echeance_id in echeances
    )
    return ouverts if ouverts or not litiges else None


def _rappels(courrier: Courrier, echeances: list[int]) -> list[date]:
    """Jours, à Paris, où chacune de ces pièces a été réellement relancée ; jamais une formule.

    La lettre dit « malgré nos rappels » de tout ce qu'elle réclame : un jour où l'une d'elles ne l'a pas été n'y est
    pas cité.
    """
    parties = Relance.objects.filter(
        echeance__in=echeances,
        statut__in=Relance.PARTIES,
        courrier__statut__in=(Courrier.Statut.ENVOYE, Courrier.Statut.POSTE),
    ).exclude(courrier=courrier.pk)
    jours: dict[int, set[date]] = {e: set() for e in echeances}
    for e, depose, envoye in parties.values_list("echeance", "courrier__depose_le", "courrier__envoye_le"):
        if depose or envoye:
            jours[e].add(depose or timezone.localdate(envoye))
    return sorted(set.intersection(*jours.values())) if jours else []


def preparer(courrier: Courrier, *, au: date, echeances=None) -> Preparation:
    """Compose, contrôle et rend le texte ; n'écrit rien (aperçu comme envoi).

    Un texte réécrit par une personne part tel quel, s'il passe les mêmes contrôles (exigences 23 et 29).
    """
    versions = versions_pour(courrier)
    version = versions.get({Canal.COURRIEL: "courriel", Canal.SMS: "sms"}.get(Canal(courrier.canal), "lettre"))
    lettre = composer(courrier, au=au, echeances=echeances, versions=versions)
    if courrier.canal == Canal.SMS:
        ids = _ids(courrier) if echeances is None else [e.pk for e in echeances]
        return _preparer_sms(courrier, lettre, version, ids, au=au)
    if courrier.texte_modifie and courrier.canal != Canal.COURRIEL:
        try:
            lettre = replace(lettre, textes=lettres.textes_depuis(lettre, courrier.objet, courrier.texte))
        except ValueError as erreur:
            manque = controles.Manque("texte", str(erreur), "courrier")
            return Preparation(lettre, [manque], courrier.objet, courrier.texte, version)
    manques = _manques(lettre, ecrit=courrier.texte_modifie) + manques_en_base(
        courrier, lettre, _ids(courrier) if echeances is None else [e.pk for e in echeances], au=au
    )
    if manques:
        return Preparation(lettre, manques, "", "", version)
    courriel = courriels.rendre(lettre)
    if courrier.texte_modifie and courrier.canal == Canal.COURRIEL:
        courriel = courriels.Courriel(objet=courrier.objet, texte=courrier.texte)
    if courrier.canal == Canal.COURRIEL:
        manques = controles.manques_du_texte(lettre, courriel, modifie=courrier.texte_modifie)
    return Preparation(lettre, manques, courriel.objet, courriel.texte, version)


def _preparer_sms(courrier: Courrier, lettre: c.Lettre, version, ids: list[int], *, au: date) -> Preparation:
    """Un SMS est du texte : les contrôles d'un courriel, puis ceux de son modèle si la société l'a écrit."""
    manques = controles.manques(replace(lettre, canal=Canal.COURRIEL))
    if not manques and lettre.modeles.get("sms") and not courrier.texte_modifie:
        manques = controles_modele.manques(lettre, "sms")
    manques += manques_en_base(courrier, lettre, ids, au=au)
    if manques:
        return Preparation(lettre, manques, "", "", version)
    texte = en_gsm7(courrier.texte) if courrier.texte_modifie else sms.rendre(lettre)
    return Preparation(lettre, [], _("SMS"), texte, version)


def _ids(courrier: Courrier) -> list[int]:
    return list(courrier.relances.filter(statut__in=Relance.VIVANTES).values_list("echeance", flat=True))


def _manques(lettre: c.Lettre, *, ecrit: bool) -> list[controles.Manque]:
    """Les contrôles de toute lettre, puis ceux du texte que la société a changé ; `ecrit` : une personne l'a repris."""
    employes = ["courriel"] if lettre.canal == Canal.COURRIEL else []
    if controles.sur_papier(lettre):
        employes.append("lettre")
    if ecrit:
        employes.pop(0)
    try:
        manques = controles.manques(lettre)
        for support in employes:
            if not manques and lettre.modeles.get(support):
                manques = controles_modele.manques(lettre, support)
    except VariableInconnue as inconnue:
        phrase = _("Le modèle insère « %(nom)s », qui n'existe pas : le corriger") % {"nom": inconnue.nom}
        return [controles.Manque("variable_inconnue", phrase, "modele")]
    return manques


def a_un_pdf(courrier: Courrier) -> bool:
    """Une lettre est un PDF ; un courriel chiffré en joint une (exigence 24)."""
    return courrier.canal in (Canal.LETTRE, Canal.RECOMMANDE) or courrier.nature in CHIFFREES


def figer(courrier: Courrier, preparation: Preparation, *, au: date) -> None:
    """Écrit dans le courrier ce qui va partir : montants, texte, PDF rangé par empreinte (exigence 27).

    Le lien de la page du client naît ici, un par courrier : un aperçu n'en crée pas. Lève PdfIndisponible ou l'erreur
    du moteur de rendu ; rien d'autre n'est écrit dans ce cas.
    """
    paiement = pages.paiement_definitif(courrier, preparation.lettre.paiement, au=au)
    lettre = replace(preparation.lettre, paiement=paiement)
    if courrier.canal == Canal.SMS and not courrier.texte_modifie:
        texte = sms.rendre(lettre)  # d'une seule ligne : sans lien, sa phrase tombe, pas le message
    else:
        texte = pages.poser(preparation.texte, paiement.lien)
    preparation = replace(preparation, lettre=lettre, texte=texte)
    totaux = preparation.lettre.totaux
    if a_un_pdf(courrier):
        pdf = lettres.rendre_pdf(preparation.lettre)
        courrier.pdf_chemin, courrier.pdf_empreinte = depot.ranger(pdf, ".pdf")
        courrier.pdf_pages = compter_pages(pdf)
    courrier.reference = preparation.lettre.reference
    courrier.objet, courrier.texte = preparation.objet[:250], preparation.texte
    courrier.arrete_au = au
    courrier.date_limite = preparation.lettre.date_limite
    courrier.principal, courrier.credits = totaux.reste_du, totaux.credits
    # Intérêts courus, non restants : principal en compte + intérêts courus + indemnités − crédits = total.
    courrier.penalites = totaux.interets_courus if preparation.lettre.chiffree else ZERO
    courrier.indemnites, courrier.total = totaux.indemnites, totaux.a_payer
    courrier.pieces = len(preparation.lettre.lignes)
    courrier.manques = []
    courrier.modele_version = preparation.modele
    courrier.jointes = [asdict(copie) for copie in preparation.lettre.copies]
    if courrier.canal == Canal.COURRIEL:
        courrier.destinataire = destinataire_courriel(courrier.client, courrier.palier.role_destinataire)
    elif courrier.canal == Canal.SMS:
        courrier.destinataire = numeros([courrier.client]).get(courrier.client_id, "")
    courrier.save(
        update_fields=[
            "pdf_chemin", "pdf_empreinte", "pdf_pages", "reference", "objet", "texte", "arrete_au", "date_limite",
            "principal", "credits", "penalites", "indemnites", "total", "pieces", "manques", "destinataire",
            "modele_version", "jointes", "updated_at",
        ]
    )  # fmt: skip
