"""Voir un modèle sur un vrai client, ou sur un exemple fictif ; rien n'est écrit."""

from collections.abc import Mapping
from dataclasses import dataclass, replace
from datetime import date

from django.db.models import Exists, OuterRef

from clients.models import Client
from factures.models import Echeance
from recouvrement.commun.pdf import PdfIndisponible
from recouvrement.comptes.models import Societe
from relances.domaine.natures import Canal, Nature
from relances.domaine.sms import Longueur, mesurer
from relances.domaine.texte_ferme import cle
from relances.models import Courrier, Modele, Palier, VersionEchelle
from relances.rendu import contexte as c
from relances.rendu import controles_modele, courriels, insertions, lettres, messages, variables
from relances.rendu.constats import Manque
from relances.rendu.livres import Genre
from relances.rendu.moteur import VariableInconnue

from .modeles import lettre_d_exemple
from .preparation import composer

CHOIX = 40  # clients proposés


@dataclass(frozen=True)
class Apercu:
    """Ce que le texte donne. `client` None : l'exemple fictif. `manques` : ce qui l'empêcherait de partir ainsi."""

    lettre: c.Lettre
    support: str
    client: Client | None
    objet: str
    texte: str
    manques: tuple[Manque, ...]

    @property
    def sms(self) -> Longueur | None:
        return mesurer(self.texte) if self.support == insertions.SMS else None

    def pdf(self) -> bytes | None:
        """La lettre telle qu'elle sortirait ; None pour un autre support, ou sans moteur de rendu."""
        if self.support != insertions.LETTRE or not self.texte:
            return None
        try:
            return lettres.rendre_pdf(self.lettre)
        except PdfIndisponible:
            return None


def clients_possibles(visibles, genre: Genre, societe: Societe, *, au: date):
    """Clients de ce type qui ont une pièce à ce stade, par nom ; bornés : l'adresse `?client=` ouvre les autres."""
    pieces = _pieces(genre, au=au).filter(facture__client=OuterRef("pk"))
    return visibles.filter(Exists(pieces), societe=societe, type=genre.type_debiteur.value).order_by(
        "raison_sociale", "pk"
    )[:CHOIX]


def _pieces(genre: Genre, *, au: date):
    ouvertes = Echeance.objects.ouvertes_au(au)
    return ouvertes.filter(date_echeance__gte=au) if genre.nature == Nature.AVANT_ECHEANCE else ouvertes.echues(au)


def apercevoir(
    genre: Genre, societe: Societe, textes: Mapping[str, str], *, au: date, client: Client | None = None
) -> Apercu:
    """Le texte rempli pour ce client, d'après ses pièces du jour ; sans client ni pièce, pour l'exemple fictif."""
    lettre = _du_client(genre, client, au=au) if client else None
    if lettre is None:
        modele = Modele(societe=societe, **_champs(genre))
        lettre, client = lettre_d_exemple(modele, au=au), None
    lettre = replace(lettre, modeles={genre.support: textes})
    manques = controles_modele.manques(lettre, genre.support)
    try:
        objet, texte = _rendre(lettre, genre.support)
    except VariableInconnue:
        objet, texte = "", ""
    return Apercu(lettre, genre.support, client, objet, texte, tuple(manques))


def _champs(genre: Genre) -> dict:
    return {
        "nature": genre.nature.value,
        "type_debiteur": genre.type_debiteur.value,
        "support": genre.support,
        "langue": genre.langue,
    }


def _rendre(lettre: c.Lettre, support: str) -> tuple[str, str]:
    if support == insertions.SMS:
        return "", messages.rendre(lettre)
    courriel = courriels.rendre(lettre)
    return courriel.objet, courriel.texte


def _du_client(genre: Genre, client: Client, *, au: date) -> c.Lettre | None:
    """La lettre qu'il recevrait à ce palier, toutes pièces échues ; None s'il n'en a aucune, ou si elle ne se rend pas
    (taux du semestre absent)."""
    pieces = list(_pieces(genre, au=au).filter(facture__client=client).select_related("facture").order_by("pk"))
    devise = pieces[0].devise if pieces else "EUR"
    pieces = [p for p in pieces if p.devise == devise]
    if not pieces:
        return None
    courrier = Courrier(
        societe=client.societe, client=client, nature=genre.nature, devise=devise, canal=_canal(genre),
        palier=_palier(genre, client.societe), statut=Courrier.Statut.A_VALIDER,
    )  # fmt: skip
    lettre = composer(courrier, au=au, echeances=pieces, versions={})
    lettre = replace(lettre, destinataire=replace(lettre.destinataire, langue=genre.langue))
    return None if lettre.taux.semestres_manquants else lettre


def _canal(genre: Genre) -> Canal:
    if genre.support != insertions.LETTRE:
        return Canal.COURRIEL
    return Canal.RECOMMANDE if genre.nature == Nature.MISE_EN_DEMEURE else Canal.LETTRE


def _palier(genre: Genre, societe: Societe) -> Palier:
    """Celui du plan publié, pour son délai ; à défaut, huit jours."""
    publies = Palier.objects.filter(
        version__statut=VersionEchelle.Statut.PUBLIEE, version__echelle__societe=societe, nature=genre.nature
    )
    memes = publies.filter(version__echelle__type_debiteur=genre.type_debiteur.value)
    return memes.first() or publies.first() or Palier(nature=genre.nature, delai_reponse=8)


def valeurs(apercu: Apercu, genre: Genre) -> list[tuple[insertions.Insertion, str]]:
    """Chaque insertion permise et ce qu'elle donne ici."""
    lues = variables.d_une_lettre(apercu.lettre, support=genre.support)["valeurs"]
    liste = []
    for insertion in genre.insertions():
        try:
            liste.append((insertion, lues[cle(insertion.nom)].strip()))
        except (VariableInconnue, ValueError, AttributeError):
            liste.append((insertion, ""))
    return liste
