"""Contexte commun des écrans d'équipe : société, compteurs du rail, fraîcheur des données."""


def coque(request):
    return {}
