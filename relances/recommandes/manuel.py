"""Le prestataire manuel : on imprime, on va au guichet, on saisit."""

from .interface import DepotRefuse, PliARemettre, Suivi


class Manuel:
    code = "manuel"
    a_la_main = True
    electronique = True  # déposé par une personne sur le site d'un prestataire qualifié, qu'elle choisit

    def deposer(self, pli: PliARemettre) -> Suivi:
        raise DepotRefuse("Aucun prestataire n'est réglé : imprimez le lot, puis saisissez les numéros.")

    def statut(self, suivi: Suivi) -> Suivi:
        """Rien de neuf : les retours se saisissent à la main."""
        return suivi
