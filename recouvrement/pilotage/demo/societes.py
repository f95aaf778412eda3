"""Les deux sociétés de la démonstration, leurs personnes et leurs plans."""

from datetime import time
from decimal import Decimal

from django.conf import settings

from recouvrement.commun.domaine.identifiants import tva_du_siren
from recouvrement.comptes import demo
from recouvrement.comptes.models import Affectation, Role, Societe, Utilisateur
from relances.domaine.natures import Canal, ModePalier, Nature, Reference
from relances.models import Echelle, Palier, VersionEchelle
from relances.services.plans import installer_plans, publier

from .noms import luhn

CODE = "vauquelin"
CODE_SECONDE = "vauquelin-services"
# Des courriels rangés en fichiers, affichés ou gardés en mémoire ne sortent pas de la machine.
SUR_PLACE = ("filebased", "console", "locmem", "dummy")
PERSONNES = (
    ("claire.bonnet", "Claire Bonnet", Role.GESTIONNAIRE, Role.GESTIONNAIRE, "04 65 71 01 42"),
    ("karim.saidi", "Karim Saïdi", Role.GESTIONNAIRE, Role.GESTIONNAIRE, "04 65 71 01 43"),
    ("marc.delattre", "Marc Delattre", Role.RESPONSABLE, Role.RESPONSABLE, "04 65 71 01 40"),
    ("ines.vauquelin", "Inès Vauquelin", Role.ADMINISTRATEUR, Role.ADMINISTRATEUR, "04 65 71 01 41"),
    ("sophie.maurin", "Sophie Maurin", Role.LECTEUR, None, "04 65 71 01 44"),
)


def creer_societes() -> tuple[Societe, Societe]:
    """La société complète, et une seconde à qui il manque de quoi écrire une lettre.

    Le passage automatique n'est ouvert que si les courriels restent sur la machine.
    """
    siren = luhn("01250734")
    principale = Societe.objects.create(
        code=CODE, raison_sociale="Vauquelin Équipements", nom_court="Vauquelin", forme="SAS", capital="250 000 €",
        siren=siren, rcs_ville="Lyon", numero_tva=tva_du_siren(siren), adresse="14 rue des Forges-Neuves",
        code_postal="69100", ville="Valbonne-sur-Rhône", telephone="04 65 71 01 00", courriel=f"compta@{demo.DOMAINE}",
        iban="FR7630006000011234567890189", bic="AGRIFRPP", signataire_nom="Marc Delattre",
        signataire_fonction="Responsable du recouvrement", representant="Inès Vauquelin",
        representant_fonction="présidente", ville_signature="Valbonne-sur-Rhône",
        mediateur="Médiation du commerce équipé, 8 rue du Lavoir, 69100 Valbonne-sur-Rhône, mediation.example",
        heure_passage=time(19, 0), alimentee_par_import=False, seuil_deux_personnes=Decimal("5000.00"),
        relances_actives=any(sorte in settings.EMAIL_BACKEND for sorte in SUR_PLACE),
    )  # fmt: skip
    seconde = Societe.objects.create(
        code=CODE_SECONDE, raison_sociale="Vauquelin Services", nom_court="Vauq. Services", forme="SARL",
        capital="20 000 €", siren=luhn("01250735"), rcs_ville="Lyon", adresse="14 rue des Forges-Neuves",
        code_postal="69100", ville="Valbonne-sur-Rhône", telephone="04 65 71 01 10",
        courriel=f"services@{demo.DOMAINE}", alimentee_par_import=True, fraicheur_heures=24 * 7,
    )  # fmt: skip
    return principale, seconde


def creer_personnes(principale: Societe, seconde: Societe) -> dict[str, Utilisateur]:
    """{identifiant: personne} ; Claire Bonnet ne travaille que dans la société principale."""
    personnes = {}
    for identifiant, nom, role, role_second, telephone in PERSONNES:
        personnes[identifiant] = Utilisateur.objects.create_user(
            f"{identifiant}@{demo.DOMAINE}", demo.MOT_DE_PASSE, nom=nom, telephone=telephone
        )
        Affectation.objects.create(utilisateur=personnes[identifiant], societe=principale, role=role)
        if role_second and identifiant != "claire.bonnet":
            Affectation.objects.create(utilisateur=personnes[identifiant], societe=seconde, role=role_second)
    return personnes


def creer_plans(societe: Societe, *, par) -> dict[str, Echelle]:
    """Les trois plans livrés, et deux plans particuliers."""
    installer_plans(societe)
    courriel, recommande, tache = [Canal.COURRIEL, Canal.LETTRE], [Canal.RECOMMANDE], [Canal.TACHE]
    auto, valider = ModePalier.AUTOMATIQUE, ModePalier.A_VALIDER
    particuliers = {
        "grands-comptes": (
            "Grands comptes",
            (
                (Nature.RAPPEL_COURTOIS, Reference.ECHEANCE, 5, courriel, auto, 8),
                (Nature.RAPPEL_COURTOIS, Reference.ECHEANCE, 15, courriel, auto, 8),
                (Nature.FORMALISATION, Reference.ECHEANCE, 30, courriel, valider, 10),
                (Nature.MISE_EN_DEMEURE, Reference.PRECEDENT, 15, recommande, valider, 15),
                (Nature.CONTENTIEUX, Reference.PRECEDENT, 20, tache, ModePalier.TACHE, 15),
            ),
        ),
        "location": (
            "Location de matériel",
            (
                (Nature.RAPPEL_COURTOIS, Reference.ECHEANCE, 5, courriel, auto, 8),
                (Nature.MISE_EN_DEMEURE, Reference.ECHEANCE, 25, recommande, valider, 8),
            ),
        ),
    }
    return {code: _plan(societe, code, nom, paliers, par) for code, (nom, paliers) in particuliers.items()}


def _plan(societe: Societe, code: str, nom: str, paliers, par) -> Echelle:
    echelle = Echelle.objects.create(societe=societe, code=code, nom=nom, type_debiteur="entreprise", par_defaut=False)
    version = VersionEchelle.objects.create(echelle=echelle, numero=1)
    Palier.objects.bulk_create(
        Palier(
            version=version, rang=rang, nature=nature, reference=reference, delai=delai, mode=mode,
            canaux=[c.value for c in canaux], delai_reponse=reponse,
        )
        for rang, (nature, reference, delai, canaux, mode, reponse) in enumerate(paliers, 1)
    )  # fmt: skip
    publier(version, par=par)
    return echelle
