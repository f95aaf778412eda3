"""Les clients dont l'histoire est écrite : chacun montre une situation, le soir où l'on ouvre l'application.

Toutes les dates se comptent depuis le prochain passage (`Jours`). Une pièce dit son échéance ; les paliers, eux,
viennent de vrais passages. Les gestes se jouent à leur jour, ou le premier jour ouvré où ils deviennent possibles.
"""

from collections.abc import Iterator
from dataclasses import dataclass, field
from datetime import date
from decimal import Decimal
from typing import NamedTuple

from .temps import Jours

CLAUSE_ANGLAISE = (
    "Clause 14 of our terms of sale, accepted on your order form: these terms and any sale are governed by French law."
)
CLAIRE, KARIM = 0, 1  # rang du gestionnaire


class Piece(NamedTuple):
    """Une facture : montant TTC, échéance, et ses autres échéances éventuelles (la première comprise)."""

    cle: str
    ttc: Decimal
    echeance: date
    devise: str = "EUR"
    suite: tuple[date, ...] = ()
    prelevement: bool = False
    commande: str = ""


class Geste(NamedTuple):
    jour: date
    verbe: str  # méthode de `gestes.Gestes`
    options: dict


@dataclass(frozen=True)
class Scene:
    """histoire : factures passées et payées. conduite : les courriers se valident et se postent par les gestes."""

    nom: str
    forme: str = ""
    type: str = "entreprise"
    gestionnaire: int = CLAIRE
    segment: str = ""
    contact: str = ""
    courriel: str = "compta"  # partie locale ; vide : aucun courriel
    conditions: int = 30
    plafond: int | None = None
    adresse: tuple[str, str, str] | None = None  # voie, code postal, ville ; ("", "", "") : aucune
    champs: dict = field(default_factory=dict)
    plan: str = ""
    pieces: tuple[Piece, ...] = ()
    gestes: tuple[Geste, ...] = ()
    interlocuteurs: tuple[tuple[str, str, str], ...] = ()  # (nom, fonction, rôle)
    histoire: int = 4
    habitude: int = 4  # jours de retard d'ordinaire
    conduite: bool = False


def p(cle: str, ttc: str, echeance: date, **options) -> Piece:
    return Piece(cle, Decimal(ttc), echeance, **options)


def g(jour: date, verbe: str, **options) -> Geste:
    return Geste(jour, verbe, options)


def scenes(jours: Jours) -> Iterator[Scene]:
    yield from _grands_dossiers(jours)
    yield from _ce_qui_part_ce_soir(jours)
    yield from _ce_qui_est_retenu(jours)
    yield from _ce_qui_est_parti(jours)


def _grands_dossiers(x: Jours) -> Iterator[Scene]:
    j, o = x.j, x.o
    yield Scene(
        "Chaudronnerie Belcourt", "SAS", segment="industrie", contact="Nadia Ferrand", plafond=40_000, histoire=9,
        adresse=("18 rue des Forges", "48200", "Saint-Chély-le-Vieux"), habitude=9, conduite=True,
        champs={"delai_entre_contacts": 0},
        interlocuteurs=(
            ("Olivier Belcourt", "Président", "direction"), ("Samira Haddad", "Acheteuse", "achats"),
            ("Nadia Ferrand", "Comptable fournisseurs", "comptabilite"),
        ),
        pieces=(
            p("a", "9360.00", x.pour(o(15), 20)), p("b", "4286.40", j(27)), p("c", "5616.40", j(20)),
            p("d", "7584.00", j(-10)), p("e", "6200.40", j(-25)),
        ),
        gestes=(
            g(o(18), "copier", pieces=("a", "b", "c")),
            g(o(14), "appeler", issue="promesse", motif="tresorerie",
              commentaire="« Le client final nous paie en fin de semaine. »"),
            g(o(14), "promettre", pieces=("b",), pour=j(9)),
            g(o(11), "contester", piece="c", montant="1200.00", categorie="qualite", a_traiter_le=j(-7),
              description="Deux tôles non conformes à la commande, photos reçues du chef d'atelier."),
            g(o(4), "encaisser", montant="1200.00", libelle="VIR BELCOURT SUR COMPTE"),
            g(o(3), "noter", texte="Joignable le matin, de 9 h à 11 h 30. Ne pas réclamer la part contestée."),
        ),
    )  # fmt: skip
    yield Scene(
        "Imprimerie des Trois-Ponts", "SARL", segment="industrie", contact="Gilles Ormond", plafond=15_000,
        adresse=("6 quai des Tanneurs", "69003", "Lyon"), habitude=30, conduite=True,
        pieces=(p("a", "9840.00", j(108)), p("b", "5558.60", j(108))),
        gestes=(
            g(o(84), "appeler", issue="injoignable"),
            g(o(66), "valider"), g(o(64), "poster"), g(o(60), "retour", retour="distribue"),
            g(o(40), "appeler", issue="autre", commentaire="Le gérant dit attendre une subvention, sans date."),
            g(o(14), "ouvrir_dossier", motif="Aucune suite à la mise en demeure ni aux appels"),
            g(o(12), "joindre", genres=("contrat", "facture")),
        ),
    )  # fmt: skip
    yield Scene(
        "Cuisines Delorme-Vasseur", "SAS", gestionnaire=KARIM, segment="négoce", contact="Agathe Delorme",
        adresse=("2 place du Vieux-Marché", "92000", "Nanterre"), habitude=25, conduite=True,
        pieces=(p("a", "6912.00", j(112)),),
        gestes=(
            g(o(90), "appeler", issue="en_validation"),
            g(o(70), "valider"), g(o(69), "poster"), g(o(65), "retour", retour="non_reclame"),
            g(o(44), "ouvrir_dossier", motif="Mise en demeure avisée et non réclamée, locaux fermés"),
            g(o(42), "joindre", genres=("contrat", "facture", "livraison")),
            g(o(41), "deposer", debiteur_representant="Agathe Delorme, présidente", debiteur_capital="20 000 €",
              debiteur_rcs="Nanterre", tribunal_adresse="4 rue Pablo-Neruda\n92020 Nanterre Cedex"),
            g(o(13), "avancer", evenement="ordonnance"),
        ),
    )  # fmt: skip
    yield Scene(
        "Tréfilerie du Gier", "SAS", segment="industrie", contact="Paul Rivoire", habitude=18,
        adresse=("40 rue de la Filature", "42400", "Saint-Rambert-du-Gier"),
        pieces=(p("a", "7068.00", j(82)), p("b", "4800.00", j(78))),
        gestes=(g(o(18), "juger", publie_le=o(14)),),
    )  # fmt: skip


def _ce_qui_part_ce_soir(x: Jours) -> Iterator[Scene]:
    j, o = x.j, x.o
    yield Scene(
        "Transports Ducasse-Ferrand", "SA", segment="logistique", contact="François Ducasse", plafond=60_000,
        histoire=11, habitude=6, champs={"delai_entre_contacts": 3},
        pieces=(p("a", "7920.00", j(12)), p("b", "4824.00", j(12)), p("c", "18960.00", j(-18))),
    )  # fmt: skip
    yield Scene(
        "Agence Quai Sud", "SARL", gestionnaire=KARIM, segment="services", contact="Lise Morel", courriel="l.morel",
        pieces=(p("a", "2640.00", j(20)), p("b", "1320.00", j(20))), habitude=12,
        gestes=(g(o(6), "appeler", issue="message"),),
    )  # fmt: skip
    yield Scene(
        "Boulangeries Morvan-Hélias", "SAS", segment="agroalimentaire", contact="Pauline Hélias",
        courriel="p.helias", pieces=(p("a", "2116.80", j(5)), p("b", "15402.24", j(-22))), histoire=10, habitude=3,
    )  # fmt: skip
    yield Scene(
        "Clinique du Val-Cendré", "SA", segment="santé", contact="Hugo Sarrazin", plafond=80_000,
        conditions=45, pieces=(p("a", "9936.00", j(5)), p("b", "41280.00", j(-20))), histoire=12, habitude=1,
    )  # fmt: skip
    yield Scene(
        "Laboratoires Orsenne", "SA", gestionnaire=KARIM, segment="santé", courriel="fournisseurs", plafond=100_000,
        conditions=60, pieces=(p("a", "4212.00", j(5)), p("b", "58320.00", j(-30))), histoire=12, habitude=0,
    )  # fmt: skip
    yield Scene(
        "Grandes Surfaces Mirandol", "SA", gestionnaire=KARIM, segment="négoce", contact="Solène Vernet",
        plafond=90_000, habitude=2, histoire=12,
        pieces=(p("a", "144000.00", j(5), suite=(j(5), j(-25), j(-55))),),
    )  # fmt: skip
    yield Scene(
        "Commune de Valmorène", type="administration", gestionnaire=KARIM, segment="secteur public",
        courriel="mandatement", adresse=("1 place de la Mairie", "38460", "Valmorène"),
        champs={"civilite": "Monsieur le Maire"}, habitude=5,
        pieces=(p("a", "9504.00", j(30), commande="ENG-2026-0418"), p("b", "4752.00", j(30), commande="ENG-2026-0431"),
                p("c", "9480.00", j(-12), commande="ENG-2026-0502")),
        gestes=(g(o(8), "appeler", issue="en_validation", commentaire="Mandat en cours de signature."),),
    )  # fmt: skip
    yield Scene(
        "Mme Odile Perrachon", type="particulier", gestionnaire=KARIM, segment="particuliers", courriel="",
        champs={"civilite": "Madame"}, histoire=1, pieces=(p("a", "684.00", j(7)),),
    )  # fmt: skip
    yield Scene(
        "Hallam & Reeve Ltd", segment="export", contact="Ms Joan Hallam", courriel="accounts", conditions=45,
        adresse=("14 Tanner Row", "YO1 0ZZ", "York"), habitude=6,
        champs={"pays": "GB", "langue": "en", "mention_loi_en": CLAUSE_ANGLAISE,
                "objet_contrat": "the supply of workshop furniture"},
        pieces=(p("a", "6480.00", j(20)), p("b", "3925.50", j(20), devise="GBP"),
                p("c", "8140.00", j(-15), devise="GBP")),
    )  # fmt: skip
    yield Scene(
        "Charpentes Ardouin", "SARL", segment="artisanat", contact="Luc Ardouin", habitude=8,
        pieces=(p("a", "2880.00", j(20)), p("b", "1440.00", j(48))),
        gestes=(
            g(o(44), "crediter", montant="240.00", sur="b"), g(o(42), "encaisser", montant="1200.00", sur=("b",)),
            g(o(9), "crediter", montant="300.00"),
            g(o(40), "renoncer", piece="b", portee="tout", motif="Avoir tardif de notre fait"),
        ),
    )  # fmt: skip
    yield Scene(
        "Plomberie Kervadec", "EURL", gestionnaire=KARIM, segment="artisanat", contact="Yann Kervadec", habitude=20,
        champs={"taux_penalites": Decimal("6.00"), "sous_plancher": "defaut"},
        adresse=("9 rue du Moulin-Vert", "29160", "Crozenn"), conduite=True, pieces=(p("a", "5184.00", j(62)),),
        gestes=(
            g(o(48), "appeler", issue="injoignable"), g(o(22), "valider"), g(o(20), "poster"),
            g(o(16), "retour", retour="distribue"),
        ),
    )  # fmt: skip


def _ce_qui_est_retenu(x: Jours) -> Iterator[Scene]:
    j, o, v = x.j, x.o, x.veille
    yield Scene(
        "Hydrauconcept Atlantique", "SAS", segment="industrie", contact="Rémi Loiseau", habitude=4, histoire=7,
        champs={"delai_entre_contacts": 0},
        pieces=(p("a", "8694.36", j(12)), p("b", "22410.00", j(-21))),
        gestes=(g(v, "relever", montant="8214.36", libelle="VIR HYDRAUCONCEPT FACT OCT"),),
    )  # fmt: skip
    yield Scene(
        "Nettoyage Aubépine", "SAS", segment="services", contact="Corinne Aubé", habitude=10,
        pieces=(p("a", "2400.00", j(20)), p("b", "3600.00", j(-13)), p("z", "1980.00", j(62))),
        gestes=(
            g(o(48), "promettre", pieces=("z",), pour=o(44)), g(o(44), "encaisser", montant="1980.00", sur=("z",)),
            g(o(4), "appeler", issue="promesse", motif="oubli"), g(o(4), "promettre", pieces=("a",), pour=j(0)),
        ),
    )  # fmt: skip
    yield Scene(
        "Maçonnerie Pelletan", "EURL", segment="artisanat", contact="Denis Pelletan", habitude=14,
        pieces=(p("a", "1944.00", j(24)), p("b", "768.00", j(38)), p("c", "384.00", j(38))),
        gestes=(
            g(o(30), "contester", piece="c", montant="384.00", categorie="quantite", a_traiter_le=x.au,
              description="Une palette de parpaings manquante au bon de livraison."),
            g(o(9), "appeler", issue="message"),
        ),
    )  # fmt: skip
    yield Scene(
        "Scierie Maupertuis", "SAS", gestionnaire=KARIM, segment="industrie", contact="Alain Maupertuis",
        pieces=(p("a", "6264.00", j(17)),),
        gestes=(
            g(o(9), "suspendre", jusqu_au=j(-11), motif="Remise en ordre du compte convenue avec la direction"),
            g(v, "lever", piece="a", frein="suspendue", pour_le=x.soir, motif="Leur direction demande un état écrit"),
        ),
    )  # fmt: skip
    yield Scene(
        "Cave coopérative des Trois-Monts", "SCA", gestionnaire=KARIM, segment="agroalimentaire",
        champs={"prelevement": True}, habitude=0,
        pieces=(p("a", "3168.00", j(6), prelevement=True), p("b", "1584.00", j(13), prelevement=True)),
        gestes=(g(o(11), "rejeter_prelevement", piece="b", motif="MS03, motif non communiqué"),),
    )  # fmt: skip
    yield Scene(
        "M. Thibault Gaillac", type="particulier", segment="particuliers", courriel="thibault", histoire=1,
        champs={"civilite": "Monsieur"}, pieces=(p("a", "1248.00", j(40)),),
        gestes=(g(o(10), "surendetter"),),
    )  # fmt: skip
    yield Scene(
        "Fleuriste Brin d'Avril", "EURL", segment="négoce", pieces=(p("a", "11.40", j(9)),), histoire=2,
    )  # fmt: skip
    yield Scene(
        "Pressing du Canal", "SARL", gestionnaire=KARIM, segment="services", histoire=2,
        pieces=(p("a", "24.00", j(9)),),
    )  # fmt: skip
    yield Scene(
        "Bureau d'études Calvière", "SAS", gestionnaire=KARIM, segment="services", contact="Inès Calvière",
        plan="grands-comptes", pieces=(p("a", "12480.00", j(30)),), histoire=6, habitude=2,
    )  # fmt: skip
    yield Scene(
        "Événements Saint-Clar", "SARL", gestionnaire=KARIM, segment="services", plan="location",
        pieces=(p("a", "3420.00", j(27)),),
    )  # fmt: skip
    yield Scene(
        "Épicerie Tournesol", "EI", segment="négoce", courriel="", adresse=("", "", ""), histoire=1,
        pieces=(p("a", "412.80", j(8)),),
    )  # fmt: skip
    yield Scene(
        "Ébénisterie Roncal", "SARL", segment="artisanat", contact="Marc Roncal",
        pieces=(p("a", "396.00", j(5)), p("b", "2640.00", j(3))),
        gestes=(g(o(10), "crediter", montant="420.00"),),
    )  # fmt: skip
    yield Scene(
        "Carrosserie Belvaux", "SAS", gestionnaire=KARIM, segment="automobile", contact="Sylvie Belvaux",
        pieces=(p("a", "1872.00", x.pour(o(2), 5)), p("b", "2508.00", j(12))),
    )  # fmt: skip
    yield Scene(
        "Atelier Rémanence", type="a_qualifier", segment="artisanat", courriel="bonjour",
        pieces=(p("a", "1530.00", j(20)),), histoire=0,
    )  # fmt: skip


def _ce_qui_est_parti(x: Jours) -> Iterator[Scene]:
    j, o, v = x.j, x.o, x.veille
    yield Scene(
        "Menuiseries Lanvaux", "SARL", segment="artisanat", contact="Yann Lanvaux", habitude=34, plafond=12_000,
        adresse=("3 zone artisanale du Moulin-Vert", "56370", "Kerlavoz"), conduite=True,
        pieces=(p("a", "2988.00", x.pour(o(19), 20)), p("b", "7302.00", x.pour(o(19), 20)), p("c", "4120.80", j(-16))),
        gestes=(g(o(27), "appeler", issue="message"), g(o(21), "appeler", issue="injoignable")),
    )  # fmt: skip
    yield Scene(
        "Tuilerie de Bréhan", "SAS", gestionnaire=KARIM, segment="industrie", contact="Maud Bréhan", habitude=28,
        champs={"taux_penalites": Decimal("5.00")},
        adresse=("2 route des Ormes", "86150", "Lussac-la-Rivière"), conduite=True,
        pieces=(p("a", "4752.00", x.pour(o(21), 20)),), gestes=(g(o(26), "appeler", issue="en_validation"),),
    )  # fmt: skip
    yield Scene(
        "Ferronnerie Castelnou", "SARL", gestionnaire=KARIM, segment="artisanat", contact="Pierre Castelnou",
        plafond=8_000, adresse=("5 chemin des Ormes", "12120", "Castelnou-le-Haut"), habitude=22, conduite=True,
        pieces=(p("a", "6480.00", x.pour(o(24), 20)), p("b", "3240.00", x.pour(o(24), 20))),
        gestes=(g(o(9), "encaisser", montant="1500.00", libelle="ACOMPTE CASTELNOU"), g(o(3), "valider")),
    )  # fmt: skip
    yield Scene(
        "Serrurerie Vidal-Compère", "SARL", segment="artisanat", contact="Anne Vidal", habitude=16, conduite=True,
        adresse=("11 impasse du Lavoir", "24200", "Sarlande"), pieces=(p("a", "3168.00", j(60)),),
        gestes=(g(o(45), "appeler", issue="message"), g(o(16), "valider"), g(o(14), "poster")),
    )  # fmt: skip
    yield Scene(
        "Maroquinerie Lestrange", "SARL", gestionnaire=KARIM, segment="négoce", habitude=12, conduite=True,
        adresse=("27 boulevard de la Gare", "51130", "Vertus-les-Vignes"), pieces=(p("a", "2256.00", j(58)),),
        gestes=(g(o(14), "valider"), g(o(12), "poster"), g(o(5), "retour", retour="npai")),
    )  # fmt: skip
    yield Scene(
        "Mme Léonie Castaing", type="particulier", segment="particuliers", courriel="", histoire=1,
        champs={"civilite": "Madame"}, pieces=(p("a", "936.00", j(36)),), conduite=True,
        gestes=(g(o(28), "poster"), g(o(20), "appeler", issue="message"), g(o(9), "poster")),
    )  # fmt: skip
    yield Scene(
        "Sellerie Aubertin", "SARL", gestionnaire=KARIM, segment="automobile", histoire=3,
        pieces=(p("a", "1128.00", x.pour(v, 5)),),
    )  # fmt: skip
    yield Scene(
        "Papeterie Vaugris", "SAS", segment="négoce", contact="Éric Vaugris", conduite=True,
        pieces=(p("a", "1764.00", x.pour(o(9), 5)),),
        gestes=(g(o(7), "rebondir", motif="550 5.1.1 boîte supprimée"),),
    )  # fmt: skip
    yield Scene(
        "Verrerie de Sauxmont", "SAS", segment="industrie", courriel="reglements",
        pieces=(p("a", "4440.00", x.pour(o(8), 5)),),
    )  # fmt: skip
    yield Scene(
        "Garage Mercier-Lagarde", "SARL", segment="automobile", contact="Brice Lagarde", histoire=6,
        pieces=(p("a", "1896.00", j(11)), p("b", "2304.00", j(-19))),
        gestes=(g(o(3), "appeler", issue="non_recue", motif="perdue", commentaire="Nouvelle adresse notée."),),
    )  # fmt: skip
    yield Scene(
        "Optique Saint-Rémi", "SARL", segment="négoce", contact="Camille Rémi", habitude=9,
        pieces=(p("a", "1416.00", j(18)),),
        gestes=(g(o(5), "appeler", issue="en_validation"), g(v, "relancer")),
    )  # fmt: skip
    yield Scene(
        "Université de Haute-Sorne", type="administration", segment="secteur public", courriel="sif", conditions=30,
        champs={"civilite": "Madame la Présidente"}, habitude=6, histoire=8,
        pieces=(p("a", "11760.00", j(-9), commande="EJ 4500081244"),
                p("b", "5880.00", j(14), commande="EJ 4500080967")),
    )  # fmt: skip
