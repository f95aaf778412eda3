"""La poste : dépôt et sa preuve, présentation, retour de l'avis et sa correction (exigence 26)."""

from collections.abc import Iterable
from datetime import date, timedelta

from django.conf import settings
from django.db import IntegrityError, transaction
from django.utils import timezone
from django.utils.translation import gettext as _

from clients.models import Client
from factures.domaine.calendrier import ajouter_jours_ouvres, est_ouvre
from recouvrement.commun import depot, formats
from relances import avis
from relances.domaine import retours, suivis
from relances.domaine.natures import Canal
from relances.domaine.statuts import TransitionInterdite
from relances.models import Courrier, Relance, Tache

from .envoi import constater_relances, mettre_en_erreur
from .etats import Refus, consigner_geste, passer, verrouiller
from .niveaux import recalculer_niveaux
from .receptions import issue_de
from .taches import creer_tache

S = Courrier.Statut
DEPOT_SUIT = 2  # jours ouvrés entre la date d'une lettre et son dépôt ; au-delà, on propose de la refaire
Fichier = tuple[bytes, str]  # (octets, suffixe), reconnu à son contenu


def poster(
    courrier: Courrier,
    *,
    par,
    depose_le: date,
    numero_suivi: str = "",
    au: date | None = None,
    preuve: Fichier | None = None,
    derogation: str = "",
) -> None:
    """Lettre ou recommandé déposé au guichet (exigence 26). au : aujourd'hui ; un dépôt à venir est refusé.

    numero_suivi : vide, celui déjà affecté dans le lot. preuve : scan de la preuve de dépôt, rangé par empreinte.
    derogation : pourquoi un numéro qui n'est ni de La Poste ni S10 (celui d'un prestataire n'en demande pas).
    """
    try:
        with transaction.atomic():
            courrier = verrouiller(courrier)
            if au and depose_le > au:
                raise Refus(_("La date du dépôt est à venir : saisissez celle de la preuve de dépôt."))
            if courrier.arrete_au and depose_le < courrier.arrete_au:
                raise Refus(_("Le dépôt ne peut pas précéder la date imprimée sur la lettre."))
            # La forme d'une référence électronique est au prestataire ; un numéro déjà affecté a été contrôlé.
            admis = courrier.electronique or not numero_suivi or numero_suivi == courrier.numero_suivi
            numero = numero_lu(
                numero_suivi or courrier.numero_suivi, derogation=derogation or ("déjà admis" if admis else "")
            )
            if courrier.canal == Canal.RECOMMANDE and not numero:
                raise Refus(_("Le numéro de suivi du recommandé est nécessaire."))
            if porteur := porteur_du_numero(courrier, numero):
                raise Refus(deja_pris(porteur, par))
            champs = _ranger(preuve, "depot")
            passer(courrier, S.POSTE, depose_le=depose_le, numero_suivi=numero, envoye_le=timezone.now(), **champs)
            constater_relances(courrier, au=depose_le)
            consigner_geste(
                "courrier.poste", courrier, par, f"{courrier.get_canal_display()} déposé",
                numero_suivi=numero, preuve=champs.get("depot_empreinte", ""), derogation=derogation.strip(),
            )  # fmt: skip
    except IntegrityError as erreur:
        raise Refus(_("Ce numéro de suivi est déjà celui d'un autre recommandé.")) from erreur


def depot_propose(au: date, region: str) -> date:
    """Le dernier jour ouvré, aujourd'hui compris : La Poste ne prend rien un dimanche ni un jour férié."""
    return au if est_ouvre(au, region) else ajouter_jours_ouvres(au, -1, region)


def dates_avant(courriers: Iterable[Courrier], *, depose_le: date) -> list[Courrier]:
    """Lettres datées de plus de deux jours ouvrés avant leur dépôt : la date limite imprimée en est raccourcie."""
    return [
        c for c in courriers
        if c.arrete_au and depose_le > ajouter_jours_ouvres(c.arrete_au, DEPOT_SUIT, c.societe.region_feries)
    ]  # fmt: skip


def numero_lu(texte: str, *, derogation: str = "") -> str:
    """Le numéro normalisé, vide s'il n'y en a pas. Lève Refus : trop long, caractère étranger, clé fausse, forme."""
    lu = suivis.lire_poste(texte, derogation=derogation)
    if lu.defaut and lu.defaut is not suivis.Defaut.VIDE:
        raise Refus(_("%(numero)s : %(defaut)s.") % {"numero": lu.numero, "defaut": avis.DEFAUTS[lu.defaut]})
    return lu.numero


def porteur_du_numero(courrier: Courrier, numero: str) -> Courrier | None:
    """L'autre recommandé de la société qui porte déjà ce numéro."""
    autres = Courrier.objects.filter(societe=courrier.societe_id, numero_suivi=numero).exclude(pk=courrier.pk)
    return autres.select_related("client").first() if numero else None


def deja_pris(porteur: Courrier, par) -> str:
    """Nomme le pli qui porte le numéro, sauf s'il est hors du portefeuille de la personne."""
    if par is not None and not Courrier.objects.visibles_pour(par).filter(pk=porteur.pk).exists():
        return _("Ce numéro de suivi est déjà celui d'un autre recommandé de la société.")
    noms = {"client": porteur.client, "reference": porteur.reference}
    return _("Ce numéro de suivi est déjà celui d'un autre recommandé : %(client)s, %(reference)s.") % noms


def _ranger(fichier: Fichier | None, champ: str) -> dict[str, str]:
    if not fichier:
        return {}
    chemin, empreinte = depot.ranger(*fichier)
    return {f"{champ}_chemin": chemin, f"{champ}_empreinte": empreinte}


def joindre(courrier: Courrier, *, champ: str, fichier: Fichier, par) -> None:
    """Joint après coup la preuve de dépôt (« depot ») ou le scan de l'avis (« avis ») ; l'ancien reste au journal."""
    with transaction.atomic():
        courrier = verrouiller(courrier)
        if courrier.depose_le is None:
            raise TransitionInterdite(_("Seul un courrier posté a une preuve de dépôt."))
        ancien = getattr(courrier, f"{champ}_empreinte")
        champs = _ranger(fichier, champ)
        Courrier.objects.filter(pk=courrier.pk).update(**champs, updated_at=timezone.now())
        noms = {"depot": "Preuve de dépôt jointe", "avis": "Scan de l'avis joint"}
        empreintes = {"empreinte": champs[f"{champ}_empreinte"], "remplace": ancien}
        consigner_geste(f"courrier.{champ}_joint", courrier, par, noms[champ], **empreintes)


def consigner_presentation(courrier: Courrier, *, presente_le: date, par, au: date) -> None:
    """Première présentation, lue sur le suivi ; après le retour de l'avis, seulement si elle manque."""
    with transaction.atomic():
        courrier = verrouiller(courrier)
        # Un avis rentré sans elle : on la lit sur le suivi après coup, la réception en dépend.
        if courrier.statut != S.POSTE or (courrier.retour and courrier.presente_le):
            raise TransitionInterdite(_("La présentation est déjà notée : corrigez le retour de l'avis."))
        if courrier.retour_le and presente_le > courrier.retour_le:
            raise Refus(_("La présentation est entre le dépôt et le retour."))
        if presente_le > au:
            raise Refus(_("Cette date est à venir."))
        if courrier.depose_le and presente_le < courrier.depose_le:
            raise Refus(_("La présentation ne peut pas précéder le dépôt."))
        Courrier.objects.filter(pk=courrier.pk).update(presente_le=presente_le, updated_at=timezone.now())
        consigner_geste("courrier.presente", courrier, par, f"Présenté le {formats.jour(presente_le)}")


def _verifier_retour(courrier: Courrier, *, retour: str, retour_le: date, presente_le: date | None, au: date | None):
    """Lève Refus : dates dans le désordre ou à venir, issue qui n'existe pas par cette voie."""
    if courrier.depose_le and retour_le < courrier.depose_le:
        raise Refus(_("Le retour ne peut pas précéder le dépôt."))
    if presente_le and not courrier.depose_le <= presente_le <= retour_le:
        raise Refus(_("La présentation est entre le dépôt et le retour."))
    if au and retour_le > au:
        raise Refus(_("Cette date est à venir."))
    try:
        issue = retours.issue(retour, electronique=courrier.electronique)
    except ValueError as erreur:
        raise Refus(_("Un recommandé électronique est accepté, refusé ou non réclamé.")) from erreur
    if issue is retours.Issue.LRE_NON_RECLAMEE:
        fin = retours.fin_du_delai_lre(presente_le or courrier.depose_le)
        if retour_le <= fin:
            raise Refus(_("Il peut encore l'accepter jusqu'au %(jour)s compris.") % {"jour": formats.jour(fin)})


def _exiger_presentation(courrier: Courrier, retour: str, presente_le: date | None, *, par) -> None:
    """Lève Refus : une personne lit la présentation sur l'avis, et la réception en dépend (droit.md § 17)."""
    if par and not presente_le and not courrier.electronique and retour in retours.PRESENTATION_EXIGEE:
        raise Refus(_("Dites quand il fut présenté : la réception d'un pli refusé ou non réclamé en dépend."))


def consigner_retour(
    courrier: Courrier,
    *,
    par,
    retour: str,
    retour_le: date,
    presente_le: date | None = None,
    scan: Fichier | None = None,
    au: date | None = None,
) -> None:
    """Retour de l'avis : distribué, non réclamé, refusé (valables), ou NPAI (adresse à refaire).

    retour_le : jour de la remise, du refus ou du retour du pli. au : aujourd'hui ; une date à venir est refusée.
    scan : l'avis, rangé par empreinte.
    """
    with transaction.atomic():
        courrier = verrouiller(courrier)
        if courrier.statut != S.POSTE:
            raise TransitionInterdite(_("Seul un courrier posté a un retour d'avis."))
        if courrier.retour:
            raise TransitionInterdite(_("Le retour de cet avis est déjà saisi : corrigez-le sur sa fiche."))
        presente_le = presente_le or courrier.presente_le
        _exiger_presentation(courrier, retour, presente_le, par=par)
        _verifier_retour(courrier, retour=retour, retour_le=retour_le, presente_le=presente_le, au=au)
        _ecrire_retour(courrier, retour, retour_le, presente_le, scan=scan, par=par)
        consigner_geste("courrier.retour", courrier, par, f"Retour d'avis : {Courrier.Retour(retour).label}")


def _ecrire_retour(courrier: Courrier, retour: str, retour_le: date, presente_le: date | None, *, scan, par) -> None:
    """Pose le retour et ouvre sa suite ; l'appelant tient le verrou et a vérifié."""
    champs = {"retour": retour, "retour_le": retour_le, "presente_le": presente_le} | _ranger(scan, "avis")
    Courrier.objects.filter(pk=courrier.pk).update(**champs, updated_at=timezone.now())
    for nom, valeur in champs.items():
        setattr(courrier, nom, valeur)
    if retour == Courrier.Retour.NPAI:
        # La mise en demeure n'a pas été présentée à la bonne adresse : elle est à refaire (droit.md § 6).
        passer(courrier, S.EN_ERREUR, erreur="NPAI : destinataire inconnu à l'adresse")
        mettre_en_erreur(courrier, au=retour_le)
        # Ni lettre ni recommandé à cette adresse tant qu'elle n'est pas corrigée.
        Client.objects.filter(pk=courrier.client_id).update(adresse_invalide_le=retour_le)
    issue = issue_de(courrier)
    if retours.EFFETS[issue].suite:
        adresse = issue is retours.Issue.NPAI
        creer_tache(
            courrier.client,
            genre=Tache.Genre.SANS_ADRESSE if adresse else Tache.Genre.AUTRE,
            titre=str(avis.SUITES[issue]),
            due_le=retour_le if adresse else retour_le + retours.COPIE_LRE,
            cle=f"{'npai' if adresse else 'lre'}:{courrier.pk}",
            raison=f"{courrier} revenu NPAI" if adresse else f"{courrier} : {avis.EFFETS[issue]}"[:250],
        )


def corriger_retour(
    courrier: Courrier, *, par, motif: str, retour: str, retour_le: date, presente_le: date | None = None, scan=None,
    au: date,
) -> None:  # fmt: skip
    """Un retour mal saisi se remplace ; l'ancien et le motif restent au journal, les suites de l'ancien se défont.

    Lève Refus : rien ne change, motif vide, courrier déjà refait ; TransitionInterdite s'il n'a pas de retour.
    """
    if not motif.strip():
        raise Refus(_("Dites pourquoi ce retour se corrige."))
    with transaction.atomic():
        courrier = verrouiller(courrier)
        revenu_npai = courrier.statut == S.EN_ERREUR and courrier.retour == Courrier.Retour.NPAI
        if not courrier.retour or not (courrier.statut == S.POSTE or revenu_npai):
            raise TransitionInterdite(_("Ce courrier n'a pas de retour à corriger."))
        noms = ("retour", "retour_le", "presente_le", "avis_empreinte")
        ancien = {nom: str(getattr(courrier, nom) or "") for nom in noms}
        if not scan and (retour, retour_le, presente_le) == (courrier.retour, courrier.retour_le, courrier.presente_le):
            raise Refus(_("Ce retour est déjà saisi ainsi."))
        _exiger_presentation(courrier, retour, presente_le, par=par)
        _verifier_retour(courrier, retour=retour, retour_le=retour_le, presente_le=presente_le, au=au)
        _defaire_suites(courrier, par=par, motif=motif, au=au)
        _ecrire_retour(courrier, retour, retour_le, presente_le, scan=scan, par=par)
        avant, apres = Courrier.Retour(ancien["retour"]).label, Courrier.Retour(retour).label
        consigner_geste(
            "courrier.retour_corrige", courrier, par, f"Retour d'avis corrigé, {avant} → {apres} : {motif.strip()}",
            ancien=ancien, motif=motif.strip(),
        )  # fmt: skip


def _defaire_suites(courrier: Courrier, *, par, motif: str, au: date) -> None:
    """Ce que l'ancien retour avait ouvert : tâches, et pour un NPAI l'erreur et l'adresse bannie."""
    cles = [f"npai:{courrier.pk}", f"lre:{courrier.pk}"]
    Tache.objects.filter(client=courrier.client_id, cle__in=cles, faite_le=None).update(
        faite_le=timezone.now(), faite_par=par, issue=f"retour corrigé : {motif.strip()}"[:200]
    )
    if courrier.statut != S.EN_ERREUR:
        return
    ids = list(courrier.relances.filter(statut=Relance.Statut.EN_ERREUR).values_list("echeance", flat=True))
    if Relance.objects.filter(
        echeance__in=ids, statut__in=Relance.VIVANTES, nature__gte=courrier.nature
    ).exists():  # fmt: skip
        raise Refus(_("Une relance plus récente porte déjà ce palier : ce retour ne se corrige plus."))
    passer(courrier, S.POSTE, erreur="")
    courrier.relances.filter(statut=Relance.Statut.EN_ERREUR).update(statut=Relance.Statut.ENVOYEE)
    recalculer_niveaux(ids, au=au)
    # L'adresse n'est rendue que si c'est ce retour qui l'avait bannie.
    Client.objects.filter(pk=courrier.client_id, adresse_invalide_le=courrier.retour_le).update(
        adresse_invalide_le=None
    )


def en_retard_depuis(courrier: Courrier) -> date | None:
    """Premier jour où l'avis non rentré se réclame à La Poste ; None si le courrier n'attend pas d'avis."""
    if courrier.statut != S.POSTE or courrier.retour or not courrier.depose_le or courrier.canal != Canal.RECOMMANDE:
        return None
    limite = ajouter_jours_ouvres(courrier.depose_le, settings.RETOUR_AVIS_JOURS, courrier.societe.region_feries)
    return limite + timedelta(days=1)


def reclamer(courrier: Courrier, *, par, au: date) -> bool:
    """Ouvre la tâche « réclamer l'avis à La Poste » ; faux si elle l'est déjà ou si l'avis n'est pas en retard."""
    with transaction.atomic():
        courrier = verrouiller(courrier)
        depuis = en_retard_depuis(courrier)
        cle = f"reclamer:{courrier.pk}"
        if depuis is None or au < depuis or Tache.objects.filter(client=courrier.client_id, cle=cle).exists():
            return False
        numero = suivis.lisible(courrier.numero_suivi)
        creer_tache(
            courrier.client, genre=Tache.Genre.AUTRE, titre=f"Réclamer l'avis {numero} à La Poste", due_le=au, cle=cle,
            raison=f"Déposé le {formats.jour(courrier.depose_le)}, aucun avis rentré",
        )  # fmt: skip
        consigner_geste("courrier.avis_reclame", courrier, par, f"Avis {numero} à réclamer à La Poste")
        return True
