"""Ce que le journal sait seul : appels, gestes et décisions. Une action neuve y ajoute sa ligne dans `MOTS`."""

from collections.abc import Iterator
from datetime import date

from django.db.models import Q
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy as _l

from clients.models import Client
from recouvrement.commun import formats
from recouvrement.journal.models import Maillon
from relances.services.taches import ISSUES, MOTIFS

from .chronologie import Fait, Source

# Ce que les tables disent mieux que le journal : leur maillon ne se répète pas ici.
DITS_AILLEURS = (
    "client.note", "encaissement.saisi", "encaissement.rejete", "litige.ouvert", "litige.clos", "relance.envoyee",
    "litige.echange", "message.ecrit", "message.recu", "reponse.recue", "declaration.faite",
)  # fmt: skip
# {action: (phrase, signe, ton)} ; ce qui n'y est pas se lit par son propre texte.
MOTS = {
    "client.suspendu": (_l("Relances suspendues"), "player-pause", "att"),
    "client.suspension_levee": (_l("Suspension levée"), "check", "bon"),
    "client.modifie": (_l("Fiche modifiée"), "pencil", ""),
    "client.adresse_en_erreur": (_l("Adresse en erreur"), "alert-triangle", "mal"),
    "client.adresse_retablie": (_l("Adresse rétablie"), "check", "bon"),
    "client.jugement": (_l("Jugement d'ouverture"), "gavel", "mal"),
    "client.jugement_retire": (_l("Jugement retiré"), "gavel", ""),
    "contact.ajoute": (_l("Contact ajouté"), "users", ""),
    "contact.modifie": (_l("Contact modifié"), "users", ""),
    "tache.faite": (_l("Tâche faite"), "check", "bon"),
    "tache.reportee": (_l("Tâche reportée"), "clock", ""),
    "tache.confiee": (_l("Tâche confiée"), "arrows-exchange", ""),
    "tache.rendue": (_l("Tâche rendue"), "arrows-exchange", ""),
    "client.mis_de_cote": (_l("Mis de côté dans la journée"), "clock", ""),
    "client.repris": (_l("Repris dans la journée"), "clock", ""),
    "client.mention": (_l("Collègue prévenu"), "users", ""),
    "encaissement.impute": (_l("Encaissement affecté"), "arrows-exchange", "bon"),
    "encaissement.desimpute": (_l("Affectation défaite"), "arrow-back-up", ""),
    "piece.exclue": (_l("Pièce exclue des relances"), "player-pause", "att"),
    "piece.reintegree": (_l("Pièce réintégrée"), "check", "bon"),
    "echeancier.accepte": (_l("Échéancier accepté"), "calendar", "info"),
    "echeancier.tenu": (_l("Échéancier tenu"), "check", "bon"),
    "echeancier.rompu": (_l("Échéancier rompu"), "x", "mal"),
    "echeancier.annule": (_l("Échéancier annulé"), "ban", ""),
    "echeancier.en_cours": (_l("Échéancier rouvert"), "arrow-back-up", ""),
    "accord.propose": (_l("Accord proposé"), "certificate", "info"),
    "accord.approuve": (_l("Accord approuvé"), "user-check", "info"),
    "accord.signe": (_l("Accord signé"), "certificate", "bon"),
    "accord.execute": (_l("Accord exécuté"), "check", "bon"),
    "accord.rompu": (_l("Accord rompu"), "x", "mal"),
    "accord.caduc": (_l("Accord caduc"), "x", "mal"),
    "accord.refuse": (_l("Accord refusé"), "ban", ""),
    "accord.annule": (_l("Accord annulé"), "ban", ""),
    "accord.mise_en_demeure": (_l("Mensualité mise en demeure par lettre"), "certificate", "att"),
    "accord.penalites_abandonnees": (_l("Pénalités abandonnées, accord tenu"), "check", "bon"),
    "copie.deposee": (_l("Copie de facture déposée"), "paperclip", ""),
    "copie.retiree": (_l("Copie de facture retirée"), "paperclip", ""),
    "levee.demandee": (_l("Levée de frein demandée"), "key", "att"),
    "levee.approuvee": (_l("Levée de frein approuvée"), "user-check", "att"),
    "levee.annulee": (_l("Levée de frein annulée"), "key", ""),
    "decision.tranchee": (_l("Mise en demeure ou abandon : tranché"), "scale", ""),
    "litige.prolonge": (_l("Litige prolongé"), "hand-stop", "att"),
    "litige.reconnu": (_l("Réclamation reconnue"), "scale", "att"),
    "litige.echange": (_l("Échange sur un litige"), "message", ""),
    "litige.rouvert": (_l("Litige rouvert"), "hand-stop", "att"),
    "facture.renvoyee": (_l("Facture renvoyée"), "send", "info"),
    "perte.proposee": (_l("Perte proposée"), "file-text", "att"),
    "perte.acceptee": (_l("Passée en perte"), "file-text", "mal"),
    "perte.refusee": (_l("Perte refusée"), "file-text", ""),
    "perte.retiree": (_l("Proposition de perte retirée"), "arrow-back-up", ""),
    "perte.defaite": (_l("Perte défaite"), "arrow-back-up", ""),
    "avoir.impute": (_l("Avoir affecté"), "arrows-exchange", "bon"),
    "avoir.desimpute": (_l("Affectation défaite"), "arrow-back-up", ""),
    "client.cree": (_l("Fiche créée"), "plus", ""),
    "client.ne_pas_appeler": (_l("Ne pas appeler"), "phone-off", "att"),
    "client.appels_permis": (_l("Appels de nouveau permis"), "phone", "bon"),
    "sms.opposition": (_l("Ne veut plus de SMS"), "message", "att"),
    "sms.opposition_levee": (_l("SMS de nouveau permis"), "message", "bon"),
    "client.nouvelle_adresse": (_l("Nouvelle adresse après retour du courrier"), "map-pin", "bon"),
    "document.ajoute": (_l("Document joint"), "paperclip", ""),
    "document.retire": (_l("Document retiré"), "paperclip", ""),
    "document.remis": (_l("Document remis"), "paperclip", ""),
    "message.annule": (_l("Message annulé avant son départ"), "ban", ""),
    "message.tranche": (_l("Sort d'un message tranché"), "zoom-question", ""),
    "blocage.pose": (_l("Commandes bloquées"), "hand-stop", "att"),
    "blocage.leve": (_l("Commandes débloquées"), "check", "bon"),
    "courrier.valide": (_l("Courrier validé"), "user-check", "bon"),
    "courrier.texte_modifie": (_l("Texte d'un courrier réécrit"), "pencil", ""),
    "courrier.rebond": (_l("Courriel revenu"), "alert-triangle", "mal"),
    "courrier.remis": (_l("Courrier remis à envoyer"), "send", ""),
    "courrier.annule": (_l("Courrier retenu"), "hand-stop", "att"),
    "courrier.demande": (_l("Relance demandée par une personne"), "send", ""),
    "courrier.tranche": (_l("Sort d'un courrier tranché"), "zoom-question", ""),
    "facture.renonciation": (_l("Renonciation aux pénalités ou aux 40 €"), "percentage", ""),
    "facture.renonciation_annulee": (_l("Renonciation annulée"), "percentage", ""),
    "lien.donne": (_l("Lien de la page du client donné"), "link", ""),
    "lien.revoque": (_l("Lien de la page du client révoqué"), "ban", "att"),
}


def maillons(client: Client):
    """Le journal du client, moins ce que disent les tables (toute promesse s'y lit)."""
    tables = Q(action__in=DITS_AILLEURS) | Q(action__startswith="promesse.")
    return Maillon.objects.filter(client_id=client.pk).exclude(tables).select_related("detail", "acteur")


def _appels(client: Client):
    return maillons(client).filter(action="appel.consigne")


def _gestes(client: Client):
    return maillons(client).exclude(action="appel.consigne")


def dire_appels(lus: list[Maillon]) -> Iterator[Fait]:
    issues = {issue.value: libelle for issue, libelle in ISSUES.items()}
    motifs = {motif.value: libelle for motif, libelle in MOTIFS.items()}
    for m in lus:
        donnees = m.detail.donnees
        contact = donnees.get("contact")
        titre = _("Appel, %(contact)s") % {"contact": contact} if contact else _("Appel")
        issue, motif = issues.get(donnees.get("issue")), motifs.get(donnees.get("motif"))
        preuve = [str(m.acteur or ""), _("issue : %(issue)s") % {"issue": _(issue).lower()} if issue else ""]
        if motif:
            preuve.append(_("motif : %(motif)s") % {"motif": _(motif).lower()})
        if donnees.get("suite_le"):
            jour = formats.jour(date.fromisoformat(donnees["suite_le"]))
            preuve.append(_("suite le %(jour)s") % {"jour": jour})
        texte = m.detail.texte
        if texte and not texte.startswith("«"):
            texte = f"« {texte} »"
        yield Fait(m.quand, titre, texte, " · ".join(filter(None, preuve)), "phone", "p2")


def dire_gestes(lus: list[Maillon]) -> Iterator[Fait]:
    for m in lus:
        texte, donnees = m.detail.texte, m.detail.donnees
        titre, signe, ton = MOTS.get(m.action, ("", "history", ""))
        if not titre:  # geste d'un autre écran : son texte se suffit
            titre, texte = texte or m.action, ""
        preuve = [str(m.acteur or _("le passage de la nuit"))]
        if fin := _jour(donnees.get("au") or donnees.get("le")):
            gabarit = _("jusqu'au %(jour)s") if m.action in ("client.suspendu", "piece.exclue") else _("au %(jour)s")
            preuve.append(gabarit % {"jour": formats.jour(fin)})
        yield Fait(m.quand, str(titre), texte, " · ".join(preuve), signe, ton)


def _jour(texte) -> date | None:
    try:
        return date.fromisoformat(texte[:10]) if isinstance(texte, str) else None
    except ValueError:
        return None


SOURCES = (
    Source("appel", "appels", "quand", True, _appels, dire_appels),
    Source("geste", "suivi", "quand", True, _gestes, dire_gestes),
)
