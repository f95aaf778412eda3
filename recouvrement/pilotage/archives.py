"""Un client, ou toute une société, dans un zip : chaque table en CSV, chaque document octet pour octet.

L'archive s'écrit pendant qu'elle part : ni mémoire ni disque ne dépendent de sa taille. Un document du dépôt qui ne
correspond plus à son empreinte n'y entre pas, et l'archive le dit (`manquants.txt`).
"""

import io
import zipfile
from collections.abc import Iterable, Iterator
from dataclasses import dataclass, field
from operator import attrgetter

from django.db.models import Model, QuerySet

from clients.models import (
    AnnonceBodacc,
    BlocageCommandes,
    Client,
    Contact,
    CorrectionProposee,
    Document,
    IbanClient,
    Note,
    Partage,
    Report,
)
from clients.models import Suspension as SuspensionClient
from contentieux.models import DossierContentieux, DossierEcheance, Etape, Frais, Interruption, Piece
from factures.models import (
    Accord,
    AffectationAccessoires,
    Avoir,
    CopieFacture,
    Douteux,
    EchangeLitige,
    Echeance,
    Echeancier,
    Encaissement,
    Exclusion,
    Facture,
    Imputation,
    Litige,
    Mensualite,
    Promesse,
    PropositionPerte,
    Renonciation,
    StatutRecu,
)
from recouvrement.commun import depot
from recouvrement.commun.fichiers import nom_sur
from recouvrement.commun.tableaux import Colonne, lignes_csv
from recouvrement.journal.models import Maillon
from relances.models import (
    CodeSignature,
    Courrier,
    Declaration,
    LeveeDeFrein,
    LienPortail,
    Message,
    MessageRecu,
    Relance,
    Tache,
    Verdict,
    VisitePortail,
)

# (nom du fichier, modèle, chemin jusqu'au client). L'ordre est celui où une personne les lit.
TABLES: tuple[tuple[str, type[Model], str], ...] = (
    ("clients", Client, "pk"),
    ("contacts", Contact, "client"),
    ("ibans", IbanClient, "client"),
    ("notes", Note, "client"),
    ("partages", Partage, "client"),
    ("reports", Report, "client"),
    ("documents", Document, "client"),
    ("suspensions", SuspensionClient, "client"),
    ("blocages", BlocageCommandes, "client"),
    ("corrections", CorrectionProposee, "client"),
    ("factures", Facture, "client"),
    ("echeances", Echeance, "client"),
    ("copies", CopieFacture, "facture__client"),
    ("avoirs", Avoir, "client"),
    ("encaissements", Encaissement, "client"),
    ("imputations", Imputation, "echeance__client"),
    ("accessoires", AffectationAccessoires, "facture__client"),
    ("litiges", Litige, "echeance__client"),
    ("litiges-echanges", EchangeLitige, "litige__echeance__client"),
    ("promesses", Promesse, "client"),
    ("echeanciers", Echeancier, "client"),
    ("mensualites", Mensualite, "echeancier__client"),
    ("accords", Accord, "client"),
    ("accords-codes", CodeSignature, "accord__client"),
    ("pertes", PropositionPerte, "echeance__client"),
    ("exclusions", Exclusion, "echeance__client"),
    ("renonciations", Renonciation, "facture__client"),
    ("douteuses", Douteux, "facture__client"),
    ("statuts-factures", StatutRecu, "facture__client"),
    ("verdicts", Verdict, "echeance__client"),
    ("levees", LeveeDeFrein, "echeance__client"),
    ("relances", Relance, "echeance__client"),
    ("courriers", Courrier, "client"),
    ("messages", Message, "client"),
    ("messages-recus", MessageRecu, "client"),
    ("liens", LienPortail, "client"),
    ("visites", VisitePortail, "lien__client"),
    ("declarations", Declaration, "client"),
    ("taches", Tache, "client"),
    ("dossiers", DossierContentieux, "client"),
    ("dossiers-pieces-dues", DossierEcheance, "dossier__client"),
    ("dossiers-etapes", Etape, "dossier__client"),
    ("dossiers-pieces", Piece, "dossier__client"),
    ("dossiers-frais", Frais, "dossier__client"),
    ("interruptions", Interruption, "facture__client"),
    ("interruptions-dossiers", Interruption, "dossier__client"),
)
SECRETS = {"jeton", "cle", "code_court"}  # ouvrent la page du client ou s'y rejouent : une archive circule
# (dossier de l'archive, modèle, chemin jusqu'au client, nom du fichier, champ du chemin, champ de l'empreinte).
DOCUMENTS: tuple[tuple[str, type[Model], str, str, str, str], ...] = (
    ("factures", CopieFacture, "facture__client", "nom", "chemin", "empreinte"),
    ("courriers", Courrier, "client", "reference", "pdf_chemin", "pdf_empreinte"),
    ("avis", Courrier, "client", "reference", "avis_chemin", "avis_empreinte"),
    ("depots", Courrier, "client", "reference", "depot_chemin", "depot_empreinte"),
    ("accords", Accord, "client", "reference", "pdf_chemin", "pdf_empreinte"),
    ("documents", Document, "client", "nom", "chemin", "empreinte"),
    ("recus", MessageRecu, "client", "objet", "brut_chemin", "brut_empreinte"),
    ("contentieux", Piece, "dossier__client", "designation", "chemin", "empreinte"),
)


@dataclass
class Archive:
    """clients : ceux qu'elle contient, déjà limités à ce que la personne voit. titre : sa première ligne."""

    clients: QuerySet
    titre: str
    manquants: list[str] = field(default_factory=list)

    def flux(self) -> Iterator[bytes]:
        """Les octets du zip, à mesure."""
        tampon = _Tampon()
        with zipfile.ZipFile(tampon, "w", zipfile.ZIP_DEFLATED, allowZip64=True) as zip_:
            for nom, morceaux in self._membres():
                with zip_.open(zipfile.ZipInfo(nom), "w", force_zip64=True) as membre:
                    for morceau in morceaux:
                        membre.write(morceau)
                        yield from tampon.rendre()
                yield from tampon.rendre()
        yield from tampon.rendre()

    def _membres(self) -> Iterator[tuple[str, Iterable[bytes]]]:
        yield "LISEZMOI.txt", [f"{self.titre}\n\n{PRESENTATION}".encode()]
        for nom, modele, chemin in TABLES:
            yield f"{nom}.csv", _csv(self._de(modele, chemin).order_by("pk"), colonnes(modele))
        yield "annonces-bodacc.csv", _csv(self._annonces(), colonnes(AnnonceBodacc))
        yield "journal.csv", _csv(self._journal(), JOURNAL)
        for dossier, modele, chemin, nom, fichier, empreinte in DOCUMENTS:
            lignes = self._de(modele, chemin).exclude(**{fichier: ""}).order_by("pk")
            for pk, propre, ou, attendu in lignes.values_list("pk", nom, fichier, empreinte).iterator(chunk_size=2_000):
                chemin_zip = f"{dossier}/{pk}-{nom_sur(str(propre) or dossier)}{_suffixe(ou, str(propre))}"
                try:
                    yield chemin_zip, [depot.lire(ou, attendu)]
                except depot.ErreurDepot as erreur:
                    self.manquants.append(f"{chemin_zip} : {erreur}")
        if self.manquants:
            yield "manquants.txt", ["\n".join(self.manquants).encode()]

    def _de(self, modele: type[Model], chemin: str) -> QuerySet:
        if modele is Client:
            return self.clients.order_by("pk")
        return modele._default_manager.filter(**{f"{chemin}__in": self.clients.order_by().values("pk")})

    def _annonces(self) -> QuerySet:
        sirens = self.clients.exclude(siren="").order_by().values("siren")
        societes = self.clients.order_by().values("societe")
        return AnnonceBodacc.objects.filter(siren__in=sirens, societe__in=societes).order_by("pk")

    def _journal(self) -> QuerySet:
        clients = self.clients.order_by().values("pk")
        return Maillon.objects.filter(client_id__in=clients).select_related("detail", "acteur").order_by("rang")


PRESENTATION = """Chaque fichier CSV est une table : point-virgule, virgule décimale, UTF-8, une ligne par fait.
Les dossiers portent les documents tels qu'ils sont partis ou arrivés, vérifiés par leur empreinte SHA-256.
Les identifiants (colonnes « id » et suivantes) relient les tables entre elles.
"""
JOURNAL = [
    Colonne("rang", lambda m: m.rang),
    Colonne("quand", lambda m: m.quand),
    Colonne("acteur", lambda m: m.acteur.courriel if m.acteur else ""),
    Colonne("action", lambda m: m.action),
    Colonne("objet", lambda m: f"{m.objet_type} {m.objet_id or ''}".strip()),
    Colonne("client_id", lambda m: m.client_id),
    Colonne("texte", lambda m: m.detail.texte),
    Colonne("empreinte", lambda m: m.empreinte),
]


def colonnes(modele: type[Model]) -> list[Colonne]:
    """Tous les champs du modèle, sous leur nom de base ; ni secret, ni relation à suivre."""
    champs = [champ.attname for champ in modele._meta.concrete_fields if champ.name not in SECRETS]
    return [Colonne(nom, attrgetter(nom)) for nom in champs]


def _csv(lignes: QuerySet, colonnes: list[Colonne]) -> Iterator[bytes]:
    for texte in lignes_csv(lignes.iterator(chunk_size=2_000), colonnes):
        yield texte.encode()


def _suffixe(chemin: str, nom: str) -> str:
    suffixe = chemin[chemin.rfind(".") :] if "." in chemin else ""
    return "" if nom.lower().endswith(suffixe) else suffixe


class _Tampon(io.RawIOBase):
    """Ce que le zip vient d'écrire, rendu puis oublié ; sans retour en arrière."""

    def __init__(self):
        self.morceaux: list[bytes] = []

    def writable(self) -> bool:
        return True

    def write(self, octets) -> int:
        self.morceaux.append(bytes(octets))
        return len(octets)

    def rendre(self) -> Iterator[bytes]:
        if self.morceaux:
            yield b"".join(self.morceaux)
            self.morceaux = []
