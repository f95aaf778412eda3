"""L'accord tel qu'il s'imprime : composé d'après la base, figé une fois, rangé par empreinte (exigence 27)."""

from decimal import Decimal

from factures.domaine.accords import Genre, effet
from factures.models import Accord, Litige
from factures.services.accords import de_l_accord
from recouvrement.commun import depot
from relances.rendu import accords as rendu
from relances.rendu import contexte as c

from .preparation import destinataire, destinataire_courriel, emetteur

ZERO = Decimal("0.00")


def composer(accord: Accord) -> rendu.Protocole:
    """Tout ce que dit l'accord. Sept requêtes, quel que soit le nombre de pièces ; n'écrit rien."""
    client, societe, t = accord.client, accord.client.societe, de_l_accord(accord)
    dues = list(accord.echeances.select_related("facture").order_by("date_echeance", "pk"))
    restes = {e.pk: e.reste_du for e in dues}
    litiges = Litige.objects.ouverts().filter(echeance__in=restes).values_list("echeance", "montant_conteste")
    genre, gestionnaire = Genre(accord.genre), client.gestionnaire
    compense = ZERO
    if genre == Genre.COMPENSATION:
        compense = effet(genre, montant=accord.montant, opposee=t.creance_montant).avoir
    return rendu.Protocole(
        emetteur=emetteur(societe),
        destinataire=destinataire(client),
        gestionnaire=c.Gestionnaire(
            nom=gestionnaire.nom if gestionnaire else societe.signataire_nom,
            telephone=(gestionnaire and gestionnaire.telephone) or societe.telephone,
            courriel=gestionnaire.courriel if gestionnaire else societe.courriel,
        ),
        signataire=c.Signataire(nom=societe.signataire_nom, fonction=societe.signataire_fonction),
        reference=accord.reference,
        genre=genre,
        date=accord.propose_le,
        expire_le=accord.expire_le,
        pieces=tuple(
            rendu.PieceDue(e.facture.numero, e.date_facture, e.date_echeance, e.montant, restes[e.pk]) for e in dues
        ),
        montant=accord.montant,
        devise=accord.devise,
        conteste=sum((min(montant, restes[pk]) for pk, montant in litiges), ZERO),
        mensualites=t.mensualites,
        remise=accord.remise,
        payer_avant=accord.payer_avant,
        clause=accord.clause_decheance,
        penalites=accord.penalites,
        courriel=destinataire_courriel(client),
        creance_reference=t.creance_reference,
        creance_montant=t.creance_montant,
        creance_exigible_le=t.creance_exigible_le,
        compense=compense,
        connexite=t.connexite,
        obligation=t.obligation,
        suretes=t.suretes,
        redaction=t.redaction,
        projet=accord.statut == Accord.Statut.A_APPROUVER,
        langue=client.langue,
    )


def apercevoir(accord: Accord) -> bytes:
    """Le PDF d'un accord pas encore figé. Lève PdfIndisponible sans Pango."""
    return rendu.rendre_pdf(composer(accord))


def figer(accord: Accord) -> Accord:
    """Rend le PDF à signer et le range, une seule fois : ce qui se signe ne change plus. Lève PdfIndisponible."""
    if accord.pdf_empreinte:
        return accord
    chemin, empreinte = depot.ranger(apercevoir(accord), ".pdf")
    libres = Accord.objects.filter(pk=accord.pk, pdf_empreinte="", statut=Accord.Statut.PROPOSE)
    libres.update(pdf_chemin=chemin, pdf_empreinte=empreinte)
    accord.refresh_from_db(fields=["pdf_chemin", "pdf_empreinte"])
    return accord


def mention(accord: Accord) -> str:
    """La phrase que le débiteur non commerçant écrit lui-même (C. civ., art. 1376)."""
    return rendu.mention(composer(accord))
