"""Rejoue `la_loi.md` : chaque ligne du tableau est une situation, son étape attendue et son décompte au centime."""

import json
import re
from datetime import date, timedelta
from decimal import Decimal
from io import StringIO
from pathlib import Path
from typing import NamedTuple

import pytest
from django.core.management import CommandError, call_command

from clients.models import Client
from factures.domaine import echeances
from factures.models import Echeance, Facture, Litige
from factures.services import echeanciers, exclusions, prelevements, renonciations
from relances import motifs
from relances.domaine.echelle import Motif
from relances.domaine.natures import Canal, ModePalier, Nature
from relances.models import Courrier, Passage, Relance, VersionEchelle
from relances.services import nuit
from relances.services.plans import installer_plans
from relances.services.preparation import preparer
from tests.clients.factories import ClientFactory, SuspensionFactory
from tests.comptes.factories import SocieteFactory, UtilisateurFactory
from tests.contentieux.factories import CourrierEnvoyeFactory
from tests.factures.factories import (
    AvoirFactory,
    EcheanceFactory,
    EncaissementFactory,
    ImputationFactory,
    LitigeFactory,
    PromesseFactory,
)

pytestmark = pytest.mark.django_db
FICHIER = Path(__file__).with_name("la_loi.md")
JOUR = r"(\d\d/\d\d/\d{4})"
SOMME = r"([\d  ]+,\d\d)"
PALIERS = {motifs.nom_palier(n).lower(): n for n in Nature if n}
CANAUX = {"lettre": Canal.LETTRE, "courriel": Canal.COURRIEL, "recommandé": Canal.RECOMMANDE}


class Situation(NamedTuple):
    """Une ligne du tableau, telle qu'elle est écrite."""

    numero: str
    debiteur: str
    facture: str
    evenements: str
    au: str
    echeance: str
    etape: str
    principal: str
    interets: str
    indemnite: str
    pourquoi: str
    source: str


def situations() -> list[Situation]:
    lignes = (ligne.strip() for ligne in FICHIER.read_text(encoding="utf-8").splitlines())
    return [
        Situation(*(case.strip() for case in ligne.strip("|").split("|")))
        for ligne in lignes
        if re.match(r"\|\s*\d+\s*\|", ligne)
    ]


def jour(texte: str) -> date:
    return date(int(texte[6:]), int(texte[3:5]), int(texte[:2]))


def somme(texte: str) -> Decimal:
    return Decimal(re.sub(r"[  \u00a0\u202f]", "", texte).replace(",", "."))


# --- Le débiteur -------------------------------------------------------------------------------------
def debiteur(texte: str):
    """Client d'une société complète ; les précisions suivent le type, séparées par « ; »."""
    genre, *precisions = (mot.strip() for mot in texte.split(";"))
    societe, client, plan = {}, {"type": genre.replace("à", "a").replace(" ", "_")}, {}
    for mot in precisions:
        if trouve := re.fullmatch(r"taux stipulé (\d+) %", mot):
            client["taux_penalites"] = Decimal(trouve[1])
        elif trouve := re.fullmatch(rf"(seuil par pièce|seuil par envoi|plafond par envoi) {SOMME}", mot):
            champ = trouve[1].replace("pièce", "piece").replace(" par ", "_")
            plan[champ] = somme(trouve[2])
        else:
            cible, valeurs = PRECISIONS[mot]
            (societe if cible == "societe" else client).update(valeurs)
    incomplete = societe.pop("incomplete", False)
    creancier = SocieteFactory(incomplete=incomplete, **societe | ({"alimentee_par_import": False}))
    client.setdefault("siret", "21690123100011" if genre == "administration" else "")
    neuf = ClientFactory(societe=creancier, **client)
    installer_plans(creancier)
    if plan:
        VersionEchelle.objects.filter(echelle__societe=creancier).update(**plan)
    return neuf


PRECISIONS = {
    "une relance amiable au plus": ("societe", {"max_amiables": 1}),
    "société incomplète": ("societe", {"incomplete": True}),
    "ni courriel ni adresse": ("client", {"courriel": "", "adresse": "", "code_postal": "", "ville": ""}),
    "sans courriel": ("client", {"courriel": ""}),
    "principal d'abord": ("client", {"imputation": "principal"}),
    "plancher": ("client", {"sous_plancher": "plancher"}),
    "défaut": ("client", {"sous_plancher": "defaut"}),
    "à choisir": ("client", {"sous_plancher": ""}),
}


# --- Ce qui s'est passé ------------------------------------------------------------------------------
def paie(e, montant, le):
    ImputationFactory(echeance=e, montant=somme(montant), date=jour(le))


def recoit(e, montant, le):
    EncaissementFactory(client=e.client, montant=somme(montant), date=jour(le))


def avoir(e, affecte, montant, le):
    neuf = AvoirFactory(client=e.client, montant=somme(montant), date_emission=jour(le))
    if affecte:
        ImputationFactory(echeance=e, montant=neuf.montant, date=jour(le), avoir=neuf)


def envoie(e, palier, le):
    CourrierEnvoyeFactory([e], nature=PALIERS[palier if palier != "rappel" else "rappel courtois"], le=jour(le))


def demeure(e, le, recue=None, non_reclamee=None, npai=None):
    if npai:
        courrier = CourrierEnvoyeFactory([e], le=jour(le), retour="npai", statut=Courrier.Statut.EN_ERREUR)
        Relance.objects.filter(courrier=courrier).update(statut=Relance.Statut.EN_ERREUR)
        formalisee = e.relances.filter(nature=Nature.FORMALISATION, statut=Relance.Statut.ENVOYEE).get()
        Echeance.objects.filter(pk=e.pk).update(
            niveau=Nature.FORMALISATION, niveau_rang=formalisee.palier.rang, niveau_le=formalisee.decidee_le
        )
        Client.objects.filter(pk=e.client_id).update(adresse_invalide_le=jour(le) + timedelta(days=5))
        return
    recu = jour(recue or non_reclamee) if recue or non_reclamee else jour(le) + timedelta(days=2)
    CourrierEnvoyeFactory(
        [e], le=jour(le), presente_le=recu, retour_le=recu if not non_reclamee else recu + timedelta(days=16),
        retour="non_reclame" if non_reclamee else "distribue",
    )  # fmt: skip


def promet(e, montant, pour, le):
    PromesseFactory(echeances=[e], montant=somme(montant), date_promise=jour(pour), faite_le=jour(le))


def conteste(e, montant, le):
    LitigeFactory(echeance=e, montant_conteste=somme(montant), ouvert_le=jour(le))


def clot(e, le):
    Litige.objects.filter(echeance=e).update(clos_le=jour(le), issue="Accord trouvé")


def suspend(e, du, au):
    SuspensionFactory(client=e.client, du=jour(du), au=jour(au))


def exclut(e, du, au):
    exclusions.exclure(e, motif="Avoir attendu", du=jour(du), au=jour(au), acteur=personne(e))


def etale(e, nombre, montant, dès, le):
    premiere = jour(dès)
    mois = [(premiere.month - 1 + i) for i in range(int(nombre))]
    dates = [premiere.replace(year=premiere.year + m // 12, month=m % 12 + 1) for m in mois]
    echeanciers.accepter(
        e.client, echeances=[e], mensualites=[(d, somme(montant)) for d in dates], accepte_le=jour(le),
        clause_decheance=False, au=jour(le), acteur=personne(e),
    )  # fmt: skip


def preleve(e):
    Echeance.objects.filter(pk=e.pk).update(prelevement=True)


def rejette(e):
    e.refresh_from_db()
    prelevements.rejeter_prelevement(e, motif="Provision insuffisante", acteur=personne(e))


def ouvre_procedure(e, le):
    Client.objects.filter(pk=e.client_id).update(jugement_ouverture_le=jour(le))


def surendette(e):
    Client.objects.filter(pk=e.client_id).update(surendettement=True)


def statut(e, mot, le):
    code = {"refusée": "210", "en litige": "207", "approuvée": "205"}[mot]
    Facture.objects.filter(pk=e.facture_id).update(statut_fe=code, statut_fe_le=jour(le))


def renonce(e, a):
    portee = {"aux pénalités": "penalites", "à l'indemnité": "indemnite", "à tout": "tout"}[a]
    renonciations.renoncer(e.facture, portee=portee, motif="Geste commercial", le=e.date_echeance, acteur=personne(e))


def confie(e):
    Echeance.objects.filter(pk=e.pk).update(en_contentieux=True)


def personne(e):
    return UtilisateurFactory(societe=e.societe, role="responsable")


PHRASES = [
    (rf"paie {SOMME} le {JOUR}", paie),
    (rf"reçoit {SOMME} le {JOUR}", recoit),
    (rf"avoir (affecté )?de {SOMME} le {JOUR}", avoir),
    (rf"(rappel|appel|formalisation) le {JOUR}", envoie),
    (rf"mise en demeure le {JOUR}(?: reçue le {JOUR}| non réclamée, présentée le {JOUR}|( revenue NPAI))?", demeure),
    (rf"promet {SOMME} pour le {JOUR} le {JOUR}", promet),
    (rf"conteste {SOMME} le {JOUR}", conteste),
    (rf"litige clos le {JOUR}", clot),
    (rf"suspendu du {JOUR} au {JOUR}", suspend),
    (rf"pièce exclue du {JOUR} au {JOUR}", exclut),
    (rf"échéancier de (\d+) × {SOMME} dès le {JOUR} accepté le {JOUR}", etale),
    (r"prélèvement en cours", preleve),
    (r"prélèvement rejeté", rejette),
    (rf"jugement d'ouverture le {JOUR}", ouvre_procedure),
    (r"surendettement recevable", surendette),
    (rf"facture (refusée|en litige|approuvée) le {JOUR}", statut),
    (r"renonce (aux pénalités|à l'indemnité|à tout)", renonce),
    (r"dossier contentieux", confie),
]


def rejouer(evenements: str, e: Echeance) -> None:
    for phrase in filter(None, (p.strip() for p in evenements.replace("–", "").split(" ; "))):
        for motif, geste in PHRASES:
            if trouve := re.fullmatch(motif, phrase):
                geste(e, *trouve.groups())
                e.refresh_from_db()
                break
        else:
            raise AssertionError(f"phrase inconnue : « {phrase} »")


# --- Ce que l'application en dit ---------------------------------------------------------------------
def mettre_en_place(s: Situation) -> Echeance:
    client = debiteur(s.debiteur)
    montant, emise, conditions = re.fullmatch(rf"{SOMME} du {JOUR} à (\S+)", s.facture).groups()
    due = echeances.echeance(jour(emise), conditions).echeance
    e = EcheanceFactory(client=client, montant=somme(montant), date_facture=jour(emise), echue_le=due)
    rejouer(s.evenements, e)
    return Echeance.objects.select_related("client", "facture", "societe").get(pk=e.pk)


def etape(e: Echeance, au: date, attendue: str) -> str:
    """L'étape du jour, dans les mots du tableau ; les précisions ne se disent que si la ligne les dit."""
    if e.reste_du == 0:
        return "soldée"
    lots = list(nuit.decider_societe(e.societe, au=au, toutes=True))
    juges = [juge for lot in lots for juge in lot]
    if not juges:
        return "pas échue"
    ((_faits, _plan, resultat),) = juges
    (decision,) = resultat.decisions
    nom = motifs.nom_palier(decision.palier.nature).lower() if decision.palier else ""
    if decision.motif is Motif.ATTENTE:
        return f"attend : {nom} le {decision.prochaine:%d/%m/%Y}"
    if decision.motif is not Motif.RELANCEE:
        return f"rien : {motifs.libelle(decision.motif)}"
    (envoi,) = resultat.envois
    if " par " in attendue:
        nom += " par " + next(mot for mot, canal in CANAUX.items() if canal is envoi.canal)
    if attendue.endswith(" à valider") and envoi.mode is ModePalier.A_VALIDER:
        nom += " à valider"
    if "bloquée" in attendue:
        nom += f" bloquée : {manque(e, au)}"
    return nom


def manque(e: Echeance, au: date) -> str:
    """Le premier manque de la lettre que la nuit aurait préparée."""
    nuit.relancer(e.societe, au=au, passage=nuit.ouvrir_passage(e.societe, au=au, genre=Passage.Genre.REJOUE))
    courrier = Courrier.objects.filter(relances__echeance=e).order_by("-pk").first()
    return next((m.code for m in preparer(courrier, au=au).manques), "rien")


def decompte(e: Echeance, au: date) -> dict:
    sortie = StringIO()
    options = [f"--societe={e.societe.code}", f"--au={au}", "--json"]
    call_command("decompte", e.facture.numero, *options, stdout=sortie)
    return json.loads(sortie.getvalue())


def credits(e: Echeance) -> Decimal:
    """Ce que la situation laisse non affecté : signalé, jamais déduit du décompte d'une facture (exigence 4)."""
    pieces = [*e.client.encaissements.all(), *e.client.avoirs.all()]
    return sum((p.montant - p.impute for p in pieces), Decimal(0))


@pytest.mark.parametrize("s", situations(), ids=lambda s: f"{s.numero}-{s.debiteur.split(' ')[0]}")
def test_situation(s: Situation):
    e = mettre_en_place(s)
    assert e.date_echeance == jour(s.echeance), "échéance"
    assert etape(e, jour(s.au), s.etape) == s.etape
    if s.principal == "–":
        with pytest.raises(CommandError):
            decompte(e, jour(s.au))
        return
    compte = decompte(e, jour(s.au))
    attendu = {"principal": s.principal, "interets": s.interets, "indemnites": s.indemnite}
    assert {nom: Decimal(compte[nom]) for nom in attendu} == {nom: somme(m) for nom, m in attendu.items()}
    assert Decimal(compte["total"]) == sum(map(somme, attendu.values()))
    assert sum(Decimal(c["montant"]) for c in compte["a_affecter"]) == credits(e)


def test_la_table_est_assez_large_et_chaque_ligne_cite_sa_source():
    lues = situations()
    assert len(lues) >= 60
    assert [s.numero for s in lues] == [str(n) for n in range(1, len(lues) + 1)]
    assert not [s.numero for s in lues if not s.source or not s.pourquoi]
