"""Ce qu'une personne fait d'un courrier. Chaque geste vérifie l'état attendu et écrit un maillon."""

from collections.abc import Iterable
from dataclasses import replace
from datetime import date

from django.core.exceptions import ValidationError
from django.db import IntegrityError, transaction
from django.db.models import Max
from django.utils import timezone
from django.utils.translation import gettext as _

from clients.models import Client, Suspension
from clients.services import suspendre
from recouvrement.commun import depot
from recouvrement.commun.formats import somme
from recouvrement.comptes.models import Societe
from relances import motifs
from relances.domaine import echelle
from relances.domaine.echelle import ClientFaits, EcheanceFaits, Plan
from relances.domaine.natures import ModePalier, Nature
from relances.domaine.statuts import TransitionInterdite
from relances.models import Courrier, Passage, Relance, Tache
from relances.rendu import lettres

from .avertissements import verifier_demeure
from .envoi import bannir_adresse, constater_envoi, mettre_en_erreur
from .etats import Refus
from .etats import consigner_geste as _consigner
from .etats import passer as _passer
from .etats import verrouiller as _verrouiller
from .faits import faits_par_client, ouvreur, reglages
from .niveaux import recalculer_niveaux
from .nuit import enregistrer
from .plans import plans_publies
from .postes import consigner_retour, poster
from .preparation import preparer
from .relecture import relire, retirer

__all__ = ["Refus", "consigner_retour", "poster"]  # réexportés ; le reste se nomme ici
S = Courrier.Statut


def valider(courrier: Courrier, *, par, au: date, au_dela_du_plafond: bool = False) -> None:
    """Une personne valide : le courrier rejoint « à envoyer ». Contrôle juridique d'abord (exigence 25).

    Lève Refus avec la liste des manques, ou si le plafond demande un responsable ; TransitionInterdite si
    le courrier n'attend plus.
    """
    with transaction.atomic():
        courrier = _verrouiller(courrier)
        plafond = courrier.palier.version.plafond_envoi
        if plafond is not None and courrier.total > plafond and not au_dela_du_plafond:
            raise Refus(_("Ce courrier dépasse le plafond du plan : un responsable doit le valider."))
        if refus := _relire_avant_de_valider(courrier, au=au, par=par):
            preparation = None
        else:
            preparation = preparer(courrier, au=au)
        if preparation is None:
            manques = []
        elif preparation.manques:
            Courrier.objects.filter(pk=courrier.pk).update(
                manques=[
                    {"code": m.code, "phrase": m.phrase, "ou_corriger": m.ou_corriger} for m in preparation.manques
                ]
            )
            manques = preparation.manques
        else:
            manques = []
            _passer(courrier, S.A_ENVOYER, valide_par=par, valide_le=timezone.now(), manques=[])
            _consigner(
                "courrier.valide",
                courrier,
                par,
                f"{courrier.get_nature_display()} validée, {somme(courrier.total, courrier.devise)}",
            )
    if refus or manques:
        raise Refus(refus or " ; ".join(m.phrase for m in manques))


def _relire_avant_de_valider(courrier: Courrier, *, au: date, par) -> str:
    """Ce qui sort du courrier se dit, et une personne le relit avant de valider ; vide : rien n'a bougé."""
    lue = relire(courrier, au=au)
    if not lue.garde:
        _passer(courrier, S.ANNULE, erreur=lue.raison[:400])
        _consigner("courrier.annule", courrier, par, f"Annulé à la validation : {lue.raison}")
        return _("Ce courrier n'a plus lieu d'être, il est annulé : %s.") % lue.raison
    if lue.sorties:
        return _("%(n)s pièce(s) en sortent (%(raison)s) : relisez-le avant de valider.") % {
            "n": lue.sorties,
            "raison": lue.raison,
        }
    return ""


def modifier_texte(courrier: Courrier, *, objet: str, texte: str, par, au: date) -> None:
    """Texte d'un courriel réécrit avant envoi, gardé tel quel (exigence 29). Les montants restent contrôlés."""
    with transaction.atomic():
        courrier = _verrouiller(courrier)
        if courrier.statut not in (S.A_VALIDER, S.A_ENVOYER):
            raise TransitionInterdite(_("Ce courrier est déjà parti : son texte ne se modifie plus."))
        Courrier.objects.filter(pk=courrier.pk).update(
            objet=objet[:250], texte=texte, texte_modifie=True, updated_at=timezone.now()
        )
        _consigner("courrier.texte_modifie", courrier, par, "Texte du courriel modifié avant envoi", objet=objet[:250])


def annuler(courrier: Courrier, *, par, motif: str, au: date) -> None:
    """Ne partira pas : les niveaux redescendent, le motif reste."""
    if not motif.strip():
        raise Refus(_("Un motif est nécessaire pour retenir un courrier."))
    with transaction.atomic():
        courrier = _verrouiller(courrier)
        _passer(courrier, S.ANNULE, erreur=motif[:400])
        retirer(list(courrier.relances.filter(statut__in=Relance.VIVANTES)), motif, au=au)
        Tache.objects.filter(courrier=courrier, faite_le=None).update(
            faite_le=timezone.now(), faite_par=par, issue=motif[:200]
        )
        _consigner("courrier.annule", courrier, par, f"Courrier retenu : {motif}")


def retenir(courrier: Courrier, *, par, motif: str, jusqu_au: date, au: date) -> Suspension:
    """Ne partira pas, et le client se tait du jour `au` au jour `jusqu_au` compris.

    Annuler seul ne tiendrait qu'une nuit : le passage suivant referait le même courrier.
    """
    try:
        with transaction.atomic():
            annuler(courrier, par=par, motif=motif, au=au)
            return suspendre(courrier.client, motif=motif, du=au, au=jusqu_au, acteur=par)
    except ValidationError as refus:
        raise Refus(" ".join(refus.messages)) from refus


def trancher_incertain(courrier: Courrier, *, par, parti: bool, au: date) -> None:
    """Sort inconnu : la personne a vérifié auprès du fournisseur."""
    with transaction.atomic():
        courrier = _verrouiller(courrier)
        if courrier.statut != S.INCERTAIN:
            raise TransitionInterdite(_("Ce courrier n'est plus incertain."))
        if parti:
            constater_envoi(courrier, au=au, reponse="constaté par une personne", message_id=courrier.message_id)
        else:
            _passer(courrier, S.A_ENVOYER, erreur="", message_id="")
        _consigner("courrier.tranche", courrier, par, "Envoi constaté" if parti else "Non parti : remis à envoyer")


def remettre_a_envoyer(courrier: Courrier, *, par, au: date) -> None:
    """Après correction d'une erreur. Lève Refus si un autre courrier porte déjà le palier."""
    try:
        with transaction.atomic():
            courrier = _verrouiller(courrier)
            relances = courrier.relances.filter(statut=Relance.Statut.EN_ERREUR)
            ids = list(relances.values_list("echeance", flat=True))
            vivantes = Relance.objects.filter(echeance__in=ids, statut__in=Relance.VIVANTES)
            if vivantes.filter(nature__gte=courrier.nature).exists():
                raise Refus(_("Une relance plus récente porte déjà ce palier : ce courrier ne peut plus partir."))
            preuves = (
                "pdf_chemin", "pdf_empreinte", "numero_suivi", "depose_le", "depot_chemin", "depot_empreinte",
                "presente_le", "retour", "retour_le", "avis_chemin", "avis_empreinte", "envoye_le",
            )  # fmt: skip
            ancien = {nom: str(getattr(courrier, nom) or "") for nom in preuves}
            _passer(
                courrier, S.A_ENVOYER, erreur="", message_id="", reponse="", numero_suivi="", depose_le=None,
                presente_le=None, retour="", retour_le=None, envoye_le=None, pdf_chemin="", pdf_empreinte="",
                depot_chemin="", depot_empreinte="", avis_chemin="", avis_empreinte="",
            )  # fmt: skip
            relances.update(statut=Relance.Statut.DECIDEE)
            recalculer_niveaux(ids, au=au)
            # Le premier envoi reste prouvé : son PDF et son recommandé sont au journal (exigence 27).
            _consigner("courrier.remis", courrier, par, "Remis à envoyer après correction", **ancien)
    except IntegrityError as erreur:
        raise Refus(_("Une relance plus récente porte déjà ce palier : ce courrier ne peut plus partir.")) from erreur


def constater_rebond(courrier: Courrier, *, motif: str, au: date, par=None, bannir: bool = True) -> None:
    """Un rebond met l'envoi en erreur, rend le niveau et bannit l'adresse (exigence 22).

    bannir=False : rejet passager, le message est perdu mais l'adresse peut resservir.
    """
    with transaction.atomic():
        Client.objects.select_for_update(no_key=True, of=("self",)).get(pk=courrier.client_id)  # avant le journal
        courrier = _verrouiller(courrier)
        _passer(courrier, S.EN_ERREUR, erreur=f"rebond : {motif}"[:400])
        mettre_en_erreur(courrier, au=au)
        if bannir:
            bannir_adresse(courrier, motif=f"rebond : {motif}", au=au, par=par)
        _consigner("courrier.rebond", courrier, par, f"Rebond : {motif}")


def proposer_maintenant(
    client: Client,
    *,
    au: date,
    derogation: str = "",
    formaliser: bool = False,
    pieces: Iterable[int] | None = None,
    unique: Nature | None = None,
) -> list[tuple]:
    """(faits, plan, résultat) du prochain palier des pièces échues, sans attendre son jour ; n'écrit rien.

    derogation : motif d'une mise en demeure tout de suite, même sans formalisation (exigences 10 et 11). pieces :
    celles-là seulement ; la dérogation ne vaut que pour elles, et chacune le porte. Une pièce déjà mise en demeure
    l'est de nouveau si on la nomme, ou si aucune autre ne peut l'être (recommandé refusé, échéancier rompu).

    formaliser : la formalisation qui manque à une mise en demeure, et elle seule. unique : ce palier-là, quel que soit
    le niveau atteint (`etapes_uniques`).

    Les freins restent (litige, promesse, suspension, procédure…) sauf le calendrier et le délai entre
    contacts, que la personne choisit de ne pas attendre. Lève Refus avec les raisons si rien ne peut partir, ou si
    une mise en demeure est proposée avant la fin du délai qu'une lettre laisse au client.
    """
    societe = client.societe
    plans, regles = plans_publies(societe), replace(reglages(societe), derogation=bool(derogation))
    motif = f"mise en demeure sans attendre : {derogation}" if derogation else "demandé par une personne"
    nature = Nature.MISE_EN_DEMEURE if derogation else Nature.FORMALISATION if formaliser else unique
    choisies = None if pieces is None else set(pieces)
    resultats = []
    for lot in faits_par_client(societe, plans, au=au, ouvre=ouvreur(societe), clients=[client.pk], toutes=True):
        for faits in lot:
            plan = _sans_attente(plans.pour(faits.id, faits.type), nature=nature)
            faits = replace(faits, dernier_contact=None)
            if derogation:  # deux versions d'un plan font deux lettres : aucune n'attend l'autre
                faits = replace(faits, delai_entre_contacts=0)
            if choisies is not None:
                faits = replace(faits, echeances=tuple(e for e in faits.echeances if e.id in choisies))
            if formaliser:
                faits = _a_formaliser(faits)
            if unique:
                avant = (e._replace(nature=Nature.AUCUNE, rang=0, version=None) for e in faits.echeances)
                faits = replace(faits, echeances=tuple(avant))
            resultat = echelle.decider(faits, plan, au=au, reglages=regles, ouvre=lambda j: j)
            if derogation and (choisies is not None or not resultat.envois):
                faits = _a_refaire(faits)
                resultat = echelle.decider(faits, plan, au=au, reglages=regles, ouvre=lambda j: j)
            resultats.append((faits, plan, _a_valider(resultat, motif), resultat.decisions))
    if not any(r.envois for _f, _p, r, _d in resultats):
        raisons = {motifs.phrase(d) for _f, _p, _r, decisions in resultats for d in decisions}
        raise Refus(_("Rien ne peut partir : %s.") % (" ; ".join(sorted(raisons)) or _("aucune pièce échue")))
    envois = (v for _f, _p, r, _d in resultats for v in r.envois)
    demeures = [d.echeance.id for v in envois if v.palier.nature is Nature.MISE_EN_DEMEURE for d in v.decisions]
    if demeures:
        verifier_demeure(client, demeures, au=au)
    return [(f, p, r) for f, p, r, _d in resultats]


def _a_refaire(faits: ClientFaits) -> ClientFaits:
    """Les pièces déjà mises en demeure, jugées comme si elles ne l'étaient pas encore."""

    def avant(e: EcheanceFaits) -> EcheanceFaits:
        return e._replace(nature=Nature.FORMALISATION, rang=0, version=None) if e.nature > Nature.FORMALISATION else e

    return replace(faits, echeances=tuple(avant(e) for e in faits.echeances))


def _a_formaliser(faits: ClientFaits) -> ClientFaits:
    """Les pièces qu'une mise en demeure attend sans formalisation partie, jugées d'avant elle ; elles seules."""
    manque = (e for e in faits.echeances if e.nature < Nature.FORMALISATION or e.formalisation_manquante)
    avant = (e._replace(nature=min(e.nature, Nature.APPEL), rang=0, version=None) for e in manque)
    return replace(faits, echeances=tuple(avant))


def _remplacer(resultats: list[tuple]) -> tuple[list[int], list[str]]:
    """Les mises en demeure parties que celles-ci refont cèdent leur palier.

    Rend les échéances qui l'avaient dépassé, et les références des courriers remplacés.
    """
    demeures = [
        d.echeance.id
        for _f, _p, r in resultats
        for v in r.envois
        if v.palier.nature is Nature.MISE_EN_DEMEURE
        for d in v.decisions
    ]
    anciennes = Relance.objects.filter(
        echeance__in=demeures, nature=Nature.MISE_EN_DEMEURE, statut=Relance.Statut.ENVOYEE
    )
    references = sorted(set(anciennes.values_list("courrier__reference", flat=True)))
    au_dela = list(anciennes.filter(echeance__niveau__gt=Nature.MISE_EN_DEMEURE).values_list("echeance", flat=True))
    anciennes.update(statut=Relance.Statut.REMPLACEE)
    return au_dela, references


def relancer_maintenant(
    client: Client,
    *,
    par,
    au: date,
    derogation: str = "",
    formaliser: bool = False,
    pieces: Iterable[int] | None = None,
) -> list[Courrier]:
    """Prépare ce que `proposer_maintenant` propose ; à relire et valider par la personne."""
    with transaction.atomic():
        Client.objects.select_for_update(no_key=True).get(pk=client.pk)
        resultats = proposer_maintenant(client, au=au, derogation=derogation, formaliser=formaliser, pieces=pieces)
        passage = _passage_manuel(client.societe, au=au, par=par)
        au_dela, references = _remplacer(resultats)
        cles = enregistrer(passage, resultats, societe=client.societe)
        recalculer_niveaux(au_dela, au=au)  # le niveau ne redescend pas (exigence 8)
        if derogation:
            Courrier.objects.filter(pk__in=cles).update(derogation=derogation[:250])
        courriers = list(Courrier.objects.filter(pk__in=cles).select_related("societe").order_by("pk"))
        for courrier in courriers:
            texte = f"{courrier.get_nature_display()} demandée sans attendre"
            if derogation:
                texte = f"{texte} : {derogation}"
            _consigner("courrier.demande", courrier, par, texte, remplace=references)
    return courriers


def _sans_attente(plan: Plan | None, *, nature: Nature | None = None) -> Plan | None:
    """Le même plan, chaque palier dû dès le lendemain de l'échéance. nature : ce palier seulement.

    Lève Refus si le plan n'a pas ce palier (une administration ne se met pas en demeure ainsi).
    """
    if plan is None:
        return None

    def avancer(version: Plan) -> Plan:
        gardes = (p for p in version.paliers if not nature or p.nature is nature)
        return replace(version, paliers=tuple(replace(p, delai=min(p.delai, 0) - 3650) for p in gardes), anciens={})

    avance = avancer(plan)
    if not avance.paliers:
        if nature is Nature.FORMALISATION:
            raise Refus(_("Le plan de ce client n'a pas de formalisation : mettez en demeure, avec un motif."))
        raise Refus(_("Le plan de ce client n'a pas de mise en demeure."))
    return replace(avance, anciens={version: avancer(ancien) for version, ancien in plan.anciens.items()})


def _a_valider(resultat, motif: str):
    envois = [
        v if v.mode is ModePalier.TACHE else v._replace(mode=ModePalier.A_VALIDER, motif=motif[:250])
        for v in resultat.envois
    ]
    return resultat._replace(envois=envois, decisions=[d for v in envois for d in v.decisions])


def _passage_manuel(societe: Societe, *, au: date, par) -> Passage:
    Societe.objects.select_for_update(no_key=True).get(pk=societe.pk)
    numero = (Passage.objects.filter(societe=societe).aggregate(n=Max("numero"))["n"] or 0) + 1
    return Passage.objects.create(
        societe=societe, au=au, numero=numero, genre=Passage.Genre.MANUEL, statut=Passage.Statut.TERMINE,
        clos_le=timezone.now(), auteur=par,
    )  # fmt: skip


def apercu_pdf(courrier: Courrier, *, au: date) -> tuple[bytes, bool]:
    """(PDF, conservé ?) : celui qui est parti, sinon celui qui partirait aujourd'hui.

    Lève Refus si rien n'est parti et que rien ne partira : une lettre de zéro facture n'en est pas une.
    """
    if courrier.pdf_chemin and courrier.statut not in (S.A_VALIDER, S.A_ENVOYER):
        return depot.lire(courrier.pdf_chemin, courrier.pdf_empreinte), True
    if courrier.statut not in (S.A_VALIDER, S.A_ENVOYER, S.EN_COURS):
        raise Refus(_("Aucune lettre n'a été produite pour ce courrier."))
    return lettres.rendre_pdf(preparer(courrier, au=au).lettre), False
