"""Le compte d'un client dans un FEC, déroulé exercice par exercice : postes, à-nouveaux, lettrage. Pur."""

from collections import defaultdict, deque
from collections.abc import Callable, Iterable
from datetime import date, timedelta
from decimal import Decimal

from .fec_lignes import ZERO, Imputation, Inexplique, Ligne, Nature, Poste, Reconstitution, total
from .fec_numeros import numero_affiche

# Retenue de garantie : rendue un an après la réception (loi n° 71-584 du 16/07/1971, art. 2) ; à défaut de sa date,
# un an après la pièce.
RETENUE = "4117"
UN_AN = timedelta(365)


class Compte:
    """Tient les postes d'un client. `solde` est le solde comptable : rien ne l'ajuste que les lignes."""

    def __init__(
        self, client: str, echeance_de: Callable[[str, date], date], fiables: set[str], sortie: Reconstitution
    ):
        self.client = client
        self.echeance_de = echeance_de
        self.fiables = fiables
        self.sortie = sortie
        self.postes: list[Poste] = []
        self.solde = ZERO
        self.an_global = False  # l'à-nouveau tient en un solde, sans détail
        self._factures: dict[tuple[str, date], str] = {}
        self._vires: set[tuple[str, str]] = set()  # lettrages qu'explique un virement en douteux

    def reporter(self, connus: Iterable[Poste]) -> None:
        """Postes ouverts déjà en base, nés avant le premier jour du fichier."""
        for poste in connus:
            poste.connu = poste.report = True
            self.postes.append(poste)
        self.solde = total(self.postes)

    def derouler(self, lignes: list[Ligne], frontieres: list[date]) -> None:
        """lignes triées par date ; à chaque frontière, l'à-nouveau reprend ce qui reste ouvert."""
        exercice: list[Ligne] = []
        attente = deque(frontieres)
        reprise = None
        for ligne in lignes:
            while attente and ligne.date >= attente[0]:
                self._exercice(exercice, reprise)
                reprise, exercice = attente.popleft(), []
            exercice.append(ligne)
        self._exercice(exercice, reprise)
        for jour in attente:  # plus rien après : l'à-nouveau manquant vaut un solde nul
            self._exercice([], jour)

    def _exercice(self, lignes: list[Ligne], reprise: date | None) -> None:
        a_nouveau, mouvements = [], []
        for x in lignes:
            (a_nouveau if reprise == x.date and x.nature is Nature.A_NOUVEAU else mouvements).append(x)
        if reprise:
            self._reprendre(a_nouveau, reprise)
            self.solde = sum((x.solde for x in a_nouveau), ZERO)
        else:
            ouverture = [x for x in mouvements if x.nature is Nature.A_NOUVEAU]
            self.an_global = len(ouverture) == 1 and ouverture[0].cle not in self.fiables
        par_cle = {}
        for x in mouvements:
            self.solde += x.solde
            if x.solde:
                par_cle[x.cle] = self._poster(x)
        self._lettrer(self._virements_internes(mouvements, par_cle))
        self._orphelins()
        for poste in self.postes:
            poste.report = True

    def _poster(self, x: Ligne) -> Poste:
        debit = x.solde > 0
        reel = x.cle in self.fiables
        est_avoir = not debit and x.nature in (Nature.VENTE, Nature.CHARGE)
        emission = x.date
        if x.piece_date and (debit or est_avoir) and not (x.nature is Nature.A_NOUVEAU and x.piece_date > x.date):
            emission = x.piece_date
        poste = Poste(
            cle=x.cle, client=self.client, debit=debit, montant=abs(x.solde), reste=abs(x.solde), date=emission,
            nature=x.nature, ligne=x.ligne, journal=x.journal, compte=x.compte[:3], ecriture=x.ecriture, piece=x.piece,
            libelle=x.libelle, lettrage=x.lettrage, date_lettrage=x.date_lettrage, numero=numero_affiche(x, reel),
            numero_reel=reel, tva=x.tva, est_avoir=est_avoir, mode=x.mode, report=x.nature is Nature.A_NOUVEAU,
        )  # fmt: skip
        if debit:
            poste.facture = self._factures.setdefault((x.piece, emission), x.cle) if reel else x.cle
            # Un règlement rejeté est dû tout de suite ; le reste, selon les conditions du client.
            comptant = x.nature is Nature.TRESORERIE
            if x.compte.startswith(RETENUE):
                poste.echeance = emission + UN_AN
            else:
                poste.echeance = emission if comptant else self.echeance_de(self.client, emission)
        self.postes.append(poste)
        return poste

    # --- À-nouveaux --------------------------------------------------------------------------

    def _reprendre(self, a_nouveau: list[Ligne], jour: date) -> None:
        """Rapproche l'à-nouveau des postes encore ouverts ; l'écart devient un poste explicite."""
        par_montant: dict[Decimal, list[Poste]] = defaultdict(list)
        for poste in self.postes:
            if poste.reste:
                par_montant[poste.signe].append(poste)
        restantes = []
        for ligne in a_nouveau:
            candidats = par_montant.get(ligne.solde)
            if not candidats:
                restantes.append(ligne)
                continue
            poste = max(candidats, key=lambda p: _ressemblance(p, ligne))
            candidats.remove(poste)
            poste.lettrage, poste.date_lettrage, poste.compte = ligne.lettrage, ligne.date_lettrage, ligne.compte[:3]
            self.sortie.reprises += 1
        ouverts = [p for groupe in par_montant.values() for p in groupe]
        for poste in ouverts:
            poste.lettrage = ""
        restantes = self._reprendre_par_piece(restantes, ouverts, jour)
        detail = len(restantes) < len(a_nouveau) or len(a_nouveau) > 1
        ecart = sum((x.solde for x in restantes), ZERO) - total(ouverts)
        if not ecart or not detail:
            # Le solde repris en bloc est celui de ces postes, à l'écart près.
            self.an_global = bool(restantes)
            self.sortie.reprises += len(restantes)
        else:
            self.an_global = False
            ecart = -total(ouverts)
            for ligne in restantes:
                if ligne.solde:
                    self._inexplique(
                        "a_nouveau", self._poster(ligne), "repris à nouveau, sans pièce ouverte à l'exercice précédent"
                    )
        if ecart:
            self._poster_ecart(ecart, jour, ouverts)

    def _reprendre_par_piece(self, lignes: list[Ligne], ouverts: list[Poste], jour: date) -> list[Ligne]:
        """Même pièce, autre montant : réglée en partie entre deux exports. La différence est un écart nommé."""
        par_piece = {(p.piece, p.debit): p for p in ouverts if p.piece and p.numero_reel}
        restantes = []
        for ligne in lignes:
            poste = par_piece.pop((ligne.piece, ligne.solde > 0), None) if ligne.solde else None
            if poste is None:
                restantes.append(ligne)
                continue
            ouverts.remove(poste)
            poste.lettrage, poste.date_lettrage, poste.compte = ligne.lettrage, ligne.date_lettrage, ligne.compte[:3]
            self._poster_ecart(ligne.solde - poste.signe, jour, [poste], poste.piece)
            self.sortie.reprises += 1
        return restantes

    def _poster_ecart(self, ecart: Decimal, jour: date, ouverts: list[Poste], piece: str = "") -> None:
        cle = f"FEC:{jour:%Y%m%d}:ECART:{self.client}" + (f":{piece}" if piece else "")
        poste = Poste(
            cle=cle, client=self.client, debit=ecart > 0, montant=abs(ecart), reste=abs(ecart), date=jour,
            nature=Nature.A_NOUVEAU, libelle="écart d'à-nouveau", numero=f"écart d'à-nouveau au {jour:%d/%m/%Y}",
            facture=cle, echeance=self.echeance_de(self.client, jour) if ecart > 0 else None, report=True,
        )  # fmt: skip
        self.postes.append(poste)
        self._inexplique("a_nouveau", poste, "l'à-nouveau ne reprend pas ce que l'exercice précédent laissait ouvert")
        self._imputer([*ouverts, poste])

    # --- Lettrage ----------------------------------------------------------------------------

    def _virements_internes(self, lignes: list[Ligne], par_cle: dict[str, Poste]) -> list[tuple[Poste, Poste]]:
        """Couples (crédit, débit) d'un virement 411 → 416 : ni règlement ni facture, la pièce reste due."""
        attente: dict[tuple, list[Ligne]] = defaultdict(list)
        couples = []
        if not any(x.compte.startswith("416") for x in lignes):
            return couples
        for x in lignes:
            contrepartie = "416" if x.compte.startswith("411") else "411"
            if autres := attente.get((x.ecriture, contrepartie, -x.solde)):
                couple = par_cle[x.cle], par_cle[autres.pop().cle]
                couples.append(couple if couple[1].debit else couple[::-1])
            elif x.solde:
                attente[(x.ecriture, x.compte[:3], x.solde)].append(x)
        return couples

    def _lettrer(self, virements: list[tuple[Poste, Poste]]) -> None:
        groupes = _groupes_lettres(self.postes)
        retires = set()
        for credit, debit in virements:
            retires |= {id(credit), id(debit)}
            self._vires |= {(credit.compte, credit.lettrage), (debit.compte, debit.lettrage)}
            origine, destination = groupes.de(credit), groupes.de(debit)
            if len(origine) == 1 and len(destination) > 1:
                # Virement non lettré avec sa pièce : c'est celle du même montant, si elle existe.
                piece = next(
                    (
                        p
                        for p in self.postes
                        if p.debit and p.reste == credit.montant and not p.lettrage and p is not debit
                    ),
                    None,
                )
                if piece is not None:
                    groupes.unir(piece, debit)
            else:
                groupes.unir(credit, debit)
        self.postes = [p for p in self.postes if id(p) not in retires]
        self.sortie.reemplois[self.client] += groupes.scindes
        for groupe in groupes.tous():
            groupe = [p for p in groupe if id(p) not in retires]
            if len(groupe) < 2:
                continue
            self._imputer(groupe)
            if total(groupe) > 0:
                self.sortie.lettrages_partiels += 1

    def _imputer(self, postes: list[Poste]) -> None:
        """Montants égaux d'abord, puis du plus ancien au plus récent ; les avoirs avant les règlements."""
        debits = sorted(
            (p for p in postes if p.debit and p.reste), key=lambda p: (p.echeance or p.date, p.date, p.ligne)
        )
        credits = sorted(
            (p for p in postes if not p.debit and p.reste), key=lambda p: (not p.est_avoir, p.date, p.ligne)
        )
        par_montant: dict[Decimal, deque[Poste]] = defaultdict(deque)
        for debit in debits:
            par_montant[debit.reste].append(debit)
        for credit in credits:
            if egaux := par_montant.get(credit.reste):
                self._poser(egaux.popleft(), credit)
        file = deque(d for d in debits if d.reste)
        for credit in credits:
            while credit.reste and file:
                self._poser(file[0], credit)
                if not file[0].reste:
                    file.popleft()

    def _poser(self, debit: Poste, credit: Poste) -> None:
        montant = min(debit.reste, credit.reste)
        debit.reste -= montant
        credit.reste -= montant
        quand = max(debit.date, credit.date)
        self.sortie.imputations.append(Imputation(debit.cle, credit.cle, credit.est_avoir, quand, montant))

    def _orphelins(self) -> None:
        """Crédit lettré contre une ligne absente du fichier : le plus souvent une pièce d'avant l'à-nouveau.

        On l'impute sur la pièce reportée de même montant ; à défaut, si l'à-nouveau est un solde global, sur
        les pièces reportées les plus anciennes. Sinon il reste à imputer, et il est signalé.
        """
        orphelins = [p for p in self.postes if not p.debit and p.reste and p.lettrage and not p.report]
        reports = [p for p in self.postes if p.debit and p.reste and p.report and not p.lettrage]
        if not orphelins or not reports:
            return
        if self.an_global:
            self._imputer([*reports, *orphelins])
            return
        par_montant: dict[Decimal, deque[Poste]] = defaultdict(deque)
        for debit in sorted(reports, key=lambda p: (p.date, p.ligne)):
            par_montant[debit.reste].append(debit)
        for credit in orphelins:
            if egaux := par_montant.get(credit.reste):
                self._poser(egaux.popleft(), credit)

    # --- Fin ---------------------------------------------------------------------------------

    def clore(self) -> None:
        """Nomme les lettrages sans contrepartie, prouve le solde et rend les postes."""
        payes = {(c.compte, c.lettrage) for c in self.postes if not c.debit} | self._vires
        for poste in self.postes:
            partiel = poste.debit and (poste.compte, poste.lettrage) in payes
            if poste.lettrage and poste.reste and not poste.connu and not partiel:
                le = f" le {poste.date_lettrage:%d/%m/%Y}" if poste.date_lettrage else ""
                self._inexplique("lettrage", poste, f"lettré {poste.lettrage}{le} contre une ligne absente du fichier")
        if total(self.postes) != self.solde:
            raise ArithmeticError(f"compte {self.client} : {total(self.postes)} reconstitué pour {self.solde}")
        self.sortie.soldes[self.client] = self.solde
        self.sortie.postes += self.postes

    def _inexplique(self, nature: str, poste: Poste, detail: str) -> None:
        self.sortie.inexpliques.append(
            Inexplique(self.client, nature, f"{poste.numero} : {detail}", poste.signe, poste.cle, poste.ligne)
        )


def _ressemblance(poste: Poste, ligne: Ligne) -> tuple:
    """À montant égal : même pièce, même libellé, même date, sinon la plus récente."""
    return (
        bool(ligne.piece) and poste.piece == ligne.piece,
        bool(ligne.libelle) and poste.libelle[:12] == ligne.libelle[:12],
        poste.date == ligne.piece_date,
        poste.date,
    )


class _Groupes:
    """Réunion de postes par classes ; un poste seul est sa propre classe."""

    def __init__(self):
        self._classe: dict[int, list[Poste]] = {}
        self.scindes = 0  # codes réemployés, séparés par date de lettrage

    def de(self, poste: Poste) -> list[Poste]:
        return self._classe.setdefault(id(poste), [poste])

    def unir(self, a: Poste, b: Poste) -> None:
        grande, petite = self.de(a), self.de(b)
        if grande is petite:
            return
        if len(grande) < len(petite):
            grande, petite = petite, grande
        grande += petite
        for poste in petite:
            self._classe[id(poste)] = grande

    def tous(self) -> list[list[Poste]]:
        return list({id(classe): classe for classe in self._classe.values()}.values())


def _groupes_lettres(postes: list[Poste]) -> _Groupes:
    """Classes par (411 ou 416, code). Un code réemployé se sépare par date de lettrage si cela l'équilibre."""
    par_code: dict[tuple[str, str], list[Poste]] = defaultdict(list)
    for poste in postes:
        if poste.lettrage and poste.reste:
            par_code[(poste.compte, poste.lettrage)].append(poste)
    groupes = _Groupes()
    for (compte, code), groupe in par_code.items():
        jumeau = par_code.get(("416", code), []) if compte == "411" else []
        if jumeau and total(groupe) and not total(groupe) + total(jumeau):
            groupe = [*groupe, *jumeau]
        paquets = _scinder(groupe)
        groupes.scindes += len(paquets) > 1
        for paquet in paquets:
            for poste in paquet[1:]:
                groupes.unir(paquet[0], poste)
    return groupes


def _scinder(groupe: list[Poste]) -> list[list[Poste]]:
    if not total(groupe):
        return [groupe]
    par_date: dict[date | None, list[Poste]] = defaultdict(list)
    for poste in groupe:
        par_date[poste.date_lettrage].append(poste)
    equilibres = [paquet for paquet in par_date.values() if not total(paquet)]
    reste = [p for paquet in par_date.values() if total(paquet) for p in paquet]
    return [*equilibres, reste] if reste else equilibres
