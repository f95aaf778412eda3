"""Une ligne de tableau, ses colonnes nommées → clients, factures, avoirs, encaissements, litiges.

Clés source : celles des CSV de la maison ; la même pièce venue d'un classeur et d'un CSV est la même. Une cellule
illisible est un rejet qui nomme la ligne et la colonne du fichier ; ce qui ne sert qu'à la fiche n'est qu'un
avertissement.
"""

from collections import Counter
from datetime import date, timedelta
from decimal import Decimal

from factures.domaine import correspondance as domaine

from . import csv_grand_livre as maison
from .champs import sans_accent
from .csv_grand_livre import LONGUEUR_CODE, LONGUEUR_NUMERO, cle_echeance_csv
from .lot import AvoirLu, ClientLu, Element, EncaissementLu, FactureLue, LitigeLu
from .nombres import Illisible, euros
from .tableur_cellules import ZERO, Lignes, reference_reglement
from .tableur_valeurs import en_oui_non, en_texte

AVOIRS = {
    "avoir", "a", "av", "avc", "credit note", "credit memo", "creditnote", "cn", "cm", "rc", "381", "out refund",
    "refund", "facture avoir", "note de credit", "facture d avoir", "customer credit note", "avoir client",
}  # fmt: skip
DEBITS, CREDITS = {"d", "debit", "1", "+", "s", "dr"}, {"c", "credit", "-1", "-", "h", "cr"}
NON_ECHU = timedelta(days=30)  # une tranche « non échu » n'a pas d'échéance : trop tard plutôt que trop tôt


class Lecteur(Lignes):
    """Interprète les lignes d'un tableau selon son genre."""

    def construire(self) -> list[Element | None]:
        return {
            domaine.CLIENTS: self._fiche,
            domaine.FACTURES: self._facture,
            domaine.POSTES: self._facture,
            domaine.BALANCE: self._balance,
            domaine.ENCAISSEMENTS: self._encaissement,
            domaine.HISTORIQUE: self._historique,
        }[self.genre]()

    # --- Clients ---

    def _client(self) -> tuple[str, ClientLu | None]:
        code, nom = self._code("code_client", LONGUEUR_CODE), self._texte("nom_client", 160)
        if code == "?":
            return code, None
        try:
            trouve = self.clients.trouver(code, nom)
        except Illisible as erreur:
            self._faute("code_client" if "code_client" in self.places else "nom_client", erreur)
            return "?", None
        if trouve in self.emis:
            return trouve, None
        self.emis.add(trouve)
        self.neuf = trouve
        if not self.creer or trouve in self.clients.connus:
            return trouve, None
        nom_lu = self.clients.nouveaux.get(trouve, ("", False))[0]
        valeurs = {"raison_sociale": nom_lu or nom or trouve, **self._valeurs()}
        return trouve, ClientLu(self.ligne, trouve, valeurs, creer_seulement=True)

    def _valeurs(self) -> dict[str, object]:
        """Champs de la fiche que la ligne donne ; l'illisible est laissé vide et dit."""
        valeurs = {}
        for champ, colonne in self.fiche:
            texte = en_texte(self._cellule(champ)).strip()
            if not texte:
                continue
            try:
                valeurs[colonne.nom] = colonne.lire(texte)
            except Illisible:
                self.non_lus.setdefault(self.colonnes[champ], Counter())[texte[:30]] += 1
        if (siret := valeurs.get("siret")) and valeurs.setdefault("siren", siret[:9]) != siret[:9]:
            del valeurs["siret"]
            self.non_lus.setdefault(self.colonnes["siret"], Counter())[siret] += 1
        postal = valeurs.get("code_postal", "")
        if valeurs.get("pays", "FR") == "FR" and postal.isdigit() and len(postal) == 4:
            valeurs["code_postal"] = "0" + postal
        return valeurs

    def _fiche(self) -> list[Element]:
        code, nom = self._code("code_client", LONGUEUR_CODE), self._texte("nom_client", 160)
        try:
            code = code if code and code in self.clients.connus else self.clients.trouver(code, nom)
        except Illisible as erreur:
            self._faute("nom_client", erreur)
        valeurs = self._valeurs()
        if nom or code not in self.clients.connus:
            valeurs["raison_sociale"] = nom or code
        self.emis.add(code)
        return [ClientLu(self.ligne, code, valeurs)]

    # --- Pièces ---

    def _somme(self) -> Decimal | None:
        """Montant signé de la ligne : positif, dû par le client."""
        if "debit" in self.places and "credit" in self.places:
            debit, credit = self._montant("debit"), self._montant("credit")
            montant = None if debit is None and credit is None else (debit or ZERO) - (credit or ZERO)
        else:
            montant = self._montant("reste") if self.genre == domaine.POSTES and "reste" in self.places else None
            if montant is None and not ("reste" in self.places and self.genre == domaine.POSTES):
                montant = self._montant("montant")
        if montant is None:
            return None
        sens = sans_accent(self._texte("sens", 20)).strip()
        if sens in CREDITS:
            montant = -abs(montant)
        elif sens and sens not in DEBITS:
            self._faute("sens", Illisible(f"« {sens} » n'est ni débit ni crédit.", "Attendu D ou C."))
        if self._est_avoir() and montant > 0:
            montant = -montant
        return -montant if self.inverser else montant

    def _est_avoir(self) -> bool:
        mot = " ".join(sans_accent(self._texte("type", 40)).replace("_", " ").replace("'", " ").split())
        return mot in AVOIRS

    def _piece(self) -> tuple[list[Element], FactureLue | AvoirLu | None]:
        numero = self._code("numero", LONGUEUR_NUMERO)
        emise, echeance = self._date("date_facture"), self._date("date_echeance")
        montant, devise = self._somme(), self._devise()
        if self.genre != domaine.POSTES:
            self._exiger("numero", numero, "numéro")
        champ_montant = next((c for c in ("reste", "montant", "debit") if c in self.places), "montant")
        if montant is None:
            self._exiger(champ_montant, None, "montant")
        if emise is None and not any(c == self.colonnes.get("date_facture") for c, _ in self.defauts):
            emise = self.defaut
            if emise is None and self.genre == domaine.POSTES and echeance:
                emise = min(echeance, self.au)
            self._exiger("date_facture", emise, "date de la facture")
        if echeance and emise and echeance < emise:
            self._faute(
                "date_echeance",
                Illisible(
                    f"l'échéance du {echeance:%d/%m/%Y} précède la facture du {emise:%d/%m/%Y}.",
                    "Corrigez l'une des deux dates, ou l'ordre du jour et du mois choisi.",
                ),
            )
        code, client = self._client()
        if self.defauts:
            return [], None
        reel, ttc = bool(numero), self._ttc(montant)
        if not montant:
            self.ecartees["soldée ou à zéro"] += 1
            if not (reel and self.genre == domaine.POSTES):
                return [client], None
            # Connue, elle est réglée ; inconnue, elle n'entre pas (`photographie.ajuster`).
            return [client], FactureLue(
                self.ligne, f"CSV:F:{numero}", code, numero, True, emise, None, None, None, ttc or ZERO, devise, "",
                cle_echeance_csv(numero, echeance), echeance, reste=ZERO, ttc_dit=ttc is not None,
            )  # fmt: skip
        if not numero:
            numero = self._sans_numero(code, emise, echeance, ttc or montant)
        if montant < 0:
            self.faits.piece("avoirs", -montant, devise, emise)
            origine = self._texte("numero_origine", LONGUEUR_NUMERO)
            return [client], AvoirLu(self.ligne, f"CSV:A:{numero}", code, numero, emise, -montant, devise, origine)
        ht, tva = self._ht_tva(montant)
        self.faits.piece("factures", montant, devise, emise)
        return [client], FactureLue(
            self.ligne, f"CSV:F:{numero}", code, numero, reel, emise, self._date("date_execution"), ht, tva,
            ttc or montant, devise, self._texte("commande", 60), cle_echeance_csv(numero, echeance), echeance,
            reste=montant if self.genre == domaine.POSTES else None, ttc_dit=ttc is not None,
        )  # fmt: skip

    def _ttc(self, reste: Decimal) -> Decimal | None:
        """Le TTC d'un poste dont la ligne dit aussi le reste dû ; None s'il manque ou s'il est moindre que ce reste."""
        if self.genre != domaine.POSTES or not {"montant", "reste"} <= set(self.places):
            return None
        avant = len(self.defauts)
        ttc = self._montant("montant")
        del self.defauts[avant:]
        ttc = -ttc if ttc is not None and self.inverser else ttc
        return ttc if ttc is not None and ttc > 0 and ttc >= reste >= 0 and not self._est_avoir() else None

    def _sans_numero(self, code: str, emise: date, echeance: date | None, montant: Decimal) -> str:
        """Nom stable d'un poste sans numéro : le même fichier relu redonne le même."""
        base = f"{code[:24]} {emise:%Y%m%d} {montant:.2f}" + (f" {echeance:%Y%m%d}" if echeance else "")
        self.rangs[base] += 1
        return base if self.rangs[base] == 1 else f"{base} ({self.rangs[base]})"

    def _ht_tva(self, montant: Decimal) -> tuple[Decimal | None, Decimal | None]:
        """HT et TVA s'ils font le montant réclamé ; sinon ni l'un ni l'autre."""
        if self.genre == domaine.POSTES or not {"montant_ht", "montant_tva"} & set(self.places):
            return None, None
        avant = len(self.defauts)
        ht, tva = self._montant("montant_ht"), self._montant("montant_tva")
        del self.defauts[avant:]
        if ht is not None and tva is None:
            tva = montant - ht
        elif tva is not None and ht is None:
            ht = montant - tva
        if ht is None or ht + tva != montant or ht < 0 or tva < 0:
            self.ecartees_ht += ht is not None
            return None, None
        return ht, tva

    def _facture(self) -> list[Element]:
        avant, piece = self._piece()
        return [*avant, piece]

    def _historique(self) -> list[Element]:
        avant, piece = self._piece()
        regle, verse = self._date("date_reglement"), self._montant("montant_regle")
        conteste, c = False, self._cellule("litige")
        if c != "":
            try:
                conteste = en_oui_non(c)
            except Illisible as erreur:
                self._faute("litige", erreur)
        if regle is None and verse and not self.defauts:
            self._faute(
                "date_reglement",
                Illisible(
                    f"{euros(verse)} réglés, sans date de règlement.", "Remplissez la date, ou videz le montant."
                ),
            )
        if self.defauts or not isinstance(piece, FactureLue):
            return [*avant, piece]
        reste: list[Element] = []
        montant = verse if verse is not None else piece.montant_ttc
        if regle and montant > 0:
            reference = reference_reglement(piece.numero)
            reste.append(
                EncaissementLu(
                    self.ligne, f"CSV:R:{reference}", piece.code_client, reference, regle, montant, piece.devise,
                    self._mode(), "", piece.numero,
                )
            )  # fmt: skip
            self.faits.piece("encaissements", montant, piece.devise, regle)
        if conteste:
            solde = regle if regle and montant >= piece.montant_ttc else None
            reste.append(
                LitigeLu(
                    self.ligne, piece.cle_source, piece.date_emission, None, self._texte("motif_litige", 500),
                    max(solde, piece.date_emission) if solde else None,
                )
            )  # fmt: skip
            self.faits.piece("litiges", piece.montant_ttc, piece.devise, piece.date_emission)
        return [*avant, piece, *reste]

    def _mode(self) -> str:
        texte = self._texte("mode", 40)
        return maison.c.choix(maison.c.MODES, "", defaut="autre")(texte) if texte else "virement"

    def _encaissement(self) -> list[Element]:
        recu = self._date("date_reglement")
        if recu is None and not self.defauts:
            recu = self._exiger("date_reglement", self.defaut, "date du règlement")
        champ = "montant_regle" if "montant_regle" in self.places else "credit"
        montant = self._montant(champ)
        if champ == "credit" and not montant and self._montant("debit"):
            montant = -(self._montant("debit") or ZERO)
        if montant is not None and self.inverser:
            montant = -montant
        montant = self._exiger(champ, montant, "montant")
        reference, devise = self._code("reference", 80), self._devise()
        if montant is not None and montant < 0:
            constat = f"« {euros(montant)} » n'est pas un encaissement."
            self._faute(champ, Illisible(constat, "Retirez l'encaissement annulé, ou inversez les signes du fichier."))
        code, client = self._client()
        if self.defauts:
            return []
        if not montant:
            self.ecartees["soldée ou à zéro"] += 1
            return [client]
        if not reference:
            base = f"{code} {recu:%Y%m%d} {montant:.2f}"
            self.rangs[base] += 1
            reference = base if self.rangs[base] == 1 else f"{base} ({self.rangs[base]})"
        self.faits.piece("encaissements", montant, devise, recu)
        return [client, EncaissementLu(
            self.ligne, f"CSV:R:{reference}", code, reference, recu, montant, devise, self._mode(),
            self._texte("libelle", 200), self._texte("facture_reglee", LONGUEUR_NUMERO),
        )]  # fmt: skip

    def _balance(self) -> list[Element]:
        montants = [(de, a, champ, self._montant(champ)) for champ, de, a in self.tranches]
        total, devise = self._montant("reste"), self._devise()
        somme = sum((m for *_, m in montants if m), ZERO)
        if total is not None and not self.defauts and total != somme:
            self._faute("reste", Illisible(
                f"le solde {euros(total)} n'est pas la somme des tranches, {euros(somme)}.",
                "Une tranche manque sans doute à la correspondance des colonnes.",
            ))  # fmt: skip
        code, client = self._client()
        if self.defauts:
            return []
        lus: list[Element] = [client]
        for de, a, champ, montant in montants:
            if not montant:
                continue
            montant = -montant if self.inverser else montant
            nom = "non échu" if de is None else f"{de}-{a} j" if a is not None else f"{de} j et plus"
            numero = f"balance au {self.defaut:%d/%m/%Y}, {nom}"
            cle = f"BAL:{self.defaut}:{code}:{champ.removeprefix('tranche:')}"
            if devise != "EUR":
                cle += f":{devise}"
            if montant < 0:
                self.faits.piece("avoirs", -montant, devise, self.defaut)
                lus.append(AvoirLu(self.ligne, f"CSV:A:{cle}", code, numero, self.defaut, -montant, devise))
                continue
            echeance = echeance_de_tranche(self.defaut, de, a)
            emise = min(self.defaut, echeance - timedelta(days=30))
            self.faits.piece("factures", montant, devise, emise)
            lus.append(
                FactureLue(
                    self.ligne, f"CSV:F:{cle}", code, numero, False, emise, None, None, None, montant, devise, "",
                    f"CSV:E:{cle}", echeance,
                )
            )  # fmt: skip
        return lus


def echeance_de_tranche(arrete: date, de: int | None, a: int | None) -> date:
    """Milieu de la tranche, vers le moins de retard ; le bas d'une tranche sans fin ; dans 30 jours si non échu."""
    if de is None:
        return arrete + NON_ECHU
    return arrete - timedelta(days=de if a is None else (de + a) // 2)
