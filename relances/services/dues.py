"""Du décompte juridique aux lignes d'une lettre ou d'un acte : les mêmes chiffres, sans aucun calcul ici."""

from dataclasses import dataclass
from datetime import date
from decimal import Decimal

from django.utils.translation import override

from clients.models import Client, SousPlancher, TypeDebiteur
from factures import decompte
from factures.models import Litige
from factures.services import bareme as bareme_en_base
from recouvrement.commun.domaine import ecriture
from relances.rendu import contexte as c
from relances.rendu.moteur import typographier

from .receptions import mises_en_demeure_recues

ZERO = Decimal("0.00")
# Le choix d'une personne, imprimé : le droit ne dit pas quel taux remplace une clause trop basse (droit.md § 1).
CHOIX = {
    ("fr", SousPlancher.PLANCHER): "il est relevé à ce minimum",
    ("fr", SousPlancher.DEFAUT): (
        "il cède au taux applicable à défaut de clause, celui de la Banque centrale européenne majoré de 10 points"
    ),
    ("fr", SousPlancher.STIPULE): "le créancier s'en tient au taux stipulé",
    ("en", SousPlancher.PLANCHER): "it is raised to that minimum",
    ("en", SousPlancher.DEFAUT): (
        "it gives way to the rate applicable in the absence of a clause, the European Central Bank rate plus 10 points"
    ),
    ("en", SousPlancher.STIPULE): "the creditor claims no more than the agreed rate",
}


@dataclass(frozen=True)
class Dues:
    """Lignes d'un document, et ce qui empêche de s'y fier : semestres sans taux, clause basse sans choix."""

    lignes: tuple[c.LigneDue, ...]
    semestres_manquants: tuple[str, ...] = ()
    sous_plancher: bool = False  # la clause est sous le plancher, choisie ou non
    a_choisir: bool = False
    refus: str = ""


def lignes_dues(echeances, client: Client, *, au: date, chiffree: bool) -> Dues:
    """Lignes d'une lettre pour ces échéances ; la part contestée en est retirée.

    chiffree : avec intérêts et 40 €, par `factures.decompte` ; sinon le seul reste dû en compte.
    """
    if chiffree:
        return dues_du_decompte(etablir_lignes(echeances, client, au=au))
    ids = [e.pk for e in echeances]
    contestes = dict(Litige.objects.filter(echeance__in=ids, clos_le=None).values_list("echeance", "montant_conteste"))
    return Dues(tuple(_ligne(e, au, e.reste_du - min(contestes.get(e.pk, ZERO), e.reste_du)) for e in echeances))


def etablir_lignes(echeances, client: Client, *, au: date, avec_litiges: bool = False) -> decompte.Decompte:
    """Décompte de ces échéances, toutes de la même devise, sans les crédits ; part contestée retirée ou non."""
    echeances = list(echeances)
    lignes = decompte.calculer(
        client,
        echeances,
        au=au,
        bareme=bareme_en_base(),
        mises_en_demeure=mises_en_demeure(client, echeances, au=au),
        avec_litiges=avec_litiges,
    )
    return decompte.Decompte(client, echeances[0].devise if echeances else "EUR", au, lignes)


def dues_du_decompte(d: decompte.Decompte) -> Dues:
    lignes = []
    for ligne in d.lignes:
        champs = {}
        if ligne.calcul and ligne.echeance.date_echeance < d.au:
            champs = {
                "segments": ligne.calcul.segments,
                "reglements": tuple(p for p in ligne.calcul.paiements if p.jour > ligne.echeance.date_echeance),
                "indemnite": ligne.calcul.indemnite_restante,
            }
        champs["mouvements"] = tuple(ligne.mouvements)
        if ligne.renonciation:
            champs |= {"renonciation": ligne.renonciation.portee, "renonciation_le": ligne.renonciation.le}
        lignes.append(_ligne(ligne.echeance, d.au, ligne.reste, **champs))
    return Dues(tuple(lignes), d.semestres_manquants, d.sous_plancher, d.a_choisir, d.refus)


def _ligne(e, au: date, reste: Decimal, **champs) -> c.LigneDue:
    return c.LigneDue(
        facture=e.facture_id,
        numero=e.facture.numero,
        date_emission=e.date_facture,
        date_echeance=e.date_echeance,
        montant_ttc=e.montant,
        reste_du=reste,
        jours_retard=max((au - e.date_echeance).days, 0),
        devise=e.devise,
        commande=e.facture.commande,
        **champs,
    )


def mises_en_demeure(client: Client, echeances, *, au: date) -> dict[int, date]:
    """{échéance: jour qui fait courir les intérêts d'un consommateur}, vide pour tout autre débiteur."""
    if client.type != TypeDebiteur.PARTICULIER:
        return {}
    return mises_en_demeure_recues([e.pk for e in echeances], au=au)


def credits_ouverts(client: Client, devise: str, *, au: date, emises_au: date | None = None) -> list[c.Credit]:
    """Avoirs et règlements reçus au jour dit et non affectés (exigence 4)."""
    return [
        c.Credit(genre=x.genre, reference=x.reference, date=x.date, montant=x.montant, devise=x.devise)
        for x in decompte.credits_au(client, devise, au=au, emises_au=emises_au)
    ]


def taux_du_client(client: Client, dues: Dues, *, legal: Decimal | None = None, langue: str = "") -> c.Taux:
    """Ce qu'un document dit de son taux ; une clause sous le plancher imprime le choix fait."""
    return c.Taux(
        stipule=None if client.type == TypeDebiteur.ADMINISTRATION else client.taux_penalites,
        mention=phrase_du_choix(client, langue) if dues.sous_plancher else "",
        remplacement=client.sous_plancher if dues.sous_plancher else "",
        imputation=client.imputation,
        sous_plancher=dues.a_choisir,
        semestres_manquants=dues.semestres_manquants,
        legal=legal,
    )


def phrase_du_choix(client: Client, langue: str = "") -> str:
    """« Le taux stipulé de 5,00 % l'an est inférieur… : il est relevé à ce minimum. » ; vide sans choix."""
    langue = "en" if (langue or client.langue) == "en" else "fr"
    suite = CHOIX.get((langue, client.sous_plancher))
    if suite is None or client.taux_penalites is None:
        return ""
    if langue == "en":
        return (
            f"The agreed rate of {ecriture.pct_en(client.taux_penalites)} p.a. is below three times the French legal "
            f"interest rate (Article L. 441-10, II of the French Commercial Code): {suite}."
        )
    return typographier(
        f"Le taux stipulé de {ecriture.pct(client.taux_penalites)} l'an est inférieur à trois fois le taux de "
        f"l'intérêt légal (article L. 441-10, II du code de commerce) : {suite}."
    )


def sources(d: decompte.Decompte) -> tuple[tuple[str, str], ...]:
    """[(taux, d'où il vient)] des segments, sans répétition, dans l'ordre des jours ; en français, pour l'imprimé."""
    bareme = bareme_en_base()
    with override("fr"):
        vues = {
            (s.du if s.taux != d.client.taux_penalites else date.min, s.taux): decompte.source_du_taux(
                s, ligne, d.client, bareme
            )
            for ligne in d.lignes
            if ligne.calcul
            for s in ligne.calcul.segments
        }
    return tuple(dict.fromkeys((ecriture.pct(taux), source) for (_jour, taux), source in sorted(vues.items())))


def notes(d: decompte.Decompte) -> tuple[str, ...]:
    """Ce que le décompte doit dire de lui-même : renonciations, part contestée, écritures d'après l'arrêté."""
    phrases = {}
    if d.jugement:
        phrases[
            f"Intérêts arrêtés la veille du jugement d'ouverture du {ecriture.jj(d.jugement)} "
            "(article L. 622-28 du code de commerce)."
        ] = None
    if d.a_affecter:
        recu = ecriture.somme(d.reste_a_affecter, d.devise)
        phrases[f"{recu} reçus du débiteur et non affectés à ce jour ne sont pas déduits des factures choisies."] = None
    for ligne in d.lignes:
        facture = ligne.echeance.facture.numero
        if ligne.renonciation:
            quoi = {"penalites": "aux pénalités", "indemnite": "à l'indemnité forfaitaire"}
            portee = quoi.get(ligne.renonciation.portee, "aux pénalités et à l'indemnité forfaitaire")
            jour = ecriture.jj(ligne.renonciation.le)
            phrases[f"Facture {facture} : le créancier a renoncé {portee} le {jour}."] = None
        if ligne.conteste:
            somme = ecriture.somme(ligne.conteste, d.devise)
            phrases[f"Facture {facture} : {somme} contestés ne sont pas repris ici."] = None
        if any(a.code.endswith("_posterieur") for a in ligne.avertissements):
            phrases["Les règlements et avoirs postérieurs à l'arrêté n'y sont pas comptés."] = None
    return tuple(typographier(phrase) for phrase in phrases)
