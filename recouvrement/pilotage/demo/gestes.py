"""Les gestes d'une personne, joués à leur jour par les vrais services. Un geste impossible ce jour-là répond faux."""

import random
from datetime import date, timedelta
from decimal import Decimal
from functools import lru_cache
from html import escape

from django.core.exceptions import ValidationError
from django.utils import timezone

from clients import services as fiches
from contentieux.domaine.delais import ajouter_mois
from contentieux.models import DossierContentieux
from contentieux.services import (
    completer,
    enregistrer_etape,
    joindre_piece,
    ouvrir_dossier,
    projet_de_mandatement,
    projet_de_requete,
    proposer_expose,
    relever_acte,
)  # fmt: skip
from factures import services as compte
from factures.domaine.calendrier import jour_ouvre_suivant
from factures.imports.appliquer import importer
from factures.models import Avoir, Echeance
from factures.services import copies, echeanciers, exclusions, prelevements, renonciations
from factures.services.statuts_fe import Suite, noter_statut
from recouvrement.commun import pdf
from recouvrement.commun.formats import jour as ecrire_jour
from recouvrement.journal.services import consigner
from relances.domaine.appels import Issue
from relances.domaine.natures import Canal
from relances.models import Courrier, Tache
from relances.recommandes import Manuel
from relances.rendu.lettres import FEUILLE
from relances.services import gestes, levees, taches
from relances.services.remises import choisir_la_voie

from .grand_livre import GrandLivre
from .personnages import Personnage

S = Courrier.Statut
Voie = DossierContentieux.Voie
CENT = Decimal("0.01")
DECLARATION_MOIS = 2  # C. com., art. R622-24


@lru_cache(maxsize=32)
def specimen(titre: str) -> bytes:
    """Une page qui tient la place d'un document que la démonstration n'a pas."""
    titre = escape(titre)
    corps = f"<h1>{titre}</h1><p>Document de démonstration : aucune valeur.</p>"
    return pdf.rendre(f'<!doctype html><html lang="fr"><title>{titre}</title><body>{corps}</body></html>', FEUILLE)


class Gestes:
    def __init__(self, societe, personnes: dict, livre: GrandLivre, r: random.Random):
        self.societe, self.personnes, self.livre, self.r = societe, personnes, livre, r
        self.suivis = 0
        self.saisies = 0

    def par(self, p: Personnage):
        return p.client.gestionnaire

    def _echeances(self, p: Personnage, pieces: tuple[str, ...]) -> list[Echeance]:
        """Pièces de la scène, relues en base."""
        ids = [t.objet.pk for cle in pieces for t in self.livre.tranches[f"{p.code}/{cle}"]]
        return list(Echeance.objects.filter(pk__in=ids).order_by("pk"))

    def _courrier(self, p: Personnage, *statuts: str) -> Courrier | None:
        """Le plus récent dans l'un de ces états."""
        return Courrier.objects.filter(client=p.client, statut__in=statuts).order_by("-pk").first()

    def _cle(self) -> str:
        self.saisies += 1
        return f"demo-{self.saisies}"

    # --- Le compte -------------------------------------------------------------------------------
    def encaisser(self, p, le: date, *, montant: str, sur=(), libelle="", devise="EUR") -> bool:
        recu = compte.enregistrer_encaissement(
            p.client, montant=Decimal(montant), recu_le=le, au=le, cle=self._cle(), acteur=self.par(p), devise=devise,
            libelle=libelle,
        )  # fmt: skip
        if sur:
            reste, parts = recu.montant, []
            for e in self._echeances(p, sur):
                part = min(reste, e.reste_du)
                parts.append((e, part))
                reste -= part
            compte.imputer(recu, parts, au=le, cle=self._cle(), acteur=self.par(p))
        return True

    def relever(self, p, le: date, *, montant: str, libelle: str) -> bool:
        """Un mouvement du relevé de banque, importé : personne ne l'a encore affecté."""
        self.saisies += 1
        lignes = ["reference;code_client;date;montant;mode;facture;libelle"]
        lignes.append(f"RELEVE-{le:%Y%m%d}-{self.saisies};{p.code};{le};{montant};VIREMENT;;{libelle}")
        importer(
            "\n".join(lignes).encode(), self.societe, moment=timezone.now(), au=le, nom=f"releve-{le}.csv",
            auteur=self.par(p),
        )  # fmt: skip
        return True

    def crediter(self, p, le: date, *, montant: str, sur: str = "") -> bool:
        """Un avoir émis ce jour, imputé sur une pièce ou laissé au compte."""
        self.saisies += 1
        avoir = Avoir.objects.create(
            societe=self.societe, client=p.client, numero=f"AV-{le.year}-{self.saisies:04d}",
            cle_source=f"demo:avoir:{self.saisies}", date_emission=le, montant=Decimal(montant),
        )  # fmt: skip
        if sur:
            (echeance,) = self._echeances(p, (sur,))
            compte.imputer_avoir(avoir, [(echeance, avoir.montant)], au=le, cle=self._cle(), acteur=self.par(p))
        return True

    def echelonner(self, p, le: date, *, pieces: tuple[str, ...], dates: tuple[date, ...], clause=False) -> bool:
        """Échéancier accepté, en parts égales ; la dernière prend les centimes."""
        echeances = self._echeances(p, pieces)
        du = sum((e.reste_du for e in echeances), Decimal(0))
        part = (du / len(dates)).quantize(CENT)
        montants = [part] * (len(dates) - 1) + [du - part * (len(dates) - 1)]
        echeanciers.accepter(
            p.client, echeances=echeances, mensualites=list(zip(dates, montants, strict=True)), accepte_le=le, au=le,
            clause_decheance=clause, acteur=self.par(p),
        )  # fmt: skip
        return True

    def rejeter_prelevement(self, p, le: date, *, piece: str, motif: str) -> bool:
        (echeance,) = self._echeances(p, (piece,))
        return prelevements.rejeter_prelevement(echeance, motif=motif, acteur=self.par(p))

    def renoncer(self, p, le: date, *, piece: str, portee: str, motif: str) -> bool:
        (echeance,) = self._echeances(p, (piece,))
        renonciations.renoncer(echeance.facture, portee=portee, motif=motif, le=le, acteur=self.responsable)
        return True

    def copier(self, p, le: date, *, pieces: tuple[str, ...]) -> bool:
        """Les copies des factures, que les courriers joignent ensuite."""
        for e in self._echeances(p, pieces):
            numero = e.facture.numero
            copies.deposer(e.facture, octets=specimen(f"Facture {numero}"), nom=f"{numero}.pdf", acteur=self.par(p))
        return True

    def suivre_facture(self, p, le: date, *, piece: str, statut: str) -> bool:
        """Statut de facture électronique, tel que la plateforme l'a donné ce jour-là."""
        (echeance,) = self._echeances(p, (piece,))
        return noter_statut(echeance.facture, code=statut, le=le, au=le, acteur=self.par(p)) is Suite.NOTE

    # --- Le client -------------------------------------------------------------------------------
    def appeler(self, p, le: date, *, issue: str, motif: str = "", commentaire: str = "") -> bool:
        taches.consigner_appel(
            p.client, issue=Issue(issue), au=le, acteur=self.par(p), contact=p.client.contacts.order_by("pk").first(),
            commentaire=commentaire, motif=motif,
        )  # fmt: skip
        return True

    def promettre(self, p, le: date, *, pieces: tuple[str, ...], pour: date) -> bool:
        return self._promettre(p, le, self._echeances(p, pieces), pour)

    def _promettre(self, p, le: date, echeances: list[Echeance], pour: date) -> bool:
        ouvertes = [e for e in echeances if e.reste_du]
        if ouvertes:
            du = sum((e.reste_du for e in ouvertes), Decimal(0))
            compte.promettre(p.client, ouvertes, montant=du, date_promise=max(pour, le), au=le, acteur=self.par(p))
        return True

    def contester(
        self, p, le: date, *, piece: str, montant: str, categorie: str, a_traiter_le: date, description: str
    ) -> bool:
        (echeance,) = self._echeances(p, (piece,))
        compte.ouvrir_litige(
            echeance, montant=Decimal(montant), categorie=categorie, a_traiter_le=a_traiter_le, au=le,
            acteur=self.par(p), description=description, responsable=self.personnes["sophie.maurin"],
        )  # fmt: skip
        return True

    def suspendre(self, p, le: date, *, jusqu_au: date, motif: str) -> bool:
        fiches.suspendre(p.client, motif=motif, du=le, au=jusqu_au, acteur=self.par(p))
        return True

    def exclure(self, p, le: date, *, piece: str, jusqu_au: date, motif: str) -> bool:
        (echeance,) = self._echeances(p, (piece,))
        exclusions.exclure(echeance, motif=motif, du=le, au=jusqu_au, acteur=self.par(p))
        return True

    def lever(self, p, le: date, *, piece: str, frein: str, pour_le: date, motif: str) -> bool:
        """Demandée par l'administratrice ; au-dessus du seuil de la société, elle attend une seconde personne."""
        (echeance,) = self._echeances(p, (piece,))
        levees.lever(echeance, frein=frein, motif=motif, pour_le=pour_le, par=self.administratrice, au=le)
        return True

    def noter(self, p, le: date, *, texte: str) -> bool:
        fiches.noter(p.client, texte=texte, acteur=self.par(p))
        return True

    def surendetter(self, p, le: date) -> bool:
        p.client.refresh_from_db()
        fiches.modifier_client(p.client, version=p.client.version, champs={"surendettement": True}, acteur=self.par(p))
        return True

    def juger(self, p, le: date, *, publie_le: date) -> bool:
        """Redressement judiciaire : tout s'arrête, la créance est à déclarer."""
        fiches.signaler_jugement(p.client, le=le, au=le, acteur=self.par(p))
        taches.clore_pour_jugement(p.client, acteur=self.par(p))
        butoir = ajouter_mois(publie_le, DECLARATION_MOIS)
        taches.creer_tache(
            p.client, genre=Tache.Genre.DECLARER, titre=f"Déclarer la créance avant le {ecrire_jour(butoir)}",
            due_le=butoir, cle="declarer", raison=f"publication au BODACC du {ecrire_jour(publie_le)}",
        )  # fmt: skip
        return True

    # --- Les courriers ---------------------------------------------------------------------------
    def valider(self, p, le: date) -> bool:
        courrier = self._courrier(p, S.A_VALIDER)
        return bool(courrier) and self.valider_courrier(courrier, le, self.par(p))

    def valider_courrier(self, courrier: Courrier, le: date, par) -> bool:
        try:
            gestes.valider(courrier, par=par, au=le, au_dela_du_plafond=True)
        except gestes.Refus as refus:
            courrier.refresh_from_db(fields=["manques"])
            if not any(m["code"] == "reste_du" for m in courrier.manques):
                return False  # le contrôle juridique la bloque : elle attend une personne
            gestes.annuler(courrier, par=par, motif=str(refus), au=le)
        return True

    def poster(self, p, le: date) -> bool:
        courrier = self._courrier(p, S.A_POSTER)
        return bool(courrier) and self.poster_courrier(courrier, le, self.par(p))

    def poster_courrier(self, courrier: Courrier, le: date, par) -> bool:
        suivi = self.numero_de_suivi() if courrier.canal == Canal.RECOMMANDE else ""
        gestes.poster(courrier, par=par, depose_le=le, numero_suivi=suivi)
        return True

    def numero_de_suivi(self) -> str:
        self.suivis += 1
        return f"1A{20_400_000_000 + self.suivis * 7919:011d}"

    def remettre_en_ligne(self, p, le: date) -> bool:
        """Recommandé électronique, pour un client qui l'a accepté."""
        courrier = self._courrier(p, S.A_POSTER)
        if courrier:
            choisir_la_voie(courrier, electronique=True, par=self.responsable, au=le, fournisseur=Manuel())
        return bool(courrier)

    def retour(self, p, le: date, *, retour: str) -> bool:
        courrier = self._courrier(p, S.POSTE)
        return bool(courrier) and self.retour_courrier(courrier, le, retour, self.par(p))

    def retour_courrier(self, courrier: Courrier, le: date, retour: str, par) -> bool:
        if courrier.depose_le >= le:
            return False
        presente = min(jour_ouvre_suivant(courrier.depose_le + timedelta(days=2)), le)
        scan = (specimen("Avis de réception"), ".pdf")
        gestes.consigner_retour(courrier, par=par, retour=retour, retour_le=le, presente_le=presente, scan=scan)
        return True

    def relancer(self, p, le: date) -> bool:
        """« Envoyer maintenant » : le palier suivant attend la validation de la personne."""
        gestes.relancer_maintenant(p.client, par=self.par(p), au=le)
        return True

    def rebondir(self, p, le: date, *, motif: str) -> bool:
        courrier = self._courrier(p, S.ENVOYE)
        if courrier:
            gestes.constater_rebond(courrier, motif=motif, au=le)
        return bool(courrier)

    # --- Le contentieux --------------------------------------------------------------------------
    def ouvrir_dossier(self, p, le: date, *, motif: str, voie: str = Voie.INJONCTION) -> bool:
        """Le responsable ouvre le dossier ; l'examen des conditions peut encore dire non."""
        ouvertes = [e.pk for e in self._echeances(p, tuple(x.cle for x in p.scene.pieces)) if e.reste_du]
        try:
            ouvrir_dossier(p.client, ouvertes, par=self.responsable, au=le, motif=motif, voie=voie)
        except ValidationError:
            return False
        return True

    def joindre(self, p, le: date, *, genres: tuple[str, ...]) -> bool:
        """Joint aux pièces attendues de ces genres un document de démonstration qui dit ce qu'il remplace."""
        dossier = self._dossier(p)
        for piece in dossier.pieces.filter(genre__in=genres, chemin="") if dossier else ():
            joindre_piece(piece, specimen(piece.designation), f"{piece.genre}.pdf", par=self.responsable, jour=le)
        return bool(dossier)

    def deposer(self, p, le: date, **champs) -> bool:
        """Complète le dossier, produit le projet de requête et consigne son dépôt."""
        dossier = self._dossier(p)
        if dossier is None:
            return False
        dossier = completer(
            dossier, par=self.responsable, arrete_au=le, competence_relue=True, prescription_relue_le=le,
            nature_creance="commerce", expose=proposer_expose(dossier), **champs,
        )  # fmt: skip
        try:
            projet_de_requete(dossier, par=self.responsable, au=le)
        except ValidationError:
            return False
        enregistrer_etape(dossier, "depot_requete", le=le, par=self.responsable, au=le)
        return True

    def saisir_le_prefet(self, p, le: date, **champs) -> bool:
        """Complète le dossier et produit le projet de demande de mandatement d'office."""
        dossier = self._dossier(p)
        if dossier is None:
            return False
        dossier = completer(
            dossier, par=self.responsable, arrete_au=le, competence_relue=True, prescription_relue_le=le, **champs
        )
        projet_de_mandatement(dossier, par=self.responsable, au=le)
        return True

    def interrompre(self, p, le: date, *, piece: str, acte: str, survenu_le: date, nom: str, note: str) -> bool:
        """Un acte interruptif relevé, avec sa preuve."""
        (echeance,) = self._echeances(p, (piece,))
        relever_acte(
            echeance.facture, acte=acte, jour=survenu_le, par=self.responsable, au=le, note=note, nom=nom,
            preuve=specimen("Reconnaissance de dette"),
        )  # fmt: skip
        return True

    def avancer(self, p, le: date, *, evenement: str) -> bool:
        try:
            enregistrer_etape(self._dossier(p), evenement, le=le, par=self.responsable, au=le)
        except ValidationError:
            return False
        return True

    def _dossier(self, p) -> DossierContentieux | None:
        return DossierContentieux.objects.filter(client=p.client).first()

    @property
    def administratrice(self):
        return self.personnes["ines.vauquelin"]

    @property
    def responsable(self):
        return self.personnes["marc.delattre"]

    # --- Ouverture -------------------------------------------------------------------------------
    def annoncer(self, texte: str, par) -> None:
        consigner("demonstration.chargee", societe=self.societe, acteur=par, texte=texte)
