"""Projet de déclaration de créance d'un client en procédure collective : calculé à la demande, jamais rangé."""

from datetime import date
from decimal import Decimal

from django.core.exceptions import ValidationError
from django.db.models import Q
from django.utils.translation import gettext as _

from clients.models import Client, TypeDebiteur
from contentieux.domaine.delais import ajouter_mois
from factures.models import Echeance, Litige
from relances.rendu import declaration as rendu
from relances.rendu.contexte import Gestionnaire, Requete, Signataire, Tribunal
from relances.services.dues import credits_ouverts, dues_du_decompte, etablir_lignes, taux_du_client
from relances.services.preparation import destinataire, emetteur

MOIS_POUR_DECLARER = 2  # de la publication au BODACC ; comptés du jugement, par prudence (C. com., art. R622-24)


def composer_declaration(client: Client, *, au: date, devise: str = "EUR") -> rendu.Declaration:
    """La déclaration telle que le grand livre la permet ; le mandataire, les sûretés, la publication restent en blanc.

    Lève ValidationError : aucun jugement, débiteur non professionnel, taux absent, rien à déclarer.
    """
    jugement, societe = client.jugement_ouverture_le, client.societe
    if not jugement or jugement > au:
        raise ValidationError(_("Aucun jugement d'ouverture n'est enregistré pour ce client."))
    if client.type != TypeDebiteur.ENTREPRISE:
        raise ValidationError(_("Type du client : %(t)s.") % {"t": client.get_type_display()})
    posees = Echeance.objects.filter(client=client, devise=devise, date_facture__lte=au)
    posees = posees.filter(Q(soldee_le=None) | Q(soldee_le__gt=jugement)).select_related("facture")
    posees = list(posees.order_by("date_echeance", "pk"))
    nees = [e for e in posees if _naissance(e) < jugement]
    # La part contestée se déclare aussi : une créance non déclarée est forclose (art. L622-24, L622-26).
    echues = etablir_lignes([e for e in nees if e.date_echeance < jugement], client, au=jugement, avec_litiges=True)
    futures = etablir_lignes([e for e in nees if e.date_echeance >= jugement], client, au=jugement, avec_litiges=True)
    dues = dues_du_decompte(echues)
    if dues.semestres_manquants or dues.refus:
        raise ValidationError(dues.refus or _("Taux inconnu pour %(s)s.") % {"s": ", ".join(dues.semestres_manquants)})
    if not nees:
        raise ValidationError(_("Rien n'était dû au jour du jugement."))
    suivi = client.gestionnaire
    requete = Requete(
        emetteur=emetteur(societe),
        destinataire=destinataire(client),
        tribunal=Tribunal(nom="", adresse=()),
        reference=client.code,
        date=au,
        arrete_au=jugement,
        lignes=dues.lignes,
        gestionnaire=Gestionnaire(
            nom=suivi.nom if suivi else societe.signataire_nom,
            telephone=(suivi and suivi.telephone) or societe.telephone,
            courriel=suivi.courriel if suivi else societe.courriel,
        ),
        signataire=Signataire(nom=societe.representant, fonction=societe.representant_fonction),
        expose="", diligences="", contestations="", pieces=(),
        credits=tuple(credits_ouverts(client, devise, au=jugement, emises_au=au)),
        taux=taux_du_client(client, dues, langue="fr"),
        devise=devise,
    )  # fmt: skip
    return rendu.Declaration(
        requete=requete,
        jugement=jugement,
        limite=ajouter_mois(jugement, MOIS_POUR_DECLARER),
        a_echoir=dues_du_decompte(futures).lignes,
        objet=client.objet_contrat,
        contestations=_contestations(nees, au=au),
        sans_execution=_sans_execution(nees),
        ecartees=_sans_execution([e for e in posees if _naissance(e) >= jugement]),
    )


def _naissance(e: Echeance) -> date:
    """Jour de la prestation, qui fait naître la créance ; sans lui, celui de la facture (art. L622-24)."""
    return e.facture.date_execution or e.date_facture


def _sans_execution(echeances: list[Echeance]) -> tuple[str, ...]:
    """Numéros des factures dont la date d'exécution manque : leur naissance est à vérifier."""
    return tuple(dict.fromkeys(e.facture.numero for e in echeances if e.facture.date_execution is None))


def _contestations(echeances: list[Echeance], *, au: date) -> tuple[tuple[str, Decimal], ...]:
    """(facture, montant) de chaque litige encore ouvert au jour dit ; la déclaration le dit sans rien en retirer."""
    numeros = {e.pk: e.facture.numero for e in echeances}
    litiges = Litige.objects.filter(echeance__in=numeros, ouvert_le__lte=au)
    litiges = litiges.filter(Q(clos_le=None) | Q(clos_le__gt=au)).order_by("ouvert_le", "pk")
    return tuple((numeros[pk], montant) for pk, montant in litiges.values_list("echeance", "montant_conteste"))


def projet_de_declaration(client: Client, *, au: date, devise: str = "EUR") -> bytes:
    """PDF du projet. Lève ValidationError, ou PdfIndisponible sans moteur."""
    return rendu.rendre_pdf(composer_declaration(client, au=au, devise=devise))
