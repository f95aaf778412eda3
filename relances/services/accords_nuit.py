"""Chaque nuit : ce que deviennent les accords, et la mensualité manquée qui se relance comme telle (exigence 32).

Rejouable. Une mise en demeure limitée à la mensualité précède la déchéance du terme, huit jours au moins
(C. civ., art. 1305-4 ; 1re civ., 22/06/2017). Sans clause, on ne réclame que l'échu.
"""

from datetime import date
from decimal import Decimal

from django.core.exceptions import ValidationError
from django.db import transaction
from django.db.models import F
from django.utils import timezone
from django.utils.translation import gettext as _

from clients.models import TypeDebiteur
from factures.domaine.accords import ABANDON, SOMMATION_JOURS
from factures.domaine.calendrier import date_limite
from factures.domaine.mensualites import Etat, Suivi
from factures.models import Accord, Echeancier, Litige, NatureAvoir, Penalites, Renonciation
from factures.services import accords_effets, echeanciers
from recouvrement.commun.formats import jour, somme
from recouvrement.comptes.models import Societe
from relances.models import Message, Tache
from relances.rendu.filtres import Somme

from .accords_etats import cle_de_tache, noter, passer, relire, verrouiller_le_client
from .messages import ecrire
from .preparation import destinataire_courriel
from .retenues_reponses import fin_de_retenue
from .taches import creer_tache, terminer_tache

ZERO = Decimal("0.00")
S, E = Accord.Statut, Echeancier.Statut
SUIT = {E.TENU: S.EXECUTE, E.ROMPU: S.ROMPU, E.ANNULE: S.ANNULE}


def conclure_accords(societe: Societe, *, au: date, envoyer: bool = True) -> list[Accord]:
    """Conclut les accords de la société qui peuvent l'être au jour `au` ; renvoie ceux qui changent.

    À appeler après les promesses et les échéanciers, avant que la nuit décide. envoyer : faux pour un passage
    rejoué, qui n'écrit pas aux débiteurs. Requêtes en nombre fixe, plus l'écriture de chaque accord conclu.
    """
    changes = _perimes(societe, au) + _echeanciers(societe, au) + _abandons_repris(societe, au) + _abandons(societe, au)
    if envoyer:
        relancer_les_mensualites(societe, au=au)
    return changes


def _perimes(societe: Societe, au: date) -> list[Accord]:
    """Jamais signés à leur date : sans effet, la dette n'a pas changé."""
    passes = Accord.objects.filter(client__societe=societe, statut__in=(S.A_APPROUVER, S.PROPOSE), expire_le__lt=au)
    return [
        x
        for x in passes.select_related("client__societe")
        if passer(
            x, S.CADUC, de=(S.A_APPROUVER, S.PROPOSE), acteur=None, au=au,
            motif=_("non signé avant le %(jour)s") % {"jour": jour(x.expire_le)},
        )
    ]  # fmt: skip


def _echeanciers(societe: Societe, au: date) -> list[Accord]:
    """L'accord suit son échéancier : tenu, rompu, annulé, ou de nouveau en cours quand un paiement est repris."""
    changes = []
    suivis = Accord.objects.filter(client__societe=societe).select_related("client__societe", "echeancier")
    finis = suivis.filter(statut__in=(S.SIGNE, S.ROMPU), echeancier__statut__in=list(SUIT)).exclude(
        statut=S.ROMPU, echeancier__statut=E.ROMPU
    )
    for x in finis:
        with transaction.atomic():
            verrouiller_le_client(x.client_id)  # avant le journal : la suite ouvre peut-être une tâche
            statut = SUIT[x.echeancier.statut]
            if passer(x, statut, de=(S.SIGNE, S.ROMPU), acteur=None, au=au, motif=x.echeancier.motif):
                if statut == S.EXECUTE:
                    _abandonner_les_penalites(x, au)
                changes.append(x)
    for x in suivis.filter(statut=S.EXECUTE, echeancier__statut=E.EN_COURS):
        with transaction.atomic():
            if passer(x, S.SIGNE, de=(S.EXECUTE,), acteur=None, au=None, motif=_("un paiement a été repris")):
                accords_effets.reprendre_les_penalites(x)
                changes.append(x)
    return changes


def _abandonner_les_penalites(x: Accord, au: date) -> None:
    """La renonciation promise par l'accord tenu ; sans personne pour la porter, une tâche la demande."""
    if x.penalites != Penalites.ABANDONNEES:
        return
    particulier = x.client.type == TypeDebiteur.PARTICULIER
    portee = Renonciation.Portee.PENALITES
    if x.genre in ABANDON and not particulier:
        portee = Renonciation.Portee.TOUT
    auteur = x.approuve_par or x.auteur
    if auteur is None:
        creer_tache(
            x.client, genre=Tache.Genre.ACCORD, due_le=au, cle=cle_de_tache(x, "penalites"),
            titre=_("Renoncer aux pénalités : accord %(accord)s tenu") % {"accord": x.reference},
            raison=_("l'accord signé les abandonne ; la renonciation se note sur chaque facture"),
        )  # fmt: skip
        return
    motif = _("accord %(accord)s tenu") % {"accord": x.reference}
    if n := accords_effets.abandonner_les_penalites(x, portee=portee, motif=motif, le=au, auteur=auteur):
        noter(x, "penalites_abandonnees", acteur=None, texte=motif, factures=n, portee=portee)


def _abandons_repris(societe: Societe, au: date) -> list[Accord]:
    """Remise exécutée dont le paiement est repris (chèque impayé) : l'avoir et la renonciation tombent avec lui.

    C. civ., art. 1350 : l'abandon ne valait que payé. De nouveau signé, il est jugé le soir même à sa date.
    """
    rouverts = Accord.objects.filter(
        client__societe=societe, statut=S.EXECUTE, genre__in=ABANDON, echeances__impute__lt=F("echeances__montant")
    )
    rouverts = list(rouverts.select_related("client__societe").distinct())
    if not rouverts:
        return []
    payes = accords_effets.payes_a_temps(rouverts, au=au)
    changes = []
    for x in rouverts:
        if payes[x.pk] >= x.montant - x.remise:
            continue
        with transaction.atomic():
            if passer(x, S.SIGNE, de=(S.EXECUTE,), acteur=None, au=None, motif=_("un paiement a été repris")):
                accords_effets.retirer_les_avoirs(x, au=au)
                accords_effets.reprendre_les_penalites(x)
                changes.append(x)
    return changes


def _abandons(societe: Societe, au: date) -> list[Accord]:
    """Remise, escompte : payé à temps, l'avoir solde le reste ; sinon caduc, tout est dû."""
    signes = list(
        Accord.objects.filter(client__societe=societe, statut=S.SIGNE, genre__in=ABANDON).select_related(
            "client__societe", "auteur", "approuve_par"
        )
    )
    if not signes:
        return []
    payes = accords_effets.payes_a_temps(signes, au=au)
    credits = echeanciers.credits_libres({x.client_id for x in signes}, au=au)
    changes = []
    for x in signes:
        du, paye = x.montant - x.remise, payes[x.pk]
        if paye >= du:
            conclu = _executer_l_abandon(x, au)
        elif au <= accords_effets.limite_du_paiement(x) or credits.get((x.client_id, x.devise), ZERO) >= du - paye:
            continue
        else:
            motif = _("%(paye)s reçus sur %(du)s au %(jour)s : tout est dû") % {
                "paye": somme(paye, x.devise), "du": somme(du, x.devise), "jour": jour(x.payer_avant),
            }  # fmt: skip
            conclu = passer(x, S.CADUC, de=(S.SIGNE,), acteur=None, au=au, motif=motif)
        if conclu:
            changes.append(x)
    return changes


@transaction.atomic
def _executer_l_abandon(accord: Accord, au: date) -> bool:
    accord = relire(accord)
    pieces = list(accord.echeances.select_related("facture"))
    reste = sum((e.reste_du for e in pieces), ZERO)
    montant = min(accord.remise, reste)
    if not passer(accord, S.EXECUTE, de=(S.SIGNE,), acteur=None, au=au):
        return False
    if montant:
        accords_effets.porter_un_avoir(
            accord, pieces, nature=NatureAvoir(accord.genre), montant=montant, au=au, acteur=None
        )
    _abandonner_les_penalites(accord, au)
    return True


# --- La mensualité manquée -------------------------------------------------------------------------


def relancer_les_mensualites(societe: Societe, *, au: date) -> list[Message]:
    """Un courriel par mensualité manquée, limité à elle ; avec clause, c'est la mise en demeure préalable.

    Une seule fois par mensualité. Sans adresse utilisable, ou client dont les relances sont suspendues, une tâche le
    demande à une personne. Ce qu'une réponse à lire ou une déclaration retient attend ; une pièce contestée depuis la
    signature ne se met pas en demeure (exigence 10). Six requêtes, plus l'écriture de chaque mensualité manquée.
    """
    suivis_par_un_accord = list(
        Echeancier.objects.filter(
            client__societe=societe, client__jugement_ouverture_le=None, client__surendettement=False,
            accord__statut__in=(S.SIGNE, S.ROMPU), statut__in=(E.EN_COURS, E.ROMPU),
            echeances__impute__lt=F("echeances__montant"),
        )
        .exclude(statut=E.ROMPU, clause_decheance=True)  # déchu : l'échelle réclame le solde
        .select_related("client__societe", "client__gestionnaire", "accord")
        .distinct()
    )  # fmt: skip
    releves = echeanciers.suivis(suivis_par_un_accord, au=au)
    messages = []
    clients = {x.client_id for x in suivis_par_un_accord}
    credits = echeanciers.credits_libres(clients, au=au)
    attendent = fin_de_retenue(clients, au) if clients else {}
    contestes = _contestes_depuis(suivis_par_un_accord)
    for x in suivis_par_un_accord:
        if x.client_id in attendent or x.pk in contestes:
            continue
        manquees = [(rang, s) for rang, s in enumerate(releves[x.pk], 1) if s.etat is Etat.MANQUEE]
        if not manquees or credits.get((x.client_id, x.devise), ZERO) >= sum(s.manque for _r, s in manquees):
            continue
        for rang, s in manquees:
            if str(rang) not in x.accord.termes.get("sommations", {}):
                if message := _sommer(x, rang, s, au):
                    messages.append(message)
    return messages


def _contestes_depuis(suivis: list[Echeancier]) -> set[int]:
    """Échéanciers dont une pièce est contestée depuis la signature : l'accord ne l'a pas reconnue."""
    if not suivis:
        return set()
    ouverts = Litige.objects.ouverts().filter(
        echeance__echeanciers__in=suivis, ouvert_le__gt=F("echeance__echeanciers__accepte_le")
    )
    return set(ouverts.values_list("echeance__echeanciers", flat=True))


def revoir_les_sommations(societe: Societe, *, au: date) -> None:
    """Avant de juger une rupture : une mise en demeure qui n'est pas partie, ou revenue en erreur, n'en est pas une.

    1re civ., 22/06/2017 : la déchéance suppose une mise en demeure restée sans effet. Remise plus tard, son délai court
    de ce jour ; en erreur ou annulée, une personne la refait (`_sommer`). Deux requêtes, plus chaque correction.
    """
    suivis = Accord.objects.filter(
        client__societe=societe, statut=S.SIGNE, echeancier__statut=E.EN_COURS, clause_decheance=True,
        termes__has_key="sommations",
    ).select_related("client__societe")  # fmt: skip
    suivis = {x.pk: x for x in suivis}
    for m in Message.objects.filter(accord__in=suivis, genre=Message.Genre.MENSUALITE).order_by("pk"):
        accord, rang = suivis[m.accord_id], m.cle.rpartition(":")[2]
        sommation = accord.termes["sommations"].get(rang)
        if not sommation or sommation["par"] != "courriel":
            continue
        if m.statut in (Message.Statut.EN_ERREUR, Message.Statut.ANNULE):
            del accord.termes["sommations"][rang]
        else:
            parti = m.statut == Message.Statut.ENVOYE and m.envoye_le
            depart = timezone.localtime(m.envoye_le).date() if parti else au
            avant = date_limite(depart, SOMMATION_JOURS, accord.client.societe.region_feries).isoformat()
            if depart > au or avant <= sommation["avant"]:  # au-delà de `au` : une date passée se rejoue
                continue
            sommation["avant"] = avant
        accord.save(update_fields=["termes", "updated_at"])


def _sommer(x: Echeancier, rang: int, s: Suivi, au: date) -> Message | None:
    client, accord = x.client, x.accord
    adresse, cle = destinataire_courriel(client), f"mensualite:{x.pk}:{rang}"
    perdus = (Message.Statut.EN_ERREUR, Message.Statut.ANNULE)
    perdu = client.messages.filter(cle=cle, statut__in=perdus).exists()
    if not adresse or perdu or client.suspensions.en_cours(au).exists():
        titre = (
            _("Mettre en demeure de payer la mensualité du %(jour)s : %(montant)s")
            if x.clause_decheance
            else _("Réclamer la mensualité du %(jour)s : %(montant)s")
        )
        creer_tache(
            client, genre=Tache.Genre.ACCORD, due_le=au, cle=cle_de_tache(accord, str(rang)),
            titre=titre % {"jour": jour(s.due_le), "montant": somme(s.manque, x.devise)},
            raison=_("aucun courriel ne peut partir : par lettre recommandée, puis notez-la sur l'accord"),
        )  # fmt: skip
        return None
    avant = date_limite(au, SOMMATION_JOURS, client.societe.region_feries)
    objet, texte = _texte(x, s, au=au, avant=avant)
    with transaction.atomic():
        message = ecrire(
            client, genre=Message.Genre.MENSUALITE, cle=cle, destinataire=adresse, objet=objet,
            texte=texte, accord=accord, langue=client.langue,
        )  # fmt: skip
        _garder_la_sommation(accord, rang, le=au, avant=avant, par="courriel")
    return message


def _garder_la_sommation(accord: Accord, rang: int, *, le: date, avant: date, par: str) -> None:
    accord.refresh_from_db(fields=["termes"])
    sommations = accord.termes.get("sommations", {})
    sommations[str(rang)] = {"le": le.isoformat(), "avant": avant.isoformat(), "par": par}
    accord.termes = {**accord.termes, "sommations": sommations}
    accord.save(update_fields=["termes", "updated_at"])


@transaction.atomic
def noter_sommation(accord: Accord, *, rang: int, le: date, au: date, acteur) -> date:
    """Une mise en demeure envoyée par lettre, limitée à la mensualité `rang` ; renvoie le dernier jour pour payer.

    Lève ValidationError : rang inconnu, jour à venir ou d'avant l'échéance, mise en demeure déjà notée.
    """
    accord = relire(accord)
    due_le = (
        accord.echeancier and accord.echeancier.mensualites.filter(rang=rang).values_list("due_le", flat=True).first()
    )
    if not due_le or accord.statut != S.SIGNE:
        raise ValidationError(_("Cette mensualité n'est pas de cet accord, ou il n'est plus en cours."))
    if not due_le < le <= au:
        raise ValidationError({"le": _("Elle part après l'échéance de la mensualité, et pas dans l'avenir.")})
    if str(rang) in accord.termes.get("sommations", {}):
        raise ValidationError(_("Une mise en demeure est déjà notée pour cette mensualité."))
    avant = date_limite(le, SOMMATION_JOURS, accord.client.societe.region_feries)
    _garder_la_sommation(accord, rang, le=le, avant=avant, par="lettre")
    ouverte = Tache.objects.filter(client=accord.client_id, cle=cle_de_tache(accord, str(rang)), faite_le=None).first()
    if ouverte:
        terminer_tache(ouverte, issue=_("mise en demeure envoyée"), acteur=acteur)
    noter(accord, "mise_en_demeure", acteur=acteur, texte=_("mensualité du %(jour)s") % {"jour": jour(due_le)}, le=le)
    return avant


def _texte(x: Echeancier, s: Suivi, *, au: date, avant: date) -> tuple[str, str]:
    """(objet, texte) dans la langue du client : la mensualité, rien d'autre ; dix numéros de factures au plus."""
    from .confirmations import texte_de_suite

    numeros = x.echeances.order_by("facture__numero").values_list("facture__numero", flat=True).distinct()[:10]
    courriel = texte_de_suite(
        x.client, "mensualite", reference=x.accord.reference, au=au,
        mensualite={
            "accord": x.accord.reference, "due": s.due_le, "manque": Somme(s.manque, x.devise), "avant": avant,
            "clause": x.clause_decheance, "factures": ", ".join(numeros),
        },
    )  # fmt: skip
    return courriel.objet, courriel.texte
