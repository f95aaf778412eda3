"""Fabriques : une société complète, une personne et son rôle."""

from itertools import count

from recouvrement.comptes.models import Affectation, Role, Societe, Utilisateur

MOT_DE_PASSE = "un-mot-de-passe-d-essai"
_rang = count(1)


def SocieteFactory(*, incomplete: bool = False, **champs) -> Societe:
    """Société dont aucune mention d'en-tête ne manque ; `incomplete` : comme créée par un import."""
    n = next(_rang)
    base = {"code": f"S{n:04d}", "raison_sociale": f"Ateliers Mercier {n}"}
    if not incomplete:
        base |= {
            "nom_court": f"Mercier {n}",
            "forme": "SAS",
            "capital": "120 000 €",
            "siren": "732829320",
            "rcs_ville": "Nantes",
            "numero_tva": "FR44732829320",
            "adresse": "12 quai de la Fosse",
            "code_postal": "44000",
            "ville": "Nantes",
            "telephone": "02 40 00 00 00",
            "courriel": f"compta{n}@mercier.example",
            "iban": "FR7630006000011234567890189",
            "bic": "AGRIFRPP",
            "signataire_nom": "Claire Bonnet",
            "signataire_fonction": "Responsable du recouvrement",
            "representant": "Paul Mercier",
            "representant_fonction": "président",
            "ville_signature": "Nantes",
            "alimentee_par_import": False,
        }
    return Societe.objects.create(**base | champs)


def UtilisateurFactory(
    *, role: str | None = Role.GESTIONNAIRE, societe: Societe | None = None, **champs
) -> Utilisateur:
    """Personne avec un rôle dans `societe` (créée au besoin) ; `role=None` : aucune affectation."""
    n = next(_rang)
    mot_de_passe = champs.pop("password", MOT_DE_PASSE)
    user = Utilisateur.objects.create_user(
        **{"courriel": f"personne{n}@mercier.example", "nom": f"Personne {n}"} | champs, password=mot_de_passe
    )
    if role is not None:
        AffectationFactory(user, societe or SocieteFactory(), role)
    return user


def AffectationFactory(utilisateur: Utilisateur, societe: Societe, role: str = Role.GESTIONNAIRE) -> Affectation:
    return Affectation.objects.create(utilisateur=utilisateur, societe=societe, role=role)
