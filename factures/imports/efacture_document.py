"""D'un document lu aux objets neutres de l'import : le vendeur contrôlé, le client retrouvé, la créance posée."""

from collections.abc import Iterable
from dataclasses import replace
from decimal import Decimal

from factures.domaine.efacture import (
    AFFACTURES,
    FACTURES,
    RECTIFICATIVES,
    ZERO,
    Creance,
    Document,
    Due,
    creance,
    serrer,
)
from factures.domaine.mentions import PAR_CODE, mentions_absentes

from .efacture_clients import Annuaire, ChoixAFaire, code_de, fiche
from .lecteurs import ContexteLecture
from .lot import AvoirLu, ClientLu, Electronique, Element, FactureLue, LotLu, Pdf, Rejet
from .nombres import MONTANT_MAX, euros
from .texte import FichierRefuse

NUMERO_MAX = 60
AVERTISSEMENTS_MAX = 500


class Assembleur:
    """Remplit un lot, document après document ; `format` : celui du dernier."""

    def __init__(self, lot: LotLu, contexte: ContexteLecture):
        self.lot, self.contexte, self.format = lot, contexte, contexte.format
        self._annuaire: Annuaire | None = None
        self._clients: set[str] = set()
        self._montants: dict[str, tuple[str, Decimal, bool]] = {}  # clé → (client, dû, avoir)
        self._a_choisir: dict[str, list[str]] = {}
        self._doubles = 0

    @property
    def annuaire(self) -> Annuaire:
        if self._annuaire is None:
            self._annuaire = Annuaire.de(self.contexte.comptes())
        return self._annuaire

    def avertir(self, texte: str) -> None:
        if len(self.lot.avertissements) < AVERTISSEMENTS_MAX:
            self.lot.avertissements.append(texte)

    def prendre(self, ligne: int, document: Document, pdf: Pdf | None, jointes: tuple[str, ...]) -> list[Element]:
        """Éléments de ce document ; un client à choisir est un rejet. Lève FichierRefuse, DocumentInexploitable."""
        self.lot.lignes += 1
        document = _complet(replace(document, jointes=jointes))
        self._controler_vendeur(document)
        due = creance(document)
        absentes = None if due.avoir else mentions_absentes(document, document.emission)
        self.lot.faits = self._faits_de(document, due, absentes)
        if due.montant > MONTANT_MAX or due.ttc > MONTANT_MAX:
            raise FichierRefuse(f"{document.numero} : montant démesuré.")
        try:
            code = self.annuaire.trouver(document.acheteur, self.contexte.corrections.get("clients", {}))
        except ChoixAFaire as choix:
            self._a_choisir[choix.cle] = choix.codes
            self.lot.faits["clients_a_choisir"] = self._a_choisir
            self._dire(document, due, absentes, neuf=False)  # l'alerte de fraude n'attend pas le choix
            self.lot.rejeter(
                Rejet(
                    ligne, "client",
                    f"« {document.acheteur.nom} » : {choix}.",
                    "Choisissez le compte à l'aperçu, ou corrigez les fiches.",
                )
            )  # fmt: skip
            return []
        neuf = not code
        code = code or code_de(document.acheteur)
        if not code:
            raise FichierRefuse(f"{document.numero} : l'acheteur n'a ni nom ni identifiant. Faites-le compléter.")
        if not due.montant:
            self.avertir(f"{document.numero} : rien à payer (le net est nul), aucune créance n'est créée.")
            return []
        cle = f"EF:{document.vendeur.cle[:60]}:{document.numero}:{document.emission.year}"
        electronique = self._electronique(document, due, absentes, pdf)
        if cle in self._montants:
            return self._double(cle, ligne, document, due, code, electronique)
        self._montants[cle] = (code, due.montant, due.avoir)
        self.lot.documents[cle] = electronique
        self._dire(document, due, absentes, neuf)
        elements: list[Element] = []
        if code not in self._clients:
            self._clients.add(code)
            elements.append(ClientLu(ligne, code, fiche(document.acheteur) if neuf else {}, creer_seulement=True))
        elements += _pieces(ligne, cle, code, document, due, electronique)
        return elements

    # --- Contrôles ---------------------------------------------------------------------------

    def _controler_vendeur(self, d: Document) -> None:
        """Une facture d'un autre vendeur n'entre pas : ce serait sa créance, ou un achat de la société."""
        nous = self.contexte.vendeur
        siren, tva, nom = nous.get("siren", ""), serrer(nous.get("tva", "")), nous.get("nom", "")
        v = d.vendeur
        autre = (siren and v.siren and siren != v.siren) or (not (siren and v.siren) and tva and v.tva and tva != v.tva)
        if autre:
            achat = siren and d.acheteur.siren == siren
            raise FichierRefuse(
                f"Facture d'un autre vendeur : {v.nom or 'sans nom'} ({v.siren or v.tva}), et non {nom} "
                f"({siren or tva}). "
                + ("C'est une facture reçue, pas émise." if achat else "Vérifiez la société choisie.")
            )
        if not (siren and v.siren) and not (tva and v.tva):
            if nom and serrer(nom) == serrer(v.nom):
                return
            if not siren and not tva:
                self.avertir(
                    f"{d.numero} : le SIREN de la société n'est pas renseigné, rien ne prouve que le vendeur "
                    f"« {v.nom} » soit elle."
                )
            else:
                self.avertir(f"{d.numero} : le vendeur « {v.nom} » n'a ni SIREN ni TVA, vérifiez que c'est bien vous.")

    def _dire(self, d: Document, due: Creance, absentes: tuple[str, ...] | None, neuf: bool) -> None:
        for texte in due.dit:
            self.avertir(f"{d.numero} : {texte}")
        iban = (self.contexte.vendeur.get("iban") or "").replace(" ", "").upper()
        if d.type in AFFACTURES:
            self.avertir(
                f"{d.numero} est cédée à un affactureur (type {d.type}) : le paiement lui revient, la maison ne la "
                "relancera pas."
            )
        elif iban and d.ibans and iban not in d.ibans:
            self.avertir(
                f"ATTENTION, fraude possible : {d.numero} demande un paiement sur {d.ibans[0]}, qui n'est pas l'IBAN "
                f"de la société ({iban}). Vérifiez avant d'appliquer."
            )
        if d.escompte:
            self.avertir(
                f"{d.numero} annonce un escompte de {d.escompte} : la fiche du client ne change pas, notez-le s'il "
                "vaut pour toutes ses factures."
            )
        if d.type in RECTIFICATIVES and not d.anterieures:
            self.avertir(f"{d.numero} est rectificative mais ne cite pas la facture qu'elle remplace : retrouvez-la.")
        if absentes:
            ou = " ; ce profil ne porte pas tout, le PDF les montre peut-être" if d.sans_lignes else ""
            self.avertir(
                f"{d.numero} : mentions absentes des données ({', '.join(PAR_CODE[m].libelle for m in absentes)}){ou}."
            )
        if neuf and d.acheteur.siren and "siren" not in fiche(d.acheteur):
            self.avertir(
                f"{d.numero} : le SIREN {d.acheteur.siren} du client a une clé fausse, sa fiche ne le porte pas."
            )

    def _double(self, cle, ligne, d: Document, due: Creance, code: str, e: Electronique) -> list[Element]:
        """Le même document, dans la même archive, sous une autre syntaxe."""
        if self._montants[cle] != (code, due.montant, due.avoir):
            self.lot.rejeter(
                Rejet(
                    ligne, "numero",
                    f"{d.numero} est deux fois dans l'archive, pour {self._montants[cle][1]:.2f} et {due.montant:.2f}.",
                    "Gardez le bon.",
                )
            )  # fmt: skip
            return []
        deja = self.lot.documents[cle]
        mentions = deja.mentions_absentes
        if mentions is not None and e.mentions_absentes is not None:
            mentions = tuple(m for m in mentions if m in e.mentions_absentes)
        self.lot.documents[cle] = replace(deja, pdf=deja.pdf or e.pdf, mentions_absentes=mentions)
        self._doubles += 1
        return []

    # --- Ce qui s'écrit, ce qui se montre ----------------------------------------------------

    @staticmethod
    def _electronique(d: Document, due: Creance, absentes, pdf: Pdf | None) -> Electronique:
        return Electronique(
            ttc=due.ttc, acompte=due.acompte, arrondi=due.arrondi, ht=due.ht, tva=due.tva, type_document=d.type[:3],
            tva_encaissements=d.tva_encaissements, affacturee=d.type in AFFACTURES, mentions_absentes=absentes,
            remplace=d.anterieures[:5] if d.type in RECTIFICATIVES and not due.avoir else (), pdf=pdf,
        )  # fmt: skip

    def _faits_de(self, d: Document, due: Creance, absentes) -> dict[str, object]:
        """Ce que l'aperçu montre et que l'essai du corpus compare ; montants signés, tels que le document les écrit."""
        nom_du_type = FACTURES.get(d.type, "avoir")
        faits: dict[str, object] = {
            "syntaxe": d.syntaxe, "profil": d.profil, "type": d.type, "nature": "avoir" if due.avoir else nom_du_type,
            "numero": d.numero, "date": d.emission, "echeance": d.echeance or "absente", "devise": d.devise,
            "ht": d.ht if d.ht is not None else "absent", "tva": d.tva if d.tva is not None else "absente",
            "ttc": d.ttc, "acompte": d.acompte if d.acompte is not None else "absent", "arrondi": d.arrondi,
            "net": d.net, "vendeur": d.vendeur.nom, "vendeur_id": d.vendeur.identifiant,
            "vendeur_siren": d.vendeur.siren, "vendeur_siret": d.vendeur.siret, "acheteur": d.acheteur.nom,
            "acheteur_id": d.acheteur.identifiant, "acheteur_siren": d.acheteur.siren,
            "acheteur_siret": d.acheteur.siret, "acheteur_tva": d.acheteur.tva,
            "ventilation": [str(t) for t in d.ventilation], "anterieures": list(d.anterieures),
            "termes": d.texte_des_termes, "lignes_de_facture": d.lignes, "pieces_jointes": list(d.jointes),
            "creance": due.montant,
            "echeances": [_part(p) for p in due.parts],
            "affacturee": d.type in AFFACTURES, "escompte": str(d.escompte or ""),
            "mentions_absentes": list(absentes or ()), "ibans": list(d.ibans),
        }  # fmt: skip
        if d.tva_comptable:
            faits["tva_comptable"] = f"{d.tva_comptable[0]:.2f} {d.tva_comptable[1]}"
        return faits

    def conclure(self, empreinte: str) -> None:
        """Les faits d'une archive : des comptes, non un document."""
        self.lot.faits = {
            "documents": len(self._montants),
            "factures": sum(not avoir for _code, _du, avoir in self._montants.values()),
            "avoirs": sum(avoir for _code, _du, avoir in self._montants.values()),
            "doubles": self._doubles,
        } | ({"clients_a_choisir": self._a_choisir} if self._a_choisir else {})


def _part(part: Due) -> str:
    """« 120,00 le 02/03/2026 »."""
    return f"{euros(part.montant)} {f'le {part.jour:%d/%m/%Y}' if part.jour else 'selon les conditions du client'}"


def _complet(d: Document) -> Document:
    """Ce sans quoi il n'y a pas de créance. Lève FichierRefuse en nommant ce qui manque."""
    if not d.numero:
        raise FichierRefuse("Numéro de facture (BT-1) : absent. Faites compléter le document par qui l'a émis.")
    if len(d.numero) > NUMERO_MAX:
        raise FichierRefuse(f"Numéro de facture (BT-1) : « {d.numero[:40]}… » dépasse {NUMERO_MAX} caractères.")
    if d.emission is None:
        raise FichierRefuse(f"{d.numero} : la date de facture (BT-2) est absente.")
    if len(d.devise) != 3 or not (d.devise.isascii() and d.devise.isalpha()):
        raise FichierRefuse(f"{d.numero} : la devise (BT-5) « {d.devise[:10]} » n'est pas un code à trois lettres.")
    if d.net is None and d.ttc is None:
        raise FichierRefuse(f"{d.numero} : ni net à payer (BT-115) ni total TTC (BT-112), rien ne dit ce qui est dû.")
    if d.net is None:
        d = replace(d, net=d.ttc - (d.acompte or ZERO) + d.arrondi)
    if d.ttc is None:
        d = replace(d, ttc=d.net + (d.acompte or ZERO) - d.arrondi)
    return d


def _pieces(ligne: int, cle: str, code: str, d: Document, due: Creance, e: Electronique) -> Iterable[Element]:
    if due.avoir:
        origine = d.anterieures[0] if d.anterieures else ""
        yield AvoirLu(ligne, cle, code, d.numero, d.emission, due.montant, d.devise, origine)
        return
    for rang, part in enumerate(due.parts, start=1):
        yield FactureLue(
            ligne=ligne, cle_source=cle, code_client=code, numero=d.numero, numero_reel=True, date_emission=d.emission,
            date_execution=d.execution, montant_ht=None, montant_tva=None, montant_ttc=part.montant, devise=d.devise,
            commande=d.commande, cle_echeance=f"{cle}:{rang}", date_echeance=part.jour, electronique=e,
        )  # fmt: skip
