"""À qui va une facture électronique : le compte de la maison qui porte le même identifiant, ou une fiche neuve."""

from collections import defaultdict
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field

from factures.domaine.efacture import Partie, serrer
from recouvrement.commun.domaine.identifiants import IdentifiantInvalide, est_siren, est_siret
from recouvrement.commun.domaine.pays import verifier_pays


class ChoixAFaire(Exception):
    """Plusieurs comptes, `codes`, répondent. `cle` : celle de la correction (`Lot.corrections["clients"]`)."""

    def __init__(self, cle: str, par: str, codes: list[str]):
        self.cle, self.par, self.codes = cle, par, codes
        super().__init__(f"plusieurs comptes ont ce {par} : {', '.join(codes[:8])}")


@dataclass(slots=True)
class Compte:
    code: str
    nom: str
    siren: str
    siret: str
    tva: str


@dataclass(slots=True)
class Annuaire:
    """Les comptes de la société, par identifiant ; se charge une fois."""

    par_code: dict[str, Compte] = field(default_factory=dict)
    par_siren: dict[str, list[Compte]] = field(default_factory=lambda: defaultdict(list))
    par_siret: dict[str, list[Compte]] = field(default_factory=lambda: defaultdict(list))
    par_tva: dict[str, list[Compte]] = field(default_factory=lambda: defaultdict(list))
    par_nom: dict[str, list[Compte]] = field(default_factory=lambda: defaultdict(list))

    @classmethod
    def de(cls, lignes: Iterable[tuple[str, str, str, str, str]]) -> "Annuaire":
        annuaire = cls()
        for code, nom, siren, siret, tva in lignes:
            compte = Compte(code, nom, siren or siret[:9], siret, serrer(tva))
            annuaire.par_code[code] = compte
            for valeur, index in (
                (compte.siren, annuaire.par_siren), (siret, annuaire.par_siret), (compte.tva, annuaire.par_tva),
                (serrer(nom), annuaire.par_nom),
            ):  # fmt: skip
                if valeur:
                    index[valeur].append(compte)
        return annuaire

    def trouver(self, p: Partie, corrections: Mapping[str, str]) -> str:
        """Code du compte, vide s'il n'y en a pas. Une correction l'emporte. Lève ChoixAFaire.

        SIREN, puis SIRET, TVA, code de fiche, nom exact : le premier critère qui répond décide ; plusieurs comptes d'un
        même SIREN se départagent par le SIRET, puis par le nom.
        """
        choisi = corrections.get(p.cle)
        if choisi in self.par_code:
            return choisi
        memes_noms = [c for c in self.par_nom.get(serrer(p.nom), ()) if not self._autre(c, p)]
        for par, valeur, comptes in (
            ("SIREN", p.siren, self.par_siren.get(p.siren)),
            ("SIRET", p.siret, self.par_siret.get(p.siret)),
            ("numéro de TVA", p.tva, self.par_tva.get(p.tva)),
            ("code", p.cle, [self.par_code[code_de(p)]] if code_de(p) in self.par_code else None),
            ("nom", p.nom, memes_noms),
        ):
            if not valeur or not comptes:
                continue
            if len(comptes) > 1:
                precis = [c for c in comptes if p.siret and c.siret == p.siret]
                precis = precis or [c for c in comptes if serrer(c.nom) == serrer(p.nom)]
                if len(precis) != 1:
                    raise ChoixAFaire(p.cle, par, [c.code for c in comptes])
                comptes = precis
            return comptes[0].code
        return ""

    @staticmethod
    def _autre(compte: Compte, p: Partie) -> bool:
        """Même nom, mais un identifiant le dément."""
        return bool(
            (compte.siren and p.siren and compte.siren != p.siren) or (compte.tva and p.tva and compte.tva != p.tva)
        )


def code_de(p: Partie) -> str:
    """Code d'une fiche neuve : SIREN, sinon identifiant légal, TVA ou nom ; quarante caractères au plus."""
    return p.cle[:40]


def fiche(p: Partie) -> dict[str, object]:
    """Champs d'une fiche neuve ; un identifiant dont la clé est fausse n'y entre pas."""
    valeurs = {
        "raison_sociale": p.nom or code_de(p),
        "siren": p.siren if est_siren(p.siren) else "",
        "siret": p.siret if est_siret(p.siret) else "",
        "numero_tva": p.tva,
        "adresse": p.adresse,
        "complement": p.complement,
        "code_postal": p.code_postal,
        "ville": p.ville,
        "courriel": p.courriel,
        "telephone": p.telephone,
    }
    try:
        valeurs["pays"] = verifier_pays(p.pays) if p.pays else ""
    except IdentifiantInvalide:
        pass
    return {nom: valeur for nom, valeur in valeurs.items() if valeur}
