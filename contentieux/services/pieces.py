"""Le bordereau d'un dossier : pièces attendues, jointes, dispensées, numérotées sans trou."""

from collections.abc import Sequence
from datetime import date

from django.core.exceptions import ValidationError
from django.db import transaction
from django.db.models import F, Max
from django.utils.translation import gettext as _

from contentieux.models import DossierContentieux, Piece
from recouvrement.commun import depot
from recouvrement.commun.fichiers import identifier, nom_sur
from recouvrement.commun.formats import jour as ecrire_jour
from recouvrement.journal.services import consigner
from relances.domaine.natures import Canal, Nature
from relances.models import Courrier

from .prescriptions import PARTIS, jour_du_courrier

DECALAGE = 10_000  # les numéros changent en deux temps : l'unicité vaut à chaque instant
NUMERO_MAX = 999
# Sans elles, il n'y a pas de créance à prouver : aucun motif n'en dispense.
INDISPENSABLES = (Piece.Genre.FACTURE, Piece.Genre.MISE_EN_DEMEURE, Piece.Genre.DECOMPTE)


def verrouiller(dossier: DossierContentieux) -> DossierContentieux:
    """Relit le dossier sous verrou ; à appeler dans la transaction qui l'écrit."""
    verrouilles = DossierContentieux.objects.select_for_update(no_key=True, of=("self",)).select_related(
        "societe", "client"
    )
    return verrouilles.get(pk=dossier.pk)


def refuser_si_clos(dossier: DossierContentieux) -> None:
    if dossier.clos_le:
        raise ValidationError(_("Le dossier est clos depuis le %(j)s.") % {"j": ecrire_jour(dossier.clos_le)})


def _refuser_si_depose(dossier: DossierContentieux) -> None:
    if dossier.depose_le:
        raise ValidationError(
            _("La requête est déposée depuis le %(j)s : son bordereau ne change plus.")
            % {"j": ecrire_jour(dossier.depose_le)}
        )


def poser_les_pieces(dossier: DossierContentieux) -> int:
    """Crée les pièces attendues qui n'y sont pas encore, rattache les courriers partis ; rejouable.

    Renvoie le nombre de pièces nouvelles ou complétées.
    """
    P = Piece.Genre
    lignes = dossier.lignes.select_related("echeance__facture").order_by("echeance__date_facture", "echeance_id")
    factures = {ligne.echeance.facture_id: ligne.echeance for ligne in lignes}
    attendues = [Piece(genre=P.CONTRAT, designation=_("Contrat, commande ou CGV acceptées"), obligatoire=True)]
    for echeance in factures.values():
        numero = echeance.facture.numero
        attendues += [
            Piece(genre=P.FACTURE, designation=_("Facture %(n)s") % {"n": numero}, date=echeance.date_facture,
                  echeance=echeance, obligatoire=True),
            Piece(genre=P.LIVRAISON, designation=_("Bon de livraison de %(n)s") % {"n": numero},
                  date=echeance.facture.date_execution, echeance=echeance, obligatoire=True),
        ]  # fmt: skip
    for courrier in courriers_partis([ligne.echeance_id for ligne in lignes]):
        attendues += _pieces_du_courrier(courrier)
    attendues.append(
        Piece(
            genre=P.DECOMPTE,
            designation=_("Décompte arrêté au %(j)s") % {"j": ecrire_jour(dossier.arrete_au)},
            date=dossier.arrete_au,
            obligatoire=True,
        )
    )
    existantes = {_cle(p): p for p in dossier.pieces.all()}
    numero, changees = _dernier_numero(dossier), 0
    for piece in attendues:
        deja = existantes.get(_cle(piece))
        if deja is None:
            numero += 1
            piece.dossier, piece.numero = dossier, numero
            piece.save()
            changees += 1
        elif piece.chemin and not deja.chemin:  # l'avis est revenu depuis
            deja.chemin, deja.empreinte, deja.type_mime = piece.chemin, piece.empreinte, piece.type_mime
            deja.pages, deja.date, deja.designation = piece.pages, piece.date, piece.designation
            deja.save()
            changees += 1
    return changees


def _cle(piece: Piece) -> tuple:
    """Une pièce attendue ne se crée qu'une fois ; une pièce ajoutée à la main a sa propre clé."""
    if piece.genre == Piece.Genre.AUTRE:
        return ("autre", piece.pk)
    return (piece.genre, piece.courrier_id, piece.echeance.facture_id if piece.echeance_id else None)


def courriers_partis(echeances: Sequence[int]) -> list[Courrier]:
    """Courriers réellement partis pour ces échéances, du plus ancien au plus récent."""
    partis = Courrier.objects.filter(relances__echeance__in=echeances, statut__in=PARTIS).exclude(canal=Canal.APPEL)
    return sorted(partis.distinct(), key=lambda c: (jour_du_courrier(c) or date.max, c.pk))


def _pieces_du_courrier(courrier: Courrier) -> list[Piece]:
    jour = jour_du_courrier(courrier)
    met_en_demeure = courrier.nature == Nature.MISE_EN_DEMEURE
    formalisee = courrier.nature == Nature.FORMALISATION
    nom = _("Relance de formalisation") if formalisee else courrier.get_nature_display()
    piece = Piece(
        genre=Piece.Genre.MISE_EN_DEMEURE if met_en_demeure else Piece.Genre.RELANCE,
        designation=_("%(nom)s du %(jour)s") % {"nom": nom, "jour": ecrire_jour(jour)},
        date=jour,
        courrier=courrier,
        obligatoire=True,
    )
    if courrier.pdf_chemin:
        piece.chemin, piece.empreinte, piece.pages = courrier.pdf_chemin, courrier.pdf_empreinte, courrier.pdf_pages
        piece.type_mime = "application/pdf"
    elif courrier.texte:
        piece.chemin, piece.empreinte = depot.ranger(_texte_du_courriel(courrier, jour).encode(), ".txt")
        piece.type_mime, piece.pages = "text/plain", 1
    if courrier.canal != Canal.RECOMMANDE:
        return [piece]
    suite = _(" : %(retour)s") % {"retour": courrier.get_retour_display().lower()} if courrier.retour else ""
    avis = Piece(
        genre=Piece.Genre.AVIS_RECEPTION,
        designation=_("Avis de réception %(numero)s") % {"numero": courrier.numero_suivi} + suite,
        date=courrier.retour_le or courrier.presente_le,
        courrier=courrier,
        obligatoire=met_en_demeure,
        chemin=courrier.avis_chemin,
        empreinte=courrier.avis_empreinte,
    )
    if avis.chemin:
        avis.pages, avis.type_mime = 1, _mime_du_chemin(avis.chemin)
    return [piece, avis]


def _texte_du_courriel(courrier: Courrier, jour: date | None) -> str:
    lignes = (
        f"Objet : {courrier.objet}",
        f"À : {courrier.destinataire}",
        f"Envoyé le : {ecrire_jour(jour)}",
        f"Message : {courrier.message_id}",
    )
    return "\n".join(lignes) + f"\n\n{courrier.texte}\n"


def _mime_du_chemin(chemin: str) -> str:
    return {"pdf": "application/pdf", "png": "image/png", "jpg": "image/jpeg"}.get(
        chemin.rpartition(".")[2], "application/octet-stream"
    )


def _dernier_numero(dossier: DossierContentieux) -> int:
    return dossier.pieces.aggregate(m=Max("numero"))["m"] or 0


@transaction.atomic
def actualiser_pieces(dossier: DossierContentieux, *, par) -> int:
    """Reprend les courriers et avis arrivés depuis l'ouverture. Renvoie le nombre de pièces changées."""
    dossier = verrouiller(dossier)
    refuser_si_clos(dossier)
    _refuser_si_depose(dossier)
    changees = poser_les_pieces(dossier)
    if changees:
        ranger_les_numeros(dossier)
        consigner_dossier("contentieux.pieces_actualisees", dossier, par, texte=_("pièces reprises des courriers"),
                   pieces=changees)  # fmt: skip
    return changees


@transaction.atomic
def joindre_piece(piece: Piece, octets: bytes, nom: str, *, par, jour: date | None = None) -> Piece:
    """Donne son fichier à une pièce attendue. Lève ValidationError : format, taille, dossier clos ou déposé."""
    lu = identifier(octets)
    dossier = verrouiller(piece.dossier)
    refuser_si_clos(dossier)
    piece = Piece.objects.select_for_update(no_key=True).get(pk=piece.pk)
    if piece.chemin and dossier.depose_le:
        _refuser_si_depose(dossier)
    if piece.chemin and piece.courrier_id:
        raise ValidationError(_("Cette pièce est le courrier tel qu'il est parti : elle ne se remplace pas."))
    if piece.genre == Piece.Genre.DECOMPTE:
        raise ValidationError(_("Le décompte se calcule : changez sa date d'arrêté."))
    remplacee = piece.empreinte
    piece.chemin, piece.empreinte = depot.ranger(octets, lu.suffixe)
    piece.type_mime, piece.pages, piece.nom_fichier = lu.mime, lu.pages, nom_sur(nom)[:160]
    piece.ajoutee_par, piece.dispense, piece.date = par, "", jour or piece.date
    piece.save()
    ranger_les_numeros(dossier)
    consigner_dossier(
        "contentieux.piece_jointe", dossier, par, texte=_("pièce jointe : %(p)s") % {"p": piece.designation},
        piece=piece.pk, empreinte=piece.empreinte, remplace=remplacee,
    )  # fmt: skip
    return piece


@transaction.atomic
def ajouter_piece(
    dossier: DossierContentieux, octets: bytes, nom: str, *, designation: str, genre: str, par, jour: date | None = None
) -> Piece:
    """Ajoute une pièce de plus, en fin de bordereau ; permis après le dépôt, sans rien renuméroter."""
    lu = identifier(octets)
    dossier = verrouiller(dossier)
    refuser_si_clos(dossier)
    if not designation.strip():
        raise ValidationError({"designation": _("Nommez la pièce, telle que le juge la lira.")})
    numero = _dernier_numero(dossier) + 1
    if numero > NUMERO_MAX:
        raise ValidationError(_("Le bordereau est plein : %(max)d pièces.") % {"max": NUMERO_MAX})
    chemin, empreinte = depot.ranger(octets, lu.suffixe)
    piece = Piece.objects.create(
        dossier=dossier, numero=numero, genre=genre, designation=designation.strip()[:200], date=jour,
        pages=lu.pages, chemin=chemin, empreinte=empreinte, type_mime=lu.mime, nom_fichier=nom_sur(nom)[:160],
        ajoutee_par=par,
    )  # fmt: skip
    if not dossier.depose_le:
        ranger_les_numeros(dossier)
    consigner_dossier(
        "contentieux.piece_ajoutee", dossier, par, texte=_("pièce ajoutée : %(p)s") % {"p": piece.designation},
        piece=piece.pk, empreinte=empreinte,
    )  # fmt: skip
    return piece


@transaction.atomic
def dispenser(piece: Piece, *, motif: str, par) -> Piece:
    """Se passer d'une pièce attendue, avec son motif ; elle quitte le bordereau produit."""
    dossier = verrouiller(piece.dossier)
    refuser_si_clos(dossier)
    _refuser_si_depose(dossier)
    piece = Piece.objects.select_for_update(no_key=True).get(pk=piece.pk)
    if piece.genre in INDISPENSABLES:
        raise ValidationError(_("La requête ne se soutient pas sans cette pièce."))
    if piece.chemin:
        raise ValidationError(_("Cette pièce est déjà jointe."))
    if not motif.strip():
        raise ValidationError({"motif": _("Dites pourquoi la requête s'en passe.")})
    piece.dispense = motif.strip()[:200]
    piece.save(update_fields=["dispense"])
    ranger_les_numeros(dossier)
    texte = _("on se passe de %(p)s : %(m)s") % {"p": piece.designation, "m": piece.dispense}
    consigner_dossier("contentieux.piece_dispensee", dossier, par, texte=texte, piece=piece.pk)
    return piece


@transaction.atomic
def renumeroter(dossier: DossierContentieux, ordre: Sequence[int], *, par) -> None:
    """Range les pièces dans cet ordre d'identifiants, de 1 à n ; les pièces dispensées restent à la fin.

    Lève ValidationError si l'ordre n'est pas exactement celui des pièces du dossier, ou si la requête est déposée.
    """
    dossier = verrouiller(dossier)
    refuser_si_clos(dossier)
    _refuser_si_depose(dossier)
    if sorted(ordre) != sorted(dossier.pieces.values_list("pk", flat=True)):
        raise ValidationError(_("Le bordereau a changé entre-temps : relisez-le avant de le renuméroter."))
    ranger_les_numeros(dossier, ordre)
    texte = _("bordereau renuméroté")
    consigner_dossier("contentieux.pieces_renumerotees", dossier, par, texte=texte, ordre=list(ordre))


def deplacer(piece: Piece, *, vers: int, par) -> None:
    """Donne à la pièce le numéro `vers` (borné) ; les autres glissent."""
    ordre = list(piece.dossier.pieces.order_by("numero").values_list("pk", flat=True))
    ordre.remove(piece.pk)
    ordre.insert(min(max(vers, 1), len(ordre) + 1) - 1, piece.pk)
    renumeroter(piece.dossier, ordre, par=par)


def ranger_les_numeros(dossier: DossierContentieux, ordre: Sequence[int] | None = None) -> None:
    """Numéros de 1 à n, les pièces dispensées à la fin. Sous verrou du dossier.

    Sans ordre donné, l'ordre actuel, le décompte après les autres.
    """
    pieces = {p.pk: p for p in dossier.pieces.all()}
    if ordre is None:
        ordre = sorted(pieces, key=lambda pk: (pieces[pk].genre == Piece.Genre.DECOMPTE, pieces[pk].numero))
    ordre = sorted(ordre, key=lambda pk: bool(pieces[pk].dispense))
    dossier.pieces.update(numero=F("numero") + DECALAGE)
    for rang, pk in enumerate(ordre, 1):
        Piece.objects.filter(pk=pk).update(numero=rang)


def consigner_dossier(action: str, dossier: DossierContentieux, par, *, texte: str, **donnees) -> None:
    consigner(
        action,
        societe=dossier.societe,
        acteur=par,
        objet=dossier,
        client=dossier.client_id,
        texte=_("Dossier %(r)s · %(t)s") % {"r": dossier.reference, "t": texte},
        donnees=donnees,
    )
