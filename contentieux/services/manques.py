"""Ce qui manque avant de produire la requête : chaque point dit ce qui est fait, ce qui manque et où le corriger."""

from dataclasses import dataclass
from datetime import date

from django.utils.translation import gettext as _
from django.utils.translation import ngettext

from clients.models import Client, TypeDebiteur
from contentieux.domaine.tribunaux import Genre
from contentieux.models import DossierContentieux, Piece
from factures.models import Facture, Litige
from recouvrement.commun.formats import jour as ecrire_jour
from recouvrement.commun.formats import somme
from relances.domaine.freins import FE_APPROUVEE_EN_PARTIE, FE_ARRETENT, FE_RETIENNENT
from relances.domaine.natures import Nature
from relances.models import Courrier

from .decompte import Compte, dernier_reglement, refus_du_calcul
from .pieces import courriers_partis

P = Piece.Genre
FE_CONTESTENT = (FE_APPROUVEE_EN_PARTIE, *FE_RETIENNENT, *FE_ARRETENT)  # droit.md § 12


@dataclass(frozen=True)
class Point:
    """`ou` : « creancier », « client », « dossier », « juridiction », « decompte », « prescription », « taux »,
    « litiges », « encaissements » ou « piece:ID »."""

    cle: str
    titre: str
    manque: str = ""  # vide : le point est acquis
    ou: str = ""

    @property
    def acquis(self) -> bool:
        return not self.manque


def points_communs(dossier: DossierContentieux, compte: Compte, *, au: date) -> list[Point]:
    """Ce que toute voie suppose : créancier, pièces, contestations, montant, prescription relue."""
    return [
        _creancier(dossier),
        *_pieces(dossier),
        _contestations(dossier),
        _credits(compte),
        _montant(dossier, compte, au),
        _prescription(dossier),
    ]


def points(dossier: DossierContentieux, compte: Compte, *, au: date) -> list[Point]:
    """Tous les points, acquis ou non, dans l'ordre de la requête. `compte` : celui du dossier, déjà fait."""
    client = dossier.client
    return [
        _creancier(dossier),
        _debiteur(dossier, client),
        _qualite(dossier, client, au),
        *_pieces(dossier),
        _mise_en_demeure(dossier),
        _contestations(dossier),
        _juridiction(dossier),
        _credits(compte),
        _montant(dossier, compte, au),
        _prescription(dossier),
        Point("expose", _("Exposé des faits"), "" if dossier.expose.strip() else _("À rédiger."), "dossier"),
    ]


def manques(dossier: DossierContentieux, compte: Compte, *, au: date) -> list[Point]:
    """Points qui ferment la production de la requête."""
    return [p for p in points(dossier, compte, au=au) if not p.acquis]


def _creancier(dossier: DossierContentieux) -> Point:
    societe = dossier.societe
    absents = societe.manques()
    for nom in ("representant", "representant_fonction"):
        if not getattr(societe, nom):
            absents.append(str(societe._meta.get_field(nom).verbose_name))
    return Point("creancier", _("Créancier identifié"), _manquent(absents), "creancier")


def _manquent(absents: list[str]) -> str:
    if not absents:
        return ""
    return ngettext("Manque : %(l)s.", "Manquent : %(l)s.", len(absents)) % {"l": ", ".join(absents)}


def _debiteur(dossier: DossierContentieux, client: Client) -> Point:
    absents, ou = [], "client"
    exigees = ["adresse", "code_postal", "ville"]
    if client.type == TypeDebiteur.ENTREPRISE:
        exigees += ["forme", "siren"]
    absents += [str(Client._meta.get_field(n).verbose_name) for n in exigees if not getattr(client, n)]
    if client.type == TypeDebiteur.ENTREPRISE and not dossier.debiteur_representant:
        ou = "client" if absents else "dossier"
        absents.append(_("représentant"))
    return Point("debiteur", _("Débiteur identifié : forme, siège, représentant"), _manquent(absents), ou)


def _qualite(dossier: DossierContentieux, client: Client, au: date) -> Point:
    titre, manque = _("Ni procédure collective, ni surendettement"), ""
    # Close, elle n'arrête que ce qui est né avant : l'ouverture du dossier l'a vérifié pièce par pièce.
    if client.jugement_ouverture_le and client.jugement_ouverture_le <= au and client.procedure_ouverte:
        manque = _("Procédure collective depuis le %(j)s : la créance se déclare.") % {
            "j": ecrire_jour(client.jugement_ouverture_le)
        }
    elif client.surendettement:
        manque = _("Surendettement recevable : les poursuites sont suspendues.")
    elif client.type in (TypeDebiteur.ADMINISTRATION, TypeDebiteur.A_QUALIFIER):
        manque = _("Type du client : %(t)s.") % {"t": client.get_type_display()}
    return Point("qualite", titre, manque, "client")


def _pieces(dossier: DossierContentieux) -> list[Point]:
    """Une ligne par pièce obligatoire absente ; une seule, acquise, s'il n'en manque pas."""
    obligatoires = [p for p in dossier.pieces.all() if p.obligatoire and p.genre != P.AVIS_RECEPTION]
    absentes = [p for p in obligatoires if p.manque]
    if not absentes:
        jointes = sum(1 for p in obligatoires if not p.dispense)
        titre = ngettext("%(n)d pièce au bordereau", "%(n)d pièces au bordereau", jointes) % {"n": jointes}
        return [Point("pieces", titre)]
    return [
        Point(f"piece:{p.pk}", p.designation, _("Pièce %(n)d à joindre.") % {"n": p.numero}, f"piece:{p.pk}")
        for p in absentes
    ]


def _mise_en_demeure(dossier: DossierContentieux) -> Point:
    titre = _("Mise en demeure et avis de réception")
    ids = [ligne.echeance_id for ligne in dossier.lignes.all()]
    parties = [c for c in courriers_partis(ids) if c.nature == Nature.MISE_EN_DEMEURE]
    if not parties:
        # Ouvert par dérogation : la requête se produit, la personne l'a décidé et motivé.
        manque = "" if dossier.derogation else _("Aucune mise en demeure n'est partie.")
        return Point("mise_en_demeure", titre, manque, "client")
    derniere = parties[-1]
    if derniere.canal == "recommande" and not derniere.retour:
        return Point("mise_en_demeure", titre, _("Le retour de l'avis n'est pas saisi."), "poster")
    if derniere.retour == Courrier.Retour.NPAI and not dossier.derogation:
        return Point("mise_en_demeure", titre, _("Revenue « inconnu à l'adresse » : à refaire."), "client")
    avis = next((p for p in dossier.pieces.all() if p.genre == P.AVIS_RECEPTION and p.courrier_id == derniere.pk), None)
    if avis is not None and avis.manque:
        return Point("mise_en_demeure", titre, _("Joignez le scan de l'avis."), f"piece:{avis.pk}")
    return Point("mise_en_demeure", titre)


def _contestations(dossier: DossierContentieux) -> Point:
    """Une contestation passée sous silence perd la requête : elle s'expose, loyalement."""
    litiges, statuts = contestations_connues(dossier)
    titre = _("Aucun litige ouvert ; contestations exposées")
    if None in litiges:
        return Point("contestations", titre, _("Un litige est ouvert sur une facture du dossier."), "litiges")
    if bloquants := [s for s in statuts if s != FE_APPROUVEE_EN_PARTIE]:
        manque = _("Une facture du dossier est contestée, refusée ou suspendue sur la plateforme (statut %(s)s).")
        return Point("contestations", titre, manque % {"s": ", ".join(bloquants)}, "client")
    if (litiges or statuts) and not dossier.contestations.strip():
        manque = (
            _("Un litige a été clos : dites-en le sort dans la requête.") if litiges
            else _("Une facture n'est approuvée qu'en partie sur la plateforme : exposez-le dans la requête.")
        )  # fmt: skip
        return Point("contestations", titre, manque, "dossier")
    return Point("contestations", titre)


def contestations_connues(dossier: DossierContentieux) -> tuple[list[date | None], list[str]]:
    """(clôture de chaque litige, None s'il est ouvert ; statuts de plateforme qui contestent) des factures du dossier.

    Par facture, jamais par échéance : un litige sur l'une conteste l'autre aussi.
    """
    factures = Facture.objects.filter(echeances__dossiers__dossier=dossier)
    litiges = Litige.objects.filter(echeance__facture__in=factures.values("pk")).values_list("clos_le", flat=True)
    statuts = factures.filter(statut_fe__in=FE_CONTESTENT).order_by("statut_fe").values_list("statut_fe", flat=True)
    return list(litiges), list(statuts.distinct())


def _juridiction(dossier: DossierContentieux) -> Point:
    titre = _("Juridiction choisie et relue")
    if dossier.juridiction in (Genre.JUDICIAIRE.value, Genre.CHAMBRE_COMMERCIALE.value):
        manque = _(
            "Ce projet de requête convient au tribunal de commerce : devant le tribunal judiciaire, "
            "employez le cerfa 12948."
        )
    elif not dossier.juridiction or not dossier.tribunal:
        manque = _("Choisissez le tribunal du lieu où demeure le débiteur.")
    elif not dossier.competence_relue:
        manque = _("La compétence est à relire par une personne.")
    else:
        manque = ""
    return Point("juridiction", titre, manque, "juridiction")


def _credits(compte: Compte) -> Point:
    """Réclamer ce qui est déjà reçu perd le dossier ; le déduire de chacun des dossiers du compte fausse les autres."""
    titre, manque = _("Sommes reçues affectées"), ""
    if compte.a_affecter:
        recu = somme(compte.a_affecter, compte.devise)
        manque = _("%(montant)s reçus et non affectés : affectez-les.") % {"montant": recu}
    return Point("credits", titre, manque, "encaissements")


def _montant(dossier: DossierContentieux, compte: Compte, au: date) -> Point:
    titre = _("Montant déterminé, décompte arrêté au %(j)s") % {"j": ecrire_jour(compte.arrete_au)}
    regle_le = dernier_reglement(dossier)
    if not compte.calculable:
        return Point("montant", titre, refus_du_calcul(compte), "client" if compte.taux.sous_plancher else "taux")
    if compte.totaux.a_payer <= 0:
        return Point("montant", titre, _("Plus rien n'est dû."), "decompte")
    if regle_le and regle_le > compte.arrete_au:
        return Point(
            "montant", titre, _("Un règlement est arrivé le %(j)s : rafraîchissez le décompte.")
            % {"j": ecrire_jour(regle_le)}, "decompte",
        )  # fmt: skip
    if compte.arrete_au > au:
        return Point("montant", titre, _("Arrêté à une date future."), "decompte")
    return Point("montant", titre)


def _prescription(dossier: DossierContentieux) -> Point:
    manque = "" if dossier.prescription_relue_le else _("Relisez les dates de chaque facture.")
    return Point("prescription", _("Prescription relue"), manque, "prescription")
