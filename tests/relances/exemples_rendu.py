"""Fabriques d'exemple du rendu : parties inventées, sommes calculées par le domaine, jamais saisies."""

from dataclasses import replace
from datetime import date, timedelta
from decimal import Decimal

from factures.domaine.bareme import Bareme
from factures.domaine.penalites import calculer
from relances.domaine.natures import Canal, Nature
from relances.rendu.contexte import (
    Bordereau,
    Contrat,
    Credit,
    Decompte,
    Destinataire,
    Emetteur,
    Gestionnaire,
    Lettre,
    LigneDue,
    Marche,
    Paiement,
    Piece,
    Pli,
    Requete,
    Signataire,
    Taux,
    Tribunal,
    TypeDebiteur,
)

ARRETE = date(2026, 11, 20)  # vendredi ouvré
BAREME = Bareme(
    refi=[(date(2025, 6, 11), Decimal("2.15")), (date(2026, 6, 17), Decimal("2.40"))],
    legal=[("2025-S2", Decimal("2.76")), ("2026-S1", Decimal("2.62")), ("2026-S2", Decimal("2.75"))],
    semestres=[("2025-S2", Decimal("2.15")), ("2026-S1", Decimal("2.15")), ("2026-S2", Decimal("2.40"))],
)

EMETTEUR = Emetteur(
    raison_sociale="Ateliers Verdance",
    nom_court="Ateliers Verdance",
    forme="SAS",
    capital="120 000 €",
    siren="999412075",
    rcs_ville="Nantes",
    numero_tva="FR90999412075",
    adresse="17 rue des Tanneurs",
    code_postal="44200",
    ville="Nantes",
    telephone="02 61 91 00 10",
    courriel="comptes.clients@ateliers-verdance.example",
    iban="FR7699999044100002187654326",
    bic="VERDFRPPXXX",
    representant="Hélène Marchand",
    representant_fonction="présidente",
    ville_signature="Nantes",
    mediateur="Médiation Consommation Exemple, 12 rue de la Concorde, 75000 Paris, mediation-conso.example",
)
GESTIONNAIRE = Gestionnaire(
    nom="Claire Aubry", telephone="02 61 91 00 14", courriel="claire.aubry@ateliers-verdance.example"
)
SIGNATAIRE = Signataire(nom="Hélène Marchand", fonction="Présidente", fonction_en="President")

HOTELIERE = Destinataire(
    code="C00412",
    raison_sociale="Hôtelière du Val de Risle",
    forme="SAS",
    siren="999674021",
    capital="50 000 €",
    rcs_ville="Bernay",
    representant="Agathe Delorme, présidente",
    interlocuteur="Madame Delorme",
    service="Service comptabilité fournisseurs",
    complement="Bâtiment B",
    adresse="42 quai de la Ruelle",
    code_postal="27500",
    ville="Pont-Audemer",
)
RIVOIRE = Destinataire(
    code="C00033",
    raison_sociale="Rivoire Distribution",
    forme="SA",
    siren="999701558",
    service="Direction financière",
    complement="Immeuble Le Confluent",
    adresse="118 cours Bayard, CS 40217",
    code_postal="69286",
    ville="Lyon Cedex 02",
)
COMMUNE = Destinataire(
    code="P00088",
    raison_sociale="Commune de Sainte-Aubierge-sur-Loire",
    type=TypeDebiteur.ADMINISTRATION,
    civilite="Monsieur le Maire",
    siret="21499999700015",
    service="Service des finances",
    adresse="1 place de la Mairie",
    code_postal="49999",
    ville="Sainte-Aubierge-sur-Loire",
)
KERDRAON = Destinataire(
    code="K00231",
    raison_sociale="Solène Kerdraon",
    type=TypeDebiteur.PARTICULIER,
    civilite="Madame",
    interlocuteur="Madame Kerdraon",
    service="Appartement 12",
    complement="Résidence Les Tilleuls",
    adresse="5 rue du Pré Botté",
    code_postal="35000",
    ville="Rennes",
)
HALLAM = Destinataire(
    code="X00019",
    raison_sociale="Hallam & Reeve Interiors Ltd",
    langue="en",
    immatriculation="company No. 99999999",
    interlocuteur="Ms Hallam",
    service="Accounts Payable",
    complement="Unit 7",
    adresse="12 Kirkgate Works",
    code_postal="LS99 9ZZ",
    ville="Leeds",
    pays="GB",
)
CONTRATS = {
    "fr": Contrat(objet="la fourniture de mobilier d’agencement", reference="commandes CD-2026-118 à 131"),
    "en": Contrat(
        objet="the supply of shop fittings",
        clause_loi=(
            "Our supplies are governed by French law (clause 14 of our general terms, "
            "accepted with your order of 3 February 2026)."
        ),
    ),
}


def _suite(graine: int):
    while True:
        graine = (graine * 1103515245 + 12345) % 2**31
        yield graine >> 8


def ligne(
    numero: str,
    emission: date,
    ttc: Decimal,
    *,
    debiteur: str = "entreprise",
    delai: int = 30,
    paiements=(),
    au: date = ARRETE,
    taux_stipule: Decimal | None = None,
    imputation: str = "interets",
    **autres,
) -> LigneDue:
    """Une échéance à `delai` jours, ses intérêts et ses 40 € calculés par le domaine."""
    echeance = emission + timedelta(delai)
    paye = sum((montant for _, montant in paiements), Decimal(0))
    calcul = calculer(
        ttc,
        echeance,
        au=au,
        debiteur=debiteur,
        bareme=BAREME,
        paiements=paiements,
        taux_stipule=taux_stipule,
        imputation=imputation,
    )
    champs = {
        "facture": numero,
        "numero": numero,
        "date_emission": emission,
        "date_echeance": echeance,
        "montant_ttc": ttc,
        "reste_du": ttc - paye,
        "jours_retard": (au - echeance).days,
        "segments": calcul.segments,
        "reglements": tuple(p for p in calcul.paiements if p.jour > echeance),
        "indemnite": calcul.indemnite,
    }
    return LigneDue(**champs | autres)


def lignes(nombre: int, *, debiteur: str = "entreprise", **autres) -> tuple[LigneDue, ...]:
    """`nombre` factures échues avant l'arrêté, sur un ou plusieurs semestres ; montants semés."""
    alea = _suite(2026 + nombre)
    pas = max(1, min(33, 240 // nombre))
    debut = ARRETE - timedelta(days=31 + 20 + pas * (nombre - 1))
    return tuple(
        ligne(
            f"FA-2026-{412 + 7 * rang:04d}",
            debut + timedelta(pas * rang),
            Decimal(21600 + next(alea) % 400_000) / 100,
            debiteur=debiteur,
            **autres,
        )
        for rang in range(nombre)
    )


def lettre(
    nature: Nature = Nature.FORMALISATION, *, nombre: int = 6, destinataire: Destinataire = HOTELIERE, **autres
) -> Lettre:
    """Lettre ordinaire de cette nature au destinataire donné ; tout champ se remplace par mot-clé."""
    particulier = destinataire.type == TypeDebiteur.PARTICULIER
    rappel = nature in (Nature.AVANT_ECHEANCE, Nature.RAPPEL_COURTOIS)
    dues = _lignes_de(nature, nombre, destinataire)
    if rappel or particulier:
        dues = tuple(replace(due, segments=(), indemnite=Decimal("0.00")) for due in dues)
    mise_en_demeure = nature == Nature.MISE_EN_DEMEURE
    reference = f"{'MED' if mise_en_demeure else 'REL'}-2026-{1800 + nombre}"
    champs = {
        "nature": nature,
        "emetteur": EMETTEUR,
        "destinataire": destinataire,
        "reference": reference,
        "date": ARRETE,
        "arrete_au": ARRETE,
        "date_limite": None if nature == Nature.AVANT_ECHEANCE else date(2026, 12, 7 if mise_en_demeure else 2),
        "lignes": dues,
        "paiement": Paiement(
            reference=f"{destinataire.code} {reference}", lien="ateliers-verdance.example/p/7QK4-2MXD"
        ),
        "gestionnaire": GESTIONNAIRE,
        "signataire": SIGNATAIRE,
        "canal": Canal.RECOMMANDE if mise_en_demeure else Canal.LETTRE,
        "contestations": (),
        "contrat": CONTRATS[destinataire.langue],
        "marche": Marche(numero="2026-014", engagement="EJ-2026-00317", code_service="FINANCES", delai_jours=30),
        "rappels": () if rappel else (date(2026, 10, 5), date(2026, 10, 22)),
        "taux": Taux(legal=Decimal("2.75")) if particulier else Taux(),
    }
    return Lettre(**champs | autres)


def _lignes_de(nature: Nature, nombre: int, destinataire: Destinataire) -> tuple[LigneDue, ...]:
    if nature == Nature.AVANT_ECHEANCE:
        emission = date(2026, 10, 30)
        return (ligne("FA-2026-0655", emission, Decimal("2748.60"), delai=31, jours_retard=0),)
    if destinataire.type == TypeDebiteur.PARTICULIER:
        paye = ((date(2026, 9, 1), Decimal("400.00")),)
        due = ligne("FA-2026-0571", date(2026, 8, 28), Decimal("1486.10"), paiements=paye)
        return (replace(due, objet="pose d’un placard sur mesure"),)
    if destinataire.type == TypeDebiteur.ADMINISTRATION:
        dues = lignes(nombre, debiteur="administration")
        return tuple(replace(due, date_reception=due.date_emission + timedelta(1)) for due in dues)
    return lignes(nombre)


def avoir(montant: str = "240.00", **autres) -> Credit:
    champs = {"genre": "avoir", "reference": "AV-2026-0031", "date": date(2026, 10, 12), "montant": Decimal(montant)}
    return Credit(**champs | autres)


def requete(*, nombre: int = 6, **autres) -> Requete:
    dues = lignes(nombre)
    factures = tuple(
        Piece(numero=4 + rang, designation=f"Facture {due.numero}", date=f"{due.date_emission:%d/%m/%Y}", pages=1)
        for rang, due in enumerate(dues[:6])
    )
    champs = {
        "emetteur": EMETTEUR,
        "destinataire": HOTELIERE,
        "tribunal": Tribunal(
            nom="tribunal de commerce de Bernay",
            adresse=("TRIBUNAL DE COMMERCE DE BERNAY", "GREFFE", "PLACE DU PALAIS", "27300 BERNAY"),
        ),
        "reference": "CX-2026-014",
        "date": ARRETE,
        "arrete_au": ARRETE,
        "lignes": dues,
        "gestionnaire": GESTIONNAIRE,
        "signataire": SIGNATAIRE,
        "expose": "Le créancier a livré au débiteur le mobilier commandé (pièces 1 à 3) et émis ses factures.",
        "diligences": "rappels des 5 et 22 octobre 2026, mise en demeure du 26 octobre 2026 (pièces 10 et 11)",
        "contestations": "Aucune contestation n’a été reçue.",
        "renvoi": "le tribunal de commerce de Bernay",
        "pieces": (
            Piece(numero=1, designation="Commandes acceptées", date="02/03/2026", pages=6),
            Piece(numero=2, designation="Conditions générales de vente acceptées", date="03/02/2026", pages=4),
            Piece(numero=3, designation="Bons de livraison signés", date="du 09/03 au 28/08/2026", pages=6),
            *factures,
            Piece(numero=10, designation="Relance de formalisation", date="22/10/2026", pages=2),
            Piece(numero=11, designation="Mise en demeure et avis de réception", date="26/10/2026", pages=3),
        ),
    }
    return Requete(**champs | autres)


def decompte(*, nombre: int = 6, **autres) -> Decompte:
    champs = {
        "emetteur": EMETTEUR,
        "destinataire": HOTELIERE,
        "reference": "DEC-2026-009",
        "date": ARRETE,
        "arrete_au": ARRETE,
        "lignes": lignes(nombre),
        "gestionnaire": GESTIONNAIRE,
    }
    return Decompte(**champs | autres)


def bordereau(*, nombre: int = 5, **autres) -> Bordereau:
    plis = tuple(
        Pli(
            numero_recommande=f"RC 00 000 0012 {345 + rang}",
            destinataire="Hôtelière du Val de Risle",
            localite="27500 PONT AUDEMER",
            reference=f"MED-2026-{301 + rang}",
        )
        for rang in range(nombre)
    )
    champs = {
        "emetteur": EMETTEUR,
        "reference": "DEP-2026-047",
        "date": ARRETE,
        "prepare_par": "Claire Aubry",
        "plis": plis,
        "bureau": ("BUREAU DE POSTE", "NANTES BRETAGNE", "44000 NANTES"),
    }
    return Bordereau(**champs | autres)
