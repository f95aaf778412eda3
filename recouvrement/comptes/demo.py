"""Comptes de démonstration : montrés sur la page de connexion si le réglage DEMO est vrai."""

from .models import Role, Utilisateur

DOMAINE = "vauquelin.example"
MOT_DE_PASSE = "recouvrement-demo"


def comptes() -> list[dict]:
    """Une personne par rôle, dans l'ordre où l'on découvre l'application."""
    lignes = (
        Utilisateur.objects.filter(courriel__endswith=f"@{DOMAINE}", is_active=True, affectations__isnull=False)
        .values_list("courriel", "nom", "affectations__role")
        .order_by("nom", "affectations__role")
    )
    ordre = [Role.GESTIONNAIRE, Role.RESPONSABLE, Role.ADMINISTRATEUR, Role.LECTEUR]
    par_role: dict[str, dict] = {}
    for courriel, nom, role in lignes:
        par_role.setdefault(role, {"courriel": courriel, "nom": nom, "role": Role(role).label})
    return [par_role[role] for role in ordre if role in par_role]
