"""La société qui filtre tous les écrans : celle de l'adresse, sinon celle choisie dans le rail."""

from .models import Societe

CLE_SESSION = "societe"
PARAMETRE = "societe"


def societes_visibles(request) -> list[Societe]:
    """Sociétés de la personne, lues une fois par requête."""
    if not hasattr(request, "_societes_visibles"):
        visibles = Societe.objects.visibles_pour(request.user) if request.user.is_authenticated else []
        request._societes_visibles = list(visibles)
    return request._societes_visibles


def societe_courante(request) -> Societe | None:
    """`?societe=CODE` de l'adresse, sinon le choix de session, sinon la seule visible ; None = toutes."""
    visibles = societes_visibles(request)
    if len(visibles) == 1:
        return visibles[0]
    demande = request.GET.get(PARAMETRE) or request.session.get(CLE_SESSION)
    return next((societe for societe in visibles if societe.code == demande), None)


def restreindre(request, lignes, chemin: str = "societe"):
    """Garde les lignes de la société courante ; `visibles_pour` reste à appeler, ceci n'est qu'un filtre."""
    societe = societe_courante(request)
    return lignes.filter(**{chemin: societe.pk}) if societe else lignes
