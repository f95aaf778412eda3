"""Les clients qui montrent la loi et l'échelle : accords, exclusions, prescription, retours d'un lot, préfet."""

from collections.abc import Iterator
from decimal import Decimal

from .scenes import CLAIRE, KARIM, Scene, g, p
from .temps import Jours

# Les cinq plis du lot postal : qui, où, combien, et ce que dit l'avis ; le dernier n'est jamais rentré.
PLIS = (
    ("Tannerie Vauzelle", "SAS", ("31 route de Millau", "12100", "Saint-Baulize"), "4128.00", "distribue"),
    ("Filature du Sornin", "SARL", ("7 rue des Tisserands", "42190", "Charlieu-le-Bas"), "2934.00", "non_reclame"),
    ("Hôtellerie Grand-Bois", "SA", ("1 allée des Cèdres", "74000", "Annecy-le-Haut"), "6372.00", "refuse"),
    ("Pépinières Malvoisin", "EURL", ("12 chemin des Sources", "41200", "Romorange"), "1518.00", "npai"),
    ("Cartonnages Reboul", "SAS", ("4 zone des Acacias", "26100", "Saint-Reboul"), "3480.00", ""),
)


def scenes_de_droit(x: Jours) -> Iterator[Scene]:
    yield from _accords(x)
    yield from _pieces_retenues(x)
    yield from _personnes(x)
    yield from _lot_postal(x)


def _accords(x: Jours) -> Iterator[Scene]:
    j, o = x.j, x.o
    yield Scene(
        "Tonnellerie Grandval", "SARL", segment="artisanat", contact="Élise Grandval", conduite=True, habitude=20,
        pieces=(p("z", "2400.00", j(112)), p("a", "6000.00", j(76))),
        gestes=(
            g(o(90), "echelonner", pieces=("z",), dates=(j(74), j(46))),
            g(o(74), "encaisser", montant="1200.00", sur=("z",)), g(o(46), "encaisser", montant="1200.00", sur=("z",)),
            g(o(50), "echelonner", pieces=("a",), dates=(j(33), j(3), j(-27), j(-57)), clause=True),
            g(o(33), "encaisser", montant="1500.00", sur=("a",)), g(o(4), "encaisser", montant="1500.00", sur=("a",)),
        ),
    )  # fmt: skip
    yield Scene(
        "Ateliers Morizot", "SAS", gestionnaire=KARIM, segment="industrie", contact="Denis Morizot", conduite=True,
        pieces=(p("a", "5400.00", j(70)),), habitude=26,
        gestes=(
            g(o(48), "echelonner", pieces=("a",), dates=(j(28), j(-2), j(-32))),
            g(o(27), "encaisser", montant="600.00", sur=("a",), libelle="VIR MORIZOT PARTIEL"),
        ),
    )  # fmt: skip
    yield Scene(
        "Traiteur Beaumanoir", "SAS", segment="services", contact="Aline Beaumanoir", plan="grands-comptes",
        pieces=(p("a", "3864.00", j(36)),), habitude=15, histoire=6,
    )  # fmt: skip


def _pieces_retenues(x: Jours) -> Iterator[Scene]:
    j, o = x.j, x.o
    yield Scene(
        "Minoterie Saint-Éloi", "SAS", gestionnaire=KARIM, segment="agroalimentaire", contact="Jeanne Éloy",
        pieces=(p("a", "2952.00", j(20)), p("b", "4104.00", j(-8))), habitude=5,
        gestes=(g(o(6), "exclure", piece="a", jusqu_au=j(-18), motif="Tarif erroné : avoir demandé à la facturation"),),
    )  # fmt: skip
    yield Scene(
        "Sanitaires Duplessy", "SAS", segment="négoce", contact="Marine Duplessy", courriel="factures", habitude=6,
        pieces=(p("a", "1740.00", j(20)), p("b", "2286.00", j(20)), p("c", "948.00", j(20))),
        gestes=(
            g(o(9), "suivre_facture", piece="a", statut="210"), g(o(8), "suivre_facture", piece="b", statut="207"),
            g(o(4), "suivre_facture", piece="c", statut="211"),
        ),
    )  # fmt: skip
    yield Scene(
        "Literie Montclar", "SARL", segment="négoce", contact="Guy Montclar", conduite=True, histoire=0, habitude=30,
        adresse=("16 rue du Faubourg", "58000", "Nevers-le-Vieux"),
        pieces=(p("a", "4380.00", j(1702)), p("b", "2190.00", j(1640))),
        gestes=(
            g(o(100), "interrompre", piece="a", acte="reconnaissance", survenu_le=j(640),
              nom="reconnaissance-de-dette.pdf", note="Lettre du gérant, reçue en recommandé"),
            g(o(100), "suspendre", jusqu_au=j(-30), motif="Reprise d'un compte ancien : pièces à réunir"),
        ),
    )  # fmt: skip


def _personnes(x: Jours) -> Iterator[Scene]:
    j, o = x.j, x.o
    yield Scene(
        "M. Anselme Vitry", type="particulier", gestionnaire=KARIM, segment="particuliers", courriel="anselme",
        champs={"civilite": "Monsieur", "lre_acceptee_le": j(230)}, histoire=1, conduite=True,
        pieces=(p("a", "1386.00", j(68)),),
        gestes=(
            g(o(25), "valider"), g(o(23), "remettre_en_ligne"), g(o(22), "poster"),
            g(o(19), "retour", retour="distribue"),
        ),
    )  # fmt: skip
    yield Scene(
        "Mr Edwin Thorne", type="particulier", segment="particuliers", courriel="edwin", histoire=1,
        adresse=("22 Saddler Lane", "BA1 0ZZ", "Bath"),
        champs={"civilite": "Mr", "pays": "GB", "langue": "en", "mention_loi_en": "",
                "objet_contrat": "the supply of a workbench"},
        pieces=(p("a", "792.00", j(25)),),
    )  # fmt: skip
    yield Scene(
        "Syndicat des eaux de Brévance", type="administration", segment="secteur public", courriel="compta",
        adresse=("3 rue de la Source", "63160", "Brévance"), conduite=True, habitude=12,
        champs={"civilite": "Madame la Présidente", "objet_contrat": "la fourniture de vannes et de regards"},
        pieces=(p("a", "14280.00", j(104), commande="MAPA-2026-017"),),
        gestes=(
            g(o(70), "valider"),
            g(o(30), "ouvrir_dossier", motif="Deux demandes restées sans réponse de l'ordonnateur",
              voie="mandatement"),
            g(o(29), "joindre", genres=("contrat", "facture", "livraison")),
            g(o(28), "saisir_le_prefet", marche="MAPA-2026-017, bon de commande n° 3",
              tribunal="Préfecture du Puy-de-Dôme", tribunal_adresse="18 boulevard Desaix\n63000 Clermont-Ferrand",
              expose="Vannes livrées et réceptionnées sans réserve ; service fait attesté par le bon de livraison."),
        ),
    )  # fmt: skip


def _lot_postal(x: Jours) -> Iterator[Scene]:
    """Mises en demeure déposées le même jour (`maison.deposer_le_lot`) ; chacune revient autrement."""
    j, o = x.j, x.o
    for rang, (nom, forme, adresse, ttc, retour) in enumerate(PLIS):
        revenu = (g(o(30 - rang), "retour", retour=retour),) if retour else ()
        yield Scene(
            nom, forme, gestionnaire=(CLAIRE, KARIM)[rang % 2], segment="industrie", adresse=adresse, conduite=True,
            pieces=(p("a", str(Decimal(ttc)), j(84)),), histoire=2, habitude=24,
            gestes=(g(o(60), "copier", pieces=("a",)), g(o(42), "valider"), *revenu),
        )  # fmt: skip
