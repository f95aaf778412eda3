"""Balance âgée en fichiers : CSV et JSON du contrat, classeur XLSX, PDF en paysage.

Aucun texte venu d'un client ne devient une formule de tableur.
"""

import csv
from collections import defaultdict
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass, field
from datetime import date, datetime
from decimal import Decimal
from io import BytesIO, StringIO
from pathlib import Path

from django.conf import settings
from django.db.models import QuerySet
from django.template.loader import render_to_string
from django.utils.translation import gettext as _

from recouvrement.commun import formats, pdf

from .balance import (
    COLONNES,
    Controle,
    Groupe,
    Ligne,
    balance_agee,
    controler,
    credits_ouverts,
    echeances_ouvertes,
    grouper,
    total,
    tranche,
)
from .models import Avoir, Echeance, Encaissement

ENTETE = ("code", "nom", "devise", *COLONNES)
FEUILLE_PDF = Path(settings.RACINE) / "templates" / "factures" / "balance.css"
PIECES_PDF_MAX = 1500  # au-delà, le PDF donne les totaux par client et le dit
LIGNES_PDF_MAX = 2000  # au-delà, un PDF ne se lit plus : XLSX, ou un regroupement


@dataclass(frozen=True, slots=True)
class Piece:
    """Une pièce sous sa ligne. rang : sa colonne, de 0 (non échu) à 5 (à imputer, montant négatif)."""

    objet: Echeance | Encaissement | Avoir
    libelle: str
    jour: date
    rang: int
    montant: Decimal

    @property
    def genre(self) -> str:
        """« echeance », « encaissement » ou « avoir »."""
        return self.objet._meta.model_name

    @property
    def cellules(self) -> list[Decimal | None]:
        """Le montant dans sa colonne parmi les six, rien ailleurs."""
        return [self.montant if rang == self.rang else None for rang in range(6)]


@dataclass(frozen=True)
class Etat:
    """Une balance prête à sortir : ce qu'elle contient et ce qu'elle dit d'elle-même.

    groupes : vide si la balance est par client. pieces : liste jointe au PDF, vide si elle est trop longue.
    """

    au: date
    par: str
    lignes: Sequence[Ligne]
    groupes: Sequence[Groupe] = ()
    controles: dict[str, Controle] = field(default_factory=dict)
    societe: str = ""
    filtres: Sequence[str] = ()
    pieces: dict[tuple[int, str], list[Piece]] = field(default_factory=dict)

    @property
    def devises(self) -> list[str]:
        return sorted({ligne.devise for ligne in self.lignes})

    @property
    def totaux(self) -> list[Ligne]:
        return [total(self.lignes, devise) for devise in self.devises]

    @property
    def resultat(self) -> list[Ligne]:
        """Les lignes du regroupement demandé."""
        return [groupe.total for groupe in self.groupes] if self.groupes else list(self.lignes)

    def ecart(self, ligne: Ligne) -> Decimal | None:
        """Encours moins solde du grand livre ; None si le contrôle n'a pas été fait."""
        controle = self.controles.get(ligne.devise)
        return None if controle is None else ligne.encours - controle.solde


class TropDeLignes(ValueError):
    """Un PDF de cette taille ne se lit pas."""


def etablir(
    clients: QuerySet,
    *,
    au: date,
    par: str = "client",
    devise: str | None = None,
    societe: str = "",
    filtres: Sequence[str] = (),
    pieces_max: int = 0,
) -> Etat:
    """Balance, groupes et contrôle de ces clients ; quatre requêtes au plus, six avec le détail des pièces.

    pieces_max : joint la liste des pièces si le contrôle n'en compte pas davantage (le PDF).
    """
    lignes = balance_agee(clients, au=au, devise=devise)
    controles = controler(clients, au=au)
    groupes = grouper(lignes, par) if par != "client" else []
    pieces = {}
    if 0 < sum(c.pieces for d, c in controles.items() if devise in (None, d)) <= pieces_max:
        pieces = detailler(clients, au=au)
    return Etat(au, par, lignes, groupes, controles, societe, filtres, pieces)


def detailler(clients: QuerySet, *, au: date) -> dict[tuple[int, str], list[Piece]]:
    """{(client, devise): pièces ouvertes ce jour-là, de la plus ancienne à la plus récente}, crédits à la fin."""
    detail = defaultdict(list)
    for e in echeances_ouvertes(clients, au=au).select_related("facture").order_by("date_echeance", "pk"):
        detail[e.client_id, e.devise].append(
            Piece(e, str(e.facture), e.date_echeance, tranche(e.date_echeance, au), e.reste_au)
        )
    encaissements, avoirs = credits_ouverts(clients, au=au)
    for credit in (*encaissements.order_by("date", "pk"), *avoirs.order_by("date_emission", "pk")):
        jour = credit.date if isinstance(credit, Encaissement) else credit.date_emission
        detail[credit.client_id, credit.devise].append(Piece(credit, str(credit), jour, 5, -credit.reste_au))
    return dict(detail)


def inoffensif(texte: str) -> str:
    """Texte d'une cellule : ce qui commencerait une formule est précédé d'une apostrophe."""
    return f"'{texte}" if texte and texte[0] in "=+-@\t\r\n" else texte


def csv_balance(lignes: Iterable[Ligne]) -> Iterator[str]:
    """Contrat de la ligne de commande : « ; », point décimal, une ligne par groupe et devise, sans total."""
    tampon = StringIO()
    ecrire = csv.writer(tampon, delimiter=";", lineterminator="\n").writerow
    for rangee in (ENTETE, *map(_rangee, lignes)):
        ecrire(rangee)
        yield tampon.getvalue()
        tampon.seek(0)
        tampon.truncate()


def _rangee(ligne: Ligne) -> list[str]:
    textes = (ligne.code, ligne.nom, ligne.devise)
    return [*map(inoffensif, textes), *(f"{montant:.2f}" for montant in ligne.montants)]


def json_balance(etat: Etat) -> dict:
    """Objet JSON : montants en chaînes à deux décimales, dates ISO."""

    def objet(ligne: Ligne) -> dict:
        montants = dict(zip(COLONNES, (f"{m:.2f}" for m in ligne.montants), strict=True))
        return {"code": ligne.code, "nom": ligne.nom, "devise": ligne.devise, **montants}

    totaux = []
    for ligne in etat.totaux:
        ecart = etat.ecart(ligne)
        totaux.append(objet(ligne) | {"clients": ligne.clients, "ecart": None if ecart is None else f"{ecart:.2f}"})
    return {
        "au": etat.au.isoformat(),
        "par": etat.par,
        "lignes": [objet(ligne) for ligne in etat.resultat],
        "totaux": totaux,
    }


# --- Classeur --------------------------------------------------------------------------------------


def xlsx_balance(etat: Etat) -> bytes:
    """Une feuille de synthèse, puis une par groupe ; le total est une formule, à refaire par qui doute."""
    import xlsxwriter

    flux = BytesIO()
    classeur = xlsxwriter.Workbook(
        flux,
        {"constant_memory": True, "strings_to_formulas": False, "strings_to_urls": False, "strings_to_numbers": False},
    )
    classeur.set_properties({"title": _titre(etat), "company": etat.societe})
    styles = {
        "titre": classeur.add_format({"bold": True, "font_size": 14}),
        "entete": classeur.add_format({"bold": True, "bottom": 1, "text_wrap": True, "valign": "top"}),
        "montant": classeur.add_format({"num_format": "#,##0.00;[Red]-#,##0.00;–"}),
        "total": classeur.add_format({"bold": True, "top": 1, "num_format": "#,##0.00;[Red]-#,##0.00;–"}),
        "gras": classeur.add_format({"bold": True, "top": 1}),
    }
    noms: set[str] = set()
    _feuille(classeur, styles, _nom_de_feuille(_("Balance"), noms), etat, etat.resultat)
    for groupe in etat.groupes:
        nom = _nom_de_feuille(
            groupe.total.nom if len(etat.devises) == 1 else f"{groupe.total.nom} {groupe.total.devise}", noms
        )
        _feuille(classeur, styles, nom, etat, groupe.lignes)
    classeur.close()
    return flux.getvalue()


def _feuille(classeur, styles, nom: str, etat: Etat, lignes: Sequence[Ligne]) -> None:
    feuille = classeur.add_worksheet(nom)
    feuille.set_landscape()
    feuille.set_paper(9)
    feuille.fit_to_pages(1, 0)
    feuille.repeat_rows(3)
    feuille.freeze_panes(4, 2)
    feuille.set_column(0, 0, 16)
    feuille.set_column(1, 1, 40)
    feuille.set_column(2, 2, 8)
    feuille.set_column(3, 9, 15)
    feuille.write_string(0, 0, f"{nom} – {_titre(etat)}", styles["titre"])
    feuille.write_string(1, 0, " · ".join(filter(None, [etat.societe, *etat.filtres])))
    for colonne, texte in enumerate(entetes(etat)):
        feuille.write_string(3, colonne, texte, styles["entete"])
    rang = 4
    for ligne in lignes:
        for colonne, texte in enumerate((ligne.code, ligne.nom, ligne.devise)):
            feuille.write_string(rang, colonne, texte)
        for colonne, montant in enumerate(ligne.montants, 3):
            feuille.write_number(rang, colonne, montant, styles["montant"])
        rang += 1
    dernier = rang
    for somme in (total(lignes, devise) for devise in sorted({ligne.devise for ligne in lignes})):
        feuille.write_string(rang, 0, _("Total"), styles["gras"])
        feuille.write_string(rang, 1, "", styles["gras"])
        feuille.write_string(rang, 2, somme.devise, styles["gras"])
        for colonne, montant in enumerate(somme.montants, 3):
            lettre = "ABCDEFGHIJ"[colonne]
            formule = f'=SUMIF($C$5:$C${dernier},"{somme.devise}",{lettre}$5:{lettre}${dernier})'
            feuille.write_formula(rang, colonne, formule, styles["total"], montant)
        rang += 1


def _nom_de_feuille(texte: str, pris: set[str]) -> str:
    """31 caractères au plus, sans signe interdit, unique sans égard à la casse."""
    base = "".join("-" if c in "[]:*?/\\" else c for c in texte).strip("' ")[:31] or _("Feuille")
    nom, rang = base, 2
    while nom.casefold() in pris:
        suffixe = f" ({rang})"
        nom, rang = base[: 31 - len(suffixe)] + suffixe, rang + 1
    pris.add(nom.casefold())
    return nom


# --- PDF -------------------------------------------------------------------------------------------


def pdf_balance(etat: Etat, *, edite_le: datetime) -> bytes:
    """A4 en paysage : titre daté, filtres en clair, total, page n sur m, heure d'édition.

    Lève TropDeLignes, ou PdfIndisponible si Pango manque.
    """
    if len(etat.resultat) + sum(len(g.lignes) for g in etat.groupes) > LIGNES_PDF_MAX:
        raise TropDeLignes(
            _("Plus de %(max)s lignes : un PDF ne se lirait pas. Choisissez le classeur, ou un filtre.")
            % {"max": formats.nombre(LIGNES_PDF_MAX)}
        )
    contexte = {
        "etat": etat,
        "titre": _titre(etat),
        "entetes": entetes(etat)[3:],
        "edite_le": edite_le,
        "blocs": _blocs(etat),
        "totaux": [(ligne, etat.ecart(ligne)) for ligne in etat.totaux],
    }
    return pdf.rendre(render_to_string("factures/balance_pdf.html", contexte), FEUILLE_PDF)


def _blocs(etat: Etat) -> list[tuple[Ligne | None, list[tuple[Ligne, list[Piece]]]]]:
    """[(groupe ou rien, [(ligne, ses pièces)])], prêt à imprimer."""
    groupes = [(g.total, g.lignes) for g in etat.groupes] or [(None, etat.lignes)]
    return [
        (entete, [(ligne, etat.pieces.get((ligne.cle, ligne.devise), [])) for ligne in lignes])
        for entete, lignes in groupes
    ]


def entetes(etat: Etat) -> list[str]:
    """Titres des dix colonnes, dans la langue de la personne."""
    premier = {
        "client": _("Client"),
        "gestionnaire": _("Gestionnaire"),
        "societe": _("Société"),
        "segment": _("Segment"),
    }
    return [
        _("Code"), premier[etat.par], _("Devise"), _("Non échu"), _("1–30 j"), _("31–60 j"), _("61–90 j"), _("> 90 j"),
        _("À imputer"), _("Encours"),
    ]  # fmt: skip


def _titre(etat: Etat) -> str:
    return _("Balance âgée au %(jour)s") % {"jour": formats.jour(etat.au)}


def nom_de_fichier(etat: Etat, extension: str) -> str:
    """`balance-agee-2026-11-20.xlsx`."""
    return f"balance-agee-{etat.au.isoformat()}.{extension}"
