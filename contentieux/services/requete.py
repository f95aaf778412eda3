"""Le projet de requête en injonction de payer : une personne le complète, le signe et le dépose."""

from datetime import date

from django.core.exceptions import ValidationError
from django.db import transaction
from django.utils.translation import gettext as _

from contentieux.domaine.tribunaux import Genre
from contentieux.models import DossierContentieux, Piece
from recouvrement.commun import depot
from recouvrement.commun.domaine import ecriture
from relances.domaine.natures import Nature
from relances.models import Courrier
from relances.rendu import lettres
from relances.rendu.contexte import Piece as PieceRendue
from relances.rendu.contexte import Requete, Signataire, Tribunal
from relances.rendu.parties import dates_enumerees
from relances.services.preparation import emetteur

from .decompte import compter, debiteur, interlocuteur
from .manques import contestations_connues, manques
from .ouverture import juridiction_proposee
from .pieces import consigner_dossier, courriers_partis, refuser_si_clos, verrouiller
from .prescriptions import jour_du_courrier

SANS_CONTESTATION = "Aucune contestation n’a été reçue."


@transaction.atomic
def projet_de_requete(dossier: DossierContentieux, *, par, au: date) -> bytes:
    """PDF du projet, rangé et rattaché au dossier ; rien n'est déposé ni envoyé.

    Lève ValidationError avec la liste des manques, ou si la requête est déjà déposée ; PdfIndisponible sans
    moteur de rendu.
    """
    dossier = verrouiller(dossier)
    refuser_si_clos(dossier)
    if dossier.voie != DossierContentieux.Voie.INJONCTION:
        raise ValidationError(_("Une personne publique ne se poursuit pas par injonction : demandez le mandatement."))
    if dossier.depose_le:
        raise ValidationError(_("La requête est déjà déposée."))
    absents = manques(dossier, compter(dossier), au=au)
    if absents:
        raise ValidationError([f"{p.titre} : {p.manque}" for p in absents])
    octets = lettres.rendre_requete_pdf(composer(dossier, au=au))
    dossier.requete_chemin, dossier.requete_empreinte = depot.ranger(octets, ".pdf")
    dossier.requete_le = au
    dossier.save(update_fields=["requete_chemin", "requete_empreinte", "requete_le", "updated_at"])
    consigner_dossier(
        "contentieux.requete_produite", dossier, par, texte=_("projet de requête produit"),
        empreinte=dossier.requete_empreinte, arrete_au=dossier.arrete_au,
    )  # fmt: skip
    return octets


def composer(dossier: DossierContentieux, *, au: date) -> Requete:
    """La requête telle que le dossier la permet ; ce qui n'est pas connu devient un blanc à remplir."""
    compte, societe = compter(dossier), dossier.societe
    proposee = juridiction_proposee(dossier.client, au=au)
    par_pouvoir = bool(dossier.pouvoir)
    return Requete(
        emetteur=emetteur(societe),
        destinataire=debiteur(dossier),
        tribunal=Tribunal(
            nom=dossier.tribunal,
            adresse=tuple(ligne.strip() for ligne in dossier.tribunal_adresse.splitlines() if ligne.strip()),
            competence=proposee.competence if proposee.genre == dossier.juridiction != Genre.COMMERCE else "",
        ),
        reference=dossier.reference,
        date=au,
        arrete_au=compte.arrete_au,
        lignes=compte.lignes,
        gestionnaire=interlocuteur(dossier),
        signataire=Signataire(
            nom=societe.signataire_nom if par_pouvoir else societe.representant,
            fonction=societe.signataire_fonction if par_pouvoir else societe.representant_fonction,
        ),
        expose=dossier.expose,
        diligences=diligences(dossier),
        contestations=dossier.contestations or _sans_contestation(dossier),
        pieces=tuple(pieces_produites(dossier)),
        taux=compte.taux,
        pouvoir=dossier.pouvoir,
        renvoi=dossier.renvoi,
        devise=compte.devise,
    )


def _sans_contestation(dossier: DossierContentieux) -> str:
    """La formule n'est écrite que si ni litige ni statut de plateforme n'a jamais contesté une facture du dossier."""
    return "" if any(contestations_connues(dossier)) else SANS_CONTESTATION


def pieces_produites(dossier: DossierContentieux) -> list[PieceRendue]:
    """Bordereau imprimé : pièces jointes et décompte ; ni les dispensées, ni les absentes."""
    return [
        PieceRendue(
            numero=p.numero,
            designation=p.designation,
            date=ecriture.jj(p.date) if p.date else "",
            pages=p.pages or None,
        )
        for p in dossier.pieces.all()
        if p.chemin or p.genre == Piece.Genre.DECOMPTE
    ]


def diligences(dossier: DossierContentieux) -> str:
    """« rappels des 5 et 22 octobre 2026, mise en demeure du 26 octobre 2026, distribuée » : des faits."""
    rappels, demeures = [], []
    for courrier in courriers_partis([ligne.echeance_id for ligne in dossier.lignes.all()]):
        jour = jour_du_courrier(courrier)
        if jour and courrier.nature == Nature.MISE_EN_DEMEURE:
            demeures.append(f"mise en demeure du {ecriture.date_longue(jour)}{_sort_de_l_avis(courrier)}")
        elif jour and courrier.nature > Nature.AVANT_ECHEANCE:
            rappels.append(jour)
    jours = sorted(set(rappels))
    textes = []
    if jours:
        textes.append(f"{'rappels des' if len(jours) > 1 else 'rappel du'} {dates_enumerees(jours)}")
    return ", ".join(textes + demeures)


def _sort_de_l_avis(courrier: Courrier) -> str:
    """Présentation et retour de l'avis tels que saisis ; vide s'ils ne le sont pas."""
    R = Courrier.Retour
    participes = {R.DISTRIBUE: "distribuée", R.NON_RECLAME: "avisée et non réclamée", R.REFUSE: "refusée"}
    texte = f", présentée le {ecriture.date_longue(courrier.presente_le)}" if courrier.presente_le else ""
    return texte + (f", {participes[courrier.retour]}" if courrier.retour in participes else "")


def proposer_expose(dossier: DossierContentieux) -> str:
    """Premier jet de l'exposé des faits, avec renvois aux pièces : la personne le relit et le complète."""
    numeros = {p.genre: p.numero for p in dossier.pieces.all()}
    par_facture = {
        p.echeance.facture_id: p.numero
        for p in dossier.pieces.select_related("echeance")
        if p.genre == Piece.Genre.FACTURE and p.echeance_id
    }
    phrases = []
    objet = dossier.client.objet_contrat.strip()
    contrat = f" (pièce {numeros[Piece.Genre.CONTRAT]})" if Piece.Genre.CONTRAT in numeros else ""
    if objet:
        phrases.append(f"Le créancier a exécuté au profit du débiteur le contrat portant sur {objet}{contrat}.")
    else:
        phrases.append(f"Le créancier a exécuté la commande du débiteur{contrat}.")
    for ligne in dossier.lignes.select_related("echeance__facture").order_by("echeance__date_echeance"):
        e = ligne.echeance
        renvoi = f" (pièce {par_facture[e.facture_id]})" if e.facture_id in par_facture else ""
        phrases.append(
            f"La facture {e.facture.numero} du {ecriture.date_longue(e.date_facture)}{renvoi}, à échéance du "
            f"{ecriture.date_longue(e.date_echeance)}, reste due pour {ecriture.somme(e.reste_du, e.devise)}."
        )
    return "\n".join(phrases)
