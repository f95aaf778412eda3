"""Le dossier en un fichier : pièces vérifiées, requête, décompte, bordereau et chronologie (exigence 35)."""

import csv
import io
import re
import zipfile
from collections.abc import Iterable
from datetime import date
from typing import BinaryIO

from django.core.exceptions import ValidationError
from django.utils import timezone
from django.utils.translation import gettext as _

from contentieux.models import DossierContentieux, Piece
from factures.models import Imputation, Promesse
from recouvrement.commun import depot
from recouvrement.commun.fichiers import nom_sur
from recouvrement.commun.formats import jour as ecrire_jour
from recouvrement.commun.formats import somme
from recouvrement.commun.pdf import PdfIndisponible
from recouvrement.journal.models import Maillon

from .decompte import compter, rendre_decompte
from .pieces import courriers_partis
from .prescriptions import jour_du_courrier
from .suivi import procedure

FORMULES = ("=", "+", "-", "@", "\t", "\r")


def archiver(dossier: DossierContentieux, sortie: BinaryIO, *, au: date) -> None:
    """Écrit le zip du dossier dans `sortie`, laissée au début ; n'écrit rien en base.

    Lève ValidationError si une pièce est altérée ou absente du dépôt : un dossier faux ne s'exporte pas.
    """
    pieces = list(dossier.pieces.all())
    with zipfile.ZipFile(sortie, "w", zipfile.ZIP_DEFLATED) as zip_:
        if dossier.requete_chemin:
            zip_.writestr("requete-projet.pdf", _lire(dossier.requete_chemin, dossier.requete_empreinte, _("requête")))
        for piece in pieces:
            if piece.chemin:
                zip_.writestr(_nom(piece), _lire(piece.chemin, piece.empreinte, str(piece)))
        zip_.writestr(*_decompte(dossier, au))
        zip_.writestr("bordereau.csv", _csv(("N°", "Pièce", "Date", "Pages", "Empreinte SHA-256"), _bordereau(pieces)))
        zip_.writestr("chronologie.csv", _csv(("Date", "Fait", "Preuve"), chronologie(dossier)))
    sortie.seek(0)


def _lire(chemin: str, empreinte: str, nom: str) -> bytes:
    try:
        return depot.lire(chemin, empreinte)
    except depot.ErreurDepot as erreur:
        raise ValidationError(
            _("« %(nom)s » ne correspond plus à son empreinte : prévenez l'administrateur, rien n'a été exporté.")
            % {"nom": nom}
        ) from erreur


def _nom(piece: Piece) -> str:
    suffixe = "." + piece.chemin.rpartition(".")[2]
    designation = re.sub(r"(?<=\d)/(?=\d)", "-", piece.designation)  # « du 21/09/2026 » n'est pas un chemin
    return f"pieces/{piece.numero:02d} {nom_sur(designation, suffixe)}"


def _decompte(dossier: DossierContentieux, au: date) -> tuple[str, bytes | str]:
    """Le décompte en PDF ; en CSV si le moteur de rendu manque sur cette machine."""
    try:
        return "decompte.pdf", rendre_decompte(dossier, au=au)
    except PdfIndisponible:
        lignes = [
            (x.numero, x.date_echeance, x.montant_ttc, x.reste_du, x.penalites, x.indemnite)
            for x in compter(dossier).lignes
        ]
        return "decompte.csv", _csv(("Facture", "Échéance", "TTC", "Reste dû", "Pénalités", "Indemnité"), lignes)


def _bordereau(pieces: Iterable[Piece]) -> Iterable[tuple]:
    for p in pieces:
        absence = p.dispense or ("" if p.genre == Piece.Genre.DECOMPTE else _("à joindre"))
        yield p.numero, p.designation, p.date or "", p.pages or "", p.empreinte or absence


def chronologie(dossier: DossierContentieux) -> list[tuple[date, str, str]]:
    """(jour, fait, preuve) : factures, envois, règlements, promesses, procédure ; du plus ancien au plus récent."""
    faits: list[tuple[date, str, str]] = []
    ids = []
    for ligne in dossier.lignes.select_related("echeance__facture"):
        e = ligne.echeance
        ids.append(e.pk)
        faits.append((e.date_facture, _("Facture %(n)s émise") % {"n": e.facture.numero}, e.facture.numero))
        if e.facture.date_execution:
            faits.append((e.facture.date_execution, _("Exécution de %(n)s") % {"n": e.facture.numero}, ""))
        faits.append((e.date_echeance, _("Échéance de %(n)s") % {"n": e.facture.numero}, somme(e.montant, e.devise)))
    for courrier in courriers_partis(ids):
        if jour := jour_du_courrier(courrier):
            nom = f"{courrier.get_nature_display()} · {courrier.get_canal_display()}"
            faits.append((jour, nom, courrier.numero_suivi or courrier.reference))
        if courrier.retour and courrier.retour_le:
            faits.append((courrier.retour_le, _("Avis : %(r)s") % {"r": courrier.get_retour_display()},
                          courrier.numero_suivi))  # fmt: skip
    for i in Imputation.objects.filter(echeance__in=ids).select_related("encaissement", "avoir"):
        pose = {"m": somme(i.montant, dossier.devise)}
        faits.append((i.date, _("Imputation de %(m)s") % pose, str(i.encaissement or i.avoir)))
    for p in Promesse.objects.filter(echeances__in=ids).distinct():
        promis = {"m": somme(p.montant, dossier.devise), "j": ecrire_jour(p.date_promise)}
        faits.append((p.faite_le, _("Promesse de %(m)s pour le %(j)s") % promis, p.get_statut_display()))
    for etape in dossier.etapes.filter(annulee_le=None):
        faits.append((etape.le, procedure(dossier).libelles.get(etape.evenement, etape.evenement), etape.note))
    gestes = Maillon.objects.filter(objet_type=dossier._meta.label_lower, objet_id=dossier.pk).select_related("detail")
    faits += [(timezone.localdate(m.quand), m.detail.texte, f"journal {m.rang}") for m in gestes]
    return sorted(faits, key=lambda f: f[0])


def _csv(entetes: tuple, lignes: Iterable[tuple]) -> bytes:
    """CSV `;` avec marque d'ordre, lisible par un tableur ; une formule hostile devient du texte."""
    texte = io.StringIO()
    ecrivain = csv.writer(texte, delimiter=";", lineterminator="\r\n")
    ecrivain.writerow(entetes)
    ecrivain.writerows([_inoffensif(str(v)) for v in ligne] for ligne in lignes)
    return "\ufeff".encode() + texte.getvalue().encode()


def _inoffensif(valeur: str) -> str:
    return f"'{valeur}" if valeur.startswith(FORMULES) else valeur
