"""Ce que disent une lettre ou un courriel : dataclasses gelées, remplies par les services.

Montants : Decimal en euros (ou dans la devise de la lettre), deux décimales. Taux : Decimal en pour
cent l'an (12.40 = 12,40 %). Les totaux se déduisent des lignes et ne se saisissent jamais.

Deux comptes se côtoient (décision « deux comptes, jamais mêlés ») : `reste_du` suit les imputations
sur le principal ; le décompte juridique impute d'abord les intérêts (C. civ., art. 1343-1). Leur
somme est la même : ce qui manque au principal a payé des intérêts (`LigneDue.interets_regles`).
"""

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import date
from decimal import ROUND_HALF_UP, Decimal
from enum import StrEnum
from functools import cached_property

from factures.domaine.mouvements import Mouvement
from factures.domaine.penalites import PaiementImpute, Segment
from relances.domaine.natures import Canal, Nature

ZERO = Decimal("0.00")
JOURS_AN = Decimal(365)  # docs/regles.md : base fixe, imprimée dans chaque décompte


class TypeDebiteur(StrEnum):
    """Trois droits, et un client dont on ne sait pas encore lequel s'applique."""

    ENTREPRISE = "entreprise"
    ADMINISTRATION = "administration"
    PARTICULIER = "particulier"
    A_QUALIFIER = "a_qualifier"


@dataclass(frozen=True, kw_only=True)
class Emetteur:
    """La société créancière ; champs nommés comme ceux de `comptes.Societe`."""

    raison_sociale: str
    nom_court: str = ""
    forme: str = ""
    capital: str = ""  # texte : « 120 000 € », vide pour une entreprise individuelle
    siren: str = ""
    rcs_ville: str = ""
    numero_tva: str = ""
    adresse: str = ""
    complement: str = ""
    code_postal: str = ""
    ville: str = ""
    telephone: str = ""
    courriel: str = ""
    iban: str = ""
    bic: str = ""
    logo: str = ""  # adresse `data:image/…` ; vide : le nom en toutes lettres
    representant: str = ""
    representant_fonction: str = ""
    ville_signature: str = ""
    mediateur: str = ""  # de la consommation : nom, adresse et site (C. conso., art. L616-1)
    pdf_archivable: bool = False  # PDF/A-2a et PDF/UA-1 ; une ligne de tableau par facture


@dataclass(frozen=True, kw_only=True)
class Destinataire:
    """Le débiteur ; champs nommés comme ceux de `clients.Client`."""

    code: str
    raison_sociale: str  # ou le nom d'un particulier
    type: TypeDebiteur = TypeDebiteur.ENTREPRISE
    langue: str = "fr"
    siren: str = ""
    siret: str = ""
    forme: str = ""
    capital: str = ""
    rcs_ville: str = ""
    representant: str = ""  # « Agathe Delorme, présidente »
    immatriculation: str = ""  # débiteur étranger : « company No. 99999999 »
    civilite: str = ""  # formule d'appel : « Madame », « Monsieur le Maire » ; vide : « Madame, Monsieur »
    interlocuteur: str = ""  # « Madame Delorme », « Ms Hallam » ; vide : bonjour sans nom
    service: str = ""  # ligne 2 de l'adresse : « Service comptabilité fournisseurs »
    adresse: str = ""
    complement: str = ""
    code_postal: str = ""
    ville: str = ""
    pays: str = ""  # vide ou « FR » : France


@dataclass(frozen=True, kw_only=True)
class LigneDue:
    """Une échéance réclamée."""

    facture: int | str  # identité : des à-nouveaux repris peuvent porter le même libellé
    numero: str  # de la facture, tel qu'il s'imprime
    date_emission: date
    date_echeance: date
    montant_ttc: Decimal  # de l'échéance
    reste_du: Decimal  # en compte, part contestée déduite
    rang: str = ""  # « 2/3 » quand la facture a plusieurs échéances
    jours_retard: int = 0
    segments: tuple[Segment, ...] = ()
    reglements: tuple[PaiementImpute, ...] = ()  # reçus après l'échéance
    indemnite: Decimal = ZERO  # restant due : 40 € une fois par facture, zéro sur ses autres échéances
    mouvements: tuple[Mouvement, ...] = ()  # tous les règlements et avoirs, pour le décompte imprimé
    devise: str = "EUR"
    objet: str = ""  # particulier : « pose d'un placard sur mesure »
    commande: str = ""  # administration : n° d'engagement
    date_reception: date | None = None  # administration : notification du dépôt sur Chorus Pro
    # Ce à quoi le créancier renonce : « penalites », « indemnite », « tout » ; jamais dit dans une relance.
    renonciation: str = ""
    renonciation_le: date | None = None

    @property
    def interets_courus(self) -> Decimal:
        return sum((s.interets for s in self.segments), ZERO)

    @property
    def interets_regles(self) -> Decimal:
        """Part des règlements qui a payé des intérêts, avant le principal (C. civ., art. 1343-1) ou pour eux seuls."""
        return sum((r.sur_interets for r in self.reglements), ZERO)

    @property
    def penalites(self) -> Decimal:
        """Intérêts ou pénalités restant dus."""
        return self.interets_courus - self.interets_regles

    @property
    def principal(self) -> Decimal:
        """Principal restant dû au sens du décompte juridique."""
        ecart = sum((-r.sur_principal if r.accessoires else r.sur_interets for r in self.reglements), ZERO)
        return self.reste_du + ecart


@dataclass(frozen=True, kw_only=True)
class Credit:
    """Un avoir ou un règlement reçu, non encore affecté : déduit du total réclamé (exigence 4)."""

    genre: str  # « avoir » ou « reglement »
    reference: str
    date: date
    montant: Decimal  # positif
    devise: str = "EUR"


@dataclass(frozen=True, kw_only=True)
class Contestation:
    """Un litige connu ; sa part contestée est hors de la lettre."""

    facture: int | str  # identité, celle de LigneDue
    numero: str
    recue_le: date
    montant: Decimal


@dataclass(frozen=True, kw_only=True)
class Taux:
    """Ce qui a servi au calcul des segments."""

    stipule: Decimal | None = None  # taux du contrat ; None : BCE + 10
    mention: str = ""  # clause et article des conditions de vente, imprimés tels quels
    sous_plancher: bool = False  # taux stipulé sous trois fois le taux légal, et personne n'a choisi
    remplacement: str = ""  # le choix fait : « plancher », « defaut », « stipule »
    imputation: str = "interets"  # ou « principal » : clause ou accord contraire à l'article 1343-1
    legal: Decimal | None = None  # particulier : taux légal « autres cas » du semestre
    semestres_manquants: tuple[str, ...] = ()  # « 2027-S1 » : calcul refusé, jamais extrapolé


@dataclass(frozen=True, kw_only=True)
class Signataire:
    nom: str = ""
    fonction: str = ""
    fonction_en: str = ""
    image: str = ""  # signature numérisée : adresse `data:image/…`, ou vide


@dataclass(frozen=True, kw_only=True)
class Gestionnaire:
    nom: str
    telephone: str = ""
    courriel: str = ""


@dataclass(frozen=True, kw_only=True)
class Paiement:
    reference: str  # à rappeler dans le virement, 35 caractères au plus
    lien: str = ""  # page du débiteur ; sur papier, l'adresse courte où se saisit `code`
    code: str = ""


@dataclass(frozen=True, kw_only=True)
class Contrat:
    """Le fondement de la créance, dans la langue de la lettre."""

    objet: str = ""  # « la fourniture de mobilier d'agencement »
    reference: str = ""  # « commandes CD-2026-118 à 131 »
    clause_loi: str = ""  # débiteur étranger : clause de droit français et son acceptation
    clause_decheance: str = ""  # clause du contrat, citée mot pour mot


@dataclass(frozen=True, kw_only=True)
class Marche:
    """La commande publique : ce que le comptable public demande pour retrouver la facture."""

    numero: str = ""
    engagement: str = ""  # vide : les commandes des lignes
    code_service: str = ""
    delai_jours: int | None = None  # 30, 50 ou 60 (CCP, art. R2192-10 et R2192-11)
    collectivite: bool = False  # collectivité ou établissement local : le préfet peut mandater d'office
    aucune_suspension: bool = False  # lu dans le journal : aucune suspension ne nous a été notifiée


@dataclass(frozen=True, kw_only=True)
class CopieJointe:
    """La copie d'une facture, telle que le dépôt la garde."""

    numero: str
    nom: str  # du fichier joint
    chemin: str
    empreinte: str
    pages: int = 0


@dataclass(frozen=True, kw_only=True)
class Totaux:
    montant_ttc: Decimal
    reste_du: Decimal
    principal: Decimal
    interets_courus: Decimal
    interets_regles: Decimal
    penalites: Decimal
    indemnites: Decimal
    credits: Decimal
    a_payer: Decimal
    par_jour: Decimal
    nombre_factures: int
    nombre_indemnites: int


@dataclass(frozen=True, kw_only=True)
class Lettre:
    """Une relance à écrire, par lettre ou par courriel."""

    nature: Nature
    emetteur: Emetteur
    destinataire: Destinataire
    reference: str
    date: date
    arrete_au: date
    lignes: tuple[LigneDue, ...]
    paiement: Paiement
    gestionnaire: Gestionnaire
    canal: Canal = Canal.COURRIEL
    date_limite: date | None = None  # jour ouvré ; None avant l'échéance
    credits: tuple[Credit, ...] = ()
    contestations: tuple[Contestation, ...] | None = None  # () : aucune, lu dans le journal ; None : pas regardé
    devise: str = "EUR"
    taux: Taux = Taux()
    signataire: Signataire = Signataire()
    contrat: Contrat = Contrat()
    marche: Marche = Marche()
    rappels: tuple[date, ...] = ()  # relances réellement envoyées, de la plus ancienne à la dernière
    numero_recommande: str = ""
    electronique: bool = False  # recommandé électronique : il ne se dit pas « avec avis de réception »
    textes: Mapping[str, str] = field(default_factory=dict)  # paragraphes réécrits par une personne
    copies: tuple[CopieJointe, ...] = ()
    copies_laissees: tuple[str, ...] = ()  # factures dont la copie est trop lourde
    repli_destinataire: str = ""  # phrase : le rôle demandé n'a pas d'adresse
    modeles: Mapping[str, Mapping[str, str]] = field(default_factory=dict)  # support → {paragraphe: texte du modèle}

    @property
    def langue(self) -> str:
        return self.destinataire.langue

    @property
    def type_debiteur(self) -> TypeDebiteur:
        return TypeDebiteur(self.destinataire.type)

    @property
    def chiffree(self) -> bool:
        """Vrai si la lettre réclame pénalités et 40 € : jamais à un consommateur (exigence 24)."""
        chiffre = self.nature in (Nature.FORMALISATION, Nature.MISE_EN_DEMEURE)
        return chiffre and self.type_debiteur in (TypeDebiteur.ENTREPRISE, TypeDebiteur.ADMINISTRATION)

    @cached_property
    def totaux(self) -> Totaux:
        return totaliser(self.lignes, self.credits, au=self.arrete_au, chiffree=self.chiffree, devise=self.devise)


def totaliser(
    lignes: tuple[LigneDue, ...], credits: tuple[Credit, ...], *, au: date, chiffree: bool, devise: str = "EUR"
) -> Totaux:
    """Totaux d'un document arrêté au jour `au` ; `chiffree` ajoute pénalités et indemnités à ce qui est à payer.

    Ne court plus ce qui s'est arrêté avant ce jour : principal éteint, jugement d'ouverture (C. com., art. L622-28).
    Les 40 € se doivent en euros : dans une autre devise ils restent à part, jamais additionnés (exigence 6).
    """

    def somme(nom: str) -> Decimal:
        return sum((getattr(ligne, nom) for ligne in lignes), ZERO)

    deduits = sum((c.montant for c in credits), ZERO)
    du = somme("principal") + somme("penalites") if chiffree else somme("reste_du")
    if chiffree and devise == "EUR":
        du += somme("indemnite")
    courent = [ligne for ligne in lignes if ligne.segments and ligne.segments[-1].au == au]
    par_jour = sum((ligne.principal * ligne.segments[-1].taux for ligne in courent), ZERO)
    return Totaux(
        montant_ttc=somme("montant_ttc"),
        reste_du=somme("reste_du"),
        principal=somme("principal"),
        interets_courus=somme("interets_courus"),
        interets_regles=somme("interets_regles"),
        penalites=somme("penalites"),
        indemnites=somme("indemnite"),
        credits=deduits,
        a_payer=du - deduits,
        par_jour=(par_jour / 100 / JOURS_AN).quantize(ZERO, rounding=ROUND_HALF_UP),
        nombre_factures=len({ligne.facture for ligne in lignes}),
        nombre_indemnites=sum(1 for ligne in lignes if ligne.indemnite),
    )


@dataclass(frozen=True, kw_only=True)
class Decompte:
    """Décompte opposable de factures choisies, arrêté à une date."""

    emetteur: Emetteur
    destinataire: Destinataire
    reference: str
    date: date
    arrete_au: date
    lignes: tuple[LigneDue, ...]
    gestionnaire: Gestionnaire
    credits: tuple[Credit, ...] = ()
    taux: Taux = Taux()
    devise: str = "EUR"
    sources: tuple[tuple[str, str], ...] = ()  # (taux, d'où il vient), dans l'ordre des jours
    notes: tuple[str, ...] = ()  # renonciations, part contestée, écritures d'après l'arrêté

    @cached_property
    def totaux(self) -> Totaux:
        return totaliser(self.lignes, self.credits, au=self.arrete_au, chiffree=True, devise=self.devise)


@dataclass(frozen=True, kw_only=True)
class Piece:
    numero: int
    designation: str
    date: str = ""  # texte : « du 09/03 au 28/08/2026 »
    pages: int | None = None


@dataclass(frozen=True, kw_only=True)
class Tribunal:
    """La juridiction compétente (CPC, art. 1406), telle que le dossier l'a retenue."""

    nom: str  # « tribunal de commerce de Bernay »
    adresse: tuple[str, ...] = ()
    competence: str = ""  # phrase de la requête ; vide : celle des créances entre commerçants


@dataclass(frozen=True, kw_only=True)
class Requete:
    """Projet de requête en injonction de payer : une personne le complète et le signe.

    Ce qui n'est pas connu (capital ou représentant du débiteur…) devient un blanc à remplir.
    """

    emetteur: Emetteur
    destinataire: Destinataire  # le débiteur
    tribunal: Tribunal
    reference: str  # du dossier
    date: date
    arrete_au: date
    lignes: tuple[LigneDue, ...]
    gestionnaire: Gestionnaire
    signataire: Signataire
    expose: str  # les faits, avec renvois aux pièces
    diligences: str  # « rappels des 5 et 22 octobre 2026, mise en demeure du… »
    contestations: str  # « Aucune contestation n'a été reçue. » ou leur exposé loyal
    pieces: tuple[Piece, ...]
    credits: tuple[Credit, ...] = ()
    taux: Taux = Taux()
    pouvoir: str = ""  # signataire autre que le représentant légal
    renvoi: str = ""  # juridiction demandée en cas d'opposition (CPC, art. 1408)
    devise: str = "EUR"

    @cached_property
    def totaux(self) -> Totaux:
        return totaliser(self.lignes, self.credits, au=self.arrete_au, chiffree=True, devise=self.devise)


@dataclass(frozen=True, kw_only=True)
class Pli:
    destinataire: str
    localite: str
    reference: str
    numero_recommande: str = ""


@dataclass(frozen=True, kw_only=True)
class Bordereau:
    """Bordereau de dépôt des recommandés d'un jour (pièce interne)."""

    emetteur: Emetteur
    reference: str
    date: date
    prepare_par: str
    plis: tuple[Pli, ...]
    bureau: tuple[str, ...] = ()
