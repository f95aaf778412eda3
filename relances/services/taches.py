"""Ce qu'une personne fait : appeler, reporter, terminer. Chaque geste écrit un maillon."""

from datetime import date, timedelta

from django.core.exceptions import ValidationError
from django.db import transaction
from django.db.models import F, Min
from django.utils import timezone
from django.utils.translation import gettext as _
from django.utils.translation import gettext_noop

from clients.models import Client, Contact
from factures.models import Promesse
from factures.services import evaluer_promesses
from recouvrement.commun import formats
from recouvrement.commun.formats import jour_court, somme
from recouvrement.comptes.models import Societe
from recouvrement.journal.services import consigner, deja_consigne
from relances.domaine.appels import SUITES, Issue, MotifRetard, jour_de_suite
from relances.models import Tache

ISSUES = {
    Issue.PROMESSE: gettext_noop("Promesse"),
    Issue.PAIEMENT_PARTI: gettext_noop("Paiement parti"),
    Issue.NON_RECUE: gettext_noop("Facture non reçue"),
    Issue.EN_VALIDATION: gettext_noop("En validation"),
    Issue.LITIGE: gettext_noop("Litige"),
    Issue.MESSAGE: gettext_noop("Message laissé"),
    Issue.INJOIGNABLE: gettext_noop("Injoignable"),
    Issue.AUTRE: gettext_noop("Autre issue"),
}
MOTIFS = {
    MotifRetard.PERDUE: gettext_noop("Facture perdue"),
    MotifRetard.MAL_CLASSEE: gettext_noop("Facture mal classée"),
    MotifRetard.CIRCUIT_LONG: gettext_noop("Circuit de paiement long"),
    MotifRetard.INSATISFACTION: gettext_noop("Insatisfaction"),
    MotifRetard.DESACCORD: gettext_noop("Désaccord sur le contenu"),
    MotifRetard.OUBLI: gettext_noop("Oubli"),
    MotifRetard.TRESORERIE: gettext_noop("Trésorerie"),
}
TITRES_SUITE = {
    "rappel": gettext_noop("Rappeler"),
    "verifier_paiement": gettext_noop("Vérifier l'arrivée du paiement annoncé"),
    "renvoyer_facture": gettext_noop("Renvoyer la facture : « non reçue »"),
}
# Un appel abouti ou tenté répond à ces tâches-là.
CLOSES_PAR_UN_APPEL = (Tache.Genre.APPEL, Tache.Genre.PROMESSE_ROMPUE)
REPORT_MAX = timedelta(days=90)  # au-delà, la tâche est oubliée plutôt que reportée
RATTRAPAGE = timedelta(days=15)  # promesses conclues dont la tâche aurait manqué
# Un jugement d'ouverture interdit de réclamer : ces tâches n'ont plus d'objet.
CLOSES_PAR_UN_JUGEMENT = (*CLOSES_PAR_UN_APPEL, Tache.Genre.DECISION, Tache.Genre.CONTENTIEUX)


def _terminer(taches, *, issue: str, acteur) -> int:
    return taches.filter(faite_le=None).update(faite_le=timezone.now(), faite_par=acteur, issue=issue[:200])


@transaction.atomic
def creer_tache(client: Client, *, genre: str, titre: str, due_le: date, cle: str, raison: str = "") -> Tache:
    """Ouvre la tâche, ou avance celle de même clé : une seule reste ouverte par client et par clé.

    Une créance à déclarer l'est au plus tard le jour `due_le` : aucun report ne le dépassera.
    """
    butoir = due_le if genre == Tache.Genre.DECLARER else None
    Client.objects.select_for_update(no_key=True, of=("self",)).get(pk=client.pk)
    ouverte = Tache.objects.filter(client=client, cle=cle, faite_le=None).first()
    if ouverte:
        ouverte.titre, ouverte.raison, ouverte.due_le, ouverte.butoir = titre, raison[:250], due_le, butoir
        ouverte.save(update_fields=["titre", "raison", "due_le", "butoir", "updated_at"])
        return ouverte
    return Tache.objects.create(
        societe_id=client.societe_id,
        client=client,
        genre=genre,
        titre=titre,
        raison=raison[:250],
        due_le=due_le,
        butoir=butoir,
        cle=cle,
    )


@transaction.atomic
def terminer_tache(tache: Tache, *, issue: str, acteur) -> bool:
    """Faux si elle était déjà faite (double clic, autre onglet)."""
    if not _terminer(Tache.objects.filter(pk=tache.pk), issue=issue, acteur=acteur):
        return False
    consigner(
        "tache.faite",
        societe=tache.societe,
        acteur=acteur,
        objet=tache,
        client=tache.client_id,
        texte=f"{tache.titre} : {issue}" if issue else tache.titre,
    )
    return True


@transaction.atomic
def reporter_tache(tache: Tache, *, au: date, motif: str, acteur, le: date) -> bool:
    """Repousse une tâche ouverte au jour `au`, avec sa raison. Faux si elle est déjà faite.

    `le` : jour du geste. Lève ValidationError : jour passé, à plus de 90 jours, après la date butoir, motif vide.
    """
    if au <= le:
        raise ValidationError({"au": _("Reportez à un jour à venir.")})
    if tache.butoir and au > tache.butoir:
        raise ValidationError(
            {
                "au": _("La créance se déclare au plus tard le %(jour)s : ce délai ne se reporte pas.")
                % {"jour": formats.jour(tache.butoir)}
            }
        )
    if au > le + REPORT_MAX:
        raise ValidationError({"au": _("Un report dure 90 jours au plus.")})
    if not motif.strip():
        raise ValidationError({"motif": _("Dites pourquoi cela peut attendre.")})
    if not Tache.objects.filter(pk=tache.pk, faite_le=None).update(due_le=au, raison=motif.strip()[:250]):
        return False
    consigner(
        "tache.reportee",
        societe=tache.societe,
        acteur=acteur,
        objet=tache,
        client=tache.client_id,
        texte=f"{tache.titre} : {motif.strip()}",
        donnees={"du": tache.due_le, "au": au},
    )
    return True


@transaction.atomic
def consigner_appel(
    client: Client,
    *,
    issue: Issue,
    au: date,
    acteur,
    contact: Contact | None = None,
    commentaire: str = "",
    motif: str = "",
    suite_le: date | None = None,
    cle: str = "",
    renvoyee: bool = False,
) -> int:
    """Clôt les tâches d'appel du client et ouvre la suite que veut l'issue (exigence 30).

    suite_le : jour choisi par la personne, sinon celui de la règle. La promesse, le litige et le renvoi eux-mêmes
    s'enregistrent par leurs services, dans la même transaction. renvoyee : la facture l'a été, sans tâche. cle : celle
    du formulaire ; la rejouer (double clic) n'écrit rien. Renvoie le nombre de tâches closes.
    """
    issue = Issue(issue)
    if issue is Issue.AUTRE and not commentaire.strip():
        raise ValidationError({"commentaire": _("Dites en une phrase ce qui ressort de l'appel.")})
    if suite_le and suite_le < au:
        raise ValidationError({"suite_le": _("La suite ne peut pas être dans le passé.")})
    Client.objects.select_for_update(no_key=True, of=("self",)).get(pk=client.pk)
    if deja_consigne("appel.consigne", client=client, cle=cle):
        return 0
    libelle = _(ISSUES[issue])
    closes = _terminer(Tache.objects.filter(client=client, genre__in=CLOSES_PAR_UN_APPEL), issue=libelle, acteur=acteur)
    jour = suite_le or (None if renvoyee else jour_de_suite(issue, au=au, region=client.societe.region_feries))
    if jour:
        suite = "rappel" if renvoyee else SUITES[issue].cle or "rappel"
        creer_tache(
            client,
            genre=Tache.Genre.APPEL if suite == "rappel" else Tache.Genre.AUTRE,
            titre=_(TITRES_SUITE[suite]),
            due_le=jour,
            cle=suite,
            raison=_("appel du %(jour)s : %(issue)s") % {"jour": f"{au:%d/%m}", "issue": libelle.lower()},
        )
    consigner(
        "appel.consigne",
        societe=client.societe,
        acteur=acteur,
        objet=client,
        client=client,
        texte=commentaire.strip(),
        donnees={
            "issue": issue.value,
            "contact": contact.nom if contact else "",
            "motif": motif,
            "suite_le": jour,
            "taches": closes,
            **({"cle": cle} if cle else {}),
        },
    )
    return closes


def conclure_promesses(societe: Societe, *, au: date) -> list[Promesse]:
    """Juge les promesses du jour ; rompue ou partielle, elle laisse une tâche (exigence 31).

    Une panne entre les deux ne perd rien : la nuit suivante rattrape les promesses conclues sans tâche. Procédure
    collective ou surendettement : on ne rappelle pas pour réclamer (C. com., L622-21 ; C. consom., L722-5).
    """
    conclues = evaluer_promesses(societe, au=au)
    manquees = list(
        Promesse.objects.filter(
            client__societe=societe,
            client__jugement_ouverture_le=None,
            client__surendettement=False,
            statut__in=(Promesse.Statut.ROMPUE, Promesse.Statut.PARTIELLE),
            conclue_le__gt=au - RATTRAPAGE,
            echeances__impute__lt=F("echeances__montant"),
        )
        .select_related("client")
        .annotate(devise=Min("echeances__devise"))
    )
    cles = {p.pk: f"promesse:{p.pk}" for p in manquees}
    connues = Tache.objects.filter(client__in={p.client_id for p in manquees}, cle__in=cles.values())
    deja = set(connues.values_list("cle", flat=True))
    for p in manquees:
        if cles[p.pk] in deja:
            continue
        titre = _("Rappeler : promesse de %(montant)s rompue")
        if p.statut == Promesse.Statut.PARTIELLE:
            titre = _("Rappeler : promesse de %(montant)s tenue en partie")
        creer_tache(
            p.client,
            genre=Tache.Genre.PROMESSE_ROMPUE,
            titre=titre % {"montant": somme(p.montant, p.devise)},
            due_le=au,
            cle=cles[p.pk],
            raison=_("attendue le %(jour)s, constatée le %(constat)s")
            % {"jour": jour_court(p.date_promise), "constat": jour_court(p.conclue_le)},
        )
    return conclues


@transaction.atomic
def clore_pour_jugement(client: Client, *, acteur) -> int:
    """Tâches qui réclameraient à un client en procédure collective : closes, avec leur raison."""
    return _terminer(
        Tache.objects.filter(client=client, genre__in=CLOSES_PAR_UN_JUGEMENT),
        issue=_("jugement d'ouverture : plus rien ne se réclame"),
        acteur=acteur,
    )


def prevenir_du_rejet(encaissement, *, motif: str, frais, au: date) -> Tache:
    """Appeler le client dont la banque vient de reprendre le paiement ; les frais de rejet sont dits, pas réclamés."""
    raison = _("Rejeté le %(jour)s : %(motif)s. Ses factures sont de nouveau dues.") % {
        "jour": formats.jour(encaissement.rejete_le), "motif": motif[:100],
    }  # fmt: skip
    if frais:
        raison += " " + _("La banque a retenu %(frais)s de frais.") % {"frais": somme(frais, encaissement.devise)}
    genre = Tache.Genre.AUTRE if encaissement.client.ne_pas_appeler_le else Tache.Genre.APPEL
    return creer_tache(
        encaissement.client, genre=genre, due_le=au, cle=f"rejet-{encaissement.pk}", raison=raison,
        titre=_("Paiement rejeté : %(montant)s") % {"montant": somme(encaissement.montant, encaissement.devise)},
    )  # fmt: skip
