"""Projet de déclaration de créance d'un client en procédure collective : calculé à la demande, jamais rangé."""

from datetime import date

from django.core.exceptions import ValidationError
from django.utils.translation import gettext as _

from clients.models import Client, TypeDebiteur
from contentieux.domaine.delais import ajouter_mois
from factures.models import Echeance
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
    # Les créances nées avant le jugement, seules déclarables (art. L622-24).
    nees = Echeance.objects.filter(client=client, devise=devise, date_facture__lt=jugement).ouvertes_au(jugement)
    nees = list(nees.select_related("facture").order_by("date_echeance", "pk"))
    echues = etablir_lignes([e for e in nees if e.date_echeance < jugement], client, au=jugement)
    futures = etablir_lignes([e for e in nees if e.date_echeance >= jugement], client, au=jugement)
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
        credits=tuple(credits_ouverts(client, devise, au=jugement)),
        taux=taux_du_client(client, dues, langue="fr"),
        devise=devise,
    )  # fmt: skip
    return rendu.Declaration(
        requete=requete,
        jugement=jugement,
        limite=ajouter_mois(jugement, MOIS_POUR_DECLARER),
        a_echoir=dues_du_decompte(futures).lignes,
        objet=client.objet_contrat,
    )


def projet_de_declaration(client: Client, *, au: date, devise: str = "EUR") -> bytes:
    """PDF du projet. Lève ValidationError, ou PdfIndisponible sans moteur."""
    return rendu.rendre_pdf(composer_declaration(client, au=au, devise=devise))
